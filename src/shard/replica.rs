//! The replica: a second engine that applies what is durable, on a thread of its own.
//!
//! It serves every read, keeps statistics and timelines, and compares its state hash with
//! the owner's at marks, so that none of this touches the owner. It only ever applies
//! events; it decides nothing and nobody waits for it, except that a full
//! [`super::backlog`] holds the writer.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Select, Sender, TryRecvError};

use super::backlog::Inbox;
use super::clock::Clock;
use super::health::{Fatal, Health, Space, ThreadKind};
use super::observe::{Observer, SnapshotOutcome};
use super::people::{People, PeopleChange};
use super::roster::Roster;
use super::snapshots::Taker;
use super::staffing::Staffing;
use super::tally::Tally;
use super::view::{Timelines, View};
use crate::engine::Engine;
use crate::engine::image::ImageError;
use crate::journal::snapshot::Snapshot;
use crate::journal::snapshot::seen::Seen;
use crate::journal::{Batch, Tip};
use crate::time::{EngineTime, WallTime};

/// Most reads that wait or run; more wait with their callers.
pub(crate) const READS: usize = 256;
/// Entries applied between two looks for reads: about 0.1 ms.
const ENTRIES_AT_ONCE: usize = 64;
/// How long a read may wait for what was durable when it was asked; then it gets what
/// there is. So that a caller sees their own writes, but not at the price of no answer.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often the observer is shown the state.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the replica is sent, in order.
#[derive(Debug)]
pub(crate) enum ToReplica {
    /// What to go on from, before any batch.
    Snapshot(Arc<Snapshot>),
    /// A durable batch, where the journal stands after it, and its estimated bytes.
    Batch(Arc<Batch>, Tip, usize),
    /// Recovery is over: reads may be served, by this clock.
    Live(Clock),
}

/// A read on its way.
pub(crate) struct Read {
    /// Entries up to this one were durable when it was asked.
    pub(crate) after: u64,
    /// When it was asked.
    pub(crate) since: Instant,
    /// What to run.
    pub(crate) run: Box<dyn FnOnce(&View<'_>) + Send>,
}

/// The replica thread's own.
pub(crate) struct Replica {
    engine: Engine,
    tally: Tally,
    timelines: Timelines,
    /// Its own: the one that the edges read follows what leaves, and not what is applied here.
    people: People,
    staffing: Staffing,
    roster: Roster,
    sequence: u64,
    /// Where the journal stands after what was applied, and when that was.
    tip: Tip,
    wall: WallTime,
    taker: Option<Taker>,
    /// A snapshot is due, and there is no space for it.
    put_off: bool,
    at: EngineTime,
    clock: Option<Clock>,
    inbox: Inbox,
    reads: Receiver<Read>,
    // Without it a shard without handles would see a closed channel and spin.
    _reads_open: Sender<Read>,
    waiting: VecDeque<Read>,
    looked: Instant,
    health: Arc<Health>,
    observer: Arc<dyn Observer>,
}

impl Replica {
    pub(crate) fn new(
        inbox: Inbox,
        (reads_open, reads): (Sender<Read>, Receiver<Read>),
        taker: Option<Taker>,
        health: Arc<Health>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            engine: Engine::default(),
            tally: Tally::new(observer.clone()),
            timelines: Timelines::default(),
            people: People::default(),
            staffing: Staffing::default(),
            roster: Roster::default(),
            sequence: 0,
            tip: Tip::default(),
            wall: WallTime::default(),
            taker,
            put_off: false,
            at: EngineTime::ZERO,
            clock: None,
            inbox,
            reads,
            _reads_open: reads_open,
            waiting: VecDeque::new(),
            looked: Instant::now(),
            health,
            observer,
        }
    }

    /// Runs until nobody can send it a batch any more, or the start has failed.
    pub(crate) fn run(mut self) {
        while !self.inbox.given_up() {
            match self.inbox.from.try_recv() {
                Ok(ToReplica::Snapshot(snapshot)) => {
                    if let Err(error) = self.restore(&snapshot) {
                        // The owner has gone on from the same one.
                        tracing::error!(%error, "the replica cannot go on from the snapshot");
                        self.health.fail(Fatal::Panicked(ThreadKind::Replica));
                    }
                }
                Ok(ToReplica::Batch(batch, tip, bytes)) => {
                    self.apply(&batch, tip);
                    self.inbox.applied(bytes);
                }
                Ok(ToReplica::Live(clock)) => {
                    self.clock = Some(clock);
                    self.look();
                }
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    self.serve();
                    self.wait();
                }
            }
            self.serve();
            self.snapshot_if_due();
            if self.looked.elapsed() >= LOOK_EVERY {
                self.look();
            }
        }
        self.serve();
        if self.clock.is_some() && self.taker.as_ref().is_some_and(|t| t.has_news(self.sequence)) {
            self.snapshot();
        }
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), ImageError> {
        self.engine = Engine::restore(&snapshot.engine)?;
        self.tally = Tally::restore(self.observer.clone(), self.engine.routing(), &snapshot.seen);
        self.timelines = Timelines::restore(&snapshot.seen.timelines);
        self.people = People::restore(&snapshot.seen.people);
        self.roster = Roster::after(snapshot.tip.sequence, &self.engine);
        (self.sequence, self.at) = (snapshot.tip.sequence, snapshot.at);
        (self.tip, self.wall) = (snapshot.tip, snapshot.wall);
        if let Some(taker) = &mut self.taker {
            taker.resume(snapshot);
        }
        self.observer.snapshot(SnapshotOutcome::Loaded(snapshot.wall));
        Ok(())
    }

    /// Not while recovering: the sooner it serves the better.
    fn snapshot_if_due(&mut self) {
        let due = self.taker.as_ref().is_some_and(|taker| taker.is_due(self.sequence));
        if due && self.clock.is_some() {
            self.snapshot();
        }
    }

    /// Takes a snapshot, between two batches. None of a state that may be wrong, and none on
    /// the last of the disk, which is for bringing contacts to an end.
    fn snapshot(&mut self) {
        let full = self.health.space() == Space::Critical;
        let was_put_off = std::mem::replace(&mut self.put_off, full);
        if full {
            if !was_put_off {
                tracing::warn!("no snapshot before the disk has space again");
                self.observer.snapshot(SnapshotOutcome::PutOff);
            }
            return;
        }
        let Some(taker) = self.taker.as_mut().filter(|_| self.health.is_sound()) else { return };
        taker.take(|| {
            let engine = self.engine.image();
            let seen = Seen {
                people: self.people.image(),
                timelines: self.timelines.image(|contact| self.engine.contact(contact).is_some()),
                ..self.tally.image()
            };
            let (tip, wall, at) = (self.tip, self.wall, self.at);
            Snapshot { tip, wall, at, passed: Vec::new(), engine, seen }
        });
    }

    fn apply(&mut self, batch: &Batch, tip: Tip) {
        for entries in batch.entries.chunks(ENTRIES_AT_ONCE) {
            for entry in entries {
                self.engine.replay(entry);
                self.tally.add(entry, batch.wall);
                self.tally.audit_places(entry, &self.engine);
                self.timelines.add(entry, batch.wall);
                self.roster.add(entry, batch.wall, &self.engine);
                for event in &entry.events {
                    if let Some(change) = PeopleChange::of(event, entry.sealed.as_ref()) {
                        self.people.change(change);
                    }
                }
                self.sequence = entry.sequence;
                self.at = entry.at;
            }
            self.serve();
        }
        (self.tip, self.wall) = (tip, batch.wall);
        if let Some(mark) = batch.mark
            && mark.sequence == self.sequence
            && mark.differs(&self.engine)
        {
            self.tally.diverged();
            self.health.set_diverged();
            tracing::error!(
                sequence = mark.sequence,
                owner = mark.state_hash,
                replica = self.engine.state_hash(),
                "the replica's state differs from the owner's"
            );
        }
    }

    /// Runs the reads that may run now, at most as many as one round of callers: they must
    /// not keep the replica from following.
    fn serve(&mut self) {
        if self.clock.is_none() {
            return;
        }
        self.waiting.extend(self.reads.try_iter().take(READS));
        for _ in 0..READS {
            let ready = |r: &Read| r.after <= self.sequence || r.since.elapsed() >= PATIENCE;
            if !self.waiting.front().is_some_and(ready) {
                return;
            }
            let Some(read) = self.waiting.pop_front() else { return };
            let view = self.view();
            // A reader's mistake is the reader's: the view is only borrowed.
            if catch_unwind(AssertUnwindSafe(|| (read.run)(&view))).is_err() {
                tracing::error!("a read panicked");
            }
        }
    }

    fn view(&mut self) -> View<'_> {
        self.staffing.follow(self.engine.routing());
        View {
            now: self.clock.map_or(self.at, |clock| clock.now().max(self.at)),
            sequence: self.sequence,
            engine: &self.engine,
            statistics: &self.tally.statistics,
            timelines: &self.timelines,
            staffing: &self.staffing,
            roster: &self.roster,
        }
    }

    fn look(&mut self) {
        let behind = self.health.durable().saturating_sub(self.sequence);
        let observer = self.observer.clone();
        observer.look(&self.view(), behind);
        self.looked = Instant::now();
    }

    fn wait(&self) {
        let mut wait = LOOK_EVERY.saturating_sub(self.looked.elapsed());
        if let Some(first) = self.waiting.front() {
            wait = wait.min(PATIENCE.saturating_sub(first.since.elapsed()));
        }
        let mut select = Select::new();
        select.recv(&self.inbox.from);
        if self.clock.is_some() {
            select.recv(&self.reads);
        }
        // Which of them it was shows in the next round; neither is a reason to end.
        let _ = select.ready_timeout(wait);
    }
}
