//! By when a callback may be promised, and where it stands meanwhile: not yet, in line behind
//! those on the line, or in line by its place.
//!
//! Looks and changes nothing; [`super`] promises and calls.

use std::sync::Arc;

use crate::engine::callback::{
    CallHours, Callback, CallbackKind, CallbackPolicy, Exhausted, MOST_AHEAD, Phase, SLOT, Wanted,
    Window, slot_of,
};
use crate::engine::contact::{Contact, State};
use crate::engine::decide::{A_DAY, Turn};
use crate::engine::event::Event;
use crate::engine::hours::Hours;
use crate::engine::promise::{Promise, Punctual, Stage};
use crate::engine::recall::CallbackOffer;
use crate::engine::refusal::Refusal;
use crate::engine::room::{FARTHEST, Serves};
use crate::engine::routing::Queue;
use crate::engine::words::{Channel, ServiceClass};
use crate::ids::{ContactId, PromiseId, QueueId};
use crate::time::{EngineTime, Span};

/// How often a callback that has time is looked at again, at most.
const LOOK: Span = Span::seconds(1);

impl Turn<'_> {
    /// A callback as it would be promised, nothing changed. `confirmed` says that a number has
    /// just been confirmed.
    pub(in crate::engine::decide) fn plan_callback(
        &self,
        contact: ContactId,
        wanted: Wanted,
        confirmed: bool,
    ) -> Result<Callback, Refusal> {
        let (c, queue, policy) = self.may_call(contact, confirmed)?;
        self.check_wanted(wanted)?;
        let callback = self.unplanned(wanted, Arc::clone(&policy));
        let planned = match wanted.window {
            Some(window) => self.schedule(c, &queue.name, &policy, window, callback)?,
            None => self.callback_at_place(c, &queue.name, &policy, callback)?,
        };
        Ok(Callback { phase: self.phase_of(c, &planned), ..planned })
    }

    /// A contact that may be called back, with how its queue does so.
    pub(super) fn may_call(
        &self,
        contact: ContactId,
        confirmed: bool,
    ) -> Result<(&Contact, &Queue, Arc<CallbackPolicy>), Refusal> {
        let c = self.contact(contact)?;
        if c.parent.is_some() {
            return Err(Refusal::ConsultOpen(contact));
        }
        if c.channel != Channel::Voice {
            let (is, expected) = (c.channel.name(), "a call");
            return Err(Refusal::WrongState { contact, is, expected });
        }
        if !confirmed && !c.callable {
            return Err(Refusal::NoNumber(contact));
        }
        let invalid = |cb: &Callback| cb.phase == Phase::Exhausted(Exhausted::Invalid);
        if !confirmed && c.callback.as_deref().is_some_and(invalid) {
            return Err(Refusal::InvalidNumber(contact));
        }
        let (Some(queue), Some(policy)) = (self.queue_of(c.queue), self.policy(c.queue)) else {
            let name = Arc::from(self.engine.routing.queue_name(c.queue));
            return Err(Refusal::NoCallbacks(name));
        };
        Ok((c, queue, policy))
    }

    /// A callback of which nothing is known but what is wanted.
    pub(in crate::engine::decide) fn unplanned(
        &self,
        wanted: Wanted,
        policy: Arc<CallbackPolicy>,
    ) -> Callback {
        Callback {
            kind: CallbackKind::Place,
            promise: PromiseId(0),
            asked: self.at,
            due: None,
            until: wanted.window.map(|w| w.until),
            hours: wanted.hours,
            phase: Phase::Held { until: self.at },
            tried: [0; 6],
            first: None,
            policy,
            ordered: false,
            tier: None,
        }
    }

    fn check_wanted(&self, wanted: Wanted) -> Result<(), Refusal> {
        let hours = |h: CallHours| (Span::seconds(60)..=A_DAY).contains(&h.lasting);
        if !wanted.hours.is_none_or(hours) {
            return Err(Refusal::OutOfRange { field: "hours", expected: "1 minute to 24 hours" });
        }
        let sound =
            |w: Window| w.from < w.until && w.until > self.at && w.until <= self.at + MOST_AHEAD;
        let expected = "ahead, its end after its beginning, within 14 days";
        let ok = wanted.window.is_none_or(sound);
        ok.then_some(()).ok_or(Refusal::OutOfRange { field: "window", expected })
    }

    /// A time within a window, if what is promised already leaves room.
    fn schedule(
        &self,
        c: &Contact,
        queue: &Arc<str>,
        policy: &CallbackPolicy,
        window: Window,
        callback: Callback,
    ) -> Result<Callback, Refusal> {
        let serves = self.engine.serving(c.queue, policy, self.at);
        if serves.is_unknown() {
            return Err(Refusal::NoRate(Arc::clone(queue)));
        }
        let of = |callback: &Callback, first, last| {
            self.slot_for(c, policy, serves, callback, first, last)
        };
        let (first, last) = (slot_of(window.from.max(self.at)), slot_of(window.until - Span(1)));
        if let Some((_, due)) = of(&callback, first, last) {
            let due = due.min(window.until);
            let phase = Phase::Held { until: window.from.max(self.at) };
            return Ok(Callback {
                kind: CallbackKind::Scheduled,
                due: Some(due),
                phase,
                ..callback
            });
        }
        let anytime = Callback { until: None, ..callback };
        let next = of(&anytime, last + 1, slot_of(self.at + MOST_AHEAD));
        let (queue, next) = (Arc::clone(queue), next.map(|(from, _)| from.since(self.at)));
        Err(Refusal::NoRoom { queue, next })
    }

    /// A call within so long that a contact in line can be offered: the backlog allows it, and
    /// what is promised and offered already leaves room.
    pub(in crate::engine::decide) fn room_for_offer(
        &self,
        c: &Contact,
        within: Span,
    ) -> Option<EngineTime> {
        let policy = self.policy(c.queue)?;
        let serves = self.engine.serving(c.queue, &policy, self.at);
        let callback = self.unplanned(Wanted::default(), Arc::clone(&policy));
        let last = self.at + within;
        let (first, last_slot) = (slot_of(self.at), slot_of(last));
        let (_, due) = self.slot_for(c, &policy, serves, &callback, first, last_slot)?;
        (due <= last).then_some(due)
    }

    /// The call that a customer accepts as it was offered, nothing changed.
    pub(in crate::engine::decide) fn plan_offered(
        &self,
        contact: ContactId,
        offer: CallbackOffer,
        confirmed: bool,
    ) -> Result<Callback, Refusal> {
        let (c, _, policy) = self.may_call(contact, confirmed)?;
        let (due, tier) = (Some(offer.due), Some(offer.recall));
        let planned = Callback { due, tier, ..self.unplanned(Wanted::default(), policy) };
        Ok(Callback { phase: self.phase_of(c, &planned), ..planned })
    }

    /// The first of these slots that has room at a time at which the customer may be called:
    /// when that begins, and when the slot ends.
    fn slot_for(
        &self,
        c: &Contact,
        policy: &CallbackPolicy,
        serves: Serves,
        callback: &Callback,
        first: u64,
        last: u64,
    ) -> Option<(EngineTime, EngineTime)> {
        let engine = &*self.engine;
        let hours = engine.queue_hours(c.queue);
        let before = engine.before(c, policy, self.at)?;
        let mut coming = self.coming_before(c, first);
        (first..=last).find_map(|slot| {
            let begins = EngineTime(slot.saturating_mul(SLOT.0)).max(self.at);
            let ends = EngineTime(slot.saturating_add(1).saturating_mul(SLOT.0));
            coming += engine.board.coming(c.queue, slot) + engine.board.offered(c.queue, slot);
            let open = hours.call_window(callback, begins).filter(|w| w.from < ends)?;
            let room = engine.room(c.queue, policy, serves, slot, self.at) > 0;
            // Nor before its turn: who stands before it has been promised as much.
            let by = ends.min(open.until);
            let in_time = hours.open_for(self.at, by) >= before.takes(coming);
            (room && in_time).then_some((open.from, by))
        })
    }

    /// As if they still stood in line. What is promised is twice what four of five do not
    /// exceed; where nobody knows the wait, or the hours end before, honestly no time. Nobody
    /// is told to wait for a turn that is too far away to be known.
    fn callback_at_place(
        &self,
        c: &Contact,
        queue: &Arc<str>,
        policy: &CallbackPolicy,
        callback: Callback,
    ) -> Result<Callback, Refusal> {
        let serves = self.engine.serving(c.queue, policy, self.at);
        let hours = self.engine.queue_hours(c.queue);
        let Some(first) = hours.call_window(&callback, self.at) else {
            return Err(Refusal::NoRoom { queue: Arc::clone(queue), next: None });
        };
        let turn = self.turn_after(c, policy, &hours, first.from);
        // While nobody is called nobody waits who could be told.
        let far = |turn| first.from <= self.at && hours.open_for(self.at, turn) > FARTHEST;
        let unknown = self.engine.before(c, policy, self.at).is_none();
        if serves.is_measured() && (unknown || turn.is_some_and(far)) {
            let last = slot_of(self.at + MOST_AHEAD);
            let next = self.slot_for(c, policy, serves, &callback, slot_of(self.at), last);
            let (queue, next) = (Arc::clone(queue), next.map(|(from, _)| from.since(self.at)));
            return Err(Refusal::NoRoom { queue, next });
        }
        let closes = callback.window(first.from).map(|w| w.until);
        let due = turn.filter(|due| closes.is_some_and(|closes| *due <= closes));
        Ok(Callback { due, ..callback })
    }

    /// By when it will have been its turn, if calls begin at a time. Who is promised a call that
    /// has time, or that is made later, stands in no line by its place, and goes first.
    fn turn_after(
        &self,
        c: &Contact,
        policy: &CallbackPolicy,
        hours: &Hours,
        from: EngineTime,
    ) -> Option<EngineTime> {
        let before = self.engine.before(c, policy, self.at)?;
        let (first, last) = (slot_of(from), slot_of(from + MOST_AHEAD));
        let mut coming = self.coming_before(c, first);
        (first..=last).find_map(|slot| {
            coming += self.engine.board.coming(c.queue, slot);
            let due = hours.after(from, before.takes(coming))?;
            (slot_of(due - Span(1)) <= slot).then_some(due)
        })
    }

    /// How many are to be called before a slot who stand in no line by their places yet.
    fn coming_before(&self, c: &Contact, slot: u64) -> u32 {
        let earlier = slot.checked_sub(1);
        earlier.map_or(0, |slot| self.engine.board.coming_until(c.queue, slot, None))
    }

    /// When this queue may call somebody. What a supervisor orders it may at any hour.
    fn hours_for(&self, queue: QueueId, callback: &Callback) -> Hours {
        if callback.ordered { Hours::default() } else { self.engine.queue_hours(queue) }
    }

    /// Whether a customer who waits for our call must not be called now.
    pub(in crate::engine::decide) fn must_not_call(&self, c: &Contact) -> bool {
        let open = |cb: &Callback| {
            let window = self.hours_for(c.queue, cb).call_window(cb, self.at);
            window.is_some_and(|w| w.from <= self.at)
        };
        c.silent().is_some_and(|callback| !open(callback))
    }

    /// Not before a time; never, if what was promised is over by then.
    pub(super) fn not_before(&self, c: &Contact, callback: &Callback, until: EngineTime) -> Phase {
        let hours = self.engine.queue_hours(c.queue);
        match hours.call_window(callback, until) {
            None if callback.until.is_some_and(|last| last <= until) => {
                Phase::Exhausted(Exhausted::TooLate)
            }
            _ => Phase::Held { until },
        }
    }

    /// When a queue will have been open for so long from a time on; none if nobody knows.
    pub(super) fn open_after(
        &self,
        queue: QueueId,
        from: EngineTime,
        lasting: Span,
    ) -> Option<EngineTime> {
        self.engine.queue_hours(queue).after(from, lasting)
    }

    /// Until when a promised call must wait: its queue is closed, or its customer's hours are
    /// over. None if it may be made now.
    pub(in crate::engine::decide) fn not_yet(&self, p: &Promise) -> Option<EngineTime> {
        let wanted = Wanted { window: None, hours: p.hours };
        let hours = self.engine.queue_hours(p.of.queue);
        let window = hours.call_window(&self.unplanned(wanted, Arc::default()), self.at);
        // Where no opening is known, a day of the calendar is added every day.
        let from = window.map_or(self.at + A_DAY, |w| w.from);
        (from > self.at).then_some(from)
    }

    /// A promised call waits for hours at which it may be made. It has no turn of the budget for
    /// it: those of others come meanwhile.
    pub(in crate::engine::decide) fn over_night(&mut self, p: Promise, until: EngineTime) {
        let late = p.due.is_some_and(|due| due < until);
        let punctual = if late { Punctual::Late } else { p.punctual };
        let stage = Stage::Waiting { until, turn: false };
        self.emit(Event::PromiseSet(Promise { stage, punctual, ..p }));
    }

    /// The hours of its queue may be others than they were: it stands where these put it.
    pub(in crate::engine::decide) fn rehour(&mut self, contact: ContactId) {
        let Some(c) = self.engine.contact(contact) else { return };
        let waits = c.silent().filter(|cb| cb.is_open() && c.state == State::CallbackDue);
        let Some(callback) = waits else { return };
        match (callback.phase, self.phase_of(c, callback)) {
            (Phase::Patient { .. }, Phase::Patient { .. }) => {}
            (was, is) if was == is => {}
            _ => self.callback_due(contact),
        }
    }

    /// Where a callback is now: not yet, in line behind the others as long as it has time, or
    /// in line by its place.
    pub(in crate::engine::decide) fn phase_of(&self, c: &Contact, callback: &Callback) -> Phase {
        let hours = self.hours_for(c.queue, callback);
        let window = hours.call_window(callback, self.at);
        if callback.until.is_some_and(|last| last <= self.at) {
            return Phase::Exhausted(Exhausted::TooLate);
        }
        if let Phase::Held { until } = callback.phase
            && until > self.at
        {
            return callback.phase;
        }
        let Some(window) = window else {
            // A calendar may be edited, and a day of it is added every day.
            let again = self.at + A_DAY;
            return Phase::OffHours { until: callback.until.map_or(again, |last| last.min(again)) };
        };
        if window.from > self.at {
            return Phase::OffHours { until: window.from };
        }
        let until = Some(window.until).filter(|until| until.0 < u64::MAX);
        let pressing = Phase::Pressing { until };
        // A supervisor's order is for now.
        if c.service == ServiceClass::Safety || callback.ordered {
            return pressing;
        }
        let Some(due) = callback.due else { return pressing };
        let takes = self.engine.presses(c, &callback.policy, due, self.at);
        let Some(takes) = takes else { return pressing };
        let left = hours.open_for(self.at, due);
        if left <= takes {
            return pressing;
        }
        // Sooner and sooner: what stands before it may take longer meanwhile.
        let check = self.at + Span((left.0 - takes.0) / 2).max(LOOK);
        Phase::Patient { check: until.map_or(check, |until| until.min(check)) }
    }
}
