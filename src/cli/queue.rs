//! `surgeline queue list|watch`.

use std::io::IsTerminal;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::Router;
use super::client::{ClientError, pages, supervisor};
use super::out::{Ink, Palette, Reader, Table, Text, put};
use super::words::{length, share, word};
use crate::pb::v1::{ExpectedWait, ListQueuesRequest, QueueRow, WatchQueuesRequest};

/// What stands over [`cells`].
pub(super) const HEADER: [&str; 12] = [
    "QUEUE",
    "WAITING",
    "OLDEST",
    "OFFERED",
    "ANSWERED",
    "ABANDONED",
    "OTHER",
    "SL ALL",
    "SL LATE",
    "TARGET",
    "ASA",
    "READY/ABLE",
];
/// Those of its columns that are numbers.
pub(super) const NUMBERS: [usize; 11] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
/// What the columns mean.
pub(super) const LEGEND: [&str; 4] = [
    "SL ALL = answered in target / (answered + abandoned)   ASA = average speed of answer",
    "SL LATE = answered in target / (answered + abandoned after target)",
    "OTHER = offered, but none of these: held for an agent, connecting, moved, transferred, closed",
    "READY/ABLE = agents free now / signed in with the skills   ! = past target, or nobody able",
];

pub(super) async fn list(router: &Router, as_json: bool) -> anyhow::Result<ExitCode> {
    let client = supervisor(router).await?;
    let rows = pages(|page_token| {
        let mut client = client.clone();
        async move {
            let request = ListQueuesRequest { page_token, ..Default::default() };
            let page = client.list_queues(request).await?.into_inner();
            Ok((page.queues, page.next_page_token))
        }
    })
    .await?;
    put(&if as_json {
        Text::json(&Value::from_iter(rows.iter().map(json_row)))
    } else {
        text(&rows, Palette::of_stdout())
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn watch(
    router: &Router,
    as_json: bool,
    interval_ms: u32,
) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(router).await?;
    let request = WatchQueuesRequest { queues: Vec::new(), interval_ms };
    let mut stream = client.watch_queues(request).await.map_err(ClientError::from)?.into_inner();
    let palette = Palette::of_stdout();
    loop {
        let next = tokio::select! {
            next = stream.message() => next.map_err(ClientError::watching)?,
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        };
        // It goes on until somebody ends it, and it was not we.
        let now = next.ok_or(ClientError::Stopped)?;
        let shown = if as_json {
            let queues = Value::from_iter(now.queues.iter().map(json_row));
            Text::json_line(&json!({ "read_unix_ms": now.read_unix_ms, "queues": queues }))
        } else {
            // Home and clear below: no flicker, nothing left of longer tables.
            let clear = if std::io::stdout().is_terminal() { "\x1b[H\x1b[J" } else { "" };
            let mut shown = Text::own(clear);
            shown.append(&text(&now.queues, palette));
            shown.line("", "");
            shown
        };
        if put(&shown)? == Reader::Gone {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn text(rows: &[QueueRow], palette: Palette) -> Text {
    let mut text = Text::default();
    if rows.is_empty() {
        text.line("", "no queues");
        return text;
    }
    text.lines(&painted(Table::new(&HEADER, &NUMBERS, 2), rows, palette));
    LEGEND.iter().for_each(|line| text.lines(&[palette.paint(Ink::Dim, line)]));
    text
}

/// A table with [`HEADER`], filled, the queues that need somebody in colour.
pub(super) fn painted(mut table: Table, rows: &[QueueRow], palette: Palette) -> Vec<String> {
    rows.iter().for_each(|row| table.row(cells(row)));
    let inks = std::iter::once(Some(Ink::Bold)).chain(rows.iter().map(ink));
    let paint = |(line, ink): (String, Option<Ink>)| match ink {
        Some(ink) => palette.paint(ink, &line),
        None => line,
    };
    table.lines().into_iter().zip(inks).map(paint).collect()
}

/// A queue as one row under [`HEADER`].
fn cells(row: &QueueRow) -> [String; 12] {
    let retired = if row.retired { " (retired)" } else { "" };
    let late = if is_late(row) { "!" } else { "" };
    let nobody = if nobody_able(row) { "!" } else { "" };
    let other = row.offered.saturating_sub(row.answered + row.abandoned + row.waiting);
    let asa = row.average_speed_of_answer_ms.map_or_else(|| "-".to_owned(), |ms| length(whole(ms)));
    [
        format!("{}{retired}", row.queue),
        row.waiting.to_string(),
        if row.waiting == 0 {
            "-".to_owned()
        } else {
            format!("{late}{}", length(row.oldest_wait_ms))
        },
        row.offered.to_string(),
        row.answered.to_string(),
        row.abandoned.to_string(),
        other.to_string(),
        share(row.service_level_all_abandoned),
        share(row.service_level_late_abandoned),
        length(row.target_ms),
        asa,
        format!("{nobody}{}/{}", row.agents_ready, row.agents_able),
    ]
}

fn is_late(row: &QueueRow) -> bool {
    row.waiting > 0 && row.oldest_wait_ms > row.target_ms
}

/// A retired queue with nobody in it needs nobody.
fn nobody_able(row: &QueueRow) -> bool {
    row.agents_able == 0 && (row.waiting > 0 || !row.retired)
}

fn ink(row: &QueueRow) -> Option<Ink> {
    let urgent = row.waiting > 0
        && (row.agents_able == 0 || row.oldest_wait_ms > row.target_ms.saturating_mul(2));
    if urgent { Some(Ink::Red) } else { (is_late(row) || nobody_able(row)).then_some(Ink::Yellow) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a wait for people to read"
)]
fn whole(ms: f64) -> u64 {
    ms.max(0.0) as u64
}

fn json_row(row: &QueueRow) -> Value {
    json!({
        "queue": row.queue,
        "waiting": row.waiting,
        "oldest_wait_ms": row.oldest_wait_ms,
        "offered": row.offered,
        "answered": row.answered,
        "answered_in_target": row.answered_in_target,
        "abandoned": row.abandoned,
        "abandoned_after_target": row.abandoned_after_target,
        "target_ms": row.target_ms,
        "service_level_all_abandoned": row.service_level_all_abandoned,
        "service_level_late_abandoned": row.service_level_late_abandoned,
        "average_speed_of_answer_ms": row.average_speed_of_answer_ms,
        "agents_able": row.agents_able,
        "agents_ready": row.agents_ready,
        "retired": row.retired,
        "expected_waits": row.expected_waits.iter().map(expected_json).collect::<Vec<_>>(),
    })
}

fn expected_json(wait: &ExpectedWait) -> Value {
    json!({
        "channel": word(wait.channel().as_str_name(), "CHANNEL_"),
        "mean_ms": wait.mean_ms,
        "p80_ms": wait.p80_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(waiting: u64, oldest_wait_ms: u64, able: u32) -> QueueRow {
        QueueRow {
            queue: "calls".to_owned(),
            waiting,
            oldest_wait_ms,
            offered: 10,
            answered: 4,
            abandoned: 2,
            target_ms: 20_000,
            service_level_all_abandoned: Some(0.5),
            service_level_late_abandoned: Some(0.75),
            agents_able: able,
            ..QueueRow::default()
        }
    }

    #[test]
    fn the_table_adds_up_and_says_what_its_columns_mean() {
        let shown = text(&[row(3, 5_000, 2)], Palette::Plain);
        let lines: Vec<&str> = shown.as_str().lines().collect();
        let cells: Vec<&str> = lines[1].split_whitespace().collect();
        let expected =
            ["calls", "3", "5.0s", "10", "4", "2", "1", "50.0%", "75.0%", "20.0s", "-", "0/2"];
        assert_eq!(cells, expected);
        assert!(lines[0].starts_with("QUEUE  WAITING") && lines[0].ends_with("READY/ABLE"));
        for name in ["SL ALL =", "SL LATE =", "OTHER =", "ASA =", "READY/ABLE ="] {
            assert!(shown.as_str().contains(name), "{name}");
        }
        assert_eq!(text(&[], Palette::Plain).as_str(), "no queues\n");
    }

    #[test]
    fn queues_that_need_somebody_are_marked_with_and_without_colour() {
        for (row, mark, colour) in [
            (row(3, 5_000, 2), None, None),
            (row(3, 21_000, 2), Some("!21.0s"), Some("\x1b[33m")),
            (row(3, 41_000, 2), Some("!41.0s"), Some("\x1b[31m")),
            (row(0, 0, 0), Some("!0/0"), Some("\x1b[33m")),
            (row(1, 0, 0), Some("!0/0"), Some("\x1b[31m")),
            (QueueRow { retired: true, ..row(0, 0, 0) }, Some("calls (retired)"), None),
        ] {
            let line = |palette| {
                painted(Table::new(&HEADER, &NUMBERS, 2), std::slice::from_ref(&row), palette)
            };
            let plain = line(Palette::Plain).remove(1);
            assert_eq!(plain.contains('!'), mark.is_some_and(|m| m.contains('!')), "{plain}");
            assert!(mark.is_none_or(|mark| plain.contains(mark)), "{plain}");
            let ansi = line(Palette::Ansi).remove(1);
            assert_eq!(ansi.contains('\x1b'), colour.is_some(), "{ansi}");
            assert!(colour.is_none_or(|colour| ansi.starts_with(colour)), "{ansi}");
        }
    }
}
