//! `[archive]`: how long the archive keeps what is over.
//!
//! Stays at the edge: the journal and the engine know nothing of the archive. Owned by one
//! reading of one file.

use super::reader::Value;

const OF: &str = "keep_days";
/// Days that contacts are kept after they ended: a year, and what a month's end takes.
pub(super) const KEEP_DAYS: u32 = 400;
/// A hundred years: for ever.
const MOST_DAYS: i64 = 36_500;

/// Reads the section: for how many days contacts are kept.
pub(super) fn read(value: &Value<'_>) -> Option<u32> {
    value.table("archive", OF, |table| table.integer("keep_days", KEEP_DAYS, (1, MOST_DAYS)))
}
