//! What an event means for contacts and agents that it does not name.
//!
//! Looked at around every event, because a contact leaves its agent in many ways: who was held
//! back for it stands in line again at once, so that the freed agent may take them, and is
//! offered at the end of the command. What was promised in a conversation is work once that is
//! over. It costs six comparisons while nobody is linked, asked, offered a call or to be
//! called, nothing is promised so, and no pool is a partner's.

use smallvec::SmallVec;

use super::super::contact::Contact;
use super::super::event::{Event, HeldBack};
use super::Turn;
use super::fills::Gate;
use super::offer::may_answer;
use crate::ids::{AgentId, ContactId, GatewayId, QueueId, RecallId};

/// Whom to look for once the command is carried out.
#[derive(Debug, Default)]
pub(super) struct Later {
    contacts: SmallVec<[ContactId; 4]>,
    agents: SmallVec<[AgentId; 4]>,
    talked: SmallVec<[ContactId; 4]>,
    /// Recalls whose partners have one contact less.
    partners: SmallVec<[RecallId; 2]>,
    /// Safety contacts that entered a line.
    watch: SmallVec<[ContactId; 4]>,
}

impl Later {
    fn is_empty(&self) -> bool {
        self.contacts.is_empty()
            && self.agents.is_empty()
            && self.talked.is_empty()
            && self.partners.is_empty()
            && self.watch.is_empty()
    }

    /// A safety contact entered a line.
    pub(super) fn watch(&mut self, contact: ContactId) {
        self.watch.push(contact);
    }
}

/// What hung on a contact before an event about it.
#[derive(Debug)]
pub(super) struct Before {
    contact: ContactId,
    held: SmallVec<[ContactId; 4]>,
    asked: Option<AgentId>,
    talks: bool,
    /// In which queue a call was offered to it.
    offered: Option<QueueId>,
    partner: Option<RecallId>,
    /// Its gateway had no session left to call anybody.
    full: Option<GatewayId>,
}

impl Turn<'_> {
    /// What hangs on the contact that an event is about.
    pub(super) fn before(&self, event: &Event) -> Option<Before> {
        let engine = &*self.engine;
        let talking = engine.owed.any_talking();
        let offers = engine.board.any_offers();
        let partners = !engine.routing.partners.is_empty();
        let calls = engine.floor.any_dialled();
        if !talking
            && !offers
            && !partners
            && !calls
            && !engine.known.any_linked()
            && !engine.floor.asks_any()
        {
            return None;
        }
        let [contact, _] = event.about();
        let contact = contact?;
        let c = engine.contact(contact)?;
        let held = |id: &ContactId| {
            engine.contact(*id).is_some_and(|o| o.care.held_for() == Some(contact))
        };
        let held = match c.state.agent() {
            Some(_) => engine.linked_ids(c).into_iter().filter(held).collect(),
            None => SmallVec::new(),
        };
        let asked = c.care.asked_for();
        let talks = talking && c.goes_on();
        let offered = c.offer().filter(|_| offers).map(|_| c.queue);
        let partner = c.partner;
        let full = Some(c.gateway).filter(|g| calls && engine.has_no_session(*g));
        let more = offered.is_some() || partner.is_some() || full.is_some();
        let hangs = talks || more || !held.is_empty() || asked.is_some();
        hangs.then_some(Before { contact, held, asked, talks, offered, partner, full })
    }

    pub(super) fn after(&mut self, before: Before) {
        let now = self.engine.contact(before.contact);
        if now.and_then(|c| c.care.asked_for()) != before.asked {
            self.later.agents.extend(before.asked);
        }
        if now.and_then(|c| c.partner) != before.partner {
            self.later.partners.extend(before.partner);
        }
        if let Some(gateway) = before.full.filter(|g| !self.engine.has_no_session(*g)) {
            self.opens(Gate::Calls(gateway));
        }
        let now = self.engine.contact(before.contact);
        // It was promised for the queue that it stood in, and holds room there.
        let holds = |c: &Contact| may_answer(c) && before.offered == Some(c.queue);
        if before.offered.is_some() && now.is_some_and(|c| c.offer().is_some() && !holds(c)) {
            self.offer_over(before.contact);
        }
        let now = self.engine.contact(before.contact);
        if before.talks && !now.is_some_and(Contact::goes_on) {
            self.later.talked.push(before.contact);
        }
        if now.is_none_or(|c| c.state.agent().is_none()) {
            for contact in before.held {
                self.let_on(contact);
            }
        }
    }

    /// The one that a contact was held back for is no longer with an agent.
    fn let_on(&mut self, contact: ContactId) {
        let Some(held) = self.engine.contact(contact).and_then(|c| c.care.held) else { return };
        match self.engine.contact(contact).and_then(|c| self.with_agent(c)) {
            Some(with) => self.emit(Event::HeldBack(HeldBack { contact, with, until: held.until })),
            None => {
                self.emit(Event::HoldEnded(contact));
                self.later.contacts.push(contact);
            }
        }
    }

    /// At the end of a command: agents for those who stand in line again, customers for those
    /// on whose account nobody is asked any more, and a watch over those who are hurt.
    pub(super) fn settle(&mut self) {
        while !self.later.is_empty() {
            let Later { contacts, agents, talked, partners, watch } =
                std::mem::take(&mut self.later);
            watch.into_iter().for_each(|contact| self.watch(contact));
            contacts.into_iter().for_each(|contact| self.offer_contact(contact));
            agents.into_iter().for_each(|agent| self.offer_agent(agent));
            partners.into_iter().for_each(|recall| self.partners_free(recall));
            talked.into_iter().for_each(|contact| self.talked(contact));
        }
        self.alarms_over();
    }
}
