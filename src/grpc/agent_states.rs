//! Every change of every agent's state, for workforce systems: `WatchAgentStates`.
//!
//! Reads the replica's roster again and again from where the reader is. A reader who is so
//! slow that what comes next is forgotten is cut off and told to begin anew. Nothing is kept
//! here: the cursor is the reader's.

use std::time::Duration;

use tokio::sync::mpsc;
use tonic::Status;

use super::convert::words;
use super::status::{self, Fault};
use super::{Edge, unix_ms};
use crate::engine::agent::Work;
use crate::engine::routing::Routing;
use crate::engine::words::Availability;
use crate::ids::PoolId;
use crate::pb::v1::watch_agent_states_response::Message;
use crate::pb::v1::{self, WatchAgentStatesResponse as Told};
use crate::shard::roster::{Change, Moment};
use crate::shard::view::View;

/// How often it is looked for news: adherence is judged by the second.
const EVERY: Duration = Duration::from_millis(200);
/// Agents in one message, about 64 KiB.
const AT_ONCE: usize = 256;

/// What one look found.
enum Found {
    /// Everybody, and the entry up to which that is true.
    All(Vec<v1::AgentMoment>, u64),
    /// What changed, and the entry up to which that is all.
    Some(Vec<v1::AgentMoment>, u64),
    /// It is forgotten what came next.
    Forgotten,
}

/// Tells until nobody listens.
pub(super) async fn watch(
    edge: Edge,
    pool: Option<PoolId>,
    mut cursor: u64,
    out: mpsc::Sender<Result<Told, Status>>,
) {
    let mut begun = false;
    loop {
        let read = edge.handle.read(move |view| look(view, pool, cursor, begun)).await;
        let said = match read {
            Ok(Found::All(agents, upto)) => {
                cursor = upto;
                tell(&out, &agents, upto, Message::Snapshot).await
            }
            Ok(Found::Some(_, upto)) if upto == cursor => Ok(()),
            Ok(Found::Some(agents, upto)) => {
                cursor = upto;
                tell(&out, &agents, upto, Message::Changes).await
            }
            Ok(Found::Forgotten) => out.send(Err(status::too_slow())).await.and(Err(gone())),
            Err(stopped) => out.send(Err(Fault::from(stopped).into())).await.and(Err(gone())),
        };
        if said.is_err() {
            return;
        }
        begun = true;
        tokio::select! {
            () = out.closed() => return,
            () = edge.stopping.cancelled() => {
                // A full channel has a reader that will find the stream's end by itself.
                let _ = out.try_send(Err(status::stopping()));
                return;
            }
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

type Unheard = mpsc::error::SendError<Result<Told, Status>>;

/// The end of a stream that has been told so.
fn gone() -> Unheard {
    mpsc::error::SendError(Err(status::stopping()))
}

/// Tells agents in parts; the cursor comes with the last, so that a part of a snapshot or of
/// one entry is never gone on from.
async fn tell(
    out: &mpsc::Sender<Result<Told, Status>>,
    agents: &[v1::AgentMoment],
    cursor: u64,
    message: fn(v1::AgentStates) -> Message,
) -> Result<(), Unheard> {
    let parts = agents.chunks(AT_ONCE).count().max(1);
    for part in 0..parts {
        let some = agents.chunks(AT_ONCE).nth(part).unwrap_or_default();
        let message = Some(message(v1::AgentStates { agents: some.to_vec() }));
        let cursor = if part + 1 == parts { cursor } else { 0 };
        out.send(Ok(Told { message, cursor })).await?;
    }
    Ok(())
}

fn look(view: &View<'_>, pool: Option<PoolId>, cursor: u64, begun: bool) -> Found {
    let routing = view.engine.routing();
    let wanted = |now: &Moment| {
        let profile = routing.agent(now.agent);
        pool.is_none_or(|pool| profile.is_some_and(|p| p.pool == pool))
    };
    // A cursor from beyond what there is comes from another history.
    let known = (cursor > 0 || begun) && cursor <= view.sequence;
    let changes = view.roster.since(cursor, AT_ONCE).filter(|_| known);
    if let Some(changes) = changes {
        let upto = match changes.last() {
            Some(last) if changes.len() >= AT_ONCE => last.sequence,
            // Nothing about agents is in what follows.
            _ => view.sequence,
        };
        let some = changes.iter().filter(|c| wanted(&c.now));
        return Found::Some(some.map(|c| changed(routing, c)).collect(), upto);
    }
    if begun {
        return Found::Forgotten;
    }
    let now = unix_ms();
    let all = view.engine.agents().map(|a| (Moment::of(a), a.since));
    let all = all.filter(|(now, _)| wanted(now)).map(|(moment, since)| {
        let at_unix_ms = now.saturating_sub(view.now.since(since).as_millis());
        v1::AgentMoment { at_unix_ms, ..told(routing, &moment) }
    });
    Found::All(all.collect(), view.sequence)
}

fn changed(routing: &Routing, change: &Change) -> v1::AgentMoment {
    v1::AgentMoment {
        at_unix_ms: change.wall.0,
        sequence: change.sequence,
        ..told(routing, &change.now)
    }
}

fn told(routing: &Routing, now: &Moment) -> v1::AgentMoment {
    let profile = routing.agent(now.agent);
    let reason = match now.availability {
        Availability::NotReady(reason) => routing.not_ready_reasons.get(reason.index()),
        Availability::Ready | Availability::SignedOut => None,
    };
    let counts_as = reason.and_then(|r| r.counts_as).map_or("", |counts| counts.name());
    let pool = profile.and_then(|p| routing.pools.get(p.pool.index()));
    let skills = profile.into_iter().flat_map(|p| p.skills.iter());
    let skills = skills.filter_map(|(skill, _)| routing.skills.get(skill.index()));
    let work = |w: &Work| v1::WorkRow {
        contact_id: w.contact.0,
        channel: words::channel(w.channel),
        hold: words::hold(w.hold),
    };
    v1::AgentMoment {
        agent: routing.agent_name(now.agent).to_owned(),
        pool: pool.map_or("?", |p| &p.name).to_owned(),
        skills: skills.map(|s| s.name.to_string()).collect(),
        state: words::agent_state(now.state),
        availability: Some(words::availability(routing, now.availability)),
        counts_as: counts_as.to_owned(),
        at_unix_ms: 0,
        work: now.work.iter().map(work).collect(),
        outside: now.outside,
        overstayed: now.overstayed,
        leaving: now.leaving,
        sequence: 0,
    }
}
