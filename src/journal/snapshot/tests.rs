//! Tests of snapshots: what was written comes back, and what was damaged never does.

use std::path::PathBuf;
use std::{env, fs};

use proptest::prelude::*;

use super::kept::{Found, Snapshots};
use super::*;
use crate::journal::codec::arbitrary::{Any, Source};
use crate::journal::codec::image::seen::ITEMS_KEPT;

const FIXTURE_SEED: u64 = 20_261_122;

fn any(seed: u64) -> Snapshot {
    Any::any(&mut Source(seed))
}

/// Of an empty engine, with little beside it: every byte of it can be damaged in a test.
fn small(sequence: u64) -> Snapshot {
    let engine = crate::engine::Engine::default().image();
    let mut snapshot = any(7);
    snapshot.seen.timelines.clear();
    snapshot.seen.recalls.truncate(1);
    Snapshot { tip: Tip { sequence, ..snapshot.tip }, engine, ..snapshot }
}

fn written(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    file::write(snapshot, &mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    fs::write(&path, bytes).unwrap();
    file::read(&path)
}

fn newest(kept: &Snapshots) -> Found<Snapshot> {
    kept.newest(Ok).unwrap()
}

fn names(data: &Path) -> Vec<String> {
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(data.join("snapshots")).unwrap().map(name).collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_snapshot_comes_back_as_it_was(seed: u64) {
        let snapshot = any(seed);
        prop_assert_eq!(read(&written(&snapshot)).unwrap(), snapshot);
    }
}

#[test]
fn many_contacts_are_many_parts_in_order() {
    let mut snapshot = any(3);
    let mut from = Source(5);
    snapshot.engine.contacts = (0..1_000).map(|_| Any::any(&mut from)).collect();
    snapshot.engine.recalls = (0..5).map(|_| Any::any(&mut from)).collect();
    snapshot.seen.tracks = (0..700).map(|_| Any::any(&mut from)).collect();
    assert_eq!(read(&written(&snapshot)).unwrap(), snapshot);
}

#[test]
fn of_a_long_timeline_the_last_items_are_kept_and_the_rest_is_counted() {
    let mut snapshot = any(3);
    let mut from = Source(9);
    let items: Vec<seen::TimelineItem> = (0..40).map(|_| Any::any(&mut from)).collect();
    let timeline = seen::Timeline { items: items.clone(), forgotten: 100 };
    snapshot.seen.timelines = vec![(crate::ids::ContactId(1), timeline.into())];
    let back = read(&written(&snapshot)).unwrap();
    let (_, timeline) = &back.seen.timelines[0];
    assert_eq!(timeline.items, items[40 - ITEMS_KEPT..]);
    assert_eq!(timeline.forgotten, 100 + 40 - ITEMS_KEPT as u64);
}

#[test]
fn a_changed_byte_anywhere_is_told_with_its_place() {
    let bytes = written(&small(1));
    let mut damaged = bytes.clone();
    for at in 0..bytes.len() {
        for bit in [1, 128] {
            damaged[at] ^= bit;
            let error = read(&damaged).expect_err("it is another file");
            let told = error.to_string();
            assert!(told.contains("/snapshot"), "byte {at}: {told}");
            assert!(error.is_damage() && told.contains("damaged at byte"), "byte {at}: {told}");
            damaged[at] ^= bit;
        }
    }
    assert_eq!(read(&damaged).unwrap(), small(1));
}

#[test]
fn cut_or_continued_anywhere_it_is_refused() {
    let bytes = written(&small(1));
    for cut in 0..bytes.len() {
        let error = read(&bytes[..cut]).expect_err("it is shorter");
        assert!(matches!(error, SnapshotError::Damaged { damage: Damage::Cut, .. }), "{error}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    let error = read(&longer).expect_err("it is longer");
    assert!(matches!(error, SnapshotError::Damaged { damage: Damage::Longer, .. }), "{error}");
}

#[test]
fn a_part_of_a_newer_version_is_refused_and_not_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    // Field 1000, which no version has yet, in a file that is whole.
    let part = [0xc2, 0x3e, 0];
    let mut bytes = b"SRGSNAP\n\x01\0\0\0P\x03\0\0\0".to_vec();
    bytes.extend(crc32fast::hash(&part).to_le_bytes());
    bytes.extend(part);
    bytes.extend(b"E\x01\0\0\0");
    let hash = *blake3::hash(&bytes).as_bytes();
    bytes.extend(hash);
    fs::write(&path, bytes).unwrap();
    let error = file::read(&path).expect_err("nobody knows that part");
    assert!(matches!(error, SnapshotError::Content { part: 1, .. }), "{error}");
    assert!(!error.is_damage());
}

#[test]
fn a_file_of_a_newer_layout_is_not_called_damaged_while_it_is_whole() {
    let mut bytes = written(&small(1));
    bytes.truncate(bytes.len() - 32);
    bytes[8] = 2;
    let hash = *blake3::hash(&bytes).as_bytes();
    bytes.extend(hash);
    let error = read(&bytes).expect_err("nobody knows that layout");
    assert!(matches!(error, SnapshotError::Layout { found: 2, .. }), "{error}");
    assert!(!error.is_damage());
    for at in [12, bytes.len() / 2, bytes.len() - 1] {
        bytes[at] ^= 1;
        let error = read(&bytes).expect_err("it is another file");
        let hash = matches!(error, SnapshotError::Damaged { damage: Damage::Hash, .. });
        assert!(hash && error.is_damage(), "byte {at}: {error}");
        bytes[at] ^= 1;
    }
}

#[test]
fn two_are_kept_and_nothing_else_is_touched() {
    let data = tempfile::tempdir().unwrap();
    let kept = Snapshots::open(data.path()).unwrap();
    assert!(newest(&kept).newest.is_none());
    fs::write(data.path().join("snapshots/notes"), "mine").unwrap();
    for (sequence, older) in [(10, None), (200, Some(10)), (3_000, Some(200))] {
        let written = kept.write(&small(sequence)).unwrap();
        assert_eq!(written.older, older);
        assert_eq!(newest(&kept).newest, Some(small(sequence)));
    }
    let all = ["notes", "snapshot-00000000000000000200", "snapshot-00000000000000003000"];
    assert_eq!(names(data.path()), all);
}

#[test]
fn a_damaged_newest_is_set_aside_and_the_older_one_does() {
    let data = tempfile::tempdir().unwrap();
    let kept = Snapshots::open(data.path()).unwrap();
    kept.write(&small(10)).unwrap();
    kept.write(&small(20)).unwrap();
    let path = data.path().join("snapshots/snapshot-00000000000000000020");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&path, bytes).unwrap();
    let Found { newest: found, left_out } = newest(&kept);
    assert_eq!(found, Some(small(10)));
    let left_out = left_out.expect("the newer one").to_string();
    assert!(left_out.contains("snapshot-00000000000000000020 is damaged at byte"), "{left_out}");
    // It counts for nothing from now on: the journal is not trimmed by it.
    assert_eq!(kept.write(&small(30)).unwrap().older, Some(10));
    let aside = "snapshot-00000000000000000020.damaged";
    assert!(names(data.path()).contains(&aside.to_owned()));
}

fn spoil(data: &Path, sequence: u64) {
    let path = data.join("snapshots").join(format!("snapshot-{sequence:020}"));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&path, bytes).unwrap();
}

#[test]
fn nothing_goes_because_of_an_older_one_that_is_damaged() {
    let data = tempfile::tempdir().unwrap();
    let kept = Snapshots::open(data.path()).unwrap();
    kept.write(&small(10)).unwrap();
    kept.write(&small(20)).unwrap();
    // The newest is good, so that a start would not look at it.
    spoil(data.path(), 10);
    let kept = Snapshots::open(data.path()).unwrap();
    assert_eq!(newest(&kept).newest, Some(small(20)));
    assert_eq!(kept.left_out(), 0);
    assert_eq!(kept.older().unwrap(), None, "the journal is kept from its beginning");
    assert_eq!(kept.left_out(), 1);
    // While the router runs, too: the one before it does instead, and stays.
    kept.write(&small(30)).unwrap();
    spoil(data.path(), 30);
    assert_eq!(kept.write(&small(40)).unwrap().older, Some(20));
    assert_eq!(kept.left_out(), 2);
    let file = |at: u64, end: &str| format!("snapshot-{at:020}{end}");
    let all = [file(10, ".damaged"), file(20, ""), file(30, ".damaged"), file(40, "")];
    assert_eq!(names(data.path()), all);
    spoil(data.path(), 40);
    assert_eq!(newest(&Snapshots::open(data.path()).unwrap()).newest, Some(small(20)));
}

#[test]
fn one_under_another_name_counts_for_nothing() {
    let data = tempfile::tempdir().unwrap();
    let kept = Snapshots::open(data.path()).unwrap();
    kept.write(&small(10)).unwrap();
    let path = |at: u64| data.path().join("snapshots").join(format!("snapshot-{at:020}"));
    fs::rename(path(10), path(15)).unwrap();
    assert_eq!(kept.write(&small(20)).unwrap().older, None);
    fs::rename(path(20), path(900)).unwrap();
    let found = newest(&kept);
    assert!(found.newest.is_none());
    let told = found.left_out.expect("it is there").to_string();
    assert!(told.contains("ends with entry 20"), "{told}");
}

#[test]
fn what_is_no_state_is_left_out_as_well() {
    let data = tempfile::tempdir().unwrap();
    let kept = Snapshots::open(data.path()).unwrap();
    kept.write(&small(10)).unwrap();
    let mut wrong = small(20);
    wrong.engine.counts.accepted = 1;
    kept.write(&wrong).unwrap();
    let restore = |s: Snapshot| crate::engine::Engine::restore(&s.engine).map(|_| s.tip.sequence);
    let found = kept.newest(restore).unwrap();
    assert_eq!(found.newest, Some(10));
    let told = found.left_out.expect("the newer one").to_string();
    assert!(told.contains("1 accepted, 0 found"), "{told}");
    assert_eq!(kept.older().unwrap(), None, "a start needs the journal from the one that is left");
    // No byte of it is wrong: it keeps its name, and counts for nothing all the same.
    let files = |of: &[u64]| of.iter().map(|at| format!("snapshot-{at:020}")).collect::<Vec<_>>();
    assert_eq!(names(data.path()), files(&[10, 20]));
    assert_eq!(kept.write(&small(30)).unwrap().older, Some(10), "the journal is kept from there");
    assert_eq!(names(data.path()), files(&[10, 20, 30]));
    assert_eq!(kept.write(&small(40)).unwrap().older, Some(30));
    assert_eq!(names(data.path()), files(&[20, 30, 40]));
    // A version that can read it counts it again, as the oldest that it is.
    assert_eq!(Snapshots::open(data.path()).unwrap().write(&small(50)).unwrap().older, Some(40));
    assert_eq!(names(data.path()), files(&[40, 50]));
}

fn fixture(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshot").join(file)
}

#[test]
fn a_snapshot_written_by_format_1_loads_to_the_same_value() {
    if env::var_os("SURGELINE_WRITE_FIXTURES").is_some() {
        let mut from = Source(FIXTURE_SEED);
        let mut snapshot: Snapshot = Any::any(&mut from);
        // Enough of each that every alternative is there.
        snapshot.engine.agents = (0..20).map(|_| Any::any(&mut from)).collect();
        snapshot.engine.gateways = (0..10).map(|_| Any::any(&mut from)).collect();
        snapshot.engine.recalls = (0..2).map(|_| Any::any(&mut from)).collect();
        snapshot.engine.contacts = (0..40).map(|_| Any::any(&mut from)).collect();
        snapshot.engine.remembered = (0..40).map(|_| Any::any(&mut from)).collect();
        snapshot.seen.tallies = (0..200).map(|_| Any::any(&mut from)).collect();
        snapshot.seen.recalls = (0..2).map(|_| Any::any(&mut from)).collect();
        snapshot.seen.tracks = (0..10).map(|_| Any::any(&mut from)).collect();
        snapshot.seen.people = (0..10).map(|_| Any::any(&mut from)).collect();
        snapshot.seen.timelines = (0..5).map(|_| Any::any(&mut from)).collect();
        fs::create_dir_all(fixture("")).unwrap();
        fs::write(fixture("v1.bin"), written(&snapshot)).unwrap();
        fs::write(fixture("v1.txt"), format!("{snapshot:#?}\n")).unwrap();
    }
    let snapshot = file::read(&fixture("v1.bin")).unwrap();
    // Against text that was written then, not against what today's code would write.
    let then = fs::read_to_string(fixture("v1.txt")).unwrap();
    assert_eq!(format!("{snapshot:#?}\n"), then);
    for part in [
        "Connected(",
        "Lost {",
        "Absent",
        "WrapUp {",
        "CloseLost(",
        "Detach,",
        "Attached(",
        "Detached,",
        "Queued,",
        "Reserved {",
        "Connecting {",
        "Assigned {",
        "Pending {",
        "SelfService(",
        "Unknown(",
        "Gateway {",
        "Offered(",
        "Answered(",
        "Abandoned(",
        "Accepted(",
        "Said(",
        "DoubleReservation",
        "TierCounts {",
        "Known {",
        "TrackMachine {",
    ] {
        assert!(then.contains(part), "{part} is not in the fixture");
    }
}

#[test]
fn what_was_being_written_when_a_process_died_goes_at_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let draft = data.path().join("snapshots/snapshot-00000000000000000007.new");
    drop(Snapshots::open(data.path()).unwrap());
    std::fs::write(&draft, b"half of one").unwrap();
    drop(Snapshots::open(data.path()).unwrap());
    assert!(!draft.exists());
}
