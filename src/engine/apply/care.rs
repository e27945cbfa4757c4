//! Events about a customer's patience: places kept, links, silence.

use super::super::Engine;
use super::super::care::{Held, Silence};
use super::super::contact::{Contact, State};
use super::super::event::{
    Advanced, AdvancedBecause, Event, HeldBack, Linked, PlaceKept, PresenceAsked, Queued,
    WentSilent,
};
use super::super::recent::{KeptPlace, LastOfThread};
use super::super::words::{Channel, ServiceClass, WaitsFor};
use crate::ids::{AgentId, ContactId, CustomerId, QueueId};
use crate::time::{EngineTime, Span};

impl Engine {
    /// A place that was kept is given back once, whichever queue it is in.
    fn place_taken(&mut self, at: EngineTime, customer: CustomerId, of: ContactId) {
        for queue in (0..).map(QueueId).take(self.routing.queues.len()) {
            if self.kept.get(at, &(customer, queue)).is_some_and(|kept| kept.contact == of) {
                self.kept.forget(&(customer, queue));
            }
        }
    }

    pub(super) fn apply_to_care(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::InputReceived(contact) => self.spoke(at, *contact),
            Event::PlaceKept(kept) => {
                let PlaceKept { contact, customer, queue, origin, until } = *kept;
                self.kept.note(at, KeptPlace { until, customer, queue, contact, origin });
            }
            Event::Advanced(Advanced { contact, by, place, because }) => {
                if let AdvancedBecause::Returned { of, .. } = because
                    && let Some(customer) = self.contact(*contact).and_then(|c| c.customer)
                {
                    self.place_taken(at, customer, *of);
                }
                self.change(*contact, |c| {
                    c.care.ahead = Span(c.care.ahead.0.saturating_add(by.0));
                    c.place = *place;
                });
            }
            Event::Linked(Linked { contact, with, matter }) => {
                for contact in [contact, with] {
                    if self.contact(*contact).is_some_and(|c| c.care.matter.is_none()) {
                        self.known.link();
                    }
                    self.note(*contact, |c| c.care.matter = Some(*matter));
                }
            }
            Event::HeldBack(HeldBack { contact, with, until }) => {
                let held = Held { until: *until, with: Some(*with) };
                self.change(*contact, |c| c.care.held = Some(held));
            }
            Event::HoldEnded(contact) => self.change(*contact, |c| {
                if let Some(held) = &mut c.care.held {
                    held.with = None;
                }
            }),
            Event::FellSilent(contact) => {
                self.change(*contact, |c| c.care.silence = Silence::Fell);
            }
            Event::PresenceAsked(PresenceAsked { contact, agent, until }) => {
                let (agent, until) = (*agent, *until);
                self.change(*contact, |c| c.care.silence = Silence::Asked { agent, until });
            }
            Event::PresenceAssumed(contact) => self.spoke(at, *contact),
            Event::WentSilent(WentSilent { contact, until }) => self.change(*contact, |c| {
                c.care.silence = Silence::Gone;
                c.state = State::Pending { on: WaitsFor::Customer, until: *until, agent: None };
            }),
            _ => {}
        }
    }

    /// The customer is there. Counts only where somebody would ask.
    fn spoke(&mut self, at: EngineTime, contact: ContactId) {
        if self.contact(contact).is_some_and(|c| c.care.silent_after.is_some()) {
            self.change(contact, |c| {
                c.care.heard = at;
                c.care.silence = Silence::None;
            });
        }
    }

    /// After how long without a word the customer of one who enters a queue is asked.
    pub(super) fn silent_after(&self, q: &Queued) -> Option<Span> {
        let liveness = self.routing.queue(q.queue)?.care.liveness?;
        let c = self.contact(q.contact)?;
        let asked = c.channel == Channel::Chat
            && c.parent.is_none()
            && q.service != ServiceClass::Safety
            && self.gateway(c.gateway).is_some_and(|g| g.limits.says);
        asked.then_some(liveness.after)
    }

    /// A letter or message ended: one that goes on from it goes to who had it first.
    pub(super) fn thread_ended(&mut self, at: EngineTime, c: &Contact, agent: Option<AgentId>) {
        let lasting = self.routing.queue(c.queue).map_or(Span::ZERO, |q| q.care.thread);
        let letter = matches!(c.channel, Channel::Email | Channel::Message) && c.parent.is_none();
        let pending = match c.state {
            State::Pending { agent, .. } => agent,
            _ => None,
        };
        if let Some(agent) = agent.or(pending).filter(|_| letter && lasting > Span::ZERO) {
            let row = LastOfThread { until: at + lasting, contact: c.id, agent };
            self.threads.note(at, row);
        }
    }
}
