//! Random commands: mostly what makes sense now, sometimes what does not.

use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;

use surgeline::engine::agent::Presence;
use surgeline::engine::command::{Act, Arrival, Command, Order, Report, Target};
use surgeline::engine::contact::{State, StateKind};
use surgeline::engine::routing::Routing;
use surgeline::engine::words::{Availability, Channel, Consent, LegOutcome, Need, Party, WaitsFor};
use surgeline::ids::{
    AgentId, ContactId, DispositionId, EffectId, EntryPointId, GatewayId, QueueId, ReasonId,
    ReservationId, SessionId, SkillId,
};
use surgeline::time::Span;

use super::{AGENTS, GATEWAYS, QUEUES, SKILLS, World, life, policies};

impl World {
    pub(super) fn any_contact(&mut self) -> ContactId {
        let ids: Vec<ContactId> = self.owner.contacts().map(|c| c.id).collect();
        if ids.is_empty() || self.rng.random_bool(0.02) {
            return ContactId(self.rng.random_range(0..self.owner.accepted() + 3));
        }
        *ids.choose(&mut self.rng).expect("not empty")
    }

    pub(super) fn any_agent(&mut self) -> AgentId {
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
    pub(super) fn any_assigned(&mut self) -> (ContactId, AgentId) {
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

    pub(super) fn gateway_command(&mut self, contact: ContactId, report: Report) -> Command {
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
        let (preferred, language, customer) = self.brings();
        let (continues, attributes) = self.goes_on();
        let key = if self.rng.random_bool(0.02) { self.keys.saturating_sub(5) } else { self.keys };
        let report = Report::Arrived(Arrival {
            key: Arc::from(format!("key-{key}")),
            channel: *Channel::ALL.choose(&mut self.rng).expect("four"),
            queue: QueueId(self.rng.random_range(0..QUEUES)),
            entry_point: self
                .rng
                .random_bool(0.7)
                .then(|| EntryPointId(self.rng.random_range(0..3))),
            needs,
            preferred,
            head_start: Span::seconds(*[0, 0, 0, 10, 60].choose(&mut self.rng).expect("five")),
            safety: self.rng.random_bool(0.05),
            customer,
            continues,
            waited: Span::seconds(*[0, 0, 0, 0, 30].choose(&mut self.rng).expect("five")),
            attributes,
            language,
            heed: self.any_heed(),
            number_confirmed: self.rng.random_bool(0.2),
            content: 0,
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
            28 => return self.together_command(),
            _ => return self.wrap_up_command(),
        };
        Command::Agent { agent, session: None, act }
    }

    fn complete_consult_command(&mut self) -> Command {
        self.joined_command(|contact, _| Act::CompleteConsult(contact))
    }

    /// Something that an agent does whose consult is joined.
    pub(super) fn joined_command(&mut self, act: fn(ContactId, AgentId) -> Act) -> Command {
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
        Command::Agent { agent, session: None, act: act(contact, agent) }
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
        let report = if self.rng.random_bool(0.9) {
            Report::EffectDone(effect)
        } else {
            Report::EffectFailed { effect, code: 503 }
        };
        Command::Gateway { gateway, session: None, report }
    }

    fn report_command(&mut self) -> Command {
        let contact = self.any_contact();
        if self.rng.random_ratio(1, 12) {
            return self.feedback();
        }
        let report = match self.rng.random_range(0..10) {
            0..=3 => Report::CustomerLeft(contact),
            4..=6 => Report::Input { contact, heard: self.heard() },
            7 => Report::Hold { contact, on: self.rng.random_bool(0.5) },
            8 if self.rng.random_bool(0.5) => {
                Report::Attributes { contact, attributes: self.about() }
            }
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

    /// Queues and agents come and go, and what they need and can do changes.
    fn configure_command(&mut self) -> Command {
        let mut routing = Routing::clone(self.owner.routing());
        let queue = self.rng.random_range(0..routing.queues.len());
        let agent = self.rng.random_range(0..routing.agents.len());
        match self.rng.random_range(0..12) {
            6..=11 => life::edit(&mut self.rng, &mut routing, self.speaks),
            0 => routing.queues[queue].retired ^= true,
            4 => {
                let shares = routing.queues.iter().any(|q| q.policy.share > 0);
                routing.queues[queue].policy = policies::queue(&mut self.rng, shares);
            }
            3 => routing.sharings = policies::sharings(&mut self.rng),
            5 => routing.settings.contact_choice = policies::contact_choice(&mut self.rng),
            1 => routing.agents[agent].retired ^= true,
            2 => {
                let skill = SkillId(self.rng.random_range(0..SKILLS));
                routing.queues[queue].needs = [Need { skill, at_least: 2 }].into_iter().collect();
            }
            _ => {
                let other = self.rng.random_range(0..routing.agents.len());
                routing.agents[agent].skills = routing.agents[other].skills.clone();
                routing.agents[agent].primary = routing.agents[other].primary;
            }
        }
        Command::Reload { routing: Arc::new(routing), why: Arc::from("the simulation says so") }
    }

    /// The command as it comes on a stream: mostly the one in force, sometimes an old one.
    fn on_stream(&mut self, command: Command) -> Command {
        let old = self.rng.random_bool(0.1);
        let fence = |now: Option<SessionId>| match now {
            Some(s) if old => Some(SessionId(s.0.saturating_sub(1))),
            now => now,
        };
        match command {
            Command::Agent { agent, act, .. } => {
                let now = match self.owner.agent(agent).map(|a| a.presence) {
                    Some(Presence::Connected(session)) => Some(session),
                    _ => None,
                };
                Command::Agent { agent, session: fence(now), act }
            }
            Command::Gateway { gateway, report, .. } => {
                let now = self.owner.gateway(gateway).and_then(|g| g.session);
                Command::Gateway { gateway, session: fence(now), report }
            }
            other => other,
        }
    }

    fn connection_command(&mut self) -> Command {
        let agent = self.any_agent();
        let gateway = GatewayId(self.rng.random_range(0..GATEWAYS));
        let g = self.owner.gateway(gateway).expect("known");
        let (name, session) = (g.name.clone(), g.session.unwrap_or(SessionId(1)));
        let of_agent = self.owner.agent(agent).map(|a| a.presence);
        match self.rng.random_range(0..24) {
            0..=5 => match of_agent {
                Some(Presence::Connected(session)) => Command::DisconnectAgent { agent, session },
                _ => Command::DisconnectAgent { agent, session: SessionId(3) },
            },
            6..=19 => Command::ConnectAgent(agent),
            20 => Command::DisconnectGateway { gateway, session },
            21 => Command::ConnectGateway { name, limits: super::limits(gateway.0) },
            22 if self.rng.random_bool(0.1) => {
                self.at = self.at + Span::seconds(60);
                let missed = Span::seconds(*[0, 0, 40, 7_200].choose(&mut self.rng).expect("four"));
                Command::Restart { gap: Span::seconds(60), missed }
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
        let of = |a: &surgeline::engine::agent::Agent| {
            let calls = a.outside.iter().filter(|call| call.gateway == gateway);
            calls.map(|call| call.key.clone()).collect::<Vec<_>>()
        };
        let calls: Vec<_> = self.owner.agents().flat_map(of).collect();
        let calls: Vec<_> = calls.into_iter().filter(|_| self.rng.random_bool(0.5)).collect();
        let mut keys: Vec<_> = held.into_iter().filter(|_| self.rng.random_bool(0.9)).collect();
        keys.extend(calls);
        keys.push(Arc::from("unheard-of"));
        let report = Report::Holding { keys, last: self.rng.random_bool(0.8) };
        Command::Gateway { gateway, session: None, report }
    }

    pub(super) fn random_command(&mut self) -> Command {
        let command = self.unfenced_command();
        if self.rng.random_bool(0.5) { self.on_stream(command) } else { command }
    }

    fn unfenced_command(&mut self) -> Command {
        let open = self.owner.bulks().any(|b| b.over.is_none());
        if self.rng.random_bool(if open { 0.4 } else { 0.1 }) {
            return self.people_command();
        }
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
            50..=53 => self.effect_command(),
            54..=59 => self.callback_command(),
            60..=68 => self.agent_command(),
            69..=74 => self.report_command(),
            75..=82 => self.availability_command(),
            83 => self.life_command(),
            84..=86 => self.supervisor_command(),
            87..=90 if self.rng.random_bool(0.04) => self.configure_command(),
            87..=90 => self.connection_command(),
            91..=95 => self.recall_command(),
            // Space comes back sooner than it goes.
            96 => Command::PauseReservations(self.rng.random_bool(0.1)),
            _ => Command::Tick,
        }
    }
}
