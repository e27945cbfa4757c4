//! What goes from the owner to the writer: entries, and what may leave once they are durable.
//!
//! The owner fills an [`Open`] batch and closes it into [`Work`]; the writer takes it
//! apart. Nothing here decides or waits.

use std::sync::Arc;

use super::ask::WordsAsked;
use super::ask::{Answer, AnswerTo, Outbox};
use super::people::PeopleChange;
use super::recalls::RecallChange;
use crate::engine::directive::{Directive, Recipient};
use crate::engine::entry::{Entry, Sealed};
use crate::engine::event::Event;
use crate::engine::routing::Routing;
use crate::ids::SessionId;
use crate::journal::{Batch, Mark};
use crate::time::WallTime;

/// Most commands in a batch. It only grows so far while another one is being written, so
/// that a long one delays nobody and a slow disk gets fewer syncs.
pub(crate) const BATCH_COMMANDS: usize = 1_024;
/// Most commands decided before looking whether the writer has become free: about a
/// quarter of a millisecond.
pub(crate) const ROUND_COMMANDS: usize = 256;
/// Most decided batches that are not durable: one is written while the next is decided.
pub(crate) const UNDURABLE_BATCHES: usize = 2;
/// Most bytes decided and not durable, estimated.
pub(crate) const UNDURABLE_BYTES: usize = 4 << 20;

/// One thing that leaves once what it was decided on is durable.
#[derive(Debug)]
pub(crate) enum Release {
    /// The answer to an ask.
    Answer(AnswerTo, Answer),
    /// From here on this recipient's directives go into this outbox.
    Attach(Recipient, SessionId, Outbox),
    /// This recipient's session is over.
    Detach(Recipient),
    /// A directive, with the personal data that came with what it tells of.
    Directive(Directive, Option<Sealed>),
    /// The personal data that is at hand changes.
    People(PeopleChange),
    /// Names as they are from here on.
    Directory(Arc<Routing>),
    /// A recall started or ended.
    Recall(RecallChange),
    /// Words are to be read.
    Words(WordsAsked),
}

/// A closed batch on its way to the writer.
#[derive(Debug)]
pub(crate) struct Work {
    /// What is to become durable; none if no command in it made an event.
    pub(crate) batch: Option<Arc<Batch>>,
    /// What leaves then, in this order.
    pub(crate) releases: Vec<Release>,
    /// Estimated size, told back when durable.
    pub(crate) bytes: usize,
}

/// What the writer tells the owner: a batch is durable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    /// Its estimated size.
    pub(crate) bytes: usize,
}

/// The batch that is being decided.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(crate) entries: Vec<Entry>,
    pub(crate) releases: Vec<Release>,
    pub(crate) commands: usize,
    pub(crate) bytes: usize,
}

impl Open {
    pub(crate) fn is_empty(&self) -> bool {
        self.commands == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.commands >= BATCH_COMMANDS || self.bytes >= UNDURABLE_BYTES / UNDURABLE_BATCHES
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += weight(&entry);
        self.entries.push(entry);
    }

    /// Closes it and begins the next.
    pub(crate) fn close(&mut self, mark: Option<Mark>, wall: WallTime) -> Work {
        let open = std::mem::take(self);
        let batch = (!open.entries.is_empty())
            .then(|| Arc::new(Batch { entries: open.entries, mark, wall }));
        Work { batch, releases: open.releases, bytes: open.bytes }
    }
}

/// About how many bytes an entry takes until it is durable.
pub(crate) fn weight(entry: &Entry) -> usize {
    let sealed = entry.sealed.as_ref().map_or(0, |s| s.bytes.len());
    let events: usize = entry
        .events
        .iter()
        .map(|event| match event {
            Event::Configured(routing) => {
                256 * (routing.agents.len() + routing.queues.len() + routing.skills.len())
            }
            Event::RecallStarted { plan, .. } => plan.playbook.len(),
            _ => 0,
        })
        .sum();
    size_of::<Entry>() + entry.events.len() * size_of::<Event>() + sealed + events
}
