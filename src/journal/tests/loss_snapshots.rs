//! What an accepted loss makes of snapshots: none is believed for its name, and none stays that
//! no start could go on from the journal with.

use super::*;
use crate::journal::loss::{Acceptance, LossError, Plan, accept, plan};
use crate::journal::snapshot::kept::Snapshots;
use crate::journal::snapshot::seen::Seen;
use crate::journal::snapshot::{Snapshot, SnapshotError};

fn decided(after: u64) -> Acceptance<'static> {
    Acceptance { after, who: "ada", why: "the disk is gone", at: WallTime(1_700_000_000_000) }
}

/// Writes a snapshot of the state after a batch.
fn taken(data: &Path, tip: Tip) -> PathBuf {
    let (engine, seen) = (Engine::default().image(), Seen::default());
    let (wall, at, passed) = (WallTime(1), Default::default(), Vec::new());
    let snapshot = Snapshot { tip, wall, at, passed, engine, seen };
    Snapshots::open(data).unwrap().write(&snapshot).unwrap();
    data.join("snapshots").join(format!("snapshot-{:020}", tip.sequence))
}

/// Starts as a router does: from the newest good snapshot. Gives what follows it.
fn start(data: &Path) -> Result<Vec<Batch>, JournalError> {
    let newest = Snapshots::open(data).unwrap().newest(Ok).unwrap().newest;
    let (opened, batches) = open_with(data, newest.map_or(Tip::default(), |s| s.tip), TINY);
    opened.map(|_| batches)
}

/// The tips of a journal's batches.
fn tips(data: &Path) -> Vec<Tip> {
    let mut tips = Vec::new();
    verify(data, &mut |_| {}).unwrap();
    let each = &mut |_: Arc<Batch>, tip| tips.push(tip);
    drop(SqliteJournal::open(data, Tip::default(), each).unwrap());
    tips
}

/// That a plan is refused because no snapshot vouches for what was before; why none does.
fn unvouched(planned: Result<Plan, LossError>) -> Option<Box<SnapshotError>> {
    match planned {
        Err(LossError::NoSnapshot { first: 3, after: 9, source }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trimmed_journal_needs_one_before_that_is_whole_and_of_this_journal() {
    let (data, written, _) = journal_of(&[2, 3, 4, 1], TINY);
    let data = data.path();
    let tips = tips(data);
    SqliteJournal::open(data, Tip::default(), &mut |_, _| {}).unwrap().0.trim(2).unwrap();
    sql(data, "UPDATE batch SET crc = crc + 1");
    assert!(unvouched(plan(data, 9)).is_none(), "there is none");
    let path = taken(data, tips[1]);
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for bytes in [vec![], whole[..whole.len() - 1].to_vec(), damaged] {
        fs::write(&path, bytes).unwrap();
        let why = unvouched(plan(data, 9)).expect("one seems to be there");
        assert!(why.is_damage(), "{why}");
    }
    // Whole, and of the batch before: only its name is right.
    fs::rename(taken(data, tips[0]), &path).unwrap();
    let why = unvouched(plan(data, 9)).expect("one seems to be there");
    assert!(matches!(*why, SnapshotError::Misnamed { found: 2, .. }), "{why}");
    // Whole, and of another journal.
    taken(data, Tip { hash: [7; 32], ..tips[1] });
    assert!(unvouched(plan(data, 9)).is_none());

    fs::write(&path, &whole).unwrap();
    taken(data, tips[3]);
    let (done, lost) = accept(data, decided(9)).unwrap();
    assert_eq!((done.first, done.tip.sequence, done.snapshots.len()), (3, 9, 1));
    assert!(lost.join("snapshot-00000000000000000010").is_file());
    assert!(path.is_file());
    assert_eq!(start(data).unwrap(), written[2..3]);
}

#[test]
fn one_that_is_ahead_of_a_whole_journal_is_what_is_lost() {
    // The journal was put back from an older copy, the snapshots were not.
    let (data, written, _) = journal_of(&[2, 3], TINY);
    let data = data.path();
    let tips = tips(data);
    taken(data, tips[0]);
    taken(data, Tip { epoch: 70, sequence: 40, hash: [9; 32] });
    let refused = start(data).unwrap_err();
    assert!(matches!(refused, JournalError::AcknowledgedGone { recovered: 5, .. }), "{refused}");
    assert!(refused.to_string().contains("--after 5 "), "{refused}");
    let told = plan(data, 5).unwrap();
    assert_eq!(told.refusal, Some(refused.to_string()));
    assert_eq!((told.lost(), told.lost_to, told.acknowledged), (35, 40, Some(35)));
    assert!(told.tip.epoch > 70 && !told.other);
    accept(data, decided(5)).unwrap();
    assert_eq!(start(data).unwrap(), written[1..], "from the older one");
}

#[test]
fn one_of_another_history_goes_and_the_journal_stays_as_it_is() {
    let (data, written, _) = journal_of(&[2, 3, 4], TINY);
    let data = data.path();
    let stray = taken(data, Tip { hash: [9; 32], ..tips(data)[1] });
    let refused = start(data).unwrap_err();
    assert!(matches!(refused, JournalError::Diverged { sequence: 5, .. }), "{refused}");
    assert!(refused.to_string().contains("--after 9 "), "nothing of the journal goes: {refused}");
    let (done, lost) = accept(data, decided(9)).unwrap();
    assert_eq!((done.lost(), done.other), (0, true));
    assert_eq!(done.refusal, Some(refused.to_string()));
    assert!(!stray.exists() && lost.join(stray.file_name().unwrap()).is_file());
    assert_eq!(start(data).unwrap(), written);
    assert!(matches!(plan(data, 10), Err(LossError::NotWhole { .. })));
    assert!(matches!(plan(data, 9), Err(LossError::NothingLost { end: 9 })));
}
