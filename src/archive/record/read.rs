//! The interval record as people ask for it: by queue or agent, in the site's time zone.
//!
//! The tables hold quarters of UTC hours. Every time zone's offset is a whole number of quarters,
//! so that quarters of a site's hours are the same ones, and half hours are two of them. What has
//! not ended yet (a talk, work after it, an agent's state) is added as far as the archive goes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};

use super::super::error::{ArchiveError, sqlite};
use super::super::read::standing_routing;
use super::super::rows::INTERVAL_MS;
use super::super::schema;
use super::super::store::meta;
use super::super::work::Work;
use super::table::{Sums, open, sums};
use super::{AgentColumn, QueueColumn, Record, Spell};
use crate::engine::routing::Routing;
use crate::ids::AgentId;
use crate::time::{EngineTime, WallTime};

/// What `meta` calls the site's time zone.
pub(in super::super) const TIME_ZONE: &str = "time_zone";

/// Whom the rows are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Queues.
    Queue,
    /// Agents.
    Agent,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Whom the rows are about.
    pub by: By,
    /// Quarters of an hour in an interval: 1 or 2.
    pub quarters: u8,
    /// From when, and until when, exclusive; milliseconds since 1970. Quarters that these are
    /// in count whole.
    pub from_ms: u64,
    /// See `from_ms`.
    pub to_ms: u64,
    /// Intervals in which nothing happened too.
    pub all: bool,
}

/// One queue or agent in one interval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// When the interval began, milliseconds since 1970.
    pub start_ms: u64,
    /// By the place of the column in [`Report::columns`].
    pub values: Vec<u64>,
}

/// The record of some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// What the values are: the sums of the table, and for queues `waiting` and `wait_max_us`; for
    /// agents each reason for not being ready, as `not_ready_us:` and its name.
    pub columns: Vec<String>,
    /// In the order of names, then of time.
    pub rows: Vec<Row>,
    /// The archive knows everything up to then, milliseconds since 1970.
    pub upto_ms: u64,
}

/// The time zone that the archive's router works in; UTC if it has not said.
///
/// # Errors
/// The archive cannot be read.
pub fn site_zone(data: &Path) -> Result<TimeZone, ArchiveError> {
    let path = schema::path(data);
    let c = schema::open_to_read(&path)?;
    let zone = meta::<String>(&c, TIME_ZONE).map_err(sqlite(&path))?;
    Ok(zone.and_then(|zone| TimeZone::get(&zone).ok()).unwrap_or(TimeZone::UTC))
}

/// When today began by a time zone, milliseconds since 1970.
#[must_use]
pub fn today(now_ms: u64, zone: &TimeZone) -> u64 {
    let now = i64::try_from(now_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let begins = now.and_then(|now| now.to_zoned(zone.clone()).start_of_day().ok());
    begins.and_then(|at| u64::try_from(at.timestamp().as_millisecond()).ok()).unwrap_or(0)
}

/// The record of a data directory, in a time zone.
///
/// # Errors
/// The archive cannot be read.
pub fn report(data: &Path, asked: Asked, zone: &TimeZone) -> Result<Report, ArchiveError> {
    let path = schema::path(data);
    let c = schema::open_to_read(&path)?;
    let failed = sqlite(&path);
    // One moment of the archive, whatever is written meanwhile.
    c.execute_batch("BEGIN").map_err(&failed)?;
    let routing = standing_routing(&c, &path)?;
    let from_ms = asked.from_ms - asked.from_ms % INTERVAL_MS;
    let asked = Asked { from_ms, ..asked };
    let mut record = Record::default();
    unended(&c, &path, &routing, &mut record)?;
    let mut sheet = Sheet::new(&c, asked, &routing).map_err(&failed)?;
    sheet.written(&c).map_err(&failed)?;
    sheet.added(&record, &routing);
    let upto_ms = meta::<u64>(&c, "wall_ms").map_err(&failed)?.unwrap_or(0);
    Ok(sheet.report(zone, upto_ms))
}

/// What has not ended yet, as far as the archive goes.
fn unended(
    c: &Connection,
    path: &Path,
    routing: &std::sync::Arc<Routing>,
    record: &mut Record,
) -> Result<(), ArchiveError> {
    let failed = sqlite(path);
    let at = EngineTime(meta::<u64>(c, "at_us").map_err(&failed)?.unwrap_or(0));
    let lasting =
        |us: u64, ms: u64| Spell { began: WallTime(ms), lasted: at.since(EngineTime(us)) };
    let mut states = c.prepare("SELECT state FROM work").map_err(&failed)?;
    let states = states.query_map([], |row| row.get::<_, String>(0)).map_err(&failed)?;
    for state in states {
        let stored = |_| ArchiveError::Stored { path: path.into(), what: "an open contact" };
        let work: Work = serde_json::from_str(&state.map_err(&failed)?).map_err(stored)?;
        if let (Some(began), Some((agent, _))) = (work.spell, work.with) {
            let columns = match work.hold {
                Some(_) => (AgentColumn::Hold, QueueColumn::Hold),
                None => (AgentColumn::Talk, QueueColumn::Talk),
            };
            let who = (AgentId(agent), work.queue());
            record.worked(who, columns, lasting(began.us, began.ms));
        }
        for (agent, us, queue, ms) in &work.wrapping {
            let columns = (AgentColumn::WrapUp, QueueColumn::WrapUp);
            let who = (AgentId(*agent), queue.map(crate::ids::QueueId));
            record.worked(who, columns, lasting(*us, *ms));
        }
    }
    for (agent, spell) in open(c, routing).map_err(&failed)?.0 {
        record.state(agent, spell.state, spell.until(at), routing);
    }
    Ok(())
}

/// The report in making: by name and quarter.
struct Sheet {
    asked: Asked,
    columns: Vec<String>,
    names: BTreeSet<String>,
    cells: BTreeMap<(String, u64), Vec<u64>>,
    /// Contacts that waited in a queue as the time that is asked for began.
    waiting: BTreeMap<String, i64>,
}

impl Sheet {
    fn new(c: &Connection, asked: Asked, routing: &Routing) -> rusqlite::Result<Self> {
        let of = table_of(asked.by);
        let mut columns: Vec<String> = of.columns.iter().map(|name| (*name).to_owned()).collect();
        let mut names = BTreeSet::new();
        match asked.by {
            By::Queue => {
                columns.extend(["waiting".to_owned(), "wait_max_us".to_owned()]);
                let now = routing.queues.iter().filter(|q| !q.retired);
                names.extend(now.map(|q| q.name.to_string()));
            }
            By::Agent => {
                let reasons = "SELECT DISTINCT reason FROM not_ready_record
                    WHERE start_ms >= ?1 AND start_ms < ?2 ORDER BY 1";
                let mut reasons = c.prepare(reasons)?;
                let range = params![asked.from_ms, asked.to_ms];
                let listed = routing.not_ready_reasons.iter().filter(|r| !r.retired);
                let mut all: BTreeSet<String> = listed.map(|r| r.name.to_string()).collect();
                for reason in reasons.query_map(range, |row| row.get::<_, String>(0))? {
                    all.insert(reason?);
                }
                columns.extend(all.iter().map(|reason| format!("not_ready_us:{reason}")));
                let now = routing.agents.iter().filter(|a| !a.retired);
                names.extend(now.map(|a| a.name.to_string()));
            }
        }
        if !asked.all {
            names.clear();
        }
        let (cells, waiting) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { asked, columns, names, cells, waiting })
    }

    fn cell(&mut self, name: &str, start: u64) -> &mut Vec<u64> {
        let wide = self.columns.len();
        self.cells.entry((name.to_owned(), start)).or_insert_with(|| vec![0; wide])
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// What the tables say.
    fn written(&mut self, c: &Connection) -> rusqlite::Result<()> {
        let of = table_of(self.asked.by);
        let (key, table, range) = (of.keys[0], of.table, "start_ms >= ?1 AND start_ms < ?2");
        let given = params![self.asked.from_ms, self.asked.to_ms];
        let sql =
            format!("SELECT {key}, start_ms, {} FROM {table} WHERE {range}", of.columns.join(", "));
        let mut statement = c.prepare(&sql)?;
        let mut rows = statement.query(given)?;
        while let Some(row) = rows.next()? {
            let (name, start): (String, u64) = (row.get(0)?, row.get(1)?);
            let values: Vec<u64> =
                (0..of.columns.len()).map(|n| row.get(n + 2)).collect::<rusqlite::Result<_>>()?;
            for (cell, value) in self.cell(&name, start).iter_mut().zip(values) {
                *cell += value;
            }
        }
        match self.asked.by {
            By::Queue => self.queues(c),
            By::Agent => self.reasons(c),
        }
    }

    fn queues(&mut self, c: &Connection) -> rusqlite::Result<()> {
        let before = "SELECT queue, sum(offered - answered - abandoned - moved_out - overflowed_out
                - self_served - to_callback - ended) FROM queue_record WHERE start_ms < ?1 GROUP BY queue";
        let mut statement = c.prepare(before)?;
        let rows =
            statement.query_map([self.asked.from_ms], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.waiting = rows.collect::<rusqlite::Result<_>>()?;
        let longest = "SELECT queue, start_ms, wait_max_us FROM interval
            WHERE start_ms >= ?1 AND start_ms < ?2 AND wait_max_us > 0";
        let mut statement = c.prepare(longest)?;
        let mut rows = statement.query(params![self.asked.from_ms, self.asked.to_ms])?;
        let place = self.place("wait_max_us").unwrap_or(0);
        while let Some(row) = rows.next()? {
            let (name, start): (String, u64) = (row.get(0)?, row.get(1)?);
            self.cell(&name, start)[place] = row.get(2)?;
        }
        Ok(())
    }

    fn reasons(&mut self, c: &Connection) -> rusqlite::Result<()> {
        let sql = "SELECT agent, start_ms, reason, not_ready_us FROM not_ready_record
            WHERE start_ms >= ?1 AND start_ms < ?2";
        let mut statement = c.prepare(sql)?;
        let mut rows = statement.query(params![self.asked.from_ms, self.asked.to_ms])?;
        while let Some(row) = rows.next()? {
            let (name, start): (String, u64) = (row.get(0)?, row.get(1)?);
            let column = format!("not_ready_us:{}", row.get::<_, String>(2)?);
            if let Some(place) = self.place(&column) {
                self.cell(&name, start)[place] += row.get::<_, u64>(3)?;
            }
        }
        Ok(())
    }

    /// What is not in the tables yet.
    fn added(&mut self, record: &Record, routing: &Routing) {
        let (from, to) = (self.asked.from_ms, self.asked.to_ms);
        let within = |start: u64| (from..to).contains(&start);
        match self.asked.by {
            By::Queue => {
                for ((queue, start), row) in record.queues.iter().filter(|(k, _)| within(k.1)) {
                    let cell = self.cell(routing.queue_name(*queue), *start);
                    cell.iter_mut().zip(row).for_each(|(cell, more)| *cell += more);
                }
            }
            By::Agent => {
                for ((agent, start), row) in record.agents.iter().filter(|(k, _)| within(k.1)) {
                    let cell = self.cell(routing.agent_name(*agent), *start);
                    cell.iter_mut().zip(row).for_each(|(cell, more)| *cell += more);
                }
                for ((agent, reason, start), us) in &record.reasons {
                    let column = format!("not_ready_us:{}", routing.reason_name(*reason));
                    let place = self.place(&column).filter(|_| within(*start));
                    if let Some(place) = place {
                        self.cell(routing.agent_name(*agent), *start)[place] += us;
                    }
                }
            }
        }
    }

    /// Quarters into the intervals of a time zone.
    fn report(mut self, zone: &TimeZone, upto_ms: u64) -> Report {
        let Asked { by, quarters, from_ms, to_ms, .. } = self.asked;
        self.names.extend(self.cells.keys().map(|(name, _)| name.clone()));
        let waits = self.waiting.iter().filter(|(_, n)| **n > 0).map(|(name, _)| name.clone());
        self.names.extend(waits.collect::<Vec<_>>());
        let (waiting, longest) = (self.place("waiting"), self.place("wait_max_us"));
        // A clock that was set back has written into its future.
        let written = self.cells.keys().map(|(_, start)| *start).max().unwrap_or(0);
        let last = to_ms.min((written.max(upto_ms) / INTERVAL_MS + 1) * INTERVAL_MS);
        let mut rows: Vec<Row> = Vec::new();
        for name in &self.names {
            let mut queued = self.waiting.get(name).copied().unwrap_or(0);
            for start in (from_ms..last).step_by(usize::try_from(INTERVAL_MS).unwrap_or(1)) {
                let quarter = self.cells.remove(&(name.clone(), start));
                let empty = quarter.is_none() && queued == 0;
                if empty && !self.asked.all {
                    continue;
                }
                let mut quarter = quarter.unwrap_or_else(|| vec![0; self.columns.len()]);
                if by == By::Queue {
                    queued += flow(&quarter);
                }
                if let Some(place) = waiting {
                    quarter[place] = u64::try_from(queued).unwrap_or(0);
                }
                let began = began(start, quarters, zone);
                match rows.last_mut().filter(|row| row.name == *name && row.start_ms == began) {
                    Some(row) => row.add(&quarter, waiting, longest),
                    None => {
                        rows.push(Row { name: name.clone(), start_ms: began, values: quarter });
                    }
                }
            }
        }
        Report { columns: self.columns, rows, upto_ms }
    }
}

impl Row {
    /// The quarter after it, of the same interval.
    fn add(&mut self, quarter: &[u64], waiting: Option<usize>, longest: Option<usize>) {
        for (place, (value, more)) in self.values.iter_mut().zip(quarter).enumerate() {
            if Some(place) == waiting {
                *value = *more;
            } else if Some(place) == longest {
                *value = (*value).max(*more);
            } else {
                *value += more;
            }
        }
    }
}

fn table_of(by: By) -> Sums {
    let [queues, agents, _] = sums();
    match by {
        By::Queue => queues,
        By::Agent => agents,
    }
}

/// How many more wait at the end of a quarter than at its beginning.
fn flow(quarter: &[u64]) -> i64 {
    let of = |column: QueueColumn| {
        let n = quarter.get(column as usize).copied().unwrap_or(0);
        i64::try_from(n).unwrap_or(i64::MAX)
    };
    let gone = [
        QueueColumn::Answered,
        QueueColumn::Abandoned,
        QueueColumn::MovedOut,
        QueueColumn::OverflowedOut,
        QueueColumn::SelfServed,
        QueueColumn::ToCallback,
        QueueColumn::Ended,
    ];
    of(QueueColumn::Offered) - gone.into_iter().map(of).sum::<i64>()
}

/// When the interval began that a quarter is part of.
fn began(start_ms: u64, quarters: u8, zone: &TimeZone) -> u64 {
    let start = i64::try_from(start_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let minute = start.map_or(0, |start| zone.to_datetime(start).minute());
    let within = u64::from(minute.unsigned_abs()) / 15 % u64::from(quarters.max(1));
    start_ms - within * INTERVAL_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intervals(day: &str, zone: &str, quarters: u8) -> usize {
        let zone = TimeZone::get(zone).expect("it is known");
        let day: jiff::civil::Date = day.parse().expect("a day");
        let at = |day: jiff::civil::Date| {
            let at = day.to_zoned(zone.clone()).expect("it begins").timestamp();
            u64::try_from(at.as_millisecond()).expect("after 1970")
        };
        let (from, to) = (at(day), at(day.tomorrow().expect("there is one")));
        let starts: BTreeSet<u64> = (from..to)
            .step_by(usize::try_from(INTERVAL_MS).expect("it fits"))
            .map(|start| began(start, quarters, &zone))
            .collect();
        assert!(starts.iter().all(|start| (from..to).contains(start)), "{starts:?}");
        starts.len()
    }

    #[test]
    fn a_day_has_as_many_intervals_as_the_clocks_of_the_site_say() {
        for (day, zone, quarters) in [
            ("2026-11-22", "Europe/Berlin", 96),
            ("2026-03-29", "Europe/Berlin", 92),
            ("2026-10-25", "Europe/Berlin", 100),
            ("2026-11-01", "America/New_York", 100),
            ("2026-11-22", "Asia/Kathmandu", 96),
            ("2026-04-05", "Australia/Lord_Howe", 98),
        ] {
            assert_eq!(intervals(day, zone, 1), quarters, "{day} {zone}");
            assert_eq!(intervals(day, zone, 2), quarters / 2, "{day} {zone}");
        }
    }
}
