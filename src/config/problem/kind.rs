//! What names in a file name, as problems tell it.

use std::fmt;

/// What a name names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A skill.
    Skill,
    /// A pool of agents.
    Pool,
    /// A queue.
    Queue,
    /// An agent.
    Agent,
    /// An entry point.
    EntryPoint,
    /// A reason for not being ready.
    Reason,
    /// A disposition code.
    Disposition,
    /// A calendar.
    Calendar,
    /// A destination outside the router.
    External,
    /// What queues tell.
    Announcement,
    /// Help between queues.
    Sharing,
    /// A step of a queue.
    Step,
    /// A product of a playbook.
    Product,
    /// A message of a playbook.
    Message,
    /// A FAQ entry of a playbook.
    FaqEntry,
    /// A question that labels a FAQ entry.
    Question,
    /// A key of a playbook's menu.
    Key,
    /// A language of a playbook.
    Language,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skill => "skill",
            Self::Pool => "pool",
            Self::Queue => "queue",
            Self::Agent => "agent",
            Self::EntryPoint => "entry point",
            Self::Reason => "not-ready reason",
            Self::Disposition => "disposition",
            Self::Calendar => "calendar",
            Self::External => "external destination",
            Self::Announcement => "announcement",
            Self::Sharing => "sharing",
            Self::Step => "step of a queue",
            Self::Product => "product",
            Self::Message => "message",
            Self::FaqEntry => "FAQ entry",
            Self::Question => "question",
            Self::Key => "key",
            Self::Language => "language",
        })
    }
}
