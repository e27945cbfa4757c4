//! An agent's day: reasons with limits, what comes next, calls outside the router, longer
//! work after a contact, and the end of a shift.

use std::sync::Arc;

use super::{ANNE, BOB, CLEO, Center, GATE, PLAIN, SAYS};
use crate::engine::command::{Act, Command, Order, Reply, Report};
use crate::engine::contact::StateKind;
use crate::engine::day::{
    Direction, Hands, Most, OutsideEnd, OutsideReport, OutsideStep, SignOutStep,
};
use crate::engine::directive::{Recipient, Tell};
use crate::engine::event::{Event, OutsideNews, ReasonOverstayed, SignOut};
use crate::engine::refusal::{Back, Refusal};
use crate::engine::routing::Routing;
use crate::engine::words::{Availability, AvailabilityBecause, Channel, Key};
use crate::ids::{AgentId, ContactId, ReasonId, SessionId};
use crate::time::{EngineTime, Span};

const LUNCH: Availability = Availability::NotReady(ReasonId(2));

impl Center {
    fn routes(&mut self, change: impl FnOnce(&mut Routing)) {
        let mut routing = Routing::clone(self.engine.routing());
        change(&mut routing);
        self.ok(&Command::Configure(Arc::new(routing)));
    }

    pub(super) fn supervise(&mut self, order: Order) -> Result<Reply, Refusal> {
        self.run(None, &Command::Supervise { order, why: Arc::from("because") })
    }

    fn availability(&self, agent: AgentId) -> Availability {
        self.engine.agent(agent).expect("known").availability
    }

    fn outside(&mut self, agent: AgentId, key: &str, now: OutsideReport) -> Result<Reply, Refusal> {
        self.report(Report::OutsideCall { agent, key: Key::from(key), now })
    }
}

fn began() -> OutsideReport {
    OutsideReport::Began(Direction::Outbound)
}

#[test]
fn a_reason_that_lasts_too_long_is_told_and_changes_nothing() {
    let mut c = Center::new();
    c.routes(|r| r.not_ready_reasons[2].limit = Some(Span::seconds(900)));
    c.ready(ANNE);
    c.act(ANNE, Act::Become(LUNCH)).expect("lunch");
    c.passes(899);
    assert!(!c.engine.agent(ANNE).unwrap().overstayed);
    c.passes(1);
    assert_eq!(
        c.events,
        [Event::ReasonOverstayed(ReasonOverstayed { agent: ANNE, reason: ReasonId(2) })]
    );
    let told = c.told(Recipient::Agent(ANNE));
    assert!(matches!(told[..], [Tell::Availability { now: LUNCH, overstayed: true, .. }]));
    assert_eq!(c.availability(ANNE), LUNCH, "nobody took it away");
    assert_eq!(c.engine.next_tick(), None, "it is told once");
    c.act(ANNE, Act::Become(Availability::Ready)).expect("back");
    assert!(!c.engine.agent(ANNE).unwrap().overstayed);
}

#[test]
fn as_many_of_a_pool_as_may_be_are_on_a_reason_and_the_next_hears_who() {
    let mut c = Center::new();
    c.routes(|r| {
        r.not_ready_reasons[2].limit = Some(Span::seconds(600));
        r.not_ready_reasons[2].most = Some(Most::Agents(1));
    });
    for agent in [ANNE, BOB, CLEO] {
        c.ready(agent);
    }
    c.act(ANNE, Act::Become(LUNCH)).expect("the first");
    c.act(ANNE, Act::Become(LUNCH)).expect("the same again is no second");
    c.passes(60);
    let full = |back| Refusal::ReasonFull {
        reason: Arc::from("lunch"),
        most: 1,
        who: "anne".into(),
        back: Back(back),
    };
    let no = c.act(BOB, Act::Become(LUNCH)).unwrap_err();
    assert_eq!(no, full(Some(Span::seconds(540))));
    let words = no.to_string();
    assert!(words.contains("anne") && words.contains("in 540 s"), "{words}");
    assert_eq!(c.act(BOB, Act::Next(Some(LUNCH))).unwrap_err(), full(Some(Span::seconds(540))));
    c.supervise(Order::SetAgent { agent: CLEO, to: LUNCH }).expect("a supervisor may");
    c.act(CLEO, Act::Become(Availability::Ready)).expect("back");
    c.passes(600);
    assert_eq!(c.act(BOB, Act::Become(LUNCH)).unwrap_err(), full(Some(Span::ZERO)), "overdue");
    c.act(ANNE, Act::Become(Availability::Ready)).expect("back");
    c.act(BOB, Act::Become(LUNCH)).expect("free again");
}

#[test]
fn the_first_who_should_be_back_is_told_whoever_went_first() {
    let mut c = Center::new();
    c.routes(|r| {
        r.not_ready_reasons[2].limit = Some(Span::seconds(600));
        r.not_ready_reasons[2].most = Some(Most::Agents(2));
    });
    for agent in [ANNE, BOB, CLEO] {
        c.ready(agent);
    }
    let back = |c: &mut Center| match c.act(BOB, Act::Become(LUNCH)).unwrap_err() {
        Refusal::ReasonFull { who, back, .. } => (who.to_string(), back),
        other => panic!("{other}"),
    };
    let both = |seconds| ("anne, cleo".to_owned(), Back(Some(Span::seconds(seconds))));
    c.act(ANNE, Act::Become(LUNCH)).expect("the first");
    c.passes(100);
    c.act(CLEO, Act::Become(LUNCH)).expect("the second");
    assert_eq!(back(&mut c), both(500));
    c.act(ANNE, Act::Become(Availability::Ready)).expect("back early");
    c.act(ANNE, Act::Become(LUNCH)).expect("and off again");
    c.passes(50);
    assert_eq!(back(&mut c), both(550), "cleo is the first now");
    c.passes(550);
    assert_eq!(back(&mut c), both(0), "she is late, anne is not");
}

#[test]
fn who_asked_for_a_reason_to_come_next_has_it_as_good_as_taken() {
    let mut c = Center::new();
    // A third of three agents is one; of nobody it would still be one.
    c.routes(|r| r.not_ready_reasons[2].most = Some(Most::Share(34)));
    for agent in [ANNE, BOB, CLEO] {
        c.ready(agent);
    }
    let chat = c.arrives(Channel::Chat, PLAIN);
    let has = c.held_for(chat).expect("reserved");
    c.accept(chat);
    c.act(has, Act::Next(Some(LUNCH))).expect("asked in time");
    let other = if has == ANNE { BOB } else { ANNE };
    let no = c.act(other, Act::Become(LUNCH)).unwrap_err();
    assert!(matches!(no, Refusal::ReasonFull { back: Back(None), .. }), "{no}");
    c.complete(chat);
    assert_eq!(c.availability(has), LUNCH, "what was granted came");
    c.act(has, Act::Become(Availability::Ready)).expect("back");
    c.act(other, Act::Become(LUNCH)).expect("free");
}

#[test]
fn what_comes_next_comes_after_the_last_contact_and_its_wrap_up_or_is_taken_back() {
    let mut c = Center::new();
    c.routes(|r| r.queues[0].wrap_up = Span::seconds(20));
    c.ready(BOB);
    let chats: Vec<ContactId> = (0..2).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    chats.iter().for_each(|chat| c.answer(*chat));
    c.act(BOB, Act::Next(Some(LUNCH))).expect("set");
    c.complete(chats[0]);
    c.passes(30);
    assert_eq!(c.availability(BOB), Availability::Ready, "one more in hand");
    c.complete(chats[1]);
    assert_eq!(c.availability(BOB), Availability::Ready, "its wrap-up is not over");
    c.act(BOB, Act::Next(None)).expect("taken back");
    let late = c.arrives(Channel::Chat, PLAIN);
    assert_eq!(c.held_for(late), Some(BOB), "taken back, he is offered more");
    c.act(BOB, Act::Next(Some(Availability::SignedOut))).expect("set again");
    c.passes(60);
    assert_eq!(c.availability(BOB), Availability::SignedOut, "the offer and the wrap-up are over");
}

/// Found by reading: the offer went with the stream, and what was to come after it never came.
#[test]
fn what_comes_next_comes_although_the_last_offer_went_with_the_stream() {
    let mut c = Center::new();
    c.ready(BOB);
    let chat = c.arrives(Channel::Chat, PLAIN);
    assert_eq!(c.held_for(chat), Some(BOB));
    c.act(BOB, Act::Next(Some(LUNCH))).expect("set");
    c.ok(&Command::DisconnectAgent { agent: BOB, session: SessionId(2) });
    assert_eq!(c.held_for(chat), None);
    c.ok(&Command::ConnectAgent(BOB));
    assert_eq!(c.availability(BOB), LUNCH);
}

#[test]
fn nobody_rings_an_agent_who_is_on_a_call_outside_the_router() {
    let mut c = Center::new();
    c.ready(ANNE);
    let held = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(c.held_for(held), Some(ANNE));
    c.outside(ANNE, "line-1", began()).expect("told");
    assert_eq!(c.held_for(held), None, "her phone is in use: it goes back");
    c.outside(ANNE, "line-1", began()).expect("told again");
    assert!(c.events.is_empty(), "it is one call");
    let no = c.outside(BOB, "line-1", began()).unwrap_err();
    assert!(matches!(no, Refusal::OutOfRange { field: "key", .. }));
    c.outside(BOB, "line-2", OutsideReport::Ended).expect("of what nobody knows nothing ends");
    c.passes(5);
    c.outside(ANNE, "line-1", OutsideReport::Ended).expect("over");
    assert_eq!(c.held_for(held), Some(ANNE));
    assert_eq!(c.engine.accepted(), 1, "it was no contact");
}

#[test]
fn a_call_outside_counts_as_one_call_of_what_an_agent_can_bear() {
    let mut c = Center::new();
    c.routes(|r| {
        r.agents[0].workload.budget = 100;
        r.agents[0].workload.cost = [60, 40, 0, 0];
    });
    c.ready(ANNE);
    c.outside(ANNE, "line-1", began()).expect("told");
    let chats: Vec<ContactId> = (0..2).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    assert_eq!(c.held_for(chats[0]), Some(ANNE), "60 and 40 of 100");
    assert_eq!(c.held_for(chats[1]), None);
    c.outside(ANNE, "line-1", OutsideReport::Ended).expect("over");
    assert_eq!(c.held_for(chats[1]), Some(ANNE));
}

#[test]
fn a_call_outside_ends_with_its_gateway_or_after_longer_than_any() {
    let ended = |c: &Center, how: OutsideEnd| {
        c.events.iter().any(|e| {
            let of = OutsideStep::Ended(how);
            matches!(e, Event::OutsideCall(OutsideNews { agent: ANNE, step, .. }) if *step == of)
        })
    };
    let mut c = Center::new();
    c.ready(ANNE);
    for key in ["kept", "lost"] {
        c.outside(ANNE, key, began()).expect("told");
    }
    c.ok(&Command::DisconnectGateway { gateway: GATE, session: SessionId(1) });
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: SAYS });
    let keys = vec![Key::from("kept"), Key::from("unheard-of")];
    let reply = c.report(Report::Holding { keys, last: true });
    assert_eq!(reply, Ok(Reply::Unknown(vec![Key::from("unheard-of")])));
    c.ok(&Command::Tick);
    assert!(ended(&c, OutsideEnd::Lost));
    let left: Vec<Key> =
        c.engine.agent(ANNE).unwrap().outside.iter().map(|call| call.key.clone()).collect();
    assert_eq!(left, [Key::from("kept")]);
    c.passes(4 * 3600);
    assert!(ended(&c, OutsideEnd::TooLong));
    assert!(c.engine.agent(ANNE).unwrap().is_empty_handed());
}

#[test]
fn work_after_a_contact_lasts_longer_as_far_as_its_queue_lets_it() {
    let mut c = Center::new();
    c.routes(|r| {
        r.queues[0].wrap_up = Span::seconds(20);
        r.queues[0].wrap_up_most = Span::seconds(60);
    });
    c.ready(BOB);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    c.complete(chat);
    c.passes(15);
    let extend = |by| Act::ExtendWrapUp { contact: chat, by: Span::seconds(by) };
    c.act(BOB, extend(30)).expect("50 of 60");
    let told = c.told(Recipient::Agent(BOB));
    assert_eq!(told, [Tell::WrapUp { contact: chat, lasting: Span::seconds(35) }]);
    let no = c.act(BOB, extend(11)).unwrap_err();
    assert!(matches!(no, Refusal::OutOfRange { field: "by", .. }), "61 of 60");
    assert!(c.act(BOB, extend(0)).is_err());
    let by = Some(Span::seconds(10));
    c.supervise(Order::WrapUp { agent: BOB, contact: chat, by }).expect("60 of 60");
    c.passes(44);
    assert_eq!(c.engine.agent(BOB).unwrap().work.len(), 1);
    c.supervise(Order::WrapUp { agent: BOB, contact: chat, by: None }).expect("ended for them");
    assert!(c.engine.agent(BOB).unwrap().work.is_empty());
    assert_eq!(c.act(BOB, extend(1)).unwrap_err(), Refusal::NoWrapUp(chat));
}

#[test]
fn signed_out_by_a_supervisor_contacts_go_back_to_their_places() {
    let mut c = Center::new();
    c.ready(ANNE);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.answer(call);
    let place = c.engine.contact(call).unwrap().place;
    c.ready(BOB);
    let sign_out = |after, hands| Order::SignOut { agent: ANNE, after, hands };
    c.supervise(sign_out(Some(Span::ZERO), Hands::Requeue)).expect("signed out");
    assert_eq!(c.availability(ANNE), Availability::SignedOut);
    let told = c.told(Recipient::Agent(ANNE));
    let of_her = |t: &&Tell| matches!(t, Tell::Availability { .. });
    let because = Some(AvailabilityBecause::Supervisor);
    assert!(
        matches!(
            told.iter().filter(of_her).collect::<Vec<_>>()[..],
            [Tell::Availability { now: Availability::SignedOut, because: why, .. }]
            if *why == because
        ),
        "once, and why: {told:?}"
    );
    assert_eq!(c.held_for(call), Some(BOB));
    assert_eq!(c.engine.contact(call).unwrap().place, place);
    assert!(c.supervise(sign_out(Some(Span::ZERO), Hands::Requeue)).is_err(), "she is");
}

#[test]
fn at_the_end_of_a_shift_what_is_in_hand_is_finished_and_nothing_new_comes() {
    let mut c = Center::new();
    c.ready(BOB);
    let chats: Vec<ContactId> = (0..2).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    c.answer(chats[0]);
    let sign_out = |after: Option<u64>| Order::SignOut {
        agent: BOB,
        after: after.map(Span::seconds),
        hands: Hands::Finish,
    };
    c.supervise(sign_out(Some(5))).expect("set");
    c.supervise(sign_out(None)).expect("taken back");
    let taken_back = SignOutStep::TakenBack;
    assert!(c.events.contains(&Event::SignOut(SignOut { agent: BOB, step: taken_back })));
    c.supervise(sign_out(Some(8))).expect("set again");
    c.passes(7);
    assert_eq!(c.held_for(chats[1]), Some(BOB));
    c.passes(1);
    assert_eq!(c.held_for(chats[1]), None, "what he had not answered goes to others");
    assert_eq!(c.availability(BOB), Availability::Ready, "he still has a chat");
    let no = c.act(BOB, Act::Become(LUNCH)).unwrap_err();
    assert_eq!(no, Refusal::SigningOut(Arc::from("bob")));
    assert!(c.act(BOB, Act::Next(Some(LUNCH))).is_err());
    c.complete(chats[0]);
    assert_eq!(c.availability(BOB), Availability::SignedOut);
    assert!(c.events.iter().any(|e| matches!(
        e,
        Event::AvailabilityChanged { because: AvailabilityBecause::ShiftOver, .. }
    )));
    assert_eq!(c.engine.in_state(StateKind::Closed), 1);
    assert_eq!(c.engine.agent(BOB).unwrap().leaving, None, "and tomorrow he may come again");
    c.ready(BOB);
    assert_eq!(c.held_for(chats[1]), Some(BOB));
    assert_eq!(c.engine.agent(BOB).unwrap().since, EngineTime(8_000_000));
}
