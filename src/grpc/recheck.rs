//! Who was told "not affected" is looked up again once a recall was amended.
//!
//! One task for a shard. Where it has got to is in the engine, so that it goes on after a
//! restart; it remembers nothing and decides nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::auth;
use crate::engine::command::Command;
use crate::engine::entry::Role;
use crate::engine::recall::{MOST_RECHECKED, Recall, Told};
use crate::engine::words::Keys;
use crate::ids::{ContactId, RecallId};
use crate::recall::{LotVerdict, Prepared};
use crate::shard::handle::ShardHandle;
use crate::shard::view::View;

/// How often it is looked whether a recall was amended.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Some of those who were told something by an older version.
struct Unseen {
    recall: RecallId,
    version: [u8; 32],
    told: Vec<Told>,
}

/// Looks up again until the token is cancelled.
pub async fn recheck(handle: ShardHandle, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
        // As long as there are any, with others in between.
        loop {
            let Ok(some) = handle.read(next).await else { return };
            let Some(some) = some else { break };
            if stop.is_cancelled() || !look_up(&handle, some).await {
                break;
            }
        }
    }
}

fn next(view: &View<'_>) -> Option<Unseen> {
    let first = |r: &Recall| {
        let from = r.amends.recheck?;
        let told = r.amends.after(from).take(MOST_RECHECKED).cloned().collect();
        Some(Unseen { recall: r.id, version: r.plan.version, told })
    };
    view.engine.recalls().find_map(first)
}

/// Tells the engine who of some is affected. False if that could not be.
async fn look_up(handle: &ShardHandle, some: Unseen) -> bool {
    let known = handle.recalls().get(some.recall);
    let Some(known) = known.filter(|k| k.plan.version == some.version) else { return false };
    let (recall, version) = (some.recall, some.version);
    let full = some.told.len() == MOST_RECHECKED;
    let upto = some.told.last().map(|told| told.contact).filter(|_| full);
    let check = move || -> Arc<[ContactId]> {
        let affected = some.told.iter().filter(|t| is_affected(&known.prepared, &t.lots));
        affected.map(|t| t.contact).collect()
    };
    let Ok(affected) = spawn_blocking(check).await else { return false };
    let command = Command::Rechecked { recall, version, upto, affected };
    let told = handle.call(auth::actor(Role::Router, "router"), None, command, None).await;
    if let Err(error) = &told {
        tracing::debug!(%error, %recall, "who is affected now could not be told");
    }
    told.is_ok()
}

/// Whether somebody who was told "not affected" is or may be affected by this version.
pub(super) fn is_affected(by: &Prepared, lots: &[Keys]) -> bool {
    let is = |keys: &Keys| by.lots.check(keys.trim_end_matches('#')) != LotVerdict::NotAffected;
    lots.iter().any(is)
}
