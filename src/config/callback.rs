//! `[queues.callback]` and `[promises]`: how customers are called back, and how promises are
//! kept. Goes to the engine.
//!
//! Owned by one reading of one file; what the words mean is in `docs/callbacks.md`.

use std::sync::Arc;

use super::reader::{Table, Value};
use crate::engine::callback::{CallbackPolicy, DialMode, DialOutcome, Retry};
use crate::engine::promise::PromiseSettings;
use crate::time::Span;

const OF: &str = "a queue's callbacks";
const ROW: &str = "a row of the retry table";
const PROMISES: &str = "how promises are kept";

const SECOND: Span = Span::seconds(1);
const TWO_MINUTES: Span = Span::seconds(120);
const DAY: Span = Span::seconds(86_400);
/// Most calls that anybody expects to serve in an hour.
const MOST_PER_HOUR: i64 = 1_000_000;
/// Outcomes that a retry table may name: who answered is not called again, and a number that
/// does not exist never is.
const REPEATED: [DialOutcome; 4] =
    [DialOutcome::Machine, DialOutcome::Busy, DialOutcome::NoAnswer, DialOutcome::Congestion];
const WORDS: &[&str] = &["machine", "busy", "no_answer", "congestion"];

/// Reads a queue's section; none if it has none.
pub(super) fn read(queue: &Table<'_>) -> Option<Arc<CallbackPolicy>> {
    let at = queue.field("callback")?;
    at.table("callback", OF, read_policy).map(Arc::new)
}

fn read_policy(table: &Table<'_>) -> CallbackPolicy {
    let default = CallbackPolicy::default();
    CallbackPolicy {
        mode: table.word("mode", default.mode, DialMode::ALL, DialMode::WORDS),
        share: table.integer("share", default.share, (1, 100)),
        per_hour: table.integer("per_hour", default.per_hour, (0, MOST_PER_HOUR)),
        ring: table.duration("ring", default.ring, (SECOND, TWO_MINUTES)),
        within: table.duration("within", default.within, (SECOND, DAY)),
        lost_per_minute: table.integer("lost_per_minute", default.lost_per_minute, (1, 60_000)),
        retry: read_retry(table, default.retry),
    }
}

/// A table that is given replaces the whole of the built-in one.
fn read_retry(table: &Table<'_>, default: [Retry; 6]) -> [Retry; 6] {
    let rows = table.list("retry", "rows, as [[queues.callback.retry]]");
    if rows.is_empty() {
        return default;
    }
    let mut retry = [Retry::default(); 6];
    for row in &rows {
        row.table("retry", ROW, |t| read_row(t, &mut retry));
    }
    retry
}

fn read_row(table: &Table<'_>, retry: &mut [Retry; 6]) {
    const RESULT: super::problem::Expected = super::problem::Expected::OneOf(WORDS);
    let result = table.required("result", RESULT).and_then(|at| at.one_of(WORDS));
    let row = Retry {
        after: table.duration("after", Span::seconds(300), (Span::ZERO, DAY)),
        most: table.integer("most", 1, (0, 100)),
    };
    if let Some(result) = result {
        retry[REPEATED[result].index()] = row;
    }
}

/// Reads `[promises]`.
pub(super) fn read_promises(value: &Value<'_>) -> PromiseSettings {
    let default = PromiseSettings::default();
    let read = value.table("promises", PROMISES, |t| PromiseSettings {
        follow_ups_per_hour: t.integer(
            "follow_ups_per_hour",
            default.follow_ups_per_hour,
            (1, 100_000),
        ),
        lead: t.duration("lead", default.lead, (SECOND, DAY)),
    });
    read.unwrap_or(default)
}
