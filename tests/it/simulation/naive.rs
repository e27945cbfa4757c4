//! The naive matcher: it looks at everyone, by rules that are obviously right, and must choose
//! what the engine chose.
//!
//! It follows the events one by one on an engine of its own, which only applies them, and so
//! stands before each `Reserved` where the engine stood when it decided. It uses no line, no
//! class and no profile. That nobody waits whom a free agent could take is
//! `Engine::check`'s to see. To show that it sees, a test plants a wrong rule in it, each in
//! turn, and the difference is found.

mod policy;
mod rank;
mod room;

use std::collections::BTreeMap;

use surgeline::engine::Engine;
use surgeline::engine::agent::Agent;
use surgeline::engine::contact::{Contact, Link, State};
use surgeline::engine::event::{
    CallbackPromised, CallbackStepped, Event, Reserved, Rule, StepTaken, Trigger, Why,
};
use surgeline::engine::policy::AgentChoice;
use surgeline::engine::routing::AgentProfile;
use surgeline::engine::words::{Channel, ServiceClass};
use surgeline::ids::{AgentId, ContactId, CustomerId, GatewayId};
use surgeline::time::{EngineTime, Span};

/// A rule that is wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    Proficiency,
    Pools,
    StepPools,
    Partners,
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
    Preferred,
    Sticky,
    AgentChoice,
    TargetBroken,
    QueueShare,
    PartOfTarget,
    HeadStart,
    HoldingCost,
    Interrupts,
    Held,
    Silent,
    Thread,
    Sharing,
    SharingRatio,
    Calls,
}

impl Wrong {
    pub(super) const ALL: [Self; 30] = [
        Self::Proficiency,
        Self::Pools,
        Self::StepPools,
        Self::Partners,
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
        Self::Preferred,
        Self::Sticky,
        Self::AgentChoice,
        Self::TargetBroken,
        Self::QueueShare,
        Self::PartOfTarget,
        Self::HeadStart,
        Self::HoldingCost,
        Self::Interrupts,
        Self::Held,
        Self::Silent,
        Self::Thread,
        Self::Sharing,
        Self::SharingRatio,
        Self::Calls,
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
    why: Why,
}

#[derive(Default)]
pub(super) struct Naive {
    engine: Engine,
    /// What is owed to async contacts, in hundredths of a decision.
    owed: u32,
    wrong: Option<Wrong>,
    /// Whom a customer last had to do with, and when.
    last: BTreeMap<CustomerId, (EngineTime, AgentId)>,
    /// Who had letters last that are closed, and until when that counts.
    threads: BTreeMap<ContactId, (EngineTime, AgentId)>,
    /// When customers were called last whose gateways can only call so many, or agents were
    /// asked for them.
    called: BTreeMap<GatewayId, EngineTime>,
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
            if let Event::Shared(news) = event {
                compared = compared.and_then(|()| self.check_sharing(news));
            }
            self.note_call(at, event);
            self.note_last(at, event);
            self.note_thread(at, event);
            self.engine.apply(at, event);
            if self.engine.routing().longest_sticky() == Span::ZERO {
                self.last.clear();
            }
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
            why: r.why,
        };
        // A contact that has just begun to wait looks for an agent, an agent for a contact.
        let came = before.iter().any(|event| begins_to_wait(event) == Some(r.contact));
        let mut looked = if came { self.agents_for(at, r.contact) } else { Vec::new() };
        looked.extend(self.contact_for(at, r.agent));
        if !looked.contains(&chosen) {
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

    /// The beginning or the end of a contact, or a hand-over; a consult is between agents.
    fn note_last(&mut self, at: EngineTime, event: &Event) {
        let (contact, agent) = match event {
            Event::Accepted { contact, agent, connect_by: None, .. }
            | Event::Bridged { contact, agent, .. }
            | Event::HandedOver { contact, to: agent, .. }
            | Event::Closed { contact, agent: Some(agent), .. } => (contact, agent),
            _ => return,
        };
        let longest = self.engine.routing().longest_sticky();
        let c = self.engine.contact(*contact).filter(|c| c.parent.is_none());
        let Some(customer) = c.and_then(|c| c.customer).filter(|_| longest > Span::ZERO) else {
            return;
        };
        self.last.insert(customer, (at, *agent));
        // Who is too long ago for every queue is forgotten, four at a time, and stays so when
        // another configuration asks for more.
        for _ in 0..4 {
            let oldest = self.last.iter().min_by_key(|(customer, (met, _))| (*met, **customer));
            match oldest.map(|(customer, (met, _))| (*customer, *met)) {
                Some((customer, met)) if at.since(met) > longest => self.last.remove(&customer),
                _ => return,
            };
        }
    }

    /// Whom a contact that begins to wait may get: one, or where lots are drawn several.
    fn agents_for(&self, at: EngineTime, contact: ContactId) -> Vec<Choice> {
        let Some(c) = self.engine.contact(contact).filter(|c| in_line(c) && self.is_held(c)) else {
            return Vec::new();
        };
        if self.engine.is_paused() {
            return Vec::new();
        }
        let choice = |agent, trigger, rank, rule| Choice {
            contact,
            agent,
            trigger,
            rank,
            async_passed: false,
            why: self.why(Why::plain(rule), agent, c),
        };
        if c.has_fallen_silent() {
            return Vec::new();
        }
        if let Some(named) = c.named {
            let kept = choice(named.agent, Trigger::Named, 0, Rule::Kept);
            return self.has_room(named.agent, c.channel).then_some(kept).into_iter().collect();
        }
        let ranks = self.ranks(c);
        let rank = |agent| ranks.iter().position(|r| *r == self.rank(agent, c));
        if !self.is_let(at, c) {
            return Vec::new();
        }
        let free = |agent: AgentId| self.has_room(agent, c.channel) && self.may_have(agent, c);
        if let Some(agent) = self.last_agent(at, c).filter(|agent| free(*agent)) {
            let rank = rank(agent).into_iter();
            return rank.map(|r| choice(agent, Trigger::Contact, r, Rule::Sticky)).collect();
        }
        let policy = &self.engine.routing().queues[c.queue.index()].policy;
        let lots = policy.agent_choice == AgentChoice::Random;
        let order = |a: &Agent| {
            let by_load = c.channel != Channel::Voice && !self.is(Wrong::LeastLoaded);
            let load =
                if by_load { load(a, &self.engine.routing().agents[a.id.index()]) } else { 0 };
            let idle = a.idle_since.0;
            let idle = if self.is(Wrong::LongestIdle) { u64::MAX - idle } else { idle };
            if lots { (rank(a.id), 0, 0, AgentId(0)) } else { (rank(a.id), load, idle, a.id) }
        };
        let all: Vec<&Agent> = self.engine.agents().filter(|a| free(a.id)).collect();
        let best = all.iter().map(|a| order(a)).min();
        let rule = match (policy.agent_choice, c.channel) {
            (AgentChoice::Random, _) => Rule::Random,
            (AgentChoice::MostProficient, _) => Rule::MostProficient,
            (AgentChoice::LeastProficient, _) => Rule::LeastProficient,
            (AgentChoice::LongestIdle, Channel::Voice) => Rule::LongestIdle,
            (AgentChoice::LongestIdle, _) => Rule::LeastLoaded,
        };
        let of_best = all.iter().filter(|a| Some(order(a)) == best);
        let choice = |a: &&Agent| Some(choice(a.id, Trigger::Contact, rank(a.id)?, rule));
        of_best.filter_map(choice).collect()
    }

    /// Whom a customer last had, as long as their contact's queue asks for.
    fn last_agent(&self, at: EngineTime, c: &Contact) -> Option<AgentId> {
        let queue = &self.engine.routing().queues[c.queue.index()];
        if c.answered.is_some() || c.parent.is_some() {
            return None;
        }
        let of = c.continues.and_then(|of| self.threads.get(&of));
        let counts = |(until, agent): &&(EngineTime, AgentId)| {
            *until >= at && queue.care.thread > Span::ZERO && self.has_room(*agent, c.channel)
        };
        if let Some((_, agent)) = of.filter(counts).filter(|_| !self.is(Wrong::Thread)) {
            return Some(*agent);
        }
        let within = queue.policy.sticky;
        let (met, agent) = *self.last.get(&c.customer?)?;
        let sticky = within > Span::ZERO && at.since(met) <= within && !self.is(Wrong::Sticky);
        sticky.then_some(agent)
    }

    /// Who has a letter when it ends, or had it before it waited for somebody.
    fn note_thread(&mut self, at: EngineTime, event: &Event) {
        let Event::Closed { contact, agent, .. } = event else { return };
        let c = self.engine.contact(*contact).expect("it is open");
        let pending = match c.state {
            State::Pending { agent, .. } => agent,
            _ => None,
        };
        let lasting = self.engine.routing().queues[c.queue.index()].care.thread;
        let letter = matches!(c.channel, Channel::Email | Channel::Message) && c.parent.is_none();
        if let Some(agent) = agent.or(pending).filter(|_| letter && lasting > Span::ZERO) {
            self.threads.insert(*contact, (at + lasting, agent));
        }
    }

    /// Whether an agent may be given or asked for a contact as far as its customer's patience
    /// goes: three are asked for an agent at a time.
    fn is_due(&self, agent: AgentId, c: &Contact) -> bool {
        let asked = self.engine.contacts().filter(|o| o.care.asked_for() == Some(agent)).count();
        !c.has_fallen_silent() || asked < 3 || self.is(Wrong::Silent)
    }

    /// What an agent with room gets: safety before live before async, which has its share.
    fn contact_for(&self, at: EngineTime, agent: AgentId) -> Option<Choice> {
        let of = |service| self.best_of(at, agent, service);
        let safety = of(ServiceClass::Safety);
        let (live, later) = (of(ServiceClass::Live), of(ServiceClass::Async));
        let owed = self.owed >= 100 && !self.is(Wrong::AsyncShare);
        let safety = safety.filter(|_| !self.is(Wrong::SafetyFirst) || live.is_none());
        match (safety, live, later) {
            (Some(safety), ..) => Some(safety),
            (None, Some(_), Some(later)) if owed => {
                Some(Choice { trigger: Trigger::AsyncShare, ..later })
            }
            (None, Some(live), later) => Some(Choice { async_passed: later.is_some(), ..live }),
            (None, None, later) => later,
        }
    }

    /// The best of one class of service: kept for the agent first, then as the policy has it.
    fn best_of(&self, at: EngineTime, agent: AgentId, service: ServiceClass) -> Option<Choice> {
        let room = Channel::ALL.map(|channel| self.has_room(agent, channel));
        let waits = |c: &Contact| {
            let held = c.care.held_for().is_some() && self.is(Wrong::Held);
            (in_line(c) || held) && self.is_due(agent, c)
        };
        let mine = |c: &&Contact| waits(c) && c.service == service && room[c.channel.index()];
        let all: Vec<&Contact> = self.engine.contacts().filter(mine).collect();
        let kept = |c: &&&Contact| {
            // One in line whose gateway is gone is marked when it is found.
            c.named.is_some_and(|n| n.agent == agent) && self.is_held(c)
        };
        let kept = all.iter().filter(kept).min_by_key(|c| (c.place, c.id)).map(|c| Choice {
            contact: c.id,
            agent,
            trigger: Trigger::Named,
            rank: 0,
            async_passed: false,
            why: self.why(Why::plain(Rule::Kept), agent, c),
        });
        let may = |c: &Contact| self.is_let(at, c) && self.may_have(agent, c);
        let line = all.into_iter().filter(|c| c.named.is_none() && may(c));
        let (line, took_turns) = self.take_turns(agent, line.collect());
        let line = self.by_policy(at, line).and_then(|(c, mut why)| {
            if took_turns && why.queues == 1 {
                why.rule = Rule::Sharing;
            }
            let rank = self.ranks(c).iter().position(|r| *r == self.rank(agent, c))?;
            let why = self.why(why, agent, c);
            let (contact, trigger) = (c.id, Trigger::Agent);
            Some(Choice { contact, agent, trigger, rank, async_passed: false, why })
        });
        if self.is(Wrong::Named) { line.or(kept) } else { kept.or(line) }
    }

    /// Whether its gateway holds it now.
    fn is_held(&self, c: &Contact) -> bool {
        let session = self.engine.gateway(c.gateway).and_then(|g| g.session);
        c.link == Link::Unary || session.map(Link::Attached) == Some(c.link)
    }
}

/// Waiting, not marked as gone with its gateway, not held back, its customer not being asked.
fn in_line(c: &Contact) -> bool {
    let away = c.care.held_for().is_some() || c.care.asked_for().is_some();
    c.stands() && c.link != Link::Detached && !away
}

/// How much of an agent's capacity is in use, in thousandths.
fn load(a: &Agent, profile: &AgentProfile) -> u32 {
    a.load(profile) / 1_000
}

/// The contact that an event lets wait, or opens to somebody else.
fn begins_to_wait(event: &Event) -> Option<ContactId> {
    match event {
        Event::Queued(q) => Some(q.contact),
        Event::StepTaken(StepTaken { filing, .. }) | Event::Refiled(filing) => Some(filing.contact),
        Event::Safety(news) => Some(news.contact),
        Event::OpenedToAll(contact)
        | Event::HoldEnded(contact)
        | Event::InputReceived(contact)
        | Event::PresenceAssumed(contact) => Some(*contact),
        Event::PassOverEnded { contact, .. }
        | Event::NotTaken { contact, .. }
        | Event::ConnectFailed { contact, .. }
        | Event::Reattached { contact, .. }
        | Event::Returned { contact, .. }
        | Event::CallbackPromised(CallbackPromised { contact, .. })
        | Event::CallbackStepped(CallbackStepped { contact, .. }) => Some(*contact),
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
