//! What an event changes in one contact's row and in the intervals that it counts in.

use std::sync::Arc;

use super::record::{AgentColumn, QueueColumn};
use super::rows::{Rows, Stay, When};
use super::work::{Moment, Work};
use crate::engine::event::{CallbackPromised, Event, Queued};
use crate::engine::recall::SelfService;
use crate::engine::routing::Routing;
use crate::engine::words::{EndReason, NotTaken, QueuedBecause};
use crate::ids::{AgentId, ContactId, QueueId, RecallId};
use crate::time::Span;

/// One event on one contact.
pub(super) struct Change<'a> {
    pub(super) contact: ContactId,
    pub(super) work: &'a mut Work,
    pub(super) rows: &'a mut Rows,
    pub(super) when: &'a Arc<When>,
    pub(super) routing: &'a Routing,
}

impl Change<'_> {
    /// Whether the row is another now.
    pub(super) fn apply(&mut self, event: &Event) -> bool {
        let (at, wall) = (self.when.at, self.when.wall);
        match event {
            Event::Queued(queued) => self.queued(queued),
            Event::Reserved(reserved) => {
                self.work.counts.offers += 1;
                self.rows.agent(reserved.agent, wall).offered += 1;
                self.agent(reserved.agent, AgentColumn::Offered);
            }
            Event::NotTaken { agent, how, .. } => self.not_taken(*agent, *how),
            Event::Accepted { agent, connect_by: None, .. } | Event::Bridged { agent, .. } => {
                self.taken(*agent);
                // Before the contact counts as answered: a first wait began with its arrival.
                self.visit_answered();
                self.answered();
            }
            Event::ConnectFailed { agent, .. } => {
                self.work.counts.connect_failures += 1;
                self.agent(*agent, AgentColumn::ConnectFailed);
            }
            Event::HandedOver { from, to, wrap_up, .. } => {
                self.work.counts.hand_overs += 1;
                self.let_go();
                if wrap_up.is_some() {
                    self.work.wraps(*from, self.moment());
                }
                self.taken(*to);
            }
            Event::Pended { .. } => {
                self.work.counts.pends += 1;
                self.let_go();
            }
            Event::HoldChanged { on, .. } => {
                if self.work.with.is_some() && self.work.hold.is_some() != *on {
                    self.spell_over();
                    self.work.spell = Some(self.moment());
                }
                let held = self.work.holds(*on, at);
                if let Some((agent, _)) = self.work.with.filter(|_| held > Span::ZERO) {
                    self.rows.spent(
                        (AgentId(agent), self.work.queue()),
                        wall,
                        [Span::ZERO, held, Span::ZERO],
                    );
                }
            }
            Event::WrapUpEnded { agent, .. } => {
                let Some((spell, queue)) = self.work.wrapped(*agent, at) else { return false };
                self.rows.spent((*agent, queue), wall, [Span::ZERO, Span::ZERO, spell.lasted]);
                let columns = (AgentColumn::WrapUp, QueueColumn::WrapUp);
                self.rows.record.worked((*agent, queue), columns, spell);
            }
            Event::AttributesSet { attributes, .. } => {
                self.work.attributes = Some(super::detail::attributes(attributes));
            }
            Event::Closed { reason, agent, wrap_up, .. } => {
                self.closed(*reason, agent.filter(|_| wrap_up.is_some()));
            }
            Event::CallbackPromised(CallbackPromised { released, .. }) => {
                self.let_go();
                self.called_back();
                self.work.callback = true;
                if let Some(released) = released.filter(|released| released.wrap_up.is_some()) {
                    self.work.wraps(released.agent, self.moment());
                }
            }
            Event::Triaged { heed, .. } => self.concerns(heed.recall),
            Event::Diverted { now, .. } => self.diverted(now),
            Event::Returned { because, .. } => self.left("returned", Some(because.name())),
            _ => return false,
        }
        true
    }

    fn not_taken(&mut self, agent: AgentId, how: NotTaken) {
        self.work.counts.not_taken += 1;
        let column = match how {
            NotTaken::Declined => AgentColumn::Declined,
            NotTaken::TimedOut => AgentColumn::Missed,
            NotTaken::AgentGone | NotTaken::Withdrawn => return,
        };
        self.rows.agent(agent, self.when.wall).not_taken += 1;
        self.agent(agent, column);
    }

    fn queued(&mut self, queued: &Queued) {
        // Before the queue is another: the time counts where it was spent.
        self.let_go();
        if let Some(released) = queued.released.filter(|released| released.wrap_up.is_some()) {
            self.work.wraps(released.agent, self.moment());
        }
        self.visits(queued);
        let work = &mut *self.work;
        let entered = work.queue.replace(queued.queue.0) != Some(queued.queue.0);
        work.queue_first.get_or_insert(queued.queue.0);
        work.service = Some(queued.service as u8);
        match queued.because {
            QueuedBecause::Transferred => work.counts.transfers += 1,
            QueuedBecause::Requeued => work.counts.requeues += 1,
            QueuedBecause::Moved => work.counts.moves += 1,
            _ => {}
        }
        if entered && !work.consult {
            self.rows.cell(queued.queue, self.when.wall).offered += 1;
        }
    }

    fn taken(&mut self, agent: AgentId) {
        self.work.taken(agent, self.when.at);
        self.work.spell = Some(self.moment());
        self.rows.agent(agent, self.when.wall).handled += 1;
        self.agent(agent, AgentColumn::Answered);
    }

    fn let_go(&mut self) {
        self.spell_over();
        if let Some(spent) = self.work.let_go(self.when.at) {
            let who = (spent.agent, self.work.queue());
            self.rows.spent(who, self.when.wall, [spent.talk, spent.hold, Span::ZERO]);
        }
    }

    fn in_target(&self, queue: QueueId, waited: Span) -> bool {
        self.routing.queue(queue).is_some_and(|queue| waited <= queue.target)
    }

    fn answered(&mut self) {
        let (Some(queue), None) = (self.work.queue(), self.work.answered) else { return };
        let waited = self.work.waited(self.when.at);
        self.work.answered = Some(self.moment());
        self.work.answered_queue = Some(queue.0);
        if self.work.callback {
            self.work.callback_wait_us = Some(waited.0);
            return;
        }
        self.work.wait_us = Some(waited.0);
        if self.work.consult {
            return;
        }
        let in_target = self.in_target(queue, waited);
        let cell = self.rows.cell(queue, self.when.wall);
        cell.answered += 1;
        cell.answered_in_target += u64::from(in_target);
        cell.answered_wait_us += waited.0;
        cell.wait_max_us = cell.wait_max_us.max(waited.0);
    }

    fn closed(&mut self, reason: EndReason, wraps: Option<AgentId>) {
        let waited = self.work.waited(self.when.at);
        self.let_go();
        if self.work.stay.is_some() {
            if reason == EndReason::Solved {
                self.work.counts.solved += 1;
                if let Some(queue) = self.work.queue() {
                    self.rows.cell(queue, self.when.wall).solved += 1;
                }
            }
            self.left(reason.name(), None);
        }
        if let Some(agent) = wraps {
            self.work.wraps(agent, self.moment());
        }
        self.visit_closed(reason);
        self.work.ended = Some(self.moment());
        let place = EndReason::ALL.iter().position(|one| *one == reason);
        self.work.end_reason = place.and_then(|place| u8::try_from(place).ok());
        if self.work.answered.is_none() {
            let work = &mut *self.work;
            let wait = if work.callback { &mut work.callback_wait_us } else { &mut work.wait_us };
            *wait = Some(waited.0);
        }
        let (EndReason::Abandoned, Some(queue), false) =
            (reason, self.work.queue(), self.work.consult)
        else {
            return;
        };
        let in_target = self.in_target(queue, waited);
        let cell = self.rows.cell(queue, self.when.wall);
        cell.abandoned += 1;
        cell.abandoned_after_target += u64::from(!in_target);
        cell.abandoned_wait_us += waited.0;
        cell.wait_max_us = cell.wait_max_us.max(waited.0);
    }

    fn concerns(&mut self, recall: RecallId) {
        self.work.recall.get_or_insert(recall.0);
    }

    fn diverted(&mut self, now: &SelfService) {
        self.concerns(now.recall);
        self.work.counts.entered += 1;
        self.work.stay = Some(self.when.at.0);
        let queue = self.work.queue();
        if let Some(queue) = queue {
            self.rows.cell(queue, self.when.wall).entered += 1;
        }
        let (contact, when) = (self.contact, self.when.clone());
        let (recall, tier) = (now.recall, now.tier.name());
        self.rows.stays.push(Stay::Entered { contact, when, recall, tier, queue });
    }

    fn left(&mut self, outcome: &'static str, because: Option<&'static str>) {
        let Some(entered_us) = self.work.stay.take() else { return };
        if because.is_some() {
            self.work.counts.returned += 1;
            if let Some(queue) = self.work.queue() {
                self.rows.cell(queue, self.when.wall).returned += 1;
            }
        }
        let (contact, when) = (self.contact, self.when.clone());
        self.rows.stays.push(Stay::Left { contact, entered_us, when, outcome, because });
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { us: self.when.at.0, ms: self.when.wall.0 }
    }
}
