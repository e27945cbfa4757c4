//! A recall as the engine knows one: the part of a playbook that decisions are made by,
//! the level it is at, and how its tiers of self-service stand.
//!
//! Values only. No words are in here: a text is named, and whoever speaks to the customer
//! looks it up in the playbook, whose canonical form rides along unread. The files that
//! people write are `recall`'s business.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::words::{Channel, Language};
use crate::ids::{AgentId, AskId, EntryPointId, QueueId, RecallId};
use crate::time::{EngineTime, Span};

/// Most recalls in force at once.
pub const MOST_RECALLS: usize = 8;
/// Recalls that are over and still shown.
pub const MOST_OVER: usize = 16;
/// Longest canonical form of a playbook, bytes: it rides in one journal entry.
pub const MOST_PLAYBOOK: usize = 1 << 20;
/// The longest that a recall may be in force without being extended.
pub const MOST_LASTING: Span = Span::seconds(90 * 24 * 3600);
/// Keys pressed that one report may carry.
pub const MOST_KEYS_PRESSED: usize = 64;
/// Answers that the faq tier gives one contact; whoever asks more needs a person.
pub const MOST_ANSWERS: u8 = 3;
/// How long the reader of words may take. Late or lost, the contact goes to a person.
pub const READ_WITHIN: Span = Span::seconds(10);
/// What an affected lot is worth in line: priority is time.
pub const AFFECTED_HEAD_START: Span = Span::seconds(600);
/// Effects that a gateway may have unreported before no more contacts are moved to
/// self-service on it: what it carries, it reports.
pub const EFFECT_WINDOW: u32 = 4_096;

/// How much of the overflow is taken from the agents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Agents take everything; triage, the safety lane and the agents' script are in force.
    Normal,
    /// The wave is over; tiers that open at `Elevated` still take contacts.
    Tail,
    /// More than usual.
    Elevated,
    /// More than the agents can take.
    Surge,
    /// Far more.
    Critical,
}

impl Level {
    /// All of them, in order of how much self-service takes.
    pub const ALL: [Self; 5] =
        [Self::Normal, Self::Tail, Self::Elevated, Self::Surge, Self::Critical];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Tail => "tail",
            Self::Elevated => "elevated",
            Self::Surge => "surge",
            Self::Critical => "critical",
        }
    }

    /// Whether a tier that opens at `from` takes contacts at this level.
    #[must_use]
    pub fn opens(self, from: Self) -> bool {
        match self {
            Self::Normal => false,
            Self::Tail => from <= Self::Elevated,
            _ => from <= self,
        }
    }
}

/// Who takes contacts instead of an agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tier {
    /// Answers from the playbook, on chat, email and message.
    Faq,
    /// A recorded menu, on voice.
    Ivr,
}

impl Tier {
    /// All of them, in the order of [`Tier::index`].
    pub const ALL: [Self; 2] = [Self::Faq, Self::Ivr];

    /// Position in a table by tier.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The tier for a channel.
    #[must_use]
    pub const fn of(channel: Channel) -> Self {
        match channel {
            Channel::Voice => Self::Ivr,
            Channel::Chat | Channel::Email | Channel::Message => Self::Faq,
        }
    }

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Faq => "faq",
            Self::Ivr => "ivr",
        }
    }
}

/// What the engine decides a recall by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What people call the playbook.
    pub title: Arc<str>,
    /// Which playbook: the BLAKE3 hash of its canonical form.
    pub version: [u8; 32],
    /// The canonical form, for those who speak to customers. The engine never reads it.
    pub playbook: Arc<[u8]>,
    /// Where its contacts come in, sorted.
    pub scope: Vec<EntryPointId>,
    /// How the faq tier works; none if there is none.
    pub faq: Option<FaqPlan>,
    /// How the ivr tier works; none if there is none.
    pub ivr: Option<IvrPlan>,
    /// The safety lane.
    pub safety: SafetyPlan,
    /// Who will probably be served within this time is left in line.
    pub soon: Span,
}

/// Everything else is in the playbook or, like the ids, in the routing that was in force.
impl Hash for Plan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.version.hash(state);
        self.scope.hash(state);
        self.safety.hash(state);
    }
}

impl Plan {
    /// The level from which a tier takes contacts, and how many at once; none if the
    /// playbook does not have it.
    #[must_use]
    pub fn tier(&self, tier: Tier) -> Option<(Level, u32)> {
        match tier {
            Tier::Faq => self.faq.as_ref().map(|t| (t.from, t.capacity)),
            Tier::Ivr => self.ivr.as_ref().map(|t| (t.from, t.ports)),
        }
    }
}

/// How the faq tier works.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FaqPlan {
    /// The level from which it takes contacts.
    pub from: Level,
    /// Contacts at once.
    pub capacity: u32,
    /// From a question to its answer, by [`Channel::index`].
    pub pacing: [Span; 4],
    /// A customer's silence after which the contact goes back or becomes a follow-up.
    pub silence: Span,
    /// How long a contact stays at most.
    pub time_limit: Span,
    /// Entries that the playbook has; an answer names one by its position.
    pub entries: u16,
}

/// How the ivr tier works.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IvrPlan {
    /// The level from which it takes calls.
    pub from: Level,
    /// Calls at once.
    pub ports: u32,
    /// How long a call stays at most.
    pub time_limit: Span,
    /// How often a question is put again before a person takes the call.
    pub repeats: u8,
    /// How long to wait for a key once the question was heard.
    pub key_timeout: Span,
    /// The key that says yes to the injury question, an ASCII digit.
    pub yes: u8,
    /// The key that says no to it.
    pub no: u8,
    /// What may be chosen: an ASCII digit each, none of them `0`.
    pub options: SmallVec<[(u8, Choice); 9]>,
}

/// What an option of the menu does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Choice {
    /// The recall message once more.
    Message,
    /// The affected-or-not check.
    LotCheck,
    /// The answer of this FAQ entry.
    Faq(u16),
}

/// The class that self-service never touches.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SafetyPlan {
    /// Where safety contacts wait, if that queue takes their channel.
    pub queue: QueueId,
    /// Agents kept for them, sorted.
    pub kept: Vec<AgentId>,
    /// There is a number outside the router for when nobody is there.
    pub external: bool,
}

/// A recall: a playbook in force.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Recall {
    /// Which.
    pub id: RecallId,
    /// What is decided by.
    pub plan: Arc<Plan>,
    /// Where it is.
    pub level: Level,
    /// Since when.
    pub since: EngineTime,
    /// When it was started.
    pub started: EngineTime,
    /// When it ends by itself.
    pub expires: EngineTime,
    /// Ended: it takes nobody any more and gives back whom it has.
    pub over: bool,
    /// How its tiers stand, by [`Tier::index`].
    pub tiers: [TierCounts; 2],
}

impl Recall {
    /// Whether a tier takes contacts now.
    #[must_use]
    pub fn is_open(&self, tier: Tier) -> bool {
        !self.over && self.plan.tier(tier).is_some_and(|(from, _)| self.level.opens(from))
    }

    /// Whether those in self-service are given back to the agents: at the end, and where
    /// agents are to take everything.
    #[must_use]
    pub fn gives_back(&self) -> bool {
        self.over || self.level == Level::Normal
    }

    /// Whether an entry point is in its scope.
    #[must_use]
    pub fn covers(&self, entry_point: EntryPointId) -> bool {
        self.plan.scope.binary_search(&entry_point).is_ok()
    }
}

/// How a tier stands. `entered = in_use + solved + informed + returned + followed_up + left`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct TierCounts {
    /// Contacts in it now.
    pub in_use: u32,
    /// Contacts that entered it.
    pub entered: u64,
    /// Closed on the customer's word.
    pub solved: u64,
    /// Left after a completed check or an answer.
    pub informed: u64,
    /// Gone back to the agents.
    pub returned: u64,
    /// Gone on as a linked follow-up.
    pub followed_up: u64,
    /// Ended in it in any other way.
    pub left: u64,
}

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

/// Where a conversation with self-service is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
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
            Self::Answering { at, .. } => Some(at),
            Self::Listening { until } => Some(until),
            Self::Asked { until, .. } => until,
            Self::Leaving { at } => at,
        }
    }

    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
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
}

impl ReturnedBecause {
    /// All of them.
    pub const ALL: [Self; 12] = [
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
        }
    }
}

/// What self-service may not do with a contact again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Machine {
    /// It was there and came back: one bounce at most.
    pub bounced: bool,
    /// The customer asked for a person.
    pub refused: bool,
}
