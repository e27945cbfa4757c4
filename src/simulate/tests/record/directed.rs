//! What a day has that no scenario tells of: holds, transfers, consults, calls sent back, moved,
//! declined and closed, callbacks, lunch.
//!
//! Chosen by the numbers of contacts, looking at the room every few seconds; the same in every
//! run. What an order was meant to be is kept for the account, which sees only what came of it.

use std::collections::BTreeMap;

use crate::engine::Engine;
use crate::engine::callback::Wanted;
use crate::engine::command::{Act, Command, Order, Report, Target};
use crate::engine::contact::{Contact, State};
use crate::engine::words::Availability;
use crate::ids::{AgentId, ContactId, QueueId, ReasonId};
use crate::time::{EngineTime, Span};

use super::super::super::world::agent_does;

const SUPPORT: QueueId = QueueId(0);
const RECALL: QueueId = QueueId(1);
/// Nothing new is begun after it, so that everything ends.
const LATE: EngineTime = EngineTime(7 * 3_600_000_000);

const WHENEVER: Wanted = Wanted { window: None, hours: None };

/// What was meant by the last order about a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meant {
    /// Sent on by an agent, from a queue.
    Sent(AgentId, QueueId),
    /// Sent back by an agent.
    SentBack(AgentId),
    /// Moved by a supervisor.
    Moved,
    /// Declined.
    Declined,
}

/// How far one contact is.
#[derive(Clone, Copy, Default, Debug)]
struct Mind {
    /// Orders that were given about it.
    step: u8,
    /// Who has it, and since when that, or the last order, is.
    with: Option<AgentId>,
    since: EngineTime,
    /// The agent who was to complete it no longer will.
    ours: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Directed {
    pub(super) meant: BTreeMap<ContactId, Meant>,
    minds: BTreeMap<ContactId, Mind>,
    lunch: Option<(AgentId, EngineTime)>,
}

fn supervise(order: Order) -> Command {
    Command::Supervise { order, why: "the day has it so".into() }
}

fn reports(c: &Contact, report: Report) -> Command {
    Command::Gateway { gateway: c.gateway, session: None, report }
}

fn other(queue: QueueId) -> QueueId {
    if queue == SUPPORT { RECALL } else { SUPPORT }
}

impl Directed {
    /// What somebody does now.
    pub(super) fn look(&mut self, at: EngineTime, engine: &Engine) -> Option<Command> {
        if let Some(lunch) = self.at_lunch(at, engine) {
            return Some(lunch);
        }
        for c in engine.contacts().filter(|c| c.parent.is_none()) {
            let mut mind = self.minds.get(&c.id).copied().unwrap_or_default();
            let what = match c.state {
                State::Assigned { agent, .. } => {
                    if mind.with != Some(agent) {
                        (mind.with, mind.since) = (Some(agent), at);
                    }
                    self.in_hand(at, engine, c, agent, &mut mind)
                }
                _ => {
                    mind.with = None;
                    self.waiting(at, c, &mut mind)
                }
            };
            self.minds.insert(c.id, mind);
            // One at a time: what it changes is to be seen before the next.
            if what.is_some() {
                return what;
            }
        }
        None
    }

    fn in_hand(
        &mut self,
        at: EngineTime,
        engine: &Engine,
        c: &Contact,
        agent: AgentId,
        mind: &mut Mind,
    ) -> Option<Command> {
        let (contact, after) = (c.id, |seconds| at.since(mind.since) >= Span::seconds(seconds));
        let joined = c.consult.and_then(|child| engine.contact(child)).map(|child| child.state);
        let joined = matches!(joined, Some(State::Assigned { .. }));
        let does = |act| agent_does(agent, act);
        let (what, ours) = match (contact.0 % 12, mind.step) {
            (1, 0) if after(30) => (reports(c, Report::Hold { contact, on: true }), false),
            (1, 1) if after(20) => (reports(c, Report::Hold { contact, on: false }), false),
            (2, 0) if after(40) && at < LATE => {
                self.meant.insert(contact, Meant::Sent(agent, c.queue));
                (does(Act::Transfer { contact, to: Target::Queue(RECALL) }), true)
            }
            (3, 0) if after(40) && at < LATE => {
                self.meant.insert(contact, Meant::SentBack(agent));
                (does(Act::Requeue(contact)), true)
            }
            (4, 0) if after(30) && at < LATE => {
                (does(Act::Consult { contact, to: Target::Queue(RECALL) }), true)
            }
            (4, 1) if joined && after(60) && contact.0.is_multiple_of(8) => {
                (does(Act::CompleteConsult(contact)), true)
            }
            (4, 1) if after(150) => (does(Act::CancelConsult(contact)), true),
            (5, 0) if at < LATE => {
                let confirmed = true;
                (reports(c, Report::NumberConfirmed { contact, confirmed }), false)
            }
            (5, 1) if after(30) && at < LATE => {
                (does(Act::CallBack { contact, wanted: WHENEVER }), true)
            }
            (kind, _) if mind.ours && after(60) && (kind, mind.step) != (4, 1) => {
                (does(Act::Complete { contact, disposition: None }), true)
            }
            _ => return None,
        };
        mind.step = mind.step.saturating_add(1);
        (mind.since, mind.ours) = (at, mind.ours || ours);
        Some(what)
    }

    fn waiting(&mut self, at: EngineTime, c: &Contact, mind: &mut Mind) -> Option<Command> {
        let contact = c.id;
        let waits = c.state == State::Queued && c.silent().is_none();
        let long = at.since(c.arrived) >= Span::seconds(15);
        let what = match (c.state, contact.0 % 12) {
            // Nobody serves the queue in the night.
            _ if at >= LATE + Span::seconds(4_500) && (c.silent().is_some() || mind.ours) => {
                supervise(Order::Close(contact))
            }
            (State::Reserved { reservation, agent, .. }, 9) if mind.step == 0 => {
                self.meant.insert(contact, Meant::Declined);
                agent_does(agent, Act::Decline(reservation))
            }
            (_, 7) if mind.step == 1 && c.silent().is_some() && contact.0 % 24 == 7 => {
                if c.state.agent().is_some() {
                    return None;
                }
                reports(c, Report::CallbackCancelled(contact))
            }
            _ if !waits || !long || mind.step > 0 || at >= LATE => return None,
            (_, 6) => {
                self.meant.insert(contact, Meant::Moved);
                supervise(Order::Move { contact, queue: other(c.queue) })
            }
            (_, 7) => {
                let (confirmed, wanted) = (true, WHENEVER);
                reports(c, Report::CallbackWanted { contact, confirmed, wanted })
            }
            (_, 8) => supervise(Order::Close(contact)),
            _ => return None,
        };
        mind.step += 1;
        Some(what)
    }

    /// Each hour one who has nothing to do goes, for ten minutes.
    fn at_lunch(&mut self, at: EngineTime, engine: &Engine) -> Option<Command> {
        let lunch = Availability::NotReady(lunch(engine));
        if let Some((agent, _)) = self.lunch.filter(|(_, until)| *until <= at) {
            self.lunch = None;
            let there = engine.agent(agent).is_some_and(|a| a.availability == lunch);
            return there.then(|| agent_does(agent, Act::Become(Availability::Ready)));
        }
        let due = at.0 % 3_600_000_000 < 600_000_000 && self.lunch.is_none();
        let free = |a: &&crate::engine::agent::Agent| {
            a.availability == Availability::Ready && a.work.is_empty()
        };
        let agent = engine.agents().filter(|_| due).find(free).map(|a| a.id)?;
        self.lunch = Some((agent, at + Span::seconds(600)));
        Some(agent_does(agent, Act::Become(lunch)))
    }
}

fn lunch(engine: &Engine) -> ReasonId {
    let reasons = &engine.routing().not_ready_reasons;
    let found = reasons.iter().position(|r| &*r.name == "lunch");
    ReasonId(u16::try_from(found.expect("the day has lunch")).expect("few"))
}
