//! What on-call staff do in a scenario: recalls by playbook, or by a plan without words.
//!
//! A playbook's slots need no words here: nobody reads them. The engine's own plan comes out.

use std::path::Path;
use std::sync::Arc;

use super::chance::Seconds;
use super::error::SimulateError;
use super::scenario::{Names, span};
use super::written;
use crate::engine::recall::control::Within;
use crate::engine::recall::{
    CallbackTier, Choice, FaqPlan, IvrPlan, LatePlan, Level, MOST_LASTING, Outside, PartnerTier,
    Plan, SafetyPlan,
};
use crate::ids::{AgentId, ExternalId, PoolId};
use crate::recall::{self, Fill, Source};
use crate::time::Span;

/// What fills a slot of a playbook: words that nobody reads.
const FILLED: &str = "simulated";
/// The keys of a plan without words.
const YES: u8 = b'1';
const NO: u8 = b'2';
const FAQ: u8 = b'1';

/// Something that on-call staff do.
#[derive(Clone, Debug)]
pub(super) enum Order {
    /// Put this in force, as the scenario's recall of this number.
    Start { recall: usize, plan: Arc<Plan>, level: Level, free: Option<Within>, lasting: Span },
    /// Set its level.
    Level { recall: usize, level: Level },
    /// End it.
    End { recall: usize },
}

/// What is done, by time.
pub(super) fn orders(
    recalls: &[written::Recall],
    names: Names<'_>,
    beside: &Path,
) -> Result<Vec<(Span, Order)>, SimulateError> {
    let mut orders = Vec::new();
    for (recall, written) in recalls.iter().enumerate() {
        let field = |name: &str| format!("recalls[{recall}].{name}");
        let plan = match (&written.playbook, &written.plan) {
            (Some(path), None) => from_playbook(recall, &beside.join(path), names)?,
            (None, Some(plan)) => from_plan(plan, names, &field)?,
            _ => {
                let expected = "exactly one of `playbook` and `plan`";
                return Err(SimulateError::value(field("playbook"), expected));
            }
        };
        let (level, free) = begins(written, &field)?;
        let (plan, lasting) = (Arc::new(plan), MOST_LASTING);
        let start = Order::Start { recall, plan, level, free, lasting };
        orders.push((span(written.start), start));
        for change in &written.levels {
            let order = Order::Level { recall, level: change.level.into() };
            orders.push((after(change.at, written.start, &field("levels"))?, order));
        }
        if let Some(end) = written.end {
            orders.push((after(end, written.start, &field("end"))?, Order::End { recall }));
        }
    }
    orders.sort_by_key(|(at, _)| *at);
    Ok(orders)
}

/// Where a recall begins, and between which levels it moves by itself from there.
fn begins(
    written: &written::Recall,
    field: &dyn Fn(&str) -> String,
) -> Result<(Level, Option<Within>), SimulateError> {
    match (written.level, written.free) {
        (Some(level), None) => Ok((level.into(), None)),
        (None, Some(free)) if written.levels.is_empty() => {
            let (lowest, highest) = (free.lowest.map(Into::into), free.highest.map(Into::into));
            Ok((lowest.unwrap_or(Level::Normal), Some(Within { lowest, highest })))
        }
        (None, Some(_)) => {
            let expected = "none where `free` has the recall move by itself";
            Err(SimulateError::value(field("levels"), expected))
        }
        _ => Err(SimulateError::value(field("level"), "exactly one of `level` and `free`")),
    }
}

fn after(at: Seconds, start: Seconds, field: &str) -> Result<Span, SimulateError> {
    if at.0 > start.0 {
        return Ok(span(at));
    }
    Err(SimulateError::value(field, "times after the recall's `start`"))
}

fn from_playbook(index: usize, path: &Path, names: Names<'_>) -> Result<Plan, SimulateError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SimulateError::Read { path: path.into(), source })?;
    let source = Source { file: path.display().to_string().into(), text: text.into() };
    let open = source.parse(&[])?.playbook.open_slots;
    let fill = |slot: &recall::Slot| Fill { slot: *slot, language: None, text: FILLED };
    let fills: Vec<Fill<'_>> = open.iter().map(fill).collect();
    let playbook = source.parse(&fills)?.playbook;
    recall::plan(&playbook, names.0).map_err(|source| SimulateError::Plan { index, source })
}

fn from_plan(
    plan: &written::Plan,
    names: Names<'_>,
    field: &dyn Fn(&str) -> String,
) -> Result<Plan, SimulateError> {
    let at = |name: &str| field(&format!("plan.{name}"));
    let mut scope = Vec::new();
    for name in &plan.entry_points {
        scope.push(names.entry_point(at("entry_points"), name)?);
    }
    scope.sort_unstable();
    scope.dedup();
    let kept_pool =
        plan.kept_pool.as_deref().map(|name| names.pool(at("kept_pool"), name)).transpose()?;
    let kept = (0u32..).map(AgentId).zip(&names.0.agents);
    let kept = kept.filter(|(_, a)| kept_pool == Some(a.pool.0)).map(|(id, _)| id).collect();
    let faq = plan.faq.as_ref().map(|t| FaqPlan {
        from: t.from.into(),
        capacity: t.capacity,
        pacing: [span(t.pacing); 4],
        silence: [span(t.silence); 4],
        time_limit: [span(t.time_limit); 4],
        entries: 1,
    });
    let ivr = plan.ivr.as_ref().map(|t| IvrPlan {
        from: t.from.into(),
        ports: t.ports,
        time_limit: span(t.time_limit),
        repeats: 1,
        key_timeout: Span::seconds(5),
        yes: YES,
        no: NO,
        options: [(FAQ, Choice::Faq(0))].into_iter().collect(),
    });
    Ok(Plan {
        title: Arc::from("simulated"),
        version: [0; 32],
        playbook: Arc::from([]),
        scope,
        faq,
        ivr,
        callback: plan.callback.as_ref().map(callback),
        partner: plan.partner.as_ref().map(|t| partner(t, names, &at)).transpose()?,
        safety: SafetyPlan {
            queue: names.queue(at("safety_queue"), &plan.safety_queue)?,
            kept,
            external: plan.external.as_deref().map(|to| outside(to, names)),
            late: late(plan),
        },
        soon: span(plan.soon),
        control: None,
    })
}

fn callback(t: &written::Callback) -> CallbackTier {
    CallbackTier {
        from: t.from.into(),
        offer_after: span(t.offer_after),
        within: span(t.within),
        capacity: t.capacity,
        accept_within: span(t.accept_within),
    }
}

fn partner(
    t: &written::Partner,
    names: Names<'_>,
    at: &dyn Fn(&str) -> String,
) -> Result<PartnerTier, SimulateError> {
    if !(1..=100).contains(&t.share) {
        return Err(SimulateError::value(at("partner.share"), "1 to 100, per cent"));
    }
    let mut pools = Vec::new();
    for name in &t.pools {
        pools.push(PoolId(names.pool(at("partner.pools"), name)?));
    }
    pools.sort_unstable();
    pools.dedup();
    Ok(PartnerTier {
        from: t.from.into(),
        pools: pools.into(),
        lead: span(t.lead),
        share: t.share,
        capacity: t.capacity,
        channels: [true; 4],
        callbacks: t.callbacks,
    })
}

/// One of the routing part's numbers outside by its name, or a telephone number.
fn outside(to: &str, names: Names<'_>) -> Outside {
    let known = names.0.externals.iter().position(|e| &*e.name == to);
    match known.and_then(|at| u16::try_from(at).ok()) {
        Some(at) => Outside::Named(ExternalId(at)),
        None => Outside::Number(to.into()),
    }
}

/// What is done for safety contacts that nobody answers.
fn late(plan: &written::Plan) -> LatePlan {
    let default = LatePlan::default();
    let of = |written: Option<Seconds>, default| written.map_or(default, span);
    let any_agent = of(plan.any_agent_after, default.any_agent);
    let external = of(plan.external_after, Span(2 * any_agent.0));
    LatePlan { any_agent, external, page: external, repeat: default.repeat }
}
