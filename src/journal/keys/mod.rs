//! The keys of personal data: which key is whose, made ahead, and forgotten on request.
//!
//! Owned by the app, shared by every edge. A key is durable before it is given out, so
//! that nothing sealed is ever unreadable after a crash; they are made in blocks ahead of
//! need by a thread of the store's own, so that sealing does not wait for the disk. Which
//! customer has which key is written later: until it is, the journal's own entries tell
//! ([`KeyStore::observe`]). Where they are kept is `store`'s, how bytes are encrypted is
//! [`super::seal`]'s.
//!
//! Opened after the journal of the same data directory, and has a lock of its own.

mod cache;
mod refill;
mod store;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use thiserror::Error;

use self::cache::Cache;
use self::store::Store;
use super::error::JournalError;
use super::files::Lock;
use super::seal::{self, Key};
use super::segment;
use crate::engine::entry::Sealed;
use crate::ids::CustomerId;

/// Keys made at a time.
const BLOCK: usize = 4096;
/// Fewer ready keys than this, and another block is made.
const LOW: usize = 4096;

/// Why the keys cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A file or the lock could not be had.
    #[error(transparent)]
    File(#[from] JournalError),
    /// `SQLite` could not do its work.
    #[error("key store {}: {source}", path.display())]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// There is a journal and no keys to what is sealed in it.
    #[error("key store {} is gone, and with it everything sealed in the journal beside it: restore it from a copy, or begin with another data directory", path.display())]
    Gone {
        /// Where it should be.
        path: PathBuf,
    },
    /// A value in the store has another length than it should.
    #[error("key store {}: {what} has {found} bytes, expected 32: restore it from a copy", path.display())]
    Length {
        /// Which file.
        path: PathBuf,
        /// What was read.
        what: &'static str,
        /// How many bytes it has.
        found: usize,
    },
    /// The key is deleted, but another reader keeps its bytes in the log.
    #[error("key store {}: the key is deleted, but a reader keeps its bytes in the log: end that reader and forget again", path.display())]
    Lingers {
        /// Which file.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The thread that makes keys could not be started.
    #[error("the thread that makes keys could not be started: {0}")]
    Thread(std::io::Error),
}

/// The keys of one data directory. Shared by reference; every method may be called from
/// any task, and none but [`KeyStore::forget`] waits for a sync in the ordinary course.
///
/// Memory: about 48 bytes for each known customer that has a key, for as long as the
/// process lives; 40 bytes each for at most 12,287 keys made ahead; and the last 65,536
/// to 131,072 keys used, about 6 MiB. Keys beyond are read from the store.
pub struct KeyStore {
    shared: Arc<Shared>,
    refill: Option<JoinHandle<()>>,
    _lock: Option<Lock>,
}

/// What the callers and the refill thread share. The store is locked before the state,
/// never the other way round.
struct Shared {
    secret: Key,
    /// None for a store in memory only.
    store: Option<Arc<Store>>,
    state: Mutex<State>,
    /// Wakes the refill thread.
    wanted: Condvar,
    /// Wakes whoever waits for keys.
    made: Condvar,
}

#[derive(Default)]
struct State {
    /// Keys that nobody has yet, durable.
    ready: VecDeque<(u64, Key)>,
    assigned: HashMap<CustomerId, u64, FxBuildHasher>,
    /// Assignments that are not written yet.
    unwritten: Vec<(u64, CustomerId)>,
    cache: Cache,
    stopping: bool,
}

impl KeyStore {
    /// Opens the keys of a data directory (`keys.sqlite`), or makes a new store.
    ///
    /// Call [`KeyStore::observe`] for every recovered entry before sealing anything.
    ///
    /// # Errors
    /// Another process has it, a file cannot be used, or what is there is not a key store.
    pub fn open(data: &Path) -> Result<Self, KeyError> {
        super::files::create_folder(data)?;
        let lock = Lock::acquire(data.join("keys.lock"))?;
        let path = data.join("keys.sqlite");
        if !path.is_file() && segment::any(data) {
            return Err(KeyError::Gone { path });
        }
        let store = Store::open(&path)?;
        let secret = store.secret()?;
        let mut state = State { assigned: store.assignments()?, ..State::default() };
        state.ready.extend(store.make(BLOCK)?);
        let store = Arc::new(store);
        let shared = Arc::new(Shared::new(secret, Some(Arc::clone(&store)), state));
        let refill = refill::start(Arc::clone(&shared), store).map_err(KeyError::Thread)?;
        Ok(Self { shared, refill: Some(refill), _lock: Some(lock) })
    }

    /// A store in memory, for tests: what it sealed is lost with it, and its memory grows
    /// with every key.
    ///
    /// # Panics
    /// The system gives no random bytes.
    #[must_use]
    pub fn ephemeral() -> Self {
        let state = State { cache: Cache::unbounded(), ..State::default() };
        let secret = store::random().expect("without random bytes there is nothing to test");
        Self { shared: Arc::new(Shared::new(secret, None, state)), refill: None, _lock: None }
    }

    /// The keyed hash of a customer's identity, as the engine sees it. The same text gives
    /// the same hash for as long as the store lives, and another store gives another.
    #[must_use]
    pub fn customer(&self, identity: &str) -> CustomerId {
        let hash = blake3::keyed_hash(&self.shared.secret.0, identity.as_bytes());
        let (half, _) = hash.as_bytes().split_at(16);
        CustomerId(half.iter().fold(0, |sum, byte| (sum << 8) | u128::from(*byte)))
    }

    /// A keyed hash of anything, 64 bits, by which a repeat is told from other content
    /// without the content being guessable from it. The same in every version.
    #[must_use]
    pub fn fingerprint(&self, content: &[u8]) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.shared.secret.0);
        // Apart from the hashes of identities, which are made with the same secret.
        hasher.update(b"\0content\0").update(content);
        let hash = hasher.finalize();
        let (first, _) = hash.as_bytes().split_at(8);
        first.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }

    /// Encrypts with the customer's key, or with a fresh one if the customer is not known.
    ///
    /// Takes a few microseconds and does not wait for the disk, unless keys are used
    /// faster than they are made, or the disk gives none: then it waits until there is one.
    #[must_use]
    pub fn seal(&self, customer: Option<CustomerId>, plain: &[u8]) -> Sealed {
        let (id, key) = self.shared.key_for(customer);
        seal::encrypt(id, &key, customer, plain)
    }

    /// Decrypts; none if the key was deleted or the bytes are damaged.
    #[must_use]
    pub fn unseal(&self, sealed: &Sealed) -> Option<Vec<u8>> {
        let key = self.shared.find(sealed.key, sealed.customer)?;
        seal::decrypt(&key, sealed)
    }

    /// Notes whose key a recovered entry was sealed with, so that a crash before this was
    /// written does not give the customer a second one.
    pub fn observe(&self, sealed: &Sealed) {
        let Some(customer) = sealed.customer else { return };
        if self.shared.state().assigned.get(&customer) == Some(&sealed.key) {
            return;
        }
        // A key that was deleted stays deleted: entries from before go on naming it.
        if self.shared.find(sealed.key, sealed.customer).is_none() {
            return;
        }
        let mut state = self.shared.state();
        state.assigned.entry(customer).or_insert(sealed.key);
        state.unwritten.push((sealed.key, customer));
        self.shared.wanted.notify_one();
    }

    /// Makes durable whose every key is that was used so far: what is sealed with them may
    /// then outlive the entries that [`KeyStore::observe`] would be shown. Waits for the disk.
    ///
    /// # Errors
    /// The store could not be written; it is tried again by itself.
    pub fn settle(&self) -> Result<(), KeyError> {
        match &self.shared.store {
            Some(store) => refill::write_assignments(&self.shared, store),
            None => Ok(()),
        }
    }

    /// Deletes every key of a customer: nothing sealed for them can be read from then on.
    /// Durable when it returns, with the bytes gone from the store's files. False if they
    /// had no key. Waits for the disk; not for a task that must not block.
    ///
    /// # Errors
    /// The store could not be written; the keys may still be there. Call it again.
    pub fn forget(&self, customer: CustomerId) -> Result<bool, KeyError> {
        self.shared.forget(customer)
    }

    /// How many keys are ready to be given out. None for long means that the store cannot
    /// be written and sealing waits.
    #[must_use]
    pub fn ready_keys(&self) -> usize {
        self.shared.state().ready.len()
    }
}

impl Shared {
    fn new(secret: Key, store: Option<Arc<Store>>, state: State) -> Self {
        let state = Mutex::new(state);
        Self { secret, store, state, wanted: Condvar::new(), made: Condvar::new() }
    }

    /// Every change to the state is whole before anything can panic: a panic elsewhere
    /// while it was held does not make it wrong.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key_for(&self, customer: Option<CustomerId>) -> (u64, Key) {
        let Some(customer) = customer else {
            return self.take(self.state(), None);
        };
        let state = self.state();
        let Some(&id) = state.assigned.get(&customer) else {
            return self.take(state, Some(customer));
        };
        if let Some(key) = state.cache.get(id) {
            return (id, key);
        }
        drop(state);
        match self.find(id, Some(customer)) {
            Some(key) => (id, key),
            // Forgotten this moment, or the store cannot be read: a second key serves, and
            // forgetting deletes both.
            None => self.take(self.state(), Some(customer)),
        }
    }

    /// Gives out a ready key, waiting for one if it must.
    fn take<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        customer: Option<CustomerId>,
    ) -> (u64, Key) {
        let (id, key) = loop {
            if let Some(ready) = state.ready.pop_front() {
                break ready;
            }
            if self.store.is_none() {
                let keys = store::in_memory(BLOCK);
                state.ready.extend(keys.expect("without random bytes there is nothing to test"));
                continue;
            }
            self.wanted.notify_one();
            state = self.made.wait(state).unwrap_or_else(PoisonError::into_inner);
            // Another task of the same customer may have been first.
            let theirs = customer.and_then(|c| state.assigned.get(&c).copied());
            if let Some(id) = theirs
                && let Some(key) = state.cache.get(id)
            {
                return (id, key);
            }
        };
        state.cache.put(id, key);
        if let Some(customer) = customer {
            state.assigned.insert(customer, id);
            if self.store.is_some() {
                state.unwritten.push((id, customer));
            }
        }
        if state.ready.len() < LOW || customer.is_some() {
            self.wanted.notify_one();
        }
        (id, key)
    }

    /// A key that was given out for this customer.
    fn find(&self, id: u64, customer: Option<CustomerId>) -> Option<Key> {
        if let Some(key) = self.state().cache.get(id) {
            return Some(key);
        }
        let key = match self.store.as_ref()?.key(id) {
            Ok(key) => key?,
            Err(error) => {
                tracing::error!(%error, "a key could not be read");
                return None;
            }
        };
        let mut state = self.state();
        // It may have been forgotten since it was read: only what is still theirs is kept.
        if customer.is_none_or(|c| state.assigned.get(&c) == Some(&id)) {
            state.cache.put(id, key);
        }
        Some(key)
    }

    fn forget(&self, customer: CustomerId) -> Result<bool, KeyError> {
        let Some(store) = &self.store else {
            return Ok(!self.detach(customer).is_empty());
        };
        // Held throughout, so that the refill thread cannot write an assignment between.
        let mut writer = store.writer();
        let ids = self.detach(customer);
        match store.delete(&mut writer, customer, &ids) {
            Ok(deleted) => Ok(deleted || !ids.is_empty()),
            Err(error) => {
                // So that calling again knows what to delete.
                let mut state = self.state();
                state.unwritten.extend(ids.iter().map(|id| (*id, customer)));
                Err(error)
            }
        }
    }

    /// Takes a customer's keys out of memory.
    fn detach(&self, customer: CustomerId) -> Vec<u64> {
        let mut state = self.state();
        let state = &mut *state;
        let mut ids: Vec<u64> = state.assigned.remove(&customer).into_iter().collect();
        let theirs = state.unwritten.extract_if(.., |(_, whose)| *whose == customer);
        ids.extend(theirs.map(|(id, _)| id));
        for id in &ids {
            state.cache.remove(*id);
        }
        ids
    }
}

impl Drop for KeyStore {
    fn drop(&mut self) {
        self.shared.state().stopping = true;
        self.shared.wanted.notify_one();
        if let Some(thread) = self.refill.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that makes keys had panicked");
        }
    }
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore").field("ready_keys", &self.ready_keys()).finish_non_exhaustive()
    }
}
