//! A bare tonic echo with the router's own message types: what the transport alone can do.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use surgeline::cli::client::connect;
use surgeline::pb::v1::gateway_service_client::GatewayServiceClient;
use surgeline::pb::v1::gateway_service_connect_request::Message as Said;
use surgeline::pb::v1::gateway_service_connect_response::Message as Heard;
use surgeline::pb::v1::gateway_service_server::{GatewayService, GatewayServiceServer};
use surgeline::pb::v1::{
    Answer, ArriveRequest, ArriveResponse, GatewayServiceConnectRequest,
    GatewayServiceConnectResponse, ReportRequest, ReportResponse, answer,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::{IN_FLIGHT, Outcome, STREAMS, histogram};

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
                message: Some(Heard::Answer(Answer { request_id, result })),
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

async fn serve() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let incoming = TcpListenerStream::new(listener);
    tokio::spawn(
        tonic::transport::Server::builder()
            .tcp_nodelay(true)
            .add_service(GatewayServiceServer::new(Echo))
            .serve_with_incoming(incoming),
    );
    Ok(address)
}

/// As many round trips as there can be with so many in flight.
pub(crate) async fn run(warm_up: Duration, lasting: Duration) -> anyhow::Result<Outcome> {
    echo(None, warm_up, lasting).await
}

/// So many round trips a second, whatever comes back.
pub(crate) async fn paced(
    rate: f64,
    warm_up: Duration,
    lasting: Duration,
) -> anyhow::Result<Outcome> {
    echo(Some(rate), warm_up, lasting).await
}

async fn echo(rate: Option<f64>, warm_up: Duration, lasting: Duration) -> anyhow::Result<Outcome> {
    let address = serve().await?;
    let trips = Arc::new(AtomicU64::new(0));
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..STREAMS {
        let pace = rate.map(|r| {
            #[expect(clippy::cast_precision_loss, reason = "a handful of streams")]
            Duration::from_secs_f64(STREAMS as f64 / r)
        });
        tasks.push(tokio::spawn(stream(
            address.clone(),
            pace,
            Arc::clone(&trips),
            begin + warm_up,
            begin + warm_up + lasting,
        )));
    }
    tokio::time::sleep_until((begin + warm_up).into()).await;
    let at_start = trips.load(Relaxed);
    tokio::time::sleep_until((begin + warm_up + lasting).into()).await;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let done = (trips.load(Relaxed) - at_start) as f64 / lasting.as_secs_f64();
    let mut latency = histogram();
    for task in tasks {
        latency.add(task.await??)?;
    }
    Ok(Outcome { rate: done, messages: 2.0 * done, latency })
}

async fn stream(
    address: String,
    pace: Option<Duration>,
    trips: Arc<AtomicU64>,
    from: Instant,
    until: Instant,
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut client = GatewayServiceClient::new(connect(&address).await?);
    let (out, messages) = mpsc::channel(2 * IN_FLIGHT);
    let mut answers = client.connect(ReceiverStream::new(messages)).await?.into_inner();
    let epoch = Instant::now();
    let message = move || GatewayServiceConnectRequest {
        request_id: epoch.elapsed().as_nanos().to_string(),
        message: Some(Said::Report(crate::lives::arrival_report("0123456789", "queue-0"))),
    };
    if let Some(pace) = pace {
        let out = out.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(pace);
            while Instant::now() < until && out.send(message()).await.is_ok() {
                tick.tick().await;
            }
        });
    } else {
        for _ in 0..IN_FLIGHT {
            out.send(message()).await?;
        }
    }
    let mut latency = histogram();
    while Instant::now() < until {
        let Some(heard) = answers.message().await? else { break };
        trips.fetch_add(1, Relaxed);
        if let Some(Heard::Answer(answer)) = heard.message
            && Instant::now() > from
        {
            let sent: u128 = answer.request_id.parse()?;
            let took = epoch.elapsed().as_nanos() - sent;
            latency.saturating_record(u64::try_from(took / 1000)?);
        }
        if pace.is_none() {
            out.send(message()).await?;
        }
    }
    Ok(latency)
}
