//! An agent's day beyond contacts: why they are not ready and for how long, calls that they
//! make outside the router, and the end of their shift.
//!
//! Plain values. Owned by [`super::agent::Agent`] and [`super::routing::Routing`]; the rules
//! are in `decide::shift` and `decide::outside`. It decides nothing.

use super::routing::{Listed, Name};
use super::words::{AvailabilityBecause, Key};
use crate::ids::{GatewayId, SessionId};
use crate::time::{EngineTime, Span};

/// Calls outside the router that one agent can be in at once; more are refused.
pub const MOST_OUTSIDE: usize = 4;
/// The furthest ahead that the end of a shift may be set.
pub const LONGEST_SHIFT: Span = Span::seconds(24 * 3600);

/// A reason for not being ready.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reason {
    /// Its name, unique among reasons.
    pub name: Name,
    /// No longer in the configuration.
    pub retired: bool,
    /// How long it should last; longer is told to the agent and to supervisors, and changes
    /// nothing.
    pub limit: Option<Span>,
    /// How many of a pool may be on it at once.
    pub most: Option<Most>,
    /// What it is in reports.
    pub counts_as: Option<CountsAs>,
}

impl From<Listed> for Reason {
    fn from(listed: Listed) -> Self {
        let Listed { name, retired } = listed;
        Self { name, retired, limit: None, most: None, counts_as: None }
    }
}

/// How many of a pool may be not ready for the same reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Most {
    /// So many agents, 1 or more.
    Agents(u32),
    /// So many per cent of those of the pool who are signed in, 1 to 100; never less than one
    /// agent.
    Share(u8),
}

impl Most {
    /// So many agents, of so many who are signed in.
    #[must_use]
    pub fn of(self, signed_in: u32) -> u32 {
        match self {
            Self::Agents(most) => most,
            Self::Share(share) => (signed_in.saturating_mul(u32::from(share)) / 100).max(1),
        }
    }
}

/// What time on a reason is in reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CountsAs {
    /// Rest.
    Break,
    /// Learning.
    Training,
    /// With colleagues.
    Meeting,
    /// Work that is no contact.
    Work,
}

impl CountsAs {
    /// All of them, in the order of [`Self::WORDS`].
    pub const ALL: [Self; 4] = [Self::Break, Self::Training, Self::Meeting, Self::Work];
    /// The words for them in the configuration and in listings.
    pub const WORDS: &'static [&'static str] = &["break", "training", "meeting", "work"];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Who called whom in a call outside the router.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// Somebody called the agent.
    Inbound,
    /// The agent called somebody.
    Outbound,
}

impl Direction {
    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// A call of an agent's that the router has no part in and no contact for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OutsideCall {
    /// The gateway that reported it.
    pub gateway: GatewayId,
    /// The gateway's session that last named it; none if it was reported by a unary call.
    pub session: Option<SessionId>,
    /// The gateway's name for it.
    pub key: Key,
    /// Who called whom.
    pub direction: Direction,
    /// Since when.
    pub since: EngineTime,
    /// Until when at most.
    pub until: EngineTime,
}

/// What a gateway says of a call outside the router.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OutsideReport {
    /// It began.
    Began(Direction),
    /// It is over.
    Ended,
}

/// What became of a call outside the router.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OutsideStep {
    /// It began.
    Began {
        /// Who called whom.
        direction: Direction,
        /// The gateway's session.
        session: Option<SessionId>,
        /// Until when at most.
        until: EngineTime,
    },
    /// Its gateway came back and still has it.
    Kept(SessionId),
    /// It is over.
    Ended(OutsideEnd),
}

/// How a call outside the router ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OutsideEnd {
    /// Its gateway said so.
    Reported,
    /// Its gateway came back without it.
    Lost,
    /// Nobody said that it ended, for longer than any call.
    TooLong,
}

impl OutsideEnd {
    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Lost => "lost",
            Self::TooLong => "too_long",
        }
    }
}

/// What becomes of contacts in hand when an agent is signed out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Hands {
    /// They go back to their places; the agent is signed out at once.
    Requeue,
    /// The agent finishes them, and then is signed out.
    Finish,
}

/// That an agent is to be signed out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Leaving {
    /// When.
    pub at: EngineTime,
    /// What becomes of what they have in hand.
    pub hands: Hands,
    /// What the change is told with: a supervisor's order, or the end of the shift.
    pub because: AvailabilityBecause,
    /// The time has come: nothing more is offered, and with empty hands they are signed out.
    pub begun: bool,
}

/// What became of an order to sign an agent out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SignOutStep {
    /// It was given.
    Ordered {
        /// For when.
        at: EngineTime,
        /// What becomes of what they have in hand.
        hands: Hands,
        /// A supervisor's order for now, or the end of the shift.
        because: AvailabilityBecause,
    },
    /// It was taken back.
    TakenBack,
    /// Its time has come.
    Begun,
}
