//! `surgeline serve`: a router until it is told to stop.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::args::Serve;
use super::out::{Text, put, tell};
use super::source::{self, Unusable};
use super::{FAILED, complain, config as check};
use crate::app::{App, AppConfig, AppError, NotReloaded, Source};
use crate::config::diff::FieldChange;
use crate::config::{Config, ConfigError, Loaded};
use crate::shard::reload::Planned;

pub(super) fn run(args: &Serve) -> anyhow::Result<ExitCode> {
    log_to_stderr();
    keep_panics_short();
    let (loaded, source) = match source::of(args) {
        Ok(found) => found,
        Err(Unusable { file, error }) => return Ok(unusable(&file, &error)),
    };
    if let Some(error) = &source.1 {
        // It serves all the same: loud, and in the words of `config check`.
        unusable(args.config.as_deref().unwrap_or(Path::new("")), error);
    }
    let (source, config) = (source.0, configuration(args, loaded)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(serve(config, source, args.accept_older_copy));
    // Whatever is still read was read for a router that nobody wants any more.
    runtime.shutdown_background();
    ended
}

/// Tells what is wrong with a file in the words of `config check`.
fn unusable(file: &Path, error: &ConfigError) -> ExitCode {
    let file = file.display().to_string();
    let outcome = check::unusable(&file, error, std::io::stderr().is_terminal());
    tell(&Text::own(outcome.text));
    ExitCode::from(outcome.exit_code)
}

/// What was loaded, with what was typed in place of what it says.
fn configuration(args: &Serve, loaded: Loaded) -> anyhow::Result<Config> {
    if loaded.warnings.warnings() > 0 {
        tell(&Text::own(loaded.warnings.render(std::io::stderr().is_terminal())));
    }
    let mut config = loaded.config;
    let server = &mut config.server;
    server.grpc = args.grpc.unwrap_or(server.grpc);
    server.http = args.http.unwrap_or(server.http);
    if let Some(data) = &args.data {
        server.data.clone_from(data);
    }
    if let Some(playbooks) = &args.playbooks {
        server.playbooks.clone_from(playbooks);
    }
    server.allow_insecure_remote |= args.allow_insecure_remote;
    server.check_exposure()?;
    Ok(config)
}

async fn serve(
    config: Config,
    source: Source,
    accept_older_copy: bool,
) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let data = config.server.data.clone();
    let starting = App::start(AppConfig {
        grpc: config.server.grpc,
        http: config.server.http,
        data: data.clone(),
        receipt_key: config.server.receipt_key(),
        accept_older_copy,
        playbooks: config.server.playbooks,
        journal: config.journal,
        keep_days: config.server.keep_days,
        routing: config.routing,
        source,
        site: config.site,
        page: config.page,
    });
    let app = tokio::select! {
        started = starting => started.context("the router did not start")?,
        _ = tokio::signal::ctrl_c() => return Ok(given_up()),
        _ = terminate.recv() => return Ok(given_up()),
    };
    // Whoever started us reads this line to know when and where to connect.
    let (grpc, http) = (app.grpc_address(), app.http_address());
    let ready = Text::own(format!("surgeline is ready: grpc={grpc} http={http}\n"));
    // Nobody reading is no reason not to serve.
    if let Err(error) = put(&ready) {
        tracing::warn!(%error, %grpc, %http, "ready, but stdout cannot be written");
    }
    let recovered = app.recovered();
    if recovered.entries > 0 {
        tracing::info!(entries = recovered.entries, data = %data.display(), "recovered");
    }
    let told_to = loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break true,
            _ = terminate.recv() => break true,
            _ = app.failed() => break false,
            _ = hang_up.recv() => reload(&app).await,
        }
    };
    if told_to {
        tracing::info!("draining: nobody new is let in");
        tokio::select! {
            () = app.drain(config.server.drain.into()) => {}
            // Whoever says it twice does not want to wait.
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = app.failed() => {}
        }
    }
    tracing::info!("stopping");
    match app.stop().await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // While it served, drained or stopped: whoever starts us must know.
        Err(AppError::Failed(fatal)) => {
            complain(&anyhow::Error::new(fatal));
            Ok(ExitCode::from(FAILED))
        }
        Err(error) => Err(error).context("the router did not stop well"),
    }
}

/// Reads the configuration file again, and says what came of it.
async fn reload(app: &App) {
    match app.reload().await {
        Ok(Planned { preview, needs_restart, .. }) => {
            let (changes, warnings) = (preview.changes.len(), preview.warnings.len());
            tracing::info!(changes, warnings, "the configuration file was read again");
            for warning in &preview.warnings {
                tracing::warn!(%warning, "the configuration was applied");
            }
            for field in &needs_restart {
                let FieldChange { field, old, new } = field;
                tracing::warn!(field, %old, %new, "stays as it is until a restart");
            }
        }
        Err(NotReloaded::Unsound { file, source }) => {
            unusable(&file, &source);
            tracing::error!("the configuration file cannot be used: the one in force stays");
        }
        Err(error) => tracing::error!(%error, "the configuration file was not applied"),
    }
}

/// It was told to stop before it served. Nothing was promised to anybody: the next start reads
/// the same journal.
fn given_up() -> ExitCode {
    tracing::info!("told to stop while starting");
    ExitCode::SUCCESS
}

/// Tells where something panicked and not what it said: a message may quote what the code
/// choked on, and that may be a customer's words.
fn keep_panics_short() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        tracing::error!(thread = thread.name().unwrap_or("?"), %at, "panicked");
    }));
}

fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("SURGELINE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config;

    #[test]
    fn what_is_typed_goes_before_what_the_file_says() {
        let loaded = || config::parse("p", "[recall]\nplaybooks = \"filed\"").unwrap();
        let said = configuration(&Serve::default(), loaded()).unwrap().server;
        assert_eq!(said.playbooks, Path::new("filed"));
        let typed = Serve {
            playbooks: Some(PathBuf::from("typed")),
            data: Some(PathBuf::from("elsewhere")),
            ..Serve::default()
        };
        let said = configuration(&typed, loaded()).unwrap().server;
        assert_eq!((&*said.playbooks, &*said.data), (Path::new("typed"), Path::new("elsewhere")));
    }
}
