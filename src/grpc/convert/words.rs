//! The small words, value by value. A word that the engine gains must find its place here
//! before the crate compiles again.

use super::super::status::Fault;
use crate::engine::agent::{AgentState, Hold};
use crate::engine::callback::{CallbackKind, DialOutcome};
use crate::engine::contact::StateKind;
use crate::engine::day::Hands;
use crate::engine::event::Trigger;
use crate::engine::participant::Part;
use crate::engine::promise::PromiseKind;
use crate::engine::recall::{Collect, LotVerdict, Tier, TriageClass, Wish};
use crate::engine::routing::Routing;
use crate::engine::words::{
    Availability, AvailabilityBecause, Channel, ConnectFault, Consent, EndReason, LegOutcome,
    NotTaken, Party, ReleasedBecause, ServiceClass, WaitsFor,
};
use crate::pb::v1;
use crate::recall;

/// From the engine's word to the wire's.
macro_rules! to_wire {
    ($name:ident: $from:ident => $to:ident { $($word:ident),+ $(,)? }) => {
        pub(crate) const fn $name(word: $from) -> i32 {
            (match word { $($from::$word => v1::$to::$word),+ }) as i32
        }
    };
}

/// From the wire's word to the engine's; unspecified and unknown ones are refused.
macro_rules! from_wire {
    ($name:ident: $from:ident => $to:ident, $field:literal, $expected:literal
        { $($word:ident),+ $(,)? }) => {
        pub(crate) fn $name(word: i32) -> Result<$to, Fault> {
            match v1::$from::try_from(word) {
                $(Ok(v1::$from::$word) => Ok($to::$word),)+
                Ok(v1::$from::Unspecified) => Err(Fault::Missing { field: $field }),
                // Unknown, or the router's own.
                _ => Err(Fault::Invalid { field: $field, expected: $expected }),
            }
        }
    };
}

from_wire!(read_channel: Channel => Channel, "channel", "VOICE, CHAT, EMAIL or MESSAGE"
    { Voice, Chat, Email, Message });
from_wire!(read_party: Party => Party, "party", "CUSTOMER or AGENT" { Customer, Agent });
from_wire!(read_outcome: LegOutcome => LegOutcome, "outcome",
    "ANSWERED, BUSY, NO_ANSWER, REJECTED, UNREACHABLE or FAILED"
    { Answered, Busy, NoAnswer, Rejected, Unreachable, Failed });
from_wire!(read_waits_for: WaitsFor => WaitsFor, "waits_for", "CUSTOMER or THIRD_PARTY"
    { Customer, ThirdParty });
from_wire!(read_dialled: DialOutcome => DialOutcome, "outcome",
    "ANSWERED, MACHINE, BUSY, NO_ANSWER, INVALID or CONGESTION"
    { Answered, Machine, Busy, NoAnswer, Invalid, Congestion });
from_wire!(read_promise_kind: PromiseKind => PromiseKind, "kind", "FOLLOW_UP or REPLY"
    { Callback, FollowUp, Reply });
from_wire!(read_consent: Consent => Consent, "consent", "GIVEN, REFUSED or NOT_ASKED"
    { Given, Refused, NotAsked });
from_wire!(read_part: Part => Part, "part", "LISTENS, WHISPERS or TALKS"
    { Listens, Whispers, Talks });
from_wire!(read_hands: Hands => Hands, "hands", "REQUEUE or FINISH" { Requeue, Finish });

to_wire!(channel: Channel => Channel { Voice, Chat, Email, Message });
to_wire!(service: ServiceClass => ServiceClass { Safety, Live, Async });
to_wire!(waits_for: WaitsFor => WaitsFor { Customer, ThirdParty, External, Farewell });
to_wire!(end_reason: EndReason => EndReason {
    Completed, CustomerLeft, Abandoned, CustomerUnreachable, GatewayLost, Supervisor,
    ConsultCompleted, ConsultCancelled, Solved, Informed, FollowedUp, Overflowed, QueueClosed,
    QueueFull, CallbackCancelled, HandledWith, GoneSilent,
});
to_wire!(not_taken: NotTaken => NotTaken { Declined, TimedOut, AgentGone, Withdrawn });
to_wire!(connect_fault: ConnectFault => ConnectFault {
    AgentLeg, CustomerLeg, Gateway, TimedOut, Withdrawn,
});
to_wire!(released: ReleasedBecause => ReleasedBecause {
    Transferred, Requeued, Pended, HandedOver, Moved, AgentGone, CalledBack,
});
to_wire!(because: AvailabilityBecause => AvailabilityBecause {
    Asked, Next, RingNoAnswer, Supervisor, ConnectionLost, Retired, ShiftOver,
});
to_wire!(state: StateKind => ContactState {
    Queued, Reserved, Connecting, Assigned, Pending, SelfService, CallbackDue, Closed,
});
to_wire!(callback_kind: CallbackKind => CallbackKind { Place, Scheduled, Lost, FollowUp });
to_wire!(promise_kind: PromiseKind => PromiseKind { Callback, FollowUp, Reply });
to_wire!(agent_state: AgentState => AgentState {
    SignedOut, Lost, NotReady, Ready, Reserved, Busy, WrapUp,
});
to_wire!(trigger: Trigger => Trigger { Contact, Agent, Named, AsyncShare });
to_wire!(tier: Tier => Tier { Faq, Ivr, Callback, Partner });
to_wire!(part: Part => Part { Listens, Whispers, Talks });

/// What a gateway collects on a keypad.
pub(crate) const fn collect(collect: Collect) -> i32 {
    (match collect {
        Collect::None => v1::gateway_directive::Collect::Unspecified,
        Collect::Key => v1::gateway_directive::Collect::Key,
        Collect::Lot => v1::gateway_directive::Collect::Lot,
    }) as i32
}

/// What a customer wants, if that was said plainly.
pub(crate) fn read_wish(word: i32) -> Result<Option<Wish>, Fault> {
    match v1::Wish::try_from(word) {
        Ok(v1::Wish::Unspecified) => Ok(None),
        Ok(v1::Wish::Solved) => Ok(Some(Wish::Solved)),
        Ok(v1::Wish::Person) => Ok(Some(Wish::Person)),
        Err(_) => Err(Fault::Invalid { field: "wish", expected: "SOLVED, PERSON or nothing" }),
    }
}

/// What a text is, as the engine counts it.
pub(crate) const fn triage(class: recall::Class) -> Option<TriageClass> {
    match class {
        recall::Class::Safety => Some(TriageClass::Safety),
        recall::Class::RecallAffected => Some(TriageClass::Affected),
        recall::Class::PersonWanted => Some(TriageClass::PersonWanted),
        recall::Class::None => None,
    }
}

/// What the affected-or-not check says, without which lot.
pub(crate) const fn lot(verdict: &recall::LotVerdict) -> LotVerdict {
    match verdict {
        recall::LotVerdict::Affected { .. } => LotVerdict::Affected,
        recall::LotVerdict::NotAffected => LotVerdict::NotAffected,
        recall::LotVerdict::CannotTell => LotVerdict::CannotTell,
    }
}

/// What a contact in an agent's hands is to them.
pub(crate) const fn hold(hold: Hold) -> i32 {
    (match hold {
        Hold::Reserved => v1::WorkHold::Reserved,
        Hold::Connecting => v1::WorkHold::Connecting,
        Hold::Assigned => v1::WorkHold::Assigned,
        Hold::WrapUp { .. } => v1::WorkHold::WrapUp,
    }) as i32
}

/// What an agent is available for, with the reason by name.
pub(crate) fn availability(routing: &Routing, now: Availability) -> v1::Availability {
    let (kind, reason) = match now {
        Availability::Ready => (v1::AvailabilityKind::Ready, ""),
        Availability::NotReady(id) => (v1::AvailabilityKind::NotReady, routing.reason_name(id)),
        Availability::SignedOut => (v1::AvailabilityKind::SignedOut, ""),
    };
    v1::Availability { kind: kind.into(), reason: reason.to_owned() }
}
