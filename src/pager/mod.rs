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

use crate::config::page::{Config, FIRST_PAUSE, LONGEST_PAUSE};
use crate::engine::command::Command;
use crate::engine::entry::{Actor, Role};
use crate::engine::recall::Paged;
use crate::ids::RecallId;
use crate::shard::handle::ShardHandle;
use crate::shard::view::View;

/// How often it is looked whether somebody is to be paged.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Which page: its recall, and its number in that.
type PageId = (RecallId, u32);

/// What is sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Page {
    /// What happened: always `safety_contacts_waiting`.
    pub event: &'static str,
    /// The same however often this page is sent: whoever takes it may drop a repeat. No other
    /// router has it, and no other data folder.
    pub key: String,
    /// What the site is called that needs people; empty where it has no name.
    pub site: String,
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
    /// For how many seconds the incident lasted when it was asked for.
    pub lasts_seconds: u64,
    /// All of it in a sentence.
    pub text: String,
}

/// Who calls people in.
#[derive(Clone, Debug)]
struct Caller {
    /// What the site is called.
    site: Arc<str>,
    /// Made of what its data folder alone knows.
    folder: u64,
}

/// Sends pages of a site that is called so until the token is cancelled.
pub async fn run(handle: ShardHandle, config: Config, site: Arc<str>, stop: CancellationToken) {
    let caller = Caller { site, folder: handle.keys().fingerprint(b"pager") };
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
                let caller = caller.clone();
                let pending = handle.read(move |view| pending(view, &caller)).await;
                let Ok(pending) = pending else { return };
                for (id, page) in pending {
                    if sending.insert(id) {
                        let (handle, config) = (handle.clone(), Arc::clone(&config));
                        tasks.spawn(async move {
                            let how = send(&config, &page, || is_wanted(&handle, id)).await;
                            settle(&handle, id, how).await;
                            id
                        });
                    }
                }
            }
        }
    }
}

/// What is to be sent and is not settled, as the replica knows it.
fn pending(view: &View<'_>, caller: &Caller) -> Vec<(PageId, Page)> {
    let of = |recall: &crate::engine::recall::Recall| {
        let title = recall.plan.title.to_string();
        let id = recall.id;
        let called = if caller.site.is_empty() { "" } else { ", " };
        let pages = recall.alarm.pending.iter().map(|page| {
            // As it was asked for: whoever takes a repeat finds what they had.
            let lasts_seconds = page.asked.since(page.since).as_millis() / 1_000;
            let site = &caller.site;
            let text = format!(
                "Recall {id} ({title}){called}{site}: {} hurt or exposed and waiting too long for a person, \
                 for {lasts_seconds} s now. Sign in agents who take calls.",
                page.waiting
            );
            let sent = Page {
                event: "safety_contacts_waiting",
                key: format!("{:016x}-recall-{id}-page-{}", caller.folder, page.number),
                site: site.to_string(),
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

/// Whether a page is still asked for, and somebody still waits for whom it was.
async fn is_wanted(handle: &ShardHandle, (recall, number): PageId) -> bool {
    let asked = move |view: &View<'_>| {
        view.engine.recall(recall).is_some_and(|r| {
            r.alarm.since.is_some() && r.alarm.pending.iter().any(|p| p.number == number)
        })
    };
    // Who cannot be asked has not said no.
    handle.read(asked).await.unwrap_or(true)
}

/// Sends one page, as often as it takes or may be tried, while it is wanted.
async fn send<W: Future<Output = bool>>(
    config: &Config,
    page: &Page,
    is_wanted: impl Fn() -> W,
) -> Paged {
    let Some(url) = &config.url else {
        tracing::error!(page = page.key, text = page.text, "nobody is paged: [page] has no url");
        return Paged::Nowhere;
    };
    let Ok(body) = serde_json::to_vec(page) else { return Paged::Failed };
    let body: Arc<[u8]> = body.into();
    let attempts = usize::try_from(config.attempts).unwrap_or(1);
    let pauses = ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE.into())
        .with_max_delay(LONGEST_PAUSE.into())
        .with_max_times(attempts.saturating_sub(1))
        .with_jitter();
    let attempt = || async {
        if !is_wanted().await {
            return Err(PageError::Over);
        }
        post::post(config, url, &page.key, Arc::clone(&body)).await
    };
    let sent = attempt
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
        Err(PageError::Over) => {
            tracing::info!(page = page.key, "nobody waits any more whom people were called for");
            Paged::Superseded
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
