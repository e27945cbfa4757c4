//! The interval record of a simulated day, equal cell by cell to the simulation's own account.
//!
//! The archive is fed the day's events. The account never sees them, but for why a contact ended:
//! it looks at everybody after every command, as somebody would who walks through the room with a
//! watch, and writes down who waits where, who talks, who works after a call, who is signed in.
//! What an order was meant to be it is told by who gave it.

mod account;
mod directed;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use jiff::tz::TimeZone;

use super::super::scenario::Scenario;
use super::super::world::World;
use crate::archive::Store;
use crate::archive::record::read::{Asked, By, report};
use crate::archive::record::{AgentColumn, QueueColumn};
use crate::engine::entry::{Actor, Entry, Role};
use crate::engine::event::Event;
use crate::journal::{Batch, Tip};
use crate::time::{EngineTime, WallTime};
use account::{Account, Cells, MIDNIGHT, wall};
use directed::Directed;

/// Shifts with gaps, calls that ring in vain, wrap-up, people who leave at once and late, who
/// overflow and who are called back, and a recall whose menu serves some.
const DAY: &str = r#"
title = "A day"
not_ready_reasons = ["lunch"]
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
callback = { share = 50, per_hour = 40 }
steps = [{ after = "70s", overflow = { queue = "recall" } }]
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

/// Columns that the day leaves empty. Every phone of the simulation can be reached; legs that fail
/// are counted in `archive::tests::record`.
const NOT_SHOWN: [&str; 1] = ["connect_failed"];

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
    let directed = Rc::new(RefCell::new(Directed::default()));
    let account = RefCell::new((Account::of(Rc::clone(&directed)), EngineTime::ZERO));
    let mut world = World::new(&scenario, 0).expect("it opens");
    world.watch = Some(Box::new(|at, engine, events| {
        if !events.is_empty() {
            take(at, events.to_vec());
            let (account, last) = &mut *account.borrow_mut();
            account.look(at, engine, events);
            *last = at;
        }
    }));
    world.directed_by(Box::new(|at, engine| directed.borrow_mut().look(at, engine)));
    world.play().expect("it ends");
    store.commit().expect("the disk takes it");
    let (mut account, last) = account.into_inner();
    account.over(last.0, &scenario.routing);
    let (queues, agents) = (reported(data, By::Queue), reported(data, By::Agent));
    assert_equal(&queues, &account.queues);
    assert_equal(&agents, &account.agents);
    let of_queues = QueueColumn::ALL.iter().map(|c| c.name()).map(|c| (&queues, c));
    let of_agents = AgentColumn::ALL.iter().map(|c| c.name()).map(|c| (&agents, c));
    let reasons = ["not_ready_us:ring-no-answer", "not_ready_us:lunch"].map(|c| (&agents, c));
    for (cells, column) in of_queues.chain(of_agents).chain(reasons) {
        let shown = cells.keys().any(|(.., c)| c == column);
        assert_eq!(shown, !NOT_SHOWN.contains(&column), "the day and {column}");
    }
    assert!(queues.len() + agents.len() > 2_000, "{} and {}", queues.len(), agents.len());
    by_the_clocks_of_berlin(data, wall(last.0));
}

/// The same day where its clocks go forward: 92 quarters, whose sums are the same.
fn by_the_clocks_of_berlin(data: &Path, last_ms: u64) {
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
    let until = usize::try_from((last_ms - from_ms) / 900_000 + 1).expect("few");
    assert_eq!(quarters, until, "as far as the archive goes, and no further");
    assert_eq!(total(2, &berlin), (until.div_ceil(2), offered));
    assert_eq!(total(1, &TimeZone::UTC).1, offered);
}
