//! Partners: they take what their recall lets them once they have joined, and nothing else.

use super::*;
use crate::engine::command::Target;
use crate::engine::invariant::Violation;
use crate::engine::recall::{PartnerTier, Partners};
use crate::engine::routing::Routing;
use crate::ids::PoolId;

const OUTSIDE: PoolId = PoolId(1);

pub(super) fn partner_tier() -> PartnerTier {
    PartnerTier {
        from: Level::Critical,
        pools: [OUTSIDE].into_iter().collect(),
        lead: Span::seconds(1_200),
        share: 100,
        capacity: 0,
        channels: [true; 4],
        callbacks: true,
    }
}

/// A center in which Cleo is a partner.
pub(super) fn with_partner() -> Center {
    let mut c = Center::new();
    let mut routing = Routing::clone(c.engine.routing());
    routing.pools.extend(super::super::listed::<crate::engine::routing::Listed>(&["outside"]));
    routing.agents[CLEO.index()].pool = OUTSIDE;
    routing.partners = [OUTSIDE].into_iter().collect();
    c.ok(&Command::Configure(Arc::new(routing)));
    c
}

fn only_partners(tier: PartnerTier) -> Plan {
    Plan { faq: None, ivr: None, partner: Some(tier), ..plan(&[]) }
}

impl Center {
    pub(super) fn starts_with_partners(&mut self, tier: PartnerTier, level: Level) {
        let started = self.start_with(only_partners(tier), level);
        assert_eq!(started, Ok(Reply::Recall(RECALL)));
        self.passes(0);
    }

    fn level(&mut self, level: Level) {
        self.order(RecallOrder::SetLevel { recall: RECALL, level }).expect("set");
        self.passes(0);
    }

    fn partners(&self) -> Partners {
        self.engine.recall(RECALL).expect("started").partners
    }
}

#[test]
fn partners_take_nothing_before_they_have_joined_and_then_only_their_recall() {
    let mut c = with_partner();
    c.ready(CLEO);
    let outside = c.comes(Channel::Chat, SHOP);
    let early = c.comes(Channel::Chat, HOTLINE);
    assert_eq!((c.held_for(outside), c.held_for(early)), (None, None), "no recall, no work");
    c.starts_with_partners(partner_tier(), Level::Surge);
    assert_eq!(c.partners(), Partners::Away);
    c.level(Level::Critical);
    let joins = c.at() + Span::seconds(1_200);
    assert_eq!(c.partners(), Partners::Called { joins });
    c.passes(1_199);
    assert_eq!((c.partners(), c.held_for(early)), (Partners::Called { joins }, None));
    c.passes(1);
    assert_eq!((c.partners(), c.held_for(early)), (Partners::Joined, Some(CLEO)));
    c.answer(early);
    c.complete(early);
    assert_eq!(c.held_for(outside), None, "not of their recall");
    let later = c.comes(Channel::Voice, HOTLINE);
    assert_eq!(c.held_for(later), Some(CLEO), "who comes now, too");
    let counts = TierCounts { in_use: 1, entered: 1, solved: 1, ..TierCounts::default() };
    assert_eq!(c.tier(Tier::Partner), counts, "who is only asked has not had it");
    c.passes(10);
    let counts = TierCounts { in_use: 0, ..counts };
    assert_eq!((c.held_for(later), c.tier(Tier::Partner)), (None, counts));
}

#[test]
fn who_is_handed_over_to_a_partner_is_theirs_and_stays_so_among_partners() {
    let mut c = with_partner();
    let mut routing = Routing::clone(c.engine.routing());
    routing.agents[BOB.index()].pool = OUTSIDE;
    c.ok(&Command::Configure(Arc::new(routing)));
    c.ready(ANNE);
    c.starts_with_partners(PartnerTier { lead: Span::ZERO, ..partner_tier() }, Level::Critical);
    let chat = c.comes(Channel::Chat, HOTLINE);
    c.answer(chat);
    for (to, from) in [(BOB, ANNE), (CLEO, BOB), (ANNE, CLEO)] {
        if to != ANNE {
            c.ready(to);
        }
        let child = c.consult(from, chat, Target::Agent(to));
        c.answer(child);
        c.act(from, Act::CompleteConsult(chat)).expect("handed over");
        let with = u32::from(to != ANNE);
        let counts = TierCounts {
            in_use: with,
            entered: 1,
            returned: u64::from(1 - with),
            ..TierCounts::default()
        };
        assert_eq!((c.held_for(chat), c.tier(Tier::Partner)), (Some(to), counts));
    }
}

#[test]
fn partners_who_leave_keep_what_they_have_in_hand() {
    let mut c = with_partner();
    c.ready(CLEO);
    c.starts_with_partners(PartnerTier { lead: Span::ZERO, ..partner_tier() }, Level::Critical);
    let call = c.comes(Channel::Voice, HOTLINE);
    c.answer(call);
    let waits = c.comes(Channel::Voice, HOTLINE);
    c.level(Level::Surge);
    assert_eq!(c.partners(), Partners::Away);
    assert_eq!((c.state(call).kind(), c.held_for(call)), (StateKind::Assigned, Some(CLEO)));
    c.complete(call);
    assert_eq!(c.held_for(waits), None);
    c.ready(BOB);
    assert_eq!(c.held_for(waits), Some(BOB), "own staff all the while");
    c.order(RecallOrder::End(RECALL)).expect("ended");
    assert_eq!(c.partners(), Partners::Away);
}

#[test]
fn a_lead_that_is_not_over_when_the_level_falls_begins_anew() {
    let mut c = with_partner();
    c.starts_with_partners(partner_tier(), Level::Critical);
    c.passes(1_000);
    c.level(Level::Surge);
    assert_eq!(c.partners(), Partners::Away);
    c.level(Level::Critical);
    let joins = c.at() + Span::seconds(1_200);
    assert_eq!(c.partners(), Partners::Called { joins });
}

#[test]
fn what_partners_may_take_is_what_the_plan_says() {
    let joined = || PartnerTier { lead: Span::ZERO, ..partner_tier() };
    let mut c = with_partner();
    c.ready(CLEO);
    let channels = [true, false, false, false];
    c.starts_with_partners(PartnerTier { channels, ..joined() }, Level::Critical);
    let (chat, hurt) = (
        c.comes(Channel::Chat, HOTLINE),
        c.comes_as(Channel::Voice, HOTLINE, Some(TriageClass::Safety)),
    );
    assert_eq!((c.held_for(chat), c.held_for(hurt)), (None, None));
    let call = c.comes(Channel::Voice, HOTLINE);
    assert_eq!(c.held_for(call), Some(CLEO));

    // Of a hundred contacts in a row so many are theirs.
    let mut c = with_partner();
    c.starts_with_partners(PartnerTier { share: 30, ..joined() }, Level::Critical);
    let all: Vec<_> = (0..100).map(|_| c.comes(Channel::Email, HOTLINE)).collect();
    let theirs = all.iter().filter(|l| c.open(**l).stage.pools.contains(&OUTSIDE)).count();
    assert_eq!(theirs, 30);
}

#[test]
fn partners_have_no_more_at_once_than_the_plan_says() {
    let mut c = with_partner();
    let mut routing = Routing::clone(c.engine.routing());
    routing.agents[BOB.index()].pool = OUTSIDE;
    c.ok(&Command::Configure(Arc::new(routing)));
    let tier = PartnerTier { lead: Span::ZERO, capacity: 1, ..partner_tier() };
    c.starts_with_partners(tier, Level::Critical);
    c.ready(BOB);
    c.ready(CLEO);
    let calls = [c.comes(Channel::Voice, HOTLINE), c.comes(Channel::Voice, HOTLINE)];
    let first = c.held_for(calls[0]).expect("one of them has it");
    assert_eq!((c.held_for(calls[1]), c.tier(Tier::Partner).in_use), (None, 1));
    c.answer(calls[0]);
    // Who had it goes; the other one has been free all the while.
    c.act(first, Act::Next(Some(crate::engine::words::Availability::SignedOut))).expect("set");
    c.complete(calls[0]);
    c.passes(0);
    let second = if first == BOB { CLEO } else { BOB };
    assert_eq!(c.held_for(calls[1]), Some(second));
}

/// Two recalls whose partners are the same two people: one may have one contact at a time.
fn with_two_recalls() -> Center {
    let mut c = with_partner();
    let mut routing = Routing::clone(c.engine.routing());
    routing.agents[BOB.index()].pool = OUTSIDE;
    c.ok(&Command::Configure(Arc::new(routing)));
    let tier = PartnerTier { lead: Span::ZERO, capacity: 1, ..partner_tier() };
    c.starts_with_partners(tier.clone(), Level::Critical);
    let wide = Plan { scope: vec![SHOP], ..only_partners(PartnerTier { capacity: 0, ..tier }) };
    assert_eq!(c.start_with(wide, Level::Critical), Ok(Reply::Recall(RecallId(2))));
    c.passes(0);
    c
}

#[test]
fn partners_of_a_recall_that_has_enough_take_what_another_has() {
    let mut c = with_two_recalls();
    c.ready(BOB);
    let first = c.comes(Channel::Voice, HOTLINE);
    let second = c.comes(Channel::Voice, HOTLINE);
    assert_eq!((c.held_for(first), c.held_for(second)), (Some(BOB), None));
    // Looked for by the agent, past who came before and is not for them now.
    let other = c.comes(Channel::Voice, SHOP);
    c.ready(CLEO);
    assert_eq!((c.held_for(second), c.held_for(other)), (None, Some(CLEO)));
    c.answer(other);
    c.complete(other);
    // And by the contact.
    let another = c.comes(Channel::Voice, SHOP);
    assert_eq!((c.held_for(second), c.held_for(another)), (None, Some(CLEO)));
    c.answer(first);
    c.complete(first);
    assert_eq!(c.held_for(second), Some(BOB), "there is room again");
}

#[test]
fn as_many_partners_look_as_there_is_room_for() {
    let mut c = with_two_recalls();
    c.ready(BOB);
    c.ready(CLEO);
    let calls: Vec<_> = (0..4).map(|_| c.comes(Channel::Voice, HOTLINE)).collect();
    let first = c.held_for(calls[0]).expect("one of them has it");
    c.report(Report::CustomerLeft(calls[0])).expect("gave up");
    assert_eq!(c.engine.agenda.hungry.len(), 0, "nobody else is made to look");
    c.passes(0);
    let held: Vec<_> = calls[1..].iter().map(|call| c.held_for(*call)).collect();
    assert_eq!(held, [Some(first), None, None], "who was freed looks first");
}

#[test]
fn a_check_finds_partners_who_have_not_joined() {
    let contact = ContactId(3);
    let told = Violation::Partner(contact).to_string();
    assert_eq!(told, "contact 3 is with partners, or open to them, who have not joined for it");
}
