//! Any value of an agent's day, of those on a contact, and of orders about many contacts.

use super::{Any, Source};
use crate::engine::bulk::{Bulk, BulkAction, BulkStep, Filter, Skipped};
use crate::engine::contact::StateKind;
use crate::engine::day::{
    CountsAs, Direction, Hands, Leaving, Most, OutsideCall, OutsideEnd, OutsideStep, Reason,
    SignOutStep,
};
use crate::engine::event::{
    BulkNews, OutsideNews, ParticipantNews, ReasonOverstayed, SharedNews, SignOut, WrapUpExtended,
};
use crate::engine::participant::{
    OffBecause, Part, Participant, ParticipantStep, Participants, Who,
};
use crate::engine::sharing::{Shared, Sharing};

pick! {
    CountsAs { Break, Training, Meeting, Work }
    Hands { Requeue, Finish }
    Direction { Inbound, Outbound }
    OutsideEnd { Reported, Lost, TooLong }
    Part { Listens, Whispers, Talks }
    Skipped { Gone, NoMatch, Refused }
    StateKind { Queued, Reserved, Connecting, Assigned, Pending, SelfService, Closed, CallbackDue }
    Most { Agents(most), Share(share) }
    OffBecause { Asked, Failed(code), Left, ContactOver, Owner }
    BulkAction { Move(queue), Requeue, Reprioritise(head_start), Close }
}
alternatives! {
    SignOutStep { Ordered { at, hands, because } TakenBack {} Begun {} }
    OutsideStep { Began { direction, session, until } Kept { 0 } Ended { 0 } }
}
structs! {
    ReasonOverstayed { agent, reason }
    SignOut { agent, step }
    WrapUpExtended { agent, contact, until }
    OutsideNews { agent, gateway, key, step }
    ParticipantNews { contact, participant, step }
    BulkNews { order, step }
    SharedNews { sharing, on, helped, own }
    Shared { sharing, since }
    Sharing { name, retired, helped, own, pools, ratio, activate, release, reverse }
    Reason { name, retired, limit, most, counts_as }
    Leaving { at, hands, because, begun }
    OutsideCall { gateway, session, key, direction, since, until }
    Participant { id, who, part, on, told }
    Participants { all, last }
    Filter { queue, channel, state, older_than, head_start, skill, recall, attribute }
    Bulk {
        id, filter, action, contacts, count, next, done, since, over, cancelled, digest,
    }
}

impl Any for Who {
    fn any(from: &mut Source) -> Self {
        match from.below(3) {
            0 => Self::Supervisor(Any::any(from)),
            1 => Self::Outside(Any::any(from)),
            _ => Self::Colleague { consult: Any::any(from), agent: Any::any(from) },
        }
    }
}

impl Any for ParticipantStep {
    fn any(from: &mut Source) -> Self {
        match from.below(3) {
            0 => Self::Asked { who: Any::any(from), part: Any::any(from), told: Any::any(from) },
            1 => Self::On(Any::any(from)),
            _ => Self::Off(Any::any(from)),
        }
    }
}

impl Any for BulkStep {
    fn any(from: &mut Source) -> Self {
        match from.below(4) {
            0 => Self::Began {
                filter: Any::any(from),
                action: Any::any(from),
                contacts: Any::any(from),
            },
            1 => Self::Acts(Any::any(from)),
            2 => Self::Skips(Any::any(from), Any::any(from)),
            _ => Self::Over { cancelled: Any::any(from) },
        }
    }
}
