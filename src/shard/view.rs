//! What the replica lets others read: state, counts and timelines at one durable moment.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::entry::{Actor, Sealed};
use crate::engine::event::Event;
use crate::ids::{ContactId, QueueId};
use crate::time::{EngineTime, WallTime};

/// A consistent view of everything durable. Borrowed for the length of one read.
#[derive(Debug)]
pub struct View<'a> {
    /// Engine time now, continued from the last entry applied.
    pub now: EngineTime,
    /// The replica's engine.
    pub engine: &'a Engine,
    /// What was counted.
    pub statistics: &'a Statistics,
    /// What happened to each contact.
    pub timelines: &'a Timelines,
}

/// Counts by queue since the journal began.
#[derive(Debug, Default)]
pub struct Statistics {
    /// By [`QueueId`].
    pub queues: Vec<QueueStatistics>,
    /// Reservations made while the contact had one already. Must be 0.
    pub double_reservations: u64,
    /// Times the replica's hash differed from the owner's. Must be 0.
    pub divergences: u64,
}

impl Statistics {
    /// Of one queue; zeros for one that nothing happened in.
    #[must_use]
    pub fn queue(&self, id: QueueId) -> QueueStatistics {
        self.queues.get(id.index()).copied().unwrap_or_default()
    }
}

/// What happened in one queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueStatistics {
    /// Contacts that entered it.
    pub offered: u64,
    /// Of those answered.
    pub answered: u64,
    /// Of those answered within target.
    pub answered_in_target: u64,
    /// Contacts that left before an answer.
    pub abandoned: u64,
    /// Of those that left after the target had passed.
    pub abandoned_after_target: u64,
    /// Contacts waiting in it now.
    pub waiting: u64,
    /// The oldest arrival among those waiting.
    pub oldest: Option<EngineTime>,
    /// Sum of waits of those answered, microseconds.
    pub answered_wait_us: u64,
}

/// What happened to each open contact and to the last closed ones.
#[derive(Debug, Default)]
pub struct Timelines {
    /// Open contacts and recently closed ones.
    pub(crate) by_contact: hashbrown::HashMap<ContactId, Timeline, rustc_hash::FxBuildHasher>,
    /// Closed ones in the order of closing, the oldest forgotten first.
    pub(crate) closed: VecDeque<ContactId>,
}

/// What happened to one contact, in order.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// In order.
    pub items: Vec<TimelineItem>,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct TimelineItem {
    /// Sequence of its entry.
    pub sequence: u64,
    /// Engine time.
    pub at: EngineTime,
    /// Wall time, to the batch.
    pub wall: WallTime,
    /// Who brought it about.
    pub actor: Actor,
    /// What happened.
    pub event: Arc<Event>,
    /// Personal data of its entry.
    pub sealed: Option<Sealed>,
}

impl Timelines {
    /// What happened to a contact; none if it was closed too long ago or never was.
    #[must_use]
    pub fn of(&self, contact: ContactId) -> Option<&Timeline> {
        self.by_contact.get(&contact)
    }
}
