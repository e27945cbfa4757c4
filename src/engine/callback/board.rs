//! What is promised by when, and how callbacks stand, by queue.
//!
//! Made from contacts and owned by the engine, which tells it who enters and who leaves. It
//! promises nothing and says nothing of waits: [`super::super::room`] does.

use std::collections::BTreeMap;

use super::{Callback, CallbackCounts, Phase, SLOT, slot_of};
use crate::engine::contact::{Contact, State};
use crate::ids::{GatewayId, QueueId, RecallId};
use crate::time::{EngineTime, Span};

/// What is promised by the end of one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Slot {
    promised: u32,
    /// Of these, who neither stands in line by its place nor has an agent.
    coming: u32,
    /// Offers of a call by then that are out.
    offered: u32,
}

/// What is promised by when, and how callbacks stand. Made from contacts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Board {
    slots: BTreeMap<(QueueId, u64), Slot>,
    counts: BTreeMap<QueueId, CallbackCounts>,
    /// Offers that are out, by recall.
    offers: BTreeMap<RecallId, u32>,
    /// Customers who are being called or about to be, by gateway.
    calling: BTreeMap<GatewayId, u32>,
}

impl Board {
    pub(crate) fn enter(&mut self, contact: &Contact) {
        self.count(contact, |n| n + 1);
    }

    pub(crate) fn leave(&mut self, contact: &Contact) {
        self.count(contact, |n| n - 1);
        // Time goes on without end: slots that nobody is promised any more are forgotten.
        let called = contact.callback.as_deref().and_then(Callback::slot);
        let offered = contact.offer().map(|offer| slot_by(offer.due));
        for slot in called.into_iter().chain(offered) {
            if self.promised(contact.queue, slot) == 0 {
                self.slots.remove(&(contact.queue, slot));
            }
        }
        if let Some(offer) = contact.offer()
            && self.offers(offer.recall) == 0
        {
            self.offers.remove(&offer.recall);
        }
        if is_called(contact) && self.calling(contact.gateway) == 0 {
            self.calling.remove(&contact.gateway);
        }
        if self.of(contact.queue) == CallbackCounts::default() {
            self.counts.remove(&contact.queue);
        }
    }

    fn count(&mut self, c: &Contact, step: impl Fn(u32) -> u32) {
        if let Some(offer) = c.offer() {
            let slot = self.slots.entry((c.queue, slot_by(offer.due))).or_default();
            slot.offered = step(slot.offered);
            let offers = self.offers.entry(offer.recall).or_default();
            *offers = step(*offers);
        }
        let Some(callback) = c.callback.as_deref().filter(|cb| cb.is_silent()) else { return };
        if callback.is_open()
            && let Some(slot) = callback.slot()
        {
            let slot = self.slots.entry((c.queue, slot)).or_default();
            slot.promised = step(slot.promised);
            if is_coming(c, callback) {
                slot.coming = step(slot.coming);
            }
        }
        if is_called(c) {
            let calling = self.calling.entry(c.gateway).or_default();
            *calling = step(*calling);
        }
        let counts = self.counts.entry(c.queue).or_default();
        let count = match (c.state, callback.phase) {
            (State::Reserved { .. }, _) => &mut counts.reserved,
            (State::Connecting { .. }, _) => &mut counts.dialling,
            (_, Phase::Exhausted(_)) => &mut counts.exhausted,
            (_, Phase::Held { .. } | Phase::OffHours { .. }) => &mut counts.held,
            (_, Phase::Patient { .. }) => &mut counts.patient,
            _ => &mut counts.pressing,
        };
        *count = step(*count);
    }

    /// How many of a queue are promised by the end of a slot, or are being offered it.
    pub(crate) fn promised(&self, queue: QueueId, slot: u64) -> u32 {
        self.slots.get(&(queue, slot)).map_or(0, |slot| slot.promised + slot.offered)
    }

    /// How many of a queue are being offered a call by the end of a slot.
    pub(crate) fn offered(&self, queue: QueueId, slot: u64) -> u32 {
        self.slots.get(&(queue, slot)).map_or(0, |slot| slot.offered)
    }

    /// Offers of a recall that are out.
    pub(crate) fn offers(&self, recall: RecallId) -> u32 {
        self.offers.get(&recall).copied().unwrap_or_default()
    }

    /// Customers whom a gateway is calling, or is about to.
    pub(crate) fn calling(&self, gateway: GatewayId) -> u32 {
        self.calling.get(&gateway).copied().unwrap_or_default()
    }

    /// Whether any offer is out.
    pub(crate) fn any_offers(&self) -> bool {
        !self.offers.is_empty()
    }

    /// How many of these stand neither in line by their places nor have an agent.
    pub(crate) fn coming(&self, queue: QueueId, slot: u64) -> u32 {
        self.slots.get(&(queue, slot)).map_or(0, |slot| slot.coming)
    }

    /// How many of them are promised by the end of a slot or of an earlier one. One who asks
    /// is not told of itself.
    pub(crate) fn coming_until(&self, queue: QueueId, slot: u64, but: Option<&Contact>) -> u32 {
        let all: u32 = self.slots.range((queue, 0)..=(queue, slot)).map(|(_, s)| s.coming).sum();
        let own = but.filter(|c| c.queue == queue).is_some_and(|c| {
            c.silent().is_some_and(|cb| is_coming(c, cb) && cb.slot().is_some_and(|s| s <= slot))
        });
        all.saturating_sub(u32::from(own))
    }

    /// About how many of them are promised by a time that is to come, those of one slot spread
    /// evenly over what is left of it.
    pub(crate) fn coming_by(&self, queue: QueueId, by: EngineTime, at: EngineTime) -> f64 {
        let last = slot_of(by);
        let earlier = last.checked_sub(1).map(|slot| self.coming_until(queue, slot, None));
        let begins = EngineTime(last.saturating_mul(SLOT.0)).max(at);
        let ends = EngineTime(last.saturating_add(1).saturating_mul(SLOT.0));
        let part = by.since(begins).as_secs_f64() / ends.since(begins).as_secs_f64().max(1.0);
        f64::from(earlier.unwrap_or_default()) + f64::from(self.coming(queue, last)) * part.min(1.0)
    }

    pub(crate) fn of(&self, queue: QueueId) -> CallbackCounts {
        self.counts.get(&queue).copied().unwrap_or_default()
    }
}

/// The slot by whose end something is due.
fn slot_by(due: EngineTime) -> u64 {
    slot_of(due - Span(1))
}

/// An agent is asked or kept for a customer who is not on the line yet.
fn is_called(c: &Contact) -> bool {
    c.silent().is_some() && matches!(c.state, State::Reserved { .. } | State::Connecting { .. })
}

/// It is still to come: nobody who counts those in line by their places has counted it.
fn is_coming(c: &Contact, callback: &Callback) -> bool {
    let later = matches!(
        callback.phase,
        Phase::Held { .. } | Phase::OffHours { .. } | Phase::Patient { .. }
    );
    c.state == State::CallbackDue && later
}
