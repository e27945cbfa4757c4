//! The tiers that are no machine: a call that is promised, and partners who join.
//!
//! Values only, as a playbook's plan has them.

use super::Level;
use crate::engine::queue_life::Pools;
use crate::engine::words::Channel;
use crate::ids::RecallId;
use crate::time::{EngineTime, Span};

/// How the callback tier works.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallbackTier {
    /// The level from which it offers.
    pub from: Level,
    /// Offered to whom longer than this is expected to wait, by the mean.
    pub offer_after: Span,
    /// By when who accepts is called: no offer is made that this would not hold for.
    pub within: Span,
    /// Callbacks of this recall that are open at once, offers that are out included.
    pub capacity: u32,
    /// How long a customer has to answer an offer.
    pub accept_within: Span,
}

/// A call that a customer in line is offered: they answer, or go on waiting where they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CallbackOffer {
    /// Whose tier.
    pub recall: RecallId,
    /// By when they are called if they accept; the room for it is kept meanwhile.
    pub due: EngineTime,
    /// Until when they may answer.
    pub until: EngineTime,
}

/// How partners work.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PartnerTier {
    /// The level from which they are called.
    pub from: Level,
    /// Their pools, sorted.
    pub pools: Pools,
    /// From their being called to their joining.
    pub lead: Span,
    /// The part of the recall's contacts that they may take, per cent, 1 to 100.
    pub share: u8,
    /// Contacts that they have at once; 0 for as many as they can take.
    pub capacity: u32,
    /// The channels that they take, by [`Channel::index`].
    pub channels: [bool; 4],
    /// Whether they make callbacks.
    pub callbacks: bool,
}

impl PartnerTier {
    /// Whether they take a channel.
    #[must_use]
    pub const fn takes(&self, channel: Channel) -> bool {
        self.channels[channel.index()]
    }
}

/// Where the partners of a recall are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Partners {
    /// Not called: they take nothing.
    #[default]
    Away,
    /// Called: they take nothing yet.
    Called {
        /// When they join.
        joins: EngineTime,
    },
    /// They take what the plan lets them.
    Joined,
}

impl Partners {
    /// The words for all of them.
    pub const NAMES: [&'static str; 3] = ["away", "called", "joined"];

    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Away => Self::NAMES[0],
            Self::Called { .. } => Self::NAMES[1],
            Self::Joined => Self::NAMES[2],
        }
    }
}
