//! Speaking with a running router over gRPC, for the subcommands that look at one.

use std::time::Duration;

use thiserror::Error;
use tonic::transport::{Channel, Endpoint};

use super::args::Router;
use crate::pb::v1::admin_service_client::AdminServiceClient;
use crate::pb::v1::supervisor_service_client::SupervisorServiceClient;

/// Most bytes of one answer: a full page of rows is well below it.
const MOST_ANSWER: usize = 8 * 1024 * 1024;

/// Most bytes of an answer that are received and not read: a reader that stops stops the
/// router, before HTTP/2 on this side takes many small messages for an attack.
const STREAM_WINDOW: u32 = 256 * 1024;

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
    /// Something answers there that is no router.
    #[error(
        "what answers there speaks no gRPC: name the router's gRPC address with --router \
         (127.0.0.1:50051 by default; 9464 is for HTTP)"
    )]
    NotGrpc,
    /// The router went away in the middle.
    #[error("the router stopped")]
    Stopped,
    /// The router said no.
    #[error("the router refused: {}", .0.message())]
    Refused(tonic::Status),
}

impl ClientError {
    /// What the end of a stream means that goes on until somebody ends it.
    pub(super) fn watching(status: tonic::Status) -> Self {
        match Self::from(status) {
            Self::Refused(status) if status.code() == tonic::Code::Unavailable => Self::Stopped,
            other => other,
        }
    }
}

// By hand, so that the status is not told a second time as a source.
impl From<tonic::Status> for ClientError {
    fn from(status: tonic::Status) -> Self {
        // tonic's words for an answer that is HTTP and nothing more.
        if status.message().starts_with("grpc-status header missing") {
            return Self::NotGrpc;
        }
        // Only what went wrong on the way has a source; a refusal came whole.
        if std::error::Error::source(&status).is_some() {
            Self::Stopped
        } else {
            Self::Refused(status)
        }
    }
}

/// Connects to a router's gRPC address.
///
/// # Errors
/// [`ClientError::Address`] and [`ClientError::Unreachable`].
pub async fn connect(address: &str) -> Result<Channel, ClientError> {
    endpoint(address)?
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .connect()
        .await
        .map_err(|source| ClientError::Unreachable { address: address.into(), source })
}

/// What was typed, if it names a host and a port and nothing else.
fn endpoint(address: &str) -> Result<Endpoint, ClientError> {
    let wrong = || ClientError::Address { address: address.into() };
    let bare = address.strip_prefix("http://").unwrap_or(address);
    let endpoint = Endpoint::from_shared(format!("http://{bare}")).map_err(|_| wrong())?;
    let uri = endpoint.uri();
    // Without a port HTTP's own would be taken, where no router is.
    let whole = uri.host().is_some_and(|host| !host.is_empty())
        && uri.port_u16().is_some_and(|port| port != 0)
        && uri.path() == "/"
        && uri.query().is_none();
    if whole { Ok(endpoint) } else { Err(wrong()) }
}

/// Every row of a listing: asks for one page after the other, each with the token of the
/// one before.
pub(super) async fn pages<R, F>(mut ask: impl FnMut(String) -> F) -> Result<Vec<R>, ClientError>
where
    F: Future<Output = Result<(Vec<R>, String), tonic::Status>>,
{
    let (mut rows, mut token) = (Vec::new(), String::new());
    loop {
        let (page, next) = ask(token).await?;
        rows.extend(page);
        if next.is_empty() {
            return Ok(rows);
        }
        token = next;
    }
}

/// Connects as a supervisor.
pub(super) async fn supervisor(
    router: &Router,
) -> Result<SupervisorServiceClient<Channel>, ClientError> {
    let channel = connect(&router.router).await?;
    Ok(SupervisorServiceClient::new(channel).max_decoding_message_size(MOST_ANSWER))
}

/// Connects as an administrator.
pub(super) async fn admin(router: &Router) -> Result<AdminServiceClient<Channel>, ClientError> {
    let channel = connect(&router.router).await?;
    Ok(AdminServiceClient::new(channel).max_decoding_message_size(MOST_ANSWER))
}

/// Runs one command's conversation on this thread.
pub(super) fn block_on<T>(
    conversation: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(conversation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["127.0.0.1:50051", "[::1]:50051", "router.local:1", "http://localhost:50051"] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        let bad = [
            "foo",
            "127.0.0.1",
            ":50051",
            "",
            "a b:1",
            "host:0",
            "host:99999",
            "host:1/path",
            "https://host:1",
            "[::1]",
        ];
        for bad in bad {
            assert!(matches!(endpoint(bad), Err(ClientError::Address { .. })), "{bad}");
        }
    }

    #[tokio::test]
    async fn pages_are_asked_for_until_the_last() {
        let mut asked = Vec::new();
        let rows = pages(|token| {
            asked.push(token.clone());
            let page = match token.as_str() {
                "" => (vec![1, 2], "2".to_owned()),
                _ => (vec![3], String::new()),
            };
            std::future::ready(Ok(page))
        });
        assert_eq!(rows.await.unwrap(), [1, 2, 3]);
        assert_eq!(asked, ["", "2"]);
    }

    #[test]
    fn what_a_status_means() {
        use tonic::{Code, Status};
        let http = Status::new(
            Code::Unimplemented,
            "grpc-status header missing, mapped from HTTP status code 404",
        );
        assert!(matches!(ClientError::from(http), ClientError::NotGrpc));
        let busy = || Status::new(Code::Unavailable, "the router is stopping");
        assert!(matches!(ClientError::from(busy()), ClientError::Refused(_)));
        assert!(matches!(ClientError::watching(busy()), ClientError::Stopped));
        let broken = Status::from_error(Box::new(std::io::Error::other("h2")));
        assert!(matches!(ClientError::from(broken), ClientError::Stopped));
        let gone = Status::not_found("no contact 7");
        assert!(matches!(ClientError::watching(gone), ClientError::Refused(_)));
    }
}
