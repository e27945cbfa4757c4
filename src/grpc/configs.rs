//! Previewing and applying a configuration, for administrators.
//!
//! The text is checked here as `config check` checks a file; what it would do is `config`'s to
//! say, and doing it the shard's.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tonic::Status;

use super::convert::check;
use super::status::Fault;
use super::{Edge, auth};
use crate::config::diff::{Change, FieldChange, How};
use crate::config::preview::Touching;
use crate::config::{self, Config, ConfigError};
use crate::engine::entry::Role;
use crate::pb::v1;
use crate::shard::reload::{NotApplied, Planned};

/// Problems of a configuration that a status tells: more do not fit into its headers, and
/// `config check` tells all.
const MOST_PROBLEMS: usize = 5;

pub(super) async fn preview(
    edge: &Edge,
    asked: v1::PreviewConfigRequest,
) -> Result<v1::ConfigPreview, Status> {
    let wanted = read(asked.config).await?;
    let planned = edge.handle.preview_config(&wanted).await;
    Ok(as_pb(planned.map_err(refused)?))
}

pub(super) async fn apply(
    edge: &Edge,
    asked: v1::ApplyConfigRequest,
) -> Result<v1::ConfigPreview, Status> {
    check::request_id(&asked.request_id)?;
    check::bytes("actor", &asked.actor, 1, 64, "1 to 64 bytes")?;
    check::bytes("why", &asked.why, 1, 512, "1 to 512 bytes")?;
    let actor = auth::actor(Role::Admin, &asked.actor);
    let request = auth::request_id(&actor, &asked.request_id, &asked);
    let why = Arc::from(&*asked.why);
    let wanted = read(asked.config).await?;
    let planned = edge.handle.apply_config(&wanted, actor, Some(request), why).await;
    Ok(as_pb(planned.map_err(refused)?))
}

async fn read(text: String) -> Result<Arc<Config>, Status> {
    let parsed = spawn_blocking(move || config::parse("the configuration", &text)).await;
    match parsed {
        Ok(Ok(loaded)) => Ok(Arc::new(loaded.config)),
        Ok(Err(error)) => Err(unsound(&error)),
        Err(_) => Err(Status::internal("it panicked: the router's log says where")),
    }
}

fn unsound(error: &ConfigError) -> Status {
    let ConfigError::Invalid(report) = error else {
        return Status::invalid_argument(error.to_string());
    };
    let first = report.problems().iter().filter(|problem| !problem.fault.is_warning());
    let told: Vec<String> = first
        .take(MOST_PROBLEMS)
        .map(|problem| {
            let (line, column) = report.place(problem);
            format!("line {line}, column {column}: {}: {}", problem.path, problem.fault)
        })
        .collect();
    let errors = report.errors();
    Status::invalid_argument(format!(
        "config: {errors} errors, of which `surgeline config check FILE` tells all: {}",
        told.join("; ")
    ))
}

fn refused(error: NotApplied) -> Status {
    match error {
        NotApplied::Rejected(rejection) => Fault::Rejected(rejection).into(),
        NotApplied::Merge(error) => Status::failed_precondition(error.to_string()),
    }
}

fn as_pb(planned: Planned) -> v1::ConfigPreview {
    let Planned { preview, needs_restart, own_file } = planned;
    v1::ConfigPreview {
        changes: preview.changes.into_iter().map(change).collect(),
        warnings: preview.warnings.iter().map(ToString::to_string).collect(),
        needs_restart: needs_restart.into_iter().map(field).collect(),
        own_file: own_file.map(|file| file.display().to_string()).unwrap_or_default(),
    }
}

fn change(touching: Touching) -> v1::ConfigChange {
    let Touching { change: Change { section, name, how, .. }, waiting, in_hand } = touching;
    let (kind, fields) = match how {
        How::Added => (v1::ConfigChangeKind::Added, Vec::new()),
        How::Changed(fields) => (v1::ConfigChangeKind::Changed, fields),
        How::Retired => (v1::ConfigChangeKind::Retired, Vec::new()),
    };
    v1::ConfigChange {
        section: section.name().into(),
        name: name.to_string(),
        kind: kind.into(),
        fields: fields.into_iter().map(field).collect(),
        waiting,
        in_hand,
    }
}

fn field(change: FieldChange) -> v1::ConfigFieldChange {
    let FieldChange { field, old, new } = change;
    v1::ConfigFieldChange { field: field.into(), old: old.into(), new: new.into() }
}
