//! The rules of steps, edits, hours, full queues and updates.

use std::sync::Arc;

use super::{ANNE, BOB, CLEO, Center, GATE, PLAIN, SAFETY, SKILLED};
use crate::engine::callback::CallbackPolicy;
use crate::engine::command::{Act, Command, Order, Report};
use crate::engine::contact::{Contact, State};
use crate::engine::directive::{Recipient, Tell};
use crate::engine::event::{Announce, EffectKind, Event, Opens, StepTaken};
use crate::engine::hours::Hours;
use crate::engine::queue_life::{
    Calendar, External, Fallback, Notice, Overflow, QueueLife, QueueStep, Then,
};
use crate::engine::refusal::Refusal;
use crate::engine::routing::{Queue, Routing};
use crate::engine::words::{Channel, EndReason, QueuedBecause, WaitsFor};
use crate::ids::{
    CalendarId, ContactId, EffectId, ExternalId, NoticeId, PoolId, QueueId, SessionId,
};
use crate::time::{Span, WallTime};

const PARTNER: ExternalId = ExternalId(0);
pub(super) const BUSY: NoticeId = NoticeId(0);
pub(super) const CLOSED: NoticeId = NoticeId(1);
pub(super) const WEEK: CalendarId = CalendarId(0);

pub(super) fn after(seconds: u64) -> QueueStep {
    QueueStep { after: Span::seconds(seconds), ..QueueStep::default() }
}

fn notice(name: &str) -> Notice {
    Notice { name: Arc::from(name), retired: false, texts: Vec::new(), version: 0 }
}

impl Center {
    /// Another configuration; everyone is gone through.
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut Routing)) {
        let mut routing = Routing::clone(self.engine.routing());
        edit(&mut routing);
        self.ok(&Command::Configure(Arc::new(routing)));
        self.passes(0);
    }

    pub(super) fn edit_queue(&mut self, queue: QueueId, edit: impl FnOnce(&mut Queue)) {
        self.edit(|routing| edit(&mut routing.queues[queue.index()]));
    }

    /// One with announcements, a calendar and a number outside that takes calls.
    pub(super) fn with_life(queue: QueueId, steps: Vec<QueueStep>, life: QueueLife) -> Self {
        let mut c = Self::new();
        c.edit(|r| {
            let numbers = [Some(Arc::from("+15550100")), None, None, None];
            let name = Arc::from("partner-line");
            r.externals = vec![External { name, retired: false, numbers }];
            r.notices = vec![notice("busy"), notice("closed")];
            r.calendars = vec![Calendar { name: Arc::from("week"), ..Calendar::default() }];
            r.queues[queue.index()].steps = steps;
            r.queues[queue.index()].life = life;
        });
        c
    }

    fn with_steps(queue: QueueId, steps: Vec<QueueStep>) -> Self {
        Self::with_life(queue, steps, QueueLife::default())
    }

    fn here(&self, contact: ContactId) -> &Contact {
        self.engine.contact(contact).expect("open")
    }

    /// The effects asked for a contact.
    pub(super) fn asked(&self, contact: ContactId) -> Vec<(EffectId, EffectKind)> {
        self.here(contact).effects.to_vec()
    }

    pub(super) fn set_hours(&mut self, open: bool, changes: Option<u64>) {
        let now = Hours { open, changes: changes.map(WallTime), ..Hours::default() };
        self.ok(&Command::SetHours { calendar: WEEK, now });
    }

    /// How a contact ended with the last command, if it did.
    pub(super) fn end_of(&self, contact: ContactId) -> Option<EndReason> {
        self.events.iter().find_map(|e| match e {
            Event::Closed { contact: c, reason, .. } if *c == contact => Some(*reason),
            _ => None,
        })
    }
}

#[test]
fn lower_proficiency_lets_others_serve_but_never_those_without_the_skill() {
    let steps = vec![QueueStep { lower_proficiency: 5, ..after(30) }];
    let mut c = Center::with_steps(SKILLED, steps);
    c.edit(|r| r.agents[CLEO.index()].skills[0].1 = 1);
    c.ready(CLEO);
    c.ready(BOB);
    let chat = c.arrives(Channel::Chat, SKILLED);
    assert_eq!(c.held_for(chat), None, "cleo speaks too little Spanish, bob none");
    c.passes(29);
    assert_eq!(c.held_for(chat), None);
    c.passes(1);
    assert_eq!(c.held_for(chat), Some(CLEO), "bob speaks none, and never is asked");
}

#[test]
fn pools_and_preferred_skills_follow_the_steps_and_begin_anew_in_another_queue() {
    let widens = QueueStep { add_pools: [PoolId(1)].into_iter().collect(), ..after(10) };
    let drops = QueueStep { drop_preferred: true, ..after(20) };
    let mut c = Center::with_steps(PLAIN, vec![widens, drops]);
    c.edit(|r| {
        r.pools.push(r.pools[0].clone());
        r.pools[1].name = Arc::from("partner");
        r.agents[BOB.index()].pool = PoolId(1);
        r.queues[PLAIN.index()].pools = [PoolId(0)].into_iter().collect();
        r.queues[PLAIN.index()].policy.preferred = r.queues[SKILLED.index()].needs.clone();
    });
    c.ready(BOB);
    let chat = c.arrives(Channel::Chat, PLAIN);
    assert_eq!((c.held_for(chat), c.here(chat).preferred.len()), (None, 1));
    c.passes(10);
    assert_eq!(c.held_for(chat), Some(BOB));
    let reservation = c.reservation(chat);
    c.passes(10);
    let taken = c.here(chat).stage.stepped;
    assert!(taken >= Span::seconds(10), "{taken:?}");
    assert!(c.act(BOB, Act::Accept(reservation)).is_err(), "that one timed out");
    assert_eq!(c.here(chat).stage.stepped, Span::seconds(20), "it is back in line, and took it");
    assert!(c.here(chat).preferred.is_empty());
    let order = Order::Move { contact: chat, queue: SKILLED };
    c.ok(&Command::Supervise { order, why: Arc::from("Spanish") });
    let stage = &c.here(chat).stage;
    assert!(stage.pools.is_empty() && stage.stepped == Span::ZERO && stage.entered == c.at());
}

#[test]
fn priority_is_raised_once_and_arrival_is_kept() {
    let mut c = Center::with_steps(
        PLAIN,
        vec![QueueStep { raise_priority: Span::seconds(100), ..after(10) }],
    );
    let mut later = c.arrival(Channel::Chat, SKILLED);
    later.head_start = Span::seconds(50);
    let chat = c.arrives(Channel::Chat, PLAIN);
    let ahead = c.report(Report::Arrived(later)).expect("accepted");
    let crate::engine::command::Reply::Contact(ahead) = ahead else { panic!("{ahead:?}") };
    let before = c.here(chat).place;
    c.passes(10);
    assert_eq!(before.0 - c.here(chat).place.0, 100_000_000);
    assert!(c.here(chat).place < c.here(ahead).place);
    c.passes(60);
    assert_eq!(before.0 - c.here(chat).place.0, 100_000_000, "once");
    // A supervisor's head start comes on top of it.
    let order = Order::Reprioritise { contact: chat, head_start: Span::seconds(5) };
    c.ok(&Command::Supervise { order, why: Arc::from("waits long") });
    assert_eq!(before.0 - c.here(chat).place.0, 105_000_000);
}

#[test]
fn overdue_steps_are_taken_in_order_after_a_restart_and_by_one_who_comes_back() {
    let steps = vec![
        QueueStep { raise_priority: Span::seconds(1), ..after(10) },
        QueueStep { raise_priority: Span::seconds(2), ..after(20) },
        QueueStep { raise_priority: Span::seconds(4), ..after(300) },
    ];
    let mut c = Center::with_steps(PLAIN, steps);
    c.ready(BOB);
    let held = c.arrives(Channel::Chat, PLAIN);
    c.accept(held);
    c.ok(&Command::Restart { gap: Span::seconds(60), missed: Span::ZERO });
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: super::SAYS });
    let keys = vec![Arc::from("k1")];
    c.report(Report::Holding { keys, last: true }).expect("it holds it");
    let waits = c.arrives(Channel::Chat, PLAIN);
    c.now += 25;
    c.ok(&Command::Tick);
    let taken: Vec<(ContactId, u8)> = c
        .events
        .iter()
        .filter_map(|e| match e {
            Event::StepTaken(StepTaken { step, filing }) => Some((filing.contact, *step)),
            _ => None,
        })
        .collect();
    assert_eq!(taken, [(waits, 1), (waits, 2)], "who is with an agent takes none");
    c.ok(&Command::ConnectAgent(BOB));
    c.act(BOB, Act::Requeue(held)).expect("back in its queue");
    c.passes(0);
    assert_eq!(c.here(held).stage.raised, Span::seconds(3), "both were due long ago");
}

#[test]
fn overflow_keeps_the_arrival_and_never_goes_in_a_circle() {
    let to = |queue| Some(Overflow::Queue(queue));
    let mut c = Center::with_steps(PLAIN, vec![QueueStep { overflow: to(SAFETY), ..after(10) }]);
    c.edit_queue(SAFETY, |q| {
        q.safety = false;
        q.steps = vec![QueueStep { overflow: to(PLAIN), ..after(10) }];
    });
    let chat = c.arrives(Channel::Chat, PLAIN);
    let arrived = c.here(chat).place;
    c.passes(10);
    assert_eq!((c.here(chat).queue, c.here(chat).place), (SAFETY, arrived));
    c.passes(10);
    assert_eq!(c.here(chat).queue, SAFETY, "not back to where it came from");
    let order = Order::Move { contact: chat, queue: PLAIN };
    c.ok(&Command::Supervise { order, why: Arc::from("there is somebody") });
    c.passes(10);
    assert_eq!(c.here(chat).queue, PLAIN, "and not there a second time");
}

#[test]
fn a_number_outside_ends_the_contact_only_when_it_took_it() {
    let step =
        QueueStep { overflow: Some(Overflow::External(PARTNER)), tell: Some(BUSY), ..after(10) };
    let mut c = Center::with_steps(PLAIN, vec![step]);
    let (call, chat) = (c.arrives(Channel::Voice, PLAIN), c.arrives(Channel::Chat, PLAIN));
    let place = c.here(call).place;
    c.passes(10);
    assert_eq!(c.state(chat), State::Queued, "it has no number for chats");
    let forward = |c: &Center| match c.asked(call).as_slice() {
        [.., (effect, EffectKind::Forward { to: PARTNER })] => Some(*effect),
        _ => None,
    };
    let failed = forward(&c).expect("asked");
    assert!(matches!(c.state(call), State::Pending { on: WaitsFor::External, agent: None, .. }));
    c.report(Report::EffectFailed { effect: failed, code: 486 }).expect("taken");
    assert_eq!((c.state(call), c.here(call).place), (State::Queued, place));
    assert_eq!(forward(&c), None, "not again for some time");
    c.passes(299);
    assert_eq!(forward(&c), None);
    c.passes(1);
    assert!(forward(&c).is_some());
    c.passes(120);
    assert_eq!((c.state(call), forward(&c)), (State::Queued, None), "too late is as failed");
    c.passes(300);
    let effect = forward(&c).expect("asked once more");
    c.report(Report::EffectDone(effect)).expect("taken");
    assert_eq!(c.end_of(call), Some(EndReason::Overflowed));
}

#[test]
fn edits_reach_those_who_wait_and_no_step_is_taken_twice() {
    let tells = QueueStep { tell: Some(BUSY), ..after(30) };
    let mut c = Center::with_steps(SKILLED, vec![tells.clone()]);
    let (first, second) = (c.arrives(Channel::Chat, SKILLED), c.arrives(Channel::Chat, SKILLED));
    let places = [first, second].map(|contact| c.here(contact).place);
    c.passes(30);
    assert_eq!(c.asked(first).len(), 1);
    c.ready(BOB);
    // Another step before the one that was taken: not taken late, and the other not again.
    let lowers = QueueStep { lower_proficiency: 2, ..after(10) };
    c.edit_queue(SKILLED, |q| q.steps = vec![lowers, tells]);
    assert_eq!(c.asked(first).len(), 1);
    assert_eq!(c.here(first).needs[0].at_least, 1);
    assert_eq!(c.here(first).stage.due, None);
    // Nothing is needed any more: the oldest place first, whatever slot it lies in.
    c.edit_queue(SKILLED, |q| {
        q.needs.clear();
        q.head_start = Span::seconds(7);
    });
    assert_eq!((c.held_for(first), c.held_for(second)), (Some(BOB), Some(BOB)));
    for (contact, place) in [first, second].into_iter().zip(places) {
        assert_eq!(place.0 - c.here(contact).place.0, 7_000_000);
    }
    c.edit_queue(SKILLED, |q| q.retired = true);
    assert_eq!(c.held_for(first), Some(BOB), "who is there is served");
}

#[test]
fn a_closed_queue_tells_before_it_ends_and_opens_again() {
    let closed = Fallback { tell: Some(CLOSED), then: Then::Close };
    let life = QueueLife { hours: Some(WEEK), closed, ..QueueLife::default() };
    let mut c = Center::with_life(PLAIN, Vec::new(), life);
    let before = c.arrives(Channel::Chat, PLAIN);
    c.set_hours(false, Some(1_700));
    assert_eq!(c.events.len(), 1);
    c.set_hours(false, Some(1_700));
    assert!(c.events.is_empty(), "said twice, it happens once");
    c.ready(BOB);
    assert_eq!(c.held_for(before), Some(BOB), "who was there is served");
    let chat = c.arrives(Channel::Chat, PLAIN);
    assert!(matches!(c.state(chat), State::Pending { on: WaitsFor::Farewell, .. }));
    let [(effect, EffectKind::Announce(said))] = c.asked(chat)[..] else { panic!("not told") };
    let opens = Some(Opens { calendar: WEEK, at: WallTime(1_700) });
    assert_eq!((said.notice, said.opens), (CLOSED, opens));
    c.report(super::said(chat)).expect("taken");
    assert!(matches!(c.state(chat), State::Pending { .. }), "words alone do not hold it up");
    c.report(Report::EffectDone(effect)).expect("taken");
    assert_eq!(c.end_of(chat), Some(EndReason::QueueClosed));
    let mut hurt = c.arrival(Channel::Chat, PLAIN);
    hurt.safety = true;
    c.report(Report::Arrived(hurt)).expect("accepted");
    let hurt = ContactId(3);
    assert_eq!(c.held_for(hurt), Some(BOB), "who is hurt is never sent away");
    let late = c.arrives(Channel::Voice, PLAIN);
    c.passes(120);
    assert_eq!(c.end_of(late), None);
    assert!(!matches!(c.state(late), State::Pending { .. }), "not told: not ended");
    c.set_hours(true, None);
    let open = c.arrives(Channel::Email, PLAIN);
    assert!(!matches!(c.state(open), State::Pending { .. }));
}

#[test]
fn whoever_cannot_be_told_waits() {
    let closed = Fallback { tell: Some(CLOSED), then: Then::Close };
    let life = QueueLife { hours: Some(WEEK), closed, ..QueueLife::default() };
    let mut c = Center::with_life(PLAIN, Vec::new(), life);
    c.set_hours(false, None);
    c.ok(&Command::DisconnectGateway { gateway: GATE, session: SessionId(1) });
    let letter = c.arrives(Channel::Email, PLAIN);
    assert_eq!((c.state(letter), c.asked(letter).len()), (State::Queued, 0));
    let bad = Command::SetHours { calendar: CalendarId(1), now: Hours::default() };
    assert!(matches!(c.run(None, &bad), Err(Refusal::OutOfRange { field: "calendar", .. })));
}

#[test]
fn a_full_queue_turns_to_another_and_nobody_is_turned_away_while_somebody_is_free() {
    let to = Then::Overflow(Overflow::Queue(SKILLED));
    let full = Fallback { tell: Some(BUSY), then: to };
    let life = QueueLife { most_waiting: 1, full, ..QueueLife::default() };
    let mut c = Center::with_life(PLAIN, Vec::new(), life);
    let first = c.arrives(Channel::Chat, PLAIN);
    let second = c.arrives(Channel::Chat, PLAIN);
    assert_eq!((c.here(first).queue, c.here(second).queue), (PLAIN, SKILLED));
    let because =
        |e: &Event| matches!(e, Event::Queued(q) if q.because == QueuedBecause::Overflowed);
    assert!(c.events.iter().any(because));
    assert_eq!(c.asked(second).len(), 1);
    c.edit_queue(SKILLED, |q| q.life.most_waiting = 1);
    let third = c.arrives(Channel::Chat, PLAIN);
    assert_eq!(c.here(third).queue, PLAIN, "the other is full too: it waits");
    c.ready(BOB);
    assert_eq!((c.held_for(first), c.held_for(third)), (Some(BOB), Some(BOB)));
    c.ready(ANNE);
    c.answer(first);
    let fourth = c.arrives(Channel::Chat, PLAIN);
    assert_eq!((c.here(fourth).queue, c.held_for(fourth)), (PLAIN, Some(ANNE)));
}

#[test]
fn a_full_queue_calls_back_whoever_has_a_number() {
    let full = Fallback { tell: None, then: Then::Callback };
    let life = QueueLife { most_waiting: 1, full, ..QueueLife::default() };
    let mut c = Center::with_life(PLAIN, Vec::new(), life);
    c.edit_queue(PLAIN, |q| q.callback = Some(Arc::new(CallbackPolicy::default())));
    let first = c.arrives(Channel::Voice, PLAIN);
    let second = c.arrives(Channel::Voice, PLAIN);
    let place = c.here(second).place;
    assert_eq!(c.state(second), State::Queued, "no number yet");
    c.report(Report::NumberConfirmed { contact: second, confirmed: true }).expect("taken");
    assert_eq!((c.state(second), c.here(second).place), (State::CallbackDue, place));
    c.report(Report::NumberConfirmed { contact: first, confirmed: true }).expect("taken");
    assert_eq!(c.state(first), State::Queued, "it was there before the line was full");
    c.ready(BOB);
    assert_eq!(c.held_for(first), Some(BOB), "in order of place");
}

#[test]
fn who_leaves_while_being_told_has_abandoned() {
    let full = Fallback { tell: Some(BUSY), then: Then::Close };
    let life = QueueLife { most_waiting: 1, full, ..QueueLife::default() };
    let mut c = Center::with_life(PLAIN, Vec::new(), life);
    c.arrives(Channel::Chat, PLAIN);
    let chat = c.arrives(Channel::Chat, PLAIN);
    let [(effect, EffectKind::Announce(Announce { ends, .. }))] = c.asked(chat)[..] else {
        panic!("not told")
    };
    assert_eq!(ends, Some(EndReason::QueueFull));
    c.report(Report::CustomerLeft(chat)).expect("left");
    assert_eq!(c.end_of(chat), Some(EndReason::Abandoned), "nobody knows what they heard");
    let other = c.arrives(Channel::Chat, PLAIN);
    assert!(c.report(Report::EffectDone(effect)).is_ok(), "reported late");
    let [(effect, _)] = c.asked(other)[..] else { panic!("not told") };
    c.report(Report::EffectDone(effect)).expect("taken");
    assert_eq!(c.end_of(other), Some(EndReason::QueueFull));
}

#[test]
fn position_and_wait_are_told_again_and_never_grow_in_silence() {
    let life = QueueLife { updates: Span::seconds(60), ..QueueLife::default() };
    let mut c = Center::with_life(PLAIN, Vec::new(), life);
    c.ready(BOB);
    for _ in 0..6 {
        let chat = c.arrives(Channel::Chat, PLAIN);
        c.answer(chat);
        c.passes(10);
        c.complete(chat);
    }
    let held = [c.arrives(Channel::Chat, PLAIN), c.arrives(Channel::Chat, PLAIN)];
    held.iter().for_each(|chat| c.answer(*chat));
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.ok(&Command::Tick);
    let told = c.here(chat).announced().expect("told at once");
    assert!(told.wait.is_some() && told.ahead == 0 && !told.longer, "{told:?}");
    let outlook = Tell::Outlook { contact: chat, ahead: 0, wait: told.wait, longer: false };
    assert!(c.told(Recipient::Gateway(GATE)).contains(&outlook));
    c.passes(60);
    let longer = c.here(chat).announced().expect("told");
    assert!(longer.longer, "nobody was done meanwhile, and that is said: {longer:?}");
    c.edit_queue(PLAIN, |q| q.life.updates = Span::ZERO);
    assert_eq!(c.here(chat).stage.update, None);
}
