//! Going on deliberately without what is lost.
//!
//! For `surgeline journal accept-loss`, when a start refuses a journal and no copy of it is
//! at hand. [`plan`] tells what would be kept and what not; [`accept`] does it. Nothing is
//! ever deleted: what does not stay moves to a folder of its own, and who did it and why is
//! written down ([`accepted`]), for receipts and the archive that know of what is lost. It does
//! not judge whether the loss is acceptable: a person does.

mod carry;
mod record;

use std::path::{Path, PathBuf};

use thiserror::Error;

pub use self::carry::{Acceptance, accept};
pub use self::record::{Accepted, accepted};
use super::error::JournalError;
use super::files::{Lock, failed};
use super::recovery::{Scan, beginning};
use super::segment::{self, Paths, Segment};
use super::tip::{self, Acknowledged};
use super::{Tip, codec};
use crate::time::WallTime;

/// What the part that stays is called until it is in its place.
const KEPT: &str = "kept-";
/// How far the epoch leaps when the tip file cannot tell the last one: receipts from epochs
/// that left no trace must be known as earlier ones.
const LEAP: u64 = 1_000_000;

/// Why a loss cannot be accepted like this.
#[derive(Debug, Error)]
pub enum LossError {
    /// The journal cannot be looked at.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It would start as it is.
    #[error("the journal is whole up to entry {end} and nothing in it is lost: start the router")]
    NothingLost {
        /// Its last entry.
        end: u64,
    },
    /// What should be kept is not there or not whole.
    #[error(
        "entry {after} cannot be kept: the journal is whole up to entry {whole} only; use --after {whole} at most"
    )]
    NotWhole {
        /// What should be kept.
        after: u64,
        /// What can be.
        whole: u64,
        /// What is wrong after it; none if nothing is there.
        source: Option<Box<JournalError>>,
    },
    /// Entries of a batch stay or go together.
    #[error(
        "entry {after} is inside a batch, which stays or goes as a whole: use --after {before}"
    )]
    InsideBatch {
        /// What should be kept.
        after: u64,
        /// The end of the batch before.
        before: u64,
    },
    /// Nothing tells the state that the journal's first entry builds on.
    #[error(
        "the journal begins at entry {first} and no snapshot from entry {} to {after} holds what was before: use a later --after, or restore the data directory from a copy",
        first - 1
    )]
    NoSnapshot {
        /// The first entry that is there.
        first: u64,
        /// What should be kept.
        after: u64,
    },
    /// An earlier one died on the way.
    #[error("an earlier accept-loss was cut short: run it again with --yes")]
    Unfinished,
}

/// What would stay and what would go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The first entry that the journal holds.
    pub first: u64,
    /// The last entry that stays; its epoch is the one after all that were.
    pub tip: Tip,
    /// When the last batch that stays was closed.
    pub kept_wall: Option<WallTime>,
    /// The last entry that is known to have been there.
    pub lost_to: u64,
    /// When the last batch that goes was closed, as far as it can be read.
    pub lost_wall: Option<WallTime>,
    /// How many of the entries that go were acknowledged; none if the tip file cannot tell.
    pub acknowledged: Option<u64>,
    /// Why the journal is refused as it is.
    pub refusal: Option<String>,
    /// What is kept is another history than the one that was acknowledged.
    pub other: bool,
    /// Snapshots that are later than what stays.
    pub snapshots: Vec<PathBuf>,
    /// First entry of the segment that holds the last entry that stays.
    holder: Option<u64>,
}

impl Plan {
    /// How many entries go.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost_to.saturating_sub(self.tip.sequence)
    }
}

/// Looks at a journal and changes nothing: what would be lost by keeping it up to `after`.
///
/// # Errors
/// See [`LossError`].
pub fn plan(data: &Path, after: u64) -> Result<Plan, LossError> {
    let paths = Paths::of(data);
    let _lock = locked(&paths)?;
    if unfinished(&paths)?.is_some() {
        return Err(LossError::Unfinished);
    }
    look(&paths, after)
}

/// An [`accept`] that died on the way must be finished before anything reads the journal.
pub(super) fn refuse_unfinished(paths: &Paths) -> Result<(), JournalError> {
    match unfinished(paths)? {
        Some(kept) => Err(JournalError::LossUnfinished { path: kept.path }),
        None => Ok(()),
    }
}

/// The part that an interrupted [`accept`] wanted to keep.
fn unfinished(paths: &Paths) -> Result<Option<Segment>, JournalError> {
    let reading = || failed("read the folder", &paths.folder);
    for entry in std::fs::read_dir(&paths.folder).map_err(reading())? {
        let entry = entry.map_err(reading())?;
        let name = entry.file_name();
        let first = name.to_str().and_then(|n| n.strip_prefix(KEPT)?.strip_suffix(".sqlite"));
        if let Some(first) = first.and_then(|digits| digits.parse().ok()) {
            return Ok(Some(Segment { first, path: entry.path() }));
        }
    }
    Ok(None)
}

fn locked(paths: &Paths) -> Result<Lock, JournalError> {
    if !paths.folder.is_dir() {
        return Err(JournalError::NoJournal { path: paths.folder.clone() });
    }
    Lock::acquire(paths.lock.clone())
}

fn look(paths: &Paths, after: u64) -> Result<Plan, LossError> {
    // Neither slot being whole is one of the things that this is for.
    let acknowledged = tip::read(&paths.tip)?;
    let segments = segment::list(&paths.folder)?;
    let begin = begin(&segments, acknowledged);
    let mut scan = Scan::new(&paths.folder, acknowledged, begin);
    let mut kept = (begin, None);
    let (mut end, mut lost_wall) = (begin.sequence, None);
    let walked = scan.walk(
        &segments,
        &mut |batch, tip| {
            if tip.sequence <= after {
                kept = (tip, Some(batch.wall));
            } else {
                lost_wall = Some(batch.wall);
            }
            end = tip.sequence;
        },
        &mut |_| {},
    );
    let refusal = walked.and_then(|()| scan.judge(&paths.tip)).err();
    let (mut tip, kept_wall) = kept;
    if tip.sequence != after {
        let (whole, before) = (end, tip.sequence);
        return Err(match refusal {
            _ if end > after => LossError::InsideBatch { after, before },
            why => LossError::NotWhole { after, whole, source: why.map(Box::new) },
        });
    }
    if refusal.is_none() && end == after {
        return Err(LossError::NothingLost { end });
    }
    let beyond = Beyond::of(&segments, end);
    let told = match acknowledged {
        Acknowledged::Upto(tip, _) => Some(tip),
        Acknowledged::Missing | Acknowledged::Damaged => None,
    };
    let seen = scan.found.tip.epoch.max(beyond.epoch);
    tip.epoch = told.map_or(seen + LEAP, |t| t.epoch.max(seen)) + 1;
    let snapshots = carry::snapshots(paths)?;
    let first = begin.sequence + 1;
    if first > 1 && !snapshots.iter().any(|(at, _)| (begin.sequence..=after).contains(at)) {
        return Err(LossError::NoSnapshot { first, after });
    }
    Ok(Plan {
        first,
        tip,
        kept_wall,
        lost_to: told.map_or(0, |t| t.sequence).max(end).max(beyond.last),
        lost_wall: beyond.wall.max(lost_wall),
        acknowledged: told.map(|t| t.sequence.saturating_sub(after)),
        other: matches!(refusal, Some(JournalError::Diverged { .. })),
        refusal: refusal.map(|e| e.to_string()),
        holder: scan.entered.into_iter().rev().find(|first| *first <= after),
        snapshots: snapshots.into_iter().filter(|(at, _)| *at > after).map(|(_, p)| p).collect(),
    })
}

/// Where the journal begins, damaged or not.
fn begin(segments: &[Segment], acknowledged: Acknowledged) -> Tip {
    beginning(segments, acknowledged).unwrap_or_else(|_| Tip {
        sequence: segments.first().map_or(0, |s| s.first.saturating_sub(1)),
        ..Tip::default()
    })
}

/// What lies after the first damage, where the chain cannot be followed: only told, never
/// relied on.
#[derive(Default)]
struct Beyond {
    last: u64,
    wall: Option<WallTime>,
    epoch: u64,
}

impl Beyond {
    fn of(segments: &[Segment], end: u64) -> Self {
        let mut found = Self::default();
        for (at, segment) in segments.iter().enumerate() {
            let row = segment::connect_read_only(segment, at + 1 == segments.len())
                .ok()
                .and_then(|connection| segment::holding(&connection, u64::MAX).ok().flatten());
            let last = row.as_ref().map_or(0, |row| u64::try_from(row.last).unwrap_or(0));
            let Some(row) = row.filter(|_| last > end) else { continue };
            found.last = found.last.max(last);
            found.epoch = found.epoch.max(u64::try_from(row.epoch).unwrap_or(0));
            let wall = codec::decode(&row.payload).ok().map(|stored| stored.batch.wall);
            found.wall = found.wall.max(wall);
        }
        found
    }
}
