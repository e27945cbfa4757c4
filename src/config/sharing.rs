//! `[[sharing]]`: whose agents help a queue that is overloaded, from when, and until when.
//!
//! Owned by one reading of one file; when help begins and ends is the engine's business.

use super::names::Names;
use super::problem::{Expected, Kind};
use super::queues::read_pools;
use super::reader::{Table, Value};
use crate::engine::routing::Name;
use crate::engine::sharing::{MOST_HELPING_POOLS, MOST_SHARINGS, Sharing};
use crate::ids::QueueId;

/// Most waiting contacts that a threshold may name.
const MOST_WAITING: i64 = 1_000_000;
/// A queue that there is.
const QUEUE: Expected = Expected::Name;

/// What sharings refer to.
pub(super) struct Known<'a> {
    /// The file's queues.
    pub(super) queues: &'a Names,
    /// The file's pools.
    pub(super) pools: &'a Names,
}

/// Reads the section.
pub(super) fn read(values: &[Value<'_>], known: &Known<'_>) -> Vec<Sharing> {
    let mut names = Names::new(Kind::Sharing, MOST_SHARINGS);
    let mut sharings = Vec::new();
    for value in values {
        let one = |t: &Table<'_>| read_one(t, &mut names, known);
        sharings.extend(value.table("sharing", "a sharing's fields", one).flatten());
    }
    sharings
}

fn read_one(table: &Table<'_>, names: &mut Names, known: &Known<'_>) -> Option<Sharing> {
    let name_at = table.required("name", Expected::Name);
    let queue = |field| -> Option<QueueId> {
        let at = table.required(field, QUEUE)?;
        known.queues.find_value(&at).map(QueueId)
    };
    let (helped, own) = (queue("queue"), queue("own"));
    let pools_at = table.required("pools", Expected::List("pools"));
    let pools = read_pools(table, known.pools);
    if let Some(at) = pools_at.filter(|_| !(1..=MOST_HELPING_POOLS).contains(&pools.len())) {
        at.mismatch::<()>(Expected::List("1 to 16 pools"));
    }
    if let Some(at) = table.field("own").filter(|_| helped.is_some() && helped == own) {
        at.mismatch::<()>(Expected::OtherQueue);
    }
    let ratio = table.field("ratio").and_then(|v| v.hundredths()).unwrap_or(100);
    let activate = table.required("activate", Expected::Integer(1, MOST_WAITING));
    let activate = activate.and_then(|v| v.integer::<u32>(1, MOST_WAITING)).unwrap_or(1);
    let below = i64::from(activate) - 1;
    let sharing = Sharing {
        name: Name::from(""),
        retired: false,
        helped: helped.unwrap_or_default(),
        own: own.unwrap_or_default(),
        pools,
        ratio,
        activate,
        release: table.integer("release", 0, (0, below)),
        reverse: table.integer("reverse", 0, (0, MOST_WAITING)),
    };
    let at = name_at?;
    let name = at.name()?;
    names.add(&at, &name).then_some(Sharing { name, ..sharing })
}
