//! Texts by language, and the placeholders in them.
//!
//! Slots are filled here, once; what only the moment knows (`{lot}`, `{wait}`)
//! stays for whoever sends the text. Owned by one reading.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;

use crate::config::Fault;
use crate::config::problem::Expected;
use crate::config::reader::{Table, Value};
use crate::recall::language::Language;
use crate::recall::playbook::{Kind, Slot, Texts};

/// What stays open in a text that is sent to who waits. Not their number in line: it is
/// out of date when they read it, and worse than before whenever somebody hurt comes first.
pub(super) const WAITING: &[&str] = &["wait"];
/// What stays open in a text about a lot.
pub(super) const LOT: &[&str] = &["lot"];
/// Of most texts: nothing stays open.
pub(super) const NOTHING: &[&str] = &[];

/// Most characters that fill a slot.
const LONGEST_FILL: usize = 600;
/// Characters of a brace without end that are shown.
const MOST_SHOWN: usize = 24;

/// What fills a slot in place of the file.
#[derive(Clone, Copy, Debug)]
pub struct Fill<'a> {
    /// The slot.
    pub slot: Slot,
    /// In which language; none for all of them.
    pub language: Option<Language>,
    /// With what, 1 to 600 characters.
    pub text: &'a str,
}

/// What fills the slots, by language.
pub(super) type Slots = BTreeMap<(Slot, Language), Box<str>>;

/// Reads `[slots]`, over which `fills` go.
pub(super) fn read_slots(file: &Table<'_>, languages: &[Language], fills: &[Fill<'_>]) -> Slots {
    let mut slots = Slots::new();
    if let Some(at) = file.field("slots") {
        at.table("slots", "slots, each with its text by language", |table| {
            for slot in Slot::ALL {
                let Some(value) = table.field(slot.name()) else { continue };
                each_language(&value, languages, |language, value| {
                    let text = value.words(LONGEST_FILL);
                    if let Some(text) = text.filter(|text| is_plain(value, text)) {
                        slots.insert((slot, language), text.into());
                    }
                });
            }
        });
    }
    for fill in fills {
        let text = DeValue::String(fill.text.into());
        let path = format!("slots.{}", fill.slot.name());
        let value = Value { notes: file.notes, value: &text, span: file.span.clone(), path };
        let Some(text) = value.words(LONGEST_FILL).filter(|text| is_plain(&value, text)) else {
            continue;
        };
        for language in languages.iter().filter(|l| fill.language.is_none_or(|of| of == **l)) {
            slots.insert((fill.slot, *language), text.into());
        }
    }
    slots
}

/// Whether what fills a slot leaves nothing to be filled; else that is noted.
fn is_plain(at: &Value<'_>, text: &str) -> bool {
    let open = text.find(['{', '}']);
    if let Some(open) = open {
        let name = text[open..].chars().take(MOST_SHOWN).filter(|c| !"{}".contains(*c)).collect();
        at.fault(Fault::UnknownPlaceholder { name, allowed: Box::default(), meant: None });
    }
    open.is_none()
}

/// Reads a table whose fields are the playbook's languages; those that are there.
pub(super) fn each_language<'a>(
    at: &Value<'a>,
    languages: &[Language],
    mut read: impl FnMut(Language, &Value<'a>),
) {
    at.table("texts", "texts by language", |table| {
        for language in languages {
            if let Some(value) = table.field(language.code()) {
                read(*language, &value);
            }
        }
    });
}

/// How the playbook that is being read speaks.
pub(super) struct Speech<'s> {
    /// Its languages.
    pub(super) languages: &'s [Language],
    kind: Kind,
    slots: Slots,
    open: RefCell<BTreeSet<Slot>>,
}

impl<'s> Speech<'s> {
    pub(super) fn new(languages: &'s [Language], kind: Kind, slots: Slots) -> Self {
        Self { languages, kind, slots, open: RefCell::default() }
    }

    /// The slots that were met and that nothing fills, of a generic playbook.
    pub(super) fn open_slots(&self) -> Vec<Slot> {
        self.open.borrow().iter().copied().collect()
    }

    /// A text in every language, in which `stays` may stay open.
    pub(super) fn required(
        &self,
        table: &Table<'_>,
        name: &'static str,
        most: usize,
        stays: &'static [&'static str],
    ) -> Texts {
        let at = table.required(name, Expected::Table("texts by language"));
        at.map(|v| self.texts(&v, most, stays)).unwrap_or_default()
    }

    /// The same of a field that may be left out.
    pub(super) fn optional(
        &self,
        table: &Table<'_>,
        name: &'static str,
        most: usize,
        stays: &'static [&'static str],
    ) -> Texts {
        table.field(name).map(|v| self.texts(&v, most, stays)).unwrap_or_default()
    }

    fn texts(&self, at: &Value<'_>, most: usize, stays: &'static [&'static str]) -> Texts {
        let mut texts = Texts::new();
        let mut there = BTreeSet::new();
        each_language(at, self.languages, |language, value| {
            there.insert(language);
            if let Some(text) = self.text(value, language, most, stays) {
                texts.insert(language, text);
            }
        });
        if at.value.is_table() {
            self.missing(at, &there);
        }
        texts
    }

    /// Notes each language of the playbook that is not among `there`.
    pub(super) fn missing(&self, at: &Value<'_>, there: &BTreeSet<Language>) {
        for language in self.languages.iter().filter(|l| !there.contains(l)) {
            at.fault(Fault::WithoutLanguage { language: language.code() });
        }
    }

    /// One text, its slots filled.
    pub(super) fn text(
        &self,
        at: &Value<'_>,
        language: Language,
        most: usize,
        stays: &'static [&'static str],
    ) -> Option<Box<str>> {
        let text = at.words(most)?;
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            out.push_str(&rest[..open]);
            let inside = &rest[open + 1..];
            let close = inside.find(['{', '}']).filter(|end| inside[*end..].starts_with('}'));
            let Some(close) = close.filter(|_| rest[open..].starts_with('{')) else {
                self.unknown(at, &inside.chars().take(MOST_SHOWN).collect::<String>(), stays);
                return None;
            };
            self.fill(at, &inside[..close], language, stays, &mut out);
            rest = &inside[close + 1..];
        }
        out.push_str(rest);
        Some(out.into())
    }

    fn fill(
        &self,
        at: &Value<'_>,
        name: &str,
        language: Language,
        stays: &'static [&'static str],
        out: &mut String,
    ) {
        let slot = Slot::ALL.into_iter().find(|s| s.name() == name);
        match slot {
            Some(slot) => match self.slots.get(&(slot, language)) {
                Some(text) => out.push_str(text),
                None => {
                    if self.kind == Kind::Specific {
                        at.fault(Fault::Unfilled { slot: slot.name() });
                    }
                    self.open.borrow_mut().insert(slot);
                    out.push_str(&format!("{{{name}}}"));
                }
            },
            None if stays.contains(&name) => out.push_str(&format!("{{{name}}}")),
            None => self.unknown(at, name, stays),
        }
    }

    fn unknown(&self, at: &Value<'_>, name: &str, stays: &'static [&'static str]) {
        let allowed: Box<[&'static str]> =
            stays.iter().copied().chain(Slot::ALL.into_iter().map(Slot::name)).collect();
        let meant = at.notes.meant(name, allowed.iter().copied());
        let meant = meant.and_then(|m| allowed.iter().copied().find(|a| *a == m));
        at.fault(Fault::UnknownPlaceholder { name: name.into(), allowed, meant });
    }
}
