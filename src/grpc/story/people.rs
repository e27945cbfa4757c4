//! What happened to a contact beside its way: who came onto it and left, longer work after
//! it, orders about many.

use crate::engine::bulk::{BulkStep, Skipped};
use crate::engine::event::{BulkNews, Event, ParticipantNews, WrapUpExtended};
use crate::engine::participant::{OffBecause, Part, ParticipantStep, Who};
use crate::engine::routing::Routing;

/// Tells one of these events; none of others.
pub(super) fn event(names: &Routing, event: &Event) -> Option<(&'static str, String)> {
    Some(match event {
        Event::WrapUpExtended(WrapUpExtended { agent, .. }) => (
            "wrap_up_extended",
            format!("{} has longer for the work after it", names.agent_name(*agent)),
        ),
        Event::Participant(ParticipantNews { participant, step, .. }) => {
            ("participant", took_part(names, *participant, step))
        }
        Event::Bulk(BulkNews { order, step }) => match step {
            BulkStep::Acts(_) => ("bulk_acts", format!("by order {order} about many contacts")),
            BulkStep::Skips(_, why) => {
                ("bulk_skips", format!("order {order} left it as it is: {}", skipped(*why)))
            }
            BulkStep::Began { .. } | BulkStep::Over { .. } => return None,
        },
        _ => return None,
    })
}

/// What a gateway is asked to do about somebody on a contact.
pub(super) fn join(participant: u16, part: Part) -> String {
    format!("bring participant {participant} onto it, who {}", takes(part))
}

fn took_part(names: &Routing, participant: u16, step: &ParticipantStep) -> String {
    match step {
        ParticipantStep::Asked { who, part, .. } => {
            let who = match who {
                Who::Supervisor(name) => format!("supervisor {name}"),
                Who::Outside(name) => name.to_string(),
                Who::Colleague { agent, .. } => names.agent_name(*agent).to_owned(),
            };
            format!("{who} is brought onto it as participant {participant}, who {}", takes(*part))
        }
        ParticipantStep::On(part) => {
            format!("participant {participant} is on it, and {}", takes(*part))
        }
        ParticipantStep::Off(because) => {
            let why = match because {
                OffBecause::Asked => "taken off".to_owned(),
                OffBecause::Failed(code) => format!("the gateway could not ({code})"),
                OffBecause::Left => "left".to_owned(),
                OffBecause::ContactOver => "nobody has the contact any more".to_owned(),
                OffBecause::Owner => "the contact is theirs now".to_owned(),
            };
            format!("participant {participant} is not on it: {why}")
        }
    }
}

const fn takes(part: Part) -> &'static str {
    match part {
        Part::Listens => "listens",
        Part::Whispers => "whispers to the agent",
        Part::Talks => "talks with all",
    }
}

const fn skipped(why: Skipped) -> &'static str {
    match why {
        Skipped::Gone => "it was over",
        Skipped::NoMatch => "it no longer matched",
        Skipped::Refused => "it could not be done",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ContactId, OrderId};

    #[test]
    fn who_came_onto_a_contact_and_why_they_left_is_told() {
        let names = Routing::default();
        let told = |step| {
            let (contact, participant) = (ContactId(1), 2);
            event(&names, &Event::Participant(ParticipantNews { contact, participant, step }))
                .expect("told")
                .1
        };
        let who = Who::Supervisor("sue".into());
        let asked = told(ParticipantStep::Asked { who, part: Part::Whispers, told: true });
        assert_eq!(
            asked,
            "supervisor sue is brought onto it as participant 2, who whispers to the agent"
        );
        let failed = told(ParticipantStep::Off(OffBecause::Failed(486)));
        assert_eq!(failed, "participant 2 is not on it: the gateway could not (486)");
        let step = BulkStep::Skips(ContactId(1), Skipped::NoMatch);
        let skips =
            event(&names, &Event::Bulk(BulkNews { order: OrderId(7), step })).expect("told");
        assert_eq!(skips, ("bulk_skips", "order 7 left it as it is: it no longer matched".into()));
    }
}
