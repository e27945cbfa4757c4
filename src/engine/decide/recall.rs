//! What on-call staff order of recalls, and what a recall means for those who arrive or wait.

use std::sync::Arc;

use super::super::Engine;
use super::super::agent::Presence;
use super::super::command::{RecallOrder, Reply};
use super::super::contact::{Contact, Link, State};
use super::super::event::{Event, Queued};
use super::super::gateway::Gateway;
use super::super::rank::Asked;
use super::super::recall::control::LevelCause;
use super::super::recall::{
    AFFECTED_HEAD_START, Heed, IvrPlan, Level, MOST_LASTING, MOST_PLAYBOOK, MOST_RECALLS, Plan,
    Recall, SAY_WINDOW, Tier, TriageClass,
};
use super::super::refusal::Refusal;
use super::super::words::{Channel, QueuedBecause, ServiceClass};
use super::control::{OF_START, check_bounds};
use super::supervisor::MOST_WHY;
use super::{A_DAY, Turn, place};
use crate::ids::{AgentId, ContactId, EntryPointId, GatewayId, QueueId, RecallId};
use crate::time::{EngineTime, Span};

/// When one who goes to self-service is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Haste {
    /// At once, if the gateway can: one who has just come.
    AtOnce,
    /// In turn: one of many.
    InTurn,
}

/// What an order would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preview {
    /// Contacts that would go to self-service or come back from it, of those here now.
    /// None if there are more than were to be counted.
    pub to_move: Option<u64>,
}

impl Engine {
    /// What an order would do now, by the same rules as doing it.
    ///
    /// Looks at every open contact, unless there are more than `most`: for people who ask, on
    /// the replica.
    ///
    /// # Errors
    /// Why it would be refused.
    pub fn preview(
        &self,
        at: EngineTime,
        order: &RecallOrder,
        most: usize,
    ) -> Result<Preview, Refusal> {
        self.check_order(order)?;
        let (plan, level, in_use) = match order {
            RecallOrder::Start { plan, level, .. } => (plan, *level, [0; Tier::ALL.len()]),
            RecallOrder::SetLevel { recall, level } => {
                let recall = self.in_force(*recall)?;
                (&recall.plan, *level, recall.tiers.map(|t| t.in_use))
            }
            RecallOrder::Free { recall, within } => {
                let recall = self.in_force(*recall)?;
                let bounds = within.or(recall.plan.control().bounds);
                (&recall.plan, bounds.nearest(recall.level), recall.tiers.map(|t| t.in_use))
            }
            // Nobody moves by it.
            RecallOrder::Amend { .. } => return Ok(Preview { to_move: Some(0) }),
            RecallOrder::End(recall) => {
                let recall = self.in_force(*recall)?;
                (&recall.plan, Level::Normal, recall.tiers.map(|t| t.in_use))
            }
        };
        if level == Level::Normal {
            let to_move = Tier::MACHINES.into_iter().map(|t| u64::from(in_use[t.index()])).sum();
            return Ok(Preview { to_move: Some(to_move) });
        }
        let counted = self.contacts.len() <= most;
        Ok(Preview { to_move: counted.then(|| self.would_move(at, plan, level, in_use)) })
    }

    /// How many of those who wait are still to be moved by a recall as it is.
    #[must_use]
    pub fn still_to_move(&self, at: EngineTime, recall: &Recall) -> u64 {
        if recall.gives_back() {
            return recall.in_machines();
        }
        // What fails takes nobody: who waits for it is not on their way.
        let mut in_use = recall.tiers.map(|t| t.in_use);
        for (in_use, breaker) in in_use.iter_mut().zip(&recall.breakers) {
            if !breaker.admits(0) {
                *in_use = u32::MAX;
            }
        }
        self.would_move(at, &recall.plan, recall.level, in_use)
    }

    fn would_move(
        &self,
        at: EngineTime,
        plan: &Plan,
        level: Level,
        in_use: [u32; Tier::ALL.len()],
    ) -> u64 {
        let mut fit = [0u64; Tier::ALL.len()];
        let mut ports: Vec<u32> = self.gateways.iter().map(|g| ports_left(g, Tier::Ivr)).collect();
        for c in self.contacts() {
            let tier = Tier::of(c.channel);
            let Some(gateway) = self.gateway(c.gateway).filter(|g| g.limits.says) else { continue };
            if plan.tier(tier).is_some_and(|(from, _)| level.opens(from))
                && c.entry_point.is_some_and(|e| plan.scope.binary_search(&e).is_ok())
                && (tier == Tier::Faq || ports[c.gateway.index()] > 0)
                && self.may_be_diverted(at, c, plan.soon)
            {
                fit[tier.index()] += 1;
                if tier == Tier::Ivr && gateway.limits.ivr_ports > 0 {
                    ports[c.gateway.index()] -= 1;
                }
            }
        }
        let room = |tier: Tier| {
            let capacity = plan.tier(tier).map_or(0, |(_, capacity)| capacity);
            u64::from(capacity.saturating_sub(in_use[tier.index()]))
        };
        Tier::MACHINES.into_iter().map(|tier| fit[tier.index()].min(room(tier))).sum()
    }

    pub(super) fn in_force(&self, id: RecallId) -> Result<&Recall, Refusal> {
        self.recall(id).filter(|r| !r.over).ok_or(Refusal::NoSuchRecall(id))
    }

    fn check_order(&self, order: &RecallOrder) -> Result<(), Refusal> {
        match order {
            RecallOrder::Start { plan, lasting, accept_empty_safety_lane, free, .. } => {
                self.check_plan(plan, None)?;
                if let Some(bounds) = free.map(|within| within.or(plan.control().bounds)) {
                    check_bounds(bounds, OF_START)?;
                }
                if *lasting < Span::seconds(60) || *lasting > MOST_LASTING {
                    let expected = "1 minute to 90 days ahead";
                    return Err(Refusal::OutOfRange { field: "expires_unix_ms", expected });
                }
                if self.has_safety_lane(plan) || *accept_empty_safety_lane {
                    Ok(())
                } else {
                    Err(Refusal::EmptySafetyLane)
                }
            }
            RecallOrder::SetLevel { recall, level } => {
                let recall = self.in_force(*recall)?;
                if recall.level == *level && recall.control.is_none() {
                    let level = level.name();
                    return Err(Refusal::SameLevel { recall: recall.id, level });
                }
                Ok(())
            }
            RecallOrder::Free { recall, within } => self.check_free(*recall, *within),
            RecallOrder::Amend { recall, from, plan, lasting, accept_empty_safety_lane } => {
                self.check_amend(*recall, *from, plan.as_deref(), *lasting)?;
                let before = &self.in_force(*recall)?.plan;
                let lane = plan.as_ref().is_none_or(|plan| self.has_safety_lane(plan));
                if lane || *accept_empty_safety_lane || !self.has_safety_lane(before) {
                    Ok(())
                } else {
                    Err(Refusal::EmptySafetyLane)
                }
            }
            RecallOrder::End(recall) => self.in_force(*recall).map(|_| ()),
        }
    }

    /// Checks a plan, for a recall that is in force or for a new one.
    pub(super) fn check_plan(&self, plan: &Plan, of: Option<RecallId>) -> Result<(), Refusal> {
        let others = || self.recalls.iter().filter(|r| !r.over && Some(r.id) != of);
        if others().count() >= MOST_RECALLS {
            return Err(Refusal::Limit { what: "recall", most: MOST_RECALLS as u64 });
        }
        let known = |e: &EntryPointId| self.routing.entry_point(*e).is_some();
        let sorted = plan.scope.windows(2).all(|w| w[0] < w[1]);
        let checks = [
            ("playbook", "at most 1 MiB", plan.playbook.len() <= MOST_PLAYBOOK),
            (
                "scope.entry_points",
                "entry points of the configuration",
                !plan.scope.is_empty() && sorted && plan.scope.iter().all(known),
            ),
            ("safety.agents", "sorted, each once", plan.safety.kept.is_sorted()),
            (
                "ivr.options",
                "at least one, each key once, none 0",
                plan.ivr.as_ref().is_none_or(sound),
            ),
            (
                "safety.queue",
                "a queue of the configuration",
                self.routing.queue(plan.safety.queue).is_some_and(|q| !q.retired),
            ),
        ];
        if let Some((field, expected, _)) = checks.into_iter().find(|(_, _, ok)| !ok) {
            return Err(Refusal::OutOfRange { field, expected });
        }
        if let Some((field, expected)) = self.check_lane(plan) {
            return Err(Refusal::OutOfRange { field, expected });
        }
        for recall in others() {
            if let Some(taken) = plan.scope.iter().find(|e| recall.covers(**e)) {
                let name = self.routing.entry_point(*taken).map(|e| Arc::clone(&e.name));
                let entry_point = name.unwrap_or_else(|| "?".into());
                return Err(Refusal::ScopeTaken { entry_point, recall: recall.id });
            }
        }
        Ok(())
    }

    /// Whether somebody is there for a plan's safety contacts now, or a number outside is.
    fn has_safety_lane(&self, plan: &Plan) -> bool {
        self.outside(&plan.safety, Channel::Voice).is_some() || self.safety_agents(plan) > 0
    }

    /// Agents kept for a plan's safety lane who are signed in and may serve its queue.
    #[must_use]
    pub fn safety_agents(&self, plan: &Plan) -> usize {
        self.safety_agents_on(plan, &Channel::ALL)
    }

    /// The same on one of some channels.
    #[must_use]
    pub fn safety_agents_on(&self, plan: &Plan, channels: &[Channel]) -> usize {
        let signed_in =
            |a: &super::super::agent::Agent| matches!(a.presence, Presence::Connected(_));
        let here = |a: &&AgentId| {
            self.agent(**a).is_some_and(signed_in) && self.serves(**a, plan, channels)
        };
        plan.safety.kept.iter().filter(here).count()
    }

    /// Whether an agent has what the safety queue asks for, on one of some channels.
    fn serves(&self, agent: AgentId, plan: &Plan, channels: &[Channel]) -> bool {
        let (Some(a), Some(queue)) =
            (self.routing.agent(agent), self.routing.queue(plan.safety.queue))
        else {
            return false;
        };
        let channel = |c: &Channel| queue.channels[c.index()] && a.capacity[c.index()] > 0;
        !a.retired
            && (queue.pools.is_empty() || queue.pools.contains(&a.pool))
            && queue.needs.iter().all(|n| {
                a.skills.iter().any(|(skill, level)| *skill == n.skill && *level >= n.at_least)
            })
            && channels.iter().any(channel)
    }

    /// Whether a waiting contact is one that self-service may take: it waits in line, a
    /// gateway that hears us holds it, it is not about safety, no person has had it, no
    /// machine has had it, nobody asked for a person, and it is not served soon.
    fn may_be_diverted(&self, at: EngineTime, c: &Contact, soon: Span) -> bool {
        c.is_in_line()
            && matches!(c.link, Link::Attached(_))
            && self.is_attached(c)
            && c.service != ServiceClass::Safety
            && !is_hurt(c)
            && c.parent.is_none()
            && c.named.is_none()
            && c.answered.is_none()
            && c.callback.is_none()
            && c.offer().is_none()
            && !c.machine.bounced
            && !c.machine.refused
            && !self.is_soon(at, c, soon)
    }

    /// Whether a contact will probably be served within so long. Not known is not soon; what
    /// waits for one agent is left to them.
    fn is_soon(&self, at: EngineTime, c: &Contact, soon: Span) -> bool {
        match self.expected(c, self.stand_of(c.id), at) {
            (None, _) => true,
            (Some(_), expected) => expected.is_some_and(|wait| wait.mean < soon),
        }
    }

    /// The queue of the safety lane for a contact, if a recall has one that takes it: the
    /// recall where it came in, or the one by whose words it was found to be about safety.
    pub(super) fn safety_queue(
        &self,
        entry_point: Option<EntryPointId>,
        heed: Option<Heed>,
        channel: Channel,
    ) -> Option<QueueId> {
        let by_words = heed.and_then(|h| self.recall(h.recall)).filter(|r| !r.over);
        let recall = self.recall_at(entry_point).or(by_words)?;
        let queue = recall.plan.safety.queue;
        let takes = self.routing.takes(queue, channel)
            && self.routing.queue(queue).is_some_and(|q| !q.retired);
        takes.then_some(queue)
    }
}

/// Calls that a gateway can still take into its menu; as many as there are if it does not say.
fn ports_left(gateway: &Gateway, tier: Tier) -> u32 {
    match (tier, gateway.limits.ivr_ports) {
        (Tier::Ivr, ports) if ports > 0 => ports.saturating_sub(gateway.in_ivr),
        _ => u32::MAX,
    }
}

/// Whether a menu can be used: without options a caller would hear nothing.
fn sound(ivr: &IvrPlan) -> bool {
    let keys: Vec<u8> = ivr.options.iter().map(|(key, _)| *key).collect();
    let once = keys.iter().all(|key| keys.iter().filter(|k| *k == key).count() == 1);
    !keys.is_empty() && once && keys.iter().all(|key| (b'1'..=b'9').contains(key))
}

/// Whether somebody was found to be hurt or exposed.
pub(super) fn is_hurt(c: &Contact) -> bool {
    c.triage.is_some_and(|t| t.class == TriageClass::Safety)
}

impl Turn<'_> {
    pub(super) fn recall_orders(
        &mut self,
        order: &RecallOrder,
        why: &Arc<str>,
    ) -> Result<Reply, Refusal> {
        if why.is_empty() || why.len() > MOST_WHY {
            return Err(Refusal::OutOfRange { field: "why", expected: "1 to 512 bytes" });
        }
        self.engine.check_order(order)?;
        self.order(why);
        match order {
            RecallOrder::Start { plan, level, lasting, free, .. } => {
                let recall = RecallId(self.engine.counts.last_recall + 1);
                let (plan, expires) = (Arc::clone(plan), self.at + *lasting);
                self.emit(Event::RecallStarted { recall, plan, level: *level, expires });
                if let Some(within) = free {
                    self.free_level(recall, *within);
                }
                self.walk_anew(recall, true);
                self.kept_partners_look(recall);
                return Ok(Reply::Recall(recall));
            }
            RecallOrder::SetLevel { recall, level } => {
                self.set_level(*recall, *level, LevelCause::ByHand);
            }
            RecallOrder::Free { recall, within } => self.free_level(*recall, *within),
            RecallOrder::Amend { recall, plan, lasting, .. } => {
                self.amend(*recall, plan.as_ref(), *lasting);
            }
            RecallOrder::End(recall) => self.end_recall(*recall, false),
        }
        Ok(Reply::Done)
    }

    pub(super) fn end_recall(&mut self, recall: RecallId, expired: bool) {
        let kept = self.engine.recall(recall).map(|r| r.plan.safety.kept.clone());
        self.emit(Event::RecallEnded { recall, expired });
        self.walk_anew(recall, false);
        // Who was kept for safety may have anything again.
        for agent in kept.unwrap_or_default() {
            self.offer_agent(agent);
        }
    }

    /// A contact that has just come and found nobody: to self-service, if a recall has a tier
    /// open for it. Tells whether it is there.
    pub(super) fn overflow(&mut self, contact: ContactId) -> bool {
        self.may_overflow(contact) && self.take_over(contact, Haste::AtOnce)
    }

    /// To self-service, where [`Self::may_overflow`] said that there is a place.
    pub(super) fn take_over(&mut self, contact: ContactId, how: Haste) -> bool {
        let Some(c) = self.engine.contact(contact) else { return false };
        let (tier, gateway) = (Tier::of(c.channel), c.gateway);
        let Some(recall) = self.engine.recall_at(c.entry_point).map(|r| r.id) else {
            return false;
        };
        let turn = match how {
            Haste::AtOnce if !self.has_enough_to_say(tier, gateway) => None,
            _ => Some(self.turn_of(gateway)),
        };
        self.divert(contact, recall, tier, turn);
        true
    }

    /// Whether a gateway has as much to send, and to report, as it may.
    pub(super) fn has_enough_to_say(&self, tier: Tier, gateway: GatewayId) -> bool {
        let full = |g: &Gateway| g.unsaid >= SAY_WINDOW;
        tier == Tier::Faq && self.engine.gateway(gateway).is_none_or(full)
    }

    /// Whether there is a place in self-service for a contact, its gateway's haste apart.
    pub(super) fn may_overflow(&self, contact: ContactId) -> bool {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact) else { return false };
        let Some(recall) = engine.recall_at(c.entry_point) else { return false };
        let Some(gateway) = engine.gateway(c.gateway) else { return false };
        let tier = Tier::of(c.channel);
        let capacity = recall.plan.tier(tier).map_or(0, |(_, capacity)| capacity);
        // What costs least is asked first.
        recall.is_open(tier)
            && recall.tiers[tier.index()].in_use < capacity
            && recall.breakers[tier.index()].admits(0)
            && gateway.limits.says
            && ports_left(gateway, tier) > 0
            && engine.may_be_diverted(self.at, c, recall.plan.soon)
    }

    /// What a customer's words were found to mean, if that is news.
    pub(super) fn heed(&mut self, contact: ContactId, heed: Option<Heed>) {
        let Some(heed) = heed.filter(|h| self.engine.recall(h.recall).is_some()) else { return };
        let Some(c) = self.engine.contact(contact) else { return };
        let wants = heed.class == TriageClass::PersonWanted && !c.machine.refused;
        if !wants && c.triage.is_some_and(|t| heed.class >= t.class) {
            return;
        }
        let affected = heed.class == TriageClass::Affected && c.answered.is_none();
        let head_start = Span(c.head_start.0.saturating_add(AFFECTED_HEAD_START.0)).min(A_DAY);
        let of_queue = self.queue_of(c.queue).map_or(Span::ZERO, |q| q.head_start);
        // Never worse than it was: the queue's own head start may have changed since.
        let ahead = [of_queue, head_start, c.waited_before, c.stage.raised, c.care.ahead];
        let place = place(c.arrived, &ahead).min(c.place);
        self.emit(Event::Triaged { contact, heed });
        if affected {
            self.emit(Event::Reprioritised { contact, head_start, place });
        }
    }

    /// A waiting contact that turned out to be about safety goes into the safety lane.
    pub(super) fn move_to_safety(&mut self, contact: ContactId) {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact).filter(|c| c.state == State::Queued) else { return };
        let lane = engine.safety_queue(c.entry_point, c.triage, c.channel).unwrap_or(c.queue);
        if c.service == ServiceClass::Safety && c.queue == lane || c.parent.is_some() {
            return;
        }
        let mut queued = self.moved_to(c, lane, QueuedBecause::Safety);
        queued.service = ServiceClass::Safety;
        if !engine.floor.has_room(Asked::of_queued(c.channel, &queued)) {
            // First in its own queue is better than an argument about tables.
            queued =
                Queued { service: ServiceClass::Safety, ..self.requeued(c, QueuedBecause::Safety) };
        }
        self.emit(Event::Queued(queued));
        self.offer_contact(contact);
    }
}
