//! `surgeline contact pull|listen|stop-listening` and `surgeline agent sign-out`: orders about
//! one contact or one agent. Those about many contacts are in `bulk`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::args::Router;
use super::bulk::milliseconds;
use super::client::{ClientError, supervisor};
use super::out::{Text, put};
use super::recall::args::actor;
use super::recall::request_id;
use crate::pb::v1;

/// Who orders it, and why.
#[derive(Args, Clone, Debug)]
pub struct Signed {
    /// Why, in a sentence: it is kept for the audit
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Who you are: it is kept for the audit
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, value_parser = actor)]
    pub actor: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub router: Router,
}

/// Give a waiting contact to an agent.
#[derive(Args, Clone, Debug)]
pub struct Pull {
    /// Its id
    pub id: u64,
    /// The agent: at once if they are ready and have room, else it is kept for them
    #[arg(long, value_name = "AGENT")]
    pub to: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub signed: Signed,
}

/// Listen to a contact.
#[derive(Args, Clone, Debug)]
pub struct Listen {
    /// Its id
    pub id: u64,
    /// The name that the gateway reaches you by
    #[arg(long = "as", value_name = "NAME")]
    pub listener: String,
    /// Who hears you
    #[arg(long, value_enum, default_value_t = Heard::Nobody)]
    pub heard_by: Heard,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub signed: Signed,
}

/// Who hears a supervisor.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Heard {
    /// Monitor
    Nobody,
    /// Whisper
    Agent,
    /// Barge
    All,
}

/// Stop listening.
#[derive(Args, Clone, Debug)]
pub struct StopListening {
    /// The contact's id
    pub id: u64,
    /// The name that listens
    #[arg(long = "as", value_name = "NAME")]
    pub listener: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub signed: Signed,
}

/// Sign an agent out.
#[derive(Args, Clone, Debug)]
pub struct SignOut {
    /// Their name
    pub agent: String,
    /// After how long, to a day, such as at the end of their shift [default: now]
    #[arg(long, value_name = "TIME", value_parser = milliseconds, conflicts_with = "take_back")]
    pub after: Option<u64>,
    /// What becomes of what they have in hand
    #[arg(long, value_enum, required_unless_present = "take_back")]
    pub hands: Option<Hands>,
    /// Take such an order back instead
    #[arg(long, conflicts_with = "hands")]
    pub take_back: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub signed: Signed,
}

/// What becomes of what an agent has in hand.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Hands {
    /// They finish it, get nothing new, and are signed out then
    Finish,
    /// It goes back to its places, and they are signed out at once
    Requeue,
}

pub(super) async fn pull(asked: &Pull) -> anyhow::Result<ExitCode> {
    let request = v1::PullContactRequest {
        request_id: request_id(),
        actor: asked.signed.actor.clone(),
        why: asked.signed.why.clone(),
        contact_id: asked.id,
        agent: asked.to.clone(),
    };
    let mut client = supervisor(&asked.signed.router).await?;
    client.pull_contact(request).await.map_err(ClientError::from)?;
    done(&format!("contact {} goes to {}", asked.id, asked.to))
}

pub(super) async fn listen(asked: &Listen) -> anyhow::Result<ExitCode> {
    let part = match asked.heard_by {
        Heard::Nobody => v1::Part::Listens,
        Heard::Agent => v1::Part::Whispers,
        Heard::All => v1::Part::Talks,
    };
    let request = v1::ListenRequest {
        request_id: request_id(),
        actor: asked.signed.actor.clone(),
        why: asked.signed.why.clone(),
        contact_id: asked.id,
        listener: asked.listener.clone(),
        part: part.into(),
    };
    let mut client = supervisor(&asked.signed.router).await?;
    client.listen(request).await.map_err(ClientError::from)?;
    done(&format!("the gateway is asked to bring {} onto contact {}", asked.listener, asked.id))
}

pub(super) async fn stop_listening(asked: &StopListening) -> anyhow::Result<ExitCode> {
    let request = v1::StopListeningRequest {
        request_id: request_id(),
        actor: asked.signed.actor.clone(),
        why: asked.signed.why.clone(),
        contact_id: asked.id,
        listener: asked.listener.clone(),
    };
    let mut client = supervisor(&asked.signed.router).await?;
    client.stop_listening(request).await.map_err(ClientError::from)?;
    done(&format!("{} is off contact {}", asked.listener, asked.id))
}

pub(super) async fn sign_out(asked: &SignOut) -> anyhow::Result<ExitCode> {
    let hands = match asked.hands {
        Some(Hands::Finish) => v1::Hands::Finish,
        Some(Hands::Requeue) => v1::Hands::Requeue,
        None => v1::Hands::Unspecified,
    };
    let request = v1::SignOutAgentRequest {
        request_id: request_id(),
        actor: asked.signed.actor.clone(),
        why: asked.signed.why.clone(),
        agent: asked.agent.clone(),
        // The router refuses what is longer than a day.
        after_ms: u32::try_from(asked.after.unwrap_or_default()).unwrap_or(u32::MAX),
        hands: hands.into(),
        take_back: asked.take_back,
    };
    let mut client = supervisor(&asked.signed.router).await?;
    client.sign_out_agent(request).await.map_err(ClientError::from)?;
    let agent = &asked.agent;
    done(&match (asked.take_back, asked.after) {
        (true, _) => format!("{agent} stays"),
        (false, Some(_)) => format!("{agent} will be signed out"),
        (false, None) => format!("{agent} is being signed out"),
    })
}

pub(super) fn done(what: &str) -> anyhow::Result<ExitCode> {
    let mut text = Text::default();
    text.line("", what);
    put(&text)?;
    Ok(ExitCode::SUCCESS)
}
