//! A small contact center with every kind of difference in it.

use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;

use surgeline::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use surgeline::engine::words::Need;
use surgeline::ids::{PoolId, QueueId, SkillId};
use surgeline::time::Span;

use super::{AGENTS, QUEUES, SKILLS, policies};

fn listed(names: &[&str]) -> Vec<Listed> {
    names.iter().map(|n| Listed { name: Arc::from(*n), retired: false }).collect()
}

pub(super) fn routing(rng: &mut StdRng) -> Routing {
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
        policy: policies::queue(rng, shares),
    });
    let queues: Vec<Queue> = queues.collect();
    let agents = (0..AGENTS).map(|a| {
        let mut skills: Vec<SkillId> = (0..SKILLS).map(SkillId).collect();
        skills.retain(|_| rng.random_bool(0.5));
        let (capacity, workload) = policies::workload(rng);
        AgentProfile {
            name: Arc::from(format!("agent-{a}")),
            retired: false,
            pool: PoolId(u16::from(a % 3 == 0)),
            primary: skills.first().copied(),
            skills: skills.into_iter().map(|s| (s, rng.random_range(1..=5))).collect(),
            capacity,
            workload,
        }
    });
    let agents = agents.collect();
    Routing {
        skills: listed(&["s0", "s1", "s2", "s3", "s4"]),
        pools: listed(&["own", "partner"]),
        queues,
        agents,
        languages: policies::languages(),
        entry_points: ["front-door", "side-door", "back-door"]
            .into_iter()
            .zip(0..)
            .map(|(name, q)| EntryPoint {
                name: Arc::from(name),
                retired: false,
                queue: QueueId(q),
            })
            .collect(),
        not_ready_reasons: listed(&["ring-no-answer", "just-connected", "lunch"]),
        dispositions: listed(&["refund", "injury"]),
        settings: Settings {
            pass_over: Span::seconds(20),
            named_wait: Span::seconds(8),
            agent_grace: Span::seconds(12),
            most_contacts: 120,
            contact_choice: policies::contact_choice(rng),
            ..Settings::default()
        },
    }
}
