//! Segments: the files that a journal is cut into, their names and their rows.
//!
//! Used by everything in here that opens a journal's files. It knows where segments are, how
//! one is laid out and how a row is read or inserted; whether rows are the right ones is
//! [`super::recovery`]'s, and when a segment begins or ends is [`super::sqlite`]'s.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};

use super::error::{GoOn, JournalError};
use super::files::{failed, parent};

/// What `PRAGMA user_version` says of a file laid out as below.
const LAYOUT: i64 = 2;

const SCHEMA: &str = "
    BEGIN;
    CREATE TABLE batch (
        first_sequence INTEGER PRIMARY KEY,
        last_sequence INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        previous_hash BLOB NOT NULL,
        hash BLOB NOT NULL,
        payload BLOB NOT NULL
    ) STRICT;
    PRAGMA user_version = 2;
    COMMIT;";

const INSERT: &str = "
    INSERT INTO batch (first_sequence, last_sequence, epoch, crc, previous_hash, hash, payload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const FOLLOWING: &str = "
    SELECT first_sequence, last_sequence, epoch, crc, previous_hash, hash, payload
    FROM batch WHERE first_sequence > ?1 ORDER BY first_sequence";

const AT_OR_BEFORE: &str = "
    SELECT first_sequence, last_sequence, epoch, crc, previous_hash, hash, payload
    FROM batch WHERE first_sequence <= ?1 ORDER BY first_sequence DESC LIMIT 1";

const PREFIX: &str = "segment-";
const SUFFIX: &str = ".sqlite";
/// What `SQLite` puts beside a file.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];
/// Most rows and bytes read at once, so that no reader holds a file's state for long.
const CHUNK_ROWS: usize = 512;
const CHUNK_BYTES: usize = 8 << 20;
/// How long a reader waits for a lock that a writer holds for an instant.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the parts of a journal are.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) folder: PathBuf,
    pub(super) lock: PathBuf,
    pub(super) tip: PathBuf,
    /// The segment that is prepared ahead, which has no number yet.
    pub(super) next: PathBuf,
}

impl Paths {
    pub(super) fn of(data: &Path) -> Self {
        let folder = data.join("journal");
        Self {
            lock: folder.join("lock"),
            tip: folder.join("tip"),
            next: folder.join("next.sqlite"),
            folder,
        }
    }

    pub(super) fn segment(&self, first: u64) -> Segment {
        Segment { first, path: self.folder.join(format!("{PREFIX}{first:020}{SUFFIX}")) }
    }
}

/// One file of a journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    /// Sequence of its first entry, which its name tells.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

/// The segments of a folder in order. A file that looks like one and is none is refused:
/// nobody knows what it was meant to be.
pub(super) fn list(folder: &Path) -> Result<Vec<Segment>, JournalError> {
    let mut found = Vec::new();
    let mut logs = Vec::new();
    let reading = || failed("read the folder", folder);
    for entry in fs::read_dir(folder).map_err(reading())? {
        let entry = entry.map_err(reading())?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        let (stem, companion) = match COMPANIONS.iter().find(|c| name.ends_with(**c)) {
            Some(companion) => (&name[..name.len() - companion.len()], Some(*companion)),
            None => (&*name, None),
        };
        match (numbered(stem), companion) {
            (Some(first), None) => found.push(Segment { first, path }),
            (Some(first), Some("-wal")) => logs.push(Segment { first, path }),
            (Some(_), _) => {}
            (None, _) => return Err(JournalError::Foreign { path }),
        }
    }
    found.sort_unstable_by_key(|s| s.first);
    for log in logs {
        // Looked at last: a log is deleted before or with its file by whoever trims.
        let alone = found.binary_search_by_key(&log.first, |s| s.first).is_err();
        if alone && length(&log.path)? > 0 {
            return Err(JournalError::Orphan { path: log.path });
        }
    }
    Ok(found)
}

/// Whether a data directory holds a journal, whole or not.
pub(super) fn any(data: &Path) -> bool {
    let folder = Paths::of(data).folder;
    folder.is_dir() && list(&folder).map_or(true, |found| !found.is_empty())
}

fn numbered(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let plain = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|first| plain && *first > 0)
}

/// The file that `SQLite` logs to before it writes into this one.
pub(super) fn log_of(path: &Path) -> PathBuf {
    beside(path, COMPANIONS[0])
}

/// The files that `SQLite` may have put beside this one.
pub(super) fn companions(path: &Path) -> [PathBuf; 2] {
    COMPANIONS.map(|suffix| beside(path, suffix))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Bytes of a file, 0 if there is none.
pub(super) fn length(path: &Path) -> Result<u64, JournalError> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.len()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(e) => Err(failed("look at", path)(e)),
    }
}

/// Wraps what `SQLite` says with the file.
pub(super) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> JournalError + use<> {
    let path = path.to_path_buf();
    move |source| JournalError::Sqlite { path: path.clone(), source }
}

/// Opens a file to write it. Nothing moves its log into it until somebody says so: left to
/// itself `SQLite` would after a commit, and drop an error of the disk and try the sync again.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Without CREATE: a file that vanished is an error, not a new journal.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// Lays out an empty file.
pub(super) fn lay_out(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)
}

/// Opens a segment to read it beside a writer or alone. One that is sealed is read as it
/// lies there: that needs no locks, and leaves no files behind. The last segment never counts
/// as sealed.
pub(super) fn connect_read_only(segment: &Segment, last: bool) -> Result<Connection, JournalError> {
    let path = &segment.path;
    let failed = sqlite(path);
    let sealed = !last && length(&log_of(path))? == 0;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = if sealed {
        let mut uri = b"file:".to_vec();
        for byte in path.as_os_str().as_encoded_bytes() {
            match byte {
                b'%' | b'?' | b'#' => uri.extend(format!("%{byte:02x}").bytes()),
                other => uri.push(*other),
            }
        }
        uri.extend(b"?immutable=1");
        let uri = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&uri);
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
    } else {
        Connection::open_with_flags(path, flags)
    };
    let connection = opened.map_err(&failed)?;
    connection.busy_timeout(PATIENCE).map_err(&failed)?;
    keep_log(&connection, true).map_err(&failed)?;
    let found =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&failed)?;
    if found == LAYOUT {
        return Ok(connection);
    }
    let go_on = GoOn::new(parent(path), segment.first.saturating_sub(1));
    Err(JournalError::Layout { path: path.clone(), found, known: LAYOUT, go_on })
}

/// Closing a file will leave its log as it is. What is damaged must stay to be looked at, and
/// after an error of the disk a second try may succeed without having written.
pub(super) fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// What moving a log into its file came to.
pub(super) struct Moved {
    /// A reader or writer kept some of it where it is.
    pub(super) busy: bool,
    /// Frames of the log that count; none if it was emptied.
    pub(super) frames: u64,
}

/// Moves what the log holds into the file, synced; `TRUNCATE` empties the log as well.
pub(super) fn checkpoint(connection: &Connection, how: &str) -> rusqlite::Result<Moved> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| {
        let frames = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        Ok(Moved { busy: row.get::<_, i64>(0)? != 0, frames })
    })
}

/// One row as `SQLite` gives it.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) epoch: i64,
    pub(super) crc: i64,
    pub(super) previous: Vec<u8>,
    pub(super) hash: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first: row.get(0)?,
            last: row.get(1)?,
            epoch: row.get(2)?,
            crc: row.get(3)?,
            previous: row.get(4)?,
            hash: row.get(5)?,
            payload: row.get(6)?,
        })
    }

    /// Commits it as a row of its own, or within the transaction that is open.
    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut insert = connection.prepare_cached(INSERT)?;
        let Self { first, last, epoch, crc, previous, hash, payload } = self;
        insert.execute(params![first, last, epoch, crc, previous, hash, payload]).map(drop)
    }
}

/// The rows that begin after an entry, as many as are read at once; none when there are no
/// more.
pub(super) fn chunk(connection: &Connection, after: u64) -> rusqlite::Result<Vec<Raw>> {
    let mut statement = connection.prepare_cached(FOLLOWING)?;
    let mut rows = statement.query([i64::try_from(after).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let raw = Raw::read(row)?;
        bytes += raw.payload.len();
        found.push(raw);
        if found.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES {
            break;
        }
    }
    Ok(found)
}

/// The first row that begins after an entry.
pub(super) fn after(connection: &Connection, sequence: u64) -> rusqlite::Result<Option<Raw>> {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    connection.prepare_cached(FOLLOWING)?.query_row([sequence], Raw::read).optional()
}

/// The row that holds an entry, or the last one before it.
pub(super) fn holding(connection: &Connection, sequence: u64) -> rusqlite::Result<Option<Raw>> {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    connection.query_row(AT_OR_BEFORE, [sequence], Raw::read).optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_first_entry_and_nothing_else_passes() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::of(folder.path());
        fs::create_dir(&paths.folder).unwrap();
        for first in [300, 1, 20] {
            fs::write(paths.segment(first).path, "").unwrap();
        }
        fs::write(&paths.next, "").unwrap();
        fs::write(beside(&paths.segment(7).path, "-wal"), "").unwrap();
        let firsts: Vec<u64> = list(&paths.folder).unwrap().iter().map(|s| s.first).collect();
        assert_eq!(firsts, [1, 20, 300]);
        for name in [
            "segment-1.sqlite",
            "segment-00000000000000000000.sqlite",
            "segment-+0000000000000000001.sqlite",
            "segment-00000000000000000005.sqlite.bak",
            "segment-99999999999999999999.sqlite-wal",
        ] {
            let path = paths.folder.join(name);
            fs::write(&path, "x").unwrap();
            let told = list(&paths.folder).unwrap_err();
            assert!(matches!(&told, JournalError::Foreign { path: p } if *p == path), "{told}");
            fs::remove_file(path).unwrap();
        }
        fs::write(beside(&paths.segment(7).path, "-wal"), "acknowledged").unwrap();
        assert!(matches!(list(&paths.folder), Err(JournalError::Orphan { .. })));
    }
}
