//! What travels between the edges and the owning thread.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::engine::command::{Command, Reply};
use crate::engine::directive::Directive;
use crate::engine::entry::{Actor, Sealed};
use crate::engine::refusal::Refusal;
use crate::ids::RequestId;

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
    },
    /// A directive, with the personal data that came with what it tells of.
    Directive(Directive, Option<Sealed>),
}

/// Most messages that may wait for a stream's reader. One that is further behind is cut
/// off and told to resync, which costs less than remembering for it.
pub const OUTBOX_LIMIT: usize = 4096;

/// The way out to one stream.
pub type Outbox = mpsc::Sender<Outgoing>;
