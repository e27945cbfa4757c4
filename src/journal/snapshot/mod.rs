//! Snapshots: the state after one batch in a file, so that a start need not read the whole
//! journal, and the journal need not be kept for ever.
//!
//! The shard's replica takes them, a thread of its own writes them, the app reads the
//! newest good one at a start. A snapshot is never the only copy of anything that the
//! journal still holds: one that is damaged, or is no state to this version, is left out. It decides nothing, and it does
//! not know what the state means: `engine::image` and the shard do.
//!
//! - [`seen`] is what the replica adds to the engine's image; `file` the bytes of one
//!   snapshot; [`kept`] the folder of the two newest; [`trim`] how far the journal may be
//!   shortened.

mod file;
pub mod kept;
pub mod seen;
#[cfg(test)]
mod tests;
pub mod trim;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Tip;
use super::error::CodecError;
use super::keys::KeyError;
use crate::engine::Engine;
use crate::engine::image::{Image, ImageError};
use crate::time::{EngineTime, WallTime};
use seen::Seen;

/// Where the journal stood when a snapshot was taken, of one that a start could go on from:
/// every byte of it is as it was written, and an engine can be made of it.
pub(super) fn tip_of(path: &Path) -> Result<Tip, SnapshotError> {
    let snapshot = file::read(path)?;
    Engine::restore(&snapshot.engine)
        .map_err(|source| SnapshotError::State { path: path.into(), source })?;
    Ok(snapshot.tip)
}

/// The state after one batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Where the journal stood.
    pub tip: Tip,
    /// When that batch was closed.
    pub wall: WallTime,
    /// Engine time of its last entry.
    pub at: EngineTime,
    /// Where the journal stood at earlier times, the oldest first: how far it may be
    /// trimmed by its age.
    pub passed: Vec<Passed>,
    /// The engine's state.
    pub engine: Image,
    /// What the replica has seen.
    pub seen: Seen,
}

/// Where the journal stood at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Sequence of the last entry.
    pub sequence: u64,
    /// Engine time of it: the wall clock may leap, and would trim what is young or keep all.
    pub at: EngineTime,
}

/// Why a snapshot cannot be written or used.
#[derive(Debug, Error)]
pub enum SnapshotError {
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
    /// It does not begin as a snapshot does.
    #[error("snapshot {} is damaged at byte 0: it does not begin as a snapshot", path.display())]
    NoSnapshot {
        /// Which file.
        path: PathBuf,
    },
    /// Another version laid it out.
    #[error("snapshot {} has layout {found}, this version reads {known}: use a newer surgeline", path.display())]
    Layout {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The one that this build knows.
        known: u32,
    },
    /// Bytes are not what was written.
    #[error("snapshot {} is damaged at byte {at}: {damage}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where the part begins that is damaged.
        at: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A part cannot be read, though its checksum is right.
    #[error("snapshot {}: part {part} cannot be read: {source}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// Which part, counted from 1; 0 for what is missing altogether.
        part: u32,
        /// Why.
        source: CodecError,
    },
    /// What it holds is no state of an engine.
    #[error("snapshot {} holds no state that can be gone on from: {source}", path.display())]
    State {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: ImageError,
    },
    /// It is whole, and another one than its name says.
    #[error("snapshot {} ends with entry {found}, which is not what its name says", path.display())]
    Misnamed {
        /// Which file.
        path: PathBuf,
        /// The entry that it ends with.
        found: u64,
    },
    /// The keys of what it holds sealed could not be made durable before it.
    #[error("no snapshot is written while the keys of what it holds are not durable")]
    Keys(#[source] KeyError),
}

/// What is wrong with a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Damage {
    /// The file ends within it.
    #[error("the file ends within it")]
    Cut,
    /// It is neither a part nor the end.
    #[error("neither a part nor the end begins there")]
    NoPart,
    /// Its checksum is another.
    #[error("checksum {found:08x} where {expected:08x} belongs")]
    Checksum {
        /// As stored.
        expected: u32,
        /// As computed.
        found: u32,
    },
    /// The end counts other parts than there are.
    #[error("the end counts {expected} parts, there are {found}")]
    Parts {
        /// As the end says.
        expected: u32,
        /// As found.
        found: u32,
    },
    /// The hash of all is another.
    #[error("the hash at the end is not that of what is before it")]
    Hash,
    /// Something follows the end.
    #[error("something follows the end")]
    Longer,
}

impl SnapshotError {
    /// Whether the file is not what was written under its name. One that is whole is never
    /// at fault: another version, or this one once it is mended, may go on from it.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::NoSnapshot { .. } | Self::Damaged { .. } | Self::Misnamed { .. })
    }
}

/// Wraps an error with what was tried on which file.
fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SnapshotError + use<> {
    let path = path.to_path_buf();
    move |source| SnapshotError::Io { doing, path, source }
}
