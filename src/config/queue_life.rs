//! Of `[[queues]]`: steps, hours, most in line, and what becomes of those whom a queue does
//! not take. See `docs/queues.md`.
//!
//! Owned by one reading of one file.

use super::names::Names;
use super::problem::{Expected, Fault, Kind};
use super::reader::{Table, Value};
use crate::engine::queue_life::{
    Fallback, MOST_STEPS, Overflow, Pools, QueueLife, QueueStep, Then,
};
use crate::ids::{CalendarId, ExternalId, NoticeId, PoolId, QueueId};
use crate::time::Span;

const SECOND: Span = Span::seconds(1);
const HOUR: Span = Span::seconds(3_600);
const DAY: Span = Span::seconds(86_400);
const WEEK: Span = Span::seconds(7 * 86_400);
/// Most that can be set as the most in line.
const MOST_WAITING: i64 = 1_000_000;

/// What the fields of a queue's life refer to.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) queues: &'a Names,
    pub(super) pools: &'a Names,
    pub(super) calendars: &'a Names,
    pub(super) externals: &'a Names,
    pub(super) notices: &'a Names,
}

/// Reads a queue's `[[queues.steps]]`.
pub(super) fn read_steps(table: &Table<'_>, known: Known<'_>) -> Vec<QueueStep> {
    let values = table.list("steps", "steps, as [[queues.steps]]");
    let mut steps: Vec<QueueStep> = Vec::new();
    for value in &values {
        let step = value.table("steps", "a step's fields", |t| read_step(t, known)).flatten();
        let Some(step) = step else { continue };
        if steps.last().is_some_and(|last| last.after >= step.after) {
            value.fault(Fault::StepOrder);
        } else {
            steps.push(step);
        }
    }
    if let Some(value) = values.get(MOST_STEPS) {
        value.fault(Fault::TooMany { kind: Kind::Step, most: MOST_STEPS });
    }
    steps
}

fn read_step(table: &Table<'_>, known: Known<'_>) -> Option<QueueStep> {
    let expected = Expected::Duration(SECOND, WEEK);
    let after = table.required("after", expected).and_then(|v| v.duration(SECOND, WEEK));
    let pools = table.list("add_pools", "names of pools");
    let mut add_pools: Pools =
        pools.iter().filter_map(|v| known.pools.find_value(v).map(PoolId)).collect();
    add_pools.sort_unstable();
    add_pools.dedup();
    let step = QueueStep {
        after: Span::ZERO,
        lower_proficiency: table.integer("lower_proficiency", 0, (0, 4)),
        drop_preferred: table.field("drop_preferred").and_then(|v| v.boolean()).unwrap_or(false),
        add_pools,
        raise_priority: table.duration("raise_priority", Span::ZERO, (Span::ZERO, DAY)),
        overflow: table.field("overflow").and_then(|v| read_overflow(&v, known)),
        tell: table.field("tell").and_then(|v| known.notices.find_value(&v)).map(NoticeId),
    };
    after.map(|after| QueueStep { after, ..step })
}

fn read_overflow(value: &Value<'_>, known: Known<'_>) -> Option<Overflow> {
    let read = |table: &Table<'_>| {
        let queue = table.field("queue");
        let external = table.field("external");
        let (one, other) = ("queue", "external");
        match (&queue, &external) {
            (Some(at), None) => known.queues.find_value(at).map(QueueId).map(Overflow::Queue),
            (None, Some(at)) => {
                known.externals.find_value(at).map(ExternalId).map(Overflow::External)
            }
            (None, None) => {
                value.fault(Fault::Either { found: "neither", one, other });
                None
            }
            (Some(_), Some(_)) => {
                value.fault(Fault::Either { found: "both", one, other });
                None
            }
        }
    };
    value.table("overflow", "`queue` or `external`", read).flatten()
}

/// Reads a queue's hours, its most in line, and what it tells.
pub(super) fn read_life(table: &Table<'_>, known: Known<'_>) -> QueueLife {
    let calls_back = table.field("callback").is_some();
    let hours = table.field("hours").and_then(|v| known.calendars.find_value(&v));
    let default = QueueLife::default();
    QueueLife {
        hours: hours.map(CalendarId),
        closed: read_fallback(table, "closed", known, calls_back),
        most_waiting: table.integer("most_waiting", default.most_waiting, (0, MOST_WAITING)),
        full: read_fallback(table, "full", known, calls_back),
        updates: match table.field("updates") {
            Some(v) if v.value.as_str() == Some("0s") => Span::ZERO,
            Some(v) => v.duration(Span::seconds(5), HOUR).unwrap_or_default(),
            None => Span::ZERO,
        },
    }
}

fn read_fallback(
    table: &Table<'_>,
    field: &'static str,
    known: Known<'_>,
    calls_back: bool,
) -> Fallback {
    let Some(value) = table.field(field) else { return Fallback::default() };
    let read = |table: &Table<'_>| {
        let tell_at = table.field("tell");
        let tell = tell_at.as_ref().and_then(|v| known.notices.find_value(v)).map(NoticeId);
        let word = table.required("then", Expected::OneOf(Then::WORDS));
        let to = table.field("to");
        let word = word.and_then(|v| Some((v.one_of(Then::WORDS)?, v)));
        let target = |names: &Names| -> Option<u16> {
            match &to {
                Some(at) => names.find_value(at),
                None => {
                    let missing = Fault::Missing { name: "to", expected: Expected::Name };
                    value.fault(missing);
                    None
                }
            }
        };
        let then = match word {
            Some((1, at)) => {
                if !calls_back {
                    at.fault(Fault::NoCallbacks);
                }
                Then::Callback
            }
            Some((2, _)) => target(known.queues)
                .map_or(Then::Wait, |q| Then::Overflow(Overflow::Queue(QueueId(q)))),
            Some((3, _)) => target(known.externals)
                .map_or(Then::Wait, |e| Then::Overflow(Overflow::External(ExternalId(e)))),
            Some((4, _)) => {
                if tell_at.is_none() {
                    value.fault(Fault::Missing { name: "tell", expected: Expected::Name });
                }
                Then::Close
            }
            _ => Then::Wait,
        };
        Fallback { tell, then }
    };
    value.table("fallback", "`tell`, `then` and `to`", read).unwrap_or_default()
}
