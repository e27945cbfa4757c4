//! Events about one contact.

use smallvec::SmallVec;

use super::super::Engine;
use super::super::ONE_SHARE;
use super::super::agent::{Hold, Work};
use super::super::care::{Care, Silence};
use super::super::contact::{Contact, Link, State, StateKind};
use super::super::event::{
    Arrived, EffectKind, Event, Queued, Reserved, StepTaken, Trigger, WaitAnnounced,
};
use super::super::floor::Stand;
use super::super::gateway::KeyOf;
use super::super::line::Spot;
use super::super::participant::Participants;
use super::super::recall::{Machine, Outcome};
use super::super::stage::Stage;
use super::super::store::Filed;
use super::super::words::{
    Channel, ConnectFault, EndReason, Excluded, Key, Needs, NotTaken, ServiceClass,
};
use super::stage::enters;
use super::tiers::InTiers;
use crate::ids::{AgentId, ContactId, GatewayId, QueueId, ReservationId};
use crate::time::{EngineTime, Place, Span};

/// Agents passed over for one contact at a time; the one that would end first gives way.
const MOST_PASSED_OVER: usize = 8;

impl Engine {
    pub(super) fn apply_to_contact(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::Arrived(arrived) => self.arrived(at, arrived),
            Event::Queued(queued) => self.queued(at, queued),
            Event::Reserved(reserved) => self.reserved(reserved),
            Event::NotTaken { contact, reservation, agent, how, pass_over } => {
                let idle = self.agent(*agent).map(|a| a.idle_since);
                if matches!(how, NotTaken::TimedOut | NotTaken::Declined) {
                    self.partner_told(*contact, Outcome::Failed);
                }
                self.back_in_line(at, *contact, *reservation, *agent, *pass_over);
                if let Some(idle) = idle.filter(|_| *how == NotTaken::Withdrawn) {
                    // It was not their doing: they stand where they stood.
                    self.change_agent(*agent, |a| a.idle_since = idle);
                }
                if *how == NotTaken::TimedOut {
                    self.change_agent(*agent, |a| a.missed = a.missed.saturating_add(1));
                }
            }
            Event::ConnectFailed { contact, reservation, agent, fault, pass_over } => {
                if matches!(fault, ConnectFault::AgentLeg | ConnectFault::TimedOut) {
                    self.partner_told(*contact, Outcome::Failed);
                }
                self.back_in_line(at, *contact, *reservation, *agent, *pass_over);
            }
            Event::Accepted { contact, reservation, agent, connect_by } => {
                if let Some(of) = self.contact(*contact).map(|c| (c.queue, c.channel)) {
                    self.pace.taken(at, of);
                }
                self.accepted_by(at, *contact, *reservation, *agent, *connect_by);
            }
            Event::Bridged { contact, reservation, agent } => {
                self.assigned(at, *contact, *reservation, *agent);
            }
            Event::Pended { contact, agent, on, until } => {
                if let Some(agent) = agent {
                    self.drop_work(at, *agent, *contact);
                }
                self.change(*contact, |c| {
                    c.state = State::Pending { on: *on, until: *until, agent: *agent };
                    c.care.stand_down();
                });
            }
            Event::HandedOver { contact, from, to, wrap_up } => {
                self.handed_over(at, *contact, *from, *to, *wrap_up);
            }
            Event::ConsultStarted { parent, child, agent: _ } => {
                self.consult_started(at, *parent, *child);
            }
            Event::Closed { contact, agent, wrap_up, reason, .. } => {
                let stood = self.contact(*contact).map(|c| InTiers::of(self, c));
                self.closed(at, *contact, *reason, *agent, *wrap_up);
                if let Some(stood) = stood {
                    self.ended_in_tiers(*contact, stood, *reason);
                }
            }
            Event::EffectAsked { effect, contact, kind } => {
                if let EffectKind::Dial { .. } = kind {
                    self.dialling(at, *contact);
                }
                self.effect_asked(*effect, *contact, *kind);
            }
            Event::EffectSettled { effect, contact, how } => {
                self.say_settled(*effect, *contact, *how);
                self.effect_settled(*effect, *contact);
            }
            _ => self.apply_note(event),
        }
    }

    /// Events that move no contact from one state to another.
    fn apply_note(&mut self, event: &Event) {
        match event {
            Event::Detached(contact) => self.change(*contact, |c| c.link = Link::Detached),
            Event::Reattached { contact, session } => {
                self.change(*contact, |c| c.link = Link::Attached(*session));
            }
            Event::Renewed { contact, until } => self.renewed(*contact, *until),
            Event::OpenedToAll(contact) => self.change(*contact, |c| c.named = None),
            Event::PassOverEnded { contact, agent } => {
                self.change(*contact, |c| c.passed_over.retain(|p| p.agent != *agent));
            }
            Event::Reprioritised { contact, head_start, place } => {
                let (head_start, place) = (*head_start, *place);
                self.replace(*contact, head_start, place);
            }
            Event::AttributesSet { contact, attributes } => {
                self.note(*contact, |c| c.attributes = Some(attributes.clone()));
            }
            Event::StepTaken(StepTaken { filing, .. }) | Event::Refiled(filing) => {
                self.refiled(filing)
            }
            Event::WaitAnnounced(WaitAnnounced { contact, told, next }) => {
                self.wait_announced(*contact, *told, *next);
            }
            Event::HoldChanged { contact, on } => self.note(*contact, |c| c.on_hold = *on),
            // These are facts for others: nothing here is decided by them.
            _ => {}
        }
    }

    fn renewed(&mut self, contact: ContactId, until: EngineTime) {
        self.change(contact, |c| match &mut c.state {
            State::Reserved { deadline, .. } | State::Connecting { deadline, .. } => {
                *deadline = until;
            }
            State::Pending { until: lasts, .. } => *lasts = until,
            _ => match (&mut c.care.silence, &mut c.named) {
                (Silence::Asked { until: asked, .. }, _) => *asked = until,
                (_, Some(named)) => named.until = until,
                _ => {}
            },
        });
    }

    fn replace(&mut self, contact: ContactId, head_start: Span, place: Place) {
        self.change(contact, |c| {
            c.head_start = head_start;
            c.place = place;
        });
    }

    pub(super) fn arrived(&mut self, at: EngineTime, a: &Arrived) {
        self.keys.insert((a.gateway, a.key.clone()), a.contact);
        self.file_new(Contact {
            id: a.contact,
            gateway: a.gateway,
            link: a.session.map_or(Link::Unary, Link::Attached),
            content: a.content,
            channel: a.channel,
            entry_point: a.entry_point,
            customer: a.customer,
            continues: a.continues,
            attributes: a.attributes.clone(),
            own_needs: Needs::from_slice(&a.own_needs),
            own_preferred: Needs::from_slice(&a.own_preferred),
            waited_before: a.waited,
            language: a.language,
            ..blank(at, a.key.clone())
        });
    }

    fn consult_started(&mut self, at: EngineTime, parent: ContactId, child: ContactId) {
        let Some(of) = self.contact(parent) else { return };
        let consult = Contact {
            id: child,
            gateway: of.gateway,
            link: of.link,
            channel: of.channel,
            entry_point: of.entry_point,
            customer: of.customer,
            attributes: of.attributes.clone(),
            own_needs: of.own_needs.clone(),
            own_preferred: of.own_preferred.clone(),
            parent: Some(parent),
            ..blank(at, "".into())
        };
        self.file_new(consult);
        self.note(parent, |c| c.consult = Some(child));
    }

    fn file_new(&mut self, contact: Contact) {
        debug_assert_eq!(contact.id.0, self.counts.accepted + 1);
        self.counts.accepted += 1;
        self.counts.by_state[contact.state.kind().index()] += 1;
        self.known.enter(&contact);
        if contact.is_on_line() {
            self.count_on_line((contact.gateway, contact.entry_point), true);
        }
        // The event that places it follows at once, and makes it a part of the state hash.
        self.contacts.insert(Filed { contact, stand: Stand::Off, hash: 0 });
    }

    fn queued(&mut self, at: EngineTime, q: &Queued) {
        if let Some(released) = q.released {
            self.release_work(at, released.agent, q.contact, released.wrap_up);
        }
        let comes =
            |c: &&Contact| c.state == State::New && c.parent.is_none() && !c.machine.follow_up;
        let came = self.contact(q.contact).filter(comes).map(|c| (c.channel, c.waited_before));
        if let Some((channel, ago)) = came {
            self.inflow.arrived(at, ago, q.queue, channel);
        }
        let silent_after = self.silent_after(q);
        self.change(q.contact, |c| {
            enters(c, q);
            c.state = c.rests();
            c.care.enter(silent_after);
            c.queue = q.queue;
            c.service = q.service;
            c.needs = Needs::from_slice(&q.needs);
            c.preferred = Needs::from_slice(&q.preferred);
            c.head_start = q.head_start;
            c.place = q.place;
            c.queued = at;
            c.named = q.named;
            c.on_hold = false;
            if let Some(excluded) = q.pass_over {
                pass_over(c, excluded);
            }
        });
    }

    fn reserved(&mut self, r: &Reserved) {
        self.counts.last_reservation = r.reservation.0;
        self.reservations.insert(r.reservation, r.contact);
        let (reservation, agent, deadline) = (r.reservation, r.agent, r.deadline);
        if matches!(r.trigger, Trigger::Agent | Trigger::AsyncShare)
            && let Some(of) = self.contact(r.contact).map(|c| (c.queue, c.channel))
        {
            self.pace.turn(self.now, of);
        }
        let partner = self.contact(r.contact).and_then(|c| self.as_partner(agent, c));
        self.takes_turn(r.contact);
        self.change(r.contact, |c| {
            c.state = State::Reserved { reservation, agent, deadline };
            c.partner = partner;
        });
        self.hold(r.contact, agent, Hold::Reserved);
        if let Some(stood) = self.standings.get_mut(agent.index()) {
            stood.offered = reservation;
        }
        // Every decision for which both waited earns async its share; one that it got costs a whole.
        if r.trigger == Trigger::AsyncShare || r.async_passed {
            let owed = self.counts.async_owed + u32::from(self.routing.settings.async_share);
            let paid = if r.trigger == Trigger::AsyncShare { ONE_SHARE } else { 0 };
            self.counts.async_owed = owed.saturating_sub(paid).min(10 * ONE_SHARE);
        }
    }

    fn hold(&mut self, contact: ContactId, agent: AgentId, hold: Hold) {
        if let Some((queue, channel)) = self.contact(contact).map(|c| (c.queue, c.channel)) {
            self.set_work(agent, Work { contact, queue, channel, hold });
        }
    }

    fn back_in_line(
        &mut self,
        at: EngineTime,
        contact: ContactId,
        reservation: ReservationId,
        agent: AgentId,
        until: Option<EngineTime>,
    ) {
        self.reservations.remove(&reservation);
        self.drop_work(at, agent, contact);
        self.change(contact, |c| {
            c.state = c.rests();
            c.named = None;
            if let Some(until) = until {
                pass_over(c, Excluded { agent, until });
            }
        });
    }

    fn accepted_by(
        &mut self,
        at: EngineTime,
        contact: ContactId,
        reservation: ReservationId,
        agent: AgentId,
        connect_by: Option<EngineTime>,
    ) {
        if self.agent(agent).is_some_and(|a| a.missed > 0) {
            self.change_agent(agent, |a| a.missed = 0);
        }
        match connect_by {
            Some(deadline) => {
                self.change(contact, |c| {
                    c.state = State::Connecting { reservation, agent, deadline };
                });
                self.hold(contact, agent, Hold::Connecting);
            }
            None => self.assigned(at, contact, reservation, agent),
        }
    }

    fn assigned(
        &mut self,
        at: EngineTime,
        contact: ContactId,
        reservation: ReservationId,
        agent: AgentId,
    ) {
        self.reservations.remove(&reservation);
        self.partner_told(contact, Outcome::Worked);
        self.change(contact, |c| {
            c.state = State::Assigned { reservation, agent, since: at };
            c.answered = c.answered.or(Some(at));
            c.named = None;
            c.passed_over.clear();
        });
        self.hold(contact, agent, Hold::Assigned);
        self.note_last_agent(at, contact, agent);
    }

    fn handed_over(
        &mut self,
        at: EngineTime,
        contact: ContactId,
        from: AgentId,
        to: AgentId,
        wrap_up: Option<EngineTime>,
    ) {
        self.release_work(at, from, contact, wrap_up);
        let partner = self.contact(contact).and_then(|c| self.as_partner(to, c));
        self.change_and_pass(contact, partner, |c| {
            if let State::Assigned { reservation, .. } = c.state {
                c.state = State::Assigned { reservation, agent: to, since: at };
            }
            c.on_hold = false;
        });
        self.hold(contact, to, Hold::Assigned);
        self.note_last_agent(at, contact, to);
    }

    /// Whom a customer has now, or had until now. A consult is between agents.
    fn note_last_agent(&mut self, at: EngineTime, contact: ContactId, agent: AgentId) {
        let customer = self.contact(contact).filter(|c| c.parent.is_none());
        if let Some(customer) = customer.and_then(|c| c.customer) {
            self.sticky.note(at, customer, agent);
        }
    }

    fn closed(
        &mut self,
        at: EngineTime,
        id: ContactId,
        reason: EndReason,
        agent: Option<AgentId>,
        wrap_up: Option<EngineTime>,
    ) {
        if let Some(agent) = agent {
            self.note_last_agent(at, id, agent);
            self.release_work(at, agent, id, wrap_up);
        }
        let Some(filed) = self.contacts.remove(id) else {
            debug_assert!(false, "contact {id} closed twice");
            return;
        };
        let contact = &filed.contact;
        self.remember_reach(contact);
        if let Some(of) = super::waits_for(&filed) {
            self.pace.rates(of).leaves(at, reason == EndReason::Abandoned);
        }
        self.timers.remove_contact(contact);
        self.board.leave(contact);
        self.late.leave(contact);
        self.known.leave(contact);
        self.floor.asks_changed(contact.care.asked_for(), None);
        self.thread_ended(at, contact, agent);
        self.counts.by_state[contact.state.kind().index()] -= 1;
        self.counts.by_state[StateKind::Closed.index()] += 1;
        self.hashes.contacts ^= filed.hash;
        let moved = self.floor.leave(filed.stand, Spot::of(contact));
        self.restand(moved);
        let key = KeyOf(contact.gateway, &contact.key);
        // A follow-up has taken the key over.
        if self.keys.get(&key) == Some(&id) {
            self.keys.remove(&key);
        }
        debug_assert!(contact.effects.is_empty(), "contact {id} closed with effects pending");
        if let Some(parent) = contact.parent
            && self.contact(parent).is_some()
        {
            self.note(parent, |c| c.consult = None);
        }
    }
}

fn pass_over(contact: &mut Contact, excluded: Excluded) {
    contact.passed_over.retain(|p| p.agent != excluded.agent);
    if contact.passed_over.len() == MOST_PASSED_OVER
        && let Some(first) = (0..MOST_PASSED_OVER).min_by_key(|i| contact.passed_over[*i].until)
    {
        contact.passed_over.remove(first);
    }
    contact.passed_over.push(excluded);
}

/// A contact about which nothing is known but when, and its gateway's name for it.
fn blank(at: EngineTime, key: Key) -> Contact {
    Contact {
        id: ContactId(0),
        gateway: GatewayId(0),
        link: Link::Unary,
        key,
        content: 0,
        channel: Channel::Voice,
        entry_point: None,
        customer: None,
        continues: None,
        attributes: None,
        arrived: at,
        waited_before: Span::ZERO,
        state: State::New,
        queue: QueueId(0),
        service: ServiceClass::Live,
        needs: SmallVec::new(),
        preferred: SmallVec::new(),
        own_needs: SmallVec::new(),
        own_preferred: SmallVec::new(),
        head_start: Span::ZERO,
        place: Place(0),
        queued: at,
        answered: None,
        named: None,
        passed_over: SmallVec::new(),
        parent: None,
        consult: None,
        on_hold: false,
        effects: SmallVec::new(),
        language: None,
        triage: None,
        stage: Stage::default(),
        course: None,
        machine: Machine::default(),
        heard: SmallVec::new(),
        callable: false,
        owed: None,
        callback: None,
        care: Care::default(),
        participants: Participants::default(),
        partner: None,
    }
}
