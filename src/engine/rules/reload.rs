//! Reloads under load: agents look for work in slices, once everyone stands where the new
//! configuration puts them.

use super::*;

const AGENTS: u32 = 2_000;

/// So many agents who are ready and cannot speak Spanish, and calls that need it.
fn spanish_calls(waiting: u64) -> (Engine, Routing) {
    let mut routing = Routing {
        skills: listed(&["spanish"]),
        pools: listed(&["own"]),
        queues: vec![queue("plain", &[Need { skill: SkillId(0), at_least: 1 }], false)],
        agents: (0..AGENTS).map(|n| agent(&format!("agent-{n}"), None, [1, 1, 1, 1])).collect(),
        not_ready_reasons: listed(&["ring-no-answer", "just-connected"]),
        ..Routing::default()
    };
    // A reservation that runs out would mix the two.
    routing.queues[0].reservation_timeout = Span::seconds(3_600);
    let mut engine = Engine::default();
    let mut ok = |command: &Command| {
        engine.handle(EngineTime(1), None, command, &mut Vec::new()).expect("taken");
    };
    ok(&Command::Configure(Arc::new(routing.clone())));
    ok(&Command::ConnectGateway { name: Arc::from("gate"), limits: SAYS });
    for n in 0..AGENTS {
        let agent = AgentId(n);
        ok(&Command::ConnectAgent(agent));
        let act = Act::Become(Availability::Ready);
        ok(&Command::Agent { agent, session: None, act });
    }
    let mut names = Center::new();
    for _ in 0..waiting {
        let report = Report::Arrived(names.arrival(Channel::Voice, PLAIN));
        ok(&Command::Gateway { gateway: GATE, session: None, report });
    }
    (engine, routing)
}

fn handle(engine: &mut Engine, at: EngineTime, command: &Command) -> Vec<Event> {
    let mut events = Vec::new();
    engine.handle(at, None, command, &mut events).expect("taken");
    events
}

fn reserved(events: &[Event]) -> Vec<(ContactId, AgentId)> {
    let of = |e: &Event| match e {
        Event::Reserved(r) => Some((r.contact, r.agent)),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn reloads_that_come_faster_than_agents_look_neither_pile_up_nor_starve_anybody() {
    let (mut engine, mut routing) = spanish_calls(1);
    let last = AgentId(AGENTS - 1);
    routing.agents[last.index()].skills.push((SkillId(0), 1));
    let mut got = Vec::new();
    for second in 1..=40 {
        // Another reload each second, and time for one tick between two.
        let at = EngineTime(second * 1_000_000);
        routing.queues[0].target = Span::seconds(20 + second);
        let configure = Command::Configure(Arc::new(routing.clone()));
        got.extend(reserved(&handle(&mut engine, at, &configure)));
        assert_eq!(got, [], "a reload reserves nothing by itself");
        assert!(engine.agenda.hungry.len() <= AGENTS as usize, "{}", engine.agenda.hungry.len());
        got.extend(reserved(&handle(&mut engine, at, &Command::Tick)));
        if !got.is_empty() {
            break;
        }
    }
    assert_eq!(got, [(ContactId(1), last)], "the last of them has their turn too");
    let at = EngineTime(60_000_000);
    let mut ticks = 0;
    while engine.next_tick().is_some_and(|due| due <= at) {
        handle(&mut engine, at, &Command::Tick);
        ticks += 1;
    }
    assert!(ticks <= AGENTS / 100, "{ticks} ticks for one look of {AGENTS} agents");
    assert_eq!(engine.agenda.hungry.len(), 0);
}

#[test]
fn a_reload_gives_nobody_a_thousand_reservations_to_make_at_once() {
    let (mut engine, mut routing) = spanish_calls(u64::from(AGENTS));
    routing.queues[0].needs.clear();
    let at = EngineTime(1_000_000);
    assert_eq!(reserved(&handle(&mut engine, at, &Command::Configure(Arc::new(routing)))), []);
    let mut all = Vec::new();
    while engine.next_tick().is_some_and(|due| due <= at) {
        let events = handle(&mut engine, at, &Command::Tick);
        assert!(events.len() < 512, "{} events in one tick", events.len());
        all.extend(reserved(&events));
    }
    assert_eq!(all.len(), AGENTS as usize, "everyone is served");
    engine.check().expect("sound");
}

#[test]
fn agents_choose_by_the_places_that_the_edit_gives() {
    let mut c = Center::new();
    c.ready(BOB);
    let mut routing = Routing::clone(c.engine.routing());
    let spanish = routing.queues[SKILLED.index()].needs.clone();
    routing.queues[PLAIN.index()].needs = spanish;
    c.ok(&Command::Configure(Arc::new(routing.clone())));
    c.passes(0);
    let first = c.arrives(Channel::Voice, PLAIN);
    c.passes(10);
    let second = c.arrives(Channel::Voice, SKILLED);
    assert_eq!((c.held_for(first), c.held_for(second)), (None, None));
    // He learns Spanish, and the other queue goes first, by the same edit.
    routing.agents[BOB.index()].skills.push((SkillId(0), 5));
    routing.queues[SKILLED.index()].head_start = Span::seconds(60);
    c.ok(&Command::Configure(Arc::new(routing)));
    c.passes(0);
    assert_eq!((c.held_for(first), c.held_for(second)), (None, Some(BOB)));
}

#[test]
fn an_edit_reaches_everyone_although_others_come_before_the_walk_is_over() {
    let (mut engine, mut routing) = spanish_calls(2_000);
    // Nobody is free: only the walk is looked at.
    for n in 0..AGENTS {
        let (agent, act) = (AgentId(n), Act::Become(Availability::NotReady(ReasonId(1))));
        let command = Command::Agent { agent, session: None, act };
        handle(&mut engine, EngineTime(2), &command);
    }
    let mut refiled = std::collections::BTreeSet::new();
    for second in 1..=40 {
        let at = EngineTime(second * 1_000_000);
        routing.queues[0].head_start = Span::seconds(second);
        handle(&mut engine, at, &Command::Configure(Arc::new(routing.clone())));
        refiled.extend(handle(&mut engine, at, &Command::Tick).iter().filter_map(|e| match e {
            Event::Refiled(filing) => Some(filing.contact),
            _ => None,
        }));
    }
    assert_eq!(refiled.len(), 2_000, "a walk that begins anew each time never comes to the last");
}
