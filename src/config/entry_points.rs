//! `[[entry_points]]`: where contacts come in, and the queue that each leads to.
//!
//! Owned by one reading of one file.

use super::names::Names;
use super::problem::{Expected, Kind};
use super::reader::{Table, Value};
use crate::engine::routing::EntryPoint;
use crate::ids::QueueId;

/// Most entry points of a router.
const MOST: usize = 4_096;

/// Reads the section.
pub(super) fn read(values: &[Value<'_>], queues: &Names) -> Vec<EntryPoint> {
    let mut names = Names::new(Kind::EntryPoint, MOST);
    let mut points = Vec::new();
    for value in values {
        let point = value
            .table("entry_points", "an entry point's fields", |t| read_one(t, &mut names, queues));
        points.extend(point.flatten());
    }
    points
}

fn read_one(table: &Table<'_>, names: &mut Names, queues: &Names) -> Option<EntryPoint> {
    let name_at = table.required("name", Expected::Name);
    let queue_at = table.required("queue", Expected::Name);
    let queue = queue_at.and_then(|at| queues.find_value(&at)).map(QueueId);
    let at = name_at?;
    let name = at.name()?;
    let new = names.add(&at, &name);
    queue.filter(|_| new).map(|queue| EntryPoint { name, retired: false, queue })
}
