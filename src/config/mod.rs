//! The configuration that people write: one TOML file, checked as a whole.
//!
//! It is split here into what the engine decides by, [`Routing`], which enters the
//! journal, and what stays with this process, [`server::Config`]. One file a section, each
//! of which validates itself; [`merge`] gives names the ids that they keep. It owns no
//! state and reads nothing but the file.

mod agents;
mod announcements;
mod archive;
mod calendars;
mod callback;
mod care;
pub mod diff;
mod entry_points;
mod externals;
pub mod journal;
mod languages;
mod merge;
pub(crate) mod names;
pub mod page;
mod pools;
pub mod preview;
pub(crate) mod problem;
mod process;
mod queue_life;
mod queues;
pub(crate) mod reader;
mod reasons;
mod recall;
mod report;
mod served;
pub mod server;
mod settings;
mod sharing;
pub mod site;
#[cfg(test)]
mod tests;
mod workload;

use std::io;
use std::path::Path;

use toml::de::{DeTable, DeValue};

pub use merge::{MergeError, merge};
pub use problem::{Expected, Fault, Found, Kind, Problem};
pub use process::needs_restart;
pub use report::Report;

use crate::engine::routing::{Routing, Settings};
use names::Names;
use reader::{Notes, Table, Value};

/// The configuration of a router that is given none.
const BUILT_IN: &str = include_str!("default.toml");
/// Most skills of a router.
const MOST_SKILLS: usize = 1_024;
/// Most reasons for not being ready, besides the router's own.
const MOST_REASONS: usize = 256 - ROUTERS_REASONS.len();
/// Most disposition codes.
const MOST_DISPOSITIONS: usize = 1_024;
/// The reasons that the router itself sets, in the order that the engine knows them by:
/// `RING_NO_ANSWER` and `JUST_CONNECTED` of [`crate::engine::agent`].
pub const ROUTERS_REASONS: [&str; 2] = ["ring-no-answer", "just-connected"];

/// A whole configuration, free of errors.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// What stays with this process.
    pub server: server::Config,
    /// How the journal keeps out of trouble.
    pub journal: journal::Config,
    /// Where the people are.
    pub site: site::Config,
    /// Where people are called in.
    pub page: page::Config,
    /// What the engine is to decide by, with ids by position in the file: for [`merge`].
    pub routing: Routing,
}

/// A configuration that can be used, and what is doubtful about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings only; often none.
    pub warnings: Report,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: Box<Path>,
        /// Why.
        source: io::Error,
    },
    /// The file has errors.
    #[error("{0}")]
    Invalid(Box<Report>),
}

/// Reads and checks a file.
///
/// # Errors
/// [`ConfigError::Read`] if the file cannot be read or is not UTF-8,
/// [`ConfigError::Invalid`] with everything that is wrong in it.
pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
    parse_file(path, &read_file(path)?)
}

/// The text of a file.
///
/// # Errors
/// [`ConfigError::Read`] if the file cannot be read or is not UTF-8.
pub fn read_file(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })
}

/// Checks a text as if it were the file at this path.
///
/// # Errors
/// [`ConfigError::Invalid`] with everything that is wrong in it.
pub fn parse_file(path: &Path, source: &str) -> Result<Loaded, ConfigError> {
    let mut loaded = parse(&path.display().to_string(), source)?;
    // Playbooks lie beside the configuration, wherever the router is started from.
    let beside = path.parent().unwrap_or(Path::new(""));
    let playbooks = &mut loaded.config.server.playbooks;
    *playbooks = beside.join(&*playbooks);
    Ok(loaded)
}

/// The configuration of a router that is given none: a small product company's centre.
///
/// # Errors
/// None: what is built in is tested to be valid.
pub fn built_in() -> Result<Loaded, ConfigError> {
    parse("the built-in configuration", BUILT_IN)
}

/// Checks a configuration that is at hand; `file` is what the report calls it.
///
/// # Errors
/// [`ConfigError::Invalid`] with everything that is wrong in it; of TOML that cannot be
/// parsed, the first thing.
pub fn parse(file: &str, source: &str) -> Result<Loaded, ConfigError> {
    let notes = Notes::default();
    let config = read(source, &notes);
    let report = Report::new(file, source, notes.into_problems());
    match config {
        Some(config) if report.errors() == 0 => Ok(Loaded { config, warnings: report }),
        _ => Err(ConfigError::Invalid(Box::new(report))),
    }
}

/// The routing part of a file that has sections of another kind too, such as a scenario's:
/// those `others` are for their owner to read and check.
///
/// # Errors
/// [`ConfigError::Invalid`] with everything that is wrong in the routing part.
pub fn parse_part(
    file: &str,
    source: &str,
    others: &[&'static str],
) -> Result<Routing, ConfigError> {
    let notes = Notes::default();
    let config = read_beside(source, &notes, others);
    let report = Report::new(file, source, notes.into_problems());
    match config {
        Some(config) if report.errors() == 0 => Ok(config.routing),
        _ => Err(ConfigError::Invalid(Box::new(report))),
    }
}

/// Reads as far as it can; none only of what is not TOML.
fn read(source: &str, notes: &Notes) -> Option<Config> {
    read_beside(source, notes, &[])
}

fn read_beside(source: &str, notes: &Notes, others: &[&'static str]) -> Option<Config> {
    let document = match DeTable::parse(source) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().unwrap_or_default();
            notes.note("", span, Fault::Syntax(error));
            return None;
        }
    };
    let root = DeValue::Table(document.into_inner());
    let whole = Value { notes, value: &root, span: 0..0, path: String::new() };
    whole.table("", "sections", |file| {
        others.iter().for_each(|name| drop(file.field(name)));
        read_sections(file)
    })
}

fn read_sections(file: &Table<'_>) -> Config {
    let mut server = file.field("server").map(|v| server::read(&v)).unwrap_or_default();
    if let Some(playbooks) = file.field("recall").and_then(|v| recall::read(&v)) {
        server.playbooks = playbooks;
    }
    let journal = file.field("journal").map(|v| journal::read(&v)).unwrap_or_default();
    let days = file.field("archive").and_then(|v| archive::read(&v));
    server.keep_days = days.unwrap_or(server.keep_days);
    let (settings, interrupts) =
        file.field("settings").map(|v| settings::read(&v)).unwrap_or_default();
    let promises = file.field("promises").map(|v| callback::read_promises(&v)).unwrap_or_default();
    let settings = Settings { promises, ..settings };
    let plain = |field, always, kind, most| -> (Names, _) {
        names::read(&file.list(field, "names"), always, kind, most)
    };
    let (skill_names, skills) = plain("skills", &[], Kind::Skill, MOST_SKILLS);
    let languages =
        file.field("languages").map(|v| languages::read(&v, &skill_names)).unwrap_or_default();
    let reasons_at = file.list("not_ready_reasons", "reasons: names, or [[not_ready_reasons]]");
    let (_, not_ready_reasons) = reasons::read(&reasons_at, &ROUTERS_REASONS, MOST_REASONS);
    let (_, dispositions) = plain("dispositions", &[], Kind::Disposition, MOST_DISPOSITIONS);
    let (pool_names, pools, partners) = pools::read(&file.list("pools", "pools, as [[pools]]"));
    let queues_at = file.list("queues", "queues, as [[queues]]");
    let (calendar_names, calendars) =
        calendars::read(&file.list("calendars", "calendars, as [[calendars]]"));
    let (external_names, externals) =
        externals::read(&file.list("externals", "destinations, as [[externals]]"));
    let (notice_names, notices) =
        announcements::read(&file.list("announcements", "announcements, as [[announcements]]"));
    let known = queue_life::Known {
        queues: &queues::foresee(&queues_at),
        pools: &pool_names,
        calendars: &calendar_names,
        externals: &external_names,
        notices: &notice_names,
    };
    let (queue_names, queues) = queues::read(&queues_at, &skill_names, known);
    let agents = agents::read(
        &file.list("agents", "agents, as [[agents]]"),
        &file.list("agent_groups", "groups, as [[agent_groups]]"),
        &agents::Known { skills: &skill_names, pools: &pool_names, interrupts },
    );
    let entry_points_at = file.list("entry_points", "entry points, as [[entry_points]]");
    let entry_points = entry_points::read(&entry_points_at, &queue_names);
    let refers_to = sharing::Known { queues: &queue_names, pools: &pool_names };
    let sharings = sharing::read(&file.list("sharing", "sharings, as [[sharing]]"), &refers_to);
    // Of a file with errors it would tell what follows from them.
    if file.notes.is_clean() {
        let pools_of = served::PoolsOf { all: &pools, partners: &partners };
        let choice = settings.contact_choice;
        served::warn(queues_at.iter().zip(&queues), &agents, pools_of, choice);
    }
    let routing = Routing {
        skills,
        pools,
        partners,
        queues,
        agents,
        entry_points,
        not_ready_reasons,
        dispositions,
        calendars,
        externals,
        notices,
        sharings,
        languages,
        still_there: care::read_texts(file),
        settings,
    };
    let page = file.field("page").map(|v| page::read(&v)).unwrap_or_default();
    let site = file.field("site").map(|v| site::read(&v)).unwrap_or_default();
    Config { server, journal, site, page, routing }
}
