//! A queue's life: steps, hours, numbers outside and announcements, and how far contacts have
//! come in it.

use std::sync::Arc;

use smallvec::SmallVec;

use super::field::{Field, Record, record};
use super::{CodecError, pb};
use crate::engine::callback::Window;
use crate::engine::event::{Announce, HoursChanged, Opens, StepTaken, WaitAnnounced};
use crate::engine::hours::Hours;
use crate::engine::queue_life::{
    Calendar, External, Fallback, Holiday, Notice, Opening, Overflow, QueueLife, QueueStep, Then,
};
use crate::engine::stage::{Announced, Course, Filing, Stage};
use crate::engine::words::{Channel, Language};
use crate::ids::{ExternalId, QueueId};
use crate::time::EngineTime;

record!(StepTaken => StepTaken { step, filing });
record!(HoursChanged => HoursChanged { calendar, now });
record!(WaitAnnounced => WaitAnnounced { contact, told; next = next_us });
record!(Stage => Stage {
    pools, again, turned_away, lane;
    entered = entered_us, stepped = stepped_us, due = due_us, update = update_us,
    raised = raised_us
});
record!(Filing => Filing { contact, needs, preferred, stage; place = place_us });
record!(Announced => Announced { ahead, longer; at = at_us, wait = wait_us });
record!(Course => Course { been, announced });
record!(Hours => Hours { open, ahead; changes = changes_unix_ms });
record!(Window => OpenWindow { ; from = from_us, until = until_us });
record!(Announce => Announce { notice, language, outlook, opens, ends });
record!(Opens => Opens { calendar; at = at_unix_ms });
record!(QueueStep => QueueStep {
    lower_proficiency, drop_preferred, add_pools, overflow, tell;
    after = after_us, raise_priority = raise_priority_us
});
record!(QueueLife => QueueLife { hours, closed, most_waiting, full; updates = updates_us });
record!(Calendar => Calendar { name, retired, zone, week, holidays });
record!(Opening => Opening { from, to });
record!(External => External { name, retired, numbers });
record!(Notice => Notice { name, retired, texts, version });

impl Record for Box<Course> {
    type Pb = pb::Course;
    fn put(&self) -> pb::Course {
        Record::put(self.as_ref())
    }
    fn take(pb: pb::Course) -> Result<Self, CodecError> {
        <Course as Record>::take(pb).map(Self::new)
    }
}

impl Record for (ExternalId, EngineTime) {
    type Pb = pb::Again;
    fn put(&self) -> pb::Again {
        pb::Again { external: Field::put(&self.0), at_us: Field::put(&self.1) }
    }
    fn take(pb: pb::Again) -> Result<Self, CodecError> {
        Ok((Field::take(pb.external, "Again.external")?, Field::take(pb.at_us, "Again.at_us")?))
    }
}

impl Field for Arc<[Window]> {
    type Pb = Vec<pb::OpenWindow>;
    fn put(&self) -> Vec<pb::OpenWindow> {
        self.iter().map(Record::put).collect()
    }
    fn take(pb: Vec<pb::OpenWindow>, _: &'static str) -> Result<Self, CodecError> {
        pb.into_iter().map(Record::take).collect()
    }
}

impl Field for SmallVec<[QueueId; 4]> {
    type Pb = Vec<u32>;
    fn put(&self) -> Vec<u32> {
        self.iter().map(Field::put).collect()
    }
    fn take(pb: Vec<u32>, name: &'static str) -> Result<Self, CodecError> {
        pb.into_iter().map(|id| Field::take(id, name)).collect()
    }
}

impl Record for Overflow {
    type Pb = pb::Overflow;
    fn put(&self) -> pb::Overflow {
        use pb::overflow::To;
        let to = match self {
            Self::Queue(queue) => To::Queue(Field::put(queue)),
            Self::External(external) => To::External(Field::put(external)),
        };
        pb::Overflow { to: Some(to) }
    }
    fn take(pb: pb::Overflow) -> Result<Self, CodecError> {
        use pb::overflow::To;
        match pb.to.ok_or(CodecError::Missing { field: "Overflow.to" })? {
            To::Queue(queue) => Field::take(queue, "Overflow.queue").map(Self::Queue),
            To::External(external) => {
                Field::take(external, "Overflow.external").map(Self::External)
            }
        }
    }
}

impl Record for Fallback {
    type Pb = pb::Fallback;
    fn put(&self) -> pb::Fallback {
        let (then, to) = match &self.then {
            Then::Wait => (pb::Then::Wait, None),
            Then::Callback => (pb::Then::Callback, None),
            Then::Overflow(to) => (pb::Then::Overflow, Some(Record::put(to))),
            Then::Close => (pb::Then::Close, None),
        };
        pb::Fallback { tell: Field::put(&self.tell), then: then.into(), to }
    }
    fn take(pb: pb::Fallback) -> Result<Self, CodecError> {
        const THEN: &str = "Fallback.then";
        let then = match pb::Then::try_from(pb.then) {
            Ok(pb::Then::Wait) => Then::Wait,
            Ok(pb::Then::Callback) => Then::Callback,
            Ok(pb::Then::Overflow) => Then::Overflow(Field::take(pb.to, "Fallback.to")?),
            Ok(pb::Then::Close) => Then::Close,
            Ok(pb::Then::Unspecified) => return Err(CodecError::Missing { field: THEN }),
            Err(_) => return Err(CodecError::UnknownWord { field: THEN, value: pb.then }),
        };
        Ok(Self { tell: Field::take(pb.tell, "Fallback.tell")?, then })
    }
}

impl Record for Holiday {
    type Pb = pb::Holiday;
    fn put(&self) -> pb::Holiday {
        let (year, month, day) = self.date;
        pb::Holiday {
            year: year.into(),
            month: month.into(),
            day: day.into(),
            name: Field::put(&self.name),
            open: Field::put(&self.open),
        }
    }
    fn take(pb: pb::Holiday) -> Result<Self, CodecError> {
        const YEAR: &str = "Holiday.year";
        let value = u64::from(pb.year.unsigned_abs());
        let wrong = |_| CodecError::OutOfRange { field: YEAR, value };
        let date = (
            i16::try_from(pb.year).map_err(wrong)?,
            Field::take(pb.month, "Holiday.month")?,
            Field::take(pb.day, "Holiday.day")?,
        );
        let name = Field::take(pb.name, "Holiday.name")?;
        Ok(Self { date, name, open: Field::take(pb.open, "Holiday.open")? })
    }
}

// By name, not by position: a channel that is added later must not move the others.
impl Field for [Option<Arc<str>>; 4] {
    type Pb = Vec<pb::ExternalNumber>;
    fn put(&self) -> Vec<pb::ExternalNumber> {
        let number = |c: Channel| {
            let number = self[c.index()].as_ref()?.to_string();
            Some(pb::ExternalNumber { channel: Field::put(&c), number })
        };
        Channel::ALL.into_iter().filter_map(number).collect()
    }
    fn take(pb: Vec<pb::ExternalNumber>, name: &'static str) -> Result<Self, CodecError> {
        let mut numbers = Self::default();
        for n in pb {
            numbers[Channel::take(n.channel, name)?.index()] = Some(n.number.into());
        }
        Ok(numbers)
    }
}

impl Record for (Language, Arc<str>) {
    type Pb = pb::NoticeText;
    fn put(&self) -> pb::NoticeText {
        let (language, words) = (self.0.as_str().to_owned(), self.1.to_string());
        pb::NoticeText { language, words }
    }
    fn take(pb: pb::NoticeText) -> Result<Self, CodecError> {
        const LANGUAGE: &str = "NoticeText.language";
        let language: Option<Language> = Field::take(Some(pb.language), LANGUAGE)?;
        let language = language.ok_or(CodecError::NoLanguage { field: LANGUAGE })?;
        Ok((language, pb.words.into()))
    }
}
