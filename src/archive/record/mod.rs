//! The interval record: what happened in each queue and to each agent by quarters of an hour.
//!
//! `docs/intervals.md` defines every column; the two lists here are the one place where a column
//! is added, and tables, sums and what an accepted loss takes off follow from them. Every column
//! is a sum, so that quarters add up to any longer time and nothing of it goes when contacts do.
//! Counting is `super::change`'s (contacts) and `staff`'s (agents); the report is read by `read`.

pub mod read;
pub(super) mod staff;
pub(super) mod table;
mod visits;

use super::rows::{INTERVAL_MS, Table, interval};
use crate::ids::{AgentId, QueueId, ReasonId};
use crate::time::{Span, WallTime};

macro_rules! columns {
    ($(#[$about:meta])* $list:ident: $($column:ident = $name:literal, $help:literal;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $list {
            $(#[doc = $help] $column,)*
        }

        impl $list {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$column),*];

            /// What the table calls it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$column => $name,)* }
            }
        }
    };
}

columns! {
    /// What is recorded of a queue.
    QueueColumn:
    Offered = "offered", "Waits that began: each entry into the queue, and each return to wait after an agent had the contact.";
    TransferredIn = "transferred_in", "Of them, sent on by an agent of another queue or of this one.";
    MovedIn = "moved_in", "Of them, moved in by a supervisor or a recall's safety lane.";
    OverflowedIn = "overflowed_in", "Of them, overflowed from another queue.";
    ReturnedIn = "returned_in", "Of them, back to wait after an agent had them: sent back, woken, or their agent was gone.";
    Answered = "answered", "Waits that ended with an agent.";
    AnsweredInTarget = "answered_in_target", "Of them, within the queue's target.";
    Abandoned = "abandoned", "Waits that the customer ended.";
    AbandonedAfterTarget = "abandoned_after_target", "Of them, after the target had passed.";
    AbandonedShort = "abandoned_short", "Of them, sooner than `short_abandon`.";
    MovedOut = "moved_out", "Waits that ended by a move to another queue.";
    OverflowedOut = "overflowed_out", "Waits that ended by overflow to another queue or an external number.";
    SelfServed = "self_served", "Waits that ended in self-service: solved, informed, followed up.";
    Ended = "ended", "Waits that ended in any other way: closed by a supervisor, lost by a gateway, not reached.";
    ToCallback = "to_callback", "Waits that ended because the customer is called back instead.";
    TransferredOut = "transferred_out", "Contacts that agents sent on from this queue to wait again.";
    Callbacks = "callbacks", "Callbacks that were promised: to who waited, to who was with an agent, to whose call was lost.";
    CallbacksAnswered = "callbacks_answered", "Callbacks that ended with an agent.";
    CallbacksEnded = "callbacks_ended", "Callbacks that ended without one: not reached, cancelled, closed.";
    AnsweredWait = "answered_wait_us", "Sum of the waits that ended with an agent.";
    AbandonedWait = "abandoned_wait_us", "Sum of the waits that the customer ended.";
    CallbackWait = "callback_wait_us", "Sum of the waits for callbacks that ended with an agent.";
    Talk = "talk_us", "Time that agents had its contacts, holds not included.";
    Hold = "hold_us", "Time that its contacts were on hold with an agent.";
    WrapUp = "wrap_up_us", "Time that agents worked after its contacts.";
    Staffed = "staffed_us", "Time signed in of agents who may take from it.";
    Ready = "ready_us", "Of that, ready.";
    NotReady = "not_ready_us", "Of that, not ready.";
}

columns! {
    /// What is recorded of an agent.
    AgentColumn:
    Offered = "offered", "Reservations made for them.";
    Answered = "answered", "Contacts that came into their hands.";
    Declined = "declined", "Reservations that they declined.";
    Missed = "missed", "Reservations that they did not answer in time.";
    ConnectFailed = "connect_failed", "Contacts that they took and that were not joined.";
    Transferred = "transferred", "Contacts that they sent on.";
    Requeued = "requeued", "Contacts that they sent back to wait.";
    Talk = "talk_us", "Time with contacts, holds not included.";
    Hold = "hold_us", "Time that contacts of theirs were on hold.";
    WrapUp = "wrap_up_us", "Work after contacts.";
    Staffed = "staffed_us", "Time signed in.";
    Ready = "ready_us", "Of that, ready, with or without work in hand.";
    NotReady = "not_ready_us", "Of that, not ready; `not_ready_record` has it by reason.";
}

/// One queue or agent in one quarter, by the place of the column.
pub(super) type Cells<K, const N: usize> = Table<(K, u64), [u64; N]>;
pub(super) const QUEUE_COLUMNS: usize = QueueColumn::ALL.len();
pub(super) const AGENT_COLUMNS: usize = AgentColumn::ALL.len();

/// What is to be added to the record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Record {
    pub(super) queues: Cells<QueueId, QUEUE_COLUMNS>,
    pub(super) agents: Cells<AgentId, AGENT_COLUMNS>,
    pub(super) reasons: Table<(AgentId, ReasonId, u64), u64>,
}

/// A time that something lasts: it begins by the wall clock, and its length is the router's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Spell {
    pub(super) began: WallTime,
    pub(super) lasted: Span,
}

impl Spell {
    /// Its parts, each with the quarter that it is in.
    pub(super) fn quarters(self) -> impl Iterator<Item = (u64, u64)> {
        let (mut at_us, mut left) = (self.began.0.saturating_mul(1_000), self.lasted.0);
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let start_ms = interval(WallTime(at_us / 1_000));
            let ends_us = (start_ms + INTERVAL_MS) * 1_000;
            let part = left.min(ends_us - at_us);
            (at_us, left) = (at_us + part, left - part);
            Some((start_ms, part))
        })
    }
}

impl Record {
    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.agents.is_empty() && self.reasons.is_empty()
    }

    /// Counts one, or a sum, when it happened.
    pub(super) fn queue(&mut self, queue: QueueId, at: WallTime, column: QueueColumn, n: u64) {
        self.queues.entry((queue, interval(at))).or_insert([0; QUEUE_COLUMNS])[column as usize] +=
            n;
    }

    /// The same of an agent.
    pub(super) fn agent(&mut self, agent: AgentId, at: WallTime, column: AgentColumn) {
        self.agents.entry((agent, interval(at))).or_insert([0; AGENT_COLUMNS])[column as usize] +=
            1;
    }

    /// Time on a contact, in both books, split by quarters.
    pub(super) fn worked(
        &mut self,
        (agent, queue): (AgentId, Option<QueueId>),
        (of_agent, of_queue): (AgentColumn, QueueColumn),
        spell: Spell,
    ) {
        for (start, us) in spell.quarters() {
            self.agents.entry((agent, start)).or_insert([0; AGENT_COLUMNS])[of_agent as usize] +=
                us;
            let Some(queue) = queue else { continue };
            self.queues.entry((queue, start)).or_insert([0; QUEUE_COLUMNS])[of_queue as usize] +=
                us;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(began: u64, lasted: u64) -> Vec<(u64, u64)> {
        Spell { began: WallTime(began), lasted: Span(lasted) }.quarters().collect()
    }

    #[test]
    fn a_spell_is_split_where_quarters_begin_and_nothing_of_it_is_lost() {
        let quarter = INTERVAL_MS;
        assert_eq!(parts(5, 0), []);
        assert_eq!(parts(5, 7), [(0, 7)]);
        assert_eq!(parts(quarter - 1, 1_000), [(0, 1_000)], "it ends as the quarter does");
        assert_eq!(parts(quarter - 1, 1_001), [(0, 1_000), (quarter, 1)]);
        let long = parts(quarter * 3 - 60_000, 2 * quarter * 1_000);
        assert_eq!(long.iter().map(|p| p.1).sum::<u64>(), 2 * quarter * 1_000);
        assert_eq!(long.iter().map(|p| p.0 / quarter).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn the_manual_defines_every_column() {
        const MANUAL: &str = include_str!("../../../docs/intervals.md");
        let names = QueueColumn::ALL.iter().map(|c| c.name());
        for name in names.chain(AgentColumn::ALL.iter().map(|c| c.name())) {
            assert!(MANUAL.contains(&format!("| `{name}` |")), "the manual has no {name}");
        }
    }
}
