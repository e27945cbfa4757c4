//! Counts what the durable events say, from the events alone.
//!
//! The replica owns it. It keeps its own few facts about each open contact and never
//! looks into the engine, so that it can also audit it: a contact reserved for a second
//! agent shows here even if the engine believes that all is well.

mod ledger;
mod recall;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use self::ledger::Ledger;
use self::recall::Cause;
use super::observe::{Fact, Observer};
use super::view::{Statistics, Waiting};
use crate::engine::entry::Entry;
use crate::engine::event::{CallbackPromised, Event, PromiseOpened, Queued, Reserved, WentSilent};
use crate::engine::routing::Routing;
use crate::engine::words::EndReason;
use crate::ids::{ContactId, QueueId, ReservationId};
use crate::journal::snapshot::seen::{Counted, Seen, Tallied, Track, TrackMachine};
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
    ledger: Ledger,
    /// Who was told how long they would wait.
    told: HashMap<ContactId, told::Told, FxBuildHasher>,
    observer: Arc<dyn Observer>,
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
            callback: false,
            answered: false,
            held: None,
            reserved: None,
            machine: TrackMachine::default(),
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
            ledger: Ledger::default(),
            told: HashMap::default(),
            observer,
        }
    }

    pub(crate) fn add(&mut self, entry: &Entry, wall: WallTime) {
        let cause = Cause::of(entry, wall);
        for event in &entry.events {
            // Before a contact that is closed is forgotten.
            self.told_event(entry.at, event);
            self.event(entry.at, event);
            self.recall_event(entry.at, event, &cause);
        }
    }

    /// One that goes on from what a snapshot counted, and tells the observer all of it.
    pub(crate) fn restore(observer: Arc<dyn Observer>, routing: &Routing, seen: &Seen) -> Self {
        let mut tally = Self::new(observer);
        tally.configured(routing);
        for tallied in &seen.tallies {
            tally.again(tallied);
        }
        tally.statistics.recalls.clone_from(&seen.recalls);
        tally.open.reserve(seen.tracks.len());
        for (contact, track) in &seen.tracks {
            tally.reserved.extend(track.reserved.map(|since| (since, *contact)));
            tally.open.insert(*contact, Track { waits: false, ..track.clone() });
            if track.waits {
                tally.enter(*contact);
            }
        }
        tally.statistics.oldest_reservation = tally.reserved.first().map(|r| r.0);
        tally
    }

    /// What goes into a snapshot, besides what others keep.
    pub(crate) fn image(&self) -> Seen {
        Seen {
            tallies: self.ledger.all(),
            recalls: self.statistics.recalls.clone(),
            tracks: self.open.iter().map(|(contact, track)| (*contact, track.clone())).collect(),
            ..Seen::default()
        }
    }

    /// Counts what was counted before the snapshot.
    fn again(&mut self, tallied: &Tallied) {
        let Tallied { what, times, sum } = *tallied;
        let statistics = &mut self.statistics;
        match what {
            Counted::Offered(queue) => statistics.queue_mut(queue).offered += times,
            Counted::Answered(w) => {
                let counts = statistics.queue_mut(w.queue);
                counts.answered += times;
                counts.answered_in_target += if w.in_target { times } else { 0 };
                counts.answered_wait_us = counts.answered_wait_us.saturating_add(sum.0);
            }
            Counted::Abandoned(w) => {
                let counts = statistics.queue_mut(w.queue);
                counts.abandoned += times;
                counts.abandoned_after_target += if w.in_target { 0 } else { times };
            }
            Counted::BouncedTwice => statistics.bounced_twice += times,
            Counted::PlaceLost => statistics.places_lost += times,
            Counted::SafetyDiverted => statistics.safety_diverted += times,
            Counted::DoubleReservation => statistics.double_reservations += times,
            // These the observer alone counts.
            Counted::Accepted(_)
            | Counted::NotTaken(_)
            | Counted::ConnectFailed(_)
            | Counted::Closed(_)
            | Counted::Feedback(..)
            | Counted::Triaged(_)
            | Counted::Returned(_)
            | Counted::Said(..) => {}
        }
        self.ledger.sum(tallied);
        self.observer.fact(ledger::fact(tallied), times);
    }

    fn tell(&mut self, fact: Fact<'_>) {
        self.ledger.add(&fact);
        self.observer.fact(fact, 1);
    }

    pub(crate) fn diverged(&mut self) {
        self.statistics.divergences += 1;
        self.tell(Fact::Diverged);
    }

    fn configured(&mut self, routing: &Routing) {
        self.targets = routing.queues.iter().map(|q| q.target).collect();
        self.head_starts = routing.queues.iter().map(|q| q.head_start).collect();
        for id in (0..routing.queues.len()).filter_map(|i| u16::try_from(i).ok()) {
            self.statistics.queue_mut(QueueId(id));
        }
        self.tell(Fact::Configured(routing));
    }

    fn event(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::Configured(routing) => self.configured(routing),
            Event::Arrived(arrived) => {
                self.open.insert(arrived.contact, Track::new(at, arrived.waited, false));
            }
            Event::PromiseOpened(PromiseOpened { arrived, .. }) => {
                self.open.insert(arrived.contact, Track::new(at, arrived.waited, false));
            }
            Event::CallbackPromised(CallbackPromised { contact, .. }) => self.called_back(*contact),
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
                self.tell(Fact::NotTaken(*how));
            }
            Event::Accepted { contact, connect_by, .. } => {
                if let Some(since) = self.unreserve(*contact) {
                    self.tell(Fact::Accepted(at.since(since)));
                }
                if connect_by.is_none() {
                    self.answered(at, *contact);
                }
            }
            Event::Bridged { contact, .. } => self.answered(at, *contact),
            Event::ConnectFailed { contact, reservation, fault, .. } => {
                self.back(*contact, *reservation);
                self.tell(Fact::ConnectFailed(*fault));
            }
            Event::Pended { contact, .. } => {
                // One on its way out waits in line no more.
                self.leave(*contact);
                if let Some(track) = self.open.get_mut(contact) {
                    track.held = None;
                }
            }
            Event::WentSilent(WentSilent { contact, .. }) => self.leave(*contact),
            Event::FeedbackGiven(given) => {
                let tenths = given.tenths().and_then(|tenths| u8::try_from(tenths).ok());
                if let Some(queue) = given.queue {
                    self.tell(Fact::Feedback(queue, tenths));
                }
            }
            Event::Closed { contact, reason, .. } => self.closed(at, *contact, *reason),
            _ => {}
        }
    }

    /// From now on nobody waits on its line: it is in no count of those who do.
    fn called_back(&mut self, contact: ContactId) {
        self.leave(contact);
        if let Some(track) = self.open.get_mut(&contact) {
            track.callback = true;
            track.held = None;
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
            self.tell(Fact::Offered(queued.queue));
        }
    }

    fn reserved(&mut self, at: EngineTime, reserved: &Reserved) {
        self.leave(reserved.contact);
        self.unreserve(reserved.contact);
        let Some(track) = self.open.get_mut(&reserved.contact) else { return };
        let held = track.held.replace(reserved.reservation);
        track.reserved = Some(at);
        if held.is_some() {
            self.statistics.double_reservations += 1;
            self.tell(Fact::DoubleReservation);
            tracing::error!(
                contact = %reserved.contact,
                reservation = %reserved.reservation,
                "a contact was reserved while somebody had it"
            );
        }
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
            (track.queue, track.service, track.answered, track.consult || track.callback)
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
        self.tell(Fact::Answered { queue, service, waited, in_target });
    }

    fn closed(&mut self, at: EngineTime, contact: ContactId, reason: EndReason) {
        self.leave(contact);
        self.unreserve(contact);
        self.tell(Fact::Closed(reason));
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
        self.tell(Fact::Abandoned { queue, service, waited, in_target });
    }

    fn in_target(&self, queue: QueueId, waited: Span) -> bool {
        self.targets.get(queue.index()).is_some_and(|target| waited <= *target)
    }

    fn enter(&mut self, contact: ContactId) {
        if !self.open.get(&contact).is_some_and(|track| track.callback) {
            self.wait(contact, true);
        }
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
