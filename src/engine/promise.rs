//! What is owed to customers by a time, and work to make good: values, and the store of both.
//!
//! Promises are counted by themselves: made = kept + open + broken, whatever becomes of
//! contacts. What follows when one falls due is decided in [`super::decide`]; words, notes
//! and numbers ride sealed and are not in here.

use std::collections::{BTreeMap, BTreeSet};

use super::callback::CallHours;
use super::store::hash_of;
use super::words::{Channel, Language};
use crate::ids::{
    AgentId, ContactId, CustomerId, EntryPointId, GatewayId, PromiseId, QueueId, RecoveryId,
};
use crate::time::{EngineTime, Span};

/// Most promises, and most recoveries, open at once: more than a day of a large center, in
/// 20 MiB.
pub const MOST_OPEN: usize = 100_000;
/// How far ahead something may be promised.
pub const MOST_PROMISED: Span = Span::seconds(90 * 24 * 3600);
/// The largest remedy, in cents.
pub const MOST_REMEDY: u64 = 100_000_000;

/// How promises are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PromiseSettings {
    /// Follow-ups that become work in an hour, 1 to 100,000: they must be no surge of their own.
    pub follow_ups_per_hour: u32,
    /// How long before it is due a follow-up becomes work.
    pub lead: Span,
}

impl Default for PromiseSettings {
    fn default() -> Self {
        Self { follow_ups_per_hour: 600, lead: Span::seconds(900) }
    }
}

impl PromiseSettings {
    /// Between two follow-ups.
    #[must_use]
    pub fn apart(&self) -> Span {
        Span(Span::seconds(3600).0 / u64::from(self.follow_ups_per_hour.max(1)))
    }
}

/// What is owed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PromiseKind {
    /// We call you.
    Callback,
    /// You hear from us about this: by telephone if it was a call, in writing if not.
    FollowUp,
    /// You get a written answer.
    Reply,
}

impl PromiseKind {
    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 3] = [Self::Callback, Self::FollowUp, Self::Reply];

    /// Position in a table by kind.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::FollowUp => "follow_up",
            Self::Reply => "reply",
        }
    }
}

/// Something owed to a customer by a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Promise {
    /// Which.
    pub id: PromiseId,
    /// The contact in which it was made.
    pub contact: ContactId,
    /// To whom, if they are known.
    pub customer: Option<CustomerId>,
    /// What.
    pub kind: PromiseKind,
    /// Who made it and has it first when it becomes work.
    pub owner: Option<AgentId>,
    /// When it was made.
    pub made: EngineTime,
    /// By when it is due; none where no time could be promised.
    pub due: Option<EngineTime>,
    /// At which hours the customer may be called.
    pub hours: Option<CallHours>,
    /// Where it is.
    pub stage: Stage,
    /// Whether it came in time.
    pub punctual: Punctual,
    /// By what the contact is made that keeps it.
    pub of: Of,
}

/// What a new contact needs to know of the one in which it was promised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Of {
    /// The gateway that held it.
    pub gateway: GatewayId,
    /// How they reached us.
    pub channel: Channel,
    /// Its queue.
    pub queue: QueueId,
    /// Where they came in.
    pub entry_point: Option<EntryPointId>,
    /// The language that they are known to use.
    pub language: Option<Language>,
    /// Their number is known and confirmed.
    pub callable: bool,
}

/// Where a promise is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// Not yet work.
    Waiting {
        /// Until when.
        until: EngineTime,
        /// The budget had no room before: it has a turn of its own then.
        turn: bool,
    },
    /// It is to become work, and the conversation in which it was made still goes on: when
    /// that is over.
    Talking,
    /// This contact keeps it.
    Working(ContactId),
    /// Done.
    Kept,
    /// It will not be.
    Broken,
}

/// Whether a promise came in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Punctual {
    /// It is not due yet.
    Open,
    /// It did.
    InTime,
    /// It did not, whatever becomes of it.
    Late,
}

impl Promise {
    /// When something is due for it.
    #[must_use]
    pub fn wakes(&self) -> Option<EngineTime> {
        match self.stage {
            Stage::Waiting { until, .. } => Some(until),
            Stage::Talking | Stage::Working(_) => {
                self.due.filter(|_| self.punctual == Punctual::Open)
            }
            Stage::Kept | Stage::Broken => None,
        }
    }
}

/// Promises by what became of them; made = kept + open + broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct PromiseCounts {
    /// Ever made.
    pub made: u64,
    /// Kept, in time or late.
    pub kept: u64,
    /// Not kept, and never will be.
    pub broken: u64,
    /// Of all that were made, those that were late or are.
    pub late: u64,
    /// How long those that were kept had waited for it, added up.
    pub waited: Span,
}

/// Work to make good. The customer's words and the note ride sealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Recovery {
    /// Which.
    pub id: RecoveryId,
    /// The contact in which it was opened.
    pub contact: ContactId,
    /// For whom, if they are known.
    pub customer: Option<CustomerId>,
    /// The agent who leads it.
    pub owner: AgentId,
    /// The remedy, in cents; 0 for one that is not money.
    pub remedy: u64,
    /// The remedy is within the owner's authority, or a supervisor approved it.
    pub approved: bool,
    /// When it was opened.
    pub opened: EngineTime,
    /// By when it is due.
    pub due: EngineTime,
    /// Where it is.
    pub state: RecoveryState,
}

/// Where a recovery is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RecoveryState {
    /// To be done.
    Open,
    /// To be done, and late.
    Overdue,
    /// Done.
    Done,
}

impl RecoveryState {
    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Done => "done",
        }
    }
}

impl Recovery {
    /// When it becomes overdue.
    #[must_use]
    pub fn wakes(&self) -> Option<EngineTime> {
        (self.state == RecoveryState::Open).then_some(self.due)
    }
}

/// Recoveries by what became of them; opened = done + open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct RecoveryCounts {
    /// Ever opened.
    pub opened: u64,
    /// Done.
    pub done: u64,
    /// Of all that were opened, those that became overdue.
    pub overdue: u64,
}

/// What was counted of promises and recoveries, never made again.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct OwedCounts {
    /// By [`PromiseKind::index`].
    pub promises: [PromiseCounts; 3],
    /// Recoveries.
    pub recoveries: RecoveryCounts,
    /// The last promise's id.
    pub last_promise: u64,
    /// The last recovery's id.
    pub last_recovery: u64,
    /// When the budget has room for the next follow-up.
    pub next_follow_up: EngineTime,
    /// When a queue's next lost call becomes due, where that is not at once.
    pub next_lost: BTreeMap<QueueId, EngineTime>,
}

/// Open promises and recoveries, by id.
#[derive(Debug, Default)]
pub(crate) struct Owed {
    promises: BTreeMap<PromiseId, Promise>,
    recoveries: BTreeMap<RecoveryId, Recovery>,
    /// Promises by the contact in which they were made. Made from them.
    made_in: BTreeSet<(ContactId, PromiseId)>,
    /// Of them, those in [`Stage::Talking`].
    talking: usize,
    pub(crate) counts: OwedCounts,
    hash: u64,
}

impl Owed {
    pub(crate) fn promises(&self) -> &BTreeMap<PromiseId, Promise> {
        &self.promises
    }

    pub(crate) fn recoveries(&self) -> &BTreeMap<RecoveryId, Recovery> {
        &self.recoveries
    }

    /// Whether any promise waits for the conversation in which it was made to end.
    pub(crate) fn any_talking(&self) -> bool {
        self.talking > 0
    }

    /// Open promises that were made in a contact, in that order.
    pub(crate) fn made_in(&self, contact: ContactId) -> Vec<Promise> {
        let ids = self.made_in.range((contact, PromiseId(0))..=(contact, PromiseId(u64::MAX)));
        ids.filter_map(|(_, id)| self.promises.get(id).copied()).collect()
    }

    /// Puts a promise in place of what it was. One that is over goes.
    pub(crate) fn put(&mut self, p: Promise) -> Option<Promise> {
        let before = self.promises.remove(&p.id);
        let hash = |p: &Promise| hash_of(p);
        self.hash ^= before.as_ref().map_or(0, hash);
        if let Some(before) = &before {
            self.made_in.remove(&(before.contact, before.id));
            self.talking -= usize::from(before.stage == Stage::Talking);
        }
        if !matches!(p.stage, Stage::Kept | Stage::Broken) {
            self.hash ^= hash(&p);
            self.made_in.insert((p.contact, p.id));
            self.talking += usize::from(p.stage == Stage::Talking);
            self.promises.insert(p.id, p);
        }
        before
    }

    /// Puts a recovery in place of what it was. One that is done goes.
    pub(crate) fn put_recovery(&mut self, r: Recovery) -> Option<Recovery> {
        let before = self.recoveries.remove(&r.id);
        let hash = |r: &Recovery| hash_of(r);
        self.hash ^= before.as_ref().map_or(0, hash);
        if r.state != RecoveryState::Done {
            self.hash ^= hash(&r);
            self.recoveries.insert(r.id, r);
        }
        before
    }

    /// Its part of the state hash.
    pub(crate) fn hash(&self) -> u64 {
        self.hash ^ hash_of(&self.counts)
    }

    /// Whether the hash and the index are those of what is in it, for checking.
    pub(crate) fn is_hashed(&self) -> bool {
        let promises = self.promises.values().map(hash_of);
        let recoveries = self.recoveries.values().map(hash_of);
        let talking = self.promises.values().filter(|p| p.stage == Stage::Talking).count();
        self.hash == promises.chain(recoveries).fold(0, |a, b| a ^ b)
            && self.talking == talking
            && self.made_in == self.promises.values().map(|p| (p.contact, p.id)).collect()
    }
}
