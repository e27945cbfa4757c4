//! The folder of snapshots: the two newest, whole and durable.
//!
//! Written by the snapshot thread alone, read at a start. A file is under its name only
//! once all of it is durable; an older one goes only after that. The older of the two is
//! verified each time that something is to go because of it: else damage would show only when
//! the newest is damaged too, and what could stand in for both would be gone. One that turns
//! out to be damaged is set aside under another name, so that it counts for nothing and can be
//! looked at. One that is whole and cannot be gone on from keeps its name: a version that can
//! will find it. Until then it counts for nothing either.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Snapshot, SnapshotError, failed, file};
use crate::engine::image::ImageError;
use crate::journal::files;

const PREFIX: &str = "snapshot-";
/// Digits of a sequence in a name, so that names sort as sequences do.
const DIGITS: usize = 20;

/// The snapshots of one data directory.
#[derive(Clone, Debug)]
pub struct Snapshots {
    folder: PathBuf,
    /// Whole ones that this process cannot go on from, by sequence.
    useless: Arc<Mutex<BTreeSet<u64>>>,
    /// How many were left out so far.
    left_out: Arc<AtomicU64>,
}

/// A snapshot that is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Its size.
    pub bytes: u64,
    /// Sequence of the older one that is kept with it: as far as nothing needs the journal.
    pub older: Option<u64>,
}

/// What was found at a start.
#[derive(Debug)]
pub struct Found<T> {
    /// What was made of the newest good snapshot; none if there is none.
    pub newest: Option<T>,
    /// Why the newest file was left out, if it was.
    pub left_out: Option<SnapshotError>,
}

impl Snapshots {
    /// Those of a data directory, whose folder is made if it is not there.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn open(data: &Path) -> Result<Self, SnapshotError> {
        let folder = data.join("snapshots");
        files::create_folder(&folder).map_err(|error| SnapshotError::Io {
            doing: "create the folder",
            path: folder.clone(),
            source: io::Error::other(error),
        })?;
        let kept = Self { folder, useless: Arc::default(), left_out: Arc::default() };
        kept.drop_drafts()?;
        Ok(kept)
    }

    /// What a process was writing when it died is no snapshot, and nobody else would ever
    /// remove it.
    fn drop_drafts(&self) -> Result<(), SnapshotError> {
        let entries = fs::read_dir(&self.folder).map_err(failed("read", &self.folder))?;
        for entry in entries {
            let path = entry.map_err(failed("read", &self.folder))?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Makes a snapshot durable, and then lets go of all but the two newest that are whole.
    ///
    /// # Errors
    /// [`SnapshotError::Io`]; those that were there are there still.
    pub fn write(&self, snapshot: &Snapshot) -> Result<Written, SnapshotError> {
        let path = self.path(snapshot.tip.sequence);
        let draft = path.with_extension("new");
        let bytes = write_draft(snapshot, &draft).inspect_err(|_| {
            // It is no snapshot, and the disk may be full.
            let _ = fs::remove_file(&draft);
        })?;
        fail::fail_point!("snapshot-before-rename", |_| crate::fault::die());
        fs::rename(&draft, &path).map_err(failed("rename", &draft))?;
        fail::fail_point!("snapshot-after-rename", |_| crate::fault::die());
        self.sync()?;
        self.useless().remove(&snapshot.tip.sequence);
        let older = self.whole_below(snapshot.tip.sequence)?;
        // Without a whole one beside it nothing goes.
        let outdated = older.unwrap_or(0);
        for (sequence, old) in self.counted()? {
            if sequence < outdated {
                fail::fail_point!("snapshot-before-remove", |_| crate::fault::die());
                fs::remove_file(&old).map_err(failed("remove", &old))?;
            }
        }
        Ok(Written { bytes, older })
    }

    /// Sequence of the older of two that this process can go on from, as [`Written::older`]
    /// tells it; known once [`Self::newest`] has looked. Reads all of that one.
    ///
    /// # Errors
    /// [`SnapshotError::Io`] of the folder.
    pub fn older(&self) -> Result<Option<u64>, SnapshotError> {
        match self.counted()?.first() {
            Some((newest, _)) => self.whole_below(*newest),
            None => Ok(None),
        }
    }

    /// How many were left out until now, by a start or later.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// The newest one before this entry, once every byte of it is verified.
    fn whole_below(&self, sequence: u64) -> Result<Option<u64>, SnapshotError> {
        for (at, path) in self.counted()?.into_iter().filter(|(at, _)| *at < sequence) {
            match file::verify(&path).and_then(|tip| named(&path, at, tip.sequence)) {
                Ok(()) => return Ok(Some(at)),
                Err(error) => self.leave_out(at, &path, &error),
            }
        }
        Ok(None)
    }

    /// Makes something of the newest good snapshot with `accept`, which may find that what
    /// it holds is no state. One that is damaged is set aside; the older one is tried then.
    ///
    /// # Errors
    /// [`SnapshotError::Io`] of the folder.
    pub fn newest<T>(
        &self,
        mut accept: impl FnMut(Snapshot) -> Result<T, ImageError>,
    ) -> Result<Found<T>, SnapshotError> {
        let mut left_out = None;
        for (sequence, path) in listed(&self.folder)? {
            let accepted = file::read(&path).and_then(|snapshot| {
                named(&path, sequence, snapshot.tip.sequence)?;
                accept(snapshot)
                    .map_err(|source| SnapshotError::State { path: path.clone(), source })
            });
            match accepted {
                Ok(newest) => return Ok(Found { newest: Some(newest), left_out }),
                Err(error) => {
                    self.leave_out(sequence, &path, &error);
                    left_out.get_or_insert(error);
                }
            }
        }
        Ok(Found { newest: None, left_out })
    }

    /// Tells of one that no start can go on from, and sees to it that it counts for nothing.
    fn leave_out(&self, sequence: u64, path: &Path, error: &SnapshotError) {
        tracing::error!(%error, "a snapshot is left out: a start reads another one and more of the journal, which is kept for it");
        self.left_out.fetch_add(1, Ordering::Relaxed);
        if !error.is_damage() || !self.set_aside(path) {
            self.useless().insert(sequence);
        }
    }

    /// Those that this process may go on from, as far as it knows; the newest first.
    fn counted(&self) -> Result<Vec<(u64, PathBuf)>, SnapshotError> {
        let mut all = listed(&self.folder)?;
        let useless = self.useless();
        all.retain(|(sequence, _)| !useless.contains(sequence));
        Ok(all)
    }

    /// Whether it has another name now.
    fn set_aside(&self, path: &Path) -> bool {
        let aside = path.with_extension("damaged");
        // Back under its name after a power cut, it would be read once more.
        let moved = fs::rename(path, &aside).map_err(failed("rename", path));
        let moved = moved.and_then(|()| self.sync());
        if let Err(error) = &moved {
            tracing::warn!(%error, path = %path.display(), "a damaged snapshot stays where it is");
        }
        moved.is_ok()
    }

    fn useless(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.useless.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, sequence: u64) -> PathBuf {
        self.folder.join(format!("{PREFIX}{sequence:0DIGITS$}"))
    }

    fn sync(&self) -> Result<(), SnapshotError> {
        let sync = |folder: File| folder.sync_all();
        File::open(&self.folder).and_then(sync).map_err(failed("sync the folder", &self.folder))
    }
}

/// Whether a snapshot is the one that its name says.
fn named(path: &Path, sequence: u64, found: u64) -> Result<(), SnapshotError> {
    if found == sequence {
        return Ok(());
    }
    Err(SnapshotError::Misnamed { path: path.into(), found })
}

/// The snapshots of a folder by what their names say, the newest first.
pub(in crate::journal) fn listed(folder: &Path) -> Result<Vec<(u64, PathBuf)>, SnapshotError> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
        let name = entry.map_err(failed("list", folder))?.file_name();
        let sequence = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if let Some(digits) = sequence.filter(|digits| digits.len() == DIGITS)
            && let Ok(sequence) = digits.parse()
        {
            all.push((sequence, folder.join(&name)));
        }
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all)
}

fn write_draft(snapshot: &Snapshot, draft: &Path) -> Result<u64, SnapshotError> {
    let write = || {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(draft)?;
        let bytes = file::write(snapshot, BufWriter::with_capacity(1 << 18, &file))?;
        file.sync_all()?;
        Ok(bytes)
    };
    write().map_err(failed("write", draft))
}
