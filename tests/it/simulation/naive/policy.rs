//! Which of those in line a policy gives an agent, by the words of `docs/routing.md`.

use std::collections::BTreeMap;

use surgeline::engine::contact::Contact;
use surgeline::engine::event::{Rule, Why};
use surgeline::engine::policy::ContactChoice;
use surgeline::engine::routing::Queue;
use surgeline::ids::QueueId;
use surgeline::time::EngineTime;

use super::{Naive, Wrong, in_line};

/// A queue with its next contact, and what is compared, the smaller the better.
struct Next<'a> {
    contact: &'a Contact,
    backlog: i64,
    compared: [i128; 3],
}

impl Naive {
    /// The best of these, which are all of one class of service, and why.
    pub(super) fn by_policy<'a>(
        &self,
        at: EngineTime,
        line: Vec<&'a Contact>,
    ) -> Option<(&'a Contact, Why)> {
        let mut next: BTreeMap<QueueId, &Contact> = BTreeMap::new();
        for c in line {
            let old = next.entry(c.queue).or_insert(c);
            let earlier = (c.place, c.id) < (old.place, old.id);
            if earlier != self.is(Wrong::OldestPlace) {
                *old = c;
            }
        }
        let queue = |q: QueueId| &self.engine.routing().queues[q.index()];
        let chosen = next.keys().all(|q| queue(*q).policy.share > 0);
        let shares: i64 = next.keys().map(|q| i64::from(queue(*q).policy.share)).sum();
        let backlog = |c: &Contact| {
            let line = |o: &&Contact| {
                in_line(o) && o.named.is_none() && (o.queue, o.service) == (c.queue, c.service)
            };
            i64::try_from(self.engine.contacts().filter(line).count()).expect("few")
        };
        let backlogs: i64 = next.values().map(|c| backlog(c)).sum();
        let mut all: Vec<Next<'_>> = next
            .values()
            .map(|c| {
                let (q, backlog) = (queue(c.queue), backlog(c));
                let second = match chosen {
                    _ if self.is(Wrong::QueueShare) => 0,
                    true => (backlog * shares - i64::from(q.policy.share) * backlogs).into(),
                    false if self.is(Wrong::PartOfTarget) => 0,
                    false => part_of_target(at, q, c),
                };
                Next { contact: c, backlog, compared: self.compared(at, q, c, second) }
            })
            .collect();
        all.sort_by_key(|n| (n.compared, n.contact.id));
        let best = all.first()?;
        let q = queue(best.contact.queue);
        let index = match self.engine.routing().settings.contact_choice {
            ContactChoice::CmuTheta => q.policy.index(),
            ContactChoice::FixedQueueRatio if !chosen => {
                u64::try_from(part_of_target(at, q, best.contact)).expect("it fits")
            }
            _ => 0,
        };
        let why = Why {
            queues: u16::try_from(all.len()).expect("few"),
            backlog: u32::try_from(best.backlog).expect("few"),
            backlogs: u32::try_from(backlogs).expect("few"),
            share: q.policy.share,
            shares: u32::try_from(shares).expect("few"),
            late: is_late(at, q, best.contact),
            index,
            ..Why::plain(self.rule(best, all.get(1), chosen))
        };
        Some((best.contact, why))
    }

    fn compared(&self, at: EngineTime, q: &Queue, c: &Contact, second: i128) -> [i128; 3] {
        let place = i128::from(c.place.0);
        let began = i128::from(c.arrived.0) - i128::from(c.waited_before.0);
        match self.engine.routing().settings.contact_choice {
            ContactChoice::OldestFirst => [place; 3],
            ContactChoice::CmuTheta if self.is(Wrong::HoldingCost) => [0, place, place],
            ContactChoice::CmuTheta => {
                let (cost, patience) = (u128::from(q.policy.cost), u128::from(q.policy.patience.0));
                let index = cost * 1_000 * patience / u128::from(q.policy.handle_time.0);
                [-i128::try_from(index).expect("it fits"), place, place]
            }
            ContactChoice::FixedQueueRatio => {
                let on_time = !is_late(at, q, c) && !self.is(Wrong::TargetBroken);
                [i128::from(on_time), -second, began]
            }
        }
    }

    /// The first comparison that the next best lost.
    fn rule(&self, best: &Next<'_>, second: Option<&Next<'_>>, chosen: bool) -> Rule {
        let Some(second) = second else { return Rule::OldestPlace };
        let lost = (0..3).find(|i| best.compared[*i] != second.compared[*i]).unwrap_or(2);
        match (self.engine.routing().settings.contact_choice, lost) {
            (ContactChoice::FixedQueueRatio, 0) => Rule::TargetBroken,
            (ContactChoice::FixedQueueRatio, 1) if chosen => Rule::QueueShare,
            (ContactChoice::FixedQueueRatio, 1) => Rule::PartOfTarget,
            (ContactChoice::FixedQueueRatio, _) => Rule::LongestWait,
            (ContactChoice::CmuTheta, 0) => Rule::HoldingCost,
            (ContactChoice::CmuTheta | ContactChoice::OldestFirst, _) => Rule::OldestPlace,
        }
    }
}

/// How much of its queue's target it has waited, in thousandths, head starts left out.
fn part_of_target(at: EngineTime, q: &Queue, c: &Contact) -> i128 {
    let waited = i128::from(at.since(c.arrived).0) + i128::from(c.waited_before.0);
    waited * 1_000 / i128::from(q.target.0.max(1))
}

/// Whether it has waited longer than its queue's target, head starts left out.
fn is_late(at: EngineTime, q: &Queue, c: &Contact) -> bool {
    at.since(c.arrived).0 + c.waited_before.0 > q.target.0
}
