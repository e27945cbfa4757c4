//! Calendars by the clock on the wall: whether each is open and when that changes, told to
//! the engine as a command.
//!
//! Owned by the router: one task looks again at every change, and every few seconds for clocks
//! that were set and configurations that are new. It decides nothing: what follows from a
//! queue's being closed is the engine's.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::engine::command::Command;
use crate::engine::entry::{Actor, Role};
use crate::engine::hours::Hours;
use crate::engine::queue_life::{Calendar, Opening};
use crate::engine::routing::Routing;
use crate::ids::CalendarId;
use crate::shard::handle::ShardHandle;
use crate::time::WallTime;

/// How long a clock that was set, or a new configuration, may go unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Days that are looked ahead: one that changes later than in a year is as good as constant.
const AHEAD: i32 = 370;
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// What the engine was last told, by calendar.
#[derive(Debug, Default)]
pub struct Told(Vec<Option<Hours>>);

/// Tells the engine of every calendar that is not as it was told before. Returns after how long
/// to look again.
pub async fn tell(handle: &ShardHandle, told: &mut Told) -> Duration {
    let routing = handle.directory().routing.clone();
    let now = Timestamp::now();
    let mut next = LOOK_AGAIN;
    told.0.resize(routing.calendars.len(), None);
    for (id, hours) in all(&routing, now) {
        let left = hours.changes.map(|at| until(now, at)).unwrap_or(LOOK_AGAIN);
        next = next.min(left);
        if told.0[id.index()] == Some(hours) {
            continue;
        }
        let actor = Actor { role: Role::Router, name: "router".into() };
        let command = Command::SetHours { calendar: id, now: hours };
        match handle.call(actor, None, command, None).await {
            Ok(_) => told.0[id.index()] = Some(hours),
            // It is told at the next look.
            Err(error) => tracing::debug!(%error, calendar = %id, "hours could not be told"),
        }
    }
    next
}

/// Goes on telling until it is to stop.
pub async fn run(handle: ShardHandle, mut told: Told, stop: CancellationToken) {
    let mut next = LOOK_AGAIN;
    while stop.run_until_cancelled(tokio::time::sleep(next)).await.is_some() {
        next = tell(&handle, &mut told).await;
    }
}

fn until(now: Timestamp, at: WallTime) -> Duration {
    let now = u64::try_from(now.as_millisecond()).unwrap_or_default();
    // Never at once again: the change is at its millisecond, and not before.
    Duration::from_millis(at.0.saturating_sub(now).max(1))
}

fn all(routing: &Routing, now: Timestamp) -> impl Iterator<Item = (CalendarId, Hours)> {
    let calendars = (0..).map(CalendarId).zip(&routing.calendars);
    calendars.filter(|(_, c)| !c.retired).map(move |(id, c)| (id, hours(c, now)))
}

/// Whether a calendar is open at a moment, and when that changes. One whose time zone this
/// machine does not know is open: nobody is sent away for a missing file.
#[must_use]
pub fn hours(calendar: &Calendar, at: Timestamp) -> Hours {
    let Ok(zone) = TimeZone::get(&calendar.zone) else {
        tracing::error!(zone = %calendar.zone, "the time zone is not known here: taken for open");
        return Hours::default();
    };
    let today = at.to_zoned(zone.clone()).date();
    let mut open_until: Option<Timestamp> = None;
    let wall = |at: Timestamp| u64::try_from(at.as_millisecond()).ok().map(WallTime);
    // What began yesterday may go on past midnight.
    for ahead in -1..=AHEAD {
        let Ok(day) = today.checked_add(Span::new().days(ahead)) else { break };
        for opening in openings(calendar, day) {
            let times = [opening.from, opening.to].map(|minute| moment(day, minute, &zone));
            let [Some(from), Some(to)] = times else { continue };
            if to <= at || to <= from {
                continue;
            }
            match open_until {
                None if from <= at => open_until = Some(to),
                None => return Hours { open: false, changes: wall(from) },
                Some(until) if from <= until => open_until = Some(until.max(to)),
                Some(until) => return Hours { open: true, changes: wall(until) },
            }
        }
    }
    Hours { open: open_until.is_some(), changes: None }
}

/// When it is open on a day, in minutes since its midnight.
fn openings(calendar: &Calendar, day: Date) -> Vec<Opening> {
    let date = (day.year(), day.month().unsigned_abs(), day.day().unsigned_abs());
    if let Some(holiday) = calendar.holidays.iter().find(|h| h.date == date) {
        return holiday.open.clone();
    }
    let weekday = u16::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
    let midnight = weekday * DAY;
    let of_day = |o: &&Opening| (midnight..midnight + DAY).contains(&o.from);
    let since =
        |o: &Opening| Opening { from: o.from - midnight, to: o.to.saturating_sub(midnight) };
    calendar.week.iter().filter(of_day).map(since).collect()
}

/// A minute of a day as a moment; where clocks are set it is the one that a reader of the
/// clock would say: after the gap, and the first of two.
fn moment(day: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let day = day.checked_add(Span::new().days(i32::from(minute / DAY))).ok()?;
    let (hour, minute) = (minute % DAY / 60, minute % 60);
    let time = day.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
    zone.to_ambiguous_timestamp(time).compatible().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::queue_life::Holiday;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn opening(from: u16, to: u16) -> Opening {
        Opening { from, to }
    }

    /// Berlin: Monday to Friday 8 to 12 and 13 to 18, Saturday 22 to 2.
    fn berlin() -> Calendar {
        let weekdays = (0..5).flat_map(|d| {
            [opening(d * DAY + 480, d * DAY + 720), opening(d * DAY + 780, d * DAY + 1_080)]
        });
        let saturday = opening(5 * DAY + 1_320, 6 * DAY + 120);
        Calendar {
            name: "berlin".into(),
            zone: "Europe/Berlin".into(),
            week: weekdays.chain([saturday]).collect(),
            holidays: vec![
                Holiday {
                    date: (2026, 12, 24),
                    name: "Christmas Eve".into(),
                    open: vec![opening(540, 660)],
                },
                Holiday { date: (2026, 12, 25), name: "Christmas".into(), open: Vec::new() },
            ],
            ..Calendar::default()
        }
    }

    fn is(calendar: &Calendar, now: &str) -> (bool, String) {
        let Hours { open, changes } = hours(calendar, at(now));
        let changes = changes
            .and_then(|c| Timestamp::from_millisecond(i64::try_from(c.0).expect("small")).ok());
        (open, changes.map_or_else(String::new, |c| c.to_string()))
    }

    #[test]
    fn hours_go_by_the_clock_of_their_zone() {
        let table = [
            // A Wednesday in winter: an hour ahead of Greenwich.
            ("2026-11-25T06:59:59Z", false, "2026-11-25T07:00:00Z"),
            ("2026-11-25T07:00:00Z", true, "2026-11-25T11:00:00Z"),
            ("2026-11-25T11:30:00Z", false, "2026-11-25T12:00:00Z"),
            // Friday evening to Saturday night, and past midnight.
            ("2026-11-27T18:00:00Z", false, "2026-11-28T21:00:00Z"),
            ("2026-11-28T23:30:00Z", true, "2026-11-29T01:00:00Z"),
            ("2026-11-29T01:00:00Z", false, "2026-11-30T07:00:00Z"),
            // Holidays are other than their weekday.
            ("2026-12-24T07:30:00Z", false, "2026-12-24T08:00:00Z"),
            ("2026-12-24T09:00:00Z", true, "2026-12-24T10:00:00Z"),
            ("2026-12-25T09:00:00Z", false, "2026-12-26T21:00:00Z"),
        ];
        for (now, open, changes) in table {
            assert_eq!(is(&berlin(), now), (open, changes.to_owned()), "{now}");
        }
    }

    #[test]
    fn clocks_that_are_set_move_no_opening() {
        // Clocks go forward at 2 on 29 March 2026: Monday's 8 o'clock comes an hour sooner.
        assert_eq!(is(&berlin(), "2026-03-27T20:00:00Z").1, "2026-03-28T21:00:00Z");
        assert_eq!(is(&berlin(), "2026-03-29T12:00:00Z").1, "2026-03-30T06:00:00Z");
        // What would open in the hour that there is not opens after it.
        let night = Calendar { week: vec![opening(6 * DAY + 150, 6 * DAY + 300)], ..berlin() };
        assert_eq!(is(&night, "2026-03-28T12:00:00Z").1, "2026-03-29T01:30:00Z");
        // And back on 25 October: 2 o'clock is there twice, the first counts.
        assert_eq!(is(&night, "2026-10-24T12:00:00Z").1, "2026-10-25T00:30:00Z");
    }

    #[test]
    fn one_that_is_always_open_never_changes_and_an_unknown_zone_sends_nobody_away() {
        let always = (0..7).map(|d| opening(d * DAY, (d + 1) * DAY)).collect();
        let always = Calendar { week: always, holidays: Vec::new(), ..berlin() };
        assert_eq!(is(&always, "2026-03-28T12:00:00Z"), (true, String::new()));
        let never = Calendar { week: Vec::new(), holidays: Vec::new(), ..berlin() };
        assert_eq!(is(&never, "2026-03-28T12:00:00Z"), (false, String::new()));
        let lost = Calendar { zone: "Mars/Olympus".into(), ..never };
        assert!(is(&lost, "2026-03-28T12:00:00Z").0);
    }
}
