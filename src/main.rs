//! The `surgeline` binary: parses what was typed, runs it, prints what went wrong.

use std::process::ExitCode;

use clap::Parser;
use surgeline::cli::{self, args::Cli};

/// What is allocated on the owner's thread is mostly freed on the replica's, in small pieces:
/// glibc's allocator took a third of a recovery for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
