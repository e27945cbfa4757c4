//! What is owed to customers, where it meets everything else that happens to a contact: calls
//! that go on, agents who leave, links, reloads and lines that break.

use super::callbacks::{center, policy};
use super::care::{EVE, links};
use super::promises::{at, pledge, with};
use super::*;
use crate::engine::callback::{
    CallHours, CallbackPolicy, DialMode, DialOutcome, Exhausted, Phase, Wanted,
};
use crate::engine::care::QueueCare;
use crate::engine::day::{Direction, Hands, OutsideReport};
use crate::engine::event::EffectKind;
use crate::engine::promise::{PromiseKind, PromiseSettings};

const SOON: Wanted = Wanted { window: None, hours: None };

impl Center {
    /// A call whose number is confirmed, with Anne.
    fn known_call(&mut self) -> ContactId {
        self.ready(ANNE);
        let call = self.arrives(Channel::Voice, PLAIN);
        self.confirms(call, true);
        self.answer(call);
        call
    }

    fn confirms(&mut self, contact: ContactId, confirmed: bool) {
        self.report(Report::NumberConfirmed { contact, confirmed }).expect("taken");
    }

    /// Made, kept, broken, late.
    fn owed(&self, kind: PromiseKind) -> [u64; 4] {
        let n = self.counts(kind);
        [n.made, n.kept, n.broken, n.late]
    }

    fn joined(&mut self, contact: ContactId) {
        let reservation = self.reservation(contact);
        self.report(Report::Bridged(reservation)).expect("bridged");
    }

    /// A callback that is being dialled for Anne, with Bob free for it as well.
    fn dialled_for_anne(&mut self) -> ContactId {
        self.ready(ANNE);
        let call = self.arrives(Channel::Voice, PLAIN);
        self.wants(call, SOON).expect("promised");
        self.ready(BOB);
        if self.state(call).kind() == StateKind::Reserved {
            self.accept(call);
        }
        assert_eq!(self.state(call).kind(), StateKind::Connecting);
        call
    }

    fn is_dialled(&self, contact: ContactId) -> bool {
        let effects = &self.engine.contact(contact).expect("open").effects;
        effects.iter().any(|(_, kind)| matches!(kind, EffectKind::Dial { .. }))
    }
}

/// Within the lead, so that it falls due while they still talk.
#[test]
fn what_is_promised_in_a_call_is_neither_kept_nor_broken_by_ending_it() {
    for hangs_up in [false, true] {
        let mut c = with(PromiseSettings::default());
        let call = c.known_call();
        c.promised(ANNE, pledge(call, PromiseKind::FollowUp, 600));
        c.passes(30);
        if hangs_up {
            c.goes(call);
        } else {
            c.complete(call);
        }
        assert_eq!(c.owed(PromiseKind::FollowUp), [1, 0, 0, 0], "nobody was called yet");
        c.passes(1);
        let follow_up = c.follow_up_of(call);
        c.dialled(follow_up, DialOutcome::Answered);
        c.joined(follow_up);
        assert_eq!(c.owed(PromiseKind::FollowUp), [1, 1, 0, 0]);
    }
}

#[test]
fn a_promise_that_falls_due_in_the_call_in_which_it_was_made_is_late_and_still_kept() {
    let mut c = with(PromiseSettings::default());
    let call = c.known_call();
    c.promised(ANNE, pledge(call, PromiseKind::FollowUp, 60));
    c.passes(61);
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 0, 0, 1]);
    // Back on the line they still are the one who was promised a call.
    c.act(ANNE, Act::Requeue(call)).expect("requeued");
    c.goes(call);
    c.passes(1);
    let follow_up = c.follow_up_of(call);
    c.dialled(follow_up, DialOutcome::Answered);
    c.joined(follow_up);
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 1, 0, 1]);
}

#[test]
fn a_letter_that_waits_takes_its_promise_over_once_nobody_has_it() {
    let mut c = with(PromiseSettings::default());
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    let promise = c.promised(ANNE, pledge(chat, PromiseKind::Reply, 600));
    c.passes(10);
    let (on, lasting) = (WaitsFor::Customer, Span::seconds(3_600));
    c.act(ANNE, Act::Pend { contact: chat, on, lasting }).expect("pending");
    assert_eq!(c.held_for(chat), Some(ANNE), "it is due, and hers again");
    c.answer(chat);
    c.complete(chat);
    assert_eq!(c.owed(PromiseKind::Reply), [1, 1, 0, 0]);
    assert!(c.engine.promise(promise).is_none());
}

#[test]
fn one_who_leaves_the_chat_in_which_it_was_to_be_kept_is_written_to() {
    let mut c = with(PromiseSettings::default());
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    c.promised(ANNE, pledge(chat, PromiseKind::FollowUp, 600));
    c.passes(10);
    c.act(ANNE, Act::Requeue(chat)).expect("requeued");
    c.goes(chat);
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 0, 0, 0], "they have heard nothing");
    c.passes(1);
    let follow_up = c.follow_up_of(chat);
    c.answer(follow_up);
    c.complete(follow_up);
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 1, 0, 0]);
}

#[test]
fn a_follow_up_that_falls_due_in_a_surge_is_made() {
    let mut c = with(PromiseSettings::default());
    c.ready(ANNE);
    for _ in 0..8 {
        let call = c.arrives(Channel::Voice, PLAIN);
        c.answer(call);
        c.passes(900);
        c.complete(call);
    }
    let call = c.arrives(Channel::Voice, PLAIN);
    c.confirms(call, true);
    c.answer(call);
    c.promised(ANNE, pledge(call, PromiseKind::FollowUp, 9_000));
    let waits: Vec<_> = (0..60).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    let full = c.wants(waits[59], SOON);
    assert!(matches!(full, Err(Refusal::NoRoom { .. })), "{full:?}");
    c.complete(call);
    c.answer(waits[0]);
    c.passes(1_000);
    let follow_up = c.follow_up_of(call);
    assert_eq!(c.state(follow_up), State::CallbackDue);
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 0, 0, 0]);
}

#[test]
fn a_follow_up_whose_queue_makes_no_calls_any_more_is_a_supervisors() {
    let mut c = with(PromiseSettings::default());
    let call = c.known_call();
    c.promised(ANNE, pledge(call, PromiseKind::FollowUp, 3_600));
    c.complete(call);
    c.edit_queue(PLAIN, |q| q.callback = None);
    c.passes(2_700);
    let follow_up = c.follow_up_of(call);
    assert!(matches!(c.phase(follow_up), Phase::Exhausted(_)), "{:?}", c.phase(follow_up));
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 0, 0, 0]);
    c.supervise(Order::CallNow { contact: follow_up, agent: None }).expect("called");
    c.accept(follow_up);
    c.dialled(follow_up, DialOutcome::Answered);
    c.joined(follow_up);
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 1, 0, 0]);
}

#[test]
fn who_was_held_back_for_a_call_goes_on_when_that_is_promised_a_callback() {
    let mut c = links();
    c.edit_queue(PLAIN, |q| q.callback = Some(Arc::default()));
    c.ready(ANNE);
    let call = c.from(EVE, Channel::Voice, PLAIN);
    c.confirms(call, true);
    c.answer(call);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    let held_for = |c: &Center| c.engine.contact(chat).expect("open").care.held_for();
    assert_eq!(held_for(&c), Some(call));
    let hours = Some(CallHours { from: at(3_600), lasting: Span::seconds(3_600) });
    let wanted = Wanted { window: None, hours };
    c.act(ANNE, Act::CallBack { contact: call, wanted }).expect("promised");
    assert_eq!((held_for(&c), c.held_for(chat)), (None, Some(ANNE)));
}

#[test]
fn a_callback_that_is_completed_with_the_call_they_made_themselves_is_kept() {
    let mut c = links();
    c.edit_queue(PLAIN, |q| q.callback = Some(Arc::default()));
    let first = c.from(EVE, Channel::Voice, PLAIN);
    c.wants(first, SOON).expect("promised");
    c.passes(5);
    let second = c.from(EVE, Channel::Chat, PLAIN);
    c.supervise(Order::Reprioritise { contact: second, head_start: Span::seconds(60) })
        .expect("first");
    c.edit(|routing| routing.agents[BOB.index()].capacity = [0, 1, 0, 0]);
    c.ready(BOB);
    c.answer(second);
    let others = [first].into_iter().collect();
    let act = Act::CompleteTogether { contact: second, others, disposition: None };
    c.act(BOB, act).expect("both");
    assert_eq!(c.owed(PromiseKind::Callback), [1, 1, 0, 0]);
}

#[test]
fn a_reload_or_a_move_breaks_no_callback() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    let calls: Vec<_> = (0..2).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    for call in &calls {
        c.wants(*call, SOON).expect("promised");
    }
    c.edit_queue(PLAIN, |q| q.callback = None);
    c.supervise(Order::Move { contact: calls[1], queue: SKILLED }).expect("moved");
    c.ready(ANNE);
    c.ready(CLEO);
    for call in calls {
        assert!(c.is_dialled(call), "the customer first, as it was promised");
        c.dialled(call, DialOutcome::Busy);
        assert_eq!(c.phase(call), Phase::Held { until: at(60) }, "and again after a minute");
    }
}

#[test]
fn a_phone_that_may_ring_does_not_ring_again_at_once_for_somebody_else() {
    type Takes = fn(&mut Center, ContactId);
    let signs_out: Takes = |c, _| {
        let (after, hands) = (Some(Span::ZERO), Hands::Requeue);
        c.supervise(Order::SignOut { agent: ANNE, after, hands }).expect("signed out");
    };
    let requeues: Takes = |c, contact| {
        c.supervise(Order::Requeue(contact)).expect("requeued");
    };
    let promises: Takes = |c, contact| {
        c.supervise(Order::CallBack { contact, wanted: SOON }).expect("promised anew");
    };
    for mode in [DialMode::AgentFirst, DialMode::CustomerFirst] {
        for takes in [signs_out, requeues, promises] {
            let mut c = center(&policy(mode));
            let call = c.dialled_for_anne();
            takes(&mut c, call);
            assert!(!c.is_dialled(call), "it rang a moment ago");
            let until = at(c.now + 60);
            assert_eq!(c.phase(call), Phase::Held { until }, "as a line that does not work");
            let tried = c.engine.contact(call).and_then(|c| c.callback.as_deref()).expect("one");
            assert_eq!(tried.tried[DialOutcome::Congestion.index()], 1);
            c.passes(60);
            assert!(c.held_for(call).is_some(), "then for whoever is free");
        }
    }
}

#[test]
fn a_follow_up_call_that_is_lost_is_made_again() {
    let mut c = with(PromiseSettings::default());
    let call = c.known_call();
    c.promised(ANNE, pledge(call, PromiseKind::FollowUp, 1_000));
    c.complete(call);
    c.passes(100);
    let follow_up = c.follow_up_of(call);
    c.dialled(follow_up, DialOutcome::Answered);
    c.report(Report::CallLost(follow_up)).expect("taken");
    assert_eq!(c.state(follow_up), State::CallbackDue, "they had answered, and are gone");
    c.passes(60);
    c.dialled(follow_up, DialOutcome::Answered);
    c.joined(follow_up);
    c.report(Report::CallLost(follow_up)).expect("taken");
    let lost = c.engine.contact(follow_up).and_then(|c| c.callback.as_deref());
    assert!(lost.is_some_and(|cb| cb.phase != Phase::Done), "nobody talks any more: {lost:?}");
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 1, 0, 0]);
    assert_eq!(c.owed(PromiseKind::Callback), [1, 0, 0, 0]);
}

#[test]
fn a_follow_up_call_that_a_gateway_does_not_name_is_lost_like_any_other() {
    let mut c = with(PromiseSettings::default());
    let call = c.known_call();
    c.promised(ANNE, pledge(call, PromiseKind::FollowUp, 1_000));
    c.complete(call);
    c.passes(100);
    let follow_up = c.follow_up_of(call);
    c.dialled(follow_up, DialOutcome::Answered);
    c.joined(follow_up);
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: SAYS });
    c.passes(0);
    c.report(Report::Holding { keys: Vec::new(), last: true }).expect("resynced");
    c.passes(0);
    assert_eq!(c.owed(PromiseKind::Callback), [1, 0, 0, 0], "they are called again");
}

#[test]
fn an_agent_on_another_phone_is_not_kept_for_a_call_that_rings() {
    let began = OutsideReport::Began(Direction::Inbound);
    let outside = |c: &mut Center| {
        let key = Arc::from("private");
        c.report(Report::OutsideCall { agent: ANNE, key, now: began }).expect("told");
    };
    let mut c = center(&policy(DialMode::CustomerFirst));
    let call = c.dialled_for_anne();
    outside(&mut c);
    assert!(!c.is_dialled(call), "her phone is busy: {:?}", c.state(call));
    assert!(matches!(c.phase(call), Phase::Held { .. }));
    let mut c = center(&policy(DialMode::CustomerFirst));
    let call = c.dialled_for_anne();
    c.dialled(call, DialOutcome::Answered);
    outside(&mut c);
    assert_eq!(c.held_for(call), Some(BOB), "who has answered is not hung up on");
    assert!(!c.engine.agent(ANNE).expect("there").phone_unreachable);
}

#[test]
fn who_answered_and_cannot_be_joined_waits_on_the_line() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    let call = c.dialled_for_anne();
    let place = c.place(call);
    c.dialled(call, DialOutcome::Answered);
    let (effect, _) = c.engine.contact(call).expect("open").effects[0];
    c.report(Report::EffectFailed { effect, code: 503 }).expect("taken");
    assert_eq!((c.phase(call), c.place(call)), (Phase::OnLine, place));
    assert_eq!(c.held_for(call), Some(BOB), "somebody else");
    let callback = c.engine.contact(call).and_then(|c| c.callback.as_deref()).expect("one");
    assert_eq!(callback.tried[DialOutcome::NoAnswer.index()], 0, "they did answer");
}

#[test]
fn a_number_that_is_denied_is_not_called() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, SOON).expect("promised");
    let ringing = c.arrives(Channel::Voice, PLAIN);
    c.confirms(call, false);
    assert_eq!(c.phase(call), Phase::Exhausted(Exhausted::Invalid));
    c.wants(ringing, SOON).expect("promised");
    c.ready(ANNE);
    assert!(c.is_dialled(ringing) && c.held_for(call).is_none());
    c.confirms(ringing, false);
    assert!(!c.is_dialled(ringing), "whoever it is did not ask for it");
    assert_eq!(c.phase(ringing), Phase::Exhausted(Exhausted::Invalid));
    c.confirms(call, true);
    assert!(c.is_dialled(call), "another number is confirmed, and she is free");
}

#[test]
fn a_follow_up_to_a_number_that_is_denied_is_a_supervisors() {
    let mut c = with(PromiseSettings::default());
    let call = c.known_call();
    c.promised(ANNE, pledge(call, PromiseKind::FollowUp, 3_600));
    c.confirms(call, false);
    c.complete(call);
    c.passes(2_700);
    let follow_up = c.follow_up_of(call);
    assert_eq!(c.phase(follow_up), Phase::Exhausted(Exhausted::Invalid));
    assert_eq!(c.owed(PromiseKind::FollowUp), [1, 0, 0, 0]);
}

#[test]
fn nobody_is_cut_off_by_a_callback_that_an_agent_promises() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let call = c.known_call();
    let act = Act::AddParticipant { contact: call, name: Arc::from("her son") };
    c.act(ANNE, act).expect("asked");
    let (effect, _) = c.engine.contact(call).expect("open").effects[0];
    c.report(Report::EffectDone(effect)).expect("he is on");
    let refused = c.act(ANNE, Act::CallBack { contact: call, wanted: SOON });
    assert_eq!(refused, Err(Refusal::OthersThere(call)));
    c.report(Report::CallLost(call)).expect("taken");
    assert!(c.engine.contact(call).is_some_and(|c| c.participants.all.is_empty()), "it is gone");
}

#[test]
fn what_does_not_stand_in_line_cannot_be_pulled_or_requeued() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    c.ready(ANNE);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.answer(call);
    c.confirms(call, true);
    c.act(ANNE, Act::CallBack { contact: call, wanted: SOON }).expect("promised");
    c.dialled(call, DialOutcome::Busy);
    assert!(matches!(c.phase(call), Phase::Held { .. }));
    for order in [Order::Pull { contact: call, agent: ANNE }, Order::Requeue(call)] {
        let refused = c.supervise(order);
        assert!(matches!(refused, Err(Refusal::WrongState { is: "held", .. })), "{refused:?}");
    }
    c.supervise(Order::CallNow { contact: call, agent: None }).expect("called");
    assert!(c.is_dialled(call));
}

#[test]
fn nobody_is_said_to_be_lost_who_was_not_on_the_line() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let waits = c.arrives(Channel::Voice, PLAIN);
    c.wants(waits, SOON).expect("promised");
    c.report(Report::CallLost(waits)).expect("their first call, reported late");
    assert!(!c.events.contains(&Event::CallLost(waits)), "{:?}", c.events);
    assert_eq!(c.state(waits), State::CallbackDue);
    let talks = c.arrives(Channel::Voice, PLAIN);
    c.report(Report::CallLost(talks)).expect("taken");
    assert!(c.events.contains(&Event::CallLost(talks)));
}

#[test]
fn a_follow_up_is_linked_with_what_else_the_customer_has() {
    let mut c = with(PromiseSettings::default());
    let hold_linked = Span::seconds(100);
    c.edit_queue(PLAIN, |q| q.care = QueueCare { link: true, hold_linked, ..QueueCare::default() });
    c.ready(ANNE);
    let letter = c.from(EVE, Channel::Email, PLAIN);
    c.answer(letter);
    c.supervise(Order::Promise(pledge(letter, PromiseKind::Reply, 3_600))).expect("promised");
    c.complete(letter);
    c.passes(2_600);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    c.answer(chat);
    c.ready(BOB);
    c.passes(100);
    let follow_up = c.follow_up_of(letter);
    let held_for = c.engine.contact(follow_up).and_then(|c| c.care.held_for());
    assert_eq!((held_for, c.held_for(follow_up)), (Some(chat), None), "not a second agent");
}

#[test]
fn lost_calls_of_one_queue_take_no_turns_of_another() {
    let slow = CallbackPolicy { lost_per_minute: 1, ..policy(DialMode::CustomerFirst) };
    let mut c = center(&slow);
    c.edit_queue(SAFETY, |q| q.callback = Some(Arc::new(slow.clone())));
    let calls: Vec<_> = (0..70).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    for call in &calls {
        c.confirms(*call, true);
        c.report(Report::CallLost(*call)).expect("taken");
    }
    let due = |c: &Center, contact| {
        c.engine.contact(contact).and_then(|c| c.callback.as_deref()).expect("one").due
    };
    assert_eq!(due(&c, calls[0]), Some(at(3_600)));
    assert_eq!(due(&c, calls[60]), Some(at(7_200)), "an hour after its turn");
    assert_eq!(due(&c, calls[61]), None, "no time is promised beyond that");
    let other = c.arrives(Channel::Voice, SAFETY);
    c.confirms(other, true);
    c.report(Report::CallLost(other)).expect("taken");
    assert_eq!(due(&c, other), Some(at(3_600)), "it is the first of its queue");
}

#[test]
fn a_phone_that_rings_over_a_restart_has_its_whole_time_again() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    let call = c.dialled_for_anne();
    c.ok(&Command::Restart { gap: Span::seconds(5), missed: Span::ZERO });
    // 15 s to join the legs and 30 s to ring.
    c.passes(44);
    assert!(c.is_dialled(call), "{:?}", c.state(call));
    c.passes(1);
    assert!(!c.is_dialled(call), "the gateway has forgotten it");
}

#[test]
fn a_phone_of_which_nothing_is_heard_is_hung_up_before_it_is_called_again() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    c.dialled_for_anne();
    c.now += 45;
    c.ok(&Command::Tick);
    let told = c.told(Recipient::Gateway(GATE));
    assert!(told.iter().any(|t| matches!(t, Tell::EffectWithdrawn { .. })), "{told:?}");
}
