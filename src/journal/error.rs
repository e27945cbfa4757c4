//! What can go wrong with a journal, said so that someone at three in the morning knows
//! what is missing and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

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
    /// Whoever takes what is read has ended.
    #[error("reading the journal was given up, as nothing takes what is read any more")]
    GivenUp,
    /// There is no journal to read.
    #[error("no journal at {}: check --data", path.display())]
    NoJournal {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file was laid out by another version.
    #[error("journal file {} has layout {found}, this version reads {known}: use a newer surgeline; if none was ever used here it is damaged: restore the data directory from a copy, or {go_on}", path.display())]
    Layout {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The one that this build knows.
        known: i64,
        /// How to go on without this file and what follows it.
        go_on: GoOn,
    },
    /// A row is not what was written.
    #[error(
        "journal file {}: the batch at entry {sequence} is damaged: {damage}; not serving; restore the data directory from a copy, or {go_on}",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The first entry of the batch; what the chain expects there if the row says otherwise.
        sequence: u64,
        /// What is wrong with it.
        damage: Damage,
        /// How to go on without what is lost.
        go_on: GoOn,
    },
    /// `SQLite` cannot read a row.
    #[error(
        "journal file {}: the batch at entry {sequence} cannot be read: {source}; not serving; restore the data directory from a copy, or {go_on}",
        path.display()
    )]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The entry that should come next.
        sequence: u64,
        /// What `SQLite` said.
        source: rusqlite::Error,
        /// How to go on without what is lost.
        go_on: GoOn,
    },
    /// A segment is not there.
    #[error(
        "entries {expected} to {} are gone: no segment holds them, the next one is {}; not serving; restore the data directory from a copy, or {go_on}",
        found - 1, path.display()
    )]
    SegmentMissing {
        /// The segment that comes instead.
        path: PathBuf,
        /// The entry that should come next.
        expected: u64,
        /// The first entry of the one that comes.
        found: u64,
        /// How to go on without what is lost.
        go_on: GoOn,
    },
    /// Two segments hold the same entries.
    #[error(
        "journal file {} begins at entry {found}, but entries up to {} are in the files before it: which are the right ones cannot be told; not serving; move the wrong file away, or {go_on}",
        path.display(), expected - 1
    )]
    Overlap {
        /// The later segment.
        path: PathBuf,
        /// The entry that should come next.
        expected: u64,
        /// The first entry of this one.
        found: u64,
        /// How to go on without it.
        go_on: GoOn,
    },
    /// A file that looks like a segment and is none.
    #[error(
        "{} is not a segment of this journal, though its name is like one's: move it out of the folder",
        path.display()
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// The log of a segment that is not there.
    #[error(
        "{} is the log of a journal file that is not there: put that file back beside it, or move both out of the folder",
        path.display()
    )]
    Orphan {
        /// The log.
        path: PathBuf,
    },
    /// Going on without what is lost was begun and not finished.
    #[error(
        "{} is there: a `surgeline journal accept-loss` was cut short, run the same command again",
        path.display()
    )]
    LossUnfinished {
        /// The part that should stay.
        path: PathBuf,
    },
    /// What is asked for was trimmed.
    #[error(
        "{} begins at entry {first}, earlier ones are in snapshots and the archive: entry {asked} is no longer there",
        path.display()
    )]
    Trimmed {
        /// The journal's folder.
        path: PathBuf,
        /// The entry that was asked for.
        asked: u64,
        /// The first that is there.
        first: u64,
    },
    /// The journal is shorter than what was acknowledged.
    #[error(
        "acknowledged entries are gone: {} ends at entry {recovered}, but entry {acknowledged} was acknowledged, {} missing; not serving; restore the data directory from a copy, or {go_on}",
        path.display(), acknowledged - recovered
    )]
    AcknowledgedGone {
        /// The journal's folder.
        path: PathBuf,
        /// The last entry that is there.
        recovered: u64,
        /// The last entry that was acknowledged.
        acknowledged: u64,
        /// How to go on without what is lost.
        go_on: GoOn,
    },
    /// The journal holds another history than the one that was acknowledged.
    #[error(
        "{} holds another history: entry {sequence} is not the one that was acknowledged; not serving; restore the data directory from one copy, journal and tip together, or {go_on}",
        path.display()
    )]
    Diverged {
        /// The journal's folder.
        path: PathBuf,
        /// The entry that was acknowledged last.
        sequence: u64,
        /// How to go on without what is lost.
        go_on: GoOn,
    },
    /// There are entries but no tip file, so nobody knows whether they are all.
    #[error(
        "tip file {} is missing, but the journal holds entries up to {recovered}: whether acknowledged ones are gone cannot be told; not serving; restore it, or {go_on}",
        path.display()
    )]
    TipMissing {
        /// Where it should be.
        path: PathBuf,
        /// The last entry that is there.
        recovered: u64,
        /// How to go on without what is lost.
        go_on: GoOn,
    },
    /// Neither slot of the tip file can be read.
    #[error(
        "tip file {} is damaged in both slots: whether acknowledged entries are gone cannot be told; not serving; restore it, or {go_on}",
        path.display()
    )]
    TipDamaged {
        /// Which file.
        path: PathBuf,
        /// How to go on without what is lost.
        go_on: GoOn,
    },
    /// A batch that could not be read back was refused before writing it.
    #[error("batch refused: {0}")]
    Refused(#[source] CodecError),
    /// Somebody else's turn at writing began after this one's.
    #[error(
        "epoch {epoch} may not write, epoch {current} does: stop this process, recovery decides"
    )]
    Superseded {
        /// The epoch that asked.
        epoch: u64,
        /// The one in force.
        current: u64,
    },
    /// The journal does not end where the writer thinks it does.
    #[error(
        "a batch should follow entry {after}, but the journal ends at entry {tip}: this epoch writes nothing more, restart to recover"
    )]
    Moved {
        /// What the writer thinks the last entry is.
        after: u64,
        /// What it is.
        tip: u64,
    },
    /// Something failed before: nothing more is written by this process.
    #[error("the journal failed before and takes nothing more: restart to recover what is durable")]
    Poisoned,
}

impl JournalError {
    /// The journal in a folder ends before what was acknowledged.
    pub(super) fn gone(folder: &Path, recovered: u64, acknowledged: u64) -> Self {
        let go_on = GoOn::new(folder, recovered);
        Self::AcknowledgedGone { path: folder.to_path_buf(), recovered, acknowledged, go_on }
    }
}

/// The command that goes on deliberately without what is lost, as it is typed: the data
/// directory and the last entry that is kept. Boxed, so that an error stays small.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoOn(Box<(PathBuf, u64)>);

impl GoOn {
    /// The command for the data directory that a journal's folder is in.
    pub(super) fn new(folder: &Path, after: u64) -> Self {
        Self(Box::new((super::files::parent(folder).to_path_buf(), after)))
    }
}

impl fmt::Display for GoOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (data, after) = &*self.0;
        let data = data.display().to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
        let data = if data.chars().all(plain) {
            data
        } else {
            format!("'{}'", data.replace('\'', r"'\''"))
        };
        write!(
            f,
            "go on without what follows entry {after}: `surgeline journal accept-loss --data {data} --after {after} --why \"...\"`"
        )
    }
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
