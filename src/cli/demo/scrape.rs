//! Reading the router's `/metrics`, as Prometheus would.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the page may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the metrics cannot be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScrapeError {
    /// The page could not be read.
    #[error("cannot read http://{address}/metrics")]
    Read {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The reading task did not end.
    #[error("reading /metrics was broken off")]
    Broken(#[from] tokio::task::JoinError),
    /// The router does not export a metric that the verdict needs.
    #[error("the router exports no {name}")]
    Missing {
        /// Which.
        name: &'static str,
    },
}

/// The page, as text.
#[derive(Clone, Debug, Default)]
pub(super) struct Scraped {
    text: String,
}

/// Reads the page once.
pub(super) async fn metrics(address: SocketAddr) -> Result<Scraped, ScrapeError> {
    let read = tokio::task::spawn_blocking(move || get(address)).await?;
    read.map(|text| Scraped { text }).map_err(|source| ScrapeError::Read { address, source })
}

fn get(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0, so that the answer comes whole and the connection ends with it.
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let ok = answer.split_whitespace().nth(1) == Some("200");
    match answer.split_once("\r\n\r\n") {
        Some((_, body)) if ok => Ok(body.to_owned()),
        _ => Err(io::Error::other(answer.lines().next().unwrap_or("no answer").to_owned())),
    }
}

impl Scraped {
    /// The sum of a metric over its labels, as a whole number: for counts.
    #[expect(clippy::cast_possible_truncation, reason = "counts, far below 2^53")]
    pub(super) fn count(&self, name: &'static str) -> Result<i64, ScrapeError> {
        let values = self.text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            // Otherwise it is a longer name that begins alike.
            rest.starts_with([' ', '{']).then_some(())?;
            rest.rsplit(' ').next()?.parse::<f64>().ok()
        });
        let found = values.fold(None, |sum, v| Some(sum.unwrap_or(0.0) + v));
        found.map(|sum| sum.round() as i64).ok_or(ScrapeError::Missing { name })
    }
}

#[cfg(test)]
impl Scraped {
    pub(super) fn of(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_labels_and_not_mistaken_for_a_longer_name() {
        let page = Scraped::of(
            "# TYPE a_total counter\na_total{x=\"1\"} 2\na_total{x=\"2\"} 3\na_total_more 9\nb -1\n",
        );
        assert_eq!(page.count("a_total").ok(), Some(5));
        assert_eq!(page.count("b").ok(), Some(-1));
        let missing = page.count("c").unwrap_err().to_string();
        assert_eq!(missing, "the router exports no c");
    }
}
