//! Calls that agents are in outside the router, as gateways report them: nobody rings an
//! agent meanwhile. They are no contacts; nothing is routed here.

use super::super::agent::{Hold, Work};
use super::super::contact::State;
use super::super::day::{MOST_OUTSIDE, OutsideEnd, OutsideReport, OutsideStep};
use super::super::event::{Event, OutsideNews};
use super::super::refusal::Refusal;
use super::super::words::{Channel, Key, NotTaken};
use super::Turn;
use super::check::is_key;
use crate::ids::{AgentId, ContactId, GatewayId, SessionId};

/// Calls of a gateway that came back without them, ended in one slice.
const SLICE: usize = 512;

impl Turn<'_> {
    pub(super) fn outside_call(
        &mut self,
        gateway: GatewayId,
        agent: AgentId,
        key: &Key,
        now: OutsideReport,
    ) -> Result<(), Refusal> {
        if !is_key(key) {
            return Err(Refusal::OutOfRange { field: "key", expected: "1 to 64 printable bytes" });
        }
        let known = self.engine.outside.get(&(gateway, key.clone())).copied();
        let a = self.engine.agent(agent).ok_or(Refusal::NoSuchAgent(agent))?;
        if known.is_some_and(|of| of != agent) {
            let expected = "one that no other agent's call has";
            return Err(Refusal::OutOfRange { field: "key", expected });
        }
        match (now, known) {
            // Said twice, it happens once.
            (OutsideReport::Began(_), Some(_)) | (OutsideReport::Ended, None) => {}
            (OutsideReport::Ended, Some(_)) => {
                self.outside_ended(gateway, agent, key, OutsideEnd::Reported);
            }
            (OutsideReport::Began(direction), None) => {
                if a.outside.len() >= MOST_OUTSIDE {
                    let most = MOST_OUTSIDE as u64;
                    return Err(Refusal::Limit { what: "call outside the router", most });
                }
                let session = self.engine.gateway(gateway).and_then(|g| g.session);
                let until = self.at + self.engine.routing.settings.outside_lasts;
                let step = OutsideStep::Began { direction, session, until };
                let key = key.clone();
                self.emit(Event::OutsideCall(OutsideNews { agent, gateway, key, step }));
                self.give_back_calls(agent);
            }
        }
        Ok(())
    }

    fn outside_ended(&mut self, gateway: GatewayId, agent: AgentId, key: &Key, how: OutsideEnd) {
        let (key, step) = (key.clone(), OutsideStep::Ended(how));
        self.emit(Event::OutsideCall(OutsideNews { agent, gateway, key, step }));
        self.agent_freed(agent);
    }

    /// A phone that is in use cannot ring: what is held for it goes to somebody else, and so does
    /// a customer who is called for it without its agent having been asked.
    fn give_back_calls(&mut self, agent: AgentId) {
        while let Some((contact, asked_by_name)) = self.held_too_much(agent) {
            match self.contact(contact).map(|c| c.state) {
                Ok(State::Reserved { reservation, .. }) => {
                    let how = NotTaken::Withdrawn;
                    let pass_over = None;
                    self.emit(Event::NotTaken { contact, reservation, agent, how, pass_over });
                    self.offer_again(contact, asked_by_name);
                }
                Ok(State::Connecting { .. }) => self.give_back_connecting(contact),
                _ => return,
            }
        }
    }

    fn held_too_much(&self, agent: AgentId) -> Option<(ContactId, bool)> {
        let (a, profile) = (self.engine.agent(agent)?, self.engine.routing.agent(agent)?);
        let gives = |w: &&Work| match w.hold {
            Hold::Reserved => w.channel == Channel::Voice,
            Hold::Connecting => self.is_unasked(w.contact),
            Hold::Assigned | Hold::WrapUp { .. } => false,
        };
        let held = a.work.iter().find(gives);
        let contact = held.filter(|_| a.is_overloaded(profile))?.contact;
        Some((contact, self.asks_by_name(contact)))
    }

    /// The longest of an agent's calls has lasted longer than any.
    pub(super) fn outside_due(&mut self, agent: AgentId) {
        let over = self.engine.agent(agent).and_then(|a| {
            let call = a.outside.iter().find(|call| call.until <= self.at)?;
            Some((call.gateway, call.key.clone()))
        });
        if let Some((gateway, key)) = over {
            self.outside_ended(gateway, agent, &key, OutsideEnd::TooLong);
        }
    }

    /// A gateway that is back names a key. Tells whether it is that of a call outside.
    pub(super) fn outside_held(&mut self, gateway: GatewayId, now: SessionId, key: &Key) -> bool {
        let name = (gateway, key.clone());
        let Some(agent) = self.engine.outside.get(&name).copied() else { return false };
        if self.outside_session(agent, &name) != Some(now) {
            let (key, step) = (key.clone(), OutsideStep::Kept(now));
            self.emit(Event::OutsideCall(OutsideNews { agent, gateway, key, step }));
        }
        true
    }

    fn outside_session(&self, agent: AgentId, name: &(GatewayId, Key)) -> Option<SessionId> {
        let mut calls = self.engine.agent(agent)?.outside.iter();
        calls.find(|call| call.gateway == name.0 && call.key == name.1)?.session
    }

    /// Ends calls that a gateway did not name when it came back, one slice of them. Tells
    /// whether there are more.
    pub(super) fn outside_lost(&mut self, gateway: GatewayId, now: SessionId) -> bool {
        let of = self.engine.outside.range((gateway, Key::from(""))..);
        let of = of.take_while(|((g, _), _)| *g == gateway);
        let lost: Vec<((GatewayId, Key), AgentId)> = of
            .filter(|(name, agent)| {
                // One reported by a unary call belongs to no session, and is not resynced.
                self.outside_session(**agent, name).is_some_and(|session| session != now)
            })
            .map(|(name, agent)| (name.clone(), *agent))
            .take(SLICE + 1)
            .collect();
        for ((gateway, key), agent) in lost.iter().take(SLICE) {
            self.outside_ended(*gateway, *agent, key, OutsideEnd::Lost);
        }
        lost.len() > SLICE
    }
}
