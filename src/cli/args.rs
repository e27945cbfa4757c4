//! What can be typed. The names are a contract; every command has an example.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use super::archive::args::{ArchiveCommand, AuditCommand, Forget};
pub use super::feedback::FeedbackCommand;
pub use super::journal::args::JournalCommand;
pub use super::owed::{CallbackCommand, PromiseCommand, RecoveryCommand};
pub use super::recall::args::RecallCommand;
pub use super::report::ReportCommand;
pub use super::simulate::args::Simulate;

const EXITS: &str = "Exit codes: 0 done; 1 it could not be done; 2 what was typed, or a file \
that it names, is not right; 3 no router answers, \
or it stopped; 4 what was named does not exist.";

/// A contact-center router for the day that a product is recalled.
#[derive(Parser, Debug)]
#[command(version, after_help = EXITS, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run a router
    #[command(
        after_help = "Example:\n  surgeline serve --config surgeline.toml --data /var/lib/surgeline\n\nPrints one line when it is ready. SIGTERM and Ctrl-C drain and stop it."
    )]
    Serve(Serve),
    /// Watch a router at work, under simulated gateways and agents
    #[command(
        after_help = "Example:\n  surgeline demo --for 30s\n\nEverything goes over real gRPC on loopback ports; the journal is in a temporary folder. \
The same seed asks the same of the router; timing over real sockets makes runs alike, not identical. \
Exit code 1 if a contact was lost, had two owners, lost its place or bounced twice, or if those who were hurt waited longer than others."
    )]
    Demo(Demo),
    /// Play a scenario with the real engine under a virtual clock
    #[command(
        after_help = "Example:\n  surgeline simulate simulate/recall-day.toml --runs 20 --html report.html\n  surgeline simulate --reference --short\n\n\
docs/simulate.md has the format of a scenario. The same seed gives the same figures. With --reference, \
exit code 1 if a row is not near enough to its table."
    )]
    Simulate(Simulate),
    /// Start, steer and end recalls, and see how they go
    #[command(subcommand)]
    Recall(RecallCommand),
    /// See queues: what waits, how long, how they do
    #[command(subcommand)]
    Queue(QueueCommand),
    /// See agents: what they are and have
    #[command(subcommand)]
    Agent(AgentCommand),
    /// See contacts: where each is and how it came there
    #[command(subcommand)]
    Contact(ContactCommand),
    /// See who is to be called back, and have somebody called now
    #[command(subcommand)]
    Callback(CallbackCommand),
    /// See what was promised to customers, and end promises
    #[command(subcommand)]
    Promise(PromiseCommand),
    /// See work to make good, and change it
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// See what customers think of contacts
    #[command(subcommand)]
    Feedback(FeedbackCommand),
    /// Check configuration files, and apply them
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prepare for a recall
    #[command(subcommand)]
    Playbook(PlaybookCommand),
    /// Check what is on disk, print it, go on when it is damaged
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Ask the archive, and keep things in it
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Report what happened: the interval record
    #[command(subcommand)]
    Report(ReportCommand),
    /// Check who did what
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Forget a customer: delete the keys to everything personal of theirs, for good
    #[command(
        after_help = "Example:\n  surgeline forget --customer account-4711 --why \"request 2026-118\" --dry-run\n\n\
Nothing that was sealed for them can be read from then on: not in the journal, not in copies of it, \
not in the archive. Refused while a hold is in force on them or a contact of theirs is open. Name \
nobody in --why: it is kept for ever."
    )]
    Forget(Forget),
}

/// How to run a router. What is given here goes before what the file says.
#[derive(Args, Debug, Default)]
pub struct Serve {
    /// Configuration (TOML); without it a small built-in one
    #[arg(long, value_name = "FILE", env = "SURGELINE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where the journal and the keys are kept [default: ./surgeline-data]
    #[arg(long, value_name = "DIR", env = "SURGELINE_DATA")]
    pub data: Option<PathBuf>,
    /// Folder of the playbooks that recalls are started from [default: playbooks, beside the configuration file]
    #[arg(long, value_name = "DIR", env = "SURGELINE_PLAYBOOKS")]
    pub playbooks: Option<PathBuf>,
    /// Where gateways, agents and supervisors connect [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR", value_parser = listening)]
    pub grpc: Option<SocketAddr>,
    /// Where metrics and health are served [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDR", value_parser = listening)]
    pub http: Option<SocketAddr>,
    /// Listen beyond this machine although nothing is encrypted and nobody has to prove who they are
    #[arg(long)]
    pub allow_insecure_remote: bool,
    /// Go on from an older copy of the data: receipts that clients hold prove nothing any more
    #[arg(long)]
    pub accept_older_copy: bool,
}

/// How to play the demo.
#[derive(Args, Clone, Debug)]
pub struct Demo {
    /// How long customers come, 5s to 1h; what they began is finished after it
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = lasting)]
    pub lasting: Duration,
    /// What chance begins with
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// One JSON object on stdout at the end, progress on stderr
    #[arg(long)]
    pub json: bool,
}

/// Which router to ask.
#[derive(Args, Clone, Debug)]
pub struct Router {
    /// The router's gRPC address
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051", env = "SURGELINE_ROUTER")]
    pub router: String,
}

/// Queues.
#[derive(Subcommand, Debug)]
pub enum QueueCommand {
    /// List queues once
    #[command(
        after_help = "Example:\n  surgeline queue list --json | jq '.[] | select(.waiting > 0)'"
    )]
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        router: Router,
        /// One JSON array instead of a table
        #[arg(long)]
        json: bool,
    },
    /// List queues again and again, until Ctrl-C
    #[command(after_help = "Example:\n  surgeline queue watch --interval 500ms")]
    Watch {
        #[command(flatten)]
        #[allow(missing_docs)]
        router: Router,
        /// One JSON object a line instead of a table
        #[arg(long)]
        json: bool,
        /// How often, 250ms to 1m
        #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
        interval: u32,
    },
}

/// Agents.
#[derive(Subcommand, Debug)]
pub enum AgentCommand {
    /// List agents
    #[command(after_help = "Example:\n  surgeline agent list --pool partner")]
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        router: Router,
        /// Only those of this pool
        #[arg(long, value_name = "POOL")]
        pool: Option<String>,
        /// One JSON array instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Sign an agent out, now or later, or take that back
    #[command(after_help = "Example:\n  surgeline agent sign-out anne --after 30m --hands finish \
                            --why \"end of shift\"")]
    SignOut(super::order::SignOut),
}

/// Contacts.
#[derive(Subcommand, Debug)]
pub enum ContactCommand {
    /// List open contacts
    #[command(after_help = "Example:\n  surgeline contact list --queue safety")]
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        router: Router,
        /// Only those in this queue
        #[arg(long, value_name = "QUEUE")]
        queue: Option<String>,
        /// One JSON array instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Show a contact and everything that happened to it, personal data included
    #[command(after_help = "Example:\n  surgeline contact show 4711")]
    Show {
        /// Its id
        id: u64,
        #[command(flatten)]
        #[allow(missing_docs)]
        router: Router,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Say why a contact was offered to these agents and why then, and what comes next
    #[command(after_help = "Example:\n  surgeline contact explain 4711\n\ndocs/explain.md says \
                            what each sentence means.")]
    Explain {
        /// Its id
        id: u64,
        #[command(flatten)]
        #[allow(missing_docs)]
        router: Router,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Move contacts into another queue: those that match now, and no others
    #[command(after_help = "Example:\n  surgeline contact move --filter queue=support --filter \
                            older-than=10m --to overflow --why \"support is full\" --dry-run")]
    Move(super::bulk::Move),
    /// Close contacts: those that match now, and no others
    #[command(after_help = "Example:\n  surgeline contact close --filter \
                            attribute=campaign:prank --why \"a prank\" --dry-run")]
    Close(super::bulk::Close),
    /// Give a waiting contact to an agent, whatever skills it needs
    #[command(after_help = "Example:\n  surgeline contact pull 4711 --to anne --why \"she knows \
                            them\"")]
    Pull(super::order::Pull),
    /// Listen to a contact, whisper to its agent, or come in; again, it changes in place
    #[command(after_help = "Example:\n  surgeline contact listen 4711 --as sue --heard-by agent \
                            --why \"first day\"")]
    Listen(super::order::Listen),
    /// Leave a contact that you listen to
    #[command(after_help = "Example:\n  surgeline contact stop-listening 4711 --as sue --why \
                            \"all is well\"")]
    StopListening(super::order::StopListening),
}

/// Configuration files.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Check a configuration file: every problem with its place and what was expected
    #[command(
        after_help = "Example:\n  surgeline config check surgeline.toml\n  surgeline config check surgeline.toml --against 127.0.0.1:50051\n\n\
With --against it also says what applying the file would change, field by field, whom each change \
touches, and what to think twice about. Nothing is changed."
    )]
    Check {
        /// The file
        file: PathBuf,
        /// A running router's gRPC address, or the data directory of one
        #[arg(long, value_name = "ADDR|DIR")]
        against: Option<String>,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Apply a configuration file to a running router; nobody who waits or is served loses anything
    #[command(
        after_help = "Example:\n  surgeline config apply surgeline.toml --why \"two more agents for chat\"\n\n\
What the file no longer names takes nothing new and is finished with. Addresses, folders and limits of \
the disk stay as they are until a restart. At the next start the router's own file is applied: keep the \
two alike, or send the router SIGHUP to read its own file again."
    )]
    Apply(Apply),
}

/// What to apply.
#[derive(Args, Clone, Debug)]
pub struct Apply {
    /// The file
    pub file: PathBuf,
    /// Why, in a sentence: it is kept for the audit
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Who you are: it is kept for the audit
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, value_parser = super::recall::args::actor)]
    pub actor: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub router: Router,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Playbooks.
#[derive(Subcommand, Debug)]
pub enum PlaybookCommand {
    /// Check a playbook file: every problem with its place, and what a generic one still has to be told
    #[command(after_help = "Example:\n  surgeline playbook check playbooks/generic.toml")]
    Check {
        /// The file
        file: PathBuf,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
}

fn listening(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected IP:PORT, such as 127.0.0.1:50051 or [::1]:50051".to_owned())
}

fn lasting(text: &str) -> Result<Duration, String> {
    let expected = || "expected 5s to 1h, such as 30s or 2m".to_owned();
    let span: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
    let range = Duration::from_secs(5)..=Duration::from_secs(3600);
    Duration::try_from(span).ok().filter(|d| range.contains(d)).ok_or_else(expected)
}

fn interval(text: &str) -> Result<u32, String> {
    let expected = || "expected 250ms to 1m, such as 500ms or 2s".to_owned();
    let span: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
    u32::try_from(span.as_millis())
        .ok()
        .filter(|ms| (250..=60_000).contains(ms))
        .ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn what_can_be_typed_is_sound_and_every_command_has_an_example() {
        Cli::command().debug_assert();
        fn leaves(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let subs: Vec<_> = command.get_subcommands().collect();
            if subs.is_empty() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Example:\n  surgeline"), "{path} has no example");
            }
            subs.into_iter().for_each(|sub| leaves(sub, &path));
        }
        leaves(&Cli::command(), "");
    }

    #[test]
    fn how_long_a_demo_may_last() {
        for (text, expected) in [("30s", Some(30)), ("2m", Some(120)), ("1s", None), ("x", None)] {
            assert_eq!(lasting(text).ok(), expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_broken_address_is_told_what_is_expected() {
        for text in ["nonsense", "127.0.0.1", ":50051", "localhost:50051"] {
            let typed = ["surgeline", "serve", "--grpc", text];
            let told = Cli::try_parse_from(typed).unwrap_err().to_string();
            assert!(told.contains("expected IP:PORT, such as 127.0.0.1:50051"), "{told}");
        }
        assert!(Cli::try_parse_from(["surgeline", "serve", "--http", "[::1]:0"]).is_ok());
    }

    #[test]
    fn intervals() {
        for (text, expected) in [
            ("250ms", Some(250)),
            ("2s", Some(2000)),
            ("1m", Some(60_000)),
            ("10ms", None),
            ("2m", None),
            ("soon", None),
        ] {
            assert_eq!(interval(text).ok(), expected, "{text}");
        }
    }
}
