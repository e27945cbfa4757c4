//! Going on deliberately without what is lost.
//!
//! For `surgeline journal accept-loss`, when a start refuses a journal and no copy of it is
//! at hand. [`plan`] tells what would be kept and what not; [`accept`] does it. Nothing is
//! ever deleted: what does not stay moves to a folder of its own, and who did it and why is
//! written down ([`accepted`]), for receipts and the archive that know of what is lost. It does
//! not judge whether the loss is acceptable: a person does.

mod beside;
mod carry;
mod record;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use thiserror::Error;

use self::beside::Beside;
pub use self::carry::{Acceptance, accept};
pub use self::record::{Accepted, accepted};
use super::error::{GoOn, JournalError};
use super::files::{Lock, failed};
use super::recovery::{Scan, beginning};
use super::segment::{self, Paths, Segment};
use super::snapshot::SnapshotError;
use super::tip::{self, Acknowledged};
use super::{Tip, codec};
use crate::time::{EngineTime, WallTime};

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
    /// The snapshots cannot be looked at.
    #[error(transparent)]
    Snapshots(#[from] SnapshotError),
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
        "the journal begins at entry {first} and no snapshot from entry {} to {after} that is whole holds what was before: use a later --after, or restore the data directory from a copy",
        first - 1
    )]
    NoSnapshot {
        /// The first entry that is there.
        first: u64,
        /// What should be kept.
        after: u64,
        /// What is wrong with the newest that seems to; none if there is none.
        source: Option<Box<SnapshotError>>,
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
    /// Engine time of its last entry.
    pub kept_at: Option<EngineTime>,
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
    /// Snapshots that are later than what stays, or of another history.
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
    let mut beside = Beside::of(paths)?;
    let mut begin = begin(&segments, acknowledged);
    if begin.sequence > 0 && begin.hash == [0; 32] {
        begin.hash = beside.hash_after(begin.sequence).unwrap_or_default();
    }
    beside.meet(begin);
    let mut scan = Scan::new(&paths.folder, acknowledged, begin);
    let mut kept = (begin, None);
    let (mut end, mut lost_wall) = (begin.sequence, None);
    let walked = scan.walk(
        &segments,
        &mut |batch, tip| {
            if tip.sequence <= after {
                let at = batch.entries.last().map(|entry| entry.at);
                kept = (tip, Some((batch.wall, at)));
            } else {
                lost_wall = Some(batch.wall);
            }
            end = tip.sequence;
            beside.meet(tip);
            ControlFlow::Continue(())
        },
        &mut |_| {},
    );
    let judged = walked.and_then(|()| scan.judge(&paths.tip)).map(drop);
    let stray = beside.stray(begin.sequence, after);
    let refusal = judged.and_then(|()| beyond_journal(paths, &beside, stray, end)).err();
    let (mut tip, kept) = kept;
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
    // A snapshot is only ever taken of what was durable.
    let newest = beside.newest();
    let told = match acknowledged {
        Acknowledged::Upto(tip, _) => Some(tip),
        Acknowledged::Missing | Acknowledged::Damaged => None,
    };
    let seen = scan.found.tip.epoch.max(beyond.epoch).max(newest.epoch);
    tip.epoch = told.map_or(seen + LEAP, |t| t.epoch.max(seen)) + 1;
    let (first, snapshots) = (begin.sequence + 1, beside.going(begin.sequence, after));
    if first > 1 && !beside.vouch(begin.sequence, after) {
        let source = beside.complaint(begin.sequence, after);
        return Err(LossError::NoSnapshot { first, after, source });
    }
    Ok(Plan {
        first,
        tip,
        kept_wall: kept.map(|(wall, _)| wall),
        kept_at: kept.and_then(|(_, at)| at),
        lost_to: told.map_or(0, |t| t.sequence).max(newest.sequence).max(end).max(beyond.last),
        lost_wall: beyond.wall.max(lost_wall),
        acknowledged: told.map(|t| t.sequence.max(newest.sequence).saturating_sub(after)),
        other: stray.is_some() || matches!(refusal, Some(JournalError::Diverged { .. })),
        refusal: refusal.map(|e| e.to_string()),
        holder: scan.entered.into_iter().rev().find(|first| *first <= after),
        snapshots,
    })
}

/// Refuses a journal that is whole as a start does that begins with a snapshot: one that is
/// ahead of it, or of another history.
fn beyond_journal(
    paths: &Paths,
    beside: &Beside,
    stray: Option<u64>,
    end: u64,
) -> Result<(), JournalError> {
    let newest = beside.newest().sequence;
    if newest > end {
        return Err(JournalError::gone(&paths.folder, end, newest));
    }
    match stray {
        Some(sequence) => {
            let (path, go_on) = (paths.folder.clone(), GoOn::new(&paths.folder, end));
            Err(JournalError::Diverged { path, sequence, go_on })
        }
        None => Ok(()),
    }
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
