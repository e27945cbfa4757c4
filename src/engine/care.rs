//! What is remembered of a customer's patience: the place they had before, what else of theirs
//! is open, and whether they are still there.
//!
//! Values only, of a contact ([`Care`]) and of a queue ([`QueueCare`]). `decide` goes by them,
//! `apply` alone changes them; it decides nothing.

use super::words::Channel;
use crate::ids::{AgentId, ContactId, QueueId};
use crate::time::{EngineTime, Span};

/// Open contacts of one customer that are linked. With more than this open at once it is no
/// single person, but a switchboard or a shared mailbox, whoever says otherwise.
pub const MOST_LINKED: usize = 8;
/// Customers asked on one agent's account whether they are still there, at a time: one will
/// answer while the agent waits, and nobody is asked who would not be served soon.
pub const MOST_ASKED: u8 = 3;

/// How a queue cares for those who wait in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct QueueCare {
    /// How long who left unanswered has their place kept, at most a day; zero never.
    pub keep_place: Span,
    /// Contacts of the same customer about the same matter are linked.
    pub link: bool,
    /// How long one is held back at most while another one that it is linked with is with an
    /// agent; zero never.
    pub hold_linked: Span,
    /// How long after the end a letter or message that goes on from a contact goes to its last
    /// agent first; zero never.
    pub thread: Span,
    /// Whether customers of chats are asked if they are still there.
    pub liveness: Option<Liveness>,
    /// Which scores open work to make good.
    pub low_score: Option<LowScore>,
}

/// Which scores of customers open work to make good, and by when it is due.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LowScore {
    /// This one and all below, on the scale of 0 to 10.
    pub at_most: u8,
    /// By when it is due.
    pub within: Span,
}

/// When the customer of a chat is asked if they are still there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Liveness {
    /// They said nothing for so long, and have waited so long.
    pub after: Span,
    /// How long they have to say something.
    pub answer_within: Span,
    /// How long a chat that did not answer can still be woken; zero: it ends at once.
    pub keep: Span,
}

/// What a contact carries of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Care {
    /// By how much its place is earlier than its own beginning and head starts make it: what
    /// an earlier or a linked contact had.
    pub ahead: Span,
    /// The first of those that it was ever linked with; all of one customer with the same one
    /// are linked.
    pub matter: Option<ContactId>,
    /// It was held back for one of them.
    pub held: Option<Held>,
    /// After how long without a word from its customer they are asked; none where nobody is.
    pub silent_after: Option<Span>,
    /// When its customer last said something, if that counts for it.
    pub heard: EngineTime,
    /// Whether its customer is still there.
    pub silence: Silence,
}

/// A contact is or was held back for one that it is linked with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Held {
    /// When it has been held back long enough, however often.
    pub until: EngineTime,
    /// The one with an agent; none: it is not held back now.
    pub with: Option<ContactId>,
}

/// Whether the customer of a chat is still there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Silence {
    /// They are, as far as anyone can tell.
    #[default]
    None,
    /// They said nothing for long: they are asked before an agent is given the chat.
    Fell,
    /// They are asked.
    Asked {
        /// For whom.
        agent: AgentId,
        /// Until when they may answer.
        until: EngineTime,
    },
    /// They did not answer.
    Gone,
}

impl Silence {
    /// The word for it in listings; empty while nothing is known against it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Fell => "silent",
            Self::Asked { .. } => "asked",
            Self::Gone => "gone",
        }
    }
}

impl Care {
    /// The contact with an agent for which this one is held back now.
    #[must_use]
    pub fn held_for(&self) -> Option<ContactId> {
        self.held.and_then(|h| h.with)
    }

    /// The agent on whose account the customer is being asked.
    #[must_use]
    pub const fn asked_for(&self) -> Option<AgentId> {
        match self.silence {
            Silence::Asked { agent, .. } => Some(agent),
            _ => None,
        }
    }

    /// Whether it stands in no line although it waits.
    #[must_use]
    pub fn keeps_out(&self) -> bool {
        self.held_for().is_some() || self.asked_for().is_some()
    }

    /// It waits in line no longer: nothing holds it back, and nobody asks its customer.
    pub fn stand_down(&mut self) {
        self.silence = Silence::None;
        if let Some(held) = &mut self.held {
            held.with = None;
        }
    }

    /// It enters a queue, where its customer is asked after so long without a word.
    pub(super) fn enter(&mut self, silent_after: Option<Span>) {
        self.silent_after = silent_after;
        self.stand_down();
    }
}

/// What a customer thinks of a contact. Never their words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FeedbackReport {
    /// About which contact.
    pub contact: ContactId,
    /// How it was given.
    pub channel: Channel,
    /// The queue of a contact that is closed, if the edge could look it up.
    pub queue: Option<QueueId>,
    /// Who had a contact that is closed, if the edge could look it up.
    pub agent: Option<AgentId>,
    /// The score, 0 to the scale.
    pub score: Option<u8>,
    /// The best score, 1 to 10.
    pub scale: u8,
    /// There are words.
    pub words: bool,
}
