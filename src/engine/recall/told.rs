//! Who was told that their lot is not affected, and what amending a recall makes of that.
//!
//! Values. What was entered is remembered as keys that the engine never reads: whether they
//! are affected by a newer version is found outside, and comes back as a command.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

use crate::engine::promise::Of;
use crate::engine::store::hash_of;
use crate::engine::words::Keys;
use crate::ids::{ContactId, CustomerId};

/// Who was told that they are not affected, and is remembered: a day of a large recall, in some
/// 15 MiB. Of more the oldest are forgotten, and counted.
pub const MOST_TOLD: usize = 100_000;
/// Lots remembered of one contact; of more the oldest go.
pub const MOST_LOTS_TOLD: usize = 4;
/// Contacts that one command may say are affected now.
pub const MOST_RECHECKED: usize = 256;

/// One who was told that what they entered is not affected.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Told {
    /// In which contact.
    pub contact: ContactId,
    /// What they entered, the newest last.
    pub lots: SmallVec<[Keys; 1]>,
    /// How they are reached, once that contact is closed.
    pub reach: Option<Reach>,
}

/// How the customer of a closed contact is reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reach {
    /// Who it is, if that is known.
    pub customer: Option<CustomerId>,
    /// By what a contact is made.
    pub of: Of,
}

/// What was amended, and who has to be told otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Amends {
    /// Times that the recall was amended.
    pub times: u32,
    /// All up to this contact were looked at again after the last one; none when all were.
    pub recheck: Option<ContactId>,
    /// Follow-ups that were promised because of it.
    pub follow_ups: u64,
    /// Told otherwise at once, in the menu.
    pub corrected: u64,
    /// Affected now, and not to be reached: no number is known, or it cannot be called.
    pub unreachable: u64,
    /// Told "not affected" and remembered no more.
    pub forgotten: u64,
    pub(crate) told: BTreeMap<ContactId, Told>,
    /// Of all of them, so that a state hash costs no walk.
    pub(crate) hash: u64,
}

impl Hash for Amends {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { times, recheck, follow_ups, corrected, unreachable, forgotten, told, hash } =
            self;
        (times, recheck, follow_ups, corrected, unreachable, forgotten).hash(state);
        (told.len(), hash).hash(state);
    }
}

impl Amends {
    /// Who is remembered, in the order of their contacts.
    pub fn told(&self) -> impl ExactSizeIterator<Item = &Told> {
        self.told.values()
    }

    /// Who is remembered behind a contact, in that order.
    pub fn after(&self, contact: ContactId) -> impl Iterator<Item = &Told> {
        let behind = (std::ops::Bound::Excluded(contact), std::ops::Bound::Unbounded);
        self.told.range(behind).map(|(_, told)| told)
    }

    /// One who is remembered.
    #[must_use]
    pub fn of(&self, contact: ContactId) -> Option<&Told> {
        self.told.get(&contact)
    }

    /// Somebody was told that these keys are not affected.
    pub(in crate::engine) fn tell(&mut self, contact: ContactId, keys: Keys) {
        let none = Told { contact, lots: SmallVec::new(), reach: None };
        let mut told = self.take(contact).unwrap_or(none);
        if told.lots.len() == MOST_LOTS_TOLD {
            told.lots.remove(0);
        }
        told.lots.push(keys);
        if self.told.len() >= MOST_TOLD
            && let Some(oldest) = self.told.keys().next().copied()
        {
            self.take(oldest);
            self.forgotten += 1;
        }
        self.remember(told);
    }

    /// The contact of one who is remembered is closed.
    pub(in crate::engine) fn closed(&mut self, contact: ContactId, reach: Reach) {
        if let Some(told) = self.take(contact) {
            self.remember(Told { reach: Some(reach), ..told });
        }
    }

    /// The recall is over: unless some are still looked at again, nobody is remembered for it.
    pub(in crate::engine) fn forget_if_over(&mut self, over: bool) {
        if over && self.recheck.is_none() {
            self.told.clear();
            self.hash = 0;
        }
    }

    /// From a snapshot, or as it was.
    pub(crate) fn remember(&mut self, told: Told) {
        self.hash ^= hash_of(&told);
        self.told.insert(told.contact, told);
    }

    pub(in crate::engine) fn take(&mut self, contact: ContactId) -> Option<Told> {
        let told = self.told.remove(&contact)?;
        self.hash ^= hash_of(&told);
        Some(told)
    }
}
