//! Counts what the durable events say, from the events alone.
//!
//! The replica owns it. It keeps its own few facts about each open contact and never
//! looks into the engine, so that it can also audit it: a contact reserved for a second
//! agent shows here even if the engine believes that all is well.

mod recall;

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use self::recall::{Cause, Machine};
use super::observe::{Fact, Observer};
use super::view::{Statistics, Waiting};
use crate::engine::entry::Entry;
use crate::engine::event::{Event, Queued, Reserved};
use crate::engine::words::{EndReason, ServiceClass};
use crate::ids::{ContactId, QueueId, ReservationId};
use crate::time::{EngineTime, Place, Span, WallTime};

/// The counts, and what it takes to go on counting.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) statistics: Statistics,
    open: HashMap<ContactId, Track, FxBuildHasher>,
    /// Who waits in each queue, by when their wait began: it may be before the router's
    /// beginning, hence the place and not a time.
    waiting: Vec<BTreeSet<(Place, ContactId)>>,
    /// The same by class of service.
    in_class: [BTreeSet<(Place, ContactId)>; 3],
    reserved: BTreeSet<(EngineTime, ContactId)>,
    targets: Vec<Span>,
    head_starts: Vec<Span>,
    observer: Arc<dyn Observer>,
}

/// What counting needs to know of an open contact.
#[derive(Debug)]
struct Track {
    arrived: EngineTime,
    waited_before: Span,
    queue: Option<QueueId>,
    service: Option<ServiceClass>,
    waits: bool,
    consult: bool,
    answered: bool,
    /// By which reservation somebody has it.
    held: Option<ReservationId>,
    reserved: Option<EngineTime>,
    machine: Machine,
}

impl Track {
    fn new(arrived: EngineTime, waited_before: Span, consult: bool) -> Self {
        Self {
            arrived,
            waited_before,
            queue: None,
            service: None,
            waits: false,
            consult,
            answered: false,
            held: None,
            reserved: None,
            machine: Machine::default(),
        }
    }

    fn waited(&self, at: EngineTime) -> Span {
        Span(at.since(self.arrived).0.saturating_add(self.waited_before.0))
    }
}

impl Tally {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Self {
        Self {
            statistics: Statistics::default(),
            open: HashMap::default(),
            waiting: Vec::new(),
            in_class: Default::default(),
            reserved: BTreeSet::new(),
            targets: Vec::new(),
            head_starts: Vec::new(),
            observer,
        }
    }

    pub(crate) fn add(&mut self, entry: &Entry, wall: WallTime) {
        let cause = Cause::of(entry, wall);
        for event in &entry.events {
            self.event(entry.at, event);
            self.recall_event(entry.at, event, &cause);
        }
    }

    pub(crate) fn diverged(&mut self) {
        self.statistics.divergences += 1;
        self.observer.fact(Fact::Diverged);
    }

    fn event(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::Configured(routing) => {
                self.targets = routing.queues.iter().map(|q| q.target).collect();
                self.head_starts = routing.queues.iter().map(|q| q.head_start).collect();
                for id in (0..routing.queues.len()).filter_map(|i| u16::try_from(i).ok()) {
                    self.statistics.queue_mut(QueueId(id));
                }
                self.observer.fact(Fact::Configured(routing));
            }
            Event::Arrived(arrived) => {
                self.open.insert(arrived.contact, Track::new(at, arrived.waited, false));
            }
            Event::FollowUpOpened(arrived) => {
                self.open.insert(arrived.contact, Track::follow_up(at, arrived.waited));
            }
            Event::ConsultStarted { child, .. } => {
                self.open.insert(*child, Track::new(at, Span::ZERO, true));
            }
            Event::Queued(queued) => self.queued(queued),
            Event::Reserved(reserved) => self.reserved(at, reserved),
            Event::NotTaken { contact, reservation, how, .. } => {
                self.back(*contact, *reservation);
                self.observer.fact(Fact::NotTaken(*how));
            }
            Event::Accepted { contact, connect_by, .. } => {
                if let Some(since) = self.unreserve(*contact) {
                    self.observer.fact(Fact::Accepted(at.since(since)));
                }
                if connect_by.is_none() {
                    self.answered(at, *contact);
                }
            }
            Event::Bridged { contact, .. } => self.answered(at, *contact),
            Event::ConnectFailed { contact, reservation, fault, .. } => {
                self.back(*contact, *reservation);
                self.observer.fact(Fact::ConnectFailed(*fault));
            }
            Event::Pended { contact, .. } => {
                if let Some(track) = self.open.get_mut(contact) {
                    track.held = None;
                }
            }
            Event::Closed { contact, reason, .. } => self.closed(at, *contact, *reason),
            _ => {}
        }
    }

    fn queued(&mut self, queued: &Queued) {
        let contact = queued.contact;
        self.leave(contact);
        self.unreserve(contact);
        let Some(track) = self.open.get_mut(&contact) else { return };
        let entered = track.queue.replace(queued.queue) != Some(queued.queue);
        track.service = Some(queued.service);
        track.held = None;
        let counts = entered && !track.consult;
        self.enter(contact);
        if counts {
            self.statistics.queue_mut(queued.queue).offered += 1;
            self.observer.fact(Fact::Offered(queued.queue));
        }
    }

    fn reserved(&mut self, at: EngineTime, reserved: &Reserved) {
        self.leave(reserved.contact);
        self.unreserve(reserved.contact);
        let Some(track) = self.open.get_mut(&reserved.contact) else { return };
        if track.held.replace(reserved.reservation).is_some() {
            self.statistics.double_reservations += 1;
            self.observer.fact(Fact::DoubleReservation);
            tracing::error!(
                contact = %reserved.contact,
                reservation = %reserved.reservation,
                "a contact was reserved while somebody had it"
            );
        }
        track.reserved = Some(at);
        self.reserved.insert((at, reserved.contact));
        self.statistics.oldest_reservation = self.reserved.first().map(|r| r.0);
    }

    /// It waits again, if this reservation is the one it was held by.
    fn back(&mut self, contact: ContactId, reservation: ReservationId) {
        let Some(track) = self.open.get_mut(&contact) else { return };
        if track.held == Some(reservation) {
            track.held = None;
            self.unreserve(contact);
            self.enter(contact);
        }
    }

    fn answered(&mut self, at: EngineTime, contact: ContactId) {
        let Some(track) = self.open.get_mut(&contact) else { return };
        let (Some(queue), Some(service), false, false) =
            (track.queue, track.service, track.answered, track.consult)
        else {
            return;
        };
        track.answered = true;
        let waited = track.waited(at);
        let in_target = self.in_target(queue, waited);
        let counts = self.statistics.queue_mut(queue);
        counts.answered += 1;
        counts.answered_in_target += u64::from(in_target);
        counts.answered_wait_us = counts.answered_wait_us.saturating_add(waited.0);
        self.observer.fact(Fact::Answered { queue, service, waited, in_target });
    }

    fn closed(&mut self, at: EngineTime, contact: ContactId, reason: EndReason) {
        self.leave(contact);
        self.unreserve(contact);
        self.observer.fact(Fact::Closed(reason));
        let Some(track) = self.open.remove(&contact) else { return };
        // Who leaves self-service with an answer or a completed check is neither answered nor
        // abandoned; who leaves it without is as any other who held a place.
        let (EndReason::Abandoned, Some(queue), Some(service), false) =
            (reason, track.queue, track.service, track.consult)
        else {
            return;
        };
        let waited = track.waited(at);
        let in_target = self.in_target(queue, waited);
        let counts = self.statistics.queue_mut(queue);
        counts.abandoned += 1;
        counts.abandoned_after_target += u64::from(!in_target);
        self.observer.fact(Fact::Abandoned { queue, service, waited, in_target });
    }

    fn in_target(&self, queue: QueueId, waited: Span) -> bool {
        self.targets.get(queue.index()).is_some_and(|target| waited <= *target)
    }

    fn enter(&mut self, contact: ContactId) {
        self.wait(contact, true);
    }

    fn leave(&mut self, contact: ContactId) {
        self.wait(contact, false);
    }

    fn wait(&mut self, contact: ContactId, waits: bool) {
        let Some(track) = self.open.get_mut(&contact) else { return };
        let (Some(queue), Some(service)) = (track.queue, track.service) else { return };
        if track.waits == waits {
            return;
        }
        track.waits = waits;
        if self.waiting.len() <= queue.index() {
            self.waiting.resize_with(queue.index() + 1, BTreeSet::new);
        }
        let place = (Place::new(track.arrived, track.waited_before), contact);
        let lines = [&mut self.waiting[queue.index()], &mut self.in_class[service as usize]];
        let [of_queue, of_class] = lines.map(|line| {
            if waits {
                line.insert(place);
            } else {
                line.remove(&place);
            }
            Waiting { now: line.len() as u64, oldest: line.first().map(|first| first.0) }
        });
        let counts = self.statistics.queue_mut(queue);
        counts.waiting = of_queue.now;
        counts.oldest = of_queue.oldest;
        self.statistics.classes[service as usize] = of_class;
    }

    fn unreserve(&mut self, contact: ContactId) -> Option<EngineTime> {
        let since = self.open.get_mut(&contact)?.reserved.take()?;
        self.reserved.remove(&(since, contact));
        self.statistics.oldest_reservation = self.reserved.first().map(|r| r.0);
        Some(since)
    }
}
