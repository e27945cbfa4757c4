//! Tests of the shard as a whole, over a journal in memory that can be held and broken.

pub(crate) mod bench;
mod order;
mod recall;
mod restart;
mod snapshot;
mod statistics;
mod told;
