//! A recall as the engine knows one: the part of a playbook that decisions are made by,
//! the level it is at, and how its tiers of self-service stand.
//!
//! Values only. No words are in here: a text is named, and whoever speaks to the customer
//! looks it up in the playbook, whose canonical form rides along unread. The files that
//! people write are `recall`'s business.

mod breaker;
pub mod control;
mod heed;
mod lane;
pub mod law;
mod service;
mod tiers;
mod told;

pub(crate) use breaker::Outcome;
pub use breaker::{Breaker, Gate};
pub use heed::{Answer, Found, Heed, LotVerdict, TriageClass, Want, Wish};
pub use lane::{
    Alarm, AlarmStep, Lane, LatePlan, MOST_PAGES, OUTSIDE_AGAIN, Outside, PAGE_AGAIN, PAGED_WITHIN,
    Page, Paged, SafetyPlan,
};
pub use service::{
    Collect, Machine, Outlook, Question, ReturnedBecause, Say, SelfService, Step, Text,
};
pub use told::{Amends, MOST_LOTS_TOLD, MOST_RECHECKED, MOST_TOLD, Reach, Told};

use control::{Control, ControlPlan};
pub use tiers::{CallbackOffer, CallbackTier, PartnerTier, Partners};

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::words::Channel;
use crate::ids::{EntryPointId, RecallId};
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
/// Texts that a gateway may have unreported on chat, email and message before no more
/// contacts are moved to self-service on it: what it carries, it reports. Each comes with
/// half a message more, and all must fit into an outbox of 4,096.
pub const SAY_WINDOW: u32 = 1_024;

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
    /// A promised call, offered to those who wait on the line.
    Callback,
    /// Pools that join at a level.
    Partner,
}

impl Tier {
    /// All of them, in the order of [`Tier::index`].
    pub const ALL: [Self; 4] = [Self::Faq, Self::Ivr, Self::Callback, Self::Partner];
    /// Those in which a machine has the contact.
    pub const MACHINES: [Self; 2] = [Self::Faq, Self::Ivr];

    /// Position in a table by tier.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The machine for a channel.
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
            Self::Callback => "callback",
            Self::Partner => "partner",
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
    /// How calls are offered; none if they are not.
    pub callback: Option<CallbackTier>,
    /// How partners join; none if there are none.
    pub partner: Option<PartnerTier>,
    /// The safety lane.
    pub safety: SafetyPlan,
    /// Who will probably be served within this time is left in line.
    pub soon: Span,
    /// By what a free level moves; as it is without being said, if none.
    pub control: Option<ControlPlan>,
}

/// Everything else is in the playbook or, like the ids, in the routing that was in force.
impl Hash for Plan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.version.hash(state);
        self.scope.hash(state);
        self.safety.hash(state);
        self.control.hash(state);
    }
}

impl Plan {
    /// By what a free level moves.
    #[must_use]
    pub fn control(&self) -> ControlPlan {
        self.control.unwrap_or_default()
    }

    /// The level from which a tier takes contacts, and how many at once (`u32::MAX` for as
    /// many as come); none if the playbook does not have it.
    #[must_use]
    pub fn tier(&self, tier: Tier) -> Option<(Level, u32)> {
        match tier {
            Tier::Faq => self.faq.as_ref().map(|t| (t.from, t.capacity)),
            Tier::Ivr => self.ivr.as_ref().map(|t| (t.from, t.ports)),
            Tier::Callback => self.callback.as_ref().map(|t| (t.from, t.capacity)),
            Tier::Partner => self.partner.as_ref().map(|t| {
                let most = if t.capacity == 0 { u32::MAX } else { t.capacity };
                (t.from, most)
            }),
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
    /// A customer's silence after which the contact goes back or becomes a follow-up, by
    /// [`Channel::index`].
    pub silence: [Span; 4],
    /// How long a contact stays at most, by [`Channel::index`].
    pub time_limit: [Span; 4],
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
    /// It moves by itself, and how that stands; none where it is pinned.
    pub control: Option<Control>,
    /// How often the router raised it by itself.
    pub raised: u32,
    /// How often the router lowered it by itself.
    pub lowered: u32,
    /// When it was started.
    pub started: EngineTime,
    /// When it ends by itself.
    pub expires: EngineTime,
    /// Ended: it takes nobody any more and gives back whom it has.
    pub over: bool,
    /// How its tiers stand, by [`Tier::index`].
    pub tiers: [TierCounts; Tier::ALL.len()],
    /// Their breakers, by [`Tier::index`].
    pub breakers: [Breaker; Tier::ALL.len()],
    /// Where its partners are.
    pub partners: Partners,
    /// Whether people are called in for those who are hurt and wait too long.
    pub alarm: Alarm,
    /// What was amended, and who was told that they are not affected.
    pub amends: Amends,
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

    /// When its tiers turn to something by themselves.
    pub(crate) fn wakes(&self) -> Option<EngineTime> {
        let joins = match self.partners {
            Partners::Called { joins } => Some(joins),
            _ => None,
        };
        let opens = self.breakers.iter().filter_map(Breaker::wakes);
        if self.over { None } else { opens.chain(joins).min() }
    }

    /// Contacts that machines of this recall have now.
    #[must_use]
    pub fn in_machines(&self) -> u64 {
        Tier::MACHINES.into_iter().map(|t| u64::from(self.tiers[t.index()].in_use)).sum()
    }

    /// Whether an entry point is in its scope.
    #[must_use]
    pub fn covers(&self, entry_point: EntryPointId) -> bool {
        self.plan.scope.binary_search(&entry_point).is_ok()
    }
}

/// How a tier stands. `entered = in_use + solved + informed + returned + followed_up + left`.
///
/// Of the callback tier, `entered` are those who accepted an offer, `solved` those who were
/// reached. Of the partner tier, `entered` are contacts that were offered to a partner, `solved`
/// those that one completed, and `returned` those that went on to somebody else.
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
