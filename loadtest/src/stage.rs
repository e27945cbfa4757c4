//! One run: everyone is brought on, contacts come, everything is finished, and the books
//! are added up. It judges nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use surgeline::pb::v1::{ContactCounts, GatewayServiceConnectRequest};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, channel, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, sleep_until, timeout};

use crate::arrival::arrival;
use crate::book::{Book, histogram};
use crate::desktop::Desktop;
use crate::elsewhere::Elsewhere;
use crate::error::LoadError;
use crate::gateway::Gateway;
use crate::monitor::{self, Sample};
use crate::oncall::{self, Ordered};
use crate::pacer::pace;
use crate::reload::{self, Applied};
use crate::scenario::{Peak, Scenario};
use crate::schedule::{Plan, micros};
use crate::shared::Shared;

/// How long agents and gateways may take to be there.
const SIGN_IN: Duration = Duration::from_secs(60);
/// How many of the backlog must come in a second, while that lasts.
const BROUGHT: u64 = 500;
/// From everyone being there to the first moment of the run.
const BREATH: Duration = Duration::from_millis(200);
/// How long a closed loop's last contacts may take.
const LAST_ONES: Duration = Duration::from_secs(10);

/// What a run showed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) book: Book,
    /// How late arrivals were handed to their streams, microseconds.
    pub(crate) late: Histogram<u64>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) sent: u64,
    pub(crate) settled: u64,
    pub(crate) accepted: u64,
    pub(crate) ended: u64,
    /// Contacts that went on from others.
    pub(crate) went_on: u64,
    /// What was ordered of the recall.
    pub(crate) orders: Vec<Ordered>,
    /// Configurations that were applied.
    pub(crate) reloads: Vec<Applied>,
    /// The router's own counts before and after.
    pub(crate) before: ContactCounts,
    pub(crate) after: ContactCounts,
    /// Lives and messages a second while it counted; of a closed loop.
    pub(crate) lives: f64,
    pub(crate) messages: f64,
}

type Outs = Vec<UnboundedSender<GatewayServiceConnectRequest>>;

struct Stage {
    shared: Arc<Shared>,
    players: JoinSet<Result<Book, LoadError>>,
    monitor: JoinHandle<Result<Vec<Sample>, LoadError>>,
    outs: Outs,
    before: ContactCounts,
    _elsewhere: Elsewhere,
}

/// Contacts come by the plan, whatever becomes of them.
///
/// # Errors
/// [`LoadError`] when the run could not be finished.
pub(crate) async fn open_loop(
    address: &str,
    scenario: &Arc<Scenario>,
    plan: Arc<Plan>,
    progress: bool,
) -> Result<Outcome, LoadError> {
    let shared = Shared::new(address.into(), Arc::clone(scenario), Arc::clone(&plan), None);
    let mut stage = Stage::open(shared, progress).await?;
    let starts = Instant::now() + BREATH;
    stage.shared.start(starts);
    let pacing = stage.arrivals(starts);
    let counts_from = starts + Duration::from_micros(plan.counts_from_us);
    let ends = starts + Duration::from_micros(plan.ends_us);
    let orders = tokio::spawn(oncall::play(Arc::clone(&stage.shared), counts_from, ends));
    let reloads = tokio::spawn(reload::play(Arc::clone(&stage.shared), counts_from));
    for (number, reconnect) in scenario.reconnect.iter().enumerate() {
        stage.play_until(counts_from + reconnect.at).await?;
        stage.shared.reconnects.send_replace(number + 1);
    }
    stage.play_until(ends).await?;
    let (orders, reloads) = (orders.await??, reloads.await??);
    stage.shared.doors.cancel();
    stage.drain(scenario.drain).await?;
    let late = pacing.await??;
    Ok(Outcome { orders, reloads, ..stage.close(late, (0.0, 0.0)).await? })
}

/// One contact ends, one comes.
///
/// # Errors
/// [`LoadError`] when the run could not be finished.
pub(crate) async fn closed_loop(
    address: &str,
    scenario: &Arc<Scenario>,
    peak: &Peak,
) -> Result<Outcome, LoadError> {
    let plan = Arc::new(Plan::default());
    let scenario = Arc::clone(scenario);
    let shared = Shared::new(address.into(), scenario, plan, Some(peak.in_flight));
    let mut stage = Stage::open(shared, false).await?;
    let starts = Instant::now();
    stage.shared.start(starts);
    let counts = |shared: &Shared| {
        (shared.counts.ended.load(Relaxed), shared.counts.messages.load(Relaxed), Instant::now())
    };
    stage.play_until(starts + peak.warm_up).await?;
    let before = counts(&stage.shared);
    stage.play_until(starts + peak.warm_up + peak.lasting).await?;
    let after = counts(&stage.shared);
    stage.shared.closing.store(true, Relaxed);
    stage.drain(LAST_ONES).await?;
    let seconds = (after.2 - before.2).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "rates for people to read")]
    let rates = ((after.0 - before.0) as f64 / seconds, (after.1 - before.1) as f64 / seconds);
    stage.close(histogram(3)?, rates).await
}

impl Stage {
    async fn open(shared: Shared, progress: bool) -> Result<Self, LoadError> {
        let shared = Arc::new(shared);
        let before = monitor::counts(&shared.address).await?;
        let desktops = shared.scenario.desktops;
        let mut hands = vec![Vec::new(); desktops];
        for (number, agent) in shared.scenario.agent_names().enumerate() {
            hands[number % desktops].push(agent);
        }
        // Whoever has nobody to sign in would never be ready.
        hands.retain(|agents| !agents.is_empty());
        let everyone = hands.len() + shared.scenario.gateways;
        let (ready, mut heard) = channel(everyone);
        let mut players = JoinSet::new();
        for (number, agents) in hands.into_iter().enumerate() {
            let desktop = Desktop::new(number, Arc::clone(&shared), agents, ready.clone())?;
            players.spawn(desktop.play());
        }
        let elsewhere = Elsewhere::new()
            .map_err(|source| LoadError::Io { what: "start threads that give way", source })?;
        let mut outs = Vec::new();
        for (number, coming) in backlog(&shared).into_iter().enumerate() {
            let (out, requests) = unbounded_channel();
            outs.push(out.clone());
            let gateway = Gateway::new(number, Arc::clone(&shared), out, coming, ready.clone())?;
            let gives_way = shared.scenario.is_for_the_recalled(number);
            let on = if gives_way { elsewhere.handle() } else { Handle::current() };
            players.spawn_on(gateway.play(requests), &on);
        }
        let brought = Duration::from_secs(shared.plan.backlog.len() as u64 / BROUGHT);
        let mut all_ready = std::pin::pin!(timeout(SIGN_IN + brought, async {
            for _ in 0..everyone {
                heard.recv().await;
            }
        }));
        tokio::select! {
            biased;
            there = &mut all_ready => there.map_err(|_| LoadError::NotReady)?,
            Some(ended) = players.join_next() => {
                ended??;
                return Err(LoadError::NotReady);
            }
        }
        let monitor = tokio::spawn(monitor::follow(Arc::clone(&shared), progress));
        Ok(Self { shared, players, monitor, outs, before, _elsewhere: elsewhere })
    }

    /// Puts arrivals on the gateways' streams in turn, on a thread of its own.
    fn arrivals(&self, starts: Instant) -> JoinHandle<Result<Histogram<u64>, LoadError>> {
        let (shared, outs) = (Arc::clone(&self.shared), self.outs.clone());
        tokio::task::spawn_blocking(move || {
            let plan = &shared.plan;
            let times = plan.dues.iter().map(|due| due.at_us);
            pace(starts, times, plan.counts_from_us, |number| {
                let due = &plan.dues[number];
                let (kind, recalled) =
                    (&shared.scenario.mix[due.kind], shared.scenario.is_recalled(due.kind));
                shared.counts.sent.fetch_add(1, Relaxed);
                shared.counts.message();
                outs[shared.scenario.gateway_of(number, due.kind)]
                    .send(arrival(&shared.run, number, due, kind, recalled))
                    .is_ok()
                    && !shared.over.is_cancelled()
            })
        })
    }

    async fn play_until(&mut self, at: Instant) -> Result<(), LoadError> {
        tokio::select! {
            () = sleep_until(at.into()) => Ok(()),
            ended = self.players.join_next() => match ended {
                Some(ended) => ended?.map(|_| ()).and(Err(LoadError::NotReady)),
                None => Err(LoadError::NotReady),
            },
        }
    }

    async fn drain(&mut self, at_most: Duration) -> Result<(), LoadError> {
        let until = Instant::now() + at_most;
        while !self.shared.counts.is_quiet() && Instant::now() < until {
            self.play_until(Instant::now() + Duration::from_millis(20)).await?;
        }
        Ok(())
    }

    async fn close(
        mut self,
        late: Histogram<u64>,
        (lives, messages): (f64, f64),
    ) -> Result<Outcome, LoadError> {
        let before = self.before;
        let after = monitor::caught_up(&self.shared, &before).await?;
        let counts = &self.shared.counts;
        let (accepted, ended) = (counts.accepted.load(Relaxed), counts.ended.load(Relaxed));
        let went_on = counts.went_on.load(Relaxed);
        let (sent, settled) = (counts.sent.load(Relaxed), counts.settled.load(Relaxed));
        // One more look, so that the curve shows the end.
        sleep(Duration::from_millis(300)).await;
        self.shared.over.cancel();
        let mut book = Book::new(self.shared.plan.counts_from_us)?;
        while let Some(player) = self.players.join_next().await {
            book.add(player??)?;
        }
        let samples = (&mut self.monitor).await??;
        Ok(Outcome {
            book,
            late,
            samples,
            sent,
            settled,
            accepted,
            ended,
            went_on,
            orders: Vec::new(),
            reloads: Vec::new(),
            before,
            after,
            lives,
            messages,
        })
    }
}

/// Numbers of the backlog's contacts by gateway, the first of each last.
fn backlog(shared: &Shared) -> Vec<Vec<usize>> {
    let mut coming = vec![Vec::new(); shared.scenario.gateways];
    let first = shared.plan.dues.len();
    for (number, due) in shared.plan.backlog.iter().enumerate().rev() {
        coming[shared.scenario.gateway_of(number, due.kind)].push(first + number);
    }
    coming
}

impl Drop for Stage {
    // A run that failed leaves nobody behind who goes on.
    fn drop(&mut self) {
        self.shared.over.cancel();
    }
}

/// Microseconds of a run's time as seconds since counting began; below 0 in the warm-up.
#[expect(clippy::cast_precision_loss, reason = "times for people to read")]
pub(crate) fn seconds_since(counts_from: Duration, at_us: u64) -> f64 {
    (at_us as f64 - micros(counts_from) as f64) / 1e6
}
