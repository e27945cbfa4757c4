//! What happened: the only way that state changes, and the only thing anyone hears about.
//!
//! An event holds everything that applying it needs; `apply` decides nothing. Each moves
//! at most one contact from one state to one other. The journal's codec gives every
//! event a field number of its own that never changes its meaning.

use std::sync::Arc;

use super::command::GatewayLimits;
use super::recall::{
    Found, Heed, Level, LotVerdict, Plan, ReturnedBecause, Say, SelfService, Tier, Want,
};
use super::routing::{Name, Routing};
use super::words::{
    Attributes, Availability, AvailabilityBecause, Channel, ConnectFault, Consent, EndReason,
    Excluded, Key, Keys, Language, LegOutcome, Named, Needs, NotTaken, Party, QueuedBecause,
    ReleasedBecause, ServiceClass, WaitsFor,
};
use crate::ids::{
    AgentId, AskId, ContactId, CustomerId, DispositionId, EffectId, EntryPointId, GatewayId,
    QueueId, RecallId, ReservationId, SessionId,
};
use crate::time::{EngineTime, Place, Span};

/// A fact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The process began anew. That every stream is gone, and what starts whole again,
    /// follows as events of the same entry.
    Restarted {
        /// By how much engine time jumped.
        gap: Span,
    },
    /// The routing configuration is now this one.
    Configured(Arc<Routing>),
    /// A person's order, with the reason given; what they did follows in the same entry.
    Ordered {
        /// Why.
        why: Arc<str>,
    },

    /// A gateway became known.
    GatewayRegistered {
        /// The id it gets.
        gateway: GatewayId,
        /// Its name.
        name: Name,
    },
    /// A gateway is on a stream; an older session of it is over.
    GatewayConnected {
        /// Which.
        gateway: GatewayId,
        /// Its session.
        session: SessionId,
        /// What it can carry.
        limits: GatewayLimits,
    },
    /// A gateway's stream is gone; its contacts are detached one by one.
    GatewayLost {
        /// Which.
        gateway: GatewayId,
    },
    /// A gateway has named all it holds; what it did not name is closed one by one.
    GatewayResynced {
        /// Which.
        gateway: GatewayId,
    },
    /// A contact's gateway is gone: it keeps its state and place and is offered to nobody.
    Detached(ContactId),
    /// A contact's gateway is back and still holds it.
    Reattached {
        /// Which.
        contact: ContactId,
        /// The session that holds it.
        session: SessionId,
    },

    /// A contact was accepted.
    Arrived(Arrived),
    /// A contact entered a queue.
    Queued(Queued),
    /// A queued contact that was kept for one agent is open to all.
    OpenedToAll(ContactId),
    /// An agent is no longer passed over for a contact.
    PassOverEnded {
        /// Which contact.
        contact: ContactId,
        /// Who may have it again.
        agent: AgentId,
    },
    /// What a contact waits for has its whole time again: an answer, legs, or the agent it is
    /// kept for.
    Renewed {
        /// Which.
        contact: ContactId,
        /// Until when now.
        until: EngineTime,
    },
    /// A command was carried out and found nothing to change; its request id is remembered.
    Unchanged {
        /// The contact that was found, where the reply names one.
        contact: Option<ContactId>,
    },
    /// A contact got another place.
    Reprioritised {
        /// Which.
        contact: ContactId,
        /// Head start beyond its queue's.
        head_start: Span,
        /// Its place now.
        place: Place,
    },
    /// A contact is held for one agent.
    Reserved(Reserved),
    /// A reservation ended without being taken: the contact is queued again, at its place.
    NotTaken {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// Who did not take it.
        agent: AgentId,
        /// How.
        how: NotTaken,
        /// Until when this agent is passed over for it.
        pass_over: Option<EngineTime>,
    },
    /// A reservation was taken.
    Accepted {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// Who took it.
        agent: AgentId,
        /// It is connecting, and until when at most; none: it is assigned at once.
        connect_by: Option<EngineTime>,
    },
    /// Something is asked of a gateway, until it reports.
    EffectAsked {
        /// Which effect.
        effect: EffectId,
        /// For which contact.
        contact: ContactId,
        /// What.
        kind: EffectKind,
    },
    /// A gateway reported on an effect, or it no longer matters.
    EffectSettled {
        /// Which effect.
        effect: EffectId,
        /// For which contact.
        contact: ContactId,
        /// How.
        how: Settled,
    },
    /// A gateway reported on a leg.
    LegReported {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// Which leg.
        party: Party,
        /// What became of it.
        outcome: LegOutcome,
        /// The gateway's own code.
        code: u16,
    },
    /// The legs are joined: a connecting contact is assigned.
    Bridged {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// With whom.
        agent: AgentId,
    },
    /// The legs were not joined: a connecting contact is queued again, at its place.
    ConnectFailed {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// Whom it was for.
        agent: AgentId,
        /// Why.
        fault: ConnectFault,
        /// Until when this agent is passed over for it.
        pass_over: Option<EngineTime>,
    },
    /// A contact waits for somebody, with no agent.
    Pended {
        /// Which.
        contact: ContactId,
        /// Who let it go.
        agent: AgentId,
        /// For whom it waits.
        on: WaitsFor,
        /// Until when at most.
        until: EngineTime,
    },
    /// The customer said something.
    InputReceived(ContactId),
    /// Routing facts, in place of those before.
    AttributesSet {
        /// Which contact.
        contact: ContactId,
        /// All of them.
        attributes: Attributes,
    },
    /// The customer was put on hold or taken back.
    HoldChanged {
        /// Which contact.
        contact: ContactId,
        /// On hold, or back.
        on: bool,
    },
    /// Where a recording is kept.
    RecordingNoted {
        /// Of which contact.
        contact: ContactId,
        /// The recorder's reference.
        reference: Arc<str>,
        /// Whether the customer agreed.
        consent: Consent,
    },
    /// What a contact is about.
    Coded {
        /// Which contact; it may be closed already.
        contact: ContactId,
        /// Who says so.
        agent: AgentId,
        /// What it is about.
        disposition: DispositionId,
    },
    /// A second agent is sought: a child contact was made.
    ConsultStarted {
        /// The contact that it is about.
        parent: ContactId,
        /// The child.
        child: ContactId,
        /// Who asks.
        agent: AgentId,
    },
    /// A contact passed from one agent to the one they consulted.
    HandedOver {
        /// Which contact.
        contact: ContactId,
        /// Who had it.
        from: AgentId,
        /// Who has it.
        to: AgentId,
        /// Until when the first has wrap-up.
        wrap_up: Option<EngineTime>,
    },
    /// A contact ended.
    Closed {
        /// Which.
        contact: ContactId,
        /// The gateway that holds it.
        gateway: GatewayId,
        /// The contact that it was a consult about.
        consult_of: Option<ContactId>,
        /// Why.
        reason: EndReason,
        /// Who had it, if anyone.
        agent: Option<AgentId>,
        /// Until when the agent has wrap-up.
        wrap_up: Option<EngineTime>,
    },
    /// The work after a contact ended.
    WrapUpEnded {
        /// Whose.
        agent: AgentId,
        /// After which contact.
        contact: ContactId,
    },

    /// An agent is on a stream; an older session of theirs is over.
    AgentConnected {
        /// Who.
        agent: AgentId,
        /// Their session.
        session: SessionId,
    },
    /// An agent's stream is gone; they have until then to come back.
    AgentLost {
        /// Who.
        agent: AgentId,
        /// Until when what they have waits for them.
        grace: EngineTime,
    },
    /// An agent's availability changed.
    AvailabilityChanged {
        /// Whose.
        agent: AgentId,
        /// What it is now.
        to: Availability,
        /// Why.
        because: AvailabilityBecause,
    },
    /// What comes after the last contact in hand.
    NextSet {
        /// Whose.
        agent: AgentId,
        /// What; none for nothing.
        next: Option<Availability>,
    },
    /// An agent's phone was not reached: no calls until they say they are ready again.
    PhoneUnreachable(AgentId),

    /// A recall was started.
    RecallStarted {
        /// Which.
        recall: RecallId,
        /// What is decided by, and the playbook itself.
        plan: Arc<Plan>,
        /// Where it begins.
        level: Level,
        /// When it ends by itself.
        expires: EngineTime,
    },
    /// A recall is at another level. Those waiting are gone through afterwards, each move
    /// an event of its own.
    LevelChanged {
        /// Which recall.
        recall: RecallId,
        /// Where it is now.
        level: Level,
    },
    /// A recall ended. Those in its self-service go back one by one.
    RecallEnded {
        /// Which.
        recall: RecallId,
        /// By itself, at its expiry.
        expired: bool,
    },
    /// A customer's words were found to mean something that counts.
    Triaged {
        /// Which contact.
        contact: ContactId,
        /// What, and by whose playbook.
        heed: Heed,
    },
    /// A queued contact went to self-service, keeping its place.
    Diverted {
        /// Which contact.
        contact: ContactId,
        /// Where it begins.
        now: SelfService,
    },
    /// The conversation with self-service went on.
    Stepped {
        /// Which contact.
        contact: ContactId,
        /// How it stands now.
        now: SelfService,
    },
    /// A contact went back from self-service to its queue, at its place.
    Returned {
        /// Which contact.
        contact: ContactId,
        /// Whose self-service.
        recall: RecallId,
        /// From which tier.
        tier: Tier,
        /// Why.
        because: ReturnedBecause,
    },
    /// Somebody outside is asked to read a customer's words.
    WordsAsked {
        /// Which contact.
        contact: ContactId,
        /// The question.
        ask: AskId,
        /// Whose playbook to read them by.
        recall: RecallId,
        /// What for.
        want: Want,
    },
    /// The words were read.
    WordsRead {
        /// Which contact.
        contact: ContactId,
        /// The question.
        ask: AskId,
        /// What was found.
        found: Found,
    },
    /// The customer pressed keys.
    KeysPressed {
        /// Which contact.
        contact: ContactId,
        /// Which keys.
        keys: Keys,
        /// What the affected-or-not check says of them, if a lot was asked for.
        lot: Option<LotVerdict>,
    },
    /// A contact that fell silent goes on as another one, which has its key from now on.
    /// It enters a queue with the next event, and the other is closed with the one after.
    FollowUpOpened(Arrived),
}

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
