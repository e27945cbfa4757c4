//! `surgeline contact list|show|explain`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::Router;
use super::client::{ClientError, supervisor};
use super::words::{length, moment, table, word};
use crate::pb::v1::{
    ContactRow, Decision, ExplainContactRequest, GetContactRequest, GetContactResponse,
    ListContactsRequest, Person, TimelineItem,
};

pub(super) async fn list(
    router: &Router,
    queue: Option<String>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(router).await?;
    let mut rows = Vec::new();
    let mut request = ListContactsRequest {
        queue: queue.unwrap_or_default(),
        page_size: 500,
        ..Default::default()
    };
    loop {
        let page =
            client.list_contacts(request.clone()).await.map_err(ClientError::from)?.into_inner();
        rows.extend(page.contacts);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if as_json {
        println!("{:#}", Value::from_iter(rows.iter().map(json_row)));
        return Ok(ExitCode::SUCCESS);
    }
    let header =
        ["CONTACT", "CHANNEL", "QUEUE", "STATE", "SERVICE", "AGENT", "WAITED", "GATEWAY", "KEY"];
    let mut table = table(&header, &[0, 6]);
    for row in &rows {
        table.add_row([
            row.contact_id.to_string(),
            word(row.channel().as_str_name(), "CHANNEL_"),
            row.queue.clone(),
            state(row),
            word(row.service().as_str_name(), "SERVICE_CLASS_"),
            row.agent.clone(),
            length(row.waited_ms),
            row.gateway.clone(),
            row.key.clone(),
        ]);
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn show(router: &Router, id: u64, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(router).await?;
    let request = GetContactRequest { contact_id: id };
    let found = client.get_contact(request).await.map_err(ClientError::from)?.into_inner();
    if as_json {
        let timeline = found.timeline.iter().map(json_item);
        let shown = json!({
            "contact": found.contact.as_ref().map(json_row),
            "position": found.position,
            "queue_waiting": found.queue_waiting,
            "person": found.person.as_ref().map(json_person),
            "timeline": Value::from_iter(timeline),
            "timeline_omitted": found.timeline_omitted,
        });
        println!("{shown:#}");
    } else {
        print!("{}", shown(&found));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn explain(router: &Router, id: u64, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(router).await?;
    let request = ExplainContactRequest { contact_id: id };
    let found = client.explain_contact(request).await.map_err(ClientError::from)?.into_inner();
    if as_json {
        let explained = json!({
            "contact": found.contact.as_ref().map(json_row),
            "summary": found.summary,
            "decisions": Value::from_iter(found.decisions.iter().map(json_decision)),
        });
        println!("{explained:#}");
    } else {
        println!("{}", found.summary);
        for decision in &found.decisions {
            println!("  {}  {}", moment(decision.at_unix_ms), decision.text);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn state(row: &ContactRow) -> String {
    let mut text = word(row.state().as_str_name(), "CONTACT_STATE_");
    if text == "closed" {
        text = format!("{text} ({})", word(row.end_reason().as_str_name(), "END_REASON_"));
    }
    if row.detached {
        text.push_str(", detached");
    }
    if row.on_hold {
        text.push_str(", on hold");
    }
    text
}

fn shown(found: &GetContactResponse) -> String {
    let mut lines = Vec::new();
    if let Some(c) = &found.contact {
        let channel = word(c.channel().as_str_name(), "CHANNEL_");
        lines.push(format!("contact {}: {channel}, {}", c.contact_id, state(c)));
        lines.push(format!("  queue      {}", c.queue));
        if found.position > 0 {
            let of = found.queue_waiting;
            lines.push(format!("  position   {} of {of}", found.position));
        }
        lines.push(format!("  service    {}", word(c.service().as_str_name(), "SERVICE_CLASS_")));
        lines.push(format!("  waited     {}", length(c.waited_ms)));
        let needs = c.needs.iter().map(|n| format!("{} {}+", n.skill, n.at_least));
        let rows = [
            ("agent", c.agent.clone()),
            ("needs", needs.collect::<Vec<_>>().join(", ")),
            ("gateway", format!("{} {}", c.gateway, c.key)),
            ("entered by", c.entry_point.clone()),
        ];
        for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            lines.push(format!("  {name:<10} {value}"));
        }
        let facts = c.attributes.iter().map(|a| format!("  {:<10} {}", a.name, a.value));
        lines.extend(facts);
    }
    if let Some(p) = &found.person {
        lines.extend(person(p).map(|(name, value)| format!("  {name:<10} {value}")));
    }
    if found.timeline_omitted > 0 {
        lines.push(format!("  ... {} older", found.timeline_omitted));
    }
    lines.extend(found.timeline.iter().map(|i| {
        let who = if i.actor_role == "router" {
            String::new()
        } else {
            format!("  [{} {}]", i.actor_role, i.actor)
        };
        format!("  {}  +{:<8} {}{who}", moment(i.at_unix_ms), length(i.after_ms), i.text)
    }));
    lines.join("\n") + "\n"
}

fn person(p: &Person) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("name", &p.name),
        ("address", &p.address),
        ("subject", &p.subject),
        ("words", &p.words),
        ("language", &p.language),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name, value.as_str()))
}

fn json_person(p: &Person) -> Value {
    person(p).map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn json_row(c: &ContactRow) -> Value {
    let attributes: Value =
        c.attributes.iter().map(|a| (a.name.clone(), Value::from(a.value.as_str()))).collect();
    let needs = c.needs.iter().map(|n| json!({ "skill": n.skill, "at_least": n.at_least }));
    json!({
        "contact_id": c.contact_id,
        "gateway": c.gateway,
        "key": c.key,
        "channel": word(c.channel().as_str_name(), "CHANNEL_"),
        "queue": c.queue,
        "entry_point": c.entry_point,
        "state": word(c.state().as_str_name(), "CONTACT_STATE_"),
        "end_reason": word(c.end_reason().as_str_name(), "END_REASON_"),
        "service": word(c.service().as_str_name(), "SERVICE_CLASS_"),
        "agent": c.agent,
        "reservation_id": c.reservation_id,
        "needs": Value::from_iter(needs),
        "head_start_ms": c.head_start_ms,
        "waited_ms": c.waited_ms,
        "in_queue_ms": c.in_queue_ms,
        "detached": c.detached,
        "on_hold": c.on_hold,
        "continues_contact_id": c.continues_contact_id,
        "consult_of_contact_id": c.consult_of_contact_id,
        "consult_contact_id": c.consult_contact_id,
        "attributes": attributes,
    })
}

fn json_item(i: &TimelineItem) -> Value {
    json!({
        "sequence": i.sequence,
        "at_unix_ms": i.at_unix_ms,
        "after_ms": i.after_ms,
        "actor_role": i.actor_role,
        "actor": i.actor,
        "event": i.event,
        "text": i.text,
        "agent": i.agent,
        "reservation_id": i.reservation_id,
        "person": i.person.as_ref().map(json_person),
    })
}

fn json_decision(d: &Decision) -> Value {
    json!({
        "reservation_id": d.reservation_id,
        "agent": d.agent,
        "at_unix_ms": d.at_unix_ms,
        "queue": d.queue,
        "trigger": word(d.trigger().as_str_name(), "TRIGGER_"),
        "rank": d.rank,
        "idle_ms": d.idle_ms,
        "load_permille": d.load_permille,
        "waited_ms": d.waited_ms,
        "outcome": word(d.outcome().as_str_name(), "OFFER_OUTCOME_"),
        "offers_before": d.offers_before,
        "text": d.text,
    })
}
