//! What a customer's words, keys and wishes were found to mean, outside the engine.

use crate::ids::RecallId;

/// What the words of a customer were found to mean, and by whose playbook. Found at intake
/// or by the reader of words, outside the engine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Heed {
    /// Whose words for it decided.
    pub recall: RecallId,
    /// What it is.
    pub class: TriageClass,
}

/// What a text is, most urgent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TriageClass {
    /// Injury or exposure: the safety lane.
    Safety,
    /// An affected lot: ahead of others.
    Affected,
    /// A person is asked for: no self-service.
    PersonWanted,
}

impl TriageClass {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Safety, Self::Affected, Self::PersonWanted];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Affected => "affected",
            Self::PersonWanted => "person_wanted",
        }
    }
}

/// What the affected-or-not check says of keys that were pressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LotVerdict {
    /// The lot is affected.
    Affected,
    /// It is a lot, and none that is affected.
    NotAffected,
    /// It may be either: a person will look.
    CannotTell,
}

impl LotVerdict {
    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::NotAffected => "not_affected",
            Self::CannotTell => "cannot_tell",
        }
    }
}

/// What a customer wants to happen, as far as a machine can tell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wish {
    /// The answer was what they needed.
    Solved,
    /// A person.
    Person,
}

/// What is asked of the reader of words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Want {
    /// Triage alone: the contact waits for a person.
    Triage,
    /// Triage, and an answer.
    Answer,
}

/// What the reader of words found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Found {
    /// What the words were found to mean.
    pub heed: Option<Heed>,
    /// What may be answered.
    pub answer: Answer,
}

/// What may be answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// The customer has said nothing yet.
    NoWords,
    /// No entry is near enough.
    None,
    /// This entry.
    Entry {
        /// Its position in the playbook.
        entry: u16,
        /// How sure, in thousandths: at least the floor.
        score: u16,
    },
}
