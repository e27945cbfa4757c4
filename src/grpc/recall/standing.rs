//! How a recall stands, as it is told: read from the replica, at one durable moment.

use super::unix_ms;
use crate::engine::entry::Role;
use crate::engine::recall::control::{Bounds, Control, Reading, Within};
use crate::engine::recall::{Gate, Level, Paged, Partners, Recall, Tier, law};
use crate::engine::words::Channel;
use crate::pb::v1;
use crate::shard::view::{Brought, View};
use crate::time::{EngineTime, Span};

/// Where an order brings a recall.
#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    /// To a level, and it stays there.
    Pinned(Level),
    /// Between bounds.
    Free(Within),
    /// To its end.
    End,
}

/// What a dry run would have come to.
pub(super) struct Ordered {
    /// Where to.
    pub(super) to: To,
    /// Who asks.
    pub(super) by: String,
    /// Why they say they do.
    pub(super) why: String,
}

/// How a recall stands, without how many are still to be moved: that is a walk over all who
/// wait. With `ordered` it is told as it would be.
pub(super) fn status(
    view: &View<'_>,
    recall: &Recall,
    ordered: Option<&Ordered>,
) -> v1::RecallStatus {
    let now = unix_ms();
    let mut status = v1::RecallStatus {
        recall_id: recall.id.0.into(),
        playbook: recall.plan.title.to_string(),
        playbook_hash: crate::recall::Version(recall.plan.version).to_string(),
        level: (if recall.over { v1::RecallLevel::Ended } else { level(recall.level) }).into(),
        pinned: recall.control.is_none(),
        bounds: recall.control.map(|control| bounds(control.bounds)),
        // What was counted knows better, but no longer knows what was over long ago.
        since_unix_ms: wall(view, now, recall.since),
        by: String::new(),
        why: String::new(),
        started_unix_ms: wall(view, now, recall.started),
        expires_unix_ms: wall(view, now, recall.expires),
        moving: None,
        tiers: tiers(view, now, recall, |tier| recall.is_open(tier)),
        safety_agents: u32::try_from(view.engine.safety_agents(&recall.plan)).unwrap_or(u32::MAX),
        control: recall.control.map(|control| moves(view, recall, &control, now)),
        safety: Some(safety(view, now, recall)),
    };
    if let Some(known) = view.statistics.recall(recall.id) {
        status.started_unix_ms = known.started.wall.0;
        status.since_unix_ms = known.now.wall.0;
        (status.by, status.why) = brought(&known.now);
    }
    if let Some(ordered) = ordered {
        let free = |within: Within| within.or(recall.plan.control().bounds);
        let (to, between) = match ordered.to {
            To::Pinned(level) => (Some(level), None),
            To::Free(within) => (Some(free(within).nearest(recall.level)), Some(free(within))),
            To::End => (None, None),
        };
        status.level = to.map_or(v1::RecallLevel::Ended, level).into();
        (status.pinned, status.bounds) = (between.is_none(), between.map(bounds));
        status.control = status.control.filter(|_| between.is_some());
        status.since_unix_ms = now;
        status.by.clone_from(&ordered.by);
        status.why.clone_from(&ordered.why);
        let opens = |tier| {
            let from = recall.plan.tier(tier).map(|(from, _)| from);
            to.zip(from).is_some_and(|(at, from)| at.opens(from))
        };
        status.tiers = tiers(view, now, recall, opens);
    }
    status
}

/// How those who are hurt and wait are got to a person.
fn safety(view: &View<'_>, now: u64, recall: &Recall) -> v1::SafetyStatus {
    let (plan, alarm) = (&recall.plan.safety, &recall.alarm);
    let seconds = |span: Span| u32::try_from(span.as_millis() / 1_000).unwrap_or(u32::MAX);
    let external = view.engine.outside(plan, Channel::Voice);
    v1::SafetyStatus {
        external: external.map(|(_, number)| number.to_owned()).unwrap_or_default(),
        any_agent_after_s: seconds(plan.late.any_agent),
        external_after_s: seconds(plan.late.external),
        page_after_s: seconds(plan.late.page),
        waiting_late: view.engine.late_in(recall.id),
        late_since_unix_ms: alarm.since.map(|since| wall(view, now, since)),
        pages: alarm.pages,
        pages_pending: u32::try_from(alarm.pending.len()).unwrap_or(u32::MAX),
        pages_failed: alarm.failed,
        last_page: alarm.last.map(Paged::name).unwrap_or_default().to_owned(),
    }
}

/// Who brought a recall to where it is, and why.
fn brought(by: &Brought) -> (String, String) {
    if by.by.role == Role::Router {
        let why = by.why.as_deref().unwrap_or("its time was up");
        return ("router".to_owned(), why.to_owned());
    }
    (by.by.name.to_string(), by.why.as_deref().unwrap_or_default().to_owned())
}

fn bounds(of: Bounds) -> v1::LevelBounds {
    v1::LevelBounds { lowest: level(of.lowest).into(), highest: level(of.highest).into() }
}

/// How a free level moves, as it is measured at this moment.
fn moves(view: &View<'_>, recall: &Recall, control: &Control, now: u64) -> v1::ControlStatus {
    let plan = recall.plan.control();
    let look = view.engine.look(recall, view.now);
    let above = law::above(recall.level, control.bounds);
    let rung = above.or(law::rung_of(recall.level)).unwrap_or(0);
    let measured = |(r, release): (Reading, Reading)| v1::Measured {
        name: r.of.name().to_owned(),
        value: r.value,
        threshold: r.threshold,
        presses: r.value > r.threshold,
        release: release.threshold,
    };
    // The bottom has no rung, and is left by the thresholds of the first.
    let own = law::rung_of(recall.level).unwrap_or(0);
    let readings = look.readings(&plan, rung).into_iter().zip(look.releases(&plan, own));
    let mut status = v1::ControlStatus {
        measures: readings.map(measured).collect(),
        owed_ms: look.owed.as_millis(),
        load: look.load[rung],
        ..v1::ControlStatus::default()
    };
    if let Some(next) = law::next(&plan, recall.level, control) {
        status.next = level(next.to).into();
        status.next_unix_ms = wall(view, now, next.due);
        status.since_unix_ms = wall(view, now, next.since);
        status.because = match next.by {
            Some(by) => look.presses(&plan, rung).unwrap_or(by).to_string(),
            None => "nothing presses".to_owned(),
        };
    }
    status
}

fn tiers(
    view: &View<'_>,
    now: u64,
    recall: &Recall,
    is_open: impl Fn(Tier) -> bool,
) -> Vec<v1::TierStatus> {
    let told = |tier: Tier| {
        let (from, capacity) = recall.plan.tier(tier)?;
        let counts = &recall.tiers[tier.index()];
        let gate = recall.breakers[tier.index()].gate();
        let partners = (tier == Tier::Partner).then_some(recall.partners);
        let word = match tier {
            Tier::Faq => v1::Tier::Faq,
            Tier::Ivr => v1::Tier::Ivr,
            Tier::Callback => v1::Tier::Callback,
            Tier::Partner => v1::Tier::Partner,
        };
        Some(v1::TierStatus {
            tier: word.into(),
            open: is_open(tier),
            in_use: counts.in_use.into(),
            capacity: if capacity == u32::MAX { 0 } else { capacity.into() },
            entered: counts.entered,
            returned: counts.returned,
            solved: counts.solved,
            informed: counts.informed,
            followed_up: counts.followed_up,
            left: counts.left,
            from: level(from).into(),
            breaker: gate.name().to_owned(),
            tries_again_unix_ms: match gate {
                Gate::Open { until } => wall(view, now, until),
                Gate::Closed | Gate::Trying { .. } => 0,
            },
            partners: partners.map_or_else(String::new, |p| p.name().to_owned()),
            joins_unix_ms: match partners {
                Some(Partners::Called { joins }) => wall(view, now, joins),
                _ => 0,
            },
            offers: match tier {
                Tier::Callback => view.engine.offers_out(recall.id).into(),
                _ => 0,
            },
        })
    };
    Tier::ALL.into_iter().filter_map(told).collect()
}

const fn level(level: Level) -> v1::RecallLevel {
    match level {
        Level::Normal => v1::RecallLevel::Normal,
        Level::Tail => v1::RecallLevel::Tail,
        Level::Elevated => v1::RecallLevel::Elevated,
        Level::Surge => v1::RecallLevel::Surge,
        Level::Critical => v1::RecallLevel::Critical,
    }
}

/// A moment of the engine's on the wall's clock, by how far from now it is.
fn wall(view: &View<'_>, unix_ms: u64, at: EngineTime) -> u64 {
    if at >= view.now {
        unix_ms.saturating_add(at.since(view.now).as_millis())
    } else {
        unix_ms.saturating_sub(view.now.since(at).as_millis())
    }
}
