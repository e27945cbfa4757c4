//! Self-service as gateways, agents and supervisors meet it: a real playbook, the real
//! reader of words, over the wire.

use super::*;
use crate::engine::command::{Command, RecallOrder, Reply};
use crate::engine::entry::Role;
use crate::engine::recall::{Level, Plan};
use crate::grpc::auth;
use crate::pb::v1::gateway_directive::{Collect, Say};
use crate::recall::{Prepared, parse, plan};
use crate::time::Span;

const PLAYBOOK: &str = include_str!("../../../playbooks/peanut-butter-2022.toml");

impl Router {
    /// Puts the playbook in force; answers are not paced.
    async fn recall(&self, level: Level) {
        let source = PLAYBOOK.replace("chat_pacing = \"15s\"", "chat_pacing = \"0s\"");
        assert_ne!(source, PLAYBOOK);
        let playbook = parse("playbook", &source, &[]).expect("sound").playbook;
        let prepared = Arc::new(Prepared::new(playbook).expect("an index"));
        let plan = plan(&prepared.playbook, &self.handle.directory().routing).expect("it fits");
        self.handle.recalls().prepare(prepared);
        self.start_recall(plan, level).await;
    }

    async fn start_recall(&self, plan: Plan, level: Level) {
        let order = RecallOrder::Start {
            plan: Arc::new(plan),
            level,
            lasting: Span::seconds(3_600),
            accept_empty_safety_lane: true,
            free: None,
        };
        let command = Command::Recall { order, why: "twelve reports".into() };
        let on_call = auth::actor(Role::OnCall, "nadia");
        let started = self.handle.call(on_call, None, command, None).await.expect("it starts");
        assert!(matches!(started, Reply::Recall(_)), "{started:?}");
    }

    async fn shown(&self, contact_id: u64) -> v1::GetContactResponse {
        let asked = v1::GetContactRequest { contact_id };
        self.supervisor().get_contact(asked).await.expect("known").into_inner()
    }

    async fn explained(&self, contact_id: u64) -> String {
        let asked = v1::ExplainContactRequest { contact_id };
        self.supervisor().explain_contact(asked).await.expect("known").into_inner().summary
    }
}

impl Gateway {
    /// The next text to say to a customer.
    async fn say(&mut self, contact: u64) -> Say {
        self.until(|id, d| match d {
            ToGateway::Say(say) if id == contact => Some(say),
            _ => None,
        })
        .await
    }

    /// Says the next text, which must be this one, to its end.
    async fn says(&mut self, contact: u64, id: &str) -> Say {
        let say = self.say(contact).await;
        assert_eq!(said(&say).message_id, id, "{say:?}");
        let effect_id = say.effect_id;
        self.report(Report::EffectDone(gateway_report::EffectDone { effect_id })).await;
        say
    }

    async fn hears(&mut self, contact_id: u64, words: &str) {
        let person = Some(v1::Person { words: words.into(), ..Default::default() });
        self.report(Report::Input(gateway_report::Input {
            contact_id,
            person,
            ..Default::default()
        }))
        .await;
    }

    async fn presses(&mut self, contact_id: u64, keys: &str) {
        let keys = keys.into();
        self.report(Report::Input(gateway_report::Input {
            contact_id,
            keys,
            ..Default::default()
        }))
        .await;
    }

    async fn waits(&mut self, contact: u64) -> String {
        self.until(|id, d| match d {
            ToGateway::Waiting(waiting) if id == contact => Some(waiting.queue),
            _ => None,
        })
        .await
    }
}

fn said(say: &Say) -> &v1::Spoken {
    say.text.as_ref().expect("a text")
}

/// Somebody who comes in through a door and says this.
fn comes(key: &str, channel: v1::Channel, at: &str, words: &str, language: &str) -> v1::Arrival {
    let (words, language) = (words.into(), language.into());
    v1::Arrival {
        entry_point: at.into(),
        person: Some(v1::Person { words, language, ..Default::default() }),
        ..arrival(key, channel, "")
    }
}

fn heard(shown: &v1::GetContactResponse) -> Vec<(&str, v1::HeardOutcome)> {
    shown
        .heard
        .iter()
        .map(|h| (h.text.as_ref().map_or("?", |t| &*t.message_id), h.outcome()))
        .collect()
}

use v1::HeardOutcome::{Done, Withdrawn};

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_acknowledged_answered_and_solved() {
    let router = Router::start().await;
    let mut gateway = router.gateway("widget").await;
    router.recall(Level::Elevated).await;
    let question = "How do I get my money back?";
    let contact =
        gateway.arrives(comes("c-1", v1::Channel::Chat, "site-chat", question, "en-US")).await;
    let acknowledged = gateway.says(contact, "acknowledgement").await;
    let text = said(&acknowledged);
    assert!(text.words.ends_with("Wait for a person: not known yet."), "{}", text.words);
    assert_eq!((&*text.language, text.playbook_hash.len()), ("en", 64));
    assert_eq!(acknowledged.collect(), Collect::Unspecified);
    gateway.says(contact, "text-en").await;
    let answer = gateway.says(contact, "faq.refund").await;
    assert!(said(&answer).words.contains("Coupons for replacement come by mail"));

    let summary = router.explained(contact).await;
    assert!(summary.starts_with("It is in the faq tier of recall 1"), "{summary}");
    assert!(summary.contains("the first in support-chat"), "{summary}");
    let row = router.shown(contact).await.contact.expect("a row");
    assert_eq!(row.state(), v1::ContactState::SelfService);
    let there = row.self_service.expect("where it is");
    assert_eq!((there.recall_id, there.tier(), &*there.step), (1, v1::Tier::Faq, "listening"));
    assert_eq!(there.answers, 1);

    gateway.hears(contact, "Yes, that solved it. Thanks!").await;
    let ended = |id, d| match d {
        ToGateway::Ended(ended) if id == contact => Some(ended.reason()),
        _ => None,
    };
    assert_eq!(gateway.until(ended).await, v1::EndReason::Solved);
    let shown = router.shown(contact).await;
    assert_eq!(heard(&shown), [("acknowledgement", Done), ("text-en", Done), ("faq.refund", Done)]);
    assert_eq!(shown.heard[2].text.as_ref(), answer.text.as_ref(), "word by word");
    assert_eq!(shown.heard[0].text.as_ref(), acknowledged.text.as_ref(), "its wait included");
    assert!(shown.heard.iter().all(|h| h.settled_unix_ms >= h.asked_unix_ms && h.recall_id == 1));
    let events: Vec<&str> = shown.timeline.iter().map(|item| &*item.event).collect();
    for event in ["diverted", "words_asked", "words_read", "stepped", "effect_asked", "closed"] {
        assert!(events.contains(&event), "{event} is not in {events:?}");
    }
    assert!(!events.contains(&"other"), "every event has a word: {events:?}");
    let read = shown.timeline.iter().find(|i| i.event == "words_read").expect("read");
    assert!(read.text.contains("found faq.refund as the answer, by "), "{}", read.text);
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_person_is_back_before_those_who_came_later() {
    let router = Router::start().await;
    let mut gateway = router.gateway("widget").await;
    router.recall(Level::Elevated).await;
    // The widget opened; nothing was asked yet.
    let early = gateway.arrives(comes("c-1", v1::Channel::Chat, "site-chat", "", "es-MX")).await;
    let acknowledged = gateway.says(early, "acknowledgement").await;
    gateway.answer().await;
    assert_eq!(said(&acknowledged).language, "es");
    assert!(said(&acknowledged).words.ends_with("una persona: todavía no se sabe."));
    // Of no entry point: nobody's recall takes it.
    let late = gateway.arrives(arrival("c-2", v1::Channel::Chat, "support-chat")).await;
    gateway.hears(early, "Persona, por favor").await;
    assert_eq!(gateway.waits(early).await, "support-chat");
    let shown = router.shown(early).await;
    assert_eq!((shown.position, shown.queue_waiting), (1, 2));
    let back = shown.timeline.iter().find(|i| i.event == "returned").expect("back");
    assert!(back.text.contains("the customer asked for one"), "{}", back.text);

    let mut desktop = router.ready(&["elif"]).await;
    let offer = desktop.offer("elif").await;
    assert_eq!((offer.contact_id, offer.recall_id), (early, 1));
    let script = offer.script.as_ref().expect("a script");
    assert_eq!((&*script.message_id, &*script.language), ("agent-script", "es"));
    assert!(!script.words.is_empty() && !script.words.contains('{'), "{}", script.words);
    let told: Vec<&str> = offer.heard.iter().map(|t| &*t.message_id).collect();
    assert_eq!(told, ["acknowledgement"], "and nothing that was not reported as done");
    assert!(offer.heard[0].words.ends_with("una persona: …."), "{}", offer.heard[0].words);
    assert_ne!(late, early);
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_hurt_is_first_in_line_wherever_they_come_in() {
    let router = Router::start().await;
    let mut gateway = router.gateway("widget").await;
    let words = "my son keeps vomiting since breakfast";
    let before = comes("c-0", v1::Channel::Chat, "site-chat", words, "en");
    let before = gateway.arrives(before).await;
    router.recall(Level::Elevated).await;
    // Read by the new playbook while they wait, or on the way in; secret or not; in scope or not.
    let table = [
        ("c-1", v1::Channel::Chat, "site-chat", false),
        ("c-2", v1::Channel::Email, "refund-mail", false),
        ("c-3", v1::Channel::Chat, "site-chat", true),
    ];
    for (key, channel, at, sensitive) in table {
        let arrival = v1::Arrival { sensitive, ..comes(key, channel, at, words, "en") };
        let contact = gateway.arrives(arrival).await;
        let shown = router.shown(contact).await;
        assert_eq!(shown.person.is_none(), sensitive, "what is secret is not kept");
        let row = shown.contact.expect("a row");
        assert_eq!((row.service(), &*row.queue), (v1::ServiceClass::Safety, "safety"), "{key}");
        assert!(shown.timeline.iter().any(|i| i.event == "triaged"), "{key}");
    }
    for _ in 0..200 {
        let row = router.shown(before).await.contact.expect("a row");
        if row.service() == v1::ServiceClass::Safety {
            assert_eq!((row.state(), &*row.queue), (v1::ContactState::Queued, "safety"));
            return router.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the words of who waited before the recall are not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_person_on_the_way_in_is_never_diverted() {
    let router = Router::start().await;
    let mut gateway = router.gateway("widget").await;
    router.recall(Level::Elevated).await;
    // A word of the playbook's, and one that only the house knows.
    for (key, words) in [("c-1", "let me speak to a human being"), ("c-2", "Mensch, bitte!")] {
        let contact = gateway.arrives(comes(key, v1::Channel::Chat, "site-chat", words, "")).await;
        let shown = router.shown(contact).await;
        assert_eq!(shown.contact.expect("a row").state(), v1::ContactState::Queued, "{words}");
        let told = shown.timeline.iter().find(|i| i.event == "triaged").expect("triaged");
        assert!(told.text.starts_with("found to ask for a person"), "{}", told.text);
        assert!(shown.heard.is_empty());
    }
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_through_the_menu_to_a_person() {
    let router = Router::start().await;
    let mut gateway = router.gateway("pbx").await;
    router.recall(Level::Surge).await;
    let call = gateway.arrives(comes("v-1", v1::Channel::Voice, "support-line", "", "en")).await;
    assert_eq!(gateway.says(call, "ivr.greeting").await.collect(), Collect::Unspecified);
    assert_eq!(gateway.says(call, "ivr.injury").await.collect(), Collect::Key);
    gateway.presses(call, "2").await;
    gateway.says(call, "voice-en").await;
    for (id, collect) in [
        ("ivr.option.1", Collect::Unspecified),
        ("ivr.option.2", Collect::Unspecified),
        ("ivr.option.3", Collect::Unspecified),
        ("ivr.option.9", Collect::Key),
    ] {
        assert_eq!(gateway.says(call, id).await.collect(), collect, "{id}");
    }
    gateway.presses(call, "1").await;
    assert_eq!(gateway.says(call, "ivr.lot").await.collect(), Collect::Lot);
    gateway.presses(call, "1273425#").await;
    let verdict = gateway.says(call, "ivr.lot.not-affected").await;
    assert_eq!(said(&verdict).words, "Lot 1 2 7 3 4 2 5 is not affected by this recall.");
    gateway.says(call, "ivr.option.1").await;
    // Pressed before the menu has ended: the rest of it is not played any more.
    gateway.presses(call, "1").await;
    gateway.says(call, "ivr.option.2").await;
    gateway.says(call, "ivr.option.3").await;
    gateway.says(call, "ivr.option.9").await;
    gateway.says(call, "ivr.lot").await;
    gateway.presses(call, "1274425#").await;
    let verdict = gateway.says(call, "ivr.lot.affected").await;
    assert!(said(&verdict).words.starts_with("Lot 1 2 7 4 4 2 5 is affected."));
    gateway.presses(call, "0").await;
    assert_eq!(gateway.waits(call).await, "support-voice");

    let mut desktop = router.ready(&["elif"]).await;
    let offer = desktop.offer("elif").await;
    let told: Vec<&str> = offer.heard.iter().map(|t| &*t.words).collect();
    for words in
        ["Lot 1 2 7 3 4 2 5 is not affected by this recall.", "Lot 1 2 7 4 4 2 5 is affected."]
    {
        assert!(told.iter().any(|told| told.starts_with(words)), "{words} is not in {told:?}");
    }
    let shown = router.shown(call).await;
    let outcomes = heard(&shown);
    assert_eq!(outcomes.last().map(|(id, _)| *id), Some("ivr.person"));
    assert!(outcomes.contains(&("ivr.lot.affected", Done)), "{outcomes:?}");
    assert!(outcomes.contains(&("ivr.option.2", Withdrawn)), "{outcomes:?}");
    let pressed = shown.timeline.iter().filter(|i| i.event == "keys_pressed");
    let pressed: Vec<&str> = pressed.map(|i| &*i.text).collect();
    assert_eq!(pressed[0], "the customer pressed 2");
    assert_eq!(pressed[2], "the customer pressed 1273425#: as a lot not affected");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_wishes_are_checked_and_secret_ones_go_nowhere() {
    let router = Router::start().await;
    let mut gateway = router.gateway("pbx").await;
    router.recall(Level::Surge).await;
    let call = gateway.arrives(comes("v-1", v1::Channel::Voice, "support-line", "", "en")).await;
    let input = |keys: &str, wish: i32, sensitive| gateway_report::Input {
        contact_id: call,
        keys: keys.into(),
        wish,
        sensitive,
        person: None,
    };
    for (input, field) in [
        (input("12a", 0, false), "keys"),
        (input(&"1".repeat(65), 0, false), "keys"),
        (input("", 99, false), "wish"),
    ] {
        gateway.report(Report::Input(input)).await;
        assert_eq!(gateway.refused().await.field, field);
    }
    gateway.report(Report::Input(input("4711", 0, true))).await;
    gateway.answer().await;
    let shown = router.shown(call).await;
    let events: Vec<&str> = shown.timeline.iter().map(|item| &*item.event).collect();
    assert!(events.contains(&"input_received") && !events.contains(&"keys_pressed"), "{events:?}");
    assert!(!format!("{shown:?}").contains("4711"));
    // The way to a person is no secret.
    gateway.report(Report::Input(input("0", 0, true))).await;
    assert_eq!(gateway.waits(call).await, "support-voice");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_would_hear_nothing_is_back_with_people_at_once() {
    let router = Router::start().await;
    let mut gateway = router.gateway("pbx").await;
    let playbook = parse("playbook", PLAYBOOK, &[]).expect("sound").playbook;
    let plan = plan(&playbook, &router.handle.directory().routing).expect("it fits");
    // As if a journal held a playbook that this version cannot read.
    let broken = Plan { playbook: Arc::from(&b"{}"[..]), version: [9; 32], ..plan };
    router.start_recall(broken, Level::Surge).await;
    let contact = gateway.arrives(comes("v-1", v1::Channel::Voice, "support-line", "", "")).await;
    assert_eq!(gateway.waits(contact).await, "support-voice");
    let shown = router.shown(contact).await;
    let back = shown.timeline.iter().find(|i| i.event == "returned").expect("back");
    assert!(back.text.contains("could not say a text"), "{}", back.text);
    let failed = shown.heard.iter().all(|h| h.text.is_none() && h.outcome() != Done);
    assert!(!shown.heard.is_empty() && failed, "{:?}", shown.heard);
    router.stop().await;
}
