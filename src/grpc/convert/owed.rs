//! What is owed to customers, as the engine takes it: wall time becomes engine time here.
//!
//! People and calendars have wall time, the engine has its own; whatever is promised is
//! promised by the engine's. It decides nothing.

use super::super::status::Fault;
use super::super::unix_ms;
use super::{check, words};
use crate::engine::callback::{CallHours, Wanted, Window};
use crate::engine::command::{Pledge, Remedy};
use crate::ids::{AgentId, PromiseId, RecoveryId};
use crate::pb::v1;
use crate::shard::handle::{Directory, ShardHandle};
use crate::time::{EngineTime, Span};

/// A day: hours come again after it.
const DAY_MS: u64 = 86_400_000;

/// The same moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    now: EngineTime,
    unix_ms: u64,
}

impl When {
    /// Now.
    pub(crate) fn now(handle: &ShardHandle) -> Self {
        Self::at(handle.health().engine_now())
    }

    /// Now, where engine time is known.
    pub(crate) fn at(now: EngineTime) -> Self {
        Self { now, unix_ms: unix_ms() }
    }

    /// Engine time of a wall time.
    fn engine(self, unix_ms: u64) -> EngineTime {
        if unix_ms >= self.unix_ms {
            self.now + Span::millis(unix_ms - self.unix_ms)
        } else {
            self.now - Span::millis(self.unix_ms - unix_ms)
        }
    }

    /// How long it is until an engine time; nothing once it is over.
    pub(crate) fn until(self, at: EngineTime) -> Span {
        at.since(self.now)
    }

    /// Wall time of an engine time; 0 for none.
    pub(crate) fn wall(self, at: Option<EngineTime>) -> u64 {
        at.map_or(0, |at| match at >= self.now {
            true => self.unix_ms.saturating_add(at.since(self.now).as_millis()),
            false => self.unix_ms.saturating_sub(self.now.since(at).as_millis()),
        })
    }

    /// When a customer may be called, as asked.
    pub(crate) fn wanted(
        self,
        window: Option<v1::CallWindow>,
        hours: Option<v1::CallHours>,
    ) -> Result<Wanted, Fault> {
        let window = window.map(|w| Window {
            from: self.engine(w.from_unix_ms),
            until: self.engine(w.until_unix_ms),
        });
        Ok(Wanted { window, hours: self.hours(hours)? })
    }

    fn hours(self, hours: Option<v1::CallHours>) -> Result<Option<CallHours>, Fault> {
        let Some(hours) = hours else { return Ok(None) };
        let expected = "60000 to 86400000 ms";
        let lasting = check::span("hours.lasting_ms", hours.lasting_ms, 60_000..=DAY_MS, expected)?;
        // The router may be younger than the opening that was named: the next one is the same.
        let days = self.unix_ms.saturating_sub(hours.from_unix_ms).div_ceil(DAY_MS);
        let next = hours.from_unix_ms.saturating_add(days.saturating_mul(DAY_MS));
        Ok(Some(CallHours { from: self.engine(next), lasting }))
    }

    /// What is promised.
    pub(crate) fn pledge(self, names: &Directory, asked: v1::Pledge) -> Result<Pledge, Fault> {
        Ok(Pledge {
            contact: check::contact(asked.contact_id)?,
            kind: words::read_promise_kind(asked.kind)?,
            due: self.engine(asked.due_unix_ms),
            hours: self.hours(asked.hours)?,
            owner: owner(names, &asked.owner)?,
        })
    }

    /// Work to make good; its words are sealed elsewhere.
    pub(crate) fn remedy(self, names: &Directory, asked: &v1::Remedy) -> Result<Remedy, Fault> {
        Ok(Remedy {
            contact: check::contact(asked.contact_id)?,
            owner: owner(names, &asked.owner)?,
            cents: asked.cents,
            due: self.engine(asked.due_unix_ms),
        })
    }
}

fn owner(names: &Directory, name: &str) -> Result<Option<AgentId>, Fault> {
    if name.is_empty() { Ok(None) } else { check::agent(names, "owner", name).map(Some) }
}

/// The promise of an id.
pub(crate) fn promise(id: u64) -> Result<PromiseId, Fault> {
    if id == 0 { Err(Fault::Missing { field: "promise_id" }) } else { Ok(PromiseId(id)) }
}

/// The recovery of an id.
pub(crate) fn recovery(id: u64) -> Result<RecoveryId, Fault> {
    if id == 0 { Err(Fault::Missing { field: "recovery_id" }) } else { Ok(RecoveryId(id)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_becomes_engine_time_and_back() {
        let when = When { now: EngineTime(5_000_000), unix_ms: 1_000_000 };
        assert_eq!(when.engine(1_002_000), EngineTime(7_000_000));
        assert_eq!(when.engine(999_000), EngineTime(4_000_000));
        assert_eq!(when.engine(1), EngineTime::ZERO, "before the router's beginning");
        assert_eq!(when.wall(Some(EngineTime(7_000_000))), 1_002_000);
        assert_eq!(when.wall(Some(EngineTime(4_000_000))), 999_000);
        assert_eq!(when.wall(None), 0);
    }

    #[test]
    fn hours_of_another_day_are_the_same_hours() {
        let when = When { now: EngineTime(5_000_000), unix_ms: 10 * DAY_MS };
        let of = |from_unix_ms| {
            let hours = v1::CallHours { from_unix_ms, lasting_ms: 3_600_000 };
            when.hours(Some(hours)).expect("sound").expect("some").from
        };
        let next = EngineTime(5_000_000) + Span::seconds(3_600);
        assert_eq!(of(10 * DAY_MS + 3_600_000), next);
        assert_eq!(of(2 * DAY_MS + 3_600_000), next);
        let short = v1::CallHours { from_unix_ms: 0, lasting_ms: 1 };
        assert!(when.hours(Some(short)).is_err());
    }
}
