//! The engine: a pure state machine that decides who gets whom, when.
//!
//! [`Engine::handle`] takes a command and a time and makes events or a refusal;
//! [`Engine::apply`] is the only thing that changes state, and replay calls it alone. No
//! clock, no randomness, no IO, no async, no lock is in here, and no order of a hash map
//! ever shows.

pub mod agent;
pub mod command;
pub mod contact;
pub mod directive;
pub mod entry;
pub mod event;
pub mod refusal;
pub mod routing;
pub mod words;

use std::sync::Arc;

use crate::ids::{AgentId, ContactId, GatewayId, RequestId};
use crate::time::EngineTime;
use agent::Agent;
use command::{Command, Reply};
use contact::{Contact, StateKind};
use directive::Directive;
use event::Event;
use refusal::Refusal;
use routing::{Name, Routing};

/// The state machine.
#[derive(Debug, Default)]
pub struct Engine {
    routing: Arc<Routing>,
}

#[allow(unused_variables, clippy::todo, missing_docs, clippy::unused_self)]
impl Engine {
    /// Decides a command and applies what it decided. `request` is remembered with its
    /// reply, so that a repeat gets the same again and changes nothing.
    pub fn handle(
        &mut self,
        at: EngineTime,
        request: Option<RequestId>,
        command: &Command,
        events: &mut Vec<Event>,
    ) -> Result<Reply, Refusal> {
        todo!()
    }
    /// Applies one event. Cannot fail and decides nothing.
    pub fn apply(&mut self, at: EngineTime, event: &Event) {
        todo!()
    }
    /// Replay: applies a whole entry's events and remembers its request id.
    pub fn replay(&mut self, entry: &entry::Entry) {
        todo!()
    }
    /// What gateways and agents are to be told of events that were just applied.
    pub fn directives(&self, at: EngineTime, events: &[Event], out: &mut Vec<Directive>) {
        todo!()
    }
    /// The next moment at which `Tick` has something to do; `Some(at <= now)` when it has now.
    pub fn next_tick(&self) -> Option<EngineTime> {
        todo!()
    }
    /// Hash of all state, kept up to date by every event.
    pub fn state_hash(&self) -> u64 {
        todo!()
    }
    pub fn routing(&self) -> &Arc<Routing> {
        &self.routing
    }
    pub fn contact(&self, id: ContactId) -> Option<&Contact> {
        todo!()
    }
    /// All open contacts, in no particular order.
    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        std::iter::empty()
    }
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        todo!()
    }
    /// All agents in the order of their ids.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        std::iter::empty()
    }
    pub fn gateway_id(&self, name: &str) -> Option<GatewayId> {
        todo!()
    }
    pub fn gateway_name(&self, id: GatewayId) -> Option<&Name> {
        todo!()
    }
    /// Contacts accepted since the router began.
    pub fn accepted(&self) -> u64 {
        todo!()
    }
    /// Contacts in this state; for `Closed`, all that ever were.
    pub fn in_state(&self, kind: StateKind) -> u64 {
        todo!()
    }
}
