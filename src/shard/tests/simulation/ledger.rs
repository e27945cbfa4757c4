//! What clients know, outside the router, and what the journal is held against it.
//!
//! The **ledger** has what was asked and what came of it, as the clients were told. The
//! **witness** is an engine of its own that follows the journal from its beginning, never
//! from a snapshot, and never decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::Broken;
use crate::engine::Engine;
use crate::engine::command::{Command, Reply};
use crate::engine::entry::{Entry, Role};
use crate::engine::event::Event;
use crate::engine::invariant::Violation;
use crate::engine::words::Key;
use crate::ids::{ContactId, RequestId};
use crate::journal::snapshot::Snapshot;
use crate::journal::snapshot::seen::Seen;
use crate::journal::{Batch, Tip};
use crate::shard::ask::{Answer, Rejection};
use crate::time::{EngineTime, Span, WallTime};

/// How late what is due may be done: ticks that found nothing rest for a moment.
const LATE: Span = Span::seconds(1);

/// Something asked under a request id, whose answer is waited for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) life: u32,
    /// The process that it was asked of had lost its epoch before.
    pub(super) too_late: bool,
    pub(super) again: Again,
    pub(super) waiting: oneshot::Receiver<Answer>,
}

/// What it takes to ask the same once more.
#[derive(Clone, Debug)]
pub(super) struct Again {
    pub(super) request: RequestId,
    pub(super) role: Role,
    pub(super) command: Command,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) asked: Vec<Asked>,
    acknowledged: BTreeMap<u128, Reply>,
    refused: BTreeSet<u128>,
    /// Asked of a process that died or stopped before it answered.
    pub(super) unknown: Vec<Again>,
    /// Contacts that were acknowledged.
    pub(super) contacts: Vec<ContactId>,
}

impl Ledger {
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }

    /// Reads every answer that came. `mute` has said its last word.
    pub(super) fn read(&mut self, mute: impl Fn(u32) -> bool) -> Result<(), Broken> {
        for mut asked in std::mem::take(&mut self.asked) {
            match asked.waiting.try_recv() {
                Err(TryRecvError::Empty) => self.asked.push(asked),
                Err(TryRecvError::Closed) | Ok(Err(Rejection::Stopping)) => {
                    self.unknown.push(asked.again);
                }
                Ok(answer) => {
                    if mute(asked.life) {
                        let what = "an answer was given after the journal failed";
                        return Err(Broken::of(what));
                    }
                    self.note(asked.again.request.id, asked.too_late, answer)?;
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, request: u128, too_late: bool, answer: Answer) -> Result<(), Broken> {
        match answer {
            Ok(_) if too_late => {
                Err(Broken::of("a process acknowledged what it was asked after its epoch was over"))
            }
            Ok(reply) => {
                if let Reply::Contact(contact) = reply {
                    self.contacts.push(contact);
                }
                self.acknowledged.insert(request, reply);
                Ok(())
            }
            Err(_) => {
                self.refused.insert(request);
                Ok(())
            }
        }
    }

    /// Holds what is durable against what clients know.
    pub(super) fn check(&self, witness: &Witness) -> Result<(), Broken> {
        for (request, reply) in &self.acknowledged {
            let Some(found) = witness.requests.get(request) else {
                return Err(Broken(format!("acknowledged, and gone: {reply:?}")));
            };
            if let (Reply::Contact(told), Some(kept)) = (reply, found)
                && told != kept
            {
                return Err(Broken(format!("contact {told} was acknowledged, {kept} is there")));
            }
        }
        match self.refused.iter().find(|request| witness.requests.contains_key(request)) {
            Some(_) => Err(Broken::of("what was refused is there")),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Witness {
    engine: Engine,
    sequence: u64,
    pub(super) tip: Tip,
    at: EngineTime,
    wall: WallTime,
    /// The contact that each request was about, where it began one.
    requests: BTreeMap<u128, Option<ContactId>>,
    keys: BTreeSet<Key>,
}

impl Witness {
    /// Follows what is durable.
    pub(super) fn follow(&mut self, batches: Vec<(Arc<Batch>, Tip)>) -> Result<(), Broken> {
        if batches.is_empty() {
            return Ok(());
        }
        for (batch, tip) in batches {
            for entry in &batch.entries {
                self.entry(entry)?;
            }
            if batch.mark.is_some_and(|mark| mark.differs(&self.engine)) {
                return Err(Broken::of("a mark differs from what the journal makes"));
            }
            (self.tip, self.wall) = (tip, batch.wall);
        }
        match self.engine.check() {
            // The owner may have more to do that it does in slices.
            Ok(()) | Err(Violation::Idle { .. }) => Ok(()),
            Err(violation) => Err(Broken(format!("the journal makes a wrong state: {violation}"))),
        }
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), Broken> {
        let expected = self.sequence + 1;
        if entry.sequence != expected {
            return Err(Broken(format!("entry {} where {expected} belongs", entry.sequence)));
        }
        self.sequence = expected;
        if entry.at < self.at {
            return Err(Broken::of("time went back"));
        }
        self.at = entry.at;
        self.engine.replay(entry);
        let mut contact = None;
        for event in &entry.events {
            match event {
                Event::Arrived(arrived) => {
                    contact = contact.or(Some(arrived.contact));
                    if !arrived.key.is_empty() && !self.keys.insert(arrived.key.clone()) {
                        return Err(Broken(format!("key {} arrived twice", arrived.key)));
                    }
                }
                Event::Unchanged { contact: Some(same) } => contact = contact.or(Some(*same)),
                _ => {}
            }
        }
        match entry.request {
            Some(request) if self.requests.insert(request.id, contact).is_some() => {
                Err(Broken::of("a request was carried out twice"))
            }
            _ => Ok(()),
        }
    }

    /// Whether something is due for longer than it may be.
    pub(super) fn overdue(&self, now: EngineTime) -> Result<(), Broken> {
        match self.engine.next_tick().filter(|due| *due + LATE < now) {
            Some(due) => Err(Broken(format!("due at {} and not done at {}", due.0, now.0))),
            None => Ok(()),
        }
    }

    /// Engine time of the last entry.
    pub(super) fn at(&self) -> EngineTime {
        self.at
    }

    /// What a replica would have written at this place.
    pub(super) fn snapshot(&self) -> Snapshot {
        let (tip, wall, at) = (self.tip, self.wall, self.at);
        let engine = self.engine.image();
        Snapshot { tip, wall, at, passed: Vec::new(), engine, seen: Seen::default() }
    }
}
