//! How often what happened since the journal began, so that a snapshot can hand it on.
//!
//! Counts and metrics are made from facts one by one; what is told here is told again, in
//! sums, to whoever counts after a restart. It owns no statistics: the tally does.

use std::collections::BTreeMap;

use crate::journal::snapshot::seen::{Counted, Tallied, Waited};
use crate::shard::observe::{ANSWERS, Fact, WAITS};
use crate::time::Span;

/// Facts by what they are, with how often, and how long altogether.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<Counted, (u64, Span)>);

impl Ledger {
    /// Counts a fact; the process's own are not the journal's and are left out.
    pub(super) fn add(&mut self, fact: &Fact<'_>) {
        if let Some((what, span)) = counted(fact) {
            self.sum(&Tallied { what, times: 1, sum: span });
        }
    }

    pub(super) fn sum(&mut self, more: &Tallied) {
        let (times, sum) = self.0.entry(more.what).or_default();
        *times = times.saturating_add(more.times);
        sum.0 = sum.0.saturating_add(more.sum.0);
    }

    /// All of it.
    pub(super) fn all(&self) -> Vec<Tallied> {
        let one = |(what, (times, sum)): (&Counted, &(u64, Span))| Tallied {
            what: *what,
            times: *times,
            sum: *sum,
        };
        self.0.iter().map(one).collect()
    }
}

fn counted(fact: &Fact<'_>) -> Option<(Counted, Span)> {
    let waited = |queue, service, waited, in_target| {
        let bucket = bucket(WAITS, waited);
        Waited { queue, service, in_target, bucket }
    };
    let what = match *fact {
        Fact::Configured(_) | Fact::Diverged | Fact::AnsweredAsTold { .. } => return None,
        Fact::Answered { queue, service, waited: span, in_target } => {
            return Some((Counted::Answered(waited(queue, service, span, in_target)), span));
        }
        Fact::Abandoned { queue, service, waited: span, in_target } => {
            return Some((Counted::Abandoned(waited(queue, service, span, in_target)), span));
        }
        Fact::Accepted(span) => return Some((Counted::Accepted(bucket(ANSWERS, span)), span)),
        Fact::Offered(queue) => Counted::Offered(queue),
        Fact::NotTaken(how) => Counted::NotTaken(how),
        Fact::ConnectFailed(fault) => Counted::ConnectFailed(fault),
        Fact::Closed(reason) => Counted::Closed(reason),
        Fact::Feedback(queue, score) => Counted::Feedback(queue, score),
        Fact::Triaged(class) => Counted::Triaged(class),
        Fact::Returned(because) => Counted::Returned(because),
        Fact::Said(text, how) => Counted::Said(text, how),
        Fact::BouncedTwice => Counted::BouncedTwice,
        Fact::PlaceLost => Counted::PlaceLost,
        Fact::SafetyDiverted => Counted::SafetyDiverted,
        Fact::DoubleReservation => Counted::DoubleReservation,
    };
    Some((what, Span::ZERO))
}

/// A fact of this kind, with the mean of its times: it falls in the bucket that all of
/// them fell in.
pub(super) fn fact(of: &Tallied) -> Fact<'static> {
    let mean = Span(of.sum.0 / of.times.max(1));
    match of.what {
        Counted::Offered(queue) => Fact::Offered(queue),
        Counted::Answered(Waited { queue, service, in_target, .. }) => {
            Fact::Answered { queue, service, waited: mean, in_target }
        }
        Counted::Abandoned(Waited { queue, service, in_target, .. }) => {
            Fact::Abandoned { queue, service, waited: mean, in_target }
        }
        Counted::Accepted(_) => Fact::Accepted(mean),
        Counted::NotTaken(how) => Fact::NotTaken(how),
        Counted::ConnectFailed(fault) => Fact::ConnectFailed(fault),
        Counted::Closed(reason) => Fact::Closed(reason),
        Counted::Feedback(queue, score) => Fact::Feedback(queue, score),
        Counted::Triaged(class) => Fact::Triaged(class),
        Counted::Returned(because) => Fact::Returned(because),
        Counted::Said(text, how) => Fact::Said(text, how),
        Counted::BouncedTwice => Fact::BouncedTwice,
        Counted::PlaceLost => Fact::PlaceLost,
        Counted::SafetyDiverted => Fact::SafetyDiverted,
        Counted::DoubleReservation => Fact::DoubleReservation,
    }
}

/// The first bucket whose upper bound is not below; one more than there are for what is
/// above all of them.
fn bucket(bounds: &[f64], span: Span) -> u8 {
    let seconds = span.as_secs_f64();
    u8::try_from(bounds.partition_point(|bound| *bound < seconds)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_falls_in_the_bucket_of_those_it_is_of() {
        let mut ledger = Ledger::default();
        let accepted = [1, 100_000, 100_001, 249_999, 250_000, 400_000_000, 900_000_000];
        for us in accepted {
            ledger.add(&Fact::Accepted(Span(us)));
        }
        ledger.add(&Fact::Diverged);
        let all = ledger.all();
        let times: Vec<_> = all.iter().map(|t| (t.what, t.times)).collect();
        let above = Counted::Accepted(u8::try_from(ANSWERS.len()).unwrap());
        assert_eq!(times, [(Counted::Accepted(0), 2), (Counted::Accepted(1), 3), (above, 2)]);
        for one in &all {
            let (what, _) = counted(&fact(one)).expect("it is counted");
            assert_eq!(what, one.what);
        }
        let mut again = Ledger::default();
        all.iter().for_each(|one| again.sum(one));
        assert_eq!(again.all(), all);
    }
}
