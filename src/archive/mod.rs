//! The archive: the journal as SQL tables, for analysts and for what is long over.
//!
//! Owned by one thread of its own, which follows the journal from the place that its last
//! transaction holds. It never holds the router up: when it fails, the router goes on, and
//! it tries again. It decides nothing and is asked by nobody who decides; what it counts,
//! it counts as the replica does. `docs/archive.md` is for those who ask it.

mod aside;
mod audit;
mod care;
mod change;
mod cut;
mod detail;
mod error;
pub mod follow;
pub mod hold;
mod lost;
mod project;
mod read;
pub mod record;
mod retain;
mod rows;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod thread;
mod work;
mod write;

pub use audit::{Audited, verify as verify_audit};
pub use care::{Ended, FeedbackAsked, FeedbackRow};
pub use error::ArchiveError;
pub use read::{Answer, Known, Reader, Status, query, standing, status};
pub use retain::Reckoned;
pub use schema::path;
pub use store::Store;
pub use thread::{Archive, Asks, Options, Watch};
