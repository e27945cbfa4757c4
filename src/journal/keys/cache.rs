//! The keys used last, so that serving a contact does not go to the disk for them.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::journal::seal::Key;

type Generation = HashMap<u64, Key, FxBuildHasher>;

/// Keys in one generation of a bounded cache.
const GENERATION: usize = 65_536;

/// Keys by id, in two generations: when the young one is full the old one is dropped,
/// which forgets roughly the oldest without keeping an order.
pub(super) struct Cache {
    young: Generation,
    old: Generation,
    most: usize,
}

impl Default for Cache {
    fn default() -> Self {
        Self { young: Generation::default(), old: Generation::default(), most: GENERATION }
    }
}

impl Cache {
    /// One that drops nothing: it is the only place where its keys are.
    pub(super) fn unbounded() -> Self {
        Self { most: usize::MAX, ..Self::default() }
    }

    pub(super) fn get(&self, id: u64) -> Option<Key> {
        self.young.get(&id).or_else(|| self.old.get(&id)).copied()
    }

    pub(super) fn put(&mut self, id: u64, key: Key) {
        if self.young.len() >= self.most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, key);
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.young.remove(&id);
        self.old.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_generation_stays_and_memory_is_bounded() {
        let mut cache = Cache { most: 10, ..Cache::default() };
        for id in 0..1_000 {
            cache.put(id, Key([0; 32]));
            assert!(cache.young.len() + cache.old.len() <= 20);
            assert!((id.saturating_sub(9)..=id).all(|recent| cache.get(recent).is_some()));
        }
        assert!(cache.get(0).is_none());
        cache.remove(999);
        assert!(cache.get(999).is_none());
    }
}
