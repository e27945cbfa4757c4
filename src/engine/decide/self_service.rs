//! Self-service: the faq tier and the ivr tier, and every way back to a person.
//!
//! A contact in here holds its place. Whatever a machine cannot do, does late, or does not
//! understand, is for a person: [`Turn::back`] is the only way out that goes on.

use super::super::command::Heard;
use super::super::contact::{Contact, State};
use super::super::event::{Arrived, EffectKind, Event, Queued, Settled};
use super::super::recall::{
    Answer, Collect, FaqPlan, Found, Heed, MOST_ANSWERS, Outlook, Plan, Question, READ_WITHIN,
    ReturnedBecause, Say, SelfService, Step, Text, Tier, TriageClass, Want, Wish,
};
use super::super::wait_estimate::WaitEstimate;
use super::super::words::{Channel, EndReason, QueuedBecause};
use super::{ForPartners, Turn, place};
use crate::ids::{AskId, ContactId, EffectId, RecallId};
use crate::time::{EngineTime, Span};
use std::sync::Arc;

impl Turn<'_> {
    pub(super) fn plan(&self, recall: RecallId) -> Option<Arc<Plan>> {
        self.engine.recall(recall).map(|r| Arc::clone(&r.plan))
    }

    fn faq(&self, recall: RecallId) -> Option<FaqPlan> {
        self.plan(recall)?.faq.clone()
    }

    /// How long a customer may be silent.
    fn silence(&self, contact: ContactId, recall: RecallId) -> Span {
        let channel = self.engine.contact(contact).map_or(0, |c| c.channel.index());
        self.faq(recall).map_or(Span::ZERO, |f| f.silence[channel])
    }

    pub(super) fn in_self_service(&self, contact: ContactId) -> Option<SelfService> {
        self.engine.contact(contact)?.self_service()
    }

    /// A waiting contact goes to a tier, keeping its place. It is told now, or when its turn
    /// is.
    pub(super) fn divert(
        &mut self,
        contact: ContactId,
        recall: RecallId,
        tier: Tier,
        turn: Option<EngineTime>,
    ) {
        let until = self.time_limit(contact, recall, tier, turn.unwrap_or(self.at));
        let outlook = self.outlook(contact);
        // From here on the playbook speaks.
        self.hush(contact);
        let step = turn.map_or_else(|| self.first_step(tier), |at| Step::Entering { at });
        let now = SelfService { recall, tier, until, answers: 0, checked: false, step };
        self.emit(Event::Diverted { contact, now });
        if turn.is_none() {
            self.greet(contact, now, outlook);
        }
    }

    /// It is its turn to be told.
    fn enter(&mut self, contact: ContactId, s: SelfService) {
        let Some(gateway) = self.engine.contact(contact).map(|c| c.gateway) else { return };
        if self.has_enough_to_say(s.tier, gateway) {
            let at = self.turn_of(gateway);
            let until = self.time_limit(contact, s.recall, s.tier, at);
            return self.step(contact, SelfService { until, step: Step::Entering { at }, ..s });
        }
        let outlook = self.outlook(contact);
        let now = SelfService { step: self.first_step(s.tier), ..s };
        self.step(contact, now);
        self.greet(contact, now, outlook);
    }

    /// How long self-service may keep a contact that it begins to talk to.
    fn time_limit(
        &self,
        contact: ContactId,
        recall: RecallId,
        tier: Tier,
        from: EngineTime,
    ) -> EngineTime {
        let channel = self.engine.contact(contact).map_or(0, |c| c.channel.index());
        let limit = self.plan(recall).and_then(|plan| match tier {
            Tier::Faq => plan.faq.as_ref().map(|t| t.time_limit[channel]),
            _ => plan.ivr.as_ref().map(|t| t.time_limit),
        });
        from + limit.unwrap_or_default()
    }

    /// What may be said of the wait for a person: four of five wait no longer, in whole
    /// seconds; honestly nothing where it is not known.
    pub(super) fn outlook(&self, contact: ContactId) -> Outlook {
        let Some(c) = self.engine.contact(contact) else { return Outlook::default() };
        let (ahead, wait) = self.engine.expected(c, self.engine.stand_of(contact), self.at);
        let seconds = |wait: WaitEstimate| Span::seconds(wait.p80.0.div_ceil(1_000_000));
        let ahead = ahead.map(|ahead| u32::try_from(ahead).unwrap_or(u32::MAX));
        Outlook { ahead: Some(ahead.unwrap_or_default()), wait: wait.map(seconds) }
    }

    fn first_step(&self, tier: Tier) -> Step {
        match tier {
            Tier::Faq => {
                let ask = AskId(self.engine.counts.last_ask + 1);
                Step::Reading { ask, deadline: self.at + READ_WITHIN }
            }
            _ => Step::Asked { question: Question::Injury, repeats: 0, until: None },
        }
    }

    /// What is said first.
    fn greet(&mut self, contact: ContactId, now: SelfService, outlook: Outlook) {
        let recall = now.recall;
        match now.tier {
            Tier::Faq => {
                self.say_with(contact, recall, Text::Acknowledgement, Collect::None, outlook);
                self.say(contact, recall, Text::Message);
                self.ask_words(contact, recall, Want::Answer);
            }
            _ => {
                self.say(contact, recall, Text::Greeting);
                self.put(contact, recall, Question::Injury);
            }
        }
    }

    pub(super) fn say(&mut self, contact: ContactId, recall: RecallId, text: Text) {
        self.say_with(contact, recall, text, Collect::None, Outlook::default());
    }

    pub(super) fn say_with(
        &mut self,
        contact: ContactId,
        recall: RecallId,
        text: Text,
        collect: Collect,
        outlook: Outlook,
    ) {
        let Some(language) = self.engine.contact(contact).map(|c| c.language) else { return };
        self.ask_effect(contact, EffectKind::Say(Say { recall, text, language, collect, outlook }));
    }

    /// What is being said is over: the customer spoke, or something else is to be said.
    pub(super) fn hush(&mut self, contact: ContactId) {
        let said = |kind| matches!(kind, EffectKind::Say(_) | EffectKind::Announce(_));
        self.settle_effects(contact, Settled::Withdrawn, said);
    }

    pub(super) fn step(&mut self, contact: ContactId, now: SelfService) {
        self.emit(Event::Stepped { contact, now });
    }

    /// Back to the agents, at the place that the contact has always had.
    pub(super) fn back(&mut self, contact: ContactId, because: ReturnedBecause) {
        let Some(SelfService { recall, tier, step, .. }) = self.in_self_service(contact) else {
            return;
        };
        let silent = matches!(step, Step::Entering { .. });
        if tier == Tier::Ivr && because != ReturnedBecause::CannotTell {
            self.hush(contact);
        }
        if tier == Tier::Ivr && because != ReturnedBecause::Gateway && !silent {
            self.say(contact, recall, Text::Person);
        }
        self.emit(Event::Returned { contact, recall, tier, because });
        if because == ReturnedBecause::Safety {
            self.move_to_safety(contact);
        } else {
            self.offer_contact(contact);
        }
    }

    pub(super) fn back_for_safety(&mut self, contact: ContactId, recall: RecallId) {
        self.heed(contact, Some(Heed { recall, class: TriageClass::Safety }));
        self.back(contact, ReturnedBecause::Safety);
    }

    /// The customer of a contact in self-service said, wrote or pressed something.
    pub(super) fn heard(&mut self, contact: ContactId, s: SelfService, heard: &Heard) {
        let class = heard.heed.map(|h| h.class);
        let silent = matches!(s.step, Step::Entering { .. });
        let zero = heard.keys.as_ref().is_some_and(|k| matches!(&**k, "0" | "0#"));
        if class == Some(TriageClass::Safety) {
            self.back(contact, ReturnedBecause::Safety);
        } else if zero
            || heard.wish == Some(Wish::Person)
            || class == Some(TriageClass::PersonWanted)
        {
            self.back(contact, ReturnedBecause::Asked);
        } else if heard.secret && s.tier == Tier::Faq {
            self.back(contact, ReturnedBecause::Secret);
        } else if silent {
            // Its words are read when it is told.
        } else if s.tier == Tier::Ivr {
            if let Some(keys) = &heard.keys {
                self.pressed(contact, s, keys, heard);
            }
        } else if heard.wish == Some(Wish::Solved) && s.answers > 0 {
            self.close(contact, EndReason::Solved);
        } else if heard.words {
            if s.answers >= MOST_ANSWERS {
                return self.back(contact, ReturnedBecause::AnsweredEnough);
            }
            let ask = AskId(self.engine.counts.last_ask + 1);
            let step = Step::Reading { ask, deadline: self.at + READ_WITHIN };
            self.step(contact, SelfService { step, ..s });
            self.ask_words(contact, s.recall, Want::Answer);
        }
    }

    /// Whoever reads words has read some.
    pub(super) fn words_read(&mut self, contact: ContactId, ask: AskId, found: Found) {
        let Some(c) = self.engine.contact(contact) else { return };
        let expected = matches!(
            c.state,
            State::SelfService(SelfService { step: Step::Reading { ask: asked, .. }, .. })
                if asked == ask
        );
        let news = found.heed.is_some() && c.answered.is_none();
        if !expected && !news {
            return;
        }
        self.emit(Event::WordsRead { contact, ask, found });
        self.heed(contact, found.heed);
        let class = found.heed.map(|h| h.class);
        let Some(s) = self.in_self_service(contact) else {
            if class == Some(TriageClass::Safety) {
                self.move_to_safety(contact);
            }
            return;
        };
        match class {
            Some(TriageClass::Safety) => self.back(contact, ReturnedBecause::Safety),
            Some(TriageClass::PersonWanted) => self.back(contact, ReturnedBecause::Asked),
            _ if expected => self.found(contact, s, found.answer),
            _ => {}
        }
    }

    fn found(&mut self, contact: ContactId, s: SelfService, answer: Answer) {
        let (Some(faq), Some(c)) = (self.faq(s.recall), self.engine.contact(contact)) else {
            return;
        };
        let Step::Reading { deadline, .. } = s.step else { return };
        let step = match answer {
            Answer::Entry { entry, .. } if entry < faq.entries => {
                // Paced from the question: an instant link is mildly insulting.
                let at = deadline - READ_WITHIN + faq.pacing[c.channel.index()];
                Step::Answering { entry, at: at.max(self.at) }
            }
            Answer::NoWords => Step::Listening { until: self.at + faq.silence[c.channel.index()] },
            Answer::Entry { .. } | Answer::None => {
                return self.back(contact, ReturnedBecause::NoAnswer);
            }
        };
        self.step(contact, SelfService { step, ..s });
    }

    /// Something is due in self-service.
    pub(super) fn self_service_due(&mut self, contact: ContactId, s: SelfService) {
        if self.at >= s.until {
            return self.back(contact, ReturnedBecause::TimeLimit);
        }
        match s.step {
            Step::Entering { .. } => self.enter(contact, s),
            Step::Reading { .. } => self.back(contact, ReturnedBecause::Late),
            Step::Answering { entry, .. } => {
                let silence = self.silence(contact, s.recall);
                let step = Step::Listening { until: self.at + silence };
                self.step(contact, SelfService { answers: s.answers + 1, step, ..s });
                self.say(contact, s.recall, Text::Faq(entry));
            }
            Step::Listening { .. } => self.silent(contact, s),
            Step::Asked { question, repeats, .. } => self.again(contact, s, question, repeats),
            Step::Leaving { .. } => self.close(contact, EndReason::Informed),
        }
    }

    /// Silence is not success: on a live channel a person looks; a letter that was answered
    /// goes on as a follow-up, behind those who wait now.
    fn silent(&mut self, contact: ContactId, s: SelfService) {
        let Some(c) = self.engine.contact(contact) else { return };
        let (live, attached) = (c.channel == Channel::Chat, self.engine.is_attached(c));
        if live || s.answers == 0 || !attached {
            return self.back(contact, ReturnedBecause::Silence);
        }
        let follow_up = ContactId(self.engine.counts.accepted + 1);
        let arrived = Arrived {
            contact: follow_up,
            gateway: c.gateway,
            session: self.engine.gateway(c.gateway).and_then(|g| g.session),
            key: c.key.clone(),
            content: c.content,
            channel: c.channel,
            entry_point: c.entry_point,
            customer: c.customer,
            continues: Some(contact),
            waited: Span::ZERO,
            attributes: c.attributes.clone(),
            own_needs: c.own_needs.clone(),
            own_preferred: c.own_preferred.clone(),
            language: c.language,
        };
        let ahead = self.queue_of(c.queue).map_or(Span::ZERO, |q| q.head_start);
        // From the beginning of the queue's steps: who waits in it is another contact.
        let queued = Queued {
            contact: follow_up,
            place: place(self.at, &[ahead, c.head_start]),
            // Partners have their part of contacts by what each is called.
            stage: self
                .first_stage(c.queue, ForPartners { contact: follow_up, ..ForPartners::of(c) }),
            ..self.moved_to(c, c.queue, QueuedBecause::FollowUp)
        };
        self.emit(Event::FollowUpOpened(arrived));
        self.emit(Event::Queued(queued));
        self.close(contact, EndReason::FollowedUp);
        self.link(follow_up);
        self.offer_contact(follow_up);
    }

    /// A text was said to the end: what it tells is known now, and waiting for a key begins.
    pub(super) fn said(&mut self, contact: ContactId, say: Say) {
        let Some(mut s) = self.in_self_service(contact) else { return };
        let before = s;
        s.checked |= matches!(say.text, Text::Affected | Text::NotAffected);
        let answer = s.tier == Tier::Ivr && matches!(say.text, Text::Faq(_));
        s.answers = s.answers.saturating_add(u8::from(answer));
        if let (Tier::Faq, Text::Faq(_), Step::Listening { .. }) = (s.tier, say.text, s.step) {
            // They can only have been silent since they could read it.
            let until = self.at + self.silence(contact, s.recall);
            return self.step(contact, SelfService { step: Step::Listening { until }, ..s });
        }
        let Some(menu) = self.plan(s.recall).and_then(|p| p.ivr.clone()) else { return };
        // A lot has many keys.
        let keys = if say.collect == Collect::Lot { 4 } else { 1 };
        let then = self.at + Span(menu.key_timeout.0.saturating_mul(keys));
        let step = match s.step {
            Step::Asked { question, repeats, until: None } if say.collect != Collect::None => {
                Step::Asked { question, repeats, until: Some(then) }
            }
            Step::Leaving { at: None } if say.text == Text::Goodbye => {
                Step::Leaving { at: Some(then) }
            }
            step => step,
        };
        let now = SelfService { step, ..s };
        if now != before {
            self.step(contact, now);
        }
    }

    /// A text could not be said.
    pub(super) fn say_failed(&mut self, contact: ContactId) {
        self.back(contact, ReturnedBecause::Gateway);
    }

    /// Everything that a contact in self-service waits for begins anew: nobody could answer
    /// while the router was away.
    pub(super) fn renew_self_service(&mut self, contact: ContactId) {
        let Some(s) = self.in_self_service(contact) else { return };
        let Some(c) = self.engine.contact(contact) else { return };
        let (gateway, plan) = (c.gateway, self.plan(s.recall));
        let menu = plan.as_ref().and_then(|p| p.ivr.as_ref());
        let silence = self.at + self.silence(contact, s.recall);
        let key = self.at + menu.map_or(Span::ZERO, |t| t.key_timeout);
        let step = match s.step {
            Step::Entering { .. } => Step::Entering { at: self.turn_of(gateway) },
            Step::Reading { .. } => {
                let ask = AskId(self.engine.counts.last_ask + 1);
                Step::Reading { ask, deadline: self.at + READ_WITHIN }
            }
            Step::Listening { .. } => Step::Listening { until: silence },
            Step::Asked { question, repeats, until } => {
                Step::Asked { question, repeats, until: until.map(|_| key) }
            }
            Step::Leaving { at } => Step::Leaving { at: at.map(|_| key) },
            answering @ Step::Answering { .. } => answering,
        };
        let from = if let Step::Entering { at } = step { at } else { self.at };
        let until = self.time_limit(contact, s.recall, s.tier, from);
        self.step(contact, SelfService { until, step, ..s });
        if let Step::Reading { .. } = step {
            self.ask_words(contact, s.recall, Want::Answer);
        }
    }

    /// Why a contact ends whose customer left.
    pub(super) fn left_because(c: &Contact) -> EndReason {
        match (c.parent, c.answered, c.self_service()) {
            (Some(_), _, _) => EndReason::ConsultCancelled,
            (None, Some(_), _) => EndReason::CustomerLeft,
            (None, None, Some(s)) if s.checked || s.answers > 0 => EndReason::Informed,
            (None, None, _) => EndReason::Abandoned,
        }
    }

    /// The text that an effect says, if it says one.
    pub(super) fn saying(&self, contact: ContactId, effect: EffectId) -> Option<Say> {
        let c = self.engine.contact(contact)?;
        c.effects.iter().find_map(|(e, kind)| match kind {
            EffectKind::Say(say) if *e == effect => Some(*say),
            _ => None,
        })
    }
}
