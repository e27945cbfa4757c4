//! Queues, agents and contacts as supervisors see them, read from one moment of the replica.
//!
//! These run on the replica's thread: they touch what they show and open no sealed data.

use std::collections::BinaryHeap;

use prost::Message;

use super::convert::tell::{attributes, id_or_none};
use super::convert::words;
use super::status::Fault;
use crate::engine::agent::{Agent, WHOLE};
use crate::engine::contact::{Contact, Link, State, StateKind};
use crate::engine::day::{Direction, OutsideCall};
use crate::engine::recall::SelfService;
use crate::engine::routing::{AgentProfile, Queue, Routing};
use crate::engine::words::{Channel, Needs};
use crate::ids::{ContactId, PoolId, QueueId};
use crate::pb::v1;
use crate::shard::staffing::Staff;
use crate::shard::view::View;
use crate::time::Span;

/// Most rows of a page.
pub(super) const MOST_ROWS: u32 = 500;
/// Most bytes of a page: rows are of very different lengths, and a message has a limit.
const MOST_BYTES: usize = 192 * 1024;

/// Which part of a listing is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    after: Option<u64>,
    most: usize,
}

impl Page {
    /// Reads what a request says; `usual` is how many rows there are if it does not.
    pub(super) fn read(size: u32, token: &str, usual: u32) -> Result<Self, Fault> {
        let size = match size {
            0 => usual,
            n if n <= MOST_ROWS => n,
            _ => {
                return Err(Fault::Invalid { field: "page_size", expected: "1 to 500, or 0" });
            }
        };
        let after = match token {
            "" => None,
            token => Some(token.parse().map_err(|_| Fault::Invalid {
                field: "page_token",
                expected: "the next_page_token of an earlier answer",
            })?),
        };
        Ok(Self { after, most: usize::try_from(size).unwrap_or(1) })
    }

    fn begins_before(self, id: u64) -> bool {
        self.after.is_none_or(|after| id > after)
    }

    /// The first rows of a listing, as many as fit.
    pub(super) const fn first() -> Self {
        Self { after: None, most: MOST_ROWS as usize }
    }

    /// Takes rows in the order of their ids until the page is full. The token is empty when
    /// there are no more.
    pub(super) fn fill<R: Message>(self, rows: impl Iterator<Item = (u64, R)>) -> (Vec<R>, String) {
        let mut page = Vec::new();
        let (mut bytes, mut last) = (0, None);
        for (id, row) in rows.filter(|(id, _)| self.begins_before(*id)) {
            bytes += row.encoded_len();
            // One row always fits, so that no listing stands still.
            if page.len() == self.most || (bytes > MOST_BYTES && last.is_some()) {
                return (page, last.map_or_else(String::new, |id: u64| id.to_string()));
            }
            last = Some(id);
            page.push(row);
        }
        (page, String::new())
    }
}

/// Some of these queues.
pub(super) fn queues(
    view: &View<'_>,
    asked: Option<&[QueueId]>,
    page: Page,
) -> (Vec<v1::QueueRow>, String) {
    let routing = view.engine.routing();
    let all = (0..routing.queues.len()).filter_map(|i| u16::try_from(i).ok()).map(QueueId);
    let mut ids: Vec<QueueId> = asked.map_or_else(|| all.collect(), <[QueueId]>::to_vec);
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| page.begins_before(u64::from(id.0)));
    ids.truncate(page.most + 1);
    let staff = view.staffing.count(view.engine);
    let rows = ids.into_iter().filter_map(|id| {
        let staff = staff.get(id.index()).copied().unwrap_or_default();
        Some((u64::from(id.0), queue(view, id, routing.queue(id)?, staff)))
    });
    page.fill(rows)
}

fn queue(view: &View<'_>, id: QueueId, queue: &Queue, staff: Staff) -> v1::QueueRow {
    let counted = view.statistics.queue(id);
    let in_target = counted.answered_in_target;
    v1::QueueRow {
        queue: queue.name.to_string(),
        waiting: counted.waiting,
        oldest_wait_ms: counted.oldest_wait(view.now).as_millis(),
        offered: counted.offered,
        answered: counted.answered,
        answered_in_target: in_target,
        abandoned: counted.abandoned,
        abandoned_after_target: counted.abandoned_after_target,
        target_ms: queue.target.as_millis(),
        service_level_all_abandoned: ratio(in_target, counted.answered + counted.abandoned),
        service_level_late_abandoned: ratio(
            in_target,
            counted.answered + counted.abandoned_after_target,
        ),
        average_speed_of_answer_ms: ratio(counted.answered_wait_us, counted.answered)
            .map(|us| us / 1_000.0),
        agents_able: staff.able,
        agents_ready: staff.ready,
        retired: queue.retired,
        expected_waits: expected_waits(view, id, queue),
        callbacks: queue.callback.as_ref().map(|_| callbacks(view, id)),
    }
}

fn callbacks(view: &View<'_>, id: QueueId) -> v1::QueueCallbacks {
    let n = view.engine.callbacks(id);
    v1::QueueCallbacks {
        later: n.held + n.patient,
        pressing: n.pressing,
        reserved: n.reserved,
        dialling: n.dialling,
        exhausted: n.exhausted,
    }
}

fn expected_waits(view: &View<'_>, id: QueueId, queue: &Queue) -> Vec<v1::ExpectedWait> {
    let taken = Channel::ALL.into_iter().filter(|channel| queue.channels[channel.index()]);
    let expected = |channel: Channel| {
        let wait = view.engine.wait_of_next(id, channel, view.now)?;
        Some(v1::ExpectedWait {
            channel: words::channel(channel),
            mean_ms: wait.mean.as_millis(),
            p80_ms: wait.p80.as_millis(),
        })
    };
    taken.filter_map(expected).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How many contacts there are in each state.
pub(super) fn counts(view: &View<'_>) -> v1::ContactCounts {
    let count = |kind| view.engine.in_state(kind);
    v1::ContactCounts {
        accepted: view.engine.accepted(),
        queued: count(StateKind::Queued),
        reserved: count(StateKind::Reserved),
        connecting: count(StateKind::Connecting),
        assigned: count(StateKind::Assigned),
        pending: count(StateKind::Pending),
        self_service: count(StateKind::SelfService),
        callback_due: count(StateKind::CallbackDue),
        closed: count(StateKind::Closed),
    }
}

/// Some of the agents.
pub(super) fn agents(
    view: &View<'_>,
    pool: Option<PoolId>,
    state: v1::AgentState,
    page: Page,
) -> (Vec<v1::AgentRow>, String) {
    let routing = view.engine.routing();
    let rows = view.engine.agents().filter_map(|agent| {
        let profile = routing.agent(agent.id)?;
        let wanted = pool.is_none_or(|pool| pool == profile.pool)
            && (state == v1::AgentState::Unspecified
                || words::agent_state(agent.state()) == i32::from(state))
            && page.begins_before(u64::from(agent.id.0));
        wanted.then(|| (u64::from(agent.id.0), self::agent(view, routing, profile, agent)))
    });
    page.fill(rows)
}

fn agent(
    view: &View<'_>,
    routing: &Routing,
    profile: &AgentProfile,
    agent: &Agent,
) -> v1::AgentRow {
    let work = |work: &crate::engine::agent::Work| v1::WorkRow {
        contact_id: work.contact.0,
        channel: words::channel(work.channel),
        hold: words::hold(work.hold),
    };
    v1::AgentRow {
        agent: profile.name.to_string(),
        pool: routing.pools.get(profile.pool.index()).map_or("?", |p| &p.name).to_owned(),
        state: words::agent_state(agent.state()),
        availability: Some(words::availability(routing, agent.availability)),
        since_ms: view.now.since(agent.since).as_millis(),
        work: agent.work.iter().map(work).collect(),
        // To the nearest: three chats of three are the whole.
        load_permille: ((agent.load(profile) + WHOLE / 2_000) / (WHOLE / 1_000)).min(1_000),
        phone_unreachable: agent.phone_unreachable,
        next: agent.next.map(|next| words::availability(routing, next)),
        retired: profile.retired,
        overstayed: agent.overstayed,
        reason_ends_in_ms: agent.over_at.map(|over| over.since(view.now).as_millis()),
        leaves_in_ms: agent.leaving.map(|leaving| leaving.at.since(view.now).as_millis()),
        outside_calls: agent.outside.iter().map(|call| outside(view, call)).collect(),
    }
}

fn outside(view: &View<'_>, call: &OutsideCall) -> v1::OutsideCallRow {
    v1::OutsideCallRow {
        gateway: view.engine.gateway_name(call.gateway).map_or("?", |name| name).to_owned(),
        key: call.key.to_string(),
        outbound: call.direction == Direction::Outbound,
        since_ms: view.now.since(call.since).as_millis(),
    }
}

/// Some of the open contacts.
pub(super) fn contacts(
    view: &View<'_>,
    queue: Option<QueueId>,
    state: v1::ContactState,
    page: Page,
) -> (Vec<v1::ContactRow>, String) {
    // The engine keeps them in no order: the lowest ids are found in one pass, with memory
    // for one page only.
    let mut lowest: BinaryHeap<ContactId> = BinaryHeap::new();
    for contact in view.engine.contacts() {
        let wanted = queue.is_none_or(|queue| queue == contact.queue)
            && (state == v1::ContactState::Unspecified
                || words::state(contact.state.kind()) == i32::from(state))
            && page.begins_before(contact.id.0);
        if wanted {
            lowest.push(contact.id);
            if lowest.len() > page.most + 1 {
                lowest.pop();
            }
        }
    }
    let found = lowest.into_sorted_vec();
    let rows =
        found.into_iter().filter_map(|id| Some((id.0, contact(view, view.engine.contact(id)?))));
    page.fill(rows)
}

/// One open contact.
pub(super) fn contact(view: &View<'_>, c: &Contact) -> v1::ContactRow {
    let routing = view.engine.routing();
    let until = c.answered.unwrap_or(view.now);
    let entry_point = c.entry_point.and_then(|id| routing.entry_point(id));
    let in_queue = match c.state {
        State::New | State::Queued => view.now.since(c.queued),
        _ => Span::ZERO,
    };
    v1::ContactRow {
        contact_id: c.id.0,
        gateway: view.engine.gateway_name(c.gateway).map_or("?", |name| name).to_owned(),
        key: c.key.to_string(),
        channel: words::channel(c.channel),
        queue: routing.queue_name(c.queue).to_owned(),
        entry_point: entry_point.map_or_else(String::new, |e| e.name.to_string()),
        state: words::state(c.state.kind()),
        end_reason: v1::EndReason::Unspecified.into(),
        service: words::service(c.service),
        agent: c.state.agent().map_or("", |id| routing.agent_name(id)).to_owned(),
        reservation_id: c.state.reservation().map_or(0, |r| r.0),
        needs: needs(routing, &c.needs),
        head_start_ms: c.head_start.as_millis(),
        waited_ms: c.waited(until).as_millis(),
        in_queue_ms: in_queue.as_millis(),
        detached: is_detached(view, c),
        on_hold: c.on_hold,
        continues_contact_id: id_or_none(c.continues),
        consult_of_contact_id: id_or_none(c.parent),
        consult_contact_id: id_or_none(c.consult),
        attributes: attributes(c.attributes.as_ref()),
        self_service: c.self_service().map(|s| self_service(view, s)),
        linked_contact_ids: view.engine.linked_with(c).iter().map(|l| l.contact.0).collect(),
        held_for_contact_id: id_or_none(c.care.held_for()),
        silence: c.care.silence.name().to_owned(),
        place_ahead_ms: c.care.ahead.as_millis(),
    }
}

fn self_service(view: &View<'_>, s: SelfService) -> v1::SelfServiceRow {
    v1::SelfServiceRow {
        recall_id: s.recall.0.into(),
        tier: words::tier(s.tier),
        step: s.step.name().to_owned(),
        answers: s.answers.into(),
        checked: s.checked,
        left_ms: s.until.since(view.now).as_millis(),
    }
}

/// Whether a contact's gateway does not hold it now; it is offered to nobody then. The
/// engine marks the contacts of a lost gateway one by one, so that its session counts too.
pub(super) fn is_detached(view: &View<'_>, c: &Contact) -> bool {
    match c.link {
        Link::Unary => false,
        Link::Detached => true,
        Link::Attached(session) => {
            view.engine.gateway(c.gateway).is_none_or(|g| g.session != Some(session))
        }
    }
}

/// What an agent must have, by name.
pub(super) fn needs(routing: &Routing, needs: &Needs) -> Vec<v1::Need> {
    let name = |need: &crate::engine::words::Need| {
        routing.skills.get(need.skill.index()).map_or("?", |s| &s.name).to_owned()
    };
    needs
        .iter()
        .map(|need| v1::Need { skill: name(need), at_least: u32::from(need.at_least) })
        .collect()
}

/// A contact's position among those waiting in its queue, from 1, and how many wait there.
/// The position is 0 for one that does not wait.
///
/// Goes through all open contacts, a few milliseconds for 100,000: for one contact that
/// somebody asks about, and never for a listing.
pub(super) fn position(view: &View<'_>, contact: &Contact) -> (u64, u64) {
    let (before, waiting) = before(view, contact);
    let waits = contact.state.kind() == StateKind::Queued;
    (if waits { before + 1 } else { 0 }, waiting)
}

/// How many of those waiting in a contact's queue have a better place, and how many wait
/// there. As slow as [`position`].
pub(super) fn before(view: &View<'_>, contact: &Contact) -> (u64, u64) {
    let order = |c: &Contact| (c.service, c.place, c.id);
    let (mut before, mut waiting) = (0, 0);
    for other in view.engine.contacts() {
        if other.queue == contact.queue && other.state.kind() == StateKind::Queued {
            waiting += 1;
            before += u64::from(order(other) < order(contact));
        }
    }
    (before, waiting)
}
