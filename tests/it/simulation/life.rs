//! Queues that live: steps, hours, most in line, announcements and updates, all at random,
//! with what must hold of them worked out again by the words of the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use surgeline::engine::Engine;
use surgeline::engine::command::{Command, Report};
use surgeline::engine::contact::{Contact, Link, State};
use surgeline::engine::event::{Announce, EffectKind, Event, Settled, WaitAnnounced};
use surgeline::engine::hours::Hours;
use surgeline::engine::policy::LanguageRule;
use surgeline::engine::queue_life::{
    Calendar, External, Fallback, Notice, Overflow, QueueLife, QueueStep, Then,
};
use surgeline::engine::routing::Routing;
use surgeline::engine::stage::Announced;
use surgeline::engine::words::{EndReason, Needs, QueuedBecause, ServiceClass};
use surgeline::ids::{CalendarId, ContactId, ExternalId, NoticeId, PoolId, QueueId, SkillId};
use surgeline::time::{Place, Span, WallTime};

use super::{QUEUES, World};

/// What only some worlds have: what is said of waits goes by about how many stand in line,
/// which an engine from a snapshot may count otherwise.
pub(super) fn speaks(rng: &mut StdRng) -> bool {
    rng.random_bool(0.6)
}

pub(super) fn calendars() -> Vec<Calendar> {
    let of = |name: &str| Calendar { name: Arc::from(name), ..Calendar::default() };
    vec![of("weekdays"), of("always")]
}

pub(super) fn externals() -> Vec<External> {
    let number = |n: &str| Some(Arc::from(n));
    let numbers = [number("+1555"), None, None, number("desk")];
    let all = [(); 4].map(|()| number("anywhere"));
    let of = |name: &str, numbers| External { name: Arc::from(name), retired: false, numbers };
    vec![of("partner-line", numbers), of("duty-officer", all)]
}

pub(super) fn notices() -> Vec<Notice> {
    let of = |name: &str| Notice {
        name: Arc::from(name),
        retired: false,
        texts: Vec::new(),
        version: 0,
    };
    vec![of("please-wait"), of("we-are-closed")]
}

fn overflow(rng: &mut StdRng) -> Overflow {
    if rng.random_bool(0.6) {
        Overflow::Queue(QueueId(rng.random_range(0..QUEUES)))
    } else {
        Overflow::External(ExternalId(rng.random_range(0..2)))
    }
}

fn tell(rng: &mut StdRng, speaks: bool) -> Option<NoticeId> {
    (speaks && rng.random_bool(0.7)).then(|| NoticeId(rng.random_range(0..2)))
}

pub(super) fn steps(rng: &mut StdRng, speaks: bool) -> Vec<QueueStep> {
    let many = *[0, 1, 1, 2, 4].choose(rng).expect("five");
    let mut after = 0;
    let mut step = || {
        after += rng.random_range(1..30);
        let add = rng.random_bool(0.4);
        let overflows = rng.random_bool(0.3);
        QueueStep {
            after: Span::seconds(after),
            lower_proficiency: *[0, 0, 1, 2, 5].choose(rng).expect("five"),
            drop_preferred: rng.random_bool(0.3),
            add_pools: add.then(|| PoolId(rng.random_range(0..2))).into_iter().collect(),
            raise_priority: Span::seconds(*[0, 0, 7, 60].choose(rng).expect("four")),
            overflow: overflows.then(|| overflow(rng)),
            tell: tell(rng, speaks),
        }
    };
    (0..many).map(|_| step()).collect()
}

fn fallback(rng: &mut StdRng, speaks: bool) -> Fallback {
    let then = match rng.random_range(0..6) {
        0 => Then::Callback,
        1 | 2 => Then::Overflow(overflow(rng)),
        3 | 4 => Then::Close,
        _ => Then::Wait,
    };
    Fallback { tell: tell(rng, speaks), then }
}

pub(super) fn life(rng: &mut StdRng, speaks: bool) -> QueueLife {
    let keeps_hours = rng.random_bool(0.4);
    QueueLife {
        hours: keeps_hours.then(|| CalendarId(rng.random_range(0..2))),
        closed: fallback(rng, speaks),
        most_waiting: *[0, 0, 2, 6].choose(rng).expect("four"),
        full: fallback(rng, speaks),
        updates: Span::seconds(if speaks { *[0, 20, 60].choose(rng).expect("three") } else { 0 }),
    }
}

/// An edit of one queue.
pub(super) fn edit(rng: &mut StdRng, routing: &mut Routing, speaks: bool) {
    let index = rng.random_range(0..routing.queues.len());
    let queue = &mut routing.queues[index];
    match rng.random_range(0..6) {
        0 => queue.steps = steps(rng, speaks),
        1 => {
            let at = rng.random_range(0..=queue.steps.len());
            queue.steps.truncate(at);
        }
        2 => queue.life = life(rng, speaks),
        3 => queue.head_start = Span::seconds(rng.random_range(0..40)),
        4 => queue.pools = [PoolId(rng.random_range(0..2))].into_iter().collect(),
        _ => {
            let external = rng.random_range(0..routing.externals.len());
            routing.externals[external].retired ^= true;
        }
    }
}

/// Whether anything is said of waits.
pub(super) fn tells(routing: &Routing) -> bool {
    let said = |f: &Fallback| f.tell.is_some();
    routing.queues.iter().any(|q| {
        q.life.updates > Span::ZERO
            || said(&q.life.closed)
            || said(&q.life.full)
            || q.steps.iter().any(|s| s.tell.is_some())
    })
}

/// Ways out of a queue that does not serve, and back.
pub(super) const WAYS: &[&str] =
    &["to another queue", "back from outside", "overflowed", "queue_closed", "queue_full"];

/// The one that an event is.
pub(super) fn ways(event: &Event) -> Option<&'static str> {
    let way = match event {
        Event::Closed { reason, .. } => reason.name(),
        Event::Queued(q) if q.because == QueuedBecause::Overflowed => WAYS[0],
        Event::Queued(q) if q.because == QueuedBecause::NotForwarded => WAYS[1],
        _ => return None,
    };
    WAYS.contains(&way).then_some(way)
}

impl World {
    /// What gateways report of those on their way out, and what calendars do.
    pub(super) fn life_command(&mut self) -> Command {
        let leaving: Vec<_> = self
            .owner
            .contacts()
            .filter(|c| matches!(c.state, State::Pending { agent: None, .. }))
            .filter_map(|c| Some((c.id, c.effects.last()?.0)))
            .collect();
        if let Some((contact, effect)) = leaving.choose(&mut self.rng).copied()
            && self.rng.random_bool(0.7)
        {
            let report = match self.rng.random_range(0..8) {
                0..=3 => Report::EffectDone(effect),
                4..=6 => Report::EffectFailed { effect, code: 404 },
                _ => Report::CustomerLeft(contact),
            };
            return self.gateway_command(contact, report);
        }
        let calendar = CalendarId(self.rng.random_range(0..3));
        let changes = self.rng.random_bool(0.5).then(|| WallTime(self.rng.random_range(0..9)));
        let now = Hours { open: self.rng.random_bool(0.6), changes };
        Command::SetHours { calendar, now }
    }

    /// Overflow never goes in a circle, an announced wait never grows in silence, and nobody
    /// is sent away who was not told, or who is about safety.
    pub(super) fn check_lives(&mut self, events: &[Event], before: &[Contact], context: &str) {
        let mut told_now: BTreeMap<ContactId, Announced> = BTreeMap::new();
        for event in events {
            match event {
                Event::Queued(q) if q.because == QueuedBecause::Overflowed => {
                    let from = before.iter().find(|c| c.id == q.contact).map(|c| c.queue);
                    let been = self.overflowed.entry(q.contact).or_default();
                    been.extend(from);
                    let again = been.contains(&q.queue);
                    assert!(!again, "{context}: {} went in a circle: {been:?}", q.contact);
                    been.push(q.queue);
                }
                Event::WaitAnnounced(WaitAnnounced { contact, told, .. }) => {
                    let last = before.iter().find(|c| c.id == *contact).and_then(|c| c.announced());
                    let last = told_now.insert(*contact, *told).or(last);
                    let left = last.and_then(|told| told.left(self.at));
                    let grew = left.is_some_and(|left| told.wait.is_none_or(|wait| wait > left));
                    assert_eq!(told.longer, grew, "{context}: {left:?} became {told:?}");
                }
                Event::Closed { contact, reason, .. } => {
                    self.overflowed.remove(contact);
                    let c = before.iter().find(|c| c.id == *contact);
                    if matches!(reason, EndReason::QueueClosed | EndReason::QueueFull) {
                        let safety = c.is_some_and(|c| c.service == ServiceClass::Safety);
                        assert!(!safety, "{context}: {contact} is about safety");
                        let left =
                            ["CustomerLeft", "CallLost"].iter().any(|gone| context.contains(gone));
                        assert!(left || was_told(events, c), "{context}: {contact} was not told");
                    }
                }
                _ => {}
            }
        }
    }

    /// Where nothing is left to be done, everybody has taken the steps that are due, asks for
    /// what the configuration says, and stands where arrival and head starts put them.
    pub(super) fn check_filing(&self, context: &str) {
        if self.owner.next_tick().is_some_and(|due| due <= self.at) {
            return;
        }
        for c in self.owner.contacts().filter(|c| c.parent.is_none()) {
            let queue = &self.owner.routing().queues[c.queue.index()];
            let taken = |s: &&QueueStep| s.after <= c.stage.stepped;
            let due = |s: &&QueueStep| c.stage.entered + s.after <= self.at;
            let waits = c.state == State::Queued && c.named.is_none() && c.link != Link::Detached;
            if waits {
                let (taken, due) =
                    (queue.steps.iter().filter(taken), queue.steps.iter().filter(due));
                assert_eq!(taken.count(), due.count(), "{context}: steps of {c:?}");
            }
            let taken: Vec<&QueueStep> = queue.steps.iter().filter(taken).collect();
            let (needs, preferred) = asks(&self.owner, c, &taken);
            assert_eq!((&c.needs, &c.preferred), (&needs, &preferred), "{context}: {c:?}");
            let raised: u64 = taken.iter().map(|s| s.raise_priority.0).sum();
            let ahead =
                queue.head_start.0 + c.head_start.0 + c.waited_before.0 + raised + c.care.ahead.0;
            assert_eq!(c.place, Place::new(c.arrived, Span(ahead)), "{context}: place of {c:?}");
            let may = |pool: PoolId| {
                queue.pools.is_empty()
                    || queue.pools.contains(&pool)
                    || taken.iter().any(|s| s.add_pools.contains(&pool))
            };
            for pool in (0..2).map(PoolId) {
                let does = queue.pools.is_empty()
                    || queue.pools.contains(&pool)
                    || c.stage.pools.contains(&pool);
                assert_eq!(does, may(pool), "{context}: {pool} and {c:?}");
            }
        }
    }
}

/// Whether what a contact was told before its end was said, or could not be.
fn was_told(events: &[Event], c: Option<&Contact>) -> bool {
    let last =
        |kind: &EffectKind| matches!(kind, EffectKind::Announce(Announce { ends: Some(_), .. }));
    let Some(effect) = c.and_then(|c| c.effects.iter().find(|(_, k)| last(k))) else {
        return false;
    };
    events.iter().any(|e| match e {
        Event::EffectSettled { effect: settled, how, .. } => {
            *settled == effect.0 && *how != Settled::Withdrawn
        }
        _ => false,
    })
}

/// What a contact asks for after these steps.
fn asks(engine: &Engine, c: &Contact, taken: &[&QueueStep]) -> (Needs, Needs) {
    let routing = engine.routing();
    let queue = &routing.queues[c.queue.index()];
    let speaks = c.language.and_then(|l| routing.languages.iter().find(|(of, _)| *of == l));
    let spoken = |rule| speaks.filter(|_| queue.policy.language == rule).map(|(_, s)| (*s, 1));
    let most = |lists: [&Needs; 2], more: Option<(SkillId, u8)>| {
        let mut all: BTreeMap<SkillId, u8> = more.into_iter().collect();
        for need in lists.into_iter().flatten() {
            let level = all.entry(need.skill).or_default();
            *level = need.at_least.max(*level);
        }
        all
    };
    let mut needs = most([&queue.needs, &c.own_needs], spoken(LanguageRule::Required));
    let preferred =
        most([&queue.policy.preferred, &c.own_preferred], spoken(LanguageRule::Preferred));
    let mut preferred: BTreeMap<SkillId, u8> = preferred
        .into_iter()
        .filter(|(skill, level)| needs.get(skill).is_none_or(|needed| needed < level))
        .collect();
    if taken.iter().any(|s| s.drop_preferred) {
        preferred.clear();
    }
    let lower = taken.iter().map(|s| i32::from(s.lower_proficiency)).max().unwrap_or(0);
    for level in needs.values_mut() {
        *level = u8::try_from((i32::from(*level) - lower).max(1)).expect("small");
    }
    let list = |all: BTreeMap<SkillId, u8>| {
        all.into_iter()
            .map(|(skill, at_least)| surgeline::engine::words::Need { skill, at_least })
            .collect()
    };
    (list(needs), list(preferred))
}
