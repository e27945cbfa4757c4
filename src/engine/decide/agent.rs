//! What agents do, and what becomes of them when their stream is gone.

use std::sync::Arc;

use super::super::agent::{Agent, Hold, JUST_CONNECTED, Presence};
use super::super::command::{Act, Reply, Target};
use super::super::contact::State;
use super::super::event::{Event, Queued, Released, Settled};
use super::super::rank::Asked;
use super::super::refusal::Refusal;
use super::super::words::{
    Availability, AvailabilityBecause, Channel, EndReason, Excluded, NotTaken, QueuedBecause,
    ReleasedBecause, WaitsFor,
};
use super::Turn;
use crate::ids::{AgentId, ContactId, DispositionId, ReservationId, SessionId};
use crate::time::Span;

/// The longest that a contact may be pending.
const MOST_PENDING: Span = Span::seconds(30 * 24 * 3600);

impl Turn<'_> {
    pub(super) fn connect_agent(&mut self, agent: AgentId) -> Result<Reply, Refusal> {
        let retired = self.engine.routing.agent(agent).is_none_or(|p| p.retired);
        // Who is no longer in the configuration may come to finish what they have.
        let known = self.engine.agent(agent).filter(|a| !retired || !a.work.is_empty());
        let availability = known.ok_or(Refusal::NoSuchAgent(agent))?.availability;
        let session = self.next_session();
        self.emit(Event::AgentConnected { agent, session });
        if availability == Availability::SignedOut {
            let to = Availability::NotReady(JUST_CONNECTED);
            let because = AvailabilityBecause::Asked;
            self.emit(Event::AvailabilityChanged { agent, to, because });
        }
        self.offer_agent(agent);
        Ok(Reply::Agent(session))
    }

    pub(super) fn disconnect_agent(&mut self, agent: AgentId, session: SessionId) {
        let current = |a: &Agent| a.presence == Presence::Connected(session);
        if !self.engine.agent(agent).is_some_and(current) {
            return;
        }
        let grace = self.at + self.engine.routing.settings.agent_grace;
        self.emit(Event::AgentLost { agent, grace });
        self.give_back_reserved(agent);
        self.open_named(agent);
        // What was to come after the last contact in hand comes, though nobody hears of it.
        self.agent_freed(agent);
    }

    /// Reservations of an agent who cannot answer go to somebody else at once.
    pub(super) fn give_back_reserved(&mut self, agent: AgentId) {
        while let Some(contact) = self.first_work(agent, |h| h == Hold::Reserved) {
            let Ok(State::Reserved { reservation, .. }) = self.contact(contact).map(|c| c.state)
            else {
                return;
            };
            let by_name = self.asks_by_name(contact);
            let how = NotTaken::AgentGone;
            self.emit(Event::NotTaken { contact, reservation, agent, how, pass_over: None });
            self.offer_again(contact, by_name);
        }
    }

    pub(super) fn first_work(
        &self,
        agent: AgentId,
        is: impl Fn(Hold) -> bool,
    ) -> Option<ContactId> {
        self.engine.agent(agent)?.work.iter().find(|w| is(w.hold)).map(|w| w.contact)
    }

    /// A lost agent did not come back: what can go to somebody else does. Calls stay
    /// with them until the gateway reports, because people may be talking.
    pub(super) fn grace_over(&mut self, agent: AgentId) {
        self.give_back_reserved(agent);
        self.end_wrap_ups(agent);
        let holds = |a: &Agent| -> Vec<ContactId> {
            let gone = |w: &&super::super::agent::Work| {
                w.hold == Hold::Assigned && w.channel != Channel::Voice
            };
            a.work.iter().filter(gone).map(|w| w.contact).collect()
        };
        for contact in self.engine.agent(agent).map(holds).unwrap_or_default() {
            self.take_from(agent, contact);
        }
        let (to, because) = (Availability::SignedOut, AvailabilityBecause::ConnectionLost);
        self.emit(Event::AvailabilityChanged { agent, to, because });
    }

    pub(super) fn end_wrap_ups(&mut self, agent: AgentId) {
        while let Some(contact) = self.first_work(agent, |h| matches!(h, Hold::WrapUp { .. })) {
            self.emit(Event::WrapUpEnded { agent, contact });
        }
    }

    pub(super) fn agent_acts(
        &mut self,
        agent: AgentId,
        session: Option<SessionId>,
        act: &Act,
    ) -> Result<Reply, Refusal> {
        let name = || Arc::from(self.engine.routing.agent_name(agent));
        match self.engine.agent(agent).map(|a| a.presence) {
            None => return Err(Refusal::NoSuchAgent(agent)),
            Some(Presence::Connected(now)) => {
                if session.is_some_and(|s| s != now) {
                    return Err(Refusal::StaleSession(name()));
                }
            }
            Some(_) => return Err(Refusal::AgentNotConnected(name())),
        }
        match act {
            Act::Become(to) => self.become_available(agent, *to, AvailabilityBecause::Asked)?,
            Act::Next(next) => self.set_next(agent, *next)?,
            Act::Accept(reservation) => self.accept(agent, *reservation)?,
            Act::Decline(reservation) => {
                let contact = self.reserved_for(agent, *reservation)?;
                let (reservation, how) = (*reservation, NotTaken::Declined);
                self.not_taken(contact, reservation, agent, how);
            }
            Act::Complete { contact, disposition } => {
                self.complete(agent, *contact, *disposition)?;
            }
            Act::CompleteTogether { contact, others, disposition } => {
                self.complete_together(agent, *contact, others, *disposition)?;
            }
            Act::Code { contact, disposition } => self.code(agent, *contact, *disposition)?,
            Act::EndWrapUp(contact) => {
                self.in_wrap_up(agent, *contact)?;
                self.emit(Event::WrapUpEnded { agent, contact: *contact });
                self.agent_freed(agent);
            }
            Act::ExtendWrapUp { contact, by } => self.extend_wrap_up(agent, *contact, *by, None)?,
            Act::Requeue(contact) => self.requeue(agent, *contact)?,
            Act::Transfer { contact, to } => self.transfer(agent, *contact, *to)?,
            Act::Consult { contact, to } => return self.consult(agent, *contact, *to),
            Act::CompleteConsult(contact) => self.complete_consult(agent, *contact)?,
            Act::CancelConsult(contact) => self.cancel_consult(agent, *contact)?,
            Act::Conference(contact) => self.conference(agent, *contact)?,
            Act::AddParticipant { contact, name } => self.add_participant(agent, *contact, name)?,
            Act::DropParticipant { contact, participant } => {
                self.drop_participant(agent, *contact, *participant)?;
            }
            Act::Pend { contact, on, lasting } => self.pend(agent, *contact, *on, *lasting)?,
            other => return self.owes_by(agent, other),
        }
        Ok(Reply::Done)
    }

    pub(super) fn check_availability(&self, to: Availability) -> Result<(), Refusal> {
        let reasons = &self.engine.routing.not_ready_reasons;
        match to {
            Availability::NotReady(r) if reasons.get(r.index()).is_none_or(|r| r.retired) => {
                Err(Refusal::OutOfRange { field: "reason", expected: "a configured reason" })
            }
            _ => Ok(()),
        }
    }

    /// Signing out needs empty hands.
    pub(super) fn check_hands(&self, agent: AgentId, to: Availability) -> Result<(), Refusal> {
        let busy = |h| matches!(h, Hold::Assigned | Hold::Connecting);
        if to == Availability::SignedOut && self.first_work(agent, busy).is_some() {
            return Err(Refusal::HandsFull(self.engine.routing.agent_name(agent).into()));
        }
        Ok(())
    }

    pub(super) fn become_available(
        &mut self,
        agent: AgentId,
        to: Availability,
        because: AvailabilityBecause,
    ) -> Result<(), Refusal> {
        self.check_availability(to)?;
        self.check_hands(agent, to)?;
        let Some(a) = self.engine.agent(agent) else { return Err(Refusal::NoSuchAgent(agent)) };
        let stays = a.availability == to && a.next.is_none();
        if stays && !(a.phone_unreachable && to == Availability::Ready) {
            return Ok(());
        }
        if because == AvailabilityBecause::Asked {
            self.check_leaving(agent, to)?;
            self.check_most(agent, to)?;
        }
        self.emit(Event::AvailabilityChanged { agent, to, because });
        if to == Availability::SignedOut {
            self.give_back_reserved(agent);
            self.open_named(agent);
            self.end_wrap_ups(agent);
        }
        self.offer_agent(agent);
        Ok(())
    }

    fn set_next(&mut self, agent: AgentId, next: Option<Availability>) -> Result<(), Refusal> {
        next.map_or(Ok(()), |to| self.check_availability(to))?;
        let Some(a) = self.engine.agent(agent) else { return Err(Refusal::NoSuchAgent(agent)) };
        if a.next == next {
            return Ok(());
        }
        if let Some(to) = next {
            self.check_leaving(agent, to)?;
            self.check_most(agent, to)?;
        }
        self.emit(Event::NextSet { agent, next });
        self.agent_freed(agent);
        Ok(())
    }

    /// The contact of an open reservation that is this agent's.
    fn reserved_for(
        &self,
        agent: AgentId,
        reservation: ReservationId,
    ) -> Result<ContactId, Refusal> {
        let over = Refusal::ReservationOver(reservation);
        let contact = *self.engine.reservations.get(&reservation).ok_or(over.clone())?;
        match self.contact(contact)?.state {
            State::Reserved { agent: of, .. } | State::Connecting { agent: of, .. }
                if of != agent =>
            {
                Err(Refusal::NotYourReservation(reservation))
            }
            // Past its deadline it is over, even if the tick has not come round to it.
            State::Reserved { deadline, .. } if deadline > self.at => Ok(contact),
            _ => Err(over),
        }
    }

    fn accept(&mut self, agent: AgentId, reservation: ReservationId) -> Result<(), Refusal> {
        let contact = self.reserved_for(agent, reservation)?;
        let c = self.contact(contact)?;
        if self.must_not_call(c) {
            // The hours ended while the agent was asked: it is nobody's fault, and no call.
            self.withdraw(contact);
            self.callback_due(contact);
            self.agent_freed(agent);
            return Ok(());
        }
        let (within, legs) = self.legs_of(c, reservation, agent);
        let connect_by = (c.channel == Channel::Voice).then(|| self.at + within);
        self.emit(Event::Accepted { contact, reservation, agent, connect_by });
        if connect_by.is_some() {
            self.ask_effect(contact, legs);
        }
        self.offer_what_interrupts(agent);
        Ok(())
    }

    /// A reservation ended without being taken: the contact goes to somebody else, and an
    /// agent who does not answer is asked no more.
    pub(super) fn not_taken(
        &mut self,
        contact: ContactId,
        reservation: ReservationId,
        agent: AgentId,
        how: NotTaken,
    ) {
        let asked_by_name = self.asks_by_name(contact);
        let pass_over = self.pass_over_until().filter(|_| how != NotTaken::AgentGone);
        self.emit(Event::NotTaken { contact, reservation, agent, how, pass_over });
        let limit = self.engine.routing.settings.ring_no_answer_limit;
        let a = self.engine.agent(agent);
        if how == NotTaken::TimedOut && a.is_some_and(|a| a.missed >= limit) {
            let to = Availability::NotReady(super::super::agent::RING_NO_ANSWER);
            let because = AvailabilityBecause::RingNoAnswer;
            self.emit(Event::AvailabilityChanged { agent, to, because });
        }
        self.offer_again(contact, asked_by_name);
        self.agent_freed(agent);
    }

    /// Checks that a contact is with this agent.
    pub(super) fn in_hand(&self, agent: AgentId, contact: ContactId) -> Result<(), Refusal> {
        let c = self.contact(contact)?;
        match c.state {
            State::Assigned { agent: of, .. } if of == agent => Ok(()),
            state if state.agent() == Some(agent) => {
                let (is, expected) = (state.kind().name(), "assigned");
                Err(Refusal::WrongState { contact, is, expected })
            }
            _ => Err(Refusal::NotYourContact(contact)),
        }
    }

    /// What an agent owes to customers.
    fn owes_by(&mut self, agent: AgentId, act: &Act) -> Result<Reply, Refusal> {
        match act {
            Act::CallBack { contact, wanted } => {
                self.owned(agent, *contact)?;
                self.check_alone(*contact)?;
                let callback = self.plan_callback(*contact, *wanted, false)?;
                Ok(self.promise_callback(*contact, callback, Some(agent)))
            }
            Act::Promise(pledge) => {
                self.in_hand(agent, pledge.contact)?;
                let promise = self.plan_promise(pledge, Some(agent))?;
                Ok(self.make_promise(promise))
            }
            Act::KeepPromise(promise) => {
                self.check_promise(*promise, Some(agent))?;
                self.say_over(*promise, true);
                Ok(Reply::Done)
            }
            Act::OpenRecovery(remedy) => {
                let contact = remedy.contact;
                let has = self.in_hand(agent, contact).or_else(|_| self.in_wrap_up(agent, contact));
                has.map_err(|_| Refusal::NotYourContact(contact))?;
                let recovery = self.plan_recovery(remedy, Some(agent))?;
                Ok(self.open_recovery(recovery))
            }
            Act::RecoveryDone(recovery) => {
                let recovery = self.plan_done(*recovery, Some(agent))?;
                self.emit(Event::RecoverySet(recovery));
                Ok(Reply::Done)
            }
            _ => Ok(Reply::Done),
        }
    }

    pub(super) fn in_wrap_up(&self, agent: AgentId, contact: ContactId) -> Result<(), Refusal> {
        let work = self.engine.agent(agent).and_then(|a| a.work_on(contact));
        match work.map(|w| w.hold) {
            Some(Hold::WrapUp { .. }) => Ok(()),
            _ => Err(Refusal::NoWrapUp(contact)),
        }
    }

    pub(super) fn check_disposition(&self, id: DispositionId) -> Result<(), Refusal> {
        let known = self.engine.routing.dispositions.get(id.index());
        let expected = "a configured disposition";
        known
            .filter(|d| !d.retired)
            .map(|_| ())
            .ok_or(Refusal::OutOfRange { field: "disposition", expected })
    }

    pub(super) fn complete(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        disposition: Option<DispositionId>,
    ) -> Result<(), Refusal> {
        self.in_hand(agent, contact)?;
        self.check_alone(contact)?;
        if let Some(disposition) = disposition {
            self.check_disposition(disposition)?;
            self.emit(Event::Coded { contact, agent, disposition });
        }
        self.close(contact, EndReason::Completed);
        Ok(())
    }

    fn code(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        disposition: DispositionId,
    ) -> Result<(), Refusal> {
        let in_wrap_up = self.in_wrap_up(agent, contact);
        self.in_hand(agent, contact).or_else(|held| match held {
            Refusal::NoSuchContact(_) => in_wrap_up,
            _ => in_wrap_up.map_err(|_| held),
        })?;
        self.check_disposition(disposition)?;
        self.emit(Event::Coded { contact, agent, disposition });
        Ok(())
    }

    fn requeue(&mut self, agent: AgentId, contact: ContactId) -> Result<(), Refusal> {
        self.owned(agent, contact)?;
        self.let_go(contact);
        let c = self.contact(contact)?;
        let queued = self.requeued(c, QueuedBecause::Requeued);
        let pass_over = self.pass_over_until().map(|until| Excluded { agent, until });
        let wrap_up = self.wrap_up(c.queue);
        let released = Some(Released { agent, because: ReleasedBecause::Requeued, wrap_up });
        self.requeue_from(Queued { pass_over, released, ..queued }, agent);
        Ok(())
    }

    fn transfer(&mut self, agent: AgentId, contact: ContactId, to: Target) -> Result<(), Refusal> {
        self.owned(agent, contact)?;
        let c = self.contact(contact)?;
        let queued = match to {
            Target::Queue(queue) => self.moved_to(c, queue, QueuedBecause::Transferred),
            Target::Agent(other) => {
                let named = Some(self.colleague(agent, other, c.channel)?);
                Queued { named, ..self.requeued(c, QueuedBecause::Transferred) }
            }
        };
        self.check_target(c.channel, &queued)?;
        let because = ReleasedBecause::Transferred;
        let released = Some(Released { agent, because, wrap_up: self.wrap_up(c.queue) });
        self.let_go(contact);
        self.requeue_from(Queued { released, ..queued }, agent);
        Ok(())
    }

    /// Before an agent lets a contact go: what hangs on its being with them ends.
    pub(super) fn let_go(&mut self, contact: ContactId) {
        self.everyone_off(contact);
        self.drop_consult(contact);
        self.settle_effects(contact, Settled::Withdrawn, |_| true);
    }

    /// Checks where a contact is sent. For a colleague it stays in its own queue, whatever
    /// has become of that.
    pub(super) fn check_target(&self, channel: Channel, q: &Queued) -> Result<(), Refusal> {
        let class = Asked::of_queued(channel, q);
        if q.named.is_some() { self.check_room(class) } else { self.check_queue(q.queue, class) }
    }

    /// Checks that a contact is this agent's to send elsewhere: theirs, and no consult.
    pub(super) fn owned(&self, agent: AgentId, contact: ContactId) -> Result<(), Refusal> {
        self.in_hand(agent, contact)?;
        match self.contact(contact)?.parent {
            Some(_) => Err(Refusal::ConsultOpen(contact)),
            None => Ok(()),
        }
    }

    fn pend(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        on: WaitsFor,
        lasting: Span,
    ) -> Result<(), Refusal> {
        self.owned(agent, contact)?;
        if self.contact(contact)?.channel == Channel::Voice {
            let (is, expected) = ("a call", "a chat, email or message");
            return Err(Refusal::WrongState { contact, is, expected });
        }
        if !matches!(on, WaitsFor::Customer | WaitsFor::ThirdParty) {
            let expected = "the customer or a third party";
            return Err(Refusal::OutOfRange { field: "on", expected });
        }
        if lasting < Span::seconds(1) || lasting > MOST_PENDING {
            return Err(Refusal::OutOfRange { field: "lasting", expected: "1 s to 30 days" });
        }
        self.let_go(contact);
        let (who, until) = (Some(agent), self.at + lasting);
        self.emit(Event::Pended { contact, agent: who, on, until });
        self.agent_freed(agent);
        Ok(())
    }
}
