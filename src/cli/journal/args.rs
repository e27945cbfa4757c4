//! What can be typed after `surgeline journal`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What is on disk.
#[derive(Subcommand, Debug)]
pub enum JournalCommand {
    /// Read the whole journal, check its chain, replay it and compare the marks; changes nothing
    #[command(after_help = "Example:\n  surgeline journal verify --data /var/lib/surgeline\n\n\
Works beside a running router. A journal whose older entries were trimmed is checked from the \
first that is still there; the marks are compared only when it is the very first.")]
    Verify {
        /// The data directory
        #[arg(long, value_name = "DIR", default_value = DATA, env = "SURGELINE_DATA")]
        data: PathBuf,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Print entries as JSON, one a line; changes nothing
    #[command(
        after_help = "Example:\n  surgeline journal export --from 1000 --to 2000 | jq .events\n\n\
Works beside a running router, up to what was acknowledged. Personal data stays sealed."
    )]
    Export(Export),
    /// Go on without what is lost, when a router refuses to start on a damaged journal
    #[command(
        after_help = "Example:\n  surgeline journal accept-loss --data /var/lib/surgeline --after 4711 --why \"disk failed, no copy\"\n\n\
Without --yes it tells what would be kept and lost, and changes nothing. The refusal of the router \
names the entry. Nothing is deleted: what goes is moved to journal/lost-TIME in the data \
directory, and journal/losses.jsonl says who, why, when, from where to where. The archive is cut \
back to the same entry; what it had from behind it moves to archive/lost.sqlite. Clients that were \
told of what is lost are let in all the same."
    )]
    AcceptLoss(AcceptLoss),
}

const DATA: &str = "./surgeline-data";

/// Which entries to print.
#[derive(Args, Debug)]
pub struct Export {
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = DATA, env = "SURGELINE_DATA")]
    pub data: PathBuf,
    /// The first entry [default: the first that is still there]
    #[arg(long, value_name = "N")]
    pub from: Option<u64>,
    /// The last entry [default: the last that was acknowledged]
    #[arg(long, value_name = "N")]
    pub to: Option<u64>,
}

/// What to go on without.
#[derive(Args, Debug)]
pub struct AcceptLoss {
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = DATA, env = "SURGELINE_DATA")]
    pub data: PathBuf,
    /// The last entry to keep; what follows goes
    #[arg(long, value_name = "N")]
    pub after: u64,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Who decides, for the record
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    pub who: String,
    /// Do it
    #[arg(long)]
    pub yes: bool,
}
