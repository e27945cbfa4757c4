//! What is told before the router stops, and what a receipt proves afterwards.

use tonic::Code;

use super::*;
use crate::pb::v1::agent_service_connect_response::Message as Word;
use crate::shard::health::{Fatal, Space};

#[tokio::test(flavor = "multi_thread")]
async fn a_router_about_to_stop_tells_everyone_and_lets_nobody_new_in() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let here = gateway.arrives(arrival("here", v1::Channel::Chat, "support-chat")).await;
    let mut desktop = router.ready(&["elif"]).await;
    router.handle.health().set_draining();
    while !matches!(gateway.word().await, GatewayWord::Draining(d) if d.back_after_ms > 0) {}
    while !matches!(desktop.word().await, (_, Word::Draining(_))) {}

    gateway.report(Report::Arrived(arrival("new", v1::Channel::Chat, "support-chat"))).await;
    let refused = gateway.refused().await;
    assert_eq!((refused.code(), &*refused.reason), (v1::RefusalCode::Stopping, "DRAINING"));
    assert!(refused.retry_after_ms >= 1_000);
    // Who is here can still leave.
    let left = gateway_report::CustomerLeft { contact_id: here };
    gateway.report(Report::CustomerLeft(left)).await;
    gateway.answer().await;
    assert!(router.handle.health().ready().is_err(), "nobody new is to be sent here");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_little_space_who_is_here_is_served_and_nobody_new_is_let_in() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let here = gateway.arrives(arrival("here", v1::Channel::Chat, "support-chat")).await;
    router.handle.health().set_space(Space::Low);
    gateway.report(Report::Arrived(arrival("new", v1::Channel::Chat, "support-chat"))).await;
    let refused = gateway.refused().await;
    assert_eq!((refused.code(), &*refused.reason), (v1::RefusalCode::Exhausted, "DISK_SPACE"));
    assert!(refused.retry_after_ms >= 1_000);
    let left = gateway_report::CustomerLeft { contact_id: here };
    gateway.report(Report::CustomerLeft(left)).await;
    gateway.answer().await;
    router.handle.health().set_space(Space::Enough);
    gateway.arrives(arrival("new", v1::Channel::Chat, "support-chat")).await;
    router.stop().await;
}

async fn shows(router: &Router, newest_receipt: Vec<u8>) -> Gateway {
    let mut gateway = router.gateway_stream().await;
    let hello = v1::Hello { gateway: "g".into(), newest_receipt, ..Default::default() };
    gateway.send("hello", Some(FromGateway::Hello(hello))).await;
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_from_beyond_the_journal_stops_the_router_and_a_forged_one_does_not() {
    let router = Router::start().await;
    let mut gateway = router.gateway_stream().await;
    gateway.hello("g").await;
    let receipt = gateway.answer().await.receipt;
    let seen = router.handle.receipts.read(&receipt).expect("signed here");
    assert!(seen.sequence > 0 && seen.sequence <= router.handle.health().durable());
    drop(gateway);

    let mut again = shows(&router, receipt).await;
    again.answer().await;
    let mut forger = shows(&router, vec![1; 48]).await;
    forger.answer().await;
    assert!(router.handle.health().ready().is_ok(), "neither proves anything");

    // Entries that this process wrote do not make up for what an earlier one promised.
    assert!(seen.epoch > 0 && router.handle.health().recovered_to() == 0);
    let earlier = Tip { epoch: seen.epoch - 1, sequence: 1, hash: [0; 32] };
    let earlier = router.handle.receipts.sign(earlier).to_vec();
    assert!(router.handle.health().durable() > 1);
    let shown = router.handle.shown(&earlier).await;
    assert!(matches!(shown, Err(Fatal::OlderCopy { .. })));

    let beyond = Tip { epoch: seen.epoch, sequence: seen.sequence + 1_000, hash: [0; 32] };
    let newer = router.handle.receipts.sign(beyond).to_vec();
    let mut robbed = shows(&router, newer).await;
    assert_eq!(robbed.end().await.expect_err("ended").code(), Code::Unavailable);
    let fatal = router.handle.health().failed().await;
    assert!(matches!(fatal, Fatal::OlderCopy { .. }));
    assert!(fatal.to_string().contains("--accept-older-copy"), "{fatal}");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_for_another_batch_of_the_same_number_stops_the_router() {
    let router = Router::start().await;
    let mut gateway = router.gateway_stream().await;
    gateway.hello("g").await;
    let receipt = gateway.answer().await.receipt;
    let seen = router.handle.receipts.read(&receipt).expect("signed here");
    drop(gateway);
    // As an older copy that went on has it: the same epoch and number, another batch.
    let other = Tip { epoch: seen.epoch, sequence: seen.sequence, hash: [7; 32] };
    let mut robbed = shows(&router, router.handle.receipts.sign(other).to_vec()).await;
    assert_eq!(robbed.end().await.expect_err("ended").code(), Code::Unavailable);
    let fatal = router.handle.health().failed().await;
    assert!(matches!(fatal, Fatal::OtherHistory { .. }), "{fatal}");
    assert!(fatal.to_string().contains("--accept-older-copy"), "{fatal}");
    router.stop().await;
}
