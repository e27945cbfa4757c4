//! A small contact center with every kind of difference in it.

use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;

use surgeline::engine::promise::PromiseSettings;
use surgeline::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use surgeline::engine::words::Need;
use surgeline::ids::{PoolId, QueueId, SkillId};
use surgeline::time::Span;

use super::{AGENTS, QUEUES, SKILLS, callback, care, life, people, policies};

/// Pools of partners.
pub(super) const ABROAD: PoolId = PoolId(3);
pub(super) const OUTSIDE: PoolId = PoolId(2);

fn listed(names: &[&str]) -> Vec<Listed> {
    names.iter().map(|n| Listed { name: Arc::from(*n), retired: false }).collect()
}

fn entry_points() -> Vec<EntryPoint> {
    ["front-door", "side-door", "back-door"]
        .into_iter()
        .zip(0..)
        .map(|(name, q)| EntryPoint { name: Arc::from(name), retired: false, queue: QueueId(q) })
        .collect()
}

pub(super) fn routing(rng: &mut StdRng, speaks: bool) -> Routing {
    let shares = policies::shares(rng);
    let queues = (0..QUEUES).map(|q| Queue {
        name: Arc::from(format!("queue-{q}")),
        retired: false,
        needs: (q > 0)
            .then(|| Need { skill: SkillId(q % SKILLS), at_least: 1 + (q % 3) as u8 })
            .into_iter()
            .collect(),
        pools: if q == 5 { [PoolId(1)].into_iter().collect() } else { [].into_iter().collect() },
        channels: [q != 4, true, true, true],
        safety: q == 3,
        target: Span::seconds([20, 20, 5, 20, 60, 20][usize::from(q)]),
        head_start: Span::seconds(u64::from(q) * 5),
        reservation_timeout: Span::seconds(10),
        connect_timeout: Span::seconds(15),
        wrap_up: Span::seconds(u64::from(q % 3) * 5),
        wrap_up_most: Span::seconds(u64::from(q % 2) * 30),
        policy: policies::queue(rng, shares),
        steps: life::steps(rng, speaks),
        life: life::life(rng, speaks),
        callback: callback::policy(rng, q),
        care: care::queue(rng),
    });
    let queues: Vec<Queue> = queues.collect();
    let agents = (0..AGENTS).map(|a| {
        let mut skills: Vec<SkillId> = (0..SKILLS).map(SkillId).collect();
        skills.retain(|_| rng.random_bool(0.5));
        let (capacity, workload) = policies::workload(rng);
        AgentProfile {
            name: Arc::from(format!("agent-{a}")),
            retired: false,
            pool: match a % 8 {
                7 if a == 7 => ABROAD,
                7 => OUTSIDE,
                _ => PoolId(u16::from(a % 3 == 0)),
            },
            primary: skills.first().copied(),
            skills: skills.into_iter().map(|s| (s, rng.random_range(1..=5))).collect(),
            capacity,
            workload,
            authority: 1_000,
        }
    });
    let agents = agents.collect();
    Routing {
        skills: listed(&["s0", "s1", "s2", "s3", "s4"]),
        pools: listed(&["own", "partner", "outside", "abroad"]),
        partners: [OUTSIDE, ABROAD].into_iter().collect(),
        queues,
        agents,
        calendars: life::calendars(),
        externals: life::externals(),
        notices: life::notices(),
        sharings: policies::sharings(rng),
        languages: policies::languages(),
        still_there: Vec::new(),
        entry_points: entry_points(),
        not_ready_reasons: people::reasons(),
        dispositions: listed(&["refund", "injury"]),
        settings: Settings {
            pass_over: Span::seconds(20),
            named_wait: Span::seconds(8),
            agent_grace: Span::seconds(12),
            most_contacts: 120,
            outside_lasts: Span::seconds(300),
            contact_choice: policies::contact_choice(rng),
            promises: PromiseSettings { follow_ups_per_hour: 120, lead: Span::seconds(20) },
            ..Settings::default()
        },
    }
}
