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
use crate::engine::recall::{ReturnedBecause, TriageClass};
use crate::engine::refusal::RefusalKind;
use crate::engine::routing::Routing;
use crate::engine::words::{ConnectFault, EndReason, NotTaken, ServiceClass};
use crate::ids::QueueId;
use crate::journal::receipt::Unproven;
pub use crate::journal::snapshot::seen::{HowSaid, TextKind};
use crate::time::{Span, WallTime};

/// Upper bounds, in seconds, of the buckets that waits of customers are counted in.
pub const WAITS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1_200.0,
    1_800.0, 3_600.0, 14_400.0, 86_400.0,
];
/// The same of how long people take to answer an offer.
pub const ANSWERS: &[f64] =
    &[0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, 300.0];

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

/// One countable thing that the durable events say. Replayed history counts too, and what a
/// snapshot stands for is told in sums, so that these go on across a restart as the journal
/// does.
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
        /// In which class of service.
        service: ServiceClass,
        /// After how long, its wait with the gateway included.
        waited: Span,
        /// Within the queue's target.
        in_target: bool,
    },
    /// A contact whose customer was told a wait was answered; since the process began, from
    /// replayed history too.
    AnsweredAsTold {
        /// In which queue.
        queue: QueueId,
        /// The wait that four of five should not exceed.
        announced: Span,
        /// How long it was from when they were told.
        waited: Span,
    },
    /// A contact left before it was answered.
    Abandoned {
        /// In which queue.
        queue: QueueId,
        /// In which class of service.
        service: ServiceClass,
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
    /// A customer said what they think of a contact of this queue, with a score in tenths on
    /// the scale of 0 to 10, or none.
    Feedback(QueueId, Option<u8>),
    /// A customer's words were found to mean something that counts.
    Triaged(TriageClass),
    /// A contact went back from self-service to its queue.
    Returned(ReturnedBecause),
    /// A text of a playbook was said, or was not.
    Said(TextKind, HowSaid),
    /// A contact was sent to self-service that had been there.
    BouncedTwice,
    /// A contact came back from self-service to a later place.
    PlaceLost,
    /// A contact about safety was sent to self-service.
    SafetyDiverted,
    /// A contact was reserved while somebody had it.
    DoubleReservation,
    /// The replica's state hash differed from the owner's.
    Diverged,
}

/// What became of a snapshot.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum SnapshotOutcome {
    /// It is durable.
    Written {
        /// How old its state is: of when.
        wall: WallTime,
        /// How long the replica stood still for it.
        paused: Duration,
        /// How long it took to write it.
        took: Duration,
        /// Its size.
        bytes: u64,
    },
    /// The start went on from one of this time.
    Loaded(WallTime),
    /// It is damaged, or no state to this version: no start goes on from it.
    LeftOut,
    /// It was not written; the next one is tried when it is due.
    Failed,
    /// It is due, and the disk has no space for what can wait; taken when that is back.
    PutOff,
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
    /// A receipt was shown that was not signed here.
    fn forged_receipt(&self);
    /// A genuine receipt was shown that nothing here bears out, and was let pass.
    fn unproven_receipt(&self, why: Unproven);
    /// The replica applied an event that counts. More than once for what a snapshot stands
    /// for, where times are the mean of all in one bucket of [`WAITS`] or [`ANSWERS`].
    fn fact(&self, fact: Fact<'_>, times: u64);
    /// The shard is back, this long after its start began, with this many entries read
    /// beyond the snapshot.
    fn recovered(&self, took: Duration, entries: u64);
    /// A snapshot became durable, was found at the start, failed, or is put off.
    fn snapshot(&self, outcome: SnapshotOutcome);
    /// The journal was not trimmed; it is tried again behind the next snapshot.
    fn not_trimmed(&self);
    /// The replica shows its state, about once a second; `behind` is how many durable
    /// entries it has not applied yet.
    fn look(&self, view: &View<'_>, behind: u64);
}
