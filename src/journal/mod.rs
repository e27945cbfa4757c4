//! The journal: stores entries in order, tells what is durable, and reads back.

pub mod seal;

use std::sync::Arc;

use crate::engine::entry::Entry;
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
    /// Makes a batch durable. An error is final: nothing may be appended after one.
    fn append(&mut self, batch: &Batch) -> Result<Tip, Box<dyn std::error::Error + Send + Sync>>;
}

/// Reads a recovered batch.
pub type EachBatch<'a> = dyn FnMut(Arc<Batch>) + 'a;
