//! The interval record by example: one rule a test.

use jiff::tz::TimeZone;

use super::*;
use crate::archive::record::read::{Asked, By, report};
use crate::engine::callback::{Callback, CallbackKind, Phase};
use crate::engine::event::{CallbackPromised, Released};
use crate::engine::routing::Routing;
use crate::engine::words::{Availability, AvailabilityBecause, ConnectFault, ReleasedBecause};
use crate::ids::{PromiseId, ReasonId};

const QUARTER: u64 = 900;

/// Feeds entries at seconds; the wall clock goes with the router's.
struct Day {
    store: Store,
    sequence: u64,
    data: tempfile::TempDir,
}

impl Day {
    fn begin() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let store = Store::open(data.path()).expect("an archive");
        let mut day = Self { store, sequence: 0, data };
        let routing = config::built_in().expect("it is sound").config.routing;
        day.at(0, vec![Event::Configured(Arc::new(routing))]);
        day
    }

    fn at(&mut self, second: u64, events: Vec<Event>) {
        self.sequence += 1;
        let at = EngineTime(second * 1_000_000);
        let actor = Actor { role: Role::Router, name: "router".into() };
        let sequence = self.sequence;
        let entry = Entry { sequence, at, actor, request: None, events, sealed: None };
        let wall = WallTime(DAY_MS + second * 1_000);
        let batch = Batch { entries: vec![entry], mark: None, wall };
        self.store.take(&batch, Tip { epoch: 1, sequence, hash: [0; 32] });
    }

    fn commit(&mut self) {
        self.store.commit().expect("the disk takes it");
    }

    /// A column of the report, by quarter, in seconds where it is a time.
    fn column(&mut self, by: By, name: &str, column: &str) -> Vec<(u64, u64)> {
        self.commit();
        let (from_ms, to_ms) = (DAY_MS, 2 * DAY_MS);
        let asked = Asked { by, quarters: 1, from_ms, to_ms, all: false };
        let report = report(self.data.path(), asked, &TimeZone::UTC).expect("an archive");
        let place = report.columns.iter().position(|c| c == column).expect("a column");
        let scale = if column.contains("_us") { 1_000_000 } else { 1 };
        let rows = report.rows.into_iter().filter(|row| row.name == name && row.values[place] > 0);
        let quarter = |start| (start - DAY_MS) / (QUARTER * 1_000);
        rows.map(|row| (quarter(row.start_ms), row.values[place] / scale)).collect()
    }

    fn queue(&mut self, column: &str) -> Vec<(u64, u64)> {
        self.column(By::Queue, "support-voice", column)
    }

    fn agent(&mut self, column: &str) -> Vec<(u64, u64)> {
        let name = self.store.routing().agent_name(AGENT).to_owned();
        self.column(By::Agent, &name, column)
    }
}

fn accepted(contact: u64) -> Event {
    let (contact, reservation) = (ContactId(contact), ReservationId(contact));
    Event::Accepted { contact, reservation, agent: AGENT, connect_by: None }
}

fn closed(contact: u64, reason: EndReason) -> Event {
    let contact = ContactId(contact);
    let agent = (reason == EndReason::Completed).then_some(AGENT);
    Event::Closed { contact, gateway: GatewayId(0), consult_of: None, reason, agent, wrap_up: None }
}

fn is(to: Availability) -> Event {
    Event::AvailabilityChanged { agent: AGENT, to, because: AvailabilityBecause::Asked }
}

#[test]
fn legs_that_fail_are_the_phones_fault_and_no_miss() {
    let mut day = Day::begin();
    day.at(10, vec![arrived(1), queued(1), reserved(1)]);
    let (contact, reservation) = (ContactId(1), ReservationId(1));
    let (agent, fault) = (AGENT, ConnectFault::AgentLeg);
    day.at(12, vec![Event::ConnectFailed { contact, reservation, agent, fault, pass_over: None }]);
    assert_eq!(day.agent("connect_failed"), [(0, 1)]);
    assert_eq!((day.agent("missed"), day.agent("declined")), (vec![], vec![]));
}

#[test]
fn a_talk_is_split_by_quarters_and_a_hold_is_no_talk_and_what_goes_on_is_there() {
    let mut day = Day::begin();
    day.at(10, vec![arrived(1), queued(1)]);
    day.at(QUARTER - 100, vec![reserved(1), accepted(1)]);
    day.at(QUARTER - 50, vec![Event::HoldChanged { contact: ContactId(1), on: true }]);
    day.at(QUARTER + 20, vec![Event::HoldChanged { contact: ContactId(1), on: false }]);
    assert_eq!(day.queue("talk_us"), [(0, 50)]);
    day.at(2 * QUARTER + 30, vec![arrived(2), queued(2)]);
    let talked = [(0, 50), (1, 880), (2, 30)];
    assert_eq!(day.queue("talk_us"), talked, "it goes on");
    assert_eq!(day.queue("hold_us"), [(0, 50), (1, 20)]);
    day.at(2 * QUARTER + 30, vec![closed(1, EndReason::Completed)]);
    assert_eq!(day.queue("talk_us"), talked, "it has ended, and nothing counts twice");
    assert_eq!(day.agent("talk_us"), talked);
    assert_eq!(day.queue("waiting"), [(2, 1)], "the first was taken in its quarter");
}

#[test]
fn each_wait_ends_in_one_way_and_a_later_one_begins_anew() {
    let mut day = Day::begin();
    day.at(0, vec![arrived(1), queued(1)]);
    day.at(3, vec![arrived(2), queued(2)]);
    day.at(4, vec![closed(2, EndReason::Abandoned)]);
    day.at(30, vec![reserved(1), accepted(1)]);
    let (agent, wrap_up) = (AGENT, None);
    let released = Some(Released { agent, because: ReleasedBecause::Transferred, wrap_up });
    let Event::Queued(first) = queued(1) else { unreachable!() };
    let because = QueuedBecause::Transferred;
    let sent = Queued { queue: QueueId(1), because, released, ..first.clone() };
    day.at(100, vec![Event::Queued(sent.clone())]);
    let moved =
        Queued { queue: QueueId(0), because: QueuedBecause::Moved, released: None, ..first };
    day.at(QUARTER, vec![Event::Queued(moved)]);
    day.at(QUARTER + 5, vec![reserved(1), accepted(1)]);
    assert_eq!(day.queue("offered"), [(0, 2), (1, 1)]);
    assert_eq!(day.queue("abandoned"), [(0, 1)]);
    assert_eq!(day.queue("abandoned_short"), [(0, 1)], "3 s with us and with its gateway");
    assert_eq!(day.queue("transferred_out"), [(0, 1)]);
    assert_eq!(day.queue("moved_in"), [(1, 1)]);
    assert_eq!(day.queue("answered_wait_us"), [(0, 32), (1, 5)], "from arrival, then anew");
    let other = "support-chat";
    assert_eq!(day.column(By::Queue, other, "transferred_in"), [(0, 1)]);
    assert_eq!(day.column(By::Queue, other, "moved_out"), [(1, 1)]);
    assert_eq!(day.column(By::Queue, other, "waiting"), [(0, 1)]);
}

fn called_back(contact: u64) -> Event {
    let (contact, asked) = (ContactId(contact), EngineTime(10_000_000));
    let callback = Callback {
        kind: CallbackKind::Place,
        promise: PromiseId(1),
        asked,
        due: None,
        until: None,
        hours: None,
        phase: Phase::Pressing { until: None },
        tried: [0; 6],
        first: None,
        policy: std::sync::Arc::default(),
        ordered: false,
        tier: None,
    };
    Event::CallbackPromised(CallbackPromised { contact, callback, released: None })
}

#[test]
fn who_is_called_back_is_apart_from_the_promise_on_and_overflow_is_no_move() {
    let mut day = Day::begin();
    day.at(0, vec![arrived(1), queued(1), arrived(2), queued(2), arrived(3), queued(3)]);
    day.at(10, vec![called_back(1), called_back(2), called_back(1)]);
    let Event::Queued(third) = queued(3) else { unreachable!() };
    let because = QueuedBecause::Overflowed;
    day.at(20, vec![Event::Queued(Queued { queue: QueueId(1), because, ..third })]);
    day.at(60, vec![reserved(1), accepted(1)]);
    day.at(70, vec![closed(2, EndReason::CallbackCancelled), closed(3, EndReason::Overflowed)]);
    for (column, expected) in [
        ("offered", 3),
        ("to_callback", 2),
        ("callbacks", 2),
        ("callbacks_answered", 1),
        ("callbacks_ended", 1),
        ("callback_wait_us", 62),
        ("overflowed_out", 1),
    ] {
        assert_eq!(day.queue(column), [(0, expected)], "{column}");
    }
    for column in ["answered", "answered_wait_us", "ended", "moved_out", "waiting"] {
        assert_eq!(day.queue(column), [], "{column}");
    }
    let other = "support-chat";
    assert_eq!(day.column(By::Queue, other, "overflowed_in"), [(0, 1)]);
    assert_eq!(day.column(By::Queue, other, "overflowed_out"), [(0, 1)], "to a number outside");
}

#[test]
fn states_count_for_the_queues_that_the_agent_may_take_from_then() {
    let mut day = Day::begin();
    day.at(0, vec![is(Availability::NotReady(ReasonId(2)))]);
    day.at(60, vec![is(Availability::Ready)]);
    day.at(60, vec![is(Availability::Ready)]);
    let mut without = Routing::clone(day.store.routing());
    without.queues[0].pools = [crate::ids::PoolId(1)].into_iter().collect();
    day.at(QUARTER + 40, vec![Event::Configured(Arc::new(without))]);
    // Opened again in the middle of a state: it goes on.
    day.commit();
    day.store = Store::open(day.data.path()).expect("it opens again");
    day.at(2 * QUARTER, vec![is(Availability::SignedOut)]);
    assert_eq!(day.agent("staffed_us"), [(0, 900), (1, 900)]);
    assert_eq!(day.agent("ready_us"), [(0, 840), (1, 900)]);
    let reason = day.store.routing().reason_name(ReasonId(2)).to_owned();
    assert_eq!(day.agent(&format!("not_ready_us:{reason}")), [(0, 60)]);
    assert_eq!(day.queue("ready_us").last(), Some(&(1, 40)), "no longer theirs");
    let states = "SELECT count(*), sum(ended_us IS NULL) FROM agent_state";
    assert_eq!(cells(day.data.path(), states), [3, 0], "said again is no other state");
}

#[test]
fn deleting_and_forgetting_change_nothing_of_the_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    journal(data, 3, WallTime(10 * DAY_MS));
    let mut store = archive(data);
    let all = || {
        let of = |table| query(data, &format!("SELECT * FROM {table}")).expect("SQL").rows;
        [of("queue_record"), of("agent_record"), of("not_ready_record")]
    };
    let before = all();
    assert!(!before[0].is_empty() && !before[1].is_empty());
    store.forget(CUSTOMER, WallTime(11 * DAY_MS)).expect("forgotten");
    assert_eq!(store.retain(WallTime(11 * DAY_MS)).expect("done"), 3);
    assert_eq!(all(), before);

    let mut day = Day::begin();
    day.at(0, vec![is(Availability::Ready)]);
    day.at(60, vec![is(Availability::NotReady(ReasonId(2)))]);
    day.commit();
    let states = "SELECT count(*) FROM agent_state";
    assert_eq!(cells(day.data.path(), states), [2]);
    assert_eq!(day.store.retain(WallTime(2 * DAY_MS)).expect("done"), 0);
    assert_eq!(cells(day.data.path(), states), [1], "what goes on stays");
    assert_eq!(day.agent("ready_us"), [(0, 60)], "and so do sums");
}
