//! The subcommands: each turns its arguments into text, rows and an exit code.
//!
//! One file a subcommand; `args` has what can be typed. Only here and in `main` are errors
//! `anyhow`: whoever reads them is a person at a prompt, so each says what to do next.

pub mod agent;
pub mod args;
pub mod client;
pub mod config;
pub mod contact;
mod demo;
pub mod journal;
pub mod playbook;
pub mod queue;
pub mod serve;
mod words;

use std::io::IsTerminal;
use std::process::ExitCode;

use args::{
    AgentCommand, Cli, Command, ConfigCommand, ContactCommand, JournalCommand, PlaybookCommand,
    QueueCommand,
};

/// Done.
pub const OK: u8 = 0;
/// It could not be done; the message says why.
pub const FAILED: u8 = 1;
/// What was typed, or a file that it names, is not right. clap uses the same.
pub const USAGE: u8 = 2;
/// No router answers at the address.
pub const UNREACHABLE: u8 = 3;
/// What was named does not exist.
pub const NOT_FOUND: u8 = 4;

/// Runs what was typed.
///
/// # Errors
/// What could not be done, to be printed; [`exit_code`] gives its code.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(serve) => serve::run(&serve),
        Command::Demo(demo) => demo::run(&demo),
        Command::Config(ConfigCommand::Check { file, json }) => {
            Ok(told(&config::check(&file, std::io::stdout().is_terminal()), json))
        }
        Command::Playbook(PlaybookCommand::Check { file, json }) => {
            Ok(told(&playbook::check(&file, std::io::stdout().is_terminal()), json))
        }
        Command::Journal(JournalCommand::Verify { data, json }) => journal::verify(&data, json),
        Command::Queue(command) => client::block_on(async move {
            match command {
                QueueCommand::List { router, json } => queue::list(&router, json).await,
                QueueCommand::Watch { router, json, interval } => {
                    queue::watch(&router, json, interval).await
                }
            }
        }),
        Command::Agent(AgentCommand::List { router, pool, json }) => {
            client::block_on(agent::list(&router, pool, json))
        }
        Command::Contact(command) => client::block_on(async move {
            match command {
                ContactCommand::List { router, queue, json } => {
                    contact::list(&router, queue, json).await
                }
                ContactCommand::Show { id, router, json } => contact::show(&router, id, json).await,
                ContactCommand::Explain { id, router, json } => {
                    contact::explain(&router, id, json).await
                }
            }
        }),
    }
}

fn told(outcome: &config::CheckOutcome, json: bool) -> ExitCode {
    if json {
        println!("{:#}", outcome.json);
    } else {
        print!("{}", outcome.text);
    }
    ExitCode::from(outcome.exit_code)
}

/// The exit code for an error of [`run`].
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let code = match error.downcast_ref::<client::ClientError>() {
        Some(client::ClientError::Address { .. }) => USAGE,
        Some(client::ClientError::Unreachable { .. }) => UNREACHABLE,
        Some(client::ClientError::Refused(status)) => match status.code() {
            tonic::Code::NotFound => NOT_FOUND,
            tonic::Code::InvalidArgument => USAGE,
            tonic::Code::Unavailable => UNREACHABLE,
            _ => FAILED,
        },
        None if error.is::<crate::config::ConfigError>() || error.is::<crate::config::Fault>() => {
            USAGE
        }
        None => FAILED,
    };
    ExitCode::from(code)
}
