//! What falls due, and what is done in slices with other commands in between.

use super::super::agent::Presence;
use super::super::callback::DialOutcome;
use super::super::contact::{Link, State};
use super::super::event::{Event, Settled};
use super::super::gateway::Sweep;
use super::super::timer::Due;
use super::super::words::{ConnectFault, EndReason, NotTaken, WaitsFor};
use super::{Turn, is_connect};
use crate::ids::{ContactId, GatewayId};

/// Timers fired, and contacts gone through, in one tick. A slice takes well under a
/// millisecond, so that nobody else waits for it.
const SLICE: usize = 512;

impl Turn<'_> {
    pub(super) fn tick(&mut self) {
        for _ in 0..SLICE {
            match self.engine.timers.first_due(self.at) {
                Some(due) => self.fire(due),
                None => break,
            }
        }
        self.sweep();
        self.look_at_a_level();
        self.walk();
        self.refile_some();
        self.carry_out();
        self.turns_come();
        self.some_go_on();
        self.some_look();
    }

    fn fire(&mut self, due: Due) {
        match due {
            Due::Contact(contact) => self.contact_due(contact),
            Due::Step(contact) => self.step_due(contact),
            Due::Update(contact) => self.update_due(contact),
            Due::Named(contact) => self.no_longer_named(contact),
            Due::Held(contact) => self.hold_over(contact),
            Due::Silence(contact) => self.silence_due(contact),
            Due::Offer(contact) => self.offer_over(contact),
            Due::PassOver(contact, agent) => {
                self.emit(Event::PassOverEnded { contact, agent });
                self.offer_contact(contact);
            }
            Due::WrapUp(agent, contact) => {
                self.emit(Event::WrapUpEnded { agent, contact });
                self.agent_freed(agent);
            }
            Due::Grace(agent) => self.grace_over(agent),
            Due::Tiers(_) => self.tiers_follow(),
            Due::Safety(contact) => self.safety_due(contact),
            Due::Alarm(recall) => self.alarm_due(recall),
            Due::Expiry(recall) => self.end_recall(recall, true),
            Due::Promise(promise) => self.promise_due(promise),
            Due::Recovery(recovery) => self.recovery_due(recovery),
            Due::Overstay(agent) => self.overstayed(agent),
            Due::Leaving(agent) => self.leaving_due(agent),
            Due::Outside(agent) => self.outside_due(agent),
        }
    }

    fn contact_due(&mut self, contact: ContactId) {
        match self.engine.contact(contact).map(|c| c.state) {
            Some(State::Reserved { reservation, agent, .. }) => {
                let present = self
                    .engine
                    .agent(agent)
                    .is_some_and(|a| matches!(a.presence, Presence::Connected(_)));
                let how = if present { NotTaken::TimedOut } else { NotTaken::AgentGone };
                self.not_taken(contact, reservation, agent, how);
            }
            Some(State::Connecting { .. }) if self.is_called(contact) => {
                // The gateway said nothing: the phone may be ringing still.
                self.settle_effects(contact, Settled::Withdrawn, is_connect);
                self.dial_over(contact, DialOutcome::Congestion, 0);
            }
            Some(State::CallbackDue) => self.callback_due(contact),
            Some(State::Connecting { agent, .. }) => {
                let by_name = self.connect_failed(contact, ConnectFault::TimedOut);
                self.offer_again(contact, by_name);
                self.agent_freed(agent);
            }
            Some(State::Pending { on: WaitsFor::External, .. }) => self.not_forwarded(contact),
            Some(State::Pending { .. }) => self.waited_enough(contact),
            Some(State::SelfService(s)) => self.self_service_due(contact, s),
            _ => {}
        }
    }

    /// Goes through one slice of a gateway's contacts.
    fn sweep(&mut self) {
        let Some((gateway, from)) = self.engine.agenda.sweeps.pop_front() else { return };
        let kind = self.engine.gateway(gateway).map_or(Sweep::None, |g| g.sweep);
        let end = self.engine.contacts.slots().min(from + SLICE);
        for slot in from..end {
            if let Some(contact) = self.swept(slot, gateway, kind) {
                match kind {
                    Sweep::None => {}
                    Sweep::Detach => self.set_aside(contact),
                    Sweep::CloseLost(_) => self.not_named(contact, EndReason::GatewayLost),
                }
            }
        }
        let more = match kind {
            Sweep::CloseLost(session) if end == self.engine.contacts.slots() => {
                self.outside_lost(gateway, session)
            }
            _ => end < self.engine.contacts.slots() && kind != Sweep::None,
        };
        if more {
            self.engine.agenda.sweeps.push_back((gateway, end));
        }
    }

    /// The contact in a slot, if it is this gateway's and not held by its present session.
    /// What the router opened while it was away it takes over when it is back, too.
    fn swept(&self, slot: usize, gateway: GatewayId, kind: Sweep) -> Option<ContactId> {
        let c = &self.engine.contacts.in_slot(slot)?.contact;
        let gone = match c.link {
            Link::Unary => c.is_ours() && matches!(kind, Sweep::CloseLost(_)),
            _ => !self.engine.is_attached(c),
        };
        (gone && c.gateway == gateway).then_some(c.id)
    }

    pub(super) fn detach(&mut self, contact: ContactId) {
        if self.engine.contact(contact).is_some_and(|c| c.link != Link::Detached) {
            self.emit(Event::Detached(contact));
        }
    }
}
