//! The subcommands: each turns its arguments into text, rows and an exit code.
//!
//! One file a subcommand; `args` has what can be typed. Only here and in `main` are errors
//! `anyhow`: whoever reads them is a person at a prompt, so each says what to do next.

pub mod agent;
mod apply;
pub mod archive;
pub mod args;
pub mod bulk;
pub mod client;
pub mod config;
pub mod contact;
mod demo;
pub mod feedback;
pub mod forget;
pub mod journal;
pub mod order;
mod out;
pub mod owed;
pub mod playbook;
pub mod queue;
pub mod recall;
pub mod report;
pub mod serve;
pub mod simulate;
mod source;
mod words;

use std::io::IsTerminal;
use std::process::ExitCode;

use args::{
    AgentCommand, Cli, Command, ConfigCommand, ContactCommand, PlaybookCommand, QueueCommand,
};
use client::ClientError;
use out::{Text, put, tell_line};

use crate::archive::ArchiveError;

/// Done.
pub const OK: u8 = 0;
/// It could not be done; the message says why.
pub const FAILED: u8 = 1;
/// What was typed, or a file that it names, is not right. clap uses the same.
pub const USAGE: u8 = 2;
/// No router answers at the address, or it stopped.
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
        Command::Simulate(asked) => simulate::run(&asked),
        Command::Config(ConfigCommand::Check { file, against: None, json }) => {
            told(&config::check(&file, std::io::stdout().is_terminal()), json)
        }
        Command::Config(ConfigCommand::Check { file, against: Some(against), json }) => {
            client::block_on(async move { apply::preview(&file, &against, json).await })
        }
        Command::Config(ConfigCommand::Apply(asked)) => {
            client::block_on(async move { apply::run(&asked).await })
        }
        Command::Playbook(PlaybookCommand::Check { file, json }) => {
            told(&playbook::check(&file, std::io::stdout().is_terminal()), json)
        }
        Command::Journal(command) => journal::run(command),
        Command::Archive(command) => archive::run(&command),
        Command::Report(command) => report::run(&command),
        Command::Audit(command) => archive::audit(&command),
        Command::Forget(forget) => client::block_on(async move { forget::run(&forget).await }),
        Command::Queue(command) => client::block_on(async move {
            match command {
                QueueCommand::List { router, json } => queue::list(&router, json).await,
                QueueCommand::Watch { router, json, interval } => {
                    queue::watch(&router, json, interval).await
                }
            }
        }),
        Command::Recall(command) => client::block_on(async move { recall::run(&command).await }),
        Command::Agent(command) => client::block_on(async move {
            match command {
                AgentCommand::List { router, pool, json } => agent::list(&router, pool, json).await,
                AgentCommand::SignOut(asked) => order::sign_out(&asked).await,
            }
        }),
        Command::Callback(command) => {
            client::block_on(async move { owed::callback(command).await })
        }
        Command::Promise(command) => client::block_on(async move { owed::promise(command).await }),
        Command::Recovery(command) => {
            client::block_on(async move { owed::recovery(command).await })
        }
        Command::Feedback(command) => client::block_on(async move { feedback::run(command).await }),
        Command::Contact(command) => client::block_on(async move {
            match command {
                ContactCommand::List { router, queue, json } => {
                    contact::list(&router, queue, json).await
                }
                ContactCommand::Show { id, router, json } => contact::show(&router, id, json).await,
                ContactCommand::Move(asked) => bulk::move_them(&asked).await,
                ContactCommand::Close(asked) => bulk::close_them(&asked).await,
                ContactCommand::Pull(asked) => order::pull(&asked).await,
                ContactCommand::Listen(asked) => order::listen(&asked).await,
                ContactCommand::StopListening(asked) => order::stop_listening(&asked).await,
                ContactCommand::Explain { id, router, json } => {
                    contact::explain(&router, id, json).await
                }
            }
        }),
    }
}

/// Tells on stdout what a check came to.
fn told(outcome: &config::CheckOutcome, json: bool) -> anyhow::Result<ExitCode> {
    let json = json.then(|| Text::json(&outcome.json));
    put(&json.unwrap_or_else(|| Text::own(outcome.text.clone())))?;
    Ok(ExitCode::from(outcome.exit_code))
}

/// Tells on stderr what could not be done.
pub fn complain(error: &anyhow::Error) {
    tell_line(&format!("error: {}", told_once(error)));
}

/// An error and its causes. Libraries like to tell a cause within the error and as its
/// source too: what was said is not said again.
fn told_once(error: &anyhow::Error) -> String {
    let mut told: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.iter().any(|earlier| earlier.contains(&cause)) {
            continue;
        }
        // A cause that says the one before it, and more.
        if told.len() > 1 && told.last().is_some_and(|last| cause.starts_with(last.as_str())) {
            told.pop();
        }
        told.push(cause);
    }
    told.join(": ")
}

/// The exit code for an error of [`run`].
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let code = match error.downcast_ref::<ClientError>() {
        Some(ClientError::Address { .. } | ClientError::NotGrpc) => USAGE,
        Some(ClientError::Unreachable { .. } | ClientError::Stopped) => UNREACHABLE,
        Some(ClientError::Refused(status)) => match status.code() {
            tonic::Code::NotFound => NOT_FOUND,
            tonic::Code::InvalidArgument => USAGE,
            tonic::Code::Unavailable => UNREACHABLE,
            _ => FAILED,
        },
        None if matches!(
            error.downcast_ref::<ArchiveError>(),
            Some(ArchiveError::Missing { .. } | ArchiveError::NoHold { .. })
        ) =>
        {
            NOT_FOUND
        }
        None if error.is::<crate::config::ConfigError>() || error.is::<crate::config::Fault>() => {
            USAGE
        }
        None => FAILED,
    };
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let chain = |causes: &[&'static str]| {
            let mut causes = causes.iter().rev();
            let first = anyhow::Error::msg(*causes.next().unwrap());
            told_once(&causes.fold(first, |error, outer| error.context(*outer)))
        };
        assert_eq!(
            chain(&[
                "no router answers",
                "tcp connect error",
                "tcp connect error",
                "refused (111)"
            ]),
            "no router answers: tcp connect error: refused (111)"
        );
        assert_eq!(chain(&["cannot open x: not there", "not there"]), "cannot open x: not there");
        assert_eq!(chain(&["a", "transport error", "transport error: b"]), "a: transport error: b");
        assert_eq!(chain(&["one", "two"]), "one: two");
    }

    #[test]
    fn exit_codes() {
        let code = |error: ClientError| format!("{:?}", exit_code(&anyhow::Error::new(error)));
        let is = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!(code(ClientError::Stopped), is(UNREACHABLE));
        assert_eq!(code(ClientError::NotGrpc), is(USAGE));
        assert_eq!(code(ClientError::Address { address: "foo".into() }), is(USAGE));
        assert_eq!(code(ClientError::Refused(tonic::Status::not_found("x"))), is(NOT_FOUND));
    }
}
