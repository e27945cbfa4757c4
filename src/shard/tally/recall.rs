//! Counts what the durable events say of recalls and self-service.
//!
//! It audits as it counts: nobody is sent to self-service twice, nobody about safety at
//! all, and whoever comes back stands no later than before.

use super::Tally;
use crate::engine::Engine;
use crate::engine::entry::{Actor, Entry};
use crate::engine::event::{EffectKind, Event, Queued, StepTaken};
use crate::engine::recall::{
    Heed, Level, MOST_OVER, ReturnedBecause, Say, SelfService, Tier, TriageClass,
};
use crate::engine::stage::Filing;
use crate::engine::words::ServiceClass;
use crate::ids::{ContactId, EffectId, RecallId};
use crate::journal::snapshot::seen::{
    Brought, HowSaid, RecallStatistics, Stands, TextKind, Track, TrackMachine,
};
use crate::shard::observe::Fact;
use crate::time::{EngineTime, Place, Span, WallTime};

/// What an entry says of why something was done.
pub(super) struct Cause<'a> {
    by: &'a Actor,
    why: Option<&'a std::sync::Arc<str>>,
    wall: WallTime,
}

impl<'a> Cause<'a> {
    pub(super) fn of(entry: &'a Entry, wall: WallTime) -> Self {
        let why = entry.events.iter().find_map(|event| match event {
            Event::Ordered { why } => Some(why),
            _ => None,
        });
        Self { by: &entry.actor, why, wall }
    }

    fn brought(&self) -> Brought {
        Brought { by: self.by.clone(), why: self.why.cloned(), wall: self.wall }
    }
}

impl Tally {
    pub(super) fn recall_event(&mut self, at: EngineTime, event: &Event, cause: &Cause<'_>) {
        match event {
            Event::RecallStarted { recall, level, .. } => self.started(*recall, *level, cause),
            Event::LevelChanged { recall, level, cause: moved } => {
                let now = cause.brought();
                // Nobody said why: the router did it by itself.
                let why = now.why.or_else(|| Some(moved.to_string().into()));
                self.recall(*recall, |r| {
                    r.level = *level;
                    r.now = Brought { why, ..now };
                });
            }
            Event::RecallEnded { recall, .. } => self.recall(*recall, |r| {
                r.over = true;
                r.level = Level::Normal;
                r.now = cause.brought();
            }),
            Event::Triaged { contact, heed } => self.triaged(*contact, *heed),
            Event::Diverted { contact, now } => self.diverted(*contact, *now),
            Event::Returned { contact, recall, tier, because } => {
                self.returned(*contact, *recall, *tier, *because);
            }
            Event::Queued(queued) => self.stands(queued),
            Event::Reprioritised { contact, place, .. } => self.reprioritised(*contact, *place),
            Event::Reserved(reserved) => {
                let Some(track) = self.open.get_mut(&reserved.contact) else { return };
                let waited = track.waited(at);
                if track.machine.ticket.take().is_some() && reserved.waited < waited {
                    self.place_lost(reserved.contact);
                }
            }
            Event::EffectAsked { effect, contact, kind: EffectKind::Say(say) } => {
                self.saying(*effect, *contact, say);
            }
            Event::EffectSettled { effect, contact, how } => {
                self.said(*effect, *contact, HowSaid::from(*how));
            }
            _ => {}
        }
    }

    fn recall(&mut self, id: RecallId, change: impl FnOnce(&mut RecallStatistics)) {
        if let Some(recall) = self.statistics.recalls.iter_mut().find(|r| r.recall == id) {
            change(recall);
        }
    }

    fn started(&mut self, id: RecallId, level: Level, cause: &Cause<'_>) {
        let recalls = &mut self.statistics.recalls;
        recalls.push(RecallStatistics::new(id, level, cause.brought()));
        if recalls.iter().filter(|r| r.over).count() > MOST_OVER
            && let Some(oldest) = recalls.iter().position(|r| r.over)
        {
            recalls.remove(oldest);
        }
    }

    fn triaged(&mut self, contact: ContactId, heed: Heed) {
        self.recall(heed.recall, |r| r.triaged[heed.class as usize] += 1);
        self.tell(Fact::Triaged(heed.class));
        if let Some(track) = self.open.get_mut(&contact) {
            track.machine.safety |= heed.class == TriageClass::Safety;
        }
    }

    fn diverted(&mut self, contact: ContactId, now: SelfService) {
        self.leave(contact);
        let Some(track) = self.open.get_mut(&contact) else { return };
        let safety = track.machine.safety || track.service == Some(ServiceClass::Safety);
        let again = std::mem::replace(&mut track.machine.was_there, true);
        track.machine.ticket = track.machine.stands;
        if again {
            self.statistics.bounced_twice += 1;
            self.tell(Fact::BouncedTwice);
            tracing::error!(%contact, recall = %now.recall, "sent to self-service a second time");
        }
        if safety {
            self.statistics.safety_diverted += 1;
            self.tell(Fact::SafetyDiverted);
            tracing::error!(%contact, recall = %now.recall, "about safety and sent to self-service");
        }
    }

    fn returned(
        &mut self,
        contact: ContactId,
        recall: RecallId,
        tier: Tier,
        because: ReturnedBecause,
    ) {
        self.recall(recall, |r| r.returned[tier.index()][because as usize] += 1);
        self.tell(Fact::Returned(because));
        // That the recall ended is no bounce of theirs.
        if because == ReturnedBecause::Ended
            && let Some(track) = self.open.get_mut(&contact)
        {
            track.machine.was_there = false;
        }
        self.enter(contact);
    }

    fn stands(&mut self, queued: &Queued) {
        let head_start = self.head_starts.get(queued.queue.index()).map_or(Span::ZERO, |h| *h);
        let Some(track) = self.open.get_mut(&queued.contact) else { return };
        let anywhere = i128::from(queued.place.0) + i128::from(head_start.0);
        let now = Stands { place: queued.place, anywhere };
        track.machine.stands = Some(now);
        let ticket = track.machine.ticket.take();
        // Later by both: another queue has another head start, and a configuration that
        // changed it meanwhile leaves those who stand where they are.
        if ticket.is_some_and(|t| now.place > t.place && now.anywhere > t.anywhere) {
            self.place_lost(queued.contact);
        }
    }

    /// A person's order, which the ticket follows.
    fn reprioritised(&mut self, contact: ContactId, place: Place) {
        let Some(track) = self.open.get_mut(&contact) else { return };
        let machine = &mut track.machine;
        for stands in [&mut machine.stands, &mut machine.ticket].into_iter().flatten() {
            stands.anywhere += i128::from(place.0) - i128::from(stands.place.0);
            stands.place = place;
        }
    }

    /// Holds where contacts stand after an entry, in the replica's own lines, against where
    /// they stood before self-service.
    pub(crate) fn audit_places(&mut self, entry: &Entry, engine: &Engine) {
        for event in &entry.events {
            match event {
                Event::Diverted { contact, .. } => {
                    let place = engine.contact(*contact).map(|c| c.place);
                    if let Some(track) = self.open.get_mut(contact) {
                        track.machine.left_at = place;
                    }
                }
                Event::Reprioritised { contact, place, .. }
                | Event::StepTaken(StepTaken { filing: Filing { contact, place, .. }, .. })
                | Event::Refiled(Filing { contact, place, .. }) => {
                    if let Some(track) = self.open.get_mut(contact) {
                        track.machine.left_at = track.machine.left_at.map(|_| *place);
                    }
                }
                Event::Returned { contact, .. } => {
                    let left = self.open.get_mut(contact).and_then(|t| t.machine.left_at.take());
                    // Into another queue in the same breath: by another head start.
                    let moved = entry
                        .events
                        .iter()
                        .any(|e| matches!(e, Event::Queued(q) if q.contact == *contact));
                    let stands = engine.contact(*contact).map(|c| c.place);
                    if left.zip(stands).is_some_and(|(left, stands)| !moved && stands > left) {
                        self.place_lost(*contact);
                    }
                }
                _ => {}
            }
        }
    }

    fn place_lost(&mut self, contact: ContactId) {
        self.statistics.places_lost += 1;
        self.tell(Fact::PlaceLost);
        tracing::error!(%contact, "came back from self-service to a later place");
    }

    fn saying(&mut self, effect: EffectId, contact: ContactId, say: &Say) {
        if let Some(track) = self.open.get_mut(&contact) {
            track.machine.saying.push((effect, say.recall, TextKind::from(say.text)));
        }
    }

    fn said(&mut self, effect: EffectId, contact: ContactId, how: HowSaid) {
        let Some(track) = self.open.get_mut(&contact) else { return };
        let saying = &mut track.machine.saying;
        let Some(at) = saying.iter().position(|(e, ..)| *e == effect) else { return };
        let (_, recall, text) = saying.swap_remove(at);
        self.recall(recall, |r| r.said[text.index()][how.index()] += 1);
        self.tell(Fact::Said(text, how));
    }
}

impl Track {
    /// Of a contact that goes on from one in self-service.
    pub(super) fn follow_up(arrived: EngineTime, waited_before: Span) -> Self {
        let machine = TrackMachine { was_there: true, ..TrackMachine::default() };
        Self { machine, ..Self::new(arrived, waited_before, false) }
    }
}
