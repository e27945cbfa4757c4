//! Counts of recalls and self-service from lists of events: what is counted where, and that
//! what must not happen would be seen.

use std::sync::Arc;

use super::bench::{actor, plan, routing};
use super::statistics::{
    A, B, C1, C2, Case, NONE, accepted, arrived, closed, counted, entry, queued, reserved, second,
};
use crate::engine::Engine;
use crate::engine::entry::{Actor, Entry, Role};
use crate::engine::event::{Arrived, EffectKind, Event, PartnersSet, Queued, Reserved, Settled};
use crate::engine::recall::control::LevelCause;
use crate::engine::recall::{
    Collect, Heed, Level, MOST_OVER, Outlook, PartnerTier, Partners, Plan, ReturnedBecause, Say,
    SelfService, Step, Text, Tier, TriageClass,
};
use crate::engine::words::{EndReason, QueuedBecause, ServiceClass};
use crate::ids::{ContactId, EffectId, GatewayId, PoolId, QueueId, RecallId};
use crate::metrics::Metrics;
use crate::shard::observe::{HowSaid, TextKind};
use crate::shard::roster::Roster;
use crate::shard::staffing::Staffing;
use crate::shard::tally::Tally;
use crate::shard::testing::Recorded;
use crate::shard::view::{QueueStatistics, Timelines, View};
use crate::time::{EngineTime, Place, Span, WallTime};

const R: RecallId = RecallId(1);

fn partner() -> PartnerTier {
    PartnerTier {
        from: Level::Critical,
        pools: [PoolId(0)].into_iter().collect(),
        lead: Span::seconds(1_200),
        share: 100,
        capacity: 0,
        channels: [true; 4],
        callbacks: true,
    }
}

fn started(recall: u16) -> Event {
    Event::RecallStarted {
        recall: RecallId(recall),
        plan: Arc::new(Plan { partner: Some(partner()), ..plan() }),
        level: Level::Elevated,
        expires: EngineTime(u64::MAX),
    }
}

fn ended(recall: u16) -> Event {
    Event::RecallEnded { recall: RecallId(recall), expired: true }
}

fn diverted(contact: ContactId) -> Event {
    let now = SelfService {
        recall: R,
        tier: Tier::Faq,
        until: EngineTime(u64::MAX),
        answers: 0,
        checked: false,
        step: Step::Listening { until: EngineTime(u64::MAX) },
    };
    Event::Diverted { contact, now }
}

fn returned(contact: ContactId, because: ReturnedBecause) -> Event {
    Event::Returned { contact, recall: R, tier: Tier::Faq, because }
}

fn back(contact: ContactId) -> Event {
    returned(contact, ReturnedBecause::NoAnswer)
}

fn follow_up(contact: ContactId, of: ContactId) -> Event {
    let Event::Arrived(arrived) = arrived(contact, 0) else { panic!("other event") };
    Event::FollowUpOpened(Arrived { continues: Some(of), ..arrived })
}

fn triaged(contact: ContactId, class: TriageClass) -> Event {
    Event::Triaged { contact, heed: Heed { recall: R, class } }
}

/// Held for an agent, with the wait that the engine says it had.
fn reserved_after(waited: u64) -> Event {
    let Event::Reserved(plain) = reserved(C1, 1) else { panic!("other event") };
    Event::Reserved(Reserved { waited: Span::seconds(waited), ..plain })
}

/// Queued with a place, in a class of service.
fn stands(contact: ContactId, queue: QueueId, place: i64, service: ServiceClass) -> Event {
    let Event::Queued(plain) = queued(contact, queue, QueuedBecause::Arrived) else {
        panic!("other event")
    };
    Event::Queued(Queued { place: Place(place), service, ..plain })
}

fn live(contact: ContactId, queue: QueueId, place: i64) -> Event {
    stands(contact, queue, place, ServiceClass::Live)
}

fn in_queue_a(second: u64) -> Vec<(u64, Event)> {
    vec![(second, arrived(C1, 0)), (second, queued(C1, A, QueuedBecause::Arrived))]
}

fn there_and_back() -> Vec<Case> {
    let after = |events| [in_queue_a(1), events].concat();
    vec![
        (
            "in self-service nobody waits, and who went there was offered",
            after(vec![(1, diverted(C1))]),
            QueueStatistics { offered: 1, ..NONE },
            NONE,
        ),
        (
            "who comes back waits since their arrival and is not offered anew",
            after(vec![(1, diverted(C1)), (9, back(C1))]),
            QueueStatistics { offered: 1, waiting: 1, oldest: second(1), ..NONE },
            NONE,
        ),
        (
            "the time in self-service is part of the wait",
            after(vec![
                (1, diverted(C1)),
                (9, back(C1)),
                (30, reserved_after(29)),
                (31, accepted(C1, 1, None)),
            ]),
            QueueStatistics { offered: 1, answered: 1, answered_wait_us: 30_000_000, ..NONE },
            NONE,
        ),
        (
            "who comes back and leaves has abandoned",
            after(vec![(1, diverted(C1)), (2, back(C1)), (30, closed(C1, EndReason::Abandoned))]),
            QueueStatistics { offered: 1, abandoned: 1, abandoned_after_target: 1, ..NONE },
            NONE,
        ),
        (
            "into the safety lane: offered there too",
            after(vec![
                (1, diverted(C1)),
                (2, returned(C1, ReturnedBecause::Safety)),
                (2, stands(C1, B, 0, ServiceClass::Safety)),
            ]),
            QueueStatistics { offered: 1, ..NONE },
            QueueStatistics { offered: 1, waiting: 1, oldest: second(1), ..NONE },
        ),
    ]
}

fn ends_there() -> Vec<Case> {
    let ends = |reason| [in_queue_a(1), vec![(1, diverted(C1)), (40, closed(C1, reason))]].concat();
    let neither = QueueStatistics { offered: 1, ..NONE };
    vec![
        ("solved is neither answered nor abandoned", ends(EndReason::Solved), neither, NONE),
        ("informed is neither", ends(EndReason::Informed), neither, NONE),
        (
            "gone without an answer is abandoned, wherever they were",
            ends(EndReason::Abandoned),
            QueueStatistics { offered: 1, abandoned: 1, abandoned_after_target: 1, ..NONE },
            NONE,
        ),
        (
            "a follow-up is offered, and its wait begins with it",
            [
                in_queue_a(1),
                vec![
                    (1, diverted(C1)),
                    (50, follow_up(C2, C1)),
                    (50, queued(C2, A, QueuedBecause::FollowUp)),
                    (50, closed(C1, EndReason::FollowedUp)),
                    (60, reserved(C2, 1)),
                    (61, accepted(C2, 1, None)),
                ],
            ]
            .concat(),
            QueueStatistics {
                offered: 2,
                answered: 1,
                answered_in_target: 1,
                answered_wait_us: 11_000_000,
                ..NONE
            },
            NONE,
        ),
    ]
}

#[test]
fn queues_count_those_in_self_service_by_the_definitions() {
    for (name, events, a, b) in [there_and_back(), ends_there()].concat() {
        let (tally, counts) = counted(events);
        assert_eq!(counts, [a, b], "{name}");
        let s = &tally.statistics;
        assert_eq!([s.bounced_twice, s.places_lost, s.safety_diverted], [0; 3], "{name}");
    }
}

/// What must be 0, after these events at second 5 of a contact that arrived at second 1.
fn audited(events: Vec<Event>) -> [u64; 3] {
    let all = events.into_iter().map(|event| (5, event));
    let (tally, _) = counted([(1, arrived(C1, 0))].into_iter().chain(all).collect());
    [tally.statistics.bounced_twice, tally.statistics.places_lost, tally.statistics.safety_diverted]
}

#[test]
fn a_second_bounce_is_seen() {
    let went = || vec![live(C1, A, 9), diverted(C1)];
    let cases = [
        ("once", vec![], 0),
        ("there and back", vec![back(C1)], 0),
        ("there, back and there", vec![back(C1), diverted(C1)], 1),
        ("there, back, elsewhere and there", vec![back(C1), live(C1, B, 9), diverted(C1)], 1),
        (
            "its follow-up too",
            vec![
                follow_up(C2, C1),
                live(C2, A, 9),
                closed(C1, EndReason::FollowedUp),
                diverted(C2),
            ],
            1,
        ),
    ];
    for (name, events, expected) in cases {
        assert_eq!(audited([went(), events].concat()), [expected, 0, 0], "{name}");
    }
}

#[test]
fn a_lost_place_is_seen() {
    let earlier =
        |place| Event::Reprioritised { contact: C1, head_start: Span::ZERO, place: Place(place) };
    let cases = [
        ("at its place in its queue", vec![back(C1), live(C1, A, 9)], 0),
        ("earlier", vec![back(C1), live(C1, A, 8)], 0),
        ("later in its queue", vec![back(C1), live(C1, A, 10)], 1),
        ("later in another", vec![back(C1), live(C1, B, 10)], 1),
        ("found at once, with all of its wait", vec![back(C1), reserved_after(4)], 0),
        ("found at once, with some of its wait", vec![back(C1), reserved_after(3)], 1),
        (
            "what comes later is no matter of the ticket",
            vec![back(C1), reserved_after(4), accepted(C1, 1, None), live(C1, A, 99)],
            0,
        ),
        ("a supervisor's order is kept", vec![earlier(3), back(C1), live(C1, A, 3)], 0),
        ("and lost like any place", vec![earlier(3), back(C1), live(C1, A, 9)], 1),
        ("never given back", vec![live(C1, A, 10)], 1),
    ];
    for (name, events, expected) in cases {
        let went = vec![live(C1, A, 9), diverted(C1)];
        assert_eq!(audited([went, events].concat()), [0, expected, 0], "{name}");
    }
}

#[test]
fn a_queue_s_head_start_is_no_place() {
    let mut other = routing();
    other.queues[0].head_start = Span(100);
    let moved = |place| {
        let events = vec![
            Event::Configured(Arc::new(other.clone())),
            live(C1, A, 900),
            diverted(C1),
            back(C1),
            live(C1, B, place),
        ];
        audited(events)[1]
    };
    assert_eq!(moved(1_000), 0, "a queue without the head start has a later number for it");
    assert_eq!(moved(1_001), 1);
}

#[test]
fn safety_in_self_service_is_seen() {
    use ServiceClass::{Live, Safety};
    let words = triaged(C1, TriageClass::Safety);
    let cases = [
        ("neither", vec![stands(C1, A, 9, Live), triaged(C1, TriageClass::Affected)], 0),
        ("by its class", vec![stands(C1, A, 9, Safety)], 1),
        ("by its words", vec![stands(C1, A, 9, Live), words], 1),
    ];
    for (name, mut events, expected) in cases {
        events.push(diverted(C1));
        assert_eq!(audited(events), [0, 0, expected], "{name}");
    }
}

fn saying(effect: u64, text: Text) -> Event {
    let say = Say {
        recall: R,
        text,
        language: None,
        collect: Collect::None,
        outlook: Outlook::default(),
    };
    Event::EffectAsked { effect: EffectId(effect), contact: C1, kind: EffectKind::Say(say) }
}

fn settled(effect: u64, how: Settled) -> Event {
    Event::EffectSettled { effect: EffectId(effect), contact: C1, how }
}

/// A recall in which a bit of everything happens.
fn a_bit_of_everything() -> Vec<Event> {
    vec![
        started(1),
        arrived(C1, 0),
        triaged(C1, TriageClass::Affected),
        queued(C1, A, QueuedBecause::Arrived),
        diverted(C1),
        saying(1, Text::Acknowledgement),
        saying(2, Text::Faq(1)),
        saying(3, Text::Faq(2)),
        saying(4, Text::Person),
        settled(2, Settled::Done),
        settled(1, Settled::Done),
        settled(3, Settled::Failed(404)),
        settled(4, Settled::Withdrawn),
        returned(C1, ReturnedBecause::Gateway),
    ]
}

#[test]
fn what_happened_in_a_recall_is_counted() {
    let mut events = a_bit_of_everything();
    // Not twice, and not what is no text.
    events.extend([settled(1, Settled::Done), settled(9, Settled::Done)]);
    let (tally, _) = counted(events.into_iter().map(|event| (1, event)).collect());
    let recall = tally.statistics.recall(R).expect("started");
    assert_eq!(recall.triaged, [0, 1, 0]);
    assert_eq!(recall.returned_because(ReturnedBecause::Gateway), 1);
    let all: u64 = recall.returned.iter().flatten().sum();
    assert_eq!((all, recall.returned[Tier::Faq.index()].iter().sum::<u64>()), (1, 1));
    let said = |text: TextKind, how: HowSaid| recall.said[text.index()][how.index()];
    assert_eq!(said(TextKind::Acknowledgement, HowSaid::Done), 1);
    assert_eq!(said(TextKind::Faq, HowSaid::Done), 1);
    assert_eq!(said(TextKind::Faq, HowSaid::Failed), 1);
    assert_eq!(said(TextKind::Person, HowSaid::Withdrawn), 1);
    assert_eq!(recall.said.iter().flatten().sum::<u64>(), 4);
    assert!(tally.statistics.recall(RecallId(2)).is_none());
}

fn by(name: &str, why: Option<&str>, events: Vec<Event>) -> Entry {
    let who = Actor { role: Role::OnCall, name: name.into() };
    let order = why.map(|why| Event::Ordered { why: why.into() });
    Entry { actor: who, ..entry(1, 1, order.into_iter().chain(events).collect()) }
}

#[test]
fn who_brought_a_recall_to_its_level_and_why_is_known() {
    let mut tally = Tally::new(Arc::new(Recorded::default()));
    let told = |tally: &Tally| {
        let recall = tally.statistics.recall(R).expect("started").clone();
        let now = recall.now;
        (recall.level, recall.over, now.by.name, now.why, now.wall.0, recall.started.wall.0)
    };
    tally.add(&by("ida", Some("three fires"), vec![started(1)]), WallTime(100));
    let expected = (Level::Elevated, false, "ida".into(), Some("three fires".into()), 100, 100);
    assert_eq!(told(&tally), expected);

    let level = Level::Surge;
    tally.add(
        &by(
            "ole",
            Some("on the news"),
            vec![Event::LevelChanged { recall: R, level, cause: LevelCause::ByHand }],
        ),
        WallTime(200),
    );
    assert_eq!(told(&tally), (level, false, "ole".into(), Some("on the news".into()), 200, 100));

    tally.add(&by("router", None, vec![ended(1)]), WallTime(300));
    assert_eq!(told(&tally), (Level::Normal, true, "router".into(), None, 300, 100));
    let first = &tally.statistics.recall(R).expect("kept").started;
    assert_eq!((&*first.by.name, first.why.as_deref()), ("ida", Some("three fires")));
}

#[test]
fn recalls_that_are_long_over_are_forgotten_and_those_in_force_are_not() {
    let mut tally = Tally::new(Arc::new(Recorded::default()));
    let most = u16::try_from(MOST_OVER).expect("few");
    tally.add(&by("ida", None, vec![started(1)]), WallTime(0));
    for recall in 2..most + 5 {
        tally.add(&by("ida", None, vec![started(recall), ended(recall)]), WallTime(0));
    }
    let kept: Vec<u16> = tally.statistics.recalls.iter().map(|r| r.recall.0).collect();
    assert_eq!(kept.first(), Some(&1), "in force");
    assert_eq!(kept.last(), Some(&(most + 4)));
    assert!(kept.len() <= MOST_OVER + 2, "{kept:?}");
    assert!(tally.statistics.recall(RecallId(2)).is_none());
}

#[test]
fn classes_of_service_are_counted_across_queues() {
    let events = vec![
        (1, arrived(C1, 0)),
        (1, stands(C1, A, 1, ServiceClass::Live)),
        (2, arrived(C2, 0)),
        (2, stands(C2, B, 1, ServiceClass::Live)),
        (3, stands(C2, B, 1, ServiceClass::Safety)),
    ];
    let classes = |events| counted(events).0.statistics.classes;
    let [safety, of_live, letters] = classes(events.clone());
    assert_eq!([safety.now, of_live.now, letters.now], [1, 1, 0]);
    assert_eq!([safety.oldest, of_live.oldest, letters.oldest], [second(2), second(1), None]);
    assert_eq!(safety.oldest_wait(EngineTime(9_000_000)), Span::seconds(7));
    let [safety, of_live, _] =
        classes([events, vec![(4, diverted(C1)), (4, reserved(C2, 1))]].concat());
    assert_eq!([safety.now, of_live.now], [0, 0]);
}

#[test]
fn metrics_tell_of_a_recall_and_let_go_of_it() {
    let metrics = Arc::new(Metrics::new().expect("the table is sound"));
    let (mut tally, mut engine) = (Tally::new(metrics.clone()), Engine::default());
    let mut events = vec![
        Event::Configured(Arc::new(routing())),
        Event::GatewayRegistered { gateway: GatewayId(0), name: "switch".into() },
    ];
    events.extend(a_bit_of_everything());
    let mut show = |events: Vec<Event>| {
        let entry = Entry { actor: actor(Role::OnCall), ..entry(1, 1, events) };
        tally.add(&entry, WallTime(0));
        engine.replay(&entry);
        let (timelines, staffing) = (Timelines::default(), Staffing::default());
        let (engine, statistics) = (&engine, &tally.statistics);
        let now = EngineTime(9_000_000);
        let roster = Roster::default();
        let view = View {
            roster: &roster,
            now,
            sequence: 1,
            engine,
            statistics,
            timelines: &timelines,
            staffing: &staffing,
        };
        metrics.refresh(&view, 0);
        metrics.render()
    };
    let text = show(events);
    for line in [
        "surgeline_recall_level{recall=\"1\",level=\"elevated\"} 1",
        "surgeline_tier_capacity{recall=\"1\",tier=\"faq\"} 50",
        "surgeline_tier_contacts{recall=\"1\",tier=\"faq\"} 0",
        "surgeline_tier_entered_total{recall=\"1\",tier=\"faq\"} 1",
        "surgeline_tier_left_total{recall=\"1\",tier=\"faq\",how=\"returned\"} 1",
        "surgeline_tier_left_total{recall=\"1\",tier=\"faq\",how=\"solved\"} 0",
        "surgeline_tier_returned_total{because=\"gateway\"} 1",
        "surgeline_triaged_total{class=\"affected\"} 1",
        "surgeline_texts_total{text=\"faq\",how=\"failed\"} 1",
        "surgeline_class_waiting{class=\"live\"} 1",
        "surgeline_class_oldest_wait_seconds{class=\"live\"} 8",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line} is missing in\n{text}");
    }
    let called = Partners::Called { joins: EngineTime(20_000_000) };
    let text = show(vec![
        reserved(C1, 1),
        accepted(C1, 1, None),
        Event::LevelChanged { recall: R, level: Level::Critical, cause: LevelCause::ByHand },
        Event::PartnersSet(PartnersSet { recall: R, now: called }),
    ]);
    for (state, is) in [("away", 0), ("called", 1), ("joined", 0)] {
        let line = format!("\nsurgeline_partners{{recall=\"1\",state=\"{state}\"}} {is}\n");
        assert!(text.contains(&line), "{line} is missing in\n{text}");
    }
    assert!(
        text.contains("surgeline_class_wait_seconds_count{class=\"live\",outcome=\"answered\"} 1"),
        "{text}"
    );
    assert!(text.contains("surgeline_recall_level{recall=\"1\",level=\"elevated\"} 0"), "{text}");
    assert!(text.contains("surgeline_recall_level{recall=\"1\",level=\"critical\"} 1"), "{text}");

    // Over, and then forgotten by the engine.
    let many = u16::try_from(MOST_OVER).expect("few") + 3;
    let mut events = vec![ended(1)];
    events.extend((2..many).flat_map(|recall| [started(recall), ended(recall)]));
    let text = show(events);
    let left = |line: &&str| {
        let of = ["surgeline_recall_level{recall=\"1\"", "surgeline_partners{recall=\"1\""];
        of.iter().any(|of| line.starts_with(of)) && !line.ends_with(" 0")
    };
    assert_eq!(text.lines().filter(left).collect::<Vec<_>>(), Vec::<&str>::new());
}
