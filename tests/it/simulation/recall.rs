//! Recalls in the simulation: toggles at random, customers who press and say things, a reader
//! of words who is sometimes late, and what may never happen to a place.

use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;

use surgeline::engine::command::{Command, Heard, RecallOrder, Report};
use surgeline::engine::contact::{Contact, State, StateKind};
use surgeline::engine::event::{Advanced, EffectKind, Event, Reserved, Rule};
use surgeline::engine::recall::control::{ControlPlan, Within};
use surgeline::engine::recall::{
    Answer, CallbackTier, Choice, FaqPlan, Found, Heed, IvrPlan, LatePlan, Level, LotVerdict,
    Outside, Paged, PartnerTier, Partners, Plan, Question, Recall, ReturnedBecause, SafetyPlan,
    SelfService, Step, TriageClass, Wish,
};
use surgeline::engine::words::QueuedBecause;
use surgeline::ids::{AgentId, ContactId, EffectId, EntryPointId, QueueId, RecallId};
use surgeline::time::Span;

use super::center::{ABROAD, OUTSIDE};
use super::{AGENTS, World};

impl World {
    fn any_recall(&mut self) -> RecallId {
        let known: Vec<RecallId> = self.owner.recalls().filter(|r| !r.over).map(|r| r.id).collect();
        let found = known.choose(&mut self.rng).copied();
        found.unwrap_or(RecallId(self.rng.random_range(0..4)))
    }

    fn any_class(&mut self) -> TriageClass {
        *TriageClass::ALL.choose(&mut self.rng).expect("three")
    }

    pub(super) fn any_heed(&mut self) -> Option<Heed> {
        let heed = Heed { recall: self.any_recall(), class: self.any_class() };
        self.rng.random_bool(0.04).then_some(heed)
    }

    pub(super) fn heard(&mut self) -> Heard {
        let words = self.rng.random_bool(0.7);
        let secret = self.rng.random_bool(0.02);
        Heard { words, secret, heed: self.any_heed(), ..Heard::default() }
    }

    fn level(&mut self) -> Level {
        *Level::ALL.choose(&mut self.rng).expect("five")
    }

    fn plan(&mut self) -> Plan {
        let mut scope: Vec<EntryPointId> = (0..3).map(EntryPointId).collect();
        scope.retain(|_| self.rng.random_bool(0.6));
        let mut kept: Vec<AgentId> = (0..AGENTS).map(AgentId).collect();
        kept.retain(|_| self.rng.random_bool(0.1));
        let faq = FaqPlan {
            from: Level::Elevated,
            capacity: self.rng.random_range(1..30),
            pacing: [0, 2, 5, 1].map(Span::seconds),
            silence: [Span::seconds(4); 4],
            time_limit: [Span::seconds(30); 4],
            entries: 3,
        };
        let options = [(b'1', Choice::LotCheck), (b'2', Choice::Faq(1)), (b'3', Choice::Message)];
        let ivr = IvrPlan {
            from: *[Level::Elevated, Level::Surge].choose(&mut self.rng).expect("two"),
            ports: self.rng.random_range(1..20),
            time_limit: Span::seconds(25),
            repeats: self.rng.random_range(0..3),
            key_timeout: Span::seconds(3),
            yes: b'1',
            no: b'2',
            options: options.into_iter().collect(),
        };
        let callback = CallbackTier {
            from: *[Level::Elevated, Level::Surge].choose(&mut self.rng).expect("two"),
            offer_after: Span::seconds(self.rng.random_range(0..10)),
            within: Span::seconds(self.rng.random_range(900..7_200)),
            capacity: self.rng.random_range(1..20),
            accept_within: Span::seconds(5),
        };
        let partner = PartnerTier {
            from: *[Level::Elevated, Level::Surge].choose(&mut self.rng).expect("two"),
            pools: (*[&[OUTSIDE][..], &[ABROAD], &[OUTSIDE, ABROAD]]
                .choose(&mut self.rng)
                .expect("three"))
            .iter()
            .copied()
            .collect(),
            lead: Span::seconds(self.rng.random_range(0..20)),
            share: self.rng.random_range(1..=100),
            capacity: self.rng.random_range(0..4),
            channels: std::array::from_fn(|_| self.rng.random_bool(0.8)),
            callbacks: self.rng.random_bool(0.5),
        };
        Plan {
            title: Arc::from("a simulated recall"),
            version: [self.rng.random_range(0..4); 32],
            playbook: Arc::from(&b"words"[..]),
            scope,
            faq: self.rng.random_bool(0.9).then_some(faq),
            ivr: self.rng.random_bool(0.9).then_some(ivr),
            callback: self.rng.random_bool(0.8).then_some(callback),
            partner: self.rng.random_bool(0.8).then_some(partner),
            safety: SafetyPlan {
                queue: QueueId(self.rng.random_range(0..4)),
                kept,
                external: self.rng.random_bool(0.3).then(|| Outside::Number("112".into())),
                late: self.late(),
            },
            soon: Span::seconds(self.rng.random_range(0..20)),
            control: Some(self.control()),
        }
    }

    /// Thresholds so low and times so short that levels move within a simulation.
    fn control(&mut self) -> ControlPlan {
        ControlPlan {
            wait: [2, 4, 6].map(|s| Span::seconds(s * self.rng.random_range(1..4))),
            held: [1, 1, 2].map(Span::seconds),
            leave_after: Span::seconds(self.rng.random_range(2..20)),
            ..ControlPlan::default()
        }
    }

    fn late(&mut self) -> LatePlan {
        let mut seconds = |least, most| Span::seconds(self.rng.random_range(least..most));
        let (any_agent, external) = (seconds(1, 40), seconds(1, 60));
        LatePlan { any_agent, external, page: seconds(1, 60), repeat: seconds(60, 120) }
    }

    /// The pager says what became of a page, of one that it knows mostly.
    fn page_settled(&mut self) -> Command {
        let pending = self
            .owner
            .recalls()
            .flat_map(|r| r.alarm.pending.iter().map(|page| (r.id, page.number)));
        let pending: Vec<_> = pending.collect();
        let some = pending.choose(&mut self.rng).copied();
        let (recall, number) = some.unwrap_or_else(|| (self.any_recall(), 1));
        let how = *Paged::ALL.choose(&mut self.rng).expect("several");
        Command::PageSettled { recall, number, how }
    }

    /// A recall gets a newer playbook, another end, or both.
    fn amend(&mut self) -> Command {
        let recall = self.any_recall();
        let newer = self.owner.recall(recall).map(|r| {
            let version = [self.rng.random_range(4..8); 32];
            Arc::new(Plan { version, ..Plan::clone(&r.plan) })
        });
        let plan = newer.filter(|_| self.rng.random_bool(0.7));
        let lasting = Span::seconds(self.rng.random_range(60..900));
        let lasting = (plan.is_none() || self.rng.random_bool(0.3)).then_some(lasting);
        let from = self.owner.recall(recall).map(|r| r.plan.version);
        let from = from.map(|v| if self.rng.random_bool(0.1) { [9; 32] } else { v });
        let accept_empty_safety_lane = self.rng.random();
        let order = RecallOrder::Amend { recall, from, plan, accept_empty_safety_lane, lasting };
        Command::Recall { order, why: Arc::from("the simulation says so") }
    }

    /// Lots were looked up again, of some who were told "not affected".
    fn rechecked(&mut self) -> Command {
        let recall = self.any_recall();
        let told = self.owner.recall(recall).map(|r| {
            let all: Vec<ContactId> = r.amends.told().map(|told| told.contact).collect();
            (r.plan.version, all)
        });
        let (version, mut all) = told.unwrap_or_default();
        all.truncate(8);
        let upto = all.last().copied().filter(|_| self.rng.random_bool(0.5));
        all.retain(|_| self.rng.random_bool(0.5));
        Command::Rechecked { recall, version, upto, affected: all.into() }
    }

    pub(super) fn recall_command(&mut self) -> Command {
        match self.rng.random_range(0..60) {
            26..=28 => self.page_settled(),
            29 | 30 => self.amend(),
            31..=34 => self.rechecked(),
            0 => {
                let order = RecallOrder::Start {
                    plan: Arc::new(self.plan()),
                    level: self.level(),
                    lasting: Span::seconds(self.rng.random_range(50..900)),
                    accept_empty_safety_lane: self.rng.random_bool(0.5),
                    free: self.rng.random_bool(0.5).then(Within::default),
                };
                Command::Recall { order, why: Arc::from("the simulation says so") }
            }
            1 | 2 => {
                let (recall, level) = (self.any_recall(), self.level());
                let within = Within { lowest: Some(level), highest: Some(Level::Critical) };
                let order = match self.rng.random_range(0..3) {
                    0 => RecallOrder::Free { recall, within },
                    _ => RecallOrder::SetLevel { recall, level },
                };
                Command::Recall { order, why: Arc::from("the simulation says so") }
            }
            3 if self.rng.random_bool(0.3) => {
                let order = RecallOrder::End(self.any_recall());
                Command::Recall { order, why: Arc::from("the simulation says so") }
            }
            4..=25 => self.words_read(),
            _ => self.self_service_command(),
        }
    }

    /// The reader of words answers: the newest question mostly, sometimes an old one.
    fn words_read(&mut self) -> Command {
        let newest = self.asked.len().saturating_sub(1);
        let at = if self.rng.random_bool(0.9) { newest } else { newest / 2 };
        let none = (ContactId(1), surgeline::ids::AskId(1));
        let (contact, ask) = if self.asked.is_empty() { none } else { self.asked.swap_remove(at) };
        let answer = match self.rng.random_range(0..10) {
            0 => Answer::None,
            1 => Answer::NoWords,
            2 => Answer::Entry { entry: 9, score: 990 },
            _ => Answer::Entry { entry: self.rng.random_range(0..3), score: 700 },
        };
        let heed = self.any_heed();
        Command::WordsRead { contact, ask, found: Found { heed, answer } }
    }

    /// A customer in self-service does what is asked of them, or something else.
    fn self_service_command(&mut self) -> Command {
        let served: Vec<(ContactId, SelfService)> =
            self.owner.contacts().filter_map(|c| Some((c.id, c.self_service()?))).collect();
        let Some((contact, s)) = served.choose(&mut self.rng).copied() else {
            let contact = self.any_contact();
            let heard = Heard { keys: Some(Arc::from("0")), ..Heard::default() };
            return self.gateway_command(contact, Report::Input { contact, heard });
        };
        let pending = self.owner.contact(contact).and_then(|c| c.effects.first().copied());
        if let (Some((effect, _)), true) = (pending, self.rng.random_bool(0.5)) {
            return self.gateway_command(contact, Report::EffectDone(effect));
        }
        let mut heard = self.heard();
        let keys = match s.step {
            Step::Asked { question: Question::Injury, .. } => Some(["2", "2", "2", "2", "1", "7"]),
            Step::Asked { question: Question::Options, .. } => Some(["1", "1", "2", "3", "9", "1"]),
            Step::Asked { question: Question::Lot, .. } => {
                let verdicts = [
                    Some(LotVerdict::Affected),
                    Some(LotVerdict::NotAffected),
                    Some(LotVerdict::CannotTell),
                    None,
                ];
                heard.lot = *verdicts.choose(&mut self.rng).expect("four");
                Some(["4711#", "12", "333#", "0", "0#", "99"])
            }
            Step::Leaving { .. } => Some(["1", "0", "2", "3", "#", "*"]),
            _ => None,
        };
        if let Some(keys) = keys {
            heard = Heard {
                keys: Some(Arc::from(*keys.choose(&mut self.rng).expect("six"))),
                words: false,
                ..heard
            };
        } else if self.rng.random_bool(0.4) {
            let wishes = [Wish::Solved, Wish::Solved, Wish::Person];
            heard.wish = wishes.choose(&mut self.rng).copied();
        }
        if self.rng.random_bool(0.1) {
            return self.gateway_command(contact, Report::CustomerLeft(contact));
        }
        self.gateway_command(contact, Report::Input { contact, heard })
    }

    /// A customer answers an offer of a call, or somebody says so to whom none was made.
    pub(super) fn offer_answered(&mut self) -> Command {
        let offer = |c: &Contact| {
            let offers = |kind: &EffectKind| matches!(kind, EffectKind::OfferCallback(_));
            c.effects.iter().find(|(_, kind)| offers(kind)).map(|(effect, _)| (c.id, *effect))
        };
        let out: Vec<_> = self.owner.contacts().filter_map(offer).collect();
        let stray = (self.any_contact(), EffectId(1));
        let (contact, effect) = out.choose(&mut self.rng).copied().unwrap_or(stray);
        let (accepted, confirmed) = (self.rng.random_bool(0.6), self.rng.random_bool(0.9));
        let report = Report::OfferAnswered { contact, effect, accepted, confirmed };
        self.gateway_command(contact, report)
    }

    /// Nobody is offered a call twice, or loses their place by it; partners are offered nothing
    /// but what a recall that they joined lets them.
    fn check_tiers(&mut self, events: &[Event], before: &[Contact], context: &str) {
        for event in events {
            match event {
                Event::EffectAsked { contact, kind: EffectKind::OfferCallback(_), .. } => {
                    assert!(self.offered.insert(*contact), "{context}: {contact} offered twice");
                    let was = before.iter().find(|c| c.id == *contact).map(|c| c.place);
                    let is = self.owner.contact(*contact).map(|c| c.place);
                    // A step may raise it in the same command.
                    assert!(is <= was, "{context}: {contact} lost its place by an offer");
                }
                Event::Reserved(r) if self.owner.is_partner(r.agent) => {
                    let named = before.iter().any(|c| c.id == r.contact && c.named.is_some());
                    let kept = named || r.why.rule == Rule::Kept;
                    let of = self.owner.contact(r.contact).and_then(|c| c.entry_point);
                    let recall = self.owner.recall_at(of);
                    // They may join, and leave, later in the same command.
                    let joined = recall
                        .is_some_and(|of| of.partners == Partners::Joined && self.is_theirs(r, of));
                    let left = events.iter().any(|e| matches!(e, Event::PartnersSet(_)));
                    assert!(joined || left || kept, "{context}: {r:?} is for no partner");
                }
                _ => {}
            }
        }
    }

    /// Whether a recall's plan gives a contact to this partner.
    fn is_theirs(&self, r: &Reserved, recall: &Recall) -> bool {
        let pool = self.owner.routing().agents[r.agent.index()].pool;
        let lets = |tier: &PartnerTier| {
            let takes = self
                .owner
                .contact(r.contact)
                .is_some_and(|c| tier.takes(c.channel) || tier.callbacks && c.callback.is_some());
            let share = (r.contact.0 * 61) % 100 < u64::from(tier.share);
            tier.pools.contains(&pool) && takes && share
        };
        recall.plan.partner.as_ref().is_some_and(lets)
    }

    /// Who goes to self-service keeps their place, comes back to it, and goes there once.
    pub(super) fn check_places(&mut self, events: &[Event], before: &[Contact], context: &str) {
        self.check_tiers(events, before, context);
        for event in events {
            match event {
                Event::WordsAsked { contact, ask, .. } => self.asked.push((*contact, *ask)),
                Event::Diverted { contact, .. } => {
                    assert!(
                        !self.returned.contains(contact),
                        "{context}: contact {contact} bounced twice"
                    );
                    if let Some(c) = self.owner.contact(*contact) {
                        self.diverted.insert(*contact, c.place);
                    }
                }
                Event::Returned { contact, because, .. } => {
                    // That a recall ended is no bounce of theirs.
                    if *because != ReturnedBecause::Ended {
                        self.returned.insert(*contact);
                    }
                    let entered = self.diverted.remove(contact);
                    let is = self.owner.contact(*contact).map(|c| (c.place, c.state));
                    // For safety, for supervisors and by overflow it may go to another queue in
                    // the same command, whose head start is another.
                    let moved = events.iter().any(|e| {
                        matches!(e, Event::Queued(q) if q.contact == *contact
                        && matches!(
                            q.because,
                            QueuedBecause::Safety
                                | QueuedBecause::Moved
                                | QueuedBecause::Overflowed
                        ))
                    });
                    let better = is.zip(entered).is_some_and(|((place, _), was)| place < was);
                    if let (Some(entered), Some((place, state))) = (entered, is) {
                        let kept = moved || better || place == entered;
                        assert!(kept, "{context}: {contact} lost its place");
                        let kind = state.kind();
                        // A step that is overdue by then may send it to a number outside.
                        let with_people = matches!(
                            kind,
                            StateKind::Queued
                                | StateKind::Reserved
                                | StateKind::Connecting
                                | StateKind::Pending
                                | StateKind::CallbackDue
                        );
                        assert!(with_people, "{context}: {contact} came back to {state:?}");
                    }
                }
                Event::Closed { contact, .. } => {
                    self.diverted.remove(contact);
                }
                _ => {}
            }
        }
        // While it is there nothing moves its place but a supervisor, an edit of its queue, or one
        // that it is linked with.
        for c in before.iter().filter(|c| matches!(c.state, State::SelfService(_))) {
            let reprioritised = events.iter().any(|e| match e {
                Event::Reprioritised { contact, .. }
                | Event::Advanced(Advanced { contact, .. }) => *contact == c.id,
                Event::Refiled(filing) => filing.contact == c.id,
                _ => false,
            });
            if reprioritised {
                let place = self.owner.contact(c.id).map(|c| c.place);
                if let (Some(place), Some(entered)) = (place, self.diverted.get_mut(&c.id)) {
                    *entered = place;
                }
            }
        }
    }
}
