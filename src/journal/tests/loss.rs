//! Each refusal, the command that it names, and that a start works then.

use super::*;
use crate::journal::loss::{Acceptance, LossError, accept, plan};

/// The `--after` that a refusal names.
fn advised(data: &Path, error: &JournalError) -> u64 {
    let said = error.to_string();
    let command = format!("surgeline journal accept-loss --data {} --after ", data.display());
    let (_, after) = said.split_once(&command).unwrap_or_else(|| panic!("no command: {said}"));
    let (after, rest) = after.split_once(' ').unwrap();
    assert!(rest.starts_with("--why \"...\"`"), "{said}");
    after.parse().unwrap()
}

fn decided(after: u64) -> Acceptance<'static> {
    Acceptance { after, who: "ada", why: "the disk is gone", at: WallTime(1_700_000_000_000) }
}

/// Does what the refusal says and gives what was lost, and what a start then has.
fn go_on(data: &Path) -> (Option<u64>, Vec<Batch>) {
    let error = refused(data);
    let after = advised(data, &error);
    let shown = plan(data, after).unwrap();
    assert_eq!(refused(data).to_string(), error.to_string(), "a plan changes nothing");
    assert_eq!(shown.refusal, Some(error.to_string()));
    let before = files(data).len();
    let (done, lost) = accept(data, decided(after)).unwrap();
    assert_eq!(done, shown);
    assert!(files(data).len() >= before, "nothing is deleted");
    assert!(lost.display().to_string().contains("lost-20231114T221320Z"), "{}", lost.display());
    let record = fs::read_to_string(Paths::of(data).folder.join("losses.jsonl")).unwrap();
    let record: serde_json::Value =
        serde_json::from_str(record.lines().next_back().unwrap()).unwrap();
    assert_eq!(record["who"], "ada");
    assert_eq!(record["from"], after + 1);
    assert_eq!(record["to"], done.lost_to);

    match verify(data, &mut |_| {}) {
        Ok(report) => assert_eq!(report.last_sequence, after),
        // Nothing was kept: the next start begins one.
        Err(error) => assert!(after == 0 && matches!(error, JournalError::NoJournal { .. })),
    }
    let (opened, batches) = open(data);
    let mut writing = opened.unwrap();
    assert_eq!(writing.recovered.tip, done.tip);
    assert!(writing.tip.epoch > done.tip.epoch);
    // And it goes on from there, in this process and the next.
    let more = writing.append_next(2);
    drop(writing);
    let mut all = batches.clone();
    all.push(more);
    assert_eq!(open(data).1, all);
    (done.acknowledged, batches)
}

#[test]
fn a_damaged_row_in_a_sealed_segment() {
    let (data, written, _) = journal_of(&[2, 3, 4, 1], TINY);
    let path = &segments(data.path())[2];
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("UPDATE batch SET crc = crc + 1").unwrap();
    drop(connection);
    let before = fs::read(path).unwrap();
    assert_eq!(go_on(data.path()), (Some(5), written[..2].to_vec()));
    let lost = Paths::of(data.path()).folder.join("lost-20231114T221320Z");
    assert_eq!(fs::read(lost.join(path.file_name().unwrap())).unwrap(), before);
}

#[test]
fn a_damaged_row_in_the_middle_of_a_segment() {
    let (data, written, _) = journal(&[2, 3, 4, 1]);
    sql(data.path(), "UPDATE batch SET payload = x'00' WHERE first_sequence = 6");
    let told = plan(data.path(), 5).unwrap();
    assert_eq!((told.first, told.lost_to, told.lost(), told.acknowledged), (1, 10, 5, Some(5)));
    assert_eq!(told.kept_wall, Some(written[1].wall));
    assert_eq!(told.lost_wall, Some(written[3].wall));
    assert_eq!(go_on(data.path()), (Some(5), written[..2].to_vec()));
}

#[test]
fn a_file_that_is_no_database_any_more() {
    let (data, written, _) = journal_of(&[2, 3, 4], TINY);
    fs::write(&segments(data.path())[1], [7; 5000]).unwrap();
    assert_eq!(go_on(data.path()), (Some(7), written[..1].to_vec()));
}

#[test]
fn a_file_of_another_layout() {
    let (data, written, _) = journal_of(&[2, 3], TINY);
    sql(data.path(), "PRAGMA user_version = 9");
    assert_eq!(go_on(data.path()), (Some(3), written[..1].to_vec()));
}

#[test]
fn everything_gone() {
    let (data, _, _) = journal(&[2, 3]);
    sql(data.path(), "UPDATE batch SET crc = crc + 1");
    assert_eq!(go_on(data.path()), (Some(5), vec![]));
}

#[test]
fn a_missing_segment() {
    let (data, written, _) = journal_of(&[2, 3, 4], TINY);
    fs::remove_file(&segments(data.path())[1]).unwrap();
    assert_eq!(go_on(data.path()), (Some(7), written[..1].to_vec()));
}

#[test]
fn a_doubled_segment() {
    let (data, written, _) = journal_of(&[2, 3, 4], TINY);
    let found = segments(data.path());
    fs::copy(&found[2], Paths::of(data.path()).segment(9).path).unwrap();
    assert_eq!(go_on(data.path()), (Some(0), written));
}

#[test]
fn acknowledged_entries_that_are_gone() {
    let (data, written, _) = journal(&[2, 3]);
    sql(data.path(), "DELETE FROM batch WHERE first_sequence = 3");
    assert_eq!(go_on(data.path()), (Some(3), written[..1].to_vec()));
}

#[test]
fn another_history() {
    let (data, _, _) = journal(&[2, 2]);
    let (other, written, _) = journal(&[1, 3, 5]);
    fs::copy(last_segment(other.path()), last_segment(data.path())).unwrap();
    assert!(matches!(refused(data.path()), JournalError::Diverged { .. }));
    assert_eq!(go_on(data.path()), (Some(0), written));
}

#[test]
fn a_tip_file_that_is_gone_or_damaged() {
    let (data, written, tip) = journal(&[2, 3]);
    let path = Paths::of(data.path()).tip;
    fs::remove_file(&path).unwrap();
    assert!(matches!(refused(data.path()), JournalError::TipMissing { .. }));
    let (acknowledged, batches) = go_on(data.path());
    assert_eq!((acknowledged, &batches), (None, &written));
    // What rows tell of the epochs that were is enough to begin a later one.
    assert!(reopened(data.path()).tip.epoch > tip.epoch + 1);
    fs::write(&path, "?").unwrap();
    assert!(matches!(refused(data.path()), JournalError::TipDamaged { .. }));
    assert_eq!(go_on(data.path()).0, None);
}

#[test]
fn a_whole_journal_is_not_given_up_and_batches_stay_whole() {
    let (data, _, _) = journal(&[2, 3]);
    assert!(matches!(plan(data.path(), 5), Err(LossError::NothingLost { end: 5 })));
    assert!(matches!(plan(data.path(), 4), Err(LossError::InsideBatch { after: 4, before: 2 })));
    sql(data.path(), "UPDATE batch SET crc = crc + 1 WHERE first_sequence = 3");
    let told = accept(data.path(), decided(5)).unwrap_err();
    assert!(matches!(told, LossError::NotWhole { after: 5, whole: 2, .. }), "{told}");
    assert!(told.to_string().contains("--after 2 at most"), "{told}");
    let _held = crate::journal::files::Lock::acquire(Paths::of(data.path()).lock).unwrap();
    let told = plan(data.path(), 2).unwrap_err();
    assert!(matches!(told, LossError::Journal(JournalError::Locked { .. })), "{told}");
}

#[test]
fn one_that_died_on_the_way_is_finished_by_a_repeat() {
    let (data, written, _) = journal(&[2, 3, 4]);
    sql(data.path(), "UPDATE batch SET crc = crc + 1 WHERE first_sequence = 6");
    // It died between moving the damaged segment away and putting the kept part into its place.
    let folder = Paths::of(data.path()).folder;
    let before = last_segment(data.path());
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("journal")).unwrap();
    for file in files(&folder) {
        fs::copy(&file, copy.path().join("journal").join(file.file_name().unwrap())).unwrap();
    }
    accept(copy.path(), decided(5)).unwrap();
    let name = before.file_name().unwrap().to_str().unwrap().replace("segment-", "kept-");
    fs::copy(last_segment(copy.path()), folder.join(name)).unwrap();
    fs::remove_file(before).unwrap();
    let told = refused(data.path());
    assert!(matches!(told, JournalError::LossUnfinished { .. }), "{told}");
    assert!(matches!(plan(data.path(), 5), Err(LossError::Unfinished)));
    accept(data.path(), decided(5)).unwrap();
    assert_eq!(open(data.path()).1, written[..2]);
}
