//! Work to make good reaches who leads it, and low scores open it.

use super::care::EVE;
use super::*;
use crate::engine::care::{FeedbackReport, LowScore};
use crate::engine::command::{Pledge, Remedy};
use crate::engine::promise::{MOST_TOLD, PromiseKind, Recovery, RecoveryState};
use crate::ids::RecoveryId;

fn at(seconds: u64) -> EngineTime {
    EngineTime::ZERO + Span::seconds(seconds)
}

impl Center {
    /// What the last command told an agent of work to make good.
    fn of_recoveries(&self, agent: AgentId) -> Vec<Tell> {
        let about = |t: &Tell| matches!(t, Tell::Recovery(_) | Tell::RecoveryOver { .. });
        self.told(Recipient::Agent(agent)).into_iter().filter(about).collect()
    }

    /// What it told of one recovery's state.
    fn state_told(&self, agent: AgentId) -> Option<RecoveryState> {
        match self.of_recoveries(agent)[..] {
            [Tell::Recovery(Recovery { state, .. })] => Some(state),
            _ => None,
        }
    }

    fn recovers(&mut self, contact: ContactId, owner: AgentId, due: u64) -> RecoveryId {
        let remedy = Remedy { contact, owner: Some(owner), cents: 0, due: at(due) };
        match self.supervise(Order::OpenRecovery(remedy)) {
            Ok(Reply::Recovery(id)) => id,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_owner_of_work_to_make_good_hears_of_it_and_of_its_time() {
    let mut c = Center::new();
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    let id = c.recovers(chat, BOB, 1_000);
    assert_eq!(c.state_told(BOB), Some(RecoveryState::Open), "although he is not there");
    assert_eq!(c.of_recoveries(ANNE), []);
    c.passes(749);
    assert_eq!(c.engine.recovery(id).map(|r| r.state), Some(RecoveryState::Open));
    c.passes(1);
    assert_eq!(c.state_told(BOB), Some(RecoveryState::Soon), "a quarter of the time is left");
    c.passes(249);
    assert_eq!(c.engine.owed_counts().recoveries.overdue, 0);
    c.passes(1);
    assert_eq!(c.state_told(BOB), Some(RecoveryState::Overdue));
    assert_eq!(c.engine.owed_counts().recoveries.overdue, 1);
    c.supervise(Order::ReassignRecovery { recovery: id, owner: CLEO }).expect("hers now");
    let over = |done| Tell::RecoveryOver { recovery: id, contact: chat, done };
    assert_eq!(c.of_recoveries(BOB), [over(false)]);
    assert_eq!(c.state_told(CLEO), Some(RecoveryState::Overdue));
    c.supervise(Order::ReassignRecovery { recovery: id, owner: CLEO }).expect("still hers");
    assert_eq!(c.state_told(CLEO), Some(RecoveryState::Overdue), "and was not taken away");
    c.supervise(Order::RecoveryDone(id)).expect("done");
    assert_eq!(c.of_recoveries(CLEO), [over(true)]);
    assert_eq!(c.engine.next_tick(), None);
}

#[test]
fn an_owner_is_reminded_an_hour_before_it_is_due_and_not_earlier() {
    let mut c = Center::new();
    let chat = c.arrives(Channel::Chat, PLAIN);
    let id = c.recovers(chat, BOB, 24 * 3_600);
    c.passes(23 * 3_600 - 1);
    assert_eq!(c.engine.recovery(id).map(|r| r.state), Some(RecoveryState::Open));
    c.passes(1);
    assert_eq!(c.state_told(BOB), Some(RecoveryState::Soon));
}

#[test]
fn a_session_begins_with_what_is_due_first_and_no_more_than_a_screen_of_it() {
    let mut c = Center::new();
    let chat = c.arrives(Channel::Chat, PLAIN);
    let many = MOST_TOLD as u64 + 4;
    for n in 0..many {
        c.recovers(chat, BOB, 10_000 - n);
    }
    c.recovers(chat, ANNE, 50);
    c.ok(&Command::ConnectAgent(BOB));
    let told: Vec<u64> = c
        .of_recoveries(BOB)
        .iter()
        .map(|t| match t {
            Tell::Recovery(r) => r.id.0,
            other => panic!("{other:?}"),
        })
        .collect();
    let expected: Vec<u64> = (0..MOST_TOLD as u64).map(|n| many - n).collect();
    assert_eq!(told, expected, "the last one opened is due first");
    assert_eq!(c.engine.led_by(BOB).count(), MOST_TOLD + 4, "all are listed");
}

#[test]
fn an_offer_says_what_the_customer_is_owed_already() {
    let mut c = Center::new();
    c.ready(ANNE);
    let first = c.from(EVE, Channel::Chat, PLAIN);
    c.answer(first);
    let due = at(50_000);
    let mut promises = Vec::new();
    for kind in [PromiseKind::FollowUp, PromiseKind::Reply] {
        let pledge = Pledge { contact: first, kind, due, hours: None, owner: None };
        let Ok(Reply::Promised { promise, .. }) = c.act(ANNE, Act::Promise(pledge)) else {
            panic!("promised")
        };
        promises.push(promise);
    }
    c.complete(first);
    c.act(ANNE, Act::KeepPromise(promises[0])).expect("kept");
    let owed = |c: &Center| match &c.told(Recipient::Agent(ANNE))[..] {
        [.., Tell::Offer(offer)] => offer.promises.iter().map(|p| p.id).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    c.from(EVE, Channel::Email, PLAIN);
    assert_eq!(owed(&c), [promises[1]], "what is kept is owed no more");
    c.arrives(Channel::Email, PLAIN);
    assert_eq!(owed(&c), [], "to somebody else nothing");
}

/// A center whose plain queue makes scores of 0 to 4 of 10 good.
fn with_scores() -> Center {
    let mut c = Center::new();
    let mut routing = Routing::clone(c.engine.routing());
    let low_score = Some(LowScore { at_most: 4, within: Span::seconds(3_600) });
    routing.queues[PLAIN.index()].care.low_score = low_score;
    c.ok(&Command::Configure(Arc::new(routing)));
    c
}

fn score(contact: ContactId, score: u8, agent: Option<AgentId>) -> FeedbackReport {
    let (channel, queue, scale) = (Channel::Chat, Some(PLAIN), 5);
    FeedbackReport { contact, channel, queue, agent, score: Some(score), scale, words: false }
}

#[test]
fn a_low_score_opens_work_for_who_had_the_contact_once() {
    let mut c = with_scores();
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    c.report(Report::Feedback(score(chat, 3, None))).expect("six of ten");
    assert_eq!(c.engine.recoveries().count(), 0, "is not low");
    let twice = Report::Feedback(score(chat, 2, None));
    c.report(twice.clone()).expect("four of ten");
    let opened = *c.engine.recoveries().next().expect("opened");
    assert_eq!((opened.owner, opened.due), (Some(ANNE), c.at() + Span::seconds(3_600)));
    assert_eq!(c.state_told(ANNE), Some(RecoveryState::Open));
    c.report(twice).expect("said again");
    assert_eq!(c.engine.recoveries().count(), 1, "the same contact is made good once");
    c.complete(chat);
    c.act(ANNE, Act::RecoveryDone(opened.id)).expect("hers");
    let words = FeedbackReport { score: None, words: true, ..score(chat, 0, None) };
    c.report(Report::Feedback(words)).expect("words alone");
    assert_eq!(c.engine.recoveries().count(), 0, "words are no score");
}

#[test]
fn what_nobody_had_is_for_a_supervisor_to_give() {
    let mut c = with_scores();
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.report(Report::CustomerLeft(chat)).expect("gone");
    c.report(Report::Feedback(score(chat, 0, None))).expect("taken");
    let id = RecoveryId(1);
    assert_eq!(c.engine.recovery(id).map(|r| r.owner), Some(None));
    c.ready(BOB);
    assert_eq!(c.act(BOB, Act::RecoveryDone(id)), Err(Refusal::NotYourRecovery(id)));
    c.supervise(Order::ReassignRecovery { recovery: id, owner: BOB }).expect("his");
    assert_eq!(c.state_told(BOB), Some(RecoveryState::Open));
    c.act(BOB, Act::RecoveryDone(id)).expect("done");
    let other = c.arrives(Channel::Chat, SKILLED);
    c.report(Report::Feedback(FeedbackReport { queue: None, ..score(other, 0, Some(BOB)) }))
        .expect("of a queue that does not ask for it");
    assert_eq!(c.engine.recoveries().count(), 0);
    let gone = c.arrives(Channel::Chat, PLAIN);
    c.goes(gone);
    c.report(Report::Feedback(score(gone, 1, Some(CLEO)))).expect("who had it, by the archive");
    assert_eq!(c.engine.led_by(CLEO).count(), 1);
}
