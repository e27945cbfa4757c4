//! Who was told "not affected" is looked up again once a recall was amended.
//!
//! One task for a shard. Where it has got to is in the engine, so that it goes on after a
//! restart; it remembers nothing and decides nothing.

use std::collections::{BTreeMap, BTreeSet};
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
pub(super) struct Unseen {
    pub(super) recall: RecallId,
    version: [u8; 32],
    told: Vec<Told>,
}

/// Looks up again until the token is cancelled.
pub async fn recheck(handle: ShardHandle, stop: CancellationToken) {
    let mut told_of = BTreeMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
        // As long as there are any, with others in between. A recall that cannot be looked up
        // keeps none of the others waiting.
        let mut left_out = BTreeSet::new();
        loop {
            let without = left_out.clone();
            let Ok(some) = handle.read(move |view| next(view, &without)).await else { return };
            let Some(some) = some.filter(|_| !stop.is_cancelled()) else { break };
            let (recall, version) = (some.recall, some.version);
            if look_up(&handle, some).await {
                continue;
            }
            left_out.insert(recall);
            if told_of.insert(recall, version) != Some(version) && !stop.is_cancelled() {
                tracing::warn!(%recall, "who was told \"not affected\" cannot be looked up now");
            }
        }
    }
}

/// The first some of a recall that is not left out.
pub(super) fn next(view: &View<'_>, left_out: &BTreeSet<RecallId>) -> Option<Unseen> {
    let first = |r: &Recall| {
        let from = r.amends.recheck?;
        let told = r.amends.after(from).take(MOST_RECHECKED).cloned().collect();
        Some(Unseen { recall: r.id, version: r.plan.version, told })
    };
    view.engine.recalls().filter(|r| !left_out.contains(&r.id)).find_map(first)
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
