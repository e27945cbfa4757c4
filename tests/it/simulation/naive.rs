//! The naive matcher: it looks at everyone, by rules that are obviously right, and must choose
//! what the engine chose.
//!
//! It follows the events one by one on an engine of its own, which only applies them, and so
//! stands before each `Reserved` where the engine stood when it decided. It uses no line, no
//! class and no profile. That nobody waits whom a free agent could take is
//! `Engine::check`'s to see. To show that it sees, a test plants a wrong rule in it, each in
//! turn, and the difference is found.

use std::collections::BTreeMap;

use surgeline::engine::Engine;
use surgeline::engine::agent::{Agent, Presence};
use surgeline::engine::contact::{Contact, Link, State};
use surgeline::engine::event::{Event, Reserved, Trigger};
use surgeline::engine::routing::AgentProfile;
use surgeline::engine::words::{Availability, Channel, ServiceClass};
use surgeline::ids::{AgentId, ContactId};
use surgeline::time::{EngineTime, Place, Span};

/// A rule that is wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    Proficiency,
    Pools,
    KeptAgents,
    PassOver,
    PrimarySkill,
    Versatility,
    LongestIdle,
    LeastLoaded,
    OldestPlace,
    SafetyFirst,
    AsyncShare,
    Named,
    Capacity,
}

impl Wrong {
    pub(super) const ALL: [Self; 13] = [
        Self::Proficiency,
        Self::Pools,
        Self::KeptAgents,
        Self::PassOver,
        Self::PrimarySkill,
        Self::Versatility,
        Self::LongestIdle,
        Self::LeastLoaded,
        Self::OldestPlace,
        Self::SafetyFirst,
        Self::AsyncShare,
        Self::Named,
        Self::Capacity,
    ];
}

/// One decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Choice {
    contact: ContactId,
    agent: AgentId,
    trigger: Trigger,
    rank: usize,
    async_passed: bool,
}

#[derive(Default)]
pub(super) struct Naive {
    engine: Engine,
    /// What is owed to async contacts, in hundredths of a decision.
    owed: u32,
    wrong: Option<Wrong>,
    /// Decisions compared, by what brought the two together.
    pub(super) compared: BTreeMap<&'static str, u64>,
}

impl Naive {
    pub(super) fn planted(wrong: Wrong) -> Self {
        Self { wrong: Some(wrong), ..Self::default() }
    }

    pub(super) fn is_planted(&self) -> bool {
        self.wrong.is_some()
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// Follows one command's events, and says where it would have chosen otherwise.
    pub(super) fn follow(&mut self, at: EngineTime, events: &[Event]) -> Result<(), String> {
        let mut compared = Ok(());
        for (i, event) in events.iter().enumerate() {
            if let Event::Reserved(r) = event {
                compared = compared.and_then(|()| self.compare(at, r, &events[..i]));
                self.pay(r);
            }
            self.engine.apply(at, event);
        }
        compared
    }

    fn compare(&mut self, at: EngineTime, r: &Reserved, before: &[Event]) -> Result<(), String> {
        let chosen = Choice {
            contact: r.contact,
            agent: r.agent,
            trigger: r.trigger,
            rank: r.rank.into(),
            async_passed: r.async_passed,
        };
        // A contact that has just begun to wait looks for an agent, an agent for a contact.
        let came = before.iter().any(|event| begins_to_wait(event) == Some(r.contact));
        let looked =
            [if came { self.agent_for(r.contact) } else { None }, self.contact_for(r.agent)];
        if !looked.contains(&Some(chosen)) {
            return Err(format!("{chosen:?} was chosen, the naive matcher had {looked:?}"));
        }
        let (c, a, profile) = self.pair(r.contact, r.agent);
        let told = (r.waited, r.idle, u32::from(r.load), r.deadline);
        let queue = &self.engine.routing().queues[c.queue.index()];
        let waited = Span(at.since(c.arrived).0 + c.waited_before.0);
        let seen =
            (waited, at.since(a.idle_since), load(a, profile), at + queue.reservation_timeout);
        if told != seen {
            return Err(format!("{r:?} says {told:?}, what is seen is {seen:?}"));
        }
        *self.compared.entry(name(r.trigger)).or_default() += 1;
        Ok(())
    }

    fn pair(&self, contact: ContactId, agent: AgentId) -> (&Contact, &Agent, &AgentProfile) {
        let contact = self.engine.contact(contact).expect("it is open");
        let profile = &self.engine.routing().agents[agent.index()];
        (contact, self.engine.agent(agent).expect("of the configuration"), profile)
    }

    /// Every decision for which both waited earns async its share; one that it got costs a whole.
    fn pay(&mut self, r: &Reserved) {
        let got = r.trigger == Trigger::AsyncShare;
        if got || r.async_passed {
            let share = u32::from(self.engine.routing().settings.async_share);
            self.owed = (self.owed + share).saturating_sub(if got { 100 } else { 0 }).min(1_000);
        }
    }

    /// Whom a contact that begins to wait gets.
    fn agent_for(&self, contact: ContactId) -> Option<Choice> {
        let c = self.engine.contact(contact)?;
        if self.engine.is_paused() || !in_line(c) || !self.is_held(c) {
            return None;
        }
        if let Some(named) = c.named {
            let takes = self.has_room(named.agent, c.channel);
            let (agent, trigger) = (named.agent, Trigger::Named);
            let choice = Choice { contact, agent, trigger, rank: 0, async_passed: false };
            return takes.then_some(choice);
        }
        let ranks = self.ranks(c);
        let order = |a: &Agent| {
            let (_, _, profile) = self.pair(contact, a.id);
            let rank = ranks.iter().position(|r| *r == self.rank(profile, a.id, c));
            let by_load = c.channel != Channel::Voice && !self.is(Wrong::LeastLoaded);
            let load = if by_load { load(a, profile) } else { 0 };
            let idle = if self.is(Wrong::LongestIdle) {
                u64::MAX - a.idle_since.0
            } else {
                a.idle_since.0
            };
            (rank, load, idle, a.id)
        };
        let may = |a: &&Agent| self.has_room(a.id, c.channel) && self.may_have(a.id, c);
        let best = self.engine.agents().filter(may).map(order).min()?;
        let (rank, agent) = (best.0?, best.3);
        Some(Choice { contact, agent, trigger: Trigger::Contact, rank, async_passed: false })
    }

    /// What an agent with room gets: safety before live before async, which has its share.
    fn contact_for(&self, agent: AgentId) -> Option<Choice> {
        let of = |service| self.best_of(agent, service);
        let passing = |(contact, named): (ContactId, bool), async_passed| {
            let trigger = if named { Trigger::Named } else { Trigger::Agent };
            (contact, named, trigger, async_passed)
        };
        let safety = of(ServiceClass::Safety);
        let (live, later) = (of(ServiceClass::Live), of(ServiceClass::Async));
        let owed = self.owed >= 100 && !self.is(Wrong::AsyncShare);
        let safety = safety.filter(|_| !self.is(Wrong::SafetyFirst) || live.is_none());
        let (contact, named, trigger, async_passed) = match (safety, live, later) {
            (Some(safety), ..) => passing(safety, false),
            (None, Some(_), Some((contact, named))) if owed => {
                (contact, named, Trigger::AsyncShare, false)
            }
            (None, Some(live), later) => passing(live, later.is_some()),
            (None, None, later) => passing(later?, false),
        };
        let c = self.engine.contact(contact)?;
        let profile = &self.engine.routing().agents[agent.index()];
        let rank = if named {
            Some(0)
        } else {
            let rank = self.rank(profile, agent, c);
            self.ranks(c).iter().position(|r| *r == rank)
        };
        Some(Choice { contact, agent, trigger, rank: rank?, async_passed })
    }

    /// The best of one class of service: kept for the agent first, then the oldest place.
    fn best_of(&self, agent: AgentId, service: ServiceClass) -> Option<(ContactId, bool)> {
        let mine =
            |c: &&Contact| in_line(c) && c.service == service && self.has_room(agent, c.channel);
        let first = |kept: bool| {
            let all = self.engine.contacts().filter(mine);
            let all = all.filter(|c| match c.named {
                // One whose gateway is gone is marked when it is found, if anybody may have it.
                Some(named) => kept && named.agent == agent && self.is_held(c),
                None => !kept && self.may_have(agent, c),
            });
            let order = |c: &Contact| {
                let place = if self.is(Wrong::OldestPlace) { Place(-c.place.0) } else { c.place };
                (place, c.id, kept)
            };
            all.map(order).min()
        };
        let (kept, line) = (first(true), first(false));
        let found = if self.is(Wrong::Named) { line.or(kept) } else { kept.or(line) };
        found.map(|(_, contact, kept)| (contact, kept))
    }

    /// Whether an agent has room for one more of a channel.
    fn has_room(&self, agent: AgentId, channel: Channel) -> bool {
        let (Some(a), Some(profile)) =
            (self.engine.agent(agent), self.engine.routing().agents.get(agent.index()))
        else {
            return false;
        };
        let share = |channel: Channel| match profile.capacity[channel.index()] {
            0 => 1.0,
            n => 1.0 / f64::from(n),
        };
        let used: f64 = a.work.iter().map(|w| share(w.channel)).sum();
        let whole = if self.is(Wrong::Capacity) { 0.8 } else { 1.0 };
        matches!(a.presence, Presence::Connected(_))
            && a.availability == Availability::Ready
            && a.next.is_none_or(|next| next == Availability::Ready)
            && !profile.retired
            && profile.capacity[channel.index()] > 0
            && (channel != Channel::Voice || !a.phone_unreachable)
            && used + share(channel) < whole + 1e-4
    }

    /// Whether an agent may have a contact that is kept for nobody, room or not.
    fn may_have(&self, agent: AgentId, c: &Contact) -> bool {
        let passed = c.passed_over.iter().any(|p| p.agent == agent);
        let profile = &self.engine.routing().agents[agent.index()];
        self.is_able(profile, agent, c) && (!passed || self.is(Wrong::PassOver))
    }

    /// Whether an agent could ever have such a contact.
    fn is_able(&self, profile: &AgentProfile, agent: AgentId, c: &Contact) -> bool {
        let queue = &self.engine.routing().queues[c.queue.index()];
        let in_pool = queue.pools.is_empty() || queue.pools.contains(&profile.pool);
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

    /// Who is kept for safety first, then who has the primary skill, then the least versatile.
    fn rank(&self, profile: &AgentProfile, agent: AgentId, c: &Contact) -> (bool, bool, usize) {
        let primary = profile.primary.is_some_and(|s| c.needs.iter().any(|n| n.skill == s));
        let skills = if self.is(Wrong::Versatility) { 0 } else { profile.skills.len() };
        (!self.engine.is_kept(agent), !primary && !self.is(Wrong::PrimarySkill), skills)
    }

    /// The different ranks of all agents of the configuration who are able, best first.
    fn ranks(&self, c: &Contact) -> Vec<(bool, bool, usize)> {
        let agents = (0..).map(AgentId).zip(&self.engine.routing().agents);
        let able = agents.filter(|(id, profile)| self.is_able(profile, *id, c));
        let mut ranks: Vec<_> = able.map(|(id, profile)| self.rank(profile, id, c)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }

    /// Whether its gateway holds it now.
    fn is_held(&self, c: &Contact) -> bool {
        let session = self.engine.gateway(c.gateway).and_then(|g| g.session);
        c.link == Link::Unary || session.map(Link::Attached) == Some(c.link)
    }
}

/// Waiting, and not marked as gone with its gateway.
fn in_line(c: &Contact) -> bool {
    c.state == State::Queued && c.link != Link::Detached
}

/// How much of an agent's capacity is in use, in thousandths.
fn load(a: &Agent, profile: &AgentProfile) -> u32 {
    a.load(profile) / 1_000
}

/// The contact that an event lets wait, or opens to somebody else.
fn begins_to_wait(event: &Event) -> Option<ContactId> {
    match event {
        Event::Queued(q) => Some(q.contact),
        Event::OpenedToAll(contact) => Some(*contact),
        Event::PassOverEnded { contact, .. }
        | Event::NotTaken { contact, .. }
        | Event::ConnectFailed { contact, .. }
        | Event::Reattached { contact, .. }
        | Event::Returned { contact, .. } => Some(*contact),
        _ => None,
    }
}

fn name(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Contact => "contact",
        Trigger::Agent => "agent",
        Trigger::Named => "named",
        Trigger::AsyncShare => "async share",
    }
}
