//! How long snapshots and starts from them take, measured on a whole router.
//!
//! `cargo test --release --test it snapshot -- --ignored --nocapture`. A debug build would
//! measure nothing, so it is not part of the ordinary run.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use surgeline::app::{App, AppConfig};
use surgeline::config;
use surgeline::engine::Engine;
use surgeline::engine::command::{Arrival, Command, Reply, Report};
use surgeline::engine::entry::{Actor, Entry, Role, Sealed};
use surgeline::engine::words::Channel;
use surgeline::ids::{CustomerId, GatewayId, QueueId, RequestId};
use surgeline::journal::snapshot::kept::Snapshots;
use surgeline::journal::sqlite::SqliteJournal;
use surgeline::journal::{Batch, Journal, Tip};
use surgeline::time::{EngineTime, Span, WallTime};

const OPEN: u64 = 100_000;
const EVENTS: u64 = 1_000_000;
/// Entries in a batch, about what a loaded router has.
const BATCH: usize = 256;

/// An engine and a journal that it fills.
struct Filler {
    engine: Engine,
    journal: SqliteJournal,
    entries: Vec<Entry>,
    sequence: u64,
    events: u64,
}

impl Filler {
    fn open(data: &Path) -> Self {
        let mut engine = Engine::default();
        let mut sequence = 0;
        let (mut journal, _) = SqliteJournal::open(data, Tip::default(), &mut |batch, _| {
            for entry in &batch.entries {
                engine.replay(entry);
                sequence = entry.sequence;
            }
        })
        .expect("a journal");
        journal.acquire().expect("an epoch");
        Self { engine, journal, entries: Vec::new(), sequence, events: 0 }
    }

    fn step(&mut self, command: &Command, sealed: Option<Sealed>) -> Reply {
        let sequence = self.sequence + 1;
        let at = EngineTime(sequence * 1_000);
        let request = Some(RequestId { id: u128::from(sequence), content: sequence });
        let mut events = Vec::new();
        let reply = self.engine.handle(at, request, command, &mut events);
        let reply = reply.unwrap_or_else(|no| panic!("{no}: {command:?}"));
        if !events.is_empty() {
            self.sequence = sequence;
            self.events += events.len() as u64;
            let actor = Actor { role: Role::Gateway, name: Arc::from("switch") };
            self.entries.push(Entry { sequence, at, actor, request, events, sealed });
            if self.entries.len() == BATCH {
                self.write();
            }
        }
        reply
    }

    fn write(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        let wall = WallTime(1_795_294_800_000 + self.sequence);
        if !entries.is_empty() {
            let tip = self.journal.tip();
            let batch = Batch { entries, mark: None, wall };
            self.journal.append(tip.epoch, tip.sequence, &batch).expect("the disk takes it");
        }
    }

    fn arrives(&mut self, n: u64) -> Reply {
        let arrival = Arrival {
            key: Arc::from(format!("call-{n}")),
            channel: Channel::Chat,
            queue: QueueId(1),
            entry_point: None,
            needs: [].into_iter().collect(),
            preferred: [].into_iter().collect(),
            head_start: Span::ZERO,
            safety: false,
            customer: Some(CustomerId(u128::from(n))),
            continues: None,
            waited: Span::ZERO,
            attributes: Some(Arc::from([("product".into(), "kettle".into())])),
            number_confirmed: false,
            language: None,
            heed: None,
            content: n,
        };
        // What is sealed weighs in the snapshot; nobody opens it.
        let sealed = Sealed { customer: None, key: n, bytes: Arc::from([7; 96].as_slice()) };
        let report = Report::Arrived(arrival);
        self.step(&Command::Gateway { gateway: GatewayId(0), session: None, report }, Some(sealed))
    }
}

fn app(data: &Path) -> AppConfig {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let loaded = config::built_in().expect("the built-in one is sound");
    AppConfig {
        grpc: any,
        http: any,
        data: data.into(),
        playbooks: data.join("playbooks"),
        receipt_key: data.join("receipt-key"),
        accept_older_copy: false,
        keep_days: 400,
        journal: config::journal::Config::default(),
        routing: loaded.config.routing,
        source: surgeline::app::Source::default(),
        site: config::site::Config::default(),
        page: config::page::Config::default(),
    }
}

/// Starts a router, gives how long it says that its recovery took and the entries read,
/// and what it says of snapshots once it has stopped.
async fn start_and_stop(data: &Path) -> (f64, u64, String) {
    let app = App::start(app(data)).await.expect("it starts");
    let read = app.recovered().entries;
    // Waits for the replica, which must be whole as well.
    app.handle().read(|view| view.engine.contacts().count()).await.expect("it reads");
    let metrics = app.metrics().clone();
    let took = value(&metrics.render(), "surgeline_recovery_seconds");
    app.stop().await.expect("it stops");
    let text = metrics.render();
    let lines = text.lines().filter(|l| l.starts_with("surgeline_snapshot"));
    (took, read, lines.collect::<Vec<_>>().join("\n"))
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name)).expect("it is there");
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures: only a release build is worth it"]
async fn a_start_from_a_snapshot_is_quick() {
    let data = tempfile::tempdir().expect("a folder");
    // The router itself makes the keys and the first configuration.
    start_and_stop(data.path()).await;
    let mut filler = Filler::open(data.path());
    let name = Arc::from("switch");
    filler.step(&Command::RegisterGateway(name), None);
    (0..OPEN).for_each(|n| drop(filler.arrives(n)));
    filler.write();

    let mut best = None;
    for _ in 0..5 {
        let began = Instant::now();
        let image = filler.engine.image();
        let took = began.elapsed();
        assert_eq!(image.contacts.len(), usize::try_from(OPEN).expect("it fits"));
        best = Some(best.map_or(took, |b: std::time::Duration| b.min(took)));
    }
    println!("image of the engine alone, {OPEN} open contacts: {:?}", best.expect("five"));
    drop(filler);
    let (took, read, snapshot) = start_and_stop(data.path()).await;
    println!("start from the journal alone: {took:.3} s, {read} entries\n{snapshot}");
    for _ in 0..3 {
        let began = Instant::now();
        let kept = Snapshots::open(data.path()).expect("a folder");
        let found = kept.newest(|s| Ok((Engine::restore(&s.engine)?, s.tip))).expect("readable");
        let (engine, tip) = found.newest.expect("one was written at the stop");
        let loaded = began.elapsed();
        assert_eq!(engine.contacts().count() as u64, OPEN);
        drop(engine);
        let (took, read, _) = start_and_stop(data.path()).await;
        println!(
            "read and restore {loaded:?} (entry {}); whole start {took:.3} s, {read} entries",
            tip.sequence
        );
    }

    let mut filler = Filler::open(data.path());
    let mut n = OPEN;
    while filler.events < EVENTS {
        n += 1;
        let Reply::Contact(contact) = filler.arrives(n) else { panic!("accepted") };
        let report = Report::CustomerLeft(contact);
        filler.step(&Command::Gateway { gateway: GatewayId(0), session: None, report }, None);
    }
    filler.write();
    println!("{} events in {} entries after the snapshot", filler.events, filler.sequence);
    drop(filler);
    let (took, read, snapshot) = start_and_stop(data.path()).await;
    println!("start with that tail: {took:.3} s, {read} entries\n{snapshot}");
}
