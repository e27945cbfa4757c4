//! `surgeline journal`: what is on disk, checked, printed, and gone on from.
//!
//! One file a command. It reads through [`crate::journal`] and changes nothing but by
//! `accept-loss`, which a person has to confirm.

pub mod args;
mod export;
mod loss;
mod verify;

use std::process::ExitCode;

use self::args::JournalCommand;

pub(super) fn run(command: JournalCommand) -> anyhow::Result<ExitCode> {
    match command {
        JournalCommand::Verify { data, json } => verify::run(&data, json),
        JournalCommand::Export(wanted) => export::run(&wanted),
        JournalCommand::AcceptLoss(decided) => loss::run(&decided),
    }
}
