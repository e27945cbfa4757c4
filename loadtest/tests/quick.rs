//! Two seconds of load on a real router, from the scenario to the report.

use surgeline_loadtest::conduct::{Options, conduct};
use surgeline_loadtest::report::{page, text};
use surgeline_loadtest::scenario::Scenario;

#[tokio::test(flavor = "multi_thread")]
async fn a_short_run_loses_nobody_and_is_reported() {
    let scenario = Scenario::parse(include_str!("quick.toml")).unwrap();
    let report = conduct(scenario, &Options::default()).await.unwrap();
    assert_eq!(report.failures, Vec::<String>::new());
    let contacts = &report.contacts;
    assert!(contacts.sent > 400, "{contacts:?}");
    assert_eq!(contacts.sent, contacts.accepted + contacts.refused);
    assert_eq!(contacts.open, 0, "{contacts:?}");
    assert_eq!(contacts.double_reservations, Some(0));
    assert!(report.latency.reservation_us.samples > 200, "{:?}", report.latency);
    assert!(report.latency.answer_us.samples > 300, "{:?}", report.latency);
    assert!(report.peak.as_ref().is_some_and(|p| p.lives_per_s > 20.0), "{:?}", report.peak);
    let back = &report.reconnects[0];
    assert!(back.everyone_back_ms.is_some() && back.first_offer_ms.is_some(), "{back:?}");
    let recall = report.recall.as_ref().unwrap();
    assert_eq!(recall.orders.len(), 2, "{recall:?}");
    assert_eq!(recall.orders[1].still_to_move, Some(0));
    assert!(recall.entered > 0 && recall.returned > 0, "{recall:?}");
    assert!(recall.solved > 0 && recall.safety_wait_us.samples > 0, "{recall:?}");
    let ends = recall.solved + recall.informed + recall.followed_up + recall.left;
    // Who was answered and came back may still say that it is solved.
    let twice = (ends + recall.returned).checked_sub(recall.entered);
    assert!(twice.is_some_and(|n| n <= recall.solved), "{recall:?}");

    let reload = report.reload.as_ref().unwrap();
    assert!(reload.applied >= 5 && reload.least_changes >= 3, "{reload:?}");
    assert!(reload.meanwhile_us.samples > 50, "{reload:?}");

    let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json["contacts"]["lost"], 0);
    assert_eq!(json["recall"]["bounced_twice"], 0);
    assert!(json["seconds"].as_array().is_some_and(|s| s.len() >= 2));
    assert!(text::text(&report).contains("double reservations 0"));
    let html = page::html(&report).unwrap();
    assert_eq!(html.matches("<svg").count(), 4);
    // A namespace's name is no request; anything else would be.
    assert!(!html.replace("http://www.w3.org/2000/svg", "").contains("http"));
}
