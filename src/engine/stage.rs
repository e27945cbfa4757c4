//! How far a contact has come in its queue, and what that has changed for it.
//!
//! Part of a contact. The events carry it whole, so that a replay decides nothing; it says
//! nothing of how it came about, which is for [`super::decide`].

use smallvec::SmallVec;

use super::queue_life::Pools;
use super::recall::Lane;
use super::words::Needs;
use crate::ids::{ContactId, ExternalId, QueueId};
use crate::time::{EngineTime, Place, Span};

/// How far a contact has come in its queue's steps. It begins anew when the contact is moved
/// to another queue, and goes on when it comes back to the same one.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Stage {
    /// When it first entered this queue, or was moved to it.
    pub entered: EngineTime,
    /// All steps up to this time after entering were taken. A time and not a number: steps
    /// that are put in or taken out by an edit are told apart by it.
    pub stepped: Span,
    /// When the next step is due; none if there is no more.
    pub due: Option<EngineTime>,
    /// When it is to be told its position and wait again; none if its queue does not.
    pub update: Option<EngineTime>,
    /// Pools that may serve it beyond its queue's.
    pub pools: Pools,
    /// Head start that steps have added.
    pub raised: Span,
    /// A number outside that did not take it, and when it is tried again.
    pub again: Option<(ExternalId, EngineTime)>,
    /// The queue did not take it when it came, and calls back once a number is known.
    pub turned_away: bool,
    /// What is still to be done for it as a safety contact that nobody has answered.
    pub lane: Option<Box<Lane>>,
}

impl Stage {
    /// Any agent may have it, whatever they can do.
    #[must_use]
    pub fn is_anyones(&self) -> bool {
        self.lane.as_deref().is_some_and(Lane::is_anyones)
    }
}

/// What a contact asks for, and where it stands, after a step or an edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filing {
    /// Which contact.
    pub contact: ContactId,
    /// What an agent must have.
    pub needs: Needs,
    /// What an agent should have, beyond that.
    pub preferred: Needs,
    /// Its place.
    pub place: Place,
    /// How far it has come.
    pub stage: Stage,
}

/// What happened to a contact on its way that most never meet.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Course {
    /// Queues that it came to or left by overflow: it overflows to none of them again.
    pub been: SmallVec<[QueueId; 4]>,
    /// What the customer was last told of the wait.
    pub announced: Option<Announced>,
}

/// What a customer was told of their wait.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Announced {
    /// When.
    pub at: EngineTime,
    /// How many of its own kind were before it.
    pub ahead: u32,
    /// How long it would take from then in four cases of five; none if that was not known.
    pub wait: Option<Span>,
    /// It was longer than what had been told before, and was said to be.
    pub longer: bool,
}

impl Announced {
    /// What is left of the wait that was told.
    #[must_use]
    pub fn left(self, now: EngineTime) -> Option<Span> {
        self.wait.map(|wait| (self.at + wait).since(now))
    }
}
