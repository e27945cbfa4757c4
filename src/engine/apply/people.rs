//! Events of an agent's day, of those on a contact beside its owner, and of orders about many
//! contacts.

use std::sync::Arc;

use super::super::Engine;
use super::super::agent::{Agent, Hold};
use super::super::bulk::{BULKS_KEPT, Bulk, BulkStep, Filter};
use super::super::day::{Leaving, OutsideCall, OutsideStep, SignOutStep};
use super::super::event::{
    BulkNews, Event, OutsideNews, ParticipantNews, ReasonOverstayed, SharedNews, SignOut,
    WrapUpExtended,
};
use super::super::participant::{Part, Participant, ParticipantStep};
use super::super::sharing::Shared;
use super::super::store::hash_of;
use super::super::words::{Availability, Key};
use crate::ids::{AgentId, ContactId, GatewayId, OrderId, ReservationId, SharingId};
use crate::time::EngineTime;

impl Engine {
    pub(super) fn apply_to_people(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::ReasonOverstayed(ReasonOverstayed { agent, reason: _ }) => {
                self.change_agent(*agent, |a| {
                    a.over_at = None;
                    a.overstayed = true;
                })
            }
            Event::SignOut(SignOut { agent, step }) => {
                self.change_agent(*agent, |a| leave(a, *step))
            }
            Event::WrapUpExtended(WrapUpExtended { agent, contact, until }) => {
                self.change_agent(*agent, |a| {
                    if let Some(w) = a.work.iter_mut().find(|w| w.contact == *contact)
                        && let Hold::WrapUp { since, .. } = w.hold
                    {
                        w.hold = Hold::WrapUp { since, until: *until };
                    }
                })
            }
            Event::OutsideCall(OutsideNews { agent, gateway, key, step }) => {
                self.outside_call(at, *agent, *gateway, key, *step);
            }
            Event::Participant(ParticipantNews { contact, participant, step }) => {
                self.participant(at, *contact, *participant, step);
            }
            Event::Bulk(BulkNews { order, step }) => self.bulk(at, *order, step),
            Event::Shared(SharedNews { sharing, on, .. }) => self.shared_changed(at, *sharing, *on),
            _ => debug_assert!(false, "not about people: {event:?}"),
        }
    }

    fn shared_changed(&mut self, at: EngineTime, sharing: SharingId, on: bool) {
        self.shared.retain(|s| s.sharing != sharing);
        if on {
            self.shared.push(Shared { sharing, since: at });
            self.shared.sort_unstable_by_key(|s| s.sharing);
        }
        self.connect_shared();
        if let Some(helped) = self.routing.sharing(sharing).map(|s| s.helped) {
            self.floor.reconnect(helped, &self.routing);
        }
        // Up to here they were offered what fitted before.
        self.reloaded = ReservationId(self.counts.last_reservation);
    }

    /// Tells the floor which sharings are in force.
    pub(super) fn connect_shared(&mut self) {
        self.floor.shared = self.shared.iter().map(|s| s.sharing).collect();
    }

    /// When the reason for which an agent is not ready will have lasted too long.
    pub(super) fn over_at(&self, at: EngineTime, to: Availability) -> Option<EngineTime> {
        let Availability::NotReady(reason) = to else { return None };
        let reason = self.routing.not_ready_reasons.get(reason.index())?;
        reason.limit.map(|limit| at + limit)
    }

    fn outside_call(
        &mut self,
        at: EngineTime,
        agent: AgentId,
        gateway: GatewayId,
        key: &Key,
        step: OutsideStep,
    ) {
        let of = |call: &OutsideCall| call.gateway == gateway && call.key == *key;
        match step {
            OutsideStep::Began { direction, session, until } => {
                self.outside.insert((gateway, key.clone()), agent);
                let key = key.clone();
                let call = OutsideCall { gateway, session, key, direction, since: at, until };
                self.change_agent(agent, |a| a.outside.push(call));
            }
            OutsideStep::Kept(session) => self.change_agent(agent, |a| {
                if let Some(call) = a.outside.iter_mut().find(|call| of(call)) {
                    call.session = Some(session);
                }
            }),
            OutsideStep::Ended(_) => {
                self.outside.remove(&(gateway, key.clone()));
                self.change_agent(agent, |a| {
                    a.outside.retain(|call| !of(call));
                    a.idle_since = at;
                });
            }
        }
    }

    fn participant(&mut self, at: EngineTime, contact: ContactId, id: u16, step: &ParticipantStep) {
        self.note(contact, |c| {
            let on = &mut c.participants;
            match step {
                ParticipantStep::Asked { who, part, told } => {
                    on.last = id;
                    let (who, part, told) = (who.clone(), *part, *told);
                    on.all.push(Participant { id, who, part, on: None, told });
                }
                ParticipantStep::On(part) => {
                    if let Some(p) = on.all.iter_mut().find(|p| p.id == id) {
                        p.part = *part;
                        // Who is heard is known.
                        p.told |= *part != Part::Listens;
                        p.on = p.on.or(Some(at));
                    }
                }
                ParticipantStep::Off(_) => on.all.retain(|p| p.id != id),
            }
        });
    }

    fn bulk(&mut self, at: EngineTime, id: OrderId, step: &BulkStep) {
        if let BulkStep::Began { filter, action, contacts } = step {
            self.counts.last_order = id.0;
            self.bulks.push(Bulk {
                id,
                filter: Filter::clone(filter),
                action: *action,
                contacts: contacts.clone(),
                count: u32::try_from(contacts.len()).unwrap_or(u32::MAX),
                next: 0,
                done: 0,
                since: at,
                over: None,
                cancelled: false,
                digest: hash_of(contacts),
            });
            return;
        }
        let Some(bulk) = self.bulks.iter_mut().find(|b| b.id == id) else {
            debug_assert!(false, "an event about unknown order {id}");
            return;
        };
        match step {
            BulkStep::Began { .. } => {}
            BulkStep::Acts(_) => {
                bulk.next += 1;
                bulk.done += 1;
            }
            BulkStep::Skips(..) => bulk.next += 1,
            BulkStep::Over { cancelled } => {
                bulk.over = Some(at);
                bulk.cancelled = *cancelled;
                bulk.contacts = Arc::default();
                self.forget_bulks();
            }
        }
    }

    fn forget_bulks(&mut self) {
        let over = self.bulks.iter().filter(|b| b.over.is_some()).count();
        if over > BULKS_KEPT
            && let Some(oldest) = self.bulks.iter().position(|b| b.over.is_some())
        {
            self.bulks.remove(oldest);
        }
    }
}

fn leave(a: &mut Agent, step: SignOutStep) {
    match step {
        SignOutStep::Ordered { at, hands, because } => {
            a.leaving = Some(Leaving { at, hands, because, begun: false });
        }
        SignOutStep::TakenBack => a.leaving = None,
        SignOutStep::Begun => {
            if let Some(leaving) = &mut a.leaving {
                leaving.begun = true;
            }
        }
    }
}
