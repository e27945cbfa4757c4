//! Tests of the key store: durable before use, one key a customer, gone when forgotten.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::*;
use crate::journal::error::JournalError;

fn key_bytes(store: &KeyStore, id: u64) -> Key {
    store.shared.find(id, None).unwrap()
}

/// How many files of a folder hold a key's bytes.
fn files_with(folder: &Path, key: &Key) -> usize {
    let holds = |path: &Path| fs::read(path).unwrap().windows(32).any(|w| w == key.0);
    fs::read_dir(folder).unwrap().filter(|file| holds(&file.as_ref().unwrap().path())).count()
}

/// Ends a store as a crash does: nothing that was only in memory is written.
fn crash(mut store: KeyStore) {
    let mut state = store.shared.state();
    state.unwritten.clear();
    state.ready.clear();
    state.stopping = true;
    drop(state);
    store.shared.wanted.notify_one();
    store.refill.take().unwrap().join().unwrap();
}

#[test]
fn a_known_customer_keeps_their_key_and_others_get_their_own() {
    let data = tempfile::tempdir().unwrap();
    let store = KeyStore::open(data.path()).unwrap();
    let ada = store.customer("ada");
    assert_ne!(ada, store.customer("bob"));
    let first = store.seal(Some(ada), b"one");
    assert_eq!(store.seal(Some(ada), b"two").key, first.key);
    let strangers: HashSet<_> = (0..100).map(|_| store.seal(None, b"x").key).collect();
    assert_eq!(strangers.len(), 100);
    assert!(!strangers.contains(&first.key));
    drop(store);

    let store = KeyStore::open(data.path()).unwrap();
    assert_eq!(store.customer("ada"), ada);
    assert_eq!(store.unseal(&first).unwrap(), b"one");
    assert_eq!(store.seal(Some(ada), b"three").key, first.key);
    let later = store.seal(None, b"x").key;
    assert!(later > first.key && !strangers.contains(&later));
}

#[test]
fn another_store_knows_neither_customers_nor_keys() {
    let (one, two) = (KeyStore::ephemeral(), KeyStore::ephemeral());
    assert_ne!(one.customer("ada"), two.customer("ada"));
    assert_eq!(one.customer("ada"), one.customer("ada"));
    let sealed = one.seal(None, b"words");
    assert_eq!(one.unseal(&sealed).unwrap(), b"words");
    assert_eq!(two.unseal(&sealed), None);
}

#[test]
fn a_crash_before_the_assignment_was_written_gives_no_second_key() {
    let data = tempfile::tempdir().unwrap();
    let store = KeyStore::open(data.path()).unwrap();
    let ada = store.customer("ada");
    let sealed = store.seal(Some(ada), b"one");
    crash(store);
    let store = KeyStore::open(data.path()).unwrap();
    assert_eq!(store.shared.state().assigned.get(&ada), None);
    store.observe(&sealed);
    assert_eq!(store.seal(Some(ada), b"two").key, sealed.key);
    drop(store);
    // What was observed was written: no entry is needed the next time.
    let store = KeyStore::open(data.path()).unwrap();
    assert_eq!(store.seal(Some(ada), b"three").key, sealed.key);
}

#[test]
fn a_forgotten_customer_cannot_be_read_again() {
    for restart in [false, true] {
        let data = tempfile::tempdir().unwrap();
        let mut store = KeyStore::open(data.path()).unwrap();
        let ada = store.customer("ada");
        let sealed = store.seal(Some(ada), b"words");
        let bob = store.seal(Some(store.customer("bob")), b"others");
        let key = key_bytes(&store, sealed.key);
        if restart {
            drop(store);
            store = KeyStore::open(data.path()).unwrap();
        }
        assert_eq!(store.unseal(&sealed).unwrap(), b"words");
        assert!(files_with(data.path(), &key) > 0, "the search must be able to find it");
        assert!(store.forget(ada).unwrap());
        assert!(!store.forget(ada).unwrap());
        assert_eq!(store.unseal(&sealed), None);
        assert_eq!(files_with(data.path(), &key), 0);
        // Entries from before name the deleted key: it must not come back by them.
        store.observe(&sealed);
        assert!(!store.forget(ada).unwrap());
        let again = store.seal(Some(ada), b"new words");
        assert_ne!(again.key, sealed.key);
        drop(store);
        let store = KeyStore::open(data.path()).unwrap();
        store.observe(&sealed);
        store.observe(&again);
        assert_eq!(store.unseal(&sealed), None);
        assert_eq!(store.unseal(&again).unwrap(), b"new words");
        assert_eq!(store.unseal(&bob).unwrap(), b"others");
    }
}

#[test]
fn a_second_key_of_a_customer_is_forgotten_with_the_first() {
    let data = tempfile::tempdir().unwrap();
    let store = KeyStore::open(data.path()).unwrap();
    let ada = store.customer("ada");
    let first = store.seal(Some(ada), b"one");
    let (id, key) = store.shared.take(store.shared.state(), None);
    let second = seal::encrypt(id, &key, Some(ada), b"two");
    store.observe(&second);
    assert_eq!(store.seal(Some(ada), b"three").key, first.key);
    assert_eq!(store.unseal(&second).unwrap(), b"two");
    assert!(store.forget(ada).unwrap());
    assert_eq!((store.unseal(&first), store.unseal(&second)), (None, None));
}

#[test]
fn keys_are_never_given_out_twice_however_many_ask() {
    let data = tempfile::tempdir().unwrap();
    let store = KeyStore::open(data.path()).unwrap();
    let ada = store.customer("ada");
    let each = 3 * BLOCK / 4;
    let used: Vec<Vec<u64>> = thread::scope(|scope| {
        let asking: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..each).map(|_| store.seal(None, b"x").key).collect()))
            .collect();
        let shared = scope.spawn(|| (0..1_000).map(|_| store.seal(Some(ada), b"x").key).collect());
        let same: Vec<u64> = shared.join().unwrap();
        assert!(same.iter().all(|key| *key == same[0]));
        asking.into_iter().map(|t| t.join().unwrap()).chain([vec![same[0]]]).collect()
    });
    let distinct: HashSet<u64> = used.iter().flatten().copied().collect();
    assert_eq!(distinct.len(), 4 * each + 1);
    // Each was durable before it was given out: they are all in the file.
    for id in distinct {
        assert!(store.shared.store.as_ref().unwrap().key(id).unwrap().is_some());
    }
}

#[test]
fn keys_that_nobody_got_are_not_kept_and_those_in_use_are() {
    let data = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..5 {
        let store = KeyStore::open(data.path()).unwrap();
        assert_eq!(store.shared.store.as_ref().unwrap().count(), round + BLOCK as u64);
        let sealed = store.seal(None, b"words");
        assert!(sealed.key > last, "an id was given out twice");
        last = sealed.key;
        drop(store);
        let store = KeyStore::open(data.path()).unwrap();
        assert_eq!(store.unseal(&sealed).unwrap(), b"words");
    }
}

#[test]
fn a_key_read_from_the_store_is_kept_only_while_it_is_theirs() {
    let data = tempfile::tempdir().unwrap();
    let store = KeyStore::open(data.path()).unwrap();
    let ada = store.customer("ada");
    let id = store.seal(Some(ada), b"words").key;
    drop(store);
    let store = KeyStore::open(data.path()).unwrap();
    let cached = || store.shared.state().cache.get(id).is_some();
    // As when it is forgotten while another task has just read it.
    assert!(!cached());
    store.shared.detach(ada);
    assert!(store.shared.find(id, Some(ada)).is_some());
    assert!(!cached());
    store.shared.state().assigned.insert(ada, id);
    assert!(store.shared.find(id, Some(ada)).is_some());
    assert!(cached());
}

#[test]
fn more_keys_are_made_before_they_run_out() {
    let data = tempfile::tempdir().unwrap();
    let store = KeyStore::open(data.path()).unwrap();
    let _ = store.seal(None, b"x");
    let until = Instant::now() + Duration::from_secs(20);
    while store.ready_keys() < LOW {
        assert!(Instant::now() < until, "no keys were made");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_store_is_private_held_once_and_prints_nothing() {
    let data = tempfile::tempdir().unwrap();
    let store = KeyStore::open(data.path()).unwrap();
    for file in fs::read_dir(data.path()).unwrap() {
        let path = file.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    let second = KeyStore::open(data.path()).unwrap_err();
    assert!(matches!(second, KeyError::File(JournalError::Locked { .. })), "{second}");
    let sealed = store.seal(None, b"x");
    let key = key_bytes(&store, sealed.key);
    let printed = format!("{store:?} {:?}", store.shared.secret);
    assert!(printed.starts_with("KeyStore"), "{printed}");
    assert!(!printed.contains(&format!("{:?}", key.0)[1..40]));
}

#[test]
fn damaged_words_do_not_open() {
    let store = KeyStore::ephemeral();
    let sealed = store.seal(Some(store.customer("ada")), b"words");
    let mut bytes = sealed.bytes.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(store.unseal(&Sealed { bytes: bytes.into(), ..sealed.clone() }), None);
    assert_eq!(store.unseal(&Sealed { customer: None, ..sealed.clone() }), None);
    assert_eq!(store.unseal(&Sealed { key: sealed.key + 1, ..sealed }), None);
}
