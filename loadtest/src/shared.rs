//! What all players of one run share: where the router is, what is to come, and the few
//! counts by which it is known when everything is over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::scenario::Scenario;
use crate::schedule::{Due, Plan, micros};

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) address: String,
    /// Begins every request id and key: no two runs may use the same.
    pub(crate) run: String,
    pub(crate) scenario: Arc<Scenario>,
    /// Empty for a closed loop.
    pub(crate) plan: Arc<Plan>,
    /// Contacts in flight on each gateway's stream, of a closed loop.
    pub(crate) in_flight: Option<usize>,
    /// Set once everyone is ready.
    starts: OnceLock<Instant>,
    pub(crate) counts: Counts,
    /// How many times all agents were to reconnect so far.
    pub(crate) reconnects: watch::Sender<usize>,
    /// Nobody comes any more; of a closed loop.
    pub(crate) closing: AtomicBool,
    /// Everybody stops.
    pub(crate) over: CancellationToken,
}

/// Counted as it happens, by all players together.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Arrivals handed to a stream.
    pub(crate) sent: AtomicU64,
    /// Arrivals answered, one way or the other.
    pub(crate) settled: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) ended: AtomicU64,
    /// Messages, both ways.
    pub(crate) messages: AtomicU64,
}

impl Counts {
    /// Every arrival is answered and every accepted contact has ended.
    pub(crate) fn is_quiet(&self) -> bool {
        self.sent.load(Relaxed) == self.settled.load(Relaxed)
            && self.accepted.load(Relaxed) == self.ended.load(Relaxed)
    }

    pub(crate) fn message(&self) {
        self.messages.fetch_add(1, Relaxed);
    }
}

impl Shared {
    pub(crate) fn new(
        address: String,
        scenario: Arc<Scenario>,
        plan: Arc<Plan>,
        in_flight: Option<usize>,
    ) -> Self {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self {
            address,
            run: format!("{:x}", since.as_millis()),
            scenario,
            plan,
            in_flight,
            starts: OnceLock::new(),
            counts: Counts::default(),
            reconnects: watch::Sender::new(0),
            closing: AtomicBool::new(false),
            over: CancellationToken::new(),
        }
    }

    /// The run begins at this moment; the first call counts.
    pub(crate) fn start(&self, at: Instant) {
        // A second call would be a bug of this crate's that shows in every figure.
        let _ = self.starts.set(at);
    }

    /// Microseconds since the run's start; 0 before it.
    pub(crate) fn now_us(&self) -> u64 {
        self.starts.get().map_or(0, |starts| micros(starts.elapsed()))
    }

    /// A contact that comes now, of a closed loop: handled at once, by someone patient.
    pub(crate) fn comes_now(&self, number: usize) -> Due {
        let kind = number % self.scenario.mix.len();
        Due { at_us: self.now_us(), kind, handle_us: 0, patience_us: None }
    }
}
