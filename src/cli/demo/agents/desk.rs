//! How a simulated agent answers offers and works on contacts.
//!
//! It belongs to the agents' task.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::scenario::{Dice, chance, handle_mean};
use super::super::{Phase, PlayerError};
use super::{Agents, Asked, LUNCH, Todo};
use crate::pb::v1::agent_act::{
    Accept, Act, CancelConsult, Code, Complete, CompleteConsult, Consult, Decline, EndWrapUp, Next,
    Pend, Requeue, Transfer,
};
use crate::pb::v1::{Availability, AvailabilityKind, Channel, Offer, Target, WaitsFor, target};

/// Dispositions of the demo's configuration, safety's own apart.
const DISPOSITIONS: [&str; 6] = [
    "question-answered",
    "fault-reported",
    "refund-granted",
    "replacement-sent",
    "complaint",
    "recall-question",
];

/// What an agent has in hand.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) jobs: HashMap<u64, Job>,
    /// Reservations that are not answered: nobody answers an offer that they saw end.
    pub(super) offers: HashSet<u64>,
    /// Contacts whose wrap-up goes on.
    pub(super) wrap_ups: HashSet<u64>,
}

/// One contact in an agent's hands.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) reservation: u64,
    channel: Channel,
    queue: String,
    step: Step,
    /// How long its work still takes.
    left: Duration,
    /// A colleague is there to help.
    pub(super) helped: bool,
}

/// What comes next in a job, when its time is up.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Step {
    Complete,
    Transfer,
    Requeue,
    Pend,
    /// Asks a second agent, half-way through.
    Consult,
    /// Hands over to the second agent, or goes on alone.
    AfterConsult,
}

fn first_step(channel: Channel, dice: &mut Dice) -> Step {
    let mut left = dice.part();
    let mut falls = |chance: f64| {
        left -= chance;
        left < 0.0
    };
    if falls(chance::TRANSFER) {
        Step::Transfer
    } else if falls(chance::REQUEUE) {
        Step::Requeue
    } else if falls(chance::CONSULT) {
        Step::Consult
    } else if channel != Channel::Voice && falls(chance::PEND) {
        Step::Pend
    } else {
        Step::Complete
    }
}

/// Another queue that takes this channel, for contacts that came to the wrong one.
fn other_queue(channel: Channel, queue: &str) -> Option<&'static str> {
    let usual = match channel {
        Channel::Voice => "calls",
        Channel::Chat => "chats",
        Channel::Email => "letters",
        Channel::Message | Channel::Unspecified => return None,
    };
    Some(if queue == usual { "refunds" } else { usual })
}

impl Agents {
    pub(super) fn offered(&mut self, name: &Arc<str>, offer: &Offer) {
        if self.dice.happens(chance::NO_ANSWER) {
            return;
        }
        let declines = self.dice.happens(chance::DECLINE);
        let reacts = self.dice.handle_time(0.05).min(Duration::from_millis(400));
        let todo = if declines { Todo::Decline } else { Todo::Accept };
        if let Some(desk) = self.desk(name) {
            desk.offers.insert(offer.reservation_id);
        }
        self.note(name, reacts, todo(offer.reservation_id));
    }

    pub(super) fn assigned(&mut self, name: &Arc<str>, offer: &Offer) {
        let (contact, reservation) = (offer.contact_id, offer.reservation_id);
        // Who helps with a consult leaves it to the first agent to end it.
        if offer.consult_of_contact_id != 0 || self.job(name, contact, reservation).is_some() {
            return;
        }
        let channel = offer.channel();
        let step = first_step(channel, &mut self.dice);
        let whole = self.dice.handle_time(handle_mean(channel));
        let part = if step == Step::Consult { 2 } else { 1 };
        let queue = offer.queue.clone();
        let job = Job { reservation, channel, queue, step, left: whole / part, helped: false };
        let after = job.left;
        if let Some(desk) = self.desks.get_mut(name) {
            desk.jobs.insert(contact, job);
        }
        self.note(name, after, Todo::GoOn(contact, reservation));
    }

    pub(super) fn do_what_is_due(&mut self) -> Result<(), PlayerError> {
        let now = Instant::now();
        while let Some((name, todo)) = self.agenda.due(now) {
            match todo {
                Todo::BeReady => self.be_ready(&name)?,
                Todo::Break => self.take_break(&name)?,
                Todo::Accept(reservation_id) => {
                    if self.desk(&name).is_some_and(|d| d.offers.remove(&reservation_id)) {
                        self.act(&name, Act::Accept(Accept { reservation_id }))?;
                    }
                }
                Todo::Decline(reservation_id) => {
                    if self.desk(&name).is_some_and(|d| d.offers.remove(&reservation_id)) {
                        self.act(&name, Act::Decline(Decline { reservation_id }))?;
                    }
                }
                Todo::GoOn(contact, reservation) => self.go_on(&name, contact, reservation)?,
                Todo::EndWrapUp(contact_id) => {
                    if self.desk(&name).is_some_and(|d| d.wrap_ups.remove(&contact_id)) {
                        self.act(&name, Act::EndWrapUp(EndWrapUp { contact_id }))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take_break(&mut self, name: &str) -> Result<(), PlayerError> {
        if self.bench.phase() != Phase::Open {
            return Ok(());
        }
        let kind = AvailabilityKind::NotReady.into();
        let availability = Some(Availability { kind, reason: LUNCH.to_owned() });
        self.act(name, Act::Next(Next { availability })).map(|_| ())
    }

    /// The time of a job's step is up.
    pub(super) fn go_on(
        &mut self,
        name: &Arc<str>,
        contact: u64,
        reservation: u64,
    ) -> Result<(), PlayerError> {
        let closing = self.bench.phase() != Phase::Open;
        let Some(job) = self.job(name, contact, reservation) else { return Ok(()) };
        let mut step = job.step;
        // Nothing new is begun at the end of the day.
        if closing && step != Step::AfterConsult {
            step = Step::Complete;
        }
        let helped = job.helped;
        job.step = if step == Step::Consult { Step::AfterConsult } else { Step::Complete };
        match step {
            Step::Complete => self.complete(name, contact, reservation),
            Step::Transfer => self.transfer(name, contact, reservation),
            Step::Requeue => {
                self.act(name, Act::Requeue(Requeue { contact_id: contact })).map(drop)
            }
            Step::Pend => self.pend(name, contact),
            Step::Consult => {
                let to = self.target(name, contact, reservation);
                let consult = Act::Consult(Consult { contact_id: contact, to });
                let id = self.act(name, consult)?;
                self.asked.insert(id, Asked::Consult { contact, reservation });
                Ok(())
            }
            Step::AfterConsult if helped && self.dice.happens(chance::HAND_OVER) => {
                let over = Act::CompleteConsult(CompleteConsult { contact_id: contact });
                let id = self.act(name, over)?;
                self.asked.insert(id, Asked::HandOver { contact });
                Ok(())
            }
            Step::AfterConsult => self.give_up_consult(name, contact),
        }
    }

    fn complete(&mut self, name: &str, contact: u64, reservation: u64) -> Result<(), PlayerError> {
        let safety = self.job(name, contact, reservation).is_some_and(|job| job.queue == "safety");
        let other = self.dice.one_of(&DISPOSITIONS).copied().unwrap_or_default();
        let disposition = if safety { "injury-or-exposure" } else { other }.to_owned();
        let linked_contact_ids = Vec::new();
        let done = Complete { contact_id: contact, disposition, linked_contact_ids };
        self.act(name, Act::Complete(done)).map(drop)
    }

    fn transfer(
        &mut self,
        name: &Arc<str>,
        contact: u64,
        reservation: u64,
    ) -> Result<(), PlayerError> {
        let to = self.target(name, contact, reservation);
        self.act(name, Act::Transfer(Transfer { contact_id: contact, to })).map(drop)
    }

    /// Whom to turn to: another queue, or a colleague of the same kind by name.
    fn target(&mut self, name: &Arc<str>, contact: u64, reservation: u64) -> Option<Target> {
        let job = self.job(name, contact, reservation)?;
        let (channel, queue) = (job.channel, job.queue.clone());
        if let Some(queue) = other_queue(channel, &queue)
            && self.dice.happens(0.5)
        {
            return Some(Target { to: Some(target::To::Queue(queue.to_owned())) });
        }
        let kind = name.split('-').next().unwrap_or_default();
        let like = |n: &&Arc<str>| n.starts_with(kind) && *n != name;
        let colleagues: Vec<_> = self.names.iter().filter(like).cloned().collect();
        let colleague = self.dice.one_of(&colleagues)?.to_string();
        Some(Target { to: Some(target::To::Agent(colleague)) })
    }

    fn pend(&mut self, name: &str, contact: u64) -> Result<(), PlayerError> {
        let customer = self.dice.happens(0.8);
        let waits_for = if customer { WaitsFor::Customer } else { WaitsFor::ThirdParty }.into();
        let lasting_ms = if customer { 4_000 } else { 1_500 };
        self.act(name, Act::Pend(Pend { contact_id: contact, waits_for, lasting_ms })).map(drop)
    }

    /// Goes on without the second agent, for the rest of the work.
    pub(super) fn give_up_consult(
        &mut self,
        name: &Arc<str>,
        contact: u64,
    ) -> Result<(), PlayerError> {
        let Some(job) = self.desks.get(name).and_then(|d| d.jobs.get(&contact)) else {
            return Ok(());
        };
        let (reservation, left) = (job.reservation, job.left);
        self.act(name, Act::CancelConsult(CancelConsult { contact_id: contact }))?;
        self.note(name, left, Todo::GoOn(contact, reservation));
        Ok(())
    }

    /// Work after a contact: noted down, and often done before its time.
    pub(super) fn wrap_up(
        &mut self,
        name: &Arc<str>,
        contact: u64,
        lasting: Duration,
    ) -> Result<(), PlayerError> {
        if !self.dice.happens(chance::SHORT_WRAP_UP) {
            return Ok(());
        }
        if let Some(disposition) = self.dice.one_of(&DISPOSITIONS) {
            let disposition = (*disposition).to_owned();
            self.act(name, Act::Code(Code { contact_id: contact, disposition }))?;
        }
        if let Some(desk) = self.desk(name) {
            desk.wrap_ups.insert(contact);
        }
        let takes = lasting.mul_f64(0.3 + 0.5 * self.dice.part());
        self.note(name, takes, Todo::EndWrapUp(contact));
        Ok(())
    }
}
