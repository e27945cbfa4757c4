//! `[[announcements]]`: what queues tell customers, by language.
//!
//! Owned by one reading of one file. Which version of an announcement is which is
//! [`super::merge`]'s: other words are another version.

use std::sync::Arc;

use super::names::Names;
use super::problem::{Expected, Fault, Found, Kind};
use super::reader::{Table, Value};
use crate::engine::queue_life::Notice;
use crate::engine::words::Language;

/// Most announcements of a router.
const MOST: usize = 1_024;
/// Longest words, characters.
const LONGEST: usize = 2_000;
/// What only the moment knows.
const PLACEHOLDERS: &[&str] = &["wait", "position", "opens"];
/// What an announcement has to have.
const TEXTS: &str = "languages of two letters, such as en, each with the words";

/// Reads the section.
pub(super) fn read(values: &[Value<'_>]) -> (Names, Vec<Notice>) {
    let mut names = Names::new(Kind::Announcement, MOST);
    let mut notices = Vec::new();
    for value in values {
        let read =
            value.table("announcements", "an announcement's fields", |t| read_one(t, &mut names));
        notices.extend(read.flatten());
    }
    (names, notices)
}

fn read_one(table: &Table<'_>, names: &mut Names) -> Option<Notice> {
    let name_at = table.required("name", Expected::Name);
    let texts_at = table.required("texts", Expected::Table(TEXTS));
    let texts = texts_at.map(|at| read_texts(&at));
    let at = name_at?;
    let name = at.name()?;
    // Of a file with errors nothing is used but the names.
    let texts = texts.unwrap_or_default();
    let notice = Notice { name: name.clone(), retired: false, texts, version: 0 };
    names.add(&at, &name).then_some(notice)
}

/// In the order of the file: the first is for languages that are not among them.
fn read_texts(at: &Value<'_>) -> Vec<(Language, Arc<str>)> {
    let mut texts = Vec::new();
    for (tag, key_at, value) in at.entries(TEXTS) {
        let language = Language::of_tag(tag).filter(|l| l.as_str() == tag);
        let Some(language) = language else {
            let found = Found::Text(tag.chars().take(64).collect());
            let fault = Fault::Mismatch { found, expected: Expected::Table(TEXTS) };
            value.notes.note(&value.path, key_at, fault);
            continue;
        };
        if let Some(words) = value.words(LONGEST) {
            check_placeholders(&value, words);
            texts.push((language, words.into()));
        }
    }
    if texts.is_empty() && at.value.as_table().is_some_and(|t| t.is_empty()) {
        at.mismatch::<()>(Expected::Table(TEXTS));
    }
    texts
}

fn check_placeholders(value: &Value<'_>, words: &str) {
    let names = words.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    for (name, _) in names.filter(|(name, _)| !PLACEHOLDERS.contains(name)) {
        let meant = value.notes.meant(name, PLACEHOLDERS.iter().copied());
        let meant = meant.and_then(|m| PLACEHOLDERS.iter().copied().find(|p| *p == m));
        value.fault(Fault::UnknownPlaceholder {
            name: name.into(),
            allowed: PLACEHOLDERS.into(),
            meant,
        });
    }
}
