//! The routing configuration that the engine decides by: tables in the order of their ids.
//!
//! It enters the journal as one event and replaces the one before. A name keeps its id
//! for ever: what a newer configuration no longer has is marked retired, not removed, so
//! that ids in old events stay true. The files that people write are `config`'s business.

use std::sync::Arc;

use smallvec::SmallVec;

use super::callback::CallbackPolicy;
use super::care::QueueCare;
use super::day::Reason;
use super::policy::{AgentChoice, ContactChoice, QueuePolicy, Workload};
use super::promise::PromiseSettings;
use super::queue_life::{Calendar, External, Notice, Pools, QueueLife, QueueStep};
use super::sharing::Sharing;
use super::words::{Channel, Language, Needs};
use crate::ids::{
    AgentId, CalendarId, DispositionId, EntryPointId, ExternalId, NoticeId, PoolId, QueueId,
    ReasonId, SharingId, SkillId,
};
use crate::time::Span;

/// A name of the configuration: 1 to 64 of `a-z 0-9 _ - . @`, beginning with a letter or digit.
pub type Name = Arc<str>;

/// Everything that routing is decided by.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Routing {
    /// Skills, by [`SkillId`].
    pub skills: Vec<Listed>,
    /// Pools, by [`PoolId`].
    pub pools: Vec<Listed>,
    /// Pools of partners, sorted: their agents take only what a recall that they joined lets
    /// them.
    pub partners: Pools,
    /// Queues, by [`QueueId`].
    pub queues: Vec<Queue>,
    /// Agents, by [`AgentId`].
    pub agents: Vec<AgentProfile>,
    /// Entry points, by [`EntryPointId`].
    pub entry_points: Vec<EntryPoint>,
    /// Reasons for not being ready, by [`ReasonId`]. The first is the one the router
    /// itself sets after unanswered reservations.
    pub not_ready_reasons: Vec<Reason>,
    /// Disposition codes, by [`DispositionId`].
    pub dispositions: Vec<Listed>,
    /// When queues are open, by [`CalendarId`].
    pub calendars: Vec<Calendar>,
    /// Destinations outside the router, by [`ExternalId`].
    pub externals: Vec<External>,
    /// Who helps whom in overload, by [`SharingId`].
    pub sharings: Vec<Sharing>,
    /// What queues tell, by [`NoticeId`].
    pub notices: Vec<Notice>,
    /// The skill that speaks a language, sorted by language, each once.
    pub languages: Vec<(Language, SkillId)>,
    /// What customers of chats are asked who fell silent, by language, the one for all other
    /// languages first; empty: the router's own words. Never read here.
    pub still_there: Vec<(Option<Language>, Arc<str>)>,
    /// What holds for the whole router.
    pub settings: Settings,
}

/// A name in a table that has nothing more to say.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Listed {
    /// Its name, unique in its table.
    pub name: Name,
    /// No longer in the configuration.
    pub retired: bool,
}

/// Where contacts of a kind wait.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Queue {
    /// Its name, unique among queues.
    pub name: Name,
    /// No longer in the configuration: takes no more contacts, those it has are served.
    pub retired: bool,
    /// Skills that an agent must have to take from it.
    pub needs: Needs,
    /// Pools that may take from it; empty for all.
    pub pools: SmallVec<[PoolId; 4]>,
    /// Channels that it takes, by [`Channel::index`].
    pub channels: [bool; 4],
    /// Its contacts are of the safety class, whatever their gateway says.
    pub safety: bool,
    /// Service level target: answered within.
    pub target: Span,
    /// Head start of its contacts over those of other queues, at most a day.
    pub head_start: Span,
    /// How long an agent has to answer a reservation, 1 s to 10 min; email and message apart.
    pub reservation_timeout: Span,
    /// How long the legs may take to be joined, 1 s to 5 min.
    pub connect_timeout: Span,
    /// Work after a contact before the agent is free for the next, zero for none.
    pub wrap_up: Span,
    /// How long that may last at most when it is extended; zero: it is not extended.
    pub wrap_up_most: Span,
    /// How its contacts and agents are chosen for each other.
    pub policy: QueuePolicy,
    /// What changes for those who wait long, at most [`MOST_STEPS`](super::queue_life::MOST_STEPS).
    pub steps: Vec<QueueStep>,
    /// When it takes contacts, and what becomes of others.
    pub life: QueueLife,
    /// How it makes callbacks; none if it makes none.
    pub callback: Option<Arc<CallbackPolicy>>,
    /// How it cares for those who wait.
    pub care: QueueCare,
}

/// An agent of the configuration.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AgentProfile {
    /// Their name, unique among agents.
    pub name: Name,
    /// No longer in the configuration: gets nothing more, finishes what they have.
    pub retired: bool,
    /// The pool they belong to.
    pub pool: PoolId,
    /// Skills with proficiency 1 to 5, sorted by skill.
    pub skills: SmallVec<[(SkillId, u8); 4]>,
    /// The skill they are chosen for before others.
    pub primary: Option<SkillId>,
    /// How many contacts of each channel at once, by [`Channel::index`], 0 to 100. A mix
    /// is taken as long as the shares used add up to no more than one whole.
    pub capacity: [u8; 4],
    /// What contacts cost them, where the capacity alone does not say, and what may
    /// interrupt what.
    pub workload: Workload,
    /// The largest remedy that they may give without asking, in cents.
    pub authority: u64,
}

/// Where contacts come in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EntryPoint {
    /// Its name, unique among entry points.
    pub name: Name,
    /// No longer in the configuration.
    pub retired: bool,
    /// The queue it leads to.
    pub queue: QueueId,
}

/// What holds for the whole router.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Settings {
    /// Unanswered reservations in a row after which an agent is set not ready, 1 to 10.
    pub ring_no_answer_limit: u8,
    /// How long an agent who declined or did not answer is passed over for that contact.
    pub pass_over: Span,
    /// How long a woken or transferred contact is kept for the agent it names.
    pub named_wait: Span,
    /// How long an agent's contacts wait for a lost connection to come back.
    pub agent_grace: Span,
    /// Share of decisions that goes to async contacts when live ones wait too, 0 to 50 per cent.
    pub async_share: u8,
    /// Most open contacts; arrivals beyond are refused.
    pub most_contacts: u32,
    /// Which of several waiting contacts a freed agent gets.
    pub contact_choice: ContactChoice,
    /// How promises are kept.
    pub promises: PromiseSettings,
    /// Agents are told when a supervisor listens to a contact of theirs.
    pub tell_listening: bool,
    /// A call outside the router that nobody has reported as ended is over after this: a
    /// gateway that forgot it must not keep an agent from work for the rest of the day.
    pub outside_lasts: Span,
    /// Who leaves sooner than this has not waited: a short abandon in the interval record.
    /// Nothing is decided by it; a record that is made again must count as it did.
    pub short_abandon: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_no_answer_limit: 1,
            pass_over: Span::seconds(60),
            named_wait: Span::seconds(30),
            agent_grace: Span::seconds(30),
            async_share: 10,
            most_contacts: 1_000_000,
            contact_choice: ContactChoice::FixedQueueRatio,
            promises: PromiseSettings::default(),
            tell_listening: true,
            outside_lasts: Span::seconds(4 * 3600),
            short_abandon: Span::seconds(5),
        }
    }
}

impl Routing {
    /// The queue of an id that this configuration gave out.
    #[must_use]
    pub fn queue(&self, id: QueueId) -> Option<&Queue> {
        self.queues.get(id.index())
    }

    /// The agent of an id that this configuration gave out.
    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&AgentProfile> {
        self.agents.get(id.index())
    }

    /// The skill that speaks a language; none if the configuration names none.
    #[must_use]
    pub fn speaks(&self, language: Language) -> Option<SkillId> {
        let at = self.languages.binary_search_by_key(&language, |(l, _)| *l).ok()?;
        Some(self.languages[at].1)
    }

    /// The longest that any queue lets a customer go to their last agent first.
    #[must_use]
    pub fn longest_sticky(&self) -> Span {
        self.queues.iter().map(|q| q.policy.sticky).max().unwrap_or(Span::ZERO)
    }

    /// Whether some queue chooses agents by lot.
    #[must_use]
    pub fn draws_lots(&self) -> bool {
        self.queues.iter().any(|q| q.policy.agent_choice == AgentChoice::Random)
    }

    /// Names for people, `"?"` for an id that the tables do not have.
    #[must_use]
    pub fn queue_name(&self, id: QueueId) -> &str {
        self.queue(id).map_or("?", |q| &q.name)
    }

    /// The agent's name, `"?"` for an id that the tables do not have.
    #[must_use]
    pub fn agent_name(&self, id: AgentId) -> &str {
        self.agent(id).map_or("?", |a| &a.name)
    }

    /// The reason's name, `"?"` for an id that the tables do not have.
    #[must_use]
    pub fn reason_name(&self, id: ReasonId) -> &str {
        self.not_ready_reasons.get(id.index()).map_or("?", |r| &r.name)
    }

    /// The disposition's name, `"?"` for an id that the tables do not have.
    #[must_use]
    pub fn disposition_name(&self, id: DispositionId) -> &str {
        self.dispositions.get(id.index()).map_or("?", |d| &d.name)
    }

    /// The entry point of an id that this configuration gave out.
    #[must_use]
    pub fn entry_point(&self, id: EntryPointId) -> Option<&EntryPoint> {
        self.entry_points.get(id.index())
    }

    /// The calendar of an id that this configuration gave out.
    #[must_use]
    pub fn calendar(&self, id: CalendarId) -> Option<&Calendar> {
        self.calendars.get(id.index())
    }

    /// The destination outside of an id that this configuration gave out.
    #[must_use]
    pub fn external(&self, id: ExternalId) -> Option<&External> {
        self.externals.get(id.index())
    }

    /// The sharing of an id that this configuration gave out.
    #[must_use]
    pub fn sharing(&self, id: SharingId) -> Option<&Sharing> {
        self.sharings.get(id.index())
    }

    /// The sharing's name, `"?"` for an id that the tables do not have.
    #[must_use]
    pub fn sharing_name(&self, id: SharingId) -> &str {
        self.sharing(id).map_or("?", |s| &s.name)
    }

    /// The announcement of an id that this configuration gave out.
    #[must_use]
    pub fn notice(&self, id: NoticeId) -> Option<&Notice> {
        self.notices.get(id.index())
    }

    /// The destination's name, `"?"` for an id that the tables do not have.
    #[must_use]
    pub fn external_name(&self, id: ExternalId) -> &str {
        self.external(id).map_or("?", |e| &e.name)
    }

    /// The announcement's name, `"?"` for an id that the tables do not have.
    #[must_use]
    pub fn notice_name(&self, id: NoticeId) -> &str {
        self.notice(id).map_or("?", |n| &n.name)
    }

    /// The calendar's name, `"?"` for an id that the tables do not have.
    #[must_use]
    pub fn calendar_name(&self, id: CalendarId) -> &str {
        self.calendar(id).map_or("?", |c| &c.name)
    }

    /// Whether a queue takes a channel.
    #[must_use]
    pub fn takes(&self, queue: QueueId, channel: Channel) -> bool {
        self.queue(queue).is_some_and(|q| q.channels[channel.index()])
    }
}
