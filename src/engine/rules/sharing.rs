//! Sharing between queues: who helps whom, from when, until when, and never both ways.

use super::{ANNE, BOB, CLEO, Center, PLAIN, SKILLED, listed};
use crate::engine::Engine;
use crate::engine::event::{Event, Rule, SharedNews};
use crate::engine::sharing::{Shared, Sharing};
use crate::engine::words::Channel;
use crate::ids::{AgentId, ContactId, PoolId, QueueId, SharingId};

const OWN: PoolId = PoolId(0);
const HELPERS: PoolId = PoolId(1);

fn sharing(name: &str, helped: QueueId, own: QueueId, pool: PoolId) -> Sharing {
    Sharing {
        name: name.into(),
        retired: false,
        helped,
        own,
        pools: [pool].into_iter().collect(),
        ratio: 150,
        activate: 4,
        release: 1,
        reverse: 0,
    }
}

/// Anne and Cleo, who are of the helping pool, serve the second queue; Bob the first.
fn center(more: impl FnOnce(&mut Vec<Sharing>)) -> Center {
    Center::with(|r| {
        r.pools = listed(&["own", "helpers"]);
        r.queues[SKILLED.index()].needs.clear();
        for agent in [ANNE, CLEO] {
            r.agents[agent.index()].pool = HELPERS;
            r.agents[agent.index()].skills.clear();
        }
        r.queues[SKILLED.index()].pools = [HELPERS].into_iter().collect();
        r.sharings = vec![sharing("to-plain", PLAIN, SKILLED, HELPERS)];
        more(&mut r.sharings);
    })
}

impl Center {
    fn calls(&mut self, queue: QueueId, count: usize) -> Vec<ContactId> {
        (0..count).map(|_| self.arrives(Channel::Voice, queue)).collect()
    }

    fn sharing_news(&self) -> Vec<(bool, u32, u32)> {
        let of = |e: &Event| match e {
            Event::Shared(SharedNews { on, helped, own, .. }) => Some((*on, *helped, *own)),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    fn hang_up(&mut self, calls: &[ContactId]) {
        for call in calls {
            self.leaves(*call);
        }
    }
}

#[test]
fn helpers_stand_by_until_the_threshold_and_then_all_of_them_look() {
    let mut c = center(|_| {});
    [ANNE, CLEO].iter().for_each(|a| c.ready(*a));
    let three = c.calls(PLAIN, 3);
    assert!(three.iter().all(|call| c.held_for(*call).is_none()), "nobody is kept from their own");
    let fourth = c.calls(PLAIN, 1)[0];
    assert_eq!(c.sharing_news(), [(true, 4, 0)]);
    assert_eq!(c.held_for(fourth), Some(ANNE), "who looks finds one who may help");
    c.passes(0);
    assert_eq!(c.held_for(three[0]), Some(CLEO), "and idle helpers look");
    assert_eq!((c.held_for(three[1]), c.held_for(three[2])), (None, None));
}

#[test]
fn while_it_lasts_the_ratio_says_whose_turn_it_is() {
    let mut c = center(|_| {});
    let own = c.calls(SKILLED, 2);
    let helped = c.calls(PLAIN, 7);
    assert_eq!(c.sharing_news(), [(true, 7, 2)], "7 is 4 above 1.5 times 2");
    let mut got = Vec::new();
    for _ in 0..6 {
        c.ready(ANNE);
        let held = c.events.iter().find_map(|e| match e {
            Event::Reserved(r) => Some((r.contact, r.why.rule)),
            _ => None,
        });
        let Some((call, rule)) = held else { break };
        let of = if own.contains(&call) { "own" } else { "helped" };
        got.push((of, rule));
        c.leaves(call);
        c.act(ANNE, crate::engine::command::Act::Become(super::Availability::SignedOut))
            .expect("out");
    }
    // 7, 6, 5 and 4 are above 3; 3 is not.
    let (turn, alone) = (Rule::Sharing, Rule::OldestPlace);
    let helped_four = [("helped", turn); 4];
    assert_eq!(got[..4], helped_four);
    assert_eq!(got[4], ("own", turn), "3 are not above 1.5 times 2");
    assert_eq!(got[5], ("helped", turn), "3 are above 1.5 times 1");
    assert_ne!(got[5].1, alone);
    c.hang_up(&helped[5..]);
}

#[test]
fn it_ends_far_below_where_it_began_and_work_in_hand_goes_on() {
    let mut c = center(|_| {});
    c.ready(ANNE);
    let calls = c.calls(PLAIN, 4);
    c.passes(0);
    c.answer(calls[3]);
    assert_eq!(c.engine.shared, [Shared { sharing: SharingId(0), since: c.at() }]);
    c.leaves(calls[0]);
    assert!(c.engine.is_shared(SharingId(0)), "two are more than one");
    c.leaves(calls[1]);
    c.ready(CLEO);
    assert!(!c.engine.is_shared(SharingId(0)), "one is not");
    assert_eq!(c.held_for(calls[2]), None, "Cleo no longer helps");
    assert_eq!(c.held_for(calls[3]), Some(ANNE), "whom Anne has she keeps");
    c.ready(BOB);
    assert_eq!(c.held_for(calls[2]), Some(BOB));
}

#[test]
fn two_queues_never_help_each_other_at_once() {
    let mut c = center(|all| {
        all[0].reverse = 1;
        all.push(Sharing { reverse: 0, ..sharing("back", SKILLED, PLAIN, OWN) });
    });
    c.configure(|r| r.queues[SKILLED.index()].pools.clear());
    c.ready(BOB);
    let helped = c.calls(SKILLED, 5);
    c.passes(0);
    assert!(c.engine.is_shared(SharingId(1)), "Bob helps the second queue");
    let with_bob = *helped.iter().find(|h| c.held_for(**h) == Some(BOB)).expect("one of them");
    c.answer(with_bob);
    let plain = c.calls(PLAIN, 12);
    assert!(!c.engine.is_shared(SharingId(0)), "the other way waits");
    let left: Vec<_> = helped.iter().copied().filter(|h| *h != with_bob).collect();
    c.hang_up(&left);
    c.passes(2);
    c.calls(PLAIN, 1);
    assert!(!c.engine.is_shared(SharingId(1)), "nobody waits in the second queue");
    assert!(c.engine.is_shared(SharingId(0)), "one call in hand is no more than reverse allows");
    assert_eq!(c.held_for(with_bob), Some(BOB));
    assert!(plain.iter().all(|p| c.held_for(*p).is_none()), "no helper is there");
}

#[test]
fn one_that_is_held_up_begins_once_nothing_holds_it() {
    let mut c = center(|all| all.push(sharing("back", SKILLED, PLAIN, OWN)));
    c.configure(|r| r.queues[SKILLED.index()].pools.clear());
    c.ready(BOB);
    let helped = c.calls(SKILLED, 5);
    c.passes(0);
    let with_bob = *helped.iter().find(|h| c.held_for(**h) == Some(BOB)).expect("one of them");
    c.answer(with_bob);
    let left: Vec<_> = helped.iter().copied().filter(|h| *h != with_bob).collect();
    c.hang_up(&left);
    c.ready(ANNE);
    let plain = c.calls(PLAIN, 12);
    assert!(!c.engine.is_shared(SharingId(0)), "Bob still has one");
    c.leaves(with_bob);
    assert!(plain.iter().all(|p| c.held_for(*p) != Some(ANNE)));
    // Nobody comes, nobody goes.
    c.passes(2);
    assert!(c.engine.is_shared(SharingId(0)), "nothing holds it");
    assert!(
        plain.iter().any(|p| c.held_for(*p) == Some(ANNE)),
        "she has stood idle for long enough"
    );
}

#[test]
fn one_that_is_held_up_keeps_no_other_from_beginning() {
    let mut c = center(|all| {
        all.push(sharing("back", SKILLED, PLAIN, OWN));
        all.push(Sharing { name: "to-safety".into(), ..sharing("", super::SAFETY, SKILLED, OWN) });
    });
    c.configure(|r| {
        r.queues[SKILLED.index()].pools.clear();
        r.queues[super::SAFETY.index()].safety = false;
    });
    c.calls(SKILLED, 5);
    assert!(c.engine.is_shared(SharingId(1)));
    c.calls(PLAIN, 12);
    assert!(!c.engine.is_shared(SharingId(0)), "held up by the other way");
    c.calls(super::SAFETY, 12);
    assert!(c.engine.is_shared(SharingId(2)), "which is none of its business");
}

#[test]
fn who_is_hurt_and_whom_a_step_opens_need_no_sharing() {
    let mut c = center(|_| {});
    c.ready(ANNE);
    let hurt = c.arrives_as(Channel::Voice, PLAIN, |a| a.safety = true);
    assert_eq!(c.held_for(hurt), Some(ANNE));
}

#[test]
fn a_reload_that_retires_it_ends_it() {
    let mut c = center(|_| {});
    c.calls(PLAIN, 4);
    assert!(c.engine.is_shared(SharingId(0)));
    c.configure(|r| r.sharings[0].retired = true);
    c.ready(BOB);
    assert!(!c.engine.is_shared(SharingId(0)));
    c.ready(ANNE);
    let held = (0..4).filter(|n| c.held_for(ContactId(n + 1)) == Some(ANNE)).count();
    assert_eq!(held, 1, "without a sharing she may take what her skills and pool allow");
}

#[test]
fn an_engine_made_from_an_image_shares_as_the_one_before() {
    let mut c = center(|_| {});
    c.calls(PLAIN, 5);
    let again = Engine::restore(&c.engine.image()).expect("restored");
    assert_eq!(again.state_hash(), c.engine.state_hash());
    assert_eq!(again.shared, c.engine.shared);
    c.engine = again;
    c.ready(ANNE);
    let held: Vec<AgentId> = (1..=5).filter_map(|n| c.held_for(ContactId(n))).collect();
    assert_eq!(held, [ANNE], "the helper is eligible in it");
}
