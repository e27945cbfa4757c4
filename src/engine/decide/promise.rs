//! Promises and recovery work: what is made, what becomes work when, and what is kept.
//!
//! A promise is kept, late or broken by itself, whatever becomes of contacts. A follow-up
//! becomes work within the customer's hours and a budget; who finds no room has the next
//! turn and is told so. Callbacks are promised in `callback`, counted here.

use std::sync::Arc;

use super::super::callback::{CallHours, Callback, CallbackKind, Exhausted, Phase, Wanted};
use super::super::command::{Pledge, Remedy, Reply};
use super::super::contact::{Contact, OURS, State};
use super::super::event::{Arrived, CallbackPromised, Event, PromiseOpened, Queued, RecoveryNews};
use super::super::promise::{
    MOST_OPEN, MOST_PROMISED, MOST_REMEDY, Of, Promise, PromiseKind, Punctual, Recovery,
    RecoveryState, Stage,
};
use super::super::refusal::Refusal;
use super::super::words::{Channel, EndReason, Named, QueuedBecause};
use super::{Own, Turn, demand, place, service};
use crate::ids::{AgentId, ContactId, PromiseId, RecoveryId};
use crate::time::{EngineTime, Span};

/// How long a follow-up waits that found the router full.
const FULL: Span = Span::seconds(60);

impl Turn<'_> {
    /// Owes something by a contact that works on it from now on. What it owed already is
    /// promised anew, not twice.
    pub(super) fn owe(
        &mut self,
        contact: ContactId,
        kind: PromiseKind,
        due: Option<EngineTime>,
        hours: Option<CallHours>,
        owner: Option<AgentId>,
    ) -> Option<PromiseId> {
        let c = self.engine.contact(contact)?;
        let open = c.owed.and_then(|p| self.engine.promise(p).copied());
        let promise = match open {
            Some(before) => Promise { due, hours, owner: owner.or(before.owner), ..before },
            None => {
                Promise { kind, due, stage: Stage::Working(contact), ..self.blank(c, hours, owner) }
            }
        };
        self.emit(Event::PromiseMade(promise));
        Some(promise.id)
    }

    fn blank(&self, c: &Contact, hours: Option<CallHours>, owner: Option<AgentId>) -> Promise {
        Promise {
            id: PromiseId(self.engine.owed.counts.last_promise + 1),
            contact: c.id,
            customer: c.customer,
            kind: PromiseKind::FollowUp,
            owner,
            made: self.at,
            due: None,
            hours,
            stage: Stage::Waiting { until: self.at, turn: false },
            punctual: Punctual::Open,
            of: Of {
                gateway: c.gateway,
                channel: c.channel,
                queue: c.queue,
                entry_point: c.entry_point,
                language: c.language,
                callable: c.callable,
            },
        }
    }

    /// A promise as it would be made, nothing changed.
    pub(super) fn plan_promise(&self, p: &Pledge, by: Option<AgentId>) -> Result<Promise, Refusal> {
        let c = self.contact(p.contact)?;
        if c.parent.is_some() {
            return Err(Refusal::ConsultOpen(p.contact));
        }
        if p.kind == PromiseKind::Callback {
            let expected = "a follow-up or a reply; a callback is asked for by itself";
            return Err(Refusal::OutOfRange { field: "kind", expected });
        }
        self.check_due(p.due)?;
        let dialled = p.kind == PromiseKind::FollowUp && c.channel == Channel::Voice;
        if dialled && !c.callable {
            return Err(Refusal::NoNumber(p.contact));
        }
        if dialled && self.queue_of(c.queue).is_none_or(|q| q.callback.is_none()) {
            return Err(Refusal::NoCallbacks(self.engine.routing.queue_name(c.queue).into()));
        }
        if p.kind == PromiseKind::Reply && c.channel == Channel::Voice {
            let (contact, is, expected) = (p.contact, "a call", "a chat, email or message");
            return Err(Refusal::WrongState { contact, is, expected });
        }
        if self.engine.owed.promises().len() >= MOST_OPEN {
            return Err(Refusal::Limit { what: "open promise", most: MOST_OPEN as u64 });
        }
        let owner = self.known_agent(p.owner.or(by))?;
        let lead = self.engine.routing.settings.promises.lead;
        let hours = self.engine.queue_hours(c.queue);
        let until = hours.before(p.due, lead);
        let theirs = p.hours.filter(|_| dialled);
        let until = theirs.map_or(until, |theirs| theirs.last(until, lead)).max(self.at);
        let stage = Stage::Waiting { until, turn: false };
        let (kind, due) = (p.kind, Some(p.due));
        Ok(Promise { kind, due, stage, ..self.blank(c, p.hours, owner) })
    }

    fn check_due(&self, due: EngineTime) -> Result<(), Refusal> {
        let ok = due > self.at && due <= self.at + MOST_PROMISED;
        let expected = "ahead, within 90 days";
        ok.then_some(()).ok_or(Refusal::OutOfRange { field: "due", expected })
    }

    fn known_agent(&self, agent: Option<AgentId>) -> Result<Option<AgentId>, Refusal> {
        match agent {
            Some(a) if self.engine.routing.agent(a).is_none_or(|p| p.retired) => {
                Err(Refusal::NoSuchAgent(a))
            }
            known => Ok(known),
        }
    }

    pub(super) fn make_promise(&mut self, promise: Promise) -> Reply {
        self.emit(Event::PromiseMade(promise));
        Reply::Promised { promise: promise.id, due: promise.due }
    }

    /// Something is due for a promise.
    pub(super) fn promise_due(&mut self, id: PromiseId) {
        let Some(p) = self.engine.promise(id).copied() else { return };
        match p.stage {
            Stage::Waiting { turn, .. } => self.becomes_work(p, turn),
            // One who was called in time has what was promised, whether they answered or not.
            Stage::Working(contact) => {
                let first = |c: &Contact| c.callback.as_ref().is_some_and(|cb| cb.first.is_some());
                let called = self.engine.contact(contact).is_some_and(first);
                let punctual = if called { Punctual::InTime } else { Punctual::Late };
                self.emit(Event::PromiseSet(Promise { punctual, ..p }));
            }
            // Whatever the end of the conversation brings, it comes too late.
            Stage::Talking => {
                self.emit(Event::PromiseSet(Promise { punctual: Punctual::Late, ..p }));
            }
            Stage::Kept | Stage::Broken => {}
        }
    }

    /// What was said in a conversation that is over becomes work now.
    pub(super) fn talked(&mut self, contact: ContactId) {
        for p in self.engine.owed.made_in(contact) {
            if p.stage == Stage::Talking {
                self.becomes_work(p, false);
            }
        }
    }

    fn becomes_work(&mut self, p: Promise, turn: bool) {
        // The end of the call in which it was said neither keeps nor breaks it.
        if self.engine.contact(p.contact).is_some_and(Contact::goes_on) {
            if p.stage != Stage::Talking {
                self.emit(Event::PromiseSet(Promise { stage: Stage::Talking, ..p }));
            }
            return;
        }
        let next = self.engine.owed.counts.next_follow_up;
        if !turn && self.at < next {
            return self.later(p, next);
        }
        // What it was promised in waits, or is pending: that is where it is kept.
        let takes_over = |c: &Contact| c.owed.is_none() && c.state != State::CallbackDue;
        if self.engine.contact(p.contact).is_some_and(takes_over) {
            self.emit(Event::PromiseSet(Promise { stage: Stage::Working(p.contact), ..p }));
            return self.wake(p.contact);
        }
        if self.engine.contacts.len() >= self.engine.routing.settings.most_contacts as usize {
            return self.over_night(p, self.at + FULL);
        }
        if self.is_dialled(&p)
            && let Some(until) = self.not_yet(&p)
        {
            return self.over_night(p, until);
        }
        self.follow_up(p);
    }

    fn is_dialled(&self, p: &Promise) -> bool {
        p.of.channel == Channel::Voice
    }

    /// Delayed, and told so by the event: it has a turn of its own then.
    fn later(&mut self, p: Promise, until: EngineTime) {
        let late = p.due.is_some_and(|due| due < until);
        let punctual = if late { Punctual::Late } else { p.punctual };
        let stage = Stage::Waiting { until, turn: true };
        self.emit(Event::PromiseSet(Promise { stage, punctual, ..p }));
    }

    /// A new contact, linked to the old one: dialled if that was a call, written if not.
    fn follow_up(&mut self, p: Promise) {
        let contact = ContactId(self.engine.counts.accepted + 1);
        let session = self.engine.gateway(p.of.gateway).and_then(|g| g.session);
        let mut key = format!("{OURS}promise-{}", p.id);
        while self.engine.keys.contains_key(&(p.of.gateway, Arc::from(&*key))) {
            key.push(OURS);
        }
        let arrived = Arrived {
            contact,
            gateway: p.of.gateway,
            session,
            key: Arc::from(key),
            content: 0,
            channel: p.of.channel,
            entry_point: p.of.entry_point,
            customer: p.customer,
            continues: Some(p.contact),
            waited: Span::ZERO,
            attributes: None,
            own_needs: [].into_iter().collect(),
            own_preferred: [].into_iter().collect(),
            language: p.of.language,
        };
        let queue = self.queue_of(p.of.queue);
        let own = Own {
            needs: &arrived.own_needs,
            preferred: &arrived.own_preferred,
            language: p.of.language,
        };
        let (needs, preferred) = demand(&self.engine.routing, queue, own);
        let ahead = queue.map_or(Span::ZERO, |q| q.head_start);
        let partners = super::tiers::ForPartners {
            contact,
            entry_point: p.of.entry_point,
            channel: p.of.channel,
            safety: queue.is_some_and(|q| q.safety),
            silent: p.of.channel == Channel::Voice,
        };
        let queued = Queued {
            contact,
            queue: p.of.queue,
            because: QueuedBecause::Promised,
            service: service(queue.is_some_and(|q| q.safety), p.of.channel),
            needs,
            preferred,
            head_start: Span::ZERO,
            place: place(self.at, &[ahead]),
            stage: self.first_stage(p.of.queue, partners),
            named: p.owner.and_then(|a| self.owner(a, p.of.channel)),
            pass_over: None,
            released: None,
        };
        // A call needs a gateway that hears us.
        let unheard = session.is_none() && p.of.channel == Channel::Voice;
        self.emit(Event::PromiseOpened(PromiseOpened { promise: p.id, arrived }));
        self.emit(Event::Queued(queued));
        if unheard {
            self.emit(Event::Detached(contact));
        }
        if self.is_dialled(&p) {
            self.dial_for(contact, &p);
        }
        self.link(contact);
        self.offer_contact(contact);
    }

    /// Who promised it has it first, if they are there and take its channel.
    fn owner(&self, agent: AgentId, channel: Channel) -> Option<Named> {
        let profile = self.engine.routing.agent(agent)?;
        self.named(agent).filter(|_| profile.capacity[channel.index()] > 0)
    }

    /// By when it is made was promised already, whatever the line is like now. Where nobody can
    /// make it, a supervisor decides.
    fn dial_for(&mut self, contact: ContactId, p: &Promise) {
        let Some(c) = self.engine.contact(contact) else { return };
        let policy = self.policy(p.of.queue);
        let never = match &policy {
            _ if !p.of.callable => Some(Exhausted::Invalid),
            None => Some(Exhausted::NoCallbacks),
            Some(_) => None,
        };
        let unplanned =
            self.unplanned(Wanted { window: None, hours: p.hours }, policy.unwrap_or_default());
        let (kind, due) = (CallbackKind::FollowUp, p.due);
        let planned = Callback { kind, due, promise: p.id, ..unplanned };
        let phase = never.map_or_else(|| self.phase_of(c, &planned), Phase::Exhausted);
        let callback = Callback { phase, ..planned };
        self.emit(Event::CallbackPromised(CallbackPromised { contact, callback, released: None }));
    }

    pub(super) fn keep(&mut self, id: PromiseId) {
        self.over(id, Stage::Kept);
    }

    fn over(&mut self, id: PromiseId, stage: Stage) {
        let Some(p) = self.engine.promise(id).copied() else { return };
        let in_time = p.due.is_none_or(|due| self.at <= due);
        let punctual = match p.punctual {
            Punctual::Open if in_time && stage == Stage::Kept => Punctual::InTime,
            Punctual::Open if !in_time => Punctual::Late,
            said => said,
        };
        self.emit(Event::PromiseSet(Promise { stage, punctual, ..p }));
    }

    /// A contact that owed something has ended. What it only took over, because it was said in
    /// it, is made by itself then, unless a person ended it.
    pub(super) fn owed_over(&mut self, promise: Option<PromiseId>, reason: EndReason) {
        let Some(p) = promise.and_then(|id| self.engine.promise(id).copied()) else { return };
        let kept = matches!(
            reason,
            EndReason::Completed
                | EndReason::Solved
                | EndReason::CallbackCancelled
                | EndReason::HandledWith
        );
        let taken_over = p.kind != PromiseKind::Callback && p.stage == Stage::Working(p.contact);
        if !kept && taken_over && reason != EndReason::Supervisor {
            let stage = Stage::Waiting { until: self.at, turn: false };
            return self.emit(Event::PromiseSet(Promise { stage, ..p }));
        }
        self.over(p.id, if kept { Stage::Kept } else { Stage::Broken });
    }

    /// Checks that a promise can be said to be kept by this agent, or by a supervisor.
    pub(super) fn check_promise(&self, id: PromiseId, by: Option<AgentId>) -> Result<(), Refusal> {
        let p = self.engine.promise(id).ok_or(Refusal::NoSuchPromise(id))?;
        let works = match p.stage {
            Stage::Working(contact) => self.engine.contact(contact),
            _ => None,
        };
        let has = |a| works.is_some_and(|c| c.state.agent() == Some(a));
        match by {
            Some(a) if p.owner != Some(a) && !has(a) => Err(Refusal::NotYourContact(p.contact)),
            _ => Ok(()),
        }
    }

    /// By whatever means it was kept or given up: nobody is called for it any more.
    pub(super) fn say_over(&mut self, id: PromiseId, kept: bool) {
        let stage = self.engine.promise(id).map(|p| p.stage);
        let working = match stage {
            Some(Stage::Working(contact)) => self.engine.contact(contact),
            _ => None,
        };
        match working.filter(|c| c.silent().is_some()).map(|c| c.id) {
            Some(contact) if kept => self.close(contact, EndReason::CallbackCancelled),
            Some(contact) => self.close(contact, EndReason::Supervisor),
            None => self.over(id, if kept { Stage::Kept } else { Stage::Broken }),
        }
    }

    /// A recovery as it would be opened, nothing changed.
    pub(super) fn plan_recovery(
        &self,
        r: &Remedy,
        by: Option<AgentId>,
    ) -> Result<Recovery, Refusal> {
        self.check_due(r.due)?;
        let leads = self.known_agent(r.owner.or(by))?;
        if leads.is_none() {
            return Err(Refusal::OutOfRange { field: "owner", expected: "an agent who leads it" });
        }
        if r.cents > MOST_REMEDY {
            return Err(Refusal::OutOfRange { field: "remedy", expected: "at most 1,000,000.00" });
        }
        let c = self.engine.contact(r.contact);
        if c.is_none() && by.is_none() {
            return Err(Refusal::NoSuchContact(r.contact));
        }
        if self.engine.owed.recoveries().len() >= MOST_OPEN {
            return Err(Refusal::Limit { what: "open recovery", most: MOST_OPEN as u64 });
        }
        Ok(Recovery {
            id: RecoveryId(self.engine.owed.counts.last_recovery + 1),
            contact: r.contact,
            customer: c.and_then(|c| c.customer),
            owner: leads,
            remedy: r.cents,
            approved: by.is_none() || leads.is_some_and(|a| r.cents <= self.authority(a)),
            opened: self.at,
            due: r.due,
            state: RecoveryState::Open,
        })
    }

    fn authority(&self, agent: AgentId) -> u64 {
        self.engine.routing.agent(agent).map_or(0, |p| p.authority)
    }

    pub(super) fn open_recovery(&mut self, recovery: Recovery) -> Reply {
        self.emit(Event::RecoveryOpened(recovery));
        Reply::Recovery(recovery.id)
    }

    fn recovery(&self, id: RecoveryId) -> Result<Recovery, Refusal> {
        self.engine.recovery(id).copied().ok_or(Refusal::NoSuchRecovery(id))
    }

    /// A recovery led by somebody else.
    pub(super) fn plan_reassign(
        &self,
        id: RecoveryId,
        to: AgentId,
    ) -> Result<RecoveryNews, Refusal> {
        let r = self.recovery(id)?;
        self.known_agent(Some(to))?;
        // What was approved stays so; the new owner's own authority may do as well.
        let approved = r.approved || r.remedy <= self.authority(to);
        let from = r.owner.filter(|before| *before != to);
        Ok(RecoveryNews { now: Recovery { owner: Some(to), approved, ..r }, from })
    }

    /// A recovery with its remedy approved.
    pub(super) fn plan_approve(&self, id: RecoveryId) -> Result<RecoveryNews, Refusal> {
        Ok(RecoveryNews { now: Recovery { approved: true, ..self.recovery(id)? }, from: None })
    }

    /// A recovery that is done.
    pub(super) fn plan_done(
        &self,
        id: RecoveryId,
        by: Option<AgentId>,
    ) -> Result<RecoveryNews, Refusal> {
        let r = self.recovery(id)?;
        if by.is_some() && by != r.owner {
            return Err(Refusal::NotYourRecovery(id));
        }
        if !r.approved {
            return Err(Refusal::NeedsApproval(id));
        }
        Ok(RecoveryNews { now: Recovery { state: RecoveryState::Done, ..r }, from: None })
    }

    /// Its owner is reminded, or it is late.
    pub(super) fn recovery_due(&mut self, id: RecoveryId) {
        if let Some(r) = self.engine.recovery(id).copied() {
            let soon = self.at < r.due;
            let state = if soon { RecoveryState::Soon } else { RecoveryState::Overdue };
            let now = Recovery { state, ..r };
            self.emit(Event::RecoverySet(RecoveryNews { now, from: None }));
        }
    }
}
