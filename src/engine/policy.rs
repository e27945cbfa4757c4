//! The policies that people choose by name: who is chosen for whom, and what a contact costs.
//!
//! Plain values of the configuration with their words. [`super::floor`] and
//! [`super::choice`] go by them, `docs/routing.md` says what each is best for. It decides
//! nothing and reads no file.

use super::words::{Channel, Needs};
use crate::time::Span;

/// How a queue's contacts and agents are chosen for each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct QueuePolicy {
    /// Skills that an agent should have: who has them comes before who has not, and nobody
    /// is excluded. Sorted by skill, each skill once.
    pub preferred: Needs,
    /// What the customer's language means here.
    pub language: LanguageRule,
    /// How long after their last contact a customer goes to the same agent first; zero never.
    pub sticky: Span,
    /// Which of several idle agents.
    pub agent_choice: AgentChoice,
    /// Its share of the backlog, as a weight against other queues', 1 to 100; 0 if nobody chose
    /// one: it is then compared with others by how much of the target was waited.
    pub share: u8,
    /// What a waiting customer costs, as a weight, 1 to 100; for [`ContactChoice::CmuTheta`].
    pub cost: u8,
    /// How long a contact takes on average; for [`ContactChoice::CmuTheta`].
    pub handle_time: Span,
    /// How long a customer waits on average before giving up; for [`ContactChoice::CmuTheta`].
    pub patience: Span,
}

impl Default for QueuePolicy {
    fn default() -> Self {
        Self {
            preferred: Needs::new(),
            language: LanguageRule::Preferred,
            sticky: Span::ZERO,
            agent_choice: AgentChoice::LongestIdle,
            share: 0,
            cost: 1,
            handle_time: Span::seconds(300),
            patience: Span::seconds(300),
        }
    }
}

impl QueuePolicy {
    /// Holding cost × service rate ÷ patience rate, in thousandths: the same for a queue
    /// whose customers cost 1 and wait as long as they take is 1,000.
    #[must_use]
    pub const fn index(&self) -> u64 {
        // At most a week of patience: 6e11 µs × 100,000 is far below the end of u64.
        let worth = self.patience.0.saturating_mul(self.cost as u64 * 1_000);
        match worth.checked_div(self.handle_time.0) {
            Some(index) => index,
            None => u64::MAX,
        }
    }
}

/// What the customer's language means to a queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LanguageRule {
    /// Only agents with its skill may take the contact.
    Required,
    /// Agents with its skill come first.
    Preferred,
    /// Nothing.
    Ignored,
}

impl LanguageRule {
    /// All of them, in the order of [`Self::WORDS`].
    pub const ALL: [Self; 3] = [Self::Required, Self::Preferred, Self::Ignored];
    /// The words for them in the configuration.
    pub const WORDS: &'static [&'static str] = &["required", "preferred", "ignored"];
}

/// Which of several idle agents gets a contact, after kept agents and preferred skills.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AgentChoice {
    /// Primary skill, least versatile, least loaded (not for calls), longest idle.
    LongestIdle,
    /// Highest proficiency in the skills that are asked for, then as above without the first two.
    MostProficient,
    /// Lowest proficiency in the skills that are asked for.
    LeastProficient,
    /// Primary skill, least versatile, then any by lot.
    Random,
}

impl AgentChoice {
    /// All of them, in the order of [`Self::WORDS`].
    pub const ALL: [Self; 4] =
        [Self::LongestIdle, Self::MostProficient, Self::LeastProficient, Self::Random];
    /// The words for them in the configuration.
    pub const WORDS: &'static [&'static str] =
        &["longest_idle", "most_proficient", "least_proficient", "random"];
}

/// Which of several waiting contacts a freed agent gets, within a class of service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ContactChoice {
    /// Of the queue that has broken its target, then of the one furthest above its share of
    /// the backlog; where shares were not chosen, who has waited the greatest part of the
    /// target.
    FixedQueueRatio,
    /// The oldest place of all.
    OldestFirst,
    /// Of the queue with the highest holding cost × service rate ÷ patience rate.
    CmuTheta,
}

impl ContactChoice {
    /// All of them, in the order of [`Self::WORDS`].
    pub const ALL: [Self; 3] = [Self::FixedQueueRatio, Self::OldestFirst, Self::CmuTheta];
    /// The words for them in the configuration.
    pub const WORDS: &'static [&'static str] = &["fixed_queue_ratio", "oldest_first", "cmu_theta"];
}

/// What contacts cost an agent, and what may come before what.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Workload {
    /// What the agent can bear at once, 1 to 1,000.
    pub budget: u16,
    /// What one contact of a channel costs of it, by [`Channel::index`]; 0 where the
    /// capacity of the channel says: the whole budget divided by that many.
    pub cost: [u16; 4],
    /// By channel, those that it may interrupt.
    pub interrupts: [Channels; 4],
}

impl Default for Workload {
    fn default() -> Self {
        Self { budget: 100, cost: [0; 4], interrupts: [Channels::NONE; 4] }
    }
}

impl Workload {
    /// Whether anything may interrupt anything.
    #[must_use]
    pub fn interrupts_any(&self) -> bool {
        self.interrupts.iter().any(|c| !c.is_empty())
    }
}

/// Some channels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Channels(u8);

impl Channels {
    /// None.
    pub const NONE: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub const fn with(self, channel: Channel) -> Self {
        Self(self.0 | 1 << channel.index())
    }

    /// Whether a channel is among them.
    #[must_use]
    pub const fn has(self, channel: Channel) -> bool {
        self.0 >> channel.index() & 1 == 1
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether two have one in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Every set of channels that is part of this one, this one included.
    pub(crate) fn parts(self) -> impl Iterator<Item = Self> {
        (0..=self.0).filter(move |p| p & self.0 == *p).map(Self)
    }

    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |c| self.has(*c))
    }
}

impl FromIterator<Channel> for Channels {
    fn from_iter<I: IntoIterator<Item = Channel>>(channels: I) -> Self {
        channels.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_weighs_cost_by_service_and_patience() {
        let of = |cost, handle, patience| {
            let (handle_time, patience) = (Span::seconds(handle), Span::seconds(patience));
            QueuePolicy { cost, handle_time, patience, ..QueuePolicy::default() }.index()
        };
        assert_eq!(of(1, 300, 300), 1_000);
        assert_eq!(of(3, 300, 300), 3_000, "dearer goes first");
        assert_eq!(of(1, 150, 300), 2_000, "quicker goes first");
        assert_eq!(of(1, 300, 600), 2_000, "who stays goes before who would leave anyway");
        assert_eq!(of(100, 1, 604_800), 60_480_000_000);
    }

    #[test]
    fn parts_of_channels_are_all_there_once() {
        let three: Channels =
            [Channel::Voice, Channel::Email, Channel::Message].into_iter().collect();
        let parts: Vec<Channels> = three.parts().collect();
        assert_eq!(parts.len(), 8);
        assert!(parts.contains(&Channels::NONE) && parts.contains(&three));
        assert!(parts.iter().all(|p| !p.has(Channel::Chat)));
        assert_eq!(three.each().count(), 3);
    }
}
