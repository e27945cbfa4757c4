//! A center under a clock of its own, at work for hours: what levels that are left free are
//! tried in.
//!
//! Agents talk for five minutes on average and answer at once, customers give up after four;
//! both are drawn. Nobody goes to a tier, so that what comes is what was drawn.

use std::collections::BTreeMap;

use super::*;
use crate::engine::Engine;
use crate::engine::entry::{Actor, Entry, Role};
use crate::engine::recall::control::Within;
use crate::engine::routing::{AgentProfile, EntryPoint, Routing};
use crate::engine::rules::{agent, listed, queue};
use crate::engine::words::{Availability, Need};
use crate::ids::{GatewayId, PoolId, QueueId, SkillId};

const HANDLE: f64 = 300.0;
const PATIENCE: f64 = 240.0;
pub(super) const HOUR: u64 = 3_600;

/// What happens next outside the router.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Next {
    Ends(ContactId),
    GivesUp(ContactId),
}

/// A center with as many agents for the hotline as for the shop, who share nothing.
pub(super) struct Day {
    pub(super) engine: Engine,
    pub(super) clock: EngineTime,
    agenda: BTreeMap<(EngineTime, u64), Next>,
    drawn: u64,
    keys: u64,
    agents: u32,
    pub(super) journal: Vec<(EngineTime, Event)>,
}

impl Day {
    pub(super) fn new(agents: u32, seed: u64) -> Self {
        Self::with(agents, seed, &[])
    }

    /// The same with some who speak Spanish, each so well.
    pub(super) fn with(agents: u32, seed: u64, spanish: &[(usize, u8)]) -> Self {
        let mut queues = vec![
            queue("plain", &[], false),
            queue("skilled", &[], false),
            queue("safety", &[], true),
        ];
        let mut staff = Vec::new();
        for pool in 0..2u16 {
            queues[usize::from(pool)].pools = [PoolId(pool)].into_iter().collect();
            for n in 0..agents {
                let name = format!("a{pool}-{n}");
                staff.push(AgentProfile { pool: PoolId(pool), ..agent(&name, None, [1, 1, 0, 0]) });
            }
        }
        for (agent, level) in spanish {
            staff[*agent].skills = [(SkillId(0), *level)].into_iter().collect();
        }
        let entry_points = [("hotline", PLAIN), ("shop", SKILLED)];
        let entry_points = entry_points.map(|(name, queue)| EntryPoint {
            name: Arc::from(name),
            retired: false,
            queue,
        });
        let routing = Routing {
            skills: listed(&["spanish"]),
            pools: listed(&["own", "other"]),
            queues,
            agents: staff,
            entry_points: entry_points.to_vec(),
            not_ready_reasons: listed(&["ring-no-answer", "just-connected", "lunch"]),
            ..Routing::default()
        };
        Self::of(routing, agents, seed)
    }

    /// A center of which everybody is at work, `agents` of them for what comes.
    pub(super) fn of(routing: Routing, agents: u32, seed: u64) -> Self {
        let all = routing.agents.len();
        let (clock, agenda, journal) = (EngineTime::ZERO, BTreeMap::new(), Vec::new());
        let engine = Engine::default();
        let (drawn, keys) = (seed << 32, 0);
        let mut day = Self { engine, clock, agenda, drawn, keys, agents, journal };
        day.run(&Command::Configure(Arc::new(routing)));
        day.run(&Command::ConnectGateway { name: Arc::from("gate"), limits: SAYS });
        for id in (0..).map(AgentId).take(all) {
            day.run(&Command::ConnectAgent(id));
            day.act(id, Act::Become(Availability::Ready));
        }
        day
    }

    /// The same day from here on with another engine, and nothing in its journal.
    pub(super) fn beside(&self, engine: Engine) -> Self {
        let (agenda, journal) = (self.agenda.clone(), Vec::new());
        let Self { clock, drawn, keys, agents, .. } = *self;
        Self { engine, clock, agenda, drawn, keys, agents, journal }
    }

    pub(super) fn run(&mut self, command: &Command) -> Reply {
        let mut events = Vec::new();
        let reply = self.engine.handle(self.clock, None, command, &mut events);
        let reply = reply.unwrap_or_else(|no| panic!("{no}: {command:?}"));
        for event in events {
            if let Event::Reserved(r) = &event {
                let (agent, reservation) = (r.agent, r.reservation);
                self.journal.push((self.clock, event.clone()));
                self.act(agent, Act::Accept(reservation));
                continue;
            }
            if let Event::Bridged { contact, .. } = &event {
                let contact = *contact;
                let talk = self.span(HANDLE);
                self.later(talk, Next::Ends(contact));
            }
            self.journal.push((self.clock, event));
        }
        reply
    }

    pub(super) fn act(&mut self, agent: AgentId, act: Act) {
        self.run(&Command::Agent { agent, session: None, act });
    }

    fn draw(&mut self) -> f64 {
        self.drawn += 1;
        let x = self.drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x >> 11) as f64 + 1.0) / (1u64 << 53) as f64
    }

    fn span(&mut self, mean: f64) -> Span {
        Span((-self.draw().ln() * mean * 1e6) as u64)
    }

    /// How many come where so many do on average.
    fn poisson(&mut self, mean: f64) -> u32 {
        let (mut product, mut came) = (self.draw(), 0);
        while product > (-mean).exp() {
            product *= self.draw();
            came += 1;
        }
        came
    }

    fn later(&mut self, after: Span, next: Next) {
        self.agenda.insert((self.clock + after, self.drawn), next);
    }

    /// Somebody comes to the hotline or to the shop, and gives up after a while.
    pub(super) fn comes(&mut self, through: EntryPointId) {
        self.comes_by(GATE, through, &[], Span::ZERO);
    }

    /// The same by one gateway, with what is asked of agents, after a wait there.
    pub(super) fn comes_by(
        &mut self,
        gateway: GatewayId,
        through: EntryPointId,
        needs: &[Need],
        waited: Span,
    ) -> ContactId {
        self.keys += 1;
        let queue = QueueId(through.0);
        let arrival = crate::engine::command::Arrival {
            key: Arc::from(format!("k{}", self.keys)),
            channel: Channel::Chat,
            queue,
            entry_point: Some(through),
            needs: needs.iter().copied().collect(),
            preferred: [].into_iter().collect(),
            head_start: Span::ZERO,
            safety: false,
            language: None,
            heed: None,
            customer: None,
            continues: None,
            waited,
            attributes: None,
            number_confirmed: false,
            content: self.keys,
        };
        let report = Report::Arrived(arrival);
        let came = self.run(&Command::Gateway { gateway, session: None, report });
        let Reply::Contact(contact) = came else { panic!("{came:?}") };
        let patience = self.span(PATIENCE);
        self.later(patience, Next::GivesUp(contact));
        self.begun(contact);
        contact
    }

    /// This one has all the time in the world.
    pub(super) fn stays(&mut self, contact: ContactId) {
        self.agenda.retain(|_, next| *next != Next::GivesUp(contact));
    }

    /// A chat needs no legs: whoever was given one talks.
    fn begun(&mut self, contact: ContactId) {
        let assigned = |c: &Contact| matches!(c.state, State::Assigned { .. });
        if self.engine.contact(contact).is_some_and(assigned) {
            let talk = self.span(HANDLE);
            self.later(talk, Next::Ends(contact));
        }
    }

    fn happens(&mut self, next: Next) {
        match next {
            Next::Ends(contact) => {
                let agent = self.engine.contact(contact).and_then(|c| c.state.agent());
                let agent = agent.expect("they talk");
                self.act(agent, Act::Complete { contact, disposition: None });
                // The next one has it now.
                let work = self.engine.agent(agent).and_then(|a| a.work.first()).map(|w| w.contact);
                work.into_iter().for_each(|next| self.begun(next));
            }
            Next::GivesUp(contact) => {
                if self.engine.contact(contact).is_some_and(|c| c.state == State::Queued) {
                    let report = Report::CustomerLeft(contact);
                    self.run(&Command::Gateway { gateway: GATE, session: None, report });
                }
            }
        }
    }

    /// Lets it go on until a time, with so much load, in parts of what all agents take.
    pub(super) fn until(&mut self, until: u64, through: EntryPointId, load: impl Fn(f64) -> f64) {
        let end = EngineTime::ZERO + Span::seconds(until);
        while self.clock < end {
            let second = self.clock + Span::seconds(1);
            let rate = load(self.clock.0 as f64 / 6e7) * f64::from(self.agents) / HANDLE;
            for _ in 0..self.poisson(rate) {
                self.comes(through);
            }
            while let Some(next) = self.agenda.first_entry().filter(|e| e.key().0 <= second) {
                self.clock = self.clock.max(next.key().0);
                let next = next.remove();
                self.happens(next);
            }
            self.clock = second;
            while self.engine.next_tick().is_some_and(|due| due <= self.clock) {
                self.run(&Command::Tick);
            }
        }
    }

    pub(super) fn start(&mut self, scope: EntryPointId, level: Level, free: Option<Within>) {
        let plan = Plan { scope: vec![scope], faq: None, ivr: None, ..plan(&[]) };
        let order = RecallOrder::Start {
            plan: Arc::new(plan),
            level,
            lasting: Span::seconds(86_400),
            accept_empty_safety_lane: true,
            free,
        };
        self.run(&Command::Recall { order, why: Arc::from("smoke") });
    }

    /// When a recall came to which level, in seconds.
    pub(super) fn moves(&self, of: RecallId) -> Vec<(u64, Level)> {
        let moved = |(at, event): &(EngineTime, Event)| match event {
            Event::LevelChanged { recall, level, .. } if *recall == of => {
                Some((at.0 / 1_000_000, *level))
            }
            _ => None,
        };
        self.journal.iter().filter_map(moved).collect()
    }

    pub(super) fn why(&self) -> String {
        let cause = |(_, event): &(EngineTime, Event)| match event {
            Event::LevelChanged { cause, .. } => Some(cause.to_string()),
            _ => None,
        };
        self.journal.iter().filter_map(cause).collect::<Vec<_>>().join("; ")
    }

    pub(super) fn replayed(&self) -> Engine {
        let mut replica = Engine::default();
        for (sequence, (at, event)) in (1..).zip(&self.journal) {
            replica.replay(&Entry {
                sequence,
                at: *at,
                actor: Actor { role: Role::Router, name: "test".into() },
                request: None,
                events: vec![event.clone()],
                sealed: None,
            });
        }
        replica
    }
}
