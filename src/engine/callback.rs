//! A callback: a contact whose customer hung up because we call them, at the place they had.
//!
//! Values only, and in [`board`] the index of what is promised by when. A queue's [`CallbackPolicy`] says
//! how its callbacks are made; [`super::decide`] decides by it. It dials nobody: the gateway
//! does, by an effect. Numbers are not in here: they ride sealed.

mod board;

use std::sync::Arc;

use super::contact::Contact;
use super::words::ServiceClass;
use crate::ids::{PromiseId, RecallId};
use crate::time::{EngineTime, Span};

pub(crate) use board::Board;

/// Promises are counted by quarters of an hour.
pub const SLOT: Span = Span::seconds(900);
/// How far ahead a callback may be promised, and a window with room is looked for.
pub const MOST_AHEAD: Span = Span::seconds(14 * 24 * 3600);
/// A day: customers may be called at the same hours of each.
const DAY: Span = Span::seconds(24 * 3600);

/// How a queue makes callbacks.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CallbackPolicy {
    /// Who is called first.
    pub mode: DialMode,
    /// The part of what the staff can serve that may be promised ahead, per cent, 1 to 100.
    pub share: u8,
    /// Calls that the staff is expected to serve in an hour, where it is not measured or the
    /// promise is for later today; 0 where nobody says.
    pub per_hour: u32,
    /// How long a customer's phone may ring.
    pub ring: Span,
    /// By when one is called whose call was lost.
    pub within: Span,
    /// Lost calls that become due in a minute, at least 1.
    pub lost_per_minute: u32,
    /// What follows when a call does not reach the customer, by [`DialOutcome::index`].
    pub retry: [Retry; 6],
}

impl Default for CallbackPolicy {
    fn default() -> Self {
        let retry = |minutes: u64, most| Retry { after: Span::seconds(60 * minutes), most };
        let mut policy = Self {
            mode: DialMode::AgentFirst,
            share: 30,
            per_hour: 0,
            ring: Span::seconds(30),
            within: Span::seconds(3600),
            lost_per_minute: 30,
            retry: [Retry::default(); 6],
        };
        policy.retry[DialOutcome::Machine.index()] = retry(60, 2);
        policy.retry[DialOutcome::Busy.index()] = retry(5, 3);
        policy.retry[DialOutcome::NoAnswer.index()] = retry(30, 3);
        policy.retry[DialOutcome::Congestion.index()] = retry(1, 5);
        policy
    }
}

/// What follows a call that did not reach the customer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Retry {
    /// The next call is this much later.
    pub after: Span,
    /// Calls that may end so, the last one not repeated; 0 repeats none.
    pub most: u8,
}

/// Who is called first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DialMode {
    /// An agent takes the reservation, then the customer is dialled.
    AgentFirst,
    /// The customer is dialled for an agent who is free and not asked; the agent is called
    /// when the customer answers.
    CustomerFirst,
}

impl DialMode {
    /// Both, in the order of [`Self::WORDS`].
    pub const ALL: [Self; 2] = [Self::AgentFirst, Self::CustomerFirst];
    /// The words for them in the configuration.
    pub const WORDS: &'static [&'static str] = &["agent_first", "customer_first"];
}

/// What came of dialling a customer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DialOutcome {
    /// A person answered.
    Answered,
    /// A machine did.
    Machine,
    /// The line was busy.
    Busy,
    /// It rang out, or they hung up before anybody spoke to them.
    NoAnswer,
    /// There is no such number. It is never dialled again.
    Invalid,
    /// No way there, or the gateway could not: not the customer's doing.
    Congestion,
}

impl DialOutcome {
    /// All of them, in the order of [`Self::index`].
    pub const ALL: [Self; 6] = [
        Self::Answered,
        Self::Machine,
        Self::Busy,
        Self::NoAnswer,
        Self::Invalid,
        Self::Congestion,
    ];

    /// Position in a table by outcome.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in configuration, metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Machine => "machine",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Invalid => "invalid",
            Self::Congestion => "congestion",
        }
    }
}

/// What kind of callback.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CallbackKind {
    /// "Keep my place": as if they still stood in line.
    Place,
    /// At a time that was agreed.
    Scheduled,
    /// Their call was lost.
    Lost,
    /// A follow-up that was promised.
    FollowUp,
}

impl CallbackKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Place, Self::Scheduled, Self::Lost, Self::FollowUp];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Scheduled => "scheduled",
            Self::Lost => "lost",
            Self::FollowUp => "follow_up",
        }
    }
}

/// From when until when.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Window {
    /// Not before.
    pub from: EngineTime,
    /// Not after.
    pub until: EngineTime,
}

/// The hours of every day at which a customer may be called. The edge knows calendars; what
/// it enters here repeats every 24 hours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CallHours {
    /// When they begin on some day.
    pub from: EngineTime,
    /// For how long, 1 min to 24 h.
    pub lasting: Span,
}

impl CallHours {
    /// The last time until `at` that is within them: `lead` before they ended, if they have.
    pub(crate) fn last(self, at: EngineTime, lead: Span) -> EngineTime {
        let next = self.at(at).from;
        if next <= at {
            return at;
        }
        let began = next - DAY;
        (began + self.lasting - lead).max(began)
    }

    /// The window that is open at a time, or the next one.
    #[must_use]
    pub fn at(self, at: EngineTime) -> Window {
        let into = if at >= self.from {
            at.since(self.from).0 % DAY.0
        } else {
            (DAY.0 - self.from.since(at).0 % DAY.0) % DAY.0
        };
        // Before the router's beginning there is no time to begin at.
        let began = at - Span(into);
        let from = if into < self.lasting.0 { began } else { at + Span(DAY.0 - into) };
        let open = Span(if into < self.lasting.0 { self.lasting.0 - into } else { self.lasting.0 });
        let until = if into < self.lasting.0 { at + open } else { from + open };
        Window { from, until }
    }
}

/// What is wanted of a callback.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Wanted {
    /// When; none for "when it is my turn".
    pub window: Option<Window>,
    /// At which hours they may be called; none for any.
    pub hours: Option<CallHours>,
}

/// A callback. Everything by which it is made is in it, so that a configuration that changes
/// meanwhile, or another queue, breaks no promise.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Callback {
    /// What kind.
    pub kind: CallbackKind,
    /// The promise that it keeps.
    pub promise: PromiseId,
    /// When it was promised.
    pub asked: EngineTime,
    /// By when; none where no time could be promised.
    pub due: Option<EngineTime>,
    /// When the customer may be called at all; after it nobody calls them by itself.
    pub until: Option<EngineTime>,
    /// At which hours.
    pub hours: Option<CallHours>,
    /// Where it is.
    pub phase: Phase,
    /// Calls that did not reach them, by [`DialOutcome::index`].
    pub tried: [u8; 6],
    /// When they were first called, on a line that worked.
    pub first: Option<EngineTime>,
    /// How its queue made callbacks when it was promised: the mode, the ringing and the retry
    /// table are these, whatever its queue says now.
    pub policy: Arc<CallbackPolicy>,
    /// A supervisor has them called now, whatever the hours of the queue.
    pub ordered: bool,
    /// The recall whose tier offered it; none for any other.
    pub tier: Option<RecallId>,
}

/// Where a callback is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// Not yet.
    Held {
        /// Until when.
        until: EngineTime,
    },
    /// The queue is closed, or the customer may not be called at this hour.
    OffHours {
        /// Until when.
        until: EngineTime,
    },
    /// In line behind everyone who waits on the line: it still has time.
    Patient {
        /// When that is looked at again.
        check: EngineTime,
    },
    /// In line by its place.
    Pressing {
        /// Until when the customer may be called.
        until: Option<EngineTime>,
    },
    /// The customer has answered our call and waits for the agent.
    OnLine,
    /// The customer was reached.
    Done,
    /// Nobody calls them by itself any more: for a supervisor.
    Exhausted(Exhausted),
}

impl Phase {
    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::OffHours { .. } => "off_hours",
            Self::Patient { .. } => "patient",
            Self::Pressing { .. } => "pressing",
            Self::OnLine => "on_line",
            Self::Done => "done",
            Self::Exhausted(why) => why.name(),
        }
    }
}

/// Why nobody calls a customer by itself any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Exhausted {
    /// They were tried as often as the table says.
    Tried,
    /// There is no such number.
    Invalid,
    /// The time at which they may be called is over.
    TooLate,
    /// Its queue makes no callbacks any more.
    NoCallbacks,
}

impl Exhausted {
    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tried => "exhausted",
            Self::Invalid => "invalid_number",
            Self::TooLate => "window_over",
            Self::NoCallbacks => "no_callbacks",
        }
    }
}

impl Callback {
    /// The customer is not on the line: they wait for our call.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        !matches!(self.phase, Phase::OnLine | Phase::Done)
    }

    /// It stands in line.
    #[must_use]
    pub const fn is_in_line(&self) -> bool {
        matches!(self.phase, Phase::Patient { .. } | Phase::Pressing { .. })
    }

    /// It will still be called by itself.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::OnLine | Phase::Done | Phase::Exhausted(_))
    }

    /// When the customer may be called, now or next; none if never again.
    #[must_use]
    pub fn window(&self, at: EngineTime) -> Option<Window> {
        let last = self.until.unwrap_or(EngineTime(u64::MAX));
        let always = Window { from: at, until: last };
        let open = self.hours.map_or(always, |hours| hours.at(at));
        let window = Window { from: open.from.max(at), until: open.until.min(last) };
        (window.from < window.until).then_some(window)
    }

    /// When something is due while it waits for our call.
    #[must_use]
    pub const fn wakes(&self) -> Option<EngineTime> {
        match self.phase {
            Phase::Held { until } | Phase::OffHours { until } => Some(until),
            Phase::Patient { check } => Some(check),
            Phase::Pressing { until } => until,
            Phase::OnLine | Phase::Done | Phase::Exhausted(_) => None,
        }
    }

    /// The slot by whose end it is promised.
    pub(crate) fn slot(&self) -> Option<u64> {
        self.due.map(|due| slot_of(due - Span(1)))
    }
}

/// The slot that a moment is in.
#[must_use]
pub const fn slot_of(at: EngineTime) -> u64 {
    at.0 / SLOT.0
}

/// How a queue's callbacks stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CallbackCounts {
    /// Not yet in line.
    pub held: u32,
    /// In line behind those who wait on the line.
    pub patient: u32,
    /// In line by their places.
    pub pressing: u32,
    /// Held for an agent who is asked.
    pub reserved: u32,
    /// Being dialled, an agent each.
    pub dialling: u32,
    /// For a supervisor.
    pub exhausted: u32,
}

/// The class of service of a contact whose callback is in a phase: with time left it is owed
/// an answer, not awaited by the minute. Safety is always safety.
pub(crate) fn service(c: &Contact, phase: Phase) -> ServiceClass {
    match (c.service, phase) {
        (ServiceClass::Safety, _) => ServiceClass::Safety,
        (_, Phase::Patient { .. }) => ServiceClass::Async,
        _ => c.channel.service(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(h: u64, min: u64) -> EngineTime {
        EngineTime::ZERO + Span::seconds(3600 * h + 60 * min)
    }

    #[test]
    fn hours_come_again_every_day_on_both_sides_of_the_one_that_was_given() {
        let hours = CallHours { from: at(33, 0), lasting: Span::seconds(8 * 3600) };
        // 9 to 17 o'clock of every day.
        for (now, from, until) in [
            (at(33, 0), at(33, 0), at(41, 0)),
            (at(34, 30), at(33, 0), at(41, 0)),
            (at(41, 0), at(57, 0), at(65, 0)),
            (at(8, 59), at(9, 0), at(17, 0)),
            (at(10, 0), at(9, 0), at(17, 0)),
            (at(60, 0), at(57, 0), at(65, 0)),
        ] {
            assert_eq!(hours.at(now), Window { from, until }, "{now:?}");
        }
        let always = CallHours { from: at(5, 0), lasting: DAY };
        assert_eq!(always.at(at(7, 0)), Window { from: at(5, 0), until: at(29, 0) });
    }

    #[test]
    fn nobody_is_called_outside_their_hours_or_after_their_window() {
        let hours = Some(CallHours { from: at(9, 0), lasting: Span::seconds(8 * 3600) });
        let callback = Callback {
            kind: CallbackKind::Place,
            promise: PromiseId(1),
            asked: at(1, 0),
            due: None,
            until: Some(at(34, 0)),
            hours,
            phase: Phase::Held { until: at(9, 0) },
            tried: [0; 6],
            first: None,
            policy: Arc::default(),
            ordered: false,
            tier: None,
        };
        let window = |now| callback.window(now).map(|w| (w.from, w.until));
        assert_eq!(window(at(8, 0)), Some((at(9, 0), at(17, 0))));
        assert_eq!(window(at(12, 0)), Some((at(12, 0), at(17, 0))));
        assert_eq!(window(at(20, 0)), Some((at(33, 0), at(34, 0))), "the last hour of it");
        assert_eq!(window(at(34, 0)), None);
    }
}
