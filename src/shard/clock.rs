//! The shard's clocks: engine time while running, and wall time for people.
//!
//! The owner and the replica read them; the engine is handed what they say and reads none.

use std::time::{Duration, Instant, UNIX_EPOCH};

#[cfg(test)]
use super::testing::machine;
use crate::time::{EngineTime, Span, WallTime};

/// The machine's own clocks. A test may give its thread others.
#[cfg(not(test))]
mod machine {
    use std::time::{Instant, SystemTime};

    pub(super) fn instant() -> Instant {
        Instant::now()
    }

    pub(super) fn system() -> SystemTime {
        SystemTime::now()
    }
}

/// Engine time may jump by no more than this across a restart: long enough for what was
/// due meanwhile to come due, short enough that a wrong wall clock does no harm.
pub(crate) const LONGEST_GAP: Span = Span::seconds(15 * 60);

/// Where engine time begins: what was promised before a long outage stands by the wall before its
/// end, and has to be sayable when the router was young.
pub(crate) const BEGINNING: EngineTime = EngineTime(30 * 24 * 3_600 * 1_000_000);

/// Engine time while the process runs.
///
/// It goes by `Instant`, which on Linux stands still while the machine is suspended.
/// `CLOCK_BOOTTIME` would not, but neither would it help: no gateway keeps a call across
/// a suspend, and a router that wakes to find that nothing is overdue yet is the better one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    base: EngineTime,
    started: Instant,
}

impl Clock {
    /// A clock that shows `base` now.
    pub(crate) fn starting_at(base: EngineTime) -> Self {
        Self { base, started: machine::instant() }
    }

    pub(crate) fn now(&self) -> EngineTime {
        self.base + Span::from(machine::instant().saturating_duration_since(self.started))
    }

    /// How long until this clock shows `at`; zero if it has.
    pub(crate) fn until(&self, at: EngineTime) -> Duration {
        at.since(self.now()).into()
    }
}

/// The wall's time now; the epoch if the clock is set before it.
pub(crate) fn wall_now() -> WallTime {
    let since = machine::system().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// By how much engine time jumps when the journal was last written at `then`, and by how much
/// less than the clock on the wall that is.
pub(crate) fn gap(then: WallTime, now: WallTime) -> (Span, Span) {
    let passed = Span::millis(now.0.saturating_sub(then.0));
    let gap = passed.min(LONGEST_GAP);
    (gap, Span(passed.0 - gap.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_jumps_by_the_wall_clock_but_never_back_and_never_far() {
        let gap = |then, now| gap(WallTime(then), WallTime(now));
        assert_eq!(gap(1_000, 3_500), (Span::millis(2_500), Span::ZERO));
        let back = (Span::ZERO, Span::ZERO);
        assert_eq!(gap(3_500, 1_000), back, "the wall clock was set back");
        let missed = Span(Span::seconds(86_400).0 - LONGEST_GAP.0);
        assert_eq!(gap(0, 86_400_000), (LONGEST_GAP, missed));
    }

    #[test]
    fn the_clock_goes_on_from_its_base() {
        let clock = Clock::starting_at(EngineTime(5_000_000));
        let first = clock.now();
        assert!(first >= EngineTime(5_000_000));
        assert!(clock.now() >= first);
    }
}
