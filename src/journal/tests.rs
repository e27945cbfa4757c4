//! The journal on a real disk: what is written comes back, and what is damaged, missing
//! or shared is refused by name.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::codec::arbitrary::{self, Source};
use super::error::Damage;
use super::recovery::Recovered;
use super::sqlite::{Paths, SqliteJournal};
use super::verify::verify;
use super::*;
use crate::engine::event::Event;
use crate::journal::seal::KeyStore;

type Opened = Result<(SqliteJournal, Recovered), JournalError>;

/// Opens a journal and gives what it held.
fn open(data: &Path) -> (Opened, Vec<Batch>) {
    let mut batches = Vec::new();
    let opened =
        SqliteJournal::open(data, Tip::default(), &mut |b, _| batches.push(Batch::clone(&b)));
    (opened, batches)
}

fn reopened(data: &Path) -> (SqliteJournal, Recovered) {
    open(data).0.unwrap()
}

fn refused(data: &Path) -> JournalError {
    match open(data).0 {
        Ok((_, recovered)) => panic!("opened: {recovered:?}"),
        Err(error) => error,
    }
}

/// A journal of these many entries by batch, closed, and what it holds.
fn journal(sizes: &[u64]) -> (tempfile::TempDir, Vec<Batch>, Tip) {
    let data = tempfile::tempdir().unwrap();
    let (mut journal, recovered) = reopened(data.path());
    assert_eq!(
        recovered,
        Recovered { tip: Tip { epoch: 1, ..Tip::default() }, ..Recovered::default() }
    );
    let mut batches = Vec::new();
    let mut tip = recovered.tip;
    for size in sizes {
        let batch = next(tip, *size);
        tip = journal.append(&batch).unwrap();
        assert_eq!(tip, journal.tip());
        batches.push(batch);
    }
    (data, batches, tip)
}

fn next(tip: Tip, entries: u64) -> Batch {
    arbitrary::batch(tip.sequence + 1, entries, &mut Source(tip.sequence))
}

/// Runs SQL on a closed journal's file.
fn sql(data: &Path, statement: &str) {
    let connection = Connection::open(Paths::of(data).segment).unwrap();
    connection.execute_batch(statement).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_was_appended_comes_back_and_goes_on() {
    let (data, mut written, tip) = journal(&[1, 3, 256]);
    assert_eq!((tip.epoch, tip.sequence), (1, 260));
    for epoch in 2..4 {
        let (opened, batches) = open(data.path());
        let (mut journal, recovered) = opened.unwrap();
        assert_eq!(batches, written);
        let last = written.last().unwrap();
        assert_eq!(recovered.tip.epoch, epoch);
        assert_eq!(recovered.tip.sequence, last.entries.last().unwrap().sequence);
        assert_eq!(recovered.batches, written.len() as u64);
        assert_eq!(recovered.entries, recovered.tip.sequence);
        assert_eq!(recovered.last_at, last.entries.last().unwrap().at);
        assert_eq!(recovered.last_wall, Some(last.wall));
        let batch = next(recovered.tip, 2);
        journal.append(&batch).unwrap();
        written.push(batch);
    }
}

#[test]
fn a_copy_taken_without_closing_holds_all_that_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let (mut journal, recovered) = reopened(data.path());
    let tip = journal.append(&next(recovered.tip, 5)).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("journal");
    fs::create_dir(&folder).unwrap();
    for file in files(data.path()) {
        fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
    let (_, recovered) = reopened(copy.path());
    assert_eq!(recovered.tip, Tip { epoch: 2, ..tip });
}

#[test]
fn folders_and_files_are_private() {
    let data = tempfile::tempdir().unwrap();
    let (mut journal, recovered) = reopened(data.path());
    journal.append(&next(recovered.tip, 1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&Paths::of(data.path()).folder), 0o700);
    let files = files(data.path());
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let data = tempfile::tempdir().unwrap();
    let first = reopened(data.path());
    assert!(matches!(refused(data.path()), JournalError::Locked { .. }));
    drop(first);
    reopened(data.path());
}

#[test]
fn every_damaged_byte_of_a_row_is_refused_by_its_sequence() {
    let data = tempfile::tempdir().unwrap();
    let (mut journal, recovered) = reopened(data.path());
    let tip = journal.append(&next(recovered.tip, 2)).unwrap();
    let events = vec![Event::Ordered { why: "a small row".into() }];
    let entries = vec![arbitrary::entry(3, events, &mut Source(1))];
    let small = Batch { entries, mark: None, wall: WallTime(1) };
    journal.append(&small).unwrap();
    drop(journal);
    let payload = super::codec::encode(&small, tip.hash).len();
    for (column, bytes) in [("payload", payload), ("previous_hash", 32), ("hash", 32)] {
        for at in 1..=bytes {
            let change = |to: &str| {
                sql(
                    data.path(),
                    &format!(
                        "UPDATE batch SET {column} = unhex(
                        substr(hex({column}), 1, 2 * ({at} - 1))
                        || printf('%02X', {to}) || substr(hex({column}), 2 * {at} + 1)
                    ) WHERE first_sequence = 3"
                    ),
                );
            };
            let connection = Connection::open(Paths::of(data.path()).segment).unwrap();
            let byte: u8 = connection
                .query_row(
                    &format!(
                        "SELECT hex(substr({column}, {at}, 1)) FROM batch WHERE first_sequence = 3"
                    ),
                    [],
                    |r| r.get::<_, String>(0),
                )
                .map(|hex| u8::from_str_radix(&hex, 16).unwrap())
                .unwrap();
            drop(connection);
            change(&(byte ^ 0x40).to_string());
            let error = refused(data.path());
            assert!(
                matches!(error, JournalError::Damaged { sequence: 3, .. }),
                "{column} byte {at}: {error}"
            );
            assert!(error.to_string().contains("entry 3"), "{error}");
            assert!(verify(data.path(), &mut |_| {}).is_err());
            change(&byte.to_string());
        }
    }
    // And with every byte put back it opens again, so that it was the damage each time.
    assert_eq!(reopened(data.path()).1.tip.sequence, 3);
}

#[test]
fn wrong_numbers_beside_the_payload_are_refused() {
    for (change, expected) in [
        ("crc = crc + 1", 4),
        ("crc = -1", 4),
        ("last_sequence = 5", 4),
        ("first_sequence = 9", 4),
        ("first_sequence = -9", 1),
    ] {
        let (data, _, _) = journal(&[3, 1]);
        sql(data.path(), &format!("UPDATE batch SET {change} WHERE first_sequence = 4"));
        let error = refused(data.path());
        let JournalError::Damaged { sequence, .. } = error else { panic!("{change}: {error}") };
        assert_eq!(sequence, expected, "{change}");
    }
}

#[test]
fn a_row_that_is_gone_from_the_middle_is_refused() {
    let (data, _, _) = journal(&[1, 2, 3]);
    sql(data.path(), "DELETE FROM batch WHERE first_sequence = 2");
    let error = refused(data.path());
    let JournalError::Damaged { sequence: 2, damage, .. } = error else { panic!("{error}") };
    assert_eq!(damage, Damage::Sequence { expected: 2, found: 4 });
}

#[test]
fn a_damaged_page_is_refused_with_the_place() {
    let (data, _, _) = journal(&[200, 200, 200]);
    let path = Paths::of(data.path()).segment;
    let bytes = fs::read(&path).unwrap();
    for page in 1..bytes.len() / 4096 {
        let mut damaged = bytes.clone();
        damaged[page * 4096..page * 4096 + 64].fill(0xff);
        fs::write(&path, damaged).unwrap();
        let error = refused(data.path());
        assert!(
            matches!(
                error,
                JournalError::Damaged { .. }
                    | JournalError::Unreadable { .. }
                    | JournalError::Sqlite { .. }
            ),
            "page {page}: {error}"
        );
        assert!(error.to_string().contains("journal-00000001.sqlite"), "{error}");
    }
}

#[test]
fn acknowledged_entries_that_are_gone_are_refused_with_what_is_missing() {
    let (data, _, _) = journal(&[2, 3]);
    sql(data.path(), "DELETE FROM batch WHERE first_sequence = 3");
    let error = refused(data.path());
    assert!(
        matches!(error, JournalError::AcknowledgedGone { recovered: 2, acknowledged: 5, .. }),
        "{error}"
    );
    let said = error.to_string();
    assert!(said.contains("3 missing") && said.contains("surgeline journal verify"), "{said}");
    // Asking again does not make it acceptable.
    assert!(matches!(refused(data.path()), JournalError::AcknowledgedGone { .. }));
    // Nor does losing the whole file.
    fs::remove_file(Paths::of(data.path()).segment).unwrap();
    assert!(matches!(refused(data.path()), JournalError::AcknowledgedGone { recovered: 0, .. }));
}

#[test]
fn rows_that_nobody_was_told_of_are_kept() {
    let (data, _, _) = journal(&[2]);
    let tip_file = Paths::of(data.path()).tip;
    let before = fs::read(&tip_file).unwrap();
    let (mut journal, recovered) = reopened(data.path());
    let tip = journal.append(&next(recovered.tip, 3)).unwrap();
    drop(journal);
    fs::write(&tip_file, before).unwrap();
    let (_, recovered) = reopened(data.path());
    assert_eq!((recovered.tip.sequence, recovered.tip.hash), (5, tip.hash));
}

#[test]
fn another_history_than_the_acknowledged_one_is_refused() {
    let (data, _, _) = journal(&[2, 2]);
    let (other, _, _) = journal(&[1, 3]);
    let (longer, _, _) = journal(&[4, 4]);
    for from in [&other, &longer] {
        fs::copy(Paths::of(from.path()).segment, Paths::of(data.path()).segment).unwrap();
        let error = refused(data.path());
        assert!(matches!(error, JournalError::Diverged { sequence: 4, .. }), "{error}");
        assert!(verify(data.path(), &mut |_| {}).is_err());
    }
    // The acknowledged tip in the middle of a batch.
    let (inside, _, _) = journal(&[5]);
    fs::copy(Paths::of(inside.path()).segment, Paths::of(data.path()).segment).unwrap();
    assert!(matches!(refused(data.path()), JournalError::Diverged { sequence: 4, .. }));
}

#[test]
fn a_tip_file_that_is_gone_or_damaged_is_refused() {
    let (data, _, _) = journal(&[2]);
    let path = Paths::of(data.path()).tip;
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(refused(data.path()), JournalError::TipMissing { recovered: 2, .. }));
    assert!(!path.exists(), "refusing must not make one");
    fs::write(&path, vec![0; whole.len()]).unwrap();
    assert!(matches!(refused(data.path()), JournalError::TipDamaged { .. }));
    fs::write(&path, whole).unwrap();
    assert_eq!(reopened(data.path()).1.tip.sequence, 2);
}

#[test]
fn a_torn_tip_slot_is_tolerated() {
    let (data, _, _) = journal(&[1, 1, 1]);
    let path = Paths::of(data.path()).tip;
    let whole = fs::read(&path).unwrap();
    for slot in [0, 4096] {
        let mut torn = whole.clone();
        torn[slot + 30..slot + 512].fill(0);
        fs::write(&path, torn).unwrap();
        assert_eq!(reopened(data.path()).1.tip.sequence, 3, "slot at {slot}");
    }
}

#[test]
fn a_failed_append_poisons_the_writer() {
    let (data, written, _) = journal(&[2]);
    let (mut journal, recovered) = reopened(data.path());
    let other = Connection::open(Paths::of(data.path()).segment).unwrap();
    other.execute_batch("ALTER TABLE batch RENAME TO elsewhere").unwrap();
    let batch = next(recovered.tip, 1);
    assert!(matches!(journal.append(&batch), Err(JournalError::Sqlite { .. })));
    // The cause is gone, but what the disk holds is not known.
    other.execute_batch("ALTER TABLE elsewhere RENAME TO batch").unwrap();
    assert!(matches!(journal.append(&batch), Err(JournalError::Poisoned)));
    assert!(matches!(journal.append(&batch), Err(JournalError::Poisoned)));
    drop((journal, other));
    assert_eq!(open(data.path()).1, written);
}

#[test]
fn the_log_stays_small_while_the_journal_grows() {
    let (data, mut written, mut tip) = journal(&[]);
    let (mut journal, _) = reopened(data.path());
    let log = Paths::of(data.path()).segment.with_extension("sqlite-wal");
    let mut total = 0;
    while total < 40 << 20 {
        let mut batch = next(tip, 1);
        let why = "x".repeat(1 << 20);
        batch.entries[0].events = vec![Event::Ordered { why: why.as_str().into() }];
        total += why.len();
        tip = journal.append(&batch).unwrap();
        written.push(batch);
        assert!(fs::metadata(&log).unwrap().len() < 8 << 20);
    }
    drop(journal);
    assert_eq!(open(data.path()).1, written);
}

#[test]
fn a_batch_that_does_not_continue_is_refused_and_nothing_is_written() {
    let (data, written, tip) = journal(&[2]);
    let hole = next(Tip { sequence: 7, ..tip }, 1);
    let repeat = next(Tip::default(), 1);
    let none = Batch { entries: vec![], ..next(tip, 1) };
    let mut hollow = next(tip, 2);
    hollow.entries[1].events.clear();
    let mut gap = next(tip, 3);
    gap.entries.remove(1);
    for bad in [hole, repeat, none, hollow, gap] {
        let (mut journal, _) = reopened(data.path());
        assert!(matches!(journal.append(&bad), Err(JournalError::Refused(_))), "{bad:?}");
        assert!(matches!(journal.append(&next(tip, 1)), Err(JournalError::Poisoned)));
    }
    assert_eq!(open(data.path()).1, written);
}

#[test]
fn verify_reads_beside_a_writer_and_changes_nothing() {
    let (data, mut written, _) = journal(&[3, 4]);
    let before: Vec<_> = files(data.path()).iter().map(|f| fs::read(f).unwrap()).collect();
    let mut told = Vec::new();
    let report = verify(data.path(), &mut |n| told.push(n)).unwrap();
    let after: Vec<_> = ["lock", "journal-00000001.sqlite", "tip"]
        .iter()
        .map(|f| fs::read(data.path().join("journal").join(f)).unwrap())
        .collect();
    assert!(after.iter().all(|f| before.contains(f)));
    assert_eq!(told, [7]);

    let (mut journal, recovered) = reopened(data.path());
    assert_eq!((report.batches, report.entries), (2, 7));
    assert_eq!((report.first_sequence, report.last_sequence), (1, 7));
    assert_eq!(report.tip, Tip { epoch: 1, ..recovered.tip });
    let batch = next(recovered.tip, 2);
    let tip = journal.append(&batch).unwrap();
    written.push(batch);
    let report = verify(data.path(), &mut |_| {}).unwrap();
    assert_eq!((report.tip, report.entries), (tip, 9));
    assert_eq!(report.marks, written.iter().filter(|b| b.mark.is_some()).count() as u64);
    assert!(report.bytes > 0);
}

#[test]
fn verify_says_when_there_is_no_journal() {
    let data = tempfile::tempdir().unwrap();
    let error = verify(data.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, JournalError::NoJournal { .. }), "{error}");
    assert_eq!(files(data.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_file_of_another_layout_is_refused() {
    let (data, _, _) = journal(&[1]);
    sql(data.path(), "PRAGMA user_version = 9");
    assert!(matches!(refused(data.path()), JournalError::Layout { found: 9, known: 1, .. }));
}

#[test]
fn no_sealed_words_are_in_any_file() {
    let canary = b"CANARY +41 79 555 01 23 Ada Lovelace";
    let data = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(data.path()).unwrap();
    let customer = keys.customer("CANARY +41 79 555 01 23");
    let sealed = keys.seal(Some(customer), canary);
    let (mut journal, recovered) = reopened(data.path());
    let mut batch = next(recovered.tip, 1);
    batch.entries[0].sealed = Some(sealed.clone());
    journal.append(&batch).unwrap();
    for file in files(data.path()) {
        let bytes = fs::read(&file).unwrap();
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|w| w == part);
        assert!(!holds(b"CANARY") && !holds(b"Ada Lovelace"), "{}", file.display());
    }
    drop((journal, keys));
    let (_, batches) = open(data.path());
    let back = batches[0].entries[0].sealed.clone().unwrap();
    assert_eq!(back, sealed);
    let keys = KeyStore::open(data.path()).unwrap();
    assert_eq!(keys.unseal(&back).as_deref(), Some(&canary[..]));
}
