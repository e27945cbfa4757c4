//! One desktop server: its agents sign in on one stream, take every offer at once, work on
//! what they get for its handle time, and come back when their stream is dropped.
//!
//! One task owns one desktop, its stream and its agents.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use surgeline::cli::client::connect;
use surgeline::pb::v1::agent_act::{Accept, Act, Become, Complete};
use surgeline::pb::v1::agent_directive::Directive;
use surgeline::pb::v1::agent_service_client::AgentServiceClient;
use surgeline::pb::v1::agent_service_connect_request::Command;
use surgeline::pb::v1::agent_service_connect_response::Message as Told;
use surgeline::pb::v1::{
    AgentAct, AgentServiceConnectRequest, AgentServiceConnectResponse, Availability,
    AvailabilityKind, Offer, Refused, ReleasedBecause, SignIn,
};
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::agenda::Agenda;
use crate::arrival::read_attribute;
use crate::book::{Back, Book};
use crate::error::LoadError;
use crate::shared::Shared;

const WHO: &str = "desktop";
/// Begins the number of a request by which somebody becomes ready.
const READY: char = 'r';

/// A contact in an agent's hands.
#[derive(Debug)]
struct Job {
    reservation: u64,
    /// Its end was asked for, and not heard of yet.
    completing: bool,
    /// Held when the stream was dropped, and not heard of since.
    in_doubt: bool,
}

/// The time of a contact's work is up.
#[derive(Debug)]
struct Finish {
    agent: String,
    contact: u64,
    reservation: u64,
}

/// Why a stream is no longer read.
enum End {
    Over,
    Dropped(usize),
}

pub(crate) struct Desktop {
    number: usize,
    shared: Arc<Shared>,
    agents: Vec<String>,
    out: UnboundedSender<AgentServiceConnectRequest>,
    agenda: Agenda<Finish>,
    jobs: HashMap<u64, Job>,
    sent: u64,
    /// Agents who are still to hear that they are ready.
    not_ready: usize,
    ready: Option<Sender<()>>,
    reconnects: watch::Receiver<usize>,
    book: Book,
}

impl Desktop {
    pub(crate) fn new(
        number: usize,
        shared: Arc<Shared>,
        agents: Vec<String>,
        ready: Sender<()>,
    ) -> Result<Self, LoadError> {
        let book = Book::new(shared.plan.counts_from_us)?;
        // Replaced when a stream is made.
        let (out, _) = unbounded_channel();
        Ok(Self {
            number,
            reconnects: shared.reconnects.subscribe(),
            shared,
            agents,
            out,
            agenda: Agenda::new(),
            jobs: HashMap::new(),
            sent: 0,
            not_ready: 0,
            ready: Some(ready),
            book,
        })
    }

    /// Plays until the run is over.
    ///
    /// # Errors
    /// [`LoadError`] when a stream ends that was not to be dropped.
    pub(crate) async fn play(mut self) -> Result<Book, LoadError> {
        loop {
            let requests = self.sign_in();
            match self.converse(requests).await? {
                End::Over => return Ok(self.book),
                End::Dropped(number) => self.dropped(number),
            }
        }
    }

    fn sign_in(&mut self) -> UnboundedReceiver<AgentServiceConnectRequest> {
        let (out, requests) = unbounded_channel();
        self.out = out;
        self.not_ready = self.agents.len();
        for agent in self.agents.clone() {
            self.send(agent.clone(), 's', Command::SignIn(SignIn::default()));
            let kind = AvailabilityKind::Ready.into();
            let availability = Some(Availability { kind, reason: String::new() });
            let act = AgentAct { act: Some(Act::Become(Become { availability })) };
            self.send(agent, READY, Command::Act(act));
        }
        requests
    }

    /// Reads one stream until it is to be dropped or the run is over. The connection is
    /// the stream's own, and goes with it.
    async fn converse(
        &mut self,
        requests: UnboundedReceiver<AgentServiceConnectRequest>,
    ) -> Result<End, LoadError> {
        let (number, over) = (self.number, self.shared.over.clone());
        let lost = |source| LoadError::Stream { who: WHO, number, source: Box::new(source) };
        let ended = || LoadError::Ended { who: WHO, number };
        let mut client = AgentServiceClient::new(connect(&self.shared.address).await?);
        let stream = client.connect(UnboundedReceiverStream::new(requests)).await.map_err(lost)?;
        let mut incoming = stream.into_inner();
        let mut reconnects = self.reconnects.clone();
        let mut alarm = pin!(tokio::time::sleep(Duration::ZERO));
        let mut stop = pin!(over.cancelled());
        loop {
            let next = self.agenda.next();
            if let Some(at) = next
                && alarm.deadline() != at
            {
                alarm.as_mut().reset(at);
            }
            tokio::select! {
                biased;
                () = &mut stop => return Ok(End::Over),
                Ok(()) = reconnects.changed() => {
                    let number = *reconnects.borrow_and_update();
                    self.reconnects = reconnects;
                    return Ok(End::Dropped(number));
                }
                () = &mut alarm, if next.is_some() => self.do_what_is_due(),
                message = incoming.message() => {
                    self.shared.counts.message();
                    self.told(message.map_err(lost)?.ok_or_else(ended)?)?;
                }
            }
        }
    }

    fn dropped(&mut self, number: usize) {
        for job in self.jobs.values_mut() {
            job.in_doubt = true;
        }
        self.book.backs.push(Back {
            number,
            dropped_us: self.shared.now_us(),
            all_back_us: None,
            first_offer_us: None,
            held: self.jobs.len() as u64,
            given_back: 0,
        });
    }

    fn send(&mut self, agent: String, what: char, command: Command) {
        self.sent += 1;
        let request_id = format!("{}-{what}{}", self.shared.run, self.sent);
        self.shared.counts.message();
        // Fails only when the stream is over, which reading it says.
        let _ =
            self.out.send(AgentServiceConnectRequest { request_id, agent, command: Some(command) });
    }

    fn act(&mut self, agent: String, act: Act) {
        self.send(agent, 'a', Command::Act(AgentAct { act: Some(act) }));
    }

    fn complete(&mut self, agent: String, contact_id: u64) {
        let complete = Complete { contact_id, ..Complete::default() };
        self.act(agent, Act::Complete(complete));
    }

    fn do_what_is_due(&mut self) {
        let now = Instant::now();
        while let Some(finish) = self.agenda.due(now) {
            if let Some(job) = self.jobs.get_mut(&finish.contact)
                && job.reservation == finish.reservation
            {
                job.completing = true;
                self.complete(finish.agent, finish.contact);
            }
        }
    }

    fn told(&mut self, told: AgentServiceConnectResponse) -> Result<(), LoadError> {
        match told.message {
            Some(Told::Answer(answer)) => {
                if is_ready(&answer.request_id) {
                    self.one_is_ready();
                }
                Ok(())
            }
            Some(Told::Draining(_)) => Ok(()),
            Some(Told::Refused(refused)) => self.refused(told.agent, refused),
            Some(Told::Directive(d)) => match d.directive {
                Some(directive) => self.directive(told.agent, directive),
                None => Ok(()),
            },
            Some(Told::SessionOver(_)) => Err(LoadError::Ended { who: WHO, number: self.number }),
            None => Ok(()),
        }
    }

    fn one_is_ready(&mut self) {
        self.not_ready = self.not_ready.saturating_sub(1);
        if self.not_ready > 0 {
            return;
        }
        if let Some(ready) = self.ready.take() {
            // Whoever waited for it may have given up on the whole run.
            let _ = ready.try_send(());
        }
        if let Some(back) = self.book.backs.last_mut() {
            back.all_back_us.get_or_insert(self.shared.now_us());
        }
    }

    fn refused(&mut self, agent: String, refused: Refused) -> Result<(), LoadError> {
        if self.ready.is_some() || is_ready(&refused.request_id) {
            let (agent, reason) = (agent.into(), refused.reason.into());
            return Err(LoadError::SignIn { agent, reason });
        }
        self.book.refused(&refused.reason);
        Ok(())
    }

    fn directive(&mut self, agent: String, directive: Directive) -> Result<(), LoadError> {
        match directive {
            Directive::Offer(offer) => self.offered(agent, &offer)?,
            Directive::Assigned(offer) => self.assigned(agent, &offer),
            Directive::Ended(ended) => {
                self.jobs.remove(&ended.contact_id);
            }
            Directive::Released(released) => {
                self.jobs.remove(&released.contact_id);
                let gone = released.because() == ReleasedBecause::AgentGone;
                self.book.reservations_lost += u64::from(gone);
            }
            _ => {}
        }
        Ok(())
    }

    fn offered(&mut self, agent: String, offer: &Offer) -> Result<(), LoadError> {
        let now_us = self.shared.now_us();
        // The router's clock stands still within a decision: an offer made as the contact
        // came has waited nothing at all.
        if offer.waited_ms == 0
            && let Some((due_us, _)) = read_attribute(&offer.attributes)
        {
            self.book.offered_at_once(due_us, now_us)?;
        }
        if let Some(back) = self.book.backs.last_mut() {
            back.first_offer_us.get_or_insert(now_us);
        }
        self.act(agent, Act::Accept(Accept { reservation_id: offer.reservation_id }));
        Ok(())
    }

    fn assigned(&mut self, agent: String, offer: &Offer) {
        let (contact, reservation) = (offer.contact_id, offer.reservation_id);
        if let Some(job) = self.jobs.get_mut(&contact)
            && job.reservation == reservation
        {
            if std::mem::take(&mut job.in_doubt)
                && let Some(back) = self.book.backs.last_mut()
            {
                back.given_back += 1;
            }
            // What was said on the stream that is gone was not heard.
            if job.completing {
                self.complete(agent, contact);
            }
            return;
        }
        let handle = read_attribute(&offer.attributes).map_or(Duration::ZERO, |(_, handle)| handle);
        if handle.is_zero() {
            self.complete(agent, contact);
            return;
        }
        self.jobs.insert(contact, Job { reservation, completing: false, in_doubt: false });
        self.agenda.note(Instant::now() + handle, Finish { agent, contact, reservation });
    }
}

fn is_ready(request_id: &str) -> bool {
    request_id.rsplit('-').next().is_some_and(|last| last.starts_with(READY))
}
