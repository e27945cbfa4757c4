//! An agent's day: how long and how many may be not ready for a reason, longer work after a
//! contact, and the end of a shift.

use std::sync::Arc;

use super::super::agent::{Agent, Hold};
use super::super::contact::State;
use super::super::day::{Hands, LONGEST_SHIFT, Leaving, SignOutStep};
use super::super::event::{Event, Queued, ReasonOverstayed, Released, SignOut, WrapUpExtended};
use super::super::refusal::{Back, Refusal};
use super::super::words::{
    Availability, AvailabilityBecause, EndReason, QueuedBecause, ReleasedBecause,
};
use super::Turn;
use crate::ids::{AgentId, ContactId};
use crate::time::Span;

/// Names told of those who are on a reason.
const NAMED: usize = 5;

impl Turn<'_> {
    /// Who is being signed out does nothing else.
    pub(super) fn check_leaving(&self, agent: AgentId, to: Availability) -> Result<(), Refusal> {
        let leaving = self.engine.agent(agent).is_some_and(Agent::is_leaving);
        if leaving && to != Availability::SignedOut {
            return Err(Refusal::SigningOut(self.engine.routing.agent_name(agent).into()));
        }
        Ok(())
    }

    /// Whether one more of an agent's pool may be on a reason.
    pub(super) fn check_most(&self, agent: AgentId, to: Availability) -> Result<(), Refusal> {
        let Availability::NotReady(reason) = to else { return Ok(()) };
        let (routing, away) = (&self.engine.routing, &self.engine.away);
        let known = routing.not_ready_reasons.get(reason.index());
        let (Some(known), Some(profile)) = (known, routing.agent(agent)) else { return Ok(()) };
        let Some(most) = known.most.map(|most| most.of(away.signed_in(profile.pool))) else {
            return Ok(());
        };
        let pool = profile.pool;
        if (away.beside(agent, pool, reason) as u64) < u64::from(most) {
            return Ok(());
        }
        let others = away.on(pool, reason).filter(|other| *other != agent).take(NAMED);
        let names: Vec<&str> = others.map(|a| routing.agent_name(a)).collect();
        let back = away.first_back(agent, pool, reason).map(|back| back.since(self.at));
        Err(Refusal::ReasonFull {
            reason: Arc::clone(&known.name),
            most,
            who: names.join(", ").into(),
            back: Back(back),
        })
    }

    /// The reason has lasted too long: told, and nothing else.
    pub(super) fn overstayed(&mut self, agent: AgentId) {
        if let Some(Availability::NotReady(reason)) =
            self.engine.agent(agent).map(|a| a.availability)
        {
            self.emit(Event::ReasonOverstayed(ReasonOverstayed { agent, reason }));
        }
    }

    /// Gives an agent longer for the work after a contact, as far as its queue lets them.
    pub(super) fn extend_wrap_up(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        by: Span,
        why: Option<&Arc<str>>,
    ) -> Result<(), Refusal> {
        let work = self.engine.agent(agent).and_then(|a| a.work_on(contact)).copied();
        let work = work.ok_or(Refusal::NoWrapUp(contact))?;
        let Hold::WrapUp { since, until } = work.hold else {
            return Err(Refusal::NoWrapUp(contact));
        };
        let most = self.queue_of(work.queue).map_or(Span::ZERO, |q| q.wrap_up_most);
        let extended = until + by;
        if by == Span::ZERO || extended.since(since) > most {
            let expected = "more than nothing, and the work after a contact no longer than its \
                            queue's wrap_up_most";
            return Err(Refusal::OutOfRange { field: "by", expected });
        }
        if let Some(why) = why {
            self.order(why);
        }
        self.emit(Event::WrapUpExtended(WrapUpExtended { agent, contact, until: extended }));
        Ok(())
    }

    /// A supervisor ends or extends the work after a contact.
    pub(super) fn order_wrap_up(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        by: Option<Span>,
        why: &Arc<str>,
    ) -> Result<(), Refusal> {
        if let Some(by) = by {
            return self.extend_wrap_up(agent, contact, by, Some(why));
        }
        self.in_wrap_up(agent, contact)?;
        self.order(why);
        self.emit(Event::WrapUpEnded { agent, contact });
        self.agent_freed(agent);
        Ok(())
    }

    /// A supervisor signs an agent out, now or at the end of their shift.
    pub(super) fn sign_out(
        &mut self,
        agent: AgentId,
        after: Option<Span>,
        hands: Hands,
        why: &Arc<str>,
    ) -> Result<(), Refusal> {
        let a = self.engine.agent(agent).ok_or(Refusal::NoSuchAgent(agent))?;
        if a.availability == Availability::SignedOut {
            let name = self.engine.routing.agent_name(agent).into();
            return Err(Refusal::AgentNotConnected(name));
        }
        let Some(after) = after else {
            if a.leaving.is_some() {
                self.order(why);
                self.emit(Event::SignOut(SignOut { agent, step: SignOutStep::TakenBack }));
                self.agent_freed(agent);
            }
            return Ok(());
        };
        if after > LONGEST_SHIFT {
            return Err(Refusal::OutOfRange { field: "after", expected: "at most 24 hours" });
        }
        let because = match after {
            Span::ZERO => AvailabilityBecause::Supervisor,
            _ => AvailabilityBecause::ShiftOver,
        };
        let at = self.at + after;
        self.order(why);
        self.emit(Event::SignOut(SignOut {
            agent,
            step: SignOutStep::Ordered { at, hands, because },
        }));
        if after == Span::ZERO {
            self.leaving_due(agent);
        }
        Ok(())
    }

    /// The time has come: nothing more for them, and what they have goes as was ordered.
    pub(super) fn leaving_due(&mut self, agent: AgentId) {
        let Some(Leaving { hands, .. }) = self.engine.agent(agent).and_then(|a| a.leaving) else {
            return;
        };
        self.emit(Event::SignOut(SignOut { agent, step: SignOutStep::Begun }));
        self.give_back_reserved(agent);
        self.open_named(agent);
        if hands == Hands::Requeue {
            self.give_back_all_connecting(agent);
            let with = |h| h == Hold::Assigned;
            while let Some(contact) = self.first_work(agent, with) {
                self.take_from(agent, contact);
            }
            self.end_wrap_ups(agent);
        }
        self.agent_freed(agent);
    }

    fn give_back_all_connecting(&mut self, agent: AgentId) {
        while let Some(contact) = self.first_work(agent, |h| h == Hold::Connecting) {
            self.give_back_connecting(contact);
        }
    }

    /// Takes a contact from an agent who is gone or has to go: to the colleague who is on it
    /// with them, or else to somebody else at its place.
    pub(super) fn take_from(&mut self, agent: AgentId, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        if !matches!(c.state, State::Assigned { agent: of, .. } if of == agent) {
            return;
        }
        if c.parent.is_some() {
            return self.close(contact, EndReason::ConsultCancelled);
        }
        if let Some((child, to)) = self.heir(contact) {
            return self.hand_over(contact, child, agent, to, None);
        }
        self.let_go(contact);
        let Some(c) = self.engine.contact(contact) else { return };
        let because = ReleasedBecause::AgentGone;
        let released = Some(Released { agent, because, wrap_up: None });
        let queued = self.requeued(c, QueuedBecause::AgentGone);
        self.emit(Event::Queued(Queued { released, ..queued }));
        self.offer_contact(contact);
    }
}
