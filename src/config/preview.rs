//! What a new configuration would do to a router as it stands: changes, whom each touches,
//! and what somebody should think twice about.
//!
//! Pure: it is told how the router stands and asks nobody. It changes nothing, and it warns
//! where `config check` of the file alone cannot know: who waits now, who has what in hand.

mod life;

use std::collections::BTreeMap;

use super::diff::{Change, How, Section, changes};
use super::merge::{MergeError, merge};
use crate::engine::Engine;
use crate::engine::contact::State;
use crate::engine::queue_life::{Overflow, Then};
use crate::engine::routing::{AgentProfile, Name, Queue, Routing};
use crate::engine::words::Channel;
use crate::ids::{AgentId, EntryPointId, ExternalId, PoolId, QueueId, RecallId, SkillId};

/// How a router stands, as far as a change of its configuration touches it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Contacts that wait with nobody, by queue.
    pub waiting: BTreeMap<QueueId, u64>,
    /// Of them, those who wait to be called back, by queue.
    pub callbacks: BTreeMap<QueueId, u64>,
    /// Of them, those that need a skill; empty where that is not known.
    pub needing: BTreeMap<SkillId, u64>,
    /// Contacts in hand, by agent, work after them included.
    pub in_hand: BTreeMap<AgentId, u64>,
    /// Recalls in force.
    pub recalls: Vec<Concern>,
}

/// What a recall in force relies on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Concern {
    /// Which.
    pub recall: RecallId,
    /// Where its contacts come in.
    pub scope: Vec<EntryPointId>,
    /// Where those who are hurt wait.
    pub safety: Option<QueueId>,
    /// Agents kept for them.
    pub kept: Vec<AgentId>,
}

impl Standing {
    /// How an engine stands. Goes through everyone: for the replica, and for people who ask.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        let mut standing = Self::default();
        for contact in engine.contacts().filter(|c| waits(c.state)) {
            *standing.waiting.entry(contact.queue).or_default() += 1;
            if contact.silent().is_some() {
                *standing.callbacks.entry(contact.queue).or_default() += 1;
            }
            for need in &contact.needs {
                *standing.needing.entry(need.skill).or_default() += 1;
            }
        }
        for agent in engine.agents().filter(|a| !a.work.is_empty()) {
            standing.in_hand.insert(agent.id, agent.work.len() as u64);
        }
        standing.recalls = engine
            .recalls()
            .filter(|recall| !recall.over)
            .map(|recall| Concern {
                recall: recall.id,
                scope: recall.plan.scope.clone(),
                safety: Some(recall.plan.safety.queue),
                kept: recall.plan.safety.kept.clone(),
            })
            .collect();
        standing
    }

    fn all_waiting(&self) -> u64 {
        self.waiting.values().sum()
    }
}

/// In line, on the line or for a call.
fn waits(state: State) -> bool {
    matches!(state, State::Queued | State::CallbackDue)
}

/// A change, and whom it touches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Touching {
    /// What changes.
    pub change: Change,
    /// Contacts that wait and are touched by it.
    pub waiting: u64,
    /// Contacts in the hands of the agent that it is about.
    pub in_hand: u64,
}

/// What somebody should think twice about.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Warning {
    /// Nobody is left who can take a channel from a queue.
    #[error(
        "nobody can take {channel} from queue {queue} any more: {waiting} contacts wait in it; give an agent what it needs, or take the channel from it"
    )]
    Unserved {
        /// Which queue.
        queue: Name,
        /// Which channel.
        channel: &'static str,
        /// Who waits in it.
        waiting: u64,
    },
    /// A queue goes in which somebody waits.
    #[error(
        "queue {queue} is retired with {waiting} contacts in it: they are served, nobody new is let in"
    )]
    QueueGoes {
        /// Which queue.
        queue: Name,
        /// Who waits in it.
        waiting: u64,
    },
    /// An agent goes who has contacts in hand.
    #[error(
        "agent {agent} is retired with {in_hand} contacts in hand: they finish those and are signed out then"
    )]
    AgentGoes {
        /// Who.
        agent: Name,
        /// Contacts in hand.
        in_hand: u64,
    },
    /// A pool has nobody any more.
    #[error("pool {pool} has no agents any more, and queues are limited to it: {queues}")]
    PoolEmptied {
        /// Which pool.
        pool: Name,
        /// The queues that name it.
        queues: Box<str>,
    },
    /// A queue makes no callbacks any more while some of its callers wait for one.
    #[error(
        "queue {queue} makes no callbacks any more, and {waiting} wait to be called: they are, as they were promised; follow-ups that fall due later are for a supervisor"
    )]
    CallbacksGo {
        /// Which queue.
        queue: Name,
        /// Who waits for our call.
        waiting: u64,
    },
    /// A number outside goes that queues in which somebody waits send people to.
    #[error(
        "external {external} is retired, and {waiting} contacts wait in queues that send people there: nobody is sent there any more, they wait on"
    )]
    ExternalGoes {
        /// Which.
        external: Name,
        /// Who waits.
        waiting: u64,
    },
    /// The calendar of a queue goes, which keeps no other.
    #[error(
        "calendar {calendar} is retired, and queue {queue} keeps no other: it is open at all times, with {waiting} contacts in it"
    )]
    HoursGo {
        /// Which calendar.
        calendar: Name,
        /// Whose.
        queue: Name,
        /// Who waits in it.
        waiting: u64,
    },
    /// A skill goes that waiting contacts need.
    #[error(
        "skill {skill} is retired, and {waiting} waiting contacts need it: only agents who have it now can take them"
    )]
    SkillGoes {
        /// Which skill.
        skill: Name,
        /// Who needs it.
        waiting: u64,
    },
    /// A recall in force relies on what goes.
    #[error(
        "recall {recall} is in force and relies on {what} {name}, which is retired: end the recall first, or keep it until then"
    )]
    RecallRelies {
        /// Which recall.
        recall: RecallId,
        /// On what.
        what: &'static str,
        /// Its name.
        name: Name,
    },
}

/// What applying a configuration would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preview {
    /// What would be in force.
    pub routing: Routing,
    /// What changes, in the order of the file; nothing if it is in force already.
    pub changes: Vec<Touching>,
    /// What somebody should think twice about.
    pub warnings: Vec<Warning>,
}

/// What it would do to apply `wanted` to a router with this configuration that stands so.
///
/// # Errors
/// [`MergeError`]: it cannot follow what is in force.
pub fn preview(
    now: &Routing,
    standing: &Standing,
    wanted: &Routing,
) -> Result<Preview, MergeError> {
    let routing = merge(Some(now), wanted)?;
    let touching = |change: Change| {
        let (waiting, in_hand) = touched(&change, &routing, standing);
        Touching { change, waiting, in_hand }
    };
    let changes: Vec<Touching> = changes(now, &routing).into_iter().map(touching).collect();
    let warnings = warnings(now, &routing, standing, &changes);
    Ok(Preview { routing, changes, warnings })
}

fn touched(change: &Change, new: &Routing, standing: &Standing) -> (u64, u64) {
    let at = |id: usize| u16::try_from(id).unwrap_or(u16::MAX);
    let in_queue = |id: QueueId| standing.waiting.get(&id).copied().unwrap_or(0);
    let queues_of = |serves: &dyn Fn(&Queue) -> bool| -> u64 {
        let of = new.queues.iter().enumerate().filter(|(_, q)| serves(q));
        of.map(|(id, _)| in_queue(QueueId(at(id)))).sum()
    };
    match change.section {
        Section::Settings | Section::Promises => (standing.all_waiting(), 0),
        Section::Queues => (in_queue(QueueId(at(change.place))), 0),
        Section::Skills => {
            let skill = SkillId(at(change.place));
            (standing.needing.get(&skill).copied().unwrap_or(0), 0)
        }
        Section::Calendars => {
            (queues_of(&|q| q.life.hours.is_some_and(|id| id.index() == change.place)), 0)
        }
        Section::Externals => {
            let to = ExternalId(at(change.place));
            (queues_of(&|q| goes_to(q, Overflow::External(to))), 0)
        }
        Section::Pools => {
            let pool = PoolId(at(change.place));
            let may = |q: &Queue| {
                q.pools.contains(&pool) || q.steps.iter().any(|s| s.add_pools.contains(&pool))
            };
            (queues_of(&may), 0)
        }
        Section::Agents => {
            let id = AgentId(u32::try_from(change.place).unwrap_or(u32::MAX));
            let waiting = new.agents.get(change.place).map_or(0, |agent| {
                queues_of(&|q| Channel::ALL.into_iter().any(|c| can_take(agent, q, c)))
            });
            (waiting, standing.in_hand.get(&id).copied().unwrap_or(0))
        }
        Section::Sharing => {
            let helped = new.sharings.get(change.place).map(|s| s.helped);
            (helped.map_or(0, in_queue), 0)
        }
        Section::EntryPoints
        | Section::Languages
        | Section::NotReadyReasons
        | Section::Dispositions
        | Section::Announcements
        | Section::StillThere => (0, 0),
    }
}

/// Whether contacts of a queue may end up there.
fn goes_to(queue: &Queue, to: Overflow) -> bool {
    let falls = [&queue.life.closed, &queue.life.full];
    falls.into_iter().any(|f| f.then == Then::Overflow(to))
        || queue.steps.iter().any(|s| s.overflow == Some(to))
}

/// Whether an agent may take a channel from a queue at all.
fn can_take(agent: &AgentProfile, queue: &Queue, channel: Channel) -> bool {
    let skilled = |skill: SkillId, at_least: u8| {
        agent.skills.iter().any(|(s, level)| *s == skill && *level >= at_least)
    };
    queue.channels[channel.index()]
        && agent.capacity[channel.index()] > 0
        && (queue.pools.is_empty() || queue.pools.contains(&agent.pool))
        && queue.needs.iter().all(|need| skilled(need.skill, need.at_least))
}

fn warnings(
    old: &Routing,
    new: &Routing,
    standing: &Standing,
    changes: &[Touching],
) -> Vec<Warning> {
    let mut all = Vec::new();
    for (place, queue) in new.queues.iter().enumerate().filter(|(_, q)| !q.retired) {
        let waiting = standing.waiting.iter().find(|(id, _)| id.index() == place);
        let waiting = waiting.map_or(0, |(_, n)| *n);
        for channel in Channel::ALL.into_iter().filter(|c| queue.channels[c.index()]) {
            let was = old.queues.get(place).filter(|q| !q.retired);
            let was =
                was.is_some_and(|q| is_served(old, q, channel) || !q.channels[channel.index()]);
            let new_here = old.queues.get(place).is_none_or(|q| q.retired);
            if (was || new_here) && !is_served(new, queue, channel) {
                let (queue, channel) = (queue.name.clone(), channel.name());
                all.push(Warning::Unserved { queue, channel, waiting });
            }
        }
    }
    for Touching { change, waiting, in_hand } in
        changes.iter().filter(|t| t.change.how == How::Retired)
    {
        let (name, waiting, in_hand) = (change.name.clone(), *waiting, *in_hand);
        match change.section {
            Section::Queues if waiting > 0 => {
                all.push(Warning::QueueGoes { queue: name, waiting });
            }
            Section::Agents if in_hand > 0 => {
                all.push(Warning::AgentGoes { agent: name, in_hand });
            }
            Section::Skills if waiting > 0 => {
                all.push(Warning::SkillGoes { skill: name, waiting });
            }
            _ => {}
        }
    }
    life::warnings(old, new, standing, changes, &mut all);
    emptied(old, new, &mut all);
    relied_on(new, standing, changes, &mut all);
    all
}

fn is_served(routing: &Routing, queue: &Queue, channel: Channel) -> bool {
    routing.agents.iter().any(|agent| !agent.retired && can_take(agent, queue, channel))
}

fn emptied(old: &Routing, new: &Routing, all: &mut Vec<Warning>) {
    let has_agents =
        |r: &Routing, pool: PoolId| r.agents.iter().any(|a| !a.retired && a.pool == pool);
    for (place, pool) in new.pools.iter().enumerate() {
        let id = PoolId(u16::try_from(place).unwrap_or(u16::MAX));
        if !has_agents(old, id) || has_agents(new, id) {
            continue;
        }
        let limited = new.queues.iter().filter(|q| !q.retired && q.pools.contains(&id));
        let queues: Vec<&str> = limited.map(|q| &*q.name).collect();
        if !queues.is_empty() {
            let queues = queues.join(", ").into();
            all.push(Warning::PoolEmptied { pool: pool.name.clone(), queues });
        }
    }
}

fn relied_on(new: &Routing, standing: &Standing, changes: &[Touching], all: &mut Vec<Warning>) {
    let goes = |section: Section, place: usize| {
        let is = |t: &&Touching| t.change.section == section && t.change.place == place;
        changes.iter().filter(is).any(|t| t.change.how == How::Retired)
    };
    for of in &standing.recalls {
        let mut relies = |what, name: Option<&Name>| {
            let name = name.cloned().unwrap_or_else(|| "?".into());
            all.push(Warning::RecallRelies { recall: of.recall, what, name });
        };
        for id in of.scope.iter().filter(|id| goes(Section::EntryPoints, id.index())) {
            relies("entry point", new.entry_points.get(id.index()).map(|e| &e.name));
        }
        for id in of.safety.iter().filter(|id| goes(Section::Queues, id.index())) {
            relies("safety queue", new.queues.get(id.index()).map(|q| &q.name));
        }
        for id in of.kept.iter().filter(|id| goes(Section::Agents, id.index())) {
            relies("agent", new.agents.get(id.index()).map(|a| &a.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const FILE: &str = r#"
skills = ["billing", "tech"]
[[pools]]
name = "own"
[[pools]]
name = "partner"
[[queues]]
name = "calls"
channels = ["voice", "chat"]
needs = { billing = 3 }
[[queues]]
name = "helpers"
channels = ["chat"]
pools = ["partner"]
[[agents]]
name = "ada"
pool = "own"
skills = { billing = 5 }
[[agents]]
name = "ben"
pool = "partner"
[[entry_points]]
name = "line"
queue = "calls"
"#;

    fn read(text: &str) -> Routing {
        parse("t", text).expect("it is sound").config.routing
    }

    fn told(new: &str, standing: &Standing) -> (Vec<String>, Vec<String>) {
        let preview = preview(&read(FILE), standing, &read(new)).expect("few names");
        let touching = |t: &Touching| {
            format!("{} {} {} {}", t.change.name, t.change.how.name(), t.waiting, t.in_hand)
        };
        let changes = preview.changes.iter().map(touching).collect();
        (changes, preview.warnings.iter().map(ToString::to_string).collect())
    }

    fn standing() -> Standing {
        Standing {
            waiting: [(QueueId(0), 7), (QueueId(1), 2)].into(),
            callbacks: BTreeMap::new(),
            needing: [(SkillId(0), 7)].into(),
            in_hand: [(AgentId(1), 3)].into(),
            recalls: vec![Concern {
                recall: RecallId(4),
                scope: vec![EntryPointId(0)],
                safety: Some(QueueId(0)),
                kept: vec![AgentId(1)],
            }],
        }
    }

    #[test]
    fn the_same_file_changes_nothing_and_warns_of_nothing() {
        assert_eq!(told(FILE, &standing()), (vec![], vec![]));
    }

    #[test]
    fn each_change_counts_whom_it_touches() {
        let new = FILE.replace("billing = 3", "billing = 4").replace(
            "[[pools]]\nname = \"own\"",
            "[settings]\nasync_share = 20\n[[pools]]\nname = \"own\"",
        );
        let (changes, warnings) = told(&new, &standing());
        assert_eq!(changes, ["settings changed 9 0", "calls changed 7 0"]);
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn a_queue_that_nobody_can_serve_any_more_is_warned_of_for_each_channel() {
        let (_, warnings) = told(&FILE.replace("billing = 5", "billing = 2"), &standing());
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(
            warnings[0].starts_with("nobody can take voice from queue calls any more: 7 contacts")
        );
        assert!(warnings[1].contains("take chat from queue calls"));
    }

    #[test]
    fn who_goes_with_work_in_hand_a_pool_without_agents_and_a_recall_are_warned_of() {
        let new = FILE.replace("[[agents]]\nname = \"ben\"\npool = \"partner\"\n", "");
        let (changes, warnings) = told(&new, &standing());
        assert_eq!(changes, ["ben retired 2 3"]);
        let begins = [
            "nobody can take chat from queue helpers any more: 2",
            "agent ben is retired with 3 contacts in hand",
            "pool partner has no agents any more, and queues are limited to it: helpers",
            "recall 4 is in force and relies on agent ben",
        ];
        assert_eq!(warnings.len(), begins.len(), "{warnings:?}");
        for (warning, begin) in warnings.iter().zip(begins) {
            assert!(warning.starts_with(begin), "{warning}");
        }
    }

    #[test]
    fn a_queue_and_a_skill_that_go_with_somebody_waiting_are_warned_of() {
        let new = FILE
            .replace("[\"billing\", \"tech\"]", "[\"tech\"]")
            .replace("needs = { billing = 3 }\n", "")
            .replace("name = \"calls\"", "name = \"phones\"")
            .replace("queue = \"calls\"", "queue = \"phones\"")
            .replace("skills = { billing = 5 }\n", "");
        let (changes, warnings) = told(&new, &standing());
        let all = ["billing retired 7 0", "calls retired 7 0", "phones added 0 0"];
        assert_eq!(changes[..3], all);
        assert!(warnings.contains(
            &"queue calls is retired with 7 contacts in it: they are served, nobody new is let in".to_owned()
        ));
        assert!(warnings.iter().any(|w| w.starts_with("skill billing is retired, and 7 waiting")));
        assert!(warnings.iter().any(|w| w.contains("relies on safety queue calls")));
    }
}
