//! One attempt at delivering a page.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;

use tokio::sync::oneshot;

use crate::config::page::Config;

/// Why a page was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The other side answered, and did not take it.
    #[error("the webhook answered {0}")]
    Status(u16),
    /// It was not reached, or did not answer in time.
    #[error("the webhook was not reached: {0}")]
    Transport(Box<ureq::Error>),
    /// The file with the token cannot be read.
    #[error("the token in {} cannot be read: {source}", path.display())]
    Token {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The system gave no thread.
    #[error("no thread to send a page from: {0}")]
    Thread(std::io::Error),
    /// Nobody waits any more for whom people were called in.
    #[error("the page is no longer wanted")]
    Over,
    /// The attempt panicked.
    #[error("the attempt ended without a result")]
    Lost,
}

impl PageError {
    /// Another attempt may have another outcome.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => *status >= 500 || matches!(status, 408 | 425 | 429),
            Self::Transport(_) | Self::Token { .. } | Self::Thread(_) => true,
            Self::Over | Self::Lost => false,
        }
    }
}

/// Posts a page once, on a thread of its own: the router does not wait for one that hangs when
/// it is told to stop.
pub(super) async fn post(
    config: &Config,
    url: &str,
    key: &str,
    body: Arc<[u8]>,
) -> Result<(), PageError> {
    let token = config.token_file.as_deref().map(read_token).transpose()?;
    let timeout = std::time::Duration::from_millis(config.timeout.as_millis());
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        // A page that was sent elsewhere would be believed to have arrived.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build()
        .into();
    let mut request =
        agent.post(url).header("content-type", "application/json").header("idempotency-key", key);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let (done, outcome) = oneshot::channel();
    let send = move || {
        let answer = request.send(&*body).map_err(|e| PageError::Transport(Box::new(e)));
        let taken = answer.and_then(|answer| match answer.status().as_u16() {
            200..=299 => Ok(()),
            status => Err(PageError::Status(status)),
        });
        // Nobody waits any more: the router is stopping.
        let _ = done.send(taken);
    };
    Builder::new().name("page".into()).spawn(send).map_err(PageError::Thread)?;
    outcome.await.unwrap_or(Err(PageError::Lost))
}

fn read_token(path: &Path) -> Result<String, PageError> {
    let read = std::fs::read_to_string(path);
    let token = read.map_err(|source| PageError::Token { path: path.into(), source })?;
    Ok(token.trim().to_owned())
}
