//! What a free level is judged by: whose wait, whose gateway, whose agents.

use super::control::FREE;
use super::day::Day;
use super::*;
use crate::engine::Engine;
use crate::engine::recall::law::Look;
use crate::engine::routing::{AgentProfile, EntryPoint, Queue, Routing};
use crate::engine::rules::{agent, listed, queue};
use crate::engine::words::Need;
use crate::ids::{GatewayId, PoolId, QueueId, SkillId};

const SPANISH: Need = Need { skill: SkillId(0), at_least: 1 };

fn look(engine: &Engine, recall: RecallId, at: EngineTime) -> Look {
    engine.look(engine.recall(recall).expect("in force"), at)
}

#[test]
fn one_whom_nobody_at_work_can_serve_lifts_nobody() {
    let mut day = Day::new(20, 5);
    day.start(HOTLINE, Level::Normal, FREE);
    day.until(600, HOTLINE, |_| 0.5);
    let alone = day.comes_by(GATE, HOTLINE, &[SPANISH], Span::ZERO);
    let waits = |day: &Day| day.engine.contact(alone).map(|c| c.state);
    // They are patient, as nobody here is: the draw of how long is put aside.
    day.stays(alone);
    day.until(5_400, HOTLINE, |_| 0.5);
    assert_eq!(waits(&day), Some(State::Queued), "for more than an hour");
    assert_eq!(day.moves(RECALL), []);
    // Where they are a part of those who come, it is told.
    for _ in 0..40 {
        let another = day.comes_by(GATE, HOTLINE, &[SPANISH], Span::ZERO);
        day.stays(another);
    }
    day.until(5_500, HOTLINE, |_| 0.5);
    let look = look(&day.engine, RECALL, day.clock);
    assert!(look.wait > 120_000, "{look:?}");
}

#[test]
fn a_wait_for_one_agent_of_many_is_not_everybodys() {
    // One who speaks Spanish is asked for by four, the others stand idle.
    let mut day = Day::with(20, 5, &[(0, 3)]);
    day.start(HOTLINE, Level::Normal, FREE);
    day.until(1_200, HOTLINE, |_| 0.6);
    for _ in 0..4 {
        let one = day.comes_by(GATE, HOTLINE, &[SPANISH], Span::ZERO);
        day.stays(one);
    }
    day.until(1_215, HOTLINE, |_| 0.6);
    let look = look(&day.engine, RECALL, day.clock);
    assert!((1_000..120_000).contains(&look.wait), "{look:?}");
}

#[test]
fn a_gateway_presses_for_those_who_fill_it() {
    let mut day = Day::new(100, 6);
    let small = GatewayLimits { sessions: 20, ..SAYS };
    day.run(&Command::ConnectGateway { name: Arc::from("small"), limits: small });
    let small = GatewayId(1);
    day.start(HOTLINE, Level::Normal, FREE);
    day.start(SHOP, Level::Normal, FREE);
    let shop = RecallId(2);
    for _ in 0..18 {
        day.comes_by(small, SHOP, &[], Span::ZERO);
    }
    let sessions = |day: &Day, id| look(&day.engine, id, day.clock).sessions;
    assert_eq!((sessions(&day, RECALL), sessions(&day, shop)), (0, 900), "nobody of the hotline");
    day.comes_by(small, HOTLINE, &[], Span::ZERO);
    assert_eq!((sessions(&day, RECALL), sessions(&day, shop)), (0, 950), "one of 19");
    for _ in 0..2 {
        day.comes_by(small, HOTLINE, &[], Span::ZERO);
    }
    assert_eq!((sessions(&day, RECALL), sessions(&day, shop)), (1_050, 1_050), "3 of 21");
}

#[test]
fn whom_gateways_kept_meanwhile_came_when_they_came() {
    let mut day = Day::new(10, 7);
    day.start(HOTLINE, Level::Normal, FREE);
    day.clock = EngineTime::ZERO + Span::seconds(900);
    // The router is back: one a minute came, and all are told at once.
    for minutes in 0..14 {
        day.comes_by(GATE, HOTLINE, &[], Span::seconds(60 * minutes + 5));
    }
    let look = look(&day.engine, RECALL, day.clock);
    // 5 minutes each for 10 agents, one a minute: 0.5.
    assert!((400..600).contains(&look.load[1]), "{look:?}");
    assert!(look.certain.iter().all(|load| *load < 700), "{look:?}");
}

/// A crowd of one profile beside many of one agent each, among many other lines.
fn crowded(crowd_first: bool) -> Look {
    const ALONE: u16 = 200;
    const CROWD: u16 = 500;
    const QUEUES: u16 = 100;
    let one = |pool: u16| AgentProfile {
        pool: PoolId(pool),
        ..agent(&format!("one-{pool}"), None, [1, 1, 0, 0])
    };
    let many = |n: u16| agent(&format!("many-{n}"), None, [1, 1, 0, 0]);
    let alone: Vec<_> = (1..=ALONE).map(one).collect();
    let crowd: Vec<_> = (0..CROWD).map(many).collect();
    let agents = if crowd_first { [crowd, alone].concat() } else { [alone, crowd].concat() };
    let pools: Vec<String> = (0..=ALONE).map(|n| format!("pool-{n}")).collect();
    let mut queues: Vec<Queue> = vec![queue("plain", &[], false), queue("shop", &[], false)];
    queues.push(queue("safety", &[], true));
    queues.extend((3..QUEUES).map(|n| queue(&format!("queue-{n}"), &[], false)));
    let point = |n: u16| EntryPoint {
        name: Arc::from(format!("by-{n}")),
        retired: false,
        queue: QueueId(n),
    };
    let routing = Routing {
        pools: listed(&pools.iter().map(String::as_str).collect::<Vec<_>>()),
        queues,
        agents,
        entry_points: (0..QUEUES).map(point).collect(),
        not_ready_reasons: listed(&["ring-no-answer", "just-connected", "lunch"]),
        ..Routing::default()
    };
    let mut day = Day::of(routing, 0, 1);
    day.start(HOTLINE, Level::Normal, FREE);
    day.clock = EngineTime::ZERO + Span::seconds(600);
    for point in (0..QUEUES).filter(|p| *p != 2) {
        (0..2).for_each(|_| day.comes(EntryPointId(point)));
    }
    look(&day.engine, RECALL, day.clock)
}

#[test]
fn whoever_is_listed_first_the_agents_are_as_many() {
    let (first, last) = (crowded(true), crowded(false));
    assert_eq!(first, last);
    // 198 of five minutes each in six minutes, for 700 agents: 0.24.
    assert!((200..280).contains(&first.load[1]), "{first:?}");
}
