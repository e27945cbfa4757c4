//! Agents who look for work in slices: once everyone was gone through after an edit, when
//! reservations go on, and those whose search was cut short.
//!
//! Part of the agenda, never state. Everyone is in it once at most, and it goes round from
//! where it was, so that a reload each second neither lets it grow nor keeps anybody from
//! their turn.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::Turn;
use crate::ids::AgentId;

/// Agents who look in one slice. Most find nothing, which takes about a microsecond.
const LOOKED_AT: usize = 256;
/// Once so many events came of it the slice is over: each costs several microseconds.
const EVENTS: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::engine) struct Hungry {
    agents: BTreeSet<AgentId>,
    /// Who looked last.
    last: Option<AgentId>,
}

impl Hungry {
    pub(super) fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    pub(super) fn add(&mut self, agent: AgentId) {
        self.agents.insert(agent);
    }

    /// How many are to look, for tests.
    #[cfg(test)]
    pub(in crate::engine) fn len(&self) -> usize {
        self.agents.len()
    }

    /// Who is next, behind who was last.
    fn next(&mut self) -> Option<AgentId> {
        let behind = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.agents.range((behind, Bound::Unbounded)).next();
        let next = next.or_else(|| self.agents.first()).copied()?;
        self.agents.remove(&next);
        self.last = Some(next);
        Some(next)
    }
}

impl Turn<'_> {
    /// Everyone looks for work, in slices.
    pub(super) fn everyone_looks(&mut self) {
        self.engine.agenda.hungry.agents = self.engine.agents.iter().map(|a| a.id).collect();
    }

    /// One slice of those who look for work.
    pub(super) fn some_look(&mut self) {
        let before = self.events.len();
        for _ in 0..LOOKED_AT {
            if self.events.len() >= before + EVENTS {
                return;
            }
            let Some(agent) = self.engine.agenda.hungry.next() else { return };
            self.offer_agent(agent);
        }
    }
}
