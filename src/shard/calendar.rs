//! Calendars by the clock on the wall: whether each is open and when it opens, told to the
//! engine as a command.
//!
//! Owned by the router: one task looks again at every change, and every few seconds for clocks
//! that were set; a configuration that is new tells its own. It decides nothing: what follows
//! from a queue's being closed is the engine's.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span as Days, Timestamp};
use tokio_util::sync::CancellationToken;

use super::clock::wall_now;
use super::handle::ShardHandle;
use crate::engine::callback::Window;
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Role};
use crate::engine::hours::{Hours, MOST_OPENINGS};
use crate::engine::queue_life::{Calendar, Opening};
use crate::ids::CalendarId;
use crate::time::{EngineTime, Span, WallTime};

/// How long a clock that was set may go unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Days that are looked ahead: one that changes later than in a year is as good as constant.
const AHEAD: i32 = 370;
/// Days of which openings are told: as far ahead as calls are promised.
const TOLD: i32 = 14;
/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// By so many milliseconds the two clocks may differ before openings are told anew.
const APART: u64 = 1_000;
/// When something that has no end ends.
const NEVER: u64 = u64::MAX;

/// What the engine was last told.
#[derive(Debug, Default)]
pub struct Told {
    /// The same moment by both clocks. It stays, so that the same opening is the same window.
    both: Option<(EngineTime, WallTime)>,
    /// By calendar.
    calendars: Vec<Option<Said>>,
}

/// What a calendar says at a moment, by the clock on the wall.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Said {
    open: bool,
    changes: Option<WallTime>,
    /// From when until when it is open.
    ahead: Vec<(WallTime, WallTime)>,
}

impl Told {
    /// Engine time of a wall time.
    fn engine(&self, at: WallTime) -> EngineTime {
        let (now, wall) = self.both.unwrap_or_default();
        match at.0 {
            NEVER => EngineTime(NEVER),
            at if at >= wall.0 => now + Span::millis(at - wall.0),
            at => now - Span::millis(wall.0 - at),
        }
    }

    /// Goes by these clocks from now on. If one of them was set all is told anew.
    fn look(&mut self, now: EngineTime, wall: WallTime) {
        let shows = self.engine(wall);
        let apart = shows.since(now).max(now.since(shows));
        if self.both.is_none() || apart > Span::millis(APART) {
            self.both = Some((now, wall));
            self.calendars.clear();
        }
    }

    fn hours(&self, said: &Said) -> Hours {
        let window = |(from, until): &(WallTime, WallTime)| Window {
            from: self.engine(*from),
            until: self.engine(*until),
        };
        let ahead: Arc<[Window]> = said.ahead.iter().map(window).collect();
        Hours { open: said.open, changes: said.changes, ahead }
    }
}

/// Tells the engine of every calendar that is not as it was told before. Returns after how long
/// to look again.
pub async fn tell(handle: &ShardHandle) -> Duration {
    let mut told = handle.reloads().told().lock().await;
    let routing = handle.directory().routing.clone();
    let wall = wall_now();
    told.look(handle.health().engine_now(), wall);
    told.calendars.resize(routing.calendars.len(), None);
    let mut next = LOOK_AGAIN;
    let there = (0..).map(CalendarId).zip(&routing.calendars).filter(|(_, c)| !c.retired);
    for (id, calendar) in there {
        let said = said(calendar, wall);
        next = next.min(said.changes.map_or(LOOK_AGAIN, |at| until(wall, at)));
        if told.calendars[id.index()].as_ref() == Some(&said) {
            continue;
        }
        let actor = Actor { role: Role::Router, name: "router".into() };
        let command = Command::SetHours { calendar: id, now: told.hours(&said) };
        match handle.call(actor, None, command, None).await {
            Ok(_) => told.calendars[id.index()] = Some(said),
            // It is told at the next look.
            Err(error) => tracing::debug!(%error, calendar = %id, "hours could not be told"),
        }
    }
    next
}

/// Goes on telling until it is to stop.
pub async fn run(handle: ShardHandle, stop: CancellationToken) {
    let mut next = LOOK_AGAIN;
    while stop.run_until_cancelled(tokio::time::sleep(next)).await.is_some() {
        next = tell(&handle).await;
    }
}

fn until(now: WallTime, at: WallTime) -> Duration {
    // Never at once again: the change is at its millisecond, and not before.
    Duration::from_millis(at.0.saturating_sub(now.0).max(1))
}

/// Whether a calendar is open at a moment, and when it opens. One whose time zone this machine
/// does not know is open: nobody is sent away for a missing file.
fn said(calendar: &Calendar, now: WallTime) -> Said {
    let always = Said { open: true, changes: None, ahead: Vec::new() };
    let Ok(zone) = TimeZone::get(&calendar.zone) else {
        tracing::error!(zone = %calendar.zone, "the time zone is not known here: taken for open");
        return always;
    };
    let at = i64::try_from(now.0).ok().and_then(|now| Timestamp::from_millisecond(now).ok());
    let Some(at) = at else { return always };
    let mut ahead = stretches(calendar, &zone, at);
    let open = ahead.first().is_some_and(|(from, _)| *from <= now);
    let changes = ahead.first().map(|(from, until)| if open { *until } else { *from });
    let changes = changes.filter(|at| at.0 != NEVER);
    ahead.truncate(MOST_OPENINGS);
    Said { open, changes, ahead }
}

/// From when until when it is open, those that touch as one: all of the days of which openings
/// are told, and the next one, if there is none among these.
fn stretches(calendar: &Calendar, zone: &TimeZone, at: Timestamp) -> Vec<(WallTime, WallTime)> {
    let wall = |at: Timestamp| WallTime(u64::try_from(at.as_millisecond()).unwrap_or_default());
    let today = at.to_zoned(zone.clone()).date();
    let mut found: Vec<(WallTime, WallTime)> = Vec::new();
    // What began yesterday may go on past midnight.
    for ahead in -1..=AHEAD {
        let Ok(day) = today.checked_add(Days::new().days(ahead)) else { break };
        for opening in openings(calendar, day) {
            let times = [opening.from, opening.to].map(|minute| moment(day, minute, zone));
            let [Some(from), Some(to)] = times else { continue };
            if to <= at || to <= from {
                continue;
            }
            let (from, to) = (wall(from), wall(to));
            match found.last_mut() {
                Some((_, until)) if from <= *until => *until = (*until).max(to),
                Some(_) if ahead > TOLD => return found,
                _ => found.push((from, to)),
            }
        }
    }
    if let Some((_, until)) = found.last_mut()
        && today
            .checked_add(Days::new().days(AHEAD))
            .is_ok_and(|end| moment(end, 0, zone).is_some_and(|end| *until > wall(end)))
    {
        until.0 = NEVER;
    }
    found
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
    let day = day.checked_add(Days::new().days(i32::from(minute / DAY))).ok()?;
    let (hour, minute) = (minute % DAY / 60, minute % 60);
    let time = day.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
    zone.to_ambiguous_timestamp(time).compatible().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::queue_life::Holiday;

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

    fn wall(text: &str) -> WallTime {
        let at: Timestamp = text.parse().expect("a moment");
        WallTime(u64::try_from(at.as_millisecond()).expect("after 1970"))
    }

    fn told(at: WallTime) -> String {
        let ms = i64::try_from(at.0).expect("small");
        Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| at.to_string())
    }

    fn is(calendar: &Calendar, now: &str) -> (bool, String) {
        let Said { open, changes, .. } = said(calendar, wall(now));
        (open, changes.map_or_else(String::new, told))
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
        let ahead = |calendar: &Calendar| said(calendar, wall("2026-03-28T12:00:00Z")).ahead;
        assert_eq!(ahead(&always).iter().map(|w| w.1.0).collect::<Vec<_>>(), [NEVER]);
        assert_eq!(
            (ahead(&lost), ahead(&Calendar { zone: "Europe/Berlin".into(), ..lost.clone() })),
            (vec![], vec![])
        );
    }

    #[test]
    fn openings_are_told_for_as_long_as_calls_are_promised_and_one_at_least() {
        let ahead = said(&berlin(), wall("2026-11-25T12:30:00Z")).ahead;
        let days: Vec<(String, String)> =
            ahead.iter().map(|(from, until)| (told(*from), told(*until))).collect();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(days[0], pair("2026-11-25T12:00:00Z", "2026-11-25T17:00:00Z"), "it is on");
        assert_eq!(days[1], pair("2026-11-26T07:00:00Z", "2026-11-26T11:00:00Z"));
        assert_eq!(days[5], pair("2026-11-28T21:00:00Z", "2026-11-29T01:00:00Z"), "past midnight");
        assert_eq!(days.last(), Some(&pair("2026-12-09T12:00:00Z", "2026-12-09T17:00:00Z")));
        let later = said(&berlin(), wall("2026-11-25T16:59:00Z")).ahead;
        assert_eq!(later, ahead, "told once a day and at each change, no more");
        let yearly =
            Holiday { date: (2026, 12, 24), name: "once".into(), open: vec![opening(0, 60)] };
        let yearly = Calendar { week: Vec::new(), holidays: vec![yearly], ..berlin() };
        let once = said(&yearly, wall("2026-03-28T12:00:00Z")).ahead;
        assert_eq!(once.iter().map(|w| told(w.0)).collect::<Vec<_>>(), ["2026-12-23T23:00:00Z"]);
    }

    #[test]
    fn a_clock_that_was_set_tells_all_anew_and_one_that_goes_does_not() {
        let mut told = Told::default();
        let at = |s: u64| (EngineTime::ZERO + Span::seconds(s), WallTime(1_000_000 + s * 1_000));
        let (now, wall) = at(60);
        told.look(now, wall);
        told.calendars.push(None);
        assert_eq!(told.engine(at(90).1), at(90).0);
        assert_eq!(told.engine(at(30).1), at(30).0);
        assert_eq!(told.engine(WallTime(NEVER)), EngineTime(NEVER));
        told.look(at(100).0 + Span::millis(900), at(100).1);
        assert_eq!((told.both, told.calendars.len()), (Some((now, wall)), 1), "as before");
        told.look(at(110).0, at(140).1);
        assert_eq!((told.both, told.calendars.len()), (Some((at(110).0, at(140).1)), 0));
    }
}
