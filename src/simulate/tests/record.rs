//! The interval record of a simulated day, equal cell by cell to the simulation's own account.
//!
//! The archive is fed the day's events. The account never sees them, but for why a contact ended:
//! it looks at everybody after every command, as somebody would who walks through the room with a
//! watch, and writes down who waits where, who talks, who works after a call, who is signed in.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;

use super::super::scenario::Scenario;
use super::super::world::World;
use crate::archive::Store;
use crate::archive::record::read::{Asked, By, report};
use crate::engine::Engine;
use crate::engine::agent::Hold;
use crate::engine::contact::State;
use crate::engine::entry::{Actor, Entry, Role};
use crate::engine::event::Event;
use crate::engine::routing::Routing;
use crate::engine::words::{Availability, EndReason};
use crate::ids::{AgentId, ContactId, QueueId};
use crate::journal::{Batch, Tip};
use crate::time::{EngineTime, WallTime};

/// Midnight in Berlin on the day on which its clocks go forward, 2026-03-29, in milliseconds.
const MIDNIGHT: u64 = 1_774_738_800_000;
const QUARTER_US: u64 = 900_000_000;

/// Shifts with gaps, calls that ring in vain, wrap-up, people who leave at once and late, and a
/// recall whose menu serves some.
const DAY: &str = r#"
title = "A day"
[run]
duration = "9h"
runs = 1
seed = 7
[[pools]]
name = "own"
[[pools]]
name = "partner"
[[queues]]
name = "support"
channels = ["voice"]
target = "20s"
wrap_up = "35s"
pools = ["own"]
[[queues]]
name = "recall"
channels = ["voice"]
target = "60s"
wrap_up = "20s"
[[entry_points]]
name = "support-line"
queue = "support"
[[entry_points]]
name = "recall-line"
queue = "recall"
[[agent_groups]]
prefix = "agent"
count = 9
pool = "own"
[[agent_groups]]
prefix = "partner"
count = 4
pool = "partner"
[[staff]]
pool = "own"
shifts = [{ from = "5m", until = "3h 50m" }, { from = "4h 20m", until = "8h 40m" }]
answers_after = { law = "gamma", mean = "7s", cv = 0.9 }
[[staff]]
pool = "partner"
speed = 0.8
shifts = [{ from = "90m" }]
[[streams]]
name = "support"
entry_point = "support-line"
channel = "voice"
per_hour = 90
handle = { law = "lognormal", mean = "5m", cv = 0.9 }
patience = { law = "exponential", mean = "2m" }
redial = { share = 0.3, after = { law = "exponential", mean = "10m" } }
[[streams]]
name = "recall"
entry_point = "recall-line"
channel = "voice"
handle = { law = "lognormal", mean = "5m", cv = 0.9 }
patience = { law = "exponential", mean = "3m" }
self_service = { contained = 0.6, lasting = { law = "gamma", mean = "90s", cv = 0.5 } }
[[streams.arrivals]]
shape = "constant"
per_hour = 0
lasting = "1h"
[[streams.arrivals]]
shape = "halving"
from_per_hour = 240
every = "1h"
[[recalls]]
start = "70m"
level = "surge"
end = "7h"
[recalls.plan]
entry_points = ["recall-line"]
safety_queue = "recall"
soon = "120s"
ivr = { from = "elevated", ports = 100, time_limit = "8m" }
"#;

/// By name, quarter and column.
type Cells = BTreeMap<(String, u64, String), u64>;

/// Something that lasts, since when.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Since<T> {
    what: T,
    us: u64,
}

#[derive(Default)]
struct Account {
    queues: Cells,
    agents: Cells,
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

fn wall(us: u64) -> u64 {
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
    fn look(&mut self, at: EngineTime, engine: &Engine, events: &[Event]) {
        let routing = engine.routing();
        self.people(at, engine, routing, events);
        self.hands(at, engine, routing);
        self.room(at.0, engine, routing);
    }

    /// Who waits, who waits no longer, and why.
    fn people(&mut self, at: EngineTime, engine: &Engine, r: &Routing, events: &[Event]) {
        let before = std::mem::take(&mut self.contacts);
        for contact in engine.contacts() {
            let waits = !matches!(contact.state, State::Assigned { .. });
            let known = Known { waits, queue: contact.queue, arrived: contact.arrived };
            self.contacts.insert(contact.id, known);
            let was = before.get(&contact.id);
            if was.is_none() {
                count(&mut self.queues, r.queue_name(contact.queue), at.0, "offered", 1);
            }
            if was.is_none_or(|was| was.waits) && !waits {
                self.waited(known, at, r, "answered");
            }
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

    fn waited(&mut self, known: Known, at: EngineTime, r: &Routing, how: &str) {
        let (name, waited) = (r.queue_name(known.queue), at.since(known.arrived).0);
        let target = r.queue(known.queue).map_or(0, |queue| queue.target.0);
        let cells = &mut self.queues;
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
                count(&mut self.agents, r.agent_name(*agent), at.0, "missed", 1);
            }
        }
        self.rings = rings;
        for (who, Since { what: (doing, queue), us }) in std::mem::take(&mut self.work) {
            if now.get(&who) == Some(&(doing, queue)) {
                self.work.insert(who, Since { what: (doing, queue), us });
                continue;
            }
            lasted(&mut self.agents, r.agent_name(who.0), doing.column(), us, at.0);
            lasted(&mut self.queues, r.queue_name(queue), doing.column(), us, at.0);
        }
        for (who, what) in now {
            if !self.work.contains_key(&who) {
                if what.0 == Doing::Talk {
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
    fn over(&mut self, at: u64, r: &Routing) {
        let agents: Vec<AgentId> = self.states.keys().copied().collect();
        agents.into_iter().for_each(|agent| self.left(agent, at, r));
        self.queues.retain(|_, n| *n > 0);
        self.agents.retain(|_, n| *n > 0);
    }
}

/// What the report says, but for what it makes of the sums itself.
fn reported(data: &Path, by: By) -> Cells {
    let (from_ms, to_ms) = (MIDNIGHT, MIDNIGHT + 3 * 86_400_000);
    let asked = Asked { by, quarters: 1, from_ms, to_ms, all: false };
    let report = report(data, asked, &TimeZone::UTC).expect("an archive");
    let mut cells = Cells::new();
    for row in report.rows {
        for (column, n) in report.columns.iter().zip(row.values) {
            if n > 0 && !["waiting", "wait_max_us"].contains(&&**column) {
                cells.insert((row.name.clone(), row.start_ms, column.clone()), n);
            }
        }
    }
    cells
}

fn assert_equal(archived: &Cells, counted: &Cells) {
    let differs = |one: &Cells, other: &Cells| {
        let cell = one.iter().find(|(cell, n)| other.get(*cell) != Some(n));
        cell.map(|cell| format!("{cell:?}, the other {:?}", other.get(cell.0)))
    };
    assert_eq!(differs(archived, counted), None, "in the archive");
    assert_eq!(differs(counted, archived), None, "in the account");
}

#[test]
fn the_record_of_a_day_is_the_simulations_own_account_cell_by_cell() {
    let scenario = Scenario::parse("day", DAY, Path::new("")).expect("it is sound");
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let mut store = Store::open(data).expect("an archive");
    let mut sequence = 0;
    let mut take = |at: EngineTime, events: Vec<Event>| {
        sequence += 1;
        let actor = Actor { role: Role::Router, name: "router".into() };
        let entry = Entry { sequence, at, actor, request: None, events, sealed: None };
        let batch = Batch { entries: vec![entry], mark: None, wall: WallTime(wall(at.0)) };
        store.take(&batch, Tip { epoch: 1, sequence, hash: [0; 32] });
        if sequence % 997 == 0 {
            store.commit().expect("the disk takes it");
        }
        sequence
    };
    take(EngineTime::ZERO, vec![Event::Configured(scenario.routing.clone())]);
    let account = RefCell::new((Account::default(), EngineTime::ZERO));
    let mut world = World::new(&scenario, 0).expect("it opens");
    world.watch = Some(Box::new(|at, engine, events| {
        if !events.is_empty() {
            take(at, events.to_vec());
            let (account, last) = &mut *account.borrow_mut();
            account.look(at, engine, events);
            *last = at;
        }
    }));
    world.play().expect("it ends");
    store.commit().expect("the disk takes it");
    let (mut account, last) = account.into_inner();
    account.over(last.0, &scenario.routing);
    let (queues, agents) = (reported(data, By::Queue), reported(data, By::Agent));
    assert_equal(&queues, &account.queues);
    assert_equal(&agents, &account.agents);
    for column in ["answered", "abandoned_short", "abandoned_after_target", "self_served"] {
        assert!(queues.keys().any(|(.., c)| c == column), "the day shows no {column}");
    }
    for column in ["missed", "wrap_up_us", "not_ready_us:ring-no-answer"] {
        assert!(agents.keys().any(|(.., c)| c == column), "the day shows no {column}");
    }
    assert!(queues.len() + agents.len() > 2_000, "{} and {}", queues.len(), agents.len());
    by_the_clocks_of_berlin(data);
}

/// The same day where its clocks go forward: 92 quarters, whose sums are the same.
fn by_the_clocks_of_berlin(data: &Path) {
    let berlin = TimeZone::get("Europe/Berlin").expect("it is known");
    let (from_ms, to_ms) = (MIDNIGHT, MIDNIGHT + 23 * 3_600_000);
    let total = |quarters, zone: &TimeZone| {
        let asked = Asked { by: By::Queue, quarters, from_ms, to_ms, all: true };
        let report = report(data, asked, zone).expect("an archive");
        let offered = report.rows.iter().map(|row| row.values[0]).sum::<u64>();
        let support = report.rows.iter().filter(|row| row.name == "support").count();
        (support, offered)
    };
    let (quarters, offered) = total(1, &berlin);
    assert_eq!(quarters, 37, "as far as the archive goes, and no further");
    assert_eq!(total(2, &berlin), (19, offered));
    assert_eq!(total(1, &TimeZone::UTC).1, offered);
}
