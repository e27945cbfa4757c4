//! One process: the shard's real owner, writer and recovery, driven step by step on one thread,
//! and the agents who are connected to it.
//!
//! It notices what no process may do, whatever its clients know: say anything after its journal
//! failed or another has taken over, and hold a contact for two agents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Broken;
use super::disk::{Bug, FaultyJournal};
use crate::engine::command::Reply;
use crate::engine::directive::{Directive, Tell};
use crate::engine::entry::Role;
use crate::ids::{AgentId, ContactId, ReservationId, SessionId};
use crate::shard::ask::{AnswerTo, Ask, Outbox, OutboxReceiver, Outgoing, outbox};
use crate::shard::owner::Round;
use crate::shard::recovery::Prepared;
use crate::shard::testing::{Recorded, machine};
use crate::shard::tests::bench::actor;
use crate::time::{EngineTime, Span};

/// What an agent has on their screen.
pub(super) struct Desk {
    end: OutboxReceiver,
    pub(super) session: Option<SessionId>,
    pub(super) offers: BTreeMap<ContactId, ReservationId>,
    pub(super) has: BTreeSet<ContactId>,
}

pub(super) struct Life {
    parts: Prepared<FaultyJournal>,
    observer: Arc<Recorded>,
    pub(super) number: u32,
    /// What the machine's clock and the engine's showed at the start.
    began: (Duration, EngineTime),
    pub(super) desks: BTreeMap<AgentId, Desk>,
    /// Its journal failed.
    pub(super) failed: bool,
    /// Another process has begun an epoch since.
    pub(super) superseded: bool,
}

impl Life {
    pub(super) fn new(
        parts: Prepared<FaultyJournal>,
        observer: Arc<Recorded>,
        number: u32,
        began: (Duration, EngineTime),
    ) -> Self {
        let desks = BTreeMap::new();
        Self { parts, observer, number, began, desks, failed: false, superseded: false }
    }

    /// Engine time now, as the owner counts it.
    pub(super) fn now(&self) -> EngineTime {
        self.began.1 + Span::from(machine::elapsed().saturating_sub(self.began.0))
    }

    pub(super) fn submit(&self, ask: Ask) {
        self.parts.handle.submit(ask);
    }

    /// An agent opens a stream.
    pub(super) fn connect(&mut self, agent: AgentId) {
        let (out, end) = outbox();
        let desk = Desk { end, session: None, offers: BTreeMap::new(), has: BTreeSet::new() };
        self.desks.insert(agent, desk);
        self.submit(hello(agent, &out));
    }

    /// One round of the owner.
    pub(super) fn decide(&mut self) -> Round {
        self.parts.owner.round()
    }

    /// The writer takes one batch, if there is one.
    pub(super) fn write(&mut self, bug: Option<Bug>) -> bool {
        if self.failed {
            return false;
        }
        let Ok(mut work) = self.parts.writer.work.try_recv() else { return false };
        if bug == Some(Bug::AnswersFirst) {
            for release in work.releases.drain(..) {
                self.parts.writer.exits.release(release);
            }
        }
        self.failed = !self.parts.writer.write(work);
        true
    }

    /// Everybody reads what came.
    pub(super) fn hear(&mut self) -> Result<(), Broken> {
        let mut heard = 0;
        self.desks.retain(|_, desk| {
            let more = desk.hear();
            heard += more.0;
            more.1
        });
        if heard > 0 && self.failed {
            return Err(Broken::of("something was said after the journal failed"));
        }
        if heard > 0 && self.superseded {
            return Err(Broken::of("something was said by a process whose epoch is over"));
        }
        let mut holders: BTreeMap<ContactId, AgentId> = BTreeMap::new();
        for (agent, desk) in &self.desks {
            for contact in desk.offers.keys().chain(&desk.has) {
                if let Some(other) = holders.insert(*contact, *agent) {
                    let what = format!("contact {contact} is with agents {other} and {agent}");
                    return Err(Broken(what));
                }
            }
        }
        Ok(())
    }

    /// The process is gone, at once. Waits for the replica, which has followed it.
    pub(super) fn end(self) -> Result<(), Broken> {
        let Self { parts, observer, .. } = self;
        let Prepared { owner, writer, handle, replica, .. } = parts;
        drop((owner, writer, handle));
        if replica.is_some_and(|replica| replica.join().is_err()) {
            return Err(Broken::of("the replica panicked"));
        }
        match observer.diverged.load(Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(Broken::of("the replica's state was another than the owner's")),
        }
    }
}

fn hello(agent: AgentId, out: &Outbox) -> Ask {
    Ask {
        actor: actor(Role::Agent),
        request: None,
        command: crate::engine::command::Command::ConnectAgent(agent),
        sealed: None,
        attach: Some(out.clone()),
        answer_to: AnswerTo::Stream(out.clone(), "hello".into()),
    }
}

impl Desk {
    /// Reads all that came: how much, and whether the stream goes on.
    fn hear(&mut self) -> (usize, bool) {
        let mut heard = 0;
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match self.end.poll_recv(&mut context) {
                Poll::Pending => return (heard, true),
                Poll::Ready(None | Some(Outgoing::Over { .. })) => return (heard, false),
                Poll::Ready(Some(Outgoing::Answer { answer, .. })) => {
                    heard += usize::from(answer.is_ok());
                    if let Ok(Reply::Agent(session)) = answer {
                        self.session = Some(session);
                    }
                }
                Poll::Ready(Some(Outgoing::Directive(directive, _))) => {
                    heard += 1;
                    self.note(directive);
                }
            }
        }
    }

    fn note(&mut self, directive: Directive) {
        match directive.tell {
            Tell::Offer(offer) => {
                self.offers.insert(offer.contact, offer.reservation);
            }
            Tell::OfferOver { contact, .. } => {
                self.offers.remove(&contact);
            }
            Tell::Assigned(offer) => {
                self.offers.remove(&offer.contact);
                self.has.insert(offer.contact);
            }
            Tell::Released { contact, .. } | Tell::Ended { contact, .. } => {
                self.offers.remove(&contact);
                self.has.remove(&contact);
            }
            _ => {}
        }
    }
}
