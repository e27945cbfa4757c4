//! An image of the engine: its primary state as plain values, and an engine made from them.
//!
//! For snapshots: the replica takes one between two entries, [`crate::journal`] stores it,
//! and a start makes an engine of it. Only what events make is in it; what is derived
//! (lines, timers, indexes, hashes) is made again by the code that events use, and where
//! work done in slices has got to is forgotten, as at every restart. It does no IO and
//! knows no format.

use std::sync::Arc;

use thiserror::Error;

use super::agent::Agent;
use super::bulk::Bulk;
use super::command::Reply;
use super::contact::{Contact, State, StateKind};
use super::floor::Stand;
use super::gateway::Gateway;
use super::hours::Hours;
pub use super::inflow::Arrivals;
pub use super::pace::{Measure, Rates, Taken};
use super::promise::{OwedCounts, Promise, Recovery};
use super::recall::Recall;
pub use super::recent::{KeptPlace, LastOfThread, MOST_RECENT};
use super::routing::Routing;
use super::sharing::Shared;
pub use super::sticky::LastAgent;
use super::store::{Filed, Store, hash_of};
use super::{Engine, HASH_VERSION, Standing};
use crate::ids::{AgentId, ContactId, GatewayId, RequestId, ReservationId};
use crate::time::EngineTime;

/// What is counted, never made again.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub struct Counts {
    /// Contacts accepted since the beginning.
    pub accepted: u64,
    /// Contacts by [`StateKind::index`]; in an image only those that are closed.
    pub by_state: [u64; 8],
    /// The last reservation's id.
    pub last_reservation: u64,
    /// The last effect's id.
    pub last_effect: u64,
    /// The last session's id.
    pub last_session: u64,
    /// The last question's id.
    pub last_ask: u64,
    /// The last recall's id.
    pub last_recall: u16,
    /// The id of the last order about many contacts.
    pub last_order: u64,
    /// What async contacts are owed for being passed over, in hundredths of a decision.
    pub async_owed: u32,
    /// No reservation is made.
    pub paused: bool,
}

/// A request that was answered, and what it was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// The request.
    pub request: RequestId,
    /// The first reply to it.
    pub reply: Reply,
}

/// The engine's primary state between two entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Image {
    /// The routing configuration in force.
    pub routing: Arc<Routing>,
    /// Agents in the order of their ids: as many as the configuration has.
    pub agents: Vec<Agent>,
    /// Gateways in the order of their ids.
    pub gateways: Vec<Gateway>,
    /// Recalls in the order of start.
    pub recalls: Vec<Recall>,
    /// Orders about many contacts, in the order in which they were given.
    pub bulks: Vec<Bulk>,
    /// Sharings in force, in the order of their ids.
    pub shared: Vec<Shared>,
    /// What is measured by queue and channel.
    pub pace: Vec<[Rates; 4]>,
    /// What came in lately by queue and channel.
    pub inflow: Vec<[Arrivals; 4]>,
    /// What calendars say, as far as they were heard of.
    pub hours: Vec<Hours>,
    /// Whom customers last had, the longest ago first.
    pub last_agents: Vec<LastAgent>,
    /// Places of those who left unanswered, the one that is forgotten first at the front.
    pub kept_places: Vec<KeptPlace>,
    /// Whom closed letters and messages had last, in the same order.
    pub threads: Vec<LastOfThread>,
    /// What was counted.
    pub counts: Counts,
    /// Open promises, in the order in which they were made.
    pub promises: Vec<Promise>,
    /// Open recoveries, in the order in which they were opened.
    pub recoveries: Vec<Recovery>,
    /// What was counted of both.
    pub owed: OwedCounts,
    /// Open contacts in the order in which a sweep walks them.
    pub contacts: Vec<Contact>,
    /// Gaps between them, the one to be filled next last: sweeps go on in the same order.
    pub free: Vec<u32>,
    /// Requests that were answered, the oldest first.
    pub remembered: Vec<Remembered>,
    /// The state hash.
    pub state_hash: u64,
    /// Which way of hashing it is, [`HASH_VERSION`]; others cannot be compared.
    pub hash_version: u32,
}

/// Why an image is not that of an engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ImageError {
    /// Agents are not those of the configuration.
    #[error("agents: {found} of them, the configuration has {expected}")]
    Agents {
        /// As many as the configuration has.
        expected: usize,
        /// As many as there are.
        found: usize,
    },
    /// An agent stands at another's place.
    #[error("agents: agent {0} stands at another's place")]
    AgentOrder(AgentId),
    /// A customer last had an agent who does not exist.
    #[error("last_agents: agent {0} does not exist")]
    LastAgent(AgentId),
    /// An agent has a call of another or of a gateway that does not exist.
    #[error("agents: agent {0} has a call of another, or of a gateway that does not exist")]
    Outside(AgentId),
    /// Gaps between contacts are named twice or lie beyond them.
    #[error("contacts: the gaps between them do not fit, or a contact is there twice")]
    Slots,
    /// A contact is in no state.
    #[error("contacts: contact {0} was accepted and placed nowhere")]
    Unplaced(ContactId),
    /// A contact names a gateway, a queue or an agent that does not exist.
    #[error("contacts: contact {0} names a gateway, queue or agent that does not exist")]
    Dangling(ContactId),
    /// A contact has a key, a reservation or an effect that another has.
    #[error("contacts: contact {0} has a key, reservation or effect of another")]
    Shared(ContactId),
    /// Accepted contacts are not the sum over states.
    #[error("counts: {accepted} accepted, {found} found")]
    Conservation {
        /// Contacts accepted.
        accepted: u64,
        /// Contacts in all states.
        found: u64,
    },
    /// A promise or a recovery is there twice.
    #[error("promises: one of them, or of the recoveries, is there twice")]
    Owed,
    /// The state hash is another.
    #[error("the state hash is {found:016x}, the image says {expected:016x}")]
    Hash {
        /// What the image says.
        expected: u64,
        /// That of the engine made from it.
        found: u64,
    },
}

impl Engine {
    /// An image of the state now. Copies every open contact and nothing that is derived.
    #[must_use]
    pub fn image(&self) -> Image {
        let mut counts = self.counts.clone();
        counts.by_state[..StateKind::Closed.index()].fill(0);
        Image {
            routing: Arc::clone(&self.routing),
            agents: self.agents.clone(),
            gateways: self.gateways.clone(),
            recalls: self.recalls.clone(),
            bulks: self.bulks.clone(),
            shared: self.shared.clone(),
            pace: self.pace.all().to_vec(),
            inflow: self.inflow.all().to_vec(),
            hours: self.hours.clone(),
            last_agents: self.sticky.all().collect(),
            kept_places: self.kept.all().collect(),
            threads: self.threads.all().collect(),
            counts,
            promises: self.promises().copied().collect(),
            recoveries: self.recoveries().copied().collect(),
            owed: self.owed.counts.clone(),
            contacts: self.contacts().cloned().collect(),
            free: self.contacts.free().to_vec(),
            remembered: self.memory.all().collect(),
            state_hash: self.state_hash(),
            hash_version: HASH_VERSION,
        }
    }

    /// An engine of the state that an image holds.
    ///
    /// # Errors
    /// [`ImageError`] when what it holds cannot be the state of an engine, or is another
    /// state than the one that it was taken of.
    pub fn restore(image: &Image) -> Result<Self, ImageError> {
        let mut engine = Self {
            // What configuration they were offered under is not known any more.
            reloaded: ReservationId(image.counts.last_reservation),
            counts: image.counts.clone(),
            gateways: image.gateways.clone(),
            bulks: image.bulks.clone(),
            shared: image.shared.clone(),
            pace: super::Pace::of(image.pace.clone()),
            inflow: super::Inflow::of(image.inflow.clone()),
            hours: image.hours.clone(),
            ..Self::default()
        };
        engine.restore_agents(image)?;
        for recall in &image.recalls {
            engine.timers.enter_recall(recall);
            engine.recalls.push(recall.clone());
        }
        // After agents and recalls: who is idle and who is kept is looked up in them.
        engine.configure_floor();
        // Whose turn has come long since is seen at the first tick.
        let turns = (0u16..).map(GatewayId).zip(&engine.gateways);
        let turns = turns.filter(|(_, g)| g.next_call > EngineTime::ZERO);
        engine.turns = turns.map(|(id, g)| (id, g.next_call)).collect();
        engine.restore_contacts(image)?;
        engine.restore_owed(image)?;
        image.kept_places.iter().for_each(|row| engine.kept.put(*row));
        image.threads.iter().for_each(|row| engine.threads.put(*row));
        for remembered in &image.remembered {
            engine.memory.put(remembered.request, remembered.reply.clone());
        }
        let (expected, found) = (image.state_hash, engine.state_hash());
        if image.hash_version == HASH_VERSION && expected != found {
            return Err(ImageError::Hash { expected, found });
        }
        Ok(engine)
    }

    fn restore_owed(&mut self, image: &Image) -> Result<(), ImageError> {
        for promise in &image.promises {
            if self.owed.put(*promise).is_some() {
                return Err(ImageError::Owed);
            }
            self.timers.move_promise(None, promise);
        }
        for recovery in &image.recoveries {
            if self.owed.put_recovery(*recovery).is_some() {
                return Err(ImageError::Owed);
            }
            self.timers.move_recovery(None, recovery);
        }
        self.owed.counts = image.owed.clone();
        Ok(())
    }

    fn restore_agents(&mut self, image: &Image) -> Result<(), ImageError> {
        let (expected, found) = (image.routing.agents.len(), image.agents.len());
        if expected != found {
            return Err(ImageError::Agents { expected, found });
        }
        self.routing = Arc::clone(&image.routing);
        self.sticky.configure(image.routing.longest_sticky());
        for last in &image.last_agents {
            if last.agent.index() >= found {
                return Err(ImageError::LastAgent(last.agent));
            }
            self.sticky.put(*last);
        }
        // Before the first configuration there is none to hash.
        if *image.routing != Routing::default() {
            self.hashes.routing = hash_of(&image.routing);
        }
        for (index, agent) in image.agents.iter().enumerate() {
            if agent.id.index() != index {
                return Err(ImageError::AgentOrder(agent.id));
            }
            let hash = hash_of(agent);
            self.hashes.agents ^= hash;
            self.standings.push(Standing { hash, ..Standing::default() });
            self.timers.enter_agent(agent);
            for call in &agent.outside {
                let known = call.gateway.index() < image.gateways.len();
                let name = (call.gateway, call.key.clone());
                if !known || self.outside.insert(name, agent.id).is_some() {
                    return Err(ImageError::Outside(agent.id));
                }
            }
        }
        self.agents.clone_from(&image.agents);
        Ok(())
    }

    fn restore_contacts(&mut self, image: &Image) -> Result<(), ImageError> {
        self.counts.by_state[..StateKind::Closed.index()].fill(0);
        let mut filed = Vec::with_capacity(image.contacts.len());
        let mut waiting = Vec::new();
        for contact in &image.contacts {
            self.restore_indexes(contact)?;
            let hash = hash_of(contact);
            self.hashes.contacts ^= hash;
            self.counts.by_state[contact.state.kind().index()] += 1;
            self.timers.enter_contact(contact);
            self.board.enter(contact);
            self.late.enter(contact);
            self.known.enter(contact);
            if contact.is_on_line() {
                self.count_on_line((contact.gateway, contact.entry_point), true);
            }
            self.floor.asks_changed(None, contact.care.asked_for());
            if contact.is_in_line() {
                waiting.push((contact.place, contact.id));
            }
            filed.push(Filed { contact: contact.clone(), stand: Stand::Off, hash });
        }
        let (accepted, found) = (self.counts.accepted, self.counts.by_state.iter().sum());
        if accepted != found {
            return Err(ImageError::Conservation { accepted, found });
        }
        self.contacts = Store::refilled(filed, &image.free).ok_or(ImageError::Slots)?;
        // In order of place, so that lines are rows and not trees.
        waiting.sort_unstable();
        for (_, id) in waiting {
            if let Some(filed) = self.contacts.get_mut(id) {
                filed.stand = self.floor.join(&filed.contact, &self.routing);
            }
        }
        Ok(())
    }

    /// Enters what is found by another name than the contact's own.
    fn restore_indexes(&mut self, c: &Contact) -> Result<(), ImageError> {
        if c.state == State::New {
            return Err(ImageError::Unplaced(c.id));
        }
        let agents = [c.state.agent(), c.named.map(|n| n.agent)];
        let known = c.gateway.index() < self.gateways.len()
            && self.routing.queue(c.queue).is_some()
            && agents.into_iter().flatten().all(|a| a.index() < self.agents.len());
        if !known {
            return Err(ImageError::Dangling(c.id));
        }
        let mut first = true;
        if !c.key.is_empty() {
            first &= self.keys.insert((c.gateway, c.key.clone()), c.id).is_none();
        }
        if let State::Reserved { reservation, .. } | State::Connecting { reservation, .. } = c.state
        {
            first &= self.reservations.insert(reservation, c.id).is_none();
        }
        for (effect, _) in &c.effects {
            first &= self.effects.insert(*effect, c.id).is_none();
        }
        if first { Ok(()) } else { Err(ImageError::Shared(c.id)) }
    }
}
