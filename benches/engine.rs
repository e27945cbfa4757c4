//! The engine alone: commands a second, the time of a decision, instructions and memory, by
//! how many wait, how many serve and how many skills there are.
//!
//! `cargo bench --bench engine`. A contact's life here is four commands (arrive, accept,
//! complete, end of wrap-up) against a standing backlog. Then a recall is started over a backlog
//! that goes to self-service: how long the start itself and each slice of the walk hold up other
//! commands. `--row AGENTS WAITING SKILLS` measures one size. Instructions are counted where
//! valgrind is installed: in a virtual machine `perf` often has no counter for them.

use std::sync::Arc;
use std::time::Instant;

use hdrhistogram::Histogram;
use surgeline::engine::Engine;
use surgeline::engine::command::{Act, Arrival, Command, GatewayLimits, RecallOrder, Report};
use surgeline::engine::contact::StateKind;
use surgeline::engine::event::Event;
use surgeline::engine::recall::{FaqPlan, LatePlan, Level, Outside, Plan, SafetyPlan};
use surgeline::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use surgeline::engine::words::{Availability, Channel, Need};
use surgeline::ids::{
    AgentId, ContactId, EffectId, EntryPointId, GatewayId, PoolId, QueueId, ReservationId, SkillId,
};
use surgeline::time::{EngineTime, Span};

// As in the shipped binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lives in one round between two looks at the clock.
const ROUND: u32 = 1_000;
/// Skills where their number is not what is measured.
const SKILLS: u16 = 20;

/// A queue for each skill; an agent has two of them, of very many ten.
fn routing(agents: u32, queues: u16) -> Routing {
    let each = if queues > 100 { 10 } else { queues.min(2) };
    let listed = |name: String| Listed { name: Arc::from(name), retired: false };
    Routing {
        skills: (0..queues).map(|s| listed(format!("skill-{s}"))).collect(),
        pools: vec![listed("own".into())],
        queues: (0..queues)
            .map(|q| Queue {
                name: Arc::from(format!("queue-{q}")),
                needs: [Need { skill: SkillId(q), at_least: 2 }].into_iter().collect(),
                channels: [true; 4],
                target: Span::seconds(20),
                reservation_timeout: Span::seconds(20),
                connect_timeout: Span::seconds(20),
                wrap_up: Span::seconds(10),
                ..Queue::default()
            })
            .collect(),
        agents: (0..agents)
            .map(|a| {
                let first = u16::try_from(a % u32::from(queues)).unwrap_or(0);
                let level = |n: u16| if n == 0 { 5 } else { 3 };
                let skill = |n: u16| (SkillId((first + n) % queues), level(n));
                let mut skills: Vec<(SkillId, u8)> = (0..each).map(skill).collect();
                skills.sort_unstable();
                AgentProfile {
                    name: Arc::from(format!("agent-{a}")),
                    retired: false,
                    pool: PoolId(0),
                    primary: Some(SkillId(first)),
                    skills: skills.into_iter().collect(),
                    capacity: [1, 1, 1, 1],
                    workload: Default::default(),
                    authority: 0,
                }
            })
            .collect(),
        entry_points: vec![EntryPoint {
            name: Arc::from("everywhere"),
            retired: false,
            queue: QueueId(0),
        }],
        not_ready_reasons: vec![
            listed("ring-no-answer".into()).into(),
            listed("connected".into()).into(),
        ],
        settings: Settings { most_contacts: 2_000_000, ..Settings::default() },
        ..Routing::default()
    }
}

struct Bench {
    engine: Engine,
    queues: u16,
    at: EngineTime,
    keys: u64,
    events: Vec<Event>,
    /// Reservations to be answered, in order.
    reserved: std::collections::VecDeque<(ReservationId, ContactId, AgentId)>,
    times: Histogram<u64>,
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
            self.spent += took;
        }
        for event in &self.events {
            if let Event::Reserved(r) = event {
                self.reserved.push_back((r.reservation, r.contact, r.agent));
            }
        }
    }

    fn arrive(&mut self, measured: bool) {
        self.at = self.at + Span(3);
        let command = self.arrival();
        self.run(&command, measured);
    }

    fn arrival(&mut self) -> Command {
        self.keys += 1;
        let queue = QueueId(u16::try_from(self.keys % u64::from(self.queues)).unwrap_or(0));
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
            number_confirmed: false,
            language: None,
            heed: None,
            content: 0,
        });
        Command::Gateway { gateway: GatewayId(0), session: None, report }
    }

    /// A life without a look at the clock.
    fn quick_life(&mut self, arrival: &Command) {
        self.at = self.at + Span(3);
        self.handle(arrival);
        let (reservation, contact, agent) = self.next_reserved();
        for act in acts(reservation, contact) {
            self.handle(&Command::Agent { agent, session: None, act });
        }
    }

    fn handle(&mut self, command: &Command) {
        self.events.clear();
        if let Err(refusal) = self.engine.handle(self.at, None, command, &mut self.events) {
            panic!("{refusal}: {command:?}");
        }
        for event in &self.events {
            if let Event::Reserved(r) = event {
                self.reserved.push_back((r.reservation, r.contact, r.agent));
            }
        }
    }

    fn next_reserved(&mut self) -> (ReservationId, ContactId, AgentId) {
        match self.reserved.pop_front() {
            Some(next) => next,
            None => panic!("a standing backlog always has a reservation open"),
        }
    }

    fn life(&mut self) {
        self.arrive(true);
        let (reservation, contact, agent) = self.next_reserved();
        for act in acts(reservation, contact) {
            self.run(&Command::Agent { agent, session: None, act }, true);
        }
    }
}

/// What an agent does with a contact.
fn acts(reservation: ReservationId, contact: ContactId) -> [Act; 3] {
    let complete = Act::Complete { contact, disposition: None };
    [Act::Accept(reservation), complete, Act::EndWrapUp(contact)]
}

fn bench(queues: u16) -> Bench {
    Bench {
        queues,
        engine: Engine::default(),
        at: EngineTime::ZERO,
        keys: 0,
        events: Vec::new(),
        reserved: Default::default(),
        times: Histogram::new_with_max(1_000_000_000, 3).expect("bounds are allowed"),
        spent: Default::default(),
    }
}

/// One size of center.
#[derive(Clone, Copy)]
struct Size {
    agents: u32,
    waiting: u64,
    skills: u16,
}

/// A center of this size with everyone ready and busy, and as many waiting.
fn filled(size: Size) -> (Bench, u64) {
    let Size { agents, waiting, .. } = size;
    let mut bench = bench(size.skills);
    bench.run(&Command::Configure(Arc::new(routing(agents, size.skills))), false);
    let limits = GatewayLimits { says: true, ..GatewayLimits::default() };
    bench.run(&Command::ConnectGateway { name: Arc::from("bench"), limits }, false);
    let before = resident();
    for _ in 0..waiting {
        bench.arrive(false);
    }
    let bytes = resident().saturating_sub(before) / waiting.max(1);
    for a in (0..agents).map(AgentId) {
        bench.run(&Command::ConnectAgent(a), false);
        let act = Act::Become(Availability::Ready);
        bench.run(&Command::Agent { agent: a, session: None, act }, false);
    }
    for _ in 0..agents {
        bench.arrive(false);
    }
    (bench, bytes)
}

/// Bytes of this process in memory; 0 where nobody tells.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|all| all.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()));
    pages.unwrap_or_default() * 4_096
}

/// Lives without a clock read each, in rounds whose arrivals are made before: how fast it is.
/// Then with one, for the times: a clock read costs some 25 ns, which both ends of a time have.
fn measure(size: Size, lives: usize) {
    let (mut bench, bytes) = filled(size);
    let (mut spent, mut done) = (std::time::Duration::ZERO, 0_u32);
    while (done as usize) < lives * 4 {
        let arrivals: Vec<Command> = (0..ROUND).map(|_| bench.arrival()).collect();
        let begin = Instant::now();
        for arrival in &arrivals {
            bench.quick_life(arrival);
        }
        spent += begin.elapsed();
        done += 4 * ROUND;
    }
    for _ in 0..lives / 2 {
        bench.life();
    }
    let Size { agents, waiting, skills } = size;
    let bytes = if waiting < 10_000 { "-".to_owned() } else { bytes.to_string() };
    println!(
        "{agents:>8} {waiting:>10} {skills:>7} {:>12.0} {:>8} {:>8} {:>9} {bytes:>9}",
        f64::from(done) / spent.as_secs_f64(),
        bench.times.value_at_quantile(0.5),
        bench.times.value_at_quantile(0.99),
        bench.times.value_at_quantile(0.999),
    );
}

/// The lives whose instructions valgrind counts: it collects in this function alone.
#[inline(never)]
fn counted_lives(bench: &mut Bench, arrivals: &[Command]) {
    for arrival in arrivals {
        bench.quick_life(arrival);
    }
}

/// What a process of its own does under valgrind.
fn count(size: Size) {
    let (mut bench, _) = filled(size);
    // The first of each kind of thing cost more than all that follow.
    let warm: Vec<Command> = (0..ROUND).map(|_| bench.arrival()).collect();
    warm.iter().for_each(|arrival| bench.quick_life(arrival));
    let arrivals: Vec<Command> = (0..ROUND).map(|_| bench.arrival()).collect();
    counted_lives(&mut bench, &arrivals);
}

/// Instructions a command, counted by valgrind; none where there is none.
fn instructions(size: Size) -> Option<u64> {
    let me = std::env::current_exe().ok()?;
    let out = std::process::Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--toggle-collect=*counted_lives*"])
        .arg(me)
        .args(["--count".to_owned(), size.agents.to_string(), size.waiting.to_string()])
        .arg(size.skills.to_string())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    let collected = said.lines().find_map(|line| line.split("Collected : ").nth(1))?;
    let all: u64 = collected.trim().parse().ok()?;
    Some(all / u64::from(4 * ROUND))
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
        callback: None,
        partner: None,
        control: None,
        safety: SafetyPlan {
            queue: QueueId(0),
            kept: Vec::new(),
            external: Some(Outside::Number("112".into())),
            late: LatePlan::default(),
        },
        soon: Span::seconds(120),
    }
}

/// Starts a recall over a backlog, with a gateway that does at once what it is asked to.
fn toggle(agents: u32, waiting: u64) {
    let mut bench = bench(SKILLS);
    bench.run(&Command::Configure(Arc::new(routing(agents, SKILLS))), false);
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
        free: None,
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

/// The sizes: how many wait, how many serve, and how many skills there are.
const GRID: &[(u32, u64, u16)] = &[
    (10_000, 1_000, 20),
    (10_000, 10_000, 20),
    (10_000, 100_000, 20),
    (10_000, 1_000_000, 20),
    (100, 1_000, 20),
    (100, 100_000, 20),
    (100, 1_000_000, 20),
    (50_000, 100_000, 20),
    (50_000, 1_000_000, 20),
    (10_000, 100_000, 1),
    (10_000, 100_000, 300),
    (50_000, 1_000_000, 300),
];

fn size((agents, waiting, skills): &(u32, u64, u16)) -> Size {
    Size { agents: *agents, waiting: *waiting, skills: *skills }
}

/// A size on the command line, after this flag.
fn asked(flag: &str) -> Option<Size> {
    let mut args = std::env::args().skip_while(|a| a != flag).skip(1);
    let mut number = || args.next()?.parse::<u64>().ok();
    let (agents, waiting, skills) = (number()?, number()?, number()?);
    Some(Size { agents: u32::try_from(agents).ok()?, waiting, skills: u16::try_from(skills).ok()? })
}

/// Each size in a process of its own, so that memory is only what this size needs.
fn grid() {
    println!("engine alone, one thread; arrive, accept, complete, end of wrap-up");
    println!(
        "{:>8} {:>10} {:>7} {:>12} {:>8} {:>8} {:>9} {:>9}",
        "agents", "waiting", "skills", "commands/s", "p50 ns", "p99 ns", "p99.9 ns", "bytes/c"
    );
    for row in GRID {
        let Size { agents, waiting, skills } = size(row);
        let me = std::env::current_exe().expect("this is a program");
        let numbers = [agents.to_string(), waiting.to_string(), skills.to_string()];
        let ran = std::process::Command::new(me).arg("--row").args(numbers).status();
        assert!(ran.expect("it starts").success(), "a row failed");
    }
    println!("bar: 2,000,000 commands/s, p99 under 3,000 ns (10,000 agents, 100,000 waiting);");
    println!("     under 1,024 bytes a waiting contact; time within 3x from 1,000 to 1,000,000");
    println!("instructions a command, 10,000 agents, 20 skills (callgrind; bar: within 1.1x)");
    for waiting in [1_000, 100_000, 1_000_000] {
        let counted = instructions(Size { agents: 10_000, waiting, skills: 20 });
        let counted = counted.map_or("no valgrind".to_owned(), |n| n.to_string());
        println!("{waiting:>19} {counted:>12}");
    }
}

fn main() {
    if let Some(size) = asked("--count") {
        return count(size);
    }
    if let Some(size) = asked("--row") {
        return measure(size, 300_000);
    }
    // `cargo test --all-targets` runs this too: then it only has to work.
    let quick = !std::env::args().any(|a| a == "--bench");
    if quick {
        measure(Size { agents: 100, waiting: 1_000, skills: 20 }, 1_000);
    } else {
        grid();
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
