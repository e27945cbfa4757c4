//! What other routers are known for getting wrong, where time or a race on the wire matters.
//! The rules alone are tried in `engine::rules::pains`.

use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::engine::routing::Routing;

/// Voice alone on one queue, and so many agents who are all alike.
fn center(agents: u32) -> Routing {
    let mut routing = config::built_in().expect("a configuration").config.routing;
    let elif = routing.agents.iter().find(|a| &*a.name == "elif").expect("elif").clone();
    let named = |n| {
        let mut agent = elif.clone();
        agent.name = Arc::from(name(n));
        agent
    };
    routing.agents = (0..agents).map(named).collect();
    routing
}

fn name(n: u32) -> String {
    format!("agent-{n:03}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_waiting_and_a_hundred_agents_at_once_meet_in_exact_order_of_place() {
    const MANY: u32 = 100;
    let router = Router::start_with(center(MANY)).await;
    let mut gateway = router.gateway("pbx").await;
    for n in 0..MANY {
        // The later half is before the earlier.
        let head_start_ms = if n < MANY / 2 { 0 } else { 600_000 };
        let call = arrival(&format!("call-{n}"), v1::Channel::Voice, "support-voice");
        gateway.arrives(v1::Arrival { head_start_ms, ..call }).await;
    }
    let mut desktop = router.desktop().await;
    for n in 0..MANY {
        desktop.send(&name(n), FromAgent::SignIn(v1::SignIn::default())).await;
    }
    for _ in 0..MANY {
        while !matches!(desktop.word().await.1, AgentWord::Answer(_)) {}
    }
    let began = Instant::now();
    for n in 0..MANY {
        desktop.act(&name(n), become_(v1::AvailabilityKind::Ready, "")).await;
    }
    let mut offers: Vec<(String, v1::Offer)> = Vec::new();
    while offers.len() < MANY as usize {
        let (agent, word) = desktop.word().await;
        if let AgentWord::Directive(v1::AgentDirective { directive: Some(ToAgent::Offer(offer)) }) =
            word
        {
            offers.push((agent, offer));
        }
    }
    println!(
        "{MANY} waiting, {MANY} agents ready at once: all reserved, durable and told over gRPC \
         within {:.1} ms",
        began.elapsed().as_secs_f64() * 1e3
    );
    let mut agents: Vec<&str> = offers.iter().map(|(agent, _)| &**agent).collect();
    agents.sort_unstable();
    agents.dedup();
    assert_eq!(agents.len(), MANY as usize, "one each");
    offers.sort_unstable_by_key(|(_, offer)| offer.reservation_id);
    let got: Vec<u64> = offers.iter().map(|(_, offer)| offer.contact_id).collect();
    let half = u64::from(MANY / 2);
    let expected: Vec<u64> = (half + 1..=2 * half).chain(1..=half).collect();
    assert_eq!(got, expected, "in exact order of place");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_accept_on_the_wire_is_refused_and_the_call_stays_with_whom_it_rings() {
    let mut routing = center(2);
    // The shortest that the configuration allows.
    routing.queues.iter_mut().for_each(|q| q.reservation_timeout = crate::time::Span::seconds(1));
    let router = Router::start_with(routing).await;
    let mut gateway = router.gateway("pbx").await;
    let mut slow = router.ready(&["agent-000"]).await;
    let contact = gateway.arrives(arrival("call", v1::Channel::Voice, "support-voice")).await;
    let late = slow.offer("agent-000").await;
    let mut quick = router.ready(&["agent-001"]).await;
    // It rings out by itself: nobody sleeps for it here.
    let offer = quick.offer("agent-001").await;
    assert_eq!((late.contact_id, offer.contact_id), (contact, contact));
    assert!(offer.reservation_id > late.reservation_id);

    let request = slow.act("agent-000", accept(&late)).await;
    let (agent, refused) = slow.refused().await;
    assert_eq!((&*agent, &*refused.request_id), ("agent-000", &*request), "{refused:?}");
    quick.act("agent-001", accept(&offer)).await;
    let connects = |id, d| match d {
        ToGateway::ConnectLegs(legs) if id == contact => Some(legs.agent),
        _ => None,
    };
    assert_eq!(gateway.until(connects).await, "agent-001");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_accept_the_same_offer_at_once_one_has_it() {
    let router = Router::start_with(center(4)).await;
    let mut gateway = router.gateway("pbx").await;
    let mut desktops = Vec::new();
    for n in 0..4 {
        desktops.push(router.ready(&[&*name(n)]).await);
    }
    gateway.arrives(arrival("call", v1::Channel::Voice, "support-voice")).await;
    let offer = desktops[0].offer(&name(0)).await;
    // The owner twice, under two requests, and everybody else once.
    for (n, desktop) in (0..).zip(&mut desktops) {
        desktop.act(&name(n), accept(&offer)).await;
    }
    desktops[0].act(&name(0), accept(&offer)).await;
    for (n, desktop) in (0..).zip(&mut desktops) {
        let (agent, _) = desktop.refused().await;
        assert_eq!(agent, name(n), "all but one are told so");
    }
    let list = v1::ListAgentsRequest { page_size: 10, ..Default::default() };
    let list = router.supervisor().list_agents(list).await.expect("a list").into_inner();
    let work: usize = list.agents.iter().map(|a| a.work.len()).sum();
    assert_eq!(work, 1, "{list:?}");
    router.stop().await;
}
