//! That tiers have whom they count, and nobody whom they may not have.

use std::collections::BTreeMap;

use super::Violation;
use crate::engine::Engine;
use crate::engine::contact::StateKind::Assigned;
use crate::engine::gateway::{Gateway, OnLine};
use crate::engine::recall::{Tier, TierCounts, TriageClass};
use crate::engine::words::ServiceClass;
use crate::ids::{EntryPointId, GatewayId, RecallId};

impl Engine {
    /// Nobody about safety, nobody who was there before and nobody who asked for a person is
    /// in self-service, and everybody who entered it is somewhere.
    pub(super) fn check_self_service(&self) -> Result<(), Violation> {
        let mut found: BTreeMap<(RecallId, Tier), u32> = BTreeMap::new();
        let mut taken: BTreeMap<RecallId, u32> = BTreeMap::new();
        let mut calls: BTreeMap<usize, u32> = BTreeMap::new();
        let mut on_line: BTreeMap<GatewayId, OnLine> = BTreeMap::new();
        for c in self.contacts() {
            if c.is_on_line() {
                on_line.entry(c.gateway).or_default().count(c.entry_point, true);
            }
            if let Some(recall) = c.callback_tier() {
                *found.entry((recall, Tier::Callback)).or_default() += 1;
            }
            if let Some(recall) = c.partner {
                *found.entry((recall, Tier::Partner)).or_default() += 1;
                *taken.entry(recall).or_default() += u32::from(c.state.kind() == Assigned);
                if c.state.agent().is_none() {
                    return Err(Violation::Partner(c.id));
                }
            }
            let Some(s) = c.self_service() else { continue };
            *found.entry((s.recall, s.tier)).or_default() += 1;
            if s.tier == Tier::Ivr {
                *calls.entry(c.gateway.index()).or_default() += 1;
            }
            let hurt = c.triage.is_some_and(|t| t.class == TriageClass::Safety);
            let right = c.service != ServiceClass::Safety
                && !hurt
                && !c.machine.bounced
                && !c.machine.refused
                && c.parent.is_none()
                && c.answered.is_none()
                && s.tier == Tier::of(c.channel)
                && self.recall(s.recall).is_some();
            if !right {
                return Err(Violation::SelfService(c.id));
            }
        }
        for recall in self.recalls() {
            for tier in Tier::ALL {
                let t: TierCounts = recall.tiers[tier.index()];
                let in_use = found.get(&(recall.id, tier)).copied().unwrap_or_default();
                let gone = t.solved + t.informed + t.returned + t.followed_up + t.left;
                // Partners are asked before they have it.
                let has = match tier {
                    Tier::Partner => taken.get(&recall.id).copied().unwrap_or_default(),
                    _ => in_use,
                };
                if t.in_use != in_use || t.entered != u64::from(has) + gone {
                    return Err(Violation::Tiers(recall.id));
                }
            }
        }
        let entry_points = self.routing.entry_points.len();
        let same = |(i, g): (usize, &Gateway)| {
            let there = self.on_line.get(i);
            let is = u16::try_from(i).ok().and_then(|i| on_line.get(&GatewayId(i)));
            let through = |of: Option<&OnLine>, e| of.map_or(0, |of| of.through(EntryPointId(e)));
            g.in_ivr == calls.get(&i).copied().unwrap_or_default()
                && there.map_or(0, OnLine::all) == is.map_or(0, OnLine::all)
                && (0..).take(entry_points).all(|e| through(there, e) == through(is, e))
        };
        if self.gateways.iter().enumerate().all(same) {
            Ok(())
        } else {
            Err(Violation::Index("calls in menus, customers on the line"))
        }
    }
}
