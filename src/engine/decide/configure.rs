//! Another routing configuration: at a start, or by a person while everyone is here.
//!
//! It replaces the tables and finishes with who is gone from them; agents look for work in
//! slices, once those who wait stand where it puts them. It merges nothing: names have their ids already.

use std::sync::Arc;

use super::Turn;
use super::check::agree;
use super::refile::edited;
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
        let edited = edited(old, routing);
        if let Some(why) = why {
            self.emit(Event::Ordered { why: Arc::clone(why) });
        }
        self.emit(Event::Configured(Arc::clone(routing)));
        self.schedule_refiling(|queue| edited.get(queue.index()).is_some_and(|edited| *edited));
        for index in 0..self.engine.agents.len() {
            let agent = self.engine.agents[index].id;
            self.retire_if_free(agent);
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
