//! What can be asked of the engine, and what it answers when it does not refuse.
//!
//! A command names ids only: the edge has resolved names and knows who is asking.

mod act;
mod order;
mod report;

pub use act::{Act, Pledge, Remedy, Target};
pub use order::{Order, RecallOrder};
pub use report::{Arrival, GatewayLimits, Heard, Report};

use std::sync::Arc;

use super::hours::Hours;
use super::recall::{Found, Paged};
use super::routing::{Name, Routing};
use super::words::Key;
use crate::ids::{
    AgentId, AskId, CalendarId, ContactId, GatewayId, OrderId, PromiseId, RecallId, RecoveryId,
    SessionId,
};
use crate::time::{EngineTime, Span};

/// Something asked of the engine.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    /// Fire what is due and go on with what is done in slices. The shard's own.
    Tick,
    /// The process began anew. The shard's own.
    Restart {
        /// By how much engine time has just jumped.
        gap: Span,
        /// By how much less than the clock on the wall.
        missed: Span,
    },
    /// Replace the routing configuration.
    Configure(Arc<Routing>),
    /// A calendar is open or closed now, by the clock on the wall. The shard's own.
    SetHours {
        /// Which.
        calendar: CalendarId,
        /// How it is now.
        now: Hours,
    },
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
    /// Who of those who were told "not affected" is affected by a recall's version. Whoever
    /// looks lots up again asks it.
    Rechecked {
        /// Of which recall.
        recall: RecallId,
        /// By which version.
        version: [u8; 32],
        /// All up to this contact were looked at; none when all were.
        upto: Option<ContactId>,
        /// Who is affected, at most 256.
        affected: Arc<[ContactId]>,
    },
    /// What became of a page. The pager's own.
    PageSettled {
        /// For which recall.
        recall: RecallId,
        /// Which of its pages, counted from 1.
        number: u32,
        /// How it ended.
        how: Paged,
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
    /// What was promised.
    Promised {
        /// Which promise.
        promise: PromiseId,
        /// By when; none where no time could be promised.
        due: Option<EngineTime>,
    },
    /// The recovery that was opened.
    Recovery(RecoveryId),
    /// The order about many contacts that was given.
    Order(OrderId),
    /// These of the keys named in [`Report::Holding`] are not open here.
    Unknown(Vec<Key>),
}
