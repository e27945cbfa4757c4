//! Stand-ins for tests of the shard.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
    held: Mutex<()>,
    snapshots: Mutex<Vec<SnapshotOutcome>>,
    pub(crate) not_trimmed: AtomicUsize,
    /// Who tells a fact panics.
    pub(crate) panics: AtomicBool,
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

    /// Until it is dropped, who tells a fact stands still: the replica, soon.
    pub(crate) fn hold(&self) -> impl Sized {
        self.held.lock().expect("no test panics with it")
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
        drop(self.hold());
        assert!(!self.panics.load(Ordering::SeqCst), "as the test wants");
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

/// The machine's clocks, as a thread of a test sees them.
pub(crate) mod machine {
    use std::cell::Cell;
    use std::sync::LazyLock;
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    /// What an own clock counts from.
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    /// The wall's time at that.
    const WALL: Duration = Duration::from_secs(1_790_000_000);

    thread_local! {
        static OWN: Cell<Option<Duration>> = const { Cell::new(None) };
    }

    /// From now on this thread has clocks of its own, which stand unless they are moved.
    pub(crate) fn stand() {
        OWN.set(Some(Duration::ZERO));
    }

    /// Moves this thread's own clocks.
    pub(crate) fn advance(by: Duration) {
        OWN.set(OWN.get().map(|shows| shows + by));
    }

    /// How far this thread's own clocks were moved.
    pub(crate) fn elapsed() -> Duration {
        OWN.get().unwrap_or_default()
    }

    pub(crate) fn instant() -> Instant {
        OWN.get().map_or_else(Instant::now, |shows| *BEGINNING + shows)
    }

    pub(crate) fn system() -> SystemTime {
        OWN.get().map_or_else(SystemTime::now, |shows| UNIX_EPOCH + WALL + shows)
    }
}
