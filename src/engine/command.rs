//! What can be asked of the engine, and what it answers when it does not refuse.
//!
//! A command names ids only: the edge has resolved names and knows who is asking.

use std::sync::Arc;

use super::recall::{Found, Heed, Level, LotVerdict, Plan, Wish};
use super::routing::{Name, Routing};
use super::words::{
    Attributes, Availability, Channel, Consent, Key, Keys, Language, LegOutcome, Needs, Party,
    WaitsFor,
};
use crate::ids::{
    AgentId, AskId, ContactId, CustomerId, DispositionId, EffectId, EntryPointId, GatewayId,
    QueueId, RecallId, ReservationId, SessionId,
};
use crate::time::Span;

/// Something asked of the engine.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    /// Fire what is due and go on with what is done in slices. The shard's own.
    Tick,
    /// The process began anew; engine time has just jumped by this. The shard's own.
    Restart(Span),
    /// Replace the routing configuration.
    Configure(Arc<Routing>),
    /// A person replaces the routing configuration of a router that runs.
    Reload {
        /// With this one, which has to follow the one in force.
        routing: Arc<Routing>,
        /// Why; journaled.
        why: Arc<str>,
    },
    /// Make no reservations, or make them again: space for the journal runs out. The shard's
    /// own.
    PauseReservations(bool),
    /// A gateway says hello on a stream: a new session, the newest of its name.
    ConnectGateway {
        /// Who it says it is.
        name: Name,
        /// What it can carry.
        limits: GatewayLimits,
    },
    /// A gateway that uses unary calls only makes itself known.
    RegisterGateway(Name),
    /// A gateway's stream is gone.
    DisconnectGateway {
        /// Which gateway.
        gateway: GatewayId,
        /// The session that the stream had; an older one changes nothing.
        session: SessionId,
    },
    /// A gateway reports.
    Gateway {
        /// Which gateway.
        gateway: GatewayId,
        /// The session of the stream it came on; none for a unary call.
        session: Option<SessionId>,
        /// What it reports.
        report: Report,
    },
    /// An agent is on a stream: a new session, the newest of their name.
    ConnectAgent(AgentId),
    /// An agent's stream is gone.
    DisconnectAgent {
        /// Which agent.
        agent: AgentId,
        /// The session that the stream had; an older one changes nothing.
        session: SessionId,
    },
    /// An agent acts, as themselves.
    Agent {
        /// Who.
        agent: AgentId,
        /// The session of the stream it came on; none for a unary call.
        session: Option<SessionId>,
        /// What they do.
        act: Act,
    },
    /// A supervisor acts.
    Supervise {
        /// What they do.
        order: Order,
        /// Why they say they do it, at most 512 bytes. Kept for the audit.
        why: Arc<str>,
    },
    /// On-call staff steer a recall.
    Recall {
        /// What they do.
        order: RecallOrder,
        /// Why they say they do it, 1 to 512 bytes. Kept for the audit.
        why: Arc<str>,
    },
    /// The reader of words answers. The shard's own.
    WordsRead {
        /// About which contact.
        contact: ContactId,
        /// Which question it answers.
        ask: AskId,
        /// What was found.
        found: Found,
    },
}

/// What on-call staff do with a recall.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum RecallOrder {
    /// Puts a playbook in force.
    Start {
        /// The part that is decided by, and the playbook itself.
        plan: Arc<Plan>,
        /// Where to begin.
        level: Level,
        /// After how long it ends if nobody ends it, 1 min to 90 days.
        lasting: Span,
        /// Start although nobody is there for safety contacts.
        accept_empty_safety_lane: bool,
    },
    /// Pins the level.
    SetLevel {
        /// Which recall.
        recall: RecallId,
        /// Where to.
        level: Level,
    },
    /// Ends it: self-service gives everyone back at the place they had.
    End(RecallId),
}

/// What a gateway can carry, for the surge to plan with; 0 is "not said".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct GatewayLimits {
    /// Most conversations at once.
    pub sessions: u32,
    /// Most ports for recorded menus at once.
    pub ivr_ports: u32,
    /// Most new calls a second.
    pub calls_per_second: u32,
    /// It says texts to customers: self-service is possible on it.
    pub says: bool,
}

/// What a gateway reports.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Report {
    /// These contacts it still holds, after a hello; at most 1,000 keys in one report.
    Holding {
        /// By its own keys.
        keys: Vec<Key>,
        /// Nothing more follows: what was not named is lost.
        last: bool,
    },
    /// Someone came in.
    Arrived(Arrival),
    /// Routing facts about a contact, in place of those before.
    Attributes {
        /// Which contact.
        contact: ContactId,
        /// All of them.
        attributes: Attributes,
    },
    /// The customer said, typed or pressed something; its words ride sealed.
    Input {
        /// Which contact.
        contact: ContactId,
        /// What of it is for the engine.
        heard: Heard,
    },
    /// What became of a leg.
    Leg {
        /// The connecting contact's reservation.
        reservation: ReservationId,
        /// Which leg.
        party: Party,
        /// What became of it.
        outcome: LegOutcome,
        /// The gateway's own code (a SIP status), 0 if none.
        code: u16,
    },
    /// The legs of this reservation's contact are joined.
    Bridged(ReservationId),
    /// The customer was put on hold or taken back.
    Hold {
        /// Which contact.
        contact: ContactId,
        /// On hold, or back.
        on: bool,
    },
    /// Where a recording is kept, and whether the customer agreed.
    Recording {
        /// Which contact.
        contact: ContactId,
        /// The recorder's reference, at most 256 bytes.
        reference: Arc<str>,
        /// Whether the customer agreed.
        consent: Consent,
    },
    /// An effect is done.
    EffectDone(EffectId),
    /// An effect cannot be done.
    EffectFailed {
        /// Which effect.
        effect: EffectId,
        /// The gateway's own code, 0 if none.
        code: u16,
    },
    /// The agent's leg of a joined contact is gone, and the customer is still there.
    AgentLegLost(ContactId),
    /// The customer hung up, closed the window, or withdrew the letter.
    CustomerLeft(ContactId),
}

/// What of a customer's input is for the engine. Never their words.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Heard {
    /// There were words.
    pub words: bool,
    /// There were words or keys that are secret, of which nothing else is told.
    pub secret: bool,
    /// What they were found to mean at intake.
    pub heed: Option<Heed>,
    /// What the customer wants to happen.
    pub wish: Option<Wish>,
    /// Keys pressed, at most 64, none of them secret.
    pub keys: Option<Keys>,
    /// What the affected-or-not check of the contact's recall says of the keys.
    pub lot: Option<LotVerdict>,
}

/// Someone who came in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Arrival {
    /// The gateway's name for the contact.
    pub key: Key,
    /// How they reach us.
    pub channel: Channel,
    /// Where they go.
    pub queue: QueueId,
    /// Where they came in, if that decided the queue.
    pub entry_point: Option<EntryPointId>,
    /// What an agent must have beyond what the queue needs.
    pub needs: Needs,
    /// What an agent should have beyond what the queue prefers.
    pub preferred: Needs,
    /// Head start beyond the queue's, at most a day.
    pub head_start: Span,
    /// About injury, exposure or an adverse event.
    pub safety: bool,
    /// Who it is, if known for certain.
    pub customer: Option<CustomerId>,
    /// The earlier contact that this one goes on from.
    pub continues: Option<ContactId>,
    /// How long they have waited with the gateway already, at most a day: counts toward their place.
    pub waited: Span,
    /// Routing facts.
    pub attributes: Option<Attributes>,
    /// The language that they are known to use.
    pub language: Option<Language>,
    /// What their words were found to mean at intake.
    pub heed: Option<Heed>,
    /// Hash of all that was reported, personal data included and `waited` left out, the same
    /// in every version: a repeat is told from other content by it.
    pub content: u64,
}

/// Where a contact is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// To whoever serves this queue.
    Queue(QueueId),
    /// To this agent; on to the contact's queue if they do not take it in time.
    Agent(AgentId),
}

/// What an agent does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// Becomes ready or not ready, or signs out (which needs empty hands).
    Become(Availability),
    /// Says what comes after the last contact in hand; none takes it back.
    Next(Option<Availability>),
    /// Takes a reservation.
    Accept(ReservationId),
    /// Does not.
    Decline(ReservationId),
    /// Is done with a contact.
    Complete {
        /// Which contact.
        contact: ContactId,
        /// What it was about.
        disposition: Option<DispositionId>,
    },
    /// Says what a contact is or was about, while they have it or its wrap-up.
    Code {
        /// Which contact.
        contact: ContactId,
        /// What it is about.
        disposition: DispositionId,
    },
    /// Is done with the work after a contact.
    EndWrapUp(ContactId),
    /// Sends a contact back to its queue, at its place, to anyone else.
    Requeue(ContactId),
    /// Sends a contact on.
    Transfer {
        /// Which contact.
        contact: ContactId,
        /// Where to.
        to: Target,
    },
    /// Seeks a second agent for a contact, keeping it.
    Consult {
        /// Which contact.
        contact: ContactId,
        /// Whom to ask.
        to: Target,
    },
    /// Hands the contact to the second agent.
    CompleteConsult(ContactId),
    /// Goes on without the second agent.
    CancelConsult(ContactId),
    /// Lets a contact wait for somebody without holding capacity.
    Pend {
        /// Which contact.
        contact: ContactId,
        /// For whom it waits.
        on: WaitsFor,
        /// For how long at most, 1 s to 30 days; then it comes back.
        lasting: Span,
    },
}

/// What a supervisor orders.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    /// Puts a contact into another queue, its arrival kept.
    Move {
        /// Which contact.
        contact: ContactId,
        /// Where to.
        queue: QueueId,
    },
    /// Takes a contact from whoever has it and puts it back at its place.
    Requeue(ContactId),
    /// Gives a contact another head start, at most a day.
    Reprioritise {
        /// Which contact.
        contact: ContactId,
        /// In place of the one it had beyond its queue's.
        head_start: Span,
    },
    /// Closes a contact.
    Close(ContactId),
    /// Sets an agent's availability.
    SetAgent {
        /// Who.
        agent: AgentId,
        /// What to.
        to: Availability,
    },
}

/// What the engine answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Done.
    Done,
    /// The contact that was accepted, or found again by its key; for a consult the child.
    Contact(ContactId),
    /// The session of a gateway's stream.
    Gateway {
        /// Its id.
        gateway: GatewayId,
        /// Its session; none when registered for unary calls.
        session: Option<SessionId>,
    },
    /// The session of an agent's stream.
    Agent(SessionId),
    /// The recall that was started.
    Recall(RecallId),
    /// These of the keys named in [`Report::Holding`] are not open here.
    Unknown(Vec<Key>),
}
