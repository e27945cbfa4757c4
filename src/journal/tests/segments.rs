//! Segments: rolling, reading beside the writer, trimming, epochs.

use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::*;
use crate::journal::sqlite::SEGMENT_BYTES;

/// Reads all that is durable and follows.
fn read(reader: &mut JournalReader) -> (Result<Tip, JournalError>, Vec<Batch>) {
    let mut batches = Vec::new();
    let end = reader.read(&mut |batch, _| batches.push(Batch::clone(&batch)));
    (end, batches)
}

fn firsts(data: &Path) -> Vec<u64> {
    let found = segment::list(&Paths::of(data).folder).unwrap();
    found.iter().map(|segment| segment.first).collect()
}

fn logs(data: &Path) -> Vec<PathBuf> {
    let logs = segments(data).into_iter().map(|path| segment::log_of(&path));
    logs.filter(|log| segment::length(log).unwrap() > 0).collect()
}

#[test]
fn a_full_segment_is_followed_by_another_and_all_comes_back() {
    let (data, written, tip) = journal_of(&[3, 1, 2, 5], TINY);
    assert_eq!(firsts(data.path()), [1, 4, 5, 7]);
    assert_eq!(logs(data.path()), Vec::<PathBuf>::new(), "closing leaves all of them sealed");
    let (opened, batches) = open(data.path());
    assert_eq!(batches, written);
    assert_eq!(opened.unwrap().recovered.tip, tip);
    let report = verify(data.path(), &mut |_| {}).unwrap();
    assert_eq!((report.segments, report.first_sequence, report.last_sequence), (4, 1, 11));
}

#[test]
fn a_segment_goes_on_until_it_is_full() {
    let options = Options { segment_bytes: 256 << 10 };
    let (data, written, _) = journal_of(&[40; 60], options);
    let found = segments(data.path());
    assert!((2..30).contains(&found.len()), "{found:?}");
    for sealed in &found[..found.len() - 1] {
        let bytes = segment::length(sealed).unwrap();
        assert!(bytes < 2 * options.segment_bytes, "{bytes} in {}", sealed.display());
    }
    assert_eq!(open(data.path()).1, written);
    assert_eq!(SEGMENT_BYTES, Options::default().segment_bytes);
}

#[test]
fn segments_that_were_not_sealed_are_sealed_by_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let mut writing = open_with(data.path(), Tip::default(), TINY).0.unwrap();
    let written: Vec<Batch> = (0..3).map(|_| writing.append_next(4)).collect();
    // As a power cut would leave them: the last as it is, one as before it was sealed.
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("journal");
    fs::create_dir(&folder).unwrap();
    let live = last_segment(data.path());
    assert!(segment::length(&segment::log_of(&live)).unwrap() > 0, "nothing moves it meanwhile");
    for file in [live.clone(), segment::log_of(&live), Paths::of(data.path()).tip] {
        fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
    drop(writing);
    for file in &segments(data.path())[..2] {
        fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
    let middle = &segments(copy.path())[1];
    let connection = segment::connect(middle).unwrap();
    connection.execute_batch("UPDATE batch SET epoch = epoch + 1").unwrap();
    segment::keep_log(&connection, true).unwrap();
    drop(connection);
    assert_eq!(logs(copy.path()).len(), 2);
    let (opened, batches) = open(copy.path());
    assert_eq!(batches, written);
    drop(opened.unwrap());
    assert_eq!(logs(copy.path()), Vec::<PathBuf>::new());
    assert_eq!(open(copy.path()).1, written);
}

#[test]
fn only_what_follows_a_snapshot_is_opened() {
    let (data, written, _) = journal_of(&[2, 2, 2, 2], TINY);
    let mut tips = Vec::new();
    let each = &mut |_: Arc<Batch>, tip| tips.push(tip);
    drop(SqliteJournal::open(data.path(), Tip::default(), each).unwrap());
    // Damaged beyond reading, and not needed.
    for earlier in &segments(data.path())[..2] {
        fs::write(earlier, "no database").unwrap();
    }
    for (at, tip) in tips.iter().enumerate().skip(1) {
        let (opened, batches) = open_with(data.path(), *tip, TINY);
        let recovered = opened.unwrap().recovered;
        assert_eq!(batches, written[at + 1..], "after {}", tip.sequence);
        assert_eq!(recovered.tip.sequence, 8);
    }
    assert!(open_with(data.path(), tips[0], TINY).0.is_err());
    // One that is ahead of the journal, or of another one, is not built on.
    let ahead = Tip { sequence: 9, ..tips[3] };
    let error = open_with(data.path(), ahead, TINY).0.err().unwrap();
    assert!(matches!(error, JournalError::AcknowledgedGone { recovered: 8, .. }), "{error}");
    let other = Tip { hash: [9; 32], ..tips[2] };
    let error = open_with(data.path(), other, TINY).0.err().unwrap();
    assert!(matches!(error, JournalError::Diverged { sequence: 6, .. }), "{error}");
    assert!(
        error.to_string().contains("--after 8 "),
        "nothing of the journal is at fault: {error}"
    );
    let other = Tip { hash: [9; 32], ..tips[3] };
    let error = open_with(data.path(), other, TINY).0.err().unwrap();
    assert!(matches!(error, JournalError::Diverged { sequence: 8, .. }), "{error}");
}

#[test]
fn segments_that_are_missing_doubled_or_foreign_are_refused_by_name() {
    let (data, _, _) = journal_of(&[2, 3, 2, 2], TINY);
    let found = segments(data.path());
    let aside = data.path().join("aside");
    fs::rename(&found[1], &aside).unwrap();
    let error = refused(data.path());
    assert!(matches!(error, JournalError::SegmentMissing { expected: 3, found: 6, .. }), "{error}");
    assert!(
        error.to_string().contains("entries 3 to 5") && error.to_string().contains("--after 2")
    );
    fs::rename(&aside, &found[1]).unwrap();

    let double = Paths::of(data.path()).segment(4).path;
    fs::copy(&found[1], &double).unwrap();
    let error = refused(data.path());
    assert!(matches!(&error, JournalError::Overlap { path, found: 4, .. } if *path == double));
    fs::remove_file(&double).unwrap();

    let (other, _, _) = journal_of(&[2, 2, 3, 2], TINY);
    fs::rename(&found[3], &aside).unwrap();
    fs::copy(&segments(other.path())[3], &found[3]).unwrap();
    assert!(matches!(refused(data.path()), JournalError::Damaged { sequence: 8, .. }));
    fs::rename(&aside, &found[3]).unwrap();

    // The first one is not asked for again: a snapshot must hold it.
    fs::remove_file(&found[0]).unwrap();
    assert!(matches!(refused(data.path()), JournalError::Trimmed { asked: 1, first: 3, .. }));
}

#[test]
fn an_old_epoch_writes_nothing_and_a_lost_compare_ends_it() {
    let (data, _, _) = journal(&[2]);
    let each = &mut |_: Arc<Batch>, _: Tip| {};
    let (mut journal, recovered) = SqliteJournal::open(data.path(), Tip::default(), each).unwrap();
    let batch = next(recovered.tip, 1);
    let told = journal.append(1, 2, &batch).unwrap_err();
    assert!(matches!(told, JournalError::Superseded { epoch: 1, .. }), "not acquired: {told}");
    let first = journal.acquire().unwrap();
    let second = journal.acquire().unwrap();
    assert_eq!((first.epoch, second.epoch), (2, 3));
    let told = journal.append(first.epoch, 2, &batch).unwrap_err();
    assert!(matches!(told, JournalError::Superseded { epoch: 2, current: 3 }), "{told}");
    let tip = journal.append(second.epoch, 2, &batch).unwrap();
    // The same batch again: the tip is not what its writer thinks.
    let told = journal.append(second.epoch, 2, &batch).unwrap_err();
    assert!(matches!(told, JournalError::Moved { after: 2, tip: 3 }), "{told}");
    let told = journal.append(second.epoch, 3, &next(tip, 1)).unwrap_err();
    assert!(matches!(told, JournalError::Superseded { epoch: 3, .. }), "final: {told}");
    let third = journal.acquire().unwrap();
    assert_eq!(third, Tip { epoch: 4, ..tip });
    journal.append(third.epoch, 3, &next(third, 1)).unwrap();
    drop(journal);
    assert_eq!(reopened(data.path()).recovered.tip.epoch, 4);
}

#[test]
fn trimming_drops_whole_segments_and_what_is_left_is_sound() {
    let (data, written, _) = journal_of(&[2, 2, 2, 2], TINY);
    let mut tips = Vec::new();
    let each = &mut |_: Arc<Batch>, tip| tips.push(tip);
    drop(SqliteJournal::open(data.path(), Tip::default(), each).unwrap());
    let mut writing = open_with(data.path(), tips[2], TINY).0.unwrap();
    assert_eq!(writing.journal.trim(1).unwrap(), Trimmed { segments: 0, first: 1 });
    assert_eq!(writing.journal.trim(3).unwrap(), Trimmed { segments: 1, first: 3 });
    assert_eq!(writing.journal.trimmer().trim(u64::MAX).unwrap().first, 7);
    assert_eq!(firsts(data.path()), [7], "the one that is written stays");

    let report = verify(data.path(), &mut |_| {}).unwrap();
    assert_eq!((report.first_sequence, report.entries, report.tip), (7, 2, writing.tip));
    let (end, batches) = read(&mut JournalReader::at_beginning(data.path()).unwrap());
    assert_eq!((end.unwrap(), &batches[..]), (Tip { epoch: 1, ..tips[3] }, &written[3..]));
    let (end, _) = read(&mut JournalReader::new(data.path(), tips[0]));
    let told = end.unwrap_err();
    assert!(matches!(told, JournalError::Trimmed { asked: 3, first: 7, .. }), "{told}");
    assert!(told.to_string().contains("begins at entry 7"), "{told}");
    drop(writing);
    assert_eq!(open_with(data.path(), tips[2], TINY).1, written[3..]);
    assert!(matches!(refused(data.path()), JournalError::Trimmed { asked: 1, first: 7, .. }));
}

#[test]
fn a_reader_follows_beside_a_writer_over_rolls_seals_and_trims() {
    let data = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 64 << 10 };
    let mut writing = open_with(data.path(), Tip::default(), options).0.unwrap();
    let trimmer = writing.journal.trimmer();
    let done = AtomicBool::new(false);
    let (written, seen) = std::thread::scope(|scope| {
        let follow = scope.spawn(|| {
            let mut reader = JournalReader::new(data.path(), Tip::default());
            let mut seen = Vec::new();
            loop {
                let last = done.load(Ordering::SeqCst);
                let (end, batches) = read(&mut reader);
                seen.extend(batches);
                // What it has is no longer needed.
                trimmer.trim(end.unwrap().sequence).unwrap();
                if last {
                    return seen;
                }
            }
        });
        let written: Vec<Batch> = (0..300).map(|n| writing.append_next(1 + n % 7)).collect();
        done.store(true, Ordering::SeqCst);
        (written, follow.join().unwrap())
    });
    assert!(seen == written, "{} of {}", seen.len(), written.len());
    assert!(firsts(data.path())[0] > 1, "nothing was trimmed");
}

#[test]
fn a_reader_does_not_see_what_was_not_acknowledged() {
    let (data, written, _) = journal(&[2]);
    let tip_file = Paths::of(data.path()).tip;
    let before = fs::read(&tip_file).unwrap();
    reopened(data.path()).append_next(3);
    fs::write(&tip_file, before).unwrap();
    let (end, batches) = read(&mut JournalReader::new(data.path(), Tip::default()));
    assert_eq!((end.unwrap().sequence, batches), (2, written));
}

#[test]
fn an_error_of_the_keeper_is_said_at_the_next_append_and_is_final() {
    let (data, _, _) = journal(&[]);
    let mut writing = open_with(data.path(), Tip::default(), TINY).0.unwrap();
    let written: Vec<Batch> = (0..2).map(|_| writing.append_next(1)).collect();
    // Where the next segment will be laid out there is something that no file replaces.
    let next_path = Paths::of(data.path()).next;
    fs::create_dir(&next_path).unwrap();
    let failed = writing.append(&next(writing.tip, 1)).unwrap_err();
    assert!(matches!(&failed, JournalError::Io { path, .. } if *path == next_path), "{failed}");
    assert!(matches!(writing.append(&next(writing.tip, 1)), Err(JournalError::Poisoned)));
    assert!(matches!(writing.journal.acquire(), Err(JournalError::Poisoned)));
    drop(writing);
    fs::remove_dir(next_path).unwrap();
    assert_eq!(open(data.path()).1, written);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the sizes, a reader that stops and goes on anywhere gets every batch once.
    #[test]
    fn a_reader_gets_everything_once(
        sizes in prop::collection::vec(1u64..40, 1..24),
        segment_bytes in 1u64..200_000,
        stops in prop::collection::vec(1usize..6, 0..12),
    ) {
        let (data, written, tip) = journal_of(&sizes, Options { segment_bytes });
        let mut reader = JournalReader::at_beginning(data.path()).unwrap();
        let mut seen = Vec::new();
        for stop in stops {
            let mut left = stop;
            reader.read_while(&mut |batch, _| {
                seen.push(Batch::clone(&batch));
                left -= 1;
                left > 0
            }).unwrap();
            // Another process would go on from what it wrote down.
            reader = JournalReader::new(data.path(), reader.at());
        }
        let (end, rest) = read(&mut reader);
        seen.extend(rest);
        prop_assert_eq!(end.unwrap().sequence, tip.sequence);
        prop_assert!(seen == written);
        let middle = tip.sequence.div_ceil(2);
        let mut reader = JournalReader::at_beginning(data.path()).unwrap();
        reader.skip_to(middle).unwrap();
        let (_, rest) = read(&mut reader);
        prop_assert!(rest[0].entries.iter().any(|e| e.sequence == middle));
        prop_assert!(written.ends_with(&rest));
    }
}
