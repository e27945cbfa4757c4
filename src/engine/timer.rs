//! What falls due when. Made from contacts and agents; a timer that no longer holds is taken out, never ignored.

use std::collections::BTreeSet;

use super::agent::{Agent, Hold, Presence};
use super::care::Silence;
use super::contact::{Contact, Link, State};
use super::promise::{Promise, Recovery};
use super::recall::{Lane, Recall};
use crate::ids::{AgentId, ContactId, PromiseId, RecallId, RecoveryId};
use crate::time::EngineTime;

/// What falls due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Due {
    /// A reservation, a connecting or a pending contact, or a step in self-service, has
    /// lasted long enough.
    Contact(ContactId),
    /// A step of its queue is due for a contact, or a number outside is to be tried again.
    Step(ContactId),
    /// A contact in line is to be told its position and wait.
    Update(ContactId),
    /// A contact was kept for one agent long enough.
    Named(ContactId),
    /// A contact was held back long enough for one that it is linked with.
    Held(ContactId),
    /// A customer said nothing for so long that they are asked, or that they are gone.
    Silence(ContactId),
    /// A customer had long enough to answer an offer of a call.
    Offer(ContactId),
    /// An agent was passed over for a contact long enough.
    PassOver(ContactId, AgentId),
    /// The work after a contact has lasted long enough.
    WrapUp(AgentId, ContactId),
    /// A lost agent had long enough to come back.
    Grace(AgentId),
    /// Something is done for a safety contact that nobody has answered.
    Safety(ContactId),
    /// A recall that nobody ended.
    Expiry(RecallId),
    /// A recall's partners join, or a breaker of its tries again.
    Tiers(RecallId),
    /// People are paged again, or nobody said what became of a page.
    Alarm(RecallId),
    /// A promise is to become work, or is due.
    Promise(PromiseId),
    /// Work to make good is due.
    Recovery(RecoveryId),
    /// An agent has been not ready for the same reason for too long.
    Overstay(AgentId),
    /// An agent is to be signed out.
    Leaving(AgentId),
    /// A call outside the router has lasted longer than any.
    Outside(AgentId),
}

/// Everything that falls due, in order of time.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(EngineTime, Due)>,
}

impl Timers {
    pub(crate) fn next(&self) -> Option<EngineTime> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The first that is due at this time or before.
    pub(crate) fn first_due(&self, now: EngineTime) -> Option<Due> {
        self.due.first().filter(|(at, _)| *at <= now).map(|(_, due)| *due)
    }

    pub(crate) fn enter_contact(&mut self, contact: &Contact) {
        of_contact(contact, |timer| {
            self.due.insert(timer);
        });
    }

    pub(crate) fn remove_contact(&mut self, contact: &Contact) {
        of_contact(contact, |timer| {
            self.due.remove(&timer);
        });
    }

    pub(crate) fn enter_recall(&mut self, recall: &Recall) {
        of_recall(recall, |timer| {
            self.due.insert(timer);
        });
    }

    pub(crate) fn remove_recall(&mut self, recall: &Recall) {
        of_recall(recall, |timer| {
            self.due.remove(&timer);
        });
    }

    /// A promise is now so, and was so before.
    pub(crate) fn move_promise(&mut self, before: Option<&Promise>, now: &Promise) {
        if let Some(timer) = before.and_then(of_promise) {
            self.due.remove(&timer);
        }
        self.due.extend(of_promise(now));
    }

    /// A recovery is now so, and was so before.
    pub(crate) fn move_recovery(&mut self, before: Option<&Recovery>, now: &Recovery) {
        if let Some(timer) = before.and_then(of_recovery) {
            self.due.remove(&timer);
        }
        self.due.extend(of_recovery(now));
    }

    pub(crate) fn enter_agent(&mut self, agent: &Agent) {
        of_agent(agent, |timer| {
            self.due.insert(timer);
        });
    }

    pub(crate) fn remove_agent(&mut self, agent: &Agent) {
        of_agent(agent, |timer| {
            self.due.remove(&timer);
        });
    }

    pub(crate) fn all(&self) -> &BTreeSet<(EngineTime, Due)> {
        &self.due
    }
}

/// The timers that a contact's state stands for.
pub(crate) fn of_contact(contact: &Contact, mut each: impl FnMut((EngineTime, Due))) {
    match contact.state {
        State::Reserved { deadline, .. } | State::Connecting { deadline, .. } => {
            each((deadline, Due::Contact(contact.id)));
        }
        State::Pending { until, .. } => each((until, Due::Contact(contact.id))),
        State::SelfService(s) => {
            let step = s.step.due().unwrap_or(s.until);
            each((step.min(s.until), Due::Contact(contact.id)));
        }
        State::Queued => {
            if contact.named.is_none() && contact.link != Link::Detached {
                of_stage(contact, &mut each);
            }
            of_care(contact, &mut each);
            let lane = contact.stage.lane.as_deref().filter(|_| contact.link != Link::Detached);
            if let Some(due) = lane.and_then(Lane::due) {
                each((due, Due::Safety(contact.id)));
            }
        }
        State::CallbackDue => {
            if let Some(wakes) = contact.callback.as_ref().and_then(|cb| cb.wakes()) {
                each((wakes, Due::Contact(contact.id)));
            }
            let lane = contact.stage.lane.as_deref().filter(|_| contact.was_cut_off());
            if let Some(due) = lane.and_then(Lane::due_off_line) {
                each((due, Due::Safety(contact.id)));
            }
        }
        State::New | State::Assigned { .. } => {}
    }
    if let Some(named) = contact.named.filter(|_| contact.stands()) {
        each((named.until, Due::Named(contact.id)));
    }
    if let Some(offer) = contact.offer() {
        each((offer.until, Due::Offer(contact.id)));
    }
    for p in &contact.passed_over {
        each((p.until, Due::PassOver(contact.id, p.agent)));
    }
}

/// The timers of one in line: who is kept for an agent, or whose gateway is gone, has time.
fn of_stage(contact: &Contact, each: &mut impl FnMut((EngineTime, Due))) {
    let again = contact.stage.again.map(|(_, at)| at);
    let step = contact.stage.due.into_iter().chain(again).min();
    if let Some(at) = step {
        each((at, Due::Step(contact.id)));
    }
    if let Some(at) = contact.stage.update {
        each((at, Due::Update(contact.id)));
    }
}

/// The timers of a waiting contact's care.
fn of_care(contact: &Contact, each: &mut impl FnMut((EngineTime, Due))) {
    let care = &contact.care;
    if let Some(held) = care.held.filter(|h| h.with.is_some()) {
        each((held.until, Due::Held(contact.id)));
    }
    let falls = care.silent_after.filter(|_| contact.named.is_none() && care.held_for().is_none());
    let due = match care.silence {
        Silence::None => falls.map(|after| care.heard.max(contact.queued) + after),
        Silence::Asked { until, .. } => Some(until),
        Silence::Fell | Silence::Gone => None,
    };
    if let Some(due) = due {
        each((due, Due::Silence(contact.id)));
    }
}

/// The timers that a recall stands for.
pub(crate) fn of_recall(recall: &Recall, mut each: impl FnMut((EngineTime, Due))) {
    if !recall.over {
        each((recall.expires, Due::Expiry(recall.id)));
    }
    if let Some(at) = recall.wakes() {
        each((at, Due::Tiers(recall.id)));
    }
    if let Some(due) = recall.alarm.due() {
        each((due, Due::Alarm(recall.id)));
    }
}

/// The timer that a promise stands for.
pub(crate) fn of_promise(p: &Promise) -> Option<(EngineTime, Due)> {
    Some((p.wakes()?, Due::Promise(p.id)))
}

/// The timer that a recovery stands for.
pub(crate) fn of_recovery(r: &Recovery) -> Option<(EngineTime, Due)> {
    Some((r.wakes()?, Due::Recovery(r.id)))
}

/// The timers that an agent's state stands for.
pub(crate) fn of_agent(agent: &Agent, mut each: impl FnMut((EngineTime, Due))) {
    for work in &agent.work {
        if let Hold::WrapUp { until, .. } = work.hold {
            each((until, Due::WrapUp(agent.id, work.contact)));
        }
    }
    if let Presence::Lost { until } = agent.presence {
        each((until, Due::Grace(agent.id)));
    }
    if let Some(at) = agent.over_at {
        each((at, Due::Overstay(agent.id)));
    }
    if let Some(leaving) = agent.leaving.filter(|l| !l.begun) {
        each((leaving.at, Due::Leaving(agent.id)));
    }
    if let Some(until) = agent.outside.iter().map(|call| call.until).min() {
        each((until, Due::Outside(agent.id)));
    }
}
