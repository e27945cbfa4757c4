//! The value that a playbook file becomes: everything that is said and done in a recall.
//!
//! Owned by whoever holds it; it never changes, for a change is another playbook with
//! another version. It holds names of queues, pools and entry points as written: whether a
//! router has them is asked when a recall starts.

mod channels;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::language::Language;
use super::lots::LotRule;
use crate::engine::words::Channel;

/// One text in the playbook's languages: one each, none empty.
pub type Texts = BTreeMap<Language, Box<str>>;

/// A whole playbook, free of errors.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Playbook {
    /// What people call it, 1 to 200 characters.
    pub title: Box<str>,
    /// Made for one recall, or for any.
    pub kind: Kind,
    /// How bad the hazard is.
    pub severity: Severity,
    /// The languages it speaks, at least one; the first is spoken to whoever speaks none of them.
    pub languages: Vec<Language>,
    /// Days from the start of a recall to its end, unless it is extended: 1 to 90.
    pub expires_after_days: u8,
    /// What a generic playbook still has to be told, in order; texts have `{slot}` there.
    /// Always empty in a specific one.
    pub open_slots: Vec<Slot>,
    /// What the recall is about.
    pub scope: Scope,
    /// What is said, by channel and language.
    pub messages: Vec<Message>,
    /// Said at once when the faq tier takes a contact: that it is automatic, that a person is
    /// there, what to stop. May have `{wait}`.
    pub acknowledgement: Texts,
    /// What is asked often; ids are unique.
    pub faq: Vec<FaqEntry>,
    /// What callers hear; none if the playbook has no ivr tier.
    pub ivr: Option<Menu>,
    /// Words that class a text, by language: one entry for each language.
    pub triage: BTreeMap<Language, TriageWords>,
    /// What agents say.
    pub agent_script: Texts,
    /// The tiers.
    pub tiers: Tiers,
    /// The class that self-service never touches.
    pub safety: SafetyLane,
    /// By what a level moves that is left free; none if the playbook does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
}

/// By what a level moves that is left free.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Control {
    /// Seconds of wait of the next caller beyond which elevated, surge and critical are wanted,
    /// 1 to 3,600 each.
    pub wait_s: [u32; 3],
    /// Seconds for which each has to be wanted without a break, 1 to 3,600.
    pub held_s: [u32; 3],
    /// The load beyond which they are wanted, in thousandths of what agents take: 0 to 60,000.
    pub load_thousandths: u32,
    /// The load below which one may be left, in thousandths, below the one above.
    pub release_thousandths: u32,
    /// The use of a gateway's limits beyond which they are wanted, in thousandths: 0 to 1000.
    pub gateway_thousandths: u32,
    /// Seconds for which nothing may press before one is left, 1 to 3,600.
    pub leave_after_s: u32,
    /// Not below, unless whoever frees the level says so.
    pub lowest: FreeLevel,
    /// Not above, unless whoever frees the level says so; elevated at least.
    pub highest: FreeLevel,
}

/// A level at which one that is left free can be, lowest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreeLevel {
    /// Agents take everything.
    Normal,
    /// The wave is over; what opens at elevated stays open.
    Tail,
    /// More than usual.
    Elevated,
    /// More than the agents can take.
    Surge,
    /// Far more.
    Critical,
}

impl FreeLevel {
    /// All of them, lowest first.
    pub const ALL: [Self; 5] =
        [Self::Normal, Self::Tail, Self::Elevated, Self::Surge, Self::Critical];
    /// The words for them, in that order.
    pub const NAMES: &'static [&'static str] = &["normal", "tail", "elevated", "surge", "critical"];
}

/// Whether a playbook was made for one recall.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// For any: its slots are filled on the day.
    Generic,
    /// For one.
    Specific,
}

/// How bad the hazard is, mildest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Unlikely to hurt anyone.
    Low,
    /// May hurt for a time.
    Moderate,
    /// May hurt badly or kill.
    High,
}

impl Severity {
    /// The words for it in the file, mildest first.
    pub const NAMES: &'static [&'static str] = &["low", "moderate", "high"];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// What is filled in on the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The product, as customers call it.
    Product,
    /// The company, as customers know it.
    Company,
    /// What may happen.
    Hazard,
    /// What to do at once.
    Advice,
    /// A telephone number for customers.
    Phone,
    /// A page for customers.
    Website,
    /// When more is told.
    NextUpdate,
}

impl Slot {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Product,
        Self::Company,
        Self::Hazard,
        Self::Advice,
        Self::Phone,
        Self::Website,
        Self::NextUpdate,
    ];

    /// The word for it, in braces in a text and as a field of `[slots]`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Company => "company",
            Self::Hazard => "hazard",
            Self::Advice => "advice",
            Self::Phone => "phone",
            Self::Website => "website",
            Self::NextUpdate => "next_update",
        }
    }
}

/// What a recall is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Scope {
    /// Names of the router's entry points; contacts that come in there are the recall's.
    pub entry_points: Vec<Box<str>>,
    /// The products; names are unique.
    pub products: Vec<Product>,
    /// The affected lots; none in a generic playbook that has yet to be told.
    pub lots: Vec<LotRule>,
}

/// A product.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Product {
    /// Its name in the file.
    pub name: Box<str>,
    /// What customers call it.
    pub says: Texts,
}

/// The recall message on some channels in one language. Every part may be said alone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Its id, unique in the playbook.
    pub id: Box<str>,
    /// The channels that it is written for; never empty.
    #[serde(with = "channels")]
    pub channels: Vec<Channel>,
    /// Its language.
    pub language: Language,
    /// What is known.
    pub known: Box<str>,
    /// What is not yet known.
    pub not_yet_known: Box<str>,
    /// What to do now.
    pub do_now: Box<str>,
    /// When the next update comes.
    pub next_update: Box<str>,
}

/// A question that is asked often.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FaqEntry {
    /// Its id.
    pub id: Box<str>,
    /// Its words, in every language of the playbook.
    pub says: BTreeMap<Language, FaqTexts>,
}

/// A FAQ entry in one language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FaqTexts {
    /// The question as the company puts it.
    pub question: Box<str>,
    /// The answer.
    pub answer: Box<str>,
    /// What to do until more is known: stop-use advice, told with the answer.
    pub interim: Option<Box<str>>,
    /// How customers put the question: what the search learns from.
    pub examples: Vec<Box<str>>,
}

/// What callers hear, in this order: greeting and message, the injury question, the options.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Menu {
    /// How often a question is put again before a person takes the call: 0 to 3.
    pub repeats: u8,
    /// Seconds to wait for a key: 3 to 30.
    pub key_timeout_s: u8,
    /// Who speaks and that it is automatic; says that `0` is a person.
    pub greeting: Texts,
    /// Asked before anything else.
    pub injury: InjuryQuestion,
    /// Affected or not.
    pub lot_check: LotQuestion,
    /// What may be chosen then; keys are unique and none is `0`.
    pub options: Vec<MenuOption>,
    /// Said on the way to a person.
    pub person: Texts,
    /// Said at the end.
    pub goodbye: Texts,
}

/// The question for injury or exposure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InjuryQuestion {
    /// The key for yes, `1` to `9`: to a person, first in line.
    pub yes: char,
    /// The key for no, another of `1` to `9`.
    pub no: char,
    /// The question.
    pub says: Texts,
}

/// The affected-or-not check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LotQuestion {
    /// Asks for the lot and says where it stands; the end of input is `#`.
    pub says: Texts,
    /// Said of an affected lot. May have `{lot}`, as the three below it.
    pub affected: Texts,
    /// Said of a lot that is not affected.
    pub not_affected: Texts,
    /// Said when it cannot be told: a person will look.
    pub cannot_tell: Texts,
}

/// An option of the menu.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MenuOption {
    /// Its key, `1` to `9`.
    pub key: char,
    /// What it does.
    pub does: Choice,
    /// What is said of it.
    pub says: Texts,
}

/// What an option of the menu does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The recall message once more.
    Message,
    /// The affected-or-not check.
    LotCheck,
    /// The answer of the FAQ entry with this id.
    Faq(Box<str>),
}

/// Words that class a text in one language. One or more words each; forms and, in long words,
/// misspellings are found by themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TriageWords {
    /// Of someone hurt.
    pub injury: Vec<Box<str>>,
    /// Of someone who may have been reached by the hazard.
    pub exposure: Vec<Box<str>>,
    /// Of someone who wants a person.
    pub person: Vec<Box<str>>,
    /// What looks like one of the above and is not, such as "burning question". Never a negation.
    pub unless: Vec<Box<str>>,
}

/// How urgent a recall is, in order. [`Level::Elevated`] and up can open a tier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// More than usual.
    Elevated,
    /// More than the agents can take.
    Surge,
    /// Far more.
    Critical,
}

impl Level {
    /// The words for them, in order.
    pub const NAMES: &'static [&'static str] = &["elevated", "surge", "critical"];
}

/// The tiers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tiers {
    /// On chat, email and message; none if the playbook does not use it.
    pub faq: Option<FaqTier>,
    /// On voice; there exactly if the playbook has a menu.
    pub ivr: Option<IvrTier>,
    /// Calls that are offered; none if the playbook offers none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<CallbackTier>,
    /// Partners; none if none join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<PartnerTier>,
    /// Seconds: who will probably be served within this time is left in line, 0 to 600.
    pub soon_s: u32,
}

/// How the faq tier works.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FaqTier {
    /// The level from which it takes contacts.
    pub from: Level,
    /// Contacts at once, 1 to 1,000,000.
    pub capacity: u32,
    /// Least score of an answer, in thousandths: 0 to 1000.
    pub floor_thousandths: u16,
    /// Seconds from a question to its answer on chat, 0 to 600.
    pub chat_pacing_s: u32,
    /// The same on email, 0 to 86,400.
    pub email_pacing_s: u32,
    /// The same on message, 0 to 3,600.
    pub message_pacing_s: u32,
    /// Seconds of a customer's silence on chat after which the contact goes back, 30 to
    /// 604,800.
    pub chat_silence_s: u32,
    /// The same on email.
    pub email_silence_s: u32,
    /// The same on message.
    pub message_silence_s: u32,
    /// Seconds that a chat stays at most, 60 to 604,800 and no fewer than its silence.
    pub chat_time_limit_s: u32,
    /// The same of an email.
    pub email_time_limit_s: u32,
    /// The same of a message.
    pub message_time_limit_s: u32,
}

/// How the ivr tier works.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IvrTier {
    /// The level from which it takes calls.
    pub from: Level,
    /// Seconds that a call stays at most, 30 to 3,600.
    pub time_limit_s: u32,
    /// Calls at once, 1 to 100,000.
    pub ports: u32,
}

/// How the callback tier works.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CallbackTier {
    /// The level from which it offers.
    pub from: Level,
    /// Seconds: offered to whom longer than this is expected to wait, 0 to 7,200.
    pub offer_after_s: u32,
    /// Seconds from accepting to being called at the latest, 900 to 86,400.
    pub within_s: u32,
    /// Open callbacks and offers at once, 1 to 1,000,000.
    pub capacity: u32,
    /// Seconds that a customer has to answer an offer, 5 to 300.
    pub accept_within_s: u32,
}

/// How partners work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartnerTier {
    /// The level from which they are called.
    pub from: Level,
    /// Names of their pools; never empty.
    pub pools: Vec<Box<str>>,
    /// Seconds from their being called to their joining, 0 to 86,400.
    pub lead_s: u32,
    /// The part of the recall's contacts that they may take, per cent, 1 to 100.
    pub share: u8,
    /// Contacts that they have at once, 0 to 1,000,000; 0 for no limit.
    pub capacity: u32,
    /// The channels that they take; never empty.
    #[serde(with = "channels")]
    pub takes: Vec<Channel>,
    /// Whether they make callbacks.
    pub callbacks: bool,
}

/// The class that self-service never touches.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SafetyLane {
    /// Name of the queue in which safety contacts wait.
    pub queue: Box<str>,
    /// The agents kept for it.
    pub kept: Kept,
    /// A telephone number outside the router, as dialled, or the name of one of the
    /// configuration's externals.
    pub external: Option<Box<str>>,
    /// What is done for those who wait, where it is said.
    #[serde(flatten)]
    pub late: Late,
}

/// What is done for a safety contact that nobody answers: seconds from when it began to wait.
/// What is not said is not in the canonical form either, so that older playbooks keep theirs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Late {
    /// Within this time it should be answered, 1 to 3,600; 30 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_s: Option<u32>,
    /// After this any agent may have it, 1 to 3,600; the target where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_agent_after_s: Option<u32>,
    /// After this it goes to the number outside, 1 to 3,600; twice the target where it is not
    /// said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_after_s: Option<u32>,
    /// After this people are paged, 1 to 3,600; with the number outside where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_after_s: Option<u32>,
    /// How often they are paged again, 60 to 3,600; 600 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_repeat_s: Option<u32>,
}

/// Agents kept for the safety lane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// All of a pool.
    Pool(Box<str>),
    /// These; never empty.
    Agents(Vec<Box<str>>),
}
