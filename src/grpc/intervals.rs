//! The interval record for supervisors: asked of the archive, told in parts.

use std::pin::Pin;

use jiff::tz::TimeZone;
use tokio_stream::Stream;
use tonic::Status;

use super::past::unavailable;
use super::rows::MOST_ROWS;
use super::status::Fault;
use super::{Edge, unix_ms};
use crate::archive::ArchiveError;
use crate::archive::record::read::{Asked, By, Report, today};
use crate::pb::v1;

/// Longest time that is asked for at once: a year, and what a month's end takes.
const MOST_MS: u64 = 400 * 24 * 3_600 * 1_000;

/// The record in parts.
pub(super) type Parts =
    Pin<Box<dyn Stream<Item = Result<v1::ReportIntervalsResponse, Status>> + Send>>;

pub(super) async fn report(
    edge: &Edge,
    asked: v1::ReportIntervalsRequest,
) -> Result<Parts, Status> {
    let quarters = match asked.every_minutes {
        0 | 15 => 1,
        30 => 2,
        _ => return Err(invalid("every_minutes", "15 or 30")),
    };
    let zone = match &*asked.time_zone {
        "" => None,
        name => {
            let zone = TimeZone::get(name);
            Some(zone.map_err(|_| invalid("time_zone", "the IANA name of a time zone"))?)
        }
    };
    let by = match asked.by() {
        v1::IntervalsBy::Agent => By::Agent,
        v1::IntervalsBy::Unspecified | v1::IntervalsBy::Queue => By::Queue,
    };
    let (from, all) = (asked.from_unix_ms, asked.all);
    let to_ms = if asked.to_unix_ms == 0 { unix_ms() } else { asked.to_unix_ms };
    if from > to_ms || (from > 0 && to_ms - from > MOST_MS) {
        return Err(invalid("to_unix_ms", "after from_unix_ms, by at most 400 days"));
    }
    let asked = move |zone: &TimeZone| {
        let from_ms = if from == 0 { today(to_ms, zone) } else { from };
        Asked { by, quarters, from_ms, to_ms, all }
    };
    match edge.past.reader.report(zone, asked).await {
        Ok((report, zone)) => Ok(parts(report, &zone)),
        // Of a router that has just begun.
        Err(ArchiveError::Missing { .. }) => Ok(Box::pin(tokio_stream::empty())),
        Err(error) => Err(unavailable(error)),
    }
}

fn invalid(field: &'static str, expected: &'static str) -> Status {
    Fault::Invalid { field, expected }.into()
}

fn parts(report: Report, zone: &TimeZone) -> Parts {
    let time_zone = zone.iana_name().unwrap_or("UTC").to_owned();
    let part = |rows| v1::ReportIntervalsResponse {
        columns: report.columns.clone(),
        rows,
        time_zone: time_zone.clone(),
        upto_unix_ms: report.upto_ms,
    };
    let rows: Vec<v1::IntervalRow> = report
        .rows
        .into_iter()
        .map(|row| v1::IntervalRow {
            name: row.name,
            start_unix_ms: row.start_ms,
            values: row.values,
        })
        .collect();
    let mut all: Vec<_> =
        rows.chunks(MOST_ROWS as usize).map(|rows| Ok(part(rows.to_vec()))).collect();
    if all.is_empty() {
        all.push(Ok(part(Vec::new())));
    }
    Box::pin(tokio_stream::iter(all))
}
