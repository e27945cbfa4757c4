//! Those whom a queue does not take: who is called back instead and who is not, who stands in
//! its way, and what they are told.

use super::callbacks::{center, policy};
use super::care::EVE;
use super::steps::{BUSY, CLOSED, WEEK, after};
use super::*;
use crate::engine::callback::{DialMode, Wanted};
use crate::engine::care::QueueCare;
use crate::engine::event::{Announce, EffectKind};
use crate::engine::queue_life::{Fallback, Overflow, QueueLife, QueueStep, Then};

/// Closed or full, callers are told so and called back.
fn calls_back(most_waiting: u32) -> Center {
    let closed = Fallback { tell: Some(CLOSED), then: Then::Callback };
    let full = Fallback { tell: Some(BUSY), then: Then::Callback };
    let life = QueueLife { hours: Some(WEEK), closed, most_waiting, full, ..QueueLife::default() };
    let mut c = Center::with_life(PLAIN, Vec::new(), life);
    c.edit_queue(PLAIN, |q| q.callback = Some(Arc::new(policy(DialMode::AgentFirst))));
    c
}

impl Center {
    fn confirmed(&mut self, contact: ContactId) {
        self.report(Report::NumberConfirmed { contact, confirmed: true }).expect("taken");
    }
}

#[test]
fn only_who_was_turned_away_leaves_the_line_for_a_call() {
    let mut c = calls_back(2);
    let (first, second) = (c.arrives(Channel::Voice, PLAIN), c.arrives(Channel::Voice, PLAIN));
    let third = c.arrives(Channel::Voice, PLAIN);
    for call in [first, second] {
        c.confirmed(call);
        assert_eq!(c.state(call), State::Queued, "they did not ask for it");
    }
    c.set_hours(false, None);
    c.confirmed(first);
    assert_eq!(c.state(first), State::Queued, "who was there when it closed is served");
    c.set_hours(true, None);
    c.confirmed(third);
    assert_eq!(c.state(third), State::CallbackDue);
    c.wants(second, Wanted::default()).expect("it may be asked for");
    assert_eq!(c.state(second), State::CallbackDue);
}

#[test]
fn who_has_talked_to_somebody_goes_on_waiting_for_them() {
    let mut c = calls_back(1);
    let (first, call) = (c.arrives(Channel::Voice, PLAIN), c.arrives(Channel::Voice, PLAIN));
    c.ready(ANNE);
    c.answer(first);
    c.ready(BOB);
    c.answer(call);
    let lunch = Availability::NotReady(ReasonId(2));
    c.act(BOB, Act::Next(Some(lunch))).expect("set");
    c.act(BOB, Act::Requeue(call)).expect("back in line");
    assert_eq!(c.state(call), State::Queued);
    c.confirmed(call);
    assert_eq!(c.state(call), State::Queued);
}

#[test]
fn one_who_is_moved_is_turned_away_no_longer() {
    let mut c = calls_back(1);
    c.arrives(Channel::Voice, PLAIN);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.supervise(Order::Move { contact: call, queue: SKILLED }).expect("moved");
    c.edit_queue(SKILLED, |q| q.callback = Some(Arc::default()));
    c.confirmed(call);
    assert_eq!(c.state(call), State::Queued);
}

#[test]
fn who_waits_for_our_call_fills_no_line() {
    let mut c = center(&policy(DialMode::AgentFirst));
    c.edit_queue(PLAIN, |q| {
        q.life.most_waiting = 1;
        q.life.full.then = Then::Overflow(Overflow::Queue(SKILLED));
    });
    let queue = |c: &Center, call| c.engine.contact(call).expect("open").queue;
    for _ in 0..3 {
        let call = c.arrives(Channel::Voice, PLAIN);
        c.wants(call, Wanted::default()).expect("promised");
        assert_eq!(queue(&c, call), PLAIN);
    }
    let alone = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(queue(&c, alone), PLAIN, "nobody else is on the line");
    let more = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(queue(&c, more), SKILLED);
}

#[test]
fn who_comes_with_a_number_is_called_back_and_hears_so_to_the_end() {
    let mut c = calls_back(1);
    c.arrives(Channel::Voice, PLAIN);
    let arrival = Arrival { number_confirmed: true, ..c.arrival(Channel::Voice, PLAIN) };
    let Ok(Reply::Contact(call)) = c.report(Report::Arrived(arrival)) else { panic!("refused") };
    assert_eq!(c.state(call), State::CallbackDue);
    let [(effect, EffectKind::Announce(Announce { notice: BUSY, .. }))] = c.asked(call)[..] else {
        panic!("not told: {:?}", c.asked(call))
    };
    c.report(Report::EffectDone(effect)).expect("said");
    assert!(c.asked(call).is_empty() && c.state(call) == State::CallbackDue);
    // Whose number is known only later goes on hearing it, too; who hangs up does not.
    let later = c.arrives(Channel::Voice, PLAIN);
    let told = c.asked(later);
    c.confirmed(later);
    assert_eq!((c.state(later), c.asked(later)), (State::CallbackDue, told));
    c.report(Report::CustomerLeft(later)).expect("they may");
    assert!(c.asked(later).is_empty() && c.state(later) == State::CallbackDue);
}

#[test]
fn whoever_was_not_told_why_it_ends_waits_and_is_not_told_again() {
    let full = Fallback { tell: Some(BUSY), then: Then::Close };
    let life = QueueLife { most_waiting: 1, full, ..QueueLife::default() };
    let mut c = Center::with_life(PLAIN, Vec::new(), life);
    c.arrives(Channel::Chat, PLAIN);
    let chat = c.arrives(Channel::Chat, PLAIN);
    let place = c.engine.contact(chat).expect("open").place;
    let [(effect, _)] = c.asked(chat)[..] else { panic!("not told") };
    c.report(Report::EffectFailed { effect, code: 500 }).expect("taken");
    assert_eq!((c.end_of(chat), c.state(chat)), (None, State::Queued));
    assert_eq!(c.engine.contact(chat).expect("open").place, place);
    c.passes(600);
    assert_eq!((c.state(chat), c.asked(chat).len()), (State::Queued, 0));
}

#[test]
fn a_place_is_kept_in_every_queue_that_they_came_through_and_given_back_once() {
    let overflow = Some(Overflow::Queue(SKILLED));
    let steps = vec![QueueStep { overflow, ..after(10) }];
    let mut c = Center::with_life(PLAIN, steps, QueueLife::default());
    let care = QueueCare { keep_place: Span::seconds(60), ..QueueCare::default() };
    c.edit_queue(PLAIN, |q| q.care = care);
    c.edit_queue(SKILLED, |q| q.care = care);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    let had = c.place(chat);
    c.passes(10);
    assert_eq!(c.engine.contact(chat).expect("open").queue, SKILLED);
    c.goes(chat);
    c.passes(5);
    let back = c.from(EVE, Channel::Chat, PLAIN);
    assert_eq!(c.place(back), had, "the way that they came");
    let other = c.from(EVE, Channel::Chat, SKILLED);
    assert!(c.place(other) > had, "once");
}

#[test]
fn who_waits_when_it_opens_is_not_called_instead() {
    let mut c = calls_back(2);
    c.set_hours(false, None);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.set_hours(true, None);
    c.confirmed(call);
    assert_eq!(c.state(call), State::Queued, "they are next");
}
