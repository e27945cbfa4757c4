//! Bad input: each a refusal that names its field, and the stream goes on.

use tonic::Code;

use super::*;
use crate::pb::v1::RefusalCode;

fn chat() -> v1::Arrival {
    arrival("chat-9", v1::Channel::Chat, "support-chat")
}

fn needs() -> Vec<(v1::Arrival, RefusalCode, &'static str)> {
    let need = |skill: &str, at_least| v1::Need { skill: skill.into(), at_least };
    vec![
        (
            v1::Arrival { needs: vec![need("nothing", 1)], ..chat() },
            RefusalCode::NotFound,
            "needs.skill",
        ),
        (
            v1::Arrival { needs: vec![need("english", 6)], ..chat() },
            RefusalCode::Invalid,
            "needs.at_least",
        ),
        (
            v1::Arrival { preferred: vec![need("nothing", 1)], ..chat() },
            RefusalCode::NotFound,
            "preferred.skill",
        ),
        (
            v1::Arrival { needs: vec![need("english", 1), need("english", 2)], ..chat() },
            RefusalCode::Invalid,
            "needs.skill",
        ),
        (
            v1::Arrival { needs: vec![need("english", 1); 9], ..chat() },
            RefusalCode::Invalid,
            "needs",
        ),
    ]
}

fn arrivals() -> Vec<(v1::Arrival, RefusalCode, &'static str)> {
    let fact = |name: &str| v1::Attribute { name: name.into(), value: String::new() };
    vec![
        (v1::Arrival { key: String::new(), ..chat() }, RefusalCode::Invalid, "key"),
        (v1::Arrival { key: "x".repeat(65), ..chat() }, RefusalCode::Invalid, "key"),
        (v1::Arrival { key: "tab\there".into(), ..chat() }, RefusalCode::Invalid, "key"),
        (v1::Arrival { channel: 0, ..chat() }, RefusalCode::Invalid, "channel"),
        (v1::Arrival { channel: 99, ..chat() }, RefusalCode::Invalid, "channel"),
        (v1::Arrival { queue: String::new(), ..chat() }, RefusalCode::Invalid, "queue"),
        (v1::Arrival { queue: "nowhere".into(), ..chat() }, RefusalCode::NotFound, "queue"),
        (
            v1::Arrival { entry_point: "nowhere".into(), ..chat() },
            RefusalCode::NotFound,
            "entry_point",
        ),
        (
            v1::Arrival { head_start_ms: 86_400_001, ..chat() },
            RefusalCode::Invalid,
            "head_start_ms",
        ),
        (v1::Arrival { waited_ms: 86_400_001, ..chat() }, RefusalCode::Invalid, "waited_ms"),
        (
            v1::Arrival { customer: Some(v1::Customer::default()), ..chat() },
            RefusalCode::Invalid,
            "customer.identity",
        ),
        (
            v1::Arrival { attributes: vec![fact("a"); 17], ..chat() },
            RefusalCode::Invalid,
            "attributes",
        ),
        (
            v1::Arrival { attributes: vec![fact("a"), fact("a")], ..chat() },
            RefusalCode::Invalid,
            "attributes.name",
        ),
        (
            v1::Arrival {
                person: Some(v1::Person { name: "x".repeat(257), ..Default::default() }),
                ..chat()
            },
            RefusalCode::Invalid,
            "person.name",
        ),
        // The engine's own: the queue takes no letters.
        (
            v1::Arrival { channel: v1::Channel::Email.into(), ..chat() },
            RefusalCode::Invalid,
            "channel",
        ),
    ]
}

fn reports() -> Vec<(Report, RefusalCode, &'static str)> {
    let leg = |reservation_id, party, outcome, code| {
        Report::Leg(gateway_report::LegResult { reservation_id, party, outcome, code })
    };
    vec![
        (
            Report::Holding(gateway_report::Holding { keys: vec!["k".into(); 1_001], last: true }),
            RefusalCode::Invalid,
            "keys",
        ),
        (leg(0, 1, 1, 0), RefusalCode::Invalid, "reservation_id"),
        (leg(1, 0, 1, 0), RefusalCode::Invalid, "party"),
        (leg(1, 1, 0, 0), RefusalCode::Invalid, "outcome"),
        (leg(1, 1, 1, 65_536), RefusalCode::Invalid, "code"),
        (leg(404, 1, 1, 0), RefusalCode::WrongState, "reservation_id"),
        (
            Report::CustomerLeft(gateway_report::CustomerLeft { contact_id: 404 }),
            RefusalCode::NotFound,
            "contact_id",
        ),
        (
            Report::EffectDone(gateway_report::EffectDone { effect_id: 404 }),
            RefusalCode::NotFound,
            "effect_id",
        ),
        (
            Report::Recording(gateway_report::Recording {
                contact_id: 1,
                reference: String::new(),
                consent: 1,
            }),
            RefusalCode::Invalid,
            "reference",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_is_told_what_is_wrong_and_goes_on() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let arrivals = arrivals()
        .into_iter()
        .chain(needs())
        .map(|(a, code, field)| (Report::Arrived(a), code, field));
    for (report, code, field) in arrivals.chain(reports()) {
        let said = format!("{report:?}");
        let id = gateway.report(report).await;
        let refused = gateway.refused().await;
        assert_eq!((refused.code(), &*refused.field), (code, field), "{said}: {refused:?}");
        assert_eq!(refused.request_id, id);
        assert!(!refused.reason.is_empty() && !refused.message.is_empty());
    }
    let mut bad = Vec::new();
    gateway.send("", None).await;
    bad.push(gateway.refused().await.field);
    gateway.send(&"x".repeat(65), None).await;
    bad.push(gateway.refused().await.field);
    gateway.send("empty", None).await;
    bad.push(gateway.refused().await.field);
    gateway.send("nothing", Some(FromGateway::Report(v1::GatewayReport::default()))).await;
    bad.push(gateway.refused().await.field);
    gateway.hello("again").await;
    bad.push(gateway.refused().await.field);
    assert_eq!(bad, ["request_id", "request_id", "report", "report", "hello"]);

    // Nothing was changed by any of it, and the stream still works.
    assert_eq!(gateway.arrives(chat()).await, 1);
    gateway.report(Report::Arrived(v1::Arrival { safety: true, ..chat() })).await;
    let refused = gateway.refused().await;
    assert_eq!((&*refused.reason, &*refused.field), ("KEY_CONFLICT", "key"));
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_the_first_answer_and_another_content_a_refusal() {
    let router = Router::start().await;
    let mut gateway = router.gateway("g").await;
    let say = |arrival| {
        Some(FromGateway::Report(v1::GatewayReport { report: Some(Report::Arrived(arrival)) }))
    };
    for _ in 0..2 {
        gateway.send("r", say(chat())).await;
        let answer = gateway.answer().await;
        assert_eq!(answer.result, Some(v1::answer::Result::ContactId(1)));
    }
    gateway.send("r", say(v1::Arrival { key: "other".into(), ..chat() })).await;
    let refused = gateway.refused().await;
    assert_eq!((refused.code(), &*refused.field), (RefusalCode::Conflict, "request_id"));
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_does_not_begin_with_a_hello_is_ended() {
    let router = Router::start().await;
    let report = FromGateway::Report(v1::GatewayReport {
        report: Some(Report::CustomerLeft(gateway_report::CustomerLeft { contact_id: 1 })),
    });
    let hello = |gateway: &str| {
        FromGateway::Hello(v1::Hello {
            gateway: gateway.into(),
            limits: None,
            can_say: true,
            ..Default::default()
        })
    };
    for first in [Some(report), None, Some(hello("")), Some(hello("Not A Name"))] {
        let mut gateway = router.gateway_stream().await;
        gateway.send("1", first).await;
        assert_eq!(gateway.end().await.expect_err("ended").code(), Code::InvalidArgument);
    }
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_told_what_is_wrong_and_goes_on() {
    let router = Router::start().await;
    let mut desktop = router.ready(&["elif"]).await;
    let to = |to| Some(v1::Target { to: Some(to) });
    let transfer = |to| Act::Transfer(agent_act::Transfer { contact_id: 404, to });
    let pend = |waits_for, lasting_ms| {
        Act::Pend(agent_act::Pend { contact_id: 404, waits_for, lasting_ms })
    };
    let ready = v1::AvailabilityKind::Ready;
    let table = [
        (become_(v1::AvailabilityKind::Unspecified, ""), RefusalCode::Invalid, "availability.kind"),
        (become_(v1::AvailabilityKind::NotReady, ""), RefusalCode::Invalid, "availability.reason"),
        (
            become_(v1::AvailabilityKind::NotReady, "bored"),
            RefusalCode::NotFound,
            "availability.reason",
        ),
        (become_(ready, "lunch"), RefusalCode::Invalid, "availability.reason"),
        (Act::Become(agent_act::Become::default()), RefusalCode::Invalid, "availability"),
        (
            Act::Accept(agent_act::Accept { reservation_id: 0 }),
            RefusalCode::Invalid,
            "reservation_id",
        ),
        (
            Act::Accept(agent_act::Accept { reservation_id: 7 }),
            RefusalCode::WrongState,
            "reservation_id",
        ),
        (complete(404, "boredom"), RefusalCode::NotFound, "disposition"),
        (complete(404, ""), RefusalCode::NotFound, "contact_id"),
        (transfer(None), RefusalCode::Invalid, "to"),
        (transfer(to(v1::target::To::Queue("no".into()))), RefusalCode::NotFound, "to.queue"),
        (transfer(to(v1::target::To::Agent("no".into()))), RefusalCode::NotFound, "to.agent"),
        (pend(0, 1_000), RefusalCode::Invalid, "waits_for"),
        (pend(1, 999), RefusalCode::Invalid, "lasting_ms"),
        (pend(1, 2_592_000_001), RefusalCode::Invalid, "lasting_ms"),
    ];
    for (act, code, field) in table {
        let said = format!("{act:?}");
        let id = desktop.act("elif", act).await;
        let (agent, refused) = desktop.refused().await;
        assert_eq!((refused.code(), &*refused.field), (code, field), "{said}: {refused:?}");
        assert_eq!((agent, refused.request_id), ("elif".to_owned(), id));
    }
    for (agent, code) in [("nobody", RefusalCode::NotFound), ("greta", RefusalCode::WrongState)] {
        desktop.act(agent, become_(ready, "")).await;
        let (to, refused) = desktop.refused().await;
        assert_eq!((&*to, refused.code(), &*refused.field), (agent, code, "agent"));
    }
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_harms_nobody_else() {
    let router = Router::start().await;
    let mut honest = router.gateway("honest").await;
    let mut huge = router.gateway("huge").await;
    let words = "x".repeat(300 * 1024);
    let person = Some(v1::Person { words, ..Default::default() });
    huge.report(Report::Arrived(v1::Arrival { person, ..chat() })).await;
    assert_eq!(huge.end().await.expect_err("ended").code(), Code::OutOfRange);
    assert_eq!(honest.arrives(chat()).await, 1);
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unary_calls_carry_the_field_in_their_details() {
    use tonic_types::StatusExt;
    let router = Router::start().await;
    let asked = v1::MoveContactRequest {
        request_id: "1".into(),
        actor: "sam".into(),
        why: "busy".into(),
        contact_id: 404,
        queue: "support-chat".into(),
    };
    let base = || asked.clone();
    let table = [
        (
            v1::MoveContactRequest { request_id: String::new(), ..base() },
            Code::InvalidArgument,
            "request_id",
        ),
        (v1::MoveContactRequest { actor: String::new(), ..base() }, Code::InvalidArgument, "actor"),
        (v1::MoveContactRequest { why: String::new(), ..base() }, Code::InvalidArgument, "why"),
        (v1::MoveContactRequest { why: "x".repeat(513), ..base() }, Code::InvalidArgument, "why"),
        (v1::MoveContactRequest { contact_id: 0, ..base() }, Code::InvalidArgument, "contact_id"),
        (v1::MoveContactRequest { queue: "no".into(), ..base() }, Code::NotFound, "queue"),
        (base(), Code::NotFound, "contact_id"),
    ];
    for (asked, code, field) in table {
        let status = router.supervisor().move_contact(asked).await.expect_err("refused");
        assert_eq!(status.code(), code, "{status:?}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().expect("a field").field_violations[0].field, field);
        assert_eq!(details.error_info().expect("a reason").domain, "surgeline");
    }
    let holding = Report::Holding(gateway_report::Holding { keys: vec![], last: true });
    let request = v1::ReportRequest {
        request_id: "1".into(),
        gateway: "g".into(),
        report: Some(v1::GatewayReport { report: Some(holding) }),
    };
    let status = router.gateways().report(request).await.expect_err("needs a stream");
    assert_eq!(status.code(), Code::FailedPrecondition);
    router.stop().await;
}
