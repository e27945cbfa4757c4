//! The routing configuration, whole: a replay decides by what was in force then.

use std::sync::Arc;

use super::field::{Field, Record, record};
use super::{CodecError, pb};
use crate::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use crate::engine::words::Channel;
use crate::ids::SkillId;

record!(Routing => Routing {
    skills, pools, queues, agents, entry_points, not_ready_reasons, dispositions, settings
});
record!(Listed => Listed { name, retired });
record!(EntryPoint => EntryPoint { name, retired, queue });
record!(Queue => Queue {
    name, retired, needs, pools, channels, safety;
    target = target_us, head_start = head_start_us,
    reservation_timeout = reservation_timeout_us, connect_timeout = connect_timeout_us,
    wrap_up = wrap_up_us
});
record!(AgentProfile => AgentProfile { name, retired, pool, skills, primary, capacity });
record!(Settings => Settings {
    ring_no_answer_limit, async_share, most_contacts;
    pass_over = pass_over_us, named_wait = named_wait_us, agent_grace = agent_grace_us
});

impl Record for Arc<Routing> {
    type Pb = pb::Routing;
    fn put(&self) -> pb::Routing {
        Record::put(self.as_ref())
    }
    fn take(pb: pb::Routing) -> Result<Self, CodecError> {
        <Routing as Record>::take(pb).map(Arc::new)
    }
}

impl Record for (SkillId, u8) {
    type Pb = pb::Proficiency;
    fn put(&self) -> pb::Proficiency {
        pb::Proficiency { skill: Field::put(&self.0), level: Field::put(&self.1) }
    }
    fn take(pb: pb::Proficiency) -> Result<Self, CodecError> {
        Ok((
            Field::take(pb.skill, "Proficiency.skill")?,
            Field::take(pb.level, "Proficiency.level")?,
        ))
    }
}

// By name, not by position: a channel that is added later must not move the others.
impl Field for [bool; 4] {
    type Pb = Vec<i32>;
    fn put(&self) -> Vec<i32> {
        Channel::ALL.into_iter().filter(|c| self[c.index()]).map(|c| Field::put(&c)).collect()
    }
    fn take(pb: Vec<i32>, name: &'static str) -> Result<Self, CodecError> {
        let mut taken = [false; 4];
        for word in pb {
            taken[Channel::take(word, name)?.index()] = true;
        }
        Ok(taken)
    }
}

impl Field for [u8; 4] {
    type Pb = Vec<pb::Capacity>;
    fn put(&self) -> Vec<pb::Capacity> {
        Channel::ALL
            .into_iter()
            .filter(|c| self[c.index()] != 0)
            .map(|c| pb::Capacity { channel: Field::put(&c), most: self[c.index()].into() })
            .collect()
    }
    fn take(pb: Vec<pb::Capacity>, name: &'static str) -> Result<Self, CodecError> {
        let mut capacity = [0; 4];
        for share in pb {
            let channel = Channel::take(share.channel, name)?;
            capacity[channel.index()] = Field::take(share.most, name)?;
        }
        Ok(capacity)
    }
}
