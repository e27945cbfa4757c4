//! What a gateway can carry: customers are called so many a second, and as many as it has
//! sessions for. The call waits, never the agent.

use super::callbacks::{center, policy};
use super::*;
use crate::engine::callback::{CallbackPolicy, DialMode, DialOutcome, Wanted};

const SOON: Wanted = Wanted { window: None, hours: None };

/// A center whose gateway can carry so much, with so many who wait to be called, by their places.
fn calling(mode: DialMode, limits: GatewayLimits, waiting: usize) -> (Center, Vec<ContactId>) {
    // Nobody can be promised a time, so that nobody has any.
    let mut c = center(&CallbackPolicy { per_hour: 0, ..policy(mode) });
    c.ok(&Command::ConnectGateway { name: Arc::from("gate"), limits });
    c.passes(0);
    let calls: Vec<_> = (0..waiting).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    for call in &calls {
        assert!(matches!(c.wants(*call, SOON), Ok(Reply::Promised { due: None, .. })));
    }
    (c, calls)
}

fn a_second(calls: u32) -> GatewayLimits {
    GatewayLimits { calls_per_second: calls, ..SAYS }
}

impl Center {
    fn called(&self, calls: &[ContactId]) -> Vec<bool> {
        calls.iter().map(|call| self.held_for(*call).is_some()).collect()
    }
}

#[test]
fn customers_are_called_no_faster_than_their_gateway_can() {
    for mode in DialMode::ALL {
        let (mut c, calls) = calling(mode, a_second(1), 3);
        [ANNE, BOB, CLEO].into_iter().for_each(|agent| c.ready(agent));
        assert_eq!(c.called(&calls), [true, false, false], "{mode:?}");
        c.passes(1);
        assert_eq!(c.called(&calls), [true, true, false], "{mode:?}");
        c.passes(1);
        assert_eq!(c.called(&calls), [true, true, true], "{mode:?}");
        // Who has said nothing of it is asked for all at once.
        let (mut c, calls) = calling(mode, SAYS, 3);
        [ANNE, BOB, CLEO].into_iter().for_each(|agent| c.ready(agent));
        assert_eq!(c.called(&calls), [true, true, true], "{mode:?}");
    }
}

#[test]
fn the_call_waits_for_its_turn_and_the_agent_takes_somebody_else() {
    let (mut c, calls) = calling(DialMode::CustomerFirst, a_second(1), 2);
    c.ready(ANNE);
    c.ready(BOB);
    assert_eq!(c.called(&calls), [true, false]);
    let live = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(c.held_for(live), Some(BOB));
    c.passes(1);
    assert_eq!(c.called(&calls), [true, false], "nobody is free for it");
    c.ready(CLEO);
    assert_eq!(c.held_for(calls[1]), Some(CLEO), "its turn has come long since");
}

#[test]
fn a_turn_is_kept_by_an_engine_that_is_made_again() {
    let (mut c, calls) = calling(DialMode::AgentFirst, a_second(1), 2);
    c.ready(ANNE);
    assert_eq!(c.called(&calls), [true, false]);
    c.engine = Engine::restore(&c.engine.image()).expect("the state of one");
    c.ready(BOB);
    assert_eq!(c.called(&calls), [true, false]);
    assert_eq!(c.engine.next_tick().map(|at| at.0 / 1_000_000), Some(1));
    c.passes(1);
    assert_eq!(c.called(&calls), [true, true]);
}

#[test]
fn a_gateway_without_a_session_left_calls_nobody() {
    let limits = GatewayLimits { sessions: 2, ..SAYS };
    let (mut c, calls) = calling(DialMode::AgentFirst, limits, 2);
    let live = c.arrives(Channel::Voice, SKILLED);
    c.ready(ANNE);
    assert_eq!(c.held_for(calls[0]), Some(ANNE), "one on the line and one to be called");
    c.ready(BOB);
    assert_eq!(c.called(&calls), [true, false]);
    // What is on the line takes no session more: the caller is connected all the same.
    c.ready(CLEO);
    assert_eq!(c.held_for(live), Some(CLEO));
    c.report(Report::CustomerLeft(live)).expect("gave up");
    c.passes(0);
    assert_eq!(c.called(&calls), [true, true]);
}

#[test]
fn a_call_that_fails_gives_its_session_to_the_next() {
    let limits = GatewayLimits { sessions: 1, ..SAYS };
    let (mut c, calls) = calling(DialMode::CustomerFirst, limits, 2);
    c.ready(ANNE);
    c.ready(BOB);
    assert_eq!(c.called(&calls), [true, false]);
    c.dialled(calls[0], DialOutcome::Busy);
    c.passes(0);
    assert_eq!(c.called(&calls), [false, true]);
}

#[test]
fn who_is_kept_for_one_agent_does_not_wait_and_counts() {
    let (mut c, calls) = calling(DialMode::AgentFirst, a_second(1), 2);
    c.ready(ANNE);
    assert_eq!(c.called(&calls), [true, false]);
    c.ready(BOB);
    let order = Order::CallNow { contact: calls[1], agent: Some(BOB) };
    c.ok(&Command::Supervise { order, why: Arc::from("she asked twice") });
    assert_eq!(c.held_for(calls[1]), Some(BOB));
    assert_eq!(c.engine.gateway(GATE).expect("known").next_call.0, 2_000_000);
}
