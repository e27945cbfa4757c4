//! `surgeline agent list`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::Router;
use super::client::{ClientError, supervisor};
use super::words::{availability, length, table, word};
use crate::pb::v1::{AgentRow, ListAgentsRequest, WorkRow};

pub(super) async fn list(
    router: &Router,
    pool: Option<String>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(router).await?;
    let mut rows = Vec::new();
    let mut request = ListAgentsRequest { pool: pool.unwrap_or_default(), ..Default::default() };
    loop {
        let page =
            client.list_agents(request.clone()).await.map_err(ClientError::from)?.into_inner();
        rows.extend(page.agents);
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

fn state(row: &AgentRow) -> String {
    let phone = if row.phone_unreachable { ", phone unreachable" } else { "" };
    format!("{}{phone}", word(row.state().as_str_name(), "AGENT_STATE_"))
}

fn text(rows: &[AgentRow]) -> String {
    let header = ["AGENT", "POOL", "STATE", "AVAILABILITY", "SINCE", "LOAD", "IN HAND"];
    let mut table = table(&header, &[4, 5]);
    for row in rows {
        let hands: Vec<String> = row.work.iter().map(in_hand).collect();
        table.add_row([
            row.agent.clone(),
            row.pool.clone(),
            state(row),
            availability(row.availability.as_ref()),
            length(row.since_ms),
            format!("{}%", row.load_permille / 10),
            hands.join(", "),
        ]);
    }
    table.to_string()
}

fn in_hand(w: &WorkRow) -> String {
    let channel = word(w.channel().as_str_name(), "CHANNEL_");
    let hold = word(w.hold().as_str_name(), "WORK_HOLD_");
    format!("{} {channel} {hold}", w.contact_id)
}

fn json_row(row: &AgentRow) -> Value {
    let work = row.work.iter().map(|w| {
        json!({
            "contact_id": w.contact_id,
            "channel": word(w.channel().as_str_name(), "CHANNEL_"),
            "hold": word(w.hold().as_str_name(), "WORK_HOLD_"),
        })
    });
    json!({
        "agent": row.agent,
        "pool": row.pool,
        "state": word(row.state().as_str_name(), "AGENT_STATE_"),
        "availability": availability(row.availability.as_ref()),
        "since_ms": row.since_ms,
        "load_permille": row.load_permille,
        "phone_unreachable": row.phone_unreachable,
        "next": row.next.as_ref().map(|n| availability(Some(n))),
        "retired": row.retired,
        "work": Value::from_iter(work),
    })
}
