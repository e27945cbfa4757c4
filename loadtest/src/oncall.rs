//! The on-call staff of a load test: order what the scenario says, when it says so, and
//! measure how long each order takes to be acknowledged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use surgeline::cli::client::{ClientError, connect};
use surgeline::pb::v1::recall_service_client::RecallServiceClient;
use surgeline::pb::v1::set_level_request::To;
use surgeline::pb::v1::{
    EndRecallRequest, GetRecallStatusRequest, LevelBounds, RecallLevel, RecallStatus,
    SetLevelRequest, StartRecallRequest,
};
use tokio::time::sleep_until;
use tonic::transport::Channel;

use crate::error::LoadError;
use crate::recall::{Level, PLAYBOOK, Recall};
use crate::schedule::micros;
use crate::shared::Shared;

const ACTOR: &str = "load-test";
const WHY: &str = "the scenario says so";
/// How long before the next order it is asked how the last one went.
const BEFORE: Duration = Duration::from_millis(500);

/// An order, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Ordered {
    pub(crate) level: Level,
    /// When it was sent, microseconds of the run's time.
    pub(crate) at_us: u64,
    /// Until its answer was read.
    pub(crate) acknowledged_us: u64,
    /// Contacts that were to move, as the answer says; none if it does not count so many.
    pub(crate) to_move: Option<u64>,
    /// How the recall stood just before the next order, or the end of arrivals.
    pub(crate) stood: Option<RecallStatus>,
}

/// Orders everything.
///
/// # Errors
/// [`LoadError::Client`] when the router refuses an order.
pub(crate) async fn play(
    shared: Arc<Shared>,
    counts_from: Instant,
    ends: Instant,
) -> Result<Vec<Ordered>, LoadError> {
    let Some(recall) = &shared.scenario.recall else { return Ok(Vec::new()) };
    let mut client = RecallServiceClient::new(connect(&shared.address).await?);
    let mut orders = Vec::new();
    let mut recall_id = 0;
    for (number, order) in recall.level.iter().enumerate() {
        sleep_until((counts_from + order.at).into()).await;
        let (at_us, since) = (shared.ordered(number), Instant::now());
        let (status, to_move) = give(&mut client, &shared.run, number, order.level, recall.free)
            .await
            .map_err(ClientError::from)?;
        let acknowledged_us = micros(since.elapsed());
        recall_id = status.map_or(recall_id, |s| s.recall_id);
        let next = recall.level.get(number + 1).map_or(ends, |next| counts_from + next.at);
        sleep_until((next - BEFORE).into()).await;
        let asked = GetRecallStatusRequest { recall_id };
        let stood = client.get_recall_status(asked).await.map_err(ClientError::from)?;
        let stood = stood.into_inner().recalls.into_iter().next();
        orders.push(Ordered { level: order.level, at_us, acknowledged_us, to_move, stood });
    }
    Ok(orders)
}

async fn give(
    client: &mut RecallServiceClient<Channel>,
    run: &str,
    number: usize,
    level: Level,
    free: bool,
) -> Result<(Option<RecallStatus>, Option<u64>), tonic::Status> {
    let at = RecallLevel::from(level).into();
    let bounds = LevelBounds { lowest: at, highest: at };
    let request_id = format!("{run}-{number}");
    let (actor, why) = (ACTOR.to_owned(), WHY.to_owned());
    if number == 0 {
        let start = StartRecallRequest {
            request_id,
            actor,
            why,
            playbook: PLAYBOOK.into(),
            level: at,
            free: free.then_some(bounds),
            ..StartRecallRequest::default()
        };
        let answer = client.start_recall(start).await?.into_inner();
        return Ok((answer.recall, answer.to_move));
    }
    if level == Level::Ended {
        let end = EndRecallRequest { request_id, actor, why, ..EndRecallRequest::default() };
        let answer = client.end_recall(end).await?.into_inner();
        return Ok((answer.recall, answer.to_move));
    }
    let to = Some(if free { To::Free(bounds) } else { To::Pinned(at) });
    let set = SetLevelRequest { request_id, actor, why, to, ..SetLevelRequest::default() };
    let answer = client.set_level(set).await?.into_inner();
    Ok((answer.recall, answer.to_move))
}

/// Writes the playbook where a router finds it.
///
/// # Errors
/// [`LoadError`] when it cannot be written.
pub(crate) fn write(recall: &Recall, folder: &std::path::Path) -> Result<(), LoadError> {
    let write = || {
        std::fs::create_dir_all(folder)?;
        let playbook = recall.playbook().map_err(std::io::Error::other)?;
        std::fs::write(folder.join(PLAYBOOK).with_extension("toml"), playbook)
    };
    write().map_err(|source| LoadError::Io { what: "write the playbook", source })
}
