//! Receipts against the journal on disk: the same history, another one, and one that was cut.

use super::*;
use crate::journal::loss::{Acceptance, accept};
use crate::journal::receipt::{Proof, Receipts, Seen, Unproven};

/// Appends and gives what clients were told.
fn told(writing: &mut Writing, receipts: &Receipts, sizes: &[u64]) -> Vec<Seen> {
    let told = sizes.iter().map(|size| {
        writing.append_next(*size);
        receipts.read(&receipts.sign(writing.tip)).unwrap()
    });
    told.collect()
}

/// Of a process that begins anew: nothing is remembered.
fn afresh(key: &Path, data: &Path) -> Receipts {
    Receipts::open(key).unwrap().of_journal(data)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("journal")).unwrap();
    for file in files(&from.join("journal")) {
        fs::copy(&file, to.join("journal").join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn one_is_held_against_the_hash_of_its_row_in_whatever_segment() {
    let (data, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = keys.path().join("key");
    let mut all = Vec::new();
    for _ in 0..3 {
        let mut writing = open_with(data.path(), Tip::default(), TINY).0.unwrap();
        let receipts = afresh(&key, data.path());
        all.extend(told(&mut writing, &receipts, &[2; 4]));
        // Beside the writer too, its log and all.
        for seen in &all {
            assert_eq!(receipts.prove(seen, true), Proof::Here, "{seen:?}");
        }
    }
    for seen in &all {
        let receipts = afresh(&key, data.path());
        assert_eq!(receipts.prove(seen, true), Proof::Here, "{seen:?}");
        let other = Seen { hash: [7; 16], ..*seen };
        assert_eq!(receipts.prove(&other, true), Proof::Other, "{other:?}");
        let inside = Seen { sequence: seen.sequence - 1, ..*seen };
        assert_eq!(receipts.prove(&inside, true), Proof::Other, "{inside:?}");
        assert_eq!(afresh(&key, data.path()).prove(seen, false), Proof::Missing);
    }
    let mut writing = open_with(data.path(), Tip::default(), TINY).0.unwrap();
    assert!(writing.journal.trim(all[5].sequence).unwrap().segments > 0);
    let receipts = afresh(&key, data.path());
    assert_eq!(receipts.prove(&all[0], true), Proof::Passes(Unproven::Trimmed));
    assert_eq!(receipts.prove(&all[11], true), Proof::Here);
    drop(writing);
    fs::remove_dir_all(data.path().join("journal")).unwrap();
    assert_eq!(receipts.prove(&all[11], true), Proof::Here, "it is remembered");
    let unreadable = afresh(&key, data.path()).prove(&all[11], true);
    assert_eq!(unreadable, Proof::Passes(Unproven::Unreadable));
}

#[test]
fn an_older_copy_that_went_on_in_the_same_epoch_does_not_heal_itself() {
    let (data, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = data.path().join("key");
    let receipts = Receipts::open(&key).unwrap();
    drop(told(&mut reopened(data.path()), &receipts, &[2; 2]));
    copy(data.path(), copied.path());
    let seen = told(&mut reopened(data.path()), &receipts, &[2; 3])[2];

    // Another morning on the copy: the same epoch, and further than what the client saw.
    for _ in 0..3 {
        let mut writing = reopened(copied.path());
        for _ in 0..7 {
            let batch = next(Tip { sequence: writing.tip.sequence, ..Tip::default() }, 1);
            let later = Batch { wall: WallTime(batch.wall.0 ^ 1), ..batch };
            writing.append(&later).unwrap();
        }
        assert!(writing.tip.epoch >= seen.epoch && writing.tip.sequence > seen.sequence);
        drop(writing);
        assert_eq!(afresh(&key, copied.path()).prove(&seen, true), Proof::Other, "after a restart");
    }
    assert_eq!(afresh(&key, data.path()).prove(&seen, true), Proof::Here);
}

#[test]
fn what_was_given_up_by_decision_is_let_pass_and_nothing_else() {
    let (data, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = keys.path().join("key");
    let receipts = Receipts::open(&key).unwrap();
    let mut writing = reopened(data.path());
    let seen = told(&mut writing, &receipts, &[2; 4]);
    let tip = writing.tip;
    drop(writing);
    sql(data.path(), "UPDATE batch SET crc = crc + 1 WHERE first_sequence = 5");
    assert_eq!(afresh(&key, data.path()).prove(&seen[3], false), Proof::Missing);
    let decided = Acceptance { after: 4, who: "ada", why: "no copy", at: WallTime(1) };
    accept(data.path(), decided).unwrap();

    let passes = Proof::Passes(Unproven::LossAccepted);
    let prove = |seen: &Seen, due| afresh(&key, data.path()).prove(seen, due);
    assert_eq!((prove(&seen[2], false), prove(&seen[3], false)), (passes, passes));
    assert_eq!((prove(&seen[0], true), prove(&seen[1], true)), (Proof::Here, Proof::Here));
    // The journal goes on under the same numbers; what is new is held to as before.
    let mut writing = reopened(data.path());
    let after = told(&mut writing, &receipts, &[3; 5]);
    assert!(writing.tip.sequence > tip.sequence && writing.tip.epoch > tip.epoch);
    assert_eq!((prove(&seen[2], true), prove(&seen[3], true)), (passes, passes));
    assert_eq!(prove(&after[4], true), Proof::Here);
    assert_eq!(prove(&Seen { hash: [7; 16], ..after[4] }, true), Proof::Other);
    assert_eq!(prove(&Seen { sequence: 900, ..after[4] }, false), Proof::Missing);
    let kept = Seen { hash: [7; 16], ..seen[0] };
    assert_eq!(prove(&kept, true), Proof::Other, "the decision was not about this");
}

#[test]
fn after_another_history_was_gone_on_with_no_receipt_of_the_first_one_stops_it() {
    let (data, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = keys.path().join("key");
    let receipts = Receipts::open(&key).unwrap();
    let seen = told(&mut reopened(data.path()), &receipts, &[2, 2]);
    let (other, _, _) = journal(&[1, 3, 5]);
    fs::copy(last_segment(other.path()), last_segment(data.path())).unwrap();
    assert!(matches!(refused(data.path()), JournalError::Diverged { .. }));
    let decided = Acceptance { after: 9, who: "ada", why: "no copy", at: WallTime(1) };
    accept(data.path(), decided).unwrap();
    let prove = |seen: &Seen| afresh(&key, data.path()).prove(seen, true);
    assert_eq!(prove(&seen[1]), Proof::Passes(Unproven::LossAccepted));
    let after = told(&mut reopened(data.path()), &receipts, &[3]);
    assert_eq!(prove(&after[0]), Proof::Here);
    assert_eq!(prove(&Seen { hash: [7; 16], ..after[0] }), Proof::Other);
}
