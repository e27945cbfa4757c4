//! `surgeline recall start|level|end|status`.
//!
//! For someone who was woken: what is in force now, what happens next, how to undo it.

pub mod args;
pub(super) mod text;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::args::Router;
use super::client::{ClientError, connect};
use super::out::{Palette, Reader, Text, put};
use super::words::word;
use crate::grpc::unix_ms;
use crate::pb::v1::recall_service_client::RecallServiceClient;
use crate::pb::v1::set_level_request::To;
use crate::pb::v1::{
    AmendRecallRequest, ControlStatus, EndRecallRequest, GetRecallStatusRequest, Measured,
    RecallLevel, RecallStatus, SafetyStatus, SetLevelRequest, Slot, StartRecallRequest, TierStatus,
};
use args::{Amend, Between, End, RecallCommand, Said, SetLevel, Start, Status};
use text::Told;

/// Between two readings of a watch.
const EVERY: Duration = Duration::from_secs(2);

type Client = RecallServiceClient<Channel>;

/// Runs what was typed.
pub(super) async fn run(command: &RecallCommand) -> anyhow::Result<ExitCode> {
    match command {
        RecallCommand::Start(typed) => start(typed).await,
        RecallCommand::Level(typed) => level(typed).await,
        RecallCommand::Amend(typed) => amend(typed).await,
        RecallCommand::End(typed) => end(typed).await,
        RecallCommand::Status(typed) => status(typed).await,
    }
}

async fn on_call(router: &Router) -> Result<Client, ClientError> {
    Ok(RecallServiceClient::new(connect(&router.router).await?))
}

/// The client's own name for a request: no two are the same.
pub(super) fn request_id() -> String {
    format!("cli-{}-{}", std::process::id(), since_epoch().as_nanos())
}

fn since_epoch() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// What an order came to. Of a router that went away meanwhile nobody knows.
fn answered<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> anyhow::Result<T> {
    match answer.map_err(ClientError::from) {
        Ok(answer) => Ok(answer.into_inner()),
        Err(gone @ ClientError::Stopped) => Err(anyhow::Error::new(gone).context(
            "the answer was lost, and the order may have been carried out: look with \
             `surgeline recall status` before trying again",
        )),
        Err(error) => Err(error.into()),
    }
}

async fn start(typed: &Start) -> anyhow::Result<ExitCode> {
    let mut client = on_call(&typed.said.router).await?;
    let slot = |(name, text): &(String, String)| Slot { name: name.clone(), text: text.clone() };
    let ends = |lasting: Duration| since_epoch().saturating_add(lasting).as_millis();
    let expires = typed.expires.map_or(0, |lasting| u64::try_from(ends(lasting)).unwrap_or(0));
    // Left free it begins at its lowest, which the router knows.
    let default =
        if typed.free.is_some() { RecallLevel::Unspecified } else { RecallLevel::Elevated };
    let level = typed.level.map_or(default, RecallLevel::from);
    let request = StartRecallRequest {
        request_id: request_id(),
        actor: typed.said.actor.clone(),
        why: typed.said.why.clone(),
        playbook: typed.playbook.clone(),
        playbook_hash: typed.hash.clone(),
        level: level.into(),
        free: typed.free.map(Into::into),
        expires_unix_ms: expires,
        slots: typed.slots.iter().map(slot).collect(),
        accept_empty_safety_lane: typed.accept_empty_safety_lane,
        dry_run: typed.said.dry_run,
    };
    let answer = answered(client.start_recall(request).await)?;
    let told = Told::Started { warnings: &answer.warnings };
    tell(&typed.said, answer.recall.as_ref(), answer.to_move, &told)
}

async fn level(typed: &SetLevel) -> anyhow::Result<ExitCode> {
    let mut client = on_call(&typed.said.router).await?;
    let before = standing(&mut client, typed.recall).await?;
    let to = match typed.level.pinned() {
        Some(level) if typed.from.or(typed.to).is_none() => {
            To::Pinned(RecallLevel::from(level).into())
        }
        Some(_) => {
            anyhow::bail!(
                "--from and --to are the bounds of a level that is left free: `level free`"
            )
        }
        None => To::Free(Between { lowest: typed.from, highest: typed.to }.into()),
    };
    let request = SetLevelRequest {
        request_id: request_id(),
        actor: typed.said.actor.clone(),
        why: typed.said.why.clone(),
        recall_id: typed.recall,
        to: Some(to),
        dry_run: typed.said.dry_run,
    };
    let answer = answered(client.set_level(request).await)?;
    let told = Told::Level { before: before.map(|b| b.level()) };
    tell(&typed.said, answer.recall.as_ref(), answer.to_move, &told)
}

async fn amend(typed: &Amend) -> anyhow::Result<ExitCode> {
    let mut client = on_call(&typed.said.router).await?;
    let slot = |(name, text): &(String, String)| Slot { name: name.clone(), text: text.clone() };
    let request = AmendRecallRequest {
        request_id: request_id(),
        actor: typed.said.actor.clone(),
        why: typed.said.why.clone(),
        recall_id: typed.recall,
        add_lots: typed.add_lots.clone(),
        playbook_hash: typed.hash.clone(),
        expires_unix_ms: ends(typed.expires),
        dry_run: typed.said.dry_run,
        playbook: typed.playbook.clone(),
        slots: typed.slots.iter().map(slot).collect(),
        from_hash: typed.from_hash.clone(),
        accept_empty_safety_lane: typed.accept_empty_safety_lane,
    };
    let answer = answered(client.amend_recall(request).await)?;
    let told = Told::Amended {
        follow_ups: answer.follow_ups,
        corrected: answer.corrected,
        unreachable: answer.unreachable,
    };
    tell(&typed.said, answer.recall.as_ref(), None, &told)
}

/// When something ends that lasts so long from now, milliseconds since the epoch; 0 for as before.
fn ends(lasting: Option<Duration>) -> u64 {
    let ends = |lasting: Duration| since_epoch().saturating_add(lasting).as_millis();
    lasting.map_or(0, |lasting| u64::try_from(ends(lasting)).unwrap_or(0))
}

async fn end(typed: &End) -> anyhow::Result<ExitCode> {
    let mut client = on_call(&typed.said.router).await?;
    let request = EndRecallRequest {
        request_id: request_id(),
        actor: typed.said.actor.clone(),
        why: typed.said.why.clone(),
        recall_id: typed.recall,
        dry_run: typed.said.dry_run,
    };
    let answer = answered(client.end_recall(request).await)?;
    tell(&typed.said, answer.recall.as_ref(), answer.to_move, &Told::Ended)
}

/// How the recall that is meant stands now, to tell the way back; the order itself says
/// what is wrong with it.
async fn standing(client: &mut Client, recall_id: u64) -> anyhow::Result<Option<RecallStatus>> {
    let asked = client.get_recall_status(GetRecallStatusRequest { recall_id }).await;
    match asked.map_err(ClientError::from) {
        Ok(found) => Ok(found.into_inner().recalls.into_iter().next()),
        Err(ClientError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn tell(
    said: &Said,
    recall: Option<&RecallStatus>,
    to_move: Option<u64>,
    told: &Told<'_>,
) -> anyhow::Result<ExitCode> {
    put(&if said.json {
        let mut row = json!({
            "dry_run": said.dry_run,
            "recall": recall.map(json_row),
            "to_move": to_move,
        });
        if let Told::Amended { follow_ups, corrected, unreachable } = told {
            row["follow_ups"] = json!(follow_ups);
            row["corrected"] = json!(corrected);
            row["unreachable"] = json!(unreachable);
        }
        if let Told::Started { warnings } = told {
            row["warnings"] = json!(warnings);
        }
        Text::json(&row)
    } else {
        text::ordered(told, recall, to_move, said.dry_run, unix_ms(), Palette::of_stdout())
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn status(typed: &Status) -> anyhow::Result<ExitCode> {
    let mut client = on_call(&typed.router).await?;
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.context("Ctrl-C cannot be heard")?;
                return Ok(ExitCode::SUCCESS);
            }
        }
        let request = GetRecallStatusRequest { recall_id: typed.recall };
        let asked = client.get_recall_status(request).await.map_err(ClientError::watching)?;
        let recalls = asked.into_inner().recalls;
        let shown = shown(typed, &recalls);
        if put(&shown)? == Reader::Gone || !typed.watch {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn shown(typed: &Status, recalls: &[RecallStatus]) -> Text {
    if typed.json {
        let rows = Value::from_iter(recalls.iter().map(json_row));
        return if typed.watch { Text::json_line(&rows) } else { Text::json(&rows) };
    }
    // Home and clear below, as `queue watch` does.
    let clear = typed.watch && std::io::stdout().is_terminal();
    let mut shown = Text::own(if clear { "\x1b[H\x1b[J" } else { "" });
    shown.append(&text::status(recalls, unix_ms(), Palette::of_stdout()));
    if typed.watch {
        shown.line("", "");
    }
    shown
}

fn json_row(r: &RecallStatus) -> Value {
    json!({
        "recall_id": r.recall_id,
        "playbook": r.playbook,
        "playbook_hash": r.playbook_hash,
        "level": word(r.level().as_str_name(), "RECALL_LEVEL_"),
        "pinned": r.pinned,
        "bounds": r.bounds.as_ref().map(|b| json!({
            "lowest": word(b.lowest().as_str_name(), "RECALL_LEVEL_"),
            "highest": word(b.highest().as_str_name(), "RECALL_LEVEL_"),
        })),
        "control": r.control.as_ref().map(json_control),
        "since_unix_ms": r.since_unix_ms,
        "by": r.by,
        "why": r.why,
        "started_unix_ms": r.started_unix_ms,
        "expires_unix_ms": r.expires_unix_ms,
        "moving": r.moving,
        "safety_agents": r.safety_agents,
        "safety": r.safety.as_ref().map(json_safety),
        "tiers": Value::from_iter(r.tiers.iter().map(json_tier)),
    })
}

fn json_control(c: &ControlStatus) -> Value {
    let measure = |m: &Measured| {
        json!({
            "name": m.name, "value": m.value, "threshold": m.threshold, "presses": m.presses,
            "release": m.release,
        })
    };
    let next = Some(c.next()).filter(|level| *level != RecallLevel::Unspecified);
    json!({
        "measures": Value::from_iter(c.measures.iter().map(measure)),
        "load": c.load,
        "owed_ms": c.owed_ms,
        "next": next.map(|level| word(level.as_str_name(), "RECALL_LEVEL_")),
        "next_unix_ms": next.map(|_| c.next_unix_ms),
        "since_unix_ms": next.map(|_| c.since_unix_ms),
        "because": c.because,
    })
}

fn json_safety(s: &SafetyStatus) -> Value {
    json!({
        "external": s.external,
        "any_agent_after_s": s.any_agent_after_s,
        "external_after_s": s.external_after_s,
        "page_after_s": s.page_after_s,
        "waiting_late": s.waiting_late,
        "late_since_unix_ms": s.late_since_unix_ms,
        "pages": s.pages,
        "pages_pending": s.pages_pending,
        "pages_failed": s.pages_failed,
        "last_page": s.last_page,
    })
}

fn json_tier(t: &TierStatus) -> Value {
    json!({
        "tier": word(t.tier().as_str_name(), "TIER_"),
        "open": t.open,
        "from": word(t.from().as_str_name(), "RECALL_LEVEL_"),
        "in_use": t.in_use,
        "capacity": t.capacity,
        "entered": t.entered,
        "solved": t.solved,
        "informed": t.informed,
        "returned": t.returned,
        "followed_up": t.followed_up,
        "left": t.left,
    })
}
