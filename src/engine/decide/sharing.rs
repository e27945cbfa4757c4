//! When agents of other queues begin to help one, and when they cease to.
//!
//! Looked at as somebody looks for work or begins to wait: nothing else changes a backlog. The
//! thresholds are in [`super::super::sharing`]; whose turn it is while it lasts is
//! [`Turn::shares`]. It moves nobody who is in somebody's hands.

use smallvec::SmallVec;

use super::super::choice::Candidate;
use super::super::event::{Event, SharedNews};
use super::super::sharing::{Shared, Sharing, excess};
use super::super::words::ServiceClass;
use super::Turn;
use crate::engine::Engine;
use crate::ids::{AgentId, QueueId, SharingId};

impl Turn<'_> {
    /// Sharings whose thresholds were crossed end and begin: in this order, so that one way can
    /// follow the other.
    pub(super) fn look_at_sharing(&mut self) {
        for on in [false, true] {
            for index in 0..self.engine.routing.sharings.len() {
                self.look_at_one(index, on);
            }
        }
    }

    fn look_at_one(&mut self, index: usize, on: bool) {
        let id = SharingId(u16::try_from(index).unwrap_or(u16::MAX));
        let Some(sharing) = self.engine.routing.sharing(id) else { return };
        let helped = self.engine.in_line(sharing.helped);
        let own = self.engine.in_line(sharing.own);
        let changes = match (on, self.engine.is_shared(id)) {
            (false, true) => sharing.ends(helped),
            (true, false) => sharing.begins(helped, own) && !self.is_held_up(sharing),
            _ => false,
        };
        if changes {
            self.emit(Event::Shared(SharedNews { sharing: id, on, helped, own }));
        }
        if changes && on {
            self.helpers_look(id);
        }
    }

    /// Whether the opposite sharing is in force, or its helpers still have too many.
    fn is_held_up(&self, sharing: &Sharing) -> bool {
        let all = (0..).map(SharingId).zip(&self.engine.routing.sharings);
        let mut reverse = all.filter(|(_, s)| sharing.is_reverse_of(s));
        let have = |s: &Sharing| self.engine.in_hand.of(s.helped, |pool| s.has(pool));
        reverse.any(|(id, s)| self.engine.is_shared(id) || have(s) > sharing.reverse)
    }

    /// Idle helpers look for work, in slices.
    fn helpers_look(&mut self, id: SharingId) {
        let Engine { routing, floor, agenda, .. } = &mut *self.engine;
        let Some(sharing) = routing.sharing(id) else { return };
        floor.members_of(|pool| sharing.has(pool)).for_each(|a| agenda.hungry.add(a));
    }

    /// Of the queues that a helper may serve: the helped one while it is above its ratio, their
    /// own otherwise. Neither waits for the other where it is the only one. Tells whether any
    /// was left out.
    pub(super) fn shares(
        &self,
        agent: AgentId,
        service: ServiceClass,
        queues: &mut SmallVec<[Candidate; 8]>,
    ) -> bool {
        let engine = &*self.engine;
        if engine.shared.is_empty() || service == ServiceClass::Safety || queues.len() < 2 {
            return false;
        }
        let before = queues.len();
        let pool = engine.routing.agent(agent).map(|p| p.pool);
        for shared in &engine.shared {
            let Some(s) = engine.routing.sharing(shared.sharing) else { continue };
            let there = |queue: QueueId| queues.iter().any(|c| c.queue == queue);
            if pool.is_some_and(|pool| s.has(pool)) && there(s.helped) && there(s.own) {
                let (helped, own) = (engine.in_line(s.helped), engine.in_line(s.own));
                let waits = if excess(s, helped, own) > 0 { s.own } else { s.helped };
                queues.retain(|c| c.queue != waits);
            }
        }
        queues.len() < before
    }
}

impl Engine {
    /// Whether a sharing is in force.
    #[must_use]
    pub fn is_shared(&self, id: SharingId) -> bool {
        self.shared.iter().any(|s| s.sharing == id)
    }

    /// Sharings that are in force.
    pub fn shared(&self) -> impl Iterator<Item = &Shared> {
        self.shared.iter()
    }

    /// How many stand in line in a queue, those about safety apart.
    #[must_use]
    pub fn in_line(&self, queue: QueueId) -> u32 {
        let of = |service| self.floor.backlog(queue, service);
        of(ServiceClass::Live) + of(ServiceClass::Async)
    }
}
