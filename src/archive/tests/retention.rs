//! The date that retention goes by, when clocks are wrong.

use super::*;

const HOUR_US: u64 = 3_600 * 1_000_000;
const HOUR_MS: u64 = 3_600 * 1_000;

/// The archive of three contacts that ended on day 10, and when that was by the router's own
/// clock.
fn begun(data: &Path) -> (Store, u64) {
    let entries = journal(data, 3, WallTime(10 * DAY_MS));
    let mut store = archive(data);
    let reckoned = store.reckon().expect("it is kept");
    assert_eq!(reckoned.today, WallTime(10 * DAY_MS));
    assert!(reckoned.behind.is_zero());
    (store, entries.last().map_or(0, |entry| entry.at.0))
}

/// An entry more, at this time of the router's own clock and of the one on the wall.
fn later(store: &mut Store, at_us: u64, wall_ms: u64) -> Reckoned {
    let sequence = store.tip().sequence + 1;
    let gateway = GatewayId(u16::try_from(sequence).expect("few"));
    let entry = Entry {
        sequence,
        at: EngineTime(at_us),
        actor: Actor { role: Role::Gateway, name: "pbx-2".into() },
        request: None,
        events: vec![Event::GatewayRegistered { gateway, name: "pbx-2".into() }],
        sealed: None,
    };
    let batch = Batch { entries: vec![entry], mark: None, wall: WallTime(wall_ms) };
    store.take(&batch, Tip { sequence, ..store.tip() });
    store.commit().expect("the disk takes it");
    store.reckon().expect("it is kept")
}

/// What is left of the contacts when they are kept for two days.
fn left(store: &mut Store, data: &Path, today: WallTime) -> serde_json::Value {
    while store.retain(WallTime(today.0 - 2 * DAY_MS)).expect("done") > 0 {}
    cells(data, "SELECT count(*) FROM contact").remove(0)
}

#[test]
fn a_clock_that_leaps_a_year_ahead_deletes_nothing_for_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let (mut store, at) = begun(data);
    let leapt = later(&mut store, at + HOUR_US, 375 * DAY_MS);
    assert_eq!(leapt.today, WallTime(10 * DAY_MS + 4 * HOUR_MS));
    assert_eq!(leapt.behind.as_secs(), 365 * 86_400 - 4 * 3_600);
    assert_eq!(left(&mut store, data, leapt.today), 3);
    // Nor when it is opened again and again.
    for _ in 0..100 {
        store = Store::open(data).expect("it opens again");
        let again = store.reckon().expect("it is kept");
        assert_eq!(again, leapt);
    }
    // Set right: it is the day that it is, at once.
    let right = later(&mut store, at + 2 * HOUR_US, 10 * DAY_MS + 2 * HOUR_MS);
    assert_eq!((right.today, right.behind.as_secs()), (WallTime(10 * DAY_MS + 2 * HOUR_MS), 0));
}

#[test]
fn after_a_month_of_standing_still_the_date_is_right_again_within_ten_days() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let (mut store, at) = begun(data);
    let mut days = 0;
    loop {
        let now = later(&mut store, at + days * 24 * HOUR_US, (40 + days) * DAY_MS);
        if now.behind.is_zero() {
            break;
        }
        days += 1;
    }
    assert_eq!(days, 10);
    let today = store.reckon().expect("it is kept").today;
    assert_eq!(left(&mut store, data, today), 0, "what is old enough goes");
}

#[test]
fn an_archive_that_is_made_again_begins_with_its_oldest_contact() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 3, WallTime(10 * DAY_MS));
    let mut store = archive(data);
    // The clock had leapt before anybody reckoned.
    let first = later(&mut store, 5 * HOUR_US, 375 * DAY_MS);
    assert_eq!(first.today, WallTime(10 * DAY_MS));
    assert_eq!(left(&mut store, data, first.today), 3);
}
