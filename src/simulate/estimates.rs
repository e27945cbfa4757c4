//! How the engine's estimates of the wait come out, those who gave up included.
//!
//! What is estimated is the wait of one who stays. Held against those alone who were answered
//! it would look too long, as the long waits are those that people give up: so for one who
//! gave up, the wait ends when their turn would have come. That is when somebody of their
//! queue who came after them is taken, or an agent who may take from it finds nobody.

use super::people::Person;
use super::world::World;
use crate::engine::contact::State;
use crate::ids::{AgentId, ContactId, QueueId};

impl World<'_> {
    /// One begins to wait, and the engine says how long it will be.
    pub(super) fn estimated(&mut self, contact: ContactId) {
        let estimate = self.engine.wait_estimate(contact, self.now);
        let waits = self.engine.contact(contact).is_some_and(|c| c.state == State::Queued);
        let Some(person) = self.people.get_mut(&contact).filter(|_| waits) else { return };
        person.estimate = estimate;
        let person = *person;
        if estimate.is_none() {
            self.queue_of(&person).estimates.unknown += 1;
        }
    }

    /// One who had an estimate gave up.
    pub(super) fn would_wait(&mut self, contact: ContactId, person: &Person) {
        if let Some(estimate) = person.estimate {
            let queue = self.scenario.streams[usize::from(person.stream)].queue;
            self.gave_up[queue.index()].insert((person.came, contact), estimate);
        }
    }

    /// One is taken: those of their queue who came before them and gave up would have been.
    pub(super) fn had_their_turn(&mut self, contact: ContactId) {
        let Some(person) = self.people.get(&contact) else { return };
        let (queue, until) =
            (self.scenario.streams[usize::from(person.stream)].queue, (person.came, contact));
        self.turn_came(queue, |key| *key < until);
    }

    /// Agents who are free and found nobody would have taken those who gave up.
    pub(super) fn anyone_turn(&mut self) {
        while let Some(agent) = self.freed.pop() {
            if self.hands[agent.index()].busy > 0 {
                continue;
            }
            for index in 0..self.gave_up.len() {
                let queue = QueueId(u16::try_from(index).unwrap_or(u16::MAX));
                if !self.gave_up[index].is_empty() && self.serves(agent, queue) {
                    self.turn_came(queue, |_| true);
                }
            }
        }
    }

    fn turn_came(
        &mut self,
        queue: QueueId,
        of: impl Fn(&(crate::time::EngineTime, ContactId)) -> bool,
    ) {
        let waiting = &mut self.gave_up[queue.index()];
        while let Some(first) = waiting.first_entry().filter(|first| of(first.key())) {
            let waited = self.now.since(first.key().0);
            let estimate = first.remove();
            self.tally.queues[queue.index()].estimates.known(waited, estimate);
        }
    }

    /// Whether an agent may take from a queue.
    fn serves(&self, agent: AgentId, queue: QueueId) -> bool {
        let routing = &self.scenario.routing;
        let (Some(agent), Some(queue)) = (routing.agent(agent), routing.queue(queue)) else {
            return false;
        };
        let has = |need: &crate::engine::words::Need| {
            agent
                .skills
                .iter()
                .any(|(skill, level)| *skill == need.skill && *level >= need.at_least)
        };
        (queue.pools.is_empty() || queue.pools.contains(&agent.pool)) && queue.needs.iter().all(has)
    }
}
