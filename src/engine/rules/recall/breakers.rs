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
    c.passes(5);
    c.report(wishes(probe, Wish::Solved)).expect("said");
    assert_eq!(c.gate(Tier::Faq), Gate::Closed);
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
