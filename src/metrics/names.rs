//! Every metric's name, kind, unit, labels and help, in one table.
//!
//! A name here is a contract with dashboards and alerts: add, do not rename. The values
//! come from [`super`]; nothing else may make a metric.

use metrics::Unit;

use crate::shard::observe::{ANSWERS, WAITS};

/// What a metric is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution, with these upper bounds of its buckets, in the metric's unit.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Metric {
    /// Its name, by the Prometheus conventions.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its base unit.
    pub unit: Unit,
    /// Its labels. Each takes its values from the configuration or from a list in the code.
    pub labels: &'static [&'static str],
    /// What it means, in a line.
    pub help: &'static str,
}

/// One decision: 250 ns to 10 ms.
const DECISIONS: &[f64] = &[
    0.000_000_25,
    0.000_000_5,
    0.000_001,
    0.000_002,
    0.000_003,
    0.000_005,
    0.000_01,
    0.000_025,
    0.000_1,
    0.001,
    0.01,
];
/// One sync of a disk: 50 µs to seconds.
const SYNCS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0,
    5.0,
];
/// Entries in a batch.
const ENTRIES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// An actual wait over an announced one; 1 is a bound.
const RATIOS: &[f64] = &[0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0];

macro_rules! metrics {
    ($($name:ident = $kind:expr, $unit:ident, $text:literal, [$($label:literal),*], $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $name: Metric = Metric {
                name: $text,
                kind: $kind,
                unit: Unit::$unit,
                labels: &[$($label),*],
                help: $help,
            };
        )*
        /// All of them.
        pub const ALL: &[Metric] = &[$($name),*];
    };
}

use Kind::{Counter, Gauge, Histogram};

metrics! {
    BUILD_INFO = Gauge, Count, "surgeline_build_info", ["version"], "Always 1; the version is in the label.";

    QUEUE_WAITING = Gauge, Count, "surgeline_queue_waiting", ["queue"], "Contacts waiting in the queue now, with nobody.";
    QUEUE_OLDEST = Gauge, Seconds, "surgeline_queue_oldest_wait_seconds", ["queue"], "How long the one who waits longest in the queue has waited, the wait with the gateway included.";
    EXPECTED_WAIT = Gauge, Seconds, "surgeline_queue_expected_wait_seconds", ["queue", "channel", "quantity"], "How long one who came to the queue now would probably wait: on average (mean), and what four of five do not exceed (p80). NaN while it is not known.";
    WAIT_ANNOUNCED = Histogram(RATIOS), Count, "surgeline_wait_announced_ratio", ["queue"], "Actual wait over the announced one, of contacts that were told a wait and then answered; at most 1 for four of five while estimates are right. Counted since the process began, recovery included.";
    OFFERED = Counter, Count, "surgeline_contacts_offered_total", ["queue"], "Contacts that entered the queue since the journal began; consults and returns to the same queue are not counted.";
    ANSWERED = Counter, Count, "surgeline_contacts_answered_total", ["queue"], "Contacts answered for the first time since the journal began.";
    ANSWERED_IN_TARGET = Counter, Count, "surgeline_contacts_answered_in_target_total", ["queue"], "Contacts answered within the queue's target since the journal began.";
    ABANDONED = Counter, Count, "surgeline_contacts_abandoned_total", ["queue"], "Contacts whose customer left before an answer since the journal began.";
    ABANDONED_LATE = Counter, Count, "surgeline_contacts_abandoned_after_target_total", ["queue"], "Contacts whose customer left before an answer and after the queue's target had passed since the journal began.";
    WAIT = Histogram(WAITS), Seconds, "surgeline_wait_seconds", ["queue", "outcome"], "Wait since arrival until the first answer or the leaving, the wait with the gateway included; counted since the journal began.";

    CALLBACKS = Gauge, Count, "surgeline_callbacks", ["queue", "phase"], "Contacts to be called back, by where they are: held (not yet in line), patient (behind those on the line), pressing (by their places), reserved, dialling, exhausted (for a supervisor). None of them is in any metric of those who wait, are answered or abandon.";
    PROMISES_MADE = Counter, Count, "surgeline_promises_made_total", ["kind"], "Promises made to customers since the journal began; made = kept + open + broken.";
    PROMISES_KEPT = Counter, Count, "surgeline_promises_kept_total", ["kind"], "Promises kept since the journal began, in time or late.";
    PROMISES_BROKEN = Counter, Count, "surgeline_promises_broken_total", ["kind"], "Promises that were not kept and never will be, since the journal began.";
    PROMISES_LATE = Counter, Count, "surgeline_promises_late_total", ["kind"], "Promises made since the journal began that were late or are, whatever became of them.";
    PROMISES_OPEN = Gauge, Count, "surgeline_promises_open", ["kind"], "Promises that are neither kept nor broken.";
    PROMISE_WAIT = Gauge, Seconds, "surgeline_promise_wait_seconds", ["kind"], "How long customers waited on average for a promise that was kept, from its making; for callbacks this is the wait that is in no other metric. NaN while none was kept.";
    RECOVERIES_OPENED = Counter, Count, "surgeline_recoveries_opened_total", [], "Work to make good that was opened since the journal began.";
    RECOVERIES_DONE = Counter, Count, "surgeline_recoveries_done_total", [], "Work to make good that was done since the journal began.";
    RECOVERIES_OVERDUE = Counter, Count, "surgeline_recoveries_overdue_total", [], "Work to make good that became overdue since the journal began.";
    RECOVERIES_OPEN = Gauge, Count, "surgeline_recoveries_open", [], "Work to make good that is not done.";
    RECOVERIES_LATE = Gauge, Count, "surgeline_recoveries_late", [], "Work to make good that is not done and is overdue now.";
    RECOVERIES_UNLED = Gauge, Count, "surgeline_recoveries_unled", [], "Work to make good that nobody leads yet: low scores of contacts that nobody had.";
    FEEDBACK = Counter, Count, "surgeline_feedback_total", ["queue", "kind"], "Times customers said what they think of a contact of the queue since the journal began: with a score, or in words alone. Silence is not success: hold it against the contacts that were answered.";
    FEEDBACK_SCORE = Counter, Count, "surgeline_feedback_score_tenths_total", ["queue"], "Sum of the scores that customers gave since the journal began, in tenths on the scale of 0 to 10.";

    CONTACTS = Gauge, Count, "surgeline_contacts", ["state"], "Open contacts by state.";
    ACCEPTED = Counter, Count, "surgeline_contacts_accepted_total", [], "Contacts accepted, consults included since the journal began.";
    CLOSED = Counter, Count, "surgeline_contacts_closed_total", ["reason"], "Contacts that ended since the journal began, by reason.";
    CONSERVATION = Gauge, Count, "surgeline_conservation_difference", [], "Contacts accepted less the sum over all states, closed included. Must be 0.";
    DOUBLE_RESERVATIONS = Counter, Count, "surgeline_double_reservations_total", [], "Reservations made while somebody had the contact, as audited from the events since the journal began. Must be 0.";
    RESERVATIONS = Counter, Count, "surgeline_reservations_total", ["outcome"], "Reservations that ended since the journal began, by how.";
    RESERVATION_ANSWER = Histogram(ANSWERS), Seconds, "surgeline_reservation_answer_seconds", [], "From a reservation to its acceptance; counted since the journal began.";
    RESERVATION_OLDEST = Gauge, Seconds, "surgeline_reservation_oldest_age_seconds", [], "Age of the oldest open reservation.";
    CONNECT_FAILURES = Counter, Count, "surgeline_connect_failures_total", ["fault"], "Accepted contacts whose legs were not joined since the journal began, by whose fault; not an agent's refusal.";
    AGENTS = Gauge, Count, "surgeline_agents", ["state"], "Agents by state; those retired while signed out are left out.";
    AGENTS_NOT_READY = Gauge, Count, "surgeline_agents_not_ready", ["reason"], "Agents who are not ready, by the reason; with contacts in hand they count here and as busy.";
    AGENTS_OVERSTAYED = Gauge, Count, "surgeline_agents_overstayed", ["reason"], "Those of them whose reason has lasted longer than its limit.";
    AGENTS_OUTSIDE = Gauge, Count, "surgeline_agents_outside", [], "Agents in a call outside the router.";

    CLASS_WAITING = Gauge, Count, "surgeline_class_waiting", ["class"], "Contacts waiting with nobody now, by class of service; those in self-service are not among them.";
    CLASS_OLDEST = Gauge, Seconds, "surgeline_class_oldest_wait_seconds", ["class"], "How long the one who waits longest in the class of service has waited, the wait with the gateway included.";
    CLASS_WAIT = Histogram(WAITS), Seconds, "surgeline_class_wait_seconds", ["class", "outcome"], "Wait since arrival until the first answer or the leaving by class of service, in whatever queue, time in self-service included; counted since the journal began.";
    RECALL_LEVEL = Gauge, Count, "surgeline_recall_level", ["recall", "level"], "1 for the level that the recall is at, 0 for the others; all 0 once it is over.";
    LEVEL_FREE = Gauge, Count, "surgeline_recall_level_free", ["recall"], "1 while the recall's level is left free and moves by itself, 0 while it is pinned or the recall is over.";
    LEVEL_MOVES = Counter, Count, "surgeline_recall_level_moves_total", ["recall", "direction"], "Times the router moved the recall's level by itself since the journal began, up or down.";
    CONTROL_VALUE = Gauge, Count, "surgeline_recall_control_value", ["recall", "measure"], "What a free level moves by: seconds of the next caller's wait; else a share: the load that is certain, of what agents take; sessions and menu ports of the fullest gateway, of its limits. NaN while it is pinned.";
    CONTROL_THRESHOLD = Gauge, Count, "surgeline_recall_control_threshold", ["recall", "measure"], "Beyond which the measure wants the level above, in its unit; of the highest level if it is there. NaN while it is pinned.";
    SAFETY_LATE = Gauge, Count, "surgeline_safety_late", ["recall"], "Contacts about safety that nobody has answered for so long that people are paged.";
    PAGES = Counter, Count, "surgeline_pages_total", ["recall"], "Times that people were to be paged because somebody who is hurt waited too long, since the journal began.";
    PAGES_FAILED = Counter, Count, "surgeline_pages_failed_total", ["recall"], "Pages that reached nobody: not delivered, nobody said in time what became of them, or no address is configured; since the journal began.";
    PAGES_PENDING = Gauge, Count, "surgeline_pages_pending", ["recall"], "Pages that are being sent.";
    TIER_CONTACTS = Gauge, Count, "surgeline_tier_contacts", ["recall", "tier"], "Contacts in the tier of self-service now, holding their places.";
    TIER_CAPACITY = Gauge, Count, "surgeline_tier_capacity", ["recall", "tier"], "Contacts that the tier takes at once; 0 while it is closed.";
    TIER_FAILING = Gauge, Count, "surgeline_tier_failing", ["recall", "tier"], "1 while the tier's breaker is open or tries again: it failed again and again and takes nobody, or one at a time.";
    PARTNERS = Gauge, Count, "surgeline_partners", ["recall", "state"], "1 for where the partners of a recall that has a partner tier are: away, called or joined; 0 for each once it is over.";
    TIER_ENTERED = Counter, Count, "surgeline_tier_entered_total", ["recall", "tier"], "Contacts that entered the tier since the journal began.";
    TIER_LEFT = Counter, Count, "surgeline_tier_left_total", ["recall", "tier", "how"], "Contacts that left the tier since the journal began: solved on the customer's word, informed by a check or an answer, returned to the agents, followed up, or left in any other way.";
    TIER_RETURNED = Counter, Count, "surgeline_tier_returned_total", ["because"], "Contacts that went back from self-service to the agents since the journal began, by why.";
    TRIAGED = Counter, Count, "surgeline_triaged_total", ["class"], "Contacts whose words were found to mean something that counts since the journal began.";
    TEXTS = Counter, Count, "surgeline_texts_total", ["text", "how"], "Texts of playbooks that were to be said since the journal began: done is said to the end, withdrawn is cut short or no longer wanted.";
    BOUNCED_TWICE = Counter, Count, "surgeline_self_service_bounced_twice_total", [], "Contacts sent to self-service that had been there, as audited from the events since the journal began. Must be 0.";
    PLACES_LOST = Counter, Count, "surgeline_places_lost_total", [], "Contacts that came back from self-service to a later place, as audited from the events since the journal began. Must be 0.";
    SAFETY_DIVERTED = Counter, Count, "surgeline_safety_diverted_total", [], "Contacts about safety that were sent to self-service, as audited from the events since the journal began. Must be 0.";

    COMMANDS = Counter, Count, "surgeline_commands_total", [], "Commands handled by the engine since the process began, refused ones included.";
    REFUSALS = Counter, Count, "surgeline_refusals_total", ["kind"], "Commands that the engine refused since the process began.";
    SHARING_ON = Gauge, Count, "surgeline_sharing_on", ["sharing"], "1 while the agents of this sharing help the queue that it is for.";
    TURNED_AWAY = Counter, Count, "surgeline_commands_turned_away_total", ["lane"], "Commands turned away undecided since the process began, because the owner's lane was full.";
    DECISION = Histogram(DECISIONS), Seconds, "surgeline_decision_seconds", [], "Time of the engine for one command; one in 16 is measured; counted since the process began.";
    JOURNAL_SYNC = Histogram(SYNCS), Seconds, "surgeline_journal_sync_seconds", [], "Time to make one batch durable; counted since the process began.";
    BATCH_ENTRIES = Histogram(ENTRIES), Count, "surgeline_journal_batch_entries", [], "Entries made durable together; counted since the process began.";
    UNDURABLE = Gauge, Count, "surgeline_journal_undurable_batches", [], "Batches decided and not durable yet; at 2 the owner waits.";
    SESSIONS = Gauge, Count, "surgeline_sessions", ["role"], "Open sessions: gateways' streams, and agents on streams.";
    CUT_OFF = Counter, Count, "surgeline_sessions_cut_off_total", ["role", "reason"], "Sessions ended by the router since the process began, by reason.";
    CONFIG_INVALID = Gauge, Count, "surgeline_config_invalid", [], "1 while the router's configuration file is not in force because it cannot be used: the journal's configuration is; /readyz says why.";
    DISK_FREE = Gauge, Bytes, "surgeline_disk_free_bytes", [], "Space left on the disk of the data directory for this user.";
    DISK_LEVEL = Gauge, Count, "surgeline_disk_level", [], "0: enough space; 1: low, nobody new is let in and the journal is cut short; 2: critical, no reservations, no snapshots and no archive either.";
    FORGED_RECEIPTS = Counter, Count, "surgeline_receipts_forged_total", [], "Receipts that clients showed and that were not signed here, since the process began; ignored.";
    UNPROVEN_RECEIPTS = Counter, Count, "surgeline_receipts_unproven_total", ["why"], "Genuine receipts since the process began that were let pass unproven: their entries were trimmed, given up by accept-loss, or could not be read just then.";
    REPLICA_UP = Gauge, Count, "surgeline_replica_up", [], "1 while the replica answers, which most of these are read from; 0 when it has ended or does not answer, and they are the last it said: /readyz says why.";
    REPLICA_BEHIND = Gauge, Count, "surgeline_replica_lag_entries", [], "Durable entries that the replica has not applied.";
    SNAPSHOTS = Counter, Count, "surgeline_snapshots_total", ["outcome"], "Snapshots written, those that failed, those put off because the disk is full but for the last, and those that were found damaged or unusable and left out, since the process began.";
    JOURNAL_NOT_TRIMMED = Counter, Count, "surgeline_journal_trim_failures_total", [], "Times that the journal was not trimmed since the process began; the log says why.";
    SNAPSHOT_AGE = Gauge, Seconds, "surgeline_snapshot_age_seconds", [], "Age of the state in the newest snapshot, which a start goes on from; before the first, since the process began.";
    SNAPSHOT_SECONDS = Gauge, Seconds, "surgeline_snapshot_write_seconds", [], "Time that the newest snapshot took to be made durable, beside everything else.";
    SNAPSHOT_PAUSE = Gauge, Seconds, "surgeline_snapshot_pause_seconds", [], "Time that the replica stood still for the newest snapshot; the owner never does.";
    SNAPSHOT_BYTES = Gauge, Bytes, "surgeline_snapshot_size_bytes", [], "Size of the newest snapshot.";
    RECOVERY_SECONDS = Gauge, Seconds, "surgeline_recovery_seconds", [], "Time from the start of the process's recovery until it could serve.";
    RECOVERY_ENTRIES = Gauge, Count, "surgeline_recovery_entries", [], "Entries of the journal that the recovery has read after its snapshot; grows while it reads.";
    RECOVERY_EXPECTED = Gauge, Count, "surgeline_recovery_entries_expected", [], "Entries of the journal that the recovery has to read, as far as it knows: those after its snapshot that were acknowledged. 0 before that is known.";
    ARCHIVE_BEHIND = Gauge, Count, "surgeline_archive_lag_entries", [], "Durable entries that the archive does not have.";
    ARCHIVE_AGE = Gauge, Seconds, "surgeline_archive_lag_seconds", [], "Age of the newest entry that the archive has; 0 while it has all.";
    ARCHIVE_ROWS = Counter, Count, "surgeline_archive_rows_total", [], "Rows that the archive wrote since the process began.";
    ARCHIVE_FAILURES = Counter, Count, "surgeline_archive_failures_total", [], "Times the archive failed and began again since the process began; the log says why.";
    ARCHIVE_PAUSED = Gauge, Count, "surgeline_archive_paused", [], "1 while the archive does not go on because the disk is full but for the last.";
    ARCHIVE_RETENTION_BEHIND = Gauge, Seconds, "surgeline_archive_retention_behind_seconds", [], "How far the date by which the archive deletes is behind the newest entry; days of it mean that the clock leapt or the router stood still.";
    DIVERGENCES = Counter, Count, "surgeline_replica_divergences_total", [], "Marks at which the replica's state differed from the owner's, counted since the process began, recovery included. Must be 0.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        for metric in ALL {
            let name = metric.name;
            assert!(name.starts_with("surgeline_"), "{name}");
            let total = matches!(metric.kind, Counter);
            assert_eq!(name.ends_with("_total"), total, "{name}");
            let seconds = metric.unit == Unit::Seconds;
            assert_eq!(name.ends_with("_seconds"), seconds, "{name}");
            assert!(metric.help.ends_with('.'), "{name}");
            if metric.kind != Gauge {
                // A restart sets some of them back and others not: whoever reads must know.
                let since = ["since the process began", "since the journal began"];
                assert!(since.iter().any(|since| metric.help.contains(since)), "{name}");
            }
            if let Histogram(bounds) = metric.kind {
                assert!(bounds.is_sorted_by(|a, b| a < b), "{name}");
            }
        }
        let mut names: Vec<_> = ALL.iter().map(|m| m.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "each name once");
    }
}
