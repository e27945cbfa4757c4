//! `[[faq]]`: questions, answers, interim advice and the examples that the search learns from.
//!
//! Owned by one reading.

use std::collections::{BTreeMap, BTreeSet};

use super::LONGEST_TEXT;
use super::texts::{NOTHING, Speech};
use crate::config::names::Names;
use crate::config::problem::{Expected, Fault, Kind};
use crate::config::reader::{Table, Value};
use crate::engine::routing::Name;
use crate::recall::language::{Language, fold};
use crate::recall::playbook::{FaqEntry, FaqTexts, Severity};

const MOST: usize = 1_024;
const MOST_EXAMPLES: usize = 100_000;
/// Most characters of a question.
const LONGEST_QUESTION: usize = 300;

/// Reads the section; without interim advice where the severity is high is warned of.
pub(super) fn read(
    file: &Table<'_>,
    speech: &Speech<'_>,
    severity: Severity,
) -> (Names, Vec<FaqEntry>) {
    let mut names = Names::new(Kind::FaqEntry, MOST);
    let mut asked: Vec<_> = speech
        .languages
        .iter()
        .map(|language| (*language, Names::new(Kind::Question, MOST_EXAMPLES)))
        .collect();
    let mut entries = Vec::new();
    for value in file.list("faq", "FAQ entries, as [[faq]]") {
        let entry = value.table("faq", "a FAQ entry's fields", |table| {
            let at = table.required("id", Expected::Name);
            let says = read_languages(table, &value, speech, severity, &mut asked);
            let at = at?;
            let id = at.name()?;
            names.add(&at, &id).then(|| FaqEntry { id: (&*id).into(), says })
        });
        entries.extend(entry.flatten());
    }
    (names, entries)
}

fn read_languages(
    table: &Table<'_>,
    at: &Value<'_>,
    speech: &Speech<'_>,
    severity: Severity,
    asked: &mut [(Language, Names)],
) -> BTreeMap<Language, FaqTexts> {
    let mut says = BTreeMap::new();
    let mut there = BTreeSet::new();
    for (language, asked) in asked {
        let Some(value) = table.field(language.code()) else { continue };
        there.insert(*language);
        let texts = value
            .table("faq texts", "a FAQ entry's texts", |t| read_texts(t, *language, speech, asked));
        let Some(texts) = texts.flatten() else { continue };
        if severity == Severity::High && texts.interim.is_none() {
            value.fault(Fault::WithoutInterim { severity: severity.name() });
        }
        says.insert(*language, texts);
    }
    speech.missing(at, &there);
    says
}

fn read_texts(
    table: &Table<'_>,
    language: Language,
    speech: &Speech<'_>,
    asked: &mut Names,
) -> Option<FaqTexts> {
    let text = |name, most| {
        let at = table.required(name, Expected::Text(most))?;
        speech.text(&at, language, most, NOTHING)
    };
    let question = text("question", LONGEST_QUESTION);
    let answer = text("answer", LONGEST_TEXT);
    let interim = table.field("interim").map(|v| speech.text(&v, language, LONGEST_TEXT, NOTHING));
    let examples_at =
        table.required("examples", Expected::List("questions, as customers put them"));
    let mut examples = Vec::new();
    for value in examples_at.iter().flat_map(|v| v.list("questions, as customers put them")) {
        let example = speech.text(&value, language, LONGEST_QUESTION, NOTHING);
        // Put to two entries, a question would tell the search nothing.
        if let Some(example) = example
            && asked.add(&value, &Name::from(fold(&example)))
        {
            examples.push(example);
        }
    }
    let interim = match interim {
        Some(given) => Some(given?),
        None => None,
    };
    Some(FaqTexts { question: question?, answer: answer?, interim, examples })
}
