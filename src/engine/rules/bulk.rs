//! Supervisors' orders about one contact and about many.

use std::sync::Arc;

use super::{ANNE, BOB, Center, PLAIN, SAFETY, SKILLED};
use crate::engine::bulk::{BulkAction, BulkStep, Filter, MOST_BULKS, MOST_IN_BULK, Skipped};
use crate::engine::command::{Command, Order, Reply};
use crate::engine::contact::{State, StateKind};
use crate::engine::event::{BulkNews, Event};
use crate::engine::refusal::Refusal;
use crate::engine::words::{Channel, Named};
use crate::ids::{ContactId, OrderId, QueueId};
use crate::time::{EngineTime, Span};

impl Center {
    fn bulk(&mut self, filter: Filter, action: BulkAction) -> OrderId {
        let contacts = self.engine.matched(self.at(), &filter).contacts.into();
        match self.supervise(Order::Bulk { filter, action, contacts }) {
            Ok(Reply::Order(order)) => order,
            other => panic!("{other:?}"),
        }
    }

    fn skipped(&self) -> Vec<(ContactId, Skipped)> {
        let of = |e: &Event| match e {
            Event::Bulk(BulkNews { step: BulkStep::Skips(contact, why), .. }) => {
                Some((*contact, *why))
            }
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }
}

fn in_queue(queue: QueueId) -> Filter {
    Filter { queue: Some(queue), ..Filter::default() }
}

#[test]
fn a_contact_is_pulled_to_an_agent_who_has_room_and_kept_for_one_who_has_not() {
    let mut c = Center::new();
    c.ready(BOB);
    // Bob has no Spanish: pulled, it is his all the same.
    let chat = c.arrives(Channel::Chat, SKILLED);
    assert_eq!(c.held_for(chat), None);
    c.supervise(Order::Pull { contact: chat, agent: BOB }).expect("pulled");
    assert_eq!(c.held_for(chat), Some(BOB));
    let same = c.supervise(Order::Pull { contact: chat, agent: BOB }).unwrap_err();
    assert_eq!(same, Refusal::SameAgent(Arc::from("bob")));
    c.answer(chat);
    let no = c.supervise(Order::Pull { contact: chat, agent: ANNE }).unwrap_err();
    assert!(matches!(no, Refusal::WrongState { .. }), "it is with somebody: {no}");

    let full = c.arrives(Channel::Chat, PLAIN);
    c.answer(full);
    let later = c.arrives(Channel::Chat, PLAIN);
    assert_eq!(
        c.supervise(Order::Pull { contact: later, agent: ANNE }),
        Err(Refusal::AgentNotConnected(Arc::from("anne")))
    );
    c.supervise(Order::Pull { contact: later, agent: BOB }).expect("kept");
    let kept = c.engine.contact(later).unwrap().named;
    assert_eq!(kept, Some(Named { agent: BOB, until: EngineTime(30_000_000) }));
    c.complete(full);
    assert_eq!(c.held_for(later), Some(BOB));
}

#[test]
fn a_filter_matches_what_it_says_and_no_consult() {
    let mut c = Center::new();
    let old = c.arrives(Channel::Chat, PLAIN);
    c.passes(100);
    let call = c.arrives(Channel::Voice, PLAIN);
    let spanish = c.arrives(Channel::Chat, SKILLED);
    let at = c.at();
    let of = |c: &Center, filter: &Filter| c.engine.matched(at, filter).contacts;
    let all = Filter::default();
    assert_eq!(of(&c, &all), [old, call, spanish], "the oldest place first");
    assert_eq!(of(&c, &in_queue(SKILLED)), [spanish]);
    let chats = Filter { channel: Some(Channel::Chat), ..all.clone() };
    assert_eq!(of(&c, &chats), [old, spanish]);
    let older = Filter { older_than: Some(Span::seconds(100)), ..all.clone() };
    assert_eq!(of(&c, &older), [old]);
    let skill = Filter { skill: Some(crate::ids::SkillId(0)), ..all.clone() };
    assert_eq!(of(&c, &skill), [spanish]);
    let attribute = Some((Arc::from("lot"), Arc::from("A7")));
    let lot = Filter { attribute, ..all.clone() };
    assert!(of(&c, &lot).is_empty());
    let attributes = [("lot".into(), "A7".into())].into_iter().collect();
    c.report(crate::engine::command::Report::Attributes { contact: call, attributes })
        .expect("told");
    assert_eq!(of(&c, &lot), [call]);
    c.supervise(Order::Reprioritise { contact: old, head_start: Span::seconds(60) })
        .expect("sooner");
    let ahead = Filter { head_start: Some(Span::seconds(60)), ..all.clone() };
    assert_eq!(of(&c, &ahead), [old]);
    let recall = Filter { recall: Some(crate::ids::RecallId(1)), ..all.clone() };
    assert!(of(&c, &recall).is_empty());
    c.ready(ANNE);
    c.answer(old);
    let waits = Filter { state: Some(StateKind::Queued), ..all.clone() };
    assert!(!of(&c, &waits).contains(&old));
    let to = crate::engine::command::Target::Queue(PLAIN);
    let consult = c.consult(ANNE, old, to);
    let matched = c.engine.matched(c.at(), &all);
    assert!(!matched.contacts.contains(&consult));
    assert_eq!(matched.by_state.iter().sum::<u32>(), 3);
}

#[test]
fn many_are_moved_in_slices_each_by_events_of_its_own_and_others_come_between() {
    let mut c = Center::new();
    let waiting: Vec<ContactId> = (0..600).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    let order = c.bulk(in_queue(PLAIN), BulkAction::Move(SAFETY));
    assert!(matches!(c.events[..], [Event::Ordered { .. }, Event::Bulk(_)]));
    c.ok(&Command::Tick);
    let moved = |c: &Center| c.engine.bulks().find(|b| b.id == order).unwrap().done;
    assert_eq!(moved(&c), 64, "one slice");
    let acts = c.events.iter().position(|e| {
        matches!(e, Event::Bulk(BulkNews { step: BulkStep::Acts(contact), .. }) if *contact == waiting[1])
    });
    let acts = acts.expect("the second is named");
    assert!(matches!(&c.events[acts + 1], Event::Queued(q) if q.contact == waiting[1]));

    // Meanwhile one leaves, one comes, and one is somewhere else already.
    let leaves = crate::engine::command::Report::CustomerLeft(waiting[500]);
    c.report(leaves).expect("left");
    let later = c.arrives(Channel::Chat, PLAIN);
    c.supervise(Order::Move { contact: waiting[501], queue: SKILLED }).expect("moved");
    let mut skipped = Vec::new();
    while c.engine.bulks().any(|b| b.over.is_none()) {
        c.now += 1;
        c.ok(&Command::Tick);
        skipped.extend(c.skipped());
    }
    assert_eq!(skipped, [(waiting[500], Skipped::Gone), (waiting[501], Skipped::NoMatch)]);
    let bulk = c.engine.bulks().last().unwrap();
    assert_eq!((bulk.count, bulk.next, bulk.done, bulk.cancelled), (600, 600, 598, false));
    let queue = |c: &Center, contact| c.engine.contact(contact).unwrap().queue;
    assert_eq!(queue(&c, waiting[0]), SAFETY);
    assert_eq!(queue(&c, waiting[501]), SKILLED);
    assert_eq!(queue(&c, later), PLAIN, "it was not shown");
    assert_eq!(c.engine.next_tick(), None, "nothing more to do");
}

#[test]
fn many_are_requeued_reprioritised_and_closed_keeping_their_places() {
    let mut c = Center::new();
    c.ready(BOB);
    let held = c.arrives(Channel::Chat, PLAIN);
    c.answer(held);
    let place = c.engine.contact(held).unwrap().place;
    c.bulk(in_queue(PLAIN), BulkAction::Requeue);
    c.passes(1);
    assert_eq!((c.state(held), c.engine.contact(held).unwrap().place), (State::Queued, place));
    c.bulk(in_queue(PLAIN), BulkAction::Reprioritise(Span::seconds(60)));
    c.passes(1);
    assert_eq!(c.engine.contact(held).unwrap().head_start, Span::seconds(60));
    c.bulk(in_queue(PLAIN), BulkAction::Close);
    c.passes(1);
    assert_eq!(c.engine.in_state(StateKind::Closed), 1);
}

#[test]
fn an_order_is_cancelled_and_one_that_is_over_cannot_be() {
    let mut c = Center::new();
    let contacts: Vec<ContactId> = (0..100).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    let order = c.bulk(in_queue(PLAIN), BulkAction::Close);
    c.ok(&Command::Tick);
    c.supervise(Order::CancelBulk(order)).expect("cancelled");
    c.passes(5);
    let bulk = c.engine.bulks().last().unwrap();
    assert_eq!((bulk.done, bulk.cancelled, bulk.contacts.len()), (64, true, 0));
    assert_eq!(c.engine.contacts().count(), contacts.len() - 64);
    assert_eq!(c.supervise(Order::CancelBulk(order)), Err(Refusal::NoSuchOrder(order)));
}

#[test]
fn what_no_order_about_many_can_be_is_refused() {
    let mut c = Center::new();
    let contact = c.arrives(Channel::Chat, PLAIN);
    let mut ask = |contacts: Vec<ContactId>, action| {
        c.supervise(Order::Bulk { filter: Filter::default(), action, contacts: contacts.into() })
    };
    let field = |no: Result<Reply, Refusal>| no.expect_err("refused").field();
    assert_eq!(field(ask(vec![], BulkAction::Close)), "contacts");
    assert_eq!(field(ask(vec![contact; MOST_IN_BULK + 1], BulkAction::Close)), "contacts");
    assert_eq!(field(ask(vec![contact], BulkAction::Move(QueueId(9)))), "queue");
    let long = BulkAction::Reprioritise(Span::seconds(90_000));
    assert_eq!(field(ask(vec![contact], long)), "head_start");
    for _ in 0..MOST_BULKS {
        ask(vec![contact], BulkAction::Requeue).expect("one of many");
    }
    let full = ask(vec![contact], BulkAction::Requeue).expect_err("too many");
    assert!(matches!(full, Refusal::Limit { .. }));
}

#[test]
fn an_order_goes_on_where_it_was_after_a_restart() {
    let mut c = Center::new();
    for _ in 0..100 {
        c.arrives(Channel::Chat, PLAIN);
    }
    let order = c.bulk(in_queue(PLAIN), BulkAction::Move(SKILLED));
    c.ok(&Command::Tick);
    let image = c.engine.image();
    c.engine = crate::engine::Engine::restore(&image).expect("the same");
    assert_eq!(c.engine.next_tick(), Some(EngineTime::ZERO), "at once");
    c.ok(&Command::Tick);
    let bulk = c.engine.bulks().find(|b| b.id == order).unwrap();
    assert_eq!((bulk.done, bulk.over.is_some()), (100, true));
}
