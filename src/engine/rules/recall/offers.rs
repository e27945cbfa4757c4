//! The callback tier: an offer costs nothing, and no more is promised than there is room for.

use super::super::callbacks::policy;
use super::*;
use crate::engine::callback::{DialMode, DialOutcome, Phase};
use crate::engine::recall::{CallbackOffer, CallbackTier};
use crate::engine::routing::Routing;

pub(super) const TIER: CallbackTier = CallbackTier {
    from: Level::Surge,
    offer_after: Span::seconds(120),
    within: Span::seconds(4 * 3600),
    capacity: 100,
    accept_within: Span::seconds(30),
};

/// A center with a recall that offers calls and nothing else: 40 calls an hour are expected to
/// be served, half of which may be promised.
pub(super) fn offering(tier: CallbackTier, waiting: usize) -> (Center, Vec<ContactId>) {
    let mut c = Center::new();
    let mut routing = Routing::clone(c.engine.routing());
    routing.queues[PLAIN.index()].callback = Some(Arc::new(policy(DialMode::AgentFirst)));
    c.ok(&Command::Configure(Arc::new(routing)));
    let calls = (0..waiting).map(|_| c.comes(Channel::Voice, HOTLINE)).collect();
    let plan = Plan { faq: None, ivr: None, callback: Some(tier), ..plan(&[]) };
    assert_eq!(c.start_with(plan, Level::Surge), Ok(Reply::Recall(RECALL)));
    c.passes(0);
    (c, calls)
}

impl Center {
    pub(super) fn offer(&self, contact: ContactId) -> Option<(EffectId, CallbackOffer)> {
        self.open(contact).effects.iter().find_map(|(effect, kind)| match kind {
            EffectKind::OfferCallback(offer) => Some((*effect, *offer)),
            _ => None,
        })
    }

    pub(super) fn offered(&self, calls: &[ContactId]) -> Vec<usize> {
        let out = |(_, call): &(usize, &ContactId)| self.offer(**call).is_some();
        calls.iter().enumerate().filter(out).map(|(at, _)| at).collect()
    }

    pub(super) fn answers(&mut self, contact: ContactId, accepted: bool) -> Result<Reply, Refusal> {
        let (effect, _) = self.offer(contact).expect("offered");
        self.report(Report::OfferAnswered { contact, effect, accepted, confirmed: true })
    }
}

#[test]
fn whoever_waits_long_is_offered_a_call_and_keeps_their_place_whatever_they_say() {
    let (mut c, calls) = offering(TIER, 4);
    // 90 s each: nobody, one, two or three before them.
    assert_eq!(c.offered(&calls), [2, 3]);
    let places: Vec<_> = calls.iter().map(|call| c.open(*call).place).collect();
    assert!(calls.iter().all(|call| c.state(*call) == State::Queued), "an offer moves nobody");
    assert!(matches!(c.answers(calls[2], true), Ok(Reply::Promised { .. })));
    assert_eq!(c.answers(calls[3], false), Ok(Reply::Done));
    assert_eq!(c.state(calls[2]), State::CallbackDue);
    assert_eq!((c.state(calls[3]), c.offer(calls[3])), (State::Queued, None));
    c.passes(60);
    assert_eq!(c.offer(calls[3]), None, "nobody is asked twice");
    let now: Vec<_> = calls.iter().map(|call| c.open(*call).place).collect();
    assert_eq!(now, places);
    let counts = TierCounts { in_use: 1, entered: 1, ..TierCounts::default() };
    assert_eq!(c.tier(Tier::Callback), counts);
}

#[test]
fn a_time_is_kept_for_no_more_than_it_is_enough_for() {
    // Within a quarter of an hour, half of ten calls.
    let soon = CallbackTier { within: Span::seconds(900), offer_after: Span::ZERO, ..TIER };
    let (mut c, calls) = offering(soon, 12);
    let out = c.offered(&calls);
    assert!(!out.is_empty() && out.len() <= 5, "{out:?}");
    let first = calls[out[0]];
    assert_eq!(c.answers(first, false), Ok(Reply::Done));
    c.passes(5);
    assert_eq!(c.offered(&calls).len(), out.len(), "what one declines another is offered");
    c.passes(31);
    let timed_out = c.offered(&calls);
    assert!(timed_out.iter().all(|at| !out.contains(at)), "{timed_out:?}");
}

#[test]
fn offers_that_are_out_count_against_the_capacity() {
    let (mut c, calls) = offering(CallbackTier { capacity: 2, ..TIER }, 8);
    let out = c.offered(&calls);
    assert_eq!(out.len(), 2);
    for at in &out {
        assert!(matches!(c.answers(calls[*at], true), Ok(Reply::Promised { .. })));
    }
    c.passes(60);
    assert_eq!((c.offered(&calls).len(), c.tier(Tier::Callback).in_use), (0, 2));
}

#[test]
fn an_answer_that_comes_when_an_agent_has_the_call_is_refused() {
    let (mut c, calls) = offering(CallbackTier { offer_after: Span::ZERO, ..TIER }, 2);
    let (effect, _) = c.offer(calls[1]).expect("offered");
    c.ready(ANNE);
    c.ready(BOB);
    assert_eq!(c.held_for(calls[1]), Some(BOB));
    assert!(c.offer(calls[1]).is_some(), "who is held for an agent may still choose");
    c.accept(calls[1]);
    let withdrawn = Tell::EffectWithdrawn { effect, contact: calls[1] };
    assert!(c.told(Recipient::Gateway(GATE)).contains(&withdrawn));
    let late = Report::OfferAnswered { contact: calls[1], effect, accepted: true, confirmed: true };
    assert_eq!(c.report(late), Err(Refusal::NoSuchEffect(effect)));
    assert_eq!(c.state(calls[1]).kind(), StateKind::Connecting);
    assert_eq!(c.tier(Tier::Callback), TierCounts::default());
}

#[test]
fn only_calls_in_scope_that_no_person_has_had_are_offered_one() {
    let (mut c, _) = offering(CallbackTier { offer_after: Span::ZERO, ..TIER }, 3);
    let chat = c.comes(Channel::Chat, HOTLINE);
    let outside = c.comes(Channel::Voice, SHOP);
    let hurt = c.comes_as(Channel::Voice, HOTLINE, Some(TriageClass::Safety));
    let call = c.comes(Channel::Voice, HOTLINE);
    c.passes(5);
    assert_eq!(c.offered(&[chat, outside, hurt, call]), [3]);
    c.report(means(call, TriageClass::Safety)).expect("said");
    assert_eq!(c.offer(call), None, "who is hurt is not put off");
}

#[test]
fn a_call_that_reached_its_customer_counts_and_one_that_ended_without_does_too() {
    let (mut c, calls) = offering(TIER, 5);
    for call in [calls[2], calls[3]] {
        assert!(matches!(c.answers(call, true), Ok(Reply::Promised { .. })));
    }
    c.report(Report::CallbackCancelled(calls[3])).expect("they no longer want it");
    for call in [calls[0], calls[1], calls[4]] {
        c.report(Report::CustomerLeft(call)).expect("gave up");
    }
    c.ready(ANNE);
    c.passes(0);
    assert_eq!(c.held_for(calls[2]), Some(ANNE), "{:?}", c.phase(calls[2]));
    c.accept(calls[2]);
    c.dialled(calls[2], DialOutcome::Answered);
    let reservation = c.reservation(calls[2]);
    c.report(Report::Bridged(reservation)).expect("joined");
    assert_eq!(c.phase(calls[2]), Phase::Done);
    let counts = TierCounts { entered: 2, solved: 1, left: 1, ..TierCounts::default() };
    assert_eq!(c.tier(Tier::Callback), counts);
}

#[test]
fn a_repeated_answer_gets_the_same_reply() {
    let (mut c, calls) = offering(TIER, 4);
    let (contact, (effect, _)) = (calls[2], c.offer(calls[2]).expect("offered"));
    let report = Report::OfferAnswered { contact, effect, accepted: true, confirmed: true };
    let command = Command::Gateway { gateway: GATE, session: None, report };
    let request = Some(crate::ids::RequestId { id: 7, content: 1 });
    let first = c.run(request, &command);
    assert!(matches!(first, Ok(Reply::Promised { .. })), "{first:?}");
    assert_eq!(c.run(request, &command), first);
}

#[test]
fn an_offer_is_over_when_its_call_goes_to_another_queue() {
    let (mut c, calls) = offering(TIER, 4);
    let (effect, _) = c.offer(calls[2]).expect("offered");
    let order = Order::Move { contact: calls[2], queue: SKILLED };
    c.ok(&Command::Supervise { order, why: Arc::from("better there") });
    assert!(c.offer(calls[2]).is_none(), "its time was promised where it stood");
    let late = Report::OfferAnswered { contact: calls[2], effect, accepted: true, confirmed: true };
    assert_eq!(c.report(late), Err(Refusal::NoSuchEffect(effect)));
}
