//! What the engine's clock missed while the router was away: everything that was promised to
//! people by the clock on the wall moves as much earlier, so that 16:00 stays 16:00.
//!
//! Promises, callbacks, recoveries, kept places and openings of calendars. Not places in line,
//! nor what starts whole again or lasts by the router's own time. What is overdue by now the
//! next tick finds.

use super::super::Engine;
use super::super::callback::{CallHours, Callback, Phase, Window};
use super::super::hours::Hours;
use super::super::promise::{Promise, Recovery, Stage};
use super::super::recent::{KeptPlace, LastOfThread};
use crate::ids::ContactId;
use crate::time::{EngineTime, Span};

/// A day: customers may be called at the same hours of each.
const DAY: Span = Span::seconds(24 * 3600);

impl Engine {
    pub(super) fn missed(&mut self, by: Span) {
        if by == Span::ZERO {
            return;
        }
        let called: Vec<ContactId> =
            self.contacts().filter(|c| c.callback.is_some()).map(|c| c.id).collect();
        for contact in called {
            self.change(contact, |c| {
                if let Some(callback) = c.callback.as_deref_mut() {
                    *callback = callback_earlier(callback, by);
                }
            });
        }
        let promises: Vec<Promise> = self.owed.promises().values().copied().collect();
        for promise in promises {
            let promise = promise_earlier(&promise, by);
            let before = self.owed.put(promise);
            self.timers.move_promise(before.as_ref(), &promise);
        }
        let recoveries: Vec<Recovery> = self.owed.recoveries().values().copied().collect();
        for r in recoveries {
            let r = Recovery { opened: r.opened - by, due: r.due - by, ..r };
            let before = self.owed.put_recovery(r);
            self.timers.move_recovery(before.as_ref(), &r);
        }
        let counts = &mut self.owed.counts;
        counts.next_follow_up = counts.next_follow_up - by;
        counts.next_lost.values_mut().for_each(|turn| *turn = *turn - by);
        self.kept.each(|row| KeptPlace { until: row.until - by, ..row });
        self.threads.each(|row| LastOfThread { until: row.until - by, ..row });
        for hours in &mut self.hours {
            *hours = hours_earlier(hours, by);
        }
    }
}

fn callback_earlier(callback: &Callback, by: Span) -> Callback {
    let earlier = |at: Option<EngineTime>| at.map(|at| at - by);
    let phase = match callback.phase {
        Phase::Held { until } => Phase::Held { until: until - by },
        Phase::OffHours { until } => Phase::OffHours { until: until - by },
        Phase::Patient { check } => Phase::Patient { check: check - by },
        Phase::Pressing { until } => Phase::Pressing { until: earlier(until) },
        other @ (Phase::OnLine | Phase::Done | Phase::Exhausted(_)) => other,
    };
    let mut moved = callback.clone();
    moved.asked = callback.asked - by;
    moved.due = earlier(callback.due);
    moved.until = earlier(callback.until);
    moved.hours = callback.hours.map(|hours| daily_earlier(hours, by));
    moved.first = earlier(callback.first);
    moved.phase = phase;
    moved
}

fn promise_earlier(p: &Promise, by: Span) -> Promise {
    let stage = match p.stage {
        Stage::Waiting { until, turn } => Stage::Waiting { until: until - by, turn },
        other @ (Stage::Talking | Stage::Working(_) | Stage::Kept | Stage::Broken) => other,
    };
    let hours = p.hours.map(|hours| daily_earlier(hours, by));
    Promise { made: p.made - by, due: p.due.map(|due| due - by), hours, stage, ..*p }
}

/// They come again every day: the day that they are told by is never before the beginning.
fn daily_earlier(hours: CallHours, by: Span) -> CallHours {
    let days = Span(by.0.div_ceil(DAY.0).saturating_mul(DAY.0));
    CallHours { from: hours.from + days - by, ..hours }
}

fn hours_earlier(hours: &Hours, by: Span) -> Hours {
    let earlier = |w: &Window| {
        let until = if w.until.0 == u64::MAX { w.until } else { w.until - by };
        Window { from: w.from - by, until }
    };
    let ahead = hours.ahead.iter().map(earlier).filter(|w| w.from < w.until).collect();
    Hours { ahead, ..hours.clone() }
}
