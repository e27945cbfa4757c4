//! What fell due while nobody ticked: in order of time, and not all at once.

use std::sync::Arc;

use super::*;
use crate::engine::agent::Hold;

const OVERDUE: u32 = 10_000;

/// So many agents in wrap-up, each until another time.
fn in_wrap_up() -> Engine {
    let mut plain = queue("plain", &[], false);
    plain.wrap_up = Span::seconds(60);
    let agents = (0..OVERDUE).map(|n| agent(&format!("agent-{n}"), None, [1, 1, 1, 1]));
    let routing = Routing {
        pools: listed(&["own"]),
        queues: vec![plain],
        agents: agents.collect(),
        not_ready_reasons: listed(&["ring-no-answer", "just-connected"]),
        ..Routing::default()
    };
    let mut engine = Engine::default();
    let mut events = Vec::new();
    let mut run = |at: u64, command: &Command| {
        events.clear();
        engine.handle(EngineTime(at), None, command, &mut events).expect("taken")
    };
    run(0, &Command::Configure(Arc::new(routing)));
    run(0, &Command::RegisterGateway(Arc::from("gate")));
    for n in 0..OVERDUE {
        let (agent, at) = (AgentId(n), 1_000 * u64::from(n));
        let become_ready = Act::Become(Availability::Ready);
        run(at, &Command::ConnectAgent(agent));
        run(at, &Command::Agent { agent, session: None, act: become_ready });
        let arrival = Arrival {
            key: Arc::from(n.to_string()),
            channel: Channel::Chat,
            queue: PLAIN,
            entry_point: None,
            needs: [].into_iter().collect(),
            preferred: [].into_iter().collect(),
            head_start: Span::ZERO,
            safety: false,
            language: None,
            heed: None,
            customer: None,
            continues: None,
            waited: Span::ZERO,
            attributes: None,
            number_confirmed: false,
            content: 0,
        };
        let report = Report::Arrived(arrival);
        let Reply::Contact(contact) =
            run(at, &Command::Gateway { gateway: GATE, session: None, report })
        else {
            panic!("accepted")
        };
        let reservation = ReservationId(u64::from(n) + 1);
        run(at, &Command::Agent { agent, session: None, act: Act::Accept(reservation) });
        let act = Act::Complete { contact, disposition: None };
        run(at, &Command::Agent { agent, session: None, act });
    }
    engine
}

#[test]
fn ten_thousand_overdue_wrap_ups_end_in_order_over_several_ticks_after_a_restart() {
    let engine = in_wrap_up();
    let in_wrap_up = |engine: &Engine| {
        let ends = |a: &crate::engine::agent::Agent| {
            a.work.iter().any(|w| matches!(w.hold, Hold::WrapUp { .. }))
        };
        engine.agents().filter(|a| ends(a)).count()
    };
    assert_eq!(in_wrap_up(&engine), OVERDUE as usize);
    assert_eq!(engine.in_state(StateKind::Closed), u64::from(OVERDUE));
    // As a start does it: from an image, an hour later.
    let mut engine = Engine::restore(&engine.image()).expect("its own image");
    let at = EngineTime(3_600_000_000);
    let mut events = Vec::new();
    engine
        .handle(
            at,
            None,
            &Command::Restart { gap: Span::seconds(3_000), missed: Span::ZERO },
            &mut events,
        )
        .expect("taken");
    assert_eq!(in_wrap_up(&engine), OVERDUE as usize, "a restart itself ends none");
    let (mut ended, mut ticks) = (Vec::new(), 0);
    while engine.next_tick().is_some_and(|due| due <= at) {
        events.clear();
        engine.handle(at, None, &Command::Tick, &mut events).expect("taken");
        let ends = |event: &Event| match event {
            Event::WrapUpEnded { agent, .. } => Some(*agent),
            _ => None,
        };
        let slice: Vec<AgentId> = events.iter().filter_map(ends).collect();
        assert!(slice.len() <= 512, "{} in one tick", slice.len());
        ended.extend(slice);
        ticks += 1;
        assert!(ticks < 1_000, "it never ends");
    }
    assert!(ticks >= OVERDUE / 512, "{ticks} ticks");
    // Agents became free in the order of their ids, a millisecond apart.
    assert_eq!(ended, (0..OVERDUE).map(AgentId).collect::<Vec<_>>());
    assert_eq!(engine.check(), Ok(()));
}
