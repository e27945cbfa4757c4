//! The HTTP side: metrics for Prometheus, and health for whoever starts and stops us.
//!
//! `/metrics`, `/healthz` (the process answers) and `/readyz` (it should be sent work). It serves
//! before there is a router: while a long journal is read whoever started the process sees that
//! it lives and how far it has got. It reads and never commands; the app binds the listener and
//! says when to stop. A connection is for one request.

mod door;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::door::Door;
use crate::metrics::Metrics;
use crate::shard::handle::ShardHandle;
use crate::shard::health::NotReady;

/// The text format's content type, which Prometheus asks for.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long the replica may take to answer: less than Prometheus waits for a scrape.
const PATIENCE: Duration = Duration::from_secs(3);

/// Nobody has told yet how much there is.
const UNKNOWN: u64 = u64::MAX;

/// What is shown: how far a start has got, and from then on the router.
#[derive(Debug)]
pub struct Shown {
    metrics: Arc<Metrics>,
    entries: AtomicU64,
    of: AtomicU64,
    handle: OnceLock<ShardHandle>,
}

impl Shown {
    /// A router that begins to start.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let (entries, of) = (AtomicU64::new(0), AtomicU64::new(UNKNOWN));
        Self { metrics, entries, of, handle: OnceLock::new() }
    }

    /// So many entries of the journal are read, of so many as far as anybody knows.
    pub fn reading(&self, entries: u64, of: Option<u64>) {
        self.of.store(of.unwrap_or(UNKNOWN), Ordering::Relaxed);
        self.entries.store(entries, Ordering::Relaxed);
        self.metrics.recovering(entries, of);
    }

    /// It has started, and is asked itself from now on.
    pub fn started(&self, handle: ShardHandle) {
        // There is one router in a process's life.
        let _ = self.handle.set(handle);
    }

    /// That it is ready, and what somebody should look into all the same.
    fn doubt(&self) -> String {
        let fault = self.handle.get().and_then(|handle| handle.health().configuration_fault());
        match fault {
            Some(why) => format!("ready, but the configuration file is not in force: {why}\n"),
            None => "ready\n".into(),
        }
    }

    /// Why it is not ready, while it starts.
    fn progress(&self) -> String {
        let entries = self.entries.load(Ordering::Relaxed);
        let of = match self.of.load(Ordering::Relaxed) {
            UNKNOWN => String::new(),
            of => format!(" of {of}"),
        };
        format!("{}: {entries}{of} entries read\n", NotReady::Recovering)
    }
}

/// Serves until `shutdown` is cancelled and open requests are answered.
///
/// # Errors
/// What the listener says.
pub async fn serve(
    listener: TcpListener,
    shown: Arc<Shown>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let door = Door::new(listener, door::MOST, door::LASTING);
    axum::serve(door, routes(shown)).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

fn routes(shown: Arc<Shown>) -> Router {
    Router::new()
        .route("/metrics", get(text))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .layer(map_response(last))
        .with_state(shown)
}

/// No second request on the same connection: it would live for as long as its client likes.
async fn last(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn text(State(shown): State<Arc<Shown>>) -> Response {
    let metrics = shown.metrics.clone();
    match shown.handle.get() {
        Some(handle) => look(handle, &metrics).await,
        // What counts the start, and everything else at nothing.
        None => metrics.replica_is_down(),
    }
    ([(header::CONTENT_TYPE, TEXT)], metrics.render()).into_response()
}

async fn look(handle: &ShardHandle, metrics: &Arc<Metrics>) {
    metrics.configuration(handle.health().configuration_fault().is_some());
    let (health, fresh) = (handle.health().clone(), metrics.clone());
    let look = handle.read(move |view| {
        fresh.refresh(view, health.durable().saturating_sub(view.sequence));
    });
    if !matches!(tokio::time::timeout(PATIENCE, look).await, Ok(Ok(()))) {
        // The last values are worth more than none to whoever looks into why it stopped.
        tracing::debug!("metrics without a fresh look: the replica does not answer");
        metrics.replica_is_down();
    }
}

async fn ready(State(shown): State<Arc<Shown>>) -> Response {
    let why = match shown.handle.get().map(|handle| handle.health().ready()) {
        Some(Ok(())) => return shown.doubt().into_response(),
        Some(Err(why)) => reason(&why),
        None => shown.progress(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
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
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

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
        let shown = Arc::new(Shown::new(metrics.clone()));
        let served = || State(Arc::clone(&shown));
        shown.started(handle.clone());
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

    #[tokio::test]
    async fn while_the_journal_is_read_it_lives_is_not_ready_and_says_how_far_it_is() {
        let shown = Arc::new(Shown::new(Arc::new(Metrics::new().expect("a sound table"))));
        let state = || State(Arc::clone(&shown));
        let (status, why) = body(ready(state()).await).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(why, "recovering from the journal: 0 entries read\n");
        shown.reading(1_500, Some(40_000));
        let (_, why) = body(ready(state()).await).await;
        assert_eq!(why, "recovering from the journal: 1500 of 40000 entries read\n");
        let (status, early) = body(text(state()).await).await;
        assert_eq!(status, StatusCode::OK);
        for line in [
            "surgeline_recovery_entries 1500",
            "surgeline_recovery_entries_expected 40000",
            "surgeline_replica_up 0",
        ] {
            assert!(early.contains(&format!("\n{line}\n")), "{line}: {early}");
        }
    }

    /// A door on a port of its own, and its address.
    async fn open(most: usize, lasting: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("it has one");
        let shown = Arc::new(Shown::new(Arc::new(Metrics::new().expect("a sound table"))));
        let door = Door::new(listener, most, lasting);
        tokio::spawn(async move { axum::serve(door, routes(shown)).await });
        at
    }

    /// What the other side says until it closes; none if it closed without a word.
    async fn heard(stream: &mut TcpStream) -> Option<String> {
        let mut all = Vec::new();
        let ended = stream.read_to_end(&mut all).await;
        let all = String::from_utf8_lossy(&all).into_owned();
        Some(all).filter(|all| ended.is_ok() && !all.is_empty())
    }

    const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n";

    #[tokio::test]
    async fn beyond_the_most_a_connection_is_closed_until_another_has_gone() {
        let at = open(2, Duration::from_secs(600)).await;
        let connect = || async { TcpStream::connect(at).await.expect("it listens") };
        let (mut first, _second) = (connect().await, connect().await);
        let mut third = connect().await;
        assert_eq!(heard(&mut third).await, None);
        // One request each, though the client would go on.
        first.write_all(GET).await.expect("it is inside");
        let answer = heard(&mut first).await.expect("an answer, and the end");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"));
        drop(first);
        loop {
            let mut again = connect().await;
            if again.write_all(GET).await.is_ok() && heard(&mut again).await.is_some() {
                break;
            }
        }
    }

    #[tokio::test]
    async fn who_says_nothing_or_never_ends_does_not_keep_the_place() {
        let at = open(1, Duration::from_millis(100)).await;
        for begins in [&b""[..], b"GET /healthz HTTP/1.1\r\nX: "] {
            loop {
                let mut slow = TcpStream::connect(at).await.expect("it listens");
                if slow.write_all(begins).await.is_ok() && heard(&mut slow).await.is_none() {
                    break;
                }
            }
        }
        loop {
            let mut honest = TcpStream::connect(at).await.expect("it listens");
            if honest.write_all(GET).await.is_ok() && heard(&mut honest).await.is_some() {
                break;
            }
        }
    }
}
