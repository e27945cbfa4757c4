//! `[[calendars]]`: when something is open, by the clock of a time zone.
//!
//! Owned by one reading of one file. What a calendar says at a moment is `crate::calendar`'s.

use super::names::Names;
use super::problem::{Expected, Kind};
use super::reader::{Table, Value};
use crate::engine::queue_life::{Calendar, Holiday, Opening};
use crate::engine::routing::Name;

/// Most calendars of a router.
const MOST: usize = 256;
/// The fields of a week, in order.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Reads the section.
pub(super) fn read(values: &[Value<'_>]) -> (Names, Vec<Calendar>) {
    let mut names = Names::new(Kind::Calendar, MOST);
    let mut calendars = Vec::new();
    for value in values {
        let read = value.table("calendars", "a calendar's fields", |t| read_one(t, &mut names));
        calendars.extend(read.flatten());
    }
    (names, calendars)
}

fn read_one(table: &Table<'_>, names: &mut Names) -> Option<Calendar> {
    let name_at = table.required("name", Expected::Name);
    let zone_at = table.required("zone", Expected::Zone);
    let zone = zone_at.and_then(|at| {
        let zone = at.text(Expected::Zone)?;
        let known = jiff::tz::TimeZone::get(zone).is_ok();
        if known { Some(zone.into()) } else { at.mismatch(Expected::Zone) }
    });
    let week = table
        .field("week")
        .and_then(|at| at.table("week", "the days mon to sun, each with its hours", read_week));
    let holidays = table.list("holidays", "holidays, as [[calendars.holidays]]");
    let mut holidays: Vec<Holiday> = holidays
        .iter()
        .filter_map(|v| v.table("holidays", "a holiday's fields", read_holiday).flatten())
        .collect();
    holidays.sort_by_key(|h| h.date);
    holidays.dedup_by_key(|h| h.date);
    let at = name_at?;
    let name = at.name()?;
    let calendar = Calendar {
        name: name.clone(),
        retired: false,
        // Of a file with errors nothing is used but the names.
        zone: zone.unwrap_or_default(),
        week: week.unwrap_or_default(),
        holidays,
    };
    names.add(&at, &name).then_some(calendar)
}

fn read_week(table: &Table<'_>) -> Vec<Opening> {
    let mut week = Vec::new();
    for (day, name) in (0u16..).zip(DAYS) {
        let moved = |o: Opening| Opening { from: o.from + day * DAY, to: o.to + day * DAY };
        week.extend(read_hours(table, name).into_iter().map(moved));
    }
    week
}

fn read_holiday(table: &Table<'_>) -> Option<Holiday> {
    let date = table.required("date", Expected::Date);
    let name = table.field("name").and_then(|v| v.words(64)).unwrap_or("holiday");
    let open = read_hours(table, "hours");
    let at = date?;
    let written = at.value.as_datetime().map(ToString::to_string);
    let written = written.or_else(|| at.value.as_str().map(str::to_owned));
    let date: Option<jiff::civil::Date> = written.and_then(|text| text.parse().ok());
    let date = date.or_else(|| at.mismatch(Expected::Date))?;
    let date = (date.year(), date.month().unsigned_abs(), date.day().unsigned_abs());
    Some(Holiday { date, name: Name::from(name), open })
}

/// Hours of a day, sorted.
fn read_hours(table: &Table<'_>, field: &'static str) -> Vec<Opening> {
    let hours = table.list(field, "hours, such as \"08:00-18:00\"");
    let mut hours: Vec<Opening> = hours.iter().filter_map(read_opening).collect();
    hours.sort_unstable();
    hours
}

/// One that ends before it begins ends on the next day.
fn read_opening(value: &Value<'_>) -> Option<Opening> {
    let text = value.text(Expected::Hours)?;
    let read = || {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        let to = if to <= from { to + DAY } else { to };
        (from < DAY).then_some(Opening { from, to })
    };
    read().or_else(|| value.mismatch(Expected::Hours))
}

/// A time of day, `24:00` included, in minutes since midnight.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let at = hour * 60 + minute;
    (minute < 60 && at <= DAY).then_some(at)
}
