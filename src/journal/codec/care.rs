//! Customers' patience: what queues say of it, what contacts carry of it, and its events.

use std::sync::Arc;

use super::field::{Field, Record, record, required};
use super::{CodecError, pb};
use crate::engine::care::{Care, Held, Liveness, LowScore, QueueCare, Silence};
use crate::engine::event::{
    Advanced, AdvancedBecause, Feedback, HeldBack, Linked, PlaceKept, PresenceAsked, WentSilent,
};
use crate::engine::image::{KeptPlace, LastOfThread};
use crate::engine::words::Language;

record!(QueueCare => QueueCare {
    link, liveness, low_score; keep_place = keep_place_us, hold_linked = hold_linked_us, thread = thread_us
});
record!(LowScore => LowScore { at_most; within = within_us });
record!(Liveness => Liveness {
    ; after = after_us, answer_within = answer_within_us, keep = keep_us
});
record!(Care => CareState {
    matter, held, silence; ahead = ahead_us, silent_after = silent_after_us, heard = heard_us
});
record!(Held => HeldState { with; until = until_us });
record!(KeptPlace => KeptPlaceState {
    customer, queue, contact; until = until_us, origin = origin_us
});
record!(LastOfThread => ThreadState { contact, agent; until = until_us });
record!(PlaceKept => PlaceKept {
    contact, customer, queue; origin = origin_us, until = until_us
});
record!(Advanced => Advanced { contact, because; by = by_us, place = place_us });
record!(Linked => Linked { contact, with, matter });
record!(HeldBack => HeldBack { contact, with; until = until_us });
record!(PresenceAsked => PresenceAsked { contact, agent; until = until_us });
record!(WentSilent => WentSilent { contact; until = until_us });
record!(Feedback => FeedbackGiven { contact, gateway, channel, queue, score, scale, words });

impl Field for Option<u8> {
    type Pb = Option<u32>;
    fn put(&self) -> Self::Pb {
        self.map(u32::from)
    }
    fn take(pb: Self::Pb, name: &'static str) -> Result<Self, CodecError> {
        pb.map(|v| Field::take(v, name)).transpose()
    }
}

impl Record for AdvancedBecause {
    type Pb = pb::AdvancedBecause;

    fn put(&self) -> pb::AdvancedBecause {
        let (of, queue) = match self {
            Self::Returned { of, queue } => (*of, Some(*queue)),
            Self::Linked(of) => (*of, None),
        };
        pb::AdvancedBecause { of: of.0, queue: Field::put(&queue) }
    }

    fn take(pb: pb::AdvancedBecause) -> Result<Self, CodecError> {
        let of = Field::take(pb.of, "AdvancedBecause.of")?;
        let queue = Field::take(pb.queue, "AdvancedBecause.queue")?;
        Ok(match queue {
            Some(queue) => Self::Returned { of, queue },
            None => Self::Linked(of),
        })
    }
}

impl Record for Silence {
    type Pb = pb::SilenceState;

    fn put(&self) -> pb::SilenceState {
        let (kind, asked) = match self {
            Self::None => (pb::SilenceKind::None, None),
            Self::Fell => (pb::SilenceKind::Fell, None),
            Self::Asked { agent, until } => (pb::SilenceKind::Asked, Some((*agent, *until))),
            Self::Gone => (pb::SilenceKind::Gone, None),
        };
        let (agent, until_us) = (asked.map(|a| a.0.0), asked.map(|a| a.1.0));
        pb::SilenceState { kind: kind.into(), agent, until_us }
    }

    fn take(pb: pb::SilenceState) -> Result<Self, CodecError> {
        const KIND: &str = "SilenceState.kind";
        match pb::SilenceKind::try_from(pb.kind) {
            Ok(pb::SilenceKind::None) => Ok(Self::None),
            Ok(pb::SilenceKind::Fell) => Ok(Self::Fell),
            Ok(pb::SilenceKind::Asked) => Ok(Self::Asked {
                agent: required(pb.agent, "SilenceState.agent")?,
                until: required(pb.until_us, "SilenceState.until_us")?,
            }),
            Ok(pb::SilenceKind::Gone) => Ok(Self::Gone),
            Ok(pb::SilenceKind::Unspecified) => Err(CodecError::Missing { field: KIND }),
            Err(_) => Err(CodecError::UnknownWord { field: KIND, value: pb.kind }),
        }
    }
}

impl Record for (Option<Language>, Arc<str>) {
    type Pb = pb::StillThere;
    fn put(&self) -> pb::StillThere {
        pb::StillThere { language: Field::put(&self.0), text: Field::put(&self.1) }
    }
    fn take(pb: pb::StillThere) -> Result<Self, CodecError> {
        Ok((
            Field::take(pb.language, "StillThere.language")?,
            Field::take(pb.text, "StillThere.text")?,
        ))
    }
}
