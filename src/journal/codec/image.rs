//! The engine's image as messages: contacts, agents, gateways, recalls and replies.
//!
//! Lossless for everything that an engine can hold between two entries. Whether the values
//! fit together is [`Engine::restore`](crate::engine::Engine::restore)'s business.

mod owed;
pub(in crate::journal) mod parts;
pub(in crate::journal) mod seen;

use smallvec::SmallVec;

use super::field::{Field, Record, oneof, record};
use super::{CodecError, pb};
use crate::engine::agent::{Agent, Hold, Presence, Work};
use crate::engine::command::Reply;
use crate::engine::contact::{Contact, Link, State, StateKind};
use crate::engine::event::EffectKind;
use crate::engine::gateway::{Gateway, Sweep};
use crate::engine::image::{Counts, Image, LastAgent, Measure, Rates, Remembered, Taken};
use crate::engine::recall::{Breaker, Machine, Recall, Text, Tier, TierCounts};
use crate::engine::words::{Channel, Key};
use crate::ids::{EffectId, RecallId};

record!(Agent => AgentState {
    presence, availability, next, phone_unreachable, missed, work, overstayed, leaving, outside;
    id = agent, idle_since = idle_since_us, since = since_us, over_at = over_at_us
});
record!(Work => WorkInHand { contact, queue, channel, hold });
record!(Measure => MeasureState { inside, times; until = until_us, time = time_us });
record!(Gateway => GatewayState { name, session, limits, sweep, effects, unsaid, in_ivr; next_call = next_call_us });
record!(Recall => RecallState {
    plan, level, over, tiers, breakers, partners, control, raised, lowered, alarm, amends;
    id = recall, since = since_us, started = started_us, expires = expires_us
});
record!(Contact => OpenContact {
    id, gateway, link, key, content, channel, entry_point, customer, continues, attributes, state,
    queue, service, needs, preferred, own_needs, own_preferred, named, passed_over, parent, consult, on_hold, effects,
    language, triage, machine, heard, stage, course, callable, owed, callback, care, participants,
    partner;
    arrived = arrived_us, waited_before = waited_before_us, head_start = head_start_us,
    place = place_us, queued = queued_us, answered = answered_us
});
record!(Machine => MachineState { bounced, injury_asked, follow_up, refused, offered });
record!(Remembered => RememberedReply { request, reply });
record!(LastAgent => LastAgentState { customer, agent; at = at_us });

oneof!(Presence => Presence in presence {
    Absent => Nothing {}
    Connected => InSession { 0: session = session }
    Lost => UntilTime { until: until = until_us }
});
oneof!(Hold => Hold in hold {
    Reserved => Nothing {}
    Connecting => Nothing {}
    Assigned => Nothing {}
    WrapUp => WrapUpState { since: since = since_us, until: until = until_us }
});
oneof!(Sweep => Sweep in sweep {
    None => Nothing {}
    Detach => Nothing {}
    CloseLost => InSession { 0: session = session }
});
oneof!(Link => Link in link {
    Unary => Nothing {}
    Attached => InSession { 0: session = session }
    Detached => Nothing {}
});
oneof!(State => ContactState in contact_state {
    New => Nothing {}
    Queued => Nothing {}
    Reserved => HeldUntil {
        reservation: reservation = reservation, agent: agent = agent, deadline: until = deadline_us
    }
    Connecting => HeldUntil {
        reservation: reservation = reservation, agent: agent = agent, deadline: until = deadline_us
    }
    Assigned => HeldSince {
        reservation: reservation = reservation, agent: agent = agent, since: since = since_us
    }
    Pending => PendingState { on: on = on, until: until = until_us, agent: agent = agent }
    SelfService => InSelfService { 0: now = now }
    CallbackDue => Nothing {}
});
oneof!(Reply => Reply in reply {
    Done => Nothing {}
    Contact => ContactReply { 0: contact = contact }
    Gateway => GatewayReply { gateway: gateway = gateway, session: session = session }
    Agent => InSession { 0: session = session }
    Recall => RecallReply { 0: recall = recall }
    Order => OrderReply { 0: order = order }
    Unknown => UnknownReply { 0: keys = keys }
    Promised => PromisedReply { promise: promise = promise, due: due = due_us }
    Recovery => RecoveryReply { 0: recovery = recovery }
});

impl Field for Vec<Key> {
    type Pb = Vec<String>;
    fn put(&self) -> Vec<String> {
        self.iter().map(Field::put).collect()
    }
    fn take(pb: Vec<String>, name: &'static str) -> Result<Self, CodecError> {
        pb.into_iter().map(|key| Field::take(key, name)).collect()
    }
}

/// Short lists of messages.
macro_rules! short {
    ($($most:literal),*) => { $(
        impl<R: Record> Field for SmallVec<[R; $most]> {
            type Pb = Vec<R::Pb>;
            fn put(&self) -> Self::Pb {
                self.iter().map(Record::put).collect()
            }
            fn take(pb: Self::Pb, _: &'static str) -> Result<Self, CodecError> {
                pb.into_iter().map(R::take).collect()
            }
        }
    )* };
}
short!(1, 2);

impl Record for (EffectId, EffectKind) {
    type Pb = pb::PendingEffect;
    fn put(&self) -> pb::PendingEffect {
        pb::PendingEffect { effect: Field::put(&self.0), kind: Field::put(&self.1) }
    }
    fn take(pb: pb::PendingEffect) -> Result<Self, CodecError> {
        Ok((
            Field::take(pb.effect, "PendingEffect.effect")?,
            Field::take(pb.kind, "PendingEffect.kind")?,
        ))
    }
}

impl Record for (RecallId, Text) {
    type Pb = pb::HeardText;
    fn put(&self) -> pb::HeardText {
        pb::HeardText { recall: Field::put(&self.0), text: Field::put(&self.1) }
    }
    fn take(pb: pb::HeardText) -> Result<Self, CodecError> {
        Ok((Field::take(pb.recall, "HeardText.recall")?, Field::take(pb.text, "HeardText.text")?))
    }
}

// By name, not by position: a tier that is added later must not move the others.
impl Field for [TierCounts; Tier::ALL.len()] {
    type Pb = Vec<pb::TierState>;
    fn put(&self) -> Vec<pb::TierState> {
        let tier = |tier: Tier| {
            let t = &self[tier.index()];
            pb::TierState {
                tier: Field::put(&tier),
                in_use: t.in_use,
                entered: t.entered,
                solved: t.solved,
                informed: t.informed,
                returned: t.returned,
                followed_up: t.followed_up,
                left: t.left,
            }
        };
        Tier::ALL.into_iter().map(tier).collect()
    }
    fn take(pb: Vec<pb::TierState>, _: &'static str) -> Result<Self, CodecError> {
        let mut tiers = [TierCounts::default(); Tier::ALL.len()];
        for t in pb {
            tiers[Tier::take(t.tier, "TierState.tier")?.index()] = TierCounts {
                in_use: t.in_use,
                entered: t.entered,
                solved: t.solved,
                informed: t.informed,
                returned: t.returned,
                followed_up: t.followed_up,
                left: t.left,
            };
        }
        Ok(tiers)
    }
}

// By name, as the tiers themselves.
impl Field for [Breaker; Tier::ALL.len()] {
    type Pb = Vec<pb::BreakerState>;
    fn put(&self) -> Vec<pb::BreakerState> {
        let tier = |tier: Tier| pb::BreakerState {
            tier: Field::put(&tier),
            breaker: Field::put(&self[tier.index()]),
        };
        let told = |tier: &Tier| self[tier.index()] != Breaker::default();
        Tier::ALL.into_iter().filter(told).map(tier).collect()
    }
    fn take(pb: Vec<pb::BreakerState>, _: &'static str) -> Result<Self, CodecError> {
        let mut breakers = [Breaker::default(); Tier::ALL.len()];
        for b in pb {
            breakers[Tier::take(b.tier, "BreakerState.tier")?.index()] =
                Field::take(b.breaker, "BreakerState.breaker")?;
        }
        Ok(breakers)
    }
}

impl Record for [Rates; 4] {
    type Pb = pb::QueuePace;
    fn put(&self) -> pb::QueuePace {
        let channel = |channel: Channel| {
            let Rates { taken: Taken { newest, counts }, work, waiting, turns } =
                &self[channel.index()];
            pb::ChannelPace {
                channel: Field::put(&channel),
                newest: *newest,
                counts: counts.to_vec(),
                work: Field::put(work),
                waiting: Field::put(waiting),
                turns: Field::put(turns),
            }
        };
        let any = |c: &Channel| self[c.index()] != Rates::default();
        pb::QueuePace { channels: Channel::ALL.into_iter().filter(any).map(channel).collect() }
    }
    fn take(pb: pb::QueuePace) -> Result<Self, CodecError> {
        let mut pace = [Rates::default(); 4];
        for c in pb.channels {
            let found = c.counts.len();
            let counts = c.counts.try_into().map_err(|_| CodecError::Length {
                field: "ChannelPace.counts",
                expected: Taken::default().counts.len(),
                found,
            })?;
            let channel = Channel::take(c.channel, "ChannelPace.channel")?;
            pace[channel.index()] = Rates {
                taken: Taken { newest: c.newest, counts },
                work: Field::take(c.work, "ChannelPace.work")?,
                waiting: Field::take(c.waiting, "ChannelPace.waiting")?,
                turns: Field::take(c.turns, "ChannelPace.turns")?,
            };
        }
        Ok(pace)
    }
}

impl Record for Counts {
    type Pb = pb::EngineCounts;
    fn put(&self) -> pb::EngineCounts {
        pb::EngineCounts {
            accepted: self.accepted,
            closed: self.by_state[StateKind::Closed.index()],
            last_reservation: self.last_reservation,
            last_effect: self.last_effect,
            last_session: self.last_session,
            last_ask: self.last_ask,
            last_recall: self.last_recall.into(),
            async_owed: self.async_owed,
            paused: self.paused,
            last_order: self.last_order,
        }
    }
    fn take(pb: pb::EngineCounts) -> Result<Self, CodecError> {
        let mut by_state = [0; 8];
        by_state[StateKind::Closed.index()] = pb.closed;
        Ok(Self {
            accepted: pb.accepted,
            by_state,
            last_reservation: pb.last_reservation,
            last_effect: pb.last_effect,
            last_session: pb.last_session,
            last_ask: pb.last_ask,
            last_recall: Field::take(pb.last_recall, "EngineCounts.last_recall")?,
            async_owed: pb.async_owed,
            paused: pb.paused,
            last_order: pb.last_order,
        })
    }
}

/// What of an image has no part of its own.
pub(super) fn put_rest(image: &Image) -> pb::EngineState {
    pb::EngineState {
        routing: Field::put(&image.routing),
        agents: Field::put(&image.agents),
        gateways: Field::put(&image.gateways),
        bulks: Field::put(&image.bulks),
        shared: Field::put(&image.shared),
        pace: Field::put(&image.pace),
        inflow: Field::put(&image.inflow),
        counts: Field::put(&image.counts),
        owed: Field::put(&image.owed),
        free: image.free.clone(),
        hours: Field::put(&image.hours),
        state_hash: image.state_hash,
        hash_version: image.hash_version,
    }
}

/// An image that still lacks what has parts of its own.
pub(super) fn take_rest(pb: pb::EngineState) -> Result<Image, CodecError> {
    Ok(Image {
        routing: Field::take(pb.routing, "EngineState.routing")?,
        agents: Field::take(pb.agents, "EngineState.agents")?,
        gateways: Field::take(pb.gateways, "EngineState.gateways")?,
        bulks: Field::take(pb.bulks, "EngineState.bulks")?,
        shared: Field::take(pb.shared, "EngineState.shared")?,
        pace: Field::take(pb.pace, "EngineState.pace")?,
        inflow: Field::take(pb.inflow, "EngineState.inflow")?,
        counts: Field::take(pb.counts, "EngineState.counts")?,
        owed: Field::take(pb.owed, "EngineState.owed")?,
        free: pb.free,
        hours: Field::take(pb.hours, "EngineState.hours")?,
        state_hash: pb.state_hash,
        hash_version: pb.hash_version,
        ..Image::default()
    })
}
