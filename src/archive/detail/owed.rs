//! Callbacks, promises and work to make good, as an analyst reads them.

use super::{Fields, arrived};
use crate::engine::callback::Callback;
use crate::engine::event::{
    CallbackPromised, CallbackStepped, Dialled, Event, NumberConfirmed, PromiseOpened, RecoveryNews,
};
use crate::engine::promise::{Promise, Punctual, Recovery, Stage};
use crate::engine::routing::Routing;

/// The word for one of these events, and what it says; none of others.
pub(super) fn of(event: &Event, names: &Routing) -> Option<(&'static str, Fields)> {
    let f = Fields::new();
    Some(match event {
        Event::NumberConfirmed(NumberConfirmed { confirmed, .. }) => {
            ("number_confirmed", f.number("confirmed", confirmed))
        }
        Event::CallbackPromised(CallbackPromised { callback, .. }) => {
            ("callback_promised", callback_of(f, callback))
        }
        Event::CallbackStepped(CallbackStepped { now, .. }) => {
            ("callback_stepped", callback_of(f, now))
        }
        Event::Dialled(Dialled { outcome, code, .. }) => {
            ("dialled", f.text("outcome", outcome.name()).number("code", code))
        }
        Event::CallLost(_) => ("call_lost", f),
        Event::PromiseMade(p) => ("promise_made", promise(f, p, names)),
        Event::PromiseSet(p) => ("promise_set", promise(f, p, names)),
        Event::PromiseOpened(PromiseOpened { promise, arrived: a }) => {
            ("promise_opened", arrived(f, a, names).number("promise", promise))
        }
        Event::RecoveryOpened(r) => ("recovery_opened", recovery(f, r, names)),
        Event::RecoverySet(RecoveryNews { now, from }) => {
            let f = recovery(f, now, names);
            ("recovery_set", f.texts("from", from.map(|a| names.agent_name(a))))
        }
        _ => return None,
    })
}

fn callback_of(f: Fields, callback: &Callback) -> Fields {
    f.text("callback", callback.kind.name())
        .text("phase", callback.phase.name())
        .number("promise", callback.promise)
        .numbers("due_us", callback.due.map(|due| due.0))
        .number("tries", callback.tried.iter().map(|n| u32::from(*n)).sum::<u32>())
}

fn promise(f: Fields, p: &Promise, names: &Routing) -> Fields {
    let stage = match p.stage {
        Stage::Waiting { .. } => "waiting",
        Stage::Talking => "talking",
        Stage::Working(_) => "working",
        Stage::Kept => "kept",
        Stage::Broken => "broken",
    };
    f.number("promise", p.id)
        .text("promised", p.kind.name())
        .text("stage", stage)
        .texts("owner", p.owner.map(|a| names.agent_name(a)))
        .numbers("due_us", p.due.map(|due| due.0))
        .number("late", p.punctual == Punctual::Late)
}

fn recovery(f: Fields, r: &Recovery, names: &Routing) -> Fields {
    f.number("recovery", r.id)
        .texts("owner", r.owner.map(|a| names.agent_name(a)))
        .number("remedy_cents", r.remedy)
        .number("approved", r.approved)
        .text("state", r.state.name())
}
