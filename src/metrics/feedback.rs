//! Metrics of what customers think, by queue: how often they said so, and the sum of scores.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use metrics::Counter;
use metrics_exporter_prometheus::PrometheusRecorder;

use super::{counter, names};
use crate::engine::routing::Routing;
use crate::ids::QueueId;

/// See the module.
#[derive(Default)]
pub(super) struct FeedbackMetrics(ArcSwap<BTreeMap<QueueId, Handles>>);

struct Handles {
    scores: Counter,
    words: Counter,
    sum: Counter,
}

impl FeedbackMetrics {
    pub(super) fn configured(&self, r: &PrometheusRecorder, routing: &Routing) {
        let of = |name: &str| Handles {
            scores: counter(r, &names::FEEDBACK, &[name, "score"]),
            words: counter(r, &names::FEEDBACK, &[name, "words"]),
            sum: counter(r, &names::FEEDBACK_SCORE, &[name]),
        };
        let ids = (0..).map(QueueId).zip(&routing.queues);
        self.0.store(Arc::new(ids.map(|(id, queue)| (id, of(&queue.name))).collect()));
    }

    pub(super) fn given(&self, queue: QueueId, tenths: Option<u8>, times: u64) {
        let all = self.0.load();
        let Some(handles) = all.get(&queue) else { return };
        match tenths {
            Some(tenths) => {
                handles.scores.increment(times);
                handles.sum.increment(times.saturating_mul(tenths.into()));
            }
            None => handles.words.increment(times),
        }
    }
}
