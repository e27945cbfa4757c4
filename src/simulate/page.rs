//! An outcome as one HTML page; how it looks is `plots`' business.

use std::fmt::Write as _;

use plotters::coord::types::RangedCoordf64;

use super::error::SimulateError;
use super::figures::{Figure, Measure, Unit};
use super::outcome::Outcome;
use crate::plots::{Axes, BLUE, Colour, GREEN, GREY, Line, ORANGE, Page, RED, draw, escape};

const STYLE: &str = "\
.wide { overflow-x: auto } table { font-size: 14px } th { text-align: left; font-weight: 600 }
td, th { padding: .25rem 1rem .25rem 0; white-space: nowrap } td + td, th + th { text-align: right }
";

/// The page.
///
/// # Errors
/// [`SimulateError::Plot`] when a picture cannot be drawn.
pub fn html(outcome: &Outcome) -> Result<String, SimulateError> {
    let mut page = Page::new(&outcome.title, STYLE);
    page.add(&format!(
        "<p>{}</p>\n<p>{} runs of {:.1} h, the first {:.1} h left out, seed {}. ± is the 95 % \
         confidence interval of the mean over runs. {} contacts, {:.0} a second.</p>\n",
        escape(&outcome.about),
        outcome.runs,
        outcome.duration / 3600.0,
        outcome.warm_up / 3600.0,
        outcome.seed,
        outcome.contacts,
        outcome.contacts_a_second()
    ));
    page.add(&queues(outcome));
    page.add(&occupancy(outcome));
    let course = &outcome.course;
    let hours = outcome.duration / 3600.0;
    // Counts between two points become contacts a minute.
    let per_minute = course.came.len() as f64 / (outcome.duration / 60.0);
    let line = |name, colour: Colour, values: &[f64], factor: f64| {
        let step = hours / values.len() as f64;
        let points = values.iter().enumerate();
        Line::new(name, colour, points.map(|(i, v)| ((i + 1) as f64 * step, v * factor)))
    };
    let pictures = [
        (
            "Contacts a minute",
            "Where answers stay below arrivals, people are what is missing.",
            [
                line("came", GREY, &course.came, per_minute),
                line("answered", BLUE, &course.answered, per_minute),
                line("gave up", RED, &course.abandoned, per_minute),
            ],
        ),
        (
            "Contacts in the router",
            "Waiting for an agent, with one, and in self-service; the mean over runs.",
            [
                line("waiting", ORANGE, &course.waiting, 1.0),
                line("with agents", BLUE, &course.with_agents, 1.0),
                line("in self-service", GREEN, &course.self_service, 1.0),
            ],
        ),
    ];
    for (heading, about, lines) in pictures {
        let high = lines.iter().flat_map(|l| &l.points).fold(1.0_f64, |most, (_, y)| y.max(most));
        let x: RangedCoordf64 = (0.0..hours).into();
        let y: RangedCoordf64 = (0.0..high * 1.05).into();
        let svg = draw(&lines, Axes { x, y, what: "hours" }, [None, None], &[])?;
        page.picture(heading, about, &lines, &svg);
    }
    Ok(page.ends())
}

fn queues(outcome: &Outcome) -> String {
    let name = |q: &Option<Box<str>>| q.as_deref().map_or("all queues".to_owned(), escape);
    let heads: String =
        outcome.queues.iter().map(|s| format!("<th>{}</th>", name(&s.queue))).collect();
    let mut rows = format!("<tr><th></th>{heads}</tr>\n");
    for measure in Measure::ALL {
        let figures: Vec<_> = outcome.queues.iter().map(|s| s.figure(measure)).collect();
        let telling = |f: &Option<Figure>| f.is_some_and(|f| !measure.is_rare() || f.mean > 0.0);
        if figures.iter().any(telling) {
            let cell = |f: &Option<Figure>| {
                f.as_ref().map_or("–".to_owned(), |f| measure.unit().told(f))
            };
            let cells: String = figures.iter().map(|f| format!("<td>{}</td>", cell(f))).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(rows, "<tr><td>{}</td>{cells}</tr>", measure.words());
        }
    }
    format!("<h2>Queues</h2>\n<div class=\"wide\"><table>\n{rows}</table></div>\n")
}

fn occupancy(outcome: &Outcome) -> String {
    let mut rows = String::from("<tr><th></th><th>agents</th><th>busy</th></tr>\n");
    for group in &outcome.occupancy {
        let kind = if group.is_pool { "pool" } else { "profile" };
        let (name, busy) = (escape(&group.name), Unit::Share.told(&group.busy));
        let _ = writeln!(
            rows,
            "<tr><td>{kind} {name}</td><td>{}</td><td>{busy}</td></tr>",
            group.agents
        );
    }
    format!("<h2>Occupancy</h2>\n<div class=\"wide\"><table>\n{rows}</table></div>\n")
}
