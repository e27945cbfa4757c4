//! The archive's thread: that it waits for space, and that nobody waits for it for long.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};

use super::super::follow::Follow;
use super::*;

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What the archive told.
#[derive(Debug, Default)]
pub(super) struct Told {
    paused: Mutex<Vec<bool>>,
}

impl Watch for Told {
    fn archived(&self, _: u64, _: Duration, _: u64) {}
    fn archive_failed(&self) {}
    fn archive_paused(&self, paused: bool) {
        self.paused.lock().expect("no test panics with it").push(paused);
    }
    fn retention_behind(&self, _: Duration) {}
}

/// A journal on a disk that has space when it is told so.
pub(super) struct OnDisk {
    data: PathBuf,
    space: Arc<AtomicBool>,
}

impl OnDisk {
    pub(super) fn with_space(data: &Path) -> Self {
        Self { data: data.into(), space: Arc::new(AtomicBool::new(true)) }
    }
}

impl Follow for OnDisk {
    fn durable(&self) -> u64 {
        last_sequence(&self.data).expect("a journal")
    }

    fn has_space(&self) -> bool {
        self.space.load(Ordering::SeqCst)
    }

    fn read_from(
        &mut self,
        after: Tip,
        upto: u64,
        each: &mut dyn FnMut(&Batch, Tip) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        Ok(read_after(&self.data, &mut None, after, upto, each)?)
    }
}

#[test]
fn on_the_last_of_the_disk_it_pauses_and_then_goes_on_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 3, WallTime(10 * DAY_MS));
    let space = Arc::new(AtomicBool::new(false));
    let told = Arc::new(Told::default());
    let follow = OnDisk { data: data.into(), space: space.clone() };
    let options = Options { data: data.into(), keep_days: 400, time_zone: "UTC".into() };
    let archive = Archive::start(options, follow, told.clone()).expect("a thread");
    let asks = archive.asks();
    let refused = asks.catch_up(PATIENCE).expect_err("it is paused");
    assert!(matches!(refused, ArchiveError::NoSpace), "{refused}");
    assert_eq!(cells(data, "SELECT count(*) FROM contact"), [0]);
    space.store(true, Ordering::SeqCst);
    asks.catch_up(PATIENCE).expect("it goes on");
    assert_eq!(cells(data, "SELECT count(*) FROM contact"), [3]);
    space.store(false, Ordering::SeqCst);
    archive.stop();
    assert_eq!(*told.paused.lock().expect("no test panics with it"), [true, false, true]);
}

/// A disk that stands still until it is let go.
struct Stuck {
    reads: Sender<()>,
    go: Receiver<()>,
}

impl Follow for Stuck {
    fn durable(&self) -> u64 {
        1
    }

    fn has_space(&self) -> bool {
        true
    }

    fn read_from(
        &mut self,
        _: Tip,
        _: u64,
        _: &mut dyn FnMut(&Batch, Tip) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        let _ = self.reads.send(());
        let _ = self.go.recv();
        Ok(())
    }
}

#[test]
fn one_that_stands_still_does_not_keep_the_router_from_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (reads, reading) = bounded(9);
    let (go, stuck) = bounded::<()>(0);
    let options = Options { data: folder.path().into(), keep_days: 400, time_zone: "UTC".into() };
    let follow = Stuck { reads, go: stuck };
    let archive = Archive::start(options, follow, Arc::new(Told::default())).expect("a thread");
    reading.recv().expect("it reads");
    let thread = archive.end().expect("it runs");
    assert!(!thread.wait(Instant::now() + Duration::from_millis(20)), "it has not ended");
    drop(go);
}
