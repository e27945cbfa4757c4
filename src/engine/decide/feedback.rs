//! What customers say of a contact, while it is open or after: a score, words, or both.
//!
//! Taken by any gateway and on any channel. What they wrote rides sealed; the engine keeps
//! nothing, because nothing is routed by it. Low scores are for others to act on: the event has
//! all that recovery needs.

use super::super::care::FeedbackReport;
use super::super::event::{Event, Feedback};
use super::super::refusal::Refusal;
use super::Turn;
use crate::ids::GatewayId;

/// The longest scale.
const MOST_SCORE: u8 = 10;

impl Turn<'_> {
    pub(super) fn feedback(
        &mut self,
        gateway: GatewayId,
        f: &FeedbackReport,
    ) -> Result<(), Refusal> {
        let contact = f.contact;
        if contact.0 == 0 || contact.0 > self.engine.counts.accepted {
            return Err(Refusal::NoSuchContact(contact));
        }
        let checks = [
            ("scale", "1 to 10", (1..=MOST_SCORE).contains(&f.scale)),
            ("score", "0 to the scale", f.score.is_none_or(|score| score <= f.scale)),
            ("score", "there, unless there are words", f.score.is_some() || f.words),
        ];
        if let Some((field, expected, _)) = checks.into_iter().find(|(_, _, ok)| !ok) {
            return Err(Refusal::OutOfRange { field, expected });
        }
        let open = self.engine.contact(contact).map(|c| c.queue);
        let known = f.queue.filter(|q| self.queue_of(*q).is_some());
        self.emit(Event::FeedbackGiven(Feedback {
            contact,
            gateway,
            channel: f.channel,
            queue: open.or(known),
            score: f.score,
            scale: f.scale,
            words: f.words,
        }));
        Ok(())
    }
}
