//! What is damaged, missing or of another history is refused by its place.

use super::super::error::Damage;
use super::*;
use crate::engine::event::Event;

#[test]
fn every_damaged_byte_of_a_row_is_refused_by_its_sequence() {
    let data = tempfile::tempdir().unwrap();
    let mut journal = reopened(data.path());
    let tip = journal.append(&next(journal.tip, 2)).unwrap();
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
            let connection = Connection::open(last_segment(data.path())).unwrap();
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
    assert_eq!(reopened(data.path()).recovered.tip.sequence, 3);
}

#[test]
fn wrong_numbers_beside_the_payload_are_refused() {
    for (change, expected) in
        [("crc = crc + 1", 4), ("crc = -1", 4), ("last_sequence = 5", 4), ("first_sequence = 9", 4)]
    {
        let (data, _, _) = journal(&[3, 1]);
        sql(data.path(), &format!("UPDATE batch SET {change} WHERE first_sequence = 4"));
        let error = refused(data.path());
        let JournalError::Damaged { sequence, .. } = error else { panic!("{change}: {error}") };
        assert_eq!(sequence, expected, "{change}");
    }
    // Before the first one it is nowhere, and what was acknowledged is missing.
    let (data, _, _) = journal(&[3, 1]);
    sql(data.path(), "UPDATE batch SET first_sequence = -9 WHERE first_sequence = 4");
    assert!(matches!(refused(data.path()), JournalError::AcknowledgedGone { recovered: 3, .. }));
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
    let path = last_segment(data.path());
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
        assert!(error.to_string().contains("segment-00000000000000000001.sqlite"), "{error}");
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
    assert!(said.contains("3 missing") && said.contains("surgeline journal accept-loss"), "{said}");
    // Asking again does not make it acceptable.
    assert!(matches!(refused(data.path()), JournalError::AcknowledgedGone { .. }));
    // Nor does losing the whole file.
    fs::remove_file(last_segment(data.path())).unwrap();
    assert!(matches!(refused(data.path()), JournalError::AcknowledgedGone { recovered: 0, .. }));
}

#[test]
fn rows_that_nobody_was_told_of_are_kept() {
    let (data, _, _) = journal(&[2]);
    let tip_file = Paths::of(data.path()).tip;
    let before = fs::read(&tip_file).unwrap();
    let mut journal = reopened(data.path());
    let tip = journal.append(&next(journal.tip, 3)).unwrap();
    drop(journal);
    fs::write(&tip_file, before).unwrap();
    let recovered = reopened(data.path()).recovered;
    assert_eq!((recovered.tip.sequence, recovered.tip.hash), (5, tip.hash));
}

#[test]
fn another_history_than_the_acknowledged_one_is_refused() {
    let (data, _, _) = journal(&[2, 2]);
    let (other, _, _) = journal(&[1, 3]);
    let (longer, _, _) = journal(&[4, 4]);
    for from in [&other, &longer] {
        fs::copy(last_segment(from.path()), last_segment(data.path())).unwrap();
        let error = refused(data.path());
        assert!(matches!(error, JournalError::Diverged { sequence: 4, .. }), "{error}");
        assert!(verify(data.path(), &mut |_| {}).is_err());
    }
    // The acknowledged tip in the middle of a batch.
    let (inside, _, _) = journal(&[5]);
    fs::copy(last_segment(inside.path()), last_segment(data.path())).unwrap();
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
    assert_eq!(reopened(data.path()).recovered.tip.sequence, 2);
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
        assert_eq!(reopened(data.path()).recovered.tip.sequence, 3, "slot at {slot}");
    }
}

#[test]
fn a_failed_append_poisons_the_writer() {
    let (data, written, _) = journal(&[2]);
    let mut journal = reopened(data.path());
    let other = Connection::open(last_segment(data.path())).unwrap();
    other.execute_batch("ALTER TABLE batch RENAME TO elsewhere").unwrap();
    let batch = next(journal.tip, 1);
    assert!(matches!(journal.append(&batch), Err(JournalError::Sqlite { .. })));
    // The cause is gone, but what the disk holds is not known.
    other.execute_batch("ALTER TABLE elsewhere RENAME TO batch").unwrap();
    assert!(matches!(journal.append(&batch), Err(JournalError::Poisoned)));
    assert!(matches!(journal.append(&batch), Err(JournalError::Poisoned)));
    drop((journal, other));
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
        let mut journal = reopened(data.path());
        assert!(matches!(journal.append(&bad), Err(JournalError::Refused(_))), "{bad:?}");
        assert!(matches!(journal.append(&next(tip, 1)), Err(JournalError::Poisoned)));
    }
    assert_eq!(open(data.path()).1, written);
}

#[test]
fn a_file_of_another_layout_is_refused() {
    let (data, _, _) = journal(&[1]);
    sql(data.path(), "PRAGMA user_version = 9");
    assert!(matches!(refused(data.path()), JournalError::Layout { found: 9, known: 2, .. }));
}
