//! What should be looked at before or after a recall starts: nothing of it stops the start.
//! Sentences for people; each says what follows.

use crate::engine::agent::Presence;
use crate::engine::gateway::Gateway;
use crate::engine::recall::{PartnerTier, Plan, Tier};
use crate::engine::routing::EntryPoint;
use crate::engine::words::Channel;
use crate::ids::{AgentId, PoolId, QueueId};
use crate::shard::view::View;
use crate::time::Span;

/// Agents or gateways that are named in one sentence.
const MOST_NAMED: usize = 5;

/// Everything doubtful about a plan on this router, now.
pub(super) fn told(view: &View<'_>, plan: &Plan) -> Vec<String> {
    let mut told = Vec::new();
    lane(view, plan, &mut told);
    scope(view, plan, &mut told);
    speechless(view, &mut told);
    if plan.faq.is_none() {
        told.push(
            "The playbook has no faq tier: chats, emails and messages wait for agents at \
             every level."
                .to_owned(),
        );
    }
    match &plan.ivr {
        None => told
            .push("The playbook has no ivr tier: calls wait for agents at every level.".to_owned()),
        Some(ivr) => ports(view, ivr.ports, &mut told),
    }
    if plan.callback.is_some() {
        callbacks(view, plan, &mut told);
    }
    told.extend(plan.partner.as_ref().and_then(|tier| partners(view, tier)));
    told
}

/// Whether calls can be offered, and made.
fn callbacks(view: &View<'_>, plan: &Plan, told: &mut Vec<String>) {
    let routing = view.engine.routing();
    let mut queues: Vec<_> = points(view, plan).map(|p| p.queue).collect();
    queues.retain(|q| routing.takes(*q, Channel::Voice));
    queues.sort_unstable();
    queues.dedup();
    let makes = |q: &QueueId| routing.queue(*q).is_some_and(|q| q.callback.is_some());
    let (with, without): (Vec<QueueId>, Vec<_>) = queues.iter().partition(|q| makes(q));
    let names: Vec<&str> = without.iter().map(|q| routing.queue_name(*q)).collect();
    if !names.is_empty() {
        let whom =
            if with.is_empty() { "nobody is offered a call" } else { "no call is offered there" };
        told.push(format!(
            "Queues in scope that take calls and have no [queues.callback]: {}; {whom}.",
            listed(&names)
        ));
    }
    if !gateways(view).any(|g| g.limits.offers) {
        told.push(
            "No gateway that carries out OfferCallback is connected: nobody is offered a call \
             until one is."
                .to_owned(),
        );
    }
}

/// Whether there is anybody in the pools of partners, and whether they are there.
fn partners(view: &View<'_>, tier: &PartnerTier) -> Option<String> {
    let routing = view.engine.routing();
    let name = |pool: &PoolId| routing.pools.get(pool.index()).map_or("?", |p| &*p.name);
    let pools = listed(&tier.pools.iter().map(name).collect::<Vec<_>>());
    let ids = (0u32..).map(AgentId).zip(&routing.agents);
    let theirs = ids.filter(|(_, a)| !a.retired && tier.pools.contains(&a.pool));
    let theirs: Vec<AgentId> = theirs.map(|(id, _)| id).collect();
    let here = |id: &AgentId| {
        let agent = view.engine.agent(*id);
        agent.is_some_and(|a| matches!(a.presence, Presence::Connected(_)))
    };
    match theirs.len() {
        0 => Some(format!(
            "The partners' pools have no agent: {pools}. The partner tier has nobody."
        )),
        _ if theirs.iter().any(here) => None,
        of => Some(format!(
            "None of the {of} agents of the partners' pools is signed in ({pools}): once partners \
             are called they have {} s until they join.",
            tier.lead.as_millis() / 1_000
        )),
    }
}

/// Whether somebody is there for safety contacts.
fn lane(view: &View<'_>, plan: &Plan, told: &mut Vec<String>) {
    told.extend(missing(view, plan));
    let queue = view.engine.routing().queue_name(plan.safety.queue);
    let takes = |channel| view.engine.routing().takes(plan.safety.queue, channel);
    let has = |channel| {
        view.engine.safety_agents_on(plan, &[channel]) > 0
            || view.engine.outside(&plan.safety, channel).is_some()
    };
    let somebody = view.engine.safety_agents(plan) > 0;
    for channel in come_in(view, plan) {
        if !takes(channel) {
            told.push(format!(
                "The safety queue {queue} does not take {channel}: safety contacts by {channel} \
                 stay in their own queue, first in line."
            ));
        } else if somebody && !has(channel) {
            let late = plan.safety.late;
            let seconds = |span: Span| span.as_millis() / 1_000;
            told.push(format!(
                "None of those kept for the safety lane who are signed in takes {channel}, and no \
                 number outside does: safety contacts by {channel} wait {} s for any agent, and \
                 people are paged after {} s.",
                seconds(late.any_agent),
                seconds(late.page)
            ));
        }
    }
}

/// Who of those kept for safety contacts is not there, and who is.
fn missing(view: &View<'_>, plan: &Plan) -> Option<String> {
    let signed_in = |id: &&AgentId| {
        let agent = view.engine.agent(**id);
        agent.is_some_and(|a| matches!(a.presence, Presence::Connected(_)))
    };
    let (here, missing): (Vec<_>, Vec<_>) = plan.safety.kept.iter().partition(signed_in);
    let (of, missing) = (plan.safety.kept.len(), named(view, &missing));
    match here.len() {
        0 => {
            let instead = match view.engine.outside(&plan.safety, Channel::Voice) {
                Some((_, number)) => format!(
                    "calls go to {number} after {} s",
                    plan.safety.late.external.as_millis() / 1_000
                ),
                None => "there is no external number that takes calls".to_owned(),
            };
            Some(format!(
                "None of the {of} agents kept for the safety lane is signed in ({missing}): \
                 safety contacts wait first in line for whoever can take them; {instead}."
            ))
        }
        all if all == of => None,
        some => Some(format!(
            "Of the {of} agents kept for the safety lane {some} {} signed in ({}); not signed in: \
             {missing}.",
            if some == 1 { "is" } else { "are" },
            named(view, &here)
        )),
    }
}

/// Who is kept for safety contacts, by name.
pub(super) fn kept(view: &View<'_>, plan: &Plan) -> String {
    named(view, &plan.safety.kept.iter().collect::<Vec<_>>())
}

/// Names of agents, the first of many.
fn named(view: &View<'_>, agents: &[&AgentId]) -> String {
    let routing = view.engine.routing();
    let name = |id: &&AgentId| routing.agent(**id).map_or("?", |a| &*a.name);
    listed(&agents.iter().map(name).collect::<Vec<_>>())
}

fn listed(names: &[&str]) -> String {
    let shown = &names[..names.len().min(MOST_NAMED)];
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Whether contacts come in where the tiers could take them.
fn scope(view: &View<'_>, plan: &Plan, told: &mut Vec<String>) {
    let routing = view.engine.routing();
    for point in points(view, plan) {
        if routing.queue(point.queue).is_some_and(|q| q.retired) {
            told.push(format!(
                "Entry point {} leads to queue {}, which takes nobody any more.",
                point.name,
                routing.queue_name(point.queue)
            ));
        }
    }
    let channels = come_in(view, plan);
    for tier in Tier::MACHINES.into_iter().filter(|t| plan.tier(*t).is_some()) {
        if !channels.iter().any(|c| Tier::of(*c) == tier) {
            let what = if tier == Tier::Ivr { "calls" } else { "chats, emails or messages" };
            told.push(format!(
                "No entry point in scope leads to a queue that takes {what}: the {} tier has \
                 nothing to take.",
                tier.name()
            ));
        }
    }
}

/// Whether gateways carry what the playbook allows.
fn ports(view: &View<'_>, ports: u32, told: &mut Vec<String>) {
    let gateways: Vec<_> = gateways(view).filter(|g| g.limits.says).collect();
    if gateways.is_empty() {
        told.push(
            "No gateway that carries out Say is connected: nobody goes to self-service until one \
             is."
            .to_owned(),
        );
        return;
    }
    // A gateway that does not say has no limit.
    let carried = gateways
        .iter()
        .map(|g| g.limits.ivr_ports)
        .try_fold(0u32, |sum, ports| (ports > 0).then(|| sum.saturating_add(ports)));
    if let Some(carried) = carried.filter(|carried| *carried < ports) {
        told.push(format!(
            "The gateways have {carried} ports for menus in all, and the playbook allows \
             {ports}: at most {carried} calls hear the menu at once."
        ));
    }
}

/// Whose customers wait for people at every level.
fn speechless(view: &View<'_>, told: &mut Vec<String>) {
    let names: Vec<&str> = gateways(view).filter(|g| !g.limits.says).map(|g| &*g.name).collect();
    if !names.is_empty() {
        told.push(format!(
            "Gateways that do not carry out Say, whose customers wait for agents at every \
             level: {}.",
            listed(&names)
        ));
    }
}

/// The gateways that hear us.
fn gateways<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Gateway> + 'v {
    (0..)
        .map_while(|id| view.engine.gateway(crate::ids::GatewayId(id)))
        .filter(|g| g.session.is_some())
}

fn points<'v>(view: &'v View<'_>, plan: &'v Plan) -> impl Iterator<Item = &'v EntryPoint> {
    plan.scope.iter().filter_map(|id| view.engine.routing().entry_point(*id))
}

/// The channels by which contacts in scope can come.
fn come_in(view: &View<'_>, plan: &Plan) -> Vec<Channel> {
    let routing = view.engine.routing();
    let takes = |c: &Channel| points(view, plan).any(|p| routing.takes(p.queue, *c));
    Channel::ALL.into_iter().filter(takes).collect()
}
