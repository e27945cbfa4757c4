//! What the replica has seen, as a snapshot holds it: counts since the journal began, and
//! what counting, showing and speaking to customers needs of each open contact.
//!
//! Plain values. The replica's modules own them and say what they mean; they are defined
//! here so that the codec can store them without knowing the shard.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::entry::{Actor, Sealed};
use crate::engine::event::{Event, Settled};
use crate::engine::recall::{Level, LotVerdict, ReturnedBecause, Text, Tier, TriageClass};
use crate::engine::words::{ConnectFault, EndReason, Keys, NotTaken, ServiceClass};
use crate::ids::{ContactId, CustomerId, EffectId, QueueId, RecallId, ReservationId};
use crate::time::{EngineTime, Place, Span, WallTime};

/// Everything the replica keeps beside its engine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// How often what happened since the journal began.
    pub tallies: Vec<Tallied>,
    /// Recalls in the order of start.
    pub recalls: Vec<RecallStatistics>,
    /// What counting needs of open contacts.
    pub tracks: Vec<(ContactId, Track)>,
    /// Sealed data of open contacts.
    pub people: Vec<(ContactId, Arc<Known>)>,
    /// What happened to open contacts.
    pub timelines: Vec<(ContactId, Arc<Timeline>)>,
}

/// How often something happened, and how long it took altogether.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tallied {
    /// What.
    pub what: Counted,
    /// How often.
    pub times: u64,
    /// How long altogether, where that is counted.
    pub sum: Span,
}

/// Something that is counted since the journal began. Times are told by which bucket of
/// their histogram they fell in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Counted {
    /// A contact entered a queue that it was not in.
    Offered(QueueId),
    /// A contact was answered for the first time.
    Answered(Waited),
    /// A contact left before it was answered.
    Abandoned(Waited),
    /// A reservation was accepted, after a time in this bucket.
    Accepted(u8),
    /// A reservation was not taken.
    NotTaken(NotTaken),
    /// Legs were not joined.
    ConnectFailed(ConnectFault),
    /// A contact ended.
    Closed(EndReason),
    /// A customer said what they think of a contact of this queue, with this score in tenths.
    Feedback(QueueId, Option<u8>),
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
}

/// A wait that ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Waited {
    /// In which queue.
    pub queue: QueueId,
    /// In which class of service.
    pub service: ServiceClass,
    /// Within the queue's target.
    pub in_target: bool,
    /// In which bucket.
    pub bucket: u8,
}

/// The texts of playbooks as counted: one for all answers, one for all options.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
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

/// Who brought something about, why and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brought {
    /// Who; the router itself where a time was up.
    pub by: Actor,
    /// The reason that they gave; none where nobody was asked for one.
    pub why: Option<Arc<str>>,
    /// Wall time, to the batch.
    pub wall: WallTime,
}

/// What happened in one recall, beyond what the engine counts of its tiers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecallStatistics {
    /// Which.
    pub recall: RecallId,
    /// Where it is; normal once it is over.
    pub level: Level,
    /// It has ended.
    pub over: bool,
    /// Who started it.
    pub started: Brought,
    /// Who brought it to where it is: its level, or its end.
    pub now: Brought,
    /// Contacts that went back to the agents, by [`Tier::index`] and in the order of
    /// [`ReturnedBecause::ALL`].
    pub returned: [[u64; ReturnedBecause::ALL.len()]; Tier::ALL.len()],
    /// Contacts whose words meant something by its playbook, in the order of
    /// [`TriageClass::ALL`].
    pub triaged: [u64; TriageClass::ALL.len()],
    /// Texts of its playbook, by [`TextKind::index`] and [`HowSaid::index`].
    pub said: [[u64; HowSaid::ALL.len()]; TextKind::ALL.len()],
}

impl RecallStatistics {
    pub(crate) fn new(recall: RecallId, level: Level, started: Brought) -> Self {
        Self {
            recall,
            level,
            over: false,
            now: started.clone(),
            started,
            returned: Default::default(),
            triaged: Default::default(),
            said: Default::default(),
        }
    }

    /// Contacts that went back to the agents for a reason, from both tiers.
    #[must_use]
    pub fn returned_because(&self, because: ReturnedBecause) -> u64 {
        self.returned.iter().map(|tier| tier[because as usize]).sum()
    }
}

/// What counting needs to know of an open contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Track {
    /// When it arrived.
    pub arrived: EngineTime,
    /// How long it had waited with the gateway before.
    pub waited_before: Span,
    /// Its queue.
    pub queue: Option<QueueId>,
    /// Its class of service.
    pub service: Option<ServiceClass>,
    /// It waits with nobody.
    pub waits: bool,
    /// It is a consult.
    pub consult: bool,
    /// The customer is called back: their wait is counted apart.
    pub callback: bool,
    /// It was answered.
    pub answered: bool,
    /// By which reservation somebody has it.
    pub held: Option<ReservationId>,
    /// When it was reserved, while it is.
    pub reserved: Option<EngineTime>,
    /// For recalls.
    pub machine: TrackMachine,
}

/// What counting needs to know of an open contact for recalls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrackMachine {
    /// It was in self-service, or goes on from one that was.
    pub was_there: bool,
    /// Its words were about safety, whatever its class of service.
    pub safety: bool,
    /// Its place by the engine's own book when it went to self-service, while it is there.
    pub left_at: Option<Place>,
    /// How it stands.
    pub stands: Option<Stands>,
    /// How it stood when it went to self-service, until it stands again or an agent is found.
    pub ticket: Option<Stands>,
    /// What is being said to the customer.
    pub saying: Vec<(EffectId, RecallId, TextKind)>,
}

/// How a contact stands in line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stands {
    /// Its place.
    pub place: Place,
    /// The place without the queue's head start, to be compared between queues.
    pub anywhere: i128,
}

/// Who is at the end of an open contact, how they arrived, and what they said since an
/// agent last let go of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// Who it is.
    pub customer: Option<CustomerId>,
    /// What came with the arrival.
    pub arrived: Option<Sealed>,
    /// What was said.
    pub said: VecDeque<Sealed>,
    /// Whose self-service it was in.
    pub recall: Option<RecallId>,
    /// Keys that were checked as a lot, with what the check said.
    pub lots: Vec<(LotVerdict, Keys)>,
}

/// What happened to one contact, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timeline {
    /// In order, so many as are kept.
    pub items: Vec<TimelineItem>,
    /// Earlier ones that were forgotten.
    pub forgotten: u64,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimelineItem {
    /// Sequence of its entry.
    pub sequence: u64,
    /// Engine time.
    pub at: EngineTime,
    /// Wall time, to the batch.
    pub wall: WallTime,
    /// Who brought it about.
    pub actor: Actor,
    /// What happened.
    pub event: Arc<Event>,
    /// Personal data of its entry.
    pub sealed: Option<Sealed>,
    /// It is a reservation whose agent became ready in the same entry.
    pub became_ready: bool,
}
