//! What can be typed after `surgeline recall`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::super::args::Router;
use crate::pb::v1::RecallLevel;

/// Longest and shortest time in force, as the router has them.
const LASTING: std::ops::RangeInclusive<u64> = 60..=90 * 24 * 3_600;

/// Recalls.
#[derive(Subcommand, Clone, Debug)]
pub enum RecallCommand {
    /// Start a recall: put a playbook in force
    #[command(
        after_help = "Example:\n  surgeline recall start generic --level surge --why \"smoke from the KX-2, three reports\" \\\n    --slot product=\"the KX-2 kettle\" --slot company=\"Northwind\" --dry-run\n\n\
With --dry-run nothing changes: it tells whether the recall would start, what it would move and \
what should be looked at. The playbook is FILE.toml in the router's folder of playbooks; `generic` \
is always there. Slots: product, company, hazard, advice, phone, website, next_update; \
product.es fills it in Spanish alone."
    )]
    Start(Start),
    /// Set the level of a recall: how much self-service takes
    #[command(
        after_help = "Example:\n  surgeline recall level surge --why \"calls wait twelve minutes\"\n\n\
normal: agents take everything, who is in self-service comes back. elevated, surge, critical: the \
tiers that the playbook opens there take who waits. tail: as elevated, after the wave. Whoever is \
moved keeps their place in line, both ways."
    )]
    Level(SetLevel),
    /// End a recall: self-service gives everyone back at the place they had
    #[command(after_help = "Example:\n  surgeline recall end --why \"all clear from quality\"")]
    End(End),
    /// See the recalls in force: levels, tiers, who is where
    #[command(
        after_help = "Example:\n  surgeline recall status --watch\n  surgeline recall status --json | jq '.[].level'"
    )]
    Status(Status),
}

/// Who orders it, and why.
#[derive(Args, Clone, Debug)]
pub struct Said {
    /// Why, in a sentence: it is kept for the audit
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Who you are: it is kept for the audit
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub actor: String,
    /// Change nothing; tell what would happen
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub router: Router,
}

/// How to start a recall.
#[derive(Args, Clone, Debug)]
pub struct Start {
    /// The playbook: the name of its file, without .toml
    #[arg(value_name = "PLAYBOOK")]
    pub playbook: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub said: Said,
    /// Where to begin
    #[arg(long, value_enum, default_value_t = Level::Elevated)]
    pub level: Level,
    /// When it ends if nobody ends it, 1m to 90d [default: as the playbook says]
    #[arg(long, value_name = "TIME", value_parser = lasting)]
    pub expires: Option<Duration>,
    /// What fills a slot of the generic playbook, once for each
    #[arg(long = "slot", value_name = "NAME=TEXT", value_parser = slot)]
    pub slots: Vec<(String, String)>,
    /// The version that is meant, as `surgeline playbook check` shows it: 12 digits or more
    #[arg(long, value_name = "HEX", default_value = "")]
    pub hash: String,
    /// Start although nobody is there for safety contacts
    #[arg(long)]
    pub accept_empty_safety_lane: bool,
}

/// How to set a level.
#[derive(Args, Clone, Debug)]
pub struct SetLevel {
    /// Where to
    #[arg(value_enum)]
    pub level: Level,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub said: Said,
    /// Which recall [default: the one in force]
    #[arg(long, value_name = "ID", default_value_t = 0, hide_default_value = true)]
    pub recall: u64,
}

/// How to end a recall.
#[derive(Args, Clone, Debug)]
pub struct End {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub said: Said,
    /// Which recall [default: the one in force]
    #[arg(long, value_name = "ID", default_value_t = 0, hide_default_value = true)]
    pub recall: u64,
}

/// What to see.
#[derive(Args, Clone, Debug)]
pub struct Status {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub router: Router,
    /// Which recall, also one that has ended not long ago [default: all in force]
    #[arg(long, value_name = "ID", default_value_t = 0, hide_default_value = true)]
    pub recall: u64,
    /// One JSON array instead of text; one a line with --watch
    #[arg(long)]
    pub json: bool,
    /// Again every two seconds, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// A level that can be set.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Agents take everything
    Normal,
    /// More than usual
    Elevated,
    /// More than the agents can take
    Surge,
    /// Far more
    Critical,
    /// The wave is over
    Tail,
}

impl From<Level> for RecallLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Normal => Self::Normal,
            Level::Elevated => Self::Elevated,
            Level::Surge => Self::Surge,
            Level::Critical => Self::Critical,
            Level::Tail => Self::Tail,
        }
    }
}

fn slot(text: &str) -> Result<(String, String), String> {
    let (name, fill) = text
        .split_once('=')
        .ok_or_else(|| "expected NAME=TEXT, such as product=\"the KX-2 kettle\"".to_owned())?;
    Ok((name.trim().to_owned(), fill.to_owned()))
}

/// As elsewhere, and days: a recall is longer than other things.
fn lasting(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.trim().parse::<u64>().ok());
    let seconds = match days {
        Some(days) => days.checked_mul(24 * 3_600),
        None => {
            let span = text.parse::<jiff::SignedDuration>().ok();
            span.and_then(|span| u64::try_from(span.as_secs()).ok())
        }
    };
    let seconds = seconds.filter(|s| LASTING.contains(s));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "expected 1m to 90d, such as 12h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Cli, Command};

    fn typed(rest: &str) -> Result<RecallCommand, String> {
        let words = ["surgeline", "recall"].into_iter().chain(rest.split(' '));
        match Cli::try_parse_from(words).map_err(|e| e.to_string())?.command {
            Command::Recall(command) => Ok(command),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn a_start_is_typed_with_its_slots() {
        let start = "start generic --why fire --actor amara --level surge --expires 12h \
                     --slot product=a=b --slot product.es=c --hash 0123456789ab --dry-run";
        let Ok(RecallCommand::Start(start)) = typed(start) else { panic!("no start") };
        assert_eq!((&*start.playbook, start.level), ("generic", Level::Surge));
        assert_eq!((&*start.said.why, &*start.said.actor), ("fire", "amara"));
        assert_eq!(start.expires, Some(Duration::from_secs(12 * 3600)));
        let slots = [("product", "a=b"), ("product.es", "c")].map(|(n, t)| (n.into(), t.into()));
        assert_eq!(start.slots, slots);
        assert!(start.said.dry_run && !start.said.json && !start.accept_empty_safety_lane);
        let Ok(RecallCommand::Start(plain)) = typed("start p --why w --actor a") else {
            panic!("no start")
        };
        assert_eq!((plain.level, plain.expires), (Level::Elevated, None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        for (text, told) in [
            ("start generic --actor a", "--why <TEXT>"),
            ("level --why w --actor a", "<LEVEL>"),
            ("level higher --why w --actor a", "possible values: normal, elevated, surge"),
            ("start p --why w --actor a --slot product", "expected NAME=TEXT"),
            ("start p --why w --actor a --expires 91d", "expected 1m to 90d"),
            ("end", "--why <TEXT>"),
        ] {
            let error = typed(text).expect_err(text);
            assert!(error.contains(told), "{error}");
        }
        let Ok(RecallCommand::Level(level)) = typed("level tail --why w --actor a --recall 7")
        else {
            panic!("no level")
        };
        assert_eq!((level.level, level.recall), (Level::Tail, 7));
        assert!(matches!(typed("status --watch --json"), Ok(RecallCommand::Status(s)) if s.watch));
    }

    #[test]
    fn how_long_a_recall_may_last() {
        for (text, expected) in [
            ("1m", Some(60)),
            ("12h", Some(43_200)),
            ("7d", Some(604_800)),
            ("90d", Some(7_776_000)),
            ("59s", None),
            ("91d", None),
            ("-1h", None),
            ("soon", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(lasting(text).ok(), expected.map(Duration::from_secs), "{text}");
        }
    }
}
