//! How a surge went: when load rises and falls by the scenario, and what the tiers of its
//! recalls did about it in a run.
//!
//! Told by the world of what happens, read by `outcome`. It judges nothing.

use super::arrivals;
use super::plans::Order;
use super::scenario::{Names, Staffing, Stream, to_span};
use crate::engine::recall::{Recall, Tier};
use crate::ids::PoolId;
use crate::time::{EngineTime, Span};

/// The offered load below which a surge is over.
const CALM: f64 = 0.85;
/// How finely the load is looked at, seconds.
const STEP: f64 = 1.0;

/// When the load of a scenario rises and falls, by its rates alone; seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Wave {
    /// The first ramp begins.
    pub(super) begins: f64,
    /// From here on the load stays below 0.85 of what agents of no partner can take.
    pub(super) calm: f64,
}

/// The wave of a scenario; none without a ramp, or if it is never that much.
pub(super) fn wave(
    streams: &[Stream],
    staff: &[Staffing],
    orders: &[(Span, Order)],
    names: Names<'_>,
    duration: f64,
) -> Option<Wave> {
    let begins = streams.iter().filter_map(|s| arrivals::ramp(&s.arrivals));
    let begins = begins.reduce(f64::min)?;
    let partner = |pool: PoolId| {
        let plans = orders.iter().filter_map(|(_, order)| match order {
            Order::Start { plan, .. } => plan.partner.as_ref(),
            _ => None,
        });
        plans.into_iter().any(|tier| tier.pools.contains(&pool))
    };
    let own: Vec<&Staffing> = (names.0.agents.iter().zip(staff))
        .filter(|(agent, _)| !partner(agent.pool))
        .map(|(_, staffing)| staffing)
        .collect();
    let mut calm = None;
    let mut at = begins;
    while at < duration {
        let work: f64 = streams.iter().map(|s| arrivals::rate(&s.arrivals, at) * s.work).sum();
        let there = |s: &&&Staffing| {
            let now = to_span(at);
            s.shifts.iter().any(|(from, until)| *from <= now && until.is_none_or(|u| now < u))
        };
        let capacity: f64 = own.iter().filter(there).map(|s| s.speed).sum();
        if work >= CALM * capacity {
            calm = Some(at + STEP);
        }
        at += STEP;
    }
    Some(Wave { begins, calm: calm? })
}

/// A figure of the tiers of a run's recalls. Tier 1 is faq and ivr together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tiers {
    /// How often a tier was opened or closed.
    Switches,
    /// 1 if that was more than 8 times.
    ManySwitches,
    /// Minutes from the ramp's beginning until tier 1 was open; to the end if it never was.
    OnAfter,
    /// Minutes from load below 0.85 until the last tier was closed; of runs in which one was open.
    OffAfter,
    /// 1 if tier 1 was open at any time.
    FirstUsed,
    /// 1 if calls were offered at any time.
    CallbackUsed,
    /// 1 if partners were called at any time.
    PartnerUsed,
    /// Contacts that a tier took twice, that stood further back than before, or that were
    /// closed as solved without the customer's word.
    Wronged,
}

impl Tiers {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::Switches,
        Self::ManySwitches,
        Self::OnAfter,
        Self::OffAfter,
        Self::FirstUsed,
        Self::CallbackUsed,
        Self::PartnerUsed,
        Self::Wronged,
    ];

    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Switches => "switches",
            Self::ManySwitches => "more_than_8_switches_share",
            Self::OnAfter => "first_tier_on_after_min",
            Self::OffAfter => "last_tier_off_after_min",
            Self::FirstUsed => "first_tier_used_share",
            Self::CallbackUsed => "callback_used_share",
            Self::PartnerUsed => "partner_used_share",
            Self::Wronged => "wronged",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Switches => "tiers opened or closed",
            Self::ManySwitches => "more than 8 times, share of runs",
            Self::OnAfter => "faq and ivr open, minutes after the ramp begins",
            Self::OffAfter => "last tier closed, minutes after load is below 0.85",
            Self::FirstUsed => "faq and ivr used, share of runs",
            Self::CallbackUsed => "calls offered, share of runs",
            Self::PartnerUsed => "partners called, share of runs",
            Self::Wronged => "twice in a tier, set back, or solved unasked",
        }
    }

    /// What one run came to; none where there is nothing to say.
    #[expect(clippy::cast_precision_loss, reason = "counts of switches and contacts")]
    pub(super) fn of(self, wave: Option<Wave>, t: &TierTally) -> Option<f64> {
        let used = |group: usize| Some(f64::from(u8::from(t.used[group])));
        match self {
            Self::Switches => Some(t.switches as f64),
            Self::ManySwitches => Some(f64::from(u8::from(t.switches > MANY))),
            Self::OnAfter => Some((t.first_on.unwrap_or(t.ended) - wave?.begins) / 60.0),
            Self::OffAfter => {
                let closed = if t.open == [false; GROUPS] { t.last_off? } else { t.ended };
                Some((closed - wave?.calm) / 60.0)
            }
            Self::FirstUsed => used(0),
            Self::CallbackUsed => used(1),
            Self::PartnerUsed => used(2),
            Self::Wronged => Some((t.twice + t.set_back + t.unasked) as f64),
        }
    }
}

/// More switches than this are many.
const MANY: u64 = 8;
/// Tiers that are counted apart: faq and ivr, callback, partner.
const GROUPS: usize = 3;

/// What tiers did in one run; times in seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct TierTally {
    open: [bool; GROUPS],
    used: [bool; GROUPS],
    switches: u64,
    /// Tier 1 was open, not before the wave.
    first_on: Option<f64>,
    last_off: Option<f64>,
    /// The run's last moment.
    ended: f64,
    /// Contacts that a tier took twice.
    pub(super) twice: u64,
    /// Contacts that stood further back than before.
    pub(super) set_back: u64,
    /// Contacts that were closed as solved without the customer's word.
    pub(super) unasked: u64,
}

impl TierTally {
    /// Recalls stand as they do from now on.
    pub(super) fn stand<'r>(
        &mut self,
        at: EngineTime,
        wave: Option<Wave>,
        recalls: impl Iterator<Item = &'r Recall>,
    ) {
        let mut open = [false; GROUPS];
        for recall in recalls {
            for tier in Tier::ALL.into_iter().filter(|tier| recall.is_open(*tier)) {
                open[group(tier)] = true;
            }
        }
        let now = at.since(EngineTime::ZERO).as_secs_f64();
        for (group, open) in open.into_iter().enumerate() {
            self.used[group] |= open;
            self.switches += u64::from(open != self.open[group]);
        }
        if self.open != [false; GROUPS] && open == [false; GROUPS] {
            self.last_off = Some(now);
        }
        if open[0] && self.first_on.is_none() {
            self.first_on = Some(wave.map_or(now, |w| now.max(w.begins)));
        }
        // Closed again before the wave came: that was for nothing.
        if !open[0] && wave.is_some_and(|w| now < w.begins) {
            self.first_on = None;
        }
        self.open = open;
    }

    /// The run is over.
    pub(super) fn end(&mut self, at: EngineTime) {
        self.ended = at.since(EngineTime::ZERO).as_secs_f64();
    }
}

const fn group(tier: Tier) -> usize {
    match tier {
        Tier::Faq | Tier::Ivr => 0,
        Tier::Callback => 1,
        Tier::Partner => 2,
    }
}
