//! Everything about one contact: its story, and why its offers were made.
//!
//! A read takes what is needed off the replica's thread; sealed data is opened after.

use std::sync::Arc;

use prost::Message;

use super::convert::{person, tell, words};
use super::status::Fault;
use super::{rows, story};
use crate::engine::entry::{Role, Sealed};
use crate::engine::event::{Event, Reserved};
use crate::engine::routing::Routing;
use crate::engine::words::NotTaken;
use crate::ids::ContactId;
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
        // The newest matter most when not all fit.
        for item in self.items.iter().rev() {
            let told = self.told(item, keys);
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

    fn told(&self, item: &TimelineItem, keys: &KeyStore) -> v1::TimelineItem {
        let told = story::tell(&self.routing, &item.event);
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
        let decisions = decisions(&self.routing, &self.items);
        let summary = summary(&self.row, self.position, self.queue_waiting, &decisions);
        v1::ExplainContactResponse { contact: Some(self.row), decisions, summary }
    }
}

fn decisions(routing: &Routing, items: &[TimelineItem]) -> Vec<v1::Decision> {
    let mut decisions: Vec<v1::Decision> = Vec::new();
    let mut queue = "?";
    let mut not_taken = 0;
    for item in items {
        let (reservation, outcome) = match &*item.event {
            Event::Queued(q) => {
                queue = routing.queue_name(q.queue);
                continue;
            }
            Event::Reserved(r) => {
                decisions.push(decision(routing, r, item.wall.0, queue, not_taken));
                continue;
            }
            Event::Accepted { reservation, .. } => (reservation, v1::OfferOutcome::Accepted),
            Event::NotTaken { reservation, how, .. } => {
                not_taken += 1;
                let outcome = match how {
                    NotTaken::Declined => v1::OfferOutcome::Declined,
                    NotTaken::TimedOut => v1::OfferOutcome::TimedOut,
                    NotTaken::AgentGone => v1::OfferOutcome::AgentGone,
                    NotTaken::Withdrawn => v1::OfferOutcome::Withdrawn,
                };
                (reservation, outcome)
            }
            Event::ConnectFailed { reservation, .. } => {
                (reservation, v1::OfferOutcome::ConnectFailed)
            }
            _ => continue,
        };
        let mut newest = decisions.iter_mut().rev();
        if let Some(decision) = newest.find(|d| d.reservation_id == reservation.0) {
            decision.outcome = outcome.into();
        }
    }
    decisions
}

fn decision(
    routing: &Routing,
    r: &Reserved,
    at_unix_ms: u64,
    queue: &str,
    offers_before: u32,
) -> v1::Decision {
    v1::Decision {
        reservation_id: r.reservation.0,
        agent: routing.agent_name(r.agent).to_owned(),
        at_unix_ms,
        queue: queue.to_owned(),
        trigger: words::trigger(r.trigger),
        rank: u32::from(r.rank),
        idle_ms: r.idle.as_millis(),
        load_permille: u32::from(r.load),
        waited_ms: r.waited.as_millis(),
        outcome: v1::OfferOutcome::Open.into(),
        offers_before,
        text: story::reason(routing, r, offers_before),
    }
}

fn summary(
    row: &v1::ContactRow,
    position: u64,
    waiting: u64,
    decisions: &[v1::Decision],
) -> String {
    let state = v1::ContactState::try_from(row.state).unwrap_or_default();
    let waited = story::length(Span::millis(row.waited_ms));
    let queue = &row.queue;
    let mut text = match state {
        v1::ContactState::Queued if row.detached => {
            format!("It waits in {queue}, but its gateway is gone: it is offered to nobody.")
        }
        v1::ContactState::Queued => {
            format!("It is number {position} of {waiting} in {queue}, after {waited}.")
        }
        v1::ContactState::Reserved => {
            format!("It is held for {}, who has not answered yet.", row.agent)
        }
        v1::ContactState::Connecting => {
            format!("{} accepted it; the legs are being joined.", row.agent)
        }
        v1::ContactState::Assigned => format!("{} has it; it waited {waited}.", row.agent),
        v1::ContactState::Pending => "It waits for somebody, with no agent.".to_owned(),
        v1::ContactState::Closed | v1::ContactState::Unspecified => {
            format!("It is closed; it waited {waited}.")
        }
    };
    match decisions {
        [] => text.push_str(" No agent has been offered it."),
        [.., last] => {
            text.push_str(&format!(
                " It was offered {}; last: {}.",
                times(decisions.len()),
                last.text
            ));
        }
    }
    text
}

fn times(n: usize) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::entry::Actor;
    use crate::engine::event::Trigger;
    use crate::engine::routing::AgentProfile;
    use crate::ids::{AgentId, PoolId, ReservationId};
    use crate::time::WallTime;

    const C: ContactId = ContactId(1);

    fn routing() -> Routing {
        let agent = |name: &str| AgentProfile {
            name: Arc::from(name),
            retired: false,
            pool: PoolId(0),
            skills: smallvec::smallvec![],
            primary: None,
            capacity: [1; 4],
        };
        Routing { agents: vec![agent("anne"), agent("ben")], ..Default::default() }
    }

    fn items(events: Vec<Event>) -> Vec<TimelineItem> {
        let actor = Actor { role: Role::Router, name: Arc::from("router") };
        let item = |(i, event)| TimelineItem {
            sequence: i,
            at: EngineTime(i),
            wall: WallTime(1_000 + i),
            actor: actor.clone(),
            event: Arc::new(event),
            sealed: None,
        };
        (1..).zip(events).map(item).collect()
    }

    fn reserved(reservation: u64, agent: u32) -> Event {
        Event::Reserved(Reserved {
            contact: C,
            reservation: ReservationId(reservation),
            agent: AgentId(agent),
            deadline: EngineTime(99),
            trigger: Trigger::Agent,
            rank: 2,
            idle: Span::seconds(7),
            load: 500,
            waited: Span::seconds(61),
            async_passed: false,
        })
    }

    fn not_taken(reservation: u64, how: NotTaken) -> Event {
        Event::NotTaken {
            contact: C,
            reservation: ReservationId(reservation),
            agent: AgentId(0),
            how,
            pass_over: None,
        }
    }

    #[test]
    fn every_offer_is_a_decision_with_its_own_outcome() {
        let events = vec![
            reserved(1, 0),
            not_taken(1, NotTaken::Declined),
            reserved(2, 0),
            not_taken(2, NotTaken::TimedOut),
            reserved(3, 1),
            Event::Accepted {
                contact: C,
                reservation: ReservationId(3),
                agent: AgentId(1),
                connect_by: None,
            },
            reserved(4, 1),
        ];
        let decisions = decisions(&routing(), &items(events));
        let seen: Vec<_> = decisions
            .iter()
            .map(|d| (d.reservation_id, &*d.agent, d.outcome(), d.offers_before))
            .collect();
        assert_eq!(
            seen,
            [
                (1, "anne", v1::OfferOutcome::Declined, 0),
                (2, "anne", v1::OfferOutcome::TimedOut, 1),
                (3, "ben", v1::OfferOutcome::Accepted, 2),
                (4, "ben", v1::OfferOutcome::Open, 2),
            ]
        );
        assert_eq!(decisions[2].at_unix_ms, 1_005);
        let text = &decisions[1].text;
        for part in ["1 min 01 s", "anne", "ranked 2", "7.0 s", "500 of 1000", "one offer before"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
