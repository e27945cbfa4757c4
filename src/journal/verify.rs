//! Reading a journal without owning it: for `surgeline journal verify` and `export`.
//!
//! Changes nothing, takes no lock, works beside a router that is running. It checks
//! everything that a start checks, from the first entry that is still there; whether the events make sense is found by applying
//! them, which is the caller's business.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::error::JournalError;
use super::reader::acknowledged;
use super::recovery::{Scan, beginning};
use super::segment::{self, Paths};
use super::{EachBatch, Tip};

/// Entries between two calls of `progress`, about.
const PROGRESS_EVERY: u64 = 10_000;
/// How often to begin again because the first segment was trimmed at that moment.
const LOOKS: usize = 3;

/// What a journal holds that passed every check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerifyReport {
    /// How many batches.
    pub batches: u64,
    /// How many entries.
    pub entries: u64,
    /// Sequence of the first entry, 0 if there is none. Above 1, earlier ones were trimmed.
    pub first_sequence: u64,
    /// Sequence of the last entry, 0 if there is none.
    pub last_sequence: u64,
    /// Where it ends, with the last epoch that acknowledged something (0 for none).
    pub tip: Tip,
    /// Bytes of all batches as stored, without `SQLite`'s own.
    pub bytes: u64,
    /// How many state hashes it carries.
    pub marks: u64,
    /// In how many files.
    pub segments: u64,
}

/// Checks a data directory's journal. `progress` hears how many entries were checked, now
/// and then and at the end.
///
/// # Errors
/// As [`super::sqlite::SqliteJournal::open`], without the lock; no journal there.
pub fn verify(data: &Path, progress: &mut dyn FnMut(u64)) -> Result<VerifyReport, JournalError> {
    let mut entries = 0;
    let mut told = 0;
    let report = read(data, &mut |batch, _| {
        entries += batch.entries.len() as u64;
        if entries - told >= PROGRESS_EVERY {
            told = entries;
            progress(entries);
        }
    })?;
    progress(report.entries);
    Ok(report)
}

/// Checks a data directory's journal and hands every batch on, in order. Batches that are
/// whole were handed on even when this fails later.
///
/// # Errors
/// As [`verify`].
pub fn read(data: &Path, each: &mut EachBatch<'_>) -> Result<VerifyReport, JournalError> {
    let paths = Paths::of(data);
    if !paths.folder.is_dir() {
        return Err(JournalError::NoJournal { path: paths.folder });
    }
    // The tip first: a running router writes the batch before the tip, so that rows read
    // after the tip can only be more.
    let acknowledged = acknowledged(&paths)?;
    let mut looks = 0;
    let (segments, begin) = loop {
        looks += 1;
        let segments = segment::list(&paths.folder)?;
        if segments.is_empty() {
            return Err(JournalError::NoJournal { path: paths.folder });
        }
        match beginning(&segments, acknowledged) {
            Ok(begin) => break (segments, begin),
            Err(_) if looks < LOOKS => {}
            Err(error) => return Err(error),
        }
    };
    let mut scan = Scan::new(&paths.folder, acknowledged, begin);
    let mut first_sequence = 0;
    let mut marks = 0;
    let mut each = |batch: super::Batch, tip| {
        if first_sequence == 0 {
            first_sequence = batch.entries.first().map_or(0, |e| e.sequence);
        }
        marks += u64::from(batch.mark.is_some());
        each(Arc::new(batch), tip);
        ControlFlow::Continue(())
    };
    scan.walk(&segments, &mut each, &mut |_| {})?;
    let epoch = scan.judge(&paths.tip)?;
    Ok(VerifyReport {
        batches: scan.found.batches,
        entries: scan.found.entries,
        first_sequence,
        last_sequence: scan.found.tip.sequence,
        tip: Tip { epoch, ..scan.found.tip },
        bytes: scan.bytes,
        marks,
        segments: segments.len() as u64,
    })
}
