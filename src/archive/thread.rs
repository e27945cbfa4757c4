//! The thread that follows: reads on, commits, syncs, deletes what is old, and begins again
//! when something failed.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::aside;
use super::error::ArchiveError;
use super::follow::Follow;
use super::retain::Reckoned;
use super::store::Store;
use crate::background::{self, Background};
use crate::ids::CustomerId;
use crate::time::WallTime;

/// Events in one transaction, about: some hundredths of a second, 2 MiB. Each is synced by
/// itself under load, so that the journal's next sync never waits behind more than this.
const AT_ONCE: u64 = 5_000;
/// How often it looks whether there is more, when it has everything.
const POLL: Duration = Duration::from_millis(200);
/// How often what was committed is made durable, so that the journal may be trimmed.
const SYNC_EVERY: Duration = Duration::from_secs(2);
/// Between two rounds of deleting.
const RETAIN_EVERY: Duration = Duration::from_secs(3_600);
/// The first and the longest wait after a failure.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long it may still catch up when the router stops; the rest is read at the next start.
/// Less than it is waited for.
const FAREWELL: Duration = Duration::from_secs(3);
/// A date of retention that is further behind than that is worth telling people.
const LEAP: Duration = Duration::from_secs(24 * 3_600);
const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Is told how the archive does. Called on its thread.
pub trait Watch: Send + Sync + std::fmt::Debug {
    /// How far it is behind: durable entries that it does not have, and the age of the last
    /// that it has, 0 when it has all. And how many rows it wrote since the last time.
    fn archived(&self, behind: u64, age: Duration, rows: u64);
    /// It failed, and will try again.
    fn archive_failed(&self);
    /// It pauses for want of space, or goes on.
    fn archive_paused(&self, paused: bool);
    /// How far the date by which it deletes is behind the newest entry.
    fn retention_behind(&self, behind: Duration);
}

/// What the archive is to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub data: PathBuf,
    /// Contacts are deleted so many days after they ended.
    pub keep_days: u32,
    /// The time zone of reports, by its IANA name.
    pub time_zone: Arc<str>,
}

enum Ask {
    Forget(CustomerId, Sender<Result<usize, ArchiveError>>),
    CatchUp(Instant, Sender<Result<(), ArchiveError>>),
    Stop,
}

/// A running archive. Dropping it stops it.
#[derive(Debug)]
pub struct Archive {
    asks: Asks,
    durable: Arc<AtomicU64>,
    thread: Option<Background>,
}

/// Asks the archive's thread for something. Clones share it.
#[derive(Clone)]
pub struct Asks(Sender<Ask>);

impl std::fmt::Debug for Asks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asks").finish_non_exhaustive()
    }
}

impl Asks {
    /// Takes out what the archive has sealed of a customer; how many rows. Waits for the
    /// thread: not for a task that must not block.
    ///
    /// # Errors
    /// Nothing was taken out, or the thread does not answer.
    pub fn forget(&self, customer: CustomerId, patience: Duration) -> Result<usize, ArchiveError> {
        let (answer, waiting) = bounded(1);
        self.0.send(Ask::Forget(customer, answer)).map_err(|_| ArchiveError::Interrupted)?;
        waiting.recv_timeout(patience).unwrap_or(Err(ArchiveError::Interrupted))
    }
}

impl Asks {
    /// Waits until the archive has everything that is durable now. Blocks.
    ///
    /// # Errors
    /// It has not within this time, or it has failed.
    pub fn catch_up(&self, patience: Duration) -> Result<(), ArchiveError> {
        let (answer, waiting) = bounded(1);
        let until = Instant::now() + patience;
        self.0.send(Ask::CatchUp(until, answer)).map_err(|_| ArchiveError::Interrupted)?;
        waiting.recv_timeout(patience).unwrap_or(Err(ArchiveError::Interrupted))
    }
}

impl Archive {
    /// Starts to follow a journal.
    ///
    /// # Errors
    /// The system gives no thread. Everything else is tried again for as long as it runs; one
    /// that followed another journal is set aside, and a new one begun.
    pub fn start(
        options: Options,
        follow: impl Follow + 'static,
        watch: Arc<dyn Watch>,
    ) -> Result<Self, ArchiveError> {
        let (asks, inbox) = unbounded();
        let durable = Arc::new(AtomicU64::new(0));
        let follower = Follower {
            options,
            follow,
            watch,
            inbox,
            durable: durable.clone(),
            retry: RETRY.0,
            stopping: false,
            paused: false,
            unsure: false,
            known: None,
        };
        let thread = background::spawn("archive", move || follower.run());
        let thread = thread.map_err(ArchiveError::Thread)?;
        Ok(Self { asks: Asks(asks), durable, thread: Some(thread) })
    }

    /// Up to which entry everything is durable in the archive; 0 until it is known. The
    /// journal must not be trimmed beyond it.
    #[must_use]
    pub fn durable(&self) -> Arc<AtomicU64> {
        self.durable.clone()
    }

    /// How to ask it for something.
    #[must_use]
    pub fn asks(&self) -> Asks {
        self.asks.clone()
    }

    /// Catches up for a moment and ends. Blocks, but not for long: what it has not read is
    /// read at the next start.
    pub fn stop(self) {
        drop(self);
    }

    /// As [`Self::stop`], but leaves it to the caller to wait. Does not block.
    pub(crate) fn end(mut self) -> Option<Background> {
        self.halt()
    }

    fn halt(&mut self) -> Option<Background> {
        let thread = self.thread.take()?;
        // It has ended by itself if nobody takes this.
        drop(self.asks.0.send(Ask::Stop));
        Some(thread)
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if let Some(thread) = self.halt() {
            thread.wait(Instant::now() + background::PATIENCE);
        }
    }
}

struct Follower<F> {
    options: Options,
    follow: F,
    watch: Arc<dyn Watch>,
    inbox: Receiver<Ask>,
    durable: Arc<AtomicU64>,
    retry: Duration,
    /// It was told to stop: what fails from now on is for the next start.
    stopping: bool,
    /// There is no space to go on, and that was told.
    paused: bool,
    /// A sync has failed: nobody knows what the disk holds, and a second try would not say.
    unsure: bool,
    /// What it had when that was told last, and when that was written.
    known: Option<(u64, WallTime)>,
}

/// What is done now and then.
struct Due {
    /// When it was synced last, and what it had then.
    synced: Option<(Instant, u64)>,
    retain: Instant,
}

impl<F: Follow> Follower<F> {
    fn run(mut self) {
        loop {
            let followed = catch_unwind(AssertUnwindSafe(|| self.keep_up()));
            let error = match followed {
                Ok(Ok(())) => return,
                Ok(Err(
                    ArchiveError::Ahead { path, .. } | ArchiveError::Elsewhere { path, .. },
                )) if !self.stopping => match aside::set_aside(&path, wall_now()) {
                    Ok(_) => continue,
                    Err(error) => error,
                },
                Ok(Err(error)) => error,
                Err(panic) => {
                    drop::<Box<dyn Any + Send>>(panic);
                    ArchiveError::Interrupted
                }
            };
            let retry = self.retry;
            tracing::error!(%error, ?retry, "the archive failed: the router goes on without it");
            self.watch.archive_failed();
            self.tell_known(0);
            if self.stopping {
                return;
            }
            self.retry = (retry * 2).min(RETRY.1);
            if self.pause(retry).is_break() {
                return;
            }
        }
    }

    /// Waits, answering that nothing can be done now; until it is told to stop.
    fn pause(&self, lasting: Duration) -> ControlFlow<()> {
        let until = Instant::now() + lasting;
        loop {
            match self.inbox.recv_deadline(until) {
                Ok(Ask::Forget(_, answer)) => drop(answer.send(Err(ArchiveError::Interrupted))),
                Ok(Ask::CatchUp(_, answer)) => drop(answer.send(Err(ArchiveError::Interrupted))),
                Err(RecvTimeoutError::Timeout) => return ControlFlow::Continue(()),
                Ok(Ask::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    return ControlFlow::Break(());
                }
            }
        }
    }

    /// Follows until it is told to stop.
    fn keep_up(&mut self) -> Result<(), ArchiveError> {
        let mut store = Store::open(&self.options.data)?;
        store.is_of(&self.options.time_zone)?;
        let mut due = Due { synced: None, retain: Instant::now() };
        loop {
            let wait =
                if self.may_write(&store) { self.round(&mut store, &mut due)? } else { POLL };
            match self.inbox.recv_timeout(wait) {
                Ok(Ask::Forget(customer, answer)) => {
                    drop(answer.send(store.forget(customer, wall_now())));
                }
                Ok(Ask::CatchUp(until, answer)) => {
                    let all = self.catch_up(&mut store, until)?;
                    drop(answer.send(if all { Ok(()) } else { Err(ArchiveError::NoSpace) }));
                }
                Ok(Ask::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    return self.finish(&mut store);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Takes some, and does what else is due; how long nothing more is.
    fn round(&mut self, store: &mut Store, due: &mut Due) -> Result<Duration, ArchiveError> {
        let all = self.step(store)?;
        let stale = due.synced.is_none_or(|(since, tip)| {
            let new = store.tip().sequence.saturating_sub(tip);
            new > 0 && (!all || new >= AT_ONCE / 2 || since.elapsed() >= SYNC_EVERY)
        });
        if stale {
            self.sync(store)?;
            due.synced = Some((Instant::now(), store.tip().sequence));
        }
        if !all {
            return Ok(Duration::ZERO);
        }
        if due.retain <= Instant::now() {
            if self.retain(store)? > 0 {
                return Ok(Duration::ZERO);
            }
            due.retain = Instant::now() + RETAIN_EVERY;
        }
        Ok(POLL)
    }

    /// Deletes some of what is old enough; how many contacts.
    fn retain(&self, store: &mut Store) -> Result<usize, ArchiveError> {
        let Reckoned { today, behind } = store.reckon()?;
        let keep = u64::from(self.options.keep_days) * DAY_MS;
        let deleted = store.retain(WallTime(today.0.saturating_sub(keep)))?;
        self.watch.retention_behind(behind);
        if deleted == 0 && behind > LEAP {
            let days = behind.as_secs() / LEAP.as_secs();
            tracing::warn!(
                days,
                "the date by which the archive deletes is behind: the router stood still for so long, or its clock is ahead and should be set right"
            );
        }
        Ok(deleted)
    }

    /// Whether there is space to go on; says so when that changes.
    fn may_write(&mut self, store: &Store) -> bool {
        let may = self.follow.has_space();
        if may == self.paused {
            self.paused = !may;
            self.watch.archive_paused(!may);
            if may {
                tracing::info!("the disk has space: the archive goes on");
            } else {
                tracing::warn!("the archive pauses until the disk has space again");
            }
        }
        if !may {
            self.tell(store, 0);
        }
        may
    }

    /// Takes everything that is durable now; whether there was space and time for it.
    fn catch_up(&mut self, store: &mut Store, until: Instant) -> Result<bool, ArchiveError> {
        // Not what comes meanwhile, or it might never end.
        let target = self.follow.durable();
        while self.may_write(store) && Instant::now() < until {
            let all = self.step(store)? || store.tip().sequence >= target;
            self.sync(store)?;
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn finish(&mut self, store: &mut Store) -> Result<(), ArchiveError> {
        self.stopping = true;
        self.catch_up(store, Instant::now() + FAREWELL)?;
        self.sync(store)
    }

    /// Makes what was committed durable, and says so: the journal may be trimmed up to there.
    fn sync(&mut self, store: &Store) -> Result<(), ArchiveError> {
        store.sync().inspect_err(|_| {
            self.unsure = true;
            tracing::error!(
                "a sync of the archive failed: until a restart the journal is not trimmed beyond what was durable before"
            );
        })?;
        if !self.unsure {
            self.durable.store(store.tip().sequence, Ordering::Release);
        }
        store.checkpoint()
    }

    /// Takes one transaction's worth; whether it has everything now.
    fn step(&mut self, store: &mut Store) -> Result<bool, ArchiveError> {
        let durable = self.follow.durable();
        let from = store.tip();
        if from.sequence > durable {
            return Err(ArchiveError::Ahead {
                path: super::schema::path(&self.options.data),
                position: from.sequence,
                durable,
            });
        }
        let read = self.follow.read_from(from, durable, &mut |batch, tip| {
            store.take(batch, tip);
            if store.pending() < AT_ONCE {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        let mut rows = 0;
        let nothing = store.pending() == 0;
        if !nothing {
            rows = store.commit()?;
            self.retry = RETRY.0;
        }
        // What was whole before it is in.
        match read {
            Err(ArchiveError::Journal(source))
                if nothing && from.sequence > 0 && aside::is_elsewhere(&source) =>
            {
                let path = super::schema::path(&self.options.data);
                return Err(ArchiveError::Elsewhere { path, source: Box::new(source) });
            }
            read => read?,
        }
        self.tell(store, rows);
        Ok(nothing || store.tip().sequence >= durable)
    }

    fn tell(&mut self, store: &Store, rows: u64) {
        self.known = Some((store.tip().sequence, store.wall()));
        self.tell_known(rows);
    }

    /// How far behind it is, also while it fails: a lag that nobody tells is none.
    fn tell_known(&self, rows: u64) {
        let (has, wall) = self.known.unwrap_or_default();
        let behind = self.follow.durable().saturating_sub(has);
        let since = if self.known.is_some() { wall } else { wall_now() };
        let age = wall_now().0.saturating_sub(since.0);
        let age = Duration::from_millis(if behind > 0 { age } else { 0 });
        self.watch.archived(behind, age, rows);
    }
}

pub(super) fn wall_now() -> WallTime {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
