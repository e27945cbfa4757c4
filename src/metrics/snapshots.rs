//! What snapshots and the last recovery tell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{Counter, Gauge};
use metrics_exporter_prometheus::PrometheusRecorder;

use super::names;
use super::{counter, float, gauge};
use crate::shard::observe::SnapshotOutcome;
use crate::time::WallTime;

/// Handles of everything here.
pub(super) struct SnapshotMetrics {
    age: Gauge,
    seconds: Gauge,
    paused: Gauge,
    bytes: Gauge,
    written: Counter,
    failed: Counter,
    put_off: Counter,
    left_out: Counter,
    not_trimmed: Counter,
    recovery: Gauge,
    recovery_entries: Gauge,
    recovery_expected: Gauge,
    /// When the newest state was that a start could go on from, milliseconds since the
    /// epoch; before the first snapshot that of the process's start.
    since: AtomicU64,
}

impl SnapshotMetrics {
    pub(super) fn new(r: &PrometheusRecorder) -> Self {
        Self {
            age: gauge(r, &names::SNAPSHOT_AGE, &[]),
            seconds: gauge(r, &names::SNAPSHOT_SECONDS, &[]),
            paused: gauge(r, &names::SNAPSHOT_PAUSE, &[]),
            bytes: gauge(r, &names::SNAPSHOT_BYTES, &[]),
            written: counter(r, &names::SNAPSHOTS, &["written"]),
            failed: counter(r, &names::SNAPSHOTS, &["failed"]),
            put_off: counter(r, &names::SNAPSHOTS, &["put_off"]),
            left_out: counter(r, &names::SNAPSHOTS, &["left_out"]),
            not_trimmed: counter(r, &names::JOURNAL_NOT_TRIMMED, &[]),
            recovery: gauge(r, &names::RECOVERY_SECONDS, &[]),
            recovery_entries: gauge(r, &names::RECOVERY_ENTRIES, &[]),
            recovery_expected: gauge(r, &names::RECOVERY_EXPECTED, &[]),
            since: AtomicU64::new(now().0),
        }
    }

    pub(super) fn recovering(&self, entries: u64, of: Option<u64>) {
        self.recovery_entries.set(float(entries));
        self.recovery_expected.set(float(of.unwrap_or(0)));
    }

    pub(super) fn recovered(&self, took: Duration, entries: u64) {
        self.recovery.set(took.as_secs_f64());
        self.recovery_entries.set(float(entries));
    }

    pub(super) fn outcome(&self, outcome: SnapshotOutcome) {
        match outcome {
            SnapshotOutcome::Written { wall, paused, took, bytes } => {
                self.since.store(wall.0, Ordering::Relaxed);
                self.paused.set(paused.as_secs_f64());
                self.seconds.set(took.as_secs_f64());
                self.bytes.set(float(bytes));
                self.written.increment(1);
            }
            SnapshotOutcome::Loaded(wall) => self.since.store(wall.0, Ordering::Relaxed),
            SnapshotOutcome::Failed => self.failed.increment(1),
            SnapshotOutcome::LeftOut => self.left_out.increment(1),
            SnapshotOutcome::PutOff => self.put_off.increment(1),
        }
    }

    pub(super) fn not_trimmed(&self) {
        self.not_trimmed.increment(1);
    }

    pub(super) fn refresh(&self) {
        let age = now().0.saturating_sub(self.since.load(Ordering::Relaxed));
        self.age.set(Duration::from_millis(age).as_secs_f64());
    }
}

fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
