//! A journal in memory that fails as disks and networks do, by a seed.
//!
//! It keeps the contract of [`Journal`] under every fault, unless it is built with a [`Bug`].
//! It does not judge what the shard makes of it.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::journal::{Batch, EachBatch, Journal, JournalError, Tip, Trimmed};
use crate::shard::testing::machine;

/// A known bug, put back on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bug {
    /// The writer lets answers out before the append.
    AnswersFirst,
    /// The journal takes a batch wherever it ends.
    CompareLeftOut,
    /// The journal takes what anybody sends, of an earlier epoch too.
    NothingCompared,
    /// After a sync that failed the journal goes on, as if a second one made up for it.
    PoisonIgnored,
    /// The journal says that a batch is durable and has synced nothing.
    SyncLeftOut,
    /// All of the journal that is durable goes, whatever is still needed of it.
    TrimsTooFar,
}

/// What an append meets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fault {
    /// It takes long.
    Slow,
    /// Nothing was kept.
    NotKept,
    /// All of it is durable, and failure is reported.
    Kept,
    /// It is written and not synced: a start may find it or not.
    Torn,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Slow, Self::NotKept, Self::Kept, Self::Torn];
}

#[derive(Debug)]
struct Row {
    batch: Arc<Batch>,
    tip: Tip,
    synced: bool,
}

/// What outlives every process.
#[derive(Debug)]
pub(super) struct Disk {
    rows: Vec<Row>,
    /// What was trimmed ends here.
    begins: Tip,
    /// The last that was begun.
    pub(super) epoch: u64,
    rng: StdRng,
    bug: Option<Bug>,
    /// Nothing fails any more.
    pub(super) calm: bool,
    /// How often each fault struck.
    pub(super) struck: [u64; Fault::ALL.len()],
    /// Reads that failed, appends of an earlier epoch, appends that lost the compare.
    pub(super) unread: u64,
    pub(super) superseded: u64,
    pub(super) moved: u64,
}

pub(super) type Shared = Arc<Mutex<Disk>>;

pub(super) fn held(disk: &Shared) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    pub(super) fn new(seed: u64, bug: Option<Bug>) -> Self {
        Self {
            rows: Vec::new(),
            begins: Tip::default(),
            epoch: 0,
            rng: StdRng::seed_from_u64(seed ^ 0xd15c),
            bug,
            calm: false,
            struck: [0; Fault::ALL.len()],
            unread: 0,
            superseded: 0,
            moved: 0,
        }
    }

    pub(super) fn tip(&self) -> Tip {
        self.rows.last().map_or(self.begins, |row| row.tip)
    }

    /// A process is gone: what it did not sync may be gone too, with all that follows it.
    pub(super) fn settle(&mut self) {
        let mut whole = 0;
        while whole < self.rows.len() && (self.rows[whole].synced || self.rng.random_bool(0.5)) {
            self.rows[whole].synced = true;
            whole += 1;
        }
        self.rows.truncate(whole);
    }

    /// The last entry that was trimmed.
    pub(super) fn begins(&self) -> u64 {
        self.begins.sequence
    }

    /// What is durable for certain and follows an entry.
    pub(super) fn durable_after(&self, sequence: u64) -> Vec<(Arc<Batch>, Tip)> {
        let durable = self.rows.iter().take_while(|row| row.synced);
        let after = durable.filter(|row| row.tip.sequence > sequence);
        after.map(|row| (row.batch.clone(), row.tip)).collect()
    }

    /// Whether the batch that ends so is there, or was trimmed.
    pub(super) fn holds(&self, tip: Tip) -> bool {
        tip.sequence <= self.begins.sequence || self.rows.iter().any(|row| row.tip == tip)
    }

    fn fault(&mut self) -> Option<Fault> {
        let roll = self.rng.random_range(0..100_usize);
        let fault = match roll {
            0..4 => Fault::Slow,
            4..6 => Fault::NotKept,
            6..8 => Fault::Kept,
            8..10 => Fault::Torn,
            _ => return None,
        };
        if self.calm {
            return None;
        }
        self.struck[fault as usize] += 1;
        Some(fault)
    }

    fn put(&mut self, epoch: u64, batch: &Batch, synced: bool) -> Tip {
        let end = self.tip();
        let sequence = batch.entries.last().map_or(end.sequence, |entry| entry.sequence);
        let mut hasher = blake3::Hasher::new();
        for part in [end.hash.as_slice(), &sequence.to_le_bytes(), &epoch.to_le_bytes()] {
            hasher.update(part);
        }
        let tip = Tip { epoch, sequence, hash: *hasher.finalize().as_bytes() };
        self.rows.push(Row { batch: Arc::new(batch.clone()), tip, synced });
        tip
    }

    fn append(&mut self, epoch: u64, batch: &Batch) -> Result<Tip, JournalError> {
        let synced = self.bug != Some(Bug::SyncLeftOut);
        match self.fault() {
            None => Ok(self.put(epoch, batch, synced)),
            Some(Fault::Slow) => {
                machine::advance(Duration::from_millis(self.rng.random_range(50..20_000)));
                Ok(self.put(epoch, batch, synced))
            }
            Some(Fault::NotKept) => Err(failed("write")),
            Some(Fault::Kept) => {
                self.put(epoch, batch, true);
                Err(failed("sync"))
            }
            Some(Fault::Torn) => {
                let tip = self.put(epoch, batch, false);
                if self.bug == Some(Bug::PoisonIgnored) { Ok(tip) } else { Err(failed("sync")) }
            }
        }
    }
}

fn failed(doing: &'static str) -> JournalError {
    JournalError::Io { doing, path: PathBuf::from("memory"), source: io::Error::other("a fault") }
}

/// One process's way to the disk.
#[derive(Debug)]
pub(super) struct FaultyJournal {
    disk: Shared,
    over: bool,
}

impl FaultyJournal {
    pub(super) fn new(disk: &Shared) -> Self {
        Self { disk: disk.clone(), over: false }
    }
}

impl Journal for FaultyJournal {
    fn acquire(&mut self) -> Result<Tip, JournalError> {
        let mut disk = held(&self.disk);
        disk.epoch += 1;
        Ok(Tip { epoch: disk.epoch, ..disk.tip() })
    }

    fn append(&mut self, epoch: u64, after: u64, batch: &Batch) -> Result<Tip, JournalError> {
        if self.over {
            return Err(JournalError::Poisoned);
        }
        let mut disk = held(&self.disk);
        let (current, end) = (disk.epoch, disk.tip().sequence);
        if epoch != current && disk.bug != Some(Bug::NothingCompared) {
            disk.superseded += 1;
            return Err(JournalError::Superseded { epoch, current });
        }
        let compares = !matches!(disk.bug, Some(Bug::CompareLeftOut | Bug::NothingCompared));
        if after != end && compares {
            disk.moved += 1;
            self.over = true;
            return Err(JournalError::Moved { after, tip: end });
        }
        let appended = disk.append(epoch, batch);
        self.over = appended.is_err();
        appended
    }

    fn read(&self, after: Tip, each: &mut EachBatch<'_>) -> Result<Tip, JournalError> {
        let mut disk = held(&self.disk);
        if after.sequence < disk.begins.sequence {
            let (asked, first) = (after.sequence + 1, disk.begins.sequence + 1);
            return Err(JournalError::Trimmed { path: PathBuf::from("memory"), asked, first });
        }
        assert!(disk.holds(after), "a snapshot of entries that are not in the journal");
        let fails = !disk.calm && disk.rng.random_bool(0.05);
        disk.unread += u64::from(fails);
        let mut rows = disk.rows.iter().filter(|row| row.tip.sequence > after.sequence);
        let most = if fails { rows.clone().count() / 2 } else { usize::MAX };
        rows.by_ref().take(most).for_each(|row| each(row.batch.clone(), row.tip));
        if fails { Err(failed("read")) } else { Ok(disk.tip()) }
    }

    fn trim(&mut self, upto: u64) -> Result<Trimmed, JournalError> {
        let mut disk = held(&self.disk);
        let gone =
            disk.rows.iter().take_while(|row| row.synced && row.tip.sequence <= upto).count();
        let last = disk.rows.drain(..gone).next_back();
        disk.begins = last.map_or(disk.begins, |row| row.tip);
        Ok(Trimmed { segments: gone as u64, first: disk.begins.sequence + 1 })
    }
}
