//! Who is at work for a recall's scope, and how much of their other lines' staff they are: what
//! an offered load is held against.
//!
//! Only reads counts of staff; [`super::super::inflow`] makes a load of it. It decides nothing.

use super::{Floor, Profile};
use crate::engine::queue_life::Pools;
use crate::engine::rank::{Apart, ClassKey, ProfileKey};
use crate::engine::routing::Queue;
use crate::engine::words::{Channel, Needs, ServiceClass};
use crate::ids::{AgentId, PoolId, QueueId};

/// Pairs of a line and a profile looked at, those of the scope's own lines apart. Beyond, the
/// profiles with most agents stand for the others, so that the cost stays bounded.
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
    /// Whether one who came into the line now, and asked for what most do, would be taken at once.
    pub(crate) idle: Vec<bool>,
}

/// A queue's lines of one channel, by who serves them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Longest {
    /// How many wait in all of them.
    pub(crate) waiting: u32,
    /// The longest for which somebody is at work, and how many wait in it.
    pub(crate) served: Option<(u16, u32)>,
    /// The longest for which nobody is.
    pub(crate) unserved: Option<(u16, u32)>,
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
        let idle = vec![false; lines.len()];
        let mut serving = Serving { agents: 0, all: none(), ours: none(), busy: none(), idle };
        let at_work = |(key, of): &&(ProfileKey, Profile)| {
            of.staff.agents > 0 && !helpers.contains(&key.pool)
        };
        let mut profiles: Vec<_> = self.profiles.iter().filter(at_work).collect();
        let few = (MOST_PAIRS / lines.len().max(1)).max(1);
        if profiles.len() > few {
            profiles.sort_by_key(|(_, of)| std::cmp::Reverse(of.staff.agents));
        }
        for (n, (profile, of)) in profiles.into_iter().enumerate() {
            let slots = |i: usize| of.staff.slots[keys[i].channel.index()];
            let fit = |i: &usize| slots(*i) > 0 && keys[*i].fits(profile, &lines[*i].2.pools);
            let looked_at = if n < few { lines.len() } else { scope };
            let served: Vec<usize> = (0..looked_at).filter(fit).collect();
            let ours = served.iter().any(|i| scoped(*i, &keys[*i]));
            serving.agents += if ours { of.staff.agents } else { 0 };
            for i in served {
                serving.all[i] += slots(i);
                serving.idle[i] |= !of.idle[keys[i].channel.index()].is_empty();
                if ours {
                    serving.ours[i] += slots(i);
                    serving.busy[i] += of.staff.agents;
                }
            }
        }
        serving
    }

    /// How many wait in a queue's lines of one channel and class of service, and which of them
    /// are the longest: the classes by which one more would be told their wait.
    pub(crate) fn longest_of(&self, queue: QueueId, channel: Channel) -> Longest {
        let service = channel.service();
        let bits = &self.waiting[service as usize][channel.index()];
        let (mut longest, mut ranks) = (Longest::default(), [None, None]);
        for id in bits.ones() {
            let class = &self.classes[id];
            if class.key.queue != queue || class.line.is_empty() {
                continue;
            }
            let here = u32::try_from(class.line.len()).unwrap_or(u32::MAX);
            longest.waiting = longest.waiting.saturating_add(here);
            // Numbers of classes are others after a restart: who came first decides instead.
            let rank = Some((here, std::cmp::Reverse(class.line.oldest())));
            let served = class.slots > 0;
            if rank > ranks[usize::from(served)] {
                ranks[usize::from(served)] = rank;
                let one = u16::try_from(id).ok().map(|id| (id, here));
                *(if served { &mut longest.served } else { &mut longest.unserved }) = one;
            }
        }
        longest
    }

    /// Everybody of some pools, at work or not.
    pub(crate) fn members_of<'a>(
        &'a self,
        of: impl Fn(PoolId) -> bool + 'a,
    ) -> impl Iterator<Item = AgentId> + 'a {
        let profiles = self.profiles.iter().filter(move |(key, _)| of(key.pool));
        profiles.flat_map(|(_, profile)| profile.members.iter().copied())
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
