//! The archive's file as its one writer has it: loaded to go on, and written in transactions
//! that hold the position with the rows.
//!
//! Exactly once: what a transaction holds and how far the journal was read are committed
//! together. After a transaction that failed, open it again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::{ArchiveError, sqlite};
use super::hold::Holds;
use super::project::Projection;
use super::read::attach_holds;
use super::record::read::TIME_ZONE;
use super::record::table;
use super::thread::wall_now;
use super::work::Work;
use super::{aside, schema, write};
use crate::engine::event::Event;
use crate::engine::routing::Routing;
use crate::ids::{ContactId, EntryPointId, RecallId};
use crate::journal::follow::{event_bytes, event_of};
use crate::journal::loss::accepted;
use crate::journal::{Batch, Tip};
use crate::time::{EngineTime, WallTime};

/// Configurations that are kept: each is half a megabyte for ten thousand agents, and no loss goes
/// back by so many changes of the configuration.
const CONFIGURATIONS: u32 = 32;

/// What `meta` calls the newest accepted loss that was there when the file was begun.
const BEGAN_AFTER: &str = "began_after_loss";

/// The file, and what is known of everything that is not over.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    projection: Projection,
    /// Where the journal was read to; committed.
    tip: Tip,
    /// The same for what is not committed yet.
    ahead: Tip,
    wall: WallTime,
    /// The router's own clock then.
    pub(super) at: EngineTime,
    /// Hash of the last row of the audit.
    audit: [u8; 32],
}

impl Store {
    /// Opens the archive of a data directory, or begins one. One that is ahead of where the
    /// journal goes on after an accepted loss is cut back to there.
    ///
    /// # Errors
    /// The file cannot be used, or another version wrote it.
    pub fn open(data: &Path) -> Result<Self, ArchiveError> {
        let path = schema::path(data);
        let losses = accepted(data)?;
        let mut store = Self::load_from(data, &path)?;
        let epoch = store.tip.epoch.max(store.began_after()?);
        if store.tip.sequence > 0 && aside::other_history(&losses, epoch).is_some() {
            drop(store);
            aside::set_aside(&path, wall_now())?;
            store = Self::load_from(data, &path)?;
        }
        if store.tip.sequence == 0
            && let Some(newest) = losses.iter().map(|loss| loss.epoch).max()
        {
            keep(&store.connection, BEGAN_AFTER, newest.cast_signed()).map_err(sqlite(&path))?;
        }
        store.settle(&losses)?;
        Ok(store)
    }

    /// Says in which time zone its router works, for reports.
    pub(super) fn is_of(&self, time_zone: &str) -> Result<(), ArchiveError> {
        keep(&self.connection, TIME_ZONE, time_zone).map_err(sqlite(&self.path)).map(drop)
    }

    /// The newest accepted loss that was there when this file was begun.
    fn began_after(&self) -> Result<u64, ArchiveError> {
        let epoch = meta::<i64>(&self.connection, BEGAN_AFTER).map_err(sqlite(&self.path))?;
        Ok(epoch.unwrap_or(0).cast_unsigned())
    }

    fn load_from(data: &Path, path: &Path) -> Result<Self, ArchiveError> {
        let path = path.to_path_buf();
        let connection = schema::open(&path)?;
        // Made if it is not there: retention asks it.
        Holds::open(data)?;
        attach_holds(&connection, data).map_err(sqlite(&path))?;
        let mut store = Self {
            connection,
            path,
            projection: Projection::default(),
            tip: Tip::default(),
            ahead: Tip::default(),
            wall: WallTime::default(),
            at: EngineTime::ZERO,
            audit: [0; 32],
        };
        store.load()?;
        // Its log is there by now, which is synced by itself: a name that is lost in a power cut
        // would take with it what the journal was trimmed for.
        schema::sync_folder(&store.path)?;
        Ok(store)
    }

    /// Where the journal was read to, as committed.
    #[must_use]
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// When the last batch that is in was closed.
    pub(super) fn wall(&self) -> WallTime {
        self.wall
    }

    pub(super) fn routing(&self) -> &Arc<Routing> {
        &self.projection.routing
    }

    /// Goes on from what is committed now, whatever was known before.
    pub(super) fn load_again(&mut self) -> Result<(), ArchiveError> {
        self.projection = Projection::default();
        self.audit = [0; 32];
        self.load()
    }

    /// Events that were taken and are not committed.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.projection.rows.events
    }

    /// Takes a batch, after which the journal stands at `tip`.
    pub fn take(&mut self, batch: &Batch, tip: Tip) {
        self.projection.batch(batch);
        self.ahead = tip;
        self.wall = batch.wall;
        self.at = batch.entries.last().map_or(self.at, |entry| entry.at);
    }

    /// Commits what was taken. Gives how many rows were written.
    ///
    /// # Errors
    /// Nothing was committed; this value is worthless then.
    pub fn commit(&mut self) -> Result<u64, ArchiveError> {
        let rows = std::mem::take(&mut self.projection.rows);
        let failed = sqlite(&self.path);
        fail::fail_point!("archive-before-commit", |_| crate::fault::die());
        let written = write_all(
            &mut self.connection,
            &rows,
            &mut self.projection,
            (self.ahead, self.wall, self.at),
            &mut self.audit,
        );
        let written = written.map_err(failed)?;
        fail::fail_point!("archive-after-commit", |_| crate::fault::die());
        self.projection.open.retain(|_, work| !work.is_over());
        self.tip = self.ahead;
        Ok(written)
    }

    /// Makes everything that was committed durable.
    ///
    /// # Errors
    /// The disk did not take it.
    pub fn sync(&self) -> Result<(), ArchiveError> {
        schema::sync(&self.path)
    }

    /// Moves what is in the log into the file, but for what readers hold there.
    ///
    /// # Errors
    /// The disk did not take it; what was durable still is.
    pub fn checkpoint(&self) -> Result<(), ArchiveError> {
        let moved = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        moved.map_err(sqlite(&self.path))
    }

    fn load(&mut self) -> Result<(), ArchiveError> {
        let failed = sqlite(&self.path);
        let stored = |what| ArchiveError::Stored { path: self.path.clone(), what };
        let c = &self.connection;
        let number = |name: &str| -> Result<u64, ArchiveError> {
            Ok(meta::<i64>(c, name).map_err(&failed)?.unwrap_or(0).cast_unsigned())
        };
        self.tip.sequence = number("sequence")?;
        self.tip.epoch = number("epoch")?;
        self.wall = WallTime(number("wall_ms")?);
        self.at = EngineTime(number("at_us")?);
        if let Some(hash) = meta::<Vec<u8>>(c, "hash").map_err(&failed)? {
            self.tip.hash = hash.try_into().map_err(|_| stored("the journal's hash"))?;
        }
        self.ahead = self.tip;
        let last = "SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1";
        let hash: Option<Vec<u8>> =
            c.query_row(last, [], |row| row.get(0)).optional().map_err(&failed)?;
        let anchor = meta::<Vec<u8>>(c, "audit_anchor").map_err(&failed)?;
        if let Some(hash) = hash.or(anchor) {
            self.audit = hash.try_into().map_err(|_| stored("the audit's hash"))?;
        }
        let last = "SELECT sequence, event FROM configuration ORDER BY sequence DESC LIMIT 1";
        if let Some((_, routing)) = self.configurations(last)?.pop() {
            self.projection.routing = routing;
        }
        self.projection.staff = table::open(c, &self.projection.routing).map_err(&failed)?;
        for (id, state) in pairs::<String>(c, "SELECT contact, state FROM work").map_err(&failed)? {
            let work: Work = serde_json::from_str(&state).map_err(|_| stored("an open contact"))?;
            self.projection.open.insert(ContactId(id.cast_unsigned()), work);
        }
        let in_force = "SELECT id, scope FROM recall WHERE ended_ms IS NULL ORDER BY id";
        for (id, scope) in pairs::<String>(c, in_force).map_err(&failed)? {
            let names: Vec<String> =
                serde_json::from_str(&scope).map_err(|_| stored("a recall's scope"))?;
            let id = u16::try_from(id).map_err(|_| stored("a recall's id"))?;
            let scope = entry_points(&self.projection.routing, &names);
            self.projection.recalls.push((RecallId(id), scope));
        }
        fail::fail_point!("archive-after-load", |_| crate::fault::die());
        Ok(())
    }

    /// Configurations with the entries that made them, as this selects them.
    pub(super) fn configurations(
        &self,
        select: &str,
    ) -> Result<Vec<(u64, Arc<Routing>)>, ArchiveError> {
        let rows = pairs::<Vec<u8>>(&self.connection, select).map_err(sqlite(&self.path))?;
        let read = |(sequence, bytes): (i64, Vec<u8>)| {
            let event = event_of(&bytes)
                .map_err(|source| ArchiveError::Event { path: self.path.clone(), source })?;
            match event {
                Event::Configured(routing) => Ok((sequence.cast_unsigned(), routing)),
                _ => Err(ArchiveError::Stored { path: self.path.clone(), what: "the routing" }),
            }
        };
        rows.into_iter().map(read).collect()
    }
}

pub(super) fn entry_points(routing: &Routing, names: &[String]) -> Vec<EntryPointId> {
    let of = |name: &String| routing.entry_points.iter().position(|e| *e.name == **name);
    let places = names.iter().filter_map(of);
    places.filter_map(|place| u16::try_from(place).ok().map(EntryPointId)).collect()
}

fn pairs<T: rusqlite::types::FromSql>(
    c: &Connection,
    sql: &str,
) -> rusqlite::Result<Vec<(i64, T)>> {
    let mut statement = c.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Keeps configurations, for going on from the last and for going back to an earlier one.
fn configure(c: &Connection, configured: &[(u64, Arc<Routing>)]) -> rusqlite::Result<()> {
    for (sequence, routing) in configured {
        let event = event_bytes(&Event::Configured(Arc::clone(routing)));
        let insert = "INSERT OR REPLACE INTO configuration (sequence, event) VALUES (?1, ?2)";
        c.execute(insert, params![sequence, event])?;
    }
    if !configured.is_empty() {
        let old = "DELETE FROM configuration WHERE sequence NOT IN
            (SELECT sequence FROM configuration ORDER BY sequence DESC LIMIT ?1)";
        c.execute(old, [CONFIGURATIONS])?;
    }
    Ok(())
}

/// A value that the archive keeps for itself.
pub(super) fn meta<T: rusqlite::types::FromSql>(
    c: &Connection,
    name: &str,
) -> rusqlite::Result<Option<T>> {
    let mut select = c.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    select.query_row([name], |row| row.get(0)).optional()
}

/// Keeps a value.
pub(super) fn keep(
    c: &Connection,
    name: &str,
    value: impl rusqlite::ToSql,
) -> rusqlite::Result<usize> {
    c.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute(params![name, value])
}

fn write_all(
    connection: &mut Connection,
    rows: &super::rows::Rows,
    projection: &mut Projection,
    (tip, wall, at): (Tip, WallTime, EngineTime),
    audit: &mut [u8; 32],
) -> rusqlite::Result<u64> {
    let transaction = connection.transaction()?;
    let mut written = write::tables(&transaction, rows, &projection.routing)?;
    written += write::contacts(&transaction, rows, projection)?;
    let mut hash = *audit;
    written += write::audit(&transaction, &rows.audit, &mut hash)?;
    configure(&transaction, &rows.routing)?;
    keep(&transaction, "sequence", tip.sequence.cast_signed())?;
    keep(&transaction, "epoch", tip.epoch.cast_signed())?;
    keep(&transaction, "hash", tip.hash)?;
    keep(&transaction, "wall_ms", wall.0.cast_signed())?;
    keep(&transaction, "at_us", at.0.cast_signed())?;
    transaction.commit()?;
    *audit = hash;
    Ok(written)
}
