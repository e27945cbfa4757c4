//! Gateways become known, come, and go. What they report is `gateway`'s.

use std::sync::Arc;

use super::super::command::{GatewayLimits, Reply};
use super::super::event::Event;
use super::super::gateway::MOST_GATEWAYS;
use super::super::refusal::Refusal;
use super::super::routing::Name;
use super::Turn;
use crate::ids::{GatewayId, SessionId};

impl Turn<'_> {
    pub(super) fn register_gateway(&mut self, name: &Name) -> Result<Reply, Refusal> {
        let gateway = match self.engine.gateway_id(name) {
            Some(id) => id,
            None => self.new_gateway(name)?,
        };
        Ok(Reply::Gateway { gateway, session: None })
    }

    fn new_gateway(&mut self, name: &Name) -> Result<GatewayId, Refusal> {
        if name.is_empty() || name.len() > 64 {
            return Err(Refusal::OutOfRange { field: "gateway", expected: "1 to 64 bytes" });
        }
        let next = self.engine.gateways.len();
        if next >= MOST_GATEWAYS {
            return Err(Refusal::Limit { what: "gateway", most: MOST_GATEWAYS as u64 });
        }
        let gateway = GatewayId(u16::try_from(next).unwrap_or(u16::MAX));
        self.emit(Event::GatewayRegistered { gateway, name: Arc::clone(name) });
        Ok(gateway)
    }

    pub(super) fn connect_gateway(
        &mut self,
        name: &Name,
        limits: GatewayLimits,
    ) -> Result<Reply, Refusal> {
        let gateway = match self.engine.gateway_id(name) {
            Some(id) => id,
            None => self.new_gateway(name)?,
        };
        let session = self.next_session();
        self.emit(Event::GatewayConnected { gateway, session, limits });
        self.schedule_sweep(gateway);
        Ok(Reply::Gateway { gateway, session: Some(session) })
    }

    pub(super) fn disconnect_gateway(&mut self, gateway: GatewayId, session: SessionId) {
        // A stream that was superseded ends later than its successor began.
        if self.engine.gateway(gateway).is_some_and(|g| g.session == Some(session)) {
            self.emit(Event::GatewayLost { gateway });
            self.schedule_sweep(gateway);
        }
    }

    pub(super) fn schedule_sweep(&mut self, gateway: GatewayId) {
        let sweeps = &mut self.engine.agenda.sweeps;
        sweeps.retain(|(g, _)| *g != gateway);
        sweeps.push_back((gateway, 0));
    }
}
