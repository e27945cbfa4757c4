//! Which contacts an event is about.
//!
//! One list for all who ask: timelines, the archive, and decisions that look at a contact
//! around whatever happens to it. The compiler asks for every event.

use super::{
    Advanced, BulkNews, CallbackPromised, CallbackStepped, Dialled, Event, HeldBack, Linked,
    NumberConfirmed, ParticipantNews, PresenceAsked, PromiseOpened, RecordingNoted, RecoveryNews,
    SafetyNews, StepTaken, WaitAnnounced, WentSilent, WrapUpExtended,
};
use crate::engine::bulk::BulkStep;
use crate::engine::promise::Stage;
use crate::ids::ContactId;

impl Event {
    /// The contacts that it is about, the one that it happened to first.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one line an event, and the compiler asks for each")]
    pub fn about(&self) -> [Option<ContactId>; 2] {
        let one = match self {
            Self::Arrived(arrived) => arrived.contact,
            Self::Queued(queued) => queued.contact,
            Self::Reserved(reserved) => reserved.contact,
            Self::ConsultStarted { parent, child, .. } => return [Some(*parent), Some(*child)],
            Self::Detached(contact)
            | Self::OpenedToAll(contact)
            | Self::InputReceived(contact)
            | Self::ReplyCame(contact)
            | Self::HoldEnded(contact)
            | Self::FellSilent(contact)
            | Self::PresenceAssumed(contact) => *contact,
            Self::PlaceKept(kept) => kept.contact,
            Self::FeedbackGiven(given) => given.contact,
            Self::Linked(Linked { contact, with, .. }) => return [Some(*contact), Some(*with)],
            Self::Advanced(Advanced { contact, .. })
            | Self::HeldBack(HeldBack { contact, .. })
            | Self::PresenceAsked(PresenceAsked { contact, .. })
            | Self::WentSilent(WentSilent { contact, .. }) => *contact,
            Self::Reattached { contact, .. }
            | Self::PassOverEnded { contact, .. }
            | Self::Renewed { contact, .. }
            | Self::Reprioritised { contact, .. }
            | Self::NotTaken { contact, .. }
            | Self::Accepted { contact, .. }
            | Self::EffectAsked { contact, .. }
            | Self::EffectSettled { contact, .. }
            | Self::LegReported { contact, .. }
            | Self::Bridged { contact, .. }
            | Self::ConnectFailed { contact, .. }
            | Self::Pended { contact, .. }
            | Self::AttributesSet { contact, .. }
            | Self::HoldChanged { contact, .. }
            | Self::RecordingNoted(RecordingNoted { contact, .. })
            | Self::Coded { contact, .. }
            | Self::HandedOver { contact, .. }
            | Self::Closed { contact, .. }
            | Self::WrapUpEnded { contact, .. } => *contact,
            Self::FollowUpOpened(arrived) => return [Some(arrived.contact), arrived.continues],
            Self::Triaged { contact, .. }
            | Self::Diverted { contact, .. }
            | Self::Stepped { contact, .. }
            | Self::Returned { contact, .. }
            | Self::WordsAsked { contact, .. }
            | Self::WordsRead { contact, .. }
            | Self::WrapUpExtended(WrapUpExtended { contact, .. })
            | Self::Participant(ParticipantNews { contact, .. })
            | Self::KeysPressed { contact, .. }
            | Self::Safety(SafetyNews { contact, .. })
            | Self::WaitAnnounced(WaitAnnounced { contact, .. }) => *contact,
            Self::Bulk(BulkNews {
                step: BulkStep::Acts(contact) | BulkStep::Skips(contact, _),
                ..
            }) => *contact,
            Self::StepTaken(StepTaken { filing, .. }) | Self::Refiled(filing) => filing.contact,
            Self::PromiseOpened(PromiseOpened { arrived, .. }) => {
                return [Some(arrived.contact), arrived.continues];
            }
            Self::CallLost(contact) => *contact,
            Self::NumberConfirmed(NumberConfirmed { contact, .. })
            | Self::CallbackPromised(CallbackPromised { contact, .. })
            | Self::CallbackStepped(CallbackStepped { contact, .. })
            | Self::Dialled(Dialled { contact, .. }) => *contact,
            Self::PromiseMade(p) | Self::PromiseSet(p) => {
                let working = match p.stage {
                    Stage::Working(contact) if contact != p.contact => Some(contact),
                    _ => None,
                };
                return [Some(p.contact), working];
            }
            Self::RecoveryOpened(now) | Self::RecoverySet(RecoveryNews { now, .. }) => now.contact,
            Self::Unchanged { contact } => return [*contact, None],
            Self::Restarted { .. }
            | Self::Configured(_)
            | Self::RecallStarted { .. }
            | Self::ReservationsPaused { .. }
            | Self::HoursChanged(_)
            | Self::LevelChanged { .. }
            | Self::LevelFreed { .. }
            | Self::LevelPressed { .. }
            | Self::RecallEnded { .. }
            | Self::PartnersSet(_)
            | Self::BreakerSet(_)
            | Self::Ordered { .. }
            | Self::GatewayRegistered { .. }
            | Self::GatewayConnected { .. }
            | Self::GatewayLost { .. }
            | Self::GatewayResynced { .. }
            | Self::AgentConnected { .. }
            | Self::AgentLost { .. }
            | Self::AvailabilityChanged { .. }
            | Self::NextSet { .. }
            | Self::ReasonOverstayed(_)
            | Self::SignOut(_)
            | Self::OutsideCall(_)
            | Self::Bulk(_)
            | Self::Shared(_)
            | Self::Alarm(_)
            | Self::Amended(_)
            | Self::Rechecked(_)
            | Self::PhoneUnreachable(_) => return [None, None],
        };
        [Some(one), None]
    }
}
