//! Which profiles may serve which demand classes, and in which order: worked out when either
//! first appears, and again when the configuration, a partner or a sharing changes it.
//!
//! It enters nobody into a line; [`super`] does.

use fixedbitset::FixedBitSet;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::{Crowd, Floor, Profile};
use crate::engine::policy::AgentChoice;
use crate::engine::rank::{ClassKey, Order, ProfileKey, order};
use crate::engine::routing::Routing;
use crate::engine::sharing::Help;
use crate::ids::{AgentId, QueueId};

impl Floor {
    /// Makes profiles and eligibility anew from a configuration. Lines stay; idle agents
    /// have to be entered again.
    pub(crate) fn configure(&mut self, routing: &Routing, is_kept: impl Fn(AgentId) -> bool) {
        let mut ids: HashMap<ProfileKey, u16, FxBuildHasher> = HashMap::default();
        self.profiles.clear();
        self.profile_of.clear();
        self.lots = routing.draws_lots();
        for (index, a) in routing.agents.iter().enumerate() {
            let agent = AgentId(u32::try_from(index).unwrap_or(u32::MAX));
            let kept = is_kept(agent);
            let key = ProfileKey {
                kept,
                // Who is kept for safety is there for that first.
                partner: !kept && routing.partners.contains(&a.pool),
                pool: a.pool,
                skills: a.skills.clone(),
                primary: a.primary,
            };
            let next = u16::try_from(self.profiles.len()).unwrap_or(u16::MAX);
            let id = *ids.entry(key.clone()).or_insert(next);
            if id == next {
                self.profiles.push((key, Profile::default()));
            }
            let members = &mut self.profiles[usize::from(id)].1.members;
            self.profile_of.push((id, u32::try_from(members.len()).unwrap_or(u32::MAX)));
            members.push(agent);
        }
        for (_, profile) in &mut self.profiles {
            let seats = if self.lots { profile.members.len() } else { 0 };
            profile.crowds = std::array::from_fn(|_| Crowd::of(seats));
        }
        self.staffed = std::array::from_fn(|_| FixedBitSet::with_capacity(self.profiles.len()));
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
    pub(super) fn connect(&mut self, class: usize, routing: &Routing) {
        let key = &self.classes[class].key;
        let queue = routing.queue(key.queue);
        let pools = queue.map(|q| q.pools.as_slice()).unwrap_or_default();
        let choice = queue.map_or(AgentChoice::LongestIdle, |q| q.policy.agent_choice);
        let mut eligible: Vec<(Order, u16)> = Vec::new();
        for (p, (profile, _)) in (0..).zip(&self.profiles) {
            if key.fits(profile, pools) && self.may_help(key, profile, routing) {
                eligible.push((order(profile, key, choice), p));
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
        self.classes[class].choice = choice;
        self.classes[class].slots = self.count_slots(class);
    }

    /// Computes anew which profiles may serve a queue's classes.
    pub(crate) fn reconnect(&mut self, queue: QueueId, routing: &Routing) {
        for class in 0..self.classes.len() {
            if self.classes[class].key.queue == queue {
                self.connect(class, routing);
            }
        }
    }

    /// Whether no sharing keeps a profile from a class.
    pub(super) fn may_help(
        &self,
        class: &ClassKey,
        profile: &ProfileKey,
        routing: &Routing,
    ) -> bool {
        let asked = Help {
            queue: class.queue,
            service: class.service,
            added: &class.pools,
            pool: profile.pool,
        };
        asked.is_allowed(&routing.sharings, |id| self.shared.contains(&id))
    }
}
