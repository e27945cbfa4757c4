//! Callbacks, promises and work to make good, told for people.

use super::length;
use crate::engine::callback::{Callback, CallbackKind, DialOutcome, Exhausted, Phase};
use crate::engine::event::{
    CallbackPromised, CallbackStepped, Dialled, Event, NumberConfirmed, PromiseOpened, RecoveryNews,
};
use crate::engine::promise::{Promise, PromiseKind, Punctual, Recovery, RecoveryState, Stage};
use crate::engine::routing::Routing;

/// The event in plain words; none if it is about something else.
pub(super) fn event(names: &Routing, event: &Event) -> Option<(&'static str, String)> {
    Some(match event {
        Event::NumberConfirmed(NumberConfirmed { confirmed: true, .. }) => {
            ("number_confirmed", "a number to call the customer at is confirmed".to_owned())
        }
        Event::NumberConfirmed(_) => {
            ("number_confirmed", "there is no number to call the customer at any more".to_owned())
        }
        Event::CallbackPromised(CallbackPromised { callback, .. }) => {
            ("callback_promised", promised(callback))
        }
        Event::CallbackStepped(CallbackStepped { now, .. }) => ("callback_stepped", stepped(now)),
        Event::Dialled(Dialled { outcome, code, .. }) => {
            let code = if *code == 0 { String::new() } else { format!(" ({code})") };
            ("dialled", format!("the customer was called: {}{code}", outcome_name(*outcome)))
        }
        Event::CallLost(_) => ("call_lost", "the call is gone, and nobody hung up".to_owned()),
        Event::PromiseMade(p) => ("promise_made", made(names, p)),
        Event::PromiseSet(p) => ("promise_set", set(p)),
        Event::PromiseOpened(PromiseOpened { promise, arrived }) => {
            let of = arrived.continues.map_or_else(String::new, |of| format!(" in contact {of}"));
            let contact = arrived.contact;
            (
                "promise_opened",
                format!("contact {contact} was opened to keep promise {promise}, made{of}"),
            )
        }
        Event::RecoveryOpened(r) => ("recovery_opened", format!("opened {}", recovery(names, r))),
        Event::RecoverySet(RecoveryNews { now, from: None }) => {
            ("recovery_set", recovery(names, now))
        }
        Event::RecoverySet(RecoveryNews { now, from: Some(from) }) => {
            let from = names.agent_name(*from);
            ("recovery_set", format!("{}, taken over from {from}", recovery(names, now)))
        }
        _ => return None,
    })
}

fn promised(callback: &Callback) -> String {
    let what = match callback.kind {
        CallbackKind::Place => "a callback at its place",
        CallbackKind::Scheduled => "a callback at an agreed time",
        CallbackKind::Lost => "a callback, because the call was lost",
        CallbackKind::FollowUp => "a call, as it was promised",
    };
    let by = match callback.due {
        Some(due) => format!("within {}", length(due.since(callback.asked))),
        None => "without a time: nobody knows it".to_owned(),
    };
    format!("gets {what}, {by}")
}

fn stepped(callback: &Callback) -> String {
    match callback.phase {
        Phase::Held { .. } => "is not called yet",
        Phase::OffHours { .. } => "is not called before the queue opens and its own hours begin",
        Phase::Patient { .. } => "waits to be called, behind those on the line",
        Phase::Pressing { .. } => "waits to be called, at its place",
        Phase::OnLine => "the customer is on the line",
        Phase::Done => "the customer was reached",
        Phase::Exhausted(Exhausted::Tried) => {
            "was called as often as it may be: a supervisor decides"
        }
        Phase::Exhausted(Exhausted::Invalid) => {
            "the number does not exist or is not theirs: it is never called again"
        }
        Phase::Exhausted(Exhausted::TooLate) => {
            "the time at which it may be called is over: a supervisor decides"
        }
        Phase::Exhausted(Exhausted::NoCallbacks) => {
            "its queue makes no callbacks any more: a supervisor decides"
        }
    }
    .to_owned()
}

const fn outcome_name(outcome: DialOutcome) -> &'static str {
    match outcome {
        DialOutcome::Answered => "answered",
        DialOutcome::Machine => "a machine answered",
        DialOutcome::Busy => "busy",
        DialOutcome::NoAnswer => "no answer",
        DialOutcome::Invalid => "no such number",
        DialOutcome::Congestion => "no way there",
    }
}

const fn what(kind: PromiseKind) -> &'static str {
    match kind {
        PromiseKind::Callback => "callback",
        PromiseKind::FollowUp => "follow-up",
        PromiseKind::Reply => "reply",
    }
}

fn made(names: &Routing, p: &Promise) -> String {
    let by = p.owner.map(|a| format!(" by {}", names.agent_name(a))).unwrap_or_default();
    let due = match p.due {
        Some(due) => format!(", due in {}", length(due.since(p.made))),
        None => ", without a time".to_owned(),
    };
    format!("a {} was promised{by}{due} (promise {})", what(p.kind), p.id)
}

fn set(p: &Promise) -> String {
    let now = match p.stage {
        Stage::Waiting { turn: true, .. } => "waits for its turn: too many are due".to_owned(),
        Stage::Waiting { .. } => "is not due yet".to_owned(),
        Stage::Talking => "is due when the contact in which it was made is over".to_owned(),
        Stage::Working(contact) => format!("is kept by contact {contact}"),
        Stage::Kept => "was kept".to_owned(),
        Stage::Broken => "was broken".to_owned(),
    };
    let late = if p.punctual == Punctual::Late { ", late" } else { "" };
    format!("promise {}, a {}, {now}{late}", p.id, what(p.kind))
}

fn recovery(names: &Routing, r: &Recovery) -> String {
    let approved = if r.approved { "" } else { ", to be approved by a supervisor" };
    let state = match r.state {
        RecoveryState::Open => "to be done",
        RecoveryState::Soon => "due soon",
        RecoveryState::Overdue => "overdue",
        RecoveryState::Done => "done",
    };
    let (cents, owner) = (r.remedy, r.owner.map_or("nobody yet", |a| names.agent_name(a)));
    format!(
        "work to make good {}, led by {owner}, remedy {}.{:02}{approved}: {state}",
        r.id,
        cents / 100,
        cents % 100
    )
}
