//! Consults: a linked child contact with a second agent, and what becomes of it.

use std::sync::Arc;

use super::super::agent::Presence;
use super::super::command::{Reply, Target};
use super::super::contact::State;
use super::super::event::{EffectKind, Event, Queued, Settled};
use super::super::participant::OffBecause;
use super::super::refusal::Refusal;
use super::super::stage::Stage;
use super::super::words::{Channel, EndReason, Named, QueuedBecause};
use super::Turn;
use crate::ids::{AgentId, ContactId};
use crate::time::EngineTime;

impl Turn<'_> {
    /// Another agent, who must be there, as the one a contact is kept for.
    pub(super) fn colleague(
        &self,
        agent: AgentId,
        other: AgentId,
        channel: Channel,
    ) -> Result<Named, Refusal> {
        if other == agent {
            return Err(Refusal::SameAgent(self.engine.routing.agent_name(other).into()));
        }
        self.kept_by(other, channel)
    }

    /// An agent, who must be there and take such contacts, as the one a contact is kept for.
    pub(super) fn kept_by(&self, agent: AgentId, channel: Channel) -> Result<Named, Refusal> {
        let profile = self.engine.routing.agent(agent).filter(|p| !p.retired);
        let profile = profile.ok_or(Refusal::NoSuchAgent(agent))?;
        if profile.capacity[channel.index()] == 0 {
            let expected = "an agent who takes contacts of this channel";
            return Err(Refusal::OutOfRange { field: "agent", expected });
        }
        self.named(agent).ok_or_else(|| Refusal::AgentNotConnected(Arc::clone(&profile.name)))
    }

    pub(super) fn consult(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        to: Target,
    ) -> Result<Reply, Refusal> {
        self.in_hand(agent, contact)?;
        let c = self.contact(contact)?;
        if c.parent.is_some() || c.consult.is_some() {
            return Err(Refusal::ConsultOpen(contact));
        }
        let queued = match to {
            Target::Queue(queue) => self.moved_to(c, queue, QueuedBecause::Consult),
            Target::Agent(other) => {
                let named = Some(self.colleague(agent, other, c.channel)?);
                Queued { named, ..self.requeued(c, QueuedBecause::Consult) }
            }
        };
        self.check_target(c.channel, &queued)?;
        let pass_over = Some(super::Excluded { agent, until: crate::time::EngineTime(u64::MAX) });
        let child = ContactId(self.engine.counts.accepted + 1);
        self.emit(Event::ConsultStarted { parent: contact, child, agent });
        // Nobody waits at the other end who could be sent elsewhere or told anything.
        // Partners are there for customers.
        let (mut pools, raised) = (queued.stage.pools.clone(), queued.stage.raised);
        let partners = &self.engine.routing.partners;
        pools.retain(|p| !partners.contains(p));
        let stage = Stage { entered: self.at, pools, raised, ..Stage::default() };
        self.emit(Event::Queued(Queued { contact: child, pass_over, stage, ..queued }));
        self.offer_contact(child);
        Ok(Reply::Contact(child))
    }

    pub(super) fn complete_consult(
        &mut self,
        agent: AgentId,
        contact: ContactId,
    ) -> Result<(), Refusal> {
        self.in_hand(agent, contact)?;
        let c = self.contact(contact)?;
        let child = c.consult.ok_or(Refusal::NoConsult(contact))?;
        let State::Assigned { agent: to, .. } = self.contact(child)?.state else {
            return Err(Refusal::NoConsult(contact));
        };
        let present = |a: &super::super::agent::Agent| a.presence != Presence::Absent;
        if !self.engine.agent(to).is_some_and(present) {
            return Err(Refusal::NoConsult(contact));
        }
        let wrap_up = self.wrap_up(c.queue);
        self.hand_over(contact, child, agent, to, wrap_up);
        Ok(())
    }

    /// A contact goes from its owner to the second agent of its consult, which is over then.
    pub(super) fn hand_over(
        &mut self,
        contact: ContactId,
        child: ContactId,
        agent: AgentId,
        to: AgentId,
        wrap_up: Option<EngineTime>,
    ) {
        let Some(c) = self.engine.contact(contact) else { return };
        let (voice, gateway) = (c.channel == Channel::Voice, c.gateway);
        self.colleague_off(contact, OffBecause::Owner);
        self.everyone_off(child);
        self.settle_effects(child, Settled::Withdrawn, super::is_connect);
        let earlier = |kind| matches!(kind, EffectKind::HandOver { .. });
        self.settle_effects(contact, Settled::Withdrawn, earlier);
        self.emit(Event::Closed {
            contact: child,
            gateway,
            consult_of: Some(contact),
            reason: EndReason::ConsultCompleted,
            agent: Some(to),
            wrap_up: None,
        });
        self.emit(Event::HandedOver { contact, from: agent, to, wrap_up });
        if voice {
            self.ask_effect(contact, EffectKind::HandOver { to });
        }
        self.agent_freed(agent);
    }

    pub(super) fn cancel_consult(
        &mut self,
        agent: AgentId,
        contact: ContactId,
    ) -> Result<(), Refusal> {
        self.in_hand(agent, contact)?;
        let child = self.contact(contact)?.consult.ok_or(Refusal::NoConsult(contact))?;
        self.close(child, EndReason::ConsultCancelled);
        Ok(())
    }

    /// A contact that goes elsewhere takes no consult along.
    pub(super) fn drop_consult(&mut self, contact: ContactId) {
        if let Some(child) = self.engine.contact(contact).and_then(|c| c.consult) {
            self.close(child, EndReason::ConsultCancelled);
        }
    }
}
