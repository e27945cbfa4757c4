//! The server: all services on one listener, with every limit that tonic leaves open set.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, request};
use dashmap::DashMap;
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_web::GrpcWebLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::accept::{self, Doors};
use super::admin::Admins;
use super::agent::Agents;
use super::gateway::Gateways;
use super::owed::Owing;
use super::recall::Recalls;
use super::receipts::RECEIPT;
use super::supervisor::Supervisors;
use super::{Edge, Past};
use crate::pb::DESCRIPTORS;
use crate::pb::v1::admin_service_server::AdminServiceServer;
use crate::pb::v1::agent_service_server::AgentServiceServer;
use crate::pb::v1::gateway_service_server::GatewayServiceServer;
use crate::pb::v1::owed_service_server::OwedServiceServer;
use crate::pb::v1::recall_service_server::RecallServiceServer;
use crate::pb::v1::supervisor_service_server::SupervisorServiceServer;
use crate::recall::Folder;
use crate::shard::handle::ShardHandle;
use crate::shard::health::Health;

/// Most bytes of a message, either way.
const MESSAGE_BYTES: usize = 256 * 1024;
/// The same of administrators, who send whole configurations: 100,000 agents by name.
const CONFIG_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes of a request's headers.
const HEADER_BYTES: u32 = 8 * 1024;
/// Most calls and streams of one connection at once.
const STREAMS: u32 = 64;
/// Most bytes of a stream that are received and not read, and of all streams of a
/// connection. h2 takes many small frames unread for an attack: it adds up what each has
/// less than 256 bytes, and ends the whole connection at half of the latter. A client of a
/// stream that is read no further (1,024 unanswered) must be stopped long before that: here
/// it is at 64 KiB, some 2,000 small requests, which lack half a megabyte.
const WINDOWS: (u32, u32) = (64 * 1024, 16 * 1024 * 1024);
/// How long a call may take to begin answering; streams live on.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a silent connection is believed in before it is asked, and to answer that.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// How long streams have, once the router stops, to say their last and end.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long they have when the router cannot go on.
const LAST_GASP: Duration = Duration::from_millis(200);

/// The server could not be set up or went down.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The descriptors for reflection could not be read.
    #[error("the service descriptors cannot be read")]
    Descriptors(#[from] tonic_reflection::server::Error),
    /// The listener or the HTTP/2 server failed.
    #[error("the gRPC server failed")]
    Transport(#[from] tonic::transport::Error),
}

/// All services of a shard, with health and reflection; recalls are started from a folder of
/// playbooks. Streams end when `stopping` is
/// cancelled.
///
/// # Errors
/// [`ServeError::Descriptors`] when the descriptors that were built in cannot be read.
pub async fn services(
    handle: ShardHandle,
    playbooks: Folder,
    past: Past,
    stopping: CancellationToken,
) -> Result<Routes, ServeError> {
    let gateways = Arc::new(DashMap::new());
    let previews = Arc::default();
    let edge = Edge { handle, past, stopping, gateways, previews };
    macro_rules! bounded {
        ($server:ident, $service:expr) => {
            $server::new($service)
                .max_decoding_message_size(MESSAGE_BYTES)
                .max_encoding_message_size(MESSAGE_BYTES)
        };
    }
    let gateways = bounded!(GatewayServiceServer, Gateways(edge.clone()));
    let agents = bounded!(AgentServiceServer, Agents(edge.clone()));
    let supervisors = bounded!(SupervisorServiceServer, Supervisors(edge.clone()));
    let admins = AdminServiceServer::new(Admins(edge.clone()))
        .max_decoding_message_size(CONFIG_BYTES)
        .max_encoding_message_size(CONFIG_BYTES);
    let owing = bounded!(OwedServiceServer, Owing(edge.clone()));
    let recalls = Recalls { edge, playbooks: Arc::new(playbooks) };
    let recalls = bounded!(RecallServiceServer, recalls);

    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<GatewayServiceServer<Gateways>>().await;
    reporter.set_serving::<AgentServiceServer<Agents>>().await;
    reporter.set_serving::<SupervisorServiceServer<Supervisors>>().await;
    reporter.set_serving::<RecallServiceServer<Recalls>>().await;
    reporter.set_serving::<OwedServiceServer<Owing>>().await;
    reporter.set_serving::<AdminServiceServer<Admins>>().await;
    let described = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let reflection = described().build_v1()?;
    // Python's client and grpcurl before 1.9 know no other.
    let reflection_of_old = described().build_v1alpha()?;

    Ok(Routes::new(gateways)
        .add_service(agents)
        .add_service(supervisors)
        .add_service(recalls)
        .add_service(owing)
        .add_service(admins)
        .add_service(health)
        .add_service(reflection)
        .add_service(reflection_of_old)
        .prepare())
}

/// Serves a shard on a listener, with at most so many connections at once, until `shutdown`
/// completes; then streams are told, and connections have 5 seconds to end.
///
/// # Errors
/// [`ServeError`] when the server cannot be set up or its listener fails.
pub async fn serve(
    handle: ShardHandle,
    playbooks: Folder,
    past: Past,
    (listener, most): (TcpListener, usize),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let stopping = CancellationToken::new();
    // Whatever way this ends, the streams' own tasks end too.
    let _guard = stopping.clone().drop_guard();
    let health = Arc::clone(handle.health());
    let routes = services(handle, playbooks, past, stopping.clone()).await?;
    let incoming = accept::incoming(listener, Doors::of(most));
    let signal = async {
        shutdown.await;
        stopping.cancel();
    };
    let serving = Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(20))
        .http2_max_local_error_reset_streams(Some(64))
        .http2_keepalive_interval(Some(KEEPALIVE.0))
        .http2_keepalive_timeout(Some(KEEPALIVE.1))
        .timeout(CALL_TIMEOUT)
        .layer(cors())
        .layer(GrpcWebLayer::new())
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, signal);
    tokio::select! {
        served = serving => served?,
        // Clients that keep a connection open must not keep the router up.
        () = farewell(&stopping, &health) => {}
    }
    Ok(())
}

async fn farewell(stopping: &CancellationToken, health: &Health) {
    stopping.cancelled().await;
    tokio::select! {
        () = tokio::time::sleep(FAREWELL) => {}
        // Nothing is acknowledged any more: the sooner the next one starts, the better.
        _ = health.failed() => tokio::time::sleep(LAST_GASP).await,
    }
}

/// Lets pages from this machine call over gRPC-web. Pages from elsewhere would act with
/// whatever the person at the browser may do.
fn cors() -> CorsLayer {
    const GRPC: [&str; 4] = ["grpc-status", "grpc-message", "grpc-status-details-bin", RECEIPT];
    const ASKED: [&str; 6] =
        ["content-type", "x-grpc-web", "x-user-agent", "grpc-timeout", "authorization", RECEIPT];
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(|origin: &HeaderValue, _: &request::Parts| {
            origin.to_str().is_ok_and(is_local)
        }))
        .allow_methods([Method::POST])
        .allow_headers(ASKED.map(HeaderName::from_static))
        .expose_headers(GRPC.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3_600))
}

fn is_local(origin: &str) -> bool {
    let Some((_, rest)) = origin.split_once("://") else { return false };
    let port = |c: char| c.is_ascii_digit();
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
        rest.strip_prefix(host).is_some_and(|after| {
            after.is_empty() || after.strip_prefix(':').is_some_and(|p| p.chars().all(port))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_may_call() {
        let table = [
            ("http://localhost:9464", true),
            ("http://127.0.0.1", true),
            ("https://[::1]:8443", true),
            ("http://localhost.evil.example", false),
            ("http://127.0.0.1.evil.example:80", false),
            ("http://localhost:80@evil.example", false),
            ("https://evil.example", false),
            ("null", false),
        ];
        for (origin, local) in table {
            assert_eq!(is_local(origin), local, "{origin}");
        }
    }
}
