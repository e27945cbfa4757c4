//! A recall that is amended, and who was told "not affected" before.

use super::*;
use crate::engine::event::{Amends, Rechecked};
use crate::engine::promise::{PromiseKind, Stage};
use crate::engine::routing::Routing;
use crate::ids::CustomerId;

const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [8; 32];

/// The same plan in a newer version.
fn newer() -> Plan {
    Plan { version: NEW, ..plan(&[]) }
}

fn amend(plan: Option<Plan>, lasting: Option<u64>) -> RecallOrder {
    let lasting = lasting.map(Span::seconds);
    RecallOrder::Amend {
        recall: RECALL,
        from: None,
        plan: plan.map(Arc::new),
        accept_empty_safety_lane: false,
        lasting,
    }
}

fn rechecked(version: [u8; 32], upto: Option<ContactId>, affected: &[ContactId]) -> Command {
    Command::Rechecked { recall: RECALL, version, upto, affected: affected.into() }
}

/// A surge whose queue makes callbacks.
fn center() -> Center {
    let mut c = Center::new();
    let mut routing = Routing::clone(c.engine.routing());
    routing.queues[PLAIN.index()].callback =
        Some(Arc::new(crate::engine::callback::CallbackPolicy::default()));
    c.ok(&Command::Configure(Arc::new(routing)));
    c.start(Level::Surge);
    c
}

impl Center {
    /// A caller who entered a lot and was told that it is not affected.
    fn assured(&mut self, lot: &str, callable: bool) -> ContactId {
        let call = self.asked_for_a_lot(None, callable);
        self.report(keys(call, lot, Some(LotVerdict::NotAffected))).expect("checked");
        assert!(self.says(call).contains(&Text::NotAffected));
        call
    }

    /// A caller who is asked for a lot.
    fn asked_for_a_lot(&mut self, customer: Option<CustomerId>, callable: bool) -> ContactId {
        let mut arrival = self.arrival(Channel::Voice, PLAIN);
        arrival.customer = customer;
        arrival.entry_point = Some(HOTLINE);
        arrival.number_confirmed = callable;
        let Ok(Reply::Contact(call)) = self.report(Report::Arrived(arrival)) else {
            panic!("refused")
        };
        self.all_said(call);
        self.report(keys(call, "2", None)).expect("not hurt");
        self.all_said(call);
        self.report(keys(call, "1", None)).expect("the check");
        self.all_said(call);
        call
    }

    fn amends(&self) -> Vec<(ContactId, Amends)> {
        let of = |e: &Event| match e {
            Event::Rechecked(Rechecked { affected, .. }) => Some(affected.to_vec()),
            _ => None,
        };
        self.events.iter().filter_map(of).flatten().collect()
    }

    fn remembered(&self) -> usize {
        self.engine.recall(RECALL).expect("started").amends.told().len()
    }
}

#[test]
fn who_was_told_otherwise_is_corrected_followed_up_or_counted() {
    let mut c = center();
    let in_menu = c.assured("4471#", true);
    let left = c.assured("4471#", true);
    let unknown = c.assured("4471#", false);
    let fine = c.assured("9999#", true);
    for gone in [left, unknown, fine] {
        c.report(Report::CustomerLeft(gone)).expect("left");
    }
    assert_eq!(c.remembered(), 4);
    c.order(amend(Some(newer()), None)).expect("amended");
    assert_eq!(c.engine.recall(RECALL).expect("started").plan.version, NEW);
    c.ok(&rechecked(OLD, None, &[left]));
    assert_eq!(c.amends(), [], "an older version proves nothing");
    c.ok(&rechecked(NEW, None, &[in_menu, left, unknown]));
    let expected =
        [(in_menu, Amends::Corrected), (left, Amends::FollowUp), (unknown, Amends::Unreachable)];
    assert_eq!(c.amends(), expected);
    assert!(c.says(in_menu).contains(&Text::Affected), "{:?}", c.says(in_menu));
    let made: Vec<_> = c.engine.promises().map(|p| (p.contact, p.kind)).collect();
    assert_eq!(made, [(left, PromiseKind::FollowUp)]);
    c.ok(&rechecked(NEW, None, &[left]));
    assert_eq!((c.amends(), c.remembered()), (vec![], 1), "each once; who is fine is remembered");
    c.passes(0);
    let working = |p: &crate::engine::promise::Promise| matches!(p.stage, Stage::Working(_));
    assert!(c.engine.promises().all(working), "the customer is being called");
}

#[test]
fn follow_ups_are_paced_by_their_budget() {
    let mut c = center();
    let all: Vec<ContactId> = (0..5).map(|_| c.assured("4471#", true)).collect();
    for call in &all {
        c.report(Report::CustomerLeft(*call)).expect("left");
    }
    c.order(amend(Some(newer()), None)).expect("amended");
    c.ok(&rechecked(NEW, None, &all));
    let working =
        |c: &Center| c.engine.promises().filter(|p| matches!(p.stage, Stage::Working(_))).count();
    c.passes(0);
    assert_eq!(working(&c), 1, "600 an hour are one in 6 s");
    c.passes(6);
    c.passes(6);
    assert_eq!(working(&c), 3);
}

#[test]
fn what_was_remembered_and_how_far_it_was_looked_at_survives_a_restart() {
    let mut c = center();
    let first = c.assured("4471#", true);
    let second = c.assured("4471#", true);
    for gone in [first, second] {
        c.report(Report::CustomerLeft(gone)).expect("left");
    }
    c.order(amend(Some(newer()), Some(3_600))).expect("amended");
    c.ok(&rechecked(NEW, Some(first), &[first]));
    let restored = crate::engine::Engine::restore(&c.engine.image()).expect("restored");
    assert_eq!(restored.state_hash(), c.engine.state_hash());
    c.engine = restored;
    let amends = c.engine.recall(RECALL).expect("started").amends.clone();
    assert_eq!((amends.recheck, amends.follow_ups), (Some(first), 1));
    assert_eq!(amends.after(first).map(|t| t.contact).collect::<Vec<_>>(), [second]);
    c.ok(&rechecked(NEW, None, &[second]));
    assert_eq!(c.amends(), [(second, Amends::FollowUp)]);
    c.passes(3_600);
    assert!(c.engine.recall(RECALL).expect("it is").over, "its new end");
}

#[test]
fn what_an_amendment_must_not_take_away() {
    let narrow = Plan { scope: vec![SHOP], ..newer() };
    let bare = Plan { ivr: None, ..newer() };
    let mut fewer = newer();
    fewer.faq.as_mut().expect("it has one").entries = 3;
    let refused = |field, expected| Err(Refusal::OutOfRange { field, expected });
    let table = [
        (None, None, refused("add_lots", "lots, a newer playbook or a new end: one of them")),
        (Some(plan(&[])), None, refused("add_lots", "something that is not in force already")),
        (Some(narrow), None, refused("scope.entry_points", "all that the recall has already")),
        (Some(bare), None, refused("tiers", "all that the recall has already")),
        (
            Some(fewer),
            None,
            refused("faq", "all entries that the recall has already, in their order"),
        ),
        (None, Some(59), refused("expires_unix_ms", "1 minute to 90 days ahead")),
        (None, Some(60), Ok(Reply::Done)),
        (Some(newer()), None, Ok(Reply::Done)),
    ];
    for (plan, lasting, expected) in table {
        let mut c = center();
        let what = plan.as_ref().map(|p| (p.version[0], p.scope.clone()));
        assert_eq!(c.order(amend(plan, lasting)), expected, "{what:?} {lasting:?}");
    }
    let mut c = center();
    c.order(RecallOrder::End(RECALL)).expect("ended");
    assert_eq!(c.order(amend(None, Some(60))), Err(Refusal::NoSuchRecall(RECALL)));
}

#[test]
fn of_two_amendments_at_once_the_second_is_made_anew() {
    let mut c = center();
    let from_old = |version: u8| {
        let RecallOrder::Amend { recall, plan, lasting, accept_empty_safety_lane, .. } =
            amend(Some(Plan { version: [version; 32], ..newer() }), None)
        else {
            unreachable!()
        };
        RecallOrder::Amend { recall, from: Some(OLD), plan, lasting, accept_empty_safety_lane }
    };
    assert_eq!(c.order(from_old(8)), Ok(Reply::Done));
    assert_eq!(c.order(from_old(9)), Err(Refusal::AmendedMeanwhile(RECALL)));
    assert_eq!(c.engine.recall(RECALL).expect("in force").plan.version, NEW);
    let expected = "something that is not in force already";
    let again = Err(Refusal::OutOfRange { field: "add_lots", expected });
    assert_eq!(c.order(from_old(8)), again, "asked for twice");
}

#[test]
fn an_amendment_empties_no_safety_lane_unasked() {
    let without = || Plan {
        safety: SafetyPlan { external: None, kept: Vec::new(), ..newer().safety },
        ..newer()
    };
    let accepted = |c: &mut Center| {
        let RecallOrder::Amend { recall, from, plan, lasting, .. } = amend(Some(without()), None)
        else {
            unreachable!()
        };
        c.order(RecallOrder::Amend { recall, from, plan, lasting, accept_empty_safety_lane: true })
    };
    let mut c = center();
    assert_eq!(c.order(amend(Some(without()), None)), Err(Refusal::EmptySafetyLane));
    assert_eq!(accepted(&mut c), Ok(Reply::Done));
    // It is empty now: nothing more is lost.
    let another = Plan { version: [9; 32], ..without() };
    assert_eq!(c.order(amend(Some(another), None)), Ok(Reply::Done));
}

#[test]
fn a_verdict_by_an_older_version_assures_nobody() {
    let verdict = |by: Option<[u8; 32]>, lot: LotVerdict| {
        let mut c = center();
        let call = c.asked_for_a_lot(None, true);
        c.order(amend(Some(newer()), None)).expect("amended");
        c.ok(&rechecked(NEW, None, &[]));
        let Report::Input { contact, heard } = keys(call, "4471#", Some(lot)) else {
            unreachable!()
        };
        let heard = Heard { lot_by: by, ..heard };
        c.report(Report::Input { contact, heard }).expect("checked");
        (c.says(call).contains(&Text::NotAffected), c.says(call).contains(&Text::Affected))
    };
    assert_eq!(verdict(Some(NEW), LotVerdict::NotAffected), (true, false));
    assert_eq!(verdict(None, LotVerdict::NotAffected), (true, false), "nobody says by which");
    assert_eq!(verdict(Some(OLD), LotVerdict::NotAffected), (false, false));
    assert_eq!(verdict(Some(OLD), LotVerdict::Affected), (false, true), "lots are only added");
}

#[test]
fn who_called_three_times_is_called_back_once() {
    let mut c = center();
    let of = |id| Some(CustomerId(id));
    let callers = [of(1), of(1), of(2), of(1), None, None];
    let all = callers.map(|customer| {
        let call = c.asked_for_a_lot(customer, true);
        c.report(keys(call, "4471#", Some(LotVerdict::NotAffected))).expect("checked");
        c.report(Report::CustomerLeft(call)).expect("left");
        call
    });
    c.order(amend(Some(newer()), None)).expect("amended");
    c.ok(&rechecked(NEW, Some(all[0]), &all[..1]));
    c.ok(&rechecked(NEW, None, &all[1..]));
    let made: Vec<_> = c.engine.promises().map(|p| p.contact).collect();
    assert_eq!(made, [all[0], all[2], all[4], all[5]], "whom nobody knows is not one customer");
    let reached = c.engine.recall(RECALL).expect("started").amends.follow_ups;
    assert_eq!(reached, 6);
}

#[test]
fn nobody_is_remembered_for_a_recall_that_is_over_and_was_looked_at_again() {
    let mut c = center();
    let call = c.assured("4471#", true);
    c.report(Report::CustomerLeft(call)).expect("left");
    c.order(RecallOrder::End(RECALL)).expect("ended");
    assert_eq!(c.remembered(), 0);
    assert_eq!(c.engine.check(), Ok(()));

    let mut c = center();
    let gone = c.assured("4471#", true);
    let there = c.assured("4471#", true);
    let fine = c.assured("9999#", true);
    c.report(Report::CustomerLeft(gone)).expect("left");
    c.order(amend(Some(newer()), None)).expect("amended");
    c.order(RecallOrder::End(RECALL)).expect("ended");
    for gone in [there, fine] {
        c.report(Report::CustomerLeft(gone)).expect("left");
    }
    c.ok(&rechecked(NEW, Some(gone), &[gone]));
    assert_eq!(c.remembered(), 2, "they are looked at still");
    c.ok(&rechecked(NEW, None, &[there]));
    assert_eq!(c.amends(), [(there, Amends::FollowUp)], "it is known how they are reached");
    assert_eq!(c.remembered(), 0);
    let restored = crate::engine::Engine::restore(&c.engine.image()).expect("restored");
    assert_eq!(restored.state_hash(), c.engine.state_hash());
}

#[test]
fn a_partner_who_is_kept_from_now_on_has_the_hurt_who_wait() {
    let mut c = super::partners::with_partner();
    let mut routing = Routing::clone(c.engine.routing());
    routing.agents[ANNE.index()].pool = routing.agents[CLEO.index()].pool;
    c.ok(&Command::Configure(Arc::new(routing)));
    c.ready(ANNE);
    c.start(Level::Surge);
    let hurt = c.comes_as(Channel::Chat, HOTLINE, Some(TriageClass::Safety));
    assert_eq!(c.held_for(hurt), None, "they are no partner's");
    let kept = Plan { version: NEW, ..plan(&[ANNE]) };
    c.order(amend(Some(kept), None)).expect("amended");
    c.passes(0);
    assert_eq!(c.held_for(hurt), Some(ANNE));
}
