//! The pager: calls people in by a webhook when somebody who is hurt waits too long.
//!
//! One task for a shard. The engine says which pages are to be sent, and keeps each until it is
//! told what became of it: so after a restart those that were not settled are sent again, by
//! the same key. The pager remembers only what it is sending now, and decides nothing.

mod post;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use post::PageError;

use crate::config::page::Config;
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Role};
use crate::engine::recall::Paged;
use crate::ids::RecallId;
use crate::shard::handle::ShardHandle;
use crate::shard::view::View;

/// How often it is looked whether somebody is to be paged.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Between the first two attempts; then twice that, and so on.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Between two attempts at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Which page: its recall, and its number in that.
type PageId = (RecallId, u32);

/// What is sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Page {
    /// What happened: always `safety_contacts_waiting`.
    pub event: &'static str,
    /// The same however often this page is sent: whoever takes it may drop a repeat.
    pub key: String,
    /// Which recall, counted from 1.
    pub recall: u16,
    /// What people call its playbook.
    pub playbook: String,
    /// Which incident of the recall, counted from 1: the same for all pages of one.
    pub incident: u32,
    /// Which page of the recall, counted from 1.
    pub page: u32,
    /// How many who are hurt waited too long when it was asked for.
    pub waiting: u32,
    /// For how many seconds the incident lasts.
    pub lasts_seconds: u64,
    /// All of it in a sentence.
    pub text: String,
}

/// Sends pages until the token is cancelled.
pub async fn run(handle: ShardHandle, config: Config, stop: CancellationToken) {
    let (config, mut sending, mut tasks) = (Arc::new(config), BTreeSet::new(), JoinSet::new());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(sent) = tasks.join_next() => {
                // One whose task panicked stays listed: the engine gives it up in time.
                if let Ok(id) = sent {
                    sending.remove(&id);
                }
            }
            () = tokio::time::sleep(LOOK_AGAIN) => {
                let Ok(pending) = handle.read(pending).await else { return };
                for (id, page) in pending {
                    if sending.insert(id) {
                        let (handle, config) = (handle.clone(), Arc::clone(&config));
                        tasks.spawn(async move {
                            settle(&handle, id, send(&config, &page).await).await;
                            id
                        });
                    }
                }
            }
        }
    }
}

/// What is to be sent and is not settled, as the replica knows it.
fn pending(view: &View<'_>) -> Vec<(PageId, Page)> {
    let of = |recall: &crate::engine::recall::Recall| {
        let title = recall.plan.title.to_string();
        let version: String = recall.plan.version[..6].iter().map(|b| format!("{b:02x}")).collect();
        let id = recall.id;
        let pages = recall.alarm.pending.iter().map(|page| {
            let lasts_seconds = view.now.since(page.since).as_millis() / 1_000;
            let text = format!(
                "Recall {id} ({title}): {} hurt or exposed and waiting too long for a person, \
                 for {lasts_seconds} s now. Sign in agents who take calls.",
                page.waiting
            );
            let sent = Page {
                event: "safety_contacts_waiting",
                key: format!("{version}-recall-{id}-page-{}", page.number),
                recall: id.0,
                playbook: title.clone(),
                incident: page.incident,
                page: page.number,
                waiting: page.waiting,
                lasts_seconds,
                text,
            };
            ((id, page.number), sent)
        });
        pages.collect::<Vec<_>>()
    };
    view.engine.recalls().flat_map(of).collect()
}

/// Sends one page, as often as it takes or may be tried.
async fn send(config: &Config, page: &Page) -> Paged {
    let Some(url) = &config.url else {
        tracing::error!(page = page.key, text = page.text, "nobody is paged: [page] has no url");
        return Paged::Nowhere;
    };
    let Ok(body) = serde_json::to_vec(page) else { return Paged::Failed };
    let body: Arc<[u8]> = body.into();
    let attempts = usize::try_from(config.attempts).unwrap_or(1);
    let pauses = ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(attempts.saturating_sub(1))
        .with_jitter();
    let sent = (|| post::post(config, url, &page.key, Arc::clone(&body)))
        .retry(pauses)
        .when(PageError::may_pass)
        .notify(|error, after| {
            tracing::warn!(%error, ?after, page = page.key, "a page is sent again");
        })
        .await;
    match sent {
        Ok(()) => {
            tracing::info!(page = page.key, "people were paged");
            Paged::Sent
        }
        Err(error) => {
            tracing::error!(%error, page = page.key, text = page.text, "a page was not delivered");
            Paged::Failed
        }
    }
}

/// Tells the engine what became of a page.
async fn settle(handle: &ShardHandle, (recall, number): PageId, how: Paged) {
    let actor = Actor { role: Role::Router, name: "router".into() };
    let command = Command::PageSettled { recall, number, how };
    if let Err(error) = handle.call(actor, None, command, None).await {
        // It is sent again by the same key, or given up by the engine.
        tracing::debug!(%error, %recall, number, "what became of a page could not be told");
    }
}
