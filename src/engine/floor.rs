//! The floor: who waits for what, who is idle, and which of them fit.
//!
//! Contacts with the same needs form a demand class, agents with the same skills and
//! pool a profile. Which profiles may serve which classes is computed when one of them
//! first appears. A decision then touches classes or profiles, never all contacts or all
//! agents. Everything here can be made again from contacts, agents and routing; nothing
//! here decides.

mod demand;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use demand::{Demand, Press, Staff};
use fixedbitset::FixedBitSet;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::agent::Agent;
use super::contact::Contact;
use super::line::{Line, Standing};
use super::routing::{AgentProfile, Routing};
use super::words::{Channel, Needs, ServiceClass};
use crate::ids::{AgentId, ContactId, PoolId, QueueId, SkillId};
use crate::time::{EngineTime, Place};
use smallvec::SmallVec;

/// Most demand classes. Each costs a row of the eligibility table.
pub const MOST_CLASSES: usize = 4096;
/// Most agent profiles.
pub const MOST_PROFILES: usize = 16_384;

/// What contacts of one class have in common.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ClassKey {
    pub(crate) queue: QueueId,
    pub(crate) channel: Channel,
    pub(crate) service: ServiceClass,
    pub(crate) needs: Needs,
}

impl ClassKey {
    pub(crate) fn of(c: &Contact) -> Self {
        Self { queue: c.queue, channel: c.channel, service: c.service, needs: c.needs.clone() }
    }
}

#[derive(Debug)]
struct Class {
    key: ClassKey,
    line: Line,
    /// Profiles that may serve it with their rank, best rank first.
    eligible: Vec<(u16, u16)>,
    /// Contacts of its channel that those at work among them serve at once.
    slots: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct ProfileKey {
    /// Kept for safety contacts: takes nothing else.
    kept: bool,
    pool: PoolId,
    skills: SmallVec<[(SkillId, u8); 4]>,
    primary: Option<SkillId>,
}

#[derive(Debug, Default)]
struct Profile {
    /// Classes that it may serve.
    eligible: FixedBitSet,
    /// By channel: who could take one now, least loaded and longest idle first.
    idle: [BTreeSet<Idle>; 4],
    /// Who of it is at work.
    staff: Staff,
}

/// An agent in line for work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Idle {
    /// For chat, email and message: thousandths of capacity in use. For calls always 0.
    pub(crate) load: u16,
    pub(crate) since: EngineTime,
    pub(crate) agent: AgentId,
}

/// By channel, how an agent stands in line for work; none where they cannot take any.
pub(crate) type IdleKeys = [Option<Idle>; 4];

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    classes: Vec<Class>,
    class_ids: HashMap<ClassKey, u16, FxBuildHasher>,
    /// By service and channel: classes with somebody waiting.
    waiting: [[FixedBitSet; 4]; 3],
    profiles: Vec<(ProfileKey, Profile)>,
    /// By agent.
    profile_of: Vec<u16>,
    /// Contacts kept for one agent, by that agent.
    named: BTreeMap<AgentId, BTreeSet<(Place, ContactId)>>,
}

/// How a contact stands on the floor, to leave it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stand {
    /// It does not wait.
    Off,
    /// In the line of a class.
    Line(u16, Standing),
    /// Kept for one agent.
    Named(AgentId),
}

/// Which line the best contact for an agent was found in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) contact: ContactId,
}

impl Floor {
    /// Makes profiles and eligibility anew from a configuration. Lines stay; idle agents
    /// have to be entered again.
    pub(crate) fn configure(&mut self, routing: &Routing, is_kept: impl Fn(AgentId) -> bool) {
        let mut ids: HashMap<ProfileKey, u16, FxBuildHasher> = HashMap::default();
        self.profiles.clear();
        self.profile_of.clear();
        for (index, a) in routing.agents.iter().enumerate() {
            let key = ProfileKey {
                kept: is_kept(AgentId(u32::try_from(index).unwrap_or(u32::MAX))),
                pool: a.pool,
                skills: a.skills.clone(),
                primary: a.primary,
            };
            let next = u16::try_from(self.profiles.len()).unwrap_or(u16::MAX);
            let id = *ids.entry(key.clone()).or_insert(next);
            if id == next {
                self.profiles.push((key, Profile::default()));
            }
            self.profile_of.push(id);
        }
        for class in 0..self.classes.len() {
            self.connect(class, routing);
        }
    }

    /// How many different profiles a configuration has.
    pub(crate) fn count_profiles(routing: &Routing) -> usize {
        let mut keys: Vec<_> =
            routing.agents.iter().map(|a| (a.pool, &a.skills, a.primary)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    }

    /// Computes which profiles may serve a class.
    fn connect(&mut self, class: usize, routing: &Routing) {
        let key = &self.classes[class].key;
        let pools = routing.queue(key.queue).map(|q| q.pools.as_slice()).unwrap_or_default();
        let safety = key.service == ServiceClass::Safety;
        let mut eligible: Vec<((bool, bool, usize), u16)> = Vec::new();
        for (p, (profile, _)) in self.profiles.iter().enumerate() {
            let fits = (safety || !profile.kept)
                && (pools.is_empty() || pools.contains(&profile.pool))
                && key.needs.iter().all(|n| {
                    profile.skills.iter().any(|(s, level)| *s == n.skill && *level >= n.at_least)
                });
            if fits {
                let primary =
                    profile.primary.is_some_and(|s| key.needs.iter().any(|n| n.skill == s));
                let p = u16::try_from(p).unwrap_or(u16::MAX);
                eligible.push(((!profile.kept, !primary, profile.skills.len()), p));
            }
        }
        eligible.sort_unstable();
        for (_, profile) in &mut self.profiles {
            if profile.eligible.len() <= class {
                profile.eligible.grow(class + 1);
            }
            profile.eligible.set(class, false);
        }
        let mut ranked = Vec::with_capacity(eligible.len());
        let mut rank = 0u16;
        for (i, (order, p)) in eligible.iter().enumerate() {
            if i > 0 && eligible[i - 1].0 != *order {
                rank = rank.saturating_add(1);
            }
            ranked.push((rank, *p));
            self.profiles[usize::from(*p)].1.eligible.insert(class);
        }
        self.classes[class].eligible = ranked;
        self.classes[class].slots = self.count_slots(class);
    }

    /// Whether one more contact of this kind has a class to stand in.
    pub(crate) fn has_room(&self, key: &ClassKey) -> bool {
        self.classes.len() < MOST_CLASSES
            || self.class_ids.contains_key(key)
            || self.classes.iter().any(|c| c.line.is_empty())
    }

    fn class(&mut self, key: &ClassKey, routing: &Routing) -> u16 {
        if let Some(id) = self.class_ids.get(key) {
            return *id;
        }
        let full = self.classes.len() >= MOST_CLASSES;
        // Who comes back from an agent is never turned away, even where the table is full.
        let reuse = if full { self.classes.iter().position(|c| c.line.is_empty()) } else { None };
        let fresh =
            Class { key: key.clone(), line: Line::default(), eligible: Vec::new(), slots: 0 };
        let index = match reuse {
            Some(i) => {
                let old = std::mem::replace(&mut self.classes[i], fresh);
                self.class_ids.remove(&old.key);
                i
            }
            None => {
                self.classes.push(fresh);
                self.classes.len() - 1
            }
        };
        let id = u16::try_from(index).unwrap_or(u16::MAX);
        self.class_ids.insert(key.clone(), id);
        self.connect(index, routing);
        id
    }

    /// A contact begins to wait.
    pub(crate) fn join(&mut self, contact: &Contact, routing: &Routing) -> Stand {
        if let Some(named) = contact.named {
            self.named.entry(named.agent).or_default().insert((contact.place, contact.id));
            return Stand::Named(named.agent);
        }
        let id = self.class(&ClassKey::of(contact), routing);
        let class = &mut self.classes[usize::from(id)];
        let standing = if contact.passed_over.is_empty() {
            class.line.join(contact.place, contact.id)
        } else {
            class.line.join_aside(contact.place, contact.id)
        };
        let bits = &mut self.waiting[contact.service as usize][contact.channel.index()];
        bits.grow(usize::from(id) + 1);
        bits.insert(usize::from(id));
        Stand::Line(id, standing)
    }

    /// A contact no longer waits. Returns one whose standing changed thereby.
    pub(crate) fn leave(
        &mut self,
        stand: Stand,
        place: Place,
        contact: ContactId,
    ) -> Option<(ContactId, Stand)> {
        match stand {
            Stand::Off => None,
            Stand::Named(agent) => {
                if let Some(set) = self.named.get_mut(&agent) {
                    set.remove(&(place, contact));
                    if set.is_empty() {
                        self.named.remove(&agent);
                    }
                }
                None
            }
            Stand::Line(id, standing) => {
                let class = &mut self.classes[usize::from(id)];
                let moved = class.line.leave(standing, place, contact);
                if class.line.is_empty() {
                    let (s, c) = (class.key.service as usize, class.key.channel.index());
                    self.waiting[s][c].set(usize::from(id), false);
                }
                moved.map(|c| (c, Stand::Line(id, Standing::Tree)))
            }
        }
    }

    /// Agents enter and leave the lines for work as their keys change.
    pub(crate) fn idle_changed(&mut self, agent: AgentId, before: &IdleKeys, after: &IdleKeys) {
        let Some(profile) = self.profile_of.get(agent.index()) else { return };
        let idle = &mut self.profiles[usize::from(*profile)].1.idle;
        for (set, (before, after)) in idle.iter_mut().zip(before.iter().zip(after)) {
            if before != after {
                if let Some(key) = before {
                    set.remove(key);
                }
                set.extend(after);
            }
        }
    }

    /// The best agent for a contact: best rank, then least loaded, then longest idle.
    pub(crate) fn agent_for(
        &self,
        contact: &Contact,
        stand: Stand,
        passes_over: impl Fn(ContactId, AgentId) -> bool,
    ) -> Option<(u16, Idle)> {
        let Stand::Line(class, _) = stand else { return None };
        let eligible = &self.classes[usize::from(class)].eligible;
        let mut best: Option<(u16, Idle)> = None;
        for (rank, profile) in eligible {
            if best.is_some_and(|(r, _)| r < *rank) {
                break;
            }
            let idle = &self.profiles[usize::from(*profile)].1.idle[contact.channel.index()];
            if let Some(first) = idle.iter().find(|i| !passes_over(contact.id, i.agent))
                && best.is_none_or(|b| (*rank, *first) < b)
            {
                best = Some((*rank, *first));
            }
        }
        best
    }

    /// The oldest place in one class of service that an agent may take on these channels.
    pub(crate) fn contact_for(
        &self,
        agent: AgentId,
        service: ServiceClass,
        channels: [bool; 4],
        passes_over: impl Fn(ContactId, AgentId) -> bool,
    ) -> Option<Found> {
        let profile = self.profile_of.get(agent.index())?;
        let eligible = &self.profiles[usize::from(*profile)].1.eligible;
        let mut best: Option<(Place, ContactId)> = None;
        for channel in Channel::ALL.into_iter().filter(|c| channels[c.index()]) {
            let waiting = &self.waiting[service as usize][channel.index()];
            for class in waiting.intersection(eligible) {
                let front = self.classes[class].line.front(agent, &passes_over);
                best = match (best, front) {
                    (Some(b), Some(f)) => Some(b.min(f)),
                    (b, f) => b.or(f),
                };
            }
        }
        best.map(|(place, contact)| Found { place, contact })
    }

    /// The rank of an agent among those eligible for a class, if they are.
    pub(crate) fn rank(&self, agent: AgentId, stand: Stand) -> Option<u16> {
        let Stand::Line(class, _) = stand else { return None };
        let profile = self.profile_of.get(agent.index())?;
        let eligible = &self.classes[usize::from(class)].eligible;
        eligible.iter().find(|(_, p)| p == profile).map(|(rank, _)| *rank)
    }

    /// The contacts kept for an agent, oldest place first.
    pub(crate) fn named_for(&self, agent: AgentId) -> impl Iterator<Item = (Place, ContactId)> {
        self.named.get(&agent).into_iter().flatten().copied()
    }

    /// About how many of the same class stand before a contact; see [`Line::about_before`].
    pub(crate) fn about_before(&self, contact: &Contact, stand: Stand) -> Option<usize> {
        let Stand::Line(class, standing) = stand else { return None };
        let line = &self.classes[usize::from(class)].line;
        Some(line.about_before(standing, contact.place, contact.id))
    }

    /// How many of the same class stand before a contact.
    pub(crate) fn before(&self, contact: &Contact, stand: Stand) -> Option<usize> {
        let Stand::Line(class, _) = stand else { return None };
        Some(self.classes[usize::from(class)].line.before(contact.place, contact.id))
    }

    /// Everyone who waits in a line, and how many idle entries there are: for checking.
    pub(crate) fn waiting_len(&self) -> usize {
        self.classes.iter().map(|c| c.line.len()).sum::<usize>()
            + self.named.values().map(BTreeSet::len).sum::<usize>()
    }

    /// By queue: how many wait in line and the oldest place among them.
    pub(crate) fn depths(&self) -> impl Iterator<Item = (QueueId, usize)> {
        self.classes.iter().filter(|c| !c.line.is_empty()).map(|c| (c.key.queue, c.line.len()))
    }
}

/// How an agent stands in line for work on each channel.
pub(crate) fn idle_keys(agent: &Agent, profile: &AgentProfile) -> IdleKeys {
    let load = u16::try_from(agent.load(profile) / 1000).unwrap_or(u16::MAX);
    Channel::ALL.map(|channel| {
        agent.can_take(profile, channel).then(|| Idle {
            load: if channel == Channel::Voice { 0 } else { load },
            since: agent.idle_since,
            agent: agent.id,
        })
    })
}
