//! Patience where it meets steps and callbacks: who came back or is linked, and what their queue
//! does meanwhile.

use super::callbacks;
use super::care::{EVE, keeps, links};
use super::steps::after;
use super::*;
use crate::engine::callback::{DialMode, Wanted};
use crate::engine::care::QueueCare;
use crate::engine::participant::Part;
use crate::engine::queue_life::{Overflow, QueueLife, QueueStep};
use crate::ids::ExternalId;

#[test]
fn one_who_came_back_keeps_that_place_through_steps_and_edits() {
    let mut c = keeps();
    let raise_priority = Span::seconds(7);
    c.edit_queue(PLAIN, |q| q.steps = vec![QueueStep { raise_priority, ..after(10) }]);
    let first = c.from(EVE, Channel::Chat, PLAIN);
    let had = c.place(first);
    c.passes(5);
    c.goes(first);
    c.passes(5);
    let back = c.from(EVE, Channel::Chat, PLAIN);
    assert_eq!(c.place(back), had);
    c.passes(10);
    assert_eq!(c.place(back), had - 7_000_000, "a step only brings it forward");
    c.edit_queue(PLAIN, |q| q.head_start = Span::seconds(3));
    assert_eq!(c.place(back), had - 10_000_000);
}

/// Two contacts of hers are linked, and one is with Anne: a step that is due for the other is taken.
#[test]
fn who_is_sent_outside_is_held_back_only_when_they_return() {
    let overflow = Some(Overflow::External(ExternalId(0)));
    let steps = vec![QueueStep { overflow, ..after(10) }];
    let mut c = Center::with_life(PLAIN, steps, QueueLife::default());
    let hold_linked = Span::seconds(100);
    let care = QueueCare { link: true, hold_linked, ..QueueCare::default() };
    c.edit_queue(PLAIN, |q| q.care = care);
    c.ready(ANNE);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    c.answer(chat);
    let call = c.from(EVE, Channel::Voice, PLAIN);
    let held_for = |c: &Center| c.engine.contact(call).expect("open").care.held_for();
    assert_eq!(held_for(&c), Some(chat));
    c.passes(10);
    assert_eq!((c.state(call).kind(), held_for(&c)), (StateKind::Pending, None));
    let (effect, _) = c.asked(call)[0];
    c.report(Report::EffectFailed { effect, code: 486 }).expect("taken");
    assert_eq!((c.state(call), held_for(&c)), (State::Queued, Some(chat)));
}

#[test]
fn nobody_listens_any_more_to_a_call_that_was_lost_and_is_called_back() {
    let mut c = callbacks::center(&callbacks::policy(DialMode::AgentFirst));
    c.ready(ANNE);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.report(Report::NumberConfirmed { contact: call, confirmed: true }).expect("taken");
    c.answer(call);
    let (listener, part) = (Arc::from("sue"), Part::Listens);
    let order = Order::Listen { contact: call, listener, part };
    c.ok(&Command::Supervise { order, why: Arc::from("first day") });
    assert!(!c.engine.contact(call).expect("open").participants.all.is_empty());
    c.report(Report::CallLost(call)).expect("taken");
    let lost = c.engine.contact(call).expect("called back");
    assert!(lost.callback.is_some() && lost.participants.all.is_empty());
}

#[test]
fn who_waits_for_our_call_is_not_held_back() {
    let mut c = links();
    c.edit_queue(PLAIN, |q| q.callback = Some(Arc::default()));
    c.ready(ANNE);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    c.answer(chat);
    let call = c.from(EVE, Channel::Voice, PLAIN);
    c.wants(call, Wanted::default()).expect("promised");
    assert_eq!(c.state(call).kind(), StateKind::CallbackDue);
    assert_eq!(c.engine.contact(call).expect("open").care.held_for(), None);
}
