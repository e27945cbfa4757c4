//! Another configuration over gRPC, and the record of what happened under it.

use tonic::Code;

use super::*;
use crate::archive::query;
use crate::pb::v1::admin_service_client::AdminServiceClient;

const BUILT_IN: &str = include_str!("../../config/default.toml");

fn admin(router: &Router) -> AdminServiceClient<Channel> {
    AdminServiceClient::new(router.channel.clone())
}

fn renamed() -> String {
    BUILT_IN
        .replacen("name = \"support-chat\"", "name = \"chats\"", 1)
        .replace("queue = \"support-chat\"", "queue = \"chats\"")
}

fn apply(config: String, id: &str) -> v1::ApplyConfigRequest {
    let (actor, why) = ("amara".into(), "a new name".into());
    v1::ApplyConfigRequest { request_id: id.into(), actor, why, config }
}

#[tokio::test]
async fn a_configuration_is_previewed_and_applied_and_the_audit_says_what_it_changed() {
    let router = Router::start().await;
    let mut admin = admin(&router);
    let asked = v1::PreviewConfigRequest { config: renamed() };
    let told = admin.preview_config(asked).await.expect("it is sound").into_inner();
    let preview = told.preview.expect("it says something");
    let of = |preview: &v1::ConfigPreview| {
        let one = |c: &v1::ConfigChange| (c.section.clone(), c.name.clone(), c.kind());
        preview.changes.iter().map(one).collect::<Vec<_>>()
    };
    let changes = of(&preview);
    let is = |name: &str, kind| changes.contains(&("queues".into(), name.into(), kind));
    assert!(is("support-chat", v1::ConfigChangeKind::Retired), "{changes:?}");
    assert!(is("chats", v1::ConfigChangeKind::Added), "{changes:?}");
    assert!(router.handle.directory().queue("chats").is_none(), "nothing is changed yet");

    let applied = admin.apply_config(apply(renamed(), "one")).await.expect("it is applied");
    assert_eq!(of(&applied.into_inner().preview.expect("it says the same")), changes);
    let directory = router.handle.directory();
    assert!(directory.queue("chats").is_some() && directory.queue("support-chat").is_none());
    let before = router.handle.health().durable();
    admin.apply_config(apply(renamed(), "one")).await.expect("a repeat");
    assert_eq!(router.handle.health().durable(), before, "is not done twice");

    let asks = router.archive.asks();
    let caught_up = tokio::task::spawn_blocking(move || asks.catch_up(PATIENCE)).await;
    caught_up.expect("no panic").expect("the archive has everything");
    let audit = "SELECT actor, role, why, json_extract(detail, '$.queues.added[0]'),
            json_extract(detail, '$.queues.retired[0]') FROM audit WHERE what = 'configured'";
    let row = query(router.data.path(), audit).expect("SQL").rows.concat();
    let expected = ["amara", "admin", "a new name", "chats", "support-chat"];
    assert_eq!(row, expected.map(serde_json::Value::from));
    router.stop().await;
}

#[tokio::test]
async fn what_is_no_configuration_or_names_nobody_is_refused() {
    let router = Router::start().await;
    let mut admin = admin(&router);
    let broken = v1::PreviewConfigRequest { config: "skills = [1]\nqeues = []\n".into() };
    let refused = admin.preview_config(broken).await.expect_err("it is broken");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("2 errors"), "{refused}");
    assert!(refused.message().contains("line 1, column 11: skills[0]"), "{refused}");
    let nobody = v1::ApplyConfigRequest { why: String::new(), ..apply(renamed(), "two") };
    let refused = admin.apply_config(nobody).await.expect_err("no reason");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(router.handle.directory().queue("chats").is_none());
    router.stop().await;
}

#[tokio::test]
async fn the_record_is_told_in_the_sites_time_zone_with_what_goes_on() {
    let router = Router::start().await;
    let mut supervisor = router.supervisor();
    let wrong = v1::ReportIntervalsRequest { every_minutes: 7, ..Default::default() };
    let refused = supervisor.report_intervals(wrong).await.err().map(|status| status.code());
    assert_eq!(refused, Some(Code::InvalidArgument));
    let asks = router.archive.asks();
    let caught_up = tokio::task::spawn_blocking(move || asks.catch_up(PATIENCE)).await;
    caught_up.expect("no panic").expect("the archive has everything");
    let asked = v1::ReportIntervalsRequest { all: true, every_minutes: 30, ..Default::default() };
    let mut parts = supervisor.report_intervals(asked).await.expect("it answers").into_inner();
    let part = parts.message().await.expect("a part").expect("one at least");
    assert_eq!(part.time_zone, "UTC");
    let queues = router.handle.directory().routing.queues.len();
    assert!(part.rows.len() >= queues && part.rows.len().is_multiple_of(queues), "{part:?}");
    assert!(part.rows.iter().all(|row| row.values.len() == part.columns.len()));
    assert!(part.rows.iter().all(|row| row.start_unix_ms % 1_800_000 == 0));
    router.stop().await;
}
