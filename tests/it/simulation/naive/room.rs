//! Whether an agent has room, and may have a contact at all.

use surgeline::engine::agent::{Hold, Presence};
use surgeline::engine::contact::Contact;
use surgeline::engine::routing::AgentProfile;
use surgeline::engine::words::{Availability, Channel, ServiceClass};
use surgeline::ids::AgentId;

use super::{Naive, Wrong};

impl Naive {
    /// Whether an agent has room for one more of a channel.
    pub(super) fn has_room(&self, agent: AgentId, channel: Channel) -> bool {
        let (Some(a), Some(profile)) =
            (self.engine.agent(agent), self.engine.routing().agents.get(agent.index()))
        else {
            return false;
        };
        matches!(a.presence, Presence::Connected(_))
            && a.availability == Availability::Ready
            && a.next.is_none_or(|next| next == Availability::Ready)
            && !a.leaving.is_some_and(|l| l.begun)
            && !profile.retired
            && profile.capacity[channel.index()] > 0
            && (channel != Channel::Voice || !a.phone_unreachable)
            && self.fits_in(a, profile, channel)
    }

    fn fits_in(
        &self,
        a: &surgeline::engine::agent::Agent,
        profile: &AgentProfile,
        channel: Channel,
    ) -> bool {
        let may_interrupt = |by: Channel, what: Channel| {
            profile.workload.interrupts[by.index()].has(what) && !self.is(Wrong::Interrupts)
        };
        let whole = if self.is(Wrong::Capacity) { 0.8 } else { 1.0 } + 1e-4;
        let mut hands: Vec<Channel> = a.work.iter().map(|w| w.channel).collect();
        // A call is a call, whoever it is with.
        hands.extend(a.outside.iter().map(|_| Channel::Voice));
        if hands.iter().any(|by| may_interrupt(*by, channel)) {
            return false;
        }
        hands.push(channel);
        let all: f64 = hands.iter().map(|c| share(profile, *c)).sum();
        let unanswered = |h| matches!(h, Hold::Reserved | Hold::Connecting);
        let waits = |w: &&surgeline::engine::agent::Work| {
            unanswered(w.hold) && may_interrupt(channel, w.channel)
        };
        if a.work.iter().any(|w| waits(&w)) {
            return all < whole;
        }
        // Whichever channels' contacts end: what is left, less what is interrupted, fits.
        (0..16_u8).all(|ended| {
            let left: Vec<Channel> =
                hands.iter().copied().filter(|c| ended >> c.index() & 1 == 0).collect();
            let goes_on = |c: &&Channel| !left.iter().any(|by| may_interrupt(*by, **c));
            left.iter().filter(goes_on).map(|c| share(profile, *c)).sum::<f64>() < whole
        })
    }

    /// Whether an agent may have a contact that is kept for nobody, room or not.
    pub(super) fn may_have(&self, agent: AgentId, c: &Contact) -> bool {
        let passed = c.passed_over.iter().any(|p| p.agent == agent);
        self.is_able(agent, c) && (!passed || self.is(Wrong::PassOver))
    }

    /// Whether an agent could ever have such a contact.
    pub(super) fn is_able(&self, agent: AgentId, c: &Contact) -> bool {
        let profile = &self.engine.routing().agents[agent.index()];
        let queue = &self.engine.routing().queues[c.queue.index()];
        // That these are what its steps add is checked apart, once edits have reached everybody.
        let in_pool = queue.pools.is_empty()
            || queue.pools.contains(&profile.pool)
            || c.stage.pools.contains(&profile.pool) && !self.is(Wrong::StepPools);
        let kept = self.engine.is_kept(agent) && !self.is(Wrong::KeptAgents);
        let has = |skill, at_least| {
            profile.skills.iter().any(|(s, level)| {
                *s == skill && (*level >= at_least || self.is(Wrong::Proficiency))
            })
        };
        (in_pool || self.is(Wrong::Pools))
            && (c.service == ServiceClass::Safety || !kept)
            && c.needs.iter().all(|n| has(n.skill, n.at_least))
    }
}

/// How much of an agent one contact of a channel takes.
fn share(profile: &AgentProfile, channel: Channel) -> f64 {
    let (cost, budget) = (profile.workload.cost[channel.index()], profile.workload.budget);
    match (cost, profile.capacity[channel.index()]) {
        (_, 0) => 1.0,
        (0, n) => 1.0 / f64::from(n),
        (cost, _) => f64::from(cost) / f64::from(budget),
    }
}
