//! Real load for a surgeline router, over real gRPC.
//!
//! Contacts come on a schedule that does not wait for answers, live whole lives over
//! multiplexed streams, and are measured from when they were due. What the machine can do
//! without a router is measured in the same run. `docs/loadtest.md` is for who runs it.
//!
//! It speaks to the router through the public contract alone, also when it has started the
//! router itself.

mod agenda;
pub mod args;
mod arrival;
pub mod bare;
pub mod book;
mod centre;
pub mod conduct;
mod desktop;
mod elsewhere;
pub mod error;
mod gateway;
mod monitor;
mod oncall;
mod pacer;
pub mod recall;
pub mod reload;
pub mod report;
mod router;
pub mod scenario;
pub mod schedule;
mod served;
mod shared;
mod stage;
