//! The naive matcher, kept to what is simple enough to be seen: nobody waits whom somebody idle
//! could take.

use super::Violation;
use crate::engine::Engine;
use crate::engine::contact::{Contact, State};
use crate::engine::recall::{Partners, Tier};
use crate::engine::sharing::Help;
use crate::engine::words::ServiceClass;
use crate::ids::AgentId;

impl Engine {
    /// The naive matcher: nobody waits whom somebody idle could take.
    pub(super) fn check_matching(&self) -> Result<(), Violation> {
        if self.counts.paused {
            return Ok(());
        }
        for c in self.contacts().filter(|c| c.is_in_line() && self.is_attached(c)) {
            let joined =
                self.recall_at(c.entry_point).is_some_and(|r| r.partners == Partners::Joined);
            if !joined && c.stage.pools.iter().any(|p| self.routing.partners.contains(p)) {
                return Err(Violation::Partner(c.id));
            }
            for a in self.agents() {
                let asked = c.has_fallen_silent() && self.floor.asks_enough(a.id);
                if self.could_take(a.id, c) && !asked {
                    return Err(Violation::Idle { contact: c.id, agent: a.id });
                }
            }
        }
        Ok(())
    }

    /// Whether partners take this contact: those of its own recall have room for one more, whatever
    /// those of another have.
    fn partners_take(&self, c: &Contact) -> bool {
        let Some(recall) = self.recall_at(c.entry_point) else { return false };
        let Some(tier) = recall.plan.partner.as_ref() else { return false };
        let theirs = self.contacts().filter(|other| other.partner == Some(recall.id)).count();
        let room = tier.capacity == 0 || theirs < tier.capacity as usize;
        let breaker = recall.breakers[Tier::Partner.index()];
        recall.partners == Partners::Joined && room && breaker.admits(0)
    }

    /// Whether a customer who is to be called waits for their gateway: for its turn, which may
    /// have come without anybody having looked yet, or for a session.
    fn waits_for_turn(&self, c: &Contact) -> bool {
        let called = |o: &Contact| {
            let state = matches!(o.state, State::Reserved { .. } | State::Connecting { .. });
            o.is_on_line() || o.silent().is_some() && state
        };
        let Some(gateway) = self.gateway(c.gateway).filter(|_| c.silent().is_some()) else {
            return false;
        };
        let most = gateway.limits.sessions as usize;
        let has = || self.contacts().filter(|o| o.gateway == c.gateway && called(o)).count();
        let turn = gateway.limits.calls_per_second > 0
            && (gateway.next_call > self.now || self.turns.contains_key(&c.gateway));
        turn || most > 0 && has() >= most
    }

    /// Whether an agent may have a contact, by the words of the configuration alone.
    #[must_use]
    pub fn could_take(&self, agent: AgentId, c: &Contact) -> bool {
        let (Some(a), Some(profile), Some(queue)) =
            (self.agent(agent), self.routing.agent(agent), self.routing.queue(c.queue))
        else {
            return false;
        };
        if !a.can_take(profile, c.channel) {
            return false;
        }
        if let Some(named) = c.named {
            return named.agent == agent;
        }
        if self.is_kept(agent) && c.service != ServiceClass::Safety {
            return false;
        }
        let partner = self.is_partner(agent);
        if partner && !self.partners_take(c) || self.waits_for_turn(c) {
            return false;
        }
        let skilled = c.needs.iter().all(|n| {
            profile.skills.iter().any(|(skill, level)| *skill == n.skill && *level >= n.at_least)
        });
        let (pool, added) = (profile.pool, c.stage.pools.as_slice());
        let help = Help { queue: c.queue, service: c.service, added, pool };
        let joined = c.stage.pools.contains(&profile.pool);
        let pooled =
            !partner && (queue.pools.is_empty() || queue.pools.contains(&profile.pool)) || joined;
        let fits =
            skilled && pooled && help.is_allowed(&self.routing.sharings, |id| self.is_shared(id));
        (fits || c.stage.is_anyones() && (!partner || joined))
            && !c.passed_over.iter().any(|p| p.agent == agent)
    }
}
