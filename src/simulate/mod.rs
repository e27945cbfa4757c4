//! The simulator: the real engine under a virtual clock.
//!
//! A [`Scenario`] says who comes when, who works when and what on-call staff do; a run tells
//! [`crate::engine::Engine`] what gateways, agents and on-call staff would, and counts what
//! becomes of everyone. Nothing that the engine decides is decided here again, and nothing
//! here is IO but reading a scenario's files. `docs/simulate.md` has the format.

mod arrivals;
mod chance;
mod effects;
mod error;
mod estimates;
mod figures;
mod outcome;
mod page;
mod people;
mod plans;
pub mod reference;
mod scenario;
mod surge;
mod tally;
#[cfg(test)]
mod tests;
mod tiers;
mod world;
mod written;

pub use error::SimulateError;
pub use figures::{Figure, Measure, Unit};
pub use outcome::{Occupancy, Outcome, Progress, Scope, simulate};
pub use page::html;
pub use scenario::Scenario;
pub use surge::Tiers;
