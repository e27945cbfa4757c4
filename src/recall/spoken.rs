//! A text of a playbook as it is said now: which one it is, in which language, and its words
//! with what only the moment knows.
//!
//! Values only. Who says it to whom, and that it was heard, is the engine's and the edges'.

use super::language::Language;
use super::playbook::Playbook;
use super::said::text_id;
use super::wait::wait_in_words;
use crate::engine::recall::{Outlook, Text};
use crate::engine::words::{self, Channel};

/// Stands where nobody remembers what was said.
const FORGOTTEN: &str = "…";

/// A text in one language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spoken {
    /// Its id, see [`text_id`].
    pub id: Box<str>,
    /// The language.
    pub language: Language,
    /// The words.
    pub words: String,
}

/// What only the moment knows; none of what is not remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moment<'m> {
    /// The wait for a person, which may be told to be unknown: `{wait}`.
    pub outlook: Option<Outlook>,
    /// The keys that were pressed for a lot: `{lot}`.
    pub lot: Option<&'m str>,
}

impl Language {
    /// The same among those that a playbook may speak.
    #[must_use]
    pub fn known(language: words::Language) -> Option<Self> {
        Self::from_tag(language.as_str())
    }
}

impl Playbook {
    /// A text as it is said to somebody on a channel who uses a language. None if this
    /// playbook does not have it.
    #[must_use]
    pub fn spoken(
        &self,
        text: Text,
        channel: Channel,
        language: Option<words::Language>,
        moment: Moment<'_>,
    ) -> Option<Spoken> {
        let language = self.speaks(language.and_then(Language::known));
        let id = self.id_of(text, channel, language)?;
        let words = self.text(&id, language)?;
        Some(Spoken { words: filled(words, language, moment), id, language })
    }

    /// What agents say, to a customer who uses a language.
    #[must_use]
    pub fn script(&self, language: Option<words::Language>) -> Option<Spoken> {
        let language = self.speaks(language.and_then(Language::known));
        let words = self.text(text_id::AGENT_SCRIPT, language)?;
        Some(Spoken { id: text_id::AGENT_SCRIPT.into(), language, words })
    }

    /// The id of a text that the engine names.
    #[must_use]
    pub fn id_of(&self, text: Text, channel: Channel, language: Language) -> Option<Box<str>> {
        Some(match text {
            Text::Acknowledgement => text_id::ACKNOWLEDGEMENT.into(),
            Text::Message => self.message(channel, language)?.id.clone(),
            Text::Faq(entry) => {
                let entry = self.faq.get(usize::from(entry))?;
                format!("{}{}", text_id::FAQ, entry.id).into()
            }
            Text::Greeting => text_id::GREETING.into(),
            Text::Injury => text_id::INJURY.into(),
            Text::Lot => text_id::LOT.into(),
            Text::Affected => text_id::AFFECTED.into(),
            Text::NotAffected => text_id::NOT_AFFECTED.into(),
            Text::CannotTell => text_id::CANNOT_TELL.into(),
            Text::Option(key) => format!("{}{}", text_id::OPTION, char::from(key)).into(),
            Text::Person => text_id::PERSON.into(),
            Text::Goodbye => text_id::GOODBYE.into(),
        })
    }
}

fn filled(words: String, language: Language, moment: Moment<'_>) -> String {
    if !words.contains('{') {
        return words;
    }
    let told = |outlook: Outlook| wait_in_words(outlook.wait, language);
    let wait = moment.outlook.map_or_else(|| FORGOTTEN.to_owned(), told);
    let lot = moment.lot.map_or_else(|| FORGOTTEN.to_owned(), spelt);
    words.replace("{wait}", &wait).replace("{lot}", &lot)
}

/// Keys one by one: read in one piece, six digits are a number of a hundred thousand.
fn spelt(keys: &str) -> String {
    let keys = keys.trim_end_matches('#').chars();
    keys.map(String::from).collect::<Vec<_>>().join(" ")
}
