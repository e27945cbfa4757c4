//! Where the archive reads from: what it asks of a journal, and the journal on disk.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::ArchiveError;
use crate::journal::reader::JournalReader;
use crate::journal::{Batch, Tip, follow};
use crate::shard::health::{Health, Space};

/// A journal that can be followed.
pub trait Follow: Send {
    /// Up to which entry it is durable.
    fn durable(&self) -> u64;

    /// Whether there is space to write down what is read.
    fn has_space(&self) -> bool;

    /// Hands on the batches after `after` up to the entry `upto`, in order, until `each`
    /// has enough.
    ///
    /// # Errors
    /// It cannot be read, or does not follow `after`. Batches before that were handed on.
    fn read_from(
        &mut self,
        after: Tip,
        upto: u64,
        each: &mut dyn FnMut(&Batch, Tip) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError>;
}

/// The journal of a data directory, behind its running writer.
#[derive(Debug)]
pub struct JournalFollow {
    data: PathBuf,
    health: Arc<Health>,
    reader: Option<JournalReader>,
}

impl JournalFollow {
    /// Follows the journal in `data`, which the shard of this health writes.
    #[must_use]
    pub fn new(data: PathBuf, health: Arc<Health>) -> Self {
        Self { data, health, reader: None }
    }
}

impl Follow for JournalFollow {
    fn durable(&self) -> u64 {
        self.health.durable()
    }

    fn has_space(&self) -> bool {
        self.health.space() < Space::Critical
    }

    fn read_from(
        &mut self,
        after: Tip,
        upto: u64,
        each: &mut dyn FnMut(&Batch, Tip) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        Ok(follow::read_after(&self.data, &mut self.reader, after, upto, each)?)
    }
}
