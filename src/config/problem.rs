//! What can be wrong with a configuration file, and where: typed, with the place in the file.
//!
//! Owned by the reading of one file. It renders nothing (that is [`super::report`]) and
//! decides nothing.

mod kind;

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;

use crate::time::Span;

pub use kind::Kind;

/// Lists that TOML takes into the section before them when they are written after one.
const LISTS: [&str; 3] = ["skills", "not_ready_reasons", "dispositions"];

/// A value as the file has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// A string; its first 64 characters.
    Text(Box<str>),
    /// An integer, a float, a boolean or a date, as written.
    Plain(&'static str, Box<str>),
    /// A table.
    Table,
    /// An array, and its length.
    Array(usize),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "the string {text:?}"),
            Self::Plain(kind, text) => write!(f, "the {kind} {text}"),
            Self::Table => f.write_str("a table"),
            Self::Array(0) => f.write_str("an empty array"),
            Self::Array(_) => f.write_str("an array"),
        }
    }
}

/// What a field takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// A whole number, both ends included.
    Integer(i64, i64),
    /// A length of time, both ends included.
    Duration(Span, Span),
    /// `true` or `false`.
    Boolean,
    /// A time zone.
    TimeZone,
    /// An address on the web.
    Url,
    /// An address to which a token may go.
    UrlForToken,
    /// A name by the rule of [`crate::engine::routing::Name`].
    Name,
    /// The beginning of names that are completed by a number.
    Prefix,
    /// An address and a port.
    Address,
    /// A path of the file system.
    Path,
    /// Words for people; the most characters.
    Text(usize),
    /// A share.
    Share,
    /// A load: times what the agents take.
    Load,
    /// A ratio of two numbers of contacts.
    Ratio,
    /// A queue other than the one that is named before.
    OtherQueue,
    /// What identifies what was made together.
    Lot,
    /// A key of a telephone.
    Key,
    /// A time zone.
    Zone,
    /// A day.
    Date,
    /// From when to when.
    Hours,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of something; what it is a list of.
    List(&'static str),
    /// A table; what its fields are.
    Table(&'static str),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Integer(least, most) => write!(f, "a whole number from {least} to {most}"),
            Self::Url => f.write_str("an address that begins with https:// or http://"),
            Self::UrlForToken => f.write_str(
                "an address that begins with https://, or http:// on this machine: the token goes \
                 with each page",
            ),
            Self::TimeZone => {
                f.write_str("the IANA name of a time zone, such as \"Europe/Berlin\" or \"UTC\"")
            }
            Self::Duration(least, most) => write!(
                f,
                "a duration from {} to {}, such as \"250ms\", \"30s\", \"5m\" or \"1h 30m\"",
                Words(least),
                Words(most)
            ),
            Self::Boolean => f.write_str("true or false"),
            Self::Name => {
                f.write_str("a name: 1 to 64 of a-z 0-9 _ - . @, beginning with a letter or digit")
            }
            Self::Prefix => f.write_str(
                "a prefix: 1 to 54 of a-z 0-9 _ - . @, beginning with a letter or digit",
            ),
            Self::Address => f.write_str("an address and a port, such as \"127.0.0.1:50051\""),
            Self::Path => f.write_str("a path"),
            Self::Text(most) => write!(f, "text of 1 to {most} characters"),
            Self::Ratio => f.write_str("a number from 0.01 to 100.0, such as 1.25"),
            Self::OtherQueue => f.write_str("another queue than the one that is helped"),
            Self::Share => f.write_str("a number from 0.0 to 1.0, such as 0.55"),
            Self::Load => f.write_str("a number from 0.0 to 60.0, such as 1.0"),
            Self::Lot => {
                f.write_str("a lot: 3 to 32 letters and digits; spaces and dashes do not count")
            }
            Self::Key => f.write_str("a key from \"1\" to \"9\""),
            Self::Zone => {
                f.write_str("a time zone of the IANA database, such as \"Europe/Berlin\"")
            }
            Self::Date => f.write_str("a day, such as 2026-12-25"),
            Self::Hours => {
                f.write_str("hours, such as \"08:00-18:00\", or \"22:00-02:00\" into the next day")
            }
            Self::OneOf(words) => write!(f, "one of {}", Quoted(words)),
            Self::List(of) => write!(f, "a list of {of}"),
            Self::Table(of) => write!(f, "a table of {of}"),
        }
    }
}

/// A span as a person would write it in the file.
struct Words(Span);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        match ms {
            0 => f.write_str("0s"),
            ms if ms % 3_600_000 == 0 => write!(f, "{}h", ms / 3_600_000),
            ms if ms % 60_000 == 0 => write!(f, "{}m", ms / 60_000),
            ms if ms % 1_000 == 0 => write!(f, "{}s", ms / 1_000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

/// Words in backticks, with commas.
struct Quoted<'a>(&'a [&'static str]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.0.iter().enumerate() {
            write!(f, "{}`{word}`", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The file is not TOML. Nothing after it was read.
    #[error("{}", .0.message())]
    Syntax(toml::de::Error),
    /// A field that does not exist.
    #[error("found an unknown field `{name}`, expected one of {}", Quoted(.allowed))]
    UnknownField {
        /// As written.
        name: Box<str>,
        /// Those that do.
        allowed: Box<[&'static str]>,
        /// The one that it looks like.
        meant: Option<&'static str>,
    },
    /// A field that must be there is not.
    #[error("found no field `{name}`, expected {expected}")]
    Missing {
        /// Its name.
        name: &'static str,
        /// What it would take.
        expected: Expected,
    },
    /// A value of the wrong type, form or range.
    #[error("found {found}, expected {expected}")]
    Mismatch {
        /// What is there.
        found: Found,
        /// What would be right.
        expected: Expected,
    },
    /// A name given twice in one table.
    #[error("found {kind} `{name}` a second time, expected each name once")]
    Duplicate {
        /// Of what kind.
        kind: Kind,
        /// The name.
        name: Box<str>,
        /// Where it was first, in bytes.
        first: Range<usize>,
    },
    /// A reference to something that is not there.
    #[error("found `{name}`, expected the name of a {kind} of this file")]
    Unknown {
        /// Of what kind.
        kind: Kind,
        /// As written.
        name: Box<str>,
        /// The one that it looks like.
        meant: Option<Box<str>>,
    },
    /// A table beyond its limit.
    #[error("found one {kind} more than the {most} that a router takes, expected at most {most}")]
    TooMany {
        /// Of what kind.
        kind: Kind,
        /// The limit.
        most: usize,
    },
    /// A primary skill that the agent does not have.
    #[error("found the primary skill `{name}`, expected one of the agent's own skills")]
    NotTheirs {
        /// The skill.
        name: Box<str>,
    },
    /// A step that is not after the one before it.
    #[error(
        "found a step that is not later than the one before it, expected steps in the order of `after`"
    )]
    StepOrder,
    /// A way out that the queue does not have.
    #[error(
        "found `callback` in a queue that calls nobody back, expected a section [queues.callback], or one of `wait`, `overflow`, `external`, `close`"
    )]
    NoCallbacks,
    /// An address that others can reach, without having said so.
    #[error(
        "found {address}, which other machines can reach without a password, \
         expected a loopback address such as 127.0.0.1 or allow_insecure_remote = true"
    )]
    Exposed {
        /// The address.
        address: SocketAddr,
    },
    /// A queue that would keep its contacts for ever. A warning: agents may come later.
    #[error("no agent can take {channel} from queue `{queue}`")]
    Unserved {
        /// The queue.
        queue: Box<str>,
        /// The channel that nobody takes.
        channel: &'static str,
    },
    /// A queue that switches the shares of others off. A warning: nothing breaks.
    #[error(
        "queue `{queue}` has no share and queue `{other}`, which the same agents serve, has one: \
         while somebody waits in both, no share is looked at"
    )]
    Unshared {
        /// The queue without one.
        queue: Box<str>,
        /// One that has one.
        other: Box<str>,
    },
    /// A queue names a pool of partners.
    #[error(
        "queue `{queue}` names pool `{pool}`, whose agents are partners: they take nothing but what \
         a recall lets them"
    )]
    PartnersPool {
        /// The queue.
        queue: Box<str>,
        /// The pool.
        pool: Box<str>,
    },
    /// A placeholder that nothing fills.
    #[error("found the placeholder {{{name}}}, expected {}", Braced(allowed))]
    UnknownPlaceholder {
        /// As written, without braces.
        name: Box<str>,
        /// What may stand there.
        allowed: Box<[&'static str]>,
        /// The one that it looks like.
        meant: Option<&'static str>,
    },
    /// A slot that a specific playbook leaves open.
    #[error("found {{{slot}}} unfilled, expected slots.{slot} in a specific playbook")]
    Unfilled {
        /// The slot.
        slot: &'static str,
    },
    /// The key that is a person, given to something else.
    #[error("found the key \"0\", which is a person always, expected a key from \"1\" to \"9\"")]
    PersonsKey,
    /// A range of lots that has no order.
    #[error(
        "found the range {first} to {last}, expected two lots of one length that differ in \
         digits alone, the lower first"
    )]
    Range {
        /// As written.
        first: Box<str>,
        /// As written.
        last: Box<str>,
    },
    /// Words that would take a contact out of the safety lane because they negate.
    #[error(
        "found the negation `{word}`, expected words that do not negate: negation never demotes"
    )]
    Negation {
        /// The word.
        word: Box<str>,
    },
    /// Two fields of which exactly one is wanted.
    #[error("found {found}, expected one of `{one}` and `{other}`")]
    Either {
        /// What is there of the two.
        found: &'static str,
        /// The one.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A time limit that would always come before the silence that is waited for.
    #[error(
        "found {limit} of {} below {silence} of {}, expected a limit that is no shorter than \
         the silence",
        Words(*.limit_is),
        Words(*.silence_is)
    )]
    LimitBelow {
        /// The limit's field.
        limit: &'static str,
        /// How long it is.
        limit_is: Span,
        /// The silence's field.
        silence: &'static str,
        /// How long it is.
        silence_is: Span,
    },
    /// Two fields that do not fit each other.
    #[error("`{name}`: expected it {expected}")]
    OutOfOrder {
        /// The field.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A playbook without something for one of its languages.
    #[error("found nothing in {language}, expected it in every language of the playbook")]
    WithoutLanguage {
        /// The language's code.
        language: &'static str,
    },
    /// A channel for which nothing was written. A warning: another channel's words are used.
    #[error("no message for {channel} in {language}")]
    WithoutMessage {
        /// The channel.
        channel: &'static str,
        /// The language's code.
        language: &'static str,
    },
    /// A FAQ entry that does not say to stop. A warning.
    #[error("no interim (stop-use) advice although the severity is {severity}")]
    WithoutInterim {
        /// The severity.
        severity: &'static str,
    },
    /// No lot by which to tell. A warning: the check then always says that a person will look.
    #[error("no lots, so that the check can never tell")]
    WithoutLots,
}

impl Fault {
    /// Whether the configuration can be used all the same.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::Unserved { .. }
                | Self::Unshared { .. }
                | Self::PartnersPool { .. }
                | Self::WithoutMessage { .. }
                | Self::WithoutInterim { .. }
                | Self::WithoutLots
        )
    }

    /// What to do about it, if it can be guessed.
    #[must_use]
    pub fn advice(&self) -> Option<Box<str>> {
        let meant = match self {
            Self::UnknownField { name, allowed, .. }
                if &**name == "skills" && allowed.contains(&"needs") =>
            {
                Some("needs")
            }
            Self::UnknownField { name, meant: None, .. } if LISTS.contains(&&**name) => {
                return Some("lists of names stand before the first section of a file".into());
            }
            Self::UnknownField { meant, .. } => *meant,
            Self::Unknown { meant, .. } => meant.as_deref(),
            Self::UnknownPlaceholder { meant, .. } => *meant,
            Self::WithoutMessage { .. } => {
                return Some(
                    "add [[messages]] for it, or name the channel in another's list".into(),
                );
            }
            Self::WithoutInterim { .. } => {
                return Some("say in `interim` what to do until more is known".into());
            }
            Self::Unserved { .. } => {
                return Some(
                    "give an agent of its pools the skills it needs, at the proficiency it \
                     needs, and a capacity for the channel"
                        .into(),
                );
            }
            Self::Unshared { .. } => {
                return Some(
                    "give all queues that share agents a `share`, or none of them; see \
                     docs/routing.md, \"Choosing shares\""
                        .into(),
                );
            }
            Self::PartnersPool { .. } => {
                return Some(
                    "leave it out of `pools` and `add_pools`: a playbook's [tiers.partner] names the \
                     pools that join"
                        .into(),
                );
            }
            _ => None,
        };
        meant.map(|m| format!("did you mean `{m}`?").into())
    }
}

/// Placeholders in braces, with commas.
struct Braced<'a>(&'a [&'static str]);

impl fmt::Display for Braced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none here");
        }
        for (i, name) in self.0.iter().enumerate() {
            write!(f, "{}{{{name}}}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// A fault and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The field's path, such as `queues[2].needs.billing`, counted from 0; empty for the
    /// whole file.
    pub path: Box<str>,
    /// Where in the source, in bytes.
    pub span: Range<usize>,
    /// What is wrong there.
    pub fault: Fault,
}
