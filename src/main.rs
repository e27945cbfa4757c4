//! The `surgeline` binary: parses what was typed, runs it, prints what went wrong.

use std::process::ExitCode;

use clap::Parser;
use surgeline::cli::{self, args::Cli};

fn main() -> ExitCode {
    let _armed = surgeline::fault::armed();
    match cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            cli::complain(&error);
            cli::exit_code(&error)
        }
    }
}
