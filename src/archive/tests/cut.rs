//! What an archive that was cut back keeps of what is lost, and for how long.

use rusqlite::Connection;

use crate::engine::routing::{Queue, Routing};

use super::*;

/// Accepts the loss of everything behind an entry.
pub(super) fn accept(data: &Path, after: u64, other: bool) {
    let mut tip = Tip::default();
    read_after(data, &mut None, tip, after, &mut |_, read| {
        tip = read;
        ControlFlow::Continue(())
    })
    .expect("it is whole");
    let hash: String = tip.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let loss = serde_json::json!({
        "when_ms": 5 * DAY_MS, "who": "ada", "why": "the disk", "from": after + 1, "to": 19,
        "lost": 19 - after, "acknowledged": null, "epoch": 9, "hash": hash, "kept_ms": DAY_MS,
        "kept_us": 1, "refusal": null, "moved_to": "there", "other": other,
    });
    let file = data.join("journal").join("losses.jsonl");
    std::fs::write(file, format!("{loss}\n")).expect("it can be written");
}

#[test]
fn what_is_lost_is_kept_is_forgotten_on_request_and_goes_in_its_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 2, WallTime(DAY_MS));
    drop(archive(data));
    // The first contact is being talked to then, the second has not come.
    accept(data, 6, false);
    let mut store = Store::open(data).expect("it is cut back");
    assert_eq!(store.tip().sequence, 6);
    assert_eq!(
        cells(data, "SELECT id, ended_ms, talk_us FROM contact"),
        [serde_json::json!(1), serde_json::Value::Null, serde_json::json!(0)]
    );
    assert_eq!(
        cells(data, "SELECT sum(offered), sum(answered), sum(talk_us) FROM interval"),
        [1, 1, 0]
    );
    assert_eq!(verify_audit(data).expect("a chain").broken, None);
    let lost = || Connection::open(data.join("archive/lost.sqlite")).expect("it is there");
    let count = |sql: &str| lost().query_row(sql, [], |row| row.get::<_, u64>(0)).expect("a count");
    assert_eq!(count("SELECT count(*) FROM contact WHERE end_reason = 'completed'"), 2);
    assert_eq!(count("SELECT count(*) FROM sealed"), 1);

    assert_eq!(store.forget(CUSTOMER, WallTime(1)).expect("forgotten"), 2, "there and here");
    assert_eq!(count("SELECT count(*) FROM sealed"), 0);

    let mut holds = Holds::open(data).expect("holds");
    let order = Order { actor: "nadia", why: "claim", wall: WallTime(1) };
    let hold = holds.add(Held::Contact(ContactId(1)), order).expect("a hold");
    store.retain(WallTime(6 * DAY_MS)).expect("done");
    assert_eq!(count("SELECT count(*) FROM loss WHERE after = 6 AND who = 'ada'"), 1, "it is held");
    holds.release(hold, order).expect("released");
    store.retain(WallTime(5 * DAY_MS)).expect("done");
    assert_eq!(count("SELECT count(*) FROM contact"), 2, "not old enough");
    store.retain(WallTime(6 * DAY_MS)).expect("done");
    assert_eq!(count("SELECT (SELECT count(*) FROM contact) + (SELECT count(*) FROM loss)"), 0);
}

/// An entry after those that are there.
fn later(store: &mut Store, events: Vec<Event>) {
    let sequence = store.tip().sequence + 1;
    let entry = Entry {
        sequence,
        at: EngineTime(sequence * 3_600_000_000),
        actor: Actor { role: Role::Router, name: "router".into() },
        request: None,
        events,
        sealed: None,
    };
    let batch = Batch { entries: vec![entry], mark: None, wall: WallTime(4 * DAY_MS) };
    store.take(&batch, Tip { sequence, ..store.tip() });
    store.commit().expect("the disk takes it");
}

/// The built-in configuration with its first queue's target changed, and perhaps a queue more.
fn other_routing(target: u64, more: bool) -> Routing {
    let mut routing = config::built_in().expect("it is sound").config.routing;
    routing.queues[0].target = Span::seconds(target);
    if more {
        let vip = Queue { name: "vip-lost".into(), ..routing.queues[0].clone() };
        routing.queues.push(vip);
    }
    routing
}

#[test]
fn the_configuration_gateways_and_customers_are_those_of_the_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 1, WallTime(DAY_MS));
    let mut store = archive(data);
    let before = cells(data, "SELECT name, target_us, retired FROM queue ORDER BY id");
    let routing = store.routing().clone();
    let cut = store.tip().sequence;
    // Behind the cut: another configuration, twice, another gateway, another customer.
    later(&mut store, vec![Event::Configured(Arc::new(other_routing(7, false)))]);
    later(&mut store, vec![Event::Configured(Arc::new(other_routing(8, true)))]);
    let name = "pbx-lost".into();
    later(&mut store, vec![Event::GatewayRegistered { gateway: GatewayId(1), name }]);
    let Event::Arrived(arrived) = arrived(9) else { panic!("it arrives") };
    let stranger = Some(CustomerId(88));
    later(&mut store, vec![Event::Arrived(Arrived { customer: stranger, ..arrived })]);
    assert_eq!(cells(data, "SELECT count(*) FROM queue WHERE name = 'vip-lost'"), [1]);
    store.reckon().expect("it is kept");
    drop(store);

    accept(data, cut, false);
    let mut store = Store::open(data).expect("it is cut back");
    assert_eq!(cells(data, "SELECT name, target_us, retired FROM queue ORDER BY id"), before);
    assert_eq!(**store.routing(), *routing, "what comes is told by it");
    assert_eq!(cells(data, "SELECT name FROM gateway"), ["pbx-1"]);
    assert_eq!(cells(data, "SELECT count(*) FROM customer"), [1]);
    assert_eq!(cells(data, "SELECT count(*) FROM configuration"), [1]);
    assert_eq!(store.at, EngineTime(1));
    let waits_for = "SELECT value FROM meta WHERE name = 'retain_us'";
    assert_eq!(cells(data, waits_for), [1], "the date moves on with the time that comes again");
    let lost = Connection::open(data.join("archive/lost.sqlite")).expect("it is there");
    let count = |sql: &str| lost.query_row(sql, [], |row| row.get::<_, u64>(0)).expect("a count");
    assert_eq!(count("SELECT count(*) FROM queue WHERE name = 'vip-lost'"), 1);
    assert_eq!(count("SELECT count(*) FROM gateway WHERE name = 'pbx-lost'"), 1);
    let named = "SELECT count(*) FROM contact c JOIN customer p ON p.id = c.customer
        AND p.loss = c.loss AND p.hash IS NOT NULL WHERE c.id = 9";
    assert_eq!(count(named), 1, "what the contact names is beside it");

    // The numbers are given again, and mean what they mean from now on.
    let name = "pbx-new".into();
    later(&mut store, vec![Event::GatewayRegistered { gateway: GatewayId(1), name }]);
    assert_eq!(cells(data, "SELECT name FROM gateway ORDER BY id"), ["pbx-1", "pbx-new"]);
    store.forget(CustomerId(88), WallTime(1)).expect("forgotten");
    assert_eq!(count(named), 0, "who that was is forgotten there too");
    drop(store);
    drop(Store::open(data).expect("once is enough"));
}

#[test]
fn what_was_within_target_is_taken_off_by_the_target_of_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    // A contact that waits 12 s within a target of 20 s.
    journal(data, 2, WallTime(DAY_MS));
    let mut store = archive(data);
    let met = "SELECT sum(answered_in_target) FROM interval";
    assert_eq!(cells(data, met), [2]);
    later(&mut store, vec![Event::Configured(Arc::new(other_routing(1, false)))]);
    drop(store);
    // The first is answered before the cut, the second after it.
    accept(data, 6, false);
    drop(Store::open(data).expect("it is cut back"));
    assert_eq!(cells(data, met), [1]);
}
