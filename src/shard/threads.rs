//! The shard's threads: one is started so that a panic in it is known, and those that follow
//! the journal are waited for when a start fails.
//!
//! Owned by [`super::recovery`]. It knows nothing of what they do.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use super::health::{Health, PanicGuard, ThreadKind};
use crate::background::{self, Background};

pub(super) fn spawn(
    thread: ThreadKind,
    health: &Arc<Health>,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, io::Error> {
    let guard = PanicGuard { health: health.clone(), thread };
    std::thread::Builder::new().name(thread.name().into()).spawn(move || {
        let _guard = guard;
        run();
    })
}

/// The replica's thread and that of its snapshots, until a shard has them. Dropping it waits
/// until both are gone: they have the keys, and with them the lock of the data directory.
/// Whoever drops it has given up the way to the replica first, or would wait for ever.
#[derive(Debug)]
pub(super) struct Followers {
    pub(super) replica: Option<JoinHandle<()>>,
    pub(super) snapshots: Option<Background>,
}

impl Followers {
    pub(super) fn into_threads(mut self) -> (Option<JoinHandle<()>>, Option<Background>) {
        (self.replica.take(), self.snapshots.take())
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        if let Some(replica) = self.replica.take() {
            // A panic in it has been reported by its guard.
            drop(replica.join());
        }
        if let Some(snapshots) = self.snapshots.take() {
            snapshots.wait(Instant::now() + background::PATIENCE);
        }
    }
}
