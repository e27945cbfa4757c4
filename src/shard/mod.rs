//! The shard: one OS thread that owns one engine, its cheap handle, and the replica.
//!
//! ```text
//! handle -- ask --> owner -- batch, releases --> writer -- append --> journal
//!                     ^                            |  \-- releases --> sessions, callers
//!                     '-------- durable -----------'  \-- batch -----> replica <-- reads
//! ```
//!
//! It gives a pure engine its threads, its clock and its order: what is decided leaves
//! only once it is durable. It knows neither protobuf nor files nor metrics' names.

pub mod ask;
mod backlog;
mod batch;
pub mod calendar;
pub(crate) mod clock;
pub mod handle;
pub mod health;
pub mod observe;
mod outbox;
mod owner;
mod people;
pub mod recalls;
pub mod recovery;
pub mod reload;
mod replica;
pub mod roster;
mod sessions;
pub mod snapshots;
pub mod staffing;
mod tally;
#[cfg(test)]
mod testing;
#[cfg(test)]
pub(crate) mod tests;
mod threads;
pub mod view;
mod writer;
