//! Reading on behind a running writer: for the archive.
//!
//! Takes no lock and changes nothing. What is read is checked as a start checks it, row by
//! row, from a place that the reader knows the hash of. It does not judge the whole: that
//! nothing acknowledged is missing is for recovery to say.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Row;

use super::codec::{self, CodecError, Stored};
use super::error::{Damage, JournalError};
use super::recovery::hash;
use super::sqlite::{Paths, connect_read_only};
use super::{Batch, Tip};
use crate::engine::event::Event;

/// Is handed a batch and where the journal stands after it, and says whether to go on.
pub type EachRead<'a> = dyn FnMut(&Batch, Tip) -> ControlFlow<()> + 'a;

struct Raw {
    first: u64,
    crc: i64,
    previous: Vec<u8>,
    hash: Vec<u8>,
    payload: Vec<u8>,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first: row.get::<_, i64>(0)?.cast_unsigned(),
            crc: row.get(1)?,
            previous: row.get(2)?,
            hash: row.get(3)?,
            payload: row.get(4)?,
        })
    }
}

/// Reads the batches after `after` whose entries are all at most `upto`, in order, until
/// `each` has enough. From [`Tip::default`] it begins with the oldest that is there.
///
/// # Errors
/// There is no journal, it cannot be read, a row is damaged or does not follow `after`.
/// Batches before that were handed on.
pub fn read_after(
    data: &Path,
    after: Tip,
    upto: u64,
    each: &mut EachRead<'_>,
) -> Result<(), JournalError> {
    let paths = Paths::of(data);
    if !paths.segment.is_file() {
        return Err(JournalError::NoJournal { path: paths.folder });
    }
    let connection = connect_read_only(&paths.segment)?;
    let mut tip = after;
    let path = paths.segment;
    let unreadable = |source, tip: &Tip| JournalError::Unreadable {
        path: path.clone(),
        sequence: tip.sequence + 1,
        source,
    };
    let mut statement = connection
        .prepare(
            "SELECT first_sequence, crc, previous_hash, hash, payload FROM batch
             WHERE first_sequence > ?1 AND last_sequence <= ?2 ORDER BY first_sequence",
        )
        .map_err(|e| unreadable(e, &tip))?;
    let bounds = [after.sequence.cast_signed(), i64::try_from(upto).unwrap_or(i64::MAX)];
    let mut rows = statement.query(bounds).map_err(|e| unreadable(e, &tip))?;
    loop {
        let row = rows.next().map_err(|e| unreadable(e, &tip))?;
        let Some(row) = row else { return Ok(()) };
        let raw = Raw::read(row).map_err(|e| unreadable(e, &tip))?;
        let batch = check(&raw, &mut tip).map_err(|damage| JournalError::Damaged {
            path: path.clone(),
            sequence: raw.first,
            damage,
        })?;
        if each(&batch, tip).is_break() {
            return Ok(());
        }
    }
}

/// Checks a row against the place before it, and moves on to the place after it.
fn check(raw: &Raw, tip: &mut Tip) -> Result<Batch, Damage> {
    let found = crc32fast::hash(&raw.payload);
    if i64::from(found) != raw.crc {
        let expected = u32::try_from(raw.crc).unwrap_or(0);
        return Err(Damage::Checksum { expected, found });
    }
    let Stored { previous, batch } = codec::decode(&raw.payload).map_err(Damage::Content)?;
    // Of a journal that was trimmed nobody who begins anew knows what was before.
    let begins = tip.sequence == 0;
    let expected = if begins { raw.first } else { tip.sequence + 1 };
    if raw.first != expected {
        return Err(Damage::Sequence { expected, found: raw.first });
    }
    if raw.previous != previous || (!begins && previous != tip.hash) {
        return Err(Damage::Chain);
    }
    let hash = hash(&previous, &raw.payload);
    if raw.hash != hash {
        return Err(Damage::Hash);
    }
    tip.sequence = codec::check(&batch, expected).map_err(Damage::Content)?;
    tip.hash = hash;
    Ok(batch)
}

/// One event as the journal stores it, for who keeps it elsewhere.
#[must_use]
pub fn event_bytes(event: &Event) -> Vec<u8> {
    codec::event_bytes(event)
}

/// Reads back what [`event_bytes`] wrote, in this version or an older one.
///
/// # Errors
/// It is not an event that this version knows.
pub fn event_of(bytes: &[u8]) -> Result<Event, CodecError> {
    codec::event_of(bytes)
}

/// The last entry that the journal of a data directory holds, 0 if none: for who looks from
/// outside. What a router knows to be durable may be less.
///
/// # Errors
/// There is no journal, or it cannot be read.
pub fn last_sequence(data: &Path) -> Result<u64, JournalError> {
    let paths = Paths::of(data);
    if !paths.segment.is_file() {
        return Err(JournalError::NoJournal { path: paths.folder });
    }
    let connection = connect_read_only(&paths.segment)?;
    let last = "SELECT coalesce(max(last_sequence), 0) FROM batch";
    connection.query_row(last, [], |row| row.get(0)).map_err(|source| JournalError::Unreadable {
        path: paths.segment,
        sequence: 0,
        source,
    })
}
