//! How many callbacks the staff of a queue can be expected to make by a time, and so how many
//! may be promised.
//!
//! From what is measured where it is known, from the configuration where it says, and honestly
//! not at all otherwise. It reads, changes nothing and decides nothing.

use super::Engine;
use super::callback::{Callback, CallbackPolicy, SLOT, slot_of};
use super::rank::ClassKey;
use super::words::{Channel, Needs, ServiceClass};
use crate::ids::QueueId;
use crate::time::{EngineTime, Span};

/// What is measured now says something about the next hour; who is at work later the
/// configuration knows better.
const SOON: Span = Span::seconds(3600);
/// Callbacks share their agents with others, and a promise is for nearly all, not for the
/// average: so much of the measured rate is counted on to serve those who are due.
const CAREFUL: f64 = 0.5;

/// Calls a second that a queue's staff serves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Serves {
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
        };
        let slots = self.floor.slots_for(&usual, &of.pools);
        let each = self.pace.get(queue, Channel::Voice).work.seconds_each(at)?;
        (slots > 0 && each > 0.0).then(|| f64::from(slots) / each)
    }

    pub(crate) fn serving(&self, queue: QueueId, policy: &CallbackPolicy, at: EngineTime) -> Serves {
        let said = (policy.per_hour > 0).then(|| f64::from(policy.per_hour) / 3600.0);
        let measured = self.measured(queue, at);
        Serves { soon: measured.or(said), later: said.or(measured) }
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
        let seconds = ends.since(begins).as_secs_f64();
        let share = f64::from(policy.share) / 100.0;
        let most = whole(rate.unwrap_or_default() * share * seconds);
        most.saturating_sub(self.board.promised(queue, slot))
    }

    /// How long before it is due a callback has to go by its place, so that it comes in time:
    /// those due no later than it are called first. None where nobody knows.
    pub(crate) fn takes(
        &self,
        queue: QueueId,
        policy: &CallbackPolicy,
        callback: &Callback,
        at: EngineTime,
    ) -> Option<Span> {
        let rate = self.serving(queue, policy, at).soon?;
        let before = self.board.promised_until(queue, slot_of(callback.due?));
        let of = self.routing.queue(queue)?;
        let each = Span(of.reservation_timeout.0 + of.connect_timeout.0 + policy.ring.0);
        let seconds = f64::from(before) / (rate * CAREFUL);
        Some(Span(each.0.saturating_add(span(seconds).0).max(each.0.saturating_mul(2))))
    }
}

fn span(seconds: f64) -> Span {
    Span::seconds(u64::from(whole(seconds)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating, not negative")]
fn whole(count: f64) -> u32 {
    count.floor() as u32
}
