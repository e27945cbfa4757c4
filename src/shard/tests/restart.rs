//! From one process to the next, and what the replica finds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::bench::{
    Memory, MemoryJournal, actor, arrival, ask, gateway, options, routing, start, start_recall_of,
    tip_after, until, with_partners,
};
use crate::engine::command::{Command, Order, Remedy, Reply};
use crate::engine::entry::{Role, Sealed};
use crate::engine::event::Event;
use crate::engine::recall::Level;
use crate::engine::refusal::Refusal;
use crate::ids::AgentId;
use crate::journal::{Batch, Mark};
use crate::metrics::{Metrics, names};
use crate::shard::health::{Fatal, NotReady, ThreadKind};
use crate::shard::recovery::{Recovery, StartError};
use crate::shard::testing::Recorded;
use crate::time::{Span, WallTime};

#[tokio::test]
async fn a_restart_goes_on_where_the_journal_ended() {
    let memory = Arc::new(Memory::default());
    let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
    let on = gateway(&handle).await;
    let who = Sealed { customer: None, key: 1, bytes: Arc::from([9].as_slice()) };
    let Ok(Reply::Contact(contact)) =
        handle.call(actor(Role::Gateway), None, arrival(on, 1), Some(who.clone())).await
    else {
        panic!("accepted")
    };
    shard.stop();
    let first = memory.batches();
    let last = first.last().and_then(|b| b.entries.last()).cloned().expect("written");

    let seen = Arc::new(Recorded::default());
    let (handle, shard) = start(&memory, seen.clone());
    assert_eq!(handle.person(contact), Some(who));
    assert_eq!(handle.directory().queue("support").map(|q| q.index()), Some(0));
    let open = handle.read(move |view| view.engine.contact(contact).is_some()).await;
    assert_eq!(open, Ok(true));
    let opening = memory.batches()[first.len()].entries[0].clone();
    assert_eq!(opening.sequence, last.sequence + 1);
    assert!(opening.at >= last.at);
    assert!(matches!(opening.events[0], Event::Restarted { gap, .. } if gap < Span::seconds(60)));
    let configured = memory
        .batches()
        .iter()
        .flat_map(|b| &b.entries)
        .flat_map(|e| &e.events)
        .filter(|event| matches!(event, Event::Configured(_)))
        .count();
    assert_eq!(configured, 1, "the same configuration is no news");
    until("ready", || handle.health().ready().is_ok()).await;
    assert_eq!(seen.diverged.load(Ordering::SeqCst), 0);
    shard.stop();
}

/// Two hours down, of which the engine's clock makes up a quarter of an hour.
#[tokio::test]
async fn what_was_promised_by_the_clock_on_the_wall_stays_there() {
    let memory = Arc::new(Memory::default());
    let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
    let on = gateway(&handle).await;
    let Ok(Reply::Contact(contact)) =
        handle.call(actor(Role::Gateway), None, arrival(on, 1), None).await
    else {
        panic!("accepted")
    };
    let now = handle.health().engine_now();
    let (owner, hours) = (Some(AgentId(0)), |h: u64| Span::seconds(3_600 * h));
    for due in [now + hours(1), now + hours(4)] {
        let remedy = Remedy { contact, owner, cents: 0, due };
        let order = Order::OpenRecovery(remedy);
        let command = Command::Supervise { order, why: "a test".into() };
        handle.call(actor(Role::Supervisor), None, command, None).await.expect("opened");
    }
    shard.stop();
    for batch in memory.batches.lock().expect("no test panics with it").iter_mut() {
        let batch = Arc::make_mut(batch);
        batch.wall = WallTime(batch.wall.0 - 2 * 3_600_000);
    }
    let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
    let now = handle.health().engine_now();
    let read = handle.read(|view| view.engine.recoveries().map(|r| r.due).collect::<Vec<_>>());
    let dues = read.await.expect("it runs");
    assert!(dues[0] < now, "an hour ago");
    let left = dues[1].since(now);
    assert!((hours(1)..hours(3)).contains(&left), "{left:?} is left of four hours");
    until("found overdue", || {
        let is = |e: &Event| matches!(e, Event::RecoverySet(r) if r.now.due == dues[0]);
        memory.batches().iter().flat_map(|b| &b.entries).any(|e| e.events.iter().any(is))
    })
    .await;
    shard.stop();
}

#[tokio::test]
async fn sequences_have_no_gaps_and_time_never_goes_back() {
    let memory = Arc::new(Memory::default());
    for _ in 0..3 {
        let (handle, shard) = start(&memory, Arc::new(Recorded::default()));
        let on = gateway(&handle).await;
        let answers: Vec<_> =
            (0..1_500).map(|n| ask(&handle, Role::Gateway, arrival(on, n))).collect();
        for answer in answers {
            assert!(answer.await.is_ok());
        }
        assert_eq!(handle.read(|view| view.statistics.divergences).await, Ok(0));
        shard.stop();
    }
    let batches = memory.batches();
    let mut marks = 0;
    let mut expected = 1;
    let mut at = crate::time::EngineTime::ZERO;
    for batch in &batches {
        for entry in &batch.entries {
            assert_eq!(entry.sequence, expected);
            assert!(entry.at >= at);
            assert!(!entry.events.is_empty());
            (expected, at) = (expected + 1, entry.at);
        }
        if let Some(mark) = batch.mark {
            assert_eq!(mark.sequence, expected - 1);
            marks += 1;
        }
    }
    assert!(marks >= 4, "{marks} marks in {expected} entries");
}

#[tokio::test]
async fn a_state_that_differs_is_found_and_the_shard_is_not_ready() {
    let memory = Arc::new(Memory::default());
    let (_, shard) = start(&memory, Arc::new(Recorded::default()));
    shard.stop();
    {
        let mut batches = memory.batches.lock().expect("no test panics with it");
        let first = batches.first_mut().map(Arc::make_mut).expect("the configuration");
        let mark = first.mark.expect("a first batch is marked");
        first.mark = Some(Mark { state_hash: mark.state_hash ^ 1, ..mark });
    }
    let seen = Arc::new(Recorded::default());
    let (handle, _shard) = start(&memory, seen.clone());
    until("found", || seen.diverged.load(Ordering::SeqCst) == 1).await;
    assert_eq!(handle.read(|view| view.statistics.divergences).await, Ok(1));
    assert!(matches!(handle.health().ready(), Err(NotReady::Diverged)));
}

/// A journal of a start, and what reads it.
fn written(seen: &Arc<Recorded>) -> (Arc<Memory>, Recovery) {
    let memory = Arc::new(Memory::default());
    let (_, shard) = start(&memory, Arc::new(Recorded::default()));
    shard.stop();
    (memory, Recovery::new(options(seen.clone())).expect("threads"))
}

/// The replica finds it too, but may be minutes behind: the owner must not decide meanwhile as
/// if all were well.
#[tokio::test]
async fn a_state_that_differs_is_found_before_anything_is_decided() {
    let seen = Arc::new(Recorded::default());
    let (memory, mut recovery) = written(&seen);
    let held = seen.hold();
    let mut batch = Batch::clone(&memory.batches()[0]);
    let mark = batch.mark.expect("a first batch is marked");
    recovery.batch(Arc::new(batch.clone()), tip_after(&batch));
    assert!(recovery.health().is_sound());
    drop(held);
    drop(recovery);

    let (_, mut recovery) = written(&seen);
    let held = seen.hold();
    batch.mark = Some(Mark { state_hash: mark.state_hash ^ 1, ..mark });
    recovery.batch(Arc::new(batch.clone()), tip_after(&batch));
    assert!(!recovery.health().is_sound(), "the replica stands still");
    drop(held);
    let wanted = |_: Option<&_>| Ok::<_, Refusal>(routing());
    let finished = recovery.finish(MemoryJournal(memory), wanted);
    let (handle, _shard) = finished.expect("it can be looked at");
    assert!(matches!(handle.health().ready(), Err(NotReady::Diverged)));
}

#[tokio::test]
async fn nothing_is_written_where_the_replica_could_not_follow() {
    let seen = Arc::new(Recorded::default());
    let (memory, mut recovery) = written(&seen);
    seen.panics.store(true, Ordering::SeqCst);
    let batch = memory.batches()[0].clone();
    let (tip, epoch, health) = (tip_after(&batch), memory.epoch(), recovery.health().clone());
    recovery.batch(batch, tip);
    until("the replica panicked", || health.fatal().is_some()).await;
    let wanted = |_: Option<&_>| Ok::<_, Refusal>(routing());
    let refused = recovery.finish(MemoryJournal(memory.clone()), wanted).err();
    assert!(
        matches!(refused, Some(StartError::Failed(Fatal::Panicked(ThreadKind::Replica)))),
        "{refused:?}"
    );
    assert_eq!((memory.epoch(), memory.batches().len()), (epoch, 1), "no turn, no restart");
}

#[tokio::test]
async fn a_start_that_fails_leaves_no_thread_behind() {
    let seen = Arc::new(Recorded::default());
    let (memory, mut recovery) = written(&seen);
    let batch = memory.batches()[0].clone();
    for _ in 0..100 {
        recovery.batch(batch.clone(), tip_after(&batch));
    }
    assert!(Arc::strong_count(&seen) > 1);
    memory.break_it();
    let wanted = |_: Option<&_>| Ok::<_, Refusal>(routing());
    let failed = recovery.finish(MemoryJournal(memory), wanted).err();
    assert!(matches!(failed, Some(StartError::Journal(_))), "{failed:?}");
    assert_eq!(Arc::strong_count(&seen), 1, "nobody tells it anything any more");
}

#[tokio::test]
async fn every_metric_of_the_table_shows_after_one_look() {
    let memory = Arc::new(Memory::default());
    let metrics = Arc::new(Metrics::new().expect("the table is sound"));
    let (handle, _shard) = start(&memory, metrics.clone());
    let on = gateway(&handle).await;
    handle.call(actor(Role::Gateway), None, arrival(on, 1), None).await.expect("accepted");
    let recall = start_recall_of(with_partners(), Level::Elevated);
    handle.call(actor(Role::OnCall), None, recall, None).await.expect("started");
    let shown = metrics.clone();
    handle.read(move |view| shown.refresh(view, 0)).await.expect("it runs");
    let text = metrics.render();
    for metric in names::ALL {
        let line = format!("\n{}", metric.name);
        assert!(text.contains(&line), "{} is missing in\n{text}", metric.name);
        assert!(text.contains(&format!("# HELP {} {}", metric.name, metric.help)), "{text}");
    }
    for line in [
        "surgeline_queue_waiting{queue=\"support\"} 1",
        "surgeline_contacts_offered_total{queue=\"support\"} 1",
        "surgeline_contacts{state=\"queued\"} 1",
        "surgeline_contacts_accepted_total 1",
        "surgeline_conservation_difference 0",
        "surgeline_double_reservations_total 0",
        "surgeline_agents{state=\"signed_out\"} 2",
        "surgeline_class_waiting{class=\"live\"} 1",
        "surgeline_recall_level{recall=\"1\",level=\"elevated\"} 1",
        "surgeline_recall_level{recall=\"1\",level=\"surge\"} 0",
        "surgeline_tier_capacity{recall=\"1\",tier=\"faq\"} 50",
        "surgeline_tier_capacity{recall=\"1\",tier=\"ivr\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}
