//! What other routers are known for getting wrong, a test each. What takes time on a wire is
//! tried over gRPC (`grpc::tests::pains`).

use super::*;
use crate::engine::agent::{Hold, WHOLE};
use crate::engine::event::{Reserved, Rule, Trigger, Why};
use crate::engine::invariant::Violation;

/// A small generator of its own: rules draw no lots.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % n
    }
}

/// So many agents who are all alike and ready, one queue with this wrap-up.
fn alike(agents: u32, capacity: [u8; 4], wrap_up: Span) -> Center {
    let mut plain = queue("plain", &[], false);
    plain.wrap_up = wrap_up;
    let named = |n| agent(&format!("agent-{n}"), None, capacity);
    let routing = Routing {
        pools: listed(&["own"]),
        queues: vec![plain],
        agents: (0..agents).map(named).collect(),
        not_ready_reasons: listed(&["ring-no-answer", "just-connected"]),
        ..Routing::default()
    };
    let mut center = Center { engine: Engine::default(), now: 0, keys: 0, events: Vec::new() };
    center.ok(&Command::Configure(Arc::new(routing)));
    center.ok(&Command::ConnectGateway { name: Arc::from("gate"), limits: SAYS });
    center
}

fn reserved(events: &[Event]) -> Vec<Reserved> {
    let reserved = |event: &Event| match event {
        Event::Reserved(r) => Some(*r),
        _ => None,
    };
    events.iter().filter_map(reserved).collect()
}

#[test]
fn a_burst_does_not_ring_one_agent_for_all() {
    let mut c = alike(5, [1, 4, 4, 4], Span::ZERO);
    (0..5).for_each(|n| c.ready(AgentId(n)));
    let calls: Vec<ContactId> = (0..50).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    let held: Vec<Option<AgentId>> = calls.iter().map(|call| c.held_for(*call)).collect();
    let first: Vec<Option<AgentId>> = (0..5).map(|n| Some(AgentId(n))).collect();
    assert_eq!(held[..5], first[..], "one each, who was idle longest first");
    assert!(held[5..].iter().all(Option::is_none), "nobody rings twice");

    // Who does not answer costs one call some seconds, and rings for no other.
    (1..5).for_each(|n| c.answer(calls[n]));
    c.passes(10);
    let rang: Vec<AgentId> = reserved(&c.events).iter().map(|r| r.agent).collect();
    assert!(!rang.contains(&AgentId(0)), "{rang:?}");
    assert_eq!(c.engine.in_state(StateKind::Reserved), 0, "the others talk");
}

#[test]
fn a_burst_of_chats_is_spread_over_everyone_before_anyone_has_two() {
    let mut c = alike(5, [1, 4, 4, 4], Span::ZERO);
    (0..5).for_each(|n| c.ready(AgentId(n)));
    for round in 1..=4 {
        for _ in 0..5 {
            c.arrives(Channel::Chat, PLAIN);
        }
        let hands: Vec<usize> = c.engine.agents().map(|a| a.work.len()).collect();
        assert_eq!(hands, [round; 5]);
    }
    let more = c.arrives(Channel::Chat, PLAIN);
    assert_eq!(c.state(more), State::Queued, "all hands are full");
}

#[test]
fn one_agents_wrap_up_never_depends_on_anothers() {
    let mut c = alike(3, [1, 1, 1, 1], Span::seconds(30));
    (0..3).for_each(|n| c.ready(AgentId(n)));
    let calls: Vec<ContactId> = (0..3).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    let waiting: Vec<ContactId> = (0..3).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    for call in &calls {
        c.answer(*call);
    }
    // They end 10 s apart, and each has 30 s from their own end.
    c.complete(calls[0]);
    c.passes(10);
    c.complete(calls[1]);
    c.passes(10);
    c.complete(calls[2]);
    assert!(waiting.iter().all(|w| c.held_for(*w).is_none()));
    // The second is done early, and the third's stream goes: the first has 10 s left as before.
    c.act(BOB, Act::EndWrapUp(calls[1])).expect("their own");
    assert_eq!(c.held_for(waiting[0]), Some(BOB));
    c.answer(waiting[0]);
    let Some(crate::engine::agent::Presence::Connected(session)) =
        c.engine.agent(CLEO).map(|a| a.presence)
    else {
        panic!("she is there")
    };
    c.ok(&Command::DisconnectAgent { agent: CLEO, session });
    c.passes(9);
    assert_eq!(c.held_for(waiting[1]), None, "not before her own 30 s");
    c.passes(1);
    assert_eq!(c.held_for(waiting[1]), Some(ANNE));
    assert_eq!(c.held_for(waiting[2]), None, "the third is gone");
}

#[test]
fn freed_capacity_reaches_the_backlog_at_once_and_in_order_of_place() {
    let mut c = alike(100, [1, 3, 1, 1], Span::ZERO);
    for n in 0..100 {
        c.ok(&Command::ConnectAgent(AgentId(n)));
    }
    // Places are not the order of arrival.
    let waiting: Vec<ContactId> = (0..100_u64)
        .map(|n| {
            let arrival = c.arrival(Channel::Voice, PLAIN);
            let head_start = Span::seconds(n * 37 % 10);
            match c.report(Report::Arrived(Arrival { head_start, ..arrival })) {
                Ok(Reply::Contact(contact)) => contact,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    let mut in_order = waiting.clone();
    in_order.sort_by_key(|id| (c.engine.contact(*id).expect("waits").place, *id));
    let mut got = Vec::new();
    for n in 0..100 {
        c.act(AgentId(n), Act::Become(Availability::Ready)).expect("ready");
        got.extend(reserved(&c.events).iter().map(|r| (r.agent, r.contact)));
    }
    let expected: Vec<_> = (0..100).map(AgentId).zip(in_order).collect();
    assert_eq!(got, expected, "each at the moment of becoming ready");

    // And all of an agent's capacity in one step.
    let chats: Vec<ContactId> = (0..4).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    c.answer(waiting[0]);
    let agent = c.held_for(waiting[0]).expect("answered");
    c.complete(waiting[0]);
    let freed = reserved(&c.events);
    assert!(freed.iter().all(|r| r.agent == agent), "{freed:?}");
    assert_eq!(freed.iter().map(|r| r.contact).collect::<Vec<_>>(), chats[..3]);
}

#[test]
fn an_absent_agent_keeps_nothing() {
    let mut c = alike(3, [1, 2, 2, 2], Span::ZERO);
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    let pending = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    c.answer(pending);
    let lasting = Span::seconds(60);
    c.act(ANNE, Act::Pend { contact: pending, on: WaitsFor::Customer, lasting }).expect("pends");
    let offered = c.arrives(Channel::Email, PLAIN);
    assert_eq!(c.held_for(offered), Some(ANNE));
    c.ready(BOB);
    // She is full again, and one is kept for her.
    c.act(BOB, Act::Become(Availability::NotReady(ReasonId(1)))).expect("away");
    let Some(crate::engine::agent::Presence::Connected(session)) =
        c.engine.agent(ANNE).map(|a| a.presence)
    else {
        panic!("she is there")
    };
    c.report(said(pending)).expect("the customer is back");
    let kept = c.engine.contact(pending).expect("open");
    assert!(kept.named.is_some_and(|n| n.agent == ANNE), "kept for her while she is there");
    c.act(BOB, Act::Become(Availability::Ready)).expect("back");

    c.ok(&Command::DisconnectAgent { agent: ANNE, session });
    assert_eq!(c.held_for(offered), Some(BOB), "what rang for her rings for another at once");
    assert_eq!(c.engine.contact(pending).expect("open").named, None, "nothing is kept for her");
    for contact in [offered, pending] {
        assert_eq!(c.held_for(contact), Some(BOB));
        c.answer(contact);
    }
    assert_eq!(c.held_for(chat), Some(ANNE), "what she is in the middle of has its grace");
    c.passes(60);
    assert!(c.held_for(chat) != Some(ANNE), "and not for ever");
    c.ready(CLEO);
    assert_eq!(c.held_for(chat), Some(CLEO), "who comes next has it");
    // Nobody can send her anything either.
    c.answer(chat);
    let holder = c.held_for(chat).expect("answered");
    let to = Target::Agent(ANNE);
    c.act(holder, Act::Transfer { contact: chat, to }).expect_err("she is not there");
}

#[test]
fn a_late_accept_cannot_steal() {
    let mut c = Center::new();
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    let old = c.reservation(chat);
    c.ready(BOB);
    // Past the deadline, even where no tick has come round to it.
    c.now += 10;
    assert_eq!(c.act(ANNE, Act::Accept(old)), Err(Refusal::ReservationOver(old)));
    c.passes(0);
    assert_eq!(c.held_for(chat), Some(BOB));
    let now = c.reservation(chat);
    assert_eq!(c.act(ANNE, Act::Accept(old)), Err(Refusal::ReservationOver(old)));
    assert_eq!(c.act(ANNE, Act::Accept(now)), Err(Refusal::NotYourReservation(now)));
    assert_eq!(c.act(ANNE, Act::Decline(now)), Err(Refusal::NotYourReservation(now)));
    assert_eq!((c.held_for(chat), c.reservation(chat)), (Some(BOB), now), "it rings on for him");
    c.accept(chat);
    assert_eq!(c.act(ANNE, Act::Accept(old)), Err(Refusal::ReservationOver(old)));
    // Offered to her again, the old number still opens nothing.
    c.act(BOB, Act::Requeue(chat)).expect("sent back");
    c.act(BOB, Act::Become(Availability::NotReady(ReasonId(2)))).expect("away");
    c.act(ANNE, Act::Become(Availability::Ready)).expect("ready");
    assert_eq!(c.held_for(chat), Some(ANNE));
    assert_eq!(c.act(ANNE, Act::Accept(old)), Err(Refusal::ReservationOver(old)));
    c.accept(chat);
}

/// Who has how much, by looking at contacts.
fn loads(c: &Center) -> Vec<u32> {
    let routing = c.engine.routing();
    let load = |a: &crate::engine::agent::Agent| a.load(&routing.agents[a.id.index()]);
    c.engine.agents().map(load).collect()
}

#[test]
fn capacity_holds_under_races_of_accept_transfer_and_reload() {
    for seed in 1..=20 {
        let mut dice = Dice(seed);
        let mut c = alike(4, [1, 3, 3, 3], Span::ZERO);
        (0..4).for_each(|n| c.ready(AgentId(n)));
        for _ in 0..300 {
            race(&mut c, &mut dice);
            let over = loads(&c).into_iter().find(|load| *load > WHOLE);
            assert_eq!(over, None, "seed {seed}");
        }
        assert!(c.engine.in_state(StateKind::Closed) > 10, "seed {seed}: nothing happened");
    }
}

/// One step; an answer may come for what somebody else did meanwhile.
fn race(c: &mut Center, dice: &mut Dice) {
    let agent = AgentId(u32::try_from(dice.below(4)).expect("four"));
    let mine: Vec<(ContactId, Hold)> =
        c.engine.agent(agent).expect("known").work.iter().map(|w| (w.contact, w.hold)).collect();
    let channel = if dice.below(4) == 0 { Channel::Voice } else { Channel::Chat };
    let Some((contact, hold)) = mine.get(usize::try_from(dice.below(4)).expect("few")).copied()
    else {
        c.arrives(channel, PLAIN);
        c.passes(1);
        return;
    };
    let other = AgentId(u32::try_from(dice.below(4)).expect("four"));
    match (dice.below(6), hold) {
        (0..=2, Hold::Reserved) => c.answer(contact),
        (0 | 1, Hold::Assigned) => c.complete(contact),
        (2 | 3, Hold::Assigned) => {
            // To a colleague whose hands are full, it waits; to oneself it is refused.
            let _ = c.act(agent, Act::Transfer { contact, to: Target::Agent(other) });
        }
        (4, _) => {
            let mut routing = Routing::clone(c.engine.routing());
            routing.agents.swap(0, 1);
            let names: Vec<_> = (0..2).map(|n| Arc::from(format!("agent-{n}"))).collect();
            routing.agents.iter_mut().zip(names).for_each(|(a, name)| a.name = name);
            routing.settings.pass_over = Span::seconds(1 + dice.below(9));
            c.ok(&Command::Configure(Arc::new(routing)));
        }
        _ => c.passes(dice.below(12)),
    }
    let stay = |c: &mut Center, n| c.act(AgentId(n), Act::Become(Availability::Ready));
    (0..4).for_each(|n| drop(stay(c, n)));
}

#[test]
fn who_has_more_than_a_reload_allows_finishes_it_and_gets_nothing_more_until_then() {
    let mut c = alike(1, [1, 3, 1, 1], Span::ZERO);
    c.ready(ANNE);
    let chats: Vec<ContactId> = (0..4).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    c.answer(chats[0]);
    c.answer(chats[1]);
    // One of three rings while a reload leaves her capacity for one.
    let mut routing = Routing::clone(c.engine.routing());
    routing.agents[0].capacity = [1; 4];
    let at = c.at();
    let mut events = Vec::new();
    let reload = Command::Configure(Arc::new(routing));
    c.engine.handle(at, None, &reload, &mut events).expect("a configuration");
    assert!(reserved(&events).is_empty());
    assert_eq!(c.engine.check(), Ok(()), "what she has is hers to end");
    // Whoever offered her more would be found out.
    let offered = Event::Reserved(Reserved {
        contact: chats[3],
        reservation: ReservationId(4),
        agent: ANNE,
        deadline: at + Span::seconds(10),
        trigger: Trigger::Agent,
        rank: 0,
        idle: Span::ZERO,
        load: 3_000,
        waited: Span::ZERO,
        async_passed: false,
        why: Why::plain(Rule::OldestPlace),
    });
    let mut wrong = Engine::restore(&c.engine.image()).expect("an image");
    assert_eq!(wrong.check(), Ok(()), "nor is it against her after a restart");
    wrong.apply(at, &offered);
    let over = Err(Violation::OverCapacity { agent: ANNE, load: 4 * WHOLE });
    assert_eq!(wrong.check(), over);
    let mut run = |act: Act| {
        let mut events = Vec::new();
        let command = Command::Agent { agent: ANNE, session: None, act };
        c.engine.handle(at, None, &command, &mut events).expect("taken");
        reserved(&events).len()
    };
    let complete = |contact| Act::Complete { contact, disposition: None };
    assert_eq!(run(Act::Accept(ReservationId(3))), 0, "what rang can still be taken");
    assert_eq!((run(complete(chats[0])), run(complete(chats[1]))), (0, 0), "still one in hand");
    assert_eq!(run(complete(chats[2])), 1, "now there is room, for one");
    assert_eq!(c.held_for(chats[3]), Some(ANNE));
    assert_eq!(c.engine.check(), Ok(()));
}
