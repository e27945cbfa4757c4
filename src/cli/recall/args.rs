//! What can be typed after `surgeline recall`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::super::args::Router;
use crate::pb::v1::{LevelBounds, RecallLevel};

/// Longest and shortest time in force, as the router has them.
const LASTING: std::ops::RangeInclusive<u64> = 60..=90 * 24 * 3_600;

/// Recalls.
#[derive(Subcommand, Clone, Debug)]
pub enum RecallCommand {
    /// Start a recall: put a playbook in force
    #[command(
        after_help = "Example:\n  surgeline recall start generic --level surge --why \"smoke from the KX-2, three reports\" --dry-run \\\n    \
--slot company=\"Northwind\" \\\n    \
--slot product=\"the KX-2 kettle\" \\\n    \
--slot hazard=\"it can catch fire while it heats\" \\\n    \
--slot advice=\"Unplug it and keep it where nobody uses it.\" \\\n    \
--slot phone=\"0800 555 0100\" \\\n    \
--slot website=\"northwind.example/recall\" \\\n    \
--slot next_update=\"today at nine\"\n\n\
Levels: normal changes nothing but the safety lane and the agents' script; at elevated, surge and \
critical the tiers that the playbook opens there take who waits (in the examples writing at \
elevated, calls too at surge); tail is elevated after the wave.\n\n\
With --dry-run nothing changes: it tells whether the recall would start, what it would move and \
what should be looked at. The playbook is FILE.toml in the router's folder of playbooks; `generic` \
is always there. Slots: product, company, hazard, advice, phone, website, next_update; `generic` \
needs all seven. product.es fills it in Spanish alone."
    )]
    Start(Start),
    /// Set the level of a recall: how much self-service takes
    #[command(
        after_help = "Example:\n  surgeline recall level surge --why \"calls wait twelve minutes\"\n  \
surgeline recall level free --from elevated --to critical --why \"over night\"\n\n\
normal: agents take everything, who is in self-service comes back. elevated, surge, critical: the \
tiers that the playbook opens there take who waits. tail: as elevated, after the wave. free: the \
router moves it by itself, between --from and --to, by waits, load and what gateways carry; any \
other pins it. Whoever is moved keeps their place in line, both ways."
    )]
    Level(SetLevel),
    /// Amend a recall in force: more lots, a newer playbook, another end
    #[command(
        after_help = "Example:\n  surgeline recall amend --add-lot 4471 --add-lot 4480..4499 --why \"two more weeks\" --dry-run\n  \
surgeline recall amend --playbook kettle --expires 30d --why \"advice of the authority\"\n\n\
Lots are only ever added. Whoever was told on the keypad that they are not affected, and now is, \
is told in the menu or gets a follow-up, within the budget of follow-ups; --dry-run counts them."
    )]
    Amend(Amend),
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
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, value_parser = actor)]
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
    /// Where to begin [default: elevated; with --free its lowest]
    #[arg(long, value_enum)]
    pub level: Option<Level>,
    /// Let the router move the level by itself, as --free=elevated..critical [default bounds: the
    /// playbook's]
    #[arg(
        long, value_name = "LOW..HIGH", num_args = 0..=1, require_equals = true,
        default_missing_value = "..", value_parser = between
    )]
    pub free: Option<Between>,
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
    /// Where to; free: the router moves it by itself
    #[arg(value_enum)]
    pub level: Aim,
    /// With free: not below [default: as the playbook says]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub from: Option<Level>,
    /// With free: not above [default: as the playbook says]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub to: Option<Level>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub said: Said,
    /// Which recall [default: the one in force]
    #[arg(long, value_name = "ID", default_value_t = 0, hide_default_value = true)]
    pub recall: u64,
}

/// How to amend a recall.
#[derive(Args, Clone, Debug)]
pub struct Amend {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub said: Said,
    /// Which recall [default: the one in force]
    #[arg(long, value_name = "ID", default_value_t = 0, hide_default_value = true)]
    pub recall: u64,
    /// A lot that is affected too, or a range, once for each
    #[arg(long = "add-lot", value_name = "LOT|FIRST..LAST")]
    pub add_lots: Vec<String>,
    /// A newer version to put in force: the name of its file, without .toml
    #[arg(long, value_name = "PLAYBOOK", default_value = "")]
    pub playbook: String,
    /// The version that is meant, as `surgeline playbook check` shows it: 12 digits or more
    #[arg(long, value_name = "HEX", default_value = "")]
    pub hash: String,
    /// What fills a slot of the generic playbook, once for each
    #[arg(long = "slot", value_name = "NAME=TEXT", value_parser = slot)]
    pub slots: Vec<(String, String)>,
    /// When it ends from now if nobody ends it, 1m to 90d [default: as before]
    #[arg(long, value_name = "TIME", value_parser = lasting)]
    pub expires: Option<Duration>,
    /// The version in force that you looked at, 64 digits: refused if it was amended since
    #[arg(long = "from", value_name = "HEX", default_value = "")]
    pub from_hash: String,
    /// Amend it though nobody would be there for safety contacts
    #[arg(long)]
    pub accept_empty_safety_lane: bool,
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
    /// Writing that waits goes to the faq tier, in the examples
    Elevated,
    /// Calls that wait hear the menu too, in the examples
    Surge,
    /// The tiers that a playbook opens only now
    Critical,
    /// As elevated, after the wave
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

/// Where a level can be brought.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aim {
    /// Agents take everything
    Normal,
    /// Writing that waits goes to the faq tier, in the examples
    Elevated,
    /// Calls that wait hear the menu too, in the examples
    Surge,
    /// The tiers that a playbook opens only now
    Critical,
    /// As elevated, after the wave
    Tail,
    /// The router moves it by itself, as it is called for
    Free,
}

impl Aim {
    /// The level that is pinned; none if it is left free.
    #[must_use]
    pub const fn pinned(self) -> Option<Level> {
        match self {
            Self::Normal => Some(Level::Normal),
            Self::Elevated => Some(Level::Elevated),
            Self::Surge => Some(Level::Surge),
            Self::Critical => Some(Level::Critical),
            Self::Tail => Some(Level::Tail),
            Self::Free => None,
        }
    }
}

/// Bounds of a level; what is left out is the playbook's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Between {
    /// Not below.
    pub lowest: Option<Level>,
    /// Not above.
    pub highest: Option<Level>,
}

impl From<Between> for LevelBounds {
    fn from(between: Between) -> Self {
        let level = |level: Option<Level>| level.map_or(RecallLevel::Unspecified, Into::into);
        Self { lowest: level(between.lowest).into(), highest: level(between.highest).into() }
    }
}

fn between(text: &str) -> Result<Between, String> {
    let level = |word: &str| match word.trim() {
        "" => Ok(None),
        word => Level::from_str(word, true).map(Some),
    };
    let (lowest, highest) = text.split_once("..").unwrap_or((text, "nothing"));
    let read = level(lowest).and_then(|lowest| Ok(Between { lowest, highest: level(highest)? }));
    read.map_err(|_| "expected LOW..HIGH, such as elevated..critical".to_owned())
}

/// USER may be there and empty, as in a container.
pub(in crate::cli) fn actor(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty, and so may USER be: say who you are with --actor NAME".to_owned()),
        _ => Ok(text.to_owned()),
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
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::config::built_in;
    use crate::recall::{Fill, Folder, GENERIC, Slot, plan};

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
        assert_eq!((&*start.playbook, start.level), ("generic", Some(Level::Surge)));
        assert_eq!((&*start.said.why, &*start.said.actor), ("fire", "amara"));
        assert_eq!(start.expires, Some(Duration::from_secs(12 * 3600)));
        let slots = [("product", "a=b"), ("product.es", "c")].map(|(n, t)| (n.into(), t.into()));
        assert_eq!(start.slots, slots);
        assert!(start.said.dry_run && !start.said.json && !start.accept_empty_safety_lane);
        let Ok(RecallCommand::Start(plain)) = typed("start p --why w --actor a") else {
            panic!("no start")
        };
        assert_eq!((plain.level, plain.expires, plain.free), (None, None, None));
    }

    #[test]
    fn a_level_is_left_free_between_bounds() {
        let (low, high) = (Some(Level::Elevated), Some(Level::Critical));
        for (text, lowest, highest) in [
            ("--free", None, None),
            ("--free=elevated..critical", low, high),
            ("--free=elevated..", low, None),
            ("--free=..critical", None, high),
        ] {
            let Ok(RecallCommand::Start(start)) =
                typed(&format!("start p --why w --actor a {text}"))
            else {
                panic!("{text}")
            };
            assert_eq!(start.free, Some(Between { lowest, highest }), "{text}");
        }
        let error = typed("start p --why w --actor a --free=elevated").expect_err("one bound");
        assert!(error.contains("expected LOW..HIGH"), "{error}");
        let free = typed("level free --from elevated --to critical --why w --actor a");
        let Ok(RecallCommand::Level(free)) = free else { panic!("{free:?}") };
        assert_eq!((free.level.pinned(), free.from, free.to), (None, low, high));
    }

    /// The words of a line, as a shell makes them.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
        for c in line.chars() {
            match c {
                '#' if word.is_none() && !quoted => break,
                '"' => (quoted, word) = (!quoted, Some(word.unwrap_or_default())),
                c if c.is_whitespace() && !quoted => words.extend(word.take()),
                c => word.get_or_insert_default().push(c),
            }
        }
        assert!(!quoted, "{line}");
        words.extend(word);
        words
    }

    /// Every start of the playbook `generic` that a text shows.
    fn starts(text: &str) -> Vec<Start> {
        let text = text.replace("\\\n", " ");
        let lines = text.lines().map(str::trim).filter(|l| l.starts_with("surgeline recall start"));
        let start = |line: &str| {
            // Who builds it may be nobody's USER.
            let typed = words(line).into_iter().chain(["--actor=nadia".to_owned()]);
            match Cli::try_parse_from(typed).map(|cli| cli.command) {
                Ok(Command::Recall(RecallCommand::Start(start))) => start,
                other => panic!("{line}: {other:?}"),
            }
        };
        lines.map(start).filter(|s| s.playbook == GENERIC).collect()
    }

    #[test]
    fn every_start_that_is_shown_would_start_on_a_router_that_is_given_nothing() {
        let mut cli = Cli::command();
        let shown = ["recall", "start"].iter().fold(&mut cli, |command, name| {
            command.find_subcommand_mut(name).unwrap_or_else(|| panic!("{name}"))
        });
        let help = shown.get_after_help().expect("it has examples").to_string();
        let texts = [
            help.as_str(),
            include_str!("../../../README.md"),
            include_str!("../../../docs/recall.md"),
        ];
        let generic = Folder::new("no-such-folder".into()).find(GENERIC).expect("it is built in");
        let routing = built_in().expect("it is sound").config.routing;
        for text in texts {
            let starts = starts(text);
            assert!(!starts.is_empty(), "no example in {text}");
            for start in starts {
                let slot = |name: &str| Slot::ALL.into_iter().find(|s| s.name() == name);
                let mut fills = Vec::new();
                for (name, text) in &start.slots {
                    let slot = slot(name).unwrap_or_else(|| panic!("{name}"));
                    fills.push(Fill { slot, language: None, text });
                }
                let playbook = generic.parse(&fills).expect("it can be said").playbook;
                if let Err(error) = plan(&playbook, &routing) {
                    panic!("{:?}: {error}", start.slots);
                }
            }
        }
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
            ("end --why w --actor=", "say who you are with --actor NAME"),
        ] {
            let error = typed(text).expect_err(text);
            assert!(error.contains(told), "{error}");
        }
        let Ok(RecallCommand::Level(level)) = typed("level tail --why w --actor a --recall 7")
        else {
            panic!("no level")
        };
        assert_eq!((level.level.pinned(), level.recall), (Some(Level::Tail), 7));
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
