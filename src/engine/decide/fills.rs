//! A gate that opens: agents are looked for on behalf of those who waited behind it.
//!
//! Calls that wait for their gateway's turn or for a session of it, and contacts that partners
//! may have once there is room with them. As many agents are woken as there is room for, in
//! slices, each of whom then looks for work as always. Part of the agenda, never state.

use super::super::Engine;
use super::super::rank::Apart;
use super::Turn;
use crate::ids::{AgentId, GatewayId, RecallId};

/// Once so many events came of it the slice is over: each costs several microseconds.
const EVENTS: usize = 64;

/// What has opened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::engine) enum Gate {
    /// A gateway may call one more customer.
    Calls(GatewayId),
    /// Partners may take one more contact of a recall.
    Partners(RecallId),
}

impl Turn<'_> {
    /// Gateways whose next turn to call has come.
    pub(super) fn turns_come(&mut self) {
        let at = self.at;
        let Engine { turns, agenda, .. } = &mut *self.engine;
        turns.retain(|gateway, turn| {
            let waits = *turn > at;
            if !waits {
                agenda.opened.insert(Gate::Calls(*gateway));
            }
            waits
        });
    }

    /// Something has opened: looked at in the next slice.
    pub(super) fn opens(&mut self, gate: Gate) {
        self.engine.agenda.opened.insert(gate);
    }

    /// One slice of those for whom something has opened.
    pub(super) fn some_go_on(&mut self) {
        let before = self.events.len();
        while let Some(gate) = self.engine.agenda.opened.pop_first() {
            let mut looked = Vec::new();
            while let Some(agent) = self.waits_behind(gate, &looked) {
                if self.events.len() >= before + EVENTS {
                    return self.opens(gate);
                }
                looked.push(agent);
                self.offer_agent(agent);
            }
        }
    }

    /// An agent who could have one of those who waited, the first one first, and has not looked.
    fn waits_behind(&self, gate: Gate, looked: &[AgentId]) -> Option<AgentId> {
        let engine = &*self.engine;
        if engine.counts.paused {
            return None;
        }
        let recall = |apart: Apart| engine.recall_at(apart.partners).map(|r| r.id);
        let fronts = engine.floor.fronts(|apart| match gate {
            Gate::Calls(gateway) => apart.waits_for(gateway),
            Gate::Partners(of) => recall(apart) == Some(of),
        });
        fronts.into_iter().find_map(|(contact, stand)| {
            let c = engine.contact(contact)?;
            let passes_over = |c, agent| engine.passes_over(c, agent) || looked.contains(&agent);
            let busy = |agent| c.has_fallen_silent() && engine.floor.asks_enough(agent);
            let not = |c, agent| passes_over(c, agent) || busy(agent);
            let is_let = |apart, partner| engine.is_let(apart, partner, self.at);
            engine.floor.agent_for(c, stand, 0, not, is_let).map(|(_, agent)| agent)
        })
    }
}
