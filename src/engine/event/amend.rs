//! What events about an amended recall hold.

use std::sync::Arc;

use crate::engine::recall::Plan;
use crate::ids::{ContactId, RecallId};
use crate::time::EngineTime;

/// A recall was amended: texts and lots are those of its plan from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amended {
    /// Which.
    pub recall: RecallId,
    /// What is decided by now, and the playbook itself.
    pub plan: Arc<Plan>,
    /// When it ends by itself now.
    pub expires: EngineTime,
}

/// Some of those who were told "not affected" were looked at again by the newer version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rechecked {
    /// Which recall.
    pub recall: RecallId,
    /// All up to this contact were; none when all were.
    pub upto: Option<ContactId>,
    /// Who of them is affected now, and what is done about it: they are told otherwise, and
    /// remembered no more.
    pub affected: Arc<[(ContactId, Amends)]>,
}

/// What is done for one who was told "not affected" and is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Amends {
    /// They are still in the menu, and are told now.
    Corrected,
    /// They are promised to hear from us.
    FollowUp,
    /// Nobody knows how to reach them.
    Unreachable,
}

impl Amends {
    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::FollowUp => "follow_up",
            Self::Unreachable => "unreachable",
        }
    }
}
