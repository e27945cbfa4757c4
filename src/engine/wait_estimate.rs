//! How long somebody in line will probably wait: the mean, and what four of five do not exceed.
//!
//! `QLm`: with `Q` ahead, agents who complete `c` a second and each of those who wait giving up
//! `theta` times a second, the wait is the sum over `i = 0..=Q` of exponential times of rates
//! `c + i·theta` (Whitt 1999, Ibrahim and Whitt 2009). `floor` tells who is ahead and who is
//! at work, `pace` what was measured; see `docs/wait.md`. It reads, changes nothing and
//! decides nothing; where it does not know, it says so.

use super::Engine;
use super::contact::{Contact, State};
use super::floor::{Demand, Longest, Other, Press, Stand};
use super::line::Spot;
use super::pace::Turns;
use super::policy::ContactChoice;
use super::rank::Asked;
use super::words::{Channel, ServiceClass};
use crate::ids::{ContactId, QueueId};
use crate::time::{EngineTime, Place, Span};

/// A wait beyond this is not told: too much changes meanwhile.
pub const LONGEST_TOLD: Span = Span::seconds(4 * 3600);

/// Standard deviations above the mean below which four of five fall (normal distribution).
const Z80: f64 = 0.8416;
/// Terms that are added up one by one; the rest of the sum is smooth enough for its integral.
const ONE_BY_ONE: u32 = 8;
/// So many turns of a queue count as much as the order of places does. More would pull the
/// estimates of a policy that is far from that order: 6 % with 4.
const SELDOM: f64 = 1.0;

/// A wait and the callbacks that come within it are made to agree in so many rounds: what is
/// left is 3 % where callbacks have half of the agents, the most that is promised.
const ROUNDS: u32 = 12;

/// What can be said of a wait that is still to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WaitEstimate {
    /// How long on average.
    pub mean: Span,
    /// Four of five wait no longer than this.
    pub p80: Span,
}

/// Who waits in a queue's lines of one channel: of each longest one how many there are, and how
/// long one more would wait, the mean, however long. Where that is not known it is the longest
/// that somebody has waited so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Behind {
    /// In all of its lines.
    pub(super) waiting: u32,
    /// In the longest for which somebody is at work.
    pub(super) served: Option<(u32, Span)>,
    /// In the longest for which nobody is.
    pub(super) unserved: Option<(u32, Span)>,
}

impl Engine {
    /// How long a contact that waits in line will probably wait from now; none if it does not
    /// wait in a line, or where that is honestly not known.
    #[must_use]
    pub fn wait_estimate(&self, contact: ContactId, at: EngineTime) -> Option<WaitEstimate> {
        let filed = self.contacts.get(contact)?;
        match filed.stand {
            Stand::Line(..) => self.expected(&filed.contact, filed.stand, at).1,
            Stand::Off | Stand::Named(_) => None,
        }
    }

    /// How long one who came to a queue now would probably wait; none where that is honestly
    /// not known.
    #[must_use]
    pub fn wait_of_next(
        &self,
        queue: QueueId,
        channel: Channel,
        at: EngineTime,
    ) -> Option<WaitEstimate> {
        let of = self.routing.queue(queue)?;
        // Those who need no more than the queue asks are its usual contacts.
        let usual = |(_, key, len): &(u16, &super::rank::ClassKey, usize)| {
            // Callbacks that have time wait beside them, however many they are.
            (key.service == channel.service(), key.needs == of.needs, *len)
        };
        let (class, _, _) = self.floor.classes_of(queue, channel).max_by_key(usual)?;
        let key = Spot {
            place: Place::new(at, of.head_start),
            contact: ContactId(u64::MAX),
            began: Place::new(at, Span::ZERO),
        };
        let ahead = self.floor.ahead_in(class, key);
        if ahead < 0.5 && self.floor.has_idle(class) {
            return Some(WaitEstimate::default());
        }
        self.expected_at(class, (queue, channel), key, ahead, true, at)
    }

    /// How many of its own kind are before a contact, and how long it will probably wait: in
    /// line, or at the place in line that self-service keeps for it.
    pub(super) fn expected(
        &self,
        c: &Contact,
        stand: Stand,
        at: EngineTime,
    ) -> (Option<usize>, Option<WaitEstimate>) {
        let waits = matches!(c.state, State::Queued | State::SelfService(_) | State::CallbackDue);
        let Some(class) = self.floor.class_of(c, stand).filter(|_| waits) else {
            return (None, None);
        };
        let ahead = match self.floor.about_before(c, stand) {
            Some(ahead) => ahead,
            None => whole(self.floor.ahead_in(class, Spot::of(c))),
        };
        let before = f64::from(u32::try_from(ahead).unwrap_or(u32::MAX));
        let key = Spot::of(c);
        let of = (c.queue, c.channel);
        let beside = c.silent().is_none();
        (Some(ahead), self.expected_at(class, of, key, before, beside, at))
    }

    /// Who waits in a queue's lines of one channel, and how long one who came now would.
    pub(super) fn wait_behind(
        &self,
        queue: QueueId,
        channel: Channel,
        at: EngineTime,
    ) -> Option<Behind> {
        let Longest { waiting, served, unserved } = self.floor.longest_of(queue, channel);
        let of = self.routing.queue(queue)?;
        let key = Spot {
            place: Place::new(at, of.head_start),
            contact: ContactId(u64::MAX),
            began: Place::new(at, Span::ZERO),
        };
        let so_far =
            |class| self.floor.oldest_of(class).map_or(Span::ZERO, |spot| waited(spot, at));
        let wait = |class| {
            let ahead = self.floor.ahead_in(class, key);
            let spread = self.spread_at(class, (queue, channel), key, ahead, true, at);
            let mean = spread.map(|(mean, _)| mean).filter(|mean| mean.is_finite());
            let most = LONGEST_TOLD.as_secs_f64();
            mean.map_or_else(|| so_far(class), |mean| span(mean.min(most)))
        };
        let served = served.map(|(class, here)| (here, wait(class)));
        let unserved = unserved.map(|(class, here)| (here, so_far(class)));
        Some(Behind { waiting, served, unserved })
    }

    /// `beside` counts callbacks that have time and go by their places meanwhile.
    fn expected_at(
        &self,
        class: u16,
        of: (QueueId, Channel),
        key: Spot,
        ahead: f64,
        beside: bool,
        at: EngineTime,
    ) -> Option<WaitEstimate> {
        let (mean, variance) = self.spread_at(class, of, key, ahead, beside, at)?;
        let p80 = quantile(mean, variance);
        let told = p80 <= LONGEST_TOLD.as_secs_f64();
        told.then(|| WaitEstimate { mean: span(mean), p80: span(p80) })
    }

    /// Mean and variance of that wait in seconds; none where nobody is at work, or nobody is
    /// taken.
    fn spread_at(
        &self,
        class: u16,
        (queue, channel): (QueueId, Channel),
        key: Spot,
        ahead: f64,
        beside: bool,
        at: EngineTime,
    ) -> Option<(f64, f64)> {
        let press = |queue, channel: Channel| {
            let rates = self.pace.get(queue, channel);
            let turns = self.pace.turns(queue, channel.service(), at);
            Press { work: rates.work.seconds_each(at), hazard: rates.waiting.hazard(at), turns }
        };
        let by_place = |other| self.by_place(queue, other);
        let demand = self.floor.demand(class, key, press, by_place);
        if demand.slots == 0 {
            return None;
        }
        let own = press(queue, channel);
        let silent = ahead * self.silent_part(queue, channel);
        let ahead = ahead - silent;
        let all = ahead + demand.rivals;
        let hazard =
            if all > 0.0 { (ahead * own.hazard + demand.hazard) / all } else { own.hazard };
        let rate = match own.work {
            Some(seconds) => {
                let all = f64::from(demand.slots) / seconds * self.left_to(channel, &demand);
                all / (1.0 + turns_of_others(all, ahead + demand.rivals, own.turns, &demand.others))
            }
            None => self.pace.get(queue, channel).taken.rate(at),
        };
        let within = |rate: f64| {
            let (mean, variance) = departures_of_part(rate, hazard, all);
            // Who waits for our call does not give up.
            (mean + silent / rate, variance + silent / (rate * rate))
        };
        let (mut mean, mut variance) = within(rate);
        let mut part = None;
        for _ in 0..if beside && channel == Channel::Voice { ROUNDS } else { 0 } {
            // The longer it waits the more of them come.
            let seconds = mean.min(LONGEST_TOLD.as_secs_f64());
            let next = self.part_of_coming(queue, rate, seconds, at);
            if part.is_none() && next <= 0.0 {
                break;
            }
            let now = part.map_or(next, |part| f64::midpoint(part, next));
            part = Some(now);
            (mean, variance) = within(rate * (1.0 - now));
        }
        (rate > 0.0).then_some((mean, variance))
    }

    /// Whether between contacts of two queues places alone decide.
    fn by_place(&self, queue: QueueId, other: QueueId) -> bool {
        let index = |queue| self.routing.queue(queue).map(|q| q.policy.index());
        let target = |queue| self.routing.queue(queue).map(|q| q.target);
        let unshared = |queue| self.routing.queue(queue).is_none_or(|q| q.policy.share == 0);
        match self.routing.settings.contact_choice {
            ContactChoice::OldestFirst => true,
            // Parts of the same target are in the order of places. One of the two without a
            // share is enough for shares not to be looked at.
            ContactChoice::FixedQueueRatio => {
                let parts = unshared(queue) || unshared(other);
                queue == other || (parts && target(queue) == target(other))
            }
            ContactChoice::CmuTheta => index(queue) == index(other),
        }
    }

    /// How long it would take one who waits for our call until it is their turn, if they stood
    /// in line by their place; none where that is honestly not known, or too long to say.
    pub(super) fn wait_at_place(&self, c: &Contact, at: EngineTime) -> Option<WaitEstimate> {
        let Some((class, ahead)) = self.at_place(c) else { return Some(WaitEstimate::default()) };
        self.expected_at(class, (c.queue, c.channel), Spot::of(c), ahead, false, at)
    }

    /// About how many would stand before it then.
    pub(super) fn ahead_at_place(&self, c: &Contact) -> f64 {
        self.at_place(c).map_or(0.0, |(_, ahead)| ahead)
    }

    /// The class in which it would stand, and about how many before it.
    fn at_place(&self, c: &Contact) -> Option<(u16, f64)> {
        let service =
            if c.service == ServiceClass::Async { c.channel.service() } else { c.service };
        let class = self.floor.class_named(Asked { service, ..Asked::of(c) })?;
        Some((class, self.floor.ahead_in(class, Spot::of(c))))
    }

    /// The part of those in a queue's lines of one channel who wait for our call.
    fn silent_part(&self, queue: QueueId, channel: Channel) -> f64 {
        let silent = self.board.of(queue).pressing;
        if silent == 0 || channel != Channel::Voice {
            return 0.0;
        }
        let live = self.pace.get(queue, channel).waiting.inside;
        f64::from(silent) / (f64::from(silent) + f64::from(live))
    }

    /// The part of their capacity that agents have for a channel: live contacts go first, and
    /// leave to later ones what they do not use, at least the guaranteed share.
    fn left_to(&self, channel: Channel, demand: &Demand) -> f64 {
        if channel.service() != ServiceClass::Async {
            return 1.0;
        }
        let share = f64::from(self.routing.settings.async_share) / 100.0;
        (1.0 - demand.live).max(share)
    }
}

/// How many contacts of other lines agents take for each of one's own, in contacts of one's
/// own: as often as their queues' turns came lately beside one's own. Of what was seldom seen
/// the order of places is taken, in which `ahead` of one's own are before one.
fn turns_of_others(all: f64, ahead: f64, own: Turns, others: &[Other]) -> f64 {
    let by_place = |o: &Other| o.before / (ahead + 1.0);
    let expected = all / (1.0 + others.iter().map(|o| o.weight * by_place(o)).sum::<f64>());
    // Turns and the time that they would have taken in the order of places.
    let (times, time) = (SELDOM, SELDOM / expected);
    let rate = (own.times + times) / (own.time + time);
    let of = |o: &Other| {
        let turns = o.turns.times * o.part + times * by_place(o);
        o.weight * turns / (o.turns.time + time) / rate
    };
    others.iter().map(of).sum()
}

/// [`departures`] for those who count in part, between the whole numbers around them.
fn departures_of_part(c: f64, theta: f64, ahead: f64) -> (f64, f64) {
    let (below, part) = (ahead.floor(), ahead.fract());
    let (mean, variance) = departures(c, theta, whole(below));
    // One more is one more exponential time.
    let last = 1.0 / (c + (below + 1.0) * theta);
    (mean + part * last, variance + part * last * last)
}

/// Mean and variance of the time in which `ahead` and one more leave, in seconds: the sums over
/// `i = 0..=ahead` of `1/(c + i·theta)` and of its square.
///
/// In closed form these are differences of two digammas and of two trigammas, in which
/// nearly all digits cancel where theta is small against c. The series that digamma itself
/// is computed by, of the sum as it stands (Euler and Maclaurin), has no such difference: it
/// is right within 1e-6 for every ratio, and costs the same for every number ahead.
fn departures(c: f64, theta: f64, ahead: usize) -> (f64, f64) {
    let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
    let (mut mean, mut variance) = (0.0, 0.0);
    for i in 0..=ahead.min(ONE_BY_ONE - 1) {
        let each = 1.0 / (c + f64::from(i) * theta);
        mean += each;
        variance += each * each;
    }
    let Some(steps) = ahead.checked_sub(ONE_BY_ONE) else { return (mean, variance) };
    let steps = f64::from(steps);
    let first = c + f64::from(ONE_BY_ONE) * theta;
    let (a, b) = (1.0 / first, 1.0 / (first + steps * theta));
    let growth = steps * theta * a;
    let integral = if growth > 1e-9 { growth.ln_1p() / theta } else { steps * a };
    mean += integral + f64::midpoint(a, b) + theta / 12.0 * (a.powi(2) - b.powi(2))
        - theta.powi(3) / 120.0 * (a.powi(4) - b.powi(4));
    variance +=
        steps * a * b + f64::midpoint(a.powi(2), b.powi(2)) + theta / 6.0 * (a.powi(3) - b.powi(3))
            - theta.powi(3) / 30.0 * (a.powi(5) - b.powi(5));
    (mean, variance)
}

/// What four of five do not exceed of a time with this mean and variance, as a gamma
/// distribution has it (by Wilson and Hilferty): right for one exponential time, and near
/// the normal distribution for the sum of many.
fn quantile(mean: f64, variance: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    let spread = variance / (9.0 * mean * mean);
    mean * (1.0 - spread + Z80 * spread.sqrt()).powi(3)
}

/// How long one who stands in line has waited.
fn waited(spot: Spot, at: EngineTime) -> Span {
    let waited = Place::new(at, Span::ZERO).0.saturating_sub(spot.began.0);
    Span(u64::try_from(waited).unwrap_or(0))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4 h")]
fn span(seconds: f64) -> Span {
    Span((seconds * 1e6).ceil() as u64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, saturating")]
fn whole(count: f64) -> usize {
    count.round() as usize
}

#[cfg(test)]
mod tests;
