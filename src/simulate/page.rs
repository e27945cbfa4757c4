//! An outcome as one HTML file that needs nothing else: no script, no font, no network.

use std::fmt::Write as _;

use plotters::prelude::*;

use super::error::SimulateError;
use super::figures::{Figure, Measure, Unit};
use super::outcome::Outcome;

const SIZE: (u32, u32) = (860, 300);
const BLUE: RGBColor = RGBColor(0x1f, 0x5f, 0xa8);
const ORANGE: RGBColor = RGBColor(0xd9, 0x6b, 0x0b);
const GREEN: RGBColor = RGBColor(0x2a, 0x85, 0x4c);
const RED: RGBColor = RGBColor(0xb8, 0x2c, 0x2c);
const GREY: RGBColor = RGBColor(0x70, 0x70, 0x70);
const FAINT: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
const FONT: (&str, i32) = ("sans-serif", 13);

const STYLE: &str = "\
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; \
       max-width: 880px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin: 2rem 0 .2rem }
p { margin: .2rem 0 .8rem; color: #555 } .wide { overflow-x: auto }
table { border-collapse: collapse; font-size: 14px } th { text-align: left; font-weight: 600 }
td, th { padding: .25rem 1rem .25rem 0; border-bottom: 1px solid #eee; white-space: nowrap }
td + td, th + th { text-align: right } svg { width: 100%; height: auto }
.legend { margin: 0; font-size: 13px } .legend span { margin-right: 1.2rem }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: .4rem; vertical-align: middle }
";

struct Line<'a> {
    name: &'static str,
    colour: RGBColor,
    values: &'a [f64],
    /// What values are multiplied with to be shown.
    factor: f64,
}

/// The page.
///
/// # Errors
/// [`SimulateError::Plot`] when a picture cannot be drawn.
pub fn html(outcome: &Outcome) -> Result<String, SimulateError> {
    let title = escape(&outcome.title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n\
         <p>{}</p>\n<p>{} runs of {:.1} h, the first {:.1} h left out, seed {}. ± is the 95 % \
         confidence interval of the mean over runs. {} contacts, {:.0} a second.</p>\n",
        escape(&outcome.about),
        outcome.runs,
        outcome.duration / 3600.0,
        outcome.warm_up / 3600.0,
        outcome.seed,
        outcome.contacts,
        outcome.contacts_a_second()
    );
    page.push_str(&queues(outcome));
    page.push_str(&occupancy(outcome));
    let course = &outcome.course;
    // Counts between two points become contacts a minute.
    let per_minute = course.came.len() as f64 / (outcome.duration / 60.0);
    let line = |name, colour, values, factor| Line { name, colour, values, factor };
    let pictures = [
        (
            "Contacts a minute",
            "Where answers stay below arrivals, people are what is missing.",
            vec![
                line("came", GREY, &course.came[..], per_minute),
                line("answered", BLUE, &course.answered, per_minute),
                line("gave up", RED, &course.abandoned, per_minute),
            ],
        ),
        (
            "Contacts in the router",
            "Waiting for an agent, with one, and in self-service; the mean over runs.",
            vec![
                line("waiting", ORANGE, &course.waiting, 1.0),
                line("with agents", BLUE, &course.with_agents, 1.0),
                line("in self-service", GREEN, &course.self_service, 1.0),
            ],
        ),
    ];
    for (heading, about, lines) in pictures {
        let legend = lines.iter().map(|l| {
            let RGBColor(r, g, b) = l.colour;
            format!("<span><i style=\"background:rgb({r},{g},{b})\"></i>{}</span>", l.name)
        });
        let legend: String = legend.collect();
        let svg = drawn(&lines, outcome.duration / 3600.0)?;
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "<h2>{heading}</h2>\n<p>{about}</p>\n<p class=\"legend\">{legend}</p>\n{svg}"
        );
    }
    page.push_str("</body></html>\n");
    Ok(page)
}

fn queues(outcome: &Outcome) -> String {
    let name = |q: &Option<Box<str>>| q.as_deref().map_or("all queues".to_owned(), escape);
    let heads: String =
        outcome.queues.iter().map(|s| format!("<th>{}</th>", name(&s.queue))).collect();
    let mut rows = format!("<tr><th></th>{heads}</tr>\n");
    for measure in Measure::ALL {
        let figures: Vec<_> = outcome.queues.iter().map(|s| s.figure(measure)).collect();
        if figures.iter().any(Option::is_some) {
            let cell =
                |f: &Option<Figure>| f.as_ref().map_or("–".to_owned(), |f| told(measure, f));
            let cells: String = figures.iter().map(|f| format!("<td>{}</td>", cell(f))).collect();
            let _ = writeln!(rows, "<tr><td>{}</td>{cells}</tr>", measure.words());
        }
    }
    format!("<h2>Queues</h2>\n<div class=\"wide\"><table>\n{rows}</table></div>\n")
}

fn occupancy(outcome: &Outcome) -> String {
    let mut rows = String::from("<tr><th></th><th>agents</th><th>busy</th></tr>\n");
    for group in &outcome.occupancy {
        let kind = if group.is_pool { "pool" } else { "profile" };
        let busy = told(Measure::ServiceLevel, &group.busy);
        let name = escape(&group.name);
        let _ = writeln!(
            rows,
            "<tr><td>{kind} {name}</td><td>{}</td><td>{busy}</td></tr>",
            group.agents
        );
    }
    format!("<h2>Occupancy</h2>\n<div class=\"wide\"><table>\n{rows}</table></div>\n")
}

fn told(measure: Measure, figure: &Figure) -> String {
    let (factor, places, sign) = match measure.unit() {
        Unit::Contacts => (1.0, 0, ""),
        Unit::Share => (100.0, 2, " %"),
        Unit::Seconds => (1.0, 2, " s"),
    };
    let half = figure.half.map(|h| format!(" ±{:.places$}", h * factor)).unwrap_or_default();
    format!("{:.places$}{sign}{half}", figure.mean * factor)
}

fn drawn(lines: &[Line<'_>], hours: f64) -> Result<String, SimulateError> {
    fn failed(why: impl std::fmt::Display) -> SimulateError {
        SimulateError::Plot(why.to_string().into())
    }
    let high = lines.iter().flat_map(|l| l.values.iter().map(move |v| v * l.factor));
    let high = high.fold(1.0, f64::max) * 1.05;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(38)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..hours, 0.0..high)
            .map_err(failed)?;
        let mut mesh = chart.configure_mesh();
        mesh.x_labels(12).y_labels(6).x_desc("hours");
        mesh.light_line_style(TRANSPARENT).bold_line_style(FAINT).axis_style(GREY);
        mesh.label_style(FONT).draw().map_err(failed)?;
        for line in lines {
            let step = hours / line.values.len() as f64;
            let points = line.values.iter().enumerate();
            let points = points.map(|(i, v)| ((i + 1) as f64 * step, v * line.factor));
            let style = line.colour.stroke_width(2);
            chart.draw_series(LineSeries::new(points, style)).map_err(failed)?;
        }
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
