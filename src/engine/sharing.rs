//! Sharing between queues: when the agents of one help another that is overloaded, and when
//! they no longer do.
//!
//! Values only, and [`excess`] as the one sum that decides. While nothing is shared the helpers
//! are not eligible for the helped queue at all, so that a decision costs what it always did.
//! After Perry and Whitt, *Responding to Unexpected Overloads in Large-Scale Service Systems*
//! (2009), and their form with activation and release thresholds (FQR-ART, arXiv 1301.4713).

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::agent::{Agent, Work};
use super::routing::{Name, Routing};
use super::words::ServiceClass;
use crate::ids::{PoolId, QueueId, SharingId};
use crate::time::EngineTime;

/// Most sharings of a router, retired ones apart: each is looked at with every decision.
pub const MOST_SHARINGS: usize = 16;
/// Pools of one sharing.
pub const MOST_HELPING_POOLS: usize = 16;

/// Agents of some pools help a queue that is overloaded, beside their own.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sharing {
    /// Its name, unique among sharings.
    pub name: Name,
    /// No longer in the configuration: nothing is shared by it.
    pub retired: bool,
    /// The queue that is helped.
    pub helped: QueueId,
    /// The queue of those who help.
    pub own: QueueId,
    /// Who helps, sorted. For live and async contacts of the helped queue these pools may
    /// serve it only while it is shared.
    pub pools: SmallVec<[PoolId; 4]>,
    /// How many may wait in the helped queue for each who waits in the helpers' own, in
    /// hundredths, 1 to 10,000.
    pub ratio: u16,
    /// Sharing begins once so many more wait in the helped queue than `ratio` × those in the own.
    pub activate: u32,
    /// Sharing ends once no more than so many wait in the helped queue; below `activate`.
    pub release: u32,
    /// Contacts that helpers of the opposite direction may still have, those in wrap-up among
    /// them, for this one to begin.
    pub reverse: u32,
}

/// A sharing that is in force.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shared {
    /// Which.
    pub sharing: SharingId,
    /// Since when.
    pub since: EngineTime,
}

/// What agents have in hand, by queue and by their pool: what still binds those who helped.
/// Kept only while there are sharings.
#[derive(PartialEq, Eq, Debug, Default)]
pub(crate) struct InHand(BTreeMap<(QueueId, PoolId), u32>);

impl InHand {
    /// Counted anew.
    pub(crate) fn counted(agents: &[Agent], routing: &Routing) -> Self {
        let mut all = Self::default();
        for agent in agents.iter().filter(|_| !routing.sharings.is_empty()) {
            if let Some(profile) = routing.agent(agent.id) {
                all.enter(profile.pool, &agent.work);
            }
        }
        all
    }

    /// An agent of a pool has these now.
    pub(crate) fn enter(&mut self, pool: PoolId, work: &[Work]) {
        for work in work {
            *self.0.entry((work.queue, pool)).or_default() += 1;
        }
    }

    /// The reverse, before they have others.
    pub(crate) fn leave(&mut self, pool: PoolId, work: &[Work]) {
        for work in work {
            let key = (work.queue, pool);
            match self.0.get_mut(&key) {
                Some(more) if *more > 1 => *more -= 1,
                _ => drop(self.0.remove(&key)),
            }
        }
    }

    /// What agents of some pools have of a queue.
    pub(crate) fn of(&self, queue: QueueId, has: impl Fn(PoolId) -> bool) -> u32 {
        let all = self.0.range((queue, PoolId(0))..=(queue, PoolId(u16::MAX)));
        all.filter(|((_, pool), _)| has(*pool)).map(|(_, count)| *count).sum()
    }
}

/// By how much the helped queue is longer than its share, in hundredths of a contact.
#[must_use]
pub fn excess(sharing: &Sharing, helped: u32, own: u32) -> i64 {
    i64::from(helped) * 100 - i64::from(own) * i64::from(sharing.ratio)
}

impl Sharing {
    /// Whether backlogs ask for help to begin.
    #[must_use]
    pub fn begins(&self, helped: u32, own: u32) -> bool {
        !self.retired && excess(self, helped, own) >= i64::from(self.activate) * 100
    }

    /// Whether a pool helps.
    #[must_use]
    pub fn has(&self, pool: PoolId) -> bool {
        self.pools.binary_search(&pool).is_ok()
    }

    /// Whether help is no longer needed.
    #[must_use]
    pub const fn ends(&self, helped: u32) -> bool {
        self.retired || helped <= self.release
    }

    /// Whether another one sends help the other way.
    #[must_use]
    pub fn is_reverse_of(&self, other: &Self) -> bool {
        !other.retired && self.helped == other.own && self.own == other.helped
    }
}

/// Somebody of a pool would take a contact of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Help<'a> {
    /// The contact's queue.
    pub queue: QueueId,
    /// Its class of service.
    pub service: ServiceClass,
    /// Pools that a step has added to its queue's.
    pub added: &'a [PoolId],
    /// Theirs.
    pub pool: PoolId,
}

impl Help<'_> {
    /// Whether no sharing keeps them from it: who is hurt may have anybody, others have those
    /// who help only while they do, or once a step adds their pool.
    pub fn is_allowed(self, all: &[Sharing], is_shared: impl Fn(SharingId) -> bool) -> bool {
        let keeps = |(id, s): (u16, &Sharing)| {
            !s.retired && s.helped == self.queue && s.has(self.pool) && !is_shared(SharingId(id))
        };
        self.service == ServiceClass::Safety
            || self.added.contains(&self.pool)
            || !(0..).zip(all).any(keeps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sharing() -> Sharing {
        Sharing {
            name: "recall".into(),
            retired: false,
            helped: QueueId(0),
            own: QueueId(1),
            pools: [PoolId(1)].into_iter().collect(),
            ratio: 125,
            activate: 40,
            release: 10,
            reverse: 0,
        }
    }

    #[test]
    fn it_begins_at_the_threshold_and_ends_far_below_it() {
        let s = sharing();
        let all = [
            // helped, own, begins, ends
            (39, 0, false, false),
            (40, 0, true, false),
            (64, 20, false, false),
            (65, 20, true, false),
            (11, 0, false, false),
            (10, 0, false, true),
            (10, 90, false, true),
            (0, 0, false, true),
        ];
        for (helped, own, begins, ends) in all {
            assert_eq!((s.begins(helped, own), s.ends(helped)), (begins, ends), "{helped}, {own}");
        }
        let retired = Sharing { retired: true, ..sharing() };
        assert_eq!((retired.begins(900, 0), retired.ends(900)), (false, true));
    }

    #[test]
    fn the_ratio_says_whose_turn_it_is() {
        let s = sharing();
        assert_eq!([(5, 4), (6, 4), (4, 4)].map(|(h, o)| excess(&s, h, o)), [0, 100, -100]);
    }

    #[test]
    fn the_opposite_direction_is_known() {
        let (s, mut back) = (sharing(), sharing());
        (back.helped, back.own) = (QueueId(1), QueueId(0));
        assert!(s.is_reverse_of(&back) && back.is_reverse_of(&s) && !s.is_reverse_of(&s));
        back.retired = true;
        assert!(!s.is_reverse_of(&back));
    }
}
