//! What a run found of its recall: orders, who moved, who waited, and the bars.

use std::time::Duration;

use serde::Serialize;

use super::text::{latency, time};
use crate::book::{Latency, histogram, record};
use crate::error::LoadError;
use crate::oncall::Ordered;
use crate::recall::{Level, Recall};
use crate::scenario::Scenario;
use crate::schedule::micros;
use crate::served::Served;
use crate::stage::{Outcome, seconds_since};

/// How long others are looked at after the last one was moved, microseconds.
const AFTER_US: u64 = 20_000_000;
/// What "before" means of the others' reservations, microseconds.
const BEFORE_US: u64 = 10_000_000;

/// An order, and what it did to those who were there.
#[derive(Clone, Debug, Serialize)]
pub struct OrderFound {
    /// To which level.
    pub level: Level,
    /// When it was sent, seconds of the measured time.
    pub at_s: f64,
    /// Until its answer was read, which is the acknowledgement.
    pub acknowledged_us: u64,
    /// Contacts that were to move, as the answer says; none if it does not count so many.
    pub to_move: Option<u64>,
    /// Of those who were there before it, how long after it gateways were told that they are
    /// in self-service; of an order that gives back, that they are in line again.
    pub moved_us: Latency,
    /// Contacts still to be moved just before the next order or the end of arrivals, as the
    /// router says.
    pub still_to_move: Option<u64>,
    /// Reservations at once of contacts outside the recall that were due in the 10 s before.
    pub others_before_us: Latency,
    /// And of those that were due from the order until the last one was moved.
    pub others_meanwhile_us: Latency,
    /// And of those that were due in the 20 s after that, in which those who were moved are
    /// told.
    pub others_after_us: Latency,
}

impl OrderFound {
    /// p99 meanwhile over p99 before; none if either was not measured.
    fn others_ratio(&self) -> Option<f64> {
        let (before, meanwhile) = (&self.others_before_us, &self.others_meanwhile_us);
        let measured = before.samples > 0 && meanwhile.samples > 0;
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
        measured.then(|| meanwhile.p99 as f64 / before.p99.max(1) as f64)
    }
}

/// A bar, and what was found.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// Of what.
    pub what: String,
    /// What it should be, in words.
    pub bar: String,
    /// What it was, in words.
    pub found: String,
    /// Whether it is met.
    pub met: bool,
}

/// A recall.
#[derive(Clone, Debug, Serialize)]
pub struct Recalled {
    /// What was ordered.
    pub orders: Vec<OrderFound>,
    /// Contacts that entered self-service.
    pub entered: u64,
    /// Ended in it on the customer's word.
    pub solved: u64,
    /// Ended in it with what they came for.
    pub informed: u64,
    /// Went on from it as another contact, after silence.
    pub followed_up: u64,
    /// Ended in it without any of these.
    pub left: u64,
    /// Came back to the line.
    pub returned: u64,
    /// Of those, answered by a person.
    pub returned_and_answered: u64,
    /// Entered it a second time: must be 0.
    pub bounced_twice: u64,
    /// From when a customer had said that somebody was hurt until a person had them.
    pub safety_wait_us: Latency,
    /// Until a person had the others, from when they were due; of contacts in the scope.
    pub others_wait_us: Latency,
    /// The scenario's bars.
    pub bars: Vec<Bar>,
}

impl Recalled {
    /// # Errors
    /// [`LoadError::Histogram`].
    pub(super) fn new(scenario: &Scenario, outcome: &Outcome) -> Result<Option<Self>, LoadError> {
        let Some(recall) = &scenario.recall else { return Ok(None) };
        let (served, total) = (&outcome.book.served, &outcome.book.total);
        let orders = outcome.orders.iter().enumerate();
        let orders: Result<Vec<_>, _> =
            orders.map(|(number, order)| found(number, order, served, scenario.warm_up)).collect();
        let orders = orders?;
        Ok(Some(Self {
            bars: bars(recall, &orders),
            orders,
            entered: served.ways.entered,
            solved: total.solved,
            informed: total.informed,
            followed_up: total.followed_up,
            left: served.ways.left,
            returned: served.ways.returned,
            returned_and_answered: served.ways.returned_and_answered,
            bounced_twice: served.ways.bounced_twice,
            safety_wait_us: Latency::from(&served.safety),
            others_wait_us: Latency::from(&served.others),
        }))
    }

    /// The lines that tell of it.
    pub(super) fn figures(&self) -> Vec<(&'static str, String)> {
        let order = |o: &OrderFound| {
            let still = o.still_to_move.map_or("not known".into(), |n| n.to_string());
            let what = format!(
                "{} at {:.0} s: acknowledged after {}; {} to move, {} moved, {still} left: {}; \
                 others' reservations in the 20 s after that: {}",
                name(o.level),
                o.at_s,
                time(o.acknowledged_us),
                o.to_move.map_or("many".into(), |n| n.to_string()),
                o.moved_us.samples,
                latency(&o.moved_us),
                latency(&o.others_after_us)
            );
            ("recall", what)
        };
        let mut all: Vec<_> = self.orders.iter().map(order).collect();
        all.push((
            "self-service",
            format!(
                "{} entered: {} solved, {} informed, {} followed up, {} left, {} returned ({} answered), {} bounced twice",
                self.entered,
                self.solved,
                self.informed,
                self.followed_up,
                self.left,
                self.returned,
                self.returned_and_answered,
                self.bounced_twice
            ),
        ));
        all.push(("safety wait", latency(&self.safety_wait_us)));
        all.push(("others' wait", latency(&self.others_wait_us)));
        let met = |bar: &Bar| if bar.met { "met" } else { "MISSED" };
        all.extend(
            self.bars
                .iter()
                .map(|b| ("bar", format!("{}: {}, {} ({})", met(b), b.what, b.found, b.bar))),
        );
        all
    }
}

pub(super) const fn name(level: Level) -> &'static str {
    match level {
        Level::Normal => "normal",
        Level::Elevated => "elevated",
        Level::Surge => "surge",
        Level::Critical => "critical",
        Level::Tail => "tail",
        Level::Ended => "ended",
    }
}

fn found(
    number: usize,
    order: &Ordered,
    served: &Served,
    counts_from: Duration,
) -> Result<OrderFound, LoadError> {
    let moved = served.moves.get(number);
    let way = moved.map(|m| if order.level.gives_back() { &m.back } else { &m.to_self_service });
    let moved_us = way.map(Latency::from).unwrap_or_default();
    let (mut before, mut meanwhile, mut after) = (histogram(3)?, histogram(3)?, histogram(3)?);
    let until = order.at_us + moved_us.max;
    for (due_us, us) in &served.reservations {
        if (order.at_us.saturating_sub(BEFORE_US)..order.at_us).contains(due_us) {
            record(&mut before, *us);
        } else if (order.at_us..=until).contains(due_us) {
            record(&mut meanwhile, *us);
        } else if (until..until + AFTER_US).contains(due_us) {
            record(&mut after, *us);
        }
    }
    Ok(OrderFound {
        level: order.level,
        at_s: seconds_since(counts_from, order.at_us),
        acknowledged_us: order.acknowledged_us,
        to_move: order.to_move,
        moved_us,
        still_to_move: order.stood.as_ref().and_then(|s| s.moving),
        others_before_us: Latency::from(&before),
        others_meanwhile_us: Latency::from(&meanwhile),
        others_after_us: Latency::from(&after),
    })
}

fn bars(recall: &Recall, orders: &[OrderFound]) -> Vec<Bar> {
    let (Some(bars), [first, ..]) = (recall.bars, orders) else { return Vec::new() };
    let ended = orders.last().filter(|o| o.level == Level::Ended);
    let acknowledged = |what: &str, order: &OrderFound| Bar {
        what: what.into(),
        bar: format!("at most {}", time(micros(bars.acknowledged))),
        found: time(order.acknowledged_us),
        met: order.acknowledged_us <= micros(bars.acknowledged),
    };
    let moved = |what: &str, order: &OrderFound| Bar {
        what: what.into(),
        bar: format!("at most {}", time(micros(bars.moved))),
        found: match order.still_to_move {
            Some(0) => format!("{} after {}", order.moved_us.samples, time(order.moved_us.max)),
            Some(left) => format!("{left} were left"),
            None => "not known".into(),
        },
        met: order.still_to_move == Some(0) && order.moved_us.max <= micros(bars.moved),
    };
    let others = |what: &str, order: &OrderFound| {
        let ratio = order.others_ratio();
        let (before, meanwhile) = (&order.others_before_us, &order.others_meanwhile_us);
        Bar {
            what: what.into(),
            bar: format!("at most {:.1} times that before", bars.others),
            found: ratio.map_or("not measured".into(), |ratio| {
                format!(
                    "{ratio:.1} times: {} after {} ({} of them)",
                    time(meanwhile.p99),
                    time(before.p99),
                    meanwhile.samples
                )
            }),
            met: ratio.is_some_and(|ratio| ratio <= bars.others),
        }
    };
    let mut all = vec![
        acknowledged("the start is acknowledged", first),
        moved("all who waited are in self-service", first),
        others("the others' reservations meanwhile, p99", first),
    ];
    if let Some(ended) = ended {
        all.push(acknowledged("the end is acknowledged", ended));
        all.push(moved("all are given back", ended));
        all.push(others("the others' reservations meanwhile, p99, at the end", ended));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use surgeline::pb::v1::RecallStatus;

    #[test]
    fn the_others_are_compared_before_and_while_others_move() {
        let mut book = Book::new(0).unwrap();
        let s = 1_000_000;
        // Too early, before, meanwhile, afterwards.
        for (due, us) in [(s, 9), (15 * s, 1_000), (20 * s + 1, 3_000), (23 * s, 9)] {
            book.offered_at_once(due, due + us).unwrap();
        }
        book.served.went(0, 100).unwrap();
        book.served.went(0, 2 * s).unwrap();
        let order = Ordered {
            level: Level::Surge,
            at_us: 20 * s,
            acknowledged_us: 5_000,
            to_move: Some(2),
            stood: Some(RecallStatus { moving: Some(0), ..Default::default() }),
        };
        let found = found(0, &order, &book.served, Duration::ZERO).unwrap();
        assert_eq!((found.others_before_us.samples, found.others_meanwhile_us.samples), (1, 1));
        assert!(found.others_ratio().is_some_and(|r| (2.9..3.1).contains(&r)), "{found:?}");
        let scenario = Scenario::parse(include_str!("../../scenarios/toggle.toml")).unwrap();
        let recall = scenario.recall.unwrap();
        let met = |found: &OrderFound| -> Vec<bool> {
            bars(&recall, std::slice::from_ref(found)).iter().map(|b| b.met).collect()
        };
        assert_eq!(met(&found), [true, true, false]);
        let late = OrderFound { acknowledged_us: 20_001, still_to_move: Some(1), ..found };
        assert_eq!(met(&late), [false, false, false]);
    }
}
