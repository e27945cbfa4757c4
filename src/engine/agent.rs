//! An agent as the engine holds one: presence, availability, and what they have in hand.

use smallvec::SmallVec;

use super::routing::AgentProfile;
use super::words::{Availability, Channel};
use crate::ids::{AgentId, ContactId, QueueId, ReasonId, SessionId};
use crate::time::EngineTime;

/// The reason that the router sets after unanswered reservations: the first of every table.
pub const RING_NO_ANSWER: ReasonId = ReasonId(0);
/// The reason of one who has just connected: the second of every table.
pub const JUST_CONNECTED: ReasonId = ReasonId(1);

/// One whole of an agent's capacity. A contact uses `WHOLE / capacity` of its channel.
pub const WHOLE: u32 = 1_000_000;

/// Whether an agent can hear us.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Presence {
    /// No stream.
    Absent,
    /// On a stream.
    Connected(SessionId),
    /// The stream is gone; until then what they have waits.
    Lost {
        /// Until when.
        until: EngineTime,
    },
}

/// What a contact in an agent's hands is to them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hold {
    /// Held for them.
    Reserved,
    /// Their phone is being called.
    Connecting,
    /// With them.
    Assigned,
    /// Over; the work after it is not.
    WrapUp {
        /// Until when at most.
        until: EngineTime,
    },
}

/// One contact in an agent's hands. Each uses capacity until it leaves them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Work {
    /// Which contact; closed already if it is in wrap-up.
    pub contact: ContactId,
    /// The queue that it came from.
    pub queue: QueueId,
    /// Its channel.
    pub channel: Channel,
    /// What it is to them.
    pub hold: Hold,
}

/// One agent.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Agent {
    /// Who.
    pub id: AgentId,
    /// Whether they can hear us.
    pub presence: Presence,
    /// What they are available for.
    pub availability: Availability,
    /// What they want to be after the last contact in hand.
    pub next: Option<Availability>,
    /// Their phone was not reached.
    pub phone_unreachable: bool,
    /// Reservations not answered, in a row.
    pub missed: u8,
    /// Since when they have had nothing new: the end of their last work, or their becoming ready.
    pub idle_since: EngineTime,
    /// Since when they are available as they are.
    pub since: EngineTime,
    /// What they have in hand.
    pub work: SmallVec<[Work; 2]>,
}

/// An agent's state as counted: what a supervisor wants to see first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AgentState {
    /// Not at work.
    SignedOut,
    /// Their stream is gone, they may come back.
    Lost,
    /// Not available.
    NotReady,
    /// Available, with nothing in hand.
    Ready,
    /// A contact is held for them.
    Reserved,
    /// With a contact, or being connected.
    Busy,
    /// In the work after a contact.
    WrapUp,
}

impl AgentState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::SignedOut,
        Self::Lost,
        Self::NotReady,
        Self::Ready,
        Self::Reserved,
        Self::Busy,
        Self::WrapUp,
    ];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Lost => "lost",
            Self::NotReady => "not_ready",
            Self::Ready => "ready",
            Self::Reserved => "reserved",
            Self::Busy => "busy",
            Self::WrapUp => "wrap_up",
        }
    }
}

impl Agent {
    /// One who has not been seen yet.
    #[must_use]
    pub fn absent(id: AgentId) -> Self {
        Self {
            id,
            presence: Presence::Absent,
            availability: Availability::SignedOut,
            next: None,
            phone_unreachable: false,
            missed: 0,
            idle_since: EngineTime::ZERO,
            since: EngineTime::ZERO,
            work: SmallVec::new(),
        }
    }

    /// Their state as counted: what they have in hand before what they say they are.
    #[must_use]
    pub fn state(&self) -> AgentState {
        let rank = |w: &Work| match w.hold {
            Hold::Connecting | Hold::Assigned => AgentState::Busy,
            Hold::Reserved => AgentState::Reserved,
            Hold::WrapUp { .. } => AgentState::WrapUp,
        };
        let any = |state| self.work.iter().any(|w| rank(w) == state);
        if any(AgentState::Busy) {
            AgentState::Busy
        } else if matches!(self.presence, Presence::Lost { .. }) {
            AgentState::Lost
        } else if any(AgentState::Reserved) {
            AgentState::Reserved
        } else if any(AgentState::WrapUp) {
            AgentState::WrapUp
        } else {
            match self.availability {
                Availability::Ready => AgentState::Ready,
                Availability::NotReady(_) => AgentState::NotReady,
                Availability::SignedOut => AgentState::SignedOut,
            }
        }
    }

    /// How much of their capacity is in use, of [`WHOLE`].
    #[must_use]
    pub fn load(&self, profile: &AgentProfile) -> u32 {
        self.work.iter().map(|w| cost(profile, w.channel)).fold(0, u32::saturating_add)
    }

    /// Whether they take contacts of this channel, now or as soon as they have capacity.
    #[must_use]
    pub fn serves(&self, profile: &AgentProfile, channel: Channel) -> bool {
        matches!(self.presence, Presence::Connected(_))
            && self.availability == Availability::Ready
            // Who wants to stop after the last contact in hand gets no more on top of it.
            && self.next.is_none_or(|next| next == Availability::Ready)
            && !profile.retired
            && profile.capacity[channel.index()] > 0
            && !(self.phone_unreachable && channel == Channel::Voice)
    }

    /// Whether they may be offered a contact of this channel now.
    #[must_use]
    pub fn can_take(&self, profile: &AgentProfile, channel: Channel) -> bool {
        self.serves(profile, channel)
            && self.load(profile).saturating_add(cost(profile, channel)) <= WHOLE
    }

    /// What they hold of a contact.
    #[must_use]
    pub fn work_on(&self, contact: ContactId) -> Option<&Work> {
        self.work.iter().find(|w| w.contact == contact)
    }
}

/// What one contact of a channel uses of an agent's capacity. Rounded down, which for
/// capacities up to 100 lets exactly that many in.
#[must_use]
pub fn cost(profile: &AgentProfile, channel: Channel) -> u32 {
    match profile.capacity[channel.index()] {
        0 => WHOLE,
        n => WHOLE / u32::from(n),
    }
}
