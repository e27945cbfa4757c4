//! The bytes of one snapshot: magic and layout, parts with a checksum each, and an end that
//! counts them and holds the hash of all before it.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic |
//! | 4 | layout |
//! | 1, 4, 4, n | `P`, length, CRC-32 of the part, the part; as often as there are parts |
//! | 1, 4, 32 | `E`, how many parts, BLAKE3 of everything before the hash |
//!
//! Numbers are little-endian. Magic, layout and the hash at the end are where they are in every
//! layout, so that one that is newer can be told from one that is damaged. It knows no folder
//! and keeps nothing.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::thread;

use crossbeam::channel::{Receiver, bounded};

use super::{Damage, Snapshot, SnapshotError, failed};
use crate::journal::Tip;
use crate::journal::codec::image::parts::{self, Parts};
use crate::journal::error::CodecError;

const MAGIC: &[u8; 8] = b"SRGSNAP\n";
/// The layout of the file; what is in the parts has a format of its own.
const LAYOUT: u32 = 1;
const PART: u8 = b'P';
const END: u8 = b'E';
/// Bytes before a part: tag, length, checksum.
const BEFORE: usize = 9;
/// Bytes of a hash.
const HASH: usize = 32;
/// Parts on their way to those who decode them.
const AHEAD: usize = 16;

/// Writes all of it. Gives the bytes written.
pub(super) fn write(snapshot: &Snapshot, to: impl Write) -> io::Result<u64> {
    let mut out = Out { to, hasher: blake3::Hasher::new(), bytes: 0 };
    out.put(MAGIC)?;
    out.put(&LAYOUT.to_le_bytes())?;
    let mut count = 0_u32;
    parts::put(snapshot, &mut |part| {
        fail::fail_point!("snapshot-middle", |_| crate::fault::die());
        let length = u32::try_from(part.len()).map_err(io::Error::other)?;
        out.put(&[PART])?;
        out.put(&length.to_le_bytes())?;
        out.put(&crc32fast::hash(&part).to_le_bytes())?;
        count += 1;
        out.put(&part)
    })?;
    out.put(&[END])?;
    out.put(&count.to_le_bytes())?;
    let hash = out.hasher.finalize();
    out.put(hash.as_bytes())?;
    out.to.flush()?;
    Ok(out.bytes)
}

struct Out<W> {
    to: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> Out<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.to.write_all(bytes)
    }
}

/// A part with its number, counted from 1.
type Part = (u32, Vec<u8>);
type Decoded = Result<Parts, (u32, CodecError)>;

/// Reads and verifies all of it. Parts are decoded on two other threads as they are read;
/// nothing is given out before the hash at the end was found right.
pub(super) fn read(path: &Path) -> Result<Snapshot, SnapshotError> {
    let mut scan = Scan::of(path)?;
    let (engine, seen) = thread::scope(|scope| {
        let (to_engine, engine_parts) = bounded(AHEAD);
        let (to_seen, seen_parts) = bounded(AHEAD);
        let spawn = |parts: Receiver<Part>| {
            let name = "snapshot-decode".to_owned();
            let decode = move || decode(&parts);
            thread::Builder::new().name(name).spawn_scoped(scope, decode)
        };
        let engine = spawn(engine_parts).map_err(failed("start a thread to read", path))?;
        let seen = spawn(seen_parts).map_err(failed("start a thread to read", path))?;
        let scanned = scan.parts(&mut |part| {
            let to = if parts::is_seen(&part.1) { &to_seen } else { &to_engine };
            // Who decodes has given up on an earlier one; the file is verified all the same,
            // because damage is the better reason.
            let _ = to.send(part);
        });
        drop((to_engine, to_seen));
        let joined = (engine.join(), seen.join());
        // Damage first: what was decoded of it means nothing.
        scanned?;
        match joined {
            (Ok(engine), Ok(seen)) => Ok((engine, seen)),
            (Err(panic), _) | (_, Err(panic)) => std::panic::resume_unwind(panic),
        }
    })?;
    let content = |(part, source)| SnapshotError::Content { path: path.into(), part, source };
    let (engine, seen) = (engine.map_err(content)?, seen.map_err(content)?);
    engine.whole(seen).map_err(|source| content((0, source)))
}

/// Verifies all of it, and makes nothing of it but where the journal stood.
pub(super) fn verify(path: &Path) -> Result<Tip, SnapshotError> {
    let (mut scan, mut first) = (Scan::of(path)?, None);
    scan.parts(&mut |(number, part)| {
        if number == 1 {
            first = Some(part);
        }
    })?;
    let tip = parts::tip(&first.unwrap_or_default());
    tip.map_err(|source| SnapshotError::Content { path: path.into(), part: 1, source })
}

fn decode(parts: &Receiver<Part>) -> Decoded {
    let mut taken = Parts::default();
    for (number, bytes) in parts {
        taken.take(&bytes).map_err(|error| (number, error))?;
    }
    Ok(taken)
}

/// A pass over a file.
struct Scan<'a> {
    path: &'a Path,
    from: BufReader<File>,
    hasher: blake3::Hasher,
    at: u64,
    length: u64,
}

impl<'a> Scan<'a> {
    fn of(path: &'a Path) -> Result<Self, SnapshotError> {
        let file = File::open(path).map_err(failed("open", path))?;
        let length = file.metadata().map_err(failed("read", path))?.len();
        let (from, hasher) = (BufReader::with_capacity(1 << 18, file), blake3::Hasher::new());
        Ok(Self { path, from, hasher, at: 0, length })
    }

    /// Hands every part on, each of which may yet turn out to belong to a damaged file.
    fn parts(&mut self, each: &mut dyn FnMut(Part)) -> Result<(), SnapshotError> {
        self.beginning()?;
        let mut number = 0;
        loop {
            let at = self.at;
            match self.bytes::<1>(at)? {
                [PART] => {
                    number += 1;
                    each((number, self.part(at)?));
                }
                [END] => return self.end(at, number),
                _ => return Err(self.damaged(at, Damage::NoPart)),
            }
        }
    }

    fn beginning(&mut self) -> Result<(), SnapshotError> {
        if self.bytes::<8>(0)? != *MAGIC {
            return Err(SnapshotError::NoSnapshot { path: self.path.into() });
        }
        let found = u32::from_le_bytes(self.bytes(0)?);
        if found != LAYOUT {
            self.rest()?;
            return Err(SnapshotError::Layout { path: self.path.into(), found, known: LAYOUT });
        }
        Ok(())
    }

    /// Verifies what is there though nobody knows what it is.
    fn rest(&mut self) -> Result<(), SnapshotError> {
        let at = self.at;
        let mut piece = vec![0; 1 << 16];
        let mut left = self.length.saturating_sub(at + HASH as u64);
        while left > 0 {
            let length = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.fill(&mut piece[..length], at)?;
            left -= length as u64;
        }
        self.hash(at)
    }

    fn part(&mut self, at: u64) -> Result<Vec<u8>, SnapshotError> {
        let length = u32::from_le_bytes(self.bytes(at)?);
        let expected = u32::from_le_bytes(self.bytes(at)?);
        if u64::from(length) > self.length.saturating_sub(at + BEFORE as u64) {
            return Err(self.damaged(at, Damage::Cut));
        }
        let mut part = vec![0; length as usize];
        self.fill(&mut part, at)?;
        let found = crc32fast::hash(&part);
        if found != expected {
            return Err(self.damaged(at, Damage::Checksum { expected, found }));
        }
        Ok(part)
    }

    fn end(&mut self, at: u64, found: u32) -> Result<(), SnapshotError> {
        let expected = u32::from_le_bytes(self.bytes(at)?);
        if expected != found {
            return Err(self.damaged(at, Damage::Parts { expected, found }));
        }
        self.hash(at)
    }

    /// The last bytes are the hash of all before them.
    fn hash(&mut self, at: u64) -> Result<(), SnapshotError> {
        let hash = self.hasher.finalize();
        if self.bytes::<HASH>(at)? != *hash.as_bytes() {
            return Err(self.damaged(at, Damage::Hash));
        }
        if self.at != self.length {
            return Err(self.damaged(self.at, Damage::Longer));
        }
        Ok(())
    }

    /// The next bytes, of a part that begins at `at`.
    fn bytes<const N: usize>(&mut self, at: u64) -> Result<[u8; N], SnapshotError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, at)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8], at: u64) -> Result<(), SnapshotError> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(at, Damage::Cut),
            _ => failed("read", self.path)(error),
        })?;
        self.hasher.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn damaged(&self, at: u64, damage: Damage) -> SnapshotError {
        SnapshotError::Damaged { path: self.path.into(), at, damage }
    }
}
