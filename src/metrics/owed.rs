//! Metrics of what is owed: callbacks by where they are, promises and recoveries by what
//! became of them. All are read from the engine's state; the wait of callbacks is in no
//! other metric.

use std::collections::BTreeMap;

use arc_swap::ArcSwap;
use metrics::{Counter, Gauge};
use metrics_exporter_prometheus::PrometheusRecorder;
use std::sync::Arc;

use super::{counter, float, gauge, names};
use crate::engine::promise::PromiseKind;
use crate::ids::QueueId;
use crate::shard::view::View;

/// The words for where a callback is.
const PHASES: [&str; 6] = ["held", "patient", "pressing", "reserved", "dialling", "exhausted"];

/// See the module.
pub(super) struct OwedMetrics {
    /// By queue, where its callbacks are.
    callbacks: ArcSwap<BTreeMap<QueueId, [Gauge; 6]>>,
    promises: Vec<(PromiseKind, Promises)>,
    opened: Counter,
    done: Counter,
    overdue: Counter,
    open: Gauge,
    late: Gauge,
    unled: Gauge,
}

struct Promises {
    made: Counter,
    kept: Counter,
    broken: Counter,
    late: Counter,
    open: Gauge,
    wait: Gauge,
}

impl OwedMetrics {
    pub(super) fn new(r: &PrometheusRecorder) -> Self {
        let promises = |kind: PromiseKind| {
            let label = [kind.name()];
            let of = Promises {
                made: counter(r, &names::PROMISES_MADE, &label),
                kept: counter(r, &names::PROMISES_KEPT, &label),
                broken: counter(r, &names::PROMISES_BROKEN, &label),
                late: counter(r, &names::PROMISES_LATE, &label),
                open: gauge(r, &names::PROMISES_OPEN, &label),
                wait: gauge(r, &names::PROMISE_WAIT, &label),
            };
            (kind, of)
        };
        Self {
            callbacks: ArcSwap::default(),
            promises: PromiseKind::ALL.map(promises).into(),
            opened: counter(r, &names::RECOVERIES_OPENED, &[]),
            done: counter(r, &names::RECOVERIES_DONE, &[]),
            overdue: counter(r, &names::RECOVERIES_OVERDUE, &[]),
            open: gauge(r, &names::RECOVERIES_OPEN, &[]),
            late: gauge(r, &names::RECOVERIES_LATE, &[]),
            unled: gauge(r, &names::RECOVERIES_UNLED, &[]),
        }
    }

    /// Sets all of them.
    pub(super) fn refresh(&self, r: &PrometheusRecorder, view: &View<'_>) {
        let owed = view.engine.owed_counts();
        for (kind, of) in &self.promises {
            let n = owed.promises[kind.index()];
            of.made.absolute(n.made);
            of.kept.absolute(n.kept);
            of.broken.absolute(n.broken);
            of.late.absolute(n.late);
            of.open.set(float(n.made - n.kept - n.broken));
            let each = if n.kept > 0 { n.waited.as_secs_f64() / float(n.kept) } else { f64::NAN };
            of.wait.set(each);
        }
        let n = owed.recoveries;
        self.opened.absolute(n.opened);
        self.done.absolute(n.done);
        self.overdue.absolute(n.overdue);
        self.open.set(float(n.opened - n.done));
        self.late.set(float(view.engine.recoveries_overdue()));
        self.unled.set(float(view.engine.recoveries_unled()));
        self.callbacks(r, view);
    }

    fn callbacks(&self, r: &PrometheusRecorder, view: &View<'_>) {
        let known = self.callbacks.load();
        let mut now = None;
        for (id, queue) in (0..).map(QueueId).zip(&view.engine.routing().queues) {
            let n = view.engine.callbacks(id);
            let gauges = match known.get(&id) {
                Some(gauges) => gauges.clone(),
                None if queue.callback.is_none() => continue,
                None => {
                    let one = |phase| gauge(r, &names::CALLBACKS, &[&*queue.name, phase]);
                    let gauges = PHASES.map(one);
                    let all = now.get_or_insert_with(|| BTreeMap::clone(&known));
                    all.insert(id, gauges.clone());
                    gauges
                }
            };
            let counts = [n.held, n.patient, n.pressing, n.reserved, n.dialling, n.exhausted];
            for (gauge, count) in gauges.iter().zip(counts) {
                gauge.set(f64::from(count));
            }
        }
        if let Some(now) = now {
            self.callbacks.store(Arc::new(now));
        }
    }
}
