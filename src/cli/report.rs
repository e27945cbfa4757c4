//! `surgeline report interval`: the interval record by the site's clock, as a table, as CSV or as
//! JSON; from a running router or from the archive of a data directory.
//!
//! What the columns mean is `docs/intervals.md`'s to say. Ratios and averages are made here, from
//! the sums.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::args::Router;
use super::client::{self, ClientError};
use super::out::{Table, Text, put};
use crate::archive::record::read::{Asked, By, Report, Row, report, site_zone, today};
use crate::pb::v1::{IntervalsBy, ReportIntervalsRequest};

/// Columns of the table for people.
const OF_QUEUES: &[&str] = &[
    "QUEUE",
    "START",
    "OFFERED",
    "ANSWERED",
    "IN TARGET",
    "LEFT",
    "SHORT",
    "OUT",
    "WAITING",
    "SL",
    "SL AFTER",
    "ASA",
    "LONGEST",
    "TALK",
    "HOLD",
    "WRAP-UP",
    "STAFFED",
];
/// The same of agents.
const OF_AGENTS: &[&str] = &[
    "AGENT",
    "START",
    "OFFERED",
    "ANSWERED",
    "DECLINED",
    "MISSED",
    "SENT ON",
    "TALK",
    "HOLD",
    "WRAP-UP",
    "STAFFED",
    "READY",
    "NOT READY",
];

/// Reports.
#[derive(Subcommand, Clone, Debug)]
pub enum ReportCommand {
    /// What each queue or agent did, by 15 or 30 minutes
    #[command(
        after_help = "Example:\n  surgeline report interval --by queue --from 2026-11-22 --csv\n\ndocs/intervals.md defines every column."
    )]
    Interval(Interval),
}

/// Which record.
#[derive(Args, Clone, Debug)]
pub struct Interval {
    /// Whom the rows are about
    #[arg(long, value_enum, default_value_t = Whom::Queue)]
    pub by: Whom,
    /// How long an interval is: 15m or 30m
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = quarters)]
    pub every: u8,
    /// From when: a day or a time of the site's clock, or a moment with an offset [default: today]
    #[arg(long, value_name = "WHEN")]
    pub from: Option<String>,
    /// Until when, exclusive [default: now]
    #[arg(long, value_name = "WHEN")]
    pub to: Option<String>,
    /// Another time zone than the site's, such as America/New_York
    #[arg(long, value_name = "NAME")]
    pub time_zone: Option<String>,
    /// Intervals in which nothing happened too
    #[arg(long)]
    pub all: bool,
    /// Comma-separated values instead of a table
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// One JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// The data directory, instead of a running router
    #[arg(long, value_name = "DIR", conflicts_with = "grpc")]
    pub data: Option<PathBuf>,
    /// The router's gRPC address
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051", env = "SURGELINE_ROUTER")]
    pub grpc: String,
}

/// Whom the rows are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Whom {
    /// Queues.
    Queue,
    /// Agents.
    Agent,
}

fn quarters(text: &str) -> Result<u8, String> {
    match text {
        "15m" => Ok(1),
        "30m" => Ok(2),
        _ => Err("expected 15m or 30m".into()),
    }
}

pub(super) fn run(command: &ReportCommand) -> anyhow::Result<ExitCode> {
    let ReportCommand::Interval(asked) = command;
    let zone = match &asked.time_zone {
        Some(name) => Some(TimeZone::get(name).with_context(|| {
            format!("--time-zone: found {name:?}, expected an IANA name such as Europe/Berlin")
        })?),
        None => None,
    };
    let told = match &asked.data {
        Some(data) => of_directory(data, asked, zone)?,
        None => client::block_on(of_router(asked.clone(), zone))?,
    };
    put(&told.text(asked))?;
    Ok(ExitCode::SUCCESS)
}

/// A record, with the time zone that it goes by.
struct Told {
    by: By,
    report: Report,
    zone: TimeZone,
}

fn now_ms() -> u64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn of_directory(data: &Path, asked: &Interval, zone: Option<TimeZone>) -> anyhow::Result<Told> {
    let zone = zone.map_or_else(|| site_zone(data), Ok)?;
    let (from_ms, to_ms) = range(asked, &zone)?;
    let by = if asked.by == Whom::Queue { By::Queue } else { By::Agent };
    let exact = Asked { by, quarters: asked.every, from_ms, to_ms, all: asked.all };
    Ok(Told { by, report: report(data, exact, &zone)?, zone })
}

async fn of_router(asked: Interval, zone: Option<TimeZone>) -> anyhow::Result<Told> {
    let router = Router { router: asked.grpc.clone() };
    let mut supervisor = client::supervisor(&router).await?;
    // Days begin by the site's clock, which the router has to tell first.
    let name = |zone: &TimeZone| zone.iana_name().unwrap_or("UTC").to_owned();
    let zone = match zone {
        Some(zone) => zone,
        None => {
            let only_zone = ReportIntervalsRequest {
                from_unix_ms: now_ms(),
                to_unix_ms: now_ms(),
                ..ReportIntervalsRequest::default()
            };
            let told = supervisor.report_intervals(only_zone).await.map_err(ClientError::from)?;
            let first = told.into_inner().message().await.map_err(ClientError::from)?;
            let zone = first.and_then(|part| TimeZone::get(&part.time_zone).ok());
            zone.unwrap_or(TimeZone::UTC)
        }
    };
    let (from_unix_ms, to_unix_ms) = range(&asked, &zone)?;
    let by = if asked.by == Whom::Queue { By::Queue } else { By::Agent };
    let request = ReportIntervalsRequest {
        by: if by == By::Queue { IntervalsBy::Queue } else { IntervalsBy::Agent }.into(),
        every_minutes: u32::from(asked.every) * 15,
        from_unix_ms,
        to_unix_ms,
        time_zone: name(&zone),
        all: asked.all,
    };
    let mut parts =
        supervisor.report_intervals(request).await.map_err(ClientError::from)?.into_inner();
    let mut report = Report { columns: Vec::new(), rows: Vec::new(), upto_ms: 0 };
    while let Some(part) = parts.message().await.map_err(ClientError::from)? {
        report.columns = part.columns;
        report.upto_ms = part.upto_unix_ms;
        report.rows.extend(part.rows.into_iter().map(|row| Row {
            name: row.name,
            start_ms: row.start_unix_ms,
            values: row.values,
        }));
    }
    Ok(Told { by, report, zone })
}

/// From when and until when, milliseconds since 1970.
fn range(asked: &Interval, zone: &TimeZone) -> anyhow::Result<(u64, u64)> {
    let now = now_ms();
    let to = asked.to.as_deref().map_or(Ok(now), |text| moment("--to", text, zone))?;
    let from = asked
        .from
        .as_deref()
        .map_or_else(|| Ok(today(now, zone)), |text| moment("--from", text, zone))?;
    anyhow::ensure!(from <= to, "--to is before --from: give the earlier one as --from");
    Ok((from, to))
}

fn moment(option: &'static str, text: &str, zone: &TimeZone) -> anyhow::Result<u64> {
    let at = text.parse::<Timestamp>().or_else(|_| {
        let civil: DateTime = text.parse()?;
        zone.to_timestamp(civil)
    });
    let at = at.ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
    at.with_context(|| {
        format!("{option}: found {text:?}, expected a day such as 2026-11-22, a time such as 2026-11-22T08:00, or a moment such as 2026-11-22T08:00:00Z")
    })
}

impl Told {
    fn text(&self, asked: &Interval) -> Text {
        if asked.json {
            self.json(asked)
        } else if asked.csv {
            self.csv(asked)
        } else {
            self.table(asked)
        }
    }

    fn start(&self, row: &Row) -> String {
        let at =
            i64::try_from(row.start_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let at = at.map(|at| at.to_zoned(self.zone.clone()));
        at.map_or_else(|| "?".into(), |at| at.strftime("%Y-%m-%dT%H:%M%:z").to_string())
    }

    fn value(&self, row: &Row, column: &str) -> u64 {
        let place = self.report.columns.iter().position(|name| name == column);
        place.and_then(|place| row.values.get(place)).copied().unwrap_or(0)
    }

    /// What follows from the sums, by name; none where there is nothing to divide by.
    fn derived(&self, row: &Row) -> Vec<(&'static str, Option<f64>)> {
        let of = |column| self.value(row, column);
        let handle = of("talk_us") + of("hold_us") + of("wrap_up_us");
        #[expect(clippy::cast_precision_loss, reason = "counts and times of a quarter")]
        let ratio = |n: u64, of: u64| (of > 0).then(|| n as f64 / of as f64);
        #[expect(clippy::cast_precision_loss, reason = "times of a quarter")]
        let mut all = vec![("handle_us", Some(handle as f64))];
        if self.by == By::Queue {
            let (answered, in_target) = (of("answered"), of("answered_in_target"));
            all.extend([
                ("asa_us", ratio(of("answered_wait_us"), answered).map(f64::round)),
                ("service_level", ratio(in_target, answered + of("abandoned"))),
                (
                    "service_level_after_target",
                    ratio(in_target, answered + of("abandoned_after_target")),
                ),
            ]);
        }
        all
    }

    fn csv(&self, asked: &Interval) -> Text {
        let whom = whom(asked.by);
        let mut header = vec![whom.to_owned(), "start".to_owned()];
        header.extend(self.report.columns.iter().cloned());
        // The same header for a record without rows.
        let values = vec![0; self.report.columns.len()];
        let derived = self.derived(&Row { name: String::new(), start_ms: 0, values });
        header.extend(derived.iter().map(|(name, _)| (*name).to_owned()));
        // Names have no commas and no quotes: the configuration's rule.
        let mut text = Text::default();
        text.line("", &header.join(","));
        for row in &self.report.rows {
            let mut cells = vec![row.name.clone(), self.start(row)];
            cells.extend(row.values.iter().map(ToString::to_string));
            let ratios = self.derived(row).into_iter().map(|(_, n)| n);
            cells.extend(ratios.map(|n| n.map_or_else(String::new, |n| n.to_string())));
            text.line("", &cells.join(","));
        }
        text
    }

    fn json(&self, asked: &Interval) -> Text {
        let row = |row: &Row| -> Value {
            let mut object = Map::new();
            object.insert(whom(asked.by).into(), json!(row.name));
            object.insert("start".into(), json!(self.start(row)));
            object.insert("start_unix_ms".into(), json!(row.start_ms));
            for (column, n) in self.report.columns.iter().zip(&row.values) {
                object.insert(column.clone(), json!(n));
            }
            for (name, n) in self.derived(row) {
                object.insert(name.into(), json!(n));
            }
            object.into()
        };
        Text::json(&json!({
            "by": whom(asked.by),
            "every_minutes": u32::from(asked.every) * 15,
            "time_zone": self.zone.iana_name().unwrap_or("UTC"),
            "upto_unix_ms": self.report.upto_ms,
            "rows": self.report.rows.iter().map(row).collect::<Vec<_>>(),
        }))
    }

    /// What fits on a screen; CSV and JSON have every column.
    fn table(&self, asked: &Interval) -> Text {
        let (header, columns): (&[&str], &[&str]) = match self.by {
            By::Queue => (
                OF_QUEUES,
                &["offered", "answered", "answered_in_target", "abandoned", "abandoned_short"],
            ),
            By::Agent => (OF_AGENTS, &["offered", "answered", "declined", "missed", "transferred"]),
        };
        let right: Vec<usize> = (2..header.len()).collect();
        let mut table = Table::new(header, &right, 1);
        for row in &self.report.rows {
            let of = |column: &str| self.value(row, column);
            let mut cells = vec![row.name.clone(), self.start(row)];
            cells.extend(columns.iter().map(|column| of(column).to_string()));
            if self.by == By::Queue {
                let out = ["moved_out", "overflowed_out", "self_served", "to_callback", "ended"];
                let out: u64 = out.iter().map(|column| of(column)).sum();
                cells.extend([out.to_string(), of("waiting").to_string()]);
                let derived = self.derived(row);
                let ratio = |name: &str| {
                    let found = derived.iter().find(|(n, _)| *n == name).and_then(|(_, r)| *r);
                    found.map_or_else(String::new, |r| format!("{:.1}%", r * 100.0))
                };
                cells.extend([ratio("service_level"), ratio("service_level_after_target")]);
                let asa = of("answered_wait_us").checked_div(of("answered")).unwrap_or(0);
                cells.extend([clock(asa), clock(of("wait_max_us"))]);
            }
            cells.extend(["talk_us", "hold_us", "wrap_up_us", "staffed_us"].map(|c| clock(of(c))));
            if self.by == By::Agent {
                cells.extend(["ready_us", "not_ready_us"].map(|column| clock(of(column))));
            }
            table.row(cells);
        }
        let mut text = Text::default();
        text.lines(&table.lines());
        let upto = i64::try_from(self.report.upto_ms).ok();
        let upto = upto.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let upto = upto.map_or_else(|| "?".into(), |at| at.to_zoned(self.zone.clone()).to_string());
        let (n, every) = (self.report.rows.len(), u32::from(asked.every) * 15);
        text.line("", &format!("{n} intervals of {every} minutes; known up to {upto}"));
        text
    }
}

fn whom(by: Whom) -> &'static str {
    match by {
        Whom::Queue => "queue",
        Whom::Agent => "agent",
    }
}

/// Minutes and seconds, hours where there are any.
fn clock(us: u64) -> String {
    let seconds = (us + 500_000) / 1_000_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Interval {
        Interval {
            by: Whom::Queue,
            every: 1,
            from: None,
            to: None,
            time_zone: None,
            all: false,
            csv: false,
            json: false,
            data: None,
            grpc: String::new(),
        }
    }

    /// The row of `reference/service_level.csv`: 1,000 arrivals in thirty minutes.
    fn told() -> Told {
        let columns = [
            "offered",
            "answered",
            "answered_in_target",
            "abandoned",
            "abandoned_after_target",
            "answered_wait_us",
            "talk_us",
        ];
        let values = vec![10_000, 9_434, 8_113, 566, 377, 94_340_000_000, 61_000_000];
        let row = Row { name: "calls".into(), start_ms: 1_792_890_000_000, values };
        let columns = columns.map(str::to_owned).to_vec();
        let report = Report { columns, rows: vec![row], upto_ms: 1_792_890_900_000 };
        Told { by: By::Queue, report, zone: TimeZone::get("Europe/Berlin").unwrap() }
    }

    #[test]
    fn both_service_levels_follow_from_the_sums() {
        let told = told();
        let derived = told.derived(&told.report.rows[0]);
        let of = |name: &str| derived.iter().find(|(n, _)| *n == name).unwrap().1.unwrap();
        assert_eq!(of("asa_us"), 10_000_000.0);
        assert!((of("service_level") - 0.8113).abs() < 1e-9, "F3");
        assert!((of("service_level_after_target") - 0.8269).abs() < 1e-4, "F4");
        let nobody = Row { values: vec![0; 7], ..told.report.rows[0].clone() };
        assert_eq!(told.derived(&nobody)[2], ("service_level", None));
    }

    #[test]
    fn times_are_the_sites_with_their_offset_in_each_form() {
        let told = told();
        let start = "2026-10-25T02:00+01:00";
        let csv = told.text(&Interval { csv: true, ..asked() });
        let lines: Vec<&str> = csv.as_str().lines().collect();
        assert!(lines[0].starts_with("queue,start,offered,answered"), "{}", lines[0]);
        assert!(lines[1].starts_with(&format!("calls,{start},10000,9434")), "{}", lines[1]);
        assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
        let json = told.text(&Interval { json: true, ..asked() });
        let value: Value = serde_json::from_str(json.as_str()).unwrap();
        assert_eq!(
            (&value["rows"][0]["start"], &value["time_zone"]),
            (&json!(start), &json!("Europe/Berlin"))
        );
        assert_eq!(value["rows"][0]["offered"], 10_000);
        let table = told.text(&asked());
        assert!(table.as_str().contains(start) && table.as_str().contains("81.1%"), "{table:?}");
    }

    #[test]
    fn moments_are_days_times_and_timestamps() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| moment("--from", text, &zone).ok();
        assert_eq!(at("2026-11-22"), at("2026-11-21T23:00:00Z"));
        assert_eq!(at("2026-11-22T08:00"), at("2026-11-22T07:00:00Z"));
        let wrong = moment("--from", "yesterday", &zone).unwrap_err().to_string();
        assert!(wrong.starts_with("--from: found \"yesterday\", expected a day"), "{wrong}");
    }

    #[test]
    fn a_clock_has_hours_when_there_are_any() {
        assert_eq!([0, 59_600_000, 3_661_000_000].map(clock), ["0:00", "1:00", "1:01:01"]);
    }
}
