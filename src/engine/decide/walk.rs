//! Going through everyone after a toggle, in slices with other commands in between.
//!
//! Safety first: one round moves them into the lane, the next round everyone else. Each
//! move is an event of its own. Where a walk has got to is not state: a restart walks again.

use std::collections::VecDeque;

use super::super::contact::State;
use super::super::event::Event;
use super::super::recall::{Recall, Tier, Want};
use super::super::words::ServiceClass;
use super::Turn;
use super::recall::Overflow;
use crate::ids::{AskId, ContactId, RecallId};
use crate::time::{EngineTime, Span};

/// Contacts looked at in one slice.
const LOOKED_AT: usize = 512;
/// Of those moved at most so many: a move is several events and takes several microseconds.
const MOVED: usize = 128;
/// How long a gateway that has enough to report is left alone.
const BREATH: Span = Span::millis(5);
/// How long it rests after a slice that gave contacts back. Nothing of that is reported, so
/// the pace alone keeps it within what a gateway reads: some 40,000 a second.
const GIVEN_BACK: Span = Span::millis(3);
/// How often those who wait are gone through while a tier is open: there is room again, or
/// agents became slower.
const AGAIN: Span = Span::seconds(5);

/// One walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    recall: RecallId,
    /// The first round: safety contacts alone.
    safety: bool,
    /// Words of those who waited before are read by the new playbook.
    read: bool,
    slot: usize,
}

/// Walks to go on with at once, and those that rest.
#[derive(Debug, Default)]
pub(super) struct Walks {
    now: VecDeque<Walk>,
    later: Vec<(EngineTime, Walk)>,
}

impl Walks {
    pub(super) fn is_empty(&self) -> bool {
        self.now.is_empty()
    }

    pub(super) fn next(&self) -> Option<EngineTime> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    /// Begins a walk, in place of any other of the same recall.
    pub(super) fn begin(&mut self, recall: RecallId, read: bool) {
        // A walk that was to read words and is replaced has not read them all.
        let of = |w: &Walk| w.recall == recall;
        let unread = self.now.iter().any(|w| of(w) && w.read)
            || self.later.iter().any(|(_, w)| of(w) && w.read);
        self.now.retain(|w| !of(w));
        self.later.retain(|(_, w)| !of(w));
        self.now.push_back(Walk { recall, safety: true, read: read || unread, slot: 0 });
    }

    fn take(&mut self, at: EngineTime) -> Option<Walk> {
        if let Some(rested) = self.later.iter().position(|(then, _)| *then <= at) {
            let (_, walk) = self.later.swap_remove(rested);
            self.now.push_back(walk);
        }
        self.now.pop_front()
    }
}

impl Turn<'_> {
    /// Goes through one slice of everyone for a recall.
    pub(super) fn walk(&mut self) {
        let Some(mut walk) = self.engine.agenda.walks.take(self.at) else { return };
        let Some(recall) = self.engine.recall(walk.recall) else { return };
        let (gives_back, over) = (recall.gives_back(), recall.over);
        let open = Tier::ALL.into_iter().any(|tier| recall.is_open(tier));
        let end = self.engine.contacts.slots().min(walk.slot + LOOKED_AT);
        let mut moved = 0;
        while walk.slot < end && moved < MOVED {
            let Some(contact) = self.walked(walk.slot, walk.recall) else {
                walk.slot += 1;
                continue;
            };
            let state = self.engine.contact(contact).map(|c| c.state);
            if let Some(State::SelfService(_)) = state {
                if gives_back && !walk.safety {
                    self.give_back(contact);
                    moved += 1;
                }
            } else if walk.safety {
                moved += usize::from(self.walked_safety(contact));
            } else if !over {
                match self.overflow(contact) {
                    Overflow::Moved => moved += 1,
                    Overflow::Stays if walk.read => self.read_waiting(contact, walk.recall),
                    Overflow::Stays => {}
                    Overflow::GatewayFull => {
                        // Others may be with another gateway; but who is before whom is
                        // kept, and a gateway reports within milliseconds.
                        self.engine.agenda.walks.later.push((self.at + BREATH, walk));
                        return;
                    }
                }
            }
            walk.slot += 1;
        }
        let walks = &mut self.engine.agenda.walks;
        if walk.slot < self.engine.contacts.slots() && gives_back && moved > 0 {
            walks.later.push((self.at + GIVEN_BACK, walk));
        } else if walk.slot < self.engine.contacts.slots() {
            walks.now.push_back(walk);
        } else if walk.safety {
            walks.now.push_back(Walk { safety: false, slot: 0, ..walk });
        } else if open {
            let again = Walk { recall: walk.recall, safety: false, read: false, slot: 0 };
            walks.later.push((self.at + AGAIN, again));
        }
    }

    /// The contact in a slot, if this recall has anything to do with it.
    fn walked(&self, slot: usize, recall: RecallId) -> Option<ContactId> {
        let c = &self.engine.contacts.in_slot(slot)?.contact;
        let served = c.self_service().is_some_and(|s| s.recall == recall);
        let covers = |r: &Recall| c.entry_point.is_some_and(|e| r.covers(e));
        let waits = c.state == State::Queued && self.engine.recall(recall).is_some_and(covers);
        (served || waits).then_some(c.id)
    }

    fn walked_safety(&mut self, contact: ContactId) -> bool {
        let safety = |c: &super::Contact| c.service == ServiceClass::Safety;
        if !self.engine.contact(contact).is_some_and(safety) {
            return false;
        }
        let events = self.events.len();
        self.to_safety(contact);
        self.events.len() > events
    }

    /// The words of one who waits were written before this playbook was in force.
    fn read_waiting(&mut self, contact: ContactId, recall: RecallId) {
        let unread = |c: &super::Contact| {
            c.state == State::Queued
                && c.service != ServiceClass::Safety
                && Tier::of(c.channel) == Tier::Faq
        };
        if self.engine.contact(contact).is_some_and(unread) {
            self.ask_words(contact, recall, Want::Triage);
        }
    }

    pub(super) fn ask_words(&mut self, contact: ContactId, recall: RecallId, want: Want) -> AskId {
        let ask = AskId(self.engine.counts.last_ask + 1);
        self.emit(Event::WordsAsked { contact, ask, recall, want });
        ask
    }
}
