//! A queue's own announcements and fallbacks in a recall: one voice, and nobody sent away.

use super::super::steps::{BUSY, after};
use super::*;
use crate::engine::queue_life::{Fallback, QueueLife, QueueStep, Then};

impl Center {
    /// An agent takes a contact and completes it so many seconds later.
    pub(super) fn takes(&mut self, agent: AgentId, contact: ContactId, seconds: u64) {
        assert_eq!(self.held_for(contact), Some(agent));
        self.answer(contact);
        self.passes(seconds);
        self.complete(contact);
    }
}

fn full() -> QueueLife {
    let full = Fallback { tell: Some(BUSY), then: Then::Close };
    QueueLife { most_waiting: 1, full, ..QueueLife::default() }
}

#[test]
fn a_queue_is_silent_and_sends_nobody_away_while_the_playbook_speaks() {
    let step = QueueStep { tell: Some(BUSY), raise_priority: Span::seconds(1), ..after(10) };
    let mut c = Center::with_life(PLAIN, vec![step], full());
    let mut one = plan(&[]);
    one.faq.as_mut().expect("it has one").capacity = 1;
    assert_eq!(c.start_with(one, Level::Surge), Ok(Reply::Recall(RECALL)));
    c.passes(0);
    let served = c.comes(Channel::Chat, HOTLINE);
    assert!(c.open(served).self_service().is_some());
    let waits = [c.comes(Channel::Chat, HOTLINE), c.comes(Channel::Chat, HOTLINE)];
    assert!(waits.iter().all(|w| c.state(*w) == State::Queued && c.asked(*w).is_empty()));
    c.passes(10);
    let raised = c.open(waits[1]).stage.raised;
    assert_eq!(raised, Span::seconds(1), "the step is taken all the same");
    assert!(c.asked(waits[1]).is_empty(), "without its words");
    let other = c.comes(Channel::Chat, SHOP);
    let announces = |(_, kind): &(EffectId, EffectKind)| matches!(kind, EffectKind::Announce(_));
    assert!(c.asked(other).iter().any(announces), "who is not in its scope is told as ever");
}

#[test]
fn who_is_hurt_on_the_way_out_comes_back() {
    let mut c = Center::with_life(PLAIN, Vec::new(), full());
    c.start(Level::Normal);
    c.comes(Channel::Chat, SHOP);
    let leaves = c.comes(Channel::Chat, SHOP);
    assert!(matches!(c.state(leaves), State::Pending { agent: None, .. }));
    let effect = c.asked(leaves)[0].0;
    c.report(means(leaves, TriageClass::Safety)).expect("said");
    assert_eq!((c.state(leaves), c.open(leaves).service), (State::Queued, ServiceClass::Safety));
    c.report(Report::EffectDone(effect)).expect("too late");
    assert_eq!(c.end_of(leaves), None);
}

#[test]
fn who_is_hurt_and_declined_goes_to_the_safety_lane() {
    let mut c = Center::new();
    c.start(Level::Elevated);
    c.ready(BOB);
    let chat = c.comes(Channel::Chat, HOTLINE);
    c.report(means(chat, TriageClass::Safety)).expect("heard");
    assert_eq!(c.held_for(chat), Some(BOB), "a person is on the way already");
    let reservation = c.reservation(chat);
    c.act(BOB, Act::Decline(reservation)).expect("declined");
    assert_eq!((c.open(chat).queue, c.open(chat).service), (SAFETY, ServiceClass::Safety));
}
