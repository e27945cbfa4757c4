//! The domain's small words: channels, classes of service, outcomes, reasons.
//!
//! Values only; every other module of the engine and everything around it speaks them.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::ids::{AgentId, SkillId};
use crate::time::EngineTime;

/// How a customer reaches us.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Channel {
    /// A telephone call.
    Voice,
    /// A live text conversation on a site or in an app.
    Chat,
    /// A letter by electronic mail.
    Email,
    /// A message conversation (SMS, messenger), answered when convenient to both.
    Message,
}

impl Channel {
    /// All channels, in the order of [`Channel::index`].
    pub const ALL: [Self; 4] = [Self::Voice, Self::Chat, Self::Email, Self::Message];

    /// Position in a table by channel, 0 to 3.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The class of service of a contact on this channel that is not about safety.
    #[must_use]
    pub const fn service(self) -> ServiceClass {
        match self {
            Self::Voice | Self::Chat => ServiceClass::Live,
            Self::Email | Self::Message => ServiceClass::Async,
        }
    }

    /// The word for it in configuration, metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Chat => "chat",
            Self::Email => "email",
            Self::Message => "message",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Class of service, served strictly in this order, async with a guaranteed share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ServiceClass {
    /// Injury, exposure, adverse event: a person first.
    Safety,
    /// Someone is waiting at the other end now.
    Live,
    /// An answer is owed, not awaited by the minute.
    Async,
}

impl ServiceClass {
    /// All classes in the order in which they are served.
    pub const ALL: [Self; 3] = [Self::Safety, Self::Live, Self::Async];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Live => "live",
            Self::Async => "async",
        }
    }
}

/// A language that a customer uses: the primary subtag of its BCP 47 tag, where that has two
/// letters (ISO 639-1), in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Language(pub [u8; 2]);

impl Language {
    /// The language of a tag such as `de` or `pt-BR`; none if its primary subtag is not two letters.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.as_bytes();
        match primary {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_lowercase(), b.to_ascii_lowercase()]))
            }
            _ => None,
        }
    }

    /// The subtag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

/// Keys pressed on a telephone, in order: digits, `*` and `#`.
pub type Keys = Arc<str>;

/// A skill that a contact needs, at this proficiency or better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Need {
    /// The skill.
    pub skill: SkillId,
    /// Least proficiency, 1 to 5.
    pub at_least: u8,
}

/// The needs of a contact, sorted by skill, each skill once.
pub type Needs = SmallVec<[Need; 4]>;

/// What a gateway calls a contact: 1 to 64 printable bytes, unique among that gateway's
/// open contacts, and nothing personal.
pub type Key = Arc<str>;

/// Facts about a contact that routing and agents may see, none of them personal.
///
/// At most 16, names and values of at most 64 and 256 bytes.
pub type Attributes = Arc<[(Box<str>, Box<str>)]>;

/// Which end of a conversation a leg goes to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Party {
    /// The customer's leg.
    Customer,
    /// The agent's leg.
    Agent,
}

/// What became of a leg.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LegOutcome {
    /// It was picked up.
    Answered,
    /// The line was busy.
    Busy,
    /// It rang out.
    NoAnswer,
    /// It was turned away.
    Rejected,
    /// No route, or nothing registered there.
    Unreachable,
    /// Anything else; the code tells.
    Failed,
}

/// What a pending contact waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WaitsFor {
    /// The customer's next words.
    Customer,
    /// Somebody else: a warehouse, a laboratory.
    ThirdParty,
    /// A number outside the router that it is being sent to.
    External,
    /// The end of what it is told before it is closed.
    Farewell,
}

/// Why the router closed a contact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EndReason {
    /// An agent completed it.
    Completed,
    /// The customer left after having been answered.
    CustomerLeft,
    /// The customer left before being answered.
    Abandoned,
    /// The customer's leg could not be joined.
    CustomerUnreachable,
    /// The gateway came back without it.
    GatewayLost,
    /// A supervisor closed it.
    Supervisor,
    /// A consult that ended with the second agent taking over.
    ConsultCompleted,
    /// A consult that was given up, or whose parent ended.
    ConsultCancelled,
    /// The customer said that self-service solved it.
    Solved,
    /// The customer left self-service after a completed check or an answer: informed, which
    /// is not solved.
    Informed,
    /// The customer fell silent in self-service: it goes on as a linked follow-up.
    FollowedUp,
    /// A number outside the router took it.
    Overflowed,
    /// Its queue was closed, and the customer was told so.
    QueueClosed,
    /// Its queue was full, and the customer was told so.
    QueueFull,
    /// The customer no longer wants to be called back.
    CallbackCancelled,
    /// An agent did it together with another one that it was linked with.
    HandledWith,
    /// The customer of a chat did not answer when they were asked if they are still there.
    GoneSilent,
}

impl EndReason {
    /// All reasons, in the order of declaration.
    pub const ALL: [Self; 17] = [
        Self::Completed,
        Self::CustomerLeft,
        Self::Abandoned,
        Self::CustomerUnreachable,
        Self::GatewayLost,
        Self::Supervisor,
        Self::ConsultCompleted,
        Self::ConsultCancelled,
        Self::Solved,
        Self::Informed,
        Self::FollowedUp,
        Self::Overflowed,
        Self::QueueClosed,
        Self::QueueFull,
        Self::CallbackCancelled,
        Self::HandledWith,
        Self::GoneSilent,
    ];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::CustomerLeft => "customer_left",
            Self::Abandoned => "abandoned",
            Self::CustomerUnreachable => "customer_unreachable",
            Self::GatewayLost => "gateway_lost",
            Self::Supervisor => "supervisor",
            Self::ConsultCompleted => "consult_completed",
            Self::ConsultCancelled => "consult_cancelled",
            Self::Solved => "solved",
            Self::Informed => "informed",
            Self::FollowedUp => "followed_up",
            Self::Overflowed => "overflowed",
            Self::QueueClosed => "queue_closed",
            Self::QueueFull => "queue_full",
            Self::CallbackCancelled => "callback_cancelled",
            Self::HandledWith => "handled_with",
            Self::GoneSilent => "gone_silent",
        }
    }
}

/// How a reservation ended without being accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NotTaken {
    /// The agent said no.
    Declined,
    /// The agent did not answer in time (ring no answer).
    TimedOut,
    /// The agent's connection is gone or they signed out.
    AgentGone,
    /// The contact left, was moved or closed, or its gateway is gone.
    Withdrawn,
}

impl NotTaken {
    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::TimedOut => "timed_out",
            Self::AgentGone => "agent_gone",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Why legs were not joined.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConnectFault {
    /// The agent's phone: marks it unreachable, and is not the agent's refusal.
    AgentLeg,
    /// The customer's leg.
    CustomerLeg,
    /// The gateway reported that it could not do it.
    Gateway,
    /// Nobody reported in time.
    TimedOut,
    /// The contact or the agent went away meanwhile.
    Withdrawn,
}

impl ConnectFault {
    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AgentLeg => "agent_leg",
            Self::CustomerLeg => "customer_leg",
            Self::Gateway => "gateway",
            Self::TimedOut => "timed_out",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Why a contact entered a queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum QueuedBecause {
    /// It arrived.
    Arrived,
    /// An agent sent it back.
    Requeued,
    /// An agent sent it on.
    Transferred,
    /// A supervisor moved it.
    Moved,
    /// What it waited for came, or its time was up.
    Woken,
    /// It seeks a second agent for another contact.
    Consult,
    /// The agent who had it is gone.
    AgentGone,
    /// It goes on from one that fell silent in self-service.
    FollowUp,
    /// It is about safety: a recall's safety lane takes it.
    Safety,
    /// Another queue takes over from its own.
    Overflowed,
    /// The number outside that it was sent to did not take it.
    NotForwarded,
    /// It was promised, and its time has come.
    Promised,
}

/// A contact kept for one agent until a time, after which anyone eligible may have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Named {
    /// For whom.
    pub agent: AgentId,
    /// Until when; then the whole queue.
    pub until: EngineTime,
}

/// An agent who is passed over for a contact until a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Excluded {
    /// Who.
    pub agent: AgentId,
    /// Until when.
    pub until: EngineTime,
}

/// Why an agent's work on a contact ended while the contact goes on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ReleasedBecause {
    /// Sent to another queue or agent.
    Transferred,
    /// Sent back to its queue.
    Requeued,
    /// It waits for somebody.
    Pended,
    /// Another agent took it over in a consult.
    HandedOver,
    /// A supervisor took it away.
    Moved,
    /// The agent's connection did not come back, or they signed out.
    AgentGone,
    /// The customer will be called back.
    CalledBack,
}

/// What an agent is available for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Availability {
    /// May be offered contacts.
    Ready,
    /// May not; the reason is one of the configured ones.
    NotReady(crate::ids::ReasonId),
    /// Not at work.
    SignedOut,
}

/// Why an agent's availability changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AvailabilityBecause {
    /// The agent asked.
    Asked,
    /// What the agent had asked to come after the last contact.
    Next,
    /// Too many reservations in a row were not answered.
    RingNoAnswer,
    /// A supervisor said so.
    Supervisor,
    /// The connection did not come back in time.
    ConnectionLost,
    /// The configuration no longer has them.
    Retired,
    /// Their shift is over.
    ShiftOver,
}

/// Whether the customer agreed to a recording.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Consent {
    /// Yes.
    Given,
    /// No.
    Refused,
    /// Nobody asked.
    NotAsked,
}
