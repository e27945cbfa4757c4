//! What customers in self-service hear and do: press keys, accept answers, insist on a
//! person, report an injury, or hang up.
//!
//! It belongs to the gateway's task. Customers know nothing of tiers: they react to what is
//! said to them.

use super::super::PlayerError;
use super::super::customers;
use super::super::scenario::chance;
use super::{Gateway, Todo};
use crate::pb::v1::gateway_directive::{Collect, Say};
use crate::pb::v1::gateway_report::{EffectDone, Input, Report};
use crate::pb::v1::{Channel, Wish};

/// What a customer does about what they heard.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Does {
    Nothing,
    Press(&'static str),
    EntersLot,
    HangsUp,
    Writes(&'static str),
    Wants(Wish),
    AsksMore,
}

impl Gateway {
    /// A text is to be played or sent: after those before it, and it takes its time.
    pub(super) fn say(&mut self, contact: u64, say: Say) {
        let takes = match self.plan.channel {
            Channel::Voice => self.dice.between_ms(60, 160),
            _ => self.dice.between_ms(2, 10),
        };
        let now = tokio::time::Instant::now();
        let Some(held) = self.books.get_mut(&contact) else { return };
        let begins = held.speaks_until.map_or(now, |until| until.max(now));
        let ends = begins + takes;
        held.speaks_until = Some(ends);
        let effect = say.effect_id;
        self.saying.insert(effect, (contact, say));
        self.agenda.note(ends, Todo::Said(effect));
    }

    /// A text was heard to the end; withdrawn ones were not.
    pub(super) fn said(&mut self, effect_id: u64) -> Result<(), PlayerError> {
        let Some((contact, say)) = self.saying.remove(&effect_id) else { return Ok(()) };
        self.report(Report::EffectDone(EffectDone { effect_id }))?;
        let id = say.text.as_ref().map(|t| t.message_id.clone()).unwrap_or_default();
        let Some(held) = self.books.get_mut(&contact).filter(|h| h.served) else { return Ok(()) };
        held.checked |= id.starts_with("ivr.lot.");
        let checked = held.checked;
        let does = if self.plan.channel == Channel::Voice {
            self.hears(say.collect(), &id, checked)
        } else {
            self.reads(&id)
        };
        self.will(contact, does);
        Ok(())
    }

    fn will(&mut self, contact: u64, does: Does) {
        let thinks = self.dice.exponential(0.15);
        match does {
            Does::Nothing => {}
            Does::Press(keys) => self.note(thinks, Todo::Press(contact, keys.into())),
            Does::EntersLot => {
                let lot = customers::lot_keys(&mut self.dice);
                self.note(thinks, Todo::Press(contact, lot.into()));
            }
            Does::HangsUp => self.note(thinks, Todo::HangUpMenu(contact)),
            Does::Writes(words) => self.note(thinks, Todo::Say(contact, words)),
            Does::Wants(wish) => self.note(thinks, Todo::Wish(contact, wish)),
            Does::AsksMore => {
                let question = customers::question(&mut self.dice);
                self.note(thinks, Todo::Say(contact, question));
            }
        }
    }

    /// A caller has heard something of the menu.
    fn hears(&mut self, collect: Collect, id: &str, checked: bool) -> Does {
        match collect {
            Collect::Key if id == "ivr.injury" => {
                if self.dice.happens(chance::INJURED) {
                    Does::Press("1")
                } else if self.dice.happens(chance::INSISTS) {
                    Does::Press("0")
                } else {
                    Does::Press("2")
                }
            }
            Collect::Key if checked => Does::Press("0"),
            Collect::Key => {
                if self.dice.happens(chance::CHECKS) {
                    Does::Press("1")
                } else if self.dice.happens(0.5) {
                    Does::Press("2")
                } else {
                    Does::Press("0")
                }
            }
            Collect::Lot => Does::EntersLot,
            Collect::Unspecified if checked && self.dice.happens(chance::CONTENT) => Does::HangsUp,
            Collect::Unspecified => Does::Nothing,
        }
    }

    /// Somebody has read something.
    fn reads(&mut self, id: &str) -> Does {
        if id == "acknowledgement" && self.dice.happens(chance::INSISTS) {
            return Does::Writes("No machine please, I want to talk to someone.");
        }
        if !id.starts_with("faq.") {
            return Does::Nothing;
        }
        if self.dice.happens(chance::ACCEPTS) {
            Does::Wants(Wish::Solved)
        } else if self.dice.happens(0.4) {
            Does::Wants(Wish::Person)
        } else {
            Does::AsksMore
        }
    }

    pub(super) fn press(&mut self, contact: u64, keys: &str) -> Result<(), PlayerError> {
        if !self.books.get(&contact).is_some_and(|h| h.served) {
            return Ok(());
        }
        if keys == "1" && self.books.get(&contact).is_some_and(|h| !h.asked_injury) {
            // The first question is the injury question, and they said yes.
            self.bench.audit.safety(contact);
        }
        if let Some(held) = self.books.get_mut(&contact) {
            held.asked_injury = true;
        }
        let keys = keys.to_owned();
        self.report(Report::Input(Input { contact_id: contact, keys, ..Input::default() }))?;
        Ok(())
    }

    pub(super) fn wish(&mut self, contact: u64, wish: Wish) -> Result<(), PlayerError> {
        if self.books.get(&contact).is_some_and(|h| h.served) {
            let wish = wish.into();
            self.report(Report::Input(Input { contact_id: contact, wish, ..Input::default() }))?;
        }
        Ok(())
    }

    pub(super) fn says(&mut self, contact: u64, words: &str) -> Result<(), PlayerError> {
        if self.books.get(&contact).is_some_and(|h| h.served) {
            let person = Some(customers::saying(words));
            self.report(Report::Input(Input { contact_id: contact, person, ..Input::default() }))?;
        }
        Ok(())
    }
}
