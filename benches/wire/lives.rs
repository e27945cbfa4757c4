//! Whole contact lives through a real router on loopback.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use surgeline::app::{App, AppConfig};
use surgeline::cli::client::connect;
use surgeline::config;
use surgeline::pb::v1::agent_service_client::AgentServiceClient;
use surgeline::pb::v1::agent_service_connect_request::Command as Ask;
use surgeline::pb::v1::agent_service_connect_response::Message as Told;
use surgeline::pb::v1::gateway_service_client::GatewayServiceClient;
use surgeline::pb::v1::gateway_service_connect_request::Message as Said;
use surgeline::pb::v1::gateway_service_connect_response::Message as Heard;
use surgeline::pb::v1::{
    AgentAct, AgentServiceConnectRequest, Arrival, Availability, AvailabilityKind, Channel,
    GatewayReport, GatewayServiceConnectRequest, Hello, SignIn, agent_act, agent_directive,
    gateway_directive, gateway_report,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{IN_FLIGHT, Outcome, STREAMS, histogram};

/// Agents on one desktop's stream, and chats that each takes at once.
const AGENTS: usize = 50;
const CHATS: usize = 10;

pub(crate) fn arrival_report(key: &str, queue: &str) -> GatewayReport {
    let arrival = Arrival {
        key: key.into(),
        channel: Channel::Chat.into(),
        queue: queue.into(),
        ..Default::default()
    };
    GatewayReport { report: Some(gateway_report::Report::Arrived(arrival)) }
}

fn configuration() -> String {
    let mut toml =
        String::from("skills = [\"s0\", \"s1\", \"s2\", \"s3\"]\n[[pools]]\nname = \"own\"\n");
    for q in 0..STREAMS {
        let _ = write!(
            toml,
            "[[queues]]\nname = \"queue-{q}\"\nchannels = [\"chat\"]\nneeds = {{ s{q} = 1 }}\nwrap_up = \"0s\"\n\
             [[agent_groups]]\nprefix = \"d{q}\"\ncount = {AGENTS}\npool = \"own\"\nskills = {{ s{q} = 3 }}\n\
             capacity = {{ chat = {CHATS} }}\n"
        );
    }
    toml
}

/// What the clients share while they run.
#[derive(Clone)]
struct Run {
    address: String,
    epoch: Instant,
    /// Lives that ended, and messages in both directions.
    lives: Arc<AtomicU64>,
    messages: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    /// Time between two arrivals on one gateway's stream; none: one ends, one comes.
    pace: Option<Duration>,
    measured_from: Instant,
}

pub(crate) async fn closed_loop(
    folder: &Path,
    warm_up: Duration,
    lasting: Duration,
) -> anyhow::Result<Outcome> {
    run(&folder.join("full"), None, warm_up, lasting).await
}

pub(crate) async fn paced(
    folder: &Path,
    rate: f64,
    warm_up: Duration,
    lasting: Duration,
) -> anyhow::Result<Outcome> {
    run(&folder.join("half"), Some(rate), warm_up, lasting).await
}

async fn run(
    data: &Path,
    rate: Option<f64>,
    warm_up: Duration,
    lasting: Duration,
) -> anyhow::Result<Outcome> {
    let config = config::parse("bench", &configuration())?.config;
    let any = "127.0.0.1:0".parse()?;
    let app =
        App::start(AppConfig { grpc: any, http: any, data: data.into(), routing: config.routing })
            .await?;
    let epoch = Instant::now();
    let run = Run {
        address: app.grpc_address().to_string(),
        epoch,
        lives: Arc::default(),
        messages: Arc::default(),
        stop: Arc::default(),
        #[expect(clippy::cast_precision_loss, reason = "a handful of streams")]
        pace: rate.map(|r| Duration::from_secs_f64(STREAMS as f64 / r)),
        measured_from: epoch + warm_up,
    };
    let mut desktops = Vec::new();
    let (ready, mut all_ready) = mpsc::channel(STREAMS);
    for number in 0..STREAMS {
        desktops.push(tokio::spawn(desktop(run.clone(), number, ready.clone())));
    }
    for _ in 0..STREAMS {
        all_ready.recv().await;
    }
    let gateways: Vec<_> = (0..STREAMS).map(|n| tokio::spawn(gateway(run.clone(), n))).collect();
    let read = |run: &Run| (run.lives.load(Relaxed), run.messages.load(Relaxed), Instant::now());
    tokio::time::sleep(warm_up).await;
    let before = read(&run);
    tokio::time::sleep(lasting).await;
    let after = read(&run);
    run.stop.store(true, Relaxed);
    for gateway in gateways {
        gateway.abort();
    }
    app.stop().await?;
    let mut latency = histogram();
    for desktop in desktops {
        latency.add(desktop.await??)?;
    }
    let seconds = (after.2 - before.2).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "rates for people to read")]
    let per_second = |n: u64| n as f64 / seconds;
    Ok(Outcome {
        rate: per_second(after.0 - before.0),
        messages: per_second(after.1 - before.1),
        latency,
    })
}

async fn gateway(run: Run, number: usize) -> anyhow::Result<()> {
    let mut client = GatewayServiceClient::new(connect(&run.address).await?);
    let (out, messages) = mpsc::channel(4 * IN_FLIGHT);
    let mut heard = client.connect(ReceiverStream::new(messages)).await?.into_inner();
    let hello = Hello { gateway: format!("gateway-{number}"), limits: None };
    let request = GatewayServiceConnectRequest {
        request_id: "hello".into(),
        message: Some(Said::Hello(hello)),
    };
    out.send(request).await?;
    let epoch = run.epoch;
    let mut next = 0u64;
    // The key carries when the arrival was sent, for the desktop to measure by.
    let mut arrive = move || {
        next += 1;
        let key = format!("{number}-{next}-{}", epoch.elapsed().as_micros());
        GatewayServiceConnectRequest {
            request_id: key.clone(),
            message: Some(Said::Report(with_time(&key, number))),
        }
    };
    match run.pace {
        None => {
            for _ in 0..IN_FLIGHT {
                out.send(arrive()).await?;
            }
            while let Some(message) = heard.message().await? {
                run.messages.fetch_add(1, Relaxed);
                if ended(&message) {
                    run.lives.fetch_add(1, Relaxed);
                    run.messages.fetch_add(1, Relaxed);
                    out.send(arrive()).await?;
                }
            }
        }
        Some(pace) => {
            let counts = run.clone();
            tokio::spawn(async move {
                let mut tick = tokio::time::interval(pace);
                while !counts.stop.load(Relaxed) && out.send(arrive()).await.is_ok() {
                    counts.messages.fetch_add(1, Relaxed);
                    tick.tick().await;
                }
            });
            while let Some(message) = heard.message().await? {
                run.messages.fetch_add(1, Relaxed);
                run.lives.fetch_add(u64::from(ended(&message)), Relaxed);
            }
        }
    }
    Ok(())
}

fn with_time(key: &str, number: usize) -> GatewayReport {
    let mut report = arrival_report(key, &format!("queue-{number}"));
    if let Some(gateway_report::Report::Arrived(arrival)) = &mut report.report {
        let sent = key.rsplit('-').next().unwrap_or_default().to_owned();
        arrival.attributes =
            vec![surgeline::pb::v1::Attribute { name: "sent".into(), value: sent }];
    }
    report
}

fn ended(message: &surgeline::pb::v1::GatewayServiceConnectResponse) -> bool {
    matches!(
        &message.message,
        Some(Heard::Directive(d)) if matches!(d.directive, Some(gateway_directive::Directive::Ended(_)))
    )
}

async fn desktop(
    run: Run,
    number: usize,
    ready: mpsc::Sender<()>,
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut client = AgentServiceClient::new(connect(&run.address).await?);
    let (out, messages) = mpsc::channel(64 * IN_FLIGHT);
    let mut told = client.connect(ReceiverStream::new(messages)).await?.into_inner();
    let mut requests = 0u64;
    let mut ask = move |agent: &str, command| {
        requests += 1;
        AgentServiceConnectRequest {
            request_id: requests.to_string(),
            agent: agent.to_owned(),
            command: Some(command),
        }
    };
    let act = |act| Ask::Act(AgentAct { act: Some(act) });
    for n in 1..=AGENTS {
        let agent = format!("d{number}-{n:03}");
        out.send(ask(&agent, Ask::SignIn(SignIn {}))).await?;
        let availability =
            Some(Availability { kind: AvailabilityKind::Ready.into(), reason: String::new() });
        let become_ready = agent_act::Act::Become(agent_act::Become { availability });
        out.send(ask(&agent, act(become_ready))).await?;
    }
    let mut answers = 0;
    let mut latency = histogram();
    // The router ends the stream when it stops.
    while let Ok(Some(message)) = told.message().await {
        run.messages.fetch_add(1, Relaxed);
        let answer = match message.message {
            Some(Told::Answer(_)) => {
                answers += 1;
                if answers == 2 * AGENTS {
                    ready.send(()).await?;
                }
                continue;
            }
            Some(Told::Refused(refused)) => anyhow::bail!("refused: {}", refused.message),
            Some(Told::Directive(d)) => match d.directive {
                Some(agent_directive::Directive::Offer(offer)) => {
                    let sent = offer.attributes.first().map_or("0", |a| &a.value).parse::<u64>()?;
                    let now = Instant::now();
                    if now > run.measured_from && !run.stop.load(Relaxed) {
                        let at = u64::try_from((now - run.epoch).as_micros())?;
                        latency.saturating_record(at.saturating_sub(sent));
                    }
                    let reservation_id = offer.reservation_id;
                    agent_act::Act::Accept(agent_act::Accept { reservation_id })
                }
                Some(agent_directive::Directive::Assigned(offer)) => {
                    let contact_id = offer.contact_id;
                    let disposition = String::new();
                    agent_act::Act::Complete(agent_act::Complete { contact_id, disposition })
                }
                _ => continue,
            },
            _ => continue,
        };
        run.messages.fetch_add(1, Relaxed);
        if out.send(ask(&message.agent, act(answer))).await.is_err() {
            break;
        }
    }
    Ok(latency)
}
