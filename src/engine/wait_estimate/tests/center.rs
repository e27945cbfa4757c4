//! A queue under random load on the real engine: arrivals, handling and patience are
//! exponential, everything goes through commands, and the engine measures for itself.
//!
//! A customer who gives up is remembered until the moment at which they would have been
//! served: what they were told is held against that, as the reference tables do.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::{WaitEstimate, departures};
use crate::engine::Engine;
use crate::engine::agent::Agent;
use crate::engine::command::{Act, Arrival, Command, GatewayLimits, Reply, Report};
use crate::engine::contact::State;
use crate::engine::event::Event;
use crate::engine::policy::{QueuePolicy, Workload};
use crate::engine::routing::{AgentProfile, Listed, Queue, Routing};
use crate::engine::words::{Availability, Channel};
use crate::ids::{AgentId, ContactId, GatewayId, PoolId, QueueId, ReasonId};
use crate::time::{EngineTime, Span};

const QUEUE: QueueId = QueueId(0);
const GATE: GatewayId = GatewayId(0);
/// The mean time that a contact keeps an agent.
pub(super) const SERVICE: Span = Span::seconds(300);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Arrival,
    Done(AgentId, ContactId),
    GivesUp(ContactId),
}

/// What one who had to wait was told, and what came of it. Times are in mean service times.
#[derive(Clone, Copy)]
pub(super) struct Waited {
    pub(super) came: f64,
    pub(super) actual: f64,
    pub(super) told: Option<(f64, f64)>,
    /// What the same formula says with the true rates.
    pub(super) ideal: f64,
}

/// One who waits: when they came, what they were told and should have been.
#[derive(Clone, Copy)]
struct Told {
    came: EngineTime,
    told: Option<WaitEstimate>,
    ideal: f64,
}

pub(super) struct Center {
    engine: Engine,
    rng: StdRng,
    at: EngineTime,
    keys: u64,
    next: BinaryHeap<Reverse<(EngineTime, Next)>>,
    waiting: BTreeMap<ContactId, Told>,
    /// Those who gave up and would not have been served yet.
    ghosts: VecDeque<(ContactId, Told)>,
    /// Arrivals in a mean service time.
    pub(super) load: f64,
    /// How many give up in a mean service time, of one who waits.
    theta: f64,
    /// Agents at work.
    agents: u32,
    pub(super) waited: Vec<Waited>,
}

fn listed(name: &str) -> Vec<Listed> {
    vec![Listed { name: Arc::from(name), retired: false }]
}

fn in_services(span: Span) -> f64 {
    span.as_secs_f64() / SERVICE.as_secs_f64()
}

impl Center {
    pub(super) fn new(agents: u32, theta: f64, load: f64, seed: u64) -> Self {
        let queue = Queue {
            name: Arc::from("plain"),
            retired: false,
            needs: [].into_iter().collect(),
            pools: [].into_iter().collect(),
            channels: [true; 4],
            safety: false,
            target: Span::seconds(20),
            head_start: Span::ZERO,
            reservation_timeout: Span::seconds(10),
            connect_timeout: Span::seconds(15),
            wrap_up_most: Span::ZERO,
            wrap_up: Span::ZERO,
            policy: QueuePolicy::default(),
            ..Queue::default()
        };
        let agent = |n| AgentProfile {
            name: Arc::from(format!("a{n}")),
            retired: false,
            pool: PoolId(0),
            skills: [].into_iter().collect(),
            primary: None,
            capacity: [0, 1, 0, 0],
            workload: Workload::default(),
            authority: 0,
        };
        let routing = Routing {
            pools: listed("own"),
            queues: vec![queue],
            agents: (0..agents).map(agent).collect(),
            not_ready_reasons: ["ring", "new", "lunch"]
                .into_iter()
                .flat_map(listed)
                .map(Into::into)
                .collect(),
            ..Routing::default()
        };
        let mut center = Self {
            engine: Engine::default(),
            rng: StdRng::seed_from_u64(seed),
            at: EngineTime::ZERO,
            keys: 0,
            next: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            ghosts: VecDeque::new(),
            load,
            theta,
            agents,
            waited: Vec::new(),
        };
        center.does(&Command::Configure(Arc::new(routing)));
        let limits = GatewayLimits::default();
        center.does(&Command::ConnectGateway { name: Arc::from("gate"), limits });
        for agent in (0..agents).map(AgentId) {
            center.does(&Command::ConnectAgent(agent));
            center.acts(agent, Act::Become(Availability::Ready));
        }
        center.in_a_while(1.0 / load, Next::Arrival);
        center
    }

    /// Runs for so many mean service times.
    pub(super) fn runs(&mut self, services: f64) {
        let end = self.at + in_time(services);
        while let Some(Reverse((at, next))) = self.next.peek().copied().filter(|n| n.0.0 <= end) {
            self.next.pop();
            self.at = at;
            match next {
                Next::Arrival => self.arrives(),
                Next::Done(agent, contact) => {
                    self.acts(agent, Act::Complete { contact, disposition: None });
                    let free =
                        |a: &Agent| a.availability == Availability::Ready && a.work.is_empty();
                    if self.engine.agent(agent).is_some_and(free) {
                        // Nobody waits: whoever had stayed would be served now.
                        self.serves_ghosts(ContactId(u64::MAX));
                    }
                }
                Next::GivesUp(contact) => self.gives_up(contact),
            }
        }
        self.at = end;
    }

    /// From now on so many are at work, the first of all.
    pub(super) fn staff(&mut self, agents: u32) {
        for agent in (0..self.agents.max(agents)).map(AgentId) {
            let ready =
                self.engine.agent(agent).is_some_and(|a| a.availability == Availability::Ready);
            if ready != (agent.0 < agents) {
                let lunch = Availability::NotReady(ReasonId(2));
                self.acts(agent, Act::Become(if ready { lunch } else { Availability::Ready }));
            }
        }
        self.agents = agents;
    }

    /// What one who came now would be told.
    pub(super) fn told_next(&self) -> Option<WaitEstimate> {
        self.engine.wait_of_next(QUEUE, Channel::Chat, self.at)
    }

    fn in_a_while(&mut self, mean: f64, next: Next) {
        let after = -(1.0 - self.rng.random::<f64>()).ln() * mean;
        self.next.push(Reverse((self.at + in_time(after), next)));
    }

    fn does(&mut self, command: &Command) -> Reply {
        let mut events = Vec::new();
        let reply = self.engine.handle(self.at, None, command, &mut events);
        let reserved: Vec<_> = events
            .iter()
            .filter_map(|e| match e {
                Event::Reserved(r) => Some((r.contact, r.agent, r.reservation)),
                _ => None,
            })
            .collect();
        for (contact, agent, reservation) in reserved {
            self.acts(agent, Act::Accept(reservation));
            self.in_a_while(1.0, Next::Done(agent, contact));
            self.serves_ghosts(contact);
            if let Some(told) = self.waiting.remove(&contact) {
                self.note(told);
            }
        }
        reply.unwrap_or_else(|no| panic!("{no}: {command:?}"))
    }

    fn acts(&mut self, agent: AgentId, act: Act) {
        self.does(&Command::Agent { agent, session: None, act });
    }

    fn reports(&mut self, report: Report) -> Reply {
        self.does(&Command::Gateway { gateway: GATE, session: None, report })
    }

    fn arrives(&mut self) {
        self.in_a_while(1.0 / self.load, Next::Arrival);
        self.keys += 1;
        let arrival = Arrival {
            key: Arc::from(format!("k{}", self.keys)),
            channel: Channel::Chat,
            queue: QUEUE,
            entry_point: None,
            needs: [].into_iter().collect(),
            preferred: [].into_iter().collect(),
            head_start: Span::ZERO,
            safety: false,
            language: None,
            heed: None,
            customer: None,
            continues: None,
            waited: Span::ZERO,
            attributes: None,
            number_confirmed: false,
            content: self.keys,
        };
        let Reply::Contact(contact) = self.reports(Report::Arrived(arrival)) else {
            panic!("not a contact")
        };
        if self.engine.contact(contact).is_some_and(|c| c.state == State::Queued) {
            let told = self.engine.wait_estimate(contact, self.at);
            let ahead = self.engine.position(contact).expect("in line");
            let (ideal, _) = departures(f64::from(self.agents), self.theta, ahead);
            self.waiting.insert(contact, Told { came: self.at, told, ideal });
            self.in_a_while(1.0 / self.theta, Next::GivesUp(contact));
        }
    }

    fn gives_up(&mut self, contact: ContactId) {
        if let Some(told) = self.waiting.remove(&contact) {
            self.reports(Report::CustomerLeft(contact));
            self.ghosts.push_back((contact, told));
        }
    }

    /// An agent takes one who came later, or nobody: those before would have been taken.
    fn serves_ghosts(&mut self, taken: ContactId) {
        let mut ghosts = std::mem::take(&mut self.ghosts);
        ghosts.retain(|(contact, told)| {
            let served = *contact < taken;
            if served {
                self.note(*told);
            }
            !served
        });
        self.ghosts = ghosts;
    }

    fn note(&mut self, Told { came, told, ideal }: Told) {
        let told = told.map(|told| (in_services(told.mean), in_services(told.p80)));
        let actual = in_services(self.at.since(came));
        let came = in_services(came.since(EngineTime::ZERO));
        self.waited.push(Waited { came, actual, told, ideal });
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short time")]
fn in_time(services: f64) -> Span {
    Span((services * SERVICE.as_secs_f64() * 1e6) as u64)
}
