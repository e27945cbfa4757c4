//! What a load test is to do: a scenario file, read and checked.
//!
//! A scenario is also the centre that it needs: [`Scenario::centre`] makes the router's
//! configuration from it, so that the two cannot differ. It draws no random numbers and
//! starts nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

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
    /// Its part of all arrivals, relative to the other kinds'; above 0.
    pub share: f64,
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
}

fn one() -> u64 {
    1
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
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
        if self.mix.is_empty() || self.mix.iter().any(|k| k.share.is_nan() || k.share <= 0.0) {
            return wrong("mix", "at least one kind, each with a share above 0");
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
        Ok(())
    }

    /// Every agent's name, in order.
    pub fn agent_names(&self) -> impl Iterator<Item = String> {
        self.agents.iter().flat_map(|g| (1..=g.count).map(|n| format!("{}-{n:03}", g.prefix)))
    }

    /// The router's configuration that this scenario needs, as TOML for `surgeline serve`.
    #[must_use]
    pub fn centre(&self) -> String {
        let quoted = |names: Vec<&str>| format!("{names:?}");
        let skills = quoted(self.mix.iter().map(|k| k.name.as_str()).collect());
        let mut toml = format!(
            "# For surgeline-loadtest, scenario {:?}.\nskills = {skills}\n\n[[pools]]\nname = \"own\"\n",
            self.name
        );
        for kind in &self.mix {
            // Writing to a String cannot fail.
            let _ = write!(
                toml,
                "\n[[queues]]\nname = {0:?}\nchannels = [\"{1}\"]\nneeds = {{ {0:?} = 1 }}\nwrap_up = \"{2}ms\"\n",
                kind.name,
                kind.channel.name(),
                kind.wrap_up.as_millis(),
            );
        }
        for group in &self.agents {
            let table = |entries: Vec<String>| format!("{{ {} }}", entries.join(", "));
            let skills = table(group.takes.iter().map(|t| format!("{t:?} = 3")).collect());
            let capacity =
                table(group.capacity.iter().map(|(c, n)| format!("{c:?} = {n}")).collect());
            let _ = write!(
                toml,
                "\n[[agent_groups]]\nprefix = {:?}\ncount = {}\npool = \"own\"\nskills = {skills}\ncapacity = {capacity}\n",
                group.prefix, group.count,
            );
        }
        toml
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
    }
}
