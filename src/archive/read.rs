//! Reading the archive beside the router that writes it: one contact's story, a query, how
//! it stands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::error::{ArchiveError, sqlite};
use super::record::read::{Asked, Report, report, site_zone};
use super::store::meta;
use super::work::Work;
use super::{Ended, FeedbackAsked, FeedbackRow, care, hold, schema};
use crate::config::preview::Standing;
use crate::engine::entry::{Actor, Role, Sealed};
use crate::engine::event::Event;
use crate::engine::routing::Routing;
use crate::ids::{AgentId, ContactId, CustomerId};
use crate::journal::follow::{event_of, last_sequence};
use crate::shard::view::TimelineItem;
use crate::time::{EngineTime, WallTime};

/// Reads at once: more would only take the disk from the journal.
const READS: usize = 4;
/// Most items read of one contact; of more the first of them and the newest.
const MOST_ITEMS: u32 = 1_024;

/// Reads one archive, from any task; clones share the limit.
#[derive(Clone, Debug)]
pub struct Reader {
    data: PathBuf,
    permits: Arc<Semaphore>,
}

/// How an archive stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Entries up to this one are in it.
    pub position: u64,
    /// The last entry of the journal beside it.
    pub journal: u64,
    /// When the last batch that is in it was closed.
    pub wall: WallTime,
    /// Tables with how many rows each has.
    pub tables: Vec<(String, u64)>,
    /// Bytes of its files.
    pub bytes: u64,
}

/// What a query gave.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values; bytes as hexadecimal text.
    pub rows: Vec<Vec<Value>>,
}

/// What the archive knows of a customer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// Their number, if they have one.
    pub number: Option<i64>,
    /// Contacts of theirs.
    pub contacts: u64,
    /// Pieces of sealed personal data.
    pub sealed: u64,
    /// Holds in force on them, on a contact of theirs, or on a recall that concerns one.
    pub holds: Vec<i64>,
}

impl Reader {
    /// Reads the archive of a data directory, whether it is there yet or not.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self { data, permits: Arc::new(Semaphore::new(READS)) }
    }

    /// Everything that is known of a contact, oldest first; nothing of one that is not known.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub async fn timeline(&self, contact: ContactId) -> Result<Vec<TimelineItem>, ArchiveError> {
        self.read(move |data| timeline(data, contact)).await
    }

    /// What is known of a customer.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub async fn customer(&self, customer: CustomerId) -> Result<Known, ArchiveError> {
        self.read(move |data| known(data, customer)).await
    }

    /// What is known of a contact that may be over; none of one that the archive does not have.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub async fn ended(&self, contact: ContactId) -> Result<Option<Ended>, ArchiveError> {
        self.read(move |data| care::ended(data, contact)).await
    }

    /// The contacts of a contact's thread, oldest first, itself included.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub async fn thread(&self, contact: ContactId) -> Result<Vec<u64>, ArchiveError> {
        self.read(move |data| care::thread(data, contact)).await
    }

    /// What customers think of contacts, the newest first.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub async fn feedback(&self, asked: FeedbackAsked) -> Result<Vec<FeedbackRow>, ArchiveError> {
        self.read(move |data| care::feedback(data, &asked)).await
    }

    /// The interval record, by this time zone or the site's; with the zone's name. `asked` is
    /// made of the zone.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub async fn report(
        &self,
        zone: Option<TimeZone>,
        asked: impl FnOnce(&TimeZone) -> Asked + Send + 'static,
    ) -> Result<(Report, TimeZone), ArchiveError> {
        self.read(move |data| {
            let zone = match zone {
                Some(zone) => zone,
                None => site_zone(data)?,
            };
            Ok((report(data, asked(&zone), &zone)?, zone))
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Path) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        let data = self.data.clone();
        let _permit = self.permits.acquire().await;
        spawn_blocking(move || read(&data)).await.unwrap_or(Err(ArchiveError::Interrupted))
    }
}

/// What a query says of the archive of a data directory.
///
/// # Errors
/// The archive cannot be read, the query is not SQL, or it would change something.
pub fn query(data: &Path, sql: &str) -> Result<Answer, ArchiveError> {
    let path = schema::path(data);
    let connection = schema::open_to_read(&path)?;
    let failed = sqlite(&path);
    let mut statement = connection.prepare(sql).map_err(&failed)?;
    if !statement.readonly() {
        return Err(ArchiveError::NotReading);
    }
    let columns: Vec<String> = statement.column_names().map(Into::into).collect();
    let mut read = || {
        let mut all = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let cells = (0..columns.len()).map(|place| Ok(value(row.get_ref(place)?)));
            all.push(cells.collect::<rusqlite::Result<_>>()?);
        }
        Ok(all)
    };
    let rows = read().map_err(&failed)?;
    Ok(Answer { columns, rows })
}

/// The configuration that the archive of a data directory has last, and who is where as it
/// knows them: contacts with nobody by queue, and contacts in hand. What they need it does not
/// know.
///
/// # Errors
/// The archive cannot be read.
pub fn standing(data: &Path) -> Result<(Arc<Routing>, Standing), ArchiveError> {
    let path = schema::path(data);
    let c = schema::open_to_read(&path)?;
    let routing = standing_routing(&c, &path)?;
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut open = c.prepare("SELECT state FROM work")?;
        open.query_map([], |row| row.get(0))?.collect()
    };
    let open = read().map_err(sqlite(&path))?;
    let stored = |what| ArchiveError::Stored { path: path.clone(), what };
    let mut standing = Standing::default();
    for state in open {
        let work: Work = serde_json::from_str(&state).map_err(|_| stored("an open contact"))?;
        let hands = work.with.map(|(agent, ..)| agent);
        for agent in hands.into_iter().chain(work.wrapping.iter().map(|(agent, ..)| *agent)) {
            *standing.in_hand.entry(AgentId(agent)).or_default() += 1;
        }
        let waits = work.with.is_none() && work.stay.is_none() && work.ended.is_none();
        if let Some(queue) = work.queue().filter(|_| waits) {
            *standing.waiting.entry(queue).or_default() += 1;
        }
    }
    Ok((routing, standing))
}

/// The last configuration.
pub(super) fn standing_routing(c: &Connection, path: &Path) -> Result<Arc<Routing>, ArchiveError> {
    let last = "SELECT event FROM configuration ORDER BY sequence DESC LIMIT 1";
    let event = c.query_row(last, [], |row| row.get::<_, Vec<u8>>(0)).optional();
    match event.map_err(sqlite(path))?.map(|bytes| event_of(&bytes)) {
        Some(Ok(Event::Configured(routing))) => Ok(routing),
        Some(Err(source)) => Err(ArchiveError::Event { path: path.into(), source }),
        Some(Ok(_)) => Err(ArchiveError::Stored { path: path.into(), what: "the routing" }),
        None => Ok(Arc::default()),
    }
}

fn value(of: ValueRef<'_>) -> Value {
    match of {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => n.into(),
        ValueRef::Real(x) => x.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => {
            bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
        }
    }
}

/// How the archive of a data directory stands.
///
/// # Errors
/// It or the journal cannot be read.
pub fn status(data: &Path) -> Result<Status, ArchiveError> {
    let path = schema::path(data);
    let c = schema::open_to_read(&path)?;
    let read = || {
        let mut names = c.prepare(
            "SELECT name FROM sqlite_schema
             WHERE type = 'table' AND name NOT IN ('meta', 'work') ORDER BY name",
        )?;
        let names: Vec<String> =
            names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut tables = Vec::with_capacity(names.len());
        for name in names {
            let count = format!("SELECT count(*) FROM \"{name}\"");
            let rows = c.query_row(&count, [], |row| row.get(0))?;
            tables.push((name, rows));
        }
        let position = meta::<u64>(&c, "sequence")?.unwrap_or(0);
        let wall = WallTime(meta::<u64>(&c, "wall_ms")?.unwrap_or(0));
        Ok((tables, position, wall))
    };
    let (tables, position, wall) = read().map_err(sqlite(&path))?;
    let size = |path: &Path| path.metadata().map_or(0, |about| about.len());
    let bytes = size(&path) + size(&path.with_extension("sqlite-wal"));
    Ok(Status { position, journal: last_sequence(data)?, wall, tables, bytes })
}

fn timeline(data: &Path, contact: ContactId) -> Result<Vec<TimelineItem>, ArchiveError> {
    let path = schema::path(data);
    let connection = schema::open_to_read(&path)?;
    let failed = sqlite(&path);
    let mut select = connection
        .prepare(
            "SELECT t.sequence, t.at_us, t.wall_ms, t.role, t.actor, t.event, t.became_ready,
                 s.customer, s.key, s.bytes
             FROM timeline t LEFT JOIN sealed s USING (contact, sequence)
             WHERE contact = ?1 AND ((sequence, n) IN (SELECT sequence, n FROM timeline
                     WHERE contact = ?1 ORDER BY sequence, n LIMIT 16)
                 OR (sequence, n) IN (SELECT sequence, n FROM timeline
                     WHERE contact = ?1 ORDER BY sequence DESC, n DESC LIMIT ?2))
             ORDER BY sequence, n",
        )
        .map_err(&failed)?;
    let mut rows = select.query(params![contact.0, MOST_ITEMS]).map_err(&failed)?;
    let mut items = Vec::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        let bytes: Vec<u8> = row.get(5).map_err(&failed)?;
        let event = event_of(&bytes)
            .map_err(|source| ArchiveError::Event { path: path.clone(), source })?;
        let item = || -> rusqlite::Result<TimelineItem> {
            let name: String = row.get(4)?;
            let sealed = match row.get::<_, Option<Vec<u8>>>(9)? {
                Some(bytes) => Some(Sealed {
                    customer: row
                        .get::<_, Option<[u8; 16]>>(7)?
                        .map(|hash| CustomerId(u128::from_le_bytes(hash))),
                    key: row.get::<_, i64>(8)?.cast_unsigned(),
                    bytes: bytes.into(),
                }),
                None => None,
            };
            Ok(TimelineItem {
                sequence: row.get(0)?,
                at: EngineTime(row.get(1)?),
                wall: WallTime(row.get(2)?),
                actor: Actor { role: role(row.get_ref(3)?.as_str()?), name: name.into() },
                event: Arc::new(event),
                sealed,
                became_ready: row.get(6)?,
            })
        };
        items.push(item().map_err(&failed)?);
    }
    Ok(items)
}

fn role(word: &str) -> Role {
    const ALL: [Role; 7] = [
        Role::Router,
        Role::Gateway,
        Role::Agent,
        Role::Supervisor,
        Role::OnCall,
        Role::Admin,
        Role::Viewer,
    ];
    ALL.into_iter().find(|role| super::write::role(*role) == word).unwrap_or(Role::Router)
}

fn known(data: &Path, customer: CustomerId) -> Result<Known, ArchiveError> {
    let path = schema::path(data);
    let c = schema::open_to_read(&path)?;
    let hash = customer.0.to_le_bytes();
    let read = || {
        attach_holds(&c, data)?;
        let count = |sql| c.query_row(sql, [hash], |row| row.get::<_, u64>(0));
        let theirs = "SELECT count(*) FROM contact
             WHERE customer = (SELECT id FROM customer WHERE hash = ?1)";
        let mut holds = c.prepare(
            "SELECT id FROM holds.hold h WHERE released_ms IS NULL AND (customer = ?1 OR EXISTS (
                 SELECT 1 FROM contact c JOIN customer u ON u.id = c.customer
                 WHERE u.hash = ?1 AND (c.id = h.contact OR c.recall = h.recall)))
             ORDER BY id",
        )?;
        let holds = holds.query_map([hash], |row| row.get(0))?;
        let number = "SELECT id FROM customer WHERE hash = ?1";
        Ok(Known {
            number: c.query_row(number, [hash], |row| row.get(0)).optional()?,
            contacts: count(theirs)?,
            sealed: count("SELECT count(*) FROM sealed WHERE customer = ?1")?,
            holds: holds.collect::<rusqlite::Result<_>>()?,
        })
    };
    read().map_err(sqlite(&path))
}

/// Makes the holds of a data directory readable as `holds`.
pub(super) fn attach_holds(c: &Connection, data: &Path) -> rusqlite::Result<()> {
    let path = hold::path(data);
    c.execute("ATTACH ?1 AS holds", [path.to_string_lossy()]).map(drop)
}
