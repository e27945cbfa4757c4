//! Announced waits: whether what customers were told is held against what came.

use std::sync::Arc;

use super::statistics::{A, B, C1, accepted, arrived, closed, entry, queued};
use crate::engine::event::{EffectKind, Event, Settled};
use crate::engine::recall::{
    Collect, Outlook, ReturnedBecause, Say, SelfService, Step, Text, Tier,
};
use crate::engine::words::{EndReason, QueuedBecause};
use crate::ids::{EffectId, RecallId};
use crate::shard::tally::Tally;
use crate::shard::testing::Recorded;
use crate::time::{EngineTime, Span, WallTime};

const R: RecallId = RecallId(1);

fn diverted() -> Event {
    let now = SelfService {
        recall: R,
        tier: Tier::Faq,
        until: EngineTime(u64::MAX),
        answers: 0,
        checked: false,
        step: Step::Listening { until: EngineTime(u64::MAX) },
    };
    Event::Diverted { contact: C1, now }
}

fn told(effect: u64, seconds: u64) -> Event {
    let say = Say {
        recall: R,
        text: Text::Acknowledgement,
        language: None,
        collect: Collect::None,
        outlook: Outlook { ahead: Some(3), wait: Some(Span::seconds(seconds)) },
    };
    Event::EffectAsked { effect: EffectId(effect), contact: C1, kind: EffectKind::Say(say) }
}

fn settled(effect: u64, how: Settled) -> Event {
    Event::EffectSettled { effect: EffectId(effect), contact: C1, how }
}

#[test]
fn announced_waits_are_held_against_what_came() {
    let because = ReturnedBecause::Asked;
    let back = || Event::Returned { contact: C1, recall: R, tier: Tier::Faq, because };
    let answered = || accepted(C1, 1, None);
    // (what happened after they had been told 60 s at second 1, and how often it is compared)
    let table = [
        ("answered", vec![(31, back()), (41, answered()), (42, answered())], 1),
        ("later than told", vec![(31, back()), (99, answered())], 1),
        ("kept by self-service for longer", vec![(62, back()), (62, answered())], 0),
        (
            "never told",
            vec![(2, settled(7, Settled::Failed(1))), (31, back()), (41, answered())],
            0,
        ),
        (
            "said to the end",
            vec![(2, settled(7, Settled::Done)), (31, back()), (41, answered())],
            1,
        ),
        ("gone", vec![(31, back()), (41, closed(C1, EndReason::Abandoned)), (42, answered())], 0),
        ("elsewhere", vec![(31, queued(C1, B, QueuedBecause::Moved)), (41, answered())], 0),
    ];
    for (name, then, compared) in table {
        let observer = Arc::new(Recorded::default());
        let mut tally = Tally::new(observer.clone());
        let first =
            vec![arrived(C1, 0), queued(C1, A, QueuedBecause::Arrived), diverted(), told(7, 60)];
        let before = first.into_iter().map(|event| (1, event));
        for (second, event) in before.chain(then) {
            tally.add(&entry(2, second, vec![event]), WallTime(0));
        }
        assert_eq!(observer.told("AnsweredAsTold"), compared, "{name}");
        if name == "answered" {
            assert_eq!(
                observer.told("AnsweredAsTold { queue: QueueId(0), announced: 60s, waited: 40s }"),
                1
            );
        }
    }
}
