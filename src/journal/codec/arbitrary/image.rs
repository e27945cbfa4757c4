//! Any snapshot: values that need not fit together, which is the engine's business.

use super::{Any, Source};
use crate::engine::agent::{Agent, Hold, Presence, Work};
use crate::engine::care::{Care, Held, Silence};
use crate::engine::command::Reply;
use crate::engine::contact::{Contact, Link, State, StateKind};
use crate::engine::gateway::{Gateway, Sweep};
use crate::engine::image::{
    Arrivals, Counts, Image, KeptPlace, LastAgent, LastOfThread, Measure, Rates, Remembered, Taken,
};
use crate::engine::recall::{Machine, Recall, ReturnedBecause, Tier, TierCounts};
use crate::journal::Tip;
use crate::journal::snapshot::seen::{
    Brought, Counted, HowSaid, Known, RecallStatistics, Seen, Stands, Tallied, TextKind, Timeline,
    TimelineItem, Track, TrackMachine, Waited,
};
use crate::journal::snapshot::{Passed, Snapshot};
use smallvec::SmallVec;
use std::collections::VecDeque;

alternatives! {
    Presence { Connected { 0 } Lost { until } Absent {} }
    Hold { Reserved {} Connecting {} Assigned {} WrapUp { since, until } }
    Sweep { None {} Detach {} CloseLost { 0 } }
    Link { Unary {} Attached { 0 } Detached {} }
    Silence { None {} Fell {} Asked { agent, until } Gone {} }
    State {
        Queued {}
        Reserved { reservation, agent, deadline }
        Connecting { reservation, agent, deadline }
        Assigned { reservation, agent, since }
        Pending { on, until, agent }
        SelfService { 0 }
        CallbackDue {}
        New {}
    }
    Counted {
        Offered { 0 } Answered { 0 } Abandoned { 0 } Accepted { 0 } NotTaken { 0 }
        ConnectFailed { 0 } Closed { 0 } Feedback { 0, 1 } Triaged { 0 } Returned { 0 } Said { 0, 1 }
        BouncedTwice {} PlaceLost {} SafetyDiverted {} DoubleReservation {}
    }
}
pick! {
    TextKind {
        Acknowledgement, Message, Faq, Greeting, Injury, Lot, Affected, NotAffected, CannotTell,
        Option, Person, Goodbye,
    }
    HowSaid { Done, Failed, Withdrawn }
}
structs! {
    Agent {
        id, presence, availability, next, phone_unreachable, missed, idle_since, since, work,
        over_at, overstayed, leaving, outside,
    }
    Work { contact, queue, channel, hold }
    Gateway { name, session, limits, sweep, effects, unsaid, in_ivr, next_call }
    Recall { id, plan, level, since, control, raised, lowered, started, expires, over, tiers, breakers, partners, alarm, amends }
    Arrivals { newest, counts }
    TierCounts { in_use, entered, solved, informed, returned, followed_up, left }
    Rates { taken, work, waiting, turns }
    Measure { inside, until, times, time }
    Taken { newest, counts }
    LastAgent { at, customer, agent }
    KeptPlace { until, customer, queue, contact, origin }
    LastOfThread { until, contact, agent }
    Care { ahead, matter, held, silent_after, heard, silence }
    Held { until, with }
    Remembered { request, reply }
    Machine { bounced, injury_asked, follow_up, refused, offered }
    Contact {
        id, gateway, link, key, content, channel, entry_point, customer, continues, attributes,
        arrived, waited_before, state, queue, service, needs, preferred, own_needs, own_preferred,
        head_start, place, queued, answered, named, passed_over, parent, consult, on_hold, effects, language,
        triage, machine, heard, stage, course, callable, owed, callback, care, participants, partner,
    }
    Image {
        routing, agents, gateways, recalls, bulks, shared, pace, inflow, hours, last_agents, kept_places, threads, counts,
        contacts, free, remembered,
        state_hash, hash_version, promises, recoveries, owed,
    }
    Tallied { what, times, sum }
    Waited { queue, service, in_target, bucket }
    Brought { by, why, wall }
    Track {
        arrived, waited_before, queue, service, waits, consult, answered, held, reserved, machine,
        callback,
    }
    TrackMachine { was_there, safety, left_at, stands, ticket, saying }
    Stands { place, anywhere }
    Known { customer, arrived, said, recall, lots }
    Timeline { items, forgotten }
    TimelineItem { sequence, at, wall, actor, event, sealed, became_ready }
    Seen { tallies, recalls, tracks, people, timelines }
    Tip { epoch, sequence, hash }
    Passed { sequence, at }
    Snapshot { tip, wall, at, passed, engine, seen }
}

impl Any for Reply {
    fn any(from: &mut Source) -> Self {
        match from.below(9) {
            5 => Self::Promised { promise: Any::any(from), due: Any::any(from) },
            6 => Self::Recovery(Any::any(from)),
            7 => Self::Order(Any::any(from)),
            0 => Self::Done,
            1 => Self::Contact(Any::any(from)),
            2 => Self::Gateway { gateway: Any::any(from), session: Any::any(from) },
            3 => Self::Agent(Any::any(from)),
            4 => Self::Recall(Any::any(from)),
            _ => Self::Unknown(Any::any(from)),
        }
    }
}

impl Any for Counts {
    fn any(from: &mut Source) -> Self {
        let mut by_state = [0; 8];
        by_state[StateKind::Closed.index()] = Any::any(from);
        Self {
            accepted: Any::any(from),
            by_state,
            last_reservation: Any::any(from),
            last_effect: Any::any(from),
            last_session: Any::any(from),
            last_ask: Any::any(from),
            last_recall: Any::any(from),
            async_owed: Any::any(from),
            paused: Any::any(from),
            last_order: Any::any(from),
        }
    }
}

impl Any for RecallStatistics {
    fn any(from: &mut Source) -> Self {
        let mut of = Self::new(Any::any(from), Any::any(from), Any::any(from));
        (of.over, of.now, of.triaged) = (Any::any(from), Any::any(from), Any::any(from));
        of.returned[Tier::Ivr.index()][ReturnedBecause::Secret as usize] = Any::any(from);
        of.said = Any::any(from);
        of
    }
}

impl Any for i128 {
    fn any(from: &mut Source) -> Self {
        u128::any(from).cast_signed()
    }
}

impl<T: Any> Any for VecDeque<T> {
    fn any(from: &mut Source) -> Self {
        Vec::any(from).into()
    }
}

impl<A: Any, B: Any, C: Any> Any for (A, B, C) {
    fn any(from: &mut Source) -> Self {
        (A::any(from), B::any(from), C::any(from))
    }
}

impl<T: Any> Any for SmallVec<[T; 1]> {
    fn any(from: &mut Source) -> Self {
        Vec::any(from).into()
    }
}

impl<T: Any> Any for SmallVec<[T; 2]> {
    fn any(from: &mut Source) -> Self {
        Vec::any(from).into()
    }
}
