//! What travels between the edges and the owning thread.
//!
//! Values only: the handle puts asks in, the owner decides them, the writer lets what
//! came of them out. Protobuf is not known here.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;

use crate::engine::command::{Command, Reply, Report};
use crate::engine::directive::{Directive, Recipient};
use crate::engine::entry::{Actor, Sealed};
use crate::engine::recall::Want;
use crate::engine::refusal::Refusal;
use crate::ids::{AskId, ContactId, RecallId, RequestId};
use crate::journal::receipt::Receipt;

pub use super::outbox::{Outbox, OutboxReceiver, outbox};

/// A command on its way to the owner.
#[derive(Debug)]
pub struct Ask {
    /// Who asks.
    pub actor: Actor,
    /// What they call it.
    pub request: Option<RequestId>,
    /// What they ask.
    pub command: Command,
    /// Personal data that came with it.
    pub sealed: Option<Sealed>,
    /// For a command that begins a session: where its directives go from then on.
    pub attach: Option<Outbox>,
    /// Where the answer goes.
    pub answer_to: AnswerTo,
}

impl Ask {
    /// Whether this ends a session.
    #[must_use]
    pub fn is_farewell(&self) -> bool {
        matches!(self.command, Command::DisconnectGateway { .. } | Command::DisconnectAgent { .. })
    }

    /// Whether this brings in someone new. Only these are shed: what is needed to finish
    /// with those who are here travels in a lane of its own.
    #[must_use]
    pub fn is_arrival(&self) -> bool {
        matches!(self.command, Command::Gateway { report: Report::Arrived(_), .. })
    }
}

/// Somebody outside is asked to read a customer's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WordsAsked {
    /// Whose words.
    pub contact: ContactId,
    /// The question.
    pub ask: AskId,
    /// By whose playbook.
    pub recall: RecallId,
    /// What for.
    pub want: Want,
}

/// Where an answer goes, once what it was decided on is durable.
#[derive(Debug)]
pub enum AnswerTo {
    /// To a waiting call.
    Call(oneshot::Sender<Answer>),
    /// Into a stream, in order with its directives, under the client's own request id.
    Stream(Outbox, Box<str>),
    /// To nobody.
    Nobody,
}

/// What came of a command.
pub type Answer = Result<Reply, Rejection>;

/// Why a command was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Rejection {
    /// The engine said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The router is full; nothing was decided.
    #[error("the router is busy, try again in {} ms", retry_after.as_millis())]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// Space for the journal runs out, and nobody new is let in; nothing was decided.
    #[error("the router's disk is nearly full: nobody new is let in, try again in {} s", retry_after.as_secs())]
    LowSpace {
        /// When to try again.
        retry_after: Duration,
    },
    /// The router is about to stop, and nobody new is let in; nothing was decided.
    #[error("the router is about to stop: nobody new is let in, try again in {} s", retry_after.as_secs())]
    Draining {
        /// When to try again, here or at its successor.
        retry_after: Duration,
    },
    /// The router is stopping or has stopped; the command may or may not have been carried
    /// out, and the same request id tells which.
    #[error("the router is stopping")]
    Stopping,
}

/// What goes out on a stream, in this order.
#[derive(Debug)]
pub enum Outgoing {
    /// The answer to the request of this id.
    Answer {
        /// The client's own request id.
        request_id: Box<str>,
        /// What came of it.
        answer: Answer,
        /// What is durable, signed.
        receipt: Receipt,
    },
    /// A directive, with the personal data that came with what it tells of.
    Directive(Directive, Option<Sealed>),
    /// Nothing more comes here for this recipient, or, when none is named, for anyone on
    /// this stream: the stream's end follows.
    Over {
        /// Who; none for everyone on the stream.
        to: Option<Recipient>,
        /// Why.
        why: SessionOver,
    },
}

/// Why nothing more comes on a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionOver {
    /// A newer session of the same name is in force.
    Superseded,
    /// The stream's reader was more than [`OUTBOX_LIMIT`] messages behind: connect again to resync.
    TooSlow,
}

impl SessionOver {
    /// The word for it in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::TooSlow => "too_slow",
        }
    }
}

/// Most messages that may wait for a stream's reader. One that is further behind is cut
/// off and told to resync, which costs less than remembering for it.
pub const OUTBOX_LIMIT: usize = 4096;
