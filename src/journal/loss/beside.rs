//! The snapshots beside a journal in which a loss is accepted: which of them a start can go on
//! from, and which go with what is lost.
//!
//! Owned by [`super`]. A name is believed of none: a snapshot vouches for what it holds only when
//! every byte of it is verified, a state can be made of it, and the journal has the batch that it
//! ends with. It moves nothing.

use std::path::PathBuf;

use crate::journal::Tip;
use crate::journal::files;
use crate::journal::segment::Paths;
use crate::journal::snapshot::{SnapshotError, kept, tip_of};

/// One that is there.
struct One {
    path: PathBuf,
    /// The entry that its name says.
    named: u64,
    /// Where the journal stood, if it is what it seems to be.
    tip: Result<Tip, SnapshotError>,
    /// The journal that is there stood there too.
    met: bool,
}

/// What becomes of one when the journal is kept up to an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// A start goes on from it.
    Vouches,
    /// It says nothing: it is older than the journal, or a start leaves it out.
    Stays,
    /// It is of what is lost.
    Goes,
    /// It is of another history than the journal.
    Stray,
}

/// Those of a data directory, the newest first.
pub(super) struct Beside(Vec<One>);

impl Beside {
    /// Reads and verifies all of them.
    pub(super) fn of(paths: &Paths) -> Result<Self, SnapshotError> {
        let folder = files::parent(&paths.folder).join("snapshots");
        if !folder.is_dir() {
            return Ok(Self(Vec::new()));
        }
        let listed = kept::listed(&folder)?.into_iter();
        let one = |(named, path): (u64, PathBuf)| {
            let tip = tip_of(&path).and_then(|tip| match tip.sequence {
                found if found == named => Ok(tip),
                found => Err(SnapshotError::Misnamed { path: path.clone(), found }),
            });
            One { path, named, tip, met: false }
        };
        Ok(Self(listed.map(one).collect()))
    }

    /// What the journal's hash was after an entry, if one of them ends there.
    pub(super) fn hash_after(&self, sequence: u64) -> Option<[u8; 32]> {
        let tips = self.0.iter().filter_map(|one| one.tip.as_ref().ok());
        tips.filter(|tip| tip.sequence == sequence).map(|tip| tip.hash).next()
    }

    /// The journal that is there stands here after one of its batches.
    pub(super) fn meet(&mut self, at: Tip) {
        for one in self.0.iter_mut().filter(|one| one.named == at.sequence) {
            one.met = one.tip.as_ref().is_ok_and(|tip| tip.hash == at.hash);
        }
    }

    /// Where the newest one ends that is what it seems to be.
    pub(super) fn newest(&self) -> Tip {
        self.0.iter().find_map(|one| one.tip.as_ref().ok()).copied().unwrap_or_default()
    }

    /// Whether a start can go on from one of them.
    pub(super) fn vouch(&self, begin: u64, after: u64) -> bool {
        self.fates(begin, after).any(|(_, fate)| fate == Fate::Vouches)
    }

    /// Those that go.
    pub(super) fn going(&self, begin: u64, after: u64) -> Vec<PathBuf> {
        let go = |fate| matches!(fate, Fate::Goes | Fate::Stray);
        let going = self.fates(begin, after).filter(|(_, fate)| go(*fate));
        going.map(|(one, _)| one.path.clone()).collect()
    }

    /// The newest entry with which one ends that is of another history.
    pub(super) fn stray(&self, begin: u64, after: u64) -> Option<u64> {
        let stray = self.fates(begin, after).find(|(_, fate)| *fate == Fate::Stray);
        stray.map(|(one, _)| one.named)
    }

    /// What is wrong with the newest one that should vouch and does not.
    pub(super) fn complaint(self, begin: u64, after: u64) -> Option<Box<SnapshotError>> {
        let mut within = self.0.into_iter().filter(|one| (begin..=after).contains(&one.named));
        within.find_map(|one| one.tip.err()).map(Box::new)
    }

    fn fates(&self, begin: u64, after: u64) -> impl Iterator<Item = (&One, Fate)> {
        self.0.iter().map(move |one| {
            let fate = match one.named {
                named if named > after => Fate::Goes,
                _ if one.tip.is_err() => Fate::Stays,
                named if named < begin => Fate::Stays,
                _ if one.met => Fate::Vouches,
                _ => Fate::Stray,
            };
            (one, fate)
        })
    }
}
