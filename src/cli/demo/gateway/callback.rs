//! Callers who are asked whether they would rather be called, and their calls.
//!
//! It belongs to the gateway's task. A caller who wants it hangs up at once, and is hardly ever
//! on the telephone when the call comes.

use super::super::PlayerError;
use super::super::scenario::chance;
use super::{Gateway, Todo};
use crate::pb::v1::gateway_directive::Dial;
use crate::pb::v1::gateway_report::{Bridged, DialResult, OfferResult, Report};
use crate::pb::v1::{DialOutcome, Person};

/// Where everybody in the demo can be called: a number that belongs to nobody.
const NUMBER: &str = "+1 555 0142";

impl Gateway {
    /// A caller is asked, and thinks about it.
    pub(super) fn asks(&mut self, contact: u64, effect: u64) {
        self.bench.audit.count(|c| c.asked += 1);
        self.asked.insert(effect, contact);
        let thinks = self.dice.between_ms(100, 600);
        self.note(thinks, Todo::Choose(effect));
    }

    /// A caller has made up their mind, unless somebody answered them meanwhile.
    pub(super) fn choose(&mut self, effect_id: u64) -> Result<(), PlayerError> {
        let Some(contact_id) = self.asked.remove(&effect_id) else { return Ok(()) };
        if !self.books.contains_key(&contact_id) {
            return Ok(());
        }
        let accepted = self.dice.happens(chance::CALL_ME);
        let person = accepted.then(|| Person { address: NUMBER.to_owned(), ..Person::default() });
        let number_confirmed = accepted;
        self.report(Report::OfferResult(OfferResult {
            effect_id,
            contact_id,
            accepted,
            number_confirmed,
            person,
        }))?;
        Ok(())
    }

    /// They are told so, once, and hang up. Their patience is no longer asked for.
    pub(super) fn will_be_called(&mut self, contact: u64) -> Result<(), PlayerError> {
        if self.is_to_be_called(contact) { self.leave(contact, false) } else { Ok(()) }
    }

    /// A customer is called, and the agent who is kept for them. Where an agent is free at once
    /// this is the first that is heard of the call.
    pub(super) fn dial(&mut self, contact: u64, dial: &Dial) {
        self.is_to_be_called(contact);
        self.effects.dial(dial.effect_id, contact, dial.reservation_id);
        let rings = self.dice.between_ms(40, 200);
        self.note(rings, Todo::PickUp(dial.effect_id));
    }

    /// Whether it is new that this customer waits for a call.
    fn is_to_be_called(&mut self, contact: u64) -> bool {
        let Some(held) = self.books.get_mut(&contact).filter(|h| !h.called) else { return false };
        held.called = true;
        held.waits += 1;
        self.bench.audit.count(|c| c.wanted += 1);
        true
    }

    /// The phone was answered, or is engaged: what is tried again later.
    pub(super) fn pick_up(&mut self, effect_id: u64) -> Result<(), PlayerError> {
        let Some(effect) = self.effects.take(effect_id) else { return Ok(()) };
        let engaged = self.dice.happens(chance::ENGAGED);
        let (outcome, code) =
            if engaged { (DialOutcome::Busy, 486) } else { (DialOutcome::Answered, 200) };
        let outcome = outcome.into();
        self.report(Report::DialResult(DialResult { effect_id, outcome, code }))?;
        if !engaged {
            let again = self
                .books
                .get_mut(&effect.contact())
                .is_none_or(|h| std::mem::replace(&mut h.reached, true));
            self.bench.audit.count(|c| c.called_back += u64::from(!again));
            let reservation_id = effect.reservation();
            self.report(Report::Bridged(Bridged { reservation_id }))?;
        }
        Ok(())
    }
}
