//! Who is idle: how an agent stands in line for work, and the line itself.
//!
//! A line is that of one profile on one channel. Where work waits for everybody, an agent
//! stands in it for the moment between two events: a few are therefore kept in a plain sorted
//! array, which costs no memory to be had and given back each time, and a crowd in a tree.
//! Owned by [`super::Floor`]; it decides nothing.

use std::collections::BTreeSet;

use crate::engine::agent::{Agent, WHOLE};
use crate::engine::policy::Channels;
use crate::engine::routing::AgentProfile;
use crate::engine::words::Channel;
use crate::ids::AgentId;
use crate::time::EngineTime;

/// So many stand in an array; more in a tree.
const FEW: usize = 32;
/// Back from the tree with so few: not at once, or one agent could move everybody to and fro.
const FEW_AGAIN: usize = FEW / 2;

/// An agent in line for work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Idle {
    /// For chat, email and message: thousandths of capacity in use. For calls always 0.
    pub(super) load: u16,
    pub(super) since: EngineTime,
    pub(super) agent: AgentId,
}

/// How one agent stands in line for work on every channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct IdleKeys {
    /// Where they can take a contact now.
    on: Channels,
    load: u16,
    since: EngineTime,
}

impl IdleKeys {
    pub(crate) fn of(agent: &Agent, profile: &AgentProfile) -> Self {
        if !agent.is_open(profile) {
            return Self::default();
        }
        let load = agent.load(profile);
        // With full hands nothing fits on any channel, unless it interrupts.
        if load >= WHOLE && !profile.workload.interrupts_any() {
            return Self::default();
        }
        let room = |c: &Channel| agent.takes(profile, *c) && agent.has_room(profile, *c, load);
        let on: Channels = Channel::ALL.into_iter().filter(room).collect();
        if on.is_empty() {
            return Self::default();
        }
        let load = u16::try_from(load / 1000).unwrap_or(u16::MAX);
        Self { on, load, since: agent.idle_since }
    }

    /// Whether they can take a contact of a channel.
    pub(crate) const fn has(self, channel: Channel) -> bool {
        self.on.has(channel)
    }

    /// Whether they can take none at all.
    pub(crate) const fn is_empty(self) -> bool {
        self.on.is_empty()
    }

    /// Where this agent stands in the line of a channel.
    pub(super) fn on(self, channel: Channel, agent: AgentId) -> Option<Idle> {
        let load = if channel == Channel::Voice { 0 } else { self.load };
        self.has(channel).then_some(Idle { load, since: self.since, agent })
    }
}

/// Idle agents, least loaded and then longest idle first.
#[derive(Debug, Default)]
pub(super) struct IdleLine {
    /// In order; empty where there is a crowd.
    few: Vec<Idle>,
    crowd: BTreeSet<Idle>,
}

impl IdleLine {
    pub(super) fn insert(&mut self, idle: Idle) {
        if !self.crowd.is_empty() {
            self.crowd.insert(idle);
            return;
        }
        if let Err(at) = self.few.binary_search(&idle) {
            self.few.insert(at, idle);
        }
        if self.few.len() > FEW {
            self.crowd.extend(self.few.drain(..));
        }
    }

    pub(super) fn remove(&mut self, idle: &Idle) {
        if let Ok(at) = self.few.binary_search(idle) {
            self.few.remove(at);
        } else if self.crowd.remove(idle) && self.crowd.len() <= FEW_AGAIN {
            self.few.extend(std::mem::take(&mut self.crowd));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Idle> {
        self.few.iter().chain(&self.crowd)
    }

    pub(super) fn len(&self) -> usize {
        self.few.len() + self.crowd.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_same_for_a_few_and_for_a_crowd() {
        let (mut line, mut all) = (IdleLine::default(), BTreeSet::new());
        let mut at = 1u32;
        // Growing past the tree and shrinking back to the array, several times over.
        for round in 0..20_000u32 {
            at = u32::try_from(u64::from(at) * 48_271 % 2_147_483_647).unwrap();
            let since = EngineTime(u64::from(at % 7));
            let idle =
                Idle { load: u16::try_from(at % 3).unwrap(), since, agent: AgentId(at % 50) };
            if round / 200 % 2 == 0 {
                line.insert(idle);
                all.insert(idle);
            } else {
                let gone = all.range(idle..).next().copied().unwrap_or(idle);
                line.remove(&gone);
                all.remove(&gone);
            }
            assert!(line.iter().eq(&all), "in round {round}");
            assert_eq!((line.len(), line.is_empty()), (all.len(), all.is_empty()));
            assert!(line.few.is_empty() || line.crowd.is_empty());
            assert!(line.few.len() <= FEW);
        }
    }
}
