//! Why a load test could not be run. That a router did badly is not an error: it is in
//! the report.

use surgeline::app::AppError;
use surgeline::cli::client::ClientError;
use surgeline::config::ConfigError;
use thiserror::Error;

/// Why a load test could not be run to its end.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file or a socket of the load test's own.
    #[error("cannot {what}")]
    Io {
        /// Do what.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A histogram could not be made.
    #[error("a histogram cannot be made")]
    Histogram(#[from] hdrhistogram::CreationError),
    /// Two histograms could not be added.
    #[error("histograms cannot be added up")]
    Addition(#[from] hdrhistogram::AdditionError),
    /// The scenario's configuration is not one that the router takes.
    #[error("the router does not take the scenario's configuration")]
    Centre(#[from] ConfigError),
    /// The router in this process did not start or stop.
    #[error("the router in this process")]
    Router(#[from] AppError),
    /// The router could not be reached or asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A stream ended with an error.
    #[error("the router ended the stream of {who} {number}")]
    Stream {
        /// Whose: a gateway or a desktop.
        who: &'static str,
        /// Which, from 0.
        number: usize,
        /// How.
        source: Box<tonic::Status>,
    },
    /// A stream ended although nobody had ended it.
    #[error("the stream of {who} {number} ended before the run was over")]
    Ended {
        /// Whose: a gateway or a desktop.
        who: &'static str,
        /// Which, from 0.
        number: usize,
    },
    /// Agents could not sign in.
    #[error(
        "the router refused {agent} ({reason}): does its configuration match the scenario? \
         `surgeline-loadtest SCENARIO --print-config` prints the one that does"
    )]
    SignIn {
        /// Who.
        agent: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// Not all agents signed in within their time.
    #[error("agents were not all signed in and ready within a minute")]
    NotReady,
    /// A task panicked.
    #[error("a task of the load test panicked")]
    Panicked(#[from] tokio::task::JoinError),
    /// A picture could not be drawn.
    #[error(transparent)]
    Plot(#[from] surgeline::plots::PlotError),
    /// The report could not be made into JSON.
    #[error("the report cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}
