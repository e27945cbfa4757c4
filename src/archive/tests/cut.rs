//! What an archive that was cut back keeps of what is lost, and for how long.

use rusqlite::Connection;

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
        "refusal": null, "moved_to": "there", "other": other,
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
