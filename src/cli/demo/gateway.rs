//! One simulated gateway: it reports who comes, carries out what it is told, keeps books of
//! its contacts and reports what its customers do.
//!
//! One task owns one gateway and its stream. What customers and legs do next is in its
//! agenda; how legs go is in `legs`.

mod callback;
mod legs;
mod self_service;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel as Wire;

use super::agenda::Agenda;
use super::audit::Wait;
use super::scenario::{self, Dice, GatewayPlan, chance};
use super::{Bench, Phase, PlayerError, customers};
use crate::pb::v1::gateway_directive::{Directive, Say};
use crate::pb::v1::gateway_report::{
    self as say, CustomerLeft, EffectDone, Holding, Input, Recording, Report,
};
use crate::pb::v1::gateway_service_client::GatewayServiceClient;
use crate::pb::v1::gateway_service_connect_request::Message as Ask;
use crate::pb::v1::gateway_service_connect_response::Message as Told;
use crate::pb::v1::{
    Answer, Channel, Consent, EndReason, GatewayDirective, GatewayLimits, GatewayReport,
    GatewayServiceConnectRequest, Hello, WaitsFor, Wish, answer,
};

/// Plays one gateway until the demo is over.
///
/// # Errors
/// [`PlayerError`] when its stream ends before that.
pub(super) async fn play(
    plan: &'static GatewayPlan,
    wire: Wire,
    dice: Dice,
    mut bench: Bench,
) -> Result<(), PlayerError> {
    // Unbounded, because reading must never wait for writing; what is unanswered is bounded
    // by the arrival rate, far below the 1,024 that the contract allows.
    let (requests, outgoing) = unbounded_channel();
    let mut gateway = Gateway::new(plan, requests, dice, bench.clone());
    gateway.begin()?;
    let outgoing = UnboundedReceiverStream::new(outgoing);
    let lost = |source| PlayerError::Stream { who: plan.name, source: Box::new(source) };
    let answered = GatewayServiceClient::new(wire).connect(outgoing).await.map_err(lost)?;
    let mut incoming = answered.into_inner();
    loop {
        tokio::select! {
            message = incoming.message() => {
                let message = message.map_err(lost)?;
                let message = message.ok_or(PlayerError::Ended { who: plan.name })?;
                if let Some(told) = message.message {
                    gateway.told(told)?;
                }
            }
            () = gateway.agenda.wait() => gateway.do_what_is_due()?,
            () = bench.phase_is(Phase::Over) => return Ok(()),
        }
    }
}

/// What a gateway or one of its customers means to do.
#[derive(Debug)]
enum Todo {
    /// Somebody may come.
    Arrive,
    /// A customer loses patience, unless something has happened since they began to wait.
    GiveUp(u64, u32),
    /// A customer hangs up in mid-conversation.
    HangUp(u64),
    /// A customer writes.
    Write(u64),
    /// A caller answers whether they would rather be called.
    Choose(u64),
    /// The customer of a callback picks up, or is on the telephone.
    PickUp(u64),
    /// The legs of an effect are through, one way or the other.
    Join(u64),
    /// The second agent is on the line, the first gone.
    HandedOver(u64),
    /// A text was played to the end or delivered.
    Said(u64),
    /// A customer in self-service presses keys, wants something, writes, hangs up.
    Press(u64, Box<str>),
    Wish(u64, Wish),
    Say(u64, &'static str),
    HangUpMenu(u64),
}

/// A contact in the gateway's books.
#[derive(Debug, Default)]
struct Held {
    /// Told of something other than its own acceptance.
    heard: bool,
    answered: bool,
    on_hold: bool,
    /// In self-service now; was there before.
    served: bool,
    returned: bool,
    /// They hung up and wait for a call.
    called: bool,
    /// They were called and picked up.
    reached: bool,
    /// How often they began to wait.
    waits: u32,
    /// What is being said to them ends then.
    speaks_until: Option<Instant>,
    asked_injury: bool,
    /// Their lot was checked.
    checked: bool,
}

/// A request whose answer matters.
#[derive(Debug)]
struct Arriving {
    sent: Instant,
    wait: Wait,
}

struct Gateway {
    plan: &'static GatewayPlan,
    requests: UnboundedSender<GatewayServiceConnectRequest>,
    dice: Dice,
    bench: Bench,
    agenda: Agenda<Todo>,
    books: HashMap<u64, Held>,
    /// Directives about contacts whose acceptance is still to be read.
    early: HashMap<u64, Vec<Directive>>,
    arriving: HashMap<Arc<str>, Arriving>,
    effects: legs::Effects,
    /// Callers who think about an offer of a call, by effect.
    asked: HashMap<u64, u64>,
    /// Texts that are being played or sent, by effect.
    saying: HashMap<u64, (u64, Say)>,
    /// The last contacts that ended, for customers who come back.
    ended: Vec<u64>,
    sent: u64,
    came: u64,
}

impl Gateway {
    fn new(
        plan: &'static GatewayPlan,
        requests: UnboundedSender<GatewayServiceConnectRequest>,
        dice: Dice,
        bench: Bench,
    ) -> Self {
        Self {
            plan,
            requests,
            dice,
            bench,
            agenda: Agenda::new(),
            books: HashMap::new(),
            early: HashMap::new(),
            arriving: HashMap::new(),
            effects: legs::Effects::default(),
            asked: HashMap::new(),
            saying: HashMap::new(),
            ended: Vec::new(),
            sent: 0,
            came: 0,
        }
    }

    fn begin(&mut self) -> Result<(), PlayerError> {
        let limits = GatewayLimits { most_sessions: 5_000, ..GatewayLimits::default() };
        let gateway = self.plan.name.to_owned();
        self.send(Ask::Hello(Hello {
            gateway,
            limits: Some(limits),
            can_say: true,
            can_offer_callback: true,
            ..Default::default()
        }))?;
        self.report(Report::Holding(Holding { keys: Vec::new(), last: true }))?;
        self.agenda.note(self.bench.starts, Todo::Arrive);
        Ok(())
    }

    fn send(&mut self, message: Ask) -> Result<Arc<str>, PlayerError> {
        self.sent += 1;
        let request_id = format!("{}-{}", self.plan.name, self.sent);
        let id = Arc::from(request_id.as_str());
        self.requests
            .send(GatewayServiceConnectRequest { request_id, message: Some(message) })
            .map_err(|_| PlayerError::Ended { who: self.plan.name })?;
        Ok(id)
    }

    fn report(&mut self, report: Report) -> Result<Arc<str>, PlayerError> {
        self.send(Ask::Report(GatewayReport { report: Some(report) }))
    }

    fn note(&mut self, after: Duration, todo: Todo) {
        self.agenda.note(Instant::now() + after, todo);
    }

    fn do_what_is_due(&mut self) -> Result<(), PlayerError> {
        let now = Instant::now();
        while let Some(todo) = self.agenda.due(now) {
            match todo {
                Todo::Arrive => self.arrive()?,
                Todo::GiveUp(contact, waits) => {
                    if self.books.get(&contact).is_some_and(|h| h.waits == waits && !h.served) {
                        self.leave(contact, false)?;
                    }
                }
                Todo::HangUp(contact) => self.leave(contact, true)?,
                Todo::Write(contact) => self.write(contact)?,
                Todo::Said(effect) => self.said(effect)?,
                Todo::Press(contact, keys) => self.press(contact, &keys)?,
                Todo::Wish(contact, wish) => self.wish(contact, wish)?,
                Todo::Say(contact, words) => self.says(contact, words)?,
                Todo::HangUpMenu(contact) => {
                    if self.books.get(&contact).is_some_and(|h| h.served) {
                        self.leave(contact, false)?;
                    }
                }
                Todo::Choose(effect) => self.choose(effect)?,
                Todo::PickUp(effect) => self.pick_up(effect)?,
                Todo::Join(effect) => self.join(effect)?,
                Todo::HandedOver(effect) => {
                    if self.effects.take(effect).is_some() {
                        self.report(Report::EffectDone(EffectDone { effect_id: effect }))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn arrive(&mut self) -> Result<(), PlayerError> {
        if self.bench.phase() != Phase::Open {
            return Ok(());
        }
        let rate = self.plan.ways.iter().map(|w| w.rate).sum();
        let next = self.dice.next_arrival(rate);
        self.note(next, Todo::Arrive);
        if !self.dice.comes(self.bench.part()) {
            return Ok(());
        }
        let Some(way) = self.dice.way(self.plan.ways) else { return Ok(()) };
        self.came += 1;
        let (name, channel) = (self.plan.name, self.plan.channel);
        let part = self.bench.part();
        let recalled = scenario::RECALL.contains(&part);
        let (mut arrival, injured) =
            customers::arrival(name, channel, way, self.came, recalled, &mut self.dice);
        if self.dice.happens(chance::COME_BACK) {
            let before = self.dice.one_of(&self.ended).copied();
            arrival.continues_contact_id = before.unwrap_or_default();
        }
        let sent = Instant::now();
        let wait = Wait { safety: way.safety || injured, wave: scenario::WAVE.contains(&part) };
        let id = self.report(Report::Arrived(arrival))?;
        self.arriving.insert(id, Arriving { sent, wait });
        Ok(())
    }

    /// The customer goes: out of patience before an answer, or in the middle after one.
    fn leave(&mut self, contact: u64, answered: bool) -> Result<(), PlayerError> {
        if self.books.get(&contact).is_some_and(|h| h.answered == answered) {
            self.report(Report::CustomerLeft(CustomerLeft { contact_id: contact }))?;
        }
        Ok(())
    }

    fn write(&mut self, contact: u64) -> Result<(), PlayerError> {
        if self.books.contains_key(&contact) {
            let person = Some(customers::words(&mut self.dice));
            self.report(Report::Input(Input { contact_id: contact, person, ..Input::default() }))?;
        }
        Ok(())
    }

    fn told(&mut self, told: Told) -> Result<(), PlayerError> {
        match told {
            Told::Answer(answer) => self.answer(&answer),
            Told::Refused(refused) => {
                self.arriving.remove(refused.request_id.as_str());
                self.bench.audit.refused(&refused.reason);
                tracing::debug!(gateway = self.plan.name, ?refused, "refused");
                Ok(())
            }
            Told::Directive(GatewayDirective { contact_id, directive: Some(directive) }) => {
                self.directive(contact_id, directive)
            }
            Told::Directive(_) | Told::Draining(_) => Ok(()),
        }
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), PlayerError> {
        let Some(arriving) = self.arriving.remove(answer.request_id.as_str()) else {
            return Ok(());
        };
        let Some(answer::Result::ContactId(contact)) = answer.result else { return Ok(()) };
        self.bench.audit.accepted(contact, arriving.sent.into_std(), arriving.wait);
        self.books.insert(contact, Held::default());
        self.waits(contact);
        for directive in self.early.remove(&contact).unwrap_or_default() {
            self.directive(contact, directive)?;
        }
        Ok(())
    }

    /// A customer begins to wait for a person, with so much patience.
    fn waits(&mut self, contact: u64) {
        let (Some(mean), Some(held)) = (self.plan.patience, self.books.get_mut(&contact)) else {
            return;
        };
        held.waits += 1;
        let waits = held.waits;
        let patience = self.dice.exponential(mean);
        self.note(patience, Todo::GiveUp(contact, waits));
    }

    /// The conversation is with self-service from now on, or no longer.
    fn is_served(&mut self, contact: u64, served: bool) {
        let Some(held) = self.books.get_mut(&contact).filter(|h| h.served != served) else {
            return;
        };
        held.served = served;
        let again = served && held.returned;
        held.returned |= !served;
        self.bench.audit.count(|c| match served {
            true => {
                c.entered += 1;
                c.bounced_twice += u64::from(again);
            }
            false => c.returned += 1,
        });
        if !served {
            self.waits(contact);
        }
    }

    fn directive(&mut self, contact: u64, directive: Directive) -> Result<(), PlayerError> {
        match &directive {
            Directive::ConnectLegs(legs) => return self.connect(contact, legs),
            Directive::HandOver(d) => {
                self.effects.hand_over(d.effect_id, contact);
                let takes = self.dice.between_ms(20, 80);
                self.note(takes, Todo::HandedOver(d.effect_id));
                return Ok(());
            }
            Directive::EffectWithdrawn(d) => {
                self.effects.take(d.effect_id);
                self.asked.remove(&d.effect_id);
                if let Some((contact, _)) = self.saying.remove(&d.effect_id)
                    && let Some(held) = self.books.get_mut(&contact)
                {
                    // What was being played is broken off.
                    held.speaks_until = None;
                }
                return Ok(());
            }
            _ => {}
        }
        if self.effects.is_consult(contact) {
            return self.consult_directive(contact, &directive);
        }
        let Some(held) = self.books.get_mut(&contact) else {
            if matches!(directive, Directive::Ended(_)) {
                self.early.remove(&contact);
            } else {
                self.early.entry(contact).or_default().push(directive);
            }
            return Ok(());
        };
        let first = !std::mem::replace(&mut held.heard, true);
        match directive {
            Directive::SelfService(_) => self.is_served(contact, true),
            Directive::Say(text) => self.say(contact, text),
            Directive::GoesOnAs(d) => self.goes_on_as(contact, d.follow_up_contact_id),
            Directive::Waiting(_) => self.is_served(contact, false),
            Directive::OfferCallback(d) => self.asks(contact, d.effect_id),
            Directive::CallbackDue(_) => self.will_be_called(contact)?,
            Directive::Dial(d) => self.dial(contact, &d),
            Directive::ReservedFor(_) if first => self.bench.audit.held_at_once(contact),
            Directive::ReservedFor(_) => self.is_served(contact, false),
            Directive::AssignedTo(_) if !held.answered => {
                held.answered = true;
                self.bench.audit.answered(contact);
                self.talk(contact)?;
            }
            Directive::Pending(d)
                if d.waits_for() == WaitsFor::Customer && self.dice.happens(chance::REPLY) =>
            {
                let thinks = self.dice.exponential(1.5);
                self.note(thinks, Todo::Write(contact));
            }
            Directive::Ended(d) => self.end(contact, d.reason()),
            _ => {}
        }
        Ok(())
    }

    /// The same customer under another id: nobody was told of its acceptance.
    fn goes_on_as(&mut self, contact: u64, follow_up: u64) {
        if self.books.contains_key(&contact) {
            let wait = Wait { safety: false, wave: false };
            self.bench.audit.accepted(follow_up, Instant::now().into_std(), wait);
            self.books.insert(follow_up, Held { heard: true, returned: true, ..Held::default() });
            for directive in self.early.remove(&follow_up).unwrap_or_default() {
                // States alone can have come before, and those are told again.
                tracing::debug!(follow_up, ?directive, "told before it was known");
            }
        }
    }

    /// A conversation begins: what its customer will do in it.
    fn talk(&mut self, contact: u64) -> Result<(), PlayerError> {
        let live = matches!(self.plan.channel, Channel::Voice | Channel::Chat);
        if live && self.dice.happens(chance::HANG_UP) {
            let after = self.dice.exponential(0.4);
            self.note(after, Todo::HangUp(contact));
        }
        match self.plan.channel {
            Channel::Voice => {
                let asked = self.dice.happens(0.5);
                let consent = if asked { Consent::Given } else { Consent::NotAsked };
                let reference = format!("recording/{contact}");
                self.report(Report::Recording(Recording {
                    contact_id: contact,
                    reference,
                    consent: consent.into(),
                }))?;
            }
            Channel::Chat => {
                let writes = self.dice.between_ms(150, 600);
                self.note(writes, Todo::Write(contact));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, contact: u64, reason: EndReason) {
        self.books.remove(&contact);
        self.bench.audit.count(|c| match reason {
            EndReason::Solved => c.solved += 1,
            EndReason::Informed => c.informed += 1,
            EndReason::FollowedUp => c.followed_up += 1,
            _ => {}
        });
        self.bench.audit.ended(contact);
        self.ended.push(contact);
        // Only the recent ones matter to somebody who comes back.
        if self.ended.len() > 50 {
            self.ended.remove(0);
        }
    }

    fn hold(&mut self, contact: u64, on: bool) -> Result<(), PlayerError> {
        if let Some(held) = self.books.get_mut(&contact)
            && held.on_hold != on
        {
            held.on_hold = on;
            self.report(Report::Hold(say::Hold { contact_id: contact, on }))?;
        }
        Ok(())
    }
}
