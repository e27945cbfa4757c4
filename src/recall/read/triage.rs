//! `[triage]`: words that class a text, by language.
//!
//! Owned by one reading.

use std::collections::BTreeMap;

use crate::config::problem::{Expected, Fault};
use crate::config::reader::{Table, Value};
use crate::recall::language::{Language, tokens};
use crate::recall::playbook::TriageWords;

/// Most words of a list: each is compared with each word of a text.
const MOST_WORDS: usize = 512;
/// Most characters of a word or phrase.
const LONGEST: usize = 60;

/// Reads the section: without injury words in each of its languages a playbook would leave
/// people unheard.
pub(super) fn read(file: &Table<'_>, languages: &[Language]) -> BTreeMap<Language, TriageWords> {
    let mut words = BTreeMap::new();
    let Some(at) = file.required("triage", Expected::Table("words by language")) else {
        return words;
    };
    at.table("triage", "words by language", |table| {
        for language in languages {
            let listed = table
                .required(language.code(), Expected::Table("lists of words"))
                .and_then(|v| v.table("triage words", "lists of words", |t| lists(t, *language)));
            words.extend(listed.map(|l| (*language, l)));
        }
    });
    words
}

fn lists(table: &Table<'_>, language: Language) -> TriageWords {
    const WORDS: Expected = Expected::List("words or phrases, at least one");
    let needed = |name| {
        let Some(at) = table.required(name, WORDS) else { return Vec::new() };
        let words = list(&at, language, true);
        if at.value.as_array().is_some_and(|a| a.is_empty()) {
            at.mismatch::<()>(WORDS);
        }
        words
    };
    TriageWords {
        injury: needed("injury"),
        exposure: needed("exposure"),
        person: needed("person"),
        unless: table.field("unless").map(|v| list(&v, language, false)).unwrap_or_default(),
    }
}

fn list(at: &Value<'_>, language: Language, may_negate: bool) -> Vec<Box<str>> {
    let mut words = Vec::new();
    for value in at.list("words or phrases") {
        let Some(text) = value.words(LONGEST) else { continue };
        let said = tokens(text, language);
        let negation = said.iter().find(|t| !may_negate && language.negates(&t.folded));
        if let Some(word) = negation {
            value.fault(Fault::Negation { word: word.folded.clone() });
        } else if said.is_empty() || words.len() >= MOST_WORDS {
            value.mismatch::<()>(Expected::List("512 words or phrases at most, with letters"));
        } else {
            words.push(text.into());
        }
    }
    words
}
