//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Loads a surgeline router with whole contact lives over gRPC, and reports
#[derive(Parser, Clone, Debug)]
#[command(
    version,
    after_help = "Example:\n  surgeline-loadtest loadtest/scenarios/steady.toml --html report.html\n\n\
        Exit codes: 0 all is well, 1 the router lost or doubled something or the test could \
        not be run, 2 the scenario is not sound, 3 no router answers."
)]
pub struct Args {
    /// The scenario, a TOML file such as those in loadtest/scenarios
    pub scenario: PathBuf,
    /// Load this router in place of one in this process; start it with what --print-config prints
    #[arg(long, value_name = "ADDR")]
    pub router: Option<String>,
    /// That router's HTTP address, to know of double reservations
    #[arg(long, value_name = "ADDR", requires = "router")]
    pub metrics: Option<SocketAddr>,
    /// One JSON object on stdout, progress on stderr
    #[arg(long)]
    pub json: bool,
    /// Write a report with plots, one file that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// What chance begins with, in place of the scenario's own
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Where a temporary folder for the journal is made; should be on the disk to be measured [default: target, or the system's place]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Print the router's configuration for this scenario and do nothing else
    #[arg(long)]
    pub print_config: bool,
    /// Print the playbook of the scenario's recall and do nothing else; that router must have it as load.toml
    #[arg(long, conflicts_with = "print_config")]
    pub print_playbook: bool,
}
