//! The cheap handle: how everything else speaks to the owner and reads from the replica.
//!
//! It holds the sending ends and the registries that edges read. It never blocks a
//! caller and holds no state of its own.

use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use crossbeam::channel::{Receiver, SendError, Sender, TrySendError};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use tokio::sync::{Semaphore, oneshot};

use super::ask::{Answer, AnswerTo, Ask, Rejection, WordsAsked};
use super::health::{Fatal, Health, Intake};
use super::observe::{Lane, Observer};
use super::people::People;
use super::recalls::Recalls;
use super::reload::Reloads;
use super::replica::Read;
use super::view::View;
use super::writer::reply;
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Sealed};
use crate::engine::recall::LotVerdict;
use crate::engine::routing::{Name, Routing};
use crate::engine::words::Keys;
use crate::ids::{
    AgentId, ContactId, CustomerId, DispositionId, EntryPointId, PoolId, QueueId, ReasonId,
    RecallId, RequestId, SkillId,
};
use crate::journal::receipt::{Proof, Receipt, Receipts, Unproven};
use crate::journal::seal::KeyStore;

/// Arrivals that may wait for the owner: 4 ms of deciding, so that one who is let in is
/// soon answered and everyone else soon knows.
pub(crate) const ARRIVALS: usize = 4_096;
/// Everything else that may wait: far more than all agents and gateways say at once, so
/// that only a router that stands still turns an answer or a hang-up away. About 5 MiB.
pub(crate) const OTHERS: usize = 16_384;
/// Receipts that are looked up in the journal's files at once: each has some of them open.
pub(crate) const LOOK_UPS: usize = 4;
/// Questions to the reader of words that may wait: as many as it reads in the time that it
/// has. Of more, the customers go to a person. 8 MiB.
pub(crate) const WORDS: usize = 262_144;
/// When someone new may try again: the queue empties in milliseconds, but what filled it
/// does not stop so soon.
const ARRIVAL_RETRY: Duration = Duration::from_millis(250);
/// When anything else may be tried again.
const OTHER_RETRY: Duration = Duration::from_millis(50);
/// When someone new may try again while space is low: people have to make room.
const SPACE_RETRY: Duration = Duration::from_secs(10);
/// When someone new may try again after a restart began: a start takes about a second.
const RESTART_RETRY: Duration = Duration::from_secs(2);

/// Speaks to one shard. Clones share it.
#[derive(Clone, Debug)]
pub struct ShardHandle {
    pub(crate) farewells: Sender<Ask>,
    pub(crate) arrivals: Sender<Ask>,
    pub(crate) others: Sender<Ask>,
    pub(crate) reads: Sender<Read>,
    pub(crate) read_permits: Arc<Semaphore>,
    pub(crate) look_ups: Arc<Semaphore>,
    pub(crate) health: Arc<Health>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) directory: Arc<ArcSwap<Directory>>,
    pub(crate) people: Arc<People>,
    pub(crate) keys: Arc<KeyStore>,
    pub(crate) recalls: Arc<Recalls>,
    pub(crate) words: Receiver<WordsAsked>,
    pub(crate) receipts: Arc<Receipts>,
    pub(crate) receipt: Arc<ArcSwap<Receipt>>,
    pub(crate) reloads: Arc<Reloads>,
}

/// The shard has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the router is stopping")]
pub struct Stopped;

impl ShardHandle {
    /// Hands a command over. Never blocks: when the queue is full the answer is
    /// [`Rejection::Busy`], at once; when the shard is stopping, [`Rejection::Stopping`].
    pub fn submit(&self, ask: Ask) {
        if self.health.is_stopping() {
            return reply(ask.answer_to, Err(Rejection::Stopping));
        }
        if ask.is_arrival()
            && let Some(closed) = self.closed()
        {
            self.observer.turned_away(Lane::Arrivals);
            return reply(ask.answer_to, Err(closed));
        }
        let (lane, sender, retry_after) = if ask.is_arrival() {
            (Lane::Arrivals, &self.arrivals, ARRIVAL_RETRY)
        } else {
            (Lane::Others, &self.others, OTHER_RETRY)
        };
        match sender.try_send(ask) {
            Ok(()) => {}
            // In order with what its stream said before, while there is room; never lost.
            Err(TrySendError::Full(ask)) if ask.is_farewell() => {
                if let Err(SendError(ask)) = self.farewells.send(ask) {
                    reply(ask.answer_to, Err(Rejection::Stopping));
                }
            }
            Err(TrySendError::Full(ask)) => {
                self.observer.turned_away(lane);
                reply(ask.answer_to, Err(Rejection::Busy { retry_after }));
            }
            Err(TrySendError::Disconnected(ask)) => {
                reply(ask.answer_to, Err(Rejection::Stopping));
            }
        }
    }

    /// Why nobody new is let in, if so.
    fn closed(&self) -> Option<Rejection> {
        match self.health.intake() {
            Intake::Open => None,
            Intake::LowSpace => Some(Rejection::LowSpace { retry_after: SPACE_RETRY }),
            Intake::Draining => Some(Rejection::Draining { retry_after: RESTART_RETRY }),
        }
    }

    /// Hands a command over and waits for its answer. Dropping the future does not take
    /// the command back.
    ///
    /// # Errors
    /// Why it was not carried out.
    pub async fn call(
        &self,
        actor: Actor,
        request: Option<RequestId>,
        command: Command,
        sealed: Option<Sealed>,
    ) -> Answer {
        let (answer, waiting) = oneshot::channel();
        self.submit(Ask {
            actor,
            request,
            command,
            sealed,
            attach: None,
            answer_to: AnswerTo::Call(answer),
        });
        waiting.await.unwrap_or(Err(Rejection::Stopping))
    }

    /// Reads from the replica: runs `read` on its thread, between two entries. It sees
    /// everything whose answer left before this was called, unless the replica is more
    /// than 0.1 s behind. It should take less than a millisecond: the next batch waits.
    ///
    /// # Errors
    /// [`Stopped`] when the replica has ended, or `read` panicked.
    pub async fn read<T, F>(&self, read: F) -> Result<T, Stopped>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> T + Send + 'static,
    {
        let after = self.health.durable();
        let permit = self.read_permits.clone().acquire_owned().await.map_err(|_| Stopped)?;
        let (answer, waiting) = oneshot::channel();
        let run = Box::new(move |view: &View<'_>| {
            if !answer.is_closed() {
                drop(answer.send(read(view)));
            }
            drop(permit);
        });
        let since = Instant::now();
        self.reads.send(Read { after, since, run }).map_err(|_| Stopped)?;
        waiting.await.map_err(|_| Stopped)
    }

    /// Names and ids as of the newest durable configuration.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    /// Sealed personal data of an open contact, as it arrived.
    #[must_use]
    pub fn person(&self, contact: ContactId) -> Option<Sealed> {
        self.people.arrived(contact)
    }

    /// Who the customer of an open contact is, if the gateway knew.
    #[must_use]
    pub fn customer(&self, contact: ContactId) -> Option<CustomerId> {
        self.people.customer(contact)
    }

    /// The recall in whose self-service an open contact is or was.
    #[must_use]
    pub fn recall_of(&self, contact: ContactId) -> Option<RecallId> {
        self.people.recall(contact)
    }

    /// The keys that the customer of an open contact entered as a lot, with what the check
    /// said of them, oldest first, the newest 8.
    #[must_use]
    pub fn lots(&self, contact: ContactId) -> Vec<(LotVerdict, Keys)> {
        self.people.lots(contact)
    }

    /// What the customer of an open contact said since an agent last let go of it, sealed,
    /// oldest first.
    #[must_use]
    pub fn said(&self, contact: ContactId) -> Vec<Sealed> {
        self.people.said(contact)
    }

    /// Looks at the newest receipt that a client has; empty for none. One that was not signed
    /// here is ignored and counted. A genuine one from beyond what is durable, or for a batch
    /// that is another one here, ends this router: it goes on from an older copy of its data.
    /// One that can be neither proved nor refuted is let pass and counted.
    ///
    /// # Errors
    /// [`Fatal::OlderCopy`] or [`Fatal::OtherHistory`], which the shard's health then says as
    /// well.
    pub async fn shown(&self, receipt: &[u8]) -> Result<(), Fatal> {
        if receipt.is_empty() {
            return Ok(());
        }
        let Some(seen) = self.receipts.read(receipt) else {
            self.observer.forged_receipt();
            return Ok(());
        };
        let (epoch, durable) = (self.health.epoch(), self.health.durable());
        // What an earlier process promised was there when this one began, or never: what this
        // one has written since does not make up for it.
        let there = if seen.epoch < epoch { self.health.recovered_to() } else { durable };
        let due = seen.epoch <= epoch && seen.sequence <= there;
        if due && self.receipts.remembers(&seen) {
            return Ok(());
        }
        let receipts = self.receipts.clone();
        let permit = self.look_ups.clone().acquire_owned().await;
        let proof = tokio::task::spawn_blocking(move || {
            // Held until the files are closed, though nobody waits for it any more.
            let _permit = permit;
            receipts.prove(&seen, due)
        });
        let proof = proof.await;
        let fatal = match proof.unwrap_or(Proof::Passes(Unproven::Unreadable)) {
            Proof::Here => return Ok(()),
            Proof::Passes(why) => {
                self.observer.unproven_receipt(why);
                return Ok(());
            }
            Proof::Missing => Fatal::OlderCopy { seen, epoch, durable },
            Proof::Other => Fatal::OtherHistory { seen },
        };
        self.health.fail(fatal.clone());
        Err(fatal)
    }

    /// What is durable now, signed. After an answer it proves that answer at least.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        **self.receipt.load()
    }

    /// Recalls and their playbooks.
    #[must_use]
    pub fn recalls(&self) -> &Arc<Recalls> {
        &self.recalls
    }

    /// Where whoever reads customers' words is asked to. Each question is received once.
    #[must_use]
    pub fn words_asked(&self) -> &Receiver<WordsAsked> {
        &self.words
    }

    /// The key store.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyStore> {
        &self.keys
    }

    /// How the shard is.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }
}

type Names<Id> = HashMap<Name, Id, FxBuildHasher>;

/// Names to ids and back, for the edges. What is retired is not found by name.
#[derive(Debug, Default)]
pub struct Directory {
    /// The tables.
    pub routing: Arc<Routing>,
    queues: Names<QueueId>,
    agents: Names<AgentId>,
    skills: Names<SkillId>,
    pools: Names<PoolId>,
    entry_points: Names<EntryPointId>,
    reasons: Names<ReasonId>,
    dispositions: Names<DispositionId>,
}

impl Directory {
    /// The names of a configuration.
    #[must_use]
    pub fn new(routing: Arc<Routing>) -> Self {
        let r = &*routing;
        Self {
            queues: names(r.queues.iter().map(|q| (&q.name, q.retired)), QueueId),
            agents: names(r.agents.iter().map(|a| (&a.name, a.retired)), AgentId),
            skills: names(r.skills.iter().map(|s| (&s.name, s.retired)), SkillId),
            pools: names(r.pools.iter().map(|p| (&p.name, p.retired)), PoolId),
            entry_points: names(r.entry_points.iter().map(|e| (&e.name, e.retired)), EntryPointId),
            reasons: names(r.not_ready_reasons.iter().map(|n| (&n.name, n.retired)), ReasonId),
            dispositions: names(r.dispositions.iter().map(|d| (&d.name, d.retired)), DispositionId),
            routing,
        }
    }

    /// The queue of this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<QueueId> {
        self.queues.get(name).copied()
    }

    /// The agent of this name.
    #[must_use]
    pub fn agent(&self, name: &str) -> Option<AgentId> {
        self.agents.get(name).copied()
    }

    /// The skill of this name.
    #[must_use]
    pub fn skill(&self, name: &str) -> Option<SkillId> {
        self.skills.get(name).copied()
    }

    /// The pool of this name.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<PoolId> {
        self.pools.get(name).copied()
    }

    /// The entry point of this name.
    #[must_use]
    pub fn entry_point(&self, name: &str) -> Option<EntryPointId> {
        self.entry_points.get(name).copied()
    }

    /// The reason for not being ready of this name.
    #[must_use]
    pub fn reason(&self, name: &str) -> Option<ReasonId> {
        self.reasons.get(name).copied()
    }

    /// The disposition code of this name.
    #[must_use]
    pub fn disposition(&self, name: &str) -> Option<DispositionId> {
        self.dispositions.get(name).copied()
    }
}

fn names<'a, I: TryFrom<usize>, Id: Copy + Hash>(
    table: impl Iterator<Item = (&'a Name, bool)>,
    id: impl Fn(I) -> Id,
) -> Names<Id> {
    table
        .enumerate()
        .filter(|(_, (_, retired))| !retired)
        .filter_map(|(position, (name, _))| Some((name.clone(), id(I::try_from(position).ok()?))))
        .collect()
}
