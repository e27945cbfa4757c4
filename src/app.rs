//! The router as a whole: from a data directory and two addresses to something that serves.
//!
//! Opens the keys and the journal, starts the shard from it, binds the listeners, and
//! takes all of it down again in the order in which nothing is lost. `main` and `demo` own
//! an [`App`]. It reads no configuration file and knows no signals.

mod read;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::BuildError;
use thiserror::Error as ThisError;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::archive::follow::JournalFollow;
use crate::archive::{self, Archive, ArchiveError, Reader};
use crate::descriptors::DescriptorsError;
use crate::engine::routing::Routing;
use crate::grpc::{Past, WordsReader};
use crate::http::Shown;
use crate::journal::error::JournalError;
use crate::journal::keys::{KeyError, KeyStore};
use crate::journal::receipt::{ReceiptError, Receipts};
use crate::journal::recovery::{Progress, Recovered};
use crate::journal::snapshot::SnapshotError;
use crate::journal::snapshot::kept::{Found, Snapshots};
use crate::journal::snapshot::trim::Trimming;
use crate::journal::trim::Trimmer;
use crate::journal::{Batch, Tip};
use crate::metrics::Metrics;
use crate::pager;
use crate::recall::Folder;
use crate::shard::calendar;
use crate::shard::clock::wall_now;
use crate::shard::handle::ShardHandle;
use crate::shard::health::Fatal;
use crate::shard::observe::Observer as _;
use crate::shard::recovery::{Recovery, Resumed, Shard, ShardOptions, StartError};
use crate::shard::snapshots::SnapshotOptions;
use crate::space::SpaceWatch;
use crate::{background, config, descriptors, grpc, http};

mod reload;

pub(crate) use reload::told;
pub use reload::{LAST_GOOD, NotReloaded, Source};

/// How long a server may take to end: longer than the 5 s that gRPC gives its connections.
const LAST_WORDS: Duration = Duration::from_secs(8);

/// Connections that the system holds until they are accepted: as many as tokio's own listeners.
const BACKLOG: u32 = 1_024;

/// How often to tell how far the journal is read, when that takes long.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What a router needs to know to start.
#[derive(Clone, Debug)]
pub struct AppConfig {
    /// Where gateways, agents and supervisors connect; port 0 for any that is free.
    pub grpc: SocketAddr,
    /// Where metrics and health are served; port 0 for any that is free.
    pub http: SocketAddr,
    /// The data directory; made if it does not exist.
    pub data: PathBuf,
    /// The folder of playbooks; it need not be there.
    pub playbooks: PathBuf,
    /// The file with the key of receipts; not in the data directory. Made if it is not there.
    pub receipt_key: PathBuf,
    /// The data may be an older copy: receipts given out until now prove nothing any more.
    pub accept_older_copy: bool,
    /// Snapshots, how long the journal is kept, and what is done as the disk fills.
    pub journal: config::journal::Config,
    /// Contacts leave the archive so many days after they ended.
    pub keep_days: u32,
    /// The wanted routing configuration; its ids follow the journal's.
    pub routing: Routing,
    /// Where that came from.
    pub source: Source,
    /// Where the people are.
    pub site: config::site::Config,
    /// Where people are called in.
    pub page: config::page::Config,
}

/// Why a router did not start, or did not stop well.
#[derive(Debug, ThisError)]
pub enum AppError {
    /// Too few files may be open at once.
    #[error(transparent)]
    Descriptors(#[from] DescriptorsError),
    /// An address could not be bound.
    #[error("cannot listen on {address} for {what}: is another surgeline running there?")]
    Bind {
        /// For what.
        what: &'static str,
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The keys could not be opened.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The key of receipts could not be used.
    #[error(transparent)]
    Receipts(#[from] ReceiptError),
    /// The journal could not be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The folder of snapshots could not be used.
    #[error(transparent)]
    Snapshots(#[from] SnapshotError),
    /// No snapshot can be gone on from, and the journal does not tell all of it.
    #[error(
        "{left_out}; no older snapshot is good, and the journal cannot be read from its beginning: restore the data directory from a copy"
    )]
    Unrestorable {
        /// What is wrong with the newest snapshot.
        left_out: Box<SnapshotError>,
        /// What is wrong with the journal.
        source: JournalError,
    },
    /// The shard did not start.
    #[error("the router cannot start from its journal")]
    Start(#[from] StartError),
    /// The table of metrics is broken.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] BuildError),
    /// The archive's thread did not start.
    #[error("the archive cannot be started")]
    Archive(#[from] ArchiveError),
    /// A server ended with an error.
    #[error("the {what} server failed")]
    Serve {
        /// Which.
        what: &'static str,
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Something made it impossible to go on, before or while it stopped.
    #[error(transparent)]
    Failed(#[from] Fatal),
    /// A task of the router panicked.
    #[error("a task of the router panicked")]
    Panicked(#[from] JoinError),
}

type Server = JoinHandle<Result<(), Box<dyn Error + Send + Sync>>>;

/// A router that serves.
#[derive(Debug)]
pub struct App {
    router: Router,
    source: Source,
    data: PathBuf,
    metrics: Arc<Metrics>,
    http: (SocketAddr, Server),
    requests: CancellationToken,
}

/// All of it but the HTTP side, which is there before and after it.
#[derive(Debug)]
struct Router {
    handle: ShardHandle,
    shard: Shard,
    reader: WordsReader,
    archive: Archive,
    recovered: Recovered,
    grpc: (SocketAddr, Server),
    streams: CancellationToken,
    space: SpaceWatch,
}

impl App {
    /// Starts. Returns when commands are served and everything that the journal holds is
    /// back.
    ///
    /// # Errors
    /// See [`AppError`]; nothing is left running then.
    pub async fn start(config: AppConfig) -> Result<Self, AppError> {
        // Before the journal is read: a start that cannot listen should say so at once.
        let most = descriptors::connections(descriptors::raise()?);
        let grpc = reserve("gRPC", config.grpc)?;
        let http = bind("HTTP", config.http).await?;
        Self::start_at(config, grpc, http, most).await
    }

    async fn start_at(
        config: AppConfig,
        grpc: (TcpSocket, SocketAddr),
        (http, http_at): (TcpListener, SocketAddr),
        most: usize,
    ) -> Result<Self, AppError> {
        let metrics = Arc::new(Metrics::new()?);
        let requests = CancellationToken::new();
        let shown = Arc::new(Shown::new(metrics.clone()));
        let http = {
            let (shown, stop) = (Arc::clone(&shown), requests.clone());
            tokio::spawn(async move { Ok(http::serve(http, shown, stop).await?) })
        };
        let (source, data) = (config.source.clone(), config.data.clone());
        match Router::start(config, grpc, most, &shown, &metrics).await {
            Ok(router) => {
                shown.started(router.handle.clone());
                Ok(Self { router, source, data, metrics, http: (http_at, http), requests })
            }
            Err(error) => {
                requests.cancel();
                // Why it does not start is what counts.
                drop(ended("HTTP", http).await);
                Err(error)
            }
        }
    }

    /// Where gRPC is served.
    #[must_use]
    pub fn grpc_address(&self) -> SocketAddr {
        self.router.grpc.0
    }

    /// Where metrics and health are served.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http.0
    }

    /// Speaks to the shard.
    #[must_use]
    pub fn handle(&self) -> &ShardHandle {
        &self.router.handle
    }

    /// The router's metrics.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// What the journal held at the start.
    #[must_use]
    pub fn recovered(&self) -> &Recovered {
        &self.router.recovered
    }

    /// Waits until something makes it impossible to go on; then [`Self::stop`] and exit
    /// with an error.
    pub async fn failed(&self) -> Fatal {
        self.router.handle.health().failed().await
    }

    /// Lets nobody new in, tells everybody who is connected, and gives them this long to
    /// hear it and to finish what they are saying.
    pub async fn drain(&self, lasting: Duration) {
        self.router.handle.health().set_draining();
        tokio::time::sleep(lasting).await;
    }

    /// Stops: takes nothing more, ends the streams, makes durable what was decided, and
    /// lets Prometheus look until the end.
    ///
    /// # Errors
    /// [`AppError::Failed`] if it could not go on, whenever that was; else [`AppError::Serve`]
    /// or [`AppError::Panicked`] of a server. Everything is stopped all the same.
    pub async fn stop(self) -> Result<(), AppError> {
        let Router { handle, shard, reader, archive, grpc, streams, space, .. } = self.router;
        let health = Arc::clone(handle.health());
        streams.cancel();
        let grpc = ended("gRPC", grpc.1).await;
        // The reader ends with the shard: nobody asks it any more. The archive after it: it
        // has the last words then, while the last snapshot is written. Neither is waited for
        // longer than both may take: a start does without.
        let stopped = spawn_blocking(move || {
            drop(space);
            let writing = shard.end();
            reader.join();
            let (following, until) = (archive.end(), Instant::now() + background::PATIENCE);
            for thread in [writing, following].into_iter().flatten() {
                thread.wait(until);
            }
        })
        .await;
        self.requests.cancel();
        let http = ended("HTTP", self.http.1).await;
        stopped?;
        // First: whatever else went wrong may follow from it.
        health.fatal().map_or(Ok(()), |fatal| Err(AppError::Failed(fatal)))?;
        grpc.and(http)
    }
}

impl Router {
    /// Reads the journal and starts, and opens gRPC then.
    async fn start(
        config: AppConfig,
        (grpc, grpc_at): (TcpSocket, SocketAddr),
        most: usize,
        shown: &Arc<Shown>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, AppError> {
        let playbooks = Folder::new(config.playbooks.clone());
        let (data, address, page) = (config.data.clone(), config.grpc, config.page.clone());
        let site = Arc::clone(&config.site.name);
        let (observer, progress) = (metrics.clone(), Arc::clone(shown));
        let Opened { handle, shard, recovered, archive, space } =
            spawn_blocking(move || open(config, observer, &progress)).await??;

        // Not waited for: whoever is quicker has it built on the way.
        let (ahead, recalls) = (playbooks.clone(), Arc::clone(handle.recalls()));
        spawn_blocking(move || grpc::prepare_all(&ahead, &recalls));
        let reader = WordsReader::start(handle.clone()).map_err(StartError::from)?;
        let past = Past { reader: Reader::new(data.clone()), asks: archive.asks(), data };
        let streams = CancellationToken::new();
        // Before anybody comes in: a calendar of which nothing was said is taken for open.
        calendar::tell(&handle).await;
        tokio::spawn(calendar::run(handle.clone(), streams.clone()));
        tokio::spawn(grpc::recheck(handle.clone(), streams.clone()));
        tokio::spawn(pager::run(handle.clone(), page, site, streams.clone()));
        let listening = grpc.listen(BACKLOG);
        let grpc = listening.map_err(|source| AppError::Bind { what: "gRPC", address, source })?;
        let serving = {
            let (handle, stop) = (handle.clone(), streams.clone());
            tokio::spawn(async move {
                let stopped = stop.cancelled_owned();
                Ok(grpc::serve(handle, playbooks, past, (grpc, most), stopped).await?)
            })
        };
        let grpc = (grpc_at, serving);
        Ok(Self { handle, shard, reader, archive, recovered, grpc, streams, space })
    }
}

/// Takes an address and does not listen there yet: who connects is refused at once and tries
/// again, or elsewhere, and does not wait for a router that reads its journal.
fn reserve(what: &'static str, address: SocketAddr) -> Result<(TcpSocket, SocketAddr), AppError> {
    let reserved = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // As every listener: connections of the last router may still be dying there.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let at = socket.local_addr()?;
        Ok((socket, at))
    };
    reserved().map_err(|source| AppError::Bind { what, address, source })
}

async fn bind(
    what: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), AppError> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let at = listener.local_addr()?;
        Ok((listener, at))
    };
    bound.await.map_err(|source| AppError::Bind { what, address, source })
}

/// What is behind a router's listeners.
struct Opened {
    handle: ShardHandle,
    shard: Shard,
    recovered: Recovered,
    archive: Archive,
    space: SpaceWatch,
}

fn open(config: AppConfig, metrics: Arc<Metrics>, shown: &Shown) -> Result<Opened, AppError> {
    let began = Instant::now();
    let (data, routing) = (&*config.data, &config.routing);
    // Its lock is the first: whoever has it is alone with the snapshots too.
    let keys = Arc::new(KeyStore::open(data)?);
    let receipts = Arc::new(receipts(&config)?);
    let kept = Snapshots::open(data)?;
    let Found { newest, left_out } = kept.newest(Resumed::of)?;
    let trimming = Arc::new(Trimming::default());
    let snapshots = SnapshotOptions {
        kept,
        trimming: trimming.clone(),
        every_entries: config.journal.snapshot_every_entries,
        every: config.journal.snapshot_every.into(),
        keep: config.journal.keep.into(),
    };
    let mut recovery = Recovery::new(ShardOptions {
        keys: keys.clone(),
        receipts,
        observer: metrics.clone(),
        snapshots: Some(snapshots),
    })?;
    let after = newest.as_ref().map_or(Tip::default(), Resumed::tip);
    let resumed = newest.map(|resumed| recovery.resume(resumed));
    let replay = |batch: Arc<Batch>, tip| {
        let sealed = batch.entries.iter().filter_map(|entry| entry.sealed.as_ref());
        sealed.for_each(|sealed| keys.observe(sealed));
        recovery.batch(batch, tip);
    };
    let opened = read::read(data, after, replay, &mut telling(shown));
    let (journal, recovered) = opened.map_err(|error| match (error, left_out) {
        (AppError::Journal(source), Some(left_out)) if resumed.is_none() => {
            AppError::Unrestorable { left_out: Box::new(left_out), source }
        }
        (error, _) => error,
    })?;
    if recovered.dropped > 0 {
        tracing::warn!(
            bytes = recovered.dropped,
            after = recovered.tip.sequence,
            "dropped what was being written when the last router died; nothing in it was acknowledged"
        );
    }
    let trimmer = journal.trimmer();
    let (handle, shard) =
        recovery.finish(journal, |previous| config.source.follow(previous, routing))?;
    config.source.settle(data, &handle);
    metrics.recovered(began.elapsed(), recovered.entries);
    // Before the archive writes anything.
    let (disk, trims) = (config.journal.space, trimming.clone());
    let space = SpaceWatch::start(disk, data, handle.clone(), trims, metrics.clone())
        .map_err(StartError::from)?;
    let archive = start_archive(&config, &handle, metrics.clone())?;
    // Only now: until the archive is waited for nothing may go.
    trimming.wait_for(archive.durable());
    trimming.connect(move |upto| trim(&trimmer, upto, &metrics));
    Ok(Opened { handle, shard, recovered, archive, space })
}

/// Shows how far the journal is read, and logs it now and then.
fn telling(shown: &Shown) -> impl FnMut(Progress) + '_ {
    let mut told = Instant::now();
    move |at| {
        shown.reading(at.entries, at.of);
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tracing::info!(entries = at.entries, of = at.of, "reading the journal");
        }
    }
}

fn start_archive(
    config: &AppConfig,
    handle: &ShardHandle,
    metrics: Arc<Metrics>,
) -> Result<Archive, ArchiveError> {
    let data = config.data.clone();
    let (keep_days, time_zone) = (config.keep_days, config.site.time_zone.clone());
    let options = archive::Options { data: data.clone(), keep_days, time_zone };
    let follow = JournalFollow::new(data, handle.health().clone());
    Archive::start(options, follow, metrics)
}

fn trim(trimmer: &Trimmer, upto: u64, metrics: &Metrics) {
    match trimmer.trim(upto) {
        Ok(trimmed) if trimmed.segments > 0 => {
            tracing::info!(first = trimmed.first, "older segments of the journal deleted");
        }
        Ok(_) => {}
        Err(error) => {
            metrics.not_trimmed();
            tracing::warn!(%error, "the journal was not trimmed");
        }
    }
}

fn receipts(config: &AppConfig) -> Result<Receipts, ReceiptError> {
    if config.accept_older_copy
        && let Some(aside) = Receipts::set_aside(&config.receipt_key, wall_now())?
    {
        tracing::warn!(key = %aside.display(), "older receipts prove nothing any more");
    }
    Ok(Receipts::open(&config.receipt_key)?.of_journal(&config.data))
}

async fn ended(what: &'static str, mut server: Server) -> Result<(), AppError> {
    match tokio::time::timeout(LAST_WORDS, &mut server).await {
        Ok(ended) => ended?.map_err(|source| AppError::Serve { what, source }),
        Err(_) => {
            // Clients that hold on are let go of: what they were told is durable.
            server.abort();
            tracing::warn!(what, "a server did not end in time");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
