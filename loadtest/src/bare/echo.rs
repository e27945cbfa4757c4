//! A bare tonic echo with the router's own message types: what the transport alone can do.
//!
//! Client and server share this process, as gateways and a router do here, so that the
//! ratio compares like with like.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use surgeline::cli::client::connect;
use surgeline::journal::receipt::RECEIPT;
use surgeline::pb::v1::gateway_service_client::GatewayServiceClient;
use surgeline::pb::v1::gateway_service_connect_response::Message as Heard;
use surgeline::pb::v1::gateway_service_server::{GatewayService, GatewayServiceServer};
use surgeline::pb::v1::{
    Answer, ArriveRequest, ArriveResponse, GatewayServiceConnectRequest,
    GatewayServiceConnectResponse, ReportRequest, ReportResponse, answer,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::arrival::{arrival, read_id};
use crate::book::{histogram, record};
use crate::error::LoadError;
use crate::pacer::pace;
use crate::scenario::Kind;
use crate::schedule::{Due, Says, micros};

struct Echo;

type Out = Pin<Box<dyn Stream<Item = Result<GatewayServiceConnectResponse, Status>> + Send>>;

#[tonic::async_trait]
impl GatewayService for Echo {
    type ConnectStream = Out;

    async fn connect(
        &self,
        request: Request<Streaming<GatewayServiceConnectRequest>>,
    ) -> Result<Response<Out>, Status> {
        let answers = request.into_inner().map(|message| {
            let request_id = message?.request_id;
            let result = Some(answer::Result::ContactId(1));
            Ok(GatewayServiceConnectResponse {
                message: Some(Heard::Answer(Answer {
                    request_id,
                    result,
                    receipt: vec![7; RECEIPT],
                })),
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn arrive(&self, _: Request<ArriveRequest>) -> Result<Response<ArriveResponse>, Status> {
        Err(Status::unimplemented("only streams are compared"))
    }

    async fn report(&self, _: Request<ReportRequest>) -> Result<Response<ReportResponse>, Status> {
        Err(Status::unimplemented("only streams are compared"))
    }
}

/// What an echo is to do.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Whose arrivals are echoed, so that the messages are as large as the real ones.
    pub kind: Kind,
    /// Streams, a connection each.
    pub streams: usize,
    /// How long it runs before it counts.
    pub warm_up: Duration,
    /// How long it counts.
    pub lasting: Duration,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Echoed {
    /// Round trips a second.
    pub round_trips: f64,
    /// Latency of round trips, microseconds; from when each was due if they were paced.
    pub latency: Histogram<u64>,
}

/// As many round trips as there can be with so many in flight on each stream.
///
/// # Errors
/// [`LoadError`] when the loopback does not carry it.
pub async fn closed(shape: Shape, in_flight: usize) -> Result<Echoed, LoadError> {
    run(shape, in_flight, None).await
}

/// Round trips at these times, microseconds from the start, whatever comes back.
///
/// # Errors
/// [`LoadError`] when the loopback does not carry it.
pub async fn paced(shape: Shape, dues: Vec<u64>) -> Result<Echoed, LoadError> {
    run(shape, 0, Some(dues)).await
}

/// What the streams' tasks share.
struct Shared {
    epoch: Instant,
    from_us: u64,
    until_us: u64,
    kind: Kind,
    trips: AtomicU64,
}

impl Shared {
    fn now_us(&self) -> u64 {
        micros(self.epoch.elapsed())
    }

    fn message(&self, at_us: u64, number: usize) -> GatewayServiceConnectRequest {
        let due =
            Due { at_us, kind: 0, handle_us: 200_000, patience_us: None, says: Says::Nothing };
        arrival("0123456789a", number, &due, &self.kind, false)
    }
}

async fn serve() -> Result<(String, JoinHandle<()>), LoadError> {
    let failed = |source| LoadError::Io { what: "listen for the echo", source };
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?.to_string();
    let incoming = TcpListenerStream::new(listener);
    let server = tokio::spawn(async move {
        let router = tonic::transport::Server::builder()
            .tcp_nodelay(true)
            .add_service(GatewayServiceServer::new(Echo));
        // Its clients say so if it fails.
        let _ = router.serve_with_incoming(incoming).await;
    });
    Ok((address, server))
}

async fn run(shape: Shape, in_flight: usize, dues: Option<Vec<u64>>) -> Result<Echoed, LoadError> {
    let (address, server) = serve().await?;
    let from_us = micros(shape.warm_up);
    let until_us = from_us + micros(shape.lasting);
    let (epoch, trips, kind) = (Instant::now(), AtomicU64::new(0), shape.kind);
    let shared = Arc::new(Shared { epoch, from_us, until_us, kind, trips });
    let closed = dues.is_none();
    let mut outs = Vec::new();
    let mut tasks = Vec::new();
    for _ in 0..shape.streams {
        let (out, messages) = unbounded_channel();
        let again = closed.then(|| out.clone());
        tasks.push(tokio::spawn(stream(address.clone(), messages, again, Arc::clone(&shared))));
        outs.push(out);
    }
    let pacing = if let Some(dues) = dues {
        let shared = Arc::clone(&shared);
        Some(tokio::task::spawn_blocking(move || {
            pace(epoch, dues.iter().copied(), u64::MAX, |number| {
                outs[number % outs.len()].send(shared.message(dues[number], number)).is_ok()
            })
        }))
    } else {
        for (number, out) in outs.iter().enumerate() {
            for n in 0..in_flight {
                // A stream that could not be made says so itself.
                let _ = out.send(shared.message(shared.now_us(), number * in_flight + n));
            }
        }
        None
    };
    let mut latency = histogram(3)?;
    for task in tasks {
        latency.add(task.await??)?;
    }
    if let Some(pacing) = pacing {
        pacing.await??;
    }
    server.abort();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let round_trips = shared.trips.load(Relaxed) as f64 / shape.lasting.as_secs_f64();
    Ok(Echoed { round_trips, latency })
}

async fn stream(
    address: String,
    messages: UnboundedReceiver<GatewayServiceConnectRequest>,
    again: Option<UnboundedSender<GatewayServiceConnectRequest>>,
    shared: Arc<Shared>,
) -> Result<Histogram<u64>, LoadError> {
    let failed = |source| LoadError::Stream { who: "echo", number: 0, source: Box::new(source) };
    let mut client = GatewayServiceClient::new(connect(&address).await?);
    let answers = client.connect(UnboundedReceiverStream::new(messages)).await.map_err(failed)?;
    let mut answers = answers.into_inner();
    let mut latency = histogram(3)?;
    let until = shared.epoch + Duration::from_micros(shared.until_us);
    let mut over = std::pin::pin!(tokio::time::sleep_until(until.into()));
    loop {
        let heard = tokio::select! {
            biased;
            () = &mut over => break,
            heard = answers.message() => heard,
        };
        let Some(heard) = heard.map_err(failed)? else { break };
        let now = shared.now_us();
        if let Some(Heard::Answer(answer)) = heard.message
            && (shared.from_us..shared.until_us).contains(&now)
            && let Some(id) = read_id(&answer.request_id)
        {
            shared.trips.fetch_add(1, Relaxed);
            record(&mut latency, now.saturating_sub(id.due_us));
        }
        if let Some(again) = &again {
            // Fails only when this stream is over.
            let _ = again.send(shared.message(now, 0));
        }
    }
    Ok(latency)
}
