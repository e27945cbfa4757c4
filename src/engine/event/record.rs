//! What the larger events hold.

use crate::engine::callback::DialMode;
use crate::engine::participant::Part;
use crate::engine::recall::{CallbackOffer, Outlook, Say};
use crate::engine::stage::Stage;
use crate::engine::words::{
    Attributes, Channel, EndReason, Excluded, Key, Language, Named, Needs, QueuedBecause,
    ReleasedBecause, ServiceClass,
};
use crate::ids::{
    AgentId, CalendarId, ContactId, CustomerId, EntryPointId, ExternalId, GatewayId, NoticeId,
    QueueId, RecallId, ReservationId, SessionId,
};
use crate::time::{EngineTime, Place, Span, WallTime};

/// A contact was accepted. It enters a queue with the next event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrived {
    /// Which.
    pub contact: ContactId,
    /// The gateway that holds it.
    pub gateway: GatewayId,
    /// The gateway's session; none when it came by a unary call from a gateway without one.
    pub session: Option<SessionId>,
    /// The gateway's name for it.
    pub key: Key,
    /// Hash of what was reported, to tell a repeat from a conflict.
    pub content: u64,
    /// How they reach us.
    pub channel: Channel,
    /// Where they came in.
    pub entry_point: Option<EntryPointId>,
    /// Who it is.
    pub customer: Option<CustomerId>,
    /// The earlier contact that this one goes on from.
    pub continues: Option<ContactId>,
    /// How long they had waited with the gateway.
    pub waited: Span,
    /// Routing facts.
    pub attributes: Option<Attributes>,
    /// What an agent must have beyond what a queue needs; it goes with the contact to any queue.
    pub own_needs: Needs,
    /// What an agent should have beyond what a queue prefers; it goes with the contact too.
    pub own_preferred: Needs,
    /// The language that they are known to use.
    pub language: Option<Language>,
}

/// A contact entered a queue; from an agent's hands if `released` says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queued {
    /// Which.
    pub contact: ContactId,
    /// Which queue.
    pub queue: QueueId,
    /// Why.
    pub because: QueuedBecause,
    /// Its class of service.
    pub service: ServiceClass,
    /// What an agent must have: the queue's needs, its own, and its language's where required.
    pub needs: Needs,
    /// What an agent should have, beyond that.
    pub preferred: Needs,
    /// Head start beyond the queue's.
    pub head_start: Span,
    /// Its place.
    pub place: Place,
    /// How far it has come in the queue.
    pub stage: Stage,
    /// Kept for one agent first.
    pub named: Option<Named>,
    /// Passed over for it.
    pub pass_over: Option<Excluded>,
    /// Who had it until now.
    pub released: Option<Released>,
}

/// An agent's part in a contact ended while the contact goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Released {
    /// Whose.
    pub agent: AgentId,
    /// Why.
    pub because: ReleasedBecause,
    /// Until when they have wrap-up.
    pub wrap_up: Option<EngineTime>,
}

/// A contact is held for one agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reserved {
    /// Which contact.
    pub contact: ContactId,
    /// The reservation that fences every answer.
    pub reservation: ReservationId,
    /// For whom.
    pub agent: AgentId,
    /// Until when.
    pub deadline: EngineTime,
    /// What brought the two together.
    pub trigger: Trigger,
    /// How the agent ranked for this contact: 0 is the best of those eligible, by the queue's
    /// [`AgentChoice`](crate::engine::policy::AgentChoice); equal ranks are told apart by load
    /// and idleness, or by lot.
    pub rank: u16,
    /// How long the agent had been idle.
    pub idle: Span,
    /// How much of the agent's capacity was in use, in thousandths.
    pub load: u16,
    /// How long the contact had waited.
    pub waited: Span,
    /// Async contacts waited for this agent too and were passed over, which counts toward their share.
    pub async_passed: bool,
    /// Which rule decided, with what it compared.
    pub why: Why,
}

/// Which rule brought a contact and an agent together, with the numbers that it compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Why {
    /// The rule that decided.
    pub rule: Rule,
    /// Queues compared: those in which somebody waited whom the agent may take, in the
    /// contact's class of service; 0 where the contact looked for an agent.
    pub queues: u16,
    /// Everybody in line in the contact's queue and class of service, itself included.
    pub backlog: u32,
    /// The same in all queues compared.
    pub backlogs: u32,
    /// The share of the contact's queue; 0 where shares were not compared.
    pub share: u8,
    /// The shares of all queues compared, added up; 0 where shares were not compared.
    pub shares: u32,
    /// The contact had waited longer than its queue's target. Under the policy that looks at
    /// shares, but does not have them, its head start counts.
    pub late: bool,
    /// In thousandths, what [`Rule::HoldingCost`] compares under that policy, or what
    /// [`Rule::PartOfTarget`] does where shares were not chosen: how much of its queue's target
    /// was waited, head start included; 0 elsewhere.
    pub index: u64,
    /// The agent's proficiency in the skills needed and preferred, added up.
    pub proficiency: u16,
    /// Preferred skills that the agent has not, or not so well.
    pub lacks: u16,
}

impl Why {
    /// A rule that compared no numbers.
    #[must_use]
    pub const fn plain(rule: Rule) -> Self {
        Self {
            rule,
            queues: 0,
            backlog: 0,
            backlogs: 0,
            share: 0,
            shares: 0,
            late: false,
            index: 0,
            proficiency: 0,
            lacks: 0,
        }
    }
}

/// What decided: for a contact that looked for an agent, how the agent was chosen; for an
/// agent who looked for a contact, the comparison that the next best queue lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rule {
    /// The contact was kept for the agent.
    Kept,
    /// The customer's last agent could take it.
    Sticky,
    /// Best rank, then longest idle.
    LongestIdle,
    /// Best rank, then least loaded, then longest idle.
    LeastLoaded,
    /// Most proficient, then least loaded (not for calls), then longest idle.
    MostProficient,
    /// Least proficient, then least loaded (not for calls), then longest idle.
    LeastProficient,
    /// Best rank, then by lot.
    Random,
    /// Its queue has broken its target, the next best has not.
    TargetBroken,
    /// Its queue is further above its share of the backlog.
    QueueShare,
    /// It waited the greater part of its queue's target, its head start included.
    PartOfTarget,
    /// All else equal, it waited longest.
    LongestWait,
    /// The oldest place; the only rule where one queue alone had anybody.
    OldestPlace,
    /// Its queue's holding cost × service rate ÷ patience rate is higher.
    HoldingCost,
    /// Its agents help another queue, and this is whose turn it is by the ratio.
    Sharing,
}

impl Rule {
    /// All of them, in the order of declaration.
    pub const ALL: [Self; 14] = [
        Self::Kept,
        Self::Sticky,
        Self::LongestIdle,
        Self::LeastLoaded,
        Self::MostProficient,
        Self::LeastProficient,
        Self::Random,
        Self::TargetBroken,
        Self::QueueShare,
        Self::PartOfTarget,
        Self::LongestWait,
        Self::OldestPlace,
        Self::HoldingCost,
        Self::Sharing,
    ];

    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Sticky => "sticky",
            Self::LongestIdle => "longest_idle",
            Self::LeastLoaded => "least_loaded",
            Self::MostProficient => "most_proficient",
            Self::LeastProficient => "least_proficient",
            Self::Random => "random",
            Self::TargetBroken => "target_broken",
            Self::QueueShare => "queue_share",
            Self::PartOfTarget => "part_of_target",
            Self::LongestWait => "longest_wait",
            Self::OldestPlace => "oldest_place",
            Self::HoldingCost => "holding_cost",
            Self::Sharing => "sharing",
        }
    }
}

/// What brought a contact and an agent together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Trigger {
    /// The contact came and found the agent.
    Contact,
    /// The agent became free and found the contact.
    Agent,
    /// The contact was kept for this agent.
    Named,
    /// The agent became free and async contacts were owed their share.
    AsyncShare,
}

/// What is asked of a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EffectKind {
    /// Call the agent and join them with the customer (for a consult, with the first agent).
    Connect {
        /// The reservation that it is for.
        reservation: ReservationId,
        /// Whom to call.
        agent: AgentId,
    },
    /// Join the customer with the second agent and let the first go.
    HandOver {
        /// To whom.
        to: AgentId,
    },
    /// Say a text to the customer.
    Say(Say),
    /// Tell the customer what their queue has to say.
    Announce(Announce),
    /// Send the customer to a number outside the router.
    Forward {
        /// Which.
        to: ExternalId,
    },
    /// Send a customer who is hurt to the number outside of this recall.
    Outside(RecallId),
    /// Call the customer and the agent and join them.
    Dial {
        /// The reservation that it is for.
        reservation: ReservationId,
        /// Which agent.
        agent: AgentId,
        /// Who is called first.
        mode: DialMode,
    },
    /// Ask the customer of a chat whether they are still there.
    AskPresence(Option<Language>),
    /// Bring somebody onto the contact, or let them take another part in it.
    Join {
        /// Whom.
        participant: u16,
        /// What part they are to take.
        part: Part,
    },
    /// Offer the customer a call instead of their waiting.
    OfferCallback(CallbackOffer),
}

/// What a queue has to say to a customer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Announce {
    /// Which announcement, in which version.
    pub notice: NoticeId,
    /// The language that the customer is known to use.
    pub language: Option<Language>,
    /// What may be said of the wait.
    pub outlook: Outlook,
    /// When the queue opens, where it is closed and that is known.
    pub opens: Option<Opens>,
    /// The contact ends for this reason once it was said; it waits if that could not be.
    pub ends: Option<EndReason>,
}

/// When a queue opens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Opens {
    /// By which calendar.
    pub calendar: CalendarId,
    /// When.
    pub at: WallTime,
}

/// How an effect ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Settled {
    /// The gateway did it.
    Done,
    /// The gateway could not; its own code.
    Failed(u16),
    /// It no longer mattered.
    Withdrawn,
}
