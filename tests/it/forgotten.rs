//! Forgetting a customer, seen from outside: from every file of a router and all that it logs.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use surgeline::app::{App, AppConfig};
use surgeline::config;
use surgeline::engine::entry::Sealed;
use surgeline::journal::seal::KeyStore;
use surgeline::journal::snapshot::Snapshot;
use surgeline::journal::snapshot::kept::Snapshots;
use surgeline::journal::verify;
use surgeline::pb::v1;
use surgeline::pb::v1::admin_service_client::AdminServiceClient;
use surgeline::pb::v1::answer::Result as Told;
use surgeline::pb::v1::gateway_report::Report;
use surgeline::pb::v1::gateway_service_client::GatewayServiceClient;
use surgeline::pb::v1::gateway_service_connect_request::Message as Say;
use surgeline::pb::v1::gateway_service_connect_response::Message as Word;
use surgeline::shard::recovery::Resumed;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};
use tracing_subscriber::fmt::MakeWriter;

const NAME: &str = "Canary-Name-q8w";
const WORDS: &str = "canary-words-q8w";
const WHO: &str = "canary-account-q8w";

/// Requests that were made.
static SAID: AtomicU32 = AtomicU32::new(0);

/// What was logged.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

fn config(folder: &Path) -> AppConfig {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let routing = config::built_in().expect("the built-in one is sound").config.routing;
    let space = config::journal::Space { low: 0, critical: 0, ballast: 0 };
    AppConfig {
        grpc: any,
        http: any,
        receipt_key: folder.join("receipt-key"),
        accept_older_copy: false,
        data: folder.join("data"),
        playbooks: folder.join("playbooks"),
        journal: config::journal::Config { space, ..Default::default() },
        keep_days: 400,
        routing,
        source: surgeline::app::Source::default(),
        site: config::site::Config::default(),
        page: surgeline::config::page::Config::default(),
    }
}

async fn channel(app: &App) -> Channel {
    let to = Endpoint::from_shared(format!("http://{}", app.grpc_address())).expect("a uri");
    to.connect().await.expect("it listens")
}

/// A gateway on its stream.
struct Gateway {
    out: mpsc::Sender<v1::GatewayServiceConnectRequest>,
    words: Streaming<v1::GatewayServiceConnectResponse>,
}

impl Gateway {
    /// Says hello and that it holds these.
    async fn connect(app: &App, holds: &[&str]) -> Self {
        let mut client = GatewayServiceClient::new(channel(app).await);
        let (out, requests) = mpsc::channel(16);
        let words = client.connect(ReceiverStream::new(requests)).await.expect("a stream");
        let mut gateway = Self { out, words: words.into_inner() };
        let hello = v1::Hello { gateway: "web".into(), ..Default::default() };
        gateway.say(Say::Hello(hello)).await;
        let keys = holds.iter().map(|&key| key.into()).collect();
        gateway.report(Report::Holding(v1::gateway_report::Holding { keys, last: true })).await;
        gateway
    }

    async fn report(&mut self, report: Report) -> Option<Told> {
        self.say(Say::Report(v1::GatewayReport { report: Some(report) })).await
    }

    async fn say(&mut self, message: Say) -> Option<Told> {
        // Of all sessions: the router remembers them over a restart.
        let request_id = format!("r-{}", SAID.fetch_add(1, Ordering::Relaxed));
        let request = v1::GatewayServiceConnectRequest { request_id, message: Some(message) };
        self.out.send(request).await.expect("the stream takes it");
        loop {
            let word = self.words.message().await.expect("the stream goes on").expect("a word");
            match word.message.expect("a message") {
                Word::Answer(answer) => return answer.result,
                Word::Refused(refused) => panic!("refused: {refused:?}"),
                Word::Directive(_) | Word::Draining(_) => {}
            }
        }
    }

    async fn says(&mut self, contact_id: u64) {
        let input =
            v1::gateway_report::Input { contact_id, person: person(), ..Default::default() };
        self.report(Report::Input(input)).await;
    }
}

fn person() -> Option<v1::Person> {
    Some(v1::Person { name: NAME.into(), words: WORDS.into(), ..Default::default() })
}

async fn stop(app: App) {
    app.stop().await.expect("it stops");
}

/// Every file below a folder that holds these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else {
            let content = std::fs::read(&path).expect("a file");
            if content.windows(bytes.len()).any(|window| window == bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// What each of the snapshots that are kept holds sealed.
fn in_snapshots(data: &Path) -> Vec<Vec<Sealed>> {
    let mut all = Vec::new();
    let sealed = |snapshot: &Snapshot| {
        let mut found = Vec::new();
        for (_, known) in &snapshot.seen.people {
            found.extend(known.arrived.iter().chain(&known.said).cloned());
        }
        for (_, timeline) in &snapshot.seen.timelines {
            found.extend(timeline.items.iter().filter_map(|item| item.sealed.clone()));
        }
        found
    };
    let kept = Snapshots::open(data).expect("a folder");
    let found = kept.newest(|mut snapshot| {
        all.push(sealed(&snapshot));
        // No state, so that the older one is looked at too.
        snapshot.engine.counts.accepted += 1;
        Resumed::of(snapshot).map(drop)
    });
    assert!(found.expect("a folder").newest.is_none());
    all
}

fn in_journal(data: &Path) -> Vec<Sealed> {
    let mut found = Vec::new();
    verify::read(data, &mut |batch, _| {
        found.extend(batch.entries.iter().filter_map(|entry| entry.sealed.clone()));
    })
    .expect("a sound journal");
    found
}

/// Everything sealed wherever it is kept.
fn sealed_in(data: &Path) -> Vec<Sealed> {
    let snapshots = in_snapshots(data).into_iter().flatten();
    snapshots.chain(in_journal(data)).collect()
}

fn nothing_in_plain(data: &Path, key: &[u8]) {
    assert_eq!(holding(data, key), [""; 0], "the key's own bytes");
    for canary in [NAME, WORDS, WHO] {
        assert_eq!(holding(data, canary.as_bytes()), [""; 0], "{canary}");
        let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!log.is_empty(), "something was logged");
        assert!(!String::from_utf8_lossy(&log).contains(canary), "{canary} is in the log");
    }
}

async fn forget(app: &App) -> v1::ForgetCustomerResponse {
    let mut admin = AdminServiceClient::new(channel(app).await);
    let asked = v1::ForgetCustomerRequest {
        actor: "nadia".into(),
        why: "request 119".into(),
        customer: Some(v1::Customer { identity: WHO.into() }),
        dry_run: false,
    };
    admin.forget_customer(asked).await.expect("nothing keeps them").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_forgotten_customer_is_left_in_any_file_snapshot_or_log() {
    let logged = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(Log);
    logged.try_init().expect("no other test listens");
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");

    // Two stops with the contact open: it is in both snapshots that are kept.
    let app = App::start(config(folder.path())).await.expect("it starts");
    let mut gateway = Gateway::connect(&app, &[]).await;
    let arrival = v1::Arrival {
        key: "chat-1".into(),
        channel: v1::Channel::Chat.into(),
        queue: "support-chat".into(),
        customer: Some(v1::Customer { identity: WHO.into() }),
        person: person(),
        ..Default::default()
    };
    let Some(Told::ContactId(contact)) = gateway.report(Report::Arrived(arrival)).await else {
        panic!("no contact");
    };
    stop(app).await;
    let app = App::start(config(folder.path())).await.expect("it starts again");
    let mut gateway = Gateway::connect(&app, &["chat-1"]).await;
    gateway.says(contact).await;
    stop(app).await;

    let app = App::start(config(folder.path())).await.expect("it starts again");
    let mut gateway = Gateway::connect(&app, &["chat-1"]).await;
    let left = v1::gateway_report::CustomerLeft { contact_id: contact };
    gateway.report(Report::CustomerLeft(left)).await;
    let snapshots = in_snapshots(&data);
    assert_eq!(snapshots.len(), 2);
    let keys = app.handle().keys();
    for sealed in &snapshots {
        assert!(!sealed.is_empty());
        assert!(sealed.iter().all(|sealed| keys.unseal(sealed).is_some()), "readable until now");
    }
    let file = rusqlite::Connection::open(data.join("keys.sqlite")).expect("the store");
    let key = "SELECT bytes FROM key WHERE id = ?1";
    let id = snapshots[0][0].key;
    let key: Vec<u8> = file.query_row(key, [id], |row| row.get(0)).expect("a key");
    drop(file);
    assert!(!holding(&data, &key).is_empty(), "the key is on the disk until now");

    let told = forget(&app).await;
    assert!(told.forgotten && told.had_keys, "{told:?}");
    assert_eq!(in_snapshots(&data), snapshots, "they are as they were");
    assert!(in_journal(&data).len() >= 2);
    assert!(sealed_in(&data).iter().all(|sealed| keys.unseal(sealed).is_none()));
    nothing_in_plain(&data, &key);
    stop(app).await;

    // Nor after a restart, which reads snapshots and journal and writes them anew.
    let app = App::start(config(folder.path())).await.expect("it starts again");
    stop(app).await;
    let keys = KeyStore::open(&data).expect("the keys of the others");
    assert!(sealed_in(&data).iter().all(|sealed| keys.unseal(sealed).is_none()));
    nothing_in_plain(&data, &key);
}
