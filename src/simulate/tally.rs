//! What one run came to: counts and waits by queue, time worked by agents, the course of it.
//!
//! Filled in by one run, read by `figures`. It judges nothing.

use hdrhistogram::Histogram;

use super::error::SimulateError;
use super::surge::TierTally;
use crate::engine::wait_estimate::WaitEstimate;
use crate::time::Span;

/// Points of a run's course.
pub(super) const POINTS: usize = 240;

/// What one run came to.
#[derive(Debug)]
pub(super) struct Tally {
    /// By queue.
    pub(super) queues: Vec<Queue>,
    /// By agent.
    pub(super) agents: Vec<Worked>,
    pub(super) course: Course,
    /// Levels changed, starts and ends of recalls included.
    pub(super) switches: u64,
    /// Seconds in which something was shared between queues while it counted, and how often
    /// that began or ended.
    pub(super) shared_s: f64,
    pub(super) shared_switches: u64,
    /// What tiers did.
    pub(super) tiers: TierTally,
    /// Contacts that came, those before and after what counts included.
    pub(super) came: u64,
    /// Commands that the engine refused, and the first refusal.
    pub(super) refused: u64,
    pub(super) first_refusal: Option<Box<str>>,
}

/// Contacts that came to one queue while it counted.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// Came, redials and those blocked included.
    pub(super) came: u64,
    /// Of them, came for the first time.
    pub(super) first: u64,
    /// Entered the queue.
    pub(super) offered: u64,
    /// Found no trunk, or were refused at the door.
    pub(super) blocked: u64,
    pub(super) answered: u64,
    /// Gave up before an agent had them.
    pub(super) abandoned: u64,
    /// Were served by a tier alone.
    pub(super) contained: u64,
    /// Wanted to be called back, and were, or were not by when it was promised.
    pub(super) promised: u64,
    pub(super) called_back: u64,
    pub(super) called_late: u64,
    /// A number outside took them.
    pub(super) outside: u64,
    /// Ended in no way that is counted elsewhere.
    pub(super) otherwise: u64,
    /// Gave up, and nothing had been said to them.
    pub(super) abandoned_untold: u64,
    /// Were hurt, as far as anybody knew; of them, could have had a person by when one should
    /// have them, and had one.
    pub(super) hurt: u64,
    pub(super) hurt_due: u64,
    pub(super) hurt_in_target: u64,
    /// The longest that one who was hurt was without a person.
    pub(super) hurt_longest: Span,
    /// Gave up or were blocked, and never came back.
    pub(super) lost: u64,
    /// Found nobody at once.
    pub(super) delayed: u64,
    /// Answered, and given up later than, within the target.
    pub(super) answered_in_target: u64,
    pub(super) abandoned_after_target: u64,
    /// Seconds that those waited who were answered, and who gave up.
    pub(super) waited_answered: f64,
    pub(super) waited_abandoned: f64,
    /// Waits of those answered, microseconds.
    pub(super) waits: Histogram<u64>,
    pub(super) estimates: Estimates,
    /// Squares of how many waited in line, times seconds, and the seconds.
    pub(super) squares: f64,
    pub(super) seconds: f64,
}

/// How the engine's estimates of the wait came out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Estimates {
    /// Contacts with an estimate whose wait is known.
    pub(super) known: u64,
    /// Contacts for which the engine had none to tell.
    pub(super) unknown: u64,
    /// Seconds waited, estimated, and squares of the difference.
    pub(super) waited: f64,
    pub(super) estimated: f64,
    pub(super) squares: f64,
    /// Waited no longer than the estimate's p80.
    pub(super) within_p80: u64,
}

/// What an agent did while it counted, microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worked {
    pub(super) present: u64,
    pub(super) busy: u64,
}

/// How a run went, at [`POINTS`] moments of it.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// Came, were answered and gave up since the point before.
    pub(super) came: Vec<f64>,
    pub(super) answered: Vec<f64>,
    pub(super) abandoned: Vec<f64>,
    /// Are there at that moment.
    pub(super) waiting: Vec<f64>,
    pub(super) with_agents: Vec<f64>,
    pub(super) self_service: Vec<f64>,
}

impl Course {
    fn new() -> Self {
        let zeros = || vec![0.0; POINTS];
        Self {
            came: zeros(),
            answered: zeros(),
            abandoned: zeros(),
            waiting: zeros(),
            with_agents: zeros(),
            self_service: zeros(),
        }
    }

    /// Adds another run's, which counts for `share` of the whole.
    pub(super) fn add(&mut self, other: &Self, share: f64) {
        for (mine, theirs) in [
            (&mut self.came, &other.came),
            (&mut self.answered, &other.answered),
            (&mut self.abandoned, &other.abandoned),
            (&mut self.waiting, &other.waiting),
            (&mut self.with_agents, &other.with_agents),
            (&mut self.self_service, &other.self_service),
        ] {
            for (m, t) in mine.iter_mut().zip(theirs) {
                *m += t * share;
            }
        }
    }
}

impl Default for Course {
    fn default() -> Self {
        Self::new()
    }
}

impl Queue {
    /// Nobody came yet.
    pub(super) fn new() -> Result<Self, SimulateError> {
        Ok(Self {
            came: 0,
            first: 0,
            offered: 0,
            blocked: 0,
            answered: 0,
            abandoned: 0,
            contained: 0,
            promised: 0,
            called_back: 0,
            called_late: 0,
            outside: 0,
            otherwise: 0,
            abandoned_untold: 0,
            hurt: 0,
            hurt_due: 0,
            hurt_in_target: 0,
            hurt_longest: Span::ZERO,
            lost: 0,
            delayed: 0,
            answered_in_target: 0,
            abandoned_after_target: 0,
            waited_answered: 0.0,
            waited_abandoned: 0.0,
            waits: Histogram::new(3).map_err(|_| SimulateError::Histogram)?,
            estimates: Estimates::default(),
            squares: 0.0,
            seconds: 0.0,
        })
    }

    /// One was answered after so long.
    pub(super) fn answer(&mut self, waited: Span, target: Span) {
        self.answered += 1;
        self.answered_in_target += u64::from(waited <= target);
        self.waited_answered += waited.as_secs_f64();
        // It grows as far as it must, which a length of time never is too long for.
        let _ = self.waits.record(waited.0);
    }

    /// So many stood in line for so many seconds.
    pub(super) fn stood(&mut self, waiting: u32, seconds: f64) {
        self.squares += f64::from(waiting).powi(2) * seconds;
        self.seconds += seconds;
    }

    /// One gave up after so long.
    pub(super) fn abandon(&mut self, waited: Span, target: Span) {
        self.abandoned += 1;
        self.abandoned_after_target += u64::from(waited > target);
        self.waited_abandoned += waited.as_secs_f64();
    }

    /// Adds another queue's.
    pub(super) fn add(&mut self, other: &Self) -> Result<(), SimulateError> {
        self.came += other.came;
        self.first += other.first;
        self.offered += other.offered;
        self.blocked += other.blocked;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.contained += other.contained;
        self.promised += other.promised;
        self.called_back += other.called_back;
        self.called_late += other.called_late;
        self.outside += other.outside;
        self.otherwise += other.otherwise;
        self.abandoned_untold += other.abandoned_untold;
        self.hurt += other.hurt;
        self.hurt_due += other.hurt_due;
        self.hurt_in_target += other.hurt_in_target;
        self.hurt_longest = self.hurt_longest.max(other.hurt_longest);
        self.lost += other.lost;
        self.delayed += other.delayed;
        self.answered_in_target += other.answered_in_target;
        self.abandoned_after_target += other.abandoned_after_target;
        self.waited_answered += other.waited_answered;
        self.waited_abandoned += other.waited_abandoned;
        self.waits.add(&other.waits).map_err(|_| SimulateError::Histogram)?;
        self.estimates.add(&other.estimates);
        self.squares += other.squares;
        // The same time for all of them.
        self.seconds = self.seconds.max(other.seconds);
        Ok(())
    }
}

impl Estimates {
    /// One with an estimate waited so long.
    pub(super) fn known(&mut self, waited: Span, estimate: WaitEstimate) {
        let (wait, mean) = (waited.as_secs_f64(), estimate.mean.as_secs_f64());
        self.known += 1;
        self.waited += wait;
        self.estimated += mean;
        self.squares += (mean - wait).powi(2);
        self.within_p80 += u64::from(waited <= estimate.p80);
    }

    fn add(&mut self, other: &Self) {
        self.known += other.known;
        self.unknown += other.unknown;
        self.waited += other.waited;
        self.estimated += other.estimated;
        self.squares += other.squares;
        self.within_p80 += other.within_p80;
    }
}

impl Tally {
    /// An empty one.
    pub(super) fn new(queues: usize, agents: usize) -> Result<Self, SimulateError> {
        Ok(Self {
            queues: (0..queues).map(|_| Queue::new()).collect::<Result<_, _>>()?,
            agents: vec![Worked::default(); agents],
            course: Course::new(),
            switches: 0,
            shared_s: 0.0,
            shared_switches: 0,
            tiers: TierTally::default(),
            came: 0,
            refused: 0,
            first_refusal: None,
        })
    }
}
