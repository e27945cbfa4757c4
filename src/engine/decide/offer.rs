//! The callback tier: a call is offered to those who wait on the line, and costs nothing.
//!
//! They stay where they stand until they accept, and go on standing there if they do not. The
//! room for the call is kept while the offer is out, so that no time is promised to more than
//! it is enough for. An offer is an effect; what it holds ends with it.

use super::super::command::Reply;
use super::super::contact::{Contact, Link, State};
use super::super::event::{EffectKind, Event, Settled};
use super::super::gateway::MOST_EFFECTS;
use super::super::recall::{CallbackOffer, Gate, Recall, Tier};
use super::super::refusal::Refusal;
use super::super::words::{Channel, ServiceClass};
use super::{Turn, is_hurt};
use crate::ids::{ContactId, EffectId};
use crate::time::Span;

/// How long one who is to show that lines work again may wait to be dialled.
const TRIED_WITHIN: Span = Span::seconds(600);

/// Whether a customer who is offered a call may still answer: they wait on the line.
pub(in crate::engine) fn may_answer(c: &Contact) -> bool {
    matches!(c.state, State::Queued | State::Reserved { .. })
        && c.service != ServiceClass::Safety
        && c.silent().is_none()
}

impl Turn<'_> {
    /// Whether a contact is one to whom a call may be offered, its wait and the room apart.
    pub(super) fn may_be_offered(&self, contact: ContactId) -> bool {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact) else { return false };
        let Some(recall) = engine.recall_at(c.entry_point) else { return false };
        let Some(gateway) = engine.gateway(c.gateway) else { return false };
        let Some(tier) = recall.plan.callback.filter(|_| recall.is_open(Tier::Callback)) else {
            return false;
        };
        let out = engine.board.offers(recall.id);
        c.channel == Channel::Voice
            && c.is_in_line()
            && matches!(c.link, Link::Attached(_))
            && engine.is_attached(c)
            && c.service != ServiceClass::Safety
            && !is_hurt(c)
            && c.parent.is_none()
            && c.named.is_none()
            && c.answered.is_none()
            && c.callback.is_none()
            && !c.machine.offered
            && self.line_is_tried(recall, out)
            && gateway.limits.offers
            && gateway.effects < MOST_EFFECTS
            && recall.tiers[Tier::Callback.index()].in_use.saturating_add(out) < tier.capacity
    }

    /// Whether one more call may be offered as far as lines have worked: while they are tried
    /// again, one at a time, from the offer until it was dialled.
    fn line_is_tried(&self, recall: &Recall, out: u32) -> bool {
        let breaker = &recall.breakers[Tier::Callback.index()];
        let Gate::Trying { probe: Some(probe) } = breaker.gate() else {
            return breaker.admits(out);
        };
        let asked = self.engine.contact(probe).and_then(|c| Some(c.callback.as_deref()?.asked));
        // It may have hours: somebody else is as good.
        out == 0 && asked.is_none_or(|asked| self.at.since(asked) >= TRIED_WITHIN)
    }

    /// A call for one who may be offered it, if their wait is long enough and there is room.
    pub(super) fn offer_for(&self, contact: ContactId) -> Option<CallbackOffer> {
        let c = self.engine.contact(contact)?;
        let recall = self.engine.recall_at(c.entry_point)?;
        let tier = recall.plan.callback?;
        let (_, expected) = self.engine.expected(c, self.engine.stand_of(contact), self.at);
        // Where nobody was served lately, what the configuration expects.
        let by_hand = || Some(self.engine.before(c, &*self.policy(c.queue)?, self.at)?.wait());
        if expected.map(|wait| wait.mean).or_else(by_hand)? <= tier.offer_after {
            return None;
        }
        let due = self.room_for_offer(c, tier.within)?;
        Some(CallbackOffer { recall: recall.id, due, until: self.at + tier.accept_within })
    }

    pub(super) fn offer_call(&mut self, contact: ContactId, offer: CallbackOffer) {
        self.ask_effect(contact, EffectKind::OfferCallback(offer));
    }

    /// A customer has answered an offer. What is over by then is told, never taken for granted.
    pub(super) fn offer_answered(
        &mut self,
        contact: ContactId,
        effect: EffectId,
        accepted: bool,
        confirmed: bool,
    ) -> Result<Reply, Refusal> {
        let over = Refusal::NoSuchEffect(effect);
        let out = self.contact(contact)?.effects.iter().find(|(e, _)| *e == effect);
        let Some((_, EffectKind::OfferCallback(offer))) = out.copied() else { return Err(over) };
        if !accepted {
            self.emit(Event::EffectSettled { effect, contact, how: Settled::Done });
            return Ok(Reply::Done);
        }
        let callback = self.plan_offered(contact, offer, confirmed)?;
        self.emit(Event::EffectSettled { effect, contact, how: Settled::Done });
        Ok(self.promise_callback(contact, callback, None))
    }

    /// Nobody answered an offer, or it is none for where its contact is now.
    pub(super) fn offer_over(&mut self, contact: ContactId) {
        let offers = |kind| matches!(kind, EffectKind::OfferCallback(_));
        self.settle_effects(contact, Settled::Withdrawn, offers);
    }
}
