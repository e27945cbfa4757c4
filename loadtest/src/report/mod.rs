//! What a load test found: figures, curves, and a verdict.
//!
//! Made once from the books; `text` and `page` show it, and [`Report::json`] is all of it.
//! Fields are a contract with whoever reads the JSON: add, do not rename.

pub mod page;
mod plots;
pub mod recall;
pub mod text;
mod verdict;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::book::{Back, Latency};
use crate::conduct::Audit;
use crate::error::LoadError;
use crate::monitor::difference;
use crate::reload::Reloaded;
use crate::scenario::Scenario;
use crate::schedule::Plan;
use crate::stage::{Outcome, seconds_since};

/// The machine, because every figure is of one.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// Load average of the last minute before the test; less than 0 if not known.
    pub load_before: f64,
    /// The same after it.
    pub load_after: f64,
}

impl Machine {
    pub(crate) fn now() -> Self {
        let load = load_average();
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Self { cores, load_before: load, load_after: load }
    }

    pub(crate) fn until_now(self) -> Self {
        Self { load_after: load_average(), ..self }
    }
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(-1.0)
}

/// What the machine does without a router.
#[derive(Clone, Debug, Serialize)]
pub struct Bare {
    /// One sync of 4 KiB in place.
    pub disk_sync_us: Latency,
    /// Messages a second, both ways, of a closed-loop echo.
    pub echo_messages_per_s: f64,
    /// Its round trips.
    pub echo_us: Latency,
    /// Round trips of an echo at the mean pace of the run's arrivals, from when each was due.
    pub paced_echo_us: Latency,
    #[serde(skip)]
    pub(crate) paced_echo: Histogram<u64>,
}

/// The peak of a closed loop.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Whole lives a second.
    pub lives_per_s: f64,
    /// Messages a second, both ways, gateways' and desktops'.
    pub messages_per_s: f64,
    /// Of the bare echo's messages a second.
    pub of_echo: f64,
}

/// The latencies of the run, microseconds, all from when the contact was due.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    /// Until the gateway read that it is accepted, and on disk.
    pub accepted_us: Latency,
    /// Until an agent's desktop read the offer, of contacts that found an agent idle.
    pub reservation_us: Latency,
    /// Until the gateway read that somebody has it: waiting for people included.
    pub answer_us: Latency,
    /// Until it was handed to its stream: the load test's own lateness.
    pub generator_us: Latency,
    /// p99 of `reservation_us` over p99 of the echo at this pace and two disk syncs.
    pub reservation_p99_of_floor: f64,
}

/// Where the contacts went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Contacts {
    /// Sent in all, warm-up included.
    pub sent: u64,
    /// Accepted, as gateways were told.
    pub accepted: u64,
    /// Arrivals refused.
    pub refused: u64,
    /// Arrivals without an answer at the end.
    pub unanswered: u64,
    /// Ended because an agent completed them.
    pub completed: u64,
    /// Ended because the customer left before an answer.
    pub abandoned: u64,
    /// Ended because the customer left in the moment in which they were answered.
    pub left: u64,
    /// Ended by self-service: on the customer's word, with what they came for, or because
    /// they go on as another contact.
    pub in_self_service: u64,
    /// Contacts that the router opened to go on from others.
    pub went_on: u64,
    /// Ended for any other reason: must be 0.
    pub ended_otherwise: u64,
    /// Open at the end, as gateways know.
    pub open: u64,
    /// Of those, not open in the router: must be 0.
    pub lost: i64,
    /// Contacts in a state less contacts accepted, as the router says: must be 0.
    pub conservation_difference: i64,
    /// Reservations of what somebody had, by the router's audit: must be 0. Absent when its
    /// metrics were not read.
    pub double_reservations: Option<i64>,
    /// Contacts that were put behind their place in line, by the router's audit: must be 0.
    /// Absent when its metrics were not read or do not say.
    pub places_lost: Option<i64>,
    /// Contacts taken from agents because they were away: must be 0 in a reconnect.
    pub taken_from_agents: u64,
    /// Refusals of anything, by reason. Some are to be expected when customers leave.
    pub refusals: BTreeMap<String, u64>,
}

/// How all agents came back.
#[derive(Clone, Debug, Serialize)]
pub struct Returned {
    /// When all streams were dropped, seconds of the measured time.
    pub at_s: f64,
    /// Until the last agent was signed in and ready again, milliseconds; absent if never.
    pub everyone_back_ms: Option<f64>,
    /// Until the first offer after that moment, milliseconds; absent if there was none.
    pub first_offer_ms: Option<f64>,
    /// Until every desktop had got an offer, milliseconds; absent if one never did.
    pub every_desktop_offered_ms: Option<f64>,
    /// Contacts in agents' hands when the streams were dropped.
    pub held: u64,
    /// Of those, given back to the same agent. The others ended in the same moment.
    pub given_back: u64,
}

/// One second of the measured time.
#[derive(Clone, Debug, Serialize)]
pub struct Second {
    /// Which, from 0.
    pub second: usize,
    /// Contacts due.
    pub due: u64,
    /// Contacts accepted.
    pub accepted: u64,
    /// Contacts answered for the first time.
    pub answered: u64,
    /// Contacts completed.
    pub completed: u64,
    /// Contacts abandoned.
    pub abandoned: u64,
    /// Acceptances of contacts due in this second.
    pub accepted_us: Latency,
    /// Reservations of contacts due in this second that found an agent idle.
    pub reservation_us: Latency,
    /// Answers to contacts due in this second.
    pub answer_us: Latency,
}

/// The router's own state at one moment.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Depth {
    /// Seconds of the measured time; below 0 in the warm-up.
    pub at_s: f64,
    /// Contacts waiting.
    pub waiting: u64,
    /// Contacts held for agents or with them.
    pub with_agents: u64,
    /// Contacts in a recall's self-service.
    pub self_service: u64,
}

/// A point of a curve of percentiles.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// 0 to 1.
    pub quantile: f64,
    /// Microseconds.
    pub us: u64,
}

/// Everything.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// What it shows.
    pub about: String,
    /// What chance began with.
    pub seed: u64,
    /// Where the router was.
    pub router: String,
    /// The machine.
    pub machine: Machine,
    /// Seconds measured, without warm-up and drain.
    pub measured_s: f64,
    /// Mean arrivals a second of that time.
    pub arrivals_per_s: f64,
    /// Without a router.
    pub bare: Bare,
    /// The closed loop's peak, if the scenario asks for it.
    pub peak: Option<Found>,
    /// Latencies.
    pub latency: Latencies,
    /// Where the contacts went.
    pub contacts: Contacts,
    /// Reconnects, if the scenario has some.
    pub reconnects: Vec<Returned>,
    /// The recall, if the scenario has one.
    pub recall: Option<recall::Recalled>,
    /// Reloads, if the scenario has some.
    pub reload: Option<Reloaded>,
    /// What must not be; empty when all is well.
    pub failures: Vec<String>,
    /// What makes figures doubtful.
    pub warnings: Vec<String>,
    /// Second by second.
    pub seconds: Vec<Second>,
    /// The router, every quarter of a second.
    pub depth: Vec<Depth>,
    /// Curves of percentiles by name.
    pub percentiles: BTreeMap<&'static str, Vec<Point>>,
}

/// A finished run, and what it was.
pub(crate) struct Run<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) plan: &'a Plan,
    pub(crate) audit: Audit,
}

impl Report {
    pub(crate) fn new(
        scenario: &Scenario,
        seed: u64,
        router: String,
        machine: Machine,
        bare: Bare,
        peak: Option<Found>,
        run: &Run<'_>,
    ) -> Result<Self, LoadError> {
        let outcome = &run.outcome;
        let percentiles = [
            ("accepted", &outcome.book.accepted),
            ("reservation", &outcome.book.reservation),
            ("answer", &outcome.book.answer),
            ("echo", &bare.paced_echo),
        ];
        let percentiles = percentiles.map(|(name, h)| (name, curve(h))).into();
        let depth = outcome.samples.iter().map(|s| Depth {
            at_s: seconds_since(scenario.warm_up, s.at_us),
            waiting: s.contacts.queued,
            with_agents: s.with_agents(),
            self_service: s.contacts.self_service,
        });
        let measured_us = run.plan.ends_us - run.plan.counts_from_us;
        let mut report = Self {
            scenario: scenario.name.clone(),
            about: scenario.about.clone(),
            seed,
            router,
            machine,
            #[expect(clippy::cast_precision_loss, reason = "a time for people to read")]
            measured_s: measured_us as f64 / 1e6,
            arrivals_per_s: run.plan.mean_rate(),
            latency: latencies(outcome, &bare),
            bare,
            peak,
            contacts: contacts(run),
            reconnects: reconnects(scenario, &outcome.book.backs),
            recall: recall::Recalled::new(scenario, outcome)?,
            reload: Reloaded::new(scenario, outcome)?,
            failures: Vec::new(),
            warnings: Vec::new(),
            seconds: seconds(run),
            depth: depth.collect(),
            percentiles,
        };
        report.failures = verdict::failures(&report);
        report.warnings = verdict::warnings(&report);
        Ok(report)
    }

    /// All of it, as one JSON object on one line.
    ///
    /// # Errors
    /// [`LoadError::Json`].
    pub fn json(&self) -> Result<String, LoadError> {
        Ok(serde_json::to_string(self)?)
    }
}

fn latencies(outcome: &Outcome, bare: &Bare) -> Latencies {
    let book = &outcome.book;
    let reservation_us = Latency::from(&book.reservation);
    let floor = bare.paced_echo_us.p99 + 2 * bare.disk_sync_us.p99;
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
    let reservation_p99_of_floor = reservation_us.p99 as f64 / floor.max(1) as f64;
    Latencies {
        accepted_us: Latency::from(&book.accepted),
        reservation_us,
        answer_us: Latency::from(&book.answer),
        generator_us: Latency::from(&outcome.late),
        reservation_p99_of_floor,
    }
}

fn contacts(run: &Run<'_>) -> Contacts {
    let (outcome, book) = (&run.outcome, &run.outcome.book);
    let open = outcome.accepted + outcome.went_on - outcome.ended;
    let total = &book.total;
    let router_open = |c: &surgeline::pb::v1::ContactCounts| (c.accepted - c.closed).cast_signed();
    // What an external router held before is not ours; what it closed of it meanwhile shows.
    let router_holds = router_open(&outcome.after) - router_open(&outcome.before);
    Contacts {
        sent: outcome.sent,
        accepted: outcome.accepted,
        refused: book.arrivals_refused,
        unanswered: outcome.sent - outcome.settled,
        completed: total.completed,
        abandoned: total.abandoned,
        left: total.left,
        in_self_service: total.solved + total.informed + total.followed_up,
        went_on: outcome.went_on,
        ended_otherwise: total.ended_otherwise,
        open,
        lost: open.cast_signed() - router_holds,
        conservation_difference: difference(&outcome.after),
        double_reservations: run.audit.double_reservations,
        places_lost: run.audit.places_lost,
        taken_from_agents: book.reservations_lost,
        refusals: book.refusals.clone(),
    }
}

fn reconnects(scenario: &Scenario, backs: &[Back]) -> Vec<Returned> {
    let numbers: std::collections::BTreeSet<_> = backs.iter().map(|b| b.number).collect();
    let one = |number| {
        let mine: Vec<_> = backs.iter().filter(|b| b.number == number).collect();
        let from = mine.iter().map(|b| b.dropped_us).min().unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "times for people to read")]
        let since = |at: Option<u64>| at.map(|at| at.saturating_sub(from) as f64 / 1e3);
        let all = |of: fn(&Back) -> Option<u64>| {
            let times: Option<Vec<_>> = mine.iter().map(|b| of(b)).collect();
            since(times.and_then(|t| t.into_iter().max()))
        };
        Returned {
            at_s: seconds_since(scenario.warm_up, from),
            everyone_back_ms: all(|b| b.all_back_us),
            first_offer_ms: since(mine.iter().filter_map(|b| b.first_offer_us).min()),
            every_desktop_offered_ms: all(|b| b.first_offer_us),
            held: mine.iter().map(|b| b.held).sum(),
            given_back: mine.iter().map(|b| b.given_back).sum(),
        }
    };
    numbers.into_iter().map(one).collect()
}

fn seconds(run: &Run<'_>) -> Vec<Second> {
    let mut due = vec![0; run.outcome.book.seconds.len()];
    for at in &run.plan.dues {
        let since = at.at_us.checked_sub(run.plan.counts_from_us);
        let second = since.and_then(|us| usize::try_from(us / 1_000_000).ok());
        if let Some(second) = second.and_then(|s| due.get_mut(s)) {
            *second += 1;
        }
    }
    let each = run.outcome.book.seconds.iter().zip(due).enumerate();
    each.map(|(second, (book, due))| Second {
        second,
        due,
        accepted: book.counts.accepted,
        answered: book.counts.answered,
        completed: book.counts.completed,
        abandoned: book.counts.abandoned,
        accepted_us: Latency::from(&book.accepted),
        reservation_us: Latency::from(&book.reservation),
        answer_us: Latency::from(&book.answer),
    })
    .collect()
}

/// By halves of what is left: 0, 0.5, 0.75 and so on, some steps to each, as far as there
/// are samples to tell them apart.
fn curve(h: &Histogram<u64>) -> Vec<Point> {
    if h.is_empty() {
        return Vec::new();
    }
    h.iter_quantiles(4)
        .map(|at| Point { quantile: at.quantile(), us: at.value_iterated_to() })
        .filter(|point| point.quantile < 1.0)
        .collect()
}
