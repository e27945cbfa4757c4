//! Any callback, promise and recovery.

use std::collections::BTreeMap;

use super::{Any, Source};
use crate::engine::callback::{
    CallHours, Callback, CallbackKind, CallbackPolicy, DialMode, DialOutcome, Exhausted, Phase,
    Retry,
};
use crate::engine::event::{
    CallbackPromised, CallbackStepped, Dialled, NumberConfirmed, PromiseOpened, RecoveryNews,
};
use crate::engine::promise::{
    Of, OwedCounts, Promise, PromiseCounts, PromiseKind, PromiseSettings, Punctual, Recovery,
    RecoveryCounts, RecoveryState, Stage,
};
use crate::ids::QueueId;
use crate::time::EngineTime;

pick! {
    DialMode { AgentFirst, CustomerFirst }
    DialOutcome { Answered, Machine, Busy, NoAnswer, Invalid, Congestion }
    CallbackKind { Place, Scheduled, Lost, FollowUp }
    Exhausted { Tried, Invalid, TooLate, NoCallbacks }
    PromiseKind { Callback, FollowUp, Reply }
    Punctual { Open, InTime, Late }
    RecoveryState { Open, Soon, Overdue, Done }
}
alternatives! {
    Phase {
        Held { until }
        OffHours { until }
        Patient { check }
        Pressing { until }
        OnLine {}
        Done {}
        Exhausted { 0 }
    }
    Stage {
        Waiting { until, turn }
        Working { 0 }
        Kept {}
        Broken {}
        Talking {}
    }
}
structs! {
    NumberConfirmed { contact, confirmed }
    CallbackPromised { contact, callback, released }
    CallbackStepped { contact, now }
    Dialled { contact, outcome, code }
    PromiseOpened { promise, arrived }
    CallbackPolicy { mode, share, per_hour, ring, within, lost_per_minute, retry }
    Retry { after, most }
    PromiseSettings { follow_ups_per_hour, lead }
    CallHours { from, lasting }
    Callback { kind, promise, asked, due, until, hours, phase, tried, first, policy, ordered, tier }
    Promise {
        id, contact, customer, kind, owner, made, due, hours, stage, punctual, of,
    }
    Of { gateway, channel, queue, entry_point, language, callable }
    Recovery { id, contact, customer, owner, remedy, approved, opened, due, state }
    RecoveryNews { now, from }
    PromiseCounts { made, kept, broken, late, waited }
    RecoveryCounts { opened, done, overdue }
    OwedCounts { promises, recoveries, last_promise, last_recovery, next_follow_up, next_lost }
}

impl Any for BTreeMap<QueueId, EngineTime> {
    fn any(from: &mut Source) -> Self {
        Vec::<(QueueId, EngineTime)>::any(from).into_iter().collect()
    }
}
