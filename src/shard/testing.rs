//! Stand-ins for tests of the shard.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::ask::SessionOver;
use super::observe::{Fact, Lane, Observer, SessionRole, SnapshotOutcome};
use super::view::View;
use crate::engine::refusal::RefusalKind;
use crate::journal::receipt::Unproven;

/// An observer that remembers.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    sessions: [AtomicUsize; 2],
    cut_off: Mutex<Vec<SessionOver>>,
    pub(crate) undurable_most: AtomicUsize,
    pub(crate) turned_away: [AtomicUsize; 2],
    pub(crate) diverged: AtomicUsize,
    pub(crate) refused: AtomicUsize,
    facts: Mutex<Vec<(String, u64)>>,
    snapshots: Mutex<Vec<SnapshotOutcome>>,
    pub(crate) not_trimmed: AtomicUsize,
}

impl Recorded {
    pub(crate) fn sessions(&self, role: SessionRole) -> usize {
        self.sessions[role.index()].load(Ordering::SeqCst)
    }

    pub(crate) fn cut_off(&self) -> Vec<SessionOver> {
        self.cut_off.lock().expect("no test panics with it").clone()
    }
}

impl Recorded {
    /// Snapshots that were written, loaded or failed, in order.
    pub(crate) fn snapshots(&self) -> Vec<SnapshotOutcome> {
        self.snapshots.lock().expect("no test panics with it").clone()
    }

    /// How often each fact was told whose name begins so.
    pub(crate) fn told(&self, name: &str) -> u64 {
        let facts = self.facts.lock().expect("no test panics with it");
        facts.iter().filter(|(fact, _)| fact.starts_with(name)).map(|(_, times)| times).sum()
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
    fn unproven_receipt(&self, _: Unproven) {}
    fn fact(&self, fact: Fact<'_>, times: u64) {
        self.facts.lock().expect("no test panics with it").push((format!("{fact:?}"), times));
        if fact == Fact::Diverged {
            self.diverged.fetch_add(1, Ordering::SeqCst);
        }
    }
    fn recovered(&self, _: Duration, _: u64) {}
    fn snapshot(&self, outcome: SnapshotOutcome) {
        self.snapshots.lock().expect("no test panics with it").push(outcome);
    }
    fn not_trimmed(&self) {
        self.not_trimmed.fetch_add(1, Ordering::SeqCst);
    }
    fn look(&self, _: &View<'_>, _: u64) {}
}
