//! A report as one HTML file that needs nothing else: no script, no font, no network.

use std::fmt::Write as _;

use super::recall::Bar;
use super::{Report, plots, text};
use crate::error::LoadError;

const STYLE: &str = "\
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; \
       max-width: 880px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin: 2rem 0 .2rem }
p { margin: .2rem 0 .8rem; color: #555 }
.verdict { padding: .6rem .9rem; border-left: 5px solid; margin: 1rem 0; color: #222 }
.good { border-color: #2a854c; background: #eef7f1 } .bad { border-color: #b82c2c; background: #fbeeee }
.doubt { border-color: #d9a50b; background: #fdf8e8 }
table { border-collapse: collapse; width: 100% } td { padding: .3rem .6rem .3rem 0; vertical-align: top; \
        border-bottom: 1px solid #eee } td:first-child { color: #555; white-space: nowrap }
svg { width: 100%; height: auto }
.legend { margin: 0; font-size: 13px } .legend span { margin-right: 1.2rem; white-space: nowrap }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: .4rem; vertical-align: middle }
";

/// The page.
///
/// # Errors
/// [`LoadError::Plot`] when a picture cannot be drawn.
pub fn html(report: &Report) -> Result<String, LoadError> {
    let title = format!("Load test: {}", escape(&report.scenario));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style></head><body>\n\
         <h1>{title}</h1>\n<p>{}</p>\n",
        escape(&report.about)
    );
    let mut add = |html: String| page.push_str(&html);
    if report.failures.is_empty() {
        add("<p class=\"verdict good\">Nothing lost, nothing doubled, everything answered.</p>\n"
            .into());
    }
    for failure in &report.failures {
        add(format!("<p class=\"verdict bad\">{}</p>\n", escape(failure)));
    }
    for warning in &report.warnings {
        add(format!("<p class=\"verdict doubt\">{}</p>\n", escape(warning)));
    }
    let mut rows = String::new();
    for (name, value) in text::figures(report) {
        // Writing to a String cannot fail.
        let _ = writeln!(rows, "<tr><td>{}</td><td>{}</td></tr>", escape(name), escape(&value));
    }
    add(format!("<table>\n{rows}</table>\n"));
    if let Some(recall) = report.recall.as_ref().filter(|r| !r.bars.is_empty()) {
        add(bars(&recall.bars));
    }
    for picture in plots::all(report)? {
        let legend = picture.legend.iter().map(|(name, colour)| {
            let (r, g, b) = (colour.0, colour.1, colour.2);
            format!("<span><i style=\"background:rgb({r},{g},{b})\"></i>{name}</span>")
        });
        let legend: String = legend.collect();
        let (heading, about, svg) = (picture.heading, picture.about, &picture.svg);
        add(format!(
            "<h2>{heading}</h2>\n<p>{about}</p>\n<p class=\"legend\">{legend}</p>\n{svg}\n"
        ));
    }
    add("</body></html>\n".into());
    Ok(page)
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
