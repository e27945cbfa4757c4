//! What a calendar says: whether it is open now, and when it opens in the days ahead. It is
//! worked out at the edge, where there is a clock on the wall, and enters by a command; the
//! engine keeps it, and works out from it when somebody may be called.
//!
//! It reads no clock and knows no days: openings are engine time.

use std::sync::Arc;

use super::callback::{Callback, Window};
use crate::time::{EngineTime, Span, WallTime};

/// Most openings that are kept of one calendar: two weeks with 18 a day.
pub const MOST_OPENINGS: usize = 256;

/// Whether a calendar is open, and when it opens.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Hours {
    /// It is open.
    pub open: bool,
    /// When it next opens or closes; none if that is years away or not known. For people: the
    /// change itself enters as another command.
    pub changes: Option<WallTime>,
    /// The opening that is on and those that come, for as long ahead as anything is promised:
    /// in order, none touching another. None at all: it stays as it is.
    pub ahead: Arc<[Window]>,
}

impl Default for Hours {
    /// Of which nothing is known yet, nobody is sent away.
    fn default() -> Self {
        Self { open: true, changes: None, ahead: Arc::default() }
    }
}

impl Hours {
    /// The opening that is on at a time, or the next one; none if none is known.
    #[must_use]
    pub fn opening(&self, at: EngineTime) -> Option<Window> {
        if self.ahead.is_empty() {
            return self.open.then_some(Window { from: at, until: EngineTime(u64::MAX) });
        }
        self.ahead.get(self.ahead.partition_point(|w| w.until <= at)).copied()
    }

    /// For how long it is open between two times.
    #[must_use]
    pub fn open_for(&self, from: EngineTime, until: EngineTime) -> Span {
        if self.ahead.is_empty() {
            return if self.open { until.since(from) } else { Span::ZERO };
        }
        let on = &self.ahead[self.ahead.partition_point(|w| w.until <= from)..];
        let within = on.iter().take_while(|w| w.from < until);
        Span(within.map(|w| w.until.min(until).since(w.from.max(from)).0).sum())
    }

    /// When it will have been open for so long, counted from a time; none if that is not known.
    #[must_use]
    pub fn after(&self, from: EngineTime, lasting: Span) -> Option<EngineTime> {
        let mut left = lasting;
        let mut from = from;
        loop {
            let opening = self.opening(from)?;
            let begins = opening.from.max(from);
            if opening.until.since(begins) >= left {
                return Some(begins + left);
            }
            left = Span(left.0 - opening.until.since(begins).0);
            from = opening.until;
        }
    }

    /// The latest time from which it is open for so long before another. Where that is not
    /// known, so long before it.
    #[must_use]
    pub fn before(&self, due: EngineTime, lasting: Span) -> EngineTime {
        let known = self.ahead.last().is_some_and(|w| w.until >= due);
        let mut left = lasting;
        let mut first = due - lasting;
        for w in self.ahead.iter().rev().filter(|w| known && w.from < due) {
            let until = w.until.min(due);
            if until.since(w.from) >= left {
                return until - left;
            }
            left = Span(left.0 - until.since(w.from).0);
            first = w.from;
        }
        first
    }

    /// When somebody may be called, at a time or next: it is open, at their hours, within their
    /// window. None if no such time is known.
    #[must_use]
    pub fn call_window(&self, callback: &Callback, at: EngineTime) -> Option<Window> {
        let mut at = at;
        // Each turn is another opening: there is an end.
        loop {
            let theirs = callback.window(at)?;
            let ours = self.opening(theirs.from)?;
            let from = theirs.from.max(ours.from);
            let until = theirs.until.min(ours.until);
            if from < until {
                return Some(Window { from, until });
            }
            at = ours.from;
        }
    }

    /// Whether another says something else of the time of which both know.
    #[must_use]
    pub fn differs(&self, other: &Self, at: EngineTime) -> bool {
        let ahead = |hours: &Self| {
            let over = hours.ahead.partition_point(|w| w.until <= at);
            hours.ahead[over..].to_vec()
        };
        let (ours, theirs) = (ahead(self), ahead(other));
        if ours.is_empty() || theirs.is_empty() {
            return ours.is_empty() != theirs.is_empty() || self.open != other.open;
        }
        ours.iter().zip(&theirs).any(|(a, b)| a != b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::callback::{CallHours, CallbackKind, Phase};
    use crate::ids::PromiseId;

    fn at(h: u64) -> EngineTime {
        EngineTime::ZERO + Span::seconds(3_600 * h)
    }

    fn window(from: u64, until: u64) -> Window {
        Window { from: at(from), until: at(until) }
    }

    /// Open from 8 to 12, from 13 to 18, and on the next day from 8 to 18.
    fn hours() -> Hours {
        let ahead = [window(8, 12), window(13, 18), window(32, 42)];
        Hours { open: false, changes: None, ahead: Arc::from(ahead) }
    }

    fn callback(hours: Option<(u64, u64)>, until: Option<u64>) -> Callback {
        let lasting = |h| Span::seconds(3_600 * h);
        Callback {
            kind: CallbackKind::Place,
            promise: PromiseId(1),
            asked: at(0),
            due: None,
            until: until.map(at),
            hours: hours.map(|(from, h)| CallHours { from: at(from), lasting: lasting(h) }),
            phase: Phase::Held { until: at(0) },
            tried: [0; 6],
            first: None,
            policy: Arc::default(),
            ordered: false,
            tier: None,
        }
    }

    #[test]
    fn only_open_time_counts() {
        let (hours, lasting) = (hours(), |h: u64| Span::seconds(3_600 * h));
        assert_eq!(hours.opening(at(12)), Some(window(13, 18)));
        assert_eq!(hours.opening(at(42)), None, "beyond it nothing is known");
        assert_eq!(hours.open_for(at(0), at(33)), lasting(10));
        assert_eq!(hours.open_for(at(9), at(11)), lasting(2));
        assert_eq!(hours.after(at(0), lasting(4)), Some(at(12)));
        assert_eq!(hours.after(at(10), lasting(8)), Some(at(33)), "over noon and night");
        assert_eq!(hours.after(at(40), lasting(3)), None);
        assert_eq!(hours.before(at(33), lasting(2)), at(17));
        assert_eq!(hours.before(at(25), lasting(2)), at(16), "closed when it is due");
        assert_eq!(hours.before(at(99), lasting(2)), at(97), "nothing is known of then");
        assert_eq!(hours.before(at(9), lasting(5)), at(8), "more than there is");
    }

    #[test]
    fn of_which_nothing_is_known_it_is_always_open_and_closed_stays_closed() {
        let lasting = Span::seconds(9);
        let open = Hours::default();
        assert_eq!(open.after(at(1), lasting), Some(at(1) + lasting));
        assert_eq!(open.before(at(1), lasting), at(1) - lasting);
        let closed = Hours { open: false, ..Hours::default() };
        assert_eq!((closed.opening(at(1)), closed.open_for(at(0), at(9))), (None, Span::ZERO));
        assert!(open.differs(&closed, at(0)) && open.differs(&hours(), at(0)));
    }

    #[test]
    fn somebody_is_called_when_both_are_there() {
        let when = |cb: Callback, h| hours().call_window(&cb, at(h)).map(|w| (w.from, w.until));
        assert_eq!(when(callback(None, None), 0), Some((at(8), at(12))));
        assert_eq!(when(callback(Some((12, 4)), None), 9), Some((at(13), at(16))));
        assert_eq!(
            when(callback(Some((20, 13)), None), 9),
            Some((at(32), at(33))),
            "its last hour"
        );
        assert_eq!(when(callback(Some((20, 4)), None), 9), None, "never both");
        assert_eq!(when(callback(None, Some(32)), 18), None, "its window is over by then");
    }

    #[test]
    fn hours_that_go_on_as_they_were_are_no_other_hours() {
        let more: Vec<Window> = hours().ahead.iter().copied().chain([window(56, 66)]).collect();
        let more = Hours { ahead: Arc::from(more), ..hours() };
        assert!(!hours().differs(&more, at(0)), "a day was added");
        let later = Hours { open: true, ahead: Arc::from(&hours().ahead[1..]), ..hours() };
        assert!(!hours().differs(&later, at(13)), "what is over went");
        assert!(hours().differs(&later, at(9)));
    }
}
