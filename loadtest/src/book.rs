//! What players measured: histograms, seconds, counts.
//!
//! Every player keeps a book of its own, so that measuring takes no lock; the books are
//! added up when the run is over. Times are microseconds.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::error::LoadError;
use crate::served::Served;

/// Longest latency told apart, microseconds: ten minutes. Longer ones count as this.
pub const LONGEST_US: u64 = 600_000_000;

/// A histogram for latencies in microseconds with this many significant digits.
///
/// # Errors
/// [`LoadError::Histogram`] when no such histogram can be.
pub fn histogram(digits: u8) -> Result<Histogram<u64>, LoadError> {
    Ok(Histogram::new_with_max(LONGEST_US, digits)?)
}

/// Records a latency. Not `saturating_record` alone: on a histogram that grows by itself
/// it would clamp to what it has grown to.
pub(crate) fn record(into: &mut Histogram<u64>, us: u64) {
    // In range by the minimum, and the histogram's maximum is LONGEST_US.
    into.saturating_record(us.clamp(1, LONGEST_US));
}

/// What happened within one second of the measured time, by when it happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) answered: u64,
    pub(crate) completed: u64,
    pub(crate) abandoned: u64,
    /// Left in the moment in which they were answered.
    pub(crate) left: u64,
    /// Ended by self-service: on the customer's word, with what they came for, or as a
    /// follow-up.
    pub(crate) solved: u64,
    pub(crate) informed: u64,
    pub(crate) followed_up: u64,
    pub(crate) ended_otherwise: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.answered += other.answered;
        self.completed += other.completed;
        self.abandoned += other.abandoned;
        self.left += other.left;
        self.solved += other.solved;
        self.informed += other.informed;
        self.followed_up += other.followed_up;
        self.ended_otherwise += other.ended_otherwise;
    }
}

/// One second's counts and latencies; latencies by when the contact was to arrive.
#[derive(Clone, Debug)]
pub(crate) struct Second {
    pub(crate) counts: Counts,
    pub(crate) accepted: Histogram<u64>,
    pub(crate) reservation: Histogram<u64>,
    pub(crate) answer: Histogram<u64>,
}

/// How one desktop came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Back {
    /// Which of the scenario's reconnects.
    pub(crate) number: usize,
    pub(crate) dropped_us: u64,
    pub(crate) all_back_us: Option<u64>,
    pub(crate) first_offer_us: Option<u64>,
    /// Contacts in hand when the stream was dropped.
    pub(crate) held: u64,
    /// Of those, given back by the router.
    pub(crate) given_back: u64,
}

/// One player's book, or all of them added up.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    counts_from_us: u64,
    /// Arrival due until the router said that it is accepted, and on disk.
    pub(crate) accepted: Histogram<u64>,
    /// Arrival due until an agent's stream had the offer, of contacts that found an agent
    /// idle: not those who had to wait for a person.
    pub(crate) reservation: Histogram<u64>,
    /// Arrival due until somebody had the contact, of all that were answered.
    pub(crate) answer: Histogram<u64>,
    pub(crate) seconds: Vec<Second>,
    pub(crate) total: Counts,
    pub(crate) refusals: BTreeMap<String, u64>,
    pub(crate) arrivals_refused: u64,
    pub(crate) reservations_lost: u64,
    pub(crate) backs: Vec<Back>,
    pub(crate) served: Served,
}

impl Book {
    pub(crate) fn new(counts_from_us: u64) -> Result<Self, LoadError> {
        Ok(Self {
            counts_from_us,
            accepted: histogram(3)?,
            reservation: histogram(3)?,
            answer: histogram(3)?,
            seconds: Vec::new(),
            total: Counts::default(),
            refusals: BTreeMap::new(),
            arrivals_refused: 0,
            reservations_lost: 0,
            backs: Vec::new(),
            served: Served::new()?,
        })
    }

    fn second(&mut self, at_us: u64) -> Result<Option<&mut Second>, LoadError> {
        let Some(since) = at_us.checked_sub(self.counts_from_us) else { return Ok(None) };
        let number = usize::try_from(since / 1_000_000).unwrap_or(usize::MAX);
        while self.seconds.len() <= number {
            let counts = Counts::default();
            // Two digits: a curve is looked at, not computed with.
            let (accepted, reservation, answer) = (histogram(2)?, histogram(2)?, histogram(2)?);
            self.seconds.push(Second { counts, accepted, reservation, answer });
        }
        Ok(self.seconds.get_mut(number))
    }

    /// Counts something that happened now.
    pub(crate) fn count(
        &mut self,
        now_us: u64,
        change: impl Fn(&mut Counts),
    ) -> Result<(), LoadError> {
        change(&mut self.total);
        if let Some(second) = self.second(now_us)? {
            change(&mut second.counts);
        }
        Ok(())
    }

    /// The router took an arrival.
    pub(crate) fn took(&mut self, due_us: u64, now_us: u64) -> Result<(), LoadError> {
        let us = now_us.saturating_sub(due_us);
        if let Some(second) = self.second(due_us)? {
            record(&mut second.accepted, us);
            record(&mut self.accepted, us);
        }
        self.count(now_us, |c| c.accepted += 1)
    }

    /// An agent was offered a contact that had not had to wait for a person.
    pub(crate) fn offered_at_once(&mut self, due_us: u64, now_us: u64) -> Result<(), LoadError> {
        let us = now_us.saturating_sub(due_us);
        if let Some(second) = self.second(due_us)? {
            record(&mut second.reservation, us);
            record(&mut self.reservation, us);
        }
        self.served.reservations.push((due_us, us));
        Ok(())
    }

    /// Somebody has a contact, for the first time.
    pub(crate) fn answered(&mut self, due_us: u64, now_us: u64) -> Result<(), LoadError> {
        let us = now_us.saturating_sub(due_us);
        if let Some(second) = self.second(due_us)? {
            record(&mut second.answer, us);
            record(&mut self.answer, us);
        }
        self.count(now_us, |c| c.answered += 1)
    }

    pub(crate) fn refused(&mut self, reason: &str) {
        *self.refusals.entry(reason.to_owned()).or_default() += 1;
    }

    /// Adds another player's book.
    pub(crate) fn add(&mut self, other: Self) -> Result<(), LoadError> {
        self.accepted.add(&other.accepted)?;
        self.reservation.add(&other.reservation)?;
        self.answer.add(&other.answer)?;
        if let Some(last) = other.seconds.len().checked_sub(1) {
            self.second(self.counts_from_us + last as u64 * 1_000_000)?;
        }
        for (mine, theirs) in self.seconds.iter_mut().zip(&other.seconds) {
            mine.counts.add(theirs.counts);
            mine.accepted.add(&theirs.accepted)?;
            mine.reservation.add(&theirs.reservation)?;
            mine.answer.add(&theirs.answer)?;
        }
        self.total.add(other.total);
        for (reason, times) in other.refusals {
            *self.refusals.entry(reason).or_default() += times;
        }
        self.arrivals_refused += other.arrivals_refused;
        self.reservations_lost += other.reservations_lost;
        self.backs.extend(other.backs);
        self.served.add(other.served)
    }
}

/// A latency's figures, microseconds; all 0 of nothing measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Latency {
    /// How many were measured.
    pub samples: u64,
    /// Half took no longer.
    pub p50: u64,
    /// 90 in 100 took no longer.
    pub p90: u64,
    /// 99 in 100 took no longer.
    pub p99: u64,
    /// 999 in 1,000 took no longer.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

impl From<&Histogram<u64>> for Latency {
    fn from(h: &Histogram<u64>) -> Self {
        if h.is_empty() {
            return Self::default();
        }
        let at = |quantile| h.value_at_quantile(quantile);
        let (p50, p90, p99, p999) = (at(0.5), at(0.9), at(0.99), at(0.999));
        Self { samples: h.len(), p50, p90, p99, p999, max: h.max() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_add_up_and_the_warm_up_counts_apart() {
        let mut one = Book::new(1_000_000).unwrap();
        one.answered(500_000, 900_000).unwrap();
        one.answered(1_500_000, 3_500_000).unwrap();
        assert_eq!((one.total.answered, one.answer.len()), (2, 1));
        let mut all = Book::new(1_000_000).unwrap();
        all.add(one.clone()).unwrap();
        all.add(one).unwrap();
        assert_eq!((all.total.answered, all.answer.len(), all.seconds.len()), (4, 2, 3));
        assert_eq!((all.seconds[0].answer.len(), all.seconds[2].counts.answered), (2, 2));
    }

    #[test]
    fn a_long_latency_is_not_clamped_to_a_short_one() {
        let mut h = histogram(3).unwrap();
        record(&mut h, 59_000_000);
        record(&mut h, u64::MAX);
        let latency = Latency::from(&h);
        assert!((58_900_000..59_100_000).contains(&latency.p50), "{latency:?}");
        assert!(latency.max.abs_diff(LONGEST_US) < 1_000_000, "{latency:?}");
    }
}
