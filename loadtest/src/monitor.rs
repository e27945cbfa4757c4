//! What the router itself says while it is under load, as a supervisor hears it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use surgeline::cli::client::{ClientError, connect};
use surgeline::pb::v1::supervisor_service_client::SupervisorServiceClient;
use surgeline::pb::v1::{ContactCounts, WatchQueuesRequest, WatchQueuesResponse};
use tonic::transport::Channel;

use crate::error::LoadError;
use crate::shared::Shared;

/// Between two looks, milliseconds.
const EVERY_MS: u32 = 250;
/// Looks between two lines of progress.
const LOOKS_A_LINE: usize = 4 * 5;
/// How long the replica that answers may be behind what the players were told.
const CATCH_UP: Duration = Duration::from_secs(10);

/// The router at one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Sample {
    /// Since the run's start.
    pub(crate) at_us: u64,
    pub(crate) contacts: ContactCounts,
}

impl Sample {
    pub(crate) const fn with_agents(&self) -> u64 {
        self.contacts.reserved + self.contacts.connecting + self.contacts.assigned
    }
}

/// Accepted less the sum over all states; must be 0.
pub(crate) fn difference(c: &ContactCounts) -> i64 {
    let open = c.queued + c.reserved + c.connecting + c.assigned + c.pending + c.self_service;
    let states = open + c.closed;
    c.accepted.cast_signed().wrapping_sub(states.cast_signed())
}

/// Looks again and again until the run is over; says how it goes on stderr.
///
/// # Errors
/// [`LoadError::Client`] when the router no longer answers.
pub(crate) async fn follow(shared: Arc<Shared>, progress: bool) -> Result<Vec<Sample>, LoadError> {
    let mut client = client(&shared.address).await?;
    let watch = WatchQueuesRequest { queues: Vec::new(), interval_ms: EVERY_MS };
    let mut looks = client.watch_queues(watch).await.map_err(ClientError::from)?.into_inner();
    let mut samples = Vec::new();
    loop {
        let look = tokio::select! {
            () = shared.over.cancelled() => return Ok(samples),
            look = looks.message() => look.map_err(ClientError::from)?,
        };
        let Some(WatchQueuesResponse { contacts: Some(contacts), .. }) = look else {
            return Ok(samples);
        };
        let sample = Sample { at_us: shared.now_us(), contacts };
        samples.push(sample);
        if progress && samples.len() % LOOKS_A_LINE == 0 {
            eprintln!(
                "  {:>4} s  arrived {:>8}  waiting {:>7}  with agents {:>6}  ended {:>8}",
                sample.at_us / 1_000_000,
                shared.counts.sent.load(Relaxed),
                contacts.queued,
                sample.with_agents(),
                shared.counts.ended.load(Relaxed),
            );
        }
    }
}

async fn client(address: &str) -> Result<SupervisorServiceClient<Channel>, LoadError> {
    Ok(SupervisorServiceClient::new(connect(address).await?))
}

/// The router's counts now.
///
/// # Errors
/// [`LoadError::Client`].
pub(crate) async fn counts(address: &str) -> Result<ContactCounts, LoadError> {
    let watch = WatchQueuesRequest { queues: Vec::new(), interval_ms: EVERY_MS };
    let looks = client(address).await?.watch_queues(watch).await.map_err(ClientError::from)?;
    let look = looks.into_inner().message().await.map_err(ClientError::from)?;
    Ok(look.and_then(|l| l.contacts).unwrap_or_default())
}

/// The router's counts, once they are what the players were told since those of `before`, or
/// it takes too long. Of what is still going on each hears at another moment: so it is asked
/// again and again.
///
/// # Errors
/// [`LoadError::Client`].
pub(crate) async fn caught_up(
    shared: &Shared,
    before: &ContactCounts,
) -> Result<ContactCounts, LoadError> {
    let until = tokio::time::Instant::now() + CATCH_UP;
    loop {
        let now = counts(&shared.address).await?;
        let opened = now.accepted - before.accepted == shared.counts.opened();
        let closed = now.closed - before.closed == shared.counts.ended.load(Relaxed);
        if opened && closed || tokio::time::Instant::now() > until {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
