//! Any value at all, from a seed: for round trips and for the fixture.
//!
//! Every event variant is made, by one list; a variant that is not in it does not compile.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::engine::care::{Liveness, LowScore, QueueCare};
use crate::engine::command::GatewayLimits;
use crate::engine::entry::{Actor, Role, Sealed};
use crate::engine::event::{
    Advanced, AdvancedBecause, Arrived, EffectKind, Event, Feedback, HeldBack, Linked, PlaceKept,
    PresenceAsked, Queued, Released, Reserved, Rule, Settled, Trigger, WentSilent, Why,
};
use crate::engine::policy::{
    AgentChoice, Channels, ContactChoice, LanguageRule, QueuePolicy, Workload,
};
use crate::engine::recall::control::{
    Bounds, Control, ControlPlan, Footing, LevelCause, Press, Pressing, Pressure, Reading,
};
use crate::engine::recall::{
    Answer, Choice, Collect, FaqPlan, Found, Gate, Heed, IvrPlan, Level, LotVerdict, Outlook,
    Partners, Plan, Question, ReturnedBecause, Say, SelfService, Step, Text, Tier, TriageClass,
    Want,
};
use crate::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use crate::engine::words::{
    Availability, AvailabilityBecause, Channel, ConnectFault, Consent, EndReason, Excluded,
    Language, LegOutcome, Named, Need, NotTaken, Party, QueuedBecause, ReleasedBecause,
    ServiceClass, WaitsFor,
};
use crate::ids::{
    AgentId, AskId, CalendarId, ContactId, CustomerId, DispositionId, EffectId, EntryPointId,
    ExternalId, GatewayId, NoticeId, OrderId, PoolId, PromiseId, QueueId, ReasonId, RecallId,
    RecoveryId, RequestId, ReservationId, SessionId, SharingId, SkillId,
};
use crate::journal::Mark;
use crate::time::{EngineTime, Place, Span, WallTime};

/// Numbers from a seed (splitmix64), with the edges more often than chance gives them.
pub(in crate::journal) struct Source(pub(in crate::journal) u64);

impl Source {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(in crate::journal) fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }
}

pub(in crate::journal) trait Any: Sized {
    fn any(from: &mut Source) -> Self;
}

macro_rules! number {
    ($($t:ty),*) => { $(
        impl Any for $t {
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_lossless)]
            fn any(from: &mut Source) -> Self {
                match from.below(8) {
                    0 => Self::MIN,
                    1 => Self::MAX,
                    2 => 1,
                    3 => from.below(200) as $t,
                    _ => from.next() as $t,
                }
            }
        }
    )* };
}
number!(u8, u16, u32, u64, i64);

impl Any for u128 {
    fn any(from: &mut Source) -> Self {
        (Self::from(u64::any(from)) << 64) | Self::from(u64::any(from))
    }
}

impl Any for bool {
    fn any(from: &mut Source) -> Self {
        from.below(2) == 0
    }
}

impl Any for String {
    fn any(from: &mut Source) -> Self {
        let alphabet = ['a', 'Z', '0', '-', ' ', '"', '\\', '\n', '\0', 'é', '日', '🦀', '\u{7f}'];
        let at = |from: &mut Source| usize::try_from(from.below(13)).unwrap();
        (0..from.below(12)).map(|_| alphabet[at(from)]).collect()
    }
}

impl Any for Arc<str> {
    fn any(from: &mut Source) -> Self {
        String::any(from).into()
    }
}

impl Any for Box<str> {
    fn any(from: &mut Source) -> Self {
        String::any(from).into()
    }
}

impl<T: Any> Any for Vec<T> {
    fn any(from: &mut Source) -> Self {
        (0..from.below(4)).map(|_| T::any(from)).collect()
    }
}

impl<T: Any> Any for Arc<[T]> {
    fn any(from: &mut Source) -> Self {
        Vec::any(from).into()
    }
}

impl<T: Any> Any for SmallVec<[T; 4]> {
    fn any(from: &mut Source) -> Self {
        (0..from.below(7)).map(|_| T::any(from)).collect()
    }
}

impl<T: Any> Any for SmallVec<[T; 9]> {
    fn any(from: &mut Source) -> Self {
        (0..from.below(12)).map(|_| T::any(from)).collect()
    }
}

impl Any for Language {
    fn any(from: &mut Source) -> Self {
        Self([(); 2].map(|()| b'a' + u8::try_from(from.below(26)).unwrap()))
    }
}

impl Any for Channels {
    fn any(from: &mut Source) -> Self {
        Channel::ALL.into_iter().filter(|_| bool::any(from)).collect()
    }
}

impl<T: Any, const N: usize> Any for [T; N] {
    fn any(from: &mut Source) -> Self {
        std::array::from_fn(|_| T::any(from))
    }
}

impl<A: Any, B: Any> Any for (A, B) {
    fn any(from: &mut Source) -> Self {
        (A::any(from), B::any(from))
    }
}

impl<T: Any> Any for Option<T> {
    fn any(from: &mut Source) -> Self {
        bool::any(from).then(|| T::any(from))
    }
}

impl<T: Any> Any for Arc<T> {
    fn any(from: &mut Source) -> Self {
        Self::new(T::any(from))
    }
}

macro_rules! newtypes {
    ($($t:ident)*) => { $(
        impl Any for $t {
            fn any(from: &mut Source) -> Self {
                Self(Any::any(from))
            }
        }
    )* };
}
newtypes!(SharingId CalendarId ExternalId NoticeId AgentId AskId ContactId CustomerId DispositionId EffectId EntryPointId GatewayId OrderId PoolId
    PromiseId RecoveryId QueueId ReasonId RecallId ReservationId SessionId SkillId EngineTime Place Span WallTime);

/// Picks one of the words; the match is there so that a new one does not compile unlisted.
macro_rules! pick {
    ($($t:ident { $($word:ident $(($v:ident))?),* $(,)? })*) => { $(
        impl Any for $t {
            fn any(from: &mut Source) -> Self {
                let listed = |word: &Self| match word { $($t::$word $(($v))? => { $(let _ = $v;)? })* };
                let all: Vec<Self> = vec![$($t::$word $((pick!(@ $v from)))?),*];
                let at = usize::try_from(from.below(all.len() as u64)).unwrap();
                listed(&all[at]);
                all[at].clone()
            }
        }
    )* };
    (@ $v:ident $from:ident) => { Any::any($from) };
}
pick! {
    Role { Router, Gateway, Agent, Supervisor, OnCall, Admin, Viewer }
    Channel { Voice, Chat, Email, Message }
    ServiceClass { Safety, Live, Async }
    Party { Customer, Agent }
    LegOutcome { Answered, Busy, NoAnswer, Rejected, Unreachable, Failed }
    WaitsFor { Customer, ThirdParty, External, Farewell }
    EndReason {
        Completed, CustomerLeft, Abandoned, CustomerUnreachable, GatewayLost, Supervisor,
        ConsultCompleted, ConsultCancelled, Solved, Informed, FollowedUp,
        Overflowed, QueueClosed, QueueFull,
        CallbackCancelled, HandledWith, GoneSilent,
    }
    NotTaken { Declined, TimedOut, AgentGone, Withdrawn }
    ConnectFault { AgentLeg, CustomerLeg, Gateway, TimedOut, Withdrawn }
    QueuedBecause {
        Arrived, Requeued, Transferred, Moved, Woken, Consult, AgentGone, FollowUp, Safety,
        Overflowed, NotForwarded,
        Promised,
    }
    ReleasedBecause { Transferred, Requeued, Pended, HandedOver, Moved, AgentGone, CalledBack }
    Availability { Ready, NotReady(reason), SignedOut }
    AvailabilityBecause { Asked, Next, RingNoAnswer, Supervisor, ConnectionLost, Retired, ShiftOver }
    Consent { Given, Refused, NotAsked }
    Trigger { Contact, Agent, Named, AsyncShare }
    Rule {
        Kept, Sticky, LongestIdle, LeastLoaded, MostProficient, LeastProficient, Random,
        TargetBroken, QueueShare, LongestWait, OldestPlace, HoldingCost, PartOfTarget, Sharing,
    }
    LanguageRule { Required, Preferred, Ignored }
    AgentChoice { LongestIdle, MostProficient, LeastProficient, Random }
    ContactChoice { FixedQueueRatio, OldestFirst, CmuTheta }
    Settled { Done, Failed(code), Withdrawn }
    Level { Normal, Tail, Elevated, Surge, Critical }
    Tier { Faq, Ivr, Callback, Partner }
    Pressure { Wait, Load, Sessions, IvrPorts }
    Choice { Message, LotCheck, Faq(entry) }
    Question { Injury, Lot, Options }
    Text {
        Acknowledgement, Message, Faq(entry), Greeting, Injury, Lot, Affected, NotAffected,
        CannotTell, Option(key), Person, Goodbye,
    }
    Collect { None, Key, Lot }
    TriageClass { Safety, Affected, PersonWanted }
    LotVerdict { Affected, NotAffected, CannotTell }
    Want { Triage, Answer }
    ReturnedBecause {
        Asked, Safety, NoAnswer, AnsweredEnough, Late, Silence, NoKey, CannotTell, TimeLimit,
        Gateway, Ended, Supervisor, Secret,
    }
}

/// Picks one of the alternatives with named fields; one that is not listed does not compile.
macro_rules! alternatives {
    ($($t:ident { $($one:ident { $($f:tt),* })* })*) => { $(
        impl Any for $t {
            fn any(from: &mut Source) -> Self {
                let listed = |one: &Self| match one { $($t::$one { .. } => {})* };
                let all = [$($t::$one { $($f: Any::any(from)),* }),*];
                let at = usize::try_from(from.below(all.len() as u64)).unwrap();
                listed(&all[at]);
                all[at]
            }
        }
    )* };
}
alternatives! {
    Step {
        Reading { ask, deadline }
        Answering { entry, at }
        Listening { until }
        Asked { question, repeats, until }
        Leaving { at }
        Entering { at }
    }
    Partners { Away {} Called { joins } Joined {} }
    Gate { Closed {} Open { until } Trying { probe } }
    LevelCause { ByHand {} Bounds {} Pressed { by, lasting } Calm { by, lasting } }
    AdvancedBecause { Returned { of, queue } Linked { 0 } }
    Answer {
        NoWords {}
        None {}
        Entry { entry, score }
    }
}

impl Any for EffectKind {
    fn any(from: &mut Source) -> Self {
        match from.below(10) {
            8 => Self::OfferCallback(Any::any(from)),
            9 => Self::Outside(Any::any(from)),
            5 => Self::Dial {
                reservation: Any::any(from),
                agent: Any::any(from),
                mode: Any::any(from),
            },
            6 => Self::AskPresence(Any::any(from)),
            7 => Self::Join { participant: Any::any(from), part: Any::any(from) },
            0 => Self::Connect { reservation: Any::any(from), agent: Any::any(from) },
            1 => Self::HandOver { to: Any::any(from) },
            2 => Self::Announce(Any::any(from)),
            3 => Self::Forward { to: Any::any(from) },
            _ => Self::Say(Any::any(from)),
        }
    }
}

macro_rules! structs {
    ($($t:ident { $($f:ident),* $(,)? })*) => { $(
        impl Any for $t {
            fn any(from: &mut Source) -> Self {
                Self { $($f: Any::any(from)),* }
            }
        }
    )* };
}
structs! {
    Actor { role, name }
    RequestId { id, content }
    Sealed { customer, key, bytes }
    Mark { sequence, state_hash, hash_version }
    Need { skill, at_least }
    GatewayLimits { sessions, ivr_ports, calls_per_second, says, offers }
    Named { agent, until }
    Excluded { agent, until }
    Released { agent, because, wrap_up }
    Routing {
        skills, pools, partners, queues, agents, entry_points, not_ready_reasons, dispositions, languages,
        calendars, externals, notices, still_there, sharings, settings,
    }
    Listed { name, retired }
    Queue {
        name, retired, needs, pools, channels, safety, target, head_start, reservation_timeout,
        connect_timeout, wrap_up, wrap_up_most, policy, steps, life, callback, care,
    }
    QueuePolicy {
        preferred, language, sticky, agent_choice, share, cost, handle_time, patience,
    }
    Workload { budget, cost, interrupts }
    AgentProfile { name, retired, pool, skills, primary, capacity, workload, authority }
    EntryPoint { name, retired, queue }
    Settings {
        ring_no_answer_limit, pass_over, named_wait, agent_grace, async_share, most_contacts,
        contact_choice, promises, tell_listening, outside_lasts, short_abandon,
    }
    Arrived {
        contact, gateway, session, key, content, channel, entry_point, customer, continues,
        waited, attributes, own_needs, own_preferred, language,
    }
    Queued {
        contact, queue, because, service, needs, preferred, head_start, place, stage, named,
        pass_over, released,
    }
    Reserved { contact, reservation, agent, deadline, trigger, rank, idle, load, waited,
        async_passed, why,
    }
    Why {
        rule, queues, backlog, backlogs, share, shares, late, index, proficiency, lacks,
    }
    Plan { title, version, playbook, scope, faq, ivr, callback, partner, safety, soon, control }
    ControlPlan { wait, held, load, release, gateway, leave_after, bounds }
    Bounds { lowest, highest }
    Pressing { rungs, calm }
    Press { since, by }
    Reading { of, value, threshold }
    Control { bounds, pressing, footings }
    Footing { left, relapses }
    FaqPlan { from, capacity, pacing, silence, time_limit, entries }
    IvrPlan { from, ports, time_limit, repeats, key_timeout, yes, no, options }
    SelfService { recall, tier, until, answers, checked, step }
    Say { recall, text, language, collect, outlook }
    Outlook { ahead, wait }
    Heed { recall, class }
    QueueCare { keep_place, link, hold_linked, thread, liveness, low_score }
    LowScore { at_most, within }
    Liveness { after, answer_within, keep }
    PlaceKept { contact, customer, queue, origin, until }
    WentSilent { contact, until }
    PresenceAsked { contact, agent, until }
    HeldBack { contact, with, until }
    Linked { contact, with, matter }
    Advanced { contact, by, place, because }
    Feedback { contact, gateway, channel, queue, score, scale, words }
    Found { heed, answer }
}

macro_rules! events {
    (
        named { $($n:ident { $($f:ident),* })* }
        single { $($one:ident)* }
    ) => {
        /// The variants' names.
        pub(in crate::journal) const VARIANTS: &[&str] =
            &[$(stringify!($n),)* $(stringify!($one),)*];

        /// The name of an event's variant.
        pub(in crate::journal) fn variant(event: &Event) -> &'static str {
            match event {
                $(Event::$n { .. } => stringify!($n),)*
                $(Event::$one(_) => stringify!($one),)*
            }
        }

        /// Any event of the variant of this name.
        pub(in crate::journal) fn event(name: &str, from: &mut Source) -> Event {
            match name {
                $(stringify!($n) => Event::$n { $($f: Any::any(from)),* },)*
                $(stringify!($one) => Event::$one(Any::any(from)),)*
                other => panic!("no event is called {other}"),
            }
        }
    };
}
events! {
    named {
        Restarted { gap, missed }
        Ordered { why }
        GatewayRegistered { gateway, name }
        GatewayConnected { gateway, session, limits }
        GatewayLost { gateway }
        GatewayResynced { gateway }
        Reattached { contact, session }
        PassOverEnded { contact, agent }
        Renewed { contact, until }
        Unchanged { contact }
        Reprioritised { contact, head_start, place }
        NotTaken { contact, reservation, agent, how, pass_over }
        Accepted { contact, reservation, agent, connect_by }
        EffectAsked { effect, contact, kind }
        EffectSettled { effect, contact, how }
        LegReported { contact, reservation, party, outcome, code }
        Bridged { contact, reservation, agent }
        ConnectFailed { contact, reservation, agent, fault, pass_over }
        Pended { contact, agent, on, until }
        AttributesSet { contact, attributes }
        HoldChanged { contact, on }
        Coded { contact, agent, disposition }
        ConsultStarted { parent, child, agent }
        HandedOver { contact, from, to, wrap_up }
        Closed { contact, gateway, consult_of, reason, agent, wrap_up }
        WrapUpEnded { agent, contact }
        AgentConnected { agent, session }
        AgentLost { agent, grace }
        AvailabilityChanged { agent, to, because }
        NextSet { agent, next }
        ReservationsPaused { paused }
        RecallStarted { recall, plan, level, expires }
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
        Configured Detached OpenedToAll Arrived Queued Reserved InputReceived PhoneUnreachable
        FollowUpOpened Refiled CallLost PromiseMade PromiseSet RecoveryOpened RecoverySet
        ReplyCame HoldEnded FellSilent PresenceAssumed PlaceKept FeedbackGiven
        Advanced Linked HeldBack PresenceAsked WentSilent StepTaken HoursChanged WaitAnnounced
        NumberConfirmed CallbackPromised CallbackStepped Dialled PromiseOpened ReasonOverstayed
        SignOut WrapUpExtended OutsideCall Participant Bulk Shared Safety Alarm RecordingNoted PartnersSet BreakerSet
        Amended Rechecked
    }
}

impl Any for Event {
    fn any(from: &mut Source) -> Self {
        let at = usize::try_from(from.below(VARIANTS.len() as u64)).unwrap();
        event(VARIANTS[at], from)
    }
}

mod amend;
mod batch;
mod image;
mod lane;
mod owed;
mod people;
mod stage;

pub(in crate::journal) use batch::{batch, entry};
