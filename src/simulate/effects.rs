//! What a gateway is asked to do, done as a gateway would: it connects, says, calls, and sends
//! customers to numbers outside, which may take a while to answer or not answer at all.
//!
//! Who is hurt is counted here too: from when they say so until a person has them.

use rand::RngExt;

use super::people::Person;
use super::scenario::to_span;
use super::world::{Happening, Todo, World};
use crate::engine::command::Report;
use crate::engine::contact::Contact;
use crate::engine::event::EffectKind;
use crate::engine::recall::{Heed, Text, TriageClass};
use crate::engine::words::ServiceClass;
use crate::ids::{ContactId, EffectId};
use crate::time::{EngineTime, Span};

/// What a gateway says of a number outside that did not answer.
const BUSY: u16 = 486;

/// Since when somebody is known to be hurt, and how soon a person should have them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hurt {
    since: EngineTime,
    target: Span,
}

impl World<'_> {
    /// A gateway is asked to do something.
    pub(super) fn asked(&mut self, contact: ContactId, effect: EffectId, kind: EffectKind) {
        match kind {
            EffectKind::Connect { reservation, .. } => {
                self.todos.push_back(Todo::Bridge(reservation));
            }
            // Heard to the end when they decide; everything else is said in no time.
            EffectKind::Say(say) if say.text == Text::Injury => {}
            EffectKind::Dial { reservation, .. } => {
                self.todos.push_back(Todo::Call(effect, reservation));
            }
            EffectKind::OfferCallback(_) => {
                self.told(contact);
                self.offered(contact, effect);
            }
            EffectKind::Forward { .. } | EffectKind::Outside(_) => {
                self.rings_outside(contact, effect);
            }
            EffectKind::Say(_) | EffectKind::Announce(_) => {
                self.told(contact);
                self.todos.push_back(Todo::Say(effect));
            }
            _ => self.todos.push_back(Todo::Say(effect)),
        }
    }

    /// Something was said to one.
    pub(super) fn told(&mut self, contact: ContactId) {
        if let Some(person) = self.people.get_mut(&contact) {
            person.told = true;
        }
    }

    fn rings_outside(&mut self, contact: ContactId, effect: EffectId) {
        let law = self.scenario.outside.after.as_ref();
        let after = law.map_or(0.0, |law| law.draw(&mut self.dice));
        self.at(self.now + to_span(after), Happening::RangOutside(contact, effect));
    }

    /// A number outside has answered, or will not. Who gave up meanwhile hears nothing of it.
    pub(super) fn rang_outside(&mut self, contact: ContactId, effect: EffectId) {
        let asks = |c: &Contact| c.effects.iter().any(|(e, _)| *e == effect);
        if !self.engine.contact(contact).is_some_and(asks) {
            return;
        }
        let takes = self.scenario.outside.takes;
        let report = match takes >= 1.0 || self.dice.random_bool(takes) {
            true => Report::EffectDone(effect),
            false => Report::EffectFailed { effect, code: BUSY },
        };
        let command = self.report(report);
        self.act(&command);
    }

    /// Who turned out to be hurt, by their words or by where they came in, is counted from now.
    pub(super) fn is_hurt_or_not(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        if c.service != ServiceClass::Safety {
            return;
        }
        let target = self.scenario.routing.queue(c.queue).map_or(Span::ZERO, |q| q.target);
        let since = self.now;
        if let Some(person) = self.people.get_mut(&contact) {
            person.hurt.get_or_insert(Hurt { since, target });
        }
    }

    /// What was found out about one who may be hurt.
    pub(super) fn triaged(&mut self, contact: ContactId, heed: Heed) {
        if heed.class == TriageClass::Safety {
            self.is_hurt_or_not(contact);
        }
    }

    /// One who is hurt has a person, here or outside, or went without one.
    pub(super) fn hurt_until_now(&mut self, person: &Person, reached: bool) {
        let Some(hurt) = person.hurt.filter(|_| person.counted) else { return };
        let waited = self.now.since(hurt.since);
        let queue = self.queue_of(person);
        queue.hurt += 1;
        // Who hangs up sooner than anybody promised to be there was not failed by anybody.
        if reached || waited > hurt.target {
            queue.hurt_due += 1;
            queue.hurt_in_target += u64::from(reached && waited <= hurt.target);
            queue.hurt_longest = queue.hurt_longest.max(waited);
        }
    }
}
