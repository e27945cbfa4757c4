//! Why the engine says no: a value with a reason, and no event.

use std::fmt;

use thiserror::Error;

use super::routing::Name;
use super::words::Channel;
use crate::ids::{
    AgentId, ContactId, EffectId, OrderId, PromiseId, RecallId, RecoveryId, ReservationId,
};
use crate::time::Span;

/// Why a command was refused. Nothing changed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// No open contact has this id.
    #[error("contact {0} is not open here")]
    NoSuchContact(ContactId),
    /// The contact belongs to somebody else.
    #[error("contact {0} is not yours")]
    NotYourContact(ContactId),
    /// The contact is in another state than the command needs.
    #[error("contact {contact} is {is}, expected {expected}")]
    WrongState {
        /// Which.
        contact: ContactId,
        /// What it is.
        is: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// No reservation with this id is open: it was answered, timed out or was withdrawn.
    #[error("reservation {0} is not open: it was answered, timed out or was withdrawn")]
    ReservationOver(ReservationId),
    /// The reservation is for somebody else.
    #[error("reservation {0} is not yours")]
    NotYourReservation(ReservationId),
    /// No effect with this id is pending.
    #[error("effect {0} is not pending: it was reported before or no longer matters")]
    NoSuchEffect(EffectId),
    /// The effect was asked of another gateway.
    #[error("effect {0} was not asked of you")]
    NotYourEffect(EffectId),
    /// The gateway's key is in use for another contact.
    #[error("key {key:?} is in use for contact {contact}, reported with other content")]
    KeyConflict {
        /// The key.
        key: Box<str>,
        /// The contact that has it.
        contact: ContactId,
    },
    /// The request id came before with another command.
    #[error("this request id was used before with other content")]
    RequestConflict,
    /// The queue does not exist or takes no more contacts.
    #[error("queue {0:?} takes no contacts")]
    NoSuchQueue(Name),
    /// The queue does not take this channel.
    #[error("queue {queue:?} does not take {channel}")]
    ChannelNotTaken {
        /// The queue.
        queue: Name,
        /// The channel.
        channel: Channel,
    },
    /// A call can be joined only by a gateway that hears us.
    #[error("a call needs a gateway with an open stream")]
    NeedsStream,
    /// The agent does not exist or is retired.
    #[error("agent {0} is not in the configuration")]
    NoSuchAgent(AgentId),
    /// The agent has no stream.
    #[error("agent {0:?} is not connected: open a stream first")]
    AgentNotConnected(Name),
    /// A newer session of the same name is in force.
    #[error("a newer session of {0:?} is in force")]
    StaleSession(Name),
    /// The agent still has contacts.
    #[error("agent {0:?} still has contacts: complete or transfer them, or set what comes next")]
    HandsFull(Name),
    /// The agent has no wrap-up after this contact.
    #[error("no wrap-up after contact {0} is open")]
    NoWrapUp(ContactId),
    /// The contact has no consult.
    #[error("contact {0} has no consult that is joined")]
    NoConsult(ContactId),
    /// The contact has a consult already, or is one.
    #[error("contact {0} has a consult already, or is one")]
    ConsultOpen(ContactId),
    /// The contacts are not linked.
    #[error("contact {0} is not linked with the one in hand: complete it by itself")]
    NotLinked(ContactId),
    /// It makes no sense to send a contact to the one who has it.
    #[error("agent {0:?} has this contact already")]
    SameAgent(Name),
    /// A value is out of its range.
    #[error("{field} must be {expected}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its range.
        expected: &'static str,
    },
    /// A configuration would break a table.
    #[error("the configuration's {0} do not agree with the ones in force")]
    BadConfiguration(&'static str),
    /// No recall with this id is in force.
    #[error("recall {0} is not in force")]
    NoSuchRecall(RecallId),
    /// An entry point is in the scope of a recall already.
    #[error(
        "entry point {entry_point:?} is in the scope of recall {recall} already: change that one's \
         level, or end it first"
    )]
    ScopeTaken {
        /// Which entry point.
        entry_point: Name,
        /// Whose scope it is in.
        recall: RecallId,
    },
    /// Nobody is there for safety contacts.
    #[error(
        "none of the agents kept for the safety lane is signed in, with what its queue needs, and \
         there is no external number: sign one in, or accept an empty safety lane \
         (--accept-empty-safety-lane)"
    )]
    EmptySafetyLane,
    /// Somebody amended the recall since it was looked at.
    #[error("recall {0} was amended meanwhile: look at what is in force now, then ask again")]
    AmendedMeanwhile(RecallId),
    /// The recall is at this level already.
    #[error("recall {recall} is at level {level} already: there is nothing to change")]
    SameLevel {
        /// Which.
        recall: RecallId,
        /// The level.
        level: &'static str,
    },
    /// There is no number at which the customer can be called.
    #[error("contact {0} has no confirmed number: confirm one with the customer, then ask again")]
    NoNumber(ContactId),
    /// The number does not exist.
    #[error("the number of contact {0} does not exist: confirm another one first")]
    InvalidNumber(ContactId),
    /// The queue makes no callbacks.
    #[error("queue {0:?} makes no callbacks: give it a [queues.callback] section")]
    NoCallbacks(Name),
    /// Nobody knows how many calls the staff can serve.
    #[error(
        "no time can be promised: how fast queue {0:?} serves is not known yet. Ask without a \
         window, or set callback.per_hour for it"
    )]
    NoRate(Name),
    /// Callbacks promised for the window take all that may be promised.
    #[error(
        "what the staff of queue {queue:?} can serve in that window is promised already: {}",
        match next {
            Some(_) => "the next window that has room comes with this",
            None => "no other window in the next 14 days has room either",
        }
    )]
    NoRoom {
        /// Which queue.
        queue: Name,
        /// How long from now until the next window that has room begins; none: there is none.
        next: Option<Span>,
    },
    /// No promise with this id is open.
    #[error("promise {0} is not open: it was kept or broken, or never made")]
    NoSuchPromise(PromiseId),
    /// No recovery with this id is open.
    #[error("recovery {0} is not open: it was done, or never opened")]
    NoSuchRecovery(RecoveryId),
    /// The recovery is led by somebody else.
    #[error("recovery {0} is not yours")]
    NotYourRecovery(RecoveryId),
    /// The remedy is beyond the owner's authority.
    #[error(
        "the remedy of recovery {0} is beyond its owner's authority: a supervisor approves it first"
    )]
    NeedsApproval(RecoveryId),
    /// As many of the pool as may be are not ready for this reason.
    #[error(
        "{most} of this pool may be not ready for {reason:?} at once, and already {who} chose it; \
         one is expected back {back}: ask again then, or take another reason"
    )]
    ReasonFull {
        /// The reason.
        reason: Name,
        /// How many may be on it.
        most: u32,
        /// Who is on it, by name, at most five.
        who: Box<str>,
        /// When the first of them is expected back.
        back: Back,
    },
    /// The agent is being signed out.
    #[error("agent {0:?} is being signed out: a supervisor can take that back")]
    SigningOut(Name),
    /// Others are on the contact who would be cut off.
    #[error(
        "others are on contact {0}: hand it to the second agent (complete the consult), or take \
         them off first"
    )]
    OthersThere(ContactId),
    /// Nobody of this number is on the contact.
    #[error("participant {participant} is not on contact {contact}")]
    NoSuchParticipant {
        /// The contact.
        contact: ContactId,
        /// Who.
        participant: u16,
    },
    /// This supervisor is not on the contact.
    #[error("supervisor {listener:?} is not on contact {contact}")]
    NotListening {
        /// The contact.
        contact: ContactId,
        /// Who.
        listener: Name,
    },
    /// No order about many contacts with this id is being carried out.
    #[error("order {0} is not being carried out: it is over, or there never was one")]
    NoSuchOrder(OrderId),
    /// A limit was reached; try later.
    #[error("{what} limit of {most} reached")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        most: u64,
    },
}

/// When somebody is expected back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Back(pub Option<Span>);

impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Span(0)) => f.write_str("already"),
            Some(Span(micros)) => write!(f, "in {} s", micros.div_ceil(1_000_000)),
            None => f.write_str("at a time that nobody has said"),
        }
    }
}

/// What a refusal means for the one who asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefusalKind {
    /// What was named does not exist (any more).
    NotFound,
    /// It belongs to somebody else.
    NotYours,
    /// It came too early, too late or twice.
    WrongState,
    /// It was said before with other content.
    Conflict,
    /// A value is not allowed.
    Invalid,
    /// There is no room now; it may be tried again.
    Exhausted,
}

impl Refusal {
    /// What it means for the one who asked.
    #[must_use]
    pub const fn kind(&self) -> RefusalKind {
        match self {
            Self::NoSuchContact(_)
            | Self::NoSuchEffect(_)
            | Self::NoSuchQueue(_)
            | Self::NoSuchAgent(_)
            | Self::NoSuchParticipant { .. }
            | Self::NotListening { .. }
            | Self::NoSuchOrder(_)
            | Self::NoSuchRecall(_)
            | Self::NoSuchPromise(_)
            | Self::NoSuchRecovery(_) => RefusalKind::NotFound,
            Self::NotYourContact(_)
            | Self::NotYourReservation(_)
            | Self::NotYourEffect(_)
            | Self::NotYourRecovery(_) => RefusalKind::NotYours,
            Self::WrongState { .. }
            | Self::ReservationOver(_)
            | Self::NeedsStream
            | Self::AgentNotConnected(_)
            | Self::StaleSession(_)
            | Self::HandsFull(_)
            | Self::NoWrapUp(_)
            | Self::NoConsult(_)
            | Self::ConsultOpen(_)
            | Self::NotLinked(_)
            | Self::SigningOut(_)
            | Self::OthersThere(_)
            | Self::EmptySafetyLane
            | Self::AmendedMeanwhile(_)
            | Self::SameLevel { .. }
            | Self::NoNumber(_)
            | Self::InvalidNumber(_)
            | Self::NoCallbacks(_)
            | Self::NoRate(_)
            | Self::NeedsApproval(_)
            | Self::ScopeTaken { .. } => RefusalKind::WrongState,
            Self::KeyConflict { .. } | Self::RequestConflict => RefusalKind::Conflict,
            Self::ChannelNotTaken { .. }
            | Self::SameAgent(_)
            | Self::OutOfRange { .. }
            | Self::BadConfiguration(_) => RefusalKind::Invalid,
            Self::Limit { .. } | Self::NoRoom { .. } | Self::ReasonFull { .. } => {
                RefusalKind::Exhausted
            }
        }
    }

    /// The field of the request that the refusal is about.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoSuchContact(_)
            | Self::NotYourContact(_)
            | Self::WrongState { .. }
            | Self::NoWrapUp(_)
            | Self::NoConsult(_)
            | Self::OthersThere(_)
            | Self::ConsultOpen(_) => "contact_id",
            Self::NotLinked(_) => "linked_contact_ids",
            Self::ReservationOver(_) | Self::NotYourReservation(_) => "reservation_id",
            Self::NoSuchEffect(_) | Self::NotYourEffect(_) => "effect_id",
            Self::KeyConflict { .. } => "key",
            Self::RequestConflict => "request_id",
            Self::NoSuchQueue(_) | Self::NoCallbacks(_) => "queue",
            Self::NoNumber(_) | Self::InvalidNumber(_) => "number_confirmed",
            Self::NoRate(_) | Self::NoRoom { .. } => "window",
            Self::NoSuchPromise(_) => "promise_id",
            Self::NoSuchRecovery(_) | Self::NotYourRecovery(_) => "recovery_id",
            Self::NeedsApproval(_) => "remedy",
            Self::ChannelNotTaken { .. } | Self::NeedsStream => "channel",
            Self::NoSuchAgent(_)
            | Self::AgentNotConnected(_)
            | Self::StaleSession(_)
            | Self::HandsFull(_)
            | Self::SigningOut(_)
            | Self::SameAgent(_) => "agent",
            Self::ReasonFull { .. } => "reason",
            Self::NoSuchParticipant { .. } => "participant",
            Self::NotListening { .. } => "listener",
            Self::NoSuchOrder(_) => "order_id",
            Self::NoSuchRecall(_) => "recall_id",
            Self::SameLevel { .. } => "level",
            Self::ScopeTaken { .. } => "scope.entry_points",
            Self::EmptySafetyLane => "accept_empty_safety_lane",
            Self::AmendedMeanwhile(_) => "from_hash",
            Self::OutOfRange { field, .. } => field,
            Self::BadConfiguration(what) => what,
            Self::Limit { what, .. } => what,
        }
    }
}
