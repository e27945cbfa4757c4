//! `[journal]`: how often the state is kept as a snapshot, for how long the journal, and what
//! is done as its disk fills.
//!
//! Stays at the edge, like `[server]`. Owned by one reading of one file; what it means is
//! `shard::snapshots`' and `space`'s.

use super::reader::{Table, Value};
use crate::time::Span;

const OF: &str = "snapshot_every_entries, snapshot_every, keep, low_space_mib, critical_space_mib \
                  and ballast_mib";

const MINUTE: Span = Span::seconds(60);
const DAY: Span = Span::seconds(24 * 3_600);
/// Longest that the journal is kept by its age.
const LONGEST_KEPT: Span = Span::seconds(10 * 365 * 24 * 3_600);
/// Entries between two snapshots: a start reads at most about so many.
const ENTRIES: (i64, i64) = (1_000, 100_000_000);
/// A pebibyte: more is a slip.
const MOST_MIB: i64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// How often the state is kept, for how long the journal, and how it keeps out of trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Entries after which a snapshot is taken.
    pub snapshot_every_entries: u64,
    /// Time after which one is taken, if anything happened.
    pub snapshot_every: Span,
    /// How long entries stay in the journal at least.
    pub keep: Span,
    /// What is done as the disk fills.
    pub space: Space,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            snapshot_every_entries: 500_000,
            snapshot_every: Span::seconds(600),
            keep: Span::seconds(7 * 24 * 3_600),
            space: Space::default(),
        }
    }
}

/// What is done as the disk of the data directory fills. All in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// With less than this free nobody new is let in.
    pub low: u64,
    /// With less than this free no reservation is made either, and the ballast is given up.
    pub critical: u64,
    /// The size of the ballast.
    pub ballast: u64,
}

impl Default for Space {
    fn default() -> Self {
        Self { low: 1_024 * MIB, critical: 256 * MIB, ballast: 64 * MIB }
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
        space: space(table),
    }
}

fn space(table: &Table<'_>) -> Space {
    let default = Space::default();
    let mib = |name, default: u64| {
        let given = table.field(name).and_then(|v| v.integer::<u64>(0, MOST_MIB));
        given.map_or(default, |mib| mib * MIB)
    };
    let low = mib("low_space_mib", default.low);
    Space {
        low,
        // Whoever lowers the one and forgets the other means no more than it.
        critical: mib("critical_space_mib", default.critical.min(low / 4)),
        ballast: mib("ballast_mib", default.ballast),
    }
}
