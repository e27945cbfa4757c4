//! `[tiers]` and `[safety]`: who takes contacts from which level, and who is kept for safety.
//!
//! Owned by one reading.

use super::surge;
use crate::config::names::Names;
use crate::config::problem::{Expected, Fault, Kind};
use crate::config::reader::{Table, Value};
use crate::recall::playbook::{FaqTier, IvrTier, Kept, Late, Level, SafetyLane, Tiers};
use crate::time::Span;

const MOST_KEPT: usize = 1_024;
/// Most characters of a telephone number, or of the name of one.
const LONGEST_NUMBER: usize = 64;
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// Reads the tiers; a playbook may have none.
pub(super) fn read(file: &Table<'_>) -> Tiers {
    let Some(at) = file.field("tiers") else { return Tiers::default() };
    let tiers = at.table("tiers", "tiers: faq, ivr, callback, partner, soon", |table| Tiers {
        faq: table
            .field("faq")
            .and_then(|v| v.table("tiers.faq", "a tier's fields", faq))
            .flatten(),
        ivr: table
            .field("ivr")
            .and_then(|v| v.table("tiers.ivr", "a tier's fields", ivr))
            .flatten(),
        callback: table
            .field("callback")
            .and_then(|v| v.table("tiers.callback", "a tier's fields", surge::callback))
            .flatten(),
        partner: table
            .field("partner")
            .and_then(|v| v.table("tiers.partner", "a tier's fields", surge::partner))
            .flatten(),
        soon_s: seconds(table, "soon", 2 * MINUTE, (0, 10 * MINUTE)),
    });
    tiers.unwrap_or_default()
}

fn faq(table: &Table<'_>) -> Option<FaqTier> {
    let from = required_level(table);
    let floor = table.required("floor", Expected::Share).and_then(|v| v.share());
    let tier = |from, floor_thousandths| FaqTier {
        from,
        capacity: table.integer("capacity", 10_000, (1, 1_000_000)),
        floor_thousandths,
        chat_pacing_s: seconds(table, "chat_pacing", 15, (0, 10 * MINUTE)),
        email_pacing_s: seconds(table, "email_pacing", 10 * MINUTE, (0, DAY)),
        message_pacing_s: seconds(table, "message_pacing", MINUTE, (0, HOUR)),
        chat_silence_s: silence(table, "chat_silence", 10 * MINUTE),
        email_silence_s: silence(table, "email_silence", DAY),
        message_silence_s: silence(table, "message_silence", 2 * HOUR),
        chat_time_limit_s: limit(table, "chat_time_limit", HOUR),
        email_time_limit_s: limit(table, "email_time_limit", 2 * DAY),
        message_time_limit_s: limit(table, "message_time_limit", 6 * HOUR),
    };
    // Asked for in any case, so that every field is read and its faults are told.
    let read = tier(from.unwrap_or(Level::Surge), floor.unwrap_or(1_000));
    for (limit_s, limit, silence_s, silence) in [
        (read.chat_time_limit_s, "chat_time_limit", read.chat_silence_s, "chat_silence"),
        (read.email_time_limit_s, "email_time_limit", read.email_silence_s, "email_silence"),
        (
            read.message_time_limit_s,
            "message_time_limit",
            read.message_silence_s,
            "message_silence",
        ),
    ] {
        // A limit that is not written is the default one; then the silence is what is too long.
        let at = table.field(limit).or_else(|| table.field(silence));
        if let Some(at) = at.filter(|_| limit_s < silence_s) {
            let (limit_s, silence_s) = (limit_s.into(), silence_s.into());
            let (limit_is, silence_is) = (Span::seconds(limit_s), Span::seconds(silence_s));
            at.fault(Fault::LimitBelow { limit, limit_is, silence, silence_is });
        }
    }
    (from.is_some() && floor.is_some()).then_some(read)
}

fn silence(table: &Table<'_>, name: &'static str, default: u64) -> u32 {
    seconds(table, name, default, (30, 7 * DAY))
}

fn limit(table: &Table<'_>, name: &'static str, default: u64) -> u32 {
    seconds(table, name, default, (MINUTE, 7 * DAY))
}

fn ivr(table: &Table<'_>) -> Option<IvrTier> {
    let from = required_level(table);
    let time_limit_s = seconds(table, "time_limit", 10 * MINUTE, (30, HOUR));
    let ports =
        table.required("ports", Expected::Integer(1, 100_000)).and_then(|v| v.integer(1, 100_000));
    Some(IvrTier { from: from?, time_limit_s, ports: ports? })
}

fn required_level(table: &Table<'_>) -> Option<Level> {
    table.required("from", Expected::OneOf(Level::NAMES))?;
    level(table, Level::Surge)
}

/// The level from which a tier takes contacts; none if it is none.
pub(super) fn level(table: &Table<'_>, default: Level) -> Option<Level> {
    let Some(at) = table.field("from") else { return Some(default) };
    at.one_of(Level::NAMES).map(|at| [Level::Elevated, Level::Surge, Level::Critical][at])
}

pub(super) fn seconds(
    table: &Table<'_>,
    name: &'static str,
    default: u64,
    range: (u64, u64),
) -> u32 {
    let range = (Span::seconds(range.0), Span::seconds(range.1));
    let span = table.duration(name, Span::seconds(default), range);
    u32::try_from(span.as_millis() / 1_000).unwrap_or(u32::MAX)
}

/// Reads the safety lane, which every playbook has.
pub(super) fn read_safety(file: &Table<'_>) -> Option<SafetyLane> {
    let at = file.required("safety", Expected::Table("the safety lane's fields"))?;
    at.table("safety", "the safety lane's fields", |table| safety(table, &at)).flatten()
}

fn safety(table: &Table<'_>, at: &Value<'_>) -> Option<SafetyLane> {
    let name = |v: Value<'_>| -> Option<Box<str>> { v.name().map(|n| (&*n).into()) };
    let queue = table.required("queue", Expected::Name).and_then(name);
    let external = table.field("external").and_then(|v| v.words(LONGEST_NUMBER)).map(Into::into);
    let kept = match (table.field("pool"), table.field("agents")) {
        (Some(pool), None) => name(pool).map(Kept::Pool),
        (None, Some(agents)) => read_agents(&agents),
        (pool, _) => {
            let found = if pool.is_some() { "both" } else { "neither" };
            at.fault(Fault::Either { found, one: "pool", other: "agents" });
            None
        }
    };
    let of = |name, least| written(table, name, least);
    let late = Late {
        target_s: of("target", 1),
        any_agent_after_s: of("any_agent_after", 1),
        external_after_s: of("external_after", 1),
        page_after_s: of("page_after", 1),
        page_repeat_s: of("page_repeat", MINUTE),
    };
    Some(SafetyLane { queue: queue?, kept: kept?, external, late })
}

/// Seconds up to an hour, where they are written.
fn written(table: &Table<'_>, name: &'static str, least: u64) -> Option<u32> {
    let range = (Span::seconds(least), Span::seconds(HOUR));
    let span = table.field(name)?.duration(range.0, range.1)?;
    u32::try_from(span.as_millis() / 1_000).ok()
}

fn read_agents(at: &Value<'_>) -> Option<Kept> {
    const EXPECTED: Expected = Expected::List("names of agents, at least one");
    let mut names = Names::new(Kind::Agent, MOST_KEPT);
    let mut agents: Vec<Box<str>> = Vec::new();
    for value in at.list("names of agents, at least one") {
        if let Some(agent) = value.name().filter(|n| names.add(&value, n)) {
            agents.push((&*agent).into());
        }
    }
    match (agents.is_empty(), at.value.as_array()) {
        (true, Some(array)) if array.is_empty() => at.mismatch(EXPECTED),
        (true, _) => None,
        (false, _) => Some(Kept::Agents(agents)),
    }
}
