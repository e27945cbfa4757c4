//! A contact as the engine holds it, and the states that it can be in.

use smallvec::SmallVec;

use super::callback::{Callback, CallbackKind, Phase};
use super::care::{Care, Silence};
use super::event::EffectKind;
use super::participant::Participants;
use super::recall::{CallbackOffer, Heed, Machine, SelfService, Text};
use super::stage::{Announced, Course, Stage};
use super::words::{
    Attributes, Channel, Excluded, Key, Language, Named, Needs, ServiceClass, WaitsFor,
};
use crate::ids::{
    AgentId, ContactId, CustomerId, EffectId, EntryPointId, GatewayId, PromiseId, QueueId,
    RecallId, ReservationId, SessionId,
};
use crate::time::{EngineTime, Place, Span};

/// Where a contact is. Exactly one at every moment; the end is no state here, because a
/// closed contact is only counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// Accepted, its next event about to place it. Never seen between two commands.
    New,
    /// Waiting in its queue.
    Queued,
    /// Held for one agent.
    Reserved {
        /// The reservation.
        reservation: ReservationId,
        /// For whom.
        agent: AgentId,
        /// Until when.
        deadline: EngineTime,
    },
    /// Accepted, the legs not yet joined.
    Connecting {
        /// The reservation.
        reservation: ReservationId,
        /// For whom.
        agent: AgentId,
        /// Until when.
        deadline: EngineTime,
    },
    /// With an agent.
    Assigned {
        /// The reservation that it came by.
        reservation: ReservationId,
        /// With whom.
        agent: AgentId,
        /// Since when.
        since: EngineTime,
    },
    /// Waiting for somebody, with no agent.
    Pending {
        /// For whom it waits.
        on: WaitsFor,
        /// Until when at most.
        until: EngineTime,
        /// Who had it, and gets it back first; none where nobody had it.
        agent: Option<AgentId>,
    },
    /// With a tier of self-service, holding its place.
    SelfService(SelfService),
    /// The customer waits for our call; [`Contact::callback`] says how it stands.
    CallbackDue,
}

/// The states as counted, in the order of [`StateKind::index`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StateKind {
    /// Waiting in its queue.
    Queued,
    /// Held for one agent.
    Reserved,
    /// Accepted, the legs not yet joined.
    Connecting,
    /// With an agent.
    Assigned,
    /// Waiting for somebody.
    Pending,
    /// In self-service.
    SelfService,
    /// To be called back.
    CallbackDue,
    /// Ended.
    Closed,
}

impl StateKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Reserved,
        Self::Connecting,
        Self::Assigned,
        Self::Pending,
        Self::SelfService,
        Self::CallbackDue,
        Self::Closed,
    ];

    /// Position in a table by state.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Reserved => "reserved",
            Self::Connecting => "connecting",
            Self::Assigned => "assigned",
            Self::Pending => "pending",
            Self::SelfService => "self_service",
            Self::CallbackDue => "callback_due",
            Self::Closed => "closed",
        }
    }
}

impl State {
    /// The state as counted. A contact that is not yet placed counts as queued.
    #[must_use]
    pub const fn kind(self) -> StateKind {
        match self {
            Self::New | Self::Queued => StateKind::Queued,
            Self::Reserved { .. } => StateKind::Reserved,
            Self::Connecting { .. } => StateKind::Connecting,
            Self::Assigned { .. } => StateKind::Assigned,
            Self::Pending { .. } => StateKind::Pending,
            Self::SelfService(_) => StateKind::SelfService,
            Self::CallbackDue => StateKind::CallbackDue,
        }
    }

    /// The agent who has it or for whom it is held.
    #[must_use]
    pub const fn agent(self) -> Option<AgentId> {
        match self {
            Self::Reserved { agent, .. }
            | Self::Connecting { agent, .. }
            | Self::Assigned { agent, .. } => Some(agent),
            Self::New
            | Self::Queued
            | Self::Pending { .. }
            | Self::SelfService(_)
            | Self::CallbackDue => None,
        }
    }

    /// The reservation that holds it or that it came by.
    #[must_use]
    pub const fn reservation(self) -> Option<ReservationId> {
        match self {
            Self::Reserved { reservation, .. }
            | Self::Connecting { reservation, .. }
            | Self::Assigned { reservation, .. } => Some(reservation),
            Self::New
            | Self::Queued
            | Self::Pending { .. }
            | Self::SelfService(_)
            | Self::CallbackDue => None,
        }
    }
}

/// How a contact hangs on its gateway.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Link {
    /// Reported by a unary call from a gateway that keeps no stream.
    Unary,
    /// Held by this session.
    Attached(SessionId),
    /// The gateway is gone: offered to nobody, place kept.
    Detached,
}

/// One contact.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Contact {
    /// Which.
    pub id: ContactId,
    /// The gateway that holds it.
    pub gateway: GatewayId,
    /// How it hangs on the gateway.
    pub link: Link,
    /// The gateway's name for it; empty for a consult, which only the router knows.
    pub key: Key,
    /// Hash of what was reported at arrival.
    pub content: u64,
    /// How they reach us.
    pub channel: Channel,
    /// Where they came in.
    pub entry_point: Option<EntryPointId>,
    /// Who it is.
    pub customer: Option<CustomerId>,
    /// The earlier contact that this one goes on from.
    pub continues: Option<ContactId>,
    /// Routing facts.
    pub attributes: Option<Attributes>,
    /// When it arrived here.
    pub arrived: EngineTime,
    /// How long it had waited with the gateway before that.
    pub waited_before: Span,
    /// Where it is.
    pub state: State,
    /// Its queue.
    pub queue: QueueId,
    /// Its class of service.
    pub service: ServiceClass,
    /// What an agent must have: its queue's needs, its own, its language's where required.
    pub needs: Needs,
    /// What an agent should have beyond that: who has it comes first.
    pub preferred: Needs,
    /// What an agent must have beyond what its queue needs.
    pub own_needs: Needs,
    /// What an agent should have beyond what its queue prefers.
    pub own_preferred: Needs,
    /// Head start beyond the queue's.
    pub head_start: Span,
    /// Its place.
    pub place: Place,
    /// When it last entered a queue.
    pub queued: EngineTime,
    /// When it was first answered.
    pub answered: Option<EngineTime>,
    /// Kept for one agent first.
    pub named: Option<Named>,
    /// Passed over for it, at most 8.
    pub passed_over: SmallVec<[Excluded; 1]>,
    /// The contact that this is a consult about.
    pub parent: Option<ContactId>,
    /// The consult about this contact.
    pub consult: Option<ContactId>,
    /// The customer is on hold.
    pub on_hold: bool,
    /// Effects that its gateway has not reported on.
    pub effects: SmallVec<[(EffectId, EffectKind); 1]>,
    /// The language that the customer is known to use.
    pub language: Option<Language>,
    /// What their words were found to mean, the most urgent.
    pub triage: Option<Heed>,
    /// What self-service may not do with it again.
    pub machine: Machine,
    /// How far it has come in its queue.
    pub stage: Stage,
    /// What happened to it on its way; none for most.
    pub course: Option<Box<Course>>,
    /// Texts that the customer has heard to the end, at most [`MOST_HEARD`].
    pub heard: SmallVec<[(RecallId, Text); 2]>,
    /// A number at which the customer can be called is known and confirmed.
    pub callable: bool,
    /// What is owed to the customer by this contact.
    pub owed: Option<PromiseId>,
    /// The call that the customer waits for, or came by.
    pub callback: Option<Box<Callback>>,
    /// What is remembered of its customer's patience.
    pub care: Care,
    /// Who is on it beside the customer and the agent who has it.
    pub participants: Participants,
    /// The recall for which a partner has it or is offered it.
    pub partner: Option<RecallId>,
}

/// What the key of a contact begins with that the router opened itself. No gateway may use it.
pub const OURS: char = '~';

/// Texts remembered as heard; of more the oldest go. The timeline has all.
pub const MOST_HEARD: usize = 16;

impl Contact {
    /// How it stands in self-service, if it is there.
    #[must_use]
    pub const fn self_service(&self) -> Option<SelfService> {
        match self.state {
            State::SelfService(s) => Some(s),
            _ => None,
        }
    }

    /// The call that its customer is being offered.
    #[must_use]
    pub fn offer(&self) -> Option<CallbackOffer> {
        self.effects.iter().find_map(|(_, kind)| match kind {
            EffectKind::OfferCallback(offer) => Some(*offer),
            _ => None,
        })
    }

    /// In which recall's callback tier it is: its customer waits for a call that was offered,
    /// or was called and waits for an agent.
    #[must_use]
    pub fn callback_tier(&self) -> Option<RecallId> {
        self.callback.as_deref().filter(|cb| cb.phase != Phase::Done)?.tier
    }

    /// Whether it came to a queue or left it by overflow.
    #[must_use]
    pub fn has_been(&self, queue: QueueId) -> bool {
        self.course.as_ref().is_some_and(|course| course.been.contains(&queue))
    }

    /// What the customer was last told of the wait.
    #[must_use]
    pub fn announced(&self) -> Option<Announced> {
        self.course.as_ref()?.announced
    }

    /// Whether it has a place in line, or is kept for one agent, offered or not.
    #[must_use]
    pub fn stands(&self) -> bool {
        match self.state {
            State::Queued => true,
            State::CallbackDue => self.callback.as_ref().is_some_and(|cb| cb.is_in_line()),
            _ => false,
        }
    }

    /// Whether it is to be offered: a gateway has it, and nothing holds it back.
    #[must_use]
    pub fn is_in_line(&self) -> bool {
        self.stands() && self.link != Link::Detached && !self.care.keeps_out()
    }

    /// The callback whose customer is not on the line: nobody there can hang up or be lost.
    #[must_use]
    pub fn silent(&self) -> Option<&Callback> {
        self.callback.as_deref().filter(|cb| cb.is_silent())
    }

    /// Its line broke, and the customer is called again: nobody promised them a time, or talked
    /// to them about one.
    #[must_use]
    pub fn was_cut_off(&self) -> bool {
        self.silent().is_some_and(|cb| cb.kind == CallbackKind::Lost && cb.is_open())
    }

    /// Its customer is on the line or in a conversation, at its gateway.
    #[must_use]
    pub fn is_on_line(&self) -> bool {
        self.parent.is_none() && self.silent().is_none()
    }

    /// The router opened it itself, to keep a promise.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.key.starts_with(OURS)
    }

    /// Whether its conversation goes on or is about to: with an agent or on the way to one, on
    /// the line, with self-service, on its way out. What was promised in it is not done by its
    /// end.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        match self.state {
            State::Reserved { .. }
            | State::Connecting { .. }
            | State::Assigned { .. }
            | State::SelfService(_) => true,
            State::New | State::Queued => self.channel == Channel::Voice,
            State::Pending { on, .. } => {
                matches!(on, WaitsFor::External | WaitsFor::Farewell)
            }
            State::CallbackDue => false,
        }
    }

    /// Where it is with no agent: in line, or waiting for our call.
    #[must_use]
    pub fn rests(&self) -> State {
        if self.silent().is_some() { State::CallbackDue } else { State::Queued }
    }

    /// Whether its customer is to be asked before an agent is given it.
    #[must_use]
    pub fn has_fallen_silent(&self) -> bool {
        self.care.silence == Silence::Fell
    }

    /// How long since the customer arrived, their wait with the gateway included.
    #[must_use]
    pub fn waited(&self, now: EngineTime) -> Span {
        Span(now.since(self.arrived).0.saturating_add(self.waited_before.0))
    }
}
