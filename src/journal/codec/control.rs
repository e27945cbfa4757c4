//! Levels that are left free: by what they move, what presses on them, what came in.

use super::field::{Field, Record, record, words};
use super::{CodecError, pb};
use crate::engine::image::Arrivals;
use crate::engine::recall::control::{
    Bounds, Control, ControlPlan, Footing, LevelCause, Press, Pressing, Pressure, RUNGS, Reading,
};
use crate::engine::words::Channel;
use crate::time::{EngineTime, Span};

words!(Pressure => Pressure { Wait, Load, Sessions, IvrPorts });

record!(Reading => Reading { of, value, threshold });
record!(Bounds => Bounds { lowest, highest });
record!(Control => Control { bounds, pressing, footings });
record!(ControlPlan => ControlPlan {
    load, release, gateway, bounds;
    wait = wait_us, held = held_us, leave_after = leave_after_us
});

impl Field for [Span; RUNGS] {
    type Pb = Vec<u64>;
    fn put(&self) -> Vec<u64> {
        self.iter().map(|span| span.0).collect()
    }
    fn take(pb: Vec<u64>, name: &'static str) -> Result<Self, CodecError> {
        let length =
            |of: Vec<u64>| CodecError::Length { field: name, expected: RUNGS, found: of.len() };
        <[u64; RUNGS]>::try_from(pb).map(|spans| spans.map(Span)).map_err(length)
    }
}

impl Record for Pressing {
    type Pb = pb::Pressing;
    fn put(&self) -> pb::Pressing {
        let press = |(rung, press): (u32, &Option<Press>)| {
            let press = press.as_ref()?;
            let by = Field::put(&press.by);
            Some(pb::Press { rung, since_us: press.since.0, by })
        };
        let rungs = (0..).zip(&self.rungs).filter_map(press).collect();
        let calm = |(rung, since): (u32, &Option<EngineTime>)| {
            since.map(|since| pb::Calm { rung, since_us: since.0 })
        };
        let calm = (0..).zip(&self.calm).filter_map(calm).collect();
        pb::Pressing { rungs, calm_us: None, calm }
    }
    fn take(pb: pb::Pressing) -> Result<Self, CodecError> {
        // Journals that knew of one rung at a time: what lies below it was calm before.
        let one = Field::take(pb.calm_us, "Pressing.calm_us")?;
        let mut pressing = Self { calm: [one; RUNGS], ..Self::default() };
        for calm in pb.calm {
            pressing.calm[rung(calm.rung, "Calm.rung")?] = Some(EngineTime(calm.since_us));
        }
        for press in pb.rungs {
            let rung = rung(press.rung, "Press.rung")?;
            let by = Field::take(press.by, "Press.by")?;
            pressing.rungs[rung] = Some(Press { since: EngineTime(press.since_us), by });
        }
        Ok(pressing)
    }
}

impl Field for [Footing; RUNGS] {
    type Pb = Vec<pb::Footing>;
    fn put(&self) -> Vec<pb::Footing> {
        let any = |(_, footing): &(u32, &Footing)| **footing != Footing::default();
        let footing = |(rung, of): (u32, &Footing)| pb::Footing {
            rung,
            left_us: Field::put(&of.left),
            relapses: of.relapses.into(),
        };
        (0..).zip(self).filter(any).map(footing).collect()
    }
    fn take(pb: Vec<pb::Footing>, _: &'static str) -> Result<Self, CodecError> {
        let mut footings = Self::default();
        for of in pb {
            let rung = rung(of.rung, "Footing.rung")?;
            let left = Field::take(of.left_us, "Footing.left_us")?;
            let relapses = Field::take(of.relapses, "Footing.relapses")?;
            footings[rung] = Footing { left, relapses };
        }
        Ok(footings)
    }
}

fn rung(rung: u32, field: &'static str) -> Result<usize, CodecError> {
    let known = usize::try_from(rung).ok().filter(|rung| *rung < RUNGS);
    known.ok_or(CodecError::OutOfRange { field, value: rung.into() })
}

// In older journals it is absent: people alone set levels then.
impl Field for LevelCause {
    type Pb = Option<pb::LevelCause>;
    fn put(&self) -> Option<pb::LevelCause> {
        use pb::LevelCauseKind as Kind;
        let kind = match self {
            Self::ByHand => Kind::ByHand,
            Self::Bounds => Kind::Bounds,
            Self::Pressed { .. } => Kind::Pressed,
            Self::Calm { .. } => Kind::Calm,
        };
        let (by, lasting) = self.reading().unzip();
        let lasting_us = lasting.unwrap_or_default().0;
        let by = by.as_ref().map(Record::put);
        Some(pb::LevelCause { kind: kind.into(), by, lasting_us })
    }
    fn take(pb: Option<pb::LevelCause>, _: &'static str) -> Result<Self, CodecError> {
        use pb::LevelCauseKind as Kind;
        const KIND: &str = "LevelCause.kind";
        let Some(pb) = pb else { return Ok(Self::ByHand) };
        let (lasting, by) = (Span(pb.lasting_us), pb.by);
        Ok(match Kind::try_from(pb.kind) {
            Ok(Kind::ByHand) => Self::ByHand,
            Ok(Kind::Bounds) => Self::Bounds,
            Ok(Kind::Pressed) => Self::Pressed { by: Field::take(by, "LevelCause.by")?, lasting },
            Ok(Kind::Calm) => Self::Calm { by: Field::take(by, "LevelCause.by")?, lasting },
            Ok(Kind::Unspecified) => return Err(CodecError::Missing { field: KIND }),
            Err(_) => return Err(CodecError::UnknownWord { field: KIND, value: pb.kind }),
        })
    }
}

impl Record for [Arrivals; 4] {
    type Pb = pb::QueueInflow;
    fn put(&self) -> pb::QueueInflow {
        let channel = |channel: Channel| {
            let Arrivals { newest, counts } = &self[channel.index()];
            let channel = Field::put(&channel);
            pb::ChannelInflow { channel, newest: *newest, counts: counts.to_vec() }
        };
        let any = |c: &Channel| self[c.index()] != Arrivals::default();
        pb::QueueInflow { channels: Channel::ALL.into_iter().filter(any).map(channel).collect() }
    }
    fn take(pb: pb::QueueInflow) -> Result<Self, CodecError> {
        let mut inflow = [Arrivals::default(); 4];
        for c in pb.channels {
            let length = |of: Vec<u32>| CodecError::Length {
                field: "ChannelInflow.counts",
                expected: Arrivals::default().counts.len(),
                found: of.len(),
            };
            let counts = c.counts.try_into().map_err(length)?;
            let channel = Channel::take(c.channel, "ChannelInflow.channel")?;
            inflow[channel.index()] = Arrivals { newest: c.newest, counts };
        }
        Ok(inflow)
    }
}
