//! The HTTP side: metrics for Prometheus, and health for whoever starts and stops us.
//!
//! `/metrics`, `/healthz` (the process answers) and `/readyz` (it should be sent work).
//! It reads and never commands; the app binds the listener and says when to stop.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::shard::handle::ShardHandle;
use crate::shard::health::NotReady;

/// The text format's content type, which Prometheus asks for.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long the replica may take to answer: less than Prometheus waits for a scrape.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
struct Served {
    handle: ShardHandle,
    metrics: Arc<Metrics>,
}

/// Serves until `shutdown` is cancelled and open requests are answered.
///
/// # Errors
/// What the listener says.
pub async fn serve(
    listener: TcpListener,
    handle: ShardHandle,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let app = Router::new()
        .route("/metrics", get(text))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(Served { handle, metrics });
    axum::serve(listener, app).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

async fn text(State(served): State<Served>) -> Response {
    let Served { handle, metrics } = served;
    let (health, fresh) = (handle.health().clone(), metrics.clone());
    let look = handle.read(move |view| {
        fresh.refresh(view, health.durable().saturating_sub(view.sequence));
    });
    if !matches!(tokio::time::timeout(PATIENCE, look).await, Ok(Ok(()))) {
        // The last values are worth more than none to whoever looks into why it stopped.
        tracing::debug!("metrics without a fresh look: the replica does not answer");
        metrics.replica_is_down();
    }
    ([(header::CONTENT_TYPE, TEXT)], metrics.render()).into_response()
}

async fn ready(State(served): State<Served>) -> Response {
    match served.handle.health().ready() {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, reason(&why)).into_response(),
    }
}

/// The reason with all that lies under it: whoever reads it has no other place to look.
fn reason(why: &NotReady) -> String {
    let mut text = why.to_string();
    let mut source = std::error::Error::source(why);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::tests::bench::{Memory, start};

    async fn body(response: Response) -> (StatusCode, String) {
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("whole");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn metrics_go_on_and_say_so_when_the_replica_has_ended() {
        let metrics = Arc::new(Metrics::new().expect("a sound table"));
        let (handle, shard) = start(&Arc::new(Memory::default()), metrics.clone());
        let served = || State(Served { handle: handle.clone(), metrics: metrics.clone() });
        let (status, live) = body(text(served()).await).await;
        assert_eq!(status, StatusCode::OK);
        assert!(live.contains("\nsurgeline_replica_up 1\n"), "{live}");
        tokio::task::spawn_blocking(move || shard.stop()).await.expect("it stops");
        let (status, after) = body(text(served()).await).await;
        assert_eq!(status, StatusCode::OK, "the last values are worth more than none");
        assert!(after.contains("\nsurgeline_replica_up 0\n"), "{after}");
        assert!(after.contains("\nsurgeline_conservation_difference 0"), "{after}");
        let why = body(ready(served()).await).await;
        assert_eq!(why, (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".into()));
    }
}
