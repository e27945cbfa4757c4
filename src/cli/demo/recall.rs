//! The on-call staff of the demo: they start a recall when the wave comes and end it when it
//! is over, by the service that `surgeline recall` uses.

use tokio::time::sleep_until;
use tonic::transport::Channel;

use super::scenario::{PLAYBOOK_NAME, RECALL};
use super::{Bench, Phase, PlayerError};
use crate::cli::client::ClientError;
use crate::pb::v1::recall_service_client::RecallServiceClient;
use crate::pb::v1::{EndRecallRequest, LevelBounds, RecallLevel, StartRecallRequest};

/// Who they are in the audit.
const ACTOR: &str = "on-call";

/// Starts and ends the recall at its times.
///
/// # Errors
/// [`PlayerError`] when the router refuses either.
pub(super) async fn play(wire: Channel, bench: Bench) -> Result<(), PlayerError> {
    let at = |bench: &Bench, part: f64| bench.starts + bench.lasting.mul_f64(part);
    let (starts, ends) = (at(&bench, RECALL.start), at(&bench, RECALL.end));
    let mut over = bench.clone();
    let recall = async {
        let mut client = RecallServiceClient::new(wire);
        sleep_until(starts).await;
        client
            .start_recall(StartRecallRequest {
                request_id: "demo-start".to_owned(),
                actor: ACTOR.to_owned(),
                why: "reports of overheating bases, the notice is out".to_owned(),
                playbook: PLAYBOOK_NAME.to_owned(),
                level: RecallLevel::Elevated.into(),
                // The router moves it from there, between the playbook's bounds.
                free: Some(LevelBounds::default()),
                ..StartRecallRequest::default()
            })
            .await
            .map_err(ClientError::from)?;
        sleep_until(ends).await;
        client
            .end_recall(EndRecallRequest {
                request_id: "demo-end".to_owned(),
                actor: ACTOR.to_owned(),
                why: "the wave is over".to_owned(),
                ..EndRecallRequest::default()
            })
            .await
            .map_err(ClientError::from)?;
        Ok::<_, PlayerError>(())
    };
    tokio::select! {
        done = recall => done?,
        // Broken off: the end of the demo ends everything.
        () = over.phase_is(Phase::Over) => return Ok(()),
    }
    Ok(())
}
