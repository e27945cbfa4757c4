//! `[journal]`: how the journal keeps out of trouble.
//!
//! Stays at the edge, as `[server]` does. Owned by `app`.

use super::reader::{Table, Value};

const OF: &str = "low_space_mib, critical_space_mib and ballast_mib";
/// A pebibyte: more is a slip.
const MOST_MIB: i64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// How the journal keeps out of trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// What is done as its disk fills.
    pub space: Space,
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
    let default = Space::default();
    let mib = |name, default: u64| {
        let given = table.field(name).and_then(|v| v.integer::<u64>(0, MOST_MIB));
        given.map_or(default, |mib| mib * MIB)
    };
    let low = mib("low_space_mib", default.low);
    let space = Space {
        low,
        // Whoever lowers the one and forgets the other means no more than it.
        critical: mib("critical_space_mib", default.critical.min(low / 4)),
        ballast: mib("ballast_mib", default.ballast),
    };
    Config { space }
}
