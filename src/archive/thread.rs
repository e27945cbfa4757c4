//! The thread that follows: reads on, commits, syncs, deletes what is old, and begins again
//! when something failed.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::error::ArchiveError;
use super::follow::Follow;
use super::store::Store;
use crate::background::give_way;
use crate::ids::CustomerId;
use crate::time::WallTime;

/// Events in one transaction, about: some tenths of a second, 20 MiB.
const AT_ONCE: u64 = 50_000;
/// How often it looks whether there is more, when it has everything.
const POLL: Duration = Duration::from_millis(200);
/// How often what was committed is made durable, so that the journal may be trimmed.
const SYNC_EVERY: Duration = Duration::from_secs(2);
/// Between two rounds of deleting.
const RETAIN_EVERY: Duration = Duration::from_secs(3_600);
/// The first and the longest wait after a failure.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long it may still catch up when the router stops; the rest is read at the next start.
const FAREWELL: Duration = Duration::from_secs(3);
const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Is told how the archive does. Called on its thread.
pub trait Watch: Send + Sync + std::fmt::Debug {
    /// How far it is behind: durable entries that it does not have, and the age of the last
    /// that it has, 0 when it has all. And how many rows it wrote since the last time.
    fn archived(&self, behind: u64, age: Duration, rows: u64);
    /// It failed, and will try again.
    fn archive_failed(&self);
}

/// What the archive is to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub data: PathBuf,
    /// Contacts are deleted so many days after they ended.
    pub keep_days: u32,
}

enum Ask {
    Forget(CustomerId, Sender<Result<usize, ArchiveError>>),
    CatchUp(Sender<Result<(), ArchiveError>>),
    Stop,
}

/// A running archive. Dropping it stops it.
#[derive(Debug)]
pub struct Archive {
    asks: Asks,
    durable: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
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
        self.0.send(Ask::CatchUp(answer)).map_err(|_| ArchiveError::Interrupted)?;
        waiting.recv_timeout(patience).unwrap_or(Err(ArchiveError::Interrupted))
    }
}

impl Archive {
    /// Starts to follow a journal.
    ///
    /// # Errors
    /// The system gives no thread. Everything else is tried again for as long as it runs.
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
            unsure: false,
        };
        let thread = std::thread::Builder::new().name("archive".into());
        let thread = thread.spawn(move || follower.run()).map_err(ArchiveError::Thread)?;
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

    /// Catches up for a moment and ends. Blocks.
    pub fn stop(mut self) {
        self.halt();
    }

    fn halt(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        // It has ended by itself if nobody takes this.
        drop(self.asks.0.send(Ask::Stop));
        if thread.join().is_err() {
            tracing::error!("the archive's thread had panicked");
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.halt();
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
    /// A sync has failed: nobody knows what the disk holds, and a second try would not say.
    unsure: bool,
}

impl<F: Follow> Follower<F> {
    fn run(mut self) {
        give_way();
        loop {
            let followed = catch_unwind(AssertUnwindSafe(|| self.keep_up()));
            let error = match followed {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(panic) => {
                    drop::<Box<dyn Any + Send>>(panic);
                    ArchiveError::Interrupted
                }
            };
            let retry = self.retry;
            tracing::error!(%error, ?retry, "the archive failed: the router goes on without it");
            self.watch.archive_failed();
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
                Ok(Ask::CatchUp(answer)) => drop(answer.send(Err(ArchiveError::Interrupted))),
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
        let mut synced = None;
        let mut retain = Instant::now();
        loop {
            let all = self.step(&mut store)?;
            let stale = synced.is_none_or(|(since, tip): (Instant, u64)| {
                tip != store.tip().sequence && since.elapsed() >= SYNC_EVERY
            });
            if stale {
                self.sync(&store)?;
                synced = Some((Instant::now(), store.tip().sequence));
            }
            let mut wait = if all { POLL } else { Duration::ZERO };
            if all && retain <= Instant::now() {
                let now = wall_now();
                let keep = u64::from(self.options.keep_days) * DAY_MS;
                if store.retain(WallTime(now.0.saturating_sub(keep)))? > 0 {
                    wait = Duration::ZERO;
                } else {
                    retain = Instant::now() + RETAIN_EVERY;
                }
            }
            match self.inbox.recv_timeout(wait) {
                Ok(Ask::Forget(customer, answer)) => {
                    drop(answer.send(store.forget(customer, wall_now())));
                }
                Ok(Ask::CatchUp(answer)) => {
                    while !self.step(&mut store)? {}
                    drop(answer.send(Ok(())));
                }
                Ok(Ask::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    return self.finish(&mut store);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn finish(&mut self, store: &mut Store) -> Result<(), ArchiveError> {
        self.stopping = true;
        let began = Instant::now();
        while began.elapsed() < FAREWELL && !self.step(store)? {}
        self.sync(store)
    }

    /// Makes what was committed durable, and says so: the journal may be trimmed up to there.
    fn sync(&mut self, store: &Store) -> Result<(), ArchiveError> {
        store.sync().inspect_err(|_| self.unsure = true)?;
        if !self.unsure {
            self.durable.store(store.tip().sequence, Ordering::Release);
        }
        Ok(())
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
        read?;
        let behind = self.follow.durable().saturating_sub(store.tip().sequence);
        let age = wall_now().0.saturating_sub(store.wall().0);
        let age = Duration::from_millis(if behind > 0 { age } else { 0 });
        self.watch.archived(behind, age, rows);
        Ok(nothing || store.tip().sequence >= durable)
    }
}

fn wall_now() -> WallTime {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
