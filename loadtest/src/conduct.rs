//! The whole of a load test, from an empty folder to the report: the bare disk, the bare
//! echo, the peak if the scenario asks for it, the echo at the run's pace, the run.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bare::{disk, echo};
use crate::book::Latency;
use crate::error::LoadError;
use crate::report::{Bare, Found, Machine, Report, Run};
use crate::router::Router;
use crate::scenario::{Scenario, Unit};
use crate::schedule::Plan;
use crate::stage;

/// How to run a load test, apart from the scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// In place of the scenario's own seed.
    pub seed: Option<u64>,
    /// gRPC address of a router that runs already; none: one in this process.
    pub router: Option<String>,
    /// HTTP address of that router, for its metrics.
    pub metrics: Option<SocketAddr>,
    /// Where a temporary folder for the journal is made; none: the system's place.
    pub folder: Option<PathBuf>,
    /// Says on stderr how it goes.
    pub progress: bool,
}

/// What the router's own audit of its events counts; none where that is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Audit {
    pub(crate) double_reservations: Option<i64>,
    pub(crate) places_lost: Option<i64>,
}

impl Audit {
    async fn of(router: &Router) -> Result<Self, LoadError> {
        Ok(Self {
            double_reservations: router.metric("surgeline_double_reservations_total").await?,
            places_lost: router.metric("surgeline_places_lost_total").await?,
        })
    }

    fn since(self, before: Self) -> Self {
        let less = |after: Option<i64>, before| after.zip(before).map(|(a, b): (i64, i64)| a - b);
        Self {
            double_reservations: less(self.double_reservations, before.double_reservations),
            places_lost: less(self.places_lost, before.places_lost),
        }
    }
}

struct Test<'a> {
    scenario: Arc<Scenario>,
    options: &'a Options,
    seed: u64,
    folder: &'a Path,
}

/// Runs a load test.
///
/// # Errors
/// [`LoadError`] when it could not be run to its end; that the router did badly is in the
/// report.
pub async fn conduct(scenario: Scenario, options: &Options) -> Result<Report, LoadError> {
    let made = match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder =
        made.map_err(|source| LoadError::Io { what: "make a temporary folder", source })?;
    let seed = options.seed.unwrap_or(scenario.seed);
    let test = Test { scenario: Arc::new(scenario), options, seed, folder: folder.path() };
    test.run().await
}

impl Test<'_> {
    async fn run(&self) -> Result<Report, LoadError> {
        let begins = Machine::now();
        let mut bare = self.bare().await?;
        let peak = self.peak(&bare).await?;
        let factor = match self.scenario.rates {
            Unit::PerSecond => 1.0,
            Unit::OfPeak => peak.as_ref().map_or(0.0, |p| p.lives_per_s),
        };
        let plan = Arc::new(Plan::draw(&self.scenario, self.seed, factor));
        self.paced_echo(&mut bare, &plan).await?;
        self.say(&format!(
            "{}: {} contacts, {:.0} a second on average",
            self.scenario.name,
            plan.dues.len(),
            plan.mean_rate()
        ));
        let router = self.router("run").await?;
        let before = Audit::of(&router).await?;
        let progress = self.options.progress;
        let outcome =
            stage::open_loop(&router.grpc, &self.scenario, Arc::clone(&plan), progress).await?;
        let audit = Audit::of(&router).await?.since(before);
        router.stop().await?;
        let machine = begins.until_now();
        let run = Run { outcome, plan: &plan, audit };
        Report::new(&self.scenario, self.seed, self.place(), machine, bare, peak, &run)
    }

    fn say(&self, what: &str) {
        if self.options.progress {
            eprintln!("{what}");
        }
    }

    fn place(&self) -> String {
        self.options.router.clone().unwrap_or_else(|| "in this process".into())
    }

    async fn router(&self, name: &str) -> Result<Router, LoadError> {
        match &self.options.router {
            Some(address) => Ok(Router::elsewhere(address, self.options.metrics)),
            None => Router::start(&self.scenario, &self.folder.join(name)).await,
        }
    }

    fn echo(&self) -> echo::Shape {
        echo::Shape {
            kind: self.scenario.mix[0].clone(),
            streams: self.scenario.gateways,
            warm_up: self.scenario.baseline.warm_up,
            lasting: self.scenario.baseline.lasting,
        }
    }

    async fn bare(&self) -> Result<Bare, LoadError> {
        self.say("the bare disk and the bare echo");
        let (folder, times) = (self.folder.to_owned(), self.scenario.baseline.disk_syncs);
        let sync = tokio::task::spawn_blocking(move || disk::syncs(&folder, times)).await??;
        let echoed = echo::closed(self.echo(), self.scenario.baseline.in_flight).await?;
        Ok(Bare {
            disk_sync_us: Latency::from(&sync),
            echo_messages_per_s: 2.0 * echoed.round_trips,
            echo_us: Latency::from(&echoed.latency),
            paced_echo_us: Latency::default(),
            paced_echo: echoed.latency,
        })
    }

    async fn peak(&self, bare: &Bare) -> Result<Option<Found>, LoadError> {
        let Some(peak) = &self.scenario.peak else { return Ok(None) };
        self.say("the peak of a closed loop");
        let router = self.router("peak").await?;
        let outcome = stage::closed_loop(&router.grpc, &self.scenario, peak).await?;
        router.stop().await?;
        Ok(Some(Found {
            lives_per_s: outcome.lives,
            messages_per_s: outcome.messages,
            of_echo: outcome.messages / bare.echo_messages_per_s,
        }))
    }

    /// The echo at the pace of the run, one round trip a contact.
    async fn paced_echo(&self, bare: &mut Bare, plan: &Plan) -> Result<(), LoadError> {
        let shape = self.echo();
        let dues = Plan::poisson(plan.mean_rate(), shape.warm_up + shape.lasting, self.seed);
        let echoed = echo::paced(shape, dues).await?;
        bare.paced_echo_us = Latency::from(&echoed.latency);
        bare.paced_echo = echoed.latency;
        Ok(())
    }
}
