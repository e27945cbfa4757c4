//! Every byte of a small journal flipped, and every file cut at every byte: never a panic, and
//! never a silent loss of what was acknowledged.
//!
//! The short form steps over what lies far from rows and headers; `SURGELINE_LONG` looks at
//! each byte.

use super::*;
use crate::engine::event::Event;

/// Where the short form looks at every byte: headers, and what has been written.
const NEAR: usize = 160;
const STEP: usize = 97;

/// A journal with a sealed segment and one that died while it was written, log and all.
fn small() -> (tempfile::TempDir, Vec<Batch>) {
    let data = tempfile::tempdir().unwrap();
    let batch = |tip: Tip| {
        let events = vec![Event::Ordered { why: "small".into() }];
        let entries = vec![arbitrary::entry(tip.sequence + 1, events, &mut Source(1))];
        Batch { entries, mark: None, wall: WallTime(tip.sequence) }
    };
    let mut written = Vec::new();
    let mut writing = open_with(data.path(), Tip::default(), TINY).0.unwrap();
    let options = [TINY, Options::default()];
    for options in options {
        drop(writing);
        writing = open_with(data.path(), Tip::default(), options).0.unwrap();
        for _ in 0..2 {
            let next = batch(writing.tip);
            writing.append(&next).unwrap();
            written.push(next);
        }
    }
    let copy = tempfile::tempdir().unwrap();
    copy_of(data.path(), copy.path());
    drop(writing);
    (copy, written)
}

/// Copies what a process that dies now would leave.
fn copy_of(data: &Path, to: &Path) {
    let folder = to.join("journal");
    fs::create_dir_all(&folder).unwrap();
    for file in files(&data.join("journal")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with("-shm") && name != "lock" && name != "next.sqlite" {
            fs::copy(&file, folder.join(name)).unwrap();
        }
    }
}

/// Opens a copy in which one file holds these bytes. Either everything is there, or it is
/// refused; and a second look says the same.
fn holds_or_refuses(
    small: &Path,
    file: &Path,
    bytes: &[u8],
    written: &[Batch],
    what: &str,
) -> bool {
    let copy = tempfile::tempdir().unwrap();
    copy_of(small, copy.path());
    fs::write(copy.path().join("journal").join(file.file_name().unwrap()), bytes).unwrap();
    let what = || format!("{} {what}", file.display());
    let checked = verify(copy.path(), &mut |_| {});
    let mut batches = Vec::new();
    let each = &mut |b: Arc<Batch>, _| batches.push(Batch::clone(&b));
    match SqliteJournal::open(copy.path(), Tip::default(), each) {
        Ok(_) => {
            assert!(batches == written, "{}: {} batches, silently", what(), batches.len());
            assert!(checked.is_ok(), "{}: verify refuses what a start takes", what());
            true
        }
        Err(error) => {
            assert!(written.starts_with(&batches), "{}: {error}, but other batches", what());
            let said = error.to_string();
            assert!(said.contains("journal"), "{}: {said}", what());
            false
        }
    }
}

/// Which bytes to look at.
fn places(bytes: &[u8]) -> Vec<usize> {
    let all = std::env::var_os("SURGELINE_LONG").is_some();
    let near = |at: usize| {
        let around = &bytes[at.saturating_sub(8)..(at + 8).min(bytes.len())];
        at < NEAR || at + NEAR > bytes.len() || around.iter().filter(|b| **b != 0).count() > 3
    };
    // Rows are dense; of what is dense every ninth, of what is empty every 97th.
    let chosen =
        |at: usize| all || at < 32 || (near(at) && at.is_multiple_of(9)) || at.is_multiple_of(STEP);
    (0..bytes.len()).filter(|at| chosen(*at)).collect()
}

#[test]
fn no_flipped_byte_loses_anything_silently() {
    let (small, written) = small();
    let (mut held, mut refused) = (0, 0);
    for file in files(small.path()) {
        let bytes = fs::read(&file).unwrap();
        for at in places(&bytes) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            let what = format!("flipped at {at}");
            let fine = holds_or_refuses(small.path(), &file, &flipped, &written, &what);
            *(if fine { &mut held } else { &mut refused }) += 1;
        }
    }
    println!("{held} flips changed nothing, {refused} were refused");
    assert!(held > 10 && refused > 100, "{held} {refused}");
}

#[test]
fn no_cut_loses_anything_silently() {
    let (small, written) = small();
    let (mut held, mut refused) = (0, 0);
    for file in files(small.path()) {
        let bytes = fs::read(&file).unwrap();
        for at in places(&bytes) {
            let what = format!("cut at {at}");
            let fine = holds_or_refuses(small.path(), &file, &bytes[..at], &written, &what);
            *(if fine { &mut held } else { &mut refused }) += 1;
        }
    }
    println!("{held} cuts changed nothing, {refused} were refused");
    assert!(refused > 100, "{held} {refused}");
}

#[test]
fn a_torn_end_that_nobody_was_told_of_is_dropped_and_said() {
    let (small, written) = small();
    let log = segment::log_of(&last_segment(small.path()));
    let whole = fs::read(&log).unwrap();
    for torn in [1, 23, 24, 500, 4119, 4120, 9000] {
        let copy = tempfile::tempdir().unwrap();
        copy_of(small.path(), copy.path());
        let log = segment::log_of(&last_segment(copy.path()));
        let mut bytes = whole.clone();
        // A frame of the next transaction, cut off while it was written.
        bytes.extend(whole[32..].iter().cycle().take(torn));
        fs::write(&log, bytes).unwrap();
        let (opened, batches) = open(copy.path());
        assert_eq!(batches, written);
        assert_eq!(opened.unwrap().recovered.dropped, torn as u64, "torn at {torn}");
        assert_eq!(reopened(copy.path()).recovered.dropped, 0, "said once");
    }
}

#[test]
fn a_refusal_leaves_the_damaged_files_as_they_are() {
    let (small, _) = small();
    let log = segment::log_of(&last_segment(small.path()));
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, &bytes).unwrap();
    for _ in 0..2 {
        assert!(matches!(refused(small.path()), JournalError::AcknowledgedGone { .. }));
        assert!(fs::read(&log).unwrap() == bytes, "the log was changed");
    }
}
