//! Open contacts by id, with what the engine derives from each.

use std::hash::{Hash, Hasher};

use hashbrown::HashMap;
use rustc_hash::{FxBuildHasher, FxHasher};

use super::contact::Contact;
use super::floor::Stand;
use crate::ids::ContactId;

/// A contact with its derived parts.
#[derive(Debug)]
pub(crate) struct Filed {
    pub(crate) contact: Contact,
    /// How it stands on the floor.
    pub(crate) stand: Stand,
    /// Its part of the state hash.
    pub(crate) hash: u64,
}

/// Slots that are used again, so that a sweep can walk them by number in slices.
#[derive(Debug, Default)]
pub(crate) struct Store {
    slots: Vec<Option<Box<Filed>>>,
    free: Vec<u32>,
    by_id: ById,
}

/// Ids on one page.
const PAGE: usize = 256;
/// No slot.
const NONE: u32 = u32::MAX;

/// Slots by id. Ids are counted out in order, and who came one after the other is mostly
/// served one after the other: on pages of a plain table they lie side by side, where a
/// hash of each would scatter them over all of memory.
#[derive(Debug, Default)]
struct ById {
    pages: HashMap<u64, Box<Page>, FxBuildHasher>,
    len: usize,
}

#[derive(Debug)]
struct Page {
    slots: [u32; PAGE],
    open: u32,
}

impl ById {
    const fn of(id: ContactId) -> (u64, usize) {
        // Less than a page.
        #[expect(clippy::cast_possible_truncation, reason = "the rest of a division by 256")]
        let at = (id.0 % PAGE as u64) as usize;
        (id.0 / PAGE as u64, at)
    }

    fn get(&self, id: ContactId) -> Option<u32> {
        let (page, at) = Self::of(id);
        let slot = self.pages.get(&page)?.slots[at];
        (slot != NONE).then_some(slot)
    }

    /// Tells the slot that the id had before.
    fn insert(&mut self, id: ContactId, slot: u32) -> Option<u32> {
        let (page, at) = Self::of(id);
        let fresh = || Box::new(Page { slots: [NONE; PAGE], open: 0 });
        let page = self.pages.entry(page).or_insert_with(fresh);
        let had = std::mem::replace(&mut page.slots[at], slot);
        if had == NONE {
            page.open += 1;
            self.len += 1;
        }
        (had != NONE).then_some(had)
    }

    fn remove(&mut self, id: ContactId) -> Option<u32> {
        let (number, at) = Self::of(id);
        let page = self.pages.get_mut(&number)?;
        let had = std::mem::replace(&mut page.slots[at], NONE);
        if had == NONE {
            return None;
        }
        page.open -= 1;
        self.len -= 1;
        if page.open == 0 {
            self.pages.remove(&number);
        }
        Some(had)
    }
}

impl Store {
    /// Contacts in the order of their slots, around these gaps; none if a gap is named
    /// twice or lies beyond them, or a contact is there twice.
    pub(crate) fn refilled(contacts: Vec<Filed>, free: &[u32]) -> Option<Self> {
        let slots = contacts.len() + free.len();
        let mut is_free = vec![false; slots];
        for gap in free {
            if std::mem::replace(is_free.get_mut(*gap as usize)?, true) {
                return None;
            }
        }
        let mut store = Self { free: free.to_vec(), ..Self::default() };
        store.slots.reserve_exact(slots);
        let mut contacts = contacts.into_iter();
        for (slot, gap) in (0..).zip(is_free) {
            let filed = if gap { None } else { Some(Box::new(contacts.next()?)) };
            if let Some(filed) = &filed
                && store.by_id.insert(filed.contact.id, slot).is_some()
            {
                return None;
            }
            store.slots.push(filed);
        }
        Some(store)
    }

    /// Slots that are to be used again, the next one last.
    pub(crate) fn free(&self) -> &[u32] {
        &self.free
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len
    }

    /// How many slots a sweep has to walk.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn in_slot(&self, slot: usize) -> Option<&Filed> {
        self.slots.get(slot)?.as_deref()
    }

    pub(crate) fn get(&self, id: ContactId) -> Option<&Filed> {
        let slot = self.by_id.get(id)?;
        self.slots.get(slot as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: ContactId) -> Option<&mut Filed> {
        let slot = self.by_id.get(id)?;
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    pub(crate) fn insert(&mut self, filed: Filed) {
        let id = filed.contact.id;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots[slot as usize] = Some(Box::new(filed));
        self.by_id.insert(id, slot);
    }

    pub(crate) fn remove(&mut self, id: ContactId) -> Option<Box<Filed>> {
        let slot = self.by_id.remove(id)?;
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Filed> {
        self.slots.iter().filter_map(|s| s.as_deref())
    }
}

/// A hash that is the same in every process of one build, spread over all bits so that
/// hashes of many things can be added up with exclusive or.
pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    let mut h = hasher.finish();
    h ^= h >> 32;
    h = h.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    h ^ (h >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_by_id_and_empty_pages_go() {
        let mut by_id = ById::default();
        let ids = [1, 2, 255, 256, 257, 70_000, u64::MAX].map(ContactId);
        for (slot, id) in (0..).zip(ids) {
            assert_eq!(by_id.insert(id, slot), None);
        }
        assert_eq!((by_id.len, by_id.pages.len()), (7, 4));
        assert_eq!(by_id.insert(ContactId(2), 9), Some(1), "twice is seen");
        assert_eq!(by_id.len, 7);
        assert_eq!(by_id.get(ContactId(2)), Some(9));
        assert_eq!(by_id.get(ContactId(3)), None);
        assert_eq!(by_id.get(ContactId(1 << 40)), None);
        assert_eq!(by_id.remove(ContactId(3)), None);
        for id in ids {
            assert!(by_id.remove(id).is_some());
            assert_eq!(by_id.get(id), None);
        }
        assert_eq!((by_id.len, by_id.pages.len()), (0, 0));
    }
}
