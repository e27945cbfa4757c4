//! One gateway: reports who comes, joins legs, says what is to be said, tells when a customer
//! has had enough, and keeps the time.
//!
//! One task owns one gateway and its stream. In an open loop the arrivals are put on the
//! stream by the pacer and this task only hears of them; who is there before anybody comes it
//! brings in itself.

mod self_service;

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use surgeline::cli::client::connect;
use surgeline::pb::v1::gateway_directive::Directive;
use surgeline::pb::v1::gateway_report::{Bridged, CustomerLeft, EffectDone, Holding, Report};
use surgeline::pb::v1::gateway_service_client::GatewayServiceClient;
use surgeline::pb::v1::gateway_service_connect_request::Message as Say;
use surgeline::pb::v1::gateway_service_connect_response::Message as Told;
use surgeline::pb::v1::{
    Answer, EndReason, GatewayReport, GatewayServiceConnectRequest, Hello, Refused, answer,
};
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::agenda::Agenda;
use crate::arrival::{ArrivalId, arrival, read_id};
use crate::book::Book;
use crate::error::LoadError;
use crate::schedule::Due;
use crate::shared::Shared;
use self_service::{Customer, Does};

const WHO: &str = "gateway";
/// After how long a closed loop tries again when the router had no room.
const AGAIN: Duration = Duration::from_millis(50);
/// Arrivals of the backlog that a gateway has unanswered: half of what a stream may have.
const BRINGS: usize = 512;

/// What a gateway or one of its customers means to do.
#[derive(Debug)]
enum Todo {
    GiveUp(u64),
    Join(u64),
    Arrive,
    Bring,
    Said(u64),
    Act(u64, Does),
    Say(Again),
}

/// What is said again if the router had no room for it. Its request's id tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Again {
    Done(u64),
    Left(u64),
}

impl Again {
    fn read(request_id: &str) -> Option<Self> {
        let last = request_id.rsplit('-').next()?;
        let number = |rest: &str| rest.parse().ok();
        match last.split_at_checked(1)? {
            ("e", effect) => number(effect).map(Self::Done),
            ("l", contact) => number(contact).map(Self::Left),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Held {
    due_us: u64,
    kind: usize,
    answered: bool,
    /// When the gateway heard that it is accepted.
    accepted_us: u64,
    /// When the customer has waited enough; moves while they are in self-service.
    gives_up: Option<Instant>,
    customer: Customer,
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
    /// Texts being played: by effect, to whom.
    saying: HashMap<u64, self_service::Playing>,
    /// Numbers of the backlog's contacts that are still to be brought in, the first last.
    coming: Vec<usize>,
    /// Of those on their way.
    bringing: usize,
    sent: usize,
    ready: Option<Sender<()>>,
    chance: Xoshiro256PlusPlus,
    book: Book,
}

impl Gateway {
    /// `out` is the sending end of the stream's requests, which the pacer has too; `coming`
    /// are the numbers of those to be brought in first.
    pub(crate) fn new(
        number: usize,
        shared: Arc<Shared>,
        out: UnboundedSender<GatewayServiceConnectRequest>,
        coming: Vec<usize>,
        ready: Sender<()>,
    ) -> Result<Self, LoadError> {
        let book = Book::new(shared.plan.counts_from_us)?;
        let seed = shared.scenario.seed ^ (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Ok(Self {
            number,
            shared,
            out,
            agenda: Agenda::new(),
            held: HashMap::new(),
            early: HashMap::new(),
            joining: HashMap::new(),
            saying: HashMap::new(),
            coming,
            bringing: 0,
            sent: 0,
            ready: Some(ready),
            chance: Xoshiro256PlusPlus::seed_from_u64(seed),
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
        let (number, over, doors) =
            (self.number, self.shared.over.clone(), self.shared.doors.clone());
        let lost = |source| LoadError::Stream { who: WHO, number, source: Box::new(source) };
        let ended = || LoadError::Ended { who: WHO, number };
        self.send(Say::Hello(Hello {
            gateway: format!("load-{number}"),
            limits: None,
            can_say: true,
            // Offers are answered by nobody here.
            can_offer_callback: false,
            newest_receipt: Vec::new(),
        }));
        self.report(Report::Holding(Holding { keys: Vec::new(), last: true }));
        let mut client = GatewayServiceClient::new(connect(&self.shared.address).await?);
        let stream = client.connect(UnboundedReceiverStream::new(requests)).await.map_err(lost)?;
        let mut incoming = stream.into_inner();
        let mut alarm = pin!(tokio::time::sleep(Duration::ZERO));
        let mut stop = pin!(over.cancelled());
        let mut closing = pin!(doors.cancelled());
        let mut open = true;
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
                () = &mut closing, if open => {
                    open = false;
                    self.everyone_leaves();
                }
                () = &mut alarm, if next.is_some() => self.do_what_is_due()?,
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

    /// Says what must come through, under an id that tells it again.
    fn insist(&self, what: Again) {
        let (id, report) = match what {
            Again::Done(effect_id) => {
                (format!("e{effect_id}"), Report::EffectDone(EffectDone { effect_id }))
            }
            Again::Left(contact_id) => {
                (format!("l{contact_id}"), Report::CustomerLeft(CustomerLeft { contact_id }))
            }
        };
        let message = Some(Say::Report(GatewayReport { report: Some(report) }));
        let request_id = format!("{}-{id}", self.shared.run);
        self.put(GatewayServiceConnectRequest { request_id, message });
    }

    fn arrives(&self, number: usize, due: &Due) {
        let scenario = &self.shared.scenario;
        let (kind, recalled) = (&scenario.mix[due.kind], scenario.is_recalled(due.kind));
        self.shared.counts.sent.fetch_add(1, Relaxed);
        self.put(arrival(&self.shared.run, number, due, kind, recalled));
    }

    /// One more of a closed loop.
    fn arrive(&mut self) {
        if self.shared.closing.load(Relaxed) {
            return;
        }
        self.sent += 1;
        let due = self.shared.comes_now(self.sent);
        self.arrives(self.sent, &due);
    }

    /// As many of the backlog as may be on their way; ready when all are there.
    fn bring(&mut self) {
        while self.bringing < BRINGS
            && let Some(number) = self.coming.pop()
        {
            let plan = Arc::clone(&self.shared.plan);
            let Some(due) = plan.due(number) else { continue };
            self.bringing += 1;
            self.arrives(number, due);
        }
        if self.bringing == 0
            && self.coming.is_empty()
            && let Some(ready) = self.ready.take()
        {
            // Whoever waited for it may have given up on the whole run.
            let _ = ready.try_send(());
            for _ in 0..self.shared.in_flight.unwrap_or(0) {
                self.agenda.note(Instant::now() + AGAIN, Todo::Arrive);
            }
        }
    }

    fn of_backlog(&self, number: usize) -> bool {
        self.shared.in_flight.is_none() && number >= self.shared.plan.dues.len()
    }

    fn do_what_is_due(&mut self) -> Result<(), LoadError> {
        let now = Instant::now();
        while let Some(todo) = self.agenda.due(now) {
            match todo {
                Todo::Arrive => self.arrive(),
                Todo::Bring => self.bring(),
                Todo::Join(effect) => self.join(effect),
                Todo::GiveUp(contact_id) => {
                    let enough = |h: &Held| !h.answered && h.gives_up.is_some_and(|at| at <= now);
                    if self.held.get(&contact_id).is_some_and(enough) {
                        self.report(Report::CustomerLeft(CustomerLeft { contact_id }));
                    }
                }
                Todo::Said(effect) => self.said(effect),
                Todo::Act(contact, does) => self.act(contact, does),
                Todo::Say(again) => self.insist(again),
            }
        }
        Ok(())
    }

    /// Nobody comes any more, and who only waits gives up.
    fn everyone_leaves(&mut self) {
        let waits: Vec<_> = self.held.keys().copied().filter(|id| self.has_to_leave(*id)).collect();
        for contact in waits {
            self.insist(Again::Left(contact));
        }
    }

    fn has_to_leave(&self, contact: u64) -> bool {
        let leaves = |h: &Held| !h.answered && self.shared.scenario.mix[h.kind].leaves_at_end;
        self.held.get(&contact).is_some_and(leaves)
    }

    fn told(&mut self, message: Option<Told>) -> Result<(), LoadError> {
        match message {
            Some(Told::Answer(answer)) => self.answer(&answer),
            Some(Told::Draining(_)) => Ok(()),
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
        let later =
            Instant::now() + Duration::from_millis(refused.retry_after_ms.into()).max(AGAIN);
        if let Some(again) = Again::read(&refused.request_id).filter(|_| refused.retry_after_ms > 0)
        {
            self.agenda.note(later, Todo::Say(again));
        }
        let Some(id) = read_id(&refused.request_id) else { return };
        self.shared.counts.settled.fetch_add(1, Relaxed);
        self.book.arrivals_refused += 1;
        if self.of_backlog(id.number) {
            self.bringing -= 1;
            self.coming.push(id.number);
            self.agenda.note(later, Todo::Bring);
        } else if self.shared.in_flight.is_some() {
            self.agenda.note(later, Todo::Arrive);
        }
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), LoadError> {
        let Some(id) = read_id(&answer.request_id) else {
            if matches!(answer.result, Some(answer::Result::UnknownKeys(_))) {
                self.bring();
            }
            return Ok(());
        };
        let Some(answer::Result::ContactId(contact)) = answer.result else { return Ok(()) };
        self.accepted(contact, id)
    }

    fn accepted(&mut self, contact: u64, id: ArrivalId) -> Result<(), LoadError> {
        let (due_us, kind, now_us) = (id.due_us, id.kind, self.shared.now_us());
        self.shared.counts.accepted.fetch_add(1, Relaxed);
        self.shared.counts.settled.fetch_add(1, Relaxed);
        if self.of_backlog(id.number) {
            self.book.total.accepted += 1;
            self.bringing -= 1;
            self.bring();
        } else {
            self.book.took(due_us, now_us)?;
        }
        let plan = Arc::clone(&self.shared.plan);
        let due = plan.due(id.number);
        let gives_up = due.and_then(|due| due.patience_us).map(|patience| {
            let left = (due_us + patience).saturating_sub(now_us);
            let at = Instant::now() + Duration::from_micros(left);
            self.agenda.note(at, Todo::GiveUp(contact));
            at
        });
        let customer = Customer::new(due.map(|due| due.says));
        let held = Held { due_us, kind, answered: false, accepted_us: now_us, gives_up, customer };
        self.hold(contact, held)?;
        if self.shared.doors.is_cancelled() && self.has_to_leave(contact) {
            self.insist(Again::Left(contact));
        }
        Ok(())
    }

    fn hold(&mut self, contact: u64, held: Held) -> Result<(), LoadError> {
        self.held.insert(contact, held);
        for directive in self.early.remove(&contact).unwrap_or_default() {
            self.directive(contact, directive)?;
        }
        Ok(())
    }

    fn directive(&mut self, contact: u64, directive: Directive) -> Result<(), LoadError> {
        let Some(held) = self.held.get(&contact) else {
            self.early.entry(contact).or_default().push(directive);
            return Ok(());
        };
        match directive {
            Directive::Waiting(_) | Directive::ReservedFor(_) => self.in_line(contact)?,
            Directive::ConnectLegs(legs) => {
                let takes = self.shared.scenario.mix[held.kind].connect;
                self.joining.insert(legs.effect_id, legs.reservation_id);
                if takes.is_zero() {
                    self.join(legs.effect_id);
                } else {
                    self.agenda.note(Instant::now() + takes, Todo::Join(legs.effect_id));
                }
            }
            Directive::EffectWithdrawn(effect) => {
                self.joining.remove(&effect.effect_id);
                self.saying.remove(&effect.effect_id);
            }
            Directive::AssignedTo(_) if !held.answered => {
                self.in_line(contact)?;
                self.answered(contact)?;
            }
            Directive::SelfService(_) => self.in_self_service(contact)?,
            Directive::Say(say) => self.say(contact, say),
            Directive::GoesOnAs(other) => self.goes_on(contact, other.follow_up_contact_id)?,
            Directive::Ended(ended) => self.ended(contact, ended.reason())?,
            _ => {}
        }
        Ok(())
    }

    fn answered(&mut self, contact: u64) -> Result<(), LoadError> {
        let Some(held) = self.held.get_mut(&contact) else { return Ok(()) };
        held.answered = true;
        let (due_us, now_us) = (held.due_us, self.shared.now_us());
        self.person_has(contact, now_us);
        self.book.answered(due_us, now_us)
    }

    fn ended(&mut self, contact: u64, reason: EndReason) -> Result<(), LoadError> {
        if let Some(held) = self.held.remove(&contact) {
            let left = matches!(reason, EndReason::Abandoned) && held.customer.is_inside();
            self.book.served.ways.left += u64::from(left);
        }
        self.shared.counts.ended.fetch_add(1, Relaxed);
        self.book.count(self.shared.now_us(), |c| match reason {
            EndReason::Completed => c.completed += 1,
            EndReason::Abandoned => c.abandoned += 1,
            EndReason::CustomerLeft => c.left += 1,
            EndReason::Solved => c.solved += 1,
            EndReason::Informed => c.informed += 1,
            EndReason::FollowedUp => c.followed_up += 1,
            _ => c.ended_otherwise += 1,
        })?;
        if self.shared.in_flight.is_some() {
            self.arrive();
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
    fn what_must_come_through_is_known_by_its_id() {
        assert_eq!(Again::read("19af-e12"), Some(Again::Done(12)));
        assert_eq!(Again::read("19af-l7"), Some(Again::Left(7)));
        assert_eq!([Again::read("19af-c12"), Again::read("")], [None, None]);
        assert_eq!(read_id("19af-e12"), None, "nor is it an arrival");
    }
}
