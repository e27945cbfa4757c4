//! `surgeline feedback list`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::args::Router;
use super::client::{pages, supervisor};
use super::out::{Table, Text, put};
use super::words::{moment, word};
use crate::pb::v1::{FeedbackRow, ListFeedbackRequest};

/// What customers think.
#[derive(Subcommand, Debug)]
pub enum FeedbackCommand {
    /// List scores and words, the newest first, personal data included
    #[command(
        after_help = "Example:\n  surgeline feedback list --queue support --below 5 --json\n\nOf a contact and channel only the newest counts. Scores are on the scale that their gateway says, --below on the one of 0 to 10."
    )]
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        router: Router,
        /// Only about contacts of this queue
        #[arg(long, value_name = "QUEUE")]
        queue: Option<String>,
        /// Only with a score below this, on the scale of 0 to 10
        #[arg(long, value_name = "SCORE")]
        below: Option<f64>,
        /// One JSON array instead of a table
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: FeedbackCommand) -> anyhow::Result<ExitCode> {
    let FeedbackCommand::List { router, queue, below, json } = command;
    let client = supervisor(&router).await?;
    let queue = queue.unwrap_or_default();
    let rows = pages(|page_token| {
        let (mut client, queue) = (client.clone(), queue.clone());
        async move {
            let request = ListFeedbackRequest { queue, below, page_token, ..Default::default() };
            let page = client.list_feedback(request).await?.into_inner();
            Ok((page.feedback, page.next_page_token))
        }
    })
    .await?;
    put(&if json { Text::json(&Value::from_iter(rows.iter().map(row))) } else { listed(&rows) })?;
    Ok(ExitCode::SUCCESS)
}

fn listed(rows: &[FeedbackRow]) -> Text {
    let mut text = Text::default();
    if rows.is_empty() {
        text.line("", "nobody said anything");
        return text;
    }
    let header = ["WHEN", "CONTACT", "QUEUE", "CHANNEL", "SCORE", "WORDS"];
    let mut table = Table::new(&header, &[1, 4], 2);
    for row in rows {
        let score = row.score.map(|score| format!("{score}/{}", row.scale));
        table.row([
            moment(row.at_unix_ms),
            row.contact_id.to_string(),
            row.queue.clone(),
            word(row.channel().as_str_name(), "CHANNEL_"),
            score.unwrap_or_else(|| "-".to_owned()),
            row.words.replace('\n', " "),
        ]);
    }
    text.lines(&table.lines());
    text
}

fn row(row: &FeedbackRow) -> Value {
    json!({
        "contact_id": row.contact_id,
        "queue": row.queue,
        "channel": word(row.channel().as_str_name(), "CHANNEL_"),
        "gateway": row.gateway,
        "at_unix_ms": row.at_unix_ms,
        "score": row.score,
        "scale": row.scale,
        "words": row.words,
    })
}
