//! How much comes in, by queue and channel, and what it asks of those at work: the offered load.
//!
//! Counts are kept by events alone, in slots of half a minute; a window is the sum of the
//! newest of them. A load is *certain* as far as chance does not explain the count: three
//! agents and a thousand are judged alike, and no ordinary evening looks like a wave. It reads
//! and decides nothing: [`super::recall::law`] does.

use std::cmp::Reverse;

use super::Engine;
use super::floor::Serving;
use super::recall::Recall;
use super::recall::control::{FULL, RUNGS};
use super::recall::law::{self, Look};
use super::wait_estimate::Behind;
use super::words::{Channel, ServiceClass};
use crate::ids::QueueId;
use crate::time::{EngineTime, Span};

/// Length of one slot.
const SLOT: Span = Span::seconds(30);
/// Slots kept; the newest is not full yet.
pub const SLOTS: usize = 30;
/// Windows over which a load is judged.
///
/// A wave is told from an evening that is merely busy by how it rises: the two of eight and ten
/// minutes are fitted with a line and read at its end, which for a ramp is the best that a count
/// allows (it is the matched filter). Sudden ones show in the shorter ones, and what is slow and
/// steady in the longest. In a center at 0.7, three times the usual shows within 8 minutes of
/// its beginning; 1.3 times the usual, 0.91, shows by chance on one such day in eight. Less of
/// one is more of the other.
const WINDOWS: [Window; 5] = [
    Window { slots: 2, slope: 0.0, deviations: 3.3 },
    Window { slots: 8, slope: AT_ITS_END, deviations: 2.4 },
    Window { slots: 16, slope: AT_ITS_END, deviations: 1.8 },
    Window { slots: 20, slope: AT_ITS_END, deviations: 1.7 },
    Window { slots: 30, slope: 0.0, deviations: 2.5 },
];
/// The slope of weights by which a window tells the end of the line that fits it best.
const AT_ITS_END: f64 = 3.0;
/// What the last three minutes must bear out: a line that is fitted to a step overshoots it by a third,
/// and a center that opens, or comes back after a gap, is a step.
const BORNE_OUT: Window = Window { slots: 6, slope: 0.0, deviations: 0.0 };
/// Standard deviations for the higher rungs, in any window: callbacks and partners cost.
const SURE: f64 = 3.3;
/// The window by which a load is told and a rung is left: 6 minutes.
const LATELY: Window = Window { slots: 12, slope: 0.0, deviations: 0.0 };
/// Standard deviations by which that load must be above to end a calm.
const DOUBT: f64 = 1.0;
/// How long a contact keeps an agent where nothing of its channel is measured yet.
const UNMEASURED: f64 = 300.0;
/// What is taken from elsewhere, that guess or what other queues' contacts of the channel take,
/// is worth as much as so many of a queue's own: the first few to end say little.
const GUESSED: f64 = 30.0;
/// Lines that are looked at for one recall, those of its scope first.
const MOST_LINES: usize = 256;
/// A gateway presses for a recall that has at least this part of whom it carries: what others
/// fill is none of its business, and tiers of its own would not empty it.
const OWN_PART: u32 = 8;
/// A load beyond is told as this one, thousandths.
const MOST_LOAD: f64 = 1_000_000.0;

/// Arrivals of one queue and channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Arrivals {
    /// The slot that ends the window, counted from the router's beginning.
    pub newest: u64,
    /// How many came in it and in those before it.
    pub counts: [u32; SLOTS],
}

impl Arrivals {
    /// Slots up to `now`, those in which nobody came empty.
    fn until(mut self, now: u64) -> Self {
        for _ in 0..now.saturating_sub(self.newest).min(SLOTS as u64) {
            self.counts.rotate_right(1);
            self.counts[0] = 0;
        }
        self.newest = self.newest.max(now);
        self
    }

    /// One more came, so long ago: while the router was away its gateways go on.
    fn count(&mut self, at: EngineTime, ago: Span) {
        *self = self.until(slot(at));
        let back = self.newest - slot(EngineTime(at.0.saturating_sub(ago.0)));
        let then = usize::try_from(back).ok().and_then(|back| self.counts.get_mut(back));
        if let Some(count) = then {
            *count = count.saturating_add(1);
        }
    }
}

const fn slot(at: EngineTime) -> u64 {
    at.0 / SLOT.0
}

/// Arrivals by queue and channel.
#[derive(Debug, Default, Hash)]
pub(crate) struct Inflow(Vec<[Arrivals; 4]>);

impl Inflow {
    /// As an image holds it.
    pub(crate) fn of(arrivals: Vec<[Arrivals; 4]>) -> Self {
        Self(arrivals)
    }

    /// By queue and channel.
    pub(crate) fn all(&self) -> &[[Arrivals; 4]] {
        &self.0
    }

    /// Somebody is in a queue who came so long ago.
    pub(crate) fn arrived(&mut self, at: EngineTime, ago: Span, queue: QueueId, channel: Channel) {
        if self.0.len() <= queue.index() {
            self.0.resize(queue.index() + 1, [Arrivals::default(); 4]);
        }
        self.0[queue.index()][channel.index()].count(at, ago);
    }

    fn get(&self, (queue, channel): (QueueId, Channel), at: EngineTime) -> Arrivals {
        let of = self.0.get(queue.index()).map(|q| q[channel.index()]);
        of.unwrap_or_default().until(slot(at))
    }

    /// Queues and channels into which somebody came within the window, those with most first.
    fn lines(&self, at: EngineTime) -> Vec<(QueueId, Channel)> {
        let queues = (0..self.0.len()).filter_map(|queue| u16::try_from(queue).ok().map(QueueId));
        let lines = queues.flat_map(|queue| Channel::ALL.map(|channel| (queue, channel)));
        let came = |line: (QueueId, Channel)| self.get(line, at).counts.iter().sum::<u32>();
        let mut lines: Vec<_> = lines.map(|l| (came(l), l)).filter(|(n, _)| *n > 0).collect();
        lines.sort_unstable_by_key(|(came, line)| (Reverse(*came), *line));
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

/// A window, and how what came in it is weighed.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// The newest so many slots.
    slots: usize,
    /// From its beginning to its end weights rise from 1 less this to 1 and this.
    slope: f64,
    /// How many standard deviations a count must lie above what the agents take before its load
    /// is certain.
    deviations: f64,
}

/// What comes of one line, as work for the agents who are looked at.
struct Offered {
    arrivals: Arrivals,
    /// Seconds of one of those agents that a contact takes, times the part that they take.
    each: f64,
    /// The same without the part: what one contact takes.
    whole: f64,
    /// How many contacts that was measured of.
    measured: f64,
    letters: bool,
}

/// What is offered to the agents of a scope.
struct Staffed {
    offered: Vec<Offered>,
    agents: f64,
    /// Lines of the scope for whose usual contacts somebody is at work.
    at_work: Vec<(QueueId, Channel)>,
    /// Those for whose usual contacts somebody is idle.
    idle: Vec<(QueueId, Channel)>,
}

/// Work offered in a window, and what is to be had against it.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    /// Seconds of agents.
    offered: f64,
    /// Its variance: of how many come, and of how long one is measured to take.
    variance: f64,
    /// Seconds that the agents have.
    capacity: f64,
}

impl Work {
    /// The load that is above what chance makes of less, in so many standard deviations. The
    /// root of a count spreads by a half, however large it is.
    fn certain(self, deviations: f64) -> f64 {
        if self.offered <= 0.0 || self.capacity <= 0.0 {
            return 0.0;
        }
        let count = self.offered * self.offered / self.variance;
        let least = (count.sqrt() - deviations / 2.0).max(0.0);
        least * least / count * self.offered / self.capacity
    }
}

impl Engine {
    /// What is measured for a recall now.
    #[must_use]
    pub fn look(&self, recall: &Recall, at: EngineTime) -> Look {
        let scope = self.lines_of(recall);
        let staffed = self.staffed(&scope, at);
        let Staffed { offered, agents, .. } = &staffed;
        let wait = self.wait_of(&scope, &staffed, at);
        let owed = self.owed_to(&scope, *agents, at);
        if *agents == 0.0 {
            let load = self.load_on_nobody(&scope, at);
            return Look { wait, load, certain: load, doubtful: load, owed, ..Look::default() };
        }
        let mut look = Look { wait, owed, ..Look::default() };
        // Of one that is longer than the router's life the shorter ones know as much.
        let windows = WINDOWS.iter().filter(|w| w.slots as u64 <= slot(at) + 1);
        for rung in 0..RUNGS {
            let letters = rung == 0;
            let now = work(offered, *agents, BORNE_OUT, letters, at).certain(BORNE_OUT.deviations);
            let certain = |window: &Window| {
                let deviations = if letters { window.deviations } else { SURE };
                let certain = work(offered, *agents, *window, letters, at).certain(deviations);
                if window.slope > 0.0 { certain.min(now) } else { certain }
            };
            let lately = work(offered, *agents, LATELY, letters, at);
            look.certain[rung] = thousandths(windows.clone().map(certain).fold(0.0, f64::max));
            look.load[rung] = thousandths(lately.certain(0.0));
            look.doubtful[rung] = thousandths(lately.certain(DOUBT));
        }
        let connected =
            self.gateways.iter().zip(&self.on_line).filter(|(g, _)| g.session.is_some());
        for (gateway, on_line) in connected {
            let own: u32 = recall.plan.scope.iter().map(|e| on_line.through(*e)).sum();
            if own == 0 || own.saturating_mul(OWN_PART) < on_line.all() {
                continue;
            }
            let ports = law::used(gateway.in_ivr, gateway.limits.ivr_ports);
            look.ports = look.ports.max(ports);
            look.sessions = look.sessions.max(law::used(on_line.all(), gateway.limits.sessions));
        }
        look
    }

    /// Where nobody is at work, whoever comes is more than can be taken.
    fn load_on_nobody(&self, scope: &[(QueueId, Channel)], at: EngineTime) -> [u32; RUNGS] {
        let came = |letters: bool| {
            scope.iter().any(|(queue, channel)| {
                let live = channel.service() == ServiceClass::Live;
                let counts = self.inflow.get((*queue, *channel), at).counts;
                (letters || live) && counts[..LATELY.slots].iter().any(|came| *came > 0)
            })
        };
        std::array::from_fn(|rung| if came(rung == 0) { thousandths(MOST_LOAD) } else { 0 })
    }

    /// The queues and channels of a recall's scope.
    fn lines_of(&self, recall: &Recall) -> Vec<(QueueId, Channel)> {
        let queue = |e| self.routing.entry_point(e).map(|e| e.queue);
        let mut queues: Vec<QueueId> = recall.plan.scope.iter().filter_map(|e| queue(*e)).collect();
        queues.sort_unstable();
        queues.dedup();
        let of = |queue: QueueId| {
            let takes = move |c: &Channel| self.routing.takes(queue, *c);
            Channel::ALL.into_iter().filter(takes).map(move |c| (queue, c))
        };
        queues.into_iter().flat_map(of).take(MOST_LINES).collect()
    }

    /// What comes of every line that shares agents with the scope, and who there is for it.
    fn staffed(&self, scope: &[(QueueId, Channel)], at: EngineTime) -> Staffed {
        let mut lines = scope.to_vec();
        let others = self.inflow.lines(at).into_iter().filter(|l| !scope.contains(l));
        lines.extend(others.take(MOST_LINES.saturating_sub(scope.len())));
        let usual: Vec<_> = lines
            .iter()
            .filter_map(|(queue, channel)| {
                self.routing.queue(*queue).map(|q| (*queue, *channel, q))
            })
            .collect();
        let Serving { agents, all, ours, busy, idle } =
            self.floor.serving(&usual, scope.len(), &self.routing.partners);
        let usually = self.usually(&lines, at);
        let mut offered = Vec::new();
        for (i, (queue, channel, of)) in usual.iter().enumerate() {
            if ours[i] == 0 || all[i] == 0 || agents == 0 {
                continue;
            }
            let (took, measured) = self.took(*queue, *channel, at);
            // So many of them an agent has at once.
            let at_once = f64::from(ours[i]) / f64::from(busy[i].max(1));
            let (all_took, all_measured) = usually[channel.index()];
            let alike = (all_took - took) / (all_measured - measured);
            let whole = (took + alike * GUESSED) / (measured + GUESSED) / at_once;
            offered.push(Offered {
                arrivals: self.inflow.get((*queue, *channel), at),
                each: whole * f64::from(ours[i]) / f64::from(all[i]),
                whole,
                measured: measured + GUESSED,
                letters: channel.service() == ServiceClass::Async && !of.safety,
            });
        }
        let staff = usual.iter().zip(all.iter().zip(idle)).take(scope.len());
        let lines =
            staff.map(|((queue, channel, _), (all, idle))| ((*queue, *channel), *all, idle));
        let at_work = lines.clone().filter(|(_, all, _)| *all > 0).map(|(line, ..)| line).collect();
        let idle = lines.filter(|(_, _, idle)| *idle).map(|(line, ..)| line).collect();
        Staffed { offered, agents: f64::from(agents), at_work, idle }
    }

    /// Seconds that contacts of one line took of agents, and how many they were.
    fn took(&self, queue: QueueId, channel: Channel, at: EngineTime) -> (f64, f64) {
        let work = self.pace.get(queue, channel).work;
        let measured = work.happened(at);
        work.seconds_each(at).map_or((0.0, 0.0), |each| (each * measured, measured))
    }

    /// Seconds that contacts took of agents, and how many they were, by channel, over lines;
    /// the guess among them.
    fn usually(&self, lines: &[(QueueId, Channel)], at: EngineTime) -> [(f64, f64); 4] {
        let mut sums = [(UNMEASURED * GUESSED, GUESSED); 4];
        for (queue, channel) in lines {
            let (took, measured) = self.took(*queue, *channel, at);
            let sum = &mut sums[channel.index()];
            *sum = (sum.0 + took, sum.1 + measured);
        }
        sums
    }

    /// How long the next caller of a scope waits, milliseconds: the worst of its lines counts
    /// most, a line by which hardly anybody comes little. Letters wait for other things.
    fn wait_of(&self, scope: &[(QueueId, Channel)], staffed: &Staffed, at: EngineTime) -> u32 {
        let (mut sum, mut all) = (0.0, 0.0);
        for line in scope.iter().filter(|(_, c)| c.service() == ServiceClass::Live) {
            let came: u32 = self.inflow.get(*line, at).counts.iter().sum();
            let behind = self.wait_behind(line.0, line.1, at).unwrap_or_default();
            let weight = f64::from(came.max(behind.waiting));
            let wait = wait_in(behind, weight, staffed, line);
            // The mean of the fourth powers: half of the arrivals make 0.84 of the worst wait.
            sum += weight * wait.powi(4);
            all += weight;
        }
        let mean = if all > 0.0 { (sum / all).sqrt().sqrt() } else { 0.0 };
        whole(mean * 1e3)
    }

    /// How long all agents of a scope would work on its callbacks that are owed.
    fn owed_to(&self, scope: &[(QueueId, Channel)], agents: f64, at: EngineTime) -> Span {
        let calls = scope.iter().filter(|(_, c)| *c == Channel::Voice);
        let seconds = calls.map(|(queue, channel)| {
            let owed = self.board.of(*queue);
            let open = owed.held + owed.patient + owed.pressing + owed.reserved;
            let each = self.pace.get(*queue, *channel).work.seconds_each(at);
            f64::from(open) * each.unwrap_or(UNMEASURED)
        });
        Span::millis(whole(seconds.sum::<f64>() / agents.max(1.0) * 1e3).into())
    }
}

/// How long the next caller of one line waits, seconds. Whoever asks for what few are asked for
/// waits while others are taken at once: they count as the part that they are, and one alone,
/// whom nobody at work may have the skills for, for nothing. What there is for them are steps
/// and people, not a level.
fn wait_in(behind: Behind, weight: f64, staffed: &Staffed, line: &(QueueId, Channel)) -> f64 {
    let part = |(waiting, wait): (u32, Span)| {
        f64::from(waiting.saturating_sub(1)) / weight.max(1.0) * wait.as_secs_f64()
    };
    let whole = |(_, wait): (u32, Span)| wait.as_secs_f64();
    let apart = staffed.idle.contains(line);
    let served = behind.served.map_or(0.0, |of| if apart { part(of) } else { whole(of) });
    let rare = staffed.at_work.contains(line);
    let unserved = behind.unserved.map_or(0.0, |of| if rare { part(of) } else { whole(of) });
    served.max(unserved)
}

/// What was offered in a window.
fn work(offered: &[Offered], agents: f64, of: Window, letters: bool, at: EngineTime) -> Work {
    let (slot, newest) = (SLOT.as_secs_f64(), Span(at.0 % SLOT.0).as_secs_f64());
    let so_far = Span(at.0.max(1_000_000)).as_secs_f64();
    let window = ((of.slots - 1) as f64 * slot + newest).clamp(1.0, so_far);
    let weight = |i: usize| {
        let age = if i == 0 { newest / 2.0 } else { newest + (i as f64 - 0.5) * slot };
        1.0 + of.slope * (1.0 - 2.0 * age / window)
    };
    let mut work = Work { capacity: agents * window, ..Work::default() };
    for line in offered.iter().filter(|line| letters || !line.letters) {
        let (mut came, mut weighed, mut spread) = (0.0, 0.0, 0.0);
        for (i, count) in line.arrivals.counts[..of.slots].iter().enumerate() {
            let (count, weight) = (f64::from(*count), weight(i));
            came += count;
            weighed += count * weight;
            spread += count * weight * weight;
        }
        work.offered += weighed * line.each;
        let guess = came * line.each;
        work.variance += spread * line.each * line.whole + guess * guess / line.measured;
    }
    work
}

fn thousandths(load: f64) -> u32 {
    whole((load * f64::from(FULL)).min(MOST_LOAD))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturating, not negative"
)]
fn whole(count: f64) -> u32 {
    count.round() as u32
}
