//! Metrics of waits to come: what one who came now would wait, and how right it was what
//! customers were told.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use metrics::{Gauge, Histogram};
use metrics_exporter_prometheus::PrometheusRecorder;

use super::{gauge, histogram, names};
use crate::engine::routing::Routing;
use crate::engine::words::Channel;
use crate::ids::QueueId;
use crate::shard::observe::Fact;
use crate::shard::view::View;

/// See the module.
#[derive(Default)]
pub(super) struct WaitMetrics {
    /// How the announced wait and the actual one compare, by queue.
    ratios: ArcSwap<BTreeMap<QueueId, Histogram>>,
    /// Mean and p80, by queue and channel.
    expected: ArcSwap<BTreeMap<(QueueId, usize), [Gauge; 2]>>,
}

impl WaitMetrics {
    pub(super) fn configured(&self, r: &PrometheusRecorder, routing: &Routing) {
        let ids = (0..).map(QueueId).zip(&routing.queues);
        let of = |name: &str| histogram(r, &names::WAIT_ANNOUNCED, &[name]);
        self.ratios.store(Arc::new(ids.map(|(id, queue)| (id, of(&queue.name))).collect()));
    }

    pub(super) fn fact(&self, fact: Fact<'_>, times: u64) {
        let Fact::AnsweredAsTold { queue, announced, waited } = fact else { return };
        if let Some(histogram) = self.ratios.load().get(&queue) {
            let ratio = waited.as_secs_f64() / announced.as_secs_f64();
            histogram.record_many(ratio, usize::try_from(times).unwrap_or(usize::MAX));
        }
    }

    /// Sets the gauges that are taken from state. What is not known any more is no number.
    pub(super) fn refresh(&self, r: &PrometheusRecorder, view: &View<'_>) {
        let known = self.expected.load();
        let mut now = None;
        for (id, queue) in (0..).map(QueueId).zip(&view.engine.routing().queues) {
            for channel in Channel::ALL.into_iter().filter(|c| queue.channels[c.index()]) {
                let wait = view.engine.wait_of_next(id, channel, view.now);
                let key = (id, channel.index());
                let gauges = match known.get(&key) {
                    Some(gauges) => gauges.clone(),
                    None => {
                        let labels = |what| [&*queue.name, channel.name(), what];
                        let one = |what| gauge(r, &names::EXPECTED_WAIT, &labels(what));
                        let gauges = [one("mean"), one("p80")];
                        let all = now.get_or_insert_with(|| BTreeMap::clone(&known));
                        all.insert(key, gauges.clone());
                        gauges
                    }
                };
                gauges[0].set(wait.map_or(f64::NAN, |wait| wait.mean.as_secs_f64()));
                gauges[1].set(wait.map_or(f64::NAN, |wait| wait.p80.as_secs_f64()));
            }
        }
        if let Some(now) = now {
            self.expected.store(Arc::new(now));
        }
    }
}
