//! Levels that are left free: looked at every few seconds, moved as the law says.
//!
//! Decides by [`law`] alone; what it looks at is measured by [`super::super::inflow`]. When it
//! looked last is part of the agenda, not state: another look at the same moment finds the same.

use super::super::Engine;
use super::super::event::Event;
use super::super::recall::control::{Bounds, LevelCause, Within};
use super::super::recall::{Level, law};
use super::super::refusal::Refusal;
use super::Turn;
use crate::ids::RecallId;
use crate::time::EngineTime;

/// What an order that frees a level calls its lowest and its highest.
#[derive(Clone, Copy, Debug)]
pub(super) struct BoundNames {
    lowest: &'static str,
    highest: &'static str,
    not_above: &'static str,
}

/// As a start calls them.
pub(super) const OF_START: BoundNames = BoundNames {
    lowest: "free.lowest",
    highest: "free.highest",
    not_above: "a level that is not above free.highest",
};

/// As an order calls them that frees the level of a recall in force.
const OF_LEVEL: BoundNames = BoundNames {
    lowest: "to.free.lowest",
    highest: "to.free.highest",
    not_above: "a level that is not above to.free.highest",
};

/// Whether a level may be left free between bounds, which the order calls so.
pub(super) fn check_bounds(bounds: Bounds, names: BoundNames) -> Result<(), Refusal> {
    let (field, expected) = match bounds {
        Bounds { highest, .. } if highest < Level::Elevated => {
            (names.highest, "ELEVATED, SURGE or CRITICAL")
        }
        Bounds { lowest, highest } if lowest > highest => (names.lowest, names.not_above),
        _ => return Ok(()),
    };
    Err(Refusal::OutOfRange { field, expected })
}

impl Engine {
    pub(super) fn check_free(&self, recall: RecallId, within: Within) -> Result<(), Refusal> {
        check_bounds(within.or(self.in_force(recall)?.plan.control().bounds), OF_LEVEL)
    }

    /// When a free level is to be looked at next, if there is any.
    pub(in crate::engine) fn next_look(&self) -> Option<EngineTime> {
        self.looks().map(|(due, _)| due).min()
    }

    /// When each free level is.
    fn looks(&self) -> impl Iterator<Item = (EngineTime, RecallId)> {
        let free = self.recalls.iter().filter(|r| !r.over && r.control.is_some());
        free.map(|r| {
            let looked = self.agenda.looked.get(&r.id).copied().unwrap_or(EngineTime::ZERO);
            let every = r.plan.control().look_every();
            // At the same moments on every engine that has the same clock.
            (EngineTime((looked.0 / every.0 + 1) * every.0), r.id)
        })
    }
}

impl Turn<'_> {
    /// Looks at one free level whose time it is: others have a turn before the next.
    pub(super) fn look_at_a_level(&mut self) {
        let Some((_, recall)) = self.engine.looks().min().filter(|(due, _)| *due <= self.at) else {
            return;
        };
        self.engine.agenda.looked.insert(recall, self.at);
        self.look_at_level(recall);
    }

    fn look_at_level(&mut self, id: RecallId) {
        let Some(recall) = self.engine.recall(id) else { return };
        let look = self.engine.look(recall, self.at);
        let plan = recall.plan.control();
        self.note_pressing(id, &look);
        let Some(recall) = self.engine.recall(id) else { return };
        let Some(control) = recall.control else { return };
        if let Some((to, cause)) = law::step(&plan, recall.level, &control, &look, self.at) {
            self.set_level(id, to, cause);
            self.note_pressing(id, &look);
        }
    }

    /// Remembers since when something presses or nothing does, if that is news.
    fn note_pressing(&mut self, id: RecallId, look: &law::Look) {
        let Some(recall) = self.engine.recall(id) else { return };
        let Some(control) = recall.control else { return };
        let plan = recall.plan.control();
        let pressing = law::pressing(&plan, &control.pressing, look, self.at);
        if pressing != control.pressing {
            self.emit(Event::LevelPressed { recall: id, pressing });
        }
    }

    /// Leaves a level free; one that is outside of the bounds moves into them at once.
    pub(super) fn free_level(&mut self, id: RecallId, within: Within) {
        let Some(recall) = self.engine.recall(id) else { return };
        let (level, bounds) = (recall.level, within.or(recall.plan.control().bounds));
        self.emit(Event::LevelFreed { recall: id, bounds });
        let to = bounds.nearest(level);
        if to != level {
            self.set_level(id, to, LevelCause::Bounds);
        }
    }

    /// Sets a level; those who wait are gone through by and by.
    pub(super) fn set_level(&mut self, recall: RecallId, level: Level, cause: LevelCause) {
        self.emit(Event::LevelChanged { recall, level, cause });
        self.walk_anew(recall, false);
    }
}
