//! Events of amended recalls, and who is remembered for them.

use super::super::Engine;
use super::super::contact::Contact;
use super::super::event::{Amended, Amends, Event, Rechecked};
use super::super::recall::LotVerdict;
use super::super::words::Keys;
use crate::ids::ContactId;

impl Engine {
    pub(super) fn apply_to_amends(&mut self, event: &Event) {
        match event {
            Event::Amended(Amended { recall, plan, expires }) => {
                let mut rekept = false;
                self.change_recall(*recall, |r| {
                    rekept = r.plan.safety.kept != plan.safety.kept;
                    if r.plan.version != plan.version {
                        r.amends.recheck = Some(ContactId(0));
                    }
                    r.plan = std::sync::Arc::clone(plan);
                    r.expires = *expires;
                    r.amends.times += 1;
                });
                if rekept {
                    self.configure_floor();
                }
            }
            Event::Rechecked(Rechecked { recall, upto, affected }) => {
                self.change_recall(*recall, |r| {
                    r.amends.recheck = *upto;
                    for (contact, amends) in &**affected {
                        r.amends.take(*contact);
                        match amends {
                            Amends::Corrected => r.amends.corrected += 1,
                            Amends::FollowUp => r.amends.follow_ups += 1,
                            Amends::Unreachable => r.amends.unreachable += 1,
                        }
                    }
                    r.amends.forget_if_over(r.over);
                });
            }
            Event::KeysPressed { contact, keys, lot } => self.pressed(*contact, keys, *lot),
            _ => {}
        }
    }

    fn pressed(&mut self, contact: ContactId, keys: &Keys, lot: Option<LotVerdict>) {
        let served = self.contact(contact).and_then(Contact::self_service);
        if lot != Some(LotVerdict::NotAffected) {
            return;
        }
        if let Some(r) =
            served.and_then(|s| self.recalls.iter_mut().find(|r| r.id == s.recall && !r.over))
        {
            r.amends.tell(contact, Keys::clone(keys));
        }
    }

    /// A contact is about to be closed: how its customer is reached is remembered.
    pub(super) fn remember_reach(&mut self, c: &Contact) {
        for r in &mut self.recalls {
            if r.amends.of(c.id).is_some() {
                r.amends.closed(c.id, Self::reach(c));
            }
        }
    }
}
