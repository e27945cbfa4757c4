//! The small words, and the envelope's own parts.

use std::sync::Arc;

use super::field::{Field, Record, record, words};
use super::{CodecError, pb};
use crate::engine::command::GatewayLimits;
use crate::engine::entry::{Actor, Role, Sealed};
use crate::engine::event::{EffectKind, Released, Rule, Settled, Trigger};
use crate::engine::words::{
    Attributes, Availability, AvailabilityBecause, Channel, ConnectFault, Consent, EndReason,
    Excluded, LegOutcome, Named, Need, NotTaken, Party, QueuedBecause, ReleasedBecause,
    ServiceClass, WaitsFor,
};
use crate::ids::{AgentId, RequestId, ReservationId};

words!(Role => Role { Router, Gateway, Agent, Supervisor, OnCall, Admin, Viewer });
words!(Channel => Channel { Voice, Chat, Email, Message });
words!(ServiceClass => ServiceClass { Safety, Live, Async });
words!(Party => Party { Customer, Agent });
words!(LegOutcome => LegOutcome { Answered, Busy, NoAnswer, Rejected, Unreachable, Failed });
words!(WaitsFor => WaitsFor { Customer, ThirdParty, External, Farewell });
words!(EndReason => EndReason {
    Completed, CustomerLeft, Abandoned, CustomerUnreachable, GatewayLost, Supervisor,
    ConsultCompleted, ConsultCancelled, Solved, Informed, FollowedUp,
    Overflowed, QueueClosed, QueueFull,
    CallbackCancelled, HandledWith, GoneSilent,
});
words!(NotTaken => NotTakenHow { Declined, TimedOut, AgentGone, Withdrawn });
words!(ConnectFault => ConnectFault { AgentLeg, CustomerLeg, Gateway, TimedOut, Withdrawn });
words!(QueuedBecause => QueuedBecause {
    Arrived, Requeued, Transferred, Moved, Woken, Consult, AgentGone, FollowUp, Safety,
    Overflowed, NotForwarded,
    Promised,
});
words!(ReleasedBecause => ReleasedBecause {
    Transferred, Requeued, Pended, HandedOver, Moved, AgentGone, CalledBack,
});
words!(AvailabilityBecause => AvailabilityBecause {
    Asked, Next, RingNoAnswer, Supervisor, ConnectionLost, Retired, ShiftOver,
});
words!(Consent => Consent { Given, Refused, NotAsked });
words!(Trigger => Trigger { Contact, Agent, Named, AsyncShare });
words!(Rule => Rule {
    Kept, Sticky, LongestIdle, LeastLoaded, MostProficient, LeastProficient, Random, TargetBroken,
    QueueShare, LongestWait, OldestPlace, HoldingCost, PartOfTarget, Sharing,
});

record!(Actor => Actor { role, name });
record!(RequestId => RequestId { id, content });
record!(Sealed => Sealed { customer, key; bytes = ciphertext });
record!(Need => Need { skill, at_least });
record!(GatewayLimits => GatewayLimits { sessions, ivr_ports, calls_per_second, says, offers });
record!(Named => Named { agent; until = until_us });
record!(Excluded => Excluded { agent; until = until_us });
record!(Released => Released { agent, because; wrap_up = wrap_up_us });

impl Record for Attributes {
    type Pb = pb::Attributes;

    fn put(&self) -> pb::Attributes {
        let item = |(name, value): &(Box<str>, Box<str>)| pb::Attribute {
            name: name.to_string(),
            value: value.to_string(),
        };
        pb::Attributes { items: self.iter().map(item).collect() }
    }

    fn take(pb: pb::Attributes) -> Result<Self, CodecError> {
        let item = |a: pb::Attribute| (a.name.into_boxed_str(), a.value.into_boxed_str());
        Ok(pb.items.into_iter().map(item).collect::<Arc<[_]>>())
    }
}

impl Record for Availability {
    type Pb = pb::Availability;

    fn put(&self) -> pb::Availability {
        let (kind, reason) = match self {
            Self::Ready => (pb::AvailabilityKind::Ready, None),
            Self::NotReady(reason) => (pb::AvailabilityKind::NotReady, Some(*reason)),
            Self::SignedOut => (pb::AvailabilityKind::SignedOut, None),
        };
        pb::Availability { kind: kind.into(), reason: Field::put(&reason) }
    }

    fn take(pb: pb::Availability) -> Result<Self, CodecError> {
        const KIND: &str = "Availability.kind";
        const REASON: &str = "Availability.reason";
        match pb::AvailabilityKind::try_from(pb.kind) {
            Ok(pb::AvailabilityKind::Ready) => Ok(Self::Ready),
            Ok(pb::AvailabilityKind::NotReady) => {
                let reason = pb.reason.ok_or(CodecError::Missing { field: REASON })?;
                Field::take(reason, REASON).map(Self::NotReady)
            }
            Ok(pb::AvailabilityKind::SignedOut) => Ok(Self::SignedOut),
            Ok(pb::AvailabilityKind::Unspecified) => Err(CodecError::Missing { field: KIND }),
            Err(_) => Err(CodecError::UnknownWord { field: KIND, value: pb.kind }),
        }
    }
}

impl Record for Settled {
    type Pb = pb::Settlement;

    fn put(&self) -> pb::Settlement {
        let (how, code) = match self {
            Self::Done => (pb::SettledHow::Done, None),
            Self::Failed(code) => (pb::SettledHow::Failed, Some(u32::from(*code))),
            Self::Withdrawn => (pb::SettledHow::Withdrawn, None),
        };
        pb::Settlement { how: how.into(), code }
    }

    fn take(pb: pb::Settlement) -> Result<Self, CodecError> {
        const HOW: &str = "Settlement.how";
        const CODE: &str = "Settlement.code";
        match pb::SettledHow::try_from(pb.how) {
            Ok(pb::SettledHow::Done) => Ok(Self::Done),
            Ok(pb::SettledHow::Failed) => {
                let code = pb.code.ok_or(CodecError::Missing { field: CODE })?;
                Field::take(code, CODE).map(Self::Failed)
            }
            Ok(pb::SettledHow::Withdrawn) => Ok(Self::Withdrawn),
            Ok(pb::SettledHow::Unspecified) => Err(CodecError::Missing { field: HOW }),
            Err(_) => Err(CodecError::UnknownWord { field: HOW, value: pb.how }),
        }
    }
}

impl Record for EffectKind {
    type Pb = pb::Effect;

    fn put(&self) -> pb::Effect {
        use pb::effect::Kind;
        let kind = match *self {
            Self::Connect { reservation, agent } => {
                Kind::Connect(pb::ConnectEffect { reservation: reservation.0, agent: agent.0 })
            }
            Self::HandOver { to } => Kind::HandOver(pb::HandOverEffect { to: to.0 }),
            Self::Say(say) => Kind::Say(Record::put(&say)),
            Self::Announce(announce) => Kind::Announce(Record::put(&announce)),
            Self::Forward { to } => Kind::Forward(pb::ForwardEffect { to: Field::put(&to) }),
            Self::Outside(recall) => {
                Kind::Outside(pb::OutsideEffect { recall: Field::put(&recall) })
            }
            Self::Dial { reservation, agent, mode } => Kind::Dial(pb::DialEffect {
                reservation: reservation.0,
                agent: agent.0,
                mode: mode.put(),
            }),
            Self::OfferCallback(offer) => Kind::OfferCallback(Record::put(&offer)),
            Self::AskPresence(language) => {
                Kind::AskPresence(pb::AskPresence { language: Field::put(&language) })
            }
            Self::Join { participant, part } => Kind::Join(pb::JoinEffect {
                participant: participant.into(),
                part: Field::put(&part),
            }),
        };
        pb::Effect { kind: Some(kind) }
    }

    fn take(pb: pb::Effect) -> Result<Self, CodecError> {
        use pb::effect::Kind;
        match pb.kind {
            Some(Kind::Connect(e)) => Ok(Self::Connect {
                reservation: ReservationId(e.reservation),
                agent: AgentId(e.agent),
            }),
            Some(Kind::HandOver(e)) => Ok(Self::HandOver { to: AgentId(e.to) }),
            Some(Kind::Say(say)) => Record::take(say).map(Self::Say),
            Some(Kind::Announce(announce)) => Record::take(announce).map(Self::Announce),
            Some(Kind::Forward(e)) => {
                Ok(Self::Forward { to: Field::take(e.to, "ForwardEffect.to")? })
            }
            Some(Kind::Outside(e)) => {
                Field::take(e.recall, "OutsideEffect.recall").map(Self::Outside)
            }
            Some(Kind::Dial(e)) => Ok(Self::Dial {
                reservation: ReservationId(e.reservation),
                agent: AgentId(e.agent),
                mode: Field::take(e.mode, "DialEffect.mode")?,
            }),
            Some(Kind::OfferCallback(offer)) => Record::take(offer).map(Self::OfferCallback),
            Some(Kind::AskPresence(ask)) => {
                Field::take(ask.language, "AskPresence.language").map(Self::AskPresence)
            }
            Some(Kind::Join(e)) => Ok(Self::Join {
                participant: Field::take(e.participant, "JoinEffect.participant")?,
                part: Field::take(e.part, "JoinEffect.part")?,
            }),
            None => Err(CodecError::Missing { field: "Effect.kind" }),
        }
    }
}
