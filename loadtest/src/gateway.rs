//! One gateway: reports who comes, joins legs, tells when a customer has had enough, and
//! keeps the time.
//!
//! One task owns one gateway and its stream. In an open loop the arrivals are put on the
//! stream by the pacer and this task only hears of them.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use surgeline::cli::client::connect;
use surgeline::pb::v1::gateway_directive::Directive;
use surgeline::pb::v1::gateway_report::{Bridged, CustomerLeft, Holding, Report};
use surgeline::pb::v1::gateway_service_client::GatewayServiceClient;
use surgeline::pb::v1::gateway_service_connect_request::Message as Say;
use surgeline::pb::v1::gateway_service_connect_response::Message as Told;
use surgeline::pb::v1::{
    Answer, Arrival, Attribute, EndReason, GatewayReport, GatewayServiceConnectRequest, Hello,
    Refused, answer,
};
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::agenda::Agenda;
use crate::book::Book;
use crate::error::LoadError;
use crate::scenario::Kind;
use crate::schedule::Due;
use crate::shared::Shared;

const WHO: &str = "gateway";
/// After how long a closed loop tries again when the router had no room.
const AGAIN: Duration = Duration::from_millis(50);

/// An arrival, as a message. What the client needs to know again rides in its ids, so that
/// no table has to be kept of what was sent: the times in the key, and in an attribute for
/// the agent's side.
pub(crate) fn arrival(
    run: &str,
    number: usize,
    due: &Due,
    kind: &Kind,
) -> GatewayServiceConnectRequest {
    let id = format!("{run}-{number}-{}-{}", due.at_us, due.kind);
    // With words between the numbers: the router masks runs of digits that could be a
    // payment card's, and one in ten could.
    let value = format!("due {} us, takes {} us", due.at_us, due.handle_us);
    let arrival = Arrival {
        key: id.clone(),
        channel: surgeline::pb::v1::Channel::from(kind.channel).into(),
        queue: kind.name.clone(),
        attributes: vec![Attribute { name: "load".into(), value }],
        ..Arrival::default()
    };
    let report = GatewayReport { report: Some(Report::Arrived(arrival)) };
    GatewayServiceConnectRequest { request_id: id, message: Some(Say::Report(report)) }
}

/// What the id of an arrival says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ArrivalId {
    pub(crate) number: usize,
    pub(crate) due_us: u64,
    pub(crate) kind: usize,
}

/// Reads the id of an arrival; none of any other request.
pub(crate) fn read_id(id: &str) -> Option<ArrivalId> {
    let mut parts = id.rsplit('-');
    let kind = parts.next()?.parse().ok()?;
    let due_us = parts.next()?.parse().ok()?;
    let number = parts.next()?.parse().ok()?;
    Some(ArrivalId { number, due_us, kind })
}

/// Reads what an arrival's attribute says: when it was due, and how long it takes.
pub(crate) fn read_attribute(attributes: &[Attribute]) -> Option<(u64, Duration)> {
    let mut numbers = attributes.first()?.value.split(' ').filter_map(|word| word.parse().ok());
    let due_us = numbers.next()?;
    Some((due_us, Duration::from_micros(numbers.next()?)))
}

/// What a gateway or one of its customers means to do.
#[derive(Debug)]
enum Todo {
    GiveUp(u64),
    Join(u64),
    Arrive,
}

#[derive(Debug)]
struct Held {
    due_us: u64,
    kind: usize,
    answered: bool,
}

pub(crate) struct Gateway {
    number: usize,
    shared: Arc<Shared>,
    out: UnboundedSender<GatewayServiceConnectRequest>,
    agenda: Agenda<Todo>,
    held: HashMap<u64, Held>,
    /// Directives about contacts whose acceptance is still to be read.
    early: HashMap<u64, Vec<Directive>>,
    /// Legs being joined: by effect, for which reservation.
    joining: HashMap<u64, u64>,
    sent: usize,
    ready: Option<Sender<()>>,
    book: Book,
}

impl Gateway {
    /// `out` is the sending end of the stream's requests, which the pacer has too.
    pub(crate) fn new(
        number: usize,
        shared: Arc<Shared>,
        out: UnboundedSender<GatewayServiceConnectRequest>,
        ready: Sender<()>,
    ) -> Result<Self, LoadError> {
        let book = Book::new(shared.plan.counts_from_us)?;
        Ok(Self {
            number,
            shared,
            out,
            agenda: Agenda::new(),
            held: HashMap::new(),
            early: HashMap::new(),
            joining: HashMap::new(),
            sent: 0,
            ready: Some(ready),
            book,
        })
    }

    /// Plays until the run is over.
    ///
    /// # Errors
    /// [`LoadError`] when the stream ends before that.
    pub(crate) async fn play(
        mut self,
        requests: UnboundedReceiver<GatewayServiceConnectRequest>,
    ) -> Result<Book, LoadError> {
        let (number, over) = (self.number, self.shared.over.clone());
        let lost = |source| LoadError::Stream { who: WHO, number, source: Box::new(source) };
        let ended = || LoadError::Ended { who: WHO, number };
        self.send(Say::Hello(Hello { gateway: format!("load-{number}"), limits: None }));
        self.report(Report::Holding(Holding { keys: Vec::new(), last: true }));
        let mut client = GatewayServiceClient::new(connect(&self.shared.address).await?);
        let stream = client.connect(UnboundedReceiverStream::new(requests)).await.map_err(lost)?;
        let mut incoming = stream.into_inner();
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
                () = &mut stop => return Ok(self.book),
                () = &mut alarm, if next.is_some() => self.do_what_is_due(),
                message = incoming.message() => {
                    self.shared.counts.message();
                    let message = message.map_err(lost)?.ok_or_else(ended)?;
                    self.told(message.message)?;
                }
            }
        }
    }

    fn send(&mut self, message: Say) {
        self.sent += 1;
        let request_id = format!("{}-c{}", self.shared.run, self.sent);
        self.put(GatewayServiceConnectRequest { request_id, message: Some(message) });
    }

    fn put(&self, request: GatewayServiceConnectRequest) {
        self.shared.counts.message();
        // Fails only when the stream is over, which reading it says.
        let _ = self.out.send(request);
    }

    fn report(&mut self, report: Report) {
        self.send(Say::Report(GatewayReport { report: Some(report) }));
    }

    /// One more of a closed loop.
    fn arrive(&mut self) {
        if self.shared.closing.load(Relaxed) {
            return;
        }
        self.sent += 1;
        let due = self.shared.comes_now(self.sent);
        let kind = &self.shared.scenario.mix[due.kind];
        self.shared.counts.sent.fetch_add(1, Relaxed);
        self.put(arrival(&self.shared.run, self.sent, &due, kind));
    }

    fn do_what_is_due(&mut self) {
        let now = Instant::now();
        while let Some(todo) = self.agenda.due(now) {
            match todo {
                Todo::Arrive => self.arrive(),
                Todo::Join(effect) => self.join(effect),
                Todo::GiveUp(contact_id) => {
                    if self.held.get(&contact_id).is_some_and(|h| !h.answered) {
                        self.report(Report::CustomerLeft(CustomerLeft { contact_id }));
                    }
                }
            }
        }
    }

    fn told(&mut self, message: Option<Told>) -> Result<(), LoadError> {
        match message {
            Some(Told::Answer(answer)) => self.answer(&answer),
            Some(Told::Refused(refused)) => {
                self.refused(&refused);
                Ok(())
            }
            Some(Told::Directive(told)) => match told.directive {
                Some(directive) => self.directive(told.contact_id, directive),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    fn refused(&mut self, refused: &Refused) {
        self.book.refused(&refused.reason);
        if read_id(&refused.request_id).is_some() {
            self.shared.counts.settled.fetch_add(1, Relaxed);
            self.book.arrivals_refused += 1;
            if self.shared.in_flight.is_some() {
                self.agenda.note(Instant::now() + AGAIN, Todo::Arrive);
            }
        }
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), LoadError> {
        let Some(id) = read_id(&answer.request_id) else {
            if matches!(answer.result, Some(answer::Result::UnknownKeys(_)))
                && let Some(ready) = self.ready.take()
            {
                // Whoever waited for it may have given up on the whole run.
                let _ = ready.try_send(());
                for _ in 0..self.shared.in_flight.unwrap_or(0) {
                    self.agenda.note(Instant::now() + AGAIN, Todo::Arrive);
                }
            }
            return Ok(());
        };
        let Some(answer::Result::ContactId(contact)) = answer.result else { return Ok(()) };
        let now_us = self.shared.now_us();
        self.shared.counts.accepted.fetch_add(1, Relaxed);
        self.shared.counts.settled.fetch_add(1, Relaxed);
        self.book.took(id.due_us, now_us)?;
        self.held.insert(contact, Held { due_us: id.due_us, kind: id.kind, answered: false });
        let patience = self.shared.plan.dues.get(id.number).and_then(|due| due.patience_us);
        if let Some(patience) = patience {
            let left = (id.due_us + patience).saturating_sub(now_us);
            self.agenda.note(Instant::now() + Duration::from_micros(left), Todo::GiveUp(contact));
        }
        for directive in self.early.remove(&contact).unwrap_or_default() {
            self.directive(contact, directive)?;
        }
        Ok(())
    }

    fn directive(&mut self, contact: u64, directive: Directive) -> Result<(), LoadError> {
        let Some(held) = self.held.get_mut(&contact) else {
            self.early.entry(contact).or_default().push(directive);
            return Ok(());
        };
        match directive {
            Directive::ConnectLegs(legs) => {
                self.joining.insert(legs.effect_id, legs.reservation_id);
                let takes = self.shared.scenario.mix[held.kind].connect;
                if takes.is_zero() {
                    self.join(legs.effect_id);
                } else {
                    self.agenda.note(Instant::now() + takes, Todo::Join(legs.effect_id));
                }
            }
            Directive::EffectWithdrawn(effect) => {
                self.joining.remove(&effect.effect_id);
            }
            Directive::AssignedTo(_) if !held.answered => {
                held.answered = true;
                self.book.answered(held.due_us, self.shared.now_us())?;
            }
            Directive::Ended(ended) => {
                self.held.remove(&contact);
                self.shared.counts.ended.fetch_add(1, Relaxed);
                let reason = ended.reason();
                self.book.count(self.shared.now_us(), |c| match reason {
                    EndReason::Completed => c.completed += 1,
                    EndReason::Abandoned => c.abandoned += 1,
                    EndReason::CustomerLeft => c.left += 1,
                    _ => c.ended_otherwise += 1,
                })?;
                if self.shared.in_flight.is_some() {
                    self.arrive();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn join(&mut self, effect: u64) {
        if let Some(reservation_id) = self.joining.remove(&effect) {
            self.report(Report::Bridged(Bridged { reservation_id }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_tells_again_what_it_was() {
        let scenario =
            crate::scenario::Scenario::parse(include_str!("../tests/quick.toml")).unwrap();
        let due = Due { at_us: 1_234, kind: 1, handle_us: 20_000, patience_us: None };
        let request = arrival("19af", 7, &due, &scenario.mix[1]);
        let id = read_id(&request.request_id);
        assert_eq!(id, Some(ArrivalId { number: 7, due_us: 1_234, kind: 1 }));
        assert_eq!(read_id("19af-c12"), None);
        let Some(Say::Report(GatewayReport { report: Some(Report::Arrived(arrived)) })) =
            request.message
        else {
            panic!("an arrival")
        };
        let read = read_attribute(&arrived.attributes);
        assert_eq!(read, Some((1_234, Duration::from_millis(20))));
    }
}
