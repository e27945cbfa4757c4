//! The journal on a local disk: one `SQLite` file, a row and a transaction for each batch.
//!
//! Owned by the shard's thread; nobody else writes. It makes batches durable and says so
//! only when both the batch and the tip are synced. It does not retry: after an error
//! nobody knows what the disk holds, so the writer is poisoned and recovery decides.
//!
//! In the data directory:
//!
//! | file | what it holds |
//! |---|---|
//! | `journal/lock` | nothing; held by the process that writes |
//! | `journal/journal-00000001.sqlite` | the batches (numbered: later there are several) |
//! | `journal/tip` | how far was acknowledged, in two slots written in turn |

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::error::JournalError;
use super::files::{self, Lock};
use super::recovery::{Recovered, Scan, hash, shared};
use super::tip::{self, Acknowledged, TipFile};
use super::{Batch, EachBatch, Journal, Tip, codec};

/// What `PRAGMA user_version` says of a file laid out as below.
const LAYOUT: i64 = 1;

const SCHEMA: &str = "
    BEGIN;
    CREATE TABLE batch (
        first_sequence INTEGER PRIMARY KEY,
        last_sequence INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        previous_hash BLOB NOT NULL,
        hash BLOB NOT NULL,
        payload BLOB NOT NULL
    ) STRICT;
    PRAGMA user_version = 1;
    COMMIT;";

const INSERT: &str = "
    INSERT INTO batch (first_sequence, last_sequence, crc, previous_hash, hash, payload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Bytes in `SQLite`'s log, about, at which they are moved into the file.
const MOVE_AT: usize = 4 * 1024 * 1024;
/// What a row costs in the log beyond its payload, about: pages that are written whole.
const ROW_COST: usize = 8 * 1024;

/// Where the parts of a journal are.
pub(super) struct Paths {
    pub(super) folder: PathBuf,
    pub(super) lock: PathBuf,
    pub(super) tip: PathBuf,
    pub(super) segment: PathBuf,
}

impl Paths {
    pub(super) fn of(data: &Path) -> Self {
        let folder = data.join("journal");
        Self {
            lock: folder.join("lock"),
            tip: folder.join("tip"),
            segment: folder.join("journal-00000001.sqlite"),
            folder,
        }
    }
}

/// A journal that this process writes.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: Connection,
    path: PathBuf,
    tip_file: TipFile,
    tip: Tip,
    poisoned: bool,
    /// Bytes in the log since it was last moved into the file, about.
    logged: usize,
    // Last, so that it is let go only after the files are closed.
    _lock: Lock,
}

impl SqliteJournal {
    /// Opens the journal of a data directory, or begins one, and hands every batch after
    /// `after` to `each` in order: all of them for [`Tip::default`], else those that follow
    /// what a snapshot holds. `each` has seen batches that are whole even when this fails
    /// later.
    ///
    /// # Errors
    /// Another process has it; a file cannot be used; a row is damaged; or what is there
    /// is less or other than what was acknowledged. No entry is changed then, nor the tip.
    pub fn open(
        data: &Path,
        after: Tip,
        each: &mut EachBatch<'_>,
    ) -> Result<(Self, Recovered), JournalError> {
        let paths = Paths::of(data);
        files::create_folder(&paths.folder)?;
        let lock = Lock::acquire(paths.lock.clone())?;
        let acknowledged = tip::read(&paths.tip)?;
        files::create_private(&paths.segment)?;
        let failed = |source| JournalError::Sqlite { path: paths.segment.clone(), source };
        let connection = connect(&paths.segment).map_err(failed)?;
        check_layout(&connection, &paths.segment)?;

        let mut scan = Scan::new(&paths.segment, &paths.folder, acknowledged, after);
        scan.rows(&connection, &mut shared(each))?;
        let epoch = scan.judge(&paths.tip)? + 1;
        let mut found = scan.found;
        found.tip.epoch = epoch;

        // A process that died between writing and syncing left rows that can be read but
        // might not survive a power cut. They are about to be built on: sync them first.
        // The log by itself as well, because a reader can keep it from being emptied.
        sync_log(&paths.segment)?;
        checkpoint(&connection, "TRUNCATE").map_err(failed)?;
        let tip_file = match acknowledged {
            Acknowledged::Upto(_, slot) => {
                let mut file = TipFile::open(&paths.tip, slot)?;
                file.write(found.tip)?;
                file
            }
            Acknowledged::Missing | Acknowledged::Damaged => {
                TipFile::create(&paths.tip, found.tip)?
            }
        };
        let journal = Self {
            connection,
            path: paths.segment,
            tip_file,
            tip: found.tip,
            poisoned: false,
            logged: 0,
            _lock: lock,
        };
        Ok((journal, found))
    }

    /// How far everything is durable.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.tip
    }

    fn write(&mut self, batch: &Batch) -> Result<Tip, JournalError> {
        let first = self.tip.sequence.saturating_add(1);
        let last = codec::check(batch, first).map_err(JournalError::Refused)?;
        let previous = self.tip.hash;
        self.move_log()
            .map_err(|source| JournalError::Sqlite { path: self.path.clone(), source })?;
        let payload = codec::encode(batch, previous);
        let tip = Tip { sequence: last, hash: hash(&previous, &payload), ..self.tip };
        let inserted = self.connection.prepare_cached(INSERT).and_then(|mut insert| {
            insert.execute(params![
                sqlite_integer(first)?,
                sqlite_integer(last)?,
                crc32fast::hash(&payload),
                previous,
                tip.hash,
                payload,
            ])
        });
        inserted.map_err(|source| JournalError::Sqlite { path: self.path.clone(), source })?;
        self.tip_file.write(tip)?;
        self.tip = tip;
        self.logged += payload.len() + ROW_COST;
        Ok(tip)
    }

    /// Moves the log into the file when it has grown. Left to itself `SQLite` would do the
    /// same after a commit, but drop an error of the disk and try the sync again.
    fn move_log(&mut self) -> rusqlite::Result<()> {
        if self.logged < MOVE_AT {
            return Ok(());
        }
        self.logged = 0;
        checkpoint(&self.connection, "PASSIVE")
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, batch: &Batch) -> Result<Tip, JournalError> {
        // Poisoned until proven otherwise, so that a panic on the way poisons as well.
        if std::mem::replace(&mut self.poisoned, true) {
            return Err(JournalError::Poisoned);
        }
        let tip = self.write(batch)?;
        self.poisoned = false;
        Ok(tip)
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        // Closing moves the log into the file and syncs again what failed to sync; the
        // second try may succeed without having written, and the log would be deleted.
        if self.poisoned
            && let Err(error) =
                self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        {
            tracing::error!(%error, "the log of a failed journal could not be kept as it is");
        }
    }
}

fn sqlite_integer(sequence: u64) -> rusqlite::Result<i64> {
    i64::try_from(sequence).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Without CREATE: a file that vanished is an error, not a new journal.
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// Lays out a new file; refuses one of another layout.
fn check_layout(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let failed = |source| JournalError::Sqlite { path: path.to_path_buf(), source };
    let found = layout(connection).map_err(failed)?;
    if found == LAYOUT {
        return Ok(());
    }
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if found != 0 || tables != 0 {
        return Err(JournalError::Layout { path: path.to_path_buf(), found, known: LAYOUT });
    }
    connection.execute_batch(SCHEMA).map_err(failed)
}

fn layout(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Opens a journal file to read it beside a writer or alone.
pub(super) fn connect_read_only(path: &Path) -> Result<Connection, JournalError> {
    let failed = |source| JournalError::Sqlite { path: path.to_path_buf(), source };
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failed)?;
    let found = layout(&connection).map_err(failed)?;
    if found == LAYOUT {
        return Ok(connection);
    }
    Err(JournalError::Layout { path: path.to_path_buf(), found, known: LAYOUT })
}

/// Moves what the log holds into the file, synced; `TRUNCATE` empties the log as well.
/// A reader can keep some of it there, which is no error.
fn checkpoint(connection: &Connection, how: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()))
}

fn sync_log(segment: &Path) -> Result<(), JournalError> {
    let log = segment.with_extension("sqlite-wal");
    match File::open(&log).and_then(|file| file.sync_all()) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(files::failed("sync", &log)(e)),
        _ => Ok(()),
    }
}
