//! What leaves, when, and in what order.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot::error::TryRecvError;

use super::bench::{ANNE, Memory, actor, arrival, ask, gateway, hello, report, start, until};
use crate::engine::command::{Act, Command, Heard, Reply, Report};
use crate::engine::directive::{Recipient, Tell};
use crate::engine::entry::{Role, Sealed};
use crate::engine::words::Availability;
use crate::ids::ReservationId;
use crate::shard::ask::{OutboxReceiver, Outgoing, Rejection, SessionOver, outbox};
use crate::shard::handle::ARRIVALS;
use crate::shard::health::{Fatal, NotReady};
use crate::shard::observe::{Lane, SessionRole};
use crate::shard::testing::Recorded;

fn late_answer() -> Command {
    Command::Agent { agent: ANNE, session: None, act: Act::Accept(ReservationId(999)) }
}

async fn directive(end: &mut OutboxReceiver) -> (Tell, Option<Sealed>) {
    match end.recv().await {
        Some(Outgoing::Directive(directive, sealed)) => (directive.tell, sealed),
        other => panic!("expected a directive, got {other:?}"),
    }
}

#[tokio::test]
async fn nothing_leaves_before_it_is_durable_refusals_included() {
    let memory = Arc::new(Memory::default());
    let seen = Arc::new(Recorded::default());
    let (handle, shard) = start(&memory, seen.clone());
    let on = gateway(&handle).await;
    memory.hold();
    let begun = memory.begun();
    let mut arrived = ask(&handle, Role::Gateway, arrival(on, 1));
    until("the arrival is being written", || memory.begun() > begun).await;
    let mut refused = ask(&handle, Role::Agent, late_answer());
    until("the answer is refused", || seen.refused.load(Ordering::SeqCst) == 1).await;
    assert_eq!(arrived.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(
        refused.try_recv(),
        Err(TryRecvError::Empty),
        "it was decided on what is not durable"
    );
    memory.let_go();
    assert!(matches!(arrived.await, Ok(Ok(Reply::Contact(_)))));
    assert!(matches!(refused.await, Ok(Err(Rejection::Refused(_)))));
    shard.stop();
}

#[tokio::test]
async fn a_refusal_on_durable_state_does_not_wait_for_a_sync() {
    let memory = Arc::new(Memory::default());
    let (handle, _shard) = start(&memory, Arc::new(Recorded::default()));
    gateway(&handle).await;
    memory.hold();
    let refused = ask(&handle, Role::Agent, late_answer());
    assert!(matches!(refused.await, Ok(Err(Rejection::Refused(_)))));
    memory.let_go();
}

#[tokio::test]
async fn at_most_two_batches_are_decided_and_not_durable() {
    let memory = Arc::new(Memory::default());
    let seen = Arc::new(Recorded::default());
    let (handle, _shard) = start(&memory, seen.clone());
    let on = gateway(&handle).await;
    memory.hold();
    let answers: Vec<_> = (0..2_000).map(|n| ask(&handle, Role::Gateway, arrival(on, n))).collect();
    until("two are undurable", || seen.undurable_most.load(Ordering::SeqCst) == 2).await;
    // The owner decides nothing more from here on, so that what is left stays.
    let left = handle.arrivals.len();
    assert!((700..1_000).contains(&left), "{left} wait in the lane");
    memory.let_go();
    for answer in answers {
        assert!(matches!(answer.await, Ok(Ok(Reply::Contact(_)))));
    }
    assert_eq!(seen.undurable_most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_outbox_begins_at_its_own_entry_with_the_answer_first() {
    let memory = Arc::new(Memory::default());
    let seen = Arc::new(Recorded::default());
    let (handle, _shard) = start(&memory, seen.clone());
    let on = gateway(&handle).await;
    let (out, mut end) = outbox();
    memory.hold();
    let begun = memory.begun();
    hello(&handle, Command::ConnectAgent(ANNE), &out);
    until("the sign-in is being written", || memory.begun() > begun).await;
    assert_eq!(seen.sessions(SessionRole::Agent), 0, "not attached before it is durable");
    memory.let_go();
    let Some(Outgoing::Answer { request_id, answer: Ok(Reply::Agent(session)), .. }) =
        end.recv().await
    else {
        panic!("the answer comes first")
    };
    assert_eq!(&*request_id, "hello");
    assert!(matches!(directive(&mut end).await.0, Tell::Availability { .. }));

    let ready = Act::Become(Availability::Ready);
    let ready = Command::Agent { agent: ANNE, session: Some(session), act: ready };
    handle.call(actor(Role::Agent), None, ready, None).await.expect("she may be ready");
    handle.call(actor(Role::Gateway), None, arrival(on, 1), None).await.expect("accepted");
    let offer = loop {
        match directive(&mut end).await.0 {
            Tell::Availability { .. } => {}
            other => break other,
        }
    };
    let Tell::Offer(offer) = offer else { panic!("expected the offer, got {offer:?}") };

    // A newer stream of hers: the older is told, and hears nothing more.
    let (newer, mut newer_end) = outbox();
    hello(&handle, Command::ConnectAgent(ANNE), &newer);
    assert!(matches!(newer_end.recv().await, Some(Outgoing::Answer { answer: Ok(_), .. })));
    assert!(matches!(
        end.recv().await,
        Some(Outgoing::Over { to: Some(Recipient::Agent(ANNE)), why: SessionOver::Superseded })
    ));
    let accept = Act::Accept(offer.reservation);
    let accept = Command::Agent { agent: ANNE, session: None, act: accept };
    handle.call(actor(Role::Agent), None, accept, None).await.expect("it is hers");
    let words = Sealed { customer: None, key: 7, bytes: Arc::from([1, 2, 3].as_slice()) };
    let heard = Heard { words: true, ..Heard::default() };
    let input = report(on, Report::Input { contact: offer.contact, heard });
    handle.call(actor(Role::Gateway), None, input, Some(words.clone())).await.expect("it is open");
    loop {
        let (tell, sealed) = directive(&mut newer_end).await;
        if tell == Tell::CustomerInput(offer.contact) {
            assert_eq!(sealed, Some(words));
            break;
        }
    }
}

#[tokio::test]
async fn a_journal_error_lets_nothing_more_out() {
    let memory = Arc::new(Memory::default());
    let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
    let on = gateway(&handle).await;
    let before = memory.batches().len();
    memory.hold();
    let answers: Vec<_> = (0..600).map(|n| ask(&handle, Role::Gateway, arrival(on, n))).collect();
    memory.break_it();
    memory.let_go();
    for answer in answers {
        let answer = answer.await.unwrap_or(Err(Rejection::Stopping));
        assert_eq!(answer, Err(Rejection::Stopping));
    }
    let fatal = handle.health().failed().await;
    assert!(matches!(fatal, Fatal::Journal(_)), "{fatal:?}");
    assert!(matches!(handle.health().ready(), Err(NotReady::Failed(_))));
    let after = handle.call(actor(Role::Gateway), None, arrival(on, 1), None).await;
    assert_eq!(after, Err(Rejection::Stopping));
    assert_eq!(memory.batches().len(), before);
    shard.stop();
}

#[tokio::test]
async fn a_full_router_turns_arrivals_away_and_lets_hang_ups_through() {
    let memory = Arc::new(Memory::default());
    let seen = Arc::new(Recorded::default());
    let (handle, _shard) = start(&memory, seen.clone());
    let on = gateway(&handle).await;
    let Ok(Reply::Contact(first)) =
        handle.call(actor(Role::Gateway), None, arrival(on, 0), None).await
    else {
        panic!("accepted")
    };
    memory.hold();
    let many = ARRIVALS as u64 + 2_000;
    let mut answers: Vec<_> =
        (1..=many).map(|n| ask(&handle, Role::Gateway, arrival(on, n))).collect();
    let busy = answers
        .iter_mut()
        .filter_map(|answer| answer.try_recv().ok())
        .filter(|answer| matches!(answer, Err(Rejection::Busy { .. })))
        .count();
    assert!(busy > 0, "the lane is bounded, and full is said at once");
    assert_eq!(seen.turned_away[Lane::Arrivals.index()].load(Ordering::SeqCst), busy);
    let left = ask(&handle, Role::Gateway, report(on, Report::CustomerLeft(first)));
    memory.let_go();
    assert_eq!(left.await, Ok(Ok(Reply::Done)));
    assert_eq!(seen.turned_away[Lane::Others.index()].load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn stopping_decides_and_writes_what_was_taken() {
    let memory = Arc::new(Memory::default());
    let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
    let on = gateway(&handle).await;
    let answers: Vec<_> = (0..500).map(|n| ask(&handle, Role::Gateway, arrival(on, n))).collect();
    tokio::task::spawn_blocking(move || shard.stop()).await.expect("it stops");
    for answer in answers {
        assert!(matches!(answer.await, Ok(Ok(Reply::Contact(_)))));
    }
    let after = handle.call(actor(Role::Gateway), None, arrival(on, 1), None).await;
    assert_eq!(after, Err(Rejection::Stopping));
    assert!(handle.read(|view| view.sequence).await.is_err());
}

#[tokio::test]
async fn a_caller_reads_their_own_writes_and_people_are_at_hand_while_open() {
    let memory = Arc::new(Memory::default());
    let (handle, _shard) = start(&memory, Arc::new(Recorded::default()));
    let on = gateway(&handle).await;
    let who = Sealed { customer: None, key: 1, bytes: Arc::from([9].as_slice()) };
    for n in 0..200 {
        let Ok(Reply::Contact(contact)) =
            handle.call(actor(Role::Gateway), None, arrival(on, n), Some(who.clone())).await
        else {
            panic!("accepted")
        };
        assert_eq!(handle.person(contact), Some(who.clone()));
        let seen = handle.read(move |view| view.engine.contact(contact).is_some()).await;
        assert_eq!(seen, Ok(true));
        let left = report(on, Report::CustomerLeft(contact));
        handle.call(actor(Role::Gateway), None, left, None).await.expect("it is open");
        assert_eq!(handle.person(contact), None);
    }
    let waiting = handle.read(|view| view.statistics.queues[0].abandoned).await;
    assert_eq!(waiting, Ok(200));
}

#[tokio::test]
async fn a_read_that_panics_harms_only_itself() {
    let memory = Arc::new(Memory::default());
    let (handle, _shard) = start(&memory, Arc::new(Recorded::default()));
    assert!(handle.read(|_| -> u64 { panic!("a mistake in a read") }).await.is_err());
    let sequence = handle.read(|view| view.sequence).await;
    assert_eq!(sequence, Ok(1), "the configuration");
    until("ready", || handle.health().ready().is_ok()).await;
}
