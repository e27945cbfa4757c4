//! What is measured of each queue and channel: how fast contacts are taken, how long one
//! keeps an agent, how patient customers are, and how often its turn comes.
//!
//! Kept by events alone and in whole numbers, so that a replay measures the same. It owns the
//! measures and says nothing of waits: [`super::wait_estimate`] does.

use std::collections::BTreeMap;

use super::Engine;
use super::floor::Stand;
use super::store::Filed;
use super::words::{Channel, ServiceClass};
use crate::ids::QueueId;
use crate::time::{EngineTime, Span};

/// One count's length, and how often measures forget a little.
const BUCKET: Span = Span::seconds(30);
/// Counts kept; the newest is not full yet.
const BUCKETS: u64 = 5;
/// What one event counts in [`Measure::times`], so that forgetting is not lost in rounding.
const ONE: u64 = 1 << 16;
/// Events that are remembered however long ago they were: they make the rate right within
/// 2 % (one standard deviation).
const ENOUGH: u64 = 1_500 * ONE;
/// Beyond them a 64th goes every half minute: what is left is of the last half hour.
const FORGETS: u32 = 6;
/// A 2,048th of fewer goes: what is left is of the last day or so.
const FORGETS_SLOWLY: u32 = 11;
/// So few events say nothing of how long a contact keeps an agent.
const FEW: u64 = 4 * ONE;
/// Turns of a queue beyond these are forgotten as others come: which queue's turn it is
/// changes faster than how long people talk. The rate is right within 9 %.
const LATELY: u64 = 64 * ONE;
/// Of more, a 64th goes with each.
const FORGETS_TURNS: u32 = 6;
/// Customers are taken for patient until this much waiting has shown otherwise: one who leaves
/// at once does not mean that all will.
const PATIENT: Span = Span::seconds(600);

/// What is measured, by queue and channel.
#[derive(Debug, Default, Hash)]
pub(crate) struct Pace(Vec<[Rates; 4]>);

/// What is measured of one queue's contacts of one channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Rates {
    /// Those that agents took lately.
    pub taken: Taken,
    /// Those in agents' hands, from reservation to the end of wrap-up; it happens that an
    /// agent is done with one.
    pub work: Measure,
    /// Those waiting; it happens that one gives up.
    pub waiting: Measure,
    /// One inside while anybody waits; it happens that a freed agent takes one of them.
    pub turns: Measure,
}

/// How often a queue's turn comes, over all channels of one class of service.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Turns {
    /// How many wait in it.
    pub(crate) waiting: u32,
    /// Turns lately, and the seconds in which somebody waited for them.
    pub(crate) times: f64,
    pub(crate) time: f64,
}

/// Takes in the bucket that ends the window, and in those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Taken {
    /// The bucket that ends the window, counted from the router's beginning.
    pub newest: u64,
    /// Takes in it and in those before it.
    pub counts: [u32; BUCKETS as usize],
}

/// How often something happens to those inside, by how long they were inside. Those to whom
/// it has not happened yet count too: else a surge, in which only the impatient have left so
/// far, would make all customers look impatient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Measure {
    /// How many are inside now.
    pub inside: u32,
    /// Up to when their time is counted.
    pub until: EngineTime,
    /// How often it happened, in parts of [`ONE`]; older times count less.
    pub times: u64,
    /// How long all of them were inside, with the same weights.
    pub time: Span,
}

impl Taken {
    /// Buckets up to `now`, those that nothing fell in empty.
    fn until(mut self, now: u64) -> Self {
        let passed = now.saturating_sub(self.newest);
        for _ in 0..passed.min(BUCKETS) {
            self.counts.rotate_right(1);
            self.counts[0] = 0;
        }
        self.newest = self.newest.max(now);
        self
    }

    /// Takes a second over the last two minutes or so.
    pub(crate) fn rate(self, at: EngineTime) -> f64 {
        let taken = self.until(at.0 / BUCKET.0);
        let window = Span((BUCKETS - 1) * BUCKET.0 + at.0 % BUCKET.0);
        let window = window.0.min(at.0.max(1));
        let sum: u32 = taken.counts.iter().sum();
        f64::from(sum) / Span(window).as_secs_f64()
    }
}

/// The part, in 2^32ths, that forgetting slowly for so many half minutes leaves.
const fn left_after(mut passed: u64) -> u64 {
    let (mut left, mut each) = (1u64 << 32, (1u64 << 32) - (1 << (32 - FORGETS_SLOWLY)));
    while passed > 0 {
        if passed & 1 == 1 {
            left = part(left, each);
        }
        each = part(each, each);
        passed >>= 1;
    }
    left
}

/// So many 2^32ths of a count, and no less.
const fn part(of: u64, parts: u64) -> u64 {
    let product = of as u128 * parts as u128;
    #[expect(clippy::cast_possible_truncation, reason = "no more than the count was")]
    let part = product.div_ceil(1 << 32) as u64;
    part
}

impl Measure {
    /// Counts time up to `at`.
    fn until(mut self, at: EngineTime) -> Self {
        let mut passed = (at.0 / BUCKET.0).saturating_sub(self.until.0 / BUCKET.0);
        while passed > 0 && self.times > ENOUGH {
            self.times -= self.times >> FORGETS;
            self.time.0 -= self.time.0 >> FORGETS;
            passed -= 1;
        }
        // At once, however long it was: every estimate reads this, after a night as after
        // half a minute.
        if passed > 0 && (self.times, self.time) != (0, Span::ZERO) {
            let left = left_after(passed);
            (self.times, self.time.0) = (part(self.times, left), part(self.time.0, left));
        }
        let inside = at.since(self.until).0.saturating_mul(self.inside.into());
        self.time.0 = self.time.0.saturating_add(inside);
        self.until = self.until.max(at);
        self
    }

    pub(crate) fn enters(&mut self, at: EngineTime) {
        *self = self.until(at);
        self.inside = self.inside.saturating_add(1);
    }

    /// One is inside no more; `happened` says whether it is by what is measured.
    pub(crate) fn leaves(&mut self, at: EngineTime, happened: bool) {
        debug_assert!(self.inside > 0, "one leaves who was not counted");
        *self = self.until(at);
        self.inside = self.inside.saturating_sub(1);
        self.times = self.times.saturating_add(if happened { ONE } else { 0 });
    }

    /// It happens, and those inside stay; what it was like before [`LATELY`] is forgotten.
    fn happens(&mut self, at: EngineTime) {
        *self = self.until(at);
        self.times = self.times.saturating_add(ONE);
        if self.times > LATELY {
            self.times -= self.times >> FORGETS_TURNS;
            self.time.0 -= self.time.0 >> FORGETS_TURNS;
        }
    }

    /// How often it happened, less what is forgotten.
    #[expect(clippy::cast_precision_loss, reason = "a count needs no more than 53 bits")]
    pub(crate) fn happened(self, at: EngineTime) -> f64 {
        self.until(at).times as f64 / ONE as f64
    }

    /// Seconds inside for each time that it happened; none while little is known.
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
    pub(crate) fn seconds_each(self, at: EngineTime) -> Option<f64> {
        let now = self.until(at);
        let each = |m: Self| m.time.as_secs_f64() * ONE as f64 / m.times as f64;
        (now.times > FEW).then(|| each(now))
    }

    /// How often a second it happens to one inside; cautious while little is known.
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
    pub(crate) fn hazard(self, at: EngineTime) -> f64 {
        let now = self.until(at);
        now.times as f64 / ONE as f64 / (now.time.as_secs_f64() + PATIENT.as_secs_f64())
    }
}

impl Rates {
    /// One begins to wait.
    fn joins(&mut self, at: EngineTime) {
        self.waiting.enters(at);
        if self.waiting.inside == 1 {
            self.turns.enters(at);
        }
    }

    /// One waits no more, because they gave up or not.
    pub(crate) fn leaves(&mut self, at: EngineTime, gave_up: bool) {
        self.waiting.leaves(at, gave_up);
        if self.waiting.inside == 0 {
            self.turns.leaves(at, false);
        }
    }
}

impl Pace {
    /// As an image holds it.
    pub(crate) fn of(rates: Vec<[Rates; 4]>) -> Self {
        Self(rates)
    }

    /// By queue and channel.
    pub(crate) fn all(&self) -> &[[Rates; 4]] {
        &self.0
    }

    /// Of one queue and channel; nothing where nothing has been measured.
    pub(crate) fn get(&self, queue: QueueId, channel: Channel) -> Rates {
        self.0.get(queue.index()).map(|q| q[channel.index()]).unwrap_or_default()
    }

    pub(crate) fn rates(&mut self, (queue, channel): (QueueId, Channel)) -> &mut Rates {
        if self.0.len() <= queue.index() {
            self.0.resize(queue.index() + 1, [Rates::default(); 4]);
        }
        &mut self.0[queue.index()][channel.index()]
    }

    pub(crate) fn taken(&mut self, at: EngineTime, of: (QueueId, Channel)) {
        let taken = &mut self.rates(of).taken;
        *taken = taken.until(at.0 / BUCKET.0);
        taken.counts[0] = taken.counts[0].saturating_add(1);
    }

    /// A freed agent takes one who waited.
    pub(crate) fn turn(&mut self, at: EngineTime, of: (QueueId, Channel)) {
        self.rates(of).turns.happens(at);
    }

    /// How often a queue's turn comes in a class of service.
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
    pub(crate) fn turns(&self, queue: QueueId, service: ServiceClass, at: EngineTime) -> Turns {
        let of = Channel::ALL.into_iter().filter(|c| c.service() == service);
        of.fold(Turns::default(), |sum, channel| {
            let rates = self.get(queue, channel);
            let turns = rates.turns.until(at);
            Turns {
                waiting: sum.waiting + rates.waiting.inside,
                times: sum.times + turns.times as f64 / ONE as f64,
                time: sum.time.max(turns.time.as_secs_f64()),
            }
        })
    }

    /// One who waited in one place, or nowhere, now waits in another, or nowhere.
    pub(crate) fn waits(
        &mut self,
        at: EngineTime,
        before: Option<(QueueId, Channel)>,
        after: Option<(QueueId, Channel)>,
    ) {
        if before == after {
            return;
        }
        if let Some(of) = before {
            self.rates(of).leaves(at, false);
        }
        if let Some(of) = after {
            self.rates(of).joins(at);
        }
    }
}

impl Engine {
    /// Whether those who are measured are those who wait and are worked on, for checking.
    pub(super) fn measures_those_inside(&self) -> bool {
        let mut inside: BTreeMap<(QueueId, usize), (u32, u32)> = BTreeMap::new();
        let waits = |f: &&Filed| f.stand != Stand::Off && f.contact.silent().is_none();
        for filed in self.contacts.iter().filter(waits) {
            let c = &filed.contact;
            inside.entry((c.queue, c.channel.index())).or_default().0 += 1;
        }
        for work in self.agents.iter().flat_map(|a| &a.work) {
            inside.entry((work.queue, work.channel.index())).or_default().1 += 1;
        }
        let queues = (0..).map(QueueId).zip(&self.pace.0);
        let all = queues.flat_map(|(q, rates)| rates.iter().enumerate().map(move |r| (q, r)));
        let same = all.clone().all(|(queue, (channel, rates))| {
            let found = inside.get(&(queue, channel)).copied().unwrap_or_default();
            found == (rates.waiting.inside, rates.work.inside)
                && rates.turns.inside == u32::from(found.0 > 0)
        });
        let measured: u32 = all.map(|(_, (_, r))| r.waiting.inside + r.work.inside).sum();
        let found: u32 = inside.values().map(|(waiting, work)| waiting + work).sum();
        same && measured == found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Q: QueueId = QueueId(1);

    fn at(s: u64) -> EngineTime {
        EngineTime::ZERO + Span::seconds(s)
    }

    #[test]
    fn counts_the_last_two_minutes() {
        let mut pace = Pace::default();
        for s in 0..300 {
            pace.taken(at(s), (Q, Channel::Voice));
            pace.taken(at(s), (Q, Channel::Voice));
        }
        let rate = |s| pace.get(Q, Channel::Voice).taken.rate(at(s));
        assert!((rate(300) - 2.0).abs() < 0.05, "{}", rate(300));
        assert!((rate(360) - 1.0).abs() < 0.05, "half of the window was quiet: {}", rate(360));
        assert_eq!(rate(1_000), 0.0);
        let chats = pace.get(Q, Channel::Chat).taken.rate(at(300));
        assert_eq!(chats, 0.0, "of another channel nothing is known");
        assert_eq!(pace.get(QueueId(9), Channel::Voice), Rates::default());
    }

    #[test]
    fn those_who_are_still_inside_count() {
        // Ten are inside from the beginning, five leave one by one, one a minute.
        let mut m = Measure::default();
        for _ in 0..10 {
            m.enters(at(0));
        }
        for minute in 1..=5 {
            m.leaves(at(60 * minute), true);
        }
        // 10 + 9 + 8 + 7 + 6 minutes altogether, and 5 more by the sixth minute.
        let each = |s| m.seconds_each(at(s)).expect("known");
        // Forgetting makes the earlier ones count a little less.
        assert!((each(300) - 40.0 * 60.0 / 5.0).abs() < 3.0, "{}", each(300));
        assert!((each(360) - 45.0 * 60.0 / 5.0).abs() < 3.0, "{}", each(360));
        assert!((m.hazard(at(300)) - 5.0 / 3_000.0).abs() < 1e-5, "{}", m.hazard(at(300)));
    }

    #[test]
    fn forgetting_at_once_is_forgetting_by_and_by() {
        let begun =
            Measure { times: 900 * ONE, time: Span::seconds(270_000), ..Measure::default() };
        for halves in [1, 2, 7, 120, 2_880, 100_000] {
            let (mut times, mut time) = (begun.times as f64, begun.time.0 as f64);
            for _ in 0..halves {
                times *= 1.0 - 1.0 / 2_048.0;
                time *= 1.0 - 1.0 / 2_048.0;
            }
            let left = begun.until(at(30 * halves));
            assert!((left.times as f64 - times).abs() <= times * 1e-5 + 2.0, "{halves}: {left:?}");
            assert!((left.time.0 as f64 - time).abs() <= time * 1e-5 + 1e3, "{halves}: {left:?}");
        }
        let much = Measure { times: 2 * ENOUGH, time: Span::seconds(9), ..Measure::default() };
        let left = much.until(at(30 * 45)).times;
        assert!(
            (ENOUGH * 97 / 100..=ENOUGH).contains(&left),
            "fast down to what is enough: {left}"
        );
        assert_eq!(Measure::default().until(at(2_592_000)).times, 0);
    }

    #[test]
    fn little_is_not_knowledge() {
        let mut m = Measure::default();
        assert_eq!((m.seconds_each(at(9)), m.hazard(at(9))), (None, 0.0));
        m.enters(at(10));
        m.leaves(at(11), true);
        assert_eq!(m.seconds_each(at(11)), None);
        assert!(
            m.hazard(at(11)) < 0.002,
            "one who leaves at once is not all: {}",
            m.hazard(at(11))
        );
    }

    #[test]
    fn what_changed_is_learned_and_what_did_not_is_kept_over_night() {
        let mut m = Measure::default();
        let mut now = 0;
        let mut each = |seconds: u64, times: u64| {
            for _ in 0..times {
                m.enters(at(now));
                now += seconds;
                m.leaves(at(now), true);
            }
            m.seconds_each(at(now)).expect("known")
        };
        assert!((each(2, 10_000) - 2.0).abs() < 0.01);
        let changed = each(4, 7_500);
        assert!((3.9..=4.0).contains(&changed), "{changed}");
        now += 12 * 3_600;
        let morning = m.seconds_each(at(now)).expect("known");
        assert!((changed - morning).abs() < 0.01, "{changed} {morning}");
    }

    #[test]
    fn turns_are_counted_by_the_time_in_which_somebody_waited() {
        let (of, mut pace) = ((Q, Channel::Voice), Pace::default());
        let turns = |pace: &Pace, s| pace.turns(Q, ServiceClass::Live, at(s));
        pace.waits(at(0), None, Some(of));
        pace.waits(at(0), None, Some(of));
        // One is taken every five seconds, and another comes.
        for n in 1..=200 {
            pace.turn(at(5 * n), of);
            pace.waits(at(5 * n), Some(of), None);
            pace.waits(at(5 * n), None, Some(of));
        }
        let lately = turns(&pace, 1_000);
        assert!((lately.time / lately.times - 5.0).abs() < 0.05, "{lately:?}");
        assert!((60.0..=64.0).contains(&lately.times) && lately.waiting == 2, "{lately:?}");
        // While nobody waits nobody's turn can come; while somebody does it could.
        pace.waits(at(1_000), Some(of), None);
        pace.waits(at(1_000), Some(of), None);
        let quiet = turns(&pace, 2_000);
        assert!((quiet.time / quiet.times - 5.0).abs() < 0.1 && quiet.waiting == 0, "{quiet:?}");
        pace.waits(at(2_000), None, Some(of));
        let passed_over = turns(&pace, 3_000);
        assert!(passed_over.time > quiet.time + 900.0, "{passed_over:?}");
        assert_eq!(pace.turns(Q, ServiceClass::Async, at(3_000)), Turns::default());
    }
}
