//! Chance: the laws that handle times, patience and delays follow, as written and as drawn from.
//!
//! A [`Law`] is a scenario's text; a [`Sampler`] is a law that was checked. Drawing is left to
//! `rand_distr`. It knows nothing of contacts.

use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, Exp, Gamma, LogNormal, Uniform};
use serde::{Deserialize, Deserializer};

use super::error::SimulateError;

/// What every run draws from: named, so that a seed means the same in every build.
pub(super) type Dice = Xoshiro256PlusPlus;

/// A length of time as written, in seconds.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(super) struct Seconds(pub(super) f64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_seconds(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "found \"{text}\", expected a duration such as \"250ms\", \"90s\" or \"1h 30m\""
            ))
        })
    }
}

fn parse_seconds(text: &str) -> Option<f64> {
    let parser = jiff::fmt::friendly::SpanParser::new();
    parser.parse_unsigned_duration(text).ok().map(|d| d.as_secs_f64())
}

/// How a length of time is distributed, as written.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(tag = "law", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Law {
    /// The same for all.
    Fixed { mean: Seconds },
    /// Evenly between two.
    Uniform { low: Seconds, high: Seconds },
    /// Without memory.
    Exponential { mean: Seconds },
    /// The logarithm is normal: what handle times mostly are.
    Lognormal { mean: Seconds, cv: f64 },
    /// Sums of exponentials, and what lies between.
    Gamma { mean: Seconds, cv: f64 },
    /// Several kinds of contact, each exponential.
    Hyperexponential { means: Vec<Seconds>, shares: Vec<f64> },
    /// What was measured: each as likely as the other.
    Empirical {
        #[serde(default)]
        values: Vec<Seconds>,
        file: Option<PathBuf>,
    },
}

/// A law that can be drawn from.
#[derive(Clone, Debug)]
pub(super) enum Sampler {
    Fixed(f64),
    Uniform(Uniform<f64>),
    Exponential(Exp<f64>),
    Lognormal(LogNormal<f64>),
    Gamma(Gamma<f64>),
    /// Each with the share of it and those before.
    Hyper(Vec<(f64, Exp<f64>)>),
    Empirical(Vec<f64>),
}

const POSITIVE: &str = "a duration above zero";
const CV: &str = "a coefficient of variation above 0 and up to 100";

impl Law {
    /// What draws are on average, seconds; `sampler` is this law's.
    #[expect(clippy::cast_precision_loss, reason = "a number of values")]
    pub(super) fn mean(&self, sampler: &Sampler) -> f64 {
        match self {
            Self::Fixed { mean }
            | Self::Exponential { mean }
            | Self::Lognormal { mean, .. }
            | Self::Gamma { mean, .. } => mean.0,
            Self::Uniform { low, high } => f64::midpoint(low.0, high.0),
            Self::Hyperexponential { means, shares } => {
                means.iter().zip(shares).map(|(mean, share)| mean.0 * share).sum()
            }
            Self::Empirical { .. } => match sampler {
                Sampler::Empirical(values) => values.iter().sum::<f64>() / values.len() as f64,
                _ => 0.0,
            },
        }
    }

    /// Checks the law. `field` is where it stands, `beside` the folder that files are beside.
    pub(super) fn sampler(&self, field: &str, beside: &Path) -> Result<Sampler, SimulateError> {
        let bad = |name: &str, expected| SimulateError::value(format!("{field}.{name}"), expected);
        let mean_of = |mean: &Seconds| {
            if mean.0 > 0.0 { Ok(mean.0) } else { Err(bad("mean", POSITIVE)) }
        };
        let cv_of = |cv: f64| if cv > 0.0 && cv <= 100.0 { Ok(cv) } else { Err(bad("cv", CV)) };
        Ok(match self {
            Self::Fixed { mean } => Sampler::Fixed(mean.0),
            Self::Uniform { low, high } => Sampler::Uniform(
                Uniform::new_inclusive(low.0, high.0)
                    .map_err(|_| bad("high", "a duration that is no shorter than `low`"))?,
            ),
            Self::Exponential { mean } => Sampler::Exponential(
                Exp::new(1.0 / mean_of(mean)?).map_err(|_| bad("mean", POSITIVE))?,
            ),
            Self::Lognormal { mean, cv } => Sampler::Lognormal(
                LogNormal::from_mean_cv(mean_of(mean)?, cv_of(*cv)?).map_err(|_| bad("cv", CV))?,
            ),
            Self::Gamma { mean, cv } => {
                let shape = cv_of(*cv)?.powi(-2);
                let scale = mean_of(mean)? / shape;
                Sampler::Gamma(Gamma::new(shape, scale).map_err(|_| bad("cv", CV))?)
            }
            Self::Hyperexponential { means, shares } => hyper(means, shares, &bad)?,
            Self::Empirical { values, file } => empirical(values, file.as_deref(), beside, &bad)?,
        })
    }
}

fn hyper(
    means: &[Seconds],
    shares: &[f64],
    bad: &dyn Fn(&str, &'static str) -> SimulateError,
) -> Result<Sampler, SimulateError> {
    let sum: f64 = shares.iter().sum();
    let sound = shares.len() == means.len() && shares.iter().all(|s| *s >= 0.0);
    if !sound || (sum - 1.0).abs() > 1e-6 {
        return Err(bad("shares", "as many as `means`, none below 0, adding up to 1"));
    }
    let mut up_to = 0.0;
    let mut parts = Vec::with_capacity(means.len());
    for (mean, share) in means.iter().zip(shares) {
        up_to += share;
        let law = Exp::new(1.0 / mean.0).ok().filter(|_| mean.0 > 0.0);
        parts.push((up_to, law.ok_or_else(|| bad("means", "durations above zero"))?));
    }
    Ok(Sampler::Hyper(parts))
}

fn empirical(
    values: &[Seconds],
    file: Option<&Path>,
    beside: &Path,
    bad: &dyn Fn(&str, &'static str) -> SimulateError,
) -> Result<Sampler, SimulateError> {
    let mut all: Vec<f64> = values.iter().map(|v| v.0).collect();
    if let Some(file) = file {
        all.extend(read_numbers(&beside.join(file))?);
    }
    if all.is_empty() {
        return Err(bad("values", "at least one duration, here or in `file`"));
    }
    Ok(Sampler::Empirical(all))
}

/// Seconds from a file: a number a line; what comes after a comma, empty lines and those that
/// begin with `#` do not count.
pub(super) fn read_numbers(path: &Path) -> Result<Vec<f64>, SimulateError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SimulateError::Read { path: path.into(), source })?;
    let mut numbers = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let field = line.split(',').next().unwrap_or_default().trim();
        if field.is_empty() || field.starts_with('#') {
            continue;
        }
        let number = field.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        numbers.push(number.ok_or(SimulateError::Line {
            path: path.into(),
            line: index + 1,
            expected: "seconds, a number of 0 or more",
        })?);
    }
    Ok(numbers)
}

impl Sampler {
    /// One draw, seconds.
    pub(super) fn draw(&self, dice: &mut Dice) -> f64 {
        match self {
            Self::Fixed(value) => *value,
            Self::Uniform(law) => law.sample(dice),
            Self::Exponential(law) => law.sample(dice),
            Self::Lognormal(law) => law.sample(dice),
            Self::Gamma(law) => law.sample(dice),
            Self::Hyper(parts) => {
                let at: f64 = dice.random();
                let found = parts.iter().find(|(up_to, _)| at < *up_to).or(parts.last());
                found.map_or(0.0, |(_, law)| law.sample(dice))
            }
            Self::Empirical(values) => values[dice.random_range(0..values.len())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn law(text: &str) -> Result<Sampler, SimulateError> {
        let law: Law = toml::from_str(text).unwrap();
        law.sampler("streams[0].handle", Path::new(""))
    }

    /// Mean and coefficient of variation of many draws.
    fn moments(sampler: &Sampler) -> (f64, f64) {
        let mut dice = Dice::seed_from_u64(7);
        let draws: Vec<f64> = (0..400_000).map(|_| sampler.draw(&mut dice)).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt() / mean)
    }

    #[test]
    fn every_law_has_the_mean_and_the_spread_that_it_says() {
        let hyper = "law = \"hyperexponential\"\nmeans = [\"1m\", \"10m\"]\nshares = [0.9, 0.1]";
        // E = 114 s; E[x^2] = 2 (0.9 x 60^2 + 0.1 x 600^2) = 78,480.
        let hyper_cv = ((78_480.0_f64 - 114.0 * 114.0) / (114.0 * 114.0)).sqrt();
        for (text, mean, cv) in [
            ("law = \"fixed\"\nmean = \"90s\"", 90.0, 0.0),
            ("law = \"uniform\"\nlow = \"1m\"\nhigh = \"3m\"", 120.0, (1200.0_f64).sqrt() / 120.0),
            ("law = \"exponential\"\nmean = \"5m\"", 300.0, 1.0),
            ("law = \"lognormal\"\nmean = \"5m\"\ncv = 0.8", 300.0, 0.8),
            ("law = \"gamma\"\nmean = \"5m\"\ncv = 0.5", 300.0, 0.5),
            (hyper, 114.0, hyper_cv),
            ("law = \"empirical\"\nvalues = [\"10s\", \"30s\"]", 20.0, 0.5),
        ] {
            let (found_mean, found_cv) = moments(&law(text).unwrap());
            assert!((found_mean / mean - 1.0).abs() < 0.01, "{text}: mean {found_mean}");
            assert!((found_cv - cv).abs() < 0.02, "{text}: spread {found_cv}, not {cv}");
        }
    }

    #[test]
    fn a_law_that_cannot_be_is_told_by_field_and_what_was_expected() {
        for (text, told) in [
            ("law = \"exponential\"\nmean = \"0s\"", "handle.mean: expected a duration above zero"),
            ("law = \"uniform\"\nlow = \"2s\"\nhigh = \"1s\"", "handle.high: expected a duration"),
            ("law = \"gamma\"\nmean = \"1s\"\ncv = 0.0", "handle.cv: expected a coefficient"),
            (
                "law = \"hyperexponential\"\nmeans = [\"1s\"]\nshares = [0.5]",
                "handle.shares: expected as many as `means`",
            ),
            ("law = \"empirical\"", "handle.values: expected at least one"),
            ("law = \"empirical\"\nfile = \"no-such\"", "cannot read no-such"),
        ] {
            let error = law(text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        let unknown = toml::from_str::<Law>("law = \"fixed\"\nmeen = \"1s\"").unwrap_err();
        assert!(unknown.to_string().contains("meen"), "{unknown}");
    }

    #[test]
    fn numbers_are_read_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("handle.csv");
        std::fs::write(&path, "# seconds,who\n12.5,a\n\n 30 \n").unwrap();
        assert_eq!(read_numbers(&path).unwrap(), [12.5, 30.0]);
        std::fs::write(&path, "12\n-1\n").unwrap();
        let told = read_numbers(&path).unwrap_err().to_string();
        assert!(
            told.ends_with("handle.csv line 2: expected seconds, a number of 0 or more"),
            "{told}"
        );
    }
}
