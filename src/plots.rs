//! Pictures of reports, and the page that they stand on: lines over an axis as SVG, in one
//! file that needs no script, no font and no network.
//!
//! For the simulator's report and the load test's, so that the two look alike. It knows
//! nothing of what the lines are, and writes no file.

use std::fmt::{Display, Write as _};

use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::{
    ChartBuilder, Color, IntoDrawingArea, LineSeries, Ranged, SVGBackend, TRANSPARENT,
};
use plotters::style::RGBColor;
pub use plotters::style::RGBColor as Colour;

/// The colours of lines.
pub const BLUE: Colour = RGBColor(0x1f, 0x5f, 0xa8);
/// See [`BLUE`].
pub const ORANGE: Colour = RGBColor(0xd9, 0x6b, 0x0b);
/// See [`BLUE`].
pub const GREEN: Colour = RGBColor(0x2a, 0x85, 0x4c);
/// See [`BLUE`]; also of marks.
pub const RED: Colour = RGBColor(0xb8, 0x2c, 0x2c);
/// See [`BLUE`]; also of axes.
pub const GREY: Colour = RGBColor(0x70, 0x70, 0x70);

const FAINT: Colour = RGBColor(0xe4, 0xe4, 0xe4);
const SIZE: (u32, u32) = (860, 300);
const FONT: (&str, i32) = ("sans-serif", 13);

const STYLE: &str = "\
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff; \
       max-width: 880px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin: 2rem 0 .2rem }
p { margin: .2rem 0 .8rem; color: #555 } svg { width: 100%; height: auto }
table { border-collapse: collapse } td, th { border-bottom: 1px solid #eee }
.legend { margin: 0; font-size: 13px } .legend span { margin-right: 1.2rem; white-space: nowrap }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: .4rem; vertical-align: middle }
";

/// Why a picture was not drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// What draws them failed.
    #[error("a picture of the report cannot be drawn: {0}")]
    Drawing(Box<str>),
}

/// One line of a picture.
#[derive(Clone, Debug)]
pub struct Line {
    /// What its legend says.
    pub name: &'static str,
    /// Its colour.
    pub colour: Colour,
    /// Where it goes.
    pub points: Vec<(f64, f64)>,
}

impl Line {
    /// One through these points.
    pub fn new(
        name: &'static str,
        colour: Colour,
        points: impl Iterator<Item = (f64, f64)>,
    ) -> Self {
        Self { name, colour, points: points.collect() }
    }
}

/// How an axis tells its values; as the axis itself does where there is none.
pub type Label<'a> = Option<&'a dyn Fn(&f64) -> String>;

/// What lines are drawn on.
#[derive(Clone, Debug)]
pub struct Axes<X, Y> {
    /// From left to right.
    pub x: X,
    /// From the bottom up.
    pub y: Y,
    /// What `x` is.
    pub what: &'static str,
}

/// A picture of some lines as SVG; `marks` are vertical lines at places of `x`.
///
/// # Errors
/// [`PlotError`].
pub fn draw<X, Y>(
    lines: &[Line],
    axes: Axes<X, Y>,
    [x_label, y_label]: [Label<'_>; 2],
    marks: &[f64],
) -> Result<String, PlotError>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let (low, high) = (axes.y.range().start, axes.y.range().end);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(38)
            .y_label_area_size(60)
            .build_cartesian_2d(axes.x, axes.y)
            .map_err(failed)?;
        let mut mesh = chart.configure_mesh();
        mesh.x_labels(12).y_labels(6).x_desc(axes.what).label_style(FONT);
        mesh.light_line_style(TRANSPARENT).bold_line_style(FAINT).axis_style(GREY);
        if let Some(label) = &x_label {
            mesh.x_label_formatter(label);
        }
        if let Some(label) = &y_label {
            mesh.y_label_formatter(label);
        }
        mesh.draw().map_err(failed)?;
        for at in marks {
            let mark = [(*at, low), (*at, high)];
            chart.draw_series(LineSeries::new(mark, RED)).map_err(failed)?;
        }
        for line in lines {
            let points = line.points.iter().copied();
            let style = line.colour.stroke_width(2);
            chart.draw_series(LineSeries::new(points, style)).map_err(failed)?;
        }
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

fn failed(why: impl Display) -> PlotError {
    PlotError::Drawing(why.to_string().into())
}

/// A page being written.
#[derive(Debug)]
pub struct Page(String);

impl Page {
    /// An empty one with a title; `style` is for what only this kind of report has.
    #[must_use]
    pub fn new(title: &str, style: &str) -> Self {
        let title = escape(title);
        Self(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>{STYLE}{style}</style></head><body>\n<h1>{title}</h1>\n"
        ))
    }

    /// Adds what is HTML already.
    pub fn add(&mut self, html: &str) {
        self.0.push_str(html);
    }

    /// Adds a picture under a heading, with what to see in it and a legend.
    pub fn picture(&mut self, heading: &str, about: &str, lines: &[Line], svg: &str) {
        let legend = lines.iter().map(|l| {
            let RGBColor(r, g, b) = l.colour;
            format!("<span><i style=\"background:rgb({r},{g},{b})\"></i>{}</span>", escape(l.name))
        });
        let legend: String = legend.collect();
        let (heading, about) = (escape(heading), escape(about));
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.0,
            "<h2>{heading}</h2>\n<p>{about}</p>\n<p class=\"legend\">{legend}</p>\n{svg}"
        );
    }

    /// The whole.
    #[must_use]
    pub fn ends(mut self) -> String {
        self.0.push_str("</body></html>\n");
        self.0
    }
}

/// Text as HTML has it.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::coord::types::RangedCoordf64;

    #[test]
    fn a_page_has_its_lines_in_their_colours_and_its_words_as_text() {
        let line = Line::new("calls & chats", BLUE, [(0.0, 1.0), (2.0, 3.0)].into_iter());
        let x: RangedCoordf64 = (0.0..2.0).into();
        let y: RangedCoordf64 = (0.0..3.0).into();
        let minutes = |v: &f64| format!("{v:.0} min");
        let axes = Axes { x, y, what: "time" };
        let svg = draw(std::slice::from_ref(&line), axes, [Some(&minutes), None], &[1.0]).unwrap();
        assert!(svg.contains("#1F5FA8") && svg.contains("#B82C2C"), "the line and the mark");
        assert!(svg.contains("2 min") && svg.contains("time"), "{svg}");
        let mut page = Page::new("a < b", ".mine { color: red }");
        page.picture("Waits", "what to see", &[line], &svg);
        let page = page.ends();
        assert!(page.contains("<h1>a &lt; b</h1>") && page.contains(".mine"));
        assert!(page.contains("background:rgb(31,95,168)\"></i>calls &amp; chats</span>"));
        assert!(page.ends_with("</body></html>\n") && page.matches("<svg").count() == 1);
    }
}
