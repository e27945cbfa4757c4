//! The recall of a scenario: what it is about, what is ordered when, how its customers are,
//! and the playbook that comes of it.
//!
//! The playbook is made from the scenario, so that the two cannot differ, and goes to the
//! router as the file that anyone would write. Nothing is ordered here.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use surgeline::pb::v1::RecallLevel;
use surgeline::recall::PlaybookError;

use crate::scenario::{Scenario, ScenarioError, time};

/// What the playbook is called: its file, without the ending.
pub const PLAYBOOK: &str = "load";
/// The queue of the safety lane, its skill, and what its agents' names begin with.
pub const SAFETY: &str = "safety";
/// Most agents that a playbook can keep for safety.
const MOST_SAFETY: usize = 1_024;
/// What is the same in every load test.
const WORDS: &str = include_str!("playbook.toml");
const PRODUCT: &str = "[[scope.products]]\nname = \"kettle-k2\"\nsays = { en = \"K2 kettle\" }\n\n\
                       [[scope.lots]]\nproduct = \"kettle-k2\"\nfirst = \"L2000\"\nlast = \"L4999\"\n";

/// A recall.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// Names of the kinds that it is about. Each comes in at an entry point of its own name.
    pub about: Vec<String>,
    /// The last so many gateways carry only kinds that it is not about, and the others only
    /// those that it is about. Default 0: every gateway carries everything.
    #[serde(default)]
    pub apart: usize,
    /// Agents who are kept for safety, and do nothing else.
    pub safety_agents: usize,
    /// Each level is left free between itself and itself: it stays, and the router looks all the
    /// while whether it should move. Default no.
    #[serde(default)]
    pub free: bool,
    /// How long a text takes to be played on a call.
    #[serde(deserialize_with = "time")]
    pub speaks: Duration,
    /// The playbook's `[tiers]`, as it is.
    pub tiers: toml::Table,
    /// What is ordered, by time: the first starts it, `ended` ends it.
    pub level: Vec<Order>,
    /// How customers are in self-service.
    pub customers: Customers,
    /// What the report holds against what was measured.
    pub bars: Option<Bars>,
}

/// The level is set.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// When, from the beginning of the measured time.
    #[serde(deserialize_with = "time")]
    pub at: Duration,
    /// To what.
    pub level: Level,
}

/// A level, or the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the levels")]
pub enum Level {
    Normal,
    Elevated,
    Surge,
    Critical,
    Tail,
    Ended,
}

impl Level {
    /// Whether a router may be left to hold it; the end is none.
    const fn can_be_free(self) -> bool {
        !matches!(self, Self::Normal | Self::Tail)
    }

    /// Whether whoever is in self-service is given back to the agents.
    pub(crate) const fn gives_back(self) -> bool {
        matches!(self, Self::Normal | Self::Ended)
    }
}

impl From<Level> for RecallLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Normal => Self::Normal,
            Level::Elevated => Self::Elevated,
            Level::Surge => Self::Surge,
            Level::Critical => Self::Critical,
            Level::Tail => Self::Tail,
            Level::Ended => Self::Ended,
        }
    }
}

/// Chances, 0 to 1.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customers {
    /// Somebody was hurt: they write so as they arrive, or press yes in the menu.
    pub injured: f64,
    /// Of those who come in writing: they ask something as they arrive.
    pub writes: f64,
    /// Of those: what they ask has no answer in the playbook.
    #[serde(default)]
    pub vague: f64,
    /// They want a person and nothing else: `0` in the menu, words elsewhere.
    pub insists: f64,
    /// In writing: an answer is what they needed.
    pub accepts: f64,
    /// It is not, and they ask on; all others then ask for a person.
    pub asks_more: f64,
    /// On a call: they check their lot. Others hear an answer.
    pub checks: f64,
    /// After either they have what they came for; others then ask for a person.
    pub hangs_up_informed: f64,
    /// Mean time until they do something about what they heard or read, exponential.
    #[serde(deserialize_with = "time")]
    pub thinks: Duration,
}

impl Customers {
    fn are_sound(&self) -> bool {
        let chances = [
            self.injured,
            self.writes,
            self.vague,
            self.insists,
            self.accepts,
            self.asks_more,
            self.accepts + self.asks_more,
            self.checks,
            self.hangs_up_informed,
        ];
        chances.iter().all(|chance| (0.0..=1.0).contains(chance))
    }
}

/// Bars for the first order and the last.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bars {
    /// Until an order is acknowledged.
    #[serde(deserialize_with = "time")]
    pub acknowledged: Duration,
    /// Until all who waited are in self-service.
    #[serde(deserialize_with = "time")]
    pub moved: Duration,
    /// p99 of the others' reservations while they move, over that of the 10 s before.
    pub others: f64,
}

impl Recall {
    /// Whether contacts of this kind are in its scope.
    #[must_use]
    pub fn is_about(&self, kind: &str) -> bool {
        self.about.iter().any(|name| name == kind)
    }

    pub(crate) fn check(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let wrong = |field, expected| Err(ScenarioError::Value { field, expected });
        let known = |name: &String| scenario.mix.iter().any(|k| k.name == *name);
        if self.about.is_empty() || !self.about.iter().all(known) {
            return wrong("recall.about", "at least one kind of [[mix]]");
        }
        if scenario.mix.iter().any(|k| k.name == SAFETY)
            || scenario.agents.iter().any(|g| g.prefix == SAFETY)
        {
            return wrong("mix, agents", "none called safety: the recall has a queue of that name");
        }
        if self.apart >= scenario.gateways {
            return wrong("recall.apart", "fewer than there are gateways");
        }
        if !(1..=MOST_SAFETY).contains(&self.safety_agents) {
            return wrong("recall.safety_agents", "1 to 1024");
        }
        let in_order = self.level.windows(2).all(|two| two[0].at < two[1].at);
        let ended = self.level.iter().position(|o| o.level == Level::Ended);
        if self.level.is_empty()
            || !in_order
            || ended.is_some_and(|n| n == 0 || n + 1 < self.level.len())
        {
            return wrong("recall.level", "levels by time, ended only as the last");
        }
        if self.free && self.level.iter().any(|o| !o.level.can_be_free()) {
            return wrong("recall.level", "elevated, surge or critical where levels are left free");
        }
        if !self.customers.are_sound() {
            return wrong(
                "recall.customers",
                "chances from 0 to 1; accepts and asks_more at most 1",
            );
        }
        match surgeline::recall::parse("the scenario's playbook", &self.playbook()?, &[]) {
            Ok(_) => Ok(()),
            Err(PlaybookError::Invalid(report)) => Err(ScenarioError::Playbook(report)),
            Err(PlaybookError::Read { path, source }) => {
                Err(ScenarioError::Read { path: path.into(), source })
            }
        }
    }

    /// Names of the agents who are kept for safety.
    pub fn safety_names(&self) -> impl Iterator<Item = String> {
        (1..=self.safety_agents).map(|n| format!("{SAFETY}-{n:03}"))
    }

    /// The playbook's file.
    ///
    /// # Errors
    /// [`ScenarioError::Tiers`] when the tiers are none that TOML can say.
    pub fn playbook(&self) -> Result<String, ScenarioError> {
        let mut tiers = toml::Table::new();
        tiers.insert("tiers".into(), self.tiers.clone().into());
        let tiers = toml::to_string(&tiers).map_err(ScenarioError::Tiers)?;
        let (about, kept): (_, Vec<_>) = (&self.about, self.safety_names().collect());
        Ok(format!(
            "{WORDS}\n[scope]\nentry_points = {about:?}\n\n{PRODUCT}\n\
             [safety]\nqueue = {SAFETY:?}\nagents = {kept:?}\n\n{tiers}"
        ))
    }
}
