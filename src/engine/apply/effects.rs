//! What gateways are asked to do for contacts, and that it was done: counted by gateway.

use super::super::Engine;
use super::super::event::EffectKind;
use super::super::gateway::Gateway;
use super::super::words::Channel;
use crate::ids::{ContactId, EffectId};

impl Engine {
    pub(super) fn effect_asked(&mut self, effect: EffectId, contact: ContactId, kind: EffectKind) {
        self.counts.last_effect = effect.0;
        self.effects.insert(effect, contact);
        match kind {
            // Its end is a timer, and the room for it is kept.
            EffectKind::OfferCallback(_) => self.change(contact, |c| {
                c.machine.offered = true;
                c.effects.push((effect, kind));
            }),
            _ => self.note(contact, |c| c.effects.push((effect, kind))),
        }
        if let Some((gateway, channel)) = self.contact(contact).map(|c| (c.gateway, c.channel)) {
            self.change_gateway(gateway, |g| {
                if let Some(count) = counted(g, kind, channel) {
                    *count += 1;
                }
            });
        }
    }

    pub(super) fn effect_settled(&mut self, effect: EffectId, contact: ContactId) {
        self.effects.remove(&effect);
        let Some(c) = self.contact(contact) else { return };
        let (gateway, channel) = (c.gateway, c.channel);
        let kind = c.effects.iter().find(|(e, _)| *e == effect).map(|(_, kind)| *kind);
        match kind {
            Some(EffectKind::OfferCallback(_)) => {
                self.change(contact, |c| c.effects.retain(|(e, _)| *e != effect));
            }
            _ => self.note(contact, |c| c.effects.retain(|(e, _)| *e != effect)),
        }
        if let Some(kind) = kind {
            self.change_gateway(gateway, |g| {
                if let Some(count) = counted(g, kind, channel) {
                    *count = count.saturating_sub(1);
                }
            });
        }
    }
}

/// Where an effect counts for its gateway, if anywhere.
fn counted(gateway: &mut Gateway, kind: EffectKind, channel: Channel) -> Option<&mut u32> {
    match (kind, channel) {
        (EffectKind::Say(_) | EffectKind::Announce(_), Channel::Voice) => None,
        (EffectKind::Say(_) | EffectKind::Announce(_) | EffectKind::AskPresence(_), _) => {
            Some(&mut gateway.unsaid)
        }
        _ => Some(&mut gateway.effects),
    }
}
