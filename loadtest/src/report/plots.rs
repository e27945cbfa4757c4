//! The four pictures of a report, as SVG.

use plotters::coord::ranged1d::{NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;

use super::text::time;
use super::{Point, Report};
use crate::error::LoadError;

const SIZE: (u32, u32) = (860, 320);
const BLUE: RGBColor = RGBColor(0x1f, 0x5f, 0xa8);
const ORANGE: RGBColor = RGBColor(0xd9, 0x6b, 0x0b);
const GREEN: RGBColor = RGBColor(0x2a, 0x85, 0x4c);
const RED: RGBColor = RGBColor(0xb8, 0x2c, 0x2c);
const GREY: RGBColor = RGBColor(0x70, 0x70, 0x70);
const FAINT: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
const FONT: &str = "sans-serif";

/// A line: its name, its colour, its points.
struct Line {
    name: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

fn line(name: &'static str, colour: RGBColor, points: impl Iterator<Item = (f64, f64)>) -> Line {
    Line { name, colour, points: points.collect() }
}

fn failed(why: impl std::fmt::Display) -> LoadError {
    LoadError::Plot(why.to_string().into())
}

/// Every picture with its heading and what to see in it.
///
/// # Errors
/// [`LoadError::Plot`].
pub(super) fn all(report: &Report) -> Result<Vec<(&'static str, &'static str, String)>, LoadError> {
    Ok(vec![
        (
            "Arrivals and answers",
            "Contacts a second. Where answers stay below arrivals, people are what is missing.",
            arrivals(report)?,
        ),
        (
            "In the router",
            "Contacts waiting and contacts held for or with agents, as the router says every quarter of a second.",
            depth(report)?,
        ),
        (
            "Latency by percentile",
            "From when a contact was due. A reservation is of contacts that found an agent idle; an answer includes the wait for people.",
            percentiles(report)?,
        ),
        (
            "Latency over time",
            "Reservations of contacts due in each second that found an agent idle.",
            over_time(report)?,
        ),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "points of a picture")]
fn arrivals(report: &Report) -> Result<String, LoadError> {
    // The last second is a part of one.
    let whole = report.seconds.len().saturating_sub(1);
    let of = |value: fn(&super::Second) -> u64| {
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
    over_seconds(&lines, "contacts/s", report)
}

#[expect(clippy::cast_precision_loss, reason = "points of a picture")]
fn depth(report: &Report) -> Result<String, LoadError> {
    let of = |value: fn(&super::Depth) -> u64| {
        report.depth.iter().filter(|d| d.at_s >= 0.0).map(move |d| (d.at_s, value(d) as f64))
    };
    let lines = [
        line("waiting", ORANGE, of(|d| d.waiting)),
        line("with agents", BLUE, of(|d| d.with_agents)),
    ];
    over_seconds(&lines, "contacts", report)
}

fn last_second(lines: &[Line]) -> f64 {
    lines.iter().flat_map(|l| &l.points).fold(1.0, |most, (x, _)| x.max(most))
}

/// Lines over the seconds of the run, on an even scale; reconnects are marked.
fn over_seconds(lines: &[Line], unit: &str, report: &Report) -> Result<String, LoadError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let high = lines.iter().flat_map(|l| &l.points).fold(1.0_f64, |most, (_, y)| y.max(most));
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(38)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..last_second(lines), 0.0..high * 1.08)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(GREY)
            .label_style((FONT, 13))
            .x_labels(12)
            .y_labels(6)
            .x_desc("seconds")
            .y_desc(unit)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .draw()
            .map_err(failed)?;
        for at in report.reconnects.iter().map(|r| r.at_s) {
            let mark = [(at, 0.0), (at, high * 1.08)];
            chart.draw_series(LineSeries::new(mark, RED)).map_err(failed)?;
        }
        for line in lines {
            let style = line.colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style))
                .map_err(failed)?
                .label(line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        legend(&mut chart)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

fn legend<'a, X, Y>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
) -> Result<(), LoadError>
where
    X: Ranged<ValueType = f64> + 'a,
    Y: Ranged<ValueType = f64> + 'a,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(FAINT)
        .label_font((FONT, 13))
        .margin(8)
        .draw()
        .map_err(failed)
}

/// An axis of percentiles on which each 9 takes as much room: position n is the quantile
/// 1 - 10^-n.
#[derive(Clone)]
struct Nines {
    most: f64,
}

impl Ranged for Nines {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let room = f64::from(limit.1 - limit.0);
        limit.0 + (value / self.most * room).round() as i32
    }

    fn key_points<Hint: plotters::coord::ranged1d::KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        let halves = [0.0, nines(0.5), nines(0.75)];
        let whole = (1..).map(f64::from).take_while(|n| *n <= self.most);
        halves.into_iter().chain(whole).filter(|n| *n <= self.most).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.most
    }
}

impl ValueFormatter<f64> for Nines {
    fn format(value: &f64) -> String {
        let quantile = 1.0 - 10.0_f64.powf(-value);
        // Enough places for the nines that there are.
        let text = format!("{:.4}", quantile * 100.0);
        format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

#[expect(clippy::cast_precision_loss, reason = "points of a picture")]
fn percentiles(report: &Report) -> Result<String, LoadError> {
    let named = [
        ("echo", "bare echo at this pace", GREY),
        ("reservation", "reservation", BLUE),
        ("answer", "answer", ORANGE),
    ];
    let points = |p: &Point| (nines(p.quantile), p.us.max(1) as f64);
    let lines: Vec<_> = named
        .into_iter()
        .filter_map(|(key, name, colour)| {
            Some(line(name, colour, report.percentiles.get(key)?.iter().map(points)))
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    let most = last_second(&lines);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(38)
            .y_label_area_size(64)
            .build_cartesian_2d(Nines { most }, scale(&lines))
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(GREY)
            .label_style((FONT, 13))
            .x_desc("percentile")
            .y_label_formatter(&axis_time)
            .draw()
            .map_err(failed)?;
        for line in &lines {
            let style = line.colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style))
                .map_err(failed)?
                .label(line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        legend_at_left(&mut chart)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

fn legend_at_left<'a, X, Y>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
) -> Result<(), LoadError>
where
    X: Ranged<ValueType = f64> + 'a,
    Y: Ranged<ValueType = f64> + 'a,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(FAINT)
        .label_font((FONT, 13))
        .margin(8)
        .draw()
        .map_err(failed)
}

/// Times from the power of ten below the shortest to that above the longest.
fn scale(lines: &[Line]) -> plotters::coord::combinators::LogCoord<f64> {
    let all = || lines.iter().flat_map(|l| &l.points).map(|(_, y)| *y);
    let low = all().fold(f64::INFINITY, f64::min).max(1.0);
    let high = all().fold(10.0, f64::max);
    let low = if low.is_finite() { low } else { 1.0 };
    let decade = |y: f64| 10.0_f64.powf(y);
    (decade(low.log10().floor())..decade(high.log10().ceil())).log_scale().into()
}

#[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "whole powers of ten")]
fn axis_time(us: &f64) -> String {
    time(us.round() as u64).replace(".0", "")
}

#[expect(clippy::cast_precision_loss, reason = "points of a picture")]
fn over_time(report: &Report) -> Result<String, LoadError> {
    let of = |value: fn(&crate::book::Latency) -> u64| {
        let measured = report.seconds.iter().filter(|s| s.reservation_us.samples > 0);
        measured.map(move |s| (s.second as f64 + 0.5, value(&s.reservation_us).max(1) as f64))
    };
    let lines = [
        line("max", RED, of(|l| l.max)),
        line("p99", ORANGE, of(|l| l.p99)),
        line("p50", BLUE, of(|l| l.p50)),
    ];
    #[expect(clippy::cast_precision_loss, reason = "a time in a picture")]
    let last = (report.seconds.len() as f64).max(1.0);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(38)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..last, scale(&lines))
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(GREY)
            .label_style((FONT, 13))
            .x_labels(12)
            .x_desc("seconds")
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&axis_time)
            .draw()
            .map_err(failed)?;
        for line in &lines {
            let style = line.colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style))
                .map_err(failed)?
                .label(line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        }
        legend(&mut chart)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}
