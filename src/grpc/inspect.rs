//! Everything about one contact: what is read of it, and its story.
//!
//! A read takes what is needed off the replica's thread; sealed data is opened after.

use std::sync::Arc;

use prost::Message;

use super::convert::{person, tell, words};
use super::next::{self, Next};
use super::status::Fault;
use super::story::{Before, Texts};
use super::{explain, heard, machine, rows, story, waiting, why};
use crate::engine::entry::{Role, Sealed};
use crate::engine::event::{Arrived, Event, PromiseOpened};
use crate::engine::routing::Routing;
use crate::engine::words::Channel;
use crate::ids::{AgentId, ContactId};
use crate::journal::seal::KeyStore;
use crate::pb::v1;
use crate::shard::handle::ShardHandle;
use crate::shard::view::{TimelineItem, View};
use crate::time::{EngineTime, Span};

/// Most items of a story.
const MOST_ITEMS: usize = 500;
/// Most bytes of a story: a message has a limit, and words are long.
const MOST_BYTES: usize = 192 * 1024;

/// What was read of a contact.
#[derive(Debug)]
pub(super) struct Found {
    id: ContactId,
    row: v1::ContactRow,
    channel: Option<Channel>,
    position: u64,
    queue_waiting: u64,
    arrived: EngineTime,
    person: Option<Sealed>,
    items: Vec<TimelineItem>,
    omitted: usize,
    routing: Arc<Routing>,
    /// Agents who are kept for safety lanes now.
    kept: Arc<[AgentId]>,
    /// Why it waits, if it does.
    waiting: Option<waiting::Waiting>,
    /// How it stands in self-service, if it is there.
    machine: Option<machine::Machine>,
    /// What comes next, if it is open.
    next: Option<Next>,
}

/// Whether the replica has forgotten some or all of what happened to a contact, so that the
/// archive should be asked.
pub(super) fn is_forgotten(view: &View<'_>, id: ContactId) -> bool {
    view.timelines.of(id).is_none_or(|timeline| timeline.forgotten > 0)
}

/// Reads a contact, by what the replica remembers and what the archive has of it.
pub(super) fn find(
    view: &View<'_>,
    id: ContactId,
    archived: &[TimelineItem],
) -> Result<Found, Fault> {
    let newer = view.timelines.of(id).map_or(&[][..], |t| &t.items[..]);
    let open = view.engine.contact(id);
    // An entry of several events may be forgotten in part: all of it is the archive's then.
    let last = archived.last().map_or(0, |item| item.sequence);
    let newer = newer.iter().filter(|item| item.sequence > last);
    let all: Vec<_> = archived.iter().chain(newer).cloned().collect();
    let all = &all[..];
    let row = match open {
        Some(contact) => rows::contact(view, contact),
        None => closed(view, id, all).ok_or(Fault::NoContact(id))?,
    };
    // Goes through all open contacts and, below, all agents: for people who ask for one.
    let (position, queue_waiting) = open.map_or((0, 0), |c| rows::position(view, c));
    let omitted = all.len().saturating_sub(MOST_ITEMS);
    Ok(Found {
        id,
        row,
        channel: all.iter().find_map(|item| began(&item.event, id)).map(|a| a.channel),
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
        kept: kept(view),
        waiting: open.and_then(|contact| waiting::read(view, contact)),
        machine: open.and_then(|contact| machine::read(view, contact)),
        next: open.map(|contact| next::read(view, contact)),
    })
}

fn kept(view: &View<'_>) -> Arc<[AgentId]> {
    let in_force = view.engine.recalls().filter(|r| !r.over);
    in_force.flat_map(|r| r.plan.safety.kept.iter().copied()).collect()
}

/// How a contact began, if this is the event that says so.
pub(super) fn began(event: &Event, id: ContactId) -> Option<&Arrived> {
    match event {
        Event::Arrived(a) => Some(a),
        // It is in the story of the contact that it follows up too.
        Event::PromiseOpened(PromiseOpened { arrived: a, .. }) | Event::FollowUpOpened(a) => {
            Some(a).filter(|a| a.contact == id)
        }
        _ => None,
    }
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
        if let Some(a) = began(&item.event, id) {
            arrived = item.at;
            waited_before = a.waited;
            came(view, a, &mut row);
        }
        match &*item.event {
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

/// What is known of a contact from how it began.
fn came(view: &View<'_>, a: &Arrived, row: &mut v1::ContactRow) {
    let gateway = view.engine.gateway_name(a.gateway);
    row.gateway = gateway.map_or("?", |name| name).to_owned();
    row.key = a.key.to_string();
    row.channel = words::channel(a.channel);
    let entry_point = a.entry_point.and_then(|e| view.engine.routing().entry_point(e));
    row.entry_point = entry_point.map_or_else(String::new, |e| e.name.to_string());
    row.continues_contact_id = tell::id_or_none(a.continues);
    row.attributes = tell::attributes(a.attributes.as_ref());
}

impl Found {
    /// All of it, personal data included.
    pub(super) fn show(self, handle: &ShardHandle, thread: Vec<u64>) -> v1::GetContactResponse {
        let keys = handle.keys();
        let texts = Texts::of(handle.recalls(), self.channel);
        let mut timeline = Vec::with_capacity(self.items.len());
        let mut omitted = self.omitted;
        let mut bytes = 0;
        // The newest matter most when not all fit.
        for (item, before) in self.items.iter().zip(self.befores()).rev() {
            let told = self.told(&texts, item, before, keys);
            bytes += told.encoded_len();
            if bytes > MOST_BYTES {
                omitted = self.omitted + self.items.len() - timeline.len();
                break;
            }
            timeline.push(told);
        }
        timeline.reverse();
        let (heard, heard_omitted) = heard::heard(&texts, &self.items);
        // A follow-up's came with the contact that it follows up.
        let person = self.person.or_else(|| handle.person(self.id));
        v1::GetContactResponse {
            contact: Some(self.row),
            position: self.position,
            queue_waiting: self.queue_waiting,
            person: person.and_then(|sealed| person::unseal(keys, &sealed)),
            timeline,
            timeline_omitted: u64::try_from(omitted).unwrap_or(u64::MAX),
            heard,
            heard_omitted: u64::try_from(heard_omitted).unwrap_or(u64::MAX),
            thread_contact_ids: if thread.len() > 1 { thread } else { Vec::new() },
        }
    }

    /// Where it was before each item.
    fn befores(&self) -> Vec<Before> {
        let mut now = Before::default();
        let before = |item: &TimelineItem| {
            let before = now;
            match &*item.event {
                Event::Queued(q) => now.queue = Some(q.queue),
                Event::WordsAsked { recall, .. } => now.recall = Some(*recall),
                _ => {}
            }
            before
        };
        self.items.iter().map(before).collect()
    }

    fn told(
        &self,
        texts: &Texts,
        item: &TimelineItem,
        before: Before,
        keys: &KeyStore,
    ) -> v1::TimelineItem {
        let told = story::tell(&self.routing, texts, &item.event, before);
        // One entry's personal data came with what it began with; saying it again at each
        // of the entry's events would only make the story longer.
        let brought = matches!(
            *item.event,
            Event::Arrived(_) | Event::InputReceived(_) | Event::FeedbackGiven(_)
        );
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

    /// Why its offers were made, its story with reasons, and what comes next.
    pub(super) fn explain(self, handle: &ShardHandle) -> v1::ExplainContactResponse {
        let texts = Texts::of(handle.recalls(), self.channel);
        let of =
            why::Of { routing: &self.routing, texts: &texts, kept: &self.kept, contact: self.id };
        let story = why::told(&of, &self.items, &self.befores());
        let decisions = explain::decisions(&self.routing, &self.kept, &self.items);
        let stands = explain::Stands { waiting: self.waiting, machine: self.machine };
        let summary = explain::summary(&self.row, &stands, &decisions);
        let next = self.next.map(Next::into_wire);
        v1::ExplainContactResponse { contact: Some(self.row), decisions, summary, story, next }
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
