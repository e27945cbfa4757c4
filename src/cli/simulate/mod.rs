//! `surgeline simulate`: a scenario played by the real engine under a virtual clock.
//!
//! Reads the scenario, tells how far it is, prints what came of it. What is simulated and
//! how is `crate::simulate`'s.

pub mod args;
mod reference;
mod text;

use std::process::ExitCode;
use std::time::Duration;

use args::Simulate;

use super::out::{Text, put, tell_line};
use super::{OK, USAGE};
use crate::config::ConfigError;
use crate::simulate::{Progress, Scenario, SimulateError, simulate};

/// What takes longer than this shows how far it is, and how often it does.
const PATIENCE: Duration = Duration::from_secs(2);

/// Plays what was asked for.
///
/// # Errors
/// What cannot be read, played or written.
pub(super) fn run(asked: &Simulate) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &asked.reference {
        return reference::run(asked, folder.as_deref());
    }
    let Some(path) = &asked.scenario else { return Ok(ExitCode::from(USAGE)) };
    let scenario = match Scenario::load(path).and_then(|s| s.with(asked.seed, asked.runs)) {
        Ok(scenario) => scenario,
        Err(error) => return unusable(&error),
    };
    let runs = scenario.runs();
    let outcome = simulate(&scenario, &mut progress(runs, String::new()))?;
    if let Some(path) = &asked.html {
        let page = crate::simulate::html(&outcome)?;
        std::fs::write(path, page)
            .map_err(|source| SimulateError::Write { path: path.as_path().into(), source })?;
    }
    put(&if asked.json { Text::json(&text::rows(&outcome)) } else { text::text(&outcome) })?;
    Ok(ExitCode::from(OK))
}

/// Tells what is wrong with what was given.
fn unusable(error: &SimulateError) -> anyhow::Result<ExitCode> {
    super::out::tell(&Text::own(format!("{}\n", told(error).trim_end())));
    tell_line("docs/simulate.md has the format, and simulate/ has scenarios that work");
    Ok(ExitCode::from(USAGE))
}

/// An error with what caused it; one of the configuration says itself that it is one.
fn told(error: &SimulateError) -> String {
    let mut told = match error {
        SimulateError::Routing(ConfigError::Invalid(_)) => error.to_string(),
        _ => format!("error: {error}"),
    };
    if let Some(source) = std::error::Error::source(error) {
        told.push_str(&format!(": {source}"));
    }
    told
}

/// Tells now and then how far runs are, if they take long.
fn progress(runs: u32, of: String) -> impl FnMut(Progress) {
    let mut told = Duration::ZERO;
    move |now: Progress| {
        if now.elapsed < told + PATIENCE {
            return;
        }
        told = now.elapsed;
        let contacts = text::grouped(now.contacts);
        tell_line(&format!(
            "{of}{} of {runs} runs played, {contacts} contacts, {:.0} s",
            now.runs,
            now.elapsed.as_secs_f64()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_once() {
        for (text, what) in [
            ("foo = 3\n[run]\nduration = \"1h\"", "found an unknown field `foo`"),
            ("[run]\nduration = \"1h\"\nfoo = 3", "unknown field `foo`, expected one of"),
        ] {
            let error = Scenario::parse("mine.toml", text, std::path::Path::new("")).unwrap_err();
            let told = told(&error);
            assert!(told.starts_with("error: "), "{told}");
            assert_eq!(
                (told.matches(what).count(), told.matches("error: ").count()),
                (1, 1),
                "{told}"
            );
        }
    }
}
