//! `surgeline callback`, `surgeline promise` and `surgeline recovery`: what is owed to customers.
//!
//! It shows what the router keeps, and gives the orders that a supervisor gives about one of
//! them. Callbacks and promises are made in a contact, by gateways and agents, not here.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::args::Router;
use super::client::{ClientError, connect, pages};
use super::order::{Signed, done};
use super::out::{Table, Text, put};
use super::recall::request_id;
use super::words::{length, moment, word};
use crate::pb::v1;
use crate::pb::v1::change_recovery_request::Change;
use crate::pb::v1::owed_service_client::OwedServiceClient;

/// Customers who are to be called back.
#[derive(Subcommand, Debug)]
pub enum CallbackCommand {
    /// List contacts that are to be called back
    #[command(after_help = "Example:\n  surgeline callback list --exhausted")]
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        shown: Shown,
        /// Only of this queue
        #[arg(long, value_name = "QUEUE")]
        queue: Option<String>,
        /// Only those that nobody calls by itself any more
        #[arg(long)]
        exhausted: bool,
    },
    /// Have one called at once, also one whom nobody reached
    #[command(
        after_help = "Example:\n  surgeline callback now 4711 --agent anne --why \"asked for it by letter\""
    )]
    Now {
        /// The contact's id
        id: u64,
        /// Who has it first [default: anybody]
        #[arg(long, value_name = "AGENT")]
        agent: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs)]
        signed: Signed,
    },
}

/// What was promised to customers.
#[derive(Subcommand, Debug)]
pub enum PromiseCommand {
    /// List promises that are neither kept nor broken, and how all came out
    #[command(after_help = "Example:\n  surgeline promise list --late --json")]
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        shown: Shown,
        /// Only those that are late
        #[arg(long)]
        late: bool,
    },
    /// Say that one is kept, by whatever means, or given up
    #[command(
        after_help = "Example:\n  surgeline promise end 12 --kept --why \"she called us first\""
    )]
    End {
        /// Its id
        id: u64,
        /// It is kept; without this it is given up, and counts as broken
        #[arg(long)]
        kept: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        signed: Signed,
    },
}

/// Work to make good.
#[derive(Subcommand, Debug)]
pub enum RecoveryCommand {
    /// List work that is not done
    #[command(after_help = "Example:\n  surgeline recovery list --overdue")]
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        shown: Shown,
        /// Only what is overdue
        #[arg(long)]
        overdue: bool,
    },
    /// Have somebody else lead it
    #[command(
        after_help = "Example:\n  surgeline recovery lead 3 --to anne --why \"she knows them\""
    )]
    Lead {
        /// Its id
        id: u64,
        /// Who leads from now on
        #[arg(long, value_name = "AGENT")]
        to: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        signed: Signed,
    },
    /// Approve a remedy beyond its owner's authority
    #[command(after_help = "Example:\n  surgeline recovery approve 3 --why \"it was our mistake\"")]
    Approve {
        /// Its id
        id: u64,
        #[command(flatten)]
        #[allow(missing_docs)]
        signed: Signed,
    },
    /// Say that it is done
    #[command(after_help = "Example:\n  surgeline recovery done 3 --why refunded")]
    Done {
        /// Its id
        id: u64,
        #[command(flatten)]
        #[allow(missing_docs)]
        signed: Signed,
    },
}

/// How a listing looks, and whose it is.
#[derive(Args, Clone, Debug)]
pub struct Shown {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub router: Router,
    /// One JSON array instead of a table
    #[arg(long)]
    pub json: bool,
}

type Client = OwedServiceClient<Channel>;

async fn client(router: &Router) -> Result<Client, ClientError> {
    Ok(OwedServiceClient::new(connect(&router.router).await?))
}

pub(super) async fn callback(command: CallbackCommand) -> anyhow::Result<ExitCode> {
    match command {
        CallbackCommand::List { shown, queue, exhausted } => {
            callbacks(&shown, &queue.unwrap_or_default(), exhausted).await
        }
        CallbackCommand::Now { id, agent, signed } => {
            let request = v1::CallNowRequest {
                request_id: request_id(),
                actor: signed.actor,
                why: signed.why,
                contact_id: id,
                agent: agent.unwrap_or_default(),
            };
            let mut client = client(&signed.router).await?;
            client.call_now(request).await.map_err(ClientError::from)?;
            done(&format!("contact {id} is called as soon as an agent takes it"))
        }
    }
}

async fn callbacks(shown: &Shown, queue: &str, exhausted: bool) -> anyhow::Result<ExitCode> {
    let client = client(&shown.router).await?;
    let rows = pages(|page_token| {
        let (mut client, queue) = (client.clone(), queue.to_owned());
        async move {
            let asked =
                v1::ListCallbacksRequest { queue, exhausted, page_token, ..Default::default() };
            let page = client.list_callbacks(asked).await?.into_inner();
            Ok((page.callbacks, page.next_page_token))
        }
    })
    .await?;
    let json = || rows.iter().map(callback_row).collect();
    let header =
        ["CONTACT", "QUEUE", "KIND", "PHASE", "DUE", "WAITED", "TRIES", "AGENT", "PROMISE"];
    let cells = |row: &v1::CallbackRow| {
        vec![
            row.contact_id.to_string(),
            row.queue.clone(),
            word(row.kind().as_str_name(), "CALLBACK_KIND_"),
            word(row.phase().as_str_name(), "CALLBACK_PHASE_"),
            due(row.due_unix_ms, row.late),
            length(row.waited_ms),
            tries(row),
            named(&row.agent),
            row.promise_id.to_string(),
        ]
    };
    let text =
        || listed(&header, &[0, 5, 8], rows.iter().map(cells), "nobody is to be called back");
    show(shown, json, text)
}

fn tries(row: &v1::CallbackRow) -> String {
    match &row.outcomes[..] {
        [] => row.tries.to_string(),
        outcomes => format!("{} ({})", row.tries, outcomes.join(", ")),
    }
}

fn callback_row(row: &v1::CallbackRow) -> Value {
    json!({
        "contact_id": row.contact_id,
        "promise_id": row.promise_id,
        "queue": row.queue,
        "kind": word(row.kind().as_str_name(), "CALLBACK_KIND_"),
        "phase": word(row.phase().as_str_name(), "CALLBACK_PHASE_"),
        "due_unix_ms": row.due_unix_ms,
        "waited_ms": row.waited_ms,
        "wakes_in_ms": row.wakes_in_ms,
        "tries": row.tries,
        "outcomes": row.outcomes,
        "agent": row.agent,
        "late": row.late,
    })
}

pub(super) async fn promise(command: PromiseCommand) -> anyhow::Result<ExitCode> {
    match command {
        PromiseCommand::List { shown, late } => promises(&shown, late).await,
        PromiseCommand::End { id, kept, signed } => {
            let request = v1::EndPromiseRequest {
                request_id: request_id(),
                actor: signed.actor,
                why: signed.why,
                promise_id: id,
                kept,
            };
            let mut client = client(&signed.router).await?;
            client.end_promise(request).await.map_err(ClientError::from)?;
            done(&format!("promise {id} is {}", if kept { "kept" } else { "given up" }))
        }
    }
}

async fn promises(shown: &Shown, late: bool) -> anyhow::Result<ExitCode> {
    let client = client(&shown.router).await?;
    let counts = std::cell::RefCell::new(Vec::new());
    let rows = pages(|page_token| {
        let (mut client, counts) = (client.clone(), &counts);
        async move {
            let asked = v1::ListPromisesRequest { late, page_token, ..Default::default() };
            let page = client.list_promises(asked).await?.into_inner();
            counts.replace(page.counts);
            Ok((page.promises, page.next_page_token))
        }
    })
    .await?;
    let counts = counts.into_inner();
    let json = || rows.iter().map(promise_row).collect();
    let header = ["PROMISE", "CONTACT", "KIND", "OWNER", "DUE", "WORK"];
    let cells = |row: &v1::PromiseRow| {
        vec![
            row.promise_id.to_string(),
            row.contact_id.to_string(),
            word(row.kind().as_str_name(), "PROMISE_KIND_"),
            named(&row.owner),
            due(row.due_unix_ms, row.late),
            match row.working_contact_id {
                0 => format!("in {}", length(row.work_in_ms)),
                contact => format!("contact {contact}"),
            },
        ]
    };
    let text = || {
        let mut text = listed(&header, &[0, 1], rows.iter().map(cells), "nothing is promised");
        for of in counts.iter().filter(|of| of.made > 0) {
            let kind = word(of.kind().as_str_name(), "PROMISE_KIND_");
            let [made, kept, open, broken, late] = [of.made, of.kept, of.open, of.broken, of.late];
            let says =
                format!("{made} made, {kept} kept, {open} open, {broken} broken; {late} late");
            text.line(&format!("{kind}: "), &says);
        }
        text
    };
    show(shown, json, text)
}

fn promise_row(row: &v1::PromiseRow) -> Value {
    json!({
        "promise_id": row.promise_id,
        "contact_id": row.contact_id,
        "kind": word(row.kind().as_str_name(), "PROMISE_KIND_"),
        "owner": row.owner,
        "due_unix_ms": row.due_unix_ms,
        "working_contact_id": row.working_contact_id,
        "work_in_ms": row.work_in_ms,
        "late": row.late,
    })
}

pub(super) async fn recovery(command: RecoveryCommand) -> anyhow::Result<ExitCode> {
    let (id, signed, change, said) = match command {
        RecoveryCommand::List { shown, overdue } => return recoveries(&shown, overdue).await,
        RecoveryCommand::Lead { id, to, signed } => {
            let said = format!("recovery {id} is led by {to}");
            (id, signed, Change::Owner(to), said)
        }
        RecoveryCommand::Approve { id, signed } => {
            (id, signed, Change::Approved(true), format!("the remedy of recovery {id} is approved"))
        }
        RecoveryCommand::Done { id, signed } => {
            (id, signed, Change::Done(true), format!("recovery {id} is done"))
        }
    };
    let request = v1::ChangeRecoveryRequest {
        request_id: request_id(),
        actor: signed.actor,
        why: signed.why,
        recovery_id: id,
        change: Some(change),
    };
    let mut client = client(&signed.router).await?;
    client.change_recovery(request).await.map_err(ClientError::from)?;
    done(&said)
}

async fn recoveries(shown: &Shown, overdue: bool) -> anyhow::Result<ExitCode> {
    let client = client(&shown.router).await?;
    let rows = pages(|page_token| {
        let mut client = client.clone();
        async move {
            let asked = v1::ListRecoveriesRequest { overdue, page_token, ..Default::default() };
            let page = client.list_recoveries(asked).await?.into_inner();
            Ok((page.recoveries, page.next_page_token))
        }
    })
    .await?;
    let json = || rows.iter().map(recovery_row).collect();
    let header = ["RECOVERY", "CONTACT", "OWNER", "REMEDY", "APPROVED", "DUE"];
    let cells = |row: &v1::RecoveryRow| {
        vec![
            row.recovery_id.to_string(),
            row.contact_id.to_string(),
            row.owner.clone(),
            format!("{}.{:02}", row.remedy_cents / 100, row.remedy_cents % 100),
            if row.approved { "yes" } else { "no" }.to_owned(),
            due(row.due_unix_ms, row.overdue),
        ]
    };
    let text = || listed(&header, &[0, 1, 3], rows.iter().map(cells), "nothing is to be made good");
    show(shown, json, text)
}

fn recovery_row(row: &v1::RecoveryRow) -> Value {
    json!({
        "recovery_id": row.recovery_id,
        "contact_id": row.contact_id,
        "owner": row.owner,
        "due_soon": row.due_soon,
        "remedy_cents": row.remedy_cents,
        "approved": row.approved,
        "due_unix_ms": row.due_unix_ms,
        "overdue": row.overdue,
    })
}

/// By when, and that it is over.
fn due(unix_ms: u64, late: bool) -> String {
    let at = if unix_ms == 0 { "-".to_owned() } else { moment(unix_ms) };
    if late { format!("{at} late") } else { at }
}

fn named(name: &str) -> String {
    if name.is_empty() { "-" } else { name }.to_owned()
}

fn listed(
    header: &[&str],
    right: &[usize],
    rows: impl ExactSizeIterator<Item = Vec<String>>,
    none: &str,
) -> Text {
    let mut text = Text::default();
    if rows.len() == 0 {
        text.line("", none);
        return text;
    }
    let mut table = Table::new(header, right, 2);
    rows.for_each(|row| table.row(row));
    text.lines(&table.lines());
    text
}

fn show(
    shown: &Shown,
    json: impl FnOnce() -> Value,
    text: impl FnOnce() -> Text,
) -> anyhow::Result<ExitCode> {
    put(&if shown.json { Text::json(&json()) } else { text() })?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_says_so_and_what_has_no_time_too() {
        assert_eq!(due(0, false), "-");
        assert_eq!(due(0, true), "- late");
        assert_eq!(due(1_000, true), "1970-01-01T00:00:01.000Z late");
    }

    #[test]
    fn tries_are_told_with_how_they_ended() {
        let mut row = v1::CallbackRow { tries: 3, ..Default::default() };
        assert_eq!(tries(&row), "3");
        row.outcomes = vec!["busy 2".into(), "no_answer 1".into()];
        assert_eq!(tries(&row), "3 (busy 2, no_answer 1)");
    }

    #[test]
    fn an_empty_list_is_said_in_words() {
        let none = listed(&["A"], &[], std::iter::empty::<Vec<String>>(), "nothing");
        assert!(none.as_str().contains("nothing"));
        let one = listed(&["A"], &[], [vec!["x".to_owned()]].into_iter(), "nothing");
        assert!(one.as_str().contains('x') && !one.as_str().contains("nothing"));
    }
}
