//! The naive matcher, kept to what is simple enough to be seen: nobody waits whom somebody idle
//! could take.

use super::Violation;
use crate::engine::Engine;
use crate::engine::contact::Contact;
use crate::engine::recall::Partners;
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
        if partner && self.partners_are_full(agent) {
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
