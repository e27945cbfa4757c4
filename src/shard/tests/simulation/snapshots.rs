//! The snapshots of the simulated processes, and what is trimmed behind them: by the taker, the
//! scribe, the folder and the bounds that ship, on one thread.
//!
//! Beside them stands a disk that damages a snapshot now and then, but never the last whole one,
//! and a reader that follows behind as the archive does. What either of them, or a start, still
//! needs of the journal must be there.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tempfile::TempDir;

use super::Broken;
use super::disk::{Bug, FaultyJournal, Shared, held};
use crate::journal::seal::KeyStore;
use crate::journal::snapshot::Snapshot;
use crate::journal::snapshot::kept::Snapshots;
use crate::journal::snapshot::trim::{Position, Trimming};
use crate::journal::{Journal, Tip};
use crate::shard::recovery::Resumed;
use crate::shard::snapshots::{Scribe, SnapshotOptions, Taker};
use crate::shard::testing::Recorded;

/// How long entries stay though no start needs them, by the router's own time.
const KEEP: Duration = Duration::from_secs(5);

/// What outlives every process.
pub(super) struct Shelf {
    data: TempDir,
    disk: Shared,
    bug: Option<Bug>,
    /// Where the reader behind has got, durably.
    reader: Tip,
    /// Those that were damaged, by what their names say.
    damaged: BTreeSet<u64>,
    pub(super) spoilt: usize,
    trims: Arc<AtomicUsize>,
    pub(super) left_out: usize,
}

/// What one process has.
pub(super) struct Keeping {
    kept: Snapshots,
    taker: Taker,
    scribe: Scribe,
    position: Position,
}

fn broken(error: impl std::fmt::Display) -> Broken {
    Broken(error.to_string())
}

impl Shelf {
    pub(super) fn new(disk: &Shared, bug: Option<Bug>) -> Self {
        // In memory where there is such a place: of the disk below nothing is tested here.
        let data = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self {
            data: data.expect("a folder"),
            disk: disk.clone(),
            bug,
            reader: Tip::default(),
            damaged: BTreeSet::new(),
            spoilt: 0,
            trims: Arc::default(),
            left_out: 0,
        }
    }

    pub(super) fn trims(&self) -> usize {
        self.trims.load(Ordering::SeqCst)
    }

    /// A process starts: what it keeps snapshots with, and what it goes on from.
    pub(super) fn open(&mut self) -> Result<(Keeping, Option<Resumed>), Broken> {
        let kept = Snapshots::open(self.data.path()).map_err(broken)?;
        let found = kept.newest(|s| Resumed::of(s.clone()).map(|resumed| (s, resumed)));
        let newest = found.map_err(broken)?.newest;
        let trimming = Arc::new(Trimming::default());
        let position = trimming.position();
        position.passed(self.reader.sequence);
        let (disk, trims, bug) = (self.disk.clone(), self.trims.clone(), self.bug);
        trimming.connect(move |upto| {
            let upto = if bug == Some(Bug::TrimsTooFar) { u64::MAX } else { upto };
            let trimmed = FaultyJournal::new(&disk).trim(upto).map_or(0, |t| t.segments);
            trims.fetch_add(usize::from(trimmed > 0), Ordering::SeqCst);
        });
        let options = SnapshotOptions {
            kept: kept.clone(),
            trimming,
            every_entries: 1,
            every: Duration::MAX,
            keep: KEEP,
        };
        let observer = Arc::new(Recorded::default());
        let (mut taker, mut scribe) =
            Taker::with_scribe(options, Arc::new(KeyStore::ephemeral()), observer);
        scribe.begin();
        let resumed = newest.map(|(snapshot, resumed)| {
            taker.resume(&snapshot);
            resumed
        });
        Ok((Keeping { kept, taker, scribe, position }, resumed))
    }

    /// The process is gone.
    pub(super) fn close(&mut self, keeping: Keeping) {
        self.left_out += usize::try_from(keeping.kept.left_out()).unwrap_or(usize::MAX);
    }

    /// A snapshot is due; whether there was anything new for one.
    pub(super) fn take(&mut self, keeping: &mut Keeping, snapshot: Snapshot) -> bool {
        let sequence = snapshot.tip.sequence;
        if !keeping.taker.has_news(sequence) {
            return false;
        }
        keeping.taker.take(|| snapshot);
        self.damaged.remove(&sequence);
        assert!(keeping.scribe.try_one(), "it waits for the scribe");
        true
    }

    /// The disk damages one of them, unless it is the last that is whole. Which, if it did.
    pub(super) fn spoil(&mut self, rng: &mut StdRng) -> Option<u64> {
        let whole: Vec<_> =
            self.all().into_iter().filter(|(at, _)| !self.damaged.contains(at)).collect();
        let (at, path) = whole.choose(rng).filter(|_| whole.len() > 1)?;
        let mut bytes = fs::read(path).expect("it is there");
        let place = bytes.len() * rng.random_range(0..1_000) / 1_000;
        bytes[place] ^= 1 << rng.random_range(0..8);
        fs::write(path, bytes).expect("it is there");
        self.damaged.insert(*at);
        self.spoilt += 1;
        Some(*at)
    }

    fn all(&self) -> Vec<(u64, PathBuf)> {
        let Ok(folder) = fs::read_dir(self.data.path().join("snapshots")) else { return vec![] };
        let sequence =
            |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("snapshot-")?.parse().ok();
        let paths = folder.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let mut all: Vec<_> = paths.filter_map(|path| Some((sequence(&path)?, path))).collect();
        all.sort();
        all
    }

    /// The reader behind takes some of what is durable.
    pub(super) fn follow(
        &mut self,
        keeping: Option<&Keeping>,
        rng: &mut StdRng,
    ) -> Result<(), Broken> {
        let disk = held(&self.disk);
        if disk.begins() > self.reader.sequence {
            return Err(Broken::of("what a reader behind still needs was trimmed"));
        }
        let new = disk.durable_after(self.reader.sequence);
        if let Some((_, tip)) = new.choose(rng) {
            self.reader = *tip;
        }
        if let Some(keeping) = keeping {
            keeping.position.passed(self.reader.sequence);
        }
        Ok(())
    }
}
