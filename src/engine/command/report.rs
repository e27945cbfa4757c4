//! What gateways say of themselves and report.

use std::sync::Arc;

use super::super::callback::{DialOutcome, Wanted};
use super::super::care::FeedbackReport;
use super::super::day::OutsideReport;
use super::super::recall::{Heed, LotVerdict, Wish};
use super::super::words::{
    Attributes, Channel, Consent, Key, Keys, Language, LegOutcome, Needs, Party,
};
use crate::ids::{AgentId, ContactId, CustomerId, EffectId, EntryPointId, QueueId, ReservationId};
use crate::time::Span;

/// What a gateway can carry, for the surge to plan with; 0 is "not said".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct GatewayLimits {
    /// Most conversations at once, of all channels: beyond, no customer is called.
    pub sessions: u32,
    /// Most ports for recorded menus at once.
    pub ivr_ports: u32,
    /// Most calls a second that it is asked to make.
    pub calls_per_second: u32,
    /// It says texts to customers: self-service is possible on it.
    pub says: bool,
    /// It offers customers calls and tells what they answer.
    pub offers: bool,
}

/// What a gateway reports.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Report {
    /// These contacts it still holds, after a hello; at most 1,000 keys in one report.
    Holding {
        /// By its own keys.
        keys: Vec<Key>,
        /// Nothing more follows: what was not named is lost.
        last: bool,
    },
    /// Someone came in.
    Arrived(Arrival),
    /// Routing facts about a contact, in place of those before.
    Attributes {
        /// Which contact.
        contact: ContactId,
        /// All of them.
        attributes: Attributes,
    },
    /// The customer said, typed or pressed something; its words ride sealed.
    Input {
        /// Which contact.
        contact: ContactId,
        /// What of it is for the engine.
        heard: Heard,
    },
    /// What became of a leg.
    Leg {
        /// The connecting contact's reservation.
        reservation: ReservationId,
        /// Which leg.
        party: Party,
        /// What became of it.
        outcome: LegOutcome,
        /// The gateway's own code (a SIP status), 0 if none.
        code: u16,
    },
    /// The legs of this reservation's contact are joined.
    Bridged(ReservationId),
    /// The customer was put on hold or taken back.
    Hold {
        /// Which contact.
        contact: ContactId,
        /// On hold, or back.
        on: bool,
    },
    /// Where a recording is kept, and whether the customer agreed.
    Recording {
        /// Which contact.
        contact: ContactId,
        /// The recorder's reference, at most 256 bytes.
        reference: Arc<str>,
        /// Whether the customer agreed.
        consent: Consent,
    },
    /// An effect is done.
    EffectDone(EffectId),
    /// An effect cannot be done.
    EffectFailed {
        /// Which effect.
        effect: EffectId,
        /// The gateway's own code, 0 if none.
        code: u16,
    },
    /// The agent's leg of a joined contact is gone, and the customer is still there.
    AgentLegLost(ContactId),
    /// The customer hung up, closed the window, or withdrew the letter.
    CustomerLeft(ContactId),
    /// A number at which the customer can be called is confirmed, or is not any more; the
    /// number itself rides sealed.
    NumberConfirmed {
        /// Which contact.
        contact: ContactId,
        /// It is.
        confirmed: bool,
    },
    /// The customer wants to be called back.
    CallbackWanted {
        /// Which contact.
        contact: ContactId,
        /// Their number is confirmed.
        confirmed: bool,
        /// When.
        wanted: Wanted,
    },
    /// What a customer answered who was offered a call.
    OfferAnswered {
        /// Which contact.
        contact: ContactId,
        /// Which effect offered it.
        effect: EffectId,
        /// They want it; otherwise they wait on.
        accepted: bool,
        /// Their number is confirmed.
        confirmed: bool,
    },
    /// The customer no longer wants to be called back.
    CallbackCancelled(ContactId),
    /// A call is gone that nobody hung up.
    CallLost(ContactId),
    /// What came of dialling a customer.
    Dialled {
        /// Which effect asked for it.
        effect: EffectId,
        /// What.
        outcome: DialOutcome,
        /// The gateway's own code (a SIP status), 0 if none.
        code: u16,
    },

    /// The customer said what they think of a contact, open or closed, of any gateway.
    Feedback(FeedbackReport),
    /// A call that an agent makes or takes outside the router.
    OutsideCall {
        /// Whose.
        agent: AgentId,
        /// The gateway's name for it.
        key: Key,
        /// What became of it.
        now: OutsideReport,
    },
    /// Somebody who was on a contact beside its owner left it.
    ParticipantLeft {
        /// Which contact.
        contact: ContactId,
        /// Who of those on it.
        participant: u16,
    },
}

/// What of a customer's input is for the engine. Never their words.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Heard {
    /// There were words.
    pub words: bool,
    /// There were words or keys that are secret, of which nothing else is told.
    pub secret: bool,
    /// What they were found to mean at intake.
    pub heed: Option<Heed>,
    /// What the customer wants to happen.
    pub wish: Option<Wish>,
    /// Keys pressed, at most 64, none of them secret.
    pub keys: Option<Keys>,
    /// What the affected-or-not check of the contact's recall says of the keys.
    pub lot: Option<LotVerdict>,
    /// The version of the playbook that `lot` was found by; none where that is not known. What
    /// an older version says is not affected cannot be told.
    pub lot_by: Option<[u8; 32]>,
}

/// Someone who came in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Arrival {
    /// The gateway's name for the contact.
    pub key: Key,
    /// How they reach us.
    pub channel: Channel,
    /// Where they go.
    pub queue: QueueId,
    /// Where they came in, if that decided the queue.
    pub entry_point: Option<EntryPointId>,
    /// What an agent must have beyond what the queue needs.
    pub needs: Needs,
    /// What an agent should have beyond what the queue prefers.
    pub preferred: Needs,
    /// Head start beyond the queue's, at most a day.
    pub head_start: Span,
    /// About injury, exposure or an adverse event.
    pub safety: bool,
    /// Who it is, if known for certain.
    pub customer: Option<CustomerId>,
    /// The earlier contact that this one goes on from.
    pub continues: Option<ContactId>,
    /// How long they have waited with the gateway already, at most a day: counts toward their place.
    pub waited: Span,
    /// Routing facts.
    pub attributes: Option<Attributes>,
    /// A number at which they can be called is known and confirmed.
    pub number_confirmed: bool,
    /// The language that they are known to use.
    pub language: Option<Language>,
    /// What their words were found to mean at intake.
    pub heed: Option<Heed>,
    /// Hash of all that was reported, personal data included and `waited` left out, the same
    /// in every version: a repeat is told from other content by it.
    pub content: u64,
}
