//! What events about callbacks and promises hold.

use super::{Arrived, Released};
use crate::engine::callback::{Callback, DialOutcome};
use crate::engine::promise::Recovery;
use crate::ids::{AgentId, ContactId, PromiseId};

/// A number at which the customer can be called is confirmed, or is not any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NumberConfirmed {
    /// Which contact.
    pub contact: ContactId,
    /// It is.
    pub confirmed: bool,
}

/// A customer is to be called back: nobody is on the line any more, the place is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackPromised {
    /// Which contact.
    pub contact: ContactId,
    /// How.
    pub callback: Callback,
    /// Who had it until now.
    pub released: Option<Released>,
}

/// A callback went on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackStepped {
    /// Which contact.
    pub contact: ContactId,
    /// How it stands now.
    pub now: Callback,
}

/// What came of dialling a customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dialled {
    /// Which contact.
    pub contact: ContactId,
    /// What.
    pub outcome: DialOutcome,
    /// The gateway's own code, 0 if none.
    pub code: u16,
}

/// Work to make good went on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecoveryNews {
    /// How it stands now.
    pub now: Recovery,
    /// Who led it until now, if that is somebody else.
    pub from: Option<AgentId>,
}

/// A contact was opened to keep a promise. It enters a queue with the next event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PromiseOpened {
    /// Which promise.
    pub promise: PromiseId,
    /// The contact.
    pub arrived: Arrived,
}
