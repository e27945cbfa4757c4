//! The archive's tables, and how its file is opened.
//!
//! `docs/archive.md` tells analysts what each column means; change both together.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{ArchiveError, sqlite};
use super::record::table;

/// What `PRAGMA user_version` says of a file laid out as in `schema.sql`.
pub(super) const LAYOUT: i64 = 2;
const SCHEMA: &str = include_str!("schema.sql");
/// Where in it the record's tables are made, which follow from its lists of columns.
const RECORD: &str = "-- the record's tables of sums\n";
/// How long a writer waits for another: a hold is added, or a checkpoint runs.
/// Of a log that was longer so much stays, for the next transactions.
const LOG_KEPT: i64 = 16 << 20;
const BUSY: Duration = Duration::from_secs(5);

/// Where the archive of a data directory is.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join("archive").join("archive.sqlite")
}

pub(super) fn io(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> ArchiveError + use<> {
    let path = path.to_path_buf();
    move |source| ArchiveError::Io { doing, path, source }
}

/// Makes a file that only its owner may read, and the folder that it is in.
pub(super) fn create_private(path: &Path) -> Result<(), ArchiveError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(io("create the folder", folder))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file.sync_all().map_err(io("sync", path)),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(io("create", path)(e)),
    }
}

/// Opens the archive to write it, laid out anew if it is empty.
pub(super) fn open(path: &Path) -> Result<Connection, ArchiveError> {
    create_private(path)?;
    let failed = sqlite(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    let configure = || {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Made again from the journal as far as that reaches; `write` syncs before it lets
        // the journal be trimmed.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
        // Cut to this when it begins anew: one long query would leave it long for ever.
        connection.pragma_update_and_check(None, "journal_size_limit", LOG_KEPT, |_| Ok(()))?;
        connection.set_prepared_statement_cache_capacity(64);
        layout(&connection)
    };
    let found = configure().map_err(&failed)?;
    if found == 0 {
        let schema = SCHEMA.replacen(RECORD, &table::create(), 1);
        connection.execute_batch(&schema).map_err(&failed)?;
        return Ok(connection);
    }
    known(path, found)?;
    Ok(connection)
}

/// Opens the archive to read it, beside a router or without one.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, ArchiveError> {
    if !path.is_file() {
        return Err(ArchiveError::Missing { path: path.to_path_buf() });
    }
    let failed = sqlite(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection.busy_timeout(BUSY).map_err(&failed)?;
    match layout(&connection).map_err(&failed)? {
        // Made by a router that has not laid it out yet.
        0 => Err(ArchiveError::Missing { path: path.to_path_buf() }),
        found => known(path, found).map(|()| connection),
    }
}

fn layout(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn known(path: &Path, found: i64) -> Result<(), ArchiveError> {
    if found == LAYOUT {
        return Ok(());
    }
    Err(ArchiveError::Layout { path: path.to_path_buf(), found, known: LAYOUT })
}

/// Makes the names in the archive's folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), ArchiveError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("sync", folder))
}

/// Makes durable what was committed, whoever reads beside.
pub(super) fn sync(path: &Path) -> Result<(), ArchiveError> {
    let log = path.with_extension("sqlite-wal");
    match File::open(&log).and_then(|file| file.sync_data()) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(io("sync", &log)(e)),
        _ => Ok(()),
    }
}
