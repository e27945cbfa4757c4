//! Steps: what changes for those who wait long in a queue.
//!
//! What a contact asks for is worked out anew from its queue's needs and every step that it
//! has taken, never from what it asked for a moment ago: so an edit and a step come to the
//! same. Where it goes when nobody serves it is for [`super::fallback`].

use super::super::contact::Contact;
use super::super::event::{Event, StepTaken};
use super::super::queue_life::{Pools, QueueStep};
use super::super::rank::{Asked, ClassKey};
use super::super::routing::Queue;
use super::super::stage::{Filing, Stage};
use super::tiers::ForPartners;
use super::{A_DAY, Own, Turn, demand, place};
use crate::ids::{ContactId, QueueId};
use crate::time::{EngineTime, Span};

impl Turn<'_> {
    /// How far one has come who is about to enter a queue for the first time, or is moved to it.
    pub(super) fn first_stage(&self, queue: QueueId, of: ForPartners) -> Stage {
        let queue = self.queue_of(queue);
        let entered = self.at;
        Stage {
            entered,
            due: queue.and_then(|q| next_due(q, entered, Span::ZERO)),
            update: queue.and_then(|q| self.told_at_once(q)),
            pools: self.with_partners(&[], of),
            ..Stage::default()
        }
    }

    /// How far one has come who comes back to its queue.
    pub(super) fn same_stage(&self, c: &Contact) -> Stage {
        let update = self.queue_of(c.queue).and_then(|q| self.told_at_once(q));
        let pools = self.with_partners(&c.stage.pools, ForPartners::of(c));
        let (update, lane) = (update.filter(|_| c.parent.is_none()), self.lane_of(c));
        Stage { update, lane, pools, ..c.stage.clone() }
    }

    fn told_at_once(&self, queue: &Queue) -> Option<EngineTime> {
        (queue.life.updates > Span::ZERO).then_some(self.at)
    }

    /// What a contact asks for in its queue, as that is configured now, after all steps up to
    /// a time after it entered.
    pub(super) fn filing(&self, c: &Contact, stepped: Span) -> Filing {
        let routing = &self.engine.routing;
        let queue = routing.queue(c.queue);
        let own = Own { needs: &c.own_needs, preferred: &c.own_preferred, language: c.language };
        let (mut needs, mut preferred) = demand(routing, queue, own);
        let taken = || queue.into_iter().flat_map(|q| &q.steps).filter(|s| s.after <= stepped);
        let lower = taken().map(|s| s.lower_proficiency).max().unwrap_or_default();
        for need in &mut needs {
            need.at_least = need.at_least.saturating_sub(lower).max(1);
        }
        if taken().any(|s| s.drop_preferred) {
            preferred.clear();
        }
        let raised = taken().map(|s| s.raise_priority.0).fold(0, u64::saturating_add);
        let raised = Span(raised).min(A_DAY);
        let ahead = queue.map_or(Span::ZERO, |q| q.head_start);
        let pools = queue.map(|q| more_pools(q, taken())).unwrap_or_default();
        let pools = self.with_partners(&pools, ForPartners::of(c));
        let update = match queue.and_then(|q| self.told_at_once(q)) {
            Some(now) => c.stage.update.or(Some(now)),
            None => None,
        };
        let due = queue.and_then(|q| next_due(q, c.stage.entered, stepped));
        let stage = Stage { stepped, due, update, pools, raised, ..c.stage.clone() };
        let ahead = [ahead, c.head_start, c.waited_before, raised, c.care.ahead];
        let place = place(c.arrived, &ahead);
        let filing = Filing { contact: c.id, needs, preferred, place, stage };
        self.with_room(c, filing)
    }

    /// Where the table of demand classes is full, a contact asks for what it asked for.
    fn with_room(&self, c: &Contact, filing: Filing) -> Filing {
        let class = Asked {
            needs: &filing.needs,
            preferred: &filing.preferred,
            pools: &filing.stage.pools,
            ..Asked::of(c)
        };
        if self.engine.floor.has_room(class) {
            return filing;
        }
        let ClassKey { needs, preferred, pools, .. } = Asked::of(c).key();
        Filing { needs, preferred, stage: Stage { pools, ..filing.stage }, ..filing }
    }

    /// A step is due for a contact, or a number outside is to be tried again.
    pub(super) fn step_due(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        if c.stage.due.is_none_or(|due| due > self.at) {
            return self.forward_again(contact);
        }
        let is_due = |s: &QueueStep| c.stage.entered + s.after <= self.at;
        let next = self.queue_of(c.queue).and_then(|q| next_step(q, c.stage.stepped));
        let Some((step, what)) = next.filter(|(_, s)| is_due(s)) else {
            // The steps were edited, and whoever goes through everyone has not come to it.
            return self.refile(contact);
        };
        let what = what.clone();
        let filing = self.filing(c, what.after);
        self.emit(Event::StepTaken(StepTaken { step, filing }));
        self.tell_unless_playbook(contact, what.tell);
        if !what.overflow.is_some_and(|to| self.overflow_to(contact, to)) {
            self.offer_contact(contact);
        }
    }
}

/// The first step after a time, counted from 1.
fn next_step(queue: &Queue, stepped: Span) -> Option<(u8, &QueueStep)> {
    (1..).zip(&queue.steps).find(|(_, s)| s.after > stepped)
}

fn next_due(queue: &Queue, entered: EngineTime, stepped: Span) -> Option<EngineTime> {
    next_step(queue, stepped).map(|(_, s)| entered + s.after)
}

/// Pools that steps add to those of a queue; none where all may serve it anyway.
fn more_pools<'a>(queue: &Queue, taken: impl Iterator<Item = &'a QueueStep>) -> Pools {
    if queue.pools.is_empty() {
        return Pools::new();
    }
    let all = taken.flat_map(|s| &s.add_pools).copied();
    let mut pools: Pools = all.filter(|p| !queue.pools.contains(p)).collect();
    pools.sort_unstable();
    pools.dedup();
    pools
}
