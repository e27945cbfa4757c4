//! What events about the life of a queue hold: its steps, its hours, what it tells.

use crate::engine::hours::Hours;
use crate::engine::stage::{Announced, Filing};
use crate::ids::{CalendarId, ContactId};
use crate::time::EngineTime;

/// A contact has waited so long that a step of its queue is taken. What it does beside this
/// follows in the same entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepTaken {
    /// Which step, counted from 1.
    pub step: u8,
    /// What the contact asks for now, and where it stands.
    pub filing: Filing,
}

/// A calendar opened, closed, or will do so at another time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoursChanged {
    /// Which.
    pub calendar: CalendarId,
    /// How it is now.
    pub now: Hours,
}

/// A customer in line is told their position and wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitAnnounced {
    /// Which contact.
    pub contact: ContactId,
    /// What they are told.
    pub told: Announced,
    /// When they are told again; none for never.
    pub next: Option<EngineTime>,
}
