//! The menu of the ivr tier: what is asked, and what the keys mean.

use super::super::command::Heard;
use super::super::recall::{
    Choice, Collect, Heed, IvrPlan, LotVerdict, Outlook, Question, ReturnedBecause, SelfService,
    Step, Text, TriageClass,
};
use super::Turn;
use crate::ids::{ContactId, RecallId};

impl Turn<'_> {
    /// Puts a question of the menu.
    pub(super) fn put(&mut self, contact: ContactId, recall: RecallId, question: Question) {
        let Some(menu) = self.plan(recall).and_then(|p| p.ivr.clone()) else { return };
        let none = Outlook::default();
        match question {
            Question::Injury => self.say_with(contact, recall, Text::Injury, Collect::Key, none),
            Question::Lot => self.say_with(contact, recall, Text::Lot, Collect::Lot, none),
            Question::Options => {
                for (n, (key, _)) in menu.options.iter().enumerate() {
                    let last = n + 1 == menu.options.len();
                    let collect = if last { Collect::Key } else { Collect::None };
                    self.say_with(contact, recall, Text::Option(*key), collect, none);
                }
            }
        }
    }

    /// Keys in the menu.
    pub(super) fn pressed(
        &mut self,
        contact: ContactId,
        s: SelfService,
        keys: &str,
        heard: &Heard,
    ) {
        let Some(menu) = self.plan(s.recall).and_then(|p| p.ivr.clone()) else { return };
        let key = keys.as_bytes().first().copied().unwrap_or_default();
        self.hush(contact);
        match s.step {
            Step::Asked { question: Question::Injury, .. } if key == menu.yes => {
                self.back_for_safety(contact, s.recall);
            }
            Step::Asked { question: Question::Injury, .. } if key == menu.no => {
                self.say(contact, s.recall, Text::Message);
                self.offer_options(contact, s);
            }
            Step::Asked { question: Question::Lot, repeats, .. } => {
                self.checked(contact, s, heard, repeats);
            }
            Step::Asked { question: Question::Options, repeats, .. } => {
                self.chosen(contact, s, &menu, key, repeats);
            }
            Step::Asked { question, repeats, .. } => self.again(contact, s, question, repeats),
            _ => self.offer_options(contact, s),
        }
    }

    pub(super) fn offer_options(&mut self, contact: ContactId, s: SelfService) {
        let step = Step::Asked { question: Question::Options, repeats: 0, until: None };
        self.step(contact, SelfService { step, ..s });
        self.put(contact, s.recall, Question::Options);
    }

    fn chosen(&mut self, contact: ContactId, s: SelfService, menu: &IvrPlan, key: u8, repeats: u8) {
        let choice = menu.options.iter().find(|(k, _)| *k == key).map(|(_, choice)| *choice);
        match choice {
            None => self.again(contact, s, Question::Options, repeats),
            Some(Choice::Message) => {
                self.say(contact, s.recall, Text::Message);
                self.offer_options(contact, s);
            }
            Some(Choice::Faq(entry)) => {
                self.say(contact, s.recall, Text::Faq(entry));
                self.offer_options(contact, s);
            }
            Some(Choice::LotCheck) => {
                let step = Step::Asked { question: Question::Lot, repeats: 0, until: None };
                self.step(contact, SelfService { step, ..s });
                self.put(contact, s.recall, Question::Lot);
            }
        }
    }

    /// The affected-or-not check was given keys.
    fn checked(&mut self, contact: ContactId, s: SelfService, heard: &Heard, repeats: u8) {
        let text = match heard.lot {
            None => return self.again(contact, s, Question::Lot, repeats),
            Some(LotVerdict::CannotTell) => {
                self.say(contact, s.recall, Text::CannotTell);
                return self.back(contact, ReturnedBecause::CannotTell);
            }
            Some(LotVerdict::Affected) => {
                let class = TriageClass::Affected;
                self.heed(contact, Some(Heed { recall: s.recall, class }));
                Text::Affected
            }
            Some(LotVerdict::NotAffected) => Text::NotAffected,
        };
        self.say(contact, s.recall, text);
        self.offer_options(contact, s);
    }

    /// No key, or one that means nothing: once more, then a person; who has what they came
    /// for is wished well.
    pub(super) fn again(
        &mut self,
        contact: ContactId,
        s: SelfService,
        question: Question,
        repeats: u8,
    ) {
        let Some(menu) = self.plan(s.recall).and_then(|p| p.ivr.clone()) else { return };
        if repeats < menu.repeats {
            let step = Step::Asked { question, repeats: repeats + 1, until: None };
            self.step(contact, SelfService { step, ..s });
            self.put(contact, s.recall, question);
        } else if s.checked || s.answers > 0 {
            self.step(contact, SelfService { step: Step::Leaving { at: None }, ..s });
            self.say(contact, s.recall, Text::Goodbye);
        } else {
            self.back(contact, ReturnedBecause::NoKey);
        }
    }
}
