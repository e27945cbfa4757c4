//! The law of a free level: what is measured, what a rung is wanted by, and when it moves.
//!
//! Plain functions of values. A rung is entered by one measure beyond its threshold for its
//! dwell; it is left when every measure has been well below for `leave_after`. Up and down go
//! one rung at a time, while what each of them waits for runs beside the others'. Between
//! entering and leaving lie margins in which nothing moves, which is why it never flaps.

use super::Level;
use super::control::{
    Bounds, Control, ControlPlan, FULL, LevelCause, Press, Pressing, Pressure, RUNGS, Reading,
};
use crate::time::{EngineTime, Span};

/// A gateway's use must fall by so much below what presses before it keeps no rung, thousandths.
const GATEWAY_MARGIN: u32 = 150;

/// Between two rungs that are left lies this part of `leave_after`: what leaving one brings shows.
const SETTLES: u64 = 5;
/// A rung that is entered again within so many times `leave_after` was left too soon.
const SOON: u64 = 12;
/// Relapses that are counted: eight times `leave_after` is the longest.
const MOST_RELAPSES: u8 = 3;

/// What is measured for one recall at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// How long the next caller of its scope waits, milliseconds; 0 while nobody waits.
    pub wait: u32,
    /// The load by what happens lately, thousandths, by rung: letters count for the first alone.
    pub load: [u32; RUNGS],
    /// The load that is certain, thousandths, by rung: the higher ones ask for more certainty.
    pub certain: [u32; RUNGS],
    /// The load that is certain enough to end a calm, thousandths, by rung.
    pub doubtful: [u32; RUNGS],
    /// Conversations of the gateway that is fullest, thousandths of its limit.
    pub sessions: u32,
    /// Calls in menus of the gateway that is fullest, thousandths of its ports.
    pub ports: u32,
    /// How long all its agents would work on callbacks that are owed.
    pub owed: Span,
}

/// Where a rung leads, from the lowest.
#[must_use]
pub const fn level_of(rung: usize) -> Level {
    match rung {
        0 => Level::Elevated,
        1 => Level::Surge,
        _ => Level::Critical,
    }
}

/// The rung that a level stands on; none at the bottom.
#[must_use]
pub const fn rung_of(level: Level) -> Option<usize> {
    match level {
        Level::Normal | Level::Tail => None,
        Level::Elevated => Some(0),
        Level::Surge => Some(1),
        Level::Critical => Some(2),
    }
}

/// The rung above a level, if the bounds have it.
#[must_use]
pub fn above(level: Level, bounds: Bounds) -> Option<usize> {
    let rung = rung_of(level).map_or(0, |rung| rung + 1);
    (rung < RUNGS && level_of(rung) <= bounds.highest).then_some(rung)
}

/// The level below one, if the bounds have it.
#[must_use]
pub fn below(level: Level, bounds: Bounds) -> Option<Level> {
    let next = match level {
        Level::Critical => Level::Surge,
        Level::Surge => Level::Elevated,
        Level::Elevated | Level::Tail | Level::Normal => bounds.lowest,
    };
    (next.max(bounds.lowest) < level).then_some(next.max(bounds.lowest))
}

impl Look {
    /// Everything that is measured for a rung, against what it is wanted by.
    #[must_use]
    pub fn readings(&self, plan: &ControlPlan, rung: usize) -> [Reading; 4] {
        let rung = rung.min(RUNGS - 1);
        [
            (Pressure::Wait, self.wait, millis(plan.wait[rung])),
            (Pressure::Load, self.certain[rung], plan.load),
            (Pressure::Sessions, self.sessions, plan.gateway),
            (Pressure::IvrPorts, self.ports, plan.gateway),
        ]
        .map(|(of, value, threshold)| Reading { of, value, threshold })
    }

    /// Everything that is measured for a rung, against what it must be below to be left.
    #[must_use]
    pub fn releases(&self, plan: &ControlPlan, rung: usize) -> [Reading; 4] {
        let rung = rung.min(RUNGS - 1);
        let gateways = plan.gateway.saturating_sub(GATEWAY_MARGIN);
        [
            (Pressure::Wait, self.wait, millis(plan.wait[rung]) / 2),
            (Pressure::Load, self.load[rung], release(plan, rung)),
            (Pressure::Sessions, self.sessions, gateways),
            (Pressure::IvrPorts, self.ports, gateways),
        ]
        .map(|(of, value, threshold)| Reading { of, value, threshold })
    }

    /// What is nearest to keeping a rung.
    fn released(&self, plan: &ControlPlan, rung: usize) -> Reading {
        let [wait, mut load, sessions, ports] = self.releases(plan, rung);
        if load.value >= load.threshold {
            // Beyond it by chance, as was found.
            load.value = self.doubtful[rung.min(RUNGS - 1)];
        }
        let others = [load, sessions, ports];
        let part = |r: &Reading| u64::from(r.value) * 1_000_000 / u64::from(r.threshold.max(1));
        others.into_iter().fold(wait, |most, r| if part(&r) > part(&most) { r } else { most })
    }

    /// What a rung is wanted by, if by anything.
    #[must_use]
    pub fn presses(&self, plan: &ControlPlan, rung: usize) -> Option<Reading> {
        self.readings(plan, rung).into_iter().find(|r| r.value > r.threshold)
    }

    /// Whether nothing speaks for staying on a rung. Once it is calm, the load has to be
    /// certainly above to end that: chance alone keeps no rung for ever.
    #[must_use]
    pub fn is_calm(&self, plan: &ControlPlan, rung: usize, was: bool) -> bool {
        let rung = rung.min(RUNGS - 1);
        let [wait, load, sessions, ports] = self.releases(plan, rung);
        let doubtful = if was { self.doubtful[rung] } else { load.value };
        // What was promised needs those who came to help, and is still to be done.
        let owed = rung > 0 && self.owed > Span(plan.leave_after.0 / 2 * 3);
        wait.value < wait.threshold
            && doubtful < load.threshold
            && sessions.value <= sessions.threshold
            && ports.value <= ports.threshold
            && !owed
    }
}

/// The load below which a rung may be left: the higher ones halfway to what enters them, so
/// that they are gone by the time at which agents alone would do.
#[must_use]
pub const fn release(plan: &ControlPlan, rung: usize) -> u32 {
    match rung {
        0 => plan.release,
        _ => u32::midpoint(plan.release, plan.load),
    }
}

/// What presses now, of what pressed before.
#[must_use]
pub fn pressing(plan: &ControlPlan, was: &Pressing, look: &Look, at: EngineTime) -> Pressing {
    let rungs: [Option<Press>; RUNGS] = std::array::from_fn(|rung| {
        let by = look.presses(plan, rung)?;
        Some(was.rungs[rung].unwrap_or(Press { since: at, by }))
    });
    let calm = std::array::from_fn(|rung| {
        let since = was.calm[rung];
        // What a short while says may press on a rung that a longer one calls calm.
        let calm = rungs[rung].is_none() && look.is_calm(plan, rung, since.is_some());
        calm.then(|| since.unwrap_or(at))
    });
    Pressing { rungs, calm }
}

/// A move that something speaks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// Where to.
    pub to: Level,
    /// Since when something speaks for it.
    pub since: EngineTime,
    /// When it is made, if that goes on.
    pub due: EngineTime,
    /// What pressed first; none if nothing presses.
    pub by: Option<Reading>,
}

/// How long nothing may press before a level is left: each time that its rung had to be entered
/// again soon after it was left, twice as long.
#[must_use]
pub fn leave_after(plan: &ControlPlan, level: Level, control: &Control) -> Span {
    let relapses = rung_of(level).map_or(0, |rung| control.footings[rung].relapses);
    Span(plan.leave_after.0 << relapses.min(MOST_RELAPSES))
}

/// What a move makes of how rungs have held.
pub fn moved(plan: &ControlPlan, from: Level, to: Level, control: &mut Control, at: EngineTime) {
    if let Some(rung) = rung_of(to).filter(|_| to > from) {
        let footing = &mut control.footings[rung];
        let soon = |left: EngineTime| at.since(left).0 < plan.leave_after.0.saturating_mul(SOON);
        let again = footing.left.is_some_and(soon);
        footing.relapses = if again { (footing.relapses + 1).min(MOST_RELAPSES) } else { 0 };
    } else if let Some(rung) = rung_of(from) {
        control.footings[rung].left = Some(at);
    }
}

/// Where a level goes next, as things stand.
#[must_use]
pub fn next(plan: &ControlPlan, level: Level, control: &Control) -> Option<Next> {
    let Control { bounds, pressing, .. } = control;
    let up = |rung: usize| {
        let Press { since, by } = pressing.rungs[rung]?;
        Some(Next { to: level_of(rung), since, due: since + plan.held[rung], by: Some(by) })
    };
    let down = || {
        // The bottom has no rung, and is left by the thresholds of the first.
        let rung = rung_of(level).unwrap_or(0);
        let (to, since) = (below(level, *bounds)?, pressing.calm[rung]?);
        let settled = match control.footings.get(rung + 1).and_then(|above| above.left) {
            Some(left) => left + Span(plan.leave_after.0 / SETTLES),
            None => EngineTime::ZERO,
        };
        let due = (since + leave_after(plan, level, control)).max(settled);
        Some(Next { to, since, due, by: None })
    };
    above(level, *bounds).and_then(up).or_else(down)
}

/// Where a level goes now, and why.
#[must_use]
pub fn step(
    plan: &ControlPlan,
    level: Level,
    control: &Control,
    look: &Look,
    at: EngineTime,
) -> Option<(Level, LevelCause)> {
    let Next { to, since, .. } = next(plan, level, control).filter(|next| next.due <= at)?;
    let lasting = at.since(since);
    if let Some(rung) = rung_of(to).filter(|_| to > level) {
        let by = look.presses(plan, rung)?;
        return Some((to, LevelCause::Pressed { by, lasting }));
    }
    let by = look.released(plan, rung_of(level).unwrap_or(0));
    Some((to, LevelCause::Calm { by, lasting }))
}

/// Thousandths of a limit that are used; none is used of one that is not said.
#[must_use]
pub fn used(used: u32, most: u32) -> u32 {
    let parts = u64::from(used) * u64::from(FULL);
    parts.checked_div(most.into()).map_or(0, |parts| u32::try_from(parts).unwrap_or(u32::MAX))
}

fn millis(span: Span) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
