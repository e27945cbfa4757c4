//! Breakers: a tier that fails takes nobody for a while, tries one, and goes on.

use super::*;
use crate::engine::Engine;
use crate::engine::callback::DialOutcome;
use crate::engine::recall::{CallbackTier, Gate, PartnerTier};
use crate::ids::SessionId;

impl Center {
    fn gate(&self, tier: Tier) -> Gate {
        self.engine.recall(RECALL).expect("started").breakers[tier.index()].gate()
    }

    /// A chat whose acknowledgement cannot be sent, or whose question has no answer.
    fn chat_that(&mut self, fails: bool) -> ContactId {
        let chat = self.comes(Channel::Chat, HOTLINE);
        if self.open(chat).self_service().is_none() {
            return chat;
        }
        if fails {
            let effect = self.open(chat).effects[0].0;
            self.report(Report::EffectFailed { effect, code: 5 }).expect("failed");
        } else {
            self.found(chat, Answer::None);
        }
        chat
    }
}

#[test]
fn a_tier_that_fails_takes_nobody_and_then_one_at_a_time() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    for fails in [false, true].into_iter().cycle().take(19) {
        c.chat_that(fails);
    }
    assert_eq!(c.gate(Tier::Faq), Gate::Closed, "nine of nineteen");
    c.chat_that(true);
    let until = c.at() + Span::seconds(60);
    assert_eq!(c.gate(Tier::Faq), Gate::Open { until });
    let chat = c.comes(Channel::Chat, HOTLINE);
    assert_eq!(c.state(chat), State::Queued, "for an agent");
    c.passes(60);
    assert!(matches!(c.gate(Tier::Faq), Gate::Trying { .. }), "{:?}", c.gate(Tier::Faq));
    c.passes(5);
    let probes = |c: &Center| c.tier(Tier::Faq).in_use;
    assert_eq!(probes(&c), 1, "one, to see");
    let second = c.comes(Channel::Chat, HOTLINE);
    assert_eq!((probes(&c), c.state(second)), (1, State::Queued));
    // Nobody reads what the first one wrote: it fails again, and for twice as long.
    c.passes(10);
    let until = c.at() + Span::seconds(120);
    assert_eq!(c.gate(Tier::Faq), Gate::Open { until });
    c.passes(125);
    c.passes(1);
    let Gate::Trying { probe: Some(probe) } = c.gate(Tier::Faq) else {
        panic!("{:?}", c.gate(Tier::Faq))
    };
    c.found(probe, Answer::Entry { entry: 1, score: 900 });
    assert_eq!(c.gate(Tier::Faq), Gate::Closed, "its words were read: nobody waits for its end");
    c.passes(5);
    c.report(wishes(probe, Wish::Solved)).expect("said");
    for _ in 0..3 {
        c.comes(Channel::Chat, HOTLINE);
    }
    assert_eq!(probes(&c), 3, "everybody again");
    assert_eq!(c.gate(Tier::Ivr), Gate::Closed, "the other tier knows nothing of it");
}

#[test]
fn customers_who_want_a_person_are_no_failure_of_the_machine() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    for _ in 0..40 {
        let chat = c.comes(Channel::Chat, HOTLINE);
        c.report(wishes(chat, Wish::Person)).expect("said");
    }
    assert_eq!((c.gate(Tier::Faq), c.tier(Tier::Faq).returned), (Gate::Closed, 40));
}

#[test]
fn conversations_that_go_on_count_as_soon_as_the_machine_did_its_part() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    for _ in 0..40 {
        let chat = c.comes(Channel::Chat, HOTLINE);
        c.found(chat, Answer::Entry { entry: 1, score: 900 });
    }
    // Twelve of fifty-two, and none of the forty has ended.
    for _ in 0..12 {
        c.chat_that(true);
    }
    assert_eq!(c.gate(Tier::Faq), Gate::Open { until: c.at() + Span::seconds(60) });
    let mut c = Center::new();
    c.start(Level::Elevated);
    for n in 0..60 {
        let chat = c.comes(Channel::Chat, HOTLINE);
        match n % 5 {
            0 => c.report(fails(&c, chat)).map(|_| ()).expect("failed"),
            _ => c.found(chat, Answer::Entry { entry: 1, score: 900 }),
        }
    }
    assert_eq!(c.gate(Tier::Faq), Gate::Closed, "one of five, however long the others take");
}

fn fails(c: &Center, chat: ContactId) -> Report {
    Report::EffectFailed { effect: c.open(chat).effects[0].0, code: 5 }
}

#[test]
fn a_menu_that_nobody_hears_is_left_alone_after_a_while() {
    let mut c = Center::new();
    c.start(Level::Surge);
    for _ in 0..20 {
        assert_eq!(c.gate(Tier::Ivr), Gate::Closed);
        let call = c.comes(Channel::Voice, HOTLINE);
        c.passes(31);
        c.report(Report::CustomerLeft(call)).expect("left");
    }
    assert!(matches!(c.gate(Tier::Ivr), Gate::Open { .. }), "{:?}", c.gate(Tier::Ivr));
    let mut c = Center::new();
    c.start(Level::Surge);
    for _ in 0..40 {
        let call = c.comes(Channel::Voice, HOTLINE);
        c.passes(4);
        c.report(Report::CustomerLeft(call)).expect("left");
    }
    assert_eq!(c.gate(Tier::Ivr), Gate::Closed, "who hangs up at once blames nobody");
}

#[test]
fn a_menu_that_is_tried_and_heard_takes_everybody_again() {
    let mut c = Center::new();
    c.start(Level::Surge);
    for _ in 0..20 {
        let call = c.comes(Channel::Voice, HOTLINE);
        c.passes(31);
        c.report(Report::CustomerLeft(call)).expect("left");
    }
    let waits = c.comes(Channel::Voice, HOTLINE);
    assert_eq!(c.state(waits), State::Queued);
    c.passes(65);
    assert_eq!(c.gate(Tier::Ivr), Gate::Trying { probe: Some(waits) });
    let second = c.comes(Channel::Voice, HOTLINE);
    assert_eq!(c.state(second), State::Queued, "one, to see");
    c.passes(1);
    c.all_said(waits);
    assert_eq!(c.gate(Tier::Ivr), Gate::Closed, "its greeting was heard");
}

impl Center {
    /// What an agent is asked to take.
    fn asked_of(&self, agent: AgentId) -> Option<ContactId> {
        let asked =
            |c: &&Contact| matches!(c.state, State::Reserved { agent: a, .. } if a == agent);
        self.engine.contacts().find(asked).map(|c| c.id)
    }

    /// Calls the next one who wants to be called, in vain or not.
    fn calls_next(&mut self, outcome: DialOutcome) {
        let call = self.asked_of(ANNE).expect("somebody is to be called");
        self.accept(call);
        self.dialled(call, outcome);
    }
}

#[test]
fn lines_that_fail_are_promised_to_nobody_and_then_to_one_at_a_time() {
    let tier = CallbackTier { offer_after: Span::ZERO, ..offers::TIER };
    let (mut c, calls) = offers::offering(tier, 30);
    for at in c.offered(&calls) {
        assert!(matches!(c.answers(calls[at], true), Ok(Reply::Promised { .. })));
    }
    let lines: Vec<_> = calls.iter().filter(|call| c.state(**call) == State::Queued).collect();
    for call in lines {
        c.report(Report::CustomerLeft(*call)).expect("gave up");
    }
    c.ready(ANNE);
    for _ in 0..20 {
        assert_eq!(c.gate(Tier::Callback), Gate::Closed);
        c.calls_next(DialOutcome::Congestion);
    }
    assert_eq!(c.gate(Tier::Callback), Gate::Open { until: c.at() + Span::seconds(60) });
    let again = Engine::restore(&c.engine.image()).expect("the state of one");
    let breaker = |engine: &Engine| engine.recall(RECALL).expect("started").breakers;
    assert_eq!(breaker(&again), breaker(&c.engine));
    c.ok(&Command::DisconnectAgent { agent: ANNE, session: SessionId(2) });
    c.passes(20);
    let calls: Vec<_> = (0..4).map(|_| c.comes(Channel::Voice, HOTLINE)).collect();
    c.passes(30);
    assert_eq!(c.offered(&calls), [] as [usize; 0], "no more are promised what does not work");
    c.passes(20);
    let first = calls[c.offered(&calls)[0]];
    assert_eq!(c.offered(&calls).len(), 1);
    assert!(matches!(c.answers(first, true), Ok(Reply::Promised { .. })));
    assert_eq!(c.gate(Tier::Callback), Gate::Trying { probe: Some(first) });
    c.passes(590);
    assert_eq!(c.offered(&calls).len(), 0, "one at a time, until they were called");
    c.passes(20);
    assert_eq!(c.offered(&calls).len(), 1, "who has hours gives way to somebody else");
    let other = calls[c.offered(&calls)[0]];
    assert!(matches!(c.answers(other, true), Ok(Reply::Promised { .. })));
    assert_eq!(c.gate(Tier::Callback), Gate::Trying { probe: Some(other) });
    // Whoever it is that is called: the line works.
    for call in calls.into_iter().filter(|call| ![first, other].contains(call)) {
        c.report(Report::CustomerLeft(call)).expect("gave up");
    }
    c.ready(ANNE);
    c.calls_next(DialOutcome::Busy);
    assert_eq!(c.gate(Tier::Callback), Gate::Closed);
}

#[test]
fn partners_who_do_not_answer_are_left_alone_and_then_asked_once() {
    let mut c = partners::with_partner();
    let tier = PartnerTier { lead: Span::ZERO, ..partners::partner_tier() };
    c.starts_with_partners(tier, Level::Critical);
    let declines = |c: &mut Center, letter: ContactId| {
        let reservation = c.reservation(letter);
        c.act(CLEO, Act::Decline(reservation)).expect("declined");
        c.ready(CLEO);
    };
    c.ready(CLEO);
    for _ in 0..20 {
        assert_eq!(c.gate(Tier::Partner), Gate::Closed);
        let letter = c.comes(Channel::Email, HOTLINE);
        assert_eq!(c.held_for(letter), Some(CLEO));
        declines(&mut c, letter);
    }
    let until = c.at() + Span::seconds(60);
    assert_eq!(c.gate(Tier::Partner), Gate::Open { until });
    let none = TierCounts::default();
    assert_eq!(c.tier(Tier::Partner), none, "they have had nobody");
    assert_eq!(c.asked_of(CLEO), None);
    c.engine = Engine::restore(&c.engine.image()).expect("the state of one");
    let chat = c.comes(Channel::Chat, HOTLINE);
    c.passes(59);
    assert_eq!((c.held_for(chat), c.asked_of(CLEO)), (None, None));
    c.passes(1);
    let Gate::Trying { probe: Some(probe) } = c.gate(Tier::Partner) else {
        panic!("{:?}", c.gate(Tier::Partner))
    };
    declines(&mut c, probe);
    assert_eq!(c.asked_of(CLEO), None, "nobody else in the same breath");
    let until = c.at() + Span::seconds(120);
    assert_eq!(c.gate(Tier::Partner), Gate::Open { until });
    c.passes(120);
    let probe = c.asked_of(CLEO).expect("asked once more");
    c.accept(probe);
    assert_eq!(c.gate(Tier::Partner), Gate::Closed);
    c.complete(probe);
    c.passes(0);
    assert!(c.asked_of(CLEO).is_some(), "and everybody again");
}
