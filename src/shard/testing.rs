//! Stand-ins for tests of the shard.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::ask::SessionOver;
use super::observe::{Fact, Lane, Observer, SessionRole};
use super::view::View;
use crate::engine::refusal::RefusalKind;

/// An observer that remembers.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    sessions: [AtomicUsize; 2],
    cut_off: Mutex<Vec<SessionOver>>,
    pub(crate) undurable_most: AtomicUsize,
    pub(crate) turned_away: [AtomicUsize; 2],
    pub(crate) diverged: AtomicUsize,
    pub(crate) refused: AtomicUsize,
}

impl Recorded {
    pub(crate) fn sessions(&self, role: SessionRole) -> usize {
        self.sessions[role.index()].load(Ordering::SeqCst)
    }

    pub(crate) fn cut_off(&self) -> Vec<SessionOver> {
        self.cut_off.lock().expect("no test panics with it").clone()
    }
}

impl Observer for Recorded {
    fn decided(&self, _: Duration) {}
    fn handled(&self, _: u64) {}
    fn refused(&self, _: RefusalKind) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }
    fn turned_away(&self, lane: Lane) {
        self.turned_away[lane.index()].fetch_add(1, Ordering::SeqCst);
    }
    fn undurable(&self, batches: usize) {
        self.undurable_most.fetch_max(batches, Ordering::SeqCst);
    }
    fn synced(&self, _: Duration, _: usize) {}
    fn sessions(&self, role: SessionRole, open: usize) {
        self.sessions[role.index()].store(open, Ordering::SeqCst);
    }
    fn cut_off(&self, _: SessionRole, why: SessionOver) {
        self.cut_off.lock().expect("no test panics with it").push(why);
    }
    fn forged_receipt(&self) {}
    fn fact(&self, fact: Fact<'_>) {
        if fact == Fact::Diverged {
            self.diverged.fetch_add(1, Ordering::SeqCst);
        }
    }
    fn look(&self, _: &View<'_>, _: u64) {}
}
