//! Speaking with a running router over gRPC, for the subcommands that look at one.

use std::process::ExitCode;
use std::time::Duration;

use thiserror::Error;
use tonic::transport::{Channel, Endpoint};

use super::args::Router;
use crate::pb::v1::supervisor_service_client::SupervisorServiceClient;

/// Most bytes of one answer: a full page of rows is well below it.
const MOST_ANSWER: usize = 8 * 1024 * 1024;

/// Why a router could not be asked.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The address cannot be one.
    #[error("{address:?} is not an address, expected HOST:PORT such as 127.0.0.1:50051")]
    Address {
        /// What was typed.
        address: Box<str>,
    },
    /// Nobody answers there.
    #[error(
        "no router answers at {address}: start one with `surgeline serve`, or name another \
         with --router"
    )]
    Unreachable {
        /// Where.
        address: Box<str>,
        /// Why.
        source: tonic::transport::Error,
    },
    /// The router said no.
    #[error("the router refused: {}", .0.message())]
    Refused(tonic::Status),
}

// By hand, so that the status is not told a second time as a source.
impl From<tonic::Status> for ClientError {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(status)
    }
}

/// Connects to a router's gRPC address.
///
/// # Errors
/// [`ClientError::Address`] and [`ClientError::Unreachable`].
pub async fn connect(address: &str) -> Result<Channel, ClientError> {
    let wrong = || ClientError::Address { address: address.into() };
    let uri =
        if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    Endpoint::from_shared(uri)
        .map_err(|_| wrong())?
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .connect()
        .await
        .map_err(|source| ClientError::Unreachable { address: address.into(), source })
}

/// Connects as a supervisor.
pub(super) async fn supervisor(
    router: &Router,
) -> Result<SupervisorServiceClient<Channel>, ClientError> {
    let channel = connect(&router.router).await?;
    Ok(SupervisorServiceClient::new(channel).max_decoding_message_size(MOST_ANSWER))
}

/// Runs one command's conversation on this thread.
pub(super) fn block_on(
    conversation: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(conversation)
}
