//! What recalls, self-service and classes of service tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::PrometheusRecorder;

use super::names::{self, Metric};
use super::{count, counter, float, gauge, histogram};
use crate::engine::recall::control::Pressure;
use crate::engine::recall::{
    Gate, Level, Partners, Recall, ReturnedBecause, Tier, TierCounts, TriageClass, law,
};
use crate::engine::words::ServiceClass;
use crate::ids::RecallId;
use crate::shard::observe::{Fact, HowSaid, TextKind};
use crate::shard::view::View;

/// A way to leave a tier, and where the engine counts it.
type Way = (&'static str, fn(&TierCounts) -> u64);

/// How contacts leave a tier.
const LEFT: [Way; 5] = [
    ("solved", |t| t.solved),
    ("informed", |t| t.informed),
    ("returned", |t| t.returned),
    ("followed_up", |t| t.followed_up),
    ("left", |t| t.left),
];

/// Handles of everything here.
pub(super) struct RecallMetrics {
    /// Those that the engine knows: so many at once and no more.
    known: ArcSwap<BTreeMap<RecallId, Arc<RecallHandles>>>,
    classes: [ClassHandles; 3],
    returned: Vec<(ReturnedBecause, Counter)>,
    triaged: Vec<(TriageClass, Counter)>,
    said: Vec<((TextKind, HowSaid), Counter)>,
    bounced_twice: Counter,
    places_lost: Counter,
    safety_diverted: Counter,
}

/// Those of one recall.
struct RecallHandles {
    levels: [(Level, Gauge); 5],
    free: Gauge,
    raised: Counter,
    lowered: Counter,
    /// Value and threshold of each.
    pressures: [(Pressure, Gauge, Gauge); 4],
    tiers: Vec<(Tier, TierHandles)>,
    /// By where they are; nothing where the plan has none.
    partners: Vec<(&'static str, Gauge)>,
    alarm: AlarmHandles,
}

/// Those of calling people in for a recall.
struct AlarmHandles {
    late: Gauge,
    pending: Gauge,
    pages: Counter,
    failed: Counter,
}

/// Those of one tier of a recall.
struct TierHandles {
    contacts: Gauge,
    capacity: Gauge,
    failing: Gauge,
    entered: Counter,
    left: [Counter; LEFT.len()],
}

/// Those of one class of service.
struct ClassHandles {
    waiting: Gauge,
    oldest: Gauge,
    wait_answered: Histogram,
    wait_abandoned: Histogram,
}

impl RecallMetrics {
    pub(super) fn new(r: &PrometheusRecorder) -> Self {
        let one = |metric: &Metric| counter(r, metric, &[]);
        let pairs = TextKind::ALL.into_iter().flat_map(|t| HowSaid::ALL.map(|how| (t, how)));
        Self {
            known: ArcSwap::default(),
            classes: ServiceClass::ALL.map(|class| ClassHandles::new(r, class)),
            returned: ReturnedBecause::ALL
                .map(|b| (b, counter(r, &names::TIER_RETURNED, &[b.name()])))
                .into(),
            triaged: TriageClass::ALL.map(|c| (c, counter(r, &names::TRIAGED, &[c.name()]))).into(),
            said: pairs
                .map(|(t, how)| ((t, how), counter(r, &names::TEXTS, &[t.name(), how.name()])))
                .collect(),
            bounced_twice: one(&names::BOUNCED_TWICE),
            places_lost: one(&names::PLACES_LOST),
            safety_diverted: one(&names::SAFETY_DIVERTED),
        }
    }

    /// Sets the gauges that are taken from state, and the counts that the engine keeps.
    pub(super) fn refresh(&self, r: &PrometheusRecorder, view: &View<'_>) {
        for (handles, waiting) in self.classes.iter().zip(&view.statistics.classes) {
            handles.waiting.set(float(waiting.now));
            handles.oldest.set(waiting.oldest_wait(view.now).as_secs_f64());
        }
        let known = self.known.load();
        let mut now = BTreeMap::new();
        for recall in view.engine.recalls() {
            let handles = match known.get(&recall.id) {
                Some(handles) => Arc::clone(handles),
                None => Arc::new(RecallHandles::new(r, recall)),
            };
            handles.show(recall);
            handles.show_control(recall, view);
            handles.alarm.show(recall, view.engine.late_in(recall.id));
            now.insert(recall.id, handles);
        }
        if now.keys().eq(known.keys()) {
            return;
        }
        for (_, forgotten) in known.iter().filter(|(id, _)| !now.contains_key(id)) {
            forgotten.clear();
        }
        self.known.store(Arc::new(now));
    }

    /// Counts what concerns recalls.
    pub(super) fn fact(&self, fact: Fact<'_>, times: u64) {
        match fact {
            Fact::Triaged(class) => count(&self.triaged, class, times),
            Fact::Returned(because) => count(&self.returned, because, times),
            Fact::Said(text, how) => count(&self.said, (text, how), times),
            Fact::BouncedTwice => self.bounced_twice.increment(times),
            Fact::PlaceLost => self.places_lost.increment(times),
            Fact::SafetyDiverted => self.safety_diverted.increment(times),
            _ => {}
        }
    }

    /// Where waits of a class of service are counted.
    pub(super) fn waits(&self, service: ServiceClass, answered: bool) -> &Histogram {
        let class = &self.classes[service as usize];
        if answered { &class.wait_answered } else { &class.wait_abandoned }
    }
}

impl RecallHandles {
    fn new(r: &PrometheusRecorder, recall: &Recall) -> Self {
        let id = recall.id.0.to_string();
        let has = |tier: &Tier| recall.plan.tier(*tier).is_some();
        Self {
            levels: Level::ALL.map(|l| (l, gauge(r, &names::RECALL_LEVEL, &[&id, l.name()]))),
            free: gauge(r, &names::LEVEL_FREE, &[&id]),
            raised: counter(r, &names::LEVEL_MOVES, &[&id, "up"]),
            lowered: counter(r, &names::LEVEL_MOVES, &[&id, "down"]),
            pressures: Pressure::ALL.map(|of| {
                let labels = [&id, of.name()];
                let value = gauge(r, &names::CONTROL_VALUE, &labels);
                (of, value, gauge(r, &names::CONTROL_THRESHOLD, &labels))
            }),
            tiers: Tier::ALL
                .into_iter()
                .filter(has)
                .map(|tier| (tier, TierHandles::new(r, &id, tier)))
                .collect(),
            partners: (recall.plan.partner.iter().flat_map(|_| Partners::NAMES))
                .map(|state| (state, gauge(r, &names::PARTNERS, &[&id, state])))
                .collect(),
            alarm: AlarmHandles::new(r, &id),
        }
    }

    fn show(&self, recall: &Recall) {
        for (level, gauge) in &self.levels {
            let is = !recall.over && recall.level == *level;
            gauge.set(f64::from(u8::from(is)));
        }
        for (state, gauge) in &self.partners {
            let there = !recall.over && recall.partners.name() == *state;
            gauge.set(f64::from(u8::from(there)));
        }
        for (tier, handles) in &self.tiers {
            let counts = &recall.tiers[tier.index()];
            let capacity = recall.plan.tier(*tier).map_or(0, |(_, capacity)| capacity);
            handles.contacts.set(f64::from(counts.in_use));
            handles.capacity.set(f64::from(if recall.is_open(*tier) { capacity } else { 0 }));
            let failing = !matches!(recall.breakers[tier.index()].gate(), Gate::Closed);
            handles.failing.set(f64::from(u8::from(failing && !recall.over)));
            handles.entered.absolute(counts.entered);
            for (counter, (_, of)) in handles.left.iter().zip(LEFT) {
                counter.absolute(of(counts));
            }
        }
    }

    fn show_control(&self, recall: &Recall, view: &View<'_>) {
        self.free.set(f64::from(u8::from(recall.control.is_some())));
        self.raised.absolute(recall.raised.into());
        self.lowered.absolute(recall.lowered.into());
        let readings = recall.control.map(|control| {
            let above = law::above(recall.level, control.bounds);
            let rung = above.or(law::rung_of(recall.level)).unwrap_or(0);
            view.engine.look(recall, view.now).readings(&recall.plan.control(), rung)
        });
        for (of, value, threshold) in &self.pressures {
            let reading = readings.and_then(|all| all.into_iter().find(|r| r.of == *of));
            // Milliseconds and thousandths.
            let told = |raw: Option<u32>| raw.map_or(f64::NAN, |raw| f64::from(raw) / 1_000.0);
            value.set(told(reading.map(|r| r.value)));
            threshold.set(told(reading.map(|r| r.threshold)));
        }
    }

    /// The recall is over for so long that the engine has forgotten it.
    fn clear(&self) {
        self.free.set(0.0);
        for (_, value, threshold) in &self.pressures {
            value.set(f64::NAN);
            threshold.set(f64::NAN);
        }
        for (_, gauge) in &self.levels {
            gauge.set(0.0);
        }
        self.partners.iter().for_each(|(_, gauge)| gauge.set(0.0));
        self.alarm.late.set(0.0);
        self.alarm.pending.set(0.0);
        for (_, tier) in &self.tiers {
            tier.contacts.set(0.0);
            tier.capacity.set(0.0);
            tier.failing.set(0.0);
        }
    }
}

impl AlarmHandles {
    fn new(r: &PrometheusRecorder, recall: &str) -> Self {
        Self {
            late: gauge(r, &names::SAFETY_LATE, &[recall]),
            pending: gauge(r, &names::PAGES_PENDING, &[recall]),
            pages: counter(r, &names::PAGES, &[recall]),
            failed: counter(r, &names::PAGES_FAILED, &[recall]),
        }
    }

    fn show(&self, recall: &Recall, late: u32) {
        self.late.set(f64::from(late));
        self.pending.set(float(recall.alarm.pending.len() as u64));
        self.pages.absolute(recall.alarm.pages.into());
        self.failed.absolute(recall.alarm.failed.into());
    }
}

impl TierHandles {
    fn new(r: &PrometheusRecorder, recall: &str, tier: Tier) -> Self {
        let own = [recall, tier.name()];
        Self {
            contacts: gauge(r, &names::TIER_CONTACTS, &own),
            capacity: gauge(r, &names::TIER_CAPACITY, &own),
            failing: gauge(r, &names::TIER_FAILING, &own),
            entered: counter(r, &names::TIER_ENTERED, &own),
            left: LEFT.map(|(how, _)| counter(r, &names::TIER_LEFT, &[recall, tier.name(), how])),
        }
    }
}

impl ClassHandles {
    fn new(r: &PrometheusRecorder, class: ServiceClass) -> Self {
        let class = class.name();
        Self {
            waiting: gauge(r, &names::CLASS_WAITING, &[class]),
            oldest: gauge(r, &names::CLASS_OLDEST, &[class]),
            wait_answered: histogram(r, &names::CLASS_WAIT, &[class, "answered"]),
            wait_abandoned: histogram(r, &names::CLASS_WAIT, &[class, "abandoned"]),
        }
    }
}
