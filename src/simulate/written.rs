//! A scenario's own sections as they are written, before anything is checked against the
//! routing part. Field by field in `docs/simulate.md`.
//!
//! The sections of the routing part in the same file are `config`'s to read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::arrivals::Stretch;
use super::chance::{Law, Seconds};
use crate::engine::recall as engine;
use crate::engine::words;

/// Sections that are the simulation's own: all others are the routing part's.
pub(super) const OWN: &[&str] =
    &["title", "about", "routing", "run", "streams", "staff", "recalls", "outside"];

/// A scenario file.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) about: String,
    pub(super) routing: Option<PathBuf>,
    pub(super) run: Run,
    #[serde(default)]
    pub(super) streams: Vec<Stream>,
    #[serde(default)]
    pub(super) staff: Vec<Staff>,
    #[serde(default)]
    pub(super) recalls: Vec<Recall>,
    #[serde(default)]
    pub(super) outside: Outside,
}

/// How numbers outside the router answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outside {
    #[serde(default = "all")]
    pub(super) takes: f64,
    pub(super) after: Option<Law>,
}

impl Default for Outside {
    fn default() -> Self {
        Self { takes: all(), after: None }
    }
}

const fn all() -> f64 {
    1.0
}

/// How long, how often, and what is left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) duration: Seconds,
    #[serde(default = "zero")]
    pub(super) warm_up: Seconds,
    #[serde(default = "a_day")]
    pub(super) drain: Seconds,
    #[serde(default = "ten")]
    pub(super) runs: u32,
    #[serde(default = "one")]
    pub(super) seed: u64,
    pub(super) trunks: Option<u64>,
}

const fn zero() -> Seconds {
    Seconds(0.0)
}
const fn a_day() -> Seconds {
    Seconds(86_400.0)
}
const fn ten() -> u32 {
    10
}
const fn one() -> u64 {
    1
}

/// Contacts of one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) queue: Option<String>,
    pub(super) entry_point: Option<String>,
    pub(super) channel: Channel,
    pub(super) per_hour: Option<f64>,
    #[serde(default)]
    pub(super) arrivals: Vec<Stretch>,
    pub(super) handle: Law,
    pub(super) patience: Option<Law>,
    pub(super) redial: Option<Redial>,
    pub(super) self_service: Option<SelfService>,
    pub(super) callback: Option<Accepting>,
    #[serde(default)]
    pub(super) needs: BTreeMap<String, u8>,
    #[serde(default)]
    pub(super) preferred: BTreeMap<String, u8>,
    pub(super) language: Option<String>,
    pub(super) customers: Option<u64>,
    pub(super) head_start: Option<Seconds>,
    #[serde(default)]
    pub(super) safety: bool,
}

/// Those who gave up or were blocked, and come again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redial {
    pub(super) share: f64,
    pub(super) after: Law,
    #[serde(default = "most_redials")]
    pub(super) most: u32,
}

const fn most_redials() -> u32 {
    10
}

/// What the tiers do for those who enter one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SelfService {
    pub(super) contained: f64,
    pub(super) lasting: Law,
    #[serde(default)]
    pub(super) hurt: f64,
}

/// Who wants to be called back of those who are offered it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accepting {
    pub(super) accept: f64,
}

/// Who works, when and how fast.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Staff {
    pub(super) agents: Option<String>,
    pub(super) pool: Option<String>,
    #[serde(default = "unity")]
    pub(super) speed: f64,
    #[serde(default)]
    pub(super) speeds: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) shifts: Vec<Shift>,
    pub(super) answers_after: Option<Law>,
}

const fn unity() -> f64 {
    1.0
}

/// From when until when somebody works.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shift {
    pub(super) from: Seconds,
    pub(super) until: Option<Seconds>,
}

/// A recall and what is done with it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recall {
    pub(super) playbook: Option<PathBuf>,
    pub(super) plan: Option<Plan>,
    pub(super) start: Seconds,
    pub(super) level: Option<Level>,
    pub(super) free: Option<Free>,
    #[serde(default)]
    pub(super) levels: Vec<LevelAt>,
    pub(super) end: Option<Seconds>,
}

/// Between which levels a recall moves by itself.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Free {
    pub(super) lowest: Option<Level>,
    pub(super) highest: Option<Level>,
}

/// A change of level.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelAt {
    pub(super) at: Seconds,
    pub(super) level: Level,
}

/// What a recall is decided by, without any words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) entry_points: Vec<String>,
    pub(super) faq: Option<Faq>,
    pub(super) ivr: Option<Ivr>,
    pub(super) callback: Option<Callback>,
    pub(super) partner: Option<Partner>,
    pub(super) safety_queue: String,
    pub(super) kept_pool: Option<String>,
    #[serde(default = "two_minutes")]
    pub(super) soon: Seconds,
    /// A number outside that takes calls about safety.
    pub(super) external: Option<String>,
    pub(super) any_agent_after: Option<Seconds>,
    pub(super) external_after: Option<Seconds>,
}

const fn two_minutes() -> Seconds {
    Seconds(120.0)
}

/// The faq tier of a plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Faq {
    pub(super) from: Level,
    pub(super) capacity: u32,
    #[serde(default = "zero")]
    pub(super) pacing: Seconds,
    pub(super) silence: Seconds,
    pub(super) time_limit: Seconds,
}

/// The ivr tier of a plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ivr {
    pub(super) from: Level,
    pub(super) ports: u32,
    pub(super) time_limit: Seconds,
}

/// The callback tier of a plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Callback {
    pub(super) from: Level,
    #[serde(default = "two_minutes")]
    pub(super) offer_after: Seconds,
    pub(super) within: Seconds,
    pub(super) capacity: u32,
    #[serde(default = "half_a_minute")]
    pub(super) accept_within: Seconds,
}

const fn half_a_minute() -> Seconds {
    Seconds(30.0)
}

/// The partners of a plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Partner {
    pub(super) from: Level,
    pub(super) pools: Vec<String>,
    pub(super) lead: Seconds,
    #[serde(default = "all_of_it")]
    pub(super) share: u8,
    #[serde(default)]
    pub(super) capacity: u32,
    #[serde(default = "yes")]
    pub(super) callbacks: bool,
}

const fn all_of_it() -> u8 {
    100
}

const fn yes() -> bool {
    true
}

/// A channel, as configurations call it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Channel {
    Voice,
    Chat,
    Email,
    Message,
}

impl From<Channel> for words::Channel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Voice => Self::Voice,
            Channel::Chat => Self::Chat,
            Channel::Email => Self::Email,
            Channel::Message => Self::Message,
        }
    }
}

/// A level, as playbooks call it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    Normal,
    Tail,
    Elevated,
    Surge,
    Critical,
}

impl From<Level> for engine::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Normal => Self::Normal,
            Level::Tail => Self::Tail,
            Level::Elevated => Self::Elevated,
            Level::Surge => Self::Surge,
            Level::Critical => Self::Critical,
        }
    }
}
