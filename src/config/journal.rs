//! `[journal]`: how often the state is kept as a snapshot, and for how long the journal.
//!
//! Stays at the edge, like `[server]`. Owned by one reading of one file; what it means is
//! `shard::snapshots`'.

use super::reader::{Table, Value};
use crate::time::Span;

const OF: &str = "snapshot_every_entries, snapshot_every and keep";

const MINUTE: Span = Span::seconds(60);
const DAY: Span = Span::seconds(24 * 3_600);
/// Longest that the journal is kept by its age.
const LONGEST_KEPT: Span = Span::seconds(10 * 365 * 24 * 3_600);
/// Entries between two snapshots: a start reads at most about so many.
const ENTRIES: (i64, i64) = (1_000, 100_000_000);

/// How often the state is kept, and for how long the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Entries after which a snapshot is taken.
    pub snapshot_every_entries: u64,
    /// Time after which one is taken, if anything happened.
    pub snapshot_every: Span,
    /// How long entries stay in the journal at least.
    pub keep: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            snapshot_every_entries: 500_000,
            snapshot_every: Span::seconds(600),
            keep: Span::seconds(7 * 24 * 3_600),
        }
    }
}

/// Reads the section.
pub(super) fn read(value: &Value<'_>) -> Config {
    value.table("journal", OF, read_fields).unwrap_or_default()
}

fn read_fields(table: &Table<'_>) -> Config {
    let default = Config::default();
    let every = (MINUTE, DAY);
    let keep = (Span::ZERO, LONGEST_KEPT);
    Config {
        snapshot_every_entries: table.integer(
            "snapshot_every_entries",
            default.snapshot_every_entries,
            ENTRIES,
        ),
        snapshot_every: table.duration("snapshot_every", default.snapshot_every, every),
        keep: table.duration("keep", default.keep, keep),
    }
}
