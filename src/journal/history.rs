//! Whether what a client was told is durable is part of this journal's history.
//!
//! By the hash of the batch that its receipt names: the newest are remembered, others are looked
//! up in the journal, beside its writer. The number of an entry alone proves nothing: an older
//! copy that went on for long enough has that number too. It ends no router; who asks does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Tip;
use super::error::JournalError;
use super::loss;
use super::receipt::{PREFIX, Seen};
use super::segment::{self, Paths};

/// Batches that are remembered: seconds of the highest load, 1 MiB. Everyone who connects again
/// after a short stop finds theirs here.
const RECENT: usize = 16_384;
/// How often to look again at what a writer is just changing.
const LOOKS: usize = 5;

/// Why a receipt is let pass that nothing here bears out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unproven {
    /// What it names was trimmed: it was here, or long ago in another history.
    Trimmed,
    /// What it names was given up by `surgeline journal accept-loss`.
    LossAccepted,
    /// The journal could not be read just then.
    Unreadable,
}

impl Unproven {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Trimmed, Self::LossAccepted, Self::Unreadable];

    /// The word for it in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trimmed => "trimmed",
            Self::LossAccepted => "loss_accepted",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a genuine receipt comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The batch is here.
    Here,
    /// Neither proved nor refuted, and let pass.
    Passes(Unproven),
    /// Another batch is here.
    Other,
    /// It should be there and is not.
    Missing,
}

/// What was found under the number of an entry.
enum Row {
    Hash([u8; 32]),
    /// No batch ends there.
    Other,
    Trimmed,
}

/// The hashes of one journal's batches.
#[derive(Debug, Default)]
pub(super) struct History {
    /// None if nobody can look anything up.
    data: Option<PathBuf>,
    recent: Mutex<BTreeMap<u64, [u8; PREFIX]>>,
    told: AtomicBool,
}

impl History {
    /// Of the journal in this data directory.
    pub(super) fn of(data: &Path) -> Self {
        Self { data: Some(data.to_path_buf()), ..Self::default() }
    }

    fn recent(&self) -> MutexGuard<'_, BTreeMap<u64, [u8; PREFIX]>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where the journal stands.
    pub(super) fn remember(&self, tip: Tip) {
        let mut recent = self.recent();
        recent.insert(tip.sequence, prefix(&tip.hash));
        if recent.len() > RECENT {
            recent.pop_first();
        }
    }

    /// Whether a batch is among those remembered; none if another must be looked for.
    pub(super) fn remembers(&self, seen: &Seen) -> bool {
        self.recent().get(&seen.sequence) == Some(&seen.hash)
    }

    /// Looks at all that is known, files included. `due`: it is within what should be here.
    pub(super) fn prove(&self, seen: &Seen, due: bool) -> Proof {
        let found = if due { self.find(seen) } else { Proof::Missing };
        if matches!(found, Proof::Other | Proof::Missing) && self.given_up(seen) {
            return Proof::Passes(Unproven::LossAccepted);
        }
        found
    }

    fn find(&self, seen: &Seen) -> Proof {
        // Before the first entry nothing was promised.
        if seen.sequence == 0 || self.remembers(seen) {
            return Proof::Here;
        }
        if self.recent().contains_key(&seen.sequence) {
            return Proof::Other;
        }
        let Some(data) = &self.data else { return Proof::Passes(Unproven::Unreadable) };
        match look_up(&Paths::of(data), seen.sequence) {
            Ok(Row::Hash(hash)) if prefix(&hash) == seen.hash => {
                self.remember(Tip { sequence: seen.sequence, hash, epoch: seen.epoch });
                Proof::Here
            }
            Ok(Row::Hash(_) | Row::Other) => Proof::Other,
            Ok(Row::Trimmed) => Proof::Passes(Unproven::Trimmed),
            Err(error) => {
                tracing::warn!(%error, "a receipt could not be held against the journal");
                Proof::Passes(Unproven::Unreadable)
            }
        }
    }

    /// Whether somebody decided to go on without it.
    fn given_up(&self, seen: &Seen) -> bool {
        let Some(data) = &self.data else { return false };
        let losses = match loss::accepted(data) {
            Ok(losses) => losses,
            Err(error) => {
                tracing::error!(%error, "which losses were accepted is not known");
                return false;
            }
        };
        let Some(loss) = losses.iter().find(|loss| loss.covers(seen.epoch, seen.sequence)) else {
            return false;
        };
        if !self.told.swap(true, Ordering::Relaxed) {
            let (who, why, after) = (&loss.who, &loss.why, loss.after());
            tracing::warn!(
                who,
                why,
                after,
                "clients have receipts for what was given up: they are let in, and counted"
            );
        }
        true
    }
}

fn prefix(hash: &[u8; 32]) -> [u8; PREFIX] {
    let mut prefix = [0; PREFIX];
    prefix.copy_from_slice(&hash[..PREFIX]);
    prefix
}

/// The hash of the batch that ends with a durable entry.
fn look_up(paths: &Paths, sequence: u64) -> Result<Row, JournalError> {
    let mut found = row(paths, sequence);
    for _ in 1..LOOKS {
        if found.is_ok() {
            break;
        }
        // Rolled, sealed or trimmed under it: what is there now is looked at anew.
        found = row(paths, sequence);
    }
    found
}

fn row(paths: &Paths, sequence: u64) -> Result<Row, JournalError> {
    let segments = segment::list(&paths.folder)?;
    let Some(at) = segments.iter().rposition(|segment| segment.first <= sequence) else {
        return Ok(Row::Trimmed);
    };
    let segment = &segments[at];
    let connection = segment::connect_read_only(segment, at + 1 == segments.len())?;
    let row = segment::holding(&connection, sequence).map_err(segment::sqlite(&segment.path))?;
    let last = row.as_ref().map_or(0, |row| u64::try_from(row.last).unwrap_or(0));
    if last < sequence {
        return Err(JournalError::gone(&paths.folder, last, sequence));
    }
    let hash = row.filter(|_| last == sequence).and_then(|row| row.hash.try_into().ok());
    Ok(hash.map_or(Row::Other, Row::Hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_are_remembered() {
        let history = History::default();
        for sequence in 1..=RECENT as u64 + 5 {
            history.remember(Tip { epoch: 1, sequence, hash: [1; 32] });
        }
        assert_eq!(history.recent().len(), RECENT);
        let of = |sequence| Seen { epoch: 1, sequence, hash: [1; PREFIX] };
        assert!(!history.remembers(&of(5)) && history.remembers(&of(6)));
    }
}
