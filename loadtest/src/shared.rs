//! What all players of one run share: where the router is, what is to come, and the few
//! counts by which it is known when everything is over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::scenario::Scenario;
use crate::schedule::{Due, Plan, Says, micros};

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
    /// When each of the recall's orders was given, microseconds of the run's time; 0 for
    /// not yet.
    orders: Vec<AtomicU64>,
    /// Nobody comes any more: who has no reason to stay leaves.
    pub(crate) doors: CancellationToken,
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
    /// Contacts that the router opened to go on from another one.
    pub(crate) went_on: AtomicU64,
    /// Messages, both ways.
    pub(crate) messages: AtomicU64,
}

impl Counts {
    /// Every arrival is answered and every accepted contact has ended.
    pub(crate) fn is_quiet(&self) -> bool {
        self.sent.load(Relaxed) == self.settled.load(Relaxed)
            && self.opened() == self.ended.load(Relaxed)
    }

    pub(crate) fn opened(&self) -> u64 {
        self.accepted.load(Relaxed) + self.went_on.load(Relaxed)
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
        let orders = scenario.recall.iter().flat_map(|r| &r.level).map(|_| AtomicU64::new(0));
        let orders = orders.collect();
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
            orders,
            doors: CancellationToken::new(),
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
        // By turns, whatever their shares.
        let coming = self.scenario.coming();
        let kind = coming.clone().cycle().nth(number % coming.count().max(1)).unwrap_or(0);
        let says = Says::Nothing;
        Due { at_us: self.now_us(), kind, handle_us: 0, patience_us: None, says }
    }

    /// An order of the recall is given now; says when that is.
    pub(crate) fn ordered(&self, number: usize) -> u64 {
        let now = self.now_us().max(1);
        if let Some(order) = self.orders.get(number) {
            order.store(now, Relaxed);
        }
        now
    }

    /// The newest order, and when it was given.
    pub(crate) fn order(&self) -> Option<(usize, u64)> {
        let times = self.orders.iter().map(|at| at.load(Relaxed)).enumerate();
        times.take_while(|(_, at)| *at > 0).last()
    }

    /// When the recall was started, if it was.
    pub(crate) fn recalled_us(&self) -> Option<u64> {
        self.orders.first().map(|at| at.load(Relaxed)).filter(|at| *at > 0)
    }
}
