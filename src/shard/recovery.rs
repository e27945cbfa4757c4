//! Start and stop: from a journal's batches to a running shard, and back down.
//!
//! [`Recovery`] replays into the owner's engine and, on its own thread, into the
//! replica's; [`Recovery::finish`] makes what a start itself decides durable and starts
//! the threads. It does not open the journal and reads no files.

use std::error::Error;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use arc_swap::ArcSwap;
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use thiserror::Error as ThisError;
use tokio::sync::Semaphore;

use super::ask::{Ask, Rejection, WordsAsked};
use super::backlog::{Feed, backlog};
use super::batch::UNDURABLE_BATCHES;
use super::clock::{BEGINNING, Clock, gap, wall_now};
use super::handle::{ARRIVALS, Directory, LOOK_UPS, OTHERS, ShardHandle, WORDS};
use super::health::{Fatal, Health, ThreadKind};
use super::observe::Observer;
use super::owner::{Decider, Ends, Never, Owner};
use super::people::{People, PeopleChange};
use super::recalls::{RecallChange, Recalls};
use super::reload::{configure, journaled_stays};
use super::replica::{READS, Read, Replica, ToReplica};
use super::sessions::Sessions;
use super::snapshots::{SnapshotOptions, Taker};
use super::threads::{Followers, spawn};
use super::writer::{Exits, Writer};
use crate::background::{self, Background};
use crate::engine::Engine;
use crate::engine::command::Command;
use crate::engine::event::Event;
use crate::engine::image::ImageError;
use crate::engine::refusal::Refusal;
use crate::engine::routing::Routing;
use crate::journal::receipt::{RECEIPT, Receipts};
use crate::journal::seal::KeyStore;
use crate::journal::snapshot::Snapshot;
use crate::journal::snapshot::seen::Seen;
use crate::journal::{Batch, Journal, JournalError, Mark, Tip};
use crate::time::{EngineTime, WallTime};

/// What a shard needs from outside.
#[derive(Clone, Debug)]
pub struct ShardOptions {
    /// The keys of sealed personal data.
    pub keys: Arc<KeyStore>,
    /// Signs what is durable.
    pub receipts: Arc<Receipts>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
    /// When snapshots are taken and where they go; none for none.
    pub snapshots: Option<SnapshotOptions>,
}

/// A snapshot that an engine was made of.
#[derive(Debug)]
pub struct Resumed {
    snapshot: Arc<Snapshot>,
    engine: Engine,
}

impl Resumed {
    /// Makes an engine of a snapshot.
    ///
    /// # Errors
    /// What it holds is no state.
    pub fn of(snapshot: Snapshot) -> Result<Self, ImageError> {
        let engine = Engine::restore(&snapshot.engine)?;
        Ok(Self { snapshot: Arc::new(snapshot), engine })
    }

    /// Where the journal goes on from it.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.snapshot.tip
    }
}

/// Why a shard did not start.
#[derive(Debug, ThisError)]
pub enum StartError {
    /// The journal could not be written.
    #[error("the journal could not be written")]
    Journal(#[source] Box<dyn Error + Send + Sync>),
    /// The wanted configuration cannot follow the recovered one.
    #[error("the configuration does not fit what the journal holds")]
    Wanted(#[source] Box<dyn Error + Send + Sync>),
    /// The engine refuses the configuration, which then differs from the journal's in a way
    /// that cannot be.
    #[error("the configuration is refused")]
    Configuration(#[source] Refusal),
    /// The engine refuses to go on from its journal.
    #[error("the restart is refused")]
    Restart(#[source] Rejection),
    /// The replica could not follow the journal. Nothing was written.
    #[error("the router could not be read back")]
    Failed(#[source] Fatal),
    /// The system gave no thread.
    #[error("no thread could be started")]
    Thread(#[from] std::io::Error),
}

/// A shard that is reading its journal.
#[derive(Debug)]
pub struct Recovery {
    options: ShardOptions,
    engine: Engine,
    sequence: u64,
    at: EngineTime,
    wall: WallTime,
    configured: bool,
    people: Arc<People>,
    recalls: Arc<Recalls>,
    /// Followed at the end: what is built from a playbook takes its time, and of those that
    /// are long over nothing is wanted.
    recalls_seen: Vec<RecallChange>,
    health: Arc<Health>,
    /// The state was found to be another than the one that was written.
    diverged: bool,
    // Before the threads: without it the replica ends.
    replica: Feed,
    reads: Sender<Read>,
    followers: Followers,
}

impl Recovery {
    /// Begins with nothing.
    ///
    /// # Errors
    /// [`StartError::Thread`].
    pub fn new(options: ShardOptions) -> Result<Self, StartError> {
        let health = Arc::new(Health::default());
        let (replica, inbox) = backlog();
        // Bounded by permits, which callers wait for without blocking a thread.
        let (reads, read_end) = unbounded();
        let (taker, snapshots) = match options.snapshots.clone() {
            Some(snapshots) => {
                let (keys, observer) = (options.keys.clone(), options.observer.clone());
                let (taker, thread) = Taker::start(snapshots, keys, observer)?;
                (Some(taker), Some(thread))
            }
            None => (None, None),
        };
        let thread = {
            let (reads, health) = ((reads.clone(), read_end), health.clone());
            let observer = options.observer.clone();
            spawn(ThreadKind::Replica, &health.clone(), move || {
                Replica::new(inbox, reads, taker, health, observer).run();
            })?
        };
        Ok(Self {
            options,
            engine: Engine::default(),
            sequence: 0,
            at: EngineTime::ZERO,
            wall: WallTime::default(),
            configured: false,
            people: Arc::default(),
            recalls: Arc::default(),
            recalls_seen: Vec::new(),
            health,
            diverged: false,
            replica,
            reads,
            followers: Followers { replica: Some(thread), snapshots },
        })
    }

    /// Goes on from a snapshot; give the batches after it then, and nothing before this.
    pub fn resume(&mut self, resumed: Resumed) {
        let Resumed { snapshot, engine } = resumed;
        // First of all, so that the replica is made of it meanwhile.
        self.replica.send(ToReplica::Snapshot(snapshot.clone()));
        self.engine = engine;
        self.options.receipts.remember(snapshot.tip);
        (self.sequence, self.at) = (snapshot.tip.sequence, snapshot.at);
        self.wall = snapshot.wall;
        self.configured = **self.engine.routing() != Routing::default();
        self.people = Arc::new(People::restore(&snapshot.seen.people));
        for recall in self.engine.recalls() {
            self.recalls_seen.push(RecallChange::Started(recall.id, Arc::clone(&recall.plan)));
        }
        let over = self.engine.recalls().filter(|recall| recall.over);
        self.recalls_seen.extend(over.map(|recall| RecallChange::Ended(recall.id)));
        self.observe_sealed(&snapshot.seen);
    }

    /// A key store that is older than the snapshot learns whose the keys are.
    fn observe_sealed(&self, seen: &Seen) {
        let keys = &self.options.keys;
        for (_, known) in &seen.people {
            known.arrived.iter().chain(&known.said).for_each(|sealed| keys.observe(sealed));
        }
        for (_, timeline) in &seen.timelines {
            let sealed = timeline.items.iter().filter_map(|item| item.sealed.as_ref());
            sealed.for_each(|sealed| keys.observe(sealed));
        }
    }

    /// Replays a batch, after which the journal stands at `tip`; give all of them, in order.
    pub fn batch(&mut self, batch: Arc<Batch>, tip: Tip) {
        for entry in &batch.entries {
            self.engine.replay(entry);
            self.sequence = entry.sequence;
            self.at = entry.at;
            for event in &entry.events {
                self.configured |= matches!(event, Event::Configured(_));
                if let Some(change) = PeopleChange::of(event, entry.sealed.as_ref()) {
                    self.people.change(change);
                }
                self.recalls_seen.extend(RecallChange::of(event));
            }
        }
        self.wall = batch.wall;
        self.compare(batch.mark);
        self.options.receipts.remember(tip);
        // A replica that is gone has said so through its guard; prepare looks.
        self.replica.batch(batch, tip);
    }

    /// The replica compares too, but may be far behind when the owner begins to decide.
    fn compare(&mut self, mark: Option<Mark>) {
        let here = mark.filter(|mark| mark.sequence == self.sequence);
        let Some(mark) = here.filter(|mark| mark.differs(&self.engine)) else { return };
        self.health.set_diverged();
        if !std::mem::replace(&mut self.diverged, true) {
            tracing::error!(
                sequence = mark.sequence,
                written = mark.state_hash,
                replayed = self.engine.state_hash(),
                "the replayed state differs from the one that the journal was written with"
            );
        }
    }

    /// How the shard is; not ready until it is finished.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Goes on from what was replayed: makes the restart and the wanted configuration
    /// durable, if they are news, and starts. `wanted` is given the recovered
    /// configuration, none if there is none.
    ///
    /// # Errors
    /// See [`StartError`]; the journal may then hold the restart already.
    pub fn finish<J, E>(
        self,
        journal: J,
        wanted: impl FnOnce(Option<&Routing>) -> Result<Routing, E>,
    ) -> Result<(ShardHandle, Shard), StartError>
    where
        J: Journal + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.prepare(journal, wanted)?.start()
    }

    /// All of [`Self::finish`] but starting the threads.
    pub(crate) fn prepare<J, E>(
        mut self,
        mut journal: J,
        wanted: impl FnOnce(Option<&Routing>) -> Result<Routing, E>,
    ) -> Result<Prepared<J>, StartError>
    where
        J: Journal,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let fresh = self.sequence == 0;
        // Nothing was promised before the first entry.
        let then = if fresh { wall_now() } else { self.wall };
        let (gap, missed) = gap(then, wall_now());
        let clock = Clock::starting_at(if fresh { BEGINNING } else { self.at + gap });
        self.health.goes_by(clock);
        let engine = std::mem::take(&mut self.engine);
        let recovered = engine.routing().clone();
        let stays = |why| journaled_stays(why, self.configured, &self.health);
        let wanted = wanted(self.configured.then_some(&*recovered)).or_else(|error| {
            stays(StartError::Wanted(error.into())).map(|()| (*recovered).clone())
        })?;

        let observer = self.options.observer.clone();
        // As long as the sessions that can end: one that was lost would stay for ever.
        let farewells = unbounded::<Ask>();
        self.recalls.follow(std::mem::take(&mut self.recalls_seen));
        let words = bounded::<WordsAsked>(WORDS);
        let exits = Exits {
            receipts: self.options.receipts.clone(),
            receipt: Arc::new(ArcSwap::from_pointee([0; RECEIPT])),
            recalls: self.recalls.clone(),
            words: words.0,
            sessions: Sessions::new(farewells.0.clone(), observer.clone()),
            people: self.people.clone(),
            directory: Arc::new(ArcSwap::from_pointee(Directory::new(recovered.clone()))),
        };
        let mut decider = Decider::new(engine, clock, self.sequence, observer);
        if !fresh {
            decider.own(Command::Restart { gap, missed }).map_err(StartError::Restart)?;
        }
        if !self.configured || *recovered != wanted {
            configure(&mut decider, wanted).or_else(stays)?;
        }
        let opening = decider.close();
        // As far as it has got: it may still be behind, and fail later as it may at any time.
        self.health.fatal().map_or(Ok(()), |fatal| Err(StartError::Failed(fatal)))?;
        self.health.set_durable(self.sequence);
        self.health.set_recovered_to(self.sequence);
        let failed = |error: JournalError| StartError::Journal(error.into());
        let mut tip = journal.acquire().map_err(failed)?;
        self.health.set_epoch(tip.epoch);
        exits.prove(tip);
        if let Some(batch) = opening.batch {
            tip = journal.append(tip.epoch, self.sequence, &batch).map_err(failed)?;
            self.health.set_durable(tip.sequence);
            exits.prove(tip);
            self.replica.batch(batch, tip);
        }
        for release in opening.releases {
            exits.release(release);
        }
        self.replica.send(ToReplica::Live(clock));
        Ok(self.assemble((journal, tip), decider, exits, farewells, words.1))
    }

    fn assemble<J: Journal>(
        self,
        (journal, tip): (J, Tip),
        decider: Decider,
        exits: Exits,
        (farewells, farewells_end): (Sender<Ask>, Receiver<Ask>),
        words: Receiver<WordsAsked>,
    ) -> Prepared<J> {
        let Self {
            options: ShardOptions { keys, receipts, observer, .. },
            health,
            people,
            recalls,
            ..
        } = self;
        let (replica, snapshots) = self.followers.into_threads();
        let (directory, receipt) = (exits.directory.clone(), exits.receipt.clone());
        let (arrivals, arrivals_end) = bounded::<Ask>(ARRIVALS);
        let (others, others_end) = bounded::<Ask>(OTHERS);
        let (work, work_end) = bounded(UNDURABLE_BATCHES);
        let (settled, settled_end) = bounded(UNDURABLE_BATCHES);
        let (stop, stop_end) = bounded::<Never>(0);
        let writer = Writer {
            journal,
            tip,
            work: work_end,
            settled,
            replica: self.replica,
            exits,
            health: health.clone(),
            observer: observer.clone(),
        };
        let ends = Ends {
            farewells: farewells_end,
            arrivals: arrivals_end,
            others: others_end,
            settled: settled_end,
            work,
            stop: stop_end,
        };
        let owner = Owner::new(decider, ends, health.clone());
        let handle = ShardHandle {
            farewells,
            arrivals,
            others,
            reads: self.reads,
            read_permits: Arc::new(Semaphore::new(READS)),
            look_ups: Arc::new(Semaphore::new(LOOK_UPS)),
            health: health.clone(),
            observer,
            directory,
            people,
            keys,
            recalls,
            words,
            receipts,
            receipt,
            reloads: Arc::default(),
        };
        Prepared { owner, writer, handle, stop, replica, snapshots }
    }
}

/// A shard whose start is durable, before its owner and its writer run.
#[derive(Debug)]
pub(crate) struct Prepared<J> {
    pub(crate) owner: Owner,
    pub(crate) writer: Writer<J>,
    pub(crate) handle: ShardHandle,
    /// The owner stops when it is dropped.
    pub(crate) stop: Sender<Never>,
    pub(crate) replica: Option<JoinHandle<()>>,
    pub(crate) snapshots: Option<Background>,
}

impl<J: Journal + 'static> Prepared<J> {
    fn start(self) -> Result<(ShardHandle, Shard), StartError> {
        let Self { owner, writer, handle, stop, replica, snapshots } = self;
        let health = handle.health().clone();
        let mut threads = vec![
            spawn(ThreadKind::Owner, &health, move || owner.run())?,
            spawn(ThreadKind::Writer, &health, move || writer.run())?,
        ];
        threads.extend(replica);
        health.set_recovered();
        // The shard keeps a handle, so that the lanes stay open for as long as it runs.
        let shard = Shard { stop: Some(stop), threads, snapshots, health, _handle: handle.clone() };
        Ok((handle, shard))
    }
}

/// A running shard. Dropping it stops it.
#[derive(Debug)]
pub struct Shard {
    stop: Option<Sender<Never>>,
    /// In the order in which they end.
    threads: Vec<JoinHandle<()>>,
    /// Ends after them, when the last snapshot is written.
    snapshots: Option<Background>,
    health: Arc<Health>,
    _handle: ShardHandle,
}

impl Shard {
    /// Starts from what a journal held.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start<J, E>(
        options: ShardOptions,
        journal: J,
        recovered: impl IntoIterator<Item = (Arc<Batch>, Tip)>,
        wanted: impl FnOnce(Option<&Routing>) -> Result<Routing, E>,
    ) -> Result<(ShardHandle, Self), StartError>
    where
        J: Journal + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut recovery = Recovery::new(options)?;
        for (batch, tip) in recovered {
            recovery.batch(batch, tip);
        }
        recovery.finish(journal, wanted)
    }

    /// How the shard is.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Takes nothing more, decides what it has, waits until that is durable and has left,
    /// and ends. Then waits for the last snapshot, but not for long: a start can do without.
    /// Blocks: not for an async task.
    pub fn stop(self) {
        drop(self);
    }

    /// As [`Self::stop`], but leaves it to the caller to wait for the last snapshot. Blocks
    /// for about as long as two syncs take, and until the replica has applied what is durable
    /// and has copied its state for that snapshot: seconds, right after a start that read much.
    pub(crate) fn end(mut self) -> Option<Background> {
        self.halt();
        self.snapshots.take()
    }

    fn halt(&mut self) {
        self.health.set_stopping();
        drop(self.stop.take());
        for thread in self.threads.drain(..) {
            // A panic in it has been reported by its guard.
            drop(thread.join());
        }
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.halt();
        if let Some(snapshots) = self.snapshots.take() {
            snapshots.wait(Instant::now() + background::PATIENCE);
        }
    }
}
