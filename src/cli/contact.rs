//! `surgeline contact list|show|explain`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::Router;
use super::client::{ClientError, pages, supervisor};
use super::out::{Table, Text, put};
use super::words::{length, moment, word};
use crate::pb::v1::{
    ContactRow, Decision, EndReason, ExplainContactRequest, ExplainContactResponse,
    GetContactRequest, GetContactResponse, Heard, HeardOutcome, ListContactsRequest, NextStep,
    Person, Reason, SelfServiceRow, TimelineItem,
};

pub(super) async fn list(
    router: &Router,
    queue: Option<String>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = supervisor(router).await?;
    let queue = queue.unwrap_or_default();
    let rows = pages(|page_token| {
        let (mut client, queue) = (client.clone(), queue.clone());
        async move {
            let request =
                ListContactsRequest { queue, page_token, page_size: 500, ..Default::default() };
            let page = client.list_contacts(request).await?.into_inner();
            Ok((page.contacts, page.next_page_token))
        }
    })
    .await?;
    put(&if as_json {
        Text::json(&Value::from_iter(rows.iter().map(json_row)))
    } else {
        listed(&rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn listed(rows: &[ContactRow]) -> Text {
    let mut text = Text::default();
    if rows.is_empty() {
        text.line("", "no open contacts");
        return text;
    }
    let header =
        ["CONTACT", "CHANNEL", "QUEUE", "STATE", "SERVICE", "AGENT", "WAITED", "GATEWAY", "KEY"];
    let mut table = Table::new(&header, &[0, 6], 2);
    for row in rows {
        table.row([
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
    text.lines(&table.lines());
    text
}

pub(super) async fn show(router: &Router, id: u64, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(router).await?;
    let request = GetContactRequest { contact_id: id };
    let found = client.get_contact(request).await.map_err(ClientError::from)?.into_inner();
    put(&if as_json {
        let timeline = found.timeline.iter().map(json_item);
        let heard = found.heard.iter().map(json_heard);
        Text::json(&json!({
            "contact": found.contact.as_ref().map(json_row),
            "position": found.position,
            "queue_waiting": found.queue_waiting,
            "person": found.person.as_ref().map(json_person),
            "timeline": Value::from_iter(timeline),
            "timeline_omitted": found.timeline_omitted,
            "heard": Value::from_iter(heard),
            "heard_omitted": found.heard_omitted,
            "thread_contact_ids": found.thread_contact_ids,
        }))
    } else {
        shown(&found)
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn explain(router: &Router, id: u64, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(router).await?;
    let request = ExplainContactRequest { contact_id: id };
    let found = client.explain_contact(request).await.map_err(ClientError::from)?.into_inner();
    put(&if as_json {
        Text::json(&json!({
            "contact": found.contact.as_ref().map(json_row),
            "summary": found.summary,
            "decisions": Value::from_iter(found.decisions.iter().map(json_decision)),
            "story": Value::from_iter(found.story.iter().map(json_reason)),
            "next": found.next.as_ref().map(json_next),
        }))
    } else {
        explained(&found)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Where it is, what happened and why, and what comes next.
fn explained(found: &ExplainContactResponse) -> Text {
    let mut text = Text::default();
    text.line("", &found.summary);
    for reason in &found.story {
        let after = length(reason.after_ms);
        let head = format!("  {}  +{after:<8} ", moment(reason.at_unix_ms));
        text.line(&head, &reason.text);
    }
    if let Some(next) = found.next.as_ref().filter(|next| !next.text.is_empty()) {
        let by = match next.by_unix_ms {
            0 => String::new(),
            by => format!(" (by {})", moment(by)),
        };
        text.line("next: ", &format!("{}{by}", next.text));
    }
    text
}

fn ids(all: &[u64]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn state(row: &ContactRow) -> String {
    let mut text = word(row.state().as_str_name(), "CONTACT_STATE_");
    if text == "closed" {
        text = format!("{text} ({})", word(row.end_reason().as_str_name(), "END_REASON_"));
    }
    if let Some(s) = &row.self_service {
        text = format!("{text} ({}, {})", word(s.tier().as_str_name(), "TIER_"), s.step);
    }
    match (row.held_for_contact_id, &*row.silence) {
        (0, "") => {}
        (0, silence) => text.push_str(&format!(", {silence}")),
        (with, _) => text.push_str(&format!(", held back for {with}")),
    }
    if row.detached {
        text.push_str(", detached");
    }
    if row.on_hold {
        text.push_str(", on hold");
    }
    text
}

fn shown(found: &GetContactResponse) -> Text {
    let mut text = Text::default();
    if let Some(c) = &found.contact {
        let channel = word(c.channel().as_str_name(), "CHANNEL_");
        text.line("", &format!("contact {}: {channel}, {}", c.contact_id, state(c)));
    }
    let mut field = |name: &str, value: &str| text.line(&format!("  {name:<10} "), value);
    if let Some(c) = &found.contact {
        let needs = c.needs.iter().map(|n| format!("{} {}+", n.skill, n.at_least));
        let position = match found.position {
            0 => String::new(),
            n => format!("{n} of {}", found.queue_waiting),
        };
        let rows = [
            ("queue", c.queue.clone()),
            ("position", position),
            ("service", word(c.service().as_str_name(), "SERVICE_CLASS_")),
            ("waited", length(c.waited_ms)),
            ("in queue", if c.in_queue_ms > 0 { length(c.in_queue_ms) } else { String::new() }),
            ("agent", c.agent.clone()),
            ("needs", needs.collect::<Vec<_>>().join(", ")),
            ("gateway", format!("{} {}", c.gateway, c.key)),
            ("entered by", c.entry_point.clone()),
            ("linked", ids(&c.linked_contact_ids)),
            ("thread", ids(&found.thread_contact_ids)),
        ];
        for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            field(name, value);
        }
        c.attributes.iter().for_each(|a| field(&a.name, &a.value));
    }
    if let Some(p) = &found.person {
        person(p).for_each(|(name, value)| field(name, value));
    }
    if found.timeline_omitted > 0 {
        text.line("", &format!("  ... {} older", found.timeline_omitted));
    }
    for item in &found.timeline {
        let who = if item.actor_role == "router" {
            String::new()
        } else {
            format!("  [{} {}]", item.actor_role, item.actor)
        };
        let head = format!("  {}  +{:<8} ", moment(item.at_unix_ms), length(item.after_ms));
        text.line(&head, &format!("{}{who}", item.text));
        // What was said later than on arrival stands nowhere else.
        let said = item.person.iter().filter(|p| Some(*p) != found.person.as_ref());
        let said = said.flat_map(person);
        said.for_each(|(name, value)| text.line(&format!("      {name:<10} "), value));
    }
    heard(found, &mut text);
    text
}

/// What was said to the customer from playbooks, word by word.
fn heard(found: &GetContactResponse, text: &mut Text) {
    if found.heard.is_empty() {
        return;
    }
    text.line("", "heard");
    if found.heard_omitted > 0 {
        text.line("", &format!("  ... {} older", found.heard_omitted));
    }
    for heard in &found.heard {
        let at = [heard.settled_unix_ms, heard.asked_unix_ms].into_iter().find(|at| *at > 0);
        let said = heard.text.as_ref();
        let (id, language) = said.map_or(("?", "?"), |t| (&*t.message_id, &*t.language));
        let of = format!("{id} ({}, {language})", version(heard));
        let outcome = match heard.outcome() {
            HeardOutcome::Done => "",
            HeardOutcome::Failed => ": NOT heard, the gateway could not say it",
            HeardOutcome::Withdrawn => ": broken off",
            HeardOutcome::Pending | HeardOutcome::Unspecified => ": not reported yet",
        };
        let head = format!("  {}  ", moment(at.unwrap_or_default()));
        text.line(&head, &format!("{of}{outcome}"));
        if let Some(said) = said {
            text.line("      ", &said.words);
        }
    }
}

/// The first digits of the version of the playbook that has a text.
fn version(heard: &Heard) -> &str {
    let hash = heard.text.as_ref().map_or("", |t| &*t.playbook_hash);
    hash.get(..12).unwrap_or(hash)
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
        "end_reason": (c.end_reason() != EndReason::Unspecified)
            .then(|| word(c.end_reason().as_str_name(), "END_REASON_")),
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
        "self_service": c.self_service.as_ref().map(json_self_service),
        "linked_contact_ids": c.linked_contact_ids,
        "held_for_contact_id": c.held_for_contact_id,
        "silence": c.silence,
        "place_ahead_ms": c.place_ahead_ms,
    })
}

fn json_self_service(s: &SelfServiceRow) -> Value {
    json!({
        "recall_id": s.recall_id,
        "tier": word(s.tier().as_str_name(), "TIER_"),
        "step": s.step,
        "answers": s.answers,
        "checked": s.checked,
        "left_ms": s.left_ms,
    })
}

fn json_heard(h: &Heard) -> Value {
    let text = h.text.as_ref();
    json!({
        "message_id": text.map(|t| t.message_id.as_str()),
        "playbook_hash": text.map(|t| t.playbook_hash.as_str()),
        "language": text.map(|t| t.language.as_str()),
        "words": text.map(|t| t.words.as_str()),
        "recall_id": h.recall_id,
        "asked_unix_ms": h.asked_unix_ms,
        "settled_unix_ms": (h.settled_unix_ms > 0).then_some(h.settled_unix_ms),
        "outcome": word(h.outcome().as_str_name(), "HEARD_OUTCOME_"),
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

fn json_reason(r: &Reason) -> Value {
    json!({
        "sequence": r.sequence,
        "at_unix_ms": r.at_unix_ms,
        "after_ms": r.after_ms,
        "event": r.event,
        "text": r.text,
    })
}

fn json_next(n: &NextStep) -> Value {
    json!({ "text": n.text, "by_unix_ms": (n.by_unix_ms > 0).then_some(n.by_unix_ms) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::v1::{Attribute, Spoken};

    /// Clears the screen, and pretends to be a line of the router's.
    const EVIL: &str = "x\x1b[2J\u{9b}1m\ncontact 9: closed";

    #[test]
    fn what_customers_write_is_shown_and_never_obeyed() {
        let evil = || EVIL.to_owned();
        let person = Person {
            name: evil(),
            address: evil(),
            subject: evil(),
            words: evil(),
            language: evil(),
        };
        let contact = ContactRow {
            key: evil(),
            gateway: evil(),
            entry_point: evil(),
            queue: evil(),
            attributes: vec![Attribute { name: evil(), value: evil() }],
            ..ContactRow::default()
        };
        let item = TimelineItem {
            text: evil(),
            actor: evil(),
            person: Some(person.clone()),
            ..Default::default()
        };
        let found = GetContactResponse {
            contact: Some(contact.clone()),
            person: Some(person),
            timeline: vec![item],
            ..Default::default()
        };
        for text in [shown(&found), listed(&[contact])] {
            let raw = |c: char| c.is_control() && c != '\n';
            assert!(!text.as_str().contains(raw), "{text:?}");
            assert!(text.as_str().contains("x\\u{1b}[2J"), "{text:?}");
            assert!(!text.as_str().lines().any(|line| line.starts_with("contact 9")), "{text:?}");
        }
    }

    #[test]
    fn what_was_heard_is_told_from_what_was_not() {
        let said = |outcome: HeardOutcome, words: &str| Heard {
            text: Some(Spoken {
                message_id: "text-en".into(),
                playbook_hash: "0123456789abcdef".into(),
                language: "en".into(),
                words: words.into(),
                notice_version: 0,
            }),
            outcome: outcome.into(),
            ..Default::default()
        };
        let found = GetContactResponse {
            heard: vec![
                said(HeardOutcome::Done, "Stop using it."),
                said(HeardOutcome::Failed, "Wait."),
                said(HeardOutcome::Withdrawn, EVIL),
            ],
            heard_omitted: 2,
            ..Default::default()
        };
        let text = shown(&found);
        let text = text.as_str();
        assert!(text.contains("text-en (0123456789ab, en)\n      Stop using it.\n"), "{text}");
        assert!(text.contains("en): NOT heard, the gateway could not say it\n"), "{text}");
        assert!(text.contains("en): broken off\n") && text.contains("... 2 older"), "{text}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
        assert_eq!(json_heard(&found.heard[1])["outcome"], "failed");
        assert_eq!(json_heard(&found.heard[1])["settled_unix_ms"], Value::Null);
        assert_eq!(json_heard(&Heard::default())["words"], Value::Null);
    }

    #[test]
    fn a_story_is_told_line_by_line_with_what_comes_next() {
        let reason = Reason { after_ms: 61_000, text: EVIL.into(), ..Default::default() };
        let next = NextStep { text: "anne has 9.0 s more to answer.".into(), by_unix_ms: 9_000 };
        let mut found = ExplainContactResponse {
            summary: "It is held for anne.".into(),
            story: vec![reason],
            next: Some(next),
            ..Default::default()
        };
        let text = explained(&found);
        let text = text.as_str();
        assert!(
            text.starts_with("It is held for anne.\n  1970-01-01T00:00:00.000Z  +1m01s"),
            "{text}"
        );
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
        assert!(
            text.ends_with("next: anne has 9.0 s more to answer. (by 1970-01-01T00:00:09.000Z)\n"),
            "{text}"
        );
        assert_eq!(json_next(found.next.as_ref().unwrap())["by_unix_ms"], 9_000);
        found.next = Some(NextStep::default());
        assert!(!explained(&found).as_str().contains("next:"), "nothing is to come");
        assert_eq!(json_next(&NextStep::default())["by_unix_ms"], Value::Null);
        assert_eq!(json_reason(&found.story[0])["after_ms"], 61_000);
    }

    #[test]
    fn a_contact_in_self_service_says_where() {
        let there = SelfServiceRow {
            tier: crate::pb::v1::Tier::Faq.into(),
            step: "listening".into(),
            ..Default::default()
        };
        let row = ContactRow {
            state: crate::pb::v1::ContactState::SelfService.into(),
            self_service: Some(there),
            ..Default::default()
        };
        assert_eq!(state(&row), "self_service (faq, listening)");
        assert_eq!(json_row(&row)["self_service"]["step"], "listening");
        assert_eq!(json_row(&ContactRow::default())["self_service"], Value::Null);
    }

    #[test]
    fn an_open_contact_has_no_end_reason_and_no_contacts_are_said_to_be_none() {
        assert_eq!(json_row(&ContactRow::default())["end_reason"], Value::Null);
        let closed = ContactRow { end_reason: EndReason::Completed.into(), ..Default::default() };
        assert_eq!(json_row(&closed)["end_reason"], "completed");
        assert_eq!(listed(&[]).as_str(), "no open contacts\n");
    }
}
