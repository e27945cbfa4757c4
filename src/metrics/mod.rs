//! Metrics: what the shard tells, in Prometheus' text format.
//!
//! One [`Metrics`] belongs to one router; there is no global recorder, so that several
//! routers can live in one test process. Handles are registered once and kept: nothing is
//! looked up by name when something happens. Labels take their values from the
//! configuration or from lists in the code, so that their number is bounded. It decides
//! nothing and serves no network: `http` asks for the text.

mod archive;
mod feedback;
pub mod names;
mod owed;
mod people;
mod recall;
mod snapshots;
mod waits;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use arc_swap::ArcSwap;
use archive::ArchiveMetrics;
use feedback::FeedbackMetrics;
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString,
};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use names::{Kind, Metric};
use owed::OwedMetrics;
use people::PeopleMetrics;
use recall::RecallMetrics;
use snapshots::SnapshotMetrics;
use waits::WaitMetrics;

use crate::engine::agent::AgentState;
use crate::engine::contact::StateKind;
use crate::engine::refusal::RefusalKind;
use crate::engine::routing::{Name, Routing};
use crate::engine::words::{Availability, ConnectFault, EndReason, NotTaken};
use crate::ids::QueueId;
use crate::journal::receipt::Unproven;
use crate::shard::ask::SessionOver;
use crate::shard::observe::{Fact, Lane, Observer, SessionRole, SnapshotOutcome};
use crate::shard::view::View;
use crate::time::Span;

/// Samples of one histogram before they are sorted into buckets: 1 MiB.
const SAMPLES_AT_ONCE: usize = 65_536;

const METADATA: Metadata<'static> = Metadata::new("surgeline", Level::INFO, None);

/// One router's metrics.
pub struct Metrics {
    recorder: PrometheusRecorder,
    text: PrometheusHandle,
    queues: ArcSwap<BTreeMap<QueueId, QueueHandles>>,
    contacts: Vec<(StateKind, Gauge)>,
    agents: Vec<(AgentState, Gauge)>,
    closed: Vec<(EndReason, Counter)>,
    not_taken: Vec<(NotTaken, Counter)>,
    faults: Vec<(ConnectFault, Counter)>,
    refusals: Vec<(RefusalKind, Counter)>,
    turned_away: Vec<(Lane, Counter)>,
    sessions: Vec<(SessionRole, Gauge)>,
    cut_off: Vec<((SessionRole, SessionOver), Counter)>,
    unproven_receipts: Vec<(Unproven, Counter)>,
    recall: RecallMetrics,
    waits: WaitMetrics,
    owed: OwedMetrics,
    snapshots: SnapshotMetrics,
    archive: ArchiveMetrics,
    feedback: FeedbackMetrics,
    people: PeopleMetrics,
    one: Singles,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Those without labels.
struct Singles {
    accepted: Counter,
    taken: Counter,
    conservation: Gauge,
    double_reservations: Counter,
    reservation_answer: Histogram,
    reservation_oldest: Gauge,
    commands: Counter,
    decision: Histogram,
    journal_sync: Histogram,
    batch_entries: Histogram,
    undurable: Gauge,
    config_invalid: Gauge,
    disk_free: Gauge,
    disk_level: Gauge,
    forged_receipts: Counter,
    replica_up: Gauge,
    replica_behind: Gauge,
    divergences: Counter,
}

/// Those of one queue.
#[derive(Clone)]
struct QueueHandles {
    name: Name,
    waiting: Gauge,
    oldest: Gauge,
    offered: Counter,
    answered: Counter,
    answered_in_target: Counter,
    abandoned: Counter,
    abandoned_late: Counter,
    wait_answered: Histogram,
    wait_abandoned: Histogram,
}

impl Metrics {
    /// A set of metrics, all at nothing.
    ///
    /// # Errors
    /// When the table in [`names`] has a histogram without buckets.
    pub fn new() -> Result<Self, BuildError> {
        let mut builder = PrometheusBuilder::new();
        for metric in names::ALL {
            if let Kind::Histogram(buckets) = metric.kind {
                let name = Matcher::Full(metric.name.into());
                builder = builder.set_buckets_for_metric(name, buckets)?;
            }
        }
        let recorder = builder.build_recorder();
        for metric in names::ALL {
            describe(&recorder, metric);
        }
        let r = &recorder;
        gauge(r, &names::BUILD_INFO, &[env!("CARGO_PKG_VERSION")]).set(1.0);
        let open = StateKind::ALL.into_iter().filter(|kind| *kind != StateKind::Closed);
        let roles = SessionRole::ALL;
        let whys = [SessionOver::Superseded, SessionOver::TooSlow];
        let pairs = roles.into_iter().flat_map(|role| whys.map(|why| (role, why)));
        Ok(Self {
            text: recorder.handle(),
            queues: ArcSwap::default(),
            contacts: open.map(|k| (k, gauge(r, &names::CONTACTS, &[k.name()]))).collect(),
            agents: AgentState::ALL.map(|s| (s, gauge(r, &names::AGENTS, &[s.name()]))).into(),
            closed: EndReason::ALL.map(|e| (e, counter(r, &names::CLOSED, &[e.name()]))).into(),
            not_taken: NOT_TAKEN.map(|n| (n, counter(r, &names::RESERVATIONS, &[n.name()]))).into(),
            faults: FAULTS.map(|f| (f, counter(r, &names::CONNECT_FAILURES, &[f.name()]))).into(),
            refusals: REFUSALS.map(|(k, n)| (k, counter(r, &names::REFUSALS, &[n]))).into(),
            turned_away: Lane::ALL
                .map(|l| (l, counter(r, &names::TURNED_AWAY, &[l.name()])))
                .into(),
            sessions: roles.map(|s| (s, gauge(r, &names::SESSIONS, &[s.name()]))).into(),
            cut_off: pairs
                .map(|(role, why)| {
                    let counter = counter(r, &names::CUT_OFF, &[role.name(), why.name()]);
                    ((role, why), counter)
                })
                .collect(),
            unproven_receipts: Unproven::ALL
                .map(|why| (why, counter(r, &names::UNPROVEN_RECEIPTS, &[why.name()])))
                .into(),
            recall: RecallMetrics::new(r),
            waits: WaitMetrics::default(),
            owed: OwedMetrics::new(r),
            snapshots: SnapshotMetrics::new(r),
            archive: ArchiveMetrics::new(r),
            feedback: FeedbackMetrics::default(),
            people: PeopleMetrics::new(r),
            one: Singles::new(r),
            recorder,
        })
    }

    /// Everything in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.text.render()
    }

    /// Whether the configuration file is not in force because it cannot be used.
    pub fn configuration(&self, invalid: bool) {
        self.one.config_invalid.set(float(u64::from(invalid)));
    }

    /// How full the disk is: bytes free, and 0 to 2 for what follows from it.
    pub fn disk(&self, free: u64, level: u8) {
        self.one.disk_free.set(float(free));
        self.one.disk_level.set(f64::from(level));
    }

    /// Sets the gauges that are taken from state.
    pub fn refresh(&self, view: &View<'_>, behind: u64) {
        for (id, queue) in self.queues.load().iter() {
            let counts = view.statistics.queue(*id);
            queue.waiting.set(float(counts.waiting));
            queue.oldest.set(counts.oldest_wait(view.now).as_secs_f64());
        }
        let engine = view.engine;
        for (kind, gauge) in &self.contacts {
            gauge.set(float(engine.in_state(*kind)));
        }
        let sum: u64 = StateKind::ALL.iter().map(|kind| engine.in_state(*kind)).sum();
        self.one.accepted.absolute(engine.accepted());
        self.one.conservation.set(float(engine.accepted()) - float(sum));
        let mut agents = [0_u64; AgentState::ALL.len()];
        for agent in engine.agents() {
            let gone = agent.availability == Availability::SignedOut
                && engine.routing().agent(agent.id).is_none_or(|profile| profile.retired);
            if !gone {
                agents[agent.state() as usize] += 1;
            }
        }
        for (state, gauge) in &self.agents {
            gauge.set(float(agents[*state as usize]));
        }
        self.recall.refresh(&self.recorder, view);
        self.waits.refresh(&self.recorder, view);
        self.owed.refresh(&self.recorder, view);
        self.snapshots.refresh();
        self.people.refresh(view);
        let age = view.statistics.oldest_reservation.map(|since| view.now.since(since));
        self.one.reservation_oldest.set(age.unwrap_or_default().as_secs_f64());
        self.one.replica_behind.set(float(behind));
        self.one.replica_up.set(1.0);
        // Samples are kept one by one until someone sorts them into buckets: without this
        // a router that nobody scrapes would grow.
        self.text.run_upkeep();
    }

    /// The journal is being read: so many entries of so many.
    pub fn recovering(&self, entries: u64, of: Option<u64>) {
        self.snapshots.recovering(entries, of);
    }

    /// The replica does not answer: what was taken from state is old.
    pub fn replica_is_down(&self) {
        self.one.replica_up.set(0.0);
        self.text.run_upkeep();
    }

    fn configured(&self, routing: &Routing) {
        let known = self.queues.load();
        let queues = routing.queues.iter().enumerate().filter_map(|(position, queue)| {
            let id = QueueId(u16::try_from(position).ok()?);
            let same = known.get(&id).filter(|handles| handles.name == queue.name).cloned();
            Some((id, same.unwrap_or_else(|| QueueHandles::new(&self.recorder, &queue.name))))
        });
        self.queues.store(std::sync::Arc::new(queues.collect()));
    }

    /// Samples are kept one by one until they are sorted into buckets: not too many at once.
    fn record(&self, histogram: &Histogram, span: Span, times: u64) {
        let mut left = usize::try_from(times).unwrap_or(usize::MAX);
        while left > 0 {
            let some = left.min(SAMPLES_AT_ONCE);
            histogram.record_many(span.as_secs_f64(), some);
            left -= some;
            if left > 0 {
                self.text.run_upkeep();
            }
        }
    }

    fn queue(&self, id: QueueId, then: impl FnOnce(&QueueHandles)) {
        if let Some(handles) = self.queues.load().get(&id) {
            then(handles);
        }
    }
}

impl Observer for Metrics {
    fn decided(&self, took: Duration) {
        self.one.decision.record(took.as_secs_f64());
    }

    fn handled(&self, commands: u64) {
        self.one.commands.increment(commands);
    }

    fn refused(&self, kind: RefusalKind) {
        count(&self.refusals, kind, 1);
    }

    fn turned_away(&self, lane: Lane) {
        count(&self.turned_away, lane, 1);
    }

    fn undurable(&self, batches: usize) {
        self.one.undurable.set(float(batches as u64));
    }

    fn synced(&self, took: Duration, entries: usize) {
        self.one.journal_sync.record(took.as_secs_f64());
        self.one.batch_entries.record(float(entries as u64));
    }

    fn sessions(&self, role: SessionRole, open: usize) {
        if let Some((_, gauge)) = self.sessions.iter().find(|(r, _)| *r == role) {
            gauge.set(float(open as u64));
        }
    }

    fn cut_off(&self, role: SessionRole, why: SessionOver) {
        count(&self.cut_off, (role, why), 1);
    }

    fn forged_receipt(&self) {
        self.one.forged_receipts.increment(1);
    }

    fn unproven_receipt(&self, why: Unproven) {
        count(&self.unproven_receipts, why, 1);
    }

    fn fact(&self, fact: Fact<'_>, times: u64) {
        self.recall.fact(fact, times);
        self.waits.fact(fact, times);
        match fact {
            Fact::Configured(routing) => {
                self.configured(routing);
                self.waits.configured(&self.recorder, routing);
                self.feedback.configured(&self.recorder, routing);
                self.people.configured(&self.recorder, routing);
            }
            Fact::Offered(queue) => self.queue(queue, |q| q.offered.increment(times)),
            Fact::Answered { queue, waited, in_target, .. } => self.queue(queue, |q| {
                q.answered.increment(times);
                q.answered_in_target.increment(if in_target { times } else { 0 });
                self.record(&q.wait_answered, waited, times);
            }),
            Fact::Abandoned { queue, waited, in_target, .. } => self.queue(queue, |q| {
                q.abandoned.increment(times);
                q.abandoned_late.increment(if in_target { 0 } else { times });
                self.record(&q.wait_abandoned, waited, times);
            }),
            Fact::Accepted(after) => {
                self.one.taken.increment(times);
                self.record(&self.one.reservation_answer, after, times);
            }
            Fact::NotTaken(how) => count(&self.not_taken, how, times),
            Fact::ConnectFailed(fault) => count(&self.faults, fault, times),
            Fact::Closed(reason) => count(&self.closed, reason, times),
            Fact::Feedback(queue, score) => self.feedback.given(queue, score, times),
            Fact::DoubleReservation => self.one.double_reservations.increment(times),
            Fact::Diverged => self.one.divergences.increment(times),
            Fact::Triaged(_)
            | Fact::AnsweredAsTold { .. }
            | Fact::Returned(_)
            | Fact::Said(..)
            | Fact::BouncedTwice
            | Fact::PlaceLost
            | Fact::SafetyDiverted => {}
        }
        if let Fact::Answered { service, waited, .. } | Fact::Abandoned { service, waited, .. } =
            fact
        {
            let answered = matches!(fact, Fact::Answered { .. });
            self.record(self.recall.waits(service, answered), waited, times);
        }
    }

    fn recovered(&self, took: Duration, entries: u64) {
        self.snapshots.recovered(took, entries);
    }

    fn snapshot(&self, outcome: SnapshotOutcome) {
        self.snapshots.outcome(outcome);
    }

    fn not_trimmed(&self) {
        self.snapshots.not_trimmed();
    }

    fn look(&self, view: &View<'_>, behind: u64) {
        self.refresh(view, behind);
    }
}

impl Singles {
    fn new(r: &PrometheusRecorder) -> Self {
        Self {
            accepted: counter(r, &names::ACCEPTED, &[]),
            taken: counter(r, &names::RESERVATIONS, &["accepted"]),
            conservation: gauge(r, &names::CONSERVATION, &[]),
            double_reservations: counter(r, &names::DOUBLE_RESERVATIONS, &[]),
            reservation_answer: histogram(r, &names::RESERVATION_ANSWER, &[]),
            reservation_oldest: gauge(r, &names::RESERVATION_OLDEST, &[]),
            commands: counter(r, &names::COMMANDS, &[]),
            decision: histogram(r, &names::DECISION, &[]),
            journal_sync: histogram(r, &names::JOURNAL_SYNC, &[]),
            batch_entries: histogram(r, &names::BATCH_ENTRIES, &[]),
            undurable: gauge(r, &names::UNDURABLE, &[]),
            config_invalid: gauge(r, &names::CONFIG_INVALID, &[]),
            disk_free: gauge(r, &names::DISK_FREE, &[]),
            disk_level: gauge(r, &names::DISK_LEVEL, &[]),
            forged_receipts: counter(r, &names::FORGED_RECEIPTS, &[]),
            replica_up: gauge(r, &names::REPLICA_UP, &[]),
            replica_behind: gauge(r, &names::REPLICA_BEHIND, &[]),
            divergences: counter(r, &names::DIVERGENCES, &[]),
        }
    }
}

impl QueueHandles {
    fn new(r: &PrometheusRecorder, name: &Name) -> Self {
        let own = [&**name];
        Self {
            name: name.clone(),
            waiting: gauge(r, &names::QUEUE_WAITING, &own),
            oldest: gauge(r, &names::QUEUE_OLDEST, &own),
            offered: counter(r, &names::OFFERED, &own),
            answered: counter(r, &names::ANSWERED, &own),
            answered_in_target: counter(r, &names::ANSWERED_IN_TARGET, &own),
            abandoned: counter(r, &names::ABANDONED, &own),
            abandoned_late: counter(r, &names::ABANDONED_LATE, &own),
            wait_answered: histogram(r, &names::WAIT, &[name, "answered"]),
            wait_abandoned: histogram(r, &names::WAIT, &[name, "abandoned"]),
        }
    }
}

const NOT_TAKEN: [NotTaken; 4] =
    [NotTaken::Declined, NotTaken::TimedOut, NotTaken::AgentGone, NotTaken::Withdrawn];

const FAULTS: [ConnectFault; 5] = [
    ConnectFault::AgentLeg,
    ConnectFault::CustomerLeg,
    ConnectFault::Gateway,
    ConnectFault::TimedOut,
    ConnectFault::Withdrawn,
];

const REFUSALS: [(RefusalKind, &str); 6] = [
    (RefusalKind::NotFound, "not_found"),
    (RefusalKind::NotYours, "not_yours"),
    (RefusalKind::WrongState, "wrong_state"),
    (RefusalKind::Conflict, "conflict"),
    (RefusalKind::Invalid, "invalid"),
    (RefusalKind::Exhausted, "exhausted"),
];

fn count<T: PartialEq>(table: &[(T, Counter)], what: T, times: u64) {
    if let Some((_, counter)) = table.iter().find(|(one, _)| *one == what) {
        counter.increment(times);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

fn describe(recorder: &PrometheusRecorder, metric: &Metric) {
    let (name, unit) = (KeyName::from_const_str(metric.name), Some(metric.unit));
    let help = SharedString::const_str(metric.help);
    match metric.kind {
        Kind::Counter => recorder.describe_counter(name, unit, help),
        Kind::Gauge => recorder.describe_gauge(name, unit, help),
        Kind::Histogram(_) => recorder.describe_histogram(name, unit, help),
    }
}

fn key(metric: &Metric, values: &[&str]) -> Key {
    debug_assert_eq!(metric.labels.len(), values.len(), "{}", metric.name);
    let labels = metric.labels.iter().zip(values);
    let labels: Vec<_> =
        labels.map(|(label, value)| Label::new(*label, (*value).to_owned())).collect();
    Key::from_parts(metric.name, labels)
}

fn counter(recorder: &PrometheusRecorder, metric: &Metric, values: &[&str]) -> Counter {
    recorder.register_counter(&key(metric, values), &METADATA)
}

fn gauge(recorder: &PrometheusRecorder, metric: &Metric, values: &[&str]) -> Gauge {
    recorder.register_gauge(&key(metric, values), &METADATA)
}

fn histogram(recorder: &PrometheusRecorder, metric: &Metric, values: &[&str]) -> Histogram {
    recorder.register_histogram(&key(metric, values), &METADATA)
}
