//! Everything about one contact: what is read of it, and its story.
//!
//! A read takes what is needed off the replica's thread; sealed data is opened after.

use std::sync::Arc;

use prost::Message;

use super::convert::{person, tell, words};
use super::status::Fault;
use super::{explain, rows, story, waiting};
use crate::engine::entry::{Role, Sealed};
use crate::engine::event::Event;
use crate::engine::routing::Routing;
use crate::ids::{ContactId, QueueId};
use crate::journal::seal::KeyStore;
use crate::pb::v1;
use crate::shard::view::{TimelineItem, View};
use crate::time::{EngineTime, Span};

/// Most items of a story.
const MOST_ITEMS: usize = 500;
/// Most bytes of a story: a message has a limit, and words are long.
const MOST_BYTES: usize = 192 * 1024;

/// What was read of a contact.
#[derive(Debug)]
pub(super) struct Found {
    row: v1::ContactRow,
    position: u64,
    queue_waiting: u64,
    arrived: EngineTime,
    person: Option<Sealed>,
    items: Vec<TimelineItem>,
    omitted: usize,
    routing: Arc<Routing>,
    /// Why it waits, if it does.
    waiting: Option<waiting::Waiting>,
}

/// Reads a contact that is open or was closed not long ago.
pub(super) fn find(view: &View<'_>, id: ContactId) -> Result<Found, Fault> {
    let timeline = view.timelines.of(id);
    let open = view.engine.contact(id);
    let all = timeline.map_or(&[][..], |t| &t.items[..]);
    let row = match open {
        Some(contact) => rows::contact(view, contact),
        None => closed(view, id, all).ok_or(Fault::NoContact(id))?,
    };
    // Goes through all open contacts and, below, all agents: for people who ask for one.
    let (position, queue_waiting) = open.map_or((0, 0), |c| rows::position(view, c));
    let omitted = all.len().saturating_sub(MOST_ITEMS);
    Ok(Found {
        row,
        position,
        queue_waiting,
        arrived: all.first().map_or(view.now, |item| item.at),
        person: all
            .iter()
            .find(|item| matches!(*item.event, Event::Arrived(_)))
            .and_then(|item| item.sealed.clone()),
        items: all[omitted..].to_vec(),
        omitted,
        routing: view.engine.routing().clone(),
        waiting: open.and_then(|contact| waiting::read(view, contact)),
    })
}

/// A closed contact, from what is remembered of it.
fn closed(view: &View<'_>, id: ContactId, items: &[TimelineItem]) -> Option<v1::ContactRow> {
    let routing = view.engine.routing();
    let mut row = v1::ContactRow {
        contact_id: id.0,
        state: v1::ContactState::Closed.into(),
        ..Default::default()
    };
    let mut arrived = items.first()?.at;
    let mut waited_before = Span::ZERO;
    let mut answered = None;
    for item in items {
        match &*item.event {
            Event::Arrived(a) => {
                arrived = item.at;
                waited_before = a.waited;
                let gateway = view.engine.gateway_name(a.gateway);
                row.gateway = gateway.map_or("?", |name| name).to_owned();
                row.key = a.key.to_string();
                row.channel = words::channel(a.channel);
                let entry_point = a.entry_point.and_then(|e| routing.entry_point(e));
                row.entry_point = entry_point.map_or_else(String::new, |e| e.name.to_string());
                row.continues_contact_id = tell::id_or_none(a.continues);
                row.attributes = tell::attributes(a.attributes.as_ref());
            }
            Event::Queued(q) => {
                row.queue = routing.queue_name(q.queue).to_owned();
                row.service = words::service(q.service);
                row.needs = rows::needs(routing, &q.needs);
                row.head_start_ms = q.head_start.as_millis();
            }
            Event::AttributesSet { attributes, .. } => {
                row.attributes = tell::attributes(Some(attributes));
            }
            Event::ConsultStarted { parent, child, .. } if *child == id => {
                row.consult_of_contact_id = parent.0;
            }
            Event::Accepted { connect_by: None, .. } | Event::Bridged { .. } => {
                answered.get_or_insert(item.at);
            }
            Event::Closed { reason, agent, .. } => {
                row.end_reason = words::end_reason(*reason);
                row.agent = agent.map_or("", |a| routing.agent_name(a)).to_owned();
                let waited = answered.unwrap_or(item.at).since(arrived);
                row.waited_ms = waited.as_millis() + waited_before.as_millis();
            }
            _ => {}
        }
    }
    Some(row)
}

impl Found {
    /// All of it, personal data included.
    pub(super) fn show(self, keys: &KeyStore) -> v1::GetContactResponse {
        let mut timeline = Vec::with_capacity(self.items.len());
        let mut omitted = self.omitted;
        let mut bytes = 0;
        let queues = self.queues();
        // The newest matter most when not all fit.
        for (item, was_in) in self.items.iter().zip(queues).rev() {
            let told = self.told(item, was_in, keys);
            bytes += told.encoded_len();
            if bytes > MOST_BYTES {
                omitted = self.omitted + self.items.len() - timeline.len();
                break;
            }
            timeline.push(told);
        }
        timeline.reverse();
        v1::GetContactResponse {
            contact: Some(self.row),
            position: self.position,
            queue_waiting: self.queue_waiting,
            person: self.person.and_then(|sealed| person::unseal(keys, &sealed)),
            timeline,
            timeline_omitted: u64::try_from(omitted).unwrap_or(u64::MAX),
        }
    }

    /// The queue that it was in before each item.
    fn queues(&self) -> Vec<Option<QueueId>> {
        let mut was_in = None;
        let before = |item: &TimelineItem| match &*item.event {
            Event::Queued(q) => was_in.replace(q.queue),
            _ => was_in,
        };
        self.items.iter().map(before).collect()
    }

    fn told(
        &self,
        item: &TimelineItem,
        was_in: Option<QueueId>,
        keys: &KeyStore,
    ) -> v1::TimelineItem {
        let told = story::tell(&self.routing, &item.event, was_in);
        // One entry's personal data came with what it began with; saying it again at each
        // of the entry's events would only make the story longer.
        let brought = matches!(*item.event, Event::Arrived(_) | Event::InputReceived(_));
        let sealed = item.sealed.as_ref().filter(|_| brought);
        v1::TimelineItem {
            sequence: item.sequence,
            at_unix_ms: item.wall.0,
            after_ms: item.at.since(self.arrived).as_millis(),
            actor_role: role(item.actor.role).to_owned(),
            actor: item.actor.name.to_string(),
            event: told.word.to_owned(),
            text: told.text,
            agent: told.agent.map_or("", |id| self.routing.agent_name(id)).to_owned(),
            reservation_id: told.reservation.map_or(0, |r| r.0),
            person: sealed.and_then(|sealed| person::unseal(keys, sealed)),
        }
    }

    /// Why its offers were made.
    pub(super) fn explain(self) -> v1::ExplainContactResponse {
        let decisions = explain::decisions(&self.routing, &self.items);
        let summary = explain::summary(&self.row, self.waiting.as_ref(), &decisions);
        v1::ExplainContactResponse { contact: Some(self.row), decisions, summary }
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Router => "router",
        Role::Gateway => "gateway",
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::OnCall => "on_call",
        Role::Admin => "admin",
        Role::Viewer => "viewer",
    }
}
