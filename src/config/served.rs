//! What agents can take from queues: warnings about the two together.
//!
//! Owned by one reading of one file, after everything in it was found sound. It refuses
//! nothing: agents may come later, and a queue may be meant as it is.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::problem::Fault;
use super::reader::Value;
use crate::engine::policy::ContactChoice;
use crate::engine::routing::{AgentProfile, Listed, Queue};
use crate::engine::words::{Channel, ServiceClass};
use crate::ids::{PoolId, SkillId};

/// Agents by what they can do, which in a large centre is few things.
type Kind<'a> = (PoolId, &'a SmallVec<[(SkillId, u8); 4]>, [u8; 4]);

/// The pools of a file, by name, and which of them are partners'.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoolsOf<'a> {
    pub(super) all: &'a [Listed],
    pub(super) partners: &'a [PoolId],
}

/// Partners take nothing from queues by themselves.
fn kinds<'a>(agents: &'a [AgentProfile], partners: &[PoolId]) -> Vec<Kind<'a>> {
    let own = agents.iter().filter(|a| !partners.contains(&a.pool));
    let mut kinds: Vec<_> = own.map(|a| (a.pool, &a.skills, a.capacity)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn takes((pool, skills, capacity): &Kind<'_>, queue: &Queue, channel: Channel) -> bool {
    queue.channels[channel.index()]
        && capacity[channel.index()] > 0
        && (queue.pools.is_empty() || queue.pools.contains(pool))
        && queue
            .needs
            .iter()
            .all(|n| skills.iter().any(|(s, level)| *s == n.skill && *level >= n.at_least))
}

/// Warns of what agents cannot take from queues, and of queues that are compared by what only
/// some of them have.
pub(super) fn warn<'a>(
    queues: impl Iterator<Item = (&'a Value<'a>, &'a Queue)> + Clone,
    agents: &[AgentProfile],
    pools: PoolsOf<'_>,
    choice: ContactChoice,
) {
    let kinds = kinds(agents, pools.partners);
    queues.clone().for_each(|(value, queue)| warn_partners(value, queue, pools));
    warn_unserved(queues.clone(), &kinds);
    if choice == ContactChoice::FixedQueueRatio {
        warn_unshared(queues, &kinds);
    }
}

/// Warns of a queue that names a pool of partners, which has no effect.
fn warn_partners(value: &Value<'_>, queue: &Queue, pools: PoolsOf<'_>) {
    let added = queue.steps.iter().flat_map(|step| &step.add_pools);
    let named: BTreeSet<PoolId> = queue.pools.iter().chain(added).copied().collect();
    for pool in named.into_iter().filter(|p| pools.partners.contains(p)) {
        let name = pools.all.get(pool.index()).map_or("?", |p| &*p.name);
        value.fault(Fault::PartnersPool { queue: (&*queue.name).into(), pool: name.into() });
    }
}

/// Warns of queues that no agent can take from, channel by channel. Each comes with where it
/// was read from.
fn warn_unserved<'a>(queues: impl Iterator<Item = (&'a Value<'a>, &'a Queue)>, kinds: &[Kind<'_>]) {
    for (value, queue) in queues {
        for channel in Channel::ALL.into_iter().filter(|c| queue.channels[c.index()]) {
            if !kinds.iter().any(|kind| takes(kind, queue, channel)) {
                let queue = (&*queue.name).into();
                value.fault(Fault::Unserved { queue, channel: channel.name() });
            }
        }
    }
}

/// Warns of queues without a share of which an agent also serves others that have one, in the
/// same class of service: only within one are queues compared.
fn warn_unshared<'a>(
    queues: impl Iterator<Item = (&'a Value<'a>, &'a Queue)> + Clone,
    kinds: &[Kind<'_>],
) {
    let has_share = |q: &(_, &Queue)| q.1.policy.share > 0;
    for service in ServiceClass::ALL {
        let serves = |kind: &Kind<'_>, queue: &Queue| {
            let of = |channel: &Channel| match queue.safety {
                true => service == ServiceClass::Safety,
                false => service == channel.service(),
            };
            Channel::ALL.into_iter().filter(of).any(|channel| takes(kind, queue, channel))
        };
        // For each kind of agents one queue with a share, so that pairs need not be tried.
        let first = |kind| {
            let other = queues.clone().filter(has_share).find(|(_, q)| serves(kind, q));
            other.map(|(_, q)| (kind, &*q.name))
        };
        let mixed: Vec<_> = kinds.iter().filter_map(first).collect();
        for (value, queue) in queues.clone().filter(|q| !has_share(q)) {
            if let Some((_, other)) = mixed.iter().find(|(kind, _)| serves(kind, queue)) {
                let (queue, other) = ((&*queue.name).into(), (*other).into());
                value.fault(Fault::Unshared { queue, other });
            }
        }
    }
}
