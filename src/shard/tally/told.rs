//! Holds the waits that customers were told against what came of them.
//!
//! From the events alone. It knows only of those told since the process began; who was kept
//! by self-service for longer than they were told says nothing of the estimate, and who was
//! never told to the end was not told.

use super::Tally;
use crate::engine::event::{EffectKind, Event, Settled, WaitAnnounced};
use crate::ids::{ContactId, EffectId};
use crate::shard::observe::Fact;
use crate::time::{EngineTime, Span};

/// What a customer was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// The text that told it; none where the gateway was given the number.
    by: Option<EffectId>,
    at: EngineTime,
    wait: Span,
}

impl Told {
    fn is_over(self, now: EngineTime) -> bool {
        now > self.at + self.wait
    }
}

impl Tally {
    pub(super) fn told_event(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::EffectAsked { effect, contact, kind: EffectKind::Say(say) } => {
                if let Some(wait) = say.outlook.wait.filter(|wait| *wait > Span::ZERO) {
                    self.told.insert(*contact, Told { by: Some(*effect), at, wait });
                }
            }
            Event::WaitAnnounced(WaitAnnounced { contact, told, .. }) => match told.wait {
                Some(wait) if wait > Span::ZERO => {
                    self.told.insert(*contact, Told { by: None, at, wait });
                }
                // What was told is taken back, or it is their turn.
                _ => {
                    self.told.remove(contact);
                }
            },
            Event::EffectSettled { effect, contact, how }
                if *how != Settled::Done
                    && self.told.get(contact).is_some_and(|told| told.by == Some(*effect)) =>
            {
                self.told.remove(contact);
            }
            Event::Returned { contact, .. }
                if self.told.get(contact).is_some_and(|told| told.is_over(at)) =>
            {
                self.told.remove(contact);
            }
            Event::Accepted { contact, connect_by: None, .. } | Event::Bridged { contact, .. } => {
                self.told_answered(at, *contact);
            }
            // What another queue does with them says nothing of the one they were told of.
            Event::Queued(queued) => {
                self.told.remove(&queued.contact);
            }
            Event::Closed { contact, .. } => {
                self.told.remove(contact);
            }
            _ => {}
        }
    }

    fn told_answered(&mut self, at: EngineTime, contact: ContactId) {
        let Some(told) = self.told.remove(&contact) else { return };
        if let Some(queue) = self.open.get(&contact).and_then(|track| track.queue) {
            let waited = at.since(told.at);
            self.tell(Fact::AnsweredAsTold { queue, announced: told.wait, waited });
        }
    }
}
