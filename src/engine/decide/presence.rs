//! Before an agent is given a chat that fell silent, its customer is asked if they are there.
//!
//! Silent chats stand in lines of their own at their places. The one whose turn it is, or comes
//! next, is asked; until it answers it stands nowhere, and the agent goes on to others. Whoever
//! says something is back at their place. Never for calls, letters, or contacts about safety.

use super::super::care::{Liveness, Silence};
use super::super::contact::{Contact, State};
use super::super::event::{EffectKind, Event, PresenceAsked, Settled, WentSilent};
use super::super::floor::Stand;
use super::super::words::EndReason;
use super::Turn;
use crate::ids::{AgentId, ContactId};
use crate::time::Span;

impl Turn<'_> {
    fn liveness(&self, c: &Contact) -> Option<Liveness> {
        self.queue_of(c.queue)?.care.liveness
    }

    /// Asks the customer of a silent chat on an agent's account. Where that cannot be done they
    /// are taken to be there: nobody is lost because a gateway cannot ask.
    pub(super) fn ask_presence(&mut self, contact: ContactId, agent: AgentId) {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact) else { return };
        let says = engine.gateway(c.gateway).is_some_and(|g| g.limits.says);
        let language = c.language;
        match self.liveness(c).filter(|_| says && engine.is_attached(c)) {
            Some(liveness) => {
                let until = self.at + liveness.answer_within;
                self.emit(Event::PresenceAsked(PresenceAsked { contact, agent, until }));
                self.ask_effect(contact, EffectKind::AskPresence(language));
            }
            None => self.emit(Event::PresenceAssumed(contact)),
        }
    }

    /// Looks for an agent on whose account the customer of a silent chat in line is asked.
    pub(super) fn ask_for(&mut self, contact: ContactId) {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact) else { return };
        let stand = engine.stand_of(contact);
        let busy = |agent| engine.floor.asks_enough(agent);
        let last = self.last_agent(c, stand).filter(|(agent, _)| !busy(*agent));
        let agent = last.map(|(agent, _)| agent).or_else(|| {
            let not = |c, agent| engine.passes_over(c, agent) || busy(agent);
            let is_let = |apart, partner| engine.is_let(apart, partner, self.at);
            engine.floor.agent_for(c, stand, 0, not, is_let).map(|(_, agent)| agent)
        });
        if let Some(agent) = agent {
            self.ask_presence(contact, agent);
            // Where it could not be asked it is offered.
            if self.engine.contact(contact).is_some_and(|c| c.care.asked_for().is_none()) {
                self.offer_contact(contact);
            }
        }
    }

    /// An agent takes one who stood here: who comes next is asked ahead, if they are silent.
    pub(super) fn ask_next(&mut self, stand: Stand, agent: AgentId) {
        let engine = &*self.engine;
        let next = engine.floor.next_silent(stand).filter(|_| !engine.floor.asks_enough(agent));
        let attached = |id: &ContactId| engine.contact(*id).is_some_and(|c| engine.is_attached(c));
        if let Some(next) = next.filter(attached) {
            self.ask_presence(next, agent);
        }
    }

    /// A customer has said nothing for so long that they are to be asked, or did not answer.
    pub(super) fn silence_due(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        let (liveness, attached) = (self.liveness(c), self.engine.is_attached(c));
        match c.care.silence {
            Silence::None => {
                self.emit(Event::FellSilent(contact));
                self.offer_contact(contact);
            }
            // While their gateway is gone nobody can answer.
            Silence::Asked { .. } if !attached => self.emit(Event::PresenceAssumed(contact)),
            Silence::Asked { .. } => self.went_silent(contact, liveness.map(|l| l.keep)),
            Silence::Fell | Silence::Gone => {}
        }
    }

    fn went_silent(&mut self, contact: ContactId, keep: Option<Span>) {
        self.no_longer_asked(contact);
        match keep.filter(|keep| *keep > Span::ZERO) {
            Some(keep) => {
                self.emit(Event::WentSilent(WentSilent { contact, until: self.at + keep }))
            }
            None => self.close(contact, EndReason::GoneSilent),
        }
    }

    pub(super) fn no_longer_asked(&mut self, contact: ContactId) {
        let asks = |kind| matches!(kind, EffectKind::AskPresence(_));
        self.settle_effects(contact, Settled::Withdrawn, asks);
    }

    /// The customer of a contact has said something: if they were silent it is back in line.
    pub(super) fn is_there(&mut self, contact: ContactId) {
        let counts = |c: &Contact| c.care.silent_after.is_some() && c.state == State::Queued;
        if self.engine.contact(contact).is_some_and(counts) {
            self.no_longer_asked(contact);
            self.offer_contact(contact);
        }
    }

    /// A gateway could not ask: the chat is offered as it is.
    pub(super) fn cannot_ask(&mut self, contact: ContactId) {
        if self.engine.contact(contact).is_some_and(|c| c.care.asked_for().is_some()) {
            self.emit(Event::PresenceAssumed(contact));
            self.offer_contact(contact);
        }
    }

    /// What a pending contact waited for did not come in time: it goes on, unless its customer
    /// had fallen silent before anyone answered.
    pub(super) fn waited_enough(&mut self, contact: ContactId) {
        let gone = |c: &Contact| c.care.silence == Silence::Gone;
        if self.engine.contact(contact).is_some_and(gone) {
            self.close(contact, EndReason::GoneSilent);
        } else {
            self.wake(contact);
        }
    }
}
