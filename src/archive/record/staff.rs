//! How long agents were signed in, ready and not ready, and for which queues.
//!
//! An agent's state lasts from one change of availability to the next: a **spell**. One is
//! counted when it ends, split by quarters, for the agent and for every queue that they may take
//! from by the configuration that is in force; when that changes for them, the spell ends and
//! goes on as another. Spells are kept as rows, so that those which are open survive a restart,
//! count in a report before they end, and an accepted loss can take the others off again.

use std::sync::Arc;

use super::super::rows::{Table, When};
use super::{AgentColumn, QueueColumn, Record, Spell};
use crate::engine::routing::{AgentProfile, Routing};
use crate::engine::words::Availability;
use crate::ids::{AgentId, QueueId, ReasonId};
use crate::time::{EngineTime, WallTime};

/// What an agent is, while signed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum State {
    Ready,
    NotReady(ReasonId),
}

impl State {
    fn of(availability: Availability) -> Option<Self> {
        match availability {
            Availability::Ready => Some(Self::Ready),
            Availability::NotReady(reason) => Some(Self::NotReady(reason)),
            Availability::SignedOut => None,
        }
    }
}

/// A spell that has not ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Open {
    pub(in super::super) state: State,
    /// The entry that it began with, and which of that entry's events.
    pub(in super::super) sequence: u64,
    pub(in super::super) n: u64,
    pub(in super::super) at: EngineTime,
    pub(in super::super) wall: WallTime,
}

/// What becomes of the rows of spells.
#[derive(Clone, Debug)]
pub(in super::super) enum Change {
    Began(AgentId, Open),
    Ended(AgentId, Open, Arc<When>),
}

/// The spells of everybody who is signed in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in super::super) struct Staff(pub(in super::super) Table<AgentId, Open>);

impl Staff {
    /// An agent's availability is another, or was said again.
    pub(in super::super) fn changes(
        &mut self,
        agent: AgentId,
        to: Availability,
        when: (&Arc<When>, u64),
        to_be_written: (&Routing, &mut Record, &mut Vec<Change>),
    ) {
        let state = State::of(to);
        if self.0.get(&agent).map(|open| open.state) != state {
            self.begins(agent, state, when, to_be_written);
        }
    }

    /// The spell that an agent is in ends, and this one begins.
    fn begins(
        &mut self,
        agent: AgentId,
        state: Option<State>,
        (when, n): (&Arc<When>, u64),
        (routing, record, rows): (&Routing, &mut Record, &mut Vec<Change>),
    ) {
        if let Some(open) = self.0.remove(&agent) {
            record.state(agent, open.state, open.until(when.at), routing);
            rows.push(Change::Ended(agent, open, Arc::clone(when)));
        }
        let Some(state) = state else { return };
        let open = Open { state, sequence: when.sequence, n, at: when.at, wall: when.wall };
        self.0.insert(agent, open);
        rows.push(Change::Began(agent, open));
    }

    /// Another configuration: of whoever may take from other queues now, what was counts for
    /// those that they could take from until now.
    pub(in super::super) fn configured(
        &mut self,
        (old, new): (&Routing, &Routing),
        when: (&Arc<When>, u64),
        (record, rows): (&mut Record, &mut Vec<Change>),
    ) {
        let mut others: Vec<(AgentId, State)> = self
            .0
            .iter()
            .filter(|(agent, _)| !same(old, new, **agent))
            .map(|(agent, open)| (*agent, open.state))
            .collect();
        others.sort_unstable_by_key(|(agent, _)| *agent);
        for (agent, state) in others {
            self.begins(agent, Some(state), when, (old, &mut *record, &mut *rows));
        }
    }
}

impl Open {
    /// As long as it has lasted by then.
    pub(in super::super) fn until(&self, at: EngineTime) -> Spell {
        Spell { began: self.wall, lasted: at.since(self.at) }
    }
}

impl Record {
    /// Time that an agent was in a state, by a configuration.
    pub(in super::super) fn state(
        &mut self,
        agent: AgentId,
        state: State,
        spell: Spell,
        routing: &Routing,
    ) {
        let queues: Vec<QueueId> = queues_of(routing, agent).collect();
        let (of_agent, of_queue) = match state {
            State::Ready => (AgentColumn::Ready, QueueColumn::Ready),
            State::NotReady(_) => (AgentColumn::NotReady, QueueColumn::NotReady),
        };
        for (start, us) in spell.quarters() {
            let cells = self.agents.entry((agent, start)).or_insert([0; super::AGENT_COLUMNS]);
            cells[AgentColumn::Staffed as usize] += us;
            cells[of_agent as usize] += us;
            if let State::NotReady(reason) = state {
                *self.reasons.entry((agent, reason, start)).or_default() += us;
            }
            for queue in &queues {
                let cells = self.queues.entry((*queue, start)).or_insert([0; super::QUEUE_COLUMNS]);
                cells[QueueColumn::Staffed as usize] += us;
                cells[of_queue as usize] += us;
            }
        }
    }
}

/// The queues that an agent may take something from.
fn queues_of(routing: &Routing, agent: AgentId) -> impl Iterator<Item = QueueId> {
    let profile = routing.agent(agent).filter(|profile| !profile.retired);
    let queues = routing.queues.iter().enumerate();
    queues.filter_map(move |(id, queue)| {
        let may = profile.is_some_and(|profile| may_take(profile, queue)) && !queue.retired;
        may.then(|| QueueId(u16::try_from(id).unwrap_or(u16::MAX)))
    })
}

fn may_take(agent: &AgentProfile, queue: &crate::engine::routing::Queue) -> bool {
    let skilled = |skill, at_least| {
        agent.skills.iter().any(|(has, level)| *has == skill && *level >= at_least)
    };
    let channels = queue.channels.iter().zip(&agent.capacity);
    channels.into_iter().any(|(takes, most)| *takes && *most > 0)
        && (queue.pools.is_empty() || queue.pools.contains(&agent.pool))
        && queue.needs.iter().all(|need| skilled(need.skill, need.at_least))
}

/// Whether an agent may take from the same queues by two configurations.
fn same(old: &Routing, new: &Routing, agent: AgentId) -> bool {
    queues_of(old, agent).eq(queues_of(new, agent))
}
