//! What must hold of those who are held back, linked and asked.

use std::collections::BTreeMap;

use super::Violation;
use crate::engine::Engine;
use crate::engine::care::{MOST_ASKED, Silence};
use crate::engine::contact::{Contact, State, StateKind};
use crate::engine::recall::TriageClass;
use crate::engine::words::{Channel, ServiceClass};
use crate::ids::AgentId;
use crate::time::Span;

fn is_hurt(c: &Contact) -> bool {
    c.service == ServiceClass::Safety || c.triage.is_some_and(|t| t.class == TriageClass::Safety)
}

impl Engine {
    /// Who is held back has a reason that is with an agent, and who has one is held back. Who is
    /// asked stands nowhere, and no agent has a customer who was asked and did not answer.
    pub(super) fn check_care(&self) -> Result<(), Violation> {
        let mut asks: BTreeMap<AgentId, u8> = BTreeMap::new();
        for c in self.contacts() {
            if !self.holds_rightly(c) || !asks_rightly(c) {
                return Err(Violation::Care(c.id));
            }
            if let Some(agent) = c.care.asked_for() {
                *asks.entry(agent).or_default() += 1;
            }
        }
        let few = asks.values().all(|n| *n <= MOST_ASKED);
        if few && asks == self.floor.asks().collect() {
            Ok(())
        } else {
            Err(Violation::Index("customers who are asked"))
        }
    }

    fn holds_rightly(&self, c: &Contact) -> bool {
        let linked = |o: &Contact| {
            o.id != c.id && o.customer == c.customer && o.care.matter == c.care.matter
        };
        let is_with_agent = |o: &Contact| o.state.agent().is_some();
        if let Some(with) = c.care.held_for() {
            let with = self.contact(with);
            return c.state == State::Queued
                && !is_hurt(c)
                && c.care.matter.is_some()
                && with.is_some_and(|o| linked(o) && is_with_agent(o));
        }
        // An engine of an image does not know the time, and so not whether that was long enough.
        let over = c.care.held.is_some();
        let queue = self.routing.queue(c.queue);
        let lasting = queue.map_or(Span::ZERO, |q| q.care.hold_linked);
        let free = c.care.matter.is_none() || !c.is_in_line() || c.named.is_some() || over;
        free || c.state != State::Queued
            || lasting == Span::ZERO
            || is_hurt(c)
            || !self.contacts().any(|o| linked(o) && is_with_agent(o))
    }
}

/// Whether a contact's silence goes with its state.
fn asks_rightly(c: &Contact) -> bool {
    let may = c.channel == Channel::Chat
        && c.parent.is_none()
        && c.service != ServiceClass::Safety
        && c.care.silent_after.is_some();
    match c.care.silence {
        Silence::None => true,
        Silence::Fell => {
            may && matches!(c.state.kind(), StateKind::Queued | StateKind::SelfService)
        }
        Silence::Asked { .. } => may && c.state == State::Queued,
        Silence::Gone => may && c.state.kind() == StateKind::Pending,
    }
}
