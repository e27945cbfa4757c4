//! Every policy that the configuration knows, at random. What each chooses is the naive
//! matcher's to see.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use surgeline::engine::policy::{
    AgentChoice, Channels, ContactChoice, LanguageRule, QueuePolicy, Workload,
};
use surgeline::engine::sharing::Sharing;
use surgeline::engine::words::{Channel, Language, Need, Needs};
use surgeline::ids::{CustomerId, PoolId, QueueId, SkillId};
use surgeline::time::Span;

use super::{SKILLS, World};

/// A language that a skill speaks, another one, and one that nobody was said to speak.
pub(super) const LANGUAGES: [Language; 3] = [Language(*b"de"), Language(*b"es"), Language(*b"xx")];

pub(super) fn languages() -> Vec<(Language, SkillId)> {
    vec![(LANGUAGES[0], SkillId(0)), (LANGUAGES[1], SkillId(1))]
}

fn any<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    *of.choose(rng).expect("some")
}

fn preferred(rng: &mut StdRng) -> Needs {
    let mut skills: Vec<u16> = (0..SKILLS).filter(|_| rng.random_bool(0.2)).collect();
    skills.dedup();
    let need = |s: u16| Need { skill: SkillId(s), at_least: rng.random_range(1..=5) };
    skills.into_iter().map(need).collect()
}

pub(super) fn contact_choice(rng: &mut StdRng) -> ContactChoice {
    any(rng, &ContactChoice::ALL)
}

/// Whether queues have shares in a world: half have none at all, which is the default.
pub(super) fn shares(rng: &mut StdRng) -> bool {
    rng.random_bool(0.5)
}

/// Each of two queues is helped by the agents of the other, at low thresholds; often neither.
pub(super) fn sharings(rng: &mut StdRng) -> Vec<Sharing> {
    let one = |name: &str, helped, own, pool, rng: &mut StdRng| Sharing {
        name: name.into(),
        retired: rng.random_bool(0.4),
        helped: QueueId(helped),
        own: QueueId(own),
        pools: [PoolId(pool)].into_iter().collect(),
        ratio: any(rng, &[50, 100, 125, 300]),
        activate: rng.random_range(2..=4),
        release: rng.random_range(0..=1),
        reverse: rng.random_range(0..=2),
    };
    vec![one("to-first", 0, 1, 1, rng), one("to-second", 1, 0, 0, rng)]
}

pub(super) fn queue(rng: &mut StdRng, shares: bool) -> QueuePolicy {
    let share = any(rng, &[0, 10, 10, 10, 10, 20, 20, 30, 70, 100]);
    QueuePolicy {
        preferred: preferred(rng),
        language: any(rng, &LanguageRule::ALL),
        sticky: Span::seconds(any(rng, &[0, 0, 30, 300])),
        agent_choice: any(rng, &AgentChoice::ALL),
        share: if shares { share } else { 0 },
        cost: rng.random_range(1..=5),
        handle_time: Span::seconds(rng.random_range(1..=100)),
        patience: Span::seconds(rng.random_range(1..=100)),
    }
}

/// Some agents count by capacity alone, some by costs; some may be interrupted, by calls or
/// by chats too.
pub(super) fn workload(rng: &mut StdRng) -> ([u8; 4], Workload) {
    let mut capacity = [1, rng.random_range(0..4), rng.random_range(0..6), 2];
    let mut workload = Workload::default();
    if rng.random_bool(0.3) {
        workload.cost = [100, any(rng, &[30, 50]), any(rng, &[20, 35]), 25];
        capacity = workload.cost.map(|c| u8::try_from(100 / c).expect("at most 5"));
    }
    if rng.random_bool(0.4) {
        let letters: Channels = [Channel::Email, Channel::Message].into_iter().collect();
        workload.interrupts[Channel::Voice.index()] = letters;
        if rng.random_bool(0.5) {
            workload.interrupts[Channel::Chat.index()] = Channels::NONE.with(Channel::Email);
        }
        if rng.random_bool(0.2) {
            workload.interrupts[Channel::Voice.index()] = letters.with(Channel::Chat);
        }
    }
    (capacity, workload)
}

impl World {
    /// What an arrival brings beside its needs: preferences, a language, a known customer.
    pub(super) fn brings(&mut self) -> (Needs, Option<Language>, Option<CustomerId>) {
        let prefers =
            if self.rng.random_bool(0.1) { preferred(&mut self.rng) } else { Needs::new() };
        let language = self.rng.random_bool(0.3).then(|| any(&mut self.rng, &LANGUAGES));
        let known = self.rng.random_bool(0.5);
        let customer = known.then(|| CustomerId(self.rng.random_range(0..20)));
        (prefers, language, customer)
    }
}
