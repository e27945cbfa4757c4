//! Entries and batches of any events.

use super::{Any, Source};
use crate::engine::entry::Entry;
use crate::engine::event::Event;
use crate::journal::Batch;

/// Any entry of this sequence that holds these events.
pub(in crate::journal) fn entry(sequence: u64, events: Vec<Event>, from: &mut Source) -> Entry {
    Entry {
        sequence,
        at: Any::any(from),
        actor: Any::any(from),
        request: Any::any(from),
        events,
        sealed: Any::any(from),
    }
}

/// Any batch of this many entries, the first of this sequence.
pub(in crate::journal) fn batch(first: u64, entries: u64, from: &mut Source) -> Batch {
    let entries = (first..first + entries)
        .map(|sequence| {
            let events = (0..=from.below(3)).map(|_| Any::any(from)).collect();
            entry(sequence, events, from)
        })
        .collect();
    Batch { entries, mark: Any::any(from), wall: Any::any(from) }
}
