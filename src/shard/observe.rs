//! What the shard lets others count: told as it happens, to one observer.
//!
//! The shard does not know what becomes of it (`metrics` sits on top of the shard, not
//! under it). Implementations are called on the owner's, the writer's and the replica's
//! threads and must neither block nor take long: the owner's calls are in the path of
//! every decision.

use std::fmt::Debug;
use std::time::Duration;

use super::ask::SessionOver;
use super::view::View;
use crate::engine::directive::Recipient;
use crate::engine::event::Settled;
use crate::engine::recall::{ReturnedBecause, Text, TriageClass};
use crate::engine::refusal::RefusalKind;
use crate::engine::routing::Routing;
use crate::engine::words::{ConnectFault, EndReason, NotTaken, ServiceClass};
use crate::ids::QueueId;
use crate::time::Span;

/// Who is connected, as counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionRole {
    /// A gateway's stream.
    Gateway,
    /// An agent's place on a stream.
    Agent,
}

impl SessionRole {
    /// All of them, in the order of [`SessionRole::index`].
    pub const ALL: [Self; 2] = [Self::Gateway, Self::Agent];

    /// Position in a table by role.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Agent => "agent",
        }
    }
}

impl From<Recipient> for SessionRole {
    fn from(recipient: Recipient) -> Self {
        match recipient {
            Recipient::Gateway(_) => Self::Gateway,
            Recipient::Agent(_) => Self::Agent,
        }
    }
}

/// Which way a command came to the owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// Someone new.
    Arrivals,
    /// Everything else.
    Others,
}

impl Lane {
    /// All of them, in the order of [`Lane::index`].
    pub const ALL: [Self; 2] = [Self::Arrivals, Self::Others];

    /// Position in a table by lane.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arrivals => "arrivals",
            Self::Others => "others",
        }
    }
}

/// The texts of playbooks as counted: one for all answers, one for all options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextKind {
    /// Said at once when the faq tier takes a contact.
    Acknowledgement,
    /// The recall message.
    Message,
    /// An answer.
    Faq,
    /// The menu's greeting.
    Greeting,
    /// The injury question.
    Injury,
    /// Asks for the lot.
    Lot,
    /// The lot is affected.
    Affected,
    /// The lot is not affected.
    NotAffected,
    /// It cannot be told.
    CannotTell,
    /// An option of the menu.
    Option,
    /// Said on the way to a person.
    Person,
    /// Said at the end.
    Goodbye,
}

impl TextKind {
    /// All of them, in the order of [`TextKind::index`].
    pub const ALL: [Self; 12] = [
        Self::Acknowledgement,
        Self::Message,
        Self::Faq,
        Self::Greeting,
        Self::Injury,
        Self::Lot,
        Self::Affected,
        Self::NotAffected,
        Self::CannotTell,
        Self::Option,
        Self::Person,
        Self::Goodbye,
    ];

    /// Position in a table by text.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledgement => "acknowledgement",
            Self::Message => "message",
            Self::Faq => "faq",
            Self::Greeting => "greeting",
            Self::Injury => "injury",
            Self::Lot => "lot",
            Self::Affected => "affected",
            Self::NotAffected => "not_affected",
            Self::CannotTell => "cannot_tell",
            Self::Option => "option",
            Self::Person => "person",
            Self::Goodbye => "goodbye",
        }
    }
}

impl From<Text> for TextKind {
    fn from(text: Text) -> Self {
        match text {
            Text::Acknowledgement => Self::Acknowledgement,
            Text::Message => Self::Message,
            Text::Faq(_) => Self::Faq,
            Text::Greeting => Self::Greeting,
            Text::Injury => Self::Injury,
            Text::Lot => Self::Lot,
            Text::Affected => Self::Affected,
            Text::NotAffected => Self::NotAffected,
            Text::CannotTell => Self::CannotTell,
            Text::Option(_) => Self::Option,
            Text::Person => Self::Person,
            Text::Goodbye => Self::Goodbye,
        }
    }
}

/// What became of a text that was to be said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HowSaid {
    /// It was said to the end.
    Done,
    /// The gateway could not.
    Failed,
    /// It no longer mattered: the customer spoke, pressed a key or left.
    Withdrawn,
}

impl HowSaid {
    /// All of them, in the order of [`HowSaid::index`].
    pub const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::Withdrawn];

    /// Position in a table by outcome.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for it in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl From<Settled> for HowSaid {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::Done => Self::Done,
            Settled::Failed(_) => Self::Failed,
            Settled::Withdrawn => Self::Withdrawn,
        }
    }
}

/// One countable thing that the durable events say. Replayed history counts too, so that
/// these go on across a restart as the journal does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fact<'a> {
    /// There are other queues or agents now.
    Configured(&'a Routing),
    /// A contact entered a queue that it was not in.
    Offered(QueueId),
    /// A contact was answered for the first time.
    Answered {
        /// In which queue.
        queue: QueueId,
        /// In which class of service.
        service: ServiceClass,
        /// After how long, its wait with the gateway included.
        waited: Span,
        /// Within the queue's target.
        in_target: bool,
    },
    /// A contact left before it was answered.
    Abandoned {
        /// In which queue.
        queue: QueueId,
        /// In which class of service.
        service: ServiceClass,
        /// After how long, its wait with the gateway included.
        waited: Span,
        /// Within the queue's target.
        in_target: bool,
    },
    /// A reservation was accepted, this long after it was made.
    Accepted(Span),
    /// A reservation was not taken.
    NotTaken(NotTaken),
    /// Legs were not joined.
    ConnectFailed(ConnectFault),
    /// A contact ended.
    Closed(EndReason),
    /// A customer's words were found to mean something that counts.
    Triaged(TriageClass),
    /// A contact went back from self-service to its queue.
    Returned(ReturnedBecause),
    /// A text of a playbook was said, or was not.
    Said(TextKind, HowSaid),
    /// A contact was sent to self-service that had been there.
    BouncedTwice,
    /// A contact came back from self-service to a later place.
    PlaceLost,
    /// A contact about safety was sent to self-service.
    SafetyDiverted,
    /// A contact was reserved while somebody had it.
    DoubleReservation,
    /// The replica's state hash differed from the owner's.
    Diverged,
}

/// Is told what happens in the shard.
pub trait Observer: Debug + Send + Sync + 'static {
    /// How long the engine took for one command; every 16th is measured.
    fn decided(&self, took: Duration);
    /// Commands were handled since the last call, this many.
    fn handled(&self, commands: u64);
    /// The engine said no.
    fn refused(&self, kind: RefusalKind);
    /// A lane was full, and a command was turned away undecided.
    fn turned_away(&self, lane: Lane);
    /// Batches that are decided and not durable, 0 to 2.
    fn undurable(&self, batches: usize);
    /// A batch of this many entries became durable.
    fn synced(&self, took: Duration, entries: usize);
    /// Open sessions of a role.
    fn sessions(&self, role: SessionRole, open: usize);
    /// A session's outgoing side was ended from here.
    fn cut_off(&self, role: SessionRole, why: SessionOver);
    /// A receipt was shown that was not signed here.
    fn forged_receipt(&self);
    /// The replica applied an event that counts.
    fn fact(&self, fact: Fact<'_>);
    /// The replica shows its state, about once a second; `behind` is how many durable
    /// entries it has not applied yet.
    fn look(&self, view: &View<'_>, behind: u64);
}
