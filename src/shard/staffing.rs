//! Which agents serve which queues, and how many of them are there now.
//!
//! The replica keeps it for those who look: agents alike in pool and skills form a group,
//! and which queues a group serves is worked out once per configuration. A count then
//! walks the agents once, however many queues there are. It decides nothing; the engine
//! has its own tables for that.

use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::engine::Engine;
use crate::engine::agent::Presence;
use crate::engine::routing::{AgentProfile, Queue, Routing};
use crate::engine::words::{Availability, Channel};
use crate::ids::{PoolId, QueueId, SkillId};

/// How many agents could take from a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Staff {
    /// Signed in and within hearing, with the skills, in a pool that the queue is open to.
    pub able: u32,
    /// Of those, who could be offered a contact of one of its channels now.
    pub ready: u32,
}

/// The groups of one configuration.
#[derive(Debug, Default)]
pub struct Staffing {
    routing: Arc<Routing>,
    /// By agent; none for those who get nothing more.
    group_of: Vec<Option<u32>>,
    /// By group: the queues that it serves.
    serves: Vec<Vec<QueueId>>,
}

/// What agents of a group have in common.
type GroupKey<'a> = (PoolId, &'a [(SkillId, u8)]);
/// Every set of channels, as bits by [`Channel::index`].
const CHANNEL_SETS: usize = 1 << Channel::ALL.len();

impl Staffing {
    /// Follows the configuration. Costs nothing while that stays the same.
    pub(crate) fn follow(&mut self, routing: &Arc<Routing>) {
        if !Arc::ptr_eq(&self.routing, routing) {
            *self = Self::of(routing.clone());
        }
    }

    fn of(routing: Arc<Routing>) -> Self {
        let mut groups: HashMap<GroupKey<'_>, u32, FxBuildHasher> = HashMap::default();
        let (mut group_of, mut serves) = (Vec::new(), Vec::new());
        for agent in &routing.agents {
            group_of.push((!agent.retired).then(|| {
                let key = (agent.pool, agent.skills.as_slice());
                *groups.entry(key).or_insert_with(|| {
                    serves.push(queues_of(&routing, agent));
                    u32::try_from(serves.len() - 1).unwrap_or(u32::MAX)
                })
            }));
        }
        drop(groups);
        Self { routing, group_of, serves }
    }

    /// By queue, who could take from it now.
    #[must_use]
    pub fn count(&self, engine: &Engine) -> Vec<Staff> {
        // By group and by the channels that they could take now: few numbers, so that the
        // queues are not gone through for every agent.
        let mut counts = vec![[0_u32; CHANNEL_SETS]; self.serves.len()];
        for agent in engine.agents() {
            let Some(Some(group)) = self.group_of.get(agent.id.index()) else { continue };
            let here = agent.availability != Availability::SignedOut
                && !matches!(agent.presence, Presence::Lost { .. });
            let Some(profile) = self.routing.agent(agent.id).filter(|_| here) else { continue };
            let takes = bits(|channel| agent.can_take(profile, channel));
            if let Some(group) = counts.get_mut(*group as usize) {
                group[takes] += 1;
            }
        }
        let of_queue = |q: &Queue| bits(|channel| q.channels[channel.index()]);
        let channels: Vec<usize> = self.routing.queues.iter().map(of_queue).collect();
        let mut staff = vec![Staff::default(); self.routing.queues.len()];
        for (queues, counts) in self.serves.iter().zip(&counts) {
            let present: SmallVec<[(usize, u32); 4]> =
                counts.iter().copied().enumerate().filter(|(_, n)| *n > 0).collect();
            for queue in queues.iter().filter(|_| !present.is_empty()) {
                let (staff, channels) = (&mut staff[queue.index()], channels[queue.index()]);
                for (takes, n) in &present {
                    staff.able += n;
                    staff.ready += if takes & channels == 0 { 0 } else { *n };
                }
            }
        }
        staff
    }
}

fn bits(has: impl Fn(Channel) -> bool) -> usize {
    Channel::ALL.into_iter().filter(|c| has(*c)).map(|c| 1 << c.index()).sum()
}

fn queues_of(routing: &Routing, agent: &AgentProfile) -> Vec<QueueId> {
    let skilled = |skill, at_least| {
        let place = agent.skills.binary_search_by_key(&skill, |(skill, _)| *skill);
        place.is_ok_and(|place| agent.skills[place].1 >= at_least)
    };
    let serves = |queue: &Queue| {
        (queue.pools.is_empty() || queue.pools.contains(&agent.pool))
            && queue.needs.iter().all(|need| skilled(need.skill, need.at_least))
    };
    let queues = routing.queues.iter().enumerate().filter(|(_, queue)| serves(queue));
    queues.filter_map(|(id, _)| Some(QueueId(u16::try_from(id).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::engine::entry::{Actor, Entry, Role};
    use crate::engine::event::Event;
    use crate::engine::words::{AvailabilityBecause, Need};
    use crate::ids::{AgentId, SessionId};
    use crate::shard::tests::bench::routing as small;
    use crate::time::EngineTime;

    fn after(routing: Routing, events: Vec<Event>) -> (Engine, Staffing) {
        let mut engine = Engine::default();
        let actor = Actor { role: Role::Router, name: "router".into() };
        let events = [vec![Event::Configured(Arc::new(routing))], events].concat();
        let (at, request, sealed) = (EngineTime(1), None, None);
        engine.replay(&Entry { sequence: 1, at, actor, request, events, sealed });
        let mut staffing = Staffing::default();
        staffing.follow(engine.routing());
        (engine, staffing)
    }

    fn connected(agent: AgentId) -> Event {
        Event::AgentConnected { agent, session: SessionId(u64::from(agent.0) + 1) }
    }

    fn ready(agent: AgentId) -> Event {
        let (to, because) = (Availability::Ready, AvailabilityBecause::Asked);
        Event::AvailabilityChanged { agent, to, because }
    }

    #[test]
    fn only_those_who_are_here_and_able_count() {
        let (anne, ben) = (AgentId(0), AgentId(1));
        let staff = |able, ready| Staff { able, ready };
        let mut routing = small();
        routing.queues[1].needs.push(Need { skill: SkillId(0), at_least: 3 });
        routing.agents[1].skills.push((SkillId(0), 3));
        let lost = Event::AgentLost { agent: ben, grace: EngineTime(u64::MAX) };
        let both = vec![connected(anne), ready(anne), connected(ben), ready(ben)];
        let table = [
            ("nobody", vec![], [staff(0, 0), staff(0, 0)]),
            ("both", both.clone(), [staff(2, 2), staff(1, 1)]),
            ("one was lost", [both, vec![lost]].concat(), [staff(1, 1), staff(0, 0)]),
        ];
        for (name, events, expected) in table {
            let (engine, staffing) = after(routing.clone(), events);
            assert_eq!(staffing.count(&engine), expected, "{name}");
        }
        let mut without = routing.clone();
        without.agents[1].retired = true;
        let (engine, staffing) = after(without, vec![connected(ben), ready(ben)]);
        assert_eq!(staffing.count(&engine), [Staff::default(); 2], "retired");
        let mut calls = routing;
        calls.queues[0].channels = [true, false, false, false];
        calls.agents[0].capacity[Channel::Voice.index()] = 0;
        let (engine, staffing) = after(calls, vec![connected(anne), ready(anne)]);
        assert_eq!(staffing.count(&engine)[0], staff(1, 0), "skilled, but takes no calls");
    }

    #[test]
    fn ten_thousand_agents_and_a_hundred_queues_are_counted_in_milliseconds() {
        let (agents, queues) = (10_000_u32, 100_u16);
        let mut routing = small();
        routing.queues = vec![routing.queues[0].clone(); usize::from(queues)];
        routing.agents = vec![routing.agents[0].clone(); agents as usize];
        // The worst case: no two agents are alike, and every one may take from every queue.
        for (n, agent) in (0_u16..).zip(&mut routing.agents) {
            agent.skills.push((SkillId(n), 5));
        }
        let ids = (0..agents).map(AgentId);
        let events = ids.flat_map(|agent| [connected(agent), ready(agent)]).collect();
        let (engine, staffing) = after(routing, events);
        let count = || {
            let began = Instant::now();
            let staff = staffing.count(&engine);
            (began.elapsed(), staff)
        };
        let (best, staff) = (0..10).map(|_| count()).min_by_key(|c| c.0).expect("ten");
        assert_eq!(staff, [Staff { able: agents, ready: agents }; 100]);
        println!("10,000 agents, all different, 100 queues: {best:?}");
        // Far above what it takes, for a machine that is busy; before the groups it was more.
        assert!(best.as_millis() < 20, "{best:?}");
    }
}
