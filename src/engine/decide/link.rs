//! Repeat contacts: those of one customer about one matter are linked, never collapsed.
//!
//! They share the earliest place. While one of them is with an agent the others are held back
//! for a while, keeping their places; the agent is told of them and may complete them together.
//! Contacts about safety are never held back. Customers are who their gateway knows for
//! certain: a number alone is nobody. See `docs/contacts.md`.

use smallvec::SmallVec;

use super::super::Engine;
use super::super::care::MOST_LINKED;
use super::super::contact::{Contact, State};
use super::super::directive::LinkedContact;
use super::super::event::{Advanced, AdvancedBecause, Event, HeldBack, Linked};
use super::super::refusal::Refusal;
use super::super::words::{EndReason, ServiceClass};
use super::{A_DAY, Turn, is_hurt};
use crate::ids::{AgentId, ContactId, DispositionId, QueueId};
use crate::time::{Place, Span};

/// The attribute by which a gateway says what a contact is about.
const MATTER: &str = "matter";

/// Open contacts that are linked with one.
type Others = SmallVec<[ContactId; MOST_LINKED]>;

impl Engine {
    /// The open contacts that one is linked with, in the order of their ids.
    pub(in crate::engine) fn linked_ids(&self, c: &Contact) -> Others {
        let (Some(customer), Some(matter)) = (c.customer, c.care.matter) else {
            return Others::new();
        };
        let same = |id: &ContactId| {
            *id != c.id && self.contact(*id).is_some_and(|o| o.care.matter == Some(matter))
        };
        self.known.of(customer).iter().copied().filter(same).collect()
    }

    /// What an agent is told of those that one is linked with.
    #[must_use]
    pub fn linked_with(&self, c: &Contact) -> Vec<LinkedContact> {
        let of = |id: ContactId| {
            let c = self.contact(id)?;
            Some(LinkedContact { contact: id, channel: c.channel, state: c.state.kind() })
        };
        self.linked_ids(c).into_iter().filter_map(of).collect()
    }

    fn links(&self, queue: QueueId) -> bool {
        self.routing.queue(queue).is_some_and(|q| q.care.link)
    }

    /// Whether two contacts of one customer are about the same matter: the same queue, the same
    /// recall, or what their gateways say.
    fn same_matter(&self, a: &Contact, b: &Contact) -> bool {
        let recall = |c: &Contact| self.recall_at(c.entry_point).map(|r| r.id);
        a.queue == b.queue
            || recall(a).is_some_and(|r| recall(b) == Some(r))
            || matter(a).is_some_and(|m| matter(b) == Some(m))
    }
}

/// What a gateway says that a contact is about.
fn matter(c: &Contact) -> Option<&str> {
    let of = c.attributes.as_ref()?.iter().find(|(name, _)| &**name == MATTER)?;
    Some(&*of.1).filter(|value| !value.is_empty())
}

/// A contact's place with its queue's own head start left out, so that places in two queues
/// compare.
pub(super) fn origin(c: &Contact) -> Place {
    let ahead = [c.head_start, c.waited_before, c.care.ahead];
    Place::new(c.arrived, Span(ahead.iter().map(|s| s.0).fold(0, u64::saturating_add)))
}

/// Whether nobody is known to be hurt.
fn may_be_held(c: &Contact) -> bool {
    c.service != ServiceClass::Safety && !is_hurt(c)
}

impl Turn<'_> {
    /// Links a contact with its customer's others, if they are about the same.
    pub(super) fn link(&mut self, contact: ContactId) {
        let Some((first, matter, joining)) = self.to_link(contact) else { return };
        self.emit(Event::Linked(Linked { contact, with: first, matter }));
        for other in joining {
            if self.engine.contact(other).is_some_and(|o| o.care.matter != Some(matter)) {
                self.emit(Event::Linked(Linked { contact: other, with: contact, matter }));
            }
        }
        self.share_place(contact);
    }

    /// With which a contact is to be linked, the first of all of them, and who else was linked
    /// with one of them and so is with all.
    fn to_link(&self, contact: ContactId) -> Option<(ContactId, ContactId, Others)> {
        let engine = &*self.engine;
        let c = engine.contact(contact).filter(|c| c.parent.is_none() && engine.links(c.queue))?;
        let open = engine.known.of(c.customer?);
        if open.len() < 2 || open.len() > MOST_LINKED {
            return None;
        }
        let others = open.iter().filter_map(|id| engine.contact(*id)).filter(|o| o.id != contact);
        let news = |o: &&Contact| {
            let linked = c.care.matter.is_some() && o.care.matter == c.care.matter;
            !linked && engine.links(o.queue) && engine.same_matter(c, o)
        };
        let found: SmallVec<[&Contact; MOST_LINKED]> = others.clone().filter(news).collect();
        let first = found.first()?.id;
        let groups = found.iter().map(|o| o.care.matter.unwrap_or(o.id));
        let matter = groups.clone().chain(c.care.matter).min()?;
        let joins = |o: &&Contact| {
            let of = o.care.matter.unwrap_or(o.id);
            o.id != first && (c.care.matter == Some(of) || groups.clone().any(|g| g == of))
        };
        Some((first, matter, others.filter(joins).map(|o| o.id).collect()))
    }

    /// All that are linked with a contact get the earliest place of those that nobody pends.
    fn share_place(&mut self, contact: ContactId) {
        let engine = &*self.engine;
        let Some(c) = engine.contact(contact) else { return };
        let mut all = engine.linked_ids(c);
        all.push(contact);
        let waits = |c: &&Contact| !matches!(c.state, State::Pending { .. });
        let each = all.iter().filter_map(|id| engine.contact(*id)).filter(waits);
        let Some((earliest, with)) = each.map(|c| (origin(c), c.id)).min() else { return };
        for contact in &all {
            let Some(c) = self.engine.contact(*contact) else { continue };
            let late = u64::try_from(origin(c).0.saturating_sub(earliest.0)).unwrap_or_default();
            // As much as is believed of any wait.
            let by = Span(late.min(A_DAY.0.saturating_sub(c.care.ahead.0)));
            if by > Span::ZERO {
                let place = Place(c.place.0.saturating_sub_unsigned(by.0));
                let (contact, because) = (*contact, AdvancedBecause::Linked(with));
                self.emit(Event::Advanced(Advanced { contact, by, place, because }));
            }
        }
        for contact in all {
            self.hold_back(contact);
        }
    }

    /// The first of those that a contact is linked with that is with an agent, or on the way.
    pub(super) fn with_agent(&self, c: &Contact) -> Option<ContactId> {
        let has =
            |id: &ContactId| self.engine.contact(*id).is_some_and(|c| c.state.agent().is_some());
        self.engine.linked_ids(c).into_iter().find(has)
    }

    /// Holds a waiting contact back while another is with an agent. Tells whether it is.
    pub(super) fn hold_back(&mut self, contact: ContactId) -> bool {
        let Some(c) = self.engine.contact(contact) else { return false };
        // Who waits for our call is called at the time that was promised, whatever else is theirs.
        let on_the_line = c.is_in_line() && c.state == State::Queued;
        if c.care.matter.is_none() || !on_the_line || !may_be_held(c) {
            return c.care.held_for().is_some();
        }
        let lasting = self.queue_of(c.queue).map_or(Span::ZERO, |q| q.care.hold_linked);
        let until = c.care.held.map_or(self.at + lasting, |held| held.until);
        let Some(with) = self.with_agent(c) else { return false };
        // What somebody decided to keep for an agent goes to them.
        if until <= self.at || c.named.is_some() {
            return false;
        }
        self.emit(Event::HeldBack(HeldBack { contact, with, until }));
        true
    }

    /// A contact is held for an agent: those that it is linked with wait.
    pub(super) fn hold_others(&mut self, contact: ContactId) {
        let others = self.engine.contact(contact).map(|c| self.engine.linked_ids(c));
        for other in others.unwrap_or_default() {
            self.hold_back(other);
        }
    }

    /// A contact was held back long enough: it goes on at its place.
    pub(super) fn hold_over(&mut self, contact: ContactId) {
        self.emit(Event::HoldEnded(contact));
        self.offer_contact(contact);
    }

    pub(super) fn complete_together(
        &mut self,
        agent: AgentId,
        contact: ContactId,
        others: &[ContactId],
        disposition: Option<DispositionId>,
    ) -> Result<(), Refusal> {
        self.in_hand(agent, contact)?;
        self.check_alone(contact)?;
        disposition.map_or(Ok(()), |d| self.check_disposition(d))?;
        let linked = self.engine.linked_ids(self.contact(contact)?);
        for (i, other) in others.iter().enumerate() {
            if others[..i].contains(other) {
                let (field, expected) = ("linked_contact_ids", "each contact once");
                return Err(Refusal::OutOfRange { field, expected });
            }
            self.check_together(agent, *other, &linked)?;
        }
        for other in others {
            if let Some(disposition) = disposition {
                self.emit(Event::Coded { contact: *other, agent, disposition });
            }
            self.close(*other, EndReason::HandledWith);
        }
        self.complete(agent, contact, disposition)
    }

    /// Whether an agent may complete a contact with the one that they have.
    fn check_together(
        &self,
        agent: AgentId,
        contact: ContactId,
        linked: &[ContactId],
    ) -> Result<(), Refusal> {
        let c = self.contact(contact)?;
        if !linked.contains(&contact) {
            return Err(Refusal::NotLinked(contact));
        }
        match c.state {
            State::Assigned { agent: of, .. } if of == agent => self.check_alone(contact),
            state if state.agent().is_some() => Err(Refusal::NotYourContact(contact)),
            // Somebody hurt is heard by a person, whoever else of theirs was.
            _ if !may_be_held(c) => {
                let (is, expected) = ("about safety", "in hand");
                Err(Refusal::WrongState { contact, is, expected })
            }
            _ => Ok(()),
        }
    }
}
