//! Events about customers' patience as analysts read them, and feedback as rows.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::detail::Fields;
use super::error::{ArchiveError, sqlite};
use super::rows::When;
use super::schema;
use crate::engine::entry::Sealed;
use crate::engine::event::{
    Advanced, AdvancedBecause, Event, Feedback, HeldBack, Linked, PresenceAsked, WentSilent,
};
use crate::engine::routing::Routing;
use crate::ids::{ContactId, CustomerId};

/// What the archive knows of a contact that is over, for who reports about it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// Whose it was, if that was known for certain and they are not forgotten.
    pub customer: Option<CustomerId>,
    /// Its last queue.
    pub queue: Option<String>,
    /// Who had it last.
    pub agent: Option<String>,
}

/// Which feedback is asked for.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FeedbackAsked {
    /// About contacts of this queue.
    pub queue: Option<String>,
    /// With a score below this, in tenths on the scale of 0 to 10.
    pub below: Option<u32>,
    /// Before this entry of the journal.
    pub before: Option<u64>,
    /// Most rows.
    pub most: usize,
}

/// What one customer thinks of one contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedbackRow {
    /// The journal's entry.
    pub sequence: u64,
    /// About which contact.
    pub contact: u64,
    /// How it was given, by the channel's word.
    pub channel: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Its queue, if it was in one.
    pub queue: Option<String>,
    /// The gateway that it came by.
    pub gateway: String,
    /// The score, if one was given.
    pub score: Option<u32>,
    /// The best score.
    pub scale: u32,
    /// What they wrote, if they did.
    pub words: Option<Sealed>,
}

/// A later one of the same contact and channel is in place of the one before.
pub(super) fn write(
    c: &Connection,
    given: &Feedback,
    when: &When,
    names: &Routing,
) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT OR REPLACE INTO feedback (contact, channel, sequence, at_ms, queue, gateway, score,
             scale, tenths, words)
         VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT name FROM gateway WHERE id = ?6), '?'), ?7,
             ?8, ?9, ?10)",
    )?
    .execute(params![
        given.contact.0,
        given.channel.name(),
        when.sequence,
        when.wall.0,
        given.queue.map(|q| names.queue_name(q)),
        given.gateway.0,
        given.score,
        given.scale,
        given.tenths(),
        given.words,
    ])
    .map(drop)
}

/// What is known of a contact that is in the archive; none of one that is not.
pub(super) fn ended(data: &Path, contact: ContactId) -> Result<Option<Ended>, ArchiveError> {
    let path = schema::path(data);
    let c = schema::open_to_read(&path)?;
    let select = "SELECT u.hash, c.queue_last, c.agent_last FROM contact c
         LEFT JOIN customer u ON u.id = c.customer WHERE c.id = ?1";
    let row = |row: &rusqlite::Row<'_>| {
        let customer: Option<[u8; 16]> = row.get(0)?;
        let customer = customer.map(|hash| CustomerId(u128::from_le_bytes(hash)));
        Ok(Ended { customer, queue: row.get(1)?, agent: row.get(2)? })
    };
    c.query_row(select, [contact.0], row).optional().map_err(sqlite(&path))
}

/// Feedback, the newest first.
pub(super) fn feedback(
    data: &Path,
    asked: &FeedbackAsked,
) -> Result<Vec<FeedbackRow>, ArchiveError> {
    let path = schema::path(data);
    let c = schema::open_to_read(&path)?;
    let read = || {
        let mut select = c.prepare(
            "SELECT f.sequence, f.contact, f.channel, f.at_ms, f.queue, f.gateway, f.score, f.scale,
                 s.customer, s.key, s.bytes
             FROM feedback f LEFT JOIN sealed s USING (contact, sequence)
             WHERE (?1 IS NULL OR f.queue = ?1) AND (?2 IS NULL OR f.tenths < ?2)
                 AND (?3 IS NULL OR f.sequence < ?3)
             ORDER BY f.sequence DESC LIMIT ?4",
        )?;
        let most = i64::try_from(asked.most).unwrap_or(i64::MAX);
        let rows = select.query_map(params![asked.queue, asked.below, asked.before, most], row)?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(sqlite(&path))
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<FeedbackRow> {
    let words = match row.get::<_, Option<Vec<u8>>>(10)? {
        Some(bytes) => Some(Sealed {
            customer: row
                .get::<_, Option<[u8; 16]>>(8)?
                .map(|hash| CustomerId(u128::from_le_bytes(hash))),
            key: row.get::<_, i64>(9)?.cast_unsigned(),
            bytes: bytes.into(),
        }),
        None => None,
    };
    Ok(FeedbackRow {
        sequence: row.get(0)?,
        contact: row.get(1)?,
        channel: row.get(2)?,
        at_ms: row.get(3)?,
        queue: row.get(4)?,
        gateway: row.get(5)?,
        score: row.get(6)?,
        scale: row.get(7)?,
        words,
    })
}

/// The contacts of one thread, oldest first: those that this one goes on from, and those that
/// go on from one of them.
pub(super) fn thread(data: &Path, contact: ContactId) -> Result<Vec<u64>, ArchiveError> {
    let path = schema::path(data);
    let c = schema::open_to_read(&path)?;
    let read = || {
        let mut select = c.prepare(
            "WITH RECURSIVE before(id) AS (SELECT ?1 UNION
                 SELECT continues FROM contact JOIN before USING (id) WHERE continues IS NOT NULL
                 LIMIT 50),
             thread(id) AS (SELECT id FROM before UNION
                 SELECT contact.id FROM contact JOIN thread ON contact.continues = thread.id
                 LIMIT 50)
             SELECT id FROM thread ORDER BY id",
        )?;
        let rows = select.query_map([contact.0], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(sqlite(&path))
}

/// The word for an event of this kind, and what it says.
pub(super) fn event(event: &Event, names: &Routing) -> Option<(&'static str, Fields)> {
    let f = Fields::new();
    Some(match event {
        Event::ReplyCame(_) => ("reply_came", f),
        Event::PlaceKept(kept) => (
            "place_kept",
            f.text("queue", names.queue_name(kept.queue))
                .number("origin_us", kept.origin.0)
                .number("until_us", kept.until.0),
        ),
        Event::Advanced(Advanced { by, place, because, .. }) => {
            let (why, of) = match because {
                AdvancedBecause::Returned { of, .. } => ("returned", of),
                AdvancedBecause::Linked(with) => ("linked", with),
            };
            let f = f.text("because", why).number("of", of);
            ("advanced", f.number("by_us", by.0).number("place_us", place.0))
        }
        Event::Linked(Linked { contact, with, matter }) => {
            ("linked", f.number("contact", contact).number("with", with).number("matter", matter))
        }
        Event::HeldBack(HeldBack { with, until, .. }) => {
            ("held_back", f.number("with", with).number("until_us", until.0))
        }
        Event::HoldEnded(_) => ("hold_ended", f),
        Event::FellSilent(_) => ("fell_silent", f),
        Event::PresenceAsked(PresenceAsked { agent, until, .. }) => (
            "presence_asked",
            f.text("agent", names.agent_name(*agent)).number("until_us", until.0),
        ),
        Event::PresenceAssumed(_) => ("presence_assumed", f),
        Event::WentSilent(WentSilent { until, .. }) => {
            ("went_silent", f.number("until_us", until.0))
        }
        Event::FeedbackGiven(given) => (
            "feedback_given",
            f.text("channel", given.channel.name())
                .texts("queue", given.queue.map(|q| names.queue_name(q)))
                .numbers("score", given.score)
                .number("scale", given.scale)
                .number("words", given.words),
        ),
        _ => return None,
    })
}
