//! `surgeline serve`.

use std::process::ExitCode;

use super::args::Serve;

pub(super) fn run(_serve: &Serve) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
