//! How somebody who is hurt and whom nobody answers is got to a person, and who is called in.
//!
//! Values. A safety contact carries its [`Lane`]: what is done for it next, and when. A recall
//! carries its [`Alarm`]: whether people were paged, and which pages are not settled yet.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::ids::{AgentId, ExternalId, QueueId, RecallId};
use crate::time::{EngineTime, Span};

/// Pages of one recall that are not settled; of more the oldest is given up.
pub const MOST_PAGES: usize = 8;
/// How long a page may take until it is settled; after that nobody waits for it.
pub const PAGED_WITHIN: Span = Span::seconds(600);
/// How soon people are paged again when a page reached nobody.
pub const PAGE_AGAIN: Span = Span::seconds(60);
/// How soon the number outside is tried again for one whom it did not take.
pub const OUTSIDE_AGAIN: Span = Span::seconds(30);

/// The class that self-service never touches.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SafetyPlan {
    /// Where safety contacts wait, if that queue takes their channel.
    pub queue: QueueId,
    /// Agents kept for them, sorted.
    pub kept: Vec<AgentId>,
    /// Who takes them when nobody here does.
    pub external: Option<Outside>,
    /// When they have waited too long, and what is done then.
    pub late: LatePlan,
}

/// What is done for a safety contact that waits, counted from when it began to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LatePlan {
    /// After this any agent may have it.
    pub any_agent: Span,
    /// After this it goes to the number outside.
    pub external: Span,
    /// After this people are paged.
    pub page: Span,
    /// How often they are paged again while somebody still waits.
    pub repeat: Span,
}

impl Default for LatePlan {
    fn default() -> Self {
        let (target, twice) = (Span::seconds(30), Span::seconds(60));
        Self { any_agent: target, external: twice, page: twice, repeat: Span::seconds(600) }
    }
}

/// A number outside the router that takes who is hurt.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outside {
    /// One of the configuration's.
    Named(ExternalId),
    /// A telephone number, as dialled; for calls alone.
    Number(Arc<str>),
}

/// What is still to be done for a safety contact that nobody has answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lane {
    /// By whose plan.
    pub recall: RecallId,
    /// Since when it waits.
    pub since: EngineTime,
    /// When any agent may have it; none once they may.
    pub any_agent: Option<EngineTime>,
    /// When it goes to the number outside; none where there is none for its channel.
    pub outside: Option<EngineTime>,
    /// When people are paged about it; none once that was so.
    pub page: Option<EngineTime>,
}

impl Lane {
    /// What is done for one that waits since then.
    #[must_use]
    pub fn of(recall: RecallId, plan: &SafetyPlan, takes: bool, since: EngineTime) -> Self {
        let late = plan.late;
        let outside = takes.then(|| since + late.external);
        let (any_agent, page) = (Some(since + late.any_agent), Some(since + late.page));
        Self { recall, since, any_agent, outside, page }
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<EngineTime> {
        [self.any_agent, self.outside, self.page].into_iter().flatten().min()
    }

    /// The same for one who is not on the line: no number outside can have them.
    #[must_use]
    pub fn due_off_line(&self) -> Option<EngineTime> {
        [self.any_agent, self.page].into_iter().flatten().min()
    }

    /// Any agent may have it.
    #[must_use]
    pub const fn is_anyones(&self) -> bool {
        self.any_agent.is_none()
    }

    /// It waited so long that people are paged.
    #[must_use]
    pub const fn is_late(&self) -> bool {
        self.page.is_none()
    }
}

/// Whether people are called in because somebody who is hurt waits too long.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Alarm {
    /// Times that it came to this.
    pub incidents: u32,
    /// Pages that were asked for.
    pub pages: u32,
    /// Of those that reached nobody.
    pub failed: u32,
    /// Since when the present one lasts; none while nobody waits too long.
    pub since: Option<EngineTime>,
    /// When people are paged again if it still does.
    pub again: Option<EngineTime>,
    /// Pages that are not settled, the oldest first; at most [`MOST_PAGES`].
    pub pending: SmallVec<[Page; 1]>,
    /// How the page that was settled last ended.
    pub last: Option<Paged>,
}

impl Alarm {
    /// When it is to be looked at.
    #[must_use]
    pub fn due(&self) -> Option<EngineTime> {
        let again = self.again.filter(|_| self.since.is_some());
        self.pending.iter().map(|p| p.by).chain(again).min()
    }
}

/// A page that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Page {
    /// Which of its recall's, counted from 1.
    pub number: u32,
    /// Of which incident, counted from 1.
    pub incident: u32,
    /// Since when the incident lasts.
    pub since: EngineTime,
    /// When it was asked for.
    pub asked: EngineTime,
    /// How many waited too long then.
    pub waiting: u32,
    /// When nobody waits for its outcome any more.
    pub by: EngineTime,
}

/// How a page ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Paged {
    /// Whoever was called has it.
    Sent,
    /// It could not be delivered, as often as it was tried.
    Failed,
    /// No address is configured to which pages go.
    Nowhere,
    /// Nobody said in time what became of it.
    Late,
    /// It was no longer wanted: there were newer ones, or nobody waited any more.
    Superseded,
}

impl Paged {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Sent, Self::Failed, Self::Nowhere, Self::Late, Self::Superseded];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Nowhere => "nowhere",
            Self::Late => "late",
            Self::Superseded => "superseded",
        }
    }
}

/// What became of calling people in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AlarmStep {
    /// Somebody is to page people.
    Asked {
        /// Which page.
        page: Page,
        /// When people are paged again if somebody still waits.
        again: EngineTime,
    },
    /// How a page ended, and when people are paged again if somebody still waits.
    Settled {
        /// Which of the recall's, counted from 1.
        number: u32,
        /// How.
        how: Paged,
        /// When again.
        again: Option<EngineTime>,
    },
    /// Nobody waits too long any more.
    Over,
}
