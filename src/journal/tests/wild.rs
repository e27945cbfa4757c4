//! Arbitrary bytes where a tip file or a snapshot belongs: refused or read, never a panic.
//!
//! Bytes as they are come no further than the first checksum. So what a checksum guards is
//! made of arbitrary bytes as well, and the checksums over it are right.

use proptest::prelude::*;

use super::*;
use crate::engine::Engine;
use crate::journal::snapshot::kept::Snapshots;
use crate::journal::tip::{self, Acknowledged};

/// A snapshot file of these parts, sound but for what is in them.
fn framed(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"SRGSNAP\n\x01\0\0\0".to_vec();
    for part in parts {
        bytes.push(b'P');
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend(crc32fast::hash(part).to_le_bytes());
        bytes.extend(part);
    }
    bytes.push(b'E');
    bytes.extend((parts.len() as u32).to_le_bytes());
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes
}

/// Reads a snapshot of these bytes; whether a state was made of it.
fn makes_a_state(bytes: &[u8]) -> bool {
    let data = tempfile::tempdir().unwrap();
    let kept = Snapshots::open(data.path()).unwrap();
    fs::write(data.path().join("snapshots/snapshot-00000000000000000009"), bytes).unwrap();
    let found = kept.newest(|snapshot| Engine::restore(&snapshot.engine)).unwrap();
    assert!(found.newest.is_some() || found.left_out.is_some(), "the file was looked at");
    found.newest.is_some()
}

#[test]
fn a_frame_without_parts_is_taken_for_a_snapshot_and_refused_for_what_it_lacks() {
    let data = tempfile::tempdir().unwrap();
    let kept = Snapshots::open(data.path()).unwrap();
    let path = data.path().join("snapshots/snapshot-00000000000000000009");
    fs::write(path, framed(&[])).unwrap();
    let found = kept.newest(|snapshot| Engine::restore(&snapshot.engine)).unwrap();
    let why = found.left_out.map(|error| error.to_string()).unwrap_or_default();
    for of_the_frame in ["no snapshot", "layout", "checksum", "hash"] {
        assert!(!why.contains(of_the_frame), "the frame itself is refused: {why}");
    }
}

proptest! {
    #[test]
    fn a_snapshot_of_any_bytes_is_refused(bytes: Vec<u8>) {
        prop_assert!(!makes_a_state(&bytes));
    }

    #[test]
    fn parts_of_any_bytes_are_refused_or_read(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..4),
        tag in 0..24_u8,
    ) {
        makes_a_state(&framed(&parts));
        // A field that the format has, of arbitrary content.
        let field = |part: &Vec<u8>| [&[(tag << 3) | 2, part.len() as u8], part.as_slice()].concat();
        let fields: Vec<_> = parts.iter().map(field).collect();
        makes_a_state(&framed(&fields));
    }

    #[test]
    fn a_tip_file_of_any_bytes_acknowledges_nothing(bytes in prop::collection::vec(any::<u8>(), 0..9_000)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tip");
        fs::write(&path, bytes).unwrap();
        prop_assert!(matches!(tip::read(&path), Ok(Acknowledged::Damaged)));
    }
}
