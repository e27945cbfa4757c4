//! Orders about many contacts: a filter, what it matches, and how far carrying it out has got.
//!
//! What is acted on is a list of contacts that a supervisor was shown, never a filter that is
//! evaluated again. Each is looked at once more when its turn comes, and skipped if it no
//! longer matches. The rules of carrying out are in `decide::bulk`.

use std::sync::Arc;

use super::Engine;
use super::contact::{Contact, StateKind};
use super::words::Channel;
use crate::ids::{ContactId, OrderId, QueueId, RecallId, SkillId};
use crate::time::{EngineTime, Place, Span};

/// Most contacts in one order: their ids ride in one event, which stays far below what one
/// batch may hold.
pub const MOST_IN_BULK: usize = 100_000;
/// Most orders that are being carried out or wait for it.
pub const MOST_BULKS: usize = 16;
/// Orders that are over and can still be looked at.
pub const BULKS_KEPT: usize = 16;
/// How many a preview shows.
pub const SHOWN: usize = 20;

/// Which contacts. What is none matches all.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Filter {
    /// In this queue.
    pub queue: Option<QueueId>,
    /// On this channel.
    pub channel: Option<Channel>,
    /// In this state.
    pub state: Option<StateKind>,
    /// Whose customer arrived at least so long ago.
    pub older_than: Option<Span>,
    /// With at least this head start beyond their queue's.
    pub head_start: Option<Span>,
    /// That need or prefer this skill.
    pub skill: Option<SkillId>,
    /// About this recall, by where they came in or by what their words meant.
    pub recall: Option<RecallId>,
    /// With this value of this routing fact.
    pub attribute: Option<(Arc<str>, Arc<str>)>,
}

/// What is done to each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BulkAction {
    /// Into another queue, arrival kept.
    Move(QueueId),
    /// Back to its place, from whoever has it.
    Requeue,
    /// Another head start beyond its queue's.
    Reprioritise(Span),
    /// Closed.
    Close,
}

/// An order about many contacts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bulk {
    /// Which.
    pub id: OrderId,
    /// What a contact has to match still.
    pub filter: Filter,
    /// What is done to each.
    pub action: BulkAction,
    /// Which contacts, in the order in which it is done; empty when it is over.
    pub contacts: Arc<[ContactId]>,
    /// How many there were.
    pub count: u32,
    /// How many have been looked at.
    pub next: u32,
    /// How many of those were acted on; the rest were skipped.
    pub done: u32,
    /// When it was given.
    pub since: EngineTime,
    /// When it was over, if it is.
    pub over: Option<EngineTime>,
    /// It was cancelled.
    pub cancelled: bool,
    /// Hash of the list, so that it is not hashed again with every mark.
    pub digest: u64,
}

impl std::hash::Hash for Bulk {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.id, self.digest, self.count, self.next, self.done).hash(state);
        (self.since, self.over, self.cancelled, &self.filter, self.action).hash(state);
    }
}

/// What became of an order about many contacts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BulkStep {
    /// It was given.
    Began {
        /// What a contact has to match still.
        filter: Box<Filter>,
        /// What is done to each.
        action: BulkAction,
        /// Which contacts.
        contacts: Arc<[ContactId]>,
    },
    /// The next of its contacts is acted on: what is done follows in the same entry.
    Acts(ContactId),
    /// The next of its contacts is left as it is.
    Skips(ContactId, Skipped),
    /// Nothing more follows.
    Over {
        /// Before the end.
        cancelled: bool,
    },
}

/// Why a contact was left as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Skipped {
    /// It is over.
    Gone,
    /// It no longer matches.
    NoMatch,
    /// It cannot be done with it.
    Refused,
}

impl Skipped {
    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::NoMatch => "no_match",
            Self::Refused => "refused",
        }
    }
}

/// What a filter matches now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matched {
    /// All of them, the oldest place first; the first [`SHOWN`] are those to show.
    pub contacts: Vec<ContactId>,
    /// How many are in each state, by [`StateKind::index`].
    pub by_state: [u32; 7],
}

impl Engine {
    /// Whether a contact matches. A consult never does: it goes with the contact that it is
    /// about.
    #[must_use]
    pub fn matches(&self, at: EngineTime, filter: &Filter, c: &Contact) -> bool {
        let needs = |skill| c.needs.iter().chain(&c.preferred).any(|n| n.skill == skill);
        let about = |recall| {
            c.triage.is_some_and(|t| t.recall == recall)
                || self.recall_at(c.entry_point).is_some_and(|r| r.id == recall)
        };
        let says = |(name, value): &(Arc<str>, Arc<str>)| {
            let all = c.attributes.iter().flat_map(|a| a.iter());
            all.into_iter().any(|(n, v)| **n == **name && **v == **value)
        };
        c.parent.is_none()
            && filter.queue.is_none_or(|queue| c.queue == queue)
            && filter.channel.is_none_or(|channel| c.channel == channel)
            && filter.state.is_none_or(|state| c.state.kind() == state)
            && filter.older_than.is_none_or(|span| c.waited(at) >= span)
            && filter.head_start.is_none_or(|least| c.head_start >= least)
            && filter.skill.is_none_or(needs)
            && filter.recall.is_none_or(about)
            && filter.attribute.as_ref().is_none_or(says)
    }

    /// What a filter matches. Looks at every contact: for people who look, not for decisions.
    #[must_use]
    pub fn matched(&self, at: EngineTime, filter: &Filter) -> Matched {
        let mut found: Vec<(Place, ContactId)> = Vec::new();
        let mut by_state = [0; 7];
        for c in self.contacts().filter(|c| self.matches(at, filter, c)) {
            found.push((c.place, c.id));
            by_state[c.state.kind().index()] += 1;
        }
        found.sort_unstable();
        Matched { contacts: found.into_iter().map(|(_, id)| id).collect(), by_state }
    }

    /// Orders about many contacts: those being carried out and the last that are over, in the
    /// order in which they were given.
    pub fn bulks(&self) -> impl Iterator<Item = &Bulk> {
        self.bulks.iter()
    }

    /// The order that is being carried out.
    pub(super) fn open_bulk(&self) -> Option<&Bulk> {
        self.bulks.iter().find(|b| b.over.is_none())
    }
}
