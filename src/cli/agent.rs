//! `surgeline agent list`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::Router;
use super::client::{pages, supervisor};
use super::out::{Table, Text, put};
use super::words::{availability, length, word};
use crate::pb::v1::{AgentRow, ListAgentsRequest, WorkRow};

pub(super) async fn list(
    router: &Router,
    pool: Option<String>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = supervisor(router).await?;
    let pool = pool.unwrap_or_default();
    let rows = pages(|page_token| {
        let (mut client, pool) = (client.clone(), pool.clone());
        async move {
            let request = ListAgentsRequest { pool, page_token, ..Default::default() };
            let page = client.list_agents(request).await?.into_inner();
            Ok((page.agents, page.next_page_token))
        }
    })
    .await?;
    put(&if as_json {
        Text::json(&Value::from_iter(rows.iter().map(json_row)))
    } else {
        text(&rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn state(row: &AgentRow) -> String {
    let phone = if row.phone_unreachable { ", phone unreachable" } else { "" };
    format!("{}{phone}", word(row.state().as_str_name(), "AGENT_STATE_"))
}

fn text(rows: &[AgentRow]) -> Text {
    let mut text = Text::default();
    if rows.is_empty() {
        text.line("", "no agents");
        return text;
    }
    let header = ["AGENT", "POOL", "STATE", "AVAILABILITY", "SINCE", "LOAD", "IN HAND"];
    let mut table = Table::new(&header, &[4, 5], 2);
    for row in rows {
        let hands: Vec<String> = row.work.iter().map(in_hand).collect();
        let retired = if row.retired { " (retired)" } else { "" };
        let says = match availability(row.availability.as_ref()) {
            (kind, Some(reason)) => format!("{kind} ({reason})"),
            (kind, None) => kind,
        };
        table.row([
            format!("{}{retired}", row.agent),
            row.pool.clone(),
            state(row),
            says,
            length(row.since_ms),
            format!("{}%", row.load_permille / 10),
            hands.join(", "),
        ]);
    }
    text.lines(&table.lines());
    text
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
        "availability": availability(row.availability.as_ref()).0,
        "reason": availability(row.availability.as_ref()).1,
        "since_ms": row.since_ms,
        "load_permille": row.load_permille,
        "phone_unreachable": row.phone_unreachable,
        "next": row.next.as_ref().map(|next| {
            let (availability, reason) = availability(Some(next));
            json!({ "availability": availability, "reason": reason })
        }),
        "retired": row.retired,
        "work": Value::from_iter(work),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::v1::{Availability, AvailabilityKind};

    #[test]
    fn an_agent_who_is_not_ready_says_why_and_a_retired_one_is_marked() {
        let kind = AvailabilityKind::NotReady.into();
        let row = AgentRow {
            agent: "elif".to_owned(),
            availability: Some(Availability { kind, reason: "lunch".to_owned() }),
            retired: true,
            ..AgentRow::default()
        };
        let json = json_row(&row);
        assert_eq!(
            (&json["availability"], &json["reason"], &json["next"]),
            (&json!("not_ready"), &json!("lunch"), &Value::Null)
        );
        let shown = text(&[row]);
        assert!(shown.as_str().contains("\nelif (retired)"), "{shown:?}");
        assert!(shown.as_str().contains("not_ready (lunch)"), "{shown:?}");
        assert!(shown.as_str().lines().all(|line| line == line.trim()), "{shown:?}");
    }
}
