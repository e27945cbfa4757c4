//! Sealed personal data of open contacts, at hand for whoever is told of them.
//!
//! A registry, never the truth: it follows durable events and is made again from the
//! journal. It opens nothing; unsealing is for those who may see.

use std::sync::Arc;

use dashmap::DashMap;

use crate::engine::entry::Sealed;
use crate::engine::event::{CallbackPromised, Event, NumberConfirmed, PromiseOpened};
use crate::engine::recall::LotVerdict;
use crate::engine::words::Keys;
use crate::ids::{ContactId, CustomerId, RecallId};
use crate::journal::snapshot::seen::Known;

/// Inputs kept for the next agent of a contact; of more the oldest go. The timeline has all.
const MOST_SAID: usize = 32;
/// Checked lots kept of a contact; of more the oldest go.
const MOST_LOTS: usize = 8;

/// By contact: whose it is, how it arrived, and what was said since an agent last let go of it.
#[derive(Debug, Default)]
pub(crate) struct People(DashMap<ContactId, Arc<Known>>);

/// What an event changes in the registry.
#[derive(Debug)]
pub(crate) enum PeopleChange {
    /// A known customer, or data, came with the arrival.
    Arrived(ContactId, Option<CustomerId>, Option<Sealed>),
    /// A contact goes on as another one.
    GoesOn {
        /// The one that ends.
        of: ContactId,
        /// The one that it goes on as.
        contact: ContactId,
    },
    /// A recall's self-service took it.
    Diverted(ContactId, RecallId),
    /// Words came from the customer.
    Said(ContactId, Sealed),
    /// A lot was entered and checked.
    Checked(ContactId, LotVerdict, Keys),
    /// The agent who has heard the words lets go of the contact.
    Heard(ContactId),
    /// The contact is closed.
    Closed(ContactId),
}

impl PeopleChange {
    /// What this event changes; none if nothing.
    pub(crate) fn of(event: &Event, sealed: Option<&Sealed>) -> Option<Self> {
        match event {
            // Of one who is neither known nor said anything of there is nothing to keep.
            Event::Arrived(a) => (a.customer.is_some() || sealed.is_some())
                .then(|| Self::Arrived(a.contact, a.customer, sealed.cloned())),
            Event::PromiseOpened(PromiseOpened { arrived, .. })
            | Event::FollowUpOpened(arrived) => {
                arrived.continues.map(|of| Self::GoesOn { of, contact: arrived.contact })
            }
            Event::Diverted { contact, now } => Some(Self::Diverted(*contact, now.recall)),
            // The number to call them at comes with these.
            Event::NumberConfirmed(NumberConfirmed { contact, .. })
            | Event::CallbackPromised(CallbackPromised { contact, .. })
            | Event::InputReceived(contact) => sealed.map(|s| Self::Said(*contact, s.clone())),
            Event::KeysPressed { contact, keys, lot: Some(verdict) } => {
                Some(Self::Checked(*contact, *verdict, keys.clone()))
            }
            // One on its way out was with nobody who heard them.
            Event::Pended { contact, agent: Some(_), .. } => Some(Self::Heard(*contact)),
            Event::Queued(q) if q.released.is_some() => Some(Self::Heard(q.contact)),
            Event::Closed { contact, .. } => Some(Self::Closed(*contact)),
            _ => None,
        }
    }
}

impl People {
    pub(crate) fn change(&self, change: PeopleChange) {
        match change {
            PeopleChange::Arrived(contact, customer, sealed) => {
                let mut known = self.0.entry(contact).or_default();
                let known = Arc::make_mut(&mut known);
                known.customer = customer;
                known.arrived = sealed;
            }
            PeopleChange::GoesOn { of, contact } => {
                let known = self.0.get(&of).map(|known| Arc::clone(&known));
                if let Some(known) = known {
                    self.0.insert(contact, known);
                }
            }
            PeopleChange::Diverted(contact, recall) => {
                Arc::make_mut(&mut self.0.entry(contact).or_default()).recall = Some(recall);
            }
            PeopleChange::Said(contact, sealed) => {
                let mut known = self.0.entry(contact).or_default();
                let said = &mut Arc::make_mut(&mut known).said;
                if said.len() == MOST_SAID {
                    said.pop_front();
                }
                said.push_back(sealed);
            }
            PeopleChange::Checked(contact, verdict, keys) => {
                let mut known = self.0.entry(contact).or_default();
                let lots = &mut Arc::make_mut(&mut known).lots;
                if lots.len() == MOST_LOTS {
                    lots.remove(0);
                }
                lots.push((verdict, keys));
            }
            PeopleChange::Heard(contact) => {
                if let Some(mut known) = self.0.get_mut(&contact) {
                    Arc::make_mut(&mut known).said.clear();
                }
            }
            PeopleChange::Closed(contact) => {
                self.0.remove(&contact);
            }
        }
    }

    /// All that is known, for a snapshot.
    pub(crate) fn image(&self) -> Vec<(ContactId, Arc<Known>)> {
        self.0.iter().map(|known| (*known.key(), Arc::clone(known.value()))).collect()
    }

    /// From a snapshot.
    pub(crate) fn restore(image: &[(ContactId, Arc<Known>)]) -> Self {
        Self(image.iter().cloned().collect())
    }

    pub(crate) fn arrived(&self, contact: ContactId) -> Option<Sealed> {
        self.0.get(&contact)?.arrived.clone()
    }

    /// Who it is, if the gateway knew: what they say is sealed with their key, also when
    /// nothing personal came with the arrival.
    pub(crate) fn customer(&self, contact: ContactId) -> Option<CustomerId> {
        self.0.get(&contact)?.customer
    }

    pub(crate) fn recall(&self, contact: ContactId) -> Option<RecallId> {
        self.0.get(&contact)?.recall
    }

    pub(crate) fn lots(&self, contact: ContactId) -> Vec<(LotVerdict, Keys)> {
        self.0.get(&contact).map(|known| known.lots.clone()).unwrap_or_default()
    }

    pub(crate) fn said(&self, contact: ContactId) -> Vec<Sealed> {
        self.0.get(&contact).map(|k| k.said.iter().cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::Arrived;
    use crate::engine::recall::{ReturnedBecause, SelfService, Step, Tier};
    use crate::engine::words::{Channel, EndReason, WaitsFor};
    use crate::ids::{AgentId, GatewayId};
    use crate::time::{EngineTime, Span};

    const C: ContactId = ContactId(7);
    const NEXT: ContactId = ContactId(8);

    fn sealed(n: u8) -> Sealed {
        Sealed { customer: None, key: n.into(), bytes: [n].into() }
    }

    fn arrived(customer: Option<CustomerId>) -> Event {
        Event::Arrived(Arrived {
            contact: C,
            gateway: GatewayId(0),
            session: None,
            key: "k".into(),
            content: 0,
            channel: Channel::Chat,
            entry_point: None,
            customer,
            continues: None,
            waited: Span::ZERO,
            attributes: None,
            own_needs: [].into_iter().collect(),
            own_preferred: [].into_iter().collect(),
            language: None,
        })
    }

    fn diverted(recall: RecallId) -> Event {
        let until = EngineTime(9);
        let step = Step::Listening { until };
        let now = SelfService { recall, tier: Tier::Faq, until, answers: 0, checked: false, step };
        Event::Diverted { contact: C, now }
    }

    fn closed(contact: ContactId) -> Event {
        let (gateway, reason) = (GatewayId(0), EndReason::FollowedUp);
        Event::Closed { contact, gateway, consult_of: None, reason, agent: None, wrap_up: None }
    }

    #[test]
    fn a_customer_is_known_by_an_arrival_that_brings_no_data() {
        let people = People::default();
        assert!(PeopleChange::of(&arrived(None), None).is_none(), "nothing to keep");
        let known = PeopleChange::of(&arrived(Some(CustomerId(5))), None);
        people.change(known.expect("a customer"));
        assert_eq!((people.customer(C), people.arrived(C)), (Some(CustomerId(5)), None));
        people.change(PeopleChange::Closed(C));
        assert_eq!(people.customer(C), None);
    }

    #[test]
    fn a_follow_up_has_all_that_is_known_of_the_one_it_goes_on_from() {
        let people = People::default();
        let follow = |event: &Event, with: Option<Sealed>| {
            PeopleChange::of(event, with.as_ref()).into_iter().for_each(|c| people.change(c));
        };
        let Event::Arrived(first) = arrived(Some(CustomerId(5))) else { panic!("other event") };
        let other = Arrived { contact: NEXT, continues: Some(C), ..first.clone() };
        follow(&Event::Arrived(first), Some(sealed(1)));
        follow(&diverted(RecallId(3)), None);
        follow(&Event::InputReceived(C), Some(sealed(2)));
        let (keys, lot): (Keys, _) = ("44#".into(), Some(LotVerdict::Affected));
        follow(&Event::KeysPressed { contact: C, keys: keys.clone(), lot }, None);
        follow(&Event::KeysPressed { contact: C, keys: "1".into(), lot: None }, None);
        follow(&Event::FollowUpOpened(other), None);
        follow(&closed(C), None);
        assert_eq!((people.customer(C), people.said(C)), (None, vec![]));
        assert_eq!(people.customer(NEXT), Some(CustomerId(5)));
        assert_eq!(people.arrived(NEXT), Some(sealed(1)));
        assert_eq!(people.said(NEXT), [sealed(2)], "no agent has heard it");
        assert_eq!(people.recall(NEXT), Some(RecallId(3)));
        assert_eq!(people.lots(NEXT), [(LotVerdict::Affected, keys)]);
        follow(&closed(NEXT), None);
        assert_eq!((people.arrived(NEXT), people.recall(NEXT)), (None, None));
    }

    #[test]
    fn whose_self_service_it_was_stays_known_until_the_end() {
        let people = People::default();
        let follow = |event: &Event| {
            PeopleChange::of(event, None).into_iter().for_each(|c| people.change(c));
        };
        // Nothing else is known of it.
        follow(&arrived(None));
        follow(&diverted(RecallId(3)));
        assert_eq!(people.recall(C), Some(RecallId(3)));
        let (recall, tier, because) = (RecallId(3), Tier::Faq, ReturnedBecause::Asked);
        follow(&Event::Returned { contact: C, recall, tier, because });
        assert_eq!(people.recall(C), Some(RecallId(3)), "an agent sees what was said");
        follow(&closed(C));
        assert_eq!(people.recall(C), None);
    }

    #[test]
    fn checked_lots_are_kept_and_other_keys_are_not() {
        let people = People::default();
        let press = |contact, keys: &str, lot| {
            let event = Event::KeysPressed { contact, keys: keys.into(), lot };
            PeopleChange::of(&event, None).into_iter().for_each(|c| people.change(c));
        };
        press(C, "2", None);
        assert_eq!(people.lots(C), []);
        press(C, "123#", Some(LotVerdict::NotAffected));
        press(C, "456#", Some(LotVerdict::Affected));
        let lots =
            [(LotVerdict::NotAffected, "123#".into()), (LotVerdict::Affected, "456#".into())];
        assert_eq!(people.lots(C), lots);
        people.change(PeopleChange::GoesOn { of: C, contact: ContactId(8) });
        people.change(PeopleChange::Closed(C));
        assert_eq!(people.lots(ContactId(8)), lots);
        for _ in 0..20 {
            press(C, "789", Some(LotVerdict::CannotTell));
        }
        assert_eq!(people.lots(C).len(), MOST_LOTS);
    }

    #[test]
    fn words_are_kept_until_an_agent_who_heard_them_lets_go() {
        let people = People::default();
        let follow = |event: &Event, with: Option<Sealed>| {
            PeopleChange::of(event, with.as_ref()).into_iter().for_each(|c| people.change(c));
        };
        follow(&Event::InputReceived(C), Some(sealed(1)));
        follow(&Event::InputReceived(C), None);
        follow(&Event::InputReceived(C), Some(sealed(2)));
        assert_eq!(people.said(C), [sealed(1), sealed(2)]);
        let (agent, on, until) = (AgentId(0), WaitsFor::Customer, EngineTime(9));
        follow(&Event::Pended { contact: C, agent: None, on, until }, None);
        assert_eq!(people.said(C), [sealed(1), sealed(2)], "nobody heard them");
        follow(&Event::Pended { contact: C, agent: Some(agent), on, until }, None);
        assert_eq!(people.said(C), []);
        for n in 0..40 {
            follow(&Event::InputReceived(C), Some(sealed(n)));
        }
        assert_eq!(people.said(C).len(), MOST_SAID);
        assert_eq!(people.said(C).first(), Some(&sealed(8)));
    }
}
