//! Waits of contacts in queues, and the time that agents have them, as the record counts them.
//!
//! A **visit** is a wait: it begins when a contact enters a queue, or waits again after an agent
//! had it, and it ends in exactly one way. So what was offered is what was answered, abandoned,
//! moved on, served by a machine or ended otherwise, and what still waits.

use super::super::change::Change;
use super::super::work::Visit;
use super::{AgentColumn, QueueColumn, Spell};
use crate::engine::event::Queued;
use crate::engine::words::{EndReason, QueuedBecause};
use crate::ids::{AgentId, QueueId};
use crate::time::{EngineTime, Span, WallTime};

impl Change<'_> {
    pub(in super::super) fn agent(&mut self, agent: AgentId, column: AgentColumn) {
        self.rows.record.agent(agent, self.when.wall, column);
    }

    fn queue(&mut self, queue: u16, column: QueueColumn, n: u64) {
        self.rows.record.queue(QueueId(queue), self.when.wall, column, n);
    }

    /// A contact is in a queue; its row does not say so yet.
    pub(in super::super) fn visits(&mut self, queued: &Queued) {
        self.sent_on(queued);
        if self.work.consult {
            return;
        }
        let (queue, before) = (queued.queue.0, self.work.visit);
        if before.is_some_and(|visit| visit.queue == queue) {
            return;
        }
        if let Some(visit) = before.filter(|visit| visit.callback) {
            self.work.visit = Some(Visit { queue, ..visit });
            return;
        }
        let overflowed = queued.because == QueuedBecause::Overflowed;
        if let Some(visit) = before {
            let out = if overflowed { QueueColumn::OverflowedOut } else { QueueColumn::MovedOut };
            self.queue(visit.queue, out, 1);
        }
        self.queue(queue, QueueColumn::Offered, 1);
        match queued.because {
            QueuedBecause::Transferred => self.queue(queue, QueueColumn::TransferredIn, 1),
            QueuedBecause::Moved | QueuedBecause::Safety => {
                self.queue(queue, QueueColumn::MovedIn, 1);
            }
            QueuedBecause::Requeued | QueuedBecause::Woken | QueuedBecause::AgentGone => {
                self.queue(queue, QueueColumn::ReturnedIn, 1);
            }
            QueuedBecause::Overflowed => self.queue(queue, QueueColumn::OverflowedIn, 1),
            QueuedBecause::Arrived
            | QueuedBecause::FollowUp
            | QueuedBecause::Consult
            | QueuedBecause::NotForwarded
            | QueuedBecause::Promised => {}
        }
        self.work.visit = Some(Visit { queue, since_us: self.when.at.0, callback: false });
    }

    /// An agent sent it on, or back.
    fn sent_on(&mut self, queued: &Queued) {
        let Some(released) = queued.released else { return };
        match queued.because {
            QueuedBecause::Transferred => {
                self.agent(released.agent, AgentColumn::Transferred);
                if let Some(queue) = self.work.queue.filter(|_| !self.work.consult) {
                    self.queue(queue, QueueColumn::TransferredOut, 1);
                }
            }
            QueuedBecause::Requeued => self.agent(released.agent, AgentColumn::Requeued),
            _ => {}
        }
    }

    /// The customer is called back: nobody waits on the line any more. A promise in place of
    /// another is the same callback.
    pub(in super::super) fn called_back(&mut self) {
        let Some(queue) = self.work.queue else { return };
        match self.work.visit {
            Some(visit) if visit.callback => return,
            Some(visit) => self.queue(visit.queue, QueueColumn::ToCallback, 1),
            None => {}
        }
        self.queue(queue, QueueColumn::Callbacks, 1);
        self.work.visit = Some(Visit { queue, since_us: self.when.at.0, callback: true });
    }

    /// The callback that is going on is over, after so long.
    fn callback_over(&mut self) -> Option<(u16, Span)> {
        let visit = self.work.visit.filter(|visit| visit.callback)?;
        self.work.visit = None;
        Some((visit.queue, self.work.visited(visit, self.when.at)))
    }

    /// The visit that is going on is over, after so long.
    fn visit_over(&mut self) -> Option<(u16, Span, bool)> {
        let visit = self.work.visit.take()?;
        let waited = self.work.visited(visit, self.when.at);
        let target = self.routing.queue(QueueId(visit.queue)).map(|queue| queue.target);
        Some((visit.queue, waited, target.is_some_and(|target| waited <= target)))
    }

    pub(in super::super) fn visit_answered(&mut self) {
        if let Some((queue, waited)) = self.callback_over() {
            self.queue(queue, QueueColumn::CallbacksAnswered, 1);
            self.queue(queue, QueueColumn::CallbackWait, waited.0);
            return;
        }
        let Some((queue, waited, in_target)) = self.visit_over() else { return };
        self.queue(queue, QueueColumn::Answered, 1);
        self.queue(queue, QueueColumn::AnsweredInTarget, u64::from(in_target));
        self.queue(queue, QueueColumn::AnsweredWait, waited.0);
    }

    pub(in super::super) fn visit_closed(&mut self, reason: EndReason) {
        if let Some((queue, _)) = self.callback_over() {
            self.queue(queue, QueueColumn::CallbacksEnded, 1);
            return;
        }
        let Some((queue, waited, in_target)) = self.visit_over() else { return };
        let column = match reason {
            EndReason::Overflowed => QueueColumn::OverflowedOut,
            EndReason::Abandoned => QueueColumn::Abandoned,
            EndReason::Solved | EndReason::Informed | EndReason::FollowedUp => {
                QueueColumn::SelfServed
            }
            _ => QueueColumn::Ended,
        };
        self.queue(queue, column, 1);
        if reason == EndReason::Abandoned {
            let short = waited < self.routing.settings.short_abandon;
            self.queue(queue, QueueColumn::AbandonedAfterTarget, u64::from(!in_target));
            self.queue(queue, QueueColumn::AbandonedShort, u64::from(short));
            self.queue(queue, QueueColumn::AbandonedWait, waited.0);
        }
    }

    /// What an agent did with it until now, talking or holding, is over.
    pub(in super::super) fn spell_over(&mut self) {
        let (Some(began), Some((agent, _))) = (self.work.spell.take(), self.work.with) else {
            return;
        };
        let columns = match self.work.hold {
            Some(_) => (AgentColumn::Hold, QueueColumn::Hold),
            None => (AgentColumn::Talk, QueueColumn::Talk),
        };
        let lasted = self.when.at.since(EngineTime(began.us));
        let spell = Spell { began: WallTime(began.ms), lasted };
        self.rows.record.worked((AgentId(agent), self.work.queue()), columns, spell);
    }
}
