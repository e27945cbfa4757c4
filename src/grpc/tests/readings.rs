//! Listings, orders, and the services beside ours.

use std::collections::BTreeSet;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::*;
use crate::ids::ContactId;

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_counted_and_watched() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let mut desktop = router.ready(&["elif"]).await;
    for n in 0..3 {
        gateway.arrives(arrival(&format!("k-{n}"), v1::Channel::Voice, "support-voice")).await;
    }
    desktop.offer("elif").await;

    let request =
        v1::ListQueuesRequest { queues: vec!["support-voice".into()], ..Default::default() };
    let rows = router.supervisor().list_queues(request).await.expect("a list").into_inner();
    let [row] = &rows.queues[..] else { panic!("expected one row: {rows:?}") };
    assert_eq!((row.waiting, row.offered, row.answered), (2, 3, 0));
    assert_eq!((row.agents_able, row.agents_ready), (1, 0), "elif is taken");
    assert_eq!(row.service_level_all_abandoned, None, "nothing to divide by");

    let request = v1::WatchQueuesRequest { queues: vec![], interval_ms: 250 };
    let mut watch = router.supervisor().watch_queues(request).await.expect("a watch").into_inner();
    for _ in 0..2 {
        let seen = watch.message().await.expect("goes on").expect("a reading");
        assert_eq!(
            seen.queues.len(),
            config::built_in().expect("valid").config.routing.queues.len()
        );
        let counts = seen.contacts.expect("counts");
        assert_eq!((counts.accepted, counts.queued, counts.reserved), (3, 2, 1));
        assert!(seen.read_unix_ms > 1_700_000_000_000);
    }
    for interval_ms in [249, 60_001] {
        let request = v1::WatchQueuesRequest { queues: vec![], interval_ms };
        let status = router.supervisor().watch_queues(request).await.expect_err("out of range");
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_listed_in_pages_and_positions_follow_priority() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    for n in 0..7 {
        gateway.arrives(arrival(&format!("k-{n}"), v1::Channel::Chat, "support-chat")).await;
    }
    gateway.arrives(arrival("mail", v1::Channel::Email, "support-email")).await;
    let mut request = v1::ListContactsRequest {
        queue: "support-chat".into(),
        state: v1::ContactState::Queued.into(),
        page_size: 3,
        page_token: String::new(),
    };
    let mut pages = Vec::new();
    loop {
        let page =
            router.supervisor().list_contacts(request.clone()).await.expect("a page").into_inner();
        pages.push(page.contacts.iter().map(|c| c.contact_id).collect::<Vec<_>>());
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(pages, [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);

    let position = |contact_id| {
        let mut supervisor = router.supervisor();
        async move {
            let shown = supervisor.get_contact(v1::GetContactRequest { contact_id }).await;
            let shown = shown.expect("known").into_inner();
            (shown.position, shown.queue_waiting)
        }
    };
    assert_eq!(position(5).await, (5, 7));
    let order = v1::ReprioritiseContactRequest {
        request_id: "1".into(),
        actor: "sam".into(),
        why: "a doctor".into(),
        contact_id: 5,
        head_start_ms: 600_000,
    };
    router.supervisor().reprioritise_contact(order).await.expect("done");
    assert_eq!(position(5).await, (1, 7));

    let order = v1::MoveContactRequest {
        request_id: "2".into(),
        actor: "sam".into(),
        why: "an injury".into(),
        contact_id: 5,
        queue: "safety".into(),
    };
    router.supervisor().move_contact(order).await.expect("done");
    assert_eq!(position(5).await, (1, 1));
    assert_eq!(position(7).await, (6, 6));

    let order = v1::CloseContactRequest {
        request_id: "3".into(),
        actor: "sam".into(),
        why: "a test call".into(),
        contact_id: 1,
    };
    router.supervisor().close_contact(order).await.expect("done");
    let shown = router.supervisor().get_contact(v1::GetContactRequest { contact_id: 1 }).await;
    let shown = shown.expect("known").into_inner();
    let ordered = shown.timeline.iter().find(|item| item.event == "ordered");
    let last = shown.timeline.last().expect("a story");
    assert_eq!((&*last.event, &*last.actor, &*last.actor_role), ("closed", "sam", "supervisor"));
    assert!(ordered.is_some_and(|item| item.text.contains("a test call")), "{:?}", shown.timeline);
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_listed_with_what_they_have() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let mut desktop = router.ready(&["ines"]).await;
    let contact = gateway.arrives(arrival("k", v1::Channel::Chat, "support-chat")).await;
    let offer = desktop.offer("ines").await;
    desktop.act("ines", accept(&offer)).await;
    desktop.assigned("ines").await;

    let all = v1::ListAgentsRequest { page_size: 5, ..Default::default() };
    let first = router.supervisor().list_agents(all.clone()).await.expect("a page").into_inner();
    assert_eq!(first.agents.len(), 5);
    let rest = v1::ListAgentsRequest { page_token: first.next_page_token, page_size: 500, ..all };
    let rest = router.supervisor().list_agents(rest).await.expect("a page").into_inner();
    assert!(rest.next_page_token.is_empty());
    let names: BTreeSet<&str> =
        first.agents.iter().chain(&rest.agents).map(|row| &*row.agent).collect();
    assert_eq!(names.len(), config::built_in().expect("valid").config.routing.agents.len());

    let busy = v1::ListAgentsRequest { state: v1::AgentState::Busy.into(), ..Default::default() };
    let busy = router.supervisor().list_agents(busy).await.expect("a page").into_inner().agents;
    let [ines] = &busy[..] else { panic!("expected one: {busy:?}") };
    assert_eq!((&*ines.agent, &*ines.pool, ines.load_permille), ("ines", "own", 250));
    assert_eq!(ines.work.len(), 1);
    assert_eq!((ines.work[0].contact_id, ines.work[0].hold()), (contact, v1::WorkHold::Assigned));

    let order = v1::SetAgentRequest {
        request_id: "1".into(),
        actor: "sam".into(),
        why: "a meeting".into(),
        agent: "ines".into(),
        availability: Some(v1::Availability {
            kind: v1::AvailabilityKind::NotReady.into(),
            reason: "meeting".into(),
        }),
    };
    router.supervisor().set_agent(order).await.expect("done");
    let told = |d| match d {
        ToAgent::Availability(a) => Some((a.because(), a.now.map(|now| now.reason))),
        _ => None,
    };
    assert_eq!(
        desktop.until("ines", told).await,
        (v1::AvailabilityBecause::Supervisor, Some("meeting".to_owned()))
    );
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_of_every_service() {
    let router = Router::start().await;
    let mut health = HealthClient::new(router.channel.clone());
    let table = [
        ("", ServingStatus::Serving),
        ("surgeline.v1.GatewayService", ServingStatus::Serving),
        ("surgeline.v1.AgentService", ServingStatus::Serving),
        ("surgeline.v1.SupervisorService", ServingStatus::Serving),
        ("surgeline.v1.RecallService", ServingStatus::Serving),
    ];
    for (service, status) in table {
        let asked = HealthCheckRequest { service: service.into() };
        assert_eq!(
            health.check(asked).await.expect("known").into_inner().status(),
            status,
            "{service}"
        );
    }
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_contact_says_what_it_waits_for() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let waited =
        v1::Arrival { waited_ms: 3_600_000, ..arrival("k-1", v1::Channel::Voice, "support-voice") };
    let first = gateway.arrives(waited).await;
    let request =
        v1::ListQueuesRequest { queues: vec!["support-voice".into()], ..Default::default() };
    let rows = router.supervisor().list_queues(request).await.expect("a list").into_inner();
    let oldest = rows.queues[0].oldest_wait_ms;
    assert!((3_600_000..3_700_000).contains(&oldest), "{oldest} ms");

    let why = |contact_id| {
        let mut supervisor = router.supervisor();
        async move {
            let request = v1::ExplainContactRequest { contact_id };
            supervisor.explain_contact(request).await.expect("known").into_inner().summary
        }
    };
    let text = why(first).await;
    assert!(text.starts_with("Nobody who is able to take it is signed in:"), "{text}");
    assert!(text.contains("number 1 of 1 in support-voice"), "{text}");
    assert!(text.ends_with("It was offered to nobody."), "{text}");

    let mut desktop = router.ready(&["elif"]).await;
    let offer = desktop.offer("elif").await;
    assert!(why(first).await.contains("because elif became ready and it was next"), "{text}");
    let second = gateway.arrives(arrival("k-2", v1::Channel::Voice, "support-voice")).await;
    let text = why(second).await;
    assert!(text.contains("1 of them signed in: 1 ready but with full hands"), "{text}");
    assert!(text.contains("It is the first of those with its needs; their line is blocked"));

    let no = agent_act::Decline { reservation_id: offer.reservation_id };
    desktop.act("elif", Act::Decline(no)).await;
    desktop.offer("elif").await;
    let text = why(first).await;
    assert!(text.contains("Its only offer: offered to elif after 1 h 00 min"), "{text}");
    assert!(text.ends_with(": declined."), "{text}");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_answers_old_clients_too() {
    use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1alpha::{ListServiceResponse, ServerReflectionRequest};

    let router = Router::start().await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(router.channel.clone());
    let asked = client.server_reflection_info(tokio_stream::once(request)).await;
    let answer = asked.expect("served").into_inner().message().await.expect("goes on");
    let Some(MessageResponse::ListServicesResponse(ListServiceResponse { service })) =
        answer.and_then(|answer| answer.message_response)
    else {
        panic!("expected the services")
    };
    assert!(service.iter().any(|s| s.name == "surgeline.v1.GatewayService"), "{service:?}");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_sealed_with_their_customers_key_even_if_the_arrival_said_nothing_else() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let known = v1::Arrival {
        customer: Some(v1::Customer { identity: "maria".into() }),
        ..arrival("k", v1::Channel::Chat, "support-chat")
    };
    let contact = gateway.arrives(known).await;
    let words = v1::Person { words: "it is hot".into(), ..Default::default() };
    let input =
        gateway_report::Input { contact_id: contact, person: Some(words), ..Default::default() };
    gateway.report(Report::Input(input)).await;
    gateway.answer().await;
    let sealed = router.handle.read(move |view| {
        let timeline = view.timelines.of(ContactId(contact)).expect("open");
        timeline.items.last().and_then(|item| item.sealed.clone())
    });
    let sealed = sealed.await.expect("read").expect("words");
    assert_eq!(sealed.customer, Some(router.handle.keys().customer("maria")));
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_reaches_it_over_http_1_from_this_machine_only() {
    let router = Router::start().await;
    // An empty request in gRPC-web framing: no flags, length 0.
    let frame = [0_u8; 5];
    let cors = |from: &'static str| {
        let head = format!(
            "POST /surgeline.v1.SupervisorService/ListQueues HTTP/1.1\r\nhost: {}\r\n\
             origin: {from}\r\ncontent-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            router.address,
            frame.len()
        );
        async move {
            let mut socket =
                tokio::net::TcpStream::connect(router.address).await.expect("connects");
            socket.write_all(head.as_bytes()).await.expect("written");
            socket.write_all(&frame).await.expect("written");
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer).await.expect("read");
            String::from_utf8_lossy(&answer).into_owned()
        }
    };
    let here = cors("http://localhost:9464").await;
    assert!(here.starts_with("HTTP/1.1 200"), "{here}");
    assert!(here.contains("access-control-allow-origin: http://localhost:9464"), "{here}");
    assert!(here.contains("support-voice") && here.contains("grpc-status:0"), "{here}");
    let elsewhere = cors("https://evil.example").await;
    assert!(!elsewhere.contains("access-control-allow-origin"), "{elsewhere}");
    router.stop().await;
}
