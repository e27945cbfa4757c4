//! A playbook with everything that is built from it, ready to be used.
//!
//! Building takes tens of milliseconds, most of it the search index: done before a recall
//! starts and when a journal is read, never on the way of a contact. It never changes.

use super::canonical::{CanonicalError, Version};
use super::faq::{FaqError, FaqIndex};
use super::lots::LotCheck;
use super::playbook::Playbook;
use super::triage::Triage;

/// A playbook and what is built from it.
#[derive(Debug)]
pub struct Prepared {
    /// The playbook.
    pub playbook: Playbook,
    /// Which it is.
    pub version: Version,
    /// The triage by its words and lots.
    pub triage: Triage,
    /// The affected-or-not check.
    pub lots: LotCheck,
    /// The search among its FAQ entries.
    pub faq: FaqIndex,
}

/// Why a playbook could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The journal's form of it cannot be read.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The search index could not be built.
    #[error(transparent)]
    Faq(#[from] FaqError),
}

impl Prepared {
    /// Builds everything.
    ///
    /// # Errors
    /// [`PrepareError::Faq`] if the index cannot be built.
    pub fn new(playbook: Playbook) -> Result<Self, PrepareError> {
        Ok(Self {
            version: playbook.version(),
            triage: Triage::of(&playbook),
            lots: LotCheck::of(&playbook),
            faq: FaqIndex::build(&playbook)?,
            playbook,
        })
    }

    /// Builds everything from the canonical form that a journal holds.
    ///
    /// # Errors
    /// See [`PrepareError`].
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, PrepareError> {
        Self::new(Playbook::from_canonical(bytes)?)
    }
}
