//! Who is hurt and whom nobody answers: any agent, the number outside, a page.

use super::*;
use crate::engine::callback::CallbackPolicy;
use crate::engine::event::{AlarmNews, SafetyNews};
use crate::engine::recall::{AlarmStep, MOST_PAGES, Paged};
use crate::engine::routing::Routing;
use crate::engine::words::{Need, WaitsFor};
use crate::ids::SkillId;

const HURT: Option<TriageClass> = Some(TriageClass::Safety);

/// A safety queue that none of those who are there may serve.
fn center(late: LatePlan, external: bool) -> Center {
    let mut c = Center::new();
    let mut routing = Routing::clone(c.engine.routing());
    let need = Need { skill: SkillId(0), at_least: 5 };
    routing.queues[SAFETY.index()].needs = [need].into_iter().collect();
    c.ok(&Command::Configure(Arc::new(routing)));
    let mut plan = plan(&[ANNE]);
    plan.safety.late = late;
    plan.safety.external = plan.safety.external.filter(|_| external);
    c.ready(ANNE);
    c.act(ANNE, Act::Become(lunch())).expect("at lunch");
    assert_eq!(c.start_with(plan, Level::Elevated), Ok(Reply::Recall(RECALL)));
    c.passes(0);
    c
}

fn lunch() -> crate::engine::words::Availability {
    crate::engine::words::Availability::NotReady(crate::ids::ReasonId(2))
}

fn times(any_agent: u64, external: u64, page: u64) -> LatePlan {
    let of = Span::seconds;
    LatePlan { any_agent: of(any_agent), external: of(external), page: of(page), repeat: of(600) }
}

fn settled(number: u32, how: Paged) -> Command {
    Command::PageSettled { recall: RECALL, number, how }
}

impl Center {
    /// Passes second by second, and tells what was done for those who are hurt, and when.
    fn steps(&mut self, seconds: u64) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        for _ in 0..seconds {
            self.now += 1;
            while self.engine.next_tick().is_some_and(|due| due <= self.at()) {
                self.ok(&Command::Tick);
                let now = self.now;
                all.extend(self.events.iter().filter_map(done).map(|what| (now, what)));
            }
        }
        all
    }
}

fn done(event: &Event) -> Option<String> {
    Some(match event {
        Event::Safety(SafetyNews { contact, step, .. }) => format!("{contact} {}", step.name()),
        Event::EffectAsked { contact, kind: EffectKind::Outside(_), .. } => {
            format!("{contact} outside")
        }
        Event::Alarm(AlarmNews { step, .. }) => match step {
            AlarmStep::Asked { page, .. } => {
                format!("page {} of {}, {} wait", page.number, page.incident, page.waiting)
            }
            AlarmStep::Settled { number, how, .. } => format!("page {number} {}", how.name()),
            AlarmStep::Over => "over".to_owned(),
        },
        _ => return None,
    })
}

fn told(all: &[(u64, &str)]) -> Vec<(u64, String)> {
    all.iter().map(|(at, what)| (*at, (*what).to_owned())).collect()
}

#[test]
fn past_the_target_any_agent_then_the_number_outside_and_a_page() {
    let mut c = center(times(30, 60, 90), true);
    c.ready(BOB);
    let call = c.comes_as(Channel::Voice, HOTLINE, HURT);
    assert_eq!((c.open(call).queue, c.held_for(call)), (SAFETY, None), "bob lacks the skill");
    assert_eq!(c.steps(29), told(&[]));
    c.act(BOB, Act::Become(lunch())).expect("at lunch");
    let expected = [(30, "1 any_agent"), (60, "1 outside")];
    assert_eq!(c.steps(31), told(&expected));
    let State::Pending { on: WaitsFor::External, .. } = c.state(call) else { panic!("waits") };
    let effect = c.asked(call)[0].0;
    let number = c.told(Recipient::Gateway(GATE)).into_iter().find_map(|tell| match tell {
        Tell::Outside { number, .. } => Some(number),
        _ => None,
    });
    assert_eq!(number.as_deref(), Some("+1 555 0100"));
    c.report(Report::EffectDone(effect)).expect("taken");
    assert_eq!(c.end_of(call), Some(EndReason::Overflowed));
    assert_eq!(c.steps(100), told(&[]), "nobody is paged for one who has somebody");
}

#[test]
fn any_agent_who_is_free_takes_who_is_hurt_and_the_one_with_the_skill_first() {
    let mut c = center(times(30, 60, 60), false);
    let chat = c.comes_as(Channel::Chat, HOTLINE, HURT);
    c.ready(BOB);
    c.ready(CLEO);
    assert_eq!(c.held_for(chat), None, "neither has what the queue needs");
    let place = c.open(chat).place;
    c.passes(30);
    assert!(c.held_for(chat).is_some(), "one of them all the same");
    assert_eq!(c.open(chat).place, place);
    let held = c.held_for(chat);
    let second = c.comes_as(Channel::Chat, HOTLINE, HURT);
    c.passes(29);
    c.act(ANNE, Act::Become(crate::engine::words::Availability::Ready)).expect("back");
    assert_eq!(c.held_for(second), Some(ANNE), "who has the skill needs no step");
    assert!(held.is_some());
}

#[test]
fn a_number_that_does_not_take_it_is_tried_again_and_the_place_stays() {
    let mut c = center(times(30, 60, 60), true);
    let first = c.comes_as(Channel::Voice, HOTLINE, HURT);
    c.passes(1);
    let other = c.comes(Channel::Voice, HOTLINE);
    let place = c.open(first).place;
    let expected = [(30, "1 any_agent"), (60, "1 late"), (60, "page 1 of 1, 1 wait")];
    let mut expected = told(&expected);
    expected.push((60, "1 outside".to_owned()));
    assert_eq!(c.steps(60), expected);
    c.report(Report::EffectFailed { effect: c.asked(first)[0].0, code: 486 }).expect("busy");
    assert_eq!((c.state(first), c.open(first).place), (State::Queued, place));
    assert_eq!(c.steps(30), told(&[(91, "1 outside")]), "paced");
    let quiet = c.steps(61);
    assert_eq!(c.state(first), State::Queued, "the number rings in vain");
    assert!(quiet.is_empty(), "{quiet:?}");
    c.ready(BOB);
    assert_eq!((c.held_for(first), c.held_for(other)), (Some(BOB), None), "first in line still");
}

#[test]
fn a_chat_has_no_number_outside_and_is_paged_for_until_somebody_has_it() {
    let mut c = center(times(30, 60, 60), true);
    let chat = c.comes_as(Channel::Chat, HOTLINE, HURT);
    let expected = [(30, "1 any_agent"), (60, "1 late"), (60, "page 1 of 1, 1 wait")];
    assert_eq!(c.steps(60), told(&expected));
    c.ok(&settled(1, Paged::Sent));
    assert_eq!(c.steps(599), told(&[]));
    assert_eq!(c.steps(1), told(&[(660, "page 2 of 1, 1 wait")]), "still nobody");
    c.ok(&settled(2, Paged::Failed));
    assert_eq!(c.steps(60), told(&[(720, "page 3 of 1, 1 wait")]), "sooner: it reached nobody");
    c.ready(BOB);
    assert_eq!(c.held_for(chat), Some(BOB));
    c.answer(chat);
    assert_eq!(c.events.iter().filter_map(done).collect::<Vec<_>>(), ["over"]);
    let alarm = c.engine.recall(RECALL).expect("started").alarm.clone();
    assert_eq!((alarm.pages, alarm.failed, alarm.since), (3, 1, None));
    c.complete(chat);
    c.act(BOB, Act::Become(lunch())).expect("at lunch");
    c.comes_as(Channel::Chat, HOTLINE, HURT);
    let expected = [(750, "2 any_agent"), (780, "2 late"), (780, "page 4 of 2, 1 wait")];
    assert_eq!(c.steps(60), told(&expected), "a new incident waits for no old one");
}

#[test]
fn pages_that_nobody_settles_are_given_up_and_there_are_never_many() {
    let mut c = center(LatePlan { repeat: Span::seconds(60), ..times(1, 1, 1) }, false);
    c.comes_as(Channel::Chat, HOTLINE, HURT);
    let all = c.steps(700);
    let asked = all.iter().filter(|(_, what)| what.ends_with("1 wait")).count();
    assert_eq!(asked, 12, "one a minute: {all:?}");
    let superseded = |(_, what): &&(u64, String)| what.ends_with("superseded");
    assert_eq!(all.iter().filter(superseded).count(), 12 - MOST_PAGES);
    assert_eq!(c.engine.recall(RECALL).expect("started").alarm.pending.len(), MOST_PAGES);
    c.ok(&settled(99, Paged::Sent));
    assert!(c.events.is_empty(), "of a page that nobody asked for there is nothing to say");
}

#[test]
fn who_was_taken_and_comes_back_is_watched_anew_and_who_was_not_goes_on() {
    let mut c = center(times(30, 60, 60), false);
    let call = c.comes_as(Channel::Voice, HOTLINE, HURT);
    c.passes(20);
    c.act(ANNE, Act::Become(crate::engine::words::Availability::Ready)).expect("back");
    let since = |c: &Center| c.open(call).stage.lane.as_ref().map(|l| l.since.0 / 1_000_000);
    assert_eq!((c.held_for(call), since(&c)), (Some(ANNE), Some(0)));
    c.passes(10);
    assert_eq!((c.state(call), since(&c)), (State::Queued, Some(0)), "she did not answer");
    assert!(c.open(call).stage.is_anyones(), "its thirty seconds are over");
    c.ready(BOB);
    c.answer(call);
    c.passes(100);
    c.report(Report::AgentLegLost(call)).expect("lost");
    assert_eq!((c.state(call), since(&c)), (State::Queued, Some(130)));
    assert!(!c.open(call).stage.is_anyones());
}

#[test]
fn a_start_needs_agents_or_a_number_that_takes_calls() {
    let voice = [Some(Arc::from("+1 555 0123")), None, None, None];
    let chat = [None, Some(Arc::from("desk")), None, None];
    let named = |numbers: [Option<Arc<str>>; 4]| {
        let name = Arc::from("desk");
        vec![crate::engine::queue_life::External { name, retired: false, numbers }]
    };
    let outside = Some(Outside::Named(crate::ids::ExternalId(0)));
    let number = Some(Outside::Number(Arc::from("112")));
    let table = [
        (None, vec![], Err(Refusal::EmptySafetyLane)),
        (number, vec![], Ok(Reply::Recall(RECALL))),
        (outside.clone(), named(voice), Ok(Reply::Recall(RECALL))),
        (outside.clone(), named(chat), Err(Refusal::EmptySafetyLane)),
        (
            outside,
            vec![],
            Err(Refusal::OutOfRange {
                field: "safety.external",
                expected: "a number of at most 64 bytes, or an external of the configuration",
            }),
        ),
    ];
    for (external, externals, expected) in table {
        let mut c = Center::new();
        let routing = Routing { externals, ..Routing::clone(c.engine.routing()) };
        c.ok(&Command::Configure(Arc::new(routing)));
        let mut plan = plan(&[ANNE]);
        plan.safety.external = external.clone();
        assert_eq!(c.start_with(plan, Level::Elevated), expected, "{external:?}");
    }
}

#[test]
fn what_was_watched_before_a_snapshot_is_watched_after_it() {
    let mut c = center(times(30, 60, 60), false);
    c.comes_as(Channel::Chat, HOTLINE, HURT);
    c.passes(70);
    let image = c.engine.image();
    let restored = crate::engine::Engine::restore(&image).expect("restored");
    assert_eq!(restored.late_in(RECALL), 1);
    assert_eq!(restored.state_hash(), c.engine.state_hash());
    c.engine = restored;
    assert_eq!(c.steps(599), told(&[]));
    let expected = [(670, "page 2 of 1, 1 wait"), (670, "page 1 late")];
    let mut steps = c.steps(1);
    steps.sort();
    let mut expected = told(&expected);
    expected.sort();
    assert_eq!(steps, expected, "and with nobody who settles it");
}

#[test]
fn who_is_hurt_and_whose_line_is_cut_is_watched_on() {
    let mut c = center(times(30, 70, 60), true);
    let mut routing = Routing::clone(c.engine.routing());
    let slow = CallbackPolicy { lost_per_minute: 1, ..CallbackPolicy::default() };
    routing.queues[SAFETY.index()].callback = Some(Arc::new(slow));
    c.ok(&Command::Configure(Arc::new(routing)));
    let calls = [0; 2].map(|_| c.comes_as(Channel::Voice, HOTLINE, HURT));
    for call in calls {
        c.report(Report::NumberConfirmed { contact: call, confirmed: true }).expect("taken");
    }
    let any_agent = calls.map(|call| (30, format!("{call} any_agent")));
    assert_eq!(c.steps(50), any_agent);
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: SAYS });
    c.report(Report::Holding { keys: Vec::new(), last: true }).expect("it holds none of them");
    c.passes(0);
    assert_eq!(calls.map(|call| c.state(call)), [State::CallbackDue; 2]);
    let mut expected = told(&[(60, "1 late"), (60, "page 1 of 1, 1 wait"), (60, "2 late")]);
    expected.truncate(3);
    assert_eq!(c.steps(30), expected, "and nobody is sent outside who is not on the line");
    assert_eq!(c.engine.late_in(RECALL), 2, "the incident goes on");
    c.ready(BOB);
    c.ready(CLEO);
    assert!(calls.iter().all(|call| c.held_for(*call).is_some()), "any agent, and no turns");
}

#[test]
fn an_amendment_reaches_those_who_wait_already() {
    let mut c = center(times(30, 300, 60), false);
    let call = c.comes_as(Channel::Voice, HOTLINE, HURT);
    assert_eq!(c.steps(100).len(), 3, "any agent, late, a page");
    let mut newer = plan(&[ANNE]);
    newer.version = [8; 32];
    newer.safety.late = times(30, 120, 60);
    let order = RecallOrder::Amend {
        recall: RECALL,
        from: None,
        plan: Some(Arc::new(newer.clone())),
        accept_empty_safety_lane: false,
        lasting: None,
    };
    c.order(order).expect("amended: there is a number now");
    let expected = told(&[(101, "1 watched"), (120, "1 outside")]);
    assert_eq!(c.steps(20), expected, "and what was done is not done again");
    c.report(Report::EffectFailed { effect: c.asked(call)[0].0, code: 486 }).expect("busy");
    // Another amendment lets the number its time.
    newer.version = [9; 32];
    let order = RecallOrder::Amend {
        recall: RECALL,
        from: None,
        plan: Some(Arc::new(newer)),
        accept_empty_safety_lane: false,
        lasting: None,
    };
    c.order(order).expect("amended");
    assert_eq!(c.steps(30), told(&[(150, "1 outside")]));
}
