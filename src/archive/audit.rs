//! The audit's chain: each row's hash covers the row and the hash of the one before it.

use std::path::Path;

use rusqlite::Connection;

use super::error::{ArchiveError, sqlite};
use super::schema;
use super::store::meta;

/// What a row of the audit says.
pub(super) struct Act<'a> {
    pub(super) sequence: u64,
    pub(super) wall_ms: u64,
    pub(super) at_us: u64,
    /// Role, actor, what, detail.
    pub(super) texts: [&'a str; 4],
    pub(super) contact: Option<u64>,
    pub(super) why: Option<&'a str>,
}

impl Act<'_> {
    pub(super) fn hash(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(previous);
        for number in [self.sequence, self.wall_ms, self.at_us, self.contact.unwrap_or(0)] {
            hasher.update(&number.to_le_bytes());
        }
        // Lengths keep ("ab", "c") and ("a", "bc") apart.
        for text in self.texts.iter().copied().chain(self.why) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// What the audit came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Audited {
    /// Rows whose hashes are as they should be.
    pub rows: u64,
    /// Entry of the first row that is not what was written, if there is one.
    pub broken: Option<u64>,
    /// Hash of the last good row: compare it with one that was kept elsewhere.
    pub last: [u8; 32],
}

/// Checks the audit of a data directory from its oldest row on.
///
/// # Errors
/// The archive cannot be read.
pub fn verify(data: &Path) -> Result<Audited, ArchiveError> {
    let path = schema::path(data);
    let connection = schema::open_to_read(&path)?;
    chain(&connection).map_err(sqlite(&path))
}

fn chain(connection: &Connection) -> rusqlite::Result<Audited> {
    // What retention took away ended with this.
    let anchor = meta::<[u8; 32]>(connection, "audit_anchor")?.unwrap_or_default();
    let mut found = Audited { rows: 0, broken: None, last: anchor };
    let mut select = connection.prepare(
        "SELECT sequence, wall_ms, at_us, role, actor, what, detail, contact, why, previous, hash
         FROM audit ORDER BY sequence",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let text = |place| row.get_ref(place).and_then(|v| Ok(v.as_str()?));
        let act = Act {
            sequence: row.get::<_, i64>(0)?.cast_unsigned(),
            wall_ms: row.get::<_, i64>(1)?.cast_unsigned(),
            at_us: row.get::<_, i64>(2)?.cast_unsigned(),
            texts: [text(3)?, text(4)?, text(5)?, text(6)?],
            contact: row.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned),
            why: row.get_ref(8)?.as_str_or_null()?,
        };
        let (previous, hash): ([u8; 32], [u8; 32]) = (row.get(9)?, row.get(10)?);
        if previous != found.last || hash != act.hash(&previous) {
            found.broken = Some(act.sequence);
            return Ok(found);
        }
        found.last = hash;
        found.rows += 1;
    }
    Ok(found)
}
