//! Where contacts go whom their queue does not serve: closed, full, or too long.
//!
//! Nobody is dropped in silence: what ends is told first, and whatever cannot be done comes
//! to waiting, at the same place. What a step changes in the queue itself is for
//! [`super::steps`]; self-service in a recall goes before all of this.

use super::super::Engine;
use super::super::agent::Agent;
use super::super::callback::Wanted;
use super::super::contact::{Contact, Link, State};
use super::super::event::{Announce, EffectKind, Event, HoursChanged, Opens, Queued, Settled};
use super::super::gateway::{Gateway, MOST_EFFECTS};
use super::super::hours::{Hours, MOST_OPENINGS};
use super::super::queue_life::{Fallback, Overflow, Then};
use super::super::rank::Asked;
use super::super::recall::{OUTSIDE_AGAIN, SAY_WINDOW, Tier};
use super::super::refusal::Refusal;
use super::super::stage::{Filing, Stage};
use super::super::words::{
    Availability, Channel, EndReason, QueuedBecause, ServiceClass, WaitsFor,
};
use super::{Turn, is_hurt};
use crate::ids::{CalendarId, ContactId, ExternalId, NoticeId, QueueId};
use crate::time::Span;
use std::sync::Arc;

/// How long a number outside may take to answer.
const FORWARDED_WITHIN: Span = Span::seconds(120);
/// How long the last text may take. One who was not told by then waits instead.
const TOLD_WITHIN: Span = Span::seconds(120);
/// When a number outside that did not take a contact is tried again for it.
const FORWARD_AGAIN: Span = Span::seconds(300);

/// How long a contact that is on its way out waits at most; none for others.
pub(super) const fn lasts(on: WaitsFor) -> Option<Span> {
    match on {
        WaitsFor::External => Some(FORWARDED_WITHIN),
        WaitsFor::Farewell => Some(TOLD_WITHIN),
        WaitsFor::Customer | WaitsFor::ThirdParty => None,
    }
}

impl Engine {
    /// Whether a recall's playbook speaks to those who wait as this one does: then the queue
    /// does not, so that everybody hears the same.
    fn playbook_speaks(&self, c: &Contact) -> bool {
        self.recall_at(c.entry_point).is_some_and(|r| r.is_open(Tier::of(c.channel)))
    }

    /// Whether a gateway says texts to this customer now.
    fn may_tell(&self, c: &Contact) -> bool {
        let said =
            |g: &Gateway| g.limits.says && (c.channel == Channel::Voice || g.unsaid < SAY_WINDOW);
        self.has_stream(c) && c.parent.is_none() && self.gateway(c.gateway).is_some_and(said)
    }

    fn has_stream(&self, c: &Contact) -> bool {
        matches!(c.link, Link::Attached(_)) && self.is_attached(c)
    }

    /// How many wait on the line in a queue. Who waits for our call is not on it.
    fn on_line(&self, queue: QueueId) -> u32 {
        Channel::ALL.into_iter().map(|on| self.pace.get(queue, on).waiting.inside).sum()
    }

    /// Whether one more may stand in a queue's line without its being full.
    fn has_place(&self, queue: QueueId) -> bool {
        let most = self.routing.queue(queue).map_or(0, |q| q.life.most_waiting);
        most == 0 || self.on_line(queue) < most
    }

    /// Whether more stand in a queue's line than it takes.
    fn is_beyond(&self, queue: QueueId) -> bool {
        let most = self.routing.queue(queue).map_or(0, |q| q.life.most_waiting);
        most > 0 && self.on_line(queue) > most
    }
}

impl Turn<'_> {
    /// A calendar opens or closes.
    pub(super) fn set_hours(&mut self, calendar: CalendarId, now: &Hours) -> Result<(), Refusal> {
        if self.engine.routing.calendar(calendar).is_none() {
            let expected = "a calendar of the configuration";
            return Err(Refusal::OutOfRange { field: "calendar", expected });
        }
        if now.ahead.len() > MOST_OPENINGS {
            return Err(Refusal::OutOfRange { field: "ahead", expected: "at most 256 openings" });
        }
        if self.engine.hours.get(calendar.index()) == Some(now) {
            return Ok(());
        }
        let differs = self.engine.hours(calendar).differs(now, self.at);
        self.emit(Event::HoursChanged(HoursChanged { calendar, now: now.clone() }));
        if differs {
            // Who waits for our call may be called at other times.
            let routing = Arc::clone(&self.engine.routing);
            let keeps = |queue| routing.queue(queue).and_then(|q| q.life.hours) == Some(calendar);
            self.schedule_refiling(keeps);
        }
        Ok(())
    }

    /// A contact has just come: somebody for it, or what its queue does with those whom it
    /// does not take. Whoever is free goes before a full queue, self-service of a recall
    /// before a closed one.
    pub(super) fn comes_in(&mut self, contact: ContactId) {
        let Some(queue) = self.engine.contact(contact).map(|c| c.queue) else { return };
        let Some(life) = self.queue_of(queue).map(|q| q.life) else { return };
        let closed = !self.engine.is_open(queue);
        if !closed {
            self.offer_contact(contact);
        }
        if self.overflow(contact) {
            return;
        }
        if closed {
            if self.fall_back(contact, life.closed, EndReason::QueueClosed) {
                return;
            }
            self.offer_contact(contact);
        } else {
            // It stands in the line itself.
            let beyond = self.engine.is_beyond(queue);
            let waits = self.engine.contact(contact).is_some_and(|c| c.state == State::Queued);
            if beyond && waits && self.fall_back(contact, life.full, EndReason::QueueFull) {
                return;
            }
        }
        self.read_if_new(contact);
    }

    /// What becomes of one whom its queue does not take. Tells whether it went elsewhere; if
    /// not, it waits.
    fn fall_back(&mut self, contact: ContactId, by: Fallback, reason: EndReason) -> bool {
        let Some(c) = self.engine.contact(contact) else { return false };
        let playbook = self.engine.playbook_speaks(c);
        let safety = c.service == ServiceClass::Safety || is_hurt(c);
        let then = match by.then {
            external @ Then::Overflow(Overflow::External(_)) => external,
            _ if safety => Then::Wait,
            // In a recall nobody is sent away: there is room in self-service before long.
            Then::Close if playbook => Then::Wait,
            then => then,
        };
        if then == Then::Close {
            return self.say_farewell(contact, by.tell, reason);
        }
        // That it is closed no playbook can know.
        if reason == EndReason::QueueClosed || !playbook {
            self.tell(contact, by.tell);
        }
        match then {
            Then::Overflow(to) => self.overflow_to(contact, to),
            Then::Callback => {
                let called_back = self.called_back_instead(contact);
                if !called_back {
                    self.turn_away(contact);
                }
                called_back
            }
            Then::Wait | Then::Close => false,
        }
    }

    /// A number is known now. One whom the queue would have called back when they came, and
    /// who waits since because it was not, need not stay on the line for it.
    pub(super) fn number_known(&mut self, contact: ContactId) {
        let since = |c: &&Contact| c.answered.is_none() && c.callback.is_none();
        let waits = self.waiting(contact).filter(since).filter(|c| c.stage.turned_away);
        let Some(queue) = waits.map(|c| c.queue) else { return };
        // Once it is open and has room they wait like others, and may be next.
        if !self.engine.is_open(queue) || self.engine.is_beyond(queue) {
            self.called_back_instead(contact);
        }
    }

    /// One whom the queue did not take when they came and calls back when their number is
    /// known, unless an agent has them first.
    fn turn_away(&mut self, contact: ContactId) {
        let Some(c) = self.waiting(contact) else { return };
        if c.channel != Channel::Voice || c.callable {
            return;
        }
        let filing = self.filing(c, c.stage.stepped);
        let stage = Stage { turned_away: true, ..filing.stage };
        self.emit(Event::Refiled(Filing { stage, ..filing }));
    }

    /// A caller keeps the place and is called, if the number is known and a callback can be
    /// promised. Tells whether it is; on the line they wait for as long as they like.
    fn called_back_instead(&mut self, contact: ContactId) -> bool {
        let Ok(callback) = self.plan_callback(contact, Wanted::default(), false) else {
            return false;
        };
        self.promise_callback(contact, callback, None);
        true
    }

    /// Tells a customer what the queue has to say, unless a playbook speaks to them.
    pub(super) fn tell_unless_playbook(&mut self, contact: ContactId, notice: Option<NoticeId>) {
        let speaks = |c: &Contact| self.engine.playbook_speaks(c);
        if !self.engine.contact(contact).is_some_and(speaks) {
            self.tell(contact, notice);
        }
    }

    fn tell(&mut self, contact: ContactId, notice: Option<NoticeId>) {
        if let Some(announce) = self.announcement(contact, notice) {
            self.ask_effect(contact, EffectKind::Announce(announce));
        }
    }

    /// Tells a customer why the contact ends; it ends when that is done. One who cannot be told
    /// waits.
    fn say_farewell(
        &mut self,
        contact: ContactId,
        notice: Option<NoticeId>,
        reason: EndReason,
    ) -> bool {
        let Some(announce) = self.announcement(contact, notice) else { return false };
        let (on, until) = (WaitsFor::Farewell, self.at + TOLD_WITHIN);
        self.no_longer_asked(contact);
        self.emit(Event::Pended { contact, agent: None, on, until });
        let announce = Announce { ends: Some(reason), ..announce };
        self.ask_effect(contact, EffectKind::Announce(announce));
        true
    }

    /// What is said, if it can be.
    fn announcement(&self, contact: ContactId, notice: Option<NoticeId>) -> Option<Announce> {
        let notice = notice?;
        let c = self.engine.contact(contact).filter(|c| self.engine.may_tell(c))?;
        let calendar = self.queue_of(c.queue).and_then(|q| q.life.hours);
        let opens = calendar.and_then(|calendar| {
            let hours = self.engine.hours(calendar);
            hours.changes.filter(|_| !hours.open).map(|at| Opens { calendar, at })
        });
        let outlook = self.outlook(contact);
        Some(Announce { notice, language: c.language, outlook, opens, ends: None })
    }

    /// A contact goes where others take it, if it can. Tells whether it went.
    pub(super) fn overflow_to(&mut self, contact: ContactId, to: Overflow) -> bool {
        match to {
            Overflow::Queue(queue) => self.overflow_to_queue(contact, queue),
            Overflow::External(to) => self.forward(contact, to),
        }
    }

    /// To a queue that is open and not full, and to none a second time: never in a circle.
    fn overflow_to_queue(&mut self, contact: ContactId, to: QueueId) -> bool {
        let Some(c) = self.waiting(contact) else { return false };
        if c.queue == to || c.has_been(to) {
            return false;
        }
        let queued = self.moved_to(c, to, QueuedBecause::Overflowed);
        let class = Asked::of_queued(c.channel, &queued);
        let takes = self.check_queue(to, class).is_ok();
        if !takes || !self.engine.is_open(to) || !self.engine.has_place(to) {
            return false;
        }
        self.emit(Event::Queued(queued));
        self.offer_contact(contact);
        true
    }

    /// One who waits for anybody, and is no consult.
    fn waiting(&self, contact: ContactId) -> Option<&Contact> {
        let waits =
            |c: &&Contact| c.state == State::Queued && c.named.is_none() && c.parent.is_none();
        self.engine.contact(contact).filter(waits)
    }

    /// To a number outside the router, if its gateway can be asked now.
    fn forward(&mut self, contact: ContactId, to: ExternalId) -> bool {
        let Some(c) = self.waiting(contact) else { return false };
        let takes = self.engine.routing.external(to).is_some_and(|e| e.takes(c.channel));
        let rests = c.stage.again.is_some_and(|(_, at)| at > self.at);
        takes && !rests && self.send_away(contact, EffectKind::Forward { to }, FORWARDED_WITHIN)
    }

    /// Its gateway is asked to send one who waits away, if it can be asked now. Tells whether
    /// it is.
    pub(super) fn send_away(&mut self, contact: ContactId, kind: EffectKind, within: Span) -> bool {
        let Some(c) = self.waiting(contact) else { return false };
        let engine = &*self.engine;
        let busy = engine.gateway(c.gateway).is_none_or(|g| g.effects >= MOST_EFFECTS);
        if busy || !engine.has_stream(c) {
            return false;
        }
        let (on, until) = (WaitsFor::External, self.at + within);
        self.no_longer_asked(contact);
        self.emit(Event::Pended { contact, agent: None, on, until });
        self.ask_effect(contact, kind);
        true
    }

    /// A number outside that did not take a contact is tried again, if it is still there.
    pub(super) fn forward_again(&mut self, contact: ContactId) {
        let Some((to, _)) = self.engine.contact(contact).and_then(|c| c.stage.again) else {
            return;
        };
        if self.forward(contact, to) {
            return;
        }
        let Some(c) = self.engine.contact(contact) else { return };
        let external = self.engine.routing.external(to);
        let there = external.is_some_and(|e| e.takes(c.channel));
        let again = there.then_some((to, self.at + FORWARD_AGAIN));
        let filing = self.filing(c, c.stage.stepped);
        let stage = Stage { again, ..filing.stage };
        self.emit(Event::Refiled(Filing { stage, ..filing }));
    }

    /// A gateway did what it was asked to for one on its way out.
    pub(super) fn fallback_done(&mut self, contact: ContactId, kind: Option<EffectKind>) {
        match kind {
            Some(EffectKind::Forward { .. } | EffectKind::Outside(_)) => {
                self.close(contact, EndReason::Overflowed);
            }
            Some(EffectKind::Announce(Announce { ends: Some(reason), .. })) => {
                self.close(contact, reason);
            }
            _ => {}
        }
    }

    /// A gateway could not. Who was not told why it ends waits instead.
    pub(super) fn fallback_failed(&mut self, contact: ContactId, kind: Option<EffectKind>) {
        match kind {
            Some(EffectKind::Forward { to }) => self.back_from(contact, Some(to)),
            Some(EffectKind::Outside(_)) => self.back_from(contact, None),
            Some(EffectKind::Announce(Announce { ends: Some(_), .. })) => self.wake(contact),
            _ => {}
        }
    }

    /// The number outside took too long.
    pub(super) fn not_forwarded(&mut self, contact: ContactId) {
        let to = |kind: &EffectKind| match kind {
            EffectKind::Forward { to } => Some(Some(*to)),
            EffectKind::Outside(_) => Some(None),
            _ => None,
        };
        let asked = self.engine.contact(contact).into_iter().flat_map(|c| &c.effects);
        let Some(to) = asked.map(|(_, kind)| kind).find_map(to) else { return };
        self.settle_effects(contact, Settled::Withdrawn, sends_away);
        self.back_from(contact, to);
    }

    /// Back in line, at the same place; from a number of the queue, or that of the safety lane.
    fn back_from(&mut self, contact: ContactId, to: Option<ExternalId>) {
        let Some(c) = self.engine.contact(contact) else { return };
        let queued = self.requeued(c, QueuedBecause::NotForwarded);
        let again = to.map(|to| (to, self.at + FORWARD_AGAIN)).or(queued.stage.again);
        let mut stage = Stage { again, ..queued.stage };
        if let Some(lane) = stage.lane.as_deref_mut().filter(|l| l.outside.is_some()) {
            lane.outside = Some(self.at + OUTSIDE_AGAIN);
        }
        self.emit(Event::Queued(Queued { stage, ..queued }));
        self.offer_contact(contact);
    }

    /// The customer of a contact said something. On its way out that alone does not hold it
    /// up, but nobody who is hurt is sent away.
    pub(super) fn wake_by_words(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        match c.state {
            State::Pending { on: WaitsFor::External | WaitsFor::Farewell, .. } if !is_hurt(c) => {}
            _ => self.wake(contact),
        }
    }

    /// A pending contact comes back: to the same agent first, if they are there.
    pub(super) fn wake(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        if let State::Pending { agent, .. } = c.state {
            self.call_off(contact);
            let Some(c) = self.engine.contact(contact) else { return };
            let queued = self.requeued(c, QueuedBecause::Woken);
            // Sticky, as long as they are ready: somebody else now is better than them later.
            let ready = |a: &Agent| a.availability == Availability::Ready;
            let there = |agent| self.engine.agent(agent).is_some_and(ready);
            let named = agent.filter(|a| there(*a)).and_then(|agent| self.named(agent));
            self.emit(Event::Queued(Queued { named, ..queued }));
            self.offer_contact(contact);
        }
    }

    /// What was asked for one who was on its way out is asked no more.
    fn call_off(&mut self, contact: ContactId) {
        self.settle_effects(contact, Settled::Withdrawn, |kind| {
            sends_away(kind) || matches!(kind, EffectKind::Announce(Announce { ends: Some(_), .. }))
        });
    }
}

/// Whether an effect sends a customer to a number outside.
const fn sends_away(kind: EffectKind) -> bool {
    matches!(kind, EffectKind::Forward { .. } | EffectKind::Outside(_))
}
