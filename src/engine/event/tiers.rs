//! What events about the tiers of a recall hold, and where a recording is.

use std::sync::Arc;

use crate::engine::recall::{Breaker, Partners, Tier};
use crate::engine::words::Consent;
use crate::ids::{ContactId, RecallId};

/// The partners of a recall are called, join or leave. Whom they may take is gone through
/// afterwards; what they have in hand they keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartnersSet {
    /// Which recall.
    pub recall: RecallId,
    /// Where they are now.
    pub now: Partners,
}

/// A tier's breaker opened because it fails, tries again, or closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerSet {
    /// Which recall.
    pub recall: RecallId,
    /// Which tier.
    pub tier: Tier,
    /// How it is now.
    pub now: Breaker,
}

/// Where a recording is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordingNoted {
    /// Of which contact.
    pub contact: ContactId,
    /// The recorder's reference.
    pub reference: Arc<str>,
    /// Whether the customer agreed.
    pub consent: Consent,
}
