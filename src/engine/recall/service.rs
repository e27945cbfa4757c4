//! A contact in self-service: where the conversation is, what is said, and the ways back.

use super::Tier;
use crate::engine::words::Language;
use crate::ids::{AskId, RecallId};
use crate::time::{EngineTime, Span};

/// A contact in self-service. With its place, which it keeps, this is its return ticket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SelfService {
    /// Whose tier.
    pub recall: RecallId,
    /// Which tier.
    pub tier: Tier,
    /// Until when at most.
    pub until: EngineTime,
    /// Answers that were given.
    pub answers: u8,
    /// The affected-or-not check was completed.
    pub checked: bool,
    /// Where the conversation is.
    pub step: Step,
}

impl SelfService {
    /// Whether the answer to this question is waited for.
    #[must_use]
    pub fn awaits(&self, asked: AskId) -> bool {
        matches!(self.step, Step::Reading { ask, .. } if ask == asked)
    }
}

/// Where a conversation with self-service is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// Nothing was said yet: a gateway with many to tell is told of one after the other.
    Entering {
        /// When this one's turn is.
        at: EngineTime,
    },
    /// faq: the customer's words are being read.
    Reading {
        /// The question to the reader.
        ask: AskId,
        /// After which a person takes over.
        deadline: EngineTime,
    },
    /// faq: an answer was found and is paced.
    Answering {
        /// The FAQ entry.
        entry: u16,
        /// When it is said.
        at: EngineTime,
    },
    /// faq: the customer's turn.
    Listening {
        /// How long their silence may last.
        until: EngineTime,
    },
    /// ivr: a question was put.
    Asked {
        /// Which.
        question: Question,
        /// How often before.
        repeats: u8,
        /// How long to wait for a key; none until the question was heard.
        until: Option<EngineTime>,
    },
    /// ivr: all is said.
    Leaving {
        /// When the call ends; none until the goodbye was heard.
        at: Option<EngineTime>,
    },
}

impl Step {
    /// When something is due, if anything.
    #[must_use]
    pub const fn due(self) -> Option<EngineTime> {
        match self {
            Self::Reading { deadline, .. } => Some(deadline),
            Self::Entering { at } | Self::Answering { at, .. } => Some(at),
            Self::Listening { until } => Some(until),
            Self::Asked { until, .. } => until,
            Self::Leaving { at } => at,
        }
    }

    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entering { .. } => "entering",
            Self::Reading { .. } => "reading",
            Self::Answering { .. } => "answering",
            Self::Listening { .. } => "listening",
            Self::Asked { question, .. } => question.name(),
            Self::Leaving { .. } => "leaving",
        }
    }
}

/// What the menu asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Question {
    /// Is anyone hurt?
    Injury,
    /// Which lot?
    Lot,
    /// What may be chosen.
    Options,
}

impl Question {
    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Injury => "injury",
            Self::Lot => "lot",
            Self::Options => "options",
        }
    }
}

/// A text of the playbook.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Text {
    /// Said at once when the faq tier takes a contact.
    Acknowledgement,
    /// The recall message for the contact's channel.
    Message,
    /// The answer of the FAQ entry at this position.
    Faq(u16),
    /// The menu's greeting.
    Greeting,
    /// The injury question.
    Injury,
    /// Asks for the lot.
    Lot,
    /// The lot is affected.
    Affected,
    /// The lot is not affected.
    NotAffected,
    /// It cannot be told: a person will look.
    CannotTell,
    /// The menu's option with this key, an ASCII digit.
    Option(u8),
    /// Said on the way to a person.
    Person,
    /// Said at the end.
    Goodbye,
}

/// Something to say to a customer: on voice to play, elsewhere to send.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Say {
    /// Whose playbook has the text.
    pub recall: RecallId,
    /// Which text.
    pub text: Text,
    /// The language that the customer is known to use.
    pub language: Option<Language>,
    /// What to wait for meanwhile and after.
    pub collect: Collect,
    /// What is said of the wait.
    pub outlook: Outlook,
}

/// What a gateway collects while and after it plays a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Collect {
    /// Nothing, but `0` is a person at any time.
    None,
    /// One key.
    Key,
    /// A lot: keys up to `#`.
    Lot,
}

/// What a customer is told of the wait for a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Outlook {
    /// How many stood before them; none where it is not said.
    pub ahead: Option<u32>,
    /// How long it will take in four cases of five; none if that is not known.
    pub wait: Option<Span>,
}

/// Why a contact goes back from self-service to the agents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ReturnedBecause {
    /// The customer asked for a person.
    Asked,
    /// Injury or exposure.
    Safety,
    /// No answer is near enough.
    NoAnswer,
    /// It was answered as often as a machine may.
    AnsweredEnough,
    /// The reader of words did not answer in time.
    Late,
    /// The customer said nothing for long.
    Silence,
    /// No key, or one that means nothing, as often as it was asked.
    NoKey,
    /// The check cannot tell: a person will look.
    CannotTell,
    /// It stayed as long as it may.
    TimeLimit,
    /// The gateway could not say a text.
    Gateway,
    /// The recall ended, or agents are to take everything.
    Ended,
    /// A supervisor took it out.
    Supervisor,
    /// What the customer said is secret: no machine may read it.
    Secret,
}

impl ReturnedBecause {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Asked,
        Self::Safety,
        Self::NoAnswer,
        Self::AnsweredEnough,
        Self::Late,
        Self::Silence,
        Self::NoKey,
        Self::CannotTell,
        Self::TimeLimit,
        Self::Gateway,
        Self::Ended,
        Self::Supervisor,
        Self::Secret,
    ];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Safety => "safety",
            Self::NoAnswer => "no_answer",
            Self::AnsweredEnough => "answered_enough",
            Self::Late => "late",
            Self::Silence => "silence",
            Self::NoKey => "no_key",
            Self::CannotTell => "cannot_tell",
            Self::TimeLimit => "time_limit",
            Self::Gateway => "gateway",
            Self::Ended => "ended",
            Self::Supervisor => "supervisor",
            Self::Secret => "secret",
        }
    }
}

/// What self-service may not do with a contact again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Machine {
    /// It was there and came back: one bounce at most. That its tier closed is
    /// no bounce of one who was told nothing there yet.
    pub bounced: bool,
    /// It came back while it was asked for injury: a late yes still counts.
    pub injury_asked: bool,
    /// It goes on from another contact, whose key it has.
    pub follow_up: bool,
    /// The customer asked for a person.
    pub refused: bool,
    /// A call was offered: nobody is offered one twice.
    pub offered: bool,
}
