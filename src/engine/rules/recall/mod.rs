//! The rules of recalls and self-service.

mod amend;
mod breakers;
mod control;
mod day;
mod faq;
mod ivr;
mod lane;
mod measures;
mod offers;
mod partners;
mod queues;

use std::sync::Arc;

use super::{ANNE, BOB, CLEO, Center, GATE, PLAIN, SAFETY, SAYS, SKILLED, said};
use crate::engine::command::{
    Act, Command, GatewayLimits, Heard, Order, RecallOrder, Reply, Report,
};
use crate::engine::contact::{Contact, State, StateKind};
use crate::engine::directive::{Recipient, Tell};
use crate::engine::event::{EffectKind, Event};
use crate::engine::recall::{
    Answer, Choice, FaqPlan, Found, Heed, IvrPlan, LatePlan, Level, LotVerdict, Outside, Plan,
    Question, READ_WITHIN, ReturnedBecause, SafetyPlan, SelfService, Step, Text, Tier, TierCounts,
    TriageClass, Want, Wish,
};
use crate::engine::refusal::Refusal;
use crate::engine::words::{Channel, EndReason, ServiceClass};
use crate::ids::{AgentId, AskId, ContactId, EffectId, EntryPointId, RecallId};
use crate::time::{EngineTime, Span};

const HOTLINE: EntryPointId = EntryPointId(0);
const SHOP: EntryPointId = EntryPointId(1);
const RECALL: RecallId = RecallId(1);

fn plan(kept: &[AgentId]) -> Plan {
    let faq = FaqPlan {
        from: Level::Elevated,
        capacity: 100,
        pacing: [0, 5, 60, 20].map(Span::seconds),
        silence: [Span::seconds(120); 4],
        time_limit: [Span::seconds(600); 4],
        entries: 4,
    };
    let options = [(b'1', Choice::LotCheck), (b'2', Choice::Faq(3)), (b'3', Choice::Message)];
    let ivr = IvrPlan {
        from: Level::Surge,
        ports: 100,
        time_limit: Span::seconds(300),
        repeats: 1,
        key_timeout: Span::seconds(5),
        yes: b'1',
        no: b'2',
        options: options.into_iter().collect(),
    };
    Plan {
        title: Arc::from("sensor"),
        version: [7; 32],
        playbook: Arc::from(&b"playbook"[..]),
        scope: vec![HOTLINE],
        faq: Some(faq),
        ivr: Some(ivr),
        callback: None,
        partner: None,
        safety: SafetyPlan {
            queue: SAFETY,
            kept: kept.to_vec(),
            external: Some(Outside::Number(Arc::from("+1 555 0100"))),
            late: LatePlan::default(),
        },
        soon: Span::seconds(120),
        control: None,
    }
}

fn keys(contact: ContactId, keys: &str, lot: Option<LotVerdict>) -> Report {
    let heard = Heard { keys: Some(Arc::from(keys)), lot, ..Heard::default() };
    Report::Input { contact, heard }
}

fn wishes(contact: ContactId, wish: Wish) -> Report {
    let heard = Heard { words: true, wish: Some(wish), ..Heard::default() };
    Report::Input { contact, heard }
}

fn means(contact: ContactId, class: TriageClass) -> Report {
    let heed = Some(Heed { recall: RECALL, class });
    Report::Input { contact, heard: Heard { words: true, heed, ..Heard::default() } }
}

impl Center {
    fn order(&mut self, order: RecallOrder) -> Result<Reply, Refusal> {
        self.run(None, &Command::Recall { order, why: Arc::from("lot 7 burns") })
    }

    fn start_with(&mut self, plan: Plan, level: Level) -> Result<Reply, Refusal> {
        let (plan, lasting) = (Arc::new(plan), Span::seconds(86_400));
        let accept_empty_safety_lane = false;
        let free = None;
        self.order(RecallOrder::Start { plan, level, lasting, accept_empty_safety_lane, free })
    }

    fn start(&mut self, level: Level) {
        assert_eq!(self.start_with(plan(&[]), level), Ok(Reply::Recall(RECALL)));
        self.passes(0);
    }

    fn comes(&mut self, channel: Channel, through: EntryPointId) -> ContactId {
        self.comes_as(channel, through, None)
    }

    fn comes_as(
        &mut self,
        channel: Channel,
        through: EntryPointId,
        class: Option<TriageClass>,
    ) -> ContactId {
        let mut arrival = self.arrival(channel, PLAIN);
        arrival.entry_point = Some(through);
        arrival.heed = class.map(|class| Heed { recall: RECALL, class });
        match self.report(Report::Arrived(arrival)) {
            Ok(Reply::Contact(contact)) => contact,
            other => panic!("{other:?}"),
        }
    }

    fn open(&self, contact: ContactId) -> &Contact {
        self.engine.contact(contact).expect("open")
    }

    fn served(&self, contact: ContactId) -> SelfService {
        self.open(contact).self_service().expect("in self-service")
    }

    /// What is being said to a customer, in order.
    fn says(&self, contact: ContactId) -> Vec<Text> {
        let text = |kind: &EffectKind| match kind {
            EffectKind::Say(say) => Some(say.text),
            _ => None,
        };
        self.open(contact).effects.iter().filter_map(|(_, kind)| text(kind)).collect()
    }

    /// The gateway has said all that it was asked to.
    fn all_said(&mut self, contact: ContactId) {
        let effects: Vec<EffectId> = self.open(contact).effects.iter().map(|(e, _)| *e).collect();
        for effect in effects {
            self.report(Report::EffectDone(effect)).expect("said");
        }
    }

    fn found(&mut self, contact: ContactId, answer: Answer) {
        let Step::Reading { ask, .. } = self.served(contact).step else { panic!("nothing asked") };
        let found = Found { heed: None, answer };
        self.ok(&Command::WordsRead { contact, ask, found });
    }

    /// A chat that was answered.
    fn answered_chat(&mut self) -> ContactId {
        let chat = self.comes(Channel::Chat, HOTLINE);
        self.found(chat, Answer::Entry { entry: 2, score: 800 });
        self.passes(5);
        chat
    }

    fn ticks(&mut self, at: EngineTime) {
        let mut events = Vec::new();
        self.engine.handle(at, None, &Command::Tick, &mut events).expect("a tick");
        assert_eq!(self.engine.check(), Ok(()));
    }

    fn tier(&self, tier: Tier) -> TierCounts {
        self.engine.recall(RECALL).expect("started").tiers[tier.index()]
    }

    fn returned(&self) -> Vec<ReturnedBecause> {
        let because = |e: &Event| match e {
            Event::Returned { because, .. } => Some(*because),
            _ => None,
        };
        self.events.iter().filter_map(because).collect()
    }

    fn ended(&self) -> Vec<(ContactId, EndReason)> {
        let end = |e: &Event| match e {
            Event::Closed { contact, reason, .. } => Some((*contact, *reason)),
            _ => None,
        };
        self.events.iter().filter_map(end).collect()
    }
}

#[test]
fn tiers_open_at_their_level_and_take_only_their_scope() {
    // (level, channel, entry point, whether self-service takes it)
    let table = [
        (Level::Normal, Channel::Chat, HOTLINE, false),
        (Level::Tail, Channel::Chat, HOTLINE, true),
        (Level::Tail, Channel::Voice, HOTLINE, false),
        (Level::Elevated, Channel::Email, HOTLINE, true),
        (Level::Elevated, Channel::Voice, HOTLINE, false),
        (Level::Surge, Channel::Voice, HOTLINE, true),
        (Level::Critical, Channel::Message, HOTLINE, true),
        (Level::Critical, Channel::Voice, SHOP, false),
        (Level::Critical, Channel::Chat, SHOP, false),
    ];
    for (level, channel, through, takes) in table {
        let mut c = Center::new();
        c.start(level);
        let contact = c.comes(channel, through);
        let kind = if takes { StateKind::SelfService } else { StateKind::Queued };
        assert_eq!(c.state(contact).kind(), kind, "{level:?} {channel} {through}");
    }
}

#[test]
fn safety_is_never_diverted_and_has_agents_of_its_own() {
    let mut c = Center::new();
    c.ready(CLEO);
    let started = c.start_with(plan(&[CLEO]), Level::Critical);
    assert_eq!(started, Ok(Reply::Recall(RECALL)));
    let chat = c.comes(Channel::Chat, HOTLINE);
    assert_eq!(c.held_for(chat), None, "she is kept");
    let hurt = c.comes_as(Channel::Chat, HOTLINE, Some(TriageClass::Safety));
    assert_eq!((c.open(hurt).queue, c.held_for(hurt)), (SAFETY, Some(CLEO)));
    let elsewhere = c.comes_as(Channel::Voice, SHOP, Some(TriageClass::Safety));
    assert_eq!(c.open(elsewhere).queue, SAFETY, "wherever they come in");
    assert_eq!(c.state(elsewhere), State::Queued, "and never to a machine");
    c.order(RecallOrder::End(RECALL)).expect("ended");
    c.passes(0);
    c.answer(hurt);
    c.complete(hurt);
    c.answer(elsewhere);
    c.complete(elsewhere);
    assert_eq!(c.held_for(chat), Some(CLEO), "the recall is over: anyone again");
}

#[test]
fn injury_said_at_any_time_leads_to_the_safety_lane() {
    let mut c = Center::new();
    let waits = c.comes(Channel::Email, HOTLINE);
    c.start(Level::Elevated);
    assert_eq!(c.state(waits).kind(), StateKind::SelfService);
    c.report(means(waits, TriageClass::Safety)).expect("heard");
    assert_eq!((c.open(waits).queue, c.returned()), (SAFETY, vec![ReturnedBecause::Safety]));
    let call = c.comes(Channel::Voice, HOTLINE);
    c.report(means(call, TriageClass::Safety)).expect("heard");
    assert_eq!(c.open(call).service, ServiceClass::Safety, "one who waits for a person too");
}

#[test]
fn who_is_hurt_is_in_the_safety_class_by_whatever_way_they_come_back() {
    let mut c = Center::new();
    c.start(Level::Critical);
    c.ready(BOB);
    let chat = c.comes(Channel::Chat, HOTLINE);
    c.report(means(chat, TriageClass::Safety)).expect("heard");
    let order = Order::Move { contact: chat, queue: SKILLED };
    c.ok(&Command::Supervise { order, why: Arc::from("wants Spanish") });
    assert_eq!((c.open(chat).queue, c.open(chat).service), (SKILLED, ServiceClass::Safety));
    c.passes(25);
    assert_eq!(c.state(chat), State::Queued, "and a walk leaves them where a person put them");
    assert_eq!(c.open(chat).queue, SKILLED);
}

#[test]
fn a_gateway_that_cannot_say_keeps_its_contacts_in_line() {
    let mut c = Center::new();
    let limits = GatewayLimits { says: false, ..SAYS };
    c.ok(&Command::ConnectGateway { name: Arc::from("gate"), limits });
    c.passes(0);
    c.start(Level::Critical);
    for channel in [Channel::Voice, Channel::Chat] {
        let contact = c.comes(channel, HOTLINE);
        assert_eq!(c.state(contact), State::Queued);
    }
}

#[test]
fn a_toggle_moves_everyone_at_once_and_tells_them_one_after_the_other() {
    let mut c = Center::new();
    let many: Vec<_> = (0..800).map(|_| c.comes(Channel::Chat, HOTLINE)).collect();
    let mut large = plan(&[]);
    if let Some(faq) = &mut large.faq {
        faq.capacity = 1_000;
    }
    c.start_with(large, Level::Elevated).expect("started");
    let begins = c.at();
    for ms in 0..60 {
        c.ticks(begins + Span::millis(ms));
        // It takes 20 us for each to be moved, and nobody is told before.
        assert!(ms >= 16 || many.iter().all(|chat| c.says(*chat).is_empty()), "at {ms} ms");
    }
    let step = |c: &Center, at: usize| c.served(many[at]).step;
    let entering = |c: &Center| {
        let silent = |at: &usize| matches!(step(c, *at), Step::Entering { .. });
        (0..797).filter(silent).count()
    };
    // All 800 are there, and one a millisecond is told since.
    assert_eq!(entering(&c), 797 - 43);
    assert!(matches!(step(&c, 0), Step::Reading { .. }));
    assert_eq!(c.says(many[0]), [Text::Acknowledgement, Text::Message]);
    assert_eq!(c.says(many[799]), []);
    // Who comes meanwhile is told at once, who writes meanwhile is not forgotten.
    let newcomer = c.comes(Channel::Chat, HOTLINE);
    assert_eq!(c.says(newcomer), [Text::Acknowledgement, Text::Message]);
    let words = Heard { words: true, ..Heard::default() };
    c.report(Report::Input { contact: many[799], heard: words }).expect("heard");
    assert!(matches!(step(&c, 799), Step::Entering { .. }));
    c.report(wishes(many[798], Wish::Person)).expect("heard");
    c.report(means(many[797], TriageClass::Safety)).expect("heard");
    assert_eq!((c.state(many[798]), c.state(many[797])), (State::Queued, State::Queued));
    for ms in (60..1_000).step_by(50) {
        c.ticks(begins + Span::millis(ms));
    }
    // Two texts each, the newcomer's too, and nothing reported: its window is full.
    assert_eq!(entering(&c), 797 - 511);
    for contact in &many[..511] {
        c.all_said(*contact);
    }
    for ms in (1_000..1_900).step_by(50) {
        c.ticks(begins + Span::millis(ms));
    }
    assert_eq!(entering(&c), 0, "what it carries, it reports");
}

#[test]
fn a_tier_that_told_somebody_something_and_closed_does_not_have_them_again() {
    let mut c = Center::new();
    c.start(Level::Critical);
    let chat = c.comes(Channel::Chat, HOTLINE);
    let place = c.open(chat).place;
    c.passes(1);
    assert!(!matches!(c.served(chat).step, Step::Entering { .. }), "told");
    for level in [Level::Normal, Level::Critical] {
        let set = RecallOrder::SetLevel { recall: RECALL, level };
        c.order(set).expect("set");
        c.passes(1);
        assert_eq!((c.state(chat), c.open(chat).place), (State::Queued, place), "{level:?}");
    }
}

#[test]
fn an_affected_lot_is_ahead_of_others() {
    let mut c = Center::new();
    c.start(Level::Normal);
    let first = c.comes(Channel::Chat, HOTLINE);
    c.passes(30);
    let affected = c.comes_as(Channel::Chat, HOTLINE, Some(TriageClass::Affected));
    assert!(c.open(affected).place < c.open(first).place);
    let fussy = c.comes_as(Channel::Chat, HOTLINE, Some(TriageClass::PersonWanted));
    c.order(RecallOrder::SetLevel { recall: RECALL, level: Level::Critical }).expect("set");
    c.passes(0);
    assert_eq!(c.state(fussy), State::Queued, "who wants a person is not asked to a machine");
}

#[test]
fn a_toggle_moves_those_who_wait_but_not_those_about_to_be_served() {
    let mut c = Center::new();
    c.ready(BOB);
    // Each keeps him for 10 s, so that 12 are served within two minutes.
    for _ in 0..12 {
        let call = c.comes(Channel::Voice, HOTLINE);
        c.takes(BOB, call, 10);
    }
    let held = c.comes(Channel::Voice, HOTLINE);
    let waiting: Vec<_> = (0..30).map(|_| c.comes(Channel::Voice, HOTLINE)).collect();
    let outside = c.comes(Channel::Voice, SHOP);
    let hurt = c.comes_as(Channel::Voice, HOTLINE, None);
    let order = Order::Move { contact: hurt, queue: SAFETY };
    c.ok(&Command::Supervise { order, why: Arc::from("heard it in her voice") });
    let places: Vec<_> = waiting.iter().map(|w| c.open(*w).place).collect();
    let level = Level::Surge;
    let start = RecallOrder::Start {
        plan: Arc::new(plan(&[])),
        level,
        lasting: Span::seconds(600),
        accept_empty_safety_lane: false,
        free: None,
    };
    let preview = c.engine.preview(c.at(), &start, 100).expect("allowed");
    c.start(level);
    let moved: Vec<bool> =
        waiting.iter().map(|w| c.state(*w).kind() == StateKind::SelfService).collect();
    let stay = moved.iter().take_while(|moved| !**moved).count();
    assert!((11..=14).contains(&stay), "{stay} are served within two minutes: {moved:?}");
    assert!(moved[stay..].iter().all(|moved| *moved));
    assert_eq!(preview.to_move, Some(30 - stay as u64), "the dry run says the same");
    assert_eq!(c.state(held).kind(), StateKind::Reserved);
    assert_eq!((c.state(outside), c.state(hurt)), (State::Queued, State::Queued));
    assert_eq!(places, waiting.iter().map(|w| c.open(*w).place).collect::<Vec<_>>());
}

#[test]
fn a_tier_that_is_full_leaves_the_rest_in_line_and_takes_them_when_there_is_room() {
    let mut c = Center::new();
    let mut small = plan(&[]);
    if let Some(faq) = &mut small.faq {
        faq.capacity = 2;
    }
    let chats: Vec<_> = (0..3).map(|_| c.comes(Channel::Chat, HOTLINE)).collect();
    c.start_with(small, Level::Elevated).expect("started");
    c.passes(0);
    assert_eq!(c.tier(Tier::Faq).in_use, 2);
    assert_eq!(c.state(chats[2]), State::Queued);
    c.report(Report::CustomerLeft(chats[0])).expect("left");
    c.passes(5);
    assert_eq!(c.state(chats[2]).kind(), StateKind::SelfService);
}

#[test]
fn the_end_of_a_recall_gives_everyone_back_at_their_place() {
    type Way = fn(&mut Center);
    let by_hand: Way = |c| c.order(RecallOrder::End(RECALL)).map(drop).expect("ended");
    let forgotten: Way = |c| c.passes(86_400);
    let to_normal: Way = |c| {
        let order = RecallOrder::SetLevel { recall: RECALL, level: Level::Normal };
        c.order(order).map(drop).expect("set");
    };
    for way in [by_hand, forgotten, to_normal] {
        let mut c = Center::new();
        c.start(Level::Critical);
        let waiting: Vec<_> =
            [Channel::Voice, Channel::Chat, Channel::Email].map(|ch| c.comes(ch, HOTLINE)).into();
        let places: Vec<_> = waiting.iter().map(|w| c.open(*w).place).collect();
        way(&mut c);
        c.passes(0);
        for (contact, place) in waiting.iter().zip(places) {
            assert_eq!((c.state(*contact), c.open(*contact).place), (State::Queued, place));
        }
        let next = c.comes(Channel::Chat, HOTLINE);
        assert_eq!(c.state(next), State::Queued);
    }
}

#[test]
fn a_start_that_cannot_be_meant_is_refused() {
    let mut c = Center::new();
    let lane = |kept: &[AgentId]| {
        let mut plan = plan(kept);
        plan.safety.external = None;
        plan
    };
    assert_eq!(c.start_with(lane(&[ANNE]), Level::Surge), Err(Refusal::EmptySafetyLane));
    let order = RecallOrder::Start {
        plan: Arc::new(lane(&[ANNE])),
        level: Level::Surge,
        lasting: Span::seconds(600),
        accept_empty_safety_lane: true,
        free: None,
    };
    assert_eq!(c.order(order), Ok(Reply::Recall(RECALL)));
    let taken = Refusal::ScopeTaken { entry_point: Arc::from("hotline"), recall: RECALL };
    assert_eq!(c.start_with(plan(&[]), Level::Surge), Err(taken));
    let same = Refusal::SameLevel { recall: RECALL, level: "surge" };
    let order = RecallOrder::SetLevel { recall: RECALL, level: Level::Surge };
    assert_eq!(c.order(order), Err(same));
    let mut nowhere = plan(&[]);
    nowhere.scope = vec![];
    let scope = Refusal::OutOfRange {
        field: "scope.entry_points",
        expected: "entry points of the configuration",
    };
    assert_eq!(c.start_with(nowhere, Level::Surge), Err(scope));
    assert_eq!(c.order(RecallOrder::End(RecallId(9))), Err(Refusal::NoSuchRecall(RecallId(9))));
    let why = Command::Recall { order: RecallOrder::End(RECALL), why: Arc::from("") };
    let expected = "1 to 512 bytes";
    assert_eq!(c.run(None, &why), Err(Refusal::OutOfRange { field: "why", expected }));
    let mut other = plan(&[]);
    other.scope = vec![SHOP];
    assert_eq!(c.start_with(other, Level::Surge), Ok(Reply::Recall(RecallId(2))), "two at once");
}

#[test]
fn a_restart_keeps_places_and_gives_every_step_its_time_again() {
    let mut c = Center::new();
    c.start(Level::Surge);
    let reading = c.comes(Channel::Chat, HOTLINE);
    let call = c.comes(Channel::Voice, HOTLINE);
    let answered = c.answered_chat();
    let place = c.open(reading).place;
    let keys_of: Vec<_> = [reading, call, answered].map(|w| c.open(w).key.clone()).into();
    c.now += 900;
    c.ok(&Command::Restart { gap: Span::seconds(900), missed: Span::ZERO });
    c.passes(0);
    assert_eq!(c.state(reading).kind(), StateKind::SelfService, "nobody could answer meanwhile");
    let listening = Step::Listening { until: c.at() + Span::seconds(120) };
    assert_eq!(c.served(answered).step, listening);
    let name = Arc::from("gate");
    c.ok(&Command::ConnectGateway { name, limits: SAYS });
    c.report(Report::Holding { keys: keys_of, last: true }).expect("resynced");
    let told = c.told(Recipient::Gateway(GATE));
    let said = told.iter().filter(|t| matches!(t, Tell::Say { .. })).count();
    assert_eq!(said, 2 + 2 + 3, "what was not reported as said is asked for again");
    c.found(reading, Answer::None);
    assert_eq!((c.state(reading), c.open(reading).place), (State::Queued, place));
}
