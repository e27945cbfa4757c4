//! Recalls as on-call staff meet them: started, steered, ended, and refused with nothing
//! changed.

use std::path::PathBuf;

use tonic::Code;
use tonic_types::StatusExt;

use super::*;
use crate::engine::routing::Listed;
use crate::ids::PoolId;
use crate::pb::v1::RecallLevel as At;
use crate::pb::v1::recall_service_client::RecallServiceClient;
use crate::pb::v1::set_level_request::To;
use crate::recall::Slot;

/// What is changed in a request, and how it is refused then: code, reason and field.
type Row = (fn(&mut v1::StartRecallRequest), Code, &'static str, &'static str);

/// A playbook with slots.
const SMALL: &str = include_str!("../../../playbooks/generic.toml");

impl Router {
    pub(super) fn on_call(&self) -> RecallServiceClient<Channel> {
        RecallServiceClient::new(self.channel.clone())
    }

    fn playbook(&self, name: &str, text: &str) -> PathBuf {
        let folder = self.data.path().join("playbooks");
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(format!("{name}.toml"));
        std::fs::write(&path, text).expect("it is written");
        path
    }

    async fn sequence(&self) -> u64 {
        self.handle.read(|view| view.sequence).await.expect("the replica is there")
    }

    pub(super) async fn standing(&self, recall_id: u64) -> Vec<v1::RecallStatus> {
        let asked = v1::GetRecallStatusRequest { recall_id };
        self.on_call().get_recall_status(asked).await.expect("known").into_inner().recalls
    }

    /// Sees it refused in a dry run and for real, with nothing changed.
    async fn refuses(&self, asked: v1::StartRecallRequest, code: Code, reason: &str, field: &str) {
        let before = self.sequence().await;
        for dry_run in [true, false] {
            let asked = v1::StartRecallRequest { dry_run, ..asked.clone() };
            let told = self.on_call().start_recall(asked).await.expect_err(reason);
            refused(&told, code, reason, field);
        }
        assert_eq!(self.sequence().await, before, "{reason}");
        assert!(self.standing(0).await.is_empty(), "{reason}");
    }
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after the epoch");
    u64::try_from(since.as_millis()).expect("a while yet")
}

#[track_caller]
pub(super) fn refused(told: &Status, code: Code, reason: &str, field: &str) {
    let details = told.get_error_details();
    let said = details.error_info().map_or("", |info| &*info.reason);
    assert_eq!((told.code(), said), (code, reason), "{told:?}");
    let fields = details.bad_request().map_or(&[][..], |b| &b.field_violations);
    assert!(field.is_empty() || fields.iter().any(|f| f.field == field), "{told:?}");
}

pub(super) fn start(request_id: &str) -> v1::StartRecallRequest {
    let slot = |slot: Slot| v1::Slot { name: slot.name().into(), text: "the KX-2".into() };
    v1::StartRecallRequest {
        request_id: request_id.into(),
        actor: "nadia".into(),
        why: "smoke, three reports".into(),
        playbook: "generic".into(),
        slots: Slot::ALL.into_iter().map(slot).collect(),
        ..Default::default()
    }
}

fn level(request_id: &str, recall_id: u64, to: At) -> v1::SetLevelRequest {
    v1::SetLevelRequest {
        request_id: request_id.into(),
        actor: "nadia".into(),
        why: "it grows".into(),
        recall_id,
        to: Some(To::Pinned(to.into())),
        dry_run: false,
    }
}

fn end(request_id: &str, recall_id: u64) -> v1::EndRecallRequest {
    v1::EndRecallRequest {
        request_id: request_id.into(),
        actor: "nadia".into(),
        why: "all clear".into(),
        recall_id,
        dry_run: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_refused_with_its_field_and_nothing_changed() {
    let router = Router::start().await;
    router.playbook("broken", "title = 1");
    router.playbook("elsewhere", &SMALL.replace("\"site-chat\"", "\"no-such-door\""));
    let specific = include_str!("../../../playbooks/peanut-butter-2022.toml");
    router.playbook("specific", specific);
    let asked = || start("r");
    let changed = |change: fn(&mut v1::StartRecallRequest)| {
        let mut request = asked();
        change(&mut request);
        request
    };
    use Code::{FailedPrecondition, InvalidArgument, NotFound};
    let table: [Row; 18] = [
        (|r| r.request_id.clear(), InvalidArgument, "MISSING", "request_id"),
        (|r| r.actor.clear(), InvalidArgument, "MISSING", "actor"),
        (|r| r.why.clear(), InvalidArgument, "MISSING", "why"),
        (|r| r.playbook.clear(), InvalidArgument, "MISSING", "playbook"),
        (|r| r.playbook = "none".into(), NotFound, "NO_SUCH_PLAYBOOK", "playbook"),
        (|r| r.playbook = "../x".into(), NotFound, "NO_SUCH_PLAYBOOK", "playbook"),
        (
            |r| (r.playbook, r.slots) = ("broken".into(), vec![]),
            FailedPrecondition,
            "BAD_PLAYBOOK",
            "playbook",
        ),
        (
            |r| r.playbook = "elsewhere".into(),
            FailedPrecondition,
            "NOT_IN_CONFIGURATION",
            "scope.entry_points",
        ),
        (|r| r.playbook = "specific".into(), FailedPrecondition, "NOT_GENERIC", "slots"),
        (|r| r.playbook_hash = "12ab".into(), InvalidArgument, "OUT_OF_RANGE", "playbook_hash"),
        (
            |r| r.playbook_hash = "0123456789ab".into(),
            FailedPrecondition,
            "OTHER_VERSION",
            "playbook_hash",
        ),
        (|r| r.level = At::Ended.into(), InvalidArgument, "OUT_OF_RANGE", "level"),
        (|r| r.expires_unix_ms = 1, InvalidArgument, "OUT_OF_RANGE", "expires_unix_ms"),
        (|r| drop(r.slots.pop()), InvalidArgument, "OPEN_SLOTS", "slots"),
        (|r| r.slots[0].name = "colour".into(), InvalidArgument, "NO_SUCH_SLOT", "slots.name"),
        (|r| r.slots[0].text = "{x}".into(), InvalidArgument, "BAD_SLOT", "slots.text"),
        (|r| r.slots[0] = r.slots[1].clone(), InvalidArgument, "SLOT_TWICE", "slots.name"),
        (|_| (), FailedPrecondition, "EMPTY_SAFETY_LANE", "accept_empty_safety_lane"),
    ];
    for (change, code, reason, field) in table {
        router.refuses(changed(change), code, reason, field).await;
    }
    let empty = router.on_call().start_recall(changed(|_| ())).await.expect_err("nobody is there");
    assert!(empty.message().ends_with("; kept for it: amara, bruno"), "{empty:?}");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_what_to_do() {
    let router = Router::start().await;
    router.playbook("broken", &SMALL.replacen("\"high\"", "3", 1).replacen("\"en\"", "0", 1));
    let mut on_call = router.on_call();
    let mut told = async |change: fn(&mut v1::StartRecallRequest)| {
        let mut asked = start("r");
        change(&mut asked);
        on_call.start_recall(asked).await.expect_err("refused").message().to_owned()
    };
    let none = told(|r| r.playbook = "none".into()).await;
    assert!(none.contains("\"none\"") && none.ends_with("has broken, generic"), "{none}");
    let broken = told(|r| (r.playbook, r.slots) = ("broken".into(), vec![])).await;
    assert!(broken.contains(", severity: found the integer 3, expected one of"), "{broken}");
    assert!(broken.contains("more; `surgeline playbook check` tells more"), "{broken}");
    let open = told(|r| r.slots.truncate(5)).await;
    assert!(open.contains("open slots: website, next_update"), "{open}");
    let slot = told(|r| r.slots[0].name = "colour".into()).await;
    assert!(slot.contains("expected one of product, company, hazard"), "{slot}");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_is_started_steered_and_ended() {
    let router = Router::start().await;
    let desktop = router.ready(&["amara"]).await;
    let mut on_call = router.on_call();

    let before = router.sequence().await;
    let dry = v1::StartRecallRequest { dry_run: true, ..start("s") };
    let dry = on_call.start_recall(dry).await.expect("it would start").into_inner();
    assert_eq!(router.sequence().await, before, "a dry run changes nothing");
    let would = dry.recall.expect("as it would be");
    assert_eq!((would.recall_id, would.level(), &*would.by), (0, At::Elevated, "nadia"));

    // The dry run had the same request id and is not remembered by it.
    let begun = on_call.start_recall(start("s")).await.expect("it starts").into_inner();
    let is = begun.recall.expect("in force");
    assert_eq!((is.recall_id, is.level(), is.pinned), (1, At::Elevated, true));
    assert_eq!((&is.playbook_hash, &begun.warnings), (&would.playbook_hash, &dry.warnings));
    assert_eq!((is.safety_agents, &*is.by, &*is.why), (1, "nadia", "smoke, three reports"));
    assert!(is.since_unix_ms == is.started_unix_ms && is.since_unix_ms.abs_diff(now_ms()) < 60_000);
    let open: Vec<_> = is.tiers.iter().map(|t| (t.tier(), t.open, t.from())).collect();
    let (faq, ivr) = ((v1::Tier::Faq, true, At::Elevated), (v1::Tier::Ivr, false, At::Surge));
    assert_eq!(open, [faq, ivr, (v1::Tier::Callback, false, At::Surge)]);
    let days = (is.expires_unix_ms - is.started_unix_ms) as f64 / 86_400_000.0;
    assert!((days - 7.0).abs() < 0.001, "{days}");
    assert!(begun.warnings.iter().any(|w| w.starts_with("No gateway that carries out Say")));

    let again = on_call.start_recall(start("s")).await.expect("a repeat").into_inner();
    assert_eq!(again.recall.expect("the same").recall_id, 1);
    assert_eq!(router.standing(0).await.len(), 1);
    let other = v1::StartRecallRequest { level: At::Surge.into(), ..start("s") };
    let other = on_call.start_recall(other).await.expect_err("other content");
    refused(&other, Code::AlreadyExists, "REQUEST_CONFLICT", "request_id");
    let taken = on_call.start_recall(start("s2")).await.expect_err("taken");
    refused(&taken, Code::FailedPrecondition, "SCOPE_TAKEN", "scope.entry_points");

    let dry = v1::SetLevelRequest { dry_run: true, ..level("l", 0, At::Surge) };
    let dry = on_call.set_level(dry).await.expect("it would").into_inner();
    assert!(dry.recall.expect("as it would be").tiers[1].open);
    assert_eq!(router.standing(1).await[0].level(), At::Elevated);
    let set = on_call.set_level(level("l", 0, At::Surge)).await.expect("set").into_inner();
    let set = set.recall.expect("in force");
    assert_eq!((set.recall_id, set.level(), set.tiers[1].open), (1, At::Surge, true));
    assert_eq!((&*set.why, set.started_unix_ms), ("it grows", is.started_unix_ms));
    on_call.set_level(level("l", 0, At::Surge)).await.expect("a repeat");
    let same = on_call.set_level(level("l2", 1, At::Surge)).await.expect_err("the same");
    refused(&same, Code::FailedPrecondition, "SAME_LEVEL", "level");

    let dry = v1::EndRecallRequest { dry_run: true, ..end("e", 0) };
    let dry = on_call.end_recall(dry).await.expect("it would end").into_inner();
    assert_eq!(dry.recall.expect("as it would be").level(), At::Ended);
    assert_eq!(router.standing(0).await.len(), 1);
    let over = on_call.end_recall(end("e", 0)).await.expect("ended").into_inner();
    let over = over.recall.expect("known");
    assert_eq!((over.level(), &*over.by, &*over.why), (At::Ended, "nadia", "all clear"));
    assert!(over.tiers.iter().all(|t| !t.open));
    on_call.end_recall(end("e", 0)).await.expect("a repeat, though none is in force");
    assert!(router.standing(0).await.is_empty());
    assert_eq!(router.standing(1).await[0].level(), At::Ended);
    drop(desktop);
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn which_recall_is_meant_must_be_clear_and_what_is_not_built_says_so() {
    let router = Router::start().await;
    let mut on_call = router.on_call();
    let none = on_call.end_recall(end("e", 0)).await.expect_err("none");
    refused(&none, Code::NotFound, "NO_RECALL", "recall_id");
    for id in [7, 1 << 40] {
        let none = on_call.set_level(level("l", id, At::Surge)).await.expect_err("none");
        refused(&none, Code::NotFound, "NO_SUCH_RECALL", "recall_id");
        let asked = v1::GetRecallStatusRequest { recall_id: id };
        let none = on_call.get_recall_status(asked).await.expect_err("none");
        refused(&none, Code::NotFound, "NO_SUCH_RECALL", "recall_id");
    }
    let points =
        "[\"support-line\", \"support-line-es\", \"site-chat\", \"support-mail\", \"messenger\"]";
    for (name, point) in [("one", "[\"site-chat\"]"), ("two", "[\"support-line\"]")] {
        assert!(SMALL.contains(points));
        router.playbook(name, &SMALL.replace(points, point));
        let asked = v1::StartRecallRequest {
            playbook: name.into(),
            accept_empty_safety_lane: true,
            ..start(name)
        };
        let begun = on_call.start_recall(asked).await.expect("it starts").into_inner();
        let told = |what: &str| begun.warnings.iter().any(|w| w.contains(what));
        assert!(told(
            "None of the 2 agents kept for the safety lane is signed in (amara, bruno): safety contacts wait"
        ));
        assert_eq!(told("takes calls: the ivr tier has nothing to take"), name == "one");
    }
    let which = on_call.end_recall(end("e2", 0)).await.expect_err("which?");
    refused(&which, Code::InvalidArgument, "WHICH_RECALL", "recall_id");
    assert!(which.message().contains("1 (Any product") && which.message().contains("2 (Any"));

    let bounds = v1::LevelBounds { lowest: At::Normal.into(), highest: At::Surge.into() };
    let free = v1::SetLevelRequest { to: Some(To::Free(bounds)), ..level("f", 1, At::Surge) };
    let free = on_call.set_level(free).await.expect("it is left free").into_inner();
    let free = free.recall.expect("a status");
    assert_eq!((free.pinned, free.bounds, free.level()), (false, Some(bounds), At::Elevated));
    let measures = free.control.expect("it is measured").measures;
    let told: Vec<_> = measures.iter().map(|m| (&*m.name, m.value, m.threshold)).collect();
    let expected =
        [("wait", 0, 240_000), ("load", 0, 1_000), ("sessions", 0, 850), ("ivr_ports", 0, 850)];
    assert_eq!(told, expected);
    for (lowest, highest, field) in
        [(At::Critical, At::Surge, "to.free.lowest"), (At::Normal, At::Tail, "to.free.highest")]
    {
        let bounds = v1::LevelBounds { lowest: lowest.into(), highest: highest.into() };
        let wrong = v1::SetLevelRequest { to: Some(To::Free(bounds)), ..level("g", 1, At::Surge) };
        let wrong = on_call.set_level(wrong).await.expect_err("no bounds");
        refused(&wrong, Code::InvalidArgument, "OUT_OF_RANGE", field);
    }
    let pinned = on_call.set_level(level("h", 1, At::Surge)).await.expect("pinned").into_inner();
    assert!(pinned.recall.is_some_and(|r| r.pinned && r.control.is_none() && r.bounds.is_none()));
    let unset = v1::SetLevelRequest { to: None, ..level("f", 1, At::Surge) };
    let unset = on_call.set_level(unset).await.expect_err("to what?");
    refused(&unset, Code::InvalidArgument, "MISSING", "to");
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_that_is_meant_is_the_one_that_starts_and_slots_go_by_language() {
    let router = Router::start().await;
    let mut on_call = router.on_call();
    let dry = |change: fn(&mut v1::StartRecallRequest)| {
        let mut asked =
            v1::StartRecallRequest { dry_run: true, accept_empty_safety_lane: true, ..start("d") };
        change(&mut asked);
        asked
    };
    let filled = on_call.start_recall(dry(|_| ())).await.expect("it would start").into_inner();
    let filled = filled.recall.expect("as it would be").playbook_hash;
    let written = crate::recall::parse("p", SMALL, &[]).expect("sound").playbook.version();
    for hash in [written.to_string(), written.short(), filled.to_uppercase()] {
        let asked = v1::StartRecallRequest { playbook_hash: hash, ..dry(|_| ()) };
        on_call.start_recall(asked).await.expect("it is the version that is meant");
    }
    let spanish = dry(|r| {
        r.dry_run = false;
        r.slots.insert(0, v1::Slot { name: "product.es".into(), text: "la KX-2".into() });
    });
    on_call.start_recall(spanish).await.expect("it starts");
    let known = router.handle.recalls().get(crate::ids::RecallId(1)).expect("registered");
    let playbook = &known.prepared.playbook;
    let says = |l| playbook.text(crate::recall::text_id::GOODBYE, l).expect("there");
    assert!(says(crate::recall::Language::En).contains("do not use the KX-2 until"));
    assert!(says(crate::recall::Language::Es).contains("no use la KX-2 hasta"));
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_should_be_looked_at_is_told_in_sentences() {
    let router = Router::start().await;
    let mut on_call = router.on_call();
    let mut told = async |playbook: &str| {
        let playbook = playbook.into();
        let asked = v1::StartRecallRequest {
            playbook,
            dry_run: true,
            accept_empty_safety_lane: true,
            ..start("d")
        };
        on_call.start_recall(asked).await.expect("it would start").into_inner().warnings
    };
    let mut small = router.gateway_stream().await;
    let limits = Some(v1::GatewayLimits { most_ivr_ports: 20, ..Default::default() });
    let hello = v1::Hello { gateway: "pbx".into(), limits, can_say: true, ..Default::default() };
    small.send("hello", Some(FromGateway::Hello(hello))).await;
    small.answer().await;
    let mut mute = router.gateway_stream().await;
    let hello =
        v1::Hello { gateway: "old-pbx".into(), limits: None, can_say: false, ..Default::default() };
    mute.send("hello", Some(FromGateway::Hello(hello))).await;
    mute.answer().await;
    let doubts = told("generic").await;
    let at_every_level = |w: &String| w.ends_with("wait for agents at every level: old-pbx.");
    assert!(doubts.iter().any(at_every_level), "{doubts:?}");
    let ports = told("generic").await;
    let few = "The gateways have 20 ports for menus in all, and the playbook allows 200: at most \
               20 calls hear the menu at once.";
    assert!(ports.iter().any(|w| w == few), "{ports:?}");
    let unlimited = router.gateway("pbx-2").await;
    let ports = told("generic").await;
    assert!(!ports.iter().any(|w| w.contains("ports")), "{ports:?}");

    router.playbook("lane", &SMALL.replace("queue = \"safety\"", "queue = \"refunds\""));
    let lane = told("lane").await;
    for channel in ["email", "message"] {
        let stays = format!("The safety queue refunds does not take {channel}: safety contacts by");
        assert!(lane.iter().any(|w| w.starts_with(&stays)), "{lane:?}");
    }
    assert!(!lane.iter().any(|w| w.contains("does not take voice")), "{lane:?}");

    let cut = |text: &str, from: &str, to: &str| {
        let (from, to) = (text.find(from).expect(from), text.find(to).expect(to));
        format!("{}{}", &text[..from], &text[to..])
    };
    let bare = cut(&cut(SMALL, "[ivr]\n", "[triage.en]"), "[tiers.faq]", "[safety]");
    router.playbook("bare", &bare);
    let bare = told("bare").await;
    for tier in ["no faq tier: chats", "no ivr tier: calls"] {
        assert!(bare.iter().any(|w| w.contains(tier)), "{bare:?}");
    }
    assert!(!bare.iter().any(|w| w.contains("OfferCallback")), "it offers none: {bare:?}");
    let nobody_offers = "No gateway that carries out OfferCallback is connected: nobody is offered \
                         a call until one is.";
    assert!(ports.iter().any(|w| w == nobody_offers), "{ports:?}");
    drop((small, unlimited));
    router.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_that_can_have_nobody_is_told() {
    let mut routing = crate::config::built_in().expect("a configuration").config.routing;
    routing.queues.iter_mut().for_each(|q| q.callback = None);
    let outside = |name: &str| Listed { name: name.into(), retired: false };
    let first = u16::try_from(routing.pools.len()).expect("few");
    routing.pools.extend(["abroad", "outside"].map(outside));
    let pools = [PoolId(first), PoolId(first + 1)];
    routing.partners.extend(pools);
    routing.agents[0].pool = pools[1];
    let router = Router::start_with(routing).await;
    let mut on_call = router.on_call();
    let tier = "[tiers.partner]\nlead = \"15m\"\npools = ";
    for (name, pools, says) in [
        (
            "empty",
            "[\"abroad\"]",
            "The partners' pools have no agent: abroad. The partner tier has",
        ),
        (
            "away",
            "[\"abroad\", \"outside\"]",
            "None of the 1 agents of the partners' pools is signed in (abroad, outside): once \
             partners are called they have 900 s until they join.",
        ),
    ] {
        router.playbook(name, &SMALL.replace("[safety]", &format!("{tier}{pools}\n\n[safety]")));
        let playbook = name.into();
        let (dry_run, accept_empty_safety_lane) = (true, true);
        let asked =
            v1::StartRecallRequest { playbook, dry_run, accept_empty_safety_lane, ..start("d") };
        let told = on_call.start_recall(asked).await.expect("it would start").into_inner().warnings;
        assert!(told.iter().any(|w| w.starts_with(says)), "{told:?}");
        let calls = "Queues in scope that take calls and have no [queues.callback]: ";
        let calls = told.iter().find(|w| w.starts_with(calls)).expect("told");
        assert!(calls.ends_with("; nobody is offered a call."), "{calls}");
    }
    router.stop().await;
}
