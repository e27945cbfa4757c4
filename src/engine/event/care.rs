//! What events about a customer's patience hold.

use crate::engine::words::Channel;
use crate::ids::{AgentId, ContactId, CustomerId, GatewayId, QueueId};
use crate::time::{EngineTime, Place, Span};

/// Why a contact's place became an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AdvancedBecause {
    /// Its customer left this queue unanswered before, and came back in time.
    Returned {
        /// The contact that they had then.
        of: ContactId,
        /// The queue in which their place was kept.
        queue: QueueId,
    },
    /// It is linked with one whose place is earlier.
    Linked(ContactId),
}

/// A contact's place became an earlier one, which others had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Advanced {
    /// Which.
    pub contact: ContactId,
    /// By how much.
    pub by: Span,
    /// Its place now.
    pub place: Place,
    /// Why.
    pub because: AdvancedBecause,
}

/// A contact is linked with another one of the same customer about the same matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Linked {
    /// Which.
    pub contact: ContactId,
    /// With which.
    pub with: ContactId,
    /// The first of all that are linked so.
    pub matter: ContactId,
}

/// A waiting contact is not offered while one that it is linked with is with an agent. It
/// keeps its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldBack {
    /// Which.
    pub contact: ContactId,
    /// The one with an agent.
    pub with: ContactId,
    /// Until when at most.
    pub until: EngineTime,
}

/// A customer is asked whether they are still there; meanwhile nobody is given the chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PresenceAsked {
    /// Which contact.
    pub contact: ContactId,
    /// The agent who would be given it.
    pub agent: AgentId,
    /// Until when they may answer.
    pub until: EngineTime,
}

/// The customer of a chat did not answer: it waits for them to say something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WentSilent {
    /// Which.
    pub contact: ContactId,
    /// Until when at most.
    pub until: EngineTime,
}

/// The place of a customer who left unanswered is kept for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlaceKept {
    /// The contact that has just ended.
    pub contact: ContactId,
    /// Whose.
    pub customer: CustomerId,
    /// In which queue.
    pub queue: QueueId,
    /// Its place, the queue's own head start left out.
    pub origin: Place,
    /// Until when.
    pub until: EngineTime,
}

/// What a customer said of a contact: a score, words, or both. The words ride sealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Feedback {
    /// About which contact; it may be closed.
    pub contact: ContactId,
    /// The gateway that it came by.
    pub gateway: GatewayId,
    /// How it was given.
    pub channel: Channel,
    /// The contact's queue, if that is still known.
    pub queue: Option<QueueId>,
    /// The score, 0 to the scale; none: words alone.
    pub score: Option<u8>,
    /// The best score, 1 to 10.
    pub scale: u8,
    /// There are words.
    pub words: bool,
}

impl Feedback {
    /// The score on the scale of 0 to 10, in tenths.
    #[must_use]
    pub fn tenths(&self) -> Option<u16> {
        let scale = u16::from(self.scale.max(1));
        self.score.map(|score| u16::from(score) * 100 / scale)
    }
}
