//! What customers think of contacts, listed for supervisors from the archive.
//!
//! Scores are in clear; what customers wrote is unsealed here, unless its key was deleted.

use tonic::Status;

use super::Edge;
use super::convert::{check, person, words};
use super::rows::MOST_ROWS;
use super::status::Fault;
use crate::archive::{FeedbackAsked, FeedbackRow};
use crate::engine::words::Channel;
use crate::journal::seal::KeyStore;
use crate::pb::v1;

/// Rows of a page when nobody says how many: words are long.
const USUAL: u32 = 100;

/// The newest first. A page's token is the entry that its last row came with.
pub(super) async fn list(
    edge: &Edge,
    asked: v1::ListFeedbackRequest,
) -> Result<v1::ListFeedbackResponse, Status> {
    let queue = match &*asked.queue {
        "" => None,
        name => {
            check::queue(&edge.handle.directory(), "queue", name)?;
            Some(name.to_owned())
        }
    };
    let most = match asked.page_size {
        0 => USUAL,
        n if n <= MOST_ROWS => n,
        _ => return Err(Fault::Invalid { field: "page_size", expected: "1 to 500, or 0" }.into()),
    };
    let before = match &*asked.page_token {
        "" => None,
        token => Some(token.parse().map_err(|_| Fault::Invalid {
            field: "page_token",
            expected: "the next_page_token of an earlier answer",
        })?),
    };
    let below = asked.below.map(tenths).transpose()?;
    let most = usize::try_from(most).unwrap_or(1);
    // One more tells whether there is another page.
    let mut rows =
        edge.past.feedback(FeedbackAsked { queue, below, before, most: most + 1 }).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let last = rows.last().filter(|_| more).map(|row| row.sequence.to_string());
    let keys = edge.handle.keys();
    Ok(v1::ListFeedbackResponse {
        feedback: rows.into_iter().map(|row| told(keys, row)).collect(),
        next_page_token: last.unwrap_or_default(),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 101")]
fn tenths(below: f64) -> Result<u32, Fault> {
    if (0.0..=10.1).contains(&below) {
        Ok((below * 10.0).ceil() as u32)
    } else {
        Err(Fault::Invalid { field: "below", expected: "0 to 10, a score on that scale" })
    }
}

fn told(keys: &KeyStore, row: FeedbackRow) -> v1::FeedbackRow {
    let channel = Channel::ALL.into_iter().find(|c| c.name() == row.channel);
    let person = row.words.and_then(|sealed| person::unseal(keys, &sealed));
    v1::FeedbackRow {
        contact_id: row.contact,
        queue: row.queue.unwrap_or_default(),
        channel: channel.map_or(0, words::channel),
        gateway: row.gateway,
        at_unix_ms: row.at_ms,
        score: row.score,
        scale: row.scale,
        words: person.map(|p| p.words).unwrap_or_default(),
    }
}
