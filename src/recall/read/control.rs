//! `[control]`: by what a level moves that is left free.
//!
//! Owned by one reading.

use crate::config::problem::{Expected, Fault};
use crate::config::reader::{Table, Value};
use crate::engine::recall::control::{ControlPlan, RUNGS};
use crate::recall::playbook::{Control, FreeLevel};
use crate::time::Span;

/// A rung's wait and dwell: one for elevated, surge and critical each.
const RUNG_TIMES: &str = "three times, for elevated, surge and critical, none shorter than before";
const HOUR: Span = Span::seconds(3_600);

/// Reads it; what is not written is as without it.
pub(super) fn read(file: &Table<'_>) -> Option<Control> {
    let at = file.field("control")?;
    at.table("control", "the control's fields", |table| control(table, &at))
}

fn control(table: &Table<'_>, at: &Value<'_>) -> Control {
    let plan = ControlPlan::default();
    let least = Span::seconds(1);
    let read = Control {
        wait_s: times(table, "wait", plan.wait, (least, HOUR)),
        held_s: times(table, "held", plan.held, (least, HOUR)),
        load_thousandths: load(table, "load", plan.load),
        release_thousandths: load(table, "release", plan.release),
        gateway_thousandths: share(table, "gateway", plan.gateway),
        leave_after_s: seconds(table.duration("leave_after", plan.leave_after, (least, HOUR))),
        lowest: level(table, "lowest").unwrap_or(FreeLevel::Normal),
        highest: level(table, "highest").unwrap_or(FreeLevel::Critical),
    };
    let below = [
        ("release", read.release_thousandths >= read.load_thousandths, "below `load`"),
        ("highest", read.highest < FreeLevel::Elevated, "elevated, surge or critical"),
        ("lowest", read.lowest > read.highest, "not above `highest`"),
    ];
    for (name, wrong, expected) in below {
        if wrong {
            table.field(name).as_ref().unwrap_or(at).fault(Fault::OutOfOrder { name, expected });
        }
    }
    read
}

/// One time for each rung.
fn times(
    table: &Table<'_>,
    name: &'static str,
    default: [Span; RUNGS],
    (least, most): (Span, Span),
) -> [u32; RUNGS] {
    let Some(at) = table.field(name) else { return default.map(seconds) };
    let read: Vec<Span> =
        at.list(RUNG_TIMES).iter().filter_map(|v| v.duration(least, most)).collect();
    let listed = at.value.as_array().map_or(0, |array| array.len());
    // One that is no time was told at its own place.
    let all = read.len() == listed || listed != RUNGS;
    match <[Span; RUNGS]>::try_from(read) {
        Ok(times) if times.is_sorted() && listed == RUNGS => return times.map(seconds),
        _ if all && at.value.is_array() => at.mismatch::<()>(Expected::List(RUNG_TIMES)),
        _ => None,
    };
    default.map(seconds)
}

fn load(table: &Table<'_>, name: &'static str, default: u32) -> u32 {
    table.field(name).and_then(|v| v.load()).map_or(default, u32::from)
}

fn share(table: &Table<'_>, name: &'static str, default: u32) -> u32 {
    table.field(name).and_then(|v| v.share()).map_or(default, u32::from)
}

fn level(table: &Table<'_>, name: &'static str) -> Option<FreeLevel> {
    let at = table.field(name)?.one_of(FreeLevel::NAMES)?;
    FreeLevel::ALL.get(at).copied()
}

fn seconds(span: Span) -> u32 {
    u32::try_from(span.as_millis() / 1_000).unwrap_or(u32::MAX)
}
