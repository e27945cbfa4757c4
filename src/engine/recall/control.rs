//! A level that is left free: between which bounds it moves, by which thresholds, and what
//! presses on it since when.
//!
//! Values only. [`super::law`] says what follows from them, [`crate::engine::inflow`] measures,
//! and `decide::control` looks and moves.

use std::fmt;

use super::Level;
use crate::time::{EngineTime, Span};

/// Rungs that a free level climbs: elevated, surge, critical.
pub const RUNGS: usize = 3;
/// What counts as full, in thousandths: loads and uses of limits are told in these.
pub const FULL: u32 = 1_000;

/// By what a free level moves: the playbook's `[control]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ControlPlan {
    /// The wait of the next caller beyond which a rung is wanted, rung by rung.
    pub wait: [Span; RUNGS],
    /// How long a rung has to be wanted without a break before it is entered.
    pub held: [Span; RUNGS],
    /// The offered load beyond which all rungs are wanted, thousandths of what agents can take.
    pub load: u32,
    /// The load below which a rung may be left, thousandths.
    pub release: u32,
    /// The use of a gateway's limits beyond which all rungs are wanted, thousandths.
    pub gateway: u32,
    /// How long nothing may press before a rung is left; for each rung anew.
    pub leave_after: Span,
    /// Bounds for whoever frees a level and names none.
    pub bounds: Bounds,
}

impl Default for ControlPlan {
    fn default() -> Self {
        Self {
            wait: [120, 240, 300].map(Span::seconds),
            held: [60, 60, 120].map(Span::seconds),
            load: 1_000,
            release: 875,
            gateway: 850,
            leave_after: Span::seconds(600),
            bounds: Bounds { lowest: Level::Normal, highest: Level::Critical },
        }
    }
}

impl ControlPlan {
    /// Between two looks at what is measured: 1 to 5 s, no longer than what has to last.
    #[must_use]
    pub fn look_every(&self) -> Span {
        let shortest = self.held.into_iter().fold(self.leave_after, Span::min);
        shortest.clamp(Span::seconds(1), Span::seconds(5))
    }
}

/// Between which levels a free one moves, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bounds {
    /// Not below; where it rests when nothing presses.
    pub lowest: Level,
    /// Not above.
    pub highest: Level,
}

impl Bounds {
    /// The level in them that is nearest to one.
    #[must_use]
    pub fn nearest(self, level: Level) -> Level {
        // `clamp` panics where the order is wrong, which is refused before.
        level.max(self.lowest).min(self.highest.max(self.lowest))
    }
}

/// Bounds as people give them: what is left out is the playbook's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Within {
    /// Not below.
    pub lowest: Option<Level>,
    /// Not above.
    pub highest: Option<Level>,
}

impl Within {
    /// With the playbook's where nothing is said.
    #[must_use]
    pub fn or(self, of: Bounds) -> Bounds {
        Bounds {
            lowest: self.lowest.unwrap_or(of.lowest),
            highest: self.highest.unwrap_or(of.highest),
        }
    }
}

/// What may press.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Pressure {
    /// The wait of the next caller, milliseconds.
    Wait,
    /// The offered load that is certain, thousandths of what agents can take.
    Load,
    /// Conversations of a gateway, thousandths of its limit.
    Sessions,
    /// Calls in a gateway's menus, thousandths of its ports.
    IvrPorts,
}

impl Pressure {
    /// All of them, in the order in which they are named first.
    pub const ALL: [Self; 4] = [Self::Wait, Self::Load, Self::Sessions, Self::IvrPorts];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Load => "load",
            Self::Sessions => "sessions",
            Self::IvrPorts => "ivr_ports",
        }
    }

    /// A value as people read it.
    #[must_use]
    pub fn told(self, value: u32) -> String {
        match self {
            Self::Wait => format!("{} s", value.div_ceil(1_000)),
            Self::Load => format!("{}.{:02}", value / FULL, value % FULL / 10),
            Self::Sessions | Self::IvrPorts => format!("{} %", value / 10),
        }
    }

    /// What it is, as people say it.
    const fn said(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Load => "load of at least",
            Self::Sessions => "a gateway's sessions at",
            Self::IvrPorts => "a gateway's menu ports at",
        }
    }
}

/// A measure against its threshold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reading {
    /// What was measured.
    pub of: Pressure,
    /// How much it was: milliseconds of a wait, else thousandths.
    pub value: u32,
    /// What it is held against, the same unit.
    pub threshold: u32,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.value > self.threshold { '>' } else { '<' };
        let (value, threshold) = (self.of.told(self.value), self.of.told(self.threshold));
        let of = if self.value > self.threshold { self.of.said() } else { self.of.name() };
        write!(f, "{of} {value} {sign} {threshold}")
    }
}

/// A rung is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Press {
    /// Without a break since.
    pub since: EngineTime,
    /// What pressed first, as it was then.
    pub by: Reading,
}

/// What presses on a free level, and since when nothing does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Pressing {
    /// By rung: who wants it.
    pub rungs: [Option<Press>; RUNGS],
    /// By rung: since when nothing speaks for staying on it.
    pub calm: [Option<EngineTime>; RUNGS],
}

/// How a rung has held lately.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Footing {
    /// When it was left last.
    pub left: Option<EngineTime>,
    /// How often it was entered again soon after that, in a row.
    pub relapses: u8,
}

/// A level that is left free.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Control {
    /// Between which levels.
    pub bounds: Bounds,
    /// What presses.
    pub pressing: Pressing,
    /// By rung: how it has held.
    pub footings: [Footing; RUNGS],
}

impl Control {
    /// One that has not been looked at.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, pressing: Pressing::default(), footings: Default::default() }
    }
}

/// Why a level changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LevelCause {
    /// Somebody set it; it is pinned there.
    ByHand,
    /// Somebody freed it between bounds in which it was not.
    Bounds,
    /// A measure pressed for long enough.
    Pressed {
        /// What pressed, as it is now.
        by: Reading,
        /// How long.
        lasting: Span,
    },
    /// Nothing pressed for long enough.
    Calm {
        /// The wait as it is now, against what keeps the rung.
        by: Reading,
        /// How long.
        lasting: Span,
    },
}

impl LevelCause {
    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Bounds => "bounds",
            Self::Pressed { .. } => "pressed",
            Self::Calm { .. } => "calm",
        }
    }

    /// What moved it, if the router did by itself.
    #[must_use]
    pub const fn reading(self) -> Option<(Reading, Span)> {
        match self {
            Self::ByHand | Self::Bounds => None,
            Self::Pressed { by, lasting } | Self::Calm { by, lasting } => Some((by, lasting)),
        }
    }
}

impl fmt::Display for LevelCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |lasting: &Span| lasting.as_millis() / 1_000;
        match self {
            Self::ByHand => f.write_str("set by hand"),
            Self::Bounds => f.write_str("the nearest level between the bounds"),
            Self::Pressed { by, lasting } => write!(f, "{by} for {} s", s(lasting)),
            Self::Calm { by, lasting } => write!(f, "nothing pressed for {} s: {by}", s(lasting)),
        }
    }
}
