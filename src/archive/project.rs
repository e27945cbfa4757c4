//! From events to rows: what each event changes in the tables.
//!
//! Pure but for what it remembers of open contacts. It counts as `shard::tally` does, which
//! a test holds over random histories. It writes nothing; a transaction that fails makes it
//! worthless, and it is loaded again.

use std::sync::Arc;

use hashbrown::hash_map::Entry as Slot;

use super::detail;
use super::record::staff::Staff;
use super::rows::{AuditRow, Began, RecallChange, RecallRow, Rows, Table, TimelineRow, When};
use super::work::Work;
use crate::engine::entry::{Entry, Role};
use crate::engine::event::{Arrived, Event, PromiseOpened};
use crate::engine::routing::Routing;
use crate::engine::words::Availability;
use crate::ids::{ContactId, EntryPointId, RecallId};
use crate::journal::Batch;
use crate::journal::follow::event_bytes;
use crate::shard::view::about;
use crate::time::WallTime;

/// What it takes to go on.
#[derive(Debug, Default)]
pub(super) struct Projection {
    pub(super) routing: Arc<Routing>,
    pub(super) open: Table<ContactId, Work>,
    /// In force, with their scopes.
    pub(super) recalls: Vec<(RecallId, Vec<EntryPointId>)>,
    /// Who is signed in.
    pub(super) staff: Staff,
    /// What the last change of the configuration changed, for the audit.
    pub(super) reconfigured: String,
    pub(super) rows: Rows,
}

impl Projection {
    pub(super) fn batch(&mut self, batch: &Batch) {
        for entry in &batch.entries {
            self.entry(entry, batch.wall);
        }
    }

    fn entry(&mut self, entry: &Entry, wall: WallTime) {
        let when = Arc::new(When {
            sequence: entry.sequence,
            at: entry.at,
            wall,
            actor: entry.actor.clone(),
        });
        let why = entry.events.iter().find_map(|event| match event {
            Event::Ordered { why } => Some(why.clone()),
            _ => None,
        });
        self.rows.events += entry.events.len() as u64;
        for (n, event) in entry.events.iter().enumerate() {
            match event {
                Event::Configured(routing) => self.configured(routing, &when, n as u64),
                Event::AvailabilityChanged { agent, to, .. } => {
                    let rows = (&*self.routing, &mut self.rows.record, &mut self.rows.spells);
                    self.staff.changes(*agent, *to, (&when, n as u64), rows);
                }
                _ => {}
            }
            self.recall(event, &when, n, why.as_ref());
            self.contact(event, &when);
        }
        self.told(entry, &when);
        self.audited(entry, &when, why);
    }

    fn configured(&mut self, routing: &Arc<Routing>, when: &Arc<When>, n: u64) {
        self.reconfigured = detail::configured(&self.routing, routing);
        let rows = (&mut self.rows.record, &mut self.rows.spells);
        self.staff.configured((&self.routing, routing), (when, n), rows);
        self.routing = routing.clone();
        self.rows.routing.push((when.sequence, routing.clone()));
    }

    /// A person's order is told with the first contact that it is about, as the replica does.
    fn told(&mut self, entry: &Entry, when: &Arc<When>) {
        let mut order = None;
        let mut sealed = entry.sealed.as_ref();
        for (n, event) in entry.events.iter().enumerate() {
            if matches!(event, Event::Ordered { .. }) {
                order = Some((n, event));
                continue;
            }
            let about = about(event);
            let Some(first) = about[0] else { continue };
            if let Some((n, order)) = order.take() {
                self.tell(first, n, when, order, false);
            }
            if let Some(sealed) = sealed.take() {
                self.rows.sealed.push((first, entry.sequence, sealed.clone()));
            }
            let ready = became_ready(entry, event);
            for contact in about.into_iter().flatten() {
                self.tell(contact, n, when, event, ready);
            }
        }
    }

    fn tell(
        &mut self,
        contact: ContactId,
        n: usize,
        when: &Arc<When>,
        event: &Event,
        became_ready: bool,
    ) {
        let (kind, detail) = detail::of(event, &self.routing);
        let when = when.clone();
        let event = event_bytes(event);
        self.rows.timeline.push(TimelineRow {
            contact,
            n,
            when,
            kind,
            detail,
            became_ready,
            event,
        });
    }

    fn audited(&mut self, entry: &Entry, when: &Arc<When>, why: Option<Arc<str>>) {
        if matches!(entry.actor.role, Role::Router | Role::Gateway) {
            return;
        }
        let act = entry.events.iter().find(|event| !matches!(event, Event::Ordered { .. }));
        let Some(act) = act.or(entry.events.first()) else { return };
        let (what, mut detail) = detail::of(act, &self.routing);
        if matches!(act, Event::Configured(_)) {
            detail = std::mem::take(&mut self.reconfigured);
        }
        let contact = entry.events.iter().find_map(|event| about(event)[0]);
        self.rows.audit.push(AuditRow { when: when.clone(), what, detail, contact, why });
    }

    fn recall(&mut self, event: &Event, when: &Arc<When>, n: usize, why: Option<&Arc<str>>) {
        let row = match event {
            Event::RecallStarted { recall, plan, level, expires } => {
                self.recalls.push((*recall, plan.scope.clone()));
                let names = plan.scope.iter().filter_map(|id| self.routing.entry_point(*id));
                let names: Vec<&str> = names.map(|e| &*e.name).collect();
                let scope = serde_json::to_string(&names).unwrap_or_default();
                let (recall, level, expires) = (*recall, *level, *expires);
                RecallRow::Started { recall, plan: plan.clone(), scope, level, expires }
            }
            Event::LevelChanged { recall, level, .. } => {
                RecallRow::Level { recall: *recall, level: *level }
            }
            // Its texts and end are in the audit's row.
            Event::Amended(amended) => {
                let known = self.recalls.iter_mut().find(|(id, _)| *id == amended.recall);
                if let Some((_, scope)) = known {
                    scope.clone_from(&amended.plan.scope);
                }
                return;
            }
            Event::RecallEnded { recall, expired } => {
                self.recalls.retain(|(id, _)| id != recall);
                RecallRow::Ended { recall: *recall, expired: *expired }
            }
            Event::GatewayRegistered { gateway, name } => {
                self.rows.gateways.push((*gateway, name.clone(), when.sequence));
                return;
            }
            _ => return,
        };
        let (when, why) = (when.clone(), why.cloned());
        self.rows.recalls.push(RecallChange { row, when, n, why });
    }

    /// Changes the row that an event is about.
    pub(super) fn contact(&mut self, event: &Event, when: &Arc<When>) {
        match event {
            Event::Arrived(arrived) => self.arrived(arrived, false, when),
            Event::FollowUpOpened(arrived) => self.arrived(arrived, true, when),
            Event::PromiseOpened(PromiseOpened { arrived, .. }) => {
                self.arrived(arrived, false, when)
            }
            Event::ConsultStarted { parent, child, .. } => {
                let work = Work { consult: true, arrived_us: when.at.0, ..Work::default() };
                self.open.insert(*child, work);
                self.rows.dirty.insert(*child);
                let began = Began::Consult { child: *child, parent: *parent };
                self.rows.began.push((began, when.clone()));
            }
            Event::FeedbackGiven(given) => self.rows.feedback.push((*given, when.clone())),
            Event::Coded { contact, disposition, .. } => match self.open.get_mut(contact) {
                Some(work) => {
                    work.disposition = Some(disposition.0);
                    self.rows.dirty.insert(*contact);
                }
                None => self.rows.codes.push((*contact, *disposition)),
            },
            _ => {
                let Some(contact) = about(event)[0] else { return };
                self.change(contact, event, when);
            }
        }
    }

    fn arrived(&mut self, arrived: &Arrived, follow_up: bool, when: &Arc<When>) {
        let covers = |scope: &Vec<EntryPointId>| {
            arrived.entry_point.is_some_and(|entry_point| scope.contains(&entry_point))
        };
        let recall = self.recalls.iter().find(|(_, scope)| covers(scope)).map(|(id, _)| id.0);
        let work = Work {
            arrived_us: when.at.0,
            waited_before_us: arrived.waited.0,
            attributes: arrived.attributes.as_ref().map(detail::attributes),
            recall,
            ..Work::default()
        };
        self.open.insert(arrived.contact, work);
        self.rows.dirty.insert(arrived.contact);
        let began = Began::Arrived { arrived: Box::new(arrived.clone()), follow_up };
        self.rows.began.push((began, when.clone()));
    }

    /// Changes the row of a contact that is open, or whose wrap-up is.
    fn change(&mut self, contact: ContactId, event: &Event, when: &Arc<When>) {
        // Of one that began before the archive only the timeline is told.
        let Slot::Occupied(mut slot) = self.open.entry(contact) else { return };
        let mut on = super::change::Change {
            contact,
            work: slot.get_mut(),
            rows: &mut self.rows,
            when,
            routing: &self.routing,
        };
        if on.apply(event) {
            self.rows.dirty.insert(contact);
        }
    }
}

fn became_ready(entry: &Entry, event: &Event) -> bool {
    let Event::Reserved(reserved) = event else { return false };
    entry.events.iter().any(|event| {
        matches!(event, Event::AvailabilityChanged { agent, to: Availability::Ready, .. }
            if *agent == reserved.agent)
    })
}
