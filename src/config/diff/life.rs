//! What queues do in the course of a wait, and what they refer to for that: as people read it.
//!
//! Pure, and taken apart field by field, as everything in [`super`].

use super::{Fields, Section, lasting, list, table_of, word};
use crate::engine::callback::{CallbackPolicy, DialMode, DialOutcome, Retry};
use crate::engine::care::{Liveness, LowScore, QueueCare};
use crate::engine::day::{Most, Reason};
use crate::engine::promise::PromiseSettings;
use crate::engine::queue_life::{
    Calendar, External, Fallback, Holiday, Notice, Opening, Overflow, QueueLife, QueueStep, Then,
};
use crate::engine::routing::{Name, Routing};
use crate::engine::sharing::Sharing;
use crate::engine::words::{Channel, Language};
use crate::ids::NoticeId;
use crate::time::Span;

/// Minutes of a day.
const DAY: u16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(super) fn steps(steps: &[QueueStep], r: &Routing) -> String {
    list_of(steps.iter().map(|step| self::step(step, r)))
}

fn step(step: &QueueStep, r: &Routing) -> String {
    let QueueStep {
        after,
        lower_proficiency,
        drop_preferred,
        add_pools,
        raise_priority,
        overflow,
        tell,
    } = step;
    let mut does = vec![format!("after = {}", lasting(*after))];
    if *lower_proficiency > 0 {
        does.push(format!("lower_proficiency = {lower_proficiency}"));
    }
    if *drop_preferred {
        does.push("drop_preferred = true".into());
    }
    if !add_pools.is_empty() {
        let pools = add_pools.iter().map(|p| r.pools.get(p.index()).map_or("?", |p| &p.name));
        does.push(format!("add_pools = {}", list(pools)));
    }
    if *raise_priority > Span::ZERO {
        does.push(format!("raise_priority = {}", lasting(*raise_priority)));
    }
    does.extend(overflow.map(|to| format!("overflow = {}", target(to, r))));
    does.extend(tell.map(|notice| format!("tell = {}", told(notice, r))));
    format!("{{ {} }}", does.join(", "))
}

fn target(to: Overflow, r: &Routing) -> &str {
    match to {
        Overflow::Queue(queue) => r.queue_name(queue),
        Overflow::External(to) => r.externals.get(to.index()).map_or("?", |e| &e.name),
    }
}

fn told(notice: NoticeId, r: &Routing) -> &str {
    r.notices.get(notice.index()).map_or("?", |n| &n.name)
}

pub(super) fn life(life: &QueueLife, r: &Routing) -> Fields {
    let QueueLife { hours, closed, most_waiting, full, updates } = life;
    let calendar = hours.and_then(|id| r.calendars.get(id.index())).map_or("none", |c| &c.name);
    vec![
        ("hours", calendar.to_owned()),
        ("closed", fallback(closed, r)),
        ("most_waiting", most_waiting.to_string()),
        ("full", fallback(full, r)),
        ("updates", lasting(*updates)),
    ]
}

fn fallback(fallback: &Fallback, r: &Routing) -> String {
    let Fallback { tell, then } = fallback;
    let (kind, to) = match then {
        Then::Wait => (0, None),
        Then::Callback => (1, None),
        Then::Overflow(to @ Overflow::Queue(_)) => (2, Some(*to)),
        Then::Overflow(to @ Overflow::External(_)) => (3, Some(*to)),
        Then::Close => (4, None),
    };
    let mut says = vec![format!("then = {}", word(Then::WORDS, Some(kind)))];
    says.extend(to.map(|to| format!("to = {}", target(to, r))));
    says.extend(tell.map(|notice| format!("tell = {}", told(notice, r))));
    format!("{{ {} }}", says.join(", "))
}

pub(super) fn callback(policy: Option<&CallbackPolicy>) -> String {
    let Some(policy) = policy else { return "none".into() };
    let CallbackPolicy { mode, share, per_hour, ring, within, lost_per_minute, retry } = policy;
    let mode = DialMode::ALL.iter().position(|m| m == mode);
    let rows = DialOutcome::ALL.into_iter().zip(retry).filter(|(_, row)| row.most > 0);
    let rows = rows.map(|(outcome, Retry { after, most })| {
        format!("{} = {most} after {}", outcome.name(), lasting(*after))
    });
    let fields = [
        format!("mode = {}", word(DialMode::WORDS, mode)),
        format!("share = {share}"),
        format!("per_hour = {per_hour}"),
        format!("ring = {}", lasting(*ring)),
        format!("within = {}", lasting(*within)),
        format!("lost_per_minute = {lost_per_minute}"),
        format!("retry = {}", list_of(rows)),
    ];
    format!("{{ {} }}", fields.join(", "))
}

pub(super) fn care(care: &QueueCare) -> Fields {
    let QueueCare { keep_place, link, hold_linked, thread, liveness, low_score } = care;
    let liveness = liveness.as_ref().map_or_else(
        || "none".into(),
        |Liveness { after, answer_within, keep }| {
            let [after, within, keep] = [after, answer_within, keep].map(|span| lasting(*span));
            format!("{{ after = {after}, answer_within = {within}, keep = {keep} }}")
        },
    );
    let low_score = low_score.as_ref().map_or_else(
        || "none".into(),
        |LowScore { at_most, within }| {
            format!("{{ at_most = {at_most}, within = {} }}", lasting(*within))
        },
    );
    vec![
        ("keep_place", lasting(*keep_place)),
        ("link_contacts", link.to_string()),
        ("hold_linked", lasting(*hold_linked)),
        ("thread_agent", lasting(*thread)),
        ("liveness", liveness),
        ("low_score", low_score),
    ]
}

pub(super) fn promises(promises: PromiseSettings) -> Fields {
    let PromiseSettings { follow_ups_per_hour, lead } = promises;
    vec![("follow_ups_per_hour", follow_ups_per_hour.to_string()), ("lead", lasting(lead))]
}

pub(super) fn reason(reason: &Reason, _: &Routing) -> (Name, bool, Fields) {
    let Reason { name, retired, limit, most, counts_as } = reason;
    let most = match most {
        None => "none".into(),
        Some(Most::Agents(agents)) => agents.to_string(),
        Some(Most::Share(percent)) => format!("{percent} %"),
    };
    let fields = vec![
        ("limit", limit.map_or_else(|| "none".into(), lasting)),
        ("most_at_once", most),
        ("counts_as", counts_as.map_or("none", |c| c.name()).to_owned()),
    ];
    (name.clone(), *retired, fields)
}

pub(super) fn calendar(calendar: &Calendar, _: &Routing) -> (Name, bool, Fields) {
    let Calendar { name, retired, zone, week, holidays } = calendar;
    let days = week.iter().map(|Opening { from, to }| {
        let day = DAYS.get(usize::from(from / DAY)).copied().unwrap_or("?");
        let midnight = from - from % DAY;
        format!("{day} {}", opening(from - midnight, to - midnight))
    });
    let off = holidays.iter().map(|Holiday { date: (year, month, day), name, open }| {
        let open: Vec<String> = open.iter().map(|o| opening(o.from, o.to)).collect();
        let open = if open.is_empty() { "closed".into() } else { open.join(" ") };
        format!("{year:04}-{month:02}-{day:02} {name}: {open}")
    });
    let fields =
        vec![("zone", zone.to_string()), ("week", list_of(days)), ("holidays", list_of(off))];
    (name.clone(), *retired, fields)
}

fn opening(from: u16, to: u16) -> String {
    let to = if to > DAY { to - DAY } else { to };
    format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
}

pub(super) fn external(external: &External, _: &Routing) -> (Name, bool, Fields) {
    let External { name, retired, numbers } = external;
    let numbers = Channel::ALL.into_iter().filter_map(|c| {
        numbers[c.index()].as_ref().map(|number| format!("{} = {number}", c.name()))
    });
    (name.clone(), *retired, vec![("numbers", table_of(numbers))])
}

pub(super) fn sharing(sharing: &Sharing, r: &Routing) -> (Name, bool, Fields) {
    let Sharing { name, retired, helped, own, pools, ratio, activate, release, reverse } = sharing;
    let pools = pools.iter().map(|p| r.pools.get(p.index()).map_or("?", |p| &p.name));
    let fields = vec![
        ("queue", r.queue_name(*helped).to_owned()),
        ("own", r.queue_name(*own).to_owned()),
        ("pools", list(pools)),
        ("ratio", format!("{:.2}", f64::from(*ratio) / 100.0)),
        ("activate", activate.to_string()),
        ("release", release.to_string()),
        ("reverse", reverse.to_string()),
    ];
    (name.clone(), *retired, fields)
}

pub(super) fn notice(notice: &Notice, _: &Routing) -> (Name, bool, Fields) {
    let Notice { name, retired, texts, version: _ } = notice;
    let texts = texts.iter().map(|(language, text)| format!("{} = {text}", language.as_str()));
    (name.clone(), *retired, vec![("texts", table_of(texts))])
}

/// What chats are asked that fell silent, by language.
pub(super) fn still_there(r: &Routing) -> Fields {
    let tag = |language: &Option<Language>| {
        language.as_ref().map_or_else(|| "default".to_owned(), |l| l.as_str().to_owned())
    };
    let texts = r.still_there.iter().map(|(language, text)| format!("{} = {text}", tag(language)));
    vec![(Section::StillThere.name(), table_of(texts))]
}

fn list_of(of: impl Iterator<Item = String>) -> String {
    format!("[{}]", of.collect::<Vec<_>>().join(", "))
}
