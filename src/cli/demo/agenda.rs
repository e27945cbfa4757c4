//! What the people of the demo mean to do, by when.
//!
//! One task owns one agenda. It knows no gRPC and no behaviour.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use tokio::time::{Instant, sleep_until};

/// Things to do, each at its time; of the same moment, the first noted first.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    items: BinaryHeap<Item<T>>,
    noted: u64,
}

#[derive(Debug)]
struct Item<T> {
    at: Instant,
    noted: u64,
    what: T,
}

impl<T> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Item<T> {}

impl<T> PartialOrd for Item<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Item<T> {
    // Reversed: the heap gives the greatest, and the earliest is wanted.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.noted).cmp(&(self.at, self.noted))
    }
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self { items: BinaryHeap::new(), noted: 0 }
    }

    pub(super) fn note(&mut self, at: Instant, what: T) {
        self.noted += 1;
        self.items.push(Item { at, noted: self.noted, what });
    }

    /// What is due by `now`, one at a time.
    pub(super) fn due(&mut self, now: Instant) -> Option<T> {
        if self.items.peek()?.at > now {
            return None;
        }
        self.items.pop().map(|item| item.what)
    }

    /// Waits until something is due; for ever if nothing is noted.
    pub(super) async fn wait(&self) {
        match self.items.peek() {
            Some(item) => sleep_until(item.at).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_earliest_comes_first_and_equals_in_the_order_noted() {
        let now = Instant::now();
        let later = now + Duration::from_millis(5);
        let mut agenda = Agenda::new();
        agenda.note(later, "c");
        agenda.note(now, "a");
        agenda.note(now, "b");
        assert_eq!(agenda.due(now), Some("a"));
        assert_eq!(agenda.due(now), Some("b"));
        assert_eq!(agenda.due(now), None);
        agenda.wait().await;
        assert_eq!(agenda.due(later), Some("c"));
    }
}
