//! Who is at work for a line, and who else waits for the same agents: what a wait is
//! estimated from.
//!
//! Only reads lines and counts of staff; [`super::super::wait_estimate`] makes a time of it.
//! It decides nothing.

use super::{Floor, Stand};
use crate::engine::agent::{Agent, Work, at_once, cost};
use crate::engine::contact::Contact;
use crate::engine::line::Spot;
use crate::engine::pace::Turns;
use crate::engine::rank::{Asked, ClassKey, ProfileKey};
use crate::engine::routing::{AgentProfile, Routing};
use crate::engine::words::{Channel, ServiceClass};
use crate::ids::{AgentId, PoolId, QueueId};
use smallvec::SmallVec;

/// Pairs of a line and a profile looked at for one estimate. Of more, every second, third
/// and so on of the profiles stands for the others, so that the cost stays bounded.
const MOST_PAIRS: usize = 2048;
/// Profiles looked at however many lines there are.
const FEWEST_PROFILES: usize = 4;

/// Who is at work: of one profile, or one agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Staff {
    /// How many agents.
    pub(super) agents: u32,
    /// By channel, how many contacts they serve at once.
    pub(super) slots: [u32; 4],
    /// How much of their capacity live contacts use, in thousandths of an agent.
    live: u32,
}

/// How one queue and channel presses on those who serve it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Press {
    /// Seconds that a contact keeps an agent's slot, if that is known.
    pub(crate) work: Option<f64>,
    /// How often a second one who waits gives up.
    pub(crate) hazard: f64,
    /// How often its turn comes.
    pub(crate) turns: Turns,
}

/// A line of another queue that is not served by place beside one's own, but as the policy
/// gives each queue its turns.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Other {
    /// How much one of its contacts keeps of one's own agents, in contacts of one's own.
    pub(crate) weight: f64,
    /// How many of it have an earlier place.
    pub(crate) before: f64,
    /// How often the turn of its queue comes, and its part of those who wait in that.
    pub(crate) turns: Turns,
    pub(crate) part: f64,
}

/// What stands between a contact and an agent.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Demand {
    /// Contacts of its channel that those at work for it serve at once.
    pub(crate) slots: u32,
    /// The part of their capacity that live contacts use, 0 to 1.
    pub(crate) live: f64,
    /// Those before it in other lines, counted as so many of its own line.
    pub(crate) rivals: f64,
    /// The same, each times how often a second it gives up.
    pub(crate) hazard: f64,
    /// Lines that take turns with its own.
    pub(crate) others: SmallVec<[Other; 8]>,
}

impl Staff {
    pub(crate) fn of(agent: &Agent, profile: &AgentProfile) -> Self {
        if !agent.is_open(profile) {
            return Self::default();
        }
        let mut slots = [0; 4];
        for channel in Channel::ALL.into_iter().filter(|c| agent.takes(profile, *c)) {
            slots[channel.index()] = at_once(profile, channel);
        }
        if slots == [0; 4] {
            return Self::default();
        }
        let live = |w: &&Work| w.channel.service() == ServiceClass::Live;
        let used = agent.work.iter().filter(live).map(|w| cost(profile, w.channel) / 1000).sum();
        Self { agents: 1, slots, live: used }
    }
}

impl Floor {
    /// An agent comes to work, leaves it, or has something else in hand.
    pub(crate) fn staff_changed(&mut self, agent: AgentId, before: Staff, after: Staff) {
        if before == after {
            return;
        }
        let Some((profile, _)) = self.profile_of.get(agent.index()) else { return };
        let profile = &mut self.profiles[usize::from(*profile)].1;
        let staff = &mut profile.staff;
        staff.agents = moved(staff.agents, before.agents, after.agents);
        staff.live = moved(staff.live, before.live, after.live);
        for (i, slots) in staff.slots.iter_mut().enumerate() {
            *slots = moved(*slots, before.slots[i], after.slots[i]);
        }
        if before.slots != after.slots {
            for class in profile.eligible.ones() {
                let class = &mut self.classes[class];
                let channel = class.key.channel.index();
                class.slots = moved(class.slots, before.slots[channel], after.slots[channel]);
            }
        }
    }

    /// Whether who is counted as at work is who is, for checking.
    pub(crate) fn counts_staff(&self, agents: &[Agent], routing: &Routing) -> bool {
        let mut staff = vec![Staff::default(); self.profiles.len()];
        for (agent, (profile, _)) in agents.iter().zip(&self.profile_of) {
            let Some(of) = routing.agent(agent.id) else { return false };
            let one = Staff::of(agent, of);
            let all = &mut staff[usize::from(*profile)];
            (all.agents, all.live) = (all.agents + one.agents, all.live + one.live);
            all.slots.iter_mut().zip(one.slots).for_each(|(all, one)| *all += one);
        }
        let right = self.profiles.iter().map(|(_, p)| p.staff).eq(staff);
        right && (0..self.classes.len()).all(|c| self.count_slots(c) == self.classes[c].slots)
    }

    /// Contacts of a class's channel that those at work for it serve at once.
    pub(super) fn count_slots(&self, class: usize) -> u32 {
        let class = &self.classes[class];
        let slots = |p: u16| self.profiles[usize::from(p)].1.staff.slots[class.key.channel.index()];
        class.eligible.iter().map(|(_, p)| slots(*p)).sum()
    }

    /// Contacts that those at work for a class serve at once, whether anybody of it has ever
    /// waited or not: what is decided by it must be the same after a restart.
    pub(crate) fn slots_for(&self, key: &ClassKey, pools: &[PoolId], routing: &Routing) -> u32 {
        let fits = |p: &ProfileKey| key.fits(p, pools) && self.may_help(key, p, routing);
        let fit = self.profiles.iter().filter(|(profile, _)| fits(profile));
        fit.map(|(_, p)| p.staff.slots[key.channel.index()]).sum()
    }

    /// The class that a contact waits in, or would.
    pub(crate) fn class_of(&self, contact: &Contact, stand: Stand) -> Option<u16> {
        match stand {
            Stand::Line(class, _) => Some(class),
            Stand::Named(_) => None,
            Stand::Off => self.class_named(Asked::of(contact)),
        }
    }

    /// The class of those who ask for this, if there ever was one.
    pub(crate) fn class_named(&self, key: Asked<'_>) -> Option<u16> {
        self.class_ids.get(&key).copied()
    }

    /// The classes of a queue's contacts of one channel.
    pub(crate) fn classes_of(
        &self,
        queue: QueueId,
        channel: Channel,
    ) -> impl Iterator<Item = (u16, &ClassKey, usize)> {
        let classes = (0..).zip(&self.classes);
        classes
            .filter(move |(_, c)| c.key.queue == queue && c.key.channel == channel)
            .map(|(id, c)| (id, &c.key, c.line.len()))
    }

    /// Whether some agent could take a contact of a class at once.
    pub(crate) fn has_idle(&self, class: u16) -> bool {
        let class = &self.classes[usize::from(class)];
        let idle = |p: u16| &self.profiles[usize::from(p)].1.idle[class.key.channel.index()];
        class.eligible.iter().any(|(_, p)| !idle(*p).is_empty())
    }

    /// About how many of a class stand before a place.
    pub(crate) fn ahead_in(&self, class: u16, spot: Spot) -> f64 {
        let beside = self.lines_beside(class).map(|line| line.about_ahead(spot));
        self.classes[usize::from(class)].line.about_ahead(spot) + beside.sum::<f64>()
    }

    /// What stands between agents and a contact of this class at this place, its own line
    /// apart. `press` tells of each queue and channel what is measured, `by_place` whether
    /// places alone decide between its own queue and another.
    pub(crate) fn demand(
        &self,
        class: u16,
        spot: Spot,
        press: impl Fn(QueueId, Channel) -> Press,
        by_place: impl Fn(QueueId) -> bool,
    ) -> Demand {
        let own = &self.classes[usize::from(class)];
        let mut demand = Demand { slots: own.slots, ..Demand::default() };
        let rivals = || self.rivals(class);
        let lines = rivals().count();
        let pairs = own.eligible.len().saturating_mul(lines);
        let widest = (own.eligible.len() / FEWEST_PROFILES).max(1);
        let every = pairs.div_ceil(MOST_PAIRS).clamp(1, widest);
        if own.key.service == ServiceClass::Async {
            demand.live = self.live_part(&own.eligible);
        }
        let work = press(own.key.queue, own.key.channel).work;
        for (rival, first) in rivals() {
            let rival_line = &self.classes[rival];
            let shared = self.shared(own, rival, every);
            if shared == 0.0 || rival_line.slots == 0 {
                continue;
            }
            let before = match first {
                true => float(rival_line.line.len()),
                false => rival_line.line.about_ahead(spot),
            };
            let of = press(rival_line.key.queue, rival_line.key.channel);
            // Where one of the two is not measured, they are taken to be alike.
            let heavier =
                work.zip(of.work).filter(|(own, _)| *own > 0.0).map_or(1.0, |(o, r)| r / o);
            // A line is served by all its agents alike: this part of it by ours, and so many of
            // our own would take them as long.
            let weight = heavier * shared / f64::from(rival_line.slots);
            if !first && !by_place(rival_line.key.queue) {
                let part = float(rival_line.line.len()) / f64::from(of.turns.waiting.max(1));
                demand.others.push(Other { weight, before, turns: of.turns, part: part.min(1.0) });
                continue;
            }
            let as_own = before * weight;
            demand.rivals += as_own;
            demand.hazard += as_own * of.hazard;
        }
        demand
    }

    /// Other lines with somebody in them that may be served before one of this class, and
    /// whether they always are. Live contacts do not stand before later ones here: what they
    /// leave to those is in [`Demand::live`].
    fn rivals(&self, class: u16) -> impl Iterator<Item = (usize, bool)> {
        let service = self.classes[usize::from(class)].key.service;
        let before = ServiceClass::ALL.into_iter().filter(move |s| {
            *s == service || (*s == ServiceClass::Safety && service == ServiceClass::Live)
        });
        before
            .flat_map(|s| self.waiting[s as usize].iter().map(move |w| (s, w)))
            .flat_map(move |(s, w)| w.ones().map(move |rival| (rival, s != service)))
            .filter(move |(rival, _)| *rival != usize::from(class))
            .filter(move |(rival, _)| self.apart.is_empty() || !self.is_beside(class, *rival))
    }

    /// How many of a class's slots are those of agents who serve another class too.
    fn shared(&self, own: &super::Class, rival: usize, every: usize) -> f64 {
        let channel = own.key.channel.index();
        let of = |(_, p): &(u16, u16)| {
            let profile = &self.profiles[usize::from(*p)].1;
            if profile.eligible.contains(rival) { profile.staff.slots[channel] } else { 0 }
        };
        let (mut both, mut all) = (0u32, 0u32);
        for entry in own.eligible.iter().step_by(every) {
            both += of(entry);
            all += self.profiles[usize::from(entry.1)].1.staff.slots[channel];
        }
        match all {
            0 => 0.0,
            _ => f64::from(both) / f64::from(all) * f64::from(own.slots),
        }
    }

    /// The part of these profiles' capacity that live contacts use.
    fn live_part(&self, eligible: &[(u16, u16)]) -> f64 {
        let (mut live, mut agents) = (0u64, 0u64);
        for (_, p) in eligible {
            let staff = &self.profiles[usize::from(*p)].1.staff;
            live += u64::from(staff.live);
            agents += u64::from(staff.agents);
        }
        match u32::try_from(live).ok().zip(u32::try_from(agents * 1000).ok()) {
            Some((live, all)) if all > 0 => (f64::from(live) / f64::from(all)).min(1.0),
            _ => 0.0,
        }
    }
}

/// A sum in which one part is now another.
fn moved(sum: u32, before: u32, after: u32) -> u32 {
    sum.saturating_add(after).saturating_sub(before)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}
