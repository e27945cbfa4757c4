//! A report as lines for a terminal.

use std::fmt::Write as _;

use super::{Report, Returned};
use crate::book::Latency;

/// The report in some twenty lines.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name:<22}{value}");
    };
    for (name, value) in figures(report) {
        line(name, value);
    }
    for warning in &report.warnings {
        line("warning", warning.clone());
    }
    out
}

/// What there is to tell, as pairs: of the text and of the page.
pub(super) fn figures(report: &Report) -> Vec<(&'static str, String)> {
    let m = &report.machine;
    let b = &report.bare;
    let mut all = vec![
        ("scenario", format!("{}, seed {}", report.scenario, report.seed)),
        ("router", report.router.clone()),
        (
            "machine",
            format!(
                "{} cores, load {:.2} before, {:.2} after",
                m.cores, m.load_before, m.load_after
            ),
        ),
        ("bare disk sync", latency(&b.disk_sync_us)),
        ("bare echo", format!("{:.0} messages/s; {}", b.echo_messages_per_s, latency(&b.echo_us))),
    ];
    if let Some(peak) = &report.peak {
        all.push((
            "closed-loop peak",
            format!(
                "{:.0} lives/s, {:.0} messages/s: {:.2} of the echo's",
                peak.lives_per_s, peak.messages_per_s, peak.of_echo
            ),
        ));
    }
    all.extend(run(report));
    all.extend(report.reconnects.iter().map(|back| ("reconnect", reconnect(back))));
    all.extend(report.recall.iter().flat_map(|r| r.figures()));
    all.extend(report.reload.iter().flat_map(|r| r.figures()));
    all
}

fn run(report: &Report) -> [(&'static str, String); 9] {
    let (c, l) = (&report.contacts, &report.latency);
    let known = |count: Option<i64>| count.map_or("not known".into(), |n| n.to_string());
    let (doubles, places) = (known(c.double_reservations), known(c.places_lost));
    [
        (
            "measured",
            format!("{:.0} s at {:.0} arrivals/s", report.measured_s, report.arrivals_per_s),
        ),
        ("echo at that pace", latency(&report.bare.paced_echo_us)),
        (
            "reservation",
            format!(
                "{}; p99 is {:.2} of echo + 2 syncs",
                latency(&l.reservation_us),
                l.reservation_p99_of_floor
            ),
        ),
        ("accepted, durable", latency(&l.accepted_us)),
        ("answer", latency(&l.answer_us)),
        ("sent late by", latency(&l.generator_us)),
        (
            "contacts",
            format!(
                "{} sent, {} accepted, {} refused, {} completed, {} abandoned, {} by self-service, {} open",
                c.sent, c.accepted, c.refused, c.completed, c.abandoned, c.in_self_service, c.open
            ),
        ),
        (
            "must be 0",
            format!(
                "lost {}, unanswered {}, conservation {}, double reservations {doubles}, places lost {places}",
                c.lost, c.unanswered, c.conservation_difference
            ),
        ),
        ("refusals", refusals(report)),
    ]
}

fn refusals(report: &Report) -> String {
    let each: Vec<_> =
        report.contacts.refusals.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
    if each.is_empty() { "none".into() } else { each.join(", ") }
}

fn reconnect(back: &Returned) -> String {
    let ms = |time: Option<f64>| time.map_or("never".into(), |t| format!("{t:.0} ms"));
    format!(
        "at {:.0} s: everyone back after {}, first offer {}, offers on every desktop {}; {} of {} contacts in hand given back",
        back.at_s,
        ms(back.everyone_back_ms),
        ms(back.first_offer_ms),
        ms(back.every_desktop_offered_ms),
        back.given_back,
        back.held
    )
}

pub(crate) fn latency(l: &Latency) -> String {
    if l.samples == 0 {
        return "nothing measured".into();
    }
    let each = [("p50", l.p50), ("p90", l.p90), ("p99", l.p99), ("p99.9", l.p999), ("max", l.max)];
    each.map(|(name, us)| format!("{name} {}", time(us))).join(", ")
}

/// Microseconds, in the unit in which they are short.
#[expect(clippy::cast_precision_loss, reason = "times for people to read")]
pub(super) fn time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.1} s", us as f64 / 1e6),
    }
}
