//! Patience, one rule a test: who comes back, links, falls silent, writes again, says what they think.

use super::*;
use crate::engine::bulk::{BulkAction, Filter};
use crate::engine::care::{FeedbackReport, Liveness, MOST_LINKED, QueueCare, Silence};
use crate::engine::event::{Advanced, AdvancedBecause, EffectKind, Rule};
use crate::ids::CustomerId;

pub(super) const EVE: CustomerId = CustomerId(1);
const MALLORY: CustomerId = CustomerId(2);

/// A center all of whose queues care so.
fn caring(care: QueueCare) -> Center {
    let mut c = Center::new();
    let mut routing = Routing::clone(c.engine.routing());
    routing.queues.iter_mut().for_each(|q| q.care = care);
    c.ok(&Command::Configure(Arc::new(routing)));
    c
}

pub(super) fn keeps() -> Center {
    caring(QueueCare { keep_place: Span::seconds(60), ..QueueCare::default() })
}

pub(super) fn links() -> Center {
    let hold_linked = Span::seconds(100);
    caring(QueueCare { link: true, hold_linked, ..QueueCare::default() })
}

fn asks(keep: u64) -> Center {
    let liveness = Liveness {
        after: Span::seconds(30),
        answer_within: Span::seconds(10),
        keep: Span::seconds(keep),
    };
    caring(QueueCare { liveness: Some(liveness), ..QueueCare::default() })
}

impl Center {
    pub(super) fn from(&mut self, who: CustomerId, channel: Channel, queue: QueueId) -> ContactId {
        let arrival = Arrival { customer: Some(who), ..self.arrival(channel, queue) };
        self.taken(arrival)
    }

    fn taken(&mut self, arrival: Arrival) -> ContactId {
        match self.report(Report::Arrived(arrival)) {
            Ok(Reply::Contact(contact)) => contact,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn place(&self, contact: ContactId) -> i64 {
        self.engine.contact(contact).expect("open").place.0
    }

    pub(super) fn goes(&mut self, contact: ContactId) {
        self.report(Report::CustomerLeft(contact)).expect("left");
    }

    fn reason(&self, contact: ContactId) -> Option<EndReason> {
        self.events.iter().find_map(|e| match e {
            Event::Closed { contact: c, reason, .. } if *c == contact => Some(*reason),
            _ => None,
        })
    }

    fn silence(&self, contact: ContactId) -> Silence {
        self.engine.contact(contact).expect("open").care.silence
    }

    fn asking(&self, contact: ContactId) -> Option<EffectId> {
        let effects = &self.engine.contact(contact).expect("open").effects;
        let asks = |(_, kind): &&(EffectId, EffectKind)| matches!(kind, EffectKind::AskPresence(_));
        effects.iter().find(asks).map(|(effect, _)| *effect)
    }
}

#[test]
fn who_left_unanswered_and_comes_back_in_time_has_their_place_once() {
    let mut c = keeps();
    let first = c.from(EVE, Channel::Voice, PLAIN);
    let had = c.place(first);
    c.passes(20);
    let other = c.arrives(Channel::Voice, PLAIN);
    c.goes(first);
    c.passes(60);
    let stranger = c.from(MALLORY, Channel::Voice, PLAIN);
    let elsewhere = c.from(EVE, Channel::Voice, SKILLED);
    assert!(c.place(stranger) > had && c.place(elsewhere) > had, "another's, and another queue");
    c.goes(elsewhere);
    let back = c.from(EVE, Channel::Voice, PLAIN);
    assert_eq!(c.place(back), had);
    let advanced = |e: &&Event| {
        matches!(e, Event::Advanced(Advanced { because, .. })
        if *because == AdvancedBecause::Returned { of: first, queue: PLAIN })
    };
    assert_eq!(c.events.iter().filter(advanced).count(), 1, "{:?}", c.events);
    let waited = c.engine.contact(back).map(|b| b.waited(c.at()));
    assert_eq!(waited, Some(Span::ZERO), "a place is no wait: figures stay true");
    let twice = c.from(EVE, Channel::Voice, PLAIN);
    assert!(c.place(twice) > had, "a place is given back once");
    c.ready(ANNE);
    assert_eq!(c.held_for(back), Some(ANNE), "before {other}");
}

#[test]
fn a_place_is_kept_only_so_long_and_for_nobody_who_was_answered() {
    let mut c = keeps();
    let first = c.from(EVE, Channel::Chat, PLAIN);
    let had = c.place(first);
    c.goes(first);
    c.passes(61);
    let late = c.from(EVE, Channel::Chat, PLAIN);
    assert!(c.place(late) > had, "a minute is over");
    c.ready(BOB);
    c.answer(late);
    c.goes(late);
    assert_eq!(c.reason(late), Some(EndReason::CustomerLeft));
    assert_eq!(c.engine.kept.all().count(), 1, "only the first, which nobody asks for any more");
    c.passes(1);
    let again = c.from(EVE, Channel::Chat, PLAIN);
    assert_eq!(c.place(again), i64::try_from(c.at().0).expect("small"));
}

#[test]
fn a_place_goes_on_counting_when_one_who_came_back_is_moved() {
    let mut c = keeps();
    let first = c.from(EVE, Channel::Chat, PLAIN);
    let had = c.place(first);
    c.passes(5);
    c.goes(first);
    c.passes(5);
    let back = c.from(EVE, Channel::Chat, PLAIN);
    let order = Order::Move { contact: back, queue: SKILLED };
    c.ok(&Command::Supervise { order, why: Arc::from("better there") });
    assert_eq!(c.place(back), had);
}

#[test]
fn one_who_came_back_keeps_that_place_when_many_are_reprioritised() {
    let mut c = keeps();
    let first = c.from(EVE, Channel::Chat, PLAIN);
    let had = c.place(first);
    c.passes(5);
    c.goes(first);
    c.passes(5);
    let back = c.from(EVE, Channel::Chat, PLAIN);
    let contacts = [back].into();
    let action = BulkAction::Reprioritise(Span::seconds(3));
    c.supervise(Order::Bulk { filter: Filter::default(), action, contacts }).expect("ordered");
    c.passes(1);
    assert_eq!(c.place(back), had - 3_000_000);
}

#[test]
fn linked_contacts_share_the_earliest_place_and_wait_for_the_one_with_an_agent() {
    let mut c = links();
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    c.passes(10);
    let between = c.arrives(Channel::Voice, PLAIN);
    let call = c.from(EVE, Channel::Voice, PLAIN);
    assert_eq!(c.place(call), c.place(chat));
    assert!(c.place(call) < c.place(between));
    c.ready(ANNE);
    assert_eq!(c.held_for(chat), Some(ANNE), "of equal places who came first");
    assert_eq!(c.engine.contact(call).expect("open").care.held_for(), Some(chat));
    let offer = c.told(Recipient::Agent(ANNE)).into_iter().find_map(|t| match t {
        Tell::Offer(offer) => Some(offer.linked),
        _ => None,
    });
    assert_eq!(offer.expect("an offer").first().map(|l| l.contact), Some(call), "she is told");
    c.ready(BOB);
    assert_eq!(c.held_for(call), None, "not to another agent");
    assert_eq!(c.held_for(between), Some(BOB));
    c.answer(chat);
    c.complete(chat);
    assert_eq!(c.held_for(call), Some(ANNE), "at its place, as soon as the other is over");
}

#[test]
fn a_linked_contact_goes_on_without_the_other_after_a_while() {
    let mut c = links();
    c.ready(ANNE);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    c.answer(chat);
    c.ready(BOB);
    let letter = c.from(EVE, Channel::Email, PLAIN);
    assert_eq!(c.held_for(letter), None);
    c.passes(99);
    assert_eq!(c.held_for(letter), None);
    c.passes(1);
    assert!(c.held_for(letter).is_some(), "it lost nothing");
}

#[test]
fn agents_complete_linked_contacts_together_and_only_those() {
    let mut c = links();
    c.ready(ANNE);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    c.answer(chat);
    let letter = c.from(EVE, Channel::Email, PLAIN);
    let other = c.from(MALLORY, Channel::Email, SKILLED);
    let together = |others: &[ContactId]| Act::CompleteTogether {
        contact: chat,
        others: others.iter().copied().collect(),
        disposition: None,
    };
    assert_eq!(c.act(ANNE, together(&[other])), Err(Refusal::NotLinked(other)));
    assert!(c.act(ANNE, together(&[letter, letter])).is_err(), "each once");
    c.act(ANNE, together(&[letter])).expect("both");
    assert_eq!(c.reason(letter), Some(EndReason::HandledWith));
    assert_eq!(c.reason(chat), Some(EndReason::Completed));
}

#[test]
fn linked_contacts_are_not_completed_under_others_who_talk_with_the_customer() {
    let mut c = links();
    c.ready(ANNE);
    let call = c.from(EVE, Channel::Voice, PLAIN);
    c.answer(call);
    let letter = c.from(EVE, Channel::Email, PLAIN);
    c.act(ANNE, Act::AddParticipant { contact: call, name: "the shop".into() }).expect("asked");
    let join = c
        .engine
        .contact(call)
        .expect("open")
        .effects
        .iter()
        .find_map(|(effect, kind)| matches!(kind, EffectKind::Join { .. }).then_some(*effect));
    c.report(Report::EffectDone(join.expect("asked"))).expect("done");
    let others = [letter].into_iter().collect();
    let act = Act::CompleteTogether { contact: call, others, disposition: None };
    assert_eq!(c.act(ANNE, act), Err(Refusal::OthersThere(call)));
    assert!(c.events.is_empty(), "a refusal changes nothing: {:?}", c.events);
}

#[test]
fn what_a_supervisor_gives_to_an_agent_is_not_held_back() {
    let mut c = links();
    c.ready(ANNE);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    c.answer(chat);
    let letter = c.from(EVE, Channel::Email, PLAIN);
    c.ready(BOB);
    assert_eq!(c.held_for(letter), None);
    c.supervise(Order::Pull { contact: letter, agent: BOB }).expect("pulled");
    assert_eq!(c.held_for(letter), Some(BOB));
}

#[test]
fn safety_is_never_held_back_nor_completed_by_the_way() {
    let mut c = links();
    c.ready(BOB);
    let chat = c.from(EVE, Channel::Chat, PLAIN);
    c.answer(chat);
    let hurt = Arrival { customer: Some(EVE), safety: true, ..c.arrival(Channel::Email, PLAIN) };
    let hurt = c.taken(hurt);
    assert!(c.engine.contact(hurt).expect("open").care.matter.is_some(), "linked");
    let others = [hurt].into_iter().collect();
    let act = Act::CompleteTogether { contact: chat, others, disposition: None };
    let held = c.held_for(hurt);
    if held.is_none() {
        assert!(c.act(BOB, act).is_err(), "a person hears them");
    }
    c.ready(ANNE);
    assert!(c.held_for(hurt).is_some(), "while the other is with an agent");
}

#[test]
fn what_is_about_something_else_is_not_linked_until_a_gateway_says_so() {
    let mut c = links();
    let about = |what: &str| Some([("matter".into(), what.into())].into_iter().collect());
    let first = Arrival { customer: Some(EVE), ..c.arrival(Channel::Chat, PLAIN) };
    let first = c.taken(Arrival { attributes: about("kettle"), ..first });
    c.passes(5);
    let second = c.from(EVE, Channel::Email, SKILLED);
    let unknown = c.arrives(Channel::Email, PLAIN);
    let matter = |c: &Center, id| c.engine.contact(id).expect("open").care.matter;
    assert_eq!([first, second, unknown].map(|id| matter(&c, id)), [None; 3]);
    let attributes = about("kettle").expect("some");
    c.report(Report::Attributes { contact: second, attributes }).expect("set");
    assert_eq!([first, second, unknown].map(|id| matter(&c, id)), [Some(first), Some(first), None]);
    assert_eq!(c.place(second), c.place(first));
}

#[test]
fn a_switchboard_is_not_one_customer() {
    let mut c = links();
    let all: Vec<_> = (0..=MOST_LINKED).map(|_| c.from(EVE, Channel::Email, PLAIN)).collect();
    let last = *all.last().expect("some");
    assert_eq!(c.engine.contact(last).expect("open").care.matter, None);
}

#[test]
fn who_fell_silent_is_asked_when_it_is_their_turn_and_nobody_waits_for_them() {
    let mut c = asks(60);
    let silent = c.arrives(Channel::Chat, PLAIN);
    c.passes(20);
    let later = c.arrives(Channel::Chat, PLAIN);
    c.passes(15);
    assert_eq!(c.silence(silent), Silence::Fell);
    assert_eq!(c.asking(silent), None, "nobody is there to be given it");
    c.ready(ANNE);
    assert!(c.asking(silent).is_some() && c.held_for(silent).is_none());
    assert_eq!(c.held_for(later), Some(ANNE), "who is there does not wait for who may not be");
    let had = c.place(silent);
    c.report(said(silent)).expect("said");
    assert_eq!((c.silence(silent), c.place(silent)), (Silence::None, had));
    assert_eq!(c.asking(silent), None);
    assert_eq!(c.held_for(silent), Some(ANNE), "she has room for two chats");
}

#[test]
fn who_does_not_answer_waits_for_their_own_word_and_comes_back_to_their_place() {
    let mut c = asks(60);
    let silent = c.arrives(Channel::Chat, PLAIN);
    let had = c.place(silent);
    c.passes(30);
    c.ready(ANNE);
    c.passes(10);
    assert_eq!(c.state(silent).kind(), StateKind::Pending);
    assert_eq!(c.asking(silent), None);
    c.passes(30);
    c.report(said(silent)).expect("said");
    assert_eq!((c.held_for(silent), c.place(silent)), (Some(ANNE), had));
    let mut c = asks(60);
    let gone = c.arrives(Channel::Chat, PLAIN);
    c.passes(30);
    c.ready(ANNE);
    c.passes(10);
    c.passes(60);
    assert!(c.engine.contact(gone).is_none());
    assert_eq!(c.reason(gone), Some(EndReason::GoneSilent));
}

#[test]
fn an_agent_asks_few_and_goes_on_as_they_answer_or_not() {
    let mut c = asks(0);
    let silent: Vec<_> = (0..6).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    c.passes(30);
    c.ready(ANNE);
    let asked = |c: &Center| {
        silent
            .iter()
            .filter(|s| c.engine.contact(**s).is_some_and(|x| x.care.asked_for().is_some()))
            .count()
    };
    assert_eq!(asked(&c), 3, "no more than will be needed");
    c.passes(10);
    assert_eq!(asked(&c), 3, "the first three are gone, the next are asked");
    assert_eq!(c.engine.in_state(StateKind::Closed), 3);
    c.report(said(silent[5])).expect("said");
    assert_eq!(c.held_for(silent[5]), Some(ANNE));
}

#[test]
fn calls_letters_and_safety_are_never_asked() {
    let mut c = asks(0);
    let call = c.arrives(Channel::Voice, PLAIN);
    let letter = c.arrives(Channel::Email, PLAIN);
    let hurt = c.arrives(Channel::Chat, SAFETY);
    c.passes(600);
    for contact in [call, letter, hurt] {
        assert_eq!(c.silence(contact), Silence::None);
    }
    c.ready(CLEO);
    assert_eq!(c.held_for(hurt), Some(CLEO));
}

#[test]
fn where_a_gateway_cannot_ask_the_chat_is_given_as_it_is() {
    let mut c = asks(0);
    let silent = c.arrives(Channel::Chat, PLAIN);
    c.passes(30);
    c.ready(ANNE);
    let effect = c.asking(silent).expect("asked");
    c.report(Report::EffectFailed { effect, code: 503 }).expect("taken");
    assert_eq!(c.held_for(silent), Some(ANNE));
}

#[test]
fn a_letter_that_goes_on_wakes_the_open_one() {
    let mut c = Center::new();
    c.ready(ANNE);
    let letter = c.from(EVE, Channel::Email, PLAIN);
    c.answer(letter);
    let (on, lasting) = (WaitsFor::Customer, Span::seconds(600));
    c.act(ANNE, Act::Pend { contact: letter, on, lasting }).expect("pending");
    let of_another = Arrival { customer: Some(MALLORY), ..c.arrival(Channel::Email, PLAIN) };
    let of_another = c.taken(Arrival { continues: Some(letter), ..of_another });
    assert_ne!(of_another, letter, "somebody else's is a contact of its own");
    let reply = Arrival { continues: Some(letter), ..c.arrival(Channel::Email, PLAIN) };
    assert_eq!(c.taken(reply), letter);
    assert_eq!(c.engine.accepted(), 2);
    assert_eq!(c.held_for(letter), Some(ANNE));
}

#[test]
fn a_letter_that_goes_on_from_a_closed_one_goes_to_who_had_it() {
    for (within, rule) in [(true, Rule::Sticky), (false, Rule::LeastLoaded)] {
        let mut c = caring(QueueCare { thread: Span::seconds(100), ..QueueCare::default() });
        c.ready(ANNE);
        let letter = c.arrives(Channel::Email, PLAIN);
        c.answer(letter);
        c.ready(BOB);
        c.complete(letter);
        c.passes(if within { 100 } else { 101 });
        let reply = Arrival { continues: Some(letter), ..c.arrival(Channel::Email, PLAIN) };
        let reply = c.taken(reply);
        let why = c.events.iter().find_map(|e| match e {
            Event::Reserved(r) => Some((r.contact, r.agent, r.why.rule)),
            _ => None,
        });
        let agent = if within { ANNE } else { BOB };
        assert_eq!(why, Some((reply, agent, rule)));
    }
}

#[test]
fn feedback_is_taken_about_open_and_closed_contacts_and_nothing_else() {
    let mut c = Center::new();
    let chat = c.arrives(Channel::Chat, PLAIN);
    let report = FeedbackReport {
        contact: chat,
        channel: Channel::Email,
        queue: Some(SKILLED),
        agent: None,
        score: Some(3),
        scale: 5,
        words: false,
    };
    c.report(Report::Feedback(report)).expect("taken");
    let given = |c: &Center| match c.events.first() {
        Some(Event::FeedbackGiven(f)) => (f.queue, f.tenths()),
        other => panic!("{other:?}"),
    };
    assert_eq!(given(&c), (Some(PLAIN), Some(60)), "an open contact's own queue");
    c.goes(chat);
    c.report(Report::Feedback(report)).expect("taken");
    assert_eq!(given(&c).0, Some(SKILLED), "what the edge found");
    for wrong in [
        FeedbackReport { contact: ContactId(9), ..report },
        FeedbackReport { score: Some(6), ..report },
        FeedbackReport { score: None, ..report },
        FeedbackReport { scale: 11, ..report },
    ] {
        assert!(c.report(Report::Feedback(wrong)).is_err(), "{wrong:?}");
    }
}
