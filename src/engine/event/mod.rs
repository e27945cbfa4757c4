//! What happened: the only way that state changes, and the only thing anyone hears about.
//!
//! An event holds everything that applying it needs; `apply` decides nothing. Each moves at most
//! one contact from one state to one other. Its number in the journal never changes its meaning.

mod about;
mod amend;
mod care;
mod lane;
mod owed;
mod people;
mod record;
mod stage;
mod tiers;

pub use amend::{Amended, Amends, Rechecked};
pub use care::{
    Advanced, AdvancedBecause, Feedback, HeldBack, Linked, PlaceKept, PresenceAsked, WentSilent,
};
pub use lane::{AlarmNews, SafetyNews, SafetyStep};
pub use owed::{
    CallbackPromised, CallbackStepped, Dialled, NumberConfirmed, PromiseOpened, RecoveryNews,
};
pub use people::{
    BulkNews, OutsideNews, ParticipantNews, ReasonOverstayed, SharedNews, SignOut, WrapUpExtended,
};
pub use record::{
    Announce, Arrived, EffectKind, Opens, Queued, Released, Reserved, Rule, Settled, Trigger, Why,
};
pub use stage::{HoursChanged, StepTaken, WaitAnnounced};
pub use tiers::{BreakerSet, PartnersSet, RecordingNoted};

use std::sync::Arc;

use super::command::GatewayLimits;
use super::promise::{Promise, Recovery};
use super::recall::control::{Bounds, LevelCause, Pressing};
use super::recall::{
    Found, Heed, Level, LotVerdict, Plan, ReturnedBecause, SelfService, Tier, Want,
};
use super::routing::{Name, Routing};
use super::stage::Filing;
use super::words::{
    Attributes, Availability, AvailabilityBecause, ConnectFault, EndReason, Keys, LegOutcome,
    NotTaken, Party, WaitsFor,
};
use crate::ids::{
    AgentId, AskId, ContactId, DispositionId, EffectId, GatewayId, RecallId, ReservationId,
    SessionId,
};
use crate::time::{EngineTime, Place, Span};

/// A fact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The process began anew; what that ends or renews follows as events of the same entry.
    Restarted {
        /// By how much engine time jumped.
        gap: Span,
        /// By how much less than the clock on the wall: what is promised by that moves.
        missed: Span,
    },
    /// The routing configuration is now this one.
    Configured(Arc<Routing>),
    /// A person's order, with the reason given; what they did follows in the same entry.
    Ordered {
        /// Why.
        why: Arc<str>,
    },
    /// A gateway became known.
    GatewayRegistered {
        /// The id it gets.
        gateway: GatewayId,
        /// Its name.
        name: Name,
    },
    /// A gateway is on a stream; an older session of it is over.
    GatewayConnected {
        /// Which.
        gateway: GatewayId,
        /// Its session.
        session: SessionId,
        /// What it can carry.
        limits: GatewayLimits,
    },
    /// A gateway's stream is gone; its contacts are detached one by one.
    GatewayLost {
        /// Which.
        gateway: GatewayId,
    },
    /// A gateway has named all it holds; what it did not name is closed one by one.
    GatewayResynced {
        /// Which.
        gateway: GatewayId,
    },
    /// A contact's gateway is gone: it keeps its state and place and is offered to nobody.
    Detached(ContactId),
    /// A contact's gateway is back and still holds it.
    Reattached {
        /// Which.
        contact: ContactId,
        /// The session that holds it.
        session: SessionId,
    },
    /// A contact was accepted.
    Arrived(Arrived),
    /// A contact entered a queue.
    Queued(Queued),
    /// A queued contact that was kept for one agent is open to all.
    OpenedToAll(ContactId),
    /// An agent is no longer passed over for a contact.
    PassOverEnded {
        /// Which contact.
        contact: ContactId,
        /// Who may have it again.
        agent: AgentId,
    },
    /// What a contact waits for has its whole time again: an answer, legs, or the agent it is
    /// kept for.
    Renewed {
        /// Which.
        contact: ContactId,
        /// Until when now.
        until: EngineTime,
    },
    /// A command was carried out and found nothing to change; its request id is remembered.
    Unchanged {
        /// The contact that was found, where the reply names one.
        contact: Option<ContactId>,
    },
    /// A contact got another place.
    Reprioritised {
        /// Which.
        contact: ContactId,
        /// Head start beyond its queue's.
        head_start: Span,
        /// Its place now.
        place: Place,
    },
    /// A contact is held for one agent.
    Reserved(Reserved),
    /// A reservation ended without being taken: the contact is queued again, at its place.
    NotTaken {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// Who did not take it.
        agent: AgentId,
        /// How.
        how: NotTaken,
        /// Until when this agent is passed over for it.
        pass_over: Option<EngineTime>,
    },
    /// A reservation was taken.
    Accepted {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// Who took it.
        agent: AgentId,
        /// It is connecting, and until when at most; none: it is assigned at once.
        connect_by: Option<EngineTime>,
    },
    /// Something is asked of a gateway, until it reports.
    EffectAsked {
        /// Which effect.
        effect: EffectId,
        /// For which contact.
        contact: ContactId,
        /// What.
        kind: EffectKind,
    },
    /// A gateway reported on an effect, or it no longer matters.
    EffectSettled {
        /// Which effect.
        effect: EffectId,
        /// For which contact.
        contact: ContactId,
        /// How.
        how: Settled,
    },
    /// A gateway reported on a leg.
    LegReported {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// Which leg.
        party: Party,
        /// What became of it.
        outcome: LegOutcome,
        /// The gateway's own code.
        code: u16,
    },
    /// The legs are joined: a connecting contact is assigned.
    Bridged {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// With whom.
        agent: AgentId,
    },
    /// The legs were not joined: a connecting contact is queued again, at its place.
    ConnectFailed {
        /// Which contact.
        contact: ContactId,
        /// Its reservation.
        reservation: ReservationId,
        /// Whom it was for.
        agent: AgentId,
        /// Why.
        fault: ConnectFault,
        /// Until when this agent is passed over for it.
        pass_over: Option<EngineTime>,
    },
    /// A contact waits for somebody, with no agent.
    Pended {
        /// Which.
        contact: ContactId,
        /// Who let it go; none where nobody had it.
        agent: Option<AgentId>,
        /// For whom it waits.
        on: WaitsFor,
        /// Until when at most.
        until: EngineTime,
    },
    /// The customer said something.
    InputReceived(ContactId),
    /// Routing facts, in place of those before.
    AttributesSet {
        /// Which contact.
        contact: ContactId,
        /// All of them.
        attributes: Attributes,
    },
    /// The customer was put on hold or taken back.
    HoldChanged {
        /// Which contact.
        contact: ContactId,
        /// On hold, or back.
        on: bool,
    },
    /// Where a recording is kept.
    RecordingNoted(RecordingNoted),
    /// What a contact is about.
    Coded {
        /// Which contact; it may be closed already.
        contact: ContactId,
        /// Who says so.
        agent: AgentId,
        /// What it is about.
        disposition: DispositionId,
    },
    /// A second agent is sought: a child contact was made.
    ConsultStarted {
        /// The contact that it is about.
        parent: ContactId,
        /// The child.
        child: ContactId,
        /// Who asks.
        agent: AgentId,
    },
    /// A contact passed from one agent to the one they consulted.
    HandedOver {
        /// Which contact.
        contact: ContactId,
        /// Who had it.
        from: AgentId,
        /// Who has it.
        to: AgentId,
        /// Until when the first has wrap-up.
        wrap_up: Option<EngineTime>,
    },
    /// A contact ended.
    Closed {
        /// Which.
        contact: ContactId,
        /// The gateway that holds it.
        gateway: GatewayId,
        /// The contact that it was a consult about.
        consult_of: Option<ContactId>,
        /// Why.
        reason: EndReason,
        /// Who had it, if anyone.
        agent: Option<AgentId>,
        /// Until when the agent has wrap-up.
        wrap_up: Option<EngineTime>,
    },
    /// The work after a contact ended.
    WrapUpEnded {
        /// Whose.
        agent: AgentId,
        /// After which contact.
        contact: ContactId,
    },
    /// An agent is on a stream; an older session of theirs is over.
    AgentConnected {
        /// Who.
        agent: AgentId,
        /// Their session.
        session: SessionId,
    },
    /// An agent's stream is gone; they have until then to come back.
    AgentLost {
        /// Who.
        agent: AgentId,
        /// Until when what they have waits for them.
        grace: EngineTime,
    },
    /// An agent's availability changed.
    AvailabilityChanged {
        /// Whose.
        agent: AgentId,
        /// What it is now.
        to: Availability,
        /// Why.
        because: AvailabilityBecause,
    },
    /// What comes after the last contact in hand.
    NextSet {
        /// Whose.
        agent: AgentId,
        /// What; none for nothing.
        next: Option<Availability>,
    },
    /// An agent's phone was not reached: no calls until they say they are ready again.
    PhoneUnreachable(AgentId),
    /// The journal's disk is nearly full, or no longer: no reservation is made meanwhile, so
    /// that what is open can still be ended.
    ReservationsPaused {
        /// From now on; false: they are made again.
        paused: bool,
    },
    /// A recall was started.
    RecallStarted {
        /// Which.
        recall: RecallId,
        /// What is decided by, and the playbook itself.
        plan: Arc<Plan>,
        /// Where it begins.
        level: Level,
        /// When it ends by itself.
        expires: EngineTime,
    },
    /// A recall is at another level. Those waiting are gone through afterwards, each move
    /// an event of its own.
    LevelChanged {
        /// Which recall.
        recall: RecallId,
        /// Where it is now.
        level: Level,
        /// Why.
        cause: LevelCause,
    },
    /// A recall's level is left free: it moves by itself from now on.
    LevelFreed {
        /// Which recall.
        recall: RecallId,
        /// Between which levels.
        bounds: Bounds,
    },
    /// Something else presses on a free level than before, or nothing any more.
    LevelPressed {
        /// Which recall.
        recall: RecallId,
        /// What, since when.
        pressing: Pressing,
    },
    /// The partners of a recall are called, join or leave.
    PartnersSet(PartnersSet),
    /// A tier's breaker opened because it fails, tries again, or closed.
    BreakerSet(BreakerSet),
    /// A recall ended. Those in its self-service go back one by one.
    RecallEnded {
        /// Which.
        recall: RecallId,
        /// By itself, at its expiry.
        expired: bool,
    },
    /// A customer's words were found to mean something that counts.
    Triaged {
        /// Which contact.
        contact: ContactId,
        /// What, and by whose playbook.
        heed: Heed,
    },
    /// A queued contact went to self-service, keeping its place.
    Diverted {
        /// Which contact.
        contact: ContactId,
        /// Where it begins.
        now: SelfService,
    },
    /// The conversation with self-service went on.
    Stepped {
        /// Which contact.
        contact: ContactId,
        /// How it stands now.
        now: SelfService,
    },
    /// A contact went back from self-service to its queue, at its place.
    Returned {
        /// Which contact.
        contact: ContactId,
        /// Whose self-service.
        recall: RecallId,
        /// From which tier.
        tier: Tier,
        /// Why.
        because: ReturnedBecause,
    },
    /// Somebody outside is asked to read a customer's words.
    WordsAsked {
        /// Which contact.
        contact: ContactId,
        /// The question.
        ask: AskId,
        /// Whose playbook to read them by.
        recall: RecallId,
        /// What for.
        want: Want,
    },
    /// The words were read.
    WordsRead {
        /// Which contact.
        contact: ContactId,
        /// The question.
        ask: AskId,
        /// What was found.
        found: Found,
    },
    /// The customer pressed keys.
    KeysPressed {
        /// Which contact.
        contact: ContactId,
        /// Which keys.
        keys: Keys,
        /// What the affected-or-not check says of them, if a lot was asked for.
        lot: Option<LotVerdict>,
    },
    /// A contact that fell silent goes on as another one, which has its key from now on.
    /// It enters a queue with the next event, and the other is closed with the one after.
    FollowUpOpened(Arrived),
    /// A contact has waited so long that a step of its queue is taken. What it does beside
    /// this follows in the same entry.
    StepTaken(StepTaken),
    /// The configuration of a contact's queue changed, and the contact asks for what it says
    /// now.
    Refiled(Filing),
    /// A calendar opened, closed, or will do so at another time.
    HoursChanged(HoursChanged),
    /// A customer in line is told their position and wait.
    WaitAnnounced(WaitAnnounced),
    /// A number at which the customer can be called is confirmed, or is not any more.
    NumberConfirmed(NumberConfirmed),
    /// A customer is to be called back: nobody is on the line any more, the place is kept.
    CallbackPromised(CallbackPromised),
    /// A callback went on.
    CallbackStepped(CallbackStepped),
    /// What came of dialling a customer.
    Dialled(Dialled),
    /// A call is gone that nobody hung up. What becomes of it follows.
    CallLost(ContactId),
    /// Something was promised, or promised anew.
    PromiseMade(Promise),
    /// A promise went on: it is now so.
    PromiseSet(Promise),
    /// A contact was opened to keep a promise. It enters a queue with the next event.
    PromiseOpened(PromiseOpened),
    /// Work to make good was opened.
    RecoveryOpened(Recovery),
    /// Work to make good went on: it is now so.
    RecoverySet(RecoveryNews),
    /// The next letter or message came of a contact that is still open; what it means for that
    /// one follows.
    ReplyCame(ContactId),
    /// The place of a customer who left unanswered is kept for a while.
    PlaceKept(PlaceKept),
    /// A contact's place became an earlier one, which others had.
    Advanced(Advanced),
    /// A contact is linked with another one of the same customer about the same matter.
    Linked(Linked),
    /// A waiting contact is not offered while one that it is linked with is with an agent.
    HeldBack(HeldBack),
    /// A contact that was held back goes on at its place.
    HoldEnded(ContactId),
    /// The customer of a waiting chat has said nothing for long.
    FellSilent(ContactId),
    /// That customer is asked whether they are still there; meanwhile nobody is given the chat.
    PresenceAsked(PresenceAsked),
    /// It cannot be asked whether a customer is there: they are taken to be.
    PresenceAssumed(ContactId),
    /// The customer of a chat did not answer: it waits for them to say something.
    WentSilent(WentSilent),
    /// A customer said what they think of a contact.
    FeedbackGiven(Feedback),
    /// An agent has been not ready for the same reason for longer than it should last.
    ReasonOverstayed(ReasonOverstayed),
    /// An agent is to be signed out by others than themselves.
    SignOut(SignOut),
    /// The work after a contact may last longer.
    WrapUpExtended(WrapUpExtended),
    /// A call of an agent's outside the router.
    OutsideCall(OutsideNews),
    /// Somebody's part in a contact beside its owner.
    Participant(ParticipantNews),
    /// An order about many contacts.
    Bulk(BulkNews),
    /// Agents of other queues begin or cease to help one.
    Shared(SharedNews),
    /// Something is done for a safety contact that nobody has answered.
    Safety(SafetyNews),
    /// People are called in because somebody who is hurt waits too long, or that is over.
    Alarm(AlarmNews),
    /// A recall was amended: its texts and lots are those of a newer plan, or its end is another.
    Amended(Amended),
    /// Some of those who were told "not affected" were looked at again by a newer version.
    Rechecked(Rechecked),
}
