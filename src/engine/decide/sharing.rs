//! When agents of other queues begin to help one, and when they cease to.
//!
//! Looked at as somebody looks for work or begins to wait: nothing else changes a backlog. One
//! that its opposite keeps from beginning is looked at again a little later, too: that helpers
//! are done with their work changes none. The
//! thresholds are in [`super::super::sharing`]; whose turn it is while it lasts is
//! [`Turn::shares`]. It moves nobody who is in somebody's hands.

use smallvec::SmallVec;

use super::super::choice::Candidate;
use super::super::event::{Event, SharedNews};
use super::super::sharing::{Shared, Sharing, excess};
use super::super::words::ServiceClass;
use super::{Agenda, Turn};
use crate::engine::Engine;
use crate::ids::{AgentId, QueueId, SharingId};
use crate::time::{EngineTime, Span};

/// How long a sharing that the opposite one keeps from beginning is not looked at again: whom
/// helpers still have is counted agent by agent.
const LOOK_AGAIN: Span = Span::seconds(1);

impl Agenda {
    /// When sharings that are kept from beginning are looked at again.
    pub(in crate::engine) fn next_held_up(&self) -> Option<EngineTime> {
        self.held_up.values().min().map(|looked| *looked + LOOK_AGAIN)
    }
}

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
            (true, false) => sharing.begins(helped, own) && !self.is_held_up(index),
            _ => false,
        };
        if changes {
            self.emit(Event::Shared(SharedNews { sharing: id, on, helped, own }));
        }
        if changes && on {
            self.helpers_look(id);
        }
        if changes && !on {
            // Whom it kept from beginning may follow in the same look.
            self.engine.agenda.held_up.clear();
        }
    }

    /// Looks again at sharings that were kept from beginning, when it is time.
    pub(super) fn look_at_held_up(&mut self) {
        if self.engine.agenda.next_held_up().is_none_or(|due| due > self.at) {
            return;
        }
        let at = self.at;
        self.engine.agenda.held_up.retain(|_, looked| at.since(*looked) < LOOK_AGAIN);
        self.look_at_sharing();
    }

    /// Whether the opposite sharing is in force, or its helpers still have too many.
    fn is_held_up(&mut self, index: usize) -> bool {
        let all = &self.engine.routing.sharings;
        let sharing = &all[index];
        let mut reverse = (0..).zip(all).filter(|(_, s)| sharing.is_reverse_of(s)).peekable();
        if reverse.peek().is_none() {
            return false;
        }
        let id = SharingId(u16::try_from(index).unwrap_or(u16::MAX));
        let looked = self.engine.agenda.held_up.get(&id);
        if looked.is_some_and(|looked| self.at.since(*looked) < LOOK_AGAIN) {
            return true;
        }
        let held = reverse.any(|(id, s)| {
            self.engine.is_shared(SharingId(id)) || self.engine.helping(s) > sharing.reverse
        });
        if held {
            self.engine.agenda.held_up.insert(id, self.at);
        }
        held
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

    /// Contacts of the helped queue that helpers have in hand.
    fn helping(&self, sharing: &Sharing) -> u32 {
        let of_helped = |c| self.contact(c).is_some_and(|c| c.queue == sharing.helped);
        let helpers = self.floor.members_of(|pool| sharing.has(pool));
        let have: usize = helpers
            .filter_map(|a| self.agent(a))
            .map(|a| a.work.iter().filter(|w| of_helped(w.contact)).count())
            .sum();
        u32::try_from(have).unwrap_or(u32::MAX)
    }
}
