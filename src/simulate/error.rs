//! Why a simulation could not be run. That a scenario goes badly is no error: it is in the report.
//!
//! One enum for the module; `cli` says what to do next where the message cannot.

use std::io;
use std::path::Path;

use crate::config::{ConfigError, MergeError};
use crate::engine::refusal::Refusal;
use crate::plots::PlotError;
use crate::recall::{PlanError, PlaybookError};

/// Why a simulation could not be run.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: Box<Path>,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: Box<Path>,
        /// Why.
        source: io::Error,
    },
    /// The scenario's own sections are not TOML, or not these.
    #[error("{file} cannot be used\n{problem}")]
    Syntax {
        /// The scenario.
        file: Box<str>,
        /// What is wrong and where; told with the message, so no cause of its own.
        problem: Box<toml::de::Error>,
    },
    /// The routing part cannot be used.
    #[error(transparent)]
    Routing(#[from] ConfigError),
    /// The routing part has more names than a router has ids.
    #[error(transparent)]
    Ids(#[from] MergeError),
    /// A value is not one that can be.
    #[error("{field}: expected {expected}")]
    Value {
        /// Its path in the file.
        field: Box<str>,
        /// What it should be.
        expected: &'static str,
    },
    /// A name that the routing part does not have.
    #[error("{field}: found `{name}`, expected the name of {kind} of the scenario's routing, one of {}", has.join(", "))]
    Unknown {
        /// Its path in the file.
        field: Box<str>,
        /// Of what kind.
        kind: &'static str,
        /// As written.
        name: Box<str>,
        /// What there is, the first 24.
        has: Vec<Box<str>>,
    },
    /// A line of a file of numbers.
    #[error("{} line {line}: expected {expected}", path.display())]
    Line {
        /// Which file.
        path: Box<Path>,
        /// From 1.
        line: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// A playbook cannot be used.
    #[error(transparent)]
    Playbook(#[from] PlaybookError),
    /// A playbook does not fit the scenario's routing.
    #[error("recalls[{index}]: its playbook does not fit the scenario's routing")]
    Plan {
        /// Which recall, from 0.
        index: usize,
        /// Why.
        source: PlanError,
    },
    /// The engine refused what every run begins with.
    #[error("the engine refused to {what}")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// Why.
        source: Refusal,
    },
    /// Work that did not end: those left over would be in no figure.
    #[error(
        "{left} contacts were still open {hours} h after the last arrival: give them agents, patience or a longer run.drain"
    )]
    Stuck {
        /// How many.
        left: u64,
        /// How long was waited.
        hours: u64,
    },
    /// Work that nobody will ever do.
    #[error(
        "{left} contacts were still open with nothing left to happen: give them agents who can take them, or patience"
    )]
    Forever {
        /// How many.
        left: u64,
    },
    /// A figure's histogram could not be made or added up.
    #[error("a histogram of waits cannot be made")]
    Histogram,
    /// A picture could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A thread of the simulation ended before its time.
    #[error("a run ended before its time: report this with the scenario and the seed")]
    Panicked,
}

impl SimulateError {
    /// A value that cannot be.
    pub(super) fn value(field: impl Into<Box<str>>, expected: &'static str) -> Self {
        Self::Value { field: field.into(), expected }
    }
}
