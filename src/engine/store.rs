//! Open contacts by id, with what the engine derives from each.

use std::collections::VecDeque;
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

/// Pages of the newest ids, which are found by counting: 16 million ids in half a megabyte.
const RECENT: u64 = 65_536;

/// Slots by id. Ids are counted out in order, and who came one after the other is mostly
/// served one after the other: on pages of a plain table they lie side by side, where a
/// hash of each would scatter them over all of memory. Pages of the newest ids stand in a row;
/// of older ones few are left, and those are looked up.
#[derive(Debug, Default)]
struct ById {
    /// From the page `first` on, at most [`RECENT`].
    recent: VecDeque<Option<Box<Page>>>,
    first: u64,
    /// Those before `first` that still have somebody on them.
    old: HashMap<u64, Box<Page>, FxBuildHasher>,
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

    /// Where in the row of the newest a page is, or would be.
    fn in_row(&self, page: u64) -> Option<usize> {
        usize::try_from(page.checked_sub(self.first)?).ok()
    }

    fn get(&self, id: ContactId) -> Option<u32> {
        let (page, at) = Self::of(id);
        let page = match self.in_row(page) {
            Some(i) => self.recent.get(i)?.as_deref()?,
            None => self.old.get(&page)?,
        };
        let slot = page.slots[at];
        (slot != NONE).then_some(slot)
    }

    /// Tells the slot that the id had before.
    fn insert(&mut self, id: ContactId, slot: u32) -> Option<u32> {
        let (number, at) = Self::of(id);
        self.make_room(number);
        let fresh = || Box::new(Page { slots: [NONE; PAGE], open: 0 });
        let page = match self.in_row(number).and_then(|i| self.recent.get_mut(i)) {
            Some(page) => page.get_or_insert_with(fresh),
            None => self.old.entry(number).or_insert_with(fresh),
        };
        let had = std::mem::replace(&mut page.slots[at], slot);
        if had == NONE {
            page.open += 1;
            self.len += 1;
        }
        (had != NONE).then_some(had)
    }

    /// Makes the row long enough for a page, unless it is before the row.
    fn make_room(&mut self, page: u64) {
        while page.saturating_sub(self.first) >= RECENT {
            match self.recent.pop_front() {
                Some(left) => {
                    self.old.extend(left.map(|page| (self.first, page)));
                    self.first += 1;
                }
                None => self.first = page,
            }
        }
        if let Some(i) = self.in_row(page)
            && self.recent.len() <= i
        {
            self.recent.resize_with(i + 1, || None);
        }
    }

    fn remove(&mut self, id: ContactId) -> Option<u32> {
        let (number, at) = Self::of(id);
        let in_row = self.in_row(number);
        let page = match in_row {
            Some(i) => self.recent.get_mut(i)?.as_deref_mut()?,
            None => self.old.get_mut(&number)?,
        };
        let had = std::mem::replace(&mut page.slots[at], NONE);
        if had == NONE {
            return None;
        }
        page.open -= 1;
        self.len -= 1;
        if page.open == 0 {
            match in_row {
                Some(i) => self.recent[i] = None,
                None => drop(self.old.remove(&number)),
            }
        }
        while let Some(None) = self.recent.front() {
            self.recent.pop_front();
            self.first += 1;
        }
        Some(had)
    }

    #[cfg(test)]
    fn pages(&self) -> usize {
        self.recent.iter().flatten().count() + self.old.len()
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
        let far = RECENT * PAGE as u64 + 300;
        let ids = [1, 2, 255, 256, 257, 70_000, far, u64::MAX].map(ContactId);
        for (slot, id) in (0..).zip(ids) {
            assert_eq!(by_id.insert(id, slot), None);
        }
        assert_eq!((by_id.len, by_id.pages(), by_id.old.len()), (8, 5, 4));
        assert_eq!(by_id.insert(ContactId(2), 9), Some(1), "twice is seen");
        assert_eq!(by_id.insert(ContactId(300), 8), None, "an old page is found again");
        assert_eq!((by_id.len, by_id.pages()), (9, 5));
        assert_eq!(by_id.get(ContactId(2)), Some(9));
        assert_eq!(by_id.get(ContactId(3)), None);
        assert_eq!(by_id.get(ContactId(1 << 40)), None);
        assert_eq!(by_id.remove(ContactId(3)), None);
        for id in ids.into_iter().chain([ContactId(300)]) {
            assert!(by_id.remove(id).is_some());
            assert_eq!(by_id.get(id), None);
        }
        assert_eq!((by_id.len, by_id.pages(), by_id.recent.len()), (0, 0, 0));
    }

    #[test]
    fn the_row_is_as_long_as_the_oldest_is_old() {
        let mut by_id = ById::default();
        let ids = 1..=RECENT * PAGE as u64 * 2;
        // Every page has one, of which only the very first stays.
        for id in ids.step_by(PAGE).map(ContactId) {
            assert_eq!(by_id.insert(id, 7), None);
            if id.0 > 1 {
                assert_eq!(by_id.remove(id), Some(7));
            }
            assert!(by_id.recent.len() as u64 <= RECENT);
        }
        assert_eq!((by_id.get(ContactId(1)), by_id.old.len()), (Some(7), 1));
        assert!(by_id.recent.is_empty(), "nobody else is there");
    }
}
