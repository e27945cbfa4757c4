//! An agent as the engine holds one: presence, availability, and what they have in hand.

use smallvec::SmallVec;

use super::day::{Leaving, OutsideCall};
use super::policy::Channels;
use super::routing::AgentProfile;
use super::words::{Availability, Channel};
use crate::ids::{AgentId, ContactId, QueueId, ReasonId, SessionId};
use crate::time::EngineTime;

/// The reason that the router sets after unanswered reservations: the first of every table.
pub const RING_NO_ANSWER: ReasonId = ReasonId(0);
/// The reason of one who has just connected: the second of every table.
pub const JUST_CONNECTED: ReasonId = ReasonId(1);

/// One whole of an agent's capacity. A contact uses `WHOLE / capacity` of its channel.
pub const WHOLE: u32 = 1_000_000;

/// Whether an agent can hear us.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Presence {
    /// No stream.
    Absent,
    /// On a stream.
    Connected(SessionId),
    /// The stream is gone; until then what they have waits.
    Lost {
        /// Until when.
        until: EngineTime,
    },
}

/// What a contact in an agent's hands is to them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hold {
    /// Held for them.
    Reserved,
    /// Their phone is being called.
    Connecting,
    /// With them.
    Assigned,
    /// Over; the work after it is not.
    WrapUp {
        /// Since when.
        since: EngineTime,
        /// Until when at most.
        until: EngineTime,
    },
}

/// One contact in an agent's hands. Each uses capacity until it leaves them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Work {
    /// Which contact; closed already if it is in wrap-up.
    pub contact: ContactId,
    /// The queue that it came from.
    pub queue: QueueId,
    /// Its channel.
    pub channel: Channel,
    /// What it is to them.
    pub hold: Hold,
}

/// One agent.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Agent {
    /// Who.
    pub id: AgentId,
    /// Whether they can hear us.
    pub presence: Presence,
    /// What they are available for.
    pub availability: Availability,
    /// What they want to be after the last contact in hand.
    pub next: Option<Availability>,
    /// Their phone was not reached.
    pub phone_unreachable: bool,
    /// Reservations not answered, in a row.
    pub missed: u8,
    /// Since when they have had nothing new: the end of their last work, or their becoming ready.
    pub idle_since: EngineTime,
    /// Since when they are available as they are.
    pub since: EngineTime,
    /// What they have in hand.
    pub work: SmallVec<[Work; 2]>,
    /// When the reason for which they are not ready will have lasted too long.
    pub over_at: Option<EngineTime>,
    /// It has.
    pub overstayed: bool,
    /// They are to be signed out.
    pub leaving: Option<Leaving>,
    /// Calls that they are in outside the router.
    pub outside: Vec<OutsideCall>,
}

/// An agent's state as counted: what a supervisor wants to see first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AgentState {
    /// Not at work.
    SignedOut,
    /// Their stream is gone, they may come back.
    Lost,
    /// Not available.
    NotReady,
    /// Available, with nothing in hand.
    Ready,
    /// A contact is held for them.
    Reserved,
    /// With a contact, or being connected.
    Busy,
    /// In the work after a contact.
    WrapUp,
}

impl AgentState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::SignedOut,
        Self::Lost,
        Self::NotReady,
        Self::Ready,
        Self::Reserved,
        Self::Busy,
        Self::WrapUp,
    ];

    /// The word for it in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Lost => "lost",
            Self::NotReady => "not_ready",
            Self::Ready => "ready",
            Self::Reserved => "reserved",
            Self::Busy => "busy",
            Self::WrapUp => "wrap_up",
        }
    }
}

impl Agent {
    /// One who has not been seen yet.
    #[must_use]
    pub fn absent(id: AgentId) -> Self {
        Self {
            id,
            presence: Presence::Absent,
            availability: Availability::SignedOut,
            next: None,
            phone_unreachable: false,
            missed: 0,
            idle_since: EngineTime::ZERO,
            since: EngineTime::ZERO,
            work: SmallVec::new(),
            over_at: None,
            overstayed: false,
            leaving: None,
            outside: Vec::new(),
        }
    }

    /// Their state as counted: what they have in hand before what they say they are.
    #[must_use]
    pub fn state(&self) -> AgentState {
        let rank = |w: &Work| match w.hold {
            Hold::Connecting | Hold::Assigned => AgentState::Busy,
            Hold::Reserved => AgentState::Reserved,
            Hold::WrapUp { .. } => AgentState::WrapUp,
        };
        let any = |state| self.work.iter().any(|w| rank(w) == state);
        if any(AgentState::Busy) || !self.outside.is_empty() {
            AgentState::Busy
        } else if matches!(self.presence, Presence::Lost { .. }) {
            AgentState::Lost
        } else if any(AgentState::Reserved) {
            AgentState::Reserved
        } else if any(AgentState::WrapUp) {
            AgentState::WrapUp
        } else {
            match self.availability {
                Availability::Ready => AgentState::Ready,
                Availability::NotReady(_) => AgentState::NotReady,
                Availability::SignedOut => AgentState::SignedOut,
            }
        }
    }

    /// Whether they have neither contacts nor calls.
    #[must_use]
    pub fn is_empty_handed(&self) -> bool {
        self.work.is_empty() && self.outside.is_empty()
    }

    /// Whether they are to be signed out and the time for it has come.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some_and(|l| l.begun)
    }

    /// How much of their capacity is in use, of [`WHOLE`]. What is interrupted uses none; a
    /// call outside the router uses as much as any call.
    #[must_use]
    pub fn load(&self, profile: &AgentProfile) -> u32 {
        if !profile.workload.interrupts_any() {
            let outside = self.outside.iter().map(|_| Channel::Voice);
            let channels = self.work.iter().map(|w| w.channel).chain(outside);
            return channels.map(|c| cost(profile, c)).fold(0, u32::saturating_add);
        }
        let used = self.used_in_all(profile);
        load_of(profile, &used, in_hand(&used))
    }

    /// The most that their contacts would use if some of them ended, and what those interrupt
    /// went on: no more than [`WHOLE`], or they were given too much. A call outside the router
    /// was given by nobody here.
    #[must_use]
    pub fn most_load(&self, profile: &AgentProfile) -> u32 {
        most_load_of(profile, &self.used(profile))
    }

    /// By channel, what their contacts cost, interrupted or not.
    fn used(&self, profile: &AgentProfile) -> [u32; 4] {
        let mut used = [0u32; 4];
        for w in &self.work {
            let of = &mut used[w.channel.index()];
            *of = of.saturating_add(cost(profile, w.channel));
        }
        used
    }

    /// The same with calls outside the router.
    fn used_in_all(&self, profile: &AgentProfile) -> [u32; 4] {
        let mut used = self.used(profile);
        for _ in &self.outside {
            let of = &mut used[Channel::Voice.index()];
            *of = of.saturating_add(cost(profile, Channel::Voice));
        }
        used
    }

    /// Whether calls outside the router and what they have in hand are more than they can bear.
    pub(crate) fn is_overloaded(&self, profile: &AgentProfile) -> bool {
        most_load_of(profile, &self.used_in_all(profile)) > WHOLE
    }

    /// Whether they take contacts of this channel, now or as soon as they have capacity.
    #[must_use]
    pub fn serves(&self, profile: &AgentProfile, channel: Channel) -> bool {
        self.is_open(profile) && self.takes(profile, channel)
    }

    /// Whether contacts of this channel are theirs at all, if they are open to any.
    pub(crate) fn takes(&self, profile: &AgentProfile, channel: Channel) -> bool {
        profile.capacity[channel.index()] > 0
            && !(self.phone_unreachable && channel == Channel::Voice)
    }

    /// Whether they may be offered a contact of this channel now.
    #[must_use]
    pub fn can_take(&self, profile: &AgentProfile, channel: Channel) -> bool {
        self.serves(profile, channel) && self.has_room(profile, channel, self.load(profile))
    }

    /// Whether they may be offered anything, if there is room for it.
    pub(crate) fn is_open(&self, profile: &AgentProfile) -> bool {
        matches!(self.presence, Presence::Connected(_))
            && self.availability == Availability::Ready
            // Who wants to stop after the last contact in hand gets no more on top of it.
            && self.next.is_none_or(|next| next == Availability::Ready)
            && !self.is_leaving()
            && !profile.retired
    }

    /// Whether one more contact of a channel fits into what they can bear, whatever of it
    /// ends first. `load` is [`Self::load`], which is the same for every channel.
    pub(crate) fn has_room(&self, profile: &AgentProfile, channel: Channel, load: u32) -> bool {
        let more = cost(profile, channel);
        if !profile.workload.interrupts_any() {
            return load.saturating_add(more) <= WHOLE;
        }
        let mut used = self.used_in_all(profile);
        // While a call lasts, nothing more of what it interrupts.
        if in_hand(&used).each().any(|c| profile.workload.interrupts[c.index()].has(channel)) {
            return false;
        }
        used[channel.index()] = used[channel.index()].saturating_add(more);
        // Not before an answer to what is only held for them: it would go unanswered.
        let interrupted = profile.workload.interrupts[channel.index()];
        let unanswered = |w: &Work| matches!(w.hold, Hold::Reserved | Hold::Connecting);
        if self.work.iter().any(|w| interrupted.has(w.channel) && unanswered(w)) {
            return used.iter().fold(0, |sum: u32, of| sum.saturating_add(*of)) <= WHOLE;
        }
        most_load_of(profile, &used) <= WHOLE
    }

    /// What they hold of a contact.
    #[must_use]
    pub fn work_on(&self, contact: ContactId) -> Option<&Work> {
        self.work.iter().find(|w| w.contact == contact)
    }
}

/// What one contact of a channel uses of an agent's capacity. Rounded down, which for
/// capacities up to 100 and budgets up to 1,000 lets exactly as many in as add up.
#[must_use]
pub fn cost(profile: &AgentProfile, channel: Channel) -> u32 {
    match (profile.workload.cost[channel.index()], profile.capacity[channel.index()]) {
        (_, 0) => WHOLE,
        (0, n) => WHOLE / u32::from(n),
        (cost, _) => WHOLE / u32::from(profile.workload.budget.max(1)) * u32::from(cost),
    }
}

/// How many contacts of a channel an agent with empty hands takes at once.
pub(crate) fn at_once(profile: &AgentProfile, channel: Channel) -> u32 {
    match profile.workload.cost[channel.index()] {
        // What `WHOLE / cost` comes to, without the divisions: this is asked with every event.
        0 => profile.capacity[channel.index()].into(),
        _ => WHOLE / cost(profile, channel).max(1),
    }
}

fn in_hand(used: &[u32; 4]) -> Channels {
    Channel::ALL.into_iter().filter(|c| used[c.index()] > 0).collect()
}

/// What contacts on these channels use when those that are interrupted use nothing.
fn load_of(profile: &AgentProfile, used: &[u32; 4], on: Channels) -> u32 {
    let interrupted =
        |c: Channel| on.each().any(|by| profile.workload.interrupts[by.index()].has(c));
    let of = on.each().filter(|c| !interrupted(*c)).map(|c| used[c.index()]);
    of.fold(0, u32::saturating_add)
}

fn most_load_of(profile: &AgentProfile, used: &[u32; 4]) -> u32 {
    in_hand(used).parts().map(|on| load_of(profile, used, on)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::policy::Workload;

    fn ready(work: &[(Channel, Hold)]) -> Agent {
        let work = work.iter().zip(1..).map(|((channel, hold), n)| Work {
            contact: ContactId(n),
            queue: QueueId(0),
            channel: *channel,
            hold: *hold,
        });
        Agent {
            presence: Presence::Connected(SessionId(1)),
            availability: Availability::Ready,
            work: work.collect(),
            ..Agent::absent(AgentId(0))
        }
    }

    /// A call may come before emails and messages; a chat takes 40 of 100.
    fn profile() -> AgentProfile {
        let mut workload = Workload { cost: [100, 40, 50, 25], ..Workload::default() };
        workload.interrupts[Channel::Voice.index()] =
            [Channel::Email, Channel::Message].into_iter().collect();
        AgentProfile { capacity: [1, 2, 2, 4], workload, ..AgentProfile::default() }
    }

    fn takes(work: &[(Channel, Hold)], profile: &AgentProfile) -> [bool; 4] {
        Channel::ALL.map(|c| ready(work).can_take(profile, c))
    }

    #[test]
    fn costs_add_up_to_the_budget_and_no_further() {
        let p = profile();
        let (chat, message) = ((Channel::Chat, Hold::Assigned), (Channel::Message, Hold::Assigned));
        assert_eq!(takes(&[], &p), [true; 4]);
        assert_eq!(takes(&[chat], &p), [false, true, true, true]);
        assert_eq!(takes(&[chat, message], &p), [false, false, false, true]);
        for budget in 1..=1_000u16 {
            for cost in [1, 3, 7, budget] {
                let cost = cost.min(budget);
                let workload = Workload { budget, cost: [cost; 4], ..Workload::default() };
                let p = AgentProfile { capacity: [1; 4], workload, ..AgentProfile::default() };
                let n = u32::from(budget / cost);
                let each = super::cost(&p, Channel::Chat);
                assert!(each * n <= WHOLE && each * (n + 1) > WHOLE, "{n} of {cost} in {budget}");
            }
        }
    }

    #[test]
    fn as_many_fit_at_once_as_add_up() {
        for capacity in 1..=u8::MAX {
            let p = AgentProfile { capacity: [capacity; 4], ..AgentProfile::default() };
            let added_up = WHOLE / super::cost(&p, Channel::Chat);
            assert_eq!(at_once(&p, Channel::Chat), added_up, "{capacity}");
        }
        assert_eq!(at_once(&profile(), Channel::Chat), 2, "40 of 100");
    }

    #[test]
    fn a_call_interrupts_emails_that_were_taken_and_nothing_more_of_them_comes() {
        let p = profile();
        let (email, call) = ((Channel::Email, Hold::Assigned), (Channel::Voice, Hold::Assigned));
        assert_eq!(takes(&[email, email], &p), [true, false, false, false], "full but for a call");
        assert_eq!(takes(&[email, email, call], &p), [false; 4]);
        let both = ready(&[email, email, call]);
        assert_eq!((both.load(&p), both.most_load(&p)), (WHOLE, WHOLE));
        assert!(!takes(&[(Channel::Email, Hold::Reserved)], &p)[0], "not answered yet");
        let chat = (Channel::Chat, Hold::Assigned);
        assert!(!takes(&[chat, email], &p)[0], "a chat is not interrupted");
    }

    #[test]
    fn what_is_interrupted_still_fits_when_it_goes_on() {
        let mut p = profile();
        p.workload.cost[Channel::Voice.index()] = 60;
        let (email, call) = ((Channel::Email, Hold::Assigned), (Channel::Voice, Hold::Assigned));
        // The chat fits beside the call, not beside the emails once the call is over.
        assert_eq!(takes(&[email, email, call], &p), [false; 4]);
        assert_eq!(takes(&[email, call], &p), [false, true, false, false]);
        assert_eq!(takes(&[call], &p), [false, true, false, false]);
    }
}
