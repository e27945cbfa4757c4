//! The journal: stores entries in order, tells what is durable, and reads back.
//!
//! Owned by the shard, which hands it batches and lets nothing leave before they are
//! durable; read by recovery on start and by `surgeline journal`. Behind the small trait
//! [`Journal`]; the one implementation here keeps batches in `SQLite` on a local disk.
//! It does not know what events mean, decides nothing, and reads no clock.
//!
//! - [`sqlite`] writes, `keeper` prepares and seals segments behind it, [`trim`] drops old
//!   ones; [`recovery`] reads back and judges, [`reader`] follows and [`verify`] checks beside
//!   a running router; [`loss`] goes on deliberately without what is lost.
//! - `segment` is the files and rows, `codec` batches to bytes, `tip` what was acknowledged,
//!   `files` the folder, the lock and the permissions; [`receipt`] signs tips for clients, and
//!   `history` tells whether one that is shown is of this journal.
//! - [`snapshot`] keeps the state after a batch, so that a start need not read all of it;
//!   [`follow`] is what an archive asks.
//! - [`seal`] and [`keys`] keep personal data: the journal holds it encrypted only.

mod codec;
pub mod error;
mod files;
pub mod follow;
mod history;
mod keeper;
pub mod keys;
pub mod loss;
pub mod reader;
pub mod receipt;
pub mod recovery;
pub mod seal;
mod segment;
pub mod snapshot;
pub mod sqlite;
#[cfg(test)]
mod tests;
mod tip;
pub mod trim;
pub mod verify;

use std::sync::Arc;

pub use self::error::JournalError;
pub use self::reader::JournalReader;
pub use self::trim::{Trimmed, Trimmer};
use crate::engine::entry::Entry;
use crate::engine::{Engine, HASH_VERSION};
use crate::time::WallTime;

/// How far the journal is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tip {
    /// Which process's turn at writing this is, counted from 1.
    pub epoch: u64,
    /// Sequence of the last durable entry; 0 when there is none.
    pub sequence: u64,
    /// Hash of the last batch, which holds the hash of the one before it.
    pub hash: [u8; 32],
}

/// What the state hash was after an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// After which entry.
    pub sequence: u64,
    /// The engine's state hash then.
    pub state_hash: u64,
    /// Which way of hashing it is ([`crate::engine::HASH_VERSION`]); others cannot be compared.
    pub hash_version: u32,
}

impl Mark {
    /// The mark of an engine that has just applied this entry.
    #[must_use]
    pub fn of(engine: &Engine, sequence: u64) -> Self {
        Self { sequence, state_hash: engine.state_hash(), hash_version: HASH_VERSION }
    }

    /// Whether an engine that has just applied the same entry has another state. None can
    /// be told to when a binary that hashed otherwise made the mark.
    #[must_use]
    pub fn differs(&self, engine: &Engine) -> bool {
        self.hash_version == HASH_VERSION && self.state_hash != engine.state_hash()
    }
}

/// Entries that become durable together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// In order of sequence, without gaps; never empty.
    pub entries: Vec<Entry>,
    /// The state hash after the last of them, now and then.
    pub mark: Option<Mark>,
    /// When it was closed, for people and for restarts.
    pub wall: WallTime,
}

/// Where batches are kept. One epoch writes at a time, and only from where the journal ends.
///
/// What it promises, so that another backend can stand in without the shard knowing:
///
/// - An epoch is a turn at writing. [`Self::acquire`] begins one and ends all earlier ones;
///   what an earlier one still sends is refused, however late it comes.
/// - [`Self::append`] compares and appends: the batch becomes durable only if the journal
///   ends at `after`. Losing the compare is final for the epoch.
/// - An append that fails in any other way may have become durable or not. On a local disk
///   that is the end: an error of a sync is never tried again, the writer is poisoned, and a
///   start recovers what there is. A replicated backend would read the tip again instead: if
///   it is the batch's own hash the append succeeded, if it is the tip from before in the same
///   epoch it may be sent once more, and anything else has lost the compare.
/// - Snapshots are beside it, not in it: this keeps entries, and whoever starts
///   gives the tip that a snapshot ends with.
pub trait Journal: Send {
    /// Begins a new epoch. Gives where the journal ends, with that epoch.
    ///
    /// # Errors
    /// As [`Self::append`].
    fn acquire(&mut self) -> Result<Tip, JournalError>;

    /// Makes a batch durable that follows the entry `after`. Takes as long as the disk does.
    ///
    /// # Errors
    /// [`JournalError::Superseded`]: another epoch writes; nothing changed.
    /// [`JournalError::Moved`]: the journal does not end at `after`; the epoch is over. Any
    /// other is final: whether the batch is durable is not known, and every later call is
    /// [`JournalError::Poisoned`].
    fn append(&mut self, epoch: u64, after: u64, batch: &Batch) -> Result<Tip, JournalError>;

    /// Hands on every batch that follows `after` and is durable. Gives where that ends.
    ///
    /// # Errors
    /// [`JournalError::Trimmed`] if what follows `after` is no longer there; else what is
    /// wrong with a file.
    fn read(&self, after: Tip, each: &mut EachBatch<'_>) -> Result<Tip, JournalError>;

    /// Drops what nobody needs any more: entries up to this one, as far as whole segments
    /// hold nothing else.
    ///
    /// # Errors
    /// A file cannot be deleted; the journal is whole all the same.
    fn trim(&mut self, upto: u64) -> Result<Trimmed, JournalError>;
}

/// Reads a recovered batch, and where the journal stands after it.
pub type EachBatch<'a> = dyn FnMut(Arc<Batch>, Tip) + 'a;
