//! Who comes onto a contact beside its owner, and who leaves it: supervisors who listen,
//! whisper or come in, conferences, people outside.
//!
//! Nobody owns a contact by being on it. The owner's part ends with the contact, or by handing
//! it to the colleague who is on it; it never ends under others who talk with the customer.

use std::sync::Arc;

use super::super::agent::{Agent, Presence};
use super::super::contact::{Contact, State};
use super::super::event::{EffectKind, Event, ParticipantNews, Settled};
use super::super::participant::{MOST_PARTICIPANTS, OffBecause, Part, ParticipantStep, Who};
use super::super::refusal::Refusal;
use super::super::routing::Name;
use super::super::words::Channel;
use super::Turn;
use crate::ids::{AgentId, ContactId, EffectId, GatewayId};

impl Turn<'_> {
    /// Makes one conversation of a contact and its consult.
    pub(super) fn conference(&mut self, agent: AgentId, contact: ContactId) -> Result<(), Refusal> {
        self.in_hand(agent, contact)?;
        let consult = self.contact(contact)?.consult.ok_or(Refusal::NoConsult(contact))?;
        let State::Assigned { agent: second, .. } = self.contact(consult)?.state else {
            return Err(Refusal::NoConsult(contact));
        };
        if self.contact(contact)?.participants.colleague().is_some() {
            return Ok(());
        }
        self.check_live(contact)?;
        self.bring(contact, Who::Colleague { consult, agent: second }, Part::Talks, true);
        Ok(())
    }

    /// Brings somebody who is no agent onto a call.
    pub(super) fn add_participant(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        name: &Name,
    ) -> Result<(), Refusal> {
        self.owned(agent, contact)?;
        check_name("name", name)?;
        self.check_live(contact)?;
        if self.contact(contact)?.channel != Channel::Voice {
            let (is, expected) = ("a chat", "a call");
            return Err(Refusal::WrongState { contact, is, expected });
        }
        self.bring(contact, Who::Outside(Arc::clone(name)), Part::Talks, true);
        Ok(())
    }

    /// Takes somebody off whom the owner brought on.
    pub(super) fn drop_participant(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        participant: u16,
    ) -> Result<(), Refusal> {
        self.owned(agent, contact)?;
        let on = self.contact(contact)?.participants.get(participant);
        match on.map(|p| p.who.clone()) {
            None => Err(Refusal::NoSuchParticipant { contact, participant }),
            Some(Who::Supervisor(_)) => Err(Refusal::NotYourContact(contact)),
            Some(Who::Outside(_)) => {
                self.off(contact, participant, OffBecause::Asked);
                Ok(())
            }
            Some(Who::Colleague { .. }) => self.cancel_consult(agent, contact),
        }
    }

    /// A supervisor listens, whispers or comes in, or changes from one to another.
    pub(super) fn listen(
        &mut self,
        contact: ContactId,
        listener: &Name,
        part: Part,
        why: &Arc<str>,
    ) -> Result<(), Refusal> {
        check_name("listener", listener)?;
        let c = self.contact(contact)?;
        let State::Assigned { agent, .. } = c.state else {
            let is = c.state.kind().name();
            return Err(Refusal::WrongState { contact, is, expected: "assigned" });
        };
        if self.engine.routing.agent_name(agent) == &**listener {
            return Err(Refusal::SameAgent(Arc::clone(listener)));
        }
        if let Some(p) = c.participants.supervisor(listener) {
            let (participant, asked) = (p.id, self.asked_part(c, p.id));
            if asked.unwrap_or(p.part) != part {
                self.order(why);
                self.withdraw_join(contact, participant);
                self.ask_effect(contact, EffectKind::Join { participant, part });
            }
            return Ok(());
        }
        self.check_live(contact)?;
        let told = part != Part::Listens || self.engine.routing.settings.tell_listening;
        self.order(why);
        self.bring(contact, Who::Supervisor(Arc::clone(listener)), part, told);
        Ok(())
    }

    /// A supervisor goes.
    pub(super) fn stop_listening(
        &mut self,
        contact: ContactId,
        listener: &Name,
        why: &Arc<str>,
    ) -> Result<(), Refusal> {
        let on = self.contact(contact)?.participants.supervisor(listener).map(|p| p.id);
        let listener = || Arc::clone(listener);
        let participant =
            on.ok_or_else(|| Refusal::NotListening { contact, listener: listener() })?;
        self.order(why);
        self.off(contact, participant, OffBecause::Asked);
        Ok(())
    }

    /// A gateway says that somebody left.
    pub(super) fn participant_left(
        &mut self,
        gateway: GatewayId,
        contact: ContactId,
        participant: u16,
    ) -> Result<(), Refusal> {
        self.of_gateway(contact, gateway)?;
        let c = self.contact(contact)?;
        let Some(p) = c.participants.get(participant) else {
            // What was taken off and left at the same moment is reported as left.
            let known = (1..=c.participants.last).contains(&participant);
            let no = Refusal::NoSuchParticipant { contact, participant };
            return if known { Ok(()) } else { Err(no) };
        };
        match p.who {
            Who::Colleague { consult, .. } => {
                self.close(consult, super::EndReason::ConsultCancelled);
            }
            Who::Supervisor(_) | Who::Outside(_) => {
                self.off(contact, participant, OffBecause::Left);
            }
        }
        Ok(())
    }

    /// What a pending effect is to bring about on its contact, if it is of this kind.
    pub(super) fn joining(&self, contact: ContactId, effect: EffectId) -> Option<(u16, Part)> {
        let c = self.engine.contact(contact)?;
        match c.effects.iter().find(|(e, _)| *e == effect)?.1 {
            EffectKind::Join { participant, part } => Some((participant, part)),
            _ => None,
        }
    }

    /// The gateway brought somebody on, or changed their part.
    pub(super) fn joined(&mut self, contact: ContactId, participant: u16, part: Part) {
        let step = ParticipantStep::On(part);
        self.emit(Event::Participant(ParticipantNews { contact, participant, step }));
    }

    /// The gateway could not: who was on stays as they were.
    pub(super) fn join_failed(&mut self, contact: ContactId, participant: u16, code: u16) {
        let c = self.engine.contact(contact);
        let p = c.and_then(|c| c.participants.get(participant));
        if p.is_some_and(|p| p.on.is_none()) {
            self.off(contact, participant, OffBecause::Failed(code));
        }
    }

    /// Everybody goes: the contact is over, or with nobody.
    pub(super) fn everyone_off(&mut self, contact: ContactId) {
        while let Some(first) =
            self.engine.contact(contact).and_then(|c| c.participants.all.first()).map(|p| p.id)
        {
            self.off(contact, first, OffBecause::ContactOver);
        }
    }

    /// A consult is over: its second agent is no longer on the contact either.
    pub(super) fn colleague_off(&mut self, contact: ContactId, because: OffBecause) {
        let colleague = self.engine.contact(contact).and_then(|c| c.participants.colleague());
        if let Some((p, ..)) = colleague {
            let participant = p.id;
            self.off(contact, participant, because);
        }
    }

    /// Who takes a contact over when its owner cannot go on: the colleague who is on it.
    pub(super) fn heir(&self, contact: ContactId) -> Option<(ContactId, AgentId)> {
        let (p, consult, agent) = self.engine.contact(contact)?.participants.colleague()?;
        let present = |a: &Agent| a.presence != Presence::Absent;
        let there = p.on.is_some() && self.engine.agent(agent).is_some_and(present);
        there.then_some((consult, agent))
    }

    /// Refuses to end a contact under those who talk with its customer.
    pub(super) fn check_alone(&self, contact: ContactId) -> Result<(), Refusal> {
        let others = self.contact(contact)?.participants.all.iter().any(|p| p.counts());
        if others { Err(Refusal::OthersThere(contact)) } else { Ok(()) }
    }

    fn bring(&mut self, contact: ContactId, who: Who, part: Part, told: bool) {
        let Some(c) = self.engine.contact(contact) else { return };
        let participant = c.participants.last + 1;
        let step = ParticipantStep::Asked { who, part, told };
        self.emit(Event::Participant(ParticipantNews { contact, participant, step }));
        self.ask_effect(contact, EffectKind::Join { participant, part });
    }

    fn off(&mut self, contact: ContactId, participant: u16, because: OffBecause) {
        self.withdraw_join(contact, participant);
        let step = ParticipantStep::Off(because);
        self.emit(Event::Participant(ParticipantNews { contact, participant, step }));
    }

    /// What part somebody was asked to take, and has not yet.
    fn asked_part(&self, c: &Contact, participant: u16) -> Option<Part> {
        c.effects.iter().find_map(|(_, kind)| match kind {
            EffectKind::Join { participant: p, part } if *p == participant => Some(*part),
            _ => None,
        })
    }

    fn withdraw_join(&mut self, contact: ContactId, participant: u16) {
        let of = |kind: &EffectKind| matches!(kind, EffectKind::Join { participant: p, .. } if *p == participant);
        while let Some((effect, _)) = self
            .engine
            .contact(contact)
            .and_then(|c| c.effects.iter().find(|(_, kind)| of(kind)).copied())
        {
            let how = Settled::Withdrawn;
            self.emit(Event::EffectSettled { effect, contact, how });
        }
    }

    /// Whether one more can be brought onto a contact: a conversation that goes on now, by a
    /// gateway that hears us.
    fn check_live(&self, contact: ContactId) -> Result<(), Refusal> {
        let c = self.contact(contact)?;
        if !matches!(c.channel, Channel::Voice | Channel::Chat) {
            let (is, expected) = (c.channel.name(), "a call or a chat");
            return Err(Refusal::WrongState { contact, is, expected });
        }
        if self.engine.gateway(c.gateway).is_none_or(|g| g.session.is_none()) {
            return Err(Refusal::NeedsStream);
        }
        if c.participants.all.len() >= MOST_PARTICIPANTS || c.participants.last == u16::MAX {
            let most = MOST_PARTICIPANTS as u64;
            return Err(Refusal::Limit { what: "participant", most });
        }
        Ok(())
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), Refusal> {
    let ok = (1..=64).contains(&name.len()) && !name.chars().any(char::is_control);
    ok.then_some(()).ok_or(Refusal::OutOfRange { field, expected: "1 to 64 printable bytes" })
}
