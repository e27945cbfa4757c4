//! Cutting the archive back to where the journal goes on after an accepted loss.
//!
//! What it has from behind the cut was real and is over: those rows move, as they were, into
//! `archive/lost.sqlite`, each with the loss that it belongs to. What stays is made to be what
//! it was at the cut: contacts are made again from the events in their timelines, and what was
//! counted since is taken off. The journal is not asked, which may have been trimmed. Done when
//! an archive is opened, so that dying on the way costs a repeat.

use std::sync::Arc;

use rusqlite::Connection;

use super::error::{ArchiveError, sqlite};
use super::lost::{COUNTS, MOVED, beside, put_aside};
use super::project::Projection;
use super::record::table::{self, sums};
use super::rows::{INTERVAL_MS, Rows, When};
use super::store::{Store, entry_points, keep};
use super::{schema, write};
use crate::engine::entry::{Actor, Role};
use crate::engine::event::Event;
use crate::engine::routing::Routing;
use crate::ids::{ContactId, EntryPointId, RecallId};
use crate::journal::Tip;
use crate::journal::follow::event_of;
use crate::journal::loss::Accepted;
use crate::shard::view::about;
use crate::time::{EngineTime, WallTime};

/// Whose timelines reach behind the cut, `?1`.
const TOUCHED: &str =
    "INSERT INTO touched SELECT DISTINCT contact FROM main.timeline WHERE sequence > ?1";

/// After the rows behind it are gone: what cannot stay as it is, but for contacts.
const CUT: &str = "
    DELETE FROM main.contact WHERE id IN (SELECT contact FROM touched)
        AND id NOT IN (SELECT contact FROM main.timeline);
    DELETE FROM main.work WHERE contact IN (SELECT contact FROM touched);
    DELETE FROM main.self_service WHERE contact IN (SELECT contact FROM touched);
    DELETE FROM main.customer WHERE forgotten_ms IS NULL
        AND NOT EXISTS (SELECT 1 FROM main.contact WHERE contact.customer = customer.id);
    DELETE FROM main.recall WHERE id NOT IN (SELECT recall FROM main.recall_level);
    UPDATE main.recall SET ended_ms = NULL, ended_us = NULL, ended_role = NULL, ended_by = NULL,
            ended_why = NULL, expired = NULL, level = last.level
        FROM (SELECT recall, level, max(sequence * 1000000 + n) FROM main.recall_level
            GROUP BY recall) AS last
        WHERE last.recall = recall.id AND last.level <> 'ended';";

/// Agents are what they were at the cut, and go on being it.
const OPEN_AGAIN: &str = "
    UPDATE main.agent_state SET ended_sequence = NULL, ended_ms = NULL, ended_us = NULL
        WHERE ended_sequence > ?1";

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
        schema::sync_folder(&beside)?;
        let create = "CREATE TEMP TABLE touched (contact INTEGER PRIMARY KEY)";
        self.connection
            .execute(create, [])
            .and_then(|_| self.connection.execute(TOUCHED, [tip.sequence]))
            .map_err(&failed)?;
        let mut lived = self.live_again(tip.sequence)?;
        self.spells_again(tip.sequence, &mut lived.since)?;
        let configured = self.configured(tip.sequence)?;
        let attached = beside.to_string_lossy().into_owned();
        self.connection
            .execute("ATTACH ?1 AS lost", [attached])
            .and_then(|_| put_aside(&mut self.connection, loss, tip, &lived))
            .and_then(|()| cut(&mut self.connection, loss, tip, (&mut lived, configured)))
            .and_then(|()| self.connection.execute_batch("DROP TABLE temp.touched; DETACH lost"))
            .map_err(&failed)?;
        self.load_again()?;
        self.sync()
    }

    /// The lives of those who are touched, from the events in their timelines.
    fn live_again(&self, cut: u64) -> Result<Lived, ArchiveError> {
        let failed = sqlite(&self.path);
        let recalls = recalls(&self.connection, self.routing()).map_err(&failed)?;
        let all = "SELECT sequence, event FROM configuration ORDER BY sequence DESC";
        let mut configurations = self.configurations(all)?;
        // What is older than the oldest that is kept was counted by one that is not.
        let first = configurations.last().map_or_else(|| self.routing(), |(_, first)| first);
        let mut now = Projection { routing: first.clone(), ..Projection::default() };
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
            while configurations.last().is_some_and(|(since, _)| *since <= sequence) {
                now.routing = configurations.pop().map_or(now.routing, |(_, routing)| routing);
            }
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
        let last = std::mem::take(&mut now.rows);
        let (rows, since) = match at_the_cut {
            Some((open, rows)) => {
                now.open = open;
                (rows, last)
            }
            None => (last, Rows::default()),
        };
        // Whatever one of them names the last one names.
        now.routing = self.routing().clone();
        Ok(Lived { then: now, rows, since })
    }

    /// What was counted since the cut of what agents were: spells count when they end.
    fn spells_again(&self, cut: u64, since: &mut Rows) -> Result<(), ArchiveError> {
        let which = "ended_sequence > ?1";
        let ended = table::select(&self.connection, which, &[cut], self.routing());
        let all = "SELECT sequence, event FROM configuration ORDER BY sequence";
        let configurations = self.configurations(all)?;
        for (agent, open, ended) in ended.map_err(sqlite(&self.path))? {
            let Some(ended) = ended else { continue };
            // The one in force when it began: it ends when that changes for the agent.
            let by = configurations.partition_point(|(since, _)| *since <= open.sequence);
            let by = by.checked_sub(1).and_then(|by| configurations.get(by));
            let routing = by.map_or_else(|| self.routing(), |(_, routing)| routing);
            since.record.state(agent, open.state, open.until(ended), routing);
        }
        Ok(())
    }

    /// The configuration at the cut; none if it is the one that is in force.
    fn configured(&self, cut: u64) -> Result<Option<Arc<Routing>>, ArchiveError> {
        let all = "SELECT sequence, event FROM configuration ORDER BY sequence";
        let mut all = self.configurations(all)?;
        let behind = all.split_off(all.partition_point(|(sequence, _)| *sequence <= cut));
        if behind.is_empty() {
            return Ok(None);
        }
        Ok(Some(all.pop().map(|(_, routing)| routing).unwrap_or_default()))
    }
}

/// The lives of some contacts, cut in two.
pub(super) struct Lived {
    /// As everything was at the cut.
    pub(super) then: Projection,
    /// What had been written by then.
    rows: Rows,
    /// What was written since.
    pub(super) since: Rows,
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

fn cut(
    c: &mut Connection,
    loss: &Accepted,
    tip: Tip,
    (lived, configured): (&mut Lived, Option<Arc<Routing>>),
) -> rusqlite::Result<()> {
    let transaction = c.transaction()?;
    for (table, which) in MOVED.iter().filter(|(_, which)| *which == "sequence > ?1") {
        transaction.execute(&format!("DELETE FROM main.{table} WHERE {which}"), [tip.sequence])?;
    }
    transaction.execute_batch(CUT)?;
    transaction.execute(OPEN_AGAIN, [tip.sequence])?;
    let stays = std::mem::take(&mut lived.rows.stays);
    write::tables(&transaction, &Rows { stays, ..Rows::default() }, &lived.then.routing)?;
    let dirty = lived.then.open.keys().copied().collect();
    write::contacts(&transaction, &Rows { dirty, ..Rows::default() }, &lived.then)?;
    uncount(&transaction, loss)?;
    transaction.execute("DELETE FROM main.configuration WHERE sequence > ?1", [tip.sequence])?;
    if let Some(routing) = configured {
        transaction.execute_batch("DELETE FROM main.queue; DELETE FROM main.agent")?;
        write::references(&transaction, &routing)?;
    }
    keep(&transaction, "sequence", tip.sequence.cast_signed())?;
    keep(&transaction, "epoch", tip.epoch.cast_signed())?;
    keep(&transaction, "hash", tip.hash)?;
    if let Some(wall) = loss.kept_ms {
        keep(&transaction, "wall_ms", wall.cast_signed())?;
    }
    if let Some(at) = loss.kept_us {
        keep(&transaction, "at_us", at.cast_signed())?;
        // Time that is given up passes once more: it must not be waited for.
        let again = "UPDATE main.meta SET value = ?1 WHERE name = 'retain_us' AND value > ?1";
        transaction.execute(again, [at.cast_signed()])?;
    }
    transaction.commit()
}

fn uncount(c: &Connection, loss: &Accepted) -> rusqlite::Result<()> {
    let counted =
        COUNTS.map(|(table, whose, columns)| (table, vec![whose, "start_ms"], columns.to_vec()));
    let record = sums().map(|sums| (sums.table, sums.keys.to_vec(), sums.columns));
    for (table, keys, columns) in counted.into_iter().chain(record) {
        let less: Vec<String> = columns.iter().map(|n| format!("{n} = t.{n} - l.{n}")).collect();
        let keys: Vec<String> = keys.iter().map(|key| format!("l.{key} = t.{key}")).collect();
        let same = format!("l.loss = ?1 AND {}", keys.join(" AND "));
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
                     WHERE answered_ms IS NOT NULL AND wait_us IS NOT NULL AND consult_of IS NULL
                 UNION ALL
                 SELECT queue_last, ended_ms - ended_ms % {INTERVAL_MS},
                     ended_us - arrived_us + waited_before_us FROM main.contact
                     WHERE end_reason = 'abandoned' AND consult_of IS NULL)
             GROUP BY queue, start_ms) AS w ON w.queue = l.queue AND w.start_ms = l.start_ms
         WHERE l.loss = ?1 AND l.queue = t.queue AND l.start_ms = t.start_ms"
    );
    c.execute(&longest, [loss.epoch]).map(drop)
}
