//! What a load test is to do: a scenario file, read and checked.
//!
//! It draws no random numbers and starts nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use surgeline::config::Report;
use thiserror::Error;

use crate::recall::Recall;
use crate::reload::Reload;
use crate::schedule::Segment;

/// Most streams of a kind: beyond, the generator itself is what is measured.
const MOST_STREAMS: usize = 64;

/// Why a scenario cannot be used.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or not this TOML.
    #[error("the scenario is not sound")]
    Syntax(#[from] toml::de::Error),
    /// A value is out of its range.
    #[error("{field}: expected {expected}")]
    Value {
        /// Which.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The recall's tiers cannot be written into a playbook.
    #[error("recall.tiers cannot be written")]
    Tiers(#[source] toml::ser::Error),
    /// What the recall comes to is no playbook.
    #[error("recall: its playbook is not sound\n{0}")]
    Playbook(Box<Report>),
}

/// What rates are in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Contacts a second.
    #[default]
    PerSecond,
    /// Parts of the closed-loop peak that the same run finds; needs `[peak]`.
    OfPeak,
}

/// A channel, as scenarios and configurations call it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the channels")]
pub enum Channel {
    Voice,
    Chat,
    Email,
    Message,
}

/// One kind of contact: a queue of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Names the queue, and the skill that it needs.
    pub name: String,
    /// How it comes.
    pub channel: Channel,
    /// Its part of all arrivals, relative to the other kinds'; above 0, or 0 with a backlog.
    pub share: f64,
    /// So many are there before anything else, brought in as fast as the router takes them.
    #[serde(default)]
    pub backlog: usize,
    /// Customers who are still waiting when nobody comes any more leave. Default no.
    #[serde(default)]
    pub leaves_at_end: bool,
    /// Mean handle time, log-normal with a coefficient of variation of 0.5; 0 for at once.
    #[serde(deserialize_with = "time")]
    pub handle: Duration,
    /// Mean patience until an answer, exponential; absent: nobody leaves.
    #[serde(default, deserialize_with = "some_time")]
    pub patience: Option<Duration>,
    /// How long the legs of a call take to be joined. Default none.
    #[serde(default, deserialize_with = "time")]
    pub connect: Duration,
    /// Work after a contact. Default none.
    #[serde(default, deserialize_with = "time")]
    pub wrap_up: Duration,
}

/// Agents alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What their names begin with.
    pub prefix: String,
    /// How many, from 1.
    pub count: usize,
    /// Names of the kinds that they take; each is a skill.
    pub takes: Vec<String>,
    /// Contacts at once of each channel.
    pub capacity: std::collections::BTreeMap<String, u32>,
}

/// The bare echo and the bare disk sync, measured before the rest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// How long each echo is measured.
    #[serde(deserialize_with = "time")]
    pub lasting: Duration,
    /// How long it runs before that.
    #[serde(deserialize_with = "time")]
    pub warm_up: Duration,
    /// Messages in flight on each stream of the closed-loop echo, 1 to 1,000.
    pub in_flight: usize,
    /// Syncs of the disk, from 1.
    pub disk_syncs: u32,
}

/// A closed loop that finds the peak: one contact ends, one comes, handled at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// How long it is measured.
    #[serde(deserialize_with = "time")]
    pub lasting: Duration,
    /// How long it runs before that.
    #[serde(deserialize_with = "time")]
    pub warm_up: Duration,
    /// Contacts in flight on each gateway's stream, 1 to 1,000.
    pub in_flight: usize,
}

/// All agents' streams are dropped and made again at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconnect {
    /// When, from the beginning of the measured time.
    #[serde(deserialize_with = "time")]
    pub at: Duration,
}

/// A whole scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub about: String,
    /// What chance begins with.
    #[serde(default = "one")]
    pub seed: u64,
    /// How long contacts come, at the first segment's first rate, before anything counts.
    #[serde(deserialize_with = "time")]
    pub warm_up: Duration,
    /// How long contacts may take to end once nobody comes any more.
    #[serde(deserialize_with = "time")]
    pub drain: Duration,
    /// Gateways' streams, a connection each, 1 to 64.
    pub gateways: usize,
    /// Desktop servers' streams, a connection each, 1 to 64; agents are dealt out to them.
    pub desktops: usize,
    /// What rates are in.
    #[serde(default)]
    pub rates: Unit,
    /// The measured arrivals, one segment after the other.
    pub arrivals: Vec<Segment>,
    /// What comes.
    pub mix: Vec<Kind>,
    /// Who serves.
    pub agents: Vec<Group>,
    /// What the machine alone can do.
    pub baseline: Baseline,
    /// Finds the peak first.
    pub peak: Option<Peak>,
    /// Times at which all agents reconnect.
    #[serde(default)]
    pub reconnect: Vec<Reconnect>,
    /// A recall, started and steered while contacts come.
    pub recall: Option<Recall>,
    /// Another configuration again and again.
    pub reload: Option<Reload>,
}

fn one() -> u64 {
    1
}

/// Used by the recall's settings too.
pub(crate) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    let span: jiff::SignedDuration = text.parse().map_err(serde::de::Error::custom)?;
    Duration::try_from(span).map_err(serde::de::Error::custom)
}

fn some_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    time(from).map(Some)
}

/// Used by segments too, whose times are of the same form.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    time(from).map(|t| t.as_secs_f64())
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`ScenarioError`].
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let source = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.into(), source })?;
        Self::parse(&source)
    }

    /// Reads text.
    ///
    /// # Errors
    /// [`ScenarioError::Syntax`] and [`ScenarioError::Value`].
    pub fn parse(source: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(source)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let wrong = |field, expected| Err(ScenarioError::Value { field, expected });
        let flights = [Some(self.baseline.in_flight), self.peak.as_ref().map(|p| p.in_flight)];
        if ![self.gateways, self.desktops].iter().all(|n| (1..=MOST_STREAMS).contains(n)) {
            return wrong("gateways, desktops", "1 to 64 streams of each");
        }
        // The contract allows 1,024 unanswered requests on a stream.
        if flights.into_iter().flatten().any(|n| !(1..=1_000).contains(&n)) {
            return wrong("in_flight", "1 to 1000");
        }
        if self.baseline.disk_syncs == 0 || self.baseline.lasting.is_zero() {
            return wrong("baseline", "some syncs, and some time");
        }
        let comes = |k: &Kind| k.share > 0.0 || k.share == 0.0 && k.backlog > 0;
        if !self.mix.iter().all(comes) || !self.mix.iter().any(|k| k.share > 0.0) {
            return wrong("mix", "at least one kind, each with a share above 0 or a backlog");
        }
        if self.arrivals.is_empty() || self.arrivals.iter().any(|s| !s.is_sound()) {
            return wrong("arrivals", "at least one segment; rates from 0, times above 0");
        }
        if self.rates == Unit::OfPeak && self.peak.is_none() {
            return wrong("peak", "a [peak] section, because rates are of_peak");
        }
        let known = |name: &String| self.mix.iter().any(|k| k.name == *name);
        if self.agents.is_empty() || !self.agents.iter().flat_map(|g| &g.takes).all(known) {
            return wrong("agents", "at least one group, taking kinds of [[mix]]");
        }
        if self.reload.as_ref().is_some_and(|r| r.every.is_zero() || r.until < r.from) {
            return wrong("reload", "some time between two, and until after from");
        }
        self.recall.as_ref().map_or(Ok(()), |recall| recall.check(self))
    }

    /// Every agent's name, in order; those who are kept for safety are the last.
    pub fn agent_names(&self) -> impl Iterator<Item = String> {
        let own = self.agents.iter();
        let own = own.flat_map(|g| (1..=g.count).map(|n| format!("{}-{n:03}", g.prefix)));
        own.chain(self.recall.iter().flat_map(Recall::safety_names))
    }

    /// The gateway by which a contact comes: of this kind, the so manieth of all.
    #[must_use]
    pub fn gateway_of(&self, number: usize, kind: usize) -> usize {
        let apart = self.recall.as_ref().map_or(0, |r| r.apart);
        let others = self.gateways - apart;
        match apart {
            0 => number % self.gateways,
            _ if self.is_recalled(kind) => number % others,
            _ => others + number % apart,
        }
    }

    /// Whether a gateway carries the recalled and nobody else.
    #[must_use]
    pub fn is_for_the_recalled(&self, gateway: usize) -> bool {
        let apart = self.recall.as_ref().map_or(0, |r| r.apart);
        apart > 0 && gateway < self.gateways - apart
    }

    /// The kinds that come one after the other, by their positions; a backlog alone is none.
    pub fn coming(&self) -> impl Iterator<Item = usize> + Clone {
        let kinds = self.mix.iter().enumerate();
        kinds.filter(|(_, kind)| kind.share > 0.0).map(|(at, _)| at)
    }

    /// The kind of which most wait, by its position; the first where nobody does.
    #[must_use]
    pub fn longest_line(&self) -> usize {
        let most = self.mix.iter().map(|k| k.backlog).max();
        self.mix.iter().position(|k| Some(k.backlog) == most).unwrap_or(0)
    }

    /// Whether contacts of a kind, by its position, are in the recall's scope.
    #[must_use]
    pub fn is_recalled(&self, kind: usize) -> bool {
        self.recall.as_ref().is_some_and(|r| r.is_about(&self.mix[kind].name))
    }
}

impl Channel {
    /// As the configuration calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Chat => "chat",
            Self::Email => "email",
            Self::Message => "message",
        }
    }

    pub(crate) const fn is_voice(self) -> bool {
        matches!(self, Self::Voice)
    }
}

impl From<Channel> for surgeline::pb::v1::Channel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Voice => Self::Voice,
            Channel::Chat => Self::Chat,
            Channel::Email => Self::Email,
            Channel::Message => Self::Message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: &str = include_str!("../tests/quick.toml");

    #[test]
    fn the_centre_of_every_scenario_is_sound() {
        let all = [
            QUICK,
            include_str!("../scenarios/steady.toml"),
            include_str!("../scenarios/recall-25x.toml"),
            include_str!("../scenarios/reconnect.toml"),
            include_str!("../scenarios/toggle.toml"),
            include_str!("../scenarios/reload.toml"),
        ];
        for source in all {
            let scenario = Scenario::parse(source).unwrap();
            let centre = surgeline::config::parse("centre", &scenario.centre());
            let routing = centre.unwrap_or_else(|e| panic!("{e}\n{}", scenario.centre())).config;
            let names: Vec<_> = routing.routing.agents.iter().map(|a| a.name.to_string()).collect();
            assert_eq!(names, scenario.agent_names().collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_recalled_come_by_gateways_of_their_own_where_others_are_kept_apart() {
        let toggle = Scenario::parse(include_str!("../scenarios/toggle.toml")).unwrap();
        for (number, kind) in (0..40).zip((0..toggle.mix.len()).cycle()) {
            let gateway = toggle.gateway_of(number, kind);
            assert_eq!(toggle.is_for_the_recalled(gateway), toggle.is_recalled(kind));
        }
        let surge = Scenario::parse(include_str!("../scenarios/recall-25x.toml")).unwrap();
        assert!((0..surge.gateways).all(|gateway| !surge.is_for_the_recalled(gateway)));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_field() {
        let refused = |from: &str, to: &str| {
            let changed = QUICK.replacen(from, to, 1);
            assert_ne!(changed, QUICK, "{from}");
            Scenario::parse(&changed).unwrap_err().to_string()
        };
        assert!(refused("gateways = 2", "gateways = 0").starts_with("gateways"));
        assert!(refused("share = 1.0", "share = 0.0").starts_with("mix"));
        assert!(refused("takes = [\"chat\"", "takes = [\"fax\"").starts_with("agents"));
        assert!(refused("rate = 300.0", "rate = -1.0").starts_with("arrivals"));
        assert!(refused("[peak]", "[beak]").contains("not sound"));
        assert!(refused("about = [\"mail\"]", "about = [\"fax\"]").starts_with("recall.about"));
        assert!(refused("injured = 0.1", "injured = 1.1").starts_with("recall.customers"));
        assert!(refused("level = \"surge\"", "level = \"ended\"").starts_with("recall.level"));
        let faults = refused("floor = 0.6", "flour = 0.6");
        assert!(faults.contains("tiers.faq.flour"), "{faults}");
    }
}
