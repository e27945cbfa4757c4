//! Amending a recall in force, and making good for those who were told "not affected".
//!
//! The lots that customers entered are looked at again outside, some at a time; what is found
//! comes back as a command. Whoever is affected now is told at once if they are still in the
//! menu, and is owed a follow-up if not: follow-ups become work within their budget.

use std::sync::Arc;

use super::super::Engine;
use super::super::command::Heard;
use super::super::contact::Contact;
use super::super::event::{Amended, Amends, Event, Rechecked};
use super::super::promise::{MOST_OPEN, Of, Promise, PromiseKind, Punctual, Stage};
use super::super::recall::{
    Heed, LotVerdict, MOST_LASTING, MOST_RECHECKED, Plan, Reach, Recall, SelfService, Text, Tier,
    TriageClass,
};
use super::super::refusal::Refusal;
use super::super::words::Channel;
use super::Turn;
use crate::ids::{ContactId, PromiseId, RecallId};
use crate::time::Span;

/// By when who was told otherwise hears from us.
const FOLLOWED_UP_WITHIN: Span = Span::seconds(24 * 3_600);

impl Engine {
    pub(super) fn check_amend(
        &self,
        recall: RecallId,
        from: Option<[u8; 32]>,
        plan: Option<&Plan>,
        lasting: Option<Span>,
    ) -> Result<(), Refusal> {
        let recall = self.in_force(recall)?;
        let again = plan.is_some_and(|plan| plan.version == recall.plan.version);
        // What was made from an older version would take back what came since.
        if !again && from.is_some_and(|from| from != recall.plan.version) {
            return Err(Refusal::AmendedMeanwhile(recall.id));
        }
        let refused = |field, expected| Err(Refusal::OutOfRange { field, expected });
        if lasting.is_some_and(|l| !(Span::seconds(60)..=MOST_LASTING).contains(&l)) {
            return refused("expires_unix_ms", "1 minute to 90 days ahead");
        }
        let Some(plan) = plan else {
            return match lasting {
                Some(_) => Ok(()),
                None => refused("add_lots", "lots, a newer playbook or a new end: one of them"),
            };
        };
        if again {
            return refused("add_lots", "something that is not in force already");
        }
        self.check_plan(plan, Some(recall.id))?;
        let before = &recall.plan;
        if !before.scope.iter().all(|e| plan.scope.contains(e)) {
            return refused("scope.entry_points", "all that the recall has already");
        }
        let lost = |t: &Tier| before.tier(*t).is_some() && plan.tier(*t).is_none();
        if Tier::ALL.iter().any(lost) {
            return refused("tiers", "all that the recall has already");
        }
        let entries = |p: &Plan| p.faq.as_ref().map_or(0, |f| f.entries);
        if entries(plan) < entries(before) {
            return refused("faq", "all entries that the recall has already, in their order");
        }
        Ok(())
    }

    /// What a check of a lot is worth: an amendment may have come between it and now, and who
    /// was told by then is looked at again already.
    pub(super) fn verdict(&self, s: SelfService, heard: &Heard) -> Option<LotVerdict> {
        let is = self.recall(s.recall).map(|r| r.plan.version);
        match heard.lot? {
            LotVerdict::NotAffected if heard.lot_by.is_some() && heard.lot_by != is => {
                Some(LotVerdict::CannotTell)
            }
            lot => Some(lot),
        }
    }

    /// How a customer is reached who was told something in a contact.
    pub(in crate::engine) fn reach(c: &Contact) -> Reach {
        let of = Of {
            gateway: c.gateway,
            channel: c.channel,
            queue: c.queue,
            entry_point: c.entry_point,
            language: c.language,
            callable: c.callable,
        };
        Reach { customer: c.customer, of }
    }

    /// How one who was told "not affected" in a contact is told otherwise, should they be.
    #[must_use]
    pub fn amends_for(&self, recall: &Recall, contact: ContactId) -> Option<Amends> {
        let told = recall.amends.of(contact)?;
        let open = self.contact(contact);
        if open.is_some_and(|c| c.self_service().is_some_and(|s| s.recall == recall.id)) {
            return Some(Amends::Corrected);
        }
        let reach = open.map(Self::reach).or(told.reach);
        let may = |of: &Of| {
            let calls = self.routing.queue(of.queue).is_some_and(|q| q.callback.is_some());
            of.channel != Channel::Voice || (of.callable && calls)
        };
        let reached = reach.is_some_and(|r| may(&r.of));
        Some(if reached { Amends::FollowUp } else { Amends::Unreachable })
    }
}

impl Turn<'_> {
    pub(super) fn amend(
        &mut self,
        recall: RecallId,
        plan: Option<&Arc<Plan>>,
        lasting: Option<Span>,
    ) {
        let Some(r) = self.engine.recall(recall) else { return };
        let expires = lasting.map_or(r.expires, |lasting| self.at + lasting);
        let (kept, plan) = (r.plan.safety.kept.clone(), plan.unwrap_or(&r.plan));
        let (plan, left) =
            (Arc::clone(plan), kept.iter().filter(|a| !plan.safety.kept.contains(a)));
        let left: Vec<_> = left.copied().collect();
        self.emit(Event::Amended(Amended { recall, plan, expires }));
        self.walk_anew(recall, true);
        self.kept_partners_look(recall);
        // Who is kept no more may have anything again.
        for agent in left {
            self.offer_agent(agent);
        }
    }

    /// Some were looked at again by the version that is in force.
    pub(super) fn rechecked(
        &mut self,
        recall: RecallId,
        version: [u8; 32],
        upto: Option<ContactId>,
        affected: &[ContactId],
    ) -> Result<(), Refusal> {
        if affected.len() > MOST_RECHECKED {
            return Err(Refusal::OutOfRange { field: "affected", expected: "at most 256" });
        }
        let Some(r) = self.engine.recall(recall) else { return Ok(()) };
        // Of an older version nothing is to be concluded.
        if r.plan.version != version || r.amends.recheck.is_none() {
            return Ok(());
        }
        let mut room = MOST_OPEN.saturating_sub(self.engine.owed.promises().len());
        let amends = |contact: &ContactId| {
            let amends = match self.engine.amends_for(r, *contact)? {
                Amends::FollowUp if room == 0 => Amends::Unreachable,
                amends => amends,
            };
            room -= usize::from(amends == Amends::FollowUp);
            Some((*contact, amends))
        };
        let affected: Arc<[_]> = affected.iter().filter_map(amends).collect();
        let reached = |(contact, _): &(ContactId, Amends)| {
            self.engine.contact(*contact).map(Engine::reach).or(r.amends.of(*contact)?.reach)
        };
        let reach: Vec<Option<Reach>> = affected.iter().map(reached).collect();
        let news = Rechecked { recall, upto, affected: Arc::clone(&affected) };
        self.emit(Event::Rechecked(news));
        for ((contact, amends), reach) in affected.iter().zip(reach) {
            self.make_good(recall, *contact, *amends, reach);
        }
        Ok(())
    }

    fn make_good(
        &mut self,
        recall: RecallId,
        contact: ContactId,
        amends: Amends,
        reach: Option<Reach>,
    ) {
        let class = TriageClass::Affected;
        self.heed(contact, Some(Heed { recall, class }));
        match amends {
            Amends::Corrected => {
                let served = self.engine.contact(contact).and_then(Contact::self_service);
                if let Some(s) = served {
                    self.correct(contact, s);
                }
            }
            Amends::FollowUp => {
                if let Some(reach) = reach.filter(|r| !self.is_owed_amends(recall, r)) {
                    self.owe_amends(contact, reach);
                }
            }
            Amends::Unreachable => {}
        }
    }

    /// One who is still in the menu hears what is true now, and what may be chosen.
    fn correct(&mut self, contact: ContactId, s: SelfService) {
        self.hush(contact);
        self.say(contact, s.recall, Text::Affected);
        self.offer_options(contact, s);
    }

    /// Whether a customer is called back for a recall already: once, however often they called.
    fn is_owed_amends(&self, recall: RecallId, reach: &Reach) -> bool {
        let (Some(recall), Some(customer)) = (self.engine.recall(recall), reach.customer) else {
            return false;
        };
        let is = |p: &Promise| {
            p.kind == PromiseKind::FollowUp
                && p.owner.is_none()
                && p.of.entry_point.is_some_and(|e| recall.covers(e))
        };
        self.engine.owed.to(customer).any(is)
    }

    fn owe_amends(&mut self, contact: ContactId, reach: Reach) {
        self.emit(Event::PromiseMade(Promise {
            id: PromiseId(self.engine.owed.counts.last_promise + 1),
            contact,
            customer: reach.customer,
            kind: PromiseKind::FollowUp,
            owner: None,
            made: self.at,
            due: Some(self.at + FOLLOWED_UP_WITHIN),
            hours: None,
            stage: Stage::Waiting { until: self.at, turn: false },
            punctual: Punctual::Open,
            of: reach.of,
        }));
    }
}
