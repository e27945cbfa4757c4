//! Who is on a contact beside its customer and its owner: supervisors who listen, whisper or
//! have come in, a colleague in a conference, somebody outside.
//!
//! Plain values. One owner, many participants: nobody here ever owns a contact by being here.
//! The rules are in `decide::participants`.

use super::routing::Name;
use crate::ids::{AgentId, ContactId};
use crate::time::EngineTime;

/// Most on one contact; more are refused.
pub const MOST_PARTICIPANTS: usize = 8;

/// Who somebody is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// A supervisor, by the name that the gateway reaches them by.
    Supervisor(Name),
    /// Somebody who is no agent, by what the agent calls them; how they are reached rides
    /// sealed.
    Outside(Name),
    /// The second agent of the contact's consult, who keeps their own contact for it.
    Colleague {
        /// The consult.
        consult: ContactId,
        /// Who.
        agent: AgentId,
    },
}

/// What part somebody takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// Hears all, is heard by nobody.
    Listens,
    /// Hears all, is heard by the agent.
    Whispers,
    /// Hears all, is heard by all.
    Talks,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Listens, Self::Whispers, Self::Talks];

    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listens => "listens",
            Self::Whispers => "whispers",
            Self::Talks => "talks",
        }
    }
}

/// One who is on a contact, or is being brought onto it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Participant {
    /// Which, counted from 1 for each contact and never used again.
    pub id: u16,
    /// Who.
    pub who: Who,
    /// What part they take; while they are being brought on, what part they will take.
    pub part: Part,
    /// Since when they are on it; none while they are being brought on.
    pub on: Option<EngineTime>,
    /// The contact's agent is told of them.
    pub told: bool,
}

impl Participant {
    /// Whether they speak with the customer, or are about to, and would be cut off if the
    /// contact ended; a supervisor comes and goes as they please.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !matches!(self.who, Who::Supervisor(_))
    }
}

/// Everybody on one contact.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Participants {
    /// In the order in which they were asked for.
    pub all: Vec<Participant>,
    /// The last id given out.
    pub last: u16,
}

impl Participants {
    /// One of them.
    #[must_use]
    pub fn get(&self, id: u16) -> Option<&Participant> {
        self.all.iter().find(|p| p.id == id)
    }

    /// A supervisor among them.
    #[must_use]
    pub fn supervisor(&self, name: &str) -> Option<&Participant> {
        self.all.iter().find(|p| matches!(&p.who, Who::Supervisor(n) if **n == *name))
    }

    /// The colleague of a conference, and their consult.
    #[must_use]
    pub fn colleague(&self) -> Option<(&Participant, ContactId, AgentId)> {
        self.all.iter().find_map(|p| match p.who {
            Who::Colleague { consult, agent } => Some((p, consult, agent)),
            _ => None,
        })
    }
}

/// What became of somebody's part in a contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParticipantStep {
    /// They are to be brought on.
    Asked {
        /// Who.
        who: Who,
        /// What part they are to take.
        part: Part,
        /// The contact's agent is told.
        told: bool,
    },
    /// They are on it, or take another part.
    On(Part),
    /// They are not on it, or no longer.
    Off(OffBecause),
}

/// Why somebody is not on a contact, or no longer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OffBecause {
    /// Somebody who may said so.
    Asked,
    /// The gateway could not bring them on; its own code.
    Failed(u16),
    /// They left.
    Left,
    /// The contact is over, or with nobody.
    ContactOver,
    /// The contact is theirs now.
    Owner,
}

impl OffBecause {
    /// The word for it in listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Failed(_) => "failed",
            Self::Left => "left",
            Self::ContactOver => "contact_over",
            Self::Owner => "owner",
        }
    }
}
