//! What can be typed after `surgeline archive`, `audit` and `forget`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::args::Router;
use super::super::recall::args::actor;

/// The archive.
#[derive(Subcommand, Clone, Debug)]
pub enum ArchiveCommand {
    /// How far the archive is, and how large
    #[command(after_help = "Example:\n  surgeline archive status --data /var/lib/surgeline")]
    Status(Stored),
    /// Ask it anything, in SQL; docs/archive.md has the tables
    #[command(
        after_help = "Example:\n  surgeline archive query \"SELECT queue, sum(offered), sum(answered) FROM interval GROUP BY queue\""
    )]
    Query {
        /// One statement that only reads
        sql: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        stored: Stored,
    },
    /// Keep things from being deleted
    #[command(subcommand)]
    Hold(HoldCommand),
}

/// Legal holds.
#[derive(Subcommand, Clone, Debug)]
pub enum HoldCommand {
    /// Place a hold: retention and `forget` pass by what it is on
    #[command(
        after_help = "Example:\n  surgeline archive hold add --recall 3 --why \"claim 2026-17\""
    )]
    Add {
        #[command(flatten)]
        #[allow(missing_docs)]
        on: On,
        #[command(flatten)]
        #[allow(missing_docs)]
        said: Said,
    },
    /// List holds, released ones too
    #[command(after_help = "Example:\n  surgeline archive hold list --json")]
    List(Stored),
    /// Release a hold
    #[command(
        after_help = "Example:\n  surgeline archive hold release 4 --why \"claim 2026-17 is settled\""
    )]
    Release {
        /// Its number
        id: i64,
        #[command(flatten)]
        #[allow(missing_docs)]
        said: Said,
    },
}

/// The audit.
#[derive(Subcommand, Clone, Debug)]
pub enum AuditCommand {
    /// Check the chain of every act of a person: nothing changed, nothing taken out
    #[command(after_help = "Example:\n  surgeline audit verify --data /var/lib/surgeline")]
    Verify(Stored),
}

/// What a hold is on.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct On {
    /// One contact
    #[arg(long, value_name = "N")]
    pub contact: Option<u64>,
    /// Everything of a customer, by the identity that gateways give
    #[arg(long, value_name = "NAME")]
    pub customer: Option<String>,
    /// Every contact that a recall concerns
    #[arg(long, value_name = "N")]
    pub recall: Option<u16>,
}

/// Who, why and where.
#[derive(Args, Clone, Debug)]
pub struct Said {
    /// Why, in a sentence: it is kept for the audit
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Who you are: it is kept for the audit
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, value_parser = actor)]
    pub actor: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub stored: Stored,
}

/// Where, and in what form.
#[derive(Args, Clone, Debug)]
pub struct Stored {
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = "./surgeline-data", env = "SURGELINE_DATA")]
    pub data: PathBuf,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// Whom to forget.
#[derive(Args, Clone, Debug)]
pub struct Forget {
    /// Who, by the identity that gateways give
    #[arg(long, value_name = "NAME")]
    pub customer: String,
    /// Why, in a sentence that names nobody: it is kept for the audit
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Who you are: it is kept for the audit
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, value_parser = actor)]
    pub actor: String,
    /// Change nothing; tell what is there
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub router: Router,
}
