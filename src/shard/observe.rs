//! What the shard lets others count: told as it happens, to one observer.
//!
//! The shard does not know what becomes of it (`metrics` sits on top of the shard, not
//! under it). Implementations are called on the owner's, the writer's and the replica's
//! threads and must neither block nor take long: the owner's calls are in the path of
//! every decision.

use std::fmt::Debug;
use std::time::Duration;

use super::ask::SessionOver;
use super::view::View;
use crate::engine::directive::Recipient;
use crate::engine::refusal::RefusalKind;
use crate::engine::routing::Routing;
use crate::engine::words::{ConnectFault, EndReason, NotTaken};
use crate::ids::QueueId;
use crate::time::Span;

/// Who is connected, as counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionRole {
    /// A gateway's stream.
    Gateway,
    /// An agent's place on a stream.
    Agent,
}

impl SessionRole {
    /// All of them, in the order of [`SessionRole::index`].
    pub const ALL: [Self; 2] = [Self::Gateway, Self::Agent];

    /// Position in a table by role.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Agent => "agent",
        }
    }
}

impl From<Recipient> for SessionRole {
    fn from(recipient: Recipient) -> Self {
        match recipient {
            Recipient::Gateway(_) => Self::Gateway,
            Recipient::Agent(_) => Self::Agent,
        }
    }
}

/// Which way a command came to the owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// Someone new.
    Arrivals,
    /// Everything else.
    Others,
}

impl Lane {
    /// All of them, in the order of [`Lane::index`].
    pub const ALL: [Self; 2] = [Self::Arrivals, Self::Others];

    /// Position in a table by lane.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arrivals => "arrivals",
            Self::Others => "others",
        }
    }
}

/// One countable thing that the durable events say. Replayed history counts too, so that
/// these go on across a restart as the journal does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fact<'a> {
    /// There are other queues or agents now.
    Configured(&'a Routing),
    /// A contact entered a queue that it was not in.
    Offered(QueueId),
    /// A contact was answered for the first time.
    Answered {
        /// In which queue.
        queue: QueueId,
        /// After how long, its wait with the gateway included.
        waited: Span,
        /// Within the queue's target.
        in_target: bool,
    },
    /// A contact left before it was answered.
    Abandoned {
        /// In which queue.
        queue: QueueId,
        /// After how long, its wait with the gateway included.
        waited: Span,
        /// Within the queue's target.
        in_target: bool,
    },
    /// A reservation was accepted, this long after it was made.
    Accepted(Span),
    /// A reservation was not taken.
    NotTaken(NotTaken),
    /// Legs were not joined.
    ConnectFailed(ConnectFault),
    /// A contact ended.
    Closed(EndReason),
    /// A contact was reserved while somebody had it.
    DoubleReservation,
    /// The replica's state hash differed from the owner's.
    Diverged,
}

/// Is told what happens in the shard.
pub trait Observer: Debug + Send + Sync + 'static {
    /// How long the engine took for one command; every 16th is measured.
    fn decided(&self, took: Duration);
    /// Commands were handled since the last call, this many.
    fn handled(&self, commands: u64);
    /// The engine said no.
    fn refused(&self, kind: RefusalKind);
    /// A lane was full, and a command was turned away undecided.
    fn turned_away(&self, lane: Lane);
    /// Batches that are decided and not durable, 0 to 2.
    fn undurable(&self, batches: usize);
    /// A batch of this many entries became durable.
    fn synced(&self, took: Duration, entries: usize);
    /// Open sessions of a role.
    fn sessions(&self, role: SessionRole, open: usize);
    /// A session's outgoing side was ended from here.
    fn cut_off(&self, role: SessionRole, why: SessionOver);
    /// The replica applied an event that counts.
    fn fact(&self, fact: Fact<'_>);
    /// The replica shows its state, about once a second; `behind` is how many durable
    /// entries it has not applied yet.
    fn look(&self, view: &View<'_>, behind: u64);
}
