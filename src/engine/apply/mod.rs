//! Applying events: the only code that changes state. It cannot fail and decides nothing.
//!
//! What is derived (lines, timers, indexes, hashes) is taken out before a change and
//! entered again after it, in one place for contacts and one for agents, so that no
//! event can forget a part of it.

mod amend;
mod callback;
mod care;
mod contact;
mod effects;
mod lane;
mod missed;
mod people;
mod recall;
mod stage;
mod tiers;

pub(super) use lane::Late;

use std::sync::Arc;

use super::agent::{Agent, Hold, Presence, Work};
use super::away::{Away, Seen};
use super::contact::Contact;
use super::event::{Event, HoursChanged};
use super::floor::{IdleKeys, Staff, Stand};
use super::gateway::{Gateway, Sweep};
use super::line::Spot;
use super::routing::Routing;
use super::sharing::InHand;
use super::store::{Filed, hash_of};
use super::words::{Availability, AvailabilityBecause, Channel};
use super::{Engine, Standing};
use crate::ids::{AgentId, ContactId, GatewayId, QueueId, RecallId, ReservationId};
use crate::time::EngineTime;
use tiers::WithPartner;

impl Engine {
    /// Applies one event.
    pub fn apply(&mut self, at: EngineTime, event: &Event) {
        self.now = at;
        match event {
            Event::Configured(routing) => self.configured(routing),
            Event::GatewayRegistered { .. }
            | Event::GatewayConnected { .. }
            | Event::GatewayLost { .. }
            | Event::GatewayResynced { .. } => self.apply_to_gateway(event),
            Event::AgentConnected { agent, session } => {
                self.counts.last_session = session.0;
                self.change_agent(*agent, |a| a.presence = Presence::Connected(*session));
            }
            Event::AgentLost { agent, grace } => {
                self.change_agent(*agent, |a| a.presence = Presence::Lost { until: *grace });
            }
            Event::AvailabilityChanged { agent, to, because } => {
                self.availability_changed(at, *agent, *to, *because);
            }
            Event::NextSet { agent, next } => self.change_agent(*agent, |a| a.next = *next),
            Event::PhoneUnreachable(agent) => {
                self.change_agent(*agent, |a| a.phone_unreachable = true);
            }
            Event::WrapUpEnded { agent, contact } => self.drop_work(at, *agent, *contact),
            Event::ReservationsPaused { paused } => self.counts.paused = *paused,
            Event::HoursChanged(HoursChanged { calendar, now }) => {
                self.hours_changed(*calendar, now.clone());
            }
            Event::Restarted { missed, .. } => self.missed(*missed),
            Event::Unchanged { .. }
            | Event::Ordered { .. }
            | Event::ReplyCame(_)
            | Event::FeedbackGiven(_)
            | Event::Coded { .. } => {}
            _ => self.apply_elsewhere(at, event),
        }
    }

    /// Events that are somebody's business.
    fn apply_elsewhere(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::RecallStarted { .. }
            | Event::LevelChanged { .. }
            | Event::LevelFreed { .. }
            | Event::LevelPressed { .. }
            | Event::RecallEnded { .. }
            | Event::PartnersSet(_)
            | Event::BreakerSet(_)
            | Event::Triaged { .. }
            | Event::Diverted { .. }
            | Event::Stepped { .. }
            | Event::Returned { .. }
            | Event::WordsAsked { .. }
            | Event::WordsRead { .. }
            | Event::FollowUpOpened(_) => self.apply_to_recall(at, event),
            Event::NumberConfirmed(_)
            | Event::CallbackPromised(_)
            | Event::CallbackStepped(_)
            | Event::Dialled(_)
            | Event::PromiseMade(_)
            | Event::PromiseSet(_)
            | Event::PromiseOpened(_)
            | Event::RecoveryOpened(_)
            | Event::RecoverySet(_) => self.apply_to_callback(at, event),
            Event::InputReceived(_)
            | Event::PlaceKept(_)
            | Event::Advanced(_)
            | Event::Linked(_)
            | Event::HeldBack(_)
            | Event::HoldEnded(_)
            | Event::FellSilent(_)
            | Event::PresenceAsked(_)
            | Event::PresenceAssumed(_)
            | Event::WentSilent(_) => self.apply_to_care(at, event),
            Event::Amended(_) | Event::Rechecked(_) | Event::KeysPressed { .. } => {
                self.apply_to_amends(event);
            }
            Event::Safety(_) | Event::Alarm(_) => self.apply_to_lane(event),
            Event::ReasonOverstayed(_)
            | Event::SignOut(_)
            | Event::WrapUpExtended(_)
            | Event::OutsideCall(_)
            | Event::Participant(_)
            | Event::Bulk(_)
            | Event::Shared(_) => self.apply_to_people(at, event),
            _ => self.apply_to_contact(at, event),
        }
    }

    fn apply_to_gateway(&mut self, event: &Event) {
        match event {
            Event::GatewayRegistered { gateway, name } => {
                debug_assert_eq!(gateway.index(), self.gateways.len());
                self.gateways.push(Gateway::new(Arc::clone(name)));
            }
            Event::GatewayConnected { gateway, session, limits } => {
                self.counts.last_session = session.0;
                self.change_gateway(*gateway, |g| {
                    g.session = Some(*session);
                    g.limits = *limits;
                    g.sweep = Sweep::Detach;
                });
            }
            Event::GatewayLost { gateway } => self.change_gateway(*gateway, |g| {
                g.session = None;
                g.sweep = Sweep::Detach;
            }),
            Event::GatewayResynced { gateway } => self.change_gateway(*gateway, |g| {
                g.sweep = g.session.map_or(Sweep::Detach, Sweep::CloseLost);
            }),
            _ => {}
        }
    }

    fn change_gateway(&mut self, id: GatewayId, change: impl FnOnce(&mut Gateway)) {
        match self.gateways.get_mut(id.index()) {
            Some(gateway) => change(gateway),
            None => debug_assert!(false, "an event about unknown gateway {id}"),
        }
    }

    fn availability_changed(
        &mut self,
        at: EngineTime,
        agent: AgentId,
        to: Availability,
        because: AvailabilityBecause,
    ) {
        let over_at = self.over_at(at, to);
        self.change_agent(agent, |a| {
            a.availability = to;
            a.since = at;
            (a.over_at, a.overstayed) = (over_at, false);
            if to == Availability::SignedOut {
                a.leaving = None;
            }
            // Not answering does not undo what the agent wants to come next.
            if because != AvailabilityBecause::RingNoAnswer {
                a.next = None;
            }
            a.missed = 0;
            if to == Availability::Ready {
                a.phone_unreachable = false;
                a.idle_since = at;
            }
            if because == AvailabilityBecause::ConnectionLost {
                a.presence = Presence::Absent;
            }
        });
    }

    fn configured(&mut self, routing: &Arc<Routing>) {
        self.routing = Arc::clone(routing);
        self.reloaded = ReservationId(self.counts.last_reservation);
        self.hashes.routing = hash_of(routing);
        self.sticky.configure(routing.longest_sticky());
        for index in self.agents.len()..routing.agents.len() {
            let agent = Agent::absent(AgentId(u32::try_from(index).unwrap_or(u32::MAX)));
            let hash = hash_of(&agent);
            self.hashes.agents ^= hash;
            self.agents.push(agent);
            self.standings.push(Standing { hash, ..Standing::default() });
        }
        self.configure_floor();
    }

    /// Makes profiles and eligibility anew, after a change of who may serve what.
    pub(super) fn configure_floor(&mut self) {
        self.in_hand = InHand::counted(&self.agents, &self.routing);
        let mut kept: Vec<AgentId> = self
            .recalls
            .iter()
            .filter(|r| !r.over)
            .flat_map(|r| r.plan.safety.kept.iter().copied())
            .collect();
        kept.sort_unstable();
        self.connect_shared();
        self.away = Away::of(&self.agents, &self.routing);
        self.floor.configure(&self.routing, |agent| kept.binary_search(&agent).is_ok());
        for (agent, standing) in self.agents.iter().zip(&mut self.standings) {
            if let Some(profile) = self.routing.agent(agent.id) {
                standing.idle = IdleKeys::of(agent, profile);
                standing.staff = Staff::of(agent, profile);
                self.floor.idle_changed(agent.id, IdleKeys::default(), standing.idle);
                self.floor.staff_changed(agent.id, Staff::default(), standing.staff);
            }
        }
    }

    /// The one place where an agent changes.
    fn change_agent(&mut self, id: AgentId, change: impl FnOnce(&mut Agent)) {
        let (Some(agent), Some(profile), Some(stood)) = (
            self.agents.get_mut(id.index()),
            self.routing.agent(id),
            self.standings.get_mut(id.index()),
        ) else {
            debug_assert!(false, "an event about unknown agent {id}");
            return;
        };
        let seen = Seen::of(agent);
        self.timers.remove_agent(agent);
        let shares = !self.routing.sharings.is_empty();
        if shares {
            self.in_hand.leave(profile.pool, &agent.work);
        }
        change(agent);
        if shares {
            self.in_hand.enter(profile.pool, &agent.work);
        }
        self.timers.enter_agent(agent);
        let now = Standing {
            idle: IdleKeys::of(agent, profile),
            staff: Staff::of(agent, profile),
            hash: hash_of(agent),
            ..*stood
        };
        self.hashes.agents ^= stood.hash ^ now.hash;
        self.floor.idle_changed(id, stood.idle, now.idle);
        self.floor.staff_changed(id, stood.staff, now.staff);
        self.away.changed(id, profile.pool, seen, Seen::of(agent));
        *stood = now;
    }

    fn set_work(&mut self, agent: AgentId, work: Work) {
        if self.agent(agent).is_some_and(|a| a.work_on(work.contact).is_none()) {
            self.pace.rates((work.queue, work.channel)).work.enters(self.now);
        }
        self.change_agent(agent, |a| match a.work.iter_mut().find(|w| w.contact == work.contact) {
            // The queue is the one whose time it takes, wherever the contact goes on to.
            Some(held) => *held = Work { queue: held.queue, ..work },
            None => a.work.push(work),
        });
    }

    /// A contact leaves an agent's hands: to the work after it, or altogether.
    fn release_work(
        &mut self,
        at: EngineTime,
        agent: AgentId,
        contact: ContactId,
        wrap_up: Option<EngineTime>,
    ) {
        let Some(until) = wrap_up else { return self.drop_work(at, agent, contact) };
        self.change_agent(agent, |a| {
            if let Some(w) = a.work.iter_mut().find(|w| w.contact == contact) {
                w.hold = Hold::WrapUp { since: at, until };
            }
        });
    }

    fn drop_work(&mut self, at: EngineTime, agent: AgentId, contact: ContactId) {
        if let Some(work) = self.agent(agent).and_then(|a| a.work_on(contact)).copied() {
            // What ends before it began has cost an agent's time and served nobody.
            let done = matches!(work.hold, Hold::Assigned | Hold::WrapUp { .. });
            self.pace.rates((work.queue, work.channel)).work.leaves(at, done);
        }
        self.change_agent(agent, |a| {
            a.work.retain(|w| w.contact != contact);
            a.idle_since = at;
        });
    }

    /// The one place where a contact changes.
    fn change(&mut self, id: ContactId, change: impl FnOnce(&mut Contact)) {
        self.change_and_pass(id, None, change);
    }

    /// The same; where that gives it to another agent, they have it as a partner for this recall.
    fn change_and_pass(
        &mut self,
        id: ContactId,
        partner: Option<RecallId>,
        change: impl FnOnce(&mut Contact),
    ) {
        let Some(filed) = self.contacts.get_mut(id) else {
            debug_assert!(false, "an event about contact {id}, which is not open");
            return;
        };
        self.timers.remove_contact(&filed.contact);
        self.counts.by_state[filed.contact.state.kind().index()] -= 1;
        self.hashes.contacts ^= filed.hash;
        self.board.leave(&filed.contact);
        self.late.leave(&filed.contact);
        let (stand, stood) = (filed.stand, Spot::of(&filed.contact));
        let waited = waits_for(filed);
        let served = filed.contact.self_service();
        let asked = filed.contact.care.asked_for();
        let called = filed.contact.callback_tier();
        let was_there = filed.contact.is_on_line();
        let (holder, partnered) = (filed.contact.state.agent(), WithPartner::of(&filed.contact));
        change(&mut filed.contact);
        let contact = &mut filed.contact;
        let calls = contact.callback_tier();
        if holder.is_some() && contact.state.agent() != holder {
            contact.partner = partner;
        }
        let with = WithPartner::of(contact);
        let (at, is_there) = ((contact.gateway, contact.entry_point), contact.is_on_line());
        let (gateway, serves) = (contact.gateway, contact.self_service());
        filed.hash = hash_of(contact);
        self.hashes.contacts ^= filed.hash;
        self.counts.by_state[contact.state.kind().index()] += 1;
        self.timers.enter_contact(contact);
        self.board.enter(contact);
        self.late.enter(contact);
        let moved = self.floor.leave(stand, stood);
        self.floor.asks_changed(asked, contact.care.asked_for());
        filed.stand =
            if contact.is_in_line() { self.floor.join(contact, &self.routing) } else { Stand::Off };
        self.pace.waits(self.now, waited, waits_for(filed));
        self.restand(moved);
        if served.is_some() || serves.is_some() {
            self.self_service_changed(gateway, served, serves);
        }
        if called != calls {
            self.callback_tier_changed(id, called, calls);
        }
        if was_there != is_there {
            self.count_on_line(at, is_there);
        }
        if partnered != with {
            self.partner_tier_changed(id, partnered, with);
        }
    }

    /// Like [`Self::change`], for what has no part in lines, timers or counts.
    fn note(&mut self, id: ContactId, change: impl FnOnce(&mut Contact)) {
        let Some(filed) = self.contacts.get_mut(id) else {
            debug_assert!(false, "an event about contact {id}, which is not open");
            return;
        };
        self.hashes.contacts ^= filed.hash;
        change(&mut filed.contact);
        filed.hash = hash_of(&filed.contact);
        self.hashes.contacts ^= filed.hash;
    }

    /// Like [`Self::note`], for what has a part in timers.
    fn retime(&mut self, id: ContactId, change: impl FnOnce(&mut Contact)) {
        if let Some(filed) = self.contacts.get(id) {
            self.timers.remove_contact(&filed.contact);
        }
        self.note(id, change);
        if let Some(filed) = self.contacts.get(id) {
            self.timers.enter_contact(&filed.contact);
        }
    }

    fn restand(&mut self, moved: Option<(ContactId, Stand)>) {
        if let Some((id, stand)) = moved
            && let Some(filed) = self.contacts.get_mut(id)
        {
            filed.stand = stand;
        }
    }
}

/// What a contact that waits on the line is counted under. Who waits for our call has no
/// patience to be measured.
pub(super) fn waits_for(filed: &Filed) -> Option<(QueueId, Channel)> {
    let c = &filed.contact;
    (filed.stand != Stand::Off && c.silent().is_none()).then_some((c.queue, c.channel))
}
