//! Who is on a contact beside its customer and its owner, as clients are told.

use super::words;
use crate::engine::participant::{Part, Participant, Who};
use crate::engine::routing::Routing;
use crate::ids::ContactId;
use crate::pb::v1::{self, participant::Who as Wire};

/// Everybody on a contact.
pub(crate) fn all(routing: &Routing, contact: ContactId, all: &[Participant]) -> v1::Participants {
    let one = |p: &Participant| v1::Participant {
        on: p.on.is_some(),
        ..join(routing, p.id, &p.who, p.part)
    };
    v1::Participants { contact_id: contact.0, all: all.iter().map(one).collect() }
}

/// One who is to be brought onto a contact.
pub(crate) fn join(routing: &Routing, id: u16, who: &Who, part: Part) -> v1::Participant {
    let who = match who {
        Who::Supervisor(name) => Wire::Supervisor(name.to_string()),
        Who::Outside(name) => Wire::Outside(name.to_string()),
        Who::Colleague { agent, .. } => Wire::Colleague(routing.agent_name(*agent).to_owned()),
    };
    v1::Participant { participant: id.into(), who: Some(who), part: words::part(part), on: false }
}
