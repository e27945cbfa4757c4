//! What is remembered for a while and then forgotten: the places of those who left, and who
//! had a contact last that a letter goes on from.
//!
//! Made by events alone. Bounded: beyond the limit the row that would be forgotten first goes,
//! and what is over goes a few at a time. It decides nothing.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::store::hash_of;
use crate::ids::{AgentId, ContactId, CustomerId, QueueId};
use crate::time::{EngineTime, Place};

/// Rows of each kind: an hour of 28 people a second who give up, in about 12 MiB. Who was first
/// to be forgotten anyway has waited longest for nothing to come of it.
pub const MOST_RECENT: usize = 100_000;
/// Rows over that are forgotten at a time: a quiet night must not cost one call much.
const FORGOTTEN_AT_ONCE: usize = 4;

/// A row of a [`Recent`]: ordered by when it is forgotten.
pub(crate) trait Row: Copy + Ord + Hash {
    /// What it is found by.
    type Key: Copy + Eq + Hash;
    fn key(&self) -> Self::Key;
    fn until(&self) -> EngineTime;
}

/// The place of a customer who left a queue before being answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeptPlace {
    /// Until when it is kept.
    pub until: EngineTime,
    /// Whose.
    pub customer: CustomerId,
    /// In which queue.
    pub queue: QueueId,
    /// The contact that ended.
    pub contact: ContactId,
    /// Its place, the queue's own head start left out.
    pub origin: Place,
}

/// Who had a letter or message last that is closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LastOfThread {
    /// Until when one that goes on from it goes to them first.
    pub until: EngineTime,
    /// The contact that ended.
    pub contact: ContactId,
    /// Who had it.
    pub agent: AgentId,
}

impl Row for KeptPlace {
    type Key = (CustomerId, QueueId);
    fn key(&self) -> Self::Key {
        (self.customer, self.queue)
    }
    fn until(&self) -> EngineTime {
        self.until
    }
}

impl Row for LastOfThread {
    type Key = ContactId;
    fn key(&self) -> Self::Key {
        self.contact
    }
    fn until(&self) -> EngineTime {
        self.until
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Recent<R: Row> {
    rows: HashMap<R::Key, R, FxBuildHasher>,
    order: BTreeSet<R>,
    hash: u64,
}

impl<R: Row> Default for Recent<R> {
    fn default() -> Self {
        Self { rows: HashMap::default(), order: BTreeSet::new(), hash: 0 }
    }
}

impl<R: Row> Hash for Recent<R> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.hash.hash(hasher);
    }
}

impl<R: Row> Recent<R> {
    /// Remembers a row in place of the one with the same key.
    pub(crate) fn note(&mut self, at: EngineTime, row: R) {
        self.put(row);
        for _ in 0..FORGOTTEN_AT_ONCE {
            let Some(first) = self.order.first().copied() else { return };
            if first.until() >= at && self.order.len() <= MOST_RECENT {
                return;
            }
            self.forget(&first.key());
        }
    }

    /// As an image holds it, or as an event makes it.
    pub(crate) fn put(&mut self, row: R) {
        self.forget(&row.key());
        self.rows.insert(row.key(), row);
        self.order.insert(row);
        self.hash ^= hash_of(&row);
    }

    pub(crate) fn forget(&mut self, key: &R::Key) {
        if let Some(row) = self.rows.remove(key) {
            self.order.remove(&row);
            self.hash ^= hash_of(&row);
        }
    }

    /// Each row becomes another with the same key.
    pub(crate) fn each(&mut self, change: impl Fn(R) -> R) {
        let rows: Vec<R> = self.all().collect();
        for row in rows {
            self.put(change(row));
        }
    }

    /// What is still remembered under a key.
    pub(crate) fn get(&self, at: EngineTime, key: &R::Key) -> Option<&R> {
        self.rows.get(key).filter(|row| row.until() >= at)
    }

    /// All rows, the one that goes first at the front.
    pub(crate) fn all(&self) -> impl Iterator<Item = R> {
        self.order.iter().copied()
    }

    /// Whether the parts say the same, for checking.
    pub(crate) fn is_sound(&self) -> bool {
        self.rows.len() == self.order.len()
            && self.order.len() <= MOST_RECENT
            && self.order.iter().all(|r| self.rows.get(&r.key()) == Some(r))
            && self.order.iter().fold(0, |h, r| h ^ hash_of(r)) == self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn row(until: u64, contact: u64) -> LastOfThread {
        let until = EngineTime::ZERO + Span(until);
        LastOfThread { until, contact: ContactId(contact), agent: AgentId(1) }
    }

    #[test]
    fn a_row_is_found_until_it_is_over_and_the_first_to_go_goes_beyond_the_limit() {
        let mut recent = Recent::default();
        let most = u64::try_from(MOST_RECENT).unwrap();
        for n in 0..=most {
            recent.note(EngineTime(0), row(most + n, n));
        }
        assert_eq!(recent.all().count(), MOST_RECENT);
        assert_eq!(recent.get(EngineTime(0), &ContactId(0)), None, "the first to go went");
        assert_eq!(recent.get(EngineTime(most + 1), &ContactId(1)), Some(&row(most + 1, 1)));
        assert_eq!(recent.get(EngineTime(most + 2), &ContactId(1)), None, "it is over");
        recent.note(EngineTime(9 * most), row(10 * most, 5));
        assert_eq!(recent.all().count(), MOST_RECENT - 4, "what is over goes a few at a time");
        recent.forget(&ContactId(5));
        assert_eq!(recent.get(EngineTime(0), &ContactId(5)), None);
        assert!(recent.is_sound());
    }
}
