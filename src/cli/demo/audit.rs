//! The demo's own books, kept by what gateways and agents were told, and by nothing that
//! the router says of itself.
//!
//! Shared by all simulated players. It judges: were two agents ever given one contact, are
//! there as many contacts as were accepted, how long did an offer take.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Longest latency told apart, microseconds.
const MOST_LATENCY_US: u64 = 60_000_000;
/// Longest wait told apart, milliseconds.
const MOST_WAIT_MS: u64 = 86_400_000;

/// What players counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Counts {
    /// Contacts that gateways were told are accepted.
    pub(super) accepted: u64,
    /// Contacts that gateways hold and were not told the end of.
    pub(super) open: u64,
    pub(super) consults: u64,
    /// Consults that ended with the second agent taking over.
    pub(super) handed_over: u64,
    pub(super) pended: u64,
    pub(super) transferred: u64,
    pub(super) declined: u64,
    pub(super) timed_out: u64,
    pub(super) connect_failures: u64,
    /// Customers who left after they were answered.
    pub(super) hung_up: u64,
    /// Contacts that went to self-service, that were closed as solved and informed, that
    /// went on as follow-ups, and that came back to people.
    pub(super) entered: u64,
    pub(super) solved: u64,
    pub(super) informed: u64,
    pub(super) followed_up: u64,
    pub(super) returned: u64,
    /// Contacts sent to self-service again after they had come back from it.
    pub(super) bounced_twice: u64,
    /// Callers who were asked whether they would rather be called, who wanted it, and who were
    /// reached.
    pub(super) asked: u64,
    pub(super) wanted: u64,
    pub(super) called_back: u64,
    /// Offers of a contact that somebody else had or was offered.
    pub(super) double_reservations: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Audit {
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    counts: Counts,
    /// By contact: who has it or is offered it.
    holders: HashMap<u64, Holder>,
    timings: HashMap<u64, Timing>,
    latency: Histogram<u64>,
    /// From arrival, or from saying that somebody is hurt, to the first answer.
    safety_waits: Histogram<u64>,
    /// From arrival to the first answer by a person, of others who came with the wave.
    other_waits: Histogram<u64>,
    refusals: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Holder {
    agent: String,
    reservation: u64,
}

/// What is known about one contact's first offer.
#[derive(Clone, Copy, Debug, Default)]
struct Timing {
    sent: Option<Instant>,
    at_once: bool,
    offered: Option<Instant>,
    /// Since when they wait, and as what; none once answered.
    waits: Option<(Instant, Wait)>,
}

/// Whose wait it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wait {
    /// About safety.
    pub(super) safety: bool,
    /// Came with the wave.
    pub(super) wave: bool,
}

/// Latency of reservations, microseconds; 0 of nothing measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub(super) struct Latency {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) max: u64,
    pub(super) samples: u64,
}

/// The state of the books at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) counts: Counts,
    pub(super) latency: Latency,
    /// Refusals by reason. Some are to be expected: a customer hangs up while the agent's
    /// answer is on its way.
    pub(super) refusals: BTreeMap<String, u64>,
    /// 99th percentile of the wait of safety contacts of the wave for a person, seconds, those included
    /// who left or still wait; none if there was none.
    pub(super) safety_wait_p99: Option<f64>,
    /// Median wait of the others who came with the wave and were answered by a person.
    pub(super) other_wait_p50: Option<f64>,
}

impl Audit {
    /// Empty books; none only if no histogram of this size can be made.
    pub(super) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let books = Books {
            counts: Counts::default(),
            holders: HashMap::new(),
            timings: HashMap::new(),
            latency: Histogram::new_with_bounds(1, MOST_LATENCY_US, 3)?,
            safety_waits: Histogram::new_with_bounds(1, MOST_WAIT_MS, 3)?,
            other_waits: Histogram::new_with_bounds(1, MOST_WAIT_MS, 3)?,
            refusals: BTreeMap::new(),
        };
        Ok(Self { books: Mutex::new(books) })
    }

    // A player that panicked has failed the demo already; the books are still true.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.books().counts);
    }

    pub(super) fn counts(&self) -> Counts {
        self.books().counts
    }

    pub(super) fn refused(&self, reason: &str) {
        *self.books().refusals.entry(reason.to_owned()).or_default() += 1;
    }

    /// A gateway was answered: this contact is accepted. `sent` is when it reported it.
    pub(super) fn accepted(&self, contact: u64, sent: Instant, wait: Wait) {
        let mut books = self.books();
        books.counts.accepted += 1;
        books.counts.open += 1;
        let timing = books.timings.entry(contact).or_default();
        timing.sent = Some(sent);
        timing.waits = Some((sent, wait));
    }

    /// The customer of a contact has just said that somebody is hurt.
    pub(super) fn safety(&self, contact: u64) {
        let wait = Wait { safety: true, wave: true };
        self.books().timings.entry(contact).or_default().waits = Some((Instant::now(), wait));
    }

    /// A customer has a person for the first time.
    pub(super) fn answered(&self, contact: u64) {
        self.books().waited(contact, true);
    }

    /// The first that a gateway was told of a contact is for whom it is held: it found
    /// somebody idle and did not wait in line.
    pub(super) fn held_at_once(&self, contact: u64) {
        self.books().timings.entry(contact).or_default().at_once = true;
    }

    /// A gateway was told the end of a contact.
    ///
    /// What is measured: from just before a gateway writes `Arrived` to its stream until an
    /// agent's client has read the first `Offer` of that contact from another stream. Both
    /// codecs and sockets, the decision and the journal's sync lie between. Contacts that
    /// had to wait in line are left out: theirs is the agents' time, not the router's.
    pub(super) fn ended(&self, contact: u64) {
        let mut books = self.books();
        books.waited(contact, false);
        books.counts.open = books.counts.open.saturating_sub(1);
        if let Some(Timing { sent: Some(sent), at_once: true, offered: Some(offered), .. }) =
            books.timings.remove(&contact)
        {
            let us = micros(offered.saturating_duration_since(sent)).clamp(1, MOST_LATENCY_US);
            books.latency.saturating_record(us);
        }
    }

    /// An agent is offered a contact, or told that they have it.
    pub(super) fn held(&self, contact: u64, agent: &str, reservation: u64, at: Instant) {
        let mut books = self.books();
        books.timings.entry(contact).or_default().offered.get_or_insert(at);
        let holder = Holder { agent: agent.to_owned(), reservation };
        if let Some(before) = books.holders.insert(contact, holder)
            && before.agent != agent
        {
            books.counts.double_reservations += 1;
            tracing::error!(
                contact,
                agent,
                reservation,
                other = before.agent,
                other_reservation = before.reservation,
                "two agents were given one contact"
            );
        }
    }

    /// An agent is told that they no longer have a contact or an offer of it.
    pub(super) fn let_go(&self, contact: u64, agent: &str) {
        let mut books = self.books();
        if books.holders.get(&contact).is_some_and(|h| h.agent == agent) {
            books.holders.remove(&contact);
        }
    }

    pub(super) fn findings(&self) -> Findings {
        let mut books = self.books();
        let open: Vec<u64> = books.timings.keys().copied().collect();
        for contact in open {
            books.waited(contact, false);
        }
        let at = |q| if books.latency.is_empty() { 0 } else { books.latency.value_at_quantile(q) };
        let max = if books.latency.is_empty() { 0 } else { books.latency.max() };
        let latency = Latency { p50: at(0.5), p99: at(0.99), max, samples: books.latency.len() };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of at most a day")]
        let seconds =
            |of: &Histogram<u64>, q| (!of.is_empty()).then(|| of.value_at_quantile(q) as f64 / 1e3);
        Findings {
            counts: books.counts,
            latency,
            refusals: books.refusals.clone(),
            safety_wait_p99: seconds(&books.safety_waits, 0.99),
            other_wait_p50: seconds(&books.other_waits, 0.5),
        }
    }
}

impl Books {
    /// A wait for a person is over: with one, or without. Of safety contacts those count that
    /// nobody answered too, with what they had waited by then: a lane that starves people must
    /// not look quick.
    fn waited(&mut self, contact: u64, answered: bool) {
        let waits = self.timings.get_mut(&contact).and_then(|t| t.waits.take());
        let Some((since, Wait { safety, wave })) = waits else { return };
        let waited = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let waited = waited.clamp(1, MOST_WAIT_MS);
        if safety && wave {
            self.safety_waits.saturating_record(waited);
        } else if !safety && wave && answered {
            self.other_waits.saturating_record(waited);
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_found_and_a_change_of_hands_is_not_one() {
        let audit = Audit::new().unwrap();
        let now = Instant::now();
        audit.held(1, "amara", 10, now);
        audit.held(1, "amara", 10, now);
        audit.let_go(1, "bruno");
        audit.let_go(1, "amara");
        audit.held(1, "bruno", 11, now);
        assert_eq!(audit.counts().double_reservations, 0);
        audit.held(1, "chiara", 12, now);
        assert_eq!(audit.counts().double_reservations, 1);
    }

    #[test]
    fn only_contacts_that_did_not_wait_are_measured() {
        let audit = Audit::new().unwrap();
        let sent = Instant::now();
        for contact in 1..=2 {
            audit.accepted(contact, sent, Wait { safety: false, wave: false });
            audit.held(contact, "amara", contact, sent + Duration::from_millis(2));
            audit.let_go(contact, "amara");
        }
        audit.held_at_once(2);
        audit.ended(1);
        audit.ended(2);
        let found = audit.findings();
        assert_eq!((found.counts.accepted, found.counts.open), (2, 0));
        assert_eq!(found.latency.samples, 1);
        assert!((1_990..=2_010).contains(&found.latency.p50), "{:?}", found.latency);
    }
}
