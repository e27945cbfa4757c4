//! Why a contact still waits: who could take it, and what stands in the way of each.
//!
//! Read on the replica's thread for one contact that somebody asks about, so that going
//! through all agents once is fine. It decides nothing and repeats the engine's rules only
//! to count; what it says is for people.

use std::sync::Arc;

use super::{rows, story};
use crate::engine::agent::{Agent, Presence};
use crate::engine::care::Silence;
use crate::engine::contact::{Contact, State};
use crate::engine::routing::AgentProfile;
use crate::engine::sharing::Help;
use crate::engine::words::{Availability, Channel};
use crate::ids::ContactId;
use crate::shard::view::View;
use crate::time::Span;

/// What was read of a contact that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    queue: Arc<str>,
    /// Its gateway does not hold it now.
    detached: bool,
    /// Since it last entered a queue.
    in_queue: Span,
    /// How long it waited for its first answer; none if it had none.
    answered_after: Option<Span>,
    position: u64,
    of: u64,
    /// How many with the same needs stand before it; none if it stands in no line.
    alike_before: Option<u64>,
    kept: Option<Kept>,
    /// The contact with an agent for which it is held back.
    held_for: Option<ContactId>,
    /// Whether its customer is still there.
    silence: Silence,
    agents: Agents,
}

/// For whom it is kept.
#[derive(Debug)]
struct Kept {
    agent: Arc<str>,
    left: Span,
    state: &'static str,
}

/// The agents whose skills, pool and channels let them take it, each counted once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Agents {
    signed_out: u64,
    lost: u64,
    not_ready: u64,
    unreachable: u64,
    full: u64,
    passed_over: u64,
    /// When the first of those may have it again.
    again_in: Option<Span>,
    free: u64,
}

/// Whether an agent may ever take such a contact.
fn is_able(view: &View<'_>, agent: &AgentProfile, c: &Contact) -> bool {
    let routing = view.engine.routing();
    let pools = routing.queue(c.queue).map(|q| q.pools.as_slice()).unwrap_or_default();
    let more = &c.stage.pools;
    let pool = agent.pool;
    let help = Help { queue: c.queue, service: c.service, added: more, pool };
    let fits = (pools.is_empty() || pools.contains(&agent.pool) || more.contains(&agent.pool))
        && c.needs.iter().all(|need| {
            agent
                .skills
                .iter()
                .any(|(skill, level)| *skill == need.skill && *level >= need.at_least)
        })
        && help.is_allowed(&routing.sharings, |id| view.engine.is_shared(id));
    fits || c.stage.is_anyones()
}

/// Reads why a contact waits; none if it does not.
pub(super) fn read(view: &View<'_>, contact: &Contact) -> Option<Waiting> {
    if !matches!(contact.state, State::New | State::Queued) {
        return None;
    }
    let routing = view.engine.routing();
    let (position, of) = rows::position(view, contact);
    let kept = contact.named.map(|named| Kept {
        agent: routing.agent_name(named.agent).into(),
        left: named.until.since(view.now),
        state: view.engine.agent(named.agent).map_or("unknown", |a| story::agent_state(a.state())),
    });
    Some(Waiting {
        queue: routing.queue_name(contact.queue).into(),
        detached: rows::is_detached(view, contact),
        in_queue: view.now.since(contact.queued),
        answered_after: contact.answered.map(|at| contact.waited(at)),
        position,
        of,
        alike_before: view.engine.position(contact.id).map(|n| n as u64),
        kept,
        held_for: contact.care.held_for(),
        silence: contact.care.silence,
        agents: agents(view, contact),
    })
}

fn agents(view: &View<'_>, contact: &Contact) -> Agents {
    let routing = view.engine.routing();
    let mut counts = Agents::default();
    for agent in view.engine.agents() {
        let Some(profile) = routing.agent(agent.id) else { continue };
        let able = !profile.retired
            && profile.capacity[contact.channel.index()] > 0
            && is_able(view, profile, contact);
        if !able {
            continue;
        }
        let passed_over = contact.passed_over.iter().find(|p| p.agent == agent.id);
        if agent.can_take(profile, contact.channel)
            && let Some(until) = passed_over.map(|p| p.until.since(view.now))
        {
            counts.passed_over += 1;
            counts.again_in = Some(counts.again_in.map_or(until, |first| first.min(until)));
        } else {
            *counts.of(agent, profile, contact.channel) += 1;
        }
    }
    counts
}

impl Agents {
    /// The count that an agent belongs to.
    fn of(&mut self, agent: &Agent, profile: &AgentProfile, channel: Channel) -> &mut u64 {
        if matches!(agent.presence, Presence::Lost { .. }) {
            return &mut self.lost;
        }
        match agent.availability {
            Availability::SignedOut => &mut self.signed_out,
            Availability::NotReady(_) => &mut self.not_ready,
            Availability::Ready if agent.can_take(profile, channel) => &mut self.free,
            Availability::Ready if agent.phone_unreachable && channel == Channel::Voice => {
                &mut self.unreachable
            }
            Availability::Ready => &mut self.full,
        }
    }

    const fn signed_in(&self) -> u64 {
        self.not_ready + self.unreachable + self.full + self.passed_over + self.free
    }

    const fn able(&self) -> u64 {
        self.signed_in() + self.signed_out + self.lost
    }

    /// What stands in the way of those who are signed in.
    fn told(&self) -> String {
        let again = self.again_in.map_or_else(String::new, |left| {
            format!(" (the first may have it again in {})", story::length(left))
        });
        let parts = [
            (self.free, "could take it now", ""),
            (self.full, "ready but with full hands", ""),
            (self.passed_over, "passed over, having not taken it", &*again),
            (self.not_ready, "not ready", ""),
            (self.unreachable, "with a phone that was not reached", ""),
        ];
        let parts = parts.iter().filter(|(n, ..)| *n > 0);
        let parts: Vec<String> = parts.map(|(n, what, more)| format!("{n} {what}{more}")).collect();
        parts.join(", ")
    }
}

impl Waiting {
    /// A few sentences, what matters most first.
    pub(super) fn told(&self) -> String {
        let mut said = Vec::new();
        if self.detached {
            said.push(
                "Its gateway is gone: it keeps its place, but is offered to nobody until the \
                 gateway is back and says that it still holds it."
                    .to_owned(),
            );
        }
        said.extend(self.patience());
        said.extend(self.nobody());
        let queue = &self.queue;
        let place = format!("It is number {} of {} in {queue}", self.position, self.of);
        let in_queue = story::length(self.in_queue);
        said.push(match self.answered_after {
            None => format!("{place}, where it has been for {in_queue}."),
            Some(after) => format!(
                "{place}: it was first answered after {} and has been waiting again for {in_queue}.",
                story::length(after)
            ),
        });
        if let Some(Kept { agent, left, state }) = &self.kept {
            let left = story::length(*left);
            said.push(format!("It is kept for {agent} for another {left}; {agent} is {state}."));
        }
        let agents = &self.agents;
        if agents.signed_in() > 0 {
            let (able, here) = (agents.able(), agents.signed_in());
            let whom = if able == 1 { "agent is" } else { "agents are" };
            said.push(format!(
                "{able} {whom} able to take it, {here} of them signed in: {}.",
                agents.told()
            ));
        }
        said.extend(self.line());
        said.join(" ")
    }

    /// Why it is offered to nobody although it waits.
    fn patience(&self) -> Option<String> {
        if let Some(with) = self.held_for {
            return Some(format!(
                "It is held back, keeping its place, while contact {with} of the same customer is \
                 with an agent."
            ));
        }
        match self.silence {
            Silence::Fell => Some(
                "Its customer has said nothing for long, and is asked before it is given to anyone."
                    .to_owned(),
            ),
            Silence::Asked { .. } => Some("Its customer is asked if they are there.".to_owned()),
            Silence::None | Silence::Gone => None,
        }
    }

    /// Said first where it is so: no routing helps when nobody is there.
    fn nobody(&self) -> Option<String> {
        let agents = &self.agents;
        if agents.able() == 0 {
            return Some(
                "No agent of the configuration has the skills, pool and channel to take it."
                    .to_owned(),
            );
        }
        (agents.signed_in() == 0).then(|| {
            let lost = match agents.lost {
                0 => String::new(),
                n => format!(", {n} with a lost connection"),
            };
            let out = agents.signed_out;
            format!("Nobody who is able to take it is signed in: {out} signed out{lost}.")
        })
    }

    /// Who is before it, and whether that line moves.
    fn line(&self) -> Option<String> {
        let before = self.alike_before?;
        let before = match before {
            0 => "It is the first of those with its needs".to_owned(),
            1 => "One with the same needs is before it".to_owned(),
            n => format!("{n} with the same needs are before it"),
        };
        let blocked = self.agents.free == 0;
        let line =
            if blocked { "their line is blocked: nobody able is free" } else { "their line moves" };
        Some(format!("{before}; {line}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(agents: Agents) -> Waiting {
        Waiting {
            queue: "support".into(),
            detached: false,
            in_queue: Span::seconds(61),
            answered_after: None,
            position: 3,
            of: 4,
            alike_before: Some(1),
            kept: None,
            held_for: None,
            silence: Silence::None,
            agents,
        }
    }

    #[test]
    fn nobody_being_there_is_said_first() {
        let text = waiting(Agents::default()).told();
        assert!(text.starts_with("No agent of the configuration"), "{text}");
        let text = waiting(Agents { signed_out: 4, lost: 1, ..Agents::default() }).told();
        assert!(
            text.starts_with("Nobody who is able to take it is signed in: 4 signed out, 1 with"),
            "{text}"
        );
        assert!(
            text.contains("number 3 of 4 in support, where it has been for 1 min 01 s"),
            "{text}"
        );
        assert!(text.contains("line is blocked"), "{text}");
    }

    #[test]
    fn each_agents_obstacle_is_counted() {
        let agents = Agents {
            signed_out: 2,
            not_ready: 1,
            full: 3,
            passed_over: 1,
            again_in: Some(Span::seconds(40)),
            ..Agents::default()
        };
        let text = waiting(agents).told();
        let expected = "7 agents are able to take it, 5 of them signed in: 3 ready but with full \
                        hands, 1 passed over, having not taken it (the first may have it again in \
                        40.0 s), 1 not ready. One with the same needs is before it; their line is \
                        blocked: nobody able is free.";
        assert!(text.ends_with(expected), "{text}");
        let text = waiting(Agents { free: 1, ..Agents::default() }).told();
        assert!(text.contains("1 agent is able") && text.contains("their line moves"), "{text}");
    }

    #[test]
    fn a_lost_gateway_a_named_agent_and_a_second_wait_are_told() {
        let text = Waiting {
            detached: true,
            answered_after: Some(Span::seconds(7)),
            kept: Some(Kept { agent: "anne".into(), left: Span::seconds(12), state: "busy" }),
            alike_before: None,
            ..waiting(Agents { full: 1, ..Agents::default() })
        }
        .told();
        assert!(text.starts_with("Its gateway is gone"), "{text}");
        let held = Waiting { held_for: Some(ContactId(7)), ..waiting(Agents::default()) }.told();
        assert!(held.contains("while contact 7 of the same customer"), "{held}");
        let silent = Waiting { silence: Silence::Fell, ..waiting(Agents::default()) }.told();
        assert!(silent.starts_with("Its customer has said nothing"), "{silent}");
        assert!(text.contains("first answered after 7.0 s and has been waiting again for 1 min"));
        assert!(text.contains("kept for anne for another 12.0 s; anne is busy."), "{text}");
    }
}
