//! What contacts wait for besides an agent: their gateway's turn to call, and room with
//! partners.
//!
//! Such contacts stand in demand classes of their own ([`Apart`]), so that a gate that is closed
//! is looked at once for all who wait behind it, however many they are. Looks and changes
//! nothing; `decide::fills` wakes who may go on.

use super::Engine;
use super::contact::Contact;
use super::gateway::Gateway;
use super::rank::Apart;
use super::recall::{Partners, Recall, Tier};
use super::routing::Routing;
use super::words::Channel;
use crate::ids::{AgentId, EntryPointId, GatewayId};
use crate::time::{EngineTime, Span};

/// A second, of which calls have their parts.
const SECOND: Span = Span::seconds(1);

impl Apart {
    /// What one contact stands apart for.
    pub(crate) fn of(c: &Contact, routing: &Routing) -> Self {
        let partners = &routing.partners;
        let theirs = !partners.is_empty() && c.stage.pools.iter().any(|p| partners.contains(p));
        let called = c.channel == Channel::Voice && c.silent().is_some();
        Self { partners: c.entry_point.filter(|_| theirs), dialled: called.then_some(c.gateway) }
    }

    /// As one that waits for its customer to be called by this gateway from now on.
    pub(crate) fn waits_for(self, gateway: GatewayId) -> bool {
        self.dialled == Some(gateway)
    }
}

impl Gateway {
    /// Between two calls that it is asked to make; nothing where it has said no limit.
    #[must_use]
    pub fn calls_apart(&self) -> Span {
        let each = u64::from(self.limits.calls_per_second);
        SECOND.0.checked_div(each).map_or(Span::ZERO, Span)
    }
}

/// Whether partners may take one more contact of a recall.
pub(crate) fn partners_have_room(recall: &Recall) -> bool {
    let has = recall.tiers[Tier::Partner.index()].in_use;
    let most = recall.plan.tier(Tier::Partner).map_or(0, |(_, most)| most);
    !recall.over
        && recall.partners == Partners::Joined
        && has < most
        && recall.breakers[Tier::Partner.index()].admits(0)
}

impl Engine {
    /// Whether a gateway may be asked to call one more customer now: its last call is long
    /// enough ago, and it has a session left.
    #[must_use]
    pub fn may_call(&self, gateway: GatewayId, at: EngineTime) -> bool {
        let turn = |g: &Gateway| g.limits.calls_per_second == 0 || g.next_call <= at;
        self.gateway(gateway).is_some_and(turn) && !self.has_no_session(gateway)
    }

    /// Whether a gateway has said how many conversations it can carry, and has as many. Those
    /// whom it is about to call are among them.
    #[must_use]
    pub fn has_no_session(&self, gateway: GatewayId) -> bool {
        let most = self.gateway(gateway).map_or(0, |g| g.limits.sessions);
        most > 0 && self.on_line_at(gateway) + self.board.calling(gateway) >= most
    }

    /// Whether a contact that stands so may be had just now, by a partner or by anybody else.
    pub(crate) fn is_let(&self, apart: Apart, partner: bool, at: EngineTime) -> bool {
        let room = |e: EntryPointId| self.recall_at(Some(e)).is_some_and(partners_have_room);
        (!partner || apart.partners.is_some_and(room))
            && apart.dialled.is_none_or(|gateway| self.may_call(gateway, at))
    }

    /// The same of one contact and agent.
    pub(crate) fn may_have(&self, agent: AgentId, c: &Contact, at: EngineTime) -> bool {
        self.is_let(Apart::of(c, &self.routing), self.is_partner(agent), at)
    }
}
