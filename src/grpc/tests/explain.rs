//! `ExplainContact` as a supervisor meets it: a contact's whole story with its reasons.

use super::*;

impl Router {
    async fn why(&self, contact_id: u64) -> v1::ExplainContactResponse {
        let asked = v1::ExplainContactRequest { contact_id };
        self.supervisor().explain_contact(asked).await.expect("known").into_inner()
    }
}

/// What is said of events of one kind.
fn said(why: &v1::ExplainContactResponse, event: &str) -> Vec<String> {
    why.story.iter().filter(|r| r.event == event).map(|r| r.text.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_declined_and_taken_is_explained_from_its_coming_to_its_end() {
    let router = Router::start().await;
    let mut gateway = router.gateway("pbx").await;
    let call = v1::Arrival {
        entry_point: "support-line".into(),
        queue: String::new(),
        head_start_ms: 60_000,
        waited_ms: 5_000,
        ..arrival("call", v1::Channel::Voice, "")
    };
    let contact = gateway.arrives(call).await;
    let why = router.why(contact).await;
    assert_eq!(why.story.len(), 2, "{:?}", why.story);
    let waits = &said(&why, "queued")[0];
    for part in [
        "It waits in support-voice. Its class of service is live; it needs technical 2 or better.",
        "Its place is as if it had come 1 min 05 s earlier: its head start.",
        "Nobody who may take it had room at that moment.",
    ] {
        assert!(waits.contains(part), "{part} is not in {waits}");
    }
    let next = why.next.expect("it is open");
    assert!(next.text.starts_with("It is offered as soon as an agent who may take"), "{next:?}");
    assert_eq!(next.by_unix_ms, 0, "nobody knows when");

    let mut desktop = router.ready(&["elif"]).await;
    let offer = desktop.offer("elif").await;
    let why = router.why(contact).await;
    let offered = &said(&why, "reserved")[0];
    assert!(offered.contains(": elif became ready and it was next."), "{offered}");
    let next = why.next.expect("it is open");
    assert!(next.text.starts_with("elif has ") && next.text.contains(" more to answer"));
    let now = super::super::unix_ms();
    assert!((now..now + 60_000).contains(&next.by_unix_ms), "{next:?} at {now}");

    let no = agent_act::Decline { reservation_id: offer.reservation_id };
    desktop.act("elif", Act::Decline(no)).await;
    let declined = |d| matches!(d, ToAgent::OfferOver(_)).then_some(());
    desktop.until("elif", declined).await;
    let why = router.why(contact).await;
    let not_taken = &said(&why, "not_taken")[0];
    assert!(not_taken.starts_with("elif declined it after "), "{not_taken}");
    assert!(not_taken.contains("It kept its place. elif is passed over for it for "));
    let next = why.next.expect("it is open");
    assert!(next.text.contains("elif may have it again in "), "{next:?}");

    let order = v1::CloseContactRequest {
        request_id: "1".into(),
        actor: "sam".into(),
        why: "a test call".into(),
        contact_id: contact,
    };
    router.supervisor().close_contact(order).await.expect("done");
    let why = router.why(contact).await;
    let kinds: Vec<&str> = why.story.iter().map(|r| &*r.event).collect();
    let all = ["arrived", "queued", "reserved", "not_taken", "ordered", "closed"];
    assert_eq!(kinds, all);
    assert!(said(&why, "closed")[0].ends_with("after it came: by a supervisor."));
    assert_eq!(why.next, None, "nothing comes after the end");
    assert_eq!(why.decisions.len(), 1);
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_replica_forgot_is_explained_from_the_archive() {
    let router = Router::start().await;
    let mut gateway = router.gateway("web").await;
    let contact = gateway.arrives(arrival("chat", v1::Channel::Chat, "support-chat")).await;
    for _ in 0..600 {
        let input = gateway_report::Input { contact_id: contact, ..Default::default() };
        gateway.report(Report::Input(input)).await;
        gateway.answer().await;
    }
    let asks = router.archive.asks();
    let caught_up = tokio::task::spawn_blocking(move || asks.catch_up(PATIENCE)).await;
    caught_up.expect("no panic").expect("the archive has everything");
    let order = v1::ReprioritiseContactRequest {
        request_id: "1".into(),
        actor: "sam".into(),
        why: "a doctor".into(),
        contact_id: contact,
        head_start_ms: 600_000,
    };
    router.supervisor().reprioritise_contact(order).await.expect("done");
    let why = router.why(contact).await;
    assert!(said(&why, "ordered")[0].contains("a doctor"), "{:?}", why.story);
    assert!(said(&why, "reprioritised")[0].contains("a head start of 10 min 00 s"));
    router.stop().await;
}
