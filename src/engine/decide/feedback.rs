//! What customers say of a contact, while it is open or after: a score, words, or both.
//!
//! Taken by any gateway and on any channel. What they wrote rides sealed; the engine keeps
//! nothing, because nothing is routed by it. A low score opens work to make good where its
//! queue says so: one for a contact at a time, led by who had it.

use super::super::care::FeedbackReport;
use super::super::event::{Event, Feedback};
use super::super::promise::{MOST_OPEN, Recovery, RecoveryState};
use super::super::refusal::Refusal;
use super::Turn;
use crate::ids::{AgentId, GatewayId, RecoveryId};

/// The longest scale.
const MOST_SCORE: u8 = 10;

impl Turn<'_> {
    pub(super) fn feedback(
        &mut self,
        gateway: GatewayId,
        f: &FeedbackReport,
    ) -> Result<(), Refusal> {
        let contact = f.contact;
        if contact.0 == 0 || contact.0 > self.engine.counts.accepted {
            return Err(Refusal::NoSuchContact(contact));
        }
        let checks = [
            ("scale", "1 to 10", (1..=MOST_SCORE).contains(&f.scale)),
            ("score", "0 to the scale", f.score.is_none_or(|score| score <= f.scale)),
            ("score", "there, unless there are words", f.score.is_some() || f.words),
        ];
        if let Some((field, expected, _)) = checks.into_iter().find(|(_, _, ok)| !ok) {
            return Err(Refusal::OutOfRange { field, expected });
        }
        let open = self.engine.contact(contact).map(|c| c.queue);
        let known = f.queue.filter(|q| self.queue_of(*q).is_some());
        let feedback = Feedback {
            contact,
            gateway,
            channel: f.channel,
            queue: open.or(known),
            score: f.score,
            scale: f.scale,
            words: f.words,
        };
        self.emit(Event::FeedbackGiven(feedback));
        if let Some(recovery) = self.plan_for_score(&feedback, f.agent) {
            self.emit(Event::RecoveryOpened(recovery));
        }
        Ok(())
    }

    /// What a low score opens. Nothing where there is work already for the same contact, or as
    /// much open as there may be: the score itself is listed in any case.
    fn plan_for_score(&self, f: &Feedback, had: Option<AgentId>) -> Option<Recovery> {
        let low = self.queue_of(f.queue?)?.care.low_score?;
        let owed = &self.engine.owed;
        let is_low = f.tenths()? <= u16::from(low.at_most) * 10;
        if !is_low || owed.makes_good(f.contact) || owed.recoveries().len() >= MOST_OPEN {
            return None;
        }
        let c = self.engine.contact(f.contact);
        let has = c.and_then(|c| c.state.agent());
        let at_work = |a: &AgentId| self.engine.routing.agent(*a).is_some_and(|p| !p.retired);
        Some(Recovery {
            id: RecoveryId(owed.counts.last_recovery + 1),
            contact: f.contact,
            customer: c.and_then(|c| c.customer),
            owner: has.or(had).filter(at_work),
            remedy: 0,
            approved: true,
            opened: self.at,
            due: self.at + low.within,
            state: RecoveryState::Open,
        })
    }
}
