//! A gateway as the engine holds one.

use hashbrown::Equivalent;

use super::command::GatewayLimits;
use super::routing::Name;
use super::words::Key;
use crate::ids::{EntryPointId, GatewayId, SessionId};
use crate::time::EngineTime;

/// Most gateways that may make themselves known.
pub const MOST_GATEWAYS: usize = 1024;
/// Legs that one gateway may be joining without a report; arrivals from it are refused beyond.
pub const MOST_EFFECTS: u32 = 10_000;
/// Keys in one report of what a gateway still holds.
pub const MOST_KEYS: usize = 1_000;

/// One gateway.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Gateway {
    /// What it calls itself.
    pub name: Name,
    /// Its stream's session; none while it has no stream.
    pub session: Option<SessionId>,
    /// What it can carry.
    pub limits: GatewayLimits,
    /// What is being gone through for it, contact by contact.
    pub sweep: Sweep,
    /// Legs to join that it has not reported on.
    pub effects: u32,
    /// Texts that it has not reported on, calls apart, where playing takes its time.
    pub unsaid: u32,
    /// Calls of its that are with a recorded menu.
    pub in_ivr: u32,
    /// When it may be asked to call the next customer, where it has said how many calls a
    /// second it can make; the beginning of time before the first.
    pub next_call: EngineTime,
}

/// Where a contact came from: its gateway, and what it called there.
pub(crate) type Through = (GatewayId, Option<EntryPointId>);

/// How many customers are on the line or in a conversation at one gateway.
#[derive(Debug, Default)]
pub(crate) struct OnLine {
    all: u32,
    /// By entry point.
    through: Vec<u32>,
}

impl OnLine {
    /// One more, or one less.
    pub(crate) fn count(&mut self, through: Option<EntryPointId>, comes: bool) {
        let step =
            |count: &mut u32| *count = if comes { *count + 1 } else { count.saturating_sub(1) };
        step(&mut self.all);
        if let Some(through) = through {
            if self.through.len() <= through.index() {
                self.through.resize(through.index() + 1, 0);
            }
            step(&mut self.through[through.index()]);
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> u32 {
        self.all
    }

    /// Those who came by one entry point.
    pub(crate) fn through(&self, entry_point: EntryPointId) -> u32 {
        self.through.get(entry_point.index()).copied().unwrap_or_default()
    }
}

/// A gateway's name for a contact, borrowed to look the contact up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct KeyOf<'a>(pub(crate) GatewayId, pub(crate) &'a str);

impl Equivalent<(GatewayId, Key)> for KeyOf<'_> {
    fn equivalent(&self, (gateway, key): &(GatewayId, Key)) -> bool {
        self.0 == *gateway && *self.1 == **key
    }
}

/// What is being gone through for a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sweep {
    /// Nothing.
    #[default]
    None,
    /// Its contacts are marked detached.
    Detach,
    /// Contacts that it did not name when it came back are closed. Holds the session that
    /// named the others.
    CloseLost(SessionId),
}

impl Gateway {
    /// One that has just made itself known.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            name,
            session: None,
            limits: GatewayLimits::default(),
            sweep: Sweep::None,
            effects: 0,
            unsaid: 0,
            in_ivr: 0,
            next_call: EngineTime::ZERO,
        }
    }
}
