//! Bringing contacts and agents together. See `floor` for what makes it cheap, and
//! `docs/routing.md` for the rules in order.

use super::super::ONE_SHARE;
use super::super::choice::{choose, of_agents};
use super::super::contact::Contact;
use super::super::event::{Event, Reserved, Rule, Trigger, Why};
use super::super::floor::{IdleKeys, Stand};
use super::super::rank::Asked;
use super::super::store::hash_of;
use super::super::words::{EndReason, ServiceClass};
use super::Turn;
use crate::ids::{AgentId, ContactId, ReservationId};

/// Contacts found detached, or not to be called any more, in one search, after which it is cut
/// short and goes on with the next tick.
const MOST_STRAY: usize = 512;

/// A contact that an agent is to get, and why.
struct Chosen {
    contact: ContactId,
    trigger: Trigger,
    why: Why,
    /// Async contacts waited too and were passed over.
    async_passed: bool,
}

impl Turn<'_> {
    /// Looks for an agent for a contact that has just begun to wait.
    pub(super) fn offer_contact(&mut self, contact: ContactId) {
        self.look_at_sharing();
        if self.hold_back(contact) {
            return;
        }
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact) else { return };
        let stand = engine.stand_of(contact);
        if !engine.is_attached(c) || engine.counts.paused {
            return;
        }
        if stand != Stand::Off && self.must_not_call(c) {
            return self.callback_due(contact);
        }
        let (trigger, async_passed) = (Trigger::Contact, false);
        match stand {
            Stand::Off => {}
            Stand::Named(agent) => {
                if engine.has_room(agent, c.channel) {
                    let (trigger, why) = (Trigger::Named, Why::plain(Rule::Kept));
                    self.reserve(agent, 0, Chosen { contact, trigger, why, async_passed });
                }
            }
            Stand::Line(..) if c.has_fallen_silent() => self.ask_for(contact),
            Stand::Line(..) => {
                if let Some((agent, rank)) = self.last_agent(c, stand) {
                    let why = Why::plain(Rule::Sticky);
                    return self.reserve(
                        agent,
                        rank,
                        Chosen { contact, trigger, why, async_passed },
                    );
                }
                // State alone: whoever decides this again decides the same.
                let lot = hash_of(&(contact, engine.counts.last_reservation));
                let passes_over = |c, a| engine.passes_over(c, a);
                let is_let = |apart, partner| engine.is_let(apart, partner, self.at);
                let found = engine.floor.agent_for(c, stand, lot, passes_over, is_let);
                if let Some((rank, agent)) = found {
                    let queue = engine.routing.queue(c.queue);
                    let by = queue.map(|q| of_agents(q.policy.agent_choice, c.channel));
                    let why = Why::plain(by.unwrap_or(Rule::LongestIdle));
                    self.reserve(agent, rank, Chosen { contact, trigger, why, async_passed });
                }
            }
        }
    }

    /// Whom a contact's customer last had, with their rank, if they can take it now. Not for
    /// one that comes back from an agent: who had it sent it elsewhere.
    pub(super) fn last_agent(&self, c: &Contact, stand: Stand) -> Option<(AgentId, u16)> {
        let engine = &*self.engine;
        let queue = engine.routing.queue(c.queue)?;
        if c.answered.is_some() || c.parent.is_some() {
            return None;
        }
        let of_thread = self.of_thread(c, queue);
        let agent = match of_thread {
            Some(agent) => agent,
            None => engine.sticky.agent(self.at, c.customer?, queue.policy.sticky)?,
        };
        let free = engine.has_room(agent, c.channel)
            && !engine.passes_over(c.id, agent)
            && engine.may_have(agent, c, self.at);
        free.then_some(agent).zip(engine.floor.rank(agent, stand))
    }

    /// Gives an agent contacts as long as there are any that they can take.
    pub(super) fn offer_agent(&mut self, agent: AgentId) {
        self.look_at_sharing();
        let mut stray = 0;
        while !self.engine.counts.paused {
            let Some(chosen) = self.best_for(agent) else { return };
            let contact = chosen.contact;
            let c = self.engine.contact(contact);
            let attached = c.is_some_and(|c| self.engine.is_attached(c));
            let late = c.is_some_and(|c| self.must_not_call(c));
            if (late || !attached) && stray == MOST_STRAY {
                self.engine.agenda.hungry.add(agent);
                return;
            }
            stray += usize::from(late || !attached);
            if late {
                // Its hours ended, and its timer has not come round yet.
                self.callback_due(contact);
            } else if !attached {
                // Its gateway is gone, and the sweep has not come to it yet.
                self.emit(Event::Detached(contact));
            } else if c.is_some_and(Contact::has_fallen_silent) {
                self.ask_presence(contact, agent);
            } else {
                let rank = self.engine.floor.rank(agent, self.engine.stand_of(contact));
                self.reserve(agent, rank.unwrap_or_default(), chosen);
            }
        }
    }

    /// After an agent took a contact: now it may be interrupted.
    pub(super) fn offer_what_interrupts(&mut self, agent: AgentId) {
        if self.engine.routing.agent(agent).is_some_and(|p| p.workload.interrupts_any()) {
            self.offer_agent(agent);
        }
    }

    /// The best contact for an agent: safety before live before async, which has its
    /// share; within one, those kept for the agent first, then as the policy chooses.
    fn best_for(&self, agent: AgentId) -> Option<Chosen> {
        let engine = &*self.engine;
        let channels = engine.idle_keys(agent);
        if channels.is_empty() {
            return None;
        }
        let of = |service| {
            let kept = self.kept_for(agent, service, channels);
            kept.or_else(|| self.in_line_for(agent, service, channels))
        };
        if let Some(chosen) = of(ServiceClass::Safety) {
            return Some(chosen);
        }
        let Some(live) = of(ServiceClass::Live) else { return of(ServiceClass::Async) };
        if engine.counts.async_owed >= ONE_SHARE
            && let Some(later) = of(ServiceClass::Async)
        {
            return Some(Chosen { trigger: Trigger::AsyncShare, ..later });
        }
        let service = ServiceClass::Async;
        let passes_over = |c, a| engine.passes_over(c, a);
        let is_let = |apart, partner| engine.is_let(apart, partner, self.at);
        let async_passed = self.kept_for(agent, service, channels).is_some()
            || engine.floor.is_wanted(agent, service, channels, passes_over, is_let);
        Some(Chosen { async_passed, ..live })
    }

    /// The oldest place among those kept for an agent.
    fn kept_for(&self, agent: AgentId, service: ServiceClass, on: IdleKeys) -> Option<Chosen> {
        let engine = &*self.engine;
        let mut kept = engine.floor.named_for(agent).map(|(_, c)| c);
        let contact = kept.find(|c| {
            engine
                .contact(*c)
                .is_some_and(|c| c.service == service && on.has(c.channel) && engine.is_attached(c))
        })?;
        let (trigger, why) = (Trigger::Named, Why::plain(Rule::Kept));
        Some(Chosen { contact, trigger, why, async_passed: false })
    }

    /// What the policy chooses for an agent among those in line.
    fn in_line_for(&self, agent: AgentId, service: ServiceClass, on: IdleKeys) -> Option<Chosen> {
        let engine = &*self.engine;
        let passes_over = |c, a| engine.passes_over(c, a);
        let is_let = |apart, partner| engine.is_let(apart, partner, self.at);
        let mut queues = engine.floor.queues_for(agent, service, on, passes_over, is_let);
        let stood_back = self.shares(agent, service, &mut queues);
        let (found, mut why) = choose(&engine.routing, self.at, &queues)?;
        if stood_back && queues.len() == 1 {
            why.rule = Rule::Sharing;
        }
        let (contact, trigger) = (found.next.contact, Trigger::Agent);
        Some(Chosen { contact, trigger, why, async_passed: false })
    }

    /// What was kept for an agent who is gone is open to all at once.
    pub(super) fn open_named(&mut self, agent: AgentId) {
        let kept: Vec<ContactId> = self.engine.floor.named_for(agent).map(|(_, c)| c).collect();
        for contact in kept {
            self.no_longer_named(contact);
        }
    }

    /// A contact was kept for one agent long enough, or in vain.
    pub(super) fn no_longer_named(&mut self, contact: ContactId) {
        if self.asks_by_name(contact) {
            self.close(contact, EndReason::ConsultCancelled);
        } else {
            self.emit(Event::OpenedToAll(contact));
            self.offer_contact(contact);
        }
    }

    fn reserve(&mut self, agent: AgentId, rank: u16, chosen: Chosen) {
        let engine = &*self.engine;
        let contact = chosen.contact;
        let (Some(c), Some(a)) = (engine.contact(contact), engine.agent(agent)) else { return };
        let (Some(queue), Some(profile)) =
            (engine.routing.queue(c.queue), engine.routing.agent(agent))
        else {
            return;
        };
        let (asks, stand) = (queue.care.liveness.is_some(), engine.stand_of(contact));
        let load = u16::try_from(a.load(profile) / 1000).unwrap_or(u16::MAX);
        let (proficiency, lacks) = engine.floor.suits(agent, Asked::of(c));
        let backlog = engine.floor.backlog(c.queue, c.service);
        self.emit(Event::Reserved(Reserved {
            contact,
            reservation: ReservationId(engine.counts.last_reservation + 1),
            agent,
            deadline: self.at + queue.reservation_timeout,
            trigger: chosen.trigger,
            rank,
            idle: self.at.since(a.idle_since),
            load,
            waited: c.waited(self.at),
            async_passed: chosen.async_passed,
            why: Why { proficiency, lacks, backlog, ..chosen.why },
        }));
        self.hold_others(contact);
        if asks {
            self.ask_next(stand, agent);
        }
        self.dial_unasked(contact);
    }
}
