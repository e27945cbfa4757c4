//! The floor: who waits for what, who is idle, and which of them fit.
//!
//! Contacts with the same needs form a demand class, agents with the same skills and
//! pool a profile. Which profiles may serve which classes is computed when one of them
//! first appears. A decision then touches classes or profiles, never all contacts or all
//! agents. Everything here can be made again from contacts, agents and routing; nothing
//! here decides.

mod apart;
mod asks;
mod demand;
mod eligible;
mod idle;
mod serving;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

pub(crate) use demand::{Demand, Other, Press, Staff};
use fixedbitset::{Block, FixedBitSet};
use hashbrown::HashMap;
pub(crate) use idle::IdleKeys;
use idle::IdleLine;
use rustc_hash::FxBuildHasher;
pub(crate) use serving::{Longest, Serving};

use super::choice::{Candidate, by_queue};
use super::contact::Contact;
use super::crowd::Crowd;
use super::line::{Line, Spot, Standing};
use super::policy::AgentChoice;
use super::rank::{Apart, Asked, ClassKey, ProfileKey, order};
use super::routing::Routing;
use super::words::{Channel, ServiceClass};
use crate::ids::{AgentId, ContactId, QueueId, SharingId};
use crate::time::Place;
use smallvec::SmallVec;

/// Most demand classes. Each costs a row of the eligibility table.
pub const MOST_CLASSES: usize = 4096;
/// Most agent profiles.
pub const MOST_PROFILES: usize = 16_384;

#[derive(Debug)]
struct Class {
    key: ClassKey,
    line: Line,
    choice: AgentChoice,
    /// Profiles that may serve it with their rank, best rank first.
    eligible: Vec<(u16, u16)>,
    /// Contacts of its channel that those at work among them serve at once.
    slots: u32,
}

#[derive(Debug, Default)]
struct Profile {
    /// Classes that it may serve.
    eligible: FixedBitSet,
    /// By channel: who could take one now, least loaded and longest idle first.
    idle: [IdleLine; 4],
    /// By channel the same, for drawing lots; empty where no queue does.
    crowds: [Crowd; 4],
    /// Who is of it, in the order of their ids, by seat.
    members: Vec<AgentId>,
    /// Who of it is at work.
    staff: Staff,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    classes: Vec<Class>,
    class_ids: HashMap<ClassKey, u16, FxBuildHasher>,
    /// By service and channel: classes with somebody waiting.
    waiting: [[FixedBitSet; 4]; 3],
    profiles: Vec<(ProfileKey, Profile)>,
    /// By agent: their profile, and their seat in it.
    profile_of: Vec<(u16, u32)>,
    /// By channel: profiles of which somebody could take one now.
    staffed: [FixedBitSet; 4],
    /// Some queue chooses agents by lot.
    lots: bool,
    /// By queue and service: everybody in line.
    backlog: Vec<[u32; 3]>,
    /// Contacts kept for one agent, by that agent.
    named: BTreeMap<AgentId, BTreeSet<(Place, ContactId)>>,
    /// Classes of those who wait for more than an agent, with somebody in them.
    apart: BTreeSet<u16>,
    /// Sharings that are in force.
    pub(in crate::engine) shared: SmallVec<[SharingId; 4]>,
    /// By agent, customers who are asked on their account whether they are still there.
    asks: HashMap<AgentId, u8, FxBuildHasher>,
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

impl Floor {
    /// Whether one more contact of this kind has a class to stand in.
    pub(crate) fn has_room(&self, key: Asked<'_>) -> bool {
        self.classes.len() < MOST_CLASSES
            || self.class_ids.contains_key(&key)
            || self.classes.iter().any(|c| c.line.is_empty())
    }

    fn class(&mut self, asked: Asked<'_>, routing: &Routing) -> u16 {
        if let Some(id) = self.class_ids.get(&asked) {
            return *id;
        }
        let full = self.classes.len() >= MOST_CLASSES;
        // Who comes back from an agent is never turned away, even where the table is full.
        let reuse = if full { self.classes.iter().position(|c| c.line.is_empty()) } else { None };
        let key = asked.key();
        let fresh = Class {
            key: key.clone(),
            line: Line::default(),
            choice: AgentChoice::LongestIdle,
            eligible: Vec::new(),
            slots: 0,
        };
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
        self.class_ids.insert(key, id);
        self.connect(index, routing);
        id
    }

    /// A contact begins to wait.
    pub(crate) fn join(&mut self, contact: &Contact, routing: &Routing) -> Stand {
        if let Some(named) = contact.named {
            self.named.entry(named.agent).or_default().insert((contact.place, contact.id));
            return Stand::Named(named.agent);
        }
        let apart = Apart::of(contact, routing);
        let id = self.class(Asked { apart, ..Asked::of(contact) }, routing);
        if apart != Apart::NONE {
            self.apart.insert(id);
        }
        let class = &mut self.classes[usize::from(id)];
        let spot = Spot::of(contact);
        let standing = if contact.passed_over.is_empty() {
            class.line.join(spot)
        } else {
            class.line.join_aside(spot)
        };
        let bits = &mut self.waiting[contact.service as usize][contact.channel.index()];
        bits.grow(usize::from(id) + 1);
        bits.insert(usize::from(id));
        if self.backlog.len() <= contact.queue.index() {
            self.backlog.resize(contact.queue.index() + 1, [0; 3]);
        }
        self.backlog[contact.queue.index()][contact.service as usize] += 1;
        Stand::Line(id, standing)
    }

    /// A contact no longer waits where it did. Returns one whose standing changed thereby.
    pub(crate) fn leave(&mut self, stand: Stand, spot: Spot) -> Option<(ContactId, Stand)> {
        match stand {
            Stand::Off => None,
            Stand::Named(agent) => {
                if let Some(set) = self.named.get_mut(&agent) {
                    set.remove(&(spot.place, spot.contact));
                    if set.is_empty() {
                        self.named.remove(&agent);
                    }
                }
                None
            }
            Stand::Line(id, standing) => {
                let class = &mut self.classes[usize::from(id)];
                let moved = class.line.leave(standing, spot);
                let service = class.key.service as usize;
                self.backlog[class.key.queue.index()][service] -= 1;
                if class.line.is_empty() {
                    let channel = class.key.channel.index();
                    self.waiting[service][channel].set(usize::from(id), false);
                    self.apart.remove(&id);
                }
                moved.map(|c| (c, Stand::Line(id, Standing::Tree)))
            }
        }
    }

    /// Agents enter and leave the lines for work as their keys change.
    pub(crate) fn idle_changed(&mut self, agent: AgentId, before: IdleKeys, after: IdleKeys) {
        if before == after {
            return;
        }
        let Some((id, seat)) = self.profile_of.get(agent.index()).copied() else { return };
        let profile = &mut self.profiles[usize::from(id)].1;
        for of in Channel::ALL {
            let (before, after) = (before.on(of, agent), after.on(of, agent));
            if before == after {
                continue;
            }
            let channel = of.index();
            let idle = &mut profile.idle[channel];
            if let Some(key) = before {
                idle.remove(&key);
            }
            if let Some(key) = after {
                idle.insert(key);
            }
            self.staffed[channel].set(usize::from(id), !idle.is_empty());
            if self.lots {
                match (before.is_some(), after.is_some()) {
                    (false, true) => profile.crowds[channel].enter(seat as usize),
                    (true, false) => profile.crowds[channel].leave(seat as usize),
                    _ => {}
                }
            }
        }
    }

    /// The best agent for a contact with their rank: best rank, then least loaded, then longest
    /// idle; where the queue says so, by lot among those of the best rank. `is_let` tells whether
    /// contacts who stand apart so are for a partner, or for anybody else, just now.
    pub(crate) fn agent_for(
        &self,
        contact: &Contact,
        stand: Stand,
        lot: u64,
        passes_over: impl Fn(ContactId, AgentId) -> bool,
        is_let: impl Fn(Apart, bool) -> bool,
    ) -> Option<(u16, AgentId)> {
        let Stand::Line(class, _) = stand else { return None };
        let class = &self.classes[usize::from(class)];
        let channel = contact.channel.index();
        if self.staffed[channel].is_clear() || !is_let(class.key.apart, false) {
            return None;
        }
        // Asked once, however many partners are idle.
        let partners = is_let(class.key.apart, true);
        let staffed = |(_, p): &&(u16, u16)| {
            let (of, p) = (&self.profiles[usize::from(*p)].0, usize::from(*p));
            self.staffed[channel].contains(p) && (partners || !of.partner)
        };
        let ranks = class.eligible.chunk_by(|a, b| a.0 == b.0);
        for same in ranks {
            let idle = same.iter().filter(staffed).map(|(_, p)| &self.profiles[usize::from(*p)].1);
            let free = |agent| !passes_over(contact.id, agent);
            let agent = if class.choice == AgentChoice::Random {
                by_lot(&idle.collect::<SmallVec<[&Profile; 8]>>(), channel, lot, free)
            } else {
                let first = |p: &Profile| p.idle[channel].iter().find(|i| free(i.agent)).copied();
                idle.filter_map(first).min().map(|i| i.agent)
            };
            if let Some(agent) = agent {
                return Some((same[0].0, agent));
            }
        }
        None
    }

    /// Goes through the classes in which somebody waits whom an agent may take on these
    /// channels, each with the oldest place, until told that it is enough. Plain loops over
    /// whole words of the sets: every freed agent comes through here several times.
    fn each_for(
        &self,
        agent: AgentId,
        service: ServiceClass,
        channels: IdleKeys,
        passes_over: impl Fn(ContactId, AgentId) -> bool,
        is_let: impl Fn(Apart, bool) -> bool,
        mut each: impl FnMut(&Class, Spot) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some((profile, _)) = self.profile_of.get(agent.index()) else {
            return ControlFlow::Continue(());
        };
        let (ProfileKey { partner, .. }, profile) = &self.profiles[usize::from(*profile)];
        let eligible = profile.eligible.as_slice();
        for channel in Channel::ALL.into_iter().filter(|c| channels.has(*c)) {
            let waiting = self.waiting[service as usize][channel.index()].as_slice();
            for (word, (waiting, eligible)) in waiting.iter().zip(eligible).enumerate() {
                let mut both = waiting & eligible;
                while both != 0 {
                    let class = word * Block::BITS as usize + both.trailing_zeros() as usize;
                    let class = &self.classes[class];
                    both &= both - 1;
                    if class.key.silent && self.asks_enough(agent) {
                        continue;
                    }
                    let apart = class.key.apart;
                    if (*partner || apart != Apart::NONE) && !is_let(apart, *partner) {
                        continue;
                    }
                    if let Some(next) = class.line.front(agent, &passes_over) {
                        each(class, next)?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The queues of one class of service in which somebody waits whom an agent may take on
    /// these channels, each with the oldest place among them.
    pub(crate) fn queues_for(
        &self,
        agent: AgentId,
        service: ServiceClass,
        channels: IdleKeys,
        passes_over: impl Fn(ContactId, AgentId) -> bool,
        is_let: impl Fn(Apart, bool) -> bool,
    ) -> SmallVec<[Candidate; 8]> {
        let mut found = SmallVec::new();
        let _ = self.each_for(agent, service, channels, passes_over, is_let, |class, next| {
            let queue = class.key.queue;
            let backlog = self.backlog[queue.index()][service as usize];
            found.push(Candidate { queue, next, backlog });
            ControlFlow::Continue(())
        });
        by_queue(&mut found);
        found
    }

    /// Whether there is any such queue.
    pub(crate) fn is_wanted(
        &self,
        agent: AgentId,
        service: ServiceClass,
        channels: IdleKeys,
        passes_over: impl Fn(ContactId, AgentId) -> bool,
        is_let: impl Fn(Apart, bool) -> bool,
    ) -> bool {
        let one = |_: &Class, _| ControlFlow::Break(());
        self.each_for(agent, service, channels, passes_over, is_let, one).is_break()
    }

    /// The rank of an agent among those eligible for a class, if they are.
    pub(crate) fn rank(&self, agent: AgentId, stand: Stand) -> Option<u16> {
        let Stand::Line(class, _) = stand else { return None };
        let (profile, _) = *self.profile_of.get(agent.index())?;
        let (key, Profile { eligible, .. }) = &self.profiles[usize::from(profile)];
        if !eligible.contains(usize::from(class)) {
            return None;
        }
        let class = &self.classes[usize::from(class)];
        let of = |p: u16| (order(&self.profiles[usize::from(p)].0, &class.key, class.choice), p);
        let own = (order(key, &class.key, class.choice), profile);
        let at = class.eligible.binary_search_by_key(&own, |(_, p)| of(*p)).ok()?;
        Some(class.eligible[at].0)
    }

    /// What choosing an agent for a class looked at: proficiency in what it asks for, and
    /// preferred skills that they lack.
    pub(crate) fn suits(&self, agent: AgentId, key: Asked<'_>) -> (u16, u16) {
        let Some((profile, _)) = self.profile_of.get(agent.index()) else { return (0, 0) };
        let profile = &self.profiles[usize::from(*profile)].0;
        (key.proficiency(profile), key.lacks(profile))
    }

    /// Everybody in line in a queue and class of service.
    pub(crate) fn backlog(&self, queue: QueueId, service: ServiceClass) -> u32 {
        self.backlog.get(queue.index()).map_or(0, |b| b[service as usize])
    }

    /// The contacts kept for an agent, oldest place first.
    pub(crate) fn named_for(&self, agent: AgentId) -> impl Iterator<Item = (Place, ContactId)> {
        self.named.get(&agent).into_iter().flatten().copied()
    }

    /// About how many of the same class stand before a contact; see [`Line::about_before`].
    pub(crate) fn about_before(&self, contact: &Contact, stand: Stand) -> Option<usize> {
        let Stand::Line(class, standing) = stand else { return None };
        let line = &self.classes[usize::from(class)].line;
        let spot = Spot::of(contact);
        let beside = self.lines_beside(class).map(|line| line.about_before(Standing::Tree, spot));
        Some(line.about_before(standing, spot) + beside.sum::<usize>())
    }

    /// How many of the same class stand before a contact.
    pub(crate) fn before(&self, contact: &Contact, stand: Stand) -> Option<usize> {
        let Stand::Line(class, _) = stand else { return None };
        Some(self.classes[usize::from(class)].line.before(Spot::of(contact)))
    }

    /// Everyone who waits in a line, and how many idle entries there are: for checking.
    pub(crate) fn waiting_len(&self) -> usize {
        self.classes.iter().map(|c| c.line.len()).sum::<usize>()
            + self.named.values().map(BTreeSet::len).sum::<usize>()
    }

    /// Whether counts and sets say the same as lines and idle agents, for checking.
    pub(crate) fn is_sound(&self) -> bool {
        let mut backlog = vec![[0; 3]; self.backlog.len()];
        for class in self.classes.iter().filter(|c| !c.line.is_empty()) {
            let of = &mut backlog[class.key.queue.index()][class.key.service as usize];
            *of += u32::try_from(class.line.len()).unwrap_or(u32::MAX);
        }
        let profiles = (0..).zip(&self.profiles);
        let staffed = |(p, (_, profile)): (usize, &(ProfileKey, Profile))| {
            profile.idle.iter().zip(&self.staffed).zip(&profile.crowds).all(
                |((idle, set), crowd)| {
                    let drawn = if self.lots { idle.len() } else { 0 };
                    set.contains(p) != idle.is_empty() && crowd.idle() as usize == drawn
                },
            )
        };
        backlog == self.backlog && profiles.into_iter().all(staffed)
    }

    /// By queue: how many wait in line and the oldest place among them.
    pub(crate) fn depths(&self) -> impl Iterator<Item = (QueueId, usize)> {
        self.classes.iter().filter(|c| !c.line.is_empty()).map(|c| (c.key.queue, c.line.len()))
    }
}

/// One of those who are idle, each as likely as another; who is passed over gives way to
/// the next by profile and id.
fn by_lot(
    profiles: &[&Profile],
    channel: usize,
    lot: u64,
    free: impl Fn(AgentId) -> bool,
) -> Option<AgentId> {
    let idle: u64 = profiles.iter().map(|p| u64::from(p.crowds[channel].idle())).sum();
    let nth = |n: u64| {
        let mut n = u32::try_from(n).unwrap_or(u32::MAX);
        for p in profiles {
            let crowd = &p.crowds[channel];
            match crowd.nth(n) {
                Some(seat) => return p.members.get(seat).copied(),
                None => n -= crowd.idle(),
            }
        }
        None
    };
    // A contact passes few agents over, so that this ends soon.
    (0..idle).filter_map(|step| nth((lot % idle + step) % idle)).find(|a| free(*a))
}
