//! How the engine's estimates of the wait come out, those who gave up included.
//!
//! What is estimated is the wait of one who stays. Held against those alone who were answered
//! it would look too long, as the long waits are those that people give up: so for one who
//! gave up, the wait ends when their turn would have come. That is when somebody of their
//! queue who came after them is taken, or an agent who might have taken them finds nobody.

use super::people::Person;
use super::world::World;
use crate::engine::contact::State;
use crate::engine::words::Need;
use crate::ids::{AgentId, ContactId};

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
            self.gave_up[queue.index()].insert((person.came, contact), (person.stream, estimate));
        }
    }

    /// One is taken: those of their queue who came before them and gave up would have been.
    pub(super) fn had_their_turn(&mut self, contact: ContactId) {
        let Some(person) = self.people.get(&contact) else { return };
        let (queue, until) =
            (self.scenario.streams[usize::from(person.stream)].queue, (person.came, contact));
        let waiting = &mut self.gave_up[queue.index()];
        while let Some(first) = waiting.first_entry().filter(|first| *first.key() < until) {
            let ((came, _), (_, estimate)) = first.remove_entry();
            let waited = self.now.since(came);
            self.tally.queues[queue.index()].estimates.known(waited, estimate);
        }
    }

    /// Agents who have room and found nobody would have taken those who gave up.
    pub(super) fn anyone_turn(&mut self) {
        while let Some(agent) = self.freed.pop() {
            for index in 0..self.gave_up.len() {
                if self.gave_up[index].is_empty() {
                    continue;
                }
                let mut waiting = std::mem::take(&mut self.gave_up[index]);
                waiting.retain(|(came, _), (stream, estimate)| {
                    let taken = self.would_take(agent, *stream);
                    if taken {
                        let waited = self.now.since(*came);
                        self.tally.queues[index].estimates.known(waited, *estimate);
                    }
                    !taken
                });
                self.gave_up[index] = waiting;
            }
        }
    }

    /// Whether an agent has room for one of a stream, and may take them.
    fn would_take(&self, agent: AgentId, stream: u16) -> bool {
        let of = &self.scenario.streams[usize::from(stream)];
        let routing = &self.scenario.routing;
        let (Some(profile), Some(queue)) = (routing.agent(agent), routing.queue(of.queue)) else {
            return false;
        };
        let has = |need: &Need| {
            let enough = |(skill, level): &(_, u8)| *skill == need.skill && *level >= need.at_least;
            profile.skills.iter().any(enough)
        };
        (queue.pools.is_empty() || queue.pools.contains(&profile.pool))
            && queue.needs.iter().chain(&of.needs).all(has)
            && self.engine.agent(agent).is_some_and(|a| a.can_take(profile, of.channel))
    }
}
