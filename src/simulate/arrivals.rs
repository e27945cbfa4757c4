//! When contacts come: rates over time as written, and the moments that a run draws from them.
//!
//! A Poisson process whose rate changes, drawn at the highest rate of a stretch and thinned;
//! or moments that were recorded. It knows nothing of who comes.

use std::path::{Path, PathBuf};

use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use serde::Deserialize;

use super::chance::{Dice, Seconds, read_numbers};
use super::error::SimulateError;

/// Highest rate that is believed, contacts an hour.
const MOST_PER_HOUR: f64 = 1e9;
/// What is expected of a rate.
pub(super) const RATE: &str = "contacts an hour, 0 to 1,000,000,000";

/// Whether a rate is one that is believed.
pub(super) fn is_rate(per_hour: f64) -> bool {
    (0.0..=MOST_PER_HOUR).contains(&per_hour)
}

/// A stretch of time with a rule for the rate, as written. Stretches follow one another.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(tag = "shape", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Stretch {
    /// The same all along; without `lasting` to the end of the run.
    Constant { per_hour: f64, lasting: Option<Seconds> },
    /// Evenly from one rate to another.
    Ramp { from_per_hour: f64, to_per_hour: f64, lasting: Seconds },
    /// Halves again and again, as interest in a piece of news does.
    Halving { from_per_hour: f64, every: Seconds, lasting: Option<Seconds> },
    /// At these times, from the stretch's beginning.
    Recorded {
        #[serde(default)]
        times: Vec<Seconds>,
        file: Option<PathBuf>,
        lasting: Option<Seconds>,
    },
}

/// A stretch that was checked.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Part {
    lasting: f64,
    rule: Rule,
}

#[derive(Clone, PartialEq, Debug)]
enum Rule {
    Constant(f64),
    Ramp(f64, f64),
    Halving(f64, f64),
    Recorded(Vec<f64>),
}

/// Checks stretches. `field` is where they stand; `duration` how long the run lasts.
pub(super) fn parts(
    stretches: &[Stretch],
    field: &str,
    duration: f64,
    beside: &Path,
) -> Result<Vec<Part>, SimulateError> {
    let mut parts = Vec::with_capacity(stretches.len());
    for (index, stretch) in stretches.iter().enumerate() {
        let bad = |name: &str, expected| {
            SimulateError::value(format!("{field}[{index}].{name}"), expected)
        };
        let rate = |name: &str, per_hour: f64| {
            if is_rate(per_hour) { Ok(per_hour / 3600.0) } else { Err(bad(name, RATE)) }
        };
        let (lasting, rule) = match stretch {
            Stretch::Constant { per_hour, lasting } => {
                (*lasting, Rule::Constant(rate("per_hour", *per_hour)?))
            }
            Stretch::Ramp { from_per_hour, to_per_hour, lasting } => {
                let from = rate("from_per_hour", *from_per_hour)?;
                (Some(*lasting), Rule::Ramp(from, rate("to_per_hour", *to_per_hour)?))
            }
            Stretch::Halving { from_per_hour, every, lasting } => {
                if every.0 <= 0.0 {
                    return Err(bad("every", "a duration above zero"));
                }
                (*lasting, Rule::Halving(rate("from_per_hour", *from_per_hour)?, every.0))
            }
            Stretch::Recorded { times, file, lasting } => {
                let mut all: Vec<f64> = times.iter().map(|t| t.0).collect();
                if let Some(file) = file {
                    all.extend(read_numbers(&beside.join(file))?);
                }
                if all.is_empty() {
                    return Err(bad("times", "at least one time, here or in `file`"));
                }
                all.sort_by(f64::total_cmp);
                (*lasting, Rule::Recorded(all))
            }
        };
        if lasting.is_some_and(|l| l.0 <= 0.0) {
            return Err(bad("lasting", "a duration above zero"));
        }
        parts.push(Part { lasting: lasting.map_or(duration, |l| l.0), rule });
    }
    Ok(parts)
}

/// Contacts a second that come at a moment, on average; 0 of those recorded.
pub(super) fn rate(parts: &[Part], at: f64) -> f64 {
    let mut begun = 0.0;
    for part in parts {
        let into = at - begun;
        if into < part.lasting {
            return match part.rule {
                Rule::Constant(rate) => rate,
                Rule::Ramp(from, to) => from + (to - from) * into / part.lasting,
                Rule::Halving(from, every) => from * (-into / every).exp2(),
                Rule::Recorded(_) => 0.0,
            };
        }
        begun += part.lasting;
    }
    0.0
}

/// When the first ramp begins, seconds; none without one.
pub(super) fn ramp(parts: &[Part]) -> Option<f64> {
    let first = parts.iter().position(|part| matches!(part.rule, Rule::Ramp(..)))?;
    Some(parts[..first].iter().map(|part| part.lasting).sum())
}

/// The moments at which one stream's contacts come, drawn one after the other.
pub(super) struct Moments<'a> {
    parts: &'a [Part],
    dice: Dice,
    /// Which part, when it began, and how far into it the last draw was.
    part: usize,
    begun: f64,
    at: f64,
    /// How many of a recorded part have come.
    recorded: usize,
}

impl<'a> Moments<'a> {
    pub(super) fn new(parts: &'a [Part], dice: Dice) -> Self {
        Self { parts, dice, part: 0, begun: 0.0, at: 0.0, recorded: 0 }
    }

    fn next_in(&mut self, part: &'a Part) -> Option<f64> {
        let highest = match &part.rule {
            Rule::Constant(rate) | Rule::Halving(rate, _) => *rate,
            Rule::Ramp(from, to) => from.max(*to),
            Rule::Recorded(times) => {
                let at = *times.get(self.recorded)?;
                self.recorded += 1;
                return Some(at);
            }
        };
        if highest <= 0.0 {
            return None;
        }
        loop {
            let unit: f64 = Exp1.sample(&mut self.dice);
            self.at += unit / highest;
            if self.at >= part.lasting {
                return None;
            }
            let rate = match part.rule {
                Rule::Ramp(from, to) => from + (to - from) * self.at / part.lasting,
                Rule::Halving(from, every) => from * (-self.at / every).exp2(),
                _ => return Some(self.at),
            };
            if self.dice.random::<f64>() * highest < rate {
                return Some(self.at);
            }
        }
    }
}

impl Iterator for Moments<'_> {
    type Item = f64;

    /// The next moment, seconds from the run's beginning.
    fn next(&mut self) -> Option<f64> {
        while let Some(part) = self.parts.get(self.part) {
            if let Some(at) = self.next_in(part).filter(|at| *at < part.lasting) {
                return Some(self.begun + at);
            }
            self.begun += part.lasting;
            self.part += 1;
            self.at = 0.0;
            self.recorded = 0;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn drawn(text: &str) -> Vec<f64> {
        #[derive(Deserialize)]
        struct File {
            arrivals: Vec<Stretch>,
        }
        let file: File = toml::from_str(text).unwrap();
        let parts = parts(&file.arrivals, "arrivals", 36_000.0, Path::new("")).unwrap();
        Moments::new(&parts, Dice::seed_from_u64(3)).collect()
    }

    fn between(moments: &[f64], from: f64, to: f64) -> f64 {
        moments.iter().filter(|m| (from..to).contains(*m)).count() as f64
    }

    #[test]
    fn rates_change_as_written() {
        let moments = drawn(
            "[[arrivals]]\nshape = \"constant\"\nper_hour = 36000\nlasting = \"1h\"\n\
             [[arrivals]]\nshape = \"ramp\"\nfrom_per_hour = 0\nto_per_hour = 72000\nlasting = \"1h\"\n\
             [[arrivals]]\nshape = \"halving\"\nfrom_per_hour = 72000\nevery = \"30m\"\nlasting = \"2h\"\n",
        );
        assert!(moments.windows(2).all(|w| w[0] <= w[1]));
        // Integrals of the rate; five standard deviations of a Poisson count.
        let halving = 72_000.0 / 2.0 / std::f64::consts::LN_2 * (1.0 - 0.25);
        for (from, to, expected) in
            [(0.0, 3600.0, 36_000.0), (3600.0, 5400.0, 9_000.0), (7200.0, 10_800.0, halving)]
        {
            let found = between(&moments, from, to);
            assert!(
                (found - expected).abs() < 5.0 * expected.sqrt(),
                "{from}: {found}, {expected}"
            );
        }
        assert!(moments.last().unwrap() < &14_400.0);
    }

    #[test]
    fn recorded_moments_come_as_recorded() {
        let moments = drawn(
            "[[arrivals]]\nshape = \"constant\"\nper_hour = 0\nlasting = \"10s\"\n\
             [[arrivals]]\nshape = \"recorded\"\ntimes = [\"7s\", \"2s\", \"7s\"]\n",
        );
        assert_eq!(moments, [12.0, 17.0, 17.0]);
    }
}
