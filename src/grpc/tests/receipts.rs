//! What calls without a stream prove, and what they may show.

use std::fmt::Debug;

use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Response};

use super::*;
use crate::grpc::receipts::RECEIPT;
use crate::pb::v1::admin_service_client::AdminServiceClient;
use crate::pb::v1::recall_service_client::RecallServiceClient;
use crate::shard::health::Fatal;

/// What an answer proves is on disk; none if it proves nothing.
fn proven<T: Debug>(router: &Router, answer: &Response<T>) -> Option<u64> {
    let value = answer.metadata().get_bin(RECEIPT)?;
    let receipt = value.to_bytes().expect("bytes");
    Some(router.handle.receipts.read(&receipt).expect("signed here").sequence)
}

fn showing<T>(message: T, receipt: &[u8]) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert_bin(RECEIPT, MetadataValue::from_bytes(receipt));
    request
}

fn arrive(key: &str) -> v1::ArriveRequest {
    v1::ArriveRequest {
        request_id: key.into(),
        gateway: "letters".into(),
        arrival: Some(arrival(key, v1::Channel::Chat, "support-chat")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_that_commands_proves_what_it_did_and_those_that_read_prove_nothing() {
    let router = Router::start().await;
    let mut before = 0;
    // Each of them wrote something, so that the proof of the one before is not enough.
    let mut newer = |sequence: Option<u64>, what: &str| {
        let sequence = sequence.unwrap_or_else(|| panic!("{what} proves nothing"));
        assert!(sequence > before, "{what}: {sequence} is not after {before}");
        before = sequence;
    };
    let watched = v1::WatchRequest { agent: "ines".into(), ..Default::default() };
    let mut watch = router.agents().watch(watched).await.expect("a watch").into_inner();
    let session = watch.message().await.expect("goes on").expect("a session");
    let seen = router.handle.receipts.read(&session.receipt).expect("signed here");
    newer(Some(seen.sequence), "the session");

    let arrived = router.gateways().arrive(arrive("1")).await.expect("accepted");
    newer(proven(&router, &arrived), "an arrival");
    let contact_id = arrived.into_inner().contact_id;

    let ready = v1::ActRequest {
        request_id: "ready".into(),
        agent: "ines".into(),
        act: Some(v1::AgentAct { act: Some(become_(v1::AvailabilityKind::Ready, "")) }),
    };
    let acted = router.agents().act(ready).await.expect("ready");
    newer(proven(&router, &acted), "an act");
    let within = acted.into_inner().answer.expect("an answer").receipt;
    assert!(router.handle.receipts.read(&within).is_some(), "the answer has it as well");

    let order = v1::CloseContactRequest {
        request_id: "close".into(),
        actor: "sam".into(),
        why: "a test".into(),
        contact_id,
    };
    let closed = router.supervisor().close_contact(order).await.expect("closed");
    newer(proven(&router, &closed), "an order");

    let contact_id = router.gateways().arrive(arrive("2")).await.expect("accepted").into_inner();
    let left = gateway_report::CustomerLeft { contact_id: contact_id.contact_id };
    let report = v1::ReportRequest {
        request_id: "left".into(),
        gateway: "letters".into(),
        report: Some(v1::GatewayReport { report: Some(Report::CustomerLeft(left)) }),
    };
    let reported = router.gateways().report(report).await.expect("left");
    newer(proven(&router, &reported), "a report");

    let read = router.supervisor().list_queues(v1::ListQueuesRequest::default()).await;
    assert_eq!(proven(&router, &read.expect("a list")), None, "a reading");
    let standing = RecallServiceClient::new(router.channel.clone())
        .get_recall_status(v1::GetRecallStatusRequest::default())
        .await;
    assert_eq!(proven(&router, &standing.expect("a list")), None, "a reading");
    // It is in the key store and not in the journal.
    let forget = v1::ForgetCustomerRequest {
        actor: "sam".into(),
        why: "a test".into(),
        customer: Some(v1::Customer { identity: "account-1".into() }),
        ..Default::default()
    };
    let forgotten = AdminServiceClient::new(router.channel.clone()).forget_customer(forget).await;
    assert_eq!(proven(&router, &forgotten.expect("nobody")), None, "forgetting");
    drop(watch);
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_shows_more_than_the_journal_holds_stops_the_router() {
    let router = Router::start().await;
    let arrived = router.gateways().arrive(arrive("1")).await.expect("accepted");
    let newest = arrived.metadata().get_bin(RECEIPT).expect("proof").to_bytes().expect("bytes");
    for shown in [&*newest, b"", b"forged"] {
        let again = router.gateways().arrive(showing(arrive("1"), shown)).await;
        assert!(again.is_ok(), "it proves nothing");
    }
    assert!(router.handle.health().ready().is_ok());

    let seen = router.handle.receipts.read(&newest).expect("signed here");
    let beyond = Tip { epoch: seen.epoch, sequence: seen.sequence + 1_000, hash: [0; 32] };
    let beyond = router.handle.receipts.sign(beyond);
    let refused = router.gateways().arrive(showing(arrive("2"), &beyond)).await;
    assert_eq!(refused.expect_err("refused").code(), Code::Unavailable);
    assert!(matches!(router.handle.health().failed().await, Fatal::OlderCopy { .. }));
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_watches_may_show_one_too() {
    let router = Router::start().await;
    let beyond = router.handle.receipts.sign(Tip { epoch: 1, sequence: 1_000, hash: [0; 32] });
    let watched = v1::WatchRequest { agent: "ines".into(), newest_receipt: beyond.to_vec() };
    let refused = router.agents().watch(watched).await;
    assert_eq!(refused.expect_err("refused").code(), Code::Unavailable);
    assert!(matches!(router.handle.health().failed().await, Fatal::OlderCopy { .. }));
    router.stop().await;
}
