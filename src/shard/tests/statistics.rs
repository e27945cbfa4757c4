//! Counts and timelines from lists of events, without an engine.

use std::sync::Arc;

use smallvec::SmallVec;

use super::bench::{actor, routing};
use crate::engine::entry::{Entry, Role};
use crate::engine::event::{Arrived, Event, Queued, Reserved, Rule, Trigger, Why};
use crate::engine::words::{Channel, EndReason, NotTaken, QueuedBecause, ServiceClass, WaitsFor};
use crate::ids::{AgentId, ContactId, DispositionId, GatewayId, QueueId, ReservationId};
use crate::shard::tally::Tally;
use crate::shard::testing::Recorded;
use crate::shard::view::{CLOSED_KEPT, QueueStatistics, TIMELINE_ITEMS, Timelines};
use crate::time::{EngineTime, Place, Span, WallTime};

pub(super) const A: QueueId = QueueId(0);
pub(super) const B: QueueId = QueueId(1);
pub(super) const ANNE: AgentId = AgentId(0);
pub(super) const C1: ContactId = ContactId(1);
pub(super) const C2: ContactId = ContactId(2);

pub(super) fn arrived(contact: ContactId, waited: u64) -> Event {
    Event::Arrived(Arrived {
        contact,
        gateway: GatewayId(0),
        session: None,
        key: "k".into(),
        content: 0,
        channel: Channel::Voice,
        entry_point: None,
        customer: None,
        continues: None,
        waited: Span::seconds(waited),
        attributes: None,
        own_needs: [].into_iter().collect(),
        own_preferred: [].into_iter().collect(),
        language: None,
    })
}

pub(super) fn queued(contact: ContactId, queue: QueueId, because: QueuedBecause) -> Event {
    Event::Queued(Queued {
        contact,
        queue,
        because,
        service: ServiceClass::Live,
        needs: SmallVec::new(),
        preferred: SmallVec::new(),
        head_start: Span::ZERO,
        place: Place(0),
        stage: Default::default(),
        named: None,
        pass_over: None,
        released: None,
    })
}

pub(super) fn reserved(contact: ContactId, reservation: u64) -> Event {
    Event::Reserved(Reserved {
        contact,
        reservation: ReservationId(reservation),
        agent: ANNE,
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

pub(super) fn accepted(
    contact: ContactId,
    reservation: u64,
    connect_by: Option<EngineTime>,
) -> Event {
    Event::Accepted { contact, reservation: ReservationId(reservation), agent: ANNE, connect_by }
}

fn connecting(contact: ContactId, reservation: u64) -> Event {
    accepted(contact, reservation, Some(EngineTime(u64::MAX)))
}

fn bridged(contact: ContactId, reservation: u64) -> Event {
    Event::Bridged { contact, reservation: ReservationId(reservation), agent: ANNE }
}

fn not_taken(contact: ContactId, reservation: u64) -> Event {
    Event::NotTaken {
        contact,
        reservation: ReservationId(reservation),
        agent: ANNE,
        how: NotTaken::Declined,
        pass_over: None,
    }
}

pub(super) fn closed(contact: ContactId, reason: EndReason) -> Event {
    let (gateway, consult_of) = (GatewayId(0), None);
    Event::Closed { contact, gateway, consult_of, reason, agent: None, wrap_up: None }
}

fn pended(contact: ContactId) -> Event {
    let (agent, on) = (Some(ANNE), WaitsFor::Customer);
    Event::Pended { contact, agent, on, until: EngineTime(u64::MAX) }
}

pub(super) fn entry(sequence: u64, second: u64, events: Vec<Event>) -> Entry {
    Entry {
        sequence,
        at: EngineTime(second * 1_000_000),
        actor: actor(Role::Router),
        request: None,
        events,
        sealed: None,
    }
}

/// The queues' counts after events at these seconds. Both queues have a target of 20 s.
pub(super) fn counted(events: Vec<(u64, Event)>) -> (Tally, [QueueStatistics; 2]) {
    let mut tally = Tally::new(Arc::new(Recorded::default()));
    tally.add(&entry(1, 0, vec![Event::Configured(Arc::new(routing()))]), WallTime(0));
    for (second, event) in events {
        tally.add(&entry(2, second, vec![event]), WallTime(0));
    }
    let counts = [tally.statistics.queue(A), tally.statistics.queue(B)];
    (tally, counts)
}

pub(super) const NONE: QueueStatistics = QueueStatistics {
    offered: 0,
    answered: 0,
    answered_in_target: 0,
    abandoned: 0,
    abandoned_after_target: 0,
    waiting: 0,
    oldest: None,
    answered_wait_us: 0,
};

/// What it shows, what happens, and the counts of both queues then.
pub(super) type Case = (&'static str, Vec<(u64, Event)>, QueueStatistics, QueueStatistics);

pub(super) fn second(second: i64) -> Option<Place> {
    Some(Place(second * 1_000_000))
}

fn in_one_queue() -> Vec<Case> {
    use QueuedBecause::Arrived;
    let at = second;
    vec![
        (
            "one waits; its arrival counts back by what it waited with the gateway",
            vec![(9, arrived(C1, 4)), (9, queued(C1, A, Arrived))],
            QueueStatistics { offered: 1, waiting: 1, oldest: at(5), ..NONE },
            NONE,
        ),
        (
            "one who waited with the gateway for longer than the router lives",
            vec![(9, arrived(C1, 3_600)), (9, queued(C1, A, Arrived))],
            QueueStatistics { offered: 1, waiting: 1, oldest: at(-3_591), ..NONE },
            NONE,
        ),
        (
            "a call is answered when bridged, not when accepted, and the wait counts to there",
            vec![
                (1, arrived(C1, 5)),
                (1, queued(C1, A, Arrived)),
                (10, reserved(C1, 1)),
                (12, connecting(C1, 1)),
                (16, bridged(C1, 1)),
            ],
            QueueStatistics {
                offered: 1,
                answered: 1,
                answered_in_target: 1,
                answered_wait_us: 20_000_000,
                ..NONE
            },
            NONE,
        ),
        (
            "what has no legs is answered when accepted, here after the target",
            vec![
                (1, arrived(C1, 0)),
                (1, queued(C1, A, Arrived)),
                (10, reserved(C1, 1)),
                (22, accepted(C1, 1, None)),
            ],
            QueueStatistics { offered: 1, answered: 1, answered_wait_us: 21_000_000, ..NONE },
            NONE,
        ),
    ]
}

fn back_in_its_queue() -> Vec<Case> {
    use QueuedBecause::{Arrived, Requeued, Woken};
    let at = second;
    vec![
        (
            "a decline puts it back and offers nothing anew",
            vec![
                (1, arrived(C1, 0)),
                (1, queued(C1, A, Arrived)),
                (2, reserved(C1, 1)),
                (3, not_taken(C1, 1)),
            ],
            QueueStatistics { offered: 1, waiting: 1, oldest: at(1), ..NONE },
            NONE,
        ),
        (
            "requeued and woken in its own queue: no new offer, no second answer",
            vec![
                (1, arrived(C1, 0)),
                (1, queued(C1, A, Arrived)),
                (1, reserved(C1, 1)),
                (1, accepted(C1, 1, None)),
                (2, queued(C1, A, Requeued)),
                (2, reserved(C1, 2)),
                (2, accepted(C1, 2, None)),
                (3, pended(C1)),
                (9, queued(C1, A, Woken)),
            ],
            QueueStatistics {
                offered: 1,
                answered: 1,
                answered_in_target: 1,
                waiting: 1,
                oldest: at(1),
                ..NONE
            },
            NONE,
        ),
    ]
}

fn in_two_queues() -> Vec<Case> {
    use QueuedBecause::{Arrived, Consult, Moved, Transferred};
    vec![
        (
            "moved: offered in both, abandoned in the second, after the target",
            vec![
                (1, arrived(C1, 0)),
                (1, queued(C1, A, Arrived)),
                (5, queued(C1, B, Moved)),
                (22, closed(C1, EndReason::Abandoned)),
            ],
            QueueStatistics { offered: 1, ..NONE },
            QueueStatistics { offered: 1, abandoned: 1, abandoned_after_target: 1, ..NONE },
        ),
        (
            "transferred after an answer: offered in the second, its hang-up is no abandon",
            vec![
                (1, arrived(C1, 0)),
                (1, queued(C1, A, Arrived)),
                (1, reserved(C1, 1)),
                (1, accepted(C1, 1, None)),
                (5, queued(C1, B, Transferred)),
                (6, closed(C1, EndReason::CustomerLeft)),
            ],
            QueueStatistics { offered: 1, answered: 1, answered_in_target: 1, ..NONE },
            QueueStatistics { offered: 1, ..NONE },
        ),
        (
            "abandoned while held for an agent, within the target",
            vec![
                (1, arrived(C1, 0)),
                (1, queued(C1, A, Arrived)),
                (2, reserved(C1, 1)),
                (3, not_taken(C1, 1)),
                (3, closed(C1, EndReason::Abandoned)),
            ],
            QueueStatistics { offered: 1, abandoned: 1, ..NONE },
            NONE,
        ),
        (
            "a consult waits but is neither offered nor answered",
            vec![
                (1, Event::ConsultStarted { parent: C1, child: C2, agent: ANNE }),
                (1, queued(C2, B, Consult)),
                (2, reserved(C2, 1)),
                (3, not_taken(C2, 1)),
                (4, reserved(C2, 2)),
                (5, accepted(C2, 2, None)),
            ],
            NONE,
            NONE,
        ),
    ]
}

#[test]
fn statistics_follow_their_definitions() {
    let cases = [in_one_queue(), back_in_its_queue(), in_two_queues()].concat();
    for (name, events, a, b) in cases {
        let (tally, counts) = counted(events);
        assert_eq!(counts, [a, b], "{name}");
        assert_eq!(tally.statistics.double_reservations, 0, "{name}");
    }
}

#[test]
fn the_oldest_wait_counts_what_was_waited_before_the_router_began() {
    let hour = 3_600;
    let events = vec![
        (2, arrived(C1, 0)),
        (2, queued(C1, A, QueuedBecause::Arrived)),
        (3, arrived(C2, hour)),
        (3, queued(C2, A, QueuedBecause::Arrived)),
    ];
    let [counts, other] = counted(events.clone()).1;
    assert_eq!(counts.oldest_wait(EngineTime(3_000_000)), Span::seconds(hour));
    assert_eq!(counts.oldest_wait(EngineTime(5_000_000)), Span::seconds(hour + 2));
    assert_eq!(other.oldest_wait(EngineTime(5_000_000)), Span::ZERO, "nobody waits there");
    let left = [events, vec![(4, closed(C2, EndReason::Abandoned))]].concat();
    let [counts, _] = counted(left).1;
    assert_eq!(counts.oldest_wait(EngineTime(5_000_000)), Span::seconds(3));
    assert_eq!(counts.oldest_wait(EngineTime(1_000_000)), Span::ZERO, "a clock that is behind");
}

#[test]
fn a_second_reservation_of_a_held_contact_is_counted() {
    let held = [
        ("reserved", vec![]),
        ("connecting", vec![connecting(C1, 1)]),
        ("assigned", vec![accepted(C1, 1, None)]),
        ("ended by a stale answer", vec![not_taken(C1, 7)]),
    ];
    for (name, between) in held {
        let mut events =
            vec![arrived(C1, 0), queued(C1, A, QueuedBecause::Arrived), reserved(C1, 1)];
        events.extend(between);
        events.push(reserved(C1, 2));
        let (tally, _) = counted(events.into_iter().map(|event| (1, event)).collect());
        assert_eq!(tally.statistics.double_reservations, 1, "{name}");
    }
}

#[test]
fn the_oldest_reservation_is_the_one_that_nobody_answered() {
    let make = |contact, second, id| {
        vec![
            (second, arrived(contact, 0)),
            (second, queued(contact, A, QueuedBecause::Arrived)),
            (second, reserved(contact, id)),
        ]
    };
    let both = [make(C1, 3, 1), make(C2, 5, 2)].concat();
    let oldest = |events| counted(events).0.statistics.oldest_reservation;
    assert_eq!(oldest(both.clone()), Some(EngineTime(3_000_000)));
    let answered = [both.clone(), vec![(6, accepted(C1, 1, None))]].concat();
    assert_eq!(oldest(answered.clone()), Some(EngineTime(5_000_000)));
    let left = [answered, vec![(7, closed(C2, EndReason::Supervisor))]].concat();
    assert_eq!(oldest(left), None);
}

#[test]
fn timelines_are_bounded_and_keep_what_came_last() {
    let mut timelines = Timelines::default();
    let mut add = |sequence, events| {
        timelines.add(&entry(sequence, sequence, events), WallTime(0));
    };
    add(1, vec![arrived(C1, 0), queued(C1, A, QueuedBecause::Arrived)]);
    for sequence in 2..2_000 {
        add(sequence, vec![Event::HoldChanged { contact: C1, on: sequence % 2 == 0 }]);
    }
    let timeline = timelines.of(C1).expect("open");
    assert!(timeline.items.len() <= TIMELINE_ITEMS);
    assert_eq!(timeline.forgotten + timeline.items.len() as u64, 2_000);
    assert_eq!(timeline.items.last().map(|item| item.sequence), Some(1_999));
}

#[test]
fn closed_timelines_are_kept_for_a_while_and_not_begun_anew() {
    let mut timelines = Timelines::default();
    let last = CLOSED_KEPT as u64 + 1;
    for n in 1..=last {
        let contact = ContactId(n);
        let events = vec![arrived(contact, 0), closed(contact, EndReason::Abandoned)];
        timelines.add(&entry(n, n, events), WallTime(0));
    }
    assert!(timelines.of(C1).is_none(), "the oldest is forgotten");
    assert_eq!(timelines.of(C2).map(|t| t.items.len()), Some(2));
    let coded = |contact| Event::Coded { contact, agent: ANNE, disposition: DispositionId(0) };
    timelines.add(&entry(last + 1, last + 1, vec![coded(C1), coded(C2)]), WallTime(0));
    assert!(timelines.of(C1).is_none());
    assert_eq!(timelines.of(C2).map(|t| t.items.len()), Some(3));
}

#[test]
fn a_persons_reason_is_told_with_what_they_did() {
    let mut timelines = Timelines::default();
    timelines.add(&entry(1, 1, vec![arrived(C1, 0)]), WallTime(0));
    let events = vec![
        Event::Ordered { why: "a mother of a small child".into() },
        queued(C1, B, QueuedBecause::Moved),
    ];
    timelines.add(&entry(2, 2, events), WallTime(0));
    let timeline = timelines.of(C1).expect("open");
    let told: Vec<_> = timeline.items.iter().map(|item| &*item.event).collect();
    assert!(
        matches!(told[..], [Event::Arrived(_), Event::Ordered { .. }, Event::Queued(_)]),
        "{told:?}"
    );
}
