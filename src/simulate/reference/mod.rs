//! The comparison with the reference tables: each row as a scenario, played and judged.
//!
//! [`rows`] makes the scenarios, [`Row::judge`] compares. Playing is left to whoever asks,
//! who may want to tell how far it is.

mod overload;
mod rows;
mod surge;
mod tables;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::error::SimulateError;
use super::figures::{Figure, Measure};
use super::outcome::Outcome;
use super::surge::Tiers;

/// Most runs of a row.
const MOST_RUNS: u32 = 1_000;

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

    /// Standard errors that chance may account for: of forty runs or more three; of ten
    /// those that Student's t exceeds as seldom as the normal law exceeds three.
    fn errors(self) -> f64 {
        if self == Self::Whole { 3.0 } else { 4.1 }
    }

    /// For what is known exactly.
    fn exact(self) -> Tolerance {
        // The least: a share that hardly ever differs from 1 or 0 has errors too small to go by.
        let (share, floor, least) =
            if self == Self::Whole { (0.01, 0.000_5, 0.000_05) } else { (0.25, 0.002, 0.002) };
        Tolerance::Both { errors: self.errors(), share, floor, least }
    }

    /// For what another simulation found, to two or three digits.
    fn simulated(self) -> Tolerance {
        // What happens two times in ten thousand need not happen in a short run at all.
        let least = if self == Self::Whole { 0.000_5 } else { 0.002 };
        Tolerance::Near { errors: self.errors(), share: 0.03, least }
    }

    /// For what may be so far from a bound; where little is played, chance comes on top.
    fn points(self, points: f64) -> Tolerance {
        let errors = if self == Self::Whole { 0.0 } else { self.errors() };
        Tolerance::Points { points, errors }
    }

    /// So much worse than a bound; a few runs say it less surely.
    fn worse(self, points: f64) -> f64 {
        if self == Self::Whole { points } else { 3.0 * points }
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
    /// A figure of one queue.
    Queue(&'static str, Measure),
    /// What tiers did.
    Tiers(Tiers),
    /// The highest of the queues' figures minus the lowest.
    Spread(Measure),
    /// How busy a pool was.
    Busy(&'static str),
    /// The part of the time in which something was shared between queues.
    SharingTime,
    /// How often that began or ended in so many hours.
    SharingChanges(f64),
}

/// How near is near enough, rounding of the table apart.
#[derive(Clone, Copy, Debug)]
enum Tolerance {
    /// Within so many standard errors, and within a share of the table's value or, of small
    /// shares, so much.
    Both { errors: f64, share: f64, floor: f64, least: f64 },
    /// Within so many standard errors and a share of the table's value together or, of small
    /// shares, so much.
    Near { errors: f64, share: f64, least: f64 },
    /// So far at most and so many standard errors.
    Points { points: f64, errors: f64 },
    /// The table's value at most, and so much more.
    Most { more: f64 },
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
    let mut rows = Vec::new();
    for line in &lines {
        let same: Vec<_> = lines.iter().filter(|l| l.table == line.table).cloned().collect();
        rows.extend(rows::of_line(line, &same, size)?);
    }
    Ok(rows)
}

impl Row {
    /// Compares what came of the scenario with what the table has.
    #[must_use]
    pub fn judge(&self, outcome: &Outcome) -> Vec<Comparison> {
        self.expected.iter().map(|e| e.judge(outcome)).collect()
    }

    /// How many runs it takes to tell what the tolerances ask for, by what came of some; at
    /// most 1,000.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 1,000")]
    pub fn runs_needed(&self, outcome: &Outcome) -> u32 {
        let times = self.expected.iter().map(|e| e.tolerance.needs(e.table, e.of.found(outcome)));
        let runs = times.fold(1.0, f64::max) * f64::from(outcome.runs);
        (runs.ceil() as u32).clamp(outcome.runs, MOST_RUNS.max(outcome.runs))
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
            Self::All(measure, factor) => Some(outcome.all()?.figure(measure)?.times(factor)),
            Self::Queue(name, measure) => {
                let named = outcome.queues.iter().find(|s| s.queue.as_deref() == Some(name));
                named?.figure(measure)
            }
            Self::Tiers(figure) => {
                outcome.tiers.iter().find(|(t, _)| *t == figure).map(|(_, found)| *found)
            }
            Self::Spread(measure) => {
                let each = outcome.queues.iter().filter(|s| s.queue.is_some());
                let figures: Vec<Figure> = each.filter_map(|s| s.figure(measure)).collect();
                let high = figures.iter().map(|f| f.mean).reduce(f64::max)?;
                let low = figures.iter().map(|f| f.mean).reduce(f64::min)?;
                // Of each of the two at the ends.
                let error = figures.iter().filter_map(|f| f.error).reduce(f64::max);
                let error = error.map(|error| error * 2.0_f64.sqrt());
                Some(Figure { mean: high - low, error, half: None, runs: figures.len() })
            }
            Self::Busy(pool) => {
                let found = outcome.occupancy.iter().find(|o| o.is_pool && *o.name == *pool);
                found.map(|o| o.busy)
            }
            Self::SharingTime => outcome.sharing.map(|[time, _]| time),
            Self::SharingChanges(hours) => outcome.sharing.map(|[_, changes]| changes.times(hours)),
        }
    }
}

impl Tolerance {
    /// Whether it is near enough, and what would be.
    fn judge(self, table: f64, rounding: f64, found: Option<Figure>) -> (bool, String) {
        let off = found.map(|f| (f.mean - table).abs() - rounding);
        let error = found.and_then(|f| f.error).unwrap_or(0.0);
        let within = |most: f64| off.is_some_and(|off| off <= most);
        match self {
            Self::Both { errors, share, floor, least } => (
                within((errors * error).max(floor_of(table, least)))
                    && within((share * table).max(floor_of(table, floor))),
                format!("{errors} standard errors and {} %", share * 100.0),
            ),
            Self::Near { errors, share, least } => (
                within((errors * error + share * table).max(floor_of(table, least))),
                format!("{errors} standard errors + {} %", share * 100.0),
            ),
            Self::Points { points, errors } => (
                within(points + errors * error),
                if errors == 0.0 {
                    format!("{} points", points * 100.0)
                } else {
                    format!("{} points + {errors} standard errors", points * 100.0)
                },
            ),
            Self::Most { more } => (
                found.is_none_or(|f| f.mean <= table + rounding + more),
                if more == 0.0 {
                    "at most".into()
                } else {
                    format!("at most {} points more", more * 100.0)
                },
            ),
            Self::Factor(most) => (
                found.is_some_and(|f| f.mean <= most * (table + rounding)),
                format!("at most {most} times"),
            ),
        }
    }

    /// How many times as many runs are needed to tell what it asks for, by the runs there were.
    fn needs(self, table: f64, found: Option<Figure>) -> f64 {
        match (self, found.and_then(|f| f.error)) {
            (Self::Both { errors, share, floor, .. }, Some(error)) if table != 0.0 => {
                (errors * error / (share * table).max(floor_of(table, floor))).powi(2)
            }
            _ => 1.0,
        }
    }
}

/// The floor is for shares: what is above 1 is none.
fn floor_of(table: f64, floor: f64) -> f64 {
    if table <= 1.0 { floor } else { 0.0 }
}
