//! Whether an agent has room, and may have a contact at all.

use surgeline::engine::agent::{Hold, Presence};
use surgeline::engine::contact::{Contact, State};
use surgeline::engine::event::{Event, SharedNews};
use surgeline::engine::recall::{Partners, Tier};
use surgeline::engine::routing::AgentProfile;
use surgeline::engine::words::{Availability, Channel, ServiceClass};
use surgeline::ids::{AgentId, PoolId, QueueId, SharingId};
use surgeline::time::{EngineTime, Span};

use super::{Naive, Wrong, in_line};

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
        self.is_able(agent, c)
            && (!passed || self.is(Wrong::PassOver))
            && self.partners_take(agent, c)
    }

    fn is_partner(&self, agent: AgentId) -> bool {
        let routing = self.engine.routing();
        let pool = routing.agents[agent.index()].pool;
        let partner = routing.partners.contains(&pool) && !self.engine.is_kept(agent);
        partner && !self.is(Wrong::Partners)
    }

    /// Whether an agent is no partner, or the recall that a contact is of was joined by them and
    /// lets them have one more.
    fn partners_take(&self, agent: AgentId, c: &Contact) -> bool {
        let joined = self.engine.recall_at(c.entry_point).is_some_and(|r| {
            let Some(plan) = r.plan.partner.as_ref() else { return false };
            let of = |c: &&Contact| c.partner == Some(r.id);
            let has = self.engine.contacts().filter(of).count();
            let few = plan.capacity == 0 || has < plan.capacity as usize;
            let lets = r.breakers[Tier::Partner.index()].admits(0);
            r.partners == Partners::Joined && few && lets
        });
        !self.is_partner(agent) || joined
    }

    /// A customer is called, or an agent is asked for that.
    pub(super) fn note_call(&mut self, at: EngineTime, event: &Event) {
        let Event::Reserved(r) = event else { return };
        let Some(c) = self.engine.contact(r.contact).filter(|c| c.silent().is_some()) else {
            return;
        };
        let gateway = self.engine.gateway(c.gateway).expect("known");
        if let Some(each) = 1_000_000u64.checked_div(gateway.limits.calls_per_second.into()) {
            let turn = self.called.entry(c.gateway).or_default();
            *turn = (*turn).max(at) + Span(each);
        }
    }

    /// Whether a contact waits for nothing but an agent: its gateway may call its customer, if
    /// they are to be called.
    pub(super) fn is_let(&self, at: EngineTime, c: &Contact) -> bool {
        let Some(gateway) = self.engine.gateway(c.gateway).filter(|_| c.silent().is_some()) else {
            return true;
        };
        let limits = gateway.limits;
        let turn = self.called.get(&c.gateway).is_none_or(|turn| *turn <= at);
        let held =
            |o: &Contact| matches!(o.state, State::Reserved { .. } | State::Connecting { .. });
        let uses = |o: &&Contact| {
            let called = o.silent().is_some();
            o.gateway == c.gateway && o.parent.is_none() && (!called || held(o))
        };
        let used = self.engine.contacts().filter(uses).count();
        let room = limits.sessions == 0 || used < limits.sessions as usize;
        (limits.calls_per_second == 0 || turn) && room || self.is(Wrong::Calls)
    }

    /// Whether an agent could ever have such a contact.
    pub(super) fn is_able(&self, agent: AgentId, c: &Contact) -> bool {
        let profile = &self.engine.routing().agents[agent.index()];
        let queue = &self.engine.routing().queues[c.queue.index()];
        // That these are what its steps add is checked apart, once edits have reached everybody.
        let own = !self.is_partner(agent);
        let in_pool = own && (queue.pools.is_empty() || queue.pools.contains(&profile.pool))
            || c.stage.pools.contains(&profile.pool) && !self.is(Wrong::StepPools);
        let kept = self.engine.is_kept(agent) && !self.is(Wrong::KeptAgents);
        let has = |skill, at_least| {
            profile.skills.iter().any(|(s, level)| {
                *s == skill && (*level >= at_least || self.is(Wrong::Proficiency))
            })
        };
        let fits = (in_pool || self.is(Wrong::Pools))
            && c.needs.iter().all(|n| has(n.skill, n.at_least))
            && (self.may_help(profile.pool, c) || self.is(Wrong::Sharing));
        let anyones = c.stage.is_anyones() && (own || c.stage.pools.contains(&profile.pool));
        (c.service == ServiceClass::Safety || !kept) && (fits || anyones)
    }
}

impl Naive {
    /// Whether a pool that helps a contact's queue in overload does so now.
    fn may_help(&self, pool: PoolId, c: &Contact) -> bool {
        let all = self.engine.routing().sharings.iter().zip(0..);
        let mut helps =
            all.filter(|(s, _)| !s.retired && s.helped == c.queue && s.pools.contains(&pool));
        let exempt = c.service == ServiceClass::Safety || c.stage.pools.contains(&pool);
        exempt || helps.all(|(_, id)| self.engine.is_shared(SharingId(id)))
    }

    /// Leaves out the queues whose turn it is not, by the ratio at which an agent's pool helps.
    pub(super) fn take_turns<'a>(
        &self,
        agent: AgentId,
        line: Vec<&'a Contact>,
    ) -> (Vec<&'a Contact>, bool) {
        let pool = self.engine.routing().agents[agent.index()].pool;
        let (mut left, all) = (line.clone(), line.len());
        for (s, id) in self.engine.routing().sharings.iter().zip(0..) {
            let there = |queue| left.iter().any(|c: &&Contact| c.queue == queue);
            let both = there(s.helped) && there(s.own);
            let safety = left.first().is_some_and(|c| c.service == ServiceClass::Safety);
            if !self.engine.is_shared(SharingId(id))
                || !s.pools.contains(&pool)
                || !both
                || safety
                || self.is(Wrong::SharingRatio)
            {
                continue;
            }
            let (helped, own) = (self.standing(s.helped), self.standing(s.own));
            let above = u64::from(helped) * 100 > u64::from(own) * u64::from(s.ratio);
            let not_now = if above { s.own } else { s.helped };
            left.retain(|c| c.queue != not_now);
        }
        let less = left.len() < all;
        (left, less)
    }

    /// How many stand in line in a queue who are not about safety.
    pub(super) fn standing(&self, queue: QueueId) -> u32 {
        let stands = |c: &&Contact| {
            c.queue == queue && c.service != ServiceClass::Safety && c.named.is_none() && in_line(c)
        };
        u32::try_from(self.engine.contacts().filter(stands).count()).expect("few")
    }

    /// Whether a sharing began or ended by its thresholds.
    pub(super) fn check_sharing(&self, news: &SharedNews) -> Result<(), String> {
        let s = &self.engine.routing().sharings[news.sharing.index()];
        let counted = (self.standing(s.helped), self.standing(s.own));
        let enough = u64::from(counted.0) * 100
            >= u64::from(counted.1) * u64::from(s.ratio) + u64::from(s.activate) * 100;
        let right = match news.on {
            true => !s.retired && enough,
            false => s.retired || counted.0 <= s.release,
        };
        if right && counted == (news.helped, news.own) {
            return Ok(());
        }
        Err(format!("{news:?}, where {counted:?} wait, by {s:?}"))
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
