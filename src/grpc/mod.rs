//! The gRPC edge: protobuf to commands, answers and directives to protobuf.
//!
//! It owns connections and nothing else: what is asked goes to a shard through its handle,
//! and what is told comes out of an outbox that the shard fills. Protobuf types stop here.
//! It decides nothing about contacts, and keeps no state that a restart would miss.

mod accept;
mod admin;
mod agent;
mod agent_states;
mod auth;
mod bulk;
mod configs;
mod convert;
mod explain;
mod feedback;
mod gateway;
mod heard;
mod inspect;
mod intervals;
mod machine;
mod next;
mod owed;
mod past;
mod reading;
mod recall;
mod receipts;
mod recheck;
mod rows;
mod server;
mod status;
mod story;
mod stream;
mod supervisor;
#[cfg(test)]
mod tests;
mod waiting;
mod watch;
mod why;

use std::sync::Arc;
use std::time::SystemTime;

use dashmap::DashMap;
use tokio_util::sync::CancellationToken;

pub use past::Past;
pub use reading::WordsReader;
pub(crate) use recall::prepare_all;
pub use recheck::recheck;
pub use server::{ServeError, serve, services};

use crate::ids::GatewayId;
use crate::shard::handle::ShardHandle;

/// What every service holds on to.
#[derive(Clone, Debug)]
struct Edge {
    handle: ShardHandle,
    /// What is long over.
    past: Past,
    /// The router goes down: streams say so and end.
    stopping: CancellationToken,
    /// Gateways that made themselves known by a unary call. Ids are for ever, so that a
    /// name which was found need not be asked for again.
    gateways: Arc<DashMap<Arc<str>, GatewayId>>,
    /// What supervisors were shown and may order.
    previews: Arc<bulk::Previews>,
}

/// Milliseconds since the Unix epoch.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
