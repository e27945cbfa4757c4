//! Names for things: small integers that the engine counts out itself.
//!
//! Ids are never reused, so an old one can be refused instead of obeyed. Nobody
//! owns them; every module may name them. They carry no meaning beyond identity:
//! what an id stands for is in the engine's state and in the events.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl $name {
            /// The id as an index into a table that is ordered by it.
            #[must_use]
            pub fn index(self) -> usize {
                usize::try_from(self.0).unwrap_or(usize::MAX)
            }
        }
    };
}

id!(
    /// One contact, counted from 1 in the order of acceptance.
    ContactId, u64
);
id!(
    /// One reservation, counted from 1; it fences every answer to it.
    ReservationId, u64
);
id!(
    /// One effect asked of a gateway, counted from 1; a gateway that sees an id twice does the work once.
    EffectId, u64
);
id!(
    /// One connection of a gateway or an agent, counted from 1; the newest of a name wins.
    SessionId, u64
);
id!(
    /// A queue of the routing configuration, by its position there.
    QueueId, u16
);
id!(
    /// A sharing of the routing configuration, by its position there.
    SharingId, u16
);
id!(
    /// A skill of the routing configuration, by its position there.
    SkillId, u16
);
id!(
    /// A pool of agents, by its position in the routing configuration.
    PoolId, u16
);
id!(
    /// An entry point, by its position in the routing configuration.
    EntryPointId, u16
);
id!(
    /// A calendar of the routing configuration, by its position there.
    CalendarId, u16
);
id!(
    /// A destination outside the router, by its position in the routing configuration.
    ExternalId, u16
);
id!(
    /// One version of an announcement, by its position in the routing configuration: other
    /// words are another id.
    NoticeId, u16
);
id!(
    /// A reason for not being ready, by its position in the routing configuration.
    ReasonId, u16
);
id!(
    /// A disposition code, by its position in the routing configuration.
    DispositionId, u16
);
id!(
    /// An agent, by their position in the routing configuration.
    AgentId, u32
);
id!(
    /// A gateway, counted from 0 in the order of first hello.
    GatewayId, u16
);
id!(
    /// One recall, counted from 1 in the order of start.
    RecallId, u16
);
id!(
    /// One promise to a customer, counted from 1.
    PromiseId, u64
);
id!(
    /// One piece of work to make good, counted from 1.
    RecoveryId, u64
);
id!(
    /// One order about many contacts, counted from 1.
    OrderId, u64
);
id!(
    /// One question to whoever reads customers' words, counted from 1; an answer to an older one is late.
    AskId, u64
);

/// A customer as the engine sees one: a keyed hash of who they are, 128 bits.
///
/// The engine can tell that two contacts come from the same customer and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CustomerId(pub u128);

/// What a client calls one of its requests, so that a repeat is recognised.
///
/// `id` is a hash of the actor and of the client's own text; `content` a hash of what
/// was asked. The same id with other content is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestId {
    /// Hash of actor and client's text, 128 bits.
    pub id: u128,
    /// Hash of the command that came with it, 64 bits.
    pub content: u64,
}
