//! `surgeline demo`: a real router under simulated gateways and agents, over real gRPC.
//!
//! The router runs in this process on loopback ports, its journal in a temporary folder.
//! Everything else speaks to it through the public contract and nothing else: gateways and
//! agents on their streams, this module's view of it through the supervisors' service, and
//! the verdict from `/metrics` beside the players' own books. It measures nothing about
//! peak load: that is the load test's.

mod agenda;
mod agents;
mod audit;
mod customers;
mod gateway;
mod recall;
mod scenario;
mod scrape;
mod screen;
mod summary;
mod view;
mod watch;

use std::io::{IsTerminal, stderr};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tracing_subscriber::EnvFilter;

use self::audit::Audit;
use self::scenario::{CENTRE, Dice, GATEWAYS, PLAYBOOK, PLAYBOOK_NAME};
use self::screen::Screen;
use self::summary::{Outcome, Summary};
use self::view::Frame;
use self::watch::{Snapshot, Watcher};
use super::FAILED;
use super::args::Demo;
use super::client::{ClientError, connect};
use super::out::{Text, put, tell_line};
use crate::app::{App, AppConfig};
use crate::config;
use crate::config::journal::{Config as JournalConfig, Space};

/// How long contacts may take to end once nobody comes any more.
const DRAIN: Duration = Duration::from_secs(10);
/// How long players may take to stop.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where the demo is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Customers come.
    Open,
    /// Nobody comes any more; work in hand is finished.
    Closing,
    /// Everybody stops.
    Over,
}

/// Why a player could not play on.
#[derive(Debug, thiserror::Error)]
enum PlayerError {
    /// The router ended its stream with an error.
    #[error("the router ended the stream of {who}")]
    Stream {
        /// Whose.
        who: &'static str,
        /// How.
        source: Box<tonic::Status>,
    },
    /// The stream ended before the demo did.
    #[error("the stream of {who} ended before the demo was over")]
    Ended {
        /// Whose.
        who: &'static str,
    },
    /// The supervisor's view could not be read.
    #[error(transparent)]
    View(#[from] ClientError),
}

/// What all players share.
#[derive(Clone, Debug)]
struct Bench {
    audit: Arc<Audit>,
    starts: Instant,
    lasting: Duration,
    phase: Receiver<Phase>,
}

impl Bench {
    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits for a phase; a demo that is gone is over.
    async fn phase_is(&mut self, phase: Phase) {
        // An error says that the sender is gone.
        let _ = self.phase.wait_for(|now| *now == phase).await;
    }

    /// How much of the time is over, 0 to 1.
    fn part(&self) -> f64 {
        (self.starts.elapsed().as_secs_f64() / self.lasting.as_secs_f64()).min(1.0)
    }
}

pub(super) fn run(args: &Demo) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(play(args))
}

async fn play(args: &Demo) -> anyhow::Result<ExitCode> {
    let screen = Screen::open(args.json);
    log_to_stderr(&screen);
    let outcome = rehearse(args, screen).await?;
    put(&Text::own(if args.json { outcome.summary.json() + "\n" } else { outcome.text }))?;
    for failure in &outcome.failures {
        tell_line(&format!("error: {failure}"));
    }
    Ok(if outcome.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The whole of it, from an empty folder to the verdict. The terminal is given back.
async fn rehearse(args: &Demo, screen: Screen) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir().context("no temporary folder for the journal")?;
    let loaded = config::parse("the demo's configuration", CENTRE)?;
    let names = loaded.config.routing.agents.iter().map(|a| Arc::clone(&a.name)).collect();
    let playbooks = folder.path().join("playbooks");
    std::fs::create_dir(&playbooks)
        .and_then(|()| std::fs::write(playbooks.join(format!("{PLAYBOOK_NAME}.toml")), PLAYBOOK))
        .context("no room for the playbook")?;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (data, routing) = (folder.path().join("data"), loaded.config.routing);
    let space = Space { low: 64 << 20, critical: 16 << 20, ballast: 1 << 20 };
    let app = App::start(AppConfig {
        grpc: any,
        http: any,
        // The folder is of this demo alone, and goes with it.
        receipt_key: data.join("receipt-key"),
        accept_older_copy: false,
        data,
        journal: JournalConfig { space, ..JournalConfig::default() },
        keep_days: 400,
        routing,
        source: crate::app::Source::default(),
        site: crate::config::site::Config::default(),
        page: crate::config::page::Config::default(),
        playbooks,
    })
    .await
    .context("the router did not start")?;
    let (phase, phases) = channel(Phase::Open);
    let starts = Instant::now() + Duration::from_millis(300);
    let audit = Arc::new(Audit::new()?);
    let bench = Bench { audit, starts, lasting: args.lasting, phase: phases };
    let mut stage = Stage::open(&app, args, names, bench, phase, screen).await?;
    let outcome = match stage.perform(&app).await {
        Ok(()) => stage.verdict(&app).await,
        Err(error) => Err(error),
    };
    stage.end().await;
    drop(stage);
    let stopped = app.stop().await.context("the router did not stop well");
    let outcome = outcome?;
    stopped?;
    Ok(outcome)
}

/// The players and what is seen of them.
struct Stage {
    seed: u64,
    bench: Bench,
    phase: Sender<Phase>,
    players: JoinSet<Result<(), PlayerError>>,
    seen: Receiver<Snapshot>,
    watcher: Watcher,
    screen: Screen,
    addresses: view::Addresses,
    /// Contacts waiting at each look, for the curve.
    waiting: Vec<u64>,
    /// Load and occupancy at each look while customers came.
    work: Vec<(f64, f64)>,
    ended: Instant,
}

impl Stage {
    async fn open(
        app: &App,
        args: &Demo,
        names: Vec<Arc<str>>,
        bench: Bench,
        phase: Sender<Phase>,
        screen: Screen,
    ) -> anyhow::Result<Self> {
        let address = app.grpc_address().to_string();
        let mut players = JoinSet::new();
        // A connection each, as they would have.
        for (stream, plan) in (1_u64..).zip(&GATEWAYS) {
            let dice = Dice::new(args.seed, stream);
            players.spawn(gateway::play(plan, connect(&address).await?, dice, bench.clone()));
        }
        let dice = Dice::new(args.seed, 0);
        players.spawn(agents::play(names, connect(&address).await?, dice, bench.clone()));
        players.spawn(recall::play(connect(&address).await?, bench.clone()));
        let watcher = Watcher::new(connect(&address).await?);
        let (show, seen) = channel(Snapshot::default());
        players.spawn(watcher.clone().follow(show, bench.clone()));
        let addresses = view::Addresses { grpc: app.grpc_address(), http: app.http_address() };
        screen.open_at(addresses);
        let ended = bench.starts + bench.lasting;
        let (waiting, work) = (Vec::new(), Vec::new());
        let seed = args.seed;
        Ok(Self {
            seed,
            bench,
            phase,
            players,
            seen,
            watcher,
            screen,
            addresses,
            waiting,
            work,
            ended,
        })
    }

    /// Lets time pass until the last contact is closed, or it takes too long.
    async fn perform(&mut self, app: &App) -> anyhow::Result<()> {
        let mut stop = self.ended;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        loop {
            tokio::select! {
                changed = self.seen.changed() => {
                    changed.context("the supervisor's view ended")?;
                    self.look();
                    if self.bench.phase() == Phase::Closing && self.drained() {
                        return Ok(());
                    }
                }
                () = sleep_until(stop) => match self.close() {
                    Some(until) => stop = until,
                    None => return Ok(()),
                },
                () = async {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                } => {
                    self.ended = Instant::now().min(self.ended);
                    match self.close() {
                        Some(until) => stop = until,
                        None => return Ok(()),
                    }
                }
                Some(ended) = self.players.join_next() => ended??,
                fatal = app.failed() => return Err(fatal).context("the router failed"),
            }
        }
    }

    /// Ends the arrivals, and says until when to wait for the rest; none the second time.
    fn close(&mut self) -> Option<Instant> {
        let first = self.bench.phase() == Phase::Open;
        self.phase.send_replace(Phase::Closing);
        first.then(|| Instant::now() + DRAIN)
    }

    fn drained(&self) -> bool {
        let seen = self.seen.borrow();
        self.bench.audit.counts().open == 0 && seen.accepted() > 0 && seen.open() == 0
    }

    fn look(&mut self) {
        let snapshot = self.seen.borrow_and_update().clone();
        self.waiting.push(snapshot.contacts.queued);
        if self.bench.phase() == Phase::Open {
            self.work.extend(snapshot.load().zip(snapshot.occupancy()));
        }
        let left = self.ended.saturating_duration_since(Instant::now());
        let frame = Frame {
            snapshot: &snapshot,
            left: (self.bench.phase() == Phase::Open).then_some(left),
            addresses: self.addresses,
            seed: self.seed,
            waiting: &self.waiting,
            audit: self.bench.audit.counts(),
        };
        self.screen.show(&frame);
    }

    /// Reads what the router says at the end and holds it against the players' books.
    async fn verdict(&mut self, app: &App) -> anyhow::Result<Outcome> {
        let seconds = self.ended.saturating_duration_since(self.bench.starts).as_secs_f64();
        let snapshot = self.watcher.look().await?;
        let scraped = scrape::metrics(app.http_address()).await?;
        let (load, occupancy) = means(&self.work);
        let run = summary::Run { seconds, seed: self.seed, load, occupancy };
        let summary = Summary::new(&run, &snapshot, &scraped, &self.bench.audit.findings())?;
        let frame = Frame {
            snapshot: &snapshot,
            left: None,
            addresses: self.addresses,
            seed: self.seed,
            waiting: &self.waiting,
            audit: self.bench.audit.counts(),
        };
        Ok(Outcome::new(summary, &frame, self.screen.palette()))
    }

    async fn end(&mut self) {
        self.phase.send_replace(Phase::Over);
        let stopping = async { while self.players.join_next().await.is_some() {} };
        // Whoever hangs is let go of with the runtime; the verdict is in.
        let _ = timeout(LAST_WORDS, stopping).await;
        self.screen.close();
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred looks")]
fn means(pairs: &[(f64, f64)]) -> (f64, f64) {
    let sum = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let n = pairs.len().max(1) as f64;
    (sum.0 / n, sum.1 / n)
}

/// What the router has to say goes to stderr, unless that is where the live view is.
fn log_to_stderr(screen: &Screen) {
    if screen.is_live() && stderr().is_terminal() {
        return;
    }
    let filter =
        EnvFilter::try_from_env("SURGELINE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(false).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn twelve_seconds_of_it_with_a_recall_lose_nobody_and_cost_nobody_their_place() {
        let args = Demo { lasting: Duration::from_secs(12), seed: 3, json: true };
        let outcome = rehearse(&args, Screen::open(true)).await.unwrap();
        assert_eq!(outcome.failures, Vec::<String>::new());
        let summary = outcome.summary;
        assert!(summary.accepted > 800, "{summary:?}");
        assert!(summary.reservation_latency_us.samples > 10, "{summary:?}");
        assert!(summary.connect_failures + summary.consults + summary.pended > 5, "{summary:?}");
        let served = &summary.self_service;
        let each = [served.entered, served.solved, served.informed, served.returned];
        assert!(each.iter().all(|n| *n > 10), "{summary:?}");
        assert_eq!((served.bounced_twice, summary.places_lost), (0, 0));
        let calls = &summary.callbacks;
        assert!(calls.offered >= calls.accepted && calls.accepted >= calls.reached, "{calls:?}");
        let (safety, others) = (summary.safety_wait_p99_s, summary.other_wait_p50_s);
        assert!(safety.zip(others).is_some_and(|(s, o)| s < o), "{safety:?} {others:?}");
    }
}
