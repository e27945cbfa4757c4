//! What supervisors and on-call staff order.

use std::sync::Arc;

use super::super::bulk::{BulkAction, Filter};
use super::super::callback::Wanted;
use super::super::day::Hands;
use super::super::participant::Part;
use super::super::recall::control::Within;
use super::super::recall::{Level, Plan};
use super::super::routing::Name;
use super::super::words::Availability;
use super::{Pledge, Remedy};
use crate::ids::{AgentId, ContactId, OrderId, PromiseId, QueueId, RecallId, RecoveryId};
use crate::time::Span;

/// What on-call staff do with a recall.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum RecallOrder {
    /// Puts a playbook in force.
    Start {
        /// The part that is decided by, and the playbook itself.
        plan: Arc<Plan>,
        /// Where to begin.
        level: Level,
        /// After how long it ends if nobody ends it, 1 min to 90 days.
        lasting: Span,
        /// Start although nobody is there for safety contacts.
        accept_empty_safety_lane: bool,
        /// It moves by itself between these; pinned if none.
        free: Option<Within>,
    },
    /// Pins the level.
    SetLevel {
        /// Which recall.
        recall: RecallId,
        /// Where to.
        level: Level,
    },
    /// Leaves the level free between bounds.
    Free {
        /// Which recall.
        recall: RecallId,
        /// Between which levels.
        within: Within,
    },
    /// Puts other texts and lots in force, or moves its end.
    Amend {
        /// Which recall.
        recall: RecallId,
        /// The version that was looked at when it was made: nothing is changed if it is no longer
        /// the one in force. None where that matters to nobody.
        from: Option<[u8; 32]>,
        /// The part that is decided by, and the playbook itself; none for as before.
        plan: Option<Arc<Plan>>,
        /// Goes on though the plan would leave nobody for safety contacts.
        accept_empty_safety_lane: bool,
        /// After how long it ends if nobody ends it, 1 min to 90 days; none for as before.
        lasting: Option<Span>,
    },
    /// Ends it: self-service gives everyone back at the place they had.
    End(RecallId),
}

/// What a supervisor orders.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    /// Puts a contact into another queue, its arrival kept.
    Move {
        /// Which contact.
        contact: ContactId,
        /// Where to.
        queue: QueueId,
    },
    /// Takes a contact from whoever has it and puts it back at its place.
    Requeue(ContactId),
    /// Gives a contact another head start, at most a day.
    Reprioritise {
        /// Which contact.
        contact: ContactId,
        /// In place of the one it had beyond its queue's.
        head_start: Span,
    },
    /// Closes a contact.
    Close(ContactId),
    /// Sets an agent's availability.
    SetAgent {
        /// Who.
        agent: AgentId,
        /// What to.
        to: Availability,
    },
    /// Promises a customer to call them back, or promises it anew.
    CallBack {
        /// Which contact.
        contact: ContactId,
        /// When.
        wanted: Wanted,
    },
    /// Calls one whose callback waits or is exhausted at once, first by this agent if one is
    /// named.
    CallNow {
        /// Which contact.
        contact: ContactId,
        /// Who has it first.
        agent: Option<AgentId>,
    },
    /// Promises something to a contact's customer.
    Promise(Pledge),
    /// Says that a promise is kept, by whatever means.
    KeepPromise(PromiseId),
    /// Gives a promise up.
    BreakPromise(PromiseId),
    /// Opens work to make good.
    OpenRecovery(Remedy),
    /// Lets somebody else lead it.
    ReassignRecovery {
        /// Which.
        recovery: RecoveryId,
        /// Who leads.
        owner: AgentId,
    },
    /// Approves a remedy beyond its owner's authority.
    ApproveRecovery(RecoveryId),
    /// Says that it is done.
    RecoveryDone(RecoveryId),
    /// Gives a waiting contact to an agent: at once if they have room, else kept for them.
    Pull {
        /// Which contact.
        contact: ContactId,
        /// To whom.
        agent: AgentId,
    },
    /// Signs an agent out, now or later.
    SignOut {
        /// Who.
        agent: AgentId,
        /// After how long, at most a day; zero for now, none to take such an order back.
        after: Option<Span>,
        /// What becomes of what they have in hand.
        hands: Hands,
    },
    /// Ends or extends the work after a contact.
    WrapUp {
        /// Whose.
        agent: AgentId,
        /// After which contact.
        contact: ContactId,
        /// By how much longer; none to end it.
        by: Option<Span>,
    },
    /// Has a supervisor listen to a contact, whisper to its agent, or come in; again with
    /// another part, it changes.
    Listen {
        /// To which contact.
        contact: ContactId,
        /// The name that the gateway reaches the supervisor by, 1 to 64 bytes.
        listener: Name,
        /// What part they take.
        part: Part,
    },
    /// Takes a supervisor off a contact.
    StopListening {
        /// Which contact.
        contact: ContactId,
        /// Who.
        listener: Name,
    },
    /// Does the same to many contacts.
    Bulk {
        /// What each has to match still when its turn comes.
        filter: Filter,
        /// What is done.
        action: BulkAction,
        /// Which contacts, in order: those that were shown.
        contacts: Arc<[ContactId]>,
    },
    /// Ends an order about many contacts before it is carried out.
    CancelBulk(OrderId),
}
