//! What is known of one contact so far: what its row is made of, and what it takes to go on.
//!
//! Kept in memory while something is still to come, and stored with every transaction, so
//! that a restart goes on in the middle of a contact's life.

use serde::{Deserialize, Serialize};

use super::record::Spell;
use crate::engine::words::{EndReason, ServiceClass};
use crate::ids::{AgentId, QueueId};
use crate::time::{EngineTime, Span, WallTime};

/// One contact.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Work {
    /// No customer is at its end.
    pub(super) consult: bool,
    /// The customer is called back: their wait is counted apart.
    pub(super) callback: bool,
    pub(super) arrived_us: u64,
    pub(super) waited_before_us: u64,
    pub(super) queue_first: Option<u16>,
    pub(super) queue: Option<u16>,
    /// In the order of [`ServiceClass::ALL`].
    pub(super) service: Option<u8>,
    pub(super) recall: Option<u16>,
    pub(super) attributes: Option<String>,
    pub(super) answered: Option<Moment>,
    pub(super) answered_queue: Option<u16>,
    pub(super) ended: Option<Moment>,
    /// In the order of [`EndReason::ALL`].
    pub(super) end_reason: Option<u8>,
    pub(super) disposition: Option<u16>,
    /// Until the first answer, or the end without one.
    pub(super) wait_us: Option<u64>,
    /// The same of one who was called back instead of waiting on the line.
    pub(super) callback_wait_us: Option<u64>,
    pub(super) talk_us: u64,
    pub(super) hold_us: u64,
    pub(super) wrap_up_us: u64,
    pub(super) agent_first: Option<u32>,
    pub(super) agent_last: Option<u32>,
    pub(super) counts: Counts,
    /// With whom it is, since when.
    pub(super) with: Option<(u32, u64)>,
    /// On hold since then.
    pub(super) hold: Option<u64>,
    /// Who has work after it, since when, for which queue, and when that was by the wall clock.
    pub(super) wrapping: Vec<(u32, u64, Option<u16>, u64)>,
    /// Since when it is with its agent, or on hold there, without a change.
    pub(super) spell: Option<Moment>,
    /// The wait that is going on.
    pub(super) visit: Option<Visit>,
    /// In self-service since then, by engine time.
    pub(super) stay: Option<u64>,
}

/// A wait in a queue, from entering it until it is answered, left, or ended otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Visit {
    pub(super) queue: u16,
    pub(super) since_us: u64,
    /// For our call, not on the line.
    #[serde(default)]
    pub(super) callback: bool,
}

/// A moment on both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Moment {
    pub(super) us: u64,
    pub(super) ms: u64,
}

/// How often things happened to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) offers: u32,
    pub(super) not_taken: u32,
    pub(super) connect_failures: u32,
    pub(super) transfers: u32,
    pub(super) requeues: u32,
    pub(super) moves: u32,
    pub(super) pends: u32,
    pub(super) hand_overs: u32,
    pub(super) entered: u32,
    pub(super) returned: u32,
    pub(super) solved: u32,
}

/// A time that an agent spent on a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spent {
    pub(super) agent: AgentId,
    pub(super) talk: Span,
    pub(super) hold: Span,
}

impl Work {
    pub(super) fn waited(&self, at: EngineTime) -> Span {
        let since = at.since(EngineTime(self.arrived_us)).0;
        Span(since.saturating_add(self.waited_before_us))
    }

    pub(super) fn queue(&self) -> Option<QueueId> {
        self.queue.map(QueueId)
    }

    pub(super) fn service(&self) -> Option<ServiceClass> {
        ServiceClass::ALL.get(usize::from(self.service?)).copied()
    }

    pub(super) fn reason(&self) -> Option<EndReason> {
        EndReason::ALL.get(usize::from(self.end_reason?)).copied()
    }

    /// Nothing more is expected of it.
    pub(super) fn is_over(&self) -> bool {
        self.ended.is_some() && self.wrapping.is_empty()
    }

    /// An agent has it now.
    pub(super) fn taken(&mut self, agent: AgentId, at: EngineTime) {
        self.with = Some((agent.0, at.0));
        self.agent_first.get_or_insert(agent.0);
        self.agent_last = Some(agent.0);
    }

    /// The agent who has it lets go; what they spent on it, if anyone had it.
    pub(super) fn let_go(&mut self, at: EngineTime) -> Option<Spent> {
        let (agent, since) = self.with.take()?;
        let hold = self.held(at);
        let talk = at.since(EngineTime(since));
        self.talk_us += talk.0;
        Some(Spent { agent: AgentId(agent), talk, hold })
    }

    /// A hold ends, if there is one; how long it was.
    fn held(&mut self, at: EngineTime) -> Span {
        let Some(since) = self.hold.take() else { return Span::ZERO };
        let held = at.since(EngineTime(since));
        self.hold_us += held.0;
        held
    }

    /// On hold, or back; how long the hold was that ended. A gateway's hold while nobody has
    /// the contact is waiting.
    pub(super) fn holds(&mut self, on: bool, at: EngineTime) -> Span {
        if on && self.with.is_none() {
            return Span::ZERO;
        }
        if on {
            self.hold.get_or_insert(at.0);
            return Span::ZERO;
        }
        self.held(at)
    }

    /// An agent has work after it from now on.
    pub(super) fn wraps(&mut self, agent: AgentId, now: Moment) {
        self.wrapping.push((agent.0, now.us, self.queue, now.ms));
    }

    /// The work after it ended: how long it was, and for which queue.
    pub(super) fn wrapped(
        &mut self,
        agent: AgentId,
        at: EngineTime,
    ) -> Option<(Spell, Option<QueueId>)> {
        let place = self.wrapping.iter().position(|(whose, ..)| *whose == agent.0)?;
        let (_, since, queue, began) = self.wrapping.swap_remove(place);
        let spent = at.since(EngineTime(since));
        self.wrap_up_us += spent.0;
        Some((Spell { began: WallTime(began), lasted: spent }, queue.map(QueueId)))
    }

    /// How long the wait that is going on has lasted. One that no agent has answered yet began
    /// with the customer's own waiting; a later one when they began to wait again.
    pub(super) fn visited(&self, visit: Visit, at: EngineTime) -> Span {
        match self.answered {
            None => self.waited(at),
            Some(_) => at.since(EngineTime(visit.since_us)),
        }
    }
}
