//! The archive's metrics: how far it is behind, what it writes, when it failed.

use std::time::Duration;

use metrics::{Counter, Gauge};
use metrics_exporter_prometheus::PrometheusRecorder;

use super::{Metrics, counter, float, gauge, names};
use crate::archive::Watch;

/// Their handles.
pub(super) struct ArchiveMetrics {
    behind: Gauge,
    age: Gauge,
    rows: Counter,
    failures: Counter,
    paused: Gauge,
    retention_behind: Gauge,
}

impl ArchiveMetrics {
    pub(super) fn new(r: &PrometheusRecorder) -> Self {
        Self {
            behind: gauge(r, &names::ARCHIVE_BEHIND, &[]),
            age: gauge(r, &names::ARCHIVE_AGE, &[]),
            rows: counter(r, &names::ARCHIVE_ROWS, &[]),
            failures: counter(r, &names::ARCHIVE_FAILURES, &[]),
            paused: gauge(r, &names::ARCHIVE_PAUSED, &[]),
            retention_behind: gauge(r, &names::ARCHIVE_RETENTION_BEHIND, &[]),
        }
    }
}

impl Watch for Metrics {
    fn archived(&self, behind: u64, age: Duration, rows: u64) {
        self.archive.behind.set(float(behind));
        self.archive.age.set(age.as_secs_f64());
        self.archive.rows.increment(rows);
    }

    fn archive_failed(&self) {
        self.archive.failures.increment(1);
    }

    fn archive_paused(&self, paused: bool) {
        self.archive.paused.set(f64::from(u8::from(paused)));
    }

    fn retention_behind(&self, behind: Duration) {
        self.archive.retention_behind.set(behind.as_secs_f64());
    }
}
