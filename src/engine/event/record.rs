//! What the larger events hold.

use crate::engine::recall::Say;
use crate::engine::words::{
    Attributes, Channel, Excluded, Key, Language, Named, Needs, QueuedBecause, ReleasedBecause,
    ServiceClass,
};
use crate::ids::{
    AgentId, ContactId, CustomerId, EntryPointId, GatewayId, QueueId, ReservationId, SessionId,
};
use crate::time::{EngineTime, Place, Span};

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
    /// What an agent must have: the queue's needs and its own.
    pub needs: Needs,
    /// Head start beyond the queue's.
    pub head_start: Span,
    /// Its place.
    pub place: Place,
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
    /// How the agent ranked for this contact: 0 is the best of those eligible (the primary skill
    /// before others, then the least versatile); equal ranks are told apart by load and idleness.
    pub rank: u16,
    /// How long the agent had been idle.
    pub idle: Span,
    /// How much of the agent's capacity was in use, in thousandths.
    pub load: u16,
    /// How long the contact had waited.
    pub waited: Span,
    /// Async contacts waited for this agent too and were passed over, which counts toward their share.
    pub async_passed: bool,
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
