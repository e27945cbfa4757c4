//! Making directives: from events as they happen, and from state when a session begins.

use super::Engine;
use super::agent::{Agent, Hold, Work};
use super::contact::{Contact, State};
use super::directive::{Directive, Offer, Recipient, Tell};
use super::event::{
    Arrived, CallbackPromised, EffectKind, Event, Linked, ParticipantNews, PromiseOpened,
    ReasonOverstayed, RecoveryNews, SignOut, WaitAnnounced, WentSilent, WrapUpExtended,
};
use super::participant::{OffBecause, Participant, ParticipantStep};
use super::promise::{MOST_TOLD, Recovery, RecoveryState};
use super::words::{Availability, AvailabilityBecause, ConnectFault, EndReason, NotTaken};
use crate::ids::{AgentId, ContactId, EffectId, ReservationId};
use crate::time::{EngineTime, Span};

impl Engine {
    /// What gateways and agents are to be told of one command's events, in order. Called
    /// when all of them are applied: what is over by then is not told of.
    pub fn directives(&self, at: EngineTime, events: &[Event], out: &mut Vec<Directive>) {
        for event in events {
            Teller { engine: self, at, out }.event(event);
        }
    }
}

struct Teller<'a> {
    engine: &'a Engine,
    at: EngineTime,
    out: &'a mut Vec<Directive>,
}

impl Teller<'_> {
    fn gateway(&mut self, contact: &Contact, tell: Tell) {
        self.out.push(Directive { to: Recipient::Gateway(contact.gateway), tell });
    }

    fn agent(&mut self, agent: AgentId, tell: Tell) {
        self.out.push(Directive { to: Recipient::Agent(agent), tell });
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Queued(q) => {
                if let Some(released) = q.released {
                    let (contact, because) = (q.contact, released.because);
                    self.agent(released.agent, Tell::Released { contact, because });
                    self.wrap_up(released.agent, contact, released.wrap_up);
                }
                self.state(q.contact);
            }
            Event::Reserved(r) => {
                self.state(r.contact);
                self.work(r.agent, r.contact);
            }
            Event::NotTaken { contact, reservation, agent, how, .. } => {
                self.not_taken(*contact, *reservation, *agent, *how);
            }
            Event::ConnectFailed { contact, reservation, agent, fault, .. } => {
                self.connect_failed(*contact, *reservation, *agent, *fault);
            }
            Event::Accepted { contact, agent, .. } | Event::Bridged { contact, agent, .. } => {
                self.state(*contact);
                self.work(*agent, *contact);
                self.consult_joined(*contact, *agent);
            }
            Event::EffectAsked { effect, contact, kind } => self.effect(*contact, *effect, *kind),
            Event::EffectSettled { effect, contact, how: super::event::Settled::Withdrawn } => {
                let (effect, contact) = (*effect, *contact);
                if let Some(c) = self.engine.contact(contact) {
                    self.gateway(c, Tell::EffectWithdrawn { effect, contact });
                }
            }
            Event::Pended { contact, agent, .. } => {
                let because = super::words::ReleasedBecause::Pended;
                if let Some(agent) = agent {
                    self.agent(*agent, Tell::Released { contact: *contact, because });
                }
                self.state(*contact);
            }
            Event::InputReceived(contact) => {
                if let Some(State::Assigned { agent, .. }) =
                    self.engine.contact(*contact).map(|c| c.state)
                {
                    self.agent(agent, Tell::CustomerInput(*contact));
                }
            }
            Event::HandedOver { contact, from, to, wrap_up } => {
                let because = super::words::ReleasedBecause::HandedOver;
                self.agent(*from, Tell::Released { contact: *contact, because });
                self.wrap_up(*from, *contact, *wrap_up);
                self.state(*contact);
                self.work(*to, *contact);
            }
            Event::Closed { contact, gateway, consult_of, reason, agent, wrap_up } => {
                self.consult_over(*consult_of, *contact, *reason);
                let tell = Tell::Ended { contact: *contact, reason: *reason };
                self.out.push(Directive { to: Recipient::Gateway(*gateway), tell: tell.clone() });
                if let Some(agent) = agent {
                    self.agent(*agent, tell);
                    self.wrap_up(*agent, *contact, *wrap_up);
                }
            }
            Event::PromiseOpened(PromiseOpened { arrived, .. }) => self.opened(arrived.contact),
            Event::Reattached { contact, .. } => self.resync_contact(*contact),
            _ => self.rest(event),
        }
    }

    fn rest(&mut self, event: &Event) {
        match event {
            Event::AttributesSet { contact, .. } => {
                if let Some(agent) = self.engine.contact(*contact).and_then(|c| c.state.agent()) {
                    self.work(agent, *contact);
                }
            }
            Event::CallbackPromised(CallbackPromised { contact, released, .. }) => {
                if let Some(released) = released {
                    let (contact, because) = (*contact, released.because);
                    self.agent(released.agent, Tell::Released { contact, because });
                    self.wrap_up(released.agent, contact, released.wrap_up);
                }
                self.state(*contact);
            }
            Event::Diverted { contact, .. } | Event::Returned { contact, .. } => {
                self.state(*contact);
            }
            Event::FollowUpOpened(a) => self.goes_on_as(a),
            Event::WaitAnnounced(WaitAnnounced { contact, .. }) => self.outlook(*contact),
            Event::WentSilent(WentSilent { contact, .. }) => self.state(*contact),
            Event::Linked(Linked { contact, .. }) => self.linked(*contact),
            Event::WrapUpEnded { agent, contact } => {
                self.agent(*agent, Tell::WrapUpEnded(*contact));
            }
            Event::AgentConnected { agent, .. } => self.resync_agent(*agent),
            Event::AvailabilityChanged { agent, because, .. } => {
                self.availability(*agent, Some(*because));
            }
            Event::SignOut(SignOut { agent, .. }) => self.leaving(*agent),
            Event::NextSet { agent, .. }
            | Event::PhoneUnreachable(agent)
            | Event::ReasonOverstayed(ReasonOverstayed { agent, .. }) => {
                self.availability(*agent, None)
            }
            Event::WrapUpExtended(WrapUpExtended { agent, contact, until }) => {
                self.wrap_up(*agent, *contact, Some(*until));
            }
            Event::Participant(ParticipantNews { contact, step, .. }) => {
                self.participants(*contact, step)
            }
            Event::RecoveryOpened(now) => self.recovery(now, None),
            Event::RecoverySet(RecoveryNews { now, from }) => self.recovery(now, *from),
            // Everything else concerns nobody who is connected.
            _ => {}
        }
    }

    /// The first agent hears when the second is there, and need not guess.
    fn consult_joined(&mut self, consult: ContactId, agent: AgentId) {
        let Some(child) = self.engine.contact(consult) else { return };
        let joined = matches!(child.state, State::Assigned { .. });
        if let Some(contact) = child.parent.filter(|_| joined)
            && let Some(first) = self.engine.contact(contact).and_then(|c| c.state.agent())
        {
            self.agent(first, Tell::ConsultJoined { contact, consult, agent });
        }
    }

    fn consult_over(&mut self, of: Option<ContactId>, consult: ContactId, reason: EndReason) {
        let Some(contact) = of.filter(|_| reason != EndReason::ConsultCompleted) else { return };
        if let Some(State::Assigned { agent, .. }) = self.engine.contact(contact).map(|c| c.state) {
            self.agent(agent, Tell::ConsultOver { contact, consult });
        }
    }

    /// Where a contact is, for its gateway.
    fn state(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        let tell = match c.state {
            State::New | State::Queued => Tell::Waiting { contact, queue: c.queue },
            State::Reserved { agent, .. } | State::Connecting { agent, .. } => {
                Tell::ReservedFor { contact, agent }
            }
            State::Assigned { agent, .. } => Tell::AssignedTo { contact, agent },
            State::Pending { on, .. } => Tell::Pending { contact, on },
            State::SelfService(s) => Tell::InSelfService { contact, tier: s.tier },
            State::CallbackDue => {
                let due = c.callback.as_ref().and_then(|cb| cb.due);
                Tell::CallbackDue { contact, within: due.map(|due| due.since(self.at)) }
            }
        };
        // A command may move a contact twice; its last state is said once.
        let to = Recipient::Gateway(c.gateway);
        if self.out.iter().rev().find(|d| d.to == to).is_none_or(|d| d.tell != tell) {
            self.gateway(c, tell);
        }
    }

    /// What one in line was last told of the wait.
    fn outlook(&mut self, contact: ContactId) {
        // In a queue that tells nothing, what another one told is nobody's to correct.
        let in_line = |c: &&Contact| c.state == State::Queued && c.stage.update.is_some();
        let Some(c) = self.engine.contact(contact).filter(in_line) else { return };
        if let Some(told) = c.announced() {
            let (ahead, wait, longer) = (told.ahead, told.left(self.at), told.longer);
            self.gateway(c, Tell::Outlook { contact, ahead, wait, longer });
        }
    }

    /// Who has one of those that are linked hears of the others.
    fn linked(&mut self, contact: ContactId) {
        let all = self.engine.contact(contact).map(|c| self.engine.linked_ids(c));
        for contact in all.unwrap_or_default().into_iter().chain([contact]) {
            if let Some(agent) = self.engine.contact(contact).and_then(|c| c.state.agent()) {
                self.work(agent, contact);
            }
        }
    }

    /// The gateway learns what a conversation goes on as before it hears of its end.
    fn goes_on_as(&mut self, arrived: &Arrived) {
        let Some(contact) = arrived.continues else { return };
        let tell = Tell::GoesOnAs { contact, follow_up: arrived.contact };
        self.out.push(Directive { to: Recipient::Gateway(arrived.gateway), tell });
    }

    /// A contact that the router opened itself, for its gateway to hold.
    fn opened(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        let Some(continues) = c.continues.filter(|_| c.is_ours()) else { return };
        let (key, channel, queue) = (c.key.clone(), c.channel, c.queue);
        self.gateway(c, Tell::Opened { contact, key, channel, queue, continues });
    }

    fn effect(&mut self, contact: ContactId, effect: EffectId, kind: EffectKind) {
        let Some(c) = self.engine.contact(contact) else { return };
        if !c.effects.iter().any(|(e, _)| *e == effect) {
            return;
        }
        let tell = match kind {
            EffectKind::Connect { reservation, agent } => {
                Tell::Connect { effect, contact, reservation, agent, consult_of: c.parent }
            }
            EffectKind::Dial { reservation, agent, mode } => {
                let ring = c.callback.as_deref().map(|cb| cb.policy.ring).unwrap_or_default();
                // Who came back by themselves is called where they are now.
                let continues = c.continues.filter(|_| c.is_ours());
                Tell::Dial { effect, contact, reservation, agent, mode, ring, continues }
            }
            EffectKind::HandOver { to } => Tell::HandOver { effect, contact, to },
            EffectKind::Join { participant, part } => {
                let Some(p) = c.participants.get(participant) else { return };
                Tell::Join { effect, contact, participant, who: p.who.clone(), part }
            }
            EffectKind::Say(say) => Tell::Say { effect, contact, channel: c.channel, say },
            EffectKind::Announce(announce) => {
                Tell::Announce { effect, contact, channel: c.channel, announce }
            }
            EffectKind::Forward { to } => Tell::Forward { effect, contact, channel: c.channel, to },
            EffectKind::OfferCallback(offer) => {
                let (within, answer_within) =
                    (offer.due.since(self.at), offer.until.since(self.at));
                let language = c.language;
                Tell::OfferCallback { effect, contact, within, answer_within, language }
            }
            EffectKind::Outside(recall) => {
                let plan = self.engine.recall(recall).map(|r| &r.plan.safety);
                let outside = plan.and_then(|plan| self.engine.outside(plan, c.channel));
                let Some((name, number)) = outside else { return };
                Tell::Outside { effect, contact, name: name.into(), number: number.into() }
            }
            EffectKind::AskPresence(language) => Tell::AskPresence { effect, contact, language },
        };
        self.gateway(c, tell);
    }

    /// What an agent has of a contact, if they still have it.
    fn work(&mut self, agent: AgentId, contact: ContactId) {
        let held = self.engine.agent(agent).and_then(|a| a.work_on(contact)).copied();
        if let Some(work) = held {
            self.say_work(agent, &work);
        }
    }

    fn say_work(&mut self, agent: AgentId, work: &Work) {
        if let Hold::WrapUp { until, .. } = work.hold {
            return self.wrap_up(agent, work.contact, Some(until));
        }
        let Some(offer) = self.engine.contact(work.contact).and_then(|c| self.offer(c)) else {
            return;
        };
        let offer = Box::new(offer);
        let tell = match work.hold {
            Hold::Reserved => Tell::Offer(offer),
            Hold::Connecting => Tell::Connecting(offer),
            Hold::Assigned | Hold::WrapUp { .. } => Tell::Assigned(offer),
        };
        // A session that begins with an offer would tell it twice.
        let to = Recipient::Agent(agent);
        if !self.out.iter().any(|d| d.to == to && d.tell == tell) {
            self.agent(agent, tell);
        }
    }

    fn offer(&self, c: &Contact) -> Option<Offer> {
        let answer_within = match c.state {
            State::Reserved { deadline, .. } => deadline.since(self.at),
            _ => Span::ZERO,
        };
        Some(Offer {
            contact: c.id,
            reservation: c.state.reservation()?,
            channel: c.channel,
            queue: c.queue,
            service: c.service,
            answer_within,
            waited: c.waited(self.at),
            continues: c.continues,
            consult_of: c.parent,
            attributes: c.attributes.clone(),
            recall: self.engine.recall_at(c.entry_point).map(|r| r.id),
            language: c.language,
            heard: c.heard.to_vec(),
            callback: c.callback.as_ref().map(|cb| cb.kind),
            linked: self.engine.linked_with(c),
            promises: self.engine.owed.outstanding(c),
        })
    }

    fn wrap_up(&mut self, agent: AgentId, contact: ContactId, until: Option<EngineTime>) {
        if let Some(until) = until {
            self.agent(agent, Tell::WrapUp { contact, lasting: until.since(self.at) });
        }
    }

    /// Who is on a contact, after somebody's part in it changed. One whom the gateway is being
    /// asked to bring on it hears of by that.
    fn participants(&mut self, contact: ContactId, step: &ParticipantStep) {
        let Some(c) = self.engine.contact(contact) else { return };
        let off = matches!(
            step,
            ParticipantStep::Off(OffBecause::Asked | OffBecause::ContactOver | OffBecause::Owner)
        );
        if off {
            self.all_on(Recipient::Gateway(c.gateway), c);
        }
        if let State::Assigned { agent, .. } = c.state {
            self.all_on(Recipient::Agent(agent), c);
        }
    }

    fn all_on(&mut self, to: Recipient, c: &Contact) {
        let seen = |p: &&Participant| matches!(to, Recipient::Gateway(_)) || p.told;
        let all: Vec<Participant> = c.participants.all.iter().filter(seen).cloned().collect();
        let tell = Tell::Participants { contact: c.id, all };
        // Of what one command changed the end is told, once.
        let last = |d: &&Directive| {
            d.to == to && matches!(d.tell, Tell::Participants { contact, .. } if contact == c.id)
        };
        if self.out.iter().rev().find(last).is_none_or(|d| d.tell != tell) {
            self.out.push(Directive { to, tell });
        }
    }

    fn not_taken(
        &mut self,
        contact: ContactId,
        reservation: ReservationId,
        agent: AgentId,
        how: NotTaken,
    ) {
        self.agent(agent, Tell::OfferOver { contact, reservation, how });
        self.state(contact);
    }

    fn connect_failed(
        &mut self,
        contact: ContactId,
        reservation: ReservationId,
        agent: AgentId,
        fault: ConnectFault,
    ) {
        self.agent(agent, Tell::ConnectFailed { contact, reservation, fault });
        self.state(contact);
    }

    fn availability(&mut self, agent: AgentId, because: Option<AvailabilityBecause>) {
        let Some(a) = self.engine.agent(agent) else { return };
        let (now, next, phone_unreachable) = (a.availability, a.next, a.phone_unreachable);
        let (overstayed, leaves_in) = (a.overstayed, a.leaving.map(|l| l.at.since(self.at)));
        self.agent(
            agent,
            Tell::Availability { now, because, next, phone_unreachable, overstayed, leaves_in },
        );
    }

    /// Who leads work to make good hears of it, and who led it that they do not.
    fn recovery(&mut self, now: &Recovery, from: Option<AgentId>) {
        let done = now.state == RecoveryState::Done;
        let over = Tell::RecoveryOver { recovery: now.id, contact: now.contact, done };
        if let Some(from) = from {
            self.agent(from, over.clone());
        }
        if let Some(owner) = now.owner {
            self.agent(owner, if done { over } else { Tell::Recovery(*now) });
        }
    }

    /// Who is signed out by the same command hears of that, with the reason.
    fn leaving(&mut self, agent: AgentId) {
        let gone = |a: &Agent| a.availability == Availability::SignedOut;
        if !self.engine.agent(agent).is_some_and(gone) {
            self.availability(agent, None);
        }
    }

    /// All that an agent has, when a session of theirs begins.
    fn resync_agent(&mut self, agent: AgentId) {
        self.availability(agent, None);
        let work = self.engine.agent(agent).map(|a| a.work.clone()).unwrap_or_default();
        for work in &work {
            self.say_work(agent, work);
            let on = |c: &&Contact| work.hold == Hold::Assigned && c.participants.last > 0;
            if let Some(c) = self.engine.contact(work.contact).filter(on) {
                self.all_on(Recipient::Agent(agent), c);
            }
            if let Some(consult) = self.engine.contact(work.contact).and_then(|c| c.consult)
                && let Some(State::Assigned { agent: second, .. }) =
                    self.engine.contact(consult).map(|c| c.state)
            {
                self.consult_joined(consult, second);
            }
        }
        for recovery in self.engine.led_by(agent).take(MOST_TOLD) {
            self.agent(agent, Tell::Recovery(*recovery));
        }
    }

    /// All that a gateway has to know of a contact that it still holds.
    fn resync_contact(&mut self, contact: ContactId) {
        // Told once it may have been lost, and without it the gateway knows another id.
        if let Some(c) = self.engine.contact(contact).filter(|c| c.machine.follow_up)
            && let Some(of) = c.continues
        {
            self.gateway(c, Tell::GoesOnAs { contact: of, follow_up: contact });
        }
        self.opened(contact);
        self.state(contact);
        self.outlook(contact);
        if let Some(c) = self.engine.contact(contact).filter(|c| c.participants.last > 0) {
            self.all_on(Recipient::Gateway(c.gateway), c);
        }
        let effects = self.engine.contact(contact).map(|c| c.effects.clone()).unwrap_or_default();
        for (effect, kind) in effects {
            self.effect(contact, effect, kind);
        }
    }
}
