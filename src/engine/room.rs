//! How many callbacks the staff of a queue can be expected to make by a time, and so how many
//! may be promised.
//!
//! From what is measured where it is known, from the configuration where it says, and honestly
//! not at all otherwise. It reads, changes nothing and decides nothing.

use super::Engine;
use super::callback::{CallbackPolicy, SLOT, slot_of};
use super::contact::Contact;
use super::queue_life::Pools;
use super::rank::{Apart, ClassKey};
use super::routing::Queue;
use super::words::{Channel, Needs, ServiceClass};
use crate::ids::QueueId;
use crate::time::{EngineTime, Span};

/// Nobody is promised a turn that is further away, in open hours: twice the longest wait that is
/// told, as what is expected counts twice.
pub(crate) const FARTHEST: Span = Span::seconds(8 * 3600);
/// What is measured now says something about the next hour; who is at work later the
/// configuration knows better.
const SOON: Span = Span::seconds(3600);
/// Callbacks share their agents with those on the line, and a promise is for nearly all, not
/// for the average: so much of what is expected is counted on.
const CAREFUL: f64 = 0.5;
/// One that goes by its place shares them with nobody who came later: so much longer than
/// expected it may take. What lies between the two is the time in which it has slack.
const MARGIN: f64 = 1.5;

/// Calls a second that a queue's staff serves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Serves {
    measured: bool,
    /// In the next hour.
    soon: Option<f64>,
    /// After it.
    later: Option<f64>,
}

impl Serves {
    /// Nobody knows.
    pub(crate) fn is_unknown(&self) -> bool {
        self.soon.is_none()
    }

    /// It is known by what happened, not by what somebody expects.
    pub(crate) fn is_measured(&self) -> bool {
        self.measured
    }
}

impl Engine {
    /// Calls a second that those at work for a queue serve; none where that is not known.
    fn measured(&self, queue: QueueId, at: EngineTime) -> Option<f64> {
        let of = self.routing.queue(queue)?;
        // Its usual contact: what some need beyond that makes little difference.
        let usual = ClassKey {
            queue,
            channel: Channel::Voice,
            service: ServiceClass::Live,
            needs: of.needs.clone(),
            preferred: Needs::new(),
            pools: Pools::new(),
            silent: false,
            anyone: false,
            apart: Apart::NONE,
        };
        let slots = self.floor.slots_for(&usual, &of.pools, &self.routing);
        let each = self.pace.get(queue, Channel::Voice).work.seconds_each(at)?;
        (slots > 0 && each > 0.0).then(|| f64::from(slots) / each)
    }

    pub(crate) fn serving(
        &self,
        queue: QueueId,
        policy: &CallbackPolicy,
        at: EngineTime,
    ) -> Serves {
        let said = (policy.per_hour > 0).then(|| f64::from(policy.per_hour) / 3600.0);
        let measured = self.measured(queue, at);
        let soon = measured.or(said);
        Serves { measured: measured.is_some(), soon, later: said.or(measured) }
    }

    /// How many more may be promised by the end of a slot.
    pub(crate) fn room(
        &self,
        queue: QueueId,
        policy: &CallbackPolicy,
        serves: Serves,
        slot: u64,
        at: EngineTime,
    ) -> u32 {
        let begins = EngineTime(slot.saturating_mul(SLOT.0)).max(at);
        let rate = if begins.since(at) < SOON { serves.soon } else { serves.later };
        let ends = EngineTime(slot.saturating_add(1).saturating_mul(SLOT.0));
        // Nobody is called while it is closed.
        let seconds = self.queue_hours(queue).open_for(begins, ends).as_secs_f64();
        let share = f64::from(policy.share) / 100.0;
        let most = whole(rate.unwrap_or_default() * share * seconds);
        most.saturating_sub(self.board.promised(queue, slot))
    }

    /// What stands before a callback: who is before it by their places. None where nobody
    /// knows, or it is too long to say.
    pub(crate) fn before(
        &self,
        c: &Contact,
        policy: &CallbackPolicy,
        at: EngineTime,
    ) -> Option<Before> {
        let rate = self.serving(c.queue, policy, at).soon?;
        let seconds = match self.wait_at_place(c, at) {
            Some(wait) => wait.p80.as_secs_f64(),
            None if self.measured(c.queue, at).is_some() => return None,
            None => self.ahead_at_place(c) / rate,
        };
        let of = self.routing.queue(c.queue)?;
        Some(Before { rate, seconds, reach: reach(of, policy) })
    }

    /// How long before it is due a callback has to go by its place, so that it comes in time.
    pub(crate) fn presses(
        &self,
        c: &Contact,
        policy: &CallbackPolicy,
        due: EngineTime,
        at: EngineTime,
    ) -> Option<Span> {
        let coming = self.board.coming_until(c.queue, slot_of(due - Span(1)), Some(c));
        self.before(c, policy, at).map(|before| before.presses(coming))
    }

    /// The part of what agents serve that goes to callbacks which still have time, within so
    /// many seconds from now: those are in nobody's line yet, and will go by their places.
    pub(super) fn part_of_coming(
        &self,
        queue: QueueId,
        rate: f64,
        seconds: f64,
        at: EngineTime,
    ) -> f64 {
        let Some(of) = self.routing.queue(queue) else { return 0.0 };
        // They press so long before they are due, with nobody before them.
        let reach = of.callback.as_deref().map_or(Span::ZERO, |policy| reach(of, policy));
        let early = Before { rate, seconds: 1.0 / rate, reach }.presses(0);
        let by = at + span(seconds) + early;
        let coming = self.board.coming_by(queue, by, at);
        (coming / (rate * seconds.max(1.0))).min(1.0)
    }
}

/// What stands before a callback.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Before {
    /// Calls a second.
    rate: f64,
    /// How long until it is its turn by its place.
    seconds: f64,
    /// As [`reach`] has it.
    reach: Span,
}

impl Before {
    /// How long until it is its turn by its place, in four cases of five.
    pub(crate) fn wait(&self) -> Span {
        span(self.seconds)
    }

    /// How long until it is made, as it is promised, if so many are still to come that are
    /// promised by the time by which it is due.
    pub(crate) fn takes(&self, coming: u32) -> Span {
        self.span(coming, 1.0 / CAREFUL)
    }

    /// The same if it goes by its place from now on.
    fn presses(&self, coming: u32) -> Span {
        self.span(coming, MARGIN)
    }

    fn span(&self, coming: u32, times: f64) -> Span {
        let seconds = (f64::from(coming) / self.rate + self.seconds) * times;
        Span(self.reach.0.saturating_mul(2).saturating_add(span(seconds).0))
    }
}

/// How long it may take from an agent's being free to the customer's answering.
const fn reach(of: &Queue, policy: &CallbackPolicy) -> Span {
    Span(of.reservation_timeout.0 + of.connect_timeout.0 + policy.ring.0)
}

fn span(seconds: f64) -> Span {
    Span::seconds(u64::from(whole(seconds)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturating, not negative"
)]
fn whole(count: f64) -> u32 {
    count.floor() as u32
}
