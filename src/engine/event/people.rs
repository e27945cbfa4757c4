//! What events about an agent's day and about many contacts hold.

use crate::engine::bulk::BulkStep;
use crate::engine::day::{OutsideStep, SignOutStep};
use crate::engine::participant::ParticipantStep;
use crate::engine::words::Key;
use crate::ids::{AgentId, ContactId, GatewayId, OrderId, ReasonId, SharingId};
use crate::time::EngineTime;

/// An agent has been not ready for the same reason for longer than it should last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReasonOverstayed {
    /// Who.
    pub agent: AgentId,
    /// Which reason.
    pub reason: ReasonId,
}

/// An agent is to be signed out by others than themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignOut {
    /// Who.
    pub agent: AgentId,
    /// What became of that.
    pub step: SignOutStep,
}

/// The work after a contact may last longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrapUpExtended {
    /// Whose.
    pub agent: AgentId,
    /// After which contact.
    pub contact: ContactId,
    /// Until when now.
    pub until: EngineTime,
}

/// What became of a call of an agent's outside the router.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutsideNews {
    /// Whose.
    pub agent: AgentId,
    /// The gateway that has it.
    pub gateway: GatewayId,
    /// The gateway's name for it.
    pub key: Key,
    /// What became of it.
    pub step: OutsideStep,
}

/// Agents of other queues begin or cease to help one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SharedNews {
    /// Which sharing.
    pub sharing: SharingId,
    /// It is in force from now on; false: no longer.
    pub on: bool,
    /// How many waited in the helped queue.
    pub helped: u32,
    /// How many waited in the helpers' own.
    pub own: u32,
}

/// What became of somebody's part in a contact beside its owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParticipantNews {
    /// Which contact.
    pub contact: ContactId,
    /// Who of those on it.
    pub participant: u16,
    /// What became of it.
    pub step: ParticipantStep,
}

/// What became of an order about many contacts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BulkNews {
    /// Which.
    pub order: OrderId,
    /// What became of it.
    pub step: BulkStep,
}
