//! What the replica has seen, as messages: counts, tracks, sealed people, timelines.

use std::collections::VecDeque;
use std::sync::Arc;

use super::oneof;
use crate::engine::recall::{LotVerdict, ReturnedBecause, Tier, TriageClass};
use crate::engine::words::Keys;
use crate::ids::{ContactId, EffectId, RecallId};
use crate::journal::codec::field::{Field, Record, record, words};
use crate::journal::codec::{CodecError, event, pb};
use crate::journal::snapshot::seen::{
    Brought, Counted, HowSaid, Known, RecallStatistics, Stands, Tallied, TextKind, Timeline,
    TimelineItem, Track, TrackMachine, Waited,
};

/// Items of a timeline that a snapshot keeps: what an agent who gets the contact after a
/// restart wants to see. The rest is in the archive.
pub(in crate::journal) const ITEMS_KEPT: usize = 16;

words!(TextKind => TextKind {
    Acknowledgement, Message, Faq, Greeting, Injury, Lot, Affected, NotAffected, CannotTell,
    Option, Person, Goodbye,
});
words!(HowSaid => SettledHow { Done, Failed, Withdrawn });

record!(Tallied => Tally { what, times; sum = sum_us });
record!(Waited => WaitCount { queue, service, in_target, bucket });
record!(Brought => Brought { by, why; wall = wall_ms });
record!(TrackMachine => TrackMachine {
    was_there, safety, stands, ticket, saying;
    left_at = left_at_us
});
record!(Stands => Stands { anywhere; place = place_us });

oneof!(Counted => Counted in counted {
    Offered => OfferedCount { 0: queue = queue }
    Accepted => AcceptedCount { 0: bucket = bucket }
    NotTaken => NotTakenCount { 0: how = how }
    ConnectFailed => ConnectFailedCount { 0: fault = fault }
    Closed => ClosedCount { 0: reason = reason }
    Feedback => FeedbackCount { 0: queue = queue, 1: tenths = tenths }
    Triaged => TriagedCount { 0: class = class }
    Returned => ReturnedCount { 0: because = because }
    Said => SaidCount { 0: text = text, 1: how = how }
    BouncedTwice => Nothing {}
    PlaceLost => Nothing {}
    SafetyDiverted => Nothing {}
    DoubleReservation => Nothing {}
    ; whole Answered Abandoned
});

impl Field for Option<Arc<str>> {
    type Pb = Option<String>;
    fn put(&self) -> Option<String> {
        self.as_ref().map(Field::put)
    }
    fn take(pb: Option<String>, _: &'static str) -> Result<Self, CodecError> {
        Ok(pb.map(Into::into))
    }
}

impl<R: Record> Field for VecDeque<R> {
    type Pb = Vec<R::Pb>;
    fn put(&self) -> Self::Pb {
        self.iter().map(Record::put).collect()
    }
    fn take(pb: Self::Pb, _: &'static str) -> Result<Self, CodecError> {
        pb.into_iter().map(R::take).collect()
    }
}

impl Record for i128 {
    type Pb = pb::Id128;
    fn put(&self) -> pb::Id128 {
        Record::put(&self.cast_unsigned())
    }
    fn take(pb: pb::Id128) -> Result<Self, CodecError> {
        <u128 as Record>::take(pb).map(u128::cast_signed)
    }
}

impl Record for (EffectId, RecallId, TextKind) {
    type Pb = pb::Saying;
    fn put(&self) -> pb::Saying {
        let (effect, recall, text) = self;
        pb::Saying {
            effect: Field::put(effect),
            recall: Field::put(recall),
            text: Field::put(text),
        }
    }
    fn take(pb: pb::Saying) -> Result<Self, CodecError> {
        Ok((
            Field::take(pb.effect, "Saying.effect")?,
            Field::take(pb.recall, "Saying.recall")?,
            Field::take(pb.text, "Saying.text")?,
        ))
    }
}

impl Record for (LotVerdict, Keys) {
    type Pb = pb::CheckedLot;
    fn put(&self) -> pb::CheckedLot {
        pb::CheckedLot { verdict: Field::put(&self.0), keys: Field::put(&self.1) }
    }
    fn take(pb: pb::CheckedLot) -> Result<Self, CodecError> {
        Ok((
            Field::take(pb.verdict, "CheckedLot.verdict")?,
            Field::take(pb.keys, "CheckedLot.keys")?,
        ))
    }
}

/// A contact's own struct whose message names the contact too.
macro_rules! of_contact {
    ($held:ty as $name:ident => $pb:ident { $($f:ident),* $(; $($g:ident = $p:ident),*)? }) => {
        impl Record for (ContactId, $held) {
            type Pb = pb::$pb;
            fn put(&self) -> pb::$pb {
                let (contact, of) = self;
                pb::$pb {
                    contact: Field::put(contact),
                    $($f: Field::put(&of.$f),)*
                    $($($p: Field::put(&of.$g),)*)?
                }
            }
            fn take(pb: pb::$pb) -> Result<Self, CodecError> {
                let of = $name {
                    $($f: Field::take(pb.$f, concat!(stringify!($pb), ".", stringify!($f)))?,)*
                    $($($g: Field::take(pb.$p, concat!(stringify!($pb), ".", stringify!($p)))?,)*)?
                };
                Ok((Field::take(pb.contact, concat!(stringify!($pb), ".contact"))?, of.into()))
            }
        }
    };
}
of_contact!(Track as Track => Track {
    queue, service, waits, consult, answered, held, machine, callback;
    arrived = arrived_us, waited_before = waited_before_us, reserved = reserved_us
});
of_contact!(Arc<Known> as Known => Person { customer, arrived, said, recall, lots });

impl Record for (ContactId, Arc<Timeline>) {
    type Pb = pb::Timeline;
    fn put(&self) -> pb::Timeline {
        let (contact, of) = self;
        let forgotten = of.items.len().saturating_sub(ITEMS_KEPT);
        pb::Timeline {
            contact: contact.0,
            forgotten: of.forgotten + forgotten as u64,
            items: of.items[forgotten..].iter().map(Record::put).collect(),
        }
    }
    fn take(pb: pb::Timeline) -> Result<Self, CodecError> {
        let items = Field::take(pb.items, "Timeline.items")?;
        Ok((ContactId(pb.contact), Arc::new(Timeline { items, forgotten: pb.forgotten })))
    }
}

impl Record for TimelineItem {
    type Pb = pb::TimelineItem;
    fn put(&self) -> pb::TimelineItem {
        pb::TimelineItem {
            sequence: self.sequence,
            at_us: Field::put(&self.at),
            wall_ms: Field::put(&self.wall),
            actor: Field::put(&self.actor),
            event: Some(event::put(&self.event)),
            sealed: Field::put(&self.sealed),
            became_ready: self.became_ready,
        }
    }
    fn take(pb: pb::TimelineItem) -> Result<Self, CodecError> {
        let kind = pb.event.ok_or(CodecError::Missing { field: "TimelineItem.event" })?.kind;
        let kind = kind.ok_or(CodecError::UnknownEvent { sequence: pb.sequence })?;
        Ok(Self {
            sequence: pb.sequence,
            at: Field::take(pb.at_us, "TimelineItem.at_us")?,
            wall: Field::take(pb.wall_ms, "TimelineItem.wall_ms")?,
            actor: Field::take(pb.actor, "TimelineItem.actor")?,
            event: Arc::new(event::take(kind)?),
            sealed: Field::take(pb.sealed, "TimelineItem.sealed")?,
            became_ready: pb.became_ready,
        })
    }
}

// By name, not by position: a word that is added later must not move the others.
impl Record for RecallStatistics {
    type Pb = pb::RecallTally;

    fn put(&self) -> pb::RecallTally {
        let mut returned = Vec::new();
        for (tier, because) in pairs(&Tier::ALL, &ReturnedBecause::ALL) {
            let times = self.returned[tier.index()][because as usize];
            let (tier, because) = (Field::put(&tier), Field::put(&because));
            returned.push(pb::ReturnedTally { tier, because, times });
        }
        let mut triaged = Vec::new();
        for class in TriageClass::ALL {
            let times = self.triaged[class as usize];
            triaged.push(pb::TriagedTally { class: Field::put(&class), times });
        }
        let mut said = Vec::new();
        for (text, how) in pairs(&TextKind::ALL, &HowSaid::ALL) {
            let times = self.said[text.index()][how.index()];
            let (text, how) = (Field::put(&text), Field::put(&how));
            said.push(pb::SaidTally { text, how, times });
        }
        returned.retain(|r| r.times > 0);
        triaged.retain(|t| t.times > 0);
        said.retain(|s| s.times > 0);
        pb::RecallTally {
            recall: Field::put(&self.recall),
            level: Field::put(&self.level),
            over: self.over,
            started: Field::put(&self.started),
            now: Field::put(&self.now),
            returned,
            triaged,
            said,
        }
    }

    fn take(pb: pb::RecallTally) -> Result<Self, CodecError> {
        let recall = Field::take(pb.recall, "RecallTally.recall")?;
        let level = Field::take(pb.level, "RecallTally.level")?;
        let started = Field::take(pb.started, "RecallTally.started")?;
        let mut of = Self::new(recall, level, started);
        of.over = pb.over;
        of.now = Field::take(pb.now, "RecallTally.now")?;
        for r in pb.returned {
            let tier = Tier::take(r.tier, "ReturnedTally.tier")?;
            let because = ReturnedBecause::take(r.because, "ReturnedTally.because")?;
            of.returned[tier.index()][because as usize] = r.times;
        }
        for t in pb.triaged {
            let class = TriageClass::take(t.class, "TriagedTally.class")?;
            of.triaged[class as usize] = t.times;
        }
        for s in pb.said {
            let text = TextKind::take(s.text, "SaidTally.text")?;
            let how = HowSaid::take(s.how, "SaidTally.how")?;
            of.said[text.index()][how.index()] = s.times;
        }
        Ok(of)
    }
}

/// Every one of the first with every one of the second.
fn pairs<A: Copy, B: Copy>(first: &[A], second: &[B]) -> impl Iterator<Item = (A, B)> {
    first.iter().flat_map(move |a| second.iter().map(move |b| (*a, *b)))
}
