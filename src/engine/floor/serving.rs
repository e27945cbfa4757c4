//! Who is at work for a recall's scope, and how much of their other lines' staff they are: what
//! an offered load is held against.
//!
//! Only reads counts of staff; [`super::super::inflow`] makes a load of it. It decides nothing.

use super::Floor;
use crate::engine::queue_life::Pools;
use crate::engine::rank::{Apart, ClassKey};
use crate::engine::routing::Queue;
use crate::engine::words::{Channel, Needs, ServiceClass};
use crate::ids::{PoolId, QueueId};

/// Pairs of a line and a profile looked at. Of more, every second, third and so on of the
/// profiles stands for the others, so that the cost stays bounded.
const MOST_PAIRS: usize = 16_384;

/// A queue's contacts of one channel.
pub(crate) type OfQueue<'a> = (QueueId, Channel, &'a Queue);

/// Agents at work for some lines, and contacts that they serve at once, by line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Serving {
    /// Agents who serve a line of the scope.
    pub(crate) agents: u32,
    /// Contacts of each line that all who are at work for it serve at once.
    pub(crate) all: Vec<u32>,
    /// Of these, those of agents of the scope.
    pub(crate) ours: Vec<u32>,
    /// How many of those agents serve the line.
    pub(crate) busy: Vec<u32>,
}

impl Floor {
    /// Who serves these lines, of which the first `scope` are a recall's. Agents of the pools
    /// that help for a while are not counted: with them gone it must do as well.
    pub(crate) fn serving(
        &self,
        lines: &[OfQueue<'_>],
        scope: usize,
        helpers: &[PoolId],
    ) -> Serving {
        let keys: Vec<ClassKey> = lines.iter().map(usual).collect();
        let live = |k: &&ClassKey| k.channel.service() == ServiceClass::Live;
        let any_live = keys.iter().take(scope).any(|k| live(&k));
        let scoped = |i: usize, key: &ClassKey| i < scope && (!any_live || live(&key));
        let none = || vec![0; lines.len()];
        let mut serving = Serving { agents: 0, all: none(), ours: none(), busy: none() };
        let every = (lines.len() * self.profiles.len()).div_ceil(MOST_PAIRS).max(1);
        let at_work = self.profiles.iter().step_by(every).filter(|(_, p)| p.staff.agents > 0);
        for (profile, of) in at_work.filter(|(key, _)| !helpers.contains(&key.pool)) {
            let slots = |i: usize| of.staff.slots[keys[i].channel.index()];
            let fit = |i: &usize| slots(*i) > 0 && keys[*i].fits(profile, &lines[*i].2.pools);
            let served: Vec<usize> = (0..lines.len()).filter(fit).collect();
            let ours = served.iter().any(|i| scoped(*i, &keys[*i]));
            serving.agents += if ours { of.staff.agents } else { 0 };
            for i in served {
                serving.all[i] += slots(i);
                if ours {
                    serving.ours[i] += slots(i);
                    serving.busy[i] += of.staff.agents;
                }
            }
        }
        serving.agents = serving.agents.saturating_mul(u32::try_from(every).unwrap_or(u32::MAX));
        serving
    }

    /// How many wait in a queue's lines of one channel and class of service, and which of them
    /// is the longest: the class by which one more would be told their wait.
    pub(crate) fn longest_of(&self, queue: QueueId, channel: Channel) -> (u32, Option<u16>) {
        let service = channel.service();
        let bits = &self.waiting[service as usize][channel.index()];
        let (mut waiting, mut longest) = (0, None);
        for id in bits.ones() {
            let class = &self.classes[id];
            if class.key.queue != queue || class.line.is_empty() {
                continue;
            }
            waiting += class.line.len();
            // Numbers of classes are others after a restart: who came first decides instead.
            let rank = (class.line.len(), std::cmp::Reverse(class.line.oldest()));
            if longest.is_none_or(|(best, _)| rank > best) {
                longest = Some((rank, id));
            }
        }
        let id = longest.and_then(|(_, id)| u16::try_from(id).ok());
        (u32::try_from(waiting).unwrap_or(u32::MAX), id)
    }

    /// Whoever stands at the front of a class's line.
    pub(crate) fn oldest_of(&self, class: u16) -> Option<super::Spot> {
        self.classes[usize::from(class)].line.oldest()
    }
}

/// What most contacts of a queue and channel ask for.
fn usual((queue, channel, of): &OfQueue<'_>) -> ClassKey {
    ClassKey {
        queue: *queue,
        channel: *channel,
        service: if of.safety { ServiceClass::Safety } else { channel.service() },
        needs: of.needs.clone(),
        preferred: Needs::new(),
        pools: Pools::new(),
        silent: false,
        anyone: false,
        apart: Apart::NONE,
    }
}
