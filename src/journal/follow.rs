//! What an archive asks of a journal: to read on from a place, and events one by one.
//!
//! Reading is [`JournalReader`]'s; this only keeps the place that its caller names. It takes
//! no lock and changes nothing.

use std::ops::ControlFlow;
use std::path::Path;

use super::codec::{self, CodecError};
use super::error::JournalError;
use super::reader::JournalReader;
use super::segment::Paths;
use super::tip::{self, Acknowledged};
use super::{Batch, Tip};
use crate::engine::event::Event;

/// Is handed a batch and where the journal stands after it, and says whether to go on.
pub type EachRead<'a> = dyn FnMut(&Batch, Tip) -> ControlFlow<()> + 'a;

/// Reads the batches after `after` whose entries are all at most `upto`, in order, until
/// `each` has enough. From [`Tip::default`] it begins with the oldest that is there.
/// `reader` is kept from call to call by who reads on and on.
///
/// # Errors
/// There is no journal, it cannot be read, a row is damaged or does not follow `after`.
/// Batches before that were handed on.
pub fn read_after(
    data: &Path,
    reader: &mut Option<JournalReader>,
    after: Tip,
    upto: u64,
    each: &mut EachRead<'_>,
) -> Result<(), JournalError> {
    let at = |reader: &JournalReader| {
        let at = reader.at();
        (at.sequence, at.hash) == (after.sequence, after.hash)
    };
    let mut reading = match reader.take().filter(at) {
        Some(reading) => reading,
        None if after.sequence == 0 => JournalReader::at_beginning(data)?,
        None => JournalReader::new(data, after),
    };
    reading.read_while(&mut |batch, tip| {
        // What is beyond is read again from where it was not.
        tip.sequence <= upto && each(&batch, tip).is_continue()
    })?;
    *reader = Some(reading);
    Ok(())
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

/// The last entry that was acknowledged in the journal of a data directory, 0 if none: for
/// who looks from outside.
///
/// # Errors
/// There is no journal, or its tip cannot be read.
pub fn last_sequence(data: &Path) -> Result<u64, JournalError> {
    let paths = Paths::of(data);
    match tip::read(&paths.tip)? {
        Acknowledged::Upto(tip, _) => Ok(tip.sequence),
        Acknowledged::Missing | Acknowledged::Damaged => {
            Err(JournalError::NoJournal { path: paths.folder })
        }
    }
}
