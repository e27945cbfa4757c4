//! Whom a customer last had, so that they can have them again.
//!
//! Made by events alone, and only while some queue asks for it. Bounded: the customer whose
//! last contact is longest ago is forgotten first, and all are once they are too long ago
//! for every queue. It decides nothing.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::store::hash_of;
use crate::ids::{AgentId, CustomerId};
use crate::time::{EngineTime, Span};

/// Customers remembered: half an hour at 55 contacts a second, in about 10 MiB.
pub const MOST_STICKY: usize = 100_000;
/// Those too long ago who are forgotten at a time: a quiet night must not cost one call much.
const FORGOTTEN_AT_ONCE: usize = 4;

/// Whom a customer last had.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LastAgent {
    /// When they last had to do with each other.
    pub at: EngineTime,
    /// The customer.
    pub customer: CustomerId,
    /// Whom they had.
    pub agent: AgentId,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sticky {
    /// The longest that any queue asks for.
    longest: Span,
    last: HashMap<CustomerId, LastAgent, FxBuildHasher>,
    order: BTreeSet<LastAgent>,
    hash: u64,
}

impl Hash for Sticky {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.hash.hash(hasher);
    }
}

impl Sticky {
    /// A configuration is in force whose queues ask for this at most.
    pub(crate) fn configure(&mut self, longest: Span) {
        self.longest = longest;
        if longest == Span::ZERO {
            *self = Self::default();
        }
    }

    /// A customer has, or had until now, to do with an agent.
    pub(crate) fn note(&mut self, at: EngineTime, customer: CustomerId, agent: AgentId) {
        if self.longest == Span::ZERO {
            return;
        }
        self.put(LastAgent { at, customer, agent });
        for _ in 0..FORGOTTEN_AT_ONCE {
            let Some(oldest) = self.order.first().copied() else { return };
            if at.since(oldest.at) <= self.longest && self.order.len() <= MOST_STICKY {
                return;
            }
            self.forget(oldest);
        }
    }

    /// As an image holds it, or as an event makes it.
    pub(crate) fn put(&mut self, last: LastAgent) {
        if let Some(before) = self.last.get(&last.customer).copied() {
            self.forget(before);
        }
        self.last.insert(last.customer, last);
        self.order.insert(last);
        self.hash ^= hash_of(&last);
    }

    fn forget(&mut self, last: LastAgent) {
        self.last.remove(&last.customer);
        self.order.remove(&last);
        self.hash ^= hash_of(&last);
    }

    /// Whom a customer had no longer ago than this.
    pub(crate) fn agent(
        &self,
        at: EngineTime,
        customer: CustomerId,
        within: Span,
    ) -> Option<AgentId> {
        let last = self.last.get(&customer)?;
        (within > Span::ZERO && at.since(last.at) <= within).then_some(last.agent)
    }

    /// All of them, the longest ago first.
    pub(crate) fn all(&self) -> impl Iterator<Item = LastAgent> {
        self.order.iter().copied()
    }

    /// Whether the parts say the same, for checking.
    pub(crate) fn is_sound(&self) -> bool {
        self.last.len() == self.order.len()
            && self.order.len() <= MOST_STICKY
            && self.order.iter().all(|l| self.last.get(&l.customer) == Some(l))
            && self.order.iter().fold(0, |h, l| h ^ hash_of(l)) == self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> EngineTime {
        EngineTime::ZERO + Span::seconds(s)
    }

    fn half_an_hour() -> Sticky {
        let mut sticky = Sticky::default();
        sticky.configure(Span::seconds(1_800));
        sticky
    }

    #[test]
    fn the_last_one_counts_and_only_so_long() {
        let mut sticky = half_an_hour();
        let (who, minute) = (CustomerId(7), Span::seconds(60));
        sticky.note(at(0), who, AgentId(1));
        sticky.note(at(10), who, AgentId(2));
        assert_eq!(sticky.agent(at(70), who, minute), Some(AgentId(2)));
        assert_eq!(sticky.agent(at(71), who, minute), None);
        assert_eq!(sticky.agent(at(10), who, Span::ZERO), None, "this queue does not ask for it");
        assert_eq!(sticky.agent(at(10), CustomerId(8), minute), None);
        assert!(sticky.is_sound() && sticky.all().count() == 1);
        sticky.configure(Span::ZERO);
        assert_eq!(sticky.all().count(), 0, "nobody asks for it any more");
        sticky.note(at(20), who, AgentId(1));
        assert_eq!(sticky.all().count(), 0);
    }

    #[test]
    fn it_is_bounded_in_number_and_in_time() {
        let mut sticky = half_an_hour();
        let most = u32::try_from(MOST_STICKY).unwrap();
        for n in 0..=most {
            sticky.note(at(0) + Span(n.into()), CustomerId(n.into()), AgentId(0));
        }
        assert_eq!(sticky.all().count(), MOST_STICKY);
        assert_eq!(sticky.agent(at(1), CustomerId(0), Span::seconds(60)), None, "the oldest went");
        assert!(sticky.is_sound());
        for n in 0..most {
            sticky.note(at(7_200), CustomerId(1 + u128::from(n % 2)), AgentId(0));
        }
        assert_eq!(sticky.all().count(), 2, "two hours later nobody else is remembered");
        assert!(sticky.is_sound());
    }
}
