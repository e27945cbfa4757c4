//! When contacts come: segments of a rate over time, drawn into moments.
//!
//! All of it is drawn before the run, from the seed: the router's answers change nothing
//! about who comes when, which is what an open loop is.

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, LogNormal};
use serde::Deserialize;

use crate::scenario::{Scenario, seconds};

/// A stretch of time with a rule for the rate. Rates are in the scenario's unit, times
/// in seconds here and as `"30s"` in the file.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(tag = "shape", rename_all = "snake_case", deny_unknown_fields)]
pub enum Segment {
    /// The same all along.
    Constant {
        /// The rate.
        rate: f64,
        /// How long.
        #[serde(deserialize_with = "seconds")]
        lasting: f64,
    },
    /// Evenly from one rate to another.
    Ramp {
        /// The first rate.
        from: f64,
        /// The last rate.
        to: f64,
        /// How long.
        #[serde(deserialize_with = "seconds")]
        lasting: f64,
    },
    /// From one rate to another in so many equal steps.
    Step {
        /// The first step's rate.
        from: f64,
        /// The last step's rate.
        to: f64,
        /// How many, from 2.
        steps: u32,
        /// How long all of them take.
        #[serde(deserialize_with = "seconds")]
        lasting: f64,
    },
    /// Halves again and again, as interest in a piece of news does.
    Halving {
        /// The first rate.
        from: f64,
        /// The time in which it halves.
        #[serde(deserialize_with = "seconds")]
        every: f64,
        /// How long.
        #[serde(deserialize_with = "seconds")]
        lasting: f64,
    },
}

impl Segment {
    /// How long it takes, seconds.
    #[must_use]
    pub const fn lasting(&self) -> f64 {
        match self {
            Self::Constant { lasting, .. }
            | Self::Ramp { lasting, .. }
            | Self::Step { lasting, .. }
            | Self::Halving { lasting, .. } => *lasting,
        }
    }

    /// The rate so many seconds into it.
    #[must_use]
    pub fn rate(&self, at: f64) -> f64 {
        match *self {
            Self::Constant { rate, .. } => rate,
            Self::Ramp { from, to, lasting } => from + (to - from) * at / lasting,
            Self::Step { from, to, steps, lasting } => {
                let steps = f64::from(steps);
                let step = (at / lasting * steps).floor().min(steps - 1.0);
                from + (to - from) * step / (steps - 1.0)
            }
            Self::Halving { from, every, .. } => from * (-at / every).exp2(),
        }
    }

    fn highest(&self) -> f64 {
        self.rate(0.0).max(self.rate(self.lasting()))
    }

    /// Whether its numbers can be.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let more = match self {
            Self::Step { steps, .. } => *steps >= 2,
            Self::Halving { every, .. } => *every > 0.0,
            _ => true,
        };
        let rates = [self.rate(0.0), self.rate(self.lasting())];
        more && self.lasting() > 0.0 && rates.iter().all(|r| r.is_finite() && *r >= 0.0)
    }
}

/// What a customer has to say as they come; of a caller, when they are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Says {
    /// Nothing.
    Nothing,
    /// Something that the playbook has an answer to.
    Question,
    /// Something that it has none to.
    Vague,
    /// That somebody was hurt.
    Hurt,
}

/// One contact to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// When, microseconds from the run's start.
    pub at_us: u64,
    /// Which of the scenario's kinds.
    pub kind: usize,
    /// Microseconds that its agent will take.
    pub handle_us: u64,
    /// Microseconds that its customer will wait.
    pub patience_us: Option<u64>,
    /// What they say.
    pub says: Says,
}

/// All contacts to come, by time; the warm-up's first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Who comes when.
    pub dues: Vec<Due>,
    /// Who is there before anybody comes, in the order in which they are brought in.
    pub backlog: Vec<Due>,
    /// From when it counts, microseconds from the run's start.
    pub counts_from_us: u64,
    /// When the last one has come, microseconds from the run's start.
    pub ends_us: u64,
}

impl Plan {
    /// Draws a plan. `peak` is what rates are multiplied with: 1 for contacts a second.
    #[must_use]
    pub fn draw(scenario: &Scenario, seed: u64, peak: f64) -> Self {
        let mut dice = Dice { rng: Xoshiro256PlusPlus::seed_from_u64(seed), scenario };
        let mut plan = Self { counts_from_us: micros(scenario.warm_up), ..Self::default() };
        let first = scenario.arrivals.first().map_or(0.0, |s| s.rate(0.0));
        let lasting = scenario.warm_up.as_secs_f64();
        let warm_up = (lasting > 0.0).then_some(Segment::Constant { rate: first, lasting });
        let mut begins = 0.0;
        for segment in warm_up.iter().chain(&scenario.arrivals) {
            dice.segment(segment, begins, peak, &mut plan.dues);
            begins += segment.lasting();
        }
        plan.ends_us = micros(Duration::from_secs_f64(begins));
        for (kind, of) in scenario.mix.iter().enumerate() {
            plan.backlog.extend((0..of.backlog).map(|_| dice.contact_of(0, kind)));
        }
        plan.backlog.shuffle(&mut dice.rng);
        plan
    }

    /// A contact by its number; the backlog's come after those to come.
    #[must_use]
    pub fn due(&self, number: usize) -> Option<&Due> {
        let behind = || self.backlog.get(number.checked_sub(self.dues.len())?);
        self.dues.get(number).or_else(behind)
    }

    /// So many even messages a second, for a bare echo: only their times matter.
    #[must_use]
    pub fn poisson(rate: f64, lasting: Duration, seed: u64) -> Vec<u64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut at = 0.0;
        std::iter::from_fn(|| {
            let unit: f64 = Exp1.sample(&mut rng);
            at += unit / rate;
            (at < lasting.as_secs_f64()).then(|| micros(Duration::from_secs_f64(at)))
        })
        .collect()
    }

    /// Mean rate of the measured part, contacts a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    pub fn mean_rate(&self) -> f64 {
        let counted = self.dues.iter().filter(|d| d.at_us >= self.counts_from_us).count();
        counted as f64 / ((self.ends_us - self.counts_from_us) as f64 / 1e6)
    }
}

struct Dice<'a> {
    rng: Xoshiro256PlusPlus,
    scenario: &'a Scenario,
}

impl Dice<'_> {
    /// A Poisson process whose rate changes: at the highest rate, and thinned.
    fn segment(&mut self, segment: &Segment, begins: f64, peak: f64, dues: &mut Vec<Due>) {
        let highest = segment.highest() * peak;
        if highest <= 0.0 {
            return;
        }
        let mut at = 0.0;
        loop {
            let unit: f64 = Exp1.sample(&mut self.rng);
            at += unit / highest;
            if at >= segment.lasting() {
                return;
            }
            if self.rng.random::<f64>() * highest < segment.rate(at) * peak {
                dues.push(self.contact(micros(Duration::from_secs_f64(begins + at))));
            }
        }
    }

    fn contact(&mut self, at_us: u64) -> Due {
        let kind = self.kind();
        self.contact_of(at_us, kind)
    }

    fn contact_of(&mut self, at_us: u64, kind: usize) -> Due {
        let of = &self.scenario.mix[kind];
        let patience_us = of.patience.map(|mean| {
            let unit: f64 = Exp1.sample(&mut self.rng);
            micros(mean.mul_f64(unit))
        });
        let handle_us = self.handle(of.handle);
        Due { at_us, kind, handle_us, patience_us, says: self.says(kind) }
    }

    fn says(&mut self, kind: usize) -> Says {
        let recall = self.scenario.recall.as_ref().filter(|_| self.scenario.is_recalled(kind));
        let Some(customers) = recall.map(|r| r.customers) else { return Says::Nothing };
        if self.rng.random_bool(customers.injured) {
            Says::Hurt
        } else if !self.rng.random_bool(customers.writes) {
            Says::Nothing
        } else if self.rng.random_bool(customers.vague) {
            Says::Vague
        } else {
            Says::Question
        }
    }

    fn kind(&mut self) -> usize {
        let whole: f64 = self.scenario.mix.iter().map(|k| k.share).sum();
        let mut left = self.rng.random::<f64>() * whole;
        let found = self.scenario.mix.iter().position(|k| {
            left -= k.share;
            left < 0.0
        });
        // Rounding may leave a crumb: the last one's.
        found.unwrap_or(self.scenario.mix.len() - 1)
    }

    fn handle(&mut self, mean: Duration) -> u64 {
        if mean.is_zero() {
            return 0;
        }
        // A coefficient of variation of 0.5, as handle times of one kind of contact have.
        let variance = 1.25_f64.ln();
        let mean = mean.as_secs_f64();
        let sample = LogNormal::new(mean.ln() - variance / 2.0, variance.sqrt())
            .map_or(mean, |law| law.sample(&mut self.rng));
        micros(Duration::from_secs_f64(sample.min(8.0 * mean)))
    }
}

/// Whole microseconds; those beyond 584,000 years are cut off.
#[must_use]
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arrivals: &str, seed: u64) -> Plan {
        let quick = include_str!("../tests/quick.toml");
        let scenario = toml::from_str::<toml::Table>(quick).unwrap();
        let mut scenario = scenario;
        let segments: toml::Table = arrivals.parse().unwrap();
        scenario.insert("arrivals".into(), segments["arrivals"].clone());
        let scenario = Scenario::parse(&toml::to_string(&scenario).unwrap()).unwrap();
        Plan::draw(&scenario, seed, 1.0)
    }

    fn between(plan: &Plan, from: f64, to: f64) -> usize {
        let from = plan.counts_from_us as f64 + from * 1e6;
        let to = plan.counts_from_us as f64 + to * 1e6;
        plan.dues.iter().filter(|d| (from..to).contains(&(d.at_us as f64))).count()
    }

    #[test]
    fn a_seed_is_a_plan_and_another_seed_another() {
        let arrivals = "[[arrivals]]\nshape = \"constant\"\nrate = 1000.0\nlasting = \"10s\"";
        let first = plan(arrivals, 1);
        assert_eq!(first, plan(arrivals, 1));
        assert_ne!(first, plan(arrivals, 2));
        assert!(first.dues.is_sorted_by_key(|d| d.at_us));
        // 10,000 are expected; 5 standard deviations are 500.
        assert!((9_500..10_500).contains(&between(&first, 0.0, 10.0)));
        assert!((first.mean_rate() - 1_000.0).abs() < 50.0);
        assert!(between(&first, -10.0, 0.0) > 200, "a warm-up at the first rate");
    }

    #[test]
    fn every_shape_has_its_rates() {
        let ramp =
            plan("[[arrivals]]\nshape = \"ramp\"\nfrom = 0.0\nto = 2000.0\nlasting = \"10s\"", 1);
        let (early, late) = (between(&ramp, 0.0, 5.0), between(&ramp, 5.0, 10.0));
        assert!(
            (2_250..2_750).contains(&early) && (7_000..8_000).contains(&late),
            "{early} {late}"
        );
        let step = Segment::Step { from: 10.0, to: 30.0, steps: 3, lasting: 9.0 };
        assert_eq!(
            [0.0, 2.9, 3.1, 6.1, 9.0].map(|at| step.rate(at)),
            [10.0, 10.0, 20.0, 30.0, 30.0]
        );
        let halving = Segment::Halving { from: 800.0, every: 2.0, lasting: 6.0 };
        assert_eq!([0.0, 2.0, 6.0].map(|at| halving.rate(at)), [800.0, 400.0, 100.0]);
        assert!(!Segment::Step { from: 1.0, to: 1.0, steps: 1, lasting: 1.0 }.is_sound());
        assert!(!Segment::Constant { rate: f64::NAN, lasting: 1.0 }.is_sound());
    }

    #[test]
    fn handle_times_have_the_mean_that_they_are_named_for() {
        let all = plan("[[arrivals]]\nshape = \"constant\"\nrate = 2000.0\nlasting = \"10s\"", 3);
        let chats: Vec<_> = all.dues.iter().filter(|d| d.kind == 0).collect();
        let mean = chats.iter().map(|d| d.handle_us as f64).sum::<f64>() / chats.len() as f64;
        assert!((mean - 20_000.0).abs() < 600.0, "{mean}");
        assert!(chats.iter().all(|d| d.patience_us.is_none()));
        assert!(all.dues.iter().any(|d| d.patience_us.is_some()));
    }
}
