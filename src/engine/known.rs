//! Open contacts by customer, and how many of them are linked.
//!
//! Only customers who are known for certain are in it, and no consults. Made from contacts,
//! entered and taken out with them; it decides nothing.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::contact::Contact;
use crate::ids::{ContactId, CustomerId};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Known {
    open: HashMap<CustomerId, SmallVec<[ContactId; 2]>, FxBuildHasher>,
    linked: usize,
}

/// Whose contact it is, if that is known for certain.
fn whose(c: &Contact) -> Option<CustomerId> {
    c.customer.filter(|_| c.parent.is_none())
}

impl Known {
    pub(crate) fn enter(&mut self, c: &Contact) {
        if let Some(customer) = whose(c) {
            let open = self.open.entry(customer).or_default();
            // In the order of their ids, whatever order an image has.
            let at = open.partition_point(|id| *id < c.id);
            open.insert(at, c.id);
            self.linked += usize::from(c.care.matter.is_some());
        }
    }

    pub(crate) fn leave(&mut self, c: &Contact) {
        let Some(customer) = whose(c) else { return };
        if let Some(open) = self.open.get_mut(&customer) {
            open.retain(|id| *id != c.id);
            if open.is_empty() {
                self.open.remove(&customer);
            }
        }
        self.linked -= usize::from(c.care.matter.is_some());
    }

    /// One more contact is linked.
    pub(crate) fn link(&mut self) {
        self.linked += 1;
    }

    /// Whether there is any linked contact.
    pub(crate) fn any_linked(&self) -> bool {
        self.linked > 0
    }

    /// A customer's open contacts, in the order of their ids.
    pub(crate) fn of(&self, customer: CustomerId) -> &[ContactId] {
        self.open.get(&customer).map_or(&[], SmallVec::as_slice)
    }

    /// Whether it says what contacts say, for checking.
    pub(crate) fn is_sound<'a>(&self, contacts: impl Iterator<Item = &'a Contact>) -> bool {
        let mut again = Self::default();
        contacts.for_each(|c| again.enter(c));
        (again.open, again.linked) == (self.open.clone(), self.linked)
    }
}
