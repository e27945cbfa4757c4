//! Callbacks: places are kept, promises have room, and nobody is called for whom no agent is
//! free.

use super::*;
use crate::engine::callback::{
    CallHours, CallbackPolicy, DialMode, DialOutcome, Exhausted, Phase, Retry, SLOT, Wanted, Window,
};
use crate::engine::event::EffectKind;
use crate::engine::promise::{PromiseCounts, PromiseKind};
use crate::engine::words::ServiceClass;
use crate::ids::PromiseId;

const SOON: Wanted = Wanted { window: None, hours: None };

pub(super) fn policy(mode: DialMode) -> CallbackPolicy {
    let mut policy = CallbackPolicy { mode, per_hour: 40, share: 50, ..CallbackPolicy::default() };
    policy.retry[DialOutcome::Busy.index()] = Retry { after: Span::seconds(60), most: 2 };
    policy
}

/// A center whose plain queue makes callbacks.
pub(super) fn center(policy: &CallbackPolicy) -> Center {
    let mut c = Center::new();
    let mut routing = Routing::clone(c.engine.routing());
    routing.queues[PLAIN.index()].callback = Some(Arc::new(policy.clone()));
    c.ok(&Command::Configure(Arc::new(routing)));
    c
}

fn at(seconds: u64) -> EngineTime {
    EngineTime::ZERO + Span::seconds(seconds)
}

fn window(from: u64, until: u64) -> Wanted {
    Wanted { window: Some(Window { from: at(from), until: at(until) }), hours: None }
}

impl Center {
    pub(super) fn wants(&mut self, contact: ContactId, wanted: Wanted) -> Result<Reply, Refusal> {
        self.report(Report::CallbackWanted { contact, confirmed: true, wanted })
    }

    pub(super) fn phase(&self, contact: ContactId) -> Phase {
        self.engine.contact(contact).and_then(|c| c.callback.as_deref()).expect("one").phase
    }

    fn dial(&self, contact: ContactId) -> EffectId {
        let effects = &self.engine.contact(contact).expect("open").effects;
        let dial = effects.iter().find(|(_, kind)| matches!(kind, EffectKind::Dial { .. }));
        dial.expect("being dialled").0
    }

    pub(super) fn dialled(&mut self, contact: ContactId, outcome: DialOutcome) {
        let effect = self.dial(contact);
        self.report(Report::Dialled { effect, outcome, code: 0 }).expect("taken");
    }

    pub(super) fn counts(&self, kind: PromiseKind) -> PromiseCounts {
        self.engine.owed_counts().promises[kind.index()]
    }
}

#[test]
fn a_callback_keeps_its_place_and_is_dialled_when_an_agent_takes_it() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let first = c.arrives(Channel::Voice, PLAIN);
    let second = c.arrives(Channel::Voice, PLAIN);
    let third = c.arrives(Channel::Voice, PLAIN);
    let place = c.engine.contact(second).unwrap().place;
    let promised = c.wants(second, SOON);
    assert!(matches!(promised, Ok(Reply::Promised { promise: PromiseId(1), .. })));
    assert_eq!(c.state(second), State::CallbackDue);
    c.report(Report::CustomerLeft(second)).expect("they may hang up: we call them");
    assert_eq!(c.state(second), State::CallbackDue);
    c.ready(ANNE);
    assert_eq!(c.held_for(first), Some(ANNE));
    c.answer(first);
    c.complete(first);
    assert_eq!((c.held_for(second), c.held_for(third)), (None, Some(ANNE)), "it has time");
    c.answer(third);
    // One was before it, who takes 90 s: twice that is promised.
    c.passes(181);
    assert!(matches!(c.phase(second), Phase::Pressing { .. }), "{:?}", c.phase(second));
    let fourth = c.arrives(Channel::Voice, PLAIN);
    c.complete(third);
    assert_eq!((c.held_for(second), c.held_for(fourth)), (Some(ANNE), None), "it came before");
    let offered = c.told(Recipient::Agent(ANNE));
    let told = |t: &Tell| matches!(t, Tell::Offer(offer) if offer.callback.is_some());
    assert!(offered.iter().any(told), "the agent sees that it is a callback: {offered:?}");
    c.accept(second);
    assert_eq!(c.state(second).kind(), StateKind::Connecting);
    let dial = |t: &Tell| matches!(t, Tell::Dial { mode: DialMode::AgentFirst, .. });
    assert!(c.told(Recipient::Gateway(GATE)).iter().any(dial));
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 1);
    c.dialled(second, DialOutcome::Answered);
    let reservation = c.reservation(second);
    c.report(Report::Bridged(reservation)).expect("bridged");
    assert_eq!(c.engine.contact(second).unwrap().place, place);
    let waited = Span::seconds(181);
    let kept = PromiseCounts { made: 1, kept: 1, waited, ..PromiseCounts::default() };
    assert_eq!(c.counts(PromiseKind::Callback), kept);
    c.complete(second);
    assert_eq!(c.held_for(fourth), Some(ANNE));
}

#[test]
fn who_keeps_their_place_is_called_behind_the_line_until_their_slack_runs_out() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let before: Vec<_> = (0..10).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    let call = c.arrives(Channel::Voice, PLAIN);
    let Ok(Reply::Promised { due: Some(due), .. }) = c.wants(call, SOON) else { panic!("no time") };
    assert!(matches!(c.phase(call), Phase::Patient { .. }), "{:?}", c.phase(call));
    // Whoever was before it gives up: its turn by its place has come, and it has more time.
    before.into_iter().for_each(|call| c.goes(call));
    while matches!(c.phase(call), Phase::Patient { .. }) {
        c.passes(1);
    }
    assert!(matches!(c.phase(call), Phase::Pressing { .. }), "{:?}", c.phase(call));
    // 10 s to be asked, 15 to be joined and 30 to ring, twice.
    let left = due.since(c.at()).0 / 1_000_000;
    assert!((105..=110).contains(&left), "{left} s");
    // One whom nobody could promise a time has nothing else to go by than its place.
    let unknown = CallbackPolicy { per_hour: 0, ..policy(DialMode::AgentFirst) };
    let mut c = center(&unknown);
    let call = c.arrives(Channel::Voice, PLAIN);
    assert!(matches!(c.wants(call, SOON), Ok(Reply::Promised { due: None, .. })));
    assert!(matches!(c.phase(call), Phase::Pressing { .. }));
}

#[test]
fn who_is_promised_a_call_is_promised_it_after_those_who_were_before() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let mut calls = Vec::new();
    for _ in 0..40 {
        calls.push(c.arrives(Channel::Voice, PLAIN));
        c.passes(1);
    }
    let dues: Vec<_> = (calls.iter())
        .map(|call| match c.wants(*call, SOON) {
            Ok(Reply::Promised { due: Some(due), .. }) => due,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(dues.is_sorted(), "{dues:?}");
    // 40 an hour, and half of that is promised: 39 are before the last.
    let last = dues[39].0 / 1_000_000;
    assert!((7_020..=7_200).contains(&last), "{last}");
}

#[test]
fn what_is_missing_is_said() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let call = c.arrives(Channel::Voice, PLAIN);
    let report = Report::CallbackWanted { contact: call, confirmed: false, wanted: SOON };
    assert_eq!(c.report(report.clone()), Err(Refusal::NoNumber(call)));
    c.report(Report::NumberConfirmed { contact: call, confirmed: true }).expect("taken");
    assert!(c.report(report).is_ok(), "it was confirmed before");
    let other = c.arrives(Channel::Voice, SKILLED);
    assert_eq!(c.wants(other, SOON), Err(Refusal::NoCallbacks(Arc::from("skilled"))));
    let chat = c.arrives(Channel::Chat, PLAIN);
    assert!(matches!(c.wants(chat, SOON), Err(Refusal::WrongState { is: "chat", .. })));
    let late = c.arrives(Channel::Voice, PLAIN);
    c.passes(100);
    let over = Refusal::OutOfRange {
        field: "window",
        expected: "ahead, its end after its beginning, within 14 days",
    };
    assert_eq!(c.wants(late, window(0, 100)), Err(over));
}

#[test]
fn promises_end_where_the_staff_ends_and_the_next_window_is_named() {
    // 40 an hour, half of it: 5 in a quarter of an hour.
    let mut c = center(&policy(DialMode::AgentFirst));
    let quarter = SLOT.0 / 1_000_000;
    let wanted = window(4 * quarter, 5 * quarter);
    for _ in 0..5 {
        let call = c.arrives(Channel::Voice, PLAIN);
        let due = Some(at(5 * quarter));
        assert!(matches!(c.wants(call, wanted), Ok(Reply::Promised { due: d, .. }) if d == due));
    }
    let call = c.arrives(Channel::Voice, PLAIN);
    let queue = Arc::from("plain");
    let next = Some(at(5 * quarter).since(c.at()));
    assert_eq!(c.wants(call, wanted), Err(Refusal::NoRoom { queue, next }));
    assert_eq!(c.state(call), State::Queued, "nothing changed");
    let wider = window(4 * quarter, 6 * quarter);
    let due = Some(at(6 * quarter));
    assert!(matches!(c.wants(call, wider), Ok(Reply::Promised { due: d, .. }) if d == due));
}

#[test]
fn no_time_is_promised_where_nobody_knows_how_fast_they_are_served() {
    let unknown = CallbackPolicy { per_hour: 0, ..policy(DialMode::AgentFirst) };
    let mut c = center(&unknown);
    let call = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(c.wants(call, window(600, 9_000)), Err(Refusal::NoRate(Arc::from("plain"))));
    assert!(matches!(c.wants(call, SOON), Ok(Reply::Promised { due: None, .. })));
}

#[test]
fn those_on_the_line_go_first_until_the_time_runs_out() {
    let mut c = center(&policy(DialMode::AgentFirst));
    c.ready(ANNE);
    let busy = c.arrives(Channel::Voice, PLAIN);
    c.answer(busy);
    let later = c.arrives(Channel::Voice, PLAIN);
    c.wants(later, window(0, 1_800)).expect("promised");
    assert_eq!(c.engine.contact(later).unwrap().service, ServiceClass::Async);
    let live = c.arrives(Channel::Voice, PLAIN);
    c.complete(busy);
    assert_eq!((c.held_for(live), c.held_for(later)), (Some(ANNE), None), "it has time");
    c.answer(live);
    // Within a quarter of an hour, less twice what one call takes at most.
    c.passes(790);
    assert!(matches!(c.phase(later), Phase::Pressing { .. }), "{:?}", c.phase(later));
    let live = c.arrives(Channel::Voice, PLAIN);
    let done = c.engine.agent(ANNE).unwrap().work[0].contact;
    c.complete(done);
    assert_eq!((c.held_for(later), c.held_for(live)), (Some(ANNE), None), "it came before");
}

#[test]
fn an_agent_who_would_be_idle_makes_a_callback_that_has_time() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, window(0, 1_800)).expect("promised");
    c.ready(ANNE);
    assert_eq!(c.held_for(call), Some(ANNE));
}

#[test]
fn customers_are_called_for_agents_who_are_free_and_never_more_of_them() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    let calls: Vec<_> = (0..4).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    for call in &calls {
        c.wants(*call, SOON).expect("promised");
    }
    c.ready(ANNE);
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 1);
    c.ready(BOB);
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 2);
    assert_eq!(c.state(calls[0]).kind(), StateKind::Connecting, "she was not asked");
    c.dialled(calls[0], DialOutcome::Busy);
    assert!(matches!(c.phase(calls[0]), Phase::Held { .. }));
    assert_eq!(c.held_for(calls[2]), Some(ANNE), "she is free for the next");
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 2);
    c.dialled(calls[2], DialOutcome::Answered);
    // Her phone does not ring: who has answered our call waits on the line, by their place.
    let (reservation, place) = (c.reservation(calls[2]), c.engine.contact(calls[2]).unwrap().place);
    let (party, outcome) = (Party::Agent, LegOutcome::NoAnswer);
    c.report(Report::Leg { reservation, party, outcome, code: 480 }).expect("taken");
    assert_eq!(c.state(calls[2]), State::Queued);
    assert_eq!(c.engine.contact(calls[2]).unwrap().place, place);
    c.ready(CLEO);
    assert_eq!(c.held_for(calls[2]), Some(CLEO), "asked, like anybody on the line");
    assert_eq!(c.state(calls[2]).kind(), StateKind::Reserved);
    // They hang up before she takes it: that is no abandoned call, they are called again.
    c.report(Report::CustomerLeft(calls[2])).expect("taken");
    assert_eq!(c.state(calls[2]), State::CallbackDue);
    assert_eq!(c.engine.in_state(StateKind::Closed), 0);
}

#[test]
fn who_is_not_reached_is_tried_as_the_table_says_and_then_a_supervisors() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    c.ready(ANNE);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.answer(call);
    assert!(matches!(
        c.act(ANNE, Act::CallBack { contact: call, wanted: SOON }),
        Err(Refusal::NoNumber(_))
    ));
    c.report(Report::NumberConfirmed { contact: call, confirmed: true }).expect("taken");
    c.act(ANNE, Act::CallBack { contact: call, wanted: SOON }).expect("promised");
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 1, "she is free, and it has her at once");
    c.dialled(call, DialOutcome::Busy);
    c.passes(59);
    assert_eq!(c.engine.callbacks(PLAIN).held, 1);
    c.passes(1);
    c.dialled(call, DialOutcome::Busy);
    assert_eq!(c.phase(call), Phase::Exhausted(Exhausted::Tried));
    c.passes(10_000);
    assert_eq!(c.engine.callbacks(PLAIN).exhausted, 1, "nobody dials by itself");
    c.supervise(Order::CallNow { contact: call, agent: Some(ANNE) }).expect("once more");
    c.dialled(call, DialOutcome::Invalid);
    let never = Err(Refusal::InvalidNumber(call));
    assert_eq!(c.supervise(Order::CallNow { contact: call, agent: None }), never);
    assert_eq!(c.supervise(Order::CallBack { contact: call, wanted: SOON }), never);
    c.supervise(Order::Close(call)).expect("closed");
    let n = c.counts(PromiseKind::Callback);
    assert_eq!((n.made, n.kept, n.broken), (1, 0, 1));
}

#[test]
fn nobody_is_called_at_night() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    c.ready(ANNE);
    let hours = Some(CallHours { from: at(3_600), lasting: Span::seconds(3_600) });
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, Wanted { window: None, hours }).expect("promised");
    assert_eq!(c.phase(call), Phase::OffHours { until: at(3_600) });
    c.passes(3_600);
    c.dialled(call, DialOutcome::NoAnswer);
    c.passes(1_800);
    c.dialled(call, DialOutcome::NoAnswer);
    // The next one would be at 2 o'clock; they may be called from 1 to 2.
    assert_eq!(c.phase(call), Phase::Held { until: at(7_200) });
    c.passes(23 * 3_600 - 1);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(25 * 3_600) });
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 0);
    // Nobody is there in the morning: at the end of their hours they leave the line.
    c.act(ANNE, Act::Become(Availability::NotReady(ReasonId(2)))).expect("not ready");
    c.passes(1_900);
    assert!(matches!(c.phase(call), Phase::Pressing { .. }), "{:?}", c.phase(call));
    c.passes(3_600);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(49 * 3_600) });
}

#[test]
fn who_takes_a_callback_after_its_hours_calls_nobody() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let hours = Some(CallHours { from: at(0), lasting: Span::seconds(60) });
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, Wanted { window: None, hours }).expect("promised");
    c.passes(55);
    c.ready(ANNE);
    let reservation = c.reservation(call);
    c.passes(6);
    c.act(ANNE, Act::Accept(reservation)).expect("taken");
    assert_eq!(
        (c.phase(call), c.held_for(call)),
        (Phase::OffHours { until: at(24 * 3_600) }, None)
    );
    assert!(c.engine.contact(call).expect("owed").effects.is_empty());
    let anne = c.engine.agent(ANNE).expect("there");
    assert_eq!((anne.missed, anne.availability), (0, Availability::Ready), "no fault of hers");
}

#[test]
fn a_window_that_is_over_is_a_supervisors() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, window(60, 1_000)).expect("promised");
    c.passes(999);
    assert!(matches!(c.phase(call), Phase::Pressing { .. }));
    c.passes(1);
    assert_eq!(c.phase(call), Phase::Exhausted(Exhausted::TooLate));
    c.ready(ANNE);
    assert_eq!(c.held_for(call), None);
    c.passes(1);
    assert_eq!(c.counts(PromiseKind::Callback).late, 1);
}

#[test]
fn calls_that_are_reported_lost_are_called_back_one_after_the_other() {
    let slow = CallbackPolicy { lost_per_minute: 2, ..policy(DialMode::CustomerFirst) };
    let mut c = center(&slow);
    let calls: Vec<_> = (0..4).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    for call in &calls[..3] {
        c.report(Report::NumberConfirmed { contact: *call, confirmed: true }).expect("taken");
    }
    c.ready(ANNE);
    c.answer(calls[0]);
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: SAYS });
    c.report(Report::Holding { keys: Vec::new(), last: true }).expect("it holds none of them");
    c.passes(0);
    assert!(c.engine.contact(calls[3]).is_none(), "without a number it is over");
    assert_eq!(c.held_for(calls[0]), Some(ANNE), "she had it, and calls at once");
    assert_eq!(c.engine.callbacks(PLAIN).held, 2);
    c.passes(30);
    assert_eq!(c.engine.callbacks(PLAIN).held, 1, "two a minute");
    let n = c.counts(PromiseKind::Callback);
    assert_eq!((n.made, n.kept, n.broken), (3, 0, 0));
}

#[test]
fn a_gateway_that_comes_back_makes_the_calls_of_the_one_that_went() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, SOON).expect("promised");
    let session = c.engine.gateway(GATE).unwrap().session.expect("a stream");
    c.ok(&Command::DisconnectGateway { gateway: GATE, session });
    c.passes(0);
    c.ready(ANNE);
    assert_eq!(c.held_for(call), None, "nobody could dial");
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: SAYS });
    c.passes(0);
    assert_eq!(c.held_for(call), Some(ANNE));
    c.report(Report::Holding { keys: Vec::new(), last: true }).expect("resynced");
    c.passes(0);
    assert_eq!(c.held_for(call), Some(ANNE), "nobody was on the line who could be lost");
}

#[test]
fn who_no_longer_wants_it_is_not_called() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, SOON).expect("promised");
    c.report(Report::CallbackCancelled(call)).expect("ended");
    assert!(c.engine.contact(call).is_none());
    let n = c.counts(PromiseKind::Callback);
    assert_eq!((n.made, n.kept, n.broken), (1, 1, 0));
    let other = c.arrives(Channel::Voice, PLAIN);
    let refused = c.report(Report::CallbackCancelled(other));
    assert!(matches!(refused, Err(Refusal::WrongState { expected: "callback_due", .. })));
}

#[test]
fn another_number_of_one_who_is_known_is_kept_with_an_event() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let call = c.arrives(Channel::Voice, PLAIN);
    for _ in 0..2 {
        c.report(Report::NumberConfirmed { contact: call, confirmed: true }).expect("taken");
        let kept = |e: &Event| matches!(e, Event::NumberConfirmed(n) if n.contact == call);
        assert!(c.events.iter().any(kept), "what rides with it would be lost: {:?}", c.events);
    }
}

#[test]
fn who_comes_back_by_themselves_is_called_where_they_are_now() {
    let mut c = center(&policy(DialMode::CustomerFirst));
    let first = c.arrives(Channel::Voice, PLAIN);
    c.report(Report::CustomerLeft(first)).expect("taken");
    let again = Arrival { continues: Some(first), ..c.arrival(Channel::Voice, PLAIN) };
    let Ok(Reply::Contact(second)) = c.report(Report::Arrived(again)) else { panic!("refused") };
    c.wants(second, SOON).expect("promised");
    c.ok(&Command::ConnectAgent(ANNE));
    c.act(ANNE, Act::Become(Availability::Ready)).expect("ready");
    let told = c.told(Recipient::Gateway(GATE));
    let own = |t: &Tell| matches!(t, Tell::Dial { continues: None, .. });
    assert!(told.iter().any(own), "{told:?}");
}

#[test]
fn another_number_is_called_after_one_that_does_not_exist() {
    let mut c = center(&policy(DialMode::AgentFirst));
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, SOON).expect("promised");
    c.ready(ANNE);
    c.accept(call);
    c.dialled(call, DialOutcome::Invalid);
    assert_eq!(c.phase(call), Phase::Exhausted(Exhausted::Invalid));
    c.report(Report::NumberConfirmed { contact: call, confirmed: true }).expect("taken");
    assert_eq!(c.held_for(call), Some(ANNE), "{:?}", c.phase(call));
}
