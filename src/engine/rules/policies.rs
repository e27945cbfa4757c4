//! The policies: who is chosen for whom, by every name that the configuration knows.

use std::sync::Arc;

use super::{ANNE, BOB, CLEO, Center, PLAIN, SAFETY, SKILLED, listed};
use crate::engine::command::{Act, Command, Reply, Report};
use crate::engine::contact::State;
use crate::engine::event::{Event, Reserved, Rule, Trigger};
use crate::engine::policy::{AgentChoice, ContactChoice, LanguageRule};
use crate::engine::refusal::Refusal;
use crate::engine::routing::{AgentProfile, Queue, Routing};
use crate::engine::words::{Availability, Channel, Language, Need};
use crate::engine::{Engine, MOST_CLASSES, MOST_PROFILES};
use crate::ids::{AgentId, ContactId, CustomerId, PoolId, QueueId, ReasonId, SkillId};
use crate::time::Span;

const GERMAN: Language = Language(*b"de");
const LUNCH: Availability = Availability::NotReady(ReasonId(2));

impl Center {
    pub(super) fn with(change: impl FnOnce(&mut Routing)) -> Self {
        let mut c = Self::new();
        c.configure(change);
        c
    }

    pub(super) fn configure(&mut self, change: impl FnOnce(&mut Routing)) {
        let mut routing = Routing::clone(self.engine.routing());
        change(&mut routing);
        self.ok(&Command::Configure(Arc::new(routing)));
    }

    /// What the last command reserved.
    fn reserved(&self) -> Vec<Reserved> {
        let of = |e: &Event| if let Event::Reserved(r) = e { Some(*r) } else { None };
        self.events.iter().filter_map(of).collect()
    }

    pub(super) fn arrives_as(
        &mut self,
        channel: Channel,
        queue: QueueId,
        change: impl FnOnce(&mut crate::engine::command::Arrival),
    ) -> ContactId {
        let mut arrival = self.arrival(channel, queue);
        change(&mut arrival);
        match self.report(Report::Arrived(arrival)) {
            Ok(Reply::Contact(contact)) => contact,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn leaves(&mut self, contact: ContactId) {
        self.report(Report::CustomerLeft(contact)).expect("left");
    }
}

fn need(skill: u16, at_least: u8) -> Need {
    Need { skill: SkillId(skill), at_least }
}

#[test]
fn who_has_a_preferred_skill_comes_first_and_nobody_is_excluded() {
    let mut c = Center::with(|r| r.queues[0].policy.preferred = [need(0, 4)].into_iter().collect());
    for agent in [BOB, CLEO, ANNE] {
        c.ready(agent);
    }
    let first = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(c.held_for(first), Some(ANNE), "she alone is that good, and was idle least long");
    assert_eq!((c.reserved()[0].rank, c.reserved()[0].why.lacks), (0, 0));
    let second = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(c.held_for(second), Some(BOB), "then the least versatile");
    assert_eq!(c.reserved()[0].why.lacks, 1);
}

#[test]
fn what_an_arrival_prefers_goes_with_it() {
    let mut c = Center::new();
    for agent in [BOB, CLEO] {
        c.ready(agent);
    }
    let prefers = |a: &mut crate::engine::command::Arrival| {
        a.preferred = [need(0, 1)].into_iter().collect();
    };
    let call = c.arrives_as(Channel::Voice, PLAIN, prefers);
    assert_eq!(c.held_for(call), Some(CLEO));
    c.answer(call);
    let target = crate::engine::command::Target::Queue(SAFETY);
    c.act(CLEO, Act::Transfer { contact: call, to: target }).expect("sent on");
    assert_eq!(c.held_for(call), Some(CLEO), "still before bob, who was idle longer");
    let mut bad = c.arrival(Channel::Voice, PLAIN);
    bad.preferred = [need(9, 1)].into_iter().collect();
    let expected = "skills that exist";
    let refused = Refusal::OutOfRange { field: "preferred", expected };
    assert_eq!(c.report(Report::Arrived(bad)), Err(refused));
}

#[test]
fn a_language_is_required_preferred_or_ignored() {
    for (rule, expected) in [
        (LanguageRule::Required, None),
        (LanguageRule::Preferred, Some(BOB)),
        (LanguageRule::Ignored, Some(BOB)),
    ] {
        let mut c = Center::with(|r| {
            r.skills = listed(&["spanish", "german"]);
            r.languages = vec![(GERMAN, SkillId(1))];
            r.agents[CLEO.index()].skills.push((SkillId(1), 2));
            r.queues[0].policy.language = rule;
        });
        c.ready(BOB);
        let german = c.arrives_as(Channel::Voice, PLAIN, |a| a.language = Some(GERMAN));
        assert_eq!(c.held_for(german), expected, "{rule:?}");
        c.leaves(german);
        c.ready(CLEO);
        let german = c.arrives_as(Channel::Voice, PLAIN, |a| a.language = Some(GERMAN));
        let speaks = if rule == LanguageRule::Ignored { BOB } else { CLEO };
        assert_eq!(c.held_for(german), Some(speaks), "{rule:?}");
        let unknown = c.arrives_as(Channel::Voice, PLAIN, |a| a.language = Some(Language(*b"xx")));
        assert!(c.held_for(unknown).is_some(), "a language of no skill asks for nothing");
    }
}

/// A customer whom Anne had, and who comes again after so long; Bob is idle longer.
fn comes_again(sticky: Span, after: u64) -> (Center, ContactId) {
    let mut c = Center::with(|r| r.queues[0].policy.sticky = sticky);
    c.ready(ANNE);
    let known = |a: &mut crate::engine::command::Arrival| a.customer = Some(CustomerId(7));
    let first = c.arrives_as(Channel::Voice, PLAIN, known);
    c.ready(BOB);
    c.answer(first);
    c.complete(first);
    c.passes(after);
    let again = c.arrives_as(Channel::Voice, PLAIN, known);
    (c, again)
}

#[test]
fn a_customer_gets_their_last_agent_if_they_can_take_it_now() {
    let (c, again) = comes_again(Span::seconds(60), 60);
    assert_eq!(c.held_for(again), Some(ANNE));
    assert_eq!(
        (c.reserved()[0].trigger, c.reserved()[0].why.rule),
        (Trigger::Contact, Rule::Sticky)
    );
    let (c, again) = comes_again(Span::seconds(60), 61);
    assert_eq!(c.held_for(again), Some(BOB), "too long ago");
    let (c, again) = comes_again(Span::ZERO, 1);
    assert_eq!(c.held_for(again), Some(BOB), "the queue does not ask for it");
}

#[test]
fn nobody_waits_for_a_last_agent_who_cannot_take_it() {
    let (mut c, again) = comes_again(Span::seconds(60), 1);
    let reservation = c.reservation(again);
    c.act(ANNE, Act::Decline(reservation)).expect("declined");
    assert_eq!(c.held_for(again), Some(BOB), "who declined is passed over");
    c.leaves(again);
    let known = |a: &mut crate::engine::command::Arrival| a.customer = Some(CustomerId(7));
    c.act(ANNE, Act::Become(LUNCH)).expect("at lunch");
    let third = c.arrives_as(Channel::Chat, PLAIN, known);
    assert_eq!(c.held_for(third), Some(BOB), "an absent agent keeps nothing");
    let skilled = c.arrives_as(Channel::Chat, SKILLED, known);
    assert_eq!(c.held_for(skilled), None);
    c.act(ANNE, Act::Become(Availability::Ready)).expect("back");
    assert_eq!(c.held_for(skilled), Some(ANNE), "by skill, not because of the past");
    assert_eq!(c.reserved()[0].why.rule, Rule::OldestPlace);
}

#[test]
fn agents_are_chosen_by_proficiency_where_the_queue_says_so() {
    for (choice, expected, rule) in [
        (AgentChoice::LongestIdle, CLEO, Rule::LongestIdle),
        (AgentChoice::MostProficient, ANNE, Rule::MostProficient),
        (AgentChoice::LeastProficient, CLEO, Rule::LeastProficient),
    ] {
        let mut c = Center::with(|r| r.queues[1].policy.agent_choice = choice);
        c.ready(CLEO);
        c.passes(1);
        c.ready(ANNE);
        let call = c.arrives(Channel::Voice, SKILLED);
        let why = c.reserved()[0].why;
        assert_eq!((c.held_for(call), why.rule), (Some(expected), rule), "{choice:?}");
        assert_eq!(why.proficiency, if expected == ANNE { 5 } else { 3 });
    }
}

#[test]
fn for_chats_the_least_loaded_comes_first_also_among_equally_proficient() {
    for choice in [AgentChoice::LongestIdle, AgentChoice::MostProficient] {
        let mut c = Center::with(|r| {
            r.queues[0].policy.agent_choice = choice;
            r.agents[ANNE.index()].skills.clear();
        });
        c.ready(ANNE);
        c.ready(BOB);
        let held: Vec<_> = (0..4)
            .map(|_| {
                let chat = c.arrives(Channel::Chat, PLAIN);
                c.held_for(chat)
            })
            .collect();
        assert_eq!(held, [ANNE, BOB, ANNE, BOB].map(Some), "{choice:?}");
    }
}

/// Twenty agents alike and one whom the contact passes over, drawn by lot.
fn lots() -> (Center, Vec<AgentId>) {
    let mut c = Center::with(|r| {
        r.queues[0].policy.agent_choice = AgentChoice::Random;
        for n in 0..20 {
            let name = Arc::from(format!("seat-{n:02}"));
            r.agents.push(AgentProfile { name, ..r.agents[BOB.index()].clone() });
        }
    });
    let seats: Vec<AgentId> = (3..23).map(AgentId).collect();
    seats.iter().for_each(|a| c.ready(*a));
    (c, seats)
}

#[test]
fn lots_fall_on_everybody_alike_and_the_same_again() {
    let (mut c, seats) = lots();
    let mut drawn = vec![0u32; 30];
    let mut again = Engine::restore(&c.engine.image()).expect("restored");
    for n in 0..2_000 {
        let call = c.arrives(Channel::Voice, PLAIN);
        let agent = c.held_for(call).expect("somebody is idle");
        assert_eq!(c.reserved()[0].why.rule, Rule::Random);
        drawn[agent.index()] += 1;
        if n == 0 {
            let mut arrival = c.arrival(Channel::Voice, PLAIN);
            (arrival.key, arrival.content) = (Arc::from("k1"), 1);
            let report = Report::Arrived(arrival);
            let command = Command::Gateway { gateway: super::GATE, session: None, report };
            let mut events = Vec::new();
            again.handle(c.at(), None, &command, &mut events).expect("taken");
            let same = |e: &Event| matches!(e, Event::Reserved(r) if r.agent == agent);
            assert!(events.iter().any(same), "a restored engine draws the same");
        }
        c.leaves(call);
    }
    // 100 each are expected, with a standard deviation of 10.
    for agent in &seats {
        assert!((60..=140).contains(&drawn[agent.index()]), "{drawn:?}");
    }
}

#[test]
fn who_is_passed_over_is_not_drawn() {
    let (mut c, seats) = lots();
    for agent in &seats[2..] {
        c.act(*agent, Act::Become(LUNCH)).expect("at lunch");
    }
    let call = c.arrives(Channel::Voice, PLAIN);
    let first = c.held_for(call).expect("one of two");
    let reservation = c.reservation(call);
    c.act(first, Act::Decline(reservation)).expect("declined");
    let second = c.held_for(call).expect("the other");
    assert_ne!(first, second);
    let reservation = c.reservation(call);
    c.act(second, Act::Decline(reservation)).expect("declined");
    assert_eq!(c.state(call), State::Queued);
}

/// Two queues that Bob serves, the first with a share of 40 and the second with 10.
fn two_queues(choice: ContactChoice) -> Center {
    Center::with(|r| {
        r.settings.contact_choice = choice;
        r.queues[0].policy.share = 40;
        let name = Arc::from("other");
        r.queues.push(Queue { name, ..r.queues[0].clone() });
        r.queues[3].policy.share = 10;
        r.queues[3].target = Span::seconds(100);
    })
}

const OTHER: QueueId = QueueId(3);

#[test]
fn a_freed_agent_serves_the_broken_target_then_the_queue_above_its_share() {
    let mut c = two_queues(ContactChoice::FixedQueueRatio);
    let others: Vec<_> = (0..2).map(|_| c.arrives(Channel::Voice, OTHER)).collect();
    c.passes(1);
    let plain: Vec<_> = (0..4).map(|_| c.arrives(Channel::Voice, PLAIN)).collect();
    c.ready(BOB);
    assert_eq!(c.held_for(others[0]), Some(BOB), "2 of 6 are above a share of 10 in 50");
    let why = c.reserved()[0].why;
    assert_eq!((why.rule, why.queues, why.late), (Rule::QueueShare, 2, false));
    assert_eq!((why.backlog, why.backlogs, why.share, why.shares), (2, 6, 10, 50));
    c.leaves(others[0]);
    assert_eq!(
        c.held_for(others[1]),
        Some(BOB),
        "1 of 5 is its share exactly, and it waited longer"
    );
    assert_eq!(c.reserved()[0].why.rule, Rule::LongestWait);
    let more: Vec<_> = (0..9).map(|_| c.arrives(Channel::Voice, OTHER)).collect();
    c.passes(20);
    // Nobody answered: back in line, passed over for now, and Bob away.
    c.act(BOB, Act::Become(Availability::Ready)).expect("back");
    assert_eq!(c.held_for(plain[0]), None, "20 s are within the target");
    assert_eq!(c.held_for(more[0]), Some(BOB));
    c.leaves(more[0]);
    c.passes(0);
    let held = c.engine.agent(BOB).expect("known").work[0].contact;
    c.passes(1);
    c.leaves(held);
    assert_eq!(c.held_for(plain[0]), Some(BOB), "over 20 s wait: before any share");
    let why = c.reserved()[0].why;
    assert_eq!((why.rule, why.late), (Rule::TargetBroken, true));
}

#[test]
fn the_oldest_place_or_the_dearest_queue_come_first_where_that_is_the_policy() {
    let mut c = two_queues(ContactChoice::OldestFirst);
    let first = c.arrives(Channel::Voice, PLAIN);
    c.passes(1);
    for _ in 0..9 {
        c.arrives(Channel::Voice, OTHER);
    }
    c.ready(BOB);
    assert_eq!((c.held_for(first), c.reserved()[0].why.rule), (Some(BOB), Rule::OldestPlace));

    let mut c = two_queues(ContactChoice::CmuTheta);
    c.configure(|r| r.queues[3].policy.cost = 3);
    let first = c.arrives(Channel::Voice, PLAIN);
    c.passes(1);
    let dear = c.arrives(Channel::Voice, OTHER);
    c.ready(BOB);
    let why = c.reserved()[0].why;
    assert_eq!((c.held_for(dear), why.rule, why.index), (Some(BOB), Rule::HoldingCost, 3_000));
    c.leaves(dear);
    assert_eq!(c.held_for(first), Some(BOB));
}

#[test]
fn within_a_queue_the_order_is_that_of_arrival_under_every_policy() {
    for choice in ContactChoice::ALL {
        let mut c = two_queues(choice);
        let calls: Vec<_> = (0..30)
            .map(|n| {
                c.passes(u64::from(n % 3 == 0));
                (n % 2, c.arrives(Channel::Voice, if n % 2 == 0 { PLAIN } else { OTHER }))
            })
            .collect();
        c.ready(BOB);
        let mut served = Vec::new();
        while let Some(work) = c.engine.agent(BOB).and_then(|a| a.work.first().copied()) {
            served.push(work.contact);
            c.leaves(work.contact);
        }
        assert_eq!(served.len(), calls.len(), "{choice:?}");
        for queue in 0..2 {
            let came: Vec<_> = calls.iter().filter(|(q, _)| *q == queue).map(|(_, c)| *c).collect();
            let went: Vec<_> = served.iter().filter(|c| came.contains(c)).copied().collect();
            assert_eq!(went, came, "{choice:?}");
        }
    }
}

#[test]
fn a_call_interrupts_emails_which_stay_where_they_are() {
    let mut c = Center::with(|r| {
        let bob = &mut r.agents[BOB.index()];
        bob.capacity = [1, 1, 2, 2];
        bob.workload.interrupts[Channel::Voice.index()] =
            [Channel::Email, Channel::Message].into_iter().collect();
    });
    c.ready(BOB);
    let emails: Vec<_> = (0..2).map(|_| c.arrives(Channel::Email, PLAIN)).collect();
    let call = c.arrives(Channel::Voice, PLAIN);
    c.answer(emails[0]);
    assert_eq!(c.held_for(call), None, "not while he has one that he has not answered");
    c.answer(emails[1]);
    assert_eq!(c.held_for(call), Some(BOB), "at once, although emails fill his hands");
    let before: Vec<_> = emails.iter().map(|e| c.engine.contact(*e).cloned()).collect();
    c.answer(call);
    let more = c.arrives(Channel::Email, PLAIN);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.complete(emails[0]);
    assert_eq!((c.held_for(more), c.held_for(chat)), (None, None), "nothing while the call lasts");
    assert_eq!(c.engine.contact(emails[1]).cloned(), before[1], "its place, its agent, its state");
    c.complete(call);
    assert_eq!(c.held_for(more), Some(BOB), "and then they go on");
}

#[test]
fn classes_are_limited_and_those_of_an_empty_line_make_room() {
    let names: Vec<String> = (1..300).map(|n| format!("s{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut c = Center::with(|r| r.skills.extend(listed(&names)));
    let prefers = |n: usize| {
        let (skill, at_least) = (u16::try_from(n / 5).unwrap_or(0), (n % 5 + 1) as u8);
        [need(skill % 300, at_least)].into_iter().collect::<crate::engine::words::Needs>()
    };
    // Channels and preferences make 6,000 classes; the last one that fits is the 4,096th.
    let mut events = Vec::new();
    let mut arrive = |c: &mut Center, n: usize| {
        let channel = [Channel::Chat, Channel::Email, Channel::Voice, Channel::Message][n / 1_500];
        let mut arrival = c.arrival(channel, PLAIN);
        arrival.preferred = prefers(n % 1_500);
        let report = Report::Arrived(arrival);
        let command = Command::Gateway { gateway: super::GATE, session: None, report };
        events.clear();
        c.engine.handle(c.at(), None, &command, &mut events)
    };
    for n in 0..MOST_CLASSES {
        arrive(&mut c, n).expect("has a class");
    }
    let most = MOST_CLASSES as u64;
    let full = Refusal::Limit { what: "demand class", most };
    assert_eq!(arrive(&mut c, MOST_CLASSES), Err(full));
    arrive(&mut c, 0).expect("its class is there");
    c.leaves(ContactId(2));
    arrive(&mut c, MOST_CLASSES).expect("the class of an empty line makes room");
    assert_eq!(c.engine.check(), Ok(()));
}

#[test]
fn profiles_are_limited_and_budgets_make_none() {
    let with = |agents: usize| {
        let mut r = Routing::clone(Center::new().engine.routing());
        r.skills = listed(&["a", "b", "c", "d", "e", "f"]);
        r.pools = listed(&["p", "q"]);
        r.agents = (0..agents)
            .map(|n| {
                let level = |digit: usize| (n / 5usize.pow(digit as u32) % 5 + 1) as u8;
                AgentProfile {
                    name: Arc::from(format!("a{n}")),
                    pool: PoolId((n / 15_625) as u16),
                    skills: (0..6).map(|s| (SkillId(s as u16), level(s))).collect(),
                    capacity: [1; 4],
                    ..AgentProfile::default()
                }
            })
            .collect();
        r
    };
    let configure = |r: Routing| {
        let mut engine = Engine::default();
        let command = Command::Configure(Arc::new(r));
        engine.handle(crate::time::EngineTime::ZERO, None, &command, &mut Vec::new())
    };
    let mut most = with(MOST_PROFILES);
    assert_eq!(configure(most.clone()), Ok(Reply::Done));
    let budget = |n: usize| crate::engine::policy::Workload {
        budget: 100 + (n % 50) as u16,
        ..Default::default()
    };
    let more: Vec<_> = (0..1_000)
        .map(|n| AgentProfile {
            name: Arc::from(format!("b{n}")),
            workload: budget(n),
            ..most.agents[n].clone()
        })
        .collect();
    most.agents.extend(more);
    assert_eq!(configure(most), Ok(Reply::Done), "what they can bear is their own");
    let refused = Refusal::Limit { what: "agent profile", most: MOST_PROFILES as u64 };
    assert_eq!(configure(with(MOST_PROFILES + 1)), Err(refused));
}
