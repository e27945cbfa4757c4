//! How agents rank for a contact.

use surgeline::engine::contact::Contact;
use surgeline::engine::event::Why;
use surgeline::engine::policy::AgentChoice;
use surgeline::engine::words::Need;
use surgeline::ids::{AgentId, SkillId};

use super::{Naive, Wrong, in_line};

/// The less the better, what matters most first.
pub(super) type Rank = [i64; 4];

impl Naive {
    fn level(&self, agent: AgentId, skill: SkillId) -> i64 {
        let skills = &self.engine.routing().agents[agent.index()].skills;
        skills.iter().find(|(s, _)| *s == skill).map_or(0, |(_, level)| i64::from(*level))
    }

    /// Preferred skills that an agent has not, or not so well.
    fn lacks(&self, agent: AgentId, c: &Contact) -> i64 {
        let lacks = |n: &&Need| self.level(agent, n.skill) < i64::from(n.at_least);
        // Who is anybody's has nobody excluded by a need, and whoever has it first.
        let needed = if c.stage.is_anyones() { c.needs.iter().filter(lacks).count() } else { 0 };
        i64::try_from(c.preferred.iter().filter(lacks).count() + needed).expect("few")
    }

    /// Their levels in all that is asked for, each skill once.
    fn proficiency(&self, agent: AgentId, c: &Contact) -> i64 {
        let mut asked: Vec<SkillId> = c.needs.iter().chain(&c.preferred).map(|n| n.skill).collect();
        asked.sort_unstable();
        asked.dedup();
        asked.into_iter().map(|skill| self.level(agent, skill)).sum()
    }

    /// Kept for safety first, then preferred skills, then the queue's choice of agents.
    pub(super) fn rank(&self, agent: AgentId, c: &Contact) -> Rank {
        let profile = &self.engine.routing().agents[agent.index()];
        let choice = self.engine.routing().queues[c.queue.index()].policy.agent_choice;
        let choice = if self.is(Wrong::AgentChoice) { AgentChoice::LongestIdle } else { choice };
        let kept = i64::from(!self.engine.is_kept(agent));
        let lacks = if self.is(Wrong::Preferred) { 0 } else { self.lacks(agent, c) };
        let primary = profile.primary.is_some_and(|s| c.needs.iter().any(|n| n.skill == s));
        let other = i64::from(!primary && !self.is(Wrong::PrimarySkill));
        let versatile = i64::try_from(profile.skills.len()).expect("few");
        let versatile = if self.is(Wrong::Versatility) { 0 } else { versatile };
        match choice {
            AgentChoice::LongestIdle | AgentChoice::Random => [kept, lacks, other, versatile],
            AgentChoice::MostProficient => [kept, lacks, -self.proficiency(agent, c), 0],
            AgentChoice::LeastProficient => [kept, lacks, self.proficiency(agent, c), 0],
        }
    }

    /// The different ranks of all agents of the configuration who are able, best first.
    pub(super) fn ranks(&self, c: &Contact) -> Vec<Rank> {
        let all = self.engine.agents().map(|a| a.id).filter(|id| self.is_able(*id, c));
        let mut ranks: Vec<Rank> = all.map(|id| self.rank(id, c)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }

    /// What a reservation says of the pair, beside what a policy compared.
    pub(super) fn why(&self, why: Why, agent: AgentId, c: &Contact) -> Why {
        let small = |n: i64| u16::try_from(n).expect("small");
        let line = |o: &&Contact| {
            in_line(o) && o.named.is_none() && (o.queue, o.service) == (c.queue, c.service)
        };
        Why {
            proficiency: small(self.proficiency(agent, c)),
            lacks: small(self.lacks(agent, c)),
            backlog: u32::try_from(self.engine.contacts().filter(line).count()).expect("few"),
            ..why
        }
    }
}
