//! Snapshots of the replica: when one is due, and the thread that writes it.
//!
//! The replica stands still only for as long as it takes to copy its state; a thread of its
//! own encodes and writes, one at a time. The owner is not touched. A snapshot that fails
//! is counted and tried again when the next is due: it is never needed to go on.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};

use super::observe::{Observer, SnapshotOutcome};
use crate::background::{self, Background};
use crate::journal::keys::KeyStore;
use crate::journal::snapshot::kept::{Snapshots, Written};
use crate::journal::snapshot::trim::{Trimming, outlived, remember};
use crate::journal::snapshot::{Passed, Snapshot, SnapshotError};

/// When snapshots are taken and where they go.
#[derive(Clone, Debug)]
pub struct SnapshotOptions {
    /// Where they are kept.
    pub kept: Snapshots,
    /// What shortens the journal behind them.
    pub trimming: Arc<Trimming>,
    /// Entries after which one is due.
    pub every_entries: u64,
    /// Time after which one is due, if there was any entry.
    pub every: Duration,
    /// How long entries stay in the journal though no start needs them.
    pub keep: Duration,
}

/// A snapshot on its way to the thread that writes it.
struct Taken {
    snapshot: Snapshot,
    paused: Duration,
}

/// The replica's end.
#[derive(Debug)]
pub(crate) struct Taker {
    to: Sender<Taken>,
    /// The thread has one in hand.
    busy: Arc<AtomicBool>,
    every_entries: u64,
    every: Duration,
    keep: Duration,
    passed: Vec<Passed>,
    /// What the last one that was taken held, and the last one that was written.
    sequence: u64,
    written: Arc<AtomicU64>,
    since: Instant,
}

impl Taker {
    /// Starts the thread, which ends when the taker is dropped and the last one is written.
    pub(crate) fn start(
        options: SnapshotOptions,
        keys: Arc<KeyStore>,
        observer: Arc<dyn Observer>,
    ) -> io::Result<(Self, Background)> {
        let (taker, scribe) = Self::with_scribe(options, keys, observer);
        let thread = background::spawn("snapshot", move || scribe.run())?;
        Ok((taker, thread))
    }

    /// All of [`Self::start`] but the thread.
    pub(crate) fn with_scribe(
        options: SnapshotOptions,
        keys: Arc<KeyStore>,
        observer: Arc<dyn Observer>,
    ) -> (Self, Scribe) {
        let (to, taken) = bounded(1);
        let busy = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicU64::new(0));
        let taker = Self {
            to,
            busy: busy.clone(),
            every_entries: options.every_entries,
            every: options.every,
            keep: options.keep,
            passed: Vec::new(),
            sequence: 0,
            written: written.clone(),
            since: Instant::now(),
        };
        let scribe = Scribe { taken, options, keys, observer, busy, written, told: 0 };
        (taker, scribe)
    }

    /// Goes on from a snapshot that was loaded.
    pub(crate) fn resume(&mut self, snapshot: &Snapshot) {
        self.sequence = snapshot.tip.sequence;
        self.written.store(snapshot.tip.sequence, Ordering::Release);
        self.passed.clone_from(&snapshot.passed);
    }

    /// Whether one is due after this entry. Never while another is being written.
    pub(crate) fn is_due(&self, sequence: u64) -> bool {
        let entries = sequence.saturating_sub(self.sequence);
        entries > 0
            && (entries >= self.every_entries || self.since.elapsed() >= self.every)
            && !self.busy.load(Ordering::Acquire)
    }

    /// Whether anything happened since the last one that was written, or that is about to be.
    pub(crate) fn has_news(&self, sequence: u64) -> bool {
        // Before the sequence: one that is no longer in hand has been counted, or has failed.
        let in_hand = self.busy.load(Ordering::Acquire) && self.sequence >= sequence;
        !in_hand && sequence > self.written.load(Ordering::Acquire)
    }

    /// Copies a state and hands it to the thread.
    pub(crate) fn take(&mut self, copy: impl FnOnce() -> Snapshot) {
        let began = Instant::now();
        let mut snapshot = copy();
        let now = Passed { sequence: snapshot.tip.sequence, at: snapshot.at };
        remember(&mut self.passed, now, self.keep);
        snapshot.passed.clone_from(&self.passed);
        (self.sequence, self.since) = (snapshot.tip.sequence, began);
        self.busy.store(true, Ordering::Release);
        let taken = Taken { snapshot, paused: began.elapsed() };
        // The thread ends after its sender only, unless telling its observer panicked.
        if self.to.send(taken).is_err() {
            tracing::error!("no snapshot is written: its thread has ended");
            self.busy.store(false, Ordering::Release);
        }
    }
}

/// The thread's own.
pub(crate) struct Scribe {
    taken: Receiver<Taken>,
    options: SnapshotOptions,
    keys: Arc<KeyStore>,
    observer: Arc<dyn Observer>,
    busy: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    /// Snapshots that were left out, as far as the observer knows.
    told: u64,
}

impl Scribe {
    fn run(mut self) {
        self.begin();
        while let Ok(taken) = self.taken.recv() {
            self.one(taken);
        }
    }

    /// Finds how far no start needs the journal. Here, because the older snapshot is read for
    /// it, which nobody who is waiting for the router should wait for.
    pub(crate) fn begin(&mut self) {
        match catch_unwind(AssertUnwindSafe(|| self.options.kept.older())) {
            Ok(Ok(older)) => self.options.trimming.outgrown(older.unwrap_or(0)),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the journal is kept until the next snapshot is written");
            }
            Err(_) => tracing::error!("looking at the older snapshot panicked"),
        }
        self.tell_left_out();
    }

    /// Writes one that waits; whether one did.
    #[cfg(test)]
    pub(crate) fn try_one(&mut self) -> bool {
        let taken = self.taken.try_recv();
        taken.map(|taken| self.one(taken)).is_ok()
    }

    fn one(&mut self, Taken { snapshot, paused }: Taken) {
        let kept = self.keep(&snapshot, paused);
        self.tell_left_out();
        if let Some(older) = kept {
            self.shorten(&snapshot, older);
        }
        // Before the next may be taken: never two of them in memory.
        drop(snapshot);
        self.busy.store(false, Ordering::Release);
    }

    fn tell_left_out(&mut self) {
        let all = self.options.kept.left_out();
        for _ in std::mem::replace(&mut self.told, all)..all {
            self.observer.snapshot(SnapshotOutcome::LeftOut);
        }
    }

    /// Writes a snapshot; up to where no start needs the journal any more, none if it was
    /// not written.
    fn keep(&self, snapshot: &Snapshot, paused: Duration) -> Option<u64> {
        let (began, sequence) = (Instant::now(), snapshot.tip.sequence);
        // The state is in the journal all the same: no reason to stop serving.
        match catch_unwind(AssertUnwindSafe(|| self.write(snapshot))) {
            Ok(Ok(Written { bytes, older })) => {
                self.written.store(sequence, Ordering::Release);
                let (wall, took) = (snapshot.wall, began.elapsed());
                self.observer.snapshot(SnapshotOutcome::Written { wall, paused, took, bytes });
                tracing::info!(sequence, bytes, ?paused, ?took, "snapshot written");
                return Some(older.unwrap_or(0));
            }
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, sequence, "no snapshot written");
            }
            Err(_) => tracing::error!(sequence, "writing a snapshot panicked"),
        }
        self.observer.snapshot(SnapshotOutcome::Failed);
        None
    }

    fn write(&self, snapshot: &Snapshot) -> Result<Written, SnapshotError> {
        // After a start from here nobody reads the entries by which a key that was given
        // out is found again.
        self.keys.settle().map_err(SnapshotError::Keys)?;
        self.options.kept.write(snapshot)
    }

    /// A journal that stays longer than it must is no reason to stop either.
    fn shorten(&self, snapshot: &Snapshot, older: u64) {
        let trimmed = catch_unwind(AssertUnwindSafe(|| self.trim(snapshot, older)));
        match trimmed {
            Ok(0) => {}
            Ok(upto) => tracing::info!(upto, "journal trimmed"),
            Err(_) => {
                self.observer.not_trimmed();
                tracing::error!(older, "trimming the journal panicked");
            }
        }
    }

    fn trim(&self, snapshot: &Snapshot, older: u64) -> u64 {
        let old_enough = outlived(&snapshot.passed, snapshot.at, self.options.keep);
        self.options.trimming.outgrown(older);
        self.options.trimming.upto(older.min(old_enough))
    }
}
