//! How fast agents take contacts, by queue and channel: what "soon" and an announced wait
//! are worked out from.
//!
//! Counts of the last two minutes, kept by events alone, so that a replay counts the same.
//! A coarse first estimate: a poisson stream of takes, no abandonment.

use super::recall::Outlook;
use super::words::Channel;
use crate::ids::QueueId;
use crate::time::{EngineTime, Span};

/// One count's length.
const BUCKET: Span = Span::seconds(30);
/// Counts kept; the newest is not full yet.
const BUCKETS: u64 = 5;
/// Standard deviations above the mean below which four of five fall (normal distribution).
const P80: f64 = 0.8416;
/// An estimate beyond this is not told: too much changes meanwhile.
const LONGEST_TOLD: Span = Span::seconds(4 * 3600);

/// Takes by queue and channel.
#[derive(Debug, Default, Hash)]
pub(crate) struct Pace(Vec<[Taken; 4]>);

/// Takes in the bucket that ends the window, and in those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Taken {
    /// The bucket that ends the window, counted from the router's beginning.
    pub newest: u64,
    /// Takes in it and in those before it.
    pub counts: [u32; BUCKETS as usize],
}

impl Taken {
    /// Buckets up to `now`, those that nothing fell in empty.
    fn until(mut self, now: u64) -> Self {
        let passed = now.saturating_sub(self.newest);
        for _ in 0..passed.min(BUCKETS) {
            self.counts.rotate_right(1);
            self.counts[0] = 0;
        }
        self.newest = self.newest.max(now);
        self
    }
}

impl Pace {
    /// As an image holds it.
    pub(crate) fn of(taken: Vec<[Taken; 4]>) -> Self {
        Self(taken)
    }

    /// By queue and channel.
    pub(crate) fn all(&self) -> &[[Taken; 4]] {
        &self.0
    }

    pub(crate) fn taken(&mut self, at: EngineTime, queue: QueueId, channel: Channel) {
        if self.0.len() <= queue.index() {
            self.0.resize(queue.index() + 1, [Taken::default(); 4]);
        }
        let taken = &mut self.0[queue.index()][channel.index()];
        *taken = taken.until(at.0 / BUCKET.0);
        taken.counts[0] = taken.counts[0].saturating_add(1);
    }

    /// Takes a second over the last two minutes or so.
    pub(crate) fn rate(&self, at: EngineTime, queue: QueueId, channel: Channel) -> f64 {
        let Some(taken) = self.0.get(queue.index()).map(|q| q[channel.index()]) else { return 0.0 };
        let taken = taken.until(at.0 / BUCKET.0);
        let window = Span((BUCKETS - 1) * BUCKET.0 + at.0 % BUCKET.0);
        let window = window.0.min(at.0.max(1));
        let sum: u32 = taken.counts.iter().sum();
        f64::from(sum) / Span(window).as_secs_f64()
    }

    /// Whether one with so many ahead will probably be served within `soon`.
    pub(crate) fn is_soon(rate: f64, ahead: usize, soon: Span) -> bool {
        f64::from(u32::try_from(ahead).unwrap_or(u32::MAX)) < rate * soon.as_secs_f64()
    }

    /// What may be told of the wait: the 80th percentile, honestly unknown where nobody was
    /// taken lately.
    pub(crate) fn outlook(rate: f64, ahead: usize) -> Outlook {
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        let takes = f64::from(ahead) + 1.0;
        let seconds = (takes + P80 * takes.sqrt()) / rate;
        let told = rate > 0.0 && seconds <= LONGEST_TOLD.as_secs_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4 h")]
        let wait = told.then(|| Span::seconds(seconds.ceil() as u64));
        Outlook { ahead: Some(ahead), wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Q: QueueId = QueueId(1);

    fn at(s: u64) -> EngineTime {
        EngineTime::ZERO + Span::seconds(s)
    }

    #[test]
    fn counts_the_last_two_minutes() {
        let mut pace = Pace::default();
        for s in 0..300 {
            pace.taken(at(s), Q, Channel::Voice);
            pace.taken(at(s), Q, Channel::Voice);
        }
        let rate = |s| pace.rate(at(s), Q, Channel::Voice);
        assert!((rate(300) - 2.0).abs() < 0.05, "{}", rate(300));
        assert!((rate(360) - 1.0).abs() < 0.05, "half of the window was quiet: {}", rate(360));
        assert_eq!(rate(1_000), 0.0);
        assert_eq!(
            pace.rate(at(300), Q, Channel::Chat),
            0.0,
            "of another channel nothing is known"
        );
        assert_eq!(pace.rate(at(300), QueueId(9), Channel::Voice), 0.0);
    }

    #[test]
    fn soon_and_the_outlook_follow_the_rate() {
        assert!(Pace::is_soon(0.5, 59, Span::seconds(120)));
        assert!(!Pace::is_soon(0.5, 60, Span::seconds(120)));
        assert!(!Pace::is_soon(0.0, 0, Span::seconds(120)), "not known is not soon");
        let outlook = Pace::outlook(0.5, 99);
        // 100 takes at one in 2 s: 200 s on average, and 0.84 x 10 takes more in four of five.
        assert_eq!(outlook, Outlook { ahead: Some(99), wait: Some(Span::seconds(217)) });
        assert_eq!(Pace::outlook(0.0, 3).wait, None, "honestly unknown");
        assert_eq!(Pace::outlook(0.001, 3_000).wait, None, "too far away to be told");
    }
}
