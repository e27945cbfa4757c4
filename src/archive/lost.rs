//! What accepted losses took out of the archive: `archive/lost.sqlite`, tables of the same names
//! with the loss that each row belongs to.
//!
//! Owned by [`super::cut`], which puts it there. It is for people's queries; nothing of it is
//! ever taken for fact again. Forgetting a customer and the end of keeping reach it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::cut::Lived;
use super::error::{ArchiveError, sqlite};
use super::record::table::{self, sums};
use super::retain;
use super::store::Store;
use crate::ids::CustomerId;
use crate::journal::Tip;
use crate::journal::loss::Accepted;
use crate::time::WallTime;

/// The configuration is another one since.
const CONFIGURED: &str = "EXISTS (SELECT 1 FROM main.configuration WHERE sequence > ?1)";

/// What moves: a table, and which of its rows. `?1` is the cut.
pub(super) const MOVED: [(&str, &str); 13] = [
    ("timeline", "sequence > ?1"),
    ("sealed", "sequence > ?1"),
    ("feedback", "sequence > ?1"),
    ("audit", "sequence > ?1"),
    ("recall_level", "sequence > ?1"),
    ("gateway", "sequence > ?1"),
    ("agent_state", "sequence > ?1"),
    ("contact", "id IN (SELECT contact FROM touched) AND ?1 >= 0"),
    (
        "customer",
        "id IN (SELECT customer FROM main.contact JOIN touched ON touched.contact = id)
            AND ?1 >= 0",
    ),
    ("self_service", "contact IN (SELECT contact FROM touched) AND ?1 >= 0"),
    ("recall", "id IN (SELECT recall FROM main.recall_level WHERE sequence > ?1)"),
    ("queue", CONFIGURED),
    ("agent", CONFIGURED),
];

/// Sums, and what of them can be taken off.
pub(super) const COUNTS: [(&str, &str, &[&str]); 2] = [
    (
        "interval",
        "queue",
        &[
            "offered",
            "answered",
            "answered_in_target",
            "abandoned",
            "abandoned_after_target",
            "answered_wait_us",
            "abandoned_wait_us",
            "talk_us",
            "hold_us",
            "wrap_up_us",
            "self_service_entered",
            "self_service_returned",
            "self_service_solved",
        ],
    ),
    (
        "agent_interval",
        "agent",
        &["offered", "not_taken", "handled", "talk_us", "hold_us", "wrap_up_us"],
    ),
];

impl Store {
    /// Takes what is sealed of a customer and who they are out of what is lost as well. Gives
    /// how many rows.
    pub(super) fn forget_lost(
        &self,
        customer: CustomerId,
        now: WallTime,
    ) -> Result<usize, ArchiveError> {
        let Some((mut lost, path)) = self.lost()? else { return Ok(0) };
        let mut forget = || {
            let transaction = lost.transaction()?;
            let rows = retain::forget(&transaction, customer, now)?;
            transaction.commit()?;
            Ok(rows)
        };
        forget().map_err(sqlite(&path))
    }

    /// Lets go of losses that were accepted before this time.
    pub(super) fn shorten_lost(&self, before: WallTime) -> Result<(), ArchiveError> {
        let Some((lost, path)) = self.lost()? else { return Ok(()) };
        let tables = MOVED.iter().map(|(table, _)| *table);
        let shorten = || -> rusqlite::Result<()> {
            let counts = COUNTS.iter().map(|(table, ..)| *table).chain(sums().map(|s| s.table));
            for table in tables.chain(counts).chain(["loss"]) {
                let old = "IN (SELECT loss FROM loss WHERE accepted_ms < ?1)";
                lost.execute(&format!("DELETE FROM {table} WHERE loss {old}"), [before.0])?;
            }
            Ok(())
        };
        shorten().map_err(sqlite(&path))
    }

    fn lost(&self) -> Result<Option<(Connection, PathBuf)>, ArchiveError> {
        let path = beside(&self.path);
        if !path.is_file() {
            return Ok(None);
        }
        let open = || {
            let lost = Connection::open(&path)?;
            lost.pragma_update(None, "secure_delete", "ON")?;
            let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'loss'";
            let there: u64 = lost.query_row(there, [], |row| row.get(0))?;
            Ok((there > 0).then_some(lost))
        };
        let lost = open().map_err(sqlite(&path))?;
        Ok(lost.map(|lost| (lost, path)))
    }
}

/// Where what is lost is kept.
pub(super) fn beside(archive: &Path) -> PathBuf {
    archive.with_file_name("lost.sqlite")
}

/// Copies what moves, durably and before anything of it goes: the two files cannot be written
/// in one transaction.
pub(super) fn put_aside(
    c: &mut Connection,
    loss: &Accepted,
    tip: Tip,
    lived: &Lived,
) -> rusqlite::Result<()> {
    c.pragma_update(Some("lost"), "synchronous", "FULL")?;
    let transaction = c.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS lost.loss (loss INTEGER PRIMARY KEY, after INTEGER NOT NULL,
             accepted_ms INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,
             moved_to TEXT NOT NULL) STRICT",
    )?;
    let counted = COUNTS.iter().map(|(table, ..)| *table).chain(sums().map(|sums| sums.table));
    for table in MOVED.iter().map(|(table, _)| *table).chain(counted) {
        transaction.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS lost.{table} AS SELECT 0 AS loss, * FROM main.{table}
             WHERE false"
        ))?;
        // An earlier try that died.
        transaction.execute(&format!("DELETE FROM lost.{table} WHERE loss = ?1"), [loss.epoch])?;
    }
    for (table, which) in MOVED {
        let copy =
            format!("INSERT INTO lost.{table} SELECT ?2, t.* FROM main.{table} t WHERE {which}");
        transaction.execute(&copy, params![tip.sequence, loss.epoch])?;
    }
    counted_since(&transaction, loss, lived)?;
    transaction.execute(
        "INSERT OR REPLACE INTO lost.loss VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![loss.epoch, tip.sequence, loss.when_ms, loss.who, loss.why, loss.moved_to],
    )?;
    transaction.commit()
}

fn counted_since(c: &Connection, loss: &Accepted, lived: &Lived) -> rusqlite::Result<()> {
    let routing = &lived.then.routing;
    table::set_aside(c, &lived.since.record, routing, loss.epoch)?;
    for ((queue, start), n) in &lived.since.cells {
        c.prepare_cached(
            "INSERT INTO lost.interval VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
                 ?13, ?14, ?15, ?16, ?17)",
        )?
        .execute(params![
            loss.epoch,
            routing.queue_name(*queue),
            start,
            n.offered,
            n.answered,
            n.answered_in_target,
            n.abandoned,
            n.abandoned_after_target,
            n.answered_wait_us,
            n.abandoned_wait_us,
            n.wait_max_us,
            n.talk_us,
            n.hold_us,
            n.wrap_up_us,
            n.entered,
            n.returned,
            n.solved,
        ])?;
    }
    for ((agent, start), n) in &lived.since.agent_cells {
        c.prepare_cached(
            "INSERT INTO lost.agent_interval VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            loss.epoch,
            routing.agent_name(*agent),
            start,
            n.offered,
            n.not_taken,
            n.handled,
            n.talk_us,
            n.hold_us,
            n.wrap_up_us,
        ])?;
    }
    Ok(())
}
