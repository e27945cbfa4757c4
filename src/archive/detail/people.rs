//! An agent's day, who is on a contact beside its owner, and orders about many contacts, as an
//! analyst reads them.

use super::Fields;
use crate::engine::bulk::{BulkAction, BulkStep};
use crate::engine::day::{Hands, OutsideStep, SignOutStep};
use crate::engine::event::{
    BulkNews, Event, OutsideNews, ParticipantNews, ReasonOverstayed, SharedNews, SignOut,
    WrapUpExtended,
};
use crate::engine::participant::{OffBecause, ParticipantStep, Who};
use crate::engine::routing::Routing;

/// The word for one of these events, and what it says; none of others.
pub(super) fn of(event: &Event, names: &Routing) -> Option<(&'static str, Fields)> {
    let f = Fields::new();
    let agent = |id| names.agent_name(id);
    Some(match event {
        Event::ReasonOverstayed(ReasonOverstayed { agent: a, reason }) => (
            "reason_overstayed",
            f.text("agent", agent(*a)).text("reason", names.reason_name(*reason)),
        ),
        Event::SignOut(SignOut { agent: a, step }) => {
            let f = f.text("agent", agent(*a));
            let f = match step {
                SignOutStep::Ordered { at, hands, .. } => {
                    f.text("step", "ordered").number("at_us", at.0).text("hands", name(*hands))
                }
                SignOutStep::TakenBack => f.text("step", "taken_back"),
                SignOutStep::Begun => f.text("step", "begun"),
            };
            ("sign_out", f)
        }
        Event::WrapUpExtended(WrapUpExtended { agent: a, until, .. }) => {
            ("wrap_up_extended", f.text("agent", agent(*a)).number("until_us", until.0))
        }
        Event::OutsideCall(OutsideNews { agent: a, gateway, key, step }) => {
            let f = f.text("agent", agent(*a)).number("gateway", gateway).text("key", key);
            let f = match step {
                OutsideStep::Began { direction, .. } => {
                    f.text("step", "began").text("direction", direction.name())
                }
                OutsideStep::Kept(_) => f.text("step", "kept"),
                OutsideStep::Ended(how) => f.text("step", "ended").text("how", how.name()),
            };
            ("outside_call", f)
        }
        Event::Participant(ParticipantNews { participant, step, .. }) => {
            ("participant", took_part(f.number("participant", participant), step, names))
        }
        Event::Bulk(BulkNews { order, step }) => {
            ("bulk", bulk(f.number("order", order), step, names))
        }
        Event::Shared(SharedNews { sharing, on, helped, own }) => {
            let f = f.text("sharing", names.sharing_name(*sharing));
            let f = f.text("step", if *on { "began" } else { "ended" });
            ("sharing", f.number("helped", helped).number("own", own))
        }
        _ => return None,
    })
}

fn took_part(f: Fields, step: &ParticipantStep, names: &Routing) -> Fields {
    match step {
        ParticipantStep::Asked { who, part, told } => {
            let f = f.text("step", "asked").text("part", part.name()).number("told", told);
            match who {
                Who::Supervisor(name) => f.text("supervisor", name),
                Who::Outside(name) => f.text("outside", name),
                Who::Colleague { consult, agent } => {
                    f.number("consult", consult).text("agent", names.agent_name(*agent))
                }
            }
        }
        ParticipantStep::On(part) => f.text("step", "on").text("part", part.name()),
        ParticipantStep::Off(because) => {
            let f = f.text("step", "off").text("because", because.name());
            match because {
                OffBecause::Failed(code) => f.number("code", code),
                _ => f,
            }
        }
    }
}

fn bulk(f: Fields, step: &BulkStep, names: &Routing) -> Fields {
    match step {
        BulkStep::Began { action, contacts, .. } => {
            let f = f.text("step", "began").number("contacts", contacts.len());
            match action {
                BulkAction::Move(queue) => {
                    f.text("action", "move").text("queue", names.queue_name(*queue))
                }
                BulkAction::Requeue => f.text("action", "requeue"),
                BulkAction::Reprioritise(head_start) => {
                    f.text("action", "reprioritise").number("head_start_us", head_start.0)
                }
                BulkAction::Close => f.text("action", "close"),
            }
        }
        BulkStep::Acts(_) => f.text("step", "acts"),
        BulkStep::Skips(_, why) => f.text("step", "skips").text("why", why.name()),
        BulkStep::Over { cancelled } => f.text("step", "over").number("cancelled", cancelled),
    }
}

const fn name(hands: Hands) -> &'static str {
    match hands {
        Hands::Requeue => "requeue",
        Hands::Finish => "finish",
    }
}
