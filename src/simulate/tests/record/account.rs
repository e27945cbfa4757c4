//! The account of a day by somebody who walks through the room with a watch: who waits where, who
//! talks, who works after a call, who is signed in.
//!
//! It looks at the engine's state after every command; of events it sees only why a contact ended,
//! and of orders what they were meant to be.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::directed::{Directed, Meant};
use crate::engine::Engine;
use crate::engine::agent::Hold;
use crate::engine::contact::State;
use crate::engine::event::Event;
use crate::engine::routing::Routing;
use crate::engine::words::{Availability, EndReason};
use crate::ids::{AgentId, ContactId, QueueId};
use crate::time::EngineTime;

/// Midnight in Berlin on the day on which its clocks go forward, 2026-03-29, in milliseconds.
pub(super) const MIDNIGHT: u64 = 1_774_738_800_000;
const QUARTER_US: u64 = 900_000_000;

/// By name, quarter and column.
pub(super) type Cells = BTreeMap<(String, u64, String), u64>;

/// Something that lasts, since when.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Since<T> {
    what: T,
    us: u64,
}

#[derive(Default)]
pub(super) struct Account {
    directed: Rc<RefCell<Directed>>,
    pub(super) queues: Cells,
    pub(super) agents: Cells,
    contacts: BTreeMap<ContactId, Known>,
    /// What each agent is, and what they do with whom.
    states: BTreeMap<AgentId, Since<String>>,
    work: BTreeMap<(AgentId, ContactId), Since<(Doing, QueueId)>>,
    rings: BTreeMap<(AgentId, ContactId), ()>,
}

#[derive(Clone, Copy)]
struct Known {
    waits: bool,
    queue: QueueId,
    arrived: EngineTime,
    /// When this wait began, and whether somebody had them before.
    since: EngineTime,
    answered: bool,
    /// Nobody waits on the line: they are to be called.
    called: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doing {
    Talk,
    Hold,
    WrapUp,
}

impl Doing {
    fn column(self) -> &'static str {
        match self {
            Self::Talk => "talk_us",
            Self::Hold => "hold_us",
            Self::WrapUp => "wrap_up_us",
        }
    }
}

pub(super) fn wall(us: u64) -> u64 {
    MIDNIGHT + us / 1_000
}

fn quarter(ms: u64) -> u64 {
    ms / 900_000 * 900_000
}

fn count(cells: &mut Cells, name: &str, at_us: u64, column: &str, n: u64) {
    *cells.entry((name.into(), quarter(wall(at_us)), column.into())).or_default() += n;
}

/// Every quarter that something lasted in gets its part.
fn lasted(cells: &mut Cells, name: &str, column: &str, from_us: u64, to_us: u64) {
    let begins = wall(from_us) * 1_000;
    let ends = begins + (to_us - from_us);
    let mut start = quarter(wall(from_us)) * 1_000;
    while start < ends {
        let part = ends.min(start + QUARTER_US) - begins.max(start);
        *cells.entry((name.into(), start / 1_000, column.into())).or_default() += part;
        start += QUARTER_US;
    }
}

/// By the scenario: own staff take both queues' calls, partners those of the recall.
fn serves(agent: &str) -> &'static [&'static str] {
    if agent.starts_with("agent") { &["support", "recall"] } else { &["recall"] }
}

impl Account {
    /// With what is meant by orders.
    pub(super) fn of(directed: Rc<RefCell<Directed>>) -> Self {
        Self { directed, ..Self::default() }
    }

    pub(super) fn look(&mut self, at: EngineTime, engine: &Engine, events: &[Event]) {
        let routing = engine.routing();
        self.people(at, engine, routing, events);
        self.hands(at, engine, routing);
        self.room(at.0, engine, routing);
    }

    /// Who waits, who waits no longer, and why.
    fn people(&mut self, at: EngineTime, engine: &Engine, r: &Routing, events: &[Event]) {
        let before = std::mem::take(&mut self.contacts);
        // A consult is between agents: nobody waits in it.
        for contact in engine.contacts().filter(|c| c.parent.is_none()) {
            let waits = !matches!(contact.state, State::Assigned { .. });
            let (queue, arrived) = (contact.queue, contact.arrived);
            let new = Known { waits, queue, arrived, since: at, answered: false, called: false };
            let was = before.get(&contact.id).copied();
            let known = self.goes_on(contact.id, was, new, contact.silent().is_some(), (at, r));
            if was.is_some_and(|was| was.waits) && !waits {
                self.waited(known, at, r, "answered");
            }
            let answered = known.answered || !waits;
            let called = known.called && waits;
            self.contacts.insert(contact.id, Known { answered, called, ..known });
        }
        for (id, known) in before
            .iter()
            .filter(|(id, known)| known.waits && !self.contacts.contains_key(*id))
            .map(|(id, known)| (*id, *known))
            .collect::<Vec<_>>()
        {
            let reason = events.iter().find_map(|event| match event {
                Event::Closed { contact, reason, .. } if *contact == id => Some(*reason),
                _ => None,
            });
            let how = match reason.expect("what is gone was closed") {
                EndReason::Abandoned => "abandoned",
                EndReason::Solved | EndReason::Informed | EndReason::FollowedUp => "self_served",
                _ => "ended",
            };
            self.waited(known, at, r, how);
        }
    }

    /// What it means for one who was there before that they are here now.
    fn goes_on(
        &mut self,
        id: ContactId,
        was: Option<Known>,
        now: Known,
        silent: bool,
        (at, r): (EngineTime, &Routing),
    ) -> Known {
        let (from, to) = (was.map(|was| r.queue_name(was.queue)), r.queue_name(now.queue));
        let cells = &mut self.queues;
        let mut one = |queue: &str, column: &str| count(cells, queue, at.0, column, 1);
        let Some((was, from)) = was.zip(from) else {
            one(to, "offered");
            return now;
        };
        let kept = Known { since: was.since, answered: was.answered, called: was.called, ..now };
        if !now.waits {
            return kept;
        }
        if silent && !was.called {
            if was.waits {
                one(from, "to_callback");
            }
            one(to, "callbacks");
            return Known { called: true, since: at, ..kept };
        }
        if was.called || was.waits && was.queue == now.queue {
            return kept;
        }
        one(to, "offered");
        // What it was meant to be it has become.
        let meant = self.directed.borrow_mut().meant.remove(&id);
        match (was.waits, meant) {
            (true, Some(Meant::Moved)) => {
                one(from, "moved_out");
                one(to, "moved_in");
            }
            (true, _) => {
                one(from, "overflowed_out");
                one(to, "overflowed_in");
            }
            (false, Some(Meant::Sent(by, of))) => {
                one(r.queue_name(of), "transferred_out");
                one(to, "transferred_in");
                count(&mut self.agents, r.agent_name(by), at.0, "transferred", 1);
            }
            (false, meant) => {
                one(to, "returned_in");
                if let Some(Meant::SentBack(by)) = meant {
                    count(&mut self.agents, r.agent_name(by), at.0, "requeued", 1);
                }
            }
        }
        Known { since: at, ..kept }
    }

    fn waited(&mut self, known: Known, at: EngineTime, r: &Routing, how: &str) {
        let began = if known.answered { known.since } else { known.arrived };
        let (name, waited) = (r.queue_name(known.queue), at.since(began).0);
        let target = r.queue(known.queue).map_or(0, |queue| queue.target.0);
        let cells = &mut self.queues;
        if known.called {
            let how = if how == "answered" { "callbacks_answered" } else { "callbacks_ended" };
            count(cells, name, at.0, how, 1);
            if how == "callbacks_answered" {
                count(cells, name, at.0, "callback_wait_us", waited);
            }
            return;
        }
        count(cells, name, at.0, how, 1);
        if how == "answered" {
            count(cells, name, at.0, "answered_in_target", u64::from(waited <= target));
            count(cells, name, at.0, "answered_wait_us", waited);
        }
        if how == "abandoned" {
            count(cells, name, at.0, "abandoned_after_target", u64::from(waited > target));
            count(cells, name, at.0, "abandoned_short", u64::from(waited < 5_000_000));
            count(cells, name, at.0, "abandoned_wait_us", waited);
        }
    }

    /// What agents have in hand.
    fn hands(&mut self, at: EngineTime, engine: &Engine, r: &Routing) {
        let (mut now, mut rings) = (BTreeMap::new(), BTreeMap::new());
        for agent in engine.agents() {
            for work in &agent.work {
                let on_hold = engine.contact(work.contact).is_some_and(|c| c.on_hold);
                let doing = match work.hold {
                    Hold::Reserved => {
                        rings.insert((agent.id, work.contact), ());
                        continue;
                    }
                    Hold::Connecting => continue,
                    Hold::Assigned if on_hold => Doing::Hold,
                    Hold::Assigned => Doing::Talk,
                    Hold::WrapUp { .. } => Doing::WrapUp,
                };
                now.insert((agent.id, work.contact), (doing, work.queue));
            }
        }
        for (who, _) in rings.iter().filter(|(who, _)| !self.rings.contains_key(*who)) {
            count(&mut self.agents, r.agent_name(who.0), at.0, "offered", 1);
        }
        // It rang, it no longer does, and the customer is still there, with nobody or another.
        for (agent, contact) in self.rings.keys().filter(|who| !rings.contains_key(*who)) {
            let taken = engine
                .agent(*agent)
                .is_some_and(|a| a.work.iter().any(|work| work.contact == *contact));
            if !taken && engine.contact(*contact).is_some() {
                let meant = self.directed.borrow().meant.get(contact).copied();
                let how = if meant == Some(Meant::Declined) { "declined" } else { "missed" };
                count(&mut self.agents, r.agent_name(*agent), at.0, how, 1);
                self.directed.borrow_mut().meant.remove(contact);
            }
        }
        self.rings = rings;
        let before = std::mem::take(&mut self.work);
        let had: BTreeSet<(AgentId, ContactId)> = (before.iter())
            .filter(|(_, since)| since.what.0 != Doing::WrapUp)
            .map(|(who, _)| *who)
            .collect();
        for (who, Since { what: (doing, queue), us }) in before {
            if now.get(&who) == Some(&(doing, queue)) {
                self.work.insert(who, Since { what: (doing, queue), us });
                continue;
            }
            lasted(&mut self.agents, r.agent_name(who.0), doing.column(), us, at.0);
            lasted(&mut self.queues, r.queue_name(queue), doing.column(), us, at.0);
        }
        for (who, what) in now {
            if !self.work.contains_key(&who) {
                if what.0 == Doing::Talk && !had.contains(&who) {
                    count(&mut self.agents, r.agent_name(who.0), at.0, "answered", 1);
                }
                self.work.insert(who, Since { what, us: at.0 });
            }
        }
    }

    /// Who is signed in, and how.
    fn room(&mut self, at: u64, engine: &Engine, r: &Routing) {
        for agent in engine.agents() {
            let is = match agent.availability {
                Availability::Ready => "ready_us".to_owned(),
                Availability::NotReady(reason) => {
                    format!("not_ready_us:{}", r.reason_name(reason))
                }
                Availability::SignedOut => String::new(),
            };
            if self.states.get(&agent.id).is_some_and(|state| state.what == is) {
                continue;
            }
            self.left(agent.id, at, r);
            self.states.insert(agent.id, Since { what: is, us: at });
        }
    }

    fn left(&mut self, agent: AgentId, at: u64, r: &Routing) {
        let Some(state) = self.states.remove(&agent).filter(|s| !s.what.is_empty()) else { return };
        let name = r.agent_name(agent);
        let mut columns = vec!["staffed_us", state.what.as_str()];
        if state.what.starts_with("not_ready_us:") {
            columns.push("not_ready_us");
        }
        for column in columns {
            lasted(&mut self.agents, name, column, state.us, at);
            for queue in serves(name).iter().filter(|_| !column.contains(':')) {
                lasted(&mut self.queues, queue, column, state.us, at);
            }
        }
    }

    /// The day is over as far as anything happened.
    pub(super) fn over(&mut self, at: u64, r: &Routing) {
        let agents: Vec<AgentId> = self.states.keys().copied().collect();
        agents.into_iter().for_each(|agent| self.left(agent, at, r));
        self.queues.retain(|_, n| *n > 0);
        self.agents.retain(|_, n| *n > 0);
    }
}
