//! What the replica lets others read: state, counts and timelines at one durable moment.
//!
//! Borrowed values; the replica owns them. How counts come about is in `tally`.

use std::collections::VecDeque;
use std::sync::Arc;

use super::roster::Roster;
use super::staffing::Staffing;
use crate::engine::Engine;
use crate::engine::bulk::BulkStep;
use crate::engine::entry::Entry;
use crate::engine::event::{
    Advanced, BulkNews, CallbackPromised, CallbackStepped, Dialled, Event, HeldBack, Linked,
    NumberConfirmed, ParticipantNews, PresenceAsked, PromiseOpened, RecoveryNews, StepTaken,
    WaitAnnounced, WentSilent, WrapUpExtended,
};
use crate::engine::promise::Stage;
use crate::engine::words::{Availability, ServiceClass};
use crate::ids::{ContactId, QueueId, RecallId};
pub use crate::journal::snapshot::seen::{Brought, RecallStatistics, Timeline, TimelineItem};
use crate::time::{EngineTime, Place, Span, WallTime};

/// Most things remembered of one contact; beyond it the oldest are forgotten.
pub const TIMELINE_ITEMS: usize = 512;
/// Closed contacts whose timelines are kept.
pub const CLOSED_KEPT: usize = 10_000;
/// Forgotten at once, so that a long timeline is not moved for every item.
const FORGET: usize = 64;

/// A consistent view of everything durable. Borrowed for the length of one read.
#[derive(Debug)]
pub struct View<'a> {
    /// Engine time now, continued from the last entry applied.
    pub now: EngineTime,
    /// Sequence of the last entry applied; 0 before the first.
    pub sequence: u64,
    /// The replica's engine.
    pub engine: &'a Engine,
    /// What was counted.
    pub statistics: &'a Statistics,
    /// What happened to each contact.
    pub timelines: &'a Timelines,
    /// Which agents serve which queues.
    pub staffing: &'a Staffing,
    /// What agents are, and how that changed.
    pub roster: &'a Roster,
}

/// Counts by queue since the journal began.
#[derive(Debug, Default)]
pub struct Statistics {
    /// By [`QueueId`].
    pub queues: Vec<QueueStatistics>,
    /// Who waits with nobody, by class of service in the order of [`ServiceClass::ALL`].
    pub classes: [Waiting; ServiceClass::ALL.len()],
    /// Recalls in the order of start: all in force, and the last that are over.
    pub recalls: Vec<RecallStatistics>,
    /// Contacts sent to self-service that had been there, or go on from one that had. Must be 0.
    pub bounced_twice: u64,
    /// Contacts that came back from self-service to a later place. Must be 0.
    pub places_lost: u64,
    /// Contacts about safety sent to self-service. Must be 0.
    pub safety_diverted: u64,
    /// Reservations made while somebody had the contact. Must be 0.
    pub double_reservations: u64,
    /// Times the replica's hash differed from the owner's. Must be 0.
    pub divergences: u64,
    /// When the oldest open reservation was made; none when there is none.
    pub oldest_reservation: Option<EngineTime>,
}

impl Statistics {
    /// Of one queue; zeros for one that nothing happened in.
    #[must_use]
    pub fn queue(&self, id: QueueId) -> QueueStatistics {
        self.queues.get(id.index()).copied().unwrap_or_default()
    }

    /// Of one recall; none if it never was or was over long ago.
    #[must_use]
    pub fn recall(&self, id: RecallId) -> Option<&RecallStatistics> {
        self.recalls.iter().find(|r| r.recall == id)
    }

    pub(crate) fn queue_mut(&mut self, id: QueueId) -> &mut QueueStatistics {
        if self.queues.len() <= id.index() {
            self.queues.resize(id.index() + 1, QueueStatistics::default());
        }
        &mut self.queues[id.index()]
    }
}

/// What happened in one queue. Consults wait in it too, but are not offered, answered or
/// abandoned: no customer is at the end of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueueStatistics {
    /// Contacts that entered it; coming back to it is not entering.
    pub offered: u64,
    /// Contacts whose first answer was in it.
    pub answered: u64,
    /// Of those answered within target.
    pub answered_in_target: u64,
    /// Contacts that left before an answer.
    pub abandoned: u64,
    /// Of those that left after the target had passed.
    pub abandoned_after_target: u64,
    /// Contacts waiting in it now, with nobody.
    pub waiting: u64,
    /// The oldest arrival among those waiting, less what they had waited with their
    /// gateway; that may be before the router's beginning.
    pub oldest: Option<Place>,
    /// Sum of waits of those answered, microseconds, waits with the gateway included.
    pub answered_wait_us: u64,
}

impl QueueStatistics {
    /// How long the one who waits longest has waited; zero when nobody does.
    #[must_use]
    pub fn oldest_wait(&self, now: EngineTime) -> Span {
        waited_since(self.oldest, now)
    }
}

fn waited_since(oldest: Option<Place>, now: EngineTime) -> Span {
    let now = i128::from(now.0);
    // Negative when the replica's clock is a moment behind the entry.
    let waited = |began: Place| u64::try_from(now - i128::from(began.0)).unwrap_or_default();
    Span(oldest.map_or(0, waited))
}

/// Those who wait with nobody, consults included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    /// How many.
    pub now: u64,
    /// The oldest arrival among them, less what they had waited with their gateway.
    pub oldest: Option<Place>,
}

impl Waiting {
    /// How long the one who waits longest has waited; zero when nobody does.
    #[must_use]
    pub fn oldest_wait(&self, now: EngineTime) -> Span {
        waited_since(self.oldest, now)
    }
}

/// Timelines of open contacts as a snapshot holds them.
type TimelineImage = Vec<(ContactId, Arc<Timeline>)>;

/// What happened to each open contact and to the last closed ones.
#[derive(Debug, Default)]
pub struct Timelines {
    /// Open contacts and recently closed ones.
    pub(crate) by_contact: hashbrown::HashMap<ContactId, Arc<Timeline>, rustc_hash::FxBuildHasher>,
    /// Closed ones in the order of closing, the oldest forgotten first.
    pub(crate) closed: VecDeque<ContactId>,
}

impl Timelines {
    /// What happened to a contact; none if it was closed too long ago or never was.
    #[must_use]
    pub fn of(&self, contact: ContactId) -> Option<&Timeline> {
        self.by_contact.get(&contact).map(|timeline| &**timeline)
    }

    /// Those of open contacts, for a snapshot.
    pub(crate) fn image(&self, is_open: impl Fn(ContactId) -> bool) -> TimelineImage {
        let open = self.by_contact.iter().filter(|(contact, _)| is_open(**contact));
        open.map(|(contact, timeline)| (*contact, Arc::clone(timeline))).collect()
    }

    /// From a snapshot: those that were closed before it are not in it.
    pub(crate) fn restore(image: &[(ContactId, Arc<Timeline>)]) -> Self {
        let by_contact = image.iter().cloned().collect();
        Self { by_contact, closed: VecDeque::new() }
    }

    /// Adds an entry's events to the timelines of the contacts that they are about. A
    /// person's order is told with the first of them.
    pub(crate) fn add(&mut self, entry: &Entry, wall: WallTime) {
        let mut order = None;
        for event in &entry.events {
            if matches!(event, Event::Ordered { .. }) {
                order = Some(event);
                continue;
            }
            let about = about(event);
            let Some(first) = about[0] else { continue };
            if let Some(order) = order.take() {
                self.put(first, entry, wall, &Arc::new(order.clone()));
            }
            let shared = Arc::new(event.clone());
            for contact in about.into_iter().flatten() {
                self.put(contact, entry, wall, &shared);
            }
            if let Event::Closed { contact, .. } = event {
                self.close(*contact);
            }
        }
    }

    fn put(&mut self, contact: ContactId, entry: &Entry, wall: WallTime, event: &Arc<Event>) {
        let begins = matches!(
            **event,
            Event::Arrived(_)
                | Event::ConsultStarted { .. }
                | Event::FollowUpOpened(_)
                | Event::PromiseOpened(_)
        );
        let timeline = if begins {
            self.by_contact.entry(contact).or_default()
        } else {
            // A code given after the timeline was forgotten must not begin it anew.
            let Some(timeline) = self.by_contact.get_mut(&contact) else { return };
            timeline
        };
        // A snapshot that is being written may hold it too.
        let timeline = Arc::make_mut(timeline);
        if timeline.items.len() >= TIMELINE_ITEMS {
            timeline.items.drain(..FORGET);
            timeline.forgotten += FORGET as u64;
        }
        timeline.items.push(TimelineItem {
            sequence: entry.sequence,
            at: entry.at,
            wall,
            actor: entry.actor.clone(),
            event: event.clone(),
            sealed: entry.sealed.clone(),
            became_ready: became_ready(entry, event),
        });
    }

    fn close(&mut self, contact: ContactId) {
        self.closed.push_back(contact);
        if self.closed.len() > CLOSED_KEPT
            && let Some(oldest) = self.closed.pop_front()
        {
            self.by_contact.remove(&oldest);
        }
    }
}

fn became_ready(entry: &Entry, event: &Event) -> bool {
    let Event::Reserved(reserved) = event else { return false };
    entry.events.iter().any(|event| {
        matches!(event, Event::AvailabilityChanged { agent, to: Availability::Ready, .. }
            if *agent == reserved.agent)
    })
}

/// The contacts that an event is about.
#[expect(clippy::too_many_lines, reason = "one line an event, and the compiler asks for each")]
pub(crate) fn about(event: &Event) -> [Option<ContactId>; 2] {
    let one = match event {
        Event::Arrived(arrived) => arrived.contact,
        Event::Queued(queued) => queued.contact,
        Event::Reserved(reserved) => reserved.contact,
        Event::ConsultStarted { parent, child, .. } => return [Some(*parent), Some(*child)],
        Event::Detached(contact)
        | Event::OpenedToAll(contact)
        | Event::InputReceived(contact)
        | Event::ReplyCame(contact)
        | Event::HoldEnded(contact)
        | Event::FellSilent(contact)
        | Event::PresenceAssumed(contact) => *contact,
        Event::PlaceKept(kept) => kept.contact,
        Event::FeedbackGiven(given) => given.contact,
        Event::Linked(Linked { contact, with, .. }) => return [Some(*contact), Some(*with)],
        Event::Advanced(Advanced { contact, .. })
        | Event::HeldBack(HeldBack { contact, .. })
        | Event::PresenceAsked(PresenceAsked { contact, .. })
        | Event::WentSilent(WentSilent { contact, .. }) => *contact,
        Event::Reattached { contact, .. }
        | Event::PassOverEnded { contact, .. }
        | Event::Renewed { contact, .. }
        | Event::Reprioritised { contact, .. }
        | Event::NotTaken { contact, .. }
        | Event::Accepted { contact, .. }
        | Event::EffectAsked { contact, .. }
        | Event::EffectSettled { contact, .. }
        | Event::LegReported { contact, .. }
        | Event::Bridged { contact, .. }
        | Event::ConnectFailed { contact, .. }
        | Event::Pended { contact, .. }
        | Event::AttributesSet { contact, .. }
        | Event::HoldChanged { contact, .. }
        | Event::RecordingNoted { contact, .. }
        | Event::Coded { contact, .. }
        | Event::HandedOver { contact, .. }
        | Event::Closed { contact, .. }
        | Event::WrapUpEnded { contact, .. } => *contact,
        Event::FollowUpOpened(arrived) => return [Some(arrived.contact), arrived.continues],
        Event::Triaged { contact, .. }
        | Event::Diverted { contact, .. }
        | Event::Stepped { contact, .. }
        | Event::Returned { contact, .. }
        | Event::WordsAsked { contact, .. }
        | Event::WordsRead { contact, .. }
        | Event::WrapUpExtended(WrapUpExtended { contact, .. })
        | Event::Participant(ParticipantNews { contact, .. })
        | Event::KeysPressed { contact, .. }
        | Event::WaitAnnounced(WaitAnnounced { contact, .. }) => *contact,
        Event::Bulk(BulkNews {
            step: BulkStep::Acts(contact) | BulkStep::Skips(contact, _),
            ..
        }) => *contact,
        Event::StepTaken(StepTaken { filing, .. }) | Event::Refiled(filing) => filing.contact,
        Event::PromiseOpened(PromiseOpened { arrived, .. }) => {
            return [Some(arrived.contact), arrived.continues];
        }
        Event::CallLost(contact) => *contact,
        Event::NumberConfirmed(NumberConfirmed { contact, .. })
        | Event::CallbackPromised(CallbackPromised { contact, .. })
        | Event::CallbackStepped(CallbackStepped { contact, .. })
        | Event::Dialled(Dialled { contact, .. }) => *contact,
        Event::PromiseMade(p) | Event::PromiseSet(p) => {
            let working = match p.stage {
                Stage::Working(contact) if contact != p.contact => Some(contact),
                _ => None,
            };
            return [Some(p.contact), working];
        }
        Event::RecoveryOpened(now) | Event::RecoverySet(RecoveryNews { now, .. }) => now.contact,
        Event::Unchanged { contact } => return [*contact, None],
        Event::Restarted { .. }
        | Event::Configured(_)
        | Event::RecallStarted { .. }
        | Event::ReservationsPaused { .. }
        | Event::HoursChanged(_)
        | Event::LevelChanged { .. }
        | Event::RecallEnded { .. }
        | Event::Ordered { .. }
        | Event::GatewayRegistered { .. }
        | Event::GatewayConnected { .. }
        | Event::GatewayLost { .. }
        | Event::GatewayResynced { .. }
        | Event::AgentConnected { .. }
        | Event::AgentLost { .. }
        | Event::AvailabilityChanged { .. }
        | Event::NextSet { .. }
        | Event::ReasonOverstayed(_)
        | Event::SignOut(_)
        | Event::OutsideCall(_)
        | Event::Bulk(_)
        | Event::PhoneUnreachable(_) => return [None, None],
    };
    [Some(one), None]
}
