//! `[[agents]]` and `[[agent_groups]]`: who serves, with what skills, how much at once.
//!
//! A group is so many agents alike, named by a prefix and a number: for partners, load
//! tests and demonstrations, where people are seats. Owned by one reading of one file.

use smallvec::SmallVec;

use super::names::Names;
use super::problem::{Expected, Fault, Kind};
use super::queues::read_skills;
use super::reader::{Table, Value};
use super::workload;
use crate::engine::policy::Channels;
use crate::engine::routing::{AgentProfile, Name};
use crate::ids::{PoolId, SkillId};

/// Most agents of a router.
const MOST: usize = 100_000;
/// The same, as a file's numbers are.
const MOST_IN_GROUP: i64 = 100_000;
/// The largest remedy that anybody may give, in cents.
const MOST_REMEDY: i64 = 100_000_000;

/// What agents refer to.
pub(super) struct Known<'a> {
    /// The file's skills.
    pub(super) skills: &'a Names,
    /// The file's pools.
    pub(super) pools: &'a Names,
    /// What may interrupt what with agents who do not say.
    pub(super) interrupts: [Channels; 4],
}

/// Reads both sections: the named first, then the groups.
pub(super) fn read(
    named: &[Value<'_>],
    groups: &[Value<'_>],
    known: &Known<'_>,
) -> Vec<AgentProfile> {
    let mut names = Names::new(Kind::Agent, MOST);
    let mut agents = Vec::new();
    for value in named {
        let agent = value.table("agents", "an agent's fields", |t| read_one(t, &mut names, known));
        agents.extend(agent.flatten());
    }
    for value in groups {
        value.table("agent_groups", "a group's fields", |t| {
            read_group(t, &mut names, known, &mut agents);
        });
    }
    agents
}

fn read_one(table: &Table<'_>, names: &mut Names, known: &Known<'_>) -> Option<AgentProfile> {
    let name_at = table.required("name", Expected::Name);
    let profile = read_profile(table, known);
    let at = name_at?;
    let name = at.name()?;
    names.add(&at, &name).then_some(AgentProfile { name, ..profile? })
}

fn read_group(
    table: &Table<'_>,
    names: &mut Names,
    known: &Known<'_>,
    agents: &mut Vec<AgentProfile>,
) {
    let prefix_at = table.required("prefix", Expected::Prefix);
    let count = table
        .required("count", Expected::Integer(1, MOST_IN_GROUP))
        .and_then(|v| v.integer::<u32>(1, MOST_IN_GROUP));
    let profile = read_profile(table, known);
    let Some(at) = prefix_at else { return };
    let (Some(prefix), Some(count), Some(profile)) = (at.prefix(), count, profile) else { return };
    for number in 1..=count {
        if names.is_full() {
            return;
        }
        // Never wider for a larger group: the names of those who are there must not change.
        let name = Name::from(format!("{prefix}-{number:03}"));
        if names.add(&at, &name) {
            agents.push(AgentProfile { name, ..profile.clone() });
        }
    }
}

/// All but the name. None without a pool, which has no default.
fn read_profile(table: &Table<'_>, known: &Known<'_>) -> Option<AgentProfile> {
    let pool = table.required("pool", Expected::Name).and_then(|at| known.pools.find_value(&at));
    let skills = table.field("skills").map(|at| read_skills(&at, known.skills)).unwrap_or_default();
    let primary = table.field("primary").and_then(|at| read_primary(&at, &skills, known.skills));
    let (capacity, workload) = workload::read(table, known.interrupts);
    Some(AgentProfile {
        name: Name::from(""),
        retired: false,
        pool: PoolId(pool?),
        skills,
        primary,
        capacity,
        workload,
        authority: table.integer("authority", 0, (0, MOST_REMEDY)),
    })
}

fn read_primary(
    at: &Value<'_>,
    own: &SmallVec<[(SkillId, u8); 4]>,
    skills: &Names,
) -> Option<SkillId> {
    let primary = SkillId(skills.find_value(at)?);
    if !own.iter().any(|(skill, _)| *skill == primary) {
        at.fault(Fault::NotTheirs { name: at.value.as_str().unwrap_or_default().into() });
    }
    Some(primary)
}
