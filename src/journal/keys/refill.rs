//! The thread that waits for the disk so that nobody else has to: makes keys ahead of
//! need and writes down whose they became.

use std::io;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::store::Store;
use super::{BLOCK, KeyError, LOW, Shared, State};

/// How long assignments are gathered before they are written.
const GATHER: Duration = Duration::from_millis(200);
/// How long to wait before the disk is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// Starts it. It ends when the state says stopping, having written what is left.
pub(super) fn start(shared: Arc<Shared>, store: Arc<Store>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("surgeline-keys".into()).spawn(move || run(&shared, &store))
}

fn run(shared: &Shared, store: &Store) {
    loop {
        let stopping = wait(shared);
        // A fresh block each time: what failed is not tried again as it was.
        let done = if stopping { Ok(()) } else { refill(shared, store) };
        if let Err(error) = done.and_then(|()| write_assignments(shared, store)) {
            tracing::error!(%error, "the key store could not be written");
            thread::sleep(RETRY);
        }
        if stopping {
            discard_unused(shared, store);
            return;
        }
    }
}

/// Waits until there is something to do; true if it is to stop.
fn wait(shared: &Shared) -> bool {
    let pressing = |state: &State| state.stopping || state.ready.len() < LOW;
    let idle = |state: &mut State| !pressing(state) && state.unwritten.is_empty();
    let state = shared.wanted.wait_while(shared.state(), idle);
    let state = state.unwrap_or_else(PoisonError::into_inner);
    let gathering = |state: &mut State| !pressing(state);
    let state = shared.wanted.wait_timeout_while(state, GATHER, gathering);
    state.unwrap_or_else(PoisonError::into_inner).0.stopping
}

/// Deletes what was made ahead and never given out, so that starting often does not fill
/// the store with keys that open nothing. After a crash they stay: they may be in use.
fn discard_unused(shared: &Shared, store: &Store) {
    let ready = std::mem::take(&mut shared.state().ready);
    // They are given out in the order of their ids.
    let Some((first, _)) = ready.front() else { return };
    if let Err(error) = store.discard_from(*first) {
        tracing::warn!(%error, "unused keys were left in the key store");
    }
}

fn refill(shared: &Shared, store: &Store) -> Result<(), KeyError> {
    if shared.state().ready.len() >= LOW {
        return Ok(());
    }
    let keys = store.make(BLOCK)?;
    shared.state().ready.extend(keys);
    shared.made.notify_all();
    Ok(())
}

/// Writes down whose the keys became that were given out so far.
pub(super) fn write_assignments(shared: &Shared, store: &Store) -> Result<(), KeyError> {
    let mut writer = store.writer();
    let unwritten = std::mem::take(&mut shared.state().unwritten);
    if unwritten.is_empty() {
        return Ok(());
    }
    store.assign(&mut writer, &unwritten).inspect_err(|_| {
        shared.state().unwritten.extend(unwritten.iter().copied());
    })
}
