//! Cutting the archive back to where the journal goes on after an accepted loss.
//!
//! What it has from behind the cut was real and is over: those rows move, as they were, into
//! `archive/lost.sqlite`, each with the loss that it belongs to. What stays is made to be what
//! it was at the cut: contacts are made again from the events in their timelines, and what was
//! counted since is taken off. The journal is not asked, which may have been trimmed. Done when
//! an archive is opened, so that dying on the way costs a repeat.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::error::{ArchiveError, sqlite};
use super::project::Projection;
use super::rows::{INTERVAL_MS, Rows, When};
use super::store::{Store, entry_points, keep};
use super::{schema, write};
use crate::engine::entry::{Actor, Role};
use crate::engine::event::Event;
use crate::engine::routing::Routing;
use crate::ids::{ContactId, CustomerId, EntryPointId, RecallId};
use crate::journal::Tip;
use crate::journal::follow::event_of;
use crate::journal::loss::Accepted;
use crate::shard::view::about;
use crate::time::{EngineTime, WallTime};

/// Whose timelines reach behind the cut, `?1`.
const TOUCHED: &str =
    "INSERT INTO touched SELECT DISTINCT contact FROM main.timeline WHERE sequence > ?1";

/// What moves: a table, and which of its rows. `?1` is the cut.
const MOVED: [(&str, &str); 8] = [
    ("timeline", "sequence > ?1"),
    ("sealed", "sequence > ?1"),
    ("feedback", "sequence > ?1"),
    ("audit", "sequence > ?1"),
    ("recall_level", "sequence > ?1"),
    ("contact", "id IN (SELECT contact FROM touched) AND ?1 >= 0"),
    ("self_service", "contact IN (SELECT contact FROM touched) AND ?1 >= 0"),
    ("recall", "id IN (SELECT recall FROM main.recall_level WHERE sequence > ?1)"),
];

/// After the rows behind it are gone: what cannot stay as it is, but for contacts.
const CUT: &str = "
    DELETE FROM main.contact WHERE id IN (SELECT contact FROM touched)
        AND id NOT IN (SELECT contact FROM main.timeline);
    DELETE FROM main.work WHERE contact IN (SELECT contact FROM touched);
    DELETE FROM main.self_service WHERE contact IN (SELECT contact FROM touched);
    DELETE FROM main.recall WHERE id NOT IN (SELECT recall FROM main.recall_level);
    UPDATE main.recall SET ended_ms = NULL, ended_us = NULL, ended_role = NULL, ended_by = NULL,
            ended_why = NULL, expired = NULL, level = last.level
        FROM (SELECT recall, level, max(sequence * 1000000 + n) FROM main.recall_level
            GROUP BY recall) AS last
        WHERE last.recall = recall.id AND last.level <> 'ended';";

/// Sums without what was counted behind the cut. `?1` is the loss.
const COUNTS: [(&str, &str, &[&str]); 2] = [
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
    /// Cuts back what accepted losses have overtaken.
    pub(super) fn settle(&mut self, losses: &[Accepted]) -> Result<(), ArchiveError> {
        for loss in losses {
            let Some(tip) = loss.tip() else { continue };
            if loss.epoch > self.tip().epoch && tip.sequence < self.tip().sequence {
                self.cut_back(loss, tip)?;
            }
        }
        Ok(())
    }

    fn cut_back(&mut self, loss: &Accepted, tip: Tip) -> Result<(), ArchiveError> {
        let (from, failed) = (self.tip().sequence, sqlite(&self.path));
        tracing::warn!(
            from,
            to = tip.sequence,
            who = loss.who,
            why = loss.why,
            "the archive is cut back to where the journal goes on; what is behind moves to lost.sqlite"
        );
        let beside = beside(&self.path);
        schema::create_private(&beside)?;
        let create = "CREATE TEMP TABLE touched (contact INTEGER PRIMARY KEY)";
        self.connection
            .execute(create, [])
            .and_then(|_| self.connection.execute(TOUCHED, [tip.sequence]))
            .map_err(&failed)?;
        let mut lived = self.live_again(tip.sequence)?;
        let attached = beside.to_string_lossy().into_owned();
        self.connection
            .execute("ATTACH ?1 AS lost", [attached])
            .and_then(|_| put_aside(&mut self.connection, loss, tip, &lived))
            .and_then(|()| cut(&mut self.connection, loss, tip, &mut lived))
            .and_then(|()| self.connection.execute_batch("DROP TABLE temp.touched; DETACH lost"))
            .map_err(&failed)?;
        self.load_again()?;
        self.sync()
    }

    /// The lives of those who are touched, from the events in their timelines.
    fn live_again(&self, cut: u64) -> Result<Lived, ArchiveError> {
        let failed = sqlite(&self.path);
        let recalls = recalls(&self.connection, self.routing()).map_err(&failed)?;
        let mut now = Projection { routing: self.routing().clone(), ..Projection::default() };
        let mut at_the_cut = None;
        let select = "SELECT contact, sequence, wall_ms, at_us, event FROM main.timeline
            WHERE contact IN (SELECT contact FROM touched) ORDER BY sequence, n, contact";
        let mut statement = self.connection.prepare(select).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            let read = || -> rusqlite::Result<(u64, u64, u64, u64, Vec<u8>)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            };
            let (contact, sequence, wall, at, bytes) = read().map_err(&failed)?;
            let event = event_of(&bytes)
                .map_err(|source| ArchiveError::Event { path: self.path.clone(), source })?;
            // A consult's beginning is told with both.
            if subject(&event) != Some(ContactId(contact)) {
                continue;
            }
            if sequence > cut && at_the_cut.is_none() {
                at_the_cut = Some((now.open.clone(), std::mem::take(&mut now.rows)));
            }
            let at = EngineTime(at);
            now.recalls.clear();
            let then = recalls.iter().filter(|recall| recall.is_in_force(at));
            now.recalls.extend(then.map(|recall| (recall.id, recall.scope.clone())));
            let actor = Actor { role: Role::Router, name: "".into() };
            let when = Arc::new(When { sequence, at, wall: WallTime(wall), actor });
            now.contact(&event, &when);
        }
        let since = std::mem::take(&mut now.rows);
        let (open, rows) = at_the_cut.unwrap_or_default();
        now.open = open;
        Ok(Lived { then: now, rows, since })
    }

    /// Takes what is sealed of a customer out of what is lost as well. Gives how many rows.
    pub(super) fn forget_lost(&self, customer: CustomerId) -> Result<usize, ArchiveError> {
        let Some((lost, path)) = self.lost()? else { return Ok(0) };
        let hash = customer.0.to_le_bytes();
        lost.execute("DELETE FROM sealed WHERE customer = ?1", [hash]).map_err(sqlite(&path))
    }

    /// Lets go of losses that were accepted before this time, while nothing is held.
    pub(super) fn shorten_lost(&self, before: WallTime) -> Result<(), ArchiveError> {
        let Some((lost, path)) = self.lost()? else { return Ok(()) };
        let held = "SELECT EXISTS (SELECT 1 FROM holds.hold WHERE released_ms IS NULL)";
        let held = self.connection.query_row(held, [], |row| row.get(0));
        if held.map_err(sqlite(&self.path))? {
            return Ok(());
        }
        let tables = MOVED.iter().map(|(table, _)| *table);
        let shorten = || -> rusqlite::Result<()> {
            for table in tables.chain(COUNTS.iter().map(|(table, ..)| *table)).chain(["loss"]) {
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
fn beside(archive: &Path) -> PathBuf {
    archive.with_file_name("lost.sqlite")
}

/// The lives of some contacts, cut in two.
struct Lived {
    /// As everything was at the cut.
    then: Projection,
    /// What had been written by then.
    rows: Rows,
    /// What was written since.
    since: Rows,
}

struct Recall {
    id: RecallId,
    scope: Vec<EntryPointId>,
    started: EngineTime,
    ended: Option<EngineTime>,
}

impl Recall {
    fn is_in_force(&self, at: EngineTime) -> bool {
        self.started <= at && self.ended.is_none_or(|ended| at < ended)
    }
}

fn recalls(c: &Connection, routing: &Routing) -> rusqlite::Result<Vec<Recall>> {
    let select = "SELECT id, scope, started_us, ended_us FROM main.recall ORDER BY started_us, id";
    let mut statement = c.prepare(select)?;
    let rows = statement.query_map([], |row| {
        let names: String = row.get(1)?;
        let names: Vec<String> = serde_json::from_str(&names).unwrap_or_default();
        Ok(Recall {
            id: RecallId(row.get(0)?),
            scope: entry_points(routing, &names),
            started: EngineTime(row.get(2)?),
            ended: row.get::<_, Option<u64>>(3)?.map(EngineTime),
        })
    })?;
    rows.collect()
}

/// Whose row an event changes.
fn subject(event: &Event) -> Option<ContactId> {
    match event {
        Event::ConsultStarted { child, .. } => Some(*child),
        _ => about(event)[0],
    }
}

/// Copies what moves, durably and before anything of it goes: the two files cannot be written
/// in one transaction.
fn put_aside(c: &mut Connection, loss: &Accepted, tip: Tip, lived: &Lived) -> rusqlite::Result<()> {
    c.pragma_update(Some("lost"), "synchronous", "FULL")?;
    let transaction = c.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS lost.loss (loss INTEGER PRIMARY KEY, after INTEGER NOT NULL,
             accepted_ms INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,
             moved_to TEXT NOT NULL) STRICT",
    )?;
    let counted = COUNTS.iter().map(|(table, ..)| *table);
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

fn cut(c: &mut Connection, loss: &Accepted, tip: Tip, lived: &mut Lived) -> rusqlite::Result<()> {
    let transaction = c.transaction()?;
    for (table, which) in MOVED.iter().filter(|(_, which)| *which == "sequence > ?1") {
        transaction.execute(&format!("DELETE FROM main.{table} WHERE {which}"), [tip.sequence])?;
    }
    transaction.execute_batch(CUT)?;
    let stays = std::mem::take(&mut lived.rows.stays);
    write::tables(&transaction, &Rows { stays, ..Rows::default() }, &lived.then.routing)?;
    let dirty = lived.then.open.keys().copied().collect();
    write::contacts(&transaction, &Rows { dirty, ..Rows::default() }, &lived.then)?;
    uncount(&transaction, loss)?;
    keep(&transaction, "sequence", tip.sequence.cast_signed())?;
    keep(&transaction, "epoch", tip.epoch.cast_signed())?;
    keep(&transaction, "hash", tip.hash)?;
    if let Some(wall) = loss.kept_ms {
        keep(&transaction, "wall_ms", wall.cast_signed())?;
    }
    transaction.commit()
}

fn uncount(c: &Connection, loss: &Accepted) -> rusqlite::Result<()> {
    for (table, whose, columns) in COUNTS {
        let less: Vec<String> = columns.iter().map(|n| format!("{n} = t.{n} - l.{n}")).collect();
        let same = format!("l.loss = ?1 AND l.{whose} = t.{whose} AND l.start_ms = t.start_ms");
        let update = format!(
            "UPDATE main.{table} AS t SET {} FROM lost.{table} AS l WHERE {same}",
            less.join(", ")
        );
        c.execute(&update, [loss.epoch])?;
        let nothing: Vec<String> = columns.iter().map(|n| format!("t.{n} = 0")).collect();
        let delete = format!(
            "DELETE FROM main.{table} AS t WHERE {} AND EXISTS
                 (SELECT 1 FROM lost.{table} AS l WHERE {same})",
            nothing.join(" AND ")
        );
        c.execute(&delete, [loss.epoch])?;
    }
    // The longest wait cannot be taken off: it is looked for among those that stay.
    let longest = format!(
        "UPDATE main.interval AS t SET wait_max_us = coalesce(w.most, 0)
         FROM lost.interval AS l LEFT JOIN (
             SELECT queue, start_ms, max(waited) AS most FROM (
                 SELECT answered_queue AS queue, answered_ms - answered_ms % {INTERVAL_MS} AS start_ms,
                     wait_us AS waited FROM main.contact
                     WHERE answered_ms IS NOT NULL AND consult_of IS NULL
                 UNION ALL
                 SELECT queue_last, ended_ms - ended_ms % {INTERVAL_MS},
                     ended_us - arrived_us + waited_before_us FROM main.contact
                     WHERE end_reason = 'abandoned' AND consult_of IS NULL)
             GROUP BY queue, start_ms) AS w ON w.queue = l.queue AND w.start_ms = l.start_ms
         WHERE l.loss = ?1 AND l.queue = t.queue AND l.start_ms = t.start_ms"
    );
    c.execute(&longest, [loss.epoch]).map(drop)
}
