//! Playbooks: what was written ahead of a recall, and what can be worked out from it alone.
//!
//! A file becomes a [`Playbook`], a plain value; out of it are built the [`Triage`] of text,
//! the [`FaqIndex`] and the [`LotCheck`]. Whoever starts a recall owns the playbook; each of
//! the three is rebuilt from it and remembers nothing; [`plan`] is the part that the engine
//! decides by. Nothing here decides about contacts (that is the engine's), and nothing but
//! [`load`] and [`Folder`] reads anything outside its arguments.

mod canonical;
mod faq;
mod folder;
mod language;
mod lots;
mod plan;
mod playbook;
mod prepared;
mod read;
mod said;
mod spoken;
#[cfg(test)]
mod tests;
mod triage;
mod wait;
mod wish;

use std::io;
use std::path::Path;

pub use canonical::{CanonicalError, Version};
pub use faq::{FaqError, FaqIndex, Suggestion};
pub use folder::{Folder, FolderError, GENERIC, Source};
pub use language::Language;
pub use lots::{Lot, LotCheck, LotRule, LotVerdict};
pub use plan::{PlanError, Unknown, plan};
pub use playbook::{
    CallbackTier, Choice, FaqEntry, FaqTexts, FaqTier, InjuryQuestion, IvrTier, Kept, Kind, Level,
    LotQuestion, Menu, MenuOption, Message, PartnerTier, Playbook, Product, SafetyLane, Scope,
    Severity, Slot, Texts, Tiers, TriageWords,
};
pub use prepared::{PrepareError, Prepared};
pub use read::Fill;
pub use said::text_id;
pub use spoken::{Moment, Spoken};
pub use triage::{Class, Rule, Triage, Triaged, Why};
pub use wait::wait_in_words;
pub use wish::wish_in_words;

use crate::config::Report;
use crate::config::reader::Notes;

/// A playbook that can be used, and what is doubtful about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The playbook.
    pub playbook: Playbook,
    /// Warnings only; often none.
    pub warnings: Report,
}

/// Why there is no playbook.
#[derive(Debug, thiserror::Error)]
pub enum PlaybookError {
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
/// [`PlaybookError::Read`] if the file cannot be read or is not UTF-8,
/// [`PlaybookError::Invalid`] with everything that is wrong in it.
pub fn load(path: &Path) -> Result<Loaded, PlaybookError> {
    let source = std::fs::read_to_string(path)
        .map_err(|source| PlaybookError::Read { path: path.into(), source })?;
    parse(&path.display().to_string(), &source, &[])
}

/// Checks a playbook that is at hand; `file` is what the report calls it. `fills` go before
/// what the file's `[slots]` say: so a generic playbook is completed on the day.
///
/// # Errors
/// [`PlaybookError::Invalid`] with everything that is wrong in it; of TOML that cannot be
/// parsed, the first thing.
pub fn parse(file: &str, source: &str, fills: &[Fill<'_>]) -> Result<Loaded, PlaybookError> {
    let notes = Notes::default();
    let playbook = read::read(source, &notes, fills);
    let report = Report::new(file, source, notes.into_problems());
    match playbook {
        Some(playbook) if report.errors() == 0 => Ok(Loaded { playbook, warnings: report }),
        _ => Err(PlaybookError::Invalid(Box::new(report))),
    }
}
