//! `[[not_ready_reasons]]`: why agents may be not ready, for how long, and how many at once.
//!
//! A name alone does, in a list of names. Owned by one reading of one file; what limits mean
//! is the engine's business.

use toml::de::DeValue;

use super::names::{self, Names};
use super::problem::{Expected, Kind};
use super::reader::{Table, Value};
use crate::engine::day::{CountsAs, Most, Reason};
use crate::time::Span;

/// Shortest and longest limit.
const LIMIT: (Span, Span) = (Span::seconds(1), Span::seconds(24 * 3_600));
/// Fewest and most agents that may be on a reason at once, where a number says it.
const AT_ONCE: (i64, i64) = (1, 100_000);

/// Reads the section, after the reasons that are always there.
pub(super) fn read(values: &[Value<'_>], always: &[&str], most: usize) -> (Names, Vec<Reason>) {
    let mut names = Names::new(Kind::Reason, most);
    let listed = always.iter().map(|name| Reason::from(names::new((*name).into())));
    let mut reasons: Vec<Reason> = listed.collect();
    for value in values {
        if !matches!(value.value, DeValue::Table(_)) {
            // A list that spells out what is always there says nothing wrong.
            if let Some(name) = value.name().filter(|n| !always.contains(&&**n))
                && names.add(value, &name)
            {
                reasons.push(names::new(name).into());
            }
            continue;
        }
        let reason = value.table("not_ready_reasons", "a reason's fields", |t| read_one(t));
        let Some((at, reason)) = reason.flatten() else { continue };
        match reasons[..always.len()].iter_mut().find(|r| r.name == reason.name) {
            Some(known) => *known = reason,
            None if names.add(&at, &reason.name) => reasons.push(reason),
            None => {}
        }
    }
    (names, reasons)
}

fn read_one<'a>(table: &Table<'a>) -> Option<(Value<'a>, Reason)> {
    let at = table.required("name", Expected::Name);
    let limit = table.field("limit").and_then(|v| v.duration(LIMIT.0, LIMIT.1));
    let most = table.field("most_at_once").and_then(|v| read_most(&v));
    let counts_as = table.field("counts_as").and_then(|v| v.one_of(CountsAs::WORDS));
    let counts_as = counts_as.and_then(|at| CountsAs::ALL.get(at).copied());
    let at = at?;
    let name = at.name()?;
    Some((at, Reason { name, retired: false, limit, most, counts_as }))
}

/// A number of agents, or a share of those of the pool who are signed in.
fn read_most(value: &Value<'_>) -> Option<Most> {
    match value.value {
        DeValue::Float(_) => {
            let percent = value.share().map(|share| share / 10).filter(|p| *p > 0);
            let percent = percent.and_then(|p| u8::try_from(p).ok());
            percent.map(Most::Share).or_else(|| value.mismatch(Expected::Share))
        }
        _ => value.integer(AT_ONCE.0, AT_ONCE.1).map(Most::Agents),
    }
}
