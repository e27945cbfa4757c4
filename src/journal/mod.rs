//! The journal: stores entries in order, tells what is durable, and reads back.
//!
//! Owned by the shard, which hands it batches and lets nothing leave before they are
//! durable; read by recovery on start and by `surgeline journal`. Behind the small trait
//! [`Journal`]; the one implementation here keeps batches in `SQLite` on a local disk.
//! It does not know what events mean, decides nothing, and reads no clock.
//!
//! - [`sqlite`] writes, [`recovery`] reads back and judges, [`verify`] and [`follow`] read
//!   beside a running router; `codec` is batches to bytes, `tip` what was acknowledged, `files`
//!   the folder, the lock and the permissions.
//! - [`seal`] and [`keys`] keep personal data: the journal holds it encrypted only.

mod codec;
pub mod error;
mod files;
pub mod follow;
pub mod keys;
pub mod recovery;
pub mod seal;
pub mod sqlite;
#[cfg(test)]
mod tests;
mod tip;
pub mod verify;

use std::sync::Arc;

pub use self::error::JournalError;
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

/// Where batches are kept. One holder at a time; only the holder of the tip extends it.
pub trait Journal: Send {
    /// Makes a batch durable, which must continue the tip's sequence. Takes as long as the
    /// disk does.
    ///
    /// # Errors
    /// Any error is final: whether the batch is durable is not known, and every later call
    /// is [`JournalError::Poisoned`].
    fn append(&mut self, batch: &Batch) -> Result<Tip, JournalError>;
}

/// Reads a recovered batch, and where the journal stands after it.
pub type EachBatch<'a> = dyn FnMut(Arc<Batch>, Tip) + 'a;
