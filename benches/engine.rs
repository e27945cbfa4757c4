//! The engine alone: commands a second and the time of a decision, by backlog.
//!
//! `cargo bench --bench engine`. A contact's life here is four commands (arrive, accept,
//! complete, end of wrap-up) against a standing backlog; what differs between rows is only how
//! many wait, so that the ratios in one run say whether cost grows with the backlog. Then a
//! recall is started over a backlog that goes to self-service: how long the start itself and
//! each slice of the walk hold up other commands.

use std::sync::Arc;
use std::time::Instant;

use hdrhistogram::Histogram;
use surgeline::engine::Engine;
use surgeline::engine::command::{Act, Arrival, Command, GatewayLimits, RecallOrder, Report};
use surgeline::engine::contact::StateKind;
use surgeline::engine::event::Event;
use surgeline::engine::recall::{FaqPlan, Level, Plan, SafetyPlan};
use surgeline::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use surgeline::engine::words::{Availability, Channel, Need};
use surgeline::ids::{
    AgentId, ContactId, EffectId, EntryPointId, GatewayId, PoolId, QueueId, ReservationId, SkillId,
};
use surgeline::time::{EngineTime, Span};

// As in the shipped binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUEUES: u16 = 20;

fn routing(agents: u32) -> Routing {
    let listed = |name: String| Listed { name: Arc::from(name), retired: false };
    Routing {
        skills: (0..QUEUES).map(|s| listed(format!("skill-{s}"))).collect(),
        pools: vec![listed("own".into())],
        queues: (0..QUEUES)
            .map(|q| Queue {
                name: Arc::from(format!("queue-{q}")),
                retired: false,
                needs: [Need { skill: SkillId(q), at_least: 2 }].into_iter().collect(),
                pools: [].into_iter().collect(),
                channels: [true; 4],
                safety: false,
                target: Span::seconds(20),
                head_start: Span::ZERO,
                reservation_timeout: Span::seconds(20),
                connect_timeout: Span::seconds(20),
                wrap_up: Span::seconds(10),
                policy: Default::default(),
            })
            .collect(),
        agents: (0..agents)
            .map(|a| {
                let first = u16::try_from(a % u32::from(QUEUES)).unwrap_or(0);
                let mut skills = vec![(SkillId(first), 5), (SkillId((first + 1) % QUEUES), 3)];
                skills.sort_unstable();
                AgentProfile {
                    name: Arc::from(format!("agent-{a}")),
                    retired: false,
                    pool: PoolId(0),
                    primary: Some(SkillId(first)),
                    skills: skills.into_iter().collect(),
                    capacity: [1, 1, 1, 1],
                    workload: Default::default(),
                }
            })
            .collect(),
        entry_points: vec![EntryPoint {
            name: Arc::from("everywhere"),
            retired: false,
            queue: QueueId(0),
        }],
        not_ready_reasons: vec![listed("ring-no-answer".into()), listed("connected".into())],
        settings: Settings { most_contacts: 2_000_000, ..Settings::default() },
        ..Routing::default()
    }
}

struct Bench {
    engine: Engine,
    at: EngineTime,
    keys: u64,
    events: Vec<Event>,
    /// Reservations to be answered, in order.
    reserved: std::collections::VecDeque<(ReservationId, ContactId, AgentId)>,
    times: Histogram<u64>,
    commands: u64,
    spent: std::time::Duration,
}

impl Bench {
    fn run(&mut self, command: &Command, measured: bool) {
        self.events.clear();
        let begin = Instant::now();
        let result = self.engine.handle(self.at, None, command, &mut self.events);
        let took = begin.elapsed();
        if let Err(refusal) = result {
            panic!("{refusal}: {command:?}");
        }
        if measured {
            self.times.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            self.commands += 1;
            self.spent += took;
        }
        for event in &self.events {
            if let Event::Reserved(r) = event {
                self.reserved.push_back((r.reservation, r.contact, r.agent));
            }
        }
    }

    fn arrive(&mut self, measured: bool) {
        self.keys += 1;
        self.at = self.at + Span(3);
        let queue = QueueId(u16::try_from(self.keys % u64::from(QUEUES)).unwrap_or(0));
        let report = Report::Arrived(Arrival {
            key: Arc::from(format!("k{}", self.keys)),
            channel: Channel::Chat,
            queue,
            entry_point: Some(EntryPointId(0)),
            needs: [].into_iter().collect(),
            preferred: [].into_iter().collect(),
            head_start: Span::ZERO,
            safety: false,
            customer: None,
            continues: None,
            waited: Span::ZERO,
            attributes: None,
            language: None,
            heed: None,
            content: 0,
        });
        self.run(&Command::Gateway { gateway: GatewayId(0), session: None, report }, measured);
    }

    fn life(&mut self) {
        self.arrive(true);
        let Some((reservation, contact, agent)) = self.reserved.pop_front() else {
            panic!("a standing backlog always has a reservation open");
        };
        let acts = [
            Act::Accept(reservation),
            Act::Complete { contact, disposition: None },
            Act::EndWrapUp(contact),
        ];
        for act in acts {
            self.run(&Command::Agent { agent, session: None, act }, true);
        }
    }
}

fn bench() -> Bench {
    Bench {
        engine: Engine::default(),
        at: EngineTime::ZERO,
        keys: 0,
        events: Vec::new(),
        reserved: Default::default(),
        times: Histogram::new_with_max(1_000_000_000, 3).expect("bounds are allowed"),
        commands: 0,
        spent: Default::default(),
    }
}

fn measure(agents: u32, waiting: u64, lives: u64) -> (f64, Histogram<u64>) {
    let mut bench = bench();
    bench.run(&Command::Configure(Arc::new(routing(agents))), false);
    let name = Arc::from("bench");
    bench.run(
        &Command::ConnectGateway {
            name,
            limits: GatewayLimits { says: true, ..GatewayLimits::default() },
        },
        false,
    );
    for _ in 0..waiting {
        bench.arrive(false);
    }
    for a in (0..agents).map(AgentId) {
        bench.run(&Command::ConnectAgent(a), false);
        let act = Act::Become(Availability::Ready);
        bench.run(&Command::Agent { agent: a, session: None, act }, false);
    }
    for _ in 0..agents {
        bench.arrive(false);
    }
    for _ in 0..lives {
        bench.life();
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = bench.commands as f64 / bench.spent.as_secs_f64();
    (rate, bench.times)
}

fn everyone(waiting: u64) -> Plan {
    let faq = FaqPlan {
        from: Level::Elevated,
        capacity: u32::try_from(waiting).unwrap_or(u32::MAX),
        pacing: [Span::seconds(60); 4],
        silence: [Span::seconds(600); 4],
        time_limit: [Span::seconds(3_600); 4],
        entries: 1,
    };
    Plan {
        title: Arc::from("bench"),
        version: [0; 32],
        playbook: Arc::from([]),
        scope: vec![EntryPointId(0)],
        faq: Some(faq),
        ivr: None,
        safety: SafetyPlan { queue: QueueId(0), kept: Vec::new(), external: true },
        soon: Span::seconds(120),
    }
}

/// Starts a recall over a backlog, with a gateway that does at once what it is asked to.
fn toggle(agents: u32, waiting: u64) {
    let mut bench = bench();
    bench.run(&Command::Configure(Arc::new(routing(agents))), false);
    let name = Arc::from("bench");
    bench.run(
        &Command::ConnectGateway {
            name,
            limits: GatewayLimits { says: true, ..GatewayLimits::default() },
        },
        false,
    );
    for _ in 0..waiting {
        bench.arrive(false);
    }
    let order = RecallOrder::Start {
        plan: Arc::new(everyone(waiting)),
        level: Level::Elevated,
        lasting: Span::seconds(3_600),
        accept_empty_safety_lane: false,
    };
    bench.run(&Command::Recall { order, why: Arc::from("bench") }, true);
    let start = bench.spent;
    let mut effects: Vec<EffectId> = Vec::new();
    while bench.engine.in_state(StateKind::SelfService) < waiting {
        bench.at = bench.at + Span(50);
        bench.run(&Command::Tick, true);
        effects.extend(bench.events.iter().filter_map(|event| match event {
            Event::EffectAsked { effect, .. } => Some(*effect),
            _ => None,
        }));
        for effect in effects.drain(..) {
            let report = Report::EffectDone(effect);
            bench.run(&Command::Gateway { gateway: GatewayId(0), session: None, report }, false);
        }
    }
    println!(
        "{agents:>8} {waiting:>10} {:>14} {:>14} {:>14} {:>9}",
        start.as_micros(),
        bench.times.value_at_quantile(0.99) / 1_000,
        bench.times.max() / 1_000,
        (bench.spent - start).as_millis(),
    );
}

fn main() {
    // `cargo test --all-targets` runs this too: then it only has to work.
    let quick = !std::env::args().any(|a| a == "--bench");
    let rows: &[(u32, u64)] = if quick {
        &[(100, 1_000)]
    } else {
        &[(10_000, 1_000), (10_000, 10_000), (10_000, 100_000), (10_000, 1_000_000), (100, 100_000)]
    };
    let lives = if quick { 1_000 } else { 500_000 };
    println!("engine alone, one thread, clock reads included in the times");
    println!(
        "{:>8} {:>10} {:>14} {:>9} {:>9} {:>9}",
        "agents", "waiting", "commands/s", "p50 ns", "p99 ns", "p99.9 ns"
    );
    for (agents, waiting) in rows {
        let (rate, times) = measure(*agents, *waiting, lives);
        println!(
            "{agents:>8} {waiting:>10} {rate:>14.0} {:>9} {:>9} {:>9}",
            times.value_at_quantile(0.5),
            times.value_at_quantile(0.99),
            times.value_at_quantile(0.999)
        );
    }
    println!("a recall is started over a backlog, which goes to self-service in slices");
    println!(
        "{:>8} {:>10} {:>14} {:>14} {:>14} {:>9}",
        "agents", "waiting", "start us", "slice p99 us", "longest us", "all ms"
    );
    let rows: &[(u32, u64)] =
        if quick { &[(100, 1_000)] } else { &[(10_000, 100_000), (10_000, 1_000_000)] };
    for (agents, waiting) in rows {
        toggle(*agents, *waiting);
    }
}
