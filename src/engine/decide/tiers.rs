//! What the tiers of a recall turn to by themselves: partners are called, join and leave;
//! breakers open, try and close.
//!
//! By state alone, looked at after every command: whoever changes a level, or counts a failure,
//! need not know what follows.

use super::super::Engine;
use super::super::contact::Contact;
use super::super::event::{BreakerSet, Event, PartnersSet};
use super::super::gates::partners_have_room;
use super::super::queue_life::Pools;
use super::super::recall::{Breaker, Gate, Partners, Recall, Tier};
use super::super::words::Channel;
use super::Turn;
use super::fills::Gate as Opened;
use crate::ids::{AgentId, ContactId, EntryPointId, RecallId};
use crate::time::EngineTime;

/// What partners are told apart by: whether one contact is for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForPartners {
    pub(super) contact: ContactId,
    pub(super) entry_point: Option<EntryPointId>,
    pub(super) channel: Channel,
    pub(super) safety: bool,
    /// A callback whose customer is not on the line.
    pub(super) silent: bool,
}

impl ForPartners {
    pub(super) fn of(c: &Contact) -> Self {
        Self {
            contact: c.id,
            entry_point: c.entry_point,
            channel: c.channel,
            safety: c.service == super::ServiceClass::Safety,
            silent: c.silent().is_some(),
        }
    }
}

impl Engine {
    /// Pools of partners who may serve a contact now.
    pub(super) fn partners_for(&self, of: ForPartners) -> &[crate::ids::PoolId] {
        let Some(recall) = self.recall_at(of.entry_point) else { return &[] };
        let Some(tier) = recall.plan.partner.as_ref().filter(|_| !of.safety) else { return &[] };
        let takes = if of.silent { tier.callbacks } else { tier.takes(of.channel) };
        // Spread over the contacts that come one after another: 61 and 100 have no divisor.
        let theirs = (of.contact.0 * 61) % 100 < u64::from(tier.share);
        if takes && theirs && recall.partners == Partners::Joined { &tier.pools } else { &[] }
    }

    /// The recall for which a contact would be with an agent, if they are a partner.
    pub(in crate::engine) fn as_partner(&self, agent: AgentId, c: &Contact) -> Option<RecallId> {
        // A consult is between colleagues.
        let theirs = c.parent.is_none() && self.is_partner(agent);
        theirs.then(|| self.recall_at(c.entry_point).map(|r| r.id)).flatten()
    }

    /// Whether an agent is a partner: takes only what a recall that partners joined lets them.
    #[must_use]
    pub fn is_partner(&self, agent: AgentId) -> bool {
        let pool = self.routing.agent(agent).map(|a| a.pool);
        pool.is_some_and(|pool| self.routing.partners.contains(&pool)) && !self.is_kept(agent)
    }
}

/// What partners turn to by now, if to something else.
fn partners(recall: &Recall, at: EngineTime) -> Option<Partners> {
    let lead = recall.plan.partner.as_ref()?.lead;
    match (recall.partners, recall.is_open(Tier::Partner)) {
        (Partners::Away, true) => Some(Partners::Called { joins: at + lead }),
        (Partners::Called { joins }, true) if joins <= at => Some(Partners::Joined),
        (Partners::Called { .. } | Partners::Joined, false) => Some(Partners::Away),
        _ => None,
    }
}

fn breaker(recall: &Recall, at: EngineTime) -> Option<(Tier, Breaker)> {
    let turns = |tier: Tier| Some((tier, recall.breakers[tier.index()].next(at)?));
    Tier::ALL.into_iter().find_map(turns)
}

impl Turn<'_> {
    /// Every recall's tiers are as they should be by now.
    pub(super) fn tiers_follow(&mut self) {
        for index in 0..self.engine.recalls.len() {
            while let Some((recall, now)) = self.breaker_turns(index) {
                self.emit(Event::BreakerSet(BreakerSet { recall, tier: now.0, now: now.1 }));
                if now.0 == Tier::Partner {
                    self.partners_look(recall);
                }
            }
            while let Some((recall, now)) = self.partners_turn(index) {
                self.emit(Event::PartnersSet(PartnersSet { recall, now }));
                if !matches!(now, Partners::Called { .. }) {
                    // Who waits is theirs now, or no longer; who is in hand stays there.
                    self.schedule_refiling(|_| true);
                }
            }
        }
    }

    fn breaker_turns(&self, index: usize) -> Option<(RecallId, (Tier, Breaker))> {
        let recall = self.engine.recalls.get(index).filter(|r| !r.over)?;
        Some((recall.id, breaker(recall, self.at)?))
    }

    fn partners_turn(&self, index: usize) -> Option<(RecallId, Partners)> {
        let recall = self.engine.recalls.get(index)?;
        Some((recall.id, partners(recall, self.at)?))
    }

    /// Partners have one contact less. Who had it looks for another one by themselves; where
    /// they were as many as may be, it may be anybody's turn.
    pub(super) fn partners_free(&mut self, recall: RecallId) {
        let limited = |r: &Recall| {
            let closed = matches!(r.breakers[Tier::Partner.index()].gate(), Gate::Closed);
            !closed || r.plan.partner.as_ref().is_some_and(|t| t.capacity > 0)
        };
        if self.engine.recall(recall).is_some_and(limited) {
            self.partners_look(recall);
        }
    }

    /// A partner who is kept for safety from now on may have what no partner may.
    pub(super) fn kept_partners_look(&mut self, recall: RecallId) {
        let Some(recall) = self.engine.recall(recall) else { return };
        let routing = &self.engine.routing;
        let outside =
            |a: &&AgentId| routing.agent(**a).is_some_and(|a| routing.partners.contains(&a.pool));
        let kept: Vec<AgentId> = recall.plan.safety.kept.iter().filter(outside).copied().collect();
        kept.into_iter().for_each(|agent| self.engine.agenda.hungry.add(agent));
    }

    /// Whoever waits for partners of a recall is looked at again: there may be room with them.
    pub(super) fn partners_look(&mut self, recall: RecallId) {
        if self.engine.recall(recall).is_some_and(partners_have_room) {
            self.opens(Opened::Partners(recall));
        }
    }

    /// The pools that a contact's steps gave it, with those of partners who may serve it.
    pub(super) fn with_partners(&self, pools: &[crate::ids::PoolId], of: ForPartners) -> Pools {
        let partners = &self.engine.routing.partners;
        let own = pools.iter().filter(|p| !partners.contains(p));
        let mut all: Pools = own.chain(self.engine.partners_for(of)).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
