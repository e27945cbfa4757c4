//! Telling those in line their position and how long it will take, again and again.

use super::super::event::{Event, WaitAnnounced};
use super::super::stage::Announced;
use super::Turn;
use crate::ids::ContactId;
use crate::time::Span;

impl Turn<'_> {
    /// A customer in line is to be told. A wait that is longer than what is left of the one
    /// before, or that is no longer known, is said to be: it never grows in silence.
    pub(super) fn update_due(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        let every = self.queue_of(c.queue).map_or(Span::ZERO, |q| q.life.updates);
        if every == Span::ZERO {
            // It was edited, and whoever goes through everyone has not come to this one.
            return self.refile(contact);
        }
        let outlook = self.outlook(contact);
        let before = c.announced().and_then(|told| told.left(self.at));
        let longer = before.is_some_and(|left| outlook.wait.is_none_or(|wait| wait > left));
        let ahead = outlook.ahead.unwrap_or_default();
        let told = Announced { at: self.at, ahead, wait: outlook.wait, longer };
        self.emit(Event::WaitAnnounced(WaitAnnounced {
            contact,
            told,
            next: Some(self.at + every),
        }));
    }
}
