//! The comparison with the reference tables: each row as a scenario, played and judged.
//!
//! [`rows`] makes the scenarios, [`Row::judge`] compares. Playing is left to whoever asks,
//! who may want to tell how far it is.

mod rows;
mod tables;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::error::SimulateError;
use super::figures::{Figure, Measure};
use super::outcome::Outcome;

/// How much is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// As much as the tolerances of the tables need.
    Whole,
    /// A hundredth of it, with tolerances to match.
    Short,
}

impl Size {
    fn share(self) -> f64 {
        if self == Self::Whole { 1.0 } else { 0.01 }
    }

    fn runs(self) -> u32 {
        if self == Self::Whole { 40 } else { 10 }
    }

    /// For what is known exactly.
    fn exact(self) -> Tolerance {
        match self {
            Self::Whole => Tolerance::Errors { errors: 3.0, share: 0.01 },
            // Ten runs: Student's t falls within 4.3 as often as the normal within 3 errors.
            Self::Short => Tolerance::Errors { errors: 4.3, share: 0.25 },
        }
    }

    /// For what another simulation found, to two or three digits.
    fn simulated(self) -> Tolerance {
        match self {
            Self::Whole => Tolerance::Near { errors: 3.0, share: 0.03 },
            Self::Short => Tolerance::Near { errors: 4.3, share: 0.10 },
        }
    }

    /// How far identical classes may be apart.
    fn spread(self) -> f64 {
        if self == Self::Whole { 0.003 } else { 0.012 }
    }

    fn bias(self) -> f64 {
        if self == Self::Whole { 0.01 } else { 0.06 }
    }

    fn root_error(self) -> f64 {
        if self == Self::Whole { 1.05 } else { 1.20 }
    }
}

/// A row of a table as a scenario, and what must come of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// The scenario, as a file would have it.
    pub scenario: String,
    expected: Vec<Expected>,
}

#[derive(Clone, Debug)]
struct Expected {
    what: &'static str,
    of: Of,
    table: f64,
    rounding: f64,
    tolerance: Tolerance,
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// A figure of all queues together, times a factor.
    All(Measure, f64),
    /// The highest of the queues' figures minus the lowest.
    Spread(Measure),
    /// How busy a pool was.
    Busy(&'static str),
}

/// How near is near enough, rounding of the table apart.
#[derive(Clone, Copy, Debug)]
enum Tolerance {
    /// Within so many standard errors, and within a share of the table's value.
    Errors { errors: f64, share: f64 },
    /// Within so many standard errors and a share of the table's value together.
    Near { errors: f64, share: f64 },
    /// So far at most, either way.
    Points(f64),
    /// So much at most.
    AtMost(f64),
    /// So many times the table's value at most.
    Factor(f64),
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The table's column.
    pub what: &'static str,
    /// What the table has.
    pub table: f64,
    /// What was found; none if there was nothing to find.
    pub found: Option<Figure>,
    /// How far it may be from the table's.
    pub allowed: String,
    /// Whether it is near enough.
    pub near: bool,
}

/// Every row of the tables: of those built in, or of a folder's.
///
/// # Errors
/// What cannot be read.
pub fn rows(folder: Option<&Path>, size: Size) -> Result<Vec<Row>, SimulateError> {
    let lines = tables::lines(folder)?;
    lines.iter().map(|line| {
        let same: Vec<_> = lines.iter().filter(|l| l.table == line.table).cloned().collect();
        rows::row(line, &same, size)
    }).collect()
}

impl Row {
    /// Compares what came of the scenario with what the table has.
    #[must_use]
    pub fn judge(&self, outcome: &Outcome) -> Vec<Comparison> {
        self.expected.iter().map(|e| e.judge(outcome)).collect()
    }
}

impl Expected {
    fn judge(&self, outcome: &Outcome) -> Comparison {
        let found = self.of.found(outcome);
        let (near, allowed) = self.tolerance.judge(self.table, self.rounding, found);
        Comparison { what: self.what, table: self.table, found, allowed, near }
    }
}

impl Of {
    fn found(self, outcome: &Outcome) -> Option<Figure> {
        match self {
            Self::All(measure, factor) => {
                let figure = outcome.all()?.figure(measure)?;
                let times = |x: Option<f64>| x.map(|x| x * factor);
                let (error, half) = (times(figure.error), times(figure.half));
                Some(Figure { mean: figure.mean * factor, error, half, runs: figure.runs })
            }
            Self::Spread(measure) => {
                let each = outcome.queues.iter().filter(|s| s.queue.is_some());
                let means: Vec<f64> =
                    each.filter_map(|s| Some(s.figure(measure)?.mean)).collect();
                let high = means.iter().copied().reduce(f64::max)?;
                let low = means.iter().copied().reduce(f64::min)?;
                Figure::over(&[high - low])
            }
            Self::Busy(pool) => {
                let found = outcome.occupancy.iter().find(|o| o.is_pool && *o.name == *pool);
                found.map(|o| o.busy)
            }
        }
    }
}

impl Tolerance {
    /// Whether it is near enough, and what would be.
    fn judge(self, table: f64, rounding: f64, found: Option<Figure>) -> (bool, String) {
        let off = found.map(|f| (f.mean - table).abs() - rounding);
        let error = found.and_then(|f| f.error).unwrap_or(f64::INFINITY);
        let within = |most: f64| off.is_some_and(|off| off <= most);
        match self {
            Self::Errors { errors, share } => (
                within(errors * error) && within(share * table.abs()),
                format!("{errors} standard errors and {} %", share * 100.0),
            ),
            Self::Near { errors, share } => (
                within(errors * error + share * table.abs()),
                format!("{errors} standard errors plus {} %", share * 100.0),
            ),
            Self::Points(most) => (within(most), format!("{} points", most * 100.0)),
            Self::AtMost(most) => {
                (found.is_some_and(|f| f.mean <= most), format!("at most {} points", most * 100.0))
            }
            Self::Factor(most) => (
                found.is_some_and(|f| f.mean <= most * (table + rounding)),
                format!("at most {most} times"),
            ),
        }
    }
}
