//! Orders about many contacts, carried out in slices with other commands in between.
//!
//! The list is the one that was shown. Each contact is acted on by events of its own, behind
//! one that names the order; who is gone or no longer matches is skipped, and told. How far it
//! has got is state: a restart goes on where it was.

use std::sync::Arc;

use super::super::Engine;
use super::super::bulk::{BulkAction, BulkStep, Filter, MOST_BULKS, MOST_IN_BULK, Skipped};
use super::super::command::Reply;
use super::super::contact::Contact;
use super::super::event::{BulkNews, Event};
use super::super::refusal::Refusal;
use super::super::words::{EndReason, QueuedBecause};
use super::supervisor::check_stands;
use super::walk::{BREATH, REST};
use super::{A_DAY, Turn};
use crate::ids::{ContactId, OrderId};
use crate::time::EngineTime;

/// Contacts looked at in one slice.
const LOOKED_AT: usize = 512;
/// Of those acted on at most so many: each costs several events and several microseconds.
const ACTED_ON: usize = 64;

impl Engine {
    /// Whether an order about many contacts has something to do at once.
    pub(in crate::engine) fn bulk_goes_on(&self) -> bool {
        self.agenda.bulk_rest.is_none() && self.open_bulk().is_some()
    }

    /// When one that rests goes on.
    pub(in crate::engine) fn bulk_rests(&self) -> Option<EngineTime> {
        self.agenda.bulk_rest.filter(|_| self.open_bulk().is_some())
    }
}

impl Turn<'_> {
    pub(super) fn order_bulk(
        &mut self,
        filter: &Filter,
        action: BulkAction,
        contacts: &Arc<[ContactId]>,
        why: &Arc<str>,
    ) -> Result<Reply, Refusal> {
        if contacts.is_empty() || contacts.len() > MOST_IN_BULK {
            let expected = "1 to 100000: narrow the filter";
            return Err(Refusal::OutOfRange { field: "contacts", expected });
        }
        match action {
            BulkAction::Move(queue) => {
                let to = self.queue_of(queue);
                let to = to.ok_or_else(|| Refusal::NoSuchQueue(Arc::from("?")))?;
                if to.retired {
                    return Err(Refusal::NoSuchQueue(Arc::clone(&to.name)));
                }
            }
            BulkAction::Reprioritise(head_start) if head_start > A_DAY => {
                let expected = "at most 24 hours";
                return Err(Refusal::OutOfRange { field: "head_start", expected });
            }
            BulkAction::Reprioritise(_) | BulkAction::Requeue | BulkAction::Close => {}
        }
        if self.engine.bulks.iter().filter(|b| b.over.is_none()).count() >= MOST_BULKS {
            let most = MOST_BULKS as u64;
            return Err(Refusal::Limit { what: "order about many contacts", most });
        }
        let order = OrderId(self.engine.counts.last_order + 1);
        let (filter, contacts) = (Box::new(filter.clone()), Arc::clone(contacts));
        self.order(why);
        let step = BulkStep::Began { filter, action, contacts };
        self.emit(Event::Bulk(BulkNews { order, step }));
        Ok(Reply::Order(order))
    }

    pub(super) fn cancel_bulk(&mut self, order: OrderId, why: &Arc<str>) -> Result<(), Refusal> {
        let open = self.engine.bulks.iter().any(|b| b.id == order && b.over.is_none());
        if !open {
            return Err(Refusal::NoSuchOrder(order));
        }
        self.order(why);
        self.emit(Event::Bulk(BulkNews { order, step: BulkStep::Over { cancelled: true } }));
        Ok(())
    }

    /// Carries out one slice of the first order that is not over.
    pub(super) fn carry_out(&mut self) {
        if self.engine.agenda.bulk_rest.is_some_and(|rest| rest > self.at) {
            return;
        }
        self.engine.agenda.bulk_rest = None;
        let Some(bulk) = self.engine.open_bulk() else { return };
        let (order, action, filter) = (bulk.id, bulk.action, bulk.filter.clone());
        let (contacts, from) = (Arc::clone(&bulk.contacts), bulk.next as usize);
        let mut acted = 0;
        for contact in contacts.iter().skip(from).take(LOOKED_AT) {
            if acted == ACTED_ON {
                self.engine.agenda.bulk_rest = Some(self.at + REST);
                return;
            }
            let gateway = self.engine.contact(*contact).map(|c| c.gateway);
            if gateway.is_some_and(|gateway| !self.may_tell(gateway)) {
                self.engine.agenda.bulk_rest = Some(self.at + BREATH);
                return;
            }
            acted += usize::from(self.carry_out_one(order, *contact, &filter, action));
        }
        if from + LOOKED_AT >= contacts.len() {
            self.emit(Event::Bulk(BulkNews { order, step: BulkStep::Over { cancelled: false } }));
        }
    }

    /// Tells whether anything was done.
    fn carry_out_one(
        &mut self,
        order: OrderId,
        contact: ContactId,
        filter: &Filter,
        action: BulkAction,
    ) -> bool {
        let skipped = match self.engine.contact(contact) {
            None => Some(Skipped::Gone),
            Some(c) if !self.engine.matches(self.at, filter, c) => Some(Skipped::NoMatch),
            Some(c) => self.cannot(c, action).then_some(Skipped::Refused),
        };
        if let Some(why) = skipped {
            self.emit(Event::Bulk(BulkNews { order, step: BulkStep::Skips(contact, why) }));
            return false;
        }
        self.emit(Event::Bulk(BulkNews { order, step: BulkStep::Acts(contact) }));
        let Some(c) = self.engine.contact(contact) else { return false };
        match action {
            BulkAction::Move(queue) => {
                let queued = self.moved_to(c, queue, QueuedBecause::Moved);
                self.put_back(queued);
            }
            BulkAction::Requeue => {
                let queued = self.requeued(c, QueuedBecause::Moved);
                self.put_back(queued);
            }
            BulkAction::Reprioritise(head_start) => {
                let place = self.place_ahead(c, head_start);
                self.emit(Event::Reprioritised { contact, head_start, place });
            }
            BulkAction::Close => self.close(contact, EndReason::Supervisor),
        }
        true
    }

    /// Whether an action cannot be done with a contact that matches.
    fn cannot(&self, c: &Contact, action: BulkAction) -> bool {
        let queue = match action {
            BulkAction::Move(queue) => queue,
            BulkAction::Requeue => return check_stands(c).is_err(),
            BulkAction::Reprioritise(_) | BulkAction::Close => return false,
        };
        let queued = self.moved_to(c, queue, QueuedBecause::Moved);
        self.check_target(c.channel, &queued).is_err()
    }
}
