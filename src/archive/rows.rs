//! What one transaction will write: collected by `project`, written by `write`.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use super::record::{Record, staff};
use crate::engine::entry::{Actor, Sealed};
use crate::engine::event::{Arrived, Feedback};
use crate::engine::recall::{Level, Plan};
use crate::engine::routing::{Name, Routing};
use crate::ids::{AgentId, ContactId, DispositionId, GatewayId, QueueId, RecallId};
use crate::time::{EngineTime, Span, WallTime};

/// Length of an interval.
pub(super) const INTERVAL_MS: u64 = 15 * 60 * 1_000;

/// When and by whom.
#[derive(Clone, Debug)]
pub(super) struct When {
    pub(super) sequence: u64,
    pub(super) at: EngineTime,
    pub(super) wall: WallTime,
    pub(super) actor: Actor,
}

/// A contact that began.
#[derive(Clone, Debug)]
pub(super) enum Began {
    /// It arrived, or goes on from another.
    Arrived { arrived: Box<Arrived>, follow_up: bool },
    /// A second agent is sought for another contact.
    Consult { child: ContactId, parent: ContactId },
}

#[derive(Debug)]
pub(super) struct TimelineRow {
    pub(super) contact: ContactId,
    pub(super) n: usize,
    pub(super) when: Arc<When>,
    pub(super) kind: &'static str,
    pub(super) detail: String,
    pub(super) became_ready: bool,
    pub(super) event: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct AuditRow {
    pub(super) when: Arc<When>,
    pub(super) what: &'static str,
    pub(super) detail: String,
    pub(super) contact: Option<ContactId>,
    pub(super) why: Option<Arc<str>>,
}

/// What happened in one queue in one interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Cell {
    pub(super) offered: u64,
    pub(super) answered: u64,
    pub(super) answered_in_target: u64,
    pub(super) abandoned: u64,
    pub(super) abandoned_after_target: u64,
    pub(super) answered_wait_us: u64,
    pub(super) abandoned_wait_us: u64,
    pub(super) wait_max_us: u64,
    pub(super) talk_us: u64,
    pub(super) hold_us: u64,
    pub(super) wrap_up_us: u64,
    pub(super) entered: u64,
    pub(super) returned: u64,
    pub(super) solved: u64,
}

/// What one agent did in one interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct AgentCell {
    pub(super) offered: u64,
    pub(super) not_taken: u64,
    pub(super) handled: u64,
    pub(super) talk_us: u64,
    pub(super) hold_us: u64,
    pub(super) wrap_up_us: u64,
}

/// What happened to a stay in self-service.
#[derive(Debug)]
pub(super) enum Stay {
    Entered {
        contact: ContactId,
        when: Arc<When>,
        recall: RecallId,
        tier: &'static str,
        queue: Option<QueueId>,
    },
    Left {
        contact: ContactId,
        entered_us: u64,
        when: Arc<When>,
        outcome: &'static str,
        because: Option<&'static str>,
    },
}

/// What happened to a recall.
#[derive(Debug)]
pub(super) enum RecallRow {
    Started { recall: RecallId, plan: Arc<Plan>, scope: String, level: Level, expires: EngineTime },
    Level { recall: RecallId, level: Level },
    Ended { recall: RecallId, expired: bool },
}

/// With whom, why and where in its entry.
#[derive(Debug)]
pub(super) struct RecallChange {
    pub(super) row: RecallRow,
    pub(super) when: Arc<When>,
    pub(super) n: usize,
    pub(super) why: Option<Arc<str>>,
}

/// Everything to be written.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) began: Vec<(Began, Arc<When>)>,
    pub(super) timeline: Vec<TimelineRow>,
    pub(super) sealed: Vec<(ContactId, u64, Sealed)>,
    pub(super) audit: Vec<AuditRow>,
    pub(super) stays: Vec<Stay>,
    pub(super) feedback: Vec<(Feedback, Arc<When>)>,
    pub(super) recalls: Vec<RecallChange>,
    /// Codes given after everything about the contact was over.
    pub(super) codes: Vec<(ContactId, DispositionId)>,
    pub(super) gateways: Vec<(GatewayId, Name, u64)>,
    /// Configurations, and the entry of each.
    pub(super) routing: Vec<(u64, Arc<Routing>)>,
    pub(super) cells: Table<(QueueId, u64), Cell>,
    pub(super) agent_cells: Table<(AgentId, u64), AgentCell>,
    /// The interval record.
    pub(super) record: Record,
    /// What agents are, from when to when.
    pub(super) spells: Vec<staff::Change>,
    /// Whose row is to be brought up to date.
    pub(super) dirty: HashSet<ContactId, FxBuildHasher>,
    /// Events that these come from.
    pub(super) events: u64,
}

/// The house's map.
pub(super) type Table<K, V> = HashMap<K, V, FxBuildHasher>;

impl Rows {
    pub(super) fn cell(&mut self, queue: QueueId, wall: WallTime) -> &mut Cell {
        self.cells.entry((queue, interval(wall))).or_default()
    }

    pub(super) fn agent(&mut self, agent: AgentId, wall: WallTime) -> &mut AgentCell {
        self.agent_cells.entry((agent, interval(wall))).or_default()
    }

    /// Time that an agent spent, in both books.
    pub(super) fn spent(
        &mut self,
        (agent, queue): (AgentId, Option<QueueId>),
        wall: WallTime,
        [talk, hold, wrap_up]: [Span; 3],
    ) {
        let cell = self.agent(agent, wall);
        cell.talk_us += talk.0;
        cell.hold_us += hold.0;
        cell.wrap_up_us += wrap_up.0;
        let Some(queue) = queue else { return };
        let cell = self.cell(queue, wall);
        cell.talk_us += talk.0;
        cell.hold_us += hold.0;
        cell.wrap_up_us += wrap_up.0;
    }
}

/// When the interval of a moment began, milliseconds since the Unix epoch.
pub(super) fn interval(wall: WallTime) -> u64 {
    wall.0 - wall.0 % INTERVAL_MS
}
