//! Trimming: segments that nobody needs any more are deleted, oldest first.
//!
//! Whoever calls it knows up to where snapshots and the archive hold everything; this does
//! not look. It never touches the segment that is written, nor one that is not sealed.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::JournalError;
use super::files;
use super::keeper::Shared;
use super::segment;

/// What trimming came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trimmed {
    /// How many segments were deleted.
    pub segments: u64,
    /// The first entry that is, or will be, in the journal.
    pub first: u64,
}

/// Trims the journal that a writer in this process has open.
#[derive(Clone, Debug)]
pub struct Trimmer {
    folder: PathBuf,
    shared: Arc<Shared>,
}

impl Trimmer {
    pub(super) fn new(folder: PathBuf, shared: Arc<Shared>) -> Self {
        Self { folder, shared }
    }

    /// Deletes the segments that end at or before this entry.
    ///
    /// # Errors
    /// A file cannot be deleted; what is left is whole.
    pub fn trim(&self, upto: u64) -> Result<Trimmed, JournalError> {
        let segments = segment::list(&self.folder)?;
        let mut trimmed = Trimmed { segments: 0, first: segments.first().map_or(1, |s| s.first) };
        for pair in segments.windows(2) {
            let [segment, next] = pair else { break };
            // Each ends where the next begins; what is not sealed is waited for.
            if next.first > upto.saturating_add(1) || self.shared.is_open(segment.first) {
                break;
            }
            if segment::length(&segment::log_of(&segment.path))? > 0 {
                break;
            }
            // Its companions are empty. First, so that a crash leaves none without its file.
            for file in segment::companions(&segment.path) {
                files::remove(&file)?;
            }
            files::remove(&segment.path)?;
            trimmed = Trimmed { segments: trimmed.segments + 1, first: next.first };
        }
        if trimmed.segments > 0 {
            files::sync_folder(&self.folder)?;
        }
        Ok(trimmed)
    }
}
