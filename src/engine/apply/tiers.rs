//! What events mean for the tiers of a recall: who is in them, how that ended, and what it tells
//! of a tier that fails.

use super::super::Engine;
use super::super::contact::{Contact, State};
use super::super::gateway::{OnLine, Through};
use super::super::recall::{Gate, Outcome, ReturnedBecause, SelfService, Step, Tier};
use super::super::words::EndReason;
use crate::ids::{ContactId, RecallId};
use crate::time::{EngineTime, Span};

/// Where a contact stood in tiers before it ended.
pub(super) struct InTiers {
    through: Through,
    served: Option<SelfService>,
    called: Option<RecallId>,
    partner: WithPartner,
    on_line: bool,
    /// A menu had it for long and said nothing that was heard.
    mute: bool,
}

/// After so long in a menu without having heard anything nobody is to blame who hangs up.
const MUTE: Span = Span::seconds(30);

/// How a contact stands with partners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct WithPartner {
    /// Its recall, if a partner has it or is asked for it.
    recall: Option<RecallId>,
    /// They have taken it.
    taken: bool,
}

impl WithPartner {
    pub(super) fn of(c: &Contact) -> Self {
        let taken = c.partner.is_some() && matches!(c.state, State::Assigned { .. });
        Self { recall: c.partner, taken }
    }

    /// The recall for which a partner has taken it.
    fn has(self) -> Option<RecallId> {
        self.recall.filter(|_| self.taken)
    }
}

impl InTiers {
    pub(super) fn of(engine: &Engine, c: &Contact) -> Self {
        let (served, called) = (c.self_service(), c.callback_tier());
        let mute = served.is_some_and(|s| engine.is_mute(c, s));
        let (through, on_line) = ((c.gateway, c.entry_point), c.is_on_line());
        Self { through, served, called, partner: WithPartner::of(c), on_line, mute }
    }
}

impl Engine {
    pub(super) fn ended_in_tiers(&mut self, id: ContactId, stood: InTiers, reason: EndReason) {
        if stood.on_line {
            self.count_on_line(stood.through, false);
        }
        if let Some(s) = stood.served {
            self.self_service_changed(stood.through.0, Some(s), None);
            self.ended_in_self_service(s, reason);
            let how = if stood.mute { Outcome::Failed } else { Outcome::Neither };
            self.tier_ends(s.recall, s.tier, id, how);
        }
        if let Some(recall) = stood.called {
            self.tier_ends(recall, Tier::Callback, id, Outcome::Neither);
            self.count_tier(recall, Tier::Callback, |t| {
                t.in_use = t.in_use.saturating_sub(1);
                t.left += 1;
            });
        }
        if let Some(recall) = stood.partner.recall {
            self.tier_ends(recall, Tier::Partner, id, Outcome::Neither);
            self.count_tier(recall, Tier::Partner, |t| {
                t.in_use = t.in_use.saturating_sub(1);
                match reason {
                    _ if !stood.partner.taken => {}
                    EndReason::Completed => t.solved += 1,
                    _ => t.left += 1,
                }
            });
        }
    }

    /// Whether a menu has had a caller for long and nothing that it said was heard.
    fn is_mute(&self, c: &Contact, s: SelfService) -> bool {
        let limit = self.recall(s.recall).and_then(|r| Some(r.plan.ivr.as_ref()?.time_limit));
        let begun = limit.map(|limit| EngineTime(s.until.0.saturating_sub(limit.0)));
        s.tier == Tier::Ivr
            && !matches!(s.step, Step::Entering { .. })
            && !c.heard.iter().any(|(recall, _)| *recall == s.recall)
            && begun.is_some_and(|begun| self.now.since(begun) >= MUTE)
    }

    /// A machine has done its part for a contact: words were read in time, or the menu's
    /// greeting was heard.
    pub(super) fn machine_worked(&mut self, contact: ContactId, tier: Tier) {
        let served = self.contact(contact).and_then(Contact::self_service);
        if let Some(s) = served.filter(|s| s.tier == tier) {
            self.tier_ends(s.recall, tier, contact, Outcome::Worked);
        }
    }

    /// One more, or one less, is on the line at a gateway.
    pub(in crate::engine) fn count_on_line(&mut self, (gateway, through): Through, comes: bool) {
        if self.on_line.len() <= gateway.index() {
            self.on_line.resize_with(gateway.index() + 1, OnLine::default);
        }
        self.on_line[gateway.index()].count(through, comes);
    }

    /// A call that is about to be made is its gateway's turn: the next one comes so much later.
    pub(super) fn takes_turn(&mut self, contact: ContactId) {
        let silent = self.contact(contact).filter(|c| c.silent().is_some());
        let Some(gateway) = silent.map(|c| c.gateway) else { return };
        let now = self.now;
        let Some(g) = self.gateways.get_mut(gateway.index()) else { return };
        let apart = g.calls_apart();
        if apart > Span::ZERO {
            g.next_call = g.next_call.max(now) + apart;
            self.turns.insert(gateway, g.next_call);
        }
    }

    /// Whether a partner took what they were offered, which tells of the tier.
    pub(super) fn partner_told(&mut self, contact: ContactId, how: Outcome) {
        if let Some(recall) = self.contact(contact).and_then(|c| c.partner) {
            self.tier_ends(recall, Tier::Partner, contact, how);
        }
    }

    /// What a contact's end in a tier tells of it. Only who counts as failed or not changes:
    /// what follows is an event of its own.
    pub(super) fn tier_ends(
        &mut self,
        recall: RecallId,
        tier: Tier,
        contact: ContactId,
        how: Outcome,
    ) {
        if let Some(recall) = self.recalls.iter_mut().find(|r| r.id == recall) {
            let breaker = &mut recall.breakers[tier.index()];
            match breaker.gate {
                // A line that carries a call carries the one that it is tried with.
                Gate::Trying { .. } if tier == Tier::Callback && how != Outcome::Neither => {
                    breaker.tells(how);
                }
                // Of what tries again only who was let in to try tells anything.
                Gate::Trying { probe: None } => {}
                _ => breaker.ends(contact, how),
            }
        }
    }

    /// Keeps count of what partners have and are asked for: taken, gone on to somebody else. Who
    /// is asked and does not take it has never had it.
    pub(super) fn partner_tier_changed(
        &mut self,
        contact: ContactId,
        before: WithPartner,
        after: WithPartner,
    ) {
        if before.recall != after.recall {
            if let Some(recall) = before.recall {
                self.tier_ends(recall, Tier::Partner, contact, Outcome::Neither);
                self.count_tier(recall, Tier::Partner, |t| t.in_use = t.in_use.saturating_sub(1));
            }
            if let Some(recall) = after.recall {
                // Whom a colleague hands over they have: that tells nothing.
                if !after.taken
                    && let Some(recall) = self.recalls.iter_mut().find(|r| r.id == recall)
                {
                    recall.breakers[Tier::Partner.index()].enters(contact);
                }
                self.count_tier(recall, Tier::Partner, |t| t.in_use += 1);
            }
        }
        if before.has() != after.has() {
            if let Some(recall) = before.has() {
                self.count_tier(recall, Tier::Partner, |t| t.returned += 1);
            }
            if let Some(recall) = after.has() {
                self.count_tier(recall, Tier::Partner, |t| t.entered += 1);
            }
        }
    }

    /// Keeps count of who waits for a call that a tier offered: they were reached, or one that
    /// was promised anew is no tier's any more.
    pub(super) fn callback_tier_changed(
        &mut self,
        contact: ContactId,
        before: Option<RecallId>,
        after: Option<RecallId>,
    ) {
        if let Some(recall) = before {
            self.count_tier(recall, Tier::Callback, |t| {
                t.in_use = t.in_use.saturating_sub(1);
                t.solved += 1;
            });
            self.tier_ends(recall, Tier::Callback, contact, Outcome::Neither);
        }
        if let Some(recall) = after {
            if let Some(recall) = self.recalls.iter_mut().find(|r| r.id == recall) {
                recall.breakers[Tier::Callback.index()].enters_instead(contact);
            }
            self.count_tier(recall, Tier::Callback, |t| {
                t.in_use += 1;
                t.entered += 1;
            });
        }
    }

    /// How a contact's end counts for the tier that it ended in.
    pub(super) fn ended_in_self_service(&mut self, s: SelfService, reason: EndReason) {
        self.count_tier(s.recall, s.tier, |t| match reason {
            EndReason::Solved => t.solved += 1,
            EndReason::Informed => t.informed += 1,
            EndReason::FollowedUp => t.followed_up += 1,
            _ => t.left += 1,
        });
    }
}

/// What a contact's coming back tells of the machine that had it: failures alone. That it works
/// is told as it does its part, at once, because conversations that go well last longest
/// ([`Engine::machine_worked`]).
pub(super) fn told(c: &Contact, because: ReturnedBecause) -> Outcome {
    let unheard = c.heard.is_empty();
    let untold = c.self_service().is_some_and(|s| matches!(s.step, Step::Entering { .. }));
    match because {
        ReturnedBecause::Ended | ReturnedBecause::Supervisor => Outcome::Neither,
        _ if untold => Outcome::Neither,
        ReturnedBecause::Late | ReturnedBecause::Gateway => Outcome::Failed,
        ReturnedBecause::TimeLimit | ReturnedBecause::Silence if unheard => Outcome::Failed,
        _ => Outcome::Neither,
    }
}
