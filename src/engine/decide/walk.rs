//! Going through everyone after a toggle, in slices with other commands in between.
//!
//! Safety first: one round moves them into the lane, the next round everyone else. Each
//! move is an event of its own. Where a walk has got to is not state: a restart walks again.

use std::collections::VecDeque;

use super::super::contact::State;
use super::super::event::Event;
use super::super::recall::{Recall, ReturnedBecause, Tier, Want};
use super::super::words::ServiceClass;
use super::Turn;
use super::recall::Haste;
use crate::ids::{AskId, ContactId, GatewayId, RecallId};
use crate::time::{EngineTime, Span};

/// Contacts looked at in one slice.
const LOOKED_AT: usize = 512;
/// Of those moved at most so many: a move is several events and takes several microseconds.
const MOVED: usize = 96;
/// Between two slices that moved somebody: half of the time is for others.
pub(super) const REST: Span = Span::millis(1);
/// How long a gateway that has been told enough is left alone.
pub(super) const BREATH: Span = Span::millis(16);
/// Contacts of one gateway moved in one breath, there or back: its outbox takes 4,096
/// messages, and each of them is one or two.
const TOLD: u32 = 384;
/// Between two contacts whom a gateway tells that they are in self-service: each costs it two
/// texts, two reports, and us the reading of their words. A toggle moves everyone at once;
/// telling them must not take the router from those who are being connected.
const APART: Span = Span::millis(1);
/// What moving one contact takes: [`MOVED`] in a slice of about a millisecond and its [`REST`].
/// Nobody is told before everyone should have been moved, so that those who are served meanwhile
/// do not wait for the texts as well. Where few gateways hold the walk up it is longer than that.
const MOVE_TAKES: Span = Span(20);
/// Contacts for whom room for a call is looked for in one round.
const ROOMS: u32 = 512;
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
    /// Somebody was left because their gateway has been told enough.
    left: bool,
    slot: usize,
    offers: Offers,
}

/// How far a walk has come with offers of a call: finding room for one takes microseconds, so
/// that each round looks for so many, and the next goes on where this one stopped.
#[derive(Clone, Copy, Debug, Default)]
struct Offers {
    looked: u32,
    from: usize,
    stopped: Option<usize>,
}

impl Offers {
    /// Whether room is looked for in a slot.
    fn may_look(&mut self, slot: usize) -> bool {
        if slot < self.from || self.stopped.is_some() {
            return false;
        }
        if self.looked == ROOMS {
            self.stopped = Some(slot);
            return false;
        }
        self.looked += 1;
        true
    }

    /// For the next round.
    fn next(self) -> Self {
        Self { looked: 0, from: self.stopped.unwrap_or_default(), stopped: None }
    }
}

/// What gateways have been told in this breath.
#[derive(Debug, Default)]
struct Told {
    since: EngineTime,
    contacts: Vec<u32>,
    /// When the next one's turn is, by gateway.
    turns: Vec<EngineTime>,
    /// By when the walks that have begun should have moved everyone: no turn is before it.
    moved_by: EngineTime,
}

/// Walks to go on with at once, and those that rest.
#[derive(Debug, Default)]
pub(super) struct Walks {
    now: VecDeque<Walk>,
    later: Vec<(EngineTime, Walk)>,
    told: Told,
}

impl Walks {
    pub(super) fn is_empty(&self) -> bool {
        self.now.is_empty()
    }

    pub(super) fn next(&self) -> Option<EngineTime> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    /// Begins a walk that should have moved everyone by then, in place of any other of the same recall.
    fn begin(&mut self, recall: RecallId, read: bool, moved_by: EngineTime) {
        self.told.moved_by = self.told.moved_by.max(moved_by);
        // A walk that was to read words and is replaced has not read them all.
        let of = |w: &Walk| w.recall == recall;
        let unread = self.now.iter().any(|w| of(w) && w.read)
            || self.later.iter().any(|(_, w)| of(w) && w.read);
        self.now.retain(|w| !of(w));
        self.later.retain(|(_, w)| !of(w));
        self.now.push_back(Walk {
            recall,
            safety: true,
            read: read || unread,
            left: false,
            slot: 0,
            offers: Offers::default(),
        });
    }

    fn take(&mut self, at: EngineTime) -> Option<Walk> {
        if let Some(rested) = self.later.iter().position(|(then, _)| *then <= at) {
            let (_, walk) = self.later.swap_remove(rested);
            self.now.push_back(walk);
        }
        self.now.pop_front()
    }

    /// Counts one more contact of a gateway; false if it has been told enough for now.
    fn tell(&mut self, at: EngineTime, gateway: GatewayId) -> bool {
        if at.since(self.told.since) >= BREATH {
            self.told.since = at;
            self.told.contacts.fill(0);
        }
        if self.told.contacts.len() <= gateway.index() {
            self.told.contacts.resize(gateway.index() + 1, 0);
        }
        let told = &mut self.told.contacts[gateway.index()];
        *told += 1;
        *told <= TOLD
    }

    /// The turn of one more contact of a gateway, after all who were given one before.
    fn turn(&mut self, at: EngineTime, gateway: GatewayId) -> EngineTime {
        let turns = &mut self.told.turns;
        if turns.len() <= gateway.index() {
            turns.resize(gateway.index() + 1, EngineTime::default());
        }
        let turn = turns[gateway.index()].max(self.told.moved_by).max(at) + APART;
        turns[gateway.index()] = turn;
        turn
    }
}

impl Turn<'_> {
    /// Everyone is gone through for a recall, from the first on.
    pub(super) fn walk_anew(&mut self, recall: RecallId, read: bool) {
        let takes = Span(MOVE_TAKES.0.saturating_mul(self.engine.contacts.slots() as u64));
        self.engine.agenda.walks.begin(recall, read, self.at + takes);
    }

    /// Goes through one slice of everyone for a recall.
    pub(super) fn walk(&mut self) {
        let Some(mut walk) = self.engine.agenda.walks.take(self.at) else { return };
        let Some(recall) = self.engine.recall(walk.recall) else { return };
        let (gives_back, over) = (recall.gives_back(), recall.over);
        let open =
            [Tier::Faq, Tier::Ivr, Tier::Callback].into_iter().any(|tier| recall.is_open(tier));
        let end = self.engine.contacts.slots().min(walk.slot + LOOKED_AT);
        let mut moved = 0;
        while walk.slot < end && moved < MOVED {
            let Some(contact) = self.walked(walk.slot, walk.recall) else {
                walk.slot += 1;
                continue;
            };
            let Some(c) = self.engine.contact(contact) else { continue };
            let (state, gateway) = (c.state, c.gateway);
            if let State::SelfService(_) = state {
                if gives_back && !walk.safety {
                    if self.engine.agenda.walks.tell(self.at, gateway) {
                        self.back(contact, ReturnedBecause::Ended);
                        moved += 1;
                    } else {
                        walk.left = true;
                    }
                }
            } else if walk.safety {
                moved += usize::from(self.walked_safety(contact));
            } else if !over {
                let may = self.may_overflow(contact);
                if may && !self.engine.agenda.walks.tell(self.at, gateway) {
                    // Others may be with another gateway.
                    walk.left = true;
                } else if may {
                    moved += usize::from(self.take_over(contact, Haste::InTurn));
                } else {
                    moved += usize::from(self.walked_offer(contact, &mut walk));
                    if walk.read {
                        self.read_waiting(contact, walk.recall);
                    }
                }
            }
            walk.slot += 1;
        }
        let walks = &mut self.engine.agenda.walks;
        if walk.slot < self.engine.contacts.slots() {
            if moved > 0 {
                walks.later.push((self.at + REST, walk));
            } else {
                walks.now.push_back(walk);
            }
        } else if walk.safety {
            walks.now.push_back(Walk { safety: false, slot: 0, ..walk });
        } else if walk.left {
            // Whose words were read need not be asked for them again.
            let again =
                Walk { read: false, left: false, slot: 0, offers: walk.offers.next(), ..walk };
            walks.later.push((self.at + BREATH, again));
        } else if open {
            let again = Walk { read: false, slot: 0, offers: walk.offers.next(), ..walk };
            walks.later.push((self.at + AGAIN, again));
        }
    }

    /// Offers a call to one who waits, if that is for them and there is room.
    fn walked_offer(&mut self, contact: ContactId, walk: &mut Walk) -> bool {
        if !self.may_be_offered(contact) || !walk.offers.may_look(walk.slot) {
            return false;
        }
        let gateway = self.engine.contact(contact).map(|c| c.gateway);
        let Some(offer) = self.offer_for(contact) else { return false };
        if !gateway.is_some_and(|g| self.engine.agenda.walks.tell(self.at, g)) {
            walk.left = true;
            return false;
        }
        self.offer_call(contact, offer);
        true
    }

    /// When a gateway tells one more contact that it is in self-service.
    pub(super) fn turn_of(&mut self, gateway: GatewayId) -> EngineTime {
        self.engine.agenda.walks.turn(self.at, gateway)
    }

    /// Whether a gateway may be told of one more contact now, which is counted then.
    pub(super) fn may_tell(&mut self, gateway: GatewayId) -> bool {
        self.engine.agenda.walks.tell(self.at, gateway)
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
        self.watch(contact);
        self.watch_anew(contact);
        // Where a person has put it since it came, it stays.
        let safety = |c: &super::Contact| {
            c.service == ServiceClass::Safety && c.queued == c.arrived && c.named.is_none()
        };
        if !self.engine.contact(contact).is_some_and(safety) {
            return false;
        }
        let events = self.events.len();
        self.move_to_safety(contact);
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

    /// One who comes as a recall starts may have been read before its playbook was known.
    pub(super) fn read_if_new(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact).filter(|c| c.triage.is_none()) else { return };
        let recall = self.engine.recall_at(c.entry_point);
        let new = recall.filter(|r| self.at.since(r.started) < AGAIN).map(|r| r.id);
        if let Some(recall) = new {
            self.read_waiting(contact, recall);
        }
    }

    pub(super) fn ask_words(&mut self, contact: ContactId, recall: RecallId, want: Want) -> AskId {
        let ask = AskId(self.engine.counts.last_ask + 1);
        self.emit(Event::WordsAsked { contact, ask, recall, want });
        ask
    }
}
