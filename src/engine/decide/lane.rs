//! Safety contacts that nobody answers: any agent, then the number outside, and a page.
//!
//! Each is watched from when it begins to wait; what is done next, and when, is in its
//! [`Lane`]. People are paged for a recall, not for each contact: an incident begins with the
//! first who waits too long and is over once nobody does.

use super::super::Engine;
use super::super::contact::{Contact, State};
use super::super::event::{AlarmNews, EffectKind, Event, SafetyNews, SafetyStep};
use super::super::rank::Asked;
use super::super::recall::{
    Alarm, AlarmStep, Lane, LatePlan, MOST_PAGES, OUTSIDE_AGAIN, Outside, PAGE_AGAIN, PAGED_WITHIN,
    Page, Paged, Plan, Recall, SafetyPlan,
};
use super::super::words::{Channel, ServiceClass, WaitsFor};
use super::Turn;
use crate::ids::{ContactId, RecallId};
use crate::time::Span;

/// How long the number outside may take to answer who is hurt.
const OUTSIDE_WITHIN: Span = Span::seconds(60);
/// The longest that anything is put off for a safety contact.
const MOST_LATE: Span = Span::seconds(3_600);
/// The shortest time between two pages of one incident.
const LEAST_REPEAT: Span = Span::seconds(60);
/// Longest telephone number.
const MOST_NUMBER: usize = 64;

impl Engine {
    /// The number outside that takes a recall's safety contacts of a channel: what it is
    /// called, and the number.
    #[must_use]
    pub fn outside<'a>(
        &'a self,
        plan: &'a SafetyPlan,
        channel: Channel,
    ) -> Option<(&'a str, &'a str)> {
        match plan.external.as_ref()? {
            Outside::Number(number) => (channel == Channel::Voice).then_some(("safety", number)),
            Outside::Named(id) => {
                let external = self.routing.external(*id).filter(|e| e.takes(channel))?;
                Some((&external.name, external.numbers[channel.index()].as_deref()?))
            }
        }
    }

    /// How many safety contacts of a recall wait too long now.
    #[must_use]
    pub fn late_in(&self, recall: RecallId) -> u32 {
        self.late.of(recall)
    }

    /// The recall in whose safety lane a contact is: that of where it came in, or the one by
    /// whose words it was found to be about safety.
    pub(super) fn lane_recall(&self, c: &Contact) -> Option<&Recall> {
        let by_words = c.triage.and_then(|h| self.recall(h.recall)).filter(|r| !r.over);
        self.recall_at(c.entry_point).or(by_words)
    }

    /// What is wrong with a plan's safety lane, if anything: the field, and what it takes.
    pub(super) fn check_lane(&self, plan: &Plan) -> Option<(&'static str, &'static str)> {
        let LatePlan { any_agent, external, page, repeat } = plan.safety.late;
        let times = |least: Span, span: Span| (least..=MOST_LATE).contains(&span);
        let known = match &plan.safety.external {
            None => true,
            Some(Outside::Number(number)) => (1..=MOST_NUMBER).contains(&number.len()),
            Some(Outside::Named(id)) => self.routing.external(*id).is_some_and(|e| !e.retired),
        };
        let second = Span::seconds(1);
        let checks = [
            ("safety.any_agent_after", "1 second to 1 hour", times(second, any_agent)),
            ("safety.external_after", "1 second to 1 hour", times(second, external)),
            ("safety.page_after", "1 second to 1 hour", times(second, page)),
            ("safety.page_repeat", "1 minute to 1 hour", times(LEAST_REPEAT, repeat)),
            (
                "safety.external",
                "a number of at most 64 bytes, or an external of the configuration",
                known,
            ),
        ];
        checks.into_iter().find(|(.., ok)| !ok).map(|(field, expected, _)| (field, expected))
    }
}

impl Turn<'_> {
    /// A safety contact begins to wait in a recall's lane: what is done if nobody answers.
    pub(super) fn watch(&mut self, contact: ContactId) {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact) else { return };
        let on_its_way =
            matches!(c.state, State::Queued | State::Reserved { .. } | State::Connecting { .. });
        let watched = c.stage.lane.is_some() || c.parent.is_some() || c.silent().is_some();
        if c.service != ServiceClass::Safety || !on_its_way || watched {
            return;
        }
        let Some(recall) = engine.lane_recall(c) else { return };
        let plan = &recall.plan.safety;
        let takes = engine.outside(plan, c.channel).is_some();
        let lane = Lane::of(recall.id, plan, takes, self.at);
        self.emit(Event::Safety(SafetyNews { contact, step: SafetyStep::Watched, lane }));
    }

    /// A safety contact's line is cut, and it is called again: what was still to be done for it
    /// goes on, and begins anew for one that a person has had.
    pub(super) fn watch_cut_off(&mut self, contact: ContactId, goes_on: bool) {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact).filter(|c| c.service == ServiceClass::Safety) else {
            return;
        };
        let Some(recall) = engine.lane_recall(c).filter(|_| !goes_on && c.was_cut_off()) else {
            return;
        };
        let plan = &recall.plan.safety;
        let takes = engine.outside(plan, c.channel).is_some();
        let lane = Lane::of(recall.id, plan, takes, self.at);
        self.emit(Event::Safety(SafetyNews { contact, step: SafetyStep::Watched, lane }));
    }

    /// An amendment has other times, or a number outside where there was none: they are for those
    /// who wait already, too. What is done stays done.
    pub(super) fn watch_anew(&mut self, contact: ContactId) {
        let Some(lane) = self.lane(contact) else { return };
        let engine = &*self.engine;
        let (Some(c), Some(recall)) = (engine.contact(contact), engine.recall(lane.recall)) else {
            return;
        };
        let plan = &recall.plan.safety;
        let takes = engine.outside(plan, c.channel).is_some();
        let fresh = Lane::of(recall.id, plan, takes, lane.since);
        // One that was tried in vain is tried again when its time has come.
        let tried = lane.outside.filter(|at| fresh.outside.is_some_and(|first| *at > first));
        let anew = Lane {
            any_agent: fresh.any_agent.filter(|_| lane.any_agent.is_some()),
            outside: tried.or(fresh.outside),
            page: fresh.page.filter(|_| lane.page.is_some()),
            ..lane
        };
        if anew != lane {
            let step = SafetyStep::Watched;
            self.emit(Event::Safety(SafetyNews { contact, step, lane: anew }));
        }
    }

    fn lane(&self, contact: ContactId) -> Option<Lane> {
        let waits = |c: &&Contact| {
            c.state == State::Queued || (c.state == State::CallbackDue && c.was_cut_off())
        };
        self.engine.contact(contact).filter(waits)?.stage.lane.as_deref().copied()
    }

    /// A safety contact has waited so long that something is done.
    pub(super) fn safety_due(&mut self, contact: ContactId) {
        if self.engine.contact(contact).is_some_and(|c| c.named.is_some()) {
            self.emit(Event::OpenedToAll(contact));
            self.offer_contact(contact);
        }
        self.widen(contact);
        self.call_in(contact);
        self.send_outside(contact);
    }

    fn widen(&mut self, contact: ContactId) {
        let Some(lane) = self.lane(contact).filter(|l| l.any_agent.is_some_and(|t| t <= self.at))
        else {
            return;
        };
        let has_room = self
            .engine
            .contact(contact)
            .is_some_and(|c| self.engine.floor.has_room(Asked { anyone: true, ..Asked::of(c) }));
        // Where the table of demand classes is full, it is tried again.
        let any_agent = (!has_room).then(|| self.at + OUTSIDE_AGAIN);
        let step = if has_room { SafetyStep::AnyAgent } else { SafetyStep::OutsideAgain };
        let lane = Lane { any_agent, ..lane };
        self.emit(Event::Safety(SafetyNews { contact, step, lane }));
        self.offer_contact(contact);
    }

    fn call_in(&mut self, contact: ContactId) {
        let Some(lane) = self.lane(contact).filter(|l| l.page.is_some_and(|t| t <= self.at)) else {
            return;
        };
        let (step, lane) = (SafetyStep::Late, Lane { page: None, ..lane });
        self.emit(Event::Safety(SafetyNews { contact, step, lane }));
        // One that lasts has been told of, and is again when its time has come.
        if self.alarm(lane.recall).is_some_and(|a| a.since.is_none()) {
            self.ask_page(lane.recall);
        }
    }

    fn send_outside(&mut self, contact: ContactId) {
        let Some(lane) = self.lane(contact).filter(|l| l.outside.is_some_and(|t| t <= self.at))
        else {
            return;
        };
        let engine = &*self.engine;
        let c = engine.contact(contact);
        if c.is_some_and(|c| c.state != State::Queued) {
            return;
        }
        let plan = engine.recall(lane.recall).map(|r| &r.plan.safety);
        let takes = c.zip(plan).is_some_and(|(c, plan)| engine.outside(plan, c.channel).is_some());
        // A number that is gone from the configuration may come back with the next one.
        let named = matches!(plan.and_then(|p| p.external.as_ref()), Some(Outside::Named(_)));
        // One whose customer is with an agent by another contact is not sent away from it.
        let held = c.is_some_and(|c| c.care.held_for().is_some());
        let kind = EffectKind::Outside(lane.recall);
        if takes && !held && self.send_away(contact, kind, OUTSIDE_WITHIN) {
            return;
        }
        let outside = (takes || named).then(|| self.at + OUTSIDE_AGAIN);
        let (step, lane) = (SafetyStep::OutsideAgain, Lane { outside, ..lane });
        self.emit(Event::Safety(SafetyNews { contact, step, lane }));
    }

    fn alarm(&self, recall: RecallId) -> Option<&Alarm> {
        self.engine.recall(recall).map(|r| &r.alarm)
    }

    fn news(&mut self, recall: RecallId, step: AlarmStep) {
        self.emit(Event::Alarm(AlarmNews { recall, step }));
    }

    fn ask_page(&mut self, recall: RecallId) {
        let Some(r) = self.engine.recall(recall) else { return };
        let (alarm, repeat) = (&r.alarm, r.plan.safety.late.repeat);
        let oldest = alarm.pending.first().filter(|_| alarm.pending.len() >= MOST_PAGES);
        let page = Page {
            number: alarm.pages + 1,
            incident: alarm.incidents + u32::from(alarm.since.is_none()),
            since: alarm.since.unwrap_or(self.at),
            asked: self.at,
            waiting: self.engine.late_in(recall),
            by: self.at + PAGED_WITHIN,
        };
        if let Some(number) = oldest.map(|p| p.number) {
            let (how, again) = (Paged::Superseded, alarm.again);
            self.news(recall, AlarmStep::Settled { number, how, again });
        }
        self.news(recall, AlarmStep::Asked { page, again: self.at + repeat });
    }

    /// People are to be paged again, or nobody said what became of a page.
    pub(super) fn alarm_due(&mut self, recall: RecallId) {
        let Some(alarm) = self.alarm(recall) else { return };
        let late = alarm.pending.iter().find(|p| p.by <= self.at).map(|p| p.number);
        match late {
            Some(number) => self.page_settled(recall, number, Paged::Late),
            None => self.ask_page(recall),
        }
    }

    /// What became of a page. Of one that is settled already nothing new is to be said.
    pub(super) fn page_settled(&mut self, recall: RecallId, number: u32, how: Paged) {
        let Some(alarm) = self.alarm(recall) else { return };
        if !alarm.pending.iter().any(|p| p.number == number) {
            return;
        }
        let soon = matches!(how, Paged::Failed | Paged::Late).then(|| self.at + PAGE_AGAIN);
        let again = alarm.again.map(|again| soon.map_or(again, |soon| again.min(soon)));
        self.news(recall, AlarmStep::Settled { number, how, again });
    }

    /// Incidents in which nobody waits too long any more.
    pub(super) fn alarms_over(&mut self) {
        let over = |r: &&Recall| r.alarm.since.is_some() && self.engine.late_in(r.id) == 0;
        let over: Vec<RecallId> = self.engine.recalls.iter().filter(over).map(|r| r.id).collect();
        for recall in over {
            self.news(recall, AlarmStep::Over);
        }
    }

    /// What is still to be done for a safety contact that is queued again. It goes on where
    /// nobody has answered it, and begins anew for one that a person has had.
    pub(super) fn lane_of(&self, c: &Contact) -> Option<Box<Lane>> {
        let answered = match c.state {
            State::Assigned { .. } => true,
            State::Pending { on, .. } => {
                matches!(on, WaitsFor::Customer | WaitsFor::ThirdParty)
            }
            _ => false,
        };
        c.stage.lane.clone().filter(|_| !answered)
    }
}
