//! Promises and recovery work: made = kept + open + broken, by the hour and no faster.

use super::callbacks::{center, policy};
use super::*;
use crate::engine::callback::{DialMode, DialOutcome};
use crate::engine::command::{Pledge, Remedy};
use crate::engine::promise::{PromiseKind, PromiseSettings, RecoveryState};
use crate::ids::{PromiseId, RecoveryId};

pub(super) fn at(seconds: u64) -> EngineTime {
    EngineTime::ZERO + Span::seconds(seconds)
}

pub(super) fn pledge(contact: ContactId, kind: PromiseKind, due: u64) -> Pledge {
    Pledge { contact, kind, due: at(due), hours: None, owner: None }
}

pub(super) fn with(settings: PromiseSettings) -> Center {
    let mut c = center(&policy(DialMode::CustomerFirst));
    let mut routing = Routing::clone(c.engine.routing());
    routing.settings.promises = settings;
    for (agent, authority) in routing.agents.iter_mut().zip([2_000, 0, 50_000]) {
        agent.authority = authority;
    }
    c.ok(&Command::Configure(Arc::new(routing)));
    c
}

impl Center {
    pub(super) fn promised(&mut self, agent: AgentId, pledge: Pledge) -> PromiseId {
        match self.act(agent, Act::Promise(pledge)) {
            Ok(Reply::Promised { promise, .. }) => promise,
            other => panic!("{other:?}"),
        }
    }

    /// The contact that was opened to keep a promise that was made in another.
    pub(super) fn follow_up_of(&self, contact: ContactId) -> ContactId {
        let found = self.engine.contacts().find(|c| c.continues == Some(contact));
        found.expect("opened").id
    }
}

#[test]
fn a_follow_up_becomes_work_before_it_is_due_for_who_promised_it() {
    let mut c = with(PromiseSettings::default());
    c.ready(ANNE);
    c.ready(BOB);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    let owner = c.held_for(chat).expect("assigned");
    let promise = c.promised(owner, pledge(chat, PromiseKind::FollowUp, 3_600));
    c.complete(chat);
    c.passes(2_699);
    assert_eq!(c.engine.in_state(StateKind::Reserved), 0);
    c.passes(1);
    let follow_up = c.follow_up_of(chat);
    let told = c.told(Recipient::Gateway(GATE));
    let opened = |t: &Tell| matches!(t, Tell::Opened { continues, .. } if *continues == chat);
    assert!(told.iter().any(opened), "{told:?}");
    assert_eq!(c.held_for(follow_up), Some(owner));
    c.answer(follow_up);
    assert_eq!(c.engine.promise(promise).map(|p| p.due), Some(Some(at(3_600))));
    c.complete(follow_up);
    let n = c.counts(PromiseKind::FollowUp);
    assert_eq!((n.made, n.kept, n.broken, n.late), (1, 1, 0, 0));
}

#[test]
fn a_follow_up_of_a_call_is_a_call() {
    let mut c = with(PromiseSettings::default());
    c.ready(ANNE);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.answer(call);
    let refused = c.act(ANNE, Act::Promise(pledge(call, PromiseKind::FollowUp, 3_600)));
    assert_eq!(refused, Err(Refusal::NoNumber(call)));
    c.report(Report::NumberConfirmed { contact: call, confirmed: true }).expect("taken");
    c.promised(ANNE, pledge(call, PromiseKind::FollowUp, 3_600));
    c.complete(call);
    c.passes(2_700);
    let follow_up = c.follow_up_of(call);
    c.dialled(follow_up, DialOutcome::Answered);
    let reservation = c.reservation(follow_up);
    c.report(Report::Bridged(reservation)).expect("bridged");
    let n = c.counts(PromiseKind::FollowUp);
    assert_eq!((n.made, n.kept, n.late), (1, 1, 0));
    assert_eq!(c.counts(PromiseKind::Callback).made, 0, "it is one promise, not two");
    c.complete(follow_up);
}

#[test]
fn follow_ups_have_a_budget_and_who_finds_no_room_is_late_and_counted() {
    let settings = PromiseSettings { follow_ups_per_hour: 6, lead: Span::seconds(600) };
    let mut c = with(settings);
    c.ready(ANNE);
    let chats: Vec<_> = (0..4).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    for chat in &chats {
        c.answer(*chat);
        let agent = c.held_for(*chat).expect("assigned");
        c.promised(agent, pledge(*chat, PromiseKind::FollowUp, 3_600));
        c.complete(*chat);
    }
    let opened = |c: &Center| c.engine.contacts().filter(|c| c.is_ours()).count();
    c.passes(3_000);
    assert_eq!(opened(&c), 1, "one in ten minutes");
    let first = c.engine.contacts().find(|c| c.is_ours()).expect("opened").id;
    c.answer(first);
    c.complete(first);
    c.passes(599);
    let late = |c: &Center| c.counts(PromiseKind::FollowUp).late;
    assert_eq!((opened(&c), late(&c)), (0, 2), "two have their turn after they are due");
    c.passes(1);
    assert_eq!((opened(&c), late(&c)), (1, 3), "and one just then");
    c.passes(1_200);
    assert_eq!(opened(&c), 3);
}

#[test]
fn a_promise_that_is_not_kept_is_late_and_then_broken_or_kept_late() {
    let mut c = with(PromiseSettings::default());
    c.ready(ANNE);
    let chats = [c.arrives(Channel::Chat, PLAIN), c.arrives(Channel::Chat, PLAIN)];
    let mut promises = Vec::new();
    for chat in chats {
        c.answer(chat);
        promises.push(c.promised(ANNE, pledge(chat, PromiseKind::Reply, 1_000)));
    }
    c.passes(1_000);
    assert_eq!(c.counts(PromiseKind::Reply).late, 2);
    c.supervise(Order::BreakPromise(promises[0])).expect("given up");
    c.act(ANNE, Act::KeepPromise(promises[1])).expect("kept");
    let n = c.counts(PromiseKind::Reply);
    assert_eq!((n.made, n.kept, n.broken, n.late), (2, 1, 1, 2));
    let again = c.act(ANNE, Act::KeepPromise(promises[1]));
    assert_eq!(again, Err(Refusal::NoSuchPromise(promises[1])));
    c.complete(chats[0]);
}

#[test]
fn a_remedy_beyond_the_owners_authority_needs_a_supervisor() {
    let mut c = with(PromiseSettings::default());
    c.ready(ANNE);
    c.ready(BOB);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    let lead = c.held_for(chat).expect("assigned");
    let cents = if lead == ANNE { 2_001 } else { 1 };
    let remedy = Remedy { contact: chat, owner: None, cents, due: at(500) };
    assert_eq!(c.act(lead, Act::OpenRecovery(remedy)), Ok(Reply::Recovery(RecoveryId(1))));
    let id = RecoveryId(1);
    assert_eq!(c.act(lead, Act::RecoveryDone(id)), Err(Refusal::NeedsApproval(id)));
    c.complete(chat);
    c.passes(500);
    assert_eq!(c.engine.recovery(id).map(|r| r.state), Some(RecoveryState::Overdue));
    c.supervise(Order::ReassignRecovery { recovery: id, owner: CLEO }).expect("hers now");
    assert_eq!(c.act(lead, Act::RecoveryDone(id)), Err(Refusal::NotYourRecovery(id)));
    c.ready(CLEO);
    c.act(CLEO, Act::RecoveryDone(id)).expect("within her authority");
    let n = c.engine.owed_counts().recoveries;
    assert_eq!((n.opened, n.done, n.overdue), (1, 1, 1));
    assert_eq!(c.supervise(Order::ApproveRecovery(id)), Err(Refusal::NoSuchRecovery(id)));
}

#[test]
fn a_gateway_that_was_away_hears_what_was_opened_meanwhile() {
    let mut c = with(PromiseSettings::default());
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    c.promised(ANNE, pledge(chat, PromiseKind::FollowUp, 1_000));
    c.complete(chat);
    c.ok(&Command::DisconnectGateway { gateway: GATE, session: SessionId(1) });
    c.passes(200);
    c.follow_up_of(chat);
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: SAYS });
    c.report(Report::Holding { keys: Vec::new(), last: true }).expect("resynced");
    c.ok(&Command::Tick);
    let told = c.told(Recipient::Gateway(GATE));
    let opened = |t: &Tell| matches!(t, Tell::Opened { continues, .. } if *continues == chat);
    assert!(told.iter().any(opened), "{told:?}");
}
