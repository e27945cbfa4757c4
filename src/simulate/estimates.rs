//! How the engine's estimates of the wait come out, those who gave up included.
//!
//! What is estimated is the wait of one who stays. Held against those alone who were answered
//! it would look too long, as the long waits are those that people give up: so for one who
//! gave up, the wait ends when their turn would have come. That is when somebody of their
//! queue who came after them is taken, or an agent who might have taken them finds nobody.

use super::people::Person;
use super::world::World;
use crate::engine::contact::State;
use crate::engine::words::{Channel, Need};
use crate::ids::{AgentId, ContactId};
use crate::time::EngineTime;
use smallvec::SmallVec;

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

    /// One is taken: those of their queue who came before them and gave up would have been, if
    /// the agent may take them.
    pub(super) fn had_their_turn(&mut self, contact: ContactId, agent: AgentId) {
        let Some(person) = self.people.get(&contact) else { return };
        let queue = self.scenario.streams[usize::from(person.stream)].queue;
        let until = (person.came, contact);
        self.turn_came(queue.index(), until, |world, stream| world.may_take(agent, stream));
    }

    /// Agents who have room and found nobody would have taken those who gave up.
    pub(super) fn anyone_turn(&mut self) {
        while let Some(agent) = self.freed.pop() {
            if !Channel::ALL.into_iter().any(|channel| self.has_room(agent, channel)) {
                continue;
            }
            for index in 0..self.gave_up.len() {
                let ever = (EngineTime(u64::MAX), ContactId(u64::MAX));
                self.turn_came(index, ever, |world, stream| {
                    let channel = world.scenario.streams[usize::from(stream)].channel;
                    world.has_room(agent, channel) && world.may_take(agent, stream)
                });
            }
        }
    }

    /// Of those who came to a queue before this and gave up, some would be taken now.
    fn turn_came(
        &mut self,
        queue: usize,
        until: (EngineTime, ContactId),
        taken: impl Fn(&Self, u16) -> bool,
    ) {
        let before = self.gave_up[queue].range(..until);
        let now: SmallVec<[(EngineTime, ContactId); 4]> =
            before.filter(|(_, (stream, _))| taken(self, *stream)).map(|(key, _)| *key).collect();
        for key in now {
            if let Some((_, estimate)) = self.gave_up[queue].remove(&key) {
                let waited = self.now.since(key.0);
                self.tally.queues[queue].estimates.known(waited, estimate);
            }
        }
    }

    /// Whether an agent may take one of a stream, if there is room.
    fn may_take(&self, agent: AgentId, stream: u16) -> bool {
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
            && profile.capacity[of.channel.index()] > 0
            && queue.needs.iter().chain(&of.needs).all(has)
    }

    fn has_room(&self, agent: AgentId, channel: Channel) -> bool {
        let profile = self.scenario.routing.agent(agent);
        let both = self.engine.agent(agent).zip(profile);
        both.is_some_and(|(agent, profile)| agent.can_take(profile, channel))
    }
}
