//! Running a scenario: so many runs, on so many threads, and what they came to together.
//!
//! A run is one thread's alone and owes nothing to another: the same seed gives the same
//! figures whatever the number of threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::error::SimulateError;
use super::figures::{Figure, Measure};
use super::scenario::Scenario;
use super::surge::Tiers;
use super::tally::{Course, Queue, Tally, Worked};
use super::world::World;
use crate::engine::routing::{AgentProfile, Routing};

/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// What runs came to.
#[derive(Debug)]
pub struct Outcome {
    /// The scenario's title.
    pub title: String,
    /// What it is about.
    pub about: String,
    /// What chance began with.
    pub seed: u64,
    /// How many runs.
    pub runs: u32,
    /// All queues together first, if there are several; then each that has a stream.
    pub queues: Vec<Scope>,
    /// How busy agents were: pools, then profiles.
    pub occupancy: Vec<Occupancy>,
    /// Changes of level a run; none without a recall.
    pub switches: Option<Figure>,
    /// The part of the time in which something was shared between queues, and how often an hour
    /// that began or ended; none where nothing is ever shared.
    pub sharing: Option<[Figure; 2]>,
    /// What tiers did; empty without a recall.
    pub tiers: Vec<(Tiers, Figure)>,
    /// How it went, the mean over runs.
    pub(super) course: Course,
    /// How long a run lasts, and how much of its beginning is left out, seconds.
    pub duration: f64,
    /// See `duration`.
    pub warm_up: f64,
    /// Contacts simulated.
    pub contacts: u64,
    /// How long it took, seconds.
    pub took: f64,
    /// Commands that the engine refused, and the first refusal.
    pub refused: u64,
    /// See `refused`.
    pub first_refusal: Option<Box<str>>,
}

/// The figures of a queue, or of all.
#[derive(Debug)]
pub struct Scope {
    /// The queue's name; none for all.
    pub queue: Option<Box<str>>,
    /// What there is to say, in the order of [`Measure::ALL`].
    pub figures: Vec<(Measure, Figure)>,
}

impl Scope {
    /// One figure.
    #[must_use]
    pub fn figure(&self, measure: Measure) -> Option<Figure> {
        self.figures.iter().find(|(m, _)| *m == measure).map(|(_, f)| *f)
    }
}

/// How busy some agents were.
#[derive(Debug)]
pub struct Occupancy {
    /// A pool, not a profile.
    pub is_pool: bool,
    /// Which.
    pub name: Box<str>,
    /// How many agents.
    pub agents: usize,
    /// Time with something in hand, wrap-up included, of the time they were there.
    pub busy: Figure,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Runs that have ended.
    pub runs: u32,
    /// Contacts simulated by them.
    pub contacts: u64,
    /// Since it began.
    pub elapsed: Duration,
}

impl Outcome {
    /// The figures of all queues together.
    #[must_use]
    pub fn all(&self) -> Option<&Scope> {
        self.queues.first()
    }

    /// Contacts simulated a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn contacts_a_second(&self) -> f64 {
        self.contacts as f64 / self.took.max(1e-9)
    }
}

/// Runs a scenario on as many threads as the machine has, telling how far it is now and then.
///
/// # Errors
/// What kept a run from being played to its end.
pub fn simulate(
    scenario: &Scenario,
    tell: &mut dyn FnMut(Progress),
) -> Result<Outcome, SimulateError> {
    let begun = Instant::now();
    let runs = scenario.runs();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let (sender, results) = mpsc::channel();
    let mut summaries: Vec<Option<Summary>> = (0..runs).map(|_| None).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(runs as usize) {
            let (sender, next, done) = (sender.clone(), &next, &done);
            scope.spawn(move || {
                while let Ok(run) = u32::try_from(next.fetch_add(1, Ordering::Relaxed)) {
                    if run >= runs {
                        break;
                    }
                    let tally = World::new(scenario, run).and_then(World::play);
                    let summary = tally.and_then(|tally| Summary::of(scenario, &tally));
                    let came = summary.as_ref().map_or(0, |s| s.came);
                    done.fetch_add(came, Ordering::Relaxed);
                    // Who no longer listens has had an error from another run.
                    if sender.send((run, summary)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut ended = 0;
        loop {
            match results.recv_timeout(TOLD_EVERY) {
                Ok((run, summary)) => {
                    ended += 1;
                    match summary {
                        Ok(summary) => summaries[run as usize] = Some(summary),
                        Err(error) => {
                            next.store(runs as usize, Ordering::Relaxed);
                            return Err(error);
                        }
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let contacts = done.load(Ordering::Relaxed);
            tell(Progress { runs: ended, contacts, elapsed: begun.elapsed() });
        }
    })?;
    let summaries: Vec<Summary> = summaries.into_iter().flatten().collect();
    if summaries.len() != runs as usize {
        return Err(SimulateError::Panicked);
    }
    Ok(sum_up(scenario, &summaries, begun.elapsed()))
}

/// What is kept of a run: of waits, only what they come to.
struct Summary {
    /// By queue.
    queues: Vec<Values>,
    all: Values,
    agents: Vec<Worked>,
    course: Course,
    switches: u64,
    shared: [f64; 2],
    tiers: [Option<f64>; Tiers::ALL.len()],
    came: u64,
    refused: u64,
    first_refusal: Option<Box<str>>,
}

/// The measures of one queue in one run, in their order.
type Values = [Option<f64>; Measure::ALL.len()];

impl Summary {
    fn of(scenario: &Scenario, tally: &Tally) -> Result<Self, SimulateError> {
        let values = |queue: &Queue| Measure::ALL.map(|measure| measure.of(queue));
        let mut all = Queue::new()?;
        tally.queues.iter().try_for_each(|queue| all.add(queue))?;
        Ok(Self {
            queues: tally.queues.iter().map(values).collect(),
            all: values(&all),
            agents: tally.agents.clone(),
            course: tally.course.clone(),
            switches: tally.switches,
            shared: shared(tally),
            tiers: Tiers::ALL.map(|figure| figure.of(scenario.wave, &tally.tiers)),
            came: tally.came,
            refused: tally.refused,
            first_refusal: tally.first_refusal.clone(),
        })
    }
}

fn sum_up(scenario: &Scenario, runs: &[Summary], took: Duration) -> Outcome {
    let routing = &scenario.routing;
    let mut queues = Vec::new();
    for (index, queue) in routing.queues.iter().enumerate() {
        // Runs to which nobody came count: nobody is a number.
        if scenario.streams.iter().any(|s| s.queue.index() == index) {
            let of: Vec<&Values> = runs.iter().map(|r| &r.queues[index]).collect();
            queues.push(Scope { queue: Some((&*queue.name).into()), figures: figures(&of) });
        }
    }
    if queues.len() != 1 {
        let all: Vec<&Values> = runs.iter().map(|r| &r.all).collect();
        queues.insert(0, Scope { queue: None, figures: figures(&all) });
    }
    let mut course = Course::default();
    #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
    let share = 1.0 / runs.len() as f64;
    runs.iter().for_each(|r| course.add(&r.course, share));
    #[expect(clippy::cast_precision_loss, reason = "counts of switches")]
    let switches: Vec<f64> = runs.iter().map(|r| r.switches as f64).collect();
    Outcome {
        title: scenario.title.clone(),
        about: scenario.about.clone(),
        seed: scenario.run.seed,
        runs: scenario.run.runs,
        queues,
        occupancy: occupancy(routing, runs),
        switches: Figure::over(&switches).filter(|_| !scenario.orders.is_empty()),
        sharing: sharing(routing, runs),
        tiers: if scenario.orders.is_empty() { Vec::new() } else { tiers(runs) },
        course,
        duration: scenario.run.duration,
        warm_up: scenario.run.warm_up,
        contacts: runs.iter().map(|r| r.came).sum(),
        took: took.as_secs_f64(),
        refused: runs.iter().map(|r| r.refused).sum(),
        first_refusal: runs.iter().find_map(|r| r.first_refusal.clone()),
    }
}

/// The part of the time that was shared, and changes an hour.
#[expect(clippy::cast_precision_loss, reason = "a count of changes")]
fn shared(tally: &Tally) -> [f64; 2] {
    let seconds = tally.queues.iter().map(|q| q.seconds).fold(0.0, f64::max).max(1e-9);
    [tally.shared_s / seconds, tally.shared_switches as f64 / seconds * 3600.0]
}

fn sharing(routing: &Routing, runs: &[Summary]) -> Option<[Figure; 2]> {
    let of = |n: usize| Figure::over(&runs.iter().map(|r| r.shared[n]).collect::<Vec<f64>>());
    let any = routing.sharings.iter().any(|s| !s.retired);
    Some([of(0)?, of(1)?]).filter(|_| any)
}

/// What tiers did in all runs.
fn tiers(runs: &[Summary]) -> Vec<(Tiers, Figure)> {
    let over = |(index, figure): (usize, Tiers)| {
        let values: Vec<f64> = runs.iter().filter_map(|run| run.tiers[index]).collect();
        Some((figure, Figure::over(&values)?))
    };
    Tiers::ALL.into_iter().enumerate().filter_map(over).collect()
}

/// The figures of one queue's runs.
fn figures(runs: &[&Values]) -> Vec<(Measure, Figure)> {
    let over = |(index, measure): (usize, Measure)| {
        let values: Vec<f64> = runs.iter().filter_map(|values| values[index]).collect();
        Some((measure, Figure::over(&values)?))
    };
    Measure::ALL.into_iter().enumerate().filter_map(over).collect()
}

/// Pools in the order of the configuration, then profiles in the order of their first agents.
fn occupancy(routing: &Routing, runs: &[Summary]) -> Vec<Occupancy> {
    let mut groups: Vec<(bool, String, Vec<usize>)> = Vec::new();
    let mut add = |is_pool: bool, name: String, agent: usize| match groups
        .iter_mut()
        .find(|g| g.0 == is_pool && g.1 == name)
    {
        Some(group) => group.2.push(agent),
        None => groups.push((is_pool, name, vec![agent])),
    };
    for (index, agent) in routing.agents.iter().enumerate() {
        let pool = routing.pools.get(agent.pool.index()).map_or("?", |p| &p.name);
        add(true, pool.to_owned(), index);
    }
    for (index, agent) in routing.agents.iter().enumerate() {
        add(false, profile(routing, agent), index);
    }
    let busy = |agents: &[usize]| {
        let run = |t: &Summary| {
            let sum =
                |of: fn(&Worked) -> u64| -> u64 { agents.iter().map(|a| of(&t.agents[*a])).sum() };
            #[expect(clippy::cast_precision_loss, reason = "microseconds of work")]
            let (busy, present) = (sum(|w| w.busy) as f64, sum(|w| w.present) as f64);
            (present > 0.0).then(|| busy / present)
        };
        let values: Vec<f64> = runs.iter().filter_map(run).collect();
        Figure::over(&values)
    };
    let occupied = groups.into_iter().filter_map(|(is_pool, name, agents)| {
        Some(Occupancy { is_pool, busy: busy(&agents)?, agents: agents.len(), name: name.into() })
    });
    occupied.collect()
}

/// What tells agents of one profile from others: pool, skills with proficiency, the primary
/// one starred.
fn profile(routing: &Routing, agent: &AgentProfile) -> String {
    let pool = routing.pools.get(agent.pool.index()).map_or("?", |p| &p.name);
    let mut name = pool.to_owned();
    for (skill, level) in &agent.skills {
        let star = if agent.primary == Some(*skill) { "*" } else { "" };
        let skill = routing.skills.get(skill.index()).map_or("?", |s| &s.name);
        name.push_str(&format!(" {skill}{star}:{level}"));
    }
    name
}
