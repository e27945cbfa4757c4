//! What is owed to customers by a time, and work to make good: values, and the store of both.
//!
//! Promises are counted by themselves: made = kept + open + broken, whatever becomes of
//! contacts. What follows when one falls due is decided in [`super::decide`]; words, notes
//! and numbers ride sealed and are not in here.

use std::collections::{BTreeMap, BTreeSet};

use super::callback::CallHours;
use super::contact::Contact;
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
/// Promises told with an offer, recoveries told as a session begins: the first. The rest are
/// listed.
pub const MOST_TOLD: usize = 16;
/// The longest before it is due that the owner of a recovery is reminded.
const REMINDED: Span = Span::seconds(3_600);
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
    /// The agent who leads it; none until a supervisor names one.
    pub owner: Option<AgentId>,
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
    /// To be done, and due soon: its owner was reminded.
    Soon,
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
            Self::Soon => "due_soon",
            Self::Overdue => "overdue",
            Self::Done => "done",
        }
    }
}

impl Recovery {
    /// When something is due for it.
    #[must_use]
    pub fn wakes(&self) -> Option<EngineTime> {
        match self.state {
            RecoveryState::Open => Some(self.soon()),
            RecoveryState::Soon => Some(self.due),
            RecoveryState::Overdue | RecoveryState::Done => None,
        }
    }

    /// When its owner is reminded: after three quarters of the time that there was for it, an
    /// hour before it is due at the earliest.
    #[must_use]
    pub fn soon(&self) -> EngineTime {
        self.due - Span(self.due.since(self.opened).0 / 4).min(REMINDED)
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

    // Made from the above.
    found: Found,
}

/// By what promises and recoveries are found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Promises by whom they were made to.
    to: BTreeSet<(Whom, PromiseId)>,
    /// Recoveries by who leads them, those that are due first in front.
    led: BTreeSet<(AgentId, EngineTime, RecoveryId)>,
    /// Recoveries by the contact in which they were opened.
    about: BTreeSet<(ContactId, RecoveryId)>,
    /// Of them those that are overdue.
    overdue: u64,
    /// And those that nobody leads.
    unled: u64,
}

/// To whom something is owed: a customer, or whoever is at the end of a contact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Whom {
    Customer(CustomerId),
    Contact(ContactId),
}

impl Found {
    fn promise(p: &Promise) -> (Whom, PromiseId) {
        (p.customer.map_or(Whom::Contact(p.contact), Whom::Customer), p.id)
    }

    fn enter(&mut self, r: &Recovery) {
        self.led.extend(r.owner.map(|owner| (owner, r.due, r.id)));
        self.about.insert((r.contact, r.id));
        self.overdue += u64::from(r.state == RecoveryState::Overdue);
        self.unled += u64::from(r.owner.is_none());
    }

    fn leave(&mut self, r: &Recovery) {
        if let Some(owner) = r.owner {
            self.led.remove(&(owner, r.due, r.id));
        }
        self.about.remove(&(r.contact, r.id));
        self.overdue -= u64::from(r.state == RecoveryState::Overdue);
        self.unled -= u64::from(r.owner.is_none());
    }
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
            self.found.to.remove(&Found::promise(before));
        }
        if !matches!(p.stage, Stage::Kept | Stage::Broken) {
            self.hash ^= hash(&p);
            self.made_in.insert((p.contact, p.id));
            self.talking += usize::from(p.stage == Stage::Talking);
            self.found.to.insert(Found::promise(&p));
            self.promises.insert(p.id, p);
        }
        before
    }

    /// Puts a recovery in place of what it was. One that is done goes.
    pub(crate) fn put_recovery(&mut self, r: Recovery) -> Option<Recovery> {
        let before = self.recoveries.remove(&r.id);
        let hash = |r: &Recovery| hash_of(r);
        self.hash ^= before.as_ref().map_or(0, hash);
        if let Some(before) = &before {
            self.found.leave(before);
        }
        if r.state != RecoveryState::Done {
            self.hash ^= hash(&r);
            self.found.enter(&r);
            self.recoveries.insert(r.id, r);
        }
        before
    }

    /// What is owed to a contact's customer, in the order in which it was promised: at most
    /// [`MOST_TOLD`].
    pub(crate) fn outstanding(&self, c: &Contact) -> Vec<Promise> {
        let earlier = c.continues.map(Whom::Contact);
        let all = c.customer.map(Whom::Customer).into_iter().chain(earlier);
        let mut ids: BTreeSet<PromiseId> = c.owed.into_iter().collect();
        for whom in all.chain([Whom::Contact(c.id)]) {
            let of = (whom, PromiseId(0))..=(whom, PromiseId(u64::MAX));
            ids.extend(self.found.to.range(of).map(|(_, id)| *id).take(MOST_TOLD));
        }
        ids.iter().take(MOST_TOLD).filter_map(|id| self.promises.get(id).copied()).collect()
    }

    /// Open promises to a customer, at most [`MOST_TOLD`].
    pub(crate) fn to(&self, customer: CustomerId) -> impl Iterator<Item = &Promise> {
        let whom = Whom::Customer(customer);
        let of = self.found.to.range((whom, PromiseId(0))..=(whom, PromiseId(u64::MAX)));
        of.take(MOST_TOLD).filter_map(|(_, id)| self.promises.get(id))
    }

    /// What an agent leads, what is due first in front.
    pub(crate) fn led_by(&self, agent: AgentId) -> impl Iterator<Item = &Recovery> {
        let first = (agent, EngineTime::ZERO, RecoveryId(0));
        let of = self.found.led.range(first..).take_while(move |(owner, ..)| *owner == agent);
        of.filter_map(|(_, _, id)| self.recoveries.get(id))
    }

    /// How many recoveries are overdue.
    pub(crate) fn overdue(&self) -> u64 {
        self.found.overdue
    }

    /// How many recoveries nobody leads.
    pub(crate) fn unled(&self) -> u64 {
        self.found.unled
    }

    /// Whether there is work to make good for what happened in a contact.
    pub(crate) fn makes_good(&self, contact: ContactId) -> bool {
        self.found
            .about
            .range((contact, RecoveryId(0))..)
            .next()
            .is_some_and(|(c, _)| *c == contact)
    }

    /// Whether everything is found, for checking.
    pub(crate) fn is_found(&self) -> bool {
        let mut found = Found::default();
        found.to.extend(self.promises.values().map(Found::promise));
        self.recoveries.values().for_each(|r| found.enter(r));
        found == self.found
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
