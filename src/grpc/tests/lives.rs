//! Whole lives of contacts.

use super::*;
use crate::pb::v1::LegOutcome;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_lives_from_its_arrival_to_its_story() {
    let router = Router::start().await;
    let mut gateway = router.gateway("pbx-1").await;
    let mut desktop = router.ready(&["elif"]).await;

    let person = v1::Person {
        name: "Maria Canary".into(),
        address: "+4915112345678".into(),
        words: "my card 4111 1111 1111 1111 was charged".into(),
        ..Default::default()
    };
    let contact = gateway
        .arrives(v1::Arrival {
            entry_point: "support-line".into(),
            queue: String::new(),
            customer: Some(v1::Customer { identity: "account-7".into() }),
            person: Some(person),
            waited_ms: 5_000,
            ..arrival("call-1", v1::Channel::Voice, "")
        })
        .await;

    let offer = desktop.offer("elif").await;
    assert_eq!((offer.contact_id, &*offer.queue), (contact, "support-voice"));
    assert!(offer.waited_ms >= 5_000 && offer.answer_within_ms > 0, "{offer:?}");
    let shown = offer.person.clone().expect("a person");
    assert_eq!((&*shown.name, &*shown.address), ("Maria Canary", "+4915112345678"));
    assert_eq!(shown.words, "my card **** **** **** 1111 was charged");

    desktop.act("elif", accept(&offer)).await;
    let reservation_id = gateway
        .until(|id, d| match d {
            ToGateway::ConnectLegs(legs) if id == contact && legs.agent == "elif" => {
                Some(legs.reservation_id)
            }
            _ => None,
        })
        .await;
    assert_eq!(reservation_id, offer.reservation_id);
    for party in [v1::Party::Agent, v1::Party::Customer] {
        gateway
            .report(Report::Leg(gateway_report::LegResult {
                reservation_id,
                party: party.into(),
                outcome: LegOutcome::Answered.into(),
                code: 200,
            }))
            .await;
    }
    gateway.report(Report::Bridged(gateway_report::Bridged { reservation_id })).await;
    assert_eq!(desktop.assigned("elif").await.contact_id, contact);

    words_are_passed_on(&mut gateway, &mut desktop, contact).await;

    desktop.act("elif", complete(contact, "question-answered")).await;
    let ended = |id, d| match d {
        ToGateway::Ended(ended) if id == contact => Some(ended.reason()),
        _ => None,
    };
    assert_eq!(gateway.until(ended).await, v1::EndReason::Completed);

    is_shown_and_explained(&router, contact).await;
    router.stop().await;
}

/// The customer's words, but not their secrets.
async fn words_are_passed_on(gateway: &mut Gateway, desktop: &mut Desktop, contact: u64) {
    let leaves = Report::Input(gateway_report::Input {
        contact_id: contact,
        person: Some(v1::Person { words: "it is lot 12".into(), ..Default::default() }),
        sensitive: false,
        ..Default::default()
    });
    gateway.report(leaves).await;
    let words = |d| match d {
        ToAgent::CustomerInput(input) => Some(input.person),
        _ => None,
    };
    assert_eq!(desktop.until("elif", words).await.expect("words").words, "it is lot 12");
    let secret = Report::Input(gateway_report::Input {
        contact_id: contact,
        person: Some(v1::Person { words: "1234".into(), ..Default::default() }),
        sensitive: true,
        ..Default::default()
    });
    gateway.report(secret).await;
    assert_eq!(desktop.until("elif", words).await, None, "only the fact");
}

/// What a supervisor sees of it afterwards.
async fn is_shown_and_explained(router: &Router, contact: u64) {
    let mut supervisor = router.supervisor();
    let shown = supervisor.get_contact(v1::GetContactRequest { contact_id: contact }).await;
    let shown = shown.expect("known").into_inner();
    let row = shown.contact.expect("a row");
    assert_eq!(row.state(), v1::ContactState::Closed);
    assert_eq!((row.end_reason(), &*row.agent), (v1::EndReason::Completed, "elif"));
    assert_eq!((&*row.gateway, &*row.key, &*row.entry_point), ("pbx-1", "call-1", "support-line"));
    assert_eq!(shown.person.expect("a person").name, "Maria Canary");
    let events: Vec<&str> = shown.timeline.iter().map(|item| &*item.event).collect();
    for event in ["arrived", "queued", "reserved", "accepted", "bridged", "coded", "closed"] {
        assert!(events.contains(&event), "{event} is not in {events:?}");
    }
    let said: Vec<_> = shown.timeline.iter().filter(|i| i.event == "input_received").collect();
    assert_eq!(said[0].person.as_ref().map(|p| &*p.words), Some("it is lot 12"));
    assert_eq!(said[1].person, None);
    assert!(!events.contains(&"other"), "every event has a word: {events:?}");

    let why = supervisor.explain_contact(v1::ExplainContactRequest { contact_id: contact }).await;
    let why = why.expect("known").into_inner();
    assert_eq!(why.decisions.len(), 1);
    assert_eq!(why.decisions[0].outcome(), v1::OfferOutcome::Accepted);
    assert_eq!(why.decisions[0].trigger(), v1::Trigger::Contact);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_by_unary_calls_alone_reaches_an_agent_who_watches() {
    let router = Router::start().await;
    let mut agents = router.agents();
    let request = v1::WatchRequest { agent: "ines".into(), ..Default::default() };
    let mut watch = agents.watch(request).await.expect("a watch").into_inner();
    let first = watch.message().await.expect("goes on").expect("a message").message;
    let Some(v1::watch_response::Message::Session(session)) = first else {
        panic!("expected the session, got {first:?}")
    };
    assert_eq!(session.name, "ines");
    let act = |request_id: &str, act| v1::ActRequest {
        request_id: request_id.into(),
        agent: "ines".into(),
        act: Some(v1::AgentAct { act: Some(act) }),
    };
    agents.act(act("1", become_(v1::AvailabilityKind::Ready, ""))).await.expect("ready");

    let arrive = v1::ArriveRequest {
        request_id: "a".into(),
        gateway: "letters".into(),
        arrival: Some(arrival("chat-1", v1::Channel::Chat, "support-chat")),
    };
    let mut gateways = router.gateways();
    let contact = gateways.arrive(arrive.clone()).await.expect("accepted").into_inner().contact_id;
    let again = gateways.arrive(arrive).await.expect("found again").into_inner().contact_id;
    assert_eq!(contact, again);

    let offer = loop {
        let word = watch.message().await.expect("goes on").expect("a message").message;
        if let Some(v1::watch_response::Message::Directive(v1::AgentDirective {
            directive: Some(ToAgent::Offer(offer)),
        })) = word
        {
            break offer;
        }
    };
    assert_eq!(offer.contact_id, contact);
    agents.act(act("2", accept(&offer))).await.expect("accepted");
    agents.act(act("3", complete(contact, ""))).await.expect("completed");
    let late = agents.act(act("4", accept(&offer))).await.expect_err("late");
    assert_eq!(late.code(), tonic::Code::FailedPrecondition);

    // Hanging up the watch is leaving.
    drop(watch);
    let gone = || async {
        let request = v1::ListAgentsRequest { pool: "own".into(), ..Default::default() };
        let list = router.supervisor().list_agents(request).await.expect("a list").into_inner();
        let row = list.agents.into_iter().find(|a| a.agent == "ines").expect("ines");
        row.state() == v1::AgentState::Lost || row.state() == v1::AgentState::WrapUp
    };
    for _ in 0..200 {
        if gone().await {
            return router.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("ines is still there");
}
