//! Callbacks, promises and recoveries as messages, in events and in images alike.

use super::oneof;
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
use crate::journal::codec::field::{Field, Record, record, words};
use crate::journal::codec::{CodecError, pb};
use crate::time::EngineTime;
use std::sync::Arc;

words!(DialMode => DialMode { AgentFirst, CustomerFirst });
words!(DialOutcome => DialOutcome { Answered, Machine, Busy, NoAnswer, Invalid, Congestion });
words!(CallbackKind => CallbackKind { Place, Scheduled, Lost, FollowUp });
words!(Exhausted => Exhausted { Tried, Invalid, TooLate, NoCallbacks });
words!(PromiseKind => PromiseKind { Callback, FollowUp, Reply });
words!(Punctual => Punctual { Open, InTime, Late });
words!(RecoveryState => RecoveryState { Open, Soon, Overdue, Done });

record!(NumberConfirmed => NumberConfirmed { contact, confirmed });
record!(CallbackPromised => CallbackPromised { contact, callback, released });
record!(CallbackStepped => CallbackStepped { contact, now });
record!(Dialled => Dialled { contact, outcome, code });
record!(PromiseOpened => PromiseOpened { promise, arrived });
record!(CallbackPolicy => CallbackPolicy {
    mode, share, per_hour, lost_per_minute, retry;
    ring = ring_us, within = within_us
});
record!(PromiseSettings => PromiseSettings { follow_ups_per_hour; lead = lead_us });
record!(CallHours => CallHours { ; from = from_us, lasting = lasting_us });
record!(Callback => Callback {
    kind, promise, hours, phase, tried, policy, ordered, tier;
    asked = asked_us, due = due_us, until = until_us, first = first_us
});
record!(Promise => Promise {
    id, contact, customer, kind, owner, hours, stage, punctual, of;
    made = made_us, due = due_us
});
record!(Of => PromiseOf { gateway, channel, queue, entry_point, language, callable });
record!(Recovery => Recovery {
    id, contact, customer, owner, remedy, approved, state;
    opened = opened_us, due = due_us
});
record!(RecoveryNews => RecoveryNews { now, from });

oneof!(Phase => CallbackPhase in callback_phase {
    Held => CallbackUntil { until: until = until_us }
    Patient => CallbackUntil { check: until = until_us }
    Pressing => CallbackOpenEnd { until: until = until_us }
    OnLine => CallbackPlain {}
    Done => CallbackPlain {}
    Exhausted => CallbackExhausted { 0: why = why }
    OffHours => CallbackUntil { until: until = until_us }
});
oneof!(Stage => PromiseStage in promise_stage {
    Waiting => PromiseWaiting { until: until = until_us, turn: turn = turn }
    Working => PromiseWorking { 0: contact = contact }
    Kept => CallbackPlain {}
    Broken => CallbackPlain {}
    Talking => CallbackPlain {}
});

impl Record for Arc<CallbackPolicy> {
    type Pb = pb::CallbackPolicy;
    fn put(&self) -> pb::CallbackPolicy {
        Record::put(self.as_ref())
    }
    fn take(pb: pb::CallbackPolicy) -> Result<Self, CodecError> {
        <CallbackPolicy as Record>::take(pb).map(Arc::new)
    }
}

impl Record for Box<Callback> {
    type Pb = pb::Callback;
    fn put(&self) -> pb::Callback {
        Record::put(self.as_ref())
    }
    fn take(pb: pb::Callback) -> Result<Self, CodecError> {
        <Callback as Record>::take(pb).map(Self::new)
    }
}

// By name, not by position: an outcome that is added later must not move the others.
impl Field for [Retry; 6] {
    type Pb = Vec<pb::Retry>;
    fn put(&self) -> Vec<pb::Retry> {
        let row = |outcome: DialOutcome| {
            let Retry { after, most } = self[outcome.index()];
            pb::Retry { outcome: outcome.put(), after_us: after.put(), most: most.put() }
        };
        let any = |o: &DialOutcome| self[o.index()] != Retry::default();
        DialOutcome::ALL.into_iter().filter(any).map(row).collect()
    }
    fn take(pb: Vec<pb::Retry>, _: &'static str) -> Result<Self, CodecError> {
        let mut rows = [Retry::default(); 6];
        for row in pb {
            let outcome = DialOutcome::take(row.outcome, "Retry.outcome")?;
            rows[outcome.index()] = Retry {
                after: Field::take(row.after_us, "Retry.after_us")?,
                most: Field::take(row.most, "Retry.most")?,
            };
        }
        Ok(rows)
    }
}

impl Field for [u8; 6] {
    type Pb = Vec<pb::Tried>;
    fn put(&self) -> Vec<pb::Tried> {
        let one = |o: DialOutcome| pb::Tried { outcome: o.put(), times: self[o.index()].put() };
        DialOutcome::ALL.into_iter().filter(|o| self[o.index()] != 0).map(one).collect()
    }
    fn take(pb: Vec<pb::Tried>, _: &'static str) -> Result<Self, CodecError> {
        let mut tried = [0; 6];
        for one in pb {
            let outcome = DialOutcome::take(one.outcome, "Tried.outcome")?;
            tried[outcome.index()] = Field::take(one.times, "Tried.times")?;
        }
        Ok(tried)
    }
}

impl Record for OwedCounts {
    type Pb = pb::OwedCounts;
    fn put(&self) -> pb::OwedCounts {
        let tally = |kind: PromiseKind| {
            let PromiseCounts { made, kept, broken, late, waited } = self.promises[kind.index()];
            let waited_us = waited.put();
            pb::PromiseTally { kind: kind.put(), made, kept, broken, late, waited_us }
        };
        pb::OwedCounts {
            promises: PromiseKind::ALL.into_iter().map(tally).collect(),
            recoveries_opened: self.recoveries.opened,
            recoveries_done: self.recoveries.done,
            recoveries_overdue: self.recoveries.overdue,
            last_promise: self.last_promise,
            last_recovery: self.last_recovery,
            next_follow_up_us: self.next_follow_up.put(),
            next_lost: self
                .next_lost
                .iter()
                .map(|(queue, at)| pb::LostTurn { queue: queue.put(), at_us: at.put() })
                .collect(),
        }
    }
    fn take(pb: pb::OwedCounts) -> Result<Self, CodecError> {
        let mut promises = [PromiseCounts::default(); 3];
        for t in pb.promises {
            let kind = PromiseKind::take(t.kind, "PromiseTally.kind")?;
            promises[kind.index()] = PromiseCounts {
                made: t.made,
                kept: t.kept,
                broken: t.broken,
                late: t.late,
                waited: Field::take(t.waited_us, "PromiseTally.waited_us")?,
            };
        }
        Ok(Self {
            promises,
            recoveries: RecoveryCounts {
                opened: pb.recoveries_opened,
                done: pb.recoveries_done,
                overdue: pb.recoveries_overdue,
            },
            last_promise: pb.last_promise,
            last_recovery: pb.last_recovery,
            next_follow_up: Field::take(pb.next_follow_up_us, "OwedCounts.next_follow_up_us")?,
            next_lost: pb.next_lost.into_iter().map(lost_turn).collect::<Result<_, _>>()?,
        })
    }
}

fn lost_turn(turn: pb::LostTurn) -> Result<(QueueId, EngineTime), CodecError> {
    let queue = Field::take(turn.queue, "LostTurn.queue")?;
    Ok((queue, Field::take(turn.at_us, "LostTurn.at_us")?))
}
