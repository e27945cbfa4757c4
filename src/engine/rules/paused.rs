//! While space for the journal runs out no reservation is made, and all else goes on.

use super::{ANNE, BOB, Center, PLAIN};
use crate::engine::command::{Act, Command};
use crate::engine::contact::State;
use crate::engine::words::Channel;

#[test]
fn nobody_is_reserved_while_paused_and_everybody_afterwards() {
    let mut c = Center::new();
    c.ready(ANNE);
    let held = c.arrives(Channel::Chat, PLAIN);
    c.ok(&Command::PauseReservations(true));
    assert!(c.events.len() == 1 && c.engine.is_paused());
    c.ok(&Command::PauseReservations(true));
    assert!(c.events.is_empty(), "told twice, it happens once");

    let State::Reserved { reservation, .. } = c.state(held) else { panic!("not held") };
    c.act(ANNE, Act::Accept(reservation)).expect("what was offered can be taken");
    let waiting = [c.arrives(Channel::Chat, PLAIN), c.arrives(Channel::Voice, PLAIN)];
    c.ready(BOB);
    c.passes(5);
    assert!(waiting.iter().all(|w| c.state(*w) == State::Queued));

    c.ok(&Command::PauseReservations(false));
    c.passes(0);
    assert!(waiting.iter().all(|w| c.held_for(*w).is_some()), "freed capacity reaches everyone");
}
