//! Deleting what is old enough, a slice at a time, and never what is held.
//!
//! What is deleted is gone, and clocks are wrong now and then: so the date that this goes by is
//! not the clock's. It follows the newest entry of the journal, but moves on only as the
//! router's own clock does, which cannot leap, times [`CATCH_UP`].

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::{ArchiveError, sqlite};
use super::store::{Store, keep, meta};
use super::{aside, hold};
use crate::ids::CustomerId;
use crate::time::{EngineTime, WallTime};

/// Contacts deleted at once: some ten milliseconds.
const SLICE: u32 = 200;

/// Days by which the date of retention may move on in a day that the router runs: after a month
/// of standing still it is right again within ten days, and a clock that leaps ahead costs three
/// days of the oldest history for each day that nobody sets it right.
const CATCH_UP: u64 = 4;

/// The date that retention goes by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reckoned {
    /// It is this day for what is to be deleted.
    pub today: WallTime,
    /// How far that is behind the newest entry.
    pub behind: Duration,
}

/// Contacts over before the time given that nothing holds.
const OLD: &str = "
    SELECT id FROM contact WHERE ended_ms < ?1
        AND NOT EXISTS (SELECT 1 FROM work WHERE work.contact = contact.id)
        AND NOT EXISTS (
            SELECT 1 FROM holds.hold h WHERE h.released_ms IS NULL AND (h.contact = contact.id
                OR h.recall = contact.recall
                OR h.customer = (SELECT hash FROM customer WHERE id = contact.customer)))
    ORDER BY ended_ms LIMIT ?2";

impl Store {
    /// Moves the date of retention on as far as it may be.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn reckon(&mut self) -> Result<Reckoned, ArchiveError> {
        let (newest, at) = (self.wall(), self.at);
        let today = reckon(&mut self.connection, newest, at).map_err(sqlite(&self.path))?;
        let behind = Duration::from_millis(newest.0.saturating_sub(today.0));
        Ok(Reckoned { today, behind })
    }

    /// Deletes some contacts that ended before this time and are not held, with everything
    /// about them; how many. Once none is left, the audit from before it and customers that
    /// no contact names any more.
    ///
    /// # Errors
    /// Nothing was deleted.
    pub fn retain(&mut self, before: WallTime) -> Result<usize, ArchiveError> {
        let deleted = slice(&mut self.connection, before).map_err(sqlite(&self.path))?;
        if deleted == 0 && !hold::any(&self.connection).map_err(sqlite(&self.path))? {
            self.shorten_lost(before)?;
            aside::shorten(&self.path, before)?;
        }
        Ok(deleted)
    }

    /// Takes out what is sealed of a customer and who they are; how many rows. What is left
    /// of them are contacts of a number that nothing leads from to a person.
    ///
    /// # Errors
    /// Nothing was taken out.
    pub fn forget(&mut self, customer: CustomerId, now: WallTime) -> Result<usize, ArchiveError> {
        // First what is beside: once the archive itself knows nothing, nobody asks again.
        let beside = self.forget_lost(customer, now)? + aside::forget(&self.path, customer, now)?;
        let mut here = || {
            let transaction = self.connection.transaction()?;
            let rows = forget(&transaction, customer, now)?;
            transaction.commit()?;
            Ok(rows)
        };
        let rows = here().map_err(sqlite(&self.path))?;
        Ok(rows + beside)
    }
}

/// Takes what is sealed of a customer and who they are out of one file; how many rows.
pub(super) fn forget(
    c: &Connection,
    customer: CustomerId,
    now: WallTime,
) -> rusqlite::Result<usize> {
    let hash = customer.0.to_le_bytes();
    let rows = c.execute("DELETE FROM sealed WHERE customer = ?1", [hash])?;
    c.execute(
        "UPDATE customer SET hash = NULL, forgotten_ms = ?2 WHERE hash = ?1",
        params![hash, now.0],
    )?;
    Ok(rows)
}

fn reckon(
    connection: &mut Connection,
    newest: WallTime,
    at: EngineTime,
) -> rusqlite::Result<WallTime> {
    let transaction = connection.transaction()?;
    let number = |name| meta::<i64>(&transaction, name);
    let last = number("retain_ms")?.zip(number("retain_us")?);
    let today = match last {
        Some((date, since)) => {
            let passed = at.since(EngineTime(since.cast_unsigned())).0 / 1_000;
            Some(date.cast_unsigned().saturating_add(passed.saturating_mul(CATCH_UP)))
        }
        // Made anew, perhaps: nothing here is older than that.
        None => transaction.query_row("SELECT min(arrived_ms) FROM contact", [], |r| r.get(0))?,
    };
    let today = newest.0.min(today.unwrap_or(newest.0));
    keep(&transaction, "retain_ms", today.cast_signed())?;
    keep(&transaction, "retain_us", at.0.cast_signed())?;
    transaction.commit()?;
    Ok(WallTime(today))
}

fn slice(connection: &mut Connection, before: WallTime) -> rusqlite::Result<usize> {
    let transaction = connection.transaction()?;
    let old: Vec<u64> = {
        let mut select = transaction.prepare_cached(OLD)?;
        let rows = select.query_map(params![before.0, SLICE], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for contact in &old {
        for delete in [
            "DELETE FROM timeline WHERE contact = ?1",
            "DELETE FROM sealed WHERE contact = ?1",
            "DELETE FROM self_service WHERE contact = ?1",
            "DELETE FROM feedback WHERE contact = ?1",
            "DELETE FROM contact WHERE id = ?1",
        ] {
            transaction.prepare_cached(delete)?.execute([contact])?;
        }
    }
    if old.is_empty() {
        shorten(&transaction, before)?;
    }
    transaction.commit()?;
    Ok(old.len())
}

/// Shortens the audit, and what agents were, whose sums stay; whoever placed a hold may want to see who did what, so that it stays
/// whole while one is in force.
fn shorten(c: &Connection, before: WallTime) -> rusqlite::Result<()> {
    c.execute(
        "DELETE FROM customer WHERE forgotten_ms IS NULL
             AND NOT EXISTS (SELECT 1 FROM contact WHERE contact.customer = customer.id)",
        [],
    )?;
    if hold::any(c)? {
        return Ok(());
    }
    c.execute("DELETE FROM agent_state WHERE ended_ms < ?1", [before.0])?;
    let last = "SELECT sequence, hash FROM audit WHERE wall_ms < ?1 ORDER BY sequence DESC LIMIT 1";
    let last = c.query_row(last, [before.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((sequence, hash)): Option<(u64, [u8; 32])> = last else { return Ok(()) };
    c.execute("DELETE FROM audit WHERE sequence <= ?1", [sequence])?;
    keep(c, "audit_anchor", hash)?;
    Ok(())
}
