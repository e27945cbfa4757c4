//! A start that cannot replay, or cannot read on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::*;
use crate::engine::entry::{Actor, Entry, Role};
use crate::engine::event::Event;
use crate::journal::sqlite::SqliteJournal;
use crate::journal::{Batch, Journal as _};
use crate::time::{EngineTime, WallTime};

/// More than wait to be replayed.
const BATCHES: u64 = 40;

fn segment(data: &Path) -> PathBuf {
    data.join("journal").join("segment-00000000000000000001.sqlite")
}

/// A journal of small batches, as a process leaves it that dies.
fn left(data: &Path) {
    let first = tempfile::tempdir().expect("a folder");
    let opened = SqliteJournal::open(first.path(), Tip::default(), &mut |_, _| {});
    let mut journal = opened.expect("a journal").0;
    let mut tip = journal.acquire().expect("an epoch");
    for sequence in 1..=BATCHES {
        let entry = Entry {
            sequence,
            at: EngineTime(sequence),
            actor: Actor { role: Role::Router, name: "test".into() },
            request: None,
            sealed: None,
            events: vec![Event::Ordered { why: "because".into() }],
        };
        let batch = Batch { entries: vec![entry], mark: None, wall: WallTime(1) };
        tip = journal.append(tip.epoch, tip.sequence, &batch).expect("written");
    }
    std::fs::create_dir(data.join("journal")).expect("a folder");
    let log = segment(first.path()).with_extension("sqlite-wal");
    for path in [segment(first.path()), log, first.path().join("journal").join("tip")] {
        let name = path.file_name().expect("a file");
        std::fs::copy(&path, data.join("journal").join(name)).expect("copied");
    }
}

#[test]
fn a_replay_that_panics_ends_the_start_and_leaves_the_journal_as_it_is() {
    let data = tempfile::tempdir().expect("a folder");
    // A transaction that was being written.
    left(data.path());
    let log = segment(data.path()).with_extension("sqlite-wal");
    let mut bytes = std::fs::read(&log).expect("there is a log");
    bytes.extend_from_within(32..532);
    std::fs::write(&log, bytes).expect("written");
    for panics_at in [1, BATCHES] {
        let (mut replayed, mut read) = (0, 0);
        let replay = |_, tip: Tip| {
            assert!(tip.sequence < panics_at, "as the test wants");
            replayed = tip.sequence;
        };
        let progress = &mut |at: Progress| read = at.entries;
        let start = AssertUnwindSafe(|| read::read(data.path(), Tip::default(), replay, progress));
        assert!(catch_unwind(start).is_err(), "the panic goes on");
        assert_eq!(replayed, panics_at - 1);
        assert!(panics_at > 1 || read < BATCHES, "{read} were read for nobody");
    }
    let (_, recovered) = read::read(data.path(), Tip::default(), |_, _| {}, &mut |_| {})
        .expect("nothing is wrong with it");
    assert_eq!((recovered.entries, recovered.dropped), (BATCHES, 500), "it is said now");
}

#[test]
fn damage_is_told_with_how_to_go_on_whatever_the_replay_does() {
    let data = tempfile::tempdir().expect("a folder");
    left(data.path());
    let file = rusqlite::Connection::open(segment(data.path())).expect("it opens");
    file.execute("UPDATE batch SET crc = crc + 1 WHERE first_sequence = 3", []).expect("damaged");
    drop(file);
    for panics in [false, true] {
        let mut replayed = 0;
        let replay = |_, tip: Tip| {
            assert!(!panics || tip.sequence < 2, "as the test wants");
            replayed = tip.sequence;
        };
        let error = read::read(data.path(), Tip::default(), replay, &mut |_| {}).err();
        let told = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("accept-loss") && told.contains("--after 2"), "{told}");
        assert_eq!(replayed, if panics { 1 } else { 2 }, "what is whole");
    }
}
