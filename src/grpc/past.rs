//! What is long over: read from the archive, when the replica no longer has it.

use std::path::PathBuf;
use std::time::Duration;

use tonic::Status;

use crate::archive::{ArchiveError, Asks, Ended, FeedbackAsked, FeedbackRow, Known, Reader};
use crate::ids::{ContactId, CustomerId};
use crate::shard::view::TimelineItem;

/// How long a caller waits for the archive.
const PATIENCE: Duration = Duration::from_secs(5);

/// The archive as the services have it.
#[derive(Clone, Debug)]
pub struct Past {
    /// Reads it.
    pub reader: Reader,
    /// Asks its thread.
    pub asks: Asks,
    /// The data directory, where holds are.
    pub data: PathBuf,
}

impl Past {
    /// A contact's story as the archive has it.
    pub(super) async fn timeline(&self, contact: ContactId) -> Result<Vec<TimelineItem>, Status> {
        match self.reader.timeline(contact).await {
            // Of a router that has just begun.
            Err(ArchiveError::Missing { .. }) => Ok(Vec::new()),
            read => read.map_err(unavailable),
        }
    }

    /// What the archive knows of a contact that is over, everything that is durable now included.
    pub(super) async fn ended(&self, contact: ContactId) -> Result<Option<Ended>, Status> {
        self.caught_up().await?;
        self.reader.ended(contact).await.map_err(unavailable)
    }

    /// The contacts of a thread, as far as the archive has them: a contact is shown without.
    pub(super) async fn thread(&self, contact: ContactId) -> Vec<u64> {
        match self.reader.thread(contact).await {
            Ok(thread) => thread,
            Err(ArchiveError::Missing { .. }) => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "the archive could not be asked for a thread");
                Vec::new()
            }
        }
    }

    /// What customers think, everything that is durable now included.
    pub(super) async fn feedback(&self, asked: FeedbackAsked) -> Result<Vec<FeedbackRow>, Status> {
        self.caught_up().await?;
        self.reader.feedback(asked).await.map_err(unavailable)
    }

    async fn caught_up(&self) -> Result<(), Status> {
        let asks = self.asks.clone();
        let caught_up = tokio::task::spawn_blocking(move || asks.catch_up(PATIENCE)).await;
        caught_up.unwrap_or(Err(ArchiveError::Interrupted)).map(drop).map_err(unavailable)
    }

    /// What the archive knows of a customer, everything that is durable now included.
    pub(super) async fn customer(&self, customer: CustomerId) -> Result<Known, Status> {
        self.caught_up().await?;
        self.reader.customer(customer).await.map_err(unavailable)
    }

    /// Takes out of the archive what is sealed of a customer. Blocks.
    pub(super) fn forget(&self, customer: CustomerId) -> Result<usize, ArchiveError> {
        self.asks.forget(customer, PATIENCE)
    }
}

/// The archive's failures are the router's to log; a caller is told to look there.
pub(super) fn unavailable(error: ArchiveError) -> Status {
    tracing::warn!(%error, "the archive could not be asked");
    Status::unavailable("the archive cannot be asked now: the router's log says why; try again")
}
