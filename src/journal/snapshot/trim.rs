//! How far the journal may be shortened: below everything that still needs it.
//!
//! Whoever reads the journal behind the router (the archive, a copy elsewhere) holds a
//! [`Position`] and moves it on; the journal connects what trims it; the snapshot thread
//! says when there is something to trim. It trims nothing itself. Age is engine time: it never
//! goes back, a restart moves it on by minutes at most, and no clock that somebody sets counts.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Passed;
use crate::time::{EngineTime, Span};

/// Times at which the journal's position is remembered, within the time that it is kept.
const MARKS: u32 = 64;

/// How far a reader of the journal has got: entries up to there it needs no more.
#[derive(Clone, Debug, Default)]
pub struct Position(Arc<AtomicU64>);

impl Position {
    /// Needs nothing up to this sequence any more.
    pub fn passed(&self, sequence: u64) {
        self.0.fetch_max(sequence, Ordering::AcqRel);
    }
}

type Trim = Box<dyn FnMut(u64) + Send>;

/// What bounds the trimming of one journal, and what does it.
#[derive(Default)]
pub struct Trimming {
    positions: Mutex<Vec<Position>>,
    trim: Mutex<Option<Trim>>,
    /// No start needs entries up to here.
    outgrown: AtomicU64,
}

impl fmt::Debug for Trimming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trimming").field("positions", &self.positions).finish_non_exhaustive()
    }
}

impl Trimming {
    /// A reader that must be waited for from now on; it begins before the first entry.
    #[must_use]
    pub fn position(&self) -> Position {
        let position = Position::default();
        self.positions.lock().unwrap_or_else(PoisonError::into_inner).push(position.clone());
        position
    }

    /// A reader that counts for itself up to where it needs nothing any more.
    pub fn wait_for(&self, position: Arc<AtomicU64>) {
        let positions = self.positions.lock();
        positions.unwrap_or_else(PoisonError::into_inner).push(Position(position));
    }

    /// Connects what trims the journal: it is told the last sequence that may go.
    pub fn connect(&self, trim: impl FnMut(u64) + Send + 'static) {
        *self.trim.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(trim));
    }

    /// Entries up to `sequence` are in the older of the snapshots: no start needs them.
    pub fn outgrown(&self, sequence: u64) {
        self.outgrown.fetch_max(sequence, Ordering::AcqRel);
    }

    /// Trims all that no start and no reader needs, however young it is. Gives how far; 0 for
    /// nothing.
    pub fn all(&self) -> u64 {
        self.upto(self.outgrown.load(Ordering::Acquire))
    }

    /// Entries up to `sequence` are needed by no start: trims up to there, or to the
    /// hindmost position. Gives how far; 0 for nothing.
    pub fn upto(&self, sequence: u64) -> u64 {
        let positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        let hindmost = positions.iter().map(|p| p.0.load(Ordering::Acquire)).min();
        drop(positions);
        let upto = hindmost.map_or(sequence, |least| least.min(sequence));
        let mut trim = self.trim.lock().unwrap_or_else(PoisonError::into_inner);
        match trim.as_mut().filter(|_| upto > 0) {
            Some(trim) => {
                trim(upto);
                upto
            }
            None => 0,
        }
    }
}

/// Remembers where the journal stands now, if the last time was long enough ago, and
/// forgets what nothing is decided by any more.
pub(crate) fn remember(passed: &mut Vec<Passed>, now: Passed, keep: Duration) {
    // Of another life of this data: it would stay the last one until that time comes.
    passed.retain(|p| p.at <= now.at);
    let apart = Span::from(keep / MARKS);
    if passed.last().is_none_or(|last| now.at.since(last.at) >= apart) {
        passed.push(now);
    }
    let old = passed.iter().rposition(|p| is_old(p, now.at, keep));
    passed.drain(..old.unwrap_or(0));
}

/// The last sequence that is older than what is to be kept; 0 if none is.
pub(crate) fn outlived(passed: &[Passed], now: EngineTime, keep: Duration) -> u64 {
    let old = passed.iter().rev().find(|p| is_old(p, now, keep));
    old.map_or(0, |p| p.sequence)
}

fn is_old(passed: &Passed, now: EngineTime, keep: Duration) -> bool {
    now.since(passed.at) >= Span::from(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_trimmed_that_a_reader_needs() {
        let trimming = Trimming::default();
        assert_eq!(trimming.upto(100), 0, "nothing is connected");
        let trimmed = Arc::new(Mutex::new(Vec::new()));
        let told = trimmed.clone();
        trimming.connect(move |upto| told.lock().unwrap().push(upto));
        assert_eq!(trimming.upto(100), 100, "nobody reads behind");
        let (archive, copy) = (trimming.position(), trimming.position());
        archive.passed(150);
        assert_eq!(trimming.upto(200), 0, "the copy has read nothing");
        copy.passed(120);
        copy.passed(110);
        assert_eq!(trimming.upto(200), 120);
        copy.passed(500);
        assert_eq!(trimming.upto(200), 150);
        assert_eq!(trimming.upto(140), 140, "a start needs the rest");
        assert_eq!(*trimmed.lock().unwrap(), [100, 120, 150, 140]);
    }

    #[test]
    fn all_is_what_neither_a_start_nor_a_reader_needs() {
        let trimming = Trimming::default();
        let trimmed = Arc::new(Mutex::new(Vec::new()));
        let told = trimmed.clone();
        trimming.connect(move |upto| told.lock().unwrap().push(upto));
        assert_eq!(trimming.all(), 0, "no snapshot is known");
        trimming.outgrown(100);
        let archive = trimming.position();
        assert_eq!(trimming.all(), 0, "the archive has read nothing");
        archive.passed(70);
        assert_eq!(trimming.all(), 70);
        archive.passed(500);
        assert_eq!(trimming.all(), 100, "a start needs the rest");
        assert_eq!(*trimmed.lock().unwrap(), [70, 100]);
    }

    #[test]
    fn the_journal_is_kept_for_its_time_and_not_much_longer() {
        let (keep, hour) = (Duration::from_secs(64 * 3600), Span::seconds(3_600));
        let mut passed = Vec::new();
        // A snapshot every ten minutes for a week, a hundred entries each.
        for n in 1..=1_008_u64 {
            let now = Passed { sequence: n * 100, at: EngineTime(n * hour.0 / 6) };
            remember(&mut passed, now, keep);
            assert!(passed.len() <= MARKS as usize + 2, "{} marks", passed.len());
            let outlived = outlived(&passed, now.at, keep);
            let sixty_four_hours = (n * 100).saturating_sub(64 * 600);
            assert!(outlived <= sixty_four_hours, "{outlived} at {n}");
            assert!(sixty_four_hours - outlived <= 700, "{outlived} at {n}");
        }
    }

    #[test]
    fn a_mark_that_is_ahead_keeps_nothing_for_ever() {
        // As a data directory has it that was put together from two.
        let (keep, at) = (Duration::from_secs(64), |s| EngineTime::ZERO + Span::seconds(s));
        let mut passed = vec![Passed { sequence: 900, at: at(9_000) }];
        for n in 1..=200 {
            let now = Passed { sequence: n, at: at(n) };
            remember(&mut passed, now, keep);
            assert_eq!(outlived(&passed, now.at, keep), n.saturating_sub(64), "at {n}");
        }
    }
}
