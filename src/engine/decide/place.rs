//! Who left a queue unanswered and comes back in time gets the place that they had.
//!
//! Only customers who are known for certain, into the same queue, once for each time that they
//! left. Where their place was and until when is an event; the engine forgets the rest.

use smallvec::SmallVec;

use super::super::contact::Contact;
use super::super::event::{Advanced, AdvancedBecause, Event, PlaceKept};
use super::super::words::EndReason;
use super::link::origin;
use super::{A_DAY, Turn};
use crate::ids::{ContactId, QueueId};
use crate::time::{Place, Span};

impl Turn<'_> {
    /// The place to keep for the customer of a contact that is about to end, in each queue that
    /// they waited in: they may come back by the way that they came.
    pub(super) fn places_to_keep(
        &self,
        contact: ContactId,
        reason: EndReason,
    ) -> SmallVec<[PlaceKept; 1]> {
        // Nobody had answered them, and it was not anyone's decision.
        let left = matches!(
            reason,
            EndReason::Abandoned
                | EndReason::GatewayLost
                | EndReason::CustomerUnreachable
                | EndReason::GoneSilent
        );
        let unanswered = |c: &&Contact| left && c.answered.is_none() && c.parent.is_none();
        let Some(c) = self.engine.contact(contact).filter(unanswered) else {
            return SmallVec::new();
        };
        let been = c.course.iter().flat_map(|course| &course.been).copied();
        let queues = [c.queue].into_iter().chain(been.filter(|queue| *queue != c.queue));
        let kept = queues.filter_map(|queue| {
            let (customer, until) = (c.customer?, self.at + self.keep_place(queue)?);
            Some(PlaceKept { contact, customer, queue, origin: origin(c), until })
        });
        kept.collect()
    }

    fn keep_place(&self, queue: QueueId) -> Option<Span> {
        let lasting = self.queue_of(queue)?.care.keep_place.min(A_DAY);
        (lasting > Span::ZERO).then_some(lasting)
    }

    /// Who has just entered a queue gets the place that is kept for them there.
    pub(super) fn give_back_place(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        let (Some(customer), Some(_)) = (c.customer, self.keep_place(c.queue)) else { return };
        let queue = c.queue;
        let Some(kept) = self.engine.kept.get(self.at, &(customer, queue)) else { return };
        let by = u64::try_from(origin(c).0.saturating_sub(kept.origin.0)).unwrap_or_default();
        if by > 0 {
            let place = Place(c.place.0.saturating_sub_unsigned(by));
            let because = AdvancedBecause::Returned { of: kept.contact, queue };
            self.emit(Event::Advanced(Advanced { contact, by: Span(by), place, because }));
        }
    }
}
