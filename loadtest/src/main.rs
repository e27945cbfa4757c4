//! The `surgeline-loadtest` binary: reads a scenario, runs it, tells what came of it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use surgeline::cli;
use surgeline_loadtest::args::Args;
use surgeline_loadtest::conduct::{Options, conduct};
use surgeline_loadtest::error::LoadError;
use surgeline_loadtest::report::{page, text};
use surgeline_loadtest::scenario::{Scenario, ScenarioError};
use tracing_subscriber::EnvFilter;

/// What is allocated on the owner's thread is mostly freed on the replica's, in small pieces:
/// glibc's allocator took a third of a recovery for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit_code(&error)
        }
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<ScenarioError>() {
        return ExitCode::from(cli::USAGE);
    }
    match error.downcast_ref::<LoadError>() {
        Some(LoadError::Client(cli::client::ClientError::Unreachable { .. })) => {
            ExitCode::from(cli::UNREACHABLE)
        }
        _ => ExitCode::from(cli::FAILED),
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let scenario = Scenario::load(&args.scenario)?;
    if args.print_config {
        print!("{}", scenario.centre());
        return Ok(ExitCode::SUCCESS);
    }
    if args.print_playbook {
        let recall = scenario.recall.as_ref().context("this scenario has no [recall]")?;
        print!("{}", recall.playbook()?);
        return Ok(ExitCode::SUCCESS);
    }
    let filter =
        EnvFilter::try_from_env("SURGELINE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let options = Options {
        seed: args.seed,
        router: args.router.clone(),
        metrics: args.metrics,
        folder: args.folder.clone().or_else(default_folder),
        progress: true,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        tokio::select! {
            report = conduct(scenario, &options) => report.map_err(anyhow::Error::from),
            stop = tokio::signal::ctrl_c() => {
                stop?;
                anyhow::bail!("interrupted: nothing is reported of half a run")
            }
        }
    })?;
    if let Some(file) = &args.html {
        let html = page::html(&report)?;
        std::fs::write(file, html).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.json {
        println!("{}", report.json()?);
    } else {
        print!("{}", text::text(&report));
    }
    for failure in &report.failures {
        eprintln!("error: {failure}");
    }
    Ok(ExitCode::from(if report.failures.is_empty() { cli::OK } else { cli::FAILED }))
}

/// The system's place for temporary files is often memory, where a sync costs nothing.
fn default_folder() -> Option<PathBuf> {
    let target = Path::new("target");
    target.is_dir().then(|| target.to_owned())
}
