//! How the edits of another routing configuration reach those who wait already.
//!
//! Those whose queue changed are gone through in slices, each one's change an event of its
//! own; arrivals stay, places follow. Where that has got to is not state: a restart goes
//! through everyone once more, and finds nothing to do for those who were done.

use super::super::event::Event;
use super::super::routing::{Queue, Routing};
use super::Turn;
use crate::ids::{ContactId, QueueId};

/// Contacts looked at in one slice.
const LOOKED_AT: usize = 512;
/// Of those changed at most so many: each leaves one line and joins another.
const CHANGED: usize = 128;

/// Going through everyone after an edit.
#[derive(Debug)]
pub(super) struct Edits {
    /// By queue: whether it was edited.
    queues: Vec<bool>,
    slot: usize,
    /// Slots to go, round from there.
    left: usize,
}

/// By queue of a new configuration: whether it asks for something else than it did.
pub(super) fn edited(old: &Routing, new: &Routing) -> Vec<bool> {
    let all = old.languages != new.languages || old.partners != new.partners;
    let asks = |q: &Queue| {
        let (steps, updates) = (q.steps.clone(), q.life.updates.0 > 0);
        let pools = if steps.is_empty() { Default::default() } else { q.pools.clone() };
        let preferred = (q.policy.preferred.clone(), q.policy.language);
        (q.needs.clone(), preferred, q.head_start, steps, pools, (updates, q.life.hours))
    };
    let differs = |(i, new): (usize, &Queue)| {
        all || old.queues.get(i).is_none_or(|old| asks(old) != asks(new))
    };
    new.queues.iter().enumerate().map(differs).collect()
}

impl Turn<'_> {
    /// Everyone of these queues is gone through, and of those that were not done yet; then
    /// agents look for work. A walk that is under way goes round from where it is: edits that
    /// come faster than it ends must not keep it at the beginning.
    pub(super) fn schedule_refiling(&mut self, is_edited: impl Fn(QueueId) -> bool) {
        let before = self.engine.agenda.edits.take();
        let was = |i: usize| before.as_ref().is_some_and(|b| b.queues.get(i) == Some(&true));
        let all = (0..).map(QueueId).zip(&self.engine.routing.queues);
        let queues: Vec<bool> = all.map(|(q, _)| is_edited(q) || was(q.index())).collect();
        if queues.contains(&true) && self.engine.contacts.len() > 0 {
            let (slot, left) = (before.map_or(0, |b| b.slot), self.engine.contacts.slots());
            self.engine.agenda.edits = Some(Edits { queues, slot, left });
        } else {
            self.everyone_looks();
        }
    }

    /// Goes through one slice of everyone.
    pub(super) fn refile_some(&mut self) {
        let Some(mut edits) = self.engine.agenda.edits.take() else { return };
        let (before, mut round) = (self.events.len(), false);
        for _ in 0..LOOKED_AT.min(edits.left) {
            if self.events.len() >= before + CHANGED {
                break;
            }
            let found = self.engine.contacts.in_slot(edits.slot).map(|filed| &filed.contact);
            let found = found.filter(|c| edits.queues.get(c.queue.index()) == Some(&true));
            if let Some(contact) = found.map(|c| c.id) {
                self.refile(contact);
                self.rehour(contact);
            }
            edits.slot += 1;
            edits.left -= 1;
            if edits.slot >= self.engine.contacts.slots() {
                (edits.slot, round) = (0, true);
            }
        }
        // Only now, so that those who may have more than before begin with the oldest place. At
        // the end of the slots too: the first of several edits has been everywhere by then.
        if round || edits.left == 0 {
            self.everyone_looks();
        }
        if edits.left > 0 {
            self.engine.agenda.edits = Some(edits);
        }
    }

    /// A contact asks for what its queue's configuration says now. A consult is between
    /// agents, and asks for what was asked for it.
    pub(super) fn refile(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact).filter(|c| c.parent.is_none()) else { return };
        let filing = self.filing(c, c.stage.stepped);
        let same = (&c.needs, &c.preferred, c.place, &c.stage)
            == (&filing.needs, &filing.preferred, filing.place, &filing.stage);
        if !same {
            self.emit(Event::Refiled(filing));
        }
    }
}
