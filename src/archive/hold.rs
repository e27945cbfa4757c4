//! Legal holds, and the acts of people on the archive itself: a small file of its own.
//!
//! Apart from the archive because it cannot be made again from the journal: it is synced at
//! every change and outlives an archive that is thrown away. Any process may write it; the
//! router reads it before it deletes anything. `act` is chained as the audit is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, params};

use super::audit::{Act, Audited};
use super::error::{ArchiveError, sqlite};
use super::schema;
use crate::ids::{ContactId, CustomerId, RecallId};
use crate::time::WallTime;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS hold (
        id INTEGER PRIMARY KEY AUTOINCREMENT, contact INTEGER, customer BLOB, recall INTEGER,
        why TEXT NOT NULL, actor TEXT NOT NULL, placed_ms INTEGER NOT NULL,
        released_ms INTEGER, released_by TEXT, released_why TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS act (
        id INTEGER PRIMARY KEY AUTOINCREMENT, wall_ms INTEGER NOT NULL, actor TEXT NOT NULL,
        what TEXT NOT NULL, detail TEXT NOT NULL, why TEXT NOT NULL, previous BLOB NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;";

/// What is held: nothing about it is deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// One contact.
    Contact(ContactId),
    /// Everything of a customer.
    Customer(CustomerId),
    /// Every contact that a recall concerns.
    Recall(RecallId),
}

/// A hold that was placed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Its number.
    pub id: i64,
    /// On what.
    pub on: Held,
    /// Why.
    pub why: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub placed: WallTime,
    /// When it was released, if it was.
    pub released: Option<WallTime>,
}

/// Who acts, why and when.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// Who.
    pub actor: &'a str,
    /// Why.
    pub why: &'a str,
    /// When.
    pub wall: WallTime,
}

/// The file, open.
#[derive(Debug)]
pub struct Holds {
    connection: Connection,
    path: PathBuf,
}

/// Whether anything at all is held, asked of a connection that has the file attached as `holds`:
/// whoever placed a hold may want to see what cannot be told apart by what it is on.
pub(super) fn any(c: &Connection) -> rusqlite::Result<bool> {
    let any = "SELECT EXISTS (SELECT 1 FROM holds.hold WHERE released_ms IS NULL)";
    c.query_row(any, [], |row| row.get(0))
}

/// Where the holds of a data directory are.
pub(super) fn path(data: &Path) -> PathBuf {
    data.join("archive").join("holds.sqlite")
}

impl Holds {
    /// Opens the holds of a data directory, or begins the file.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn open(data: &Path) -> Result<Self, ArchiveError> {
        let path = path(data);
        schema::create_private(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        let connection = open().map_err(sqlite(&path))?;
        Ok(Self { connection, path })
    }

    /// Places a hold; its number.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn add(&mut self, on: Held, order: Order<'_>) -> Result<i64, ArchiveError> {
        let failed = sqlite(&self.path);
        let mut add = || {
            let transaction = self.connection.transaction()?;
            let (contact, customer, recall) = columns(on);
            transaction.execute(
                "INSERT INTO hold (contact, customer, recall, why, actor, placed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![contact, customer, recall, order.why, order.actor, order.wall.0],
            )?;
            let id = transaction.last_insert_rowid();
            note(&transaction, "hold_placed", &format!("{{\"hold\":{id}}}"), order)?;
            transaction.commit()?;
            Ok(id)
        };
        add().map_err(failed)
    }

    /// Releases a hold.
    ///
    /// # Errors
    /// None of this number is in force, or the file could not be written.
    pub fn release(&mut self, id: i64, order: Order<'_>) -> Result<(), ArchiveError> {
        let failed = sqlite(&self.path);
        let mut release = || {
            let transaction = self.connection.transaction()?;
            let released = transaction.execute(
                "UPDATE hold SET released_ms = ?2, released_by = ?3, released_why = ?4
                 WHERE id = ?1 AND released_ms IS NULL",
                params![id, order.wall.0, order.actor, order.why],
            )?;
            note(&transaction, "hold_released", &format!("{{\"hold\":{id}}}"), order)?;
            if released > 0 {
                transaction.commit()?;
            }
            Ok(released > 0)
        };
        if release().map_err(failed)? { Ok(()) } else { Err(ArchiveError::NoHold { id }) }
    }

    /// Every hold that was ever placed, in order.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<Hold>, ArchiveError> {
        let list = || {
            let mut select = self.connection.prepare(
                "SELECT id, contact, customer, recall, why, actor, placed_ms, released_ms
                 FROM hold ORDER BY id",
            )?;
            let rows = select.query_map([], |row| {
                let on = match (row.get(1)?, row.get::<_, Option<[u8; 16]>>(2)?) {
                    (Some(contact), _) => Held::Contact(ContactId(contact)),
                    (None, Some(hash)) => Held::Customer(CustomerId(u128::from_le_bytes(hash))),
                    (None, None) => Held::Recall(RecallId(row.get(3)?)),
                };
                Ok(Hold {
                    id: row.get(0)?,
                    on,
                    why: row.get(4)?,
                    actor: row.get(5)?,
                    placed: WallTime(row.get(6)?),
                    released: row.get::<_, Option<u64>>(7)?.map(WallTime),
                })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        list().map_err(sqlite(&self.path))
    }

    /// Notes what a person did to the archive beside holds.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn note(&mut self, what: &str, detail: &str, order: Order<'_>) -> Result<(), ArchiveError> {
        let failed = sqlite(&self.path);
        let mut write = || {
            let transaction = self.connection.transaction()?;
            note(&transaction, what, detail, order)?;
            transaction.commit()
        };
        write().map_err(failed)
    }

    /// Checks the chain of acts.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn verify(&self) -> Result<Audited, ArchiveError> {
        chain(&self.connection).map_err(sqlite(&self.path))
    }
}

fn columns(on: Held) -> (Option<u64>, Option<[u8; 16]>, Option<u16>) {
    match on {
        Held::Contact(contact) => (Some(contact.0), None, None),
        Held::Customer(customer) => (None, Some(customer.0.to_le_bytes()), None),
        Held::Recall(recall) => (None, None, Some(recall.0)),
    }
}

fn act<'a>(id: i64, what: &'a str, detail: &'a str, order: Order<'a>) -> Act<'a> {
    Act {
        sequence: id.cast_unsigned(),
        wall_ms: order.wall.0,
        at_us: 0,
        texts: ["", order.actor, what, detail],
        contact: None,
        why: Some(order.why),
    }
}

fn note(t: &Transaction<'_>, what: &str, detail: &str, order: Order<'_>) -> rusqlite::Result<()> {
    let last = "SELECT id, hash FROM act ORDER BY id DESC LIMIT 1";
    let last = t.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (last, previous): (i64, [u8; 32]) = last.unwrap_or_default();
    let hash = act(last + 1, what, detail, order).hash(&previous);
    t.execute(
        "INSERT INTO act (id, wall_ms, actor, what, detail, why, previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![last + 1, order.wall.0, order.actor, what, detail, order.why, previous, hash],
    )?;
    Ok(())
}

fn chain(connection: &Connection) -> rusqlite::Result<Audited> {
    let mut found = Audited { rows: 0, broken: None, last: [0; 32] };
    let mut select = connection.prepare(
        "SELECT id, wall_ms, actor, what, detail, why, previous, hash FROM act ORDER BY id",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let text = |place| row.get_ref(place).and_then(|v| Ok(v.as_str()?));
        let order = Order { actor: text(2)?, why: text(5)?, wall: WallTime(row.get(1)?) };
        let act = act(row.get(0)?, text(3)?, text(4)?, order);
        let (previous, hash): ([u8; 32], [u8; 32]) = (row.get(6)?, row.get(7)?);
        if previous != found.last || hash != act.hash(&previous) {
            found.broken = Some(act.sequence);
            return Ok(found);
        }
        found.last = hash;
        found.rows += 1;
    }
    Ok(found)
}
