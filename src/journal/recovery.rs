//! Reading a journal back, and judging it: every row against its checksum, its hash, the
//! row before it, and the whole against the tip that was acknowledged.
//!
//! Used by the writer when it opens and by `surgeline journal verify`, so that both hold
//! the same to be true. It reads and judges; it repairs and truncates nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Row};

use super::codec::{self, CodecError, Stored};
use super::error::{Damage, JournalError};
use super::tip::Acknowledged;
use super::{Batch, Tip};
use crate::time::{EngineTime, WallTime};

/// What was found when a journal was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// Where the journal ends and this process goes on; its epoch is this process's own.
    pub tip: Tip,
    /// How many entries were read.
    pub entries: u64,
    /// In how many batches.
    pub batches: u64,
    /// Engine time of the last entry; the router's beginning if there is none.
    pub last_at: EngineTime,
    /// When the last batch was closed; none if there is no batch.
    pub last_wall: Option<WallTime>,
}

/// A pass over the rows of one file, in order.
pub(super) struct Scan {
    path: PathBuf,
    folder: PathBuf,
    acknowledged: Acknowledged,
    /// The acknowledged tip was met with its hash.
    met: bool,
    pub(super) found: Recovered,
    /// Bytes of payload.
    pub(super) bytes: u64,
}

/// One row as `SQLite` gives it.
struct Raw {
    first: i64,
    last: i64,
    crc: i64,
    previous: Vec<u8>,
    hash: Vec<u8>,
    payload: Vec<u8>,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first: row.get(0)?,
            last: row.get(1)?,
            crc: row.get(2)?,
            previous: row.get(3)?,
            hash: row.get(4)?,
            payload: row.get(5)?,
        })
    }
}

/// The hash of a batch: of what was before it and what it holds.
pub(super) fn hash(previous: &[u8; 32], payload: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(payload);
    *hasher.finalize().as_bytes()
}

impl Scan {
    /// Begins a pass over the file at `path`, in `folder`, of which this much was acknowledged.
    /// It reads what follows `after`, which a snapshot vouches for.
    pub(super) fn new(path: &Path, folder: &Path, acknowledged: Acknowledged, after: Tip) -> Self {
        let met = matches!(acknowledged, Acknowledged::Upto(tip, _)
            if (tip.sequence, tip.hash) == (after.sequence, after.hash));
        Self {
            path: path.to_path_buf(),
            folder: folder.to_path_buf(),
            acknowledged,
            met,
            found: Recovered { tip: after, ..Recovered::default() },
            bytes: 0,
        }
    }

    /// Reads and checks every row, and hands each batch on.
    pub(super) fn rows(
        &mut self,
        connection: &Connection,
        each: &mut dyn FnMut(Batch, Tip),
    ) -> Result<(), JournalError> {
        let mut statement = connection
            .prepare(
                "SELECT first_sequence, last_sequence, crc, previous_hash, hash, payload
                 FROM batch WHERE first_sequence > ?1 ORDER BY first_sequence",
            )
            .map_err(|e| self.unreadable(e))?;
        // From the beginning means all rows, those too whose number is nonsense.
        let after = match self.found.tip.sequence {
            0 => i64::MIN,
            sequence => i64::try_from(sequence).unwrap_or(i64::MAX),
        };
        let mut rows = statement.query([after]).map_err(|e| self.unreadable(e))?;
        while let Some(row) = rows.next().map_err(|e| self.unreadable(e))? {
            let raw = Raw::read(row).map_err(|e| self.unreadable(e))?;
            let batch = self.check(&raw).map_err(|damage| JournalError::Damaged {
                path: self.path.clone(),
                sequence: self.next(),
                damage,
            })?;
            self.pass(&raw, &batch)?;
            each(batch, self.found.tip);
        }
        Ok(())
    }

    /// The sequence that the chain expects next.
    fn next(&self) -> u64 {
        self.found.tip.sequence + 1
    }

    fn unreadable(&self, source: rusqlite::Error) -> JournalError {
        JournalError::Unreadable { path: self.path.clone(), sequence: self.next(), source }
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
    fn pass(&mut self, raw: &Raw, batch: &Batch) -> Result<(), JournalError> {
        let found = &mut self.found;
        let before = found.tip.sequence;
        if let Some(last) = batch.entries.last() {
            found.tip.sequence = last.sequence;
            found.last_at = last.at;
        }
        found.tip.hash.copy_from_slice(&raw.hash);
        found.last_wall = Some(batch.wall);
        found.entries += batch.entries.len() as u64;
        found.batches += 1;
        self.bytes += raw.payload.len() as u64;
        if let Acknowledged::Upto(tip, _) = self.acknowledged
            && before < tip.sequence
            && tip.sequence <= self.found.tip.sequence
        {
            // Acknowledged is always a whole batch: a tip inside one is another history.
            if tip.sequence != self.found.tip.sequence || tip.hash != self.found.tip.hash {
                return Err(self.diverged(tip.sequence));
            }
            self.met = true;
        }
        Ok(())
    }

    fn diverged(&self, sequence: u64) -> JournalError {
        JournalError::Diverged { path: self.folder.clone(), sequence }
    }

    /// Judges the whole against what was acknowledged. More than that is fine: it was
    /// written, and nobody was told. Gives the last epoch, 0 if there was none.
    pub(super) fn judge(&self, tip_file: &Path) -> Result<u64, JournalError> {
        let recovered = self.found.tip.sequence;
        match self.acknowledged {
            // Both files are new, or the process died between making the one and the other.
            Acknowledged::Missing if recovered == 0 => Ok(0),
            Acknowledged::Missing => {
                Err(JournalError::TipMissing { path: tip_file.to_path_buf(), recovered })
            }
            Acknowledged::Damaged => Err(JournalError::TipDamaged { path: tip_file.to_path_buf() }),
            Acknowledged::Upto(tip, _) if tip.sequence > recovered => {
                Err(JournalError::AcknowledgedGone {
                    path: self.folder.clone(),
                    recovered,
                    acknowledged: tip.sequence,
                })
            }
            Acknowledged::Upto(tip, _) if tip.sequence > 0 && !self.met => {
                Err(self.diverged(tip.sequence))
            }
            Acknowledged::Upto(tip, _) => Ok(tip.epoch),
        }
    }
}

/// Hands batches on shared, as the owner and the replica both want them.
pub(super) fn shared<'a>(each: &'a mut super::EachBatch<'_>) -> impl FnMut(Batch, Tip) + 'a {
    move |batch, tip| each(Arc::new(batch), tip)
}
