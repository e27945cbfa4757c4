//! Every event and its message, in one list that both directions are made from.

use super::field::{Field, Record, record};
use super::pb::event::Kind;
use super::{CodecError, pb};
use crate::engine::event::{
    Arrived, BreakerSet, Event, PartnersSet, Queued, RecordingNoted, Reserved, Why,
};

record!(Arrived => Arrived {
    contact, gateway, session, key, content, channel, entry_point, customer, continues, attributes,
    own_needs, own_preferred, language;
    waited = waited_us
});
record!(Queued => Queued {
    contact, queue, because, service, needs, preferred, stage, named, pass_over, released;
    head_start = head_start_us, place = place_us
});
record!(Reserved => Reserved {
    contact, reservation, agent, trigger, rank, load, async_passed, why;
    deadline = deadline_us, idle = idle_us, waited = waited_us
});

record!(RecordingNoted => RecordingNoted { contact, reference, consent });
record!(PartnersSet => PartnersSet { recall, now });
record!(BreakerSet => BreakerSet { recall, tier, now });
record!(Why => Why {
    rule, queues, backlog, backlogs, share, shares, late, index, proficiency, lacks
});

/// `structs` have named fields, those after `;` under another name in the message;
/// `single` hold one value, which is one field there; `whole` hold a record.
macro_rules! events {
    (
        structs { $($s:ident { $($f:ident),* $(; $($g:ident = $p:ident),*)? })* }
        single { $($one:ident($v:ident))* }
        whole { $($whole:ident)* }
    ) => {
        /// An event as its message.
        pub(super) fn put(event: &Event) -> pb::Event {
            let kind = match event {
                $(Event::$s { $($f,)* $($($g,)*)? } => Kind::$s(pb::$s {
                    $($f: Field::put($f),)*
                    $($($p: Field::put($g),)*)?
                }),)*
                $(Event::$one(value) => Kind::$one(pb::$one { $v: Field::put(value) }),)*
                $(Event::$whole(record) => Kind::$whole(Record::put(record)),)*
            };
            pb::Event { kind: Some(kind) }
        }

        /// An event from its message.
        pub(super) fn take(kind: Kind) -> Result<Event, CodecError> {
            Ok(match kind {
                $(Kind::$s(m) => Event::$s {
                    $($f: Field::take(m.$f, concat!(stringify!($s), ".", stringify!($f)))?,)*
                    $($($g: Field::take(m.$p, concat!(stringify!($s), ".", stringify!($p)))?,)*)?
                },)*
                $(Kind::$one(m) => Event::$one(
                    Field::take(m.$v, concat!(stringify!($one), ".", stringify!($v)))?,
                ),)*
                $(Kind::$whole(m) => Event::$whole(Record::take(m)?),)*
            })
        }
    };
}

events! {
    structs {
        Restarted { ; gap = gap_us, missed = missed_us }
        Ordered { why }
        GatewayRegistered { gateway, name }
        GatewayConnected { gateway, session, limits }
        GatewayLost { gateway }
        GatewayResynced { gateway }
        Reattached { contact, session }
        PassOverEnded { contact, agent }
        Renewed { contact; until = until_us }
        Unchanged { contact }
        Reprioritised { contact; head_start = head_start_us, place = place_us }
        NotTaken { contact, reservation, agent, how; pass_over = pass_over_us }
        Accepted { contact, reservation, agent; connect_by = connect_by_us }
        EffectAsked { effect, contact, kind }
        EffectSettled { effect, contact, how }
        LegReported { contact, reservation, party, outcome, code }
        Bridged { contact, reservation, agent }
        ConnectFailed { contact, reservation, agent, fault; pass_over = pass_over_us }
        Pended { contact, agent, on; until = until_us }
        AttributesSet { contact, attributes }
        HoldChanged { contact, on }
        Coded { contact, agent, disposition }
        ConsultStarted { parent, child, agent }
        HandedOver { contact, from, to; wrap_up = wrap_up_us }
        Closed { contact, gateway, consult_of, reason, agent; wrap_up = wrap_up_us }
        WrapUpEnded { agent, contact }
        AgentConnected { agent, session }
        AgentLost { agent; grace = grace_us }
        AvailabilityChanged { agent, to, because }
        NextSet { agent, next }
        ReservationsPaused { paused }
        RecallStarted { recall, plan, level; expires = expires_us }
        LevelChanged { recall, level, cause }
        LevelFreed { recall, bounds }
        LevelPressed { recall, pressing }
        RecallEnded { recall, expired }
        Triaged { contact, heed }
        Diverted { contact, now }
        Stepped { contact, now }
        Returned { contact, recall, tier, because }
        WordsAsked { contact, ask, recall, want }
        WordsRead { contact, ask, found }
        KeysPressed { contact, keys, lot }
    }
    single {
        Configured(routing)
        Detached(contact)
        OpenedToAll(contact)
        InputReceived(contact)
        PhoneUnreachable(agent)
        CallLost(contact)
        ReplyCame(contact)
        HoldEnded(contact)
        FellSilent(contact)
        PresenceAssumed(contact)
    }
    whole {
        RecordingNoted PartnersSet BreakerSet
        Arrived Queued Reserved FollowUpOpened Refiled PromiseMade PromiseSet RecoveryOpened RecoverySet
        PlaceKept FeedbackGiven Advanced Linked HeldBack PresenceAsked WentSilent
        StepTaken HoursChanged WaitAnnounced NumberConfirmed CallbackPromised CallbackStepped Dialled
        PromiseOpened ReasonOverstayed SignOut WrapUpExtended OutsideCall Participant Bulk Shared
        Safety Alarm Amended Rechecked
    }
}
