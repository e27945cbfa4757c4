//! Who is not ready for which reason, by pool: what a reason's limit of agents is held against.
//!
//! Derived from agents as they change, never hashed. Who asked for a reason to come after
//! their last contact counts as on it: what was granted is not taken away later. It decides
//! nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::agent::Agent;
use super::routing::Routing;
use super::words::Availability;
use crate::ids::{AgentId, PoolId, ReasonId};
use crate::time::EngineTime;

/// What of an agent counts here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    signed_in: bool,
    on: Option<ReasonId>,
    next: Option<ReasonId>,
    /// When they should be back, if that is known; one who is late, at the beginning of time.
    back: Option<EngineTime>,
}

impl Seen {
    pub(crate) fn of(agent: &Agent) -> Self {
        let reason = |a| match a {
            Availability::NotReady(reason) => Some(reason),
            Availability::Ready | Availability::SignedOut => None,
        };
        Self {
            signed_in: agent.availability != Availability::SignedOut,
            on: reason(agent.availability),
            next: agent.next.and_then(reason),
            back: if agent.overstayed { Some(EngineTime::ZERO) } else { agent.over_at },
        }
    }

    fn reasons(self) -> impl Iterator<Item = ReasonId> {
        self.on.into_iter().chain(self.next.filter(|next| self.on != Some(*next)))
    }
}

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Away {
    signed_in: BTreeMap<PoolId, u32>,
    on: BTreeMap<(PoolId, ReasonId), BTreeSet<AgentId>>,
    /// Those who are on it now, in the order in which they should be back.
    back: BTreeMap<(PoolId, ReasonId), BTreeSet<(EngineTime, AgentId)>>,
}

impl Away {
    /// All of it anew: pools change with the configuration.
    pub(crate) fn of(agents: &[Agent], routing: &Routing) -> Self {
        let mut away = Self::default();
        for agent in agents {
            if let Some(profile) = routing.agent(agent.id) {
                away.changed(agent.id, profile.pool, Seen::default(), Seen::of(agent));
            }
        }
        away
    }

    pub(crate) fn changed(&mut self, agent: AgentId, pool: PoolId, before: Seen, after: Seen) {
        if before == after {
            return;
        }
        if before.signed_in != after.signed_in {
            let signed_in = self.signed_in.entry(pool).or_default();
            *signed_in = if after.signed_in { *signed_in + 1 } else { signed_in.saturating_sub(1) };
            if *signed_in == 0 {
                self.signed_in.remove(&pool);
            }
        }
        for reason in before.reasons() {
            if let Some(on) = self.on.get_mut(&(pool, reason)) {
                on.remove(&agent);
                if on.is_empty() {
                    self.on.remove(&(pool, reason));
                }
            }
        }
        for reason in after.reasons() {
            self.on.entry((pool, reason)).or_default().insert(agent);
        }
        if let Some((reason, back)) = before.on.zip(before.back)
            && let Some(all) = self.back.get_mut(&(pool, reason))
        {
            all.remove(&(back, agent));
            if all.is_empty() {
                self.back.remove(&(pool, reason));
            }
        }
        if let Some((reason, back)) = after.on.zip(after.back) {
            self.back.entry((pool, reason)).or_default().insert((back, agent));
        }
    }

    /// How many of a pool are signed in.
    pub(crate) fn signed_in(&self, pool: PoolId) -> u32 {
        self.signed_in.get(&pool).copied().unwrap_or_default()
    }

    /// Who of a pool is on a reason or will be, in the order of their ids.
    pub(crate) fn on(&self, pool: PoolId, reason: ReasonId) -> impl Iterator<Item = AgentId> {
        self.on.get(&(pool, reason)).into_iter().flatten().copied()
    }

    /// How many beside one agent are on it or will be.
    pub(crate) fn beside(&self, agent: AgentId, pool: PoolId, reason: ReasonId) -> usize {
        let on = self.on.get(&(pool, reason));
        on.map_or(0, |on| on.len() - usize::from(on.contains(&agent)))
    }

    /// When the first beside one agent should be back, if that is known of anybody.
    pub(crate) fn first_back(
        &self,
        agent: AgentId,
        pool: PoolId,
        reason: ReasonId,
    ) -> Option<EngineTime> {
        let mut back = self.back.get(&(pool, reason)).into_iter().flatten();
        back.find(|(_, other)| *other != agent).map(|(back, _)| *back)
    }
}
