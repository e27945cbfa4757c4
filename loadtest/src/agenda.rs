//! What players mean to do, by when. One task owns one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use tokio::time::Instant;

/// Things to do, each at its time; of the same moment, the first noted first.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    times: BinaryHeap<Reverse<(Instant, u64)>>,
    things: BTreeMap<u64, T>,
    noted: u64,
}

impl<T> Agenda<T> {
    pub(crate) const fn new() -> Self {
        Self { times: BinaryHeap::new(), things: BTreeMap::new(), noted: 0 }
    }

    pub(crate) fn note(&mut self, at: Instant, what: T) {
        self.noted += 1;
        self.times.push(Reverse((at, self.noted)));
        self.things.insert(self.noted, what);
    }

    /// When the next thing is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.times.peek().map(|Reverse((at, _))| *at)
    }

    /// What is due by `now`, one at a time.
    pub(crate) fn due(&mut self, now: Instant) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, noted)) = self.times.pop()?;
        self.things.remove(&noted)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_comes_first_and_equals_in_the_order_noted() {
        let now = Instant::now();
        let later = now + Duration::from_millis(5);
        let mut agenda = Agenda::new();
        agenda.note(later, "c");
        agenda.note(now, "a");
        agenda.note(now, "b");
        assert_eq!(agenda.next(), Some(now));
        assert_eq!([now; 3].map(|t| agenda.due(t)), [Some("a"), Some("b"), None]);
        assert_eq!(agenda.due(later), Some("c"));
    }
}
