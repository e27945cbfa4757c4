//! A tier's breaker: what fails again and again takes nobody for a while.
//!
//! Values and their rules, pure. What counts as failed is for those who know the tier.

use crate::ids::ContactId;
use crate::time::{EngineTime, Span};

/// Outcomes that are looked back on.
const LOOKS_BACK: u8 = 20;
/// How long a breaker stays open the first time; each time after that twice as long.
const FIRST: Span = Span::seconds(60);
/// How long at most.
const LONGEST: Span = Span::seconds(600);

/// How a contact's time in a tier ended, as far as it tells of the tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// The tier did what it is for, whatever the customer thought of it.
    Worked,
    /// It did not.
    Failed,
    /// It says nothing of the tier.
    Neither,
}

/// A tier's breaker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Breaker {
    /// The last outcomes, the newest in the lowest bit; 1 is a failure.
    pub(crate) outcomes: u32,
    /// How many of them there are, 0 to 20.
    pub(crate) seen: u8,
    /// How often it opened since it was last closed.
    pub(crate) opened: u8,
    /// Whether the tier takes anybody.
    pub(crate) gate: Gate,
}

/// Whether a tier takes anybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Gate {
    /// It does.
    #[default]
    Closed,
    /// It failed, and takes nobody.
    Open {
        /// Until when.
        until: EngineTime,
    },
    /// It takes one, to see.
    Trying {
        /// Who is in it; none yet, or where the tier is no machine.
        probe: Option<ContactId>,
    },
}

impl Gate {
    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::Trying { .. } => "trying",
        }
    }
}

impl Breaker {
    /// Whether the tier takes anybody.
    #[must_use]
    pub const fn gate(&self) -> Gate {
        self.gate
    }

    /// Whether one more may enter a tier that has so many of its own.
    #[must_use]
    pub const fn admits(&self, has: u32) -> bool {
        match self.gate {
            Gate::Closed => true,
            Gate::Open { .. } => false,
            // Where one has told already, it turns to something else at the end of the command.
            Gate::Trying { probe } => probe.is_none() && has == 0 && self.seen == 0,
        }
    }

    /// When it tries again.
    pub(crate) const fn wakes(&self) -> Option<EngineTime> {
        match self.gate {
            Gate::Open { until } => Some(until),
            _ => None,
        }
    }

    /// One entered.
    pub(crate) fn enters(&mut self, contact: ContactId) {
        if let Gate::Trying { probe: probe @ None } = &mut self.gate {
            *probe = Some(contact);
        }
    }

    /// One entered for whom the one before gives way.
    pub(crate) fn enters_instead(&mut self, contact: ContactId) {
        if let Gate::Trying { probe } = &mut self.gate {
            *probe = Some(contact);
        }
    }

    /// One left. While it tries, nobody else's end tells anything.
    pub(crate) fn ends(&mut self, contact: ContactId, outcome: Outcome) {
        match &mut self.gate {
            Gate::Open { .. } => return,
            Gate::Trying { probe: Some(probe) } if *probe != contact => return,
            Gate::Trying { probe } if outcome == Outcome::Neither => {
                *probe = None;
                return;
            }
            _ => {}
        }
        self.tells(outcome);
    }

    /// An outcome, whoever's it is.
    pub(crate) fn tells(&mut self, outcome: Outcome) {
        if outcome != Outcome::Neither {
            let mask = (1 << LOOKS_BACK) - 1;
            self.outcomes = (self.outcomes << 1 | u32::from(outcome == Outcome::Failed)) & mask;
            self.seen = (self.seen + 1).min(LOOKS_BACK);
        }
    }

    /// What it turns to by now, if to something else.
    pub(crate) fn next(&self, at: EngineTime) -> Option<Self> {
        let failed = self.outcomes.count_ones();
        match self.gate {
            Gate::Closed if self.seen == LOOKS_BACK && failed * 2 >= u32::from(LOOKS_BACK) => {
                Some(self.open(at))
            }
            Gate::Open { until } if until <= at => {
                Some(Self { gate: Gate::Trying { probe: None }, ..*self })
            }
            Gate::Trying { .. } if self.seen > 0 && failed > 0 => Some(self.open(at)),
            Gate::Trying { .. } if self.seen > 0 => Some(Self::default()),
            _ => None,
        }
    }

    fn open(&self, at: EngineTime) -> Self {
        let times = self.opened.min(8);
        let lasting = Span(FIRST.0 << times).min(LONGEST);
        let gate = Gate::Open { until: at + lasting };
        Self { outcomes: 0, seen: 0, opened: self.opened.saturating_add(1), gate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: ContactId = ContactId(1);

    fn at(seconds: u64) -> EngineTime {
        EngineTime::ZERO + Span::seconds(seconds)
    }

    fn after(outcomes: &[(Outcome, usize)]) -> Breaker {
        let mut breaker = Breaker::default();
        for (outcome, times) in outcomes {
            (0..*times).for_each(|_| breaker.ends(C, *outcome));
        }
        breaker
    }

    #[test]
    fn it_opens_when_half_of_the_last_twenty_failed_and_not_before() {
        let (worked, failed) = (Outcome::Worked, Outcome::Failed);
        for (outcomes, opens) in [
            (vec![(failed, 19)], false),
            (vec![(failed, 20)], true),
            (vec![(worked, 10), (failed, 10)], true),
            (vec![(worked, 11), (failed, 9)], false),
            (vec![(failed, 10), (worked, 20)], false),
            (vec![(failed, 10), (Outcome::Neither, 50)], false),
        ] {
            let next = after(&outcomes).next(at(5)).map(|b| b.gate);
            let open = Gate::Open { until: at(65) };
            assert_eq!(next, opens.then_some(open), "{outcomes:?}");
        }
    }

    #[test]
    fn it_tries_one_at_a_time_and_waits_twice_as_long_each_time_that_fails() {
        let mut breaker = after(&[(Outcome::Failed, 20)]).next(at(0)).expect("opens");
        let mut now = 0;
        for lasting in [60, 120, 240, 480, 600, 600] {
            assert_eq!(breaker.gate, Gate::Open { until: at(now + lasting) });
            assert!(!breaker.admits(0) && breaker.next(at(now + lasting - 1)).is_none());
            now += lasting;
            breaker = breaker.next(at(now)).expect("tries");
            assert!(breaker.admits(0) && !breaker.admits(1));
            breaker.enters(C);
            assert!(!breaker.admits(0), "one at a time");
            breaker.ends(ContactId(2), Outcome::Worked);
            assert_eq!(breaker.next(at(now)), None, "who was there before says nothing");
            breaker.ends(C, Outcome::Neither);
            assert!(breaker.admits(0), "the next one, then");
            breaker.enters(C);
            breaker.ends(C, Outcome::Failed);
            breaker = breaker.next(at(now)).expect("opens again");
        }
        breaker = breaker.next(at(now + 600)).expect("tries");
        breaker.enters(C);
        breaker.ends(C, Outcome::Worked);
        assert_eq!(breaker.next(at(now + 600)), Some(Breaker::default()));
    }
}
