//! A report as one HTML file that needs nothing else: no script, no font, no network.

use std::fmt::Write as _;

use super::plots::Picture;
use super::recall::Bar;
use super::{Report, plots, text};
use crate::error::LoadError;
use surgeline::plots::{Page, escape};

const STYLE: &str = "\
.verdict { padding: .6rem .9rem; border-left: 5px solid; margin: 1rem 0; color: #222 }
.good { border-color: #2a854c; background: #eef7f1 } .bad { border-color: #b82c2c; background: #fbeeee }
.doubt { border-color: #d9a50b; background: #fdf8e8 }
table { width: 100% } td { padding: .3rem .6rem .3rem 0; vertical-align: top }
td:first-child { color: #555; white-space: nowrap }
";

/// The page.
///
/// # Errors
/// [`LoadError::Plot`] when a picture cannot be drawn.
pub fn html(report: &Report) -> Result<String, LoadError> {
    let mut page = Page::new(&format!("Load test: {}", report.scenario), STYLE);
    page.add(&format!("<p>{}</p>\n", escape(&report.about)));
    if report.failures.is_empty() {
        page.add(
            "<p class=\"verdict good\">Nothing lost, nothing doubled, everything answered.</p>\n",
        );
    }
    for failure in &report.failures {
        page.add(&format!("<p class=\"verdict bad\">{}</p>\n", escape(failure)));
    }
    for warning in &report.warnings {
        page.add(&format!("<p class=\"verdict doubt\">{}</p>\n", escape(warning)));
    }
    let mut rows = String::new();
    for (name, value) in text::figures(report) {
        // Writing to a String cannot fail.
        let _ = writeln!(rows, "<tr><td>{}</td><td>{}</td></tr>", escape(name), escape(&value));
    }
    page.add(&format!("<table>\n{rows}</table>\n"));
    if let Some(recall) = report.recall.as_ref().filter(|r| !r.bars.is_empty()) {
        page.add(&bars(&recall.bars));
    }
    for Picture { heading, about, lines, svg } in plots::all(report)? {
        page.picture(heading, about, &lines, &svg);
    }
    Ok(page.ends())
}

fn bars(bars: &[Bar]) -> String {
    let row = |bar: &Bar| {
        let (class, met) = if bar.met { ("good", "met") } else { ("bad", "missed") };
        format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{met}</td></tr>\n",
            escape(&bar.what),
            escape(&bar.bar),
            escape(&bar.found)
        )
    };
    let rows: String = bars.iter().map(row).collect();
    format!("<h2>Bars</h2>\n<table>\n{rows}</table>\n")
}
