//! People in the tiers of a recall: what they do in self-service, what they answer when they are
//! offered a call, and whether anybody is wronged by it.
//!
//! The other things that people do are in `people`.

use rand::RngExt;

use super::world::{Happening, Todo, World};
use crate::engine::command::{Heard, Report};
use crate::engine::event::{Arrived, CallbackPromised};
use crate::engine::recall::{Choice, Heed, LotVerdict, Step, Tier, TriageClass, Wish};
use crate::engine::words::Keys;
use crate::ids::{ContactId, EffectId, RecallId};

/// How long one in self-service goes on who was not answered yet, seconds.
const A_MOMENT: f64 = 5.0;
/// A lot that no product has.
const ANY_LOT: &str = "12345678#";

impl World<'_> {
    /// One is offered a call.
    pub(super) fn offered(&mut self, contact: ContactId, effect: EffectId) {
        self.enters(contact, Tier::Callback);
        let Some(stream) = self.people.get(&contact).map(|p| p.stream) else { return };
        let accepts = self.scenario.streams[usize::from(stream)].accepts;
        let wanted = accepts > 0.0 && self.dice.random_bool(accepts);
        self.todos.push_back(Todo::Answer(contact, effect, wanted));
    }

    /// One is promised a call: nobody is on the line whose patience could end.
    pub(super) fn promised(&mut self, promised: &CallbackPromised) {
        let Some(person) = self.people.get_mut(&promised.contact) else { return };
        person.turn += 1;
        person.due = promised.callback.due;
        person.estimate = None;
        let person = *person;
        if person.counted {
            self.queue_of(&person).promised += 1;
        }
    }

    /// A tier takes one over, or makes them an offer: once, or something is wrong.
    pub(super) fn enters(&mut self, contact: ContactId, tier: Tier) {
        let Some(person) = self.people.get_mut(&contact) else { return };
        let bit = 1 << tier.index();
        self.tally.tiers.twice += u64::from(person.tiers & bit != 0);
        person.tiers |= bit;
    }

    /// Nobody stands further back than they did.
    pub(super) fn stands(&mut self, contact: ContactId) {
        let place = self.engine.contact(contact).map(|c| c.place);
        let Some((person, place)) = self.people.get_mut(&contact).zip(place) else { return };
        self.tally.tiers.set_back += u64::from(person.place.is_some_and(|was| place > was));
        person.place = Some(place);
    }

    /// A tier took one over: they will hear what it has to say, and decide.
    pub(super) fn diverted(&mut self, contact: ContactId) {
        let Some(person) = self.people.get_mut(&contact) else { return };
        person.turn += 1;
        let (stream, turn) = (person.stream, person.turn);
        let stay = self.scenario.streams[usize::from(stream)].self_service.as_ref();
        // Nothing is said of those of other streams: they want a person.
        let (contained, after) = stay.map_or((false, 0.0), |stay| {
            (self.dice.random_bool(stay.contained), stay.lasting.draw(&mut self.dice))
        });
        let hurt = stay.map_or(0.0, |stay| stay.hurt);
        person.says_hurt = hurt > 0.0 && self.dice.random_bool(hurt);
        person.contained = contained;
        person.estimate = None;
        self.after(after, Happening::Decides(contact, turn));
    }

    pub(super) fn returned(&mut self, contact: ContactId) {
        let Some(person) = self.people.get_mut(&contact) else { return };
        person.turn += 1;
        let law = self.scenario.streams[usize::from(person.stream)].patience.as_ref();
        person.patience = law.map(|law| law.draw(&mut self.dice));
        let person = *person;
        self.has_patience(contact, person);
    }

    /// One who fell silent in self-service goes on as another contact.
    pub(super) fn goes_on(&mut self, arrived: &Arrived) {
        let before = arrived.continues.and_then(|c| self.people.get(&c)).copied();
        if let Some(person) = before {
            let mut person = person;
            person.turn += 1;
            // What was answered has had its turn: the rest of it stands behind those who wait.
            person.place = None;
            self.people.insert(arrived.contact, person);
            self.has_patience(arrived.contact, person);
        }
    }

    /// One in self-service has heard enough: it did for them, or they want a person.
    pub(super) fn decides(&mut self, contact: ContactId, turn: u32) {
        let Some(person) = self.people.get(&contact).copied().filter(|p| p.turn == turn) else {
            return;
        };
        let Some(s) = self.engine.contact(contact).and_then(|c| c.self_service()) else { return };
        let unheard = s.tier == Tier::Faq && s.answers == 0;
        if person.says_hurt && !matches!(s.step, Step::Entering { .. }) {
            self.says_hurt(contact, s.tier, s.recall);
        } else if !person.contained {
            self.hears(contact, Heard { wish: Some(Wish::Person), ..Heard::default() });
        } else if unheard || matches!(s.step, Step::Entering { .. }) {
            self.after(A_MOMENT, Happening::Decides(contact, turn));
        } else if s.tier == Tier::Faq {
            if let Some(person) = self.people.get_mut(&contact) {
                person.word = true;
            }
            self.hears(contact, Heard { wish: Some(Wish::Solved), ..Heard::default() });
        } else {
            self.goes_through_menu(contact, s.recall);
        }
    }

    /// Somebody is hurt: in the menu there is a key for it, elsewhere they say so.
    fn says_hurt(&mut self, contact: ContactId, tier: Tier, recall: RecallId) {
        let menu = self.engine.recall(recall).and_then(|r| r.plan.ivr.as_ref());
        match menu.map(|menu| menu.yes).filter(|_| tier == Tier::Ivr) {
            Some(yes) => self.presses(contact, yes, None),
            None => {
                let heed = Some(Heed { recall, class: TriageClass::Safety });
                self.hears(contact, Heard { words: true, heed, ..Heard::default() });
            }
        }
    }

    /// Nobody is hurt; the answer, or else the check; and that was all.
    fn goes_through_menu(&mut self, contact: ContactId, recall: RecallId) {
        let Some(menu) = self.engine.recall(recall).and_then(|r| r.plan.ivr.clone()) else {
            return;
        };
        let is = |wanted: fn(&Choice) -> bool| menu.options.iter().find(|(_, c)| wanted(c));
        let answer = is(|c| matches!(c, Choice::Faq(_)));
        let Some((key, choice)) = answer.or_else(|| is(|c| *c == Choice::LotCheck)).copied() else {
            return self.hears(contact, Heard { wish: Some(Wish::Person), ..Heard::default() });
        };
        self.presses(contact, menu.no, None);
        self.presses(contact, key, None);
        if choice == Choice::LotCheck {
            let (keys, lot) = (Some(Keys::from(ANY_LOT)), Some(LotVerdict::NotAffected));
            self.hears(contact, Heard { keys, lot, ..Heard::default() });
        }
        let left = self.report(Report::CustomerLeft(contact));
        self.act(&left);
    }

    /// A customer presses keys or says what they want.
    pub(super) fn hears(&mut self, contact: ContactId, heard: Heard) {
        let command = self.report(Report::Input { contact, heard });
        self.act(&command);
    }

    /// A customer presses keys.
    pub(super) fn presses(&mut self, contact: ContactId, key: u8, lot: Option<LotVerdict>) {
        let keys = Some(Keys::from(char::from(key).to_string()));
        self.hears(contact, Heard { keys, lot, ..Heard::default() });
    }
}
