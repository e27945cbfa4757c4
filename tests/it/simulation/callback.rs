//! Callbacks, promises and recoveries at random: who wants them, what comes of dialling, and
//! what supervisors do with those whom nobody reaches.
//!
//! `Engine::check` sees that promises add up and that nobody is called for whom no agent is
//! kept free; here it is checked that a callback costs nobody their place, that nobody is
//! called outside their hours or after their window, that a number that does not exist is
//! never dialled again, that no phone rings twice for one try, and that a promise is kept by what
//! was done after it was made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use surgeline::engine::callback::{
    CallHours, Callback, CallbackPolicy, DialMode, DialOutcome, Phase, Wanted, Window,
};
use surgeline::engine::command::{Act, Command, Order, Pledge, Remedy, Report};
use surgeline::engine::contact::{Contact, State};
use surgeline::engine::event::{CallbackPromised, CallbackStepped, Dialled, EffectKind, Event};
use surgeline::engine::promise::{PromiseKind, PromiseSettings, Stage};
use surgeline::engine::words::{Channel, EndReason, LegOutcome, Party, QueuedBecause};
use surgeline::ids::{
    AgentId, ContactId, EffectId, GatewayId, PromiseId, RecoveryId, ReservationId,
};
use surgeline::time::Span;

use super::World;

fn any<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    *of.choose(rng).expect("some")
}

/// Two of three queues make callbacks, each in its own way.
pub(super) fn policy(rng: &mut StdRng, queue: u16) -> Option<Arc<CallbackPolicy>> {
    let mut policy = CallbackPolicy {
        mode: if queue.is_multiple_of(2) { DialMode::AgentFirst } else { DialMode::CustomerFirst },
        share: any(rng, &[10, 50, 100]),
        per_hour: any(rng, &[0, 30, 2_000]),
        ring: Span::seconds(10),
        within: Span::seconds(any(rng, &[60, 300])),
        lost_per_minute: 20,
        ..CallbackPolicy::default()
    };
    for retry in &mut policy.retry {
        retry.after = Span::seconds(rng.random_range(0..30));
        retry.most = rng.random_range(0..4);
    }
    (queue != 2 && queue != 5).then(|| Arc::new(policy))
}

/// An edit of how promises are kept.
pub(super) fn promises(rng: &mut StdRng) -> PromiseSettings {
    PromiseSettings {
        follow_ups_per_hour: any(rng, &[60, 600, 100_000]),
        lead: Span::seconds(any(rng, &[0, 10, 900])),
    }
}

impl World {
    fn wanted(&mut self) -> Wanted {
        let window = self.rng.random_bool(0.5).then(|| {
            let from = self.at + Span::seconds(self.rng.random_range(0..300));
            Window { from, until: from + Span::seconds(self.rng.random_range(1..900)) }
        });
        let hours = self.rng.random_bool(0.3).then(|| CallHours {
            from: self.at + Span::seconds(self.rng.random_range(0..60)),
            lasting: Span::seconds(any(&mut self.rng, &[60, 600, 3_600])),
        });
        Wanted { window, hours }
    }

    fn one_of(&mut self, is: impl Fn(&Contact) -> bool) -> ContactId {
        let found: Vec<_> = self.owner.contacts().filter(|c| is(c)).map(|c| c.id).collect();
        match found.choose(&mut self.rng) {
            Some(contact) if self.rng.random_bool(0.95) => *contact,
            _ => self.any_contact(),
        }
    }

    fn pledge(&mut self, contact: ContactId) -> Pledge {
        let kinds = [PromiseKind::FollowUp, PromiseKind::FollowUp, PromiseKind::Reply];
        Pledge {
            contact,
            kind: any(&mut self.rng, &kinds),
            due: self.at + Span::seconds(self.rng.random_range(0..90)),
            hours: self.wanted().hours,
            owner: self.rng.random_bool(0.3).then(|| self.any_agent()),
        }
    }

    fn remedy(&mut self, contact: ContactId) -> Remedy {
        Remedy {
            contact,
            owner: self.rng.random_bool(0.3).then(|| self.any_agent()),
            cents: any(&mut self.rng, &[0, 500, 5_000, 900_000_000]),
            due: self.at + Span::seconds(self.rng.random_range(0..60)),
        }
    }

    fn any_promise(&mut self) -> PromiseId {
        let open: Vec<_> = self.owner.promises().map(|p| p.id).collect();
        open.choose(&mut self.rng).copied().unwrap_or(PromiseId(1))
    }

    fn any_recovery(&mut self) -> (RecoveryId, AgentId) {
        let open: Vec<_> = self.owner.recoveries().map(|r| (r.id, r.owner)).collect();
        let (recovery, owner) =
            open.choose(&mut self.rng).copied().unwrap_or((RecoveryId(1), None));
        (recovery, owner.unwrap_or(AgentId(0)))
    }

    pub(super) fn callback_command(&mut self) -> Command {
        match self.rng.random_range(0..36) {
            32.. => self.offer_answered(),
            30 | 31 => self.called_agent(),
            0..=4 => {
                let again = self.rng.random_bool(0.2);
                let contact = self.one_of(|c| {
                    let waits = c.is_in_line() || c.self_service().is_some();
                    c.channel == Channel::Voice && (again || waits && c.callback.is_none())
                });
                let (confirmed, wanted) = (self.rng.random_bool(0.8), self.wanted());
                let report = Report::CallbackWanted { contact, confirmed, wanted };
                self.gateway_command(contact, report)
            }
            5..=11 => self.dialled_command(),
            12 | 13 => {
                let (crowded, known) = (self.rng.random_bool(0.3), self.rng.random_bool(0.2));
                let contact = self.one_of(|c| {
                    c.channel == Channel::Voice
                        && c.callable == known
                        && (!crowded || has_others(c))
                });
                let confirmed = self.rng.random_bool(0.9) && !known;
                self.gateway_command(contact, Report::NumberConfirmed { contact, confirmed })
            }
            14 | 15 => {
                let crowded = self.rng.random_bool(0.3);
                let contact = self.one_of(|c| c.callable && (!crowded || has_others(c)));
                self.gateway_command(contact, Report::CallLost(contact))
            }
            16 => {
                let contact = self.one_of(|c| c.state == State::CallbackDue);
                self.gateway_command(contact, Report::CallbackCancelled(contact))
            }
            17 => {
                // After they answered us, some hang up before anybody speaks to them.
                let on_line =
                    |c: &Contact| c.callback.as_ref().is_some_and(|cb| cb.phase == Phase::OnLine);
                let contact = self.one_of(on_line);
                self.gateway_command(contact, Report::CustomerLeft(contact))
            }
            18..=23 => self.owing_agent(),
            _ => self.owing_supervisor(),
        }
    }

    /// An agent takes a call that we make.
    fn called_agent(&mut self) -> Command {
        let held: Vec<_> = self
            .owner
            .contacts()
            .filter(|c| c.silent().is_some())
            .filter_map(|c| Some((c.state.reservation()?, c.state.agent()?)))
            .collect();
        let found = held.choose(&mut self.rng).copied();
        let (reservation, agent) = found.unwrap_or((ReservationId(1), AgentId(0)));
        Command::Agent { agent, session: None, act: Act::Accept(reservation) }
    }

    fn dialled_command(&mut self) -> Command {
        let dials: Vec<(EffectId, GatewayId)> = self
            .owner
            .contacts()
            .flat_map(|c| c.effects.iter().map(move |(e, kind)| (*e, *kind, c.gateway)))
            .filter(|(_, kind, _)| matches!(kind, EffectKind::Dial { .. }))
            .map(|(e, _, gateway)| (e, gateway))
            .collect();
        let found = dials.choose(&mut self.rng).copied();
        let (effect, gateway) = found.unwrap_or((EffectId(1), GatewayId(0)));
        let outcome = any(&mut self.rng, &DialOutcome::ALL);
        let outcome = if self.rng.random_bool(0.4) { DialOutcome::Answered } else { outcome };
        let report = Report::Dialled { effect, outcome, code: 486 };
        Command::Gateway { gateway, session: None, report }
    }

    fn owing_agent(&mut self) -> Command {
        let (contact, agent) = self.any_assigned();
        let act = match self.rng.random_range(0..7) {
            0 => return self.calls_back(),
            1..=3 => Act::Promise(self.pledge(contact)),
            4 => {
                let promise = self.any_promise();
                let owner = self.owner.promise(promise).and_then(|p| p.owner);
                let agent = owner.unwrap_or(agent);
                return Command::Agent { agent, session: None, act: Act::KeepPromise(promise) };
            }
            5 => Act::OpenRecovery(self.remedy(contact)),
            _ => {
                let (recovery, agent) = self.any_recovery();
                return Command::Agent { agent, session: None, act: Act::RecoveryDone(recovery) };
            }
        };
        Command::Agent { agent, session: None, act }
    }

    /// An agent promises a callback in a call, mostly in one on whose account others wait, or
    /// that others are on.
    fn calls_back(&mut self) -> Command {
        let crowded = self.rng.random_bool(0.7);
        let contact = self.one_of(|c| {
            let assigned = matches!(c.state, State::Assigned { .. });
            assigned && c.callable && (!crowded || has_others(c))
        });
        let agent = self.owner.contact(contact).and_then(|c| c.state.agent());
        let act = Act::CallBack { contact, wanted: self.wanted() };
        Command::Agent { agent: agent.unwrap_or(AgentId(0)), session: None, act }
    }

    fn owing_supervisor(&mut self) -> Command {
        let contact = self.any_contact();
        let (recovery, _) = self.any_recovery();
        let agent = self.rng.random_bool(0.3).then(|| self.any_agent());
        let exhausted = |c: &Contact| {
            c.callback.as_ref().is_some_and(|cb| matches!(cb.phase, Phase::Exhausted(_)))
        };
        let order = match self.rng.random_range(0..12) {
            0 => Order::CallBack { contact, wanted: self.wanted() },
            1 => Order::CallNow { contact: self.one_of(|c| c.state == State::CallbackDue), agent },
            2 => Order::CallNow { contact: self.one_of(exhausted), agent },
            3 | 4 => Order::Close(self.one_of(exhausted)),
            5 => Order::Promise(self.pledge(contact)),
            6 => Order::KeepPromise(self.any_promise()),
            7 => Order::BreakPromise(self.any_promise()),
            8 => Order::OpenRecovery(self.remedy(contact)),
            9 => Order::ReassignRecovery { recovery, owner: self.any_agent() },
            10 => Order::ApproveRecovery(recovery),
            _ => Order::RecoveryDone(recovery),
        };
        Command::Supervise { order, why: Arc::from("the simulation says so") }
    }

    /// A callback costs nobody their place, and nobody is called who must not be.
    pub(super) fn check_callbacks(&self, events: &[Event], before: &[Contact], context: &str) {
        let with = |c: &Contact| Some((c.id, c.callback.as_deref()?.clone()));
        let mut callbacks: BTreeMap<ContactId, Callback> = before.iter().filter_map(with).collect();
        for event in events {
            let (contact, called) = match event {
                Event::CallbackPromised(CallbackPromised { contact, callback: now, .. })
                | Event::CallbackStepped(CallbackStepped { contact, now }) => {
                    callbacks.insert(*contact, now.clone());
                    (contact, false)
                }
                Event::Dialled(Dialled { contact, .. }) => (contact, false),
                Event::EffectAsked { contact, kind: EffectKind::Dial { .. }, .. } => {
                    (contact, true)
                }
                _ => continue,
            };
            let Some(was) = before.iter().find(|c| c.id == *contact) else { continue };
            let Some(now) = self.owner.contact(*contact) else { continue };
            let moved = events.iter().any(|e| match e {
                Event::Queued(q) => q.contact == *contact && q.because != QueuedBecause::Requeued,
                // Its queue was edited; another check sees that it stands where that puts it.
                Event::Refiled(f) => f.contact == *contact,
                _ => false,
            });
            assert!(moved || now.place == was.place, "{context}: {contact} lost its place");
            if called && let Some(callback) = callbacks.get(contact) {
                self.may_be_called(now, callback, context);
            }
        }
    }

    /// The customer's hours and window, and the hours of the queue, unless somebody ordered it.
    fn may_be_called(&self, c: &Contact, callback: &Callback, context: &str) {
        let exhausted = matches!(callback.phase, Phase::Exhausted(_));
        assert!(!exhausted, "{context}: {callback:?}");
        let theirs = callback.hours.is_none_or(|h| h.at(self.at).from <= self.at);
        let in_time = callback.until.is_none_or(|until| until > self.at);
        assert!(theirs && in_time, "{context}: called at {:?} although {callback:?}", self.at);
        let ours = self.owner.queue_hours(c.queue);
        let open = match &*ours.ahead {
            [] => ours.open,
            all => all.iter().any(|w| w.from <= self.at && self.at < w.until),
        };
        let ok = open || callback.ordered;
        assert!(ok, "{context}: {} called at {:?}, {ours:?}", c.id, self.at);
    }
}

/// Somebody else is on it, or waits because of it.
fn has_others(c: &Contact) -> bool {
    c.care.matter.is_some() || !c.participants.all.is_empty()
}

/// What becomes of promises that is met only where the parts cross.
pub(super) const CROSSED: &[&str] = &["said meanwhile", "taken over", "called back by an agent"];

/// The one that an event is.
pub(super) fn crossed(event: &Event) -> Option<&'static str> {
    match event {
        Event::PromiseSet(p) if p.stage == Stage::Talking => Some(CROSSED[0]),
        Event::PromiseSet(p) => {
            let over = p.stage == Stage::Working(p.contact) && p.kind != PromiseKind::Callback;
            over.then_some(CROSSED[1])
        }
        Event::CallbackPromised(CallbackPromised { released: Some(_), .. }) => Some(CROSSED[2]),
        _ => None,
    }
}

/// What is followed of what is owed, by events alone.
#[derive(Default)]
pub(super) struct Owing {
    /// The contact that works on a promise, and whether it came to an agent, or was ended by
    /// who needs nothing more, since it does.
    works: BTreeMap<PromiseId, (ContactId, bool)>,
    /// Customers whose phone may ring.
    ringing: BTreeSet<ContactId>,
}

impl Owing {
    fn done(&mut self, contact: ContactId) {
        let of = self.works.values_mut().filter(|(by, _)| *by == contact);
        of.for_each(|(_, done)| *done = true);
    }

    /// A promise is kept by what was done after it was made, or because somebody says so; and
    /// nobody is called again before it is counted what came of the last call.
    pub(super) fn follow(&mut self, command: &Command, events: &[Event], context: &str) {
        let said = matches!(
            command,
            Command::Agent { act: Act::KeepPromise(_), .. }
                | Command::Supervise { order: Order::KeepPromise(_), .. }
        );
        for event in events {
            match event {
                Event::PromiseMade(p) | Event::PromiseSet(p) => match p.stage {
                    Stage::Working(contact) => {
                        let anew = matches!(event, Event::PromiseMade(_));
                        let now = self.works.entry(p.id).or_insert((contact, false));
                        if anew || now.0 != contact {
                            *now = (contact, false);
                        }
                    }
                    Stage::Kept => {
                        let done = self.works.remove(&p.id).is_some_and(|(_, done)| done);
                        assert!(said || done, "{context}: nothing was done, and it is kept: {p:?}");
                    }
                    Stage::Waiting { .. } | Stage::Talking | Stage::Broken => {
                        self.works.remove(&p.id);
                    }
                },
                Event::PromiseOpened(opened) => {
                    self.works.insert(opened.promise, (opened.arrived.contact, false));
                }
                Event::Accepted { contact, .. } | Event::HandedOver { contact, .. } => {
                    self.done(*contact);
                }
                Event::EffectAsked { contact, kind: EffectKind::Dial { .. }, .. } => {
                    let first = self.ringing.insert(*contact);
                    assert!(first, "{context}: {contact} is called twice, and it counts once");
                }
                Event::Dialled(Dialled { contact, .. })
                | Event::CallbackStepped(CallbackStepped { contact, .. }) => {
                    self.ringing.remove(contact);
                }
                // The agent's phone is called first: the customer's has not rung.
                Event::LegReported { contact, party: Party::Agent, outcome, .. }
                    if *outcome != LegOutcome::Answered =>
                {
                    self.ringing.remove(contact);
                }
                Event::Closed { contact, reason, .. } => {
                    self.ringing.remove(contact);
                    if matches!(
                        reason,
                        EndReason::CallbackCancelled | EndReason::HandledWith | EndReason::Solved
                    ) {
                        self.done(*contact);
                    }
                }
                _ => {}
            }
        }
    }
}
