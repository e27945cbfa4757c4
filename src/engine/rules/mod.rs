//! The rules, one test each: what is done, line by line, and what came of it.
//!
//! The simulation shows that nothing breaks; this shows that what should happen does.

mod bulk;
mod callback_surge;
mod callbacks;
mod care;
mod consults;
mod day;
mod hours;
mod limits;
mod overdue;
mod owed;
mod pains;
mod participants;
mod patience;
mod paused;
mod policies;
mod promises;
mod recall;
mod recoveries;
mod reload;
mod sharing;
mod steps;
mod turned_away;
mod waits;

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::command::{
    Act, Arrival, Command, GatewayLimits, Heard, Order, Reply, Report, Target,
};
use crate::engine::contact::{State, StateKind};
use crate::engine::directive::{Directive, Recipient, Tell};
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::engine::routing::{AgentProfile, EntryPoint, Listed, Queue, Routing, Settings};
use crate::engine::words::{
    Availability, AvailabilityBecause, Channel, EndReason, LegOutcome, Need, Party, WaitsFor,
};
use crate::ids::{
    AgentId, ContactId, EffectId, GatewayId, PoolId, QueueId, ReasonId, RequestId, ReservationId,
    SessionId, SkillId,
};
use crate::time::{EngineTime, Span};

const ANNE: AgentId = AgentId(0);
const BOB: AgentId = AgentId(1);
const CLEO: AgentId = AgentId(2);
const PLAIN: QueueId = QueueId(0);
const SKILLED: QueueId = QueueId(1);
const SAFETY: QueueId = QueueId(2);
const GATE: GatewayId = GatewayId(0);

fn listed<T: From<Listed>>(names: &[&str]) -> Vec<T> {
    names.iter().map(|n| Listed { name: Arc::from(*n), retired: false }.into()).collect()
}

fn queue(name: &str, needs: &[Need], safety: bool) -> Queue {
    Queue {
        name: Arc::from(name),
        needs: needs.iter().copied().collect(),
        channels: [true; 4],
        safety,
        target: Span::seconds(20),
        reservation_timeout: Span::seconds(10),
        connect_timeout: Span::seconds(15),
        ..Queue::default()
    }
}

fn agent(name: &str, skill: Option<u8>, capacity: [u8; 4]) -> AgentProfile {
    AgentProfile {
        name: Arc::from(name),
        pool: PoolId(0),
        skills: skill.map(|level| (SkillId(0), level)).into_iter().collect(),
        capacity,
        ..AgentProfile::default()
    }
}

/// A gateway that says texts, and does not say what else it can carry.
const SAYS: GatewayLimits =
    GatewayLimits { sessions: 0, ivr_ports: 0, calls_per_second: 0, says: true, offers: true };

/// Words that mean nothing to triage.
fn said(contact: ContactId) -> Report {
    Report::Input { contact, heard: Heard { words: true, ..Heard::default() } }
}

/// Three agents, three queues, one gateway; time is in seconds.
struct Center {
    engine: Engine,
    now: u64,
    keys: u64,
    events: Vec<Event>,
}

impl Center {
    fn new() -> Self {
        let routing = Routing {
            skills: listed(&["spanish"]),
            pools: listed(&["own"]),
            queues: vec![
                queue("plain", &[], false),
                queue("skilled", &[Need { skill: SkillId(0), at_least: 3 }], false),
                queue("safety", &[], true),
            ],
            agents: vec![
                agent("anne", Some(5), [1, 2, 2, 2]),
                agent("bob", None, [1, 2, 2, 2]),
                agent("cleo", Some(3), [1, 1, 1, 1]),
            ],
            entry_points: [("hotline", PLAIN), ("shop", SKILLED)]
                .map(|(name, queue)| EntryPoint { name: Arc::from(name), retired: false, queue })
                .to_vec(),
            not_ready_reasons: listed(&["ring-no-answer", "just-connected", "lunch"]),
            settings: Settings { async_share: 50, ..Settings::default() },
            ..Routing::default()
        };
        let mut center = Self { engine: Engine::default(), now: 0, keys: 0, events: Vec::new() };
        center.ok(&Command::Configure(Arc::new(routing)));
        let name = Arc::from("gate");
        center.ok(&Command::ConnectGateway { name, limits: SAYS });
        center
    }

    fn at(&self) -> EngineTime {
        EngineTime(self.now * 1_000_000)
    }

    fn run(&mut self, request: Option<RequestId>, command: &Command) -> Result<Reply, Refusal> {
        self.events.clear();
        let reply = self.engine.handle(self.at(), request, command, &mut self.events);
        assert_eq!(self.engine.check(), Ok(()), "after {command:?}");
        reply
    }

    fn ok(&mut self, command: &Command) -> Reply {
        self.run(None, command).unwrap_or_else(|no| panic!("{no}: {command:?}"))
    }

    fn act(&mut self, agent: AgentId, act: Act) -> Result<Reply, Refusal> {
        self.run(None, &Command::Agent { agent, session: None, act })
    }

    fn report(&mut self, report: Report) -> Result<Reply, Refusal> {
        self.run(None, &Command::Gateway { gateway: GATE, session: None, report })
    }

    fn ready(&mut self, agent: AgentId) {
        self.ok(&Command::ConnectAgent(agent));
        self.act(agent, Act::Become(Availability::Ready)).expect("ready");
    }

    fn arrival(&mut self, channel: Channel, queue: QueueId) -> Arrival {
        self.keys += 1;
        Arrival {
            key: Arc::from(format!("k{}", self.keys)),
            channel,
            queue,
            entry_point: None,
            needs: [].into_iter().collect(),
            preferred: [].into_iter().collect(),
            head_start: Span::ZERO,
            safety: false,
            language: None,
            heed: None,
            customer: None,
            continues: None,
            waited: Span::ZERO,
            attributes: None,
            number_confirmed: false,
            content: self.keys,
        }
    }

    fn arrives(&mut self, channel: Channel, queue: QueueId) -> ContactId {
        let arrival = self.arrival(channel, queue);
        match self.report(Report::Arrived(arrival)) {
            Ok(Reply::Contact(contact)) => contact,
            other => panic!("{other:?}"),
        }
    }

    fn passes(&mut self, seconds: u64) {
        self.now += seconds;
        while self.engine.next_tick().is_some_and(|due| due <= self.at()) {
            self.ok(&Command::Tick);
        }
    }

    fn state(&self, contact: ContactId) -> State {
        self.engine.contact(contact).expect("open").state
    }

    fn held_for(&self, contact: ContactId) -> Option<AgentId> {
        self.state(contact).agent()
    }

    fn reservation(&self, contact: ContactId) -> ReservationId {
        self.state(contact).reservation().expect("reserved")
    }

    fn accept(&mut self, contact: ContactId) {
        let agent = self.held_for(contact).expect("reserved");
        let reservation = self.reservation(contact);
        self.act(agent, Act::Accept(reservation)).expect("accepted");
    }

    /// Accepts, and bridges a call.
    fn answer(&mut self, contact: ContactId) {
        self.accept(contact);
        if self.state(contact).kind() == StateKind::Connecting {
            let reservation = self.reservation(contact);
            self.report(Report::Bridged(reservation)).expect("bridged");
        }
    }

    fn complete(&mut self, contact: ContactId) {
        let agent = self.held_for(contact).expect("assigned");
        self.act(agent, Act::Complete { contact, disposition: None }).expect("completed");
    }

    /// What came of the last command, for one recipient.
    fn told(&self, to: Recipient) -> Vec<Tell> {
        let mut all: Vec<Directive> = Vec::new();
        self.engine.directives(self.at(), &self.events, &mut all);
        all.into_iter().filter(|d| d.to == to).map(|d| d.tell).collect()
    }

    fn consult(&mut self, agent: AgentId, contact: ContactId, to: Target) -> ContactId {
        match self.act(agent, Act::Consult { contact, to }) {
            Ok(Reply::Contact(child)) => child,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_call_is_answered_when_it_is_bridged() {
    let mut c = Center::new();
    c.ready(ANNE);
    let call = c.arrives(Channel::Voice, PLAIN);
    assert_eq!(c.held_for(call), Some(ANNE));
    c.accept(call);
    assert_eq!(c.state(call).kind(), StateKind::Connecting);
    let reservation = c.reservation(call);
    c.report(Report::Bridged(reservation)).expect("bridged");
    let none: [Event; 0] = [];
    assert_eq!(c.report(Report::EffectDone(EffectId(1))), Ok(Reply::Done));
    assert_eq!(c.events, none, "what Bridged settled may be reported again");
    c.complete(call);
    assert_eq!(c.engine.in_state(StateKind::Closed), 1);
}

#[test]
fn a_failed_leg_keeps_the_place_and_goes_to_somebody_else() {
    let mut c = Center::new();
    c.ready(ANNE);
    let first = c.arrives(Channel::Voice, PLAIN);
    let later = c.arrives(Channel::Voice, PLAIN);
    c.accept(first);
    let (reservation, place) = (c.reservation(first), c.engine.contact(first).unwrap().place);
    let leg = (Party::Agent, LegOutcome::Busy);
    c.report(Report::Leg { reservation, party: leg.0, outcome: leg.1, code: 486 }).expect("taken");
    assert_eq!(c.engine.contact(first).unwrap().place, place);
    assert!(c.engine.agent(ANNE).unwrap().phone_unreachable);
    assert_eq!(c.engine.agent(ANNE).unwrap().missed, 0, "it was not her refusal");
    c.ready(BOB);
    assert_eq!(c.held_for(first), Some(BOB));
    assert_eq!(c.held_for(later), None);
}

#[test]
fn a_late_answer_is_refused_and_ring_no_answer_sets_not_ready() {
    let mut c = Center::new();
    c.ready(ANNE);
    let chat = c.arrives(Channel::Chat, PLAIN);
    let reservation = c.reservation(chat);
    c.passes(10);
    assert_eq!(c.act(ANNE, Act::Accept(reservation)), Err(Refusal::ReservationOver(reservation)));
    assert_eq!(c.engine.agent(ANNE).unwrap().availability, Availability::NotReady(ReasonId(0)));
    assert_eq!(c.state(chat), State::Queued);
}

#[test]
fn the_safety_queue_goes_before_live_contacts_on_any_channel() {
    let mut c = Center::new();
    let chat = c.arrives(Channel::Chat, PLAIN);
    let letter = c.arrives(Channel::Email, SAFETY);
    c.ready(CLEO);
    assert_eq!(c.held_for(letter), Some(CLEO));
    assert_eq!(c.held_for(chat), None);
}

#[test]
fn async_contacts_get_the_share_that_is_set() {
    let mut c = Center::new();
    for _ in 0..40 {
        c.arrives(Channel::Chat, PLAIN);
        c.arrives(Channel::Email, PLAIN);
    }
    c.ready(CLEO);
    let mut letters = 0;
    for _ in 0..40 {
        let work = c.engine.agent(CLEO).unwrap().work[0];
        letters += usize::from(work.channel == Channel::Email);
        c.answer(work.contact);
        c.complete(work.contact);
    }
    assert!((19..=20).contains(&letters), "{letters} of 40 at a share of 50 %");
}

#[test]
fn what_comes_next_comes_although_the_line_is_long() {
    let mut c = Center::new();
    let chats: Vec<_> = (0..5).map(|_| c.arrives(Channel::Chat, PLAIN)).collect();
    c.ready(BOB);
    c.answer(chats[0]);
    c.answer(chats[1]);
    let lunch = Availability::NotReady(ReasonId(2));
    c.act(BOB, Act::Next(Some(lunch))).expect("set");
    c.complete(chats[0]);
    assert_eq!(c.held_for(chats[2]), None, "nothing on top of what he has");
    c.complete(chats[1]);
    assert_eq!(c.engine.agent(BOB).unwrap().availability, lunch);
}

#[test]
fn what_a_contact_needs_of_its_own_goes_with_it() {
    let mut c = Center::new();
    let mut arrival = c.arrival(Channel::Chat, SKILLED);
    arrival.needs = [Need { skill: SkillId(0), at_least: 2 }].into_iter().collect();
    let Ok(Reply::Contact(chat)) = c.report(Report::Arrived(arrival)) else { panic!("refused") };
    let order = Order::Move { contact: chat, queue: PLAIN };
    c.ok(&Command::Supervise { order, why: Arc::from("wrong queue") });
    c.ready(BOB);
    assert_eq!(c.held_for(chat), None, "bob speaks no Spanish");
    c.ready(CLEO);
    assert_eq!(c.held_for(chat), Some(CLEO));
}

#[test]
fn a_reply_wakes_a_contact_for_the_same_agent_if_they_are_ready() {
    for (ready, expected) in [(true, ANNE), (false, BOB)] {
        let mut c = Center::new();
        c.ready(ANNE);
        let chat = c.arrives(Channel::Chat, PLAIN);
        c.answer(chat);
        let (on, lasting) = (WaitsFor::Customer, Span::seconds(60));
        c.act(ANNE, Act::Pend { contact: chat, on, lasting }).expect("pending");
        c.ready(BOB);
        if !ready {
            let lunch = Availability::NotReady(ReasonId(2));
            c.act(ANNE, Act::Become(lunch)).expect("at lunch");
        }
        c.report(said(chat)).expect("said");
        assert_eq!(c.held_for(chat), Some(expected), "ready: {ready}");
    }
}

#[test]
fn a_repeat_never_does_later_what_it_did_not_do() {
    let mut c = Center::new();
    c.ready(ANNE);
    let request = Some(RequestId { id: 7, content: 1 });
    let act = Act::Become(Availability::Ready);
    let command = Command::Agent { agent: ANNE, session: None, act };
    assert_eq!(c.run(request, &command), Ok(Reply::Done));
    c.act(ANNE, Act::Become(Availability::NotReady(ReasonId(2)))).expect("at lunch");
    assert_eq!(c.run(request, &command), Ok(Reply::Done));
    assert_eq!(c.engine.agent(ANNE).unwrap().availability, Availability::NotReady(ReasonId(2)));
    let other = Some(RequestId { id: 7, content: 2 });
    assert_eq!(c.run(other, &command), Err(Refusal::RequestConflict));
}

#[test]
fn a_lost_gateway_keeps_places_and_closes_only_what_it_does_not_name() {
    let mut c = Center::new();
    let first = c.arrives(Channel::Chat, PLAIN);
    let second = c.arrives(Channel::Chat, PLAIN);
    c.ok(&Command::DisconnectGateway { gateway: GATE, session: SessionId(1) });
    c.passes(0);
    c.ready(BOB);
    assert_eq!((c.held_for(first), c.held_for(second)), (None, None));
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: SAYS });
    let keys = vec![Arc::from("k1"), Arc::from("k9")];
    let unknown = c.report(Report::Holding { keys, last: true });
    assert_eq!(unknown, Ok(Reply::Unknown(vec![Arc::from("k9")])));
    c.passes(0);
    assert_eq!(c.held_for(first), Some(BOB));
    assert!(c.engine.contact(second).is_none());
}

#[test]
fn an_agent_who_falls_off_the_line_loses_the_caller_to_somebody_else() {
    let mut c = Center::new();
    c.ready(ANNE);
    let call = c.arrives(Channel::Voice, PLAIN);
    c.answer(call);
    c.ready(BOB);
    c.report(Report::AgentLegLost(call)).expect("taken");
    assert_eq!(c.held_for(call), Some(BOB));
    assert!(c.engine.agent(ANNE).unwrap().phone_unreachable);
}

#[test]
fn who_is_no_longer_configured_finishes_and_signs_out() {
    let mut c = Center::new();
    c.ready(BOB);
    let chat = c.arrives(Channel::Chat, PLAIN);
    c.answer(chat);
    let mut routing = Routing::clone(c.engine.routing());
    routing.agents[BOB.index()].retired = true;
    c.ok(&Command::Configure(Arc::new(routing)));
    let more = c.arrives(Channel::Chat, PLAIN);
    assert_eq!(c.held_for(more), None);
    c.ok(&Command::Restart { gap: Span::seconds(5), missed: Span::ZERO });
    c.ok(&Command::ConnectAgent(BOB));
    c.complete(chat);
    let signed_out = Event::AvailabilityChanged {
        agent: BOB,
        to: Availability::SignedOut,
        because: AvailabilityBecause::Retired,
    };
    assert_eq!(c.events.last(), Some(&signed_out));
    assert_eq!(c.run(None, &Command::ConnectAgent(BOB)), Err(Refusal::NoSuchAgent(BOB)));
}

#[test]
fn a_customer_who_leaves_before_an_answer_has_abandoned() {
    let mut c = Center::new();
    let waits = c.arrives(Channel::Chat, PLAIN);
    c.report(Report::CustomerLeft(waits)).expect("left");
    let closed = |reason| Event::Closed {
        contact: waits,
        gateway: GATE,
        consult_of: None,
        reason,
        agent: None,
        wrap_up: None,
    };
    assert_eq!(c.events, [closed(EndReason::Abandoned)]);
}
