//! The keeper: a thread that prepares the next segment and seals the last one, so that the
//! writer never waits for either.
//!
//! Owned by [`super::sqlite`], and ends with it. Sealing moves a segment's log into its file,
//! syncs both, and closes it. It never touches the segment that is being written, retries no
//! sync, and says an error where the writer looks before its next append.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use rusqlite::Connection;

use super::error::JournalError;
use super::files;
use super::segment::{self, Paths, Segment};

/// How often to try again to seal what a reader was just looking at.
const AGAIN: Duration = Duration::from_millis(100);

/// What the keeper is asked to do.
enum Job {
    /// Lay out the next segment.
    Prepare,
    /// Seal one that is full.
    Seal(Connection, Segment),
}

/// What the writer, the keeper and whoever trims share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// First entries of the segments that are open in this process, the written one included.
    open: Mutex<BTreeSet<u64>>,
    failed: Mutex<Option<JournalError>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is whole at every point where a holder could panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn opens(&self, first: u64) {
        held(&self.open).insert(first);
    }

    pub(super) fn is_open(&self, first: u64) -> bool {
        held(&self.open).contains(&first)
    }
}

/// The writer's end of it.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) shared: Arc<Shared>,
    jobs: Option<Sender<Job>>,
    prepared: Receiver<()>,
    asked: bool,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(paths: Paths, shared: Arc<Shared>) -> Result<Self, JournalError> {
        let (jobs, inbox) = unbounded();
        let (ready, prepared) = bounded(1);
        let work = Work { paths, shared: shared.clone(), ready, waiting: Vec::new() };
        let folder = work.paths.folder.clone();
        let thread = std::thread::Builder::new()
            .name("journal-keeper".into())
            .spawn(move || work.run(&inbox))
            .map_err(files::failed("start a thread for", &folder))?;
        Ok(Self { shared, jobs: Some(jobs), prepared, asked: false, thread: Some(thread) })
    }

    /// What went wrong, once.
    pub(super) fn failure(&self) -> Option<JournalError> {
        held(&self.shared.failed).take()
    }

    /// Has the next segment laid out, if it is not already.
    pub(super) fn prepare(&mut self) {
        if !std::mem::replace(&mut self.asked, true) {
            self.send(Job::Prepare);
        }
    }

    /// Whether the next segment is there: at once, or `wait` until it is.
    pub(super) fn prepared(&mut self, wait: bool) -> Result<bool, JournalError> {
        self.prepare();
        let ready =
            if wait { self.prepared.recv().is_ok() } else { self.prepared.try_recv().is_ok() };
        self.asked = !ready;
        match self.failure() {
            Some(error) => Err(error),
            // It ends without a word only when it panicked.
            None if wait && !ready => Err(JournalError::Poisoned),
            None => Ok(ready),
        }
    }

    /// Seals a segment in its own time.
    pub(super) fn seal(&self, connection: Connection, segment: Segment) {
        self.send(Job::Seal(connection, segment));
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs
            && jobs.send(job).is_err()
        {
            // A keeper that is gone has said why; the writer looks before it appends.
            tracing::debug!("the journal's keeper is gone");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it has been told by the hook.
            drop(thread.join());
        }
    }
}

/// The thread's own.
struct Work {
    paths: Paths,
    shared: Arc<Shared>,
    ready: Sender<()>,
    /// Segments that a reader kept from being sealed.
    waiting: Vec<(Connection, Segment)>,
}

impl Work {
    fn run(mut self, inbox: &Receiver<Job>) {
        loop {
            let patience = if self.waiting.is_empty() { Duration::MAX } else { AGAIN };
            let done = match inbox.recv_timeout(patience) {
                Ok(Job::Prepare) => prepare(&self.paths).map(|()| {
                    // The writer takes one before it asks for another.
                    let _ = self.ready.try_send(());
                }),
                Ok(Job::Seal(connection, segment)) => self.seal(connection, segment),
                Err(RecvTimeoutError::Timeout) => self.again(),
                // The writer is gone. What still waits stays in its log, which is synced, and
                // is sealed by the next start.
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(error) = done {
                tracing::error!(%error, "the journal's keeper stops");
                *held(&self.shared.failed) = Some(error);
                return;
            }
        }
    }

    fn again(&mut self) -> Result<(), JournalError> {
        for (connection, segment) in std::mem::take(&mut self.waiting) {
            self.seal(connection, segment)?;
        }
        Ok(())
    }

    fn seal(&mut self, connection: Connection, segment: Segment) -> Result<(), JournalError> {
        let failed = segment::sqlite(&segment.path);
        let moved = match segment::checkpoint(&connection, "TRUNCATE") {
            Ok(moved) => moved,
            Err(source) => {
                segment::keep_log(&connection, true).map_err(&failed)?;
                return Err(failed(source));
            }
        };
        if moved.busy {
            segment::keep_log(&connection, true).map_err(&failed)?;
            self.waiting.push((connection, segment));
            return Ok(());
        }
        fail::fail_point!("journal-seal", |_| crate::fault::die());
        connection.close().map_err(|(_, source)| failed(source))?;
        files::sync_folder(&self.paths.folder)?;
        held(&self.shared.open).remove(&segment.first);
        tracing::debug!(first = segment.first, "a segment is sealed");
        Ok(())
    }
}

/// Lays out a segment that has no number yet. It is closed again: its number is its name, and
/// a file that `SQLite` has open must not be renamed.
pub(super) fn prepare(paths: &Paths) -> Result<(), JournalError> {
    let path = &paths.next;
    for old in [path.clone()].into_iter().chain(segment::companions(path)) {
        files::remove(&old)?;
    }
    files::create_private(path)?;
    let failed = segment::sqlite(path);
    let connection = segment::connect(path).map_err(&failed)?;
    segment::lay_out(&connection).map_err(&failed)?;
    segment::checkpoint(&connection, "TRUNCATE").map_err(&failed)?;
    connection.close().map_err(|(_, source)| failed(source))?;
    files::sync_folder(&paths.folder)
}
