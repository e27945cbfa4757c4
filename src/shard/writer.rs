//! The writer thread: makes batches durable, then lets out what waited for that.
//!
//! It alone calls the journal and it alone releases, so that everything leaves in the
//! order of decision, and nothing before its tip is durable. A journal error is final:
//! the thread ends, and with it every answer that waited (the callers are told that the
//! router is stopping). It decides nothing.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use crossbeam::channel::{Receiver, Sender};

use super::ask::{Answer, AnswerTo, Outgoing, WordsAsked};
use super::backlog::Feed;
use super::batch::{Release, Settled, Work};
use super::handle::Directory;
use super::health::{Fatal, Health};
use super::observe::Observer;
use super::people::People;
use super::recalls::Recalls;
use super::sessions::Sessions;
use crate::journal::receipt::{RECEIPT, Receipt, Receipts};
use crate::journal::{Journal, Tip};

/// Where released things go.
#[derive(Debug)]
pub(crate) struct Exits {
    pub(crate) sessions: Sessions,
    pub(crate) people: Arc<People>,
    pub(crate) directory: Arc<ArcSwap<Directory>>,
    pub(crate) recalls: Arc<Recalls>,
    pub(crate) words: Sender<WordsAsked>,
    pub(crate) receipts: Arc<Receipts>,
    /// Of what is durable; read by whoever answers calls.
    pub(crate) receipt: Arc<ArcSwap<Receipt>>,
}

impl Exits {
    /// Notes what is durable, before anything is released that was decided on it.
    pub(crate) fn prove(&self, tip: Tip) {
        self.receipt.store(Arc::new(self.receipts.issue(tip)));
    }

    pub(crate) fn release(&self, release: Release) {
        match release {
            Release::Answer(AnswerTo::Stream(outbox, request_id), answer) => {
                self.sessions.answer(&outbox, request_id, answer, **self.receipt.load());
            }
            Release::Answer(to, answer) => reply(to, answer),
            Release::Attach(to, session, outbox) => self.sessions.attach(to, session, outbox),
            Release::Detach(to) => self.sessions.detach(to),
            Release::Directive(directive, sealed) => self.sessions.send(directive, sealed),
            Release::People(change) => self.people.change(change),
            Release::Directory(routing) => self.directory.store(Arc::new(Directory::new(routing))),
            Release::Recall(change) => self.recalls.change(change),
            Release::Words(asked) => {
                // Full, or nobody reads: the question falls due and a person takes over.
                if self.words.try_send(asked).is_err() {
                    tracing::debug!(?asked, "words are not read");
                }
            }
        }
    }
}

/// Gives an answer. One whom nobody waits for any more is dropped: the same request id
/// gets it again.
pub(crate) fn reply(to: AnswerTo, answer: Answer) {
    match to {
        AnswerTo::Call(waiting) => drop(waiting.send(answer)),
        // Nothing was decided, so that there is nothing to show for it.
        AnswerTo::Stream(outbox, request_id) => {
            outbox.put(Outgoing::Answer { request_id, answer, receipt: [0; RECEIPT] });
        }
        AnswerTo::Nobody => {}
    }
}

/// The writer thread's own.
#[derive(Debug)]
pub(crate) struct Writer<J> {
    pub(crate) journal: J,
    /// This writer's epoch, and the entry that its next batch follows.
    pub(crate) tip: Tip,
    pub(crate) work: Receiver<Work>,
    pub(crate) settled: Sender<Settled>,
    /// Bounded: a replica that is too far behind holds the writer, then the owner, then arrivals are turned away. It can always catch up (it
    /// applies what the owner must decide), so that this only bounds memory; dropping
    /// batches instead would make what it shows wrong for ever.
    pub(crate) replica: Feed,
    pub(crate) exits: Exits,
    pub(crate) health: Arc<Health>,
    pub(crate) observer: Arc<dyn Observer>,
}

impl<J: Journal> Writer<J> {
    /// Runs until the owner is gone or the journal fails.
    pub(crate) fn run(mut self) {
        while let Ok(work) = self.work.recv() {
            if !self.write(work) {
                break;
            }
        }
        self.exits.sessions.clear();
    }

    /// Makes a batch durable and lets out what waited for it; whether it may go on.
    pub(crate) fn write(&mut self, work: Work) -> bool {
        let Work { batch, releases, bytes } = work;
        let mut written = None;
        if let Some(batch) = batch {
            let began = Instant::now();
            fail::fail_point!("writer-before-append", |_| crate::fault::die());
            let Tip { epoch, sequence, .. } = self.tip;
            let tip = match self.journal.append(epoch, sequence, &batch) {
                Ok(tip) => tip,
                Err(error) => {
                    let fatal = Fatal::Journal(Arc::from(
                        Box::<dyn std::error::Error + Send + Sync>::from(error),
                    ));
                    tracing::error!(%fatal, "nothing more is acknowledged");
                    self.health.fail(fatal);
                    return false;
                }
            };
            self.observer.synced(began.elapsed(), batch.entries.len());
            self.tip = tip;
            self.health.set_durable(tip.sequence);
            self.exits.prove(tip);
            written = Some((batch, tip));
        }
        fail::fail_point!("writer-before-release", |_| crate::fault::die());
        // Before the releases, so that the owner closes the next batch meanwhile. An owner
        // that is gone does not listen; what it decided leaves all the same.
        let _ = self.settled.send(Settled { bytes });
        for release in releases {
            self.exits.release(release);
        }
        if let Some((batch, tip)) = written
            && !self.replica.batch(batch, tip)
        {
            // Its own guard has reported why; what is durable may still leave.
            tracing::debug!("the replica is gone");
        }
        true
    }
}
