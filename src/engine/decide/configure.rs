//! Another routing configuration: at a start, or by a person while everyone is here.
//!
//! It replaces the tables and finishes with who is gone from them; whom it makes able to serve
//! somebody who waits is offered them at once. It merges nothing: names have their ids already.

use std::sync::Arc;

use super::Turn;
use super::supervisor::MOST_WHY;
use crate::engine::MOST_PROFILES;
use crate::engine::agent::Agent;
use crate::engine::command::Reply;
use crate::engine::event::Event;
use crate::engine::floor::Floor;
use crate::engine::refusal::Refusal;
use crate::engine::routing::Routing;
use crate::engine::words::{Availability, AvailabilityBecause};
use crate::ids::AgentId;

impl Turn<'_> {
    pub(super) fn configure(
        &mut self,
        routing: &Arc<Routing>,
        why: Option<&Arc<str>>,
    ) -> Result<Reply, Refusal> {
        if why.is_some_and(|why| why.len() > MOST_WHY) {
            return Err(Refusal::OutOfRange { field: "why", expected: "at most 512 bytes" });
        }
        let old = &self.engine.routing;
        if old == routing {
            return Ok(Reply::Done);
        }
        agree(old, routing)?;
        if Floor::count_profiles(routing) > MOST_PROFILES {
            return Err(Refusal::Limit { what: "agent profile", most: MOST_PROFILES as u64 });
        }
        if let Some(why) = why {
            self.emit(Event::Ordered { why: Arc::clone(why) });
        }
        self.emit(Event::Configured(Arc::clone(routing)));
        for index in 0..self.engine.agents.len() {
            let agent = self.engine.agents[index].id;
            self.retire_if_free(agent);
            self.offer_agent(agent);
        }
        Ok(Reply::Done)
    }

    /// Who is no longer in the configuration signs out, once their hands are empty.
    pub(super) fn retire_if_free(&mut self, agent: AgentId) {
        let retired = self.engine.routing.agent(agent).is_some_and(|p| p.retired);
        let free = |a: &Agent| a.work.is_empty() && a.availability != Availability::SignedOut;
        if retired && self.engine.agent(agent).is_some_and(free) {
            let (to, because) = (Availability::SignedOut, AvailabilityBecause::Retired);
            self.emit(Event::AvailabilityChanged { agent, to, because });
        }
    }
}

/// Whether the names in force keep their ids in a new configuration.
fn agree(old: &Routing, new: &Routing) -> Result<(), Refusal> {
    fn kept<T>(old: &[T], new: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
        old.len() <= new.len() && old.iter().zip(new).all(|(o, n)| same(o, n))
    }
    let checks = [
        ("skills", kept(&old.skills, &new.skills, |o, n| o.name == n.name)),
        ("pools", kept(&old.pools, &new.pools, |o, n| o.name == n.name)),
        ("queues", kept(&old.queues, &new.queues, |o, n| o.name == n.name)),
        ("agents", kept(&old.agents, &new.agents, |o, n| o.name == n.name)),
        ("entry_points", kept(&old.entry_points, &new.entry_points, |o, n| o.name == n.name)),
        (
            "not_ready_reasons",
            new.not_ready_reasons.len() >= 2
                && kept(&old.not_ready_reasons, &new.not_ready_reasons, |o, n| o.name == n.name),
        ),
        ("dispositions", kept(&old.dispositions, &new.dispositions, |o, n| o.name == n.name)),
    ];
    match checks.into_iter().find(|(_, ok)| !ok) {
        Some((table, _)) => Err(Refusal::BadConfiguration(table)),
        None => Ok(()),
    }
}
