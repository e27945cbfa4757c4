//! Following a journal beside its writer, from any thread or process.
//!
//! For the archive, for exports, for whatever keeps up with what is durable. It takes no lock
//! of the journal's, holds a file's state for one chunk of rows only, gives nothing that was
//! not acknowledged, and is not disturbed by a segment that is begun, sealed or trimmed
//! meanwhile. It checks every batch as recovery does, judges nothing else, and never waits:
//! who wants more calls again.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::error::JournalError;
use super::recovery::{Scan, beginning, following};
use super::segment::{self, Paths, Segment};
use super::tip::{self, Acknowledged};
use super::{Batch, EachBatch, Tip};

/// How often to look again at what a writer is just changing.
const LOOKS: usize = 5;

/// A place in a journal from which it is read on.
#[derive(Debug)]
pub struct JournalReader {
    paths: Paths,
    at: Tip,
    /// The segment that was read last, which is mostly the one that is read next.
    open: Option<(Segment, Connection)>,
}

impl JournalReader {
    /// Begins after `after`: at the first entry for [`Tip::default`].
    #[must_use]
    pub fn new(data: &Path, after: Tip) -> Self {
        Self::in_folder(Paths::of(data), after)
    }

    /// Begins at the first entry that is still there.
    ///
    /// # Errors
    /// No journal there, or its first segment cannot be read.
    pub fn at_beginning(data: &Path) -> Result<Self, JournalError> {
        let paths = Paths::of(data);
        if !paths.folder.is_dir() {
            return Err(JournalError::NoJournal { path: paths.folder });
        }
        let acknowledged = acknowledged(&paths)?;
        let mut found = Err(JournalError::NoJournal { path: paths.folder.clone() });
        for _ in 0..LOOKS {
            let segments = segment::list(&paths.folder)?;
            if segments.is_empty() {
                break;
            }
            // The first one may be trimmed right now.
            found = beginning(&segments, acknowledged);
            if found.is_ok() {
                break;
            }
        }
        Ok(Self { paths, at: found?, open: None })
    }

    /// Moves on to the batch that holds an entry, without reading those before it. What comes
    /// then is checked from there.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn skip_to(&mut self, sequence: u64) -> Result<(), JournalError> {
        let before = sequence.saturating_sub(1);
        if before <= self.at.sequence {
            return Ok(());
        }
        self.open = None;
        self.at = Tip { sequence: before, ..Tip::default() };
        let (segment, connection) = self.find()?;
        let row = segment::holding(&connection, sequence)
            .map_err(segment::sqlite(&segment.path))?
            .or(segment::after(&connection, 0).map_err(segment::sqlite(&segment.path))?);
        if let Some(row) = row {
            let first = u64::try_from(row.first).unwrap_or(1).max(1);
            let hash = row.previous.as_slice().try_into().unwrap_or_default();
            self.at = Tip { epoch: 0, sequence: first - 1, hash };
        }
        Ok(())
    }

    pub(super) fn in_folder(paths: Paths, after: Tip) -> Self {
        Self { paths, at: after, open: None }
    }

    /// Up to where it has read.
    #[must_use]
    pub fn at(&self) -> Tip {
        self.at
    }

    /// Hands on every batch that follows and is acknowledged. Gives where that ends.
    ///
    /// # Errors
    /// [`JournalError::Trimmed`]: what follows is no longer there, and where the journal
    /// begins; else as a start, without the lock.
    pub fn read(&mut self, each: &mut EachBatch<'_>) -> Result<Tip, JournalError> {
        self.read_while(&mut |batch, tip| {
            each(batch, tip);
            true
        })
    }

    /// [`Self::read`] until `each` says that it has enough. That batch counts as read.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_while(
        &mut self,
        each: &mut dyn FnMut(Arc<Batch>, Tip) -> bool,
    ) -> Result<Tip, JournalError> {
        // The tip first: rows that are read after it can only be more.
        let known = acknowledged(&self.paths)?;
        let Acknowledged::Upto(upto, _) = known else {
            return self.nothing_yet(known);
        };
        let mut looks = 0;
        while self.at.sequence < upto.sequence {
            match self.read_on(known, upto, each) {
                Ok(Chunk::Read) => looks = 0,
                Ok(Chunk::Enough) => break,
                // Rolled, sealed or trimmed under it: what is there now is looked at anew.
                Ok(Chunk::Nothing)
                | Err(JournalError::Sqlite { .. } | JournalError::Unreadable { .. })
                    if looks < LOOKS =>
                {
                    self.open = None;
                    looks += 1;
                }
                Ok(Chunk::Nothing) => {
                    return Err(JournalError::gone(
                        &self.paths.folder,
                        self.at.sequence,
                        upto.sequence,
                    ));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.at)
    }

    fn nothing_yet(&self, known: Acknowledged) -> Result<Tip, JournalError> {
        if known == Acknowledged::Damaged {
            let (path, go_on) = (self.paths.tip.clone(), self.go_on());
            return Err(JournalError::TipDamaged { path, go_on });
        }
        if self.paths.folder.is_dir() && segment::list(&self.paths.folder)?.is_empty() {
            return Err(JournalError::NoJournal { path: self.paths.folder.clone() });
        }
        Ok(self.at)
    }

    fn go_on(&self) -> super::error::GoOn {
        super::error::GoOn::new(&self.paths.folder, self.at.sequence)
    }

    /// Reads one chunk.
    fn read_on(
        &mut self,
        known: Acknowledged,
        upto: Tip,
        each: &mut dyn FnMut(Arc<Batch>, Tip) -> bool,
    ) -> Result<Chunk, JournalError> {
        let (segment, connection) = match self.open.take() {
            Some(open) => open,
            None => self.find()?,
        };
        let mut scan = Scan::new(&self.paths.folder, known, self.at);
        scan.reading(&segment);
        let rows = segment::chunk(&connection, self.at.sequence)
            .map_err(|source| scan.unreadable(source))?;
        if rows.is_empty() {
            return Ok(Chunk::Nothing);
        }
        for raw in &rows {
            if self.at.sequence >= upto.sequence {
                break;
            }
            let batch = scan.step(raw)?;
            self.at = scan.found.tip;
            if !each(Arc::new(batch), self.at) {
                return Ok(Chunk::Enough);
            }
        }
        self.open = Some((segment, connection));
        Ok(Chunk::Read)
    }

    /// Opens the segment that holds what follows.
    fn find(&self) -> Result<(Segment, Connection), JournalError> {
        let segments = segment::list(&self.paths.folder)?;
        let found = following(&self.paths.folder, &segments, self.at.sequence)?;
        let Some(segment) = found.first() else {
            return Err(JournalError::NoJournal { path: self.paths.folder.clone() });
        };
        let connection = segment::connect_read_only(segment, found.len() == 1)?;
        Ok((segment.clone(), connection))
    }
}

/// What reading a chunk came to.
enum Chunk {
    Read,
    /// The one who is handed batches wants no more.
    Enough,
    /// There was nothing where something must be.
    Nothing,
}

/// What the tip file says; looked at again while a router is just writing it.
pub(super) fn acknowledged(paths: &Paths) -> Result<Acknowledged, JournalError> {
    let mut found = tip::read(&paths.tip)?;
    for _ in 1..LOOKS {
        if found != Acknowledged::Damaged {
            break;
        }
        found = tip::read(&paths.tip)?;
    }
    Ok(found)
}
