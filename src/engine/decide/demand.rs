//! What a contact asks of agents in a queue: the queue's needs, its own, and its language's.
//!
//! Worked out once whenever a contact enters a queue; the event says what came of it, so
//! that a later configuration changes nobody who already waits. It decides nothing else.

use super::super::policy::LanguageRule;
use super::super::routing::{Queue, Routing};
use super::super::words::{Language, Need, Needs};

/// What a contact brings with it into any queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
    pub(super) needs: &'a Needs,
    pub(super) preferred: &'a Needs,
    pub(super) language: Option<Language>,
}

/// What an agent must have, and what they should have beyond that.
pub(super) fn demand(routing: &Routing, queue: Option<&Queue>, own: Own<'_>) -> (Needs, Needs) {
    let none = Needs::new();
    let (needs, preferred, rule) = match queue {
        Some(q) => (&q.needs, &q.policy.preferred, q.policy.language),
        None => (&none, &none, LanguageRule::Ignored),
    };
    // A language that nobody was said to speak asks for nothing: somebody has to answer.
    let spoken = own.language.and_then(|l| routing.speaks(l));
    let spoken = |when| spoken.filter(|_| rule == when).map(|skill| Need { skill, at_least: 1 });
    let needs = join([needs, own.needs], spoken(LanguageRule::Required));
    let mut preferred = join([preferred, own.preferred], spoken(LanguageRule::Preferred));
    // What every agent who may take it has anyway tells none from another.
    preferred.retain(|p| !needs.iter().any(|n| n.skill == p.skill && n.at_least >= p.at_least));
    (needs, preferred)
}

/// Needs together, sorted, the higher level of each skill.
fn join(lists: [&Needs; 2], more: Option<Need>) -> Needs {
    // Most contacts ask for nothing beyond what their queue does, which is in order.
    match (lists, more) {
        ([one, none] | [none, one], None) if none.is_empty() => return Needs::from_slice(one),
        _ => {}
    }
    let mut all: Needs = lists.into_iter().flatten().copied().chain(more).collect();
    all.sort_unstable_by_key(|n| (n.skill, std::cmp::Reverse(n.at_least)));
    all.dedup_by_key(|n| n.skill);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::policy::QueuePolicy;
    use crate::ids::SkillId;

    fn needs(all: &[(u16, u8)]) -> Needs {
        all.iter().map(|(s, at_least)| Need { skill: SkillId(*s), at_least: *at_least }).collect()
    }

    #[test]
    fn the_higher_of_two_needs_counts_and_what_is_needed_is_not_preferred_too() {
        let policy = QueuePolicy { preferred: needs(&[(0, 2), (1, 4)]), ..QueuePolicy::default() };
        let queue = Queue { needs: needs(&[(0, 3), (2, 1)]), policy, ..Queue::default() };
        let (own, should) = (needs(&[(2, 5)]), needs(&[(1, 2), (3, 1)]));
        let own = Own { needs: &own, preferred: &should, language: None };
        let (must, should) = demand(&Routing::default(), Some(&queue), own);
        assert_eq!(must, needs(&[(0, 3), (2, 5)]));
        assert_eq!(should, needs(&[(1, 4), (3, 1)]));
    }

    #[test]
    fn a_language_is_a_need_as_the_queue_says() {
        let german = Language(*b"de");
        let routing = Routing { languages: vec![(german, SkillId(7))], ..Routing::default() };
        let none = Needs::new();
        let asks = |language, rule| {
            let policy = QueuePolicy { language: rule, ..QueuePolicy::default() };
            let queue = Queue { policy, ..Queue::default() };
            let own = Own { needs: &none, preferred: &none, language };
            demand(&routing, Some(&queue), own)
        };
        let spoken = needs(&[(7, 1)]);
        assert_eq!(asks(Some(german), LanguageRule::Required), (spoken.clone(), none.clone()));
        assert_eq!(asks(Some(german), LanguageRule::Preferred), (none.clone(), spoken));
        for (language, rule) in [
            (Some(german), LanguageRule::Ignored),
            (Some(Language(*b"fr")), LanguageRule::Required),
            (None, LanguageRule::Required),
        ] {
            assert_eq!(asks(language, rule), (none.clone(), none.clone()), "{language:?}");
        }
    }
}
