//! What every agent is, and how that changed: for workforce systems that follow it.
//!
//! The replica adds what events changed; readers ask for everything, or for what came after
//! the entry that they have worked through. Bounded: who is too far behind begins anew. It is
//! no state: after a start it begins with the first entry that changes an agent.

use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::engine::Engine;
use crate::engine::agent::{Agent, AgentState, Work};
use crate::engine::entry::Entry;
use crate::engine::event::{
    CallbackPromised, Event, OutsideNews, ReasonOverstayed, SignOut, WrapUpExtended,
};
use crate::engine::routing::Routing;
use crate::engine::words::Availability;
use crate::ids::AgentId;
use crate::time::{EngineTime, WallTime};

/// Changes remembered: a minute of a centre of 5,000 busy agents, in about 3 MB.
const REMEMBERED: usize = 16_384;

/// What an agent is from a moment on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Who.
    pub agent: AgentId,
    /// What they are, as counted.
    pub state: AgentState,
    /// What they say they are.
    pub availability: Availability,
    /// What they have in hand.
    pub work: SmallVec<[Work; 2]>,
    /// They are in a call outside the router.
    pub outside: bool,
    /// The reason has lasted longer than it should.
    pub overstayed: bool,
    /// They are being signed out.
    pub leaving: bool,
}

impl Moment {
    /// What an agent is.
    #[must_use]
    pub fn of(agent: &Agent) -> Self {
        Self {
            agent: agent.id,
            state: agent.state(),
            availability: agent.availability,
            work: agent.work.clone(),
            outside: !agent.outside.is_empty(),
            overstayed: agent.overstayed,
            leaving: agent.is_leaving(),
        }
    }
}

/// A change of an agent's.
#[derive(Clone, Debug)]
pub struct Change {
    /// The entry that it came with.
    pub sequence: u64,
    /// When.
    pub at: EngineTime,
    /// When, by the clock on the wall.
    pub wall: WallTime,
    /// What they are since.
    pub now: Moment,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Roster {
    routing: Arc<Routing>,
    /// By agent, what was told last.
    last: Vec<Option<Moment>>,
    changes: VecDeque<Change>,
    /// Everything after this entry is remembered.
    complete_after: u64,
}

impl Roster {
    /// One that knows nothing of what was before an entry.
    pub(crate) fn after(sequence: u64, engine: &Engine) -> Self {
        let last = engine.agents().map(|a| Some(Moment::of(a))).collect();
        let routing = Arc::clone(engine.routing());
        Self { routing, last, changes: VecDeque::new(), complete_after: sequence }
    }

    /// Adds what an entry changed; the engine has applied it.
    pub(crate) fn add(&mut self, entry: &Entry, wall: WallTime, engine: &Engine) {
        let mut touched: SmallVec<[AgentId; 4]> = SmallVec::new();
        for event in &entry.events {
            if matches!(event, Event::Configured(_)) {
                self.configured(engine, &mut touched);
            }
            touched.extend(of_agents(event).into_iter().flatten());
        }
        touched.sort_unstable();
        touched.dedup();
        for agent in touched {
            let Some(now) = engine.agent(agent).map(Moment::of) else { continue };
            if self.last.len() <= agent.index() {
                self.last.resize(agent.index() + 1, None);
            }
            if self.last[agent.index()].as_ref() == Some(&now) {
                continue;
            }
            self.last[agent.index()] = Some(now.clone());
            if self.changes.len() == REMEMBERED
                && let Some(oldest) = self.changes.pop_front()
            {
                self.complete_after = oldest.sequence;
            }
            self.changes.push_back(Change { sequence: entry.sequence, at: entry.at, wall, now });
        }
    }

    /// Who can do something else now is told of again.
    fn configured(&mut self, engine: &Engine, touched: &mut SmallVec<[AgentId; 4]>) {
        let routing = Arc::clone(engine.routing());
        for agent in engine.agents() {
            let (was, is) = (self.routing.agent(agent.id), routing.agent(agent.id));
            let same = was.zip(is).is_some_and(|(was, is)| {
                was.pool == is.pool && was.skills == is.skills && was.retired == is.retired
            });
            if !same {
                if let Some(last) = self.last.get_mut(agent.id.index()) {
                    *last = None;
                }
                touched.push(agent.id);
            }
        }
        self.routing = routing;
    }

    /// At most so many changes after an entry, in order; none if it is forgotten what came
    /// right after it. Those of one entry come together.
    #[must_use]
    pub fn since(&self, sequence: u64, most: usize) -> Option<Vec<Change>> {
        if sequence < self.complete_after {
            return None;
        }
        let from = self.changes.partition_point(|c| c.sequence <= sequence);
        let mut some: Vec<Change> = self.changes.range(from..).take(most).cloned().collect();
        if let Some(last) = some.last().map(|c| c.sequence) {
            let rest = self.changes.range(from + some.len()..);
            some.extend(rest.take_while(|c| c.sequence == last).cloned());
        }
        Some(some)
    }
}

/// The agents that an event may change.
fn of_agents(event: &Event) -> [Option<AgentId>; 2] {
    let one = match event {
        Event::AgentConnected { agent, .. }
        | Event::AgentLost { agent, .. }
        | Event::AvailabilityChanged { agent, .. }
        | Event::NextSet { agent, .. }
        | Event::PhoneUnreachable(agent)
        | Event::ReasonOverstayed(ReasonOverstayed { agent, .. })
        | Event::SignOut(SignOut { agent, .. })
        | Event::WrapUpEnded { agent, .. }
        | Event::WrapUpExtended(WrapUpExtended { agent, .. })
        | Event::OutsideCall(OutsideNews { agent, .. })
        | Event::NotTaken { agent, .. }
        | Event::Accepted { agent, .. }
        | Event::Bridged { agent, .. }
        | Event::ConnectFailed { agent, .. } => *agent,
        Event::Reserved(r) => r.agent,
        Event::Queued(q) => return [q.released.map(|r| r.agent), None],
        Event::CallbackPromised(CallbackPromised { released, .. }) => {
            return [released.map(|r| r.agent), None];
        }
        Event::Closed { agent, .. } | Event::Pended { agent, .. } => return [*agent, None],
        Event::HandedOver { from, to, .. } => return [Some(*from), Some(*to)],
        _ => return [None, None],
    };
    [Some(one), None]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::entry::{Actor, Role};
    use crate::engine::routing::AgentProfile;
    use crate::engine::words::AvailabilityBecause;
    use crate::ids::{ReasonId, SessionId};

    struct Center {
        engine: Engine,
        roster: Roster,
        sequence: u64,
    }

    impl Center {
        fn new() -> Self {
            let mut center =
                Self { engine: Engine::default(), roster: Roster::default(), sequence: 0 };
            let agents = ["anne", "bob"]
                .map(|name| AgentProfile { name: Arc::from(name), ..AgentProfile::default() });
            let routing = Routing { agents: agents.to_vec(), ..Routing::default() };
            center.add(vec![Event::Configured(Arc::new(routing))]);
            center
        }

        fn add(&mut self, events: Vec<Event>) {
            self.sequence += 1;
            let actor = Actor { role: Role::Router, name: Arc::from("router") };
            let (sequence, at) = (self.sequence, EngineTime(self.sequence));
            let entry = Entry { sequence, at, actor, request: None, events, sealed: None };
            self.engine.replay(&entry);
            self.roster.add(&entry, WallTime(5), &self.engine);
        }

        fn becomes(&mut self, agent: u32, to: Availability) {
            let (agent, because) = (AgentId(agent), AvailabilityBecause::Asked);
            self.add(vec![Event::AvailabilityChanged { agent, to, because }]);
        }

        fn since(&self, sequence: u64) -> Option<Vec<(u64, u32, AgentState)>> {
            let some = self.roster.since(sequence, 1_000)?;
            Some(some.iter().map(|c| (c.sequence, c.now.agent.0, c.now.state)).collect())
        }
    }

    #[test]
    fn each_change_is_told_once_in_order_from_any_entry_on() {
        let mut c = Center::new();
        c.add(vec![Event::AgentConnected { agent: AgentId(1), session: SessionId(1) }]);
        c.becomes(1, Availability::Ready);
        c.becomes(0, Availability::NotReady(ReasonId(0)));
        c.becomes(0, Availability::NotReady(ReasonId(0)));
        let out = AgentState::SignedOut;
        let all =
            [(1, 0, out), (1, 1, out), (3, 1, AgentState::Ready), (4, 0, AgentState::NotReady)];
        assert_eq!(c.since(0).unwrap(), all);
        assert_eq!(c.since(2).unwrap(), all[2..]);
        assert_eq!(c.since(9).unwrap(), []);
        assert_eq!(c.roster.since(0, 1).unwrap().len(), 2, "one entry's come together");
    }

    #[test]
    fn who_can_do_something_else_is_told_of_again() {
        let mut c = Center::new();
        let mut routing = Routing::clone(c.engine.routing());
        routing.agents[1].pool = crate::ids::PoolId(3);
        c.add(vec![Event::Configured(Arc::new(routing))]);
        assert_eq!(c.since(1).unwrap(), [(2, 1, AgentState::SignedOut)]);
    }

    #[test]
    fn what_is_forgotten_is_not_made_up() {
        let mut c = Center::new();
        for n in 0..REMEMBERED as u64 {
            let reason = ReasonId(u16::try_from(n % 2).unwrap());
            c.becomes(0, Availability::NotReady(reason));
        }
        assert_eq!(c.since(0), None);
        assert!(c.since(1).is_some_and(|some| some.first() == Some(&(2, 0, AgentState::NotReady))));
        let begun = Roster::after(7, &c.engine);
        assert!(begun.since(6, 9).is_none() && begun.since(7, 9).is_some_and(|s| s.is_empty()));
    }
}
