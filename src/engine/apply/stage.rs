//! Events of a queue's life: steps, edits, hours, and what customers are told of the wait.

use super::super::Engine;
use super::super::contact::Contact;
use super::super::event::Queued;
use super::super::hours::Hours;
use super::super::stage::{Announced, Filing};
use super::super::words::QueuedBecause;
use crate::ids::{CalendarId, ContactId};
use crate::time::EngineTime;

impl Engine {
    pub(super) fn hours_changed(&mut self, calendar: CalendarId, now: Hours) {
        if self.hours.len() <= calendar.index() {
            self.hours.resize(calendar.index() + 1, Hours::default());
        }
        self.hours[calendar.index()] = now;
    }

    /// After a step or an edit. Who asks for the same as before keeps standing where they do.
    pub(super) fn refiled(&mut self, f: &Filing) {
        let Some(c) = self.contact(f.contact) else { return };
        let same = (&c.needs, &c.preferred, c.place, &c.stage.pools)
            == (&f.needs, &f.preferred, f.place, &f.stage.pools);
        if same {
            return self.retime(f.contact, |c| c.stage.clone_from(&f.stage));
        }
        self.change(f.contact, |c| {
            c.needs.clone_from(&f.needs);
            c.preferred.clone_from(&f.preferred);
            c.place = f.place;
            c.stage.clone_from(&f.stage);
        });
    }

    pub(super) fn wait_announced(
        &mut self,
        contact: ContactId,
        told: Announced,
        next: Option<EngineTime>,
    ) {
        self.retime(contact, |c| {
            c.stage.update = next;
            c.course.get_or_insert_default().announced = Some(told);
        });
    }
}

/// How far a contact has come in the queue that it enters, and by which way.
pub(super) fn enters(c: &mut Contact, q: &Queued) {
    if q.because == QueuedBecause::Overflowed {
        let course = c.course.get_or_insert_default();
        for queue in [c.queue, q.queue] {
            if !course.been.contains(&queue) {
                course.been.push(queue);
            }
        }
    }
    c.stage.clone_from(&q.stage);
}
