//! What events about safety contacts hold that nobody answers.

use crate::engine::recall::{AlarmStep, Lane};
use crate::ids::{ContactId, RecallId};

/// What is done for a safety contact that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SafetyNews {
    /// Which contact.
    pub contact: ContactId,
    /// What.
    pub step: SafetyStep,
    /// What is still to be done.
    pub lane: Lane,
}

/// What is done for a safety contact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SafetyStep {
    /// It begins to wait, and is watched.
    Watched,
    /// Any agent may have it.
    AnyAgent,
    /// It has waited so long that people are paged.
    Late,
    /// The number outside could not be tried, and is tried again.
    OutsideAgain,
}

impl SafetyStep {
    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watched => "watched",
            Self::AnyAgent => "any_agent",
            Self::Late => "late",
            Self::OutsideAgain => "outside_again",
        }
    }
}

/// What became of calling people in for a recall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AlarmNews {
    /// Which recall.
    pub recall: RecallId,
    /// What.
    pub step: AlarmStep,
}
