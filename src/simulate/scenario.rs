//! A scenario that was checked: whom, what and when the engine is told of in a run.
//!
//! Read from one TOML file: the simulation's own sections here, the routing part by `config`,
//! from the same file or from one that it names. Nothing is drawn or decided here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::arrivals::{self, Part, Stretch};
use super::chance::{Sampler, Seconds};
use super::error::SimulateError;
use super::plans::{self, Order};
use super::surge::{Wave, wave};
use super::written::{self, OWN, Written};
use crate::config;
use crate::engine::routing::Routing;
use crate::engine::words::{Channel, Language, Need, Needs};
use crate::ids::{EntryPointId, QueueId, SkillId};
use crate::time::Span;

/// Longest run, and longest drain after it: ten years.
const MOST_SECONDS: f64 = 10.0 * 365.25 * 86_400.0;
/// Longest head start, as the engine takes it.
const MOST_AHEAD: f64 = 86_400.0;
/// Most runs of a scenario.
const MOST_RUNS: u32 = 10_000;
/// Names listed where one was not found.
const MOST_LISTED: usize = 24;

/// A scenario that can be run.
#[derive(Debug)]
pub struct Scenario {
    /// What people call it.
    pub title: String,
    /// What it is about.
    pub about: String,
    pub(super) routing: Arc<Routing>,
    pub(super) run: Run,
    pub(super) streams: Vec<Stream>,
    /// By agent.
    pub(super) staff: Vec<Staffing>,
    /// What on-call staff do, by time.
    pub(super) orders: Vec<(Span, Order)>,
    /// When the load rises and falls, if it does.
    pub(super) wave: Option<Wave>,
    pub(super) outside: Outside,
}

/// How long, how often, and what is left out; seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) duration: f64,
    pub(super) warm_up: f64,
    pub(super) drain: f64,
    pub(super) runs: u32,
    pub(super) seed: u64,
    pub(super) trunks: Option<u64>,
}

/// Contacts of one kind.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) queue: QueueId,
    pub(super) entry_point: Option<EntryPointId>,
    pub(super) channel: Channel,
    pub(super) arrivals: Vec<Part>,
    pub(super) handle: Sampler,
    pub(super) patience: Option<Sampler>,
    pub(super) redial: Option<Redial>,
    /// What becomes of those whom a tier takes.
    pub(super) self_service: Option<Stay>,
    /// The share that wants to be called back, of those who are offered it.
    pub(super) accepts: f64,
    /// What one of them is on average, seconds of work.
    pub(super) work: f64,
    pub(super) needs: Needs,
    pub(super) preferred: Needs,
    pub(super) language: Option<Language>,
    /// Of how many known customers each contact is of one; 0 for nobody known.
    pub(super) customers: u64,
    pub(super) head_start: Span,
    pub(super) safety: bool,
}

/// What becomes of those whom a tier takes.
#[derive(Debug)]
pub(super) struct Stay {
    /// The share that it does for.
    pub(super) contained: f64,
    /// How long they are in it.
    pub(super) lasting: Sampler,
    /// The share that says there that they are hurt.
    pub(super) hurt: f64,
}

/// How numbers outside answer.
#[derive(Debug)]
pub(super) struct Outside {
    /// The share of those sent there that they take.
    pub(super) takes: f64,
    /// How long it rings until they answer or do not; none for at once.
    pub(super) after: Option<Sampler>,
}

/// Those who come again.
#[derive(Debug)]
pub(super) struct Redial {
    pub(super) share: f64,
    pub(super) after: Sampler,
    pub(super) most: u32,
}

/// How one agent works.
#[derive(Clone, Debug)]
pub(super) struct Staffing {
    pub(super) speed: f64,
    /// Their speed at the work of some queues, where it is another.
    pub(super) speeds: Vec<(QueueId, f64)>,
    /// From when until when, in order; for ever without an end.
    pub(super) shifts: Vec<(Span, Option<Span>)>,
    /// How long until they answer a reservation; none for at once.
    pub(super) answers_after: Option<Arc<Sampler>>,
}

impl Scenario {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// What cannot be read, and what is wrong in it.
    pub fn load(path: &Path) -> Result<Self, SimulateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SimulateError::Read { path: path.into(), source })?;
        let beside = path.parent().unwrap_or(Path::new(""));
        Self::parse(&path.display().to_string(), &text, beside)
    }

    /// Checks a scenario that is at hand. `file` is what errors call it, `beside` the folder
    /// that files which it names are beside.
    ///
    /// # Errors
    /// What is wrong in it, and what cannot be read of what it names.
    pub fn parse(file: &str, text: &str, beside: &Path) -> Result<Self, SimulateError> {
        let written: Written = toml::from_str(text).map_err(|problem| SimulateError::Syntax {
            file: file.into(),
            problem: problem.into(),
        })?;
        let own = config::parse_part(file, text, OWN)?;
        let routing = match &written.routing {
            None => own,
            Some(_) if own != config::parse_part(file, "", OWN)? => {
                let expected = "a file, or the sections of a routing configuration, not both";
                return Err(SimulateError::value("routing", expected));
            }
            Some(path) => config::load(&beside.join(path))?.config.routing,
        };
        let routing = Arc::new(config::merge(None, &routing)?);
        let run = check_run(&written.run)?;
        let names = Names(&routing);
        let streams = (written.streams.iter().enumerate())
            .map(|(index, stream)| check_stream(index, stream, run.duration, names, beside))
            .collect::<Result<Vec<_>, _>>()?;
        if streams.is_empty() {
            return Err(SimulateError::value("streams", "at least one, as [[streams]]"));
        }
        let staff = check_staff(&written.staff, names, beside)?;
        let orders = plans::orders(&written.recalls, names, beside)?;
        let wave = wave(&streams, &staff, &orders, names, run.duration);
        let after = written.outside.after.as_ref();
        let outside = Outside {
            takes: share(written.outside.takes, "outside.takes")?,
            after: after.map(|law| law.sampler("outside.after", beside)).transpose()?,
        };
        let title = if written.title.is_empty() { file.to_owned() } else { written.title };
        Ok(Self {
            title,
            about: written.about,
            routing,
            run,
            streams,
            staff,
            orders,
            wave,
            outside,
        })
    }

    /// Other seeds and another number of runs than the file's.
    ///
    /// # Errors
    /// If so many runs cannot be.
    pub fn with(mut self, seed: Option<u64>, runs: Option<u32>) -> Result<Self, SimulateError> {
        self.run.seed = seed.unwrap_or(self.run.seed);
        self.run.runs = check_runs(runs.unwrap_or(self.run.runs))?;
        Ok(self)
    }

    /// How many runs it takes.
    #[must_use]
    pub fn runs(&self) -> u32 {
        self.run.runs
    }
}

/// The routing part, to find names in.
#[derive(Clone, Copy)]
pub(super) struct Names<'a>(pub(super) &'a Routing);

impl Names<'_> {
    fn find<'n>(
        field: String,
        kind: &'static str,
        name: &str,
        table: impl Iterator<Item = &'n str> + Clone,
    ) -> Result<u16, SimulateError> {
        let position = table.clone().position(|n| n == name);
        position.and_then(|p| u16::try_from(p).ok()).ok_or_else(|| SimulateError::Unknown {
            field: field.into(),
            kind,
            name: name.into(),
            has: table.take(MOST_LISTED).map(Into::into).collect(),
        })
    }

    pub(super) fn queue(self, field: String, name: &str) -> Result<QueueId, SimulateError> {
        Self::find(field, "a queue", name, self.0.queues.iter().map(|q| &*q.name)).map(QueueId)
    }

    pub(super) fn entry_point(
        self,
        field: String,
        name: &str,
    ) -> Result<EntryPointId, SimulateError> {
        let names = self.0.entry_points.iter().map(|e| &*e.name);
        Self::find(field, "an entry point", name, names).map(EntryPointId)
    }

    pub(super) fn pool(self, field: String, name: &str) -> Result<u16, SimulateError> {
        Self::find(field, "a pool", name, self.0.pools.iter().map(|p| &*p.name))
    }

    fn skill(self, field: String, name: &str) -> Result<SkillId, SimulateError> {
        Self::find(field, "a skill", name, self.0.skills.iter().map(|s| &*s.name)).map(SkillId)
    }
}

fn check_runs(runs: u32) -> Result<u32, SimulateError> {
    let sound = (1..=MOST_RUNS).contains(&runs);
    sound.then_some(runs).ok_or_else(|| SimulateError::value("run.runs", "1 to 10,000"))
}

fn check_run(run: &written::Run) -> Result<Run, SimulateError> {
    let (duration, warm_up, drain) = (run.duration.0, run.warm_up.0, run.drain.0);
    if duration <= 0.0 || duration > MOST_SECONDS {
        return Err(SimulateError::value("run.duration", "a duration above zero, up to 10 years"));
    }
    if warm_up >= duration {
        return Err(SimulateError::value("run.warm_up", "a duration below run.duration"));
    }
    if drain > MOST_SECONDS {
        return Err(SimulateError::value("run.drain", "a duration up to 10 years"));
    }
    if run.trunks == Some(0) {
        return Err(SimulateError::value("run.trunks", "1 or more"));
    }
    let (runs, seed, trunks) = (check_runs(run.runs)?, run.seed, run.trunks);
    Ok(Run { duration, warm_up, drain, runs, seed, trunks })
}

fn check_stream(
    index: usize,
    s: &written::Stream,
    duration: f64,
    names: Names<'_>,
    beside: &Path,
) -> Result<Stream, SimulateError> {
    let field = |name: &str| format!("streams[{index}].{name}");
    let bad = |name: &str, expected| SimulateError::value(field(name), expected);
    if s.name.is_empty() {
        return Err(bad("name", "what to call these contacts"));
    }
    let (queue, entry_point) = match (&s.queue, &s.entry_point) {
        (Some(queue), None) => (names.queue(field("queue"), queue)?, None),
        (None, Some(name)) => {
            let id = names.entry_point(field("entry_point"), name)?;
            (names.0.entry_points[id.index()].queue, Some(id))
        }
        _ => return Err(bad("queue", "exactly one of `queue` and `entry_point`")),
    };
    let channel = Channel::from(s.channel);
    if !names.0.takes(queue, channel) {
        return Err(bad("channel", "a channel that its queue takes"));
    }
    let stretches = stretches(s).map_err(|expected| bad("per_hour", expected))?;
    let skills = |name: &str, asked: &BTreeMap<String, u8>| {
        let mut needs = Needs::new();
        for (skill, at_least) in asked {
            let skill = names.skill(field(name), skill)?;
            if !(1..=5).contains(at_least) {
                return Err(bad(name, "proficiencies from 1 to 5"));
            }
            needs.push(Need { skill, at_least: *at_least });
        }
        needs.sort_unstable();
        Ok::<_, SimulateError>(needs)
    };
    let language = s.language.as_deref().map(|tag| {
        Language::of_tag(tag).ok_or_else(|| bad("language", "a language tag such as \"de\""))
    });
    let ahead = s.head_start.map_or(0.0, |seconds| seconds.0);
    if ahead > MOST_AHEAD {
        return Err(bad("head_start", "at most 24 hours"));
    }
    let law = |name: &str, law: &super::chance::Law| law.sampler(&field(name), beside);
    let handle = law("handle", &s.handle)?;
    Ok(Stream {
        queue,
        entry_point,
        channel,
        arrivals: arrivals::parts(&stretches, &field("arrivals"), duration, beside)?,
        work: s.handle.mean(&handle),
        handle,
        patience: s.patience.as_ref().map(|l| law("patience", l)).transpose()?,
        redial: s.redial.as_ref().map(|r| check_redial(r, &field, beside)).transpose()?,
        self_service: s
            .self_service
            .as_ref()
            .map(|t| {
                let contained = share(t.contained, &field("self_service.contained"))?;
                let hurt = share(t.hurt, &field("self_service.hurt"))?;
                let lasting = law("self_service.lasting", &t.lasting)?;
                Ok::<_, SimulateError>(Stay { contained, lasting, hurt })
            })
            .transpose()?,
        accepts: (s.callback.as_ref())
            .map_or(Ok(0.0), |c| share(c.accept, &field("callback.accept")))?,
        needs: skills("needs", &s.needs)?,
        preferred: skills("preferred", &s.preferred)?,
        language: language.transpose()?,
        customers: s.customers.unwrap_or(0),
        head_start: to_span(ahead),
        safety: s.safety,
    })
}

/// What is written of when they come, or what was expected of `per_hour`.
fn stretches(s: &written::Stream) -> Result<Vec<Stretch>, &'static str> {
    match (s.per_hour, s.arrivals.is_empty()) {
        (Some(per_hour), true) if !arrivals::is_rate(per_hour) => Err(arrivals::RATE),
        (Some(per_hour), true) => Ok(vec![Stretch::Constant { per_hour, lasting: None }]),
        (None, false) => Ok(s.arrivals.clone()),
        _ => Err("exactly one of `per_hour` and `arrivals`"),
    }
}

fn check_redial(
    redial: &written::Redial,
    field: &dyn Fn(&str) -> String,
    beside: &Path,
) -> Result<Redial, SimulateError> {
    Ok(Redial {
        share: share(redial.share, &field("redial.share"))?,
        after: redial.after.sampler(&field("redial.after"), beside)?,
        most: redial.most,
    })
}

fn share(share: f64, field: &str) -> Result<f64, SimulateError> {
    let sound = (0.0..=1.0).contains(&share);
    sound.then_some(share).ok_or_else(|| SimulateError::value(field, "a share from 0 to 1"))
}

fn check_staff(
    written: &[written::Staff],
    names: Names<'_>,
    beside: &Path,
) -> Result<Vec<Staffing>, SimulateError> {
    let shifts = vec![(Span::ZERO, None)];
    let always = Staffing { speed: 1.0, speeds: Vec::new(), shifts, answers_after: None };
    let mut staff = vec![always; names.0.agents.len()];
    for (index, s) in written.iter().enumerate() {
        let field = |name: &str| format!("staff[{index}].{name}");
        let staffing = check_staffing(s, names, &field, beside)?;
        let chosen: Vec<usize> = match (&s.agents, &s.pool) {
            (Some(agents), None) => {
                let all = names.0.agents.iter().enumerate();
                all.filter(|(_, a)| is_of(&a.name, agents)).map(|(i, _)| i).collect()
            }
            (None, Some(pool)) => {
                let pool = names.pool(field("pool"), pool)?;
                let all = names.0.agents.iter().enumerate();
                all.filter(|(_, a)| a.pool.0 == pool).map(|(i, _)| i).collect()
            }
            _ => {
                return Err(SimulateError::value(
                    field("agents"),
                    "exactly one of `agents` and `pool`",
                ));
            }
        };
        if chosen.is_empty() {
            let expected = "an agent's name, a group's prefix, or a pool that has agents";
            return Err(SimulateError::value(field("agents"), expected));
        }
        for agent in chosen {
            staff[agent] = staffing.clone();
        }
    }
    Ok(staff)
}

/// Whether an agent is the one named, or of the group with this prefix.
fn is_of(name: &str, agents: &str) -> bool {
    let rest = name.strip_prefix(agents);
    let number = |rest: &str| {
        rest.strip_prefix('-')
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    rest.is_some_and(|rest| rest.is_empty() || number(rest))
}

fn check_staffing(
    s: &written::Staff,
    names: Names<'_>,
    field: &dyn Fn(&str) -> String,
    beside: &Path,
) -> Result<Staffing, SimulateError> {
    let sound = |speed: f64, at: &str| match (0.01..=100.0).contains(&speed) {
        true => Ok(speed),
        false => Err(SimulateError::value(field(at), "a factor from 0.01 to 100")),
    };
    let speed = sound(s.speed, "speed")?;
    let at = |(queue, speed): (&String, &f64)| {
        let id = names.queue(field("speeds"), queue)?;
        Ok((id, sound(*speed, &format!("speeds.{queue}"))?))
    };
    let speeds = s.speeds.iter().map(at).collect::<Result<Vec<_>, SimulateError>>()?;
    let mut shifts = Vec::new();
    let mut free_from = Some(Span::ZERO);
    for shift in &s.shifts {
        let (from, until) = (span(shift.from), shift.until.map(span));
        let expected = "shifts in order of time, each ending after it begins";
        let sound = free_from.is_some_and(|free| from >= free) && until.is_none_or(|u| u > from);
        if !sound {
            return Err(SimulateError::value(field("shifts"), expected));
        }
        free_from = until;
        shifts.push((from, until));
    }
    if shifts.is_empty() {
        shifts.push((Span::ZERO, None));
    }
    let after = s.answers_after.as_ref();
    let after = after.map(|l| l.sampler(&field("answers_after"), beside)).transpose()?;
    Ok(Staffing { speed, speeds, shifts, answers_after: after.map(Arc::new) })
}

/// A written length as the engine's.
pub(super) fn span(seconds: Seconds) -> Span {
    to_span(seconds.0)
}

/// Seconds as the engine's microseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and no length is negative"
)]
pub(super) fn to_span(seconds: f64) -> Span {
    Span((seconds * 1e6).round() as u64)
}
