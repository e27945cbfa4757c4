//! How long somebody in line will probably wait.
//!
//! It reads the lines, who is staffed and what [`super::pace`] measured; it changes nothing
//! and decides nothing. An honest "unknown" is an answer.

use super::Engine;
use super::pace::Pace;
use crate::ids::ContactId;
use crate::time::{EngineTime, Span};

/// What can be said of a wait that is still to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitEstimate {
    /// How long on average.
    pub mean: Span,
    /// Four of five wait no longer than this.
    pub p80: Span,
}

impl Engine {
    /// How long a contact that waits in line will probably wait from now; none if it is not in
    /// line, or where that is honestly not known.
    #[must_use]
    pub fn wait_estimate(&self, contact: ContactId, at: EngineTime) -> Option<WaitEstimate> {
        let filed = self.contacts.get(contact)?;
        let c = &filed.contact;
        let ahead = self.floor.about_before(c, filed.stand)?;
        let p80 = Pace::outlook(self.pace.rate(at, c.queue, c.channel), ahead).wait?;
        Some(WaitEstimate { mean: p80, p80 })
    }
}
