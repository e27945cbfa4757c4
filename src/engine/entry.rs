//! The envelope: one command's events with who, when and what for. No later work changes it.

use std::sync::Arc;

use super::event::Event;
use crate::ids::{CustomerId, RequestId};
use crate::time::EngineTime;

/// What someone may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// The router itself: timers, restarts, its own configuration file.
    Router,
    /// A telephony, chat or email gateway.
    Gateway,
    /// An agent, as themselves.
    Agent,
    /// A supervisor.
    Supervisor,
    /// On-call staff.
    OnCall,
    /// Who configures and administers.
    Admin,
    /// Who only looks.
    Viewer,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Actor {
    /// As what.
    pub role: Role,
    /// Who, by name.
    pub name: Arc<str>,
}

/// Personal data, encrypted with the customer's key. The engine never looks inside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// Whose it is; none for data under the contact's own key.
    pub customer: Option<CustomerId>,
    /// Which key of the key store it is encrypted with.
    pub key: u64,
    /// Nonce and ciphertext.
    pub bytes: Arc<[u8]>,
}

/// One command's outcome, as it is journaled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Counted from 1 without gaps.
    pub sequence: u64,
    /// When it was decided.
    pub at: EngineTime,
    /// Who asked.
    pub actor: Actor,
    /// What the client called it.
    pub request: Option<RequestId>,
    /// What happened, in order; never empty.
    pub events: Vec<Event>,
    /// Personal data that came with it.
    pub sealed: Option<Sealed>,
}
