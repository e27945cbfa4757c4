//! What can be typed after `surgeline simulate`.

use std::path::PathBuf;

use clap::Args;

/// What to simulate.
#[derive(Args, Clone, Debug)]
pub struct Simulate {
    /// The scenario (TOML); docs/simulate.md has the format
    #[arg(required_unless_present = "reference")]
    pub scenario: Option<PathBuf>,
    /// What chance begins with [default: the scenario's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many runs, 1 to 10,000; from two on every figure has a confidence interval [default: the scenario's]
    #[arg(long, value_name = "N")]
    pub runs: Option<u32>,
    /// One JSON object on stdout, progress on stderr
    #[arg(long)]
    pub json: bool,
    /// Write a report with plots, one file that needs nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "reference")]
    pub html: Option<PathBuf>,
    /// Play every row of the reference tables and compare; those of a folder with erlang.csv, skills.csv, agents.csv or delay.csv, or those built in
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, conflicts_with = "scenario")]
    pub reference: Option<Option<PathBuf>>,
    /// With --reference: a hundredth of the contacts, and tolerances that are wide enough for it
    #[arg(long, requires = "reference")]
    pub short: bool,
    /// With --reference: only rows whose name contains this, such as `erlang` or `skills-ab`
    #[arg(long, value_name = "TEXT", requires = "reference")]
    pub only: Option<String>,
    /// With --reference: write the rows' scenarios into this folder and play nothing
    #[arg(long, value_name = "FOLDER", requires = "reference")]
    pub write: Option<PathBuf>,
}
