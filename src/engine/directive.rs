//! What gateways and agents are told, made from events and state.
//!
//! *State* directives can always be made again from state, and are, when a session
//! begins. *Effects* carry an id and stay pending until the gateway reports on them.
//! This module makes both; delivery, and the order of it, are the shard's and the sessions'.

use std::sync::Arc;

use super::callback::{CallbackKind, DialMode};
use super::contact::StateKind;
use super::event::Announce;
use super::participant::{Part, Participant, Who};
use super::promise::{Promise, Recovery};
use super::recall::{Say, Text, Tier};
use super::words::{
    Attributes, Availability, AvailabilityBecause, Channel, ConnectFault, EndReason, Key, Language,
    NotTaken, ReleasedBecause, ServiceClass, WaitsFor,
};
use crate::ids::{
    AgentId, ContactId, EffectId, ExternalId, GatewayId, QueueId, RecallId, RecoveryId,
    ReservationId,
};
use crate::time::Span;

/// Who is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Recipient {
    /// The gateway that holds the contact.
    Gateway(GatewayId),
    /// An agent.
    Agent(AgentId),
}

/// One thing that somebody is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directive {
    /// Who.
    pub to: Recipient,
    /// What.
    pub tell: Tell,
}

/// What somebody is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tell {
    /// Gateway: the contact waits in this queue.
    Waiting {
        /// Which contact.
        contact: ContactId,
        /// Where.
        queue: QueueId,
    },
    /// Gateway: the contact is held for this agent.
    ReservedFor {
        /// Which contact.
        contact: ContactId,
        /// For whom.
        agent: AgentId,
    },
    /// Gateway, an effect: call the agent, join them with the customer.
    Connect {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// For which reservation.
        reservation: ReservationId,
        /// Whom to call.
        agent: AgentId,
        /// It is a consult about this contact: join with its agent, not with the customer.
        consult_of: Option<ContactId>,
    },
    /// Gateway, an effect: call the customer and the agent, join them, and say what came of it.
    Dial {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// For which reservation.
        reservation: ReservationId,
        /// Which agent.
        agent: AgentId,
        /// Who is called first.
        mode: DialMode,
        /// How long the customer's phone may ring.
        ring: Span,
        /// The earlier contact that this one goes on from, where its number is kept.
        continues: Option<ContactId>,
    },
    /// Gateway: the customer is to be called back and need not hold the line.
    CallbackDue {
        /// Which contact.
        contact: ContactId,
        /// How long until it is due; none where no time was promised.
        within: Option<Span>,
    },
    /// Gateway: a contact was opened to keep a promise; it is yours under this key.
    Opened {
        /// Which contact.
        contact: ContactId,
        /// What it is called.
        key: Key,
        /// How the customer is reached.
        channel: Channel,
        /// In which queue it is served.
        queue: QueueId,
        /// The contact in which it was promised.
        continues: ContactId,
    },
    /// Gateway, an effect: join the customer with the second agent, let the first go.
    HandOver {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// To whom.
        to: AgentId,
    },
    /// Gateway, an effect: bring somebody onto the contact, or let them take another part.
    Join {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// Whom, by their number on the contact.
        participant: u16,
        /// Who that is.
        who: Who,
        /// What part they take.
        part: Part,
    },
    /// Both: who is on the contact beside its customer and its owner. For the gateway: everyone
    /// else goes. For the agent: those whom they are told of.
    Participants {
        /// Which contact.
        contact: ContactId,
        /// All of them.
        all: Vec<Participant>,
    },
    /// Gateway: an effect no longer matters; undo what was begun.
    EffectWithdrawn {
        /// Which effect.
        effect: EffectId,
        /// For which contact.
        contact: ContactId,
    },
    /// Gateway: the contact is with this agent.
    AssignedTo {
        /// Which contact.
        contact: ContactId,
        /// With whom.
        agent: AgentId,
    },
    /// Gateway: the contact waits for somebody, with no agent.
    Pending {
        /// Which contact.
        contact: ContactId,
        /// For whom it waits.
        on: WaitsFor,
    },
    /// Gateway: the contact is in self-service, holding its place.
    InSelfService {
        /// Which contact.
        contact: ContactId,
        /// With which tier.
        tier: Tier,
    },
    /// Gateway, an effect: say a text to the customer.
    Say {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// How they are reached.
        channel: Channel,
        /// What.
        say: Say,
    },
    /// Gateway: how many are before the contact in line, and how long it will take.
    Outlook {
        /// Which contact.
        contact: ContactId,
        /// How many of its own kind are before it.
        ahead: u32,
        /// What is left of the wait that is announced: four of five wait no longer. None if
        /// that is not known.
        wait: Option<Span>,
        /// It is longer than what was announced before.
        longer: bool,
    },
    /// Gateway, an effect: tell the customer what the queue has to say.
    Announce {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// How they are reached.
        channel: Channel,
        /// What.
        announce: Announce,
    },
    /// Gateway, an effect: send the customer to a number outside the router.
    Forward {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// How they are reached.
        channel: Channel,
        /// Where to.
        to: ExternalId,
    },
    /// Gateway, an effect: offer the customer a call instead of their waiting.
    OfferCallback {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// From now until they are called at the latest, if they accept.
        within: Span,
        /// From now until they must have answered.
        answer_within: Span,
        /// The language that the customer is known to use.
        language: Option<Language>,
    },
    /// Gateway, an effect: send a customer who is hurt to the number outside of a recall.
    Outside {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// What the number is called.
        name: Arc<str>,
        /// Where to.
        number: Arc<str>,
    },
    /// Gateway, an effect: ask the customer of a chat whether they are still there.
    AskPresence {
        /// To be reported on.
        effect: EffectId,
        /// Which contact.
        contact: ContactId,
        /// The language that the customer is known to use.
        language: Option<Language>,
    },
    /// Gateway: the conversation goes on as this contact, under the key of the other.
    GoesOnAs {
        /// The one that is about to end.
        contact: ContactId,
        /// The one that it goes on as.
        follow_up: ContactId,
    },
    /// Both: the contact is closed.
    Ended {
        /// Which contact.
        contact: ContactId,
        /// Why.
        reason: EndReason,
    },

    /// Agent: a contact is held for you; accept or decline.
    Offer(Box<Offer>),
    /// Agent: the offer is over.
    OfferOver {
        /// Which contact.
        contact: ContactId,
        /// Which reservation.
        reservation: ReservationId,
        /// How it ended.
        how: NotTaken,
    },
    /// Agent: your phone is being called for this contact.
    Connecting(Box<Offer>),
    /// Agent: the legs could not be joined.
    ConnectFailed {
        /// Which contact.
        contact: ContactId,
        /// Which reservation.
        reservation: ReservationId,
        /// Why.
        fault: ConnectFault,
    },
    /// Agent: the contact is with you.
    Assigned(Box<Offer>),
    /// Agent: you no longer have the contact.
    Released {
        /// Which contact.
        contact: ContactId,
        /// Why.
        because: ReleasedBecause,
    },
    /// Agent: the second agent of your consult is on the line.
    ConsultJoined {
        /// Your contact.
        contact: ContactId,
        /// The consult about it.
        consult: ContactId,
        /// Who the second agent is.
        agent: AgentId,
    },
    /// Agent: your consult is over; you still have the contact.
    ConsultOver {
        /// Your contact.
        contact: ContactId,
        /// The consult about it.
        consult: ContactId,
    },
    /// Agent: the customer of your contact said something.
    CustomerInput(ContactId),
    /// Agent: time for the work after a contact.
    WrapUp {
        /// Which contact.
        contact: ContactId,
        /// How long at most.
        lasting: Span,
    },
    /// Agent: that time is over.
    WrapUpEnded(ContactId),
    /// Agent: work to make good that you lead.
    Recovery(Recovery),
    /// Agent: work to make good that you led is not yours to do any more.
    RecoveryOver {
        /// Which.
        recovery: RecoveryId,
        /// The contact in which it was opened.
        contact: ContactId,
        /// It is done; otherwise somebody else leads it.
        done: bool,
    },
    /// Agent: what you are available for.
    Availability {
        /// What.
        now: Availability,
        /// Why it changed; none when a session begins.
        because: Option<AvailabilityBecause>,
        /// What comes after the last contact in hand.
        next: Option<Availability>,
        /// Your phone could not be reached: no calls until you say that you are ready.
        phone_unreachable: bool,
        /// You have been not ready for this reason for longer than it should last.
        overstayed: bool,
        /// In how long you are to be signed out, if you are.
        leaves_in: Option<Span>,
    },
}

/// What an agent needs to know about a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Which contact.
    pub contact: ContactId,
    /// The reservation that it came by.
    pub reservation: ReservationId,
    /// How the customer reaches us.
    pub channel: Channel,
    /// From which queue.
    pub queue: QueueId,
    /// Its class of service.
    pub service: ServiceClass,
    /// How long is left to answer; zero once accepted.
    pub answer_within: Span,
    /// How long since the customer arrived.
    pub waited: Span,
    /// The earlier contact that this one goes on from.
    pub continues: Option<ContactId>,
    /// It is a consult about this contact.
    pub consult_of: Option<ContactId>,
    /// Routing facts.
    pub attributes: Option<Attributes>,
    /// The recall that it is about, by where it came in.
    pub recall: Option<RecallId>,
    /// The language that the customer is known to use.
    pub language: Option<Language>,
    /// What the customer has heard from self-service, oldest first.
    pub heard: Vec<(RecallId, Text)>,
    /// It is a call that we make.
    pub callback: Option<CallbackKind>,
    /// What else of the customer's about the same matter is open.
    pub linked: Vec<LinkedContact>,
    /// What the customer is owed, in the order in which it was promised.
    pub promises: Vec<Promise>,
}

/// An open contact that another one is linked with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkedContact {
    /// Which.
    pub contact: ContactId,
    /// How the customer reaches us there.
    pub channel: Channel,
    /// Where it is.
    pub state: StateKind,
}
