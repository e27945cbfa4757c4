//! `surgeline config check --against` and `config apply`: what a file would change of a router,
//! and changing it.
//!
//! A running router is asked over gRPC; of a data directory the archive is, which knows who
//! waits where and not what each of them needs. The file is checked here first, so that its
//! problems are told with their places.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::{Apply, Router};
use super::client::{self, ClientError};
use super::config::{self as check, UNUSABLE};
use super::out::{Table, Text, put};
use crate::archive;
use crate::config::{self, preview as plan};
use crate::pb::v1::{
    ApplyConfigRequest, ConfigChange, ConfigChangeKind, ConfigFieldChange, ConfigPreview,
    PreviewConfigRequest,
};

/// Changes that are told in text; `--json` has all.
const MOST_TOLD: usize = 200;

pub(super) async fn preview(file: &Path, against: &str, json: bool) -> anyhow::Result<ExitCode> {
    let Some(text) = sound(file, json)? else { return Ok(ExitCode::from(UNUSABLE)) };
    let (told, behind) = if Path::new(against).is_dir() {
        of_directory(Path::new(against), &text)?
    } else {
        let router = Router { router: against.to_owned() };
        let mut admin = client::admin(&router).await?;
        let asked = PreviewConfigRequest { config: text };
        let answer = admin.preview_config(asked).await.map_err(ClientError::from)?.into_inner();
        (answer.preview.unwrap_or_default(), 0)
    };
    tell(&told, &format!("against {against}, nothing was changed"), behind, json)
}

pub(super) async fn run(asked: &Apply) -> anyhow::Result<ExitCode> {
    let Some(text) = sound(&asked.file, asked.json)? else { return Ok(ExitCode::from(UNUSABLE)) };
    let mut admin = client::admin(&asked.router).await?;
    let request = ApplyConfigRequest {
        request_id: super::recall::request_id(),
        actor: asked.actor.clone(),
        why: asked.why.clone(),
        config: text,
    };
    let answer = admin.apply_config(request).await.map_err(ClientError::from)?.into_inner();
    let told = answer.preview.unwrap_or_default();
    tell(&told, &format!("in force at {}", asked.router.router), 0, asked.json)
}

/// The text of a file that can be used; none after telling what is wrong with it.
fn sound(file: &Path, json: bool) -> anyhow::Result<Option<String>> {
    let colours = std::io::stdout().is_terminal();
    let name = file.display().to_string();
    let checked = config::read_file(file).and_then(|text| {
        config::parse(&name, &text)?;
        Ok(text)
    });
    match checked {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            super::told(&check::unusable(&name, &error, colours), json)?;
            Ok(None)
        }
    }
}

/// What the file would change of a router that does not run, and how many entries of its
/// journal are not known here.
fn of_directory(data: &Path, text: &str) -> anyhow::Result<(ConfigPreview, u64)> {
    let wanted = config::parse("the file", text)?.config;
    let (now, standing) = archive::standing(data)?;
    let planned = plan::preview(&now, &standing, &wanted.routing)?;
    let status = archive::status(data)?;
    let fields = |how: &config::diff::How| match how {
        config::diff::How::Changed(fields) => fields
            .iter()
            .map(|f| ConfigFieldChange {
                field: f.field.into(),
                old: f.old.to_string(),
                new: f.new.to_string(),
            })
            .collect(),
        _ => Vec::new(),
    };
    let kind = |how: &config::diff::How| match how {
        config::diff::How::Added => ConfigChangeKind::Added,
        config::diff::How::Changed(_) => ConfigChangeKind::Changed,
        config::diff::How::Retired => ConfigChangeKind::Retired,
    };
    let changes = planned.changes.iter().map(|touching| ConfigChange {
        section: touching.change.section.name().into(),
        name: touching.change.name.to_string(),
        kind: kind(&touching.change.how).into(),
        fields: fields(&touching.change.how),
        waiting: touching.waiting,
        in_hand: touching.in_hand,
    });
    let preview = ConfigPreview {
        changes: changes.collect(),
        warnings: planned.warnings.iter().map(ToString::to_string).collect(),
        ..ConfigPreview::default()
    };
    Ok((preview, status.journal.saturating_sub(status.position)))
}

fn tell(told: &ConfigPreview, sum: &str, behind: u64, json: bool) -> anyhow::Result<ExitCode> {
    put(&if json { as_value(told, behind) } else { as_text(told, sum, behind) })?;
    Ok(ExitCode::SUCCESS)
}

fn kind(change: &ConfigChange) -> &'static str {
    match change.kind() {
        ConfigChangeKind::Added => "added",
        ConfigChangeKind::Changed => "changed",
        ConfigChangeKind::Retired => "retired",
        ConfigChangeKind::Unspecified => "?",
    }
}

fn as_value(told: &ConfigPreview, behind: u64) -> Text {
    let field = |f: &ConfigFieldChange| json!({ "field": f.field, "old": f.old, "new": f.new });
    let change = |c: &ConfigChange| {
        json!({
            "section": c.section,
            "name": c.name,
            "change": kind(c),
            "fields": c.fields.iter().map(field).collect::<Vec<Value>>(),
            "waiting": c.waiting,
            "in_hand": c.in_hand,
        })
    };
    Text::json(&json!({
        "changes": told.changes.iter().map(change).collect::<Vec<Value>>(),
        "warnings": told.warnings,
        "needs_restart": told.needs_restart.iter().map(field).collect::<Vec<Value>>(),
        "own_file": (!told.own_file.is_empty()).then_some(&told.own_file),
        "entries_behind": behind,
    }))
}

fn as_text(told: &ConfigPreview, sum: &str, behind: u64) -> Text {
    let mut text = Text::default();
    let mut table = Table::new(&["SECTION", "NAME", "CHANGE", "WAITING", "IN HAND"], &[3, 4], 2);
    for change in told.changes.iter().take(MOST_TOLD) {
        let (section, name) = (change.section.clone(), change.name.clone());
        let (waiting, in_hand) = (change.waiting.to_string(), change.in_hand.to_string());
        table.row([section, name, kind(change).to_owned(), waiting, in_hand]);
    }
    if !told.changes.is_empty() {
        text.lines(&table.lines());
    }
    for change in told.changes.iter().take(MOST_TOLD).filter(|c| !c.fields.is_empty()) {
        for ConfigFieldChange { field, old, new } in &change.fields {
            let head = format!("{} {}: ", change.section, change.name);
            text.line(&head, &format!("{field}: {old} -> {new}"));
        }
    }
    if let Some(more) = told.changes.len().checked_sub(MOST_TOLD).filter(|n| *n > 0) {
        text.line("", &format!("and {more} more, which --json lists"));
    }
    for warning in &told.warnings {
        text.line("warning: ", warning);
    }
    for ConfigFieldChange { field, old, new } in &told.needs_restart {
        text.line("needs a restart: ", &format!("{field}: {old} -> {new}"));
    }
    if !told.own_file.is_empty() {
        text.line(
            "warning: ",
            &format!(
                "the router's own file {} says otherwise: its next start, or SIGHUP, applies that",
                told.own_file
            ),
        );
    }
    if behind > 0 {
        text.line("warning: ", &format!("the archive lacks {behind} entries of the journal: who waits where may be out of date"));
    }
    let changes = check::counted(told.changes.len(), "change");
    let warnings = check::counted(told.warnings.len(), "warning");
    text.line("", &format!("{changes}, {warnings}; {sum}"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> ConfigPreview {
        let field = |field: &str, old: &str, new: &str| ConfigFieldChange {
            field: field.into(),
            old: old.into(),
            new: new.into(),
        };
        ConfigPreview {
            changes: vec![ConfigChange {
                section: "queues".into(),
                name: "calls".into(),
                kind: ConfigChangeKind::Changed.into(),
                fields: vec![field("target", "20s", "30s")],
                waiting: 7,
                in_hand: 0,
            }],
            warnings: vec!["nobody can take voice".into()],
            needs_restart: vec![field("server.grpc", "127.0.0.1:1", "127.0.0.1:2")],
            own_file: "/etc/surgeline.toml".into(),
        }
    }

    #[test]
    fn changes_are_told_with_whom_they_touch_and_what_to_think_twice_about() {
        let text = as_text(&told(), "nothing was changed", 3);
        for part in [
            "queues   calls  changed        7        0",
            "queues calls: target: 20s -> 30s",
            "warning: nobody can take voice",
            "needs a restart: server.grpc: 127.0.0.1:1 -> 127.0.0.1:2",
            "own file /etc/surgeline.toml says otherwise",
            "lacks 3 entries",
            "1 change, 1 warning; nothing was changed",
        ] {
            assert!(text.as_str().contains(part), "{part} is not in\n{}", text.as_str());
        }
        let nothing = as_text(&ConfigPreview::default(), "in force", 0);
        assert_eq!(nothing.as_str(), "0 changes, 0 warnings; in force\n");
    }

    #[test]
    fn the_same_as_one_object() {
        let value: Value = serde_json::from_str(as_value(&told(), 0).as_str()).unwrap();
        assert_eq!(value["changes"][0]["change"], "changed");
        assert_eq!(value["changes"][0]["fields"][0]["new"], "30s");
        assert_eq!(value["needs_restart"][0]["field"], "server.grpc");
        assert_eq!(value["own_file"], "/etc/surgeline.toml");
    }
}
