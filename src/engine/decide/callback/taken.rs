//! Calls that are taken from the agent for whom they are made, and numbers that turn out not to
//! be the customer's.
//!
//! A phone that may ring by now does not stop and ring again at once for somebody else: a call
//! that is taken back is one that did not get through, and comes again after as long.

use crate::engine::callback::{DialMode, DialOutcome, Exhausted, Phase};
use crate::engine::contact::{Contact, State};
use crate::engine::decide::{Turn, is_connect};
use crate::engine::event::{Dialled, EffectKind, Event, NumberConfirmed, Settled};
use crate::engine::promise::{Of, Promise, Stage};
use crate::engine::words::Channel;
use crate::ids::ContactId;

impl Turn<'_> {
    /// Whether its customer is being called, and has not answered.
    pub(in crate::engine::decide) fn may_ring(&self, contact: ContactId) -> bool {
        let dialled = |c: &Contact| matches!(c.state, State::Connecting { .. });
        self.engine.contact(contact).is_some_and(|c| dialled(c) && c.silent().is_some())
    }

    /// As [`Self::may_ring`], by a gateway that calls the customer before the agent.
    pub(in crate::engine::decide) fn rings_first(&self, contact: ContactId) -> bool {
        self.may_ring(contact) && self.is_unasked(contact)
    }

    /// Whether its customer is called, or was, for an agent who was not asked.
    pub(in crate::engine::decide) fn is_unasked(&self, contact: ContactId) -> bool {
        let unasked = |kind: EffectKind| {
            matches!(kind, EffectKind::Dial { mode: DialMode::CustomerFirst, .. })
        };
        let c = self.engine.contact(contact);
        c.is_some_and(|c| c.effects.iter().any(|(_, kind)| unasked(*kind)))
    }

    /// A contact has no agent any more: somebody else, but not for one whose phone was `ringing`
    /// when it lost them.
    pub(in crate::engine::decide) fn offer_unless_rung(
        &mut self,
        contact: ContactId,
        ringing: bool,
    ) {
        if !ringing {
            return self.offer_contact(contact);
        }
        let outcome = DialOutcome::Congestion;
        self.emit(Event::Dialled(Dialled { contact, outcome, code: 0 }));
        self.try_again(contact, outcome);
    }

    /// Takes a contact from an agent who cannot be joined to it.
    pub(in crate::engine::decide) fn give_back_connecting(&mut self, contact: ContactId) {
        let (by_name, ringing) = (self.asks_by_name(contact), self.may_ring(contact));
        self.withdraw(contact);
        if ringing {
            self.offer_unless_rung(contact, ringing);
        } else {
            self.offer_again(contact, by_name);
        }
    }

    /// A customer's number is theirs, or is not. Nobody is called at one that is not. Tells
    /// whether that is news.
    pub(super) fn number_is(&mut self, contact: ContactId, confirmed: bool) -> bool {
        let Some(c) = self.engine.contact(contact) else { return false };
        let invalid = Phase::Exhausted(Exhausted::Invalid);
        let dialled = c.silent().is_some_and(|cb| cb.phase == invalid);
        if c.callable == confirmed && !(confirmed && dialled) {
            if confirmed {
                // Another number may ride with it.
                self.emit(Event::NumberConfirmed(NumberConfirmed { contact, confirmed }));
            }
            return false;
        }
        let phase = c.silent().map(|cb| cb.phase);
        self.emit(Event::NumberConfirmed(NumberConfirmed { contact, confirmed }));
        for p in self.engine.owed.made_in(contact) {
            if p.of.channel == Channel::Voice
                && matches!(p.stage, Stage::Waiting { .. } | Stage::Talking)
            {
                let of = Of { callable: confirmed, ..p.of };
                self.emit(Event::PromiseSet(Promise { of, ..p }));
            }
        }
        match phase {
            None => {}
            // Another number is known: it goes on where it stood.
            Some(phase) if confirmed && phase == invalid => {
                self.steps_to(contact, Phase::Held { until: self.at });
                self.callback_due(contact);
            }
            Some(_) if confirmed => {}
            Some(_) => {
                let freed = self.withdraw(contact);
                self.settle_effects(contact, Settled::Withdrawn, is_connect);
                self.steps_to(contact, invalid);
                if let Some(agent) = freed {
                    self.agent_freed(agent);
                }
            }
        }
        true
    }
}
