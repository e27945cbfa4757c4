//! A queue's life beyond who serves it: its steps, its hours, what becomes of those who come
//! when it is closed or full, and what it tells them.
//!
//! Plain values of the configuration. [`super::decide`] goes by them; `docs/queues.md` says
//! what each is for. It decides nothing, reads no file and no clock: when a calendar opens is
//! worked out at the edge, and words are looked up there.

use std::sync::Arc;

use smallvec::SmallVec;

use super::routing::Name;
use super::words::{Channel, Language};
use crate::ids::{CalendarId, ExternalId, NoticeId, PoolId, QueueId};
use crate::time::Span;

/// Most steps of one queue.
pub const MOST_STEPS: usize = 8;

/// Some pools, sorted, each once.
pub type Pools = SmallVec<[PoolId; 4]>;

/// A stage of a queue's routing: what changes for one who has waited so long.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct QueueStep {
    /// How long after the contact first entered the queue, more than nothing. Steps are in
    /// this order, and no two have the same.
    pub after: Span,
    /// How far below what is required an agent's proficiency may be from now on. Never below
    /// 1: a skill that is needed stays needed.
    pub lower_proficiency: u8,
    /// What an agent should have, beyond what they must, no longer counts.
    pub drop_preferred: bool,
    /// Pools that may serve the contact too.
    pub add_pools: Pools,
    /// Added to the contact's head start.
    pub raise_priority: Span,
    /// Where the contact goes, if it can.
    pub overflow: Option<Overflow>,
    /// What the customer is told.
    pub tell: Option<NoticeId>,
}

/// Where a contact goes whom its queue does not serve.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Overflow {
    /// To another queue, its arrival kept.
    Queue(QueueId),
    /// To a number outside the router.
    External(ExternalId),
}

/// When a queue takes contacts, and what becomes of those whom it does not take.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct QueueLife {
    /// When it is open; none for always.
    pub hours: Option<CalendarId>,
    /// What becomes of those who come while it is closed.
    pub closed: Fallback,
    /// Most contacts on the line; 0 for any number.
    pub most_waiting: u32,
    /// What becomes of those who come beyond that.
    pub full: Fallback,
    /// How often those in line are told their position and wait; zero for never.
    pub updates: Span,
}

/// What becomes of one whom a queue does not take.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Fallback {
    /// What the customer is told.
    pub tell: Option<NoticeId>,
    /// What then happens.
    pub then: Then,
}

/// What happens to one whom a queue does not take. Whatever cannot be done, because a target
/// is closed itself or a text cannot be said, comes to waiting: nobody is dropped in silence.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Then {
    /// Waits, at its place.
    #[default]
    Wait,
    /// Is called back; waits where that cannot be. The configuration refuses it for a queue
    /// that makes no callbacks.
    Callback,
    /// Goes elsewhere.
    Overflow(Overflow),
    /// Ends, once it was told why. Contacts about safety wait instead.
    Close,
}

impl Then {
    /// The words for them in the configuration; `external` is an overflow to outside.
    pub const WORDS: &'static [&'static str] =
        &["wait", "callback", "overflow", "external", "close"];
}

/// When something is open, by the clock on a wall. The engine never reads it: the edge does,
/// and enters what it means now.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Calendar {
    /// Its name, unique among calendars.
    pub name: Name,
    /// No longer in the configuration.
    pub retired: bool,
    /// The time zone's name in the IANA database.
    pub zone: Arc<str>,
    /// When it opens and closes in every week, sorted; minutes since Monday 0:00. One that
    /// ends after its week goes on into the next.
    pub week: Vec<Opening>,
    /// Days that are other than their weekday, sorted by date, each once.
    pub holidays: Vec<Holiday>,
}

/// From when to when, in minutes; the end is no longer part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Opening {
    /// First minute.
    pub from: u16,
    /// The minute after the last.
    pub to: u16,
}

/// A day with hours of its own.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Holiday {
    /// Year, month and day.
    pub date: (i16, u8, u8),
    /// What people call it.
    pub name: Name,
    /// When it is open all the same, in minutes since midnight, sorted. One that ends after
    /// midnight goes on into the next day.
    pub open: Vec<Opening>,
}

/// A destination outside the router.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct External {
    /// Its name, unique among them.
    pub name: Name,
    /// No longer in the configuration.
    pub retired: bool,
    /// Its number or address by [`Channel::index`]; none where it cannot be reached.
    pub numbers: [Option<Arc<str>>; 4],
}

impl External {
    /// Whether contacts of a channel can go there.
    #[must_use]
    pub fn takes(&self, channel: Channel) -> bool {
        !self.retired && self.numbers[channel.index()].is_some()
    }
}

/// One version of an announcement. Its words never change: other words under the same name
/// are a new one, and the old one is retired.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Notice {
    /// Its name, unique among those that are not retired.
    pub name: Name,
    /// No longer in the configuration, or said in other words by now.
    pub retired: bool,
    /// Its words by language, sorted, the first also for those whose language is not among
    /// them. The engine never reads them.
    pub texts: Vec<(Language, Arc<str>)>,
    /// Which wording it is, counted over all announcements; 0 in a file that is merged into
    /// nothing yet.
    pub version: u32,
}
