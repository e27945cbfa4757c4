//! Which queue a freed agent serves next: the policies of [`ContactChoice`], one comparison each.
//!
//! Within one class of service. Every queue in which somebody waits whom the agent may take
//! comes with its next contact and its backlog, so that the cost is that of the queues, not
//! of the contacts. Pure: what is compared was found by [`super::floor`].

use super::event::{Rule, Why};
use super::line::Spot;
use super::policy::{AgentChoice, ContactChoice, QueuePolicy};
use super::routing::Routing;
use super::words::Channel;
use crate::ids::QueueId;
use crate::time::{EngineTime, Place, Span};
use smallvec::SmallVec;

/// A queue in which somebody waits whom the agent may take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Candidate {
    pub(crate) queue: QueueId,
    /// The oldest place among those whom the agent may take.
    pub(crate) next: Spot,
    /// Everybody in line in this queue and class of service.
    pub(crate) backlog: u32,
}

/// What a policy compares, the smaller the better, what matters most first.
type Key = [i64; 3];

/// The best of these, and why.
pub(crate) fn choose(
    routing: &Routing,
    at: EngineTime,
    candidates: &[Candidate],
) -> Option<(Candidate, Why)> {
    let totals = Totals::of(routing, candidates);
    let key = |c: &Candidate| key(routing, at, &totals, c);
    let (mut best, mut second) = (None, None);
    for c in candidates {
        let key = (key(c), c.next.contact);
        if best.is_none_or(|(b, _)| key < b) {
            second = best;
            best = Some((key, *c));
        } else if second.is_none_or(|(s, _)| key < s) {
            second = Some((key, *c));
        }
    }
    let ((won, _), chosen) = best?;
    // The first comparison that the next best lost.
    let lost = second.and_then(|((lost, _), _)| (0..won.len()).find(|i| won[*i] != lost[*i]));
    let rules = rules(routing.settings.contact_choice, totals.shared);
    let rule = match second {
        Some(_) => rules[lost.unwrap_or(rules.len() - 1)],
        None => Rule::OldestPlace,
    };
    Some((chosen, totals.why(routing, at, &chosen, rule)))
}

fn key(routing: &Routing, at: EngineTime, totals: &Totals, c: &Candidate) -> Key {
    let place = c.next.place.0;
    match routing.settings.contact_choice {
        ContactChoice::FixedQueueRatio if totals.shared => {
            let on_time = i64::from(!is_late(routing, at, c.queue, c.next.began));
            [on_time, -totals.excess(routing, c), c.next.began.0]
        }
        // By place, so that one who goes before their own queue does not hold it back: they are
        // its next, and have waited least.
        ContactChoice::FixedQueueRatio => {
            let on_time = i64::from(!is_late(routing, at, c.queue, c.next.place));
            let part = i64::try_from(part_of_target(routing, at, c)).unwrap_or(i64::MAX);
            [on_time, -part, place]
        }
        ContactChoice::OldestFirst => [place; 3],
        ContactChoice::CmuTheta => {
            let index = i64::try_from(policy(routing, c.queue, QueuePolicy::index));
            [-index.unwrap_or(i64::MAX), place, place]
        }
    }
}

/// What each part of a key stands for.
const fn rules(choice: ContactChoice, shared: bool) -> [Rule; 3] {
    match choice {
        ContactChoice::FixedQueueRatio if shared => {
            [Rule::TargetBroken, Rule::QueueShare, Rule::LongestWait]
        }
        ContactChoice::FixedQueueRatio => {
            [Rule::TargetBroken, Rule::PartOfTarget, Rule::OldestPlace]
        }
        ContactChoice::OldestFirst => [Rule::OldestPlace; 3],
        ContactChoice::CmuTheta => [Rule::HoldingCost, Rule::OldestPlace, Rule::OldestPlace],
    }
}

/// Whether a wait in a queue that counts from here is longer than the queue's target.
fn is_late(routing: &Routing, at: EngineTime, queue: QueueId, from: Place) -> bool {
    let target = routing.queue(queue).map_or(Span::ZERO, |q| q.target);
    // Who arrived later than this is not late.
    from < Place::new(at, target)
}

/// How much of its queue's target a queue's next contact has waited, its head start included,
/// in thousandths. Backlogs that stand in proportion to arrivals × target are waits in
/// proportion to targets, by Little's law: this needs no rate, and a queue that hardly anybody
/// calls is not starved.
fn part_of_target(routing: &Routing, at: EngineTime, c: &Candidate) -> u64 {
    let waited = Place::new(at, Span::ZERO).0.saturating_sub(c.next.place.0);
    let target = routing.queue(c.queue).map_or(Span::ZERO, |q| q.target);
    u64::try_from(waited).unwrap_or(0).saturating_mul(1_000) / target.0.max(1)
}

fn policy<T: Default>(routing: &Routing, queue: QueueId, of: impl Fn(&QueuePolicy) -> T) -> T {
    routing.queue(queue).map(|q| of(&q.policy)).unwrap_or_default()
}

/// Sums over the queues that are compared.
#[derive(Debug, Default)]
struct Totals {
    backlog: i64,
    shares: i64,
    queues: usize,
    /// Shares are compared: the policy looks at them, and somebody chose one for each queue.
    shared: bool,
}

impl Totals {
    fn of(routing: &Routing, candidates: &[Candidate]) -> Self {
        let shares = || candidates.iter().map(|c| policy(routing, c.queue, |q| q.share));
        let looks = routing.settings.contact_choice == ContactChoice::FixedQueueRatio;
        let shared = looks && shares().all(|share| share > 0);
        Self {
            backlog: candidates.iter().map(|c| i64::from(c.backlog)).sum(),
            shares: if shared { shares().map(i64::from).sum() } else { 0 },
            queues: candidates.len(),
            shared,
        }
    }

    /// By how many contacts a queue is above its share of the backlog, times the sum of
    /// shares: whole numbers compare the same everywhere.
    fn excess(&self, routing: &Routing, c: &Candidate) -> i64 {
        let share = i64::from(policy(routing, c.queue, |q| q.share));
        i64::from(c.backlog) * self.shares - share * self.backlog
    }

    fn why(&self, routing: &Routing, at: EngineTime, c: &Candidate, rule: Rule) -> Why {
        let choice = routing.settings.contact_choice;
        let by_part = choice == ContactChoice::FixedQueueRatio && !self.shared;
        let from = if by_part { c.next.place } else { c.next.began };
        Why {
            rule,
            queues: u16::try_from(self.queues).unwrap_or(u16::MAX),
            backlog: c.backlog,
            backlogs: u32::try_from(self.backlog).unwrap_or(u32::MAX),
            share: if self.shared { policy(routing, c.queue, |q| q.share) } else { 0 },
            shares: u32::try_from(self.shares).unwrap_or(u32::MAX),
            late: is_late(routing, at, c.queue, from),
            index: match choice {
                ContactChoice::CmuTheta => policy(routing, c.queue, QueuePolicy::index),
                ContactChoice::FixedQueueRatio if by_part => part_of_target(routing, at, c),
                ContactChoice::FixedQueueRatio | ContactChoice::OldestFirst => 0,
            },
            ..Why::plain(rule)
        }
    }
}

/// Keeps of several next contacts of one queue the oldest place, queue by queue.
pub(crate) fn by_queue(candidates: &mut SmallVec<[Candidate; 8]>) {
    if candidates.len() > 1 {
        candidates.sort_unstable();
        candidates.dedup_by_key(|c| c.queue);
    }
}

/// The rule by which an agent is chosen, for telling.
pub(crate) const fn of_agents(choice: AgentChoice, channel: Channel) -> Rule {
    match (choice, channel) {
        (AgentChoice::MostProficient, _) => Rule::MostProficient,
        (AgentChoice::LeastProficient, _) => Rule::LeastProficient,
        (AgentChoice::Random, _) => Rule::Random,
        (AgentChoice::LongestIdle, Channel::Voice) => Rule::LongestIdle,
        (AgentChoice::LongestIdle, _) => Rule::LeastLoaded,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::routing::{Queue, Settings};
    use crate::ids::ContactId;

    const NOW: EngineTime = EngineTime(1_000_000_000);

    fn routing(contact_choice: ContactChoice, shares: &[u8]) -> Routing {
        let queue = |share: &u8| Queue {
            name: Arc::from("q"),
            target: Span::seconds(20),
            policy: QueuePolicy { share: *share, ..QueuePolicy::default() },
            ..Queue::default()
        };
        let settings = Settings { contact_choice, ..Settings::default() };
        Routing { queues: shares.iter().map(queue).collect(), settings, ..Routing::default() }
    }

    /// A queue whose next contact has waited so long, with nobody given a head start.
    fn candidate(queue: u16, waited: u64, backlog: u32) -> Candidate {
        let place = Place::new(NOW, Span::seconds(waited));
        let next = Spot { place, contact: ContactId(queue.into()), began: place };
        Candidate { queue: QueueId(queue), next, backlog }
    }

    fn chosen(routing: &Routing, candidates: &[Candidate]) -> (u16, Rule, bool) {
        let (found, why) = choose(routing, NOW, candidates).unwrap();
        assert_eq!(usize::from(why.queues), candidates.len());
        assert_eq!(why.backlogs, candidates.iter().map(|c| c.backlog).sum::<u32>());
        (found.queue.0, why.rule, why.late)
    }

    #[test]
    fn a_broken_target_goes_before_shares_and_shares_before_waits() {
        let r = routing(ContactChoice::FixedQueueRatio, &[10, 10, 20]);
        let broken = [candidate(0, 19, 50), candidate(1, 21, 1)];
        assert_eq!(chosen(&r, &broken), (1, Rule::TargetBroken, true));
        let at_target = [candidate(0, 5, 50), candidate(1, 20, 1)];
        assert_eq!(chosen(&r, &at_target), (0, Rule::QueueShare, false), "20 s are within 20 s");
        // 6 of 14 for a quarter is more above its share than 8 of 14 for a half.
        let shares = [candidate(0, 1, 6), candidate(2, 9, 8)];
        assert_eq!(chosen(&r, &shares), (0, Rule::QueueShare, false));
        let even = [candidate(0, 3, 4), candidate(1, 4, 4)];
        assert_eq!(chosen(&r, &even), (1, Rule::LongestWait, false));
        let one = [candidate(0, 3, 4)];
        assert_eq!(chosen(&r, &one), (0, Rule::OldestPlace, false));
        assert_eq!(choose(&r, NOW, &[]), None);
    }

    #[test]
    fn without_shares_waits_go_in_proportion_to_targets() {
        let mut r = routing(ContactChoice::FixedQueueRatio, &[0, 0, 20]);
        r.queues[1].target = Span::seconds(100);
        let tight = [candidate(0, 10, 1), candidate(1, 49, 90)];
        assert_eq!(chosen(&r, &tight), (0, Rule::PartOfTarget, false), "a half goes before 0.49");
        let slack = [candidate(0, 10, 90), candidate(1, 51, 1)];
        assert_eq!(chosen(&r, &slack), (1, Rule::PartOfTarget, false));
        assert_eq!(choose(&r, NOW, &slack).unwrap().1.index, 510);
        let both_broken = [candidate(0, 60, 900), candidate(1, 301, 1)];
        assert_eq!(chosen(&r, &both_broken), (1, Rule::PartOfTarget, true), "rare, not starved");
        let even = [candidate(0, 10, 1), candidate(1, 50, 1)];
        assert_eq!(chosen(&r, &even), (1, Rule::OldestPlace, false));
        let one_has_none = [candidate(2, 3, 90), candidate(0, 4, 1)];
        assert_eq!(chosen(&r, &one_has_none), (0, Rule::PartOfTarget, false));
        let why = choose(&r, NOW, &one_has_none).unwrap().1;
        assert_eq!((why.share, why.shares), (0, 0), "nobody looked at the one that there is");
        r.queues[0].target = Span::ZERO;
        assert_eq!(chosen(&r, &tight), (0, Rule::TargetBroken, true));
    }

    /// Who has a head start is the next of their queue at once, and has waited least.
    #[test]
    fn without_shares_one_with_a_head_start_does_not_hold_their_queue_back() {
        let mut r = routing(ContactChoice::FixedQueueRatio, &[0, 0]);
        let ahead = |waited| {
            let mut ahead = candidate(0, waited, 90);
            ahead.next.place = Place::new(NOW, Span::seconds(waited + 600));
            ahead
        };
        let found = |r: &Routing, others: u64| chosen(r, &[ahead(1), candidate(1, others, 1)]);
        assert_eq!(found(&r, 19), (0, Rule::TargetBroken, true));
        assert_eq!(found(&r, 300), (0, Rule::PartOfTarget, true));
        assert_eq!(found(&r, 602), (1, Rule::PartOfTarget, true));
        let index = choose(&r, NOW, &[ahead(1)]).unwrap().1.index;
        assert_eq!(index, 30_050, "of 20 s");
        r.queues.iter_mut().for_each(|q| q.policy.share = 10);
        let late = [ahead(1), candidate(1, 21, 1)];
        assert_eq!(chosen(&r, &late), (1, Rule::TargetBroken, true), "shares leave it out");
    }

    #[test]
    fn with_equal_targets_and_without_shares_it_is_the_order_of_places() {
        let all: Vec<_> = [(1, 30), (40, 0), (5, 900), (41, 0), (0, 10), (900, 0)]
            .iter()
            .zip(0..)
            .map(|((waited, ahead), queue)| {
                let mut c = candidate(queue, *waited, 1);
                c.next.place = Place::new(NOW, Span::seconds(waited + ahead));
                c
            })
            .collect();
        let order = |choice| {
            let (r, mut left, mut order) = (routing(choice, &[0; 6]), all.clone(), Vec::new());
            while let Some((next, _)) = choose(&r, NOW, &left) {
                left.retain(|c| c != &next);
                order.push(next.queue.0);
            }
            order
        };
        assert_eq!(order(ContactChoice::FixedQueueRatio), [2, 5, 3, 1, 0, 4]);
        assert_eq!(order(ContactChoice::OldestFirst), [2, 5, 3, 1, 0, 4]);
    }

    #[test]
    fn oldest_first_looks_at_places_alone() {
        let r = routing(ContactChoice::OldestFirst, &[1, 100]);
        let mut ahead = candidate(0, 1, 1);
        ahead.next.place = Place::new(NOW, Span::seconds(60));
        assert_eq!(chosen(&r, &[candidate(1, 59, 90), ahead]), (0, Rule::OldestPlace, false));
        let same = [candidate(1, 5, 1), candidate(0, 5, 1)];
        assert_eq!(chosen(&r, &same).0, 0, "of equal places the contact that came first");
    }

    #[test]
    fn cmu_theta_weighs_what_waiting_costs() {
        let mut r = routing(ContactChoice::CmuTheta, &[1, 1, 1]);
        r.queues[1].policy.cost = 5;
        r.queues[2].policy.handle_time = Span::seconds(100);
        let all = [candidate(0, 900, 9), candidate(1, 1, 1), candidate(2, 500, 9)];
        assert_eq!(chosen(&r, &all), (1, Rule::HoldingCost, false));
        assert_eq!(choose(&r, NOW, &all).unwrap().1.index, 5_000);
        assert_eq!(chosen(&r, &[all[0], all[2]]), (2, Rule::HoldingCost, true));
    }

    #[test]
    fn of_one_queue_the_oldest_place_stays() {
        let mut all: SmallVec<[Candidate; 8]> = (0..20u32)
            .map(|n| candidate(u16::try_from(n % 3).unwrap_or(0), u64::from(n) + 1, 7))
            .collect();
        by_queue(&mut all);
        let left: Vec<_> = all.iter().map(|c| (c.queue.0, c.next.place)).collect();
        let of = |queue, waited| (queue, Place::new(NOW, Span::seconds(waited)));
        assert_eq!(left, [of(0, 19), of(1, 20), of(2, 18)]);
    }
}
