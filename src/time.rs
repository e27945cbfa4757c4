//! Time as values. Nothing here reads a clock: the shard does, and hands the engine an [`EngineTime`].

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Microseconds of router life: the boot clock while running, continued across restarts.
///
/// It never goes back and knows nothing of calendars.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EngineTime(pub u64);

/// A length of time in microseconds, never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub u64);

impl EngineTime {
    /// The moment at which a new router begins.
    pub const ZERO: Self = Self(0);

    /// How long ago `earlier` was; zero if it is in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A length given in whole seconds.
    #[must_use]
    pub const fn seconds(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// A length given in milliseconds.
    #[must_use]
    pub const fn millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// In seconds, with a fraction.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// In whole milliseconds, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }
}

impl From<Duration> for Span {
    fn from(d: Duration) -> Self {
        Self(u64::try_from(d.as_micros()).unwrap_or(u64::MAX))
    }
}

impl From<Span> for Duration {
    fn from(s: Span) -> Self {
        Self::from_micros(s.0)
    }
}

impl Add<Span> for EngineTime {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for EngineTime {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Debug for EngineTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T+{:?}", Duration::from_micros(self.0))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from_micros(self.0))
    }
}

/// Where a contact stands in line: its arrival minus its head start, in microseconds of engine time.
///
/// Smaller is earlier. It may be before the router's beginning, hence the sign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place(pub i64);

impl Place {
    /// The place of one who arrived at `arrival` and is given `head_start`.
    #[must_use]
    pub fn new(arrival: EngineTime, head_start: Span) -> Self {
        let arrival = i64::try_from(arrival.0).unwrap_or(i64::MAX);
        Self(arrival.saturating_sub_unsigned(head_start.0))
    }
}

/// Milliseconds since the Unix epoch, for people. Read at the edges, never in the engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WallTime(pub u64);
