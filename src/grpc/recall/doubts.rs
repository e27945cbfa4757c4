//! What should be looked at before or after a recall starts: nothing of it stops the start.
//! Sentences for people; each says what follows.

use crate::engine::recall::{Plan, Tier};
use crate::engine::routing::EntryPoint;
use crate::engine::words::Channel;
use crate::shard::view::View;

/// Everything doubtful about a plan on this router, now.
pub(super) fn told(view: &View<'_>, plan: &Plan) -> Vec<String> {
    let mut told = Vec::new();
    lane(view, plan, &mut told);
    scope(view, plan, &mut told);
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
    told
}

/// Whether somebody is there for safety contacts.
fn lane(view: &View<'_>, plan: &Plan, told: &mut Vec<String>) {
    let here = view.engine.safety_agents(plan);
    let of = plan.safety.kept.len();
    if here == 0 {
        told.push(if plan.safety.external {
            format!(
                "None of the {of} agents kept for the safety lane is signed in: there is only \
                 the external number, which the router does not dial."
            )
        } else {
            format!(
                "None of the {of} agents kept for the safety lane is signed in and there is no \
                 external number: safety contacts wait first in line for whoever can take them."
            )
        });
    }
    let queue = view.engine.routing().queue_name(plan.safety.queue);
    let takes = |channel| view.engine.routing().takes(plan.safety.queue, channel);
    for channel in come_in(view, plan).into_iter().filter(|c| !takes(*c)) {
        told.push(format!(
            "The safety queue {queue} does not take {channel}: safety contacts by {channel} \
             stay in their own queue, first in line."
        ));
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
    for tier in Tier::ALL.into_iter().filter(|t| plan.tier(*t).is_some()) {
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
    let gateways: Vec<_> = gateways(view).collect();
    if gateways.is_empty() {
        told.push("No gateway is connected: nobody goes to self-service until one is.".to_owned());
        return;
    }
    // A gateway that does not say has no limit.
    let carried = gateways
        .iter()
        .try_fold(0u32, |sum, ports| (*ports > 0).then(|| sum.saturating_add(*ports)));
    if let Some(carried) = carried.filter(|carried| *carried < ports) {
        told.push(format!(
            "The gateways have {carried} ports for menus in all, and the playbook allows \
             {ports}: at most {carried} calls hear the menu at once."
        ));
    }
}

/// The ports of each gateway that hears us.
fn gateways<'v>(view: &'v View<'_>) -> impl Iterator<Item = u32> + 'v {
    (0..)
        .map_while(|id| view.engine.gateway(crate::ids::GatewayId(id)))
        .filter(|g| g.session.is_some())
        .map(|g| g.limits.ivr_ports)
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
