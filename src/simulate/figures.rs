//! Figures: what runs came to, as people know it, with how sure it is.
//!
//! A figure of one run is a number; over runs it is their mean with a 95 % confidence
//! interval (Student's t), because runs are independent and contacts of one run are not.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::tally::{Estimates, Queue};

/// A figure of a queue, or of all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Entered the queue, those who came again included.
    Offered,
    /// An agent had them.
    Answered,
    /// Gave up before.
    Abandoned,
    /// A tier did for them.
    Contained,
    /// Wanted to be called back when that was offered, and had an agent then.
    CalledBack,
    /// A number outside took them.
    HandedOutside,
    /// Ended in no other way that is counted, such as told that the queue is closed.
    Otherwise,
    /// Found no trunk, or were refused.
    Blocked,
    /// Gave up or were blocked and never came back.
    Lost,
    /// Of those offered, gave up.
    AbandonedShare,
    /// Gave up, and nothing had been said to them.
    AbandonedUntold,
    /// Were hurt, as far as anybody knew.
    Hurt,
    /// Of those who were hurt and did not hang up before that: had a person, here or outside,
    /// within the target of their queue.
    HurtInTarget,
    /// The longest that one who was hurt was without a person, seconds.
    HurtLongest,
    /// Of those who came, found no trunk.
    BlockedShare,
    /// Of those who came for the first time, were lost.
    LostShare,
    /// Of those who were promised a call, were not called in time.
    CalledLateShare,
    /// Of those offered, found nobody at once.
    DelayedShare,
    /// Wait of all who waited for an agent, in vain or not, seconds.
    MeanWait,
    /// Average speed of answer: wait of those answered, seconds.
    SpeedOfAnswer,
    /// Waits of those answered, seconds.
    P50,
    /// Waits of those answered, seconds.
    P90,
    /// Waits of those answered, seconds.
    P99,
    /// Answered within target ÷ (answered + abandoned).
    ServiceLevel,
    /// Answered within target ÷ (answered + abandoned after target).
    ServiceLevelLate,
    /// Mean over time of the square of how many stand in line; over queues, their sum.
    SquaredBacklog,
    /// Mean of the engine's estimates ÷ mean of the waits, minus 1.
    EstimateBias,
    /// Root of the mean squared error of estimates ÷ mean of the waits.
    EstimateError,
    /// Waits that were within the estimate's p80.
    EstimateWithinP80,
    /// Of those who began to wait, had no estimate.
    EstimateUnknown,
}

/// What a figure is a number of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Contacts a run.
    Contacts,
    /// A part of 1.
    Share,
    /// Seconds.
    Seconds,
    /// A number of nothing else.
    Number,
}

impl Measure {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 30] = [
        Self::Offered,
        Self::Answered,
        Self::Abandoned,
        Self::Contained,
        Self::CalledBack,
        Self::HandedOutside,
        Self::Otherwise,
        Self::Blocked,
        Self::Lost,
        Self::AbandonedShare,
        Self::AbandonedUntold,
        Self::Hurt,
        Self::HurtInTarget,
        Self::HurtLongest,
        Self::BlockedShare,
        Self::LostShare,
        Self::CalledLateShare,
        Self::DelayedShare,
        Self::MeanWait,
        Self::SpeedOfAnswer,
        Self::P50,
        Self::P90,
        Self::P99,
        Self::ServiceLevel,
        Self::ServiceLevelLate,
        Self::SquaredBacklog,
        Self::EstimateBias,
        Self::EstimateError,
        Self::EstimateWithinP80,
        Self::EstimateUnknown,
    ];

    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
            Self::Contained => "contained",
            Self::CalledBack => "called_back",
            Self::HandedOutside => "handed_outside",
            Self::Otherwise => "ended_otherwise",
            Self::Blocked => "blocked",
            Self::Lost => "lost",
            Self::AbandonedShare => "abandoned_share",
            Self::AbandonedUntold => "abandoned_untold",
            Self::Hurt => "hurt",
            Self::HurtInTarget => "hurt_in_target_share",
            Self::HurtLongest => "hurt_longest_s",
            Self::BlockedShare => "blocked_share",
            Self::LostShare => "lost_share",
            Self::CalledLateShare => "called_late_share",
            Self::DelayedShare => "delayed_share",
            Self::MeanWait => "mean_wait_s",
            Self::SpeedOfAnswer => "speed_of_answer_s",
            Self::P50 => "p50_s",
            Self::P90 => "p90_s",
            Self::P99 => "p99_s",
            Self::ServiceLevel => "service_level_of_answered_and_abandoned",
            Self::ServiceLevelLate => "service_level_of_answered_and_abandoned_late",
            Self::SquaredBacklog => "squared_backlog",
            Self::EstimateBias => "estimate_bias",
            Self::EstimateError => "estimate_error",
            Self::EstimateWithinP80 => "estimate_within_p80",
            Self::EstimateUnknown => "estimate_unknown_share",
        }
    }

    /// What people call it, in a table and in a report.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
            Self::Contained => "contained",
            Self::CalledBack => "called back",
            Self::HandedOutside => "handed outside",
            Self::Otherwise => "ended otherwise",
            Self::Blocked => "blocked",
            Self::Lost => "lost",
            Self::AbandonedShare => "P(abandon)",
            Self::AbandonedUntold => "gave up, told nothing",
            Self::Hurt => "hurt",
            Self::HurtInTarget => "P(hurt: person in target)",
            Self::HurtLongest => "hurt: longest without",
            Self::BlockedShare => "P(blocked)",
            Self::LostShare => "P(lost)",
            Self::CalledLateShare => "P(called late)",
            Self::DelayedShare => "P(wait)",
            Self::MeanWait => "mean wait",
            Self::SpeedOfAnswer => "ASA",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::ServiceLevel => "SL, of answered + abandoned",
            Self::ServiceLevelLate => "SL, of answered + abandoned late",
            Self::SquaredBacklog => "squared backlog",
            Self::EstimateBias => "estimate: bias",
            Self::EstimateError => "estimate: root error",
            Self::EstimateWithinP80 => "estimate: within p80",
            Self::EstimateUnknown => "estimate: unknown",
        }
    }

    /// Whether it is left out of tables in which it is nought everywhere: most scenarios have
    /// nobody of the kind.
    #[must_use]
    pub const fn is_rare(self) -> bool {
        matches!(self, Self::HandedOutside | Self::Otherwise | Self::AbandonedUntold | Self::Hurt)
    }

    /// What it is a number of.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Offered
            | Self::Answered
            | Self::Abandoned
            | Self::Contained
            | Self::CalledBack
            | Self::HandedOutside
            | Self::Otherwise
            | Self::AbandonedUntold
            | Self::Hurt
            | Self::Blocked
            | Self::Lost => Unit::Contacts,
            Self::MeanWait
            | Self::SpeedOfAnswer
            | Self::P50
            | Self::P90
            | Self::P99
            | Self::HurtLongest => Unit::Seconds,
            Self::SquaredBacklog => Unit::Number,
            _ => Unit::Share,
        }
    }

    /// What one run came to; none where there was nobody to say.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of contacts")]
    pub(super) fn of(self, q: &Queue) -> Option<f64> {
        let ratio = |a: f64, b: f64| (b > 0.0).then(|| a / b);
        let share = |a: u64, b: u64| ratio(a as f64, b as f64);
        let percentile =
            |p: f64| (q.answered > 0).then(|| q.waits.value_at_quantile(p) as f64 / 1e6);
        match self {
            Self::Offered => Some(q.offered as f64),
            Self::Answered => Some(q.answered as f64),
            Self::Abandoned => Some(q.abandoned as f64),
            Self::Contained => Some(q.contained as f64),
            Self::CalledBack => Some(q.called_back as f64),
            Self::HandedOutside => Some(q.outside as f64),
            Self::Otherwise => Some(q.otherwise as f64),
            Self::AbandonedUntold => Some(q.abandoned_untold as f64),
            Self::Hurt => Some(q.hurt as f64),
            Self::HurtInTarget => share(q.hurt_in_target, q.hurt_due),
            Self::HurtLongest => (q.hurt_due > 0).then(|| q.hurt_longest.as_secs_f64()),
            Self::Blocked => Some(q.blocked as f64),
            Self::Lost => Some(q.lost as f64),
            Self::AbandonedShare => share(q.abandoned, q.offered),
            Self::BlockedShare => share(q.blocked, q.came),
            Self::LostShare => share(q.lost, q.first),
            Self::CalledLateShare => share(q.called_late, q.promised),
            Self::DelayedShare => share(q.delayed, q.offered),
            Self::MeanWait => {
                ratio(q.waited_answered + q.waited_abandoned, (q.answered + q.abandoned) as f64)
            }
            Self::SpeedOfAnswer => ratio(q.waited_answered, q.answered as f64),
            Self::P50 => percentile(0.5),
            Self::P90 => percentile(0.9),
            Self::P99 => percentile(0.99),
            Self::ServiceLevel => share(q.answered_in_target, q.answered + q.abandoned),
            Self::ServiceLevelLate => {
                share(q.answered_in_target, q.answered + q.abandoned_after_target)
            }
            Self::SquaredBacklog => ratio(q.squares, q.seconds),
            Self::EstimateBias => ratio(q.estimates.estimated, q.estimates.waited).map(|r| r - 1.0),
            Self::EstimateError => error(&q.estimates),
            Self::EstimateWithinP80 => share(q.estimates.within_p80, q.estimates.known),
            Self::EstimateUnknown => share(q.estimates.unknown, q.delayed),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of contacts")]
fn error(e: &Estimates) -> Option<f64> {
    let known = e.known as f64;
    (e.waited > 0.0).then(|| (e.squares / known).sqrt() / (e.waited / known))
}

/// A figure over runs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// Mean over runs.
    pub mean: f64,
    /// Standard error of the mean; none from one run.
    pub error: Option<f64>,
    /// Half of the 95 % confidence interval; none from one run.
    pub half: Option<f64>,
    /// Runs that had something to say.
    pub runs: usize,
}

impl Figure {
    /// Over the runs that had something to say; none if none had.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
    pub fn over(values: &[f64]) -> Option<Self> {
        let runs = values.len();
        let n = runs as f64;
        let mean = (runs > 0).then(|| values.iter().sum::<f64>() / n)?;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let error = (runs > 1).then(|| (squares / (n - 1.0) / n).sqrt());
        let half = error.and_then(|error| Some(error * student_t(runs - 1)?));
        Some(Self { mean, error, half, runs })
    }
}

impl Figure {
    /// In another unit.
    #[must_use]
    pub(super) fn times(self, factor: f64) -> Self {
        let times = |x: Option<f64>| x.map(|x| x * factor);
        let (error, half) = (times(self.error), times(self.half));
        Self { mean: self.mean * factor, error, half, runs: self.runs }
    }
}

impl Unit {
    /// A figure in this unit with its interval, as people read it.
    #[must_use]
    pub fn told(self, figure: &Figure) -> String {
        let (factor, places, sign) = match self {
            // One run has whole contacts; the mean of a few over runs is told finer.
            Self::Contacts if figure.runs > 1 && figure.mean < 100.0 => (1.0, 2, ""),
            Self::Contacts => (1.0, 0, ""),
            Self::Share => (100.0, 2, " %"),
            Self::Seconds => (1.0, 2, " s"),
            Self::Number => (1.0, 1, ""),
        };
        let half = figure.half.map(|h| format!(" ±{:.places$}", h * factor)).unwrap_or_default();
        format!("{:.places$}{sign}{half}", figure.mean * factor)
    }
}

/// Student's t below which 97.5 % fall.
#[expect(clippy::cast_precision_loss, reason = "a number of runs")]
fn student_t(freedom: usize) -> Option<f64> {
    let law = StudentsT::new(0.0, 1.0, freedom as f64).ok()?;
    Some(law.inverse_cdf(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_student_s() {
        let figure = Figure::over(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        // s = 1.2910, s / 2 = 0.6455, t(3) = 3.1824.
        assert!((figure.mean - 2.5).abs() < 1e-12);
        assert!((figure.error.unwrap() - 0.645_497).abs() < 1e-6);
        assert!((figure.half.unwrap() - 2.054_26).abs() < 1e-4, "{figure:?}");
        let one = Figure::over(&[7.0]).unwrap();
        assert_eq!((one.mean, one.half), (7.0, None));
        assert_eq!(Figure::over(&[]), None);
    }

    #[test]
    fn figures_are_told_in_their_unit_with_their_interval() {
        let figure = Figure { mean: 0.12345, error: Some(0.001), half: Some(0.002), runs: 9 };
        assert_eq!(Unit::Share.told(&figure), "12.35 % ±0.20");
        assert_eq!(Unit::Contacts.told(&figure), "0.12 ±0.00");
        let one = Figure { half: None, error: None, runs: 1, ..figure };
        assert_eq!(Unit::Seconds.told(&one), "0.12 s");
        assert_eq!(Unit::Contacts.told(&Figure { mean: 4.0, ..one }), "4");
        assert_eq!(Unit::Contacts.told(&Figure { mean: 416.4, ..figure }), "416 ±0");
    }

    #[test]
    fn service_levels_are_those_of_the_reference_table() {
        // service_level.csv: 1000 answered, 860 within T; 60 abandoned, 40 after T.
        let mut queue = Queue::new().unwrap();
        (queue.answered, queue.answered_in_target) = (1000, 860);
        (queue.abandoned, queue.abandoned_after_target) = (60, 40);
        let of = |measure: Measure| (measure.of(&queue).unwrap() * 1e4).round() / 1e4;
        assert_eq!(of(Measure::ServiceLevel), 0.8113);
        assert_eq!(of(Measure::ServiceLevelLate), 0.8269);
        assert_eq!(Measure::LostShare.of(&queue), None, "nobody came, so nobody says");
    }

    #[test]
    fn every_measure_is_listed_once() {
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(Measure::ALL.iter().position(|m| *m == measure), Some(index));
        }
    }
}
