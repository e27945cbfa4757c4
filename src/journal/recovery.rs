//! Reading a journal back, and judging it: every row against its checksum, its hash and the
//! row before it, every segment against the one before it, and the whole against the tip that
//! was acknowledged.
//!
//! Used by whoever reads a journal, so that all hold the same to be true. It reads and judges;
//! it repairs, moves and truncates nothing.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::codec::{self, CodecError, Stored};
use super::error::{Damage, GoOn, JournalError};
use super::segment::{self, Raw, Segment};
use super::tip::Acknowledged;
use super::{Batch, Tip};
use crate::time::{EngineTime, WallTime};

/// What was found when a journal was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// Where the journal ends; its epoch is the last one that acknowledged something.
    pub tip: Tip,
    /// How many entries were read.
    pub entries: u64,
    /// In how many batches.
    pub batches: u64,
    /// Engine time of the last entry; the router's beginning if there is none.
    pub last_at: EngineTime,
    /// When the last batch was closed; none if there is no batch.
    pub last_wall: Option<WallTime>,
    /// Bytes at the end that were being written when the last process died and were dropped.
    /// Nothing in them was acknowledged.
    pub dropped: u64,
}

/// How far a long read has got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Entries read.
    pub entries: u64,
    /// Entries to read, as far as the tip file tells.
    pub of: Option<u64>,
}

/// A pass over a journal's rows, in order.
#[derive(Debug)]
pub(super) struct Scan {
    folder: PathBuf,
    /// The segment that is being read.
    path: PathBuf,
    acknowledged: Acknowledged,
    /// The acknowledged tip was met with its hash.
    met: bool,
    pub(super) found: Recovered,
    /// Bytes of payload.
    pub(super) bytes: u64,
    /// Entries to come, to tell how far it has got.
    of: Option<u64>,
    /// First entries of the segments that were gone through, which follow each other.
    pub(super) entered: Vec<u64>,
}

/// The hash of a batch: of what was before it and what it holds.
pub(super) fn hash(previous: &[u8; 32], payload: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(payload);
    *hasher.finalize().as_bytes()
}

/// The segments that hold what follows an entry, the first of which may hold earlier ones too.
pub(super) fn following<'a>(
    folder: &Path,
    segments: &'a [Segment],
    after: u64,
) -> Result<&'a [Segment], JournalError> {
    let next = after.saturating_add(1);
    match (segments.iter().rposition(|s| s.first <= next), segments.first()) {
        (Some(at), _) => Ok(&segments[at..]),
        (None, None) => Ok(&[]),
        (None, Some(first)) => {
            let path = folder.to_path_buf();
            Err(JournalError::Trimmed { path, asked: next, first: first.first })
        }
    }
}

/// Where a journal begins: before the first entry that is still there.
pub(super) fn beginning(
    segments: &[Segment],
    acknowledged: Acknowledged,
) -> Result<Tip, JournalError> {
    let Some(first) = segments.first().filter(|s| s.first > 1) else { return Ok(Tip::default()) };
    let before = first.first - 1;
    let connection = segment::connect_read_only(first, segments.len() == 1)?;
    let row = segment::chunk(&connection, before).map_err(segment::sqlite(&first.path))?;
    let hash = match (row.first(), acknowledged) {
        (Some(row), _) => row.previous.as_slice().try_into().unwrap_or_default(),
        (None, Acknowledged::Upto(tip, _)) if tip.sequence == before => tip.hash,
        (None, _) => [0; 32],
    };
    Ok(Tip { epoch: 0, sequence: before, hash })
}

impl Scan {
    /// Begins a pass over a journal's folder, of which this much was acknowledged. It reads
    /// what follows `after`, which a snapshot vouches for.
    pub(super) fn new(folder: &Path, acknowledged: Acknowledged, after: Tip) -> Self {
        let (met, of) = match acknowledged {
            Acknowledged::Upto(tip, _) => (
                (tip.sequence, tip.hash) == (after.sequence, after.hash),
                Some(tip.sequence.saturating_sub(after.sequence)),
            ),
            Acknowledged::Missing | Acknowledged::Damaged => (false, None),
        };
        Self {
            folder: folder.to_path_buf(),
            path: folder.to_path_buf(),
            acknowledged,
            met,
            found: Recovered { tip: after, ..Recovered::default() },
            bytes: 0,
            of,
            entered: Vec::new(),
        }
    }

    /// Reads and checks every row of these segments, and hands each batch on until one is
    /// not taken: [`JournalError::GivenUp`].
    pub(super) fn walk(
        &mut self,
        segments: &[Segment],
        each: &mut dyn FnMut(Batch, Tip) -> ControlFlow<()>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), JournalError> {
        let after = self.found.tip;
        for (at, segment) in segments.iter().enumerate() {
            if at > 0 || segment.first > after.sequence {
                self.enter(segment)?;
            }
            self.reading(segment);
            self.entered.push(segment.first);
            let last = at + 1 == segments.len();
            let connection =
                segment::connect_read_only(segment, last).map_err(|e| self.placed(e))?;
            match (at, after.sequence) {
                (0, 1..) if segment.first <= after.sequence => self.covers(&connection, after)?,
                (0, 1..) => self.follows(&connection, after)?,
                _ => {}
            }
            self.rows(&connection, each, progress)?;
        }
        if segments.is_empty() && after.sequence > 0 && !self.met {
            return Err(self.gone(0, after.sequence));
        }
        Ok(())
    }

    /// Goes on to a segment, which must begin where the one before it ends.
    pub(super) fn enter(&mut self, segment: &Segment) -> Result<(), JournalError> {
        let (expected, found) = (self.next(), segment.first);
        let (path, go_on) = (segment.path.clone(), self.go_on());
        if found > expected {
            return Err(JournalError::SegmentMissing { path, expected, found, go_on });
        }
        if found < expected {
            return Err(JournalError::Overlap { path, expected, found, go_on });
        }
        self.path = path;
        Ok(())
    }

    /// Whether the segment holds the entry that a snapshot ends with: one that is ahead of the
    /// journal, or of another, must not be built on.
    fn covers(&self, connection: &Connection, after: Tip) -> Result<(), JournalError> {
        let row = segment::holding(connection, after.sequence).map_err(|e| self.unreadable(e))?;
        let last = row.as_ref().map_or(0, |row| u64::try_from(row.last).unwrap_or(0));
        if last < after.sequence {
            return Err(self.gone(last, after.sequence));
        }
        if row.is_some_and(|row| last == after.sequence && row.hash == after.hash) {
            return Ok(());
        }
        Err(self.other_history(after))
    }

    /// Whether a segment that begins right after a snapshot follows it. A first row that is
    /// whole and follows something else is no damage: the snapshot is of another journal.
    fn follows(&self, connection: &Connection, after: Tip) -> Result<(), JournalError> {
        let row = segment::after(connection, after.sequence).map_err(|e| self.unreadable(e))?;
        let previous = |row: &Raw| <[u8; 32]>::try_from(row.previous.as_slice()).ok();
        let other = row.is_some_and(|row| {
            previous(&row).is_some_and(|p| p != after.hash && row.hash == hash(&p, &row.payload))
        });
        if other { Err(self.other_history(after)) } else { Ok(()) }
    }

    /// A snapshot of another journal. Nothing of this one was read yet: all of it that was
    /// acknowledged may be whole.
    fn other_history(&self, after: Tip) -> JournalError {
        let whole = match self.acknowledged {
            Acknowledged::Upto(tip, _) => tip.sequence.max(after.sequence),
            Acknowledged::Missing | Acknowledged::Damaged => after.sequence,
        };
        let (path, go_on) = (self.folder.clone(), GoOn::new(&self.folder, whole));
        JournalError::Diverged { path, sequence: after.sequence, go_on }
    }

    fn rows(
        &mut self,
        connection: &Connection,
        each: &mut dyn FnMut(Batch, Tip) -> ControlFlow<()>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), JournalError> {
        loop {
            let rows = segment::chunk(connection, self.found.tip.sequence)
                .map_err(|e| self.unreadable(e))?;
            if rows.is_empty() {
                return Ok(());
            }
            for raw in &rows {
                let batch = self.step(raw)?;
                if each(batch, self.found.tip).is_break() {
                    return Err(JournalError::GivenUp);
                }
            }
            progress(Progress { entries: self.found.entries, of: self.of });
        }
    }

    /// Checks the next row and moves past it.
    pub(super) fn step(&mut self, raw: &Raw) -> Result<Batch, JournalError> {
        let batch = self.check(raw).map_err(|damage| JournalError::Damaged {
            path: self.path.clone(),
            sequence: self.next(),
            damage,
            go_on: self.go_on(),
        })?;
        self.pass(raw, &batch);
        Ok(batch)
    }

    /// Names the segment that rows come from.
    pub(super) fn reading(&mut self, segment: &Segment) {
        self.path.clone_from(&segment.path);
    }

    /// The sequence that the chain expects next.
    fn next(&self) -> u64 {
        self.found.tip.sequence.saturating_add(1)
    }

    /// How to go on with what is whole up to here.
    fn go_on(&self) -> GoOn {
        GoOn::new(&self.folder, self.found.tip.sequence)
    }

    pub(super) fn unreadable(&self, source: rusqlite::Error) -> JournalError {
        let (path, go_on) = (self.path.clone(), self.go_on());
        JournalError::Unreadable { path, sequence: self.next(), source, go_on }
    }

    /// Says of a file that cannot be opened what is known of the place.
    fn placed(&self, error: JournalError) -> JournalError {
        match error {
            JournalError::Sqlite { source, .. } => self.unreadable(source),
            other => other,
        }
    }

    fn gone(&self, recovered: u64, acknowledged: u64) -> JournalError {
        JournalError::gone(&self.folder, recovered, acknowledged)
    }

    fn diverged(&self, sequence: u64) -> JournalError {
        JournalError::Diverged { path: self.folder.clone(), sequence, go_on: self.go_on() }
    }

    fn check(&self, raw: &Raw) -> Result<Batch, Damage> {
        let expected = self.next();
        let sequence = |value: i64, expected: u64| {
            let found = u64::try_from(value).unwrap_or(0);
            if found == expected { Ok(()) } else { Err(Damage::Sequence { expected, found }) }
        };
        sequence(raw.first, expected)?;
        let found = crc32fast::hash(&raw.payload);
        if i64::from(found) != raw.crc {
            let expected = u32::try_from(raw.crc).unwrap_or(0);
            return Err(Damage::Checksum { expected, found });
        }
        if raw.previous != self.found.tip.hash {
            return Err(Damage::Chain);
        }
        if raw.hash != hash(&self.found.tip.hash, &raw.payload) {
            return Err(Damage::Hash);
        }
        let Stored { previous, batch } = codec::decode(&raw.payload).map_err(Damage::Content)?;
        if previous != self.found.tip.hash {
            return Err(Damage::Chain);
        }
        let last = codec::check(&batch, expected).map_err(|e| match e {
            CodecError::Gap { expected, found } => Damage::Sequence { expected, found },
            other => Damage::Content(other),
        })?;
        sequence(raw.last, last)?;
        Ok(batch)
    }

    /// Moves past a batch that is whole.
    fn pass(&mut self, raw: &Raw, batch: &Batch) {
        let found = &mut self.found;
        if let Some(last) = batch.entries.last() {
            found.tip.sequence = last.sequence;
            found.last_at = last.at;
        }
        found.tip.hash.copy_from_slice(&raw.hash);
        // Not in the hash: it serves only when the tip file is lost.
        found.tip.epoch = found.tip.epoch.max(u64::try_from(raw.epoch).unwrap_or(0));
        found.last_wall = Some(batch.wall);
        found.entries += batch.entries.len() as u64;
        found.batches += 1;
        self.bytes += raw.payload.len() as u64;
        if let Acknowledged::Upto(tip, _) = self.acknowledged {
            // Acknowledged is always a whole batch: a tip inside one is another history.
            self.met |= (tip.sequence, tip.hash) == (found.tip.sequence, found.tip.hash);
        }
    }

    /// Judges the whole against what was acknowledged. More than that is fine: it was
    /// written, and nobody was told. Gives the last epoch, 0 if there was none.
    pub(super) fn judge(&self, tip_file: &Path) -> Result<u64, JournalError> {
        let recovered = self.found.tip.sequence;
        match self.acknowledged {
            // All files are new, or the process died between making them.
            Acknowledged::Missing if recovered == 0 => Ok(0),
            Acknowledged::Missing => Err(JournalError::TipMissing {
                path: tip_file.to_path_buf(),
                recovered,
                go_on: self.go_on(),
            }),
            Acknowledged::Damaged => {
                Err(JournalError::TipDamaged { path: tip_file.to_path_buf(), go_on: self.go_on() })
            }
            Acknowledged::Upto(tip, _) if tip.sequence > recovered => {
                Err(self.gone(recovered, tip.sequence))
            }
            Acknowledged::Upto(tip, _) if tip.sequence > 0 && !self.met => {
                Err(self.diverged(tip.sequence))
            }
            Acknowledged::Upto(tip, _) => Ok(tip.epoch),
        }
    }
}
