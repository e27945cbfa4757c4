//! What the demo came to: the verdict, for people and as one JSON object.
//!
//! The field names are a contract with scripts; add to them, change none.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::audit::{Findings, Latency};
use super::scrape::{ScrapeError, Scraped};
use super::view::Frame;
use super::watch::Snapshot;
use crate::cli::out::Palette;
use crate::cli::words::share;
use crate::pb::v1::QueueRow;

/// What the run was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// How long customers came.
    pub(super) seconds: f64,
    pub(super) seed: u64,
    /// Mean share of the capacity of agents at work that was in use, 0 to 1.
    pub(super) load: f64,
    /// Mean share of the agents at work who had something in hand, 0 to 1.
    pub(super) occupancy: f64,
}

/// The demo's JSON.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct Summary {
    /// Contacts, consults included.
    pub(super) accepted: u64,
    pub(super) closed: u64,
    pub(super) by_state: ByState,
    /// Accepted less the sum over states; of the router's own and of the count made here,
    /// the one that is worse. Must be 0.
    pub(super) conservation_difference: i64,
    /// As the router's audit of its events has it. Must be 0.
    pub(super) double_reservations: i64,
    pub(super) abandoned: u64,
    /// From sending an arrival to reading its first offer, of contacts that found an idle
    /// agent at once. Microseconds.
    pub(super) reservation_latency_us: Latency,
    pub(super) service_level: ServiceLevels,
    pub(super) declined: u64,
    pub(super) timed_out: u64,
    pub(super) connect_failures: u64,
    pub(super) consults: u64,
    pub(super) handed_over: u64,
    pub(super) pended: u64,
    pub(super) transferred: u64,
    pub(super) seconds: f64,
    pub(super) seed: u64,
    /// Mean share of the capacity of agents at work that was in use, 0 to 1.
    pub(super) load: f64,
    /// Mean share of the agents at work who had something in hand, 0 to 1.
    pub(super) occupancy: f64,
    pub(super) self_service: SelfService,
    pub(super) callbacks: Callbacks,
    /// Wait for a person of contacts about safety, from arrival or from their saying so, 99th
    /// percentile; null if there was none.
    pub(super) safety_wait_p99_s: Option<f64>,
    /// Median wait for a person of the others who came with the wave.
    pub(super) other_wait_p50_s: Option<f64>,
    /// Contacts that came back from self-service to a worse place, as the router's audit of
    /// its events has it. Must be 0.
    pub(super) places_lost: i64,
    /// Refusals that gateways and agents were given, by reason.
    pub(super) refusals: BTreeMap<String, u64>,
    pub(super) client_audit: ClientAudit,
}

/// What became of those whom self-service took, as gateways saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct SelfService {
    pub(super) entered: u64,
    /// Closed on the customer's word.
    pub(super) solved: u64,
    /// Left after a completed check or an answer.
    pub(super) informed: u64,
    pub(super) followed_up: u64,
    pub(super) returned: u64,
    /// Sent there again after they had come back; of gateways' count and the router's own,
    /// the one that is worse. Must be 0.
    pub(super) bounced_twice: u64,
}

/// What became of offers of a call, as gateways saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Callbacks {
    pub(super) offered: u64,
    pub(super) accepted: u64,
    pub(super) reached: u64,
}

/// Open and closed contacts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct ByState {
    pub(super) queued: u64,
    pub(super) reserved: u64,
    pub(super) connecting: u64,
    pub(super) assigned: u64,
    pub(super) pending: u64,
    pub(super) self_service: u64,
    pub(super) callback_due: u64,
    pub(super) closed: u64,
}

/// What the players' books say, independently of the router's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct ClientAudit {
    /// Contacts that gateways were told are accepted, and consults that agents were.
    pub(super) accepted: u64,
    /// The router's count less theirs. Must be 0.
    pub(super) accepted_difference: i64,
    /// Contacts that gateways were not told the end of.
    pub(super) open: u64,
    /// Contacts given to an agent while another had them. Must be 0.
    pub(super) double_reservations: u64,
}

/// Service levels, each with its formula.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct ServiceLevels {
    pub(super) formulas: Formulas,
    pub(super) overall: ServiceLevel,
    pub(super) queues: BTreeMap<String, ServiceLevel>,
}

/// What F3 and F4 are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Formulas {
    pub(super) f3: &'static str,
    pub(super) f4: &'static str,
}

const FORMULAS: Formulas = Formulas {
    f3: "answered_in_target / (answered + abandoned)",
    f4: "answered_in_target / (answered + abandoned_after_target)",
};

/// 0 to 1; null where nothing was answered or abandoned.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub(super) struct ServiceLevel {
    pub(super) f3: Option<f64>,
    pub(super) f4: Option<f64>,
}

fn overall(rows: &[QueueRow]) -> ServiceLevel {
    let sum = |of: fn(&QueueRow) -> u64| rows.iter().map(of).sum::<u64>();
    let (answered, in_target) = (sum(|q| q.answered), sum(|q| q.answered_in_target));
    #[expect(clippy::cast_precision_loss, reason = "counts, far below 2^53")]
    let level = |left: u64| {
        let of = answered + left;
        (of > 0).then(|| in_target as f64 / of as f64)
    };
    ServiceLevel { f3: level(sum(|q| q.abandoned)), f4: level(sum(|q| q.abandoned_after_target)) }
}

impl Summary {
    /// # Errors
    /// [`ScrapeError::Missing`] if the router does not export what must be judged.
    pub(super) fn new(
        run: &Run,
        snapshot: &Snapshot,
        scraped: &Scraped,
        found: &Findings,
    ) -> Result<Self, ScrapeError> {
        let twice = scraped.count("surgeline_self_service_bounced_twice_total")?;
        let exported = scraped.count("surgeline_conservation_difference")?;
        let counted = snapshot.difference();
        let (c, books) = (&snapshot.contacts, found.counts);
        let queues = snapshot.queues.iter().map(|q| {
            let (f3, f4) = (q.service_level_all_abandoned, q.service_level_late_abandoned);
            (q.queue.clone(), ServiceLevel { f3, f4 })
        });
        let accepted = books.accepted + books.consults;
        Ok(Self {
            accepted: c.accepted,
            closed: c.closed,
            by_state: ByState {
                queued: c.queued,
                reserved: c.reserved,
                connecting: c.connecting,
                assigned: c.assigned,
                pending: c.pending,
                self_service: c.self_service,
                callback_due: c.callback_due,
                closed: c.closed,
            },
            conservation_difference: if exported == 0 { counted } else { exported },
            double_reservations: scraped.count("surgeline_double_reservations_total")?,
            abandoned: snapshot.queues.iter().map(|q| q.abandoned).sum(),
            reservation_latency_us: found.latency,
            service_level: ServiceLevels {
                formulas: FORMULAS,
                overall: overall(&snapshot.queues),
                queues: queues.collect(),
            },
            declined: books.declined,
            timed_out: books.timed_out,
            connect_failures: books.connect_failures,
            consults: books.consults,
            handed_over: books.handed_over,
            pended: books.pended,
            transferred: books.transferred,
            seconds: run.seconds,
            seed: run.seed,
            load: run.load,
            occupancy: run.occupancy,
            self_service: SelfService {
                entered: books.entered,
                solved: books.solved,
                informed: books.informed,
                followed_up: books.followed_up,
                returned: books.returned,
                bounced_twice: books.bounced_twice.max(twice.unsigned_abs()),
            },
            callbacks: Callbacks {
                offered: books.asked,
                accepted: books.wanted,
                reached: books.called_back,
            },
            safety_wait_p99_s: found.safety_wait_p99,
            other_wait_p50_s: found.other_wait_p50,
            places_lost: scraped.count("surgeline_places_lost_total")?,
            refusals: found.refusals.clone(),
            client_audit: ClientAudit {
                accepted,
                accepted_difference: c.accepted.wrapping_sub(accepted).cast_signed(),
                open: books.open,
                double_reservations: books.double_reservations,
            },
        })
    }

    /// One line.
    pub(super) fn json(&self) -> String {
        // Nothing in it can fail to be written: no maps with odd keys, no foreign types.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What must not be and is, each as a sentence.
    fn failures(&self) -> Vec<String> {
        let audit = &self.client_audit;
        let mut failures = Vec::new();
        if self.conservation_difference != 0 {
            let n = self.conservation_difference;
            failures
                .push(format!("{n} contacts are in no state or in two: accepted is not the sum"));
        }
        if self.double_reservations != 0 {
            let n = self.double_reservations;
            failures
                .push(format!("the router counts {n} reservations of contacts that somebody had"));
        }
        if audit.double_reservations != 0 {
            let n = audit.double_reservations;
            failures.push(format!("agents were given {n} contacts that another agent had"));
        }
        if self.places_lost != 0 {
            let n = self.places_lost;
            failures.push(format!("{n} contacts came back from self-service to a worse place"));
        }
        if self.self_service.bounced_twice != 0 {
            let n = self.self_service.bounced_twice;
            failures.push(format!("{n} contacts were sent to self-service a second time"));
        }
        if let (Some(safety), Some(others)) = (self.safety_wait_p99_s, self.other_wait_p50_s)
            && safety >= others
        {
            failures.push(format!(
                "safety contacts waited {safety:.2} s (p99), the others in the wave {others:.2} s \
                 (median)"
            ));
        }
        if audit.accepted_difference != 0 {
            let (ours, theirs) = (audit.accepted, self.accepted);
            failures.push(format!(
                "the router counts {theirs} contacts accepted, gateways and agents were told of {ours}"
            ));
        }
        failures
    }

    fn text(&self, frame: &Frame<'_>, palette: Palette) -> String {
        let mut text = frame.tables(palette).join("\n");
        let Latency { p50, p99, max, samples } = self.reservation_latency_us;
        let open = self.accepted - self.closed.min(self.accepted);
        let level = self.service_level.overall;
        let served = &self.self_service;
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n\n\
             in {:.0} s    {} contacts, {} closed, {open} still open, {} abandoned; seed {}\n\
             on time    {} SL ALL, {} SL LATE; {} of capacity in use, {} of agents occupied\n\
             mishaps    {} declined, {} not answered, {} calls not joined\n\
             teamwork   {} transfers, {} consults, {} of them handed over, {} waited for somebody\n\
             offers     p50 {}, p99 {}, most {} from arrival to offer, on disk; {samples} measured\n\
             recall     {} to self-service: {} solved, {} informed, {} back to people, {} followed up\n\
             callbacks  {} offered, {} accepted, {} reached\n\
             safety     p99 of the wait {}; median of the others in the wave {}\n\
             the law    difference {}, double reservations {} (as seen by agents: {}), \
             places lost {}, bounced twice {}\n\n\
             Next:\n\
             \x20 surgeline serve                a router of your own, on 127.0.0.1:50051\n\
             \x20 surgeline queue watch          its queues, live\n\
             \x20 surgeline agent list           its agents\n\
             \x20 surgeline config check FILE    before you give it your own queues\n\
             \x20 curl 127.0.0.1:9464/metrics    what Prometheus sees\n",
            self.seconds,
            self.accepted,
            self.closed,
            self.abandoned,
            self.seed,
            share(level.f3),
            share(level.f4),
            share(Some(self.load)),
            share(Some(self.occupancy)),
            self.declined,
            self.timed_out,
            self.connect_failures,
            self.transferred,
            self.consults,
            self.handed_over,
            self.pended,
            milliseconds(p50),
            milliseconds(p99),
            milliseconds(max),
            served.entered,
            served.solved,
            served.informed,
            served.returned,
            served.followed_up,
            self.callbacks.offered,
            self.callbacks.accepted,
            self.callbacks.reached,
            seconds(self.safety_wait_p99_s),
            seconds(self.other_wait_p50_s),
            self.conservation_difference,
            self.double_reservations,
            self.client_audit.double_reservations,
            self.places_lost,
            served.bounced_twice,
        );
        text
    }
}

fn seconds(s: Option<f64>) -> String {
    s.map_or_else(|| "-".to_owned(), |s| format!("{s:.2} s"))
}

fn milliseconds(us: u64) -> String {
    format!("{}.{:02} ms", us / 1000, us % 1000 / 10)
}

/// What is said at the end.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) summary: Summary,
    /// For people.
    pub(super) text: String,
    /// Empty if all is well.
    pub(super) failures: Vec<String>,
}

impl Outcome {
    pub(super) fn new(summary: Summary, frame: &Frame<'_>, palette: Palette) -> Self {
        Self { text: summary.text(frame, palette), failures: summary.failures(), summary }
    }
}

#[cfg(test)]
mod tests {
    use super::super::audit::Counts;
    use super::*;
    use crate::pb::v1::ContactCounts;

    fn summary(difference: i64, accepted_by_gateways: u64) -> Summary {
        let row = QueueRow {
            queue: "calls".to_owned(),
            answered: 80,
            answered_in_target: 72,
            abandoned: 16,
            abandoned_after_target: 10,
            service_level_all_abandoned: Some(0.75),
            service_level_late_abandoned: Some(0.8),
            ..QueueRow::default()
        };
        let contacts =
            ContactCounts { accepted: 100, closed: 98, pending: 2, ..Default::default() };
        let snapshot = Snapshot { queues: vec![row], contacts, ..Snapshot::default() };
        let counts = Counts { accepted: accepted_by_gateways, consults: 5, ..Counts::default() };
        let latency = Latency { p50: 900, p99: 4_000, max: 5_000, samples: 60 };
        let refusals = BTreeMap::from([("RESERVATION_OVER".to_owned(), 2)]);
        let (safety_wait_p99, other_wait_p50) = (Some(0.4), None);
        let found = Findings { counts, latency, refusals, safety_wait_p99, other_wait_p50 };
        let scraped = Scraped::of(&format!(
            "surgeline_conservation_difference {difference}\nsurgeline_double_reservations_total 0\n\
             surgeline_places_lost_total 0\nsurgeline_self_service_bounced_twice_total 0\n"
        ));
        let run = Run { seconds: 30.0, seed: 7, load: 0.8, occupancy: 0.9 };
        Summary::new(&run, &snapshot, &scraped, &found).unwrap()
    }

    #[test]
    fn the_json_is_one_line_with_the_fields_that_scripts_know() {
        let line = summary(0, 95).json();
        assert!(!line.contains('\n'));
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["accepted"], 100);
        assert_eq!(json["closed"], 98);
        assert_eq!(json["by_state"]["pending"], 2);
        assert_eq!(json["conservation_difference"], 0);
        assert_eq!(json["double_reservations"], 0);
        assert_eq!(json["abandoned"], 16);
        assert_eq!(json["reservation_latency_us"]["p50"], 900);
        assert_eq!(json["reservation_latency_us"]["p99"], 4000);
        assert_eq!(json["service_level"]["overall"]["f3"], 0.75);
        assert_eq!(json["service_level"]["overall"]["f4"], 0.8);
        assert_eq!(json["service_level"]["queues"]["calls"]["f4"], 0.8);
        assert_eq!(json["client_audit"]["double_reservations"], 0);
        assert_eq!(json["refusals"]["RESERVATION_OVER"], 2);
        assert_eq!(json["safety_wait_p99_s"], 0.4);
        assert_eq!(json["other_wait_p50_s"], serde_json::Value::Null);
        assert_eq!(json["places_lost"], 0);
        for field in ["entered", "solved", "informed", "returned", "bounced_twice"] {
            assert!(json["self_service"][field].is_number(), "{field}");
        }
        for field in [
            "declined",
            "timed_out",
            "connect_failures",
            "consults",
            "handed_over",
            "pended",
            "seconds",
            "seed",
        ] {
            assert!(json[field].is_number(), "{field}");
        }
    }

    #[test]
    fn what_must_not_be_is_a_failure() {
        assert!(summary(0, 95).failures().is_empty());
        assert_eq!(summary(1, 95).failures().len(), 1);
        assert!(summary(0, 94).failures()[0].contains("told of 99"));
    }
}
