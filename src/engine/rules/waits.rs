//! What is said of a wait: who counts as before one, and when nothing is said.

use super::callbacks::center;
use super::*;
use crate::engine::callback::{CallbackPolicy, DialOutcome, Phase, Wanted};
use crate::engine::wait_estimate::WaitEstimate;

impl Center {
    /// Every agent given takes so many contacts of a queue and channel, for 100 s each.
    fn learns(&mut self, agents: &[AgentId], queue: QueueId, channel: Channel) {
        for agent in agents {
            self.ready(*agent);
        }
        for _ in 0..8 {
            let contact = self.arrives(channel, queue);
            self.answer(contact);
            self.passes(100);
            self.complete(contact);
        }
    }

    fn expects(&self, contact: ContactId) -> Option<WaitEstimate> {
        self.engine.wait_estimate(contact, self.at())
    }

    /// Seconds of the mean, to the nearest.
    fn mean(&self, contact: ContactId) -> f64 {
        self.expects(contact).expect("known").mean.as_secs_f64().round()
    }
}

#[test]
fn other_lines_for_the_same_agent_count() {
    let mut c = Center::new();
    c.learns(&[BOB], PLAIN, Channel::Voice);
    c.learns(&[BOB], PLAIN, Channel::Chat);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.answer(call);
    for _ in 0..10 {
        c.arrives(Channel::Voice, PLAIN);
    }
    let chat = c.arrives(Channel::Chat, PLAIN);
    // Bob has 10 calls of 100 s before it, and would have two chats at once.
    assert!((1_040.0..=1_060.0).contains(&c.mean(chat)), "{}", c.mean(chat));
    let call = c.arrives(Channel::Voice, PLAIN);
    // 10 calls and a chat, which keeps half of him busy, and the one that he has.
    assert!((1_100.0..=1_200.0).contains(&c.mean(call)), "{}", c.mean(call));
}

#[test]
fn a_line_with_agents_of_its_own_counts_in_part() {
    let mut c = Center::new();
    c.learns(&[ANNE, BOB, CLEO], PLAIN, Channel::Voice);
    c.learns(&[], SKILLED, Channel::Voice);
    let busy: Vec<_> = (0..3).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    busy.iter().for_each(|call| c.answer(*call));
    let plain: Vec<_> = (0..9).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    let skilled = c.arrives(Channel::Voice, SKILLED);
    // Two of the three agents who take the nine are its own: six are before it, for two agents.
    assert!((345.0..=355.0).contains(&c.mean(skilled)), "{}", c.mean(skilled));
    // It stands behind all of them.
    assert!((295.0..=305.0).contains(&c.mean(plain[8])), "{}", c.mean(plain[8]));
    let hurt: Vec<_> = (0..4).map(|_| c.arrives(Channel::Voice, SAFETY)).collect();
    assert!(hurt.iter().all(|hurt| c.held_for(*hurt).is_none()));
    // Whoever is about safety goes first, wherever they stand: two thirds of four.
    assert!((475.0..=500.0).contains(&c.mean(skilled)), "{}", c.mean(skilled));
    let before = c.mean(skilled);
    c.arrives(Channel::Email, PLAIN);
    assert_eq!(c.mean(skilled), before, "letters wait for those who wait on the line");
}

#[test]
fn letters_have_what_calls_leave_and_their_share_at_least() {
    let mut c = Center::new();
    c.learns(&[ANNE, BOB, CLEO], PLAIN, Channel::Email);
    let letter = (0..5).map(|_| c.arrives(Channel::Email, PLAIN)).last().expect("five");
    assert_eq!(c.state(letter).kind(), StateKind::Reserved, "there is room for five");
    let letter = c.arrives(Channel::Email, PLAIN);
    // Nobody calls: five letters at once, none before it.
    assert!((19.0..=21.0).contains(&c.mean(letter)), "{}", c.mean(letter));
    let letters: Vec<_> =
        c.engine.agent(CLEO).expect("agent").work.iter().map(|w| w.contact).collect();
    let call = c.arrives(Channel::Voice, PLAIN);
    letters.iter().for_each(|l| c.answer(*l));
    letters.iter().for_each(|l| c.complete(*l));
    assert_eq!(c.held_for(call), Some(CLEO), "she has nothing else in hand");
    let last = c.arrives(Channel::Email, PLAIN);
    // One of three agents is on a call: letters have two thirds of five slots, and one is
    // before it. She was done with hers at once, so that a letter takes 89 s.
    assert!((52.0..=55.0).contains(&c.mean(last)), "{}", c.mean(last));
}

#[test]
fn what_is_not_known_is_not_said() {
    let mut c = Center::new();
    let next = |c: &Center| c.engine.wait_of_next(PLAIN, Channel::Voice, c.at());
    assert_eq!(next(&c), None, "nobody was ever here");
    let call = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(c.expects(call), None, "nobody is at work");
    c.ready(BOB);
    c.answer(call);
    let call = c.arrives(Channel::Voice, PLAIN);
    let one = c.expects(call).expect("one was taken just now").mean;
    assert!(one >= Span::ZERO);
    c.passes(1_000);
    assert_eq!(c.expects(call), None, "nobody was taken for long, and nobody was ever done");
    let mut c = Center::new();
    c.learns(&[BOB], PLAIN, Channel::Voice);
    assert_eq!(next(&c), Some(WaitEstimate::default()), "Bob is idle");
    let held = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(c.expects(held), None, "it does not wait");
    let calls: Vec<_> = (0..200).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    assert!((100.0..=1_000.0).contains(&c.mean(calls[5])));
    assert_eq!(c.expects(calls[199]), None, "more than four hours");
    c.act(BOB, Act::Next(Some(Availability::SignedOut))).expect("set");
    assert_eq!(c.expects(calls[5]), None, "he takes no more");
}

#[test]
fn an_agent_who_comes_or_goes_counts_at_once() {
    let mut c = Center::new();
    c.learns(&[BOB], PLAIN, Channel::Voice);
    c.arrives(Channel::Voice, PLAIN);
    let calls: Vec<_> = (0..12).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    let alone = c.mean(calls[11]);
    c.ready(CLEO);
    // She takes the first of those before it, too.
    let two = c.mean(calls[11]);
    assert!((two / alone - 11.0 / 24.0).abs() < 0.02, "{alone} {two}");
    c.act(CLEO, Act::Become(Availability::NotReady(ReasonId(2)))).expect("not ready");
    assert!((c.mean(calls[11]) / alone - 11.0 / 12.0).abs() < 0.03);
}

#[test]
fn callbacks_that_will_go_by_their_places_count_for_those_on_the_line() {
    let mut c = center(&CallbackPolicy::default());
    let mut routing = Routing::clone(c.engine.routing());
    routing.settings.async_share = 0;
    c.ok(&Command::Configure(Arc::new(routing)));
    c.learns(&[BOB], PLAIN, Channel::Voice);
    let busy = c.arrives(Channel::Voice, PLAIN);
    c.answer(busy);
    for _ in 0..40 {
        let call = c.arrives(Channel::Voice, PLAIN);
        c.passes(1);
        c.wants(call, Wanted::default()).expect("promised");
    }
    let calls: Vec<_> = (0..10).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    let (told, began) = (c.mean(calls[9]), c.at());
    while c.state(calls[9]) == State::Queued {
        (0..10).for_each(|_| c.passes(10));
        let done = c.engine.agent(BOB).expect("there").work[0].contact;
        c.complete(done);
        let next = c.engine.agent(BOB).expect("there").work[0].contact;
        c.accept(next);
        if c.engine.contact(next).is_some_and(|c| c.silent().is_some()) {
            assert!(matches!(c.phase(next), Phase::Pressing { .. }), "{:?}", c.phase(next));
            c.dialled(next, DialOutcome::Answered);
        }
        let reservation = c.reservation(next);
        c.report(Report::Bridged(reservation)).expect("bridged");
    }
    // Ten calls of 100 s, and as many callbacks between them, and those that come early.
    let waited = c.at().since(began).as_secs_f64();
    assert!((1_800.0..=2_700.0).contains(&waited), "{waited}");
    assert!((told / waited - 1.0).abs() < 0.25, "told {told}, waited {waited}");
    // Callbacks that have time make a long line, but not the one that a caller joins.
    let next = c.engine.wait_of_next(PLAIN, Channel::Voice, c.at()).expect("known").mean;
    assert!(next < Span::seconds(1_500), "nobody is on the line: {next:?}");
}
