//! Events of recalls and of self-service.

use std::sync::Arc;

use super::super::Engine;
use super::super::contact::{Contact, MOST_HEARD, State};
use super::super::event::{Arrived, BreakerSet, EffectKind, Event, PartnersSet, Settled};
use super::super::recall::control::{Control, LevelCause};
use super::super::recall::{
    Alarm, Amends, Breaker, Heed, Level, MOST_OVER, Outcome, Partners, Plan, Question, Recall,
    ReturnedBecause, SelfService, Step, Text, Tier, TierCounts, TriageClass, law,
};
use crate::ids::{AskId, ContactId, EffectId, RecallId};
use crate::time::EngineTime;

impl Engine {
    pub(super) fn apply_to_recall(&mut self, at: EngineTime, event: &Event) {
        match event {
            Event::RecallStarted { recall, plan, level, expires } => {
                self.recall_started(at, *recall, plan, *level, *expires);
            }
            Event::LevelChanged { recall, level, cause } => self.change_recall(*recall, |r| {
                if cause.reading().is_some() {
                    let moves = if *level > r.level { &mut r.raised } else { &mut r.lowered };
                    *moves = moves.saturating_add(1);
                }
                // Set by hand, it stays.
                r.control = r.control.filter(|_| *cause != LevelCause::ByHand);
                if let Some(control) = &mut r.control {
                    law::moved(&r.plan.control(), r.level, *level, control, at);
                }
                (r.level, r.since) = (*level, at);
            }),
            Event::LevelFreed { recall, bounds } => {
                self.change_recall(*recall, |r| r.control = Some(Control::new(*bounds)));
            }
            Event::LevelPressed { recall, pressing } => self.change_recall(*recall, |r| {
                if let Some(control) = &mut r.control {
                    control.pressing = *pressing;
                }
            }),
            Event::RecallEnded { recall, .. } => {
                self.change_recall(*recall, |r| {
                    r.over = true;
                    r.amends.forget_if_over(true);
                    (r.level, r.since, r.control) = (Level::Normal, at, None);
                });
                if self.recall(*recall).is_some_and(|r| !r.plan.safety.kept.is_empty()) {
                    self.configure_floor();
                }
            }
            Event::PartnersSet(PartnersSet { recall, now }) => {
                self.change_recall(*recall, |r| r.partners = *now);
            }
            Event::BreakerSet(BreakerSet { recall, tier, now }) => {
                self.change_recall(*recall, |r| r.breakers[tier.index()] = *now);
            }
            Event::Triaged { contact, heed } => self.note(*contact, |c| triaged(c, *heed)),
            Event::Diverted { contact, now } => self.diverted(*contact, *now),
            Event::Stepped { contact, now } => {
                self.change(*contact, |c| c.state = State::SelfService(*now));
            }
            Event::Returned { contact, recall, tier, because } => {
                let how = self
                    .contact(*contact)
                    .map_or(Outcome::Neither, |c| super::tiers::told(c, *because));
                self.tier_ends(*recall, *tier, *contact, how);
                self.change(*contact, |c| {
                    let injury = |s: SelfService| {
                        matches!(s.step, Step::Asked { question: Question::Injury, .. })
                    };
                    c.machine.injury_asked = c.self_service().is_some_and(injury);
                    let told = |s: SelfService| !matches!(s.step, Step::Entering { .. });
                    let served = c.self_service().is_some_and(told);
                    c.machine.bounced |= served || *because != ReturnedBecause::Ended;
                    c.machine.refused |= *because == ReturnedBecause::Asked;
                    c.state = State::Queued;
                });
                self.count_tier(*recall, *tier, |t| t.returned += 1);
            }
            Event::WordsAsked { ask, .. } => self.counts.last_ask = ask.0,
            Event::WordsRead { contact, ask, .. } => self.words_read(*contact, *ask),
            Event::FollowUpOpened(arrived) => self.follow_up_opened(at, arrived),
            // What was pressed or found is for others to know; what follows from it follows
            // as events of its own.
            _ => {}
        }
    }

    fn diverted(&mut self, contact: ContactId, now: SelfService) {
        self.change(contact, |c| c.state = State::SelfService(now));
        self.count_tier(now.recall, now.tier, |t| t.entered += 1);
        if let Some(recall) = self.recalls.iter_mut().find(|r| r.id == now.recall) {
            recall.breakers[now.tier.index()].enters(contact);
        }
    }

    fn words_read(&mut self, contact: ContactId, ask: AskId) {
        let reading = |c: &Contact| c.self_service().is_some_and(|s| s.awaits(ask));
        if self.contact(contact).is_some_and(reading) {
            self.machine_worked(contact, Tier::Faq);
        }
    }

    fn recall_started(
        &mut self,
        at: EngineTime,
        id: RecallId,
        plan: &Arc<Plan>,
        level: Level,
        expires: EngineTime,
    ) {
        self.counts.last_recall = id.0;
        let tiers = [TierCounts::default(); Tier::ALL.len()];
        let (plan, keeps) = (Arc::clone(plan), !plan.safety.kept.is_empty());
        let recall = Recall {
            id,
            plan,
            level,
            since: at,
            control: None,
            raised: 0,
            lowered: 0,
            started: at,
            expires,
            over: false,
            tiers,
            breakers: [Breaker::default(); Tier::ALL.len()],
            partners: Partners::Away,
            alarm: Alarm::default(),
            amends: Amends::default(),
        };
        self.timers.enter_recall(&recall);
        self.recalls.push(recall);
        let over = self.recalls.iter().filter(|r| r.over).count();
        let empty =
            |r: &Recall| r.over && r.alarm.due().is_none() && r.tiers.iter().all(|t| t.in_use == 0);
        if over > MOST_OVER
            && let Some(oldest) = self.recalls.iter().position(empty)
        {
            self.recalls.remove(oldest);
        }
        if keeps {
            self.configure_floor();
        }
    }

    pub(super) fn change_recall(&mut self, id: RecallId, change: impl FnOnce(&mut Recall)) {
        let Some(recall) = self.recalls.iter_mut().find(|r| r.id == id) else {
            debug_assert!(false, "an event about unknown recall {id}");
            return;
        };
        self.timers.remove_recall(recall);
        change(recall);
        self.timers.enter_recall(recall);
    }

    pub(super) fn count_tier(
        &mut self,
        id: RecallId,
        tier: Tier,
        count: impl FnOnce(&mut TierCounts),
    ) {
        if let Some(recall) = self.recalls.iter_mut().find(|r| r.id == id) {
            count(&mut recall.tiers[tier.index()]);
        }
    }

    /// Keeps count of who is where as a contact enters, leaves or ends in self-service.
    pub(super) fn self_service_changed(
        &mut self,
        gateway: crate::ids::GatewayId,
        before: Option<SelfService>,
        after: Option<SelfService>,
    ) {
        let same = |a: SelfService, b: SelfService| (a.recall, a.tier) == (b.recall, b.tier);
        if before.zip(after).is_some_and(|(a, b)| same(a, b)) {
            return;
        }
        for (s, enters) in [(before, false), (after, true)] {
            let Some(s) = s else { continue };
            let step = |n: u32| if enters { n + 1 } else { n.saturating_sub(1) };
            self.count_tier(s.recall, s.tier, |t| t.in_use = step(t.in_use));
            if s.tier == Tier::Ivr
                && let Some(gateway) = self.gateways.get_mut(gateway.index())
            {
                gateway.in_ivr = step(gateway.in_ivr);
            }
        }
    }

    fn follow_up_opened(&mut self, at: EngineTime, arrived: &Arrived) {
        self.arrived(at, arrived);
        let of = arrived.continues.and_then(|of| self.contact(of));
        let heard = of.map(|c| c.heard.clone()).unwrap_or_default();
        self.note(arrived.contact, |c| {
            c.machine.bounced = true;
            c.machine.follow_up = true;
            c.heard = heard;
        });
    }

    /// What was said to the end was heard.
    pub(super) fn say_settled(&mut self, effect: EffectId, contact: ContactId, how: Settled) {
        let Some(c) = self.contact(contact).filter(|_| how == Settled::Done) else { return };
        let Some(EffectKind::Say(say)) =
            c.effects.iter().find(|(e, _)| *e == effect).map(|(_, kind)| *kind)
        else {
            return;
        };
        self.note(contact, |c| {
            if c.heard.len() == MOST_HEARD {
                c.heard.remove(0);
            }
            c.heard.push((say.recall, say.text));
        });
        if say.text == Text::Greeting {
            self.machine_worked(contact, Tier::Ivr);
        }
    }
}

fn triaged(c: &mut Contact, heed: Heed) {
    if c.triage.is_none_or(|t| heed.class < t.class) {
        c.triage = Some(heed);
    }
    c.machine.refused |= heed.class == TriageClass::PersonWanted;
}
