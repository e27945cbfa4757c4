//! Deciding: from a command to events or a refusal.
//!
//! Every rule looks first and refuses before it has emitted anything; what it emits is
//! applied at once, so that the next step of the same command sees it.

mod agent;
mod amend;
mod bulk;
mod callback;
mod check;
mod configure;
mod consult;
mod control;
mod demand;
mod fallback;
mod feedback;
mod fills;
mod gateway;
mod hungry;
mod lane;
mod later;
mod link;
mod matching;
mod menu;
mod offer;
mod outside;
mod participants;
mod place;
mod presence;
mod promise;
mod recall;
mod refile;
mod self_service;
mod sessions;
mod sharing;
mod shift;
mod steps;
mod supervisor;
mod thread;
mod tick;
mod tiers;
mod updates;
mod walk;

use demand::{Own, demand};
use later::Later;
pub(super) use offer::may_answer;
pub use recall::Preview;
use recall::is_hurt;
use tiers::ForPartners;

use std::collections::VecDeque;
use std::sync::Arc;

use super::Engine;
use super::MOST_CLASSES;
use super::agent::Presence;
use super::command::{Command, Reply};
use super::contact::{Contact, State};
use super::event::{EffectKind, Event, Queued, Settled};
use super::participant::OffBecause;
use super::rank::Asked;
use super::recall::Recall;
use super::refusal::Refusal;
use super::routing::Queue;
use super::stage::Stage;
use super::words::{
    Availability, AvailabilityBecause, Channel, ConnectFault, EndReason, Excluded, Named, NotTaken,
    QueuedBecause, ServiceClass,
};
use crate::ids::{AgentId, ContactId, EffectId, GatewayId, QueueId, RecallId, SessionId};
use crate::time::{EngineTime, Place, Span};

/// The longest head start, or wait with a gateway, that is believed.
const A_DAY: Span = Span::seconds(24 * 3600);

/// Work that is done in slices. Not state: it says only where a walk has got to.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    /// Gateways whose contacts are being gone through, and the next slot to look at.
    pub(super) sweeps: VecDeque<(GatewayId, usize)>,
    /// Agents who are yet to look for work.
    pub(super) hungry: hungry::Hungry,
    /// Recalls for which everyone is gone through.
    walks: walk::Walks,
    /// When each free level was looked at last.
    pub(super) looked: std::collections::BTreeMap<RecallId, EngineTime>,
    /// What has opened for those who wait behind it.
    opened: std::collections::BTreeSet<fills::Gate>,
    /// Everyone is gone through after an edit of queues.
    edits: Option<refile::Edits>,
    /// Until when the order about many contacts rests.
    pub(super) bulk_rest: Option<EngineTime>,
}

impl Agenda {
    pub(super) fn is_empty(&self) -> bool {
        self.sweeps.is_empty()
            && self.hungry.is_empty()
            && self.walks.is_empty()
            && self.edits.is_none()
            && self.opened.is_empty()
    }

    /// When a walk that rests goes on.
    pub(super) fn next_walk(&self) -> Option<EngineTime> {
        self.walks.next()
    }
}

/// One command being decided.
pub(super) struct Turn<'a> {
    engine: &'a mut Engine,
    at: EngineTime,
    events: &'a mut Vec<Event>,
    later: Later,
}

pub(super) fn decide(
    engine: &mut Engine,
    at: EngineTime,
    command: &Command,
    events: &mut Vec<Event>,
) -> Result<Reply, Refusal> {
    let mut turn = Turn { engine, at, events, later: Later::default() };
    let reply = turn.answer(command)?;
    turn.settle();
    turn.tiers_follow();
    Ok(reply)
}

impl Turn<'_> {
    fn answer(&mut self, command: &Command) -> Result<Reply, Refusal> {
        match command {
            Command::Tick => self.tick(),
            Command::Restart { gap, missed } => self.restart(*gap, *missed),
            Command::Configure(routing) => return self.configure(routing, None),
            Command::Reload { routing, why } => return self.configure(routing, Some(why)),
            Command::PauseReservations(paused) => self.pause(*paused),
            Command::SetHours { calendar, now } => self.set_hours(*calendar, now)?,
            Command::ConnectGateway { name, limits } => return self.connect_gateway(name, *limits),
            Command::RegisterGateway(name) => return self.register_gateway(name),
            Command::DisconnectGateway { gateway, session } => {
                self.disconnect_gateway(*gateway, *session);
            }
            Command::Gateway { gateway, session, report } => {
                return self.gateway_reports(*gateway, *session, report);
            }
            Command::ConnectAgent(agent) => return self.connect_agent(*agent),
            Command::DisconnectAgent { agent, session } => self.disconnect_agent(*agent, *session),
            Command::Agent { agent, session, act } => {
                return self.agent_acts(*agent, *session, act);
            }
            Command::Supervise { order, why } => return self.supervisor_orders(order, why),
            Command::Recall { order, why } => return self.recall_orders(order, why),
            Command::WordsRead { contact, ask, found } => self.words_read(*contact, *ask, *found),
            Command::Rechecked { recall, version, upto, affected } => {
                self.rechecked(*recall, *version, *upto, affected)?;
            }
            Command::PageSettled { recall, number, how } => {
                self.page_settled(*recall, *number, *how);
            }
        }
        Ok(Reply::Done)
    }

    fn emit(&mut self, event: Event) {
        let before = self.before(&event);
        self.engine.apply(self.at, &event);
        if let Event::Queued(q) = &event
            && q.service == ServiceClass::Safety
            && !self.engine.recalls.is_empty()
        {
            self.later.watch(q.contact);
        }
        self.events.push(event);
        if let Some(before) = before {
            self.after(before);
        }
    }

    fn restart(&mut self, gap: Span, missed: Span) {
        self.emit(Event::Restarted { gap, missed });
        for index in 0..self.engine.gateways.len() {
            let gateway = GatewayId(u16::try_from(index).unwrap_or(u16::MAX));
            if self.engine.gateways[index].session.is_some() {
                self.emit(Event::GatewayLost { gateway });
            }
            // Where a sweep had got to is forgotten: it walks once more.
            self.schedule_sweep(gateway);
        }
        let grace = self.at + self.engine.routing.settings.agent_grace;
        for index in 0..self.engine.agents.len() {
            let agent = self.engine.agents[index].id;
            if self.engine.agents[index].presence != Presence::Absent {
                self.emit(Event::AgentLost { agent, grace });
            }
        }
        let mut held: Vec<(ContactId, EngineTime)> =
            self.engine.contacts().filter_map(|c| Some((c.id, self.whole(c)?))).collect();
        held.sort_unstable();
        for (contact, until) in held {
            self.emit(Event::Renewed { contact, until });
        }
        let mut served: Vec<ContactId> =
            self.engine.contacts().filter(|c| c.self_service().is_some()).map(|c| c.id).collect();
        served.sort_unstable();
        for contact in served {
            self.renew_self_service(contact);
        }
        let concerns = |r: &&Recall| !r.over || r.tiers.iter().any(|t| t.in_use > 0);
        let recalls: Vec<RecallId> =
            self.engine.recalls.iter().filter(concerns).map(|r| r.id).collect();
        for recall in recalls {
            self.walk_anew(recall, true);
        }
        // How far an edit had got is forgotten too.
        self.schedule_refiling(|_| true);
    }

    fn pause(&mut self, paused: bool) {
        if self.engine.counts.paused == paused {
            return;
        }
        self.emit(Event::ReservationsPaused { paused });
        if !paused {
            // In slices: there may be many, with others to answer meanwhile.
            self.everyone_looks();
        }
    }

    /// Until when a contact waits for what it waits for, if that began now. Nobody could
    /// answer while the router was away.
    fn whole(&self, c: &Contact) -> Option<EngineTime> {
        let queue = self.queue_of(c.queue)?;
        match c.state {
            State::Reserved { .. } => Some(self.at + queue.reservation_timeout),
            State::Connecting { .. } => {
                let ring = c.silent().map_or(Span::ZERO, |cb| cb.policy.ring);
                Some(self.at + Span(queue.connect_timeout.0 + ring.0))
            }
            State::Queued | State::CallbackDue => match (c.care.asked_for(), queue.care.liveness) {
                (Some(_), Some(liveness)) => Some(self.at + liveness.answer_within),
                _ => c.named.map(|_| self.at + self.engine.routing.settings.named_wait),
            },
            State::Pending { on, .. } => fallback::lasts(on).map(|most| self.at + most),
            _ => None,
        }
    }

    fn next_session(&self) -> SessionId {
        SessionId(self.engine.counts.last_session + 1)
    }

    fn contact(&self, id: ContactId) -> Result<&Contact, Refusal> {
        self.engine.contact(id).ok_or(Refusal::NoSuchContact(id))
    }

    fn queue_of(&self, id: QueueId) -> Option<&Queue> {
        self.engine.routing.queue(id)
    }

    /// Until when an agent has wrap-up after a contact of this queue.
    fn wrap_up(&self, queue: QueueId) -> Option<EngineTime> {
        let lasting = self.queue_of(queue).map_or(Span::ZERO, |q| q.wrap_up);
        (lasting > Span::ZERO).then(|| self.at + lasting)
    }

    fn pass_over_until(&self) -> Option<EngineTime> {
        let lasting = self.engine.routing.settings.pass_over;
        (lasting > Span::ZERO).then(|| self.at + lasting)
    }

    /// Kept for an agent, if they are there to take it: an absent agent keeps nothing.
    fn named(&self, agent: AgentId) -> Option<Named> {
        let present =
            self.engine.agent(agent).is_some_and(|a| matches!(a.presence, Presence::Connected(_)));
        let until = self.at + self.engine.routing.settings.named_wait;
        present.then_some(Named { agent, until })
    }

    /// Checks a queue for a contact of this channel.
    fn check_queue(&self, queue: QueueId, contact: Asked<'_>) -> Result<(), Refusal> {
        let Some(q) = self.queue_of(queue) else {
            return Err(Refusal::NoSuchQueue(Arc::from("?")));
        };
        if q.retired {
            return Err(Refusal::NoSuchQueue(Arc::clone(&q.name)));
        }
        if !q.channels[contact.channel.index()] {
            let queue = Arc::clone(&q.name);
            return Err(Refusal::ChannelNotTaken { queue, channel: contact.channel });
        }
        self.check_room(contact)
    }

    /// Checks that one more contact of a class can stand in line.
    fn check_room(&self, class: Asked<'_>) -> Result<(), Refusal> {
        if self.engine.floor.has_room(class) {
            return Ok(());
        }
        Err(Refusal::Limit { what: "demand class", most: MOST_CLASSES as u64 })
    }

    /// How a contact stands in its queue again, with nothing changed but why.
    fn requeued(&self, c: &Contact, because: QueuedBecause) -> Queued {
        Queued {
            contact: c.id,
            queue: c.queue,
            because,
            service: if is_hurt(c) { ServiceClass::Safety } else { c.service },
            needs: c.needs.clone(),
            preferred: c.preferred.clone(),
            head_start: c.head_start,
            place: c.place,
            stage: self.same_stage(c),
            named: None,
            pass_over: None,
            released: None,
        }
    }

    /// How a contact stands in another queue: what it needs of its own goes with it.
    fn moved_to(&self, c: &Contact, queue: QueueId, because: QueuedBecause) -> Queued {
        let to = self.queue_of(queue);
        let own = Own { needs: &c.own_needs, preferred: &c.own_preferred, language: c.language };
        let (needs, preferred) = demand(&self.engine.routing, to, own);
        let ahead = to.map_or(Span::ZERO, |q| q.head_start);
        let place = place(c.arrived, &[ahead, c.head_start, c.waited_before, c.care.ahead]);
        // Once about safety, always: only a person can say otherwise, and not by moving it.
        let requeued = self.requeued(c, because);
        let safety = to.is_some_and(|q| q.safety);
        let service = if safety { ServiceClass::Safety } else { requeued.service };
        let safe = service == ServiceClass::Safety;
        let partners = ForPartners { safety: safe, ..ForPartners::of(c) };
        let stage = Stage { lane: self.lane_of(c), ..self.first_stage(queue, partners) };
        Queued { queue, needs, preferred, place, service, stage, ..requeued }
    }

    /// Takes a contact back from whom it is held for or being connected to. It is queued
    /// then, unless it was with an agent or pending, which is for the caller to end.
    fn withdraw(&mut self, contact: ContactId) -> Option<AgentId> {
        let c = self.engine.contact(contact)?;
        match c.state {
            State::Reserved { reservation, agent, .. } => {
                let how = NotTaken::Withdrawn;
                let pass_over = None;
                self.emit(Event::NotTaken { contact, reservation, agent, how, pass_over });
                Some(agent)
            }
            State::Connecting { reservation, agent, .. } => {
                self.settle_effects(contact, Settled::Withdrawn, is_connect);
                let (fault, pass_over) = (ConnectFault::Withdrawn, None);
                self.emit(Event::ConnectFailed { contact, reservation, agent, fault, pass_over });
                Some(agent)
            }
            _ => None,
        }
    }

    fn ask_effect(&mut self, contact: ContactId, kind: EffectKind) {
        let effect = EffectId(self.engine.counts.last_effect + 1);
        self.emit(Event::EffectAsked { effect, contact, kind });
    }

    fn settle_effects(&mut self, contact: ContactId, how: Settled, which: fn(EffectKind) -> bool) {
        while let Some((effect, _)) = self
            .engine
            .contact(contact)
            .and_then(|c| c.effects.iter().find(|(_, kind)| which(*kind)).copied())
        {
            self.emit(Event::EffectSettled { effect, contact, how });
        }
    }

    /// Ends a contact wherever it is, its consult first, and finds the freed agents work.
    fn close(&mut self, contact: ContactId, reason: EndReason) {
        let Some((consult, parent)) = self.engine.contact(contact).map(|c| (c.consult, c.parent))
        else {
            return;
        };
        self.everyone_off(contact);
        if let Some(parent) = parent {
            self.colleague_off(parent, OffBecause::Left);
        }
        if let Some(child) = consult {
            self.close(child, EndReason::ConsultCancelled);
        }
        let mut freed = self.withdraw(contact);
        self.settle_effects(contact, Settled::Withdrawn, |_| true);
        let Some(c) = self.engine.contact(contact) else { return };
        let (gateway, consult_of, owed) = (c.gateway, c.parent, c.owed);
        let agent = match c.state {
            State::Assigned { agent, .. } => Some(agent),
            _ => None,
        };
        // The second agent of a consult has talked to a colleague, not to the customer.
        let wrap_up = agent.filter(|_| c.parent.is_none()).and_then(|_| self.wrap_up(c.queue));
        freed = freed.or(agent);
        let kept = self.places_to_keep(contact, reason);
        self.emit(Event::Closed { contact, gateway, consult_of, reason, agent, wrap_up });
        for kept in kept {
            self.emit(Event::PlaceKept(kept));
        }
        self.owed_over(owed, reason);
        if let Some(agent) = freed {
            self.agent_freed(agent);
        }
    }

    /// Whether a contact is a consult that asks for one colleague and nobody else.
    fn asks_by_name(&self, contact: ContactId) -> bool {
        self.engine.contact(contact).is_some_and(|c| c.parent.is_some() && c.named.is_some())
    }

    /// After a contact came back to its line: somebody else for it. A colleague who was asked
    /// for by name has no stand-in: that consult is over.
    fn offer_again(&mut self, contact: ContactId, asked_by_name: bool) {
        if asked_by_name {
            return self.close(contact, EndReason::ConsultCancelled);
        }
        // Somebody was hurt, it turned out, while it was held for an agent who did not take it.
        if self.engine.contact(contact).is_some_and(is_misplaced) {
            self.move_to_safety(contact);
        } else {
            self.offer_contact(contact);
        }
    }

    /// After an agent's hands got emptier: what they asked to come next, or more work.
    fn agent_freed(&mut self, agent: AgentId) {
        let Some(a) = self.engine.agent(agent) else { return };
        if a.is_empty_handed() {
            let leaves = a.leaving.filter(|l| l.begun);
            let leaves = leaves.map(|l| (Availability::SignedOut, l.because));
            let next = a.next.map(|to| (to, AvailabilityBecause::Next));
            if let Some((to, because)) = leaves.or(next) {
                self.emit(Event::AvailabilityChanged { agent, to, because });
            }
        }
        self.retire_if_free(agent);
        self.offer_agent(agent);
    }

    /// Puts a contact that an agent had into a queue, and looks for whom it and the agent go with next.
    fn requeue_from(&mut self, queued: Queued, agent: AgentId) {
        let contact = queued.contact;
        self.emit(Event::Queued(queued));
        self.offer_contact(contact);
        self.agent_freed(agent);
    }
}

/// Known to be about safety, and not in that class.
fn is_misplaced(c: &Contact) -> bool {
    c.service != ServiceClass::Safety && is_hurt(c)
}

/// What joins legs, as against what is said to the customer meanwhile.
const fn is_connect(kind: EffectKind) -> bool {
    matches!(
        kind,
        EffectKind::Connect { .. }
            | EffectKind::Dial { .. }
            | EffectKind::HandOver { .. }
            | EffectKind::Join { .. }
    )
}

/// Arrival minus all head starts.
fn place(arrived: EngineTime, ahead: &[Span]) -> Place {
    Place::new(arrived, Span(ahead.iter().map(|s| s.0).fold(0, u64::saturating_add)))
}

fn service(safety: bool, channel: Channel) -> ServiceClass {
    if safety { ServiceClass::Safety } else { channel.service() }
}
