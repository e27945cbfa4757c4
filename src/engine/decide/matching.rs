//! Bringing contacts and agents together. See `floor` for what makes it cheap.

use super::super::event::{Event, Reserved, Trigger};
use super::super::floor::Stand;
use super::super::words::{Channel, ServiceClass};
use super::super::ONE_SHARE;
use super::Turn;
use crate::ids::{AgentId, ContactId, ReservationId};

/// Contacts found detached in one search, after which it is cut short and goes on with the next tick.
const MOST_DETACHED: usize = 512;

impl Turn<'_> {
    /// Looks for an agent for a contact that has just begun to wait.
    pub(super) fn offer_contact(&mut self, contact: ContactId) {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact) else { return };
        let stand = engine.stand_of(contact);
        if !engine.is_attached(c) || engine.counts.paused {
            return;
        }
        match stand {
            Stand::Off => {}
            Stand::Named(agent) => {
                if engine.has_room(agent, c.channel) {
                    self.reserve(contact, agent, Trigger::Named, 0, false);
                }
            }
            Stand::Line(..) => {
                let found = engine.floor.agent_for(c, stand, |c, a| engine.passes_over(c, a));
                if let Some((rank, idle)) = found {
                    self.reserve(contact, idle.agent, Trigger::Contact, rank, false);
                }
            }
        }
    }

    /// Gives an agent contacts as long as there are any that they can take.
    pub(super) fn offer_agent(&mut self, agent: AgentId) {
        let mut detached = 0;
        while !self.engine.counts.paused {
            let Some((contact, trigger, async_passed)) = self.best_for(agent) else { return };
            let attached = self.engine.contact(contact).is_some_and(|c| self.engine.is_attached(c));
            if attached {
                let rank = self.engine.floor.rank(agent, self.engine.stand_of(contact));
                self.reserve(contact, agent, trigger, rank.unwrap_or_default(), async_passed);
            } else if detached < MOST_DETACHED {
                // Its gateway is gone, and the sweep has not come to it yet.
                self.emit(Event::Detached(contact));
                detached += 1;
            } else {
                self.engine.agenda.hungry.push_back(agent);
                return;
            }
        }
    }

    /// The best contact for an agent: safety before live before async, which has its
    /// share; within one, those kept for the agent first, then the oldest place.
    fn best_for(&self, agent: AgentId) -> Option<(ContactId, Trigger, bool)> {
        let engine = &*self.engine;
        let channels = Channel::ALL.map(|channel| engine.has_room(agent, channel));
        if channels == [false; 4] {
            return None;
        }
        let in_line = |service| {
            let passes_over = |c, a| engine.passes_over(c, a);
            engine.floor.contact_for(agent, service, channels, passes_over).map(|f| f.contact)
        };
        let named = |service| {
            engine.floor.named_for(agent).map(|(_, c)| c).find(|c| {
                engine.contact(*c).is_some_and(|c| {
                    c.service == service && channels[c.channel.index()] && engine.is_attached(c)
                })
            })
        };
        let of = |service| {
            named(service)
                .map(|c| (c, Trigger::Named))
                .or_else(|| in_line(service).map(|c| (c, Trigger::Agent)))
        };
        if let Some((contact, trigger)) = of(ServiceClass::Safety) {
            return Some((contact, trigger, false));
        }
        let live = of(ServiceClass::Live);
        let later = of(ServiceClass::Async);
        match (live, later) {
            (Some(_), Some((contact, _))) if engine.counts.async_owed >= ONE_SHARE => {
                Some((contact, Trigger::AsyncShare, false))
            }
            (Some((contact, trigger)), later) => Some((contact, trigger, later.is_some())),
            (None, later) => later.map(|(contact, trigger)| (contact, trigger, false)),
        }
    }

    fn reserve(
        &mut self,
        contact: ContactId,
        agent: AgentId,
        trigger: Trigger,
        rank: u16,
        async_passed: bool,
    ) {
        let engine = &*self.engine;
        let (Some(c), Some(a)) = (engine.contact(contact), engine.agent(agent)) else { return };
        let (Some(queue), Some(profile)) =
            (engine.routing.queue(c.queue), engine.routing.agent(agent))
        else {
            return;
        };
        let load = u16::try_from(a.load(profile) / 1000).unwrap_or(u16::MAX);
        self.emit(Event::Reserved(Reserved {
            contact,
            reservation: ReservationId(engine.counts.last_reservation + 1),
            agent,
            deadline: self.at + queue.reservation_timeout,
            trigger,
            rank,
            idle: self.at.since(a.idle_since),
            load,
            waited: c.waited(self.at),
            async_passed,
        }));
    }
}
