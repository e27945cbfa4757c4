//! Carrying out what [`super::plan`] told.
//!
//! Owned by [`super`]. Written so that dying at any point leaves everything on disk, and a
//! repeat of the same command finishes it. It decides nothing.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use super::record::{self, Accepted};
use super::{KEPT, LossError, Plan, locked, look, unfinished};
use crate::journal::error::JournalError;
use crate::journal::files::{self, failed};
use crate::journal::segment::{self, Paths, Segment};
use crate::journal::tip::TipFile;
use crate::time::WallTime;

/// A person's decision.
#[derive(Clone, Copy, Debug)]
pub struct Acceptance<'a> {
    /// The last entry that stays.
    pub after: u64,
    /// Who decided.
    pub who: &'a str,
    /// Why.
    pub why: &'a str,
    /// When.
    pub at: WallTime,
}

/// Keeps a journal up to an entry and moves the rest away. Gives what was done and where the
/// rest is.
///
/// # Errors
/// See [`LossError`]. Whatever happened, everything is still on disk, and a repeat goes on.
pub fn accept(data: &Path, decided: Acceptance<'_>) -> Result<(Plan, PathBuf), LossError> {
    let paths = Paths::of(data);
    let _lock = locked(&paths)?;
    let lost = unused(&paths, decided.at);
    if let Some(kept) = unfinished(&paths)? {
        put_in_place(&paths, &kept, &lost)?;
    }
    let plan = look(&paths, decided.after)?;
    files::create_folder(&lost)?;
    let after = plan.tip.sequence;
    match plan.holder.map(|first| paths.segment(first)) {
        Some(holder) if !ends_at(&holder, after) => {
            let kept = keep(&paths, &holder, after)?;
            put_in_place(&paths, &kept, &lost)?;
        }
        Some(holder) => move_from(&paths, holder.first + 1, &lost)?,
        None => move_from(&paths, 0, &lost)?,
    }
    for snapshot in &plan.snapshots {
        move_to(snapshot, &lost)?;
    }
    if let Some(snapshot) = plan.snapshots.first() {
        files::sync_folder(&lost)?;
        files::sync_folder(files::parent(snapshot))?;
    }
    // Before the tip: a journal that starts again has its loss on record.
    record(&paths, decided, &plan, &lost)?;
    if paths.tip.exists() {
        let copy = lost.join("tip");
        fs::copy(&paths.tip, &copy)
            .and_then(|_| fs::File::open(&copy)?.sync_all())
            .map_err(failed("copy the tip file to", &copy))?;
        files::sync_folder(&lost)?;
    }
    TipFile::create(&paths.tip, plan.tip)?;
    Ok((plan, lost))
}

/// A folder that is not there yet, named after the time.
fn unused(paths: &Paths, at: WallTime) -> PathBuf {
    let name = format!("lost-{}", stamp(at));
    let again = (2..).map(|n: u32| format!("{name}-{n}"));
    let mut names = std::iter::once(name.clone()).chain(again);
    let found = names.find(|name| !paths.folder.join(name).exists());
    paths.folder.join(found.unwrap_or(name))
}

fn stamp(at: WallTime) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.strftime("%Y%m%dT%H%M%SZ").to_string(),
        Err(_) => at.0.to_string(),
    }
}

/// Whether a segment is sealed, can be read, and holds nothing after this entry: then it can
/// stay as it is.
fn ends_at(segment: &Segment, after: u64) -> bool {
    let unlogged = segment::length(&segment::log_of(&segment.path)).is_ok_and(|bytes| bytes == 0);
    unlogged
        && segment::connect_read_only(segment, false)
            .is_ok_and(|c| segment::chunk(&c, after).is_ok_and(|rows| rows.is_empty()))
}

/// Writes the part of a segment that stays into a file of its own, durably.
fn keep(paths: &Paths, segment: &Segment, after: u64) -> Result<Segment, JournalError> {
    let draft = paths.folder.join("kept.new");
    for old in [draft.clone()].into_iter().chain(segment::companions(&draft)) {
        files::remove(&old)?;
    }
    files::create_private(&draft)?;
    let failing = segment::sqlite(&draft);
    let source = segment::connect_read_only(segment, false)?;
    let target = segment::connect(&draft).map_err(&failing)?;
    segment::lay_out(&target).map_err(&failing)?;
    copy(&source, &target, segment.first, after).map_err(segment::sqlite(&segment.path))?;
    segment::checkpoint(&target, "TRUNCATE").map_err(&failing)?;
    target.close().map_err(|(_, error)| failing(error))?;
    let path = paths.folder.join(format!("{KEPT}{:020}.sqlite", segment.first));
    fs::rename(&draft, &path).map_err(failed("rename to", &path))?;
    files::sync_folder(&paths.folder)?;
    Ok(Segment { first: segment.first, path })
}

fn copy(source: &Connection, target: &Connection, first: u64, after: u64) -> rusqlite::Result<()> {
    let mut at = first.saturating_sub(1);
    let transaction = target.unchecked_transaction()?;
    while at < after {
        let before = at;
        // One by one: a row beyond may be one that cannot be read.
        let Some(row) = segment::after(source, at)? else { break };
        at = u64::try_from(row.last).unwrap_or(after);
        if at > after || at <= before {
            break;
        }
        row.insert(&transaction)?;
    }
    transaction.commit()
}

/// Moves what the kept part replaces away, and the kept part into its place.
fn put_in_place(paths: &Paths, kept: &Segment, lost: &Path) -> Result<(), JournalError> {
    files::create_folder(lost)?;
    move_from(paths, kept.first, lost)?;
    let place = paths.segment(kept.first).path;
    fs::rename(&kept.path, &place).map_err(failed("rename to", &place))?;
    files::sync_folder(&paths.folder)
}

/// Moves the segments from this one on, with their logs.
fn move_from(paths: &Paths, first: u64, lost: &Path) -> Result<(), JournalError> {
    for segment in segment::list(&paths.folder)? {
        if segment.first < first {
            continue;
        }
        // The log first: without its file it is refused by name, and found again.
        for file in segment::companions(&segment.path) {
            if file.exists() {
                move_to(&file, lost)?;
            }
        }
        move_to(&segment.path, lost)?;
    }
    files::sync_folder(lost)?;
    files::sync_folder(&paths.folder)
}

fn move_to(file: &Path, lost: &Path) -> Result<(), JournalError> {
    let Some(name) = file.file_name() else { return Ok(()) };
    fs::rename(file, lost.join(name)).map_err(failed("move away", file))
}

fn record(
    paths: &Paths,
    decided: Acceptance<'_>,
    plan: &Plan,
    lost: &Path,
) -> Result<(), JournalError> {
    let accepted = Accepted {
        when_ms: decided.at.0,
        who: decided.who.to_owned(),
        why: decided.why.to_owned(),
        from: plan.tip.sequence + 1,
        to: plan.lost_to,
        lost: plan.lost(),
        acknowledged: plan.acknowledged,
        other: plan.other,
        epoch: plan.tip.epoch,
        hash: record::hex(&plan.tip.hash),
        kept_ms: plan.kept_wall.map(|wall| wall.0),
        kept_us: plan.kept_at.map(|at| at.0),
        refusal: plan.refusal.clone(),
        moved_to: lost.display().to_string(),
    };
    record::add(paths, &accepted)
}
