//! The simulated agents, all on the stream of one desktop server.
//!
//! One task owns the stream, the agents and their agenda. How an agent works on what they
//! were given is in `desk`.

mod desk;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel as Wire;

use self::desk::{Desk, Job};
use super::agenda::Agenda;
use super::scenario::Dice;
use super::{Bench, Phase, PlayerError};
use crate::pb::v1::agent_act::{Act, Become};
use crate::pb::v1::agent_directive::Directive;
use crate::pb::v1::agent_service_client::AgentServiceClient;
use crate::pb::v1::agent_service_connect_request::Command;
use crate::pb::v1::agent_service_connect_response::Message as Told;
use crate::pb::v1::{
    AgentAct, AgentServiceConnectRequest, AgentServiceConnectResponse, Answer, Availability,
    AvailabilityBecause, AvailabilityKind, NotTaken, ReleasedBecause, SignIn, answer,
};

/// What the desktop server is called in errors.
const WHO: &str = "desktop";
/// The reason that agents of the demo give for a break.
const LUNCH: &str = "lunch";

/// Plays all agents until the demo is over.
///
/// # Errors
/// [`PlayerError`] when their stream ends before that.
pub(super) async fn play(
    names: Vec<Arc<str>>,
    wire: Wire,
    dice: Dice,
    mut bench: Bench,
) -> Result<(), PlayerError> {
    // As for gateways: reading must never wait for writing.
    let (requests, outgoing) = unbounded_channel();
    let mut agents = Agents::new(names, requests, dice, bench.clone());
    let outgoing = UnboundedReceiverStream::new(outgoing);
    let lost = |source| PlayerError::Stream { who: WHO, source: Box::new(source) };
    agents.sign_in()?;
    let answered = AgentServiceClient::new(wire).connect(outgoing).await.map_err(lost)?;
    let mut incoming = answered.into_inner();
    loop {
        tokio::select! {
            message = incoming.message() => {
                let message = message.map_err(lost)?;
                agents.told(message.ok_or(PlayerError::Ended { who: WHO })?)?;
            }
            () = agents.agenda.wait() => agents.do_what_is_due()?,
            () = bench.phase_is(Phase::Over) => return Ok(()),
        }
    }
}

/// What an agent means to do.
#[derive(Debug)]
enum Todo {
    BeReady,
    /// A break, once they have nothing in hand.
    Break,
    Accept(u64),
    Decline(u64),
    /// Goes on with a job: which contact, and by which reservation they had it.
    GoOn(u64, u64),
    EndWrapUp(u64),
}

/// A request whose answer matters.
#[derive(Debug)]
enum Asked {
    Consult { contact: u64, reservation: u64 },
    HandOver { contact: u64 },
}

struct Agents {
    /// In the order of the configuration.
    names: Vec<Arc<str>>,
    desks: HashMap<Arc<str>, Desk>,
    requests: UnboundedSender<AgentServiceConnectRequest>,
    asked: HashMap<String, Asked>,
    agenda: Agenda<(Arc<str>, Todo)>,
    dice: Dice,
    bench: Bench,
    sent: u64,
}

impl Agents {
    fn new(
        names: Vec<Arc<str>>,
        requests: UnboundedSender<AgentServiceConnectRequest>,
        dice: Dice,
        bench: Bench,
    ) -> Self {
        Self {
            desks: names.iter().map(|n| (Arc::clone(n), Desk::default())).collect(),
            names,
            requests,
            asked: HashMap::new(),
            agenda: Agenda::new(),
            dice,
            bench,
            sent: 0,
        }
    }

    fn sign_in(&mut self) -> Result<(), PlayerError> {
        for name in self.names.clone() {
            self.send(&name, Command::SignIn(SignIn::default()))?;
            let first = self.dice.between_ms(20, 400);
            self.note(&name, first, Todo::BeReady);
            self.plan_break(&name);
        }
        Ok(())
    }

    fn plan_break(&mut self, name: &Arc<str>) {
        let after = self.dice.exponential(40.0) + Duration::from_secs(2);
        self.note(name, after, Todo::Break);
    }

    fn send(&mut self, agent: &str, command: Command) -> Result<String, PlayerError> {
        self.sent += 1;
        let request_id = format!("{WHO}-{}", self.sent);
        let request = AgentServiceConnectRequest {
            request_id: request_id.clone(),
            agent: agent.to_owned(),
            command: Some(command),
        };
        self.requests.send(request).map_err(|_| PlayerError::Ended { who: WHO })?;
        Ok(request_id)
    }

    fn act(&mut self, agent: &str, act: Act) -> Result<String, PlayerError> {
        self.send(agent, Command::Act(AgentAct { act: Some(act) }))
    }

    fn note(&mut self, agent: &Arc<str>, after: Duration, todo: Todo) {
        self.agenda.note(Instant::now() + after, (Arc::clone(agent), todo));
    }

    fn be_ready(&mut self, agent: &str) -> Result<(), PlayerError> {
        let kind = AvailabilityKind::Ready.into();
        let availability = Some(Availability { kind, reason: String::new() });
        self.act(agent, Act::Become(Become { availability })).map(|_| ())
    }

    fn told(&mut self, told: AgentServiceConnectResponse) -> Result<(), PlayerError> {
        let Some((name, _)) = self.desks.get_key_value(told.agent.as_str()) else {
            return Ok(());
        };
        let name = Arc::clone(name);
        match told.message {
            Some(Told::Answer(answer)) => self.answer(&name, &answer),
            Some(Told::Refused(refused)) => {
                self.bench.audit.refused(&refused.reason);
                tracing::debug!(agent = &*name, ?refused, "refused");
                match self.asked.remove(&refused.request_id) {
                    // Nobody came to help in time: the agent goes on alone.
                    Some(Asked::HandOver { contact }) => self.give_up_consult(&name, contact),
                    Some(Asked::Consult { contact, reservation }) => {
                        self.go_on(&name, contact, reservation)
                    }
                    None => Ok(()),
                }
            }
            Some(Told::Directive(d)) => {
                d.directive.map_or(Ok(()), |directive| self.directive(&name, directive))
            }
            Some(Told::SessionOver(_)) => Err(PlayerError::Ended { who: WHO }),
            Some(Told::Draining(_)) | None => Ok(()),
        }
    }

    fn answer(&mut self, name: &Arc<str>, answer: &Answer) -> Result<(), PlayerError> {
        match self.asked.remove(&answer.request_id) {
            Some(Asked::Consult { contact, reservation }) => {
                if matches!(answer.result, Some(answer::Result::ContactId(_))) {
                    self.bench.audit.count(|c| c.consults += 1);
                }
                let talks = self.dice.between_ms(250, 700);
                self.note(name, talks, Todo::GoOn(contact, reservation));
            }
            Some(Asked::HandOver { .. }) => self.bench.audit.count(|c| c.handed_over += 1),
            None => {}
        }
        Ok(())
    }

    fn directive(&mut self, name: &Arc<str>, directive: Directive) -> Result<(), PlayerError> {
        let audit = Arc::clone(&self.bench.audit);
        match directive {
            Directive::Offer(offer) => {
                audit.held(offer.contact_id, name, offer.reservation_id, Instant::now().into_std());
                self.offered(name, &offer);
            }
            Directive::Connecting(offer) => {
                audit.held(offer.contact_id, name, offer.reservation_id, Instant::now().into_std());
            }
            Directive::Assigned(offer) => {
                audit.held(offer.contact_id, name, offer.reservation_id, Instant::now().into_std());
                self.assigned(name, &offer);
            }
            Directive::OfferOver(over) => {
                audit.let_go(over.contact_id, name);
                if let Some(desk) = self.desk(name) {
                    desk.offers.remove(&over.reservation_id);
                }
                audit.count(|c| match over.how() {
                    NotTaken::Declined => c.declined += 1,
                    NotTaken::TimedOut => c.timed_out += 1,
                    _ => {}
                });
            }
            Directive::ConnectFailed(failed) => {
                audit.let_go(failed.contact_id, name);
                audit.count(|c| c.connect_failures += 1);
            }
            Directive::Released(released) => {
                audit.let_go(released.contact_id, name);
                audit.count(|c| match released.because() {
                    ReleasedBecause::Pended => c.pended += 1,
                    ReleasedBecause::Transferred => c.transferred += 1,
                    _ => {}
                });
                self.drop_job(name, released.contact_id);
            }
            Directive::Ended(ended) => {
                audit.let_go(ended.contact_id, name);
                self.drop_job(name, ended.contact_id);
            }
            Directive::WrapUp(wrap_up) => {
                let lasting = Duration::from_millis(wrap_up.lasting_ms);
                self.wrap_up(name, wrap_up.contact_id, lasting)?;
            }
            Directive::Availability(now) => {
                self.available(name, now.now.as_ref(), now.because(), now.phone_unreachable);
            }
            Directive::WrapUpEnded(over) => {
                if let Some(desk) = self.desk(name) {
                    desk.wrap_ups.remove(&over.contact_id);
                }
            }
            Directive::ConsultJoined(joined) => {
                if let Some(job) = self.desk(name).and_then(|d| d.jobs.get_mut(&joined.contact_id))
                {
                    job.helped = true;
                }
            }
            Directive::ConsultOver(over) => {
                if let Some(job) = self.desk(name).and_then(|d| d.jobs.get_mut(&over.contact_id)) {
                    job.helped = false;
                }
            }
            Directive::CustomerInput(_)
            | Directive::Participants(_)
            | Directive::Recovery(_)
            | Directive::RecoveryOver(_) => {}
        }
        Ok(())
    }

    /// Whoever may not be offered contacts comes back after a while.
    fn available(
        &mut self,
        name: &Arc<str>,
        now: Option<&Availability>,
        because: AvailabilityBecause,
        phone_unreachable: bool,
    ) {
        let reason = now.map(|a| a.reason.as_str()).unwrap_or_default();
        if because == AvailabilityBecause::RingNoAnswer {
            let away = self.dice.exponential(0.8) + Duration::from_millis(500);
            self.note(name, away, Todo::BeReady);
        } else if reason == LUNCH {
            let away = self.dice.exponential(1.5) + Duration::from_secs(1);
            self.note(name, away, Todo::BeReady);
            self.plan_break(name);
        } else if phone_unreachable {
            let repair = self.dice.between_ms(500, 1_500);
            self.note(name, repair, Todo::BeReady);
        }
    }

    fn desk(&mut self, name: &str) -> Option<&mut Desk> {
        self.desks.get_mut(name)
    }

    fn drop_job(&mut self, name: &str, contact: u64) {
        if let Some(desk) = self.desks.get_mut(name) {
            desk.jobs.remove(&contact);
        }
    }

    fn job(&mut self, name: &str, contact: u64, reservation: u64) -> Option<&mut Job> {
        let job = self.desks.get_mut(name)?.jobs.get_mut(&contact)?;
        (job.reservation == reservation).then_some(job)
    }
}
