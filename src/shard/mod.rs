//! The shard: one OS thread that owns one engine, its cheap handle, and the replica.

pub mod ask;
pub mod handle;
pub mod view;
