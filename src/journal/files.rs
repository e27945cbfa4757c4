//! Files and folders of the data directory: private to their owner, synced when they come,
//! held by one process.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::JournalError;

/// Wraps an error with what was tried on which file.
pub(super) fn failed(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> JournalError + use<> {
    let path = path.to_path_buf();
    move |source| JournalError::Io { doing, path, source }
}

/// Makes a folder (0700) and those above it, durably; one that is there stays as it is.
pub(super) fn create_folder(path: &Path) -> Result<(), JournalError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent(path);
    create_folder(parent)?;
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => sync_folder(parent),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(e) => Err(failed("create the folder", path)(e)),
    }
}

/// The folder that holds a file; the current one for a bare name.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), JournalError> {
    File::open(path).and_then(|f| f.sync_all()).map_err(failed("sync the folder", path))
}

/// Makes an empty file (0600) durably if it is not there. `SQLite` gives the files that it
/// puts beside its own the same permissions.
pub(super) fn create_private(path: &Path) -> Result<(), JournalError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.sync_all().map_err(failed("sync", path))?;
            sync_folder(parent(path))
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(failed("create", path)(e)),
    }
}

/// Deletes a file if it is there. The folder is not synced.
pub(super) fn remove(path: &Path) -> Result<(), JournalError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("delete", path)(e)),
        _ => Ok(()),
    }
}

/// A folder that is held open: it can be synced though no file can be opened any more.
#[derive(Debug)]
pub(super) struct Folder {
    folder: File,
    path: PathBuf,
}

impl Folder {
    /// Opens one that is there.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let folder = File::open(path).map_err(failed("open the folder", path))?;
        Ok(Self { folder, path: path.to_path_buf() })
    }

    /// Makes the names in it durable.
    pub(super) fn sync(&self) -> Result<(), JournalError> {
        self.folder.sync_all().map_err(failed("sync the folder", &self.path))
    }
}

/// A file that one process holds for as long as this lives. The system lets go of it
/// when the process dies, however it dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it, or says at once that another has it.
    pub(super) fn acquire(path: PathBuf) -> Result<Self, JournalError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path }),
            Err(TryLockError::Error(e)) => Err(failed("lock", &path)(e)),
        }
    }
}
