//! Safety contacts that nobody answers, and calling people in.

use smallvec::SmallVec;

use super::field::{Field, Record, oneof, record, words};
use super::{CodecError, pb};
use crate::engine::event::{AlarmNews, SafetyNews, SafetyStep};
use crate::engine::recall::{Alarm, AlarmStep, Lane, LatePlan, Outside, Page, Paged, SafetyPlan};

words!(SafetyStep => SafetyStep { Watched, AnyAgent, Late, OutsideAgain });
words!(Paged => Paged { Sent, Failed, Nowhere, Late, Superseded });
record!(SafetyNews => Safety { contact, step, lane });
record!(AlarmNews => AlarmNews { recall, step });
record!(Lane => Lane {
    recall;
    since = since_us, any_agent = any_agent_us, outside = outside_us, page = page_us
});
record!(Page => Page {
    number, incident, waiting; since = since_us, asked = asked_us, by = by_us
});
oneof!(AlarmStep => AlarmStep in alarm_step {
    Asked => PageAsked { page: page = page, again: again = again_us }
    Settled => PageSettled { number: number = number, how: how = how, again: again = again_us }
    Over => AlarmOver {}
});
oneof!(Outside => Outside in outside {
    Named => ForwardTo { 0: external = external }
    Number => DialledNumber { 0: number = number }
});

impl Record for Box<Lane> {
    type Pb = pb::Lane;
    fn put(&self) -> pb::Lane {
        Record::put(self.as_ref())
    }
    fn take(pb: pb::Lane) -> Result<Self, CodecError> {
        <Lane as Record>::take(pb).map(Self::new)
    }
}

// Plans of before said only that there was a number, which nobody dialled.
impl Record for SafetyPlan {
    type Pb = pb::SafetyPlan;
    fn put(&self) -> pb::SafetyPlan {
        pb::SafetyPlan {
            queue: Field::put(&self.queue),
            kept: Field::put(&self.kept),
            external: self.external.is_some(),
            outside: Field::put(&self.external),
            late: Field::put(&self.late),
        }
    }
    fn take(pb: pb::SafetyPlan) -> Result<Self, CodecError> {
        Ok(Self {
            queue: Field::take(pb.queue, "SafetyPlan.queue")?,
            kept: Field::take(pb.kept, "SafetyPlan.kept")?,
            external: Field::take(pb.outside, "SafetyPlan.outside")?,
            late: Field::take(pb.late, "SafetyPlan.late")?,
        })
    }
}

impl Field for LatePlan {
    type Pb = Option<pb::LatePlan>;
    fn put(&self) -> Option<pb::LatePlan> {
        Some(pb::LatePlan {
            any_agent_us: Field::put(&self.any_agent),
            external_us: Field::put(&self.external),
            page_us: Field::put(&self.page),
            repeat_us: Field::put(&self.repeat),
        })
    }
    fn take(pb: Option<pb::LatePlan>, _: &'static str) -> Result<Self, CodecError> {
        let Some(pb) = pb else { return Ok(Self::default()) };
        Ok(Self {
            any_agent: Field::take(pb.any_agent_us, "LatePlan.any_agent_us")?,
            external: Field::take(pb.external_us, "LatePlan.external_us")?,
            page: Field::take(pb.page_us, "LatePlan.page_us")?,
            repeat: Field::take(pb.repeat_us, "LatePlan.repeat_us")?,
        })
    }
}

impl Field for Alarm {
    type Pb = Option<pb::AlarmState>;
    fn put(&self) -> Option<pb::AlarmState> {
        Some(pb::AlarmState {
            incidents: self.incidents,
            pages: self.pages,
            failed: self.failed,
            since_us: Field::put(&self.since),
            again_us: Field::put(&self.again),
            pending: self.pending.iter().map(Record::put).collect(),
            last: Field::put(&self.last),
        })
    }
    fn take(pb: Option<pb::AlarmState>, _: &'static str) -> Result<Self, CodecError> {
        let Some(pb) = pb else { return Ok(Self::default()) };
        let pending: Result<SmallVec<[Page; 1]>, _> =
            pb.pending.into_iter().map(Record::take).collect();
        Ok(Self {
            incidents: pb.incidents,
            pages: pb.pages,
            failed: pb.failed,
            since: Field::take(pb.since_us, "AlarmState.since_us")?,
            again: Field::take(pb.again_us, "AlarmState.again_us")?,
            pending: pending?,
            last: Field::take(pb.last, "AlarmState.last")?,
        })
    }
}
