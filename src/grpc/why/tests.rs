//! Every trigger, and every way that an offer or a contact can go.

use std::sync::Arc;

use super::*;
use crate::engine::entry::{Actor, Role};
use crate::engine::event::{Arrived, Queued, Released, Reserved, Rule, Trigger, Why};
use crate::engine::recall::{ReturnedBecause, SelfService, Step, Tier};
use crate::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing};
use crate::engine::words::{
    ConnectFault, EndReason, Excluded, Named, Need, QueuedBecause, ReleasedBecause, ServiceClass,
    WaitsFor,
};
use crate::ids::{EntryPointId, GatewayId, PoolId, QueueId, RecallId, ReservationId, SkillId};
use crate::time::{Place, WallTime};

const C: ContactId = ContactId(7);
const ANNE: AgentId = AgentId(0);
const BEN: AgentId = AgentId(1);
const R: ReservationId = ReservationId(1);

fn listed(name: &str) -> Listed {
    Listed { name: name.into(), retired: false }
}

/// Anne is made for kettles, ben knows them too, and cleo has many other skills.
fn routing() -> Routing {
    let queue = Queue {
        name: "support".into(),
        retired: false,
        needs: [Need { skill: SkillId(0), at_least: 2 }].into_iter().collect(),
        pools: Default::default(),
        channels: [true; 4],
        safety: false,
        target: Span::seconds(20),
        head_start: Span::ZERO,
        reservation_timeout: Span::seconds(20),
        connect_timeout: Span::seconds(15),
        wrap_up: Span::ZERO,
        ..Queue::default()
    };
    let agent = |name: &str, skills: &[u16]| AgentProfile {
        name: name.into(),
        retired: false,
        pool: PoolId(0),
        skills: skills.iter().map(|s| (SkillId(*s), 3)).collect(),
        primary: Some(SkillId(skills[skills.len() - 1])),
        capacity: [1, 2, 5, 5],
        ..AgentProfile::default()
    };
    Routing {
        skills: ["kettles", "irons", "french"].map(listed).to_vec(),
        queues: vec![queue],
        agents: vec![agent("anne", &[0]), agent("ben", &[0, 1]), agent("cleo", &[0, 1, 2])],
        entry_points: vec![EntryPoint {
            name: "hotline".into(),
            retired: false,
            queue: QueueId(0),
        }],
        ..Routing::default()
    }
}

fn arrived() -> Event {
    Event::Arrived(Arrived {
        contact: C,
        gateway: GatewayId(0),
        session: None,
        key: "k".into(),
        content: 0,
        channel: Channel::Chat,
        entry_point: Some(EntryPointId(0)),
        customer: None,
        continues: Some(ContactId(3)),
        waited: Span::seconds(30),
        attributes: None,
        own_needs: Needs::new(),
        own_preferred: Needs::new(),
        language: None,
    })
}

/// Waiting with a head start of 90 s: it arrives at 100 s.
fn waits() -> Queued {
    Queued {
        contact: C,
        queue: QueueId(0),
        because: QueuedBecause::Arrived,
        service: ServiceClass::Live,
        needs: [Need { skill: SkillId(0), at_least: 2 }].into_iter().collect(),
        preferred: Needs::new(),
        head_start: Span::ZERO,
        place: Place(10_000_000),
        stage: Default::default(),
        named: None,
        pass_over: None,
        released: None,
    }
}

fn offer(agent: AgentId, trigger: Trigger, rank: u16) -> Reserved {
    let why = Why::plain(match trigger {
        Trigger::Contact => Rule::LeastLoaded,
        Trigger::Agent | Trigger::AsyncShare => Rule::OldestPlace,
        Trigger::Named => Rule::Kept,
    });
    Reserved {
        contact: C,
        reservation: R,
        agent,
        deadline: EngineTime(125_000_000),
        trigger,
        rank,
        idle: Span::seconds(7),
        load: 500,
        waited: Span::seconds(35),
        async_passed: false,
        why,
    }
}

/// The story of events at these seconds; those of one second are one entry.
fn story_of(events: Vec<(u64, Event)>) -> Vec<v1::Reason> {
    let actor = Actor { role: Role::Router, name: Arc::from("router") };
    let item = |(second, event): (u64, Event)| TimelineItem {
        sequence: second,
        at: EngineTime(second * 1_000_000),
        wall: WallTime(second * 1_000),
        actor: actor.clone(),
        event: Arc::new(event),
        sealed: None,
        became_ready: false,
    };
    let items: Vec<TimelineItem> = events.into_iter().map(item).collect();
    let before = vec![Before::default(); items.len()];
    let (routing, texts, kept) = (routing(), Texts::default(), Arc::from([]));
    told(&Of { routing: &routing, texts: &texts, kept: &kept, contact: C }, &items, &before)
}

/// What is said last.
fn last(events: Vec<(u64, Event)>) -> String {
    story_of(events).pop().expect("a story").text
}

/// What is said of an event of one who came, and waits since 100 s.
fn then(second: u64, event: Event) -> String {
    last(vec![(100, arrived()), (100, Event::Queued(waits())), (second, event)])
}

#[test]
fn a_story_begins_with_the_coming_the_place_and_that_nobody_had_room() {
    let story = story_of(vec![(100, arrived()), (100, Event::Queued(waits()))]);
    assert_eq!(
        story[0].text,
        "It came by chat at hotline. It had waited 30.0 s with its gateway, which counts. It goes \
         on from contact 3."
    );
    assert_eq!(
        story[1].text,
        "It waits in support. Its class of service is live; it needs kettles 2 or better. Its \
         place is as if it had come 1 min 30 s earlier: its head start. Nobody who may take it \
         had room at that moment."
    );
    assert_eq!(
        (story[1].event.as_str(), story[1].after_ms, story[1].at_unix_ms),
        ("queued", 0, 100_000)
    );
}

#[test]
fn who_is_offered_at_once_is_not_said_to_have_waited_for_room() {
    let offered = Event::Reserved(offer(ANNE, Trigger::Contact, 0));
    let story = story_of(vec![(100, arrived()), (100, Event::Queued(waits())), (100, offered)]);
    assert!(!story[1].text.contains("had room"), "{}", story[1].text);
    assert!(story[2].text.contains(": it had just come and anne had room."), "{}", story[2].text);
}

#[test]
fn each_trigger_says_why_then_and_why_this_agent() {
    let text = then(105, Event::Reserved(offer(BEN, Trigger::Contact, 1)));
    for part in [
        "Offered to ben after 35.0 s: it had just begun to wait and ben had room.",
        " 1 agent of better rank had no room for it or had just not taken it.",
        " ben is the only one of that rank. 1 agent of later rank came after.",
        " ben had been idle for 7.0 s, with 50 % of capacity in use, and had 20.0 s to answer.",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let text = then(105, Event::Reserved(offer(BEN, Trigger::Agent, 1)));
    assert!(text.contains(": ben had room and it was next."), "{text}");
    assert!(text.contains("nobody about safety waited for them, and of calls and chats it had"));
    assert!(text.contains(" 3 agents may take it."), "{text}");
    let passed = Reserved { async_passed: true, ..offer(BEN, Trigger::Agent, 1) };
    let text = then(105, Event::Reserved(passed));
    assert!(text.ends_with("this counts toward their share."), "{text}");
    let just = Reserved { idle: Span::ZERO, ..offer(BEN, Trigger::Agent, 1) };
    let text = then(105, Event::Reserved(just));
    assert!(text.contains(": ben became free and it was next."), "{text}");
    let text = then(105, Event::Reserved(offer(ANNE, Trigger::AsyncShare, 0)));
    assert!(text.contains("emails and messages were owed their share"), "{text}");
    let text = then(105, Event::Reserved(offer(ANNE, Trigger::Named, 0)));
    assert!(text.contains(": it was kept for anne, who had room."), "{text}");
    assert!(!text.contains("rank") && !text.contains("may take it"), "{text}");
}

#[test]
fn what_let_it_look_for_an_agent_is_said() {
    let not_taken =
        |how| Event::NotTaken { contact: C, reservation: R, agent: ANNE, how, pass_over: None };
    let table = [
        (not_taken(NotTaken::Declined), ": anne had not taken it and ben"),
        (
            Event::PassOverEnded { contact: C, agent: BEN },
            ": ben was passed over no longer and ben",
        ),
        (Event::OpenedToAll(C), ": it was no longer kept for one agent and ben"),
        (
            Event::Reattached { contact: C, session: crate::ids::SessionId(1) },
            ": its gateway was back with it and ben",
        ),
        (
            Event::ConnectFailed {
                contact: C,
                reservation: R,
                agent: ANNE,
                fault: ConnectFault::AgentLeg,
                pass_over: None,
            },
            ": it could not be joined with anne and ben",
        ),
        (
            Event::Returned {
                contact: C,
                recall: RecallId(1),
                tier: Tier::Faq,
                because: ReturnedBecause::Asked,
            },
            ": it was back from self-service and ben",
        ),
    ];
    for (cause, said) in table {
        let text = last(vec![
            (100, arrived()),
            (100, Event::Queued(waits())),
            (105, cause),
            (105, Event::Reserved(offer(BEN, Trigger::Contact, 1))),
        ]);
        assert!(text.contains(said), "{said} is not in {text}");
    }
}

#[test]
fn every_way_an_offer_ends_is_told_with_its_time_and_who_is_passed_over() {
    let until = Some(EngineTime(170_000_000));
    let not_taken = |how, pass_over| Event::NotTaken {
        contact: C,
        reservation: R,
        agent: ANNE,
        how,
        pass_over,
    };
    let accepted =
        |connect_by| Event::Accepted { contact: C, reservation: R, agent: ANNE, connect_by };
    let table = [
        (
            not_taken(NotTaken::Declined, until),
            "anne declined it after 5.0 s. It kept its place. anne is passed over for it for 1 min",
        ),
        (not_taken(NotTaken::TimedOut, until), "anne did not answer within 5.0 s. It kept"),
        (not_taken(NotTaken::AgentGone, None), "anne was gone after 5.0 s, without an answer. It"),
        (not_taken(NotTaken::Withdrawn, None), "It was taken back from anne after 5.0 s, before"),
        (accepted(None), "anne accepted it within 5.0 s."),
        (
            accepted(Some(EngineTime(125_000_000))),
            "anne accepted it within 5.0 s. The legs had 15.0 s to be joined.",
        ),
        (
            Event::Bridged { contact: C, reservation: R, agent: ANNE },
            "It was joined with anne, 10.0 s after it came.",
        ),
        (
            Event::ConnectFailed {
                contact: C,
                reservation: R,
                agent: ANNE,
                fault: ConnectFault::AgentLeg,
                pass_over: until,
            },
            "It could not be joined with anne: the agent's phone was not reached. It kept",
        ),
    ];
    for (event, said) in table {
        let text = last(vec![
            (100, arrived()),
            (100, Event::Queued(waits())),
            (105, Event::Reserved(offer(ANNE, Trigger::Contact, 0))),
            (110, event),
        ]);
        assert!(text.starts_with(said), "{said} is not the beginning of {text}");
    }
}

#[test]
fn every_reason_to_wait_is_told() {
    let released =
        Some(Released { agent: ANNE, because: ReleasedBecause::Requeued, wrap_up: None });
    for (because, said) in [
        (QueuedBecause::Arrived, "It waits in support."),
        (QueuedBecause::Requeued, "again: it was sent back."),
        (QueuedBecause::Transferred, "it was sent on."),
        (QueuedBecause::Moved, "a supervisor moved it."),
        (QueuedBecause::Woken, "what it waited for came, or its time was up."),
        (QueuedBecause::Consult, "a second agent is sought."),
        (QueuedBecause::AgentGone, "the agent who had it is gone."),
        (QueuedBecause::FollowUp, "it goes on from one that fell silent."),
        (QueuedBecause::Safety, "it is about safety."),
    ] {
        let text = then(105, Event::Queued(Queued { because, released, ..waits() }));
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let named = Some(Named { agent: BEN, until: EngineTime(135_000_000) });
    let pass_over = Some(Excluded { agent: ANNE, until: EngineTime(165_000_000) });
    let place = Place(100_000_000);
    let text = then(105, Event::Queued(Queued { named, pass_over, place, ..waits() }));
    assert!(
        text.ends_with(
            "Its place is that of its arrival. It is kept for ben for 30.0 s, then open to all. \
             anne is passed over for it for 1 min 00 s. ben had no room at that moment."
        ),
        "{text}"
    );
    let kept = vec![
        (100, arrived()),
        (100, Event::Queued(Queued { named, ..waits() })),
        (130, Event::OpenedToAll(C)),
    ];
    assert_eq!(last(kept), "It is no longer kept for ben: anyone able may have it.");
}

#[test]
fn self_service_pending_and_the_end_are_told_and_noise_is_not() {
    let until = EngineTime(160_000_000);
    let step = Step::Listening { until };
    let (recall, tier) = (RecallId(2), Tier::Faq);
    let now = SelfService { recall, tier, until, answers: 0, checked: false, step };
    let text = then(105, Event::Diverted { contact: C, now });
    assert!(text.starts_with("In the faq tier of recall 2, its place in line kept."), "{text}");
    let text =
        then(105, Event::Returned { contact: C, recall, tier, because: ReturnedBecause::Asked });
    assert!(text.starts_with("Back from the faq tier at its place, for a person"), "{text}");
    let on = WaitsFor::Customer;
    let text = then(105, Event::Pended { contact: C, agent: Some(ANNE), on, until });
    assert_eq!(text, "anne let it wait for the customer, for 55.0 s at most.");
    let closed = Event::Closed {
        contact: C,
        gateway: GatewayId(0),
        consult_of: None,
        reason: EndReason::Completed,
        agent: Some(ANNE),
        wrap_up: None,
    };
    let text = then(160, closed);
    assert_eq!(text, "It was closed 1 min 00 s after it came, with anne: completed by an agent.");
    let noise = vec![
        (100, arrived()),
        (101, Event::InputReceived(C)),
        (102, Event::HoldChanged { contact: C, on: true }),
        (103, Event::Unchanged { contact: Some(C) }),
    ];
    assert_eq!(story_of(noise).len(), 1);
}

#[test]
fn who_alone_may_take_it_is_said_to_be_the_only_one() {
    let french = [Need { skill: SkillId(2), at_least: 2 }].into_iter().collect();
    let text = last(vec![
        (100, arrived()),
        (100, Event::Queued(Queued { needs: french, ..waits() })),
        (105, Event::Reserved(offer(AgentId(2), Trigger::Agent, 0))),
    ]);
    assert!(text.contains(" cleo is the only one who may take it."), "{text}");
}

#[test]
fn every_rule_says_what_it_went_by_with_its_numbers() {
    let numbers = Why {
        queues: 3,
        backlog: 6,
        backlogs: 14,
        share: 10,
        shares: 40,
        late: true,
        ..Why::plain(Rule::OldestPlace)
    };
    let table = [
        (Trigger::Agent, Rule::TargetBroken, "its queue was the one that had broken its target."),
        (
            Trigger::Agent,
            Rule::QueueShare,
            "its queue was furthest above its share of the backlog.",
        ),
        (
            Trigger::Agent,
            Rule::QueueShare,
            " Of 3 queues it was in one with 6 of 14 waiting and a share of 10 of 40; it had \
             waited longer than the target.",
        ),
        (Trigger::Agent, Rule::LongestWait, "it had waited longest, all else being equal."),
        (
            Trigger::Agent,
            Rule::OldestPlace,
            "it had the oldest place. Somebody waited for them in 3",
        ),
        (Trigger::Agent, Rule::PartOfTarget, "it had waited the greatest part of its queue's"),
        (
            Trigger::Agent,
            Rule::PartOfTarget,
            " Of 3 queues it was in one with 6 of 14 waiting; any head start included, it had \
             waited 2.500 times the target.",
        ),
        (Trigger::Agent, Rule::HoldingCost, "waiting costs most in its queue"),
        (Trigger::Agent, Rule::HoldingCost, " Of 3 queues its own had the greatest index, 2.500."),
        (Trigger::Agent, Rule::Sharing, "it was its queue's turn by the ratio"),
        (Trigger::Contact, Rule::Sticky, " ben is whom this customer last had, and goes before"),
        (
            Trigger::Contact,
            Rule::MostProficient,
            "of that rank (who is most proficient comes first)",
        ),
        (Trigger::Contact, Rule::LeastProficient, "(who is least proficient comes first)"),
        (Trigger::AsyncShare, Rule::Kept, "were owed their share"),
    ];
    for (trigger, rule, said) in table {
        let indexed = matches!(rule, Rule::HoldingCost | Rule::PartOfTarget);
        let shares = if rule == Rule::PartOfTarget { 0 } else { numbers.shares };
        let why = Why { rule, index: if indexed { 2_500 } else { 0 }, shares, ..numbers };
        let text = then(105, Event::Reserved(Reserved { why, ..offer(BEN, trigger, 1) }));
        assert!(text.contains(said), "{rule:?}: {said} is not in {text}");
    }
}

/// Neither can have waited a thousandth of a target of days.
#[test]
fn of_a_wait_too_short_to_count_no_share_is_told() {
    let why = Why { queues: 2, backlog: 1, backlogs: 2, ..Why::plain(Rule::PartOfTarget) };
    for rule in [Rule::PartOfTarget, Rule::TargetBroken] {
        let why = Why { rule, ..why };
        let offered = Event::Reserved(Reserved { why, ..offer(BEN, Trigger::Agent, 1) });
        let text = then(105, offered);
        assert!(text.contains("it had waited 0.000 times the target."), "{text}");
        assert!(!text.contains("a share of"), "{text}");
    }
}

#[test]
fn of_agents_alike_it_is_said_what_told_them_apart() {
    let lacks = Why { lacks: 2, ..Why::plain(Rule::OldestPlace) };
    let text = then(105, Event::Reserved(Reserved { why: lacks, ..offer(BEN, Trigger::Agent, 1) }));
    assert!(text.contains(" ben lacks 2 of the skills preferred."), "{text}");
    // Nothing tells two of the same rank apart but their load and idleness, or a lot.
    let alike = |rule| {
        let text = last(vec![
            (100, arrived()),
            (100, Event::Queued(Queued { needs: Needs::new(), ..waits() })),
            (
                105,
                Event::Reserved(Reserved {
                    why: Why::plain(rule),
                    ..offer(BEN, Trigger::Contact, 1)
                }),
            ),
        ]);
        assert!(text.contains(" 1 agent of better rank"), "{text}");
        text
    };
    assert!(alike(Rule::LongestIdle).contains(" ben is the only one of that rank."));
    assert_eq!(
        super::offer::chosen(Rule::LongestIdle, crowd(4), "ben"),
        " Of 4 agents of equal rank ben was the longest idle with room."
    );
    assert_eq!(
        super::offer::chosen(Rule::LeastLoaded, crowd(4), "ben"),
        " Of 4 agents of equal rank ben was the least loaded, then longest idle, with room."
    );
    assert_eq!(
        super::offer::chosen(Rule::Random, crowd(4), "ben"),
        " Of 4 agents of equal rank ben was drawn by lot of those with room."
    );
}

fn crowd(alike: usize) -> crate::grpc::explain::Crowd {
    crate::grpc::explain::Crowd { alike, ..Default::default() }
}

#[test]
fn what_is_preferred_is_said_of_the_wait() {
    let preferred = [Need { skill: SkillId(2), at_least: 1 }].into_iter().collect();
    let text = then(105, Event::Queued(Queued { preferred, ..waits() }));
    assert!(text.contains(" Who has french 1 or better comes first."), "{text}");
}
