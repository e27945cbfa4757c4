//! Callbacks: who is promised one and by when, when they are called, and what follows a call
//! that did not reach them.
//!
//! A callback keeps its contact and its place. Each call has an agent of its own from before
//! it is dialled, asked first or not, so that never more customers are called than agents are
//! free for them. Tiers of a recall, closed and full queues send contacts here by
//! [`Turn::plan_callback`] and [`Turn::promise_callback`].

mod plan;
mod taken;

use std::sync::Arc;

use super::super::callback::{
    Callback, CallbackKind, CallbackPolicy, DialMode, DialOutcome, Exhausted, Phase, Wanted,
};
use super::super::command::{Reply, Report};
use super::super::contact::{Contact, State};
use super::super::event::{
    Announce, CallbackPromised, CallbackStepped, Dialled, EffectKind, Event, Released, Settled,
};
use super::super::promise::PromiseKind;
use super::super::refusal::Refusal;
use super::super::words::{
    Channel, ConnectFault, EndReason, LegOutcome, Party, ReleasedBecause, ServiceClass,
};
use super::{A_DAY, Turn, is_connect};
use crate::ids::{AgentId, ContactId, EffectId, GatewayId, QueueId, ReservationId};
use crate::time::Span;

impl Turn<'_> {
    pub(super) fn policy(&self, queue: QueueId) -> Option<Arc<CallbackPolicy>> {
        self.queue_of(queue)?.callback.clone()
    }

    /// Promises a planned callback: whoever has the contact lets it go, its place stays.
    pub(super) fn promise_callback(
        &mut self,
        contact: ContactId,
        callback: Callback,
        owner: Option<AgentId>,
    ) -> Reply {
        let due = callback.due;
        let Some(promise) = self.owe(contact, PromiseKind::Callback, due, callback.hours, owner)
        else {
            return Reply::Done;
        };
        let ringing = self.may_ring(contact);
        self.drop_consult(contact);
        self.everyone_off(contact);
        let mut freed = self.withdraw(contact);
        // What they are being told goes on, where they hear it.
        let over: fn(EffectKind) -> bool =
            if callback.kind == CallbackKind::Lost { |_| true } else { |kind| !is_said(kind) };
        self.settle_effects(contact, Settled::Withdrawn, over);
        self.take_out(contact);
        let mut released = None;
        if let Some(c) = self.engine.contact(contact)
            && let State::Assigned { agent, .. } = c.state
        {
            let because = ReleasedBecause::CalledBack;
            released = Some(Released { agent, because, wrap_up: self.wrap_up(c.queue) });
            freed = Some(agent);
        }
        let before = self.engine.contact(contact).and_then(Contact::callback_tier);
        let tier = callback.tier.or(before);
        let callback = Callback { promise, tier, ..callback };
        self.emit(Event::CallbackPromised(CallbackPromised { contact, callback, released }));
        // Partners may take calls and make none, or the other way round.
        if !self.engine.routing.partners.is_empty() {
            self.refile(contact);
        }
        self.offer_unless_rung(contact, ringing);
        if let Some(agent) = freed {
            self.agent_freed(agent);
        }
        Reply::Promised { promise, due }
    }

    /// A call is gone that nobody hung up. One that we made is made again, as the table says;
    /// any other is called back, if its number is known and its queue does so, one after the
    /// other, and ended otherwise. Nobody is lost who was not on the line.
    pub(super) fn lost(&mut self, contact: ContactId, reason: EndReason) {
        let Some(c) = self.engine.contact(contact) else { return };
        let session = self.engine.gateway(c.gateway).and_then(|g| g.session);
        let (silent, dialled) = (c.silent().is_some(), matches!(c.state, State::Connecting { .. }));
        let on_line = c.callback.as_deref().is_some_and(|cb| cb.phase == Phase::OnLine);
        if silent && !dialled {
            return;
        }
        self.emit(Event::CallLost(contact));
        if silent || on_line {
            self.dial_over(contact, DialOutcome::Congestion, 0);
        } else if !self.called_back(contact) {
            return self.close(contact, reason);
        }
        if let Some(session) = session {
            self.reattach(contact, session);
        }
    }

    /// However long the line is: what a broken line took from them they get back. Beyond what
    /// the queue promises for lost calls they are promised no time, and wait a day for their
    /// turn at most. Tells whether they are called.
    fn called_back(&mut self, contact: ContactId) -> bool {
        let Ok((c, _, policy)) = self.may_call(contact, false) else { return false };
        let next = self.engine.owed.counts.next_lost.get(&c.queue).copied();
        // Who is hurt waits for nobody's turn.
        let hurt = c.service == ServiceClass::Safety;
        let goes_on = self.lane_of(c).is_some();
        let next = next.filter(|_| !hurt);
        let turn = next.unwrap_or_default().clamp(self.at, self.at + A_DAY);
        let (kind, phase) = (CallbackKind::Lost, Phase::Held { until: turn });
        let soon = turn.since(self.at) <= policy.within;
        let due = self.open_after(c.queue, turn, policy.within).filter(|_| soon);
        let unplanned = self.unplanned(Wanted::default(), policy);
        self.promise_callback(contact, Callback { kind, phase, due, ..unplanned }, None);
        self.watch_cut_off(contact, goes_on);
        true
    }

    /// A gateway that came back did not name a contact. What was written, and what waits for our
    /// call, it need not name.
    pub(super) fn not_named(&mut self, contact: ContactId, reason: EndReason) {
        let Some(c) = self.engine.contact(contact) else { return };
        match self.engine.gateway(c.gateway).and_then(|g| g.session) {
            Some(session) if needs_no_name(c) => self.reattach(contact, session),
            _ => self.lost(contact, reason),
        }
    }

    /// A contact's gateway is not the one any more that held it. Nobody is on the line of one
    /// that waits for our call: the gateway that is there now makes it.
    pub(super) fn set_aside(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        match self.engine.gateway(c.gateway).and_then(|g| g.session) {
            Some(session) if needs_no_name(c) => self.reattach(contact, session),
            _ => self.detach(contact),
        }
    }

    /// What gateways report of callbacks, and of customers who are gone.
    pub(super) fn callback_reports(
        &mut self,
        gateway: GatewayId,
        report: &Report,
    ) -> Result<Reply, Refusal> {
        match *report {
            Report::CustomerLeft(contact) => {
                self.of_gateway(contact, gateway)?;
                self.hung_up(contact)?;
            }
            Report::NumberConfirmed { contact, confirmed } => {
                self.of_gateway(contact, gateway)?;
                if self.number_is(contact, confirmed) && confirmed {
                    self.number_known(contact);
                }
            }
            Report::CallbackWanted { contact, confirmed, wanted } => {
                self.of_gateway(contact, gateway)?;
                if let State::Assigned { .. } = self.contact(contact)?.state {
                    let (is, expected) = ("assigned", "with no agent: the agent promises it");
                    return Err(Refusal::WrongState { contact, is, expected });
                }
                let callback = self.plan_callback(contact, wanted, confirmed)?;
                return Ok(self.promise_callback(contact, callback, None));
            }
            Report::OfferAnswered { contact, effect, accepted, confirmed } => {
                self.of_gateway(contact, gateway)?;
                return self.offer_answered(contact, effect, accepted, confirmed);
            }
            Report::CallbackCancelled(contact) => {
                self.of_gateway(contact, gateway)?;
                self.waits_for_call(contact)?;
                self.close(contact, EndReason::CallbackCancelled);
            }
            Report::CallLost(contact) => {
                self.of_gateway(contact, gateway)?;
                let reason = Self::left_because(self.contact(contact)?);
                self.lost(contact, reason);
            }
            Report::Dialled { effect, outcome, code } => {
                let contact = self.effect_of(gateway, effect)?;
                self.dialled(contact, outcome, code);
            }
            _ => {}
        }
        Ok(Reply::Done)
    }

    /// The contact of an effect that was asked of this gateway.
    pub(super) fn effect_of(
        &self,
        gateway: GatewayId,
        effect: EffectId,
    ) -> Result<ContactId, Refusal> {
        let contact = *self.engine.effects.get(&effect).ok_or(Refusal::NoSuchEffect(effect))?;
        if self.contact(contact)?.gateway != gateway {
            return Err(Refusal::NotYourEffect(effect));
        }
        Ok(contact)
    }

    /// Its customer is being called.
    pub(super) fn is_called(&self, contact: ContactId) -> bool {
        self.engine.contact(contact).is_some_and(|c| c.silent().is_some())
    }

    fn waits_for_call(&self, contact: ContactId) -> Result<(), Refusal> {
        let c = self.contact(contact)?;
        let (is, expected) = (c.state.kind().name(), "callback_due");
        c.silent().map(|_| ()).ok_or(Refusal::WrongState { contact, is, expected })
    }

    /// What became of the leg of a customer whom we call. Tells whether it was one.
    pub(super) fn customer_leg(
        &mut self,
        contact: ContactId,
        party: Party,
        outcome: LegOutcome,
        code: u16,
    ) -> bool {
        if !self.is_called(contact) || party != Party::Customer {
            return false;
        }
        let outcome = match outcome {
            LegOutcome::Answered => DialOutcome::Answered,
            LegOutcome::Busy => DialOutcome::Busy,
            LegOutcome::NoAnswer | LegOutcome::Rejected => DialOutcome::NoAnswer,
            LegOutcome::Unreachable | LegOutcome::Failed => DialOutcome::Congestion,
        };
        self.dialled(contact, outcome, code);
        true
    }

    /// The gateway could not call, or not join the agent to a customer who has answered.
    pub(super) fn dial_failed(&mut self, contact: ContactId, code: u16) {
        let Some(c) = self.engine.contact(contact) else { return };
        let State::Connecting { agent, .. } = c.state else { return };
        if c.silent().is_some() {
            return self.dial_over(contact, DialOutcome::Congestion, code);
        }
        let by_name = self.connect_failed(contact, ConnectFault::Gateway);
        self.offer_again(contact, by_name);
        self.agent_freed(agent);
    }

    /// Something is due for one who waits for our call.
    pub(super) fn callback_due(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        let Some(callback) = c.callback.as_deref() else { return };
        let now = Callback { phase: self.phase_of(c, callback), ..callback.clone() };
        self.emit(Event::CallbackStepped(CallbackStepped { contact, now }));
        self.offer_contact(contact);
    }

    /// What is asked of the gateway when an agent takes a call, and how long it may take:
    /// joining the two, or calling the customer as well.
    pub(super) fn legs_of(
        &self,
        c: &Contact,
        reservation: ReservationId,
        agent: AgentId,
    ) -> (Span, EffectKind) {
        let of = self.queue_of(c.queue);
        let join = of.map_or(Span::ZERO, |q| q.connect_timeout);
        match c.silent() {
            None => (join, EffectKind::Connect { reservation, agent }),
            Some(callback) => {
                let CallbackPolicy { mode, ring, .. } = *callback.policy;
                (Span(join.0 + ring.0), EffectKind::Dial { reservation, agent, mode })
            }
        }
    }

    /// Customer first: the agent is free, and is not asked. They are kept so until the
    /// customer answers, or does not.
    pub(super) fn dial_unasked(&mut self, contact: ContactId) {
        let asks = |c: &Contact| c.silent().is_none_or(|cb| cb.policy.mode == DialMode::AgentFirst);
        let Some(c) = self.engine.contact(contact).filter(|c| !asks(c)) else { return };
        let State::Reserved { reservation, agent, .. } = c.state else { return };
        let (within, kind) = self.legs_of(c, reservation, agent);
        let connect_by = Some(self.at + within);
        self.emit(Event::Accepted { contact, reservation, agent, connect_by });
        self.ask_effect(contact, kind);
        self.offer_what_interrupts(agent);
    }

    /// A gateway says what came of dialling.
    pub(super) fn dialled(&mut self, contact: ContactId, outcome: DialOutcome, code: u16) {
        let Some(c) = self.engine.contact(contact) else { return };
        if c.silent().is_none() {
            return;
        }
        if outcome != DialOutcome::Answered {
            return self.dial_over(contact, outcome, code);
        }
        self.emit(Event::Dialled(Dialled { contact, outcome, code }));
        self.steps_to(contact, Phase::OnLine);
    }

    /// A call did not reach the customer: the agent is free again, and it is repeated as the
    /// queue's table says.
    pub(super) fn dial_over(&mut self, contact: ContactId, outcome: DialOutcome, code: u16) {
        let Some(c) = self.engine.contact(contact) else { return };
        let state = c.state;
        self.emit(Event::Dialled(Dialled { contact, outcome, code }));
        let mut freed = None;
        if let State::Connecting { reservation, agent, .. } = state {
            self.settle_effects(contact, Settled::Failed(code), is_connect);
            let (fault, pass_over) = (ConnectFault::CustomerLeg, None);
            self.emit(Event::ConnectFailed { contact, reservation, agent, fault, pass_over });
            freed = Some(agent);
        } else if state.agent().is_some() {
            freed = self.withdraw(contact);
        }
        self.settle_effects(contact, Settled::Withdrawn, |_| true);
        self.try_again(contact, outcome);
        if let Some(agent) = freed {
            self.agent_freed(agent);
        }
    }

    fn steps_to(&mut self, contact: ContactId, phase: Phase) {
        let callback = self.engine.contact(contact).and_then(|c| c.callback.as_deref());
        if let Some(now) = callback.map(|cb| Callback { phase, ..cb.clone() }) {
            self.emit(Event::CallbackStepped(CallbackStepped { contact, now }));
        }
    }

    pub(super) fn try_again(&mut self, contact: ContactId, outcome: DialOutcome) {
        let Some(c) = self.engine.contact(contact) else { return };
        let Some(callback) = c.callback.as_deref() else { return };
        // What was ordered was one call.
        let callback = Callback { ordered: false, ..callback.clone() };
        let row = callback.policy.retry[outcome.index()];
        let phase = if outcome == DialOutcome::Invalid || !c.callable {
            Phase::Exhausted(Exhausted::Invalid)
        } else if callback.tried[outcome.index()] >= row.most {
            Phase::Exhausted(Exhausted::Tried)
        } else {
            self.not_before(c, &callback, self.at + row.after)
        };
        let planned = Callback { phase, ..callback };
        let phase = if planned.is_open() { self.phase_of(c, &planned) } else { phase };
        let now = Callback { phase, ..planned };
        self.emit(Event::CallbackStepped(CallbackStepped { contact, now }));
        self.offer_contact(contact);
    }

    /// A customer and an agent talk: what was owed is kept.
    pub(super) fn reached(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        if c.callback.as_deref().is_none_or(|cb| cb.phase == Phase::Done) {
            return;
        }
        let owed = c.owed;
        self.steps_to(contact, Phase::Done);
        if let Some(promise) = owed {
            self.keep(promise);
        }
    }

    /// The customer hung up. One who waits for our call may: that is what it is for. One who
    /// has answered it and spoken to nobody yet is called again.
    pub(super) fn hung_up(&mut self, contact: ContactId) -> Result<(), Refusal> {
        let c = self.contact(contact)?;
        match c.callback.as_deref().map(|cb| cb.phase) {
            Some(Phase::Done) | None => {
                let reason = Self::left_because(c);
                self.close(contact, reason);
            }
            Some(Phase::OnLine) => self.dial_over(contact, DialOutcome::NoAnswer, 0),
            Some(_) => self.settle_effects(contact, Settled::Withdrawn, is_said),
        }
        Ok(())
    }

    /// A supervisor has one called at once, whatever the table says, first by this agent.
    pub(super) fn plan_call_now(
        &self,
        contact: ContactId,
        agent: Option<AgentId>,
    ) -> Result<Callback, Refusal> {
        let c = self.contact(contact)?;
        let waiting = (c.state == State::CallbackDue).then_some(c.callback.as_deref()).flatten();
        let Some(callback) = waiting.cloned() else {
            let is = c.state.kind().name();
            return Err(Refusal::WrongState { contact, is, expected: "callback_due" });
        };
        if callback.phase == Phase::Exhausted(Exhausted::Invalid) {
            return Err(Refusal::InvalidNumber(contact));
        }
        if let Some(agent) = agent
            && self.named(agent).is_none()
        {
            let name = Arc::from(self.engine.routing.agent_name(agent));
            return Err(Refusal::AgentNotConnected(name));
        }
        // Who is asked for again may be called again at any of their hours.
        let until = callback.until.filter(|until| *until > self.at);
        let tried = [0; 6];
        let phase = Phase::Held { until: self.at };
        let again = Callback { until, tried, phase, ordered: true, ..callback };
        let window = again.window(self.at).filter(|w| w.from <= self.at);
        let expected = "within the hours at which the customer may be called";
        let window = window.ok_or(Refusal::OutOfRange { field: "hours", expected })?;
        let until = Some(window.until).filter(|until| until.0 < u64::MAX);
        Ok(Callback { phase: Phase::Pressing { until }, ..again })
    }

    pub(super) fn call_now(
        &mut self,
        contact: ContactId,
        callback: Callback,
        agent: Option<AgentId>,
    ) {
        self.emit(Event::CallbackStepped(CallbackStepped { contact, now: callback }));
        if let (Some(named), Ok(c)) = (agent.and_then(|a| self.named(a)), self.contact(contact)) {
            let because = super::QueuedBecause::Moved;
            let queued = super::Queued { named: Some(named), ..self.requeued(c, because) };
            self.emit(Event::Queued(queued));
        }
        self.offer_contact(contact);
    }
}

/// Nobody is on its line, or it is no call of the gateway's: the one that is there now takes it
/// over without naming it.
fn needs_no_name(c: &Contact) -> bool {
    let waits = matches!(c.state, State::CallbackDue | State::Reserved { .. });
    waits && c.silent().is_some() || c.is_ours() && c.channel != Channel::Voice
}

/// Words that a customer hears while they wait, as against the last that they hear.
const fn is_said(kind: EffectKind) -> bool {
    matches!(kind, EffectKind::Announce(Announce { ends: None, .. }))
}
