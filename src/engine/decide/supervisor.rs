//! What supervisors order. Each order is journaled with its reason before what it does.

use std::sync::Arc;

use super::super::agent::Presence;
use super::super::command::{Order, Reply};
use super::super::contact::{Contact, State};
use super::super::event::{Event, Queued, RecoveryNews, Released, Settled};
use super::super::recall::{ReturnedBecause, SelfService};
use super::super::refusal::Refusal;
use super::super::words::{
    Availability, AvailabilityBecause, EndReason, Excluded, QueuedBecause, ReleasedBecause,
};
use super::{A_DAY, Turn, place};
use crate::ids::{AgentId, ContactId};
use crate::time::{Place, Span};

/// Longest reason that is kept.
pub(super) const MOST_WHY: usize = 512;

impl Turn<'_> {
    pub(super) fn supervisor_orders(
        &mut self,
        order: &Order,
        why: &Arc<str>,
    ) -> Result<Reply, Refusal> {
        if why.len() > MOST_WHY {
            return Err(Refusal::OutOfRange { field: "why", expected: "at most 512 bytes" });
        }
        match order {
            &Order::Move { contact, queue } => {
                let c = self.movable(contact)?;
                let queued = self.moved_to(c, queue, QueuedBecause::Moved);
                self.check_target(self.contact(contact)?.channel, &queued)?;
                self.order(why);
                self.put_back(queued);
            }
            &Order::Requeue(contact) => {
                let c = self.movable(contact)?;
                check_stands(c)?;
                let queued = self.requeued(c, QueuedBecause::Moved);
                self.order(why);
                self.put_back(queued);
            }
            &Order::Reprioritise { contact, head_start } => {
                self.reprioritise(contact, head_start, why)?;
            }
            &Order::Close(contact) => {
                let consult = self.contact(contact)?.parent.is_some();
                self.order(why);
                let reason =
                    if consult { EndReason::ConsultCancelled } else { EndReason::Supervisor };
                self.close(contact, reason);
            }
            &Order::SetAgent { agent, to } => self.set_agent(agent, to, why)?,
            &Order::Pull { contact, agent } => self.pull(contact, agent, why)?,
            &Order::SignOut { agent, after, hands } => self.sign_out(agent, after, hands, why)?,
            &Order::WrapUp { agent, contact, by } => {
                self.order_wrap_up(agent, contact, by, why)?;
            }
            Order::Listen { contact, listener, part } => {
                self.listen(*contact, listener, *part, why)?;
            }
            Order::StopListening { contact, listener } => {
                self.stop_listening(*contact, listener, why)?;
            }
            Order::Bulk { filter, action, contacts } => {
                return self.order_bulk(filter, *action, contacts, why);
            }
            Order::CancelBulk(order) => self.cancel_bulk(*order, why)?,
            other => return self.owes_by_order(other, why),
        }
        Ok(Reply::Done)
    }

    pub(super) fn order(&mut self, why: &Arc<str>) {
        self.emit(Event::Ordered { why: Arc::clone(why) });
    }

    /// What a supervisor orders to be done for customers later.
    fn owes_by_order(&mut self, order: &Order, why: &Arc<str>) -> Result<Reply, Refusal> {
        match order {
            &Order::CallBack { contact, wanted } => {
                let callback = self.plan_callback(contact, wanted, false)?;
                self.order(why);
                return Ok(self.promise_callback(contact, callback, None));
            }
            &Order::CallNow { contact, agent } => {
                let callback = self.plan_call_now(contact, agent)?;
                self.order(why);
                self.call_now(contact, callback, agent);
            }
            Order::Promise(pledge) => {
                let promise = self.plan_promise(pledge, None)?;
                self.order(why);
                return Ok(self.make_promise(promise));
            }
            &(Order::KeepPromise(promise) | Order::BreakPromise(promise)) => {
                self.check_promise(promise, None)?;
                self.order(why);
                self.say_over(promise, matches!(order, Order::KeepPromise(_)));
            }
            Order::OpenRecovery(remedy) => {
                let recovery = self.plan_recovery(remedy, None)?;
                self.order(why);
                return Ok(self.open_recovery(recovery));
            }
            &Order::ReassignRecovery { recovery, owner } => {
                let recovery = self.plan_reassign(recovery, owner)?;
                self.recovery_is(recovery, why);
            }
            &Order::ApproveRecovery(recovery) => {
                let recovery = self.plan_approve(recovery)?;
                self.recovery_is(recovery, why);
            }
            &Order::RecoveryDone(recovery) => {
                let recovery = self.plan_done(recovery, None)?;
                self.recovery_is(recovery, why);
            }
            _ => {}
        }
        Ok(Reply::Done)
    }

    fn recovery_is(&mut self, recovery: RecoveryNews, why: &Arc<str>) {
        self.order(why);
        self.emit(Event::RecoverySet(recovery));
    }

    fn movable(&self, contact: ContactId) -> Result<&Contact, Refusal> {
        let c = self.contact(contact)?;
        match c.parent {
            Some(_) => Err(Refusal::ConsultOpen(contact)),
            None => Ok(c),
        }
    }

    /// Gives a waiting contact to an agent: reserved for them if they have room, or kept.
    fn pull(&mut self, contact: ContactId, agent: AgentId, why: &Arc<str>) -> Result<(), Refusal> {
        let c = self.movable(contact)?;
        if matches!(c.state, State::Assigned { .. } | State::Connecting { .. }) {
            let (is, expected) = (c.state.kind().name(), "one that waits");
            return Err(Refusal::WrongState { contact, is, expected });
        }
        check_stands(c)?;
        if c.state.agent() == Some(agent) {
            return Err(Refusal::SameAgent(self.engine.routing.agent_name(agent).into()));
        }
        let named = Some(self.kept_by(agent, c.channel)?);
        let queued = Queued { named, ..self.requeued(c, QueuedBecause::Moved) };
        self.check_target(c.channel, &queued)?;
        self.order(why);
        self.put_back(queued);
        Ok(())
    }

    /// Takes a contact from whoever has it and queues it.
    pub(super) fn put_back(&mut self, queued: Queued) {
        let contact = queued.contact;
        let ringing = self.may_ring(contact);
        self.everyone_off(contact);
        self.drop_consult(contact);
        let mut freed = self.withdraw(contact);
        self.settle_effects(contact, Settled::Withdrawn, |_| true);
        self.take_out(contact);
        let Some(c) = self.engine.contact(contact) else { return };
        let (mut released, mut pass_over) = (None, None);
        if let State::Assigned { agent, .. } = c.state {
            let wrap_up = self.wrap_up(c.queue);
            released = Some(Released { agent, because: ReleasedBecause::Moved, wrap_up });
            // Taken away is not given back.
            pass_over = self.pass_over_until().map(|until| Excluded { agent, until });
            freed = Some(agent);
        }
        self.emit(Event::Queued(Queued { released, pass_over, ..queued }));
        if !ringing {
            self.rehour(contact);
        }
        self.offer_unless_rung(contact, ringing);
        if let Some(agent) = freed {
            self.agent_freed(agent);
        }
    }

    /// Out of self-service, for whatever a supervisor wants instead.
    pub(super) fn take_out(&mut self, contact: ContactId) {
        let served = self.engine.contact(contact).and_then(super::Contact::self_service);
        if let Some(SelfService { recall, tier, .. }) = served {
            let because = ReturnedBecause::Supervisor;
            self.emit(Event::Returned { contact, recall, tier, because });
        }
    }

    fn reprioritise(
        &mut self,
        contact: ContactId,
        head_start: Span,
        why: &Arc<str>,
    ) -> Result<(), Refusal> {
        if head_start > A_DAY {
            let expected = "at most 24 hours";
            return Err(Refusal::OutOfRange { field: "head_start", expected });
        }
        let place = self.place_ahead(self.movable(contact)?, head_start);
        self.order(why);
        self.emit(Event::Reprioritised { contact, head_start, place });
        Ok(())
    }

    /// A contact's place with another head start beyond its queue's.
    pub(super) fn place_ahead(&self, c: &Contact, head_start: Span) -> Place {
        let of_queue = self.queue_of(c.queue).map_or(Span::ZERO, |q| q.head_start);
        place(c.arrived, &[of_queue, head_start, c.waited_before, c.stage.raised, c.care.ahead])
    }

    fn set_agent(
        &mut self,
        agent: AgentId,
        to: Availability,
        why: &Arc<str>,
    ) -> Result<(), Refusal> {
        self.check_availability(to)?;
        let a = self.engine.agent(agent).ok_or(Refusal::NoSuchAgent(agent))?;
        if a.presence == Presence::Absent {
            let name = self.engine.routing.agent_name(agent).into();
            return Err(Refusal::AgentNotConnected(name));
        }
        self.check_leaving(agent, to)?;
        self.check_hands(agent, to)?;
        self.order(why);
        self.become_available(agent, to, AvailabilityBecause::Supervisor)
    }
}

/// Whether a contact can be offered to anybody: one that is to be called later, or is on the
/// supervisors' list, cannot.
pub(super) fn check_stands(c: &Contact) -> Result<(), Refusal> {
    match c.silent() {
        Some(callback) if !callback.is_in_line() => {
            let (is, expected) = (callback.phase.name(), "in line: CallNow has them called");
            Err(Refusal::WrongState { contact: c.id, is, expected })
        }
        _ => Ok(()),
    }
}
