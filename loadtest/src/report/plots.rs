//! The four pictures of a report, as SVG. Their legends are the page's.

use plotters::coord::combinators::LogCoord;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{IntoLogRange, Ranged};
use surgeline::plots::{Axes, BLUE, Colour, GREEN, GREY, Line, ORANGE, PlotError, RED, draw};

use super::text::time;
use super::{Depth, Point, Report, Second};
use crate::book::Latency;

/// A picture and what belongs to it.
pub(super) struct Picture {
    pub(super) heading: &'static str,
    /// What to see in it.
    pub(super) about: &'static str,
    pub(super) lines: Vec<Line>,
    pub(super) svg: String,
}

fn line(name: &'static str, colour: Colour, points: impl Iterator<Item = (f64, f64)>) -> Line {
    Line::new(name, colour, points)
}

/// All of them.
///
/// # Errors
/// [`PlotError`].
pub(super) fn all(report: &Report) -> Result<[Picture; 4], PlotError> {
    let picture = |heading, about, lines: Vec<Line>, svg| Picture { heading, about, lines, svg };
    let (arrivals, depth) = (arrivals(report), depth(report));
    let (percentiles, latency) = (percentiles(report), latency(report));
    let svgs = [
        over_seconds(&arrivals, even(&arrivals), &plain, report)?,
        over_seconds(&depth, even(&depth), &plain, report)?,
        over_percentiles(&percentiles)?,
        over_seconds(&latency, decades(&latency), &as_time, report)?,
    ];
    let [first, second, third, fourth] = svgs;
    Ok([
        picture(
            "Arrivals and answers, contacts a second",
            "Where answers stay below arrivals, people are what is missing.",
            arrivals,
            first,
        ),
        picture(
            "Contacts in the router",
            "Waiting, held for or with agents, and in self-service, as the router says every quarter of a second. A red line is an order of the recall, or a reconnect.",
            depth,
            second,
        ),
        picture(
            "Latency by percentile",
            "From when a contact was due. Accepted is on disk; a reservation is of contacts that found an agent idle; an answer includes the wait for people.",
            percentiles,
            third,
        ),
        picture(
            "Latency over time",
            "Of contacts due in each second; reservations of those that found an agent idle.",
            latency,
            fourth,
        ),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "points of a picture")]
fn arrivals(report: &Report) -> Vec<Line> {
    // The last second is a part of one.
    let whole = report.seconds.len().saturating_sub(1);
    let of = |value: fn(&Second) -> u64| {
        report.seconds[..whole].iter().map(move |s| (s.second as f64 + 0.5, value(s) as f64))
    };
    let mut lines = vec![
        line("due", GREY, of(|s| s.due)),
        line("answered", BLUE, of(|s| s.answered)),
        line("completed", GREEN, of(|s| s.completed)),
    ];
    if report.contacts.abandoned > 0 {
        lines.push(line("abandoned", RED, of(|s| s.abandoned)));
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "points of a picture")]
fn depth(report: &Report) -> Vec<Line> {
    let of = |value: fn(&Depth) -> u64| {
        report.depth.iter().filter(|d| d.at_s >= 0.0).map(move |d| (d.at_s, value(d) as f64))
    };
    let mut lines = vec![
        line("waiting", ORANGE, of(|d| d.waiting)),
        line("with agents", BLUE, of(|d| d.with_agents)),
    ];
    if report.recall.is_some() {
        lines.push(line("in self-service", GREEN, of(|d| d.self_service)));
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "points of a picture")]
fn latency(report: &Report) -> Vec<Line> {
    let of = |value: fn(&Second) -> &Latency, at: fn(&Latency) -> u64| {
        let measured = report.seconds.iter().filter(move |s| value(s).samples > 0);
        measured.map(move |s| (s.second as f64 + 0.5, at(value(s)).max(1) as f64))
    };
    vec![
        line("accepted p99", GREEN, of(|s| &s.accepted_us, |l| l.p99)),
        line("reservation p99", ORANGE, of(|s| &s.reservation_us, |l| l.p99)),
        line("reservation p50", BLUE, of(|s| &s.reservation_us, |l| l.p50)),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "points of a picture")]
fn percentiles(report: &Report) -> Vec<Line> {
    let named = [
        ("answer", "answer", ORANGE),
        ("reservation", "reservation", BLUE),
        ("accepted", "accepted", GREEN),
        ("echo", "bare echo at this pace", GREY),
    ];
    let points = |p: &Point| (nines(p.quantile), p.us.max(1) as f64);
    let lines = named.into_iter().filter_map(|(key, name, colour)| {
        Some(line(name, colour, report.percentiles.get(key)?.iter().map(points)))
    });
    lines.filter(|line| !line.points.is_empty()).collect()
}

fn last(lines: &[Line]) -> f64 {
    lines.iter().flat_map(|l| &l.points).fold(1.0, |most, (x, _)| x.max(most))
}

fn even(lines: &[Line]) -> RangedCoordf64 {
    let high = lines.iter().flat_map(|l| &l.points).fold(1.0_f64, |most, (_, y)| y.max(most));
    (0.0..high * 1.05).into()
}

/// From the power of ten below the lowest to that above the highest.
fn decades(lines: &[Line]) -> LogCoord<f64> {
    let all = || lines.iter().flat_map(|l| &l.points).map(|(_, y)| *y);
    let low = all().fold(f64::INFINITY, f64::min).clamp(1.0, 1e9);
    let high = all().fold(low * 10.0, f64::max);
    let decade = |y: f64| 10.0_f64.powf(y);
    (decade(low.log10().floor())..decade(high.log10().ceil())).log_scale().into()
}

fn plain(value: &f64) -> String {
    format!("{value:.0}")
}

#[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "whole microseconds")]
fn as_time(us: &f64) -> String {
    time(us.round() as u64).replace(".0", "")
}

/// Lines over the seconds of the run; reconnects and orders are marked.
fn over_seconds<Y>(
    lines: &[Line],
    y: Y,
    label: &dyn Fn(&f64) -> String,
    report: &Report,
) -> Result<String, PlotError>
where
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let whole = last(lines);
    let seconds = |x: &f64| if whole < 12.0 { format!("{x:.1}") } else { format!("{x:.0}") };
    let orders = report.recall.iter().flat_map(|r| &r.orders).map(|o| o.at_s);
    let marks: Vec<f64> = report.reconnects.iter().map(|r| r.at_s).chain(orders).collect();
    let x: RangedCoordf64 = (0.0..whole).into();
    draw(lines, Axes { x, y, what: "seconds" }, [Some(&seconds), Some(label)], &marks)
}

fn over_percentiles(lines: &[Line]) -> Result<String, PlotError> {
    let axes = Axes { x: Nines { most: last(lines) }, y: decades(lines), what: "percentile" };
    draw(lines, axes, [None, Some(&as_time)], &[])
}

/// An axis of percentiles on which each 9 takes as much room: position n is the quantile
/// 1 - 10^-n.
#[derive(Clone)]
struct Nines {
    most: f64,
}

fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

impl Ranged for Nines {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let room = f64::from(limit.1 - limit.0);
        limit.0 + (value / self.most * room).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        let halves = [0.0, nines(0.5), nines(0.75)];
        let whole = (1..=9).map(f64::from);
        halves.into_iter().chain(whole).filter(|n| *n <= self.most).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.most
    }
}

impl ValueFormatter<f64> for Nines {
    fn format(value: &f64) -> String {
        // As many places as there are nines after the second.
        let text = format!("{:.7}", (1.0 - 10.0_f64.powf(-value)) * 100.0);
        format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nine_has_its_place_and_its_name() {
        let axis = Nines { most: 4.0 };
        assert_eq!([0.0, 1.0, 4.0].map(|n| axis.map(&n, (100, 500))), [100, 200, 500]);
        let names = [0.0, nines(0.75), 2.0, 3.0, 5.0].map(|n| Nines::format(&n));
        assert_eq!(names, ["p0", "p75", "p99", "p99.9", "p99.999"]);
    }
}
