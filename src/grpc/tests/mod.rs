//! The services as a client meets them: a real shard with its journal on disk, a real
//! listener, and clients made from the same contract.

mod amend;
mod configs;
mod explain;
mod going_down;
mod lives;
mod owed;
mod pains;
mod past;
mod readings;
mod recalls;
mod receipts;
mod refusals;
mod self_service;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use super::{Past, ServeError, WordsReader, serve};
use crate::archive::follow::JournalFollow;
use crate::archive::{Archive, Options, Reader};
use crate::config;
use crate::engine::routing::Routing;
use crate::journal::Tip;
use crate::journal::receipt::Receipts;
use crate::journal::seal::KeyStore;
use crate::journal::sqlite::SqliteJournal;
use crate::metrics::Metrics;
use crate::pb::v1::agent_act::Act;
use crate::pb::v1::agent_directive::Directive as ToAgent;
use crate::pb::v1::agent_service_client::AgentServiceClient;
use crate::pb::v1::agent_service_connect_request::Command as FromAgent;
use crate::pb::v1::agent_service_connect_response::Message as AgentWord;
use crate::pb::v1::gateway_directive::Directive as ToGateway;
use crate::pb::v1::gateway_report::Report;
use crate::pb::v1::gateway_service_client::GatewayServiceClient;
use crate::pb::v1::gateway_service_connect_request::Message as FromGateway;
use crate::pb::v1::gateway_service_connect_response::Message as GatewayWord;
use crate::pb::v1::supervisor_service_client::SupervisorServiceClient;
use crate::pb::v1::{self, agent_act, gateway_report};
use crate::recall::Folder;
use crate::shard::handle::ShardHandle;
use crate::shard::recovery::{Recovery, Shard, ShardOptions};

/// No answer takes this long; a test that waits longer has found something.
const PATIENCE: Duration = Duration::from_secs(10);

/// A router that serves.
struct Router {
    channel: Channel,
    handle: ShardHandle,
    address: std::net::SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
    shard: Shard,
    reader: WordsReader,
    archive: Archive,
    data: TempDir,
}

impl Router {
    /// One with the built-in configuration.
    async fn start() -> Self {
        Self::start_with(config::built_in().expect("a configuration").config.routing).await
    }

    async fn start_with(wanted: Routing) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let keys = Arc::new(KeyStore::open(data.path()).expect("keys"));
        let metrics = Arc::new(Metrics::new().expect("metrics"));
        let observer = metrics.clone();
        let receipts = Arc::new(Receipts::ephemeral().expect("random bytes"));
        let options = ShardOptions { keys, receipts, observer, snapshots: None };
        let recovery = Recovery::new(options).expect("a recovery");
        let (journal, _) =
            SqliteJournal::open(data.path(), Tip::default(), &mut |_, _| {}).expect("a journal");
        let (handle, shard) =
            recovery.finish(journal, |previous| config::merge(previous, &wanted)).expect("a shard");

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let reader = WordsReader::start(handle.clone()).expect("a thread");
        let playbooks = Folder::new(data.path().join("playbooks"));
        let stopped = stop.clone().cancelled_owned();
        let folder = data.path().to_path_buf();
        let follow = JournalFollow::new(folder.clone(), handle.health().clone());
        let options = Options { data: folder.clone(), keep_days: 400, time_zone: "UTC".into() };
        let archive = Archive::start(options, follow, metrics).expect("a thread");
        let reading = Reader::new(folder.clone());
        let past = Past { reader: reading, asks: archive.asks(), data: folder };
        let serving =
            tokio::spawn(serve(handle.clone(), playbooks, past, (listener, 1_024), stopped));
        let uri = format!("http://{address}");
        let channel = Endpoint::from_shared(uri).expect("a uri").connect().await.expect("connects");
        Self { channel, handle, address, stop, serving, shard, reader, archive, data }
    }

    async fn stop(self) {
        drop(self.stop_and_keep().await);
    }

    /// Stops it; its folder stays for as long as what is returned lives.
    async fn stop_and_keep(self) -> TempDir {
        drop(self.channel);
        self.stop.cancel();
        self.serving.await.expect("no panic").expect("serves to the end");
        let (shard, reader, archive) = (self.shard, self.reader, self.archive);
        let stopped = tokio::task::spawn_blocking(move || {
            shard.stop();
            reader.join();
            archive.stop();
        });
        stopped.await.expect("the shard stops, and the reader with it");
        self.data
    }

    fn supervisor(&self) -> SupervisorServiceClient<Channel> {
        SupervisorServiceClient::new(self.channel.clone())
    }

    fn agents(&self) -> AgentServiceClient<Channel> {
        AgentServiceClient::new(self.channel.clone())
    }

    fn gateways(&self) -> GatewayServiceClient<Channel> {
        GatewayServiceClient::new(self.channel.clone())
    }

    /// A gateway's stream that nothing was said on.
    async fn gateway_stream(&self) -> Gateway {
        let (out, requests) = mpsc::channel(8_192);
        let words = self.gateways().connect(ReceiverStream::new(requests)).await;
        Gateway { out: Some(out), words: words.expect("a stream").into_inner(), count: 0 }
    }

    /// A gateway that has said hello and that it holds nothing.
    async fn gateway(&self, name: &str) -> Gateway {
        let mut gateway = self.gateway_stream().await;
        gateway.hello(name).await;
        assert!(matches!(gateway.answer().await.result, Some(v1::answer::Result::Session(_))));
        gateway.report(Report::Holding(gateway_report::Holding { keys: vec![], last: true })).await;
        assert_eq!(
            gateway.answer().await.result,
            Some(v1::answer::Result::UnknownKeys(v1::UnknownKeys::default()))
        );
        gateway
    }

    async fn desktop(&self) -> Desktop {
        let (out, requests) = mpsc::channel(8_192);
        let words = self.agents().connect(ReceiverStream::new(requests)).await;
        Desktop { out: Some(out), words: words.expect("a stream").into_inner(), count: 0 }
    }

    /// A desktop on which these agents are ready.
    async fn ready(&self, agents: &[&str]) -> Desktop {
        let mut desktop = self.desktop().await;
        for agent in agents {
            // Not waited for: the owner decides them in this order.
            desktop.send(agent, FromAgent::SignIn(v1::SignIn::default())).await;
            desktop.act(agent, become_(v1::AvailabilityKind::Ready, "")).await;
        }
        for agent in agents {
            desktop
                .until(agent, |d| match d {
                    ToAgent::Availability(a) => {
                        (a.now?.kind() == v1::AvailabilityKind::Ready).then_some(())
                    }
                    _ => None,
                })
                .await;
        }
        desktop
    }
}

/// A gateway's end of its stream.
struct Gateway {
    out: Option<mpsc::Sender<v1::GatewayServiceConnectRequest>>,
    words: Streaming<v1::GatewayServiceConnectResponse>,
    count: u32,
}

impl Gateway {
    async fn send(&mut self, request_id: &str, message: Option<FromGateway>) {
        let request = v1::GatewayServiceConnectRequest { request_id: request_id.into(), message };
        self.out.as_ref().expect("open").send(request).await.expect("the stream takes it");
    }

    async fn hello(&mut self, name: &str) {
        let hello =
            v1::Hello { gateway: name.into(), limits: None, can_say: true, ..Default::default() };
        self.send("hello", Some(FromGateway::Hello(hello))).await;
    }

    /// Sends a report under a request id of its own, which it returns.
    async fn report(&mut self, report: Report) -> String {
        self.count += 1;
        let id = format!("g-{}", self.count);
        let report = v1::GatewayReport { report: Some(report) };
        self.send(&id, Some(FromGateway::Report(report))).await;
        id
    }

    async fn next(&mut self) -> Result<Option<GatewayWord>, Status> {
        let next = tokio::time::timeout(PATIENCE, self.words.message()).await.expect("in time");
        Ok(next?.and_then(|response| response.message))
    }

    async fn word(&mut self) -> GatewayWord {
        self.next().await.expect("the stream goes on").expect("a message")
    }

    /// The next answer; directives before it are passed over.
    async fn answer(&mut self) -> v1::Answer {
        loop {
            match self.word().await {
                GatewayWord::Answer(answer) => return answer,
                GatewayWord::Refused(refused) => panic!("refused: {refused:?}"),
                GatewayWord::Directive(_) | GatewayWord::Draining(_) => {}
            }
        }
    }

    async fn refused(&mut self) -> v1::Refused {
        loop {
            match self.word().await {
                GatewayWord::Refused(refused) => return refused,
                GatewayWord::Answer(answer) => panic!("answered: {answer:?}"),
                GatewayWord::Directive(_) | GatewayWord::Draining(_) => {}
            }
        }
    }

    /// The first directive that `find` finds something in.
    async fn until<T>(&mut self, find: impl Fn(u64, ToGateway) -> Option<T>) -> T {
        loop {
            match self.word().await {
                GatewayWord::Directive(v1::GatewayDirective { contact_id, directive }) => {
                    if let Some(found) = directive.and_then(|d| find(contact_id, d)) {
                        return found;
                    }
                }
                GatewayWord::Refused(refused) => panic!("refused: {refused:?}"),
                GatewayWord::Answer(_) | GatewayWord::Draining(_) => {}
            }
        }
    }

    /// Reports an arrival and waits for its contact.
    async fn arrives(&mut self, arrival: v1::Arrival) -> u64 {
        self.report(Report::Arrived(arrival)).await;
        match self.answer().await.result {
            Some(v1::answer::Result::ContactId(contact)) => contact,
            other => panic!("expected a contact, got {other:?}"),
        }
    }

    /// How the stream ends.
    async fn end(&mut self) -> Result<(), Status> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}

/// A desktop's end of its stream.
struct Desktop {
    out: Option<mpsc::Sender<v1::AgentServiceConnectRequest>>,
    words: Streaming<v1::AgentServiceConnectResponse>,
    count: u32,
}

impl Desktop {
    async fn send(&mut self, agent: &str, command: FromAgent) -> String {
        self.count += 1;
        let request_id = format!("d-{}", self.count);
        let request = v1::AgentServiceConnectRequest {
            request_id: request_id.clone(),
            agent: agent.into(),
            command: Some(command),
        };
        self.out.as_ref().expect("open").send(request).await.expect("the stream takes it");
        request_id
    }

    async fn act(&mut self, agent: &str, act: Act) -> String {
        self.send(agent, FromAgent::Act(v1::AgentAct { act: Some(act) })).await
    }

    async fn next(&mut self) -> Result<Option<(String, AgentWord)>, Status> {
        let next = tokio::time::timeout(PATIENCE, self.words.message()).await.expect("in time");
        Ok(next?.and_then(|response| Some((response.agent, response.message?))))
    }

    async fn word(&mut self) -> (String, AgentWord) {
        self.next().await.expect("the stream goes on").expect("a message")
    }

    /// The first directive to an agent that `find` finds something in.
    async fn until<T>(&mut self, agent: &str, find: impl Fn(ToAgent) -> Option<T>) -> T {
        loop {
            match self.word().await {
                (to, AgentWord::Directive(v1::AgentDirective { directive })) if to == agent => {
                    if let Some(found) = directive.and_then(&find) {
                        return found;
                    }
                }
                (_, AgentWord::Refused(refused)) => panic!("refused: {refused:?}"),
                _ => {}
            }
        }
    }

    async fn offer(&mut self, agent: &str) -> v1::Offer {
        self.until(agent, |d| match d {
            ToAgent::Offer(offer) => Some(offer),
            _ => None,
        })
        .await
    }

    async fn assigned(&mut self, agent: &str) -> v1::Offer {
        self.until(agent, |d| match d {
            ToAgent::Assigned(offer) => Some(offer),
            _ => None,
        })
        .await
    }

    async fn refused(&mut self) -> (String, v1::Refused) {
        loop {
            if let (agent, AgentWord::Refused(refused)) = self.word().await {
                return (agent, refused);
            }
        }
    }
}

fn become_(kind: v1::AvailabilityKind, reason: &str) -> Act {
    let availability = Some(v1::Availability { kind: kind.into(), reason: reason.into() });
    Act::Become(agent_act::Become { availability })
}

fn accept(offer: &v1::Offer) -> Act {
    Act::Accept(agent_act::Accept { reservation_id: offer.reservation_id })
}

fn complete(contact_id: u64, disposition: &str) -> Act {
    let disposition = disposition.into();
    Act::Complete(agent_act::Complete { contact_id, disposition, ..Default::default() })
}

/// An arrival with a key of its own.
fn arrival(key: &str, channel: v1::Channel, queue: &str) -> v1::Arrival {
    v1::Arrival {
        key: key.into(),
        channel: channel.into(),
        queue: queue.into(),
        ..Default::default()
    }
}
