//! The archive from lists of entries, written to a real journal.

mod aside;
mod cut;
mod record;
mod retention;
mod running;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::hold::{Held, Holds, Order};
use super::*;
use crate::config;
use crate::engine::entry::{Actor, Entry, Role, Sealed};
use crate::engine::event::{Arrived, Event, Queued, Reserved, Rule, Trigger, Why};
use crate::engine::words::{Channel, EndReason, QueuedBecause, ServiceClass};
use crate::ids::{
    AgentId, ContactId, CustomerId, DispositionId, GatewayId, QueueId, RecallId, ReservationId,
};
use crate::journal::follow::{last_sequence, read_after};
use crate::journal::sqlite::SqliteJournal;
use crate::journal::{Batch, Journal, Tip};
use crate::shard::view::Timelines;
use crate::time::{EngineTime, Place, Span, WallTime};

const AGENT: AgentId = AgentId(0);
const CUSTOMER: CustomerId = CustomerId(77);
const DAY_MS: u64 = 24 * 3_600 * 1_000;

fn arrived(contact: u64) -> Event {
    Event::Arrived(Arrived {
        contact: ContactId(contact),
        gateway: GatewayId(0),
        session: None,
        key: format!("call-{contact}").into(),
        content: 0,
        channel: Channel::Voice,
        entry_point: None,
        customer: Some(CUSTOMER),
        continues: None,
        waited: Span::seconds(2),
        attributes: Some([("lot".into(), "B\"12".into())].into()),
        own_needs: [].into_iter().collect(),
        own_preferred: [].into_iter().collect(),
        language: None,
    })
}

fn queued(contact: u64) -> Event {
    Event::Queued(Queued {
        contact: ContactId(contact),
        queue: QueueId(0),
        because: QueuedBecause::Arrived,
        service: ServiceClass::Live,
        needs: [].into_iter().collect(),
        preferred: [].into_iter().collect(),
        head_start: Span::ZERO,
        place: Place(0),
        stage: Default::default(),
        named: None,
        pass_over: None,
        released: None,
    })
}

fn reserved(contact: u64) -> Event {
    Event::Reserved(Reserved {
        contact: ContactId(contact),
        reservation: ReservationId(contact),
        agent: AGENT,
        deadline: EngineTime(u64::MAX),
        trigger: Trigger::Contact,
        rank: 0,
        idle: Span::ZERO,
        load: 0,
        waited: Span::ZERO,
        async_passed: false,
        why: Why::plain(Rule::LongestIdle),
    })
}

/// A call: 10 s of waiting, 60 s of talking with 5 s on hold, 20 s of work after it, and a
/// code that comes late.
fn life(contact: u64) -> Vec<(u64, Role, Vec<Event>)> {
    let id = ContactId(contact);
    let reservation = ReservationId(contact);
    let accepted = Event::Accepted { contact: id, reservation, agent: AGENT, connect_by: None };
    let closed = Event::Closed {
        contact: id,
        gateway: GatewayId(0),
        consult_of: None,
        reason: EndReason::Completed,
        agent: Some(AGENT),
        wrap_up: Some(EngineTime(u64::MAX)),
    };
    let why = Event::Ordered { why: "a VIP, \"they say\"".into() };
    vec![
        (0, Role::Gateway, vec![arrived(contact), queued(contact)]),
        (1, Role::Supervisor, vec![why, Event::OpenedToAll(id)]),
        (2, Role::Router, vec![reserved(contact)]),
        (10, Role::Agent, vec![accepted]),
        (20, Role::Gateway, vec![Event::HoldChanged { contact: id, on: true }]),
        (25, Role::Gateway, vec![Event::HoldChanged { contact: id, on: false }]),
        (70, Role::Agent, vec![closed]),
        (90, Role::Agent, vec![Event::WrapUpEnded { agent: AGENT, contact: id }]),
        (
            95,
            Role::Agent,
            vec![Event::Coded { contact: id, agent: AGENT, disposition: DispositionId(0) }],
        ),
    ]
}

/// A journal of some contacts, a batch an entry, all at one wall time.
fn journal(data: &Path, contacts: u64, wall: WallTime) -> Vec<Entry> {
    let (mut journal, _) =
        SqliteJournal::open(data, Tip::default(), &mut |_, _| {}).expect("a journal");
    let epoch = journal.acquire().expect("an epoch").epoch;
    let routing = config::built_in().expect("it is sound").config.routing;
    let name = "pbx-1".into();
    let begin = vec![
        Event::Configured(Arc::new(routing)),
        Event::GatewayRegistered { gateway: GatewayId(0), name },
    ];
    let mut all = vec![(0, Role::Router, begin)];
    for contact in 1..=contacts {
        let life = life(contact);
        all.extend(life.into_iter().map(|(s, role, e)| (s + contact * 1_000, role, e)));
    }
    let mut entries = Vec::new();
    for (place, (second, role, events)) in all.into_iter().enumerate() {
        let begins = matches!(events[0], Event::Arrived(_));
        let sealed = Sealed { customer: Some(CUSTOMER), key: 9, bytes: [1, 2, 3].into() };
        let entry = Entry {
            sequence: place as u64 + 1,
            at: EngineTime(second * 1_000_000),
            actor: Actor { role, name: "amara".into() },
            request: None,
            events,
            sealed: begins.then_some(sealed),
        };
        entries.push(entry.clone());
        let batch = Batch { entries: vec![entry], mark: None, wall };
        journal.append(epoch, place as u64, &batch).expect("the disk takes it");
    }
    entries
}

fn archive(data: &Path) -> Store {
    let mut store = Store::open(data).expect("an archive");
    let last = last_sequence(data).expect("a journal");
    read_after(data, &mut None, store.tip(), last, &mut |batch, tip| {
        store.take(batch, tip);
        ControlFlow::Continue(())
    })
    .expect("it is whole");
    store.commit().expect("the disk takes it");
    store
}

fn cells(data: &Path, sql: &str) -> Vec<serde_json::Value> {
    query(data, sql).unwrap_or_else(|e| panic!("{sql}: {e}")).rows.concat()
}

#[test]
fn a_contact_is_one_row_with_its_times() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 1, WallTime(DAY_MS + 1));
    archive(data);
    let row = "SELECT gateway, key, wait_us, talk_us, hold_us, wrap_up_us, end_reason, service,
                   json_extract(attributes, '$.lot'), offers FROM contact";
    let expected = serde_json::json!([
        "pbx-1",
        "call-1",
        12_000_000,
        60_000_000,
        5_000_000,
        20_000_000,
        "completed",
        "live",
        "B\"12",
        1
    ]);
    assert_eq!(serde_json::Value::from(cells(data, row)), expected);
    let names = "SELECT count(*) FROM contact c JOIN queue q ON q.name = c.queue_last
                     JOIN agent a ON a.name = c.agent_last WHERE c.disposition IS NOT NULL";
    assert_eq!(cells(data, names), [1]);
    let book = "SELECT start_ms, offered, answered, talk_us, hold_us, wrap_up_us FROM interval";
    assert_eq!(cells(data, book), [DAY_MS, 1, 1, 60_000_000, 5_000_000, 20_000_000]);
    let book = "SELECT offered, handled, not_taken, talk_us FROM agent_interval";
    assert_eq!(cells(data, book), [1, 1, 0, 60_000_000]);
    let audit = "SELECT count(*), sum(what = 'opened_to_all'), max(why) FROM audit";
    assert_eq!(cells(data, audit)[..2], [5, 1], "a supervisor's act and four of the agent");
    assert_eq!(cells(data, audit)[2], "a VIP, \"they say\"");
    assert_eq!(cells(data, "SELECT count(*) FROM work"), [0], "nothing is left to come");
}

#[tokio::test]
async fn a_story_is_what_the_replica_would_remember() {
    let folder = tempfile::tempdir().expect("a folder");
    let entries = journal(folder.path(), 2, WallTime(5));
    archive(folder.path());
    let mut timelines = Timelines::default();
    for entry in &entries {
        timelines.add(entry, WallTime(5));
    }
    let read = Reader::new(folder.path().into()).timeline(ContactId(2)).await.expect("a story");
    let remembered = &timelines.of(ContactId(2)).expect("it is known").items;
    assert_eq!(format!("{read:?}"), format!("{remembered:?}"));
    assert!(read.len() > 9);
    let nobody = Reader::new(folder.path().into()).timeline(ContactId(3)).await;
    assert!(nobody.expect("an archive").is_empty());
}

#[test]
fn an_archive_that_is_being_made_is_none_yet() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path(folder.path());
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, b"").expect("made");
    let read = schema::open_to_read(&path);
    assert!(matches!(read, Err(ArchiveError::Missing { .. })), "{read:?}");
    drop(schema::open(&path).expect("laid out"));
    assert!(schema::open_to_read(&path).is_ok());
}

#[test]
fn an_audit_that_was_touched_is_told() {
    for touch in [
        "UPDATE audit SET actor = 'nobody' WHERE sequence = 14",
        "DELETE FROM audit WHERE sequence = 14",
        "UPDATE audit SET wall_ms = 6 WHERE sequence = 14",
        "UPDATE audit SET why = 'no' WHERE sequence = 14",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path();
        journal(data, 3, WallTime(5));
        let store = archive(data);
        let sound = verify_audit(data).expect("an archive");
        assert_eq!((sound.rows, sound.broken), (15, None));
        assert_eq!(store.connection.execute(touch, []), Ok(1), "{touch}");
        let found = verify_audit(data).expect("an archive").broken;
        assert!(found.is_some_and(|at| at >= 14), "{touch}: {found:?}");
    }
}

#[test]
fn what_is_old_goes_in_slices_and_what_is_held_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 3, WallTime(10 * DAY_MS));
    let mut store = archive(data);
    let order = Order { actor: "nadia", why: "claim", wall: WallTime(1) };
    let mut holds = Holds::open(data).expect("holds");
    let on = |on, holds: &mut Holds| holds.add(on, order).expect("a hold");
    assert_eq!(store.retain(WallTime(10 * DAY_MS)).expect("done"), 0, "not old enough");
    let contact = on(Held::Contact(ContactId(2)), &mut holds);
    assert_eq!(store.retain(WallTime(11 * DAY_MS)).expect("done"), 2);
    assert_eq!(cells(data, "SELECT id FROM contact"), [2]);
    assert_eq!(cells(data, "SELECT DISTINCT contact FROM timeline"), [2]);
    assert_eq!(store.retain(WallTime(11 * DAY_MS)).expect("done"), 0);
    assert_eq!(verify_audit(data).expect("a chain").rows, 15, "whole while something is held");
    let customer = on(Held::Customer(CUSTOMER), &mut holds);
    on(Held::Recall(RecallId(4)), &mut holds);
    holds.release(contact, order).expect("released");
    assert_eq!(store.retain(WallTime(11 * DAY_MS)).expect("done"), 0, "the customer is held");
    holds.release(customer, order).expect("released");
    assert_eq!(store.retain(WallTime(11 * DAY_MS)).expect("done"), 1, "no contact is in recall 4");
    for table in ["contact", "timeline", "sealed"] {
        assert_eq!(cells(data, &format!("SELECT count(*) FROM {table}")), [0], "{table}");
    }
    holds.release(3, order).expect("released");
    assert_eq!(store.retain(WallTime(11 * DAY_MS)).expect("done"), 0);
    let shortened = verify_audit(data).expect("a chain");
    assert_eq!((shortened.rows, shortened.broken), (0, None));
    drop(store);
    assert_eq!(Store::open(data).expect("it opens again").tip().sequence, 28);
}

#[test]
fn the_manuals_queries_answer_and_its_tables_are_those_that_are_there() {
    const MANUAL: &str = include_str!("../../../docs/archive.md");
    const RECORD: &str = include_str!("../../../docs/intervals.md");
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 3, WallTime(10 * DAY_MS));
    archive(data);
    let queries: Vec<&str> =
        MANUAL.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(queries.len() >= 6, "it has examples");
    for sql in queries {
        let answer = query(data, sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert!(!answer.columns.is_empty(), "{sql}");
    }
    let columns = "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                       WHERE m.type = 'table' AND m.name NOT IN ('meta', 'work', 'configuration')";
    for row in query(data, columns).expect("SQL").rows {
        let [table, column] = [&row[0], &row[1]].map(|v| v.as_str().unwrap_or("?").to_owned());
        let manual = if RECORD.contains(&format!("## `{table}`")) { RECORD } else { MANUAL };
        let section = manual.split(&format!("## `{table}`")).nth(1);
        let section = section.unwrap_or_else(|| panic!("the manual has no table {table}"));
        let section = section.split("\n##").next().unwrap_or(section);
        assert!(section.contains(&format!("`{column}`")), "the manual has no {table}.{column}");
    }
    let change = query(data, "DELETE FROM contact");
    assert!(matches!(change, Err(ArchiveError::NotReading)), "{change:?}");
}
