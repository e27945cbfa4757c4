//! `surgeline contact move|close`: what is shown first, and then done to many contacts.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::client::{ClientError, supervisor};
use super::out::{Text, put, tell_line};
use super::recall::args::Said;
use super::words::word;
use crate::pb::v1::bulk_action::Action;
use crate::pb::v1::{
    ApplyOrderRequest, Attribute, BulkAction, Channel, ContactFilter, ContactState,
    ListOrdersRequest, OrderRow, PreviewOrderRequest, PreviewOrderResponse,
};

/// How often it is looked how far an order has got.
const EVERY: Duration = Duration::from_millis(100);
/// Looks between two words about it, once it takes long.
const A_WORD: u32 = 20;

/// Move contacts into another queue.
#[derive(Args, Clone, Debug)]
pub struct Move {
    /// The queue that they go to; their arrival counts there too
    #[arg(long, value_name = "QUEUE")]
    pub to: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub which: Which,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub said: Said,
}

/// Close contacts.
#[derive(Args, Clone, Debug)]
pub struct Close {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub which: Which,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub said: Said,
}

/// Which contacts.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// Which contacts; several must all hold: queue=NAME, channel=voice|chat|email|message,
    /// state=queued|reserved|assigned|pending|..., older-than=10m, head-start=1m, skill=NAME,
    /// recall=ID, attribute=NAME:VALUE
    #[arg(long = "filter", value_name = "KEY=VALUE", required = true, value_parser = condition)]
    pub filter: Vec<Condition>,
}

/// One condition.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    /// In this queue.
    Queue(String),
    /// On this channel.
    Channel(Channel),
    /// In this state.
    State(ContactState),
    /// Arrived so many milliseconds ago.
    OlderThan(u64),
    /// With a head start of so many milliseconds.
    HeadStart(u32),
    /// That need or prefer this skill.
    Skill(String),
    /// About this recall.
    Recall(u32),
    /// With this routing fact.
    Attribute(String, String),
}

fn condition(text: &str) -> Result<Condition, String> {
    const KEYS: &str = "queue, channel, state, older-than, head-start, skill, recall or attribute";
    let (key, value) =
        text.split_once('=').ok_or(format!("expected KEY=VALUE, KEY one of {KEYS}"))?;
    let named = |prefix: &str| format!("{prefix}{}", value.to_ascii_uppercase().replace('-', "_"));
    Ok(match key {
        "queue" => Condition::Queue(value.to_owned()),
        "channel" => {
            let channel = Channel::from_str_name(&named("CHANNEL_"));
            Condition::Channel(channel.ok_or("expected voice, chat, email or message")?)
        }
        "state" => {
            let state = ContactState::from_str_name(&named("CONTACT_STATE_"));
            let open =
                state.filter(|s| !matches!(s, ContactState::Unspecified | ContactState::Closed));
            Condition::State(open.ok_or(
                "expected queued, reserved, connecting, assigned, pending or self_service",
            )?)
        }
        "older-than" => Condition::OlderThan(milliseconds(value)?),
        "head-start" => Condition::HeadStart(
            u32::try_from(milliseconds(value)?).map_err(|_| "expected at most a day".to_owned())?,
        ),
        "skill" => Condition::Skill(value.to_owned()),
        "recall" => Condition::Recall(value.parse().map_err(|_| "expected a recall's id")?),
        "attribute" => {
            let pair = value.split_once(':').ok_or("expected attribute=NAME:VALUE")?;
            Condition::Attribute(pair.0.to_owned(), pair.1.to_owned())
        }
        other => return Err(format!("{other:?} is no condition, expected {KEYS}")),
    })
}

pub(super) fn milliseconds(text: &str) -> Result<u64, String> {
    let parser = jiff::fmt::friendly::SpanParser::new();
    let span = parser.parse_unsigned_duration(text);
    let span = span.map_err(|_| "expected a duration such as \"30s\" or \"1h 30m\"".to_owned())?;
    u64::try_from(span.as_millis()).map_err(|_| "expected a shorter duration".to_owned())
}

/// Moves them, or shows what would be moved.
pub(super) async fn move_them(asked: &Move) -> anyhow::Result<ExitCode> {
    let action = Action::MoveTo(asked.to.clone());
    run(&asked.which, &asked.said, action, "moved").await
}

/// Closes them, or shows what would be closed.
pub(super) async fn close_them(asked: &Close) -> anyhow::Result<ExitCode> {
    run(&asked.which, &asked.said, Action::Close(true), "closed").await
}

async fn run(which: &Which, said: &Said, action: Action, done: &str) -> anyhow::Result<ExitCode> {
    let mut client = supervisor(&said.router).await?;
    let request = PreviewOrderRequest { filter: Some(filter(&which.filter)) };
    let shown = client.preview_order(request).await.map_err(ClientError::from)?.into_inner();
    if said.dry_run || shown.count == 0 {
        put(&if said.json { Text::json(&previewed(&shown)) } else { preview(&shown, done) })?;
        return Ok(ExitCode::SUCCESS);
    }
    let request = ApplyOrderRequest {
        request_id: super::recall::request_id(),
        actor: said.actor.clone(),
        why: said.why.clone(),
        token: shown.token.clone(),
        action: Some(BulkAction { action: Some(action) }),
    };
    let applied = client.apply_order(request).await.map_err(ClientError::from)?.into_inner();
    let mut looks = 0;
    let row = loop {
        let orders = client.list_orders(ListOrdersRequest {}).await.map_err(ClientError::from)?;
        let row = orders.into_inner().orders.into_iter().find(|o| o.order_id == applied.order_id);
        match row {
            Some(row) if !row.over => {
                looks += 1;
                if looks % A_WORD == 0 {
                    tell_line(&format!("{} of {} ...", row.looked_at, row.count));
                }
            }
            other => break other.unwrap_or_default(),
        }
        tokio::time::sleep(EVERY).await;
    };
    put(&if said.json {
        let mut value = previewed(&shown);
        value["order_id"] = json!(applied.order_id);
        value["done"] = json!(row.done);
        value["skipped"] = json!(row.looked_at - row.done);
        value["cancelled"] = json!(row.cancelled);
        Text::json(&value)
    } else {
        carried_out(applied.order_id, &row, done)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn filter(conditions: &[Condition]) -> ContactFilter {
    let mut filter = ContactFilter::default();
    for condition in conditions.iter().cloned() {
        match condition {
            Condition::Queue(name) => filter.queue = name,
            Condition::Channel(channel) => filter.channel = channel.into(),
            Condition::State(state) => filter.state = state.into(),
            Condition::OlderThan(ms) => filter.older_than_ms = ms,
            Condition::HeadStart(ms) => filter.head_start_ms = ms,
            Condition::Skill(name) => filter.skill = name,
            Condition::Recall(id) => filter.recall_id = id,
            Condition::Attribute(name, value) => {
                filter.attribute = Some(Attribute { name, value });
            }
        }
    }
    filter
}

fn previewed(shown: &PreviewOrderResponse) -> Value {
    let by_state = shown
        .by_state
        .iter()
        .map(|s| (word(s.state().as_str_name(), "CONTACT_STATE_"), json!(s.count)));
    let first = shown.first.iter().map(|row| json!(row.contact_id));
    json!({
        "count": shown.count,
        "by_state": Value::Object(by_state.collect()),
        "first": Value::from_iter(first),
    })
}

fn preview(shown: &PreviewOrderResponse, done: &str) -> Text {
    let mut text = Text::default();
    text.line("", &format!("{} contacts would be {done}", shown.count));
    for state in &shown.by_state {
        let name = word(state.state().as_str_name(), "CONTACT_STATE_");
        text.line("", &format!("  {:>7} {name}", state.count));
    }
    for row in &shown.first {
        let state = word(row.state().as_str_name(), "CONTACT_STATE_");
        text.line("", &format!("  contact {} in {}, {state}", row.contact_id, row.queue));
    }
    text
}

fn carried_out(order: u64, row: &OrderRow, done: &str) -> Text {
    let mut text = Text::default();
    let skipped = row.looked_at - row.done;
    let cancelled = if row.cancelled { "; it was cancelled before the end" } else { "" };
    let line = format!(
        "order {order}: {} contacts {done}, {skipped} left as they were, of {}{cancelled}",
        row.done, row.count
    );
    text.line("", &line);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_wrong_ones_say_what_was_expected() {
        let read = |texts: &[&str]| {
            let conditions: Vec<_> = texts.iter().map(|t| condition(t).expect(t)).collect();
            filter(&conditions)
        };
        let all = read(&["queue=support", "channel=chat", "state=self-service", "older-than=10m"]);
        assert_eq!((&*all.queue, all.older_than_ms), ("support", 600_000));
        assert_eq!((all.channel(), all.state()), (Channel::Chat, ContactState::SelfService));
        let rest = read(&["skill=spanish", "recall=3", "attribute=lot:A7", "head-start=30s"]);
        assert_eq!((&*rest.skill, rest.recall_id, rest.head_start_ms), ("spanish", 3, 30_000));
        assert_eq!(rest.attribute.map(|a| a.value), Some("A7".to_owned()));
        for (wrong, hint) in [
            ("queue", "KEY=VALUE"),
            ("colour=red", "older-than"),
            ("state=closed", "queued"),
            ("channel=fax", "voice"),
            ("older-than=long", "30s"),
            ("attribute=lot", "NAME:VALUE"),
        ] {
            let no = condition(wrong).expect_err(wrong);
            assert!(no.contains(hint), "{wrong}: {no}");
        }
    }

    #[test]
    fn what_was_done_is_told_with_what_was_left() {
        let row = OrderRow { count: 9, looked_at: 9, done: 7, over: true, ..OrderRow::default() };
        let told = carried_out(4, &row, "moved");
        assert!(told.as_str().contains("order 4: 7 contacts moved, 2 left as they were, of 9"));
    }
}
