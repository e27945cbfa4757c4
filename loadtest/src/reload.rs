//! Another configuration again and again, while contacts come: queues, skills and agents come and
//! go, and the queue with the longest line is edited (what it needs, its steps, its pools, its
//! target), so that everybody in it is gone through; and what those who are served meanwhile feel
//! of it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use surgeline::cli::client::{ClientError, connect};
use surgeline::pb::v1::ApplyConfigRequest;
use surgeline::pb::v1::admin_service_client::AdminServiceClient;
use tokio::time::sleep_until;

use crate::book::{Latency, histogram, record};
use crate::centre::Edit;
use crate::error::LoadError;
use crate::scenario::{Scenario, time};
use crate::schedule::micros;
use crate::served::Served;
use crate::shared::Shared;
use crate::stage::Outcome;

/// Names that come and go; a name keeps its id, so that these are all that a router ever has.
const EXTRAS: usize = 3;

/// When, how often and how much.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// The first, from the beginning of the measured time.
    #[serde(deserialize_with = "time")]
    pub from: Duration,
    /// None begins after it.
    #[serde(deserialize_with = "time")]
    pub until: Duration,
    /// Between one and the next.
    #[serde(deserialize_with = "time")]
    pub every: Duration,
    /// Most agents that come and go, beside those who work.
    pub agents: usize,
    /// p99 of reservations meanwhile, over that of the rest of the measured time, at most.
    pub bar: f64,
}

/// One reload, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applied {
    /// Until its answer was read.
    pub(crate) took_us: u64,
    /// Things that it changed.
    pub(crate) changes: usize,
}

/// What reloads came to.
#[derive(Clone, Debug, Serialize)]
pub struct Reloaded {
    /// How many were applied.
    pub applied: usize,
    /// The fewest things that one of them changed.
    pub least_changes: usize,
    /// Until each was acknowledged.
    pub acknowledged_us: Latency,
    /// Reservations at once of contacts that were due before the first and after the last.
    pub calm_us: Latency,
    /// And of those that were due between.
    pub meanwhile_us: Latency,
    /// p99 of the latter over that of the former.
    pub ratio: f64,
    /// What it may be at most.
    pub bar: f64,
    /// Whether it is.
    pub met: bool,
}

impl Scenario {
    /// The configuration of a reload: some more skills, queues and agents, others each time, and
    /// another queue for those who wait: each asks for something else than the one before.
    fn centre_of_reload(&self, reload: &Reload, number: usize) -> String {
        let pools = if number.is_multiple_of(2) { "[\"own\"]" } else { "[\"own\", \"other\"]" };
        let lowered = if number % 4 < 2 { 1 } else { 2 };
        let fields = format!(
            "target = \"{}s\"\npools = {pools}\nsteps = [{{ after = \"1h\", \
             lower_proficiency = {lowered} }}]\n",
            20 + number % 5
        );
        let needs = if number % 4 < 2 { 1 } else { 2 };
        let mut toml = self.centre_with(&Edit { needs, fields });
        let extra = number % EXTRAS;
        toml = toml.replacen("skills = [", &format!("skills = [\"extra-{extra}\", "), 1);
        let agents = 1 + number % reload.agents.max(1);
        // Writing to a String cannot fail.
        let _ = write!(
            toml,
            "\n[[pools]]\nname = \"other\"\n\
             \n[[queues]]\nname = \"extra-{extra}\"\nchannels = [\"chat\"]\nneeds = {{ extra-{extra} = 1 }}\n\
             \n[[agent_groups]]\nprefix = \"extra\"\ncount = {agents}\npool = \"own\"\nskills = {{ extra-{extra} = 3 }}\n",
        );
        toml
    }
}

/// Applies one configuration after the other.
///
/// # Errors
/// [`LoadError::Client`] when the router refuses one.
pub(crate) async fn play(
    shared: Arc<Shared>,
    counts_from: Instant,
) -> Result<Vec<Applied>, LoadError> {
    let Some(reload) = &shared.scenario.reload else { return Ok(Vec::new()) };
    let mut admin = AdminServiceClient::new(connect(&shared.address).await?);
    let (mut at, mut all) = (reload.from, Vec::new());
    while at <= reload.until {
        sleep_until((counts_from + at).into()).await;
        let since = Instant::now();
        let asked = ApplyConfigRequest {
            request_id: format!("{}-reload-{}", shared.run, all.len()),
            actor: "load-test".into(),
            why: "the scenario says so".into(),
            config: shared.scenario.centre_of_reload(reload, all.len()),
        };
        let answer = admin.apply_config(asked).await.map_err(ClientError::from)?.into_inner();
        let changes = answer.preview.map_or(0, |preview| preview.changes.len());
        all.push(Applied { took_us: micros(since.elapsed()), changes });
        at += reload.every;
    }
    Ok(all)
}

impl Reloaded {
    /// # Errors
    /// [`LoadError::Histogram`].
    pub(crate) fn new(scenario: &Scenario, outcome: &Outcome) -> Result<Option<Self>, LoadError> {
        let Some(reload) = &scenario.reload else { return Ok(None) };
        let (calm_us, meanwhile_us) = reservations(reload, &outcome.book.served, scenario.warm_up)?;
        let mut acknowledged = histogram(3)?;
        outcome.reloads.iter().for_each(|one| record(&mut acknowledged, one.took_us));
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
        let ratio = meanwhile_us.p99 as f64 / calm_us.p99.max(1) as f64;
        let measured = calm_us.samples > 0 && meanwhile_us.samples > 0;
        Ok(Some(Self {
            applied: outcome.reloads.len(),
            least_changes: outcome.reloads.iter().map(|one| one.changes).min().unwrap_or(0),
            acknowledged_us: Latency::from(&acknowledged),
            met: measured && ratio <= reload.bar,
            calm_us,
            meanwhile_us,
            ratio,
            bar: reload.bar,
        }))
    }

    /// The lines that tell of it.
    pub(crate) fn figures(&self) -> Vec<(&'static str, String)> {
        let latency = crate::report::text::latency;
        let met = if self.met { "met" } else { "MISSED" };
        vec![
            (
                "reloads",
                format!(
                    "{} applied, each {} changes or more; acknowledged: {}",
                    self.applied,
                    self.least_changes,
                    latency(&self.acknowledged_us)
                ),
            ),
            ("reservation, calm", latency(&self.calm_us)),
            ("reservation, reloads", latency(&self.meanwhile_us)),
            (
                "bar",
                format!(
                    "{met}: reservation p99 {:.2} times that without (at most {:.1})",
                    self.ratio, self.bar
                ),
            ),
        ]
    }
}

/// Reservations without reloads, and with.
fn reservations(
    reload: &Reload,
    served: &Served,
    counts_from: Duration,
) -> Result<(Latency, Latency), LoadError> {
    let (mut calm, mut meanwhile) = (histogram(3)?, histogram(3)?);
    let (from, until) = (counts_from + reload.from, counts_from + reload.until + reload.every);
    for (due_us, us) in &served.reservations {
        if *due_us < micros(counts_from) {
            continue;
        }
        let reloads = (micros(from)..micros(until)).contains(due_us);
        record(if reloads { &mut meanwhile } else { &mut calm }, *us);
    }
    Ok((Latency::from(&calm), Latency::from(&meanwhile)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reload() -> Reload {
        let seconds = Duration::from_secs;
        Reload { from: seconds(10), until: seconds(20), every: seconds(1), agents: 7, bar: 1.5 }
    }

    #[test]
    fn every_configuration_is_sound_and_no_two_in_a_row_are_alike() {
        let scenario = Scenario::parse(include_str!("../tests/quick.toml")).unwrap();
        let of = |number| {
            let text = scenario.centre_of_reload(&reload(), number);
            let parsed = surgeline::config::parse("reload", &text);
            parsed.unwrap_or_else(|e| panic!("{e}\n{text}")).config.routing
        };
        for number in 0..10 {
            let (one, next) = (of(number), of(number + 1));
            assert!(!one.queues[scenario.longest_line()].steps.is_empty());
            assert_ne!(one, next);
            assert!(one.agents.iter().any(|a| &*a.name == "extra-001"));
            let busy = scenario.longest_line();
            let (one, next) = (&one.queues[busy], &next.queues[busy]);
            assert_ne!(one.target, next.target);
            assert_ne!((&one.pools, &one.needs), (&next.pools, &next.needs), "who waits is told");
        }
    }

    #[test]
    fn reservations_are_told_apart_by_when_they_were_due() {
        let mut served = Served::new().unwrap();
        let second = 1_000_000;
        served.reservations = vec![
            (second, 1),
            (6 * second, 20),
            (15 * second, 300),
            (25 * second, 300),
            (26 * second, 20),
            (40 * second, 20),
        ];
        let (calm, meanwhile) = reservations(&reload(), &served, Duration::from_secs(5)).unwrap();
        assert_eq!((calm.samples, meanwhile.samples), (3, 2), "the warm-up is neither");
        assert_eq!((calm.max, meanwhile.max), (20, 300));
    }
}
