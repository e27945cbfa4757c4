//! Batches to bytes and back: the only place where the journal's protobuf types exist.
//!
//! Lossless both ways for everything that the engine can say. Reading refuses what it
//! does not understand, with a typed error and never a panic: an event that is skipped
//! is a state that is wrong. It checks form (numbers in range, required fields, sequences
//! without gaps); whether the events make sense is the engine's business, and whether the
//! bytes are the ones that were written is [`super::recovery`]'s.

mod amend;
mod care;
mod control;
mod event;
mod field;
pub(super) mod image;
mod lane;
mod people;
mod recall;
mod routing;
mod stage;
mod words;

#[cfg(test)]
pub(super) mod arbitrary;
#[cfg(test)]
mod tests;

use prost::Message as _;
use thiserror::Error;

use self::field::Record;
use super::{Batch, Mark};
use crate::engine::entry::{Actor, Entry, Sealed};
use crate::engine::event::Event;
use crate::ids::RequestId;
use crate::time::WallTime;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated; its comments are in the protos"
)]
mod pb {
    tonic::include_proto!("surgeline.journal.v1");
}

/// The format that this build writes.
const FORMAT: u32 = 1;
/// The oldest format whose readers understand everything that this build writes. No version
/// was released: until then words and fields are added (as `RULE_PART_OF_TARGET` was) without
/// a new number, and a build from before refuses what it does not know.
const OLDEST_READER: u32 = 1;

/// Why bytes are not a batch that this build can read.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CodecError {
    /// Not protobuf, or protobuf of another message.
    #[error("not a batch: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// Written by a newer router, which says that this one would misread it.
    #[error(
        "needs a reader of format {needs} and this one is of format {have}: use a newer surgeline"
    )]
    TooNew {
        /// The format that its reader must know.
        needs: u32,
        /// The format that this build knows.
        have: u32,
    },
    /// An event that this build has no name for.
    #[error(
        "entry {sequence} holds an event that this version does not know: use a newer surgeline"
    )]
    UnknownEvent {
        /// The entry.
        sequence: u64,
    },
    /// A field that must be there is not.
    #[error("{field} is missing")]
    Missing {
        /// Message and field.
        field: &'static str,
    },
    /// A number does not fit what it stands for.
    #[error("{field} is out of range: {value}")]
    OutOfRange {
        /// Message and field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// A word that this build does not know.
    #[error("{field} holds the unknown word {value}")]
    UnknownWord {
        /// Message and field.
        field: &'static str,
        /// Its number.
        value: i32,
    },
    /// Bytes of a fixed length have another one.
    #[error("{field} has {found} bytes, expected {expected}")]
    Length {
        /// Message and field.
        field: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A text that should be a language is none, or not as it is written.
    #[error("{field} is not a language's two letters")]
    NoLanguage {
        /// Message and field.
        field: &'static str,
    },
    /// A list that must hold something is empty.
    #[error("{field} is empty")]
    Empty {
        /// Message and field.
        field: &'static str,
    },
    /// Entries do not follow each other.
    #[error("entry {found} stands where entry {expected} belongs")]
    Gap {
        /// The sequence that belongs there.
        expected: u64,
        /// The one that is there.
        found: u64,
    },
}

/// A batch as it was stored, with its link to the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stored {
    /// Hash of the batch before; zeros for the first.
    pub(super) previous: [u8; 32],
    /// The batch.
    pub(super) batch: Batch,
}

/// The bytes of a batch that follows the one with hash `previous`.
///
/// What [`check`] refuses would not be readable again.
pub(super) fn encode(batch: &Batch, previous: [u8; 32]) -> Vec<u8> {
    let record = pb::Batch {
        format: FORMAT,
        oldest_reader: OLDEST_READER,
        first_sequence: batch.entries.first().map_or(0, |e| e.sequence),
        last_sequence: batch.entries.last().map_or(0, |e| e.sequence),
        wall_ms: batch.wall.0,
        previous_hash: previous.to_vec(),
        entries: batch.entries.iter().map(Record::put).collect(),
        mark: batch.mark.map(|m| pb::Mark {
            sequence: m.sequence,
            state_hash: m.state_hash,
            hash_version: m.hash_version,
        }),
    };
    record.encode_to_vec()
}

/// Reads back what [`encode`] wrote.
pub(super) fn decode(bytes: &[u8]) -> Result<Stored, CodecError> {
    let record = pb::Batch::decode(bytes)?;
    if record.oldest_reader > FORMAT {
        return Err(CodecError::TooNew { needs: record.oldest_reader, have: FORMAT });
    }
    // Zero is what absence reads as: no format ever had that number.
    if record.format == 0 {
        return Err(CodecError::Missing { field: "Batch.format" });
    }
    let found = record.previous_hash.len();
    let previous = <[u8; 32]>::try_from(record.previous_hash.as_slice())
        .map_err(|_| CodecError::Length { field: "Batch.previous_hash", expected: 32, found })?;
    let mut entries = Vec::with_capacity(record.entries.len());
    for entry in record.entries {
        entries.push(Entry::take(entry)?);
    }
    let mark = record.mark.map(|m| Mark {
        sequence: m.sequence,
        state_hash: m.state_hash,
        hash_version: m.hash_version,
    });
    let batch = Batch { entries, mark, wall: WallTime(record.wall_ms) };
    let last = check(&batch, record.first_sequence)?;
    if last != record.last_sequence {
        return Err(CodecError::Gap { expected: record.last_sequence, found: last });
    }
    Ok(Stored { previous, batch })
}

/// The bytes of one event.
pub(super) fn event_bytes(event: &Event) -> Vec<u8> {
    event::put(event).encode_to_vec()
}

/// Reads back what [`event_bytes`] wrote.
pub(super) fn event_of(bytes: &[u8]) -> Result<Event, CodecError> {
    let kind = pb::Event::decode(bytes)?.kind;
    event::take(kind.ok_or(CodecError::Missing { field: "Event.kind" })?)
}

/// Whether a batch that should begin at `first` is whole: entries without gaps, none of
/// them without events. Gives the last sequence.
///
/// The writer asks the same as the reader, so that nothing is stored which cannot be loaded.
pub(super) fn check(batch: &Batch, first: u64) -> Result<u64, CodecError> {
    let mut expected = first;
    for entry in &batch.entries {
        if entry.sequence != expected {
            return Err(CodecError::Gap { expected, found: entry.sequence });
        }
        if entry.events.is_empty() {
            return Err(CodecError::Empty { field: "Entry.events" });
        }
        expected = expected.saturating_add(1);
    }
    match batch.entries.last() {
        Some(entry) => Ok(entry.sequence),
        None => Err(CodecError::Empty { field: "Batch.entries" }),
    }
}

impl Record for Entry {
    type Pb = pb::Entry;

    fn put(&self) -> pb::Entry {
        pb::Entry {
            sequence: self.sequence,
            at_us: self.at.0,
            actor: Some(self.actor.put()),
            request: self.request.as_ref().map(Record::put),
            events: self.events.iter().map(event::put).collect(),
            sealed: self.sealed.as_ref().map(Record::put),
        }
    }

    fn take(pb: pb::Entry) -> Result<Self, CodecError> {
        let mut events = Vec::with_capacity(pb.events.len());
        for event in pb.events {
            let kind = event.kind.ok_or(CodecError::UnknownEvent { sequence: pb.sequence })?;
            events.push(event::take(kind)?);
        }
        let actor = pb.actor.ok_or(CodecError::Missing { field: "Entry.actor" })?;
        Ok(Self {
            sequence: pb.sequence,
            at: crate::time::EngineTime(pb.at_us),
            actor: Actor::take(actor)?,
            request: pb.request.map(RequestId::take).transpose()?,
            events,
            sealed: pb.sealed.map(Sealed::take).transpose()?,
        })
    }
}
