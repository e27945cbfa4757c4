//! Calls by the hours of a queue and by the clock on the wall: what is promised while it is
//! closed, who is called when it opens, and what an outage does to "by four o'clock".

use super::callbacks::{center, policy};
use super::care::{EVE, keeps};
use super::*;
use crate::engine::callback::{
    CallHours, Callback, DialMode, DialOutcome, Exhausted, Phase, Wanted, Window,
};
use crate::engine::command::{Pledge, Remedy};
use crate::engine::hours::{Hours, MOST_OPENINGS};
use crate::engine::promise::{PromiseKind, Stage};
use crate::engine::queue_life::{Calendar, Fallback, Then};
use crate::ids::{CalendarId, PromiseId};

const WEEK: CalendarId = CalendarId(0);
const HOUR: u64 = 3_600;
const SOON: Wanted = Wanted { window: None, hours: None };

fn at(seconds: u64) -> EngineTime {
    EngineTime::ZERO + Span::seconds(seconds)
}

fn window(from: u64, until: u64) -> Window {
    Window { from: at(from), until: at(until) }
}

fn within(from: u64, until: u64) -> Wanted {
    Wanted { window: Some(window(from, until)), hours: None }
}

/// A plain queue that calls people, open from when to when.
fn open(mode: DialMode, openings: &[(u64, u64)]) -> Center {
    let mut c = center(&policy(mode));
    let mut routing = Routing::clone(c.engine.routing());
    routing.calendars = vec![Calendar { name: Arc::from("week"), ..Calendar::default() }];
    let life = &mut routing.queues[PLAIN.index()].life;
    life.hours = Some(WEEK);
    life.closed = Fallback { tell: None, then: Then::Callback };
    c.ok(&Command::Configure(Arc::new(routing)));
    c.opens(openings);
    c
}

impl Center {
    /// What its calendar says from now on.
    fn opens(&mut self, openings: &[(u64, u64)]) {
        let ahead = openings.iter().map(|(from, until)| window(*from, *until));
        let ahead: Arc<[Window]> = ahead.filter(|w| w.until > self.at()).collect();
        let open = ahead.first().is_some_and(|w| w.from <= self.at());
        self.ok(&Command::SetHours { calendar: WEEK, now: Hours { open, changes: None, ahead } });
        self.passes(0);
    }

    /// A call whose number the gateway knows.
    fn known(&mut self) -> ContactId {
        let arrival = Arrival { number_confirmed: true, ..self.arrival(Channel::Voice, PLAIN) };
        match self.report(Report::Arrived(arrival)) {
            Ok(Reply::Contact(contact)) => contact,
            other => panic!("{other:?}"),
        }
    }

    fn callback(&self, contact: ContactId) -> Callback {
        let c = self.engine.contact(contact).expect("open");
        c.callback.as_deref().expect("called back").clone()
    }

    fn due(&self, contact: ContactId) -> EngineTime {
        self.callback(contact).due.expect("a time was promised")
    }

    /// Away for so long, of which the engine's clock makes up a quarter of an hour.
    fn is_away(&mut self, seconds: u64) {
        self.now += 900;
        let missed = Span::seconds(seconds - 900);
        self.ok(&Command::Restart { gap: Span::seconds(900), missed });
        let name = Arc::from("gate");
        self.ok(&Command::ConnectGateway { name, limits: SAYS });
    }
}

#[test]
fn who_comes_at_night_is_promised_a_call_in_the_morning_after_those_before_them() {
    let mut c = open(DialMode::AgentFirst, &[(8 * HOUR, 18 * HOUR)]);
    c.ready(ANNE);
    let (first, second) = (c.known(), c.known());
    assert_eq!(c.phase(first), Phase::OffHours { until: at(8 * HOUR) });
    let (one, two) = (c.due(first), c.due(second));
    assert!(at(8 * HOUR) < one && one < two && two < at(9 * HOUR), "{one:?} {two:?}");
    c.passes(8 * HOUR - 1);
    assert_eq!((c.held_for(first), c.engine.callbacks(PLAIN).held), (None, 2));
    c.passes(1);
    assert_eq!(c.held_for(first), Some(ANNE), "it opens");
}

#[test]
fn a_window_has_room_only_while_it_is_open() {
    let mut c = open(DialMode::AgentFirst, &[(8 * HOUR, 18 * HOUR + 300)]);
    let call = c.arrives(Channel::Voice, PLAIN);
    let (queue, next) = (Arc::from("plain"), Some(Span::seconds(8 * HOUR)));
    let refused = c.wants(call, within(3 * HOUR, 4 * HOUR));
    assert_eq!(refused, Err(Refusal::NoRoom { queue, next }), "at three in the morning");
    // Ten of its minutes are in open hours.
    let early = within(7 * HOUR, 8 * HOUR + 600);
    let Ok(Reply::Promised { due, .. }) = c.wants(call, early) else { panic!("refused") };
    assert_eq!(
        (due, c.phase(call)),
        (Some(at(8 * HOUR + 600)), Phase::Held { until: at(7 * HOUR) })
    );
    c.passes(7 * HOUR);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(8 * HOUR) });
    // Not a quarter of an hour of calls in the last five minutes.
    let last = within(18 * HOUR, 20 * HOUR);
    let call = c.arrives(Channel::Voice, PLAIN);
    let Ok(Reply::Promised { due, .. }) = c.wants(call, last) else { panic!("one has room") };
    assert_eq!(due, Some(at(18 * HOUR + 300)), "by closing time");
    let call = c.arrives(Channel::Voice, PLAIN);
    let queue = Arc::from("plain");
    assert_eq!(c.wants(call, last), Err(Refusal::NoRoom { queue, next: None }), "nor after it");
}

#[test]
fn whoever_was_not_called_by_closing_time_is_called_when_it_opens() {
    let mut c = open(DialMode::CustomerFirst, &[(0, HOUR), (3 * HOUR, 4 * HOUR)]);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, SOON).expect("promised");
    assert_eq!(c.phase(call), Phase::Pressing { until: Some(at(HOUR)) });
    c.passes(HOUR);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(3 * HOUR) });
    c.ready(ANNE);
    c.passes(2 * HOUR - 1);
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 0);
    c.passes(1);
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 1);
    c.dialled(call, DialOutcome::Busy);
    c.passes(60);
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 1, "again, as it is open");
}

#[test]
fn an_agent_who_gets_free_after_closing_time_calls_nobody() {
    let mut c = open(DialMode::CustomerFirst, &[(0, HOUR), (3 * HOUR, 4 * HOUR)]);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, SOON).expect("promised");
    // The tick has not come round to it.
    c.now += HOUR;
    c.ready(ANNE);
    assert_eq!(c.held_for(call), None);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(3 * HOUR) });
}

#[test]
fn other_hours_reach_those_who_wait_for_a_call() {
    let mut c = open(DialMode::AgentFirst, &[(8 * HOUR, 18 * HOUR)]);
    let call = c.known();
    c.opens(&[(2 * HOUR, 18 * HOUR)]);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(2 * HOUR) }, "sooner");
    c.passes(2 * HOUR);
    assert!(matches!(c.phase(call), Phase::Patient { .. }), "called, and promised later");
    c.opens(&[(5 * HOUR, 18 * HOUR)]);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(5 * HOUR) }, "closed at once");
    c.opens(&[]);
    let tomorrow = Phase::OffHours { until: at(26 * HOUR) };
    assert_eq!(c.phase(call), tomorrow, "nobody knows: it is looked at again");
    c.ok(&Command::SetHours { calendar: WEEK, now: Hours::default() });
    c.passes(0);
    assert!(matches!(c.phase(call), Phase::Patient { .. }), "always open");
    let ahead = (0..=MOST_OPENINGS as u64).map(|n| window(100 * n, 100 * n + 1)).collect();
    let many = Hours { open: false, changes: None, ahead };
    let refused = c.run(None, &Command::SetHours { calendar: WEEK, now: many });
    assert!(matches!(refused, Err(Refusal::OutOfRange { field: "ahead", .. })));
}

#[test]
fn who_never_can_be_called_while_it_is_open_is_told_so() {
    let mut c = open(DialMode::AgentFirst, &[(0, HOUR), (24 * HOUR, 25 * HOUR)]);
    let call = c.arrives(Channel::Voice, PLAIN);
    let evening = CallHours { from: at(20 * HOUR), lasting: Span::seconds(HOUR) };
    let never = Wanted { window: None, hours: Some(evening) };
    let queue = Arc::from("plain");
    assert_eq!(c.wants(call, never), Err(Refusal::NoRoom { queue, next: None }));
    let late = CallHours { from: at(24 * HOUR + 1_800), lasting: Span::seconds(HOUR) };
    c.passes(HOUR);
    c.wants(call, Wanted { window: None, hours: Some(late) }).expect("half an hour of both");
    assert_eq!(c.phase(call), Phase::OffHours { until: at(24 * HOUR + 1_800) });
    assert!(c.due(call) > at(24 * HOUR + 1_800), "not before they may be called");
}

#[test]
fn a_supervisor_may_have_somebody_called_at_night_but_not_at_the_customers() {
    let mut c = open(DialMode::CustomerFirst, &[(8 * HOUR, 18 * HOUR)]);
    c.ready(ANNE);
    let call = c.known();
    c.supervise(Order::CallNow { contact: call, agent: None }).expect("ordered");
    assert_eq!(c.engine.callbacks(PLAIN).dialling, 1);
    c.dialled(call, DialOutcome::Busy);
    c.passes(60);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(8 * HOUR) }, "one call was ordered");
    let hours = Some(CallHours { from: at(9 * HOUR), lasting: Span::seconds(HOUR) });
    let other = c.arrives(Channel::Voice, PLAIN);
    c.wants(other, Wanted { window: None, hours }).expect("promised");
    let refused = c.supervise(Order::CallNow { contact: other, agent: None });
    assert!(matches!(refused, Err(Refusal::OutOfRange { field: "hours", .. })));
}

#[test]
fn lost_calls_are_due_so_long_after_it_opens() {
    let mut c = open(DialMode::AgentFirst, &[(0, HOUR), (8 * HOUR, 18 * HOUR)]);
    let call = c.known();
    c.passes(HOUR - 600);
    c.report(Report::CallLost(call)).expect("taken");
    assert_eq!(c.due(call), at(8 * HOUR + 3_000), "an hour, ten minutes of it before closing");
}

#[test]
fn a_follow_up_becomes_work_while_it_is_open() {
    let days = [(8 * HOUR, 18 * HOUR), (32 * HOUR, 42 * HOUR)];
    let mut c = open(DialMode::AgentFirst, &days);
    c.passes(9 * HOUR);
    c.opens(&days);
    c.ready(ANNE);
    let call = c.known();
    c.answer(call);
    let promise = |c: &mut Center, due| {
        let (kind, hours, owner) = (PromiseKind::FollowUp, None, None);
        let pledge = Pledge { contact: call, kind, due: at(due), hours, owner };
        match c.act(ANNE, Act::Promise(pledge)) {
            Ok(Reply::Promised { promise, .. }) => promise,
            other => panic!("{other:?}"),
        }
    };
    let (evening, night) = (promise(&mut c, 17 * HOUR), promise(&mut c, 20 * HOUR));
    c.complete(call);
    let stage = |c: &Center, promise: PromiseId| c.engine.promise(promise).expect("open").stage;
    let before = |due| Stage::Waiting { until: at(due - 900), turn: false };
    assert_eq!(stage(&c, evening), before(17 * HOUR));
    assert_eq!(stage(&c, night), before(18 * HOUR), "before it closes");
    // It closes early: not tonight any more.
    c.opens(&days[1..]);
    c.passes(8 * HOUR);
    let morning = Stage::Waiting { until: at(32 * HOUR), turn: false };
    assert_eq!(stage(&c, evening), morning);
    let budget = c.engine.owed_counts().next_follow_up;
    assert!(budget <= c.at(), "those of other queues do not wait for it");
    assert_eq!(c.engine.contacts().count(), 0);
    c.passes(15 * HOUR);
    assert_eq!(c.engine.contacts().count(), 1);
    c.passes(6);
    assert_eq!(c.engine.contacts().count(), 2, "at 600 an hour");
}

#[test]
fn what_was_promised_by_the_clock_on_the_wall_stays_there() {
    let mut c = open(DialMode::AgentFirst, &[(0, 20 * HOUR), (24 * HOUR, 44 * HOUR)]);
    c.passes(9 * HOUR);
    let (call, other) = (c.known(), c.known());
    let hours = Some(CallHours { from: at(9 * HOUR), lasting: Span::seconds(12 * HOUR) });
    c.wants(call, Wanted { window: Some(window(12 * HOUR, 13 * HOUR)), hours }).expect("promised");
    c.wants(other, within(10 * HOUR, 11 * HOUR)).expect("promised");
    let chat = c.arrives(Channel::Chat, PLAIN);
    let (due, owner) = (at(16 * HOUR), Some(ANNE));
    let pledge = Pledge { contact: chat, kind: PromiseKind::Reply, due, hours, owner };
    c.supervise(Order::Promise(pledge)).expect("promised");
    let remedy = Remedy { contact: chat, owner, cents: 0, due };
    c.supervise(Order::OpenRecovery(remedy)).expect("opened");
    let (place, arrived) = {
        let c = c.engine.contact(call).expect("open");
        (c.place, c.arrived)
    };
    // Two hours away: it is 11 o'clock now, and the engine has 9:15.
    c.is_away(2 * HOUR);
    let shows = |hour: u64| at(hour * HOUR) - Span::seconds(2 * HOUR - 900);
    let moved = c.callback(call);
    assert_eq!((moved.due, moved.until), (Some(shows(12) + Span::seconds(900)), Some(shows(13))));
    assert_eq!(moved.phase, Phase::Held { until: shows(12) });
    assert_eq!(moved.hours.map(|h| h.at(c.at()).until), Some(shows(21)), "until 21:00, every day");
    let promise = c.engine.promises().last().copied().expect("open");
    assert_eq!((promise.due, promise.hours), (Some(shows(16)), moved.hours));
    assert_eq!(c.engine.recoveries().next().expect("open").due, shows(16));
    let opening = c.engine.queue_hours(PLAIN).opening(c.at()).expect("known");
    assert_eq!(opening.until, shows(20));
    let here = c.engine.contact(call).expect("open");
    assert_eq!((here.place, here.arrived), (place, arrived), "nobody lost their place");
    // The window of the other ended at 11.
    c.passes(0);
    assert_eq!(c.phase(other), Phase::Exhausted(Exhausted::TooLate));
    assert_eq!(c.counts(PromiseKind::Callback).late, 1);
    // Longer than the router has been there: hours are still those of the day.
    c.is_away(50 * HOUR);
    let hours = c.callback(call).hours.expect("as said");
    let day = Span::seconds(24 * HOUR);
    let missed = Span::seconds(52 * HOUR - 1_800);
    assert_eq!(hours.at(c.at()).until + missed, at(21 * HOUR) + day + day);
}

#[test]
fn a_place_is_kept_by_the_clock_on_the_wall() {
    for (away, back) in [(900, true), (1_000, false)] {
        let mut c = keeps();
        let chat = c.from(EVE, Channel::Chat, PLAIN);
        let had = c.place(chat);
        c.goes(chat);
        // A start that took no time by the engine's clock.
        let missed = Span::seconds(away - 900);
        c.ok(&Command::Restart { gap: Span::ZERO, missed });
        let name = Arc::from("gate");
        c.ok(&Command::ConnectGateway { name, limits: SAYS });
        c.now += 1;
        let again = c.from(EVE, Channel::Chat, PLAIN);
        assert_eq!(c.place(again) == had, back, "away for {away}");
    }
}

#[test]
fn a_follow_up_is_made_within_its_customers_hours_before_it_is_due() {
    let mut c = open(DialMode::AgentFirst, &[(0, 18 * HOUR)]);
    c.ready(ANNE);
    let call = c.known();
    c.answer(call);
    let hours = Some(CallHours { from: at(HOUR), lasting: Span::seconds(2 * HOUR) });
    let (kind, owner) = (PromiseKind::FollowUp, None);
    let pledge = Pledge { contact: call, kind, due: at(16 * HOUR), hours, owner };
    c.act(ANNE, Act::Promise(pledge)).expect("promised");
    c.complete(call);
    let made = |c: &Center| c.engine.contacts().any(|c| c.continues == Some(call));
    c.passes(3 * HOUR - 901);
    assert!(!made(&c));
    c.passes(1);
    assert!(made(&c), "they are there until three only");
}

#[test]
fn an_error_in_a_calendar_costs_nobody_their_window() {
    let mut c = open(DialMode::AgentFirst, &[(0, 18 * HOUR)]);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.wants(call, within(10 * HOUR, 12 * HOUR)).expect("promised");
    c.opens(&[]);
    c.passes(10 * HOUR);
    assert_eq!(c.phase(call), Phase::OffHours { until: at(12 * HOUR) });
    c.opens(&[(0, 18 * HOUR)]);
    assert!(c.callback(call).is_in_line(), "{:?}", c.phase(call));
    c.opens(&[]);
    c.passes(2 * HOUR);
    assert_eq!(c.phase(call), Phase::Exhausted(Exhausted::TooLate));
}

#[test]
fn a_callback_that_is_moved_goes_by_the_hours_of_the_queue_it_is_in() {
    let mut c = open(DialMode::AgentFirst, &[(8 * HOUR, 18 * HOUR)]);
    let call = c.known();
    assert_eq!(c.phase(call), Phase::OffHours { until: at(8 * HOUR) });
    c.supervise(Order::Move { contact: call, queue: SKILLED }).expect("moved");
    assert!(c.callback(call).is_in_line(), "{:?}", c.phase(call));
}
