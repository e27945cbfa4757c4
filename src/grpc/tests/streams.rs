//! How streams begin, are slowed down, and end.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_stream::StreamExt;
use tonic::Code;

use super::*;
use crate::pb::v1::agent_service_connect_response::Message as Word;

async fn agent_state(router: &Router, agent: &str) -> v1::AgentState {
    let list = router.supervisor().list_agents(v1::ListAgentsRequest::default()).await;
    let list = list.expect("a list").into_inner().agents;
    list.iter().find(|row| row.agent == agent).expect("configured").state()
}

async fn eventually(router: &Router, agent: &str, state: v1::AgentState) {
    for _ in 0..500 {
        if agent_state(router, agent).await == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{agent} is {:?}, not {state:?}", agent_state(router, agent).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_hello_ends_the_older_stream_and_finds_what_it_held() {
    let router = Router::start().await;
    let mut older = router.gateway("g").await;
    let contact = older.arrives(arrival("k", v1::Channel::Chat, "support-chat")).await;
    let mut newer = router.gateway_stream().await;
    newer.hello("g").await;
    newer.answer().await;
    let end = older.end().await.expect_err("ended");
    assert_eq!(end.code(), Code::Aborted);
    assert!(end.message().contains("newer session"), "{end:?}");

    let keys = vec!["k".to_owned(), "unheard-of".to_owned()];
    newer.report(Report::Holding(gateway_report::Holding { keys, last: true })).await;
    let Some(v1::answer::Result::UnknownKeys(unknown)) = newer.answer().await.result else {
        panic!("expected unknown keys")
    };
    assert_eq!(unknown.keys, ["unheard-of"]);
    let waiting = |id, d| match d {
        ToGateway::Waiting(w) if id == contact => Some(w.queue),
        _ => None,
    };
    assert_eq!(newer.until(waiting).await, "support-chat");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_sign_in_ends_one_session_and_not_the_stream() {
    let router = Router::start().await;
    let mut older = router.ready(&["elif", "greta"]).await;
    let newer = router.ready(&["elif"]).await;
    let (agent, session) = loop {
        if let (agent, Word::SessionOver(over)) = older.word().await {
            break (agent, over.session_id);
        }
    };
    assert_eq!(agent, "elif");
    assert!(session > 0);
    older.act("elif", become_(v1::AvailabilityKind::NotReady, "lunch")).await;
    let (_, refused) = older.refused().await;
    assert_eq!((refused.code(), &*refused.field), (v1::RefusalCode::WrongState, "agent"));
    older.act("greta", become_(v1::AvailabilityKind::NotReady, "lunch")).await;
    eventually(&router, "greta", v1::AgentState::NotReady).await;
    // The older stream's end takes along who is still on it, and nobody else.
    drop(older);
    eventually(&router, "greta", v1::AgentState::Lost).await;
    assert_eq!(agent_state(&router, "elif").await, v1::AgentState::Ready);
    drop(newer);
    eventually(&router, "elif", v1::AgentState::Lost).await;
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_and_signing_in_again_works_on_one_stream() {
    let router = Router::start().await;
    let mut desktop = router.ready(&["elif"]).await;
    desktop.send("elif", FromAgent::Leave(v1::Leave {})).await;
    eventually(&router, "elif", v1::AgentState::Lost).await;
    desktop.send("elif", FromAgent::SignIn(v1::SignIn::default())).await;
    eventually(&router, "elif", v1::AgentState::Ready).await;
    desktop.act("elif", become_(v1::AvailabilityKind::NotReady, "lunch")).await;
    eventually(&router, "elif", v1::AgentState::NotReady).await;
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_are_not_waited_for_are_all_answered_in_order() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    // More than may be unanswered at once: the router reads no further until it has
    // answered, and refuses nothing for it.
    let count = 3_000;
    for n in 0..count {
        let arrival = arrival(&format!("k-{n}"), v1::Channel::Email, "support-email");
        gateway.report(Report::Arrived(arrival)).await;
    }
    // Half-closed: what was said is still answered, then the stream ends well.
    gateway.out = None;
    let mut contacts = Vec::new();
    while let Some(word) = gateway.next().await.expect("ends well") {
        match word {
            GatewayWord::Answer(v1::Answer {
                result: Some(v1::answer::Result::ContactId(id)),
                ..
            }) => contacts.push(id),
            GatewayWord::Directive(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(contacts, (1..=count).collect::<Vec<u64>>());
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_without_reading_is_slowed_down_and_not_sent_away() {
    const REPORTS: u64 = 8_000;
    let router = Router::start().await;
    // It has room for a few answers, so that the router soon has 1,024 unanswered requests.
    let uri = format!("http://{}", router.address);
    let endpoint = Endpoint::from_shared(uri).expect("a uri").initial_stream_window_size(1_024);
    let channel = endpoint.connect().await.expect("connects");
    let (out, requests) = mpsc::channel(10_000);
    let sent = Arc::new(AtomicU64::new(0));
    let counts = sent.clone();
    // With a pause after each, so that each is a frame of its own, as of a client that sends
    // when something happens.
    let requests = ReceiverStream::new(requests).then(move |request| {
        counts.fetch_add(1, Ordering::Relaxed);
        async move {
            tokio::task::yield_now().await;
            request
        }
    });
    let words = GatewayServiceClient::new(channel).connect(requests).await.expect("a stream");
    let mut gateway = Gateway { out: Some(out), words: words.into_inner(), count: 0 };
    gateway.hello("g").await;
    for _ in 0..REPORTS {
        gateway.report(Report::Hold(gateway_report::Hold { contact_id: 1, on: true })).await;
    }
    // Until it comes to a stop; reading only then shows that the stream still stands.
    let mut before = 0;
    while before == 0 || sent.load(Ordering::Relaxed) > before {
        before = sent.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!((1_024..REPORTS).contains(&before), "{before} taken");
    for _ in 0..REPORTS {
        while !matches!(gateway.word().await, GatewayWord::Refused(_)) {}
    }
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_stops_says_so() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let mut desktop = router.ready(&["elif"]).await;
    router.stop.cancel();
    assert_eq!(gateway.end().await.expect_err("ended").code(), Code::Unavailable);
    let end = loop {
        match desktop.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended without a word"),
            Err(status) => break status,
        }
    };
    assert_eq!(end.code(), Code::Unavailable);
    router.stop().await;
}
