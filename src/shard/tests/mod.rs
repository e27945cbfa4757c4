//! Tests of the shard as a whole, over a journal in memory that can be held and broken.

mod bench;
mod order;
mod restart;
mod statistics;
