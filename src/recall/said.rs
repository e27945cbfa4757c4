//! What a playbook says: its texts found by id, channel and language.
//!
//! One id names one text in all languages; with the playbook's version it says what a
//! customer heard. Nothing is sent from here, and what only the moment knows is not filled in.

use super::language::Language;
use super::playbook::{FaqEntry, FaqTexts, Menu, Message, Playbook, Texts};
use crate::engine::words::Channel;

/// Ids of the texts that are not messages or FAQ entries; a FAQ entry's is `faq.` and its id,
/// a menu option's `ivr.option.` and its key.
pub mod text_id {
    /// [`crate::recall::Playbook::acknowledgement`].
    pub const ACKNOWLEDGEMENT: &str = "acknowledgement";
    /// [`crate::recall::Playbook::agent_script`].
    pub const AGENT_SCRIPT: &str = "agent-script";
    /// [`crate::recall::Menu::greeting`].
    pub const GREETING: &str = "ivr.greeting";
    /// [`crate::recall::Menu::injury`].
    pub const INJURY: &str = "ivr.injury";
    /// [`crate::recall::LotQuestion::says`].
    pub const LOT: &str = "ivr.lot";
    /// [`crate::recall::LotQuestion::affected`].
    pub const AFFECTED: &str = "ivr.lot.affected";
    /// [`crate::recall::LotQuestion::not_affected`].
    pub const NOT_AFFECTED: &str = "ivr.lot.not-affected";
    /// [`crate::recall::LotQuestion::cannot_tell`].
    pub const CANNOT_TELL: &str = "ivr.lot.cannot-tell";
    /// [`crate::recall::Menu::person`].
    pub const PERSON: &str = "ivr.person";
    /// [`crate::recall::Menu::goodbye`].
    pub const GOODBYE: &str = "ivr.goodbye";
    /// Before a FAQ entry's id.
    pub const FAQ: &str = "faq.";
    /// Before a menu option's key.
    pub const OPTION: &str = "ivr.option.";
}

impl Playbook {
    /// The language to speak: the one asked for if the playbook has it, else its first.
    #[must_use]
    pub fn speaks(&self, language: Option<Language>) -> Language {
        let spoken = language.filter(|l| self.languages.contains(l));
        spoken.or_else(|| self.languages.first().copied()).unwrap_or(Language::En)
    }

    /// The message for a channel and language; of another channel if none was written for
    /// it. None only of a playbook without messages in that language.
    #[must_use]
    pub fn message(&self, channel: Channel, language: Language) -> Option<&Message> {
        let mut spoken = self.messages.iter().filter(|m| m.language == language);
        let first = spoken.clone().next();
        spoken.find(|m| m.channels.contains(&channel)).or(first)
    }

    /// The FAQ entry with an id.
    #[must_use]
    pub fn faq_entry(&self, id: &str) -> Option<&FaqEntry> {
        self.faq.iter().find(|e| &*e.id == id)
    }

    /// The words of a text by its id (a message's id or one of [`text_id`]) in a language
    /// of the playbook; `{lot}` and `{wait}` are still in it.
    #[must_use]
    pub fn text(&self, id: &str, language: Language) -> Option<String> {
        let message = self.messages.iter().find(|m| &*m.id == id && m.language == language);
        if let Some(message) = message {
            return Some(message.text());
        }
        if let Some(entry) = id.strip_prefix(text_id::FAQ) {
            return Some(self.faq_entry(entry)?.says.get(&language)?.text());
        }
        let texts = match id {
            text_id::ACKNOWLEDGEMENT => &self.acknowledgement,
            text_id::AGENT_SCRIPT => &self.agent_script,
            _ => self.ivr.as_ref()?.texts(id)?,
        };
        texts.get(&language).map(|text| text.to_string())
    }
}

impl Menu {
    fn texts(&self, id: &str) -> Option<&Texts> {
        Some(match id {
            text_id::GREETING => &self.greeting,
            text_id::INJURY => &self.injury.says,
            text_id::LOT => &self.lot_check.says,
            text_id::AFFECTED => &self.lot_check.affected,
            text_id::NOT_AFFECTED => &self.lot_check.not_affected,
            text_id::CANNOT_TELL => &self.lot_check.cannot_tell,
            text_id::PERSON => &self.person,
            text_id::GOODBYE => &self.goodbye,
            _ => {
                let key = id.strip_prefix(text_id::OPTION)?;
                &self.options.iter().find(|o| key.chars().eq([o.key]))?.says
            }
        })
    }
}

impl Message {
    /// All four parts, the deed before what is unknown: who listens to half has heard it.
    #[must_use]
    pub fn text(&self) -> String {
        [&*self.known, &*self.do_now, &*self.not_yet_known, &*self.next_update].join(" ")
    }
}

impl FaqTexts {
    /// The answer, after the interim advice if there is any.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.interim {
            Some(interim) => format!("{interim} {}", self.answer),
            None => self.answer.to_string(),
        }
    }
}
