//! The record's tables: made, written and read by the lists of columns.

use std::sync::Arc;

use rusqlite::{Connection, params, params_from_iter};

use super::staff::{Change, Open, Staff, State};
use super::{AgentColumn, QueueColumn, Record};
use crate::engine::routing::Routing;
use crate::ids::{AgentId, ReasonId};
use crate::time::{EngineTime, WallTime};

/// A table of sums: its name, what its rows are about, and what is summed.
pub(in super::super) struct Sums {
    pub(in super::super) table: &'static str,
    pub(in super::super) keys: &'static [&'static str],
    pub(in super::super) columns: Vec<&'static str>,
}

/// The record's tables of sums.
pub(in super::super) fn sums() -> [Sums; 3] {
    [
        Sums {
            table: "queue_record",
            keys: &["queue", "start_ms"],
            columns: QueueColumn::ALL.iter().map(|c| c.name()).collect(),
        },
        Sums {
            table: "agent_record",
            keys: &["agent", "start_ms"],
            columns: AgentColumn::ALL.iter().map(|c| c.name()).collect(),
        },
        Sums {
            table: "not_ready_record",
            keys: &["agent", "start_ms", "reason"],
            columns: vec!["not_ready_us"],
        },
    ]
}

impl Sums {
    fn create(&self) -> String {
        let kind = |key: &str| if key == "start_ms" { "INTEGER" } else { "TEXT" };
        let keys: Vec<String> =
            self.keys.iter().map(|key| format!("{key} {} NOT NULL", kind(key))).collect();
        let columns: Vec<String> =
            self.columns.iter().map(|name| format!("{name} INTEGER NOT NULL")).collect();
        let (table, key) = (self.table, self.keys.join(", "));
        format!(
            "CREATE TABLE {table} ({}, {}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID;
             CREATE INDEX {table}_start ON {table} (start_ms);",
            keys.join(", "),
            columns.join(", "),
        )
    }

    /// Adds a row; with a loss, to what that took off, which nothing is added to.
    fn add(&self, loss: Option<u64>) -> String {
        let places: Vec<String> =
            (1..=self.keys.len() + self.columns.len()).map(|n| format!("?{n}")).collect();
        if let Some(loss) = loss {
            return format!(
                "INSERT INTO lost.{} VALUES ({loss}, {})",
                self.table,
                places.join(", ")
            );
        }
        let more: Vec<String> =
            self.columns.iter().map(|name| format!("{name} = {name} + excluded.{name}")).collect();
        format!(
            "INSERT INTO main.{} VALUES ({}) ON CONFLICT DO UPDATE SET {}",
            self.table,
            places.join(", "),
            more.join(", ")
        )
    }
}

/// What makes the tables.
pub(in super::super) fn create() -> String {
    sums().iter().map(Sums::create).collect()
}

/// Adds to the sums; how many rows.
pub(in super::super) fn add(
    c: &Connection,
    record: &Record,
    routing: &Routing,
) -> rusqlite::Result<u64> {
    if record.is_empty() {
        return Ok(0);
    }
    put(c, record, routing, None)
}

/// Puts what is taken off beside the archive.
pub(in super::super) fn set_aside(
    c: &Connection,
    record: &Record,
    routing: &Routing,
    loss: u64,
) -> rusqlite::Result<()> {
    put(c, record, routing, Some(loss)).map(drop)
}

fn put(
    c: &Connection,
    record: &Record,
    routing: &Routing,
    loss: Option<u64>,
) -> rusqlite::Result<u64> {
    let Record { queues, agents, reasons } = record;
    let [of_queues, of_agents, of_reasons] = sums().map(|sums| sums.add(loss));
    for ((queue, start), row) in queues {
        insert(c, &of_queues, (routing.queue_name(*queue), *start), row)?;
    }
    for ((agent, start), row) in agents {
        insert(c, &of_agents, (routing.agent_name(*agent), *start), row)?;
    }
    for ((agent, reason, start), us) in reasons {
        c.prepare_cached(&of_reasons)?.execute(params![
            routing.agent_name(*agent),
            start,
            routing.reason_name(*reason),
            us
        ])?;
    }
    Ok((queues.len() + agents.len() + reasons.len()) as u64)
}

fn insert(
    c: &Connection,
    sql: &str,
    (name, start): (&str, u64),
    row: &[u64],
) -> rusqlite::Result<()> {
    let mut statement = c.prepare_cached(sql)?;
    statement.raw_bind_parameter(1, name)?;
    statement.raw_bind_parameter(2, start)?;
    for (place, n) in row.iter().enumerate() {
        statement.raw_bind_parameter(place + 3, n)?;
    }
    statement.raw_execute().map(drop)
}

/// Writes what became of spells; how many rows.
pub(in super::super) fn spells(
    c: &Connection,
    changes: &[Change],
    routing: &Routing,
) -> rusqlite::Result<u64> {
    for change in changes {
        match change {
            Change::Began(agent, open) => {
                let (state, reason) = match open.state {
                    State::Ready => ("ready", None),
                    State::NotReady(reason) => ("not_ready", Some(routing.reason_name(reason))),
                };
                c.prepare_cached(
                    "INSERT INTO agent_state (agent, sequence, n, state, reason, began_ms, began_us)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    routing.agent_name(*agent),
                    open.sequence,
                    open.n,
                    state,
                    reason,
                    open.wall.0,
                    open.at.0,
                ])?;
            }
            Change::Ended(agent, open, when) => {
                c.prepare_cached(
                    "UPDATE agent_state SET ended_sequence = ?4, ended_ms = ?5, ended_us = ?6
                     WHERE agent = ?1 AND sequence = ?2 AND n = ?3",
                )?
                .execute(params![
                    routing.agent_name(*agent),
                    open.sequence,
                    open.n,
                    when.sequence,
                    when.wall.0,
                    when.at.0,
                ])?;
            }
        }
    }
    Ok(changes.len() as u64)
}

/// One row of a spell, with when it ended if it has.
pub(in super::super) type SpellRow = (AgentId, Open, Option<EngineTime>);

/// The spells that a condition selects.
pub(in super::super) fn select(
    c: &Connection,
    which: &str,
    given: &[u64],
    routing: &Arc<Routing>,
) -> rusqlite::Result<Vec<SpellRow>> {
    let sql = format!(
        "SELECT agent, sequence, n, reason, began_ms, began_us, ended_us FROM main.agent_state
         WHERE {which} ORDER BY sequence, n"
    );
    let mut statement = c.prepare(&sql)?;
    let agents: hashbrown::HashMap<&str, usize> =
        routing.agents.iter().enumerate().map(|(id, a)| (&*a.name, id)).collect();
    let rows = statement.query_map(params_from_iter(given), |row| {
        let (name, reason): (String, Option<String>) = (row.get(0)?, row.get(3)?);
        let agent = agents.get(&*name).copied().unwrap_or(usize::MAX);
        let reason = reason.map(|reason| {
            let listed = routing.not_ready_reasons.iter().position(|r| *r.name == *reason);
            ReasonId(listed.and_then(|at| u16::try_from(at).ok()).unwrap_or(u16::MAX))
        });
        let open = Open {
            state: reason.map_or(State::Ready, State::NotReady),
            sequence: row.get(1)?,
            n: row.get(2)?,
            wall: WallTime(row.get(4)?),
            at: EngineTime(row.get(5)?),
        };
        let ended = row.get::<_, Option<u64>>(6)?.map(EngineTime);
        Ok((AgentId(u32::try_from(agent).unwrap_or(u32::MAX)), open, ended))
    })?;
    rows.collect()
}

/// The spells that have not ended.
pub(in super::super) fn open(c: &Connection, routing: &Arc<Routing>) -> rusqlite::Result<Staff> {
    let open = select(c, "ended_sequence IS NULL", &[], routing)?;
    Ok(Staff(open.into_iter().map(|(agent, open, _)| (agent, open)).collect()))
}
