//! Metrics of agents' day: who is not ready for which reason, who for too long, who is in a call
//! outside the router, whose agents help another queue. Counted from state when they are asked for.

use std::sync::Arc;

use arc_swap::ArcSwap;
use metrics::Gauge;
use metrics_exporter_prometheus::PrometheusRecorder;

use super::{float, gauge, names};
use crate::engine::agent::Agent;
use crate::engine::routing::Routing;
use crate::engine::sharing::Sharing;
use crate::engine::words::Availability;
use crate::ids::SharingId;
use crate::shard::view::View;

/// See the module.
pub(super) struct PeopleMetrics {
    /// By reason.
    reasons: ArcSwap<Vec<Reason>>,
    outside: Gauge,
    /// By sharing.
    sharing: ArcSwap<Vec<Gauge>>,
}

/// Agents who are not ready for one reason.
struct Reason {
    on: Gauge,
    overstayed: Gauge,
}

impl PeopleMetrics {
    pub(super) fn new(r: &PrometheusRecorder) -> Self {
        let outside = gauge(r, &names::AGENTS_OUTSIDE, &[]);
        Self { reasons: ArcSwap::default(), outside, sharing: ArcSwap::default() }
    }

    pub(super) fn configured(&self, r: &PrometheusRecorder, routing: &Routing) {
        let of = |name: &str| Reason {
            on: gauge(r, &names::AGENTS_NOT_READY, &[name]),
            overstayed: gauge(r, &names::AGENTS_OVERSTAYED, &[name]),
        };
        let all = routing.not_ready_reasons.iter().map(|reason| of(&reason.name));
        self.reasons.store(Arc::new(all.collect()));
        let on = |s: &Sharing| gauge(r, &names::SHARING_ON, &[&s.name]);
        self.sharing.store(Arc::new(routing.sharings.iter().map(on).collect()));
    }

    pub(super) fn refresh(&self, view: &View<'_>) {
        let reasons = self.reasons.load();
        let mut counts = vec![[0_u64; 2]; reasons.len()];
        let mut outside = 0;
        for agent in view.engine.agents() {
            outside += u64::from(!agent.outside.is_empty());
            if let Some(count) = reason(agent).and_then(|at| counts.get_mut(at)) {
                count[0] += 1;
                count[1] += u64::from(agent.overstayed);
            }
        }
        for (reason, [on, overstayed]) in reasons.iter().zip(counts) {
            reason.on.set(float(on));
            reason.overstayed.set(float(overstayed));
        }
        self.outside.set(float(outside));
        for (id, on) in (0..).zip(self.sharing.load().iter()) {
            on.set(float(u64::from(view.engine.is_shared(SharingId(id)))));
        }
    }
}

/// The reason that an agent is not ready for, by its position.
fn reason(agent: &Agent) -> Option<usize> {
    match agent.availability {
        Availability::NotReady(reason) => Some(reason.index()),
        Availability::Ready | Availability::SignedOut => None,
    }
}
