//! Reading a playbook file: one file a section, every fault noted with its place.
//!
//! Owned by one reading. What can be told from the file alone is judged here; whether a
//! router has the queue or the pool is asked when a recall starts.

mod control;
mod faq;
mod menu;
mod messages;
mod scope;
mod surge;
mod texts;
mod tiers;
mod triage;

use toml::de::{DeTable, DeValue};

pub use texts::Fill;
use texts::{Speech, read_slots};

use super::language::Language;
use super::playbook::{Kind, Playbook, Severity};
use crate::config::Fault;
use crate::config::problem::Expected;
use crate::config::reader::{Notes, Table, Value};

/// Most characters of a title.
const LONGEST_TITLE: usize = 200;
/// Most characters of a text that is written to be read.
const LONGEST_TEXT: usize = 4_000;
/// Days after which a recall must be looked at again.
const MOST_DAYS: i64 = 90;
const KINDS: &[&str] = &["generic", "specific"];

/// Reads as far as it can; none of what is not TOML or lacks what nothing can stand for.
pub(super) fn read(source: &str, notes: &Notes, fills: &[Fill<'_>]) -> Option<Playbook> {
    let document = match DeTable::parse(source) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().unwrap_or_default();
            notes.note("", span, Fault::Syntax(error));
            return None;
        }
    };
    let root = DeValue::Table(document.into_inner());
    let whole = Value { notes, value: &root, span: 0..0, path: String::new() };
    whole.table("", "a playbook's fields", |file| read_sections(file, fills)).flatten()
}

fn read_sections(file: &Table<'_>, fills: &[Fill<'_>]) -> Option<Playbook> {
    let text = |name| file.required(name, Expected::Text(LONGEST_TITLE));
    let title = text("title").and_then(|v| v.words(LONGEST_TITLE));
    let kind = file
        .required("kind", Expected::OneOf(KINDS))
        .and_then(|v| v.one_of(KINDS))
        .map_or(Kind::Specific, |at| [Kind::Generic, Kind::Specific][at]);
    let severity = file
        .required("severity", Expected::OneOf(Severity::NAMES))
        .and_then(|v| v.one_of(Severity::NAMES))
        .map(|at| [Severity::Low, Severity::Moderate, Severity::High][at]);
    let languages = read_languages(file);
    let expires = file
        .required("expires_after_days", Expected::Integer(1, MOST_DAYS))
        .and_then(|v| v.integer(1, MOST_DAYS));
    let slots = read_slots(file, &languages, fills);
    let speech = Speech::new(&languages, kind, slots);

    let scope = scope::read(file, &speech, kind);
    let messages = messages::read(file, &speech);
    let faq_tier = tiers::read(file);
    let acknowledgement = if faq_tier.faq.is_some() {
        speech.required(file, "acknowledgement", LONGEST_TEXT, texts::WAITING)
    } else {
        speech.optional(file, "acknowledgement", LONGEST_TEXT, texts::WAITING)
    };
    let (faq_names, faq) = faq::read(file, &speech, severity.unwrap_or(Severity::Low));
    let ivr = menu::read(file, &speech, &faq_names, faq_tier.ivr.is_some());
    let triage = triage::read(file, &languages);
    let agent_script = speech.required(file, "agent_script", LONGEST_TEXT, texts::NOTHING);
    let safety = tiers::read_safety(file);
    let control = control::read(file);
    Some(Playbook {
        title: title?.into(),
        kind,
        severity: severity?,
        languages: languages.clone(),
        expires_after_days: expires?,
        open_slots: speech.open_slots(),
        scope,
        messages,
        acknowledgement,
        faq,
        ivr,
        triage,
        agent_script,
        tiers: faq_tier,
        safety: safety?,
        control,
    })
}

fn read_languages(file: &Table<'_>) -> Vec<Language> {
    const EXPECTED: Expected = Expected::List("languages, at least one of de, en, es, fr");
    let mut languages = Vec::new();
    let Some(at) = file.required("languages", EXPECTED) else { return languages };
    let mut names =
        crate::config::names::Names::new(crate::config::Kind::Language, Language::ALL.len());
    let listed = at.list("languages");
    if listed.is_empty() && at.value.is_array() {
        at.mismatch::<()>(EXPECTED);
    }
    for value in listed {
        if let Some(position) = value.one_of(Language::CODES)
            && names.add(&value, &Language::CODES[position].into())
        {
            languages.push(Language::ALL[position]);
        }
    }
    languages
}
