//! Surgeline: a contact-center router for the day that a product is recalled.
//!
#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod archive;
pub mod background;
pub mod cli;
pub mod config;
pub mod descriptors;
pub mod engine;
pub mod fault;
pub mod grpc;
pub mod http;
pub mod ids;
pub mod journal;
pub mod metrics;
pub mod pager;
pub mod pb;
pub mod plots;
pub mod recall;
pub mod shard;
pub mod simulate;
pub mod space;
pub mod time;
