//! An arrival as a message, and what can be read from it again.
//!
//! What the client needs to know rides in its ids, so that no table has to be kept of what
//! was sent: the times in the key, and in an attribute for the agent's side.

use std::time::Duration;

use surgeline::pb::v1::gateway_report::Report;
use surgeline::pb::v1::gateway_service_connect_request::Message;
use surgeline::pb::v1::{Arrival, Attribute, GatewayReport, GatewayServiceConnectRequest, Person};

use crate::scenario::Kind;
use crate::schedule::{Due, Says};

/// What has an answer in the playbook, as customers put it.
const QUESTIONS: [&str; 4] = [
    "Is mine one of those in the news?",
    "How do I find the lot number?",
    "I would like my money back, please.",
    "Will you send me a new base?",
];
const VAGUE: &str = "My neighbour says that the old model had a nicer colour.";
const HURT: &str = "My son burned his hand on the base of the kettle.";
/// What somebody writes who wants a person.
pub(crate) const PERSON: &str = "No machine please, I want to talk to someone.";

/// One of the questions.
pub(crate) const fn question(number: usize) -> &'static str {
    QUESTIONS[number % QUESTIONS.len()]
}

pub(crate) fn saying(words: &str) -> Person {
    Person { words: words.into(), ..Person::default() }
}

/// An arrival; of a kind that the scenario's recall is about, at its entry point.
pub(crate) fn arrival(
    run: &str,
    number: usize,
    due: &Due,
    kind: &Kind,
    recalled: bool,
) -> GatewayServiceConnectRequest {
    let id = format!("{run}-{number}-{}-{}", due.at_us, due.kind);
    // With words between the numbers: the router masks runs of digits that could be a
    // payment card's, and one in ten could.
    let value = format!("due {} us, takes {} us", due.at_us, due.handle_us);
    let (queue, entry_point) = if recalled {
        (String::new(), kind.name.clone())
    } else {
        (kind.name.clone(), String::new())
    };
    let words = match due.says {
        Says::Nothing => None,
        Says::Question => Some(question(number)),
        Says::Vague => Some(VAGUE),
        Says::Hurt => Some(HURT),
    };
    let arrival = Arrival {
        key: id.clone(),
        channel: surgeline::pb::v1::Channel::from(kind.channel).into(),
        queue,
        entry_point,
        attributes: vec![Attribute { name: "load".into(), value }],
        // A caller has said nothing yet.
        person: words.filter(|_| !kind.channel.is_voice()).map(saying),
        ..Arrival::default()
    };
    let report = GatewayReport { report: Some(Report::Arrived(arrival)) };
    GatewayServiceConnectRequest { request_id: id, message: Some(Message::Report(report)) }
}

/// What the id of an arrival says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ArrivalId {
    pub(crate) number: usize,
    pub(crate) due_us: u64,
    pub(crate) kind: usize,
}

/// Reads the id of an arrival; none of any other request.
pub(crate) fn read_id(id: &str) -> Option<ArrivalId> {
    let mut parts = id.rsplit('-');
    let kind = parts.next()?.parse().ok()?;
    let due_us = parts.next()?.parse().ok()?;
    let number = parts.next()?.parse().ok()?;
    Some(ArrivalId { number, due_us, kind })
}

/// Reads what an arrival's attribute says: when it was due, and how long it takes.
pub(crate) fn read_attribute(attributes: &[Attribute]) -> Option<(u64, Duration)> {
    let mut numbers = attributes.first()?.value.split(' ').filter_map(|word| word.parse().ok());
    let due_us = numbers.next()?;
    Some((due_us, Duration::from_micros(numbers.next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_tells_again_what_it_was() {
        let scenario =
            crate::scenario::Scenario::parse(include_str!("../tests/quick.toml")).unwrap();
        let due =
            Due { at_us: 1_234, kind: 1, handle_us: 20_000, patience_us: None, says: Says::Hurt };
        let arrived = |kind: usize, recalled| {
            let request = arrival("19af", 7, &due, &scenario.mix[kind], recalled);
            let id = read_id(&request.request_id);
            assert_eq!(id, Some(ArrivalId { number: 7, due_us: 1_234, kind: 1 }));
            match request.message {
                Some(Message::Report(GatewayReport { report: Some(Report::Arrived(a)) })) => a,
                other => panic!("no arrival: {other:?}"),
            }
        };
        assert_eq!(read_id("19af-c12"), None);
        let call = arrived(1, false);
        let read = read_attribute(&call.attributes);
        assert_eq!(read, Some((1_234, Duration::from_millis(20))));
        assert_eq!((&*call.queue, &*call.entry_point, call.person), ("call", "", None));
        let chat = arrived(0, true);
        assert_eq!((&*chat.queue, &*chat.entry_point), ("", "chat"));
        assert_eq!(chat.person.map(|p| p.words).as_deref(), Some(HURT));
    }
}
