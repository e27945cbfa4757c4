//! What agents are told of what they owe, and orders that are asked for again.

use super::*;
use crate::pb::v1::bulk_action::Action;
use crate::pb::v1::owed_service_client::OwedServiceClient;

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_told_of_work_to_make_good_and_can_list_what_they_owe() {
    let router = Router::start().await;
    let mut gateway = router.gateway("pbx-1").await;
    let mut desktop = router.ready(&["elif"]).await;
    let contact = gateway.arrives(arrival("chat-1", v1::Channel::Chat, "support-chat")).await;
    let offer = desktop.offer("elif").await;
    assert_eq!((offer.contact_id, offer.promises.len()), (contact, 0));
    desktop.act("elif", accept(&offer)).await;
    desktop.assigned("elif").await;
    let due_unix_ms = super::super::unix_ms() + 3_600_000;
    let pledge = v1::Pledge {
        contact_id: contact,
        kind: v1::PromiseKind::FollowUp.into(),
        due_unix_ms,
        ..Default::default()
    };
    desktop.act("elif", Act::Promise(pledge)).await;
    let remedy = v1::Remedy { contact_id: contact, due_unix_ms, ..Default::default() };
    desktop.act("elif", Act::OpenRecovery(remedy)).await;
    let told = |d| match d {
        ToAgent::Recovery(row) => Some(row),
        _ => None,
    };
    let row = desktop.until("elif", told).await;
    assert_eq!((row.contact_id, &*row.owner, row.due_soon), (contact, "elif", false));
    assert!(row.due_unix_ms.abs_diff(due_unix_ms) < 5_000, "{row:?}");

    let of = |agent: &str| v1::ListOwedRequest { agent: agent.into() };
    let owed = router.agents().list_owed(of("elif")).await.expect("a list").into_inner();
    assert_eq!(owed.recoveries.len(), 1);
    assert_eq!(owed.promises.len(), 1);
    assert_eq!((owed.promises[0].contact_id, owed.more), (contact, false));
    let none = router.agents().list_owed(of("ines")).await.expect("a list").into_inner();
    assert_eq!((none.recoveries.len(), none.promises.len()), (0, 0));
    assert!(router.agents().list_owed(of("nobody")).await.is_err());

    let change = v1::ChangeRecoveryRequest {
        request_id: "r-1".into(),
        actor: "lead".into(),
        why: "she knows them".into(),
        recovery_id: row.recovery_id,
        change: Some(v1::change_recovery_request::Change::Owner("ines".into())),
    };
    let mut owing = OwedServiceClient::new(router.channel.clone());
    owing.change_recovery(change).await.expect("given to her");
    let over = |d| match d {
        ToAgent::RecoveryOver(over) => Some(over),
        _ => None,
    };
    let over = desktop.until("elif", over).await;
    assert_eq!((over.recovery_id, over.done), (row.recovery_id, false));
    drop(owing);
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_asked_for_again_after_its_preview_is_gone_gets_its_first_answer() {
    let router = Router::start().await;
    let mut gateway = router.gateway("pbx-1").await;
    gateway.arrives(arrival("chat-1", v1::Channel::Chat, "support-chat")).await;
    let mut supervisor = router.supervisor();
    let preview = |older_than_ms| v1::PreviewOrderRequest {
        filter: Some(v1::ContactFilter { older_than_ms, ..Default::default() }),
    };
    let shown = supervisor.preview_order(preview(0)).await.expect("shown").into_inner();
    assert_eq!(shown.count, 1);
    let apply = |request_id: &str, token: &str| v1::ApplyOrderRequest {
        request_id: request_id.into(),
        actor: "lead".into(),
        why: "nobody is coming".into(),
        token: token.into(),
        action: Some(v1::BulkAction { action: Some(Action::Requeue(true)) }),
    };
    let first = supervisor.apply_order(apply("o-1", &shown.token)).await.expect("taken");
    let first = first.into_inner().order_id;
    // More previews than are kept.
    for n in 1..=40 {
        supervisor.preview_order(preview(n)).await.expect("shown");
    }
    let again = supervisor.apply_order(apply("o-1", &shown.token)).await.expect("the same");
    assert_eq!(again.into_inner().order_id, first);
    let other = supervisor.apply_order(apply("o-2", &shown.token)).await.unwrap_err();
    assert!(other.message().contains("token"), "{other}");
    let conflict = supervisor.apply_order(apply("o-1", "another")).await.unwrap_err();
    assert!(!conflict.message().contains("token"), "{conflict}");
    drop(supervisor);
    router.stop().await;
}
