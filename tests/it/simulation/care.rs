//! Those who come back, link, fall silent and write again in the simulation, and what must come
//! of it, followed from events alone.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use surgeline::engine::care::{FeedbackReport, Liveness, QueueCare};
use surgeline::engine::command::{Act, Command, Report};
use surgeline::engine::contact::{Contact, State};
use surgeline::engine::event::{
    Advanced, AdvancedBecause, Event, Linked, PresenceAsked, Reserved, Trigger, WentSilent,
};
use surgeline::engine::words::{Attributes, Channel, EndReason, ServiceClass};
use surgeline::ids::{AgentId, ContactId, CustomerId, QueueId};
use surgeline::time::{EngineTime, Place, Span};

use super::World;

/// What was seen of customers' patience.
#[derive(Default)]
pub(super) struct Patience {
    /// Who left unanswered: the contact, its place, and until when that is kept.
    left: BTreeMap<(CustomerId, QueueId), (ContactId, i128, EngineTime)>,
    /// When customers last said something.
    spoke: BTreeMap<ContactId, EngineTime>,
    /// Chats that are asked, and until when.
    asked: BTreeMap<ContactId, EngineTime>,
    /// Letters that somebody had when they ended, the newest last.
    letters: Vec<ContactId>,
}

pub(super) fn queue(rng: &mut StdRng) -> QueueCare {
    let mut any = |of: &[u64]| Span::seconds(*of.choose(rng).expect("some"));
    let liveness =
        Liveness { after: any(&[2, 8]), answer_within: any(&[2, 5]), keep: any(&[0, 9]) };
    let (keep_place, hold_linked, thread) = (any(&[0, 20, 90]), any(&[0, 6, 40]), any(&[0, 60]));
    let link = rng.random_bool(0.8);
    let liveness = rng.random_bool(0.6).then_some(liveness);
    QueueCare { keep_place, link, hold_linked, thread, liveness }
}

impl World {
    /// What an arrival goes on from, and what its gateway says that it is about.
    pub(super) fn goes_on(&mut self) -> (Option<ContactId>, Option<Attributes>) {
        let of = match self.rng.random_range(0..20) {
            0 => Some(self.any_contact()),
            1..=4 => self.patience.letters.last().copied(),
            _ => None,
        };
        let matter = self.rng.random_bool(0.1).then(|| self.about());
        (of, matter)
    }

    pub(super) fn about(&mut self) -> Attributes {
        let matter = *["kettle", "toaster"].choose(&mut self.rng).expect("two");
        [("matter".into(), matter.into())].into_iter().collect()
    }

    pub(super) fn feedback(&mut self) -> Command {
        let contact = ContactId(self.rng.random_range(0..self.owner.accepted() + 2));
        let score = self.rng.random_bool(0.8).then(|| self.rng.random_range(0..12));
        let report = Report::Feedback(FeedbackReport {
            contact,
            channel: *Channel::ALL.choose(&mut self.rng).expect("four"),
            queue: Some(QueueId(self.rng.random_range(0..9))),
            score,
            scale: 10,
            words: self.rng.random_bool(0.5),
        });
        self.gateway_command(contact, report)
    }

    /// Somebody whose agent has one of several that are linked completes them together.
    pub(super) fn together_command(&mut self) -> Command {
        let with = |c: &Contact| match c.state {
            State::Assigned { agent, .. } => Some((c.id, agent)),
            _ => None,
        };
        let linked = |c: &&Contact| !self.owner.linked_with(c).is_empty();
        let held: Vec<(ContactId, AgentId)> =
            self.owner.contacts().filter(linked).filter_map(with).collect();
        let none = (self.any_contact(), AgentId(0));
        let (contact, agent) = held.choose(&mut self.rng).copied().unwrap_or(none);
        let mut others: Vec<ContactId> = self
            .owner
            .contact(contact)
            .map(|c| self.owner.linked_with(c).into_iter().map(|l| l.contact).collect())
            .unwrap_or_default();
        if self.rng.random_bool(0.05) {
            others.push(self.any_contact());
        }
        let others = others.into_iter().collect();
        let act = Act::CompleteTogether { contact, others, disposition: None };
        Command::Agent { agent, session: None, act }
    }

    /// Follows one command's events; `before` is how contacts were.
    pub(super) fn check_patience(&mut self, events: &[Event], before: &[Contact], context: &str) {
        let was = |id: ContactId| before.iter().find(|c| c.id == id);
        for (at, event) in events.iter().enumerate() {
            match event {
                Event::Closed { contact, reason, agent, .. } => {
                    self.left(*contact, *reason, was(*contact));
                    if *reason == EndReason::GoneSilent {
                        let silent = was(*contact).is_some_and(|c| {
                            let waits = matches!(c.state, State::Pending { agent: None, .. });
                            waits || self.patience.asked.contains_key(contact)
                        });
                        assert!(silent, "{context}: {contact} was not asked");
                    }
                    let letter = |c: &Contact| c.channel.service() == ServiceClass::Async;
                    if was(*contact).is_some_and(letter) && agent.is_some() {
                        self.patience.letters.push(*contact);
                    }
                    self.patience.spoke.remove(contact);
                    self.patience.asked.remove(contact);
                }
                Event::InputReceived(contact) | Event::PresenceAssumed(contact) => {
                    self.patience.spoke.insert(*contact, self.at);
                    self.patience.asked.remove(contact);
                }
                Event::PresenceAsked(PresenceAsked { contact, until, .. }) => {
                    self.patience.asked.insert(*contact, *until);
                    let Some(c) = self.owner.contact(*contact) else { continue };
                    // The same command may send it elsewhere after.
                    let came = events[..at].iter().rev().find_map(|e| match e {
                        Event::Queued(q) if q.contact == *contact => Some(q.queue),
                        _ => None,
                    });
                    let then = came.or_else(|| was(*contact).map(|c| c.queue)).unwrap_or(c.queue);
                    let queue = &self.owner.routing().queues[then.index()];
                    let liveness = queue.care.liveness;
                    let after = liveness
                        .unwrap_or_else(|| panic!("{context}: {contact} {events:#?}"))
                        .after;
                    let spoke = self.patience.spoke.get(contact).copied().unwrap_or_default();
                    let queued = |e: &Event| matches!(e, Event::Queued(q) if q.contact == *contact);
                    let queued = match events[..at].iter().any(queued) {
                        true => self.at,
                        false => was(*contact).map_or(self.at, |c| c.queued),
                    };
                    let silent = self.at.since(spoke.max(queued));
                    assert!(silent >= after, "{context}: {contact} was silent for {silent:?}");
                    assert!(c.channel == Channel::Chat && c.service != ServiceClass::Safety);
                }
                Event::WentSilent(WentSilent { contact, .. }) => {
                    let until = self.patience.asked.remove(contact);
                    assert!(until.is_some_and(|until| until <= self.at), "{context}: {contact}");
                }
                Event::Queued(q) => {
                    self.patience.asked.remove(&q.contact);
                }
                Event::Restarted { missed, .. } => {
                    self.patience
                        .left
                        .values_mut()
                        .for_each(|(_, _, until)| *until = *until - *missed);
                }
                Event::Advanced(Advanced { contact, place, because, .. }) => {
                    self.check_advanced(*contact, *place, *because, context);
                }
                Event::Arrived(a) => self.check_back(a.contact, context),
                Event::Reserved(r) => self.check_given(r, context),
                Event::Linked(Linked { contact, .. }) => self.check_shared(*contact, context),
                _ => {}
            }
        }
    }

    fn left(&mut self, contact: ContactId, reason: EndReason, was: Option<&Contact>) {
        let left = matches!(
            reason,
            EndReason::Abandoned
                | EndReason::GatewayLost
                | EndReason::CustomerUnreachable
                | EndReason::GoneSilent
        );
        let Some(c) = was.filter(|c| left && c.answered.is_none() && c.parent.is_none()) else {
            return;
        };
        let been = c.course.iter().flat_map(|course| course.been.iter().copied());
        for queue in been.chain([c.queue]) {
            let lasting = self.owner.routing().queues[queue.index()].care.keep_place;
            if let Some(customer) = c.customer.filter(|_| lasting > Span::ZERO) {
                let kept = (contact, origin(c), self.at + lasting);
                self.patience.left.insert((customer, queue), kept);
            }
        }
    }

    /// The place that a customer comes back to is the one that they left.
    fn check_advanced(
        &mut self,
        contact: ContactId,
        place: Place,
        because: AdvancedBecause,
        context: &str,
    ) {
        let AdvancedBecause::Returned { of, queue } = because else { return };
        let customer = self.owner.contact(contact).and_then(|c| c.customer).expect("known");
        let (left, had, until) =
            self.patience.left.remove(&(customer, queue)).expect("they had left");
        // Once, whichever of the queues they come back to.
        self.patience.left.retain(|(who, _), (contact, ..)| *who != customer || *contact != left);
        assert!(until >= self.at, "{context}: {contact} came back too late");
        // Steps are taken anew, and the queue's head start is what it is now.
        let ahead = self.owner.routing().queues[queue.index()].head_start;
        let now = i128::from(place.0) + i128::from(ahead.0);
        assert_eq!((of, now), (left, had), "{context}: another place for {contact}");
    }

    /// Nobody who comes back in time is behind where they were.
    fn check_back(&self, contact: ContactId, context: &str) {
        let Some(c) = self.owner.contact(contact) else { return };
        // It came to a queue that had another one take over at once.
        if c.course.as_ref().is_some_and(|course| !course.been.is_empty()) {
            return;
        }
        let kept = c.customer.and_then(|who| self.patience.left.get(&(who, c.queue)));
        let Some((_, had, until)) = kept else { return };
        let lasting = self.owner.routing().queues[c.queue.index()].care.keep_place;
        let in_time = *until >= self.at && lasting > Span::ZERO;
        assert!(!in_time || origin(c) <= *had, "{context}: {contact} lost the place it had");
    }

    /// All that are linked, those who pend apart, have the earliest place.
    fn check_shared(&self, contact: ContactId, context: &str) {
        let Some(c) = self.owner.contact(contact) else { return };
        let others = self.owner.linked_with(c).into_iter();
        let others = others.filter_map(|l| self.owner.contact(l.contact)).chain([c]);
        let waits = |c: &&Contact| !matches!(c.state, State::Pending { .. });
        let places: Vec<i128> = others.clone().filter(waits).map(origin).collect();
        let same = places.windows(2).all(|p| p[0] == p[1]);
        assert!(same, "{context}: those linked with {contact} are at {places:?}");
        assert!(others.clone().all(|o| o.customer == c.customer && o.parent.is_none()));
    }

    /// Two agents have contacts of one customer about one matter only where that is right.
    fn check_given(&self, r: &Reserved, context: &str) {
        let Some(c) = self.owner.contact(r.contact) else { return };
        assert!(!self.patience.asked.contains_key(&c.id), "{context}: {} is asked", c.id);
        let lasting = self.owner.routing().queues[c.queue.index()].care.hold_linked;
        let over = c.care.held.is_some_and(|h| h.until <= self.at) || lasting == Span::ZERO;
        let safety = c.service == ServiceClass::Safety;
        if over || safety || r.trigger == Trigger::Named || c.state.agent() != Some(r.agent) {
            return;
        }
        let with = |o: &Contact| o.state.agent().is_some_and(|a| a != r.agent);
        for other in self.owner.linked_with(c) {
            let o = self.owner.contact(other.contact).expect("open");
            // Who came to an agent before they were linked stays there; so does who is hurt.
            let excused = !with(o) || o.service == ServiceClass::Safety || o.care.held.is_some();
            let first = o.state.reservation().is_some_and(|of| of < r.reservation);
            assert!(excused || !first, "{context}: {} while {} is with another", c.id, o.id);
        }
    }
}

/// A contact's place, but for what its queue adds to it.
fn origin(c: &Contact) -> i128 {
    let ahead = c.head_start.0 + c.waited_before.0 + c.care.ahead.0;
    i128::from(c.arrived.0) - i128::from(ahead)
}
