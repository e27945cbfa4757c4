//! The engine: a pure state machine that decides who gets whom, when.
//!
//! [`Engine::handle`] takes a command and a time and makes events or a refusal;
//! [`Engine::apply`] is the only thing that changes state, and replay calls it alone. No
//! clock, no randomness, no IO, no async, no lock is in here, and no order of a hash map
//! ever shows.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod agent;
mod apply;
mod away;
pub mod bulk;
pub mod callback;
pub mod care;
mod choice;
pub mod command;
pub mod contact;
mod crowd;
pub mod day;
mod decide;
pub mod directive;
pub mod entry;
pub mod event;
mod floor;
mod gates;
pub mod gateway;
pub mod hours;
pub mod image;
pub mod inflow;
pub mod invariant;
mod known;
mod line;
pub mod memory;
mod pace;
pub mod participant;
pub mod policy;
pub mod promise;
pub mod queue_life;
pub(crate) mod rank;
pub mod recall;
mod recent;
pub mod refusal;
mod room;
pub mod routing;
#[cfg(test)]
mod rules;
pub mod sharing;
pub mod stage;
mod sticky;
mod store;
mod tell;
mod timer;
pub mod wait_estimate;
pub mod words;

use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::ids::{
    AgentId, CalendarId, ContactId, EffectId, EntryPointId, GatewayId, PromiseId, QueueId,
    RecallId, RecoveryId, RequestId, ReservationId,
};
use crate::time::EngineTime;
use agent::Agent;
use callback::{Board, CallbackCounts};
use command::{Command, Reply};
use contact::{Contact, StateKind};
pub use decide::Preview;
use entry::Entry;
use event::Event;
use floor::{Floor, IdleKeys, Staff, Stand};
pub use floor::{MOST_CLASSES, MOST_PROFILES};
use gateway::{Gateway, OnLine};
use hours::Hours;
use image::Counts;
use inflow::Inflow;
use known::Known;
use memory::Memory;
use pace::Pace;
use promise::{Owed, OwedCounts, Promise, Recovery};
use recall::Recall;
use recent::{KeptPlace, LastOfThread, Recent};
use refusal::Refusal;
use routing::{Name, Routing};
pub use sticky::MOST_STICKY;
use sticky::Sticky;
use store::Store;
use timer::Timers;
use words::Key;

/// Which way of hashing state this is. Goes up with every change to what is hashed, and to what
/// events make of it, so that marks in an older journal are passed over instead of called
/// differences.
pub const HASH_VERSION: u32 = 11;

/// The state machine.
#[derive(Debug, Default)]
pub struct Engine {
    routing: Arc<Routing>,
    contacts: Store,
    agents: Vec<Agent>,
    gateways: Vec<Gateway>,
    recalls: Vec<Recall>,
    bulks: Vec<bulk::Bulk>,
    /// Sharings in force, in the order of their ids.
    shared: Vec<sharing::Shared>,
    pace: Pace,
    inflow: Inflow,
    sticky: Sticky,
    /// Places of those who left unanswered.
    kept: Recent<KeptPlace>,
    /// Whom closed letters and messages had last.
    threads: Recent<LastOfThread>,
    hours: Vec<Hours>,
    counts: Counts,
    owed: Owed,
    memory: Memory,

    // When the event that is being applied happened.
    now: EngineTime,

    // Made from the above, and never hashed.
    keys: HashMap<(GatewayId, Key), ContactId, FxBuildHasher>,
    reservations: HashMap<ReservationId, ContactId, FxBuildHasher>,
    effects: HashMap<EffectId, ContactId, FxBuildHasher>,
    floor: Floor,
    board: Board,
    late: apply::Late,
    /// Customers on the line or in a conversation, by gateway.
    on_line: Vec<OnLine>,
    known: Known,
    /// What agents have of which queue, where queues share any.
    in_hand: sharing::InHand,
    away: away::Away,
    /// Calls outside the router, by what their gateway calls them.
    outside: std::collections::BTreeMap<(GatewayId, Key), AgentId>,
    timers: Timers,
    /// When a gateway that makes so many calls a second may make the next one. The owner takes
    /// out whose turn has come.
    turns: std::collections::BTreeMap<GatewayId, EngineTime>,
    hashes: Hashes,
    /// By agent.
    standings: Vec<Standing>,
    /// Up to this reservation, agents were offered what fitted by an earlier configuration. For
    /// checking.
    reloaded: ReservationId,

    // Where work done in slices has got to. Only the owner has any; losing it costs a
    // repeat of the walk.
    agenda: decide::Agenda,
}

/// Owed to async contacts, this makes one decision theirs.
const ONE_SHARE: u32 = 100;

/// What was last derived from an agent, so that it need not be derived again to be taken out.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    idle: IdleKeys,
    /// What they count for among those at work.
    staff: Staff,
    /// Their part of the state hash.
    hash: u64,
    /// What they were offered last since the engine was made. For checking.
    offered: ReservationId,
}

/// Parts of the state hash, kept up to date by every event.
#[derive(Clone, Copy, Debug, Default, Hash, PartialEq, Eq)]
struct Hashes {
    contacts: u64,
    agents: u64,
    routing: u64,
}

impl Engine {
    /// Decides a command and applies what it decided, adding the events to `events`.
    ///
    /// `request` is remembered with its reply, so that a repeat gets the same again and
    /// changes nothing.
    ///
    /// # Errors
    /// A [`Refusal`] says why nothing changed; no event was added then.
    pub fn handle(
        &mut self,
        at: EngineTime,
        request: Option<RequestId>,
        command: &Command,
        events: &mut Vec<Event>,
    ) -> Result<Reply, Refusal> {
        if let Some(request) = request
            && let Some((content, reply)) = self.memory.recall(request)
        {
            return if *content == request.content {
                Ok(reply.clone())
            } else {
                Err(Refusal::RequestConflict)
            };
        }
        let begin = events.len();
        let reply = decide::decide(self, at, command, events);
        debug_assert!(
            reply.is_ok() || events.len() == begin,
            "refused after deciding: {command:?}"
        );
        if let Some(request) = request {
            if let (Ok(reply), true) = (&reply, events.len() == begin) {
                events.extend(memory::unchanged(reply));
            }
            self.memory.remember(request, &events[begin..]);
        }
        reply
    }

    /// Replay: applies an entry's events and remembers its request id.
    pub fn replay(&mut self, entry: &Entry) {
        for event in &entry.events {
            self.apply(entry.at, event);
        }
        if let Some(request) = entry.request {
            self.memory.remember(request, &entry.events);
        }
    }

    /// The next moment at which [`Command::Tick`] has something to do; the beginning of
    /// time when it has something to do at once.
    #[must_use]
    pub fn next_tick(&self) -> Option<EngineTime> {
        if !self.agenda.is_empty() || self.bulk_goes_on() {
            return Some(EngineTime::ZERO);
        }
        let rests = self.agenda.next_walk().into_iter().chain(self.bulk_rests());
        let rests = rests.chain(self.next_look()).chain(self.turns.values().copied());
        self.timers.next().into_iter().chain(rests).min()
    }

    /// Hash of all state that events make, kept up to date by every event.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        let Self { counts, hashes, gateways, recalls, bulks, pace, sticky, kept, .. } = self;
        let Self { threads, hours, owed, shared, inflow, .. } = self;
        let people = (gateways, recalls, bulks, sticky, kept, threads);
        store::hash_of(&(counts, hashes, people, pace, inflow, hours, shared, owed.hash()))
    }

    /// Whether no reservation is made, because space for the journal runs out.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.counts.paused
    }

    /// The routing configuration in force.
    #[must_use]
    pub fn routing(&self) -> &Arc<Routing> {
        &self.routing
    }

    /// An open contact.
    #[must_use]
    pub fn contact(&self, id: ContactId) -> Option<&Contact> {
        self.contacts.get(id).map(|f| &f.contact)
    }

    /// All open contacts, in no order that means anything.
    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.iter().map(|f| &f.contact)
    }

    /// An agent of the configuration.
    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(id.index())
    }

    /// All agents in the order of their ids.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.agents.iter()
    }

    /// A gateway that has made itself known.
    #[must_use]
    pub fn gateway(&self, id: GatewayId) -> Option<&Gateway> {
        self.gateways.get(id.index())
    }

    /// The id of a gateway that has made itself known.
    #[must_use]
    pub fn gateway_id(&self, name: &str) -> Option<GatewayId> {
        let index = self.gateways.iter().position(|g| *g.name == *name)?;
        u16::try_from(index).ok().map(GatewayId)
    }

    /// The name of a gateway.
    #[must_use]
    pub fn gateway_name(&self, id: GatewayId) -> Option<&Name> {
        self.gateway(id).map(|g| &g.name)
    }

    /// Recalls in force and those that ended last, in the order of start.
    pub fn recalls(&self) -> impl Iterator<Item = &Recall> {
        self.recalls.iter()
    }

    /// A recall that is in force or ended lately.
    #[must_use]
    pub fn recall(&self, id: RecallId) -> Option<&Recall> {
        self.recalls.iter().find(|r| r.id == id)
    }

    /// The recall in force whose scope has an entry point.
    #[must_use]
    pub fn recall_at(&self, entry_point: Option<EntryPointId>) -> Option<&Recall> {
        let entry_point = entry_point?;
        self.recalls.iter().find(|r| !r.over && r.covers(entry_point))
    }

    /// Customers on the line, or in a conversation, at a gateway.
    #[must_use]
    pub fn on_line_at(&self, gateway: GatewayId) -> u32 {
        self.on_line.get(gateway.index()).map_or(0, OnLine::all)
    }

    /// Offers of a call that a recall's tier has out.
    #[must_use]
    pub fn offers_out(&self, recall: RecallId) -> u32 {
        self.board.offers(recall)
    }

    /// Whether an agent is kept for the safety lane of a recall in force.
    #[must_use]
    pub fn is_kept(&self, agent: AgentId) -> bool {
        self.recalls.iter().any(|r| !r.over && r.plan.safety.kept.binary_search(&agent).is_ok())
    }

    /// What is known of a calendar; one of which nothing was said yet is open.
    #[must_use]
    pub fn hours(&self, calendar: CalendarId) -> Hours {
        self.hours.get(calendar.index()).cloned().unwrap_or_default()
    }

    /// When a queue may call people; always, without a calendar.
    #[must_use]
    pub fn queue_hours(&self, queue: QueueId) -> Hours {
        let calendar = self.routing.queue(queue).and_then(|q| q.life.hours);
        calendar.map(|calendar| self.hours(calendar)).unwrap_or_default()
    }

    /// Whether a queue is open, as far as its calendar says.
    #[must_use]
    pub fn is_open(&self, queue: QueueId) -> bool {
        let calendar = self.routing.queue(queue).and_then(|q| q.life.hours);
        calendar.is_none_or(|calendar| self.hours(calendar).open)
    }

    /// Contacts accepted since the router began.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.counts.accepted
    }

    /// Contacts in this state now; for [`StateKind::Closed`] all that ever were.
    #[must_use]
    pub fn in_state(&self, kind: StateKind) -> u64 {
        self.counts.by_state[kind.index()]
    }

    /// Promises that are neither kept nor broken, in the order in which they were made.
    pub fn promises(&self) -> impl Iterator<Item = &Promise> {
        self.owed.promises().values()
    }

    /// An open promise.
    #[must_use]
    pub fn promise(&self, id: PromiseId) -> Option<&Promise> {
        self.owed.promises().get(&id)
    }

    /// Recoveries that are not done, in the order in which they were opened.
    pub fn recoveries(&self) -> impl Iterator<Item = &Recovery> {
        self.owed.recoveries().values()
    }

    /// Recoveries that an agent leads, what is due first in front.
    pub fn led_by(&self, agent: AgentId) -> impl Iterator<Item = &Recovery> {
        self.owed.led_by(agent)
    }

    /// How many open recoveries are overdue.
    #[must_use]
    pub fn recoveries_overdue(&self) -> u64 {
        self.owed.overdue()
    }

    /// How many open recoveries nobody leads.
    #[must_use]
    pub fn recoveries_unled(&self) -> u64 {
        self.owed.unled()
    }

    /// An open recovery.
    #[must_use]
    pub fn recovery(&self, id: RecoveryId) -> Option<&Recovery> {
        self.owed.recoveries().get(&id)
    }

    /// What was promised and made good since the router began.
    #[must_use]
    pub fn owed_counts(&self) -> &OwedCounts {
        &self.owed.counts
    }

    /// How a queue's callbacks stand.
    #[must_use]
    pub fn callbacks(&self, queue: QueueId) -> CallbackCounts {
        self.board.of(queue)
    }

    /// How many of its class stand before a contact in line; none if it is not in line.
    /// How many who need the same stand before a contact in line; none if it is not in line.
    ///
    /// Walks the line: for people who look, not for decisions.
    #[must_use]
    pub fn position(&self, id: ContactId) -> Option<usize> {
        let filed = self.contacts.get(id)?;
        let before = self.floor.before(&filed.contact, filed.stand)?;
        Some(before + self.floor.before_beside(&filed.contact, filed.stand))
    }

    /// By queue, how many wait in line, in several parts if they have different needs.
    pub fn depths(&self) -> impl Iterator<Item = (QueueId, usize)> {
        self.floor.depths()
    }

    /// Whether a contact's gateway holds it now.
    fn is_attached(&self, contact: &Contact) -> bool {
        match contact.link {
            contact::Link::Unary => true,
            contact::Link::Detached => false,
            contact::Link::Attached(session) => {
                self.gateway(contact.gateway).is_some_and(|g| g.session == Some(session))
            }
        }
    }

    /// Whether an agent may be offered a contact of this channel now.
    fn has_room(&self, agent: AgentId, channel: words::Channel) -> bool {
        self.idle_keys(agent).has(channel)
    }

    /// How an agent stands in line for work.
    fn idle_keys(&self, agent: AgentId) -> IdleKeys {
        self.standings.get(agent.index()).map_or_else(IdleKeys::default, |s| s.idle)
    }

    fn stand_of(&self, id: ContactId) -> Stand {
        self.contacts.get(id).map_or(Stand::Off, |f| f.stand)
    }

    fn passes_over(&self, contact: ContactId, agent: AgentId) -> bool {
        self.contact(contact).is_some_and(|c| c.passed_over.iter().any(|p| p.agent == agent))
    }
}
