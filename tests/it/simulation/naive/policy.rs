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
        let choice = self.engine.routing().settings.contact_choice;
        let chosen = choice == ContactChoice::FixedQueueRatio
            && next.keys().all(|q| queue(*q).policy.share > 0);
        let share = |q: &Queue| if chosen { q.policy.share } else { 0 };
        let shares: i64 = next.keys().map(|q| i64::from(share(queue(*q)))).sum();
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
                let compared = match choice {
                    ContactChoice::FixedQueueRatio if chosen => {
                        let above = backlog * shares - i64::from(q.policy.share) * backlogs;
                        self.by_shares(at, q, c, above.into())
                    }
                    ContactChoice::FixedQueueRatio => self.by_parts(at, q, c),
                    _ => self.by_place(q, c),
                };
                Next { contact: c, backlog, compared }
            })
            .collect();
        all.sort_by_key(|n| (n.compared, n.contact.id));
        let best = all.first()?;
        let q = queue(best.contact.queue);
        let parts = choice == ContactChoice::FixedQueueRatio && !chosen;
        let index = match choice {
            ContactChoice::CmuTheta => q.policy.index(),
            _ if parts => {
                let part = self.ahead(at, best.contact) * 1_000 / i128::from(q.target.0.max(1));
                u64::try_from(part).expect("it fits")
            }
            _ => 0,
        };
        let waited = if parts { self.ahead(at, best.contact) } else { waited(at, best.contact) };
        let why = Why {
            queues: u16::try_from(all.len()).expect("few"),
            backlog: u32::try_from(best.backlog).expect("few"),
            backlogs: u32::try_from(backlogs).expect("few"),
            share: share(q),
            shares: u32::try_from(shares).expect("few"),
            late: waited > q.target.0.into(),
            index,
            ..Why::plain(self.rule(best, all.get(1), chosen))
        };
        Some((best.contact, why))
    }

    /// The oldest place; under `cmu_theta` the greatest index before it.
    fn by_place(&self, q: &Queue, c: &Contact) -> [i128; 3] {
        let place = i128::from(c.place.0);
        let choice = self.engine.routing().settings.contact_choice;
        if choice == ContactChoice::OldestFirst || self.is(Wrong::HoldingCost) {
            return [0, place, place];
        }
        let (cost, patience) = (u128::from(q.policy.cost), u128::from(q.policy.patience.0));
        let index = cost * 1_000 * patience / u128::from(q.policy.handle_time.0);
        [-i128::try_from(index).expect("it fits"), place, place]
    }

    /// A broken target, the greatest surplus over its share, the longest wait: head starts
    /// left out.
    fn by_shares(&self, at: EngineTime, q: &Queue, c: &Contact, above: i128) -> [i128; 3] {
        let waited = waited(at, c);
        let on_time = waited <= q.target.0.into() && !self.is(Wrong::TargetBroken);
        [on_time.into(), if self.is(Wrong::QueueShare) { 0 } else { -above }, -waited]
    }

    /// A broken target, the greatest part of the target, the oldest place: head starts count.
    fn by_parts(&self, at: EngineTime, q: &Queue, c: &Contact) -> [i128; 3] {
        let waited = self.ahead(at, c);
        let on_time = waited <= q.target.0.into() && !self.is(Wrong::TargetBroken);
        let part = waited * 1_000 / i128::from(q.target.0.max(1));
        [on_time.into(), if self.is(Wrong::PartOfTarget) { 0 } else { -part }, c.place.0.into()]
    }

    /// How long it would have waited had it come before its head start.
    fn ahead(&self, at: EngineTime, c: &Contact) -> i128 {
        match self.is(Wrong::HeadStart) {
            true => waited(at, c),
            false => i128::from(at.0) - i128::from(c.place.0),
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
            (ContactChoice::FixedQueueRatio, _) if chosen => Rule::LongestWait,
            (ContactChoice::CmuTheta, 0) => Rule::HoldingCost,
            _ => Rule::OldestPlace,
        }
    }
}

/// How long it has waited, head starts left out.
fn waited(at: EngineTime, c: &Contact) -> i128 {
    i128::from(at.since(c.arrived).0) + i128::from(c.waited_before.0)
}
