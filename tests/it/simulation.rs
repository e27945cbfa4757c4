//! A seeded simulation: random commands against the engine, everything checked after each.
//!
//! `SURGELINE_SEED=n` repeats a failure; every panic names its seed and step.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use surgeline::engine::Engine;
use surgeline::engine::command::{
    Act, Arrival, Command, GatewayLimits, Order, Reply, Report, Target,
};
use surgeline::engine::contact::{Contact, State, StateKind};
use surgeline::engine::entry::{Actor, Entry, Role};
use surgeline::engine::event::{Event, Reserved, Trigger};
use surgeline::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use surgeline::engine::words::{Availability, Channel, Consent, LegOutcome, Need, Party, WaitsFor};
use surgeline::ids::{
    AgentId, ContactId, DispositionId, EffectId, EntryPointId, GatewayId, PoolId, QueueId,
    ReasonId, RequestId, ReservationId, SessionId, SkillId,
};
use surgeline::time::{EngineTime, Span};

const AGENTS: u32 = 24;
const QUEUES: u16 = 6;
const SKILLS: u16 = 5;
const GATEWAYS: u16 = 3;

fn listed(names: &[&str]) -> Vec<Listed> {
    names.iter().map(|n| Listed { name: Arc::from(*n), retired: false }).collect()
}

/// A small contact center with every kind of difference in it.
fn routing(rng: &mut StdRng) -> Routing {
    let queues = (0..QUEUES).map(|q| Queue {
        name: Arc::from(format!("queue-{q}")),
        retired: false,
        needs: (q > 0)
            .then(|| Need { skill: SkillId(q % SKILLS), at_least: 1 + (q % 3) as u8 })
            .into_iter()
            .collect(),
        pools: if q == 5 { [PoolId(1)].into_iter().collect() } else { [].into_iter().collect() },
        channels: [q != 4, true, true, true],
        target: Span::seconds(20),
        head_start: Span::seconds(u64::from(q) * 5),
        reservation_timeout: Span::seconds(10),
        connect_timeout: Span::seconds(15),
        wrap_up: Span::seconds(u64::from(q % 3) * 5),
    });
    let agents = (0..AGENTS).map(|a| {
        let mut skills: Vec<SkillId> = (0..SKILLS).map(SkillId).collect();
        skills.retain(|_| rng.random_bool(0.5));
        AgentProfile {
            name: Arc::from(format!("agent-{a}")),
            retired: false,
            pool: PoolId(u16::from(a % 3 == 0)),
            primary: skills.first().copied(),
            skills: skills.into_iter().map(|s| (s, rng.random_range(1..=5))).collect(),
            capacity: [1, rng.random_range(0..4), rng.random_range(0..6), 2],
        }
    });
    Routing {
        skills: listed(&["s0", "s1", "s2", "s3", "s4"]),
        pools: listed(&["own", "partner"]),
        queues: queues.collect(),
        agents: agents.collect(),
        entry_points: vec![EntryPoint {
            name: Arc::from("front-door"),
            retired: false,
            queue: QueueId(0),
        }],
        not_ready_reasons: listed(&["ring-no-answer", "just-connected", "lunch"]),
        dispositions: listed(&["refund", "injury"]),
        settings: Settings {
            pass_over: Span::seconds(20),
            named_wait: Span::seconds(8),
            agent_grace: Span::seconds(12),
            most_contacts: 120,
            ..Settings::default()
        },
    }
}

struct World {
    seed: u64,
    rng: StdRng,
    owner: Engine,
    replica: Engine,
    at: EngineTime,
    sequence: u64,
    keys: u64,
    refused: u64,
    tally: std::collections::BTreeMap<&'static str, u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let routing = Arc::new(routing(&mut rng));
        let mut world = Self {
            seed,
            rng,
            owner: Engine::default(),
            replica: Engine::default(),
            at: EngineTime::ZERO,
            sequence: 0,
            keys: 0,
            refused: 0,
            tally: Default::default(),
        };
        world.step(&Command::Configure(routing));
        for g in 0..GATEWAYS {
            let name = Arc::from(format!("gateway-{g}"));
            world.step(&Command::ConnectGateway { name, limits: GatewayLimits::default() });
        }
        for a in 0..AGENTS {
            world.step(&Command::ConnectAgent(AgentId(a)));
            let act = Act::Become(Availability::Ready);
            world.step(&Command::Agent { agent: AgentId(a), session: None, act });
        }
        world
    }

    /// One command with everything checked after it.
    fn step(&mut self, command: &Command) -> Option<Reply> {
        let before = self.owner.state_hash();
        let waited_on: Vec<Contact> = self.owner.contacts().cloned().collect();
        let mut events = Vec::new();
        let request =
            self.rng.random_bool(0.3).then(|| RequestId { id: self.rng.random(), content: 1 });
        let reply = self.owner.handle(self.at, request, command, &mut events);
        let context = format!("seed {} entry {} {command:?}", self.seed, self.sequence);
        if reply.is_err() {
            self.refused += 1;
            assert!(events.is_empty(), "{context}: refused with events {events:?}");
            assert_eq!(before, self.owner.state_hash(), "{context}: a refusal changed state");
        }
        if let Err(violation) = self.owner.check() {
            panic!("{context}: {violation}\nevents: {events:#?}");
        }
        self.check_choices(&events, &waited_on, &context);
        self.count(&events);
        if !events.is_empty() {
            if let (Some(request), Ok(first)) = (request, &reply) {
                let mut again = Vec::new();
                let second = self.owner.handle(self.at, Some(request), command, &mut again);
                if !matches!(first, Reply::Unknown(_)) {
                    assert_eq!(second.as_ref(), Ok(first), "{context}: another reply to a repeat");
                    assert!(again.is_empty(), "{context}: a repeat did something");
                } else {
                    assert!(again.is_empty() || matches!(command, Command::Gateway { .. }));
                    events.extend(again);
                }
            }
            self.sequence += 1;
            let entry = Entry {
                sequence: self.sequence,
                at: self.at,
                actor: Actor { role: Role::Router, name: Arc::from("simulation") },
                request,
                events,
                sealed: None,
            };
            self.replica.replay(&entry);
            let (owner, replica) = (self.owner.state_hash(), self.replica.state_hash());
            assert_eq!(owner, replica, "{context}: the replica differs");
        }
        reply.ok()
    }

    /// What a freed agent got was the oldest place of its class of service and channel
    /// among all they could have had.
    fn check_choices(&self, events: &[Event], before: &[Contact], context: &str) {
        for event in events {
            let Event::Reserved(r) = event else { continue };
            if r.trigger != Trigger::Agent {
                continue;
            }
            let Some(chosen) = self.owner.contact(r.contact) else { continue };
            let older = self.owner.contacts().find(|c| self.was_passed_by(c, chosen, r, before));
            assert!(older.is_none(), "{context}: {r:?} passed by {older:?}");
        }
    }

    fn was_passed_by(
        &self,
        c: &Contact,
        chosen: &Contact,
        r: &Reserved,
        before: &[Contact],
    ) -> bool {
        let free = |c: &Contact| {
            c.state == State::Queued
                && c.link != surgeline::engine::contact::Link::Detached
                && c.named.is_none()
                && c.passed_over.iter().all(|p| p.agent != r.agent)
        };
        // What changed within the same command may have been otherwise when it was decided.
        let before = before.iter().find(|b| b.id == c.id);
        let profile = &self.owner.routing().agents[r.agent.index()];
        let queue = &self.owner.routing().queues[c.queue.index()];
        free(c)
            && before.is_some_and(|b| free(b) && (b.place, b.queue) == (c.place, c.queue))
            && (c.service, c.channel) == (chosen.service, chosen.channel)
            && (queue.pools.is_empty() || queue.pools.contains(&profile.pool))
            && c.needs.iter().all(|n| {
                profile.skills.iter().any(|(s, level)| *s == n.skill && *level >= n.at_least)
            })
            && (c.place, c.id) < (chosen.place, chosen.id)
    }

    fn count(&mut self, events: &[Event]) {
        for event in events {
            let debug = format!("{event:?}");
            let end = debug.find(|c: char| !c.is_alphanumeric()).unwrap_or(debug.len());
            let name: &'static str = NAMES
                .iter()
                .find(|n| **n == &debug[..end])
                .unwrap_or_else(|| panic!("{} is not in the list of events", &debug[..end]));
            *self.tally.entry(name).or_default() += 1;
        }
    }

    fn any_contact(&mut self) -> ContactId {
        let ids: Vec<ContactId> = self.owner.contacts().map(|c| c.id).collect();
        if ids.is_empty() || self.rng.random_bool(0.02) {
            return ContactId(self.rng.random_range(0..self.owner.accepted() + 3));
        }
        *ids.choose(&mut self.rng).expect("not empty")
    }

    fn any_agent(&mut self) -> AgentId {
        AgentId(self.rng.random_range(0..AGENTS + 1))
    }

    fn any_reservation(&mut self) -> (ReservationId, AgentId, GatewayId) {
        let open: Vec<_> = self
            .owner
            .contacts()
            .filter_map(|c| Some((c.state.reservation()?, c.state.agent()?, c.gateway)))
            .collect();
        let none = (ReservationId(self.rng.random_range(0..9)), AgentId(0), GatewayId(0));
        let (r, a, g) = open.choose(&mut self.rng).copied().unwrap_or(none);
        match self.rng.random_range(0..40) {
            0 => (ReservationId(r.0.saturating_sub(3)), a, g),
            1 => (r, self.any_agent(), g),
            2 => (r, a, GatewayId(self.rng.random_range(0..GATEWAYS))),
            _ => (r, a, g),
        }
    }

    /// A contact in somebody's hands, and whose, mostly.
    fn any_assigned(&mut self) -> (ContactId, AgentId) {
        let held: Vec<_> = self
            .owner
            .contacts()
            .filter_map(|c| match c.state {
                State::Assigned { agent, .. } => Some((c.id, agent)),
                _ => None,
            })
            .collect();
        match held.choose(&mut self.rng) {
            Some((c, a)) if self.rng.random_bool(0.97) => (*c, *a),
            _ => (self.any_contact(), self.any_agent()),
        }
    }

    fn gateway_command(&mut self, contact: ContactId, report: Report) -> Command {
        let owner = self.owner.contact(contact).map_or(GatewayId(0), |c| c.gateway);
        let stray = GatewayId(self.rng.random_range(0..GATEWAYS));
        let gateway = if self.rng.random_bool(0.98) { owner } else { stray };
        Command::Gateway { gateway, session: None, report }
    }

    fn arrival(&mut self) -> Command {
        self.keys += 1;
        let needs = if self.rng.random_bool(0.2) {
            let skill = SkillId(self.rng.random_range(0..SKILLS));
            [Need { skill, at_least: self.rng.random_range(1..=5) }].into_iter().collect()
        } else {
            [].into_iter().collect()
        };
        let key = if self.rng.random_bool(0.02) { self.keys.saturating_sub(5) } else { self.keys };
        let report = Report::Arrived(Arrival {
            key: Arc::from(format!("key-{key}")),
            channel: *Channel::ALL.choose(&mut self.rng).expect("four"),
            queue: QueueId(self.rng.random_range(0..QUEUES)),
            entry_point: self.rng.random_bool(0.5).then_some(EntryPointId(0)),
            needs,
            head_start: Span::seconds(*[0, 0, 0, 10, 60].choose(&mut self.rng).expect("five")),
            safety: self.rng.random_bool(0.05),
            customer: None,
            continues: None,
            waited: Span::seconds(*[0, 0, 0, 0, 30].choose(&mut self.rng).expect("five")),
            attributes: None,
        });
        let gateway = GatewayId(self.rng.random_range(0..GATEWAYS));
        Command::Gateway { gateway, session: None, report }
    }

    fn availability(&mut self) -> Availability {
        match self.rng.random_range(0..12) {
            0 => Availability::SignedOut,
            1 | 2 => Availability::NotReady(ReasonId(self.rng.random_range(1..5))),
            _ => Availability::Ready,
        }
    }

    fn agent_command(&mut self) -> Command {
        let (contact, agent) = self.any_assigned();
        let target = if self.rng.random_bool(0.5) {
            Target::Queue(QueueId(self.rng.random_range(0..QUEUES)))
        } else {
            Target::Agent(self.any_agent())
        };
        let lasting = Span::seconds(self.rng.random_range(1..40));
        let disposition = DispositionId(self.rng.random_range(0..3));
        let act = match self.rng.random_range(0..30) {
            0..=10 => Act::Complete { contact, disposition: None },
            11 => Act::Complete { contact, disposition: Some(disposition) },
            12 => Act::Code { contact, disposition },
            13 | 14 => Act::Requeue(contact),
            15..=17 => Act::Transfer { contact, to: target },
            18..=21 => Act::Consult { contact, to: target },
            22 | 23 => return self.complete_consult_command(),
            24 => Act::CancelConsult(contact),
            25..=27 => Act::Pend { contact, on: WaitsFor::Customer, lasting },
            _ => return self.wrap_up_command(),
        };
        Command::Agent { agent, session: None, act }
    }

    fn complete_consult_command(&mut self) -> Command {
        let joined: Vec<_> = self
            .owner
            .contacts()
            .filter(|c| {
                let child = c.consult.and_then(|child| self.owner.contact(child));
                child.is_some_and(|child| child.state.kind() == StateKind::Assigned)
            })
            .filter_map(|c| Some((c.id, c.state.agent()?)))
            .collect();
        let found = joined.choose(&mut self.rng).copied();
        let (contact, agent) = found.unwrap_or_else(|| self.any_assigned());
        Command::Agent { agent, session: None, act: Act::CompleteConsult(contact) }
    }

    fn wrap_up_command(&mut self) -> Command {
        let agent = self.any_agent();
        let work = self.owner.agent(agent).and_then(|a| a.work.first().copied());
        let contact = work.map_or(ContactId(1), |w| w.contact);
        Command::Agent { agent, session: None, act: Act::EndWrapUp(contact) }
    }

    fn availability_command(&mut self) -> Command {
        let agent = self.any_agent();
        let to = self.availability();
        let act = match self.rng.random_range(0..5) {
            0 => Act::Next(Some(to)),
            1 => Act::Next(None),
            _ => Act::Become(to),
        };
        Command::Agent { agent, session: None, act }
    }

    fn leg_command(&mut self) -> Command {
        let connecting: Vec<_> = self
            .owner
            .contacts()
            .filter(|c| c.state.kind() == StateKind::Connecting)
            .filter_map(|c| Some((c.state.reservation()?, c.gateway)))
            .collect();
        let (reservation, gateway) = match connecting.choose(&mut self.rng) {
            Some(found) if self.rng.random_bool(0.95) => *found,
            _ => {
                let (reservation, _, gateway) = self.any_reservation();
                (reservation, gateway)
            }
        };
        let outcomes = [LegOutcome::Answered, LegOutcome::Busy, LegOutcome::Unreachable];
        let outcome = *outcomes.choose(&mut self.rng).expect("three");
        let party = if self.rng.random_bool(0.7) { Party::Agent } else { Party::Customer };
        let report = if self.rng.random_bool(0.8) {
            Report::Bridged(reservation)
        } else {
            Report::Leg { reservation, party, outcome, code: 486 }
        };
        Command::Gateway { gateway, session: None, report }
    }

    fn effect_command(&mut self) -> Command {
        let pending: Vec<_> = self
            .owner
            .contacts()
            .flat_map(|c| c.effects.iter().map(move |(e, _)| (*e, c.gateway)))
            .collect();
        let (effect, gateway) =
            pending.choose(&mut self.rng).copied().unwrap_or((EffectId(1), GatewayId(0)));
        let report = if self.rng.random_bool(0.7) {
            Report::EffectDone(effect)
        } else {
            Report::EffectFailed { effect, code: 503 }
        };
        Command::Gateway { gateway, session: None, report }
    }

    fn report_command(&mut self) -> Command {
        let contact = self.any_contact();
        let report = match self.rng.random_range(0..10) {
            0..=3 => Report::CustomerLeft(contact),
            4..=6 => Report::Input(contact),
            7 => Report::Hold { contact, on: self.rng.random_bool(0.5) },
            8 => Report::Attributes {
                contact,
                attributes: [("lot".into(), "A7".into())].into_iter().collect(),
            },
            _ => Report::Recording {
                contact,
                reference: Arc::from("rec-1"),
                consent: Consent::Given,
            },
        };
        self.gateway_command(contact, report)
    }

    fn supervisor_command(&mut self) -> Command {
        let contact = self.any_contact();
        let order = match self.rng.random_range(0..6) {
            0 => Order::Move { contact, queue: QueueId(self.rng.random_range(0..QUEUES + 1)) },
            1 => Order::Requeue(contact),
            2 => Order::Reprioritise {
                contact,
                head_start: Span::seconds(self.rng.random_range(0..100)),
            },
            3 => Order::Close(contact),
            _ => Order::SetAgent { agent: self.any_agent(), to: self.availability() },
        };
        Command::Supervise { order, why: Arc::from("the simulation says so") }
    }

    fn connection_command(&mut self) -> Command {
        let agent = self.any_agent();
        let gateway = GatewayId(self.rng.random_range(0..GATEWAYS));
        let g = self.owner.gateway(gateway).expect("known");
        let (name, session) = (g.name.clone(), g.session.unwrap_or(SessionId(1)));
        let of_agent = self.owner.agent(agent).map(|a| a.presence);
        match self.rng.random_range(0..24) {
            0..=5 => match of_agent {
                Some(surgeline::engine::agent::Presence::Connected(session)) => {
                    Command::DisconnectAgent { agent, session }
                }
                _ => Command::DisconnectAgent { agent, session: SessionId(3) },
            },
            6..=19 => Command::ConnectAgent(agent),
            20 => Command::DisconnectGateway { gateway, session },
            21 => Command::ConnectGateway { name, limits: GatewayLimits::default() },
            22 if self.rng.random_bool(0.1) => {
                self.at = self.at + Span::seconds(60);
                Command::Restart(Span::seconds(60))
            }
            _ => self.holding(gateway),
        }
    }

    /// A gateway says what it still holds: nearly all, and something unheard of.
    fn holding(&mut self, gateway: GatewayId) -> Command {
        let held: Vec<_> = self
            .owner
            .contacts()
            .filter(|c| c.gateway == gateway && !c.key.is_empty())
            .map(|c| c.key.clone())
            .collect();
        let mut keys: Vec<_> = held.into_iter().filter(|_| self.rng.random_bool(0.9)).collect();
        keys.push(Arc::from("unheard-of"));
        let report = Report::Holding { keys, last: self.rng.random_bool(0.8) };
        Command::Gateway { gateway, session: None, report }
    }

    fn random_command(&mut self) -> Command {
        match self.rng.random_range(0..100) {
            0..=17 => self.arrival(),
            18..=37 => {
                let (reservation, agent, _) = self.any_reservation();
                let act = if self.rng.random_bool(0.9) {
                    Act::Accept(reservation)
                } else {
                    Act::Decline(reservation)
                };
                Command::Agent { agent, session: None, act }
            }
            38..=49 => self.leg_command(),
            50..=52 => self.effect_command(),
            53..=68 => self.agent_command(),
            69..=74 => self.report_command(),
            75..=83 => self.availability_command(),
            84..=86 => self.supervisor_command(),
            87..=90 => self.connection_command(),
            _ => Command::Tick,
        }
    }

    fn run(&mut self, steps: u64) {
        for _ in 0..steps {
            self.at = self.at + Span::millis(self.rng.random_range(0..400));
            let command = self.random_command();
            self.step(&command);
            // As the shard does: what is due comes before what is asked next, mostly.
            while self.owner.next_tick().is_some_and(|due| due <= self.at)
                && self.rng.random_bool(0.9)
            {
                self.step(&Command::Tick);
            }
        }
    }
}

/// Every event there is. A new one has to be reached by the simulation too.
const NAMES: &[&str] = &[
    "Restarted",
    "Configured",
    "Ordered",
    "GatewayRegistered",
    "GatewayConnected",
    "GatewayLost",
    "GatewayResynced",
    "Detached",
    "Reattached",
    "Arrived",
    "Queued",
    "OpenedToAll",
    "PassOverEnded",
    "Reprioritised",
    "Reserved",
    "NotTaken",
    "Accepted",
    "EffectAsked",
    "EffectSettled",
    "LegReported",
    "Bridged",
    "ConnectFailed",
    "Pended",
    "InputReceived",
    "AttributesSet",
    "HoldChanged",
    "RecordingNoted",
    "Coded",
    "ConsultStarted",
    "HandedOver",
    "Closed",
    "WrapUpEnded",
    "AgentConnected",
    "AgentLost",
    "AvailabilityChanged",
    "NextSet",
    "PhoneUnreachable",
];

#[test]
fn random_histories_hold_every_promise() {
    let seeds: Vec<u64> = match std::env::var("SURGELINE_SEED") {
        Ok(seed) => vec![seed.parse().expect("SURGELINE_SEED is a number")],
        Err(_) => (1..=20).collect(),
    };
    let (mut commands, mut refused, mut closed) = (0, 0, 0);
    let mut reached = BTreeSet::new();
    for seed in &seeds {
        let mut world = World::new(*seed);
        world.run(11_000);
        commands += 11_000;
        refused += world.refused;
        closed += world.owner.in_state(StateKind::Closed);
        reached.extend(world.tally.keys().copied());
        println!("seed {seed}: {:?}", world.tally);
    }
    println!("{commands} commands, {refused} refused, {closed} contacts closed");
    if seeds.len() > 1 {
        let missing: Vec<_> = NAMES.iter().filter(|n| !reached.contains(**n)).collect();
        assert!(missing.is_empty(), "never reached: {missing:?}");
        assert!(closed > commands / 20, "hardly any contact lived its whole life");
    }
}
