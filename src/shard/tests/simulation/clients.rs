//! What clients do: mostly what makes sense, by a seed, and again when they got no answer.

use rand::RngExt;
use rand::seq::IndexedRandom;
use tokio::sync::oneshot;

use super::ledger::{Again, Asked};
use super::life::Life;
use super::{AGENTS, World};
use crate::engine::command::{Act, Command, Report};
use crate::engine::entry::Role;
use crate::engine::words::{Availability, WaitsFor};
use crate::ids::{AgentId, ContactId, GatewayId, RequestId, SessionId};
use crate::shard::ask::{AnswerTo, Ask};
use crate::shard::tests::bench::{actor, arrival};
use crate::time::Span;

const GATEWAY: GatewayId = GatewayId(0);

fn gateway(report: Report) -> Command {
    Command::Gateway { gateway: GATEWAY, session: None, report }
}

impl World {
    /// The gateway makes itself known to a process.
    pub(super) fn greet(&mut self) {
        let Some(life) = &self.life else { return };
        life.submit(untracked(Role::Gateway, Command::RegisterGateway("switch".into())));
    }

    pub(super) fn clients_act(&mut self) {
        match self.rng.random_range(0..100) {
            0..30 => {
                let command = self.arrives();
                self.ask(Role::Gateway, command);
            }
            30..36 => {
                if let Some(contact) = self.ledger.contacts.choose(&mut self.rng).copied() {
                    self.ask(Role::Gateway, gateway(Report::CustomerLeft(contact)));
                }
            }
            36..54 => self.comes_or_is_ready(),
            54..76 => self.answers_an_offer(),
            76..92 => self.goes_on_with_a_contact(),
            92..94 => self.hangs_up_the_line(),
            _ => self.ask_again(1),
        }
    }

    fn arrives(&mut self) -> Command {
        self.requests += 1;
        let key = u64::try_from(self.requests).unwrap_or(u64::MAX);
        match arrival((GATEWAY, SessionId(0)), key) {
            Command::Gateway { report, .. } => gateway(report),
            other => other,
        }
    }

    /// Asks the newest process, under a request id of its own.
    fn ask(&mut self, role: Role, command: Command) {
        self.requests += 1;
        let request = RequestId { id: self.requests, content: 7 };
        let again = Again { request, role, command };
        self.tell(|| format!("asked as {}: {:?}", again.request.id, again.command));
        if let Some(life) = &self.life {
            self.ledger.asked.push(submit(life, again));
        }
    }

    /// Somebody who has not heard of the new process asks the old one.
    pub(super) fn ask_the_old(&mut self) {
        let command = self.arrives();
        self.requests += 1;
        let request = RequestId { id: self.requests, content: 7 };
        let again = Again { request, role: Role::Gateway, command };
        self.tell(|| format!("asked the old process as {}", again.request.id));
        if let Some(old) = &self.old {
            self.ledger.asked.push(submit(old, again));
        }
    }

    /// Asks once more what was not answered, under the same request id.
    pub(super) fn ask_again(&mut self, most: usize) {
        let Some(life) = &self.life else { return };
        let most = most.min(self.ledger.unknown.len());
        for again in self.ledger.unknown.drain(..most).collect::<Vec<_>>() {
            self.seen.again += 1;
            self.ledger.asked.push(submit(life, again));
        }
    }

    fn act(&mut self, agent: AgentId, act: Act) {
        let desk = self.life.as_ref().and_then(|life| life.desks.get(&agent));
        let Some(session) = desk.and_then(|desk| desk.session) else { return };
        self.ask(Role::Agent, Command::Agent { agent, session: Some(session), act });
    }

    fn comes_or_is_ready(&mut self) {
        let agent = AgentId(self.rng.random_range(0..AGENTS));
        let Some(life) = &mut self.life else { return };
        if life.desks.contains_key(&agent) {
            self.act(agent, Act::Become(Availability::Ready));
        } else {
            life.connect(agent);
            self.tell(|| format!("agent {agent} comes"));
        }
    }

    /// An agent, and something of what is before them.
    fn anyone<T>(&mut self, of: impl Fn(&super::life::Desk) -> Vec<T>) -> Option<(AgentId, T)> {
        let desks = self.life.iter().flat_map(|life| &life.desks);
        let mut all: Vec<(AgentId, T)> =
            desks.flat_map(|(agent, desk)| of(desk).into_iter().map(|t| (*agent, t))).collect();
        if all.is_empty() {
            return None;
        }
        let at = self.rng.random_range(0..all.len());
        Some(all.swap_remove(at))
    }

    fn answers_an_offer(&mut self) {
        let offers = self.anyone(|desk| desk.offers.values().copied().collect());
        let Some((agent, reservation)) = offers else { return };
        let takes = self.chance(85);
        self.act(agent, if takes { Act::Accept(reservation) } else { Act::Decline(reservation) });
    }

    fn goes_on_with_a_contact(&mut self) {
        let held = self.anyone(|desk| desk.has.iter().copied().collect::<Vec<ContactId>>());
        let Some((agent, contact)) = held else { return };
        let act = match self.rng.random_range(0..10) {
            0..5 => Act::Complete { contact, disposition: None },
            5..8 => {
                let lasting = Span::seconds(self.rng.random_range(1..60));
                Act::Pend { contact, on: WaitsFor::Customer, lasting }
            }
            _ => Act::Requeue(contact),
        };
        self.act(agent, act);
    }

    /// An agent's stream is gone; the edge says so.
    fn hangs_up_the_line(&mut self) {
        let agent = AgentId(self.rng.random_range(0..AGENTS));
        let Some(life) = &mut self.life else { return };
        let Some(session) = life.desks.remove(&agent).and_then(|desk| desk.session) else { return };
        life.submit(untracked(Role::Agent, Command::DisconnectAgent { agent, session }));
        self.tell(|| format!("agent {agent} is gone"));
    }
}

fn untracked(role: Role, command: Command) -> Ask {
    Ask {
        actor: actor(role),
        request: None,
        command,
        sealed: None,
        attach: None,
        answer_to: AnswerTo::Nobody,
    }
}

fn submit(life: &Life, again: Again) -> Asked {
    let (answer, waiting) = oneshot::channel();
    let Again { request, role, command } = again.clone();
    life.submit(Ask {
        request: Some(request),
        answer_to: AnswerTo::Call(answer),
        ..untracked(role, command)
    });
    Asked { life: life.number, too_late: life.superseded, again, waiting }
}
