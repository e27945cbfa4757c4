//! What customers think of a contact, as the engine takes it: the score in clear, the words sealed.
//!
//! Whose key the words are sealed with is the contact's business, whoever reports them: of an
//! open one the router knows, of a closed one the archive.

use super::report::Reading;
use super::{check, person, words};
use crate::engine::care::FeedbackReport;
use crate::engine::command::Report;
use crate::engine::entry::Sealed;
use crate::grpc::status::Fault;
use crate::pb::v1::{self, gateway_report::Feedback};

/// The scale of one who does not say.
const SCALE: u32 = 10;

/// Reads it, and seals the words in it.
pub(super) fn read(from: &Reading<'_>, given: Feedback) -> Result<(Report, Option<Sealed>), Fault> {
    let contact = check::contact(given.contact_id)?;
    let expected = "0 to 10";
    let small =
        |field, value: u32| u8::try_from(value).map_err(|_| Fault::Invalid { field, expected });
    let score = given.score.map(|score| small("score", score)).transpose()?;
    let scale = small("scale", if given.scale == 0 { SCALE } else { given.scale })?;
    let channel = words::read_channel(given.channel)?;
    let said = given.person.map(|p| p.words).filter(|words| !words.is_empty());
    let words = said.is_some();
    let person = said.map(|words| v1::Person { words, ..Default::default() });
    let customer = (from.owner)(contact).or_else(|| from.ended.and_then(|e| e.customer));
    let sealed = person::seal(from.keys, customer, person, given.sensitive)?;
    let queue = from.ended.and_then(|e| e.queue.as_deref());
    let queue = queue.and_then(|name| from.names.queue(name));
    let agent = from.ended.and_then(|e| e.agent.as_deref());
    let agent = agent.and_then(|name| from.names.agent(name));
    let report = FeedbackReport { contact, channel, queue, agent, score, scale, words };
    Ok((Report::Feedback(report), sealed))
}
