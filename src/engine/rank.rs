//! What makes a demand class and an agent's profile, and how profiles rank for a class.
//!
//! Contacts that ask for the same are of one class, agents who can do the same of one
//! profile; whether one serves the other, and how well, is worked out here once for every
//! pair. Pure. Owned by [`super::floor`], which keeps the tables.

use std::cmp::Reverse;

use hashbrown::Equivalent;
use smallvec::SmallVec;

use super::contact::Contact;
use super::event::Queued;
use super::policy::AgentChoice;
use super::queue_life::Pools;
use super::words::{Channel, Need, Needs, ServiceClass};
use crate::ids::{EntryPointId, GatewayId, PoolId, QueueId, SkillId};

/// What contacts of one class have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ClassKey<N = Needs, P = Pools> {
    pub(crate) queue: QueueId,
    pub(crate) channel: Channel,
    pub(crate) service: ServiceClass,
    pub(crate) needs: N,
    pub(crate) preferred: N,
    /// Pools that may serve it beyond its queue's.
    pub(crate) pools: P,
    /// Their customers are to be asked first whether they are still there.
    pub(crate) silent: bool,
    /// Any agent may have it: somebody is hurt and has waited too long.
    pub(crate) anyone: bool,
    /// What else decides whether it may be had just now.
    pub(crate) apart: Apart,
}

/// What lets contacts who need the same wait while others of them are served: see
/// [`super::gates`]. They are one line to whoever counts who stands before whom.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Apart {
    /// Where it came in, if partners may have it.
    pub(crate) partners: Option<EntryPointId>,
    /// The gateway that is to call its customer.
    pub(crate) dialled: Option<GatewayId>,
}

impl Apart {
    /// Nothing does.
    pub(crate) const NONE: Self = Self { partners: None, dialled: None };
}

/// The class that somebody asks for, as they hold it: to look it up nothing is copied.
pub(crate) type Asked<'a> = ClassKey<&'a [Need], &'a [PoolId]>;

impl Equivalent<ClassKey> for Asked<'_> {
    fn equivalent(&self, key: &ClassKey) -> bool {
        *self == key.asked()
    }
}

/// What agents of one profile have in common.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ProfileKey {
    /// Kept for safety contacts: takes nothing else.
    pub(crate) kept: bool,
    /// Of a pool of partners: takes only what names that pool.
    pub(crate) partner: bool,
    pub(crate) pool: PoolId,
    pub(crate) skills: SmallVec<[(SkillId, u8); 4]>,
    pub(crate) primary: Option<SkillId>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(c: &'a Contact) -> Self {
        Self {
            queue: c.queue,
            channel: c.channel,
            service: c.service,
            needs: &c.needs,
            preferred: &c.preferred,
            pools: &c.stage.pools,
            silent: c.has_fallen_silent(),
            anyone: c.stage.is_anyones(),
            apart: Apart::NONE,
        }
    }

    /// That of a contact which is about to be queued so.
    pub(crate) fn of_queued(channel: Channel, q: &'a Queued) -> Self {
        Self {
            queue: q.queue,
            channel,
            service: q.service,
            needs: &q.needs,
            preferred: &q.preferred,
            pools: &q.stage.pools,
            silent: false,
            anyone: q.stage.is_anyones(),
            apart: Apart::NONE,
        }
    }

    /// To be kept.
    pub(crate) fn key(self) -> ClassKey {
        ClassKey {
            queue: self.queue,
            channel: self.channel,
            service: self.service,
            needs: Needs::from_slice(self.needs),
            preferred: Needs::from_slice(self.preferred),
            pools: Pools::from_slice(self.pools),
            silent: self.silent,
            anyone: self.anyone,
            apart: self.apart,
        }
    }
}

impl ClassKey {
    /// Whether contacts of another class need the same, whoever may have them just now.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.queue == other.queue && self.asked() == Asked { apart: self.apart, ..other.asked() }
    }

    /// The same, borrowed.
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked {
            queue: self.queue,
            channel: self.channel,
            service: self.service,
            needs: &self.needs,
            preferred: &self.preferred,
            pools: &self.pools,
            silent: self.silent,
            anyone: self.anyone,
            apart: self.apart,
        }
    }
}

impl<N: AsRef<[Need]>, P: AsRef<[PoolId]>> ClassKey<N, P> {
    /// Whether a profile may serve it, if its queue is served by these pools; all if by none.
    pub(crate) fn fits(&self, profile: &ProfileKey, pools: &[PoolId]) -> bool {
        (self.service == ServiceClass::Safety || !profile.kept)
            && (self.is_anyones_of(profile)
                || (!profile.partner && (pools.is_empty() || pools.contains(&profile.pool))
                    || self.pools.as_ref().contains(&profile.pool))
                    && self.needs.as_ref().iter().all(|n| profile.has(*n)))
    }

    /// Whether a profile may serve it because anybody may; partners only where they joined.
    fn is_anyones_of(&self, profile: &ProfileKey) -> bool {
        let joined = || self.pools.as_ref().contains(&profile.pool);
        self.anyone && (!profile.partner || joined())
    }

    /// How many skills a profile has not, or not so well, that are preferred; where anybody
    /// will do, of those needed too.
    pub(crate) fn lacks(&self, profile: &ProfileKey) -> u16 {
        let lack = |needs: &[Need]| needs.iter().filter(|n| !profile.has(**n)).count();
        let needed = if self.anyone { lack(self.needs.as_ref()) } else { 0 };
        let lacking = lack(self.preferred.as_ref()) + needed;
        u16::try_from(lacking).unwrap_or(u16::MAX)
    }

    /// Proficiency in every skill that is needed or preferred, added up.
    pub(crate) fn proficiency(&self, profile: &ProfileKey) -> u16 {
        let needs = self.needs.as_ref();
        let also = |n: &&Need| !needs.iter().any(|m| m.skill == n.skill);
        let asked = needs.iter().chain(self.preferred.as_ref().iter().filter(also));
        asked.map(|n| u16::from(profile.level(n.skill))).fold(0, u16::saturating_add)
    }
}

impl ProfileKey {
    /// Proficiency in a skill, 0 without it.
    fn level(&self, skill: SkillId) -> u8 {
        self.skills.iter().find(|(s, _)| *s == skill).map_or(0, |(_, level)| *level)
    }

    fn has(&self, need: Need) -> bool {
        self.level(need.skill) >= need.at_least
    }
}

/// How a profile ranks for a class, the least first: kept for safety, preferred skills, then
/// what the queue's choice of agents goes by.
pub(crate) type Order = (Reverse<bool>, u16, u16, usize);

/// Where a profile ranks; profiles of equal order have the same rank.
pub(crate) fn order(profile: &ProfileKey, key: &ClassKey, choice: AgentChoice) -> Order {
    let (first, then) = match choice {
        AgentChoice::LongestIdle | AgentChoice::Random => {
            let primary = profile.primary.is_some_and(|s| key.needs.iter().any(|n| n.skill == s));
            (u16::from(!primary), profile.skills.len())
        }
        AgentChoice::MostProficient => (u16::MAX - key.proficiency(profile), 0),
        AgentChoice::LeastProficient => (key.proficiency(profile), 0),
    };
    (Reverse(profile.kept), key.lacks(profile), first, then)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(skill: u16, at_least: u8) -> Need {
        Need { skill: SkillId(skill), at_least }
    }

    fn profile(skills: &[(u16, u8)], primary: Option<u16>) -> ProfileKey {
        ProfileKey {
            kept: false,
            partner: false,
            pool: PoolId(0),
            skills: skills.iter().map(|(s, level)| (SkillId(*s), *level)).collect(),
            primary: primary.map(SkillId),
        }
    }

    fn class(needs: &[Need], preferred: &[Need]) -> ClassKey {
        ClassKey {
            queue: QueueId(0),
            channel: Channel::Voice,
            service: ServiceClass::Live,
            needs: needs.iter().copied().collect(),
            preferred: preferred.iter().copied().collect(),
            pools: Pools::new(),
            silent: false,
            anyone: false,
            apart: Apart::NONE,
        }
    }

    #[test]
    fn preferred_skills_come_before_primary_and_versatility_and_exclude_nobody() {
        let key = class(&[need(0, 2)], &[need(1, 3), need(2, 1)]);
        let best = profile(&[(0, 2), (1, 3), (2, 1), (3, 5)], None);
        let half = profile(&[(0, 5), (1, 2), (2, 5)], Some(0));
        let none = profile(&[(0, 5)], Some(0));
        let of = |p: &ProfileKey| order(p, &key, AgentChoice::LongestIdle);
        assert!(of(&best) < of(&half) && of(&half) < of(&none));
        assert_eq!([&best, &half, &none].map(|p| key.lacks(p)), [0, 1, 2]);
        assert!([&best, &half, &none].iter().all(|p| key.fits(p, &[])));
        let kept = ProfileKey { kept: true, ..none };
        assert!(of(&kept) < of(&best), "who is kept for safety is first of all");
        assert!(!key.fits(&kept, &[]), "and for nothing else");
    }

    #[test]
    fn proficiency_counts_each_skill_asked_for_once() {
        let key = class(&[need(0, 2)], &[need(0, 4), need(1, 1)]);
        let (good, fair) = (profile(&[(0, 5), (1, 4)], None), profile(&[(0, 3), (1, 1)], Some(0)));
        assert_eq!((key.proficiency(&good), key.proficiency(&fair)), (9, 4));
        let of = |p, choice| order(p, &class(&[need(0, 2)], &[]), choice);
        let (most, least) = (AgentChoice::MostProficient, AgentChoice::LeastProficient);
        assert!(of(&good, most) < of(&fair, most));
        assert!(of(&fair, least) < of(&good, least));
        assert_eq!(of(&good, most), of(&profile(&[(0, 5)], Some(0)), most), "nothing else counts");
    }
}
