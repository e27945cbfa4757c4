//! From a snapshot to a shard that is the same as one from the whole journal.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::bench::{
    ANNE, Memory, MemoryJournal, actor, arrival, gateway, options, report, routing, start,
    start_recall, tip_after, until,
};
use crate::engine::command::{Act, Command, Reply, Report};
use crate::engine::entry::{Role, Sealed};
use crate::engine::recall::Level;
use crate::engine::refusal::Refusal;
use crate::engine::words::Availability;
use crate::ids::ContactId;
use crate::journal::snapshot::kept::Snapshots;
use crate::journal::snapshot::trim::Trimming;
use crate::shard::handle::ShardHandle;
use crate::shard::health::Space;
use crate::shard::observe::SnapshotOutcome;
use crate::shard::recovery::{Recovery, Resumed, Shard, ShardOptions};
use crate::shard::snapshots::SnapshotOptions;
use crate::shard::testing::Recorded;

fn snapshots(data: &Path, every_entries: u64) -> SnapshotOptions {
    SnapshotOptions {
        kept: Snapshots::open(data).expect("a folder"),
        trimming: Arc::default(),
        every_entries,
        every: Duration::from_secs(3_600),
        keep: Duration::ZERO,
    }
}

/// A shard over `memory`, from the newest snapshot and what follows it. Also tells how many
/// batches it read.
fn resume(
    memory: &Arc<Memory>,
    snapshots: SnapshotOptions,
    seen: &Arc<Recorded>,
) -> (ShardHandle, Shard, usize) {
    let found = snapshots.kept.newest(Resumed::of).expect("a folder");
    let options = ShardOptions { snapshots: Some(snapshots), ..options(seen.clone()) };
    let mut recovery = Recovery::new(options).expect("threads");
    let after = found.newest.as_ref().map_or(0, |resumed| resumed.tip().sequence);
    if let Some(resumed) = found.newest {
        recovery.resume(resumed);
    }
    let mut read = 0;
    for batch in memory.batches() {
        if batch.entries[0].sequence > after {
            let tip = tip_after(&batch);
            recovery.batch(batch, tip);
            read += 1;
        }
    }
    let wanted = |_: Option<&_>| Ok::<_, Refusal>(routing());
    let (handle, shard) =
        recovery.finish(MemoryJournal(memory.clone()), wanted).expect("it starts");
    (handle, shard, read)
}

fn sealed(n: u8) -> Sealed {
    Sealed { customer: None, key: n.into(), bytes: [n].into() }
}

/// Contacts that wait, one with an agent, some gone, and a recall.
async fn live(handle: &ShardHandle) -> ContactId {
    let on = gateway(handle).await;
    let call = |role, command, with| handle.call(actor(role), None, command, with);
    call(Role::Agent, Command::ConnectAgent(ANNE), None).await.expect("connected");
    let mut contacts = Vec::new();
    for n in 0..20 {
        let arrival = call(Role::Gateway, arrival(on, n), Some(sealed(1))).await;
        let Ok(Reply::Contact(contact)) = arrival else { panic!("{arrival:?}") };
        contacts.push(contact);
    }
    for contact in &contacts[10..15] {
        let left = report(on, Report::CustomerLeft(*contact));
        call(Role::Gateway, left, None).await.expect("left");
    }
    let become_ready = Act::Become(Availability::Ready);
    let act = |act| Command::Agent { agent: ANNE, session: None, act };
    call(Role::Agent, act(become_ready), None).await.expect("ready");
    let first = contacts[0];
    let held = handle.read(move |v| v.engine.contact(first).and_then(|c| c.state.reservation()));
    let reservation = held.await.expect("it reads").expect("the oldest is reserved");
    call(Role::Agent, act(Act::Accept(reservation)), None).await.expect("accepted");
    let recall = start_recall(Level::Elevated);
    call(Role::OnCall, recall, None).await.expect("started");
    contacts[19]
}

/// What a shard shows of itself, and what its observer was told.
async fn shown(handle: &ShardHandle, contact: ContactId, seen: &Recorded) -> [String; 5] {
    let read = handle.read(move |view| {
        let open = view.engine.contacts().count();
        let items = &view.timelines.of(contact).expect("open").items;
        // Those of the start itself come when the shard gets to them.
        let before = items.iter().filter(|item| item.actor.name != "router".into());
        let counts = format!("{:?}", view.statistics);
        (open.to_string(), format!("{:?}", before.collect::<Vec<_>>()), counts)
    });
    let (open, timeline, statistics) = read.await.expect("it reads");
    let facts = ["Offered", "Answered", "Abandoned", "Accepted", "Closed", "NotTaken", "Said"];
    let facts: Vec<_> = facts.iter().map(|fact| seen.told(fact)).collect();
    [open, timeline, statistics, format!("{facts:?}"), format!("{:?}", handle.person(contact))]
}

fn copy(memory: &Memory) -> Arc<Memory> {
    let copy = Memory::default();
    *copy.batches.lock().expect("no test panics with it") = memory.batches();
    Arc::new(copy)
}

#[tokio::test]
async fn a_start_from_a_snapshot_is_as_one_from_the_whole_journal() {
    let data = tempfile::tempdir().expect("a folder");
    let memory = Arc::new(Memory::default());
    let seen = Arc::new(Recorded::default());
    let (handle, shard, _) = resume(&memory, snapshots(data.path(), 1_000_000), &seen);
    let contact = live(&handle).await;
    shard.stop();
    let written = seen.snapshots();
    assert!(matches!(written[..], [SnapshotOutcome::Written { .. }]), "{written:?}");
    assert!(seen.told("Answered") == 1 && seen.told("Abandoned") == 5);

    let from_all = Arc::new(Recorded::default());
    let (handle, whole) = start(&copy(&memory), from_all.clone());
    let expected = shown(&handle, contact, &from_all).await;
    assert_eq!(handle.recalls().all().len(), 0, "nobody can read its words");
    drop(whole);
    let from_snapshot = Arc::new(Recorded::default());
    let (handle, shard, read) =
        resume(&copy(&memory), snapshots(data.path(), 1_000_000), &from_snapshot);
    assert_eq!(read, 0, "all of it is in the snapshot");
    assert_eq!(shown(&handle, contact, &from_snapshot).await, expected);
    assert_eq!(handle.person(contact), Some(sealed(1)));
    until("ready", || handle.health().ready().is_ok()).await;
    assert_eq!(handle.read(|view| view.statistics.divergences).await, Ok(0));
    assert!(matches!(from_snapshot.snapshots()[..], [SnapshotOutcome::Loaded(_)]));
    // It goes on, and what it does is in the next one.
    let on = gateway(&handle).await;
    let more = handle.call(actor(Role::Gateway), None, arrival(on, 99), None).await;
    assert!(matches!(more, Ok(Reply::Contact(_))), "{more:?}");
    shard.stop();
    assert!(matches!(
        from_snapshot.snapshots()[..],
        [SnapshotOutcome::Loaded(_), SnapshotOutcome::Written { .. }]
    ));
}

#[tokio::test]
async fn snapshots_are_taken_while_it_runs_and_the_journal_is_trimmed_below_the_older() {
    let data = tempfile::tempdir().expect("a folder");
    let memory = Arc::new(Memory::default());
    let seen = Arc::new(Recorded::default());
    let trimmed = Arc::new(Mutex::new(Vec::new()));
    let options = snapshots(data.path(), 10);
    let trimming: Arc<Trimming> = options.trimming.clone();
    let told = trimmed.clone();
    trimming.connect(move |upto| told.lock().expect("no test panics with it").push(upto));
    let (handle, shard, _) = resume(&memory, options, &seen);
    let on = gateway(&handle).await;
    let written = || seen.snapshots().len();
    for round in 0..3 {
        let before = written();
        for n in 0..12 {
            let arrival = arrival(on, round * 100 + n);
            handle.call(actor(Role::Gateway), None, arrival, None).await.expect("accepted");
        }
        until("a snapshot", || written() > before).await;
    }
    shard.stop();
    // A start from what is left of the journal.
    let trimmed = trimmed.lock().expect("no test panics with it").clone();
    let upto = *trimmed.last().expect("two snapshots or more");
    assert!(trimmed.is_sorted() && upto >= 10, "{trimmed:?}");
    let rest = copy(&memory);
    rest.batches
        .lock()
        .expect("no test panics with it")
        .retain(|b| b.entries.last().is_some_and(|e| e.sequence > upto));
    assert!(rest.batches().len() < memory.batches().len());
    let (handle, _shard, _) = resume(&rest, snapshots(data.path(), 10), &Arc::default());
    let open = handle.read(|view| (view.engine.contacts().count(), view.statistics.divergences));
    assert_eq!(open.await, Ok((36, 0)));
}

#[tokio::test]
async fn on_the_last_of_the_disk_no_snapshot_is_written_before_there_is_space() {
    use SnapshotOutcome::{PutOff, Written};
    let data = tempfile::tempdir().expect("a folder");
    let memory = Arc::new(Memory::default());
    let seen = Arc::new(Recorded::default());
    let (handle, shard, _) = resume(&memory, snapshots(data.path(), 60), &seen);
    let on = gateway(&handle).await;
    let call = |command| handle.call(actor(Role::Gateway), None, command, None);
    let mut contacts = Vec::new();
    for n in 0..40 {
        let arrived = call(arrival(on, n)).await;
        let Ok(Reply::Contact(contact)) = arrived else { panic!("{arrived:?}") };
        contacts.push(contact);
    }
    handle.health().set_space(Space::Critical);
    for contact in contacts {
        call(report(on, Report::CustomerLeft(contact))).await.expect("who is here can leave");
    }
    until("it is put off", || !seen.snapshots().is_empty()).await;
    // It has seen all of them, and was due after each.
    handle.read(|view| view.sequence).await.expect("it reads");
    assert_eq!(seen.snapshots(), [PutOff], "said once");
    handle.health().set_space(Space::Low);
    until("a snapshot", || seen.snapshots().len() > 1).await;
    handle.health().set_space(Space::Critical);
    gateway(&handle).await;
    shard.stop();
    let written = seen.snapshots();
    assert!(matches!(written[..], [PutOff, Written { .. }, PutOff]), "{written:?}");
}

#[tokio::test]
async fn a_stop_takes_the_snapshot_that_could_not_be_written_before() {
    let data = tempfile::tempdir().expect("a folder");
    let memory = Arc::new(Memory::default());
    let seen = Arc::new(Recorded::default());
    let (handle, shard, _) = resume(&memory, snapshots(data.path(), 20), &seen);
    let folder = data.path().join("snapshots");
    std::fs::remove_dir(&folder).expect("it is empty");
    let on = gateway(&handle).await;
    for n in 0.. {
        let arrived = handle.call(actor(Role::Gateway), None, arrival(on, n), None).await;
        arrived.expect("accepted");
        if handle.read(|view| view.sequence).await.expect("it reads") >= 20 {
            break;
        }
    }
    until("it failed", || seen.snapshots() == [SnapshotOutcome::Failed]).await;
    std::fs::create_dir(&folder).expect("it was removed");
    shard.stop();
    let written = seen.snapshots();
    assert!(matches!(written[..], [SnapshotOutcome::Failed, SnapshotOutcome::Written { .. }]));
    let (_, _shard, read) = resume(&copy(&memory), snapshots(data.path(), 20), &Arc::default());
    assert_eq!(read, 0, "all of it is in the snapshot");
}

#[tokio::test]
async fn trimming_that_panics_is_counted_and_snapshots_go_on() {
    let data = tempfile::tempdir().expect("a folder");
    let seen = Arc::new(Recorded::default());
    let options = snapshots(data.path(), 10);
    options.trimming.connect(|_| panic!("as the test wants"));
    let (handle, shard, _) = resume(&Arc::default(), options, &seen);
    let on = gateway(&handle).await;
    let panicked = || seen.not_trimmed.load(Ordering::SeqCst);
    for round in 0..4 {
        let before = seen.snapshots().len();
        for n in 0..12 {
            let arrival = arrival(on, round * 100 + n);
            handle.call(actor(Role::Gateway), None, arrival, None).await.expect("accepted");
        }
        until("a snapshot", || seen.snapshots().len() > before).await;
    }
    shard.stop();
    assert!(panicked() >= 2, "behind each but the first: {}", panicked());
    let failed = seen.snapshots().iter().any(|s| matches!(s, SnapshotOutcome::Failed));
    assert!(!failed, "they were written all the same");
}
