//! `surgeline queue list|watch`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::Router;
use super::client::{ClientError, supervisor};
use super::words::{length, share, table};
use crate::pb::v1::{ListQueuesRequest, QueueRow, WatchQueuesRequest};

pub(super) async fn list(router: &Router, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(router).await?;
    let mut rows = Vec::new();
    let mut request = ListQueuesRequest::default();
    loop {
        let page =
            client.list_queues(request.clone()).await.map_err(ClientError::from)?.into_inner();
        rows.extend(page.queues);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if as_json {
        println!("{:#}", Value::from_iter(rows.iter().map(json_row)));
    } else {
        println!("{}", text(&rows));
    }
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
    let mut out = std::io::stdout();
    loop {
        let next = tokio::select! {
            next = stream.message() => next.map_err(ClientError::from)?,
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        };
        let Some(now) = next else { return Ok(ExitCode::SUCCESS) };
        if as_json {
            let queues = Value::from_iter(now.queues.iter().map(json_row));
            writeln!(out, "{}", json!({ "read_unix_ms": now.read_unix_ms, "queues": queues }))?;
        } else {
            // Home and clear below: no flicker, nothing left of longer tables.
            let clear = if out.is_terminal() { "\x1b[H\x1b[J" } else { "" };
            writeln!(out, "{clear}{}\n", text(&now.queues))?;
        }
        out.flush()?;
    }
}

fn text(rows: &[QueueRow]) -> String {
    let mut table = table(
        &[
            "QUEUE",
            "WAITING",
            "OLDEST",
            "OFFERED",
            "ANSWERED",
            "ABANDONED",
            "SL F3",
            "SL F4",
            "TARGET",
            "ASA",
            "READY/ABLE",
        ],
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    for row in rows {
        let asa =
            row.average_speed_of_answer_ms.map_or_else(|| "-".to_owned(), |ms| length(whole(ms)));
        table.add_row([
            row.queue.clone(),
            row.waiting.to_string(),
            if row.waiting == 0 { "-".to_owned() } else { length(row.oldest_wait_ms) },
            row.offered.to_string(),
            row.answered.to_string(),
            row.abandoned.to_string(),
            share(row.service_level_all_abandoned),
            share(row.service_level_late_abandoned),
            length(row.target_ms),
            asa,
            format!("{}/{}", row.agents_ready, row.agents_able),
        ]);
    }
    format!(
        "{table}\nSL F3 = answered in target / (answered + abandoned); \
         SL F4 leaves out who left before the target"
    )
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
    })
}
