//! The routing configuration, whole: a replay decides by what was in force then.

use std::sync::Arc;

use super::field::{Field, Record, record, words};
use super::{CodecError, pb};
use crate::engine::policy::{
    AgentChoice, Channels, ContactChoice, LanguageRule, QueuePolicy, Workload,
};
use crate::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use crate::engine::sharing::Sharing;
use crate::engine::words::{Channel, Language};
use crate::ids::SkillId;

record!(Routing => Routing {
    skills, pools, partners, queues, agents, entry_points, not_ready_reasons, dispositions, languages,
    calendars, externals, notices, still_there, sharings, settings
});
record!(Listed => Listed { name, retired });
record!(Sharing => Sharing {
    name, retired, helped, own, pools, ratio, activate, release, reverse
});
record!(EntryPoint => EntryPoint { name, retired, queue });
record!(Queue => Queue {
    name, retired, needs, pools, channels, safety, policy, steps, life, callback, care;
    target = target_us, head_start = head_start_us,
    reservation_timeout = reservation_timeout_us, connect_timeout = connect_timeout_us,
    wrap_up = wrap_up_us, wrap_up_most = wrap_up_most_us
});
record!(QueuePolicy => QueuePolicy {
    preferred, language, agent_choice, share, cost;
    sticky = sticky_us, handle_time = handle_time_us, patience = patience_us
});
words!(LanguageRule => LanguageRule { Required, Preferred, Ignored });
words!(AgentChoice => AgentChoice { LongestIdle, MostProficient, LeastProficient, Random });
words!(ContactChoice => ContactChoice { FixedQueueRatio, OldestFirst, CmuTheta });
record!(AgentProfile => AgentProfile {
    name, retired, pool, skills, primary, capacity, workload, authority
});
record!(Settings => Settings {
    ring_no_answer_limit, async_share, most_contacts, contact_choice, promises, tell_listening;
    pass_over = pass_over_us, named_wait = named_wait_us, agent_grace = agent_grace_us,
    outside_lasts = outside_lasts_us, short_abandon = short_abandon_us
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

impl Record for (Language, SkillId) {
    type Pb = pb::Spoken;
    fn put(&self) -> pb::Spoken {
        pb::Spoken { language: self.0.as_str().to_owned(), skill: Field::put(&self.1) }
    }
    fn take(pb: pb::Spoken) -> Result<Self, CodecError> {
        const LANGUAGE: &str = "Spoken.language";
        let language: Option<Language> = Field::take(Some(pb.language), LANGUAGE)?;
        let language = language.ok_or(CodecError::NoLanguage { field: LANGUAGE })?;
        Ok((language, Field::take(pb.skill, "Spoken.skill")?))
    }
}

impl Record for Workload {
    type Pb = pb::Workload;
    fn put(&self) -> pb::Workload {
        let costs = Channel::ALL.into_iter().filter(|c| self.cost[c.index()] != 0);
        let interrupting =
            Channel::ALL.into_iter().filter(|c| !self.interrupts[c.index()].is_empty());
        pb::Workload {
            budget: Field::put(&self.budget),
            costs: costs
                .map(|c| pb::ChannelCost {
                    channel: Field::put(&c),
                    cost: Field::put(&self.cost[c.index()]),
                })
                .collect(),
            interruptions: interrupting
                .map(|c| pb::Interruption {
                    by: Field::put(&c),
                    interrupted: self.interrupts[c.index()].each().map(|c| c.put()).collect(),
                })
                .collect(),
        }
    }
    fn take(pb: pb::Workload) -> Result<Self, CodecError> {
        let budget = Field::take(pb.budget, "Workload.budget")?;
        let mut workload = Self { budget, ..Self::default() };
        for c in pb.costs {
            let channel = Channel::take(c.channel, "ChannelCost.channel")?;
            workload.cost[channel.index()] = Field::take(c.cost, "ChannelCost.cost")?;
        }
        for i in pb.interruptions {
            let by = Channel::take(i.by, "Interruption.by")?;
            let of = i.interrupted.into_iter();
            let of = of.map(|c| Channel::take(c, "Interruption.interrupted"));
            workload.interrupts[by.index()] = of.collect::<Result<Channels, _>>()?;
        }
        Ok(workload)
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
