//! Where keys are kept: an `SQLite` file of their own, apart from what they open, so that
//! deleting a key is enough to forget what it sealed wherever that was copied.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use rustc_hash::FxBuildHasher;

use super::KeyError;
use crate::ids::CustomerId;
use crate::journal::files;
use crate::journal::seal::Key;

// Whose a key is stands in a table of its own: rows with key bytes are only ever added
// and deleted, never moved, so that deleting one leaves no copy in a page.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS key (id INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS owner (key INTEGER PRIMARY KEY, customer BLOB NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS owner_by_customer ON owner (customer);";

/// The open file. Reading has a connection of its own, so that it does not wait while a
/// block of keys is synced.
pub(super) struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

/// 32 random bytes.
pub(super) fn random() -> Result<Key, KeyError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    Ok(Key(bytes))
}

/// Keys that are nowhere but in memory.
pub(super) fn in_memory(count: usize) -> Result<Vec<(u64, Key)>, KeyError> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let next = || Ok((NEXT.fetch_add(1, Ordering::Relaxed), random()?));
    std::iter::repeat_with(next).take(count).collect()
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, KeyError> {
        files::create_private(path)?;
        let failed = |source| KeyError::Sqlite { path: path.to_path_buf(), source };
        let writer = connect(path).map_err(failed)?;
        writer.execute_batch(SCHEMA).map_err(failed)?;
        let reader = connect(path).map_err(failed)?;
        files::sync_folder(files::parent(path))?;
        let path = path.to_path_buf();
        Ok(Self { path, writer: Mutex::new(writer), reader: Mutex::new(reader) })
    }

    /// The writing connection. Locked before any state in memory.
    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> impl FnOnce(rusqlite::Error) -> KeyError + use<> {
        let path = self.path.clone();
        move |source| KeyError::Sqlite { path, source }
    }

    fn key_of(&self, what: &'static str, bytes: &[u8]) -> Result<Key, KeyError> {
        let wrong = |_| KeyError::Length { path: self.path.clone(), what, found: bytes.len() };
        <[u8; 32]>::try_from(bytes).map(Key).map_err(wrong)
    }

    /// What customers' identities are hashed with; made the first time.
    pub(super) fn secret(&self) -> Result<Key, KeyError> {
        let writer = self.writer();
        writer
            .execute(
                "INSERT OR IGNORE INTO secret (name, bytes) VALUES ('customer', ?1)",
                [random()?.0],
            )
            .map_err(self.failed())?;
        let read = |row: &rusqlite::Row<'_>| row.get::<_, Vec<u8>>(0);
        let bytes = writer
            .query_row("SELECT bytes FROM secret WHERE name = 'customer'", [], read)
            .map_err(self.failed())?;
        self.key_of("the customers' secret", &bytes)
    }

    /// The same of a store that is only looked into, whoever has it.
    pub(super) fn secret_in(path: &Path) -> Result<Key, KeyError> {
        let failed = |source| KeyError::Sqlite { path: path.to_path_buf(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(path, flags).map_err(failed)?;
        let select = "SELECT bytes FROM secret WHERE name = 'customer'";
        let bytes: Vec<u8> = reader.query_row(select, [], |row| row.get(0)).map_err(failed)?;
        let found = bytes.len();
        bytes.try_into().map(Key).map_err(|_| KeyError::Length {
            path: path.to_path_buf(),
            what: "the customers' secret",
            found,
        })
    }

    /// Whose keys are whose, as far as it was written. Of several, the oldest.
    pub(super) fn assignments(&self) -> Result<HashMap<CustomerId, u64, FxBuildHasher>, KeyError> {
        let writer = self.writer();
        let read = || -> rusqlite::Result<_> {
            let mut assigned = HashMap::default();
            let mut statement =
                writer.prepare("SELECT key, customer FROM owner ORDER BY key DESC")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let customer = u128::from_le_bytes(row.get(1)?);
                assigned.insert(CustomerId(customer), row.get::<_, i64>(0)?.cast_unsigned());
            }
            Ok(assigned)
        };
        read().map_err(self.failed())
    }

    /// Makes keys, durable when it returns. Ids are never given out twice.
    pub(super) fn make(&self, count: usize) -> Result<Vec<(u64, Key)>, KeyError> {
        let mut made = Vec::with_capacity(count);
        let fresh = (0..count).map(|_| random()).collect::<Result<Vec<_>, _>>()?;
        let mut writer = self.writer();
        let write = || -> rusqlite::Result<()> {
            let transaction = writer.transaction()?;
            {
                let mut insert =
                    transaction.prepare_cached("INSERT INTO key (bytes) VALUES (?1)")?;
                for key in fresh {
                    made.push((insert.insert([key.0])?.cast_unsigned(), key));
                }
            }
            transaction.commit()
        };
        write().map_err(self.failed())?;
        Ok(made)
    }

    /// Deletes all keys from this id on. Their ids are not given out again.
    pub(super) fn discard_from(&self, first: u64) -> Result<(), KeyError> {
        self.writer()
            .execute("DELETE FROM key WHERE id >= ?1", [first.cast_signed()])
            .map(drop)
            .map_err(self.failed())
    }

    /// How many keys there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        let count = "SELECT count(*) FROM key";
        self.writer().query_row(count, [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned()
    }

    /// One key; none if it was deleted or never was.
    pub(super) fn key(&self, id: u64) -> Result<Option<Key>, KeyError> {
        let bytes = self
            .reader()
            .prepare_cached("SELECT bytes FROM key WHERE id = ?1")
            .and_then(|mut select| {
                select.query_row([id.cast_signed()], |row| row.get::<_, Vec<u8>>(0)).optional()
            })
            .map_err(self.failed())?;
        bytes.map(|b| self.key_of("a key", &b)).transpose()
    }

    /// Writes whose keys are whose.
    pub(super) fn assign(
        &self,
        writer: &mut Connection,
        owners: &[(u64, CustomerId)],
    ) -> Result<(), KeyError> {
        let mut write = || -> rusqlite::Result<()> {
            let transaction = writer.transaction()?;
            {
                // Where the key is gone meanwhile there is nothing to own.
                let mut insert = transaction.prepare_cached(
                    "INSERT OR IGNORE INTO owner (key, customer)
                     SELECT id, ?2 FROM key WHERE id = ?1",
                )?;
                for (id, CustomerId(customer)) in owners {
                    insert.execute(params![id.cast_signed(), customer.to_le_bytes()])?;
                }
            }
            transaction.commit()
        };
        write().map_err(self.failed())
    }

    /// Deletes a customer's keys and their bytes wherever this file's parts hold them.
    /// Tells whether any was there.
    pub(super) fn delete(
        &self,
        writer: &mut Connection,
        customer: CustomerId,
        unwritten: &[u64],
    ) -> Result<bool, KeyError> {
        let customer = customer.0.to_le_bytes();
        let mut remove = || -> rusqlite::Result<usize> {
            let transaction = writer.transaction()?;
            let mut deleted = transaction.execute(
                "DELETE FROM key WHERE id IN (SELECT key FROM owner WHERE customer = ?1)",
                [customer],
            )?;
            for id in unwritten {
                deleted +=
                    transaction.execute("DELETE FROM key WHERE id = ?1", [id.cast_signed()])?;
            }
            transaction.execute("DELETE FROM owner WHERE customer = ?1", [customer])?;
            transaction.commit()?;
            Ok(deleted)
        };
        let deleted = remove().map_err(self.failed())?;
        // The log still holds the page as it was before. Our own reader must not stand in
        // the way of emptying it.
        let _reader = self.reader();
        let busy: i64 = writer
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(self.failed())?;
        if busy != 0 {
            return Err(KeyError::Lingers { path: self.path.clone() });
        }
        Ok(deleted > 0)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    Ok(connection)
}
