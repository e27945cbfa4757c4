//! What can go wrong with a journal, said so that someone at three in the morning knows
//! what is missing and what to do.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use super::codec::CodecError;

/// Why a journal cannot be opened, read or written.
#[derive(Debug, Error)]
pub enum JournalError {
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
    #[error("journal file {}: {source}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// Another process has the data directory.
    #[error(
        "{} is held by another process: stop the surgeline that uses this data directory, or give this one its own with --data",
        path.display()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// There is no journal to read.
    #[error("no journal at {}: check --data", path.display())]
    NoJournal {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file was laid out by another version.
    #[error("journal file {} has layout {found}, this version reads {known}: use a newer surgeline", path.display())]
    Layout {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The one that this build knows.
        known: i64,
    },
    /// A row is not what was written.
    #[error(
        "journal file {}: the batch at entry {sequence} is damaged: {damage}; restore the data directory from a copy, `surgeline journal verify` shows what can be read",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The first entry of the batch; what the chain expects there if the row says otherwise.
        sequence: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// `SQLite` cannot read a row.
    #[error(
        "journal file {}: the batch at entry {sequence} cannot be read: {source}; restore the data directory from a copy, `surgeline journal verify` shows what can be read",
        path.display()
    )]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The entry that should come next.
        sequence: u64,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// The journal is shorter than what was acknowledged.
    #[error(
        "acknowledged entries are gone: {} ends at entry {recovered}, but entry {acknowledged} was acknowledged, {} missing; not serving; restore the data directory from a copy, `surgeline journal verify` shows what is there",
        path.display(), acknowledged - recovered
    )]
    AcknowledgedGone {
        /// The journal's folder.
        path: PathBuf,
        /// The last entry that is there.
        recovered: u64,
        /// The last entry that was acknowledged.
        acknowledged: u64,
    },
    /// The journal holds another history than the one that was acknowledged.
    #[error(
        "{} holds another history: entry {sequence} is not the one that was acknowledged; not serving; restore the data directory from one copy, journal and tip together, `surgeline journal verify` shows what is there",
        path.display()
    )]
    Diverged {
        /// The journal's folder.
        path: PathBuf,
        /// The entry that was acknowledged last.
        sequence: u64,
    },
    /// There are entries but no tip file, so nobody knows whether they are all.
    #[error(
        "tip file {} is missing, but the journal holds entries up to {recovered}: whether acknowledged ones are gone cannot be told; not serving; restore it, `surgeline journal verify` shows what is there",
        path.display()
    )]
    TipMissing {
        /// Where it should be.
        path: PathBuf,
        /// The last entry that is there.
        recovered: u64,
    },
    /// Neither slot of the tip file can be read.
    #[error(
        "tip file {} is damaged in both slots: whether acknowledged entries are gone cannot be told; not serving; restore it, `surgeline journal verify` shows what is there",
        path.display()
    )]
    TipDamaged {
        /// Which file.
        path: PathBuf,
    },
    /// A batch that could not be read back was refused before writing it.
    #[error("batch refused: {0}")]
    Refused(#[source] CodecError),
    /// Something failed before: nothing more is written by this process.
    #[error("the journal failed before and takes nothing more: restart to recover what is durable")]
    Poisoned,
}

/// What is wrong with a row.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Damage {
    /// The payload's checksum is another.
    #[error("checksum {found:08x} where {expected:08x} belongs")]
    Checksum {
        /// As stored.
        expected: u32,
        /// As computed.
        found: u32,
    },
    /// It does not follow the batch before it.
    #[error("it does not follow the batch before it")]
    Chain,
    /// Its hash is not that of its content.
    #[error("its hash is not that of its content")]
    Hash,
    /// It begins or ends at another entry than it should.
    #[error("entry {found} where {expected} belongs")]
    Sequence {
        /// The entry that belongs there.
        expected: u64,
        /// The one that the row names.
        found: u64,
    },
    /// Its content cannot be read, though its checksum is right.
    #[error("{0}")]
    Content(CodecError),
}
