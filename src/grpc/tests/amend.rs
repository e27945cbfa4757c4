//! A recall that is amended, as on-call staff and callers meet it.

use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_types::StatusExt;

use super::*;
use crate::engine::event::Amends;
use crate::ids::ContactId;

impl Router {
    async fn remembered(&self) -> (usize, Option<ContactId>, [u64; 3]) {
        let read = self.handle.read(|view| {
            let amends = &view.engine.recalls().next().expect("started").amends;
            let counts = [amends.corrected, amends.follow_ups, amends.unreachable];
            (amends.told().len(), amends.recheck, counts)
        });
        read.await.expect("the replica is there")
    }
}

fn amend(request_id: &str) -> v1::AmendRecallRequest {
    v1::AmendRecallRequest {
        request_id: request_id.into(),
        actor: "nadia".into(),
        why: "two more weeks".into(),
        ..v1::AmendRecallRequest::default()
    }
}

#[tokio::test]
async fn lots_are_added_and_what_is_wrong_is_named() {
    let router = Router::start().await;
    let mut on_call = router.on_call();
    let looks = crate::grpc::recheck(router.handle.clone(), CancellationToken::new());
    tokio::spawn(looks);
    let asked = v1::StartRecallRequest { accept_empty_safety_lane: true, ..recalls::start("s") };
    on_call.start_recall(asked).await.expect("it starts");
    let before = router.standing(0).await.remove(0).playbook_hash;
    for (lots, field) in
        [(vec!["a lot!"], "add_lots"), (vec!["99..10"], "add_lots"), (vec![], "add_lots")]
    {
        let add_lots = lots.into_iter().map(String::from).collect();
        let wrong = v1::AmendRecallRequest { add_lots, ..amend("w") };
        let told = on_call.amend_recall(wrong).await.expect_err("nothing to amend");
        let named = told.get_error_details();
        let fields = named.bad_request().map_or(&[][..], |b| &b.field_violations);
        assert!(fields.iter().any(|f| f.field == field), "{told:?}");
    }
    let add_lots = vec!["4471".to_owned(), "A-4480..A-4499".to_owned()];
    let dry = v1::AmendRecallRequest { add_lots, dry_run: true, ..amend("d") };
    on_call.amend_recall(dry.clone()).await.expect("it would be");
    assert_eq!(router.standing(0).await[0].playbook_hash, before, "a dry run changes nothing");
    let asked = v1::AmendRecallRequest { dry_run: false, ..dry };
    let done = on_call.amend_recall(asked.clone()).await.expect("amended").into_inner();
    let status = done.recall.expect("a status");
    assert_ne!(status.playbook_hash, before);
    let again = on_call.amend_recall(asked).await.expect("the same answer").into_inner();
    assert_eq!(again.recall.expect("a status").playbook_hash, status.playbook_hash);
    let known = router.handle.recalls().get(crate::ids::RecallId(1)).expect("known");
    let says = |lot: &str| known.prepared.lots.check(lot);
    assert!(
        matches!(says("4471"), crate::recall::LotVerdict::Affected { .. }),
        "{:?}",
        says("4471")
    );
    let mut seen = router.remembered().await;
    for _ in 0..100 {
        if seen.1.is_none() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        seen = router.remembered().await;
    }
    assert_eq!(seen, (0, None, [0; 3]), "everybody was looked up again: there was nobody");
    assert_eq!(Amends::FollowUp.name(), "follow_up");
}

#[tokio::test]
async fn two_who_amend_at_once_lose_no_lots() {
    let router = Router::start().await;
    let mut on_call = router.on_call();
    let asked = v1::StartRecallRequest { accept_empty_safety_lane: true, ..recalls::start("s") };
    on_call.start_recall(asked).await.expect("it starts");
    let before = router.standing(0).await.remove(0).playbook_hash;
    let wrong = v1::AmendRecallRequest {
        add_lots: vec!["4470".into()],
        from_hash: "12".into(),
        ..amend("w")
    };
    let told = on_call.amend_recall(wrong).await.expect_err("no version");
    recalls::refused(&told, Code::InvalidArgument, "OUT_OF_RANGE", "from_hash");
    let lots: Vec<String> = (4471..4479).map(|lot| lot.to_string()).collect();
    let at_once = lots.iter().map(|lot| {
        let (mut on_call, add_lots) = (router.on_call(), vec![lot.clone()]);
        let asked = v1::AmendRecallRequest { add_lots, ..amend(lot) };
        tokio::spawn(async move { on_call.amend_recall(asked).await })
    });
    let mut done = Vec::new();
    for (lot, answer) in lots.iter().zip(at_once.collect::<Vec<_>>()) {
        match answer.await.expect("it ran") {
            Ok(_) => done.push(lot),
            Err(told) => {
                recalls::refused(&told, Code::FailedPrecondition, "AMENDED_MEANWHILE", "from_hash");
            }
        }
    }
    assert!(!done.is_empty());
    let known = router.handle.recalls().get(crate::ids::RecallId(1)).expect("known");
    for lot in done {
        let says = known.prepared.lots.check(lot);
        assert!(matches!(says, crate::recall::LotVerdict::Affected { .. }), "{lot}: {says:?}");
    }
    // Who looked at what was in force before them all is told so.
    let (add_lots, from_hash) = (vec!["4480".into()], before);
    let late = v1::AmendRecallRequest { add_lots, from_hash, ..amend("late") };
    let told = on_call.amend_recall(late).await.expect_err("it was amended");
    recalls::refused(&told, Code::FailedPrecondition, "AMENDED_MEANWHILE", "from_hash");
}

#[tokio::test]
async fn a_recall_that_cannot_be_looked_up_keeps_no_other_waiting() {
    let router = Router::start().await;
    let mut on_call = router.on_call();
    let asked = v1::StartRecallRequest { accept_empty_safety_lane: true, ..recalls::start("s") };
    on_call.start_recall(asked).await.expect("it starts");
    let asked = v1::AmendRecallRequest { add_lots: vec!["4471".into()], ..amend("a") };
    on_call.amend_recall(asked).await.expect("amended");
    let first = |left_out: &[u16]| {
        let left_out = left_out.iter().map(|id| crate::ids::RecallId(*id)).collect();
        let read = router.handle.read(move |view| {
            crate::grpc::recheck::next(view, &left_out).map(|some| some.recall.0)
        });
        async { read.await.expect("the replica is there") }
    };
    assert_eq!((first(&[]).await, first(&[1]).await, first(&[2]).await), (Some(1), None, Some(1)));
}
