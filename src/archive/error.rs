//! What can go wrong with the archive. None of it stops a router.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::journal::error::{CodecError, JournalError};

/// Why the archive cannot be written or read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// A file or folder could not be used.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `SQLite` could not do its work.
    #[error("archive {}: {source}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// There is none.
    #[error("no archive at {}: check --data, a router makes it", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file was laid out by another version.
    #[error("archive {} has layout {found}, this version reads {known}: use a newer surgeline, or move the file away and it is made again from the journal", path.display())]
    Layout {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The one that this build knows.
        known: i64,
    },
    /// It holds more than the journal: it belongs to another one.
    #[error("archive {} ends at entry {position} and the journal at {durable}: it belongs to another journal, and is set aside for a new one", path.display())]
    Ahead {
        /// Which file.
        path: PathBuf,
        /// Where the archive stands.
        position: u64,
        /// Where the journal ends.
        durable: u64,
    },
    /// Where it stands is no place of the journal: it followed another one.
    #[error("archive {} does not belong to this journal: {source}", path.display())]
    Elsewhere {
        /// Which file.
        path: PathBuf,
        /// What reading on came to.
        source: Box<JournalError>,
    },
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A stored value is not one that this version wrote.
    #[error("archive {}: {what} cannot be read: move the file away and it is made again from the journal", path.display())]
    Stored {
        /// Which file.
        path: PathBuf,
        /// What was read.
        what: &'static str,
    },
    /// A stored event cannot be read.
    #[error("archive {}: an event cannot be read: {source}", path.display())]
    Event {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: CodecError,
    },
    /// The query would change something.
    #[error("the query must only read: the archive is written by the router alone")]
    NotReading,
    /// The thread could not be started.
    #[error("no thread could be started for the archive")]
    Thread(#[source] io::Error),
    /// Its thread failed or does not answer in time.
    #[error("the archive does not answer: see the router's log, and try again")]
    Interrupted,
    /// It is paused: what is left of the disk is for the journal.
    #[error(
        "the archive is paused, because the disk of the data directory is nearly full: free some space, and it goes on by itself"
    )]
    NoSpace,
    /// A hold that is not there.
    #[error("no hold {id} is in force: `surgeline archive hold list` shows them")]
    NoHold {
        /// Its number.
        id: i64,
    },
}

pub(super) fn sqlite(path: &std::path::Path) -> impl Fn(rusqlite::Error) -> ArchiveError + use<> {
    let path = path.to_path_buf();
    move |source| ArchiveError::Sqlite { path: path.clone(), source }
}
