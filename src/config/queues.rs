//! `[[queues]]`: where contacts of a kind wait, and what they are owed there.
//!
//! Owned by one reading of one file. What is not said follows from the queue's channels,
//! as a call does not wait like a letter.

use smallvec::SmallVec;

use super::callback;
use super::care;
use super::names::Names;
use super::problem::{Expected, Kind};
use super::queue_life;
use super::reader::{Table, Value};
use crate::engine::policy::{AgentChoice, LanguageRule, QueuePolicy};
use crate::engine::routing::{Name, Queue};
use crate::engine::words::{Channel, Need, Needs, ServiceClass};
use crate::ids::{PoolId, SkillId};
use crate::time::Span;

/// Most queues of a router.
const MOST: usize = 4_096;
/// The words for channels, in the order of [`Channel::index`].
pub(super) const CHANNELS: &[&str] =
    &[Channel::Voice.name(), Channel::Chat.name(), Channel::Email.name(), Channel::Message.name()];
/// Lowest and highest proficiency.
pub(super) const PROFICIENCY: (i64, i64) = (1, 5);

/// Lowest and highest weight of a queue against others.
const WEIGHT: (i64, i64) = (1, 100);

const SECOND: Span = Span::seconds(1);
const FIVE_MINUTES: Span = Span::seconds(300);
const TEN_MINUTES: Span = Span::seconds(600);
const HOUR: Span = Span::seconds(3_600);
const DAY: Span = Span::seconds(86_400);
const WEEK: Span = Span::seconds(7 * 86_400);

/// What a queue is owed when it does not say, by its most urgent channel.
struct Defaults {
    target: Span,
    reservation_timeout: Span,
    wrap_up: Span,
}

fn defaults(channels: [bool; 4]) -> Defaults {
    let seconds = |target, reservation, wrap_up| Defaults {
        target: Span::seconds(target),
        reservation_timeout: Span::seconds(reservation),
        wrap_up: Span::seconds(wrap_up),
    };
    match Channel::ALL.into_iter().find(|c| channels[c.index()]) {
        Some(Channel::Voice) | None => seconds(20, 20, 30),
        Some(Channel::Chat) => seconds(30, 20, 15),
        Some(Channel::Message) => seconds(900, 60, 0),
        // Messages are sooner due than letters, though letters come first by index.
        Some(Channel::Email) if channels[Channel::Message.index()] => seconds(900, 60, 0),
        Some(Channel::Email) => seconds(14_400, 60, 0),
    }
}

/// Reads the section.
pub(super) fn read(
    values: &[Value<'_>],
    skills: &Names,
    known: queue_life::Known<'_>,
) -> (Names, Vec<Queue>) {
    let mut names = Names::new(Kind::Queue, MOST);
    let mut queues = Vec::new();
    for value in values {
        let queue =
            value.table("queues", "a queue's fields", |t| read_one(t, &mut names, skills, known));
        queues.extend(queue.flatten());
    }
    (names, queues)
}

/// The names that the section will have, for those that refer to queues further down. What is
/// wrong with them is said when they are read.
pub(super) fn foresee(values: &[Value<'_>]) -> Names {
    let name =
        |v: &Value<'_>| Some(Name::from(v.value.as_table()?.get("name")?.get_ref().as_str()?));
    Names::foreseen(Kind::Queue, values.iter().filter_map(|v| Some((name(v)?, v.span.clone()))))
}

fn read_one(
    table: &Table<'_>,
    names: &mut Names,
    skills: &Names,
    known: queue_life::Known<'_>,
) -> Option<Queue> {
    let name_at = table.required("name", Expected::Name);
    let channels = read_channels(table);
    let default = defaults(channels);
    // Nobody waits on the line while an agent looks at a letter.
    let live =
        Channel::ALL.into_iter().any(|c| channels[c.index()] && c.service() == ServiceClass::Live);
    let longest_reservation = if live { TEN_MINUTES } else { DAY };
    let queue = Queue {
        name: Name::from(""),
        retired: false,
        needs: read_needs(table, "needs", skills),
        pools: read_pools(table, known.pools),
        channels,
        safety: table.field("safety").and_then(|v| v.boolean()).unwrap_or(false),
        target: table.duration("target", default.target, (SECOND, WEEK)),
        head_start: table.duration("head_start", Span::ZERO, (Span::ZERO, DAY)),
        reservation_timeout: table.duration(
            "reservation_timeout",
            default.reservation_timeout,
            (SECOND, longest_reservation),
        ),
        connect_timeout: table.duration(
            "connect_timeout",
            Span::seconds(30),
            (SECOND, FIVE_MINUTES),
        ),
        wrap_up: table.duration("wrap_up", default.wrap_up, (Span::ZERO, HOUR)),
        wrap_up_most: table.duration("wrap_up_most", Span::ZERO, (Span::ZERO, HOUR)),
        policy: read_policy(table, skills),
        steps: queue_life::read_steps(table, known),
        life: queue_life::read_life(table, known),
        callback: callback::read(table),
        care: care::read(table),
    };
    let at = name_at?;
    let name = at.name()?;
    names.add(&at, &name).then_some(Queue { name, ..queue })
}

fn read_channels(table: &Table<'_>) -> [bool; 4] {
    const EXPECTED: Expected =
        Expected::List("channels, at least one of voice, chat, email, message");
    let mut channels = [false; 4];
    let Some(at) = table.required("channels", EXPECTED) else { return channels };
    let listed = at.list("channels");
    if listed.is_empty() && at.value.is_array() {
        at.mismatch::<()>(EXPECTED);
    }
    for value in listed {
        if let Some(i) = value.one_of(CHANNELS) {
            channels[i] = true;
        }
    }
    channels
}

/// How its contacts and agents are chosen for each other; see `docs/routing.md`.
fn read_policy(table: &Table<'_>, skills: &Names) -> QueuePolicy {
    let default = QueuePolicy::default();
    QueuePolicy {
        preferred: read_needs(table, "preferred", skills),
        language: table.word("language", default.language, LanguageRule::ALL, LanguageRule::WORDS),
        sticky: table.duration("sticky", default.sticky, (Span::ZERO, WEEK)),
        agent_choice: table.word(
            "agent_choice",
            default.agent_choice,
            AgentChoice::ALL,
            AgentChoice::WORDS,
        ),
        share: table.integer("share", default.share, WEIGHT),
        cost: table.integer("cost", default.cost, WEIGHT),
        handle_time: table.duration("handle_time", default.handle_time, (SECOND, DAY)),
        patience: table.duration("patience", default.patience, (SECOND, WEEK)),
    }
}

fn read_needs(table: &Table<'_>, field: &'static str, skills: &Names) -> Needs {
    let Some(at) = table.field(field) else { return Needs::new() };
    let needs = read_skills(&at, skills);
    needs.into_iter().map(|(skill, at_least)| Need { skill, at_least }).collect()
}

/// A table of skills with proficiency, sorted by skill.
pub(super) fn read_skills(at: &Value<'_>, skills: &Names) -> SmallVec<[(SkillId, u8); 4]> {
    let mut out = SmallVec::new();
    for (name, key, value) in at.entries("skills, each with a proficiency from 1 to 5") {
        let skill = skills.find::<u16>(at.notes, &value.path, key, name).map(SkillId);
        let proficiency = value.integer::<u8>(PROFICIENCY.0, PROFICIENCY.1);
        out.extend(skill.zip(proficiency));
    }
    out.sort_unstable();
    out
}

pub(super) fn read_pools(table: &Table<'_>, pools: &Names) -> SmallVec<[PoolId; 4]> {
    let mut ids: SmallVec<[PoolId; 4]> = table
        .list("pools", "names of pools")
        .iter()
        .filter_map(|value| pools.find_value(value).map(PoolId))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
