//! Where a router's configuration comes from, and reading it again while it runs.
//!
//! A file that cannot be used never stops a router that has a journal: the journal's
//! configuration stays in force, and the log, `/readyz` and a metric say so until the file is
//! mended. What the last good file said of the process itself is kept beside the journal for
//! such a start. It decides nothing: what a configuration changes is the shard's to do.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::task::spawn_blocking;

use super::App;
use crate::config::{self, Config, ConfigError, MergeError, merge};
use crate::engine::entry::{Actor, Role};
use crate::engine::routing::Routing;
use crate::shard::handle::ShardHandle;
use crate::shard::reload::{NotApplied, Own, Planned};

/// The last file that could be used, in the data directory.
pub const LAST_GOOD: &str = "configuration.toml";
/// Most characters of a reason: the engine takes 512 bytes.
const MOST_WHY: usize = 128;

/// Where a configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The router's own file; none if it was given none.
    pub file: Option<PathBuf>,
    /// What it says, if it can be used.
    pub text: Option<Arc<str>>,
    /// What the process was started with, paths as they are written.
    pub started: Config,
    /// The journal's configuration stays in force, if it has one.
    pub keep_journaled: bool,
    /// Why the file is not in force.
    pub fault: Option<Box<str>>,
}

/// Why the file was not applied.
#[derive(Debug, Error)]
pub enum NotReloaded {
    /// There is no file to read again.
    #[error(
        "the router was started without a configuration file: use `surgeline config apply FILE`"
    )]
    NoFile,
    /// It cannot be used.
    #[error("{} cannot be used", file.display())]
    Unsound {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// The router does not take it.
    #[error(transparent)]
    Refused(#[from] NotApplied),
    /// The task panicked.
    #[error("reading the file panicked")]
    Panicked,
}

impl Source {
    /// What is to be in force after a start.
    pub(super) fn follow(
        &self,
        previous: Option<&Routing>,
        wanted: &Routing,
    ) -> Result<Routing, MergeError> {
        match previous {
            Some(previous) if self.keep_journaled => Ok(previous.clone()),
            _ => merge(previous, wanted),
        }
    }

    /// Tells the running router where its configuration came from.
    pub(super) fn settle(&self, data: &Path, handle: &ShardHandle) {
        let own = Own { file: self.file.clone(), started: self.started.clone() };
        handle.reloads().started(own);
        match (&self.fault, &self.text) {
            (Some(fault), _) => {
                tracing::error!(%fault, "the configuration file cannot be used: the journal's stays in force");
                handle.health().set_configuration_fault(Some(fault.clone()));
            }
            (None, Some(text)) => keep(data, text),
            (None, None) => {}
        }
    }
}

/// Keeps a file that could be used. That it cannot be kept is no reason not to serve.
fn keep(data: &Path, text: &str) {
    let path = data.join(LAST_GOOD);
    if fs::read(&path).is_ok_and(|kept| kept == text.as_bytes()) {
        return;
    }
    if let Err(error) = write(&path, text) {
        tracing::warn!(%error, path = %path.display(), "the configuration file could not be kept");
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("toml.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

impl App {
    /// Reads the router's own file again and applies it. When it cannot be applied, what is in
    /// force stays, and health and metrics say so.
    ///
    /// # Errors
    /// See [`NotReloaded`].
    pub async fn reload(&self) -> Result<Planned, NotReloaded> {
        let reloaded = self.read_again().await;
        if let Err(error) = &reloaded
            && !matches!(error, NotReloaded::NoFile)
        {
            let why = match error {
                NotReloaded::Unsound { file, source } => told(file, source),
                other => other.to_string().into(),
            };
            self.handle().health().set_configuration_fault(Some(why));
        }
        reloaded
    }

    async fn read_again(&self) -> Result<Planned, NotReloaded> {
        let file = self.source.file.clone().ok_or(NotReloaded::NoFile)?;
        let path = file.clone();
        let read = spawn_blocking(move || {
            let text = config::read_file(&path)?;
            // Paths as they are written: they are compared with those of the start.
            let loaded = config::parse(&path.display().to_string(), &text)?;
            Ok((text, Arc::new(loaded.config)))
        });
        let read = read.await.map_err(|_| NotReloaded::Panicked)?;
        let (text, wanted) =
            read.map_err(|source| NotReloaded::Unsound { file: file.clone(), source })?;
        let why = format!("SIGHUP: {} was read again", file.display());
        let why: String = why.chars().take(MOST_WHY).collect();
        let actor = Actor { role: Role::Admin, name: "sighup".into() };
        let planned = self.handle().apply_config(&wanted, actor, None, why.into()).await?;
        self.handle().health().set_configuration_fault(None);
        let data = self.data.clone();
        // Not waited for: it is for the next start.
        spawn_blocking(move || keep(&data, &text));
        Ok(planned)
    }
}

/// What is wrong with a file, in a line.
#[must_use]
pub(crate) fn told(file: &Path, error: &ConfigError) -> Box<str> {
    match error {
        ConfigError::Read { source, .. } => {
            format!("{} cannot be read: {source}", file.display()).into()
        }
        ConfigError::Invalid(report) => {
            let (file, errors) = (file.display(), report.errors());
            let s = if errors == 1 { "" } else { "s" };
            format!("{file} has {errors} error{s}: `surgeline config check {file}` tells").into()
        }
    }
}
