//! Breakers: a tier that fails takes nobody for a while, tries one, and goes on.

use super::*;
use crate::engine::recall::Gate;

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
