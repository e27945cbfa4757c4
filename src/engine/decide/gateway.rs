//! What gateways report.

use super::super::command::{Arrival, Heard, Reply, Report};
use super::super::contact::{Link, State};
use super::super::event::{
    Arrived, EffectKind, Event, NumberConfirmed, Queued, RecordingNoted, Released, Settled,
};
use super::super::gateway::{KeyOf, MOST_EFFECTS, MOST_KEYS};
use super::super::rank::Asked;
use super::super::recall::{
    AFFECTED_HEAD_START, Heed, Question, SelfService, Step, Text, TriageClass, Wish,
};
use super::super::refusal::Refusal;
use super::super::words::{
    Channel, ConnectFault, EndReason, Excluded, Key, LegOutcome, Party, QueuedBecause,
    ReleasedBecause,
};
use super::check::{are_keys, check_arrival, check_attributes};
use super::tiers::ForPartners;
use super::{A_DAY, Own, Turn, demand, is_connect, place, service};
use crate::ids::{AgentId, ContactId, EffectId, GatewayId, ReservationId, SessionId};
use crate::time::Span;
use std::sync::Arc;

impl Turn<'_> {
    pub(super) fn gateway_reports(
        &mut self,
        gateway: GatewayId,
        session: Option<SessionId>,
        report: &Report,
    ) -> Result<Reply, Refusal> {
        let Some(known) = self.engine.gateway(gateway) else {
            return Err(Refusal::OutOfRange { field: "gateway", expected: "one that is known" });
        };
        if session.is_some() && session != known.session {
            return Err(Refusal::StaleSession(Arc::clone(&known.name)));
        }
        match report {
            Report::Holding { keys, last } => return self.holding(gateway, keys, *last),
            Report::Arrived(arrival) => return self.arrive(gateway, arrival),
            Report::Attributes { contact, attributes } => {
                self.of_gateway(*contact, gateway)?;
                check_attributes(attributes)?;
                let attributes = attributes.clone();
                self.emit(Event::AttributesSet { contact: *contact, attributes });
                self.link(*contact);
            }
            Report::Input { contact, heard } => self.input(gateway, *contact, heard)?,
            Report::Leg { reservation, party, outcome, code } => {
                self.leg(gateway, *reservation, *party, *outcome, *code)?;
            }
            Report::Bridged(reservation) => self.bridged(gateway, *reservation)?,
            Report::Hold { contact, on } => {
                self.of_gateway(*contact, gateway)?;
                if self.contact(*contact)?.on_hold != *on {
                    self.emit(Event::HoldChanged { contact: *contact, on: *on });
                }
            }
            Report::Recording { contact, reference, consent } => {
                self.of_gateway(*contact, gateway)?;
                if reference.is_empty() || reference.len() > 256 {
                    let expected = "1 to 256 bytes";
                    return Err(Refusal::OutOfRange { field: "reference", expected });
                }
                let (contact, reference, consent) = (*contact, Arc::clone(reference), *consent);
                let noted = RecordingNoted { contact, reference, consent };
                self.emit(Event::RecordingNoted(noted));
            }
            Report::EffectDone(effect) => self.effect_done(gateway, *effect)?,
            Report::EffectFailed { effect, code } => self.effect_failed(gateway, *effect, *code)?,
            Report::AgentLegLost(contact) => self.agent_leg_lost(gateway, *contact)?,
            Report::Feedback(feedback) => self.feedback(gateway, feedback)?,
            Report::OutsideCall { agent, key, now } => {
                self.outside_call(gateway, *agent, key, *now)?;
            }
            Report::ParticipantLeft { contact, participant } => {
                self.participant_left(gateway, *contact, *participant)?;
            }
            other => return self.callback_reports(gateway, other),
        }
        Ok(Reply::Done)
    }

    pub(super) fn of_gateway(&self, contact: ContactId, gateway: GatewayId) -> Result<(), Refusal> {
        if self.contact(contact)?.gateway == gateway {
            Ok(())
        } else {
            Err(Refusal::NotYourContact(contact))
        }
    }

    fn arrive(&mut self, gateway: GatewayId, a: &Arrival) -> Result<Reply, Refusal> {
        let content = a.content;
        if let Some(contact) = self.engine.keys.get(&KeyOf(gateway, &a.key)).copied() {
            let same = self.engine.contact(contact).is_some_and(|c| c.content == content);
            let key = Box::from(&*a.key);
            return if same {
                Ok(Reply::Contact(contact))
            } else {
                Err(Refusal::KeyConflict { key, contact })
            };
        }
        check_arrival(a)?;
        if let Some(contact) = self.goes_on_in(gateway, a) {
            return self.reply_came(gateway, contact, a);
        }
        let session = self.check_room_for(gateway, a)?;
        let contact = ContactId(self.engine.counts.accepted + 1);
        let heed = a.heed.filter(|h| self.engine.recall(h.recall).is_some_and(|r| !r.over));
        let queued = self.first_queue(contact, heed, a)?;
        self.emit(Event::Arrived(Arrived {
            contact,
            gateway,
            session,
            key: a.key.clone(),
            content,
            channel: a.channel,
            entry_point: a.entry_point,
            customer: a.customer,
            continues: a.continues,
            waited: a.waited,
            attributes: a.attributes.clone(),
            own_needs: a.needs.clone(),
            own_preferred: a.preferred.clone(),
            language: a.language,
        }));
        if a.number_confirmed {
            let confirmed = true;
            self.emit(Event::NumberConfirmed(NumberConfirmed { contact, confirmed }));
        }
        if let Some(heed) = heed {
            self.emit(Event::Triaged { contact, heed });
        }
        self.emit(Event::Queued(queued));
        self.give_back_place(contact);
        self.link(contact);
        self.comes_in(contact);
        Ok(Reply::Contact(contact))
    }

    /// Checks an arrival against the limits. Tells its gateway's session.
    fn check_room_for(
        &self,
        gateway: GatewayId,
        a: &Arrival,
    ) -> Result<Option<SessionId>, Refusal> {
        let known = self.engine.gateway(gateway);
        let session = known.and_then(|g| g.session);
        if a.channel == Channel::Voice && session.is_none() {
            return Err(Refusal::NeedsStream);
        }
        if known.is_some_and(|g| g.effects >= MOST_EFFECTS) {
            return Err(Refusal::Limit { what: "unreported effect", most: MOST_EFFECTS.into() });
        }
        let most = self.engine.routing.settings.most_contacts;
        if self.engine.contacts.len() >= most as usize {
            return Err(Refusal::Limit { what: "open contact", most: most.into() });
        }
        let skills = self.engine.routing.skills.len();
        for (field, needs) in [("needs", &a.needs), ("preferred", &a.preferred)] {
            if needs.iter().any(|n| n.skill.index() >= skills) {
                return Err(Refusal::OutOfRange { field, expected: "skills that exist" });
            }
        }
        Ok(session)
    }

    /// Where an arrival waits first: in its queue, or in the safety lane of a recall.
    fn first_queue(
        &self,
        contact: ContactId,
        heed: Option<Heed>,
        a: &Arrival,
    ) -> Result<Queued, Refusal> {
        let is = |class| heed.is_some_and(|h| h.class == class);
        let safety =
            a.safety || self.queue_of(a.queue).is_some_and(|q| q.safety) || is(TriageClass::Safety);
        let lane = self.engine.safety_queue(a.entry_point, heed, a.channel).filter(|_| safety);
        let into = lane.unwrap_or(a.queue);
        let queue = self.queue_of(into);
        let own = Own { needs: &a.needs, preferred: &a.preferred, language: a.language };
        let (needs, preferred) = demand(&self.engine.routing, queue, own);
        let ahead = queue.map_or(Span::ZERO, |q| q.head_start);
        let service = service(safety, a.channel);
        let earlier = if is(TriageClass::Affected) { AFFECTED_HEAD_START } else { Span::ZERO };
        let head_start = Span(a.head_start.0.saturating_add(earlier.0)).min(A_DAY);
        let (entry_point, channel, silent) = (a.entry_point, a.channel, false);
        let partners = ForPartners { contact, entry_point, channel, safety, silent };
        let queued = Queued {
            contact,
            queue: into,
            because: QueuedBecause::Arrived,
            service,
            needs,
            preferred,
            head_start,
            place: place(self.at, &[ahead, head_start, a.waited]),
            stage: self.first_stage(into, partners),
            named: None,
            pass_over: None,
            released: None,
        };
        self.check_queue(into, Asked::of_queued(a.channel, &queued))?;
        Ok(queued)
    }

    /// One part of what a gateway still holds.
    fn holding(&mut self, gateway: GatewayId, keys: &[Key], last: bool) -> Result<Reply, Refusal> {
        if keys.len() > MOST_KEYS {
            return Err(Refusal::OutOfRange { field: "keys", expected: "at most 1000" });
        }
        let Some(session) = self.engine.gateway(gateway).and_then(|g| g.session) else {
            return Err(Refusal::NeedsStream);
        };
        let mut unknown = Vec::new();
        for key in keys {
            match self.engine.keys.get(&KeyOf(gateway, key)).copied() {
                None if self.outside_held(gateway, session, key) => {}
                None => unknown.push(key.clone()),
                Some(contact) => {
                    let consult = self.engine.contact(contact).and_then(|c| c.consult);
                    self.reattach(contact, session);
                    if let Some(child) = consult {
                        self.reattach(child, session);
                    }
                }
            }
        }
        if last {
            self.emit(Event::GatewayResynced { gateway });
            self.schedule_sweep(gateway);
        }
        Ok(Reply::Unknown(unknown))
    }

    pub(super) fn reattach(&mut self, contact: ContactId, session: SessionId) {
        if self.engine.contact(contact).is_none_or(|c| c.link == Link::Attached(session)) {
            return;
        }
        self.emit(Event::Reattached { contact, session });
        self.offer_contact(contact);
    }

    pub(super) fn input(
        &mut self,
        gateway: GatewayId,
        contact: ContactId,
        heard: &Heard,
    ) -> Result<(), Refusal> {
        self.of_gateway(contact, gateway)?;
        if heard.keys.as_ref().is_some_and(|k| !are_keys(k)) {
            let expected = "1 to 64 of 0-9, * and #";
            return Err(Refusal::OutOfRange { field: "keys", expected });
        }
        let served = self.contact(contact)?.self_service();
        let lot = served.and_then(|s| self.engine.verdict(s, heard));
        let heard = &Heard { lot, ..heard.clone() };
        let keys = heard.keys.as_ref();
        if let Some(keys) = keys.filter(|_| served.is_some() && !heard.secret) {
            let asked =
                |s: SelfService| matches!(s.step, Step::Asked { question: Question::Lot, .. });
            // Keys may look like a lot that nobody asked for.
            let lot = heard.lot.filter(|_| served.is_some_and(asked));
            let keys = Arc::clone(keys);
            self.emit(Event::KeysPressed { contact, keys, lot });
        }
        if heard.keys.is_none() || served.is_none() || heard.secret {
            self.emit(Event::InputReceived(contact));
        }
        self.heed(contact, heard.heed);
        if let Some(s) = served {
            self.heard(contact, s, heard);
            return Ok(());
        }
        self.wake_by_words(contact);
        self.is_there(contact);
        if self.answered_late(contact, heard) {
            return Ok(());
        }
        match heard.heed.map(|h| h.class) {
            Some(TriageClass::Safety) => self.move_to_safety(contact),
            // A button says the same as the words for it.
            _ if heard.wish == Some(Wish::Person) => {
                let entry_point = self.contact(contact)?.entry_point;
                let recall = self.engine.recall_at(entry_point).map(|r| r.id);
                let class = TriageClass::PersonWanted;
                self.heed(contact, recall.map(|recall| Heed { recall, class }));
            }
            _ => {}
        }
        Ok(())
    }

    /// One who is back in line says what they were asked in self-service: that somebody is hurt
    /// (the key crossed with the way back), or that the answer was what they needed.
    fn answered_late(&mut self, contact: ContactId, heard: &Heard) -> bool {
        let Some(c) = self.engine.contact(contact) else { return false };
        let Some(recall) = self.engine.recall_at(c.entry_point) else { return false };
        let waits = c.state == State::Queued && c.answered.is_none();
        let yes = recall.plan.ivr.as_ref().map(|menu| menu.yes);
        let pressed = heard.keys.as_ref().and_then(|k| k.as_bytes().first().copied());
        let had_answer = c.heard.iter().any(|(_, text)| matches!(text, Text::Faq(_)));
        if waits && c.machine.injury_asked && yes.is_some() && yes == pressed {
            let heed = Heed { recall: recall.id, class: TriageClass::Safety };
            self.heed(contact, Some(heed));
            self.move_to_safety(contact);
            true
        } else if waits && had_answer && heard.wish == Some(Wish::Solved) {
            self.close(contact, EndReason::Solved);
            true
        } else {
            false
        }
    }

    /// The contact that a reservation connects, if it is this gateway's.
    fn connecting(
        &self,
        gateway: GatewayId,
        reservation: ReservationId,
    ) -> Result<(ContactId, AgentId), Refusal> {
        let over = Refusal::ReservationOver(reservation);
        let contact = *self.engine.reservations.get(&reservation).ok_or(over.clone())?;
        self.of_gateway(contact, gateway)?;
        match self.contact(contact)?.state {
            State::Connecting { agent, .. } => Ok((contact, agent)),
            _ => Err(over),
        }
    }

    fn leg(
        &mut self,
        gateway: GatewayId,
        reservation: ReservationId,
        party: Party,
        outcome: LegOutcome,
        code: u16,
    ) -> Result<(), Refusal> {
        let (contact, agent) = self.connecting(gateway, reservation)?;
        self.emit(Event::LegReported { contact, reservation, party, outcome, code });
        if self.customer_leg(contact, party, outcome, code) {
            return Ok(());
        }
        match (outcome, party) {
            (LegOutcome::Answered, _) => {}
            (_, Party::Agent) => {
                let ringing = self.rings_first(contact);
                let by_name = self.connect_failed(contact, ConnectFault::AgentLeg);
                self.emit(Event::PhoneUnreachable(agent));
                if ringing {
                    self.offer_unless_rung(contact, ringing);
                } else {
                    self.offer_again(contact, by_name);
                }
                self.agent_freed(agent);
            }
            (_, Party::Customer) => {
                let consult = self.contact(contact)?.parent.is_some();
                self.connect_failed(contact, ConnectFault::CustomerLeg);
                let reason = if consult {
                    EndReason::ConsultCancelled
                } else {
                    EndReason::CustomerUnreachable
                };
                self.close(contact, reason);
                self.agent_freed(agent);
            }
        }
        Ok(())
    }

    /// A connecting contact goes back to its place, its agent passed over. Tells whether it
    /// is a consult that asked for that agent by name.
    pub(super) fn connect_failed(&mut self, contact: ContactId, fault: ConnectFault) -> bool {
        let asked_by_name = self.asks_by_name(contact);
        self.settle_effects(contact, Settled::Withdrawn, is_connect);
        let Some(State::Connecting { reservation, agent, .. }) =
            self.engine.contact(contact).map(|c| c.state)
        else {
            return false;
        };
        let pass_over = self.pass_over_until();
        self.emit(Event::ConnectFailed { contact, reservation, agent, fault, pass_over });
        asked_by_name
    }

    fn bridged(&mut self, gateway: GatewayId, reservation: ReservationId) -> Result<(), Refusal> {
        let (contact, agent) = self.connecting(gateway, reservation)?;
        self.settle_effects(contact, Settled::Done, is_connect);
        self.settle_effects(contact, Settled::Withdrawn, |_| true);
        self.emit(Event::Bridged { contact, reservation, agent });
        self.reached(contact);
        self.offer_what_interrupts(agent);
        Ok(())
    }

    /// What an effect is to do.
    fn asked(&self, contact: ContactId, effect: EffectId) -> Option<EffectKind> {
        let c = self.engine.contact(contact)?;
        c.effects.iter().find(|(e, _)| *e == effect).map(|(_, kind)| *kind)
    }

    fn effect_done(&mut self, gateway: GatewayId, effect: EffectId) -> Result<(), Refusal> {
        // What `Bridged` or a withdrawal settled may still be reported as done.
        if !self.engine.effects.contains_key(&effect) && effect.0 <= self.engine.counts.last_effect
        {
            return Ok(());
        }
        let contact = self.effect_of(gateway, effect)?;
        let (said, joins) = (self.saying(contact, effect), self.joining(contact, effect));
        let kind = self.asked(contact, effect);
        self.emit(Event::EffectSettled { effect, contact, how: Settled::Done });
        if let Some(say) = said {
            self.said(contact, say);
        }
        if let Some((participant, part)) = joins {
            self.joined(contact, participant, part);
        }
        self.fallback_done(contact, kind);
        Ok(())
    }

    fn effect_failed(
        &mut self,
        gateway: GatewayId,
        effect: EffectId,
        code: u16,
    ) -> Result<(), Refusal> {
        let contact = self.effect_of(gateway, effect)?;
        let c = self.contact(contact)?;
        let state = c.state;
        let kind = self.asked(contact, effect);
        let back = self.requeued(c, QueuedBecause::Requeued);
        self.emit(Event::EffectSettled { effect, contact, how: Settled::Failed(code) });
        match (kind, state) {
            (Some(EffectKind::Connect { .. }), State::Connecting { agent, .. }) => {
                let by_name = self.connect_failed(contact, ConnectFault::Gateway);
                self.offer_again(contact, by_name);
                self.agent_freed(agent);
            }
            // The first agent is gone from the line and the second never came on it.
            (Some(EffectKind::HandOver { to }), State::Assigned { agent, .. }) if to == agent => {
                self.let_go(contact);
                let because = ReleasedBecause::Requeued;
                let released = Some(Released { agent, because, wrap_up: None });
                self.requeue_from(Queued { released, ..back }, agent);
            }
            (Some(EffectKind::Say(_)), State::SelfService(_)) => self.say_failed(contact),
            (
                Some(EffectKind::Forward { .. } | EffectKind::Outside(_) | EffectKind::Announce(_)),
                _,
            ) => {
                self.fallback_failed(contact, kind);
            }
            (Some(EffectKind::Dial { .. }), _) => self.dial_failed(contact, code),
            (Some(EffectKind::AskPresence(_)), _) => self.cannot_ask(contact),
            (Some(EffectKind::Join { participant, .. }), _) => {
                self.join_failed(contact, participant, code);
            }
            _ => {}
        }
        Ok(())
    }

    /// The agent fell off the line and the customer is still on it: somebody else, at once.
    fn agent_leg_lost(&mut self, gateway: GatewayId, contact: ContactId) -> Result<(), Refusal> {
        self.of_gateway(contact, gateway)?;
        let c = self.contact(contact)?;
        let State::Assigned { agent, .. } = c.state else {
            let is = c.state.kind().name();
            return Err(Refusal::WrongState { contact, is, expected: "assigned" });
        };
        let consult = c.parent.is_some();
        let queued = self.requeued(c, QueuedBecause::AgentGone);
        self.emit(Event::PhoneUnreachable(agent));
        if consult {
            self.close(contact, EndReason::ConsultCancelled);
            return Ok(());
        }
        if let Some((child, to)) = self.heir(contact) {
            self.hand_over(contact, child, agent, to, None);
            return Ok(());
        }
        self.let_go(contact);
        let because = ReleasedBecause::AgentGone;
        let released = Some(Released { agent, because, wrap_up: None });
        let pass_over = self.pass_over_until().map(|until| Excluded { agent, until });
        self.requeue_from(Queued { released, pass_over, ..queued }, agent);
        Ok(())
    }
}
