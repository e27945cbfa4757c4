//! What must not be, and what makes figures doubtful.

use super::Report;

/// Lateness of the generator from which its figures say more about it than the router.
const LATE_US: u64 = 5_000;

pub(super) fn failures(report: &Report) -> Vec<String> {
    let c = &report.contacts;
    let mut found = Vec::new();
    let mut must = |holds: bool, says: String| {
        if !holds {
            found.push(says);
        }
    };
    must(c.lost == 0, format!("{} contacts were lost", c.lost));
    must(c.unanswered == 0, format!("{} arrivals got no answer", c.unanswered));
    let difference = c.conservation_difference;
    must(difference == 0, format!("the conservation law is off by {difference}"));
    let doubles = c.double_reservations.unwrap_or(0);
    must(doubles == 0, format!("{doubles} double reservations"));
    let places = c.places_lost.unwrap_or(0);
    must(places == 0, format!("{places} contacts lost their place in line"));
    let twice = report.recall.as_ref().map_or(0, |r| r.bounced_twice);
    must(twice == 0, format!("{twice} contacts were in self-service twice"));
    must(c.ended_otherwise == 0, format!("{} contacts ended otherwise", c.ended_otherwise));
    must(
        c.taken_from_agents == 0,
        format!("{} contacts were taken from agents who were away", c.taken_from_agents),
    );
    for back in &report.reconnects {
        must(
            back.everyone_back_ms.is_some(),
            format!("not everyone came back after the reconnect at {:.0} s", back.at_s),
        );
    }
    found
}

pub(super) fn warnings(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    let late = report.latency.generator_us.p99;
    if late > LATE_US {
        found.push(format!(
            "the load test itself was late by {late} us at the 99th percentile: latencies \
             include it, and the machine is too small for this load"
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of cores")]
    if report.machine.load_before > 0.5 * report.machine.cores as f64 {
        found.push(format!(
            "the machine was busy before the test began (load {:.1}): \
             latencies are too high and rates too low",
            report.machine.load_before
        ));
    }
    if report.contacts.open > 0 {
        found.push(format!(
            "{} contacts were still open when the drain's time was up",
            report.contacts.open
        ));
    }
    if report.contacts.double_reservations.is_none() {
        found.push("double reservations are not known without --metrics".into());
    }
    found
}
