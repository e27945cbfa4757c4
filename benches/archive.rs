//! The archive alone: how fast it takes a journal of a million events.
//!
//! `cargo bench --bench archive`. 125,000 calls with personal data, eight events each, as
//! agents and gateways would make them; the journal is written first, through its own code,
//! and not measured. What is: reading, checking, projecting and committing until the last
//! entry is in, with one sync at the end. Then the same rows' size, and how long a contact's
//! story takes to read.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use surgeline::archive::{Reader, Store, status};
use surgeline::config;
use surgeline::engine::entry::{Actor, Entry, Role, Sealed};
use surgeline::engine::event::{Arrived, EffectKind, Event, Queued, Reserved, Rule, Trigger, Why};
use surgeline::engine::words::{Channel, EndReason, QueuedBecause, ServiceClass};
use surgeline::ids::{AgentId, ContactId, CustomerId, EffectId, GatewayId, QueueId, ReservationId};
use surgeline::journal::follow::read_after;
use surgeline::journal::sqlite::SqliteJournal;
use surgeline::journal::{Batch, Journal, Tip};
use surgeline::time::{EngineTime, Place, Span, WallTime};

// As in the shipped binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONTACTS: u64 = 125_000;
/// Calls that are open at once.
const OPEN: u64 = 2_000;
/// Entries in a batch.
const BATCH: usize = 256;
/// Events in a transaction, as the router's thread has it.
const AT_ONCE: u64 = 50_000;

fn arrival(n: u64, agent: AgentId) -> Vec<Event> {
    let contact = ContactId(n);
    let arrived = Arrived {
        contact,
        gateway: GatewayId(0),
        session: None,
        key: Arc::from(format!("call-{n}@pbx-1")),
        content: n,
        channel: Channel::Voice,
        entry_point: None,
        customer: Some(CustomerId(u128::from(n % 50_000))),
        continues: None,
        waited: Span::ZERO,
        attributes: Some(
            [("product".into(), "kx-2".into()), ("lot".into(), "B1204".into())].into(),
        ),
        own_needs: [].into_iter().collect(),
        own_preferred: [].into_iter().collect(),
        language: None,
    };
    let queued = Queued {
        contact,
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
    };
    let reserved = Reserved {
        contact,
        reservation: ReservationId(n),
        agent,
        deadline: EngineTime(n * 100 + 15_000_000),
        trigger: Trigger::Contact,
        rank: 0,
        idle: Span::seconds(3),
        load: 0,
        waited: Span::ZERO,
        async_passed: false,
        why: Why::plain(Rule::LongestIdle),
    };
    vec![Event::Arrived(arrived), Event::Queued(queued), Event::Reserved(reserved)]
}

/// The part of a call's life that is `age` steps after its arrival.
fn step(n: u64, age: u64) -> (Role, Vec<Event>) {
    let agent = AgentId(u32::try_from(n % 4).unwrap_or(0));
    let (contact, reservation) = (ContactId(n), ReservationId(n));
    let connect = EffectKind::Connect { reservation, agent };
    match age {
        0 => (Role::Gateway, arrival(n, agent)),
        1 => (
            Role::Agent,
            vec![
                Event::Accepted { contact, reservation, agent, connect_by: Some(EngineTime(n)) },
                Event::EffectAsked { effect: EffectId(n), contact, kind: connect },
            ],
        ),
        2 => (Role::Gateway, vec![Event::Bridged { contact, reservation, agent }]),
        _ => {
            let closed = Event::Closed {
                contact,
                gateway: GatewayId(0),
                consult_of: None,
                reason: EndReason::Completed,
                agent: Some(agent),
                wrap_up: Some(EngineTime(n)),
            };
            (Role::Agent, vec![closed, Event::WrapUpEnded { agent, contact }])
        }
    }
}

fn write(data: &Path) -> u64 {
    let (mut journal, _) =
        SqliteJournal::open(data, Tip::default(), &mut |_, _| {}).expect("a journal");
    let mut tip = journal.acquire().expect("an epoch");
    let routing = config::built_in().expect("the built-in one is sound").config.routing;
    let mut entries = Vec::new();
    let (mut sequence, mut events) = (0, 0);
    let mut put = |role, name: &str, what: Vec<Event>, sealed| {
        sequence += 1;
        events += what.len() as u64;
        let at = EngineTime(sequence * 500);
        let actor = Actor { role, name: Arc::from(name) };
        entries.push(Entry { sequence, at, actor, request: None, events: what, sealed });
        if entries.len() >= BATCH || what_ends(sequence) {
            let entries = std::mem::take(&mut entries);
            let batch = Batch { entries, mark: None, wall: WallTime(1_800_000_000_000 + sequence) };
            let appended = journal.append(tip.epoch, tip.sequence, &batch);
            tip = appended.expect("the disk takes it");
        }
    };
    let registered = Event::GatewayRegistered { gateway: GatewayId(0), name: Arc::from("pbx-1") };
    let first = vec![Event::Configured(Arc::new(routing)), registered];
    put(Role::Router, "router", first, None);
    for turn in 1..=CONTACTS + 3 * OPEN {
        for age in 0..4 {
            let Some(n) = turn.checked_sub(age * OPEN).filter(|n| (1..=CONTACTS).contains(n))
            else {
                continue;
            };
            let (role, what) = step(n, age);
            let sealed = (age == 0).then(|| Sealed {
                customer: Some(CustomerId(u128::from(n % 50_000))),
                key: n % 50_000,
                bytes: [7; 160].into(),
            });
            let name = if role == Role::Agent { "amara" } else { "pbx-1" };
            put(role, name, what, sealed);
        }
    }
    events
}

/// The last entry of all.
fn what_ends(sequence: u64) -> bool {
    sequence == 1 + 4 * CONTACTS
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let events = write(data);
    let last = 1 + 4 * CONTACTS;
    let mut store = Store::open(data).expect("an archive");
    let began = Instant::now();
    let mut reader = None;
    let (mut rows, mut longest) = (0, 0.0_f64);
    while store.tip().sequence < last {
        read_after(data, &mut reader, store.tip(), last, &mut |batch, tip| {
            store.take(batch, tip);
            if store.pending() < AT_ONCE {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
        .expect("the journal is whole");
        let commit = Instant::now();
        rows += store.commit().expect("the disk takes it");
        longest = longest.max(commit.elapsed().as_secs_f64());
    }
    store.sync().expect("the disk takes it");
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    let a_second = |count: u64| count as f64 / took;
    println!("{events} events, {last} entries, {rows} rows in {took:.2} s");
    println!("{:.0} events/s, {:.0} rows/s", a_second(events), a_second(rows));
    println!("longest transaction {longest:.2} s");
    let found = status(data).expect("an archive");
    println!("{} bytes, {} an event", found.bytes, found.bytes / events);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let reader = Reader::new(data.to_owned());
    let began = Instant::now();
    for n in 1..=100 {
        let story = runtime.block_on(reader.timeline(ContactId(n * 1_000))).expect("a story");
        assert_eq!(story.len(), 8, "every event of it");
    }
    println!("a contact's story: {:.2} ms", began.elapsed().as_secs_f64() * 10.0);
}
