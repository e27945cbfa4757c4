//! Events of callbacks, promises and recoveries.

use super::super::Engine;
use super::super::callback::{Callback, CallbackKind, DialOutcome, Exhausted, Phase, service};
use super::super::contact::Contact;
use super::super::event::{
    Arrived, CallbackPromised, CallbackStepped, Dialled, Event, NumberConfirmed, PromiseOpened,
    RecoveryNews, Released,
};
use super::super::promise::{Promise, Punctual, Recovery, RecoveryState, Stage};
use super::super::recall::{Outcome, Tier};
use crate::ids::{ContactId, PromiseId};
use crate::time::{EngineTime, Span};

impl Engine {
    pub(super) fn apply_to_callback(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::NumberConfirmed(NumberConfirmed { contact, confirmed }) => {
                self.note(*contact, |c| c.callable = *confirmed);
            }
            Event::CallbackPromised(CallbackPromised { contact, callback, released }) => {
                self.callback_promised(at, *contact, callback, *released);
            }
            Event::CallbackStepped(CallbackStepped { contact, now }) => {
                self.callback_is(*contact, now);
            }
            Event::Dialled(Dialled { contact, outcome, .. }) => {
                if let Some(recall) = self.contact(*contact).and_then(Contact::callback_tier) {
                    let failed = *outcome == DialOutcome::Congestion;
                    let how = if failed { Outcome::Failed } else { Outcome::Worked };
                    self.tier_ends(recall, Tier::Callback, *contact, how);
                }
                self.note(*contact, |c| {
                    if let Some(callback) = c.callback.as_deref_mut() {
                        dialled(callback, *outcome);
                    }
                });
            }
            Event::PromiseMade(promise) | Event::PromiseSet(promise) => self.promise_set(*promise),
            Event::PromiseOpened(PromiseOpened { promise, arrived }) => {
                self.promise_opened(at, *promise, arrived);
            }
            Event::RecoveryOpened(now) | Event::RecoverySet(RecoveryNews { now, .. }) => {
                self.recovery_set(*now);
            }
            _ => {}
        }
    }

    fn callback_promised(
        &mut self,
        at: EngineTime,
        contact: ContactId,
        callback: &Callback,
        released: Option<Released>,
    ) {
        if let Some(released) = released {
            self.release_work(at, released.agent, contact, released.wrap_up);
        }
        if let (CallbackKind::Lost, Phase::Held { until }) = (callback.kind, callback.phase) {
            let per_minute = callback.policy.lost_per_minute;
            let apart = Span(Span::seconds(60).0 / u64::from(per_minute.max(1)));
            let queue = self.contact(contact).map(|c| c.queue);
            let next = &mut self.owed.counts.next_lost;
            // A turn that has come holds up nobody: it need not be known any more.
            next.retain(|_, turn| *turn > at);
            if let Some(queue) = queue {
                // One who waited for nobody's turn brings nobody else's forward.
                let after = next.get(&queue).map_or(until, |turn| until.max(*turn));
                next.insert(queue, after + apart);
            }
        }
        self.change(contact, |c| {
            c.callback = Some(Box::new(callback.clone()));
            c.owed = Some(callback.promise);
            c.callable = callback.phase != Phase::Exhausted(Exhausted::Invalid);
            c.service = service(c, callback.phase);
            c.on_hold = false;
            c.care.stand_down();
            c.state = c.rests();
        });
    }

    /// How a callback stands, and where that puts its contact if no agent has it.
    fn callback_is(&mut self, contact: ContactId, now: &Callback) {
        self.change(contact, |c| {
            c.service = service(c, now.phase);
            c.callback = Some(Box::new(now.clone()));
            if c.state.agent().is_none() {
                c.state = c.rests();
            }
        });
    }

    /// A customer is being called, for the first time if they were not before.
    pub(super) fn dialling(&mut self, at: EngineTime, contact: ContactId) {
        self.note(contact, |c| {
            if let Some(callback) = c.callback.as_deref_mut() {
                callback.first = callback.first.or(Some(at));
            }
        });
    }

    /// The one place where a promise changes.
    fn promise_set(&mut self, p: Promise) {
        let before = self.owed.put(p);
        self.timers.move_promise(before.as_ref(), &p);
        let counts = &mut self.owed.counts.promises[p.kind.index()];
        match p.stage {
            Stage::Kept => {
                counts.kept += 1;
                counts.waited.0 = counts.waited.0.saturating_add(self.now.since(p.made).0);
            }
            Stage::Broken => counts.broken += 1,
            Stage::Waiting { .. } | Stage::Talking | Stage::Working(_) => {}
        }
        counts.late += u64::from(
            p.punctual == Punctual::Late && before.is_none_or(|b| b.punctual != Punctual::Late),
        );
        if before.is_none() {
            counts.made += 1;
            self.owed.counts.last_promise = p.id.0;
        }
        if let Stage::Waiting { until, turn: true } = p.stage {
            let next = &mut self.owed.counts.next_follow_up;
            *next = (*next).max(until + self.routing.settings.promises.apart());
        }
        let works = |stage| match stage {
            Stage::Working(contact) => Some(contact),
            _ => None,
        };
        let (was, is) = (before.and_then(|b| works(b.stage)), works(p.stage));
        if was != is {
            self.owes(was, p.id, None);
            self.owes(is, p.id, Some(p.id));
        }
    }

    /// A contact owes a promise, or no longer does.
    fn owes(&mut self, contact: Option<ContactId>, promise: PromiseId, now: Option<PromiseId>) {
        let known = contact.and_then(|c| self.contact(c));
        let concerns = known.filter(|c| now.is_some() || c.owed == Some(promise)).map(|c| c.id);
        if let Some(contact) = concerns {
            self.note(contact, |c| c.owed = now);
        }
    }

    fn promise_opened(&mut self, at: EngineTime, promise: PromiseId, arrived: &Arrived) {
        self.arrived(at, arrived);
        let Some(p) = self.owed.promises().get(&promise).copied() else {
            debug_assert!(false, "a contact for promise {promise}, which is not open");
            return;
        };
        if let Stage::Waiting { turn: false, .. } = p.stage {
            let next = &mut self.owed.counts.next_follow_up;
            *next = (*next).max(at) + self.routing.settings.promises.apart();
        }
        self.note(arrived.contact, |c| c.callable = p.of.callable);
        self.promise_set(Promise { stage: Stage::Working(arrived.contact), ..p });
    }

    fn recovery_set(&mut self, r: Recovery) {
        let before = self.owed.put_recovery(r);
        self.timers.move_recovery(before.as_ref(), &r);
        let counts = &mut self.owed.counts.recoveries;
        if before.is_none() {
            counts.opened += 1;
            self.owed.counts.last_recovery = r.id.0;
        }
        let was = before.map(|b| b.state);
        match r.state {
            RecoveryState::Done => counts.done += 1,
            RecoveryState::Overdue if was != Some(RecoveryState::Overdue) => counts.overdue += 1,
            RecoveryState::Open | RecoveryState::Soon | RecoveryState::Overdue => {}
        }
    }
}

fn dialled(callback: &mut Callback, outcome: DialOutcome) {
    let tried = &mut callback.tried[outcome.index()];
    *tried = tried.saturating_add(1);
    // A line that did not work has called nobody.
    let only_congestion = DialOutcome::ALL
        .into_iter()
        .all(|o| o == DialOutcome::Congestion || callback.tried[o.index()] == 0);
    if outcome == DialOutcome::Congestion && only_congestion {
        callback.first = None;
    }
}
