//! `surgeline serve`: a router until it is told to stop.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::FAILED;
use super::args::Serve;
use crate::app::{App, AppConfig};
use crate::config::{self, Config};

pub(super) fn run(args: &Serve) -> anyhow::Result<ExitCode> {
    log_to_stderr();
    let config = configuration(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

/// The file, or the built-in configuration, with what was typed in place of what it says.
fn configuration(args: &Serve) -> anyhow::Result<Config> {
    let loaded = match &args.config {
        Some(file) => config::load(file)?,
        None => config::built_in()?,
    };
    if loaded.warnings.warnings() > 0 {
        eprint!("{}", loaded.warnings.render(std::io::stderr().is_terminal()));
    }
    let mut config = loaded.config;
    let server = &mut config.server;
    server.grpc = args.grpc.unwrap_or(server.grpc);
    server.http = args.http.unwrap_or(server.http);
    if let Some(data) = &args.data {
        server.data.clone_from(data);
    }
    server.allow_insecure_remote |= args.allow_insecure_remote;
    server.check_exposure()?;
    Ok(config)
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let data = config.server.data.clone();
    let app = App::start(AppConfig {
        grpc: config.server.grpc,
        http: config.server.http,
        data: data.clone(),
        routing: config.routing,
    })
    .await
    .context("the router did not start")?;
    // Whoever started us reads this line to know when and where to connect.
    println!("surgeline is ready: grpc={} http={}", app.grpc_address(), app.http_address());
    let recovered = app.recovered();
    if recovered.entries > 0 {
        tracing::info!(entries = recovered.entries, data = %data.display(), "recovered");
    }
    let fatal = tokio::select! {
        _ = tokio::signal::ctrl_c() => None,
        _ = terminate.recv() => None,
        fatal = app.failed() => Some(fatal),
    };
    tracing::info!("stopping");
    let stopped = app.stop().await;
    match fatal {
        Some(fatal) => {
            eprintln!("error: {:#}", anyhow::Error::new(fatal));
            Ok(ExitCode::from(FAILED))
        }
        None => stopped.map(|()| ExitCode::SUCCESS).context("the router did not stop well"),
    }
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
