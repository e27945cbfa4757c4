//! The keeper: a thread that prepares the next segment and seals the last one, so that the
//! writer never waits for either.
//!
//! Owned by [`super::sqlite`], and ends with it. Sealing moves a segment's log into its file,
//! syncs both, and closes it. It never touches the segment that is being written, retries no
//! sync, and says an error where the writer looks before its next append. A segment that cannot
//! be prepared because the process has no file or memory left is tried again: nothing in it was
//! acknowledged, and the writer goes on in the one that it has.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded, unbounded};
use rusqlite::{Connection, ErrorCode};
use rustix::io::Errno;

use super::error::JournalError;
use super::files;
use super::segment::{self, Paths, Segment};

/// How often to try again to seal what a reader was just looking at, or to prepare what there
/// was no file for.
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
    /// The next segment waits for a file or memory to be given back.
    exhausted: AtomicBool,
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
        Self::start_with(paths, shared, prepare)
    }

    fn start_with(
        paths: Paths,
        shared: Arc<Shared>,
        prepare: Prepare,
    ) -> Result<Self, JournalError> {
        let (jobs, inbox) = unbounded();
        let (ready, prepared) = bounded(1);
        let work = Work {
            paths,
            shared: shared.clone(),
            ready,
            prepare,
            unprepared: false,
            waiting: Vec::new(),
        };
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

    /// Whether the next segment is there: at once, or `wait` until it is or cannot be.
    pub(super) fn prepared(&mut self, wait: bool) -> Result<bool, JournalError> {
        self.prepare();
        let ready = self.ready(wait);
        self.asked = ready.is_err();
        match (self.failure(), ready) {
            (Some(error), _) => Err(error),
            // It ends without a word only when it panicked.
            (None, Err(TryRecvError::Disconnected)) => Err(JournalError::Poisoned),
            (None, ready) => Ok(ready.is_ok()),
        }
    }

    fn ready(&self, wait: bool) -> Result<(), TryRecvError> {
        loop {
            let ready = self.prepared.try_recv();
            let exhausted = || self.shared.exhausted.load(Ordering::Acquire);
            if ready != Err(TryRecvError::Empty) || !wait || exhausted() {
                return ready;
            }
            // Or gone, which the next look tells.
            if self.prepared.recv_timeout(AGAIN).is_ok() {
                return Ok(());
            }
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

type Prepare = fn(&Paths) -> Result<(), JournalError>;

/// The thread's own.
struct Work {
    paths: Paths,
    shared: Arc<Shared>,
    ready: Sender<()>,
    prepare: Prepare,
    /// The next segment is asked for, and there was no file or memory for it.
    unprepared: bool,
    /// Segments that a reader kept from being sealed.
    waiting: Vec<(Connection, Segment)>,
}

impl Work {
    fn run(mut self, inbox: &Receiver<Job>) {
        loop {
            let idle = self.waiting.is_empty() && !self.unprepared;
            let patience = if idle { Duration::MAX } else { AGAIN };
            let done = match inbox.recv_timeout(patience) {
                Ok(Job::Prepare) => self.prepare(),
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

    fn prepare(&mut self) -> Result<(), JournalError> {
        let done = (self.prepare)(&self.paths);
        let exhausted = done.as_ref().is_err_and(is_exhausted);
        let was_exhausted = std::mem::replace(&mut self.unprepared, exhausted);
        self.shared.exhausted.store(exhausted, Ordering::Release);
        match done {
            Err(error) if exhausted => {
                if !was_exhausted {
                    tracing::error!(%error, "the next segment of the journal waits for a file or memory to be given back");
                }
                Ok(())
            }
            Err(error) => Err(error),
            Ok(()) => {
                if was_exhausted {
                    tracing::info!("the next segment of the journal is prepared at last");
                }
                // The writer takes one before it asks for another.
                let _ = self.ready.try_send(());
                Ok(())
            }
        }
    }

    fn again(&mut self) -> Result<(), JournalError> {
        if self.unprepared {
            self.prepare()?;
        }
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

/// Whether it may go when the process has files and memory again. `SQLite` does not tell why it
/// cannot open a file.
fn is_exhausted(error: &JournalError) -> bool {
    match error {
        JournalError::Io { source, .. } => Errno::from_io_error(source)
            .is_some_and(|errno| [Errno::MFILE, Errno::NFILE, Errno::NOMEM].contains(&errno)),
        JournalError::Sqlite { source, .. } => source
            .sqlite_error_code()
            .is_some_and(|code| [ErrorCode::CannotOpen, ErrorCode::OutOfMemory].contains(&code)),
        _ => false,
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn io_error(errno: Errno) -> JournalError {
        files::failed("create", "next".as_ref())(errno.into())
    }

    #[test]
    fn a_segment_that_there_is_no_file_for_is_tried_again_and_the_writer_goes_on() {
        static TRIED: AtomicUsize = AtomicUsize::new(0);
        static GIVEN_BACK: AtomicBool = AtomicBool::new(false);
        let data = tempfile::tempdir().unwrap();
        let paths = Paths::of(data.path());
        files::create_folder(&paths.folder).unwrap();
        let try_to = |paths: &Paths| {
            TRIED.fetch_add(1, Ordering::SeqCst);
            match GIVEN_BACK.load(Ordering::SeqCst) {
                true => prepare(paths),
                false => Err(io_error(Errno::MFILE)),
            }
        };
        let mut keeper = Keeper::start_with(paths.clone(), Arc::default(), try_to).unwrap();
        // It returns: the writer is not held.
        assert!(!keeper.prepared(true).unwrap());
        assert!(!keeper.prepared(true).unwrap());
        assert!(TRIED.load(Ordering::SeqCst) >= 1 && !paths.next.exists());
        GIVEN_BACK.store(true, Ordering::SeqCst);
        while !keeper.prepared(true).unwrap() {
            std::thread::yield_now();
        }
        assert!(paths.next.exists() && keeper.failure().is_none());
        assert!(keeper.prepared(true).unwrap(), "and the one after it");
    }

    #[test]
    fn what_is_no_want_of_files_or_memory_ends_the_keeper() {
        let data = tempfile::tempdir().unwrap();
        let fails = |_: &Paths| Err(io_error(Errno::IO));
        let mut keeper = Keeper::start_with(Paths::of(data.path()), Arc::default(), fails).unwrap();
        assert!(matches!(keeper.prepared(true), Err(JournalError::Io { .. })));
        for (errno, exhausted) in [
            (Errno::MFILE, true),
            (Errno::NFILE, true),
            (Errno::NOMEM, true),
            (Errno::IO, false),
            (Errno::NOSPC, false),
        ] {
            assert_eq!(is_exhausted(&io_error(errno)), exhausted, "{errno}");
        }
        let other = io::Error::other("not of the system");
        assert!(!is_exhausted(&files::failed("create", "next".as_ref())(other)));
    }
}
