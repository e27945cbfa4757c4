//! How a simulated gateway calls agents and joins legs, well or badly.
//!
//! It belongs to the gateway's task.

use std::collections::HashMap;

use super::super::PlayerError;
use super::super::scenario::chance;
use super::{Gateway, Todo};
use crate::pb::v1::gateway_directive::{ConnectLegs, Directive};
use crate::pb::v1::gateway_report::{Bridged, EffectDone, EffectFailed, LegResult, Report};
use crate::pb::v1::{LegOutcome, Party};

/// How a call to an agent goes.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Goes {
    Well,
    Badly(LegOutcome, u32),
    /// The gateway itself fails, with its own code.
    Fails(u32),
    /// No word of it, ever: the router's time limit has to end it.
    Silent,
}

/// An effect that was asked for and is not done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    contact: u64,
    reservation: u64,
}

/// What the gateway was asked to do and has not done.
#[derive(Debug, Default)]
pub(super) struct Effects {
    open: HashMap<u64, Effect>,
    /// Consults in progress and the calls that they are about.
    consults: HashMap<u64, u64>,
}

impl Effect {
    pub(super) const fn contact(self) -> u64 {
        self.contact
    }

    pub(super) const fn reservation(self) -> u64 {
        self.reservation
    }
}

impl Effects {
    /// Takes an effect from the list; none if it was withdrawn or done.
    pub(super) fn take(&mut self, effect: u64) -> Option<Effect> {
        self.open.remove(&effect)
    }

    pub(super) fn hand_over(&mut self, effect: u64, contact: u64) {
        self.open.insert(effect, Effect { contact, reservation: 0 });
    }

    pub(super) fn dial(&mut self, effect: u64, contact: u64, reservation: u64) {
        self.open.insert(effect, Effect { contact, reservation });
    }

    pub(super) fn is_consult(&self, contact: u64) -> bool {
        self.consults.contains_key(&contact)
    }
}

impl Gateway {
    pub(super) fn connect(&mut self, contact: u64, legs: &ConnectLegs) -> Result<(), PlayerError> {
        let (reservation, parent) = (legs.reservation_id, legs.consult_of_contact_id);
        self.effects.open.insert(legs.effect_id, Effect { contact, reservation });
        if parent != 0 {
            self.effects.consults.insert(contact, parent);
            // What was said of it before was not known to be about a consult.
            self.early.remove(&contact);
            self.hold(parent, true)?;
        }
        let rings = self.dice.between_ms(20, 90);
        self.note(rings, Todo::Join(legs.effect_id));
        Ok(())
    }

    fn goes(&mut self) -> Goes {
        let mut left = self.dice.part();
        let mut falls = |chance: f64| {
            left -= chance;
            left < 0.0
        };
        if falls(chance::BUSY) {
            Goes::Badly(LegOutcome::Busy, 486)
        } else if falls(chance::RINGS_OUT) {
            Goes::Badly(LegOutcome::NoAnswer, 408)
        } else if falls(chance::UNREACHABLE) {
            Goes::Badly(LegOutcome::Unreachable, 404)
        } else if falls(chance::GATEWAY_FAILS) {
            Goes::Fails(503)
        } else if falls(chance::SILENCE) {
            Goes::Silent
        } else {
            Goes::Well
        }
    }

    /// Reports what became of the legs of an effect.
    pub(super) fn join(&mut self, effect_id: u64) -> Result<(), PlayerError> {
        let Some(effect) = self.effects.take(effect_id) else { return Ok(()) };
        let reservation_id = effect.reservation;
        let leg = |party: Party, outcome: LegOutcome, code| {
            let (party, outcome) = (party.into(), outcome.into());
            Report::Leg(LegResult { reservation_id, party, outcome, code })
        };
        match self.goes() {
            Goes::Well => {
                self.report(leg(Party::Customer, LegOutcome::Answered, 200))?;
                self.report(leg(Party::Agent, LegOutcome::Answered, 200))?;
                self.report(Report::Bridged(Bridged { reservation_id }))?;
                self.report(Report::EffectDone(EffectDone { effect_id }))?;
            }
            Goes::Badly(outcome, code) => {
                self.report(leg(Party::Agent, outcome, code))?;
            }
            Goes::Fails(code) => {
                self.report(Report::EffectFailed(EffectFailed { effect_id, code }))?;
            }
            Goes::Silent => {}
        }
        Ok(())
    }

    /// A consult is a contact that this gateway never reported: all it needs to know of one
    /// is when it is over, and its caller comes off hold.
    pub(super) fn consult_directive(
        &mut self,
        contact: u64,
        directive: &Directive,
    ) -> Result<(), PlayerError> {
        if matches!(directive, Directive::Ended(_))
            && let Some(parent) = self.effects.consults.remove(&contact)
        {
            self.effects.open.retain(|_, effect| effect.contact != contact);
            self.hold(parent, false)?;
        }
        Ok(())
    }
}
