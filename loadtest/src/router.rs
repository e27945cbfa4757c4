//! The router under load: one in this process, or one that runs elsewhere.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use surgeline::app::{App, AppConfig};
use surgeline::config;
use surgeline::config::journal::Config as JournalConfig;

use crate::error::LoadError;
use crate::oncall;
use crate::scenario::Scenario;

/// How long `/metrics` may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
pub(crate) struct Router {
    pub(crate) grpc: String,
    http: Option<SocketAddr>,
    app: Option<App>,
}

impl Router {
    /// Starts one with an empty journal in `data`.
    ///
    /// # Errors
    /// [`LoadError::Centre`] and [`LoadError::Router`].
    pub(crate) async fn start(scenario: &Scenario, data: &Path) -> Result<Self, LoadError> {
        let routing = config::parse("the scenario's centre", &scenario.centre())?.config.routing;
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let playbooks = data.join("playbooks");
        if let Some(recall) = &scenario.recall {
            oncall::write(recall, &playbooks)?;
        }
        let data: PathBuf = data.into();
        let app = App::start(AppConfig {
            page: config::page::Config::default(),
            grpc: any,
            http: any,
            receipt_key: data.join("receipt-key"),
            accept_older_copy: false,
            data,
            playbooks,
            journal: JournalConfig::default(),
            keep_days: 400,
            routing,
            source: surgeline::app::Source::default(),
            site: config::site::Config::default(),
        })
        .await?;
        Ok(Self {
            grpc: app.grpc_address().to_string(),
            http: Some(app.http_address()),
            app: Some(app),
        })
    }

    /// One that runs already. Without the address of its metrics nothing is known of
    /// double reservations.
    pub(crate) fn elsewhere(grpc: &str, http: Option<SocketAddr>) -> Self {
        Self { grpc: grpc.into(), http, app: None }
    }

    /// A metric's sum over its labels; none if metrics are not to be had.
    ///
    /// # Errors
    /// [`LoadError::Io`] when the page cannot be read.
    pub(crate) async fn metric(&self, name: &'static str) -> Result<Option<i64>, LoadError> {
        let Some(address) = self.http else { return Ok(None) };
        let page = tokio::task::spawn_blocking(move || get(address)).await?;
        let page = page.map_err(|source| LoadError::Io { what: "read /metrics", source })?;
        Ok(sum(&page, name))
    }

    /// Stops it, if it is in this process.
    ///
    /// # Errors
    /// [`LoadError::Router`].
    pub(crate) async fn stop(self) -> Result<(), LoadError> {
        match self.app {
            Some(app) => Ok(app.stop().await?),
            None => Ok(()),
        }
    }
}

fn get(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // HTTP/1.0, so that the answer comes whole and the connection ends with it.
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let page = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    page.ok_or_else(|| io::Error::other("no page came"))
}

#[expect(clippy::cast_possible_truncation, reason = "counts, far below 2^53")]
fn sum(page: &str, name: &str) -> Option<i64> {
    let values = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        // Otherwise it is a longer name that begins alike.
        rest.starts_with([' ', '{']).then_some(())?;
        rest.rsplit(' ').next()?.parse::<f64>().ok()
    });
    let found = values.fold(None, |sum, v| Some(sum.unwrap_or(0.0) + v));
    found.map(|sum| sum.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let page = "# TYPE a_total counter\na_total{x=\"1\"} 2\na_total{x=\"2\"} 3\na_total_x 9\n";
        assert_eq!(sum(page, "a_total"), Some(5));
        assert_eq!(sum(page, "b"), None);
    }
}
