//! What agents do, as themselves.

use smallvec::SmallVec;

use super::super::callback::{CallHours, Wanted};
use super::super::promise::PromiseKind;
use super::super::routing::Name;
use super::super::words::{Availability, WaitsFor};
use crate::ids::{
    AgentId, ContactId, DispositionId, PromiseId, QueueId, RecoveryId, ReservationId,
};
use crate::time::{EngineTime, Span};

/// Where a contact is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// To whoever serves this queue.
    Queue(QueueId),
    /// To this agent; on to the contact's queue if they do not take it in time.
    Agent(AgentId),
}

/// What an agent does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// Becomes ready or not ready, or signs out (which needs empty hands).
    Become(Availability),
    /// Says what comes after the last contact in hand; none takes it back.
    Next(Option<Availability>),
    /// Takes a reservation.
    Accept(ReservationId),
    /// Does not.
    Decline(ReservationId),
    /// Is done with a contact.
    Complete {
        /// Which contact.
        contact: ContactId,
        /// What it was about.
        disposition: Option<DispositionId>,
    },
    /// Is done with a contact and with others that it is linked with.
    CompleteTogether {
        /// Which contact; they have it.
        contact: ContactId,
        /// The others: waiting, pending, or theirs too, none about safety that is not theirs.
        others: SmallVec<[ContactId; 4]>,
        /// What they were about.
        disposition: Option<DispositionId>,
    },
    /// Says what a contact is or was about, while they have it or its wrap-up.
    Code {
        /// Which contact.
        contact: ContactId,
        /// What it is about.
        disposition: DispositionId,
    },
    /// Is done with the work after a contact.
    EndWrapUp(ContactId),
    /// Needs longer for the work after a contact.
    ExtendWrapUp {
        /// After which contact.
        contact: ContactId,
        /// By how much.
        by: Span,
    },
    /// Sends a contact back to its queue, at its place, to anyone else.
    Requeue(ContactId),
    /// Sends a contact on.
    Transfer {
        /// Which contact.
        contact: ContactId,
        /// Where to.
        to: Target,
    },
    /// Seeks a second agent for a contact, keeping it.
    Consult {
        /// Which contact.
        contact: ContactId,
        /// Whom to ask.
        to: Target,
    },
    /// Hands the contact to the second agent.
    CompleteConsult(ContactId),
    /// Goes on without the second agent.
    CancelConsult(ContactId),
    /// Makes of the contact and its consult one conversation of all.
    Conference(ContactId),
    /// Brings somebody who is no agent onto a call.
    AddParticipant {
        /// Which contact.
        contact: ContactId,
        /// What the agent calls them; how they are reached rides sealed.
        name: Name,
    },
    /// Takes somebody off a contact whom they brought onto it.
    DropParticipant {
        /// Which contact.
        contact: ContactId,
        /// Whom.
        participant: u16,
    },
    /// Lets a contact wait for somebody without holding capacity.
    Pend {
        /// Which contact.
        contact: ContactId,
        /// For whom it waits.
        on: WaitsFor,
        /// For how long at most, 1 s to 30 days; then it comes back.
        lasting: Span,
    },
    /// Lets the customer of a call go and calls them back.
    CallBack {
        /// Which contact.
        contact: ContactId,
        /// When.
        wanted: Wanted,
    },
    /// Promises something to a contact's customer.
    Promise(Pledge),
    /// Says that a promise is kept, by whatever means.
    KeepPromise(PromiseId),
    /// Opens work to make good.
    OpenRecovery(Remedy),
    /// Says that it is done.
    RecoveryDone(RecoveryId),
}

/// What is promised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pledge {
    /// In which contact.
    pub contact: ContactId,
    /// What: a follow-up or a reply.
    pub kind: PromiseKind,
    /// By when.
    pub due: EngineTime,
    /// At which hours the customer may be called; none for any.
    pub hours: Option<CallHours>,
    /// Who has it first; whoever makes it where nobody is named.
    pub owner: Option<AgentId>,
}

/// Work to make good. Its words and its note ride sealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Remedy {
    /// For which contact.
    pub contact: ContactId,
    /// Who leads; whoever opens it where nobody is named.
    pub owner: Option<AgentId>,
    /// The remedy, in cents; 0 for one that is not money.
    pub cents: u64,
    /// By when.
    pub due: EngineTime,
}
