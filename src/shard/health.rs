//! How the shard is: what its threads tell each other and the edges about themselves.
//!
//! Flags and one number, shared by the handle and all threads; whoever sees a failure
//! sets it, and nobody ever clears one. It decides nothing: the app ends the process.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use thiserror::Error as ThisError;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::clock::Clock;
use crate::journal::receipt::Seen;
use crate::time::EngineTime;

/// What makes it impossible to go on. The process must end; recovery decides.
#[derive(Clone, Debug, ThisError)]
pub enum Fatal {
    /// The journal could not be written, so that nothing may be acknowledged any more.
    #[error("the journal could not be written")]
    Journal(#[source] Arc<dyn Error + Send + Sync>),
    /// A client was told that more is durable than this journal holds.
    #[error(
        "this is an older copy of the router's data: a client has a receipt for entry {} of epoch {}, but the journal ends at entry {durable} of epoch {epoch}; restore the newer copy, or go on without what is missing by starting once with `surgeline serve --accept-older-copy`",
        seen.sequence, seen.epoch
    )]
    OlderCopy {
        /// What the receipt says.
        seen: Seen,
        /// This process's epoch.
        epoch: u64,
        /// The last durable entry here.
        durable: u64,
    },
    /// A client was told that something is durable in whose place this journal has another.
    #[error(
        "this journal is not the one that clients were told of: one has a receipt for entry {} of epoch {}, which is another entry here; an older copy of the router's data was put back and went on: restore the newer copy, or go on without what is missing by starting once with `surgeline serve --accept-older-copy`",
        seen.sequence, seen.epoch
    )]
    OtherHistory {
        /// What the receipt says.
        seen: Seen,
    },
    /// A thread of the shard panicked; its state is unknown.
    #[error("the {0} thread of the shard panicked")]
    Panicked(ThreadKind),
}

/// A thread of the shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThreadKind {
    /// It decides.
    Owner,
    /// It makes durable and releases.
    Writer,
    /// It serves reads.
    Replica,
}

impl ThreadKind {
    /// Its name, at most 15 bytes as Linux wants.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Writer => "journal",
            Self::Replica => "replica",
        }
    }
}

impl std::fmt::Display for ThreadKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why the shard should not be sent anything.
#[derive(Clone, Debug, ThisError)]
pub enum NotReady {
    /// It still reads its journal.
    #[error("recovering from the journal")]
    Recovering,
    /// It is on its way down.
    #[error("stopping")]
    Stopping,
    /// It cannot go on.
    #[error(transparent)]
    Failed(#[from] Fatal),
    /// It is about to stop: nobody new is let in.
    #[error("draining")]
    Draining,
    /// What the journal replays to differs from the state that it was written with: one of
    /// the replica, the owner's replay and the owner before it is wrong.
    #[error("the state that the journal gives differs from the owner's")]
    Diverged,
}

/// Whether someone new is let in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Intake {
    /// Yes.
    Open,
    /// No: space for the journal runs out. Those who are here are served and can leave.
    LowSpace,
    /// No: the router is about to stop.
    Draining,
}

/// How much space the disk of the journal has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Space {
    /// Enough.
    Enough,
    /// Nobody new is let in, and the journal is kept no longer than it is needed.
    Low,
    /// Nor is any reservation made, and nothing is written that can wait.
    Critical,
}

/// How the shard is.
#[derive(Debug)]
pub struct Health {
    space: AtomicU8,
    draining: CancellationToken,
    recovered: AtomicBool,
    stopping: AtomicBool,
    diverged: AtomicBool,
    durable: AtomicU64,
    epoch: AtomicU64,
    recovered_to: AtomicU64,
    /// Why the configuration file is not in force.
    configuration: ArcSwapOption<Box<str>>,
    fatal: watch::Sender<Option<Fatal>>,
    clock: OnceLock<Clock>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            space: AtomicU8::new(Space::Enough as u8),
            draining: CancellationToken::new(),
            recovered: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            diverged: AtomicBool::new(false),
            durable: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
            recovered_to: AtomicU64::new(0),
            configuration: ArcSwapOption::empty(),
            fatal: watch::Sender::new(None),
            clock: OnceLock::new(),
        }
    }
}

impl Health {
    /// From now on engine time goes by this clock.
    pub(crate) fn goes_by(&self, clock: Clock) {
        // One process recovers once.
        let _ = self.clock.set(clock);
    }

    /// Engine time now; its beginning while the journal is still read. For edges, which turn
    /// wall time into it.
    #[must_use]
    pub fn engine_now(&self) -> EngineTime {
        self.clock.get().map_or(EngineTime::ZERO, Clock::now)
    }

    /// Whether commands and reads are served and what they say can be relied on.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn ready(&self) -> Result<(), NotReady> {
        if let Some(fatal) = self.fatal() {
            return Err(NotReady::Failed(fatal));
        }
        if self.is_stopping() {
            return Err(NotReady::Stopping);
        }
        if !self.recovered.load(Ordering::Acquire) {
            return Err(NotReady::Recovering);
        }
        if self.diverged.load(Ordering::Acquire) {
            return Err(NotReady::Diverged);
        }
        if self.draining.is_cancelled() {
            return Err(NotReady::Draining);
        }
        Ok(())
    }

    /// What made it impossible to go on, if anything did.
    #[must_use]
    pub fn fatal(&self) -> Option<Fatal> {
        self.fatal.borrow().clone()
    }

    /// Waits until something makes it impossible to go on; for ever if nothing does.
    pub async fn failed(&self) -> Fatal {
        let mut fatal = self.fatal.subscribe();
        loop {
            if let Some(found) = fatal.borrow_and_update().clone() {
                return found;
            }
            if fatal.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Sequence of the last durable entry; 0 before the first.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Whether someone new is let in.
    #[must_use]
    pub fn intake(&self) -> Intake {
        if self.draining.is_cancelled() {
            Intake::Draining
        } else if self.space() >= Space::Low {
            Intake::LowSpace
        } else {
            Intake::Open
        }
    }

    /// How much space there is, as whoever watches the disk said last.
    #[must_use]
    pub fn space(&self) -> Space {
        match self.space.load(Ordering::Acquire) {
            0 => Space::Enough,
            1 => Space::Low,
            _ => Space::Critical,
        }
    }

    /// Says how much space there is; others act by it.
    pub fn set_space(&self, space: Space) {
        self.space.store(space as u8, Ordering::Release);
    }

    /// Why the router's configuration file is not in force, if it is not. It serves all the
    /// same, by the configuration that the journal holds.
    #[must_use]
    pub fn configuration_fault(&self) -> Option<Arc<Box<str>>> {
        self.configuration.load_full()
    }

    /// Says why the configuration file is not in force; none once it is.
    pub fn set_configuration_fault(&self, why: Option<Box<str>>) {
        self.configuration.store(why.map(Arc::new));
    }

    /// Lets nobody new in any more: the router is about to stop.
    pub fn set_draining(&self) {
        self.draining.cancel();
    }

    /// Completes once the router is about to stop.
    pub fn draining(&self) -> WaitForCancellationFutureOwned {
        self.draining.clone().cancelled_owned()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether the replica's state may be gone on from: nothing failed, and it is the owner's.
    pub(crate) fn is_sound(&self) -> bool {
        self.fatal.borrow().is_none() && !self.diverged.load(Ordering::Acquire)
    }

    pub(crate) fn set_recovered(&self) {
        self.recovered.store(true, Ordering::Release);
    }

    pub(crate) fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn set_diverged(&self) {
        self.diverged.store(true, Ordering::Release);
    }

    /// Which process's turn at writing the journal this is.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The last entry that was there when this process began.
    #[must_use]
    pub fn recovered_to(&self) -> u64 {
        self.recovered_to.load(Ordering::Acquire)
    }

    pub(crate) fn set_recovered_to(&self, sequence: u64) {
        self.recovered_to.store(sequence, Ordering::Release);
    }

    pub(crate) fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Release);
    }

    pub(crate) fn set_durable(&self, sequence: u64) {
        self.durable.store(sequence, Ordering::Release);
    }

    /// Remembers the first failure: later ones follow from it.
    pub(crate) fn fail(&self, fatal: Fatal) {
        self.set_stopping();
        self.fatal.send_if_modified(|slot| {
            let first = slot.is_none();
            if first {
                *slot = Some(fatal);
            }
            first
        });
    }
}

/// Held by a thread for its whole life: a panic in it is a failure of the shard.
#[derive(Debug)]
pub(crate) struct PanicGuard {
    pub(crate) health: Arc<Health>,
    pub(crate) thread: ThreadKind,
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(thread = %self.thread, "a thread of the shard panicked");
            self.health.fail(Fatal::Panicked(self.thread));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_new_is_let_in_when_space_is_low_or_the_router_is_about_to_stop() {
        let health = Health::default();
        assert_eq!(health.intake(), Intake::Open);
        health.set_space(Space::Low);
        assert_eq!(health.intake(), Intake::LowSpace);
        health.set_space(Space::Enough);
        assert_eq!(health.intake(), Intake::Open);
        health.set_space(Space::Low);
        health.set_draining();
        assert_eq!(health.intake(), Intake::Draining);
    }

    #[tokio::test]
    async fn readiness_names_the_first_reason_and_the_first_failure_stays() {
        let health = Health::default();
        assert!(matches!(health.ready(), Err(NotReady::Recovering)));
        health.set_recovered();
        assert!(health.ready().is_ok());
        health.set_diverged();
        assert!(matches!(health.ready(), Err(NotReady::Diverged)));
        health.fail(Fatal::Panicked(ThreadKind::Owner));
        health.fail(Fatal::Panicked(ThreadKind::Writer));
        assert!(matches!(health.failed().await, Fatal::Panicked(ThreadKind::Owner)));
        assert_eq!(
            health.ready().map_err(|why| why.to_string()),
            Err("the owner thread of the shard panicked".into())
        );
    }
}
